/* account.h - an isolated space of subjects. For now there is one, "$G"; every connection and every
 * message already names its account, so that more can follow. */
#ifndef SERVER_ACCOUNT_H
#define SERVER_ACCOUNT_H

#include "stats.h"
#include "subjects.h"

#define GLOBAL_ACCOUNT "$G"

struct account {
    const char *name;
    struct subjects *subjects;
};

struct account *account_new(const char *name, const struct hash_key *key);
void account_free(struct account *account);

#endif
