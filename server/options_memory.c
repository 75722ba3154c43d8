/* options_memory.c - the life of an options object: one arena per object, counted, erased at its
 * end because it holds passwords. */
#include "options_schema.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "parser/transform.h"

#include "account.h"
#include "jwt.h"
#include "permissions.h"

struct piece {
    struct piece *next;
    size_t size; /* of `bytes` */
    max_align_t bytes[];
};

/* What is behind the public struct. */
struct options_object {
    struct options options; /* first: the two are the same address */
    atomic_size_t references;
    struct options
        *base; /* all but the accounts is that one's; NULL = it is all our own. Retained. */
    struct piece *pieces;
};

static struct options_object *object_of(struct options *options)
{
    return (struct options_object *)(void *)options;
}

struct options *options_new(void)
{
    struct options_object *object = mem_zero(sizeof *object);
    atomic_init(&object->references, 1);
    schema_defaults(&ROOT_SCHEMA, &object->options);
    options_account(&object->options, GLOBAL_ACCOUNT);
    object->options.config_digest = "";
    object->options.http_base_path = "";
    object->options.ocsp_cache_type = OCSP_CACHE_LOCAL;
    schema_defaults(&OCSP_CACHE_SCHEMA, &object->options);
    return &object->options;
}

struct options *options_new_over(struct options *base)
{
    struct options_object *object = mem_zero(sizeof *object);
    struct options *options = &object->options;
    atomic_init(&object->references, 1);
    object->base = options_retain(base);
    *options = *base;
    options->accounts = options->accounts_by_index = NULL;
    options->account_count = options->index_count = 0;
    options->accounts_by_name = (struct map){ 0 };
    options->system_account = NULL;
    options->activation_ends_s = 0;
    return options;
}

struct options *options_base(struct options *options)
{
    struct options *base = object_of(options)->base;
    return base ? base : options;
}

void *options_alloc(struct options *options, size_t size)
{
    struct options_object *object = object_of(options);
    struct piece *piece = mem_zero(sizeof *piece + size);
    piece->size = size;
    piece->next = object->pieces;
    object->pieces = piece;
    return piece->bytes;
}

const char *options_copy(struct options *options, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(options_alloc(options, size), text, size);
}

const char *options_printf(struct options *options, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = options_alloc(options, (size_t)(len < 0 ? 0 : len) + 1);
    if (len > 0)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

const char *options_redact_url(struct options *options, const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    const char *at = memrchr(start, '@', strcspn(start, "/?#"));
    const char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
    return colon ? options_printf(options, "%.*s:xxxxx%s", (int)(colon - url), url, at) : url;
}

void options_note(struct options *options, const char *text)
{
    for (size_t i = 0; i < options->note_count; i++)
        if (strcmp(options->notes[i], text) == 0)
            return;
    const char **notes = options_alloc(options, (options->note_count + 1) * sizeof *notes);
    for (size_t i = 0; i < options->note_count; i++)
        notes[i] = options->notes[i];
    notes[options->note_count++] = options_copy(options, text);
    options->notes = notes;
}

struct options *options_retain(struct options *options)
{
    /* Relaxed: whoever retains holds a reference already. */
    atomic_fetch_add_explicit(&object_of(options)->references, 1, memory_order_relaxed);
    return options;
}

static void release_account(struct account_options *account)
{
    permissions_release(account->defaults);
    jwt_free(account->claims);
    for (size_t i = 0; i < account->stream_count; i++)
        transform_free(account->streams[i].transform);
    for (size_t i = 0; i < account->service_count; i++)
        transform_free(account->services[i].transform);
    for (size_t i = 0; i < account->mapping_count; i++)
        for (size_t t = 0; t < account->mappings[i].target_count; t++)
            transform_free(account->mappings[i].targets[t].transform);
}

static void release_own_accounts(struct options *options)
{
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i]->claims) /* else it is a copy, of what is the base's */
            release_account(options->accounts[i]);
}

static void release_parts(struct options *options)
{
    tls_options_release(options);
    for (size_t i = 0; i < options->auth.user_count; i++)
        permissions_release(options->auth.users[i].permissions);
    for (size_t i = 0; i < options->account_count; i++)
        release_account(options->accounts[i]);
    for (size_t i = 0; i < options->operator_.operator_count; i++)
        jwt_free(options->operator_.operators[i]);
    for (size_t i = 0; i < options->operator_.preload_count; i++)
        jwt_free(options->operator_.preloads[i].jwt);
}

void options_release(struct options *options)
{
    if (!options)
        return;
    struct options_object *object = object_of(options);
    /* Acquire and release: the last one sees what all others did with the object. */
    if (atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) > 1)
        return;
    if (object->base)
        release_own_accounts(options);
    else
        release_parts(options);
    map_free(&options->accounts_by_name);
    options_release(object->base);
    while (object->pieces) {
        struct piece *piece = object->pieces;
        object->pieces = piece->next;
        OPENSSL_cleanse(piece->bytes, piece->size);
        free(piece);
    }
    OPENSSL_cleanse(object, sizeof *object);
    free(object);
}
