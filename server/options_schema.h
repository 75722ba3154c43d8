/* options_schema.h - how an option is described, and the reader that walks a map with such rows.
 * Private to server/options_*.c and flags.c.
 *
 *   conf tree --schema_read()--> struct options      one row per option; whatever the row's type
 *                 |                                  cannot say is done by the row's read()
 *                 +--problem_at()--> struct problems in file order
 *
 * The rows also give the defaults (schema_defaults), the reload check (options_reload.c) and the
 * documentation (options_docs.c). */
#ifndef SERVER_OPTIONS_SCHEMA_H
#define SERVER_OPTIONS_SCHEMA_H

#include "base/map.h"

#include "options.h"

enum option_type {
    OPTION_BOOL,          /* bool */
    OPTION_INT,           /* int */
    OPTION_INT64,         /* int64_t */
    OPTION_STRING,        /* const char * */
    OPTION_DURATION_MS,   /* int64_t; "5s", or an integer of seconds with a warning */
    OPTION_DURATION_TEXT, /* int64_t, milliseconds; "5s" only */
    OPTION_SECONDS_MS,    /* int64_t; a number of seconds or "5s" */
    OPTION_SECONDS_NS,    /* the same in nanoseconds; negative values are ignored */
    OPTION_CUSTOM         /* whatever its read() makes of it */
};

/** What a reload does with a changed option. */
enum reload_class {
    RELOAD_LIVE,    /* takes effect for everybody at once, or for new connections: no restart */
    RELOAD_RESTART, /* refuses the whole reload */
    RELOAD_NOTHING  /* accepted and ignored, or a second way to write another option */
};

struct options_reader {
    struct options *options;
    struct problems *problems;
    struct map users, nkeys;        /* the names that were read */
    const struct conf_value *outer; /* a map whose problems carry its own position first, or NULL */
};

struct option_row;
struct schema;

typedef void option_read_fn(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target);

#define NOWHERE SIZE_MAX /* offset: checked, but not stored */

struct option_row {
    const char *name;
    const char *aliases; /* separated by blanks, or NULL */
    enum option_type type;
    size_t offset; /* in the struct that the schema fills, or NOWHERE */
    const char
        *fallback; /* the default as one would write it; custom rows: for the documentation */
    enum reload_class reload;
    const char *field; /* nats-server's name in "config reload not supported for FIELD" */
    const char *help;  /* one sentence for docs/configuration.md */
    int64_t min, max;  /* of integers; both 0 = any */
    bool zero_is_default;
    option_read_fn *read;       /* instead of what the type would do; NULL for simple rows */
    const struct schema *block; /* the rows of a map, for the documentation */
};

struct schema {
    const char *name; /* "tls": heading of the documentation, "" = top level */
    const struct option_row *rows;
    size_t count;
    const char *unknown_before, *unknown_after; /* around the quoted name of an unknown field */
    bool variables; /* keys that are used as a variable are no unknown fields */
    /* Says that the value has the wrong type; NULL = as Go does. */
    void (*wrong_type)(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value);
};

/* One row of a table; what is not said is zero. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ROW_COUNT(rows) (sizeof(rows) / sizeof *(rows))

extern const struct schema ROOT_SCHEMA, TLS_SCHEMA, CERTS_SCHEMA, OCSP_PEER_SCHEMA,
    OCSP_CACHE_SCHEMA, AUTHORIZATION_SCHEMA, USER_SCHEMA, PERMISSIONS_SCHEMA,
    SUBJECT_PERMISSIONS_SCHEMA, RESPONSES_SCHEMA, ACCOUNT_SCHEMA, ACCOUNT_LIMITS_SCHEMA,
    EXPORT_SCHEMA, LATENCY_SCHEMA, MSG_TRACE_SCHEMA, MAPPING_SCHEMA, IMPORT_SCHEMA,
    WEBSOCKET_SCHEMA, MQTT_SCHEMA, OVERRIDE_AUTH_SCHEMA, LEAFNODES_SCHEMA, LEAF_AUTH_SCHEMA,
    LEAF_USER_SCHEMA, REMOTE_SCHEMA, PROXY_SCHEMA, COMPRESSION_SCHEMA, CLUSTER_SCHEMA,
    GATEWAY_SCHEMA, JETSTREAM_SCHEMA, RESOLVER_SCHEMA;

/* ---- memory that lives as long as the options; erased before it is freed ----------------- */

/** Zeroed; never NULL. */
void *options_alloc(struct options *options, size_t size);
/** A copy; NULL in, NULL out. */
const char *options_copy(struct options *options, const char *text);
/** printf into memory of the options. */
const char *options_printf(struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The address without the password of "scheme://user:password@host", for messages: `url` itself when it has none. */
const char *options_redact_url(struct options *options, const char *url);
#define NOTE_JETSTREAM                                                                             \
    "JetStream is not supported by this server, \"jetstream\" configuration ignored"
#define NOTE_CLUSTER "Cluster routes are not supported by this server, cluster listener ignored"
#define NOTE_GATEWAY "Gateways are not supported by this server, \"gateway\" configuration ignored"
#define NOTE_OCSP_UNUSED                                                                           \
    "\"ocsp_peer\" has no effect in cluster.tls, gateway.tls and resolver_tls: nobody is checked " \
    "there"
/* of the name of the block, as the next one, which has it twice */
#define NOTE_OCSP_UNWATCHED                                                                        \
    "%s.ocsp_peer: \"disconnect_revoked\" has no effect without \"verify\" or with \"warn_only\""
#define NOTE_OCSP_TIMEOUT                                                                          \
    "%s.timeout is not longer than %s.ocsp_peer.ca_timeout: the timeout stands still while a "     \
    "slow "                                                                                        \
    "OCSP responder is waited for, so a handshake may take longer than it says"

/** Adds a sentence to options->notes, unless it is there already. */
void options_note(struct options *options, const char *text);
/** An empty object with all defaults, reference count 1. */
struct options *options_new(void);
/** One without accounts that takes all else from `base`, which it retains. */
struct options *options_new_over(struct options *base);

/* ---- problems ----------------------------------------------------------------------------- */

/** Adds an error "FILE:L:C: text" for the value's position. */
void problem_at(struct options_reader *reader, const struct conf_value *value, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
/** Adds a warning "FILE:L:C: invalid use of field "NAME": text". */
void warning_at(struct options_reader *reader, const struct conf_value *value, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
/** Adds a warning without a position. */
void warning_plain(struct problems *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Adds an error without a position. */
void problem_plain(struct problems *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- reading ------------------------------------------------------------------------------ */

/** Fills `target` with the defaults of the simple rows. */
void schema_defaults(const struct schema *schema, void *target);
/** Reads the members of `map` into `target`. */
void schema_read(struct options_reader *reader, const struct schema *schema,
                 const struct conf_value *map, void *target);
/** The row of that name or alias, ASCII case-insensitive; NULL when unknown. */
const struct option_row *schema_find(const struct schema *schema, const char *name);
/** The row's place inside `target`. */
void *row_field(const struct option_row *row, void *target);
/** A reader of rows that only notes what is there: whether it belongs there depends on the others. */
void schema_note_value(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target);
/** Its row, for a member of `struct struct_`. */
#define NOTED(struct_, name, aliases, member, text)                                                \
    ROW(name, aliases, OPTION_CUSTOM, offsetof(struct struct_, member), NULL, RELOAD_LIVE, NULL,   \
        .help = (text), .read = schema_note_value)

/** Is the value of that type? If not, adds Go's sentence "interface conversion: ...". */
bool value_is(struct options_reader *reader, const struct conf_value *value, enum conf_type type);
/** Seconds as a number or a duration text, in nanoseconds. `err` is "" when the type is wrong. */
bool value_seconds(const struct conf_value *value, int64_t *out_ns, struct error *err);
/** Writes the value as Go's %v does (scalars), for messages. */
void value_print(const struct conf_value *value, struct buf *out);
/** "host:port" as of `listen`; takes IPv6 in brackets. False and the sentence. */
bool address_parse(struct options *options, const char *text, const char **host, int *port,
                   struct error *err);
/** The value of `listen` and `http`: a port or "host:port"; host NULL when it is not said. False when a
 *  problem was added. */
bool read_address(struct options_reader *reader, const struct conf_value *value, const char **host,
                  int *port);
/** Where to point at for a whole element of a list: its first member, if there is one. */
const struct conf_value *first_member(const struct conf_value *value);
/** Nanoseconds as milliseconds, rounded up. */
int64_t ns_to_ms(int64_t ns);

/* ---- parts of the walk, by subject -------------------------------------------------------- */

option_read_fn read_listen, read_http, read_https, read_base_path, read_server_name, read_tags,
    read_metadata, read_feature_flags, read_write_timeout, read_lame_duck_duration,
    read_lame_duck_grace;
option_read_fn read_tls, read_ocsp_peer, read_ocsp_cache, read_stapling;
option_read_fn read_authorization, read_auth_timeout, read_permissions_member, read_accounts,
    read_mappings, read_system_account;
option_read_fn read_websocket, read_mqtt, read_leafnodes, read_remotes, read_compression;
option_read_fn read_operator, read_trusted_keys, read_resolver, read_resolver_preload,
    read_pinned_accounts;
option_read_fn read_refused, read_refused_if_true, read_jetstream, read_cluster, read_gateway,
    read_js_domain, read_resolver_tls, accept_anything;

/* ---- what the blocks of the other listeners share (options_blocks.c) ----------------------- */

/** The first rows of such a block, where AT() names the fields of its structure: who comes, and the usual port. */
#define LISTENER_BLOCK_ROWS(who, usual)                                                            \
    ROW("listen", NULL, OPTION_CUSTOM, AT(listen), NULL, RELOAD_RESTART, NULL,                     \
        .help = "Where " who " connect: `PORT` or `\"HOST:PORT\"`; sets `host` and `port`.",       \
        .read = read_block_listen),                                                                \
        ROW("host", "net", OPTION_STRING, AT(listen.host), "0.0.0.0", RELOAD_RESTART, NULL,        \
            .help = "Address that " who " connect to."),                                           \
        ROW("port", NULL, OPTION_INT, AT(listen.port), "0", RELOAD_RESTART, NULL,                  \
            .help = "Port that " who " connect to" usual "; 0 is off, -1 takes any free one.",     \
            .min = -1, .max = 65535),                                                              \
        ROW("tls", NULL, OPTION_CUSTOM, AT(tls), NULL, RELOAD_LIVE, NULL,                          \
            .help = "Certificates and TLS rules of this port.", .read = read_tls,                  \
            .block = &TLS_SCHEMA)

/** `listen` and `authorization` of such a block. */
option_read_fn read_block_listen, read_override_auth;
/** The structure of such a block, with its defaults; it has this size and begins with struct listen_options. */
void *listener_block(struct options_reader *reader, const struct conf_value *value,
                     const struct schema *schema, size_t size);
/** "Expected ..., got VALUE". */
void say_expected(struct options_reader *reader, const struct conf_value *value,
                  const char *expected);

/** Reads a tls block and loads its certificates; NULL when it is no map. The context belongs to the
 *  options. */
struct tls_options *read_tls_block(struct options_reader *reader, const struct conf_value *value,
                                   enum tls_side side);
/** Builds the permissions of a map; NULL when it is none. Owned. */
struct permissions *read_permissions(struct options_reader *reader, const struct conf_value *map);

/** The account of that name, made when it is not there yet. */
struct account_options *options_account(struct options *options, const char *name);
/** Appends one that is not there yet; it lives in the memory of the options. */
void options_add_account(struct options *options, struct account_options *account);
/** Appends a list of users to those that are there; the problems of the whole list point at `at`. */
void read_user_list(struct options_reader *reader, const struct conf_value *list,
                    const struct account_options *account, const struct conf_value *at);
/** "25" or "25%"; any number. */
bool percent_parse(struct span text, int64_t *percent);
/** Owned by the options; NULL when a problem was added. */
const struct latency_options *read_latency(struct options_reader *reader,
                                           const struct conf_value *value);
/** The same; NULL also when it names no destination. */
const struct msg_trace_options *read_msg_trace(struct options_reader *reader,
                                               const struct conf_value *value);
void read_exports(struct options_reader *reader, const struct conf_value *value,
                  struct account_options *account);
void read_imports(struct options_reader *reader, const struct conf_value *value,
                  struct account_options *account);
void read_account_mappings(struct options_reader *reader, const struct conf_value *value,
                           struct account_options *account);
/** Puts mappings in order, once the name of the cluster is known. */
void options_settle_mappings(struct options *options);
void account_settle_mappings(struct account_options *account, const char *cluster_name);
/** Ties imports to exports when all accounts are read; problems point at the accounts block. */
void options_resolve_accounts(struct options_reader *reader, const struct conf_value *at);
/** The same for accounts of JWTs: what is wrong is left out, with a note. */
void options_resolve_claims(struct options *options);
/** Gives the users of an account, from number `first` on, these permissions if they have none. */
void users_take_defaults(struct options *options, size_t first, struct permissions *defaults);

/** Operator mode: takes the system account of the operator and makes the accounts of resolver_preload. */
void operator_settle(struct options *options);
/** Unless the file names one, the system account is the one that the operator names. */
void operator_take_system_account(struct options *options);
/** Without a resolver the operator may name the address of one. */
void operator_default_resolver(struct options *options);
/** The rules of operator mode; before operator_settle(). */
void operator_validate(const struct options *options, struct problems *problems);

/** Client TLS of the command line. */
struct tls_override {
    const char *cert_file, *key_file, *ca_file; /* ca_file NULL: as the file says */
    bool sets_verify, verify;
};
/** Loads other certificates than those of the file. False and the sentence. */
bool tls_options_override(struct options *options, const struct tls_override *override,
                          struct error *err);
/** Builds monitor_tls when it is needed. False and the sentence. */
bool tls_options_for_monitor(struct options *options, struct error *err);
/** Releases the contexts of all tls blocks. */
void tls_options_release(struct options *options);

/** Adds an error for each listener that checks its peers but does not demand their certificates, and
 *  notes doubtful times. */
void check_ocsp_peers(struct options *options, struct problems *problems);

/** Values that depend on others: after file and flags. */
void options_settle(struct options *options);
/** Rules across options; adds errors without position, and notes. */
void options_validate(struct options *options, struct problems *problems);

#endif
