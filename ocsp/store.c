/* store.c - the text of cache.json, written and read. */
#include "store.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/s2.h"
#include "base/text.h"

#define KEY_LEN   44 /* base64 of a digest */
#define SHOWN_KEY 64 /* of a key that is none: as much of it as the log shows */

/* ---- writing -------------------------------------------------------------------------------- */

/** An entry with its key as text, for sorting. */
struct row {
    char key[KEY_LEN + 1];
    const struct ocsp_saved *saved;
};

/* Of equal ones the last that was put in comes last. */
static int by_key(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    int order = strcmp(one->key, other->key);
    uint64_t version = one->saved->version, later = other->saved->version;
    return order != 0 ? order : (version > later) - (version < later);
}

static void encode_key(const struct ocsp_digest *digest, char out[KEY_LEN + 1])
{
    struct buf text = { 0 };
    base64_encode(&text, span_make(digest->bytes, sizeof digest->bytes), BASE64_STD);
    memcpy(out, buf_str(&text), KEY_LEN + 1);
    buf_free(&text);
}

static struct row *sorted_rows(const struct ocsp_snapshot *snapshot)
{
    struct row *rows = mem_resize_array(NULL, snapshot->count, sizeof *rows);
    for (size_t i = 0; i < snapshot->count; i++) {
        encode_key(&snapshot->items[i].record->key, rows[i].key);
        rows[i].saved = &snapshot->items[i];
    }
    qsort(rows, snapshot->count, sizeof *rows, by_key);
    return rows;
}

static void print_response(struct json *json, struct span der)
{
    struct buf stream = { 0 }, text = { 0 };
    if (der.len > 0)
        s2_encode(&stream, der);
    base64_encode(&text, buf_span(&stream), BASE64_STD);
    json_span(json, "resp", buf_span(&text));
    buf_free(&text);
    buf_free(&stream);
}

static void print_entry(struct json *json, const struct row *row)
{
    const struct ocsp_record *record = row->saved->record;
    const struct ocsp_answer *answer = &row->saved->answer;
    json_object(json, row->key);
    if (record->subject[0])
        json_string(json, "subject", record->subject);
    json_time(json, "cached_at", record->cached_at_ns);
    json_string(json, "resp_status", ocsp_status_name(answer->status));
    json_time(json, "resp_expires", answer->has_next_update ? answer->next_update_ns : 0);
    print_response(json, buf_span(&record->der));
    json_object_end(json);
}

void ocsp_store_print(const struct ocsp_snapshot *snapshot, struct buf *out)
{
    struct row *rows = sorted_rows(snapshot);
    struct json json = json_begin(out, 1);
    json_object(&json, NULL);
    for (size_t i = 0; i < snapshot->count; i++)
        if (i + 1 == snapshot->count || strcmp(rows[i].key, rows[i + 1].key) != 0)
            print_entry(&json, &rows[i]);
    json_object_end(&json);
    free(rows);
}

/* ---- reading -------------------------------------------------------------------------------- */

/** An entry as the file has it. */
struct draft {
    const char *subject;
    int64_t cached_at_ns, expires_ns; /* 0 = the zero time */
    enum ocsp_status status;
    struct buf der;
};

static bool read_subject(const char *text, struct draft *out)
{
    out->subject = text;
    return true;
}

/* Authorities use "99991231..." for "never": later than our time can say is as late as it can say. */
static bool read_time(const char *text, int64_t *out_ns)
{
    if (time_parse(span_of(text), out_ns))
        return true;
    *out_ns = INT64_MAX;
    return strlen(text) >= strlen("2262-04-11T23:47:16Z") && strncmp(text, "2262", 4) >= 0 &&
           strspn(text, "0123456789") == 4;
}

static bool read_cached_at(const char *text, struct draft *out)
{
    return read_time(text, &out->cached_at_ns);
}

static bool read_status(const char *text, struct draft *out)
{
    out->status = OCSP_STATUS_UNKNOWN;
    if (strcmp(text, "good") == 0)
        out->status = OCSP_STATUS_GOOD;
    else if (strcmp(text, "revoked") == 0)
        out->status = OCSP_STATUS_REVOKED;
    return true;
}

static bool read_expires(const char *text, struct draft *out)
{
    return read_time(text, &out->expires_ns);
}

static bool read_response(const char *text, struct draft *out)
{
    struct buf stream = { 0 };
    buf_clear(&out->der);
    bool ok = base64_decode(&stream, span_of(text), BASE64_STD) &&
              s2_decode(&out->der, buf_span(&stream), OCSP_RESPONSE_MAX, NULL);
    buf_free(&stream);
    return ok;
}

static const struct member {
    const char *name;
    bool (*read)(const char *text, struct draft *out);
} MEMBERS[] = {
    {"subject",       read_subject  },
    { "cached_at",    read_cached_at},
    { "resp_status",  read_status   },
    { "resp_expires", read_expires  },
    { "resp",         read_response },
};

/* As Go does: any case of letters, the last one counts, null is as good as nothing. */
static bool read_member(const cJSON *item, struct draft *out, struct error *err)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        if (strcasecmp(item->string, MEMBERS[i].name) != 0 || cJSON_IsNull(item))
            continue;
        if (!cJSON_IsString(item) || !MEMBERS[i].read(item->valuestring, out))
            return error_set(err, "bad value of \"%s\"", MEMBERS[i].name);
    }
    return true;
}

static bool read_key(const char *text, struct ocsp_digest *out)
{
    struct buf bytes = { 0 };
    bool ok = base64_decode(&bytes, span_of(text), BASE64_STD) && bytes.len == sizeof out->bytes;
    if (ok)
        memcpy(out->bytes, bytes.data, sizeof out->bytes);
    buf_free(&bytes);
    return ok;
}

/* The answer decides, where it can be read; the members beside it are for humans. */
static struct ocsp_answer answer_of(const struct draft *draft)
{
    struct ocsp_answer answer;
    if (ocsp_response_peek(buf_span(&draft->der), &answer))
        return answer;
    return (struct ocsp_answer){ .status = draft->status,
                                 .this_update_ns = draft->cached_at_ns,
                                 .next_update_ns = draft->expires_ns,
                                 .has_next_update = draft->expires_ns != 0 };
}

static bool read_entry(const cJSON *item, struct ocsp_saved *out, struct error *err)
{
    struct ocsp_digest key;
    struct draft draft = { .subject = "" };
    if (!cJSON_IsObject(item))
        return error_set(err, "not an object");
    bool ok = read_key(item->string, &key) || error_set(err, "not a fingerprint");
    for (const cJSON *member = item->child; ok && member; member = member->next)
        ok = read_member(member, &draft, err);
    if (ok) {
        *out = (struct ocsp_saved){ .record =
                                        ocsp_record_new(&key, draft.subject, buf_span(&draft.der)),
                                    .answer = answer_of(&draft) };
        out->record->cached_at_ns = draft.cached_at_ns;
    }
    buf_free(&draft.der);
    return ok;
}

static void read_entries(const cJSON *root, struct ocsp_snapshot *out, size_t *skipped,
                         struct error *err)
{
    out->items = mem_resize_array(NULL, (size_t)cJSON_GetArraySize(root), sizeof *out->items);
    for (const cJSON *item = root->child; item; item = item->next) {
        struct error why;
        if (read_entry(item, &out->items[out->count], &why))
            out->count++;
        else if ((*skipped)++ == 0)
            error_set(err, "key [%.*s]: %s", SHOWN_KEY, item->string, why.text);
    }
}

bool ocsp_store_parse(struct span text, struct ocsp_snapshot *out, size_t *skipped,
                      struct error *err)
{
    const char *begin = (const char *)text.ptr, *end = NULL;
    *out = (struct ocsp_snapshot){ 0 };
    *skipped = 0;
    if (text.len == 0)
        return error_set(err, "unexpected end of JSON input");
    cJSON *root = cJSON_ParseWithLengthOpts(begin, text.len, &end, false);
    if (!root)
        return error_set(err, "invalid JSON at byte %zu", end ? (size_t)(end - begin) : 0);
    while (end < begin + text.len && memchr(" \t\r\n", *end, 4))
        end++;
    bool ok = cJSON_IsObject(root) && end == begin + text.len;
    if (ok)
        read_entries(root, out, skipped, err);
    else
        error_set(err, cJSON_IsObject(root) ? "more than one JSON value" : "not a JSON object");
    cJSON_Delete(root);
    return ok;
}
