/* `warn_only`, `unknown_is_good` and `allow_when_ca_unreachable` let in whom the rule would refuse,
 * and say so; none of them forgives a revocation except `warn_only`. */
#include "harness_ocsp.h"

#include <poll.h>
#include <string.h>
#include <time.h>

OCSP_BEHAVIOUR(ocsp_options_change_the_verdict);

/* Who asks, as the log names him, comes in the place of %s. */
#define FETCH_FAILED                                                                               \
    "[WRN] Attempt to obtain OCSP response from CA responder for [%s] failed: exhausted OCSP "     \
    "responders: *"
#define STATUS_IS(status) "[WRN] OCSP verify fail for [%s] with CA status [" status "]"
#define WARNED            "[WRN] OCSP verify fail for [%s] but WarnOnly is true so allowing"
#define UNREACHABLE                                                                                \
    "[WRN] Failed to obtain OCSP CA response for [%s] but AllowWhenCAUnreachable set; no cached "  \
    "revocation so allowing"

struct policy {
    const char *options;
    bool is_silent; /* the CA */
    const char *client;
    bool enters;
    const char *warnings[3]; /* all lines [WRN] */
};

static const struct policy POLICIES[] = {
    {"",                                                  false, "client-good",     true,  { NULL }                        },
    { "",                                                 false, "client-revoked",  false, { STATUS_IS("revoked") }        },
    { "",                                                 false, "client-unlisted", false, { STATUS_IS("unknown") }        },
    { "",                                                 true,  "client-good",     false, { FETCH_FAILED }                },
    { "unknown_is_good: true",                            false, "client-unlisted", true,  { NULL }                        },
    { "unknown_is_good: true",                            false, "client-revoked",  false, { STATUS_IS("revoked") }        },
    { "unknown_is_good: true",                            true,  "client-unlisted", false, { FETCH_FAILED }                },
    { "allow_when_ca_unreachable: true",                  true,  "client-good",     true,  { FETCH_FAILED, UNREACHABLE }   },
    { "allow_when_ca_unreachable: true",                  false, "client-revoked",  false, { STATUS_IS("revoked") }        },
    { "allow_when_ca_unreachable: true",
     false,                                                      "client-unlisted",
     false,                                                                                { STATUS_IS("unknown") }        },
    { "warn_only: true",                                  false, "client-good",     true,  { NULL }                        },
    { "warn_only: true",                                  false, "client-revoked",  true,  { STATUS_IS("revoked"), WARNED }},
    { "warn_only: true",                                  false, "client-unlisted", true,  { STATUS_IS("unknown"), WARNED }},
    { "warn_only: true",                                  true,  "client-good",     true,  { FETCH_FAILED, WARNED }        },
    { "warn_only: true, allow_when_ca_unreachable: true",
     true,                                                       "client-good",
     true,                                                                                 { FETCH_FAILED, WARNED }        },
    { "warn_only: false, unknown_is_good: false",
     false,                                                      "client-unlisted",
     false,                                                                                { STATUS_IS("unknown") }        },
};

static void warned(struct server *server, const struct policy *policy)
{
    require(log_contains(server, "thus peer is ", PATIENCE_MS), "no verdict");
    const char *at = server_log(server);
    size_t count = 0;

    while ((at = strstr(at, "[WRN] "))) {
        const char *line = text("%.*s", (int)strcspn(at, "\n"), at);
        const char *wanted = policy->warnings[count++];
        const char *who = wanted ? strstr(wanted, "%s") : NULL;

        require(who, "an unexpected warning: %s", line);
        wanted =
            text("%.*sCN=%s,O=Vouch Test%s", (int)(who - wanted), wanted, policy->client, who + 2);
        size_t size = strcspn(wanted, "*");
        require(strncmp(line, wanted, size) == 0 && (wanted[size] || !line[size]),
                "expected the warning: %s\nbut there came: %s", wanted, line);
        at++;
    }
    require(!policy->warnings[count], "missing: %s", policy->warnings[count]);
}

EACH_ROW(ocsp_options_change_the_verdict, one_way_or_the_other, sizeof POLICIES / sizeof *POLICIES)
{
    const struct policy *policy = &POLICIES[*row];
    if (policy->is_silent)
        authority_is_silent();
    else
        authority_answers();
    struct server *server = server_asking(
        &(struct asking){ .ocsp_peer = text("{ verify: true, %s }", policy->options) });

    if (policy->enters)
        is_let_in(server, policy->client, 0);
    else
        is_refused(server, policy->client, 0);
    warned(server, policy);
}

/* Being let in with a warning is no entry in the cache: the next time is asked again. */
SCENARIO(ocsp_options_change_the_verdict, an_unreachable_ca_is_asked_again)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script down = { .act = RESPONDER_STATUS, .code = 503 };
    struct responder_script revoked = authority_script("client-good", ANSWER_REVOKED);
    struct server *server = server_asking(
        &(struct asking){ .ocsp_peer = "{ verify: true, allow_when_ca_unreachable: true }" });

    responder_set(ca, ROOT_SLOT, &down);
    is_let_in(server, "client-good", 0);
    is_let_in(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 2);
    cache_shows(server, "\"cache_misses\":2");
    responder_set(ca, ROOT_SLOT, &revoked);
    is_refused(server, "client-good", 0);
    responder_set(ca, ROOT_SLOT, &down);
    is_refused(server, "client-good", 0); /* remembered */
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 3);
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":3,\"cached_responses\":1,"
                        "\"cached_revoked_responses\":1");
}

/* Without a cache every connection asks. */
SCENARIO(ocsp_options_change_the_verdict, without_a_cache_nothing_is_remembered)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "true", .more = "ocsp_cache: false" });

    responder_set(ca, ROOT_SLOT, &script);
    is_let_in(server, "client-good", 0);
    is_let_in(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 2);
    script.recipe.status = ANSWER_REVOKED;
    responder_set(ca, ROOT_SLOT, &script);
    is_refused(server, "client-good", 0);
    cJSON *varz = monitor(server, "/varz");
    require(json_true(varz, "tls_ocsp_peer_verify") && !json_has(varz, "ocsp_peer_cache"),
            "/varz: %s", json_shown(varz));
}

/* An answer counts until nextUpdate and the allowed clock skew, then the CA is asked again. */
SCENARIO(ocsp_options_change_the_verdict, an_expired_answer_is_not_used_again)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, allowed_clockskew: 0 }" });
    int64_t next_s = (int64_t)time(NULL) + 2;

    script.recipe.next_update_s = next_s;
    responder_set(ca, ROOT_SLOT, &script);
    is_let_in(server, "client-good", 0);
    script = authority_script("client-good", ANSWER_REVOKED);
    responder_set(ca, ROOT_SLOT, &script);
    while (time(NULL) <= next_s)
        poll(NULL, 0, 50);
    is_refused(server, "client-good", 0);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 2);
    cache_shows(server, "\"cache_misses\":2,\"cached_responses\":1,\"cached_revoked_responses\":1");
}

/* A CA that is down forgives nobody whom it has revoked. */
static void remembers_a_revocation(const char *cache, const char *what_happens_to_it)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_REVOKED);
    struct server *server = server_asking(&(struct asking){
        .ocsp_peer = "{ verify: true, allow_when_ca_unreachable: true, allowed_clockskew: 0 }",
        .more = cache });
    int64_t next_s = (int64_t)time(NULL) + 2;

    script.recipe.next_update_s = next_s;
    responder_set(ca, ROOT_SLOT, &script);
    is_refused(server, "client-good", 0);
    responder_set(ca, ROOT_SLOT,
                  &(struct responder_script){ .act = RESPONDER_STATUS, .code = 503 });
    while (time(NULL) <= next_s)
        poll(NULL, 0, 50);
    is_refused(server, "client-good", 0);
    require(log_contains(server,
                         "[WRN] Failed to obtain OCSP CA response for [" SUBJECT(
                             "client-good") "] "
                                            "but AllowWhenCAUnreachable set; cached revocation "
                                            "exists so rejecting",
                         PATIENCE_MS),
            "the log does not tell why");
    require(log_contains(server, what_happens_to_it, 0), "%s", server_log(server));
}

SCENARIO(ocsp_options_change_the_verdict, a_revocation_is_remembered)
{
    remembers_a_revocation("", is_reference() ? "Deleting OCSP peer cached response"
                                              : "kept until a fresh one replaces it");
}

SCENARIO(ocsp_options_change_the_verdict, a_revocation_is_preserved)
{
    remembers_a_revocation("ocsp_cache: { type: local, preserve_revoked: true }",
                           "preserved by cache policy");
}
