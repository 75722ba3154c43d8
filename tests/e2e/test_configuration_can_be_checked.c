/* `-t` tells whether a configuration is good, without starting; a bad one says where and why. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(configuration_can_be_checked);

static int check(struct server **server, const char *config)
{
    const char *const arguments[] = { "-t", NULL };

    return server_run(server,
                      &(struct launch){ .config = config, .arguments = arguments, .bare = true });
}

SCENARIO(configuration_can_be_checked, a_good_one_has_a_digest)
{
    struct server *server = NULL;
    int status = check(&server, "port: 4333\nmax_payload: 1MB # a comment\n");

    cr_assert_eq(status, 0, "%s", server_errors(server));
    cr_assert_str_eq(server_errors(server),
                     text("%s: configuration file %s is valid (sha256:"
                          "8f3dfcadc774b37c6e307ddca8f4235f73bb309c58779b73e7e985a7e2764f55)\n",
                          server_name(), server_path(server, "server.conf")));
}

struct mistake {
    const char *config, *place, *reason;
};

static const struct mistake MISTAKES[] = {
    {"port: 4333\nmax_paylod: 5\n",                                     ":2:1:",  "unknown field \"max_paylod\""                           },
    { "\nauthorization { usr: a }\n",                                   ":2:17:", "unknown field \"usr\""                                  },
    { "port: 4333\nmax_payload: \"many\"\n",                            ":2:1:",  "interface conversion"                                   },
    { "port: 4333\nlame_duck_duration: \"5s\"\n",
     ":2:1:",                                                                     "invalid lame_duck_duration of 5s, minimum is 30 seconds"},
    { "port: 4333\nauthorization { user: a, password: b, token: c }\n",
     ":2:",                                                                       "Cannot have a user/pass and token"                      },
    { "tls { cert_file: \"a.pem\" }\n",                                 "",       "missing 'key_file' in TLS configuration"                },
    { "port: 4333\nauthorization { users: [ {nkey: UABC} ] }\n",
     ":2:",                                                                       "Not a valid public nkey for a user"                     },
    { "port: [\n",                                                      "",       ""                                                       },
    { "a = { b = 5\n",                                                  "",       ""                                                       },
    { "include \"nowhere.conf\"\n",                                     "",       "nowhere.conf"                                           },
};

EACH_ROW(configuration_can_be_checked, a_mistake_has_its_place, sizeof MISTAKES / sizeof *MISTAKES)
{
    const struct mistake *mistake = &MISTAKES[*row];
    struct server *server = NULL;
    int status = check(&server, mistake->config);
    const char *said = server_errors(server);

    cr_assert_eq(status, 1);
    require(strncmp(said, server_name(), strlen(server_name())) == 0, "it said: %s", said);
    require(strstr(said, text("%s%s", mistake->place[0] ? "server.conf" : "", mistake->place)),
            "expected '%s' in: %s", mistake->place, said);
    require(strstr(said, mistake->reason), "expected '%s' in: %s", mistake->reason, said);
}

SCENARIO(configuration_can_be_checked, all_mistakes_are_told_at_once)
{
    struct server *server = NULL;
    int status = check(&server, "port: 4333\nfirst_wrong: 1\nsecond_wrong: 2\n");

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "first_wrong") &&
                strstr(server_errors(server), "second_wrong"),
            "it said: %s", server_errors(server));
}

SCENARIO(configuration_can_be_checked, a_mistake_prevents_the_start)
{
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .config = "no_such_option: 1\n" });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "unknown field \"no_such_option\""), "it said: %s",
            server_errors(server));
}

SCENARIO(configuration_can_be_checked, a_missing_file_is_told)
{
    const char *const arguments[] = { "-c", "nowhere.conf", NULL };
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .arguments = arguments });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "open nowhere.conf: no such file or directory"),
            "it said: %s", server_errors(server));
}

SCENARIO(configuration_can_be_checked, there_must_be_one)
{
    const char *const arguments[] = { "-t", NULL };
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .arguments = arguments });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "must specify [-c, --config] option to check "
                                          "configuration file syntax"),
            "it said: %s", server_errors(server));
}
