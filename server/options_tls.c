/* options_tls.c - tls {} blocks: what they may say, and the certificates they name. */
#include "options_schema.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

enum { PIN_SIZE = 32, HANDSHAKE_FIRST_DELAY_MS = 50 };

/* What the rows fill: the block and what is only needed until it is checked. */
struct tls_block {
    struct tls_options tls; /* first */
    const char *cert_file, *key_file;
    bool allow_insecure_ciphers, check_known_urls;
};

#define AT(field) offsetof(struct tls_block, field)

static option_read_fn read_certs, read_names, read_min_version, read_timeout, read_handshake_first,
    read_pins, read_windows;

static const struct option_row TLS_ROWS[] = {
    ROW("cert_file", NULL, OPTION_STRING, AT(cert_file), NULL, RELOAD_LIVE, NULL,
        .help = "PEM file of our certificate, followed by its intermediates."),
    ROW("key_file", NULL, OPTION_STRING, AT(key_file), NULL, RELOAD_LIVE, NULL,
        .help = "PEM file of its private key."),
    ROW("certs", "certificates", OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Several certificates, chosen by the name that the client asks for, instead of "
                "`cert_file`.",
        .read = read_certs, .block = &CERTS_SCHEMA),
    ROW("ca_file", NULL, OPTION_STRING, AT(tls.ca_file), NULL, RELOAD_LIVE, NULL,
        .help = "PEM file of the authorities that we trust, instead of the system's."),
    ROW("verify", NULL, OPTION_BOOL, AT(tls.verify), "false", RELOAD_LIVE, NULL,
        .help = "Clients must show a certificate of a trusted authority."),
    ROW("verify_and_map", NULL, OPTION_BOOL, AT(tls.verify_and_map), "false", RELOAD_LIVE, NULL,
        .help = "`verify`, and the certificate names the user."),
    ROW("insecure", NULL, OPTION_BOOL, AT(tls.insecure), "false", RELOAD_LIVE, NULL,
        .help = "Do not check the other side's certificate when we dial."),
    ROW("min_version", NULL, OPTION_CUSTOM, AT(tls.min_version), "1.2", RELOAD_LIVE, NULL,
        .help = "Oldest TLS version that is spoken: `\"1.2\"` or `\"1.3\"`.",
        .read = read_min_version),
    ROW("cipher_suites", NULL, OPTION_CUSTOM, AT(tls.cipher_suites), "all secure ones", RELOAD_LIVE,
        NULL, .help = "List of cipher suites, IANA names.", .read = read_names),
    ROW("allow_insecure_cipher_suites", NULL, OPTION_BOOL, AT(allow_insecure_ciphers), "false",
        RELOAD_LIVE, NULL, .help = "Insecure suites may be listed in `cipher_suites`."),
    ROW("curve_preferences", NULL, OPTION_CUSTOM, AT(tls.curves), "all known ones", RELOAD_LIVE,
        NULL, .help = "List of curves in order of preference: `X25519`, `CurveP256`, ...",
        .read = read_names),
    ROW("timeout", NULL, OPTION_SECONDS_MS, AT(tls.timeout_ms), "2s", RELOAD_LIVE, NULL,
        .help = "Time for the whole handshake, seconds or a duration.", .read = read_timeout),
    ROW("handshake_first", "first immediate", OPTION_CUSTOM, NOWHERE, "false", RELOAD_LIVE, NULL,
        .help = "TLS starts before INFO: `true`, `false`, `auto` (wait 50ms for the client) or "
                "that time.",
        .read = read_handshake_first),
    ROW("pinned_certs", NULL, OPTION_CUSTOM, AT(tls.pinned_certs), NULL, RELOAD_LIVE, NULL,
        .help = "List of SHA-256 fingerprints of the public keys that are let in, hexadecimal.",
        .read = read_pins),
    ROW("connection_rate_limit", NULL, OPTION_INT64, AT(tls.connection_rate_limit), "0",
        RELOAD_LIVE, NULL, .help = "New connections per second; 0 is unlimited.", .min = -1,
        .max = INT32_MAX),
    ROW("ocsp_peer", NULL, OPTION_CUSTOM, AT(tls.ocsp_peer), "false", RELOAD_LIVE, NULL,
        .help = "Ask the authority whether the peer's certificate is revoked: `true`, `false` or a "
                "block.",
        .read = read_ocsp_peer, .block = &OCSP_PEER_SCHEMA),
    ROW("verify_cert_and_check_known_urls", NULL, OPTION_BOOL, AT(check_known_urls), "false",
        RELOAD_NOTHING, NULL, .help = "Refused: has a meaning between cluster members only."),
    ROW("cert_store", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: Windows only.", .read = read_windows),
    ROW("cert_match", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: Windows only.", .read = read_windows),
    ROW("cert_match_by", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: Windows only.", .read = read_windows),
    ROW("cert_match_skip_invalid", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: Windows only.", .read = read_windows),
    ROW("ca_certs_match", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: Windows only.", .read = read_windows),
};

static void wrong_tls_type(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value)
{
    if (row->type == OPTION_BOOL)
        problem_at(reader, value, "error parsing tls config, expected '%s' to be a boolean",
                   row->name);
    else if (row->type == OPTION_STRING)
        problem_at(reader, value, "error parsing tls config, expected '%s' to be filename",
                   row->name);
    else
        problem_at(reader, value, "error parsing tls config, '%s' wrong type", row->name);
}

const struct schema TLS_SCHEMA = {
    .name = "tls",
    .rows = TLS_ROWS,
    .count = ROW_COUNT(TLS_ROWS),
    .unknown_before = "error parsing tls config, unknown field ",
    .unknown_after = "",
    .wrong_type = wrong_tls_type,
};

/* ---- certificates ------------------------------------------------------------------------- */

#undef AT
#define AT(field) offsetof(struct tls_pair, field)

static const struct option_row CERTS_ROWS[] = {
    ROW("cert_file", NULL, OPTION_STRING, AT(cert_file), NULL, RELOAD_LIVE, NULL,
        .help = "PEM file of the certificate, followed by its intermediates."),
    ROW("key_file", NULL, OPTION_STRING, AT(key_file), NULL, RELOAD_LIVE, NULL,
        .help = "PEM file of its private key."),
};

static void wrong_certs_type(struct options_reader *reader, const struct option_row *row,
                             const struct conf_value *value)
{
    (void)row;
    problem_at(reader, value, "error parsing certificates config: unsupported type %s",
               conf_type_name(value));
}

const struct schema CERTS_SCHEMA = {
    .name = "certs",
    .rows = CERTS_ROWS,
    .count = ROW_COUNT(CERTS_ROWS),
    .unknown_before = "error parsing tls certs config, unknown field ",
    .unknown_after = "",
    .wrong_type = wrong_certs_type,
};

static void read_certs(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct tls_options *tls = target;
    if (value->type != CONF_ARRAY) {
        problem_at(reader, value,
                   "error parsing certificates config: unsupported type map[string]interface {}");
        return;
    }
    tls->pairs = options_alloc(reader->options, value->count * sizeof *tls->pairs);
    tls->pair_count = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        struct tls_pair *pair = &tls->pairs[tls->pair_count];
        size_t errors = reader->problems->errors;
        if (item->type != CONF_MAP) {
            wrong_certs_type(reader, row, item);
            continue;
        }
        schema_read(reader, &CERTS_SCHEMA, item, pair);
        if (pair->cert_file && pair->key_file)
            tls->pair_count++;
        else if (errors == reader->problems->errors)
            problem_at(reader, first_member(item),
                       "error parsing certificates config: both 'cert_file' and 'cert_key' "
                       "options are required");
    }
}

/* ---- fields ------------------------------------------------------------------------------- */

static void read_min_version(struct options_reader *reader, const struct option_row *row,
                             const struct conf_value *value, void *target)
{
    struct buf text = { 0 };
    value_print(value, &text);
    if (value->type != CONF_STRING)
        problem_at(reader, value, "error parsing tls config: 'min_version' wrong type: %s",
                   buf_str(&text));
    else if (span_is(value->string, "1.2"))
        *(int *)row_field(row, target) = TLS1_2_VERSION;
    else if (span_is(value->string, "1.3"))
        *(int *)row_field(row, target) = TLS1_3_VERSION;
    else if (span_is(value->string, "1.0") || span_is(value->string, "1.1"))
        problem_at(reader, value, "error parsing tls config: unsupported TLS version: TLS %s",
                   buf_str(&text));
    else
        problem_at(reader, value, "error parsing tls config: unknown version: %s", buf_str(&text));
    buf_free(&text);
}

/* cipher_suites and curve_preferences: a list of names that the TLS library must know. */
static void read_names(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct tls_options *tls = target;
    bool curves = row->offset == offsetof(struct tls_block, tls.curves);
    const char **names;
    size_t count = 0;
    if (!value_is(reader, value, CONF_ARRAY))
        return;
    if (value->count == 0) {
        problem_at(reader, value, "error parsing tls config, '%s' cannot be empty", row->name);
        return;
    }
    names = options_alloc(reader->options, value->count * sizeof *names);
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (!value_is(reader, item, CONF_STRING))
            continue;
        const char *name = (const char *)item->string.ptr;
        if (curves ? tls_curve_is_known(name) : tls_cipher_is_known(name))
            names[count++] = options_copy(reader->options, name);
        else
            problem_at(reader, item, "unrecognized %s %s", curves ? "curve preference" : "cipher",
                       name);
    }
    *(curves ? &tls->curves : &tls->cipher_suites) = names;
    *(curves ? &tls->curve_count : &tls->cipher_suite_count) = count;
}

static void read_timeout(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (value_seconds(value, &ns, &err)) {
        if (ns < 0)
            problem_at(reader, value, "error parsing tls config, 'timeout' can not be negative");
        else if (ns > 0)
            *(int64_t *)row_field(row, target) = ns_to_ms(ns);
    } else if (err.text[0]) {
        problem_at(reader, value, "error parsing tls config, 'timeout' %s", err.text);
    } else {
        problem_at(reader, value, "error parsing tls config, 'timeout' wrong type");
    }
}

static void read_handshake_first(struct options_reader *reader, const struct option_row *row,
                                 const struct conf_value *value, void *target)
{
    struct tls_options *tls = target;
    int64_t ns = 0;
    (void)row;
    if (value->type != CONF_BOOL && value->type != CONF_STRING) {
        problem_at(reader, value, "field \"%s\" should be a boolean or a string, got %s",
                   value->key, conf_type_name(value));
        return;
    }
    struct span text = value->type == CONF_STRING ? value->string : span_of("");
    tls->handshake_first_delay_ms = 0;
    if (value->type == CONF_BOOL ? !value->boolean
                                 : span_is_nocase(text, "false") || span_is_nocase(text, "off")) {
        tls->handshake_first = TLS_INFO_FIRST;
    } else if (value->type == CONF_BOOL || span_is_nocase(text, "true") ||
               span_is_nocase(text, "on")) {
        tls->handshake_first = TLS_HANDSHAKE_FIRST;
    } else if (span_is_nocase(text, "auto") || span_is_nocase(text, "auto_fallback")) {
        tls->handshake_first = TLS_HANDSHAKE_AUTO;
        tls->handshake_first_delay_ms = HANDSHAKE_FIRST_DELAY_MS;
    } else if (duration_parse(text, &ns, NULL) && ns >= 0) {
        tls->handshake_first = TLS_HANDSHAKE_AUTO;
        tls->handshake_first_delay_ms = ns_to_ms(ns);
    } else {
        problem_at(reader, value, "field \"%s\"'s value \"%.*s\" is invalid", value->key,
                   SPAN_ARG(text));
    }
}

static void read_pin(struct options_reader *reader, const struct conf_value *item,
                     struct tls_options *tls)
{
    struct buf bytes = { 0 };
    if (!value_is(reader, item, CONF_STRING))
        return;
    if (hex_decode(&bytes, item->string) && bytes.len == PIN_SIZE) {
        memcpy(tls->pinned_certs[tls->pinned_cert_count++], bytes.data, PIN_SIZE);
    } else {
        char *lower = mem_strspan(item->string);
        for (char *at = lower; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        problem_at(reader, item,
                   "error parsing tls config, 'pinned_certs' key %s does not look like "
                   "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo",
                   lower);
        free(lower);
    }
    buf_free(&bytes);
}

static void read_pins(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    struct tls_options *tls = target;
    if (value->type != CONF_ARRAY) {
        problem_at(reader, value,
                   "error parsing tls config, expected '%s' to be a list of hex-encoded sha256 of "
                   "DER encoded SubjectPublicKeyInfo",
                   row->name);
        return;
    }
    tls->pinned_certs = options_alloc(reader->options, value->count * PIN_SIZE);
    tls->pinned_cert_count = 0;
    for (size_t i = 0; i < value->count; i++)
        read_pin(reader, value->items[i], tls);
}

static void read_windows(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)target;
    problem_at(reader, value,
               "error parsing tls config, '%s' needs the Windows certificate store: use cert_file, "
               "key_file and ca_file",
               row->name);
}

/* ---- the block ---------------------------------------------------------------------------- */

static struct tls_block *block_new(struct options *options)
{
    struct tls_block *block = options_alloc(options, sizeof *block);
    block->tls.next = options->tls_blocks;
    options->tls_blocks = &block->tls;
    schema_defaults(&TLS_SCHEMA, block);
    block->tls.min_version = TLS1_2_VERSION;
    block->tls.ocsp_peer = ocsp_peer_defaults();
    return block;
}

static void digest_text(EVP_MD_CTX *digest, const char *text)
{
    if (text)
        EVP_DigestUpdate(digest, text, strlen(text));
    EVP_DigestUpdate(digest, "", 1); /* the NUL keeps neighbours apart */
}

static void digest_file(EVP_MD_CTX *digest, const char *path)
{
    uint8_t block[4096];
    size_t len;
    digest_text(digest, path);
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        return;
    while ((len = fread(block, 1, sizeof block, file)) > 0)
        EVP_DigestUpdate(digest, block, len);
    fclose(file);
    OPENSSL_cleanse(block, sizeof block);
}

/* A reload tells from this whether anything about the certificates is new. */
static void digest_settings(struct tls_options *tls)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const int numbers[] = { tls->verify, tls->verify_and_map, tls->insecure, tls->min_version,
                            tls->ocsp_peer.verify };
    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        abort();
    EVP_DigestUpdate(digest, numbers, sizeof numbers);
    for (size_t i = 0; i < tls->pair_count; i++) {
        digest_file(digest, tls->pairs[i].cert_file);
        digest_file(digest, tls->pairs[i].key_file);
    }
    digest_file(digest, tls->ca_file);
    for (size_t i = 0; i < tls->cipher_suite_count; i++)
        digest_text(digest, tls->cipher_suites[i]);
    for (size_t i = 0; i < tls->curve_count; i++)
        digest_text(digest, tls->curves[i]);
    EVP_DigestFinal_ex(digest, tls->digest, NULL);
    EVP_MD_CTX_free(digest);
}

static bool load(struct tls_options *tls, struct error *err)
{
    struct tls_settings settings = {
        .pairs = tls->pairs,
        .pair_count = tls->pair_count,
        .pairs_are_listed = !tls->cert_file,
        .ca_file = tls->ca_file,
        .is_client = tls->side == TLS_DIALS,
        .verify = tls->side == TLS_DIALS ? !tls->insecure : tls->verify,
        .min_version = tls->min_version,
        .cipher_suites = tls->cipher_suites,
        .cipher_suite_count = tls->cipher_suite_count,
        .curves = tls->curves,
        .curve_count = tls->curve_count,
        .hook = tls->ocsp_peer.verify,
    };
    digest_settings(tls);
    tls->context = tls_context_new(&settings, err);
    return tls->context != NULL;
}

static void set_pair(struct options *options, struct tls_options *tls, const char *cert_file,
                     const char *key_file)
{
    tls->cert_file = cert_file;
    tls->key_file = key_file;
    tls->pairs = options_alloc(options, sizeof *tls->pairs);
    tls->pairs[0] = (struct tls_pair){ cert_file, key_file };
    tls->pair_count = 1;
}

/* cert_file and key_file are the pair of a list with one element. */
static void settle_pair(struct options_reader *reader, const struct conf_value *value,
                        struct tls_block *block)
{
    struct tls_options *tls = &block->tls;
    if (block->cert_file && tls->pairs)
        problem_at(
            reader, value,
            "error parsing tls config, cannot combine 'cert_file' option with 'certs' option");
    else if (block->cert_file && !block->key_file)
        problem_at(reader, value, "missing 'key_file' in TLS configuration");
    else if (block->key_file && !block->cert_file)
        problem_at(reader, value, "missing 'cert_file' in TLS configuration");
    if (!block->cert_file || tls->pairs)
        return;
    set_pair(reader->options, tls, block->cert_file, block->key_file);
}

static void refuse_insecure_ciphers(struct options_reader *reader, const struct conf_value *value,
                                    const struct tls_options *tls)
{
    struct buf names = { 0 };
    for (size_t i = 0; i < tls->cipher_suite_count; i++)
        if (tls_cipher_is_insecure(tls->cipher_suites[i]))
            buf_printf(&names, "%s%s", names.len ? ", " : "", tls->cipher_suites[i]);
    if (names.len > 0)
        problem_at(reader, value,
                   "insecure cipher suites configured without 'allow_insecure_cipher_suites' "
                   "option set: %s",
                   buf_str(&names));
    buf_free(&names);
}

struct tls_options *read_tls_block(struct options_reader *reader, const struct conf_value *value,
                                   enum tls_side side)
{
    struct error err = { "" };
    size_t errors = reader->problems->errors;
    if (!value_is(reader, value, CONF_MAP))
        return NULL;
    struct tls_block *block = block_new(reader->options);
    struct tls_options *tls = &block->tls;
    tls->side = side;
    schema_read(reader, &TLS_SCHEMA, value, block);
    tls->verify = tls->verify || tls->verify_and_map;
    settle_pair(reader, value, block);
    if (!block->allow_insecure_ciphers)
        refuse_insecure_ciphers(reader, value, tls);
    if (block->check_known_urls && side != TLS_BETWEEN_SERVERS)
        problem_at(reader, conf_get(value, "verify_cert_and_check_known_urls"),
                   "verify_cert_and_check_known_urls not supported in this context");
    if (errors == reader->problems->errors && !load(tls, &err))
        problem_at(reader, value, "%s", err.text);
    return tls;
}

void read_tls(struct options_reader *reader, const struct option_row *row,
              const struct conf_value *value, void *target)
{
    *(struct tls_options **)row_field(row, target) = read_tls_block(reader, value, TLS_LISTENS);
}

void tls_options_release(struct options *options)
{
    for (struct tls_options *tls = options->tls_blocks; tls; tls = tls->next)
        tls_context_release(tls->context);
}

bool tls_options_override(struct options *options, const struct tls_override *override,
                          struct error *err)
{
    if (!options->tls)
        options->tls = &block_new(options)->tls;
    struct tls_options *tls = options->tls;
    tls_context_release(tls->context);
    tls->context = NULL;
    set_pair(options, tls, options_copy(options, override->cert_file),
             options_copy(options, override->key_file));
    if (override->ca_file)
        tls->ca_file = options_copy(options, override->ca_file);
    if (override->sets_verify) {
        tls->verify = override->verify;
        tls->verify_and_map = tls->verify_and_map && override->verify;
    }
    return load(tls, err);
}

bool tls_options_for_monitor(struct options *options, struct error *err)
{
    if (!options->tls || options->https_port == 0)
        return true;
    struct tls_options *tls = &block_new(options)->tls;
    struct tls_options *next = tls->next;
    *tls = *options->tls;
    tls->next = next;
    tls->context = NULL;
    if (!options_use_ocsp(options))
        tls->verify = tls->verify_and_map = false;
    options->monitor_tls = tls;
    return load(tls, err);
}
