#include <criterion/criterion.h>

#include <string.h>

#include "list.h"

struct member {
    char name;
    struct list link;
};

static const char *names(struct list *list)
{
    static char text[16];
    size_t len = 0;
    list_each(link, list) text[len++] = list_entry(link, struct member, link)->name;
    text[len] = '\0';
    return text;
}

Test(list, keeps_the_order_of_insertion)
{
    struct list list;
    struct member a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
    list_init(&list);
    cr_expect(list_is_empty(&list));
    list_append(&list, &b.link);
    list_append(&list, &c.link);
    list_prepend(&list, &a.link);
    cr_expect_str_eq(names(&list), "abc");
    cr_expect_not(list_is_empty(&list));
}

Test(list, removing_twice_does_nothing)
{
    struct list list;
    struct member a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
    list_init(&list);
    list_append(&list, &a.link);
    list_append(&list, &b.link);
    list_append(&list, &c.link);
    list_remove(&b.link);
    list_remove(&b.link);
    cr_expect_str_eq(names(&list), "ac");
    list_insert_before(&c.link, &b.link);
    cr_expect_str_eq(names(&list), "abc");
}

Test(list, the_current_member_may_be_removed)
{
    struct list list;
    struct member members[5];
    list_init(&list);
    for (int i = 0; i < 5; i++) {
        members[i].name = (char)('a' + i);
        list_append(&list, &members[i].link);
    }
    list_each(link, &list)
    {
        if (list_entry(link, struct member, link)->name != 'c')
            list_remove(link);
    }
    cr_expect_str_eq(names(&list), "c");
}
