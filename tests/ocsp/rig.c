/* rig.c - see rig.h. */
#include "ocsp/rig.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- life ---------------------------------------------------------------------------------------- */

void rig_print_name(const X509_NAME *name, struct buf *out)
{
    char cn[64];
    if (X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, cn, sizeof cn) > 0)
        buf_printf(out, "CN=%s", cn);
}

struct rig_settings rig_settings(struct rig *rig, enum ocsp_cache_type type)
{
    return (struct rig_settings){
        .service = {.loop = &rig->loop, .print_name = rig_print_name },
          .cache = { .type = type                }
    };
}

static void start_service(struct rig *rig, const struct rig_settings *settings)
{
    rig->ocsp = ocsp_new(&settings->service);
    rig->cache = ocsp_cache_open(&settings->cache);
    ocsp_use_cache(rig->ocsp, rig->cache);
}

void rig_clock(int64_t s)
{
    clock_test_set(s * NS_PER_S, (PKI_NOW_S + s) * NS_PER_S);
}

/* Lines that no test looks at. */
static void log_nowhere(void)
{
    struct log_settings settings = { .file = "/dev/null" };
    log_open(&settings, NULL);
}

static void make_certs(struct rig *rig)
{
    struct responder *responder = rig->responder;
    rig->root = pki_make(&(struct pki_spec){ .name = "root", .is_ca = true });
    rig->ca = pki_make(&(struct pki_spec){ .name = "ca",
                                           .issuer = &rig->root,
                                           .is_ca = true,
                                           .urls = { responder_url(responder, SLOT_CA) } });
    rig->leaf = pki_make(&(struct pki_spec){
        .name = "leaf", .issuer = &rig->ca, .urls = { responder_url(responder, SLOT_LEAF) } });
}

void rig_start(struct rig *rig, enum ocsp_cache_type type)
{
    *rig = (struct rig){ 0 };
    signal(SIGPIPE, SIG_IGN);
    rig_clock(0);
    log_nowhere();
    uv_loop_init(&rig->loop);
    rig->responder = responder_start();
    make_certs(rig);
    struct responder_script ca_is_good = {
        .act = RESPONDER_ANSWER, .recipe = {.cert = &rig->ca, .issuer = &rig->root}
    };
    responder_set(rig->responder, SLOT_CA, &ca_is_good);
    rig_leaf_is(rig, ANSWER_GOOD);
    struct rig_settings settings = rig_settings(rig, type);
    start_service(rig, &settings);
}

static void on_closed(void *ctx)
{
    struct rig *rig = ctx;
    rig->is_closed = true;
}

void rig_close_service(struct rig *rig)
{
    ocsp_free(rig->ocsp, on_closed, rig);
    ocsp_cache_release(rig->cache);
    rig->ocsp = NULL;
    rig->cache = NULL;
    cr_expect_not(rig->is_closed, "on_closed runs later");
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    cr_expect(rig->is_closed);
}

void rig_restart(struct rig *rig, const struct rig_settings *settings)
{
    rig_close_service(rig);
    rig->is_closed = false;
    start_service(rig, settings);
}

void rig_stop(struct rig *rig)
{
    if (rig->ocsp)
        rig_close_service(rig);
    cr_expect_eq(uv_loop_close(&rig->loop), 0, "a handle was left open");
    responder_stop(rig->responder);
    pki_free(&rig->root);
    pki_free(&rig->ca);
    pki_free(&rig->leaf);
}

/* ---- scripts --------------------------------------------------------------------------------------- */

struct responder_script rig_script(const struct rig *rig, enum responder_act act)
{
    return (struct responder_script){
        .act = act, .recipe = {.cert = &rig->leaf, .issuer = &rig->ca}
    };
}

void rig_leaf_is(struct rig *rig, enum answer_status status)
{
    struct responder_script script = rig_script(rig, RESPONDER_ANSWER);
    script.recipe.status = status;
    responder_set(rig->responder, SLOT_LEAF, &script);
}

/* ---- chains and checks ------------------------------------------------------------------------------ */

struct rig_chains *rig_chains_new(void)
{
    return mem_zero(sizeof(struct rig_chains));
}

struct rig_chains *rig_chain(struct rig_chains *chains, const struct pki_cert *a,
                             const struct pki_cert *b, const struct pki_cert *c)
{
    const struct pki_cert *certs[] = { a, b, c };
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (int i = 0; i < 3 && certs[i]; i++) {
        X509_up_ref(certs[i]->x509);
        sk_X509_push(chain, certs[i]->x509);
    }
    chains->list[chains->count++] = chain;
    return chains;
}

struct rig_chains *rig_usual_chain(const struct rig *rig)
{
    return rig_chain(rig_chains_new(), &rig->leaf, &rig->ca, &rig->root);
}

struct pki_cert rig_leaf_at(const struct rig *rig, const char *a, const char *b, const char *c)
{
    return pki_make(&(struct pki_spec){
        .name = "leaf", .issuer = &rig->ca, .urls = {a, b, c}
    });
}

struct rig_chains *rig_leaf_chain(const struct rig *rig, const struct pki_cert *leaf)
{
    return rig_chain(rig_chains_new(), leaf, &rig->ca, NULL);
}

struct responder_script rig_about(const struct rig *rig, const struct pki_cert *leaf,
                                  enum responder_act act)
{
    struct responder_script script = rig_script(rig, act);
    script.recipe.cert = leaf;
    return script;
}

void rig_does(struct rig *rig, int slot, const struct pki_cert *leaf, enum responder_act act)
{
    struct responder_script script = rig_about(rig, leaf, act);
    if (act == RESPONDER_STATUS)
        script.code = 500;
    if (act == RESPONDER_ERROR)
        script.code = 3; /* tryLater */
    if (act == RESPONDER_BYTES)
        script.bytes = span_of("<html>");
    responder_set(rig->responder, slot, &script);
}

static const STACK_OF(X509) * next_chain(void *ctx)
{
    struct rig_chains *chains = ctx;
    return chains->at < chains->count ? chains->list[chains->at++] : NULL;
}

static void free_chains(void *ctx)
{
    struct rig_chains *chains = ctx;
    for (size_t i = 0; i < chains->count; i++)
        sk_X509_pop_free(chains->list[i], X509_free);
    free(chains);
}

struct ocsp_peer_options rig_options(void)
{
    struct ocsp_peer_options options = ocsp_peer_defaults();
    options.ca_timeout_ns = 5 * NS_PER_S;
    return options;
}

struct ocsp_check *rig_check(struct rig *rig, struct rig_chains *chains,
                             const struct ocsp_peer_options *options)
{
    struct ocsp_question question = {
        .next_chain = next_chain,
        .free_chains = free_chains,
        .chains = chains,
        .options = options,
        .cache = rig->cache,
    };
    return ocsp_check_new(rig->ocsp, &question);
}

static void on_done(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    (void)check;
    *(enum ocsp_outcome *)ctx = outcome;
}

enum ocsp_outcome rig_settle(struct rig *rig, struct ocsp_check *check)
{
    enum ocsp_outcome outcome = ocsp_check_step(check);
    if (outcome == OCSP_NEEDS_FETCH) {
        ocsp_check_run(check, on_done, &outcome);
        cr_expect_eq(outcome, OCSP_NEEDS_FETCH, "never before ocsp_check_run() returned");
        while (outcome == OCSP_NEEDS_FETCH && uv_run(&rig->loop, UV_RUN_ONCE))
            ;
    }
    return outcome;
}

enum ocsp_outcome rig_judge(struct rig *rig, struct rig_chains *chains,
                            const struct ocsp_peer_options *options)
{
    struct ocsp_check *check = rig_check(rig, chains, options);
    enum ocsp_outcome outcome = rig_settle(rig, check);
    ocsp_check_free(check);
    return outcome;
}

enum ocsp_outcome rig_judge_leaf(struct rig *rig, const struct ocsp_peer_options *options)
{
    return rig_judge(rig, rig_usual_chain(rig), options);
}

void rig_until_requests(struct rig *rig, int slot, int count)
{
    while (responder_requests(rig->responder, slot) < count)
        uv_run(&rig->loop, UV_RUN_NOWAIT);
}

const char *rig_stats(struct rig *rig)
{
    static char text[128];
    struct ocsp_stats s = ocsp_stats(rig->ocsp);
    snprintf(text, sizeof text, "hits %lu misses %lu size %lu good %lu revoked %lu unknown %lu",
             (unsigned long)s.hits, (unsigned long)s.misses, (unsigned long)s.responses,
             (unsigned long)s.good, (unsigned long)s.revoked, (unsigned long)s.unknown);
    return text;
}

/* ---- the log ------------------------------------------------------------------------------------------ */

void rig_log_start(struct rig *rig)
{
    struct error err = { "" };
    snprintf(rig->log_path, sizeof rig->log_path, "ocsp-log-XXXXXX");
    int fd = mkstemp(rig->log_path);
    cr_assert_geq(fd, 0);
    close(fd);
    struct log_settings settings = { .file = rig->log_path, .debug = true };
    cr_assert(log_open(&settings, &err), "%s", err.text);
}

char *rig_log_take(struct rig *rig)
{
    struct buf lines = { 0 };
    char line[2048];
    log_close();
    FILE *file = fopen(rig->log_path, "r");
    cr_assert(file);
    while (fgets(line, sizeof line, file)) {
        const char *level = strstr(line, "] ["); /* behind "[PID" */
        buf_append_str(&lines, level ? level + 2 : line);
    }
    fclose(file);
    unlink(rig->log_path);
    log_nowhere();
    char *text = mem_strdup(buf_str(&lines));
    buf_free(&lines);
    return text;
}
