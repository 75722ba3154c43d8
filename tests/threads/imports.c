/* imports.c - two accounts on all workers, with reloads in between: what one publishes reaches each subscriber of the
 * other once and in order, a trace tells of all of them, and each request is answered once and measured once. */
#include "drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS = 5,
    RESPONDERS = 3,
    REQUESTERS = 4,
    ROUNDS = 60,
    PER_ROUND = 25,
    RELOAD_EVERY = 4,
    TRACE_EVERY = 5
};

#define ACCOUNTS(more)                                                                             \
    "accounts {\n"                                                                                 \
    "  A { users: [{user: a, password: x}]\n"                                                      \
    "      exports: [{stream: \"news.>\"}, {stream: \"other.>\"}, {service: \"help.*\", latency: " \
    "lat}] }\n"                                                                                    \
    "  B { users: [{user: b, password: x}]\n"                                                      \
    "      imports: [{stream: {account: A, subject: \"news.>\"}, prefix: from, allow_trace: "      \
    "true}\n"                                                                                      \
    "        {service: {account: A, subject: \"help.*\"}, to: \"ask.$1\"}\n" more "] }\n"          \
    "}\n"

#define TRACED     "NATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n"
#define TRACED_LEN ((int)sizeof TRACED - 1)

static const char *const CONFIGS[] = {
    ACCOUNTS(""),
    ACCOUNTS("{stream: {account: A, subject: \"other.>\"}}"),
};

struct reader {
    struct peer *peer;
    unsigned next; /* number of the message that has to come */
};

struct requester {
    struct peer *peer;
    unsigned sent, answered;
};

static struct reader readers[READERS];
static struct requester requesters[REQUESTERS];
static unsigned measured, traced;

static unsigned number_of(struct span text)
{
    char digits[16] = "";
    memcpy(digits, text.ptr, text.len < sizeof digits ? text.len : sizeof digits - 1);
    return (unsigned)strtoul(digits, NULL, 10);
}

static void on_news(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct reader *reader = ctx;
    (void)peer;
    require(span_is(delivery->subject, "from.news.x"), "'%.*s'", SPAN_ARG(delivery->subject));
    unsigned number = number_of(delivery->payload);
    require(number == reader->next, "message %u came instead of %u", number, reader->next);
    reader->next++;
}

static void on_request(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    (void)ctx;
    peer_send(peer, "PUB %.*s %zu\r\n%.*s\r\n", SPAN_ARG(delivery->reply), delivery->payload.len,
              SPAN_ARG(delivery->payload));
}

static void on_answer(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct requester *requester = ctx;
    (void)peer;
    require(!span_starts(delivery->header, "NATS/1.0 503"), "nobody took a request");
    requester->answered++;
    require(requester->answered <= requester->sent, "an answer came twice");
}

static void on_latency(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    (void)ctx;
    (void)peer;
    require(memmem(delivery->payload.ptr, delivery->payload.len, "\"status\":200", 12), "'%.*s'",
            SPAN_ARG(delivery->payload));
    measured++;
}

static unsigned count_of(struct span text, const char *wanted)
{
    unsigned count = 0;
    size_t len = strlen(wanted);
    for (size_t at = 0; at + len <= text.len; at++)
        count += memcmp(text.ptr + at, wanted, len) == 0;
    return count;
}

static void on_trace(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    (void)ctx;
    (void)peer;
    require(count_of(delivery->payload, "\"type\":\"eg\"") == READERS &&
                count_of(delivery->payload, "\"type\":\"se\"") == READERS,
            "'%.*s'", SPAN_ARG(delivery->payload));
    traced++;
}

static struct peer *open_as(const char *user, delivery_fn *on_delivery, void *ctx)
{
    char connect[96];
    snprintf(connect, sizeof connect,
             ",\"headers\":true,\"no_responders\":true,\"user\":\"%s\",\"pass\":\"x\"", user);
    struct peer *peer = peer_open(connect);
    peer->on_delivery = on_delivery;
    peer->ctx = ctx;
    return peer;
}

static void open_all(void)
{
    struct peer *listener = open_as("a", on_latency, NULL);
    peer_send(listener, "SUB lat 1\r\n");
    peer_barrier(listener);
    struct peer *hears = open_as("a", on_trace, NULL);
    peer_send(hears, "SUB tr 1\r\n");
    peer_barrier(hears);
    for (unsigned i = 0; i < RESPONDERS; i++) {
        struct peer *responder = open_as("a", on_request, NULL);
        peer_send(responder, "SUB help.* Q 1\r\n");
        peer_barrier(responder);
    }
    for (unsigned i = 0; i < READERS; i++) {
        readers[i].peer = open_as("b", on_news, &readers[i]);
        peer_send(readers[i].peer, i % 2 ? "SUB from.> 1\r\n" : "SUB *.news.x 1\r\n");
        peer_barrier(readers[i].peer);
    }
    for (unsigned i = 0; i < REQUESTERS; i++) {
        requesters[i].peer = open_as("b", on_answer, &requesters[i]);
        peer_send(requesters[i].peer, "SUB re.%u.> 1\r\n", i);
        peer_barrier(requesters[i].peer);
    }
}

static bool all_is_done(unsigned published)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < REQUESTERS; i++)
        answered += requesters[i].answered;
    if (measured < answered || traced < published / TRACE_EVERY)
        return false;
    for (unsigned i = 0; i < READERS; i++)
        if (readers[i].next < published)
            return false;
    for (unsigned i = 0; i < REQUESTERS; i++)
        if (requesters[i].answered < requesters[i].sent)
            return false;
    return true;
}

static void play_round(struct peer *publisher, unsigned *published)
{
    for (unsigned n = 0; n < PER_ROUND; n++) {
        char number[16];
        int len = snprintf(number, sizeof number, "%u", (*published)++);
        if (n % TRACE_EVERY == 0)
            peer_send(publisher, "HPUB news.x %d %d\r\n" TRACED "%s\r\n", TRACED_LEN,
                      TRACED_LEN + len, number);
        else
            peer_send(publisher, "PUB news.x %d\r\n%s\r\n", len, number);
        peer_send(publisher, "PUB other.x 0\r\n\r\n");
        for (unsigned i = 0; i < REQUESTERS; i++) {
            struct requester *requester = &requesters[i];
            peer_send(requester->peer, "PUB ask.%u re.%u.%u 2\r\nhi\r\n", n, i, requester->sent++);
        }
        drive(0);
    }
}

void run_imports(unsigned workers)
{
    unsigned published = 0;
    server_start(workers, CONFIGS[0]);
    struct peer *publisher = open_as("a", NULL, NULL);
    open_all();
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool reloads = round % RELOAD_EVERY == 0;
        if (reloads) {
            server_rewrite(CONFIGS[round / RELOAD_EVERY % 2]);
            server_mark_log();
            server_signal(SIGHUP);
        }
        play_round(publisher, &published);
        drive_until(all_is_done(published), "not all of %u messages and their answers came",
                    published);
        if (reloads)
            drive_until(server_log_count("Reloaded server configuration") == 1, "no reload");
    }
    for (unsigned i = 0; i < READERS; i++)
        peer_barrier(readers[i].peer);
    require(measured == REQUESTERS * ROUNDS * PER_ROUND, "%u requests were measured", measured);
    require(traced == ROUNDS * PER_ROUND / TRACE_EVERY, "%u messages were traced", traced);
    server_stop();
}
