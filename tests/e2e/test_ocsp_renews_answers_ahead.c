/* An answer that is used is renewed before it runs out: nobody waits for the CA, and the statistics do not move. */
#include "harness_ocsp.h"

#include <poll.h>
#include <time.h>

OCSP_BEHAVIOUR(ocsp_renews_answers_ahead);

enum { LIFE_S = 12 };

/* An answer that began an hour ago: its last fifth has come. */
static void ca_answers(struct responder *ca, time_t until_s)
{
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);

    script.recipe.next_update_s = until_s;
    responder_set(ca, ROOT_SLOT, &script);
}

static void await_requests(struct responder *ca, int count)
{
    for (uint64_t until_ms = now_ms() + 2 * PATIENCE_MS; now_ms() < until_ms; poll(NULL, 0, 20))
        if (responder_requests(ca, ROOT_SLOT) >= count)
            return;
    e2e_fail("the CA is not asked");
}

static void visit(struct server *server)
{
    conn_close(is_let_in(server, "client-good", 0));
}

SCENARIO(ocsp_renews_answers_ahead, of_time_and_of_the_next_client)
{
    if (is_reference())
        return; /* its next client waits */
    struct responder *ca = authority_is_scripted();
    struct server *server = server_asking(
        &(struct asking){ .ocsp_peer = "{ verify: true, allowed_clockskew: 0, ca_timeout: 60 }" });
    time_t until_s = time(NULL) + LIFE_S;

    ca_answers(ca, until_s);
    visit(server);
    visit(server); /* uses the answer of the first */
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":1,\"cached_responses\":1,"
                        "\"cached_good_responses\":1");
    ca_answers(ca, until_s + 3600);
    await_requests(ca, 2);
    while (time(NULL) <= until_s)
        poll(NULL, 0, 50);
    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    visit(server); /* does not wait */
    cache_shows(server, "\"cache_hits\":2,\"cache_misses\":1,\"cached_responses\":1,"
                        "\"cached_good_responses\":1");
    require(responder_requests(ca, ROOT_SLOT) == 2, "the CA was asked once more");
}
