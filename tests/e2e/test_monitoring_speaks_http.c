/* The monitoring port is a small, sound HTTP server. */
#include "harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

BEHAVIOUR(monitoring_speaks_http);

SCENARIO(monitoring_speaks_http, content_types_and_origins)
{
    static const char *const PATHS[] = { "/varz",           "/connz",    "/subsz",
                                         "/subscriptionsz", "/healthz",  "/leafz",
                                         "/accountz",       "/accstatz", "/routez",
                                         "/gatewayz",       "/jsz",      "/debug/vars",
                                         "/varz?callback=x" };
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct http_answer answer = http_get(server, PATHS[i]);

        require(answer.status == 200, "%s: status %ld", PATHS[i], answer.status);
        require(strcmp(answer.content_type, "application/json") == 0, "%s: %s", PATHS[i],
                answer.content_type);
        require(strcmp(answer.allow_origin, "*") == 0, "%s: origin '%s'", PATHS[i],
                answer.allow_origin);
    }
}

SCENARIO(monitoring_speaks_http, the_root_is_a_page)
{
    struct server *server = server_start("%s", "");
    struct http_answer answer = http_get(server, "/");

    cr_assert_eq(answer.status, 200);
    require(strncmp(answer.content_type, "text/html", 9) == 0, "%s", answer.content_type);
    require(strstr(answer.body, "varz"), "no link to varz: %s", answer.body);
}

SCENARIO(monitoring_speaks_http, unknown_paths_are_not_found)
{
    static const char *const PATHS[] = { "/nowhere", "/varz/", "/VARZ", "/varz/../connz/x" };
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct http_answer answer = http_get(server, PATHS[i]);

        require(answer.status == 404 || (i == 3 && answer.status == 301), "%s: status %ld",
                PATHS[i], answer.status);
    }
}

SCENARIO(monitoring_speaks_http, a_base_path_moves_all)
{
    struct server *server = server_start("http_base_path: mon\n");

    cr_assert_eq(http_get(server, "/mon/varz").status, 200);
    cr_assert_eq(http_get(server, "/mon/healthz").status, 200);
    cr_assert_eq(http_get(server, "/varz").status, 404);
}

/* ---- raw requests ------------------------------------------------------------------------- */

static struct conn *monitor_port(struct server *server)
{
    return tcp_open_port(server_monitor_port(server));
}

/* Reads head and body of an answer with Content-Length; gives the status. */
static int answer_of(struct conn *conn, bool has_body)
{
    int status = 0;
    size_t length = 0;

    sscanf(conn_line(conn), "HTTP/1.%*d %d", &status);
    for (const char *line; (line = conn_line(conn))[0] != '\0';)
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
    if (has_body)
        conn_skip(conn, length);
    return status;
}

SCENARIO(monitoring_speaks_http, a_connection_is_kept)
{
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);

    for (int i = 0; i < 3; i++) {
        conn_send(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        cr_assert_eq(answer_of(conn, true), 200);
    }
    conn_send(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_eq(answer_of(conn, true), 200);
    conn_expect_closed(conn);
}

SCENARIO(monitoring_speaks_http, one_byte_at_a_time)
{
    static const char REQUEST[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaa\r\n\r\n";
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);

    conn_write_split(conn, REQUEST, sizeof REQUEST - 1);
    cr_assert_eq(answer_of(conn, true), 200);
}

SCENARIO(monitoring_speaks_http, head_has_no_body)
{
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);

    conn_send(conn, "HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_eq(answer_of(conn, false), 200);
    conn_expect_closed(conn);
}

SCENARIO(monitoring_speaks_http, old_clients_are_served)
{
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);

    conn_send(conn, "GET /healthz HTTP/1.0\r\n\r\n");
    cr_assert_eq(answer_of(conn, true), 200);
    conn_expect_closed(conn);
}

SCENARIO(monitoring_speaks_http, nonsense_is_refused)
{
    static const char *const NONSENSE[] = { "NONSENSE\r\n\r\n", "GET\r\n\r\n",
                                            "\x16\x03\x01\r\n\r\n", "GET /varz HTTP/9.9\r\n\r\n",
                                            "GET /varz HTTP/1.1\r\nBad Header\r\n\r\n" };
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof NONSENSE / sizeof *NONSENSE; i++) {
        struct conn *conn = monitor_port(server);
        char answer[4096] = "";

        conn_send(conn, "%s", NONSENSE[i]);
        size_t size = conn_read_some(conn, answer, sizeof answer - 1, PATIENCE_MS);
        answer[size] = '\0';
        require(strncmp(answer, "HTTP/1.1 4", 10) == 0 || strncmp(answer, "HTTP/1.1 505", 12) == 0,
                "request %zu was answered: %s", i, answer);
        conn_close(conn);
    }
    cr_assert_eq(http_get(server, "/healthz").status, 200);
}

SCENARIO(monitoring_speaks_http, an_endless_head_is_not_awaited)
{
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);
    char answer[4096];

    conn_send(conn, "GET /varz HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 40; i++)
        conn_send(conn, "X-Long: %s\r\n", repeated('a', 100000));
    while (conn_read_some(conn, answer, sizeof answer, PATIENCE_MS) > 0)
        continue;
    conn_expect_closed(conn);
    cr_assert_eq(http_get(server, "/healthz").status, 200);
}

SCENARIO(monitoring_speaks_http, health_is_told_as_probes_ask)
{
    static const struct {
        const char *path;
        long status;
        const char *body;
    } PROBES[] = {
        {"/healthz",                       200, "{\"status\":\"ok\"}"},
        { "/healthz?js-enabled-only=true", 200, "{\"status\":\"ok\"}"},
        { "/healthz?js-server-only=true",  200, "{\"status\":\"ok\"}"},
        { "/healthz?js-enabled=1",         200, "{\"status\":\"ok\"}"},
        { "/healthz?stream=x",             400,
         "{\"status\":\"error\",\"error\":\"\\\"account\\\" must not be empty when checking "
          "stream "
          "health\"}"                                                },
    };
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof PROBES / sizeof *PROBES; i++) {
        struct http_answer answer = http_get(server, PROBES[i].path);

        require(answer.status == PROBES[i].status, "%s: status %ld", PROBES[i].path, answer.status);
        require(strncmp(answer.body, PROBES[i].body, strlen(PROBES[i].body)) == 0, "%s: %s",
                PROBES[i].path, answer.body);
    }
}

SCENARIO(monitoring_speaks_http, health_is_logged_when_it_is_bad)
{
    static const char *const LINES[] = {
        "[WRN] Healthcheck: js-enabled deprecated, use js-enabled-only instead\n",
        "[WRN] Healthcheck failed: \"\\\"account\\\" must not be empty when checking stream",
        "[WRN] Healthcheck failed: 1 errors\n",
    };
    struct server *server = server_start("%s", "");

    http_get(server, "/healthz?js-enabled=1");
    http_get(server, "/healthz?stream=x");
    http_get(server, "/healthz?stream=x&details=1");
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        require(log_contains(server, LINES[i], PATIENCE_MS), "%s", server_log(server));
}

static const char *const WRONG[] = {
    "/leafz?subs=x",    "/routez?subs=x",     "/gatewayz?accs=x",
    "/jsz?accounts=x",  "/jsz?limit=x",       "/jsz?leader-only=1",
    "/ipqueuesz?all=x", "/healthz?details=x", "/healthz?js-enabled-only=x",
    "/connz?sort=x",    "/subsz?subs=x",      "/accstatz?unused=x",
};

EACH_ROW(monitoring_speaks_http, wrong_parameters_are_refused, sizeof WRONG / sizeof *WRONG)
{
    struct http_answer answer = http_get(server_start("%s", ""), WRONG[*row]);

    require(answer.status == 400, "%s: status %ld", WRONG[*row], answer.status);
    require(strncmp(answer.content_type, "text/plain", 10) == 0, "%s", answer.content_type);
}

SCENARIO(monitoring_speaks_http, subsz_lists_and_tests)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo.* 1\r\nSUB bar q 2\r\n");
    conn_barrier(client);
    cJSON *answer = monitor(server, "/subsz?subs=1&acc=$G&test=foo.x");
    cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "subscriptions_list");
    require(cJSON_GetArraySize(list) == 1, "%s", json_shown(answer));
    cJSON *entry = cJSON_GetArrayItem(list, 0);
    cr_assert_str_eq(json_text(entry, "subject"), "foo.*");
    cr_assert_str_eq(json_text(entry, "sid"), "1");
    cr_assert_str_eq(json_text(entry, "account"), "$G");
    cr_assert_eq(json_number(entry, "cid"), conn_id(client));
    cr_assert_eq(json_number(answer, "total"), 1);
}

SCENARIO(monitoring_speaks_http, a_head_must_come_in_time_as_a_whole)
{
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);
    uint64_t start_ms = now_ms();
    char rest[64];

    conn_send(conn, "GET /healthz HTTP/1.1\r\n");
    while (now_ms() - start_ms < 8000) { /* a sign of life every now and then is not enough */
        conn_send(conn, "X");
        if (conn_read_some(conn, rest, sizeof rest, 300) > 0)
            break;
        struct pollfd gone = { .fd = conn_socket(conn), .events = POLLRDHUP };
        if (poll(&gone, 1, 0) > 0)
            break;
    }
    require(now_ms() - start_ms < 8000, "the connection is still open");
    cr_assert_eq(http_get(server, "/healthz").status, 200);
}

SCENARIO(monitoring_speaks_http, who_never_reads_is_cut)
{
    enum { REQUESTS = 20000 };
    static const char REQUEST[] = "GET /varz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct server *server = server_start("%s", "");
    struct conn *conn = monitor_port(server);
    size_t size = sizeof REQUEST - 1;
    char *many = malloc(size * REQUESTS);
    uint64_t start_ms = now_ms();

    setsockopt(conn_socket(conn), SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
    for (size_t i = 0; i < REQUESTS; i++)
        memcpy(many + i * size, REQUEST, size);
    struct pollfd gone = { .fd = conn_socket(conn), .events = POLLHUP };
    while (poll(&gone, 1, 0) == 0 && now_ms() - start_ms < 8000)
        conn_write(conn, many, size * REQUESTS);
    require(now_ms() - start_ms < 8000, "the connection is still open");
    free(many);
    cr_assert_eq(http_get(server, "/healthz").status, 200);
}
