/* stream_imports.c - see stream_imports.h. */
#include "stream_imports.h"

#include "base/mem.h"
#include "parser/subject.h"
#include "parser/transform.h"

#include "account.h"
#include "conn.h"
#include "options.h"

#include <stdlib.h>

/* Freed together with its own subscription. */
struct shadow {
    struct sub *sub; /* in the exporter's index */
    struct sub *origin;
    const struct import_options *import; /* of worker->options */
    struct account *exporter;            /* where `sub` is */
    struct shadow *next;                 /* of the same origin */
};

static void add_shadow(struct sub *origin, const struct import_options *import, struct span subject)
{
    struct shadow *shadow = mem_zero(sizeof *shadow);
    struct sub *sub =
        sub_new(origin->conn, origin->worker, subject, sub_queue(origin), sub_sid(origin));
    *shadow = (struct shadow){ .sub = sub,
                               .origin = origin,
                               .import = import,
                               .exporter = import->exporter->account,
                               .next = sub_shadow(origin) };
    sub->is_shadow = true;
    sub_set_shadow(sub, shadow);
    sub_set_shadow(origin, shadow);
    subjects_add(shadow->exporter->subjects, sub);
}

static void add_shadows(struct sub *sub)
{
    const struct account_options *account =
        account_options_of(sub->conn->worker->options, sub->conn->account);
    struct buf subject = { 0 };
    for (size_t i = 0; account && i < account->stream_count; i++) {
        const struct import_options *import = &account->streams[i];
        buf_clear(&subject);
        if (transform_reverse(import->transform, sub_subject(sub), &subject) &&
            subject.len <= UINT16_MAX)
            add_shadow(sub, import, buf_span(&subject));
    }
    buf_free(&subject);
}

/* Marks it dead; the end of the turn frees it. */
static void bury(struct worker *worker, struct sub *sub)
{
    sub->dead = true;
    sub->next = worker->dead_subs;
    worker->dead_subs = sub;
}

static void drop_shadows(struct worker *worker, struct shadow *shadow)
{
    while (shadow) {
        struct shadow *next = shadow->next;
        subjects_remove(shadow->exporter->subjects, shadow->sub);
        bury(worker, shadow->sub);
        shadow = next;
    }
}

void stream_imports_subscribe(struct sub *sub)
{
    subjects_add(sub->conn->account->subjects, sub);
    add_shadows(sub);
}

void stream_imports_unsubscribe(struct sub *sub)
{
    drop_shadows(sub->conn->worker, sub_shadow(sub));
    sub_set_shadow(sub, NULL);
    subjects_remove(sub->conn->account->subjects, sub);
    bury(sub->conn->worker, sub);
}

struct sub *stream_imports_origin(const struct sub *sub, struct span subject, struct buf *local)
{
    const struct shadow *shadow = sub_shadow(sub);
    buf_clear(local);
    if (sub->dead || !transform_apply(shadow->import->transform, subject, local) ||
        !subject_matches(sub_subject(shadow->origin), buf_span(local)))
        return NULL;
    return shadow->origin;
}

bool stream_imports_may_trace(const struct sub *shadow)
{
    return sub_shadow(shadow)->import->allow_trace;
}

/* ---- other options --------------------------------------------------------------------------------------- */

struct found {
    struct sub **subs;
    size_t count, cap;
};

static void note_sub(void *ctx, struct sub *sub)
{
    struct found *found = ctx;
    if (sub->is_shadow)
        return;
    if (found->count == found->cap) {
        found->cap = found->cap ? found->cap * 2 : 64;
        found->subs = mem_resize_array(found->subs, found->cap, sizeof *found->subs);
    }
    found->subs[found->count++] = sub;
}

static bool imports_streams(const struct options *options, const struct account *account)
{
    const struct account_options *configured = account_options_of(options, account);
    return configured && configured->stream_count > 0;
}

static void rebuild(struct worker *worker, struct account *account)
{
    struct found found = { 0 };
    subjects_each(account->subjects, worker->index, note_sub, &found);
    for (size_t i = 0; i < found.count; i++) {
        /* the new ones first: a message from another worker must not find a gap. It is matched here only when
         * the old ones are gone, so nobody gets it twice. */
        struct shadow *old = sub_shadow(found.subs[i]);
        sub_set_shadow(found.subs[i], NULL);
        add_shadows(found.subs[i]);
        drop_shadows(worker, old);
    }
    free(found.subs);
}

void stream_imports_options_changed(struct worker *worker, const struct options *old)
{
    const struct options *next = worker->options;
    if (worker->is_control) /* the server itself imports nothing */
        return;
    for (size_t i = 0; i < next->account_count; i++) {
        struct account *account = next->accounts[i]->account;
        if (imports_streams(old, account) || imports_streams(next, account))
            rebuild(worker, account);
    }
    for (size_t i = 0; i < old->account_count; i++) {
        struct account *account = old->accounts[i]->account;
        if (imports_streams(old, account) && !account_options_of(next, account))
            rebuild(worker, account);
    }
}
