/* accounts {}: who belongs where, and what is refused. */
#include "test_options_fixture.h"

#include "permissions.h"

TestSuite(options_accounts, .init = enter_empty_folder, .fini = leave_folder);

Test(options_accounts, wrong_ones_are_refused_as_nats_server_does)
{
    static const struct problem_row rows[] = {
        FINE("accounts { A {} }"),
        FINE("accounts: [A, B]"),
        FINE("accounts { A { users: [{user: a, password: x}] } }"),
        FINE("accounts { A { limits { max_conn: 1, max_subs: 2, max_pay: 3, max_leafs: -1 } } }"),
        FINE("accounts { A { jetstream: enabled, msg_trace: t } }"),
        SAYS("accounts { \"$G\" {} }", "gate.conf:1:12: \"$G\" is a Reserved Account"),
        SAYS("accounts: [A, B, A]", "gate.conf:1:17: Duplicate Account Entry: A"),
        SAYS("accounts { A: 3 }", "gate.conf:1:11: Expected map entries for accounts"),
        SAYS("accounts { A { foo: 3 } }", "gate.conf:1:15: unknown field \"foo\""),
        SAYS("accounts { A { nkey: foo } }",
             "gate.conf:1:15: Not a valid public nkey for an account: \"foo\""),
        SAYS("accounts { A { limits: 3 } }",
             "gate.conf:1:15: Expected account limits to be a map/struct, got 3"),
        SAYS("accounts { A { limits: {foo: 3} } }",
             "gate.conf:1:24: Unknown field \"foo\" parsing account limits"),
        SAYS("accounts { A { users: [{user: a, password: x}, {user: a, password: y}] } }",
             "gate.conf:1:15: Duplicate user \"a\" detected"),
        SAYS("accounts { A { users: [{user: a, password: x}] }\n"
             "  B { users: [{user: a, password: y}] } }",
             "gate.conf:2:7: Duplicate user \"a\" detected"),
        SAYS("authorization { users: [{user: a, password: x}] }\n"
             "accounts { B { users: [{user: a, password: y}] } }",
             "gate.conf:2:16: Duplicate user \"a\" detected"),
        SAYS("accounts { B { users: [{user: a, password: y}] } }\n"
             "authorization { users: [{user: a, password: x}] }",
             "gate.conf:2:1: Duplicate user \"a\" detected"),
        SAYS("authorization { user: a, password: x }\n"
             "accounts { B { users: [{user: c, password: y}] } }",
             "gate.conf:2:16: Can not have a single user/pass and accounts"),
        SAYS("authorization { token: t }\n"
             "accounts { B { users: [{user: c, password: y}] } }",
             "gate.conf:2:16: Can not have a token and accounts"),
        SAYS("system_account: FOO", "error resolving system account: account missing"),
        SAYS("no_auth_user: x\naccounts { A { users: [{user: a, password: y}] } }",
             "no_auth_user: \"x\" not present as user or nkey in authorization block or account "
             "configuration"),
        FINE("system_account: FOO\naccounts { FOO {} }"),
        FINE("system_account: FOO\nno_system_account: true"),
        FINE("no_auth_user: a\naccounts { A { users: [{user: a, password: y}] } }"),
    };
    EXPECT_PROBLEMS(rows);
}

static const struct user_options *user_named(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->auth.user_count; i++)
        if (strcmp(options->auth.users[i].name, name) == 0)
            return &options->auth.users[i];
    return NULL;
}

Test(options_accounts, users_belong_to_the_account_that_lists_them)
{
    struct loaded loaded =
        load("accounts { A { users: [{user: a, password: x}] }, B { users: [{user: b}] } }\n"
             "authorization { users: [{user: c, password: x}] }");
    const struct options *options = loaded.options;
    cr_assert_not_null(options);
    cr_expect_str_eq(user_named(options, "a")->account->name, "A");
    cr_expect_str_eq(user_named(options, "b")->account->name, "B");
    cr_expect_str_eq(user_named(options, "c")->account->name, "$G");
    cr_expect_str_eq(options->system_account->name, "$SYS");
    unload(&loaded);
}

Test(options_accounts, defaults_are_for_users_without_permissions)
{
    struct loaded loaded =
        load("accounts { A { users: [{user: a}, {user: b, permissions: { publish: other }}]\n"
             "  default_permissions { publish: some } } }");
    cr_assert_not_null(loaded.options);
    const struct permissions *a = user_named(loaded.options, "a")->permissions,
                             *b = user_named(loaded.options, "b")->permissions;
    cr_expect(permissions_may_publish(a, span_of("some")));
    cr_expect_not(permissions_may_publish(a, span_of("other")));
    cr_expect(permissions_may_publish(b, span_of("other")));
    cr_expect_not(permissions_may_publish(b, span_of("some")));
    unload(&loaded);
}

Test(options_accounts, with_system_users_only_others_come_in_without_credentials)
{
    struct loaded loaded = load("accounts { $SYS { users: [{user: s, password: x}] } }");
    cr_assert_not_null(loaded.options);
    cr_expect_str_eq(loaded.options->system_account->name, "$SYS");
    cr_expect(loaded.options->auth.admits_anonymous);
    cr_expect_str_eq(user_named(loaded.options, loaded.options->auth.no_auth_user)->account->name,
                     "$G");
    unload(&loaded);

    loaded = load("accounts { $SYS { users: [{user: s, password: x}] }, A {} }");
    cr_expect_not(loaded.options->auth.admits_anonymous);
    unload(&loaded);
}
