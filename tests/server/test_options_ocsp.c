/* test_options_ocsp.c - ocsp_peer in every tls block, ocsp_cache: each form, type and odd value. */
#include "test_options_fixture.h"

TestSuite(options_ocsp, .init = enter_empty_folder, .fini = leave_folder);

/* A tls block in each of its places, around what is written into it; and what is said when nothing
 * is wrong with that. */
struct place {
    const char *before, *after, *good;
    bool is_listener; /* peers come in there */
};

#define UNAVAILABLE(name) "gate.conf:1:0: \"" name "\" is not available in this version of vouchd"

static const struct place PLACES[] = {
    {"tls {",                        "}",    "",                       true },
    { "websocket {tls {",            "}}",   UNAVAILABLE("websocket"), true },
    { "mqtt {tls {",                 "}}",   UNAVAILABLE("mqtt"),      true },
    { "leafnodes {tls {",            "}}",   UNAVAILABLE("leafnodes"), true },
    { "leafnodes {remotes: [{tls {", "}}]}", UNAVAILABLE("leafnodes"), false},
    { "cluster {tls {",              "}}",   "",                       false},
    { "gateway {name: g, tls {",     "}}",   "",                       false},
    { "resolver_tls {",              "}",    "",                       false},
};
enum { PLACE_COUNT = sizeof PLACES / sizeof *PLACES };

static char *text_in(const struct place *place, const char *inside)
{
    return mem_printf("%s%s%s", place->before, inside, place->after);
}

/* The column of a word: nats-server counts from 0 on the first line. */
static int column_of(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    cr_assert_not_null(at, "%s has no %s", text, word);
    return (int)(at - text);
}

static void expect_said(const char *text, const char *problems)
{
    const struct problem_row row = SAYS(text, problems);
    expect_problems(&row, 1);
}

/* ---- ocsp_peer: mistakes ------------------------------------------------------------------ */

#define CONVERSION "error parsing tls peer config, conversion error: "

struct mistake {
    const char *key, *value, *sentence;
};

#define UNKNOWN(key, value)                                                                        \
    {                                                                                              \
        key, value, "error parsing tls peer config, unknown field [\"" key "\"]"                   \
    }
#define NO_BOOL(key)                                                                               \
    UNKNOWN(key, "5"), UNKNOWN(key, "1.5"), UNKNOWN(key, "\"true\""), UNKNOWN(key, "[]"),          \
        UNKNOWN(key, "{}")
#define NO_NUMBER(key)                                                                             \
    { key, "true", CONVERSION "unexpected type" }, { key, "[]", CONVERSION "unexpected type" },    \
        { key, "{}", CONVERSION "unexpected type" },                                               \
    {                                                                                              \
        key, "2024-01-01T00:00:00Z", CONVERSION "unexpected type"                                  \
    }
#define NO_DURATION(key)                                                                           \
    { key, "\"abc\"", CONVERSION "time: invalid duration \"abc\"" },                               \
        { key, "\"5\"", CONVERSION "time: missing unit in duration \"5\"" },                       \
        { key, "\"1x\"", CONVERSION "time: unknown unit \"x\" in duration \"1x\"" },               \
        { key, "\"\"", CONVERSION "time: invalid duration \"\"" },                                 \
        { key, "\"1 s\"", CONVERSION "time: unknown unit \" s\" in duration \"1 s\"" },            \
    {                                                                                              \
        key, "\"-\"", CONVERSION "time: invalid duration \"-\""                                    \
    }

static const struct mistake MISTAKES[] = {
    UNKNOWN("foo", "5"),
    UNKNOWN("Timeout", "5"),
    NO_BOOL("verify"),
    NO_BOOL("warn_only"),
    NO_BOOL("unknown_is_good"),
    NO_BOOL("disconnect_revoked"),
    NO_BOOL("allow_when_ca_unreachable"),
    NO_BOOL("disconnect_revoked"),
    UNKNOWN("VERIFY", "5"),
    NO_NUMBER("ca_timeout"),
    NO_NUMBER("allowed_clockskew"),
    NO_NUMBER("cache_ttl_when_next_update_unset"),
    NO_DURATION("ca_timeout"),
    NO_DURATION("cache_ttl_when_next_update_unset"),
    {"allowed_clockskew",  "\"abc\"", CONVERSION "unexpected type"},
    { "allowed_clockskew", "\"5\"",   CONVERSION "unexpected type"},
};

Test(options_ocsp, mistakes_in_the_long_form_are_told_with_both_places)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        for (size_t j = 0; j < sizeof MISTAKES / sizeof *MISTAKES; j++) {
            const struct mistake *mistake = &MISTAKES[j];
            char *inside = mem_printf("ocsp_peer: {%s: %s}", mistake->key, mistake->value);
            char *text = text_in(&PLACES[i], inside);
            char *said =
                mem_printf("gate.conf:1:%d: gate.conf:1:%d: %s", column_of(text, "ocsp_peer"),
                           column_of(text, "ocsp_peer") + 12, mistake->sentence);
            expect_said(text, said);
            free(inside);
            free(text);
            free(said);
        }
    }
}

Test(options_ocsp, every_mistake_is_told)
{
    expect_said(
        "mqtt {\n  tls {\n    ocsp_peer: {\n      foo: 1\n      warn_only: 1\n    }\n  }\n}",
        "gate.conf:3:5: gate.conf:4:7: error parsing tls peer config, unknown field "
        "[\"foo\"]\n"
        "gate.conf:3:5: gate.conf:5:7: error parsing tls peer config, unknown field "
        "[\"warn_only\"]");
}

Test(options_ocsp, neither_bool_nor_map)
{
    static const char *const values[] = { "5", "1.5", "\"true\"", "[]", "2024-01-01T00:00:00Z" };
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            char *inside = mem_printf("ocsp_peer: %s", values[j]);
            char *text = text_in(&PLACES[i], inside);
            char *said = mem_printf("gate.conf:1:%d: error parsing ocsp peer config: unsupported "
                                    "type map[string]interface {}",
                                    column_of(text, "ocsp_peer"));
            expect_said(text, said);
            free(inside);
            free(text);
            free(said);
        }
    }
}

Test(options_ocsp, mistakes_in_gateways_that_are_refused_anyway)
{
    expect_said("gateway {gateways: [{name: g, tls {ocsp_peer: 5}}]}",
                "gate.conf:1:35: error parsing ocsp peer config: unsupported type "
                "map[string]interface {}\n"
                "gate.conf:1:9: gateways are not supported by this server: connect it to the "
                "cluster with a leafnode remote instead");
}

/* ---- ocsp_peer: good values ----------------------------------------------------------------- */

#define S INT64_C(1000000000)

struct good {
    const char *value;
    struct ocsp_peer_options peer;
};

#define DEFAULTS .ca_timeout_ns = 2 * S, .skew_ns = 30 * S, .ttl_ns = 3600 * S
/* A row may say again what the defaults say. */
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif

static const struct good GOODS[] = {
    {"true",                                    { DEFAULTS, .verify = true }                   },
    { "on",                                     { DEFAULTS, .verify = true }                   },
    { "false",                                  { DEFAULTS }                                   },
    { "{}",                                     { DEFAULTS }                                   },
    { "{verify: yes}",                          { DEFAULTS, .verify = true }                   },
    { "{VERIFY: true}",                         { DEFAULTS, .verify = true }                   },
    { "{ca_timeout: 5}",                        { DEFAULTS, .ca_timeout_ns = 5 * S }           },
    { "{ca_timeout: 1.5}",                      { DEFAULTS, .ca_timeout_ns = 3 * S / 2 }       },
    { "{Ca_Timeout: 1500ms}",                   { DEFAULTS, .ca_timeout_ns = 3 * S / 2 }       },
    { "{ca_timeout: \"1m\"}",                   { DEFAULTS, .ca_timeout_ns = 60 * S }          },
    { "{ca_timeout: 1m}",                       { DEFAULTS, .ca_timeout_ns = 1000000 * S }     }, /* a million */
    { "{ca_timeout: \"1h2m3.5s\"}",             { DEFAULTS, .ca_timeout_ns = 3723 * S + S / 2 }},
    { "{ca_timeout: \".5s\"}",                  { DEFAULTS, .ca_timeout_ns = S / 2 }           },
    { "{ca_timeout: \"1.s\"}",                  { DEFAULTS, .ca_timeout_ns = S }               },
    { "{ca_timeout: \"5\xC2\xB5s\"}",           { DEFAULTS, .ca_timeout_ns = 5000 }            },
    { "{ca_timeout: \"5\xCE\xBCs\"}",           { DEFAULTS, .ca_timeout_ns = 5000 }            },
    { "{ca_timeout: 7ns}",                      { DEFAULTS, .ca_timeout_ns = 7 }               },
    { "{ca_timeout: 0}",                        { DEFAULTS, .ca_timeout_ns = 0 }               },
    { "{ca_timeout: \"0\"}",                    { DEFAULTS, .ca_timeout_ns = 0 }               },
    { "{ca_timeout: -1}",                       { DEFAULTS }                                   },
    { "{ca_timeout: \"-1s\"}",                  { DEFAULTS }                                   },
    { "{allowed_clockskew: 0}",                 { DEFAULTS, .skew_ns = 0 }                     },
    { "{allowed_clockskew: 0.25}",              { DEFAULTS, .skew_ns = S / 4 }                 },
    { "{allowed_clockskew: 10s}",               { DEFAULTS, .skew_ns = 10 * S }                },
    { "{allowed_clockskew: -0.5}",              { DEFAULTS }                                   },
    { "{cache_ttl_when_next_update_unset: 0}",  { DEFAULTS, .ttl_ns = 0 }                      },
    { "{cache_ttl_when_next_update_unset: 2h}", { DEFAULTS, .ttl_ns = 7200 * S }               },
    { "{cache_ttl_when_next_update_unset: -7}", { DEFAULTS }                                   },
    { "{warn_only: true}",                      { DEFAULTS, .warn_only = true }                },
    { "{unknown_is_good: true}",                { DEFAULTS, .unknown_is_good = true }          },
    { "{disconnect_revoked: true}",             { DEFAULTS, .disconnect_revoked = true }       },
    { "{allow_when_ca_unreachable: true}",      { DEFAULTS, .allow_when_ca_unreachable = true }},
    { "{disconnect_revoked: true}",             { DEFAULTS, .disconnect_revoked = true }       },
};
enum { GOOD_COUNT = sizeof GOODS / sizeof *GOODS };

Test(options_ocsp, good_values_are_stored)
{
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct ocsp_peer_options *want = &GOODS[i].peer;
        char *text = mem_printf("tls {verify: true, ocsp_peer: %s}", GOODS[i].value);
        struct loaded loaded = load_good(text);
        const struct ocsp_peer_options *peer = &loaded.options->tls->ocsp_peer;
        cr_expect_eq(peer->verify, want->verify, "%s", text);
        cr_expect_eq(peer->ca_timeout_ns, want->ca_timeout_ns, "%s", text);
        cr_expect_eq(peer->skew_ns, want->skew_ns, "%s", text);
        cr_expect_eq(peer->ttl_ns, want->ttl_ns, "%s", text);
        cr_expect_eq(peer->warn_only, want->warn_only, "%s", text);
        cr_expect_eq(peer->unknown_is_good, want->unknown_is_good, "%s", text);
        cr_expect_eq(peer->disconnect_revoked, want->disconnect_revoked, "%s", text);
        cr_expect_eq(peer->allow_when_ca_unreachable, want->allow_when_ca_unreachable, "%s", text);
        cr_expect_eq(peer->disconnect_revoked, want->disconnect_revoked, "%s", text);
        unload(&loaded);
        free(text);
    }
}

Test(options_ocsp, good_values_are_taken_in_every_place)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        for (size_t j = 0; j < GOOD_COUNT; j++) {
            char *inside = mem_printf("verify: true, ocsp_peer: %s", GOODS[j].value);
            char *text = text_in(&PLACES[i], inside);
            expect_said(text, PLACES[i].good);
            free(inside);
            free(text);
        }
    }
}

/* ---- rules -------------------------------------------------------------------------------- */

#define NEEDS_VERIFY                                                                               \
    "OCSP peer verification for client connections requires TLS verify (mTLS) to be enabled"

Test(options_ocsp, listeners_must_demand_certificates)
{
    static const char *const useless[] = { "ocsp_peer: true", "verify: false, ocsp_peer: true",
                                           "ocsp_peer: {verify: true}" };
    static const char *const useful[] = { "verify: true, ocsp_peer: true",
                                          "verify_and_map: true, ocsp_peer: true",
                                          "ocsp_peer: false", "ocsp_peer: {ca_timeout: 5}" };
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        const struct place *place = &PLACES[i];
        for (size_t j = 0; j < sizeof useless / sizeof *useless; j++) {
            char *text = text_in(place, useless[j]);
            char *said = mem_printf("%s%s%s", place->is_listener ? NEEDS_VERIFY : "",
                                    place->is_listener && *place->good ? "\n" : "", place->good);
            expect_said(text, said);
            free(text);
            free(said);
        }
        for (size_t j = 0; j < sizeof useful / sizeof *useful; j++) {
            char *text = text_in(place, useful[j]);
            expect_said(text, place->good);
            free(text);
        }
    }
}

Test(options_ocsp, where_nobody_is_checked_one_note_says_so)
{
    struct loaded loaded = load_good("cluster {tls {ocsp_peer: true}}\n"
                                     "gateway {tls {ocsp_peer: {verify: true}}}\n"
                                     "resolver_tls {ocsp_peer: true}");
    size_t said = 0;
    for (size_t i = 0; i < loaded.options->note_count; i++)
        said += strstr(loaded.options->notes[i], "\"ocsp_peer\" has no effect") ? 1 : 0;
    cr_expect_eq(said, 1);
    unload(&loaded);
    loaded = load_good("cluster {tls {ocsp_peer: {ca_timeout: 5}}}");
    cr_expect_eq(loaded.options->note_count, 0);
    unload(&loaded);
}

Test(options_ocsp, an_insecure_remote_can_never_connect)
{
    expect_said("leafnodes {remotes: [{tls {insecure: true, ocsp_peer: true}}]}",
                "gate.conf:1:43: invalid use of field \"ocsp_peer\": with \"insecure\" the hub's "
                "certificate is not verified, so OCSP refuses every hub: this remote can never "
                "connect\n" UNAVAILABLE("leafnodes"));
    expect_said("leafnodes {remotes: [{tls {insecure: true, ocsp_peer: false}}]}",
                UNAVAILABLE("leafnodes"));
}

Test(options_ocsp, a_handshake_that_may_outlast_its_timeout_is_noted)
{
    static const struct {
        const char *inside;
        bool is_noted;
    } rows[] = {
        {"ocsp_peer: true",                                            true }, /* 2 s and 2 s */
        { "timeout: 2.001, ocsp_peer: true",                           false},
        { "timeout: 10, ocsp_peer: {verify: true, ca_timeout: 10}",    true },
        { "timeout: 10, ocsp_peer: {verify: true, ca_timeout: 9.999}", false},
        { "timeout: 1, ocsp_peer: {ca_timeout: 5}",                    false}, /* it is off */
        { "timeout: 2, ocsp_peer: {verify: true, ca_timeout: 0}",      true }, /* 0 is the default */
        { "timeout: 3, ocsp_peer: {verify: true, ca_timeout: 0}",      false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = mem_printf("tls {verify: true, %s}", rows[i].inside);
        struct loaded loaded = load_good(text);
        cr_expect_eq(loaded.options->note_count, rows[i].is_noted ? 1 : 0, "%s", text);
        if (rows[i].is_noted)
            cr_expect_not_null(strstr(loaded.options->notes[0],
                                      "tls.timeout is not longer than tls.ocsp_peer.ca_timeout"));
        unload(&loaded);
        free(text);
    }
}

Test(options_ocsp, disconnect_revoked_without_effect_is_noted)
{
    static const struct {
        const char *inside;
        bool is_noted;
    } rows[] = {
        {"{verify: true, disconnect_revoked: true}",                    false},
        { "{disconnect_revoked: true}",                                 true },
        { "{verify: true, disconnect_revoked: true, warn_only: true}",  true },
        { "{verify: true, disconnect_revoked: false, warn_only: true}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = mem_printf("tls {verify: true, timeout: 5, ocsp_peer: %s}", rows[i].inside);
        struct loaded loaded = load_good(text);
        cr_expect_eq(loaded.options->note_count, rows[i].is_noted ? 1 : 0, "%s", text);
        if (rows[i].is_noted)
            cr_expect_str_eq(loaded.options->notes[0],
                             "tls.ocsp_peer: \"disconnect_revoked\" has no effect without "
                             "\"verify\" or with \"warn_only\"");
        unload(&loaded);
        free(text);
    }
}

/* ---- ocsp_cache --------------------------------------------------------------------------- */

#define CACHE "error parsing OCSP peer cache config, "

Test(options_ocsp, mistakes_in_ocsp_cache)
{
    static const struct problem_row rows[] = {
        SAYS("ocsp_cache: \"true\"", "gate.conf:1:0: error parsing tags: unsupported type string"),
        SAYS("ocsp_cache: 5", "gate.conf:1:0: error parsing tags: unsupported type int64"),
        SAYS("ocsp_cache: 1.5", "gate.conf:1:0: error parsing tags: unsupported type float64"),
        SAYS("ocsp_cache: []",
             "gate.conf:1:0: error parsing tags: unsupported type []interface {}"),
        SAYS("ocsp_cache {Foo: 5}", "gate.conf:1:12: " CACHE "unknown field [\"Foo\"]"),
        SAYS("ocsp_cache {type: 5}", "gate.conf:1:12: " CACHE "unknown field [\"type\"]"),
        SAYS("ocsp_cache {type: true}", "gate.conf:1:12: " CACHE "unknown field [\"type\"]"),
        SAYS("ocsp_cache {type: Redis}", "gate.conf:1:12: " CACHE "unknown type [Redis]"),
        SAYS("ocsp_cache {type: \"\"}", "gate.conf:1:12: " CACHE "unknown type []"),
        SAYS("ocsp_cache {local_store: 5}",
             "gate.conf:1:12: " CACHE "unknown field [\"local_store\"]"),
        SAYS("ocsp_cache {preserve_revoked: 5}",
             "gate.conf:1:12: " CACHE "unknown field [\"preserve_revoked\"]"),
        SAYS("ocsp_cache {preserve_revoked: \"true\"}",
             "gate.conf:1:12: " CACHE "unknown field [\"preserve_revoked\"]"),
        SAYS("ocsp_cache {save_interval: true}",
             "gate.conf:1:12: " CACHE "conversion error: unexpected type"),
        SAYS("ocsp_cache {save_interval: []}",
             "gate.conf:1:12: " CACHE "conversion error: unexpected type"),
        SAYS("ocsp_cache {save_interval: \"5\"}",
             "gate.conf:1:12: " CONVERSION "time: missing unit in duration \"5\""),
        SAYS("ocsp_cache {save_interval: \"abc\"}",
             "gate.conf:1:12: " CONVERSION "time: invalid duration \"abc\""),
        SAYS("ocsp_cache {\n  type: x\n  foo: y\n}",
             "gate.conf:2:3: " CACHE "unknown type [x]\n"
             "gate.conf:3:3: " CACHE "unknown field [\"foo\"]"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_ocsp, good_values_of_ocsp_cache)
{
    static const struct {
        const char *value;
        enum ocsp_cache_type type;
        const char *local_store;
        bool preserve_revoked;
        int64_t save_interval_s;
    } rows[] = {
        {"true",                     OCSP_CACHE_LOCAL, "_rc_", false, 300    },
        { "yes",                     OCSP_CACHE_LOCAL, "_rc_", false, 300    },
        { "false",                   OCSP_CACHE_NONE,  "_rc_", false, 300    },
        { "{}",                      OCSP_CACHE_LOCAL, "_rc_", false, 300    },
        { "{type: local}",           OCSP_CACHE_LOCAL, "_rc_", false, 300    },
        { "{TYPE: NONE}",            OCSP_CACHE_NONE,  "_rc_", false, 300    },
        { "{local_store: \"\"}",     OCSP_CACHE_LOCAL, "_rc_", false, 300    },
        { "{local_store: \"/x/y\"}", OCSP_CACHE_LOCAL, "/x/y", false, 300    },
        { "{preserve_revoked: on}",  OCSP_CACHE_LOCAL, "_rc_", true,  300    },
        { "{save_interval: 7}",      OCSP_CACHE_LOCAL, "_rc_", false, 7      },
        { "{save_interval: 0}",      OCSP_CACHE_LOCAL, "_rc_", false, 1      },
        { "{save_interval: 0.5}",    OCSP_CACHE_LOCAL, "_rc_", false, 1      },
        { "{save_interval: 1.9}",    OCSP_CACHE_LOCAL, "_rc_", false, 1      },
        { "{save_interval: -3}",     OCSP_CACHE_LOCAL, "_rc_", false, 1      },
        { "{save_interval: 2900ms}", OCSP_CACHE_LOCAL, "_rc_", false, 2      },
        { "{save_interval: \"1m\"}", OCSP_CACHE_LOCAL, "_rc_", false, 60     },
        { "{save_interval: 1m}",     OCSP_CACHE_LOCAL, "_rc_", false, 1000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = mem_printf("ocsp_cache: %s", rows[i].value);
        struct loaded loaded = load_good(text);
        const struct options *options = loaded.options;
        cr_expect_eq(options->ocsp_cache_type, rows[i].type, "%s", text);
        cr_expect_str_eq(options->ocsp_cache_local_store, rows[i].local_store, "%s", text);
        cr_expect_eq(options->ocsp_cache_preserve_revoked, rows[i].preserve_revoked, "%s", text);
        cr_expect_eq(options->ocsp_cache_save_interval_s, rows[i].save_interval_s, "%s", text);
        unload(&loaded);
        free(text);
    }
}
