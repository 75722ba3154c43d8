/* server_ocsp.c - the OCSP service and its cache over the life of the server.
 *
 *   start   service, cache with what its file holds; before the listeners open
 *   reload  prepare: the service, if these options are the first to need it
 *           replace: the old cache is saved, the new one loaded on the thread pool; then the new options
 *           are put in force, and workers get both together
 *   end     the service goes with the threads; the cache is saved when all is closed */
#include "server.h"

#include "options.h"
#include "peer_watch.h"
#include "worker.h"

static struct ocsp_cache_settings cache_settings(const struct options *options)
{
    struct ocsp_cache_settings settings = { .type = options->ocsp_cache_type,
                                            .preserve_revoked =
                                                options->ocsp_cache_preserve_revoked,
                                            .local_store = options->ocsp_cache_local_store,
                                            .save_interval_s =
                                                options->ocsp_cache_save_interval_s };
    for (const struct tls_options *tls = options->tls_blocks; tls; tls = tls->next)
        if (tls->ocsp_peer.ttl_ns > settings.ttl_ns)
            settings.ttl_ns = tls->ocsp_peer.ttl_ns;
    return settings;
}

bool server_prepare_ocsp(struct server *server, const struct options *options, struct error *err)
{
    if (server->ocsp || !options_use_ocsp(options))
        return true;
    if (!ocsp_is_available(err))
        return false;
    server->ocsp = ocsp_new(&(struct ocsp_settings){ .loop = &server->control->loop,
                                                     .print_name = tls_name_print,
                                                     .on_revoked = peer_watch_on_revoked,
                                                     .ctx = server });
    return true;
}

bool server_start_ocsp(struct server *server, struct error *err)
{
    if (!options_use_ocsp(server->options))
        return true;
    if (!server_prepare_ocsp(server, server->options, err))
        return false;
    struct ocsp_cache_settings settings = cache_settings(server->options);
    server->ocsp_cache = ocsp_cache_open(&settings);
    server->control->ocsp_cache = ocsp_cache_retain(server->ocsp_cache);
    ocsp_use_cache(server->ocsp, server->ocsp_cache);
    return true;
}

static void on_replaced(void *ctx, struct ocsp_cache *cache)
{
    struct server *server = ctx;
    ocsp_cache_release(server->ocsp_cache);
    server->ocsp_cache = ocsp_cache_retain(cache);
    server->on_ocsp_replaced(server);
}

void server_replace_ocsp_cache(struct server *server, const struct options *options,
                               void (*on_done)(struct server *server))
{
    struct ocsp_cache_settings settings = cache_settings(options);
    bool is_used = options_use_ocsp(options);
    if (!is_used && !server->ocsp_cache) {
        on_done(server);
        return;
    }
    server->on_ocsp_replaced = on_done;
    ocsp_replace_cache(server->ocsp, is_used ? &settings : NULL, on_replaced, server);
}
