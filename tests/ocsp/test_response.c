/* test_response.c - which responses are believed, and for what reason others are not. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocsp/answer.h"
#include "response.h"

#define NOW_NS (PKI_NOW_S * NS_PER_S)
#define DAY_S  86400LL

/* root -> issuer -> leaf, sibling, delegates of several kinds; and a CA of the same name. */
enum who {
    NOBODY,
    ISSUER,
    LEAF,
    SIBLING,
    ROOT,
    DELEGATE,      /* entitled */
    RENEWED,       /* entitled, the delegate's key, valid only in the past */
    EXPIRED,       /* entitled, no longer valid */
    EARLY,         /* entitled, not yet valid */
    UNENTITLED,    /* no extended key usage */
    ANY_USAGE,     /* anyExtendedKeyUsage only */
    CLIENT,        /* clientAuth */
    LATE_CLIENT,   /* clientAuth and expired */
    STRANGER,      /* entitled, by another CA of the same name */
    OTHER_ISSUER,  /* that CA */
    CROSS,         /* the issuer's name and key, certified by another CA */
    GRANDCHILD,    /* entitled by the sibling, which is a CA below the issuer */
    SHA1_DELEGATE, /* entitled, by a SHA-1 signature */
    RSA_ISSUER,
    RSA_LEAF,
    ED_ISSUER,
    ED_LEAF,
    SUB_CA,
    SELF_ISSUER, /* a self-signed root and its leaf */
    SELF_LEAF,
    WHO_COUNT
};

static struct pki_cert certs[WHO_COUNT];

static const struct pki_cert *cert(enum who who)
{
    return who == NOBODY ? NULL : &certs[who];
}

struct making {
    enum who who;
    const char *name;
    enum who issuer, key_of;
    bool is_ca;
    const char *usage;
    int64_t from_s, until_s;
    enum pki_key key;
};

static const struct making MAKINGS[] = {
    {ROOT,           "root",       NOBODY,       NOBODY,   true,  NULL,                  0,                     0, PKI_P256   },
    { ISSUER,        "issuer",     ROOT,         NOBODY,   true,  NULL,                  0,                     0, PKI_P256   },
    { LEAF,          "leaf",       ISSUER,       NOBODY,   false, "clientAuth",          0,                     0, PKI_P256   },
    { SIBLING,       "sibling",    ISSUER,       NOBODY,   false, NULL,                  0,                     0, PKI_P256   },
    { DELEGATE,      "delegate",   ISSUER,       NOBODY,   false, "OCSPSigning",         0,                     0, PKI_P256   },
    { RENEWED,       "renewed",    ISSUER,       DELEGATE, false, "OCSPSigning",         PKI_NOW_S - 9 * DAY_S,
     PKI_NOW_S - DAY_S,                                                                                            PKI_P256   },
    { EXPIRED,       "expired",    ISSUER,       NOBODY,   false, "OCSPSigning",         PKI_NOW_S - 9 * DAY_S,
     PKI_NOW_S - DAY_S,                                                                                            PKI_P256   },
    { EARLY,         "early",      ISSUER,       NOBODY,   false, "OCSPSigning",         PKI_NOW_S + DAY_S,     0, PKI_P256   },
    { UNENTITLED,    "unentitled", ISSUER,       NOBODY,   false, NULL,                  0,                     0, PKI_P256   },
    { ANY_USAGE,     "any",        ISSUER,       NOBODY,   false, "anyExtendedKeyUsage", 0,                     0, PKI_P256   },
    { CLIENT,        "client",     ISSUER,       NOBODY,   false, "clientAuth",          0,                     0, PKI_P256   },
    { LATE_CLIENT,   "late",       ISSUER,       NOBODY,   false, "clientAuth",          PKI_NOW_S - 9 * DAY_S,
     PKI_NOW_S - DAY_S,                                                                                            PKI_P256   },
    { OTHER_ISSUER,  "issuer",     ROOT,         NOBODY,   true,  NULL,                  0,                     0, PKI_P256   },
    { STRANGER,      "stranger",   OTHER_ISSUER, NOBODY,   false, "OCSPSigning",         0,                     0, PKI_P256   },
    { CROSS,         "issuer",     OTHER_ISSUER, ISSUER,   true,  NULL,                  0,                     0, PKI_P256   },
    { SUB_CA,        "sub",        ISSUER,       NOBODY,   true,  NULL,                  0,                     0, PKI_P256   },
    { GRANDCHILD,    "grandchild", SUB_CA,       NOBODY,   false, "OCSPSigning",         0,                     0, PKI_P256   },
    { SHA1_DELEGATE, "sha1",       ISSUER,       NOBODY,   false, "OCSPSigning",         0,                     0, PKI_P256   },
    { RSA_ISSUER,    "rsa",        ROOT,         NOBODY,   true,  NULL,                  0,                     0, PKI_RSA    },
    { RSA_LEAF,      "rsaleaf",    RSA_ISSUER,   NOBODY,   false, NULL,                  0,                     0, PKI_P256   },
    { ED_ISSUER,     "ed",         ROOT,         NOBODY,   true,  NULL,                  0,                     0, PKI_ED25519},
    { ED_LEAF,       "edleaf",     ED_ISSUER,    NOBODY,   false, NULL,                  0,                     0, PKI_P256   },
    { SELF_ISSUER,   "self",       NOBODY,       NOBODY,   true,  NULL,                  0,                     0, PKI_P256   },
    { SELF_LEAF,     "selfleaf",   SELF_ISSUER,  NOBODY,   false, NULL,                  0,                     0, PKI_P256   },
};

static void make_certs(bool is_rsa)
{
    for (size_t i = 0; i < sizeof MAKINGS / sizeof *MAKINGS; i++) {
        const struct making *m = &MAKINGS[i];
        if (is_rsa != (m->who == RSA_ISSUER || m->who == RSA_LEAF))
            continue;
        certs[m->who] =
            pki_make(&(struct pki_spec){ .name = m->name,
                                         .issuer = cert(m->issuer),
                                         .key_of = cert(m->key_of),
                                         .is_ca = m->is_ca,
                                         .usage = m->usage,
                                         .from_s = m->from_s,
                                         .until_s = m->until_s,
                                         .key = m->key,
                                         .hash = m->who == SHA1_DELEGATE ? EVP_sha1() : NULL });
    }
}

static void set_up(void)
{
    clock_test_set(0, NOW_NS);
    make_certs(false);
}

static void tear_down(void)
{
    for (int who = 0; who < WHO_COUNT; who++)
        pki_free(&certs[who]);
}

TestSuite(response, .init = set_up, .fini = tear_down);

static enum ocsp_verdict verify(struct span der, enum who leaf, enum who issuer,
                                struct ocsp_answer *out, struct error *err)
{
    struct ocsp_subject subject = { cert(leaf)->x509, cert(issuer)->x509 };
    memset(err, 0, sizeof *err);
    return ocsp_response_verify(der, &subject, NOW_NS, out, err);
}

/* ---- the table ------------------------------------------------------------------------------ */

struct row {
    char what[56];
    enum who leaf, issuer, signer;
    enum who embed[3];
    enum answer_status status;
    unsigned odd;
    char id_hash[8], sign_hash[8];
    enum who also;
    enum answer_status also_status;
    bool also_same;
    enum ocsp_verdict verdict;
    enum ocsp_status expected;
    char error[64]; /* the text's beginning */
};

#define OK(status_)  .verdict = OCSP_VERIFIED, .expected = OCSP_STATUS_##status_
#define BAD(text)    .verdict = OCSP_UNREADABLE, .error = text
#define NOT_DELEGATE .verdict = OCSP_NOT_DELEGATED
#define MINE         .leaf = LEAF, .issuer = ISSUER

/* clang-format off */
static const struct row ROWS[] = {
    { "signed by the issuer",                              MINE, OK(GOOD) },
    { "... by hand, as a check of the tool",               MINE, .odd = ODD_BY_HAND, OK(GOOD) },
    { "revoked",                                           MINE, .status = ANSWER_REVOKED, OK(REVOKED) },
    { "revoked by hand",                                   MINE, .status = ANSWER_REVOKED, .odd = ODD_BY_HAND, OK(REVOKED) },
    { "revoked, reason removeFromCRL",                     MINE, .status = ANSWER_REVOKED, .odd = ODD_REASON, OK(REVOKED) },
    { "unknown",                                           MINE, .status = ANSWER_UNKNOWN, OK(UNKNOWN) },
    { "no certStatus at all",                              MINE, .status = ANSWER_ABSENT, OK(REVOKED) },
    { "issuer embeds itself",                              MINE, .embed = { ISSUER }, OK(GOOD) },
    { "self-signed root embeds itself",                    .leaf = SELF_LEAF, .issuer = SELF_ISSUER, .embed = { SELF_ISSUER }, OK(GOOD) },
    { "cross certificate of the issuer embedded",          MINE, .embed = { CROSS }, OK(GOOD) },
    { "delegate",                                          MINE, .signer = DELEGATE, .embed = { DELEGATE }, OK(GOOD) },
    { "delegate with others behind it",                    MINE, .signer = DELEGATE, .embed = { DELEGATE, SIBLING, CLIENT }, OK(GOOD) },
    { "delegate is the second certificate",                MINE, .signer = DELEGATE, .embed = { SIBLING, DELEGATE }, OK(GOOD) },
    { "delegate beside the issuer",                        MINE, .signer = DELEGATE, .embed = { ISSUER, DELEGATE }, OK(GOOD) },
    { "delegate says revoked",                             MINE, .signer = DELEGATE, .embed = { DELEGATE }, .status = ANSWER_REVOKED, OK(REVOKED) },
    { "delegate not embedded",                             MINE, .signer = DELEGATE, BAD("bad OCSP signature") },
    { "issuer signs but embeds only a stranger's",         MINE, .embed = { SIBLING }, BAD("bad signature on embedded certificate") },
    { "delegate of another CA of the same name",           MINE, .signer = STRANGER, .embed = { STRANGER }, BAD("bad OCSP signature") },
    { "... with that CA embedded",                         MINE, .signer = STRANGER, .embed = { STRANGER, OTHER_ISSUER }, BAD("bad OCSP signature") },
    { "delegate of a CA below the issuer",                 MINE, .signer = GRANDCHILD, .embed = { GRANDCHILD, SUB_CA }, BAD("bad OCSP signature") },
    { "delegate certified over SHA-1",                     MINE, .signer = SHA1_DELEGATE, .embed = { SHA1_DELEGATE }, BAD("bad OCSP signature") },
    { "root instead of the issuer",                        MINE, .signer = ROOT, BAD("bad OCSP signature") },
    { "root, embedded",                                    MINE, .signer = ROOT, .embed = { ROOT }, BAD("bad OCSP signature") },
    { "delegate without usage",                            MINE, .signer = UNENTITLED, .embed = { UNENTITLED }, NOT_DELEGATE },
    { "delegate with any usage",                           MINE, .signer = ANY_USAGE, .embed = { ANY_USAGE }, NOT_DELEGATE },
    { "a client certificate signs",                        MINE, .signer = CLIENT, .embed = { CLIENT }, NOT_DELEGATE },
    { "the leaf signs for itself",                         MINE, .signer = LEAF, .embed = { LEAF }, NOT_DELEGATE },
    { "CertID with SHA-256",                               MINE, .id_hash = "SHA256", OK(GOOD) },
    { "CertID with SHA-384",                               MINE, .id_hash = "SHA384", OK(GOOD) },
    { "CertID with SHA-512",                               MINE, .id_hash = "SHA512", OK(GOOD) },
    { "CertID with MD5",                                   MINE, .id_hash = "MD5", BAD("unsupported issuer hash algorithm") },
    { "CertID with SHA-224",                               MINE, .id_hash = "SHA224", BAD("unsupported issuer hash algorithm") },
    { "CertID without parameters",                         MINE, .odd = ODD_NO_PARAMETERS, OK(GOOD) },
    { "two answers, the second is ours",                   MINE, .also = SIBLING, .also_status = ANSWER_REVOKED, OK(GOOD) },
    { "two answers, ours is the revoked one",              MINE, .also = SIBLING, .status = ANSWER_REVOKED, OK(REVOKED) },
    { "good and then revoked about ours",                  MINE, .also_same = true, .status = ANSWER_REVOKED, OK(REVOKED) },
    { "revoked and then good about ours",                  MINE, .also_same = true, .also_status = ANSWER_REVOKED, OK(REVOKED) },
    { "unknown and then good about ours",                  MINE, .also_same = true, .also_status = ANSWER_UNKNOWN, OK(UNKNOWN) },
    { "no answer in the list",                             MINE, .odd = ODD_NO_SINGLES, BAD("OCSP response contains bad number of responses") },
    { "an answer about another only",                      MINE, .odd = ODD_NO_SINGLES, .also = SIBLING, BAD("no response matching the supplied certificate") },
    { "ECDSA with SHA-1",                                  MINE, .sign_hash = "SHA1", OK(GOOD) },
    { "ECDSA with SHA-384",                                MINE, .sign_hash = "SHA384", OK(GOOD) },
    { "ECDSA with SHA-512",                                MINE, .sign_hash = "SHA512", OK(GOOD) },
    { "ECDSA with SHA-224",                                MINE, .sign_hash = "SHA224", BAD("unsupported OCSP signature algorithm") },
    { "RSA with SHA-1",                                    .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .sign_hash = "SHA1", OK(GOOD) },
    { "RSA with SHA-256",                                  .leaf = RSA_LEAF, .issuer = RSA_ISSUER, OK(GOOD) },
    { "RSA with SHA-384",                                  .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .sign_hash = "SHA384", OK(GOOD) },
    { "RSA with SHA-512",                                  .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .sign_hash = "SHA512", OK(GOOD) },
    { "RSA with MD5",                                      .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .sign_hash = "MD5", BAD("unsupported OCSP signature algorithm") },
    { "RSA-PSS with SHA-256",                              .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .odd = ODD_PSS, OK(GOOD) },
    { "RSA-PSS with SHA-1",                                .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .odd = ODD_PSS, .sign_hash = "SHA1", OK(GOOD) },
    { "RSA-PSS with SHA-224",                              .leaf = RSA_LEAF, .issuer = RSA_ISSUER, .odd = ODD_PSS, .sign_hash = "SHA224", BAD("unsupported OCSP signature algorithm") },
    { "Ed25519",                                           .leaf = ED_LEAF, .issuer = ED_ISSUER, OK(GOOD) },
    { "version 0 written out",                             MINE, .odd = ODD_VERSION, OK(GOOD) },
    { "responder named by somebody else's name",           MINE, .odd = ODD_BY_NAME, OK(GOOD) },
    { "empty list of certificates",                        MINE, .odd = ODD_EMPTY_CERTS, OK(GOOD) },
    { "times with an offset",                              MINE, .odd = ODD_OFFSET_TIME, OK(GOOD) },
    { "times with a fraction",                             MINE, .odd = ODD_FRACTION, OK(GOOD) },
    { "UTCTime",                                           MINE, .odd = ODD_UTC_TIME, OK(GOOD) },
    { "critical extension in the single response",         MINE, .odd = ODD_CRITICAL_SINGLE, BAD("unsupported critical extension") },
    { "critical extension in the response",                MINE, .odd = ODD_CRITICAL_RESPONSE, BAD("unsupported critical extension") },
    { "critical nonce",                                    MINE, .odd = ODD_CRITICAL_NONCE, OK(GOOD) },
    { "critical extension beside ours",                    MINE, .also = SIBLING, .odd = ODD_CRITICAL_SIBLING, OK(GOOD) },
    { "extensions that are not critical",                  MINE, .odd = ODD_EXTENSIONS, OK(GOOD) },
    { "produced in a year",                                MINE, .odd = ODD_PRODUCED_LATER, OK(GOOD) },
    { "a byte behind the response",                        MINE, .odd = ODD_TRAILING, BAD("trailing data in OCSP response") },
    { "a byte behind the basic response",                  MINE, .odd = ODD_TRAILING_BASIC, BAD("trailing data in OCSP response") },
    { "another response type",                             MINE, .odd = ODD_TYPE, BAD("bad OCSP response type") },
};
/* clang-format on */

ParameterizedTestParameters(response, verdict)
{
    return cr_make_param_array(struct row, (struct row *)ROWS, sizeof ROWS / sizeof *ROWS);
}

static void make_row(const struct row *row, struct buf *out)
{
    if (row->issuer == RSA_ISSUER && !certs[RSA_ISSUER].x509)
        make_certs(true); /* RSA keys take long to make */
    struct answer_recipe recipe = {
        .cert = cert(row->leaf),
        .issuer = cert(row->issuer),
        .signer = cert(row->signer),
        .embed = {cert(row->embed[0]), cert(row->embed[1]), cert(row->embed[2])},
        .status = row->status,
        .odd = row->odd,
        .id_hash = row->id_hash[0] ? EVP_get_digestbyname(row->id_hash) : NULL,
        .sign_hash = row->sign_hash[0] ? EVP_get_digestbyname(row->sign_hash) : NULL,
        .also = cert(row->also),
        .also_status = row->also_status,
        .also_same = row->also_same
    };
    answer_make(&recipe, out);
}

ParameterizedTest(struct row *row, response, verdict)
{
    struct buf der = { 0 };
    struct ocsp_answer answer = { 0 };
    struct error err;
    make_row(row, &der);
    enum ocsp_verdict verdict = verify(buf_span(&der), row->leaf, row->issuer, &answer, &err);
    cr_expect_eq(verdict, row->verdict, "%s: %d %s", row->what, (int)verdict, err.text);
    cr_expect_eq(strncmp(err.text, row->error, strlen(row->error)), 0, "%s: %s", row->what,
                 err.text);
    if (verdict == OCSP_VERIFIED) {
        cr_expect_eq(answer.status, row->expected, "%s", row->what);
        int64_t more_ns = row->odd & ODD_FRACTION ? NS_PER_S / 4 : 0;
        cr_expect_eq(answer.this_update_ns, NOW_NS - 3600 * NS_PER_S + more_ns, "%s", row->what);
        cr_expect(answer.has_next_update);
        cr_expect_eq(answer.next_update_ns, NOW_NS + 3600 * NS_PER_S + more_ns, "%s", row->what);
    }
    buf_free(&der);
}

/* ---- what a row cannot say ------------------------------------------------------------------- */

Test(response, an_answer_for_a_sibling_or_another_issuer_is_not_ours)
{
    struct buf der = { 0 };
    struct ocsp_answer answer;
    struct error err;
    answer_make(&(struct answer_recipe){ .cert = cert(SIBLING), .issuer = cert(ISSUER) }, &der);
    cr_expect_eq(verify(buf_span(&der), LEAF, ISSUER, &answer, &err), OCSP_UNREADABLE);
    cr_expect_str_eq(err.text, "no response matching the supplied certificate");

    /* the right serial, hashes of the other CA, signed by ours */
    buf_clear(&der);
    answer_make(&(struct answer_recipe){ .cert = cert(LEAF),
                                         .issuer = cert(OTHER_ISSUER),
                                         .signer = cert(ISSUER) },
                &der);
    cr_expect_eq(verify(buf_span(&der), LEAF, ISSUER, &answer, &err), OCSP_UNREADABLE);
    cr_expect_str_eq(err.text, "no response matching the supplied certificate");
    buf_free(&der);
}

Test(response, dates_of_the_signer_come_with_the_answer)
{
    static const struct {
        enum who signer, beside;
        enum ocsp_verdict verdict;
        int64_t from_s, until_s;
    } CASES[] = {
        {EXPIRED,      NOBODY,   OCSP_VERIFIED,      PKI_NOW_S - 9 * DAY_S,       PKI_NOW_S - DAY_S          },
        { EARLY,       NOBODY,   OCSP_VERIFIED,      PKI_NOW_S + DAY_S,           PKI_NOW_S + 5 * 365 * DAY_S},
        { LATE_CLIENT, NOBODY,   OCSP_NOT_DELEGATED, PKI_NOW_S - 9 * DAY_S,       PKI_NOW_S - DAY_S          },
 /* two certificates of one key: the one that is valid now counts, in either order */
        { DELEGATE,    RENEWED,  OCSP_VERIFIED,      PKI_NOW_S - 5 * 365 * DAY_S,
         PKI_NOW_S + 5 * 365 * DAY_S                                                                         },
        { RENEWED,     DELEGATE, OCSP_VERIFIED,      PKI_NOW_S - 5 * 365 * DAY_S,
         PKI_NOW_S + 5 * 365 * DAY_S                                                                         },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf der = { 0 };
        struct ocsp_answer answer;
        struct error err;
        struct answer_recipe recipe = {
            .cert = cert(LEAF),
            .issuer = cert(ISSUER),
            .signer = cert(CASES[i].signer),
            .embed = {cert(CASES[i].signer), cert(CASES[i].beside)}
        };
        answer_make(&recipe, &der);
        cr_expect_eq(verify(buf_span(&der), LEAF, ISSUER, &answer, &err), CASES[i].verdict, "%zu",
                     i);
        cr_expect_eq(answer.signer_from_ns, CASES[i].from_s * NS_PER_S, "%zu", i);
        cr_expect_eq(answer.signer_until_ns, CASES[i].until_s * NS_PER_S, "%zu", i);
        buf_free(&der);
    }
}

Test(response, the_issuer_needs_no_dates)
{
    struct buf der = { 0 };
    struct ocsp_answer answer;
    struct error err;
    answer_make(&(struct answer_recipe){ .cert = cert(LEAF),
                                         .issuer = cert(ISSUER),
                                         .no_next_update = true },
                &der);
    cr_expect_eq(verify(buf_span(&der), LEAF, ISSUER, &answer, &err), OCSP_VERIFIED);
    cr_expect_eq(answer.signer_from_ns, INT64_MIN);
    cr_expect_eq(answer.signer_until_ns, INT64_MAX);
    cr_expect_not(answer.has_next_update);
    buf_free(&der);
}

Test(response, error_statuses)
{
    static const struct {
        int status;
        const char *text;
        bool retry;
    } CASES[] = {
        {1,  "ocsp: error from server: malformed",              false},
        { 2, "ocsp: error from server: internal error",         true },
        { 3, "ocsp: error from server: try later",              true },
        { 4, "ocsp: error from server: unknown OCSP status: 4", false},
        { 5, "ocsp: error from server: signature required",     false},
        { 6, "ocsp: error from server: unauthorized",           false},
        { 9, "ocsp: error from server: unknown OCSP status: 9", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf der = { 0 };
        struct ocsp_answer answer;
        struct error err;
        answer_error(CASES[i].status, &der);
        cr_expect_eq(verify(buf_span(&der), LEAF, ISSUER, &answer, &err), OCSP_UNREADABLE);
        cr_expect_str_eq(err.text, CASES[i].text);
        cr_expect_eq(ocsp_response_wants_retry(buf_span(&der)), CASES[i].retry, "%s",
                     CASES[i].text);
        buf_free(&der);
    }
}

Test(response, success_without_an_answer)
{
    static const uint8_t EMPTY[] = { 0x30, 3, 0x0a, 1, 0 };
    struct ocsp_answer answer;
    struct error err;
    cr_expect_eq(verify(span_make(EMPTY, sizeof EMPTY), LEAF, ISSUER, &answer, &err),
                 OCSP_UNREADABLE);
    cr_expect_str_eq(err.text, "bad OCSP response type");
}

Test(response, status_names_and_the_largest_size)
{
    struct ocsp_answer answer;
    struct error err;
    uint8_t *large = mem_zero(OCSP_RESPONSE_MAX + 1);
    cr_expect_str_eq(ocsp_status_name(OCSP_STATUS_GOOD), "good");
    cr_expect_str_eq(ocsp_status_name(OCSP_STATUS_REVOKED), "revoked");
    cr_expect_str_eq(ocsp_status_name(OCSP_STATUS_UNKNOWN), "unknown");
    cr_expect_eq(verify(span_make(large, OCSP_RESPONSE_MAX + 1), LEAF, ISSUER, &answer, &err),
                 OCSP_UNREADABLE);
    cr_expect_str_eq(err.text, "OCSP response is too large");
    free(large);
}

Test(response, what_is_no_response_may_be_asked_for_elsewhere)
{
    struct buf der = { 0 };
    cr_expect(ocsp_response_wants_retry(span_of("<html>")));
    cr_expect(ocsp_response_wants_retry(span_of("")));
    answer_make(&(struct answer_recipe){ .cert = cert(SIBLING), .issuer = cert(ISSUER) }, &der);
    cr_expect_not(ocsp_response_wants_retry(buf_span(&der)), "a response, if not ours");
    cr_expect(ocsp_response_wants_retry(span_make(der.data, der.len - 1)));
    buf_free(&der);
}

Test(response, more_certificates_than_we_check)
{
    struct buf der = { 0 };
    struct ocsp_basic basic;
    struct ocsp_answer answer;
    struct error err = { "" };
    answer_make(&(struct answer_recipe){ .cert = cert(LEAF),
                                         .issuer = cert(ISSUER),
                                         .embed = { cert(ISSUER) } },
                &der);
    cr_assert(ocsp_response_parse(buf_span(&der), &basic, &err));
    struct buf many = { 0 };
    for (int i = 0; i < OCSP_EMBEDDED_MAX; i++)
        buf_append(&many, basic.certificates.ptr, basic.certificates.len);
    basic.certificates = buf_span(&many);
    cr_expect_eq(ocsp_signature_verify(&basic, cert(ISSUER)->x509, NOW_NS, &answer, &err),
                 OCSP_VERIFIED);
    size_t one_len = many.len / OCSP_EMBEDDED_MAX;
    buf_reserve(&many, one_len); /* so that the bytes do not move while they are appended */
    buf_append(&many, many.data, one_len);
    basic.certificates = buf_span(&many);
    cr_expect_eq(ocsp_signature_verify(&basic, cert(ISSUER)->x509, NOW_NS, &answer, &err),
                 OCSP_UNREADABLE);
    buf_free(&many);
    buf_free(&der);
}

/* Each of the samples, cut at every byte: never accepted, never a read beyond the cut (the copy is
 * of exactly that size, for AddressSanitizer). */
Test(response, cut_at_every_byte, .timeout = 60)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct buf der = { 0 };
        struct ocsp_answer answer;
        struct error err;
        make_row(&ROWS[i], &der);
        for (size_t len = 0; len < der.len - (ROWS[i].odd & ODD_TRAILING ? 1 : 0); len++) {
            uint8_t *cut = mem_alloc(len ? len : 1);
            memcpy(cut, der.data, len);
            cr_assert_eq(verify(span_make(cut, len), ROWS[i].leaf, ROWS[i].issuer, &answer, &err),
                         OCSP_UNREADABLE, "%s cut at %zu", ROWS[i].what, len);
            free(cut);
        }
        buf_free(&der);
    }
}

/* Each byte changed in turn: the signature covers all that matters. What it does not cover (the
 * tags and lengths around, the embedded certificate's own bytes) may not crash either. */
Test(response, no_changed_byte_turns_revoked_into_good, .timeout = 60)
{
    struct buf der = { 0 };
    struct ocsp_answer answer;
    struct error err;
    answer_make(&(struct answer_recipe){ .cert = cert(LEAF),
                                         .issuer = cert(ISSUER),
                                         .signer = cert(DELEGATE),
                                         .embed = { cert(DELEGATE) },
                                         .status = ANSWER_REVOKED },
                &der);
    for (size_t at = 0; at < der.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            der.data[at] ^= (uint8_t)(1 << bit);
            if (verify(buf_span(&der), LEAF, ISSUER, &answer, &err) == OCSP_VERIFIED)
                cr_expect_eq(answer.status, OCSP_STATUS_REVOKED, "byte %zu", at);
            der.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    buf_free(&der);
}
