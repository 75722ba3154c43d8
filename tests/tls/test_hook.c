/* The owner judges the peer's chain: at once, later, or never. */
#include "talk.h"

#include "engine.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <openssl/err.h>

#include <malloc.h>
#include <stdlib.h>

static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION(version)                                                                      \
    for (int version##_at = 0, version; version##_at < 2 && (version = VERSIONS[version##_at], 1); \
         version##_at++)

struct judge {
    enum tls_verdict answer;
    int asked;
    char chain[128]; /* common names of the first chain */
};

static void describe(const STACK_OF(X509) * chain, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < sk_X509_num(chain); i++) {
        char name[64];
        X509_NAME_get_text_by_NID(X509_get_subject_name(sk_X509_value(chain, i)), NID_commonName,
                                  name, sizeof name);
        size_t len = strlen(out);
        snprintf(out + len, size - len, "%s%s", len ? " > " : "", name);
    }
}

static enum tls_verdict judge(void *ctx, struct tls_chains *chains)
{
    struct judge *self = ctx;
    self->asked++;
    describe(tls_chains_next(chains), self->chain, sizeof self->chain);
    tls_chains_free(chains);
    return self->answer;
}

static struct talk_options judged(struct judge *self, int version)
{
    return (struct talk_options){
        .version = version, .verify = true, .client_name = "client-good", .hook = judge, .ctx = self
    };
}

/* The client's failure once it has read everything. */
static const char *failure_seen(struct tls_engine *engine)
{
    struct buf got = { 0 };
    talk_read(engine, &got);
    cr_expect_eq(got.len, 0u);
    buf_free(&got);
    return tls_failure(engine);
}

Test(hook, passes_at_once)
{
    EACH_VERSION(version)
    for (size_t chunk = 0; chunk < 3; chunk++) {
        struct judge self = { .answer = TLS_PASS };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_new(&options);
        talk_run(&talk, chunk);
        cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        cr_expect_eq(self.asked, 1);
        cr_expect_str_eq(self.chain, "client-good > Root CA");
        cr_expect_eq(SSL_get_mode(talk.server->ssl) & SSL_MODE_ASYNC, 0);
        talk_say(talk.client, "hello");
        talk_deliver(talk.client, talk.server, 0);
        cr_expect(talk_heard(talk.server, "hello"));
        talk_free(&talk);
    }
}

Test(hook, rejects_at_once_with_bad_certificate)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_REJECT };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_begin(&options);
        cr_expect_eq(self.asked, 1);
        cr_expect_eq(tls_status(talk.server), TLS_FAILED);
        cr_expect_str_eq(tls_failure(talk.server), "peer certificate rejected");
        cr_expect_str_eq(failure_seen(talk.client), "remote error: tls: bad certificate");
        talk_free(&talk);
    }
}

Test(hook, is_no_formality_where_nobody_is_verified)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_PASS };
        struct talk_options options = judged(&self, version);
        options.verify = false;
        struct talk talk = talk_begin(&options);
        cr_expect_eq(self.asked, 0);
        cr_expect_eq(tls_status(talk.server), TLS_FAILED);
        cr_expect_str_eq(tls_failure(talk.server), "the peer's chain was not judged");
        talk_free(&talk);
    }
}

Test(hook, rests_until_it_is_resumed)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_LATER };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_begin(&options);
        cr_expect_eq(tls_status(talk.server), TLS_VERIFYING);
        cr_expect_eq(tls_receive(talk.server, (struct span){ 0 }), TLS_VERIFYING);
        cr_expect_eq(tls_status(talk.client), version == TLS1_2_VERSION ? TLS_HANDSHAKE : TLS_OPEN);
        cr_expect_eq(tls_write(talk.server, span_of("x")), TLS_VERIFYING);
        cr_expect_eq(tls_output(talk.server)->len, 0u);

        enum tls_status status = tls_resume(talk.server, TLS_PASS, NULL);
        cr_expect(status == TLS_OPEN || status == TLS_HANDSHAKE);
        talk_run(&talk, 0);
        cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
        cr_expect_eq(self.asked, 1);
        talk_say(talk.server, "welcome");
        talk_deliver(talk.server, talk.client, 0);
        cr_expect(talk_heard(talk.client, "welcome"));
        talk_free(&talk);
    }
}

Test(hook, rejects_later_with_the_reason_and_an_alert)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_LATER };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_begin(&options);
        cr_expect_eq(tls_resume(talk.server, TLS_REJECT, "client not OCSP valid"), TLS_FAILED);
        cr_expect_str_eq(tls_failure(talk.server), "client not OCSP valid");
        cr_expect_eq(tls_output(talk.server)->len, version == TLS1_2_VERSION ? 7u : 24u);
        cr_expect_eq(ERR_peek_error(), 0ul);
        talk_deliver(talk.server, talk.client, 0);
        cr_expect_str_eq(failure_seen(talk.client), "remote error: tls: bad certificate");
        talk_free(&talk);
    }
}

Test(hook, is_not_asked_about_a_chain_that_openssl_refuses)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_PASS };
        struct talk_options options = judged(&self, version);
        options.client_name = "client-other";
        struct talk talk = talk_begin(&options);
        cr_expect_eq(tls_status(talk.server), TLS_FAILED);
        cr_expect_eq(self.asked, 0);
        cr_expect_str_eq(failure_seen(talk.client),
                         "remote error: tls: unknown certificate authority");
        talk_free(&talk);
    }
}

static void abandon_paused(int version, int times)
{
    for (int i = 0; i < times; i++) {
        struct judge self = { .answer = TLS_LATER };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_begin(&options);
        cr_expect_eq(tls_status(talk.server), TLS_VERIFYING);
        talk_free(&talk);
    }
}

/* A fibre that is freed while it rests loses 36 KiB. */
Test(hook, may_be_abandoned_while_it_rests)
{
    EACH_VERSION(version)
    {
        abandon_paused(version, 5); /* pools fill */
        size_t before = mallinfo2().uordblks;
        abandon_paused(version, 50);
        cr_expect_lt(mallinfo2().uordblks, before + 50 * 4096);
    }
}

/* ---- bytes that arrive while it rests ---------------------------------------------------------------- */

/* In TLS 1.3 a client has finished, and may talk, before the server has judged it. */
Test(hook, delivers_early_bytes_exactly_once_after_a_pass)
{
    for (size_t chunk = 0; chunk < 4; chunk++) {
        struct judge self = { .answer = TLS_LATER };
        struct talk_options options = judged(&self, TLS1_3_VERSION);
        struct talk talk = talk_new(&options);
        talk_run(&talk, chunk);
        struct buf got = { 0 };
        talk_say(talk.client, "CONNECT {}\r\n");
        talk_deliver(talk.client, talk.server, chunk);
        talk_say(talk.client, "PING\r\n");
        talk_deliver(talk.client, talk.server, chunk);
        cr_expect_eq(talk_read(talk.server, &got), TLS_VERIFYING);
        cr_expect_eq(got.len, 0u);

        cr_expect_eq(tls_resume(talk.server, TLS_PASS, NULL), TLS_OPEN);
        cr_expect(talk_heard(talk.server, "CONNECT {}\r\nPING\r\n"));
        cr_expect(talk_heard(talk.server, ""));
        talk_free(&talk);
    }
}

Test(hook, never_delivers_early_bytes_after_a_reject)
{
    struct judge self = { .answer = TLS_LATER };
    struct talk_options options = judged(&self, TLS1_3_VERSION);
    struct talk talk = talk_begin(&options);
    struct buf got = { 0 };
    talk_say(talk.client, "PUB secret 1\r\nx\r\n");
    talk_deliver(talk.client, talk.server, 0);
    cr_expect_eq(tls_resume(talk.server, TLS_REJECT, NULL), TLS_FAILED);
    cr_expect_eq(talk_read(talk.server, &got), TLS_FAILED);
    talk_say(talk.client, "more");
    talk_deliver(talk.client, talk.server, 0);
    cr_expect_eq(talk_read(talk.server, &got), TLS_FAILED);
    cr_expect_eq(got.len, 0u);
    talk_free(&talk);
}

Test(hook, asks_for_no_more_input_when_enough_is_kept)
{
    struct judge self = { .answer = TLS_LATER };
    struct talk_options options = judged(&self, TLS1_3_VERSION);
    struct talk talk = talk_begin(&options);
    uint8_t sent[40000];
    struct buf got = { 0 };
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 7);
    cr_expect(tls_wants_input(talk.server));
    tls_write(talk.client, span_make(sent, 10000));
    talk_deliver(talk.client, talk.server, 0);
    cr_expect(tls_wants_input(talk.server));
    tls_write(talk.client, span_make(sent + 10000, 30000));
    talk_deliver(talk.client, talk.server, 0);
    cr_expect_not(tls_wants_input(talk.server));

    tls_resume(talk.server, TLS_PASS, NULL);
    cr_expect(tls_wants_input(talk.server));
    cr_expect_eq(talk_read(talk.server, &got), TLS_OPEN);
    cr_expect(span_equal(buf_span(&got), span_make(sent, sizeof sent)));
    buf_free(&got);
    talk_free(&talk);
}

/* ---- many, and in between ------------------------------------------------------------------------------- */

enum { MANY = 200 };

Test(hook, resumes_many_out_of_order, .timeout = 60)
{
    static struct talk talks[MANY];
    struct judge self = { .answer = TLS_LATER };
    for (int i = 0; i < MANY; i++) {
        struct talk_options options = judged(&self, VERSIONS[i % 2]);
        talks[i] = talk_begin(&options);
        cr_assert_eq(tls_status(talks[i].server), TLS_VERIFYING);
    }
    for (int n = 0; n < MANY; n++) {
        int i = n * 77 % MANY; /* 77 and 200 have no common divisor: each once */
        enum tls_verdict verdict = i % 3 ? TLS_PASS : TLS_REJECT;
        tls_resume(talks[i].server, verdict, "no");
        talk_run(&talks[i], 0);
        cr_expect_eq(tls_status(talks[i].server), i % 3 ? TLS_OPEN : TLS_FAILED);
    }
    cr_expect_eq(self.asked, MANY);
    for (int i = 0; i < MANY; i++) {
        if (i % 3) {
            talk_say(talks[i].server, "still here");
            talk_deliver(talks[i].server, talks[i].client, 0);
            cr_expect(talk_heard(talks[i].client, "still here"));
        }
        talk_free(&talks[i]);
    }
}

Test(hook, refuses_the_peer_when_it_cannot_pause)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_PASS };
        struct talk_options options = judged(&self, version);
        struct talk talk = talk_new(&options);
        SSL_clear_mode(talk.server->ssl, SSL_MODE_ASYNC); /* as where OpenSSL has no fibres */
        talk_run(&talk, 0);
        cr_expect_eq(tls_status(talk.server), TLS_FAILED);
        cr_expect_eq(self.asked, 0);
        cr_expect_str_eq(tls_failure(talk.server),
                         "the peer's chain cannot be judged: OpenSSL cannot pause this handshake");
        cr_expect_str_eq(failure_seen(talk.client), "remote error: tls: bad certificate");
        talk_free(&talk);
    }
}

Test(hook, judges_servers_too)
{
    EACH_VERSION(version)
    for (int passes = 0; passes < 2; passes++) {
        struct judge self = { .answer = TLS_LATER };
        struct talk_options options = { .version = version, .client_hook = judge, .ctx = &self };
        struct talk talk = talk_begin(&options);
        cr_assert_eq(tls_status(talk.client), TLS_VERIFYING);
        cr_expect_str_eq(self.chain, "localhost > Root CA");
        tls_resume(talk.client, passes ? TLS_PASS : TLS_REJECT, "server not OCSP valid");
        talk_run(&talk, 0);
        cr_expect_eq(tls_status(talk.client), passes ? TLS_OPEN : TLS_FAILED);
        cr_expect_eq(tls_status(talk.server), passes ? TLS_OPEN : TLS_FAILED);
        if (!passes) {
            cr_expect_str_eq(tls_failure(talk.client), "server not OCSP valid");
            cr_expect_str_eq(tls_failure(talk.server), "remote error: tls: bad certificate");
        }
        talk_free(&talk);
    }
}

/* There is no verified chain to show, which is for the hook to judge. */
Test(hook, is_shown_no_chain_of_a_server_that_nobody_verified)
{
    EACH_VERSION(version)
    {
        struct judge self = { .answer = TLS_LATER, .chain = "?" };
        struct talk_options options = {
            .version = version, .client_is_insecure = true, .client_hook = judge, .ctx = &self
        };
        struct talk talk = talk_begin(&options);
        cr_assert_eq(self.asked, 1);
        cr_expect_str_eq(self.chain, "");
        tls_resume(talk.client, TLS_REJECT, "server not OCSP valid");
        talk_run(&talk, 0);
        cr_expect_str_eq(tls_failure(talk.client), "server not OCSP valid");
        cr_expect_str_eq(tls_failure(talk.server), "remote error: tls: bad certificate");
        talk_free(&talk);
    }
}

Test(hook, is_not_needed_to_trust_anybody)
{
    EACH_VERSION(version)
    {
        struct talk talk = talk_begin(&(struct talk_options){ .version = version,
                                                              .client_is_insecure = true,
                                                              .client_ca = pki("client-good.pem"),
                                                              .expected = "somebody.else" });
        cr_expect_eq(tls_status(talk.client), TLS_OPEN);
        cr_expect_eq(tls_status(talk.server), TLS_OPEN);
        talk_free(&talk);
    }
}

Test(hook, leaves_no_pause_where_nobody_asks)
{
    struct talk talk =
        talk_new(&(struct talk_options){ .verify = true, .client_name = "client-good" });
    cr_expect_eq(SSL_get_mode(talk.server->ssl) & SSL_MODE_ASYNC, 0);
    talk_free(&talk);
}
