/* pubsub.c - publishers and subscribers of one subject.
 *
 * Publishers write whole pieces of prepared messages; subscribers count bytes, or compare them all
 * when asked. A message is sent only while the slowest subscriber (of a queue group: all members
 * together) is less than a window behind, so no server has a reason to drop anybody. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    PIECE_SIZE = 131072,
    TURN_SIZE = 262144, /* one publisher writes so much, then the others have their turn */
    EVENT_COUNT = 256,
    STAMP_SIZE = 10, /* number of the message and of its publisher, at the front of a payload */
    MOST_PINGS = 100,
};

struct publisher {
    struct peer peer;
    struct inbox inbox;
    uint32_t index;
    char *piece; /* whole messages */
    size_t piece_size, piece_at;
    uint64_t made, sent; /* messages put into pieces; bytes written */
    uint32_t pongs;
    bool writable, asked;
};

struct subscriber {
    struct peer peer;
    struct inbox inbox;
    char sid[16];
    size_t wire_size; /* bytes of one delivered message */
    uint64_t bytes, messages;
    uint64_t *next; /* per publisher: the number that comes next */
    uint32_t pongs;
};

struct run {
    const struct options *options;
    struct publisher *publishers;
    struct subscriber *subscribers;
    size_t wire_size; /* bytes of one published message */
    char head[512];   /* PUB subject size */
    size_t head_size;
    uint64_t total;   /* messages of all publishers */
    uint64_t window;  /* messages under way at most */
    uint64_t settled; /* messages that every subscriber is known to have */
    int epoll;
};

/* ---- payloads ----------------------------------------------------------------------------- */

static void write_payload(char *to, size_t size, uint64_t number, uint32_t publisher)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(number * 31 + publisher + i);
    for (size_t i = 0; i < STAMP_SIZE && i < size; i++)
        to[i] = (char)(i < 8 ? number >> (8 * i) : publisher >> (8 * (i - 8)));
}

static void check_payload(const struct run *run, struct subscriber *subscriber,
                          const struct message *message)
{
    static char *wanted;
    uint64_t number = 0;
    uint32_t publisher = 0;

    for (size_t i = 0; i < STAMP_SIZE; i++) {
        unsigned char byte = (unsigned char)message->payload[i];
        if (i < 8)
            number |= (uint64_t)byte << (8 * i);
        else
            publisher |= (uint32_t)byte << (8 * (i - 8));
    }
    if (publisher >= run->options->publishers)
        die("a message of publisher %u, who does not exist", publisher);
    if (run->options->queue ? number < subscriber->next[publisher]
                            : number != subscriber->next[publisher])
        die("message %llu of publisher %u came when %llu was due", (unsigned long long)number,
            publisher, (unsigned long long)subscriber->next[publisher]);
    subscriber->next[publisher] = number + 1;
    if (!wanted)
        wanted = reserve(run->options->size);
    write_payload(wanted, message->size, number, publisher);
    if (memcmp(wanted, message->payload, message->size) != 0)
        die("message %llu of publisher %u came with other bytes", (unsigned long long)number,
            publisher);
}

/* Fills the piece with the next messages: once and for all, or with new numbers each time. */
static void prepare_piece(const struct run *run, struct publisher *publisher)
{
    size_t size = run->options->size;
    uint64_t count = PIECE_SIZE / run->wire_size > 0 ? PIECE_SIZE / run->wire_size : 1;

    if (run->options->check && count > run->options->messages - publisher->made)
        count = run->options->messages - publisher->made;
    if (!publisher->piece)
        publisher->piece = reserve(count * run->wire_size);
    publisher->piece_size = count * run->wire_size;
    for (uint64_t i = 0; i < count; i++) {
        char *at = publisher->piece + i * run->wire_size;

        memcpy(at, run->head, run->head_size);
        write_payload(at + run->head_size, size, publisher->made + i, publisher->index);
        memcpy(at + run->head_size + size, "\r\n", 2);
    }
    publisher->made += count;
    publisher->piece_at = 0;
}

/* ---- the window --------------------------------------------------------------------------- */

static uint64_t published(const struct run *run)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < run->options->publishers; i++)
        bytes += run->publishers[i].sent;
    return bytes / run->wire_size;
}

static uint64_t settled(const struct run *run)
{
    uint64_t least = UINT64_MAX, sum = 0;

    if (run->options->subscribers == 0)
        return run->total;
    for (uint32_t i = 0; i < run->options->subscribers; i++) {
        uint64_t messages = run->subscribers[i].messages;

        sum += messages;
        least = messages < least ? messages : least;
    }
    return run->options->queue ? sum : least;
}

static uint64_t room_in_window(struct run *run)
{
    uint64_t done = published(run);

    if (run->options->subscribers == 0)
        return UINT64_MAX;
    if (done >= run->settled + run->window)
        run->settled = settled(run);
    return done < run->settled + run->window ? run->settled + run->window - done : 0;
}

/* ---- turns -------------------------------------------------------------------------------- */

/* Writes what window and socket allow; true when it could go on at once. */
static bool publish_turn(struct run *run, struct publisher *publisher)
{
    uint64_t goal = run->options->messages * run->wire_size;
    uint64_t messages = room_in_window(run);
    uint64_t allowed = messages > TURN_SIZE / run->wire_size + 1 ? TURN_SIZE + run->wire_size
                                                                 : messages * run->wire_size;

    while (publisher->writable && allowed > 0 && publisher->sent < goal) {
        if (publisher->piece_at == publisher->piece_size) {
            if (run->options->check)
                prepare_piece(run, publisher);
            publisher->piece_at = 0;
        }
        uint64_t size = publisher->piece_size - publisher->piece_at;

        size = size < allowed ? size : allowed;
        size = size < goal - publisher->sent ? size : goal - publisher->sent;
        size = size > publisher->peer.stuck ? size : publisher->peer.stuck;
        size_t sent = peer_write(&publisher->peer, publisher->piece + publisher->piece_at, size);

        publisher->writable = sent > 0;
        publisher->piece_at += sent;
        publisher->sent += sent;
        allowed -= sent < allowed ? sent : allowed;
    }
    if (publisher->sent == goal && !publisher->asked) {
        publisher->asked = true;
        peer_send(&publisher->peer, "PING\r\n", 6);
    }
    return publisher->writable && publisher->sent < goal && messages > 0;
}

static void hear_publisher(struct publisher *publisher)
{
    struct message message;

    while (inbox_fill(&publisher->inbox, &publisher->peer))
        if (inbox_next(&publisher->inbox, &message, &publisher->pongs))
            die("a publisher got a message");
}

static void check_messages(const struct run *run, struct subscriber *subscriber)
{
    struct message message;

    while (inbox_next(&subscriber->inbox, &message, &subscriber->pongs)) {
        if (message.size != run->options->size || message.reply ||
            message.subject_size != strlen(run->options->subject) ||
            memcmp(message.subject, run->options->subject, message.subject_size) != 0 ||
            message.sid_size != strlen(subscriber->sid) ||
            memcmp(message.sid, subscriber->sid, message.sid_size) != 0)
            die("a message has another subject, sid, reply or size than it should have");
        check_payload(run, subscriber, &message);
        subscriber->messages++;
    }
}

static void hear_subscriber(const struct run *run, struct subscriber *subscriber)
{
    if (run->options->check) {
        while (inbox_fill(&subscriber->inbox, &subscriber->peer))
            check_messages(run, subscriber);
        return;
    }
    for (size_t got; (got = peer_drop(&subscriber->peer, 1U << 22)) > 0;)
        subscriber->bytes += got;
    subscriber->messages = subscriber->bytes / subscriber->wire_size;
}

static bool finished(const struct run *run)
{
    for (uint32_t i = 0; i < run->options->publishers; i++)
        if (run->publishers[i].pongs == 0)
            return false;
    return settled(run) >= run->total;
}

static void take_event(struct run *run, const struct epoll_event *event)
{
    uint64_t index = event->data.u64;

    if (index >= run->options->publishers) {
        hear_subscriber(run, &run->subscribers[index - run->options->publishers]);
        return;
    }
    if (event->events & EPOLLOUT)
        run->publishers[index].writable = true;
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        hear_publisher(&run->publishers[index]);
}

static void turn_until_finished(struct run *run)
{
    struct epoll_event events[EVENT_COUNT];
    uint64_t last_ns = clock_ns();

    while (!finished(run)) {
        bool more = false;

        for (uint32_t i = 0; i < run->options->publishers; i++)
            more |= publish_turn(run, &run->publishers[i]);
        int count = epoll_wait(run->epoll, events, EVENT_COUNT, more ? 0 : 1000);

        for (int i = 0; i < count; i++)
            take_event(run, &events[i]);
        if (count > 0 || more)
            last_ns = clock_ns();
        else if (clock_ns() - last_ns > 20000000000U)
            die("nothing moves any more: %llu of %llu messages arrived",
                (unsigned long long)settled(run), (unsigned long long)run->total);
    }
}

/* ---- beginning and end -------------------------------------------------------------------- */

static void watch(const struct run *run, const struct peer *peer, uint64_t index)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = index };

    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0)
        die("epoll_ctl failed");
}

static void open_subscriber(struct run *run, uint32_t index, SSL_CTX *context)
{
    const struct options *options = run->options;
    struct subscriber *subscriber = &run->subscribers[index];
    char line[512];

    peer_open(&subscriber->peer, options, context);
    snprintf(subscriber->sid, sizeof subscriber->sid, "%u",
             options->same_sids ? 1 : 100001 + index); /* equally long, so that bytes tell */
    int size = snprintf(line, sizeof line, "SUB %s %s %s\r\n", options->subject,
                        options->queue ? options->queue : "", subscriber->sid);
    peer_send(&subscriber->peer, line, (size_t)size);
    peer_barrier(&subscriber->peer);
    size = snprintf(line, sizeof line, "MSG %s %s %zu\r\n", options->subject, subscriber->sid,
                    options->size);
    subscriber->wire_size = (size_t)size + options->size + 2;
    subscriber->next = reserve(options->publishers * sizeof *subscriber->next);
    if (options->check)
        inbox_init(&subscriber->inbox, subscriber->wire_size);
    watch(run, &subscriber->peer, options->publishers + index);
}

static void open_publisher(struct run *run, uint32_t index, SSL_CTX *context)
{
    struct publisher *publisher = &run->publishers[index];

    publisher->index = index;
    peer_open(&publisher->peer, run->options, context);
    inbox_init(&publisher->inbox, 0);
    prepare_piece(run, publisher);
    watch(run, &publisher->peer, index);
}

/* Bytes were only counted: what came beyond the messages can be PINGs of the server, no more. */
static void check_rest(struct subscriber *subscriber, uint64_t wanted_bytes)
{
    uint64_t rest = subscriber->bytes - wanted_bytes;

    if (rest % 6 != 0 || rest / 6 > MOST_PINGS)
        die("a subscriber got %llu bytes too many", (unsigned long long)rest);
}

void run_pubsub(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct run run = { .options = options,
                       .total = options->messages * options->publishers,
                       .epoll = epoll_create1(EPOLL_CLOEXEC) };
    size_t window_size = options->window_size;

    if (options->check && options->size < STAMP_SIZE)
        die("--check needs payloads of at least %d bytes", STAMP_SIZE);
    run.head_size = (size_t)snprintf(run.head, sizeof run.head, "PUB %s %zu\r\n", options->subject,
                                     options->size);
    run.wire_size = run.head_size + options->size + 2;
    if (options->subscribers > 8)
        window_size = window_size * 8 / options->subscribers;
    run.window = window_size / run.wire_size > 0 ? window_size / run.wire_size : 1;
    run.publishers = reserve(options->publishers * sizeof *run.publishers);
    run.subscribers = reserve((options->subscribers + 1) * sizeof *run.subscribers);
    for (uint32_t i = 0; i < options->subscribers; i++)
        open_subscriber(&run, i, context);
    for (uint32_t i = 0; i < options->publishers; i++)
        open_publisher(&run, i, context);

    measure_begin(options, result);
    turn_until_finished(&run);
    measure_end(options, result);

    result->published = run.total;
    for (uint32_t i = 0; i < options->subscribers; i++) {
        result->delivered += run.subscribers[i].messages;
        if (!options->check && !options->queue)
            check_rest(&run.subscribers[i], run.total * run.subscribers[i].wire_size);
    }
}
