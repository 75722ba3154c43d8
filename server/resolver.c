/* resolver.c - see resolver.h. */
#include "resolver.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ocsp/ocsp.h"
#include "ocsp/transport.h"

#include "account.h"
#include "account_claims.h"
#include "operator.h"
#include "permissions.h"
#include "server.h"
#include "services.h"

enum { FETCH_MS = 1900, LOOKUPS_MAX = 64 };
#define FRESH_NS (60 * NS_PER_S)

struct resolved_account {
    atomic_size_t references;
    struct account_options options;
    struct jwt *jwt;
    int64_t fetched_ns; /* monotonic; control thread */
};

struct resolver {
    struct server *server;
    struct transport *transport;
    char *url;
    struct map known;   /* account -> struct resolved_account, retained */
    struct map lookups; /* account -> struct lookup */
};

/* A fetch under way. */
struct lookup {
    struct resolver *resolver;
    struct account_ask *asks; /* newest first */
    char account[NKEY_PUBLIC_LEN + 1];
};

/* ---- accounts ------------------------------------------------------------------------------ */

static struct resolved_account *retain(struct resolved_account *resolved)
{
    /* Relaxed: whoever retains holds a reference already. */
    if (resolved)
        atomic_fetch_add_explicit(&resolved->references, 1, memory_order_relaxed);
    return resolved;
}

void resolved_account_release(struct resolved_account *resolved)
{
    /* Acquire and release: the last one sees what all others did with it. */
    if (!resolved || atomic_fetch_sub_explicit(&resolved->references, 1, memory_order_acq_rel) > 1)
        return;
    permissions_release(resolved->options.defaults);
    jwt_free(resolved->jwt);
    free(resolved);
}

const struct account_options *resolved_account_options(const struct resolved_account *resolved)
{
    return &resolved->options;
}

static struct jwt *read_account(const struct resolver *resolver, const char *account,
                                struct span body, struct error *err)
{
    struct jwt *jwt = jwt_decode(jwt_find_token(body), err);
    if (!jwt)
        return NULL;
    if (jwt->kind != JWT_ACCOUNT || strcmp(jwt->subject, account) != 0)
        error_set(err, "the JWT is about something else");
    else if (!operator_trusts(resolver->server->options, jwt->issuer))
        error_set(err, "the JWT was not issued by a trusted operator");
    else
        return jwt;
    jwt_free(jwt);
    return NULL;
}

static struct resolved_account *resolve(const struct resolver *resolver, const char *account,
                                        struct span body, struct error *err)
{
    struct jwt *jwt = read_account(resolver, account, body, err);
    if (!jwt)
        return NULL;
    struct resolved_account *resolved = mem_zero(sizeof *resolved);
    atomic_init(&resolved->references, 1);
    resolved->jwt = jwt;
    resolved->fetched_ns = clock_mono_ns();
    resolved->options.name = jwt->subject;
    if (!account_take_claims(&resolved->options, jwt, err)) {
        resolved_account_release(resolved);
        return NULL;
    }
    if (jwt->account.imports.count > 0 || jwt->account.mappings.count > 0)
        log_wrn("account \"%s\": imports and mappings of accounts that a resolver fetches are not "
                "available in this version of vouchd",
                account);
    resolved->options.account = accounts_get(&resolver->server->accounts, account);
    resolved->options.account->is_configured = true;
    services_cover_accounts(resolver->server->services);
    return resolved;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void deliver(struct worker *worker, struct post *post)
{
    struct account_ask *ask = (struct account_ask *)post;
    (void)worker;
    ask->on_answer(ask);
}

static void answer(struct account_ask *ask, struct resolved_account *resolved)
{
    ask->answer = retain(resolved);
    ask->post.run = deliver;
    worker_post(ask->home, &ask->post);
}

/* Answers all who wait for it with what is known. */
static void end_lookup(struct lookup *lookup)
{
    struct resolver *resolver = lookup->resolver;
    struct resolved_account *known = map_get(&resolver->known, span_of(lookup->account));
    map_remove(&resolver->lookups, span_of(lookup->account));
    for (struct account_ask *ask = lookup->asks, *next; ask; ask = next) {
        next = ask->next;
        answer(ask, known);
    }
    free(lookup);
}

static void keep(struct resolver *resolver, struct resolved_account *resolved)
{
    resolved_account_release(map_put(&resolver->known, span_of(resolved->options.name), resolved));
}

static void on_fetched(void *ctx, const struct exchange_result *result)
{
    struct lookup *lookup = ctx;
    struct error err = { "" };
    struct resolved_account *resolved = NULL;
    if (result->error)
        error_set(&err, "%s", result->error);
    else if (result->status != 200)
        error_set(&err, "HTTP status %d", result->status);
    else
        resolved = resolve(lookup->resolver, lookup->account, result->body, &err);
    if (resolved)
        keep(lookup->resolver, resolved);
    else
        log_wrn("could not fetch account \"%s\" from the resolver: %s", lookup->account, err.text);
    end_lookup(lookup);
}

/* ---- questions ----------------------------------------------------------------------------- */

static void fetch(struct resolver *resolver, const char *account,
                  void (*on_end)(void *ctx, const struct exchange_result *result), void *ctx)
{
    const struct tls_options *tls = resolver->server->options->operator_.resolver_tls;
    struct exchange_tls own = { 0 };
    if (tls)
        own = (struct exchange_tls){ .ca_file = tls->ca_file,
                                     .cert_file = tls->cert_file,
                                     .key_file = tls->key_file,
                                     .trusts_anybody = tls->insecure };
    char *url = mem_printf("%s%s", resolver->url, account);
    transport_start(resolver->transport, &(struct exchange_request){ .url = url,
                                                                     .tls = &own,
                                                                     .timeout_ms = FETCH_MS,
                                                                     .accepts_any = true,
                                                                     .body_max = JWT_SIZE_MAX,
                                                                     .on_end = on_end,
                                                                     .ctx = ctx });
    free(url);
}

static void begin_lookup(struct resolver *resolver, struct account_ask *ask)
{
    struct lookup *lookup = mem_zero(sizeof *lookup);
    lookup->resolver = resolver;
    memcpy(lookup->account, ask->account, sizeof lookup->account);
    lookup->asks = ask;
    ask->next = NULL;
    map_put(&resolver->lookups, span_of(lookup->account), lookup);
    fetch(resolver, lookup->account, on_fetched, lookup);
}

static bool is_fresh(const struct resolved_account *known)
{
    struct error err;
    return known && clock_mono_ns() - known->fetched_ns < FRESH_NS &&
           jwt_is_timely(known->jwt, clock_wall_ns() / NS_PER_S, &err);
}

/* Control. Strangers may ask for any account: only so many questions are under way at one time. */
static void run(struct worker *control, struct post *post)
{
    struct account_ask *ask = (struct account_ask *)post;
    struct resolver *resolver = control->server->resolver;
    struct span account = span_of(ask->account);
    struct resolved_account *known = resolver ? map_get(&resolver->known, account) : NULL;
    struct lookup *lookup = resolver ? map_get(&resolver->lookups, account) : NULL;
    if (!resolver || is_fresh(known)) {
        answer(ask, known);
    } else if (lookup) {
        ask->next = lookup->asks;
        lookup->asks = ask;
    } else if (resolver->lookups.count >= LOOKUPS_MAX) {
        log_wrn("too many accounts are being fetched from the resolver");
        answer(ask, known);
    } else {
        begin_lookup(resolver, ask);
    }
}

void resolver_ask(struct account_ask *ask)
{
    ask->post.run = run;
    worker_post(ask->home->server->control, &ask->post);
}

/* ---- life ---------------------------------------------------------------------------------- */

/* Says early what logins would say late. */
static void on_tried(void *ctx, const struct exchange_result *result)
{
    const struct resolver *resolver = ctx;
    if (result->error)
        log_err("could not fetch <\"%s\">: %s", resolver->url, result->error);
}

struct resolver *resolver_new(struct server *server, const struct options *options,
                              struct error *err)
{
    if (options->operator_.resolver != RESOLVER_URL)
        return NULL;
    if (!ocsp_is_available(err))
        return NULL;
    struct resolver *resolver = mem_zero(sizeof *resolver);
    resolver->server = server;
    resolver->url = mem_strdup(options->operator_.resolver_url);
    resolver->transport = transport_new(&server->control->loop);
    fetch(resolver, "", on_tried, resolver);
    return resolver;
}

void resolver_refresh(struct resolver *resolver)
{
    struct resolved_account *known;
    for (size_t at = 0; resolver && (known = map_next(&resolver->known, &at)) != NULL;) {
        known->fetched_ns = INT64_MIN / 2;
        known->options.account->is_configured = true;
    }
}

void resolver_free(struct resolver *resolver)
{
    struct resolved_account *known;
    struct lookup *lookup;
    if (!resolver)
        return;
    resolver->server->resolver = NULL;
    transport_free(resolver->transport, NULL, NULL);
    for (size_t at = 0; (lookup = map_next(&resolver->lookups, &at)) != NULL; at = 0)
        end_lookup(lookup);
    for (size_t at = 0; (known = map_next(&resolver->known, &at)) != NULL;)
        resolved_account_release(known);
    map_free(&resolver->lookups);
    map_free(&resolver->known);
    free(resolver->url);
    free(resolver);
}
