/* pace.c - messages at a fixed rate, whatever the server does.
 *
 * How late a message is counts from when it was due, not from when it could be sent: a server that stops for
 * a moment delays all that were due meanwhile. The generator never sleeps, for waking up takes longer
 * than what is measured; it has a core of its own. */
#include "load.h"

#include <string.h>

struct pace {
    const struct options *options;
    struct peer publisher, subscriber;
    struct inbox inbox;
    struct histogram *late;
    uint64_t begin_ns, interval_ns;
    uint64_t sent, arrived, total;
    char *line;
};

static uint64_t due_ns(const struct pace *pace, uint64_t number)
{
    return pace->begin_ns + number * pace->interval_ns;
}

static void send_what_is_due(struct pace *pace)
{
    uint64_t now_ns = clock_ns();

    for (; pace->sent < pace->total && due_ns(pace, pace->sent) <= now_ns; pace->sent++)
        peer_send(&pace->publisher, pace->line,
                  publish_write(pace->line, pace->options, pace->sent, 0));
}

static void hear(struct pace *pace)
{
    struct message message;
    uint32_t publisher, pongs = 0;
    uint64_t number;

    while (inbox_fill(&pace->inbox, &pace->subscriber)) {
        uint64_t now_ns = clock_ns();

        for (; inbox_next(&pace->inbox, &message, &pongs); pace->arrived++) {
            payload_read(&message, &number, &publisher);
            message_check(pace->options, &message, number, publisher, 0);
            if (publisher != 0 || number != pace->arrived)
                die("message %llu came when %llu was due", (unsigned long long)number,
                    (unsigned long long)pace->arrived);
            histogram_add(pace->late, now_ns - due_ns(pace, number));
        }
    }
}

static void open_both(struct pace *pace, SSL_CTX *context)
{
    const struct options *options = pace->options;
    char lines[MOST_HEAD];

    peer_open(&pace->subscriber, options, context, options->subscriber_user);
    peer_send(&pace->subscriber, lines, subscriptions_write(lines, options, 0));
    peer_barrier(&pace->subscriber);
    peer_open(&pace->publisher, options, context, options->publisher_user);
    inbox_init(&pace->inbox, delivered_size(options));
    pace->line = reserve(options->size + MOST_HEAD);
}

void run_pace(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct pace pace = { .options = options,
                         .late = histogram_new(),
                         .interval_ns = 1000000000U / options->rate,
                         .total = options->messages };

    if (options->subscriptions > 0 || options->size < STAMP_SIZE)
        die("pace needs one subject, and at least %d bytes of payload", STAMP_SIZE);
    if (options->limit_ns > 0)
        pace.total = options->limit_ns / pace.interval_ns;
    open_both(&pace, context);

    observe(options, &result->before);
    pace.begin_ns = clock_ns();
    while (pace.arrived < pace.total) {
        send_what_is_due(&pace);
        hear(&pace);
        if (clock_ns() > due_ns(&pace, pace.total) + 20000000000U)
            die("%llu of %llu messages arrived", (unsigned long long)pace.arrived,
                (unsigned long long)pace.total);
    }
    observe(options, &result->after);
    result->published = result->delivered = pace.total;
    histogram_read(pace.late, result);
}
