/* /ocspz and /metrics show how the check of peers goes: what CAs said, who was let in and who was not, what
 * is remembered, how responders do, who waits. */
#include "harness_ocsp.h"

#include <poll.h>
#include <string.h>

OCSP_BEHAVIOUR(ocspz_shows_the_checks);

static cJSON *member(cJSON *object, const char *key)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);

    require(found, "no %s in %s", key, json_shown(object));
    return found;
}

/* The first entry of the first page. */
static cJSON *first_entry(cJSON *ocspz)
{
    return cJSON_GetArrayItem(member(ocspz, "entries"), 0);
}

/* Waits until the figures show it. */
static cJSON *await(struct server *server, const char *key, int value)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    cJSON *ocspz = monitor(server, "/ocspz");

    while (json_number(ocspz, key) != value) {
        require(now_ms() < until_ms, "%s never became %d: %s", key, value, json_shown(ocspz));
        poll(NULL, 0, 10);
        ocspz = monitor(server, "/ocspz");
    }
    return ocspz;
}

static void expect_metric(struct server *server, const char *line)
{
    struct http_answer answer = http_get(server, "/metrics");

    require(strstr(answer.body, text("\n%s\n", line)), "no '%s' in\n%s", line, answer.body);
}

SCENARIO(ocspz_shows_the_checks, or_that_there_are_none)
{
    if (is_reference())
        return;
    struct server *server = server_start("%s", "");
    struct http_answer answer = http_get(server, "/ocspz");

    cr_assert_eq(answer.status, 200);
    require(!json_true(monitor(server, "/ocspz"), "enabled"), "%s", answer.body);
    require(!strstr(http_get(server, "/metrics").body, "vouch_ocsp_"), "figures of no checks");
    require(strstr(http_get(server, "/").body, "href=\"/ocspz\""), "the root page has no link");
}

static struct server *server_after_visits(void)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "client-good", TLS1_3_VERSION);
    is_let_in(server, "client-good", TLS1_2_VERSION);
    is_let_in(server, "client-noaia", TLS1_3_VERSION);
    is_refused(server, "client-revoked", TLS1_3_VERSION);
    is_refused(server, "client-unlisted", TLS1_3_VERSION);
    return server;
}

SCENARIO(ocspz_shows_the_checks, with_verdicts_and_entries)
{
    if (is_reference())
        return;
    struct server *server = server_after_visits();
    cJSON *ocspz = monitor(server, "/ocspz");

    require(json_true(ocspz, "enabled"), "%s", json_shown(ocspz));
    cr_assert_str_eq(json_text(ocspz, "cache_type"), "local");
    cr_assert_eq(json_number(member(ocspz, "links"), "good"), 2);
    cr_assert_eq(json_number(member(ocspz, "links"), "revoked"), 1);
    cr_assert_eq(json_number(member(ocspz, "links"), "unknown"), 1);
    cr_assert_eq(json_number(member(ocspz, "accepted"), "good"), 2);
    cr_assert_eq(json_number(member(ocspz, "accepted"), "not_asked"), 1);
    cr_assert_eq(json_number(member(ocspz, "rejected"), "revoked"), 1);
    cr_assert_eq(json_number(member(ocspz, "rejected"), "unknown"), 1);
    cr_assert_eq(json_number(member(ocspz, "fetches"), "requests"), 3);
    cr_assert_eq(json_number(member(ocspz, "fetches"), "failures"), 0);
    cr_assert_eq(json_number(ocspz, "num_entries"), 3);
    cr_assert_eq(json_number(ocspz, "total"), 3);

    cJSON *responder = cJSON_GetArrayItem(member(ocspz, "responders"), 0);
    cr_assert_str_eq(json_text(responder, "responder"), authority_url("client"));
    cr_assert_str_eq(json_text(responder, "breaker"), "closed");
    cr_assert_eq(json_number(responder, "requests"), 3);
    require(json_has(responder, "last_success") && !json_has(responder, "last_failure"), "%s",
            json_shown(responder));

    expect_metric(server, "vouch_ocsp_links_total{status=\"good\"} 2");
    expect_metric(server, "vouch_ocsp_accepted_total{verdict=\"good\"} 2");
    expect_metric(server, "vouch_ocsp_rejected_total{verdict=\"revoked\"} 1");
    expect_metric(server, "vouch_ocsp_fetch_duration_seconds_bucket{le=\"+Inf\"} 3");
    expect_metric(server, "vouch_ocsp_fetch_duration_seconds_count 3");
    expect_metric(server, "vouch_ocsp_pending_handshakes 0");
    expect_metric(server, "vouch_ocsp_links_watched 0");
    expect_metric(server, text("vouch_ocsp_responder_fetches_total{responder=\"%s\"} 3",
                               authority_url("client")));
}

struct view {
    const char *query; /* %s is the fingerprint of client-good, escaped */
    int count, total;
};

static const struct view VIEWS[] = {
    {"",                               3, 3},
    { "limit=2",                       2, 3},
    { "offset=2",                      1, 3},
    { "offset=2&limit=1",              1, 3},
    { "offset=3",                      0, 3},
    { "offset=-1&limit=0",             3, 3},
    { "status=good",                   1, 1},
    { "status=REVOKED",                1, 1},
    { "status=unknown&offset=1",       0, 1},
    { "fingerprint=%s",                1, 1},
    { "fingerprint=%s&status=good",    1, 1},
    { "fingerprint=%s&status=revoked", 0, 0},
};

static const char *escaped(const char *base64)
{
    char *out = (char *)text("%s", base64), *result = (char *)text("%*s", 160, "");

    *result = '\0';
    for (; *out; out++)
        strcat(result, *out == '+' ? "%2B" : *out == '/' ? "%2F" : text("%c", *out));
    return result;
}

SCENARIO(ocspz_shows_the_checks, page_by_page)
{
    if (is_reference())
        return;
    struct server *server = server_after_visits();
    const char *print = escaped(fingerprint("client-good"));

    for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
        const struct view *view = &VIEWS[i];
        const char *mark = strstr(view->query, "%s");
        const char *query =
            mark ? text("%.*s%s%s", (int)(mark - view->query), view->query, print, mark + 2)
                 : view->query;
        cJSON *ocspz = monitor(server, text("/ocspz?%s", query));
        require(json_number(ocspz, "num_entries") == view->count &&
                    json_number(ocspz, "total") == view->total &&
                    cJSON_GetArraySize(member(ocspz, "entries")) == view->count,
                "%s: %s", query, json_shown(ocspz));
    }
    /* as it is, its plus signs unescaped */
    cJSON *entry =
        first_entry(monitor(server, text("/ocspz?fingerprint=%s", fingerprint("client-good"))));
    cr_assert_str_eq(json_text(entry, "fingerprint"), fingerprint("client-good"));
    cr_assert_str_eq(json_text(entry, "subject"), SUBJECT("client-good"));
    cr_assert_str_eq(json_text(entry, "status"), "good");
    require(json_true(entry, "verified"), "%s", json_shown(entry));
    cr_assert_eq(json_number(entry, "hits"), 1);
    json_text(entry, "next_refresh"); /* it was used, so it is going to be renewed */
    require(json_has(entry, "this_update") && json_has(entry, "next_update") &&
                json_has(entry, "cached_at"),
            "%s", json_shown(entry));
}

static const char *const WRONG[] = { "limit=x", "offset=1.5", "status=bad", "fingerprint=abc",
                                     "fingerprint=!!!" };

SCENARIO(ocspz_shows_the_checks, and_understands_no_nonsense)
{
    if (is_reference())
        return;
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        require(http_get(server, text("/ocspz?%s", WRONG[i])).status == 400, "%s", WRONG[i]);
}

SCENARIO(ocspz_shows_the_checks, who_waits_and_for_whom)
{
    if (is_reference())
        return;
    struct responder *ca = authority_is_scripted();
    struct responder_script good = authority_script("client-good", ANSWER_GOOD);
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 60 }" });

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    struct conn *first = knock(server, "client-good", TLS1_3_VERSION);
    struct conn *second = knock(server, "client-good", TLS1_3_VERSION);
    cJSON *ocspz = await(server, "pending_handshakes", 2);
    ocspz = await(server, "fetches_in_flight", 1);
    cr_assert_eq(json_number(cJSON_GetArrayItem(member(ocspz, "responders"), 0), "in_flight"), 1);
    expect_metric(server, "vouch_ocsp_pending_handshakes 2");
    expect_metric(server, "vouch_ocsp_fetches_in_flight 1");
    responder_set(ca, ROOT_SLOT, &good);
    conn_expect_service(first);
    conn_expect_service(second);
    await(server, "pending_handshakes", 0);
    await(server, "fetches_in_flight", 0);
}

SCENARIO(ocspz_shows_the_checks, who_hangs)
{
    if (is_reference())
        return; /* it waits each time */
    struct responder *ca = authority_is_scripted();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: \"300ms\" }" });

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HANG });
    for (int i = 0; i < 4; i++)
        is_refused(server, "client-good", TLS1_3_VERSION);
    cJSON *ocspz = monitor(server, "/ocspz");
    cJSON *fetches = member(ocspz, "fetches");
    /* a machine slow enough for a second to pass makes a probe of the fourth */
    cr_assert_eq(json_number(fetches, "timeouts") + json_number(fetches, "spared"), 4);
    cr_assert_geq(json_number(fetches, "timeouts"), 3);
    cJSON *responder = cJSON_GetArrayItem(member(ocspz, "responders"), 0);
    cr_assert_str_eq(json_text(responder, "breaker"), "open");
    cr_assert_eq(json_number(member(ocspz, "rejected"), "unreachable"), 4);
}

SCENARIO(ocspz_shows_the_checks, not_those_of_a_former_configuration)
{
    if (is_reference())
        return;
    struct server *server = server_after_visits();

    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "false" }));
    require(!json_true(monitor(server, "/ocspz"), "enabled"), "it is off");
    require(!json_has(monitor(server, "/varz"), "ocsp_peer_cache"), "/varz still shows it");
    require(!json_has(monitor(server, "/varz"), "tls_ocsp_peer_verify"), "/varz still shows it");
}
