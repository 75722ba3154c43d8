/* subjects.c - the hashed trie behind subjects.h. */
#include "subjects.h"

#include "base/mem.h"
#include "parser/subject.h"

#include "match_build.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define STAMPS         4096 /* slots that a subscription can move */
#define NODES_AT_FIRST 64
#define DEPTH_MAX      4096 /* tokens of a subject: a control line holds no more by default */
#define HASH_BITS      62
#define HASH_MASK      (((uint64_t)1 << HASH_BITS) - 1)

/* What a node has that others stand below of. */
struct inner {
    struct sub *subs; /* whose subject ends here */
    uint32_t children;
    bool has_star, has_rest; /* is there a child `*`, a child `>`? */
};

/* A node stands for a path of tokens; a slot with hash 0 is empty. It begins as a leaf, where one subscription whose
 * subject goes on may rest, as the first of `subs`. When a second one goes on, the leaf becomes an inner node and the
 * first moves down:
 *
 *     SUB a.b.c:   a -> b [a.b.c]        SUB a.b.d:   a -> b -> c [a.b.c]
 *                                                          \-> d [a.b.d]                                     */
struct node {
    uint64_t hash : HASH_BITS;
    uint64_t is_inner : 1;
    uint64_t has_guest : 1; /* a leaf's first subscription goes on below */
    union {
        struct sub *subs;
        struct inner *inner; /* owned */
    };
};

struct subjects {
    const struct hash_key *key;
    /* Guards nodes and the links of all subscriptions. Nothing is called while it is held but this
     * file's own functions. */
    pthread_rwlock_t lock;
    struct node *nodes;
    size_t node_count, node_cap; /* cap is a power of two */
    struct node root;            /* always an inner one */
    /* A writer moves these while it holds the lock; a reader loads them before it takes the lock, so a
     * match never carries a stamp that is newer than what it saw. */
    _Atomic uint32_t wildcard_stamp;
    _Atomic uint32_t literal_stamps[STAMPS];     /* by the hash of a subject */
    _Atomic uint32_t first_token_stamps[STAMPS]; /* by the hash of its first token */
    _Atomic uint64_t subscriptions, inserts, removes, matches, cache_hits, max_fanout, total_fanout;
};

struct sub *sub_new(struct conn *conn, unsigned worker, struct span subject, struct span queue,
                    struct span sid)
{
    struct sub *sub = mem_alloc(sizeof *sub + subject.len + queue.len + sid.len);
    *sub = (struct sub){ .conn = conn,
                         .worker = (uint8_t)worker,
                         .subject_len = (uint16_t)subject.len,
                         .queue_len = (uint16_t)queue.len,
                         .sid_len = (uint16_t)sid.len };
    memcpy(sub->text, subject.ptr, subject.len);
    if (queue.len)
        memcpy(sub->text + subject.len, queue.ptr, queue.len);
    memcpy(sub->text + subject.len + queue.len, sid.ptr, sid.len);
    return sub;
}

void sub_free(struct sub *sub)
{
    free(sub->more);
    free(sub);
}

static struct sub_more *more_of(struct sub *sub)
{
    if (!sub->more)
        sub->more = mem_zero(sizeof *sub->more);
    return sub->more;
}

void sub_set_max(struct sub *sub, uint64_t max)
{
    if (max || sub->more)
        more_of(sub)->max = max;
}

void sub_set_shadow(struct sub *sub, struct shadow *shadow)
{
    if (shadow || sub->more)
        more_of(sub)->shadow = shadow;
}

struct subjects *subjects_new(const struct hash_key *key)
{
    struct subjects *index = mem_zero(sizeof *index);
    index->key = key;
    pthread_rwlock_init(&index->lock, NULL);
    index->node_cap = NODES_AT_FIRST;
    index->nodes = mem_zero(index->node_cap * sizeof *index->nodes);
    index->root.is_inner = true;
    index->root.inner = mem_zero(sizeof *index->root.inner);
    return index;
}

void subjects_free(struct subjects *index)
{
    if (!index)
        return;
    pthread_rwlock_destroy(&index->lock);
    free(index->root.inner);
    free(index->nodes);
    free(index);
}

/* ---- the table of nodes ---------------------------------------------------------------------- */

static uint64_t child_hash(const struct subjects *index, uint64_t parent, struct span token)
{
    uint64_t h = hash_fold(parent ^ hash_bytes(index->key, token), index->key->k1) & HASH_MASK;
    return h ? h : 1;
}

static struct node *find_node(const struct subjects *index, uint64_t hash)
{
    size_t mask = index->node_cap - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct node *node = &index->nodes[i];
        if (node->hash == hash)
            return node;
        if (node->hash == 0)
            return NULL;
    }
}

static struct node *free_slot(struct node *nodes, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (nodes[i].hash)
        i = (i + 1) & (cap - 1);
    return &nodes[i];
}

static void resize_table(struct subjects *index, size_t cap)
{
    struct node *nodes = mem_zero(cap * sizeof *nodes);
    for (size_t i = 0; i < index->node_cap; i++)
        if (index->nodes[i].hash)
            *free_slot(nodes, cap, index->nodes[i].hash) = index->nodes[i];
    free(index->nodes);
    index->nodes = nodes;
    index->node_cap = cap;
}

/* Pointers to nodes are valid only until the next insertion or removal. */
static struct node *make_node(struct subjects *index, uint64_t hash)
{
    if ((index->node_count + 1) * 5 > index->node_cap * 4)
        resize_table(index, index->node_cap * 2);
    struct node *node = free_slot(index->nodes, index->node_cap, hash);
    node->hash = hash & HASH_MASK;
    index->node_count++;
    return node;
}

/* Takes a node out and moves later ones of its probe sequence back, so that no tombstones remain. */
static void drop_node(struct subjects *index, struct node *node)
{
    size_t mask = index->node_cap - 1;
    size_t hole = (size_t)(node - index->nodes);
    for (size_t i = (hole + 1) & mask; index->nodes[i].hash; i = (i + 1) & mask) {
        size_t home = index->nodes[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            index->nodes[hole] = index->nodes[i];
            hole = i;
        }
    }
    index->nodes[hole] = (struct node){ 0 };
    index->node_count--;
    if (index->node_cap > NODES_AT_FIRST && index->node_count * 8 < index->node_cap)
        resize_table(index, index->node_cap / 2); /* a crowd has left */
}

static struct sub **subs_of(struct node *node)
{
    return node->is_inner ? &node->inner->subs : &node->subs;
}

static struct sub *first_sub(const struct node *node)
{
    return node->is_inner ? node->inner->subs : node->subs;
}

/* ---- adding and removing ----------------------------------------------------------------------- */

static bool is_star(struct span token)
{
    return token.len == 1 && token.ptr[0] == '*';
}

static bool is_rest(struct span token)
{
    return token.len == 1 && token.ptr[0] == '>';
}

static struct node *node_of(struct subjects *index, uint64_t hash)
{
    return hash ? find_node(index, hash) : &index->root;
}

static void note_child(struct node *parent, struct span token, bool exists)
{
    struct inner *inner = parent->inner;
    inner->children += exists ? 1 : (uint32_t)-1;
    if (is_star(token))
        inner->has_star = exists;
    else if (is_rest(token))
        inner->has_rest = exists;
}

static struct node *get_or_make_child(struct subjects *index, uint64_t parent, uint64_t hash,
                                      struct span token)
{
    struct node *node = find_node(index, hash);
    if (!node) {
        node = make_node(index, hash);
        note_child(node_of(index, parent), token, true);
    }
    return node;
}

/* The stamp that a change of this subscription moves. */
static _Atomic uint32_t *stamp_of(struct subjects *index, const struct sub *sub)
{
    struct span subject = sub_subject(sub), first;
    size_t at = 0;
    if (subject_is_literal(subject))
        return &index->literal_stamps[hash_bytes(index->key, subject) % STAMPS];
    subject_next_token(subject, &at, &first);
    if (is_star(first) || is_rest(first))
        return &index->wildcard_stamp;
    return &index->first_token_stamps[hash_bytes(index->key, first) % STAMPS];
}

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void link_first(struct sub **first, struct sub *sub)
{
    sub->prev = NULL;
    sub->next = *first;
    if (*first)
        (*first)->prev = sub;
    *first = sub;
}

static void unlink_sub(struct node *node, struct sub *sub)
{
    if (sub->next)
        sub->next->prev = sub->prev;
    if (sub->prev) {
        sub->prev->next = sub->next;
        return;
    }
    *subs_of(node) = sub->next;
    node->has_guest = false; /* which is always the first */
}

static void link_guest(struct node *leaf, struct sub *sub)
{
    link_first(&leaf->subs, sub);
    leaf->has_guest = true;
}

/* A subscription whose subject ends here. */
static void link_end(struct node *node, struct sub *sub)
{
    if (!node->has_guest) {
        link_first(subs_of(node), sub);
        return;
    }
    link_first(&node->subs->next, sub);
    sub->prev = node->subs;
}

/* `at` is where the path of the subscription goes on: it rests at the node, or ends there. */
static void link_to_leaf(struct node *leaf, struct sub *sub, size_t at)
{
    struct span token;
    if (subject_next_token(sub_subject(sub), &at, &token))
        link_guest(leaf, sub);
    else
        link_end(leaf, sub);
}

/* Makes a leaf an inner node; its guest goes one token further, which begins at `at`. */
static void open_leaf(struct subjects *index, struct node *leaf, size_t at)
{
    struct sub *guest = leaf->subs;
    struct inner *inner = mem_zero(sizeof *inner);
    struct span token;
    uint64_t parent = leaf->hash;
    unlink_sub(leaf, guest);
    inner->subs = leaf->subs;
    leaf->inner = inner;
    leaf->is_inner = true;

    bool goes_on = subject_next_token(sub_subject(guest), &at, &token);
    assert(goes_on);
    (void)goes_on;
    link_to_leaf(get_or_make_child(index, parent, child_hash(index, parent, token), token), guest,
                 at);
}

static void insert(struct subjects *index, struct sub *sub)
{
    struct span token;
    size_t at = 0;
    for (uint64_t hash = 0; subject_next_token(sub_subject(sub), &at, &token);) {
        uint64_t parent = hash;
        hash = child_hash(index, parent, token);
        struct node *node = get_or_make_child(index, parent, hash, token);
        bool is_end = at > sub->subject_len;
        if (is_end || (!node->is_inner && !node->has_guest)) {
            link_to_leaf(node, sub, at);
            return;
        }
        if (!node->is_inner)
            open_leaf(index, node, at);
    }
}

void subjects_add(struct subjects *index, struct sub *sub)
{
    _Atomic uint32_t *stamp = stamp_of(index, sub);
    pthread_rwlock_wrlock(&index->lock);
    insert(index, sub);
    atomic_fetch_add_explicit(stamp, 1, memory_order_release);
    pthread_rwlock_unlock(&index->lock);
    count(&index->subscriptions, 1);
    count(&index->inserts, 1);
}

static void free_inner_without_children(struct node *node)
{
    if (!node->is_inner || node->inner->children)
        return;
    struct inner *inner = node->inner;
    node->is_inner = false;
    node->subs = inner->subs;
    free(inner);
}

/* Removes the node at the end of `path` and then its ancestors, as long as they serve nobody. */
static void prune(struct subjects *index, const uint64_t *path, const struct span *tokens,
                  size_t depth)
{
    while (depth > 0) {
        struct node *node = find_node(index, path[depth]);
        free_inner_without_children(node);
        if (node->is_inner || node->subs)
            return;
        drop_node(index, node);
        depth--;
        note_child(node_of(index, path[depth]), tokens[depth], false);
    }
}

/* Finds the node where the subscription is, from the root down, noting the path; returns its depth. */
static size_t find_place(struct subjects *index, const struct sub *sub, uint64_t *path,
                         struct span *tokens)
{
    size_t depth = 0;
    path[0] = 0;
    for (size_t at = 0; subject_next_token(sub_subject(sub), &at, &tokens[depth]);) {
        path[depth + 1] = child_hash(index, path[depth], tokens[depth]);
        depth++;
        if (!find_node(index, path[depth])->is_inner)
            break; /* it ends or rests here */
    }
    return depth;
}

void subjects_remove(struct subjects *index, struct sub *sub)
{
    size_t most = subject_token_count(sub_subject(sub));
    uint64_t path_space[33];
    struct span token_space[33];
    bool is_deep = most > 32;
    uint64_t *path = is_deep ? mem_alloc((most + 1) * sizeof *path) : path_space;
    struct span *tokens = is_deep ? mem_alloc((most + 1) * sizeof *tokens) : token_space;
    _Atomic uint32_t *stamp = stamp_of(index, sub);

    pthread_rwlock_wrlock(&index->lock);
    size_t depth = find_place(index, sub, path, tokens);
    unlink_sub(find_node(index, path[depth]), sub);
    prune(index, path, tokens, depth);
    atomic_fetch_add_explicit(stamp, 1, memory_order_release);
    pthread_rwlock_unlock(&index->lock);
    count(&index->subscriptions, (uint64_t)-1);
    count(&index->removes, 1);
    if (is_deep) {
        free(path);
        free(tokens);
    }
}

void subjects_each(struct subjects *index, unsigned worker,
                   void (*each)(void *ctx, struct sub *sub), void *ctx)
{
    pthread_rwlock_rdlock(&index->lock);
    for (size_t i = 0; i < index->node_cap; i++)
        for (struct sub *sub = first_sub(&index->nodes[i]); sub; sub = sub->next)
            if (sub->worker == worker)
                each(ctx, sub);
    pthread_rwlock_unlock(&index->lock);
}

/* ---- matching ------------------------------------------------------------------------------------ */

static void collect(struct found *found, struct sub *sub)
{
    if (!subject_matches(sub_subject(sub), found->subject))
        return;
    if (sub->queue_len)
        found_push(&found->queued, sub);
    else if (sub->worker == found->worker)
        found_push(&found->plain, sub);
    else
        found->remote |= 1ULL << sub->worker;
}

static void collect_all(struct found *found, const struct node *node)
{
    for (struct sub *sub = first_sub(node); sub; sub = sub->next)
        collect(found, sub);
}

static void walk(struct found *found, const struct node *node, uint64_t hash, size_t at);

static void walk_child(struct found *found, uint64_t hash, size_t at)
{
    const struct node *child = find_node(found->index, hash);
    if (child)
        walk(found, child, hash, at);
}

/* Walks one level: `at` is where the next token of the subject begins. */
static void walk(struct found *found, const struct node *node, uint64_t hash, size_t at)
{
    const struct subjects *index = found->index;
    struct span token;
    if (!subject_next_token(found->subject, &at, &token)) {
        collect_all(found, node);
        return;
    }
    if (!node->is_inner) {
        if (node->has_guest)
            collect(found, node->subs);
        return;
    }
    if (node->inner->has_rest)
        collect_all(found, find_node(index, child_hash(index, hash, span_of(">"))));
    if (node->inner->has_star)
        walk_child(found, child_hash(index, hash, span_of("*")), at);
    if (!is_star(token) && !is_rest(token))
        walk_child(found, child_hash(index, hash, token), at);
}

static uint32_t stamp(const _Atomic uint32_t *moving)
{
    return atomic_load_explicit(moving, memory_order_acquire);
}

static void note_fanout(struct subjects *index, uint64_t fanout)
{
    count(&index->matches, 1);
    count(&index->total_fanout, fanout);
    uint64_t max = atomic_load_explicit(&index->max_fanout, memory_order_relaxed);
    while (fanout > max &&
           !atomic_compare_exchange_weak_explicit(&index->max_fanout, &max, fanout,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

struct match *subjects_match(struct subjects *index, struct span subject, uint64_t hash,
                             unsigned worker, struct match *reuse)
{
    struct found found = { .index = index, .subject = subject, .worker = worker };
    struct span first = { .len = 0 };
    size_t at = 0;
    subject_next_token(subject, &at, &first);
    uint16_t slot = (uint16_t)(hash_bytes(index->key, first) % STAMPS);
    uint32_t literal = stamp(&index->literal_stamps[hash % STAMPS]);
    uint32_t first_token = stamp(&index->first_token_stamps[slot]);
    uint32_t wildcard = stamp(&index->wildcard_stamp);

    pthread_rwlock_rdlock(&index->lock);
    if (subject.len && subject_token_count(subject) <= DEPTH_MAX)
        walk(&found, &index->root, 0, 0);
    struct match *match = match_build(&found, reuse);
    pthread_rwlock_unlock(&index->lock);

    note_fanout(index, found.plain.count + match->group_count);
    match->hash = hash;
    match->literal_stamp = literal;
    match->first_token_stamp = first_token;
    match->first_token_slot = slot;
    match->wildcard_stamp = wildcard;
    found_free(&found);
    return match;
}

bool subjects_is_fresh(const struct subjects *index, const struct match *match)
{
    return stamp(&index->literal_stamps[match->hash % STAMPS]) == match->literal_stamp &&
           stamp(&index->first_token_stamps[match->first_token_slot]) == match->first_token_stamp &&
           stamp(&index->wildcard_stamp) == match->wildcard_stamp;
}

struct subjects_stats subjects_stats(const struct subjects *index)
{
    struct subjects_stats stats = {
        .subscriptions = atomic_load_explicit(&index->subscriptions, memory_order_relaxed),
        .inserts = atomic_load_explicit(&index->inserts, memory_order_relaxed),
        .removes = atomic_load_explicit(&index->removes, memory_order_relaxed),
        .matches = atomic_load_explicit(&index->matches, memory_order_relaxed),
        .cache_hits = atomic_load_explicit(&index->cache_hits, memory_order_relaxed),
        .max_fanout = atomic_load_explicit(&index->max_fanout, memory_order_relaxed),
        .total_fanout = atomic_load_explicit(&index->total_fanout, memory_order_relaxed),
    };
    return stats;
}

void subjects_count_hits(struct subjects *index, uint64_t hits)
{
    count(&index->cache_hits, hits);
}
