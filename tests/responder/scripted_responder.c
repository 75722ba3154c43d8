/* scripted_responder.c - the scripted OCSP responder as a program: a line of input is an order, and
 * is answered by a line of output; the end of the input ends it.
 *
 *   scripted_responder FOLDER     FOLDER holds certificates of tests/certs/make.sh, or will
 *
 *   url SLOT                      -> http://127.0.0.1:PORT/SLOT
 *   faults                        -> the rows of tests/ocsp/faults.c: NAME|COLD|GOOD|REVOKED|..., then "ok"
 *   issue NAME URL                issues FOLDER/NAME.pem under ca.pem, with its responder there
 *   say SLOT NAME STATUS SPAN     from now on: NAME is good, revoked or unknown, for SPAN seconds
 *   commit SLOT NAME FAULT        from now on: the fault of that name, in answers about NAME
 *   requests SLOT                 -> how many came; -1 for all slots
 */
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "ocsp/faults.h"

enum { LINE_ROOM = 1024, SLOT_BEYOND = RESPONDER_SLOTS - 1 };

struct known {
    struct known *next;
    char name[64];
    struct pki_cert cert;
};

static const char *folder;
static struct responder *responder;
static struct known *known;
static struct fault_cast cast;

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "scripted_responder: %s '%s'\n", what, which);
    exit(1);
}

/* ---- certificates --------------------------------------------------------------------------------- */

static FILE *open_file(const char *name, const char *ending, const char *mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, mode);
    if (!file)
        fail("cannot open", path);
    return file;
}

static struct pki_cert *add(const char *name)
{
    struct known *entry = mem_zero(sizeof *entry);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->next = known;
    known = entry;
    return &entry->cert;
}

static const struct pki_cert *find(const char *name)
{
    for (struct known *entry = known; entry; entry = entry->next)
        if (strcmp(entry->name, name) == 0)
            return &entry->cert;
    struct pki_cert *cert = add(name);
    FILE *pem = open_file(name, "pem", "re"), *key = open_file(name, "key", "re");
    cert->x509 = PEM_read_X509(pem, NULL, NULL, NULL);
    cert->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    fclose(pem);
    fclose(key);
    if (!cert->x509 || !cert->key)
        fail("cannot read certificate and key", name);
    return cert;
}

static const struct pki_cert *issuer_of(const char *name)
{
    return find(strncmp(name, "int/", 4) == 0 ? "int" : "ca");
}

/* ---- orders --------------------------------------------------------------------------------------- */

/* The words of a line; the last one has all the rest. */
static char *word(char **rest, bool is_last)
{
    char *found = is_last ? *rest : strsep(rest, " ");
    if (!found)
        fail("an order ends too early", "");
    return found;
}

static int slot(char **rest)
{
    return (int)strtol(word(rest, false), NULL, 10);
}

static void print_url(char *rest)
{
    puts(responder_url(responder, slot(&rest)));
}

static void print_faults(char *rest)
{
    (void)rest;
    for (int i = 0; i < FAULT_COUNT; i++) {
        printf("%s", FAULTS[i].what);
        for (int memory = COLD; memory < FAULT_MEMORIES; memory++)
            printf("|%s", FAULTS[i].enters[memory]);
        printf("|%d\n", FAULTS[i].place);
    }
    puts("ok");
}

static void issue(char *rest)
{
    const char *name = word(&rest, false), *url = word(&rest, true);
    struct pki_cert *cert = add(name);
    *cert = pki_make(&(struct pki_spec){ .name = name, .issuer = find("ca"), .urls = { url } });
    FILE *pem = open_file(name, "pem", "we"), *key = open_file(name, "key", "we");
    PEM_write_X509(pem, cert->x509);
    PEM_write_PrivateKey(key, cert->key, NULL, NULL, 0, NULL, NULL);
    fclose(pem);
    fclose(key);
    puts("ok");
}

static enum answer_status status_named(const char *name)
{
    static const char *const NAMES[] = { "good", "revoked", "unknown" };
    for (int i = 0; i < 3; i++)
        if (strcmp(NAMES[i], name) == 0)
            return (enum answer_status)i;
    fail("no such status", name);
    return ANSWER_UNKNOWN;
}

static void say(char *rest)
{
    int where = slot(&rest);
    const char *name = word(&rest, false);
    time_t now_s = time(NULL);
    struct responder_script script = {
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = find(name), .issuer = issuer_of(name), .this_update_s = now_s - 1}
    };
    script.recipe.status = status_named(word(&rest, false));
    script.recipe.next_update_s = now_s + strtol(word(&rest, true), NULL, 10);
    responder_set(responder, where, &script);
    puts("ok");
}

static void commit(char *rest)
{
    int where = slot(&rest), i = 0;
    const char *name = word(&rest, false), *fault = word(&rest, true);
    while (i < FAULT_COUNT && strcmp(FAULTS[i].what, fault) != 0)
        i++;
    if (i == FAULT_COUNT)
        fail("no such fault", fault);
    if (!cast.ca)
        cast = fault_cast_make(find("ca"), find("other-ca"), time(NULL));
    cast.leaf = find(name);
    fault_set(&FAULTS[i], &cast, responder, where, SLOT_BEYOND, time(NULL));
    puts("ok");
}

static void print_requests(char *rest)
{
    printf("%d\n", responder_requests(responder, slot(&rest)));
}

static const struct {
    const char *verb;
    void (*run)(char *rest);
} ORDERS[] = {
    {"url",       print_url     },
    { "faults",   print_faults  },
    { "issue",    issue         },
    { "say",      say           },
    { "commit",   commit        },
    { "requests", print_requests},
};

static void obey(char *line)
{
    char *rest = line;
    const char *verb = strsep(&rest, " ");
    for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++)
        if (strcmp(ORDERS[i].verb, verb) == 0) {
            ORDERS[i].run(rest);
            fflush(stdout);
            return;
        }
    fail("no such order", verb);
}

int main(int argc, char **argv)
{
    char line[LINE_ROOM];

    if (argc != 2)
        fail("usage: scripted_responder", "FOLDER");
    folder = argv[1];
    signal(SIGPIPE, SIG_IGN);
    responder = responder_start();
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    responder_stop(responder);
    fault_cast_free(&cast);
    while (known) {
        struct known *entry = known;
        known = entry->next;
        pki_free(&entry->cert);
        free(entry);
    }
    return 0;
}
