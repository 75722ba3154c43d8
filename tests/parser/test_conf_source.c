/* Paths of included files are put together as Go's filepath.Join does it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "conf_source.h"

#include "conf_samples.h"

Test(conf_source, join)
{
    static const struct {
        const char *dir, *path, *joined;
    } rows[] = {
        {"a",    "b",            "a/b"    },
        { "a/",  "b",            "a/b"    },
        { "a",   "/b",           "a/b"    },
        { ".",   "b",            "b"      },
        { "./",  "b",            "b"      },
        { "/",   "b",            "/b"     },
        { "/",   "..",           "/"      },
        { "/a",  "../../b",      "/b"     },
        { "a",   "..",           "."      },
        { "a",   "../b",         "b"      },
        { "a",   "../../b",      "../b"   },
        { "..",  "../b",         "../../b"},
        { ".",   "../b/../../c", "../../c"},
        { "a/b", "./.././c//d/", "a/c/d"  },
        { "",    "b",            "b"      },
        { "",    "/b",           "/b"     },
        { "",    "",             "."      },
        { ".",   "",             "."      },
        { ".",   "...",          "..."    },
        { "a",   "b..",          "a/b.."  },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *joined = conf_source_join(rows[i].dir, rows[i].path);
        cr_expect_str_eq(joined, rows[i].joined, "%s + %s: %s", rows[i].dir, rows[i].path, joined);
        free(joined);
    }
}

Test(conf_source, reading_stops_at_the_limit)
{
    struct buf out = { 0 };
    struct error err = { 0 };
    cr_expect_not(conf_source_read("/dev/zero", 1000, &out, &err));
    cr_expect_str_eq(err.text, "/dev/zero: the configuration is larger than 1000 bytes");
    buf_free(&out);
}
