/* conn_info.h - a snapshot of a connection for monitoring: what /connz shows, detached from the connection. */
#ifndef SERVER_CONN_INFO_H
#define SERVER_CONN_INFO_H

#include "reasons.h"

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

struct conn;
struct event_client;

/** How much of a connection a snapshot takes. */
struct conn_detail {
    bool subs; /* the list of subscriptions */
    bool auth; /* user, account, certificates */
};

struct sub_info {
    char *subject, *queue, *sid; /* owned; queue "" = none */
    uint64_t delivered, max;
};

struct cert_info {
    char *subject;
    char spki_sha256[65], cert_sha256[65];
};

/* What a user JWT says; all owned, NULL when absent. */
struct identity_info {
    char *jwt, *issuer_key, *name_tag; /* the last is the account's */
    char **tags;
    size_t tag_count;
};

struct conn_info {
    uint64_t cid;
    const char *type; /* "nats"; static */
    char ip[46];
    uint16_t port;
    int64_t start_ns, last_activity_ns, stop_ns; /* wall clock; stop 0 = open */
    enum close_reason reason;
    int64_t rtt_ns;
    uint64_t pending_bytes, in_msgs, out_msgs, in_bytes, out_bytes;
    uint32_t stalls, sub_count;
    char *name, *lang, *version, *user;   /* owned, NULL when absent */
    const char *account;                  /* static */
    const char *tls_version, *tls_cipher; /* static, NULL without TLS */
    bool tls_first;
    struct sub_info *subs;
    size_t subs_count;
    struct identity_info identity;
    struct cert_info *certs;
    size_t cert_count;
    const char *ocsp_verdict; /* static, NULL when nobody asked */
    int64_t ocsp_checked_ns;  /* wall clock */
};

/** On the connection's worker. Free with conn_info_clear(). */
void conn_info_take(const struct conn *conn, const struct conn_detail *detail,
                    struct conn_info *out);
void conn_info_copy(const struct conn_info *from, const struct conn_detail *detail,
                    struct conn_info *to);
/** What events tell of a connection that has come; borrows the texts. */
struct event_client conn_info_event(const struct conn_info *info);
void conn_info_clear(struct conn_info *info);

#endif
