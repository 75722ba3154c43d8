/* ledger.h - who published what, and what every subscription has to get of it.
 *
 * Publisher p sends messages number 0, 1, 2 ... on t.<p>.<topic>; text, sizes, headers and replies follow from
 * the number, so that each delivery is checked to the last byte. A plain subscription has to get every number
 * that its pattern covers, once and in order, beginning no later than `owed`; a queue group has to get every
 * number once. All subscriptions of one connection see a publisher's numbers in one order. */
#ifndef THREADS_LEDGER_H
#define THREADS_LEDGER_H

#include "drive.h"

enum {
    PUBLISHERS_MAX = 8,
    SUBSCRIPTIONS_MAX = 64,
    GROUPS_MAX = 8,
    TOPICS = 4,
    NUMBERS_MAX = 65536
};

struct publisher {
    struct peer *peer;
    uint32_t count;              /* numbers given out */
    uint8_t topics[NUMBERS_MAX]; /* of each number */
};

/* What becomes of a publisher's numbers at one subscription. */
struct progress {
    uint32_t next; /* the smallest number that may come next */
    uint32_t owed; /* from here on nothing may be missing; UINT32_MAX = nothing is owed yet */
};

struct subscription {
    struct ledger *ledger;
    struct peer *peer; /* NULL = is gone */
    char sid[8], pattern[24];
    struct group *group; /* NULL = plain */
    bool covers[PUBLISHERS_MAX][TOPICS];
    struct progress progress[PUBLISHERS_MAX];
    uint64_t received;
};

struct group {
    char name[8], pattern[24];
    bool covers[PUBLISHERS_MAX][TOPICS];
    bool in_any_order;     /* members come and go: what finds none any more goes on to another */
    bool may_lose;         /* members end abruptly, with messages under way to them */
    uint64_t wanted, seen; /* deliveries */
    bool has[PUBLISHERS_MAX][NUMBERS_MAX];
};

struct ledger {
    struct publisher publishers[PUBLISHERS_MAX];
    unsigned publisher_count;
    struct subscription subscriptions[SUBSCRIPTIONS_MAX];
    unsigned subscription_count;
    struct group groups[GROUPS_MAX];
    unsigned group_count;
    char *letters;    /* what payloads are made of */
    size_t size_more; /* bytes that every payload has besides */
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);
/** Adds a publisher; gives its number. */
unsigned ledger_add_publisher(struct ledger *ledger, struct peer *peer);
struct group *ledger_add_group(struct ledger *ledger, const char *name, const char *pattern);
/** Sends SUB. Plain subscriptions take a pattern, members of a group have its. Nothing is owed before
 *  ledger_owe(). */
struct subscription *ledger_subscribe(struct ledger *ledger, struct peer *peer, const char *sid,
                                      const char *pattern);
struct subscription *ledger_join(struct ledger *ledger, struct peer *peer, const char *sid,
                                 struct group *group);
/** The subscription is known to the server: whatever is published from now on is owed to it. */
void ledger_owe(struct subscription *subscription);
/** Nothing may come any more. */
void ledger_forget(struct subscription *subscription);
/** Publisher p sends its next message. */
void ledger_publish(struct ledger *ledger, unsigned p);
/** All publishers send until each has given out `count` numbers. */
void ledger_publish_all(struct ledger *ledger, uint32_t count);
/** Has every subscription and every group got what is owed? */
bool ledger_is_settled(const struct ledger *ledger);
/** Who has not, for a sentence. */
const char *ledger_waits(const struct ledger *ledger, char text[128]);
/** Drives until it is, and makes sure that nothing comes behind. */
void ledger_settle(struct ledger *ledger);

#endif
