/* test_resolver.c - a name server that does not answer may not stop the loop.
 *
 * This program brings its own getaddrinfo(), which libcurl's resolver threads find first: names
 * under "stuck.example" never resolve until the test lets them. Were the loop to wait for such a
 * thread, the tests would never end. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include "base/clock.h"
#include "ocsp/rig.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stuck_count;
static bool released;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    typedef int resolve_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    resolve_fn *next = (resolve_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (!node || !strstr(node, "stuck.example"))
        return next(node, service, hints, out);
    pthread_mutex_lock(&mutex);
    stuck_count++;
    while (!released)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return EAI_AGAIN;
}

static int stuck(void)
{
    pthread_mutex_lock(&mutex);
    int count = stuck_count;
    pthread_mutex_unlock(&mutex);
    return count;
}

static void release(void)
{
    pthread_mutex_lock(&mutex);
    released = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static struct rig rig;
static struct pki_cert leaf;
static struct ocsp_peer_options options;

static void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    options = rig_options();
    leaf = pki_make(&(struct pki_spec){
        .name = "leaf", .issuer = &rig.ca, .urls = { "http://stuck.example/" } });
}

static void stop(void)
{
    release();
    pki_free(&leaf);
    rig_stop(&rig);
}

TestSuite(resolver, .init = start, .timeout = 20);

static struct rig_chains *chain(void)
{
    return rig_chain(rig_chains_new(), &leaf, &rig.ca, NULL);
}

Test(resolver, a_stuck_name_server_costs_one_timeout)
{
    options.ca_timeout_ns = 300 * NS_PER_MS;
    cr_expect_eq(rig_judge(&rig, chain(), &options), OCSP_REJECT);
    cr_expect_eq(stuck(), 1, "it was asked, and is stuck still");
    stop();
}

static void never(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    (void)ctx;
    (void)check;
    (void)outcome;
    cr_expect_fail("an abandoned check was answered");
}

Test(resolver, a_stuck_name_server_does_not_hold_up_the_end)
{
    options.ca_timeout_ns = 3600 * NS_PER_S;
    struct ocsp_check *check = rig_check(&rig, chain(), &options);
    ocsp_check_run(check, never, NULL);
    while (stuck() == 0)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    rig_close_service(&rig);
    ocsp_check_free(check);
    stop();
}
