/* account.h - an isolated space of subjects, and all of them by name.
 *
 * Every connection and every message names its account. An account object lives as long as the server, because
 * messages under way between workers point to it: a reload adds accounts and forgets none. Accounts are made and
 * looked up by name on the control thread; workers find theirs through the options (user_options.account). */
#ifndef SERVER_ACCOUNT_H
#define SERVER_ACCOUNT_H

#include "base/map.h"
#include "base/span.h"

#include "stats.h"
#include "subjects.h"

#define GLOBAL_ACCOUNT "$G"
#define SYSTEM_ACCOUNT "$SYS"

struct account_options;
struct options;

/** What one worker counts of an account. */
struct account_traffic {
    stat_t in_msgs, in_bytes, out_msgs, out_bytes;
    stat_t slow_consumers;
};

struct account {
    char *name;
    unsigned index; /* in order of making; 0 is "$G" */
    struct subjects *subjects;
    _Atomic int64_t clients, leafnodes; /* connections open now */
    /* one per worker that has counted anything; made by that worker, read by any thread */
    struct account_traffic *_Atomic traffic[MAX_WORKERS + 1];
    bool is_configured;             /* the options in force name it; control thread */
    _Atomic int64_t fresh_until_ns; /* monotonic; a resolver need not be asked again before */
};

/** All accounts; control thread. */
struct accounts {
    const struct hash_key *key;
    struct map by_name;
    struct account **items;
    unsigned count;
};

/** The account of that name; NULL when there is none. */
struct account *accounts_find(const struct accounts *accounts, struct span name);
/** The same, made if it is not there. */
struct account *accounts_get(struct accounts *accounts, const char *name);
/** Finds or makes the accounts that the options name and are not tied to yet, and ties the options to them. Before any
 *  worker sees the options. */
void accounts_tie(struct accounts *accounts, struct options *options);
/** What the options say about the account; NULL when they do not know it any more. */
const struct account_options *account_options_of(const struct options *options,
                                                 const struct account *account);
/** All connections must be gone. */
void accounts_free(struct accounts *accounts);

/** Need a resolver not be asked about it? Thread: any. */
bool account_is_fresh(const struct account *account, int64_t mono_ns);
/** Control thread. */
void account_set_fresh(struct account *account, int64_t until_ns);
/** Where this worker counts; on its thread. */
struct account_traffic *account_traffic(struct account *account, unsigned worker);
/** The sum of a counter over all workers: offsetof(struct account_traffic, in_msgs). Thread: any. */
uint64_t account_stat(const struct account *account, size_t offset);

#endif
