/* monitor_gather.c - asks every worker for snapshots of its connections.
 *
 *   control: one post per worker --> worker: fills its own part --> control: counts; the last one is done */
#include "monitor_private.h"

#include "base/mem.h"

#include "client.h"
#include "conn_info.h"

#include <stdlib.h>

struct part {
    struct post post;
    struct gather *gather;
    struct gathered found;
};

struct gather {
    struct conn_detail detail;
    void (*done)(void *ctx, struct gathered *gathered);
    void *ctx;
    unsigned count, missing;
    struct part parts[MAX_WORKERS];
};

static void finish(struct gather *gather)
{
    struct gathered all = { 0 };
    for (unsigned i = 0; i < gather->count; i++)
        all.count += gather->parts[i].found.count;
    all.items = mem_zero(sizeof *all.items * (all.count + 1));
    size_t at = 0;
    for (unsigned i = 0; i < gather->count; i++) {
        struct gathered *found = &gather->parts[i].found;
        if (found->count)
            memcpy(all.items + at, found->items, sizeof *all.items * found->count);
        at += found->count;
        free(found->items);
    }
    gather->done(gather->ctx, &all);
    free(gather);
}

/* Control: one worker has answered. */
static void collect(struct worker *control, struct post *post)
{
    (void)control;
    struct gather *gather = ((struct part *)post)->gather;
    if (--gather->missing == 0)
        finish(gather);
}

/* Tools expect a round-trip time: a client without one is asked for it. */
static void want_rtt(struct client *client)
{
    bool has_rtt = client->rtt_at_ms != 0 || client->ping_sent_ns != 0;
    if (!has_rtt && client->has_ponged && client->lang)
        client_send_ping(client);
}

/* Worker: snapshots only. */
static void take(struct worker *worker, struct post *post)
{
    struct part *part = (struct part *)post;
    size_t cap = 0;
    list_each(link, &worker->conns)
    {
        struct conn *conn = list_entry(link, struct conn, link);
        if (conn->protocol != &CLIENT_PROTOCOL || !conn_is_live(conn))
            continue;
        if (part->found.count == cap) {
            cap = cap ? cap * 2 : 16;
            part->found.items = mem_resize_array(part->found.items, cap, sizeof *part->found.items);
        }
        conn_info_take(conn, &part->gather->detail, &part->found.items[part->found.count++]);
        want_rtt(client_of(conn));
    }
    part->post.run = collect;
    worker_post(worker->server->control, &part->post);
}

void monitor_gather(struct server *server, bool subs, bool auth,
                    void (*done)(void *ctx, struct gathered *gathered), void *ctx)
{
    struct gather *gather = mem_zero(sizeof *gather);
    gather->detail = (struct conn_detail){ .subs = subs, .auth = auth };
    gather->done = done;
    gather->ctx = ctx;
    if (!atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed))
        gather->count = gather->missing =
            atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    if (gather->count == 0) {
        finish(gather);
        return;
    }
    for (unsigned i = 0; i < gather->count; i++) {
        gather->parts[i].gather = gather;
        gather->parts[i].post.run = take;
        worker_post(server->workers[i], &gather->parts[i].post);
    }
}

void gathered_free(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->count; i++)
        conn_info_clear(&gathered->items[i]);
    free(gathered->items);
    *gathered = (struct gathered){ 0 };
}
