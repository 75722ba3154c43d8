/* Weaknesses that were found in other servers, tried on this one; each test is named after its class, and
 * docs/advisories.md says which other tests try the rest. */
#include "harness_events.h"
#include "harness_jwt.h"

#include <openssl/ssl.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

BEHAVIOUR(advisories_do_not_apply);

#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"pw\"")

static void enters(struct server *server, const char *options)
{
    struct conn *conn = nats_login(server, options);
    conn_barrier(conn);
    conn_close(conn);
}

static void is_refused(struct server *server, const char *first)
{
    struct conn *conn = nats_open(server);
    conn_send(conn, "%s", first);
    conn_expect(conn, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(conn);
}

/* ---- A: a crash before authentication ------------------------------------------------------------------ */

/* NATS 2026-03, -04, -10, -19, -27: what belongs to protocols that are not served here, and all of it twice. */
static const char *const KNOCKS[] = {
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x82\xff\xff",
    "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "GET /leafnode HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "\x10\xff\xff\xff\x7fMQTT",
    "INFO {}\r\nINFO {\"compression\":\"s2_fast\"}\r\nINFO null\r\n",
    "CONNECT {\"compression\":\"s2_best\",\"is_queue\":true}\r\nCONNECT null\r\nCONNECT []\r\n",
    "LS+ a\r\nLS- a\r\nLMSG a 0\r\n\r\nRS+ $G a\r\nRMSG $G a 0\r\n\r\nA+ $G\r\nA- $G\r\n",
    "\xff\x06\x01\x01sNaPpY",
};

SCENARIO(advisories_do_not_apply, a_crash_before_login_at_doors_that_are_not_there)
{
    struct server *server = server_start("authorization { users: [{ user: u, password: pw }] }\n");
    uint16_t doors[] = { server_port(server), server_monitor_port(server) };
    char rest[4096];
    size_t size;

    for (size_t i = 0; i < sizeof KNOCKS / sizeof *KNOCKS; i++) {
        for (size_t door = 0; door < sizeof doors / sizeof *doors; door++) {
            struct conn *conn = tcp_open_port(doors[door]);
            for (int times = 0; times < 2; times++)
                conn_send(conn, "%s", KNOCKS[i]);
            shutdown(conn_socket(conn), SHUT_WR);
            while ((size = conn_read_some(conn, rest, sizeof rest, PATIENCE_MS)) > 0)
                require(!memmem(rest, size, "101 Switching", 13), "somebody opened");
            conn_close(conn);
        }
    }
    enters(server, AS("u"));
}

/* ---- B: memory before authentication ------------------------------------------------------------------- */

/* NATS 2026-11, mosquitto 2017-7651 and 2023-0809: a length that is only announced. */
SCENARIO(advisories_do_not_apply, memory_before_login_for_announced_sizes)
{
    struct server *server = server_start("authorization { users: [{ user: u, password: pw }] }\n");
    static const char *const ANNOUNCED[] = { "PUB a 999999999\r\n", "PUB a 2147483647\r\n",
                                             "HPUB a 999999999 999999999\r\n" };

    for (size_t i = 0; i < sizeof ANNOUNCED / sizeof *ANNOUNCED; i++)
        is_refused(server, ANNOUNCED[i]);
    struct conn *conn = nats_open(server);
    conn_send(conn, "CONNECT {\"user\":\"%s", repeated('a', 70000));
    conn_expect(conn, "-ERR 'maximum control line exceeded'\r\n"); /* without waiting for its end */
    conn_expect_closed(conn);
    enters(server, AS("u"));
}

/* ---- C: a crash by a user ------------------------------------------------------------------------------ */

static const char *const ENDS[] = {
    "0",
    "-1",
    "1",
    "2147483647",
    "2147483648",
    "9223372036854775806",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
};
enum { END_COUNT = sizeof ENDS / sizeof *ENDS };

/* NATS 2026-28: offset + limit. */
EACH_ROW(advisories_do_not_apply, a_crash_by_numbers_of_the_monitoring_port, END_COUNT)
{
    static const char *const PATHS[] = { "/connz?",        "/connz?state=all&sort=idle&",
                                         "/subsz?subs=1&", "/connz?cid=1&subs=1&",
                                         "/accountz?",     "/ocspz?" };
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB a 1\r\n");
    conn_barrier(client);
    for (size_t path = 0; path < sizeof PATHS / sizeof *PATHS; path++) {
        for (size_t i = 0; i < END_COUNT; i++) {
            const char *asked = text("%soffset=%s&limit=%s", PATHS[path], ENDS[*row], ENDS[i]);
            struct http_answer answer = http_get(server, asked);
            require(answer.status == 200 || answer.status == 400 || answer.status == 404,
                    "%s: status %ld", asked, answer.status);
        }
    }
    conn_barrier(client);
}

/* Sends the request to each subject of the list; what comes back does not matter. */
static void ask_each(struct server *server, const char *prefix, const char *const list[],
                     const char *body)
{
    struct conn *conn = nats_login(server, AS_SYSTEM);
    conn_send(conn, "SUB rep 1\r\n");
    for (size_t i = 0; list[i]; i++)
        conn_send(conn, "PUB %s.%s rep %zu\r\n%s\r\n", prefix, list[i], strlen(body), body);
    conn_send(conn, "PING\r\n");
    while (strcmp(conn_line(conn), "PONG") != 0)
        continue;
    conn_close(conn);
}

/* An account that is not there, in every request that names one. */
SCENARIO(advisories_do_not_apply, a_crash_by_requests_about_unknown_accounts)
{
    static const char *const OF_ACCOUNT[] = { "CONNZ", "SUBSZ",         "LEAFZ", "INFO",
                                              "STATZ", "JSZ",           "CONNS", "NONE",
                                              "",      "CLAIMS.UPDATE", NULL };
    static const char *const OF_SERVER[] = { "CONNZ",    "SUBSZ",   "ACCOUNTZ",  "LEAFZ", "JSZ",
                                             "VARZ",     "IDZ",     "STATSZ",    "KICK",  "LDM",
                                             "PROFILEZ", "HEALTHZ", "IPQUEUESZ", NULL };
    static const char *const NAMES[] = { "NOPE", "*", ">", "..", "a b", "\xff" };
    struct server *server = server_start(SYSTEM_USER);

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *body = text("{\"acc\":\"%s\",\"account\":\"%s\",\"accounts\":[\"%s\",null]}",
                                NAMES[i], NAMES[i], NAMES[i]);
        ask_each(server, "$SYS.REQ.SERVER.PING", OF_SERVER, body);
        ask_each(server, "$SYS.REQ.ACCOUNT.NOPE", OF_ACCOUNT, body);
    }
    struct conn *conn = nats_login(server, AS_SYSTEM);
    cJSON *answer = ask(conn, "$SYS.REQ.ACCOUNT.NOPE.INFO", "");
    require(strcmp(json_at(answer, "error", "description")->valuestring,
                   "Account NOPE does not exist") == 0,
            "%s", json_shown(answer));
}

/* ---- D: who are you -------------------------------------------------------------------------------------- */

/* NATS 2022-01: the account chosen in CONNECT. */
SCENARIO(advisories_do_not_apply, who_you_are_is_not_what_connect_says)
{
    struct server *server = server_start("no_auth_user: b\n"
                                         "accounts { A { users: [{ user: a, password: pw }] }, B { "
                                         "users: [{ user: b, password: pw }] } }\n");
    static const char *const CHOICES[] = { "\"account\":\"A\"", "\"account\":\"$SYS\"",
                                           "\"account\":\"NEW\",\"new_account\":true" };

    for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
        is_refused(server, text("CONNECT {%s}\r\n", CHOICES[i]));
        is_refused(server, text("CONNECT {\"user\":\"b\",\"pass\":\"pw\",%s}\r\n", CHOICES[i]));
    }
    enters(server, AS("a"));
}

/* NATS 2023-01: users of the system account do not open the door that `authorization` closes. */
static const char *const CLOSED[] = {
    SYSTEM_USER "authorization { users: [{ user: u, password: pw }] }\n",
    "accounts { $SYS { users: [{ user: sys, password: pw }] }, A { users: [{ user: u }] } }\n",
};
enum { CLOSED_COUNT = sizeof CLOSED / sizeof *CLOSED };

EACH_ROW(advisories_do_not_apply, who_you_are_must_be_shown_beside_a_system_account, CLOSED_COUNT)
{
    struct server *server = server_start("%s", CLOSED[*row]);

    is_refused(server, "CONNECT {}\r\n");
    is_refused(server, "PUB a 0\r\n\r\n");
    is_refused(server, "CONNECT {\"user\":\"\",\"pass\":\"\"}\r\n");
    enters(server, *row == 0 ? AS("u") : QUIET_AND("\"user\":\"u\""));
}

/* NATS 2026-16 and -24: who sends no CONNECT is judged by the same rules as who does. */
SCENARIO(advisories_do_not_apply, who_you_are_without_connect)
{
    struct server *server = server_start(
        "no_auth_user: guest\n"
        "authorization { users: [{ user: guest, password: pw, allowed_connection_types: [MQTT] }\n"
        "  { user: u, password: pw }] }\n");
    static const char *const FIRST[] = { "CONNECT {}\r\n", "PUB a 0\r\n\r\n", "SUB a 1\r\n",
                                         "UNSUB 1\r\n" };

    for (size_t i = 0; i < sizeof FIRST / sizeof *FIRST; i++)
        is_refused(server, FIRST[i]);
    enters(server, AS("u"));
}

/* ---- E: what may you do ------------------------------------------------------------------------------------ */

#define LIMITED(permissions)                                                                       \
    "authorization { users: [{ user: root, password: pw }\n"                                       \
    "  { user: u, password: pw, permissions { " permissions " } }] }\n"

/* NATS 2021-02, 2022-04, 2026-18: a queue group is no way around what is denied. */
SCENARIO(advisories_do_not_apply, what_you_may_do_in_a_queue_group)
{
    struct server *server =
        server_start(LIMITED("subscribe { deny: [\"secret.>\", \"jobs team\"] }"));
    struct conn *u = nats_login(server, AS("u")), *root = nats_login(server, AS("root"));

    conn_send(u, "SUB secret.a any 1\r\nSUB secret.> any 2\r\nSUB jobs team 3\r\n");
    conn_expect(
        u, "-ERR 'Permissions Violation for Subscription to \"secret.a\" using queue \"any\"'\r\n"
           "-ERR 'Permissions Violation for Subscription to \"secret.>\" using queue \"any\"'\r\n"
           "-ERR 'Permissions Violation for Subscription to \"jobs\" using queue \"team\"'\r\n");
    conn_send(u, "SUB *.a any 4\r\nSUB > any 5\r\nSUB jobs other 6\r\n");
    conn_barrier(u);
    for (int i = 0; i < 20; i++)
        conn_send(root, "PUB secret.a 0\r\n\r\n");
    conn_barrier(root);
    conn_barrier(u);
    conn_send(root, "PUB open 0\r\n\r\n");
    conn_expect(u, "MSG open 5 0\r\n\r\n");
}

/* NATS 2026-15, -20: headers that ask for a trace are no permission to publish it. */
SCENARIO(advisories_do_not_apply, what_you_may_do_by_asking_for_a_trace)
{
    struct server *server = server_start(LIMITED("publish: \"open\""));
    struct conn *u = nats_login(server, AS("u")), *root = nats_login(server, AS("root"));
    static const char HEADERS[] =
        "NATS/1.0\r\nNats-Trace-Dest: secret.trace\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";

    conn_send(root, "SUB secret.> 1\r\n");
    conn_barrier(root);
    conn_send(u, "HPUB open %zu %zu\r\n%s\r\n", strlen(HEADERS), strlen(HEADERS), HEADERS);
    conn_expect(u, "-ERR 'Permissions Violation for Publish to \"secret.trace\"'\r\n");
    conn_barrier(u);
    conn_barrier(root);
}

/* mosquitto 2018-12543: subjects that begin with $ are ordinary ones outside of the system account. */
SCENARIO(advisories_do_not_apply, what_you_may_do_with_system_subjects)
{
    struct server *server = server_start(SYSTEM_USER);
    struct conn *client = nats_login(server, QUIET), *admin = nats_login(server, AS_SYSTEM);

    listen_to(admin, "$SYS.SERVER.*.SHUTDOWN");
    conn_send(client, "SUB $SYS.SERVER.*.SHUTDOWN 1\r\nSUB $ 2\r\nSUB $SYS 3\r\n");
    conn_send(client,
              "PUB $SYS.SERVER.forged.SHUTDOWN 2\r\n{}\r\nPUB $ 0\r\n\r\nPUB $SYS 0\r\n\r\n");
    conn_expect(client, "MSG $SYS.SERVER.forged.SHUTDOWN 1 2\r\n{}\r\n"
                        "MSG $ 2 0\r\n\r\nMSG $SYS 3 0\r\n\r\n");
    conn_barrier(admin);
}

/* ---- F: forging and injecting -------------------------------------------------------------------------------- */

/* NATS 2026-08, -09: who asks is told by the server alone, however the requester spells it. */
SCENARIO(advisories_do_not_apply, forging_who_asks)
{
    struct server *server =
        server_start("accounts {\n"
                     "  A { users: [{ user: a, password: pw }], exports: [{ service: ask }] }\n"
                     "  B { users: [{ user: b, password: pw }], imports: [{ service: { account: A, "
                     "subject: ask } }] }\n"
                     "}\n");
    struct conn *a = nats_login(server, AS("a")), *b = nats_login(server, AS("b"));
    static const char HEADERS[] = "NATS/1.0\r\nNats-Request-Info: {\"acc\":\"forged1\"}\r\n"
                                  "Other: kept\r\nNats-Request-Info: {\"acc\":\"forged2\"}\r\n\r\n";

    conn_send(a, "SUB ask 1\r\n");
    conn_barrier(a);
    conn_send(b, "HPUB ask rep %zu %zu\r\n%s\r\n", strlen(HEADERS), strlen(HEADERS), HEADERS);
    unsigned told = 0;
    conn_send(b, "PING\r\n");
    conn_expect(b, "PONG\r\n");
    conn_send(a, "PING\r\n");
    for (const char *line; strcmp(line = conn_line(a), "PONG") != 0;) {
        require(!strstr(line, "forged"), "it came through: %s", line);
        told += strstr(line, "Nats-Request-Info: {\"acc\":\"B\"") == line;
    }
    require(told == 1, "told %u times", told);
}

/* NATS 2026-22: a line end or a control byte in a subject begins no line of its own. */
SCENARIO(advisories_do_not_apply, injecting_lines)
{
    struct server *server = server_start(LIMITED("publish: \"open.>\""));
    struct conn *u = nats_login(server, AS("u")), *root = nats_login(server, AS("root"));
    static const char *const ODD[] = { "open.\x01", "open.\x7f", "open.a\vb", "open.\xc2\x85" };

    conn_send(root, "SUB open.> 1\r\nSUB secret 2\r\n");
    conn_barrier(root);
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++) {
        conn_send(u, "PUB %s 2\r\nhi\r\n", ODD[i]);
        conn_expect(root, "MSG %s 1 2\r\nhi\r\n", ODD[i]);
    }
    conn_send(u, "PUB open.a\rPUB\rsecret 0\r\n\r\n"); /* \r alone ends no line */
    conn_expect(root, "MSG open.a\rPUB\rsecret 1 0\r\n\r\n");
    conn_barrier(root);
}

/* ---- H: files of other names ---------------------------------------------------------------------------------- */

static const char *const NO_ACCOUNTS[] = { "inner/secret", "../outside", "/outside", "secret" };

/* NATS 2022-03: a resolver's directory has a file for each account, which nobody may call what he likes. */
SCENARIO(advisories_do_not_apply, files_are_named_by_keys_only)
{
    struct realm realm = realm_new();
    const char *system = signer_public(realm.system), *all = realm_account(&realm, "", "");
    struct server *server =
        server_start("operator: \"%s\"\nsystem_account: %s\nresolver { type: full, dir: \"jwt\" }\n"
                     "resolver_preload { %s: \"%s\" }\n",
                     signer_jwt(realm.operator_, signer_public(realm.operator_), "", NATS_OPERATOR),
                     system, system, signer_jwt(realm.operator_, system, "", NATS_ACCOUNT));
    struct conn *admin = jwt_login(
        server, realm.user, signer_jwt(realm.system, signer_public(realm.user), "", NATS_USER));
    struct signer *key = signer_new('A');

    mkdir(server_path(server, "jwt/inner"), 0700);
    file_write(server_path(server, "jwt/inner/secret.jwt"), all);
    file_write(server_path(server, "jwt/secret.jwt"), all);
    file_write(server_path(server, "outside.jwt"), all);
    conn_send(admin, "SUB reply 5\r\n");
    for (size_t i = 0; i < sizeof NO_ACCOUNTS / sizeof *NO_ACCOUNTS; i++) {
        const char *name = NO_ACCOUNTS[i];
        if (!is_reference() && !strchr(name, '.')) { /* it stays silent */
            conn_send(admin, "PUB $SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP reply 0\r\n\r\n", name);
            conn_expect(admin, "MSG reply 5 0\r\n\r\n");
        }
        jwt_refused(server, realm.user,
                    signer_jwt(key, signer_public(realm.user), "",
                               text(NATS_USER ",\"issuer_account\":\"%s\"", name)));
        cJSON *said = ask(admin, "$SYS.REQ.CLAIMS.UPDATE",
                          signer_jwt(realm.operator_, name, "", NATS_ACCOUNT));
        require(json_at(said, "error", "code"), "%s may be written", name);
    }
    const char *outside = file_content(server_path(server, "outside.jwt"));
    require(outside && strcmp(outside, all) == 0, "a file outside was written");
}

/* ---- I: crypto that was set up and then not used ------------------------------------------------------------- */

static void offer_only_aes_256(struct ssl_st *ssl)
{
    SSL_set_cipher_list(ssl, "ECDHE-ECDSA-AES256-GCM-SHA384");
}

static bool only_aes_128_is_spoken(struct server *server)
{
    struct tls_wishes right = { .ca_file = cert_path("ca.pem"), .max_version = TLS1_2_VERSION };
    struct tls_wishes wrong = right;

    wrong.prepare = offer_only_aes_256;
    return conn_try_tls(nats_open(server), &right) && !conn_try_tls(nats_open(server), &wrong);
}

/* NATS 2021-03: cipher suites of the file hold when flags speak of TLS, too, and after a reload. */
SCENARIO(advisories_do_not_apply, crypto_settings_hold_beside_flags)
{
    const char *config =
        text("tls { %s, cipher_suites: [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"] }\n",
             tls_identity("server"));
    const char *flags[] = {
        "--tls", "--tlscert", cert_path("server.pem"), "--tlskey", cert_path("server.key"), NULL
    };
    struct server *plain = server_start("%s", config);
    struct server *flagged =
        server_launch(&(struct launch){ .config = config, .arguments = flags });

    server_await_ready(flagged);
    require(only_aes_128_is_spoken(plain), "as in the file");
    if (!is_reference()) /* forgets them still */
        require(only_aes_128_is_spoken(flagged), "with flags");
    server_reload(plain, "debug: true\n%s", config);
    require(only_aes_128_is_spoken(plain), "after a reload");
}

/* NATS 2023-02: the curve key is drawn, and another one for each server. */
SCENARIO(advisories_do_not_apply, crypto_keys_are_drawn)
{
    const char *first = json_text(conn_info(nats_open(server_start("%s", ""))), "xkey");
    const char *second = json_text(conn_info(nats_open(server_start("%s", ""))), "xkey");

    require(strlen(first) == 56 && first[0] == 'X', "'%s'", first);
    require(strcmp(first, second) != 0, "both have '%s'", first);
    require(!strstr(first, "AAAAAAAAAAAA"), "'%s' holds nothing", first);
}

/* ---- configurations that fail open --------------------------------------------------------------------------- */

/* mosquitto 2018-12551 and -12550: what is misspelt, half or empty is an error, and no rule less. */
static const char *const HALF[] = {
    "authorization { users: [{ user: u, pasword: pw }] }\n",
    "authorization { users: [{ user: u, password: }] }\n",
    "authorization { users: [{ password: pw }] }\n",
    "authorization { users: [{ }] }\n",
    "authorization { users: u }\n",
    "authorization { user: u\n",
    SYSTEM_USER "authorization { user: u, password: pw }\n", /* which of them counts? */
    SYSTEM_USER "authorization { token: \"pw\" }\n",
    "authorization { users: [{ user: u, password: pw, permissions { publsh: a } }] }\n",
    "authorization { users: [{ user: u, password: pw, permissions { publish { alow: a } } }] }\n",
    "authorization { users: [{ user: u, password: pw, allowed_connection_types: [NONE] }] }\n",
    "accounts { A { users: [{ nkey: UAAA }] } }\n",
    "accounts { A { imports: [{ service: { account: A } }] } }\n",
    "tls { cert_file: \"nowhere.pem\" }\n",
};
enum { HALF_COUNT = sizeof HALF / sizeof *HALF };

EACH_ROW(advisories_do_not_apply, no_rule_is_lost_that_is_half_written, HALF_COUNT)
{
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .config = HALF[*row] });

    require(status == 1, "status %d: %s", status, server_errors(server));
}

/* mosquitto 2017-7652: a reload that finds no free descriptor leaves the rules in force. */
SCENARIO(advisories_do_not_apply, no_rule_is_lost_by_a_reload_without_descriptors)
{
    enum { FILES = 48, TRIES = 64 };
    struct server *server = server_launch(&(struct launch){
        .config = "authorization { users: [{ user: u, password: pw }] }\n", .max_files = FILES });
    struct conn *tries[TRIES];

    server_await_ready(server);
    struct conn *served = nats_login(server, AS("u"));
    for (int i = 0; i < TRIES; i++)
        tries[i] = tcp_open(server);
    require(log_contains(server, "ccept ", PATIENCE_MS), "there are descriptors left");
    server_mark_log(server);
    server_signal(server, SIGHUP);
    require(log_continues(server, "Failed to reload server configuration", PATIENCE_MS),
            "the file could be read");
    conn_barrier(served);
    for (int i = 0; i < TRIES; i++)
        conn_close(tries[i]);
    conn_barrier(served);
    is_refused(server, "CONNECT {}\r\n");
    is_refused(server, "CONNECT {\"user\":\"u\",\"pass\":\"\"}\r\n");
    enters(server, AS("u"));
}

/* ---- configurations that are too much ------------------------------------------------------------------------- */

/* Each ends in an error. */
SCENARIO(advisories_do_not_apply, no_crash_by_deep_or_recursive_configurations)
{
    const char *deep[] = {
        text("accounts { A { users: %s } }\n", repeated('[', 100000)),
        text("accounts { A: %s } }\n", repeated('{', 100000)),
        text("accounts = %s\n", repeated('{', 2000)),
        "a = $b\nb = $a\naccounts = $a\n",
        "accounts = $accounts\n",
        "accounts { A { imports: [{ service: { account: A, subject: s } }], exports: [{ service: s "
        "}] }\n"
        "  A { } }\n"
        "mappings = { a: [{ destination: b, weight: 101% }] }\n",
        "include server.conf\n",
    };

    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        struct server *server = NULL;
        if (is_reference() && strstr(deep[i], "include"))
            continue; /* overflows its stack */
        int status = server_run(&server, &(struct launch){ .config = deep[i] });
        require(status == 1, "number %zu: status %d", i, status);
    }
}
