/* While a CA takes its time only the client that it is asked about waits: in the middle of its
 * handshake, with its first words kept for later. */
#include "harness_ocsp.h"

#include <poll.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_waits_without_blocking);

static struct responder *ca;

static void ca_holds(void)
{
    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
}

static void ca_says(const char *name, enum answer_status status)
{
    struct responder_script script = authority_script(name, status);
    responder_set(ca, ROOT_SLOT, &script);
}

static struct server *patient_server(const char *more)
{
    ca = authority_is_scripted();
    return server_asking(
        &(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 60 }", .more = more });
}

/* A client that the CA is being asked about: through with its own side of the handshake. */
static struct conn *waiting_client(struct server *server, const char *name)
{
    int before = responder_requests(ca, ROOT_SLOT);
    struct conn *client = knock(server, name, TLS1_3_VERSION);
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    while (responder_requests(ca, ROOT_SLOT) == before && now_ms() < until_ms)
        poll(NULL, 0, 5);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), before + 1);
    return client;
}

static bool has_news(struct conn *conn)
{
    char byte;

    return conn_read_some(conn, &byte, 1, 0) > 0;
}

SCENARIO(ocsp_waits_without_blocking, others_go_on)
{
    struct server *server = patient_server("");
    struct conn *publisher = is_let_in(server, "client-noaia", 0);
    struct conn *subscriber = is_let_in(server, "client-noaia", TLS1_2_VERSION);

    ca_says("client-good", ANSWER_GOOD);
    is_let_in(server, "client-good", 0);
    ca_holds();
    struct conn *waiting = waiting_client(server, "client-revoked");

    conn_send(subscriber, "SUB orders 1\r\n");
    conn_barrier(subscriber);
    for (int i = 0; i < 1000; i++) {
        conn_send(publisher, "PUB orders 4\r\n%04d\r\n", i);
        conn_expect(subscriber, "MSG orders 1 4\r\n%04d\r\n", i);
    }
    conn_barrier(is_let_in(server, "client-good", TLS1_2_VERSION)); /* its answer is known */
    conn_barrier(is_let_in(server, "client-good", TLS1_3_VERSION));
    require(!has_news(waiting), "a client was served that the CA had not vouched for");
    ca_says("client-revoked", ANSWER_REVOKED);
    conn_expect_refusal(waiting, true);
    conn_barrier(publisher);
}

/* Version 1.3 lets a client speak before it knows that it is welcome. */
SCENARIO(ocsp_waits_without_blocking, early_words_are_heard_once)
{
    struct server *server = patient_server("");
    struct conn *listener = is_let_in(server, "client-noaia", 0);

    conn_send(listener, "SUB early 7\r\n");
    conn_barrier(listener);
    ca_holds();
    struct conn *early = waiting_client(server, "client-good");
    conn_send(early, "SUB early 1\r\nPUB early 5\r\nhello\r\nPING\r\n");
    conn_barrier(listener); /* nothing came */
    ca_says("client-good", ANSWER_GOOD);
    conn_expect(early, "PONG\r\n");
    conn_read_info(early);
    conn_expect(early, "MSG early 1 5\r\nhello\r\nPONG\r\n");
    conn_expect(listener, "MSG early 7 5\r\nhello\r\n");
    conn_barrier(early);
    conn_barrier(listener);
    cr_assert_eq(json_number(monitor(server, "/varz"), "in_msgs"), 1);
}

SCENARIO(ocsp_waits_without_blocking, early_words_of_the_refused_are_not_heard)
{
    struct server *server = patient_server("");
    struct conn *listener = is_let_in(server, "client-noaia", 0);

    conn_send(listener, "SUB early 7\r\n");
    conn_barrier(listener);
    ca_holds();
    struct conn *early = waiting_client(server, "client-revoked");
    conn_send(early, "PUB early 5\r\nhello\r\nPING\r\n");
    ca_says("client-revoked", ANSWER_REVOKED);
    conn_expect_refusal(early, true);
    conn_barrier(listener);
    cr_assert_eq(json_number(monitor(server, "/varz"), "in_msgs"), 0);
}

/* More than is kept during the wait stays in the socket, and comes in when the wait is over. */
SCENARIO(ocsp_waits_without_blocking, many_early_words_are_heard_too)
{
    enum { COUNT = 100, SIZE = 1000 };
    struct server *server = patient_server("");
    struct conn *listener = is_let_in(server, "client-noaia", 0);
    const char *payload = repeated('x', SIZE);

    conn_send(listener, "SUB early 7\r\n");
    conn_barrier(listener);
    ca_holds();
    struct conn *early = waiting_client(server, "client-good");
    for (int i = 0; i < COUNT; i++)
        conn_send(early, "PUB early %d\r\n%s\r\n", SIZE, payload);
    ca_says("client-good", ANSWER_GOOD);
    for (int i = 0; i < COUNT; i++)
        conn_expect(listener, "MSG early 7 %d\r\n%s\r\n", SIZE, payload);
    conn_barrier(listener);
    conn_expect_service(early);
}

/* The answer to its question is not lost, though. */
SCENARIO(ocsp_waits_without_blocking, a_client_may_go_away)
{
    if (is_reference())
        return; /* it notices when the CA has answered */
    struct server *server = patient_server("");

    ca_holds();
    struct conn *waiting = waiting_client(server, "client-good");
    struct conn *second = knock(server, "client-good", TLS1_3_VERSION);
    unsigned cid = conn_id(waiting), second_cid = conn_id(second);
    cache_await_misses(server, 2);
    conn_close(waiting);
    cr_assert_str_eq(close_reason(server, cid), "Client Closed");
    conn_close(second);
    cr_assert_str_eq(close_reason(server, second_cid), "Client Closed");
    ca_says("client-good", ANSWER_GOOD);
    require(
        log_contains(server, "Caching OCSP response for [" SUBJECT("client-good") "]", PATIENCE_MS),
        "the answer was lost");
    is_let_in(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 1);
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":2,\"cached_responses\":1,"
                        "\"cached_good_responses\":1");
}

/* The connection has ended by a reset, and the answer comes at the same time. */
SCENARIO(ocsp_waits_without_blocking, clients_may_go_away_when_the_answer_comes)
{
    enum { COUNT = 20 };
    struct server *server = patient_server("");
    struct conn *clients[COUNT];

    ca_holds();
    for (int i = 0; i < COUNT; i++)
        clients[i] = knock(server, "client-good", TLS1_3_VERSION);
    cache_await_misses(server, COUNT);
    for (int i = 0; i < COUNT; i++) {
        conn_close(clients[i]);
        if (i == COUNT / 2)
            ca_says("client-good", ANSWER_GOOD);
    }
    is_let_in(server, "client-good", 0);
    if (!is_reference())
        cr_assert_eq(responder_requests(ca, ROOT_SLOT), 1);
}

/* The time for the handshake stands still while the CA has the floor. */
SCENARIO(ocsp_waits_without_blocking, the_wait_does_not_count_as_handshake)
{
    enum { TLS_TIMEOUT_MS = 300 };
    ca = authority_is_scripted();
    struct server *server = server_asking(&(struct asking){
        .ocsp_peer = "{ verify: true, ca_timeout: 60 }", .tls_more = "timeout: 0.3" });

    ca_holds();
    struct conn *waiting = waiting_client(server, "client-good");
    for (uint64_t until_ms = now_ms() + 3 * TLS_TIMEOUT_MS; now_ms() < until_ms; poll(NULL, 0, 50))
        require(!has_news(waiting), "the client was served too early");
    ca_says("client-good", ANSWER_GOOD);
    conn_expect_service(waiting);
}

/* Two clients wait, and no more may. */
static struct server *server_with_two_waiting(const char *name, struct conn *clients[2])
{
    struct server *server = patient_server("max_pending_verifications: 2");

    ca_holds();
    for (int i = 0; i < 2; i++)
        clients[i] = knock(server, name, TLS1_3_VERSION);
    cache_await_misses(server, 2);
    return server;
}

/* A waiting handshake costs memory: there is a limit. */
SCENARIO(ocsp_waits_without_blocking, too_many_do_not_wait)
{
    if (is_reference())
        return;
    struct conn *clients[2];
    struct server *server = server_with_two_waiting("client-good", clients);

    is_refused(server, "client-good", 0);
    require(log_contains(server, "[WRN] 127.0.0.1:", 0) &&
                log_contains(server, "max_pending_verifications 2", 0),
            "%s", server_log(server));
    ca_says("client-good", ANSWER_GOOD);
    for (int i = 0; i < 2; i++)
        conn_expect_service(clients[i]);
    is_let_in(server, "client-good", 0);
}

static void await_pending(struct server *server, int count)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    for (; json_number(monitor(server, "/ocspz"), "pending_handshakes") != count; poll(NULL, 0, 5))
        require(now_ms() < until_ms, "%d handshakes do not wait", count);
}

/* However long the CA that they asked takes. */
SCENARIO(ocsp_waits_without_blocking, who_leaves_makes_room)
{
    if (is_reference())
        return;
    struct conn *clients[2];
    struct server *server = server_with_two_waiting("client-unlisted", clients);

    await_pending(server, 2);
    for (int i = 0; i < 2; i++)
        conn_close(clients[i]);
    await_pending(server, 0);
    struct conn *client = knock(server, "client-good", TLS1_3_VERSION);
    await_pending(server, 1);
    ca_says("client-good", ANSWER_GOOD);
    conn_expect_service(client);
    require(!log_contains(server, "too many handshakes", 0), "%s", server_log(server));
}

static void leaves_at_once(struct server *server)
{
    uint64_t begun_ms = now_ms();

    server_stop(server);
    require(now_ms() - begun_ms < PATIENCE_MS / 2, "it took %d ms to leave",
            (int)(now_ms() - begun_ms));
}

SCENARIO(ocsp_waits_without_blocking, the_server_leaves_at_once)
{
    enum { COUNT = 20 };
    if (is_reference())
        return; /* it waits for the CA */
    struct server *server = patient_server("");
    struct conn *clients[COUNT];

    ca_holds();
    for (int i = 0; i < COUNT; i++)
        clients[i] = knock(server, i % 2 ? "client-good" : "client-unlisted", TLS1_3_VERSION);
    cache_await_misses(server, COUNT);
    leaves_at_once(server);
    for (int i = 0; i < COUNT; i++)
        conn_expect_closed(clients[i]);
}

/* Handshakes are still under way when the server is told to leave. */
SCENARIO(ocsp_waits_without_blocking, the_server_leaves_at_once_under_load)
{
    enum { COUNT = 40 };
    if (is_reference())
        return;
    struct server *server = patient_server("");
    struct tls_wishes wishes = showing("client-good", TLS1_3_VERSION);
    struct conn *clients[COUNT];

    ca_holds();
    for (int i = 0; i < COUNT; i++)
        clients[i] = nats_open(server);
    for (int i = 0; i < COUNT; i++) {
        if (i == COUNT / 2)
            server_signal(server, SIGTERM);
        conn_try_tls(clients[i], &wishes);
    }
    leaves_at_once(server);
}
