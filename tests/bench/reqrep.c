/* reqrep.c - requesters who wait for their replies, and one who answers with the same bytes. */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum { EVENT_COUNT = 256 };

struct requester {
    struct peer peer;
    struct inbox inbox;
    uint32_t index;
    char *request; /* the line; the payload follows it */
    size_t head_size;
    uint64_t asked, answered;
    uint64_t *asked_at_ns; /* a ring of those under way, answered in order */
};

struct responder {
    struct peer peer;
    struct inbox inbox;
    char *answers; /* of one read, written at once */
    size_t answers_size;
};

struct run {
    const struct options *options;
    struct requester *requesters;
    struct responder responder;
    struct histogram *waits;
    uint64_t end_ns;
    int epoll;
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

static bool may_ask(const struct run *run, const struct requester *requester)
{
    return requester->asked < run->options->messages &&
           (run->end_ns == 0 || clock_ns() < run->end_ns);
}

static void ask(const struct run *run, struct requester *requester)
{
    size_t size = run->options->size;

    payload_write(requester->request + requester->head_size, size, requester->asked,
                  requester->index);
    requester->asked_at_ns[requester->asked++ % run->options->in_flight] = clock_ns();
    peer_send(&requester->peer, requester->request, requester->head_size + size + 2);
}

static void check_reply(const struct run *run, const struct requester *requester,
                        const struct message *message)
{
    uint64_t number;
    uint32_t index;

    if (message->size != run->options->size)
        die("a reply has %zu bytes instead of %zu", message->size, run->options->size);
    if (!run->options->check)
        return;
    payload_read(message, &number, &index);
    if (index != requester->index || number != requester->answered)
        die("requester %u got reply %llu of %u when %llu was due", requester->index,
            (unsigned long long)number, index, (unsigned long long)requester->answered);
}

static void hear(struct run *run, struct requester *requester)
{
    struct message message;
    uint32_t pongs = 0;

    while (inbox_fill(&requester->inbox, &requester->peer)) {
        while (inbox_next(&requester->inbox, &message, &pongs)) {
            check_reply(run, requester, &message);
            uint64_t asked_at =
                requester->asked_at_ns[requester->answered++ % run->options->in_flight];

            histogram_add(run->waits, clock_ns() - asked_at);
            if (may_ask(run, requester))
                ask(run, requester);
        }
    }
}

static void subscribe(struct peer *peer, const char *subject)
{
    char line[MOST_HEAD];
    int size = snprintf(line, sizeof line, "SUB %s 1\r\n", subject);

    peer_send(peer, line, (size_t)size);
    peer_barrier(peer);
}

static void open_requester(struct run *run, uint32_t index, SSL_CTX *context)
{
    const struct options *options = run->options;
    struct requester *requester = &run->requesters[index];
    char inbox[64];

    requester->index = index;
    peer_open(&requester->peer, options, context, options->publisher_user);
    inbox_init(&requester->inbox, options->size);
    snprintf(inbox, sizeof inbox, "_INBOX.load.%u", index);
    subscribe(&requester->peer, inbox);
    requester->request = reserve(options->size + MOST_HEAD);
    requester->head_size = (size_t)snprintf(requester->request, MOST_HEAD, "PUB %s %s %zu\r\n",
                                            options->subject, inbox, options->size);
    memcpy(requester->request + requester->head_size + options->size, "\r\n", 2);
    requester->asked_at_ns = reserve(options->in_flight * sizeof *requester->asked_at_ns);
    peer_watch(&requester->peer, run->epoll, EPOLLIN, index);
}

static void open_responder(struct run *run, SSL_CTX *context)
{
    struct responder *responder = &run->responder;

    peer_open(&responder->peer, run->options, context, run->options->subscriber_user);
    inbox_init(&responder->inbox, run->options->size);
    /* an answer is shorter than its question */
    responder->answers = reserve(2 * responder->inbox.room);
    subscribe(&responder->peer, run->options->subject);
    peer_watch(&responder->peer, run->epoll, EPOLLIN, run->options->publishers);
}

static bool finished(const struct run *run)
{
    for (uint32_t i = 0; i < run->options->publishers; i++) {
        const struct requester *requester = &run->requesters[i];

        if (requester->answered < requester->asked || may_ask(run, requester))
            return false;
    }
    return true;
}

static void turn_until_finished(struct run *run)
{
    struct epoll_event events[EVENT_COUNT];

    for (uint32_t i = 0; i < run->options->publishers; i++)
        for (uint32_t k = 0; k < run->options->in_flight && may_ask(run, &run->requesters[i]); k++)
            ask(run, &run->requesters[i]);
    while (!finished(run)) {
        int ready = epoll_wait(run->epoll, events, EVENT_COUNT, 20000);

        if (ready == 0)
            die("no reply within 20 s");
        for (int i = 0; i < ready; i++) {
            if (events[i].data.u64 == run->options->publishers)
                answer(&run->responder);
            else
                hear(run, &run->requesters[events[i].data.u64]);
        }
    }
}

void run_reqrep(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct run run = { .options = options,
                       .requesters = reserve(options->publishers * sizeof *run.requesters),
                       .waits = histogram_new(),
                       .epoll = epoll_create1(EPOLL_CLOEXEC) };

    open_responder(&run, context);
    for (uint32_t i = 0; i < options->publishers; i++)
        open_requester(&run, i, context);

    observe(options, &result->before);
    run.end_ns = options->limit_ns > 0 ? clock_ns() + options->limit_ns : 0;
    turn_until_finished(&run);
    observe(options, &result->after);
    for (uint32_t i = 0; i < options->publishers; i++)
        result->published += run.requesters[i].answered;
    result->delivered = result->published;
    histogram_read(run.waits, result);
}
