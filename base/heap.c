/* heap.c - a binary heap of intrusive nodes: node i has the children 2i+1 and 2i+2, none smaller. */
#include "heap.h"

#include <stdlib.h>

#include "mem.h"

static void set(struct heap *heap, size_t at, struct heap_node *node)
{
    heap->nodes[at] = node;
    node->place = at + 1;
}

static void move_up(struct heap *heap, size_t at)
{
    struct heap_node *node = heap->nodes[at];
    while (at > 0 && node->key < heap->nodes[(at - 1) / 2]->key) {
        set(heap, at, heap->nodes[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set(heap, at, node);
}

static void move_down(struct heap *heap, size_t at)
{
    struct heap_node *node = heap->nodes[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->count && heap->nodes[child + 1]->key < heap->nodes[child]->key)
            child++;
        if (child >= heap->count || node->key <= heap->nodes[child]->key)
            break;
        set(heap, at, heap->nodes[child]);
        at = child;
    }
    set(heap, at, node);
}

void heap_put(struct heap *heap, struct heap_node *node, int64_t key)
{
    heap_remove(heap, node);
    if (heap->count == heap->cap) {
        heap->cap = heap->cap ? 2 * heap->cap : 16;
        heap->nodes = mem_resize_array(heap->nodes, heap->cap, sizeof *heap->nodes);
    }
    node->key = key;
    heap->nodes[heap->count] = node;
    move_up(heap, heap->count++);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (!heap_has(node))
        return;
    size_t at = node->place - 1;
    struct heap_node *last = heap->nodes[--heap->count];
    node->place = 0;
    if (last == node)
        return;
    set(heap, at, last);
    move_up(heap, at);
    move_down(heap, last->place - 1);
}

struct heap_node *heap_top(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}

void heap_free(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){ 0 };
}
