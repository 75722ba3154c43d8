/* resolver_peers.c - other servers that share the system account, and what their directories know:
 *
 *   $SYS.REQ.ACCOUNT.<A>.CLAIMS.LOOKUP   who knows this account? The first token counts; empty answers are none.
 *   $SYS.REQ.CLAIMS.PACK                 who has what we have not? Lines "<A>|TOKEN", in a message each or in several.
 *
 * Source: nats-server's directory resolvers. */
#include "resolver_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nuid.h"

#include "account.h"
#include "internal.h"
#include "jwt.h"
#include "jwt_pack.h"
#include "server.h"

#define TICK_MS 50
#define PACK    "$SYS.REQ.CLAIMS.PACK"

/* Besides ourselves: `own` subscriptions are the server's. */
static bool has_listener(const struct resolver *resolver, const char *subject, size_t own)
{
    struct server *server = resolver->server;
    struct span text = span_of(subject);
    struct match *match =
        subjects_match(server->system_account->subjects, text, hash_bytes(&server->hash_key, text),
                       server->control->index, NULL);
    bool found = match->remote || match->group_count > 0 || match->plain_count > own;
    free(match);
    return found;
}

static void ask(struct resolver *resolver, const char *subject, const char *reply,
                struct span payload)
{
    struct server *server = resolver->server;
    internal_publish(server->internal,
                     &(struct internal_message){ .account = server->system_account,
                                                 .subject = span_of(subject),
                                                 .reply = span_of(reply),
                                                 .payload = payload });
}

/* ---- lookups -------------------------------------------------------------------------------- */

/* The one that waits for the shortest time yet; NULL: nobody waits. */
static struct lookup *next_due(const struct resolver *resolver)
{
    struct lookup *next = NULL;
    list_each(link, &resolver->lookups)
    {
        struct lookup *lookup = list_entry(link, struct lookup, link);
        if (lookup->peers_due_ns && (!next || lookup->peers_due_ns < next->peers_due_ns))
            next = lookup;
    }
    return next;
}

/* Looks anew after each: what waits for one that has ended may end with it. */
static void on_tick(uv_timer_t *timer)
{
    struct resolver *resolver = timer->data;
    int64_t now_ns = clock_mono_ns();
    struct lookup *next;
    while ((next = next_due(resolver)) != NULL && next->peers_due_ns <= now_ns)
        resolver_fetched(next, (struct span){ 0 }, "no other server knows it");
    if (!next)
        uv_timer_stop(timer);
}

void resolver_peers_fetch(struct lookup *lookup)
{
    struct resolver *resolver = lookup->resolver;
    size_t own = resolver->kind == RESOLVER_FULL ? 1 : 0;
    char *subject = mem_printf("$SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP", lookup->account);
    char *reply = mem_printf("%s.%s", resolver->inbox, lookup->account);
    if (resolver->server->system_account && has_listener(resolver, subject, own)) {
        lookup->peers_due_ns = clock_mono_ns() + resolver->dir.timeout_ms * NS_PER_MS;
        if (!uv_is_active((uv_handle_t *)&resolver->peer_timer))
            uv_timer_start(&resolver->peer_timer, on_tick, TICK_MS, TICK_MS);
        ask(resolver, subject, reply, (struct span){ 0 });
    } else {
        resolver_fetched(lookup, (struct span){ 0 }, "it is not there");
    }
    free(reply);
    free(subject);
}

/* Only what can count is kept. */
static void take_answer(struct resolver *resolver, struct span account, struct span text)
{
    struct lookup *lookup = map_get(&resolver->fetches, account);
    struct span token = jwt_find_token(text);
    struct error err;
    if (!lookup || !lookup->peers_due_ns || token.len == 0)
        return; /* nobody waits any more */
    if (!resolver_accepts(resolver->server->options, lookup->account, token, &err)) {
        log_wrn("account \"%s\" as another server has it: %s", lookup->account, err.text);
        return; /* somebody else may know better */
    }
    resolver_merge(resolver, lookup->account, token);
    resolver_fetched(lookup, token, NULL);
}

/* ---- what others have --------------------------------------------------------------------------- */

static void take_pack(struct resolver *resolver, struct span text)
{
    struct jwt_pack_line line;
    while (jwt_pack_next(&text, &line))
        resolver_merge(resolver, line.account, jwt_find_token(line.token));
}

static void on_answer(void *ctx, const struct internal_message *message)
{
    struct resolver *resolver = ctx;
    struct span token = span_make(message->subject.ptr + resolver->inbox_len + 1,
                                  message->subject.len - resolver->inbox_len - 1);
    if (resolver->is_stopped || message->origin.cid == 0)
        return;
    if (span_is(token, "pack"))
        take_pack(resolver, message->payload);
    else
        take_answer(resolver, token, message->payload);
}

static void ask_for_packs(void *ctx, const struct resolver_entry *entries, size_t count,
                          const uint8_t digest[32])
{
    struct resolver *resolver = ctx;
    char *reply = mem_printf("%s.pack", resolver->inbox);
    (void)entries, (void)count;
    ask(resolver, PACK, reply, span_make(digest, 32));
    free(reply);
}

static void on_sync(uv_timer_t *timer)
{
    struct resolver *resolver = timer->data;
    if (has_listener(resolver, PACK, 1))
        resolver_pack(resolver, ask_for_packs, resolver);
}

/* ---- life ---------------------------------------------------------------------------------------- */

void resolver_peers_start(struct resolver *resolver)
{
    struct server *server = resolver->server;
    uv_loop_t *loop = &server->control->loop;
    char nuid[NUID_LEN + 1];
    uv_timer_init(loop, &resolver->peer_timer);
    uv_timer_init(loop, &resolver->sync_timer);
    resolver->peer_timer.data = resolver->sync_timer.data = resolver;
    if (!server->system_account)
        return;
    nuid_next(nuid);
    resolver->inbox_len =
        (size_t)snprintf(resolver->inbox, sizeof resolver->inbox, "$SYS._INBOX.%s", nuid);
    char *inbox = mem_printf("%s.*", resolver->inbox);
    internal_subscribe(server->internal, server->system_account, inbox, on_answer, resolver);
    free(inbox);
    if (resolver->kind == RESOLVER_FULL)
        uv_timer_start(&resolver->sync_timer, on_sync, (uint64_t)resolver->dir.interval_ms,
                       (uint64_t)resolver->dir.interval_ms);
}

void resolver_peers_stop(struct resolver *resolver)
{
    uv_close((uv_handle_t *)&resolver->peer_timer, NULL);
    uv_close((uv_handle_t *)&resolver->sync_timer, NULL);
}
