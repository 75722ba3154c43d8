/* test_store.c - cache.json as text and as a file. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/folder.h"
#include "ocsp/pki.h"
#include "ocsp/sample.h"
#include "store.h"

#define KEY_A   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_B   "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define STORED  "/wYAAFMyc1R3TwETAADpuSOAYWJjZGVmZ2gwMTIzNDU2" /* "abcdefgh0123456" */
#define ENTRY_A "\"" KEY_A "\": {\"resp_status\": \"revoked\", \"resp\": \"" STORED "\"}"

static struct ocsp_saved saved(uint8_t first, const char *subject, const char *der)
{
    struct ocsp_digest key = { { first } };
    return (struct ocsp_saved){ .record = ocsp_record_new(&key, subject, span_of(der)) };
}

static char *printed(const struct ocsp_snapshot *snapshot)
{
    struct buf out = { 0 };
    ocsp_store_print(snapshot, &out);
    return (char *)buf_str(&out); /* the buffer is ours alone */
}

/* Parses a text that is an object; `err` gets what it says of entries that are left out. */
static struct ocsp_snapshot parsed(const char *text, size_t skipped, struct error *err)
{
    struct ocsp_snapshot snapshot;
    size_t count;
    *err = (struct error){ "" };
    cr_assert(ocsp_store_parse(span_of(text), &snapshot, &count, err), "%s: %s", text, err->text);
    cr_expect_eq(count, skipped, "%s", text);
    cr_expect_eq(err->text[0] != '\0', skipped > 0, "%s", err->text);
    return snapshot;
}

/* ---- writing --------------------------------------------------------------------------------- */

Test(store, an_empty_cache_is_an_empty_object)
{
    char *text = printed(&(struct ocsp_snapshot){ 0 });
    cr_expect_str_eq(text, "{}");
    free(text);
}

Test(store, writes_the_layout_of_nats_server)
{
    struct ocsp_saved items[] = { saved(255, "CN=a<b>&c\\,d", ""), saved(1, "CN=é", ""),
                                  saved(0, "", "abcdefgh0123456") };
    struct ocsp_snapshot snapshot = { .items = items, .count = 3 };
    items[0].answer.status = OCSP_STATUS_UNKNOWN;
    items[1].answer.status = OCSP_STATUS_REVOKED;
    items[1].record->cached_at_ns = PKI_NOW_S * NS_PER_S;
    items[1].answer.has_next_update = true;
    items[1].answer.next_update_ns = PKI_NOW_S * NS_PER_S + 250000000;
    char *text = printed(&snapshot);
    cr_expect_str_eq(text, "{\n"
                           " \"/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\": {\n"
                           "  \"subject\": \"CN=a\\u003cb\\u003e\\u0026c\\\\,d\",\n"
                           "  \"cached_at\": \"0001-01-01T00:00:00Z\",\n"
                           "  \"resp_status\": \"unknown\",\n"
                           "  \"resp_expires\": \"0001-01-01T00:00:00Z\",\n"
                           "  \"resp\": \"\"\n"
                           " },\n"
                           " \"" KEY_A "\": {\n"
                           "  \"cached_at\": \"0001-01-01T00:00:00Z\",\n"
                           "  \"resp_status\": \"good\",\n"
                           "  \"resp_expires\": \"0001-01-01T00:00:00Z\",\n"
                           "  \"resp\": \"" STORED "\"\n"
                           " },\n"
                           " \"" KEY_B "\": {\n"
                           "  \"subject\": \"CN=é\",\n"
                           "  \"cached_at\": \"2026-06-01T12:00:00Z\",\n"
                           "  \"resp_status\": \"revoked\",\n"
                           "  \"resp_expires\": \"2026-06-01T12:00:00.25Z\",\n"
                           "  \"resp\": \"\"\n"
                           " }\n"
                           "}");
    free(text);
    for (size_t i = 0; i < snapshot.count; i++)
        ocsp_record_release(items[i].record);
}

/* A snapshot that was taken in steps has an entry twice that was replaced meanwhile. */
Test(store, of_equal_keys_the_last_that_was_put_in_is_written)
{
    struct ocsp_saved items[] = { saved(1, "CN=second", ""), saved(2, "CN=b", ""),
                                  saved(1, "CN=third", ""), saved(1, "CN=first", "") };
    struct ocsp_snapshot snapshot = { .items = items, .count = 4 };
    for (size_t i = 0; i < 4; i++)
        items[i].version = (uint64_t[]){ 2, 5, 3, 1 }[i];
    char *text = printed(&snapshot);
    cr_expect(strstr(text, "third") && strstr(text, "CN=b"), "%s", text);
    cr_expect_not(strstr(text, "first") || strstr(text, "second"), "%s", text);
    free(text);
    for (size_t i = 0; i < snapshot.count; i++)
        ocsp_record_release(items[i].record);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct ocsp_saved *with_subject(const struct ocsp_snapshot *snapshot,
                                             const char *subject)
{
    for (size_t i = 0; i < snapshot->count; i++)
        if (strcmp(snapshot->items[i].record->subject, subject) == 0)
            return &snapshot->items[i];
    cr_assert_fail("no entry for %s", subject);
    return NULL;
}

Test(store, reads_what_nats_server_wrote)
{
    struct error err;
    struct ocsp_snapshot snapshot = parsed(SAMPLE_FILE, 0, &err);
    cr_assert_eq(snapshot.count, 2);
    cr_expect_not(snapshot.items[0].is_verified || snapshot.items[1].is_verified);
    const struct ocsp_saved *good = with_subject(&snapshot, "CN=client-good,O=Vouch Test");
    const struct ocsp_saved *revoked = with_subject(&snapshot, "CN=client-revoked,O=Vouch Test");
    cr_expect_eq(good->answer.status, OCSP_STATUS_GOOD);
    cr_expect_eq(good->record->key.bytes[0], 0x23);
    cr_expect_eq(good->record->cached_at_ns, 1795249076 * NS_PER_S);
    cr_expect_eq(good->answer.this_update_ns, 1795249075 * NS_PER_S, "the answer itself was read");
    cr_expect_eq(good->answer.next_update_ns, 1795335475 * NS_PER_S);
    cr_expect_eq(revoked->answer.status, OCSP_STATUS_REVOKED);
    ocsp_snapshot_free(&snapshot);
}

/* Line for line, except that each has a compressor of its own. */
Test(store, writes_what_nats_server_wrote)
{
    struct error err;
    struct ocsp_snapshot snapshot = parsed(SAMPLE_FILE, 0, &err);
    char *ours = printed(&snapshot), *at = ours;
    for (const char *line = SAMPLE_FILE; line; line = strchr(line + 1, '\n')) {
        size_t len = strcspn(line + 1, "\n") + 1;
        at = line == SAMPLE_FILE ? ours : strchr(at + 1, '\n');
        cr_assert(at, "ours ends before: %s", line);
        if (strncmp(line, "\n  \"resp\"", 9) != 0)
            cr_expect(strncmp(at, line, len) == 0 && strcspn(at + 1, "\n") + 1 == len, "%.*s",
                      (int)len, line);
    }
    struct ocsp_snapshot again = parsed(ours, 0, &err);
    cr_assert_eq(again.count, snapshot.count);
    for (size_t i = 0; i < again.count; i++)
        cr_expect(span_equal(buf_span(&again.items[i].record->der),
                             buf_span(&snapshot.items[i].record->der)));
    ocsp_snapshot_free(&again);
    ocsp_snapshot_free(&snapshot);
    free(ours);
}

/* In memory of its exact length, so that a sanitizer sees a step beyond it. */
Test(store, a_file_that_was_cut_off_is_no_object)
{
    for (size_t len = 0; len < sizeof SAMPLE_FILE - 1; len++) {
        struct ocsp_snapshot snapshot;
        struct error err = { "" };
        size_t skipped;
        char *text = malloc(len ? len : 1);
        memcpy(text, SAMPLE_FILE, len);
        cr_expect_not(ocsp_store_parse(span_make(text, len), &snapshot, &skipped, &err), "%zu",
                      len);
        cr_expect(err.text[0]);
        cr_expect_eq(snapshot.count, 0);
        free(text);
    }
}

struct text_row {
    char text[64];
    char error[48]; /* "" = it is read */
};

ParameterizedTestParameters(store, texts)
{
    static struct text_row rows[] = {
        {"{}",        ""                            },
        { " {} \n",   ""                            },
        { "",         "unexpected end of JSON input"},
        { "null",     "not a JSON object"           },
        { "[]",       "not a JSON object"           },
        { "5",        "not a JSON object"           },
        { "{} {}",    "more than one JSON value"    },
        { "{}x",      "more than one JSON value"    },
        { "{\"a\"}",  "invalid JSON at byte 4"      },
        { "{\"a\":}", "invalid JSON at byte 5"      },
    };
    return cr_make_param_array(struct text_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct text_row *row, store, texts)
{
    struct ocsp_snapshot snapshot;
    struct error err = { "" };
    size_t skipped;
    bool ok = ocsp_store_parse(span_of(row->text), &snapshot, &skipped, &err);
    cr_expect_eq(ok, row->error[0] == '\0', "%s", row->text);
    cr_expect_str_eq(err.text, row->error, "%s", row->text);
    ocsp_snapshot_free(&snapshot);
}

Test(store, a_nul_behind_the_object_is_no_blank)
{
    struct ocsp_snapshot snapshot;
    struct error err;
    size_t skipped;
    cr_expect_not(ocsp_store_parse(span_make("{}\0", 3), &snapshot, &skipped, &err));
}

struct entry_row {
    char entry[128]; /* beside which ENTRY_A stands */
    char error[96];  /* "" = it is read */
};

#define LONG_TEXT "0123456789012345678901234567890123456789012345678901234567890123"

ParameterizedTestParameters(store, entries)
{
    static struct entry_row rows[] = {
        {"\"" KEY_B "\": {}",                                                ""                                             },
        { "\"" KEY_B "\": {\"Subject\": \"x\"}",                             ""                                             },
        { "\"" KEY_B "\": {\"subject\": null}",                              ""                                             },
        { "\"" KEY_B "\": {\"resp\": null}",                                 ""                                             },
        { "\"" KEY_B "\": {\"resp\": \"\"}",                                 ""                                             },
        { "\"" KEY_B "\": {\"more\": [{}, 5]}",                              ""                                             },
        { "\"" KEY_B "\": {\"cached_at\": \"2023-05-29T17:56:45.5+02:00\"}", ""                                             },
        { "\"" KEY_B "\": {\"resp_expires\": \"9999-12-31T23:59:59Z\"}",     ""                                             },
        { "\"" KEY_B "\": null",                                             "key [" KEY_B "]: not an object"               },
        { "\"" KEY_B "\": \"x\"",                                            "key [" KEY_B "]: not an object"               },
        { "\"\": {}",                                                        "key []: not a fingerprint"                    },
        { "\"AAAA\": {}",                                                    "key [AAAA]: not a fingerprint"                },
        { "\"" LONG_TEXT "56789\": {}",                                      "key [" LONG_TEXT "]: not a fingerprint"       },
        { "\"" KEY_B "\": {\"subject\": 5}",                                 "key [" KEY_B "]: bad value of \"subject\""    },
        { "\"" KEY_B "\": {\"RESP\": true}",                                 "key [" KEY_B "]: bad value of \"resp\""       },
        { "\"" KEY_B "\": {\"resp\": \"x\"}",                                "key [" KEY_B "]: bad value of \"resp\""       },
        { "\"" KEY_B "\": {\"resp\": \"/wYAAFMyc1R3Tw=\"}",
         "key [" KEY_B "]: bad value of \"resp\""                                                                           },
        { "\"" KEY_B "\": {\"resp\": \"AAAA\"}",                             "key [" KEY_B "]: bad value of \"resp\""       },
        { "\"" KEY_B "\": {\"cached_at\": \"now\"}",
         "key [" KEY_B "]: bad value of \"cached_at\""                                                                      },
        { "\"" KEY_B "\": {\"cached_at\": \"9999\"}",
         "key [" KEY_B "]: bad value of \"cached_at\""                                                                      },
        { "\"" KEY_B "\": {\"resp_status\": 1}",                             "key [" KEY_B "]: bad value of \"resp_status\""},
        { "\"" KEY_B "\": {\"resp_expires\": \"\"}",
         "key [" KEY_B "]: bad value of \"resp_expires\""                                                                   },
    };
    return cr_make_param_array(struct entry_row, rows, sizeof rows / sizeof *rows);
}

/* One bad entry does not cost the other one. */
ParameterizedTest(struct entry_row *row, store, entries)
{
    struct error err;
    char text[512];
    bool is_good = row->error[0] == '\0';
    snprintf(text, sizeof text, "{%s, " ENTRY_A "}", row->entry);
    struct ocsp_snapshot snapshot = parsed(text, is_good ? 0 : 1, &err);
    cr_expect_str_eq(err.text, row->error);
    cr_assert_eq(snapshot.count, is_good ? 2 : 1, "%s", text);
    const struct ocsp_saved *entry = &snapshot.items[snapshot.count - 1];
    cr_expect_eq(entry->answer.status, OCSP_STATUS_REVOKED);
    cr_expect(span_is(buf_span(&entry->record->der), "abcdefgh0123456"));
    ocsp_snapshot_free(&snapshot);
}

Test(store, counts_all_bad_entries_and_names_the_first)
{
    struct error err;
    struct ocsp_snapshot snapshot =
        parsed("{\"x\": {}, " ENTRY_A ", \"y\": {}, \"" KEY_B "\": 5}", 3, &err);
    cr_expect_str_eq(err.text, "key [x]: not a fingerprint");
    cr_expect_eq(snapshot.count, 1);
    ocsp_snapshot_free(&snapshot);
}

struct status_row {
    char members[64];
    enum ocsp_status status;
};

/* Where the answer itself cannot be read. */
Test(store, the_members_tell_of_an_unreadable_answer)
{
    static const struct status_row rows[] = {
        {"",                                                         OCSP_STATUS_GOOD   },
        { "\"resp_status\": \"good\"",                               OCSP_STATUS_GOOD   },
        { "\"resp_status\": \"revoked\"",                            OCSP_STATUS_REVOKED},
        { "\"resp_status\": \"unknown\"",                            OCSP_STATUS_UNKNOWN},
        { "\"resp_status\": \"whatever\"",                           OCSP_STATUS_UNKNOWN},
        { "\"resp_status\": \"good\", \"RESP_STATUS\": \"revoked\"", OCSP_STATUS_REVOKED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err;
        char text[256];
        snprintf(text, sizeof text, "{\"" KEY_A "\": {%s}}", rows[i].members);
        struct ocsp_snapshot snapshot = parsed(text, 0, &err);
        cr_expect_eq(snapshot.items[0].answer.status, rows[i].status, "%s", text);
        cr_expect_not(snapshot.items[0].answer.has_next_update);
        ocsp_snapshot_free(&snapshot);
    }
}

Test(store, an_end_beyond_our_time_is_late)
{
    struct error err;
    struct ocsp_snapshot snapshot =
        parsed("{\"" KEY_A "\": {\"resp_expires\": \"9999-12-31T23:59:59Z\"}}", 0, &err);
    cr_expect(snapshot.items[0].answer.has_next_update);
    cr_expect_eq(snapshot.items[0].answer.next_update_ns, INT64_MAX);
    ocsp_snapshot_free(&snapshot);
}

/* ---- the file ---------------------------------------------------------------------------------- */

Test(store, paths_are_absolute_and_plain)
{
    char *here = getcwd(NULL, 0), expected[PATH_MAX];
    static const char *const ROWS[][2] = {
        {"/a/b",         "/a/b/cache.json"},
        { "/a//b/",      "/a/b/cache.json"},
        { "/a/./b/.",    "/a/b/cache.json"},
        { "/a/../b",     "/b/cache.json"  },
        { "/../../b/..", "/cache.json"    },
        { "/",           "/cache.json"    },
        { "/...",        "/.../cache.json"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char *path = ocsp_store_path(ROWS[i][0]);
        cr_expect_str_eq(path, ROWS[i][1]);
        free(path);
    }
    char *path = ocsp_store_path("x/../_rc_");
    snprintf(expected, sizeof expected, "%s/_rc_/cache.json", here);
    cr_expect_str_eq(path, expected);
    cr_expect_null(ocsp_store_path(NULL));
    free(path);
    free(here);
}

static void expect_content(const char *path, const char *expected)
{
    struct buf text = { 0 };
    struct error err;
    bool is_absent;
    cr_assert(ocsp_store_read(path, &text, &is_absent, &err), "%s", err.text);
    cr_expect_str_eq(buf_str(&text), expected);
    cr_expect_not(is_absent);
    buf_free(&text);
}

Test(store, a_file_is_made_with_its_folders_and_replaced)
{
    char folder[64], path[128], parent[96];
    struct error err;
    struct stat stat_of;
    folder_make(folder);
    snprintf(parent, sizeof parent, "%s/new/newer", folder);
    snprintf(path, sizeof path, "%s/cache.json", parent);
    mode_t before = umask(0);
    cr_assert(ocsp_store_write(path, span_of("one"), &err), "%s", err.text);
    umask(before);
    expect_content(path, "one");
    cr_expect_eq(stat(path, &stat_of), 0);
    cr_expect_eq(stat_of.st_mode & 07777, 0600);
    cr_expect_eq(stat(parent, &stat_of), 0);
    cr_expect_eq(stat_of.st_mode & 07777, 0700);
    cr_assert(ocsp_store_write(path, span_of("another"), &err), "%s", err.text);
    expect_content(path, "another");
    cr_expect_eq(folder_count(parent), 1, "nothing temporary is left");
    folder_remove(folder);
}

Test(store, what_cannot_be_written_leaves_nothing_behind)
{
    char folder[64], path[128];
    struct error err;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/cache.json", folder);
    cr_assert_eq(mkdir(path, 0700), 0); /* cannot be replaced by a file */
    cr_expect_not(ocsp_store_write(path, span_of("x"), &err));
    cr_expect(strstr(err.text, "rename "), "%s", err.text);
    cr_expect_eq(folder_count(folder), 1, "only what was there");

    struct buf text = { 0 };
    bool is_absent;
    cr_expect_not(ocsp_store_read(path, &text, &is_absent, &err));
    cr_expect_not(is_absent);
    cr_expect_str_eq(err.text + strlen("read ") + strlen(path), ": is a directory");
    buf_free(&text);

    rmdir(path);
    cr_assert(ocsp_store_write(path, span_of("a file"), &err));
    snprintf(path, sizeof path, "%s/cache.json/cache.json", folder);
    cr_expect_not(ocsp_store_write(path, span_of("x"), &err));
    folder_remove(folder);
}

Test(store, a_missing_file_is_told_from_an_unreadable_one)
{
    char folder[64], path[128];
    struct buf text = { 0 };
    struct error err;
    bool is_absent = false;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/none/cache.json", folder);
    cr_expect_not(ocsp_store_read(path, &text, &is_absent, &err));
    cr_expect(is_absent);
    buf_free(&text);
    folder_remove(folder);
}

static void make_file(const char *folder, const char *name, int64_t written_s)
{
    char path[128];
    struct timespec times[2] = { { .tv_sec = written_s }, { .tv_sec = written_s } };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(store, what_killed_writers_left_goes_after_an_hour)
{
    char folder[64], path[128];
    folder_make(folder);
    clock_test_set(0, PKI_NOW_S * NS_PER_S);
    snprintf(path, sizeof path, "%s/cache.json", folder);
    make_file(folder, "ocsprc-old", PKI_NOW_S - 3601);
    make_file(folder, "ocsprc-new", PKI_NOW_S - 3599); /* its writer may still be at it */
    make_file(folder, "cache.json", PKI_NOW_S - 10000);
    make_file(folder, "mine", PKI_NOW_S - 10000);
    ocsp_store_tidy(path);
    cr_expect_eq(folder_count(folder), 3);
    snprintf(path, sizeof path, "%s/ocsprc-old", folder);
    cr_expect_eq(access(path, F_OK), -1);
    folder_remove(folder);
    ocsp_store_tidy(path); /* where there is no folder there is nothing to do */
}
