/* killed_saves.c - a process that saves the OCSP cache again and again is killed, 200 times, at moments of
 * chance: its file is always whole, and never older than the last save that was done. */
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "persist.h"
#include "store.h"

#define ROUNDS     200
#define ENTRIES    50
#define ANSWER_LEN 1500
#define PATIENCE_S 120 /* for one save */

static char folder[] = "/tmp/vouch-test-XXXXXX";

#define require(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, " (the files are in %s)\n", folder);                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct ocsp_cache *new_cache(void)
{
    return ocsp_cache_new(
        &(struct ocsp_cache_settings){ .type = OCSP_CACHE_LOCAL, .local_store = folder });
}

/* ---- who saves ------------------------------------------------------------------------------- */

/* All entries of a generation carry its number. */
static void fill(struct ocsp_cache *cache, unsigned generation)
{
    uint8_t answer[ANSWER_LEN];
    char subject[32];
    snprintf(subject, sizeof subject, "%u", generation);
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct ocsp_put put = { .key.bytes = { (uint8_t)i }, .subject = subject };
        rand_bytes(answer, sizeof answer);
        put.der = span_make(answer, sizeof answer);
        ocsp_cache_put(cache, &put);
    }
}

/* Tells the number of each generation when its save begins. */
_Noreturn static void save_for_ever(int tell, unsigned generation)
{
    struct ocsp_cache *cache = new_cache();
    for (;; generation++) {
        fill(cache, generation);
        if (write(tell, &generation, sizeof generation) != sizeof generation)
            _exit(1); /* the parent is gone */
        ocsp_cache_save(cache);
    }
}

/* ---- who kills and looks ----------------------------------------------------------------------- */

/* The generation whose save has begun. */
static unsigned await_begin(int told)
{
    unsigned generation;
    struct pollfd wait = { .fd = told, .events = POLLIN };
    require(poll(&wait, 1, PATIENCE_S * 1000) == 1, "no save has begun");
    require(read(told, &generation, sizeof generation) == sizeof generation, "the saver ended");
    return generation;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Saves for a while, and dies. Gives the last generation that was announced; the one before it was saved. */
static unsigned save_and_die(unsigned first, int64_t *save_ns)
{
    int pipes[2];
    require(pipe(pipes) == 0, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    require(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        close(pipes[0]);
        save_for_ever(pipes[1], first);
    }
    close(pipes[1]);
    await_begin(pipes[0]);
    int64_t begin_ns = now_ns();
    unsigned last = await_begin(pipes[0]);
    *save_ns = now_ns() - begin_ns; /* how long this machine needs, about */

    struct timespec moment = { .tv_nsec = rand_below(*save_ns < 500000000 ? (uint32_t)*save_ns + 1
                                                                          : 500000000) };
    nanosleep(&moment, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(pipes[0], &last, sizeof last) == sizeof last)
        ;
    close(pipes[0]);
    return last;
}

static unsigned generation_of(const struct ocsp_snapshot *snapshot)
{
    const char *first = snapshot->items[0].record->subject;
    for (size_t i = 0; i < snapshot->count; i++)
        require(strcmp(snapshot->items[i].record->subject, first) == 0,
                "entries of two generations in one file");
    return (unsigned)strtoul(first, NULL, 10);
}

static unsigned saved_generation(const char *path)
{
    struct ocsp_snapshot snapshot;
    struct buf text = { 0 };
    struct error err = { "" };
    bool is_absent;
    size_t skipped;
    require(ocsp_store_read(path, &text, &is_absent, &err), "no file: %s", err.text);
    require(ocsp_store_parse(buf_span(&text), &snapshot, &skipped, &err) && skipped == 0,
            "half a file: %s", err.text);
    require(snapshot.count == ENTRIES, "%zu entries", snapshot.count);
    unsigned generation = generation_of(&snapshot);
    ocsp_snapshot_free(&snapshot);
    buf_free(&text);
    return generation;
}

static int count_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)where;
    return type == FTW_F && strstr(path, "/ocsprc-") ? 1 : 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

int main(void)
{
    char path[64];
    unsigned next = 1, old = 0, new = 0;
    int64_t save_ns = 0;
    signal(SIGPIPE, SIG_IGN);
    log_open(&(struct log_settings){ .file = "/dev/null" }, NULL);
    log_close(); /* no thread in the way of a fork */
    require(mkdtemp(folder), "mkdtemp: %s", strerror(errno));
    snprintf(path, sizeof path, "%s/cache.json", folder);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned last = save_and_die(next, &save_ns);
        unsigned saved = saved_generation(path);
        require(saved + 1 == last || saved == last,
                "round %d: generation %u is saved, but %u had begun", round, saved, last);
        *(saved == last ? &new : &old) += 1;
        next = last + 1;
    }
    bool was_amid = nftw(folder, count_entry, 8, FTW_PHYS) == 1;
    printf("%d kills: %u times the old file, %u times the new one; a save takes about %lld us\n",
           ROUNDS, old, new, (long long)save_ns / 1000);
    require(was_amid, "no save was interrupted");
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
