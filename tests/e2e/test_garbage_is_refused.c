/* Bad input of every kind ends the connection it came on, and hurts nobody else. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

BEHAVIOUR(garbage_is_refused);

struct bytes {
    const char *bytes;
    size_t size;
};

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct bytes GARBAGE[] = {
    BYTES("\0"),
    BYTES("\xff\xfe\xfd\xfc\r\n"),
    BYTES("\x16\x03\x01\x00\x05hello\r\n"), /* a TLS hello on a port in clear */
    BYTES("\x10\x2a\0\x04MQTT\x04\xc2\0\x3c"),
    BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    BYTES("CONNECT \0{}\r\n"),
    BYTES("PUB foo 5\r\nab\0cd\n\r"), /* the wrong end of a payload */
    BYTES("\r\n\r\n\r\n"),
    BYTES("SUB\0foo 1\r\n"),
    BYTES("PUB foo 1 2 3 4 5 6 7 8 9\r\n"),
    BYTES("CONNECT {\"a\":\xff\xff}\r\n"),
    BYTES("PUB foo -5\r\nhello\r\n"),
    BYTES("PUB foo 0x10\r\n"),
    BYTES("HPUB foo 20 10\r\n"),
    BYTES("A+ x\r\nLS+ x\r\n"),
};

EACH_ROW(garbage_is_refused, of_this_kind, sizeof GARBAGE / sizeof *GARBAGE)
{
    struct server *server = server_start("%s", "");
    struct conn *good = nats_login(server, QUIET), *bad = nats_open(server);
    char rest[1024];

    conn_write(bad, GARBAGE[*row].bytes, GARBAGE[*row].size);
    while (conn_read_some(bad, rest, sizeof rest, PATIENCE_MS) > 0)
        continue; /* +OK and -ERR */
    conn_expect_closed(bad);
    conn_send(good, "SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    conn_expect(good, "MSG foo 1 2\r\nhi\r\n");
}

/* The same bytes each time: a test must repeat. */
static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

SCENARIO(garbage_is_refused, of_random_bytes)
{
    struct server *server = server_start("%s", "");
    struct conn *good = nats_login(server, QUIET);
    unsigned state = 1;

    for (int round = 0; round < 200; round++) {
        struct conn *bad = nats_open(server);
        char noise[4096], rest[4096];

        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)next_random(&state);
        if (round % 2)
            conn_send(bad, "CONNECT {}\r\nPUB foo ");
        conn_write(bad, noise, sizeof noise);
        shutdown(conn_socket(bad), SHUT_WR);
        while (conn_read_some(bad, rest, sizeof rest, PATIENCE_MS) > 0)
            continue;
        conn_close(bad);
    }
    conn_barrier(good);
}

SCENARIO(garbage_is_refused, of_valid_words_in_wild_order)
{
    static const char *const WORDS[] = {
        "PUB ", "SUB ", "UNSUB ", "HPUB ",  "CONNECT ",           "PING",
        "PONG", "foo ", "1 ",     "0 ",     "99999999 ",          "> ",
        "\r\n", "\n",   "{}",     "a.b.* ", "{\"verbose\":true}", "x"
    };
    struct server *server = server_start("%s", "");
    struct conn *good = nats_login(server, QUIET);
    unsigned state = 7;

    for (int round = 0; round < 300; round++) {
        struct conn *bad = nats_open(server);
        char rest[4096];

        for (int i = 0; i < 40; i++)
            conn_send(bad, "%s", WORDS[next_random(&state) % (sizeof WORDS / sizeof *WORDS)]);
        shutdown(conn_socket(bad), SHUT_WR);
        while (conn_read_some(bad, rest, sizeof rest, PATIENCE_MS) > 0)
            continue;
        conn_close(bad);
    }
    conn_barrier(good);
}

SCENARIO(garbage_is_refused, half_a_payload_and_silence_hold_nobody)
{
    struct server *server = server_start("%s", "");
    struct conn *good = nats_login(server, QUIET), *half = nats_login(server, QUIET);
    struct conn *open = tcp_open(server); /* never reads, never writes */

    conn_send(good, "SUB foo 1\r\n");
    conn_send(half, "PUB foo 1000\r\nabc");
    conn_barrier(good);
    unsigned cid = conn_id(half);
    conn_close(half);
    conn_close(open);
    cr_assert_str_eq(close_reason(server, cid), "Client Closed");
    conn_barrier(good); /* and the half message was not delivered */
}

SCENARIO(garbage_is_refused, a_half_closed_connection_gets_what_is_due)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo 1\r\nPUB foo 2\r\nhi\r\nPING\r\n");
    conn_expect(client, "MSG foo 1 2\r\nhi\r\nPONG\r\n");
    shutdown(conn_socket(client), SHUT_WR);
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Client Closed");
}

SCENARIO(garbage_is_refused, a_reset_is_survived)
{
    struct server *server = server_start("%s", "");
    struct conn *good = nats_login(server, QUIET);

    conn_send(good, "SUB foo 1\r\n");
    for (int i = 0; i < 20; i++) {
        struct conn *client = nats_login(server, QUIET);

        conn_send(client, "SUB foo 1\r\n");
        setsockopt(conn_socket(client), SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
                   sizeof(struct linger));
        conn_close(client); /* RST */
        conn_send(good, "PUB foo 0\r\n\r\n");
        conn_expect(good, "MSG foo 1 0\r\n\r\n");
    }
}
