/* reqrep.c - requesters who wait for their replies, and one who answers. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { EVENT_COUNT = 256, SLOWEST_US = 1000000 };

struct requester {
    struct peer peer;
    struct inbox inbox;
    char request[512]; /* the line; the payload follows it */
    size_t request_size;
    uint64_t asked, answered;
    uint64_t *asked_at_ns; /* a ring of those under way, answered in order */
};

struct responder {
    struct peer peer;
    struct inbox inbox;
    char *answers; /* of one read, written at once */
    size_t answers_size;
};

static void put(struct responder *responder, const char *bytes, size_t size)
{
    memcpy(responder->answers + responder->answers_size, bytes, size);
    responder->answers_size += size;
}

static void answer(struct responder *responder)
{
    struct message message;
    uint32_t pongs = 0;

    while (inbox_fill(&responder->inbox, &responder->peer)) {
        responder->answers_size = 0;
        while (inbox_next(&responder->inbox, &message, &pongs)) {
            char size[32];

            if (!message.reply)
                die("a request came without a reply subject");
            put(responder, "PUB ", 4);
            put(responder, message.reply, message.reply_size);
            put(responder, size, (size_t)snprintf(size, sizeof size, " %zu\r\n", message.size));
            put(responder, message.payload, message.size);
            put(responder, "\r\n", 2);
        }
        peer_send(&responder->peer, responder->answers, responder->answers_size);
    }
}

static void ask(struct requester *requester, const struct options *options)
{
    static char *payload;

    if (!payload) {
        payload = reserve(options->size + 2);
        memset(payload, 'x', options->size);
        memcpy(payload + options->size, "\r\n", 2);
    }
    memcpy(requester->request + requester->request_size, payload,
           options->size < 256 ? options->size + 2 : 0);
    requester->asked_at_ns[requester->asked++ % options->in_flight] = clock_ns();
    if (options->size < 256) {
        peer_send(&requester->peer, requester->request,
                  requester->request_size + options->size + 2);
        return;
    }
    peer_send(&requester->peer, requester->request, requester->request_size);
    peer_send(&requester->peer, payload, options->size + 2);
}

static void hear(struct requester *requester, const struct options *options, uint32_t *histogram)
{
    struct message message;
    uint32_t pongs = 0;

    while (inbox_fill(&requester->inbox, &requester->peer)) {
        while (inbox_next(&requester->inbox, &message, &pongs)) {
            uint64_t asked_at = requester->asked_at_ns[requester->answered++ % options->in_flight];
            uint64_t waited_us = (clock_ns() - asked_at) / 1000;

            if (message.size != options->size)
                die("a reply has %zu bytes instead of %zu", message.size, options->size);
            histogram[waited_us < SLOWEST_US ? waited_us : SLOWEST_US - 1]++;
            if (requester->asked < options->messages)
                ask(requester, options);
        }
    }
}

static uint32_t percentile(const uint32_t *histogram, uint64_t total, unsigned percent)
{
    uint64_t seen = 0, wanted = total * percent / 100;

    for (uint32_t us = 0; us < SLOWEST_US; us++) {
        seen += histogram[us];
        if (seen > wanted)
            return us;
    }
    return SLOWEST_US;
}

static void subscribe(struct peer *peer, const char *subject)
{
    char line[512];
    int size = snprintf(line, sizeof line, "SUB %s 1\r\n", subject);

    peer_send(peer, line, (size_t)size);
    peer_barrier(peer);
}

static void open_requester(struct requester *requester, uint32_t index,
                           const struct options *options, SSL_CTX *context)
{
    char inbox[64];

    peer_open(&requester->peer, options, context);
    inbox_init(&requester->inbox, options->size);
    snprintf(inbox, sizeof inbox, "_INBOX.load.%u", index);
    subscribe(&requester->peer, inbox);
    requester->request_size = (size_t)snprintf(requester->request, 256, "PUB %s %s %zu\r\n",
                                               options->subject, inbox, options->size);
    requester->asked_at_ns = reserve(options->in_flight * sizeof *requester->asked_at_ns);
}

static void watch(int epoll, const struct peer *peer, uint64_t index)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = index };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0)
        die("epoll_ctl failed");
}

static uint64_t answered(const struct requester *requesters, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += requesters[i].answered;
    return sum;
}

void run_reqrep(const struct options *options, SSL_CTX *context, struct result *result)
{
    uint32_t count = options->publishers;
    struct requester *requesters = reserve(count * sizeof *requesters);
    uint32_t *histogram = reserve(SLOWEST_US * sizeof *histogram);
    struct responder responder = { 0 };
    struct epoll_event events[EVENT_COUNT];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    peer_open(&responder.peer, options, context);
    inbox_init(&responder.inbox, options->size);
    responder.answers =
        reserve(2 * responder.inbox.room); /* an answer is shorter than its question */
    subscribe(&responder.peer, options->subject);
    watch(epoll, &responder.peer, count);
    for (uint32_t i = 0; i < count; i++) {
        open_requester(&requesters[i], i, options, context);
        watch(epoll, &requesters[i].peer, i);
    }

    measure_begin(options, result);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < options->in_flight && k < options->messages; k++)
            ask(&requesters[i], options);
    while (answered(requesters, count) < options->messages * count) {
        int ready = epoll_wait(epoll, events, EVENT_COUNT, 20000);

        if (ready == 0)
            die("no reply within 20 s");
        for (int i = 0; i < ready; i++) {
            if (events[i].data.u64 == count)
                answer(&responder);
            else
                hear(&requesters[events[i].data.u64], options, histogram);
        }
    }
    measure_end(options, result);
    result->published = options->messages * count;
    result->delivered = result->published;
    result->p50_us = percentile(histogram, result->published, 50);
    result->p99_us = percentile(histogram, result->published, 99);
}
