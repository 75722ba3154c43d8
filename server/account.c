/* account.c - see account.h. */
#include "account.h"

#include "base/mem.h"

#include "options_schema.h"

#include <stdlib.h>

static struct account *account_new(const char *name, unsigned index, const struct hash_key *key)
{
    struct account *account = mem_zero(sizeof *account);
    account->name = mem_strdup(name);
    account->index = index;
    account->subjects = subjects_new(key);
    return account;
}

static void account_free(struct account *account)
{
    for (size_t i = 0; i <= MAX_WORKERS; i++)
        free(atomic_load_explicit(&account->traffic[i], memory_order_relaxed));
    subjects_free(account->subjects);
    free(account->name);
    free(account);
}

struct account *accounts_find(const struct accounts *accounts, struct span name)
{
    return map_get(&accounts->by_name, name);
}

struct account *accounts_get(struct accounts *accounts, const char *name)
{
    struct account *account = accounts_find(accounts, span_of(name));
    if (account)
        return account;
    account = account_new(name, accounts->count, accounts->key);
    accounts->items =
        mem_resize_array(accounts->items, accounts->count + 1, sizeof *accounts->items);
    accounts->items[accounts->count++] = account;
    map_put(&accounts->by_name, span_of(account->name), account);
    return account;
}

void accounts_tie(struct accounts *accounts, struct options *options)
{
    for (unsigned i = 0; i < accounts->count; i++)
        accounts->items[i]->is_configured = false;
    for (size_t i = 0; i < options->account_count; i++) {
        struct account_options *configured = options->accounts[i];
        if (!configured->account)
            configured->account = accounts_get(accounts, configured->name);
        configured->account->is_configured = true;
    }
    options->index_count = accounts->count;
    options->accounts_by_index =
        options_alloc(options, accounts->count * sizeof *options->accounts_by_index);
    for (size_t i = 0; i < options->account_count; i++)
        options->accounts_by_index[options->accounts[i]->account->index] = options->accounts[i];
}

const struct account_options *account_options_of(const struct options *options,
                                                 const struct account *account)
{
    return account->index < options->index_count ? options->accounts_by_index[account->index]
                                                 : NULL;
}

void accounts_free(struct accounts *accounts)
{
    for (unsigned i = 0; i < accounts->count; i++)
        account_free(accounts->items[i]);
    free(accounts->items);
    map_free(&accounts->by_name);
    *accounts = (struct accounts){ 0 };
}

/* Relaxed: what is known about the account comes with the options. */
bool account_is_fresh(const struct account *account, int64_t mono_ns)
{
    return mono_ns < atomic_load_explicit(&account->fresh_until_ns, memory_order_relaxed);
}

void account_set_fresh(struct account *account, int64_t until_ns)
{
    atomic_store_explicit(&account->fresh_until_ns, until_ns, memory_order_relaxed);
}

struct account_traffic *account_traffic(struct account *account, unsigned worker)
{
    /* relaxed: only this worker writes here */
    struct account_traffic *traffic =
        atomic_load_explicit(&account->traffic[worker], memory_order_relaxed);
    if (!traffic) {
        traffic = mem_zero(sizeof *traffic);
        /* release: pairs with account_stat(), whose reader must see zeroes */
        atomic_store_explicit(&account->traffic[worker], traffic, memory_order_release);
    }
    return traffic;
}

uint64_t account_stat(const struct account *account, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= MAX_WORKERS; i++) {
        const struct account_traffic *traffic =
            atomic_load_explicit(&account->traffic[i], memory_order_acquire);
        if (traffic)
            sum += stat_get((const stat_t *)(const void *)((const char *)traffic + offset));
    }
    return sum;
}
