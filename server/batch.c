/* batch.c - see batch.h. */
#include "batch.h"

#include "base/mem.h"

#define BATCH_SIZE ((size_t)64 * 1024)

struct header {
    struct account *account;
    struct conn_handle origin;
    uint32_t data_len, header_size;
    uint32_t subject_len, reply_len, queue_len;
    uint8_t hops;
    bool is_imported, is_answer;
};

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

size_t batch_entry_size(const struct batch_entry *entry)
{
    return aligned(sizeof(struct header) + entry->subject.len + entry->reply.len +
                   entry->queue.len + entry->data.len + 2);
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

void batch_append(struct batch *batch, const struct batch_entry *entry)
{
    uint8_t *at = (uint8_t *)batch->data + batch->used;
    struct header *header = (struct header *)(void *)at;
    *header = (struct header){ .account = entry->account,
                               .origin = entry->origin,
                               .data_len = (uint32_t)entry->data.len,
                               .header_size = entry->header_size,
                               .subject_len = (uint32_t)entry->subject.len,
                               .reply_len = (uint32_t)entry->reply.len,
                               .queue_len = (uint32_t)entry->queue.len,
                               .hops = entry->hops,
                               .is_imported = entry->is_imported,
                               .is_answer = entry->is_answer };
    at = put(at + sizeof *header, entry->subject);
    at = put(at, entry->reply);
    at = put(at, entry->queue);
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

bool batch_next(const struct batch *batch, size_t *at, struct batch_entry *entry)
{
    if (*at >= batch->used)
        return false;
    const uint8_t *bytes = (const uint8_t *)batch->data + *at;
    const struct header *header = (const struct header *)(const void *)bytes;
    bytes += sizeof *header;
    *entry = (struct batch_entry){ .account = header->account,
                                   .origin = header->origin,
                                   .header_size = header->header_size,
                                   .hops = header->hops,
                                   .is_imported = header->is_imported,
                                   .is_answer = header->is_answer };
    entry->subject = take(&bytes, header->subject_len);
    entry->reply = take(&bytes, header->reply_len);
    entry->queue = take(&bytes, header->queue_len);
    entry->data = take(&bytes, header->data_len);
    *at += batch_entry_size(entry);
    return true;
}
