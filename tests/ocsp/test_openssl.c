/* test_openssl.c - the whole way against a responder that we did not write: `openssl ocsp`. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/rig.h"

extern char **environ;

enum { GOOD_SERIAL = 0x4d, REVOKED_SERIAL = 0x4e, UNKNOWN_SERIAL = 0x4f };

static struct rig rig;
static char folder[32];
static pid_t process;

static FILE *create(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    return file;
}

/* The CA and its index of certificates, as `openssl ca` keeps it. */
static void write_files(void)
{
    snprintf(folder, sizeof folder, "ocsp-ca-XXXXXX");
    cr_assert(mkdtemp(folder));
    FILE *file = create("ca.pem");
    PEM_write_X509(file, rig.ca.x509);
    fclose(file);
    file = create("ca.key");
    PEM_write_PrivateKey(file, rig.ca.key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    file = create("index.txt");
    fprintf(file, "V\t360101000000Z\t\t%02X\tunknown\t/CN=leaf\n", GOOD_SERIAL);
    fprintf(file, "R\t360101000000Z\t250101000000Z\t%02X\tunknown\t/CN=leaf\n", REVOKED_SERIAL);
    fclose(file);
}

/* Starts it on a free port, which its first line tells. */
static int start_process(void)
{
    const char *argv[] = { "openssl", "ocsp",   "-index", "index.txt", "-port",
                           "0",       "-CA",    "ca.pem", "-rsigner",  "ca.pem",
                           "-rkey",   "ca.key", "-nmin",  "5",         NULL };
    int out[2], port = 0;
    char line[256];
    posix_spawn_file_actions_t actions;
    cr_assert_eq(pipe(out), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    cr_assert_eq(posix_spawnp(&process, argv[0], &actions, NULL, (char *const *)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    while (port == 0 && fgets(line, sizeof line, lines)) {
        const char *colon = strrchr(line, ':');
        if (strstr(line, "ACCEPT") && colon)
            port = (int)strtol(colon + 1, NULL, 10);
    }
    cr_assert_neq(port, 0, "openssl ocsp did not start: %s", line);
    fclose(lines);
    return port;
}

static void remove_files(void)
{
    static const char *const NAMES[] = { "ca.pem", "ca.key", "index.txt" };
    char path[64];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        unlink(path);
    }
    rmdir(folder);
}

Test(openssl, a_real_responder_is_understood, .timeout = 30)
{
    static const struct {
        long serial;
        enum ocsp_outcome outcome;
        const char *stats;
    } CASES[] = {
        {GOOD_SERIAL,     OCSP_ACCEPT, "hits 0 misses 1 size 1 good 1 revoked 0 unknown 0"},
        { REVOKED_SERIAL, OCSP_REJECT, "hits 0 misses 2 size 2 good 1 revoked 1 unknown 0"},
        { UNKNOWN_SERIAL, OCSP_REJECT, "hits 0 misses 3 size 3 good 1 revoked 1 unknown 1"},
    };
    char url[64];
    rig_start(&rig, OCSP_CACHE_LOCAL);
    clock_test_release(); /* the responder lives in the present */
    write_files();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", start_process());
    struct ocsp_peer_options options = rig_options();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct pki_cert leaf = pki_make(&(struct pki_spec){
            .name = "leaf", .issuer = &rig.ca, .serial = CASES[i].serial, .urls = { url } });
        struct rig_chains *chains = rig_chain(rig_chains_new(), &leaf, &rig.ca, NULL);
        cr_expect_eq(rig_judge(&rig, chains, &options), CASES[i].outcome, "%zu", i);
        cr_expect_str_eq(rig_stats(&rig), CASES[i].stats);
        pki_free(&leaf);
    }
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    remove_files();
    rig_stop(&rig);
}
