/* permissions.c - what a user may publish and subscribe to: four sets of subjects, one per list.
 *
 * A publisher asks often, so that question costs one hash look-up for the literal entries and one
 * walk over the entries with wildcards, most of which a glance at their literal beginning rules out:
 *
 *     orders.eu.*.new      prefix "orders.eu.", compared with memcmp; then "*.new" is matched
 *
 * Entries with a queue name are kept apart, because they never speak about publishing. */
#include "permissions.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "parser/subject.h"

#include <stdatomic.h>
#include <stdlib.h>

struct entry {
    size_t subject_len, queue_len; /* queue_len 0 = about no queue in particular */
    size_t prefix_len;             /* bytes before the first wildcard token */
    uint8_t text[];                /* the subject, then the queue */
};

struct entries {
    struct entry **items;
    size_t count;
};

struct subject_set {
    struct map literals; /* subject -> entry */
    struct entries wildcards, queues;
};

struct permissions {
    atomic_size_t refs;
    struct subject_set sets[4]; /* by enum permission_list */
    bool has_response_limits;
    int64_t response_max, response_expires_ns;
};

static struct span entry_subject(const struct entry *entry)
{
    return span_make(entry->text, entry->subject_len);
}

static struct span entry_queue(const struct entry *entry)
{
    return span_make(entry->text + entry->subject_len, entry->queue_len);
}

static bool entry_equal(const struct entry *a, const struct entry *b)
{
    return span_equal(entry_subject(a), entry_subject(b)) &&
           span_equal(entry_queue(a), entry_queue(b));
}

static struct span skip(struct span text, size_t len)
{
    return span_make(text.ptr + len, text.len - len);
}

/* A queue's name may contain wildcards itself, hence both rules. Source: nats-server. */
static bool entry_fits_queue(const struct entry *entry, struct span queue)
{
    struct span pattern = entry_queue(entry);

    return span_equal(pattern, queue) ||
           (!subject_is_literal(pattern) && subject_is_subset(queue, pattern));
}

/* As subject_matches(). The prefix holds whole tokens and is compared in one go. */
static bool wildcard_matches(const struct entry *entry, struct span subject)
{
    size_t prefix_len = entry->prefix_len;

    if (subject.len <= prefix_len || memcmp(subject.ptr, entry->text, prefix_len) != 0)
        return false;
    return subject_matches(skip(entry_subject(entry), prefix_len), skip(subject, prefix_len));
}

static bool set_is_empty(const struct subject_set *set)
{
    return set->literals.count == 0 && set->wildcards.count == 0 && set->queues.count == 0;
}

/* Does an entry without queue match? Wildcards in the subject are ordinary tokens. */
static bool set_matches(const struct subject_set *set, struct span subject)
{
    if (map_get(&set->literals, subject))
        return true;
    for (size_t i = 0; i < set->wildcards.count; i++) {
        if (wildcard_matches(set->wildcards.items[i], subject))
            return true;
    }
    return false;
}

/* The same for entries with a queue; an empty queue fits none of them. */
static bool set_matches_queue(const struct subject_set *set, struct span subject, struct span queue)
{
    if (queue.len == 0)
        return false;
    for (size_t i = 0; i < set->queues.count; i++) {
        const struct entry *entry = set->queues.items[i];
        if (subject_matches(entry_subject(entry), subject) && entry_fits_queue(entry, queue))
            return true;
    }
    return false;
}

/* Does all that the pattern `subject` matches lie inside one entry without queue? */
static bool set_covers(const struct subject_set *set, struct span subject)
{
    if (map_get(&set->literals, subject))
        return true;
    for (size_t i = 0; i < set->wildcards.count; i++) {
        if (subject_is_subset(subject, entry_subject(set->wildcards.items[i])))
            return true;
    }
    return false;
}

enum queue_verdict {
    QUEUE_UNNAMED, /* no entry with a queue speaks about this subject */
    QUEUE_LISTED,
    QUEUE_MISSING /* some do, and none names this queue */
};

static enum queue_verdict set_covers_queue(const struct subject_set *set, struct span subject,
                                           struct span queue)
{
    enum queue_verdict verdict = QUEUE_UNNAMED;

    for (size_t i = 0; i < set->queues.count; i++) {
        const struct entry *entry = set->queues.items[i];
        if (!subject_is_subset(subject, entry_subject(entry)))
            continue;
        if (entry_fits_queue(entry, queue))
            return QUEUE_LISTED;
        verdict = QUEUE_MISSING;
    }
    return verdict;
}

static bool literals_overlap(const struct map *literals, struct span subject)
{
    const struct entry *entry;
    size_t at = 0;

    if (subject_is_literal(subject))
        return map_get(literals, subject) != NULL;
    while ((entry = map_next(literals, &at))) {
        if (subject_matches(subject, entry_subject(entry)))
            return true;
    }
    return false;
}

/* Is there a subject that both the pattern and an entry about this queue, or about none, match? */
static bool set_overlaps(const struct subject_set *set, struct span subject, struct span queue)
{
    if (literals_overlap(&set->literals, subject))
        return true;
    for (size_t i = 0; i < set->wildcards.count; i++) {
        if (subject_overlaps(subject, entry_subject(set->wildcards.items[i])))
            return true;
    }
    for (size_t i = 0; queue.len > 0 && i < set->queues.count; i++) {
        const struct entry *entry = set->queues.items[i];
        if (subject_overlaps(subject, entry_subject(entry)) && entry_fits_queue(entry, queue))
            return true;
    }
    return false;
}

static bool entries_contain(const struct entries *entries, const struct entry *entry)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (entry_equal(entries->items[i], entry))
            return true;
    }
    return false;
}

/* Every entry is kept once, so equal sizes and one direction are enough. */
static bool entries_equal(const struct entries *a, const struct entries *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!entries_contain(b, a->items[i]))
            return false;
    }
    return true;
}

static bool set_equal(const struct subject_set *a, const struct subject_set *b)
{
    const struct entry *entry;
    size_t at = 0;

    if (a->literals.count != b->literals.count)
        return false;
    while ((entry = map_next(&a->literals, &at))) {
        if (!map_get(&b->literals, entry_subject(entry)))
            return false;
    }
    return entries_equal(&a->wildcards, &b->wildcards) && entries_equal(&a->queues, &b->queues);
}

static void entries_free(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i]);
    free(entries->items);
}

static void set_free(struct subject_set *set)
{
    struct entry *entry;
    size_t at = 0;

    while ((entry = map_next(&set->literals, &at)))
        free(entry);
    map_free(&set->literals);
    entries_free(&set->wildcards);
    entries_free(&set->queues);
}

static size_t literal_prefix_len(struct span subject)
{
    struct span token;
    size_t at = 0, len = 0;

    while (subject_next_token(subject, &at, &token) && subject_is_literal(token))
        len = at;
    return len < subject.len ? len : subject.len;
}

static struct entry *entry_new(struct span subject, struct span queue)
{
    struct entry *entry = mem_zero(sizeof *entry + subject.len + queue.len);

    entry->subject_len = subject.len;
    entry->queue_len = queue.len;
    entry->prefix_len = literal_prefix_len(subject);
    memcpy(entry->text, subject.ptr, subject.len);
    if (queue.len > 0)
        memcpy(entry->text + subject.len, queue.ptr, queue.len);
    return entry;
}

/* Takes the entry. */
static void entries_add(struct entries *entries, struct entry *entry)
{
    if (entries_contain(entries, entry)) {
        free(entry);
        return;
    }
    entries->items = mem_resize_array(entries->items, entries->count + 1, sizeof *entries->items);
    entries->items[entries->count++] = entry;
}

static void set_add(struct subject_set *set, struct span subject, struct span queue)
{
    struct entry *entry = entry_new(subject, queue);

    if (queue.len > 0)
        entries_add(&set->queues, entry);
    else if (!subject_is_literal(subject))
        entries_add(&set->wildcards, entry);
    else
        free(map_put(&set->literals, entry_subject(entry), entry));
}

static bool refuse(struct error *err, const char *what, struct span text)
{
    struct buf quoted = { 0 };

    text_quote(&quoted, text);
    error_set(err, "%s %s is not a valid %s", what, buf_str(&quoted), what);
    buf_free(&quoted);
    return false;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next word off the front of `text`; empty when there is none. */
static struct span take_word(struct span *text)
{
    size_t begin = 0, end;

    while (begin < text->len && is_blank(text->ptr[begin]))
        begin++;
    end = begin;
    while (end < text->len && !is_blank(text->ptr[end]))
        end++;
    struct span word = span_make(text->ptr + begin, end - begin);
    *text = skip(*text, end);
    return word;
}

static void each_of(const struct entries *entries,
                    void (*each)(void *ctx, struct span subject, struct span queue), void *ctx)
{
    for (size_t i = 0; i < entries->count; i++)
        each(ctx, entry_subject(entries->items[i]), entry_queue(entries->items[i]));
}

void permissions_each(const struct permissions *permissions, enum permission_list list,
                      void (*each)(void *ctx, struct span subject, struct span queue), void *ctx)
{
    const struct subject_set *set = &permissions->sets[list];
    const struct entry *entry;
    for (size_t at = 0; (entry = map_next(&set->literals, &at)) != NULL;)
        each(ctx, entry_subject(entry), (struct span){ 0 });
    each_of(&set->wildcards, each, ctx);
    each_of(&set->queues, each, ctx);
}

struct permissions *permissions_new(void)
{
    struct permissions *permissions = mem_zero(sizeof *permissions);

    atomic_init(&permissions->refs, 1);
    return permissions;
}

bool permissions_add(struct permissions *permissions, enum permission_list list, struct span entry,
                     struct error *err)
{
    struct span subject = entry, queue = { 0 };

    if (entry.len > 0 && (list == SUB_ALLOW || list == SUB_DENY)) {
        struct span rest = entry;
        subject = take_word(&rest);
        queue = take_word(&rest);
        if (subject.len == 0 || take_word(&rest).len > 0)
            return refuse(err, "subject", entry);
    }
    if (!subject_is_valid_config(subject))
        return refuse(err, "subject", subject);
    if (queue.len > 0 && !subject_is_valid_config(queue))
        return refuse(err, "queue", queue);
    set_add(&permissions->sets[list], subject, queue);
    return true;
}

void permissions_allow_responses(struct permissions *permissions, int64_t max, int64_t expires_ns)
{
    permissions->has_response_limits = true;
    permissions->response_max = max;
    permissions->response_expires_ns = expires_ns;
}

struct permissions *permissions_retain(struct permissions *permissions)
{
    /* relaxed: whoever retains holds a reference already */
    atomic_fetch_add_explicit(&permissions->refs, 1, memory_order_relaxed);
    return permissions;
}

void permissions_release(struct permissions *permissions)
{
    /* acq_rel: pairs with itself, so that the last one sees the others' reads finished */
    if (!permissions || atomic_fetch_sub_explicit(&permissions->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < sizeof permissions->sets / sizeof *permissions->sets; i++)
        set_free(&permissions->sets[i]);
    free(permissions);
}

bool permissions_equal(const struct permissions *a, const struct permissions *b)
{
    if (!a || !b)
        return a == b;
    for (size_t i = 0; i < sizeof a->sets / sizeof *a->sets; i++) {
        if (!set_equal(&a->sets[i], &b->sets[i]))
            return false;
    }
    return a->has_response_limits == b->has_response_limits && a->response_max == b->response_max &&
           a->response_expires_ns == b->response_expires_ns;
}

bool permissions_may_publish(const struct permissions *permissions, struct span subject)
{
    if (!permissions)
        return true;
    const struct subject_set *allow = &permissions->sets[PUB_ALLOW];
    bool allowed =
        set_is_empty(allow) ? !permissions->has_response_limits : set_matches(allow, subject);
    return allowed && !set_matches(&permissions->sets[PUB_DENY], subject);
}

static bool subscribe_is_allowed(const struct subject_set *allow, struct span subject,
                                 struct span queue)
{
    if (set_is_empty(allow))
        return true;
    if (queue.len > 0) {
        enum queue_verdict verdict = set_covers_queue(allow, subject, queue);
        if (verdict != QUEUE_UNNAMED)
            return verdict == QUEUE_LISTED;
    }
    return set_covers(allow, subject);
}

bool permissions_may_subscribe(const struct permissions *permissions, struct span subject,
                               struct span queue)
{
    return !permissions || (subscribe_is_allowed(&permissions->sets[SUB_ALLOW], subject, queue) &&
                            permissions_may_deliver(permissions, subject, queue));
}

bool permissions_needs_filter(const struct permissions *permissions, struct span subject,
                              struct span queue)
{
    return permissions && set_overlaps(&permissions->sets[SUB_DENY], subject, queue);
}

bool permissions_may_deliver(const struct permissions *permissions, struct span subject,
                             struct span queue)
{
    if (!permissions)
        return true;
    const struct subject_set *deny = &permissions->sets[SUB_DENY];
    return !set_matches(deny, subject) && !set_matches_queue(deny, subject, queue);
}

bool permissions_response_limits(const struct permissions *permissions, int64_t *max,
                                 int64_t *expires_ns)
{
    if (!permissions || !permissions->has_response_limits)
        return false;
    *max = permissions->response_max;
    *expires_ns = permissions->response_expires_ns;
    return true;
}
