/* An answer counts only when the CA, or whom it appointed, gives it about this very certificate and
 * for today. Everything else refuses, and the log says why. */
#include "harness_ocsp.h"

#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

OCSP_BEHAVIOUR(ocsp_wrong_answers_refuse);

enum { HOUR_S = 3600 };

static struct responder_script good(void)
{
    return authority_script("client-good", ANSWER_GOOD);
}

static struct responder_script about_another(void)
{
    return authority_script("client-noaia", ANSWER_GOOD);
}

static struct responder_script by_another_ca(void)
{
    struct responder_script script = good();
    script.recipe.signer = authority_cert("other-ca");
    return script;
}

/* Signed with a key that has no right to, its certificate sent along. */
static struct responder_script by_the_client(void)
{
    struct responder_script script = good();
    script.recipe.signer = script.recipe.embed[0] = authority_cert("client-good");
    return script;
}

static struct responder_script by_the_delegate(void)
{
    struct responder_script script = good();
    script.recipe.signer = script.recipe.embed[0] = authority_cert("ocsp");
    return script;
}

static struct responder_script expired(void)
{
    struct responder_script script = good();
    script.recipe.this_update_s = time(NULL) - 2 * HOUR_S;
    script.recipe.next_update_s = time(NULL) - HOUR_S;
    return script;
}

static struct responder_script of_the_future(void)
{
    struct responder_script script = good();
    script.recipe.this_update_s = time(NULL) + HOUR_S;
    script.recipe.next_update_s = time(NULL) + 2 * HOUR_S;
    return script;
}

static struct responder_script try_later(void)
{
    return (struct responder_script){ .act = RESPONDER_ERROR,
                                      .code = OCSP_RESPONSE_STATUS_TRYLATER };
}

static struct responder_script garbage(void)
{
    static const char PAGE[] = "<html>It works!</html>";
    return (struct responder_script){
        .act = RESPONDER_BYTES, .bytes = {(const uint8_t *)PAGE, sizeof PAGE - 1}
    };
}

static struct responder_script acting(enum responder_act act, int code)
{
    struct responder_script script = good();
    script.act = act;
    script.code = code;
    return script;
}

static struct responder_script cut_short(void)
{
    return acting(RESPONDER_TRUNCATED, 0);
}

static struct responder_script empty(void)
{
    return acting(RESPONDER_EMPTY, 0);
}

static struct responder_script not_200(void)
{
    return acting(RESPONDER_STATUS, 404);
}

static struct responder_script hanging(void)
{
    return acting(RESPONDER_HANG, 0);
}

static struct responder_script dripping(void)
{
    return acting(RESPONDER_DRIP, 0);
}

static struct responder_script too_large(void)
{
    return acting(RESPONDER_TOO_LARGE, 0);
}

static struct responder_script broken_off(void)
{
    return acting(RESPONDER_RESET, 0);
}

/* What the log says about the client, up to '*'. */
#define WHO   "[" SUBJECT("client-good") "]"
#define PARSE "[ERR] Could not parse OCSP CA response for " WHO ": "
#define FETCH                                                                                      \
    "[WRN] Attempt to obtain OCSP response from CA responder for " WHO                             \
    " failed: exhausted OCSP responders: "

struct answer {
    struct responder_script (*script)(void);
    const char *complaint; /* NULL: the client enters */
    const char *reason;
    bool is_ours; /* nats-server does otherwise */
};

static const struct answer ANSWERS[] = {
    {by_the_delegate, NULL,                                                                            NULL,                               false},
    { about_another,  PARSE "no response matching the supplied certificate",
     "[DBG] Failed OCSP response parse",                                                                                                   true },
    { by_another_ca,  PARSE "bad OCSP signature*",                                                     "[DBG] Failed OCSP response parse", false},
    { by_the_client,  "[WRN] Invalid OCSP response delegation: " SUBJECT("client-good"),
     "[DBG] Invalid OCSP response delegation: " SUBJECT("client-good"),                                                                    false},
    { expired,        "[WRN] New OCSP CA response obtained for " WHO " but not current",
     "[DBG] OCSP response not in effectivity window",                                                                                      false},
    { of_the_future,  "[WRN] New OCSP CA response obtained for " WHO " but not current",
     "[DBG] OCSP response not in effectivity window",                                                                                      false},
    { try_later,      PARSE "ocsp: error from server: try later",                                      "[DBG] Failed OCSP response parse",
     false                                                                                                                                      },
    { garbage,        PARSE "*",                                                                       "[DBG] Failed OCSP response parse", false},
    { cut_short,      PARSE "*",                                                                       "[DBG] Failed OCSP response parse", false},
    { empty,          "[WRN] Attempt to obtain OCSP response from CA responder for " WHO " failed: *",
     "[DBG] Failed OCSP response fetch",                                                                                                   false},
    { not_200,        FETCH "bad OCSP responder http status: [404]",                                   "[DBG] Failed OCSP response fetch",
     false                                                                                                                                      },
    { hanging,        FETCH "*",                                                                       "[DBG] Failed OCSP response fetch", false},
    { dripping,       FETCH "*",                                                                       "[DBG] Failed OCSP response fetch", false},
    { broken_off,     FETCH "*",                                                                       "[DBG] Failed OCSP response fetch", false},
    { too_large,      FETCH "*",                                                                       "[DBG] Failed OCSP response fetch", true },
};

static void complains(struct server *server, const char *complaint)
{
    size_t size = strcspn(complaint, "*");

    require(log_contains(server, text("%.*s%s", (int)size, complaint, complaint[size] ? "" : "\n"),
                         PATIENCE_MS),
            "missing in the log: %s", complaint);
}

EACH_ROW(ocsp_wrong_answers_refuse, each_with_its_complaint, sizeof ANSWERS / sizeof *ANSWERS)
{
    const struct answer *answer = &ANSWERS[*row];
    if (answer->is_ours && is_reference())
        return;
    struct responder *ca = authority_is_scripted();
    struct responder_script script = answer->script();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 0.3 }" });

    responder_set(ca, ROOT_SLOT, &script);
    if (!answer->complaint) {
        is_let_in(server, "client-good", 0);
        return;
    }
    is_refused(server, "client-good", 0);
    complains(server, answer->complaint);
    complains(server, answer->reason);
    cache_shows(server, "\"cache_misses\":1"); /* nothing of it is kept */
}

/* A wrong answer is forgotten: as soon as the CA is itself again, the client enters. */
SCENARIO(ocsp_wrong_answers_refuse, until_the_ca_is_well_again)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = expired();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    responder_set(ca, ROOT_SLOT, &script);
    is_refused(server, "client-good", 0);
    script = good();
    responder_set(ca, ROOT_SLOT, &script);
    is_let_in(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 2);
    cache_shows(server, "\"cache_misses\":2,\"cached_responses\":1,\"cached_good_responses\":1");
}

/* What goes over the wire: one GET, as RFC 6960 A.1 has it, of the certificate's path. */
SCENARIO(ocsp_wrong_answers_refuse, to_a_question_that_is_well_formed)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = good();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    responder_set(ca, ROOT_SLOT, &script);
    is_let_in(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, -1), 1);
    char *head = keep(responder_last_head(ca, ROOT_SLOT));
    require(strncmp(head, "GET /1/M", 8) == 0 && strstr(head, " HTTP/1.1\r\n"), "%s", head);
    require(is_reference() || strstr(head, "Accept: application/ocsp-response\r\n"), "%s", head);
}
