/* test_cache.c - entries, counters, evidence, bounds. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cache.h"

#define NOW (1000000 * NS_PER_S)

static const struct ocsp_digest ISSUER = { { 1 } };

static struct ocsp_digest key_of(unsigned n)
{
    struct ocsp_digest key = { { 0 } };
    memcpy(key.bytes, &n, sizeof n);
    return key;
}

/* An answer of that age whose nextUpdate is a minute after its thisUpdate. */
static bool put(struct ocsp_cache *cache, unsigned n, enum ocsp_status status, int64_t this_ns)
{
    struct ocsp_put put = {
        .key = key_of(n),
        .issuer = ISSUER,
        .subject = "CN=x",
        .answer = {.status = status,
                   .this_update_ns = this_ns,
                   .next_update_ns = this_ns + 60 * NS_PER_S,
                   .has_next_update = true},
        .der = span_of("der")
    };
    return ocsp_cache_put(cache, &put);
}

static bool get(struct ocsp_cache *cache, unsigned n, struct ocsp_hit *hit)
{
    struct ocsp_digest key = key_of(n);
    return ocsp_cache_get(cache, &key, &ISSUER, hit);
}

static void drop(struct ocsp_cache *cache, unsigned n, const struct ocsp_hit *hit, bool expired)
{
    struct ocsp_digest key = key_of(n);
    ocsp_cache_drop(cache, &key, hit->version, expired);
}

static struct ocsp_cache *make(enum ocsp_cache_type type, bool preserve, size_t max)
{
    return ocsp_cache_new(&(struct ocsp_cache_settings){
        .type = type, .preserve_revoked = preserve, .max_entries = max });
}

static void expect_stats(struct ocsp_cache *cache, const char *expected)
{
    char text[128];
    struct ocsp_stats s = ocsp_cache_stats(cache);
    snprintf(text, sizeof text, "hits %lu misses %lu size %lu good %lu revoked %lu unknown %lu",
             (unsigned long)s.hits, (unsigned long)s.misses, (unsigned long)s.responses,
             (unsigned long)s.good, (unsigned long)s.revoked, (unsigned long)s.unknown);
    cr_expect_str_eq(text, expected);
}

Test(cache, counts_hits_misses_and_kinds)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    cr_expect_not(get(cache, 1, &hit));
    cr_expect(put(cache, 1, OCSP_STATUS_GOOD, NOW));
    cr_expect(put(cache, 2, OCSP_STATUS_REVOKED, NOW));
    cr_expect(put(cache, 3, OCSP_STATUS_UNKNOWN, NOW));
    cr_expect(get(cache, 1, &hit));
    cr_expect_eq(hit.answer.status, OCSP_STATUS_GOOD);
    cr_expect_eq(hit.answer.this_update_ns, NOW);
    cr_expect_eq(hit.der.len, 0, "the same issuer: nothing to verify again");
    expect_stats(cache, "hits 1 misses 1 size 3 good 1 revoked 1 unknown 1");
    ocsp_cache_release(cache);
}

Test(cache, a_new_answer_replaces_the_old_one_and_its_gauge)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    cr_expect(put(cache, 1, OCSP_STATUS_REVOKED, NOW - 1), "only revocations are defended");
    expect_stats(cache, "hits 0 misses 0 size 1 good 0 revoked 1 unknown 0");
    cr_expect(put(cache, 1, OCSP_STATUS_GOOD, NOW));
    expect_stats(cache, "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    cr_expect(get(cache, 1, &hit));
    cr_expect_eq(hit.answer.status, OCSP_STATUS_GOOD);
    ocsp_cache_release(cache);
}

Test(cache, an_older_answer_does_not_undo_a_revocation)
{
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW);
    cr_expect_not(put(cache, 1, OCSP_STATUS_GOOD, NOW - 1));
    expect_stats(cache, "hits 0 misses 0 size 1 good 0 revoked 1 unknown 0");
    cr_expect(put(cache, 1, OCSP_STATUS_GOOD, NOW));
    ocsp_cache_release(cache);
}

Test(cache, dropping_makes_the_hit_a_miss)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    cr_assert(get(cache, 1, &hit));
    drop(cache, 1, &hit, true);
    expect_stats(cache, "hits 0 misses 1 size 0 good 0 revoked 0 unknown 0");
    cr_expect_not(get(cache, 1, &hit));
    ocsp_cache_release(cache);
}

Test(cache, an_expired_revocation_stays_as_evidence)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW);
    cr_assert(get(cache, 1, &hit));
    drop(cache, 1, &hit, true);
    expect_stats(cache, "hits 0 misses 1 size 1 good 0 revoked 1 unknown 0");
    cr_assert(get(cache, 1, &hit));
    drop(cache, 1, &hit, false); /* invalid, not expired: no evidence */
    expect_stats(cache, "hits 0 misses 2 size 0 good 0 revoked 0 unknown 0");
    ocsp_cache_release(cache);
}

Test(cache, preserve_revoked_keeps_every_revocation)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, true, 0);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW);
    cr_assert(get(cache, 1, &hit));
    drop(cache, 1, &hit, false);
    expect_stats(cache, "hits 0 misses 1 size 1 good 0 revoked 1 unknown 0");
    ocsp_cache_release(cache);
}

Test(cache, an_entry_replaced_meanwhile_is_not_dropped)
{
    struct ocsp_hit old;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    cr_assert(get(cache, 1, &old));
    put(cache, 1, OCSP_STATUS_GOOD, NOW + 1);
    drop(cache, 1, &old, true);
    expect_stats(cache, "hits 0 misses 1 size 1 good 1 revoked 0 unknown 0");
    ocsp_cache_release(cache);
}

Test(cache, another_issuer_gets_the_bytes_to_verify_them_again)
{
    struct ocsp_hit hit;
    struct ocsp_digest key = key_of(1), other = { { 2 } };
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    cr_assert(ocsp_cache_peek(cache, &key, &other, &hit));
    cr_expect(span_is(buf_span(&hit.der), "der"));
    buf_free(&hit.der);
    expect_stats(cache, "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    ocsp_cache_release(cache);
}

Test(cache, none_keeps_and_counts_nothing)
{
    struct ocsp_hit hit = { 0 };
    struct ocsp_digest key = key_of(1);
    struct ocsp_cache *cache = make(OCSP_CACHE_NONE, true, 0);
    cr_expect(put(cache, 1, OCSP_STATUS_GOOD, NOW));
    cr_expect_not(get(cache, 1, &hit));
    cr_expect_not(ocsp_cache_peek(cache, &key, &ISSUER, &hit));
    drop(cache, 1, &hit, true);
    expect_stats(cache, "hits 0 misses 0 size 0 good 0 revoked 0 unknown 0");
    cr_expect_eq(ocsp_cache_stats(cache).type, OCSP_CACHE_NONE);
    ocsp_cache_release(cache);
}

Test(cache, when_full_the_longest_expired_goes_and_revocations_last)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 4);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW - 900);
    put(cache, 2, OCSP_STATUS_GOOD, NOW - 10);
    put(cache, 3, OCSP_STATUS_GOOD, NOW - 500);
    put(cache, 4, OCSP_STATUS_UNKNOWN, NOW - 300);
    put(cache, 5, OCSP_STATUS_GOOD, NOW);
    cr_expect_not(get(cache, 3, &hit));
    put(cache, 6, OCSP_STATUS_REVOKED, NOW);
    put(cache, 7, OCSP_STATUS_REVOKED, NOW);
    put(cache, 8, OCSP_STATUS_REVOKED, NOW);
    expect_stats(cache, "hits 0 misses 1 size 4 good 0 revoked 4 unknown 0");
    put(cache, 9, OCSP_STATUS_GOOD, NOW);
    cr_expect_not(get(cache, 1, &hit), "the oldest revocation gives way at last");
    ocsp_cache_release(cache);
}

Test(cache, preserved_revocations_are_never_pushed_out)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, true, 2);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW);
    put(cache, 2, OCSP_STATUS_REVOKED, NOW);
    cr_expect(put(cache, 3, OCSP_STATUS_GOOD, NOW), "not a replay, merely not kept");
    cr_expect_not(get(cache, 3, &hit));
    cr_expect(get(cache, 1, &hit));
    ocsp_cache_release(cache);
}

/* Eviction order against a plain model: whatever was put and dropped, the smallest goes. */
Test(cache, many_entries_leave_in_the_order_of_their_expiry)
{
    enum { COUNT = 500, ROOM = 100 };
    struct ocsp_hit hit;
    bool present[COUNT] = { false };
    int population = 0;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, ROOM);
    for (unsigned n = 0; n < COUNT; n++) {
        unsigned smallest = n;
        for (unsigned i = 0; i < n; i++)
            if (present[i] && (smallest == n || i * 7919 % COUNT < smallest * 7919 % COUNT))
                smallest = i;
        if (population == ROOM) {
            present[smallest] = false;
            population--;
        }
        put(cache, n, OCSP_STATUS_GOOD, NOW + (int64_t)(n * 7919 % COUNT) * NS_PER_S);
        present[n] = true;
        population++;
        unsigned dropped = n / 2;
        if (n % 3 == 0 && present[dropped] && get(cache, dropped, &hit)) {
            drop(cache, dropped, &hit, true);
            present[dropped] = false;
            population--;
        }
    }
    for (unsigned n = 0; n < COUNT; n++)
        cr_expect_eq(get(cache, n, &hit), present[n], "%u", n);
    ocsp_cache_release(cache);
}

static void *hammer(void *ctx)
{
    struct ocsp_hit hit;
    for (unsigned round = 0; round < 2000; round++) {
        unsigned n = round % 50;
        if (!get(ctx, n, &hit))
            put(ctx, n, round % 3 ? OCSP_STATUS_GOOD : OCSP_STATUS_REVOKED, NOW + round);
        else if (round % 7 == 0)
            drop(ctx, n, &hit, false);
    }
    return NULL;
}

Test(cache, counters_stay_true_with_four_threads)
{
    pthread_t threads[4];
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 40);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hammer, cache);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct ocsp_stats stats = ocsp_cache_stats(cache);
    cr_expect_eq(stats.hits + stats.misses, 4 * 2000);
    cr_expect_eq(stats.good + stats.revoked + stats.unknown, stats.responses);
    cr_expect_leq(stats.responses, 40);
    ocsp_cache_release(cache);
}

/* ---- out of a cache and into another ------------------------------------------------------------ */

/* As a file says it. */
static void restore(struct ocsp_cache *cache, unsigned n, enum ocsp_status status, int64_t this_ns)
{
    struct ocsp_digest key = key_of(n);
    struct ocsp_snapshot snapshot = { .items = calloc(1, sizeof *snapshot.items), .count = 1 };
    snapshot.items[0].record = ocsp_record_new(&key, "CN=x", span_of("der"));
    snapshot.items[0].is_verified = true; /* nobody believes that */
    snapshot.items[0].issuer = ISSUER;
    snapshot.items[0].answer = (struct ocsp_answer){ .status = status,
                                                     .this_update_ns = this_ns,
                                                     .next_update_ns = this_ns + 60 * NS_PER_S,
                                                     .has_next_update = true };
    ocsp_cache_restore(cache, &snapshot);
}

static void save(struct ocsp_cache *cache)
{
    struct ocsp_snapshot snapshot;
    ocsp_cache_snapshot(cache, &snapshot);
    ocsp_cache_mark_saved(cache, &snapshot);
    ocsp_snapshot_free(&snapshot);
}

Test(cache, what_came_from_a_file_is_verified_on_its_first_use)
{
    struct ocsp_hit hit;
    struct ocsp_digest key = key_of(1);
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    restore(cache, 1, OCSP_STATUS_GOOD, NOW);
    expect_stats(cache, "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    cr_expect_not(ocsp_cache_is_dirty(cache), "it is what the file says");
    cr_assert(get(cache, 1, &hit));
    cr_expect_not(hit.is_verified);
    cr_expect(span_is(buf_span(&hit.der), "der"));
    buf_free(&hit.der);

    ocsp_cache_confirm(cache, &key, hit.version + 1, &ISSUER, &hit.answer); /* another entry */
    cr_assert(get(cache, 1, &hit));
    cr_expect_not(hit.is_verified);
    buf_free(&hit.der);
    ocsp_cache_confirm(cache, &key, hit.version, &ISSUER, &hit.answer);
    cr_assert(get(cache, 1, &hit));
    cr_expect(hit.is_verified);
    cr_expect_eq(hit.der.len, 0);
    cr_expect_not(ocsp_cache_is_dirty(cache));
    ocsp_cache_release(cache);
}

Test(cache, a_verified_answer_corrects_what_the_file_said)
{
    struct ocsp_hit hit;
    struct ocsp_digest key = key_of(2);
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 2);
    restore(cache, 1, OCSP_STATUS_GOOD, NOW);
    restore(cache, 2, OCSP_STATUS_GOOD, NOW - 1);
    cr_assert(get(cache, 2, &hit));
    buf_free(&hit.der);
    hit.answer.status = OCSP_STATUS_REVOKED;
    ocsp_cache_confirm(cache, &key, hit.version, &ISSUER, &hit.answer);
    expect_stats(cache, "hits 1 misses 0 size 2 good 1 revoked 1 unknown 0");
    cr_expect(ocsp_cache_is_dirty(cache));
    put(cache, 3, OCSP_STATUS_GOOD, NOW);
    cr_expect(get(cache, 2, &hit), "as a revocation it stays");
    cr_expect_not(get(cache, 1, &hit));
    ocsp_cache_release(cache);
}

Test(cache, what_nobody_verified_does_not_keep_out_an_answer)
{
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, true, 0);
    restore(cache, 1, OCSP_STATUS_REVOKED, NOW);
    cr_expect(put(cache, 1, OCSP_STATUS_GOOD, NOW - 1));
    expect_stats(cache, "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    ocsp_cache_release(cache);
}

Test(cache, knows_what_its_file_does_not_have)
{
    struct ocsp_hit hit;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, true, 0);
    cr_expect_not(ocsp_cache_is_dirty(cache));
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    put(cache, 2, OCSP_STATUS_REVOKED, NOW);
    cr_expect(ocsp_cache_is_dirty(cache));
    save(cache);
    cr_expect_not(ocsp_cache_is_dirty(cache));
    get(cache, 2, &hit);
    drop(cache, 2, &hit, true);
    cr_expect_not(ocsp_cache_is_dirty(cache), "preserved");
    get(cache, 1, &hit);
    drop(cache, 1, &hit, true);
    cr_expect(ocsp_cache_is_dirty(cache));

    struct ocsp_snapshot snapshot;
    cr_expect(ocsp_cache_snapshot(cache, &snapshot));
    cr_expect_eq(snapshot.count, 1);
    put(cache, 3, OCSP_STATUS_GOOD, NOW);
    ocsp_cache_mark_saved(cache, &snapshot);
    cr_expect(ocsp_cache_is_dirty(cache), "of the third the snapshot did not know");
    ocsp_snapshot_free(&snapshot);
    save(cache);
    ocsp_cache_mark_dirty(cache);
    cr_expect(ocsp_cache_is_dirty(cache));
    ocsp_cache_release(cache);
}

Test(cache, a_snapshot_outlives_what_it_shows)
{
    struct ocsp_snapshot snapshot;
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(cache, 1, OCSP_STATUS_REVOKED, NOW);
    ocsp_cache_snapshot(cache, &snapshot);
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    ocsp_cache_release(cache);
    cr_assert_eq(snapshot.count, 1);
    cr_expect_eq(snapshot.items[0].answer.status, OCSP_STATUS_REVOKED);
    cr_expect(span_is(buf_span(&snapshot.items[0].record->der), "der"));
    ocsp_snapshot_free(&snapshot);
}

Test(cache, inherits_what_was_put_in_later)
{
    struct ocsp_hit hit;
    struct ocsp_cache *old = make(OCSP_CACHE_LOCAL, false, 0);
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    put(old, 1, OCSP_STATUS_GOOD, NOW);
    uint64_t seen = ocsp_cache_inherit(cache, old, 0);
    expect_stats(cache, "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    put(old, 2, OCSP_STATUS_GOOD, NOW);
    put(old, 3, OCSP_STATUS_REVOKED, NOW);
    restore(cache, 3, OCSP_STATUS_GOOD, NOW);
    get(cache, 1, &hit);
    drop(cache, 1, &hit, true);
    cr_expect_eq(ocsp_cache_inherit(cache, old, seen), seen + 2);
    expect_stats(cache, "hits 0 misses 1 size 2 good 1 revoked 1 unknown 0");
    cr_expect(get(cache, 2, &hit) && hit.is_verified, "as verified as it was");
    cr_expect(get(cache, 3, &hit) && hit.answer.status == OCSP_STATUS_REVOKED);
    cr_expect(ocsp_cache_is_dirty(cache));
    cr_expect_eq(ocsp_cache_inherit(cache, NULL, 7), 7);
    cr_expect_eq(ocsp_cache_inherit(NULL, old, 7), 7);
    ocsp_cache_release(cache);
    ocsp_cache_release(old);
}

Test(cache, the_sweep_takes_what_expired_a_day_ago)
{
    struct ocsp_hit hit;
    const int64_t day_ns = 24 * 3600 * NS_PER_S, ttl_ns = 3600 * NS_PER_S;
    struct ocsp_cache *cache =
        ocsp_cache_new(&(struct ocsp_cache_settings){ .type = OCSP_CACHE_LOCAL, .ttl_ns = ttl_ns });
    struct ocsp_put endless = { .key = key_of(4), .subject = "", .answer.this_update_ns = NOW };
    put(cache, 1, OCSP_STATUS_GOOD, NOW);
    put(cache, 2, OCSP_STATUS_REVOKED, NOW);
    put(cache, 3, OCSP_STATUS_UNKNOWN, NOW + NS_PER_S);
    ocsp_cache_put(cache, &endless);
    save(cache);
    ocsp_cache_sweep(cache, NOW + 60 * NS_PER_S + day_ns);
    cr_expect_not(ocsp_cache_is_dirty(cache), "not yet");
    ocsp_cache_sweep(cache, NOW + 60 * NS_PER_S + day_ns + 1);
    cr_expect_not(get(cache, 1, &hit));
    cr_expect(ocsp_cache_is_dirty(cache));
    ocsp_cache_sweep(cache, NOW + ttl_ns + day_ns);
    cr_expect(get(cache, 4, &hit), "it lives as long as a listener may use it");
    ocsp_cache_sweep(cache, NOW + ttl_ns + day_ns + 1);
    expect_stats(cache, "hits 1 misses 1 size 1 good 0 revoked 1 unknown 0");
    ocsp_cache_sweep(NULL, NOW);
    ocsp_cache_release(cache);
}

/* ---- in steps: who locks the cache for long holds up handshakes ----------------------------------------------- */

Test(cache, the_sweep_goes_in_steps)
{
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    const int64_t later = NOW + 2 * 24 * 3600 * NS_PER_S;
    for (unsigned n = 0; n < OCSP_SWEEP_STEP + 10; n++)
        put(cache, n, OCSP_STATUS_GOOD, NOW);
    put(cache, 1000, OCSP_STATUS_REVOKED, NOW);
    put(cache, 1001, OCSP_STATUS_GOOD, later);
    cr_expect(ocsp_cache_sweep(cache, later), "there is more");
    cr_expect_eq(ocsp_cache_stats(cache).responses, 12);
    cr_expect_not(ocsp_cache_sweep(cache, later));
    cr_expect_eq(ocsp_cache_stats(cache).responses, 2);
    ocsp_cache_release(cache);
}

/* How often the snapshot has the entry, and what its last version says. */
static size_t find(const struct ocsp_snapshot *snapshot, unsigned n, enum ocsp_status *status)
{
    struct ocsp_digest key = key_of(n);
    size_t count = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct ocsp_saved *saved = &snapshot->items[i];
        if (memcmp(&saved->record->key, &key, sizeof key) != 0)
            continue;
        count++;
        if (saved->version > last)
            *status = saved->answer.status;
        last = saved->version;
    }
    return count;
}

static void forget(struct ocsp_cache *cache, unsigned n)
{
    struct ocsp_hit hit;
    cr_assert(get(cache, n, &hit));
    drop(cache, n, &hit, false);
}

Test(cache, a_snapshot_goes_in_steps_and_misses_nothing)
{
    enum { ALL = 3 * OCSP_WALK_STEP };
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    struct ocsp_snapshot snapshot;
    enum ocsp_status status = OCSP_STATUS_UNKNOWN;
    for (unsigned n = 0; n < ALL; n++)
        put(cache, n, OCSP_STATUS_GOOD, NOW);
    ocsp_snapshot_begin(&snapshot, cache, 0);
    cr_expect(ocsp_snapshot_step(&snapshot, cache));
    cr_expect_eq(snapshot.count, OCSP_WALK_STEP);

    for (unsigned n = OCSP_WALK_STEP; n < OCSP_WALK_STEP + 3; n++)
        forget(cache, n);                          /* those that come next */
    put(cache, 0, OCSP_STATUS_REVOKED, NOW);       /* was there */
    put(cache, ALL - 1, OCSP_STATUS_REVOKED, NOW); /* was to come */
    put(cache, ALL, OCSP_STATUS_REVOKED, NOW);     /* is new */
    while (ocsp_snapshot_step(&snapshot, cache))
        ;
    cr_expect_eq(find(&snapshot, 0, &status), 2);
    cr_expect_eq(status, OCSP_STATUS_REVOKED);
    cr_expect_eq(find(&snapshot, ALL - 1, &status), 1);
    cr_expect_eq(status, OCSP_STATUS_REVOKED);
    cr_expect_eq(find(&snapshot, ALL, &status), 1);
    for (unsigned n = 1; n < ALL; n++) {
        bool is_gone = n >= OCSP_WALK_STEP && n < OCSP_WALK_STEP + 3;
        cr_assert_eq(find(&snapshot, n, &status), is_gone ? 0 : 1, "%u", n);
    }
    ocsp_cache_mark_saved(cache, &snapshot);
    cr_expect(ocsp_cache_is_dirty(cache), "it changed meanwhile");
    ocsp_snapshot_free(&snapshot);
    ocsp_cache_release(cache);
}

Test(cache, several_may_walk_over_it_at_one_time)
{
    struct ocsp_cache *cache = make(OCSP_CACHE_LOCAL, false, 0);
    struct ocsp_snapshot all, later, none;
    for (unsigned n = 0; n < 2 * OCSP_WALK_STEP; n++)
        put(cache, n, OCSP_STATUS_GOOD, NOW);
    ocsp_snapshot_begin(&all, cache, 0);
    ocsp_snapshot_begin(&later, cache, 2 * OCSP_WALK_STEP - 5);
    ocsp_snapshot_begin(&none, cache, 2 * OCSP_WALK_STEP);
    cr_expect(ocsp_snapshot_step(&all, cache));
    cr_expect_not(ocsp_snapshot_step(&later, cache));
    cr_expect_not(ocsp_snapshot_step(&none, cache));
    cr_expect_not(ocsp_snapshot_step(&all, cache));
    cr_expect_eq(all.count, 2 * OCSP_WALK_STEP);
    cr_expect_eq(later.count, 5);
    cr_expect_eq(none.count, 0);
    ocsp_snapshot_free(&all);
    ocsp_snapshot_free(&later);
    ocsp_snapshot_free(&none);
    ocsp_cache_release(cache);
}
