/* test_transport.c - exchanges that libcurl does not take.
 *
 * This program hands out a libcurl whose multi_add_handle() fails when it is told to, as the real one does
 * when it is out of memory. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "curl.h"
#include "ocsp/rig.h"
#include "transport.h"

static int refusals; /* that many calls fail */
static __typeof__(curl_multi_add_handle) *real_add;

static CURLMcode add_or_not(CURLM *multi, CURL *easy)
{
    if (refusals == 0)
        return real_add(multi, easy);
    refusals--;
    return CURLM_OUT_OF_MEMORY;
}

bool __real_curl_load(struct curl *curl, struct error *err);

/* The linker (--wrap) puts it in the place of curl_load(). */
bool __wrap_curl_load(struct curl *curl, struct error *err)
{
    if (!__real_curl_load(curl, err))
        return false;
    real_add = curl->multi_add_handle;
    curl->multi_add_handle = add_or_not;
    return true;
}

static struct rig rig;

static void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
}

TestSuite(transport, .init = start, .timeout = 30);

Test(transport, a_fetch_that_is_not_taken_has_failed)
{
    struct ocsp_peer_options options = rig_options();
    rig_log_start(&rig);
    refusals = 1;
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &rig.leaf), &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "failed: exhausted OCSP responders: Out of memory"), "%s", log);
    free(log);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &rig.leaf), &options), OCSP_ACCEPT);
    rig_stop(&rig);
}

Test(transport, the_next_address_is_tried)
{
    struct ocsp_peer_options options = rig_options();
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER),
                                       responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    rig_does(&rig, SLOT_OTHER + 1, &leaf, RESPONDER_ANSWER);
    refusals = 1;
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_ACCEPT);
    pki_free(&leaf);
    rig_stop(&rig);
}

static void must_not_run(void *ctx, const struct exchange_result *result)
{
    (void)ctx;
    cr_expect(false, "%s", result->error);
}

Test(transport, the_end_may_come_before_the_failure)
{
    struct transport *transport = transport_new(&rig.loop);
    refusals = 1;
    transport_start(transport, &(struct exchange_request){ .url = "http://127.0.0.1:1/",
                                                           .timeout_ms = 1000,
                                                           .on_end = must_not_run });
    transport_free(transport, NULL, NULL);
    rig_stop(&rig);
}
