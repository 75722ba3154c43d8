/* start.c - spares the processes of a Criterion program a detour: Criterion's libgit2 (it shows differences) reads every
 * CA certificate of the machine when a process begins, and each test is a process of its own. No test
 * asks libgit2 to trust anybody; it goes on without them. */

struct mbedtls_x509_crt;

int mbedtls_x509_crt_parse_file(struct mbedtls_x509_crt *chain, const char *path);

int mbedtls_x509_crt_parse_file(struct mbedtls_x509_crt *chain, const char *path)
{
    (void)chain, (void)path;
    return -1;
}
