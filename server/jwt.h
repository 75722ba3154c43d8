/* jwt.h - NATS JSON web tokens: what an operator says about itself and its accounts, an account about its
 * users, and a user shows at the door. Pure: no clock, no file, no network; any thread.
 *
 *     base64url(header) . base64url(claims) . base64url(Ed25519 signature of the issuer's nkey)
 *
 * jwt_decode() proves that the issuer named in the claims has signed them. Whether that issuer is to be
 * trusted, and whether the time is right (jwt_is_timely), is for the caller to ask.
 * Source: nats-io JWT claims version 2, and version 1 as far as it is still in use. */
#ifndef SERVER_JWT_H
#define SERVER_JWT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/error.h"

#include "cidr.h"

#define JWT_SIZE_MAX  ((size_t)1024 * 1024)
#define JWT_UNLIMITED INT64_C(-1)

enum jwt_kind {
    JWT_OPERATOR,
    JWT_ACCOUNT,
    JWT_USER,
    JWT_ACTIVATION,
    JWT_GENERIC /* of no type: a signed request */
};

struct jwt_texts {
    const char **items;
    size_t count;
};

/** "pub", "sub" and "resp". Subjects are not checked. */
struct jwt_permissions {
    struct jwt_texts pub_allow, pub_deny, sub_allow, sub_deny;
    bool may_respond;
    int64_t responses_max, responses_ttl_ns;
};

struct jwt_cidrs {
    struct cidr *items;
    size_t count;
};

/** Seconds since midnight; a range may go over midnight. */
struct jwt_time_range {
    int start_s, end_s;
};

struct jwt_time_ranges {
    struct jwt_time_range *items;
    size_t count;
};

/** What a user may do: in its own JWT, or in the template of the scoped key that signed it. */
struct jwt_user_rights {
    struct jwt_permissions permissions;
    int64_t subs, data, payload; /* JWT_UNLIMITED, or as many as that */
    struct jwt_cidrs src;        /* none = from anywhere */
    struct jwt_time_ranges times;
    const char *times_location; /* IANA name; NULL = UTC */
    bool bearer_token;          /* needs no signature of the nonce */
    bool proxy_required;
    struct jwt_texts connection_types; /* none = all */
};

struct jwt_user {
    struct jwt_user_rights rights;
    const char *issuer_account; /* NULL: the issuer is the account */
};

struct jwt_signing_key {
    const char *key;
    bool is_scoped; /* its users have the rights of the template and none of their own */
    const char *role;
    struct jwt_user_rights template;
};

struct jwt_signing_keys {
    struct jwt_signing_key *items;
    size_t count;
};

struct jwt_revocation {
    const char *key;  /* public key, or "*" */
    int64_t before_s; /* what was issued then or earlier is revoked */
};

struct jwt_revocations {
    struct jwt_revocation *items;
    size_t count;
};

struct jwt_export {
    const char *subject;
    bool is_service, token_required, allow_trace;
    const char *response_type; /* "Singleton", "Stream", "Chunked" or NULL */
    int64_t response_threshold_ns;
    int64_t account_token_position;
    struct jwt_revocations revocations; /* of activations */
    int64_t latency_sampling;           /* percent; 0 with latency_results: by header */
    const char *latency_results;        /* subject; NULL = not measured */
};

struct jwt_exports {
    struct jwt_export *items;
    size_t count;
};

struct jwt_import {
    const char *subject, *account;
    const char *local_subject, *to; /* `to` is the older way */
    const char *token;              /* activation */
    bool is_service, share, allow_trace;
};

struct jwt_imports {
    struct jwt_import *items;
    size_t count;
};

struct jwt_destination {
    const char *subject, *cluster;
    int64_t weight; /* percent; 0 = 100 */
};

struct jwt_mapping {
    const char *source;
    struct {
        struct jwt_destination *items;
        size_t count;
    } destinations;
};

struct jwt_mappings {
    struct jwt_mapping *items;
    size_t count;
};

struct jwt_account {
    struct jwt_imports imports;
    struct jwt_exports exports;
    int64_t subs, data, payload, connections, leafnodes; /* JWT_UNLIMITED, or as many as that */
    int64_t max_imports, max_exports;
    bool wildcard_exports, disallow_bearer;
    struct jwt_signing_keys signing_keys;
    struct jwt_revocations revocations;
    struct jwt_permissions default_permissions;
    struct jwt_mappings mappings;
    const char *trace_dest;
    int64_t trace_sampling;         /* percent; 0 = all */
    struct jwt_texts callout_users; /* auth callout is wanted when there are some */
};

struct jwt_operator {
    struct jwt_texts signing_keys;
    const char *account_server_url, *system_account, *assert_server_version;
    bool strict_signing_key_usage;
};

struct jwt_activation {
    const char *subject;
    bool is_service;
    const char *issuer_account;
};

/** What can be asked for: the deletion of accounts. */
struct jwt_generic {
    struct jwt_texts accounts;
};

struct jwt {
    enum jwt_kind kind;
    int64_t version; /* 1 or 2 */
    const char *issuer, *subject, *name, *audience, *id;
    int64_t issued_at_s, expires_at_s, not_before_s; /* 0 = not there */
    struct jwt_texts tags;
    union { /* by kind */
        struct jwt_operator operator_;
        struct jwt_account account;
        struct jwt_user user;
        struct jwt_activation activation;
        struct jwt_generic generic;
    };
    const char *token;        /* of an account: the text itself, for monitoring; else NULL */
    struct jwt_piece *pieces; /* memory of all this */
    atomic_size_t retained;   /* references besides the first */
};

/** Decodes a token and verifies the signature of its issuer. All texts are NULL when absent or empty.
 *  NULL and the reason when anything is wrong: form, size, signature, keys of the wrong type, values that
 *  contradict each other. Owned: jwt_free(). */
struct jwt *jwt_decode(struct span token, struct error *err);
/** Counts one more owner. */
struct jwt *jwt_retain(struct jwt *jwt);
/** The last owner frees it. NULL is allowed. */
void jwt_free(struct jwt *jwt);
/** False and the reason when it has expired or is not valid yet. */
bool jwt_is_timely(const struct jwt *jwt, int64_t now_s, struct error *err);
/** Is what `key` was given at `issued_at_s` revoked? */
bool jwt_is_revoked(const struct jwt_revocations *revocations, const char *key,
                    int64_t issued_at_s);
/** The entry of that signing key of an account; NULL when it is none. */
const struct jwt_signing_key *jwt_signing_key(const struct jwt_account *account, const char *key);
/** Did the operator, or with a signing key one that it named, issue this? */
bool jwt_operator_signs(const struct jwt *operator_, const char *issuer);
/** Nothing is said at all: as a user of a scoped key must be. */
bool jwt_rights_are_empty(const struct jwt_user_rights *rights);
bool jwt_permissions_are_empty(const struct jwt_permissions *permissions);

/** Appends the claims of a token as compact JSON, whoever signed it; nothing when it has none. */
void jwt_append_claims(struct buf *out, struct span token);

/** The token in a decorated file (between two lines that begin and end with three dashes or more), or the
 *  text itself without blanks around it. Empty when there is none. */
struct span jwt_find_token(struct span file);

#endif
