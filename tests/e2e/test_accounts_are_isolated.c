/* Who is in one account sees nothing of another, whichever worker either is on; a reload moves nobody across. */
#include "harness.h"

BEHAVIOUR(accounts_are_isolated);

#define TWO_ACCOUNTS                                                                               \
    "accounts {\n"                                                                                 \
    "  A { users: [{ user: a, password: x }] }\n"                                                  \
    "  B { users: [{ user: b, password: x }, { user: b2, password: x }] }\n"                       \
    "}\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"x\"")

SCENARIO(accounts_are_isolated, messages_stay_inside)
{
    /* worker_fill_percent 0 spreads connections over the workers */
    struct server *server =
        server_start("%s", is_reference() ? TWO_ACCOUNTS
                                          : TWO_ACCOUNTS "max_workers: 2\n"
                                                         "worker_fill_percent: 0\n");
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    struct conn *b2 = nats_login(server, AS("b2"));

    conn_send(a, "SUB > 1\r\n");
    conn_barrier(a);
    conn_send(b, "SUB > 1\r\n");
    conn_barrier(b);
    conn_send(b2, "PUB foo 2\r\nhi\r\n");
    conn_barrier(b2);
    conn_expect(b, "MSG foo 1 2\r\nhi\r\n");
    conn_barrier(a);
    conn_send(a, "PUB bar 2\r\nho\r\n");
    conn_expect(a, "MSG bar 1 2\r\nho\r\n");
    conn_barrier(b);
}

SCENARIO(accounts_are_isolated, queue_groups_of_one_name_are_two)
{
    struct server *server = server_start("%s", TWO_ACCOUNTS);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));

    conn_send(a, "SUB jobs Q 1\r\n");
    conn_send(b, "SUB jobs Q 1\r\n");
    conn_barrier(a);
    for (int i = 0; i < 20; i++) {
        conn_send(b, "PUB jobs 1\r\nx\r\n");
        conn_expect(b, "MSG jobs 1 1\r\nx\r\n");
    }
    conn_barrier(a);
}

SCENARIO(accounts_are_isolated, a_request_finds_no_responder_of_another_account)
{
    struct server *server = server_start("%s", TWO_ACCOUNTS);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));

    conn_send(a, "SUB help 1\r\n");
    conn_barrier(a);
    conn_send(b, "SUB answer 1\r\nPUB help answer 0\r\n\r\n");
    conn_expect(b, "HMSG answer 1 36 36\r\nNATS/1.0 503\r\nNats-Subject: help\r\n\r\n\r\n");
    conn_barrier(a);
}

SCENARIO(accounts_are_isolated, info_names_the_account)
{
    struct server *server = server_start("accounts { ADMIN { users: [{ user: s, password: x }] }\n"
                                         "  A { users: [{ user: a, password: x }] } }\n"
                                         "system_account: ADMIN\n");
    struct conn *a = nats_login(server, AS("a"));
    require(strcmp(json_text(conn_info(a), "remote_account"), "A") == 0, "%s",
            json_shown(conn_info(a)));
    require(!json_has(conn_info(a), "acc_is_sys"), "%s", json_shown(conn_info(a)));
    struct conn *s = nats_login(server, AS("s"));
    require(strcmp(json_text(conn_info(s), "remote_account"), "ADMIN") == 0, "%s",
            json_shown(conn_info(s)));
    require(json_true(conn_info(s), "acc_is_sys"), "%s", json_shown(conn_info(s)));
}

SCENARIO(accounts_are_isolated, users_of_the_system_account_lock_nobody_out)
{
    struct server *server =
        server_start("accounts { $SYS { users: [{ user: s, password: x }] } }\n");
    struct conn *anybody = nats_open(server);
    require(json_true(conn_info(anybody), "auth_required"), "%s", json_shown(conn_info(anybody)));
    conn_login(anybody, QUIET);
    require(strcmp(json_text(conn_info(anybody), "remote_account"), "$G") == 0, "%s",
            json_shown(conn_info(anybody)));
    conn_send(anybody, "SUB foo 1\r\nPUB foo 0\r\n\r\n");
    conn_expect(anybody, "MSG foo 1 0\r\n\r\n");
    struct conn *s = nats_login(server, AS("s"));
    require(json_true(conn_info(s), "acc_is_sys"), "%s", json_shown(conn_info(s)));
}

SCENARIO(accounts_are_isolated, without_credentials_one_gets_the_account_of_no_auth_user)
{
    struct server *server = server_start("%sno_auth_user: a\n", TWO_ACCOUNTS);
    struct conn *anybody = nats_login(server, QUIET);
    require(strcmp(json_text(conn_info(anybody), "remote_account"), "A") == 0, "%s",
            json_shown(conn_info(anybody)));
}

SCENARIO(accounts_are_isolated, a_user_that_moves_is_sent_away)
{
    struct server *server = server_start("%s", TWO_ACCOUNTS);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    struct conn *b2 = nats_login(server, AS("b2"));
    unsigned moved = conn_id(b2), gone = conn_id(b);

    server_reload(server, "accounts {\n"
                          "  A { users: [{ user: a, password: x }, { user: b2, password: x }] }\n"
                          "  B { users: [{ user: c, password: x }] }\n"
                          "}\n");
    conn_expect_closed(b2);
    conn_expect_closed(b);
    require(strcmp(close_reason(server, moved), "Client Closed") == 0, "%s",
            close_reason(server, moved));
    require(strcmp(close_reason(server, gone), "Client Closed") == 0, "%s",
            close_reason(server, gone));
    conn_barrier(a);
    b2 = nats_login(server, AS("b2"));
    require(strcmp(json_text(conn_info(b2), "remote_account"), "A") == 0, "%s",
            json_shown(conn_info(b2)));
    struct conn *c = nats_login(server, AS("c"));
    require(strcmp(json_text(conn_info(c), "remote_account"), "B") == 0, "%s",
            json_shown(conn_info(c)));
}

SCENARIO(accounts_are_isolated, the_system_account_stays_as_it_is)
{
    struct server *server = server_start("accounts: [A, B]\nsystem_account: A\n");
    server_rewrite(server, "accounts: [A, B]\nsystem_account: B\n");
    server_signal(server, SIGHUP);
    require(log_contains(server, "config reload not supported for SystemAccount: old=A, new=B",
                         PATIENCE_MS),
            "%s", server_log(server));
}

SCENARIO(accounts_are_isolated, monitoring_tells_them_apart)
{
    struct server *server = server_start("%s", TWO_ACCOUNTS);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    struct conn *b2 = nats_login(server, AS("b2"));
    conn_send(b, "SUB foo 1\r\nSUB bar 2\r\n");
    conn_barrier(b);
    conn_send(b2, "PUB foo 5\r\nhello\r\n");
    conn_expect(b, "MSG foo 1 5\r\nhello\r\n");
    conn_barrier(a);

    const cJSON *detail = cJSON_GetObjectItem(monitor(server, "/accountz?acc=B"), "account_detail");
    require(json_number(detail, "client_connections") == 2, "%s", json_shown(detail));
    require(json_number(detail, "subscriptions") >= 2, "%s", json_shown(detail));
    const cJSON *stats = cJSON_GetObjectItem(monitor(server, "/accstatz"), "account_statz");
    require(cJSON_GetArraySize(stats) == 2, "%s", json_shown(stats));
    const cJSON *stat;
    cJSON_ArrayForEach(stat, stats)
    {
        bool is_b = strcmp(json_text(stat, "acc"), "B") == 0;
        const cJSON *sent = cJSON_GetObjectItem(stat, "sent"),
                    *received = cJSON_GetObjectItem(stat, "received");
        require(json_number(stat, "conns") == (is_b ? 2 : 1), "%s", json_shown(stat));
        require(json_number(sent, "bytes") == (is_b ? 5 : 0), "%s", json_shown(stat));
        require(json_number(received, "msgs") == (is_b ? 1 : 0), "%s", json_shown(stat));
    }
    const cJSON *subs = monitor(server, "/subsz?subs=1&acc=B");
    require(cJSON_GetArraySize(cJSON_GetObjectItem(subs, "subscriptions_list")) >= 2, "%s",
            json_shown(subs));
    const cJSON *connz = monitor(server, "/connz?auth=1&acc=A");
    require(json_number(connz, "num_connections") == 1, "%s", json_shown(connz));
    const cJSON *entry = cJSON_GetArrayItem(cJSON_GetObjectItem(connz, "connections"), 0);
    require(strcmp(json_text(entry, "account"), "A") == 0, "%s", json_shown(entry));
}
