/* test_event_json.c - the members of system events, in their order. */
#include "event_json.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "ocsp/pki.h"

#include "options.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define AT_NS (1780315200LL * NS_PER_S + 60 * NS_PER_MS) /* 2026-06-01T12:00:00.06Z */

static const struct event_server SERVER = {
    .name = "gate", .host = "0.0.0.0", .id = "NID", .ver = "2.14.5", .seq = 7, .time = AT_NS
};

static const char *const TAGS[] = { "a", "b" };

static char *printed(void (*print)(struct json *json))
{
    struct buf text = { 0 };
    struct json json = json_begin(&text, 0);
    json_object(&json, NULL);
    print(&json);
    json_object_end(&json);
    char *copy = mem_strspan(buf_span(&text));
    buf_free(&text);
    return copy;
}

static void expect(void (*print)(struct json *json), const char *wanted)
{
    char *text = printed(print);
    cr_expect_str_eq(text, wanted);
    free(text);
}

static void print_server(struct json *json)
{
    event_put_server(json, &SERVER);
}

Test(event_json, a_server_with_nothing_special)
{
    expect(print_server, "{\"server\":{\"name\":\"gate\",\"host\":\"0.0.0.0\",\"id\":\"NID\","
                         "\"ver\":\"2.14.5\",\"jetstream\":false,\"flags\":0,\"seq\":7,"
                         "\"time\":\"2026-06-01T12:00:00.06Z\"}}");
}

static void print_full_server(struct json *json)
{
    struct options options = { 0 };
    struct event_server server = SERVER;
    options.server_metadata = calloc(1, sizeof *options.server_metadata);
    options.server_metadata[0].key = "rack";
    options.server_metadata[0].value = "7";
    options.server_metadata_count = 1;
    server.cluster = "c1";
    server.tags = (struct string_list){ TAGS, 2 };
    server.options = &options;
    event_put_server_members(json, &server);
    free(options.server_metadata);
}

Test(event_json, a_server_with_all_members)
{
    expect(print_full_server,
           "{\"name\":\"gate\",\"host\":\"0.0.0.0\",\"id\":\"NID\",\"cluster\":\"c1\","
           "\"ver\":\"2.14.5\",\"tags\":[\"a\",\"b\"],\"metadata\":{\"rack\":\"7\"},"
           "\"jetstream\":false,\"flags\":0,\"seq\":7,\"time\":\"2026-06-01T12:00:00.06Z\"}");
}

static void print_client(struct json *json)
{
    event_put_client(json, &(struct event_client){
                               .start = AT_NS,
                               .host = "10.0.0.1",
                               .id = 5,
                               .acc = "APP",
                               .user = "alice",
                               .name = "n",
                               .lang = "c",
                               .ver = "1.0",
                               .rtt = 337000,
                               .server = "gate",
                               .stop = AT_NS,
                               .jwt = "J",
                               .issuer_key = "I",
                               .tags = {TAGS, 2},
                               .name_tag = "APP",
                               .kind = "Client",
                               .client_type = "nats"
    });
}

Test(event_json, a_client_with_all_members)
{
    expect(print_client,
           "{\"client\":{\"start\":\"2026-06-01T12:00:00.06Z\",\"host\":\"10.0.0.1\",\"id\":5,"
           "\"acc\":\"APP\",\"user\":\"alice\",\"name\":\"n\",\"lang\":\"c\",\"ver\":\"1.0\","
           "\"rtt\":337000,\"server\":\"gate\",\"stop\":\"2026-06-01T12:00:00.06Z\","
           "\"jwt\":\"J\",\"issuer_key\":\"I\",\"name_tag\":\"APP\",\"tags\":[\"a\",\"b\"],"
           "\"kind\":\"Client\",\"client_type\":\"nats\"}}");
}

static void print_bare_client(struct json *json)
{
    event_put_client(json, &(struct event_client){ .id = 5, .user = "" });
}

Test(event_json, a_client_shows_only_what_it_has)
{
    expect(print_bare_client, "{\"client\":{\"id\":5}}");
}

/* ---- certificates --------------------------------------------------------------------------------- */

static struct pki_cert ca, leaf;

static void print_leaf(struct json *json)
{
    event_put_cert(json, "peer", leaf.x509);
}

static char *base64_of(struct span bytes)
{
    struct buf text = { 0 };
    base64_encode(&text, bytes, BASE64_STD);
    char *copy = mem_strspan(buf_span(&text));
    buf_free(&text);
    return copy;
}

Test(event_json, a_certificate_is_named_and_shown)
{
    uint8_t digest[32];
    unsigned char *der = NULL;
    ca = pki_make(&(struct pki_spec){ .name = "an <issuer>", .is_ca = true });
    leaf = pki_make(&(struct pki_spec){ .name = "leaf, 1", .issuer = &ca });
    int len = i2d_X509(leaf.x509, &der);
    tls_cert_sha256(leaf.x509, digest);
    char *fingerprint = base64_of(span_make(digest, 32)),
         *raw = base64_of(span_make(der, (size_t)len));
    char *wanted = mem_printf("{\"peer\":{\"subject\":\"CN=leaf\\\\, 1,O=Tests\","
                              "\"issuer\":\"CN=an \\\\\\u003cissuer\\\\\\u003e,O=Tests\","
                              "\"fingerprint\":\"%s\",\"raw\":\"%s\"}}",
                              fingerprint, raw);
    expect(print_leaf, wanted);
    free(wanted);
    free(fingerprint);
    free(raw);
    OPENSSL_free(der);
    pki_free(&leaf);
    pki_free(&ca);
}

/* ---- the envelope ------------------------------------------------------------------------------------ */

Test(event_json, events_begin_with_type_id_and_time)
{
    struct buf text = { 0 };
    struct json json = json_begin(&text, 0);
    event_begin(&json, "io.nats.x", AT_NS);
    json_object_end(&json);
    const char *begin = "{\"type\":\"io.nats.x\",\"id\":\"";
    const char *end = "\",\"timestamp\":\"2026-06-01T12:00:00.06Z\"}";
    const char *at = buf_str(&text);
    cr_assert_eq(strncmp(at, begin, strlen(begin)), 0, "%s", at);
    at += strlen(begin);
    cr_expect_eq(strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), 22);
    cr_expect_str_eq(at + 22, end);
    buf_free(&text);
}
