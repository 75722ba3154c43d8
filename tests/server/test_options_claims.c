/* test_options_claims.c - options with accounts that came at run time: the same file, other accounts. */
#include "test_options_fixture.h"

#include "identity/signer.h"
#include "jwt.h"
#include "parser/transform.h"

TestSuite(options_claims, .init = enter_empty_folder, .fini = leave_folder);

struct world {
    struct signer *operator_, *exporter, *importer;
    struct loaded loaded;
};

/* The exporter stands in the file. */
static struct world world_new(const char *exports)
{
    struct world world = { .operator_ = signer_new('O'),
                           .exporter = signer_new('A'),
                           .importer = signer_new('A') };
    const char *operator_ =
        signer_jwt(world.operator_, signer_public(world.operator_), "", NATS_OPERATOR);
    const char *id = signer_public(world.exporter);
    world.loaded =
        load_good(signer_text("port: 1\noperator: \"%s\"\nresolver: MEMORY\nmappings { in: out }\n"
                              "system_account: %s\nresolver_preload { %s: \"%s\" }\n",
                              operator_, id, id,
                              signer_jwt(world.operator_, id, "",
                                         signer_text(NATS_ACCOUNT ",\"exports\":[%s]", exports))));
    return world;
}

static struct jwt *account_jwt(const struct world *world, const struct signer *account,
                               const char *nats)
{
    struct error err = { "" };
    struct jwt *jwt = jwt_decode(span_of(signer_jwt(world->operator_, signer_public(account), "",
                                                    signer_text(NATS_ACCOUNT "%s", nats))),
                                 &err);
    cr_assert_not_null(jwt, "%s", err.text);
    return jwt;
}

static struct jwt *importer_jwt(const struct world *world, const char *rest)
{
    return account_jwt(world, world->importer,
                       signer_text(",\"imports\":[{\"account\":\"%s\",%s}]",
                                   signer_public(world->exporter), rest));
}

/* Options that know this JWT; takes it. */
static struct options *with(const struct world *world, struct jwt *jwt)
{
    struct options *options = options_with_claims(world->loaded.options, &jwt, 1);
    jwt_free(jwt);
    return options;
}

static bool has_note(const struct options *options, const char *text)
{
    for (size_t i = 0; i < options->note_count; i++)
        if (strstr(options->notes[i], text))
            return true;
    return false;
}

Test(options_claims, an_account_comes_with_imports_and_mappings)
{
    struct world world = world_new("{\"subject\":\"a.>\",\"type\":\"stream\"}");
    struct options *base = world.loaded.options;
    struct options *options =
        with(&world, importer_jwt(&world, "\"subject\":\"a.>\",\"type\":\"stream\"}],"
                                          "\"mappings\":{\"b.x\":[{\"subject\":\"c\"}],"
                                          "\"*.x\":[{\"subject\":\"d\"}]},\"x\":[{\"y\":0"));
    const struct account_options *account =
        options_find_account(options, signer_public(world.importer));

    cr_assert_not_null(account);
    cr_assert_eq(account->stream_count, 1);
    cr_expect_eq(account->streams[0].exporter,
                 options_find_account(options, signer_public(world.exporter)));
    cr_assert_eq(account->mapping_count, 2);
    cr_expect_str_eq(account->mappings[0].source, "b.x", "the more special one first");
    cr_expect_null(options_find_account(base, signer_public(world.importer)));
    cr_expect_eq(options_base(options), base);
    cr_expect_eq(options->port, base->port);
    cr_expect_eq(options->system_account,
                 options_find_account(options, signer_public(world.exporter)));
    cr_expect_eq(options->accounts[0]->mapping_count, 1, "\"$G\" stays as it is");
    unload(&world.loaded);
    cr_expect_eq(options->port, 1, "the base is retained");
    options_release(options);
}

Test(options_claims, a_later_jwt_replaces_that_of_the_file)
{
    struct world world = world_new("{\"subject\":\"a\",\"type\":\"stream\"}");
    const char *id = signer_public(world.exporter);
    struct options *options = with(&world, account_jwt(&world, world.exporter, ""));
    cr_expect_eq(options_find_account(world.loaded.options, id)->export_count, 1);
    cr_expect_eq(options_find_account(options, id)->export_count, 0);
    cr_expect_eq(options->account_count, world.loaded.options->account_count);
    options_release(options);
    unload(&world.loaded);
}

Test(options_claims, what_is_not_exported_is_left_out_with_a_note)
{
    struct world world = world_new("{\"subject\":\"a\",\"type\":\"stream\"}");
    struct options *options =
        with(&world, importer_jwt(&world, "\"subject\":\"b\",\"type\":\"stream\""));
    cr_expect_eq(options_find_account(options, signer_public(world.importer))->stream_count, 0);
    cr_expect(has_note(options, "stream import not authorized"));
    cr_expect_not(has_note(world.loaded.options, "stream import not authorized"));
    options_release(options);
    unload(&world.loaded);
}

Test(options_claims, the_first_activation_to_end_is_known)
{
    struct world world = world_new("{\"subject\":\"a.>\",\"type\":\"stream\",\"token_req\":true}");
    const struct {
        const char *head;
        size_t imports;
        int64_t ends_s;
    } rows[] = {
        {"",                     1, 0         },
        { ",\"exp\":4000000000", 1, 4000000000},
        { ",\"exp\":1000",       0, 0         },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *token =
            signer_jwt(world.exporter, signer_public(world.importer), rows[i].head,
                       ",\"type\":\"activation\",\"subject\":\"a.>\",\"kind\":\"stream\"");
        struct options *options =
            with(&world, importer_jwt(&world, signer_text("\"subject\":\"a.>\",\"type\":\"stream\","
                                                          "\"token\":\"%s\"",
                                                          token)));
        cr_expect_eq(options_find_account(options, signer_public(world.importer))->stream_count,
                     rows[i].imports, "row %zu", i);
        cr_expect_eq(options->activation_ends_s, rows[i].ends_s, "row %zu", i);
        options_release(options);
    }
    unload(&world.loaded);
}

Test(options_claims, bad_limits_of_one_account_do_no_harm_to_others)
{
    struct world world = world_new("{\"subject\":\"a.>\",\"type\":\"stream\"}");
    struct options *options =
        with(&world, account_jwt(&world, world.importer,
                                 ",\"default_permissions\":{\"pub\":{\"allow\":[\"a..b\"]}}"));
    cr_expect_null(options_find_account(options, signer_public(world.importer))->claims);
    cr_expect_not_null(options_find_account(options, signer_public(world.exporter))->claims);
    cr_expect(has_note(options, "is left out"));
    options_release(options);
    unload(&world.loaded);
}
