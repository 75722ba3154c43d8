/* ledger.c - see ledger.h. */
#include "ledger.h"

#include "base/mem.h"
#include "base/rand.h"
#include "parser/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 100000, BURST = 24, LETTERS = 251, LETTERS_MORE = 200000, OUT_MAX = 64 * 1024 };

struct ledger *ledger_new(void)
{
    struct ledger *ledger = mem_zero(sizeof *ledger);
    ledger->letters = mem_alloc(LETTERS + LETTERS_MORE);
    for (size_t i = 0; i < LETTERS + LETTERS_MORE; i++)
        ledger->letters[i] = (char)('a' + i % LETTERS % 26);
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->letters);
    free(ledger);
}

/* ---- what message `number` of publisher p looks like --------------------------------------------- */

static uint32_t mix(uint32_t p, uint32_t number)
{
    uint32_t x = (number + 1) * 2654435761U ^ (p + 1) * 40503U;
    x ^= x >> 15;
    x *= 2246822519U;
    return x ^ x >> 13;
}

static size_t payload_size(const struct ledger *ledger, uint32_t p, uint32_t number)
{
    uint32_t x = mix(p, number), kind = x % 128;
    size_t size = kind == 0 ? x / 128 % SIZE_MOST : kind < 6 ? x / 128 % 9000 : x / 128 % 90;

    return size + ledger->size_more;
}

/* "p number " and then letters, from one on that follows from both. */
static void write_payload(const struct ledger *ledger, uint32_t p, uint32_t number, struct buf *out)
{
    buf_printf(out, "%u %u ", p, number);
    size_t size = payload_size(ledger, p, number);
    buf_append(out, ledger->letters + (number + p) % LETTERS, size);
}

static void write_header(uint32_t p, uint32_t number, struct buf *out)
{
    if (mix(p, number) % 5 == 1)
        buf_printf(out, "NATS/1.0\r\nNumber: %u\r\n\r\n", number);
}

static void write_reply(uint32_t p, uint32_t number, struct buf *out)
{
    if (mix(p, number) % 7 == 2)
        buf_printf(out, "reply.%u.%u", p, number);
}

void ledger_publish(struct ledger *ledger, unsigned p)
{
    struct publisher *publisher = &ledger->publishers[p];
    struct buf header = { 0 }, reply = { 0 }, payload = { 0 };
    uint32_t number = publisher->count++;

    require(number < NUMBERS_MAX, "too many messages");
    /* several in a row on one topic, as a run has them */
    uint8_t topic =
        (uint8_t)(number % 4 && rand_below(4) ? publisher->topics[number - 1] : rand_below(TOPICS));
    publisher->topics[number] = topic;
    write_header(p, number, &header);
    write_reply(p, number, &reply);
    write_payload(ledger, p, number, &payload);
    peer_send(publisher->peer, "%s t.%u.%u ", header.len ? "HPUB" : "PUB", p, topic);
    if (reply.len)
        peer_send(publisher->peer, "%s ", buf_str(&reply));
    if (header.len)
        peer_send(publisher->peer, "%zu ", header.len);
    peer_send(publisher->peer, "%zu\r\n", header.len + payload.len);
    peer_write(publisher->peer, header.data, header.len);
    peer_write(publisher->peer, payload.data, payload.len);
    peer_write(publisher->peer, "\r\n", 2);
    buf_free(&header);
    buf_free(&reply);
    buf_free(&payload);
    for (unsigned g = 0; g < ledger->group_count; g++)
        ledger->groups[g].wanted += ledger->groups[g].covers[p][topic];
}

/* ---- deliveries -------------------------------------------------------------------------------------- */

static struct subscription *find(struct ledger *ledger, const struct peer *peer, struct span sid)
{
    for (unsigned i = 0; i < ledger->subscription_count; i++) {
        struct subscription *subscription = &ledger->subscriptions[i];
        if (subscription->peer == peer && span_is(sid, subscription->sid))
            return subscription;
    }
    fail("a message for sid %.*s, which has no subscription", SPAN_ARG(sid));
}

static void check_bytes(const struct ledger *ledger, uint32_t p, uint32_t number,
                        const struct delivery *delivery)
{
    struct buf header = { 0 }, reply = { 0 }, payload = { 0 };
    char subject[32];

    snprintf(subject, sizeof subject, "t.%u.%u", p, ledger->publishers[p].topics[number]);
    write_header(p, number, &header);
    write_reply(p, number, &reply);
    write_payload(ledger, p, number, &payload);
    require(span_is(delivery->subject, subject), "message %u of %u came on %.*s", number, p,
            SPAN_ARG(delivery->subject));
    require(span_equal(delivery->payload, buf_span(&payload)), "the payload of %u of %u is wrong",
            number, p);
    require(span_equal(delivery->reply, buf_span(&reply)), "the reply of %u of %u is wrong", number,
            p);
    require(span_equal(delivery->header, buf_span(&header)), "the header of %u of %u is wrong",
            number, p);
    buf_free(&header);
    buf_free(&reply);
    buf_free(&payload);
}

/* The first number from `from` on, and below `end`, that the subscription covers; `end` if there is none. */
static uint32_t first_covered(const struct subscription *subscription, unsigned p, uint32_t from,
                              uint32_t end)
{
    const uint8_t *topics = subscription->ledger->publishers[p].topics;
    while (from < end && !subscription->covers[p][topics[from]])
        from++;
    return from < end ? from : end;
}

/* Until a SUB is answered, a message may find it on its own worker and the next one not yet on another's. */
static uint32_t next_owed(const struct progress *progress)
{
    return progress->next > progress->owed ? progress->next : progress->owed;
}

static void note_plain(struct subscription *subscription, unsigned p, uint32_t number)
{
    struct progress *progress = &subscription->progress[p];
    uint32_t missing = first_covered(subscription, p, next_owed(progress), number);

    require(number >= progress->next, "%s: number %u of %u came again, or late: %u was next",
            subscription->pattern, number, p, progress->next);
    require(missing >= number, "%s: number %u of %u is missing before %u", subscription->pattern,
            missing, p, number);
    progress->next = number + 1;
}

static void note_queued(struct subscription *subscription, unsigned p, uint32_t number)
{
    struct group *group = subscription->group;
    struct progress *progress = &subscription->progress[p];

    require(!group->has[p][number], "queue %s: number %u of %u came twice", group->name, number, p);
    require(group->in_any_order || number >= progress->next,
            "queue %s: number %u of %u came late, %u was next", group->name, number, p,
            progress->next);
    group->has[p][number] = true;
    group->seen++;
    progress->next = number + 1;
}

/* What one connection gets of a publisher never steps back, whichever subscription it is for. */
static void note_order(struct ledger *ledger, const struct subscription *subscription, unsigned p,
                       uint32_t number)
{
    if (subscription->group && subscription->group->in_any_order)
        return;
    for (unsigned i = 0; i < ledger->subscription_count; i++) {
        const struct subscription *other = &ledger->subscriptions[i];
        bool counts = other->peer == subscription->peer && other != subscription &&
                      !(other->group && other->group->in_any_order);
        require(!counts || other->progress[p].next <= number + 1,
                "number %u of %u came for %s when %s had got %u already", number, p,
                subscription->pattern, other->pattern, other->progress[p].next - 1);
    }
}

static void on_delivery(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct ledger *ledger = ctx;
    char text[32];
    char *end;

    if (!span_starts(delivery->subject, "t."))
        return; /* a scenario's own */
    snprintf(text, sizeof text, "%.*s",
             (int)(delivery->payload.len < 31 ? delivery->payload.len : 31),
             (const char *)delivery->payload.ptr);
    unsigned long p = strtoul(text, &end, 10), number = strtoul(end, NULL, 10);
    require(p < ledger->publisher_count && number < ledger->publishers[p].count,
            "nobody has published '%s'", text);
    struct subscription *subscription = find(ledger, peer, delivery->sid);
    uint8_t topic = ledger->publishers[p].topics[number];
    require(subscription->covers[p][topic], "%s got t.%lu.%u", subscription->pattern, p, topic);
    check_bytes(ledger, (uint32_t)p, (uint32_t)number, delivery);
    subscription->received++;
    if (subscription->group)
        note_queued(subscription, (unsigned)p, (uint32_t)number);
    else
        note_plain(subscription, (unsigned)p, (uint32_t)number);
    note_order(ledger, subscription, (unsigned)p, (uint32_t)number);
}

/* ---- publishers and subscriptions ----------------------------------------------------------------------- */

static void attach(struct ledger *ledger, struct peer *peer)
{
    peer->ctx = ledger;
    peer->on_delivery = on_delivery;
}

unsigned ledger_add_publisher(struct ledger *ledger, struct peer *peer)
{
    attach(ledger, peer);
    ledger->publishers[ledger->publisher_count].peer = peer;
    return ledger->publisher_count++;
}

static void find_covered(const char *pattern, bool covers[PUBLISHERS_MAX][TOPICS])
{
    for (unsigned p = 0; p < PUBLISHERS_MAX; p++)
        for (unsigned topic = 0; topic < TOPICS; topic++) {
            char subject[32];
            snprintf(subject, sizeof subject, "t.%u.%u", p, topic);
            covers[p][topic] = subject_matches(span_of(pattern), span_of(subject));
        }
}

struct group *ledger_add_group(struct ledger *ledger, const char *name, const char *pattern)
{
    struct group *group = &ledger->groups[ledger->group_count++];
    snprintf(group->name, sizeof group->name, "%s", name);
    snprintf(group->pattern, sizeof group->pattern, "%s", pattern);
    find_covered(pattern, group->covers);
    return group;
}

static struct subscription *add(struct ledger *ledger, struct peer *peer, const char *sid,
                                const char *pattern)
{
    unsigned at = 0;
    while (at < ledger->subscription_count && ledger->subscriptions[at].peer)
        at++;
    require(at < SUBSCRIPTIONS_MAX, "too many subscriptions");
    struct subscription *subscription = &ledger->subscriptions[at];
    ledger->subscription_count += at == ledger->subscription_count;
    *subscription = (struct subscription){ .ledger = ledger, .peer = peer };
    snprintf(subscription->sid, sizeof subscription->sid, "%s", sid);
    snprintf(subscription->pattern, sizeof subscription->pattern, "%s", pattern);
    find_covered(pattern, subscription->covers);
    for (unsigned p = 0; p < PUBLISHERS_MAX; p++)
        subscription->progress[p].owed = UINT32_MAX;
    attach(ledger, peer);
    return subscription;
}

struct subscription *ledger_subscribe(struct ledger *ledger, struct peer *peer, const char *sid,
                                      const char *pattern)
{
    peer_send(peer, "SUB %s %s\r\n", pattern, sid);
    return add(ledger, peer, sid, pattern);
}

struct subscription *ledger_join(struct ledger *ledger, struct peer *peer, const char *sid,
                                 struct group *group)
{
    struct subscription *subscription = add(ledger, peer, sid, group->pattern);
    subscription->group = group;
    peer_send(peer, "SUB %s %s %s\r\n", group->pattern, group->name, sid);
    return subscription;
}

void ledger_owe(struct subscription *subscription)
{
    for (unsigned p = 0; p < subscription->ledger->publisher_count; p++)
        subscription->progress[p].owed = subscription->ledger->publishers[p].count;
}

void ledger_forget(struct subscription *subscription)
{
    subscription->peer = NULL;
    subscription->sid[0] = '\0';
}

/* ---- publishing it all ------------------------------------------------------------------------------------- */

void ledger_publish_all(struct ledger *ledger, uint32_t count)
{
    bool is_done;

    do {
        is_done = true;
        for (unsigned p = 0; p < ledger->publisher_count; p++) {
            struct publisher *publisher = &ledger->publishers[p];
            unsigned burst = 1 + rand_below(BURST);
            if (publisher->peer->is_closed)
                continue;
            for (; burst > 0 && publisher->count < count && publisher->peer->out.len < OUT_MAX;
                 burst--)
                ledger_publish(ledger, p);
            is_done = is_done && publisher->count == count;
        }
        drive(1);
    } while (!is_done);
}

static bool is_settled(const struct subscription *subscription, unsigned p)
{
    const struct progress *progress = &subscription->progress[p];
    uint32_t count = subscription->ledger->publishers[p].count;

    return first_covered(subscription, p, next_owed(progress), count) >= count;
}

bool ledger_is_settled(const struct ledger *ledger)
{
    for (unsigned i = 0; i < ledger->subscription_count; i++) {
        const struct subscription *subscription = &ledger->subscriptions[i];
        for (unsigned p = 0; subscription->peer && p < ledger->publisher_count; p++)
            if (!subscription->group && !is_settled(subscription, p))
                return false;
    }
    for (unsigned g = 0; g < ledger->group_count; g++)
        if (!ledger->groups[g].may_lose && ledger->groups[g].seen != ledger->groups[g].wanted)
            return false;
    return true;
}

const char *ledger_waits(const struct ledger *ledger, char text[128])
{
    snprintf(text, 128, "nobody");
    for (unsigned i = 0; i < ledger->subscription_count; i++)
        for (unsigned p = 0; p < ledger->publisher_count; p++) {
            const struct subscription *subscription = &ledger->subscriptions[i];
            if (subscription->peer && !subscription->group && !is_settled(subscription, p))
                snprintf(text, 128, "sid %s on %s, worker %u, number %u of %u", subscription->sid,
                         subscription->pattern, subscription->peer->worker,
                         subscription->progress[p].next, p);
        }
    for (unsigned g = 0; g < ledger->group_count; g++)
        if (ledger->groups[g].seen != ledger->groups[g].wanted)
            snprintf(text, 128, "queue %s with %llu of %llu", ledger->groups[g].name,
                     (unsigned long long)ledger->groups[g].seen,
                     (unsigned long long)ledger->groups[g].wanted);
    return text;
}

void ledger_settle(struct ledger *ledger)
{
    char text[128];

    drive_until(ledger_is_settled(ledger), "messages are missing: %s waits",
                ledger_waits(ledger, text));
    for (unsigned i = 0; i < ledger->subscription_count; i++)
        if (ledger->subscriptions[i].peer)
            peer_barrier(ledger->subscriptions[i].peer);
    require(ledger_is_settled(ledger), "more came than was published");
}
