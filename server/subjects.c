/* subjects.c - the hashed trie behind subjects.h. */
#include "subjects.h"

#include "base/mem.h"
#include "parser/subject.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define STAMPS         4096 /* slots that a literal subscription can move */
#define NODES_AT_FIRST 64
#define DEPTH_MAX      4096 /* tokens of a subject: a control line holds no more by default */

/* A node stands for a path of tokens. A slot with hash 0 is empty. */
struct node {
    uint64_t hash;
    struct sub *plain, *queued;
    uint32_t children;
    bool has_star, has_rest; /* is there a child `*`, a child `>`? */
};

struct subjects {
    const struct hash_key *key;
    /* Guards nodes and the links of all subscriptions. Nothing is called while it is held but this
     * file's own functions. */
    pthread_rwlock_t lock;
    struct node *nodes;
    size_t node_count, node_cap; /* cap is a power of two */
    struct node root;
    /* A writer moves these while it holds the lock; a reader loads them before it takes the lock, so a
     * match never carries a stamp that is newer than what it saw. */
    _Atomic uint32_t wildcard_stamp;
    _Atomic uint32_t literal_stamps[STAMPS];
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

struct subjects *subjects_new(const struct hash_key *key)
{
    struct subjects *index = mem_zero(sizeof *index);
    index->key = key;
    pthread_rwlock_init(&index->lock, NULL);
    index->node_cap = NODES_AT_FIRST;
    index->nodes = mem_zero(index->node_cap * sizeof *index->nodes);
    return index;
}

void subjects_free(struct subjects *index)
{
    if (!index)
        return;
    pthread_rwlock_destroy(&index->lock);
    free(index->nodes);
    free(index);
}

/* ---- the table of nodes ---------------------------------------------------------------------- */

static uint64_t child_hash(const struct subjects *index, uint64_t parent, struct span token)
{
    uint64_t h = hash_fold(parent ^ hash_bytes(index->key, token), index->key->k1);
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
static struct node *get_or_make_node(struct subjects *index, uint64_t hash, bool *is_new)
{
    struct node *node = find_node(index, hash);
    *is_new = !node;
    if (node)
        return node;
    if ((index->node_count + 1) * 4 > index->node_cap * 3)
        resize_table(index, index->node_cap * 2);
    node = free_slot(index->nodes, index->node_cap, hash);
    node->hash = hash;
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
    parent->children += exists ? 1 : (uint32_t)-1;
    if (is_star(token))
        parent->has_star = exists;
    else if (is_rest(token))
        parent->has_rest = exists;
}

static void move_stamp(struct subjects *index, const struct sub *sub)
{
    if (subject_is_literal(sub_subject(sub))) {
        uint64_t hash = hash_bytes(index->key, sub_subject(sub));
        atomic_fetch_add_explicit(&index->literal_stamps[hash % STAMPS], 1, memory_order_release);
    } else {
        atomic_fetch_add_explicit(&index->wildcard_stamp, 1, memory_order_release);
    }
}

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void link_sub(struct node *node, struct sub *sub)
{
    struct sub **first = sub->queue_len ? &node->queued : &node->plain;
    sub->prev = NULL;
    sub->next = *first;
    if (*first)
        (*first)->prev = sub;
    *first = sub;
}

static void unlink_sub(struct node *node, struct sub *sub)
{
    struct sub **first = sub->queue_len ? &node->queued : &node->plain;
    if (sub->prev)
        sub->prev->next = sub->next;
    else
        *first = sub->next;
    if (sub->next)
        sub->next->prev = sub->prev;
}

void subjects_add(struct subjects *index, struct sub *sub)
{
    pthread_rwlock_wrlock(&index->lock);
    uint64_t hash = 0;
    struct node *node = &index->root;
    struct span token;
    for (size_t at = 0; subject_next_token(sub_subject(sub), &at, &token);) {
        uint64_t parent = hash;
        bool is_new;
        hash = child_hash(index, parent, token);
        node = get_or_make_node(index, hash, &is_new);
        if (is_new)
            note_child(node_of(index, parent), token, true);
    }
    link_sub(node, sub);
    move_stamp(index, sub);
    pthread_rwlock_unlock(&index->lock);
    count(&index->subscriptions, 1);
    count(&index->inserts, 1);
}

/* Removes the node at the end of `path` and then its ancestors, as long as they serve nobody. */
static void prune(struct subjects *index, const uint64_t *path, const struct span *tokens,
                  size_t depth)
{
    while (depth > 0) {
        struct node *node = find_node(index, path[depth]);
        if (node->plain || node->queued || node->children)
            return;
        drop_node(index, node);
        depth--;
        note_child(node_of(index, path[depth]), tokens[depth], false);
    }
}

void subjects_remove(struct subjects *index, struct sub *sub)
{
    size_t depth = subject_token_count(sub_subject(sub));
    uint64_t path_space[33];
    struct span token_space[33];
    bool is_deep = depth > 32;
    uint64_t *path = is_deep ? mem_alloc((depth + 1) * sizeof *path) : path_space;
    struct span *tokens = is_deep ? mem_alloc((depth + 1) * sizeof *tokens) : token_space;

    path[0] = 0;
    size_t i = 0;
    for (size_t at = 0; subject_next_token(sub_subject(sub), &at, &tokens[i]); i++)
        path[i + 1] = child_hash(index, path[i], tokens[i]);

    pthread_rwlock_wrlock(&index->lock);
    unlink_sub(find_node(index, path[depth]), sub);
    prune(index, path, tokens, depth);
    move_stamp(index, sub);
    pthread_rwlock_unlock(&index->lock);
    count(&index->subscriptions, (uint64_t)-1);
    count(&index->removes, 1);
    if (is_deep) {
        free(path);
        free(tokens);
    }
}

static void each_of(struct sub *sub, unsigned worker, void (*each)(void *ctx, struct sub *sub),
                    void *ctx)
{
    for (; sub; sub = sub->next)
        if (sub->worker == worker)
            each(ctx, sub);
}

void subjects_each(struct subjects *index, unsigned worker,
                   void (*each)(void *ctx, struct sub *sub), void *ctx)
{
    pthread_rwlock_rdlock(&index->lock);
    for (size_t i = 0; i < index->node_cap; i++) {
        each_of(index->nodes[i].plain, worker, each, ctx);
        each_of(index->nodes[i].queued, worker, each, ctx);
    }
    pthread_rwlock_unlock(&index->lock);
}

/* ---- matching ------------------------------------------------------------------------------------ */

/* What a walk collects before it becomes a match. */
struct found {
    const struct subjects *index;
    struct span subject;
    unsigned worker;
    uint64_t remote;
    struct sub **plain; /* this worker's */
    size_t plain_count, plain_cap;
    struct sub **queued; /* everybody's */
    size_t queued_count, queued_cap;
};

static void push_sub(struct sub ***subs, size_t *count_, size_t *cap, struct sub *sub)
{
    if (*count_ == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        *subs = mem_resize_array(*subs, *cap, sizeof **subs);
    }
    (*subs)[(*count_)++] = sub;
}

static void collect(struct found *found, const struct node *node)
{
    for (struct sub *sub = node->plain; sub; sub = sub->next) {
        if (!subject_matches(sub_subject(sub), found->subject))
            continue;
        if (sub->worker == found->worker)
            push_sub(&found->plain, &found->plain_count, &found->plain_cap, sub);
        else
            found->remote |= 1ULL << sub->worker;
    }
    for (struct sub *sub = node->queued; sub; sub = sub->next)
        if (subject_matches(sub_subject(sub), found->subject))
            push_sub(&found->queued, &found->queued_count, &found->queued_cap, sub);
}

static void collect_child(struct found *found, uint64_t parent, const char *token)
{
    const struct node *node =
        find_node(found->index, child_hash(found->index, parent, span_of(token)));
    if (node)
        collect(found, node);
}

/* Walks one level: `at` is where the next token of the subject begins. */
static void walk(struct found *found, const struct node *node, uint64_t hash, size_t at)
{
    const struct subjects *index = found->index;
    struct span token;
    if (!subject_next_token(found->subject, &at, &token)) {
        collect(found, node);
        return;
    }
    if (node->has_rest)
        collect_child(found, hash, ">");
    if (node->has_star) {
        uint64_t star = child_hash(index, hash, span_of("*"));
        const struct node *child = find_node(index, star);
        if (child)
            walk(found, child, star, at);
    }
    if (node->children && !is_star(token) && !is_rest(token)) {
        uint64_t literal = child_hash(index, hash, token);
        const struct node *child = find_node(index, literal);
        if (child)
            walk(found, child, literal, at);
    }
}

static int compare_spans(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_sid(const void *a, const void *b)
{
    return compare_spans(sub_sid(*(struct sub *const *)a), sub_sid(*(struct sub *const *)b));
}

static int by_queue(const void *a, const void *b)
{
    const struct sub *left = *(struct sub *const *)a, *right = *(struct sub *const *)b;
    int order = compare_spans(sub_queue(left), sub_queue(right));
    return order ? order : left->worker - right->worker;
}

static int by_conn(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)(*(struct sub *const *)a)->conn;
    uintptr_t right = (uintptr_t)(*(struct sub *const *)b)->conn;
    return (left > right) - (left < right);
}

/* Does each of this worker's connections appear once at most? */
static bool is_simple(const struct found *found)
{
    struct sub **all = NULL;
    size_t total = 0, cap = 0;
    if (found->plain_count + found->queued_count < 2)
        return true;
    for (size_t i = 0; i < found->plain_count; i++)
        push_sub(&all, &total, &cap, found->plain[i]);
    for (size_t i = 0; i < found->queued_count; i++)
        if (found->queued[i]->worker == found->worker)
            push_sub(&all, &total, &cap, found->queued[i]);
    if (total > 1)
        qsort(all, total, sizeof *all, by_conn);
    bool simple = true;
    for (size_t i = 1; i < total && simple; i++)
        simple = all[i - 1]->conn != all[i]->conn;
    free(all);
    return simple;
}

static size_t count_groups(const struct found *found, size_t *shares, size_t *queue_bytes)
{
    size_t groups = 0;
    *shares = *queue_bytes = 0;
    for (size_t i = 0; i < found->queued_count; i++) {
        const struct sub *sub = found->queued[i], *before = i ? found->queued[i - 1] : NULL;
        bool new_group = !before || !span_equal(sub_queue(before), sub_queue(sub));
        groups += new_group;
        *queue_bytes += new_group ? sub->queue_len : 0;
        *shares += new_group || before->worker != sub->worker;
    }
    return groups;
}

/* Lays the groups out behind the match; `queued` is sorted by queue and worker. */
static void fill_groups(const struct found *found, struct match *match, struct sub **members,
                        struct match_share *share, uint8_t *text)
{
    struct match_group *group = NULL;
    for (size_t i = 0; i < found->queued_count; i++) {
        struct sub *sub = found->queued[i];
        if (!group || !span_equal(group->queue, sub_queue(sub))) {
            group = &match->groups[match->group_count++];
            memcpy(text, sub_queue(sub).ptr, sub->queue_len);
            *group = (struct match_group){ .queue = span_make(text, sub->queue_len),
                                           .members = members,
                                           .remote = share };
            text += sub->queue_len;
        }
        group->total++;
        if (sub->worker == found->worker) {
            *members++ = sub;
            group->member_count++;
        } else if (group->remote_count && share[-1].worker == sub->worker) {
            share[-1].members++;
        } else {
            *share++ = (struct match_share){ .worker = sub->worker, .members = 1 };
            group->remote_count++;
        }
    }
}

/* One allocation: match, groups, shares, plain and queue members, subject and queue names. */
static struct match *build(struct found *found)
{
    if (found->queued_count > 1)
        qsort(found->queued, found->queued_count, sizeof *found->queued, by_queue);
    if (found->plain_count > 1)
        qsort(found->plain, found->plain_count, sizeof *found->plain, by_sid);

    size_t shares, queue_bytes;
    size_t groups = count_groups(found, &shares, &queue_bytes);
    size_t pointers = found->plain_count + found->queued_count;
    size_t size = sizeof(struct match) + groups * sizeof(struct match_group) +
                  pointers * sizeof(void *) + shares * sizeof(struct match_share) +
                  found->subject.len + queue_bytes;
    struct match *match = mem_alloc(size);
    struct match_group *group = (struct match_group *)(match + 1);
    struct sub **subs = (struct sub **)(group + groups);
    struct match_share *share = (struct match_share *)(subs + pointers);
    uint8_t *text = (uint8_t *)(share + shares);

    *match = (struct match){ .size = size,
                             .index = found->index,
                             .remote = found->remote,
                             .plain = subs,
                             .plain_count = (uint32_t)found->plain_count,
                             .groups = group,
                             .is_simple = is_simple(found) };
    if (found->plain_count)
        memcpy(subs, found->plain, found->plain_count * sizeof *subs);
    if (found->subject.len)
        memcpy(text, found->subject.ptr, found->subject.len);
    match->subject = span_make(text, found->subject.len);
    fill_groups(found, match, subs + found->plain_count, share, text + found->subject.len);
    return match;
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
                             unsigned worker)
{
    struct found found = { .index = index, .subject = subject, .worker = worker };
    uint32_t literal =
        atomic_load_explicit(&index->literal_stamps[hash % STAMPS], memory_order_acquire);
    uint32_t wildcard = atomic_load_explicit(&index->wildcard_stamp, memory_order_acquire);

    pthread_rwlock_rdlock(&index->lock);
    if (subject.len && subject_token_count(subject) <= DEPTH_MAX)
        walk(&found, &index->root, 0, 0);
    struct match *match = build(&found); /* reads other workers' subscriptions: still locked */
    pthread_rwlock_unlock(&index->lock);

    note_fanout(index, found.plain_count + match->group_count);
    match->hash = hash;
    match->literal_stamp = literal;
    match->wildcard_stamp = wildcard;
    free(found.plain);
    free(found.queued);
    return match;
}

bool subjects_is_fresh(const struct subjects *index, const struct match *match)
{
    return atomic_load_explicit(&index->literal_stamps[match->hash % STAMPS],
                                memory_order_acquire) == match->literal_stamp &&
           atomic_load_explicit(&index->wildcard_stamp, memory_order_acquire) ==
               match->wildcard_stamp;
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
