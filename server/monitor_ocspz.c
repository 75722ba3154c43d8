/* monitor_ocspz.c - /ocspz: how the check of peers goes: verdicts, fetches, responders, remembered answers; the
 * same figures as metrics. An endpoint of our own. */
#include "monitor_private.h"

#include "base/clock.h"
#include "base/text.h"

#include "ocsp/ocsp.h"
#include "events.h"
#include "options.h"

#include <string.h>

#define LIMIT_DEFAULT 1024
#define LIMIT_MAX     10000 /* what one answer may hold up the control loop for */

/* ---- figures ------------------------------------------------------------------------------------------ */

static void print_links(struct json *json, const char *name, const void *member)
{
    const struct ocsp_report *report = member;
    json_object(json, name);
    json_uint(json, "good", report->good);
    json_uint(json, "revoked", report->revoked);
    json_uint(json, "unknown", report->unknown);
    json_object_end(json);
}

/* Verdicts that nobody had are left out. */
static void print_verdicts(struct json *json, const char *name, const uint64_t *counts)
{
    json_object(json, name);
    for (enum ocsp_peer_verdict v = 0; v < OCSP_PEER_VERDICTS; v++)
        if (counts[v] > 0)
            json_uint(json, ocsp_peer_verdict_name(v), counts[v]);
    json_object_end(json);
}

static void print_accepted(struct json *json, const char *name, const void *member)
{
    print_verdicts(json, name, ((const struct ocsp_report *)member)->accepted);
}

static void print_rejected(struct json *json, const char *name, const void *member)
{
    print_verdicts(json, name, ((const struct ocsp_report *)member)->rejected);
}

/* {"5ms": 3, "10ms": 0, ... "more": 0}: each exchange stands where it belongs, once. */
static void print_latency(struct json *json, const struct ocsp_exchanges *exchanges)
{
    struct buf bound = { 0 };
    json_object(json, "latency");
    for (size_t i = 0; i < OCSP_LATENCY_BUCKETS; i++) {
        buf_clear(&bound);
        if (ocsp_latency_bound_ns(i) == INT64_MAX)
            buf_append_str(&bound, "more");
        else
            duration_print(&bound, ocsp_latency_bound_ns(i));
        json_uint(json, buf_str(&bound), exchanges->latency[i]);
    }
    json_object_end(json);
    buf_free(&bound);
}

#define X(member) ROW(struct ocsp_exchanges, member, ROW_UINT)
#define X_TIME(n, mem)                                                                             \
    {                                                                                              \
        n, ROW_TIME, offsetof(struct ocsp_exchanges, mem), true, NULL, NULL                        \
    }

static const struct row EXCHANGE_ROWS[] = {
    X(requests),
    X(failures),
    X(timeouts),
    X(spared),
    X_TIME("last_success", last_success_ns),
    X_TIME("last_failure", last_failure_ns),
    ROW_END,
};

static void print_exchanges(struct json *json, const char *name, const void *member)
{
    const struct ocsp_report *report = member;
    json_object(json, name);
    rows_print_json(json, EXCHANGE_ROWS, &report->exchanges);
    print_latency(json, &report->exchanges);
    json_object_end(json);
}

static void print_responders(struct json *json, const char *name, const void *member)
{
    const struct ocsp_report *report = member;
    json_array(json, name);
    for (size_t i = 0; i < report->responder_count; i++) {
        const struct ocsp_responder *responder = &report->responders[i];
        json_object(json, NULL);
        json_string(json, "responder", responder->origin);
        json_string(json, "breaker", ocsp_breaker_name(responder->breaker));
        json_uint(json, "in_flight", responder->in_flight);
        rows_print_json(json, EXCHANGE_ROWS, &responder->exchanges);
        print_latency(json, &responder->exchanges);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The figures, and the page of entries. */
struct ocspz {
    const char *server_id, *cache_type;
    int64_t now, max_pending_verifications, offset, limit;
    bool enabled;
    uint64_t pending_handshakes, fetches_in_flight, fetches_queued, num_entries, total;
    struct ocsp_report report;
    struct ocsp_refresh_stats refresh;
    struct advisory_stats advisories;
};

#define Z(member, kind) ROW(struct ocspz, member, kind)

#define Z_REPORT(name, print)                                                                      \
    {                                                                                              \
        name, ROW_CUSTOM, offsetof(struct ocspz, report), false, NULL, print                       \
    }

static const struct row OCSPZ_ROWS[] = {
    Z(server_id, ROW_STRING),
    Z(now, ROW_TIME),
    Z(enabled, ROW_BOOL),
    ROW_END,
};

#define R(member) ROW(struct ocsp_refresh_stats, member, ROW_UINT)
static const struct row REFRESH_ROWS[] = {
    R(watched), R(used), R(renewed), R(failed), R(revoked), ROW_END,
};

static const struct row ADVISORY_ROWS[] = {
    ROW(struct advisory_stats, sent, ROW_UINT),
    ROW(struct advisory_stats, withheld, ROW_UINT),
    ROW_END,
};

/* Only where peers are checked. */
static const struct row CHECK_ROWS[] = {
    Z(cache_type, ROW_STRING),
    Z(pending_handshakes, ROW_UINT),
    Z(max_pending_verifications, ROW_INT),
    Z(fetches_in_flight, ROW_UINT),
    Z(fetches_queued, ROW_UINT),
    Z_REPORT("links", print_links),
    Z_REPORT("accepted", print_accepted),
    Z_REPORT("rejected", print_rejected),
    Z_REPORT("fetches", print_exchanges),
    Z_REPORT("responders", print_responders),
    {"refresh",     ROW_OBJECT, offsetof(struct ocspz, refresh),    false, REFRESH_ROWS,  NULL},
    { "advisories", ROW_OBJECT, offsetof(struct ocspz, advisories), false, ADVISORY_ROWS, NULL},
    Z(num_entries, ROW_UINT),
    Z(total, ROW_UINT),
    Z(offset, ROW_INT),
    Z(limit, ROW_INT),
    ROW_END,
};

static void fill(struct server *server, struct ocspz *z)
{
    bool is_none = ocsp_cache_stats(server->ocsp_cache).type == OCSP_CACHE_NONE;
    *z = (struct ocspz){
        .server_id = server->id,
        .now = clock_wall_ns(),
        .enabled = server->ocsp && options_use_ocsp(server->options),
        .cache_type = is_none ? "none" : "local",
        .pending_handshakes =
            (uint64_t)atomic_load_explicit(&server->pending_checks, memory_order_relaxed),
        .max_pending_verifications = server->options->max_pending_verifications,
    };
    if (!server->ocsp)
        return;
    ocsp_report_take(server->ocsp, &z->report);
    z->refresh = ocsp_refresh_stats(server->ocsp);
    z->advisories = events_advisory_stats(server);
    z->fetches_in_flight = z->report.in_flight;
    z->fetches_queued = z->report.queued;
}

/* ---- entries ------------------------------------------------------------------------------------------ */

static void print_entry(struct json *json, const struct ocsp *ocsp, const struct ocsp_entry *entry)
{
    int64_t next_refresh_ns = ocsp_next_refresh_ns(ocsp, entry);
    struct buf fingerprint = { 0 };
    base64_encode(&fingerprint, span_make(entry->fingerprint, sizeof entry->fingerprint),
                  BASE64_STD);
    json_object(json, NULL);
    json_span(json, "fingerprint", buf_span(&fingerprint));
    json_string(json, "subject", entry->subject);
    json_string(json, "status", ocsp_status_name(entry->status));
    json_bool(json, "verified", entry->is_verified);
    if (entry->this_update_ns)
        json_time(json, "this_update", entry->this_update_ns);
    if (entry->next_update_ns)
        json_time(json, "next_update", entry->next_update_ns);
    json_time(json, "cached_at", entry->cached_at_ns);
    if (next_refresh_ns)
        json_time(json, "next_refresh", next_refresh_ns);
    json_uint(json, "hits", entry->hits);
    json_object_end(json);
    buf_free(&fingerprint);
}

static void answer(const struct monitor_request *request, const struct ocsp_listing *listing)
{
    struct ocspz z;
    struct ocsp_entries entries = { 0 };
    struct buf body = { 0 };
    fill(request->server, &z);
    struct json json = json_begin(&body, 2);
    json_object(&json, NULL);
    rows_print_json(&json, OCSPZ_ROWS, &z);
    if (z.enabled) {
        ocsp_cache_list(request->server->ocsp_cache, listing, &entries);
        z.num_entries = entries.count;
        z.total = entries.total;
        z.offset = (int64_t)listing->offset;
        z.limit = (int64_t)listing->limit;
        rows_print_json(&json, CHECK_ROWS, &z);
        json_array(&json, "entries");
        for (size_t i = 0; i < entries.count; i++)
            print_entry(&json, request->server->ocsp, &entries.items[i]);
        json_array_end(&json);
    }
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    ocsp_entries_free(&entries);
    ocsp_report_free(&z.report);
    buf_free(&body);
}

/* ---- parameters --------------------------------------------------------------------------------------- */

static bool read_status(const struct monitor_request *request, struct ocsp_listing *listing,
                        struct error *err)
{
    struct buf text = { 0 };
    bool known = !param_text(request, "status", &text) || text.len == 0;
    for (enum ocsp_status status = 0; !known && status <= OCSP_STATUS_UNKNOWN; status++)
        if (span_is_nocase(buf_span(&text), ocsp_status_name(status))) {
            known = listing->by_status = true;
            listing->status = status;
        }
    if (!known)
        error_set(err, "Error decoding status for %s: good, revoked or unknown", buf_str(&text));
    buf_free(&text);
    return known;
}

/* As /ocspz and the log show it, or in hexadecimal as /connz does. A plus that was not escaped came in as a
 * blank. */
static bool read_fingerprint(const struct monitor_request *request, uint8_t digest[32],
                             struct ocsp_listing *listing, struct error *err)
{
    struct buf text = { 0 }, bytes = { 0 };
    if (param_text(request, "fingerprint", &text) && text.len > 0) {
        for (size_t i = 0; i < text.len; i++)
            text.data[i] = text.data[i] == ' ' ? '+' : text.data[i];
        bool ok = text.len == 64 ? hex_decode(&bytes, buf_span(&text))
                                 : base64_decode(&bytes, buf_span(&text), BASE64_STD);
        if (ok && bytes.len == 32)
            listing->fingerprint = memcpy(digest, bytes.data, 32);
        else
            error_set(err, "Error decoding fingerprint for %s: SHA-256 in base64 or hexadecimal",
                      buf_str(&text));
    }
    bool ok = text.len == 0 || listing->fingerprint;
    buf_free(&text);
    buf_free(&bytes);
    return ok;
}

void monitor_ocspz(struct monitor_request *request)
{
    struct error err;
    struct ocsp_listing listing = { 0 };
    uint8_t fingerprint[32];
    int64_t offset = 0, limit = LIMIT_DEFAULT;
    if (!param_int(request, "offset", &offset, &err) ||
        !param_int(request, "limit", &limit, &err) || !read_status(request, &listing, &err) ||
        !read_fingerprint(request, fingerprint, &listing, &err)) {
        monitor_answer_text(request, 400, err.text);
        return;
    }
    listing.offset = offset > 0 ? (size_t)offset : 0;
    listing.limit = limit <= 0 ? LIMIT_DEFAULT : limit > LIMIT_MAX ? LIMIT_MAX : (size_t)limit;
    answer(request, &listing);
}

/* ---- metrics ------------------------------------------------------------------------------------------ */

static void print_type(struct buf *out, const char *name, const char *type)
{
    buf_printf(out, "# TYPE vouch_ocsp_%s %s\n", name, type);
}

static void print_value(struct buf *out, const char *name, const char *type, uint64_t value)
{
    print_type(out, name, type);
    buf_printf(out, "vouch_ocsp_%s %llu\n", name, (unsigned long long)value);
}

static void print_peers(struct buf *out, const char *name, const uint64_t *counts)
{
    print_type(out, name, "counter");
    for (enum ocsp_peer_verdict v = 0; v < OCSP_PEER_VERDICTS; v++)
        buf_printf(out, "vouch_ocsp_%s{verdict=\"%s\"} %llu\n", name, ocsp_peer_verdict_name(v),
                   (unsigned long long)counts[v]);
}

static void print_histogram(struct buf *out, const struct ocsp_exchanges *exchanges)
{
    uint64_t sum = 0;
    print_type(out, "fetch_duration_seconds", "histogram");
    for (size_t i = 0; i < OCSP_LATENCY_BUCKETS; i++) {
        int64_t bound_ns = ocsp_latency_bound_ns(i);
        sum += exchanges->latency[i];
        buf_append_str(out, "vouch_ocsp_fetch_duration_seconds_bucket{le=\"");
        if (bound_ns == INT64_MAX)
            buf_append_str(out, "+Inf");
        else
            buf_printf(out, "%g", (double)bound_ns / NS_PER_S);
        buf_printf(out, "\"} %llu\n", (unsigned long long)sum);
    }
    buf_printf(out,
               "vouch_ocsp_fetch_duration_seconds_sum %.9f\n"
               "vouch_ocsp_fetch_duration_seconds_count %llu\n",
               (double)exchanges->latency_sum_ns / NS_PER_S, (unsigned long long)sum);
}

static void print_per_responder(struct buf *out, const struct ocsp_report *report, const char *name,
                                size_t offset)
{
    print_type(out, name, "counter");
    for (size_t i = 0; i < report->responder_count; i++) {
        const char *member = (const char *)&report->responders[i].exchanges + offset;
        buf_printf(out, "vouch_ocsp_%s{responder=\"", name);
        metric_append_label(out, report->responders[i].origin);
        buf_printf(out, "\"} %llu\n", (unsigned long long)*(const uint64_t *)(const void *)member);
    }
}

static void print_breakers(struct buf *out, const struct ocsp_report *report)
{
    print_type(out, "responder_breaker_open", "gauge");
    for (size_t i = 0; i < report->responder_count; i++) {
        buf_append_str(out, "vouch_ocsp_responder_breaker_open{responder=\"");
        metric_append_label(out, report->responders[i].origin);
        buf_printf(out, "\"} %d\n", report->responders[i].breaker != OCSP_BREAKER_CLOSED);
    }
}

void ocspz_print_metrics(struct server *server, struct buf *out)
{
    struct ocspz z;
    fill(server, &z);
    if (z.enabled) {
        const struct ocsp_report *report = &z.report;
        const struct ocsp_exchanges *all = &report->exchanges;
        print_type(out, "links_total", "counter");
        buf_printf(out,
                   "vouch_ocsp_links_total{status=\"good\"} %llu\n"
                   "vouch_ocsp_links_total{status=\"revoked\"} %llu\n"
                   "vouch_ocsp_links_total{status=\"unknown\"} %llu\n",
                   (unsigned long long)report->good, (unsigned long long)report->revoked,
                   (unsigned long long)report->unknown);
        print_peers(out, "accepted_total", report->accepted);
        print_peers(out, "rejected_total", report->rejected);
        print_value(out, "fetches_total", "counter", all->requests);
        print_value(out, "fetch_failures_total", "counter", all->failures);
        print_value(out, "fetch_timeouts_total", "counter", all->timeouts);
        print_value(out, "fetches_spared_total", "counter", all->spared);
        print_histogram(out, all);
        print_value(out, "fetches_in_flight", "gauge", z.fetches_in_flight);
        print_value(out, "fetches_queued", "gauge", z.fetches_queued);
        print_value(out, "pending_handshakes", "gauge", z.pending_handshakes);
        print_per_responder(out, report, "responder_fetches_total",
                            offsetof(struct ocsp_exchanges, requests));
        print_per_responder(out, report, "responder_failures_total",
                            offsetof(struct ocsp_exchanges, failures));
        print_per_responder(out, report, "responder_timeouts_total",
                            offsetof(struct ocsp_exchanges, timeouts));
        print_breakers(out, report);
        print_value(out, "links_watched", "gauge", z.refresh.watched);
        print_value(out, "refreshed_total", "counter", z.refresh.renewed);
        print_value(out, "refresh_failures_total", "counter", z.refresh.failed);
        print_value(out, "revoked_while_connected_total", "counter", z.refresh.revoked);
        print_value(out, "advisories_total", "counter", z.advisories.sent);
        print_value(out, "advisories_withheld_total", "counter", z.advisories.withheld);
    }
    ocsp_report_free(&z.report);
}
