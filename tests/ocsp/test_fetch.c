/* test_fetch.c - asking responders: addresses in order, limits, sharing, leaving. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/rig.h"
#include "transport.h"

static struct rig rig;
static struct ocsp_peer_options options;

static void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    options = rig_options();
}

/* At the end of each test, not a .fini: what fails there is no failure to Criterion. */
static void stop(void)
{
    rig_stop(&rig);
}

TestSuite(fetch, .init = start, .timeout = 30);

/* A leaf that asks at these addresses; its chain ends at the CA, so that only it is asked about. */
static struct pki_cert make_leaf(const char *a, const char *b, const char *c)
{
    return pki_make(&(struct pki_spec){
        .name = "leaf", .issuer = &rig.ca, .urls = {a, b, c}
    });
}

static struct rig_chains *chain_of(const struct pki_cert *leaf)
{
    return rig_chain(rig_chains_new(), leaf, &rig.ca, NULL);
}

static struct responder_script about(const struct pki_cert *leaf, enum responder_act act)
{
    struct responder_script script = rig_script(&rig, act);
    script.recipe.cert = leaf;
    return script;
}

static void set(int slot, const struct pki_cert *leaf, enum responder_act act)
{
    struct responder_script script = about(leaf, act);
    if (act == RESPONDER_STATUS)
        script.code = 500;
    if (act == RESPONDER_ERROR)
        script.code = 3; /* tryLater */
    if (act == RESPONDER_BYTES)
        script.bytes = span_of("<html>");
    responder_set(rig.responder, slot, &script);
}

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
    struct pki_cert leaf = make_leaf(url, NULL, NULL);
    set(SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_ACCEPT);
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
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER),
                                     responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    set(SLOT_OTHER, &leaf, row->first);
    set(SLOT_OTHER + 1, &leaf, row->second);
    if (row->first == RESPONDER_HANG)
        options.ca_timeout_ns = 300 * NS_PER_MS;
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), row->outcome, "%d %d", (int)row->first,
                 (int)row->second);
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
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER),
                                     responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    struct responder_script unauthorized = about(&leaf, RESPONDER_ERROR);
    unauthorized.code = 6;
    responder_set(rig.responder, SLOT_OTHER, &unauthorized);
    set(SLOT_OTHER + 1, &leaf, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_REJECT);
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
        struct pki_cert leaf = make_leaf(urls[i], NULL, NULL);
        rig_log_start(&rig);
        cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_REJECT, "%s", urls[i]);
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
    struct pki_cert far = make_leaf("http://ca.example/3", NULL, NULL);
    struct responder_script script = about(&far, RESPONDER_ANSWER);
    responder_set(proxy_server, 3, &script);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", responder_port(proxy_server));
    setenv("HTTP_PROXY", proxy, 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* the upper case one counts */
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    rig_restart(&rig, &settings);
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");

    cr_expect_eq(rig_judge(&rig, chain_of(&far), &options), OCSP_ACCEPT);
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
    struct pki_cert far = make_leaf(url, NULL, NULL);
    set(SLOT_LEAF, &far, RESPONDER_ANSWER);
    setenv("HTTP_PROXY", proxy, 1);
    for (int i = 0; i < 3; i++) {
        setenv("NO_PROXY", i == 0 ? "other.example,*.x" : i == 1 ? "*" : "other.example, *", 1);
        struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_NONE);
        rig_restart(&rig, &settings);
        cr_expect_eq(rig_judge(&rig, chain_of(&far), &options), i == 0 ? OCSP_ACCEPT : OCSP_REJECT);
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
    struct pki_cert leaf = make_leaf(responder_url(secure, SLOT_OTHER), NULL, NULL);
    struct responder_script script = about(&leaf, RESPONDER_ANSWER);
    responder_set(secure, SLOT_OTHER, &script);
    trust(row->is_trusted ? &rig.ca : &leaf, path);
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), row->outcome, "%s", row->names);
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
    struct pki_cert leaf = make_leaf(responder_url(secure, SLOT_OTHER), NULL, NULL);
    struct responder_script away = about(&leaf, RESPONDER_REDIRECT);
    snprintf(away.location, sizeof away.location, "%s", responder_url(rig.responder, SLOT_OTHER));
    responder_set(secure, SLOT_OTHER, &away);
    set(SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    trust(&rig.ca, path);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_REJECT);
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

/* ---- sharing and leaving -------------------------------------------------------------------------------- */

struct many {
    int accepted, rejected;
};

static void count_and_free(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    struct many *many = ctx;
    *(outcome == OCSP_ACCEPT ? &many->accepted : &many->rejected) += 1;
    ocsp_check_free(check);
}

static struct ocsp_check *start_check(struct rig_chains *chains, struct many *many)
{
    struct ocsp_check *check = rig_check(&rig, chains, &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_NEEDS_FETCH);
    ocsp_check_run(check, count_and_free, many);
    return check;
}

static void run_until(const struct many *many, int done)
{
    while (many->accepted + many->rejected < done)
        uv_run(&rig.loop, UV_RUN_ONCE);
}

Test(fetch, a_hundred_equal_questions_are_one_fetch)
{
    struct many many = { 0 };
    for (int i = 0; i < 100; i++)
        start_check(rig_usual_chain(&rig), &many);
    run_until(&many, 100);
    cr_expect_eq(many.accepted, 100);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_CA), 1);
    struct ocsp_stats stats = ocsp_stats(rig.ocsp);
    cr_expect_eq(stats.hits + stats.misses, 200, "each counts its own two lookups");
    cr_expect_geq(stats.misses, 101);
    cr_expect_eq(stats.responses, 2);
    stop();
}

Test(fetch, a_latecomer_joins_and_a_failure_reaches_everybody)
{
    struct many many = { 0 };
    set(SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    start_check(rig_usual_chain(&rig), &many);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    set(SLOT_LEAF, &rig.leaf, RESPONDER_STATUS);
    run_until(&many, 2);
    cr_expect_eq(many.rejected, 2);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    stop();
}

Test(fetch, goes_on_when_everybody_left_and_fills_the_cache)
{
    struct many many = { 0 };
    set(SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    struct ocsp_check *check = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    ocsp_check_free(check);
    set(SLOT_LEAF, &rig.leaf, RESPONDER_ANSWER);
    while (ocsp_stats(rig.ocsp).responses == 0)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(many.accepted + many.rejected, 0, "its callback never ran");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 1 good 1 revoked 0 unknown 0");
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    stop();
}

Test(fetch, one_leaves_and_the_others_get_their_answer)
{
    struct many many = { 0 };
    struct ocsp_check *checks[5];
    set(SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    for (int i = 0; i < 5; i++)
        checks[i] = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    ocsp_check_free(checks[0]);
    ocsp_check_free(checks[3]);
    set(SLOT_LEAF, &rig.leaf, RESPONDER_ANSWER);
    run_until(&many, 3);
    cr_expect_eq(many.accepted, 3);
    stop();
}

Test(fetch, a_check_freed_before_its_turn_is_forgotten)
{
    struct many many = { 0 };
    ocsp_check_free(start_check(rig_usual_chain(&rig), &many));
    start_check(rig_usual_chain(&rig), &many);
    run_until(&many, 1);
    cr_expect_eq(many.accepted, 1);
    stop();
}

Test(fetch, different_questions_are_different_fetches)
{
    struct many many = { 0 };
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    set(SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    start_check(chain_of(&leaf), &many);
    start_check(rig_chain(rig_chains_new(), &rig.leaf, &rig.ca, NULL), &many);
    run_until(&many, 2);
    cr_expect_eq(many.accepted, 2);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    pki_free(&leaf);
    stop();
}

/* ---- the queue --------------------------------------------------------------------------------------------- */

enum { CROWD = 20 };

static void make_crowd(struct pki_cert crowd[CROWD], enum responder_act act)
{
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = make_leaf(responder_url(rig.responder, 20 + i), NULL, NULL);
        set(20 + i, &crowd[i], act);
    }
}

static void free_crowd(struct pki_cert crowd[CROWD])
{
    for (int i = 0; i < CROWD; i++)
        pki_free(&crowd[i]);
}

Test(fetch, at_most_eight_at_a_time_for_one_host)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    make_crowd(crowd, RESPONDER_HOLD);
    for (int i = 0; i < CROWD; i++)
        start_check(chain_of(&crowd[i]), &many);
    rig_until_requests(&rig, -1, 8);
    for (int i = 0; i < 100; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    cr_expect_eq(responder_requests(rig.responder, -1), 8);
    for (int i = 0; i < CROWD; i++)
        set(20 + i, &crowd[i], RESPONDER_ANSWER);
    run_until(&many, CROWD);
    cr_expect_eq(many.accepted, CROWD);
    cr_expect_leq(responder_most_at_once(rig.responder), 8);
    free_crowd(crowd);
    stop();
}

Test(fetch, at_most_sixteen_at_a_time_in_all)
{
    struct many many = { 0 };
    struct pki_cert leafs[24];
    struct responder *hosts[] = { rig.responder, responder_start(), responder_start() };
    for (int i = 0; i < 24; i++) {
        leafs[i] = make_leaf(responder_url(hosts[i / 8], 20 + i), NULL, NULL);
        struct responder_script held = about(&leafs[i], RESPONDER_HOLD);
        responder_set(hosts[i / 8], 20 + i, &held);
        start_check(chain_of(&leafs[i]), &many);
    }
    int under_way = 0;
    for (int turn = 0; turn < 100 || under_way < 16; turn++) {
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        under_way = 0;
        for (int i = 0; i < 3; i++)
            under_way += responder_requests(hosts[i], -1);
    }
    cr_expect_eq(under_way, 16);
    for (int i = 0; i < 24; i++) {
        struct responder_script script = about(&leafs[i], RESPONDER_ANSWER);
        responder_set(hosts[i / 8], 20 + i, &script);
    }
    run_until(&many, 24);
    cr_expect_eq(many.accepted, 24);
    for (int i = 0; i < 24; i++)
        pki_free(&leafs[i]);
    rig_close_service(&rig);
    responder_stop(hosts[1]);
    responder_stop(hosts[2]);
    stop();
}

Test(fetch, time_in_the_queue_counts)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    options.ca_timeout_ns = 300 * NS_PER_MS;
    make_crowd(crowd, RESPONDER_HANG);
    for (int i = 0; i < CROWD; i++)
        start_check(chain_of(&crowd[i]), &many);
    rig_log_start(&rig);
    run_until(&many, CROWD);
    char *log = rig_log_take(&rig);
    cr_expect_eq(many.rejected, CROWD);
    cr_expect(strstr(log, "timed out in the queue of a busy responder"), "%s", log);
    free(log);
    free_crowd(crowd);
    stop();
}

Test(fetch, a_hanging_host_does_not_hold_up_another)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    struct responder *other = responder_start();
    struct pki_cert leaf = make_leaf(responder_url(other, 1), NULL, NULL);
    struct responder_script script = about(&leaf, RESPONDER_ANSWER);
    responder_set(other, 1, &script);
    struct ocsp_check *waiting[CROWD];
    make_crowd(crowd, RESPONDER_HANG);
    for (int i = 0; i < CROWD; i++)
        waiting[i] = start_check(chain_of(&crowd[i]), &many);
    rig_until_requests(&rig, -1, 8);
    struct many quick = { 0 };
    start_check(chain_of(&leaf), &quick);
    run_until(&quick, 1);
    cr_expect_eq(quick.accepted, 1);
    cr_expect_eq(many.rejected, 0);
    rig_close_service(&rig); /* with 20 fetches under way or queued */
    for (int i = 0; i < CROWD; i++)
        ocsp_check_free(waiting[i]);
    responder_stop(other);
    pki_free(&leaf);
    free_crowd(crowd);
    stop();
}

/* ---- responders that hang --------------------------------------------------------------------------------- */

static struct ocsp_report report(void)
{
    struct ocsp_report report;
    ocsp_report_take(rig.ocsp, &report);
    return report;
}

/* Judges a peer until the slot's address is given up. */
static void wear_out(const struct pki_cert *leaf, int slot)
{
    set(slot, leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 100 * NS_PER_MS;
    for (int i = 0; i < 3; i++)
        cr_expect_eq(rig_judge(&rig, chain_of(leaf), &options), OCSP_REJECT);
    cr_expect_eq(responder_requests(rig.responder, slot), 3);
    options.ca_timeout_ns = 5 * NS_PER_S;
}

Test(fetch, three_timeouts_spare_an_address_for_a_second)
{
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    int64_t began_ns = (int64_t)uv_hrtime(), spared = 0;
    rig_log_start(&rig);
    wear_out(&leaf, SLOT_OTHER); /* takes three times 100 ms */
    set(SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    while (rig_judge(&rig, chain_of(&leaf), &options) == OCSP_REJECT)
        spared++;
    /* timers may be early by the millisecond in which the loop's clock stands */
    cr_expect_geq((int64_t)uv_hrtime() - began_ns, 1290 * NS_PER_MS);
    char *log = rig_log_take(&rig);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 4);
    cr_expect(strstr(log, "timed out 3 times in a row: not tried for 1000 ms"), "%s", log);
    cr_expect(spared == 0 || /* a very slow machine */
              strstr(log, "failed: exhausted OCSP responders: the responder timed out too often"));
    cr_expect(strstr(log, "no longer times out"));
    struct ocsp_report now = report();
    cr_expect_eq(now.exchanges.requests, 4);
    cr_expect_eq(now.exchanges.timeouts, 3);
    cr_expect_eq((int64_t)now.exchanges.spared, spared);
    cr_expect_eq(now.responders[0].breaker, OCSP_BREAKER_CLOSED);
    ocsp_report_free(&now);
    free(log);
    pki_free(&leaf);
    stop();
}

Test(fetch, a_spared_address_leaves_the_others_of_a_certificate)
{
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    struct pki_cert both = make_leaf(responder_url(rig.responder, SLOT_OTHER),
                                     responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    wear_out(&leaf, SLOT_OTHER);
    set(SLOT_OTHER + 1, &both, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, chain_of(&both), &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 3, "not asked again");
    pki_free(&leaf);
    pki_free(&both);
    stop();
}

Test(fetch, a_spared_address_counts_as_unreachable)
{
    struct pki_cert leaf = make_leaf(responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    wear_out(&leaf, SLOT_OTHER);
    options.allow_when_ca_unreachable = true;
    cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 3);
    pki_free(&leaf);
    stop();
}

/* Both leafs in one answer. */
static struct responder_script about_both(const struct pki_cert leafs[2])
{
    struct responder_script script = about(&leafs[0], RESPONDER_ANSWER);
    script.recipe.also = &leafs[1];
    return script;
}

struct probe_row {
    enum responder_act act;
    int accepted;
};

ParameterizedTestParameters(fetch, probe)
{
    static struct probe_row rows[] = {
        {RESPONDER_ANSWER, 2},
        { RESPONDER_HANG,  0},
    };
    return cr_make_param_array(struct probe_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct probe_row *row, fetch, probe)
{
    const char *url = responder_url(rig.responder, SLOT_OTHER);
    struct pki_cert leafs[] = { make_leaf(url, NULL, NULL), make_leaf(url, NULL, NULL) };
    struct many many = { 0 };
    wear_out(&leafs[0], SLOT_OTHER);
    set(SLOT_OTHER, &leafs[0], RESPONDER_HOLD);
    options.ca_timeout_ns = row->act == RESPONDER_HANG ? 2 * NS_PER_S : 20 * NS_PER_S;
    for (int tries = 1; responder_requests(rig.responder, SLOT_OTHER) == 3; tries++) {
        start_check(chain_of(&leafs[0]), &many); /* fails at once until the second has passed */
        while (many.rejected < tries && responder_requests(rig.responder, SLOT_OTHER) == 3)
            uv_run(&rig.loop, UV_RUN_ONCE);
    }
    many.rejected = 0;
    start_check(chain_of(&leafs[1]), &many);
    for (int i = 0; i < 100; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    struct ocsp_report now = report();
    cr_expect_eq(now.responders[0].breaker, OCSP_BREAKER_PROBING);
    cr_expect_eq(now.in_flight, 1);
    cr_expect_eq(now.queued, 1);
    ocsp_report_free(&now);
    struct responder_script script = about_both(leafs);
    script.act = row->act;
    responder_set(rig.responder, SLOT_OTHER, &script);
    run_until(&many, 2);
    cr_expect_eq(many.accepted, row->accepted);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), row->accepted == 2 ? 5 : 4);
    pki_free(&leafs[0]);
    pki_free(&leafs[1]);
    stop();
}

Test(fetch, refused_connections_spare_nobody)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", responder_closed_port());
    struct pki_cert leaf = make_leaf(url, NULL, NULL);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(rig_judge(&rig, chain_of(&leaf), &options), OCSP_REJECT);
    struct ocsp_report now = report();
    cr_expect_eq(now.exchanges.requests, 10);
    cr_expect_eq(now.exchanges.failures, 10);
    cr_expect_eq(now.exchanges.timeouts, 0);
    cr_expect_eq(now.exchanges.spared, 0);
    ocsp_report_free(&now);
    pki_free(&leaf);
    stop();
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

Test(fetch, ending_the_service_abandons_everything_at_once)
{
    struct many many = { 0 };
    set(SLOT_LEAF, &rig.leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 3600 * NS_PER_S; /* nobody could wait for this one */
    struct ocsp_check *waiting = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    struct ocsp_check *ready = start_check(rig_usual_chain(&rig), &many);
    struct ocsp_check *fresh = rig_check(&rig, rig_usual_chain(&rig), &options);
    rig_close_service(&rig);
    cr_expect_eq(many.accepted + many.rejected, 0);
    ocsp_check_free(waiting);
    ocsp_check_free(ready);
    ocsp_check_free(fresh);
    stop();
}

static void end_service(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    struct many *many = ctx;
    count_and_free(many, check, outcome);
    ocsp_free(rig.ocsp, NULL, NULL);
    rig.ocsp = NULL;
}

Test(fetch, the_service_may_be_ended_by_a_callback)
{
    struct many many = { 0 };
    struct ocsp_check *first = rig_check(&rig, rig_usual_chain(&rig), &options);
    struct ocsp_check *second = rig_check(&rig, rig_usual_chain(&rig), &options);
    ocsp_check_run(first, end_service, &many);
    ocsp_check_run(second, count_and_free, &many);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    cr_expect_eq(many.accepted, 1, "the second one was abandoned");
    cr_expect_eq(many.rejected, 0);
    ocsp_check_free(second);
    stop();
}

Test(fetch, no_service_ends_quietly)
{
    ocsp_free(NULL, NULL, NULL);
    stop();
}
