/* batch.c - see batch.h. */
#include "batch.h"

#include "base/mem.h"

#define BATCH_SIZE ((size_t)64 * 1024)

/* A run: this, subject, queue, and its messages. */
struct run_header {
    struct account *account;
    struct conn_handle origin;
    struct trace_leg *trace;
    uint32_t subject_len, queue_len, message_count;
    uint8_t hops;
    bool is_imported, is_answer;
};

/* A message: this, reply, data, CR LF. */
struct message_header {
    uint32_t data_len, header_size, reply_len;
};

/* Both begin at multiples of 8. */
static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static size_t run_size(const struct batch_run *run)
{
    return aligned(sizeof(struct run_header) + run->subject.len + run->queue.len);
}

static size_t message_size(const struct message *message)
{
    return aligned(sizeof(struct message_header) + message->reply.len + message->data.len + 2);
}

static bool has_room(const struct batch *batch, size_t size)
{
    return batch->cap - batch->used >= size;
}

struct batch *batch_new(const struct batch_run *run, const struct message *message,
                        void (*receive)(struct worker *worker, struct post *post))
{
    size_t size = run_size(run) + message_size(message);
    size_t cap = size > BATCH_SIZE ? size : BATCH_SIZE;
    struct batch *batch = mem_alloc(sizeof *batch + cap);
    batch->post = (struct post){ .run = receive };
    batch->used = 0;
    batch->cap = cap;
    return batch;
}

/* ---- writing ---------------------------------------------------------------------------------------------- */

static uint8_t *end_of(struct batch *batch)
{
    return (uint8_t *)batch->data + batch->used;
}

static uint8_t *put(uint8_t *at, struct span bytes)
{
    if (bytes.len)
        memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}

static struct run_header *put_run(struct batch *batch, const struct batch_run *run)
{
    uint8_t *at = end_of(batch);
    struct run_header *header = (struct run_header *)(void *)at;
    *header = (struct run_header){ .account = run->account,
                                   .origin = run->origin,
                                   .trace = run->trace,
                                   .subject_len = (uint32_t)run->subject.len,
                                   .queue_len = (uint32_t)run->queue.len,
                                   .hops = run->hops,
                                   .is_imported = run->is_imported,
                                   .is_answer = run->is_answer };
    at = put(at + sizeof *header, run->subject);
    put(at, run->queue);
    batch->used += run_size(run);
    return header;
}

static void put_message(struct batch *batch, const struct message *message, size_t size)
{
    uint8_t *at = end_of(batch);
    *(struct message_header *)(void *)at =
        (struct message_header){ .data_len = (uint32_t)message->data.len,
                                 .header_size = message->header_size,
                                 .reply_len = (uint32_t)message->reply.len };
    at = put(at + sizeof(struct message_header), message->reply);
    at = put(at, message->data);
    memcpy(at, "\r\n", 2);
    batch->used += size;
}

unsigned batch_append(struct batch *batch, const struct batch_run *run,
                      const struct message *messages, unsigned count)
{
    if (!has_room(batch, run_size(run) + message_size(messages)))
        return 0;
    struct run_header *header = put_run(batch, run);
    unsigned done = 0;
    for (size_t size; done < count && has_room(batch, size = message_size(&messages[done])); done++)
        put_message(batch, &messages[done], size);
    header->message_count = done;
    return done;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static const uint8_t *bytes_at(const struct batch *batch, size_t at)
{
    return (const uint8_t *)batch->data + at;
}

unsigned batch_next_run(const struct batch *batch, size_t *at, struct batch_run *run)
{
    if (*at >= batch->used)
        return 0;
    const uint8_t *bytes = bytes_at(batch, *at);
    const struct run_header *header = (const struct run_header *)(const void *)bytes;
    const uint8_t *subject = bytes + sizeof *header;
    *run = (struct batch_run){ .account = header->account,
                               .subject = span_make(subject, header->subject_len),
                               .queue = span_make(subject + header->subject_len, header->queue_len),
                               .origin = header->origin,
                               .trace = header->trace,
                               .hops = header->hops,
                               .is_imported = header->is_imported,
                               .is_answer = header->is_answer };
    *at += run_size(run);
    return header->message_count;
}

struct message batch_next_message(const struct batch *batch, size_t *at)
{
    const uint8_t *bytes = bytes_at(batch, *at);
    const struct message_header *header = (const struct message_header *)(const void *)bytes;
    const uint8_t *reply = bytes + sizeof *header;
    struct message message = { .reply = span_make(reply, header->reply_len),
                               .data = span_make(reply + header->reply_len, header->data_len),
                               .header_size = header->header_size };
    *at += message_size(&message);
    return message;
}
