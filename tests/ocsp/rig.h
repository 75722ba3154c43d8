/* rig.h - a service on a loop, a scripted responder, a small PKI: what the tests of checks need. */
#ifndef TESTS_OCSP_RIG_H
#define TESTS_OCSP_RIG_H

#include "ocsp.h"
#include "ocsp/pki.h"
#include "ocsp/responder.h"

/* Slots of the responder. */
enum { SLOT_CA = 1, SLOT_LEAF = 2, SLOT_OTHER = 3 };

struct rig {
    uv_loop_t loop;
    struct ocsp *ocsp;
    struct ocsp_cache *cache; /* that the service uses */
    struct responder *responder;
    struct pki_cert root, ca, leaf; /* ca asks SLOT_CA, leaf asks SLOT_LEAF */
    bool is_closed;                 /* the service is gone */
    char log_path[32];
};

/** Starts the clock at PKI_NOW_S, the responder (both slots answer "good"), the service. */
void rig_start(struct rig *rig, enum ocsp_cache_type type);
/** Ends the service, checks that the loop is empty, frees everything. */
void rig_stop(struct rig *rig);
struct rig_settings {
    struct ocsp_settings service;
    struct ocsp_cache_settings cache;
};
/** Ends the service and starts another one: empty cache. */
void rig_restart(struct rig *rig, const struct rig_settings *settings);
/** The usual settings for rig_restart(). */
struct rig_settings rig_settings(struct rig *rig, enum ocsp_cache_type type);
void rig_close_service(struct rig *rig);
/** Both clocks stand `s` seconds after PKI_NOW_S. */
void rig_clock(int64_t s);

/** A script that answers about the rig's leaf. */
struct responder_script rig_script(const struct rig *rig, enum responder_act act);
/** What the leaf's responder does from now on: answer with that status. */
void rig_leaf_is(struct rig *rig, enum answer_status status);

/** Chains for one check; filled with rig_chain(), freed by the check. */
struct rig_chains {
    STACK_OF(X509) * list[4];
    size_t count, at;
};
struct rig_chains *rig_chains_new(void);
/** Adds a chain of the certificates up to the first NULL. */
struct rig_chains *rig_chain(struct rig_chains *chains, const struct pki_cert *a,
                             const struct pki_cert *b, const struct pki_cert *c);
/** Root, CA, leaf. */
struct rig_chains *rig_usual_chain(const struct rig *rig);

/** A leaf that asks at these addresses (up to NULL); to be freed. */
struct pki_cert rig_leaf_at(const struct rig *rig, const char *a, const char *b, const char *c);
/** Its chain ends at the CA, so that only it is asked about. */
struct rig_chains *rig_leaf_chain(const struct rig *rig, const struct pki_cert *leaf);
/** A script that answers about it. */
struct responder_script rig_about(const struct rig *rig, const struct pki_cert *leaf,
                                  enum responder_act act);
/** The slot does that from now on: status 500, tryLater and "<html>" where one is to be chosen. */
void rig_does(struct rig *rig, int slot, const struct pki_cert *leaf, enum responder_act act);

/** Defaults, but a ca_timeout of 5 s: nothing but a hanging responder should run into it. */
struct ocsp_peer_options rig_options(void);

/** Takes the chains. */
struct ocsp_check *rig_check(struct rig *rig, struct rig_chains *chains,
                             const struct ocsp_peer_options *options);
/** Steps the check, runs it if it must be, runs the loop until it is done. */
enum ocsp_outcome rig_settle(struct rig *rig, struct ocsp_check *check);
/** The same of a new check, which is freed. */
enum ocsp_outcome rig_judge(struct rig *rig, struct rig_chains *chains,
                            const struct ocsp_peer_options *options);
/** The usual chain under these options. */
enum ocsp_outcome rig_judge_leaf(struct rig *rig, const struct ocsp_peer_options *options);

/** Runs the loop until the slot had that many requests. */
void rig_until_requests(struct rig *rig, int slot, int count);
/** "hits 0 misses 2 size 2 good 2 revoked 0 unknown 0". Static buffer. */
const char *rig_stats(struct rig *rig);

/** From now on lines go to a file. */
void rig_log_start(struct rig *rig);
/** What was logged, as lines "[DBG] text"; ends the capture. Owned by the caller. */
char *rig_log_take(struct rig *rig);

/** "CN=..." */
void rig_print_name(const X509_NAME *name, struct buf *out);

#endif
