/* persist.c - the life of a cache as the log tells it. */
#include "base/log.h"
#include "cache.h"

struct ocsp_cache *ocsp_cache_open(const struct ocsp_cache_settings *settings)
{
    bool is_local = settings->type == OCSP_CACHE_LOCAL;
    if (is_local)
        log_dbg("Starting OCSP peer cache");
    struct ocsp_cache *cache = ocsp_cache_new(settings);
    log_inf("OCSP peer cache online, type [%s]", is_local ? "local" : "none");
    return cache;
}

void ocsp_cache_close(struct ocsp_cache *cache)
{
    if (ocsp_cache_stats(cache).type == OCSP_CACHE_LOCAL)
        log_dbg("Stopping OCSP peer cache");
}
