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
        FINE("accounts { A { trace_dest: { dest: t.x } }, B { msg_trace {} } }"),
        FINE("accounts { A { msg_trace: { dest: t, sampling: \"50%\" } } }"),
        FINE("accounts { A { msg_trace: { dest: t, sampling: \"50\" } } }"),
        SAYS("accounts { A { msg_trace: \"t.*\" } }",
             "gate.conf:1:15: Trace destination \"t.*\" is not valid"),
        SAYS("accounts { A { msg_trace: \"\" } }",
             "gate.conf:1:15: Trace destination \"\" is not valid"),
        SAYS("accounts { A { msg_trace: 5 } }",
             "gate.conf:1:15: Expected account message trace \"msg_trace\" to be a string or a "
             "map/struct, got int64"),
        SAYS("accounts { A { msg_trace: {sampling: 5} } }",
             "gate.conf:1:15: Trace destination sampling ignored since no destination was set"),
        SAYS("accounts { A { msg_trace: {dest: 5} } }",
             "gate.conf:1:27: Field \"dest\" should be a string, got int64"),
        SAYS("accounts { A { msg_trace: {dest: t, foo: 1} } }",
             "gate.conf:1:36: Unknown field \"foo\" parsing account message trace map/struct "
             "\"msg_trace\""),
        SAYS("accounts { A { msg_trace: {dest: t, sampling: 0} } }",
             "gate.conf:1:36: Trace destination sampling value 0 is invalid, needs to be [1..100]"),
        SAYS("accounts { A { msg_trace: {dest: t, sampling: 101} } }",
             "gate.conf:1:36: Trace destination sampling value 101 is invalid, needs to be "
             "[1..100]"),
        SAYS("accounts { A { msg_trace: {dest: t, sampling: \"x%\"} } }",
             "gate.conf:1:36: Invalid trace destination sampling value \"x%\""),
        SAYS("accounts { A { msg_trace: {dest: t, sampling: true} } }",
             "gate.conf:1:36: Trace destination sampling field \"sampling\" should be an integer "
             "or a percentage, got bool"),
        SAYS("accounts { A { imports: [{service: {account: B, subject: s}, allow_trace: true}] }\n"
             "  B { exports: [{service: s}] } }",
             "gate.conf:1:61: Detected allow_trace directive on a non-stream"),
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

Test(options_accounts, exports_and_imports_are_checked_against_each_other)
{
    static const struct problem_row rows[] = {
        SAYS("accounts {\nA { exports: [{stream: \"a.>\", accounts: [B, X]}] }\nB {}\n}",
             "gate.conf:1:0: \"X\" account not defined for stream export"),
        SAYS("accounts {\nA { exports: [{service: \"a.>\", accounts: [X]}] }\n}",
             "gate.conf:1:0: \"X\" account not defined for service export"),
        SAYS("accounts {\nA {}\nB { imports: [{service: {account: X, subject: a}}] }\n}",
             "gate.conf:1:0: \"X\" account not defined for service import"),
        SAYS("accounts {\nA {}\nB { imports: [{service: {account: \"$G\", subject: a}}] }\n}",
             "gate.conf:1:0: \"$G\" account not defined for service import"),
        SAYS("accounts {\nA { exports: [{service: \"a.>\"}] }\nB { imports: [{service: {account: "
             "A, subject: b.b}}] }\n}",
             "gate.conf:1:0: Error adding service import \"b.b\": service import not authorized"),
        SAYS("accounts {\nA { exports: [{service: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: a.b}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.b\": stream import not authorized"),
        SAYS("accounts {\nA { exports: [{stream: \"a.*\"}] }\nB { imports: [{stream: {account: A, "
             "subject: \"a.>\"}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.>\": stream import not authorized"),
        SAYS("accounts {\nA { exports: [{stream: \"a.>\", accounts: [C]}] }\nC {}\nB { imports: "
             "[{stream: {account: A, subject: a.b}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.b\": stream import not authorized"),
        SAYS("accounts {\nA { exports: [{stream: \"tok.*.>\", account_token_position: 2}] }\nB { "
             "imports: [{stream: {account: A, subject: \"tok.C.x\"}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"tok.C.x\": stream import not authorized"),
        SAYS("accounts {\nA { exports: [{stream: \"tok.*.>\", account_token_position: 1}] }\n}",
             "gate.conf:1:0: Error adding stream export \"tok.*.>\": sublist: invalid subject"),
        SAYS("accounts {\nA { exports: [{stream: \"tok.*.>\", account_token_position: 9}] }\n}",
             "gate.conf:1:0: Error adding stream export \"tok.*.>\": sublist: invalid subject"),
        SAYS("accounts {\nA { exports: [{stream: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: a.b}, prefix: x, to: y}] }\n}",
             "gate.conf:3:63: Stream import can not have a 'prefix' and a 'to' property"),
        SAYS("accounts {\nA { exports: [{stream: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: a.b}, prefix: \"x.*\"}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.b\": stream import prefix can not "
             "contain wildcard tokens"),
        SAYS("accounts {\nA { exports: [{stream: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: \"a.*\"}, to: x}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.*\": failed to create mapping "
             "transform for stream import subject from \"a.*\" to \"x\": invalid mapping "
             "destination: not using all of the token wildcard(s) in x"),
        SAYS("accounts {\nA { exports: [{service: \"a.>\"}] }\nB { imports: [{service: {account: "
             "A, subject: \"a.*\"}, to: l}] }\n}",
             "gate.conf:1:0: Error adding service import \"a.*\": failed to create mapping "
             "transform for service import subject from \"l\" to \"a.*\": invalid mapping "
             "destination: not using all of the token wildcard(s) in l"),
        SAYS("accounts {\nA { exports: [{stream: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: a.b}}, {stream: {account: A, subject: a.b}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"a.b\": stream import already exists"),
        SAYS("accounts {\nA { exports: [{service: \"a.>\"}] }\nB { imports: [{service: {account: "
             "A, subject: a.x}, to: l}, {service: {account: A, subject: a.y}, to: l}] }\n}",
             "gate.conf:1:0: Duplicate service import subject \"l\", previously used in import for "
             "account \"A\", subject \"a.x\""),
        SAYS("accounts {\nA { exports: [{service: foo}], imports: [{service: {account: B, subject: "
             "bar}, to: foo}] }\nB { exports: [{service: bar}], imports: [{service: {account: A, "
             "subject: foo}, to: bar}] }\n}",
             "gate.conf:1:0: Error adding service import \"foo\": import forms a cycle"),
        SAYS("accounts {\nA { exports: [{stream: foo}], imports: [{stream: {account: B, subject: "
             "foo}}] }\nB { exports: [{stream: foo}], imports: [{stream: {account: A, subject: "
             "foo}}] }\n}",
             "gate.conf:1:0: Error adding stream import \"foo\": import forms a cycle"),
        SAYS("accounts {\nA { exports: [{service: x}], imports: [{service: {account: C, subject: "
             "x}}] }\nB { exports: [{service: x}], imports: [{service: {account: A, subject: x}}] "
             "}\nC { exports: [{service: x}], imports: [{service: {account: B, subject: x}}] }\n}",
             "gate.conf:1:0: Error adding service import \"x\": import forms a cycle"),
        SAYS("accounts {\nA { exports: [{service: s, response_type: foo}] }\n}",
             "gate.conf:2:28: Unknown response type: \"foo\""),
        SAYS("accounts {\nA { exports: [{service: s, threshold: 3}] }\n}",
             "gate.conf:2:28: Expected response threshold to be a parseable time duration, got "
             "int64"),
        SAYS("accounts {\nA { exports: [{stream: s, response_type: stream}] }\n}",
             "gate.conf:2:27: Detected response directive on non-service"),
        SAYS("accounts {\nA { exports: [{stream: s, latency: foo}] }\n}",
             "gate.conf:2:27: Detected latency directive on non-service"),
        SAYS("accounts {\nA { exports: [{stream: s, service: x}] }\n}",
             "gate.conf:2:27: Detected service but already saw a stream"),
        SAYS("accounts {\nA { exports: [{foo: x}] }\n}", "gate.conf:2:16: unknown field \"foo\""),
        SAYS("accounts {\nA { exports: 3 }\n}",
             "gate.conf:2:5: Exports should be an array, got int64"),
        SAYS("accounts {\nA { exports: [a] }\n}",
             "gate.conf:2:15: Export Items should be a map with type entry, got string"),
        SAYS("accounts {\nA { exports: [{stream: 3}] }\n}",
             "gate.conf:2:16: Expected stream name to be string, got int64"),
        SAYS("accounts {\nA { imports: 3 }\n}",
             "gate.conf:2:5: Imports should be an array, got int64"),
        SAYS("accounts {\nA { imports: [a] }\n}",
             "gate.conf:2:15: Import Items should be a map with type entry, got string"),
        SAYS("accounts {\nA { imports: [{stream: x}] }\n}",
             "gate.conf:2:16: Stream entry should be an account map, got string"),
        SAYS("accounts {\nA { imports: [{stream: {account: B}}] }\nB {}\n}",
             "gate.conf:2:16: Expect an account name and a subject"),
        SAYS("accounts {\nA { imports: [{stream: {account: B, subject: a, foo: x}}] }\nB { "
             "exports: [{stream: a}] }\n}",
             "gate.conf:2:49: unknown field \"foo\""),
        FINE("accounts {\nA { exports: [{service: foo}], imports: [{service: {account: B, subject: "
             "bar}}] }\nB { exports: [{service: bar}], imports: [{service: {account: A, subject: "
             "foo}}] }\n}"),
        FINE("accounts {\nA { exports: [{service: foo}], imports: [{service: {account: A, subject: "
             "foo}, to: bar}] }\n}"),
        FINE("accounts {\nA { exports: [{service: foo}], imports: [{service: {account: A, subject: "
             "foo}}] }\n}"),
        FINE("accounts {\nA { exports: [{stream: \"a.>\"}] }\nB { imports: [{stream: {account: A, "
             "subject: \"a.*\"}, to: \"x.*\"}] }\n}"),
        FINE("accounts {\nA { exports: [{service: \"a.>\"}] }\nB { imports: [{service: {account: "
             "A, subject: \"a.*.*\"}, to: \"l.$2.$1\"}] }\n}"),
        FINE("accounts {\nA { exports: [{service: s, response_type: chunk, response_threshold: "
             "\"3s\", allow_trace: true}] }\n}"),
        FINE("accounts {\nA { exports: [{stream: a, accounts: []}] }\nB { imports: [{stream: "
             "{account: A, subject: a}}] }\n}"),
    };
    EXPECT_PROBLEMS(rows);
}

#define LATENCY(text)          "accounts {\nA { exports: [{service: s.x, latency: " text "}] }\n}"
#define LATENCY_SAYS(at, text) "gate.conf:2:" at ": " text
#define LATENCY_BAD(subject, text)                                                                 \
    "gate.conf:1:0: Error adding service latency sampling for \"s.x\" on subject \"" subject       \
    "\": " text

Test(options_accounts, latencies_are_checked_as_nats_server_does)
{
    static const struct problem_row rows[] = {
        FINE(LATENCY("l")),
        FINE(LATENCY("{subject: l.x}")),
        FINE(LATENCY("{subject: l, sampling: 100}")),
        FINE(LATENCY("{subject: l, sampling: \"25%\"}")),
        FINE(LATENCY("{subject: l, sampling: \"25\"}")),
        FINE(LATENCY("{subject: l, sampling: Headers}")),
        FINE("accounts {\nA { exports: [{service: s, latency: l}, {service: l}] }\n}"),
        SAYS(LATENCY("5"),
             LATENCY_SAYS("30", "Expected latency entry to be a map/struct or string, "
                                "got int64")),
        SAYS(LATENCY("{sampling: 5}"), LATENCY_SAYS("30", "Latency subject required, but missing")),
        SAYS(LATENCY("{subject: 7}"),
             LATENCY_SAYS("40", "Expected latency subject to be a string, got int64")),
        SAYS(LATENCY("{subject: l, sampling: 0}"),
             LATENCY_SAYS("52", "bad sampling percentage, should be 1-100")),
        SAYS(LATENCY("{subject: l, sampling: 101}"),
             LATENCY_SAYS("52", "bad sampling percentage, should be 1-100")),
        SAYS(LATENCY("{subject: l, sampling: \"200%\"}"),
             LATENCY_SAYS("52", "bad sampling percentage, should be 1-100")),
        SAYS(LATENCY("{subject: l, sampling: true}"),
             LATENCY_SAYS("52", "Expected latency sample to be a string or map/struct, got bool")),
        SAYS(LATENCY("{subject: l, sampling: x}"),
             LATENCY_SAYS("52", "Failed to parse latency sample: strconv.Atoi: parsing \"x\": "
                                "invalid syntax")),
        SAYS(LATENCY("\"l.*\""), LATENCY_BAD("l.*", "invalid publish subject")),
        SAYS(LATENCY("s.x"), LATENCY_BAD("s.x", "invalid publish subject")),
        SAYS(LATENCY("\"\""), LATENCY_BAD("", "invalid publish subject")),
        SAYS(LATENCY("l, response: chunked"), LATENCY_BAD("l", "bad service response type")),
        SAYS("no_system_account: true\naccounts {\nA { exports: [{service: s, latency: l}] }\n}",
             "gate.conf:2:1: Error adding service latency sampling for \"s\": system account not "
             "setup"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_accounts, mappings_are_checked_as_nats_server_does)
{
    static const struct problem_row rows[] = {
        SAYS("mappings { \"a.*\": \"b.{{foo(1)}}\" }",
             "gate.conf:1:12: Error adding mapping for \"a.*\" to \"b.{{foo(1)}}\" : invalid "
             "mapping destination: unknown function in {{foo(1)}}"),
        SAYS("mappings { \"a\": {dest: b} }",
             "gate.conf:1:12: Missing weight for mapping destination \"b\""),
        SAYS("mappings { \"a\": {dest: b, weight: 101} }",
             "gate.conf:1:26: Invalid weight 101 for mapping destination"),
        SAYS("mappings { \"a\": {dest: b, weight: x} }",
             "gate.conf:1:26: Invalid weight \"x\" for mapping destination"),
        SAYS("mappings { \"a\": {dest: b, weight: -1} }",
             "gate.conf:1:26: Invalid weight -1 for mapping destination"),
        SAYS("mappings { \"a\": [{dest: b, weight: 60%},{dest: c, weight: 60%}] }",
             "gate.conf:1:12: Error adding mapping for \"a\" : total weight needs to be <= 100"),
        SAYS("mappings { \"a\": [{dest: b, weight: 30%},{dest: b, weight: 30%}] }",
             "gate.conf:1:12: Error adding mapping for \"a\" : duplicate entry for \"b\""),
        SAYS("mappings { \"a\": 3 }",
             "gate.conf:1:12: Expected an entry for the mapping destination"),
        SAYS("mappings { \"a\": {dest: b, weight: 10, foo: 3} }",
             "gate.conf:1:38: Unknown field \"foo\" for mapping destination"),
        SAYS("mappings { \"a.>\": b }",
             "gate.conf:1:12: Error adding mapping for \"a.>\" to \"b\" : invalid subject"),
        FINE("mappings { \"a.*\": \"b.$1.$1\" }"),
        FINE("mappings { \"a.*\": b }"),
        FINE("mappings { \"a\": {dest: b, weight: \"50%\"} }"),
        FINE("mappings { \"a.*.>\": \"b.>\" }"),
        FINE("mappings { \"a\": {dest: b, weight: 50, cluster: x} }"),
        FINE("mappings { \"a\": [] }"),
        FINE("mappings { \"a\": [{dest: b, weight: 60},{dest: c, weight: 60, cluster: x}] }"),
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

Test(options_accounts, of_two_mappings_the_more_special_one_comes_first)
{
    struct loaded loaded = load("mappings { \"a.>\": \"x.>\", \"a.*\": y, a.b: z, \"*.b\": w }");
    const struct account_options *global = loaded.options->accounts[0];
    static const char *const ORDER[] = { "a.b", "a.*", "a.>", "*.b" };
    cr_assert_eq(global->mapping_count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_str_eq(global->mappings[i].source, ORDER[i]);
    unload(&loaded);
}

Test(options_accounts, a_list_for_this_cluster_takes_the_place_of_the_one_for_all)
{
    struct loaded loaded =
        load("mappings { a: [{dest: b, weight: 100}, {dest: c, weight: 100, cluster: c1}] }\n"
             "cluster { name: c1 }");
    const struct mapping_options *mapping = &loaded.options->accounts[0]->mappings[0];
    cr_assert_eq(mapping->target_count, 1);
    cr_expect_str_eq(mapping->targets[0].destination, "c");
    unload(&loaded);
}

/* Accounts 0 to n-1; each imports from the next one, the last one from the first if `closes`. */
static char *chain_of(unsigned n, const char *kind, bool closes)
{
    struct buf text = { 0 };
    buf_append_str(&text, "accounts {\n");
    for (unsigned i = 0; i < n; i++) {
        buf_printf(&text, "A%u { exports: [{%s: \"x.>\"}]", i, kind);
        if (i + 1 < n || closes)
            buf_printf(&text, ", imports: [{%s: {account: A%u, subject: \"x.>\"}}]", kind,
                       (i + 1) % n);
        buf_append_str(&text, " }\n");
    }
    buf_append_str(&text, "}\n");
    char *copy = mem_strdup(buf_str(&text));
    buf_free(&text);
    return copy;
}

Test(options_accounts, circles_of_any_length_are_refused)
{
    static const char *const KINDS[] = { "stream", "service" };
    for (unsigned n = 2; n <= 40; n++) {
        for (unsigned k = 0; k < 2; k++) {
            char *open_chain = chain_of(n, KINDS[k], false), *circle = chain_of(n, KINDS[k], true);
            struct loaded loaded = load(open_chain);
            cr_expect_not_null(loaded.options, "%u accounts in a row", n);
            unload(&loaded);
            loaded = load(circle);
            cr_assert_null(loaded.options, "a circle of %u", n);
            cr_expect_eq(loaded.problems.errors, 1);
            cr_expect(strstr(loaded.problems.items[0].text, "import forms a cycle"), "%s",
                      loaded.problems.items[0].text);
            unload(&loaded);
            free(open_chain);
            free(circle);
        }
    }
}
