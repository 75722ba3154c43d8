/* test_options_reload.c - what may change while the server runs, and what the log says about it. */
#include "test_options_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

TestSuite(options_reload, .init = enter_empty_folder, .fini = leave_folder);

struct reload_row {
    const char *old, *next, *says;
};

#define CHANGE(old, next, says)                                                                    \
    {                                                                                              \
        old, next, says                                                                            \
    }

/* As nats-server 2.15.1 says it; it names the first field it finds, we that of the first row. */
static const struct reload_row REFUSED[] = {
    CHANGE("port: 4333", "port: 4334", "Port: old=4333, new=4334"),
    CHANGE("", "host: \"127.0.0.1\"", "Host: old=0.0.0.0, new=127.0.0.1"),
    CHANGE("", "server_name: x", "ServerName: old=, new=x"),
    CHANGE("server_name: x", "server_name: y", "ServerName: old=x, new=y"),
    CHANGE("", "http_port: 8222", "HTTPPort: old=0, new=8222"),
    CHANGE("", "http: \"127.0.0.1:8222\"", "HTTPPort: old=0, new=8222"),
    CHANGE("http: 8222", "http: \"127.0.0.1:8222\"", "HTTPHost: old=0.0.0.0, new=127.0.0.1"),
    CHANGE("", "http_base_path: x", "HTTPBasePath: old=, new=x"),
    CHANGE("", "proxy_protocol: true", "ProxyProtocol: old=false, new=true"),
    CHANGE("", "max_closed_clients: 5", "MaxClosedClients: old=10000, new=5"),
    CHANGE("", "max_workers: 2", "MaxWorkers: old=0, new=2"),
    CHANGE("", "cluster { name: x }", "Cluster: old=, new=x"),
};

Test(options_reload, what_needs_a_restart_is_refused)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        struct loaded old = load(REFUSED[i].old), next = load(REFUSED[i].next);
        struct error err = { "" };
        cr_assert(old.options && next.options, "%s", REFUSED[i].next);
        cr_expect_not(options_may_reload(old.options, next.options, &err), "%s", REFUSED[i].next);
        cr_expect_eq(strncmp(err.text, "config reload not supported for ", 32), 0);
        cr_expect_str_eq(err.text + 32, REFUSED[i].says);
        unload(&old);
        unload(&next);
    }
}

static void append_line(void *ctx, const char *text)
{
    buf_append_str(ctx, text);
    buf_append_char(ctx, '\n');
}

/* The lines of a reload that is allowed. Owned by the caller. */
static char *reload_lines(const struct options *old, const struct options *next)
{
    struct buf out = { 0 };
    struct error err = { "" };
    cr_expect(options_may_reload(old, next, &err), "%s", err.text);
    options_describe_changes(old, next, append_line, &out);
    char *lines = mem_strspan(buf_span(&out));
    buf_free(&out);
    return lines;
}

/* These two come with every reload, changed or not. */
#define ALWAYS "Reloaded: authorization users\nReloaded: accounts\n"

static const struct reload_row LIVE[] = {
    CHANGE("", "", ALWAYS),
    CHANGE("port: -1", "port: -1", ALWAYS),
    CHANGE("", "debug: true", "Reloaded: debug = true\n" ALWAYS),
    CHANGE("", "trace_verbose: true",
           "Reloaded: trace = true\nReloaded: trace_verbose = true\n" ALWAYS),
    CHANGE("", "max_payload: 1000", "Reloaded: max_payload = 1000\n" ALWAYS),
    CHANGE("", "max_connections: 0", "Reloaded: max_connections = -1\n" ALWAYS),
    CHANGE("", "max_control_line: 512", "Reloaded: max_control_line = 512\n" ALWAYS),
    CHANGE("", "ping_interval: \"7s\"", "Reloaded: ping_interval = 7s\n" ALWAYS),
    CHANGE("", "ping_max: 7", "Reloaded: ping_max = 7\n" ALWAYS),
    CHANGE("", "write_deadline: \"1m\"", "Reloaded: write_deadline = 1m0s\n" ALWAYS),
    CHANGE("", "client_advertise: \"x:1\"", "Reload: client_advertise = x:1\n" ALWAYS),
    CHANGE("", "max_traced_msg_len: 6", "Reloaded: max_traced_msg_len = 6\n" ALWAYS),
    CHANGE("", "pid_file: \"r.pid\"", "Reloaded: pid_file = r.pid\n" ALWAYS),
    CHANGE("", "no_fast_producer_stall: true",
           "Reloaded: fast producers will not be stalled\n" ALWAYS),
    CHANGE("", "ocsp_cache: false", "Reloaded OCSP peer cache\n" ALWAYS),
    CHANGE("", "server_tags: [a]", "Reloaded: tags\n" ALWAYS),
    CHANGE("server_tags: [a]", "server_tags: [b]", "Reloaded: tags\n" ALWAYS),
    CHANGE("", "server_metadata: { a: b }", "Reloaded: metadata\n" ALWAYS),
    CHANGE("", "authorization { user: a, password: b }",
           "Reloaded: authorization username\nReloaded: authorization password\n" ALWAYS),
    CHANGE("", "authorization { token: t }", "Reloaded: authorization token\n" ALWAYS),
    CHANGE("", "authorization { timeout: 3 }", "Reloaded: authorization timeout = 3\n" ALWAYS),
    CHANGE("",
           "authorization { users: [{ nkey: "
           "UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX }] }",
           "Reloaded: authorization users\nReloaded: authorization nkey users\n"
           "Reloaded: accounts\n"),
    /* nats-server refuses these, we need no restart for them */
    CHANGE("", "max_subs: 5", "Reloaded: max_subscriptions = 5\n" ALWAYS),
    CHANGE("", "lame_duck_duration: \"40s\"", "Reloaded: lame_duck_duration = 40s\n" ALWAYS),
};

Test(options_reload, changes_are_told)
{
    for (size_t i = 0; i < sizeof LIVE / sizeof *LIVE; i++) {
        struct loaded old = load(LIVE[i].old), next = load(LIVE[i].next);
        cr_assert(old.options && next.options, "%s", LIVE[i].next);
        char *lines = reload_lines(old.options, next.options);
        cr_expect_str_eq(lines, LIVE[i].says, "%s -> %s\n%s", LIVE[i].old, LIVE[i].next, lines);
        free(lines);
        unload(&old);
        unload(&next);
    }
}

Test(options_reload, secrets_are_never_told)
{
    struct loaded old = load("authorization { user: a, password: before }");
    struct loaded next = load("authorization { user: a, password: after }");
    char *lines = reload_lines(old.options, next.options);
    cr_expect_str_eq(lines, "Reloaded: authorization password\n" ALWAYS);
    free(lines);
    unload(&old);
    unload(&next);
}

Test(options_reload, tls_changes_are_told)
{
    static const struct reload_row rows[] = {
        CHANGE("", "tls {}",
               "Reloaded: tls = enabled\nReloaded: authorization timeout = 3\n" ALWAYS),
        CHANGE("tls {}", "",
               "Reloaded: tls = disabled\nReloaded: authorization timeout = 2\n" ALWAYS),
        CHANGE("tls {}", "tls {}", ALWAYS),
        CHANGE("tls {}", "tls { timeout: \"1500ms\" }",
               "Reloaded: tls timeout = 1.5\nReloaded: authorization timeout = 2.5\n" ALWAYS),
        CHANGE("tls {}", "tls { first: true }",
               "Reloaded: Client TLS handshake first: true\n" ALWAYS),
        CHANGE("tls {}", "tls { first: auto }",
               "Reloaded: Client TLS handshake first: true\n"
               "Reloaded: Client TLS handshake first fallback delay: 50ms\n" ALWAYS),
        CHANGE("tls {}",
               "tls { pinned_certs: "
               "[\"7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069\"] }",
               "Reloaded: 1 pinned_certs\n" ALWAYS),
        CHANGE("tls {}", "tls { min_version: \"1.3\" }", "Reloaded: tls = enabled\n" ALWAYS),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct loaded old = load(rows[i].old), next = load(rows[i].next);
        cr_assert(old.options && next.options, "%s", rows[i].next);
        char *lines = reload_lines(old.options, next.options);
        cr_expect_str_eq(lines, rows[i].says, "%s -> %s\n%s", rows[i].old, rows[i].next, lines);
        free(lines);
        unload(&old);
        unload(&next);
    }
}

static void write_pair(void)
{
    EVP_PKEY *key = EVP_EC_gen("prime256v1");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
    FILE *file = fopen("pair.pem", "w");
    PEM_write_X509(file, cert);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

Test(options_reload, a_renewed_certificate_under_the_same_name_is_told)
{
    static const char TEXT[] = "tls { cert_file: pair.pem, key_file: pair.pem }";
    write_pair();
    struct loaded first = load_good(TEXT), same = load_good(TEXT);
    write_pair();
    struct loaded renewed = load_good(TEXT);
    char *lines = reload_lines(first.options, same.options);
    cr_expect_str_eq(lines, ALWAYS);
    free(lines);
    lines = reload_lines(first.options, renewed.options);
    cr_expect_str_eq(lines, "Reloaded: tls = enabled\n" ALWAYS);
    free(lines);
    unload(&first);
    unload(&same);
    unload(&renewed);
}

Test(options_reload, flags_stay_in_force)
{
    struct problems problems;
    struct error err = { "" };
    struct loaded first =
        load_with("debug: false", (const char *const[]){ "-p", "4333", "-n", "gate", "-D", NULL });
    write_file("gate.conf", "port: 4444\nserver_name: other\nping_max: 9\n");
    struct options *second = options_load(first.flags, &problems);
    cr_assert_not_null(second);
    cr_expect_eq(second->port, 4333);
    cr_expect_str_eq(second->server_name, "gate");
    cr_expect(second->debug);
    cr_expect_eq(second->ping_max, 9);
    cr_expect(options_may_reload(first.options, second, &err), "%s", err.text);
    options_release(second);
    problems_free(&problems);
    unload(&first);
}

Test(options_reload, a_broken_file_gives_no_options)
{
    struct problems problems;
    struct loaded first = load("debug: false");
    write_file("gate.conf", "debug: maybe");
    cr_expect_null(options_load(first.flags, &problems));
    cr_expect_eq(problems.errors, 1);
    problems_free(&problems);
    unload(&first);
}
