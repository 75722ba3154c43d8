/* test_services_options.c - the body of a request as a query of the monitoring endpoint, and what is wrong with it. */
#include "services_private.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static const struct service_field FIELDS[] = {
    {"sort",                  FIELD_TEXT,  "sort",   NULL    },
    { "subscriptions_detail", FIELD_BOOL,  "subs",   "detail"},
    { "subscriptions",        FIELD_BOOL,  "subs",   NULL    },
    { "offset",               FIELD_INT,   "offset", NULL    },
    { "cid",                  FIELD_UINT,  "cid",    NULL    },
    { "state",                FIELD_STATE, "state",  NULL    },
    { "accounts",             FIELD_TEXTS, NULL,     NULL    },
    { NULL,                   FIELD_BOOL,  NULL,     NULL    },
};
static const struct service SERVICE = { .name = "X", .go_type = "XOptions", .fields = FIELDS };

struct row {
    char body[96], account[16];
    char result[128]; /* the query, or the error */
};

static void check(const struct row *row, bool is_good)
{
    struct error err = { 0 };
    struct buf query = { 0 };
    cJSON *body;
    cr_expect_eq(service_read_body(&SERVICE, span_of(row->body), &body, &err), is_good, "%s: %s",
                 row->body, err.text);
    if (is_good) {
        struct service_request request = { .service = &SERVICE,
                                           .body = body,
                                           .account = span_of(row->account) };
        service_put_query(&request, &query);
    }
    cr_expect_str_eq(is_good ? buf_str(&query) : err.text, row->result, "%s", row->body);
    cJSON_Delete(body);
    buf_free(&query);
}

ParameterizedTestParameters(services_options, becomes_a_query)
{
    static struct row rows[] = {
        {"",                                                         "",  ""                        },
        { "{}",                                                      "",  ""                        },
        { "null",                                                    "",  ""                        },
        { "{}",                                                      "A", "acc=%41"                 },
        { "{\"sort\":\"a b&\"}",                                     "",  "sort=%61%20%62%26"       },
        { "{\"SORT\":null,\"unknown\":{}}",                          "",  ""                        },
        { "{\"subscriptions\":true}",                                "",  "subs=%31"                },
        { "{\"subscriptions\":false}",                               "",  ""                        },
        { "{\"subscriptions\":true,\"subscriptions_detail\":true}",  "",
         "subs=%64%65%74%61%69%6C&subs=%31"                                                         },
        { "{\"offset\":-1,\"cid\":7}",                               "",  "offset=%2D%31&cid=%37"   },
        { "{\"state\":1}",                                           "",  "state=%63%6C%6F%73%65%64"},
        { "{\"state\":7}",                                           "",  "state=%37"               },
        { "{\"accounts\":[\"A\"],\"tags\":[],\"exact_match\":true}", "",  ""                        },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, services_options, becomes_a_query)
{
    check(row, true);
}

ParameterizedTestParameters(services_options, is_refused)
{
    static struct row rows[] = {
        {"{",                    "", "unexpected end of JSON input"                                       },
        { "[]",                  "", "json: cannot unmarshal array into Go value of type server.XOptions" },
        { "5",                   "", "json: cannot unmarshal number into Go value of type server.XOptions"},
        { "{\"sort\":1}",        "",
         "json: cannot unmarshal number into Go struct field XOptions.sort of type "
          "server.SortOpt"                                                                                },
        { "{\"offset\":\"1\"}",  "",
         "json: cannot unmarshal string into Go struct field XOptions.offset of type int"                 },
        { "{\"offset\":1.5}",    "",
         "json: cannot unmarshal number 1.5 into Go struct field XOptions.offset of type int"             },
        { "{\"offset\":1e300}",  "",
         "json: cannot unmarshal number 1.0000000000000001e+300 into Go struct field "
          "XOptions.offset of type int"                                                                   },
        { "{\"cid\":-1}",        "",
         "json: cannot unmarshal number -1 into Go struct field XOptions.cid of type uint64"              },
        { "{\"accounts\":[1]}",  "",
         "json: cannot unmarshal array into Go struct field XOptions.accounts of type []string"           },
        { "{\"tags\":\"a\"}",    "",
         "json: cannot unmarshal string into Go struct field XOptions.tags of type []string"              },
        { "{\"exact_match\":1}", "",
         "json: cannot unmarshal number into Go struct field XOptions.exact_match of type bool"           },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, services_options, is_refused)
{
    check(row, false);
}
