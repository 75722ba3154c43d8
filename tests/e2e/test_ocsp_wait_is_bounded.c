/* The clock of tls.timeout stands still while a CA is asked, and only then: the wait ends with the time of the
 * last link, and what is left of the handshake has the time that was left. */
#include "harness_ocsp.h"

#include <openssl/bio.h>
#include <poll.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_wait_is_bounded);

static const struct responder_script HANG = { .act = RESPONDER_HANG };

/* Both links have a responder that never answers; nobody's clock runs out before theirs. */
SCENARIO(ocsp_wait_is_bounded, by_the_time_of_each_link)
{
    enum { CA_TIMEOUT_MS = 1200, LINKS = 2 };
    struct responder *ca = authority_is_scripted();
    struct server *server = server_asking(&(struct asking){
        .ocsp_peer = "{ verify: true, ca_timeout: \"1200ms\", allow_when_ca_unreachable: true }",
        .tls_more = "timeout: 1" });

    responder_set(ca, ROOT_SLOT, &HANG);
    responder_set(ca, INT_SLOT, &HANG);
    uint64_t begun_ms = now_ms();
    is_let_in(server, "int/client-good", TLS1_2_VERSION);
    uint64_t lasted_ms = now_ms() - begun_ms;
    require(lasted_ms >= LINKS * CA_TIMEOUT_MS, "it lasted %d ms only", (int)lasted_ms);
    require(lasted_ms < PATIENCE_MS, "it lasted %d ms", (int)lasted_ms);
}

SCENARIO(ocsp_wait_is_bounded, by_the_first_link_that_fails)
{
    struct responder *ca = authority_is_scripted();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: \"400ms\" }" });

    responder_set(ca, ROOT_SLOT, &HANG);
    responder_set(ca, INT_SLOT, &HANG);
    is_refused(server, "int/client-good", TLS1_2_VERSION);
    cr_assert_eq(responder_requests(ca, INT_SLOT), 1);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 0);
}

/* ---- a client that stops in the middle of its second flight ------------------------------------ */

struct half {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* the ssl's */
};

static struct half half_client(const char *name)
{
    struct half half = { .context = SSL_CTX_new(TLS_client_method()),
                         .in = BIO_new(BIO_s_mem()),
                         .out = BIO_new(BIO_s_mem()) };

    SSL_CTX_set_max_proto_version(half.context, TLS1_2_VERSION);
    if (SSL_CTX_use_certificate_chain_file(half.context, cert_path(text("%s.pem", name))) != 1 ||
        SSL_CTX_use_PrivateKey_file(half.context, cert_path(text("%s.key", name)),
                                    SSL_FILETYPE_PEM) != 1)
        e2e_fail("cannot load the certificate '%s'", name);
    half.ssl = SSL_new(half.context);
    SSL_set_bio(half.ssl, half.in, half.out);
    SSL_set_connect_state(half.ssl);
    return half;
}

/* Goes on with what has come; gives what is to be sent. */
static size_t next_flight(struct half *half, struct conn *conn, char *flight, size_t size)
{
    char bytes[16384];
    int written = 0;

    for (uint64_t until_ms = now_ms() + PATIENCE_MS; written <= 0 && now_ms() < until_ms;) {
        SSL_do_handshake(half->ssl);
        written = BIO_read(half->out, flight, (int)size);
        if (written <= 0)
            BIO_write(half->in, bytes, (int)conn_read_some(conn, bytes, sizeof bytes, PATIENCE_MS));
    }
    require(written > 0, "there is nothing to send");
    return (size_t)written;
}

/* The first record of a flight: type, version, length, bytes. */
static size_t first_record(const char *flight, size_t size)
{
    size_t len = 5 + ((size_t)(unsigned char)flight[3] << 8) + (unsigned char)flight[4];

    require(size >= 5 && len < size, "the flight is one record");
    return len;
}

/* Its certificate was good, but it does not show that it has the key. */
SCENARIO(ocsp_wait_is_bounded, and_the_rest_of_the_handshake_by_what_was_left)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script good = authority_script("client-good", ANSWER_GOOD);
    struct server *server = server_asking(&(struct asking){
        .ocsp_peer = "{ verify: true, ca_timeout: 60 }", .tls_more = "timeout: 1.5" });
    struct half half = half_client("client-good");
    struct conn *conn = nats_open(server);
    unsigned cid = conn_id(conn);
    char flight[16384], byte;

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    conn_write(conn, flight, next_flight(&half, conn, flight, sizeof flight));
    size_t size = next_flight(&half, conn, flight, sizeof flight);
    conn_write(conn, flight, first_record(flight, size)); /* the certificate */
    cache_await_misses(server, 1);
    for (uint64_t until_ms = now_ms() + 3000; now_ms() < until_ms; poll(NULL, 0, 50))
        require(conn_read_some(conn, &byte, 1, 0) == 0, "the server has spoken");
    require(!log_contains(server, "connection closed: TLS Handshake Failure", 0),
            "the clock went on while the CA was asked");
    responder_set(ca, ROOT_SLOT, &good);
    conn_expect_closed(conn);
    cr_assert_str_eq(close_reason(server, cid), "TLS Handshake Failure");
    require(!log_contains(server, "OCSP verify fail", 0), "it was refused for another reason");
    SSL_free(half.ssl);
    SSL_CTX_free(half.context);
}

/* The same client sends the rest, however late: it comes in. */
SCENARIO(ocsp_wait_is_bounded, but_not_cut_short)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script good = authority_script("client-good", ANSWER_GOOD);
    struct server *server = server_asking(&(struct asking){
        .ocsp_peer = "{ verify: true, ca_timeout: 60 }", .tls_more = "timeout: 8" });
    struct half half = half_client("client-good");
    struct conn *conn = nats_open(server);
    char flight[16384], bytes[16384];

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    conn_write(conn, flight, next_flight(&half, conn, flight, sizeof flight));
    size_t size = next_flight(&half, conn, flight, sizeof flight);
    size_t first = first_record(flight, size);
    conn_write(conn, flight, first);
    cache_await_misses(server, 1);
    responder_set(ca, ROOT_SLOT, &good);
    conn_write_split(conn, flight + first, size - first);
    while (SSL_do_handshake(half.ssl) != 1) {
        size_t got = conn_read_some(conn, bytes, sizeof bytes, PATIENCE_MS);

        require(got > 0, "the server does not answer");
        BIO_write(half.in, bytes, (int)got);
    }
    SSL_free(half.ssl);
    SSL_CTX_free(half.context);
}
