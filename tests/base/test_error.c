#include <criterion/criterion.h>

#include <string.h>

#include "error.h"

Test(error, says_what_went_wrong_and_returns_false)
{
    struct error err = { 0 };
    cr_expect_not(error_set(&err, "cannot read '%s': %d", "x", 5));
    cr_expect_str_eq(err.text, "cannot read 'x': 5");
}

Test(error, nobody_has_to_listen)
{
    cr_expect_not(error_set(NULL, "lost"));
    cr_expect_not(error_prefix(NULL, "lost"));
}

Test(error, prefixes_pile_up)
{
    struct error err = { 0 };
    error_set(&err, "permission denied");
    cr_expect_not(error_prefix(&err, "key '%s'", "k.pem"));
    error_prefix(&err, "tls");
    cr_expect_str_eq(err.text, "tls: key 'k.pem': permission denied");
}

Test(error, may_be_made_from_itself)
{
    struct error err = { 0 };
    error_set(&err, "inner");
    error_set(&err, "outer (%s)", err.text);
    cr_expect_str_eq(err.text, "outer (inner)");
}

Test(error, is_cut_to_fit)
{
    struct error err = { 0 };
    char longer[3000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    error_set(&err, "%s", longer);
    cr_expect_eq(strlen(err.text), sizeof err.text - 1);
    error_prefix(&err, "prefix");
    cr_expect_eq(strlen(err.text), sizeof err.text - 1);
    cr_expect_eq(strncmp(err.text, "prefix: xxx", 11), 0);
}
