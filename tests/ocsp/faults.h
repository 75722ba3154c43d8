/* faults.h - what responders do wrong, and who enters nevertheless: the decision table that the
 * tests of the service and those of the whole server execute. */
#ifndef TESTS_OCSP_FAULTS_H
#define TESTS_OCSP_FAULTS_H

#include "ocsp/responder.h"

/* The options of a listener, each for itself, in the order of their letters in the table. */
enum fault_option { DEFAULTS, WARN_ONLY, UNKNOWN_IS_GOOD, ALLOW_WHEN_UNREACHABLE, FAULT_OPTIONS };

/* What the cache holds about the certificate. Answers that have run out: current ones are used
 * as they are, and nobody is asked. */
enum fault_memory { COLD, OLD_GOOD, OLD_REVOKED, FAULT_MEMORIES };

/* Whose signature an answer has. */
enum fault_signer { BY_ISSUER, BY_STRANGER, BY_EXPIRED, BY_UNENTITLED };

/* Where the certificate's responder is. */
enum fault_place {
    AT_SLOT,
    AT_REDIRECT,    /* at the slot is only a redirect to it */
    AT_CLOSED_PORT, /* nowhere: connections are refused */
    AT_SPARED,      /* at the slot, but it has hung so often that it is not asked */
    AT_NO_NAME      /* nowhere: its name cannot be resolved */
};

struct fault {
    char what[32];
    enum responder_act act;
    char verdict[16]; /* its name */
    char enters[FAULT_MEMORIES][FAULT_OPTIONS + 1];
    int code;
    enum fault_place place;
    enum fault_signer signer;
    enum answer_status status;
    int this_update_s, next_update_s; /* relative to the time of the question; 0 = usual */
    bool no_next_update;
    bool is_about_sibling, is_beside_sibling, has_sha256_id;
    bool is_twice; /* two answers about the certificate, that with first_status first */
    enum answer_status first_status;
    unsigned odd; /* bits of enum answer_oddity */
};

extern const struct fault FAULTS[];
extern const int FAULT_COUNT;

/** Does a peer enter, whose responder does this, under that option? */
bool fault_enters(const struct fault *fault, enum fault_memory memory, enum fault_option option);
/** Does nothing ever come of the fetch but its timeout? */
bool fault_takes_all_time(const struct fault *fault);

/** The certificates that play in it. */
struct fault_cast {
    const struct pki_cert *leaf, *ca, *stranger; /* the stranger is another CA */
    struct pki_cert sibling, expired, unentitled;
};
/** Makes what is missing, for this time. Released with fault_cast_free(). */
struct fault_cast fault_cast_make(const struct pki_cert *ca, const struct pki_cert *stranger,
                                  int64_t now_s);
void fault_cast_free(struct fault_cast *cast);

/** From now on the slot does it; a redirect leads to the slot `beyond`. */
void fault_set(const struct fault *fault, const struct fault_cast *cast,
               struct responder *responder, int slot, int beyond, int64_t now_s);

#endif
