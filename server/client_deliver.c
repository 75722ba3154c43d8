/* client_deliver.c - messages on their way to a NATS client: MSG and HMSG, alone or shared. */
#include "client.h"

#include "base/log.h"
#include "parser/subject.h"

#include "account.h"
#include "options.h"
#include "permissions.h"
#include "responses.h"
#include "router.h"
#include "trace.h"

#include <stdio.h>

#define BORROW_MIN    4096         /* from here on a payload is referenced, not copied */
#define SHARE_MIN     1024         /* from here on a formatted run is; below, copying costs less */
#define FLUSH_AT      (256 * 1024) /* so much is sent at once; with less the reader wakes more often */
#define FLUSH_MANY_AT (64 * 1024)
#define MANY_BLOCKS   128 /* 8 MB */
#define SIZE_DIGITS   10
#define STALL_MS      5
#define STALL_FULL_MS 10

/* ---- formatting ------------------------------------------------------------------------------------------ */

/* How one target wants the messages of a run. */
struct format {
    struct span subject, sid;
    bool headers; /* the client understands HMSG */
};

static bool is_hmsg(const struct format *format, const struct message *message)
{
    return format->headers && message->header_size > 0;
}

/* The part of the data that this target gets. */
static struct span body_of(const struct format *format, const struct message *message)
{
    size_t skip = format->headers ? 0 : message->header_size;
    return span_make(message->data.ptr + skip, message->data.len - skip);
}

static size_t head_max(const struct format *format, const struct message *message)
{
    return sizeof "HMSG    \r\n" + format->subject.len + format->sid.len + message->reply.len +
           2 * SIZE_DIGITS;
}

static uint8_t *put(uint8_t *at, struct span bytes)
{
    memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}

static uint8_t *put_number(uint8_t *at, size_t number)
{
    uint8_t digits[20];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* "MSG subject sid [reply] size CR LF" */
static uint8_t *put_head(uint8_t *at, const struct format *format, const struct message *message)
{
    bool hmsg = is_hmsg(format, message);
    if (hmsg)
        *at++ = 'H';
    memcpy(at, "MSG ", 4);
    at = put(at + 4, format->subject);
    *at++ = ' ';
    at = put(at, format->sid);
    *at++ = ' ';
    if (message->reply.len) {
        at = put(at, message->reply);
        *at++ = ' ';
    }
    if (hmsg) {
        at = put_number(at, message->header_size);
        *at++ = ' ';
    }
    at = put_number(at, body_of(format, message).len);
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* The data and the CR LF that follows it in memory. */
static uint8_t *put_body(uint8_t *at, const struct format *format, const struct message *message)
{
    struct span body = body_of(format, message);
    memcpy(at, body.ptr, body.len + 2);
    return at + body.len + 2;
}

static size_t message_max(const struct format *format, const struct message *message)
{
    return head_max(format, message) + body_of(format, message).len + 2;
}

/* ---- into one outbox --------------------------------------------------------------------------------------- */

static void mark_borrowing(struct conn *conn)
{
    if (list_is_empty(&conn->borrowing_link))
        list_append(&conn->worker->borrowing, &conn->borrowing_link);
}

static void send_large(struct conn *conn, const struct format *format,
                       const struct message *message)
{
    struct span body = body_of(format, message);
    uint8_t *start = outbox_reserve(&conn->out, &conn->worker->pool, head_max(format, message));
    outbox_commit(&conn->out, (size_t)(put_head(start, format, message) - start));
    outbox_borrow(&conn->out, body.ptr, body.len + 2);
    mark_borrowing(conn);
}

/* With very many targets less waits for each: all of it together is to stay near the processor. */
static void flush_if_full(struct conn *conn)
{
    bool are_many = conn->worker->pool.large.taken > MANY_BLOCKS;
    if (conn->out.bytes >= (are_many ? FLUSH_MANY_AT : FLUSH_AT) && !conn->writing)
        conn_flush(conn);
}

/* What a publisher sends in a row often differs in nothing but its bytes: then the head is the same, too. */
static bool have_same_head(const struct message *a, const struct message *b)
{
    bool are_plain = (a->reply.len | b->reply.len | a->header_size | b->header_size) == 0;
    return are_plain && a->data.len == b->data.len;
}

/* So many bytes at once that the first block of a burst holds all of it, where that is possible. */
static size_t wish(const struct outbox *out, size_t each, unsigned count)
{
    if (out->bytes > 0)
        return each;
    return each * count < BLOCK_LARGE ? each * count : each < BLOCK_LARGE ? BLOCK_LARGE : each;
}

/* Writes messages one behind the other, from message `*i` on, while they are small and fit; there is room for the
 * first. Returns where they end; `*i` is the next one. */
static uint8_t *put_messages(uint8_t *at, const uint8_t *limit, const struct format *format,
                             const struct run *run, unsigned *i, unsigned end)
{
    const struct message *message = &run->messages[*i], *before = NULL;
    const uint8_t *head = at;
    size_t head_len = 0;
    do {
        if (before && have_same_head(before, message)) {
            memcpy(at, head, head_len);
        } else {
            head = at;
            head_len = (size_t)(put_head(at, format, message) - head);
        }
        at = put_body(at + head_len, format, message);
        before = message++;
        ++*i;
    } while (*i < end && body_of(format, message).len < BORROW_MIN &&
             message_max(format, message) <= (size_t)(limit - at));
    return at;
}

static unsigned send_small(struct conn *conn, const struct format *format, const struct run *run,
                           unsigned i, unsigned end)
{
    struct outbox *out = &conn->out;
    size_t size = wish(out, message_max(format, &run->messages[i]), end - i);
    uint8_t *start = outbox_reserve(out, &conn->worker->pool, size);
    uint8_t *at = put_messages(start, start + block_room(out->fill), format, run, &i, end);
    outbox_commit(out, (size_t)(at - start));
    return i;
}

static void send_alone(struct conn *conn, const struct format *format, const struct run *run,
                       unsigned first, unsigned count)
{
    unsigned end = first + count;
    for (unsigned i = first; i < end && conn_is_live(conn);) {
        if (body_of(format, &run->messages[i]).len < BORROW_MIN)
            i = send_small(conn, format, run, i, end);
        else
            send_large(conn, format, &run->messages[i++]);
        flush_if_full(conn);
    }
}

/* ---- shared --------------------------------------------------------------------------------------------------- */

/* Room for the next of `left` messages, behind what was shared before: what is sent in a row stands in a row. NULL =
 * it would be too many blocks. */
static struct block *shared_room(struct block_pool *pool, struct shared_bytes *shared, size_t size,
                                 unsigned left)
{
    const unsigned max = sizeof shared->blocks / sizeof *shared->blocks;
    bool is_full = !shared->fill || block_room(shared->fill) < size;
    if (shared->count > 0 && !is_full)
        return shared->fill;
    if (shared->count == max)
        return NULL;
    if (is_full) {
        if (shared->fill)
            block_release(pool, shared->fill);
        bool is_little = size * left <= BLOCK_SMALL || size > BLOCK_LARGE;
        shared->fill = block_take(pool, is_little ? size : BLOCK_LARGE);
    }
    if (shared->count == 0)
        shared->from = shared->fill->used;
    shared->blocks[shared->count++] = block_retain(shared->fill);
    return shared->fill;
}

/* Formats the messages once into blocks that all targets reference. */
static void format_shared(struct block_pool *pool, const struct format *format, struct run *run,
                          unsigned first, unsigned count)
{
    struct shared_bytes *shared = &run->shared;
    for (unsigned i = first; i < first + count;) {
        size_t size = message_max(format, &run->messages[i]);
        struct block *block = shared_room(pool, shared, size, first + count - i);
        if (!block) {
            shared->failed = true;
            return;
        }
        uint8_t *at = block->data + block->used;
        at = put_messages(at, block->data + block->cap, format, run, &i, first + count);
        block->used = (uint32_t)(at - block->data);
    }
}

/* A reader that is behind would keep a whole block for the few bytes in it. */
static void take_bytes(struct conn *conn, struct block *block, size_t from)
{
    const uint8_t *bytes = block->data + from;
    size_t len = block->used - from;
    if (len >= (conn->writing ? block->cap / 2 : SHARE_MIN))
        outbox_refer(&conn->out, block, bytes, len);
    else
        outbox_copy(&conn->out, &conn->worker->pool, bytes, len);
}

static void send_shared(struct conn *conn, const struct format *format, struct run *run,
                        unsigned first, unsigned count)
{
    struct shared_bytes *shared = &run->shared;
    if (shared->count == 0)
        format_shared(&conn->worker->pool, format, run, first, count);
    if (shared->failed) {
        send_alone(conn, format, run, first, count);
        return;
    }
    for (unsigned i = 0; i < shared->count; i++)
        take_bytes(conn, shared->blocks[i], i == 0 ? shared->from : 0);
    flush_if_full(conn);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void close_slow(struct conn *conn, size_t max)
{
    conn_log(conn, LOG_INF, "Slow Consumer Detected: MaxPending of %zu Exceeded", max);
    stat_add(&conn->worker->stats.slow_consumers, 1);
    stat_add(&account_traffic(conn->account, conn->worker->index)->slow_consumers, 1);
    conn_close(conn, CLOSE_SLOW_PENDING);
}

static void check_pending(struct conn *conn, const struct run *run)
{
    const struct options *options = conn->worker->options;
    size_t max = (size_t)options->max_pending;
    if (conn_pending(conn) <= max / 4 * 3)
        return;
    conn_flush(conn);
    size_t pending = conn_pending(conn);
    if (pending > max && conn_is_live(conn))
        close_slow(conn, max);
    else if (pending > max / 4 * 3 && !options->no_fast_producer_stall)
        router_stall_source(conn->worker->router, run,
                            pending > max / 10 * 9 ? STALL_FULL_MS : STALL_MS);
}

void client_check_answers(struct conn *conn)
{
    size_t max = (size_t)conn->worker->options->max_pending;
    if (conn_pending(conn) > max)
        conn_flush(conn);
    if (conn_pending(conn) > max && conn_is_live(conn))
        close_slow(conn, max);
}

static void count_out(struct conn *conn, struct run *run, uint64_t msgs, uint64_t bytes)
{
    conn->out_msgs += msgs;
    conn->out_bytes += bytes;
    run->out_msgs += msgs;
    run->out_bytes += bytes;
}

/* ---- delivering ---------------------------------------------------------------------------------------------------- */

/* One message under everything that may differ from message to message. */
static void deliver_carefully(struct sub *sub, struct run *run, unsigned i,
                              const struct format *format)
{
    struct conn *conn = sub->conn;
    struct client *client = client_of(conn);
    const struct message *message = &run->messages[i];
    if (sub->dead || !conn_is_live(conn))
        return;
    run->accepted[i] = 1;
    sub->delivered++;
    count_out(conn, run, 1, body_of(format, message).len);
    if (client->responses && message->reply.len)
        responses_allow(client->responses, client->permissions, message->reply, conn_now_ms(conn));
    send_alone(conn, format, run, i, 1);
    if (sub_max(sub) && sub->delivered >= sub_max(sub))
        client_remove_sub(client, sub);
}

static inline const char *refusal(const struct sub *sub, const struct run *run)
{
    const struct conn *conn = sub->conn;
    const struct client *client = client_of(conn);
    if (sub->dead)
        return "Not delivered because subscription is closed";
    if (!conn_is_live(conn))
        return "Not delivered because client is closed";
    if (conn == run->source && !client->echo)
        return "Not delivered because of no echo";
    if (sub->filtered &&
        !permissions_may_deliver(client->permissions, run->subject, sub_queue(sub)))
        return "Not delivered because subscription denies this subject";
    return NULL;
}

const char *client_refusal(const struct sub *sub, const struct run *run)
{
    return refusal(sub, run);
}

void client_deliver(struct sub *sub, struct run *run, unsigned first, unsigned count, bool share)
{
    struct conn *conn = sub->conn;
    struct client *client = client_of(conn);
    if (refusal(sub, run))
        return;
    struct format format = { run->subject, sub_sid(sub), client->headers };
    bool careful = sub_max(sub) || client->responses;
    trace_deliver(sub, run, first, count);
    if (careful) {
        for (unsigned i = first; i < first + count; i++)
            deliver_carefully(sub, run, i, &format);
    } else {
        memset(run->accepted + first, 1, count);
        sub->delivered += count;
        size_t bytes = run->bytes;
        if (count != run->count || (run->has_headers && !client->headers)) {
            bytes = 0;
            for (unsigned i = first; i < first + count; i++)
                bytes += body_of(&format, &run->messages[i]).len;
        }
        count_out(conn, run, count, bytes);
        if (share && (client->headers || !run->has_headers))
            send_shared(conn, &format, run, first, count);
        else
            send_alone(conn, &format, run, first, count);
    }
    conn_touch(conn);
    check_pending(conn, run);
}

/* ---- no responders --------------------------------------------------------------------------------------------------- */

static const struct sub *find_reply_sub(const struct client *client, struct span reply)
{
    const struct sub *sub = NULL;
    while ((sub = sub_table_next(&client->subs, sub)) != NULL)
        if (!sub->queue_len && subject_matches(sub_subject(sub), reply))
            return sub;
    return NULL;
}

void client_unanswered(struct conn *conn, struct span subject, struct span reply)
{
    struct client *client = client_of(conn);
    if (!client->no_responders)
        return;
    const struct sub *sub = find_reply_sub(client, reply);
    if (!sub)
        return;
    struct span sid = sub_sid(sub);
    size_t size = sizeof "NATS/1.0 503\r\nNats-Subject: \r\n\r\n" - 1 + subject.len;
    conn_sendf(conn, "HMSG %.*s %.*s %zu %zu\r\nNATS/1.0 503\r\nNats-Subject: %.*s\r\n\r\n\r\n",
               SPAN_ARG(reply), SPAN_ARG(sid), size, size, SPAN_ARG(subject));
}
