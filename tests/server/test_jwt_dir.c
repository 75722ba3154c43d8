/* test_jwt_dir.c - a directory of a resolver: files of accounts, and what is none. */
#include "test_options_fixture.h"

#include "base/clock.h"

#include "identity/signer.h"
#include "jwt_dir.h"

#include <utime.h>

TestSuite(jwt_dir, .init = enter_empty_folder, .fini = leave_folder);

static const struct resolver_dir_options FULL = { .type = "full", .dir = "jwt" };
static const struct resolver_dir_options SMALL = { .type = "full", .dir = "jwt", .limit = 2 };
static const struct resolver_dir_options CACHE = {
    .type = "cache", .dir = "jwt", .limit = 2, .ttl_ms = 60 * 1000
};

static const char *new_account(void)
{
    return signer_public(signer_new('A'));
}

static const char *issued_at(const char *account, int time_s)
{
    char claims[512];
    struct signer *operator_ = signer_new('O');
    snprintf(claims, sizeof claims,
             "{\"iat\":%d,\"iss\":\"%s\",\"sub\":\"%s\",\"nats\":{\"version\":2%s}}", time_s,
             signer_public(operator_), account, NATS_ACCOUNT);
    return signer_token(operator_, "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}", claims, false);
}

static bool save(const struct resolver_dir_options *dir, const char *account, const char *token,
                 enum jwt_dir_rule rule)
{
    struct error err = { "" };
    bool saved;
    cr_expect(jwt_dir_save(dir, account, span_of(token), rule, &saved, &err), "%s", err.text);
    return saved;
}

static void expect_token(const struct resolver_dir_options *dir, const char *account,
                         const char *wanted)
{
    struct buf token = { 0 };
    struct error err = { "" };
    cr_expect(jwt_dir_read(dir, account, &token, &err), "%s", err.text);
    cr_expect_str_eq(buf_str(&token), wanted);
    buf_free(&token);
}

static void open_dir(const struct resolver_dir_options *dir)
{
    struct error err = { "" };
    cr_assert(jwt_dir_open(dir, &err), "%s", err.text);
}

static void make_old(const char *account, int age_s)
{
    time_t then_s = (time_t)(clock_wall_ns() / NS_PER_S) - age_s;
    struct utimbuf times = { then_s, then_s };
    cr_assert_eq(utime(signer_text("jwt/%s.jwt", account), &times), 0);
}

Test(jwt_dir, what_is_saved_is_read_and_listed)
{
    const char *a = new_account(), *b = new_account();
    open_dir(&FULL);
    expect_token(&FULL, a, "");
    cr_expect(save(&FULL, a, "one", JWT_DIR_ALWAYS));
    cr_expect(save(&FULL, b, "two", JWT_DIR_ALWAYS));
    cr_expect(save(&FULL, a, "three", JWT_DIR_ALWAYS));
    expect_token(&FULL, a, "three");
    write_file("jwt/notes.jwt", "x"); /* none of ours */
    write_file(signer_text("jwt/%s.jwt.deleted", a), "x");
    write_file(signer_text("jwt/%s.jwt", signer_public(signer_new('U'))), "x");
    struct jwt_dir_names names = jwt_dir_list(&FULL);
    cr_expect_eq(names.count, 2);
    cr_expect(strcmp(names.items[0], names.items[1]) < 0);
    jwt_dir_names_free(&names);
}

Test(jwt_dir, a_file_in_place_of_the_directory_is_told)
{
    struct error err = { "" };
    write_file("jwt", "x");
    cr_expect_not(jwt_dir_open(&FULL, &err));
    cr_expect_str_eq(err.text, "jwt is not a directory");
}

Test(jwt_dir, the_newer_token_stays)
{
    const char *id = new_account();
    const char *old = issued_at(id, 1000), *new = issued_at(id, 2000);
    open_dir(&FULL);
    cr_expect(save(&FULL, id, old, JWT_DIR_IF_NEWER));
    cr_expect(save(&FULL, id, new, JWT_DIR_IF_NEWER));
    cr_expect_not(save(&FULL, id, old, JWT_DIR_IF_NEWER));
    cr_expect_not(save(&FULL, id, issued_at(id, 2000), JWT_DIR_IF_NEWER));
    expect_token(&FULL, id, new);
    cr_expect(save(&FULL, id, old, JWT_DIR_ALWAYS));
    expect_token(&FULL, id, old);
    cr_expect(save(&FULL, id, "garbage", JWT_DIR_ALWAYS)); /* has no say */
    cr_expect(save(&FULL, id, old, JWT_DIR_IF_NEWER));
    expect_token(&FULL, id, old);
}

Test(jwt_dir, a_full_directory_takes_no_more)
{
    struct error err = { "" };
    const char *a = new_account(), *b = new_account(), *c = new_account();
    bool saved;
    open_dir(&SMALL);
    cr_expect(save(&SMALL, a, "a", JWT_DIR_ALWAYS));
    cr_expect(save(&SMALL, b, "b", JWT_DIR_ALWAYS));
    cr_expect_not(jwt_dir_save(&SMALL, c, span_of("c"), JWT_DIR_ALWAYS, &saved, &err));
    cr_expect_str_eq(err.text, "jwt store is full");
    cr_expect(save(&SMALL, a, "again", JWT_DIR_ALWAYS));
    expect_token(&SMALL, a, "again");
}

Test(jwt_dir, a_cache_forgets_what_was_not_used)
{
    const char *a = new_account(), *b = new_account(), *c = new_account();
    open_dir(&CACHE);
    cr_expect_not(save(&CACHE, a, "a", JWT_DIR_IF_PRESENT));
    cr_expect(save(&CACHE, a, "a", JWT_DIR_ALWAYS));
    cr_expect(save(&CACHE, a, "aa", JWT_DIR_IF_PRESENT));
    cr_expect(save(&CACHE, b, "b", JWT_DIR_ALWAYS));
    make_old(a, 50);
    make_old(b, 40);
    expect_token(&CACHE, a, "aa"); /* is used now */
    cr_expect(save(&CACHE, c, "c", JWT_DIR_ALWAYS));
    expect_token(&CACHE, b, "");
    expect_token(&CACHE, a, "aa");
    make_old(a, 61);
    expect_token(&CACHE, a, "");
    expect_token(&CACHE, c, "c");
}

Test(jwt_dir, deleted_files_are_kept_under_another_name_or_not)
{
    struct resolver_dir_options hard = FULL;
    struct error err = { "" };
    const char *id = new_account();
    hard.hard_delete = true;
    open_dir(&FULL);
    cr_expect(jwt_dir_delete(&FULL, id, &err), "nothing to do: %s", err.text);
    save(&FULL, id, "one", JWT_DIR_ALWAYS);
    cr_expect(jwt_dir_delete(&FULL, id, &err), "%s", err.text);
    expect_token(&FULL, id, "");
    cr_expect_eq(access(signer_text("jwt/%s.jwt.deleted", id), F_OK), 0);
    save(&FULL, id, "two", JWT_DIR_ALWAYS);
    cr_expect(jwt_dir_delete(&hard, id, &err), "%s", err.text);
    expect_token(&FULL, id, "");
}

Test(jwt_dir, what_cannot_be_read_is_told)
{
    struct buf token = { 0 };
    struct error err = { "" };
    const char *id = new_account();
    open_dir(&FULL);
    cr_assert_eq(mkdir(signer_text("jwt/%s.jwt", id), 0700), 0);
    cr_expect_not(jwt_dir_read(&FULL, id, &token, &err));
    cr_expect(strstr(err.text, "is a directory"), "%s", err.text);
    buf_free(&token);
}
