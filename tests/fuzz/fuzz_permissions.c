/* fuzz_permissions.c - lines "pa ENTRY", "pd ENTRY", "sa ENTRY", "sd ENTRY" build permissions; every
 * other line is a subject that is asked about, with the line before it as the queue. The answers are
 * compared with what they mean to each other, and publishing with a plain walk over the entries. */
#include "permissions.h"

#include "parser/subject.h"

#include <stdlib.h>

enum { MAX_LINES = 64 };

struct world {
    struct permissions *permissions, *twin;
    struct span allow[MAX_LINES], deny[MAX_LINES]; /* the accepted publish entries */
    size_t allow_count, deny_count;
};

static bool list_of(struct span line, enum permission_list *list)
{
    static const char NAMES[] = "pa pd sa sd ";

    for (int i = 0; line.len >= 3 && i < 4; i++) {
        *list = (enum permission_list)i;
        if (memcmp(line.ptr, NAMES + (size_t)i * 3, 3) == 0)
            return true;
    }
    return false;
}

static void add_entry(struct world *world, enum permission_list list, struct span entry)
{
    struct error err;
    bool ok = permissions_add(world->permissions, list, entry, &err);

    if (permissions_add(world->twin, list, entry, NULL) != ok || (!ok && !err.text[0]))
        abort();
    if (ok && list == PUB_ALLOW)
        world->allow[world->allow_count++] = entry;
    if (ok && list == PUB_DENY)
        world->deny[world->deny_count++] = entry;
}

static bool any_matches(const struct span *entries, size_t count, struct span subject)
{
    for (size_t i = 0; i < count; i++) {
        if (subject_matches(entries[i], subject))
            return true;
    }
    return false;
}

static void ask(const struct world *world, struct span subject, struct span queue)
{
    const struct permissions *permissions = world->permissions;
    bool want =
        (world->allow_count == 0 || any_matches(world->allow, world->allow_count, subject)) &&
        !any_matches(world->deny, world->deny_count, subject);
    bool may = permissions_may_subscribe(permissions, subject, queue);
    bool filter = permissions_needs_filter(permissions, subject, queue);
    bool deliver = permissions_may_deliver(permissions, subject, queue);

    if (permissions_may_publish(permissions, subject) != want)
        abort();
    if (may && !deliver) /* the denial that refuses a subscription also stops its messages */
        abort();
    if (subject_is_valid_publish(subject) && deliver == filter)
        abort();
}

static void take_line(struct world *world, struct span line, struct span *before)
{
    enum permission_list list;

    if (list_of(line, &list))
        add_entry(world, list, span_make(line.ptr + 3, line.len - 3));
    else
        ask(world, line, *before);
    *before = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = { .permissions = permissions_new(), .twin = permissions_new() };
    struct span before = { 0 };
    size_t at = 0;

    for (int lines = 0; lines < MAX_LINES && at < size; lines++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        take_line(&world, span_make(data + at, len), &before);
        at += len + 1;
    }
    if (!permissions_equal(world.permissions, world.twin))
        abort();
    permissions_release(world.permissions);
    permissions_release(world.twin);
    return 0;
}
