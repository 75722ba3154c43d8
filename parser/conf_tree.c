/* conf_tree.c - arena, and maps and arrays that grow until their bracket closes. */
#include "conf_tree.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHUNK_SIZE ((size_t)32 << 10)

struct conf_chunk {
    struct conf_chunk *next;
    size_t used, size;
    alignas(max_align_t) uint8_t bytes[];
};

static struct conf_chunk *new_chunk(struct conf *conf, size_t size)
{
    struct conf_chunk *chunk = mem_zero(sizeof *chunk + size);
    chunk->size = size;
    chunk->next = conf->chunks;
    conf->chunks = chunk;
    return chunk;
}

void *conf_alloc(struct conf *conf, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct conf_chunk *chunk = conf->chunks;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = new_chunk(conf, rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE);
    void *at = chunk->bytes + chunk->used;
    chunk->used += rounded;
    return at;
}

const char *conf_keep(struct conf *conf, struct span text)
{
    char *copy = conf_alloc(conf, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

void conf_free_chunks(struct conf *conf)
{
    while (conf->chunks) {
        struct conf_chunk *next = conf->chunks->next;
        free(conf->chunks);
        conf->chunks = next;
    }
}

/* ---- open maps and arrays --------------------------------------------------------------- */

void conf_open_append(struct conf_open *open, struct conf_value *value)
{
    if (open->count == open->cap) {
        open->cap = open->cap ? open->cap * 2 : 8;
        open->items = mem_resize_array(open->items, open->cap, sizeof *open->items);
    }
    open->items[open->count++] = value;
}

void conf_open_put(struct conf_open *open, struct conf_value *value)
{
    struct conf_node *node = conf_node_of(value);
    node->index = open->count;
    struct conf_node *earlier = map_put(&open->index, span_of(value->key), node);
    if (earlier)
        open->items[earlier->index] = NULL;
    conf_open_append(open, value);
}

static size_t drop_holes(struct conf_value **items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i])
            items[kept++] = items[i];
    }
    return kept;
}

static void measure(struct conf_value *value)
{
    struct conf_node *node = conf_node_of(value);
    node->weight = 1;
    node->height = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_node *item = conf_node_of(value->items[i]);
        node->weight += item->weight;
        if (value->items[i]->key)
            node->weight += conf_text_weight(strlen(value->items[i]->key));
        if (item->height + 1 > node->height)
            node->height = item->height + 1;
    }
}

void conf_open_close(struct conf_open *open, struct conf *conf, struct conf_value *value)
{
    value->count = drop_holes(open->items, open->count);
    value->items = conf_alloc(conf, value->count * sizeof *value->items);
    if (value->count > 0)
        memcpy(value->items, open->items, value->count * sizeof *value->items);
    measure(value);
    conf_open_free(open);
}

void conf_open_free(struct conf_open *open)
{
    free(open->items);
    map_free(&open->index);
    open->items = NULL;
    open->count = open->cap = 0;
}

struct conf_value *conf_open_lookup(const struct conf_open *open, struct span name)
{
    for (; open; open = open->outer) {
        struct conf_node *node = map_get(&open->index, name);
        if (node)
            return &node->value;
    }
    return NULL;
}
