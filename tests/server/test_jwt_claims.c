/* test_jwt_claims.c - what operators, accounts, users and activations claim. */
#include "jwt.h"
#include "jwt_private.h"

#include "identity/signer.h"

#include <criterion/criterion.h>

TestSuite(jwt_claims, .fini = signer_end);

static struct error err;

static struct jwt *decode(char issuer, char subject, const char *nats)
{
    err.text[0] = '\0';
    const char *token =
        signer_jwt(signer_new(issuer), signer_public(signer_new(subject)), "", nats);
    return jwt_decode(span_of(token), &err);
}

static void expect_refused(char issuer, char subject, const char *nats, const char *reason)
{
    struct jwt *jwt = decode(issuer, subject, nats);
    cr_expect_null(jwt, "%s", nats);
    cr_expect(strstr(err.text, reason), "%s: '%s' does not say '%s'", nats, err.text, reason);
    jwt_free(jwt);
}

/* ---- user ------------------------------------------------------------------------------------ */

Test(jwt_claims, a_user_has_rights)
{
    struct jwt *jwt = decode(
        'A', 'U',
        ",\"type\":\"user\",\"pub\":{\"allow\":[\"a\",\"b.>\"],\"deny\":[\"c\"]},"
        "\"sub\":{\"allow\":[\"d q\"],\"deny\":[]},\"resp\":{\"max\":3,\"ttl\":5000},"
        "\"subs\":10,\"data\":-1,\"payload\":100,\"bearer_token\":true,\"proxy_required\":true,"
        "\"src\":[\"10.0.0.0/8\",\"::1/"
        "128\"],\"times\":[{\"start\":\"08:30:00\",\"end\":\"17:00:59\"}],"
        "\"times_location\":\"Europe/"
        "Berlin\",\"allowed_connection_types\":[\"STANDARD\",\"MQTT\"]");
    cr_assert(jwt, "%s", err.text);
    const struct jwt_user_rights *rights = &jwt->user.rights;
    cr_assert_eq(rights->permissions.pub_allow.count, 2);
    cr_expect_str_eq(rights->permissions.pub_allow.items[1], "b.>");
    cr_assert_eq(rights->permissions.pub_deny.count, 1);
    cr_assert_eq(rights->permissions.sub_allow.count, 1);
    cr_expect_str_eq(rights->permissions.sub_allow.items[0], "d q");
    cr_expect_eq(rights->permissions.sub_deny.count, 0);
    cr_expect(rights->permissions.may_respond);
    cr_expect_eq(rights->permissions.responses_max, 3);
    cr_expect_eq(rights->permissions.responses_ttl_ns, 5000);
    cr_expect_eq(rights->subs, 10);
    cr_expect_eq(rights->data, -1);
    cr_expect_eq(rights->payload, 100);
    cr_expect(rights->bearer_token);
    cr_expect(rights->proxy_required);
    cr_assert_eq(rights->src.count, 2);
    cr_expect(cidr_contains(&rights->src.items[0], "10.1.1.1"));
    cr_assert_eq(rights->times.count, 1);
    cr_expect_eq(rights->times.items[0].start_s, 8 * 3600 + 30 * 60);
    cr_expect_eq(rights->times.items[0].end_s, 17 * 3600 + 59);
    cr_expect_str_eq(rights->times_location, "Europe/Berlin");
    cr_assert_eq(rights->connection_types.count, 2);
    cr_expect_null(jwt->user.issuer_account);
    cr_expect_not(jwt_rights_are_empty(rights));
    jwt_free(jwt);
}

Test(jwt_claims, names_match_in_either_case_and_null_is_nothing)
{
    struct jwt *jwt = decode('A', 'U',
                             ",\"TYPE\":\"user\",\"Subs\":1,\"SUBS\":2,\"subs\":null,\"pub\":null,"
                             "\"unknown\":{\"x\":[1]}");
    cr_assert(jwt, "%s", err.text);
    cr_expect_eq(jwt->user.rights.subs, 2);
    cr_expect_eq(jwt->user.rights.payload, 0);
    jwt_free(jwt);
}

Test(jwt_claims, only_a_user_without_any_rights_has_none)
{
    static const char *const SOME[] = {
        "\"pub\":{\"allow\":[\"a\"]}",
        "\"pub\":{\"deny\":[\"a\"]}",
        "\"sub\":{\"allow\":[\"a\"]}",
        "\"sub\":{\"deny\":[\"a\"]}",
        "\"resp\":{}",
        "\"subs\":-1",
        "\"data\":1",
        "\"payload\":1",
        "\"bearer_token\":true",
        "\"proxy_required\":true",
        "\"src\":[\"1.1.1.1/8\"]",
        "\"times\":[{\"start\":\"00:00:00\",\"end\":\"01:00:00\"}]",
        "\"times_location\":\"UTC\"",
        "\"allowed_connection_types\":[\"MQTT\"]",
    };
    struct jwt *jwt = decode('A', 'U', ",\"type\":\"user\",\"pub\":{},\"sub\":{},\"subs\":0");
    cr_assert(jwt, "%s", err.text);
    cr_expect(jwt_rights_are_empty(&jwt->user.rights));
    jwt_free(jwt);
    for (size_t i = 0; i < sizeof SOME / sizeof *SOME; i++) {
        jwt = decode('A', 'U', signer_text(",\"type\":\"user\",%s", SOME[i]));
        cr_assert(jwt, "%s: %s", SOME[i], err.text);
        cr_expect_not(jwt_rights_are_empty(&jwt->user.rights), "%s", SOME[i]);
        jwt_free(jwt);
    }
}

Test(jwt_claims, sources_may_stand_in_one_text)
{
    struct jwt *jwt = decode('A', 'U', ",\"type\":\"user\",\"src\":\"10.0.0.0/8, 127.0.0.1/32\"");
    cr_assert(jwt, "%s", err.text);
    cr_expect_eq(jwt->user.rights.src.count, 2);
    jwt_free(jwt);
    jwt = decode('A', 'U', ",\"type\":\"user\",\"src\":\"\"");
    cr_assert(jwt, "%s", err.text);
    cr_expect_eq(jwt->user.rights.src.count, 0);
    jwt_free(jwt);
}

Test(jwt_claims, a_user_with_wrong_values_is_refused)
{
    static const struct {
        const char *claim, *reason;
    } rows[] = {
        {"\"src\":[\"10.0.0.0\"]",                                     "invalid cidr"         },
        { "\"src\":\"x\"",                                             "invalid cidr"         },
        { "\"src\":[1]",                                               "wrong type"           },
        { "\"times\":[{\"start\":\"8:00\",\"end\":\"09:00:00\"}]",     "time range is invalid"},
        { "\"times\":[{\"start\":\"24:00:00\",\"end\":\"09:00:00\"}]", "time range is invalid"},
        { "\"times\":[{}]",                                            "time range is invalid"},
        { "\"times\":[null]",                                          "time range is invalid"},
        { "\"times\":{}",                                              "wrong type"           },
        { "\"pub\":[]",                                                "wrong type"           },
        { "\"pub\":{\"allow\":\"a\"}",                                 "wrong type"           },
        { "\"pub\":{\"allow\":[1]}",                                   "wrong type"           },
        { "\"resp\":true",                                             "wrong type"           },
        { "\"subs\":\"1\"",                                            "wrong type"           },
        { "\"bearer_token\":1",                                        "wrong type"           },
        { "\"issuer_account\":\"AX\"",                                 "account public key"   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused('A', 'U', signer_text(",\"type\":\"user\",%s", rows[i].claim),
                       rows[i].reason);
}

/* ---- account --------------------------------------------------------------------------------- */

Test(jwt_claims, an_account_says_who_may_do_what)
{
    const char *plain = signer_public(signer_new('A')), *scoped = signer_public(signer_new('A'));
    const char *other = signer_public(signer_new('A'));
    struct jwt *jwt = decode(
        'O', 'A',
        signer_text(
            ",\"type\":\"account\",\"limits\":{\"subs\":5,\"data\":6,\"payload\":7,\"conn\":8,"
            "\"leaf\":9,"
            "\"imports\":2,\"exports\":3,\"wildcards\":true,\"disallow_bearer\":true},"
            "\"signing_keys\":[\"%s\",{\"kind\":\"user_scope\",\"key\":\"%s\",\"role\":\"r\","
            "\"template\":{\"pub\":{\"allow\":[\"x\"]},\"subs\":-1}}],"
            "\"revocations\":{\"*\":100,\"UX\":200},"
            "\"default_permissions\":{\"pub\":{\"deny\":[\"secret\"]},\"sub\":{}},"
            "\"mappings\":{\"a.*\":[{\"subject\":\"b.$1\",\"weight\":30},{\"subject\":\"c\","
            "\"cluster\":\"z\"}]},"
            "\"trace\":{\"dest\":\"tr\",\"sampling\":25},"
            "\"authorization\":{\"auth_users\":[\"UX\"]},"
            "\"exports\":[{\"name\":\"n\",\"subject\":\"s.>\",\"type\":\"stream\",\"token_req\":"
            "true,"
            "\"revocations\":{\"AX\":7}},{\"subject\":\"q\",\"type\":\"service\",\"response_type\":"
            "\"Chunked\","
            "\"response_threshold\":99,\"account_token_position\":2,\"allow_trace\":true,"
            "\"service_latency\":{\"sampling\":\"headers\",\"results\":\"lat\"}}],"
            "\"imports\":[{\"subject\":\"i\",\"account\":\"%s\",\"token\":\"t\",\"to\":\"u\","
            "\"type\":\"stream\"},"
            "{\"subject\":\"j\",\"account\":\"%s\",\"local_subject\":\"k\",\"type\":\"service\","
            "\"share\":true}]",
            plain, scoped, other, other));
    cr_assert(jwt, "%s", err.text);
    const struct jwt_account *account = &jwt->account;
    cr_expect_eq(account->subs, 5);
    cr_expect_eq(account->payload, 7);
    cr_expect_eq(account->connections, 8);
    cr_expect_eq(account->leafnodes, 9);
    cr_expect(account->disallow_bearer);
    cr_expect_not(jwt_signing_key(account, plain)->is_scoped);
    cr_assert(jwt_signing_key(account, scoped)->is_scoped);
    cr_expect_str_eq(jwt_signing_key(account, scoped)->template.permissions.pub_allow.items[0],
                     "x");
    cr_expect_eq(jwt_signing_key(account, scoped)->template.subs, -1);
    cr_expect_null(jwt_signing_key(account, other));
    cr_expect_eq(account->default_permissions.pub_deny.count, 1);
    cr_assert_eq(account->mappings.count, 1);
    cr_expect_str_eq(account->mappings.items[0].source, "a.*");
    cr_assert_eq(account->mappings.items[0].destinations.count, 2);
    cr_expect_eq(account->mappings.items[0].destinations.items[0].weight, 30);
    cr_expect_str_eq(account->mappings.items[0].destinations.items[1].cluster, "z");
    cr_expect_eq(account->callout_users.count, 1);
    cr_expect_str_eq(account->trace_dest, "tr");
    cr_expect_eq(account->trace_sampling, 25);
    cr_assert_eq(account->exports.count, 2);
    cr_expect(account->exports.items[0].token_required);
    cr_expect(jwt_is_revoked(&account->exports.items[0].revocations, "AX", 7));
    cr_expect_str_eq(account->exports.items[1].response_type, "Chunked");
    cr_expect_eq(account->exports.items[1].response_threshold_ns, 99);
    cr_expect_eq(account->exports.items[1].account_token_position, 2);
    cr_expect_str_eq(account->exports.items[1].latency_results, "lat");
    cr_assert_eq(account->imports.count, 2);
    cr_expect_str_eq(account->imports.items[0].to, "u");
    cr_expect(account->imports.items[1].is_service && account->imports.items[1].share);
    cr_expect_str_eq(account->imports.items[1].local_subject, "k");
    jwt_free(jwt);
}

Test(jwt_claims, what_was_issued_until_then_is_revoked)
{
    struct jwt_revocation items[] = {
        {"UA", 100},
        { "*", 50 }
    };
    struct jwt_revocations revocations = { items, 2 };
    cr_expect(jwt_is_revoked(&revocations, "UA", 100));
    cr_expect_not(jwt_is_revoked(&revocations, "UA", 101));
    cr_expect(jwt_is_revoked(&revocations, "UB", 50));
    cr_expect_not(jwt_is_revoked(&revocations, "UB", 51));
}

Test(jwt_claims, an_account_that_contradicts_itself_is_refused)
{
    static const struct {
        const char *claims, *reason;
    } rows[] = {
        {"\"limits\":{\"exports\":1},\"exports\":[{\"subject\":\"a\",\"type\":\"stream\"},{"
          "\"subject\":\"b\",\"type\":\"stream\"}]",                                    "more exports than allowed"},
        { "\"limits\":{\"exports\":-1},\"exports\":[{\"subject\":\"a.>\",\"type\":\"stream\"}]",
         "wildcard exports that are not allowed"                                                                            },
        { "\"limits\":{\"exports\":-1},\"exports\":[{\"type\":\"stream\"}]",                     "no subject"               },
        { "\"limits\":{\"exports\":-1},\"exports\":[null]",                                      "no subject"               },
        { "\"exports\":[{\"subject\":\"a\",\"type\":\"river\"}]",                                "unknown export type"      },
        { "\"exports\":[{\"subject\":\"a\",\"type\":1}]",                                        "unknown export type"      },
        { "\"imports\":[{\"subject\":\"a\",\"type\":\"stream\"}]",                               "no account"               },
        { "\"imports\":[{\"subject\":\"a\",\"account\":\"A\",\"type\":\"stream\"}]",             "no account"               },
        { "\"imports\":[null]",                                                                  "no account"               },
        { "\"signing_keys\":[\"A\"]",                                                            "signing key"              },
        { "\"signing_keys\":[{}]",                                                               "unknown scope"            },
        { "\"signing_keys\":[null]",                                                             "unknown scope"            },
        { "\"signing_keys\":[{\"kind\":\"user_scope\"}]",                                        "signing key"              },
        { "\"signing_keys\":[{\"kind\":\"user_scope\",\"key\":5}]",                              "wrong type"               },
        { "\"revocations\":[1]",                                                                 "wrong type"               },
        { "\"revocations\":{\"*\":\"x\"}",                                                       "wrong type"               },
        { "\"mappings\":{\"a\":{}}",                                                             "wrong type"               },
        { "\"mappings\":[[]]",                                                                   "wrong type"               },
        { "\"limits\":5",                                                                        "wrong type"               },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused('O', 'A', signer_text(",\"type\":\"account\",%s", rows[i].claims),
                       rows[i].reason);
    expect_refused(
        'O', 'A',
        signer_text(
            ",\"type\":\"account\",\"limits\":{\"imports\":0},\"imports\":[{\"subject\":\"a\","
            "\"type\":\"stream\",\"account\":\"%s\"}]",
            signer_public(signer_new('A'))),
        "more imports than allowed");
    expect_refused(
        'O', 'A',
        signer_text(
            ",\"type\":\"account\",\"limits\":{\"imports\":-1},\"imports\":[{\"subject\":\"a\","
            "\"type\":\"stream\",\"account\":\"%s\",\"to\":\"x\",\"local_subject\":\"y\"}]",
            signer_public(signer_new('A'))),
        "mutually exclusive");
}

/* ---- operator and activation ----------------------------------------------------------------- */

Test(jwt_claims, an_operator_names_its_signing_keys)
{
    const char *signing = signer_public(signer_new('O')), *system = signer_public(signer_new('A'));
    struct jwt *jwt =
        decode('O', 'O',
               signer_text(
                   ",\"type\":\"operator\",\"signing_keys\":[\"%s\"],\"system_account\":\"%s\","
                   "\"account_server_url\":\"http://x/jwt/v1\",\"assert_server_version\":\"2.1.0\"",
                   signing, system));
    cr_assert(jwt, "%s", err.text);
    cr_expect_str_eq(jwt->operator_.system_account, system);
    cr_expect_str_eq(jwt->operator_.account_server_url, "http://x/jwt/v1");
    cr_expect_str_eq(jwt->operator_.assert_server_version, "2.1.0");
    cr_expect(jwt_operator_signs(jwt, signing));
    cr_expect(jwt_operator_signs(jwt, jwt->subject));
    cr_expect_not(jwt_operator_signs(jwt, system));
    jwt->operator_.strict_signing_key_usage = true;
    cr_expect_not(jwt_operator_signs(jwt, jwt->subject));
    jwt_free(jwt);
    expect_refused('O', 'O', ",\"type\":\"operator\",\"signing_keys\":[\"O\"]", "signing key");
    expect_refused('O', 'O', ",\"type\":\"operator\",\"system_account\":\"A\"", "system account");
}

Test(jwt_claims, an_activation_opens_one_subject)
{
    struct jwt *jwt =
        decode('A', 'A', ",\"type\":\"activation\",\"subject\":\"a.b\",\"kind\":\"service\"");
    cr_assert(jwt, "%s", err.text);
    cr_expect_str_eq(jwt->activation.subject, "a.b");
    cr_expect(jwt->activation.is_service);
    jwt_free(jwt);
    expect_refused('A', 'A', ",\"type\":\"activation\",\"kind\":\"service\"", "no subject");
}

Test(jwt_claims, a_request_has_no_type_or_the_generic_one)
{
    static const char *const TYPES[] = { "", ",\"type\":\"generic\"" };
    struct signer *operator_ = signer_new('O');
    const char *id = signer_public(operator_);
    for (size_t i = 0; i < 2; i++) {
        struct error err = { "" };
        struct jwt *jwt =
            jwt_decode(span_of(signer_jwt(operator_, id, "",
                                          signer_text("%s,\"accounts\":[\"A\",\"B\"]", TYPES[i]))),
                       &err);
        cr_assert_not_null(jwt, "%s", err.text);
        cr_expect_eq(jwt->kind, JWT_GENERIC);
        cr_assert_eq(jwt->generic.accounts.count, 2);
        cr_expect_str_eq(jwt->generic.accounts.items[1], "B");
        jwt_free(jwt_retain(jwt));
        cr_expect_str_eq(jwt->issuer, id, "one owner is left");
        jwt_free(jwt);
    }
}

Test(jwt_claims, a_request_without_a_subject_is_refused)
{
    const struct jwt request = { .kind = JWT_GENERIC };
    struct error err = { "" };
    cr_expect_not(jwt_check(&request, &err));
    cr_expect_str_eq(err.text, "there is no subject");
}
