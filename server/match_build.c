/* match_build.c - see match_build.h. */
#include "match_build.h"

#include "base/mem.h"

#include <stdlib.h>

void found_push(struct found_subs *subs, struct sub *sub)
{
    if (subs->count == FOUND_FEW && !subs->many) {
        subs->many = mem_resize_array(NULL, FOUND_FEW * 4, sizeof *subs->many);
        memcpy(subs->many, subs->few, sizeof subs->few);
        subs->cap = FOUND_FEW * 4;
    } else if (subs->many && subs->count == subs->cap) {
        subs->cap *= 2;
        subs->many = mem_resize_array(subs->many, subs->cap, sizeof *subs->many);
    }
    (subs->many ? subs->many : subs->few)[subs->count++] = sub;
}

static struct sub **items_of(struct found_subs *subs)
{
    return subs->many ? subs->many : subs->few;
}

void found_free(struct found *found)
{
    free(found->plain.many);
    free(found->queued.many);
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
static bool is_simple(struct found *found)
{
    struct found_subs all = { .count = 0 };
    if (found->plain.count + found->queued.count < 2)
        return true;
    for (size_t i = 0; i < found->plain.count; i++)
        found_push(&all, items_of(&found->plain)[i]);
    for (size_t i = 0; i < found->queued.count; i++)
        if (items_of(&found->queued)[i]->worker == found->worker)
            found_push(&all, items_of(&found->queued)[i]);
    struct sub **subs = items_of(&all);
    if (all.count > 1)
        qsort(subs, all.count, sizeof *subs, by_conn);
    bool simple = true;
    for (size_t i = 1; i < all.count && simple; i++)
        simple = subs[i - 1]->conn != subs[i]->conn;
    free(all.many);
    return simple;
}

/* `queued` is sorted by queue and worker. */
static size_t count_groups(struct sub *const *queued, size_t count, size_t *shares,
                           size_t *queue_bytes)
{
    size_t groups = 0;
    *shares = *queue_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sub *sub = queued[i], *before = i ? queued[i - 1] : NULL;
        bool new_group = !before || !span_equal(sub_queue(before), sub_queue(sub));
        groups += new_group;
        *queue_bytes += new_group ? sub->queue_len : 0;
        *shares += new_group || before->worker != sub->worker;
    }
    return groups;
}

/* Lays the groups out behind the match. */
static void fill_groups(struct found *found, struct match *match, struct match_share *share,
                        uint8_t *text)
{
    struct sub **members = match->plain + match->plain_count;
    struct match_group *group = NULL;
    for (size_t i = 0; i < found->queued.count; i++) {
        struct sub *sub = items_of(&found->queued)[i];
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

static struct match *room_for(struct match *reuse, size_t size)
{
    if (reuse && reuse->size >= size)
        return reuse;
    free(reuse);
    struct match *match = mem_alloc(size);
    match->size = size;
    return match;
}

struct match *match_build(struct found *found, struct match *reuse)
{
    size_t plain_count = found->plain.count, queued_count = found->queued.count;
    struct sub **plain = items_of(&found->plain), **queued = items_of(&found->queued);
    if (queued_count > 1)
        qsort(queued, queued_count, sizeof *queued, by_queue);
    if (plain_count > 1)
        qsort(plain, plain_count, sizeof *plain, by_sid);

    /* one allocation: match, groups, plain and queue members, shares, subject and queue names */
    size_t shares, queue_bytes;
    size_t groups = count_groups(queued, queued_count, &shares, &queue_bytes);
    size_t pointers = plain_count + queued_count;
    size_t size = sizeof(struct match) + groups * sizeof(struct match_group) +
                  pointers * sizeof(void *) + shares * sizeof(struct match_share) +
                  found->subject.len + queue_bytes;
    struct match *match = room_for(reuse, size);
    struct match_group *group = (struct match_group *)(match + 1);
    struct sub **subs = (struct sub **)(group + groups);
    struct match_share *share = (struct match_share *)(subs + pointers);
    uint8_t *text = (uint8_t *)(share + shares);

    *match = (struct match){ .size = match->size,
                             .index = found->index,
                             .remote = found->remote,
                             .plain = subs,
                             .plain_count = (uint32_t)plain_count,
                             .groups = group,
                             .is_simple = is_simple(found) };
    memcpy(subs, plain, plain_count * sizeof *subs);
    if (found->subject.len)
        memcpy(text, found->subject.ptr, found->subject.len);
    match->subject = span_make(text, found->subject.len);
    fill_groups(found, match, share, text + found->subject.len);
    return match;
}
