/* response.c - the structure of an OCSP response, and the SingleResponse that is about our
 * certificate. Source: RFC 6960 4.2.1; error texts of nats-server where it has one. */
#include "response.h"

#include <openssl/evp.h>

#include "der.h"

enum { STATUS_SUCCESSFUL = 0, STATUS_INTERNAL_ERROR = 2, STATUS_TRY_LATER = 3 };

static const uint8_t OID_BASIC[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1 };
static const uint8_t OID_NONCE[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2 };
static const uint8_t OID_SHA1[] = { 0x2b, 0x0e, 3, 2, 0x1a };
static const uint8_t OID_SHA256[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1 };
static const uint8_t OID_SHA384[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2 };
static const uint8_t OID_SHA512[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3 };

#define BYTES(array) span_make(array, sizeof(array))

/** One SingleResponse; spans into the response. */
struct single {
    struct span hash;      /* OID of the CertID's hash, contents */
    struct span name_hash; /* of the issuer's subject */
    struct span key_hash;  /* of the issuer's key */
    struct span serial;    /* INTEGER, whole */
    enum ocsp_status status;
    int64_t this_update_ns, next_update_ns;
    bool has_next_update;
    bool has_critical; /* an extension that we would have to understand */
};

const char *ocsp_status_name(enum ocsp_status status)
{
    switch (status) {
    case OCSP_STATUS_GOOD: return "good";
    case OCSP_STATUS_REVOKED: return "revoked";
    case OCSP_STATUS_UNKNOWN: break;
    }
    return "unknown";
}

static bool malformed(struct error *err, const char *where)
{
    return error_set(err, "malformed OCSP response: %s", where);
}

/* ---- extensions -------------------------------------------------------------------------- */

/* [n] EXPLICIT Extensions, optional. Reports whether one is critical that is not `known`. */
static bool read_extensions(struct der *der, uint8_t tag, struct span known, bool *has_critical)
{
    *has_critical = false;
    if (!der_next_is(der, tag))
        return !der->failed;
    struct der wrapped = der_enter(der, tag), list = der_enter(&wrapped, DER_SEQUENCE);
    if (!der_at_end(&wrapped))
        return false;
    while (!list.failed && !der_at_end(&list)) {
        struct der extension = der_enter(&list, DER_SEQUENCE);
        struct span oid = der_take(&extension, DER_OID).content;
        bool critical = false;
        if (der_next_is(&extension, DER_BOOLEAN)) {
            struct span value = der_take(&extension, DER_BOOLEAN).content;
            if (value.len != 1 || (value.ptr[0] != 0 && value.ptr[0] != 0xff))
                return false;
            critical = value.ptr[0] != 0;
        }
        der_take(&extension, DER_OCTET_STRING);
        if (!der_at_end(&extension))
            return false;
        if (critical && !span_equal(oid, known))
            *has_critical = true;
    }
    return !list.failed;
}

/* ---- SingleResponse ------------------------------------------------------------------------ */

static bool read_cert_id(struct der *der, struct single *out)
{
    struct der id = der_enter(der, DER_SEQUENCE), algorithm = der_enter(&id, DER_SEQUENCE);
    out->hash = der_take(&algorithm, DER_OID).content;
    if (!der_at_end(&algorithm))
        der_take(&algorithm, DER_NULL); /* the parameters may be absent */
    out->name_hash = der_take(&id, DER_OCTET_STRING).content;
    out->key_hash = der_take(&id, DER_OCTET_STRING).content;
    out->serial = der_take(&id, DER_INTEGER).whole;
    return der_at_end(&algorithm) && der_at_end(&id);
}

/* RevokedInfo: when, and perhaps why; neither changes the verdict. */
static bool read_revoked_info(struct der *der)
{
    struct der info = der_enter(der, DER_CONTEXT_SET(1));
    struct der_value when = der_any(&info);
    int64_t ns;
    if (!der_time(&when, &ns))
        return false;
    if (!der_at_end(&info)) {
        struct der reason = der_enter(&info, DER_CONTEXT_SET(0));
        der_take(&reason, DER_ENUMERATED);
        if (!der_at_end(&reason))
            return false;
    }
    return der_at_end(&info);
}

/* No certStatus at all means revoked: nats-server's test CA leaves it out for "revoked", Go reads
 * it so, and it is the safe reading. */
static bool read_status(struct der *der, enum ocsp_status *out)
{
    *out = OCSP_STATUS_REVOKED;
    if (der_next_is(der, DER_CONTEXT(0))) {
        *out = OCSP_STATUS_GOOD;
        return der_take(der, DER_CONTEXT(0)).content.len == 0;
    }
    if (der_next_is(der, DER_CONTEXT(2))) {
        *out = OCSP_STATUS_UNKNOWN;
        return der_take(der, DER_CONTEXT(2)).content.len == 0;
    }
    if (der_next_is(der, DER_CONTEXT_SET(1)))
        return read_revoked_info(der);
    return true;
}

static bool read_dates(struct der *der, struct single *out)
{
    struct der_value value = der_any(der);
    if (!der_time(&value, &out->this_update_ns))
        return false;
    out->has_next_update = der_next_is(der, DER_CONTEXT_SET(0));
    if (!out->has_next_update)
        return true;
    struct der wrapped = der_enter(der, DER_CONTEXT_SET(0));
    value = der_any(&wrapped);
    return der_time(&value, &out->next_update_ns) && der_at_end(&wrapped);
}

static bool read_single(struct der *list, struct single *out)
{
    *out = (struct single){ 0 };
    struct der der = der_enter(list, DER_SEQUENCE);
    return read_cert_id(&der, out) && read_status(&der, &out->status) && read_dates(&der, out) &&
           read_extensions(&der, DER_CONTEXT_SET(1), (struct span){ 0 }, &out->has_critical) &&
           der_at_end(&der);
}

/* ---- the layers around it ------------------------------------------------------------------ */

/* version [0] DEFAULT v1, responderID. Neither is compared with anything: the signature decides,
 * and responders get the ID wrong. */
static bool skip_responder(struct der *data)
{
    if (der_next_is(data, DER_CONTEXT_SET(0))) {
        struct der wrapped = der_enter(data, DER_CONTEXT_SET(0));
        struct span version = der_take(&wrapped, DER_INTEGER).content;
        if (!der_at_end(&wrapped) || version.len != 1 || version.ptr[0] != 0)
            return false;
    }
    uint8_t by_name = DER_CONTEXT_SET(1), by_key = DER_CONTEXT_SET(2);
    struct der id = der_enter(data, der_next_is(data, by_name) ? by_name : by_key);
    der_any(&id);
    return der_at_end(&id);
}

static bool parse_response_data(struct span tbs, struct ocsp_basic *out, struct error *err)
{
    struct der whole = der_of(tbs), data = der_enter(&whole, DER_SEQUENCE);
    if (!skip_responder(&data))
        return malformed(err, "responder id");
    struct der_value produced = der_any(&data);
    int64_t produced_ns;
    if (!der_time(&produced, &produced_ns))
        return malformed(err, "producedAt");
    out->singles = der_take(&data, DER_SEQUENCE).content;
    if (data.failed)
        return malformed(err, "list of responses");

    bool has_critical;
    struct span nonce = BYTES(OID_NONCE);
    if (!read_extensions(&data, DER_CONTEXT_SET(1), nonce, &has_critical) || !der_at_end(&data))
        return malformed(err, "response extensions");
    if (has_critical)
        return error_set(err, "unsupported critical extension");
    if (out->singles.len == 0)
        return error_set(err, "OCSP response contains bad number of responses");

    struct der list = der_of(out->singles);
    struct single single;
    while (!der_at_end(&list))
        if (!read_single(&list, &single))
            return malformed(err, "single response");
    return true;
}

static bool parse_basic(struct span bytes, struct ocsp_basic *out, struct error *err)
{
    struct der outer = der_of(bytes), basic = der_enter(&outer, DER_SEQUENCE);
    if (basic.failed)
        return malformed(err, "basic response");
    if (!der_at_end(&outer))
        return error_set(err, "trailing data in OCSP response");
    out->tbs = der_take(&basic, DER_SEQUENCE).whole;
    out->algorithm = der_take(&basic, DER_SEQUENCE).whole;
    out->signature = der_take(&basic, DER_BIT_STRING).whole;
    if (der_next_is(&basic, DER_CONTEXT_SET(0))) {
        struct der wrapped = der_enter(&basic, DER_CONTEXT_SET(0));
        out->certificates = der_take(&wrapped, DER_SEQUENCE).content;
        if (!der_at_end(&wrapped))
            return malformed(err, "certificates");
    }
    if (!der_at_end(&basic))
        return malformed(err, "basic response");
    return parse_response_data(out->tbs, out, err);
}

/* responseStatus of the outermost structure, and what follows it. */
static bool parse_envelope(struct span der, unsigned *status, struct der *rest, struct error *err)
{
    struct der outer = der_of(der);
    *rest = der_enter(&outer, DER_SEQUENCE);
    struct span code = der_take(rest, DER_ENUMERATED).content;
    if (rest->failed || code.len != 1)
        return malformed(err, "not an OCSP response");
    if (!der_at_end(&outer))
        return error_set(err, "trailing data in OCSP response");
    *status = code.ptr[0];
    return true;
}

static bool refused(unsigned status, struct error *err)
{
    static const char *const NAMES[] = { [1] = "malformed",
                                         [STATUS_INTERNAL_ERROR] = "internal error",
                                         [STATUS_TRY_LATER] = "try later",
                                         [5] = "signature required",
                                         [6] = "unauthorized" };
    if (status < sizeof NAMES / sizeof *NAMES && NAMES[status])
        return error_set(err, "ocsp: error from server: %s", NAMES[status]);
    return error_set(err, "ocsp: error from server: unknown OCSP status: %u", status);
}

bool ocsp_response_parse(struct span der, struct ocsp_basic *out, struct error *err)
{
    unsigned status;
    struct der envelope;
    *out = (struct ocsp_basic){ 0 };
    if (!parse_envelope(der, &status, &envelope, err))
        return false;
    if (status != STATUS_SUCCESSFUL)
        return refused(status, err);

    if (der_at_end(&envelope))
        return error_set(err, "bad OCSP response type");
    struct der wrapped = der_enter(&envelope, DER_CONTEXT_SET(0));
    struct der bytes = der_enter(&wrapped, DER_SEQUENCE);
    struct span type = der_take(&bytes, DER_OID).content;
    struct span basic = der_take(&bytes, DER_OCTET_STRING).content;
    if (!der_at_end(&bytes) || !der_at_end(&wrapped) || !der_at_end(&envelope))
        return malformed(err, "response bytes");
    if (!span_equal(type, BYTES(OID_BASIC)))
        return error_set(err, "bad OCSP response type");
    return parse_basic(basic, out, err);
}

bool ocsp_response_wants_retry(struct span der)
{
    unsigned status;
    struct der envelope;
    struct ocsp_basic basic;
    if (!parse_envelope(der, &status, &envelope, NULL))
        return true;
    if (status == STATUS_SUCCESSFUL)
        return !ocsp_response_parse(der, &basic, NULL);
    return status == STATUS_INTERNAL_ERROR || status == STATUS_TRY_LATER;
}

/* ---- which answer is ours ------------------------------------------------------------------ */

static const EVP_MD *hash_of(struct span oid)
{
    if (span_equal(oid, BYTES(OID_SHA1)))
        return EVP_sha1();
    if (span_equal(oid, BYTES(OID_SHA256)))
        return EVP_sha256();
    if (span_equal(oid, BYTES(OID_SHA384)))
        return EVP_sha384();
    if (span_equal(oid, BYTES(OID_SHA512)))
        return EVP_sha512();
    return NULL;
}

static bool hash_is(struct span expected, const EVP_MD *md, const void *bytes, size_t len)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    return EVP_Digest(bytes, len, digest, &size, md, NULL) == 1 &&
           span_equal(expected, span_make(digest, size));
}

static bool serial_is(struct span expected, const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &der);
    bool equal = len > 0 && span_equal(expected, span_make(der, (size_t)len));
    OPENSSL_free(der);
    return equal;
}

static bool issuer_is(const struct single *single, const EVP_MD *md, const X509 *issuer)
{
    unsigned char *name = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(issuer), &name);
    bool equal = len > 0 && hash_is(single->name_hash, md, name, (size_t)len);
    OPENSSL_free(name);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer);
    return equal && key &&
           hash_is(single->key_hash, md, ASN1_STRING_get0_data(key),
                   (size_t)ASN1_STRING_length(key));
}

static struct ocsp_answer answer_of(const struct single *single)
{
    return (struct ocsp_answer){ .status = single->status,
                                 .this_update_ns = single->this_update_ns,
                                 .next_update_ns = single->next_update_ns,
                                 .has_next_update = single->has_next_update,
                                 .signer_from_ns = INT64_MIN,
                                 .signer_until_ns = INT64_MAX };
}

bool ocsp_response_peek(struct span der, struct ocsp_answer *out)
{
    struct ocsp_basic basic;
    struct single single;
    if (der.len > OCSP_RESPONSE_MAX || !ocsp_response_parse(der, &basic, NULL))
        return false;
    struct der list = der_of(basic.singles);
    if (!read_single(&list, &single) || !der_at_end(&list))
        return false;
    *out = answer_of(&single);
    return true;
}

/* Two answers about the same certificate that contradict each other: believe the worse. */
static int severity(enum ocsp_status status)
{
    switch (status) {
    case OCSP_STATUS_GOOD: return 0;
    case OCSP_STATUS_UNKNOWN: return 1;
    case OCSP_STATUS_REVOKED: break;
    }
    return 2;
}

bool ocsp_response_find(const struct ocsp_basic *basic, const X509 *cert, const X509 *issuer,
                        struct ocsp_answer *out, struct error *err)
{
    bool found = false, is_odd_hash = false;
    struct der list = der_of(basic->singles);
    struct single single;
    while (!der_at_end(&list)) {
        if (!read_single(&list, &single))
            return malformed(err, "single response");
        if (!serial_is(single.serial, cert))
            continue;
        const EVP_MD *md = hash_of(single.hash);
        is_odd_hash |= md == NULL;
        if (!md || !issuer_is(&single, md, issuer))
            continue;
        if (single.has_critical)
            return error_set(err, "unsupported critical extension");
        if (found && severity(single.status) <= severity(out->status))
            continue;
        found = true;
        *out = answer_of(&single);
    }
    if (found)
        return true;
    return error_set(err, is_odd_hash ? "unsupported issuer hash algorithm"
                                      : "no response matching the supplied certificate");
}
