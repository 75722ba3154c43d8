/* test_listing.c - pages of what the cache holds. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

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

static void put(struct ocsp_cache *cache, unsigned n, enum ocsp_status status)
{
    char subject[32];
    snprintf(subject, sizeof subject, "CN=%u", n);
    struct ocsp_put put = {
        .key = key_of(n),
        .issuer = ISSUER,
        .subject = subject,
        .answer = {.status = status,
                   .this_update_ns = NOW + n,
                   .next_update_ns = NOW + 1000 + n,
                   .has_next_update = n % 2 == 0},
        .der = span_of("der")
    };
    cr_assert(ocsp_cache_put(cache, &put));
}

/* Of every three entries the first is good, the second revoked, the third unknown. */
static struct ocsp_cache *make(unsigned count)
{
    struct ocsp_cache *cache =
        ocsp_cache_new(&(struct ocsp_cache_settings){ .type = OCSP_CACHE_LOCAL });
    for (unsigned n = 0; n < count; n++)
        put(cache, n, (enum ocsp_status)(n % 3));
    return cache;
}

static unsigned number_of(const struct ocsp_entry *entry)
{
    unsigned n;
    memcpy(&n, entry->fingerprint, sizeof n);
    return n;
}

static struct ocsp_entries list(struct ocsp_cache *cache, const struct ocsp_listing *listing)
{
    struct ocsp_entries entries;
    ocsp_cache_list(cache, listing, &entries);
    return entries;
}

Test(listing, tells_all_about_an_entry)
{
    clock_test_set(0, NOW);
    struct ocsp_cache *cache = make(3);
    struct ocsp_digest keys[] = { key_of(0), key_of(1), key_of(7) };
    struct ocsp_hit hit;
    for (int i = 0; i < 5; i++)
        ocsp_cache_get(cache, &keys[1], &ISSUER, &hit);
    ocsp_cache_peek(cache, &keys[1], &ISSUER, &hit);
    put(cache, 1, OCSP_STATUS_REVOKED); /* a newer answer: the certificate is the same */

    struct ocsp_entries found =
        list(cache, &(struct ocsp_listing){ .fingerprint = keys[1].bytes, .limit = 10 });
    cr_assert_eq(found.count, 1);
    cr_expect_eq(found.total, 1);
    const struct ocsp_entry *entry = &found.items[0];
    cr_expect_eq(number_of(entry), 1);
    cr_expect_str_eq(entry->subject, "CN=1");
    cr_expect_eq(entry->status, OCSP_STATUS_REVOKED);
    cr_expect(entry->is_verified);
    cr_expect_eq(entry->this_update_ns, NOW + 1);
    cr_expect_eq(entry->next_update_ns, 0, "it has none");
    cr_expect_eq(entry->cached_at_ns, NOW);
    cr_expect_eq(entry->hits, 5);
    ocsp_entries_free(&found);

    found = list(cache, &(struct ocsp_listing){ .fingerprint = keys[0].bytes, .limit = 10 });
    cr_expect_eq(found.items[0].next_update_ns, NOW + 1000);
    ocsp_entries_free(&found);
    found = list(cache, &(struct ocsp_listing){ .fingerprint = keys[2].bytes, .limit = 10 });
    cr_expect_eq(found.count, 0);
    cr_expect_eq(found.total, 0);
    ocsp_entries_free(&found);
    ocsp_cache_release(cache);
}

Test(listing, one_certificate_obeys_the_rest_of_the_listing)
{
    struct ocsp_cache *cache = make(3);
    struct ocsp_digest key = key_of(0);
    struct ocsp_listing listing = { .fingerprint = key.bytes, .by_status = true, .limit = 1 };
    struct ocsp_entries found = list(cache, &listing);
    cr_expect_eq(found.count, 1);
    ocsp_entries_free(&found);
    listing.offset = 1;
    found = list(cache, &listing);
    cr_expect_eq(found.count, 0);
    cr_expect_eq(found.total, 1);
    ocsp_entries_free(&found);
    listing.status = OCSP_STATUS_REVOKED;
    found = list(cache, &listing);
    cr_expect_eq(found.total, 0);
    ocsp_entries_free(&found);
    ocsp_cache_release(cache);
}

enum { MANY = 3 * 1000 };

/* Page after page: every entry that fits is there once. */
static void expect_all(struct ocsp_cache *cache, struct ocsp_listing listing, size_t total)
{
    bool seen[MANY] = { false };
    size_t count = 0;
    for (struct ocsp_entries page; (page = list(cache, &listing)).count > 0;
         listing.offset += listing.limit) {
        cr_expect_eq(page.total, total);
        cr_expect_leq(page.count, listing.limit);
        for (size_t i = 0; i < page.count; i++) {
            unsigned n = number_of(&page.items[i]);
            cr_assert_not(seen[n]);
            cr_expect(!listing.by_status || page.items[i].status == listing.status);
            seen[n] = true;
        }
        count += page.count;
        ocsp_entries_free(&page);
    }
    cr_expect_eq(count, total);
}

Test(listing, pages_hold_every_entry_once)
{
    struct ocsp_cache *cache = make(MANY);
    static const size_t LIMITS[] = { 7, OCSP_WALK_STEP, 1000, 10000 };
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        size_t limit = LIMITS[i];
        expect_all(cache, (struct ocsp_listing){ .limit = limit }, MANY);
        for (int status = 0; status < 3; status++)
            expect_all(cache,
                       (struct ocsp_listing){
                           .limit = limit, .by_status = true, .status = (enum ocsp_status)status },
                       MANY / 3);
    }
    struct ocsp_entries beyond =
        list(cache, &(struct ocsp_listing){ .offset = SIZE_MAX / 2, .limit = SIZE_MAX / 2 });
    cr_expect_eq(beyond.count, 0);
    cr_expect_eq(beyond.total, MANY);
    ocsp_entries_free(&beyond);
    ocsp_cache_release(cache);
}

Test(listing, the_cache_is_locked_for_a_few_entries_at_a_time)
{
    struct ocsp_cache *cache = make(MANY);
    struct ocsp_listing listing = { .limit = MANY };
    struct ocsp_walk walk = { .listing = &listing };
    struct ocsp_entries found = { 0 };
    for (size_t steps = 1; !walk.is_over; steps++) {
        ocsp_cache_walk(cache, &walk, &found);
        cr_expect_leq(found.count, steps * OCSP_WALK_STEP);
    }
    cr_expect_eq(found.count, MANY);
    ocsp_entries_free(&found);

    listing = (struct ocsp_listing){ .by_status = true, .limit = MANY };
    walk = (struct ocsp_walk){ .listing = &listing, .skip = MANY }; /* nothing is copied */
    ocsp_cache_walk(cache, &walk, &found);
    cr_expect_eq(walk.at, OCSP_WALK_STEP, "nor is more looked at");
    ocsp_entries_free(&found);
    ocsp_cache_release(cache);
}

Test(listing, no_cache_has_no_entries)
{
    struct ocsp_cache *none =
        ocsp_cache_new(&(struct ocsp_cache_settings){ .type = OCSP_CACHE_NONE });
    struct ocsp_entries found = list(none, &(struct ocsp_listing){ .limit = 10 });
    cr_expect_eq(found.count, 0);
    ocsp_entries_free(&found);
    found = list(NULL, &(struct ocsp_listing){ .limit = 10 });
    cr_expect_eq(found.count, 0);
    ocsp_entries_free(&found);
    ocsp_cache_release(none);
}

struct churn {
    struct ocsp_cache *cache;
    atomic_bool is_over;
};

static void *replace(void *ctx)
{
    struct churn *churn = ctx;
    for (unsigned n = 0; !atomic_load(&churn->is_over); n = (n + 1) % MANY)
        put(churn->cache, n, (enum ocsp_status)(n % 3));
    return NULL;
}

Test(listing, entries_may_come_and_go_meanwhile)
{
    pthread_t thread;
    struct churn churn = { .cache = make(MANY) };
    pthread_create(&thread, NULL, replace, &churn);
    for (int i = 0; i < 50; i++) {
        struct ocsp_entries all = list(churn.cache, &(struct ocsp_listing){ .limit = 10000 });
        cr_expect_leq(all.count, MANY);
        for (size_t k = 0; k < all.count; k++)
            cr_assert_lt(number_of(&all.items[k]), MANY);
        ocsp_entries_free(&all);
    }
    atomic_store(&churn.is_over, true);
    pthread_join(thread, NULL);
    ocsp_cache_release(churn.cache);
}
