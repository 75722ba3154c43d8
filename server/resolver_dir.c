/* resolver_dir.c - resolvers with a directory: what they do with it, one job after the other on the thread pool. */
#include "resolver_private.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#include "jwt.h"
#include "jwt_dir.h"
#include "server.h"

/* ---- one after the other ---------------------------------------------------------------------- */

static void start_next(struct resolver *resolver);

static void on_work(uv_work_t *work)
{
    struct resolver_job *job = work->data;
    job->run(job);
}

static void on_worked(uv_work_t *work, int status)
{
    struct resolver_job *job = work->data;
    struct resolver *resolver = job->resolver;
    (void)status;
    list_remove(&job->link);
    if (!resolver->is_stopped) {
        start_next(resolver);
        job->end(job);
    }
    job->drop(job);
}

static void start_next(struct resolver *resolver)
{
    if (list_is_empty(&resolver->jobs))
        return;
    struct resolver_job *job = list_entry(resolver->jobs.next, struct resolver_job, link);
    job->work.data = job;
    uv_queue_work(&resolver->server->control->loop, &job->work, on_work, on_worked);
}

void resolver_add_job(struct resolver *resolver, struct resolver_job *job)
{
    bool is_first = list_is_empty(&resolver->jobs);
    job->resolver = resolver;
    list_append(&resolver->jobs, &job->link);
    if (is_first)
        start_next(resolver);
}

/* The first job is on the pool, and ends by itself. */
void resolver_dir_stop(struct resolver *resolver)
{
    resolver_peers_stop(resolver);
    resolver_merge_stop(resolver);
    while (!list_is_empty(&resolver->jobs) && resolver->jobs.next != resolver->jobs.prev) {
        struct resolver_job *job = list_entry(resolver->jobs.prev, struct resolver_job, link);
        list_remove(&job->link);
        job->drop(job);
    }
}

/* ---- a login asks ------------------------------------------------------------------------------- */

struct read_job {
    struct resolver_job job;
    struct lookup *lookup;
    char account[NKEY_PUBLIC_LEN + 1];
    struct buf token;
    struct error err;
    bool ok;
};

static void read_token(struct resolver_job *job)
{
    struct read_job *read = (struct read_job *)job;
    read->ok = jwt_dir_read(&job->resolver->dir, read->account, &read->token, &read->err);
}

/* What the directory does not know others may. */
static void end_read(struct resolver_job *job)
{
    struct read_job *read = (struct read_job *)job;
    if (read->ok && read->token.len == 0)
        resolver_peers_fetch(read->lookup);
    else
        resolver_fetched(read->lookup, read->ok ? buf_span(&read->token) : (struct span){ 0 },
                         read->err.text);
}

static void drop_read(struct resolver_job *job)
{
    struct read_job *read = (struct read_job *)job;
    buf_free(&read->token);
    free(read);
}

void resolver_dir_fetch(struct lookup *lookup)
{
    struct read_job *read = mem_zero(sizeof *read);
    read->job = (struct resolver_job){ .run = read_token, .end = end_read, .drop = drop_read };
    read->lookup = lookup;
    memcpy(read->account, lookup->account, sizeof read->account);
    resolver_add_job(lookup->resolver, &read->job);
}

/* ---- a token comes ------------------------------------------------------------------------------ */

struct save_job {
    struct resolver_job job;
    enum jwt_dir_rule rule;
    char account[NKEY_PUBLIC_LEN + 1];
    char *token;
    bool ok, saved;
    struct error err;
    resolver_done_fn *on_done;
    void *ctx;
};

static void save_token(struct resolver_job *job)
{
    struct save_job *save = (struct save_job *)job;
    save->ok = jwt_dir_save(&job->resolver->dir, save->account, span_of(save->token), save->rule,
                            &save->saved, &save->err);
}

static void end_update(struct resolver_job *job)
{
    struct save_job *save = (struct save_job *)job;
    if (!save->ok || !save->saved)
        save->on_done(save->ctx, save->ok ? NULL : save->err.text, save->ok);
    else
        resolver_take_update(job->resolver, save->account, span_of(save->token), save->on_done,
                             save->ctx);
}

static void drop_save(struct resolver_job *job)
{
    struct save_job *save = (struct save_job *)job;
    free(save->token);
    free(save);
}

void resolver_dir_update(struct resolver *resolver, const char *account, struct span token,
                         resolver_done_fn *on_done, void *ctx)
{
    struct save_job *save = mem_zero(sizeof *save);
    save->job = (struct resolver_job){ .run = save_token, .end = end_update, .drop = drop_save };
    save->rule = resolver->kind == RESOLVER_CACHE ? JWT_DIR_IF_PRESENT : JWT_DIR_ALWAYS;
    memcpy(save->account, account, sizeof save->account);
    save->token = mem_strspan(token);
    save->on_done = on_done;
    save->ctx = ctx;
    resolver_add_job(resolver, &save->job);
}

void resolver_dir_preload(struct resolver *resolver, const struct options *options)
{
    const struct operator_options *operator_ = &options->operator_;
    for (size_t i = 0; i < operator_->preload_count; i++)
        resolver_merge(resolver, operator_->preloads[i].account,
                       span_of(operator_->preloads[i].jwt->token));
}

/* ---- accounts go ---------------------------------------------------------------------------------- */

struct delete_job {
    struct resolver_job job;
    char **accounts;
    size_t count;
    bool ok;
    struct error err;
    resolver_done_fn *on_done;
    void *ctx;
};

static void delete_files(struct resolver_job *job)
{
    struct delete_job *delete = (struct delete_job *)job;
    delete->ok = true;
    for (size_t i = 0; delete->ok && i < delete->count; i++)
        delete->ok = jwt_dir_delete(&job->resolver->dir, delete->accounts[i], &delete->err);
}

static void end_delete(struct resolver_job *job)
{
    struct delete_job *delete = (struct delete_job *)job;
    struct claims *claims = job->resolver->server->claims;
    if (!delete->ok) {
        delete->on_done(delete->ctx, delete->err.text, false);
        return;
    }
    for (size_t i = 0; i < delete->count; i++)
        claims_remove(claims, delete->accounts[i]);
    resolver_apply(job->resolver, delete->on_done, delete->ctx);
}

static void drop_delete(struct resolver_job *job)
{
    struct delete_job *delete = (struct delete_job *)job;
    for (size_t i = 0; i < delete->count; i++)
        free(delete->accounts[i]);
    free(delete->accounts);
    free(delete);
}

void resolver_delete(struct resolver *resolver, const char *const *accounts, size_t count,
                     resolver_done_fn *on_done, void *ctx)
{
    struct delete_job *delete = mem_zero(sizeof *delete);
    delete->job =
        (struct resolver_job){ .run = delete_files, .end = end_delete, .drop = drop_delete };
    delete->accounts = mem_zero((count + 1) * sizeof *delete->accounts);
    for (size_t i = 0; i < count; i++)
        delete->accounts[delete->count++] = mem_strdup(accounts[i]);
    delete->on_done = on_done;
    delete->ctx = ctx;
    resolver_add_job(resolver, &delete->job);
}

/* ---- what is there -------------------------------------------------------------------------------- */

struct list_job {
    struct resolver_job job;
    char account[NKEY_PUBLIC_LEN + 1]; /* this one; "" = all */
    struct jwt_dir_names names;
    struct resolver_entry *entries;
    struct buf *tokens;
    uint8_t digest[SHA256_DIGEST_LENGTH]; /* exclusive or of those of all tokens */
    struct buf problems;                  /* lines about files that are no good */
    resolver_entries_fn *on_done;
    void *ctx;
};

static void list_files(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    list->names = jwt_dir_list(&job->resolver->dir);
    list->entries = mem_zero((list->names.count + 1) * sizeof *list->entries);
    for (size_t i = 0; i < list->names.count; i++)
        list->entries[i].account = list->names.items[i];
}

static void add_digest(uint8_t sum[SHA256_DIGEST_LENGTH], struct span token)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(token.ptr, token.len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        sum[i] ^= digest[i];
}

static void read_files(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    const struct resolver_dir_options *dir = &job->resolver->dir;
    list_files(job);
    list->tokens = mem_zero((list->names.count + 1) * sizeof *list->tokens);
    for (size_t i = 0; i < list->names.count; i++) {
        struct error err;
        if (!jwt_dir_read(dir, list->names.items[i], &list->tokens[i], &err) ||
            list->tokens[i].len == 0)
            continue;
        list->entries[i].token = buf_str(&list->tokens[i]);
        add_digest(list->digest, buf_span(&list->tokens[i]));
    }
}

static void read_one(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    struct error err;
    list->entries = mem_zero(sizeof *list->entries);
    list->tokens = mem_zero(sizeof *list->tokens);
    list->names.items = mem_zero(sizeof *list->names.items);
    if (!jwt_dir_read(&job->resolver->dir, list->account, list->tokens, &err) ||
        list->tokens->len == 0) {
        buf_free(list->tokens);
        return;
    }
    list->names.items[list->names.count++] = mem_strdup(list->account);
    list->entries[0] = (struct resolver_entry){ list->account, buf_str(list->tokens) };
}

static void end_list(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    list->on_done(list->ctx, list->entries, list->names.count, list->digest);
}

static void drop_list(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    for (size_t i = 0; list->tokens && i < list->names.count; i++)
        buf_free(&list->tokens[i]);
    jwt_dir_names_free(&list->names);
    buf_free(&list->problems);
    free(list->tokens);
    free(list->entries);
    free(list);
}

static struct list_job *new_list(void (*run)(struct resolver_job *job),
                                 resolver_entries_fn *on_done, void *ctx)
{
    struct list_job *list = mem_zero(sizeof *list);
    list->job = (struct resolver_job){ .run = run, .end = end_list, .drop = drop_list };
    list->on_done = on_done;
    list->ctx = ctx;
    return list;
}

void resolver_list(struct resolver *resolver, resolver_entries_fn *on_done, void *ctx)
{
    resolver_add_job(resolver, &new_list(list_files, on_done, ctx)->job);
}

void resolver_pack(struct resolver *resolver, resolver_entries_fn *on_done, void *ctx)
{
    resolver_add_job(resolver, &new_list(read_files, on_done, ctx)->job);
}

void resolver_lookup(struct resolver *resolver, const char *account, resolver_entries_fn *on_done,
                     void *ctx)
{
    struct list_job *list = new_list(read_one, on_done, ctx);
    memcpy(list->account, account, sizeof list->account);
    resolver_add_job(resolver, &list->job);
}

/* ---- the start ------------------------------------------------------------------------------------ */

/* Says early what logins would say late. */
static void check_files(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    read_files(job);
    for (size_t i = 0; i < list->names.count; i++) {
        const struct resolver_entry *entry = &list->entries[i];
        struct error err = { "cannot be read" };
        struct jwt *jwt =
            entry->token ? jwt_decode(jwt_find_token(span_of(entry->token)), &err) : NULL;
        bool is_its = jwt && jwt->kind == JWT_ACCOUNT && strcmp(jwt->subject, entry->account) == 0;
        if (jwt && !is_its)
            error_set(&err, "the JWT is about something else");
        if (!is_its)
            buf_printf(&list->problems, "%s/%s.jwt: %s\n", job->resolver->dir.dir, entry->account,
                       err.text);
        jwt_free(jwt);
    }
}

static void warn_of_files(struct resolver_job *job)
{
    struct list_job *list = (struct list_job *)job;
    struct span text = buf_span(&list->problems);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct span line = span_make(text.ptr, (size_t)(end - text.ptr));
        log_wrn("resolver: %.*s", SPAN_ARG(line));
        text = span_make(end + 1, text.len - line.len - 1);
    }
}

bool resolver_dir_start(struct resolver *resolver, const struct options *options, struct error *err)
{
    const struct operator_options *operator_ = &options->operator_;
    resolver->dir = operator_->resolver_dir;
    resolver->dir.dir = mem_strdup(operator_->resolver_dir.dir);
    resolver->dir.type = resolver->kind == RESOLVER_CACHE ? "cache" : "full";
    if (!jwt_dir_open(&resolver->dir, err))
        return error_prefix(err, "resolver");
    for (size_t i = 0; i < operator_->preload_count; i++) {
        bool saved;
        if (!jwt_dir_save(&resolver->dir, operator_->preloads[i].account,
                          span_of(operator_->preloads[i].jwt->token), JWT_DIR_IF_NEWER, &saved,
                          err))
            return error_prefix(err, "resolver_preload");
    }
    log_inf("Managing %s jwt in exclusive directory %s",
            resolver->kind == RESOLVER_CACHE ? "some" : "all", resolver->dir.dir);
    struct list_job *check = new_list(check_files, NULL, NULL);
    check->job.end = warn_of_files;
    resolver_add_job(resolver, &check->job);
    resolver_peers_start(resolver);
    return true;
}
