/* batch.c - see batch.h. */
#include "batch.h"

#include "base/mem.h"

#define BATCH_SIZE ((size_t)64 * 1024)

struct header {
    uint32_t data_len, header_size, reply_len;
    bool continues;
};

/* Comes behind the header of an entry that does not continue the one before. */
struct run_header {
    struct account *account;
    struct conn_handle origin;
    struct trace_leg *trace;
    uint32_t subject_len, queue_len;
    uint8_t hops;
    bool is_imported, is_answer;
};

_Static_assert(sizeof(struct header) % _Alignof(struct run_header) == 0, "they follow each other");

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

size_t batch_entry_size(const struct batch_entry *entry)
{
    size_t run_size =
        entry->continues ? 0 : sizeof(struct run_header) + entry->subject.len + entry->queue.len;
    return aligned(sizeof(struct header) + run_size + entry->reply.len + entry->data.len + 2);
}

struct batch *batch_new(size_t size, void (*run)(struct worker *worker, struct post *post))
{
    size_t cap = size > BATCH_SIZE ? size : BATCH_SIZE;
    struct batch *batch = mem_alloc(sizeof *batch + cap);
    batch->post = (struct post){ .run = run };
    batch->used = 0;
    batch->cap = cap;
    return batch;
}

bool batch_has_room(const struct batch *batch, size_t size)
{
    return batch->cap - batch->used >= size;
}

static uint8_t *put(uint8_t *at, struct span bytes)
{
    if (bytes.len)
        memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}

static uint8_t *put_run(uint8_t *at, const struct batch_entry *entry)
{
    struct run_header *header = (struct run_header *)(void *)at;
    *header = (struct run_header){ .account = entry->account,
                                   .origin = entry->origin,
                                   .trace = entry->trace,
                                   .subject_len = (uint32_t)entry->subject.len,
                                   .queue_len = (uint32_t)entry->queue.len,
                                   .hops = entry->hops,
                                   .is_imported = entry->is_imported,
                                   .is_answer = entry->is_answer };
    at = put(at + sizeof *header, entry->subject);
    return put(at, entry->queue);
}

void batch_append(struct batch *batch, const struct batch_entry *entry)
{
    uint8_t *at = (uint8_t *)batch->data + batch->used;
    struct header *header = (struct header *)(void *)at;
    *header = (struct header){ .data_len = (uint32_t)entry->data.len,
                               .header_size = entry->header_size,
                               .reply_len = (uint32_t)entry->reply.len,
                               .continues = entry->continues };
    at += sizeof *header;
    if (!entry->continues)
        at = put_run(at, entry);
    at = put(at, entry->reply);
    at = put(at, entry->data);
    memcpy(at, "\r\n", 2);
    batch->used += batch_entry_size(entry);
}

static struct span take(const uint8_t **at, size_t len)
{
    struct span span = span_make(*at, len);
    *at += len;
    return span;
}

static void take_run(const uint8_t **at, struct batch_entry *entry)
{
    const struct run_header *header = (const struct run_header *)(const void *)*at;
    *at += sizeof *header;
    *entry = (struct batch_entry){ .account = header->account,
                                   .origin = header->origin,
                                   .trace = header->trace,
                                   .hops = header->hops,
                                   .is_imported = header->is_imported,
                                   .is_answer = header->is_answer };
    entry->subject = take(at, header->subject_len);
    entry->queue = take(at, header->queue_len);
}

bool batch_next(const struct batch *batch, size_t *at, struct batch_entry *entry)
{
    if (*at >= batch->used)
        return false;
    const uint8_t *bytes = (const uint8_t *)batch->data + *at;
    const struct header *header = (const struct header *)(const void *)bytes;
    bytes += sizeof *header;
    if (!header->continues)
        take_run(&bytes, entry);
    entry->continues = header->continues;
    entry->header_size = header->header_size;
    entry->reply = take(&bytes, header->reply_len);
    entry->data = take(&bytes, header->data_len);
    *at += batch_entry_size(entry);
    return true;
}
