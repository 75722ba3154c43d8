/* test_options_leafnodes.c - leafnodes {} and its remotes: read and checked completely, then refused. */
#include "test_options_fixture.h"

TestSuite(options_leafnodes, .init = enter_empty_folder, .fini = leave_folder);

#define UNAVAILABLE(name) "gate.conf:1:0: \"" name "\" is not available in this version of vouchd"
/* Nothing is wrong with the block but that it is not available. */
#define GRAMMATICAL(text, name) SAYS(text, UNAVAILABLE(name))

Test(options_leafnodes, mistakes_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        GRAMMATICAL("leafnodes {}", "leafnodes"),
        GRAMMATICAL("leaf {}", "leafnodes"),
        SAYS("leaf {foo: 5}", "gate.conf:1:6: unknown field \"foo\""),
        SAYS("leaf {listen: x}", "gate.conf:1:6: could not parse address string \"x\""),
        SAYS("leaf {port: x}",
             "gate.conf:1:6: interface conversion: interface {} is string, not int64"),
        SAYS("leaf {host: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {authorization: 5}", "gate.conf:1:6: interface conversion: interface {} is "
                                        "int64, not map[string]interface {}"),
        SAYS("leaf {authorization {foo: 5}}", "gate.conf:1:21: unknown field \"foo\""),
        SAYS("leaf {authorization {user: 5}}",
             "gate.conf:1:21: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {authorization {user: a, pass: b, users: [{user: c}]}}",
             "gate.conf:1:6: can not have a single user/pass and a users array"),
        SAYS("leaf {authorization {user: a, pass: b, nkey: x}}",
             "gate.conf:1:39: Not a valid public nkey for leafnode authorization"),
        SAYS("leaf {authorization {nkey: x}}",
             "gate.conf:1:21: Not a valid public nkey for leafnode authorization"),
        SAYS("leaf {authorization {users: 5}}",
             "gate.conf:1:21: Expected users field to be an array, got 5"),
        SAYS("leaf {authorization {users: [5 ]}}",
             "gate.conf:1:29: Expected user entry to be a map/struct, got 5"),
        SAYS("leaf {authorization {users: [{foo: 5}]}}", "gate.conf:1:30: unknown field \"foo\""),
        SAYS("leaf {authorization {users: [{user: a},{user: a}]}}",
             "gate.conf:1:6: duplicate user \"a\" detected in leafnode authorization"),
        SAYS("leaf {authorization {users: [{user: 5}]}}",
             "gate.conf:1:30: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("leaf {authorization {users: [{pass: a}]}}", "leafnodes"),
        SAYS("leaf {authorization {users: [{user: a, account: 5}]}}",
             "gate.conf:1:39: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {authorization {account: 5}}",
             "gate.conf:1:21: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {authorization {timeout: x}}",
             "gate.conf:1:21: error parsing leafnode authorization config, 'timeout' time: invalid "
             "duration \"x\""),
        GRAMMATICAL("leaf {authorization {timeout: 5}}", "leafnodes"),
        SAYS("leaf {authorization {timeout: true}}",
             "gate.conf:1:21: error parsing leafnode authorization config, 'timeout' wrong type"),
        SAYS("leaf {authorization {proxy_required: 5}}",
             "gate.conf:1:21: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {authorization {proxy_required: true}}",
             "gate.conf:1:21: \"proxy_required\" is not available in this version of vouchd"),
        SAYS("leaf {authorization {nkey: UAQLHQVFRFLVIL7OEQ54L2YKK3PFPSZR5KGWHYGHLIPWLJ2U2MIZDYKR, "
             "users: [{user: b}]}}",
             "gate.conf:1:21: Not a valid public nkey for leafnode authorization\n"
             "gate.conf:1:6: can not have a single nkey and a users array"),
        SAYS("leaf {authorization {password: 5}}",
             "gate.conf:1:21: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {reconnect: 5}", "gate.conf:1:6: invalid use of field \"reconnect\": reconnect "
                                    "should be converted to a duration\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {reconnect: x}",
             "gate.conf:1:6: error parsing reconnect: time: invalid duration \"x\""),
        GRAMMATICAL("leaf {reconnect_delay: \"5s\"}", "leafnodes"),
        SAYS("leaf {reconnect_interval: true}",
             "gate.conf:1:6: invalid use of field \"reconnect\": reconnect should be converted to "
             "a duration\n"
             "gate.conf:1:6: interface conversion: interface {} is bool, not int64"),
        SAYS("leaf {tls: 5}", "gate.conf:1:6: interface conversion: interface {} is int64, not "
                              "map[string]interface {}"),
        SAYS("leaf {tls {ocsp_peer {foo: 5}}}", "gate.conf:1:11: gate.conf:1:22: error parsing tls "
                                                "peer config, unknown field [\"foo\"]"),
        SAYS("leaf {advertise: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {leafnode_advertise: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {no_advertise: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {min_version: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {min_version: x}",
             "gate.conf:1:6: invalid leafnode's minimum version: invalid semver"),
        SAYS("leaf {min_version: \"2.7.0\"}",
             "gate.conf:1:6: the minimum version should be at least 2.8.0"),
        GRAMMATICAL("leaf {minimum_version: \"2.8.0\"}", "leafnodes"),
        SAYS("leaf {minimum_version: \"v2.8.0\"}",
             "gate.conf:1:6: invalid leafnode's minimum version: invalid semver"),
        SAYS("leaf {compression: 5}",
             "gate.conf:1:6: field \"compression\" should be a boolean or a structure, got int64"),
        GRAMMATICAL("leaf {compression: true}", "leafnodes"),
        SAYS("leaf {compression {mode: 5}}",
             "gate.conf:1:19: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("leaf {compression: best}", "leafnodes"),
        SAYS("leaf {isolate_leafnode_interest: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {dial_timeout: 5}",
             "gate.conf:1:6: invalid use of field \"dial_timeout\": dial_timeout should be "
             "converted to a duration\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {dial_timeout: x}",
             "gate.conf:1:6: error parsing dial_timeout: time: invalid duration \"x\""),
        SAYS("leaf {write_deadline: 5}",
             "gate.conf:1:6: invalid use of field \"write_deadline\": write_deadline should be "
             "converted to a duration\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {write_timeout: x}",
             "gate.conf:1:6: write_timeout must be 'default', 'close' or 'retry'"),
        SAYS("leaf {ping_interval: 5}", "gate.conf:1:6: unknown field \"ping_interval\""),
        SAYS("leaf {tls {verify_cert_and_check_known_urls: true}}",
             "gate.conf:1:11: verify_cert_and_check_known_urls not supported in this context"),
        SAYS("leaf: []", "gate.conf:1:0: Expected map to define a leafnode, got []interface {}"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, mistakes_in_remotes_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        SAYS("leaf {remotes: [{url: 5}]}",
             "gate.conf:1:17: Expected remote leafnode url to be an array or string, got 5"),
        SAYS("leaf {remotes: [{url: \"nats://a:b:c\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\"nats://a:b:c\"]"),
        SAYS("leaf {remotes: [{url: \":\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\":\"]"),
        GRAMMATICAL("leaf {remotes: [{url: \"nats://a\"}]}", "leafnodes"),
        SAYS("leaf {remotes: [{urls: 5}]}",
             "gate.conf:1:17: Expected remote leafnode url to be an array or string, got 5"),
        SAYS("leaf {remotes: [{urls: [\"nats://a\", \"nats://a\"]}]}",
             "gate.conf:1:37: invalid use of field \"nats://a\": Duplicate leafnode entry "
             "detected\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {remotes: [{urls: [5 ]}]}",
             "gate.conf:1:24: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {remotes: [{account: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {remotes: [{local: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {remotes: [{creds: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("leaf {remotes: [{url: \"nats://a\", credentials: \"/none\"}]}", "leafnodes"),
        SAYS("leaf {remotes: [{nkey: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not string"),
        SAYS("leaf {remotes: [{tls: 5}]}", "gate.conf:1:17: interface conversion: interface {} is "
                                           "int64, not map[string]interface {}"),
        SAYS("leaf {remotes: [{tls {foo: 5}}]}",
             "gate.conf:1:22: error parsing tls config, unknown field \"foo\""),
        SAYS("leaf {remotes: [{tls {ocsp_peer: 5}}]}",
             "gate.conf:1:22: error parsing ocsp peer config: unsupported type "
             "map[string]interface {}"),
        SAYS("leaf {remotes: [{tls {ca_file: none}}]}",
             "gate.conf:1:17: open none: no such file or directory"),
        SAYS("leaf {remotes: [{hub: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{deny_imports: 5}]}",
             "gate.conf:1:17: Expected subject permissions to be a subject, or array of subjects, "
             "got int64"),
        SAYS("leaf {remotes: [{deny_import: \"a b\"}]}",
             "gate.conf:1:17: subject \"a b\" is not a valid subject"),
        SAYS("leaf {remotes: [{deny_exports: [\"a..b\"]}]}",
             "gate.conf:1:17: subject \"a..b\" is not a valid subject"),
        SAYS("leaf {remotes: [{deny_export: [5 ]}]}",
             "gate.conf:1:31: Subject in permissions array cannot be cast to string"),
        SAYS("leaf {remotes: [{ws_compression: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        GRAMMATICAL("leaf {remotes: [{websocket_compression: true}]}", "leafnodes"),
        GRAMMATICAL("leaf {remotes: [{ws_compress: true}]}", "leafnodes"),
        GRAMMATICAL("leaf {remotes: [{websocket_compress: true}]}", "leafnodes"),
        SAYS("leaf {remotes: [{ws_no_masking: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        GRAMMATICAL("leaf {remotes: [{websocket_no_masking: true}]}", "leafnodes"),
        GRAMMATICAL("leaf {remotes: [{js_cluster_migrate: true}]}", "leafnodes"),
        SAYS("leaf {remotes: [{isolate_leafnode_interest: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{isolate: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{request_isolation: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{compression: 5}]}",
             "gate.conf:1:17: field \"compression\" should be a boolean or a structure, got int64"),
        SAYS("leaf {remotes: [{compression {foo: x}}]}", "gate.conf:1:30: unknown field \"foo\""),
        SAYS("leaf {remotes: [{compression {mode: s2_auto, rtt_thresholds: 5}}]}",
             "gate.conf:1:45: interface conversion: interface {} is int64, not []interface {}"),
        SAYS("leaf {remotes: [{compression {mode: s2_auto, rtt_thresholds: [x]}}]}",
             "gate.conf:1:45: time: invalid duration \"x\""),
        GRAMMATICAL("leaf {remotes: [{compression {mode: s2_auto, rtt_thresholds: [5ms]}}]}",
                    "leafnodes"),
        SAYS("leaf {remotes: [{first_info_timeout: 5}]}",
             "gate.conf:1:17: invalid use of field \"first_info_timeout\": first_info_timeout "
             "should be converted to a duration\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {remotes: [{first_info_timeout: x}]}",
             "gate.conf:1:17: error parsing first_info_timeout: time: invalid duration \"x\""),
        SAYS("leaf {remotes: [{dial_timeout: x}]}",
             "gate.conf:1:17: error parsing dial_timeout: time: invalid duration \"x\""),
        SAYS("leaf {remotes: [{proxy: 5}]}",
             "gate.conf:1:17: Expected proxy to be a map, got int64"),
        SAYS("leaf {remotes: [{proxy {foo: 5}}]}", "gate.conf:1:24: unknown field \"foo\""),
        SAYS("leaf {remotes: [{proxy {url: 5}}]}",
             "gate.conf:1:24: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("leaf {remotes: [{url: \"nats://a\", proxy {url: \"http://p:8080\"}}]}",
                    "leafnodes"),
        SAYS("leaf {remotes: [{url: \"ws://a\", proxy {url: \"http://p:8080\", timeout: x}}]}",
             "gate.conf:1:61: error parsing proxy timeout: time: invalid duration \"x\""),
        SAYS("leaf {remotes: [{url: \"ws://a\", proxy {url: \"http://p:8080\", username: a}}]}",
             "gate.conf:1:32: proxy username and password must both be specified or both be empty"),
        SAYS("leaf {remotes: [{url: \"ws://a\", proxy {url: \"socks://p\"}}]}",
             "gate.conf:1:32: proxy URL scheme must be http or https, got: socks"),
        SAYS("leaf {remotes: [{disabled: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{ignore_discovered_servers: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{no_randomize: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{dont_randomize: 5}]}",
             "gate.conf:1:17: interface conversion: interface {} is int64, not bool"),
        SAYS("leaf {remotes: [{tls {verify_cert_and_check_known_urls: true}}]}",
             "gate.conf:1:22: verify_cert_and_check_known_urls not supported in this context"),
        GRAMMATICAL("leaf {remotes: []}", "leafnodes"),
        GRAMMATICAL("leaf {remotes: [{}]}", "leafnodes"),
        SAYS("leaf {remotes: [{url: \"nats://a\"}, {url: \"nats://a\"}]}",
             "gate.conf:1:36: duplicate remote urls=[\"nats://a\"], account=\"$G\""),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, what_nats_server_refuses_later_or_never)
{
    static const struct problem_row rows[] = {
        SAYS("leaf {remotes: [{url: \"a:5\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\"a:5\"]"),
        SAYS("leaf {remotes: [{url: \"http://a\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\"http://a\"]"),
        SAYS("leaf {remotes: [{urls: [\"nats://a\", \"ws://a\"]}]}",
             "gate.conf:1:17: remote leaf node configuration cannot have a mix of websocket and "
             "non-websocket urls: [\"nats://a\" \"ws://a\"]"),
        SAYS("leaf {remotes: [{nkey: x}]}",
             "gate.conf:1:17: Remote leafnode nkey is not a valid seed"),
        SAYS("leaf {remotes: [{creds: a, nkey: SUAM}]}",
             "gate.conf:1:27: Remote leafnode nkey is not a valid seed\n"
             "gate.conf:1:17: Remote leafnode can not have both creds and nkey defined"),
        SAYS("leaf {remotes: [{jetstream_cluster_migrate: 5}]}",
             "gate.conf:1:17: Expected boolean or map for jetstream_cluster_migrate, got int64"),
        GRAMMATICAL("leaf {remotes: [{js_cluster_migrate {leader_migrate_delay: x}}]}",
                    "leafnodes"),
        SAYS("leaf {remotes: [{compression: x}]}",
             "gate.conf:1:17: unsupported compression mode \"x\""),
        SAYS("leaf {remotes: [{compression {mode: x}}]}",
             "gate.conf:1:30: unsupported compression mode \"x\""),
        SAYS("leaf {compression: x}", "gate.conf:1:6: unsupported compression mode \"x\""),
        SAYS("leaf {remotes: [{tls {insecure: true, ocsp_peer: true}}]}",
             "gate.conf:1:38: invalid use of field \"ocsp_peer\": with \"insecure\" the hub's "
             "certificate is not verified, so OCSP refuses every hub: this remote can never "
             "connect\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {reconnect: \"-1s\"}", "gate.conf:1:6: reconnect value can not be negative"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, accounts_must_exist)
{
    /* nats-server says so at the start. */
    static const struct problem_row rows[] = {
        SAYS("leaf {remotes: [{url: \"nats://a\", account: X}]}",
             "cannot find local account \"X\" specified in leafnode "
             "remote\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {authorization {user: a, account: X}}",
             "cannot find local account \"X\" specified in leafnode "
             "authorization\n" UNAVAILABLE("leafnodes")),
        SAYS("leaf {authorization {users: [{user: a, account: X}]}}",
             "cannot find local account \"X\" specified in leafnode "
             "authorization\n" UNAVAILABLE("leafnodes")),
        SAYS("accounts {X: {}}\nleaf {remotes: [{url: \"nats://a\", account: X}]}",
             "gate.conf:2:1: \"leafnodes\" is not available in this version of vouchd"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, urls)
{
    static const char *const good[] = {
        "nats-leaf://a", "NATS://a:1",    "tls://u:p@a:7422",
        "wss://a/path",  "ws://[::1]:80", "nats://token@127.0.0.1"
    };
    static const char *const bad[] = { "",           "a",          "127.0.0.1:7422",
                                       "nats://",    "nats://:5",  "nats://[::1",
                                       "nats://a b", "nats://a:b", "nats://a:99999",
                                       "nats:a",     "ftp://a",    "nats://u@" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *text = mem_printf("leaf {remotes: [{url: \"%s\"}]}", good[i]);
        const struct problem_row row = GRAMMATICAL(text, "leafnodes");
        expect_problems(&row, 1);
        free(text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = mem_printf("leaf {remotes: [{url: \"%s\"}]}", bad[i]);
        char *problem = mem_printf("gate.conf:1:17: error parsing leafnode url [\"%s\"]", bad[i]);
        const struct problem_row row = SAYS(text, problem);
        expect_problems(&row, 1);
        free(text);
        free(problem);
    }
}

Test(options_leafnodes, passwords_in_urls_are_not_repeated)
{
    static const struct problem_row rows[] = {
        SAYS("leaf {remotes: [{url: \"nats://u:p@a\"}, {url: \"nats://u:p@a\"}]}",
             "gate.conf:1:40: duplicate remote urls=[\"nats://u:xxxxx@a\"], account=\"$G\""),
        SAYS("leaf {remotes: [{urls: [\"tls://u:p:@@a\", \"ws://a\"]}]}",
             "gate.conf:1:17: remote leaf node configuration cannot have a mix of websocket and "
             "non-websocket urls: [\"tls://u:xxxxx@a\" \"ws://a\"]"),
        SAYS("leaf {remotes: [{url: \"nats://u:p@a:b\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\"nats://u:xxxxx@a:b\"]"),
        SAYS("leaf {remotes: [{url: \"u:p@a:b\"}]}",
             "gate.conf:1:17: error parsing leafnode url [\"u:xxxxx@a:b\"]"),
        SAYS("leaf {remotes: [{urls: [\"nats://u:p@a\", \"nats://u:p@a\"]}]}",
             "gate.conf:1:41: invalid use of field \"nats://u:xxxxx@a\": Duplicate leafnode entry "
             "detected\n" UNAVAILABLE("leafnodes")),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, a_good_seed_is_taken)
{
    static const struct problem_row rows[] = {
        GRAMMATICAL("leaf {remotes: [{nkey: "
                    "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y}]}",
                    "leafnodes"),
        /* an account's seed */
        SAYS("leaf {remotes: [{seed: SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI}]}",
             "gate.conf:1:17: Remote leafnode nkey is not a valid seed"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_leafnodes, what_the_block_says_is_stored)
{
    struct options *options = read_only(
        "leafnodes { listen: \"127.0.0.1:7422\", advertise: \"x:1\", no_advertise: true, isolate: "
        "true,\n"
        "  min_version: \"2.9.0\", compression: { mode: s2_better, rtt_thresholds: [\"5ms\", "
        "\"1s\"] },\n"
        "  reconnect: \"3s\", dial_timeout: \"4s\", write_deadline: \"6s\", write_timeout: retry,\n"
        "  tls { verify: true, ocsp_peer: true },\n"
        "  authorization { users: [ { user: a, pass: b, account: c }, { user: d } ], timeout: 2 } "
        "}");
    const struct leafnode_options *leafnodes = options->leafnodes;
    cr_assert_not_null(leafnodes);
    cr_expect_str_eq(leafnodes->listen.host, "127.0.0.1");
    cr_expect_eq(leafnodes->listen.port, 7422);
    cr_expect_str_eq(leafnodes->advertise, "x:1");
    cr_expect(leafnodes->no_advertise && leafnodes->isolate);
    cr_expect_str_eq(leafnodes->min_version, "2.9.0");
    cr_expect_eq(leafnodes->compression.mode, LEAF_COMPRESSION_BETTER);
    cr_assert_eq(leafnodes->compression.rtt_threshold_count, 2);
    cr_expect_eq(leafnodes->compression.rtt_thresholds_ms[1], 1000);
    cr_expect_eq(leafnodes->reconnect_ms, 3000);
    cr_expect_eq(leafnodes->dial_timeout_ms, 4000);
    cr_expect_eq(leafnodes->write_deadline_ms, 6000);
    cr_expect_eq(leafnodes->write_timeout, WRITE_TIMEOUT_RETRY);
    cr_expect(options_use_ocsp(options));
    cr_assert_eq(leafnodes->user_count, 2);
    cr_expect_str_eq(leafnodes->users[0].account, "c");
    cr_expect_str_eq(leafnodes->users[1].name, "d");
    cr_expect_eq(leafnodes->auth_timeout_ms, 2000);
    options_release(options);
}

Test(options_leafnodes, what_a_remote_says_is_stored)
{
    struct options *options = read_only(
        "leafnodes { authorization { user: a, password: b, account: c },\n"
        "  remotes: [ {}, { urls: [\"wss://a\", \"wss://b:1\"], account: A, creds: \"/x\",\n"
        "    tls { ocsp_peer: true }, hub: true, dont_randomize: true, disabled: true,\n"
        "    ignore_discovered_servers: true, isolate: true, request_isolation: true,\n"
        "    ws_compress: true, websocket_no_masking: true, deny_import: \"i.>\",\n"
        "    deny_exports: [\"e.1\", \"e.2\"], compression: off, first_info_timeout: \"2s\",\n"
        "    dial_timeout: \"3s\", proxy { url: \"http://p:1\", username: u, password: w,\n"
        "    timeout: \"4s\" } } ] }");
    const struct leafnode_options *leafnodes = options->leafnodes;
    cr_assert_eq(leafnodes->remote_count, 2);
    cr_expect_str_eq(leafnodes->single.name, "a");
    cr_expect_str_eq(leafnodes->single.account, "c");
    const struct remote_options *plain = &leafnodes->remotes[0], *rich = &leafnodes->remotes[1];
    cr_expect_str_eq(plain->account, "$G");
    cr_expect_eq(plain->first_info_timeout_ms, 1000);
    cr_expect_eq(plain->compression.mode, LEAF_COMPRESSION_S2_AUTO);
    cr_expect_null(plain->tls);
    cr_assert_eq(rich->urls.count, 2);
    cr_expect_str_eq(rich->urls.items[1], "wss://b:1");
    cr_expect_str_eq(rich->account, "A");
    cr_expect_str_eq(rich->credentials, "/x");
    cr_expect(rich->tls && rich->tls->side == TLS_DIALS && rich->tls->ocsp_peer.verify);
    cr_expect(options_use_ocsp(options));
    cr_expect(rich->hub && rich->no_randomize && rich->disabled && rich->isolate);
    cr_expect(rich->ignore_discovered_servers && rich->request_isolation);
    cr_expect(rich->ws_compression && rich->ws_no_masking);
    cr_expect_str_eq(rich->deny_imports.items[0], "i.>");
    cr_expect_eq(rich->deny_exports.count, 2);
    cr_expect_eq(rich->compression.mode, LEAF_COMPRESSION_OFF);
    cr_expect_eq(rich->first_info_timeout_ms, 2000);
    cr_expect_eq(rich->dial_timeout_ms, 3000);
    cr_expect_str_eq(rich->proxy_url, "http://p:1");
    cr_expect_str_eq(rich->proxy_password, "w");
    cr_expect_eq(rich->proxy_timeout_ms, 4000);
    options_release(options);
}
