/* jwt_template.c - see jwt_template.h. */
#include "jwt_template.h"

#include "base/buf.h"
#include "jwt_private.h"

enum { SUBJECTS_MAX = 4096, STEPS_MAX = 65536 }; /* of one list */

struct filling {
    struct jwt *user;
    const struct jwt *account;
    struct jwt_texts *out;
    size_t cap, steps;
};

/* ---- values of a gap ------------------------------------------------------------------------- */

/* The values of one gap: a single text, or those of all tags with a key. */
struct values {
    const char *single;
    const struct jwt_texts *tags;
    struct span key;
};

/* "NAME(KEY)" */
static bool is_call(struct span call, const char *name, struct span *key)
{
    size_t len = strlen(name);
    if (call.len < len + 2 || strncasecmp((const char *)call.ptr, name, len) != 0 ||
        call.ptr[len] != '(' || call.ptr[call.len - 1] != ')')
        return false;
    *key = span_trim(span_make(call.ptr + len + 1, call.len - len - 2), " ");
    return true;
}

static bool find_values(const struct filling *filling, struct span gap, struct values *out)
{
    const struct jwt *user = filling->user, *account = filling->account;
    const struct {
        const char *name, *value;
        const struct jwt_texts *tags;
    } functions[] = {
        {"name",             user->name,       NULL          },
        { "subject",         user->subject,    NULL          },
        { "account-name",    account->name,    NULL          },
        { "account-subject", account->subject, NULL          },
        { "tag",             NULL,             &user->tags   },
        { "account-tag",     NULL,             &account->tags},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct span key;
        if (!is_call(gap, functions[i].name, &key))
            continue;
        *out = (struct values){ functions[i].value, functions[i].tags, key };
        return functions[i].tags ? key.len > 0 : key.len == 0;
    }
    return false;
}

/* The value of tag number `i`, or NULL: of another key. */
static const char *tag_value(const struct values *values, size_t i)
{
    const char *tag = values->tags->items[i];
    size_t len = values->key.len;
    bool fits = strncasecmp(tag, (const char *)values->key.ptr, len) == 0 && tag[len] == ':';
    return fits ? tag + len + 1 : NULL;
}

/* Whoever may choose a name must not choose a wildcard, or a queue group behind a blank, with it. */
static bool is_plain(const char *value)
{
    return value && *value && !strpbrk(value, "*> \t\r\n");
}

/* ---- filling ----------------------------------------------------------------------------------- */

static bool add(struct filling *filling, struct span text)
{
    struct jwt_texts *out = filling->out;
    if (out->count == SUBJECTS_MAX)
        return false;
    if (out->count == filling->cap) {
        size_t cap = filling->cap ? 2 * filling->cap : 8;
        const char **items = jwt_alloc(filling->user, cap * sizeof *items);
        for (size_t i = 0; i < out->count; i++)
            items[i] = out->items[i];
        out->items = items;
        filling->cap = cap;
    }
    char *copy = jwt_alloc(filling->user, text.len + 1);
    memcpy(copy, text.ptr, text.len);
    out->items[out->count++] = copy;
    return true;
}

static bool fill(struct filling *filling, struct span done, struct span rest);

static bool fill_one(struct filling *filling, struct span done, const char *value, struct span rest)
{
    struct buf longer = { 0 };
    if (!is_plain(value))
        return false;
    buf_append(&longer, done.ptr, done.len);
    buf_append_str(&longer, value);
    bool ok = fill(filling, buf_span(&longer), rest);
    buf_free(&longer);
    return ok;
}

/* The first gap of `rest`; behind it go on with what is left. True when at least one subject came out. */
static bool fill_gap(struct filling *filling, struct span done, struct span gap, struct span rest)
{
    struct values values = { 0 };
    bool any = false;
    if (!find_values(filling, span_trim(gap, " "), &values))
        return false;
    if (!values.tags)
        return fill_one(filling, done, values.single, rest);
    for (size_t i = 0; i < values.tags->count; i++)
        if (fill_one(filling, done, tag_value(&values, i), rest))
            any = true;
    return any;
}

static bool fill(struct filling *filling, struct span done, struct span rest)
{
    if (filling->steps++ >= STEPS_MAX) /* many tags in many gaps */
        return false;
    const uint8_t *open = memmem(rest.ptr, rest.len, "{{", 2);
    const uint8_t *end = rest.ptr + rest.len;
    const uint8_t *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
    struct buf text = { 0 };
    buf_append(&text, done.ptr, done.len);
    bool ok;
    if (close) {
        buf_append(&text, rest.ptr, (size_t)(open - rest.ptr));
        ok = fill_gap(filling, buf_span(&text), span_make(open + 2, (size_t)(close - open - 2)),
                      span_make(close + 2, (size_t)(end - close - 2)));
    } else {
        buf_append(&text, rest.ptr, rest.len);
        ok = add(filling, buf_span(&text));
    }
    buf_free(&text);
    return ok;
}

static void begin_list(struct filling *filling, struct jwt_texts *out)
{
    *out = (struct jwt_texts){ 0 };
    filling->out = out;
    filling->cap = filling->steps = 0;
}

static bool fill_list(struct filling *filling, const struct jwt_texts *template,
                      struct jwt_texts *out, bool must)
{
    begin_list(filling, out);
    for (size_t i = 0; i < template->count; i++)
        if (!fill(filling, span_of(""), span_of(template->items[i])) && must)
            return false;
    return true;
}

/* What was allowed to some must not become allowed to all because no subject was left. */
static void deny_if_emptied(struct filling *filling, const struct jwt_texts *template,
                            const struct jwt_texts *allow, struct jwt_texts *deny)
{
    if (template->count == 0 || allow->count > 0)
        return;
    begin_list(filling, deny);
    add(filling, span_of(">"));
}

bool jwt_template_fill(const struct jwt_permissions *template, struct jwt *user,
                       const struct jwt *account, struct jwt_permissions *out, struct error *err)
{
    struct filling filling = { .user = user, .account = account };
    *out = *template;
    if (!fill_list(&filling, &template->pub_deny, &out->pub_deny, true) ||
        !fill_list(&filling, &template->sub_deny, &out->sub_deny, true))
        return error_set(err, "a denied subject of the scope's template has no value");
    fill_list(&filling, &template->pub_allow, &out->pub_allow, false);
    fill_list(&filling, &template->sub_allow, &out->sub_allow, false);
    deny_if_emptied(&filling, &template->pub_allow, &out->pub_allow, &out->pub_deny);
    deny_if_emptied(&filling, &template->sub_allow, &out->sub_allow, &out->sub_deny);
    return true;
}
