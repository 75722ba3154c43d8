/* pubsub.c - publishers and subscribers.
 *
 * Publishers write whole pieces of prepared messages; subscribers count bytes, or compare them all
 * when asked. A message is sent only while the slowest subscriber (where only one of them gets a message:
 * all together) is less than a window behind, so no server has a reason to drop anybody. */
#include "load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    PIECE_SIZE = 131072,
    TURN_SIZE = 262144, /* one publisher writes so much, then the others have their turn */
    EVENT_COUNT = 256,
    MOST_PINGS = 100,
};

struct publisher {
    struct peer peer;
    struct inbox inbox;
    uint32_t index;
    char *piece; /* whole messages */
    size_t piece_size, piece_at;
    uint64_t made, sent, goal; /* messages put into pieces; bytes written, to be written */
    uint32_t pongs;
    bool writable, asked;
};

struct subscriber {
    struct peer peer;
    struct inbox inbox;
    uint32_t index;
    uint64_t bytes, messages;
    uint64_t *next; /* per publisher: the number that comes next */
    uint32_t pongs;
};

struct run {
    const struct options *options;
    struct publisher *publishers;
    struct subscriber *subscribers;
    struct churner *churner;
    size_t wire_size, delivered_size; /* bytes of a message, there and back */
    uint64_t total;                   /* messages of all publishers */
    uint64_t window;                  /* messages under way at most */
    uint64_t settled;                 /* messages that every subscriber is known to have */
    int epoll;
};

/* Each message goes to one of the subscribers, not to all. */
static bool is_shared_out(const struct options *options)
{
    return options->queue || options->subscriptions > 0;
}

/* Messages differ, so that no piece can be sent twice. */
static bool is_varied(const struct options *options)
{
    return options->check || options->subscriptions > 0;
}

static void fill_piece(const struct run *run, struct publisher *publisher)
{
    uint64_t count = PIECE_SIZE / run->wire_size > 0 ? PIECE_SIZE / run->wire_size : 1;

    if (!publisher->piece)
        publisher->piece = reserve(count * run->wire_size + MOST_HEAD);
    publisher->piece_size = count * run->wire_size;
    for (uint64_t i = 0; i < count; i++)
        publish_write(publisher->piece + i * run->wire_size, run->options, publisher->made++,
                      publisher->index);
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
    return is_shared_out(run->options) ? sum : least;
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

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Writes what window and socket allow; true when it could go on at once. */
static bool publish_turn(struct run *run, struct publisher *publisher)
{
    uint64_t messages = room_in_window(run);
    uint64_t allowed = messages > TURN_SIZE / run->wire_size + 1 ? TURN_SIZE + run->wire_size
                                                                 : messages * run->wire_size;

    while (publisher->writable && allowed > 0 && publisher->sent < publisher->goal) {
        if (publisher->piece_at == publisher->piece_size) {
            if (is_varied(run->options))
                fill_piece(run, publisher);
            publisher->piece_at = 0;
        }
        uint64_t size = smaller(publisher->piece_size - publisher->piece_at,
                                smaller(allowed, publisher->goal - publisher->sent));

        size = size > publisher->peer.stuck ? size : publisher->peer.stuck;
        size_t sent = peer_write(&publisher->peer, publisher->piece + publisher->piece_at, size);

        publisher->writable = sent > 0;
        publisher->piece_at += sent;
        publisher->sent += sent;
        allowed -= smaller(sent, allowed);
    }
    if (publisher->sent == publisher->goal && !publisher->asked) {
        publisher->asked = true;
        peer_send(&publisher->peer, "PING\r\n", 6);
    }
    return publisher->writable && publisher->sent < publisher->goal && messages > 0;
}

static void hear_publisher(struct publisher *publisher)
{
    struct message message;

    while (inbox_fill(&publisher->inbox, &publisher->peer))
        if (inbox_next(&publisher->inbox, &message, &publisher->pongs))
            die("a publisher got a message");
}

/* Who gets only some of the messages sees gaps: there the sum of all tells that none was lost. */
static void check_order(const struct run *run, struct subscriber *subscriber, uint64_t number,
                        uint32_t publisher)
{
    if (publisher >= run->options->publishers)
        die("a message of publisher %u, who does not exist", publisher);
    uint64_t due = subscriber->next[publisher];

    if (is_shared_out(run->options) ? number < due : number != due)
        die("message %llu of publisher %u came when %llu was due", (unsigned long long)number,
            publisher, (unsigned long long)due);
    subscriber->next[publisher] = number + 1;
}

static void check_messages(const struct run *run, struct subscriber *subscriber)
{
    struct message message;

    while (inbox_next(&subscriber->inbox, &message, &subscriber->pongs)) {
        uint64_t number;
        uint32_t publisher;

        payload_read(&message, &number, &publisher);
        message_check(run->options, &message, number, publisher, subscriber->index);
        check_order(run, subscriber, number, publisher);
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
    subscriber->messages = subscriber->bytes / run->delivered_size;
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
    const struct options *options = run->options;
    uint64_t index = event->data.u64;

    if (index == options->publishers + options->subscribers)
        churner_turn(run->churner);
    else if (index >= options->publishers)
        hear_subscriber(run, &run->subscribers[index - options->publishers]);
    else {
        if (event->events & EPOLLOUT)
            run->publishers[index].writable = true;
        if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            hear_publisher(&run->publishers[index]);
    }
}

/* Time is up: what has begun is finished. */
static void set_goals(struct run *run)
{
    run->total = 0;
    for (uint32_t i = 0; i < run->options->publishers; i++) {
        struct publisher *publisher = &run->publishers[i];
        uint64_t begun = publisher->sent + publisher->peer.stuck + run->wire_size - 1;

        publisher->goal = smaller(publisher->goal, begun - begun % run->wire_size);
        run->total += publisher->goal / run->wire_size;
    }
}

static void turn_until_finished(struct run *run)
{
    struct epoll_event events[EVENT_COUNT];
    uint64_t limit_ns = run->options->limit_ns, last_ns = clock_ns(), end_ns = last_ns + limit_ns;

    while (!finished(run)) {
        bool more = false;

        for (uint32_t i = 0; i < run->options->publishers; i++)
            more |= publish_turn(run, &run->publishers[i]);
        int count = epoll_wait(run->epoll, events, EVENT_COUNT, more ? 0 : 1000);

        for (int i = 0; i < count; i++)
            take_event(run, &events[i]);
        uint64_t now_ns = clock_ns();

        if (count > 0 || more)
            last_ns = now_ns;
        else if (now_ns - last_ns > 20000000000U)
            die("nothing moves any more: %llu of %llu messages arrived",
                (unsigned long long)settled(run), (unsigned long long)run->total);
        if (limit_ns > 0 && now_ns >= end_ns) {
            limit_ns = 0;
            set_goals(run);
        }
    }
}

/* ---- beginning and end -------------------------------------------------------------------- */

static void open_subscriber(struct run *run, uint32_t index, SSL_CTX *context)
{
    const struct options *options = run->options;
    struct subscriber *subscriber = &run->subscribers[index];
    char *lines = reserve(subscriptions_room(options));

    subscriber->index = index;
    peer_open(&subscriber->peer, options, context, options->subscriber_user);
    peer_send(&subscriber->peer, lines, subscriptions_write(lines, options, index));
    peer_barrier(&subscriber->peer);
    free(lines);
    subscriber->next = reserve(options->publishers * sizeof *subscriber->next);
    if (options->check)
        inbox_init(&subscriber->inbox, run->delivered_size);
    peer_watch(&subscriber->peer, run->epoll, EPOLLIN, options->publishers + index);
}

static void open_publisher(struct run *run, uint32_t index, SSL_CTX *context)
{
    struct publisher *publisher = &run->publishers[index];

    publisher->index = index;
    publisher->goal = run->options->messages * run->wire_size;
    peer_open(&publisher->peer, run->options, context, run->options->publisher_user);
    inbox_init(&publisher->inbox, 0);
    fill_piece(run, publisher);
    peer_watch(&publisher->peer, run->epoll, EPOLLIN | EPOLLOUT, index);
}

static void open_all(struct run *run, SSL_CTX *context, struct result *result)
{
    const struct options *options = run->options;

    open_bystanders(options, context);
    observe(options, &result->before_setup);
    for (uint32_t i = 0; i < options->subscribers; i++)
        open_subscriber(run, i, context);
    observe(options, &result->after_setup);
    for (uint32_t i = 0; i < options->publishers; i++)
        open_publisher(run, i, context);
    if (options->churn > 0)
        run->churner =
            churner_open(options, context, run->epoll, options->publishers + options->subscribers);
}

/* Bytes were only counted: what came beyond the messages can be PINGs of the server, no more. */
static void check_rest(struct subscriber *subscriber, uint64_t wanted_bytes)
{
    uint64_t rest = subscriber->bytes - wanted_bytes;

    if (rest % 6 != 0 || rest / 6 > MOST_PINGS)
        die("a subscriber got %llu bytes too many", (unsigned long long)rest);
}

/* What was not due would come before PONG. */
static void await_nothing_more(const struct run *run, struct subscriber *subscriber)
{
    fcntl(subscriber->peer.fd, F_SETFL, 0);
    peer_send(&subscriber->peer, "PING\r\n", 6);
    while (subscriber->pongs == 0) {
        inbox_fill(&subscriber->inbox, &subscriber->peer);
        check_messages(run, subscriber);
    }
}

static void account(struct run *run, struct result *result)
{
    const struct options *options = run->options;

    result->published = run->total;
    result->churned = churner_count(run->churner);
    for (uint32_t i = 0; i < options->subscribers; i++) {
        struct subscriber *subscriber = &run->subscribers[i];

        if (options->check)
            await_nothing_more(run, subscriber);
        else if (!is_shared_out(options))
            check_rest(subscriber, run->total * run->delivered_size);
        result->delivered += subscriber->messages;
    }
    uint64_t due = is_shared_out(options) ? run->total : run->total * options->subscribers;

    if (result->delivered != due)
        die("%llu messages arrived instead of %llu", (unsigned long long)result->delivered,
            (unsigned long long)due);
}

void run_pubsub(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct run run = { .options = options,
                       .delivered_size = options->subscribers > 0 ? delivered_size(options) : 0,
                       .total = options->messages * options->publishers,
                       .epoll = epoll_create1(EPOLL_CLOEXEC) };
    char *sample = reserve(options->size + MOST_HEAD);
    size_t window_size = options->window_size;

    run.wire_size = publish_write(sample, options, 0, 0);
    free(sample);
    if (options->subscribers > 8)
        window_size = window_size * 8 / options->subscribers;
    run.window = window_size / run.wire_size > 0 ? window_size / run.wire_size : 1;
    run.publishers = reserve(options->publishers * sizeof *run.publishers);
    run.subscribers = reserve((options->subscribers + 1) * sizeof *run.subscribers);
    open_all(&run, context, result);

    observe(options, &result->before);
    turn_until_finished(&run);
    observe(options, &result->after);

    account(&run, result);
}
