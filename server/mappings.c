/* mappings.c - see mappings.h. */
#include "mappings.h"

#include "base/rand.h"
#include "parser/subject.h"
#include "parser/transform.h"

const struct mapping_options *mappings_find(const struct account_options *account,
                                            struct span subject)
{
    for (size_t i = 0; i < account->mapping_count; i++)
        if (subject_matches(span_of(account->mappings[i].source), subject))
            return &account->mappings[i];
    return NULL;
}

bool mapping_apply(const struct mapping_options *mapping, struct span subject, struct buf *out)
{
    unsigned left = mapping->is_certain ? 0 : rand_below(100);
    buf_clear(out);
    for (size_t i = 0; i < mapping->target_count; i++) {
        const struct mapping_target *target = &mapping->targets[i];
        if (left < target->weight)
            return transform_apply(target->transform, subject, out);
        left -= target->weight;
    }
    if (mapping->loses_rest)
        return false;
    buf_append(out, subject.ptr, subject.len);
    return true;
}
