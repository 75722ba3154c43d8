/* Files: loading, and including others. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/conf.h"

#include "conf_samples.h"

static char folder[] = "/tmp/test_conf.XXXXXX";

static void enter_folder(void)
{
    cr_assert(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    cr_assert_eq(chdir("/"), 0);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(conf_include, .init = enter_folder, .fini = remove_folder);

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static struct conf *load(const char *path)
{
    struct error err = { 0 };
    struct conf *conf = conf_load(path, &err);
    cr_assert(conf, "%s", err.text);
    return conf;
}

static void expect_same(const char *path, const char *text)
{
    struct conf *left = load(path), *right = conf_parse(span_of(text), "same.conf", NULL);
    struct buf digests[2] = { 0 };
    cr_assert(right);
    conf_digest(left, &digests[0]);
    conf_digest(right, &digests[1]);
    cr_expect_str_eq(buf_str(&digests[0]), buf_str(&digests[1]), "%s", text);
    buf_free(&digests[0]);
    buf_free(&digests[1]);
    conf_free(left);
    conf_free(right);
}

static void expect_error(const char *path, const char *message)
{
    struct error err = { 0 };
    struct conf *conf = conf_load(path, &err);
    cr_expect_null(conf);
    cr_expect_str_eq(err.text, message, "%s", err.text);
    conf_free(conf);
}

Test(conf_include, files_that_cannot_be_read)
{
    expect_error("nowhere.conf", "open nowhere.conf: no such file or directory");
    expect_error("/nowhere/x.conf", "open /nowhere/x.conf: no such file or directory");
    expect_error(".", "read .: is a directory");
    write_file("bad.conf", "a=1\nb");
    expect_error("bad.conf", "config is invalid (bad.conf:2:2)");
}

Test(conf_include, brings_keys_into_the_map_at_hand)
{
    static const struct {
        const char *text, *same;
    } rows[] = {
        {"include part.conf",                         "i=5\nj=5"           },
        { "INCLUDE 'part.conf'\n",                    "i=5\nj=5"           },
        { "Include \"./part.conf\" # why not\n",      "i=5\nj=5"           },
        { "a=1\ninclude\tpart.conf;b=2",              "a=1\ni=5\nj=5\nb=2" },
        { "m {include part.conf}\n",                  "m={i=5,j=5}"        },
        { "m {\n a=1\n include part.conf\n b=2\n}\n", "m={a=1,i=5,j=5,b=2}"},
        { "{include part.conf}",                      "i=5\nj=5"           },
        { "include part.conf\nk=$j",                  "i=5\nj=5\nk=5"      },
        { "i=6\ninclude part.conf\nk=$i",             "i=5\nj=5\nk=5"      },
        { "include part.conf\ni=7",                   "i=7\nj=5"           },
        { "include part.conf\ninclude part.conf",     "i=5\nj=5"           },
    };
    write_file("part.conf", "i=5\nj=$i\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_file("main.conf", rows[i].text);
        expect_same("main.conf", rows[i].same);
    }
}

Test(conf_include, paths_begin_at_the_file_that_names_them)
{
    mkdir("sub", 0755);
    mkdir("sub/deep", 0755);
    write_file("main.conf", "include sub/one.conf\n");
    write_file("sub/one.conf", "one=1\ninclude deep/two.conf\ninclude ../three.conf\n");
    write_file("sub/deep/two.conf", "two=2\n");
    write_file("three.conf", "three=3\n");
    expect_same("main.conf", "one=1\ntwo=2\nthree=3");

    struct conf *conf = load("main.conf");
    const struct conf_value *two = conf_get(conf_root(conf), "two");
    cr_expect_str_eq(two->pos.file, "sub/deep/two.conf");
    cr_expect_eq(two->pos.line, 1);
    cr_expect_str_eq(conf_get(conf_root(conf), "three")->pos.file, "three.conf");
    conf_free(conf);
}

Test(conf_include, absolute_paths_are_joined_first)
{
    char text[128];
    snprintf(text, sizeof text, "include '%s/part.conf'\n", folder);
    mkdir("tmp", 0755);
    mkdir(folder + 1, 0755); /* the folder's own name below itself */
    write_file("main.conf", text);
    write_file("part.conf", "from=outside\n");
    expect_same("main.conf", "from=outside");

    char inner[128];
    snprintf(inner, sizeof inner, "%s/part.conf", folder + 1);
    write_file(inner, "from=inside\n");
    expect_same("main.conf", "from=inside");
}

Test(conf_include, a_file_sees_only_itself_and_the_environment)
{
    conf_set_environment();
    write_file("main.conf", "v=1\ninclude part.conf\n");
    write_file("part.conf", "a=$v\n");
    expect_error("main.conf", "error parsing include file 'part.conf', variable reference for 'v' "
                              "on line 1 can not be found");
    write_file("part.conf", "a=$CONF_NUMBER\n");
    expect_same("main.conf", "v=1\na=5");
}

Test(conf_include, errors_name_the_file)
{
    static const struct {
        const char *part, *message;
    } rows[] = {
        {"a=1\nb",                      "error parsing include file 'sub/part.conf', config is invalid "
                    "(sub/part.conf:2:2)"                                                                   },
        { "a=[",                        "error parsing include file 'sub/part.conf', Parse error on line 1: 'Expected an "
                 "array value terminator \",\" or an array terminator \"]\", but got 'EOF' "
                 "instead.'"                                                                                  },
        { "include gone.conf",          "error parsing include file 'sub/part.conf', error parsing include "
                               "file 'gone.conf', open sub/gone.conf: no such file or directory"},
        { "include /nowhere/gone.conf",
         "error parsing include file 'sub/part.conf', error parsing include file "
          "'/nowhere/gone.conf', open /nowhere/gone.conf: no such file or directory"                                          },
        { "include ''",                 "error parsing include file 'sub/part.conf', error parsing include file "
                        "'', read sub: is a directory"                                                 },
    };
    mkdir("sub", 0755);
    write_file("main.conf", "m={\ninclude sub/part.conf\n}\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_file("sub/part.conf", rows[i].part);
        expect_error("main.conf", rows[i].message);
    }
}

Test(conf_include, used_variables_of_an_included_file_are_marked)
{
    write_file("main.conf", "include part.conf\nk=$j\n");
    write_file("part.conf", "i=5\nj=$i\nl=1\n");
    struct conf *conf = load("main.conf");
    cr_expect(conf_get(conf_root(conf), "i")->used);
    cr_expect(conf_get(conf_root(conf), "j")->used);
    cr_expect_not(conf_get(conf_root(conf), "l")->used);
    conf_free(conf);
}

Test(conf_include, ten_files_deep_and_no_deeper)
{
    for (int i = 0; i < 11; i++) {
        char path[32], text[32];
        snprintf(path, sizeof path, "f%d.conf", i);
        snprintf(text, sizeof text, "k%d=1\ninclude f%d.conf", i, i + 1);
        write_file(path, text);
    }
    write_file("f10.conf", "last=1");
    struct conf *conf = load("f0.conf");
    cr_expect(conf_get(conf_root(conf), "last"));
    conf_free(conf);
    write_file("f10.conf", "include f11.conf");
    write_file("f11.conf", "last=1");
    expect_error("f0.conf",
                 "include files are nested deeper than 10: f0.conf -> f1.conf -> f2.conf "
                 "-> f3.conf -> f4.conf -> f5.conf -> f6.conf -> f7.conf -> f8.conf -> "
                 "f9.conf -> f10.conf -> f11.conf");
}

Test(conf_include, a_file_that_includes_itself)
{
    write_file("me.conf", "include me.conf\n");
    expect_error(
        "me.conf",
        "include files are nested deeper than 10: me.conf -> me.conf -> me.conf -> me.conf "
        "-> me.conf -> me.conf -> me.conf -> me.conf -> me.conf -> me.conf -> me.conf -> "
        "me.conf");
}

/* Ten levels of ten includes would be ten thousand million files. */
Test(conf_include, the_number_of_files_is_limited)
{
    for (int i = 0; i < 10; i++) {
        char path[32];
        struct buf text = { 0 };
        snprintf(path, sizeof path, "f%d.conf", i);
        for (int k = 0; k < 10; k++)
            buf_printf(&text, "include f%d.conf\n", i + 1);
        write_file(path, buf_str(&text));
        buf_free(&text);
    }
    write_file("f10.conf", "a=1");
    struct error err = { 0 };
    cr_expect_null(conf_load("f0.conf", &err));
    cr_expect(strstr(err.text, ": more than 10000 included files"), "%s", err.text);
}
