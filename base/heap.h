/* heap.h - objects in the order of a number, the smallest on top: a binary heap whose nodes live inside the
 * objects. One owner, one thread. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed: in no heap. */
struct heap_node {
    int64_t key;
    size_t place; /* 1 for the top; 0: in no heap */
};

/** Zeroed: empty. */
struct heap {
    struct heap_node **nodes; /* owned; nodes[0] is the top */
    size_t count, cap;
};

static inline bool heap_has(const struct heap_node *node)
{
    return node->place > 0;
}

/** Puts the node in, or to its new place when it is in already. */
void heap_put(struct heap *heap, struct heap_node *node, int64_t key);
/** Takes the node out; one that is not in stays out. */
void heap_remove(struct heap *heap, struct heap_node *node);
/** The node with the smallest key, or NULL. */
struct heap_node *heap_top(const struct heap *heap);
/** Frees the table, not the objects. */
void heap_free(struct heap *heap);

#endif
