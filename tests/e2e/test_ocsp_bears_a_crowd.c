/* A thousand clients at one time neither flood the CA, nor does a dead CA cost more than they cost
 * themselves: some memory while they wait, and their refusal in the end. */
#include "harness_ocsp.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

OCSP_BEHAVIOUR(ocsp_bears_a_crowd);

/* A sanitizer makes each handshake slow and large: then a crowd is smaller. */
enum { CROWD = SERVER_IS_SANITIZED ? 250 : 1000, SAMPLE = 50, PENDING_MAX_KIB = 100 };

static void allow_many_files(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* the server inherits it */
}

static struct server *server_waiting(unsigned ca_timeout_ms)
{
    return server_asking(&(struct asking){
        .ocsp_peer = text("{ verify: true, ca_timeout: \"%ums\" }", ca_timeout_ms),
        .more = text("max_pending_verifications: %d", CROWD) });
}

static long resident_kib(struct server *server)
{
    long pages = 0;
    FILE *statm = fopen(text("/proc/%d/statm", (int)server_pid(server)), "re");

    require(statm && fscanf(statm, "%*d %ld", &pages) == 1, "cannot read the server's memory");
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- one certificate ----------------------------------------------------------------------------- */

SCENARIO(ocsp_bears_a_crowd, a_thousand_of_one_certificate_ask_once)
{
    static struct conn *clients[CROWD];
    struct responder *ca = authority_is_scripted();
    struct responder_script good = authority_script("client-good", ANSWER_GOOD);

    allow_many_files();
    struct server *server = server_waiting(60000);
    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    for (int i = 0; i < CROWD; i++)
        clients[i] = knock(server, "client-good", TLS1_3_VERSION);
    cache_await_misses(server, CROWD);
    responder_set(ca, ROOT_SLOT, &good);
    for (int i = 0; i < CROWD; i++)
        conn_expect_service(clients[i]);
    if (!is_reference()) /* it asks a thousand times */
        cr_assert_eq(responder_requests(ca, ROOT_SLOT), 1);
    cache_shows(server, text("\"cache_misses\":%d,\"cached_responses\":1,"
                             "\"cached_good_responses\":1",
                             CROWD));
}

/* ---- a thousand certificates ---------------------------------------------------------------------- */

/* Those who are in already. */
static struct conn *publisher, *subscriber;

static void traffic_begins(struct server *server)
{
    publisher = is_let_in(server, "client-noaia", 0);
    subscriber = is_let_in(server, "client-noaia", 0);
    conn_send(subscriber, "SUB orders 1\r\n");
    conn_barrier(subscriber);
}

static void traffic_flows(void)
{
    static int count;

    conn_send(publisher, "PUB orders 6\r\n%06d\r\n", count);
    conn_expect(subscriber, "MSG orders 1 6\r\n%06d\r\n", count);
    count++;
}

/* How long so many log-ins take here when nobody has to wait. */
static unsigned time_of_crowd_ms(struct server *server)
{
    uint64_t begun_ms = now_ms();

    for (int i = 0; i < SAMPLE; i++)
        conn_close(is_let_in(server, "client-noaia", 0));
    return (unsigned)(now_ms() - begun_ms) * CROWD / SAMPLE;
}

static void wait_until_gone(struct server *server, unsigned patience_ms)
{
    uint64_t until_ms = now_ms() + patience_ms;

    while (json_number(monitor(server, "/varz"), "connections") > 2) {
        require(now_ms() < until_ms, "some are still there, long after their deadline");
        traffic_flows();
        poll(NULL, 0, 20);
    }
}

static void crowd_knocks(struct server *server, struct conn *clients[CROWD])
{
    for (int i = 0; i < CROWD; i++) {
        clients[i] = knock(server, text("client-%d", i), TLS1_3_VERSION);
        if (i % 10 == 0)
            traffic_flows();
    }
    cache_await_misses(server, CROWD);
    conn_close(is_let_in(server, "client-noaia", 0)); /* others still enter */
}

SCENARIO(ocsp_bears_a_crowd, a_thousand_certificates_wait_for_a_dead_ca)
{
    static struct conn *clients[CROWD];
    if (is_reference())
        return; /* it asks with all of them at once */
    struct responder *ca = authority_is_scripted();
    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HANG });
    for (int i = 0; i < CROWD; i++)
        authority_issue(text("client-%d", i), authority_url("client"));
    allow_many_files();
    struct server *server = server_waiting(1000);
    unsigned ca_timeout_ms = 2000 + time_of_crowd_ms(server); /* so that all wait at once */
    server_stop(server);

    server = server_waiting(ca_timeout_ms);
    traffic_begins(server);
    long before_kib = resident_kib(server);
    crowd_knocks(server, clients);
    long each_kib = (resident_kib(server) - before_kib) / CROWD;
    wait_until_gone(server, ca_timeout_ms + 2 * PATIENCE_MS);
    for (int i = 0; i < CROWD; i++)
        conn_expect_refusal(clients[i], true);
    conn_barrier(publisher);
    conn_barrier(subscriber);
    require(SERVER_IS_SANITIZED || each_kib <= PENDING_MAX_KIB,
            "a handshake that waits takes %ld KiB", each_kib);
    cache_shows(server, text("\"cache_misses\":%d", CROWD));
}
