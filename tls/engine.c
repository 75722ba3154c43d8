/* engine.c - drives one TLS connection over our buffers.
 *
 *   TLS_HANDSHAKE --> TLS_VERIFYING --> TLS_HANDSHAKE     the owner has been asked, and has answered
 *         \                                  /
 *          +-----------> TLS_OPEN <---------+ --> TLS_CLOSED       close_notify
 *   any but TLS_CLOSED --> TLS_FAILED
 *
 * OpenSSL's error queue belongs to the thread: it is emptied before every call, so that what is in it
 * afterwards is of that call. */
#include "engine.h"

#include "base/mem.h"

#include "bio.h"
#include "chains.h"
#include "context.h"
#include "failure.h"
#include "peer_certs.h"

#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define RECORD_PLAIN 16384u
#define RECORD_EXTRA 64u /* header, tag, padding and explicit nonce of a record, rounded up */
#define MAX_KEPT     (32u * 1024) /* while a verdict is pending */
#define DEFAULT_WHY  "peer certificate rejected"
#define NOT_JUDGED   "the peer's chain was not judged"
#define CANNOT_PAUSE "the peer's chain cannot be judged: OpenSSL cannot pause this handshake"

static bool may_become(enum tls_status from, enum tls_status to)
{
    switch (from) {
    case TLS_HANDSHAKE: return to != TLS_CLOSED;
    case TLS_VERIFYING: return to == TLS_HANDSHAKE || to == TLS_OPEN || to == TLS_FAILED;
    case TLS_OPEN: return to == TLS_OPEN || to == TLS_CLOSED || to == TLS_FAILED;
    case TLS_CLOSED: return to == TLS_CLOSED;
    case TLS_FAILED: return to == TLS_FAILED;
    }
    return false;
}

static enum tls_status enter(struct tls_engine *engine, enum tls_status status)
{
    bool allowed = may_become(engine->status, status);
    assert(allowed);
    (void)allowed;
    engine->status = status;
    return status;
}

static void assert_owner(const struct tls_engine *engine)
{
    assert(pthread_equal(engine->owner, pthread_self()));
    (void)engine;
}

/* ---- bytes of the peer ------------------------------------------------------------------------- */

static size_t kept_len(const struct tls_engine *engine)
{
    return engine->kept.len - engine->kept_at;
}

static void forget_kept(struct tls_engine *engine)
{
    buf_free(&engine->kept);
    engine->kept_at = 0;
}

size_t engine_take_input(struct tls_engine *engine, void *out, size_t cap)
{
    size_t len = kept_len(engine);
    if (len > 0) {
        len = len < cap ? len : cap;
        memcpy(out, engine->kept.data + engine->kept_at, len);
        engine->kept_at += len;
        if (kept_len(engine) == 0)
            forget_kept(engine);
        return len;
    }
    len = engine->input.len < cap ? engine->input.len : cap;
    if (len > 0)
        memcpy(out, engine->input.ptr, len);
    engine->input.ptr += len;
    engine->input.len -= len;
    return len;
}

void tls_keep_rest(struct tls_engine *engine)
{
    if (engine->input.len > 0) {
        buf_consume(&engine->kept, engine->kept_at);
        engine->kept_at = 0;
        buf_append(&engine->kept, engine->input.ptr, engine->input.len);
    }
    engine->input = (struct span){ 0 };
}

/* ---- the handshake ------------------------------------------------------------------------------ */

static enum tls_status fail(struct tls_engine *engine)
{
    if (engine->verification.cannot_pause)
        engine->failure = mem_strdup(CANNOT_PAUSE);
    else if (!engine->failure)
        engine->failure = failure_describe(engine->ssl, &engine->verification);
    ERR_clear_error();
    forget_kept(engine);
    engine->input = (struct span){ 0 };
    return enter(engine, TLS_FAILED);
}

static enum tls_status open_up(struct tls_engine *engine)
{
    SSL_clear_mode(engine->ssl, SSL_MODE_ASYNC); /* every read and write would pay for a fibre */
    if (!engine->context->is_client)             /* a client may still be sent tickets */
        peer_certs_release(engine->ssl);
    return enter(engine, TLS_OPEN);
}

/* Who has a hook has everybody judged. A handshake that OpenSSL completes without asking (nothing is verified,
 * or a session was resumed) must not be a way around. */
static bool was_judged(struct tls_engine *engine)
{
    if (!engine->on_chain || engine->verification.verdict == TLS_PASS)
        return true;
    engine->failure = mem_strdup(NOT_JUDGED);
    return false;
}

/* The fibre rests in verify_peer(); we are on the normal stack and may take our time. */
static enum tls_verdict ask(struct tls_engine *engine)
{
    struct verification *verification = &engine->verification;
    assert(verification->store_ctx && verification->verdict == TLS_LATER);
    struct tls_chains *chains = chains_new(engine->context, verification->store_ctx);
    verification->verdict = engine->on_chain(engine->ctx, chains);
    if (verification->verdict == TLS_REJECT && !engine->failure)
        engine->failure = mem_strdup(DEFAULT_WHY);
    return verification->verdict;
}

static enum tls_status drive(struct tls_engine *engine)
{
    assert_owner(engine);
    for (;;) {
        ERR_clear_error();
        int result = SSL_do_handshake(engine->ssl);
        if (result == 1)
            return was_judged(engine) ? open_up(engine) : fail(engine);
        switch (SSL_get_error(engine->ssl, result)) {
        case SSL_ERROR_WANT_READ: return enter(engine, TLS_HANDSHAKE);
        case SSL_ERROR_WANT_ASYNC:
            if (ask(engine) == TLS_LATER)
                return enter(engine, TLS_VERIFYING);
            break;
        default: return fail(engine);
        }
    }
}

enum tls_status tls_receive(struct tls_engine *engine, struct span bytes)
{
    if (engine->status == TLS_FAILED || engine->status == TLS_CLOSED)
        return engine->status;
    assert(engine->input.len == 0);
    engine->input = bytes;
    if (engine->status == TLS_HANDSHAKE)
        drive(engine);
    return engine->status;
}

static void decide(struct tls_engine *engine, enum tls_verdict verdict, const char *reason)
{
    engine->verification.verdict = verdict;
    if (verdict == TLS_REJECT && !engine->failure)
        engine->failure = mem_strdup(reason ? reason : DEFAULT_WHY);
}

enum tls_status tls_resume(struct tls_engine *engine, enum tls_verdict verdict, const char *reason)
{
    assert(engine->status == TLS_VERIFYING && verdict != TLS_LATER);
    if (engine->status != TLS_VERIFYING)
        return engine->status;
    decide(engine, verdict == TLS_PASS ? TLS_PASS : TLS_REJECT, reason);
    return drive(engine);
}

/* ---- plaintext ------------------------------------------------------------------------------------ */

/* What an SSL call that did not succeed says about the connection. */
static enum tls_status after_failure(struct tls_engine *engine, int result)
{
    switch (SSL_get_error(engine->ssl, result)) {
    case SSL_ERROR_WANT_READ: return engine->status;
    case SSL_ERROR_ZERO_RETURN: return enter(engine, TLS_CLOSED);
    default: return fail(engine);
    }
}

enum tls_status tls_read(struct tls_engine *engine, uint8_t *out, size_t cap, size_t *len)
{
    *len = 0;
    if (engine->status != TLS_OPEN || cap == 0)
        return engine->status;
    assert_owner(engine);
    ERR_clear_error();
    if (SSL_read_ex(engine->ssl, out, cap, len) == 1)
        return TLS_OPEN;
    *len = 0;
    return after_failure(engine, 0);
}

enum tls_status tls_write(struct tls_engine *engine, struct span plain)
{
    if (engine->status != TLS_OPEN || plain.len == 0)
        return engine->status;
    assert_owner(engine);
    size_t records = plain.len / RECORD_PLAIN + 1;
    buf_reserve(&engine->output, plain.len + records * RECORD_EXTRA);
    ERR_clear_error();
    size_t written;
    int result = SSL_write_ex(engine->ssl, plain.ptr, plain.len, &written);
    return result == 1 ? TLS_OPEN : after_failure(engine, result);
}

void tls_shutdown(struct tls_engine *engine)
{
    bool was_open = engine->status == TLS_OPEN || engine->status == TLS_CLOSED;
    if (!was_open || (SSL_get_shutdown(engine->ssl) & SSL_SENT_SHUTDOWN))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(engine->ssl);
    ERR_clear_error();
}

/* ---- making and freeing ----------------------------------------------------------------------------- */

/* The name that the certificate must have. Host names are also sent, so that the peer can choose. */
static void expect_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
        return;
    SSL_set_tlsext_host_name(ssl, name);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM_set1_host(param, name, 0);
}

struct tls_engine *tls_engine_new(const struct tls_engine_settings *settings)
{
    struct tls_engine *engine = mem_zero(sizeof *engine);
    engine->context = tls_context_retain(settings->context);
    engine->on_chain = settings->on_chain;
    engine->ctx = settings->ctx;
    engine->owner = pthread_self();
    engine->status = TLS_HANDSHAKE;
    engine->verification.verdict = TLS_LATER;

    ERR_clear_error();
    engine->ssl = SSL_new(engine->context->ssl);
    BIO *bio = bio_new(engine->context->bio, engine);
    if (!engine->ssl || !bio)
        abort(); /* out of memory for sizes of our own, as in mem_zero() */
    SSL_set_bio(engine->ssl, bio, bio);
    SSL_set_app_data(engine->ssl, engine);
    if (engine->on_chain && ASYNC_is_capable())
        SSL_set_mode(engine->ssl, SSL_MODE_ASYNC);
    if (engine->context->is_client) {
        SSL_set_connect_state(engine->ssl);
        if (settings->server_name)
            expect_name(engine->ssl, settings->server_name);
    } else {
        SSL_set_accept_state(engine->ssl);
    }
    ERR_clear_error();
    return engine;
}

void tls_engine_free(struct tls_engine *engine)
{
    if (!engine)
        return;
    if (engine->status == TLS_VERIFYING) /* a fibre that is freed while it rests is lost */
        tls_resume(engine, TLS_REJECT, NULL);
    SSL_free(engine->ssl);
    ERR_clear_error();
    tls_context_release(engine->context);
    verification_free(&engine->verification);
    buf_free(&engine->peer_certs);
    buf_free(&engine->kept);
    buf_free(&engine->output);
    free(engine->failure);
    free(engine);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

struct buf *tls_output(struct tls_engine *engine)
{
    return &engine->output;
}

bool tls_wants_input(const struct tls_engine *engine)
{
    return engine->status != TLS_VERIFYING || kept_len(engine) < MAX_KEPT;
}

enum tls_status tls_status(const struct tls_engine *engine)
{
    return engine->status;
}

const char *tls_failure(const struct tls_engine *engine)
{
    return engine->failure ? engine->failure : "";
}

const char *tls_version(const struct tls_engine *engine)
{
    return SSL_version(engine->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
}

const char *tls_cipher(const struct tls_engine *engine)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(engine->ssl);
    return cipher ? SSL_CIPHER_standard_name(cipher) : "";
}

X509 *tls_peer_decode(const struct tls_engine *engine)
{
    const unsigned char *at = engine->peer_certs.data;
    X509 *leaf = at ? d2i_X509(NULL, &at, (long)engine->peer_certs.len) : NULL;
    ERR_clear_error();
    return leaf;
}

struct span tls_peer_certs(const struct tls_engine *engine)
{
    return buf_span(&engine->peer_certs);
}
