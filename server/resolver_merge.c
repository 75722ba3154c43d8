/* resolver_merge.c - JWTs that other servers have, on their way into the directory. They may be many, and come without being
 * waited for: a few at a time are read, judged and written in one job, so that logins and requests come in between.
 *
 *   resolver_merge() --> merges --some--> thread pool: does the operator vouch for it? newer? saved --> in force */
#include "resolver_private.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#include "jwt_dir.h"
#include "server.h"

enum { AT_A_TIME = 8 };
#define WAITING_MAX ((size_t)64 * 1024 * 1024) /* bytes; some 50000 accounts */

struct merge {
    struct list link;
    char account[NKEY_PUBLIC_LEN + 1];
    bool saved;
    size_t token_len;
    char token[];
};

struct merge_job {
    struct resolver_job job;
    struct options *options; /* retained */
    struct list merges;
    const struct merge *failed; /* the first, and why */
    struct error err;
    size_t failures;
};

static struct span token_of(const struct merge *merge)
{
    return span_make(merge->token, merge->token_len);
}

static size_t size_of(const struct merge *merge)
{
    return sizeof *merge + merge->token_len;
}

static void free_merges(struct list *merges)
{
    list_each(link, merges) free(list_entry(link, struct merge, link));
    list_init(merges);
}

/* ---- the job ---------------------------------------------------------------------------------- */

static void note_failure(struct merge_job *job, const struct merge *merge, const struct error *err)
{
    if (job->failures++ > 0)
        return;
    job->failed = merge;
    job->err = *err;
}

static void save_tokens(struct resolver_job *base)
{
    struct merge_job *job = (struct merge_job *)base;
    list_each(link, &job->merges)
    {
        struct merge *merge = list_entry(link, struct merge, link);
        struct span token = token_of(merge);
        struct error err;
        if (!resolver_accepts(job->options, merge->account, token, &err) ||
            !jwt_dir_save(&base->resolver->dir, merge->account, token, JWT_DIR_IF_NEWER,
                          &merge->saved, &err)) {
            merge->saved = false;
            note_failure(job, merge, &err);
        }
    }
}

static void start(struct resolver *resolver);

static void take_saved(struct resolver_job *base)
{
    struct merge_job *job = (struct merge_job *)base;
    list_each(link, &job->merges)
    {
        const struct merge *merge = list_entry(link, struct merge, link);
        struct error err;
        if (merge->saved &&
            !resolver_arrived(base->resolver, merge->account, token_of(merge), NULL, &err))
            note_failure(job, merge, &err);
    }
    if (job->failures > 0)
        log_wrn("account \"%s\" as another server has it: %s (%zu such in a row)",
                job->failed->account, job->err.text, job->failures);
    base->resolver->is_merging = false;
    start(base->resolver);
}

static void drop(struct resolver_job *base)
{
    struct merge_job *job = (struct merge_job *)base;
    free_merges(&job->merges);
    options_release(job->options);
    free(job);
}

/* One job at a time, of the first that wait. */
static void start(struct resolver *resolver)
{
    if (resolver->is_merging || list_is_empty(&resolver->merges))
        return;
    struct merge_job *job = mem_zero(sizeof *job);
    job->job = (struct resolver_job){ .run = save_tokens, .end = take_saved, .drop = drop };
    job->options = options_retain(resolver->server->options);
    list_init(&job->merges);
    for (int i = 0; i < AT_A_TIME && !list_is_empty(&resolver->merges); i++) {
        struct list *link = resolver->merges.next;
        resolver->merge_bytes -= size_of(list_entry(link, struct merge, link));
        list_remove(link);
        list_append(&job->merges, link);
    }
    resolver->is_merging = true;
    resolver_add_job(resolver, &job->job);
}

/* ---- what comes ------------------------------------------------------------------------------- */

void resolver_merge(struct resolver *resolver, const char *account, struct span token)
{
    bool was_full = resolver->is_merge_full;
    resolver->is_merge_full = resolver->merge_bytes > WAITING_MAX;
    if (resolver->is_merge_full && !was_full)
        log_wrn("other servers have more accounts than can be taken at a time");
    if (resolver->is_merge_full)
        return;
    struct merge *merge = mem_zero(sizeof *merge + token.len);
    memcpy(merge->account, account, sizeof merge->account);
    if (token.len)
        memcpy(merge->token, token.ptr, token.len);
    merge->token_len = token.len;
    list_append(&resolver->merges, &merge->link);
    resolver->merge_bytes += size_of(merge);
    start(resolver);
}

void resolver_merge_stop(struct resolver *resolver)
{
    free_merges(&resolver->merges);
}
