/* jwt_dir.h - a directory with the JWTs of accounts, one file ACCOUNT.jwt each: what resolvers of type full and cache
 * keep. The files are the truth, and may change behind our back; nothing is remembered here.
 * Blocks: thread pool only, and one call at a time for a directory. Source: nats-server's directory resolvers. */
#ifndef SERVER_JWT_DIR_H
#define SERVER_JWT_DIR_H

#include "base/buf.h"
#include "base/error.h"

struct resolver_dir_options;

/** Makes the directory when it is missing. False and the reason when it is none, or cannot be written. */
bool jwt_dir_open(const struct resolver_dir_options *dir, struct error *err);

/** Appends the token; nothing when there is none, or when it was not used for longer than the ttl of a cache. Marks it
 *  as used. False and the reason when it cannot be read. */
bool jwt_dir_read(const struct resolver_dir_options *dir, const char *account, struct buf *out,
                  struct error *err);

enum jwt_dir_rule {
    JWT_DIR_ALWAYS,
    JWT_DIR_IF_NEWER,  /* than what is there, by the time of issue */
    JWT_DIR_IF_PRESENT /* there is one already */
};

/** Writes the token of an account. *saved false: the rule says no. False and the reason when it cannot be written, or
 *  a full directory has no room; a cache makes room. */
bool jwt_dir_save(const struct resolver_dir_options *dir, const char *account, struct span token,
                  enum jwt_dir_rule rule, bool *saved, struct error *err);
/** Deletes the account as the options say. That there is none is no error. */
bool jwt_dir_delete(const struct resolver_dir_options *dir, const char *account, struct error *err);

/** The accounts that have a file, in order. */
struct jwt_dir_names {
    char **items;
    size_t count;
};
/** Owned: jwt_dir_names_free(). */
struct jwt_dir_names jwt_dir_list(const struct resolver_dir_options *dir);
void jwt_dir_names_free(struct jwt_dir_names *names);

#endif
