/* fuzz_jwt.c - a token; and, as no fuzzer finds a signature, its claims by themselves. */
#include "jwt_private.h"

#include "json_parse.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* As jwt_decode() does once the signature is right. */
static void read_claims(struct span text)
{
    struct error err = { "" };
    cJSON *claims = json_parse(text);
    struct jwt *jwt = calloc(1, sizeof *jwt);

    if (!jwt)
        abort();
    bool ok = cJSON_IsObject(claims) && jwt_read_head(jwt, claims, &err) &&
              jwt_read_body(jwt, claims, &err) && jwt_check(jwt, &err);
    cJSON_Delete(claims);
    if (ok && (!jwt->subject || jwt->version < 1 || jwt->version > 2))
        abort();
    if (ok && jwt->kind == JWT_USER)
        (void)jwt_rights_are_empty(&jwt->user.rights);
    jwt_free(jwt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { "" };
    struct jwt *jwt = jwt_decode(jwt_find_token(span_make(data, size)), &err);

    if (!jwt && !err.text[0])
        abort(); /* refused without a reason */
    jwt_free(jwt);
    read_claims(span_make(data, size));
    return 0;
}
