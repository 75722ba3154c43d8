/* The tree: types, values, order, and where everything stands. */
#include <criterion/criterion.h>

#include "parser/conf.h"

#include "conf_samples.h"

static struct conf *parse(const char *text)
{
    struct error err = { 0 };
    struct conf *conf = conf_parse(span_of(text), "test.conf", &err);
    cr_assert(conf, "%s: %s", text, err.text);
    return conf;
}

/* ---- places ---- */

static void outline(struct buf *out, const struct conf_value *value)
{
    bool is_map = value->type == CONF_MAP;
    if (!is_map && value->type != CONF_ARRAY)
        return;
    buf_append_char(out, is_map ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        buf_printf(out, "%s@%d:%d%s", item->key ? item->key : "", item->pos.line, item->pos.column,
                   item->used ? "u" : "");
        outline(out, item);
        buf_append_char(out, ' ');
    }
    buf_append_char(out, is_map ? '}' : ']');
}

/* Where the values stand: KEY@LINE:COLUMN, "u" when used as a variable. As nats-server 2.15 says. */
static const struct {
    const char *text, *outline;
} PLACES[] = {
    {"a=1",                                                                   "{a@1:0 }"                                            },
    { "  a=1\n b=2",                                                          "{a@1:2 b@2:2 }"                                      },
    { "\n a=1",                                                               "{a@2:2 }"                                            },
    { "a=1,b=2\nc=3,d=4",                                                     "{a@1:0 b@1:4 c@2:1 d@2:5 }"                          },
    { "\"a\"=1\n\"b\"=2\n 'c'=3",                                             "{a@1:1 b@2:2 c@3:3 }"                                },
    { "a={b=1,c={\n d=1\n}}",                                                 "{a@1:0{b@1:3 c@1:7{d@2:2 } } }"                      },
    { "a=1\r\n\"b\"=1\r\n\r\n  c=1",                                          "{a@1:0 b@2:2 c@4:3 }"                                },
    { "b\303\251=1,c=2",                                                      "{b\303\251@1:0 c@1:6 }"                              },
    { "a=\"x\ny\" , b=1\nc=1",                                                "{a@1:0 b@2:6 c@3:1 }"                                },
    { "\"a\nb\"=1\n \"c\nd\ne\"=2",                                           "{a\nb@2:1 c\nd\ne@5:3 }"                             },
    { "{\"a\":1,\"b\":{\"c\":2}}",                                            "{a@1:2 b@1:8{c@1:13 } }"                             },
    { "a=[x,y]",                                                              "{a@1:0[@1:3 @1:5 ] }"                                },
    { "a=[\n  x\n  \"y\"\n 'z'\n]",                                           "{a@1:0[@2:3 @3:4 @4:3 ] }"                           },
    { "a=[{b=1},{c=2}]",                                                      "{a@1:0[@1:8{b@1:4 } @1:14{c@1:10 } ] }"              },
    { "a=[\n{\nb=1\n}\n {} ,{}\n]",                                           "{a@1:0[@4:2{b@3:1 } @5:4{} @5:8{} ] }"               },
    { "a=[[b],[\nc\n]\n]",                                                    "{a@1:0[@1:6[@1:4 ] @3:2[@2:1 ] ] }"                  },
    { "a=[\"p\nq\",\"r\"]",                                                   "{a@1:0[@2:4 @2:5 ] }"                                },
    { "a=[(\np\n)\nq]",                                                       "{a@1:0[@3:4 @4:1 ] }"                                },
    { "a=1\nx=[\n   (\np\n)\nq]",                                             "{a@1:0 x@2:1[@5:5 @6:1 ] }"                          },
    { "a=[\\tx,b\\x41y]",                                                     "{a@1:0[@1:4 @1:10 ] }"                               },
    { "a=[\"\\n\",c]",                                                        "{a@1:0[@1:5 @1:8 ] }"                                },
    { "a=[$2a$x,b]",                                                          "{a@1:0[@1:4 @1:9 ] }"                                },
    { "a=[\n -5\n 1.5\n 2016-05-04T18:53:41Z\n true\n 5m\n 10.0.0.1\n 3x\n]",
     "{a@1:0[@2:2 @3:2 @4:2 @5:2 @6:2 @7:2 @8:2 ] }"                                                                                },
    { "a=1\nb=$a\n c=[$a,\n $a ]",                                            "{a@1:0u b@2:1 c@3:2[@3:6 @4:3 ] }"                   },
    { "a={x=1}\nb=$a\nc=[$a]",                                                "{a@1:0u{x@1:3 } b@2:1{x@1:3 } c@3:1[@3:5{x@1:3 } ] }"},
    { "a=1\nb={a=2,c=$a}\nd=3",                                               "{a@1:0 b@2:1{a@2:4u c@2:8 } d@3:1 }"                 },
    { "a=1\nb=$a\nc={d=$b}",                                                  "{a@1:0u b@2:1u c@3:1{d@3:4 } }"                      },
    { "a=$CONF_NUMBER\n b=[$CONF_NUMBER]\nc=$a",                              "{a@1:0u b@2:2[@2:6 ] c@3:1 }"                        },
    { "a=1\nb={a=2,c=$a}",                                                    "{a@1:0 b@2:1{a@2:4u c@2:8 } }"                       },
    { "x=1\nx=2",                                                             "{x@2:1 }"                                            },
    { "a={b=1,c=$b}\nd=$a",                                                   "{a@1:0u{b@1:3u c@1:7 } d@2:1{b@1:3u c@1:7 } }"       },
    { "a=0\nb=$a\nc=1\nd=$c",                                                 "{a@1:0u b@2:1 c@3:1u d@4:1 }"                        },
};

Test(conf, values_know_where_they_stand)
{
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        struct conf *conf = parse(PLACES[i].text);
        struct buf seen = { 0 };
        outline(&seen, conf_root(conf));
        cr_expect_str_eq(buf_str(&seen), PLACES[i].outline, "%s: %s", PLACES[i].text,
                         buf_str(&seen));
        buf_free(&seen);
        conf_free(conf);
    }
}

Test(conf, places_name_the_file)
{
    struct conf *conf = parse("a=[b]");
    const struct conf_value *array = conf_get(conf_root(conf), "a");
    cr_expect_str_eq(array->pos.file, "test.conf");
    cr_expect_str_eq(array->items[0]->pos.file, "test.conf");
    conf_free(conf);
}

Test(conf, environment_values_stand_where_they_are_used)
{
    conf_set_environment();
    struct conf *conf = parse("a=1\n  m=$CONF_MAP\nl=$CONF_LIST");
    const struct conf_value *map = conf_get(conf_root(conf), "m");
    const struct conf_value *inner = conf_get(conf_get(map, "b"), "c");
    cr_assert(inner);
    cr_expect_eq(inner->integer, 2);
    cr_expect_str_eq(inner->pos.file, "test.conf");
    cr_expect_eq(inner->pos.line, 2);
    cr_expect_eq(inner->pos.column, 6, "%d", inner->pos.column);
    cr_expect_not(inner->used);
    conf_free(conf);
}

/* ---- values ---- */

Test(conf, types_have_their_go_names)
{
    static const struct {
        const char *text;
        enum conf_type type;
        const char *name;
    } rows[] = {
        {"a={}",                    CONF_MAP,     "map[string]interface {}"},
        { "a=[]",                   CONF_ARRAY,   "[]interface {}"         },
        { "a=x",                    CONF_STRING,  "string"                 },
        { "a='1'",                  CONF_STRING,  "string"                 },
        { "a=1m30s",                CONF_STRING,  "string"                 },
        { "a=1",                    CONF_INTEGER, "int64"                  },
        { "a=5m",                   CONF_INTEGER, "int64"                  },
        { "a=1.0",                  CONF_FLOAT,   "float64"                },
        { "a=off",                  CONF_BOOL,    "bool"                   },
        { "a=2016-05-04T18:53:41Z", CONF_DATE,    "time.Time"              },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *conf = parse(rows[i].text);
        const struct conf_value *value = conf_get(conf_root(conf), "a");
        cr_expect_eq(value->type, rows[i].type, "%s", rows[i].text);
        cr_expect_str_eq(conf_type_name(value), rows[i].name);
        conf_free(conf);
    }
}

Test(conf, integers)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"a=0",                     0                  },
        { "a=-0",                   0                  },
        { "a=007",                  7                  },
        { "a=9223372036854775807",  INT64_MAX          },
        { "a=-9223372036854775808", INT64_MIN          },
        { "a=1k",                   1000               },
        { "a=1K",                   1000               },
        { "a=1kb",                  1024               },
        { "a=1Ki",                  1024               },
        { "a=1KIB",                 1024               },
        { "a=2m",                   2000000            },
        { "a=2MB",                  2097152            },
        { "a=3g",                   3000000000         },
        { "a=3gib",                 3221225472         },
        { "a=4t",                   4000000000000      },
        { "a=4tb",                  4398046511104      },
        { "a=5p",                   5000000000000000   },
        { "a=5pi",                  5629499534213120   },
        { "a=6e",                   6000000000000000000},
        { "a=6eb",                  6917529027641081856},
        { "a=-8eb",                 INT64_MIN          },
        { "a=-3m",                  -3000000           },
        { "a=1970-01-01T00:00:01Z", 1000000000         },
        { "a=1969-12-31T23:59:59Z", -1000000000        },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *conf = parse(rows[i].text);
        const struct conf_value *value = conf_get(conf_root(conf), "a");
        cr_expect_eq(value->integer, rows[i].value, "%s: %lld", rows[i].text,
                     (long long)value->integer);
        conf_free(conf);
    }
}

Test(conf, strings)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"a=b",                 "b"            },
        { "a=b#c",              "b#c"          },
        { "a=b #c",             "b"            },
        { "a='\\t$x'",          "\\t$x"        },
        { "a=\"\\t\\x41\\\"\"", "\tA\""        },
        { "a=C:\\temp",         "C:\temp"      },
        { "a=(\n{x}\n)\n",      "\n{x}\n"      },
        { "a=(\n{x}\n)",        "\n{x}\n"      }, /* nats-server keeps the parenthesis */
        { "a=(\r\nx\r\n)\r\n",  "\r\nx\r\n"    }, /* nats-server reads on to the end */
        { "a=5s",               "5s"           },
        { "a=1m30s",            "1m30s"        },
        { "a=10.0.0.1:4222",    "10.0.0.1:4222"},
        { "a=$2a$11$xyz",       "$2a$11$xyz"   },
        { "a=",                 ""             },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *conf = parse(rows[i].text);
        const struct conf_value *value = conf_get(conf_root(conf), "a");
        cr_assert_eq(value->type, CONF_STRING);
        cr_expect_str_eq((const char *)value->string.ptr, rows[i].value, "%s", rows[i].text);
        cr_expect_eq(value->string.len, strlen(rows[i].value));
        conf_free(conf);
    }
}

Test(conf, strings_may_hold_nul_bytes_and_end_in_one)
{
    struct conf *conf = parse("a=\"x\\x00y\"");
    const struct conf_value *value = conf_get(conf_root(conf), "a");
    cr_assert_eq(value->string.len, 3);
    cr_expect_arr_eq(value->string.ptr, "x\0y", 4);
    conf_free(conf);
}

/* ---- maps ---- */

Test(conf, members_keep_the_order_of_the_file)
{
    struct conf *conf = parse("c=1\nb=2\na=3\nb=4\nd=5");
    const struct conf_value *root = conf_root(conf);
    static const char *const keys[] = { "c", "a", "b", "d" };
    cr_assert_eq(root->count, COUNT_OF(keys));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        cr_expect_str_eq(root->items[i]->key, keys[i]);
    cr_expect_eq(root->items[2]->integer, 4);
    conf_free(conf);
}

Test(conf, names_are_found_in_any_case_and_the_last_one_wins)
{
    struct conf *conf = parse("Max_Payload=1\nmax_payload=2\nother=3");
    const struct conf_value *root = conf_root(conf);
    cr_expect_eq(root->count, 3);
    cr_expect_eq(conf_get(root, "MAX_PAYLOAD")->integer, 2);
    cr_expect_null(conf_get(root, "max"));
    cr_expect_null(conf_get(conf_get(root, "other"), "x"));
    cr_expect_null(conf_get(NULL, "x"));
    conf_free(conf);
}

Test(conf, a_map_with_many_members_is_read_quickly)
{
    enum { COUNT = 100000 };
    struct buf text = { 0 };
    for (int i = 0; i < COUNT; i++)
        buf_printf(&text, "key%d=%d\n", i, i);
    for (int i = 0; i < COUNT; i += 2)
        buf_printf(&text, "key%d=%d\n", i, -i);
    struct conf *conf = parse(buf_str(&text));
    cr_expect_eq(conf_root(conf)->count, COUNT);
    cr_expect_str_eq(conf_root(conf)->items[0]->key, "key1");
    cr_expect_eq(conf_get(conf_root(conf), "key99998")->integer, -99998);
    conf_free(conf);
    buf_free(&text);
}

Test(conf, a_byte_order_mark_is_skipped)
{
    struct conf *conf = parse("\xef\xbb\xbfport: 4222");
    const struct conf_value *port = conf_get(conf_root(conf), "port");
    cr_assert(port);
    cr_expect_eq(port->pos.column, 0);
    conf_free(conf);
}

Test(conf, integers_may_touch_the_bracket)
{
    struct conf *conf = parse("a=[1,2,3]\nb=[80]\nc=[[4],[5k,6]]");
    const struct conf_value *a = conf_get(conf_root(conf), "a");
    cr_assert_eq(a->count, 3);
    cr_expect_eq(a->items[2]->integer, 3);
    cr_expect_eq(conf_get(conf_root(conf), "b")->items[0]->integer, 80);
    const struct conf_value *c = conf_get(conf_root(conf), "c");
    cr_expect_eq(c->items[1]->items[0]->integer, 5000);
    cr_expect_eq(c->items[1]->items[1]->integer, 6);
    conf_free(conf);
}

Test(conf, a_variable_shares_its_members)
{
    struct conf *conf = parse("v={x=[1 ]}\na=$v");
    const struct conf_value *v = conf_get(conf_root(conf), "v"),
                            *a = conf_get(conf_root(conf), "a");
    cr_expect(v->used);
    cr_expect_not(a->used);
    cr_expect_str_eq(a->key, "a");
    cr_expect_eq(conf_get(a, "x")->items[0]->integer, 1);
    cr_expect_eq(conf_get(a, "x"), conf_get(v, "x"));
    conf_free(conf);
}
