/* test_watch_many.c - many live peers, and what they have to share. */
#include "ocsp/refresh_fixture.h"

TestSuite(watch_many, .init = start, .timeout = 60);

enum { CROWD = 3 * OCSP_REFRESH_EACH, CROWD_SLOT = 10 };

static struct pki_cert crowd[CROWD];
static struct ocsp_links *crowd_links[CROWD]; /* NULL when it has left */

static void crowd_does(enum responder_act act)
{
    struct responder_script script = rig_script(&rig, act);
    for (int i = 0; i < CROWD; i++) {
        script.recipe.cert = &crowd[i];
        responder_set(rig.responder, CROWD_SLOT + i, &script);
    }
}

/* Watched are so many leafs, each with an address of its own. Their chains end at the CA. */
static void watch_crowd(void)
{
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = pki_make(
            &(struct pki_spec){ .name = "one",
                                .issuer = &rig.ca,
                                .urls = { responder_url(rig.responder, CROWD_SLOT + i) } });
        crowd_links[i] = links_with(&crowd[i]);
        ocsp_watch(rig.ocsp, crowd_links[i], &options);
    }
}

static void crowd_leaves(bool only_those_asked_about)
{
    for (int i = 0; i < CROWD; i++) {
        bool is_asked_about = responder_requests(rig.responder, CROWD_SLOT + i) > 0;
        if (!crowd_links[i] || (only_those_asked_about && !is_asked_about))
            continue;
        leave(crowd_links[i]);
        crowd_links[i] = NULL;
    }
}

static void free_crowd(void)
{
    crowd_leaves(false);
    for (int i = 0; i < CROWD; i++)
        pki_free(&crowd[i]);
}

/* Only the loop: what is due must have set its timer. */
static void until_asked(int count)
{
    while (responder_requests(rig.responder, -1) < count)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
}

Test(watch_many, few_are_asked_about_at_one_time)
{
    watch_crowd();
    crowd_does(RESPONDER_HOLD);
    turn_at_ms(1000);
    until_asked(OCSP_REFRESH_EACH);
    crowd_does(RESPONDER_ANSWER);
    until(CROWD, 0);
    cr_expect_eq(responder_most_at_once(rig.responder), OCSP_REFRESH_EACH);
    free_crowd();
    stop();
}

Test(watch_many, leaving_makes_room_for_others)
{
    watch_crowd();
    crowd_does(RESPONDER_HOLD);
    turn_at_ms(1000);
    until_asked(OCSP_REFRESH_EACH);
    crowd_leaves(true);
    crowd_does(
        RESPONDER_ANSWER); /* to those who have left; were they to time out, others might not be asked at all */
    until_asked(2 * OCSP_REFRESH_EACH);
    free_crowd();
    stop();
}

/* Questions may fail at once, and there may be thousands: the loop has others to serve. */
Test(watch_many, a_turn_has_its_end)
{
    enum { MANY = OCSP_REFRESH_TURN + 10 };
    static struct pki_cert certs[MANY];
    struct ocsp_links *links[MANY];
    for (int i = 0; i < MANY; i++) {
        certs[i] = pki_make(&(struct pki_spec){
            .name = "x", .issuer = &rig.ca, .key_of = &rig.leaf, .urls = { "http://x" } });
        int at = X509_get_ext_by_NID(certs[i].x509, NID_info_access, -1);
        ASN1_OCTET_STRING *aia = X509_EXTENSION_get_data(X509_get_ext(certs[i].x509, at));
        ASN1_OCTET_STRING_set(aia, (const unsigned char *)"\x30\x05", 2); /* nobody can be asked */
        X509_sign(certs[i].x509, rig.ca.key, EVP_sha256());
        links[i] = links_with(&certs[i]);
        ocsp_watch(rig.ocsp, links[i], &options);
    }
    turn_at_ms(1000);
    cr_expect_eq(stats().failed, OCSP_REFRESH_TURN);
    until(0, MANY);
    for (int i = 0; i < MANY; i++) {
        leave(links[i]);
        pki_free(&certs[i]);
    }
    stop();
}

/* All places of a responder that hangs are taken, those of another one are not. */
Test(watch_many, a_hanging_responder_does_not_hold_up_the_others)
{
    struct responder *other = responder_start();
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(other, 1), NULL, NULL);
    struct responder_script script = rig_about(&rig, &leaf, RESPONDER_ANSWER);
    responder_set(other, 1, &script);
    options.ca_timeout_ns = 3600 * NS_PER_S;
    watch_crowd();
    struct ocsp_links *links = links_with(&leaf);
    ocsp_watch(rig.ocsp, links, &options);
    crowd_does(RESPONDER_HANG);
    turn_at_ms(1000);
    until(1, 0);
    cr_expect_eq(responder_requests(other, -1), 1);
    leave(links);
    free_crowd();
    rig_close_service(&rig);
    responder_stop(other);
    pki_free(&leaf);
    stop();
}

/* Who hears of a revocation looks through all connections. */
Test(watch_many, a_burst_of_revocations_is_one_report)
{
    struct ocsp_answer answer = { .status = OCSP_STATUS_REVOKED,
                                  .this_update_ns = PKI_NOW_S * NS_PER_S,
                                  .signer_from_ns = INT64_MIN,
                                  .signer_until_ns = INT64_MAX };
    watch_crowd();
    for (int i = 0; i < CROWD; i++) {
        struct ocsp_ask ask = { .cert = crowd[i].x509, .issuer = rig.ca.x509 };
        ocsp_digest_cert(ask.cert, &ask.key);
        ocsp_digest_key(ask.issuer, &ask.issuer_key);
        refresh_on_stored(rig.ocsp->refresh, &ask, &answer);
    }
    while (reports == 0)
        spin();
    cr_expect_eq(reports, 1);
    cr_expect_eq(stats().revoked, CROWD);
    for (int i = 0; i < CROWD; i++)
        cr_expect(is_reported(&crowd[i]));
    cr_expect_not(is_reported(&rig.leaf));
    free_crowd();
    stop();
}

Test(watch_many, the_service_may_end_at_any_time)
{
    struct ocsp_links *links = let_in();
    leaf_responder_does(RESPONDER_HANG);
    ca_is(ANSWER_REVOKED);
    turn_at_ms(40 * 60000);
    rig_until_requests(&rig, SLOT_LEAF, 2);
    rig_close_service(&rig);
    ocsp_links_release(links);
    stop();
}
