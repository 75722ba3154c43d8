/* SIGHUP gives the OCSP cache other settings: another folder, another kind, or the same again. */
#include "harness_ocsp.h"

#include <string.h>
#include <unistd.h>

OCSP_BEHAVIOUR(ocsp_cache_can_be_changed_by_reload);

static struct asking with_cache(const char *cache)
{
    return (struct asking){ .ocsp_peer = "true", .more = text("ocsp_cache: { %s }", cache) };
}

static void change(struct server *server, const char *cache)
{
    struct asking asking = with_cache(cache);
    server_reload(server, "%s", asking_config(&asking));
}

static struct server *start(const char *cache)
{
    struct asking asking = with_cache(cache);
    return server_asking(&asking);
}

SCENARIO(ocsp_cache_can_be_changed_by_reload, to_another_folder_and_back)
{
    authority_answers();
    struct server *server = start("local_store: one");
    is_let_in(server, "client-good", 0);
    cache_shows(server, "\"cache_misses\":1,\"cached_responses\":1,\"cached_good_responses\":1");

    change(server, "local_store: another");
    require(log_contains(server, "[INF] Reloaded OCSP peer cache\n", PATIENCE_MS),
            "the log does not tell");
    require(access(server_path(server, "one/cache.json"), F_OK) == 0, "the first was not saved");
    cache_shows(server, ""); /* nothing is moved, and all counters are zero */
    is_refused(server, "client-revoked", 0);
    cache_shows(server, "\"cache_misses\":1,\"cached_responses\":1,\"cached_revoked_responses\":1");

    authority_falls_silent();
    change(server, "local_store: one");
    cache_shows(server, "\"cached_responses\":1,\"cached_good_responses\":1");
    is_let_in(server, "client-good", 0);
    cache_shows(server, "\"cache_hits\":1,\"cached_responses\":1,\"cached_good_responses\":1");
    require(strstr(file_content(server_path(server, "another/cache.json")), "\"revoked\""),
            "the second was not saved");
}

SCENARIO(ocsp_cache_can_be_changed_by_reload, to_none_and_back)
{
    authority_answers();
    struct server *server = start("local_store: one");
    is_let_in(server, "client-good", 0);
    change(server, "local_store: one, type: none");
    is_let_in(server, "client-good", 0);
    require(is_reference() || !json_has(monitor(server, "/varz"), "ocsp_peer_cache"),
            "/varz shows a cache");

    authority_falls_silent();
    is_refused(server, "client-good", 0);
    change(server, "local_store: one");
    is_let_in(server, "client-good", 0);
    cache_shows(server, "\"cache_hits\":1,\"cached_responses\":1,\"cached_good_responses\":1");
}

/* Any reload counts anew and reads the file again: an operator may have taken it away. */
SCENARIO(ocsp_cache_can_be_changed_by_reload, and_without_a_change_it_is_read_again)
{
    authority_answers();
    struct server *server = start("local_store: one");
    is_let_in(server, "client-good", 0);
    is_let_in(server, "client-good", 0);
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":1,\"cached_responses\":1,"
                        "\"cached_good_responses\":1");
    change(server, "local_store: one");
    cache_shows(server, "\"cached_responses\":1,\"cached_good_responses\":1");
    require(unlink(server_path(server, "one/cache.json")) == 0, "there is no file");
    change(server, "local_store: one");
    cache_shows(server, "");
}

/* What cannot be saved stays in memory. */
SCENARIO(ocsp_cache_can_be_changed_by_reload, without_a_loss_when_the_disk_fails)
{
    if (is_reference())
        return; /* it loses all */
    authority_answers();
    struct server *server = start("local_store: one");
    is_refused(server, "client-revoked", 0);
    file_write(server_path(server, "one"), "in the way"); /* where a folder should be */
    change(server, "local_store: one");
    require(log_contains(server, "[ERR] Unable to save OCSP peer cache: ", PATIENCE_MS),
            "the log does not tell");
    cache_shows(server, "\"cached_responses\":1,\"cached_revoked_responses\":1");
    authority_falls_silent();
    is_refused(server, "client-revoked", 0);
    cache_shows(server, "\"cache_hits\":1,\"cached_responses\":1,\"cached_revoked_responses\":1");
}

SCENARIO(ocsp_cache_can_be_changed_by_reload, but_a_reload_that_fails_leaves_it_alone)
{
    authority_answers();
    struct server *server = start("local_store: one");
    is_let_in(server, "client-good", 0);
    server_rewrite(server, "%s\nno_such_option: 1\n",
                   asking_config(&(struct asking){ .ocsp_peer = "true",
                                                   .more = "ocsp_cache: { type: none }" }));
    server_mark_log(server);
    server_signal(server, SIGHUP);
    require(log_continues(server, "Failed to reload server configuration: ", PATIENCE_MS),
            "the reload was not refused");
    require(!log_continues(server, "OCSP peer cache", 0), "the cache was touched");
    authority_falls_silent();
    is_let_in(server, "client-good", 0);
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":1,\"cached_responses\":1,"
                        "\"cached_good_responses\":1");
}

SCENARIO(ocsp_cache_can_be_changed_by_reload, to_a_shorter_interval)
{
    authority_answers();
    struct server *server = start("local_store: one");
    change(server, "local_store: one, save_interval: 1");
    is_let_in(server, "client-good", 0);
    server_await_file(server, "one/cache.json", SUBJECT("client-good"));
}
