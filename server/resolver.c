/* resolver.c - who asks for which account, and what has to be there before it counts; see resolver.h. */
#include "resolver_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "account.h"
#include "jwt.h"
#include "operator.h"
#include "server.h"

enum { LOOKUPS_MAX = 64 };
#define FRESH_NS (60 * NS_PER_S)

/* ---- answers ------------------------------------------------------------------------------- */

static void deliver(struct worker *worker, struct post *post)
{
    struct account_ask *ask = (struct account_ask *)post;
    (void)worker;
    ask->on_answer(ask);
}

static void answer(struct account_ask *ask)
{
    ask->post.run = deliver;
    worker_post(ask->home, &ask->post);
}

static void answer_all(struct lookup *lookup)
{
    for (struct account_ask *ask = lookup->asks, *next; ask; ask = next) {
        next = ask->next;
        answer(ask);
    }
    lookup->asks = NULL;
}

static void free_lookup(struct lookup *lookup)
{
    struct map *fetches = &lookup->resolver->fetches;
    if (map_get(fetches, span_of(lookup->account)) == lookup)
        map_remove(fetches, span_of(lookup->account));
    list_remove(&lookup->link);
    free(lookup);
}

/* What can be had is in force: only now may others take it for known. */
static void end_lookup(struct lookup *lookup)
{
    if (lookup->has_arrived)
        account_set_fresh(accounts_get(&lookup->resolver->server->accounts, lookup->account),
                          clock_mono_ns() + FRESH_NS);
    answer_all(lookup);
    while (!list_is_empty(&lookup->waits)) {
        struct list *link = lookup->waits.next;
        list_remove(link);
        struct lookup_wait *wait = list_entry(link, struct lookup_wait, link);
        wait->done(wait);
    }
    free_lookup(lookup);
}

static void on_in_force(struct claims_wait *wait)
{
    end_lookup(list_entry(wait, struct lookup, in_force));
}

/* It has its JWT, and nobody is missing. */
static void settle(struct lookup *lookup)
{
    lookup->in_force.done = on_in_force;
    if (lookup->is_changed)
        claims_apply(lookup->resolver->server->claims, &lookup->in_force);
    else
        end_lookup(lookup);
}

/* ---- who it imports from --------------------------------------------------------------------- */

struct dependency {
    struct lookup_wait wait;
    struct lookup *importer;
};

static void on_exporter_settled(struct lookup_wait *wait)
{
    struct dependency *dependency = (struct dependency *)wait;
    struct lookup *importer = dependency->importer;
    free(dependency);
    if (--importer->missing == 0)
        settle(importer);
}

static void fetch(struct lookup *lookup)
{
    switch (lookup->resolver->kind) {
    case RESOLVER_URL: resolver_url_fetch(lookup); return;
    case RESOLVER_FULL:
    case RESOLVER_CACHE: resolver_dir_fetch(lookup); return;
    case RESOLVER_NONE:
    case RESOLVER_MEMORY: return; /* nobody is asked */
    }
}

static struct lookup *new_lookup(struct resolver *resolver, const char *account)
{
    struct lookup *lookup = mem_zero(sizeof *lookup);
    lookup->resolver = resolver;
    list_init(&lookup->waits);
    list_append(&resolver->lookups, &lookup->link);
    memcpy(lookup->account, account, strlen(account) + 1); /* a key, or "": of several accounts */
    return lookup;
}

static struct lookup *begin_lookup(struct resolver *resolver, const char *account)
{
    struct lookup *lookup = new_lookup(resolver, account);
    map_put(&resolver->fetches, span_of(lookup->account), lookup);
    fetch(lookup);
    return lookup;
}

static bool is_fresh(const struct resolver *resolver, const char *name)
{
    const struct jwt *known = claims_find(resolver->server->claims, name);
    const struct account *account = accounts_find(&resolver->server->accounts, span_of(name));
    struct error err;
    return known && account && account_is_fresh(account, clock_mono_ns()) &&
           jwt_is_timely(known, clock_wall_ns() / NS_PER_S, &err);
}

/* Waits only for those that have not arrived yet, so nobody waits in a circle. */
static void wait_for_exporter(struct lookup *importer, const char *exporter)
{
    struct resolver *resolver = importer->resolver;
    struct lookup *lookup = map_get(&resolver->fetches, span_of(exporter));
    if (resolver->kind == RESOLVER_MEMORY || strcmp(exporter, importer->account) == 0 ||
        (lookup ? lookup->has_arrived : is_fresh(resolver, exporter)))
        return;
    if (!lookup)
        lookup = begin_lookup(resolver, exporter);
    struct dependency *dependency = mem_zero(sizeof *dependency);
    dependency->importer = importer;
    dependency->wait.done = on_exporter_settled;
    list_append(&lookup->waits, &dependency->wait.link);
    importer->missing++;
}

/* `jwt` is that of the lookup's account; taken. */
static void take(struct lookup *lookup, struct jwt *jwt)
{
    struct server *server = lookup->resolver->server;
    lookup->has_arrived = true;
    lookup->is_changed = claims_put(server->claims, jwt);
    const struct jwt_imports *imports =
        &claims_find(server->claims, lookup->account)->account.imports;
    for (size_t i = 0; i < imports->count; i++)
        wait_for_exporter(lookup, imports->items[i].account);
    if (lookup->missing == 0)
        settle(lookup);
}

/* ---- what comes ----------------------------------------------------------------------------- */

static struct jwt *read_account(const struct options *options, const char *account,
                                struct span body, struct error *err)
{
    struct jwt *jwt = jwt_decode(jwt_find_token(body), err);
    if (!jwt)
        return NULL;
    if (jwt->kind != JWT_ACCOUNT || strcmp(jwt->subject, account) != 0)
        error_set(err, "the JWT is about something else");
    else if (!operator_trusts(options, jwt->issuer))
        error_set(err, "the JWT was not issued by a trusted operator");
    else if (jwt_is_timely(jwt, clock_wall_ns() / NS_PER_S, err))
        return jwt;
    jwt_free(jwt);
    return NULL;
}

bool resolver_accepts(const struct options *options, const char *account, struct span token,
                      struct error *err)
{
    struct jwt *jwt = read_account(options, account, token, err);
    jwt_free(jwt);
    return jwt != NULL;
}

void resolver_fetched(struct lookup *lookup, struct span token, const char *problem)
{
    struct error err = { "" };
    struct jwt *jwt = NULL;
    lookup->peers_due_ns = 0;
    if (token.len > 0)
        jwt = read_account(lookup->resolver->server->options, lookup->account, token, &err);
    else
        error_set(&err, "%s", problem);
    if (jwt) {
        take(lookup, jwt);
        return;
    }
    log_wrn("could not fetch account \"%s\" from the resolver: %s", lookup->account, err.text);
    end_lookup(lookup);
}

bool resolver_arrived(struct resolver *resolver, const char *account, struct span token,
                      struct lookup_wait *wait, struct error *err)
{
    if (!claims_need(resolver->server->claims, account)) { /* who logs in will ask */
        if (wait)
            wait->done(wait);
        return true;
    }
    struct jwt *jwt = read_account(resolver->server->options, account, token, err);
    if (!jwt)
        return false;
    struct lookup *lookup = new_lookup(resolver, account);
    if (wait)
        list_append(&lookup->waits, &wait->link);
    take(lookup, jwt);
    return true;
}

struct told {
    struct lookup_wait wait;
    resolver_done_fn *on_done;
    void *ctx;
};

static void on_told(struct lookup_wait *wait)
{
    struct told *told = (struct told *)wait;
    told->on_done(told->ctx, NULL, false);
    free(told);
}

void resolver_apply(struct resolver *resolver, resolver_done_fn *on_done, void *ctx)
{
    struct lookup *lookup = new_lookup(resolver, "");
    struct told *told = mem_zero(sizeof *told);
    *told = (struct told){ .wait = { .done = on_told }, .on_done = on_done, .ctx = ctx };
    list_append(&lookup->waits, &told->wait.link);
    lookup->is_changed = true;
    settle(lookup);
}

void resolver_take_update(struct resolver *resolver, const char *account, struct span token,
                          resolver_done_fn *on_done, void *ctx)
{
    struct error err = { "" };
    struct told *told = mem_zero(sizeof *told);
    *told = (struct told){ .wait = { .done = on_told }, .on_done = on_done, .ctx = ctx };
    if (resolver_arrived(resolver, account, token, &told->wait, &err))
        return;
    free(told);
    on_done(ctx, err.text, false);
}

void resolver_update(struct resolver *resolver, const char *account, struct span token,
                     resolver_done_fn *on_done, void *ctx)
{
    struct error err = { "" };
    if (!resolver_accepts(resolver->server->options, account, token, &err))
        on_done(ctx, err.text, false);
    else if (resolver_has_directory(resolver))
        resolver_dir_update(resolver, account, token, on_done, ctx);
    else if (claims_need(resolver->server->claims, account))
        resolver_take_update(resolver, account, token, on_done, ctx);
    else
        on_done(ctx, NULL, true);
}

/* ---- questions ----------------------------------------------------------------------------- */

/* Control. Strangers may ask for any account: only so many questions are under way at one time. */
static void run(struct worker *control, struct post *post)
{
    struct account_ask *ask = (struct account_ask *)post;
    struct resolver *resolver = control->server->resolver;
    if (!resolver || resolver->is_stopped || resolver->kind == RESOLVER_MEMORY ||
        is_fresh(resolver, ask->account)) {
        answer(ask);
        return;
    }
    struct lookup *lookup = map_get(&resolver->fetches, span_of(ask->account));
    if (!lookup && resolver->fetches.count >= LOOKUPS_MAX) {
        log_wrn("too many accounts are being fetched from the resolver");
        answer(ask);
        return;
    }
    if (!lookup)
        lookup = begin_lookup(resolver, ask->account);
    ask->next = lookup->asks;
    lookup->asks = ask;
}

void resolver_ask(struct account_ask *ask)
{
    ask->post.run = run;
    worker_post(ask->home->server->control, &ask->post);
}

/* ---- life ---------------------------------------------------------------------------------- */

static bool start(struct resolver *resolver, const struct options *options, struct error *err)
{
    switch (resolver->kind) {
    case RESOLVER_URL: return resolver_url_start(resolver, options, err);
    case RESOLVER_FULL:
    case RESOLVER_CACHE: return resolver_dir_start(resolver, options, err);
    case RESOLVER_NONE:
    case RESOLVER_MEMORY: return true;
    }
    return true;
}

struct resolver *resolver_new(struct server *server, const struct options *options,
                              struct error *err)
{
    if (!server->claims)
        return NULL;
    struct resolver *resolver = mem_zero(sizeof *resolver);
    resolver->server = server;
    resolver->kind = options->operator_.resolver;
    list_init(&resolver->jobs);
    list_init(&resolver->merges);
    list_init(&resolver->lookups);
    list_init(&resolver->replies);
    if (start(resolver, options, err)) {
        resolver_requests_start(resolver);
        return resolver;
    }
    resolver_free(resolver);
    return NULL;
}

void resolver_refresh(struct resolver *resolver, const struct options *next)
{
    if (!resolver)
        return;
    const struct accounts *accounts = &resolver->server->accounts;
    for (unsigned i = 0; i < accounts->count; i++)
        account_set_fresh(accounts->items[i], 0);
    if (resolver_has_directory(resolver))
        resolver_dir_preload(resolver, next);
}

void resolver_stop(struct resolver *resolver)
{
    if (!resolver)
        return;
    resolver->is_stopped = true;
    if (resolver->kind == RESOLVER_URL)
        resolver_url_stop(resolver);
    else if (resolver_has_directory(resolver))
        resolver_dir_stop(resolver);
    list_each(link, &resolver->lookups) answer_all(list_entry(link, struct lookup, link));
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    list_each(link, &resolver->lookups)
    {
        struct lookup *lookup = list_entry(link, struct lookup, link);
        list_each(wait, &lookup->waits) free(list_entry(wait, struct lookup_wait, link));
        free(lookup);
    }
    resolver_requests_free(resolver);
    map_free(&resolver->fetches);
    free((char *)(uintptr_t)resolver->dir.dir);
    free(resolver->url);
    free(resolver);
}
