/* test_fetch.c - asking a responder: what goes over the wire, addresses in order, redirects, proxies, https. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/rig_fixture.h"
#include "transport.h"

TestSuite(fetch, .init = start, .timeout = 30);

/* ---- what goes over the wire ------------------------------------------------------------------------ */

Test(fetch, asks_by_get_with_the_escaped_request_in_the_path)
{
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    char *head = responder_last_head(rig.responder, SLOT_LEAF);
    cr_expect_eq(strncmp(head, "GET /2/M", 8), 0, "%s", head);
    char *line_end = strstr(head, " HTTP/1.1\r\n");
    cr_assert(line_end);
    for (char *at = head + 7; at < line_end; at++)
        cr_expect_not(strchr("+/=", *at), "%s", head);
    cr_expect(strstr(head, "\r\nAccept: application/ocsp-response\r\n"), "%s", head);
    cr_expect(strstr(head, "\r\nUser-Agent: vouch/"), "%s", head);
    cr_expect(strstr(head, "\r\nAccept-Encoding: gzip\r\n"), "%s", head);
    free(head);
    stop();
}

Test(fetch, posts_where_the_path_would_be_long)
{
    char url[512];
    int len = snprintf(url, sizeof url, "%s/", responder_url(rig.responder, SLOT_OTHER));
    memset(url + len, 'a', 200);
    url[len + 200] = '\0';
    struct pki_cert leaf = rig_leaf_at(&rig, url, NULL, NULL);
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_ACCEPT);
    char *head = responder_last_head(rig.responder, SLOT_OTHER);
    cr_expect_eq(strncmp(head, "POST /3/aaa", 11), 0, "%s", head);
    cr_expect(strstr(head, "\r\nContent-Type: application/ocsp-request\r\n"), "%s", head);
    cr_expect(strstr(head, "\r\nAccept: application/ocsp-response\r\n"), "%s", head);
    free(head);
    pki_free(&leaf);
    stop();
}

Test(fetch, undoes_gzip)
{
    struct responder_script script = rig_script(&rig, RESPONDER_GZIP);
    responder_set(rig.responder, SLOT_LEAF, &script);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    stop();
}

/* ---- several addresses -------------------------------------------------------------------------------- */

struct order_row {
    enum responder_act first, second;
    enum ocsp_outcome outcome;
    char log[96]; /* a part of it */
};

ParameterizedTestParameters(fetch, order)
{
    static struct order_row rows[] = {
        {RESPONDER_ANSWER,  RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_STATUS, RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_RESET,  RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_EMPTY,  RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_BYTES,  RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_ERROR,  RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_HANG,   RESPONDER_ANSWER, OCSP_ACCEPT, ""                                   },
        { RESPONDER_BYTES,  RESPONDER_STATUS, OCSP_REJECT,
         "failed: exhausted OCSP responders: bad OCSP responder http status: [500]"             },
        { RESPONDER_STATUS, RESPONDER_EMPTY,  OCSP_REJECT, "failed: empty response"             },
        { RESPONDER_EMPTY,  RESPONDER_STATUS, OCSP_REJECT, "failed: exhausted OCSP responders: "},
        { RESPONDER_STATUS, RESPONDER_BYTES,  OCSP_REJECT,
         "[ERR] Could not parse OCSP CA response"                                               },
        { RESPONDER_STATUS, RESPONDER_ERROR,  OCSP_REJECT, "ocsp: error from server: try later" },
    };
    return cr_make_param_array(struct order_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct order_row *row, fetch, order)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER),
                                       responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    rig_does(&rig, SLOT_OTHER, &leaf, row->first);
    rig_does(&rig, SLOT_OTHER + 1, &leaf, row->second);
    if (row->first == RESPONDER_HANG)
        options.ca_timeout_ns = 300 * NS_PER_MS;
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), row->outcome, "%d %d",
                 (int)row->first, (int)row->second);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, row->log), "%s", log);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER + 1),
                 row->first == RESPONDER_ANSWER ? 0 : 1);
    free(log);
    pki_free(&leaf);
    stop();
}

Test(fetch, a_status_tells_enough_whatever_follows_it)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ENDLESS);
    script.code = 404;
    responder_set(rig.responder, SLOT_LEAF, &script);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "bad OCSP responder http status: [404]"), "%s", log);
    free(log);
    stop();
}

Test(fetch, ends_with_a_bad_answer_that_is_an_answer)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER),
                                       responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    struct responder_script unauthorized = rig_about(&rig, &leaf, RESPONDER_ERROR);
    unauthorized.code = 6;
    responder_set(rig.responder, SLOT_OTHER, &unauthorized);
    rig_does(&rig, SLOT_OTHER + 1, &leaf, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_REJECT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER + 1), 0);
    pki_free(&leaf);
    stop();
}

Test(fetch, addresses_that_cannot_work_fail_as_fetches)
{
    char with_password[64];
    snprintf(with_password, sizeof with_password, "http://user:secret@127.0.0.1:%d/2",
             responder_port(rig.responder));
    const char *const urls[] = { "http:foo", "http:///x", with_password };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct pki_cert leaf = rig_leaf_at(&rig, urls[i], NULL, NULL);
        rig_log_start(&rig);
        cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_REJECT, "%s",
                     urls[i]);
        char *log = rig_log_take(&rig);
        cr_expect(strstr(log, "failed: exhausted OCSP responders: "), "%s", log);
        free(log);
        pki_free(&leaf);
    }
    cr_expect_eq(responder_requests(rig.responder, -1), 0, "a password was sent");
    stop();
}

/* ---- redirects and proxies --------------------------------------------------------------------------- */

static void redirect(int slot, const char *to, int code)
{
    struct responder_script script = rig_script(&rig, RESPONDER_REDIRECT);
    script.code = code;
    snprintf(script.location, sizeof script.location, "%s", to);
    responder_set(rig.responder, slot, &script);
}

/* SLOT_LEAF -> 4 -> 5 ... -> the answer, over `hops` redirects. */
static void redirect_over(int hops)
{
    for (int i = 0; i < hops; i++)
        redirect(i == 0 ? SLOT_LEAF : SLOT_OTHER + i,
                 responder_url(rig.responder, SLOT_OTHER + i + 1), 302);
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    responder_set(rig.responder, SLOT_OTHER + hops, &script);
}

Test(fetch, follows_three_redirects_and_no_fourth)
{
    redirect_over(3);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    rig_restart(&rig, &settings);
    redirect_over(4);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER + 4), 0);
    stop();
}

Test(fetch, follows_every_kind_of_redirect)
{
    static const int CODES[] = { 301, 302, 303, 307, 308 };
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    responder_set(rig.responder, SLOT_OTHER, &script);
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
        rig_restart(&rig, &settings);
        redirect(SLOT_LEAF, responder_url(rig.responder, SLOT_OTHER), CODES[i]);
        cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "%d", CODES[i]);
    }
    stop();
}

Test(fetch, does_not_leave_http)
{
    static const char *const PLACES[] = { "file:///etc/passwd", "ftp://127.0.0.1/x",
                                          "gopher://h/" };
    options.allow_when_ca_unreachable = true; /* a file that came would be no failed fetch */
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        redirect(SLOT_LEAF, PLACES[i], 302);
        cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "%s", PLACES[i]);
    }
    stop();
}

Test(transport, knows_a_downgrade)
{
    cr_expect(transport_is_downgrade("https://h/", span_of(" http://h/\r\n")));
    cr_expect(transport_is_downgrade("HTTPS://h/", span_of("HTTP://h/")));
    cr_expect(transport_is_downgrade("https://h/", span_of("\x0b\thttp://h/")));
    cr_expect_not(transport_is_downgrade("https://h/", span_of(" https://h/")));
    cr_expect_not(transport_is_downgrade("https://h/", span_of("/path")));
    cr_expect_not(transport_is_downgrade("https://h/", span_of("//h/path")));
    cr_expect_not(transport_is_downgrade("https://h/", span_of("")));
    cr_expect_not(transport_is_downgrade("http://h/", span_of("http://h/")));
}

Test(fetch, a_proxy_of_the_environment_is_used_but_not_for_this_host)
{
    char proxy[64];
    struct responder *proxy_server = responder_start();
    struct pki_cert far = rig_leaf_at(&rig, "http://ca.example/3", NULL, NULL);
    struct responder_script script = rig_about(&rig, &far, RESPONDER_ANSWER);
    responder_set(proxy_server, 3, &script);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", responder_port(proxy_server));
    setenv("HTTP_PROXY", proxy, 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* the upper case one counts */
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    rig_restart(&rig, &settings);
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");

    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &far), &options), OCSP_ACCEPT);
    char *head = responder_last_head(proxy_server, 3);
    cr_expect_eq(strncmp(head, "GET http://ca.example/3/M", 25), 0, "%s", head);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(proxy_server, -1), 1);
    cr_expect_eq(responder_requests(rig.responder, -1), 2);
    free(head);
    pki_free(&far);
    responder_stop(proxy_server);
    stop();
}

Test(fetch, no_proxy_star_means_none_at_all)
{
    char url[160], proxy[64];
    snprintf(url, sizeof url, "http://%070d/2", 0); /* cannot be resolved, by nobody */
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", responder_port(rig.responder));
    struct pki_cert far = rig_leaf_at(&rig, url, NULL, NULL);
    rig_does(&rig, SLOT_LEAF, &far, RESPONDER_ANSWER);
    setenv("HTTP_PROXY", proxy, 1);
    for (int i = 0; i < 3; i++) {
        setenv("NO_PROXY", i == 0 ? "other.example,*.x" : i == 1 ? "*" : "other.example, *", 1);
        struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_NONE);
        rig_restart(&rig, &settings);
        cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &far), &options),
                     i == 0 ? OCSP_ACCEPT : OCSP_REJECT);
    }
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    pki_free(&far);
    stop();
}

/* ---- https ------------------------------------------------------------------------------------------------ */

/* The host's authorities are those of this file; NULL for those of the system. */
static void trust(const struct pki_cert *anchor, char path[32])
{
    int fd = mkstemp(strcpy(path, "vouch-trust-XXXXXX"));
    FILE *file = fdopen(fd, "w");
    PEM_write_X509(file, anchor->x509);
    fclose(file);
    setenv("SSL_CERT_FILE", path, 1);
}

struct https_row {
    char names[32];
    bool is_trusted;
    enum ocsp_outcome outcome;
};

ParameterizedTestParameters(fetch, https)
{
    static struct https_row rows[] = {
        {"IP:127.0.0.1",       true,  OCSP_ACCEPT},
        { "IP:127.0.0.1",      false, OCSP_REJECT}, /* that the CA is in ca_file counts for nothing */
        { "DNS:other.example", true,  OCSP_REJECT},
    };
    return cr_make_param_array(struct https_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct https_row *row, fetch, https)
{
    char path[32] = "";
    struct pki_cert web =
        pki_make(&(struct pki_spec){ .name = "web", .issuer = &rig.ca, .names = row->names });
    struct responder *secure = responder_start_tls(&web);
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(secure, SLOT_OTHER), NULL, NULL);
    struct responder_script script = rig_about(&rig, &leaf, RESPONDER_ANSWER);
    responder_set(secure, SLOT_OTHER, &script);
    trust(row->is_trusted ? &rig.ca : &leaf, path);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), row->outcome, "%s",
                 row->names);
    cr_expect_eq(responder_requests(secure, -1), row->outcome == OCSP_ACCEPT);
    rig_close_service(&rig);
    responder_stop(secure);
    unlink(path);
    pki_free(&leaf);
    pki_free(&web);
    stop();
}

Test(fetch, https_is_not_left_by_a_redirect)
{
    char path[32] = "";
    struct pki_cert web =
        pki_make(&(struct pki_spec){ .name = "web", .issuer = &rig.ca, .names = "IP:127.0.0.1" });
    struct responder *secure = responder_start_tls(&web);
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(secure, SLOT_OTHER), NULL, NULL);
    struct responder_script away = rig_about(&rig, &leaf, RESPONDER_REDIRECT);
    snprintf(away.location, sizeof away.location, "%s", responder_url(rig.responder, SLOT_OTHER));
    responder_set(secure, SLOT_OTHER, &away);
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    trust(&rig.ca, path);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "failed: exhausted OCSP responders: redirect from https to http refused"),
              "%s", log);
    cr_expect_eq(responder_requests(secure, SLOT_OTHER), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 0);
    free(log);
    rig_close_service(&rig);
    responder_stop(secure);
    unlink(path);
    pki_free(&leaf);
    pki_free(&web);
    stop();
}

/* ---- time --------------------------------------------------------------------------------------------- */

static void note_outcome(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    *(enum ocsp_outcome *)ctx = outcome;
    ocsp_check_free(check);
}

static void begin_check(enum ocsp_outcome *outcome)
{
    struct ocsp_check *check = rig_check(&rig, rig_leaf_chain(&rig, &rig.leaf), &options);
    *outcome = ocsp_check_step(check);
    cr_assert_eq(*outcome, OCSP_NEEDS_FETCH);
    ocsp_check_run(check, note_outcome, outcome);
}

static void on_time(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void run_for(uint64_t time_ms)
{
    bool is_over = false;
    uv_timer_t timer = { .data = &is_over };
    uv_timer_init(&rig.loop, &timer);
    uv_timer_start(&timer, on_time, time_ms, 0);
    while (!is_over)
        uv_run(&rig.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
}

struct late {
    enum responder_act act; /* what becomes of the responder while the first one waits */
    enum answer_status status;
    enum ocsp_outcome outcome;
};

/* It shares the question of another, but is not refused as soon as the other's time is over; nor let in without an
 * answer. */
ParameterizedTestParameters(fetch, who_joins_late_has_its_own_time)
{
    static struct late rows[] = {
        {RESPONDER_ANSWER,  ANSWER_GOOD,    OCSP_ACCEPT},
        { RESPONDER_ANSWER, ANSWER_REVOKED, OCSP_REJECT},
        { RESPONDER_HANG,   ANSWER_GOOD,    OCSP_REJECT},
    };
    return cr_make_param_array(struct late, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct late *row, fetch, who_joins_late_has_its_own_time)
{
    enum ocsp_outcome early, late;
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 500 * NS_PER_MS;
    begin_check(&early);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    run_for(300);
    if (row->act == RESPONDER_ANSWER)
        rig_leaf_is(&rig, row->status);
    begin_check(&late);
    while (late == OCSP_NEEDS_FETCH)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(early, OCSP_REJECT);
    cr_expect_eq(late, row->outcome);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 2);
    stop();
}
