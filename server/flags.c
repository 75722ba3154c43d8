/* flags.c - reads the command line by Go's rules, and prints the help. */
#include "flags.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flags_rows.h"
#include "version.h"

enum { EXIT_BAD_FLAG = 2 };

/* ---- reading ------------------------------------------------------------------------------ */

static bool parse_bool(const char *text, bool *out)
{
    static const char *const TRUES[] = { "1", "t", "T", "true", "TRUE", "True" };
    static const char *const FALSES[] = { "0", "f", "F", "false", "FALSE", "False" };
    for (size_t i = 0; i < sizeof TRUES / sizeof *TRUES; i++) {
        if (strcmp(text, TRUES[i]) == 0 || strcmp(text, FALSES[i]) == 0) {
            *out = strcmp(text, TRUES[i]) == 0;
            return true;
        }
    }
    return false;
}

/* NULL, or why the text is no number. */
static const char *parse_int(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 0);
    if (end == text || *end || isspace((unsigned char)*text))
        return "parse error";
    *out = number;
    return errno == ERANGE ? "value out of range" : NULL;
}

static bool name_is_listed(const char *names, struct span name)
{
    for (const char *at = names; *at;) {
        size_t len = strcspn(at, " ");
        if (span_equal(name, span_make(at, len)))
            return true;
        at += len + strspn(at + len, " ");
    }
    return false;
}

static enum flag_id find_flag(struct span name)
{
    for (int id = 0; id < FLAG_COUNT; id++)
        if (name_is_listed(FLAG_ROWS[id].names, name))
            return (enum flag_id)id;
    return FLAG_COUNT;
}

/* `ps` shows argv: what is secret must not stay there. */
static void blank(char *text)
{
    for (; *text; text++)
        *text = 'x';
}

static void store_text(struct flag_value *value, char *text, bool secret)
{
    if (value->text)
        OPENSSL_cleanse(value->text, strlen(value->text));
    free(value->text);
    value->text = mem_strdup(text);
    if (secret)
        blank(text);
}

/* Puts the value of one flag in its place. `text` NULL: a boolean without one. */
static bool store_value(struct flags *flags, enum flag_id id, struct span name, char *text,
                        struct error *err)
{
    const struct flag_row *row = &FLAG_ROWS[id];
    struct flag_value *value = &flags->values[id];
    const char *reason = NULL;
    value->given = true;
    switch (row->type) {
    case FLAG_IS_BOOL:
        value->boolean = true;
        if (text && !parse_bool(text, &value->boolean))
            return error_set(err, "invalid boolean value \"%s\" for -%.*s: parse error", text,
                             SPAN_ARG(name));
        return true;
    case FLAG_IS_INT:
        reason = parse_int(text, &value->number);
        if (reason)
            return error_set(err, "invalid value \"%s\" for flag -%.*s: %s", text, SPAN_ARG(name),
                             reason);
        return true;
    case FLAG_IS_TEXT: store_text(value, text, row->secret); return true;
    }
    return false;
}

/* Reads the flag at argv[*at] and its value, and moves on. */
static bool parse_flag(struct flags *flags, char **argv, int *at, struct error *err)
{
    char *arg = argv[(*at)++];
    char *word = arg + (arg[1] == '-' ? 2 : 1);
    if (*word == '-' || *word == '=')
        return error_set(err, "bad flag syntax: %s", arg);
    struct span name = span_make(word, strcspn(word, "="));
    char *text = word[name.len] == '=' ? &word[name.len + 1] : NULL;
    enum flag_id id = find_flag(name);
    if (id == FLAG_COUNT)
        return error_set(err, "flag provided but not defined: -%.*s", SPAN_ARG(name));
    if (!text && FLAG_ROWS[id].type != FLAG_IS_BOOL) {
        text = argv[*at];
        if (!text)
            return error_set(err, "flag needs an argument: -%.*s", SPAN_ARG(name));
        (*at)++;
    }
    return store_value(flags, id, name, text, err);
}

/* Returns the index of the first word that is no flag; -1 when a flag is bad. */
static int parse_flags(struct flags *flags, int argc, char **argv, struct error *err)
{
    int at = 1;
    while (at < argc) {
        const char *arg = argv[at];
        if (arg[0] != '-' || arg[1] == '\0')
            return at;
        if (strcmp(arg, "--") == 0)
            return at + 1;
        if (!parse_flag(flags, argv, &at, err))
            return -1;
    }
    return at;
}

/* ---- help --------------------------------------------------------------------------------- */

static void print_names(struct buf *out, const struct flag_row *row)
{
    size_t from = out->len;
    buf_append_str(out, "   ");
    for (const char *at = row->names; *at;) {
        size_t len = strcspn(at, " ");
        bool is_long = len > 2 && !isupper((unsigned char)*at);
        buf_printf(out, "%s%s%.*s", at == row->names ? " " : ", ", is_long ? "--" : "-", (int)len,
                   at);
        at += len + strspn(at + len, " ");
    }
    if (row->argument)
        buf_printf(out, " %s", row->argument);
    buf_printf(out, "%*s", out->len - from < 42 ? (int)(42 - (out->len - from)) : 1, "");
}

static void print_usage(const char *program)
{
    struct buf out = { 0 };
    const char *group = "";
    buf_printf(&out, "Usage: %s [flags]\n", program);
    for (int id = 0; id < FLAG_COUNT; id++) {
        const struct flag_row *row = &FLAG_ROWS[id];
        if (strcmp(row->group, group) != 0) {
            group = row->group;
            buf_printf(&out, "\n%s\n", group);
        }
        print_names(&out, row);
        buf_printf(&out, " %s\n", row->help);
    }
    buf_append_str(&out, "\nA flag may be written with one dash or two, its value as -x VALUE or "
                         "-x=VALUE.\nFlags win over the configuration file, also when it is "
                         "reloaded.\n");
    fputs(buf_str(&out), stdout);
    buf_free(&out);
}

static void print_tls_help(void)
{
    fputs(
        "TLS of the client port is switched on by --tls or --tlsverify, or by a tls block in the\n"
        "configuration file. A certificate and its key are needed:\n"
        "\n"
        "    --tls --tlscert server.pem --tlskey server-key.pem\n"
        "\n"
        "Clients are asked for a certificate, and it is checked against the given authorities:\n"
        "\n"
        "    --tlsverify --tlscert server.pem --tlskey server-key.pem --tlscacert ca.pem\n"
        "\n"
        "Everything else (TLS versions, cipher suites, pinned keys, revocation by OCSP) is said\n"
        "in the tls block; docs/configuration.md lists its options.\n",
        stdout);
}

/* ---- outcome ------------------------------------------------------------------------------ */

static void leave(struct flags *flags, int exit_code)
{
    flags->action = FLAGS_EXIT;
    flags->exit_code = exit_code;
}

static void run_word(struct flags *flags, const char *word)
{
    if (strcasecmp(word, "version") == 0) {
        printf("%s: v%s\n", flags->program, VOUCH_NATS_VERSION);
        leave(flags, EXIT_SUCCESS);
    } else if (strcasecmp(word, "help") == 0) {
        print_usage(flags->program);
        leave(flags, EXIT_SUCCESS);
    } else {
        fprintf(stderr, "%s: unrecognized command: \"%s\"\n", flags->program, word);
        leave(flags, EXIT_FAILURE);
    }
}

static void decide(struct flags *flags, const char *word)
{
    const struct flag_value *values = flags->values;
    if (values[FLAG_VERSION].boolean) {
        run_word(flags, "version");
    } else if (values[FLAG_HELP].boolean) {
        run_word(flags, "help");
    } else if (values[FLAG_HELP_TLS].boolean) {
        print_tls_help();
        leave(flags, EXIT_SUCCESS);
    } else if (word) {
        run_word(flags, word);
    } else if (values[FLAG_SIGNAL].text && *values[FLAG_SIGNAL].text) {
        flags->action = FLAGS_SIGNAL;
    } else if (values[FLAG_CHECK].boolean && !flags_config_file(flags)) {
        fprintf(stderr,
                "%s: must specify [-c, --config] option to check configuration file syntax\n",
                flags->program);
        leave(flags, EXIT_FAILURE);
    } else if (values[FLAG_CHECK].boolean) {
        flags->action = FLAGS_CHECK;
    }
}

struct flags *flags_parse(int argc, char **argv)
{
    struct flags *flags = mem_zero(sizeof *flags);
    struct error err = { "" };
    const char *path = argc > 0 && argv[0] ? argv[0] : "vouchd";
    const char *slash = strrchr(path, '/');
    flags->program = mem_strdup(slash ? slash + 1 : path);
    int rest = parse_flags(flags, argc, argv, &err);
    if (rest >= 0) {
        decide(flags, rest < argc ? argv[rest] : NULL);
        return flags;
    }
    fprintf(stderr, "%s\n", err.text);
    print_usage(flags->program);
    leave(flags, EXIT_BAD_FLAG);
    return flags;
}

void flags_free(struct flags *flags)
{
    if (!flags)
        return;
    for (int id = 0; id < FLAG_COUNT; id++) {
        char *text = flags->values[id].text;
        if (text)
            OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
    free(flags->program);
    free(flags);
}

enum flags_action flags_action(const struct flags *flags)
{
    return flags->action;
}

int flags_exit_code(const struct flags *flags)
{
    return flags->exit_code;
}

const char *flags_signal(const struct flags *flags)
{
    return flags->values[FLAG_SIGNAL].text;
}

const char *flags_config_file(const struct flags *flags)
{
    const char *path = flags->values[FLAG_CONFIG].text;
    return path && *path ? path : NULL;
}

const char *flags_program(const struct flags *flags)
{
    return flags->program;
}
