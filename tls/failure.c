/* failure.c - see failure.h. The texts come after "TLS handshake error: " in log lines; operators search
 * for those of the reference. Source: Go crypto/tls and crypto/x509, observed at nats-server. */
#include "failure.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <time.h>

#define MAX_TEXT 4096

struct reason {
    int code;
    const char *text;
};

static const char *text_of(const struct reason *rows, size_t count, int code)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == code)
            return rows[i].text;
    return NULL;
}
#define TEXT_OF(rows, code) text_of(rows, sizeof(rows) / sizeof *(rows), code)

/* ---- TLS ------------------------------------------------------------------------------------------ */

static const struct reason ALERTS[] = {
    {SSL3_AD_CLOSE_NOTIFY,                     "close notify"                   },
    { SSL3_AD_UNEXPECTED_MESSAGE,              "unexpected message"             },
    { SSL3_AD_BAD_RECORD_MAC,                  "bad record MAC"                 },
    { TLS1_AD_DECRYPTION_FAILED,               "decryption failed"              },
    { TLS1_AD_RECORD_OVERFLOW,                 "record overflow"                },
    { SSL3_AD_DECOMPRESSION_FAILURE,           "decompression failure"          },
    { SSL3_AD_HANDSHAKE_FAILURE,               "handshake failure"              },
    { SSL3_AD_BAD_CERTIFICATE,                 "bad certificate"                },
    { SSL3_AD_UNSUPPORTED_CERTIFICATE,         "unsupported certificate"        },
    { SSL3_AD_CERTIFICATE_REVOKED,             "revoked certificate"            },
    { SSL3_AD_CERTIFICATE_EXPIRED,             "expired certificate"            },
    { SSL3_AD_CERTIFICATE_UNKNOWN,             "unknown certificate"            },
    { SSL3_AD_ILLEGAL_PARAMETER,               "illegal parameter"              },
    { TLS1_AD_UNKNOWN_CA,                      "unknown certificate authority"  },
    { TLS1_AD_ACCESS_DENIED,                   "access denied"                  },
    { TLS1_AD_DECODE_ERROR,                    "error decoding message"         },
    { TLS1_AD_DECRYPT_ERROR,                   "error decrypting message"       },
    { TLS1_AD_EXPORT_RESTRICTION,              "export restriction"             },
    { TLS1_AD_PROTOCOL_VERSION,                "protocol version not supported" },
    { TLS1_AD_INSUFFICIENT_SECURITY,           "insufficient security level"    },
    { TLS1_AD_INTERNAL_ERROR,                  "internal error"                 },
    { TLS1_AD_INAPPROPRIATE_FALLBACK,          "inappropriate fallback"         },
    { TLS1_AD_USER_CANCELLED,                  "user canceled"                  },
    { TLS1_AD_NO_RENEGOTIATION,                "no renegotiation"               },
    { TLS13_AD_MISSING_EXTENSION,              "missing extension"              },
    { TLS1_AD_UNSUPPORTED_EXTENSION,           "unsupported extension"          },
    { TLS1_AD_CERTIFICATE_UNOBTAINABLE,        "certificate unobtainable"       },
    { TLS1_AD_UNRECOGNIZED_NAME,               "unrecognized name"              },
    { TLS1_AD_BAD_CERTIFICATE_STATUS_RESPONSE, "bad certificate status response"},
    { TLS1_AD_BAD_CERTIFICATE_HASH_VALUE,      "bad certificate hash value"     },
    { TLS1_AD_UNKNOWN_PSK_IDENTITY,            "unknown PSK identity"           },
    { TLS13_AD_CERTIFICATE_REQUIRED,           "certificate required"           },
    { TLS1_AD_NO_APPLICATION_PROTOCOL,         "no application protocol"        },
};

#define NOT_TLS    "first record does not look like a TLS handshake"
#define NO_SIGNING "peer doesn't support any of the certificate's signature algorithms"
#define NO_GROUP   "no key exchanges supported by both client and server"

static const struct reason REASONS[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "client didn't provide a certificate"                },
    { SSL_R_HTTP_REQUEST,                     NOT_TLS                                              },
    { SSL_R_HTTPS_PROXY_REQUEST,              NOT_TLS                                              },
    { SSL_R_WRONG_VERSION_NUMBER,             NOT_TLS                                              },
    { SSL_R_NO_SHARED_CIPHER,                 "no cipher suite supported by both client and server"},
    { SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,  NO_SIGNING                                           },
    { SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,   NO_SIGNING                                           },
    { SSL_R_NO_SUITABLE_KEY_SHARE,            NO_GROUP                                             },
    { SSL_R_NO_SHARED_GROUPS,                 NO_GROUP                                             },
    { SSL_R_NO_SUITABLE_GROUPS,               NO_GROUP                                             },
    { SSL_R_INAPPROPRIATE_FALLBACK,           "client using inappropriate protocol fallback"       },
    { SSL_R_UNEXPECTED_MESSAGE,               "received unexpected handshake message"              },
};

static char *describe_alert(int alert)
{
    const char *text = TEXT_OF(ALERTS, alert);
    return text ? mem_printf("remote error: tls: %s", text)
                : mem_printf("remote error: tls: alert(%d)", alert);
}

/* The first error is the cause, later ones are what it led to; but libssl knows what it means. */
static unsigned long find_cause(void)
{
    unsigned long code, cause = 0;
    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(code) == ERR_LIB_SSL)
            return code;
        if (cause == 0)
            cause = code;
    }
    return cause;
}

static char *describe_tls(const SSL *ssl)
{
    unsigned long code = find_cause();
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        const char *text = ERR_reason_error_string(code);
        return mem_printf("tls: %s", text ? text : "unknown failure");
    }
    if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255)
        return describe_alert(reason - SSL_AD_REASON_OFFSET);
    if (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)
        return mem_strdup("local error: tls: bad record MAC");
    if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW)
        return mem_strdup(SSL_is_server(ssl) ? "tls: client offered only unsupported versions"
                                             : "tls: server selected unsupported protocol version");
    const char *text = TEXT_OF(REASONS, reason);
    if (!text)
        text = ERR_reason_error_string(code);
    return mem_printf("tls: %s", text ? text : "unknown failure");
}

/* ---- certificates ---------------------------------------------------------------------------------- */

#define UNKNOWN_AUTHORITY "certificate signed by unknown authority"

static const struct reason CERT_REASONS[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,          UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,   UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,       UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,         UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_CERT_SIGNATURE_FAILURE,            UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_CERT_CHAIN_TOO_LONG,               UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_INVALID_CA,                        UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_KEYUSAGE_NO_CERTSIGN,              UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_CA_MD_TOO_WEAK,                    UNKNOWN_AUTHORITY                                  },
    { X509_V_ERR_INVALID_PURPOSE,                   "certificate specifies an incompatible key usage"  },
    { X509_V_ERR_PATH_LENGTH_EXCEEDED,              "too many intermediates for path length constraint"},
};

static void add_time(struct buf *out, int64_t unix_s)
{
    time_print(out, unix_s * NS_PER_S);
}

static void add_validity(struct buf *out, const X509 *cert, bool is_expired)
{
    struct tm limit;
    buf_append_str(out, "certificate has expired or is not yet valid");
    if (!cert || ASN1_TIME_to_tm(is_expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert),
                                 &limit) != 1)
        return;
    buf_append_str(out, ": current time ");
    add_time(out, clock_wall_ns() / NS_PER_S);
    buf_append_str(out, is_expired ? " is after " : " is before ");
    add_time(out, timegm(&limit));
}

static bool add_ip(struct buf *out, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(ip);
    int family = len == 4 ? AF_INET : AF_INET6;
    if ((len != 4 && len != 16) || !inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof text))
        return false;
    buf_append_str(out, text);
    return true;
}

/* The host names (or the addresses) that the certificate is for, as "a, b". */
static void add_names(struct buf *out, const X509 *cert, bool ips)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t begin = out->len;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        size_t before = out->len;
        if (name->type != (ips ? GEN_IPADD : GEN_DNS))
            continue;
        if (before > begin)
            buf_append_str(out, ", ");
        if (!ips)
            buf_append(out, ASN1_STRING_get0_data(name->d.dNSName),
                       (size_t)ASN1_STRING_length(name->d.dNSName));
        else if (!add_ip(out, name->d.iPAddress))
            out->len = before;
    }
    GENERAL_NAMES_free(names);
}

static void add_mismatch(struct buf *out, const SSL *ssl, const X509 *cert, bool is_ip)
{
    X509_VERIFY_PARAM *param = SSL_get0_param((SSL *)ssl); /* it only looks */
    char *ip = is_ip ? X509_VERIFY_PARAM_get1_ip_asc(param) : NULL;
    const char *wanted = is_ip ? ip : X509_VERIFY_PARAM_get0_host(param, 0);
    struct buf names = { 0 };
    if (cert)
        add_names(&names, cert, is_ip);
    wanted = wanted ? wanted : "";
    if (names.len > 0)
        buf_printf(out, "certificate is valid for %s, not %s", buf_str(&names), wanted);
    else if (is_ip)
        buf_printf(out, "cannot validate certificate for %s because it doesn't contain any IP SANs",
                   wanted);
    else
        buf_printf(out, "certificate is not valid for any names, but wanted to match %s", wanted);
    buf_free(&names);
    OPENSSL_free(ip);
}

/* " (DN SHA-256: hex; DN SHA-256: hex)": whom the peer claimed to be. */
static void add_sent(struct buf *out, const STACK_OF(X509) * sent)
{
    for (int i = 0; i < sk_X509_num(sent); i++) {
        const X509 *cert = sk_X509_value(sent, i);
        uint8_t digest[32];
        tls_cert_sha256(cert, digest);
        buf_append_str(out, i == 0 ? " (" : "; ");
        tls_name_print(X509_get_subject_name(cert), out);
        buf_append_str(out, " SHA-256: ");
        hex_encode(out, span_make(digest, sizeof digest));
    }
    if (sk_X509_num(sent) > 0)
        buf_append_char(out, ')');
}

/* A stranger wrote the names: no line breaks into the log, and no novels. */
static void tame(struct buf *out)
{
    if (out->len > MAX_TEXT)
        out->len = MAX_TEXT;
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] < ' ' || out->data[i] == 0x7f)
            out->data[i] = '?';
}

static char *describe_certificate(const SSL *ssl, const struct verification *verification)
{
    struct buf out = { 0 };
    int error = verification->error;
    const X509 *culprit = verification->culprit;
    const char *text = TEXT_OF(CERT_REASONS, error);

    buf_append_str(&out, "tls: failed to verify certificate: x509: ");
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        add_validity(&out, culprit, error == X509_V_ERR_CERT_HAS_EXPIRED);
    else if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        add_mismatch(&out, ssl, culprit, error == X509_V_ERR_IP_ADDRESS_MISMATCH);
    else
        buf_append_str(&out, text ? text : X509_verify_cert_error_string(error));
    add_sent(&out, verification->sent);

    tame(&out);
    char *owned = mem_strdup(buf_str(&out));
    buf_free(&out);
    return owned;
}

char *failure_describe(const SSL *ssl, const struct verification *verification)
{
    if (verification->error != X509_V_OK)
        return describe_certificate(ssl, verification);
    return describe_tls(ssl);
}
