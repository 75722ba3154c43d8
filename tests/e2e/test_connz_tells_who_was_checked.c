/* /connz?auth=1 tells what the check of a client's certificate came to, and when; also of clients that have
 * left, and of those that never came in. */
#include "harness_ocsp.h"

#include <string.h>
#include <sys/socket.h>

OCSP_BEHAVIOUR(connz_tells_who_was_checked);

static const char *verdict_of(struct server *server, const char *query, unsigned cid)
{
    cJSON *entry = connz_entry(server, query, cid);

    require(json_has(entry, "ocsp_checked"), "no time: %s", json_shown(entry));
    return json_text(entry, "ocsp_verdict");
}

static cJSON *first_cert(cJSON *entry)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(entry, "tls_peer_certs"), 0);
}

SCENARIO(connz_tells_who_was_checked, of_those_who_are_in)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    unsigned fetched = conn_id(is_let_in(server, "client-good", TLS1_3_VERSION));
    unsigned remembered = conn_id(is_let_in(server, "client-good", TLS1_2_VERSION));
    unsigned unasked = conn_id(is_let_in(server, "client-noaia", TLS1_3_VERSION));

    cr_assert_str_eq(verdict_of(server, "auth=1", fetched), "good");
    cr_assert_str_eq(verdict_of(server, "auth=1", remembered), "good");
    cr_assert_str_eq(verdict_of(server, "auth=1", unasked), "not_asked");
    cJSON *entry = connz_entry(server, "", fetched);
    require(!json_has(entry, "ocsp_verdict") && !json_has(entry, "ocsp_checked"),
            "without being asked: %s", json_shown(entry));
}

SCENARIO(connz_tells_who_was_checked, of_those_who_should_not_be_in)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, warn_only: true }" });
    unsigned cid = conn_id(is_let_in(server, "client-revoked", TLS1_3_VERSION));

    cr_assert_str_eq(verdict_of(server, "auth=1", cid), "revoked");
}

SCENARIO(connz_tells_who_was_checked, of_those_who_have_left)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct conn *client = is_let_in(server, "client-good", TLS1_3_VERSION);
    unsigned cid = conn_id(client);

    conn_close(client);
    cr_assert_str_eq(verdict_of(server, "auth=1&state=closed", cid), "good");
    cJSON *entry = connz_entry(server, "state=closed", cid);
    require(!json_has(entry, "ocsp_verdict"), "without being asked: %s", json_shown(entry));
}

/* Fetched, then remembered: the certificate is named both times. */
EACH_ROW(connz_tells_who_was_checked, of_those_who_were_refused, 2)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    for (size_t i = 0; i < *row; i++)
        is_refused(server, "client-revoked", TLS1_3_VERSION);
    struct conn *client = knock(server, "client-revoked", TLS1_3_VERSION);
    unsigned cid = conn_id(client);
    cJSON *entry = connz_entry(server, "auth=1&state=closed", cid);
    cr_assert_str_eq(json_text(entry, "reason"), "TLS Handshake Failure");
    cr_assert_str_eq(json_text(entry, "ocsp_verdict"), "revoked");
    cr_assert_str_eq(json_text(first_cert(entry), "subject"), SUBJECT("client-revoked"));
    cJSON *listed =
        monitor(server, text("/ocspz?fingerprint=%s", json_text(first_cert(entry), "cert_sha256")));
    cr_assert_eq(json_number(listed, "num_entries"), 1);
}

SCENARIO(connz_tells_who_was_checked, but_nothing_where_nobody_is)
{
    if (is_reference())
        return;
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = NULL });
    unsigned cid = conn_id(is_let_in(server, "client-good", TLS1_3_VERSION));
    cJSON *entry = connz_entry(server, "auth=1", cid);

    require(!json_has(entry, "ocsp_verdict") && first_cert(entry), "%s", json_shown(entry));
}

/* What goes wrong later has reasons of its own. */
EACH_ROW(connz_tells_who_was_checked, and_the_log_blames_no_ca_for_later_errors, 2)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    for (size_t i = 0; i < *row; i++)
        is_let_in(server, "client-good", TLS1_3_VERSION);
    struct conn *client = is_let_in(server, "client-good", TLS1_3_VERSION);
    cr_assert_eq(send(conn_socket(client), "no record at all\r\n", 18, MSG_NOSIGNAL), 18);
    conn_expect_closed(client);
    require(log_contains(server, text("cid:%u - TLS error: ", conn_id(client)), PATIENCE_MS),
            "no word of it:\n%s", server_log(server));
    require(!strstr(server_log(server), "not OCSP valid"), "the CA called it good:\n%s",
            server_log(server));
}
