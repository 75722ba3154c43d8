/* talk.c - see talk.h. */
#include "talk.h"

#include "engine.h"
#include "pki.h"

#include <criterion/criterion.h>

#include <stdio.h>

static struct tls_pair pair_of(const char *name)
{
    char cert[64], key[64];
    snprintf(cert, sizeof cert, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    return (struct tls_pair){ pki(cert), pki(key) };
}

struct tls_context *talk_server_context(const struct talk_options *options)
{
    struct tls_pair pair = pair_of(options->server_name ? options->server_name : "server");
    struct error err = { 0 };
    struct tls_context *context = tls_context_new(
        &(struct tls_settings){
            .pairs = &pair,
            .pair_count = 1,
            .ca_file = !options->verify     ? NULL
                       : options->server_ca ? options->server_ca
                                            : pki("ca.pem"),
            .verify = options->verify,
            .hook = options->hook != NULL,
        },
        &err);
    cr_assert_not_null(context, "%s", err.text);
    return context;
}

struct tls_context *talk_client_context(const struct talk_options *options)
{
    struct tls_pair pair = { options->client_cert, options->client_key };
    if (options->client_name)
        pair = pair_of(options->client_name);
    struct error err = { 0 };
    struct tls_context *context = tls_context_new(
        &(struct tls_settings){
            .is_client = true,
            .pairs = &pair,
            .pair_count = pair.cert_file != NULL,
            .ca_file = options->client_ca ? options->client_ca : pki("ca.pem"),
            .verify = !options->client_is_insecure,
            .hook = options->client_hook != NULL,
        },
        &err);
    cr_assert_not_null(context, "%s", err.text);
    return context;
}

struct talk talk_new(const struct talk_options *options)
{
    struct tls_context *server = options->server_context
                                     ? tls_context_retain(options->server_context)
                                     : talk_server_context(options);
    struct tls_context *client = options->client_context
                                     ? tls_context_retain(options->client_context)
                                     : talk_client_context(options);
    struct talk talk;
    talk.server = tls_engine_new(&(struct tls_engine_settings){
        .context = server, .on_chain = options->hook, .ctx = options->ctx });
    talk.client = tls_engine_new(&(struct tls_engine_settings){
        .context = client,
        .server_name = options->expected ? options->expected : "localhost",
        .on_chain = options->client_hook,
        .ctx = options->ctx });
    tls_context_release(server); /* engines keep what they need */
    tls_context_release(client);
    if (options->version) {
        SSL_set_min_proto_version(talk.client->ssl, options->version);
        SSL_set_max_proto_version(talk.client->ssl, options->version);
    }
    return talk;
}

void talk_free(struct talk *talk)
{
    tls_engine_free(talk->client);
    tls_engine_free(talk->server);
}

size_t talk_deliver(struct tls_engine *from, struct tls_engine *to, size_t chunk)
{
    struct buf said = *tls_output(from);
    *tls_output(from) = (struct buf){ 0 };
    for (size_t at = 0; at < said.len;) {
        size_t len = chunk && chunk < said.len - at ? chunk : said.len - at;
        /* a piece of exactly its size, so that reading behind it is noticed */
        uint8_t *piece = malloc(len);
        memcpy(piece, said.data + at, len);
        tls_receive(to, span_make(piece, len));
        tls_keep_rest(to);
        free(piece);
        at += len;
    }
    size_t delivered = said.len;
    buf_free(&said);
    return delivered;
}

void talk_run(struct talk *talk, size_t chunk)
{
    tls_receive(talk->client, (struct span){ 0 });
    while (talk_deliver(talk->client, talk->server, chunk) +
               talk_deliver(talk->server, talk->client, chunk) >
           0)
        ;
}

struct talk talk_begin(const struct talk_options *options)
{
    struct talk talk = talk_new(options);
    talk_run(&talk, 0);
    return talk;
}

enum tls_status talk_read(struct tls_engine *engine, struct buf *out)
{
    enum tls_status status;
    size_t len;
    do {
        uint8_t *area = malloc(16 * 1024);
        status = tls_read(engine, area, 16 * 1024, &len);
        buf_append(out, area, len);
        free(area);
    } while (len > 0);
    return status;
}

void talk_say(struct tls_engine *engine, const char *text)
{
    cr_assert_eq(tls_write(engine, span_of(text)), TLS_OPEN);
}

bool talk_heard(struct tls_engine *engine, const char *text)
{
    struct buf heard = { 0 };
    talk_read(engine, &heard);
    bool is_equal = span_is(buf_span(&heard), text);
    buf_free(&heard);
    return is_equal;
}
