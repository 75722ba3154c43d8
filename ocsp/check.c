/* check.c - judges one peer: its chains one after the other, of each chain the links that have a
 * responder, leaf first, and for each link first the cache and then the CA.
 *
 *   NEW -> LINK -> (cache has a current answer) -> next LINK ... -> ACCEPTED or REJECTED
 *              \-> FETCH -> WAITING -> (result) -> next LINK
 *
 * A worker goes from NEW to FETCH at most; the control thread goes on from wherever the check
 * stands. What was counted and logged on the way is not repeated. Source: NATS ADR-38. */
#include <openssl/x509.h>
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "link.h"
#include "policy.h"
#include "recall.h"
#include "refresh.h"
#include "request.h"
#include "service.h"

enum state {
    NEW,     /* nothing was looked at */
    LINK,    /* link number `at` comes next */
    FETCH,   /* the cache did not help: its CA must be asked */
    WAITING, /* for a fetch */
    ACCEPTED,
    REJECTED
};

/** The link being judged. */
struct link_facts {
    X509 *cert, *issuer; /* of the chain, borrowed */
    struct ocsp_digest key, issuer_key;
    struct buf subject; /* printed when first needed */
    bool has_subject;
    bool revocation_seen; /* the cache holds a revocation, too old to count by itself */
};

struct ocsp_check {
    struct ocsp *ocsp;        /* borrowed */
    struct ocsp_cache *cache; /* borrowed while the check goes on */
    struct ocsp_question question;
    struct ocsp_peer_options options;
    enum state state;

    const STACK_OF(X509) * *chains; /* those taken from the question so far */
    size_t chain_count;
    size_t chain_index; /* of `chain`, 0 for the first */
    const STACK_OF(X509) * chain;
    struct ocsp_link_place
        *eligible; /* the links of `chain` that have a responder; keys once entered */
    int eligible_count, at;
    struct link_facts link;
    struct ocsp_invalid_link *invalid; /* each reason is owned */
    size_t invalid_count;
    enum ocsp_peer_verdict verdict; /* of the present chain so far */

    struct ocsp_waiter waiter;  /* in a fetch while WAITING */
    struct list ready;          /* in the service's list when it can go on */
    struct ocsp_result *result; /* of that fetch, once it ended */
    void (*on_done)(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome);
    void *ctx;
};

static const char *peer_word(const struct ocsp_check *check)
{
    return check->question.peer_is_server ? "server" : "client";
}

/* ---- facts about a link ------------------------------------------------------------------------ */

static const char *subject(struct ocsp_check *check)
{
    struct link_facts *link = &check->link;
    if (!link->has_subject && check->ocsp->settings.print_name)
        check->ocsp->settings.print_name(X509_get_subject_name(link->cert), &link->subject);
    link->has_subject = true;
    return buf_str(&link->subject);
}

static void enter_link(struct ocsp_check *check)
{
    struct link_facts *link = &check->link;
    struct ocsp_link_place *place = &check->eligible[check->at];
    link->cert = sk_X509_value(check->chain, place->at);
    link->issuer = sk_X509_value(check->chain, place->at + 1);
    ocsp_digest_cert(link->cert, &place->key[0]);
    ocsp_digest_key(link->issuer, &place->key[1]);
    link->key = place->key[0];
    link->issuer_key = place->key[1];
    buf_clear(&link->subject);
    link->has_subject = false;
    link->revocation_seen = false;
}

/* Without the subject: few need it, and it takes time to print. */
static struct ocsp_ask make_silent_ask(const struct ocsp_check *check)
{
    return (struct ocsp_ask){ .cert = check->link.cert,
                              .issuer = check->link.issuer,
                              .key = check->link.key,
                              .issuer_key = check->link.issuer_key,
                              .options = check->options };
}

static struct ocsp_ask make_ask(struct ocsp_check *check)
{
    struct ocsp_ask ask = make_silent_ask(check);
    ask.subject = subject(check);
    return ask;
}

/* ---- chains ------------------------------------------------------------------------------------ */

static const STACK_OF(X509) * pull_chain(struct ocsp_check *check)
{
    const STACK_OF(X509) *chain = check->question.next_chain(check->question.chains);
    if (sk_X509_num(chain) <= 0)
        return NULL;
    check->chains = mem_resize_array(check->chains, check->chain_count + 1, sizeof *check->chains);
    check->chains[check->chain_count++] = chain;
    return chain;
}

/* Chains cost signature checks: only the debug log, which tells their number, takes all at once. */
static void log_chain_count(struct ocsp_check *check)
{
    if (!log_enabled(LOG_DBG))
        return;
    while (pull_chain(check))
        ;
    log_dbg("Peer OCSP enabled: %zu TLS %s chain(s) will be evaluated", check->chain_count,
            peer_word(check));
}

static void find_eligible(struct ocsp_check *check)
{
    int last = sk_X509_num(check->chain) - 1; /* the anchor is trusted as it is */
    check->eligible = mem_resize_array(check->eligible, (size_t)last, sizeof *check->eligible);
    check->eligible_count = check->at = 0;
    for (int place = 0; place < last; place++)
        if (ocsp_can_be_asked(sk_X509_value(check->chain, place)))
            check->eligible[check->eligible_count++].at = place;
}

static enum state enter_chain(struct ocsp_check *check)
{
    size_t index = check->chain_index;
    check->chain = index < check->chain_count ? check->chains[index] : pull_chain(check);
    if (!check->chain) { /* the verdict is that of the last one */
        log_dbg("No OCSP valid chains, thus peer is invalid");
        return REJECTED;
    }
    int links = sk_X509_num(check->chain);
    log_dbg("Chain [%zu]: %d total link(s)", index, links);
    if (links == 1) {
        check->eligible_count = 0;
        log_dbg("Chain [%zu] is self-signed, thus peer is valid", index);
        check->verdict = OCSP_PEER_NOT_ASKED;
        return ACCEPTED;
    }
    find_eligible(check);
    if (check->eligible_count == 0) {
        log_dbg("Chain [%zu] has no OCSP eligible links, thus peer is valid", index);
        check->verdict = OCSP_PEER_NOT_ASKED;
        return ACCEPTED;
    }
    log_dbg("Chain [%zu] has %d OCSP eligible link(s)", index, check->eligible_count);
    check->verdict = OCSP_PEER_GOOD;
    enter_link(check);
    return LINK;
}

static enum state begin(struct ocsp_check *check)
{
    log_chain_count(check);
    if (check->chain_count == 0)
        pull_chain(check);
    if (check->chain_count == 0) {
        log_err("Peer certificate is nil, rejecting OCSP peer");
        check->verdict = OCSP_PEER_NO_CHAIN;
        return REJECTED;
    }
    return enter_chain(check);
}

static enum state next_link(struct ocsp_check *check)
{
    if (++check->at < check->eligible_count) {
        enter_link(check);
        return LINK;
    }
    log_dbg("Chain [%zu] is OCSP valid for all eligible links, thus peer is valid",
            check->chain_index);
    return ACCEPTED;
}

static enum state next_chain(struct ocsp_check *check)
{
    check->chain_index++;
    return enter_chain(check);
}

/* ---- findings and their consequences ------------------------------------------------------------ */

static enum ocsp_peer_verdict verdict_of(enum ocsp_finding finding)
{
    switch (finding) {
    case OCSP_LINK_GOOD: break;
    case OCSP_LINK_UNKNOWN: return OCSP_PEER_UNKNOWN;
    case OCSP_LINK_REVOKED: return OCSP_PEER_REVOKED;
    case OCSP_LINK_UNREACHABLE:
    case OCSP_LINK_UNREACHABLE_REVOKED: return OCSP_PEER_UNREACHABLE;
    case OCSP_LINK_UNREADABLE: return OCSP_PEER_UNREADABLE;
    case OCSP_LINK_NOT_DELEGATED: return OCSP_PEER_NOT_DELEGATED;
    case OCSP_LINK_NOT_CURRENT: return OCSP_PEER_NOT_CURRENT;
    }
    return OCSP_PEER_GOOD;
}

static void count_finding(struct ocsp_check *check, enum ocsp_finding finding)
{
    if (check->verdict == OCSP_PEER_GOOD)
        check->verdict = verdict_of(finding);
    if (finding == OCSP_LINK_GOOD)
        ocsp_count_link(check->ocsp, OCSP_STATUS_GOOD);
    if (finding == OCSP_LINK_REVOKED)
        ocsp_count_link(check->ocsp, OCSP_STATUS_REVOKED);
    if (finding == OCSP_LINK_UNKNOWN)
        ocsp_count_link(check->ocsp, OCSP_STATUS_UNKNOWN);
}

/* What was found, said at the level that an operator needs; `why` is the reason behind it. */
static void log_finding(struct ocsp_check *check, enum ocsp_finding finding, const char *why)
{
    switch (finding) {
    case OCSP_LINK_GOOD: break;
    case OCSP_LINK_UNKNOWN:
    case OCSP_LINK_REVOKED:
        log_wrn("OCSP verify fail for [%s] with CA status [%s]", subject(check),
                finding == OCSP_LINK_REVOKED ? "revoked" : "unknown");
        break;
    case OCSP_LINK_UNREACHABLE:
    case OCSP_LINK_UNREACHABLE_REVOKED:
        log_wrn("Attempt to obtain OCSP response from CA responder for [%s] failed: %s",
                subject(check), why);
        break;
    case OCSP_LINK_UNREADABLE:
        log_err("Could not parse OCSP CA response for [%s]: %s", subject(check), why);
        break;
    case OCSP_LINK_NOT_DELEGATED:
        log_wrn("Invalid OCSP response delegation: %s", subject(check));
        break;
    case OCSP_LINK_NOT_CURRENT:
        log_wrn("New OCSP CA response obtained for [%s] but not current", subject(check));
        break;
    }
}

static enum state fail_link(struct ocsp_check *check, enum ocsp_finding finding)
{
    if (finding == OCSP_LINK_UNREACHABLE_REVOKED && check->options.allow_when_ca_unreachable)
        log_wrn("Failed to obtain OCSP CA response for [%s] but AllowWhenCAUnreachable set; "
                "cached revocation exists so rejecting",
                subject(check));
    char *reason = finding == OCSP_LINK_NOT_DELEGATED
                       ? mem_printf("%s: %s", ocsp_reason(finding), subject(check))
                       : mem_strdup(ocsp_reason(finding));
    log_dbg("%s", reason);
    check->invalid =
        mem_resize_array(check->invalid, check->invalid_count + 1, sizeof *check->invalid);
    check->invalid[check->invalid_count++] =
        (struct ocsp_invalid_link){ .cert = check->link.cert, .reason = reason };
    return next_chain(check);
}

static enum state conclude(struct ocsp_check *check, enum ocsp_finding finding, const char *why)
{
    enum ocsp_ruling ruling = ocsp_rule(finding, &check->options);
    count_finding(check, finding);
    if (ruling != OCSP_PASS)
        log_finding(check, finding, why);
    switch (ruling) {
    case OCSP_PASS: log_dbg("OCSP verify pass for [%s]", subject(check)); break;
    case OCSP_PASS_WARNED:
        log_wrn("OCSP verify fail for [%s] but WarnOnly is true so allowing", subject(check));
        break;
    case OCSP_PASS_UNREACHABLE:
        log_wrn("Failed to obtain OCSP CA response for [%s] but AllowWhenCAUnreachable set; "
                "no cached revocation so allowing",
                subject(check));
        break;
    case OCSP_FAIL: return fail_link(check, finding);
    }
    return next_link(check);
}

/* ---- the cache ---------------------------------------------------------------------------------- */

/* Also when its signer's certificate has run out since: the revocation it carries still tells. */
static bool hit_is_current(const struct ocsp_check *check, const struct ocsp_hit *hit,
                           int64_t now_ns)
{
    enum ocsp_currency currency = ocsp_currency(&hit->answer, &check->options, now_ns);
    ocsp_currency_log(currency, &hit->answer, &check->options, now_ns);
    return currency == OCSP_CURRENT &&
           ocsp_signer_is_valid(&hit->answer, check->options.skew_ns, now_ns);
}

static void log_with_key(struct ocsp_check *check, const char *what, const char *key_word)
{
    if (!log_enabled(LOG_DBG))
        return;
    struct buf key = { 0 };
    base64_encode(&key, span_make(&check->link.key, sizeof check->link.key), BASE64_STD);
    log_dbg("%s for [%s]%s [%s]", what, subject(check), key_word, buf_str(&key));
    buf_free(&key);
}

static enum state use_hit(struct ocsp_check *check, struct ocsp_hit *hit)
{
    struct ocsp_cache *cache = check->cache;
    struct ocsp_ask ask = make_silent_ask(check);
    if (!ocsp_recall_verify(cache, &ask, hit)) {
        log_with_key(check, "Invalid cached OCSP response", " with fingerprint");
        ocsp_cache_drop(cache, &check->link.key, hit->version, false);
        return FETCH;
    }
    const char *status = ocsp_status_name(hit->answer.status);
    if (hit_is_current(check, hit, clock_wall_ns())) {
        log_dbg("Cached OCSP response is current, status [%s]", status);
        if (hit->is_first)
            refresh_note_use(check->ocsp->refresh, &ask, &hit->answer);
        return conclude(check, ocsp_finding_of(hit->answer.status), NULL);
    }
    log_dbg("Cached OCSP response is expired, status [%s]", status);
    check->link.revocation_seen = hit->answer.status == OCSP_STATUS_REVOKED;
    ocsp_cache_drop(cache, &check->link.key, hit->version, true);
    return FETCH;
}

static enum state look_up(struct ocsp_check *check)
{
    struct ocsp_hit hit;
    log_with_key(check, "Checking OCSP peer cache", ", key");
    if (!ocsp_cache_get(check->cache, &check->link.key, &check->link.issuer_key, &hit))
        return FETCH;
    bool is_empty = !hit.is_verified && hit.der.len == 0; /* a file may have such entries */
    enum state state = is_empty ? FETCH : use_hit(check, &hit);
    buf_free(&hit.der);
    return state;
}

/* Between a miss on a worker and its arrival here, and while a CA is asked in vain, others may have filled the
 * cache: one more look, which neither counts nor logs. */
static bool look_again(struct ocsp_check *check, enum ocsp_finding *out)
{
    struct ocsp_answer answer;
    struct ocsp_ask ask = make_silent_ask(check);
    int64_t now_ns = clock_wall_ns();
    if (!ocsp_recall(check->cache, &ask, &answer))
        return false;
    if (ocsp_currency(&answer, &check->options, now_ns) != OCSP_CURRENT ||
        !ocsp_signer_is_valid(&answer, check->options.skew_ns, now_ns)) {
        check->link.revocation_seen |= answer.status == OCSP_STATUS_REVOKED;
        return false;
    }
    *out = ocsp_finding_of(answer.status);
    return true;
}

/* ---- the CA -------------------------------------------------------------------------------------- */

static void on_result(struct ocsp_waiter *waiter, struct ocsp_result *result)
{
    struct ocsp_check *check = list_entry(waiter, struct ocsp_check, waiter);
    check->result = result;
    ocsp_make_ready(check->ocsp, &check->ready);
}

static enum state fetch(struct ocsp_check *check)
{
    enum ocsp_finding finding;
    if (look_again(check, &finding))
        return conclude(check, finding, NULL);
    struct ocsp_ask ask = make_ask(check);
    ocsp_fetch(check->ocsp->fetcher, &ask, &check->waiter);
    return WAITING;
}

/* A fresh answer as this listener's options see it. */
static enum ocsp_finding judge_fresh(struct ocsp_check *check, struct ocsp_result *result,
                                     const char **why)
{
    struct ocsp_ask ask = make_ask(check);
    enum ocsp_finding finding = ocsp_result_judge(result, &ask, check->ocsp->fetcher, why);
    if (finding != OCSP_LINK_UNREACHABLE || look_again(check, &finding))
        return finding;
    return check->link.revocation_seen ? OCSP_LINK_UNREACHABLE_REVOKED : finding;
}

static enum state take_result(struct ocsp_check *check)
{
    const char *why;
    struct ocsp_result *result = check->result;
    check->result = NULL;
    enum ocsp_finding finding = judge_fresh(check, result, &why);
    enum state state = conclude(check, finding, why);
    ocsp_result_release(result);
    return state;
}

/* ---- going on ------------------------------------------------------------------------------------ */

/* Enters a state; the end is counted once, for nothing follows it. */
static void enter(struct ocsp_check *check, enum state state)
{
    check->state = state;
    if (state == ACCEPTED || state == REJECTED)
        ocsp_count_peer(check->ocsp, state == ACCEPTED, check->verdict);
}

/* As far as it goes without waiting; with `may_fetch` on the control thread. */
static void advance(struct ocsp_check *check, bool may_fetch)
{
    for (;;) {
        switch (check->state) {
        case NEW: enter(check, begin(check)); break;
        case LINK: enter(check, look_up(check)); break;
        case FETCH:
            if (!may_fetch)
                return;
            enter(check, fetch(check));
            if (check->state == WAITING)
                return; /* even a result that came at once has its own turn */
            break;
        case WAITING:
            if (!check->result)
                return;
            enter(check, take_result(check));
            break;
        case ACCEPTED:
        case REJECTED: return;
        }
    }
}

static enum ocsp_outcome outcome_of(enum state state)
{
    switch (state) {
    case ACCEPTED: return OCSP_ACCEPT;
    case REJECTED: return OCSP_REJECT;
    case NEW:
    case LINK:
    case FETCH:
    case WAITING: break;
    }
    return OCSP_NEEDS_FETCH;
}

enum ocsp_outcome ocsp_check_step(struct ocsp_check *check)
{
    check->cache = check->question.cache;
    advance(check, false);
    return outcome_of(check->state);
}

void ocsp_check_turn(struct list *link)
{
    struct ocsp_check *check = list_entry(link, struct ocsp_check, ready);
    check->cache = check->ocsp->cache;
    advance(check, true);
    enum ocsp_outcome outcome = outcome_of(check->state);
    if (outcome != OCSP_NEEDS_FETCH)
        check->on_done(check->ctx, check, outcome);
}

void ocsp_check_run(struct ocsp_check *check,
                    void (*on_done)(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome),
                    void *ctx)
{
    assert(!check->on_done);
    check->on_done = on_done;
    check->ctx = ctx;
    if (!check->ocsp->closing)
        ocsp_make_ready(check->ocsp, &check->ready);
}

/* ---- life ---------------------------------------------------------------------------------------- */

struct ocsp_check *ocsp_check_new(struct ocsp *ocsp, const struct ocsp_question *question)
{
    struct ocsp_check *check = mem_zero(sizeof *check);
    check->ocsp = ocsp;
    check->question = *question;
    check->options = *question->options;
    check->question.options = NULL; /* borrowed for this call only */
    check->waiter.on_result = on_result;
    list_init(&check->waiter.link);
    list_init(&check->ready);
    return check;
}

const char *ocsp_check_reason(const struct ocsp_check *check)
{
    return check->question.peer_is_server ? "server not OCSP valid" : "client not OCSP valid";
}

enum ocsp_peer_verdict ocsp_check_verdict(const struct ocsp_check *check)
{
    return check->verdict;
}

void ocsp_check_give_up(struct ocsp_check *check)
{
    check->verdict = OCSP_PEER_GIVEN_UP;
    enter(check, REJECTED);
}

const struct ocsp_invalid_link *ocsp_check_invalid_links(const struct ocsp_check *check,
                                                         size_t *count)
{
    *count = check->invalid_count;
    return check->invalid;
}

struct ocsp_links *ocsp_check_links(const struct ocsp_check *check)
{
    if (check->state != ACCEPTED || check->eligible_count == 0)
        return NULL;
    return ocsp_links_new(check->chain, check->eligible, check->eligible_count);
}

X509 *ocsp_check_peer(const struct ocsp_check *check)
{
    return check->chain_count ? sk_X509_value(check->chains[0], 0) : NULL;
}

void ocsp_check_free(struct ocsp_check *check)
{
    if (!check)
        return;
    ocsp_fetch_leave(&check->waiter);
    list_remove(&check->ready);
    ocsp_result_release(check->result);
    if (check->question.free_chains)
        check->question.free_chains(check->question.chains);
    buf_free(&check->link.subject);
    for (size_t i = 0; i < check->invalid_count; i++)
        free((char *)(uintptr_t)check->invalid[i].reason);
    free(check->invalid);
    free(check->eligible);
    free(check->chains);
    free(check);
}
