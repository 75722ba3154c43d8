/* tls.h - TLS over our own buffers: certificates become an immutable context, a context makes
 * engines, an engine turns ciphertext into plaintext and back. No sockets, no loop, no clock.
 *
 * After OpenSSL has built and checked the peer's chain, and before the handshake goes on, the
 * engine asks its owner "here is a verified chain, may it pass?". The owner answers at once or
 * later; the handshake rests meanwhile and resumes on the same thread (docs/architecture.md).
 *
 *      bytes of the socket -> tls_receive -> tls_read -> plaintext, tls_keep_rest
 *      plaintext -> tls_write -> tls_output -> bytes for the socket
 *
 * Contexts are shared by all threads; an engine belongs to the thread that made it.
 * Sources: RFC 8446, RFC 5246, OpenSSL 3.0 manual; decisions/ records why ASYNC jobs. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/error.h"

/* ---- context ---------------------------------------------------------------------------- */

struct tls_pair {
    const char *cert_file, *key_file; /* PEM; the certificate file may carry intermediates */
};

/** What a tls {} block says; plain data, borrowed during tls_context_new(). */
struct tls_settings {
    bool is_client; /* we dial (leafnode remotes) instead of accepting */
    const struct tls_pair *pairs;
    size_t pair_count;
    bool pairs_are_listed; /* from a list of pairs: errors number them ("pair 1/2") */
    const char *ca_file;   /* NULL = the system's roots */
    bool verify; /* require and check the peer's certificate; a client without it trusts anybody */
    int min_version;                  /* TLS1_2_VERSION or TLS1_3_VERSION; 0 = TLS 1.2 */
    const char *const *cipher_suites; /* IANA names; none = all that are not insecure */
    size_t cipher_suite_count;
    const char *const *curves; /* names as in the configuration: X25519, CurveP256, ... */
    size_t curve_count;
    bool hook; /* engines will be given a chain hook: pause is possible */
};

struct tls_context; /* immutable, counted */

/** Loads certificates and keys. NULL and the error: which file, why. Blocking disk reads: never on
 *  a loop. With `verify` set no session is ever resumed (a resumed one would skip the check). */
struct tls_context *tls_context_new(const struct tls_settings *settings, struct error *err);
struct tls_context *tls_context_retain(struct tls_context *context);
/** NULL is allowed. */
void tls_context_release(struct tls_context *context);
/** NotAfter of the first certificate, wall clock nanoseconds; 0 when there is none. */
int64_t tls_context_not_after(const struct tls_context *context);

/** Is everybody whom `other` trusts (ca_file) trusted by `context`, too? */
bool tls_context_trusts_all_of(const struct tls_context *context, const struct tls_context *other);

/** Is the name (as in cipher_suites / curve_preferences) known? For configuration errors.
 *  tls_cipher_is_insecure: known, but only with allow_insecure_cipher_suites. */
bool tls_cipher_is_known(const char *iana_name);
bool tls_cipher_is_insecure(const char *iana_name);
bool tls_curve_is_known(const char *name);

/* ---- engine ----------------------------------------------------------------------------- */

struct tls_engine;

enum tls_verdict { TLS_PASS, TLS_REJECT, TLS_LATER };

/** The verified chains of a peer, enumerated lazily in the order in which they are to be judged. */
struct tls_chains;
/** The next chain: leaf first, trust anchor last; NULL when there is none left. Borrowed, valid
 *  until tls_chains is gone. Any one thread at a time. */
const STACK_OF(X509) * tls_chains_next(struct tls_chains *chains);
/** The peer's own certificate; NULL when nothing was verified. Borrowed. */
X509 *tls_chains_leaf(const struct tls_chains *chains);
/** The chains hold their own references: they may be given to another thread and outlive the engine. */
void tls_chains_free(struct tls_chains *chains);

/** Asked once per handshake, inside tls_receive(), on the engine's thread, on the normal stack. A client that trusts
 *  anybody shows no chain.
 *  Takes `chains`. TLS_LATER: answer with tls_resume(), once, on this thread. The callee must not
 *  destroy the engine. */
typedef enum tls_verdict tls_chain_fn(void *ctx, struct tls_chains *chains);

struct tls_engine_settings {
    struct tls_context *context; /* retained by the engine */
    const char *server_name;     /* client: SNI and name check (an IP literal is checked as one) */
    /* NULL: OpenSSL's verification is enough. Else nobody gets in without its TLS_PASS, even where the context
     * verifies nobody. */
    tls_chain_fn *on_chain;
    void *ctx;
};

/** Never NULL. A client's first flight is in tls_output() at once after tls_receive() of an empty span. */
struct tls_engine *tls_engine_new(const struct tls_engine_settings *settings);
/** Allowed at any time, also while a verdict is pending (the handshake is then rejected first). */
void tls_engine_free(struct tls_engine *engine);

enum tls_status {
    TLS_HANDSHAKE, /* wants more bytes from the peer */
    TLS_VERIFYING, /* rests until tls_resume() */
    TLS_OPEN,      /* plaintext flows */
    TLS_CLOSED,    /* the peer sent close_notify */
    TLS_FAILED     /* see tls_failure(); an alert may be in the output: flush, then close */
};

/** Takes bytes from the socket: borrowed until tls_keep_rest(), which follows when tls_read() has taken what it can. */
enum tls_status tls_receive(struct tls_engine *engine, struct span bytes);
/** Copies what could not be used yet: part of a record, or all of it while a verdict is pending
 *  (bounded by tls_wants_input()). */
void tls_keep_rest(struct tls_engine *engine);
/** The verdict after TLS_LATER: TLS_PASS or TLS_REJECT (alert 42 bad_certificate; `reason` becomes
 *  the failure's text). Returns the new status. */
enum tls_status tls_resume(struct tls_engine *engine, enum tls_verdict verdict, const char *reason);
/** Decrypts what has arrived into `out`. Sets *len, 0 when there is nothing (more) to read. */
enum tls_status tls_read(struct tls_engine *engine, uint8_t *out, size_t cap, size_t *len);
/** Encrypts into the output. Only when open. Give 16 KiB pieces where possible: a call is a record. */
enum tls_status tls_write(struct tls_engine *engine, struct span plain);
/** Queues close_notify if the connection is open. */
void tls_shutdown(struct tls_engine *engine);
/** Ciphertext for the socket; the caller sends and consumes it (and frees its memory when empty). */
struct buf *tls_output(struct tls_engine *engine);
/** False while a verdict is pending and 32 KiB are kept already: stop reading the socket. */
bool tls_wants_input(const struct tls_engine *engine);
enum tls_status tls_status(const struct tls_engine *engine);
/** Why it failed: OpenSSL's reason or the text of the reject. Borrowed. */
const char *tls_failure(const struct tls_engine *engine);

/* ---- what is known about the peer, once open --------------------------------------------- */

/** "1.2", "1.3" and the IANA name of the cipher suite. Static texts. */
const char *tls_version(const struct tls_engine *engine);
const char *tls_cipher(const struct tls_engine *engine);
/** All certificates of the peer as bytes (DER), leaf first, one behind the other; empty when it sent none. Borrowed. */
struct span tls_peer_certs(const struct tls_engine *engine);
/** The peer's own certificate, taken apart anew: for what is seldom asked. Owned; NULL when it sent none. */
X509 *tls_peer_decode(const struct tls_engine *engine);

/* ---- parts of a certificate ---------------------------------------------------------------- */

/** Parts of a certificate that are found without taking all of it apart; DER, borrowed from its bytes. */
struct tls_cert {
    struct span whole, subject, key; /* `key` is its SubjectPublicKeyInfo */
};

/** Takes the first certificate off `certs`. False when there is none (any more), or it is no DER. Source: RFC 5280 4.1. */
bool tls_cert_next(struct span *certs, struct tls_cert *out);
/** The subject as tls_name_print() has it. Appends. */
void tls_cert_print_subject(const struct tls_cert *cert, struct buf *out);
/** A fingerprint: SHA-256 of `whole` or `key`. */
void tls_fingerprint(struct span der, uint8_t out[32]);

/* ---- names in a certificate ---------------------------------------------------------------- */

/** Go's text of a distinguished name: SERIALNUMBER, CN, OU, O, POSTALCODE, STREET, L, ST, C in this order,
 *  known attributes only, values escaped, a NUL as \00. Appends. Source: docs/ocsp.md. */
void tls_name_print(const X509_NAME *name, struct buf *out);
/** ",DC=a,DC=b": the domain components, as they are, in the order of the certificate. Appends.
 *  Source: nats-server 2.15.1, what it tries as a user name behind the text above. */
void tls_name_print_domain(const X509_NAME *name, struct buf *out);

enum tls_san { TLS_SAN_EMAIL, TLS_SAN_DNS, TLS_SAN_URI };

/** Receives a name; true ends the walk. */
typedef bool tls_name_fn(void *ctx, struct span name);
/** Shows the alternative names of one kind in the order of the certificate; the scheme of a URI in lower case.
 *  Empty names and names with NUL or bytes that are not ASCII are left out. True when `is_it` said so. */
bool tls_sans_find(const X509 *cert, enum tls_san kind, tls_name_fn *is_it, void *ctx);

#define TLS_DN_ATTRIBUTES_MAX 64

struct tls_attribute {
    const char *type; /* "CN"; static, the same pointer for the same type */
    size_t value_at, value_len;
    size_t rdn; /* attributes of one RDN have the same number */
};

/** A distinguished name in parts, most specific RDN first: the order of its text, not of the certificate. */
struct tls_dn {
    struct tls_attribute attributes[TLS_DN_ATTRIBUTES_MAX];
    size_t count, rdn_count;
    struct buf values; /* owned: UTF-8, one behind the other */
};

/** Takes a name apart. False (and nothing to free) when it or all of its values are empty, when it has more
 *  than TLS_DN_ATTRIBUTES_MAX attributes, one of an unknown type, or a value that is no text or has a NUL in
 *  it. Known are CN, SERIALNUMBER, C, L, ST, STREET, O, OU, POSTALCODE, DC. */
bool tls_dn_of_name(const X509_NAME *name, struct tls_dn *out);
/** The same of its text form. Source: RFC 4514, nats-server 2.15.1. */
bool tls_dn_parse(struct span text, struct tls_dn *out);
void tls_dn_free(struct tls_dn *dn);

enum tls_dn_match {
    TLS_DN_OTHER,
    TLS_DN_REORDERED, /* the same RDNs in another order */
    TLS_DN_SAME
};

/** Types and values are compared exactly; the attributes of one RDN have no order. */
enum tls_dn_match tls_dn_compare(const struct tls_dn *a, const struct tls_dn *b);

/** SHA-256 of the certificate (DER). */
void tls_cert_sha256(const X509 *cert, uint8_t out[32]);

#endif
