/* test_options_tls.c - tls blocks, ocsp_peer, ocsp_cache. */
#include "test_options_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void write_key(const char *name, EVP_PKEY *key)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    cr_assert_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

static void write_certificate(const char *name, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"gate", -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    cr_assert_eq(PEM_write_X509(file, cert), 1);
    fclose(file);
    X509_free(cert);
}

/* cert.pem and key.pem fit, other.pem and other-key.pem, too. */
static void enter_folder_with_certificates(void)
{
    enter_empty_folder();
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    write_key("key.pem", key);
    write_certificate("cert.pem", key);
    write_key("other-key.pem", other);
    write_certificate("other.pem", other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

#define PAIR "cert_file: cert.pem, key_file: key.pem"

TestSuite(options_tls, .init = enter_folder_with_certificates, .fini = leave_folder);

Test(options_tls, mistakes_are_told_as_nats_server_tells_them)
{
    /* Sentences and places as nats-server 2.15.1 prints them with -t. */
    static const struct problem_row rows[] = {
        SAYS("ocsp_cache: 5", "gate.conf:1:0: error parsing tags: unsupported type int64"),
        SAYS("ocsp_cache: {type: x}",
             "gate.conf:1:13: error parsing OCSP peer cache config, unknown type [x]"),
        SAYS("ocsp_cache: {type: 5}",
             "gate.conf:1:13: error parsing OCSP peer cache config, unknown field [\"type\"]"),
        SAYS("ocsp_cache: {foo: 5}",
             "gate.conf:1:13: error parsing OCSP peer cache config, unknown field [\"foo\"]"),
        SAYS("ocsp_cache {save_interval: \"x\"}", "gate.conf:1:12: error parsing tls peer config, "
                                                  "conversion error: time: invalid duration \"x\""),
        SAYS("ocsp_cache {save_interval: true}", "gate.conf:1:12: error parsing OCSP peer cache "
                                                 "config, conversion error: unexpected type"),
        FINE("ocsp_cache {save_interval: 0.5, type: NONE, local_store: \"\", preserve_revoked: "
             "yes}"),
        FINE("ocsp_cache: true"),
        FINE("ocsp: {mode: never}"),
        SAYS("ocsp {mode: x}",
             "gate.conf:1:6: error parsing ocsp config: unsupported ocsp mode string"),
        SAYS("ocsp: never", "gate.conf:1:0: error parsing ocsp config: unsupported type string"),
        FINE("ocsp: false"),
        SAYS("tls: 5", "gate.conf:1:0: interface conversion: interface {} is int64, not "
                       "map[string]interface {}"),
        FINE("tls {}"),
        SAYS("tls {foo: 5}", "gate.conf:1:5: error parsing tls config, unknown field \"foo\""),
        SAYS("tls {cert_file: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'cert_file' to be filename"),
        SAYS("tls {key_file: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'key_file' to be filename"),
        SAYS("tls {ca_file: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'ca_file' to be filename"),
        SAYS("tls {verify: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'verify' to be a boolean"),
        SAYS("tls {verify: \"true\"}",
             "gate.conf:1:5: error parsing tls config, expected 'verify' to be a boolean"),
        SAYS("tls {verify_and_map: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'verify_and_map' to be a boolean"),
        SAYS("tls {cipher_suites: []}",
             "gate.conf:1:5: error parsing tls config, 'cipher_suites' cannot be empty"),
        SAYS("tls {cipher_suites: 5}",
             "gate.conf:1:5: interface conversion: interface {} is int64, not []interface {}"),
        SAYS("tls {cipher_suites: [5 ]}",
             "gate.conf:1:21: interface conversion: interface {} is int64, not string"),
        FINE("tls {cipher_suites: [TLS_AES_128_GCM_SHA256]}"),
        FINE("tls {cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
             "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]}"),
        SAYS("tls {cipher_suites: [TLS_RSA_WITH_RC4_128_SHA,TLS_RSA_WITH_AES_128_CBC_SHA ]}",
             "gate.conf:1:0: insecure cipher suites configured without "
             "'allow_insecure_cipher_suites' option set: TLS_RSA_WITH_RC4_128_SHA, "
             "TLS_RSA_WITH_AES_128_CBC_SHA"),
        SAYS("tls {curve_preferences: []}",
             "gate.conf:1:5: error parsing tls config, 'curve_preferences' cannot be empty"),
        SAYS("tls {curve_preferences: [x]}", "gate.conf:1:25: unrecognized curve preference x"),
        SAYS("tls {curve_preferences: 5}",
             "gate.conf:1:5: interface conversion: interface {} is int64, not []interface {}"),
        FINE("tls {curve_preferences: [CurveP256, X25519, CurveP384, CurveP521]}"),
        SAYS("tls {min_version: 5}",
             "gate.conf:1:5: error parsing tls config: 'min_version' wrong type: 5"),
        SAYS("tls {min_version: \"1.1\"}",
             "gate.conf:1:5: error parsing tls config: unsupported TLS version: TLS 1.1"),
        SAYS("tls {min_version: \"1.0\"}",
             "gate.conf:1:5: error parsing tls config: unsupported TLS version: TLS 1.0"),
        SAYS("tls {min_version: \"1.4\"}",
             "gate.conf:1:5: error parsing tls config: unknown version: 1.4"),
        SAYS("tls {min_version: 1.2}",
             "gate.conf:1:5: error parsing tls config: 'min_version' wrong type: 1.2"),
        FINE("tls {min_version: \"1.3\"}"),
        SAYS("tls {timeout: x}",
             "gate.conf:1:5: error parsing tls config, 'timeout' time: invalid duration \"x\""),
        SAYS("tls {timeout: true}",
             "gate.conf:1:5: error parsing tls config, 'timeout' wrong type"),
        FINE("tls {timeout: \"1s\"}"),
        FINE("tls {timeout: 0.5}"),
        FINE("tls {timeout: 100}"),
        SAYS("tls {first: 5}",
             "gate.conf:1:5: field \"first\" should be a boolean or a string, got int64"),
        SAYS("tls {first: x}", "gate.conf:1:5: field \"first\"'s value \"x\" is invalid"),
        FINE("tls {first: true}"),
        FINE("tls {handshake_first: \"on\"}"),
        FINE("tls {immediate: \"AUTO\"}"),
        FINE("tls {immediate: \"100ms\"}"),
        SAYS("tls {pinned_certs: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'pinned_certs' to be a list of "
             "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo"),
        SAYS("tls {pinned_certs: [x]}",
             "gate.conf:1:20: error parsing tls config, 'pinned_certs' key x does not look like "
             "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo"),
        SAYS("tls {pinned_certs: [5 ]}",
             "gate.conf:1:20: interface conversion: interface {} is int64, not string"),
        FINE("tls {pinned_certs: []}"),
        FINE("tls {pinned_certs: "
             "[\"7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069\"]}"),
        SAYS("tls {connection_rate_limit: x}",
             "gate.conf:1:5: error parsing tls config, 'connection_rate_limit' wrong type"),
        SAYS("tls {verify_cert_and_check_known_urls: true}",
             "gate.conf:1:5: verify_cert_and_check_known_urls not supported in this context"),
        FINE("tls {verify_cert_and_check_known_urls: false}"),
        SAYS("tls {verify_cert_and_check_known_urls: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'verify_cert_and_check_known_urls' "
             "to be a boolean"),
        SAYS("tls {certs: 5}", "gate.conf:1:5: error parsing certificates config: unsupported type "
                               "map[string]interface {}"),
        SAYS("tls {certs: [5 ]}",
             "gate.conf:1:13: error parsing certificates config: unsupported type int64"),
        FINE("tls {certs: []}"),
        SAYS("tls {certs: [{}]}", "gate.conf:1:15: error parsing certificates config: both "
                                  "'cert_file' and 'cert_key' options are required"),
        SAYS("tls {certs: [{cert_file: 5}]}",
             "gate.conf:1:14: error parsing certificates config: unsupported type int64"),
        SAYS("tls {ocsp_peer: 5}", "gate.conf:1:5: error parsing ocsp peer config: unsupported "
                                   "type map[string]interface {}"),
        SAYS("tls {ocsp_peer: {foo: 5}}", "gate.conf:1:5: gate.conf:1:17: error parsing tls peer "
                                          "config, unknown field [\"foo\"]"),
        SAYS("tls {\n ocsp_peer: {\n   verify: 5}}", "gate.conf:2:2: gate.conf:3:4: error parsing "
                                                     "tls peer config, unknown field [\"verify\"]"),
        SAYS("tls {ocsp_peer: {ca_timeout: true}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "unexpected type"),
        SAYS("tls {ocsp_peer: {ca_timeout: \"x\"}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "time: invalid duration \"x\""),
        SAYS("tls {ocsp_peer: {ca_timeout: \"5\"}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "time: missing unit in duration \"5\""),
        SAYS("tls {ocsp_peer: {ca_timeout: \"1x\"}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "time: unknown unit \"x\" in duration \"1x\""),
        SAYS("tls {ocsp_peer: {cache_ttl_when_next_update_unset: \"\"}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "time: invalid duration \"\""),
        SAYS("tls {ocsp_peer: {allowed_clockskew: \"x\"}}",
             "gate.conf:1:5: gate.conf:1:17: error parsing tls peer config, conversion error: "
             "unexpected type"),
        FINE("tls {ocsp_peer: {ca_timeout: 1.5, allowed_clockskew: -4, warn_only: on}}"),
        FINE("tls {ocsp_peer: false}"),
        SAYS("tls {insecure: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'insecure' to be a boolean"),
        SAYS("tls {allow_insecure_cipher_suites: 5}",
             "gate.conf:1:5: error parsing tls config, expected 'allow_insecure_cipher_suites' to "
             "be a boolean"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_tls, files_are_loaded_and_their_mistakes_told)
{
    static const struct problem_row rows[] = {
        FINE("tls { " PAIR " }"),
        FINE("tls { ca_file: cert.pem }"),
        FINE("tls { certs: [{ " PAIR " }, { cert_file: other.pem, key_file: other-key.pem }] }"),
        SAYS("tls { cert_file: cert.pem }",
             "gate.conf:1:0: missing 'key_file' in TLS configuration"),
        SAYS("tls { key_file: key.pem }",
             "gate.conf:1:0: missing 'cert_file' in TLS configuration"),
        SAYS("tls { cert_file: cert.pem, key_file: none.pem }",
             "gate.conf:1:0: error parsing X509 certificate/key pair: open none.pem: no such file "
             "or directory"),
        SAYS("\n\n  tls { cert_file: none.pem, key_file: key.pem }",
             "gate.conf:3:3: error parsing X509 certificate/key pair: open none.pem: no such file "
             "or directory"),
        SAYS("tls { certs: [{ " PAIR " }, { cert_file: none.pem, key_file: key.pem }] }",
             "gate.conf:1:0: error parsing X509 certificate/key pair 2/2: open none.pem: no such "
             "file or directory"),
        SAYS("tls { ca_file: none.pem }",
             "gate.conf:1:0: open none.pem: no such file or directory"),
        SAYS("tls { certs: [{ cert_file: cert.pem }] }",
             "gate.conf:1:16: error parsing certificates config: both 'cert_file' and 'cert_key' "
             "options are required"),
        SAYS("tls { " PAIR ", certs: [{ " PAIR " }] }",
             "gate.conf:1:0: error parsing tls config, cannot combine 'cert_file' option with "
             "'certs' option"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_tls, a_key_that_does_not_fit_is_refused)
{
    struct loaded loaded = load("tls { cert_file: cert.pem, key_file: other-key.pem }");
    cr_assert_eq(loaded.problems.errors, 1);
    cr_expect_null(loaded.options);
    cr_expect_eq(strncmp(loaded.problems.items[0].text,
                         "gate.conf:1:0: error parsing X509 certificate/key pair: ", 56),
                 0, "%s", loaded.problems.items[0].text);
    unload(&loaded);
}

Test(options_tls, all_unknown_names_of_a_list_are_told)
{
    static const struct problem_row rows[] = {
        SAYS("tls { cipher_suites: [x,y ] }", "gate.conf:1:22: unrecognized cipher x\n"
                                              "gate.conf:1:24: unrecognized cipher y"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_tls, what_only_windows_has_is_refused)
{
    static const struct problem_row rows[] = {
        SAYS("tls { cert_store: x }",
             "gate.conf:1:6: error parsing tls config, 'cert_store' needs the Windows certificate "
             "store: use cert_file, key_file and ca_file"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_tls, defaults)
{
    struct loaded loaded = load_good("tls { " PAIR " }");
    const struct tls_options *tls = loaded.options->tls;
    cr_assert_not_null(tls);
    cr_expect_not_null(tls->context);
    cr_expect_eq(tls->pair_count, 1);
    cr_expect_str_eq(tls->cert_file, "cert.pem");
    cr_expect_not(tls->verify);
    cr_expect_eq(tls->min_version, TLS1_2_VERSION);
    cr_expect_eq(tls->timeout_ms, 2000);
    cr_expect_eq(tls->handshake_first, TLS_INFO_FIRST);
    cr_expect_not(tls->ocsp_peer.verify);
    cr_expect_eq(tls->ocsp_peer.ca_timeout_ns, 2 * INT64_C(1000000000));
    cr_expect_eq(loaded.options->auth.timeout_ms, 3000, "one second more than TLS");
    cr_expect_null(loaded.options->monitor_tls);
    unload(&loaded);
}

Test(options_tls, every_field_is_stored)
{
    struct loaded loaded = load_good(
        "tls { " PAIR ", ca_file: cert.pem, verify_and_map: true, min_version: \"1.3\",\n"
        "  timeout: \"1500ms\", first: 80ms, connection_rate_limit: 7,\n"
        "  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 ]\n"
        "  curve_preferences: [X25519, CurveP256 ]\n"
        "  pinned_certs: [\"7F83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069\"]\n"
        "}");
    const struct tls_options *tls = loaded.options->tls;
    cr_expect_str_eq(tls->ca_file, "cert.pem");
    cr_expect(tls->verify);
    cr_expect(tls->verify_and_map);
    cr_expect_eq(tls->min_version, TLS1_3_VERSION);
    cr_expect_eq(tls->timeout_ms, 1500);
    cr_expect_eq(tls->handshake_first, TLS_HANDSHAKE_AUTO);
    cr_expect_eq(tls->handshake_first_delay_ms, 80);
    cr_expect_eq(tls->connection_rate_limit, 7);
    cr_expect_eq(tls->cipher_suite_count, 2);
    cr_expect_str_eq(tls->curves[1], "CurveP256");
    cr_assert_eq(tls->pinned_cert_count, 1);
    cr_expect_eq(tls->pinned_certs[0][0], 0x7f);
    cr_expect_eq(tls->pinned_certs[0][31], 0x69);
    unload(&loaded);
}

Test(options_tls, handshake_first_has_many_forms)
{
    static const struct {
        const char *text;
        enum handshake_first first;
        int64_t delay_ms;
    } rows[] = {
        {"true",           TLS_HANDSHAKE_FIRST, 0   },
        { "\"on\"",        TLS_HANDSHAKE_FIRST, 0   },
        { "false",         TLS_INFO_FIRST,      0   },
        { "\"OFF\"",       TLS_INFO_FIRST,      0   },
        { "auto",          TLS_HANDSHAKE_AUTO,  50  },
        { "auto_fallback", TLS_HANDSHAKE_AUTO,  50  },
        { "\"1s\"",        TLS_HANDSHAKE_AUTO,  1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = mem_printf("tls { immediate: %s }", rows[i].text);
        struct loaded loaded = load_good(text);
        cr_expect_eq(loaded.options->tls->handshake_first, rows[i].first, "%s", text);
        cr_expect_eq(loaded.options->tls->handshake_first_delay_ms, rows[i].delay_ms, "%s", text);
        unload(&loaded);
        free(text);
    }
}

Test(options_tls, ocsp_peer_long_form)
{
    struct loaded loaded =
        load_good("tls { " PAIR ", verify: true, timeout: 10, ocsp_peer: {\n"
                  "  Verify: true, ca_timeout: 1.5, allowed_clockskew: -4, warn_only: on,\n"
                  "  unknown_is_good: true, allow_when_ca_unreachable: true\n"
                  "  cache_ttl_when_next_update_unset: \"10m\" } }");
    const struct ocsp_peer_options *peer = &loaded.options->tls->ocsp_peer;
    cr_expect(peer->verify);
    cr_expect_eq(peer->ca_timeout_ns, INT64_C(1500000000));
    cr_expect_eq(peer->skew_ns, INT64_C(30000000000), "negative values leave the default");
    cr_expect_eq(peer->ttl_ns, INT64_C(600000000000));
    cr_expect(peer->warn_only && peer->unknown_is_good && peer->allow_when_ca_unreachable);
    cr_expect_eq(loaded.options->note_count, 0);
    unload(&loaded);
}

Test(options_tls, ocsp_peer_needs_client_certificates)
{
    static const struct problem_row rows[] = {
        SAYS("tls { " PAIR ", ocsp_peer: true }",
             "OCSP peer verification for client connections requires TLS verify (mTLS) to be "
             "enabled"),
        FINE("tls { " PAIR ", ocsp_peer: true, verify: true }"),
        FINE("tls { " PAIR ", ocsp_peer: true, verify_and_map: true }"),
        FINE("tls { " PAIR ", ocsp_peer: { ca_timeout: 5 } }"),
    };
    EXPECT_PROBLEMS(rows);
}

Test(options_tls, a_short_handshake_timeout_is_noted)
{
    struct loaded loaded = load_good("tls { " PAIR ", ocsp_peer: true, verify: true }");
    cr_assert_eq(loaded.options->note_count, 1);
    cr_expect_eq(strncmp(loaded.options->notes[0], "tls.timeout is not longer", 25), 0);
    unload(&loaded);
    loaded = load_good("tls { " PAIR ", ocsp_peer: true, verify: true, timeout: 3 }");
    cr_expect_eq(loaded.options->note_count, 0);
    unload(&loaded);
}

Test(options_tls, ocsp_cache_in_all_forms)
{
    struct loaded loaded = load_good("port: 4222");
    cr_expect_eq(loaded.options->ocsp_cache_type, OCSP_CACHE_LOCAL);
    cr_expect_str_eq(loaded.options->ocsp_cache_local_store, "_rc_");
    cr_expect_eq(loaded.options->ocsp_cache_save_interval_s, 300);
    unload(&loaded);
    loaded = load_good("ocsp_cache: false");
    cr_expect_eq(loaded.options->ocsp_cache_type, OCSP_CACHE_NONE);
    unload(&loaded);
    loaded = load_good("ocsp_cache { type: Local, local_store: \"/tmp/x\", preserve_revoked: true, "
                       "save_interval: 1.9 }");
    cr_expect_eq(loaded.options->ocsp_cache_type, OCSP_CACHE_LOCAL);
    cr_expect_str_eq(loaded.options->ocsp_cache_local_store, "/tmp/x");
    cr_expect(loaded.options->ocsp_cache_preserve_revoked);
    cr_expect_eq(loaded.options->ocsp_cache_save_interval_s, 1);
    unload(&loaded);
}

/* Source: nats-server plugs OCSP into monitoring when any listener has it. */
Test(options_tls, monitoring_asks_for_certificates_when_any_port_has_ocsp)
{
    static const char *const others[] = { "websocket {tls {ocsp_peer: true}}",
                                          "mqtt {tls {ocsp_peer: true}}",
                                          "leafnodes {tls {ocsp_peer: true}}",
                                          "leafnodes {remotes: [{tls {ocsp_peer: true}}]}" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct error err = { "" };
        char *text = mem_printf("https: 8443\ntls { " PAIR ", verify: true }\n%s", others[i]);
        struct options *options = read_only(text);
        cr_assert(tls_options_for_monitor(options, &err), "%s", err.text);
        cr_expect(options->monitor_tls->verify, "%s", text);
        cr_expect_not(options->monitor_tls->ocsp_peer.verify, "%s", text);
        options_release(options);
        free(text);
    }
}

Test(options_tls, monitoring_asks_for_certificates_only_with_ocsp)
{
    struct loaded loaded =
        load_good("https: 8443\ntls { " PAIR ", ca_file: cert.pem, verify: true }");
    cr_assert_not_null(loaded.options->monitor_tls);
    cr_expect_not(loaded.options->monitor_tls->verify);
    cr_expect_not_null(loaded.options->monitor_tls->context);
    cr_expect_neq(loaded.options->monitor_tls->context, loaded.options->tls->context);
    unload(&loaded);
    loaded = load_good("https: 8443\ntls { " PAIR ", verify: true, ocsp_peer: true, timeout: 9 }");
    cr_expect(loaded.options->monitor_tls->verify);
    unload(&loaded);
}

static struct loaded load_flags(const char *const *arguments)
{
    return load_with("tls { " PAIR ", timeout: 7, ca_file: other.pem, verify: true }", arguments);
}

Test(options_tls, flags_replace_certificates_and_keep_the_rest)
{
    struct loaded loaded = load_flags((const char *const[]){ "--tls", "--tlscert", "other.pem",
                                                             "--tlskey", "other-key.pem", NULL });
    cr_assert_not_null(loaded.options);
    cr_expect_str_eq(loaded.options->tls->cert_file, "other.pem");
    cr_expect_eq(loaded.options->tls->timeout_ms, 7000);
    cr_expect(loaded.options->tls->verify);
    unload(&loaded);
}

Test(options_tls, flags_can_switch_tls_off)
{
    struct loaded loaded = load_flags((const char *const[]){ "-tls=false", NULL });
    cr_assert_not_null(loaded.options);
    cr_expect_null(loaded.options->tls);
    unload(&loaded);
}

static void expect_flag_problem(const char *const *arguments, const char *problem)
{
    struct loaded loaded = load_with(NULL, arguments);
    cr_assert_eq(loaded.problems.errors, 1);
    cr_expect_str_eq(loaded.problems.items[0].text, problem);
    cr_expect_null(loaded.options);
    unload(&loaded);
}

Test(options_tls, flags_need_both_files)
{
    expect_flag_problem((const char *const[]){ "--tls", NULL },
                        "TLS Server certificate must be present and valid");
    expect_flag_problem((const char *const[]){ "--tlscert", "cert.pem", NULL },
                        "TLS Server private key must be present and valid");
    expect_flag_problem(
        (const char *const[]){ "--tlsverify", "--tlscert=cert.pem", "--tlskey=none.pem", NULL },
        "error parsing X509 certificate/key pair: open none.pem: no such file or directory");
}
