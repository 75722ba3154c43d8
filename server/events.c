/* events.c - the service behind events: identity of the server, who listens, publishing. See events.h. */
#include "events_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "parser/subject.h"

#include "account.h"
#include "event_limit.h"
#include "internal.h"
#include "options.h"
#include "version.h"

#include <stdlib.h>

#define OCSP_PEERS_MAX 4096 /* whose advisories are limited at one time */

bool events_have_listener(struct worker *worker, const char *subject)
{
    struct server *server = worker->server;
    struct span text = span_of(subject);
    if (!server->system_account)
        return false;
    struct match *match = subjects_match(server->system_account->subjects, text,
                                         hash_bytes(&server->hash_key, text), worker->index, NULL);
    bool found = !match_is_empty(match);
    free(match);
    return found;
}

bool events_are_wanted(struct events *events, const char *subject)
{
    return events_have_listener(events->server->control, subject);
}

/* The name of an account may have a blank, a subject may not: it would be two words to who listens. */
void events_publish(struct events *events, const char *subject, struct span body)
{
    if (subject_is_valid_config(span_of(subject)))
        system_publish(events->server, span_of(subject), body);
}

struct event_server events_stamp(struct events *events)
{
    const struct server *server = events->server;
    const struct options *options = server->options;
    buf_clear(&events->host);
    server_advertised_host(options, &events->host);
    return (struct event_server){
        .name = server->name,
        .host = buf_str(&events->host),
        .id = server->id,
        .cluster = options->cluster_name,
        .ver = VOUCH_NATS_VERSION,
        .tags = {options->server_tags, options->server_tag_count},
        .options = options,
        .seq = ++events->seq,
        .time = clock_wall_ns(),
    };
}

struct events *events_new(struct server *server)
{
    if (!server->system_account)
        return NULL;
    struct events *events = mem_zero(sizeof *events);
    events->server = server;
    events->seq = 1; /* the first message says 2, as nats-server's */
    events->ocsp_limit = event_limit_new(OCSP_PEERS_MAX, NS_PER_S);
    events_start_timers(events);
    return events;
}

static void on_closed(uv_handle_t *handle)
{
    struct events *events = handle->data;
    if (--events->open_handles > 0)
        return;
    event_limit_free(events->ocsp_limit);
    buf_free(&events->host);
    free(events);
}

void events_free(struct events *events)
{
    if (!events)
        return;
    uv_close((uv_handle_t *)&events->statsz_timer, on_closed);
    uv_close((uv_handle_t *)&events->conns_timer, on_closed);
}
