/* refresh_fixture.h - a service that renews answers and watches peers, for the tests of both. */
#ifndef TESTS_OCSP_REFRESH_FIXTURE_H
#define TESTS_OCSP_REFRESH_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocsp/rig.h"
#include "link.h"
#include "service.h"

static struct rig rig;
static struct ocsp_peer_options options;
static struct ocsp_revoked *revoked; /* the last ones reported, and how often that was */
static int reports;

static inline void on_revoked(void *ctx, struct ocsp_revoked *certs)
{
    cr_expect_eq(ctx, &rig);
    ocsp_revoked_release(revoked);
    revoked = ocsp_revoked_retain(certs);
    reports++;
}

static inline void start_service(enum ocsp_cache_type type)
{
    struct rig_settings settings = rig_settings(&rig, type);
    settings.service.on_revoked = on_revoked;
    settings.service.ctx = &rig;
    rig_restart(&rig, &settings);
}

static inline void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    start_service(OCSP_CACHE_LOCAL);
    options = rig_options();
    options.disconnect_revoked = true;
}

/* At the end of each test, not a .fini: what fails there is no failure to Criterion. */
static inline void stop(void)
{
    ocsp_revoked_release(revoked);
    rig_stop(&rig);
}

static inline struct ocsp_refresh_stats stats(void)
{
    return ocsp_refresh_stats(rig.ocsp);
}

/* As of a peer whose chain is the certificate and the CA. */
static inline struct ocsp_links *links_with(const struct pki_cert *cert)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, cert->x509);
    sk_X509_push(chain, rig.ca.x509);
    struct ocsp_link_place place = { .at = 0 };
    ocsp_digest_cert(sk_X509_value(chain, 0), &place.key[0]);
    ocsp_digest_key(sk_X509_value(chain, 1), &place.key[1]);
    struct ocsp_links *links = ocsp_links_new(chain, &place, 1);
    sk_X509_free(chain);
    return links;
}

/* What the loop would do now. (It does not turn for timers of the refresh alone.) */
static inline void spin(void)
{
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    refresh_turn(rig.ocsp->refresh);
}

static inline void until(uint64_t renewed, uint64_t failed)
{
    while (stats().renewed < renewed || stats().failed < failed)
        spin();
    cr_expect_eq(stats().renewed, renewed);
    cr_expect_eq(stats().failed, failed);
}

static inline struct ocsp_revoked *only(const struct pki_cert *cert)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    X509_add_cert(certs, cert->x509, X509_ADD_FLAG_UP_REF);
    return ocsp_revoked_new(certs);
}

static inline bool links_have(const struct ocsp_links *links, const struct pki_cert *cert)
{
    struct ocsp_revoked *one = only(cert);
    X509 *found = ocsp_links_find(links, one);
    ocsp_revoked_release(one);
    cr_expect(!found || found == cert->x509);
    return found;
}

static inline bool is_reported(const struct pki_cert *cert)
{
    struct ocsp_links *links = links_with(cert);
    bool is_found = revoked && ocsp_links_find(links, revoked);
    ocsp_links_release(links);
    return is_found;
}

static inline int leaf_requests(void)
{
    return responder_requests(rig.responder, SLOT_LEAF);
}

static inline int ca_requests(void)
{
    return responder_requests(rig.responder, SLOT_CA);
}

/* The time is `ms` after PKI_NOW_S; does what is due. */
static inline void turn_at_ms(int64_t ms)
{
    clock_test_set(ms * NS_PER_MS, PKI_NOW_S * NS_PER_S + ms * NS_PER_MS);
    refresh_turn(rig.ocsp->refresh);
}

/* Two visits: the second one finds the answers of the first. */
static inline void visit_twice(uint64_t used)
{
    for (int i = 0; i < 2; i++)
        cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    while (stats().used < used)
        spin();
}

/* From now on the leaf's answers live for so long from PKI_NOW_S on. */
static inline void leaf_lives(enum answer_status status, int64_t seconds)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = status;
    script.recipe.this_update_s = PKI_NOW_S;
    script.recipe.next_update_s = PKI_NOW_S + seconds;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static inline void leaf_responder_does(enum responder_act act)
{
    struct responder_script script = rig_script(&rig, act);
    script.code = act == RESPONDER_ERROR ? 3 : 500;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static inline void ca_is(enum answer_status status)
{
    struct responder_script script = {
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = &rig.ca, .issuer = &rig.root, .status = status}
    };
    responder_set(rig.responder, SLOT_CA, &script);
}

/* A peer is let in and watched. To be unwatched, or to be forgotten with the service. */
static inline struct ocsp_links *let_in(void)
{
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_assert_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    struct ocsp_links *links = ocsp_check_links(check);
    ocsp_check_free(check);
    ocsp_watch(rig.ocsp, links, &options);
    return links;
}

static inline void leave(struct ocsp_links *links)
{
    ocsp_unwatch(rig.ocsp, links);
    ocsp_links_release(links);
}

#endif
