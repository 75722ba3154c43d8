/* monitor_connz.c - /connz: connections, open and closed; filter, sort, slice, print. */
#include "monitor_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "parser/subject.h"

#include "account.h"
#include "closed.h"
#include "conn_info.h"

#include <stdlib.h>

#define LIMIT_DEFAULT 1024

enum conn_state { STATE_OPEN = 1, STATE_CLOSED = 2, STATE_ANY = 3 };

struct sort_order;

struct connz_request {
    struct monitor_request http;
    const struct sort_order *order;
    struct conn_detail detail;
    bool shows_subs, subs_in_detail;
    enum conn_state state;
    int64_t offset, limit;
    uint64_t cid;                     /* 0 = any */
    struct buf user, account, filter; /* filter: a subject that one of its subscriptions overlaps */
};

/* ---- sorting ------------------------------------------------------------------------------------------------ */

typedef int64_t sort_key_fn(const struct conn_info *info, int64_t now_ns);

static int64_t key_cid(const struct conn_info *info, int64_t now_ns)
{
    (void)now_ns;
    return (int64_t)info->cid;
}

#define KEY(name, expression)                                                                      \
    static int64_t key_##name(const struct conn_info *info, int64_t now_ns)                        \
    {                                                                                              \
        (void)now_ns;                                                                              \
        return (int64_t)(expression);                                                              \
    }

KEY(subs, info->sub_count)
KEY(pending, info->pending_bytes)
KEY(msgs_to, info->out_msgs)
KEY(msgs_from, info->in_msgs)
KEY(bytes_to, info->out_bytes)
KEY(bytes_from, info->in_bytes)
KEY(last, info->last_activity_ns)
KEY(idle, (info->stop_ns ? info->stop_ns : now_ns) - info->last_activity_ns)
KEY(uptime, (info->stop_ns ? info->stop_ns : now_ns) - info->start_ns)
KEY(rtt, info->rtt_ns)
KEY(stop, info->stop_ns)

static const struct sort_order {
    const char *name;
    sort_key_fn *key; /* NULL: by the text of the reason */
    bool descending, closed_only;
} ORDERS[] = {
    {"cid",            key_cid,        false, false},
    { "start",         key_cid,        false, false},
    { "subs",          key_subs,       true,  false},
    { "pending",       key_pending,    true,  false},
    { "msgs_to",       key_msgs_to,    true,  false},
    { "out_msgs",      key_msgs_to,    true,  false},
    { "msgs_from",     key_msgs_from,  true,  false},
    { "in_msgs",       key_msgs_from,  true,  false},
    { "bytes_to",      key_bytes_to,   true,  false},
    { "out_bytes",     key_bytes_to,   true,  false},
    { "bytes_from",    key_bytes_from, true,  false},
    { "in_bytes",      key_bytes_from, true,  false},
    { "last",          key_last,       true,  false},
    { "last_activity", key_last,       true,  false},
    { "idle",          key_idle,       true,  false},
    { "uptime",        key_uptime,     false, false},
    { "rtt",           key_rtt,        true,  false},
    { "stop",          key_stop,       true,  true },
    { "reason",        NULL,           false, true },
};

struct sort_context {
    const struct sort_order *order;
    int64_t now_ns;
};

static int compare(const void *a, const void *b, void *arg)
{
    const struct sort_context *context = arg;
    const struct conn_info *left = a, *right = b;
    int result = 0;
    if (!context->order->key) {
        result = strcmp(close_row(left->reason)->text, close_row(right->reason)->text);
    } else {
        int64_t l = context->order->key(left, context->now_ns),
                r = context->order->key(right, context->now_ns);
        result = (l > r) - (l < r);
    }
    if (context->order->descending)
        result = -result;
    return result ? result : (left->cid > right->cid) - (left->cid < right->cid);
}

/* ---- printing ------------------------------------------------------------------------------------------------- */

/* What one connection shows; `info` holds the lists. */
struct connz_item {
    const struct conn_info *info;
    const struct connz_request *request;
    uint64_t cid, in_msgs, out_msgs, in_bytes, out_bytes, pending_bytes, stalls, subscriptions;
    const char *kind, *type, *ip, *reason, *name, *lang, *version, *tls_version, *tls_cipher_suite,
        *authorized_user, *account, *jwt, *issuer_key, *name_tag, *ocsp_verdict;
    struct string_list tags;
    int64_t port, start, last_activity, stop, rtt, uptime, idle, ocsp_checked;
    bool tls_first;
};

static const struct row CERT_ROWS[] = {
    ROW_OMIT(struct cert_info, subject, ROW_STRING),
    ROW_END,
};

static void print_certs(struct json *json, const char *name, const void *member)
{
    const struct conn_info *info = *(const struct conn_info *const *)member;
    if (info->cert_count == 0)
        return;
    json_array(json, name);
    for (size_t i = 0; i < info->cert_count; i++) {
        json_object(json, NULL);
        rows_print_json(json, CERT_ROWS, &info->certs[i]);
        json_string(json, "spki_sha256", info->certs[i].spki_sha256);
        json_string(json, "cert_sha256", info->certs[i].cert_sha256);
        json_object_end(json);
    }
    json_array_end(json);
}

void monitor_print_sub(struct json *json, const struct conn_info *info, const struct sub_info *sub,
                       bool with_account)
{
    json_object(json, NULL);
    if (with_account) {
        json_string(json, "account", info->account);
        json_string(json, "account_tag", info->account);
    }
    json_string(json, "subject", sub->subject);
    if (*sub->queue)
        json_string(json, "qgroup", sub->queue);
    json_string(json, "sid", sub->sid);
    json_uint(json, "msgs", sub->delivered);
    if (sub->max)
        json_uint(json, "max", sub->max);
    json_uint(json, "cid", info->cid);
    json_object_end(json);
}

static void print_subs(struct json *json, const char *name, const void *member)
{
    const struct conn_info *info = *(const struct conn_info *const *)member;
    const struct connz_item *item = member;
    (void)name;
    if (info->subs_count == 0 || !item->request->shows_subs)
        return;
    json_array(json,
               item->request->subs_in_detail ? "subscriptions_list_detail" : "subscriptions_list");
    for (size_t i = 0; i < info->subs_count; i++) {
        if (item->request->subs_in_detail)
            monitor_print_sub(json, info, &info->subs[i], info->stop_ns != 0);
        else
            json_string(json, NULL, info->subs[i].subject);
    }
    json_array_end(json);
}

#define C(member, kind)      ROW(struct connz_item, member, kind)
#define C_OMIT(member, kind) ROW_OMIT(struct connz_item, member, kind)
#define C_CUSTOM(name, print)                                                                      \
    {                                                                                              \
        name, ROW_CUSTOM, offsetof(struct connz_item, info), false, NULL, print                    \
    }

static const struct row CONN_ROWS[] = {
    C(cid, ROW_UINT),
    C_OMIT(kind, ROW_STRING),
    C_OMIT(type, ROW_STRING),
    C(ip, ROW_STRING),
    C(port, ROW_INT),
    C(start, ROW_TIME),
    C(last_activity, ROW_TIME),
    C_OMIT(stop, ROW_TIME),
    C_OMIT(reason, ROW_STRING),
    C(rtt, ROW_DURATION),
    C(uptime, ROW_UPTIME),
    C(idle, ROW_UPTIME),
    C(pending_bytes, ROW_UINT),
    C(in_msgs, ROW_UINT),
    C(out_msgs, ROW_UINT),
    C(in_bytes, ROW_UINT),
    C(out_bytes, ROW_UINT),
    C_OMIT(stalls, ROW_UINT),
    C(subscriptions, ROW_UINT),
    C_OMIT(name, ROW_STRING),
    C_OMIT(lang, ROW_STRING),
    C_OMIT(version, ROW_STRING),
    C_OMIT(tls_version, ROW_STRING),
    C_OMIT(tls_cipher_suite, ROW_STRING),
    C_CUSTOM("tls_peer_certs", print_certs),
    C_OMIT(ocsp_verdict, ROW_STRING), /* this and the next are ours */
    C_OMIT(ocsp_checked, ROW_TIME),
    C_OMIT(tls_first, ROW_BOOL),
    C_OMIT(authorized_user, ROW_STRING),
    C_OMIT(account, ROW_STRING),
    C_CUSTOM("subscriptions_list", print_subs),
    C_OMIT(jwt, ROW_STRING),
    C_OMIT(issuer_key, ROW_STRING),
    C_OMIT(name_tag, ROW_STRING),
    C_OMIT(tags, ROW_STRINGS),
    ROW_END,
};

static void print_conn(struct json *json, const struct connz_request *request,
                       const struct conn_info *info, int64_t now_ns)
{
    int64_t end_ns = info->stop_ns ? info->stop_ns : now_ns;
    bool auth = request->detail.auth, is_global = strcmp(info->account, GLOBAL_ACCOUNT) == 0;
    struct connz_item item = {
        .info = info,
        .request = request,
        .cid = info->cid,
        .kind = "Client",
        .type = info->type,
        .ip = info->ip,
        .port = info->port,
        .start = info->start_ns,
        .last_activity = info->last_activity_ns,
        .stop = info->stop_ns,
        .reason = info->stop_ns ? close_row(info->reason)->text : NULL,
        .rtt = info->rtt_ns,
        .uptime = end_ns - info->start_ns,
        .idle = end_ns - info->last_activity_ns,
        .pending_bytes = info->pending_bytes,
        .in_msgs = info->in_msgs,
        .out_msgs = info->out_msgs,
        .in_bytes = info->in_bytes,
        .out_bytes = info->out_bytes,
        .stalls = info->stalls,
        .subscriptions = info->sub_count,
        .name = info->name,
        .lang = info->lang,
        .version = info->version,
        .tls_version = info->tls_version,
        .tls_cipher_suite = info->tls_cipher,
        .tls_first = info->tls_first,
        .ocsp_verdict = auth ? info->ocsp_verdict : NULL,
        .ocsp_checked = auth ? info->ocsp_checked_ns : 0,
        .authorized_user = auth ? info->user : NULL,
        .account = auth && !is_global ? info->account : NULL,
        .jwt = info->identity.jwt,
        .issuer_key = info->identity.issuer_key,
        .name_tag = info->identity.name_tag                 ? info->identity.name_tag
                    : auth && !(info->stop_ns && is_global) ? info->account
                                                            : NULL,
        .tags = {(const char *const *)info->identity.tags, info->identity.tag_count},
    };
    json_object(json, NULL);
    rows_print_json(json, CONN_ROWS, &item);
    json_object_end(json);
}

static void print_page(const struct connz_request *request, const struct gathered *all,
                       size_t total, int64_t now_ns, struct buf *out)
{
    size_t first = (size_t)request->offset < all->count ? (size_t)request->offset : all->count;
    size_t left = all->count - first;
    size_t count = (size_t)request->limit < left ? (size_t)request->limit : left;
    struct json json = monitor_json_begin(&request->http, out);
    json_object(&json, NULL);
    json_string(&json, "server_id", request->http.server->id);
    json_time(&json, "now", now_ns);
    json_uint(&json, "num_connections", count);
    json_uint(&json, "total", total);
    json_int(&json, "offset", request->offset);
    json_int(&json, "limit", request->limit);
    json_array(&json, "connections");
    for (size_t i = first; i < first + count; i++)
        print_conn(&json, request, &all->items[i], now_ns);
    json_array_end(&json);
    json_object_end(&json);
}

/* ---- filtering --------------------------------------------------------------------------------------------------- */

static bool is_in_account(const struct connz_request *request, const struct conn_info *info)
{
    return request->account.len == 0 || span_is(buf_span(&request->account), info->account);
}

static bool has_sub(const struct conn_info *info, struct span subject)
{
    for (size_t i = 0; i < info->subs_count; i++)
        if (subject_overlaps(span_of(info->subs[i].subject), subject))
            return true;
    return false;
}

static bool is_wanted(const struct connz_request *request, const struct conn_info *info)
{
    bool cid_fits = request->cid == 0 || info->cid == request->cid;
    bool user_fits =
        request->user.len == 0 || (info->user && span_is(buf_span(&request->user), info->user));
    bool subs_fit = request->filter.len == 0 || has_sub(info, buf_span(&request->filter));
    return cid_fits && user_fits && subs_fit;
}

/* Drops what is not wanted; `total` is what the account has, whatever the other filters say. */
static size_t filter(const struct connz_request *request, struct gathered *all)
{
    size_t total = 0, kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct conn_info *info = &all->items[i];
        bool in_account = is_in_account(request, info);
        total += in_account;
        if (in_account && is_wanted(request, info))
            all->items[kept++] = *info;
        else
            conn_info_clear(info);
    }
    all->count = kept;
    return total;
}

/* ---- the request's way ---------------------------------------------------------------------------------------------- */

struct copy_context {
    const struct connz_request *request;
    struct gathered *all;
    size_t cap;
};

static void copy_closed(void *ctx, const struct conn_info *info)
{
    struct copy_context *context = ctx;
    struct gathered *all = context->all;
    if (all->count >= context->cap) {
        context->cap = context->cap ? context->cap * 2 : 64;
        all->items = mem_resize_array(all->items, context->cap, sizeof *all->items);
    }
    conn_info_copy(info, &context->request->detail, &all->items[all->count++]);
}

static void free_request(struct connz_request *request)
{
    buf_free(&request->user);
    buf_free(&request->account);
    buf_free(&request->filter);
    free(request);
}

static void finish(void *ctx, struct gathered *open)
{
    struct connz_request *request = ctx;
    struct gathered all = *open;
    struct copy_context context = { request, &all, all.count };
    int64_t now_ns = clock_wall_ns();
    if (request->state & STATE_CLOSED)
        closed_ring_each(request->http.server->closed, copy_closed, &context);
    size_t total = filter(request, &all);
    struct sort_context order = { request->order, now_ns };
    if (all.count > 1)
        qsort_r(all.items, all.count, sizeof *all.items, compare, &order);

    struct buf body = { 0 };
    print_page(request, &all, total, now_ns, &body);
    monitor_answer_json(&request->http, 200, buf_span(&body));
    buf_free(&body);
    gathered_free(&all);
    free_request(request);
}

static bool read_order(struct connz_request *request, struct error *err)
{
    struct buf text = { 0 };
    request->order = &ORDERS[0];
    if (param_text(&request->http, "sort", &text) && text.len > 0) {
        request->order = NULL;
        for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++)
            if (span_is(buf_span(&text), ORDERS[i].name))
                request->order = &ORDERS[i];
    }
    bool ok = request->order;
    if (!ok)
        error_set(err, "invalid sorting option: %s", buf_str(&text));
    else if (request->order->closed_only && request->state != STATE_CLOSED)
        ok = error_set(err, "sort by %s only valid on closed connections", request->order->name);
    buf_free(&text);
    return ok;
}

static bool read_state(struct connz_request *request, struct error *err)
{
    static const struct {
        const char *name;
        enum conn_state state;
    } STATES[] = {
        {"open",    STATE_OPEN  },
        { "closed", STATE_CLOSED},
        { "any",    STATE_ANY   },
        { "all",    STATE_ANY   }
    };
    struct buf text = { 0 };
    request->state = STATE_OPEN;
    bool known = !param_text(&request->http, "state", &text) || text.len == 0;
    for (size_t i = 0; !known && i < sizeof STATES / sizeof *STATES; i++)
        if (span_is_nocase(buf_span(&text), STATES[i].name)) {
            request->state = STATES[i].state;
            known = true;
        }
    if (!known)
        error_set(err, "Error decoding state for %s", buf_str(&text));
    buf_free(&text);
    return known;
}

static bool read_subs(struct connz_request *request, struct error *err)
{
    struct buf text = { 0 };
    param_text(&request->http, "subs", &text);
    request->subs_in_detail = span_is_nocase(buf_span(&text), "detail");
    buf_free(&text);
    request->shows_subs = request->subs_in_detail;
    bool ok =
        request->subs_in_detail || param_bool(&request->http, "subs", &request->shows_subs, err);
    request->detail.subs = request->shows_subs;
    return ok;
}

/* Only messages ask for it. */
static bool read_filter(struct connz_request *request, struct error *err)
{
    if (!request->http.reply || !param_text(&request->http, "filter_subject", &request->filter) ||
        request->filter.len == 0)
        return true;
    request->detail.subs = true;
    return request->account.len > 0 ||
           error_set(err, "filter by subject only valid with account filtering");
}

static bool read_params(struct connz_request *request, struct error *err)
{
    request->limit = LIMIT_DEFAULT;
    if (!read_state(request, err) || !read_order(request, err) ||
        !param_bool(&request->http, "auth", &request->detail.auth, err) ||
        !read_subs(request, err) || !param_int(&request->http, "offset", &request->offset, err) ||
        !param_int(&request->http, "limit", &request->limit, err) ||
        !param_uint(&request->http, "cid", &request->cid, err))
        return false;
    param_text(&request->http, "user", &request->user);
    param_text(&request->http, "acc", &request->account);
    if (!read_filter(request, err))
        return false;
    if (request->offset < 0)
        request->offset = 0;
    if (request->limit <= 0)
        request->limit = LIMIT_DEFAULT;
    if (request->cid)
        request->limit = 1;
    return true;
}

void monitor_connz(struct monitor_request *http)
{
    struct connz_request *request = mem_zero(sizeof *request);
    struct error err;
    request->http = *http;
    if (!read_params(request, &err)) {
        monitor_answer_text(http, 400, err.text);
        free_request(request);
        return;
    }
    request->http.query = (struct span){ 0 }; /* gone when the workers have answered */
    if (request->state & STATE_OPEN) {
        monitor_gather(http->server, request->detail.subs, request->detail.auth, finish, request);
    } else {
        struct gathered none = { 0 };
        finish(request, &none);
    }
}
