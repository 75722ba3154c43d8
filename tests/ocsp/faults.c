/* faults.c - the table of faults, and the scripts that commit them. */
#include "ocsp/faults.h"

/* A cell names the options under which the peer enters; a dot stands for each that does not help:
 *
 *     D  none, the defaults         U  unknown_is_good
 *     W  warn_only                  A  allow_when_ca_unreachable
 *
 * In front of them stands the verdict as it is counted and shown, which no option changes. The cells
 * tell what the cache holds: nothing, a good answer or a revocation, both run out. */
#define ROW(what_, act_, verdict_, cold_, good_, revoked_)                                         \
    .what = what_, .act = act_, .verdict = verdict_, .enters = { cold_, good_, revoked_ }

/* version 14 of the formatter crashes on rows of different lengths */
/* clang-format off */
const struct fault FAULTS[] = {
    /*                                                                           cold   good   revoked */
    { ROW("good",                      RESPONDER_ANSWER,       "good",          "DWUA", "DWUA", "DWUA") },
    /* nobody there, or nothing usable as HTTP: only a remembered revocation outlives it */
    { ROW("refused",                   RESPONDER_ANSWER,       "unreachable",   ".W.A", ".W.A", ".W.."), .place = AT_CLOSED_PORT },
    { ROW("no such name",              RESPONDER_ANSWER,       "unreachable",   ".W.A", ".W.A", ".W.."), .place = AT_NO_NAME },
    { ROW("hangs before the head",     RESPONDER_HANG,         "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("hangs after the head",      RESPONDER_HANG_BODY,    "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("drips",                     RESPONDER_DRIP,         "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("hung too often",            RESPONDER_HANG,         "unreachable",   ".W.A", ".W.A", ".W.."), .place = AT_SPARED },
    { ROW("resets",                    RESPONDER_RESET,        "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("http 500",                  RESPONDER_STATUS,       "unreachable",   ".W.A", ".W.A", ".W.."), .code = 500 },
    { ROW("http 204",                  RESPONDER_STATUS,       "unreachable",   ".W.A", ".W.A", ".W.."), .code = 204 },
    { ROW("http 201, a good answer",   RESPONDER_STATUS,       "unreachable",   ".W.A", ".W.A", ".W.."), .code = 201 },
    { ROW("empty",                     RESPONDER_EMPTY,        "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("more than 64 KiB",          RESPONDER_TOO_LARGE,    "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("chunks without end",        RESPONDER_ENDLESS,      "unreachable",   ".W.A", ".W.A", ".W..") },
    { ROW("head without end",          RESPONDER_LONG_HEAD,    "unreachable",   ".W.A", ".W.A", ".W..") },
    /* odd, but right */
    { ROW("redirect to a good answer", RESPONDER_ANSWER,       "good",          "DWUA", "DWUA", "DWUA"), .place = AT_REDIRECT },
    { ROW("wrong content type",        RESPONDER_WRONG_TYPE,   "good",          "DWUA", "DWUA", "DWUA") },
    { ROW("two answers, one is ours",  RESPONDER_ANSWER,       "good",          "DWUA", "DWUA", "DWUA"), .is_beside_sibling = true },
    { ROW("no nextUpdate",             RESPONDER_ANSWER,       "good",          "DWUA", "DWUA", "DWUA"), .no_next_update = true },
    { ROW("SHA-256 CertID",            RESPONDER_ANSWER,       "good",          "DWUA", "DWUA", "DWUA"), .has_sha256_id = true },
    /* an answer that proves nothing */
    { ROW("truncated",                 RESPONDER_TRUNCATED,    "unreadable",    ".W..", ".W..", ".W..") },
    { ROW("trailing garbage",          RESPONDER_ANSWER,       "unreadable",    ".W..", ".W..", ".W.."), .odd = ODD_TRAILING },
    { ROW("about another certificate", RESPONDER_ANSWER,       "unreadable",    ".W..", ".W..", ".W.."), .is_about_sibling = true },
    { ROW("wrong signer",              RESPONDER_ANSWER,       "unreadable",    ".W..", ".W..", ".W.."), .signer = BY_STRANGER },
    { ROW("expired signer",            RESPONDER_ANSWER,       "unreadable",    ".W..", ".W..", ".W.."), .signer = BY_EXPIRED },
    { ROW("signer without usage",      RESPONDER_ANSWER,       "not_delegated", ".W..", ".W..", ".W.."), .signer = BY_UNENTITLED },
    { ROW("future thisUpdate",         RESPONDER_ANSWER,       "not_current",   ".W..", ".W..", ".W.."), .this_update_s = 120 },
    { ROW("past nextUpdate",           RESPONDER_ANSWER,       "not_current",   ".W..", ".W..", ".W.."), .next_update_s = -60 },
    { ROW("tryLater",                  RESPONDER_ERROR,        "unreadable",    ".W..", ".W..", ".W.."), .code = 3 },
    { ROW("unauthorized",              RESPONDER_ERROR,        "unreadable",    ".W..", ".W..", ".W.."), .code = 6 },
    /* no */
    { ROW("unknown",                   RESPONDER_ANSWER,       "unknown",       ".WU.", ".WU.", ".WU."), .status = ANSWER_UNKNOWN },
    { ROW("revoked",                   RESPONDER_ANSWER,       "revoked",       ".W..", ".W..", ".W.."), .status = ANSWER_REVOKED },
    { ROW("no certStatus",             RESPONDER_ANSWER,       "revoked",       ".W..", ".W..", ".W.."), .status = ANSWER_ABSENT },
    { ROW("revoked and good",          RESPONDER_ANSWER,       "revoked",       ".W..", ".W..", ".W.."), .is_twice = true, .first_status = ANSWER_REVOKED },
    { ROW("good and revoked",          RESPONDER_ANSWER,       "revoked",       ".W..", ".W..", ".W.."), .is_twice = true, .status = ANSWER_REVOKED },
};
/* clang-format on */

const int FAULT_COUNT = sizeof FAULTS / sizeof *FAULTS;

bool fault_enters(const struct fault *fault, enum fault_memory memory, enum fault_option option)
{
    return fault->enters[memory][option] != '.';
}

bool fault_takes_all_time(const struct fault *fault)
{
    return fault->act == RESPONDER_HANG || fault->act == RESPONDER_HANG_BODY ||
           fault->act == RESPONDER_DRIP;
}

struct fault_cast fault_cast_make(const struct pki_cert *ca, const struct pki_cert *stranger,
                                  int64_t now_s)
{
    return (struct fault_cast){
        .ca = ca,
        .stranger = stranger,
        .sibling = pki_make(&(struct pki_spec){ .name = "sibling", .issuer = ca }),
        .expired = pki_make(&(struct pki_spec){
            .name = "expired", .issuer = ca, .usage = "OCSPSigning", .until_s = now_s - 60 }),
        .unentitled = pki_make(&(struct pki_spec){ .name = "unentitled", .issuer = ca }),
    };
}

void fault_cast_free(struct fault_cast *cast)
{
    pki_free(&cast->sibling);
    pki_free(&cast->expired);
    pki_free(&cast->unentitled);
}

static const struct pki_cert *signer_of(const struct fault *fault, const struct fault_cast *cast)
{
    switch (fault->signer) {
    case BY_ISSUER: break;
    case BY_STRANGER: return cast->stranger;
    case BY_EXPIRED: return &cast->expired;
    case BY_UNENTITLED: return &cast->unentitled;
    }
    return NULL;
}

static struct responder_script script_of(const struct fault *fault, const struct fault_cast *cast,
                                         int64_t now_s)
{
    const struct pki_cert *signer = signer_of(fault, cast);
    return (struct responder_script){
        .act = fault->act,
        .code = fault->code,
        .recipe = {.cert = fault->is_about_sibling ? &cast->sibling : cast->leaf,
                   .issuer = cast->ca,
                   .signer = signer,
                   .embed = { signer },
                   .status = fault->status,
                   .also = fault->is_beside_sibling ? &cast->sibling : NULL,
                   .also_same = fault->is_twice,
                   .also_status = fault->first_status,
                   .id_hash = fault->has_sha256_id ? EVP_sha256() : NULL,
                   .this_update_s = now_s + fault->this_update_s,
                   .next_update_s = now_s + (fault->next_update_s ? fault->next_update_s : 3600),
                   .no_next_update = fault->no_next_update,
                   .odd = fault->odd}
    };
}

void fault_set(const struct fault *fault, const struct fault_cast *cast,
               struct responder *responder, int slot, int beyond, int64_t now_s)
{
    struct responder_script script = script_of(fault, cast, now_s);
    if (fault->place == AT_REDIRECT) {
        responder_set(responder, beyond, &script);
        script.act = RESPONDER_REDIRECT;
        snprintf(script.location, sizeof script.location, "%s", responder_url(responder, beyond));
    }
    responder_set(responder, slot, &script);
}
