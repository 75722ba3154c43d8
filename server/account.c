/* account.c - see account.h. */
#include "account.h"

#include "base/mem.h"

#include <stdlib.h>

struct account *account_new(const char *name, const struct hash_key *key)
{
    struct account *account = mem_zero(sizeof *account);
    account->name = name;
    account->subjects = subjects_new(key);
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    subjects_free(account->subjects);
    free(account);
}
