/* Whatever a responder does wrong, a client enters only where the decision table of
 * tests/ocsp/faults.c says so: four servers with an option each, a certificate and a responder for
 * each fault, all of it at the same time. */
#include "harness_ocsp.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "ocsp/faults.h"

OCSP_BEHAVIOUR(ocsp_faults_never_open_the_door);

/* SPAN_S: how long the answers to first visits are good; what a visit takes must be less. */
enum { FAULTS_MAX = 48, SLOT_BEYOND = 60, SPAN_S = 4 };

static struct server *servers[FAULT_OPTIONS];
static struct responder *ca, *mortal; /* the mortal one will be gone */
static struct fault_cast cast;
static const struct pki_cert *leafs[FAULTS_MAX];

static void start_servers(void)
{
    static const char *const OPTIONS[] = { [DEFAULTS] = "",
                                           [WARN_ONLY] = ", warn_only: true",
                                           [UNKNOWN_IS_GOOD] = ", unknown_is_good: true",
                                           [ALLOW_WHEN_UNREACHABLE] =
                                               ", allow_when_ca_unreachable: true" };
    for (int i = 0; i < FAULT_OPTIONS; i++)
        servers[i] = server_asking(&(struct asking){
            .ocsp_peer =
                text("{ verify: true, ca_timeout: 2, allowed_clockskew: 0 %s }", OPTIONS[i]) });
}

static const char *name_of(int fault)
{
    return text("client-%d", fault);
}

static struct responder *responder_of(int fault)
{
    return FAULTS[fault].place == AT_CLOSED_PORT ? mortal : ca;
}

static void issue_certificates(void)
{
    const char *nowhere = text("http://%070d/", 0); /* no label is that long */

    require(FAULT_COUNT <= FAULTS_MAX, "too many faults");
    cast = fault_cast_make(authority_cert("ca"), authority_cert("other-ca"), time(NULL));
    for (int i = 0; i < FAULT_COUNT; i++)
        leafs[i] = authority_issue(name_of(i), FAULTS[i].place == AT_NO_NAME
                                                   ? nowhere
                                                   : responder_url(responder_of(i), i));
}

/* A name that cannot be resolved never gave an answer that could be remembered. */
static bool takes_part(int fault, enum fault_memory memory)
{
    return memory == COLD || FAULTS[fault].place != AT_NO_NAME;
}

static void judge(struct conn *client, bool enters, int fault, int option)
{
    char bytes[4];
    bool is_served = conn_read_some(client, bytes, sizeof bytes, PATIENCE_MS) > 0;

    require(is_served == enters, "%s, option %d: the client is %s", FAULTS[fault].what, option,
            is_served ? "served" : "refused");
    conn_close(client);
}

/* A first visit to each server, while the responder is well. */
static void visit(int fault, bool revoked)
{
    struct conn *clients[FAULT_OPTIONS];
    time_t now_s = time(NULL);
    struct responder_script script = {
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = leafs[fault],
                   .issuer = cast.ca,
                   .status = revoked ? ANSWER_REVOKED : ANSWER_GOOD,
                   .this_update_s = now_s - 1,
                   .next_update_s = now_s + SPAN_S}
    };

    responder_set(responder_of(fault), fault, &script);
    for (int option = 0; option < FAULT_OPTIONS; option++)
        clients[option] = knock(servers[option], name_of(fault), TLS1_3_VERSION);
    for (int option = 0; option < FAULT_OPTIONS; option++)
        judge(clients[option], !revoked || option == WARN_ONLY, fault, option);
}

/* Fills the caches, and lets what is in them run out. */
static void remember(enum fault_memory memory)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (takes_part(i, memory))
            visit(i, memory == OLD_REVOKED);
    for (time_t last_s = time(NULL) + SPAN_S; time(NULL) <= last_s;)
        poll(NULL, 0, 100);
}

static void commit_faults(enum fault_memory memory)
{
    struct conn *clients[FAULTS_MAX][FAULT_OPTIONS];

    for (int i = 0; i < FAULT_COUNT; i++) {
        cast.leaf = leafs[i];
        if (FAULTS[i].place != AT_CLOSED_PORT)
            fault_set(&FAULTS[i], &cast, ca, i, SLOT_BEYOND, time(NULL));
    }
    for (int i = 0; i < FAULT_COUNT; i++)
        for (int option = 0; takes_part(i, memory) && option < FAULT_OPTIONS; option++)
            clients[i][option] = knock(servers[option], name_of(i), TLS1_3_VERSION);
    for (int i = 0; i < FAULT_COUNT; i++)
        for (int option = 0; takes_part(i, memory) && option < FAULT_OPTIONS; option++)
            judge(clients[i][option], fault_enters(&FAULTS[i], memory, option), i, option);
}

/* ---- what is shown of it ------------------------------------------------------------------------ */

static int shown(cJSON *ocspz, bool entered, const char *verdict)
{
    cJSON *peers = cJSON_GetObjectItemCaseSensitive(ocspz, entered ? "accepted" : "rejected");
    cJSON *count = cJSON_GetObjectItemCaseSensitive(peers, verdict);

    return count ? count->valueint : 0;
}

static int expected(enum fault_memory memory, int option, bool entered, const char *verdict)
{
    int count = 0;

    for (int i = 0; i < FAULT_COUNT; i++)
        count += takes_part(i, memory) && strcmp(FAULTS[i].verdict, verdict) == 0 &&
                 fault_enters(&FAULTS[i], memory, option) == entered;
    return count;
}

static void expect_counts(cJSON *before[], enum fault_memory memory)
{
    for (int option = 0; option < FAULT_OPTIONS; option++) {
        cJSON *after = monitor(servers[option], "/ocspz?limit=1");

        for (int i = 0; i < 2 * FAULT_COUNT; i++) {
            const char *verdict = FAULTS[i / 2].verdict;
            int more = shown(after, i % 2, verdict) - shown(before[option], i % 2, verdict);
            require(more == expected(memory, option, i % 2, verdict),
                    "option %d: %d were %s with the verdict %s", option, more,
                    i % 2 ? "accepted" : "rejected", verdict);
        }
    }
}

EACH_ROW(ocsp_faults_never_open_the_door, whatever_is_remembered, FAULT_MEMORIES)
{
    enum fault_memory memory = (enum fault_memory) * row;
    cJSON *before[FAULT_OPTIONS];

    if (is_reference())
        return; /* it looks at fewer things */
    ca = authority_is_scripted();
    mortal = responder_start();
    issue_certificates();
    start_servers();
    if (memory != COLD)
        remember(memory);
    responder_stop(mortal);
    for (int i = 0; i < FAULT_OPTIONS; i++)
        before[i] = monitor(servers[i], "/ocspz?limit=1");
    commit_faults(memory);
    expect_counts(before, memory);
    fault_cast_free(&cast);
}
