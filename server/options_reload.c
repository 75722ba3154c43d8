/* options_reload.c - what changed between two configurations: may it change while we run, and how
 * the log tells it. Simple rows are compared by their type, the others by the functions below. */
#include "options_schema.h"

#include "base/text.h"

#define NS_PER_MS INT64_C(1000000)

/* ---- simple rows -------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The row's place in options that are only looked at. */
static const void *field_of(const struct option_row *row, const struct options *options)
{
    return (const char *)options + row->offset;
}

static bool rows_equal(const struct option_row *row, const struct options *a,
                       const struct options *b)
{
    const void *left = field_of(row, a), *right = field_of(row, b);
    switch (row->type) {
    case OPTION_BOOL: return *(const bool *)left == *(const bool *)right;
    case OPTION_INT: return *(const int *)left == *(const int *)right;
    case OPTION_STRING: return texts_equal(*(const char *const *)left, *(const char *const *)right);
    case OPTION_INT64:
    case OPTION_DURATION_MS:
    case OPTION_DURATION_TEXT:
    case OPTION_SECONDS_MS:
    case OPTION_SECONDS_NS: return *(const int64_t *)left == *(const int64_t *)right;
    case OPTION_CUSTOM: return true;
    }
    return true;
}

static void print_row(const struct option_row *row, const struct options *options, struct buf *out)
{
    const void *field = field_of(row, options);
    switch (row->type) {
    case OPTION_BOOL: buf_append_str(out, *(const bool *)field ? "true" : "false"); return;
    case OPTION_INT: buf_printf(out, "%d", *(const int *)field); return;
    case OPTION_INT64: buf_printf(out, "%lld", (long long)*(const int64_t *)field); return;
    case OPTION_STRING:
        buf_append_str(out, *(const char *const *)field ? *(const char *const *)field : "");
        return;
    case OPTION_DURATION_MS:
    case OPTION_DURATION_TEXT:
    case OPTION_SECONDS_MS: duration_print(out, *(const int64_t *)field * NS_PER_MS); return;
    case OPTION_SECONDS_NS: duration_print(out, *(const int64_t *)field); return;
    case OPTION_CUSTOM: return;
    }
}

static bool is_compared(const struct option_row *row, enum reload_class reload)
{
    return row->reload == reload && row->offset != NOWHERE && row->type != OPTION_CUSTOM;
}

/* ---- may it change? ----------------------------------------------------------------------- */

static bool refuse(struct error *err, const char *field, const char *old, const char *next)
{
    return error_set(err, "config reload not supported for %s: old=%s, new=%s", field,
                     old ? old : "", next ? next : "");
}

static bool lists_equal(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool operators_equal(const struct operator_options *a, const struct operator_options *b)
{
    return lists_equal(a->operator_tokens, a->operator_count, b->operator_tokens,
                       b->operator_count);
}

static bool trusted_keys_equal(const struct operator_options *a, const struct operator_options *b)
{
    return lists_equal(a->trusted_keys, a->trusted_key_count, b->trusted_keys,
                       b->trusted_key_count);
}

static bool resolvers_equal(const struct operator_options *a, const struct operator_options *b)
{
    const struct resolver_dir_options *x = &a->resolver_dir, *y = &b->resolver_dir;
    return a->resolver == b->resolver && texts_equal(a->resolver_url, b->resolver_url) &&
           texts_equal(x->dir, y->dir) && x->limit == y->limit && x->ttl_ms == y->ttl_ms &&
           x->interval_ms == y->interval_ms && x->timeout_ms == y->timeout_ms &&
           x->allow_delete == y->allow_delete && x->hard_delete == y->hard_delete;
}

bool options_may_reload(const struct options *old, const struct options *next, struct error *err)
{
    for (size_t i = 0; i < ROOT_SCHEMA.count; i++) {
        const struct option_row *row = &ROOT_SCHEMA.rows[i];
        if (!is_compared(row, RELOAD_RESTART) || rows_equal(row, old, next))
            continue;
        struct buf before = { 0 }, after = { 0 };
        print_row(row, old, &before);
        print_row(row, next, &after);
        refuse(err, row->field, buf_str(&before), buf_str(&after));
        buf_free(&before);
        buf_free(&after);
        return false;
    }
    if (!texts_equal(old->http_host, next->http_host))
        return refuse(err, "HTTPHost", old->http_host, next->http_host);
    if (!operators_equal(&old->operator_, &next->operator_))
        return refuse(err, "TrustedOperators", "[...]", "[...]");
    if (!trusted_keys_equal(&old->operator_, &next->operator_))
        return refuse(err, "TrustedKeys", "[...]", "[...]");
    if (!resolvers_equal(&old->operator_, &next->operator_))
        return error_set(err, "config reload does not support changing account resolvers");
    if (!texts_equal(old->system_account_name, next->system_account_name))
        return refuse(err, "SystemAccount", old->system_account_name, next->system_account_name);
    if (!texts_equal(old->cluster_name, next->cluster_name))
        return refuse(err, "Cluster", old->cluster_name, next->cluster_name);
    return true;
}

/* ---- what changed? ------------------------------------------------------------------------ */

struct report {
    const struct options *old, *next;
    void (*line)(void *ctx, const char *text);
    void *ctx;
};

static void say(const struct report *report, const char *text)
{
    struct buf line = { 0 };
    buf_printf(&line, "Reloaded: %s", text);
    report->line(report->ctx, buf_str(&line));
    buf_free(&line);
}

/* Where nats-server's sentence is not "Reloaded: NAME = VALUE". */
static bool report_odd_row(const struct report *report, const struct option_row *row)
{
    struct buf text = { 0 };
    if (strcmp(row->name, "no_auth_user") == 0) /* part of the users */
        return true;
    if (strcmp(row->name, "no_fast_producer_stall") == 0) {
        say(report, report->next->no_fast_producer_stall ? "fast producers will not be stalled"
                                                         : "fast producers will be stalled");
        return true;
    }
    if (strcmp(row->name, "client_advertise") != 0)
        return false;
    buf_append_str(&text, "Reload: client_advertise = ");
    print_row(row, report->next, &text);
    report->line(report->ctx, buf_str(&text));
    buf_free(&text);
    return true;
}

static void report_rows(const struct report *report)
{
    for (size_t i = 0; i < ROOT_SCHEMA.count; i++) {
        const struct option_row *row = &ROOT_SCHEMA.rows[i];
        if (!is_compared(row, RELOAD_LIVE) || rows_equal(row, report->old, report->next) ||
            report_odd_row(report, row))
            continue;
        struct buf text = { 0 };
        buf_printf(&text, "%s = ", row->name);
        print_row(row, report->next, &text);
        say(report, buf_str(&text));
        buf_free(&text);
    }
}

bool options_same_tags(const struct options *a, const struct options *b)
{
    if (a->server_tag_count != b->server_tag_count)
        return false;
    for (size_t i = 0; i < a->server_tag_count; i++)
        if (strcmp(a->server_tags[i], b->server_tags[i]) != 0)
            return false;
    return true;
}

bool options_same_metadata(const struct options *a, const struct options *b)
{
    if (a->server_metadata_count != b->server_metadata_count)
        return false;
    for (size_t i = 0; i < a->server_metadata_count; i++)
        if (strcmp(a->server_metadata[i].key, b->server_metadata[i].key) != 0 ||
            strcmp(a->server_metadata[i].value, b->server_metadata[i].value) != 0)
            return false;
    return true;
}

static bool pins_equal(const struct tls_options *a, const struct tls_options *b)
{
    return a->pinned_cert_count == b->pinned_cert_count &&
           (a->pinned_cert_count == 0 ||
            memcmp(a->pinned_certs, b->pinned_certs,
                   a->pinned_cert_count * sizeof *a->pinned_certs) == 0);
}

static void report_handshake(const struct report *report, const struct tls_options *old,
                             const struct tls_options *next)
{
    struct buf text = { 0 };
    if (old->handshake_first == next->handshake_first &&
        old->handshake_first_delay_ms == next->handshake_first_delay_ms)
        return;
    if ((old->handshake_first == TLS_INFO_FIRST) != (next->handshake_first == TLS_INFO_FIRST))
        say(report, next->handshake_first == TLS_INFO_FIRST ? "Client TLS handshake first: false"
                                                            : "Client TLS handshake first: true");
    if (next->handshake_first == TLS_HANDSHAKE_AUTO) {
        buf_append_str(&text, "Client TLS handshake first fallback delay: ");
        duration_print(&text, next->handshake_first_delay_ms * NS_PER_MS);
        say(report, buf_str(&text));
    }
    buf_free(&text);
}

static void report_tls(const struct report *report)
{
    static const struct tls_options NONE;
    const struct tls_options *old = report->old->tls ? report->old->tls : &NONE;
    const struct tls_options *next = report->next->tls ? report->next->tls : &NONE;
    struct buf text = { 0 };
    if (memcmp(old->digest, next->digest, sizeof old->digest) != 0)
        say(report, report->next->tls ? "tls = enabled" : "tls = disabled");
    if (report->old->tls && report->next->tls && old->timeout_ms != next->timeout_ms) {
        buf_printf(&text, "tls timeout = %g", (double)next->timeout_ms / 1000.0);
        say(report, buf_str(&text));
    }
    if (!pins_equal(old, next)) {
        buf_clear(&text);
        buf_printf(&text, "%zu pinned_certs", next->pinned_cert_count);
        say(report, buf_str(&text));
    }
    buf_free(&text);
    report_handshake(report, old, next);
}

static bool cache_equal(const struct options *a, const struct options *b)
{
    return a->ocsp_cache_type == b->ocsp_cache_type &&
           a->ocsp_cache_preserve_revoked == b->ocsp_cache_preserve_revoked &&
           a->ocsp_cache_save_interval_s == b->ocsp_cache_save_interval_s &&
           texts_equal(a->ocsp_cache_local_store, b->ocsp_cache_local_store);
}

/* The values are secrets: only the names are told. */
static void report_auth(const struct report *report)
{
    const struct auth_options *old = &report->old->auth, *next = &report->next->auth;
    if (!texts_equal(old->user, next->user))
        say(report, "authorization username");
    if (!texts_equal(old->password, next->password))
        say(report, "authorization password");
    if (!texts_equal(old->token, next->token))
        say(report, "authorization token");
    if (old->timeout_ms != next->timeout_ms) {
        struct buf text = { 0 };
        buf_printf(&text, "authorization timeout = %g", (double)next->timeout_ms / 1000.0);
        say(report, buf_str(&text));
        buf_free(&text);
    }
    /* nats-server says so after every reload, and scripts wait for it */
    say(report, "authorization users");
    if (old->has_nkeys || next->has_nkeys)
        say(report, "authorization nkey users");
}

void options_describe_changes(const struct options *old, const struct options *next,
                              void (*line)(void *ctx, const char *text), void *ctx)
{
    const struct report report = { old, next, line, ctx };
    report_rows(&report);
    report_tls(&report);
    if (!cache_equal(old, next))
        line(ctx, "Reloaded OCSP peer cache");
    if (old->write_timeout != next->write_timeout)
        say(&report, "write_timeout");
    if (!options_same_tags(old, next))
        say(&report, "tags");
    if (!options_same_metadata(old, next))
        say(&report, "metadata");
    report_auth(&report);
    say(&report, "accounts");
}
