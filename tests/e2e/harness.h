/* harness.h - starts the real server and talks to it over real sockets.
 *
 * A test reads like a conversation:
 *
 *     struct server *server = server_start("max_payload: 100\n");
 *     struct conn *client = nats_login(server, "{\"verbose\":false}");
 *
 *     conn_send(client, "PUB foo 101\r\n");
 *     conn_expect(client, "-ERR 'Maximum Payload Violation'\r\n");
 *     conn_expect_closed(client);
 *
 * Everything that waits has a deadline. What does not come true fails the test and prints the end
 * of every server's log. When a scenario ends each server still running gets SIGTERM and must leave
 * with status 0, so a sanitizer's report in the server fails the test too.
 *
 * The binary under test is named by VOUCH_SERVER, else the one this build made. The same tests run
 * against nats-server: is_reference() tells where the two are known to differ. */
#ifndef E2E_HARNESS_H
#define E2E_HARNESS_H

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PATIENCE_MS = 10000 };

struct server;
struct conn;

/* ---- the test itself ---------------------------------------------------------------------- */

void e2e_begin(void);
void e2e_end(void);
void e2e_at(const char *file, int line);
void e2e_row(size_t row);

/** Opens a file of tests: servers and connections of a test are put away when it ends. */
#define BEHAVIOUR(suite) TestSuite(suite, .init = e2e_begin, .fini = e2e_end, .timeout = 120)

void e2e_finish(void);

/** A test: `SCENARIO(suite, name) { ... }`. (Criterion does not count what fails while a test is put
 *  away, so the servers' end is looked at before that.) */
#define SCENARIO(suite, name)                                                                      \
    static void suite##_##name##_of(void);                                                         \
    Test(suite, name)                                                                              \
    {                                                                                              \
        suite##_##name##_of();                                                                     \
        e2e_finish();                                                                              \
    }                                                                                              \
    static void suite##_##name##_of(void)

/** A test for each of `count` rows of a table: the body gets `*row`, the number of its row.
 *  (Parameters are copied into the test's process; a number survives that, a pointer does not.) */
#define EACH_ROW(suite, name, count)                                                               \
    static void suite##_##name##_of(const size_t *row);                                            \
    ParameterizedTestParameters(suite, name)                                                       \
    {                                                                                              \
        static size_t rows[count];                                                                 \
        for (size_t i = 0; i < (count); i++)                                                       \
            rows[i] = i;                                                                           \
        return cr_make_param_array(size_t, rows, count);                                           \
    }                                                                                              \
    ParameterizedTest(size_t *row, suite, name)                                                    \
    {                                                                                              \
        e2e_row(*row);                                                                             \
        suite##_##name##_of(row);                                                                  \
        e2e_finish();                                                                              \
    }                                                                                              \
    static void suite##_##name##_of(const size_t *row)

/** Fails the test with this sentence, after the end of every server's log. */
void e2e_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Fails the test unless `condition` holds; the rest says what was expected. */
#define require(condition, ...)                                                                    \
    do {                                                                                           \
        e2e_at(__FILE__, __LINE__);                                                                \
        if (!(condition))                                                                          \
            e2e_fail(__VA_ARGS__);                                                                 \
    } while (0)

/** Is the server under test nats-server itself? */
bool is_reference(void);

/** A formatted string that lives until the test ends. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** `size` times the letter `letter`; lives until the test ends. */
const char *repeated(char letter, size_t size);

/** Milliseconds of the monotonic clock. */
uint64_t now_ms(void);

/* ---- the server (harness_server.c) -------------------------------------------------------- */

struct launch {
    const char *binary;           /* NULL: the one under test */
    const char *config;           /* NULL: no configuration file, no -c */
    const char *const *arguments; /* NULL, or more arguments, ended by NULL */
    bool bare;                    /* the config text is used as it is, without free ports */
    const char *log_name;         /* file in its folder where the log goes, NULL: "stderr" */
    unsigned max_files;           /* RLIMIT_NOFILE of the server, 0: unchanged */
};

/** Starts a server on free loopback ports and waits until it is ready. */
struct server *server_start(const char *config, ...) __attribute__((format(printf, 1, 2)));

/** Starts a server and does not wait. Its own folder is its working directory. */
struct server *server_launch(const struct launch *launch);

/** Starts a server that is expected to leave by itself; gives its exit status. The rest as above. */
int server_run(struct server **server, const struct launch *launch);

/** The name of the binary under test, with which it begins its messages. */
const char *server_name(void);

/** Waits until the server said that it is ready. */
void server_await_ready(struct server *server);

/** Waits until the server is gone; gives its exit status, or minus the signal that ended it. */
int server_await_exit(struct server *server);

/** Sends SIGTERM, waits, and requires exit status 0. */
void server_stop(struct server *server);

void server_signal(struct server *server, int signal);

/** Writes a new configuration (free ports are kept); the server has not been told. */
void server_rewrite(struct server *server, const char *config, ...)
    __attribute__((format(printf, 2, 3)));

/** Writes a new configuration, sends SIGHUP, and waits for the log to say that it is in force. */
void server_reload(struct server *server, const char *config, ...)
    __attribute__((format(printf, 2, 3)));

/** Does the log contain this text now or within `patience_ms`? */
bool log_contains(struct server *server, const char *wanted, int patience_ms);

/** As log_contains, but only what came after the last server_mark_log() or server_reload(). */
bool log_continues(struct server *server, const char *wanted, int patience_ms);
void server_mark_log(struct server *server);

/** All of the log so far; lives until the test ends. */
const char *server_log(struct server *server);

/** What it wrote to stderr and to stdout. */
const char *server_errors(struct server *server);
const char *server_output(struct server *server);

/** Waits until this file in the server's folder is there and its content has `wanted` in it. */
const char *server_await_file(struct server *server, const char *name, const char *wanted);

pid_t server_pid(const struct server *server);
uint16_t server_port(struct server *server);
uint16_t server_monitor_port(struct server *server);

/** The path of a file inside the server's own folder; lives until the test ends. */
const char *server_path(const struct server *server, const char *name);

/** The whole content of a file, or NULL; lives until the test ends. */
const char *file_content(const char *path);
void file_write(const char *path, const char *content);

/* ---- CONNECT's options ---------------------------------------------------------------------- */

/** An ordinary client that gets no +OK, and understands headers and 503. */
#define QUIET                                                                                      \
    "{\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,"                       \
    "\"no_responders\":true}"

/** The same with more members: QUIET_AND("\"user\":\"bob\""). */
#define QUIET_AND(members)                                                                         \
    "{\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,"                       \
    "\"no_responders\":true," members "}"

/* ---- a connection (harness_conn.c) -------------------------------------------------------- */

/** Opens a TCP connection and reads nothing. */
struct conn *tcp_open(struct server *server);
struct conn *tcp_open_port(uint16_t port);

/** Tries to open a connection; NULL when it is refused. */
struct conn *tcp_try_port(uint16_t port);

/** Opens a connection and reads INFO. */
struct conn *nats_open(struct server *server);

/** Opens a connection, sends CONNECT with these options and PING, reads PONG and what follows. */
struct conn *nats_login(struct server *server, const char *options);

/** Sends CONNECT and PING on an open connection and reads until the INFO after PONG. */
void conn_login(struct conn *conn, const char *options);

void conn_write(struct conn *conn, const void *bytes, size_t size);

/** Writes each byte by itself. */
void conn_write_split(struct conn *conn, const void *bytes, size_t size);

/** Sends formatted text. A connection that the server closed swallows it. */
void conn_send(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Requires that exactly this text comes next. A PING of the server in between is answered. */
void conn_expect(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
void conn_expect_bytes(struct conn *conn, const void *bytes, size_t size);

/** Reads one line, without its line end; lives until the test ends. */
const char *conn_line(struct conn *conn);

/** Requires that the server closes the connection without another byte. */
void conn_expect_closed(struct conn *conn);

/** Sends PING and requires that PONG is all that comes: nothing else was under way. */
void conn_barrier(struct conn *conn);

/** Reads an INFO line; the object lives as long as the connection. */
cJSON *conn_read_info(struct conn *conn);

/** The last INFO that was read. */
cJSON *conn_info(struct conn *conn);

/** The client id of the last INFO. */
unsigned conn_id(struct conn *conn);

uint16_t conn_local_port(const struct conn *conn);
int conn_socket(const struct conn *conn);

/** Reads and throws away `size` bytes. */
void conn_skip(struct conn *conn, size_t size);

/** Reads what comes within `patience_ms`, at most `size` bytes; 0 when closed or nothing came. */
size_t conn_read_some(struct conn *conn, void *into, size_t size, int patience_ms);

void conn_close(struct conn *conn);

/* ---- TLS (harness_tls.c) ------------------------------------------------------------------ */

struct ssl_st;

struct tls_wishes {
    const char *ca_file;              /* NULL: the server's certificate is not checked */
    const char *cert_file, *key_file; /* NULL: no client certificate */
    const char *name;                 /* NULL, or the host name to ask for and to check */
    int max_version;                  /* 0, or TLS1_2_VERSION ... */
    struct ssl_session_st *session;   /* NULL, or one to resume */
    void (*prepare)(struct ssl_st *); /* NULL, or what else is done before the first byte is sent */
};

/** Does the client's side of the handshake succeed on this connection? */
bool conn_try_tls(struct conn *conn, const struct tls_wishes *wishes);

/** Requires that it does. */
void conn_start_tls(struct conn *conn, const struct tls_wishes *wishes);

const char *conn_tls_version(const struct conn *conn);

/** The members `cert_file` and `key_file` of a tls block. */
const char *tls_identity(const char *name);

/** Connects, reads INFO, does TLS, and logs in. */
struct conn *nats_login_tls(struct server *server, const struct tls_wishes *wishes,
                            const char *options);

/** The common name of the server's certificate. */
const char *conn_server_name(const struct conn *conn);

/** A file made by tests/certs/make.sh. */
const char *cert_path(const char *name);

/** The SHA-256 of a certificate's public key as 64 hex digits. */
const char *cert_pin(const char *cert_file);

/* ---- monitoring (harness_http.c) ---------------------------------------------------------- */

struct http_answer {
    long status;
    char content_type[128];
    char allow_origin[32];
    char *body; /* lives until the test ends */
};

struct http_answer http_get(struct server *server, const char *path);

/** GET that requires 200 and JSON; the object lives until the test ends. */
cJSON *monitor(struct server *server, const char *path);

/** A member that must be a number, or a string. */
double json_number(const cJSON *object, const char *key);
const char *json_text(const cJSON *object, const char *key);

/** The whole of it as one line; lives until the test ends. */
const char *json_shown(const cJSON *json);

bool json_has(const cJSON *object, const char *key);
bool json_true(const cJSON *object, const char *key);

/** The entry of connection `cid` in /connz, waiting until it is there; NULL when it never comes. */
cJSON *connz_entry(struct server *server, const char *query, unsigned cid);

/** Why connection `cid` was closed, as /connz?state=closed tells. */
const char *close_reason(struct server *server, unsigned cid);

/* ---- nkeys (harness_nkey.c) --------------------------------------------------------------- */

struct nkey;
struct nkey *nkey_new(void);
const char *nkey_public(const struct nkey *key);
const char *nkey_sign(const struct nkey *key, const char *nonce);
void nkey_free(struct nkey *key);

/* ---- between the harness's own files ------------------------------------------------------ */

enum { MAX_SERVERS = 8 };

void *keep(void *memory);      /* frees it when the test ends */
cJSON *keep_json(cJSON *json); /* deletes it when the test ends */
void conn_close_all(void);
int conn_watch_ends(void);       /* owned: an epoll set of connections that the server may end */
void conn_answer_ends(int ends); /* ends our side of those that it has */
bool server_stop_all(void);      /* false: not all of them ended well */
void server_print_logs(void);

struct ssl_st;
void conn_set_tls(struct conn *conn, struct ssl_st *ssl);
struct ssl_st *conn_tls(const struct conn *conn);

/* ---- where a test failed ------------------------------------------------------------------- */

#ifndef E2E_INSIDE
#define E2E_HERE(call)         (e2e_at(__FILE__, __LINE__), call)
#define server_start(...)      E2E_HERE(server_start(__VA_ARGS__))
#define server_reload(...)     E2E_HERE(server_reload(__VA_ARGS__))
#define server_stop(...)       E2E_HERE(server_stop(__VA_ARGS__))
#define server_await_exit(x)   E2E_HERE(server_await_exit(x))
#define server_await_ready(x)  E2E_HERE(server_await_ready(x))
#define server_await_file(...) E2E_HERE(server_await_file(__VA_ARGS__))
#define tcp_open(x)            E2E_HERE(tcp_open(x))
#define nats_open(x)           E2E_HERE(nats_open(x))
#define nats_login(...)        E2E_HERE(nats_login(__VA_ARGS__))
#define nats_login_tls(...)    E2E_HERE(nats_login_tls(__VA_ARGS__))
#define conn_login(...)        E2E_HERE(conn_login(__VA_ARGS__))
#define conn_start_tls(...)    E2E_HERE(conn_start_tls(__VA_ARGS__))
#define conn_send(...)         E2E_HERE(conn_send(__VA_ARGS__))
#define conn_expect(...)       E2E_HERE(conn_expect(__VA_ARGS__))
#define conn_expect_bytes(...) E2E_HERE(conn_expect_bytes(__VA_ARGS__))
#define conn_expect_closed(x)  E2E_HERE(conn_expect_closed(x))
#define conn_line(x)           E2E_HERE(conn_line(x))
#define conn_barrier(x)        E2E_HERE(conn_barrier(x))
#define conn_read_info(x)      E2E_HERE(conn_read_info(x))
#define conn_skip(...)         E2E_HERE(conn_skip(__VA_ARGS__))
#define http_get(...)          E2E_HERE(http_get(__VA_ARGS__))
#define monitor(...)           E2E_HERE(monitor(__VA_ARGS__))
#define connz_entry(...)       E2E_HERE(connz_entry(__VA_ARGS__))
#define close_reason(...)      E2E_HERE(close_reason(__VA_ARGS__))
#define json_number(...)       E2E_HERE(json_number(__VA_ARGS__))
#define json_text(...)         E2E_HERE(json_text(__VA_ARGS__))
#endif
#endif
