/* claims.c - see claims.h. */
#include "claims.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#include "account.h"
#include "jwt.h"
#include "operator.h"
#include "options.h"
#include "reload.h"
#include "server.h"
#include "services.h"
#include "worker.h"

#define FAR_AWAY_MS                                                                                \
    (INT64_C(24) * 60 * 60 * 1000) /* a timer asks again; and the clock may be set */

struct claims {
    struct server *server;
    struct map known;     /* account -> struct jwt, retained */
    struct options *base; /* as the file says; retained */
    struct list waiting;  /* for the next job */
    struct list served;   /* by the one under way */
    bool is_wanted, is_working;
    uv_work_t job;
    uv_timer_t timer; /* an activation expires */
    /* of the job under way */
    struct options *job_base, *job_old; /* retained; `old` was in force when it began */
    struct jwt **job_claims;            /* each retained */
    size_t job_count;
    struct options *made;
};

/* ---- what is known ---------------------------------------------------------------------------- */

static struct jwt *find_preload(const struct options *base, const char *account)
{
    const struct account_options *configured = options_find_account(base, account);
    return configured ? configured->claims : NULL;
}

struct jwt *claims_find(const struct claims *claims, const char *account)
{
    struct jwt *jwt = map_get(&claims->known, span_of(account));
    return jwt ? jwt : find_preload(claims->base, account);
}

static bool imports_from(const struct jwt *importer, const char *account)
{
    const struct jwt_imports *imports = &importer->account.imports;
    for (size_t i = 0; i < imports->count; i++)
        if (strcmp(imports->items[i].account, account) == 0)
            return true;
    return false;
}

bool claims_need(const struct claims *claims, const char *account)
{
    const struct options *options = claims->server->options;
    if (claims_find(claims, account))
        return true;
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i]->claims && imports_from(options->accounts[i]->claims, account))
            return true;
    return false;
}

bool claims_put(struct claims *claims, struct jwt *jwt)
{
    const struct jwt *known = claims_find(claims, jwt->subject);
    if (known && strcmp(known->token, jwt->token) == 0) {
        jwt_free(jwt);
        return false;
    }
    jwt_free(map_put(&claims->known, span_of(jwt->subject), jwt));
    return true;
}

void claims_remove(struct claims *claims, const char *account)
{
    jwt_free(map_remove(&claims->known, span_of(account)));
}

static void forget_all(struct claims *claims)
{
    struct jwt *jwt;
    for (size_t at = 0; (jwt = map_next(&claims->known, &at)) != NULL;)
        jwt_free(jwt);
    map_free(&claims->known);
    claims->known = (struct map){ 0 };
}

/* ---- the job ---------------------------------------------------------------------------------- */

static void take_snapshot(struct claims *claims)
{
    struct jwt *jwt;
    claims->job_base = options_retain(claims->base);
    claims->job_old = options_retain(claims->server->options);
    claims->job_claims = mem_zero((claims->known.count + 1) * sizeof *claims->job_claims);
    claims->job_count = 0;
    for (size_t at = 0; (jwt = map_next(&claims->known, &at)) != NULL;)
        claims->job_claims[claims->job_count++] = jwt_retain(jwt);
}

static void drop_snapshot(struct claims *claims)
{
    for (size_t i = 0; i < claims->job_count; i++)
        jwt_free(claims->job_claims[i]);
    free(claims->job_claims);
    options_release(claims->job_base);
    options_release(claims->job_old);
    options_release(claims->made);
    claims->job_claims = NULL;
    claims->job_base = claims->job_old = claims->made = NULL;
    claims->job_count = 0;
}

/* Thread pool. */
static void make(uv_work_t *job)
{
    struct claims *claims = job->data;
    claims->made = options_with_claims(claims->job_base, claims->job_claims, claims->job_count);
    for (size_t i = 0; i < claims->made->account_count; i++) { /* the others are tied later */
        struct account_options *next = claims->made->accounts[i];
        const struct account_options *old = options_find_account(claims->job_old, next->name);
        next->account = old ? old->account : NULL;
    }
    options_release(claims->job_old); /* here nobody waits */
    claims->job_old = NULL;
}

static void watch_activations(struct claims *claims);

static void put_in_force(struct claims *claims)
{
    struct server *server = claims->server;
    struct options *old = server->options;
    accounts_tie(&server->accounts, claims->made);
    services_cover_accounts(server->services);
    server->options = options_retain(claims->made);
    reload_print_new_notes(old, claims->made);
    options_release(old); /* the workers have it yet */
    reload_hand_out_options(server);
    watch_activations(claims);
}

static void start_job(struct claims *claims);

static void move_all(struct list *from, struct list *to)
{
    list_each(link, from)
    {
        list_remove(link);
        list_append(to, link);
    }
}

static void tell_served(struct claims *claims)
{
    while (!list_is_empty(&claims->served)) {
        struct list *link = claims->served.next;
        list_remove(link);
        struct claims_wait *wait = list_entry(link, struct claims_wait, link);
        wait->done(wait);
    }
}

/* What was made of another file is for nobody: it has no match in the rest of what the reload put in force. */
static void on_made(uv_work_t *job, int status)
{
    struct claims *claims = job->data;
    (void)status;
    if (atomic_load_explicit(&claims->server->is_shutting_down, memory_order_relaxed)) {
        drop_snapshot(claims); /* and who waits may be gone */
        return;
    }
    if (claims->job_base == claims->base) {
        put_in_force(claims);
        tell_served(claims);
    } else {
        move_all(&claims->served, &claims->waiting);
    }
    drop_snapshot(claims);
    claims->is_working = false;
    if (claims->is_wanted)
        start_job(claims);
}

static void start_job(struct claims *claims)
{
    claims->is_wanted = false;
    claims->is_working = true;
    move_all(&claims->waiting, &claims->served);
    take_snapshot(claims);
    uv_queue_work(&claims->server->control->loop, &claims->job, make, on_made);
}

void claims_apply(struct claims *claims, struct claims_wait *wait)
{
    if (wait)
        list_append(&claims->waiting, &wait->link);
    claims->is_wanted = true;
    if (!claims->is_working)
        start_job(claims);
}

void claims_rebase(struct claims *claims, struct options *base, struct claims_wait *wait)
{
    options_release(claims->base);
    claims->base = base;
    if (base->operator_.resolver == RESOLVER_MEMORY)
        forget_all(claims);
    claims_apply(claims, wait);
}

/* ---- activations ------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
    struct claims *claims = timer->data;
    int64_t ends_s = claims->server->options->activation_ends_s;
    if (ends_s < clock_wall_ns() / NS_PER_S)
        claims_apply(claims, NULL);
    else
        watch_activations(claims);
}

static void watch_activations(struct claims *claims)
{
    int64_t now_ms = clock_wall_ns() / NS_PER_MS, far_away_ms = now_ms + FAR_AWAY_MS;
    int64_t ends_s = claims->server->options->activation_ends_s;
    /* good in that second; it may say any number */
    int64_t due_ms = ends_s < far_away_ms / 1000 ? (ends_s + 1) * 1000 : far_away_ms;
    if (!ends_s)
        uv_timer_stop(&claims->timer);
    else
        uv_timer_start(&claims->timer, on_timer, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 0,
                       0);
}

/* ---- life ------------------------------------------------------------------------------------- */

struct claims *claims_new(struct server *server)
{
    if (!operator_mode(server->options))
        return NULL;
    struct claims *claims = mem_zero(sizeof *claims);
    claims->server = server;
    claims->base = options_retain(server->options);
    list_init(&claims->waiting);
    list_init(&claims->served);
    claims->job.data = claims;
    uv_timer_init(&server->control->loop, &claims->timer);
    claims->timer.data = claims;
    watch_activations(claims);
    return claims;
}

void claims_stop(struct claims *claims)
{
    if (claims)
        uv_close((uv_handle_t *)&claims->timer, NULL);
}

void claims_free(struct claims *claims)
{
    if (!claims)
        return;
    drop_snapshot(claims);
    forget_all(claims);
    options_release(claims->base);
    free(claims);
}
