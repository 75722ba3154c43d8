/* test_options_blocks.c - websocket {} and mqtt {}: read and checked completely, then refused. */
#include "test_options_fixture.h"

TestSuite(options_blocks, .init = enter_empty_folder, .fini = leave_folder);

#define UNAVAILABLE(name) "gate.conf:1:0: \"" name "\" is not available in this version of vouchd"
/* Nothing is wrong with the block but that it is not available. */
#define GRAMMATICAL(text, name) SAYS(text, UNAVAILABLE(name))

Test(options_blocks, mistakes_in_websocket_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        GRAMMATICAL("websocket {}", "websocket"),
        GRAMMATICAL("ws {}", "websocket"),
        SAYS("websocket {port: x}",
             "gate.conf:1:11: interface conversion: interface {} is string, not int64"),
        SAYS("websocket {listen: x}", "gate.conf:1:11: could not parse address string \"x\""),
        SAYS("websocket {listen: \"a:b\"}", "gate.conf:1:11: could not parse port \"b\""),
        SAYS("websocket {host: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("websocket {net: x}", "websocket"),
        SAYS("websocket {advertise: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("websocket {no_tls: true}", "websocket"),
        SAYS("websocket {tls: 5}", "gate.conf:1:11: interface conversion: interface {} is int64, "
                                   "not map[string]interface {}"),
        SAYS("websocket {tls {foo: 5}}",
             "gate.conf:1:16: error parsing tls config, unknown field \"foo\""),
        SAYS("websocket {tls {ocsp_peer: 5}}", "gate.conf:1:16: error parsing ocsp peer config: "
                                               "unsupported type map[string]interface {}"),
        SAYS("websocket {same_origin: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not bool"),
        SAYS("websocket {allowed_origins: 5}",
             "gate.conf:1:11: error parsing allowed origins: unsupported type int64"),
        SAYS("websocket {allowed_origins: [5 ]}",
             "gate.conf:1:29: error parsing allowed origins: unsupported type in array int64"),
        GRAMMATICAL("websocket {origin: \"http://a\", allow_origin: [\"http://b\"]}", "websocket"),
        GRAMMATICAL("websocket {handshake_timeout: 5}", "websocket"),
        SAYS("websocket {handshake_timeout: \"x\"}",
             "gate.conf:1:11: time: invalid duration \"x\""),
        SAYS("websocket {handshake_timeout: true}",
             "gate.conf:1:11: error parsing handshake timeout: unsupported type bool"),
        SAYS("websocket {handshake_timeout: 1.5}",
             "gate.conf:1:11: error parsing handshake timeout: unsupported type float64"),
        GRAMMATICAL("websocket {handshake_timeout: \"1s\"}", "websocket"),
        SAYS("websocket {compression: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not bool"),
        GRAMMATICAL("websocket {compress: true}", "websocket"),
        SAYS("websocket {authorization: 5}", "gate.conf:1:11: interface conversion: interface {} "
                                             "is int64, not map[string]interface {}"),
        SAYS("websocket {authorization {foo: 5}}", "gate.conf:1:26: unknown field \"foo\""),
        SAYS("websocket {authorization {user: 5}}",
             "gate.conf:1:26: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("websocket {authorization {user: a, pass: b, token: c}}", "websocket"),
        GRAMMATICAL("websocket {authorization {user: a, pass: b, timeout: 5}}", "websocket"),
        GRAMMATICAL("websocket {authorization {user: a, pass: b, timeout: \"5s\"}}", "websocket"),
        GRAMMATICAL("websocket {authentication {user: a}}", "websocket"),
        SAYS("websocket {jwt_cookie: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        SAYS("websocket {user_cookie: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        SAYS("websocket {pass_cookie: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        SAYS("websocket {token_cookie: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        GRAMMATICAL("websocket {token_cookie: a}", "websocket"),
        SAYS("websocket {no_auth_user: 5}",
             "gate.conf:1:11: interface conversion: interface {} is int64, not string"),
        SAYS("websocket {headers: 5}",
             "gate.conf:1:11: error parsing headers: unsupported type int64"),
        SAYS("websocket {headers {a: 5}}",
             "gate.conf:1:20: error parsing header key a: unsupported type int64"),
        GRAMMATICAL("websocket {headers {a: b}}", "websocket"),
        SAYS("websocket {ping_interval: 5}",
             "gate.conf:1:11: invalid use of field \"ping_interval\": ping_interval should be "
             "converted to a duration\n" UNAVAILABLE("websocket")),
        SAYS("websocket {ping_interval: x}",
             "gate.conf:1:11: error parsing ping_interval: time: invalid duration \"x\""),
        GRAMMATICAL("websocket {ping_interval: \"5s\"}", "websocket"),
        SAYS("websocket {tls {verify_cert_and_check_known_urls: true}}",
             "gate.conf:1:16: verify_cert_and_check_known_urls not supported in this context"),
        GRAMMATICAL("websocket {tls {}}", "websocket"),
        GRAMMATICAL("websocket {tls {handshake_first: true}}", "websocket"),
        SAYS("websocket {tls {pinned_certs: [x]}}",
             "gate.conf:1:31: error parsing tls config, 'pinned_certs' key x does not look like "
             "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo"),
        SAYS("websocket {port: 5.5}",
             "gate.conf:1:11: interface conversion: interface {} is float64, not int64"),
        SAYS("websocket {no_masking: true}", "gate.conf:1:11: unknown field \"no_masking\""),
        SAYS("websocket: []", "gate.conf:1:0: Expected websocket to be a map, got []interface {}"),
        SAYS("websocket {allowed_origins: [http://a, 5 ]}",
             "gate.conf:1:39: error parsing allowed origins: unsupported type in array int64"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_blocks, mistakes_in_mqtt_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        GRAMMATICAL("mqtt {}", "mqtt"),
        SAYS("mqtt {port: x}",
             "gate.conf:1:6: interface conversion: interface {} is string, not int64"),
        GRAMMATICAL("mqtt {port: -1}", "mqtt"),
        SAYS("mqtt {listen: x}", "gate.conf:1:6: could not parse address string \"x\""),
        SAYS("mqtt {host: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("mqtt {net: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("mqtt {tls: 5}", "gate.conf:1:6: interface conversion: interface {} is int64, not "
                              "map[string]interface {}"),
        SAYS("mqtt {tls {ocsp_peer: x}}", "gate.conf:1:11: error parsing ocsp peer config: "
                                          "unsupported type map[string]interface {}"),
        SAYS("mqtt {tls {ocsp_peer {foo: 1}}}", "gate.conf:1:11: gate.conf:1:22: error parsing tls "
                                                "peer config, unknown field [\"foo\"]"),
        SAYS("mqtt {authorization: 5}", "gate.conf:1:6: interface conversion: interface {} is "
                                        "int64, not map[string]interface {}"),
        SAYS("mqtt {authorization {foo: 1}}", "gate.conf:1:21: unknown field \"foo\""),
        GRAMMATICAL("mqtt {authentication {user: a, token: b}}", "mqtt"),
        SAYS("mqtt {no_auth_user: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("mqtt {ack_wait: 5}", "gate.conf:1:6: invalid use of field \"ack_wait\": ack_wait "
                                   "should be converted to a duration\n" UNAVAILABLE("mqtt")),
        SAYS("mqtt {ack_wait: x}",
             "gate.conf:1:6: error parsing ack_wait: time: invalid duration \"x\""),
        GRAMMATICAL("mqtt {ackwait: \"5s\"}", "mqtt"),
        SAYS("mqtt {max_ack_pending: x}",
             "gate.conf:1:6: interface conversion: interface {} is string, not int64"),
        SAYS("mqtt {max_ack_pending: 70000}",
             "gate.conf:1:6: invalid value 70000, should in [0..65535] range"),
        SAYS("mqtt {max_ack_pending: -1}",
             "gate.conf:1:6: invalid value -1, should in [0..65535] range"),
        GRAMMATICAL("mqtt {max_pending: 5 }", "mqtt"),
        GRAMMATICAL("mqtt {max_inflight: 65535 }", "mqtt"),
        SAYS("mqtt {js_domain: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not string"),
        SAYS("mqtt {stream_replicas: x}",
             "gate.conf:1:6: interface conversion: interface {} is string, not int64"),
        SAYS("mqtt {consumer_replicas: 5}",
             "gate.conf:1:6: invalid use of field \"consumer_replicas\": consumer replicas setting "
             "ignored in this server version\n" UNAVAILABLE("mqtt")),
        SAYS("mqtt {consumer_replicas: x}",
             "gate.conf:1:6: invalid use of field \"consumer_replicas\": consumer replicas setting "
             "ignored in this server version\n" UNAVAILABLE("mqtt")),
        SAYS("mqtt {consumer_memory_storage: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not bool"),
        SAYS("mqtt {consumer_inactive_threshold: 5}",
             "gate.conf:1:6: invalid use of field \"consumer_inactive_threshold\": "
             "consumer_inactive_threshold should be converted to a duration\n" UNAVAILABLE("mqtt")),
        SAYS("mqtt {consumer_auto_cleanup: x}",
             "gate.conf:1:6: error parsing consumer_inactive_threshold: time: invalid duration "
             "\"x\""),
        SAYS("mqtt {reject_qos2_publish: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not bool"),
        SAYS("mqtt {downgrade_qos2_subscribe: 5}",
             "gate.conf:1:6: interface conversion: interface {} is int64, not bool"),
        SAYS("mqtt {js_api_timeout: 5}",
             "gate.conf:1:6: invalid use of field \"js_api_timeout\": js_api_timeout should be "
             "converted to a duration\n" UNAVAILABLE("mqtt")),
        SAYS("mqtt {api_timeout: x}",
             "gate.conf:1:6: error parsing js_api_timeout: time: invalid duration \"x\""),
        GRAMMATICAL("mqtt {js_api_timeout: \"5s\"}", "mqtt"),
        SAYS("mqtt {tls {verify_cert_and_check_known_urls: true}}",
             "gate.conf:1:11: verify_cert_and_check_known_urls not supported in this context"),
        SAYS("mqtt {foo: 5}", "gate.conf:1:6: unknown field \"foo\""),
        SAYS("mqtt: []", "gate.conf:1:0: Expected mqtt to be a map, got []interface {}"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_blocks, what_nats_server_refuses_later_or_never)
{
    static const struct problem_row rows[] = {
        SAYS("websocket {port: -1}",
             "websocket requires TLS configuration\n" UNAVAILABLE("websocket")),
        SAYS("websocket {listen: 5 }",
             "websocket requires TLS configuration\n" UNAVAILABLE("websocket")),
        SAYS("websocket {allowed_origins: x}",
             "gate.conf:1:11: unable to parse allowed origin \"x\": allowed origins must be "
             "absolute URLs with http or https scheme"),
        SAYS("websocket {handshake_timeout: \"-1s\"}",
             "gate.conf:1:11: handshake_timeout value can not be negative"),
        SAYS("websocket {authorization {user: a, pass: b, timeout: x}}",
             "gate.conf:1:44: error parsing authorization config, 'timeout' time: invalid duration "
             "\"x\""),
        SAYS("websocket {authorization {users: [{user: a}]}}",
             "gate.conf:1:26: unknown field \"users\", did you mean \"user\"?"),
        SAYS("websocket {authorization {users: [{user: a}], user: b}}",
             "gate.conf:1:26: unknown field \"users\", did you mean \"user\"?"),
        SAYS("websocket {headers {Host: b}}",
             "gate.conf:1:20: websocket: invalid header \"Host\" not allowed"),
        SAYS("websocket {port: 70000}", "gate.conf:1:11: port value is too big"),
        SAYS("mqtt {ack_wait: \"-5s\"}", "gate.conf:1:6: ack_wait value can not be negative"),
        SAYS("websocket {headers {sec-websocket-foo: b}}",
             "gate.conf:1:20: websocket: invalid header \"sec-websocket-foo\", "
             "\"Sec-WebSocket-\" prefix not allowed"),
        SAYS("websocket {headers {\"a b\": c}}",
             "gate.conf:1:21: websocket: invalid header \"a b\" not allowed"),
        SAYS("websocket {headers {a: \"b\\r\\nc: d\"}}",
             "gate.conf:1:20: websocket: invalid header \"a\" not allowed"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_blocks, rules_across_blocks)
{
    /* nats-server says so at the start. */
    static const struct problem_row rows[] = {
        SAYS("websocket {no_tls: true, authorization {user: a, pass: b}}\n"
             "authorization {users: [{user: x, pass: y}]}",
             "websocket authentication username not compatible with presence of "
             "users/nkeys\n" UNAVAILABLE("websocket")),
        SAYS("mqtt {authorization {token: b}}\nauthorization {users: [{user: x, pass: y}]}",
             "mqtt authentication token not compatible with presence of users/nkeys\n" UNAVAILABLE(
                 "mqtt")),
        SAYS("mqtt {no_auth_user: b}\nauthorization {users: [{user: x, pass: y}]}",
             "no_auth_user: \"b\" not present as user or nkey in authorization block or account "
             "configuration\n" UNAVAILABLE("mqtt")),
        SAYS("websocket {no_tls: true, no_auth_user: b}",
             "no_auth_user: \"b\" present, but users/nkeys are not defined\n" UNAVAILABLE(
                 "websocket")),
        SAYS("websocket {no_tls: true, jwt_cookie: x}",
             "trusted operators or trusted keys configuration is required for JWT authentication "
             "via cookie \"x\"\n" UNAVAILABLE("websocket")),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_blocks, what_websocket_says_is_stored)
{
    struct options *options = read_only(
        "ws { listen: \"127.0.0.1:8080\", advertise: \"x:1\", no_tls: true, same_origin: true,\n"
        "  origins: [\"http://a\", \"https://b:8443\"], compress: true, handshake_timeout: 5,\n"
        "  ping_interval: \"7s\", no_auth_user: n, authentication { user: u, pass: p, timeout: 3 "
        "},\n"
        "  user_cookie: uc, pass_cookie: pc, token_cookie: tc, jwt_cookie: jc,\n"
        "  headers { X-One: 1a, X-Two: two } }");
    const struct websocket_options *websocket = options->websocket;
    cr_assert_not_null(websocket);
    cr_expect_str_eq(websocket->listen.host, "127.0.0.1");
    cr_expect_eq(websocket->listen.port, 8080);
    cr_expect_str_eq(websocket->advertise, "x:1");
    cr_expect(websocket->no_tls && websocket->same_origin && websocket->compression);
    cr_assert_eq(websocket->allowed_origins.count, 2);
    cr_expect_str_eq(websocket->allowed_origins.items[1], "https://b:8443");
    cr_expect_eq(websocket->handshake_timeout_ms, 5000);
    cr_expect_eq(websocket->ping_interval_ms, 7000);
    cr_expect_str_eq(websocket->auth.no_auth_user, "n");
    cr_expect_str_eq(websocket->auth.user, "u");
    cr_expect_str_eq(websocket->auth.password, "p");
    cr_expect_eq(websocket->auth.timeout_ms, 3000);
    cr_expect_str_eq(websocket->user_cookie, "uc");
    cr_expect_str_eq(websocket->pass_cookie, "pc");
    cr_expect_str_eq(websocket->token_cookie, "tc");
    cr_expect_str_eq(websocket->jwt_cookie, "jc");
    cr_assert_eq(websocket->header_count, 2);
    cr_expect_str_eq(websocket->headers[0].name, "X-One");
    cr_expect_str_eq(websocket->headers[0].value, "1a");
    options_release(options);
}

Test(options_blocks, what_mqtt_says_is_stored)
{
    struct options *options =
        read_only("mqtt { host: h, port: 1883, tls { verify: true, ocsp_peer: true },\n"
                  "  authorization { token: t }, ack_wait: \"5s\", max_inflight: 7,\n"
                  "  reject_qos2_publish: true, downgrade_qos2_subscribe: true, js_domain: d }");
    const struct mqtt_options *mqtt = options->mqtt;
    cr_assert_not_null(mqtt);
    cr_expect_str_eq(mqtt->listen.host, "h");
    cr_expect_eq(mqtt->listen.port, 1883);
    cr_expect(mqtt->tls && mqtt->tls->verify && mqtt->tls->ocsp_peer.verify);
    cr_expect(options_use_ocsp(options), "somebody is checked");
    cr_expect_str_eq(mqtt->auth.token, "t");
    cr_expect_eq(mqtt->ack_wait_ms, 5000);
    cr_expect_eq(mqtt->max_ack_pending, 7);
    cr_expect(mqtt->reject_qos2_publish && mqtt->downgrade_qos2_subscribe);
    options_release(options);
}

Test(options_blocks, what_they_do_not_say_has_a_default)
{
    struct options *options = read_only("websocket {}\nmqtt {}");
    cr_expect_str_eq(options->websocket->listen.host, "0.0.0.0");
    cr_expect_eq(options->websocket->listen.port, 0);
    cr_expect_eq(options->websocket->handshake_timeout_ms, 2000);
    cr_expect_null(options->websocket->tls);
    cr_expect_eq(options->websocket->allowed_origins.count, 0);
    cr_expect_eq(options->mqtt->ack_wait_ms, 30000);
    cr_expect_eq(options->mqtt->max_ack_pending, 1024);
    cr_expect_not(options_use_ocsp(options));
    options_release(options);
}
