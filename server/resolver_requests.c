/* resolver_requests.c - requests in the system account about the JWTs of accounts:
 *
 *   $SYS.REQ.CLAIMS.UPDATE                   a JWT                       full, cache
 *   $SYS.REQ.ACCOUNT.<A>.CLAIMS.UPDATE       a JWT                       all
 *   $SYS.ACCOUNT.<A>.CLAIMS.UPDATE           the same, as it was once
 *   $SYS.REQ.ACCOUNT.<A>.CLAIMS.LOOKUP       the JWT, or nothing         full
 *   $SYS.REQ.CLAIMS.LIST                     names                       full, cache
 *   $SYS.REQ.CLAIMS.DELETE                   a request of the operator   full, cache
 *   $SYS.REQ.CLAIMS.PACK                     "<A>|JWT" in a message each, an empty one at the end: what is there,
 *                                            unless the digest in the request says that it is known   full
 *
 * Source: nats-server 2.15.1 (docs/compatibility.md). */
#include "resolver_private.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

#include "account.h"
#include "event_json.h"
#include "events.h"
#include "internal.h"
#include "jwt.h"
#include "operator.h"
#include "server.h"

enum { REPLIES_MAX = 256, DIGEST_LEN = 32 };

/* An answer that is owed. */
struct reply {
    struct list link; /* in resolver->replies */
    struct resolver *resolver;
    char account[NKEY_PUBLIC_LEN + 1]; /* whom it is about; "n/a" */
    uint8_t digest[DIGEST_LEN];        /* what a PACK knows */
    bool has_digest;
    size_t count;  /* of a DELETE */
    char *subject; /* "" = nobody wants it */
};

static struct reply *reply_to(struct resolver *resolver, const struct internal_message *message)
{
    struct reply *reply = mem_zero(sizeof *reply);
    reply->resolver = resolver;
    reply->subject = mem_strspan(message->reply);
    memcpy(reply->account, "n/a", sizeof "n/a");
    list_append(&resolver->replies, &reply->link);
    resolver->reply_count++;
    return reply;
}

static void drop(struct reply *reply)
{
    list_remove(&reply->link);
    reply->resolver->reply_count--;
    free(reply->subject);
    free(reply);
}

/* ---- answers ------------------------------------------------------------------------------------ */

static void publish(const struct reply *reply, struct span payload)
{
    struct server *server = reply->resolver->server;
    if (*reply->subject)
        internal_publish(server->internal,
                         &(struct internal_message){ .account = server->system_account,
                                                     .subject = span_of(reply->subject),
                                                     .payload = payload });
}

static void begin(struct json *json, struct server *server)
{
    struct event_server stamp = events_stamp(server->events);
    json_object(json, NULL);
    event_put_server(json, &stamp);
}

static void end(const struct reply *reply, struct json *json, struct buf *body)
{
    json_object_end(json);
    publish(reply, buf_span(body));
    buf_free(body);
}

/* {"server":...,"data":{"account":...,"code":200,"message":...}}, or "error" with a "description". `account` NULL: is not
 * told. Takes the reply. */
static void answer(struct reply *reply, const char *account, bool is_good, const char *text)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    begin(&json, reply->resolver->server);
    json_object(&json, is_good ? "data" : "error");
    if (account)
        json_string(&json, "account", account);
    json_int(&json, "code", is_good ? 200 : 500);
    json_string(&json, is_good ? "message" : "description", text);
    json_object_end(&json);
    end(reply, &json, &body);
    drop(reply);
}

/* ---- updates ------------------------------------------------------------------------------------ */

static void refuse_update(struct reply *reply, const char *problem)
{
    char *text = mem_printf("jwt update resulted in error - %s", problem);
    log_err("%s: %s", text, reply->account);
    answer(reply, reply->account, false, text);
    free(text);
}

static void on_updated(void *ctx, const char *problem, bool was_skipped)
{
    struct reply *reply = ctx;
    const char *text = !was_skipped                              ? "jwt updated"
                       : reply->resolver->kind == RESOLVER_CACHE ? "jwt update cache skipped"
                                                                 : "jwt update skipped";
    if (problem) {
        refuse_update(reply, problem);
        return;
    }
    log_dbg("%s - %s", text, reply->account);
    answer(reply, reply->account, true, text);
}

static void name_account(struct reply *reply, struct span account)
{
    memcpy(reply->account, account.ptr, NKEY_PUBLIC_LEN);
    reply->account[NKEY_PUBLIC_LEN] = '\0';
}

/* `named`: the account that the subject names; empty = none. */
static void update(struct resolver *resolver, const struct internal_message *message,
                   struct span named)
{
    struct error err = { "" };
    struct reply *reply = reply_to(resolver, message);
    struct span token = jwt_find_token(message->payload);
    struct jwt *jwt = jwt_decode(token, &err);
    if (jwt && jwt->kind != JWT_ACCOUNT)
        error_set(&err, "not account claim");
    else if (jwt && named.len > 0 && !span_is(named, jwt->subject))
        error_set(&err, "subject does not match jwt content");
    if (named.len == NKEY_PUBLIC_LEN && (jwt || !resolver_has_directory(resolver)))
        name_account(reply, named);
    else if (jwt && jwt->kind == JWT_ACCOUNT)
        name_account(reply, span_of(jwt->subject));
    jwt_free(jwt);
    if (err.text[0])
        refuse_update(reply, err.text);
    else
        resolver_update(resolver, reply->account, token, on_updated, reply);
}

/* "$SYS.ACCOUNT.<A>..." and "$SYS.REQ.ACCOUNT.<A>...": what stands between that and the two last tokens. */
static struct span account_token(struct span subject)
{
    const char *prefix = span_starts(subject, "$SYS.REQ.") ? "$SYS.REQ.ACCOUNT." : "$SYS.ACCOUNT.";
    size_t begin = strlen(prefix), end = subject.len - strlen(".CLAIMS.UPDATE");
    return span_make(subject.ptr + begin, end - begin);
}

static void serve_update(struct resolver *resolver, const struct internal_message *message)
{
    update(resolver, message, (struct span){ 0 });
}

static void serve_account_update(struct resolver *resolver, const struct internal_message *message)
{
    update(resolver, message, account_token(message->subject));
}

/* ---- what is there ------------------------------------------------------------------------------ */

static void on_listed(void *ctx, const struct resolver_entry *entries, size_t count,
                      const uint8_t digest[32])
{
    struct reply *reply = ctx;
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    (void)digest;
    begin(&json, reply->resolver->server);
    json_array(&json, "data");
    for (size_t i = 0; i < count; i++)
        json_string(&json, NULL, entries[i].account);
    json_array_end(&json);
    end(reply, &json, &body);
    drop(reply);
}

static void serve_list(struct resolver *resolver, const struct internal_message *message)
{
    resolver_list(resolver, on_listed, reply_to(resolver, message));
}

static void on_looked_up(void *ctx, const struct resolver_entry *entries, size_t count,
                         const uint8_t digest[32])
{
    struct reply *reply = ctx;
    (void)digest;
    publish(reply, count > 0 ? span_of(entries[0].token) : (struct span){ 0 });
    drop(reply);
}

/* What is no account cannot be there, and must not become the name of a file. */
static void serve_lookup(struct resolver *resolver, const struct internal_message *message)
{
    struct span account = account_token(message->subject); /* LOOKUP is as long as UPDATE */
    struct reply *reply = reply_to(resolver, message);
    uint8_t key[32];
    if (!nkey_read_public(account, NKEY_ACCOUNT, key)) {
        publish(reply, (struct span){ 0 });
        drop(reply);
        return;
    }
    name_account(reply, account);
    resolver_lookup(resolver, reply->account, on_looked_up, reply);
}

static void on_packed(void *ctx, const struct resolver_entry *entries, size_t count,
                      const uint8_t digest[32])
{
    struct reply *reply = ctx;
    struct buf line = { 0 };
    bool is_known = reply->has_digest && memcmp(reply->digest, digest, DIGEST_LEN) == 0;
    for (size_t i = 0; !is_known && i < count; i++) {
        if (!entries[i].token)
            continue;
        buf_clear(&line);
        buf_printf(&line, "%s|%s", entries[i].account, entries[i].token);
        publish(reply, buf_span(&line));
    }
    publish(reply, (struct span){ 0 });
    buf_free(&line);
    drop(reply);
}

static void serve_pack(struct resolver *resolver, const struct internal_message *message)
{
    struct reply *reply = reply_to(resolver, message);
    reply->has_digest = message->payload.len == DIGEST_LEN;
    if (reply->has_digest)
        memcpy(reply->digest, message->payload.ptr, DIGEST_LEN);
    resolver_pack(resolver, on_packed, reply);
}

/* ---- deletions ---------------------------------------------------------------------------------- */

/* Takes the reply. */
static void refuse_delete(struct reply *reply, const char *who, const char *problem)
{
    char *text = mem_printf("delete accounts request by %s failed - %s", who, problem);
    log_err("%s", text);
    answer(reply, NULL, false, text);
    free(text);
}

static void on_deleted(void *ctx, const char *problem, bool was_skipped)
{
    struct reply *reply = ctx;
    (void)was_skipped;
    if (problem) {
        refuse_delete(reply, "the operator", problem);
        return;
    }
    char *text = mem_printf("deleted %zu accounts", reply->count);
    answer(reply, NULL, true, text);
    free(text);
}

/* Why not; NULL when it may be. */
static const char *find_flaw(const struct resolver *resolver, const struct jwt *jwt)
{
    const struct account *system = resolver->server->system_account;
    const struct jwt_texts *accounts = &jwt->generic.accounts;
    uint8_t key[32];
    if (!resolver->dir.allow_delete)
        return "delete must be enabled in server config";
    if (strcmp(jwt->issuer, jwt->subject) != 0)
        return "not self signed";
    if (!operator_trusts(resolver->server->options, jwt->issuer))
        return "not trusted";
    if (jwt->kind != JWT_GENERIC || accounts->count == 0)
        return "malformed request";
    for (size_t i = 0; i < accounts->count; i++) {
        if (!nkey_read_public(span_of(accounts->items[i]), NKEY_ACCOUNT, key))
            return "malformed request";
        if (strcmp(accounts->items[i], system->name) == 0)
            return "not allowed to delete system account";
    }
    return NULL;
}

static void serve_delete(struct resolver *resolver, const struct internal_message *message)
{
    struct error err = { "" };
    struct reply *reply = reply_to(resolver, message);
    struct jwt *jwt = jwt_decode(jwt_find_token(message->payload), &err);
    const char *flaw = jwt ? find_flaw(resolver, jwt) : err.text;
    if (flaw) {
        refuse_delete(reply, jwt ? jwt->subject : "", flaw);
    } else {
        reply->count = jwt->generic.accounts.count;
        resolver_delete(resolver, jwt->generic.accounts.items, reply->count, on_deleted, reply);
    }
    jwt_free(jwt);
}

/* ---- subjects ----------------------------------------------------------------------------------- */

#define IS(kind)  (1u << (kind))
#define DIRECTORY (IS(RESOLVER_FULL) | IS(RESOLVER_CACHE))

static const struct request {
    const char *subject;
    void (*serve)(struct resolver *resolver, const struct internal_message *message);
    unsigned kinds; /* resolvers that answer it; 0 = all */
} REQUESTS[] = {
    {"$SYS.REQ.CLAIMS.UPDATE",            serve_update,         DIRECTORY        },
    { "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE", serve_account_update, 0                },
    { "$SYS.ACCOUNT.*.CLAIMS.UPDATE",     serve_account_update, 0                },
    { "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP", serve_lookup,         IS(RESOLVER_FULL)},
    { "$SYS.REQ.CLAIMS.LIST",             serve_list,           DIRECTORY        },
    { "$SYS.REQ.CLAIMS.DELETE",           serve_delete,         DIRECTORY        },
    { "$SYS.REQ.CLAIMS.PACK",             serve_pack,           IS(RESOLVER_FULL)},
};
enum { REQUEST_COUNT = sizeof REQUESTS / sizeof *REQUESTS };

struct binding {
    struct resolver *resolver;
    const struct request *request;
};

/* What the server itself asks is meant for others. */
static void on_request(void *ctx, const struct internal_message *message)
{
    const struct binding *binding = ctx;
    struct resolver *resolver = binding->resolver;
    if (resolver->is_stopped || message->origin.cid == 0)
        return;
    if (resolver->reply_count < REPLIES_MAX)
        binding->request->serve(resolver, message);
    else
        answer(reply_to(resolver, message), NULL, false, "too many requests are under way");
}

void resolver_requests_start(struct resolver *resolver)
{
    struct server *server = resolver->server;
    if (!server->system_account)
        return;
    resolver->bindings = mem_zero(REQUEST_COUNT * sizeof *resolver->bindings);
    for (size_t i = 0; i < REQUEST_COUNT; i++) {
        const struct request *request = &REQUESTS[i];
        struct binding *binding = &resolver->bindings[i];
        *binding = (struct binding){ resolver, request };
        if (!request->kinds || (request->kinds & IS(resolver->kind)))
            internal_subscribe(server->internal, server->system_account, request->subject,
                               on_request, binding);
    }
}

void resolver_requests_free(struct resolver *resolver)
{
    list_each(link, &resolver->replies) drop(list_entry(link, struct reply, link));
    free(resolver->bindings);
}
