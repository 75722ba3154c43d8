/* test_options_authorization.c - users, passwords, permissions. */
#include "test_options_fixture.h"

#include "base/span.h"
#include "permissions.h"

TestSuite(options_authorization, .init = enter_empty_folder, .fini = leave_folder);

Test(options_authorization, mistakes_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        SAYS("authorization: 5", "gate.conf:1:0: interface conversion: interface {} is int64, not "
                                 "map[string]interface {}"),
        SAYS("authorization {foo: 5}", "gate.conf:1:15: unknown field \"foo\""),
        SAYS("authorization {user: 5}",
             "gate.conf:1:15: interface conversion: interface {} is int64, not string"),
        SAYS("authorization {user: a, password: 5}",
             "gate.conf:1:24: interface conversion: interface {} is int64, not string"),
        SAYS("authorization {timeout: \"x\"}", "gate.conf:1:15: error parsing authorization "
                                               "config, 'timeout' time: invalid duration \"x\""),
        SAYS("authorization {timeout: true}",
             "gate.conf:1:15: error parsing authorization config, 'timeout' wrong type"),
        SAYS("authorization {timeout: 100}",
             "gate.conf:1:15: invalid use of field \"timeout\": timeout of 100 (100.000000 "
             "seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted "
             "duration; use '1m' instead of 1m, for example"),
        SAYS("authorization {timeout: \"100s\"}",
             "gate.conf:1:15: invalid use of field \"timeout\": timeout of 100s (100.000000 "
             "seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted "
             "duration; use '1m' instead of 1m, for example"),
        FINE("authorization {timeout: 1.5}"),
        SAYS("authorization {users: 5}",
             "gate.conf:1:15: Expected users field to be an array, got 5"),
        SAYS("authorization {users: [5 ]}",
             "gate.conf:1:23: Expected user entry to be a map/struct, got 5"),
        SAYS("authorization {users: [{user: 1}]}",
             "gate.conf:1:24: interface conversion: interface {} is int64, not string"),
        SAYS("authorization {users: [{password: a}]}",
             "gate.conf:1:24: User entry requires a user"),
        FINE("authorization {users: [{user: a}]}"),
        SAYS("authorization {users: [{user: a, password: b},{user: a, password: c}]}",
             "gate.conf:1:0: Duplicate user \"a\" detected"),
        SAYS("authorization {users: [{nkey: abc}]}",
             "gate.conf:1:24: Not a valid public nkey for a user"),
        FINE("authorization {users: [{nkey: "
             "UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX}]}"),
        SAYS("authorization {users: [{user: a, allowed_connection_types: [x,MQTT]}]}",
             "gate.conf:1:33: invalid connection types [\"X\"]"),
        SAYS("authorization {users: [{user: a, allowed_connection_types: [x,y]}]}",
             "gate.conf:1:33: invalid connection types [\"X\" \"Y\"]"),
        SAYS("authorization {users: [{user: a, allowed_connection_types: [5 ]}]}",
             "gate.conf:1:60: error parsing allowed connection types: unsupported type in array "
             "int64"),
        FINE("authorization {users: [{user: a, allowed_connection_types: mqtt}]}"),
        SAYS("authorization {users: [{user: a, allowed_connection_types: 5}]}",
             "gate.conf:1:33: error parsing allowed connection types: unsupported type int64"),
        SAYS("authorization {users: [{user: a, password: b, permissions: 5}]}",
             "gate.conf:1:46: Expected permissions to be a map/struct, got 5"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {foo: 5}}]}",
             "gate.conf:1:60: Unknown field \"foo\" parsing permissions"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {publish: {foo: 5}}}]}",
             "gate.conf:1:70: Unknown field name \"foo\" parsing subject permissions, only 'allow' "
             "or 'deny' are permitted"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {publish: {allow: 5}}}]}",
             "gate.conf:1:70: Expected subject permissions to be a subject, or array of subjects, "
             "got int64"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {publish: {allow: "
             "\"a..b\"}}}]}",
             "gate.conf:1:70: subject \"a..b\" is not a valid subject"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {subscribe: {allow: [\"a "
             "q r\"]}}}]}",
             "gate.conf:1:72: subject \"a q r\" is not a valid subject"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {publish: {allow: [5 "
             "]}}}]}",
             "gate.conf:1:78: Subject in permissions array cannot be cast to string"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {allow_responses: 5}}]}",
             "gate.conf:1:60: error parsing response permissions, expected a boolean or a map"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {allow_responses: {foo: "
             "5}}}]}",
             "gate.conf:1:78: Unknown field \"foo\" parsing permissions"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {allow_responses: {max: "
             "x}}}]}",
             "gate.conf:1:78: interface conversion: interface {} is string, not int64"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {allow_responses: "
             "{expires: 5}}}]}",
             "gate.conf:1:78: error parsing expires, not a duration string"),
        SAYS("authorization {users: [{user: a, password: b, permissions: {allow_responses: "
             "{expires: \"x\"}}}]}",
             "gate.conf:1:78: error parsing expires: time: invalid duration \"x\""),
        SAYS("authorization {users: [{user: a, permissions: {pub: {allow: {}}}}]}",
             "gate.conf:1:53: Expected subject permissions to be a subject, or array of subjects, "
             "got map[string]interface {}"),
        SAYS(
            "authorization {users: [{user: a, password: \"\", permissions: {subscribe: [a, 5 ]}}]}",
            "gate.conf:1:76: Subject in permissions array cannot be cast to string"),
        SAYS("authorization {user: a, token: b}",
             "gate.conf:1:0: Cannot have a user/pass and token"),
        SAYS("authorization {user: a, password: c\n users: [{user: b, password: d}]}",
             "gate.conf:1:0: Can not have a single user/pass and a users array"),
        SAYS("authorization {token: a\n users: [{user: b, password: d}]}",
             "gate.conf:1:0: Can not have a token and a users array"),
        SAYS("authorization {default_permissions: {foo: 5}}",
             "gate.conf:1:37: Unknown field \"foo\" parsing permissions"),
        SAYS("authorization {default_permissions: 5}",
             "gate.conf:1:15: Expected permissions to be a map/struct, got 5"),
        SAYS("authorization {users: [{user: a, password: b, proxy_required: 5}]}",
             "gate.conf:1:46: interface conversion: interface {} is int64, not bool"),
        FINE("authorization {user: a}"),
        SAYS("authorization {user: a, users: []}",
             "gate.conf:1:0: Can not have a single user/pass and a users array"),
        SAYS("authorization {token: 5}",
             "gate.conf:1:15: interface conversion: interface {} is int64, not string"),
        SAYS("authorization {users: [{user: a, token: x}]}",
             "gate.conf:1:33: unknown field \"token\""),
        FINE("authorization: {}"),
        FINE("user = \"a\"\nauthorization { pw = \"x\"\n user: $user, password: $pw }"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_authorization, mistakes_have_a_place_even_where_nats_server_has_none)
{
    static const struct problem_row rows[] = {
        SAYS("authorization { users: [{ user: a, permissions: { publish: \"a..b\" } }] }",
             "gate.conf:1:50: subject \"a..b\" is not a valid subject"),
        SAYS("authorization { users: [{ user: a, permissions: { sub: \"a q.>.x\" } }] }",
             "gate.conf:1:50: queue \"q.>.x\" is not a valid queue"),
        SAYS("authorization { users: [{ user: a, permissions: { publish: 5 } }] }",
             "gate.conf:1:50: Expected subject permissions to be a subject, or array of subjects, "
             "got int64"),
        SAYS("authorization { timeout: -1 }", "gate.conf:1:16: error parsing authorization config, "
                                              "'timeout' can not be negative"),
        SAYS("authorization { password: b }",
             "gate.conf:1:16: invalid use of field \"password\": a "
             "password without a user has no effect"),
        SAYS("authorization { users: [{ nkey: "
             "UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX, user: a }] }",
             "gate.conf:1:26: Nkey users do not take usernames or passwords"),
        SAYS("authorization { users: ["
             "{ nkey: UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX },"
             "{ nkey: UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX }] }",
             "gate.conf:1:0: Duplicate nkey "
             "\"UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX\" detected"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_authorization, single_user)
{
    struct loaded loaded = load_good("authorization { username: a, pass: \"b c\" }");
    const struct auth_options *auth = &loaded.options->auth;
    cr_expect_str_eq(auth->user, "a");
    cr_expect_str_eq(auth->password, "b c");
    cr_expect_null(auth->token);
    cr_expect_eq(auth->user_count, 0);
    cr_expect_eq(auth->timeout_ms, 2000);
    cr_expect(loaded.options->plaintext_passwords);
    unload(&loaded);
}

Test(options_authorization, token_and_timeout)
{
    struct loaded loaded = load_good("authorization { token: s3cr3t, timeout: 1.5 }");
    cr_expect_str_eq(loaded.options->auth.token, "s3cr3t");
    cr_expect_null(loaded.options->auth.user);
    cr_expect_eq(loaded.options->auth.timeout_ms, 1500);
    unload(&loaded);
}

static const char USERS[] =
    "no_auth_user: b\n"
    "authorization {\n"
    "  users: [\n"
    "    { user: a, password: \"$2a$04$Z6Cjdq8SRyz9IXF5ZGqbYuSzbKmS4jBR9LvC0gRbPGVQEIQmQ6Q8a\",\n"
    "      allowed_connection_types: [mqtt, Standard] }\n"
    "    { user: b, permissions: { publish: { allow: [ \"x.>\", y ], deny: x.no }\n"
    "                              subscribe: \"in.* workers\" } }\n"
    "    { nkey: UC6NLCN7AS34YOJVCYD4PJ3QB7QGLYG5B5IMBT25VW5K4TNUJODM7BOX, permissions: {} }\n"
    "  ]\n"
    "  default_permissions: { allow_responses: { max: 3, ttl: \"1m\" } }\n"
    "}\n";

Test(options_authorization, users_keep_the_order_of_the_file)
{
    struct loaded loaded = load_good(USERS);
    const struct auth_options *auth = &loaded.options->auth;
    cr_assert_eq(auth->user_count, 3);
    cr_expect_str_eq(auth->users[0].name, "a");
    cr_expect_eq(auth->users[0].connection_types, CONNECTION_TYPE_MQTT | CONNECTION_TYPE_STANDARD);
    cr_expect_str_eq(auth->users[1].name, "b");
    cr_expect_eq(auth->users[1].connection_types, 0);
    cr_expect(auth->users[2].is_nkey);
    cr_expect_null(auth->users[2].password);
    cr_expect(auth->has_nkeys);
    cr_expect_str_eq(auth->no_auth_user, "b");
    unload(&loaded);
}

static bool may_publish(const struct loaded *loaded, size_t user, const char *subject)
{
    return permissions_may_publish(loaded->options->auth.users[user].permissions, span_of(subject));
}

Test(options_authorization, permissions_are_read_in_all_forms)
{
    struct loaded loaded = load_good(USERS);
    const struct permissions *b = loaded.options->auth.users[1].permissions;
    cr_expect(may_publish(&loaded, 1, "x.a"));
    cr_expect(may_publish(&loaded, 1, "y"));
    cr_expect_not(may_publish(&loaded, 1, "x.no"));
    cr_expect_not(may_publish(&loaded, 1, "z"));
    cr_expect(permissions_may_subscribe(b, span_of("in.1"), span_of("workers")));
    cr_expect_not(permissions_may_subscribe(b, span_of("in.1"), span_of("")));
    unload(&loaded);
}

Test(options_authorization, defaults_fill_in_for_users_without_permissions)
{
    struct loaded loaded = load_good(USERS);
    int64_t max = 0, expires_ns = 0;
    const struct auth_options *auth = &loaded.options->auth;
    cr_expect(permissions_response_limits(auth->users[0].permissions, &max, &expires_ns));
    cr_expect_eq(max, 3);
    cr_expect_eq(expires_ns, 60 * INT64_C(1000000000));
    cr_expect_not(may_publish(&loaded, 0, "z"));
    /* an empty map is a permission of its own: no restriction */
    cr_expect(may_publish(&loaded, 2, "z"));
    cr_expect_not(permissions_response_limits(auth->users[2].permissions, &max, &expires_ns));
    unload(&loaded);
}

Test(options_authorization, bcrypt_everywhere_is_no_plaintext)
{
    static const char BCRYPT[] = "$2a$04$Z6Cjdq8SRyz9IXF5ZGqbYuSzbKmS4jBR9LvC0gRbPGVQEIQmQ6Q8a";
    char *text = mem_printf("authorization { users: [{ user: a, password: \"%s\" }] }", BCRYPT);
    struct loaded loaded = load_good(text);
    cr_expect_not(loaded.options->plaintext_passwords);
    unload(&loaded);
    free(text);
    loaded = load_good("authorization { users: [{ user: a, password: b }] }");
    cr_expect(loaded.options->plaintext_passwords);
    unload(&loaded);
}

Test(options_authorization, permissions_without_users_are_noted)
{
    struct loaded loaded =
        load_good("authorization { user: a, password: b, permissions: { publish: x } }");
    cr_assert_eq(loaded.options->note_count, 1);
    cr_expect_not_null(strstr(loaded.options->notes[0], "permissions apply to the members"));
    unload(&loaded);
}

/* Written twice in different case, both blocks count, the later one last. */
Test(options_authorization, a_second_block_replaces_the_first)
{
    struct loaded loaded = load_good(
        "authorization { users: [{ user: a, password: b, permissions: { publish: x } }] }\n"
        "AUTHORIZATION { token: t }\n");
    cr_expect_eq(loaded.options->auth.user_count, 0);
    cr_expect_str_eq(loaded.options->auth.token, "t");
    unload(&loaded);
}
