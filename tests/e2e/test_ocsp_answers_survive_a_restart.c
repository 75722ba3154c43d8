/* What CAs said is saved: the next server knows it, asks nobody again, and lets nobody in whose
 * certificate was revoked, even while his CA is down. */
#include "harness_ocsp.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

OCSP_BEHAVIOUR(ocsp_answers_survive_a_restart);

/* The folder of a test, of which servers come and go. */
static const char *store;

static struct asking remembering(const char *ocsp_peer, const char *cache)
{
    store = cert_path("remembered");
    return (struct asking){
        .ocsp_peer = ocsp_peer,
        .more = text("ocsp_cache: { local_store: \"%s\" %s }", store, cache),
    };
}

static const char *saved(void)
{
    const char *content = file_content(text("%s/cache.json", store));
    require(content, "nothing was saved in %s", store);
    return content;
}

SCENARIO(ocsp_answers_survive_a_restart, and_nobody_is_asked_again)
{
    authority_answers();
    struct asking asking = remembering("true", "");
    struct server *server = server_asking(&asking);
    is_let_in(server, "client-good", 0);
    is_refused(server, "client-revoked", 0);
    server_stop(server);
    require(strstr(saved(), "\"subject\": \"" SUBJECT("client-good") "\""), "%s", saved());
    authority_falls_silent();

    server = server_asking(&asking);
    cache_shows(server, "\"cached_responses\":2,\"cached_revoked_responses\":1,"
                        "\"cached_good_responses\":1");
    is_let_in(server, "client-good", 0);
    is_refused(server, "client-revoked", 0);
    cache_shows(server, "\"cache_hits\":2,\"cached_responses\":2,\"cached_revoked_responses\":1,"
                        "\"cached_good_responses\":1");
}

/* An answer that has run out is still evidence. */
static void after_a_revocation(const struct asking *asking)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script revoked = authority_script("client-revoked", ANSWER_REVOKED);
    revoked.recipe.next_update_s = time(NULL) - 60; /* within the slack of the first server */
    responder_set(ca, ROOT_SLOT, &revoked);
    struct server *server = server_asking(asking);
    is_refused(server, "client-revoked", 0);
    server_stop(server);
    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_RESET });
}

SCENARIO(ocsp_answers_survive_a_restart, and_a_revocation_counts_while_the_ca_is_down)
{
    struct asking asking =
        remembering("{ verify: true, allowed_clockskew: 3600 }", ", preserve_revoked: true");
    after_a_revocation(&asking);
    asking.ocsp_peer = "{ verify: true, allowed_clockskew: 0, allow_when_ca_unreachable: true }";

    struct server *server = server_asking(&asking);
    for (int i = 0; i < 2; i++)
        is_refused(server, "client-revoked", 0);
    require(log_contains(server, "cached revocation exists so rejecting", PATIENCE_MS),
            "the evidence was not used");
    is_let_in(server, "client-good", 0); /* of whom nothing is known */
    server_stop(server);
    server = server_asking(&asking);
    is_refused(server, "client-revoked", 0);
}

SCENARIO(ocsp_answers_survive_a_restart, unless_nothing_is_to_be_remembered)
{
    authority_answers();
    struct asking asking = remembering("true", ", type: none");
    struct server *server = server_asking(&asking);
    is_let_in(server, "client-good", 0);
    server_stop(server);
    require(access(store, F_OK) != 0, "a folder was made");
    require(!strstr(server_log(server), "Starting OCSP peer cache") &&
                !strstr(server_log(server), "Stopping OCSP peer cache"),
            "the log tells of a cache");
}

SCENARIO(ocsp_answers_survive_a_restart, as_the_log_tells)
{
    if (is_reference())
        return; /* it tells the same in another order */
    authority_answers();
    struct asking asking = remembering("true", "");
    struct server *server = server_asking(&asking);
    is_let_in(server, "client-good", 0);
    server_stop(server);
    const char *first = server_log(server);
    require(strstr(first, "[DBG] Starting OCSP peer cache\n"), "%s", first);
    require(strstr(first, text("[DBG] Loading OCSP peer cache [%s/cache.json]\n", store)), "%s",
            first);
    require(strstr(first, "[DBG] No OCSP peer cache found, starting with empty cache\n"), "%s",
            first);
    const char *online = strstr(first, "[INF] OCSP peer cache online, type [local]\n");
    const char *exits = strstr(first, "[INF] Server Exiting..\n");
    require(online && online < strstr(first, "Listening for client connections"), "%s", first);
    require(exits && exits < strstr(first, "[DBG] Stopping OCSP peer cache\n"), "%s", first);
    require(strstr(exits, "[DBG] OCSP peer cache is dirty, saving\n"), "%s", exits);
    require(strstr(exits, text("[DBG] Saving OCSP peer cache [%s/cache.json]\n", store)), "%s",
            exits);
    require(strstr(exits,
                   text("[DBG] Saved OCSP peer cache successfully (%zu bytes)\n", strlen(saved()))),
            "%s", exits);
}

SCENARIO(ocsp_answers_survive_a_restart, and_are_saved_every_now_and_then)
{
    authority_answers();
    struct asking asking = remembering("true", ", save_interval: 1");
    struct server *server = server_asking(&asking);
    is_let_in(server, "client-good", 0);
    require(log_contains(server, "[DBG] OCSP peer cache save timer expired", PATIENCE_MS) &&
                log_contains(server, "[DBG] Saved OCSP peer cache successfully", PATIENCE_MS),
            "nothing was saved");
    server_signal(server, SIGKILL);
    server_await_exit(server);

    server = server_asking(&asking);
    authority_falls_silent();
    is_let_in(server, "client-good", 0);
}

SCENARIO(ocsp_answers_survive_a_restart, whatever_else_was_in_the_file)
{
    if (is_reference())
        return; /* it drops the file */
    authority_answers();
    struct asking asking = remembering("true", "");
    struct server *server = server_asking(&asking);
    is_let_in(server, "client-good", 0);
    server_stop(server);
    file_write(text("%s/cache.json", store), text("{ \"nobody\": {}, %s", saved() + 1));

    authority_falls_silent();
    server = server_asking(&asking);
    require(log_contains(server,
                         "[WRN] Unable to load OCSP peer cache: 1 of 2 entries skipped: key "
                         "[nobody]: not a fingerprint",
                         PATIENCE_MS),
            "there is no warning");
    is_let_in(server, "client-good", 0);
}
