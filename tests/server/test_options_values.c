/* test_options_values.c - what a configuration that is right leaves in struct options. */
#include "test_options_fixture.h"

#include "options_schema.h"

TestSuite(options_values, .init = enter_empty_folder, .fini = leave_folder);

Test(options_values, defaults)
{
    struct loaded loaded = load_with(NULL, NULL);
    const struct options *o = loaded.options;
    cr_assert_not_null(o);
    cr_expect_str_eq(o->host, "0.0.0.0");
    cr_expect_eq(o->port, 4222);
    cr_expect_eq(o->http_port, 0);
    cr_expect_str_eq(o->http_host, "0.0.0.0");
    cr_expect_str_eq(o->http_base_path, "");
    cr_expect_str_eq(o->http_base_path_text, "");
    cr_expect_null(o->server_name);
    cr_expect_null(o->tls);
    cr_expect_eq(o->max_connections, 65536);
    cr_expect_eq(o->max_control_line, 4096);
    cr_expect_eq(o->max_payload, 1048576);
    cr_expect_eq(o->max_pending, 67108864);
    cr_expect_eq(o->max_closed_clients, 10000);
    cr_expect_eq(o->ping_interval_ms, 120000);
    cr_expect_eq(o->ping_max, 2);
    cr_expect_eq(o->write_deadline_ms, 10000);
    cr_expect_eq(o->write_timeout, WRITE_TIMEOUT_DEFAULT);
    cr_expect_eq(o->lame_duck_duration_ms, 120000);
    cr_expect_eq(o->lame_duck_grace_ms, 10000);
    cr_expect_eq(o->auth.timeout_ms, 2000);
    cr_expect_eq(o->max_workers, 0);
    cr_expect_eq(o->max_pending_verifications, 1024);
    cr_expect(o->logtime);
    cr_expect_null(o->config_file);
    cr_expect_str_eq(o->config_digest, "");
    cr_expect_eq(o->note_count, 0);
    unload(&loaded);
}

Test(options_values, listeners)
{
    struct loaded loaded = load_good(
        "listen: \"[::1]:4333\"; http: \"127.0.0.1:8222\"; http_base_path: \"../mon//x/./y/../\"\n"
        "client_advertise: \"gate.example:4222\"; proxy_protocol: yes; allow_non_tls: true\n");
    const struct options *o = loaded.options;
    cr_expect_str_eq(o->host, "::1");
    cr_expect_eq(o->port, 4333);
    cr_expect_str_eq(o->http_host, "127.0.0.1");
    cr_expect_eq(o->http_port, 8222);
    cr_expect_str_eq(o->http_base_path, "/mon/x");
    cr_expect_str_eq(o->http_base_path_text, "../mon//x/./y/../");
    cr_expect_str_eq(o->client_advertise, "gate.example:4222");
    cr_expect(o->proxy_protocol);
    cr_expect(o->allow_non_tls);
    unload(&loaded);
}

Test(options_values, an_empty_host_is_all_hosts)
{
    struct loaded loaded = load_good("host: \"127.0.0.1\"; listen: \":4333\"; monitor_port: -1");
    cr_expect_str_eq(loaded.options->host, "0.0.0.0");
    cr_expect_eq(loaded.options->port, 4333);
    cr_expect_str_eq(loaded.options->http_host, "0.0.0.0");
    cr_expect_eq(loaded.options->http_port, -1);
    unload(&loaded);
}

Test(options_values, identity)
{
    struct loaded loaded = load_good("server_name: gate; cluster { name: harbour }\n"
                                     "server_tags: [ \" Az:1 \", az:1, Edge ]\n"
                                     "server_metadata { rack: \"7\", owner: Ops }\n");
    const struct options *o = loaded.options;
    cr_expect_str_eq(o->server_name, "gate");
    cr_expect_str_eq(o->cluster_name, "harbour");
    cr_assert_eq(o->server_tag_count, 2);
    cr_expect_str_eq(o->server_tags[0], "az:1");
    cr_expect_str_eq(o->server_tags[1], "edge");
    cr_assert_eq(o->server_metadata_count, 2);
    cr_expect_str_eq(o->server_metadata[1].key, "owner");
    cr_expect_str_eq(o->server_metadata[1].value, "Ops");
    unload(&loaded);
}

Test(options_values, limits)
{
    struct loaded loaded = load_good(
        "max_conn: 1k; max_subs: 7; max_subscription_tokens: 9; max_control_line: 2KB\n"
        "max_payload: 2MB; max_pending: 10MB; max_closed_clients: 3; ping_interval: \"1500ms\"\n"
        "ping_max: 4; write_deadline: \"500us\"; write_timeout: retry\n"
        "no_fast_producer_stall: true; no_header_support: true\n"
        "lame_duck_duration: \"1m\"; lame_duck_grace_period: \"7s\"\n"
        "max_workers: 3; max_pending_verifications: 17\n");
    const struct options *o = loaded.options;
    cr_expect_eq(o->max_connections, 1000);
    cr_expect_eq(o->max_subscriptions, 7);
    cr_expect_eq(o->max_sub_tokens, 9);
    cr_expect_eq(o->max_control_line, 2048);
    cr_expect_eq(o->max_payload, 2097152);
    cr_expect_eq(o->max_pending, 10485760);
    cr_expect_eq(o->max_closed_clients, 3);
    cr_expect_eq(o->ping_interval_ms, 1500);
    cr_expect_eq(o->ping_max, 4);
    cr_expect_eq(o->write_deadline_ms, 1, "a positive time never becomes none");
    cr_expect_eq(o->write_timeout, WRITE_TIMEOUT_RETRY);
    cr_expect(o->no_fast_producer_stall);
    cr_expect(o->no_header_support);
    cr_expect_eq(o->lame_duck_duration_ms, 60000);
    cr_expect_eq(o->lame_duck_grace_ms, 7000);
    cr_expect_eq(o->max_workers, 3);
    cr_expect_eq(o->max_pending_verifications, 17);
    unload(&loaded);
}

Test(options_values, zero_is_the_default_but_for_connections)
{
    struct loaded loaded =
        load_good("port: 0; max_connections: 0; max_subs: -1; max_payload: 0; max_pending: 0\n"
                  "ping_interval: \"0s\"; ping_max: 0; write_deadline: \"0s\"");
    const struct options *o = loaded.options;
    cr_expect_eq(o->port, 4222);
    cr_expect_eq(o->max_connections, -1, "none at all");
    cr_expect_eq(o->max_subscriptions, 0, "unlimited");
    cr_expect_eq(o->max_payload, 1048576);
    cr_expect_eq(o->max_pending, 67108864);
    cr_expect_eq(o->ping_interval_ms, 120000);
    cr_expect_eq(o->ping_max, 2);
    cr_expect_eq(o->write_deadline_ms, 10000);
    unload(&loaded);
}

Test(options_values, an_integer_of_seconds_is_a_duration_with_a_warning)
{
    struct loaded loaded = load("ping_interval: 5");
    cr_assert_not_null(loaded.options, "a warning does not stop the server");
    cr_expect_eq(loaded.options->ping_interval_ms, 5000);
    cr_expect_eq(loaded.problems.count, 1);
    cr_expect(loaded.problems.items[0].is_warning);
    unload(&loaded);
}

Test(options_values, log_and_files)
{
    struct loaded loaded = load_good(
        "debug: true; trace_headers: true; logtime: false; logtime_utc: true; logfile: \"a.log\"\n"
        "log_size_limit: 1MB; logfile_max_num: 4; syslog: true; remote_syslog: \"udp://h:514\"\n"
        "max_traced_msg_len: 80; pidfile: \"a.pid\"; ports_file_dir: \"ports\"");
    const struct options *o = loaded.options;
    cr_expect(o->debug);
    cr_expect(o->trace, "headers only, but traced");
    cr_expect(o->trace_headers);
    cr_expect_not(o->trace_verbose);
    cr_expect_not(o->logtime);
    cr_expect(o->logtime_utc);
    cr_expect_str_eq(o->log_file, "a.log");
    cr_expect_eq(o->log_size_limit, 1048576);
    cr_expect_eq(o->log_max_num, 4);
    cr_expect(o->syslog);
    cr_expect_str_eq(o->remote_syslog, "udp://h:514");
    cr_expect_eq(o->max_traced_msg_len, 80);
    cr_expect_str_eq(o->pid_file, "a.pid");
    cr_expect_str_eq(o->ports_file_dir, "ports");
    unload(&loaded);
}

Test(options_values, the_file_and_its_digest)
{
    struct loaded loaded = load_good("port = 4333");
    cr_expect_str_eq(loaded.options->config_file, "gate.conf");
    cr_expect_eq(strncmp(loaded.options->config_digest, "sha256:", 7), 0);
    cr_expect_eq(strlen(loaded.options->config_digest), 7 + 64);
    unload(&loaded);
}

Test(options_values, the_last_of_equal_keys_counts)
{
    struct loaded loaded = load_good("port: \"not read\"\nport: 4333\nPort: 4444");
    cr_expect_eq(loaded.options->port, 4444);
    unload(&loaded);
}

Test(options_values, ignored_blocks_leave_a_note)
{
    static const struct {
        const char *text, *note;
    } rows[] = {
        {"jetstream: true",                               NOTE_JETSTREAM},
        { "jetstream { store_dir: \"js\", max_mem: 1G }", NOTE_JETSTREAM},
        { "jetstream: disabled",                          NULL          },
        { "jetstream { enabled: false }",                 NULL          },
        { "cluster { name: c }",                          NULL          },
        { "cluster { name: c, port: 6222 }",              NOTE_CLUSTER  },
        { "cluster { listen: \"h:6222\", routes: [] }",   NOTE_CLUSTER  },
        { "gateway { name: g, port: 7222 }",              NOTE_GATEWAY  },
        { "store_dir: \"js\"\nprof_port: 6060",           NULL          },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct loaded loaded = load_good(rows[i].text);
        const struct options *o = loaded.options;
        cr_expect_eq(o->note_count, rows[i].note ? 1 : 0, "%s", rows[i].text);
        if (rows[i].note && o->note_count == 1)
            cr_expect_str_eq(o->notes[0], rows[i].note);
        unload(&loaded);
    }
}

Test(options_values, references_keep_the_options_alive)
{
    struct loaded loaded = load_good("server_name: gate");
    struct options *second = options_retain(loaded.options);
    unload(&loaded);
    cr_expect_str_eq(second->server_name, "gate");
    options_release(second);
    options_release(NULL);
}

static const struct schema *const SCHEMAS[] = {
    &ROOT_SCHEMA,      &TLS_SCHEMA,           &CERTS_SCHEMA,      &OCSP_PEER_SCHEMA,
    &USER_SCHEMA,      &AUTHORIZATION_SCHEMA, &OCSP_CACHE_SCHEMA, &PERMISSIONS_SCHEMA,
    &CLUSTER_SCHEMA,   &GATEWAY_SCHEMA,       &JETSTREAM_SCHEMA,  &SUBJECT_PERMISSIONS_SCHEMA,
    &RESPONSES_SCHEMA,
};

/* Every name leads to its own row, and every row says what it is for. */
Test(options_values, tables_are_sound)
{
    for (size_t s = 0; s < sizeof SCHEMAS / sizeof *SCHEMAS; s++) {
        for (size_t i = 0; i < SCHEMAS[s]->count; i++) {
            const struct option_row *row = &SCHEMAS[s]->rows[i];
            char *aliases = mem_strdup(row->aliases ? row->aliases : ""), *rest = NULL;
            cr_expect_eq(schema_find(SCHEMAS[s], row->name), row, "%s", row->name);
            for (char *at = strtok_r(aliases, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
                cr_expect_eq(schema_find(SCHEMAS[s], at), row, "%s", at);
            free(aliases);
            cr_expect(row->help && *row->help, "%s", row->name);
            cr_expect(row->type != OPTION_CUSTOM || row->read, "%s", row->name);
            if (row->offset == NOWHERE)
                cr_expect(row->reload != RELOAD_RESTART, "%s", row->name);
        }
    }
}
