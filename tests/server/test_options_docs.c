/* test_options_docs.c - docs/configuration.md is what the tables say. After a change of a table:
 *
 *     VOUCH_WRITE_DOCS=1 test_server --filter options_docs/are_up_to_date
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "options.h"

static char *docs_path(void)
{
    static const char HERE[] = "tests/server/test_options_docs.c";
    size_t len = strlen(__FILE__) - strlen(HERE);
    return mem_printf("%.*sdocs/configuration.md", (int)len, __FILE__);
}

Test(options_docs, are_up_to_date)
{
    struct buf made = { 0 }, kept = { 0 };
    char *path = docs_path(), block[4096];
    bool writes = getenv("VOUCH_WRITE_DOCS") != NULL;
    options_print_docs(&made);
    FILE *file = fopen(path, writes ? "w" : "r");
    cr_assert_not_null(file, "%s", path);
    if (writes) {
        fwrite(made.data, 1, made.len, file);
    } else {
        for (size_t len; (len = fread(block, 1, sizeof block, file)) > 0;)
            buf_append(&kept, block, len);
        cr_expect_str_eq(buf_str(&kept), buf_str(&made), "%s is behind server/options_*.c", path);
    }
    fclose(file);
    buf_free(&made);
    buf_free(&kept);
    free(path);
}
