/* closed.c - see closed.h. */
#include "closed.h"

#include "base/clock.h"
#include "base/mem.h"

#include "conn_info.h"

#include <pthread.h>
#include <stdlib.h>

struct closed_ring {
    pthread_mutex_t lock; /* guards the ring below */
    struct conn_info *items;
    size_t capacity, count, next; /* `next` is where the newest will go */
};

struct closed_ring *closed_ring_new(size_t capacity)
{
    struct closed_ring *ring = mem_zero(sizeof *ring);
    pthread_mutex_init(&ring->lock, NULL);
    ring->capacity = capacity;
    return ring;
}

void closed_ring_free(struct closed_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->count; i++)
        conn_info_clear(&ring->items[i]);
    free(ring->items);
    pthread_mutex_destroy(&ring->lock);
    free(ring);
}

void closed_ring_add(struct closed_ring *ring, const struct conn *conn)
{
    if (ring->capacity == 0)
        return;
    struct conn_info info, old = { 0 };
    conn_info_take(conn, &(struct conn_detail){ .subs = true, .auth = true }, &info);
    info.stop_ns = clock_wall_ns();

    pthread_mutex_lock(&ring->lock);
    if (ring->count < ring->capacity) { /* grows as it fills */
        if ((ring->count & (ring->count - 1)) == 0)
            ring->items =
                mem_resize_array(ring->items, ring->count ? ring->count * 2 : 1, sizeof info);
        ring->items[ring->count++] = info;
    } else {
        old = ring->items[ring->next];
        ring->items[ring->next] = info;
        ring->next = (ring->next + 1) % ring->capacity;
    }
    pthread_mutex_unlock(&ring->lock);
    conn_info_clear(&old);
}

void closed_ring_each(struct closed_ring *ring,
                      void (*each)(void *ctx, const struct conn_info *info), void *ctx)
{
    pthread_mutex_lock(&ring->lock);
    for (size_t i = 0; i < ring->count; i++)
        each(ctx, &ring->items[(ring->next + i) % ring->count]);
    pthread_mutex_unlock(&ring->lock);
}
