/* test_jwt_template.c - what becomes of the gaps in a scope's template. */
#include "jwt_template.h"

#include "identity/signer.h"

#include <criterion/criterion.h>

TestSuite(jwt_template, .fini = signer_end);

static struct error err;

static struct jwt *decode(char issuer, char subject, const char *head, const char *nats)
{
    const char *token =
        signer_jwt(signer_new(issuer), signer_public(signer_new(subject)), head, nats);
    struct jwt *jwt = jwt_decode(span_of(token), &err);
    cr_assert(jwt, "%s", err.text);
    return jwt;
}

static struct jwt *user_named(const char *name)
{
    return decode('A', 'U', signer_text(",\"name\":\"%s\"", name),
                  ",\"type\":\"user\",\"tags\":[\"team:red\",\"team:blue\",\"x:1\",\"bad:*\"]");
}

static struct jwt *account(void)
{
    return decode('O', 'A', ",\"name\":\"ACC\"", ",\"type\":\"account\",\"tags\":[\"region:eu\"]");
}

/* The subjects that one allowed subject becomes, separated by blanks. */
static const char *filled(const char *subject, const char *name)
{
    struct jwt_permissions template = { .pub_allow = { &subject, 1 } }, out;
    struct jwt *user = user_named(name), *acc = account();
    const char *text = "";
    cr_assert(jwt_template_fill(&template, user, acc, &out, &err), "%s", err.text);
    for (size_t i = 0; i < out.pub_allow.count; i++)
        text = signer_text("%s%s%s", text, i ? " " : "", out.pub_allow.items[i]);
    cr_expect_eq(out.pub_deny.count, out.pub_allow.count == 0 ? 1 : 0);
    jwt_free(user);
    jwt_free(acc);
    return text;
}

Test(jwt_template, gaps_are_filled)
{
    static const struct {
        const char *template, *result;
    } rows[] = {
        {"plain.>",                      "plain.>"                            },
        { "a.{{name()}}.>",              "a.bob.>"                            },
        { "{{ name() }}",                "bob"                                },
        { "{{NAME()}}",                  "bob"                                },
        { "a.{{account-name()}}",        "a.ACC"                              },
        { "{{tag(team)}}.x",             "red.x blue.x"                       },
        { "{{tag( team )}}.{{tag(x)}}",  "red.1 blue.1"                       },
        { "{{tag(team)}}.{{tag(team)}}", "red.red red.blue blue.red blue.blue"},
        { "{{account-tag(region)}}",     "eu"                                 },
        { "{{name()}}.{{name()}}",       "bob.bob"                            },
        { "{{tag(none)}}",               ""                                   },
        { "{{tag(tea)}}",                ""                                   }, /* "team:" does not begin with it */
        { "{{tag(bad)}}",                ""                                   }, /* a wildcard is no value */
        { "{{tag()}}",                   ""                                   },
        { "{{name(x)}}",                 ""                                   },
        { "{{unknown()}}",               ""                                   },
        { "{{name}}",                    ""                                   },
        { "{{}}",                        ""                                   },
        { "a.{{name()",                  "a.{{name()"                         }, /* no gap */
        { "a.}}b",                       "a.}}b"                              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(filled(rows[i].template, "bob"), rows[i].result, "%s", rows[i].template);
}

/* Whoever chooses a name must not choose more than a token with it. */
Test(jwt_template, a_name_is_no_wildcard)
{
    static const char *const NAMES[] = { "*", ">", "a.>", "a b", "", "a\\tb" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        cr_expect_str_eq(filled("x.{{name()}}", NAMES[i]), "", "%s", NAMES[i]);
}

Test(jwt_template, a_denied_subject_must_have_a_value)
{
    const char *subject = "x.{{tag(none)}}";
    struct jwt *user = user_named("bob"), *acc = account();
    struct jwt_permissions pub = { .pub_deny = { &subject, 1 } }, sub = { .sub_deny = { &subject, 1 } };
    struct jwt_permissions out;
    cr_expect_not(jwt_template_fill(&pub, user, acc, &out, &err));
    cr_expect_not(jwt_template_fill(&sub, user, acc, &out, &err));
    jwt_free(user);
    jwt_free(acc);
}

Test(jwt_template, many_tags_in_many_gaps_come_to_an_end)
{
    const char *tags = "\"t:0\"", *subject = "{{tag(t)}}";
    for (int i = 1; i < 100; i++)
        tags = signer_text("%s,\"t:%d\"", tags, i);
    for (int i = 1; i < 20; i++)
        subject = signer_text("%s.{{tag(t)}}", subject);
    struct jwt *user = decode('A', 'U', "", signer_text(",\"type\":\"user\",\"tags\":[%s]", tags));
    struct jwt *acc = account();
    const char *impossible = signer_text("%s.{{tag(none)}}", subject);
    struct jwt_permissions template = {
        .pub_allow = {&subject,     1},
          .sub_allow = { &impossible, 1}
    };
    struct jwt_permissions out;
    cr_assert(jwt_template_fill(&template, user, acc, &out, &err));
    cr_expect_leq(out.pub_allow.count, 4096);
    cr_expect_eq(out.sub_allow.count, 0);
    cr_expect_str_eq(out.sub_deny.items[0], ">");
    jwt_free(user);
    jwt_free(acc);
}
