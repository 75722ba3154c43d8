/* Texts that are refused: the words of nats-server, our own words, and the limits. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "parser/conf.h"

#include "conf_refused.h"
#include "conf_samples.h"

static void expect_error(struct span text, const char *message)
{
    struct error err = { 0 };
    struct conf *conf = conf_parse(text, "test.conf", &err);
    cr_expect_null(conf, "%.60s", (const char *)text.ptr);
    cr_expect_str_eq(err.text, message, "%.60s: %s", (const char *)text.ptr, err.text);
    conf_free(conf);
}

Test(conf_errors, are_those_of_the_reference_server)
{
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(CONF_BAD); i++)
        expect_error(span_of(CONF_BAD[i].text), CONF_BAD[i].message);
}

/* nats-server accepts these and loses or mangles the value. */
Test(conf_errors, where_we_are_stricter)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"a={ b }",                  "Parse error on line 1: 'Unexpected map value terminator \"}\".'"},
        { "a={b=\n}",                "Parse error on line 2: 'Unexpected map value terminator \"}\".'"},
        { "a=1kbb",                  "Parse error on line 1: 'Unknown size suffix \"kbb\"'"           },
        { "a=2Mii\nb=1",             "Parse error on line 1: 'Unknown size suffix \"Mii\"'"           },
        { "a={/ b=1}",               "Parse error on line 1: 'Unexpected map key '/'.'"               },
        { "a=\"",                    "Parse error on line 1: 'Unexpected EOF.'"                       },
        { "a=['",                    "Parse error on line 1: 'Unexpected EOF.'"                       },
        { "a=9223372036854775807k",  "integer '9223372036854775807k' is out of the range"             },
        { "a=8eb",                   "integer '8eb' is out of the range"                              },
        { "a=-9223372036854775808k", "integer '-9223372036854775808k' is out of the range"            },
        { "a=0001-01-01T00:00:00Z",
         "expected Zulu formatted DateTime, but got '0001-01-01T00:00:00Z'"                           },
        { "a=9999-12-31T23:59:59Z",
         "expected Zulu formatted DateTime, but got '9999-12-31T23:59:59Z'"                           },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_error(span_of(rows[i].text), rows[i].message);
}

Test(conf_errors, nul_bytes)
{
    expect_error(span_make("a=1\n\0b=2", 8), "Parse error on line 2: 'Unexpected NUL byte.'");
    expect_error(span_make("\0", 1), "Parse error on line 1: 'Unexpected NUL byte.'");
    expect_error(span_make("a\0=\0\x31\0", 6), "Parse error on line 1: 'Unexpected NUL byte.'");
}

Test(conf_errors, may_be_ignored)
{
    cr_expect_null(conf_parse(span_of("a=["), "test.conf", NULL));
    cr_expect_null(conf_parse(span_of("include nowhere.conf"), "test.conf", NULL));
    cr_expect_null(conf_parse(span_of("a=$conf_nowhere"), "test.conf", NULL));
    cr_expect_null(conf_load("/nowhere/test.conf", NULL));
}

Test(conf_errors, floats_out_of_range)
{
    char text[400], message[500];
    memset(text, '9', sizeof text);
    memcpy(text, "a=", 2);
    memcpy(text + 330, ".0", 3);
    snprintf(message, sizeof message, "float '%s' is out of the range", text + 2);
    expect_error(span_of(text), message);
}

/* ---- limits ---- */

static void repeat(struct buf *out, const char *text, int count)
{
    while (count-- > 0)
        buf_append_str(out, text);
}

Test(conf_errors, nesting_is_limited)
{
    struct buf text = { 0 };
    buf_append_str(&text, "a=");
    repeat(&text, "[", 1000);
    repeat(&text, "]", 1000);
    struct conf *conf = conf_parse(buf_span(&text), "test.conf", NULL);
    cr_expect(conf, "a thousand levels are allowed");
    conf_free(conf);

    buf_clear(&text);
    buf_append_str(&text, "a=\n");
    text.len--;
    repeat(&text, "[", 1001);
    expect_error(buf_span(&text),
                 "Parse error on line 1: 'Maps and arrays are nested deeper than 1000 levels.'");
    buf_clear(&text);
    buf_append_str(&text, "a=");
    repeat(&text, "{\nb=", 200000);
    expect_error(buf_span(&text),
                 "Parse error on line 1001: 'Maps and arrays are nested deeper than 1000 levels.'");
    buf_free(&text);
}

Test(conf_errors, variables_cannot_nest_deeper_either)
{
    struct buf text = { 0 };
    buf_append_str(&text, "v0=[x]\n");
    for (int i = 1; i < 1000; i++)
        buf_printf(&text, "v%d=[$v%d]\n", i, i - 1);
    struct conf *conf = conf_parse(buf_span(&text), "test.conf", NULL);
    cr_expect(conf);
    conf_free(conf);
    buf_append_str(&text, "v1000=[$v999]\n");
    expect_error(buf_span(&text),
                 "variable reference for 'v999' on line 1001 makes the configuration too deep");
    buf_free(&text);
}

/* Each line has ten times the values of the one before. */
Test(conf_errors, variables_cannot_multiply_without_end)
{
    struct buf text = { 0 };
    buf_append_str(&text, "v0=x\n");
    for (int i = 1; i <= 30; i++) {
        buf_printf(&text, "v%d=[", i);
        for (int k = 0; k < 10; k++)
            buf_printf(&text, "$v%d,", i - 1);
        buf_append_str(&text, "]\n");
    }
    expect_error(buf_span(&text),
                 "variable reference for 'v5' on line 7 makes the configuration too large");
    buf_free(&text);
}

Test(conf_errors, long_strings_cannot_multiply_either)
{
    struct buf text = { 0 };
    buf_append_str(&text, "v=");
    repeat(&text, "x", 1000000);
    buf_append_str(&text, "\na=[");
    repeat(&text, "$v,", 1000);
    buf_append_str(&text, "]\n");
    expect_error(buf_span(&text),
                 "variable reference for 'v' on line 2 makes the configuration too large");
    buf_free(&text);
}

Test(conf_errors, long_keys_cannot_multiply_either)
{
    struct buf text = { 0 };
    buf_append_str(&text, "v={");
    repeat(&text, "x", 1000000);
    buf_append_str(&text, "=1}\na=[");
    repeat(&text, "$v,", 1000);
    buf_append_str(&text, "]\n");
    expect_error(buf_span(&text),
                 "variable reference for 'v' on line 2 makes the configuration too large");
    buf_free(&text);
}

Test(conf_errors, environment_variables_cannot_multiply_either)
{
    for (int i = 1; i <= 30; i++) {
        char name[32];
        struct buf value = { 0 };
        snprintf(name, sizeof name, "CONF_BOMB%d", i);
        buf_append_str(&value, "[");
        for (int k = 0; k < 100; k++)
            buf_printf(&value, "$CONF_BOMB%d,", i - 1);
        buf_append_str(&value, "]");
        setenv(name, buf_str(&value), 1);
        buf_free(&value);
    }
    setenv("CONF_BOMB0", "[x,x,x,x,x,x,x,x,x,x]", 1);
    struct error err = { 0 };
    cr_expect_null(conf_parse(span_of("a=$CONF_BOMB30"), "test.conf", &err));
    cr_expect(
        strstr(err.text, "variable reference for 'CONF_BOMB30' on line 1 could not be parsed"));
}
