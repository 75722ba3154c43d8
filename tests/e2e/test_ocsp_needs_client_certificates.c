/* `ocsp_peer` without `verify` would check nobody: such a configuration does not start, is not valid
 * for -t, and is not taken over by a reload. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_needs_client_certificates);

static const char SENTENCE[] =
    "OCSP peer verification for client connections requires TLS verify (mTLS) to be enabled";

static const char *config(const char *more)
{
    return text("tls { %s, ca_file: \"%s\", %s }\n", tls_identity("server"), cert_path("ca.pem"),
                more);
}

static const char *const USELESS[] = {
    "ocsp_peer: true",
    "verify: false, ocsp_peer: true",
    "ocsp_peer: { verify: true, ca_timeout: 5 }",
};
enum { USELESS_COUNT = sizeof USELESS / sizeof *USELESS };

EACH_ROW(ocsp_needs_client_certificates, to_start, USELESS_COUNT)
{
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .config = config(USELESS[*row]) });
    const char *said = server_errors(server);

    cr_assert_eq(status, 1);
    require(strcmp(said, text("%s: %s\n", server_name(), SENTENCE)) == 0, "it said: %s", said);
}

/* nats-server's -t looks no further than the grammar. */
EACH_ROW(ocsp_needs_client_certificates, to_be_valid, USELESS_COUNT)
{
    const char *const arguments[] = { "-t", NULL };
    struct server *server = NULL;
    int status = server_run(
        &server, &(struct launch){ .config = config(USELESS[*row]), .arguments = arguments });

    cr_assert_eq(status, is_reference() ? 0 : 1);
    require(is_reference() || strstr(server_errors(server), SENTENCE), "it said: %s",
            server_errors(server));
}

/* The same on the other ports; nats-server forgets MQTT's. */
static const struct {
    const char *before, *after;
    bool is_forgotten;
} BLOCKS[] = {
    {"websocket { port: -1, tls",  "}", false},
    { "mqtt { port: -1, tls",      "}", true },
    { "leafnodes { port: -1, tls", "}", false},
};

EACH_ROW(ocsp_needs_client_certificates, on_other_ports_too, sizeof BLOCKS / sizeof *BLOCKS)
{
    const char *const arguments[] = { "-t", NULL };
    struct server *server = NULL;
    const char *block =
        text("%s { %s, ca_file: \"%s\", ocsp_peer: true } %s\n", BLOCKS[*row].before,
             tls_identity("server"), cert_path("ca.pem"), BLOCKS[*row].after);

    if (is_reference() && BLOCKS[*row].is_forgotten)
        return;
    cr_assert_eq(server_run(&server, &(struct launch){ .config = block }), 1);
    require(strstr(server_errors(server), SENTENCE), "it said: %s", server_errors(server));
    int status = server_run(&server, &(struct launch){ .config = block, .arguments = arguments });
    cr_assert_eq(status, is_reference() ? 0 : 1);
    require(is_reference() || strstr(server_errors(server), SENTENCE), "it said: %s",
            server_errors(server));
}

static const char *const USEFUL[] = {
    "verify: true, ocsp_peer: true",
    "verify_and_map: true, ocsp_peer: true",
    "verify: true, ocsp_peer: { verify: true, ca_timeout: \"1500ms\", allowed_clockskew: 1 }",
    "verify: true, ocsp_peer: { verify: true, cache_ttl_when_next_update_unset: \"1h\" }",
    "ocsp_peer: false",
    "ocsp_peer: { ca_timeout: 5 }",
};

EACH_ROW(ocsp_needs_client_certificates, or_else_it_is_fine, sizeof USEFUL / sizeof *USEFUL)
{
    const char *const arguments[] = { "-t", NULL };
    struct server *server = NULL;
    int status = server_run(
        &server, &(struct launch){ .config = config(USEFUL[*row]), .arguments = arguments });

    cr_assert_eq(status, 0, "%s", server_errors(server));
    server = server_start("%s", config(USEFUL[*row]));
    server_stop(server);
}

struct mistake {
    const char *option, *complaint;
};

static const struct mistake MISTAKES[] = {
    {"ocsp_peer: { verify: true, timeout: 5 }",
     "error parsing tls peer config, unknown field [\"timeout\"]"      },
    { "ocsp_peer: { verify: \"true\" }",
     "error parsing tls peer config, unknown field [\"verify\"]"       },
    { "ocsp_peer: { verify: true, ca_timeout: true }",
     "error parsing tls peer config, conversion error: unexpected type"},
    { "ocsp_peer: { verify: true, ca_timeout: \"5\" }",
     "error parsing tls peer config, conversion error: time: missing unit in "
      "duration \"5\""                                                 },
};

EACH_ROW(ocsp_needs_client_certificates, and_options_that_exist, sizeof MISTAKES / sizeof *MISTAKES)
{
    const struct mistake *mistake = &MISTAKES[*row];
    struct server *server = NULL;
    int status = server_run(
        &server, &(struct launch){ .config = config(text("verify: true, %s", mistake->option)) });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), mistake->complaint), "it said: %s",
            server_errors(server));
}
