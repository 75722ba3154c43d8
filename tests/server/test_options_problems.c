/* test_options_problems.c - what is said about wrong options of the top level, and where. */
#include "test_options_fixture.h"

TestSuite(options_problems, .init = enter_empty_folder, .fini = leave_folder);

Test(options_problems, are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        SAYS("ping_interval: 5", "gate.conf:1:0: invalid use of field \"ping_interval\": "
                                 "ping_interval should be converted to a duration"),
        SAYS("ping_interval: 1.5",
             "gate.conf:1:0: invalid use of field \"ping_interval\": ping_interval should be "
             "converted to a duration\n"
             "gate.conf:1:0: interface conversion: interface {} is float64, not int64"),
        SAYS("port: abc", "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        SAYS("port: true", "gate.conf:1:0: interface conversion: interface {} is bool, not int64"),
        SAYS("listen: 1.5", "gate.conf:1:0: expected port or host:port, got float64"),
        SAYS("listen: \"x:y\"", "gate.conf:1:0: could not parse port \"y\""),
        SAYS("listen: \"abc\"", "gate.conf:1:0: could not parse address string \"abc\""),
        SAYS("max_payload: 3000000000", "gate.conf:1:0: max_payload value is too big"),
        SAYS("max_control_line: 3000000000", "gate.conf:1:0: max_control_line value is too big"),
        SAYS("max_sub_tokens: 300", "gate.conf:1:0: max_sub_tokens value is too big"),
        SAYS("max_sub_tokens: -1", "gate.conf:1:0: max_sub_tokens value can not be negative"),
        SAYS("lame_duck_duration: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("lame_duck_duration: \"5s\"",
             "gate.conf:1:0: invalid lame_duck_duration of 5s, minimum is 30 seconds"),
        SAYS("lame_duck_grace_period: \"-5s\"",
             "gate.conf:1:0: invalid lame_duck_grace_period, needs to be positive"),
        SAYS("lame_duck_duration: \"abc\"",
             "gate.conf:1:0: error parsing lame_duck_duration: time: invalid duration \"abc\""),
        SAYS("server_name: \"a b\"", "gate.conf:1:0: server name cannot contain spaces"),
        SAYS("server_tags: 5", "gate.conf:1:0: error parsing tags: unsupported type int64"),
        FINE("server_tags: [a,B ]"),
        SAYS("server_metadata: 5", "gate.conf:1:0: error parsing metadata: unsupported type int64"),
        SAYS("server_metadata: {a: 5}",
             "gate.conf:1:18: interface conversion: interface {} is int64, not string"),
        FINE("server_metadata: {a: b}"),
        SAYS("http_base_path: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("write_timeout: x",
             "gate.conf:1:0: write_timeout must be 'default', 'close' or 'retry'"),
        SAYS("write_timeout: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("write_timeout: \"\"",
             "gate.conf:1:0: write_timeout must be 'default', 'close' or 'retry'"),
        SAYS("write_timeout: CLOSE",
             "gate.conf:1:0: write_timeout must be 'default', 'close' or 'retry'"),
        FINE("write_timeout: retry"),
        SAYS("write_deadline: \"x\"",
             "gate.conf:1:0: error parsing write_deadline: time: invalid duration \"x\""),
        SAYS("write_deadline: true",
             "gate.conf:1:0: invalid use of field \"write_deadline\": write_deadline should be "
             "converted to a duration\n"
             "gate.conf:1:0: interface conversion: interface {} is bool, not int64"),
        SAYS("no_auth_user: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("system_account: 5", "gate.conf:1:0: system account name must be a string"),
        SAYS("foo: 5", "gate.conf:1:0: unknown field \"foo\""),
        SAYS("foo: {\n a: 5\n}", "gate.conf:1:0: unknown field \"foo\""),
        SAYS("max_conn: x",
             "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        SAYS("no_system_account: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not bool"),
        SAYS("unknown {\n a: 5\n}\nport: x\n",
             "gate.conf:1:0: unknown field \"unknown\"\n"
             "gate.conf:4:1: interface conversion: interface {} is string, not int64"),
        SAYS("no_fast_producer_stall: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not bool"),
        SAYS("max_payload: 1.5",
             "gate.conf:1:0: interface conversion: interface {} is float64, not int64"),
        SAYS("port: 2024-01-01T00:00:00Z",
             "gate.conf:1:0: interface conversion: interface {} is time.Time, not int64"),
        SAYS("port: []",
             "gate.conf:1:0: interface conversion: interface {} is []interface {}, not int64"),
        SAYS("port: {}", "gate.conf:1:0: interface conversion: interface {} is "
                         "map[string]interface {}, not int64"),
        SAYS("logfile_size_limit: x",
             "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        SAYS("max_traced_msg_len: x",
             "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        SAYS("A: 5", "gate.conf:1:0: unknown field \"A\""),
        SAYS("debug: \"x\"",
             "gate.conf:1:0: interface conversion: interface {} is string, not bool"),
        SAYS("strict: true", "gate.conf:1:0: unknown field \"strict\""),
        SAYS("server_metadata: [a]",
             "gate.conf:1:0: error parsing metadata: unsupported type []interface {}"),
        FINE("logtime: false"),
        FINE("allow_non_tls: true"),
        FINE("listen: 5\nport: 6"),
        FINE("ping_interval: \"0s\""),
        FINE("max_closed_clients: 0"),
        SAYS("pid_file: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("listen: \"a:b:c:5\"", "gate.conf:1:0: could not parse address string \"a:b:c:5\""),
        FINE("listen: \"[::1]:5\""),
        SAYS("listen: \"::1:5\"", "gate.conf:1:0: could not parse address string \"::1:5\""),
        SAYS("listen: \"\"", "gate.conf:1:0: could not parse address string \"\""),
        SAYS("http: \"\"", "gate.conf:1:0: could not parse address string \"\""),
        FINE("http_base_path: \"../x//y/\""),
        FINE("lame_duck_grace_period: \"0s\""),
        SAYS("lame_duck_duration: 29999ms",
             "gate.conf:1:0: invalid lame_duck_duration of 29.999s, minimum is 30 seconds"),
        FINE("store = 5\nport = $store"),
        SAYS("helper = 5\nport = 6", "gate.conf:1:0: unknown field \"helper\""),
        FINE("port: 4222\nPORT: 4223"),
        SAYS("a.b.c: 5", "gate.conf:1:0: unknown field \"a.b.c\""),
        FINE("port 5"),
        FINE("{ \"port\": 4333, \"host\": \"127.0.0.1\" }"),
        FINE("port: 4222; host: \"x\", debug: true"),
        FINE("host: \"\""),
        FINE("max_connections: 1k\nmax_subs: 1M\nmax_payload: 1MB\nmax_pending: 10MB"),
        SAYS("syslog: 5", "gate.conf:1:0: interface conversion: interface {} is int64, not bool"),
        SAYS("remote_syslog: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("max_pings_out: 5", "gate.conf:1:0: unknown field \"max_pings_out\""),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, of_ignored_blocks_are_told)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        SAYS("jetstream: 5",
             "gate.conf:1:0: Expected map, bool or string to define JetStream, got int64"),
        SAYS("jetstream {foo: 5}", "gate.conf:1:11: unknown field \"foo\""),
        SAYS("jetstream: x",
             "gate.conf:1:0: Expected 'enabled' or 'disabled' for string value, got 'x'"),
        SAYS("jetstream {max_mem: true}", "gate.conf:1:11: max_mem_store must be int64 or string"),
        SAYS("jetstream {limits: 5}",
             "gate.conf:1:11: Expected a map to define JetStreamLimits, got int64"),
        SAYS("jetstream {limits: {foo: 5}}", "gate.conf:1:20: unknown field \"foo\""),
        SAYS("jetstream {cipher: x}", "gate.conf:1:11: Unknown cipher type: \"x\""),
        SAYS("jetstream {sync_interval: x}",
             "gate.conf:1:11: error parsing sync_interval: time: invalid duration \"x\""),
        SAYS("jetstream {max_buffered_msgs: x}",
             "gate.conf:1:11: Expected a parseable size for \"max_buffered_msgs\", got x"),
        FINE("jetstream: disabled"),
        SAYS("store_dir: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not string"),
        SAYS("default_js_domain: 5",
             "gate.conf:1:0: error default_js_domain config: unsupported type int64"),
        SAYS("cluster: 5", "gate.conf:1:0: Expected map to define cluster, got int64"),
        FINE("cluster {name: a}"),
        SAYS("cluster {name: 5}",
             "gate.conf:1:9: interface conversion: interface {} is int64, not string"),
        SAYS("cluster {foo: 5}", "gate.conf:1:9: unknown field \"foo\""),
        SAYS("cluster {name: \"a b\"}", "gate.conf:1:9: cluster name cannot contain spaces"),
        FINE("cluster {routes: []}"),
        SAYS("cluster {routes: 5}",
             "gate.conf:1:9: interface conversion: interface {} is int64, not []interface {}"),
        SAYS("gateway {foo: 5}", "gate.conf:1:9: unknown field \"foo\""),
        SAYS("gateway {name: 5}",
             "gate.conf:1:9: interface conversion: interface {} is int64, not string"),
        SAYS("gateway: 5", "gate.conf:1:0: Expected gateway to be a map, got int64"),
        SAYS("prof_port: x",
             "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        SAYS("feature_flags: {a: 5}",
             "gate.conf:1:16: error parsing feature flag \"a\": expected bool, got int64"),
        SAYS("feature_flags: 5",
             "gate.conf:1:0: error parsing feature flags: unsupported type int64"),
        SAYS("disable_sublist_cache: 5",
             "gate.conf:1:0: interface conversion: interface {} is int64, not bool"),
        SAYS("connect_error_reports: x",
             "gate.conf:1:0: interface conversion: interface {} is string, not int64"),
        FINE("prof_block_rate: 5"),
        FINE("default_js_domain: {a: b}"),
    };
    EXPECT_PROBLEMS(rows);
}

/* Here we differ on purpose: nats-server finds these mistakes only at start, or never. */
Test(options_problems, that_we_find_earlier)
{
    static const struct problem_row rows[] = {
        SAYS("port: 70000", "gate.conf:1:0: port value is too big"),
        SAYS("port: -2", "gate.conf:1:0: port value is too small"),
        SAYS("listen: \"h:99999\"", "gate.conf:1:0: port \"99999\" is not between -1 and 65535"),
        SAYS("http: 70000", "gate.conf:1:0: port \"70000\" is not between -1 and 65535"),
        SAYS("max_payload: -1", "gate.conf:1:0: max_payload value can not be negative"),
        SAYS("ping_interval: \"-1s\"", "gate.conf:1:0: ping_interval value can not be negative"),
        SAYS("max_pending_verifications: 0",
             "gate.conf:1:0: max_pending_verifications value is too small"),
        SAYS("lame_duck_duration: \"40s\"\nlame_duck_grace_period: \"40s\"",
             "lame duck grace period (40s) should be strictly lower than lame duck duration (40s)"),
        SAYS("max_pending: 100", "max_payload (1048576) cannot be higher than max_pending (100)"),
        FINE("client_advertise: \"[::1]:5\""),
        FINE("client_advertise: \"host\""),
        SAYS("client_advertise: \"1.2.3.4:x\"",
             "invalid ClientAdvertise value of 1.2.3.4:x, err=strconv.Atoi: parsing \"x\": invalid "
             "syntax"),
        SAYS("client_advertise: \"host:\"", "invalid ClientAdvertise value of host:, "
                                            "err=strconv.Atoi: parsing \"\": invalid syntax"),
        SAYS("client_advertise: \"::1\"",
             "invalid ClientAdvertise value of ::1, err=address ::1: too many colons in address"),
        SAYS("client_advertise: \"host:65536\"",
             "invalid ClientAdvertise value of host:65536, err=port out of range"),
        SAYS("no_auth_user: x", "no_auth_user: \"x\" present, but users/nkeys are not defined"),
        SAYS("no_auth_user: x\nauthorization { users: [{ user: a, password: b }] }",
             "no_auth_user: \"x\" not present as user or nkey in authorization block or account "
             "configuration"),
        SAYS("http: 1\nhttps: 2",
             "Can't start monitoring: can't specify both HTTP (1) and HTTPs (2) ports"),
        SAYS("https: 2", "Can't start monitoring: TLS cert and key required for HTTPS"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, of_parts_that_are_missing_here_are_never_silent)
{
    static const struct problem_row rows[] = {
        SAYS("ws { no_tls: true }",
             "gate.conf:1:0: \"websocket\" is not available in this version of vouchd"),
        SAYS("\n mqtt { port: 1 }",
             "gate.conf:2:2: \"mqtt\" is not available in this version of vouchd"),
        SAYS("leafnodes {}",
             "gate.conf:1:0: \"leafnodes\" is not available in this version of vouchd"),
        SAYS("proxies {}", "gate.conf:1:0: \"proxies\" is not available in this version of vouchd"),
        SAYS("ocsp: true", "gate.conf:1:0: OCSP stapling is not available in this version of "
                           "vouchd: set \"ocsp\" to false"),
        SAYS("ocsp { mode: auto }", "gate.conf:1:0: OCSP stapling is not available in this version "
                                    "of vouchd: set \"ocsp\" to false"),
        SAYS("cluster { name: c, routes: [\"nats://h:6222\"] }",
             "gate.conf:1:19: cluster routes are not supported by this server: connect it to the "
             "cluster with a leafnode remote instead"),
        SAYS("gateway { name: g, gateways: [{ name: h }] }",
             "gate.conf:1:19: gateways are not supported by this server: connect it to the cluster "
             "with a leafnode remote instead"),
        SAYS("authorization { auth_callout { issuer: x } }",
             "gate.conf:1:16: \"auth_callout\" is not available in this version of vouchd"),
        SAYS("authorization { proxy_required: true }",
             "gate.conf:1:16: \"proxy_required\" is not available in this version of vouchd"),
        FINE("authorization { proxy_required: false }"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, name_the_nearest_option)
{
    static const struct problem_row rows[] = {
        SAYS("max_paylod: 5",
             "gate.conf:1:0: unknown field \"max_paylod\", did you mean \"max_payload\"?"),
        SAYS("PROT: 5", "gate.conf:1:0: unknown field \"PROT\", did you mean \"port\"?"),
        SAYS("tls { verfy: true }", "gate.conf:1:6: error parsing tls config, unknown field "
                                    "\"verfy\", did you mean \"verify\"?"),
        SAYS("authorization { tokn: x }",
             "gate.conf:1:16: unknown field \"tokn\", did you mean \"token\"?"),
        SAYS("zz: 5", "gate.conf:1:0: unknown field \"zz\""),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, are_all_reported_in_file_order_warnings_first)
{
    static const struct problem_row rows[] = {
        SAYS("port: x\nping_interval: 5\nfoo: 1\nwrite_deadline: 6\nmax_payload: y",
             "gate.conf:2:1: invalid use of field \"ping_interval\": ping_interval should be "
             "converted to a duration\n"
             "gate.conf:4:1: invalid use of field \"write_deadline\": write_deadline should be "
             "converted to a duration\n"
             "gate.conf:1:0: interface conversion: interface {} is string, not int64\n"
             "gate.conf:3:1: unknown field \"foo\"\n"
             "gate.conf:5:1: interface conversion: interface {} is string, not int64"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, of_an_included_file_carry_its_name)
{
    static const struct problem_row rows[] = {
        SAYS("port: 4222\ninclude \"./more.conf\"",
             "more.conf:2:1: interface conversion: interface {} is string, not bool"),
    };
    write_file("more.conf", "debug: true\ntrace: \"yes\"\n");
    EXPECT_PROBLEMS(rows);
}

Test(options_problems, of_the_file_itself_are_told)
{
    static const struct problem_row rows[] = {
        SAYS("", "gate.conf: config has no values or is empty"),
        SAYS("port", "config is invalid (gate.conf:1:4)"),
    };
    EXPECT_PROBLEMS(rows);
    struct loaded loaded = load_with(NULL, (const char *const[]){ "-c", "none.conf", NULL });
    cr_assert_eq(loaded.problems.errors, 1);
    cr_expect_str_eq(loaded.problems.items[0].text, "open none.conf: no such file or directory");
    unload(&loaded);
}

Test(options_problems, variables_are_no_unknown_fields)
{
    static const struct problem_row rows[] = {
        FINE("limit = 2MB\nmax_payload: $limit"),
        SAYS("limit = 2MB\nmax_payload: 2MB", "gate.conf:1:0: unknown field \"limit\""),
    };
    EXPECT_PROBLEMS(rows);
}
