/* monitor_subsz.c - /subsz: figures of the subject index, and the subscriptions themselves on request. */
#include "monitor_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "parser/subject.h"

#include "account.h"
#include "conn_info.h"
#include "internal.h"

#include <stdlib.h>

#define LIMIT_DEFAULT 1024

struct index_stats {
    uint64_t num_subscriptions, num_cache, num_inserts, num_removes, num_matches, max_fanout;
    double cache_hit_rate, avg_fanout;
};

/* One page of the list of subscriptions. */
struct page {
    uint64_t total;
    int64_t offset, limit;
};

#define S(member, kind) ROW(struct index_stats, member, kind)
static const struct row INDEX_ROWS[] = {
    S(num_subscriptions, ROW_UINT), S(num_cache, ROW_UINT),   S(num_inserts, ROW_UINT),
    S(num_removes, ROW_UINT),       S(num_matches, ROW_UINT), S(cache_hit_rate, ROW_FLOAT),
    S(max_fanout, ROW_UINT),        S(avg_fanout, ROW_FLOAT), ROW_END,
};

#define P(member, kind) ROW(struct page, member, kind)
static const struct row PAGE_ROWS[] = {
    P(total, ROW_UINT),
    P(offset, ROW_INT),
    P(limit, ROW_INT),
    ROW_END,
};

struct subsz_request {
    struct monitor_request http;
    struct page page;
    struct buf test; /* a literal subject that the subscriptions have to match */
    struct buf account;
};

static void add_stats(struct subjects_stats *sum, const struct subjects *subjects)
{
    struct subjects_stats stats = subjects_stats(subjects);
    sum->subscriptions += stats.subscriptions;
    sum->inserts += stats.inserts;
    sum->removes += stats.removes;
    sum->matches += stats.matches;
    sum->cache_hits += stats.cache_hits;
    sum->cached += stats.cached;
    sum->total_fanout += stats.total_fanout;
    if (stats.max_fanout > sum->max_fanout)
        sum->max_fanout = stats.max_fanout;
}

/* Of one account, or (NULL) of all together. */
static struct index_stats stats_of(const struct server *server, const struct account *account)
{
    struct subjects_stats stats = { 0 };
    for (unsigned i = 0; i < server->accounts.count; i++)
        if (!account || account == server->accounts.items[i])
            add_stats(&stats, server->accounts.items[i]->subjects);
    uint64_t lookups = stats.matches + stats.cache_hits;
    struct index_stats index = { .num_subscriptions = stats.subscriptions,
                                 .num_inserts = stats.inserts,
                                 .num_removes = stats.removes,
                                 .num_matches = lookups,
                                 .num_cache = stats.cached,
                                 .max_fanout = stats.max_fanout };
    if (lookups > 0)
        index.cache_hit_rate = (double)stats.cache_hits / (double)lookups;
    if (stats.matches > 0)
        index.avg_fanout = (double)stats.total_fanout / (double)stats.matches;
    return index;
}

void subsz_print_index(struct json *json, const struct server *server,
                       const struct account *account)
{
    struct index_stats index = stats_of(server, account);
    rows_print_json(json, INDEX_ROWS, &index);
}

/* One page of all subscriptions that are asked for. */
struct listing {
    struct json *json;
    const struct subsz_request *request;
    uint64_t total; /* so far, on all pages */
};

static void list_sub(struct listing *listing, const struct conn_info *conn,
                     const struct sub_info *sub)
{
    const struct subsz_request *request = listing->request;
    uint64_t first = (uint64_t)request->page.offset, limit = (uint64_t)request->page.limit;
    if (request->account.len && !span_is(buf_span(&request->account), conn->account))
        return;
    if (request->test.len && !subject_matches(span_of(sub->subject), buf_span(&request->test)))
        return;
    if (listing->total >= first && listing->total - first < limit)
        monitor_print_sub(listing->json, conn, sub, true);
    listing->total++;
}

/* What the server itself listens to has no connection: that of the client 0. */
static void list_internal(void *ctx, const struct account *account, const struct sub *sub)
{
    struct sub_info info = { .subject = mem_strspan(sub_subject(sub)),
                             .queue = mem_strspan(sub_queue(sub)),
                             .sid = mem_strspan(sub_sid(sub)),
                             .delivered = sub->delivered };
    list_sub(ctx, &(struct conn_info){ .account = account->name }, &info);
    free(info.subject);
    free(info.queue);
    free(info.sid);
}

/* Returns how many there are in all. */
static uint64_t print_list(struct json *json, const struct subsz_request *request,
                           const struct gathered *all)
{
    struct listing listing = { json, request, 0 };
    for (size_t c = 0; c < all->count; c++)
        for (size_t i = 0; i < all->items[c].subs_count; i++)
            list_sub(&listing, &all->items[c], &all->items[c].subs[i]);
    internal_each(request->http.server->internal, list_internal, &listing);
    return listing.total;
}

static void answer(const struct subsz_request *request, const struct gathered *all)
{
    struct index_stats index = { 0 };
    struct page page = request->page;
    struct buf list = { 0 }, body = { 0 };
    const struct server *server = request->http.server;
    const struct account *account = accounts_find(&server->accounts, buf_span(&request->account));
    if (account || request->account.len == 0)
        index = stats_of(server, account);
    if (all) {
        struct json items = json_begin(&list, 0);
        json_array(&items, NULL);
        page.total = print_list(&items, request, all);
        json_array_end(&items);
    }
    struct json json = monitor_json_begin(&request->http, &body);
    json_object(&json, NULL);
    json_string(&json, "server_id", server->id);
    json_time(&json, "now", clock_wall_ns());
    rows_print_json(&json, INDEX_ROWS, &index);
    rows_print_json(&json, PAGE_ROWS, &page);
    if (list.len > sizeof "[]" - 1)
        json_raw(&json, "subscriptions_list", buf_span(&list));
    json_object_end(&json);
    monitor_answer_json(&request->http, 200, buf_span(&body));
    buf_free(&list);
    buf_free(&body);
}

static void free_request(struct subsz_request *request)
{
    buf_free(&request->test);
    buf_free(&request->account);
    free(request);
}

static void finish(void *ctx, struct gathered *all)
{
    struct subsz_request *request = ctx;
    answer(request, all);
    gathered_free(all);
    free_request(request);
}

static bool read_params(struct subsz_request *request, bool *subs, struct error *err)
{
    request->page.limit = LIMIT_DEFAULT;
    if (!param_bool(&request->http, "subs", subs, err) ||
        !param_int(&request->http, "offset", &request->page.offset, err) ||
        !param_int(&request->http, "limit", &request->page.limit, err))
        return false;
    param_text(&request->http, "acc", &request->account);
    param_text(&request->http, "test", &request->test);
    struct span test = buf_span(&request->test);
    if (test.len && !subject_is_valid_publish(test))
        return error_set(err, "invalid test subject, must be valid publish subject: %s",
                         buf_str(&request->test));
    if (request->page.offset < 0)
        request->page.offset = 0;
    if (request->page.limit <= 0)
        request->page.limit = LIMIT_DEFAULT;
    return true;
}

void monitor_subsz(struct monitor_request *http)
{
    struct subsz_request *request = mem_zero(sizeof *request);
    struct error err;
    bool subs = false;
    request->http = *http;
    if (!read_params(request, &subs, &err)) {
        monitor_answer_text(http, 400, err.text);
        free_request(request);
        return;
    }
    request->http.query = (struct span){ 0 };
    if (subs) {
        monitor_gather(http->server, true, false, finish, request);
        return;
    }
    answer(request, NULL);
    free_request(request);
}

void subsz_print_metrics(struct server *server, struct buf *out)
{
    struct index_stats index = stats_of(server, NULL);
    struct page page = { .limit = LIMIT_DEFAULT };
    rows_print_metrics(out, "gnatsd_subsz", INDEX_ROWS, &index);
    rows_print_metrics(out, "gnatsd_subsz", PAGE_ROWS, &page);
}
