/* event_json.c - see event_json.h. */
#include "event_json.h"

#include "base/nuid.h"
#include "base/text.h"

#include "options.h"

#define S(member, kind)      ROW(struct event_server, member, kind)
#define S_OMIT(member, kind) ROW_OMIT(struct event_server, member, kind)

void event_put_metadata(struct json *json, const char *key, const struct options *options)
{
    if (!options || options->server_metadata_count == 0)
        return;
    json_object(json, key);
    for (size_t i = 0; i < options->server_metadata_count; i++)
        json_string(json, options->server_metadata[i].key, options->server_metadata[i].value);
    json_object_end(json);
}

static void print_metadata(struct json *json, const char *name, const void *member)
{
    event_put_metadata(json, name, *(const struct options *const *)member);
}

static const struct row SERVER_ROWS[] = {
    S(name, ROW_STRING),
    S(host, ROW_STRING),
    S(id, ROW_STRING),
    S_OMIT(cluster, ROW_STRING),
    S(ver, ROW_STRING),
    S_OMIT(tags, ROW_STRINGS),
    {"metadata", ROW_CUSTOM, offsetof(struct event_server, options), false, NULL, print_metadata},
    S(jetstream, ROW_BOOL),
    S(flags, ROW_INT),
    S(seq, ROW_UINT),
    S(time, ROW_TIME),
    ROW_END,
};

#define C_OMIT(member, kind) ROW_OMIT(struct event_client, member, kind)
static const struct row CLIENT_ROWS[] = {
    C_OMIT(start, ROW_TIME),        C_OMIT(host, ROW_STRING),        C_OMIT(id, ROW_UINT),
    C_OMIT(acc, ROW_STRING),        C_OMIT(user, ROW_STRING),        C_OMIT(name, ROW_STRING),
    C_OMIT(lang, ROW_STRING),       C_OMIT(ver, ROW_STRING),         C_OMIT(rtt, ROW_INT),
    C_OMIT(server, ROW_STRING),     C_OMIT(stop, ROW_TIME),          C_OMIT(jwt, ROW_STRING),
    C_OMIT(issuer_key, ROW_STRING), C_OMIT(name_tag, ROW_STRING),    C_OMIT(tags, ROW_STRINGS),
    C_OMIT(kind, ROW_STRING),       C_OMIT(client_type, ROW_STRING), ROW_END,
};

void event_put_server_members(struct json *json, const struct event_server *server)
{
    rows_print_json(json, SERVER_ROWS, server);
}

void event_put_server(struct json *json, const struct event_server *server)
{
    json_object(json, "server");
    event_put_server_members(json, server);
    json_object_end(json);
}

void event_put_client_members(struct json *json, const struct event_client *client)
{
    rows_print_json(json, CLIENT_ROWS, client);
}

void event_put_client(struct json *json, const struct event_client *client)
{
    json_object(json, "client");
    event_put_client_members(json, client);
    json_object_end(json);
}

static void put_name(struct json *json, const char *key, const X509_NAME *name)
{
    struct buf text = { 0 };
    tls_name_print(name, &text);
    if (text.len)
        json_span(json, key, buf_span(&text));
    buf_free(&text);
}

static void put_base64(struct json *json, const char *key, struct span bytes)
{
    struct buf text = { 0 };
    base64_encode(&text, bytes, BASE64_STD);
    if (text.len)
        json_span(json, key, buf_span(&text));
    buf_free(&text);
}

void event_put_cert(struct json *json, const char *key, X509 *cert)
{
    uint8_t digest[32];
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    tls_cert_sha256(cert, digest);
    json_object(json, key);
    put_name(json, "subject", X509_get_subject_name(cert));
    put_name(json, "issuer", X509_get_issuer_name(cert));
    put_base64(json, "fingerprint", span_make(digest, sizeof digest));
    put_base64(json, "raw", span_make(der, len > 0 ? (size_t)len : 0));
    json_object_end(json);
    OPENSSL_free(der);
}

void event_begin_with(struct json *json, const char *type, const char *id, int64_t timestamp_ns)
{
    json_object(json, NULL);
    json_string(json, "type", type);
    json_string(json, "id", id);
    json_time(json, "timestamp", timestamp_ns);
}

void event_begin(struct json *json, const char *type, int64_t timestamp_ns)
{
    char id[NUID_LEN + 1];
    nuid_next(id);
    event_begin_with(json, type, id, timestamp_ns);
}
