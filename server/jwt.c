/* jwt.c - a token's three parts and its signature. */
#include "jwt_private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "json_parse.h"
#include "nkey.h"

enum { PARTS = 3, SIG_TEXT_LEN = 86 };

struct jwt_piece {
    struct jwt_piece *next;
    max_align_t bytes[];
};

void *jwt_alloc(struct jwt *jwt, size_t size)
{
    struct jwt_piece *piece = mem_zero(sizeof *piece + size);
    piece->next = jwt->pieces;
    jwt->pieces = piece;
    return piece->bytes;
}

struct jwt *jwt_retain(struct jwt *jwt)
{
    /* Relaxed: whoever retains holds a reference already. */
    atomic_fetch_add_explicit(&jwt->retained, 1, memory_order_relaxed);
    return jwt;
}

void jwt_free(struct jwt *jwt)
{
    /* Acquire and release: the last one sees what all others did with it. */
    if (!jwt || atomic_fetch_sub_explicit(&jwt->retained, 1, memory_order_acq_rel) > 0)
        return;
    while (jwt->pieces) {
        struct jwt_piece *piece = jwt->pieces;
        jwt->pieces = piece->next;
        free(piece);
    }
    free(jwt);
}

static bool split(struct span token, struct span parts[PARTS], struct error *err)
{
    size_t count = 0, begin = 0;
    for (size_t at = 0; token.len > 0 && at <= token.len; at++) {
        if (at < token.len && token.ptr[at] != '.')
            continue;
        if (count == PARTS)
            return error_set(err, "expected 3 chunks");
        parts[count++] = span_make(token.ptr + begin, at - begin);
        begin = at + 1;
    }
    return count == PARTS || error_set(err, "expected 3 chunks");
}

static cJSON *decode_part(struct span part)
{
    static const char NUL[] = "\\u0000"; /* would cut a text short */
    struct buf text = { 0 };
    cJSON *json = NULL;
    if (base64_decode(&text, part, BASE64_RAW_URL) &&
        !memmem(text.data, text.len, NUL, sizeof NUL - 1))
        json = json_parse(buf_span(&text));
    buf_free(&text);
    if (cJSON_IsObject(json))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static bool text_is(const cJSON *header, const char *key, const char *a, const char *b)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(header, key));
    return text && (strcasecmp(text, a) == 0 || strcasecmp(text, b) == 0);
}

/* Version 1 names the algorithm otherwise and means the same. */
static bool check_header(struct span part, struct error *err)
{
    cJSON *header = decode_part(part);
    bool is_jwt = text_is(header, "typ", "JWT", "JWT");
    bool is_ed25519 = text_is(header, "alg", "ed25519-nkey", "ed25519");
    cJSON_Delete(header);
    if (!is_jwt)
        return error_set(err, "not a JWT header");
    return is_ed25519 || error_set(err, "unexpected algorithm");
}

/* Who may issue which kind. */
static bool read_issuer_key(const struct jwt *jwt, uint8_t key[32])
{
    struct span issuer = span_of(jwt->issuer);
    switch (jwt->kind) {
    case JWT_OPERATOR: return nkey_read_public(issuer, NKEY_OPERATOR, key);
    case JWT_USER: return nkey_read_public(issuer, NKEY_ACCOUNT, key);
    case JWT_ACCOUNT:
    case JWT_ACTIVATION:
    case JWT_GENERIC:
        return nkey_read_public(issuer, NKEY_OPERATOR, key) ||
               nkey_read_public(issuer, NKEY_ACCOUNT, key);
    }
    return false;
}

/* Version 1 signs the claims only. */
static bool check_signature(const struct jwt *jwt, const struct span parts[PARTS],
                            struct error *err)
{
    uint8_t key[32];
    struct span data = parts[1];
    if (!read_issuer_key(jwt, key))
        return error_set(err, "the issuer's key is not of the right type");
    if (jwt->version > 1)
        data = span_make(parts[0].ptr, parts[0].len + 1 + parts[1].len);
    if (parts[2].len != SIG_TEXT_LEN || !nkey_verify_key(key, data, parts[2]))
        return error_set(err, "claim failed V%d signature verification", (int)jwt->version);
    return true;
}

static const char *keep_token(struct jwt *jwt, struct span token)
{
    return memcpy(jwt_alloc(jwt, token.len + 1), token.ptr, token.len);
}

struct jwt *jwt_decode(struct span token, struct error *err)
{
    struct span parts[PARTS];
    struct jwt *jwt = mem_zero(sizeof *jwt);
    cJSON *claims = NULL;
    bool ok = false;

    if (token.len > JWT_SIZE_MAX) {
        error_set(err, "token too large");
        goto done;
    }
    if (!split(token, parts, err) || !check_header(parts[0], err))
        goto done;
    claims = decode_part(parts[1]);
    if (!claims) {
        error_set(err, "the claims are not a JSON object");
        goto done;
    }
    ok = jwt_read_head(jwt, claims, err) && check_signature(jwt, parts, err) &&
         jwt_read_body(jwt, claims, err) && jwt_check(jwt, err);

    if (ok && jwt->kind == JWT_ACCOUNT)
        jwt->token = keep_token(jwt, token);

done:
    cJSON_Delete(claims);
    if (ok)
        return jwt;
    jwt_free(jwt);
    return NULL;
}

void jwt_append_claims(struct buf *out, struct span token)
{
    struct span parts[PARTS];
    struct error err;
    cJSON *claims = split(token, parts, &err) ? decode_part(parts[1]) : NULL;
    char *text = claims ? cJSON_PrintUnformatted(claims) : NULL;
    if (text)
        buf_append_str(out, text);
    cJSON_free(text);
    cJSON_Delete(claims);
}
