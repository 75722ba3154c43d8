/* pki.c - see pki.h. Each test is a process of its own: the folder travels in the environment. */
#include "pki.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "VOUCH_TEST_PKI"

static char folder[64];

static void run(const char *script, const char *argument)
{
    char path[4096];
    const char *end = strrchr(__FILE__, '/');
    int len = end ? (int)(end - __FILE__) : 1;
    snprintf(path, sizeof path, "%.*s/../certs/%s", len, end ? __FILE__ : ".", script);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", path, argument, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "%s failed\n", path);
        exit(1);
    }
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    char inner[128];
    snprintf(folder, sizeof folder, "/tmp/vouch-tls-XXXXXX");
    if (!mkdtemp(folder))
        exit(1);
    setenv(FOLDER, folder, 1);
    run("make.sh", folder);
    snprintf(inner, sizeof inner, "%s/cross", folder);
    run("cross.sh", inner);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

static const char *path_of(const char *sub, const char *file)
{
    static char paths[64][256];
    static unsigned next;
    char *path = paths[next++ % 64];
    const char *base = getenv(FOLDER);
    cr_assert_not_null(base);
    snprintf(path, sizeof paths[0], "%s/%s%s", base, sub, file);
    return path;
}

const char *pki(const char *file)
{
    return path_of("", file);
}

const char *cross(const char *file)
{
    return path_of("cross/", file);
}

const char *pki_join(const char *to, const char *const *files)
{
    char name[64];
    snprintf(name, sizeof name, "%d-%s", (int)getpid(), to); /* tests run side by side */
    const char *path = cross(name);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    for (; *files; files++) {
        FILE *in = fopen(cross(*files), "r");
        cr_assert_not_null(in, "%s", *files);
        for (int c; (c = getc(in)) != EOF;)
            putc(c, out);
        fclose(in);
    }
    fclose(out);
    return path;
}

X509 *pki_load(const char *path)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    cr_assert_not_null(cert, "%s", path);
    return cert;
}
