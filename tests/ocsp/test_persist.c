/* test_persist.c - a cache that was saved, damaged, loaded and replaced, as checks and log see it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/s2.h"
#include "base/text.h"
#include "ocsp/folder.h"
#include "ocsp/rig.h"
#include "persist.h"
#include "store.h"

static struct rig rig;
static struct ocsp_peer_options options;
static char folder[64];
static char path[96];

/* ---- scenes ---------------------------------------------------------------------------------- */

static void start(void)
{
    rig_start(&rig, OCSP_CACHE_NONE);
    options = rig_options();
    folder_make(folder);
    snprintf(path, sizeof path, "%s/cache.json", folder);
}

static void stop(void)
{
    rig_stop(&rig);
    folder_remove(folder);
}

TestSuite(persist, .init = start);

static struct rig_settings in_the_folder(void)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    settings.cache.local_store = folder;
    return settings;
}

/* What a restart of the whole server is for the cache. */
static void reopen(void)
{
    struct rig_settings settings = in_the_folder();
    ocsp_cache_close(rig.cache);
    rig_restart(&rig, &settings);
}

/* A visit of the leaf that calls out for it and for its CA, and what came of it on disk. */
static void visit(enum answer_status status, enum ocsp_outcome expected)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = status;
    script.recipe.next_update_s = PKI_NOW_S + 60;
    responder_set(rig.responder, SLOT_LEAF, &script);
    reopen();
    cr_assert_eq(rig_judge_leaf(&rig, &options), expected);
    reopen();
}

static void authorities_are_down(void)
{
    struct responder_script script = { .act = RESPONDER_RESET };
    responder_set(rig.responder, SLOT_CA, &script);
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static struct buf file_text(void)
{
    struct buf text = { 0 };
    struct error err;
    bool is_absent;
    cr_assert(ocsp_store_read(path, &text, &is_absent, &err), "%s", err.text);
    return text;
}

static void write_text(const char *text)
{
    struct error err;
    cr_assert(ocsp_store_write(path, span_of(text), &err), "%s", err.text);
}

/* The log of everything up to rig_log_take(), PATH in place of the path. */
static char *log_taken(void)
{
    struct buf out = { 0 };
    char *log = rig_log_take(&rig), *at = log;
    for (char *found; (found = strstr(at, path)); at = found + strlen(path)) {
        buf_append(&out, at, (size_t)(found - at));
        buf_append_str(&out, "PATH");
    }
    buf_append_str(&out, at);
    free(log);
    return (char *)buf_str(&out);
}

#define expect_log(expected)                                                                       \
    do {                                                                                           \
        char *log_ = log_taken();                                                                  \
        cr_expect_str_eq(log_, expected);                                                          \
        free(log_);                                                                                \
    } while (0)

/* ---- what the log tells ------------------------------------------------------------------------- */

Test(persist, the_log_of_a_first_start)
{
    rig_log_start(&rig);
    struct rig_settings settings = in_the_folder();
    struct ocsp_cache *cache = ocsp_cache_open(&settings.cache);
    ocsp_cache_close(cache);
    expect_log("[DBG] Starting OCSP peer cache\n"
               "[DBG] Loading OCSP peer cache [PATH]\n"
               "[DBG] No OCSP peer cache found, starting with empty cache\n"
               "[INF] OCSP peer cache online, type [local]\n"
               "[DBG] Stopping OCSP peer cache\n");
    cr_expect_eq(folder_count(folder), 0, "nothing to save");
    ocsp_cache_release(cache);
    stop();
}

Test(persist, the_log_of_a_save_and_of_the_next_start)
{
    char expected[512];
    reopen();
    cr_assert_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_log_start(&rig);
    ocsp_cache_close(rig.cache);
    struct buf text = file_text();
    snprintf(expected, sizeof expected,
             "[DBG] Stopping OCSP peer cache\n"
             "[DBG] OCSP peer cache is dirty, saving\n"
             "[DBG] Saving OCSP peer cache [PATH]\n"
             "[DBG] Saved OCSP peer cache successfully (%zu bytes)\n",
             text.len);
    expect_log(expected);
    buf_free(&text);

    rig_log_start(&rig);
    reopen();
    expect_log("[DBG] Stopping OCSP peer cache\n"
               "[DBG] Starting OCSP peer cache\n"
               "[DBG] Loading OCSP peer cache [PATH]\n"
               "[INF] OCSP peer cache online, type [local]\n");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 2 good 2 revoked 0 unknown 0");
    stop();
}

Test(persist, none_has_one_line_and_no_file)
{
    rig_log_start(&rig);
    struct rig_settings settings = in_the_folder();
    settings.cache.type = OCSP_CACHE_NONE;
    rig_restart(&rig, &settings);
    ocsp_cache_close(rig.cache);
    expect_log("[INF] OCSP peer cache online, type [none]\n");
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    ocsp_cache_close(rig.cache);
    cr_expect_eq(folder_count(folder), 0);
    stop();
}

Test(persist, a_file_that_is_no_object_is_replaced)
{
    write_text("[]");
    rig_log_start(&rig);
    reopen();
    ocsp_cache_close(rig.cache);
    expect_log("[DBG] Starting OCSP peer cache\n"
               "[DBG] Loading OCSP peer cache [PATH]\n"
               "[WRN] Unable to load OCSP peer cache: not a JSON object\n"
               "[INF] OCSP peer cache online, type [local]\n"
               "[DBG] Stopping OCSP peer cache\n"
               "[DBG] OCSP peer cache is dirty, saving\n"
               "[DBG] Saving OCSP peer cache [PATH]\n"
               "[DBG] Saved OCSP peer cache successfully (2 bytes)\n");
    struct buf text = file_text();
    cr_expect_str_eq(buf_str(&text), "{}");
    buf_free(&text);
    stop();
}

Test(persist, a_file_that_cannot_be_read_or_written_is_told_of)
{
    cr_assert_eq(mkdir(path, 0700), 0);
    rig_log_start(&rig);
    reopen();
    ocsp_cache_close(rig.cache);
    char *log = log_taken();
    cr_expect(strstr(log, "[WRN] Unable to load OCSP peer cache: read PATH: is a directory\n"),
              "%s", log);
    cr_expect(strstr(log, "[ERR] Unable to save OCSP peer cache: rename PATH: "), "%s", log);
    free(log);
    cr_expect(ocsp_cache_is_dirty(rig.cache), "the next save tries again");
    stop();
}

Test(persist, bad_entries_are_skipped_and_counted)
{
    visit(ANSWER_GOOD, OCSP_ACCEPT);
    struct buf text = file_text(), more = { 0 };
    buf_append_str(&more, "{\"one\": {}, \"two\": {}, ");
    buf_append(&more, text.data + 1, text.len - 1);
    write_text(buf_str(&more));
    rig_log_start(&rig);
    reopen();
    char *log = log_taken();
    cr_expect(strstr(log, "[WRN] Unable to load OCSP peer cache: 2 of 4 entries skipped: key "
                          "[one]: not a fingerprint\n"),
              "%s", log);
    free(log);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 2 good 2 revoked 0 unknown 0");
    ocsp_cache_close(rig.cache);
    struct buf saved = file_text();
    cr_expect(span_equal(buf_span(&saved), buf_span(&text)), "the file was put right");
    buf_free(&saved);
    buf_free(&more);
    buf_free(&text);
    stop();
}

/* ---- what checks make of it --------------------------------------------------------------------- */

Test(persist, answers_survive_a_restart)
{
    visit(ANSWER_GOOD, OCSP_ACCEPT);
    authorities_are_down();
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 4 misses 0 size 2 good 2 revoked 0 unknown 0");
    cr_expect_not(ocsp_cache_is_dirty(rig.cache), "looking is no change");
    stop();
}

Test(persist, a_revocation_survives_a_restart_and_its_own_end)
{
    options.allow_when_ca_unreachable = true;
    visit(ANSWER_REVOKED, OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 1 good 0 revoked 1 unknown 0");
    authorities_are_down();
    rig_clock(3600);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 1 good 0 revoked 1 unknown 0");
    reopen();
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT, "also the second time");
    stop();
}

/* nats-server's test CA leaves certStatus out: OpenSSL could not read such an answer. */
Test(persist, a_revocation_without_status_survives)
{
    options.allow_when_ca_unreachable = true;
    visit(ANSWER_ABSENT, OCSP_REJECT);
    authorities_are_down();
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 1 good 0 revoked 1 unknown 0");
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    stop();
}

/* Puts `with` in the place of `what` in the file, and loads it. */
static void tamper(const char *what, const char *with)
{
    struct buf text = file_text(), changed = { 0 };
    const char *at = strstr(buf_str(&text), what);
    cr_assert(at, "no '%s' in %s", what, buf_str(&text));
    buf_append(&changed, text.data, (size_t)(at - (const char *)text.data));
    buf_append_str(&changed, with);
    buf_append_str(&changed, at + strlen(what));
    write_text(buf_str(&changed));
    buf_free(&changed);
    buf_free(&text);
    struct rig_settings settings = in_the_folder();
    rig_restart(&rig, &settings);
}

Test(persist, a_wish_beside_the_answer_changes_nothing)
{
    visit(ANSWER_REVOKED, OCSP_REJECT);
    tamper("\"revoked\"", "\"good\"");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 1 good 0 revoked 1 unknown 0");
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    stop();
}

/* An answer of another authority, well-formed: only its signature gives it away. */
static char *forged(enum answer_status status)
{
    struct pki_cert stranger = pki_make(&(struct pki_spec){ .name = "ca", .is_ca = true });
    struct answer_recipe recipe = {
        .cert = &rig.leaf, .issuer = &rig.ca, .signer = &stranger, .status = status
    };
    struct buf der = { 0 }, stream = { 0 }, text = { 0 };
    answer_make(&recipe, &der);
    s2_encode(&stream, buf_span(&der));
    base64_encode(&text, buf_span(&stream), BASE64_STD);
    pki_free(&stranger);
    buf_free(&der);
    buf_free(&stream);
    return (char *)buf_str(&text);
}

static char *first_response(void)
{
    struct buf text = file_text();
    const char *at = strstr(buf_str(&text), "\"resp\": \"");
    cr_assert(at);
    at += strlen("\"resp\": \"");
    char *copy = mem_strspan(span_make(at, strcspn(at, "\"")));
    buf_free(&text);
    return copy;
}

Test(persist, a_forged_answer_is_dropped_on_its_first_use)
{
    visit(ANSWER_REVOKED, OCSP_REJECT);
    char *right = first_response(), *wrong = forged(ANSWER_GOOD);
    tamper(right, wrong);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 1 good 1 revoked 0 unknown 0");
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT, "the CA is asked");
    char *log = log_taken();
    cr_expect(strstr(log, "[DBG] Invalid cached OCSP response for [CN=leaf] with fingerprint ["));
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 1 good 0 revoked 1 unknown 0");
    free(log);
    free(right);
    free(wrong);
    stop();
}

Test(persist, a_forged_revocation_is_no_evidence)
{
    visit(ANSWER_GOOD, OCSP_ACCEPT);
    struct rig_settings settings = in_the_folder();
    char *right = first_response(), *wrong = forged(ANSWER_REVOKED);
    tamper(right, wrong);
    settings.cache.preserve_revoked = true;
    rig_restart(&rig, &settings);
    authorities_are_down();
    options.allow_when_ca_unreachable = true;
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    free(right);
    free(wrong);
    stop();
}

Test(persist, an_entry_without_an_answer_is_a_hit_of_no_use)
{
    visit(ANSWER_GOOD, OCSP_ACCEPT);
    char *leaf = first_response();
    tamper(leaf, "");
    free(leaf);
    char *both = first_response(); /* which of the two is the leaf's depends on its key */
    cr_expect_str_eq(both, "");
    free(both);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 2 misses 0 size 2 good 2 revoked 0 unknown 0");
    stop();
}

/* ---- replacing it --------------------------------------------------------------------------------- */

static const char *stats_of(struct ocsp_cache *cache)
{
    static char text[64];
    struct ocsp_stats stats = ocsp_cache_stats(cache);
    snprintf(text, sizeof text, "hits %u misses %u size %u", (unsigned)stats.hits,
             (unsigned)stats.misses, (unsigned)stats.responses);
    return text;
}

Test(persist, replaced_by_one_of_the_same_file)
{
    uint64_t seen;
    struct rig_settings settings = in_the_folder();
    reopen();
    cr_assert_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    struct ocsp_cache *next = ocsp_cache_reopen(rig.cache, &settings.cache, &seen);
    cr_expect_str_eq(stats_of(next), "hits 0 misses 0 size 2", "from the file");
    cr_expect_not(ocsp_cache_is_dirty(next));
    cr_expect(ocsp_cache_same_file(next, rig.cache));
    cr_expect_eq(ocsp_cache_inherit(next, rig.cache, seen), seen, "nothing came later");
    ocsp_cache_release(next);

    unlink(path);
    next = ocsp_cache_reopen(rig.cache, &settings.cache, &seen);
    cr_expect_str_eq(stats_of(next), "hits 0 misses 0 size 0", "the operator took the file away");
    ocsp_cache_release(next);
    stop();
}

Test(persist, what_could_not_be_saved_is_taken_over)
{
    uint64_t seen;
    struct rig_settings settings = in_the_folder();
    reopen();
    cr_assert_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_assert_eq(mkdir(path, 0700), 0);
    struct ocsp_cache *next = ocsp_cache_reopen(rig.cache, &settings.cache, &seen);
    cr_expect_str_eq(stats_of(next), "hits 0 misses 0 size 2");
    cr_expect(ocsp_cache_is_dirty(next));
    ocsp_cache_release(next);
    stop();
}

Test(persist, replaced_by_one_of_another_folder_or_by_none)
{
    uint64_t seen;
    char other[96];
    struct rig_settings settings = in_the_folder();
    reopen();
    cr_assert_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    snprintf(other, sizeof other, "%s/other", folder);
    settings.cache.local_store = other;
    struct ocsp_cache *next = ocsp_cache_reopen(rig.cache, &settings.cache, &seen);
    cr_expect_str_eq(stats_of(next), "hits 0 misses 0 size 0", "nothing is moved");
    cr_expect_not(ocsp_cache_same_file(next, rig.cache));
    cr_expect_eq(access(path, F_OK), 0, "the old one was saved");
    ocsp_cache_release(next);
    cr_expect_null(ocsp_cache_reopen(rig.cache, NULL, &seen));
    stop();
}
