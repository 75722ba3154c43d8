/* With disconnect_revoked, who is connected is asked about again and again; when the CA revokes its certificate, or
 * one above it, the connection ends. Nothing else ends it. nats-server does not know the option. */
#include "harness_events.h"
#include "harness_ocsp.h"

#include <poll.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_disconnects_the_revoked);

/* Answers without an end, an hour old: they live for two seconds. */
#define BRIEFLY "allowed_clockskew: 0, cache_ttl_when_next_update_unset: 3602"
#define WATCHED "{ verify: true, disconnect_revoked: true, " BRIEFLY " }"
#define LEFT    "{ verify: true, " BRIEFLY " }"

static struct responder *ca;

/* What the CAs say from now on about those who visit. */
static void root_says(enum answer_status client, enum answer_status intermediate)
{
    struct responder_script script = authority_script("client-good", client);

    script.recipe.also = authority_cert("int");
    script.recipe.also_status = intermediate;
    script.recipe.no_next_update = true;
    responder_set(ca, ROOT_SLOT, &script);
}

static void intermediate_says(enum answer_status client)
{
    struct responder_script script = authority_script("int/client-good", client);

    script.recipe.no_next_update = true;
    responder_set(ca, INT_SLOT, &script);
}

static void fault(int slot, enum responder_act act, int code)
{
    responder_set(ca, slot, &(struct responder_script){ .act = act, .code = code });
}

static struct server *server_with(const char *ocsp_peer, const char *more)
{
    ca = authority_is_scripted();
    root_says(ANSWER_GOOD, ANSWER_GOOD);
    intermediate_says(ANSWER_GOOD);
    return server_asking(&(struct asking){ .ocsp_peer = ocsp_peer, .more = more });
}

static void reload(struct server *server, const char *ocsp_peer)
{
    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = ocsp_peer }));
}

static void await_requests(int slot, int count)
{
    for (uint64_t until_ms = now_ms() + 3 * PATIENCE_MS; now_ms() < until_ms; poll(NULL, 0, 20))
        if (responder_requests(ca, slot) >= count)
            return;
    e2e_fail("the CA is not asked any more");
}

static void is_disconnected(struct server *server, struct conn *conn)
{
    unsigned cid = conn_id(conn);

    conn_expect(conn, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(conn);
    require(strcmp(close_reason(server, cid), "Certificate Revoked") == 0, "/connz says '%s'",
            close_reason(server, cid));
}

/* Visits until the server knows better: the answer in memory must run out first. */
static void until_refused(struct server *server, const char *name)
{
    struct tls_wishes wishes = showing(name, TLS1_2_VERSION);

    for (uint64_t until_ms = now_ms() + PATIENCE_MS; now_ms() < until_ms; poll(NULL, 0, 50))
        if (!conn_try_tls(nats_open(server), &wishes))
            return;
    e2e_fail("'%s' is not refused", name);
}

#define SCENARIO_HERE(name) SCENARIO(ocsp_disconnects_the_revoked, name)

SCENARIO_HERE(on_every_worker_and_nobody_else)
{
    if (is_reference())
        return;
    struct server *server = server_with(WATCHED, "max_workers: 2\nworker_fill_percent: 0");
    struct conn *revoked[4], *of_another, *unasked;

    for (int i = 0; i < 4; i++)
        revoked[i] = is_let_in(server, "client-good", i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    of_another = is_let_in(server, "int/client-good", 0);
    unasked = is_let_in(server, "client-noaia", 0);
    root_says(ANSWER_REVOKED, ANSWER_GOOD);
    for (int i = 0; i < 4; i++)
        is_disconnected(server, revoked[i]);
    require(log_contains(server, "Disconnect: the CA has revoked [" SUBJECT("client-good") "]", 0),
            "the log does not tell why");
    conn_barrier(of_another);
    conn_barrier(unasked);
    is_refused(server, "client-good", 0);
}

SCENARIO_HERE(below_an_intermediate)
{
    if (is_reference())
        return;
    struct server *server = server_with(WATCHED, NULL);
    struct conn *below = is_let_in(server, "int/client-good", 0);
    struct conn *beside = is_let_in(server, "client-good", 0);

    root_says(ANSWER_GOOD, ANSWER_REVOKED);
    is_disconnected(server, below);
    require(log_contains(server,
                         "Disconnect: the CA has revoked [" SUBJECT(
                             "Intermediate CA") "] in the chain of [" SUBJECT("client-good") "]",
                         0),
            "the log does not tell why");
    conn_barrier(beside);
}

/* The answer has run out long ago, and still nobody leaves. */
static void nothing_happens(const char *ocsp_peer, void (*change)(void))
{
    struct server *server = server_with(ocsp_peer, NULL);
    struct conn *conn = is_let_in(server, "client-good", 0);

    change();
    await_requests(ROOT_SLOT, responder_requests(ca, ROOT_SLOT) + 2);
    conn_barrier(conn);
    root_says(ANSWER_REVOKED, ANSWER_GOOD);
    is_disconnected(server, conn);
}

static void is_unknown(void)
{
    root_says(ANSWER_UNKNOWN, ANSWER_UNKNOWN);
}

static void is_down(void)
{
    fault(ROOT_SLOT, RESPONDER_RESET, 0);
}

static void is_ill(void)
{
    fault(ROOT_SLOT, RESPONDER_ERROR, 3);
}

static void is_no_responder(void)
{
    fault(ROOT_SLOT, RESPONDER_STATUS, 503);
}

static void is_about_somebody_else(void)
{
    struct responder_script script = authority_script("client-revoked", ANSWER_REVOKED);
    responder_set(ca, ROOT_SLOT, &script);
}

static void (*const HARMLESS[])(void) = { is_unknown, is_down, is_ill, is_no_responder,
                                          is_about_somebody_else };

EACH_ROW(ocsp_disconnects_the_revoked, and_nobody_for_less, 5)
{
    if (!is_reference())
        nothing_happens(WATCHED, HARMLESS[*row]);
}

SCENARIO_HERE(only_if_it_is_told_to)
{
    if (is_reference())
        return;
    struct server *server = server_with(LEFT, NULL);
    struct conn *conn = is_let_in(server, "client-good", 0);

    root_says(ANSWER_REVOKED, ANSWER_GOOD);
    until_refused(server, "client-good");
    conn_barrier(conn);

    reload(server, WATCHED); /* the present setting counts, also for those who are there */
    is_disconnected(server, conn);
}

SCENARIO_HERE(not_when_it_is_switched_off_again)
{
    if (is_reference())
        return;
    struct server *server = server_with(WATCHED, NULL);
    struct conn *conn = is_let_in(server, "client-good", 0);

    await_requests(ROOT_SLOT, 2); /* it is watched */
    reload(server, LEFT);
    root_says(ANSWER_REVOKED, ANSWER_GOOD);
    until_refused(server, "client-good");
    conn_barrier(conn);
}

SCENARIO_HERE(not_when_it_only_warns)
{
    if (is_reference())
        return;
    struct server *server = server_with(
        "{ verify: true, warn_only: true, disconnect_revoked: true, " BRIEFLY " }", NULL);
    struct conn *conn = is_let_in(server, "client-good", 0);

    root_says(ANSWER_REVOKED, ANSWER_GOOD);
    bool is_known = false;
    for (uint64_t until_ms = now_ms() + PATIENCE_MS; !is_known && now_ms() < until_ms;
         poll(NULL, 0, 50)) {
        conn_close(is_let_in(server, "client-good", 0));
        is_known = log_contains(server, "with CA status [revoked]", 0);
    }
    require(is_known, "the CA is not asked any more");
    conn_barrier(conn);
}

/* The intermediate is slow; meanwhile the CA revokes the client, whose own answer was good. */
SCENARIO_HERE(also_between_its_verdict_and_its_entry)
{
    if (is_reference())
        return;
    struct server *server =
        server_with("{ verify: true, disconnect_revoked: true, ca_timeout: 60, " BRIEFLY " }",
                    "ocsp_cache: false");

    fault(ROOT_SLOT, RESPONDER_HOLD, 0);
    struct conn *conn = knock(server, "int/client-good", TLS1_3_VERSION);
    unsigned cid = conn_id(conn);
    await_requests(ROOT_SLOT, 1);
    intermediate_says(ANSWER_REVOKED);
    until_refused(server, "int/client-good"); /* its own link comes first */
    root_says(ANSWER_GOOD, ANSWER_GOOD);
    require(strcmp(close_reason(server, cid), "Certificate Revoked") == 0, "/connz says '%s'",
            close_reason(server, cid));
}

SCENARIO_HERE(and_the_system_account_learns_of_it)
{
    if (is_reference())
        return;
    struct server *server = server_with(WATCHED, SYSTEM_USER);
    struct tls_wishes wishes = showing("client-noaia", 0);
    struct conn *listener = nats_login_tls(server, &wishes, AS_SYSTEM);
    struct conn *conn = is_let_in(server, "int/client-good", 0);

    listen_to(listener, "$SYS.SERVER.*.OCSP.>");
    root_says(ANSWER_GOOD, ANSWER_REVOKED);
    is_disconnected(server, conn);
    cJSON *link = event_expect(listener, "$SYS.SERVER.%s.OCSP.PEER.LINK.INVALID");
    cJSON *peer = event_expect(listener, "$SYS.SERVER.%s.OCSP.PEER.CONN.REJECT");
    require(strcmp(json_at(link, "link", "fingerprint")->valuestring, fingerprint("int")) == 0 &&
                strcmp(json_text(link, "reason"), "Invalid OCSP response status: revoked") == 0,
            "%s", json_shown(link));
    require(strcmp(json_at(peer, "peer", "fingerprint")->valuestring,
                   fingerprint("int/client-good")) == 0 &&
                strcmp(json_text(peer, "reason"), "Certificate Revoked") == 0,
            "%s", json_shown(peer));
}
