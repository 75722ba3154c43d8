/* options.h - everything an operator can set: configuration file, command line and defaults in one
 * immutable, counted object. A reload builds a new one and the server swaps the pointer.
 *
 * Each option is one row of the schema in options.c: name, aliases, type, range, default, reload class,
 * help. The same row feeds the reader, the defaults, the error texts, the reload check and
 * docs/configuration.md.
 * Source: docs/compatibility.md (nats-server's configuration). */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "ocsp/ocsp.h"
#include "parser/conf.h"
#include "tls/tls.h"

#include "account_options.h"

struct flags;       /* the parsed command line, flags.h */
struct permissions; /* permissions.h */

enum handshake_first {
    TLS_INFO_FIRST,      /* INFO in clear, then TLS: the usual order */
    TLS_HANDSHAKE_FIRST, /* no INFO before TLS is done */
    TLS_HANDSHAKE_AUTO   /* wait handshake_first_delay_ms for bytes, then INFO */
};

enum tls_side {
    TLS_LISTENS,        /* peers dial: `verify` counts */
    TLS_DIALS,          /* we dial: `insecure` counts */
    TLS_BETWEEN_SERVERS /* both; between members of a cluster, which we are not */
};

/** One tls {} block. */
struct tls_options {
    const char *cert_file, *key_file, *ca_file; /* NULL when unset */
    struct tls_pair *pairs;                     /* from cert_file/key_file or certs */
    size_t pair_count;
    enum tls_side side;
    bool verify, verify_and_map, insecure;
    int min_version;
    const char **cipher_suites;
    size_t cipher_suite_count;
    const char **curves;
    size_t curve_count;
    int64_t timeout_ms;
    enum handshake_first handshake_first;
    int64_t handshake_first_delay_ms;
    uint8_t (*pinned_certs)[32]; /* SHA-256 of SubjectPublicKeyInfo */
    size_t pinned_cert_count;
    int64_t connection_rate_limit; /* handshakes per second; 0 = no limit */
    struct ocsp_peer_options ocsp_peer;
    struct tls_context *context; /* built when the options were loaded */
    uint8_t digest[32];          /* of all that the context was built from, files included */
    struct tls_options *next;    /* all blocks of these options */
};

struct jwt;

/** A user of authorization.users or of an account. */
struct user_options {
    const char *name;     /* user name, or the public nkey "U..." */
    const char *password; /* plain or bcrypt; NULL for nkeys */
    bool is_nkey;
    struct permissions *permissions; /* NULL = unrestricted */
    uint32_t connection_types;       /* bit set of CONNECTION_TYPE_*; 0 = all */
    const struct account_options *account;
};

enum { /* allowed_connection_types */
       CONNECTION_TYPE_STANDARD = 1,
       CONNECTION_TYPE_WEBSOCKET = 2,
       CONNECTION_TYPE_LEAFNODE = 4,
       CONNECTION_TYPE_LEAFNODE_WS = 8,
       CONNECTION_TYPE_MQTT = 16,
       CONNECTION_TYPE_MQTT_WS = 32,
       CONNECTION_TYPE_IN_PROCESS = 64
};

struct auth_options {
    const char *user, *password, *token; /* single user or token; NULL when unset */
    struct user_options *users;          /* users and nkeys of all accounts, file order */
    size_t user_count, user_cap;
    bool has_nkeys;
    bool is_configured; /* there is an authorization block */
    const char *no_auth_user;
    bool admits_anonymous; /* no_auth_user is our own: there are users in the system account only */
    int64_t timeout_ms;    /* already the default (2 s; TLS timeout + 1 s) when unset */
};

enum resolver_kind { /* where the JWTs of accounts come from */
                     RESOLVER_NONE,
                     RESOLVER_MEMORY, /* resolver_preload */
                     RESOLVER_URL,    /* asked when somebody logs in */
                     RESOLVER_FULL,   /* a directory with all accounts */
                     RESOLVER_CACHE /* a directory with those of other servers that were used lately */
};

/** One member of resolver_preload. */
struct preload {
    const char *account; /* public key */
    struct jwt *jwt;     /* owned */
};

/** A resolver of type full or cache. */
struct resolver_dir_options {
    const char *type, *dir;
    int64_t limit;       /* files; 0 = no limit */
    int64_t ttl_ms;      /* cache: a file that was not used for so long counts no more; 0 = none */
    int64_t interval_ms; /* full: how often other servers are asked what they have */
    int64_t timeout_ms;  /* how long they are waited for */
    bool allow_delete, hard_delete;
};

/** Operator mode: accounts and users are what JWTs say, which go back to these keys. */
struct operator_options {
    struct jwt **operators; /* owned */
    size_t operator_count;
    const char **operator_tokens; /* as they were read */
    const char **trusted_keys;    /* operators of which only the key is known */
    size_t trusted_key_count;
    enum resolver_kind resolver;
    const char *resolver_url;       /* ends in a slash */
    const char *resolver_url_shown; /* without its password */
    struct resolver_dir_options resolver_dir;
    struct tls_options *resolver_tls;
    struct preload *preloads;
    size_t preload_count;
    const char **pinned_accounts; /* the only ones that are let in; none = all */
    size_t pinned_account_count;
    const char *default_sentinel; /* the user JWT of clients that show none; NULL when unset */
};

enum write_timeout { WRITE_TIMEOUT_DEFAULT, WRITE_TIMEOUT_CLOSE, WRITE_TIMEOUT_RETRY };

/* ---- the other listeners ------------------------------------------------------------------ */

/** A list of texts, file order. */
struct text_list {
    const char **items;
    size_t count;
};

struct name_value {
    const char *name, *value;
};

/** Where a block listens, and where it stands in the file. */
struct listen_options {
    const char *host; /* "0.0.0.0" */
    int port;         /* 0 = does not listen, -1 = any free one */
    struct conf_pos pos;
};

/** Who may come in there, instead of those of the client port; all NULL when unset. */
struct override_auth {
    const char *user, *password, *token, *no_auth_user;
    int64_t timeout_ms; /* 0 = that of the client port */
};

struct websocket_options {
    struct listen_options listen; /* first */
    const char *advertise;
    bool no_tls;             /* without `tls` */
    struct tls_options *tls; /* NULL when unset */
    bool same_origin, compression;
    struct text_list allowed_origins; /* none = any */
    struct name_value *headers;       /* of the answer to the upgrade */
    size_t header_count;
    int64_t handshake_timeout_ms;
    int64_t ping_interval_ms; /* 0 = that of the client port */
    struct override_auth auth;
    const char *jwt_cookie, *user_cookie, *pass_cookie, *token_cookie; /* names; NULL when unset */
};

struct mqtt_options {
    struct listen_options listen; /* first */
    struct tls_options *tls;      /* NULL when unset */
    struct override_auth auth;
    int64_t ack_wait_ms;
    int max_ack_pending;
    bool reject_qos2_publish, downgrade_qos2_subscribe;
};

enum leaf_compression {
    LEAF_COMPRESSION_S2_AUTO, /* by round trip time */
    LEAF_COMPRESSION_OFF,
    LEAF_COMPRESSION_NOT_SUPPORTED,
    LEAF_COMPRESSION_ACCEPT, /* as the other side wants */
    LEAF_COMPRESSION_FAST,
    LEAF_COMPRESSION_BETTER,
    LEAF_COMPRESSION_BEST
};

struct compression_options {
    enum leaf_compression mode;
    int64_t *rtt_thresholds_ms; /* of LEAF_COMPRESSION_S2_AUTO */
    size_t rtt_threshold_count;
};

/** A hub that we dial. */
struct remote_options {
    struct text_list urls;
    const char *account; /* ours; "$G" */
    const char *credentials, *nkey_seed;
    struct tls_options *tls; /* NULL when unset */
    bool hub, no_randomize, disabled, ignore_discovered_servers, isolate, request_isolation;
    bool ws_compression, ws_no_masking;
    struct text_list deny_imports, deny_exports;
    struct compression_options compression;
    int64_t first_info_timeout_ms, dial_timeout_ms; /* dial_timeout_ms 0 = that of the block */
    const char *proxy_url, *proxy_user, *proxy_password;
    int64_t proxy_timeout_ms;
};

/** A user of leafnodes.authorization. */
struct leaf_user {
    const char *name, *password, *account;
};

struct leafnode_options {
    struct listen_options listen; /* first */
    struct tls_options *tls;      /* NULL when unset */
    const char *advertise, *min_version;
    bool no_advertise, isolate;
    struct compression_options compression;
    int64_t reconnect_ms, dial_timeout_ms;
    int64_t write_deadline_ms; /* 0 = that of the client port */
    enum write_timeout write_timeout;
    struct remote_options *remotes;
    size_t remote_count;
    struct leaf_user single; /* all NULL when unset */
    const char *nkey;
    struct leaf_user *users;
    size_t user_count;
    int64_t auth_timeout_ms; /* 0 = that of the client port */
};

struct options {
    /* listeners */
    const char *host; /* "0.0.0.0" */
    int port;         /* -1 = any free one */
    const char *client_advertise;
    bool proxy_protocol;
    struct tls_options *tls; /* NULL = no TLS */
    bool allow_non_tls;
    /* of https: as `tls`, but clients show certificates only when ocsp_peer is on */
    struct tls_options *monitor_tls;
    const char *http_host;
    int http_port, https_port;           /* 0 = off, -1 = any free one */
    const char *http_base_path;          /* normalised: "" or "/mon" */
    const char *http_base_path_text;     /* as configured */
    struct websocket_options *websocket; /* NULL when the block is missing, as the next two */
    struct mqtt_options *mqtt;
    struct leafnode_options *leafnodes;
    struct tls_options *tls_blocks; /* all that were read: who frees the options frees these */

    /* identity */
    const char *server_name; /* NULL = the server id */
    const char *cluster_name;
    const char **server_tags;
    size_t server_tag_count;
    struct {
        const char *key, *value;
    } * server_metadata;
    size_t server_metadata_count;

    /* limits */
    int64_t max_connections;   /* -1 = none allowed */
    int64_t max_subscriptions; /* 0 = unlimited, per connection */
    int max_sub_tokens;        /* 0 = unlimited */
    int64_t max_control_line, max_payload, max_pending;
    int64_t max_closed_clients;
    int64_t ping_interval_ms;
    int ping_max;
    int64_t write_deadline_ms;
    enum write_timeout write_timeout;
    bool no_fast_producer_stall;
    bool no_header_support;
    int64_t lame_duck_duration_ms, lame_duck_grace_ms;
    int max_workers;                   /* ours; 0 = one per core */
    int worker_fill_percent;           /* ours; a loop this busy gets no more; 0 = spread evenly */
    int64_t max_pending_verifications; /* ours; handshakes that wait for a CA at one time */

    /* who may do what */
    struct auth_options auth;
    struct operator_options operator_;
    struct account_options **accounts; /* file order; "$G" first */
    size_t account_count;
    struct map accounts_by_name;
    int64_t
        activation_ends_s; /* the first import to lose its activation does so then; 0 = none will */
    /* by account->index, NULL where there is none; set by the control thread before a worker sees the options */
    struct account_options **accounts_by_index;
    size_t index_count;
    const char *system_account_name; /* as configured; NULL = "$SYS" */
    bool no_system_account;
    struct account_options *system_account; /* NULL without one */

    /* ocsp */
    enum ocsp_cache_type ocsp_cache_type;
    const char *ocsp_cache_local_store; /* folder of the saved cache */
    bool ocsp_cache_preserve_revoked;
    int64_t ocsp_cache_save_interval_s;

    /* log and files */
    bool debug, trace, trace_verbose, trace_headers, logtime, logtime_utc, syslog;
    const char *log_file, *remote_syslog, *pid_file, *ports_file_dir;
    int64_t log_size_limit, log_max_num, max_traced_msg_len;

    /* about the file itself */
    const char *config_file;   /* NULL when there is none */
    const char *config_digest; /* "sha256:..." or "" */
    bool plaintext_passwords;  /* some password is not bcrypt: warn at start */
    const char **notes; /* what is accepted but ignored or doubtful: one warning each at start */
    size_t note_count;
};

/** What was wrong in a file, in file order; warnings come first when printed. */
struct problem {
    bool is_warning;
    char *text; /* "FILE:L:C: REASON" */
};
struct problems {
    struct problem *items;
    size_t count, errors;
};
void problems_free(struct problems *problems);

/** Defaults, then the file that the flags name (if any), then the flags again; checks everything, also
 *  across options, and loads certificates. All problems of the file are reported, not only the first.
 *  NULL when there is an error; warnings alone do not stop it. Reads files: never on a loop that serves.
 *  Ownership: the result is counted, release it with options_release(). */
struct options *options_load(const struct flags *flags, struct problems *problems);
struct options *options_retain(struct options *options);
/** Thread: any; the last one frees it. NULL is allowed. */
void options_release(struct options *options);
/** The account of that name; NULL when there is none. */
struct account_options *options_find_account(const struct options *options, const char *name);

/** The same options, but for what these JWTs say about accounts in place of what `base` knows of them; retains
 *  both. `base` was loaded from a file. What makes no sense is left out, with a note. */
struct options *options_with_claims(struct options *base, struct jwt *const *claims, size_t count);
/** The options as they were loaded from the file: themselves, or what options_with_claims() was given. */
struct options *options_base(struct options *options);

/** May a running server go from `old` to `next`? False and the sentence for the first option that
 *  cannot be changed: config reload not supported for Port: old=4222, new=4333 */
bool options_may_reload(const struct options *old, const struct options *next, struct error *err);
/** Calls `line` for each change, with the text of the log: "Reloaded: max_payload = 1024". */
void options_describe_changes(const struct options *old, const struct options *next,
                              void (*line)(void *ctx, const char *text), void *ctx);
/** Is there a listener or a remote whose peers are checked with OCSP? */
bool options_use_ocsp(const struct options *options);
/** Logs, at debug level, whose peers are checked. */
void options_log_ocsp(const struct options *options);
/** Do both name the server alike: server_tags, server_metadata? */
bool options_same_tags(const struct options *a, const struct options *b);
bool options_same_metadata(const struct options *a, const struct options *b);
/** Appends docs/configuration.md, made from the schema. */
void options_print_docs(struct buf *out);

#endif
