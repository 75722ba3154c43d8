/* conn_info.c - see conn_info.h. */
#include "conn_info.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "account.h"
#include "client.h"
#include "peer_check.h"
#include "jwt_login.h"
#include "event_json.h"
#include "transport_tls.h"

#include <stdlib.h>

static void take_subs(const struct client *client, struct conn_info *out)
{
    const struct sub *sub = NULL;
    out->subs = mem_zero(sizeof *out->subs * ((size_t)client->subs.count + 1));
    while ((sub = sub_table_next(&client->subs, sub)) != NULL)
        out->subs[out->subs_count++] = (struct sub_info){ .subject = mem_strspan(sub_subject(sub)),
                                                          .queue = mem_strspan(sub_queue(sub)),
                                                          .sid = mem_strspan(sub_sid(sub)),
                                                          .delivered = sub->delivered,
                                                          .max = sub_max(sub) };
}

static void put_hex(char out[65], const uint8_t digest[32])
{
    struct buf text = { 0 };
    hex_encode(&text, span_make(digest, 32));
    memcpy(out, buf_str(&text), 65);
    buf_free(&text);
}

static void take_cert(const struct tls_cert *cert, struct cert_info *out)
{
    uint8_t digest[32];
    struct buf name = { 0 };
    tls_cert_print_subject(cert, &name);
    out->subject = mem_strspan(buf_span(&name));
    buf_free(&name);
    tls_fingerprint(cert->key, digest);
    put_hex(out->spki_sha256, digest);
    tls_fingerprint(cert->whole, digest);
    put_hex(out->cert_sha256, digest);
}

static void take_certs(struct span certs, struct conn_info *out)
{
    struct tls_cert cert;
    while (tls_cert_next(&certs, &cert)) {
        out->certs = mem_resize_array(out->certs, out->cert_count + 1, sizeof *out->certs);
        take_cert(&cert, &out->certs[out->cert_count++]);
    }
}

/* Who was refused is seen here, or nowhere. */
static void take_ruling(const struct conn *conn, struct conn_info *out)
{
    const struct peer_ruling *ruling = transport_tls_ruling(conn);
    if (!ruling)
        return;
    out->ocsp_verdict = ruling->verdict;
    out->ocsp_checked_ns = ruling->at_ns;
    if (!ruling->rejected)
        return;
    unsigned char *der = NULL;
    int len = i2d_X509(ruling->rejected, &der);
    take_certs(span_make(der, len > 0 ? (size_t)len : 0), out);
    OPENSSL_free(der);
}

static void take_tls(const struct conn *conn, const struct conn_detail *detail,
                     struct conn_info *out)
{
    struct tls_engine *engine = transport_tls_engine(conn);
    if (detail->auth)
        take_ruling(conn, out);
    if (!engine || conn->phase < CONN_OPEN)
        return;
    out->tls_version = tls_version(engine);
    out->tls_cipher = tls_cipher(engine);
    out->tls_first = client_of(conn)->has_handshaked_first;
    if (detail->auth && out->cert_count == 0)
        take_certs(tls_peer_certs(engine), out);
}

static void copy_tags(char ***out, size_t *out_count, char *const *tags, size_t count)
{
    *out = count ? mem_zero(count * sizeof **out) : NULL;
    *out_count = count;
    for (size_t i = 0; i < count; i++)
        (*out)[i] = mem_strdup(tags[i]);
}

static void take_identity(const struct client *client, struct identity_info *out)
{
    const struct jwt_login *login = client->login;
    if (!login)
        return;
    const struct jwt_texts *tags = &login->claims->tags;
    out->jwt = mem_strdup(client->jwt);
    out->issuer_key = mem_strdup(login->claims->issuer);
    out->name_tag = mem_strdup(login->account_tag);
    copy_tags(&out->tags, &out->tag_count, (char *const *)(const void *)tags->items, tags->count);
}

static void copy_identity(const struct identity_info *from, struct identity_info *to)
{
    *to = (struct identity_info){ .jwt = mem_strdup(from->jwt),
                                  .issuer_key = mem_strdup(from->issuer_key),
                                  .name_tag = mem_strdup(from->name_tag) };
    copy_tags(&to->tags, &to->tag_count, from->tags, from->tag_count);
}

static void clear_identity(struct identity_info *identity)
{
    for (size_t i = 0; i < identity->tag_count; i++)
        free(identity->tags[i]);
    free(identity->tags);
    free(identity->jwt);
    free(identity->issuer_key);
    free(identity->name_tag);
}

void conn_info_take(const struct conn *conn, const struct conn_detail *detail,
                    struct conn_info *out)
{
    const struct client *client = client_of(conn);
    int64_t now_ns = clock_wall_ns(), idle_ms = conn_now_ms(conn) - conn->last_activity_ms;
    *out = (struct conn_info){ .cid = conn->cid,
                               .type = conn->protocol->name,
                               .port = conn->port,
                               .start_ns = conn->start_ns,
                               .last_activity_ns = now_ns - idle_ms * NS_PER_MS,
                               .reason = conn->reason,
                               .rtt_ns = client->rtt_ns,
                               .pending_bytes = conn_pending(conn),
                               .in_msgs = conn->in_msgs,
                               .out_msgs = conn->out_msgs,
                               .in_bytes = conn->in_bytes,
                               .out_bytes = conn->out_bytes,
                               .stalls = conn->stalls,
                               .sub_count = client->subs.count,
                               .name = mem_strdup(client->name),
                               .lang = mem_strdup(client->lang),
                               .version = mem_strdup(client->version),
                               .user = mem_strdup(client->user_kind == USER_TOKEN ? "[REDACTED]"
                                                                                  : client->user),
                               .account = conn->account->name };
    memcpy(out->ip, conn->ip, sizeof out->ip);
    take_tls(conn, detail, out);
    if (detail->auth)
        take_identity(client, &out->identity);
    if (detail->subs)
        take_subs(client, out);
}

void conn_info_copy(const struct conn_info *from, const struct conn_detail *detail,
                    struct conn_info *to)
{
    *to = *from;
    to->name = mem_strdup(from->name);
    to->lang = mem_strdup(from->lang);
    to->version = mem_strdup(from->version);
    to->user = mem_strdup(from->user);
    to->identity = (struct identity_info){ 0 };
    if (detail->auth)
        copy_identity(&from->identity, &to->identity);
    to->subs = NULL;
    to->certs = NULL;
    to->subs_count = to->cert_count = 0;
    if (detail->subs && from->subs_count) {
        to->subs = mem_zero(sizeof *to->subs * from->subs_count);
        to->subs_count = from->subs_count;
        for (size_t i = 0; i < from->subs_count; i++) {
            to->subs[i] = from->subs[i];
            to->subs[i].subject = mem_strdup(from->subs[i].subject);
            to->subs[i].queue = mem_strdup(from->subs[i].queue);
            to->subs[i].sid = mem_strdup(from->subs[i].sid);
        }
    }
    if (detail->auth && from->cert_count) {
        to->certs = mem_zero(sizeof *to->certs * from->cert_count);
        to->cert_count = from->cert_count;
        for (size_t i = 0; i < from->cert_count; i++) {
            to->certs[i] = from->certs[i];
            to->certs[i].subject = mem_strdup(from->certs[i].subject);
        }
    }
}

struct event_client conn_info_event(const struct conn_info *info)
{
    return (struct event_client){
        .start = info->start_ns,
        .host = info->ip,
        .id = info->cid,
        .acc = info->account,
        .user = info->user,
        .name = info->name,
        .lang = info->lang,
        .ver = info->version,
        .jwt = info->identity.jwt,
        .issuer_key = info->identity.issuer_key,
        .name_tag = info->identity.name_tag ? info->identity.name_tag : info->account,
        .tags = {(const char *const *)info->identity.tags, info->identity.tag_count},
        .kind = "Client",
        .client_type = info->type
    };
}

void conn_info_clear(struct conn_info *info)
{
    for (size_t i = 0; i < info->subs_count; i++) {
        free(info->subs[i].subject);
        free(info->subs[i].queue);
        free(info->subs[i].sid);
    }
    for (size_t i = 0; i < info->cert_count; i++)
        free(info->certs[i].subject);
    clear_identity(&info->identity);
    free(info->subs);
    free(info->certs);
    free(info->name);
    free(info->lang);
    free(info->version);
    free(info->user);
    *info = (struct conn_info){ 0 };
}
