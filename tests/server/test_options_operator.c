/* test_options_operator.c - operator mode in the configuration: what opens it, and what may not stand beside it. */
#include "test_options_fixture.h"

#include "identity/signer.h"
#include "jwt.h"
#include "operator.h"

TestSuite(options_operator, .init = enter_empty_folder, .fini = leave_folder);

/* Keys of one operator and one account, and what is often written. */
struct world {
    struct signer *operator_, *account;
    const char *config, *account_jwt, *id;
};

static struct world world_new(const char *operator_nats)
{
    struct world world = { .operator_ = signer_new('O'), .account = signer_new('A') };
    world.id = signer_public(world.account);
    world.account_jwt = signer_jwt(world.operator_, world.id, "", NATS_ACCOUNT);
    world.config = signer_text("operator: \"%s\"\nresolver: MEMORY\n",
                               signer_jwt(world.operator_, signer_public(world.operator_), "",
                                          signer_text(NATS_OPERATOR "%s", operator_nats)));
    return world;
}

static void expect_problem(const char *config, const char *wanted)
{
    struct loaded loaded = load_with(config, NULL);
    bool said = false;
    cr_expect_null(loaded.options, "%s", config);
    for (size_t i = 0; i < loaded.problems.count; i++)
        said = said || strstr(loaded.problems.items[i].text, wanted);
    cr_expect(said, "%s\n does not say: %s\n but: %s", config, wanted,
              loaded.problems.count ? loaded.problems.items[0].text : "");
    unload(&loaded);
}

Test(options_operator, an_account_of_the_preload_becomes_one)
{
    struct world world = world_new("");
    const char *limited = signer_jwt(
        world.operator_, world.id, "",
        ",\"type\":\"account\",\"limits\":{\"subs\":1,\"payload\":2,\"conn\":3,\"leaf\":4}");
    struct loaded loaded = load_good(
        signer_text("%sresolver_preload { %s: \"%s\" }\n", world.config, world.id, limited));
    const struct options *options = loaded.options;
    const struct account_options *account = options->accounts[options->account_count - 1];

    cr_expect(operator_mode(options));
    for (size_t i = 0; i < options->account_count; i++)
        if (strcmp(options->accounts[i]->name, world.id) == 0)
            account = options->accounts[i];
    cr_assert_str_eq(account->name, world.id);
    cr_expect_eq(account->max_subscriptions, 1);
    cr_expect_eq(account->max_payload, 2);
    cr_expect_eq(account->max_connections, 3);
    cr_expect_eq(account->max_leafnodes, 4);
    cr_expect_not_null(account->claims);
    unload(&loaded);
}

Test(options_operator, an_operator_may_stand_in_a_file)
{
    struct world world = world_new("");
    const char *token =
        signer_jwt(world.operator_, signer_public(world.operator_), "", NATS_OPERATOR);
    write_file("op.jwt", signer_text("-----BEGIN NATS OPERATOR JWT-----\n%s\n"
                                     "------END NATS OPERATOR JWT------\n",
                                     token));
    write_file("bare.jwt", signer_text("%s\n", token));
    static const char *const CONFIGS[] = { "operator: op.jwt\nresolver: MEMORY\n",
                                           "operators: [\"bare.jwt\"]\nresolver: MEM\n",
                                           "root { resolver: 1 }" };
    for (size_t i = 0; i < 2; i++) {
        struct loaded loaded = load_good(CONFIGS[i]);
        cr_expect(operator_trusts(loaded.options, signer_public(world.operator_)));
        unload(&loaded);
    }
    expect_problem(CONFIGS[2], "error parsing operators: unsupported type");
}

Test(options_operator, trusted_keys_are_operators_without_a_jwt)
{
    struct world world = world_new("");
    const char *key = signer_public(world.operator_);
    struct loaded loaded = load_good(signer_text("trusted_keys: [%s]\nresolver: MEMORY\n", key));
    cr_expect(operator_mode(loaded.options));
    cr_expect(operator_trusts(loaded.options, key));
    cr_expect_not(operator_trusts(loaded.options, signer_public(signer_new('O'))));
    unload(&loaded);
    expect_problem(signer_text("trusted_keys: [%s]\nresolver: MEMORY", world.id),
                   "required to be a valid public operator nkey");
    expect_problem(signer_text("%strusted_keys: [%s]\n", world.config, key),
                   "conflicting options for 'TrustedKeys' and 'TrustedOperators'");
}

/* An operator that is written down and trusted by nobody would leave the door open. */
Test(options_operator, an_empty_list_is_not_everybody)
{
    expect_problem("trusted_keys: []\nresolver: MEMORY\n", "the list is empty");
    expect_problem("operator: []\nresolver: MEMORY\n", "the list is empty");
}

Test(options_operator, what_may_not_stand_beside_it_is_named)
{
    struct world world = world_new("");
    static const struct {
        const char *more, *wanted;
    } rows[] = {
        {"accounts { X {} }",                                  "operators do not allow Accounts to be configured directly"     },
        { "authorization { users: [{user: a, password: b}] }",
         "operators do not allow users to be configured directly"                                                              },
        { "no_auth_user: x",                                   "no_auth_user not compatible with Trusted Operator"             },
        { "system_account: AX",                                "error resolving system account: account missing"               },
        { "resolver_preload: 5",                               "preload should be a map of account_public_key:account_jwt"     },
        { "resolver_preload { A: 5 }",                         "preload map value should be a string JWT"                      },
        { "resolver_preload { A: \"eyJ\" }",                   "invalid account JWT"                                           },
        { "resolver_pinned_accounts: [x]",
         "pinned account key \"x\" is not a valid public account nkey"                                                         },
        { "default_sentinel: x",                               "default sentinel JWT not valid"                                },
        { "resolver: 5",                                       "error parsing operator resolver, wrong type int64"             },
        { "resolver: FOO",                                     "error parsing account resolver, should be MEM or  URL(\"url\")"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_problem(signer_text("%s%s\n", world.config, rows[i].more), rows[i].wanted);
    expect_problem("default_sentinel: x", "default sentinel requires operators and accounts");
    expect_problem(signer_text("trusted_keys: %s", signer_public(world.operator_)),
                   "operators require an account resolver to be configured");
    expect_problem(signer_text("operator: \"%s\"\nresolver: MEMORY", world.account_jwt),
                   "error parsing operator JWT: not operator claim");
    expect_problem("operator: /nowhere/op.jwt\nresolver: MEMORY",
                   "error parsing operator JWT: open /nowhere/op.jwt: No such file or directory");
}

Test(options_operator, an_operator_may_ask_for_a_version)
{
    static const struct {
        const char *version, *wanted;
    } rows[] = {
        {"99.1.0",   "expected major version 99 > server major version 2"  },
        { "2.99.0",  "expected minor version 99 > server minor version 14" },
        { "2.14.99", "expected update version 99 > server update version 5"},
        { "x",       "must be of the form <major>.<minor>.<update>"        },
        { "2.1",     "must be of the form <major>.<minor>.<update>"        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_problem(
            world_new(signer_text(",\"assert_server_version\":\"%s\"", rows[i].version)).config,
            rows[i].wanted);
    struct loaded loaded = load_good(world_new(",\"assert_server_version\":\"2.1.0\"").config);
    unload(&loaded);
}

Test(options_operator, accounts_of_others_are_left_out_and_said_so)
{
    struct world world = world_new("");
    const char *strangers = signer_jwt(signer_new('O'), world.id, "", NATS_ACCOUNT);
    const char *others = signer_public(signer_new('A'));
    const struct {
        const char *key, *jwt, *note;
    } rows[] = {
        {world.id, strangers,         "its JWT was not issued by a trusted operator"},
        { others,  world.account_jwt, "its JWT is about another account"            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct loaded loaded = load_good(signer_text("%sresolver_preload { %s: \"%s\" }\n",
                                                     world.config, rows[i].key, rows[i].jwt));
        bool noted = false;
        for (size_t k = 0; k < loaded.options->note_count; k++)
            noted = noted || strstr(loaded.options->notes[k], rows[i].note);
        cr_expect(noted, "%s", rows[i].note);
        for (size_t k = 0; k < loaded.options->account_count; k++)
            cr_expect_null(loaded.options->accounts[k]->claims);
        unload(&loaded);
    }
}

Test(options_operator, an_operator_does_not_change_by_reload)
{
    struct world world = world_new(""), other = world_new("");
    struct loaded old = load_good(world.config), same = load_good(world.config);
    struct loaded more = load_good(signer_text("%sresolver_preload { %s: \"%s\" }\n", world.config,
                                               world.id, world.account_jwt));
    struct loaded next = load_good(other.config);
    struct error err;

    cr_expect(options_may_reload(old.options, same.options, &err));
    cr_expect(options_may_reload(old.options, more.options, &err));
    cr_expect_not(options_may_reload(old.options, next.options, &err));
    cr_expect(strstr(err.text, "config reload not supported for TrustedOperators"), "%s", err.text);
    cr_expect_not(strstr(err.text, "eyJ"));
    unload(&old);
    unload(&same);
    unload(&more);
    unload(&next);
}

Test(options_operator, a_directory_is_described_by_a_block)
{
    struct world world = world_new("");
    struct loaded loaded = load_good(
        signer_text("%sresolver { type: FULL, dir: \"d\", interval: \"5s\", timeout: \"1s\", "
                    "limit: 7, allow_delete: true, hard_delete: true }\n",
                    world.config));
    const struct resolver_dir_options *dir = &loaded.options->operator_.resolver_dir;
    cr_expect_eq(loaded.options->operator_.resolver, RESOLVER_FULL);
    cr_expect_str_eq(dir->dir, "d");
    cr_expect_eq(dir->interval_ms, 5000);
    cr_expect_eq(dir->timeout_ms, 1000);
    cr_expect_eq(dir->limit, 7);
    cr_expect(dir->allow_delete && dir->hard_delete);
    unload(&loaded);

    loaded = load_good(
        signer_text("%sresolver { type: cache, dir: \"d\", ttl: \"1h\" }\n", world.config));
    dir = &loaded.options->operator_.resolver_dir;
    cr_expect_eq(loaded.options->operator_.resolver, RESOLVER_CACHE);
    cr_expect_eq(dir->limit, 1000);
    cr_expect_eq(dir->ttl_ms, 3600 * 1000);
    cr_expect_eq(dir->timeout_ms, 1900);
    unload(&loaded);
}

Test(options_operator, a_directory_that_makes_no_sense_is_refused)
{
    static const struct {
        const char *block, *wanted;
    } rows[] = {
        {"type: full",                                "dir has no value and needs to point to a directory"},
        { "type: full, dir: \"\"",                    "dir has no value and needs to point to a directory"},
        { "type: half, dir: d",                       "error parsing account resolver"                    },
        { "dir: d",                                   "error parsing account resolver"                    },
        { "type: full, dir: d, ttl: \"1s\"",          "FULL does not accept ttl"                          },
        { "type: cache, dir: d, interval: \"1s\"",    "CACHE does not accept sync"                        },
        { "type: cache, dir: d, allow_delete: false", "CACHE does not accept allow_delete"                },
        { "type: cache, dir: d, hard_delete: false",  "CACHE does not accept hard_delete"                 },
        { "type: full, dir: d, hard_delete: true",    "hard_delete has no effect without delete"          },
        { "type: full, dir: d, timeout: \"0s\"",      "Fetch timeout 0s is too small"                     },
        { "type: full, dir: d, interval: \"0s\"",     "interval 0s is too small"                          },
        { "type: full, dir: d, limit: -1",            "limit value can not be negative"                   },
        { "type: full, dir: d, limit: \"x\"",         "interface conversion"                              },
        { "type: full, dir: d, dirr: e",              "unknown field \"dirr\""                            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_problem(signer_text("%sresolver { %s }\n", world_new("").config, rows[i].block),
                       rows[i].wanted);
}

Test(options_operator, a_directory_does_not_change_by_reload)
{
    struct world world = world_new("");
    struct error err;
    const char *config = signer_text("%sresolver { type: full, dir: d", world.config);
    struct loaded old = load_good(signer_text("%s }\n", config)),
                  same = load_good(signer_text("%s, limit: 0 }\n", config)),
                  next = load_good(signer_text("%s, limit: 1 }\n", config));
    cr_expect(options_may_reload(old.options, same.options, &err));
    cr_expect_not(options_may_reload(old.options, next.options, &err));
    unload(&old);
    unload(&same);
    unload(&next);
}
