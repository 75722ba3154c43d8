/* fuzz_service_body.c - the body of a request: what is taken as JSON is one value for both of its readers, and what
 * becomes of it as a query can be read again. */
#include "services_private.h"

#include "internal.h"
#include "json_problem.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static const struct service_field FIELDS[] = {
    {"sort",                  FIELD_TEXT,  "sort",   NULL    },
    { "subscriptions_detail", FIELD_BOOL,  "subs",   "detail"},
    { "offset",               FIELD_INT,   "offset", NULL    },
    { "cid",                  FIELD_UINT,  "cid",    NULL    },
    { "state",                FIELD_STATE, "state",  NULL    },
    { "accounts",             FIELD_TEXTS, NULL,     NULL    },
    { NULL,                   FIELD_BOOL,  NULL,     NULL    },
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Only names, =, & and %XX. */
static void check_query(struct span query)
{
    for (size_t i = 0; i < query.len; i++)
        require(query.ptr[i] > ' ' && query.ptr[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct service SERVICE = { .name = "X", .go_type = "XOptions", .fields = FIELDS };
    struct span text = span_make(data, size);
    struct error err = { 0 };
    cJSON *body = NULL;
    bool is_json = json_is_valid(text, &err);

    require(is_json || err.text[0]);
    bool is_good = service_read_body(&SERVICE, text, &body, &err);
    require(!is_good || is_json || size == 0);
    if (is_good && body) {
        struct service_request request = { .service = &SERVICE, .body = body };
        struct buf query = { 0 };
        service_put_query(&request, &query);
        check_query(buf_span(&query));
        buf_free(&query);
    }
    cJSON_Delete(body);
    return 0;
}
