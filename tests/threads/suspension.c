/* suspension.c - a thousand handshakes rest at one time, on several threads, until another thread says how
 * each ends: the verdicts come out of order, or too late, or never. Pure engines, no server.
 *
 *   owner thread:  begin all -> wait for orders -> end each as ordered -> look at both sides
 *   judge thread:  gives all owners their orders, shuffled
 */
#include "engine.h"
#include "tls/tls.h"

#include "base/mem.h"

#include <openssl/ssl.h>

#include <ftw.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNERS = 4, PAIRS = SUSPENDED / OWNERS, WARM_UP = 4 };

/* Allowed to stay: what libraries keep for threads and pools. A fibre alone has 36 KiB. */
#define SLACK_BYTES (512 * 1024)

/** How a rest ends. */
enum ending {
    PASSED,
    REJECTED,
    TIMED_OUT, /* the server gives up; the client is still there */
    LEFT,      /* the client is gone */
    SHUT_DOWN, /* everything is freed where it stands, the last one first */
};
static const char *const ENDINGS[] = { "passed", "rejected", "timed out", "left", "shut down" };

static char folder[] = "suspension-XXXXXX";

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "it does not hold: %s\n", what);
    exit(1);
}

/* ---- certificates and contexts -------------------------------------------------------------------- */

static void make_certificates(void)
{
    int status = 0;
    check(mkdtemp(folder) != NULL, "there is a folder");
    pid_t pid = fork();
    if (pid == 0) {
        char *command = mem_printf("exec sh '%s' '%s' >/dev/null 2>&1", MAKE_CERTS_PATH, folder);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0, "there are certificates");
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static struct tls_context *context_new(bool is_client)
{
    struct error err = { "" };
    char *cert = mem_printf("%s/%s.pem", folder, is_client ? "client-good" : "server");
    char *key = mem_printf("%s/%s.key", folder, is_client ? "client-good" : "server");
    char *ca = mem_printf("%s/ca.pem", folder);
    struct tls_pair pair = { cert, key };
    struct tls_context *context = tls_context_new(&(struct tls_settings){ .is_client = is_client,
                                                                          .pairs = &pair,
                                                                          .pair_count = 1,
                                                                          .ca_file = ca,
                                                                          .verify = true,
                                                                          .hook = !is_client },
                                                  &err);
    check(context != NULL, err.text);
    free(cert);
    free(key);
    free(ca);
    return context;
}

/* ---- one pair of engines ------------------------------------------------------------------------- */

struct pair {
    struct tls_engine *client, *server;
    unsigned asked;
};

static enum tls_verdict on_chain(void *ctx, struct tls_chains *chains)
{
    struct pair *pair = ctx;
    pair->asked++;
    tls_chains_free(chains);
    return TLS_LATER;
}

static size_t deliver(struct tls_engine *from, struct tls_engine *to)
{
    struct buf said = *tls_output(from);
    *tls_output(from) = (struct buf){ 0 };
    if (said.len > 0) {
        tls_receive(to, buf_span(&said));
        tls_keep_rest(to);
    }
    size_t len = said.len;
    buf_free(&said);
    return len;
}

static void exchange(struct pair *pair)
{
    while (deliver(pair->client, pair->server) + deliver(pair->server, pair->client) > 0)
        continue;
}

static const char EARLY[] = "CONNECT {}\r\nPING\r\n";

/* Up to the rest. With TLS 1.3 the client is through by then, and speaks. */
static void pair_begin(struct pair *pair, struct tls_context *server, struct tls_context *client,
                       int version)
{
    *pair = (struct pair){ 0 };
    pair->server = tls_engine_new(
        &(struct tls_engine_settings){ .context = server, .on_chain = on_chain, .ctx = pair });
    pair->client = tls_engine_new(
        &(struct tls_engine_settings){ .context = client, .server_name = "localhost" });
    SSL_set_max_proto_version(pair->client->ssl, version);
    tls_receive(pair->client, (struct span){ 0 });
    exchange(pair);
    check(tls_status(pair->server) == TLS_VERIFYING, "the server waits");
    bool is_through = version == TLS1_3_VERSION;
    check(tls_status(pair->client) == (is_through ? TLS_OPEN : TLS_HANDSHAKE),
          "the client is as far as its version allows");
    if (is_through)
        tls_write(pair->client, span_of(EARLY));
    deliver(pair->client, pair->server);
}

/* What there is to read now is exactly this text. */
static bool heard(struct tls_engine *engine, const char *text)
{
    uint8_t bytes[256];
    size_t len = 0, piece;
    do {
        tls_read(engine, bytes + len, sizeof bytes - len, &piece);
        len += piece;
    } while (piece > 0);
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static void pair_pass(struct pair *pair, int version)
{
    tls_resume(pair->server, TLS_PASS, NULL);
    exchange(pair);
    check(tls_status(pair->server) == TLS_OPEN && tls_status(pair->client) == TLS_OPEN,
          "both sides are open");
    if (version == TLS1_2_VERSION) {
        tls_write(pair->client, span_of(EARLY));
        deliver(pair->client, pair->server);
    }
    check(heard(pair->server, EARLY), "what was said early is heard");
    check(heard(pair->server, ""), "it is heard once");
    tls_write(pair->server, span_of("PONG\r\n"));
    deliver(pair->server, pair->client);
    check(heard(pair->client, "PONG\r\n"), "the answer is heard");
}

static void pair_reject(struct pair *pair)
{
    tls_resume(pair->server, TLS_REJECT, "client not OCSP valid");
    check(tls_status(pair->server) == TLS_FAILED, "the server has refused");
    check(strcmp(tls_failure(pair->server), "client not OCSP valid") == 0, "it knows why");
    deliver(pair->server, pair->client);
    check(heard(pair->client, ""), "the client hears nothing");
    check(strcmp(tls_failure(pair->client), "remote error: tls: bad certificate") == 0,
          "the client gets alert 42");
    deliver(pair->client, pair->server);
    check(heard(pair->server, ""), "the server hears nothing of the refused");
}

static void pair_free(struct pair *pair)
{
    check(pair->asked == 1, "it was asked once");
    tls_engine_free(pair->client);
    tls_engine_free(pair->server);
}

static void pair_end(struct pair *pair, enum ending ending, int version)
{
    switch (ending) {
    case PASSED: pair_pass(pair, version); break;
    case REJECTED: pair_reject(pair); break;
    case TIMED_OUT:
        tls_engine_free(pair->server);
        pair->server = NULL;
        break;
    case LEFT:
        tls_engine_free(pair->client);
        pair->client = NULL;
        break;
    case SHUT_DOWN: break;
    }
    pair_free(pair);
}

/* ---- threads --------------------------------------------------------------------------------------- */

struct owner {
    pthread_t thread;
    struct tls_context *server, *client;
    int version;
    enum ending ending;
    unsigned count;
    pthread_mutex_t lock; /* of the next three; nothing is called while it is held */
    pthread_cond_t changed;
    bool is_ready;           /* all its handshakes rest */
    unsigned orders, *order; /* which of them end, in this order */
};

static void await_order(struct owner *owner, unsigned taken)
{
    pthread_mutex_lock(&owner->lock);
    owner->is_ready = true;
    pthread_cond_broadcast(&owner->changed);
    while (owner->orders == taken)
        pthread_cond_wait(&owner->changed, &owner->lock);
    pthread_mutex_unlock(&owner->lock);
}

static void *own(void *ctx)
{
    struct owner *owner = ctx;
    struct pair *pairs = mem_zero(owner->count * sizeof *pairs);
    for (unsigned i = 0; i < owner->count; i++)
        pair_begin(&pairs[i], owner->server, owner->client, owner->version);
    for (unsigned i = 0; i < owner->count; i++) {
        await_order(owner, i);
        pair_end(&pairs[owner->order[i]], owner->ending, owner->version);
    }
    free(pairs);
    return NULL;
}

/* Each number once: 0, 77, 154, ... modulo the count, or backwards for a shutdown. */
static unsigned turn(unsigned i, unsigned count, enum ending ending)
{
    return ending == SHUT_DOWN ? count - 1 - i : i * 77 % count;
}

static void judge(struct owner *owners)
{
    for (unsigned i = 0; i < OWNERS; i++) {
        pthread_mutex_lock(&owners[i].lock);
        while (!owners[i].is_ready)
            pthread_cond_wait(&owners[i].changed, &owners[i].lock);
        pthread_mutex_unlock(&owners[i].lock);
    }
    for (unsigned n = 0; n < owners[0].count; n++) {
        for (unsigned i = 0; i < OWNERS; i++) {
            struct owner *owner = &owners[i];
            pthread_mutex_lock(&owner->lock);
            owner->order[owner->orders++] = turn(n, owner->count, owner->ending);
            pthread_cond_broadcast(&owner->changed);
            pthread_mutex_unlock(&owner->lock);
        }
    }
}

/* All owners' handshakes rest before the first is told how to end. */
static void play(struct tls_context *server, struct tls_context *client, int version,
                 enum ending ending, unsigned count)
{
    struct owner owners[OWNERS];
    for (unsigned i = 0; i < OWNERS; i++) {
        owners[i] = (struct owner){ .server = server,
                                    .client = client,
                                    .version = version,
                                    .ending = ending,
                                    .count = count,
                                    .order = mem_zero(count * sizeof(unsigned)) };
        pthread_mutex_init(&owners[i].lock, NULL);
        pthread_cond_init(&owners[i].changed, NULL);
        check(pthread_create(&owners[i].thread, NULL, own, &owners[i]) == 0, "a thread begins");
    }
    judge(owners);
    for (unsigned i = 0; i < OWNERS; i++) {
        pthread_join(owners[i].thread, NULL);
        pthread_mutex_destroy(&owners[i].lock);
        pthread_cond_destroy(&owners[i].changed);
        free(owners[i].order);
    }
}

int main(void)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    mallopt(M_ARENA_MAX, 1); /* the only one that mallinfo2() looks at */
    make_certificates();
    struct tls_context *server = context_new(false), *client = context_new(true);
    for (size_t v = 0; v < 2; v++) {
        for (enum ending ending = PASSED; ending <= SHUT_DOWN; ending++) {
            play(server, client, VERSIONS[v], ending, WARM_UP);
            size_t before = mallinfo2().uordblks;
            play(server, client, VERSIONS[v], ending, PAIRS);
            size_t after = mallinfo2().uordblks;
            printf("TLS 1.%d, %u %s: %zu bytes stay\n", v == 0 ? 2 : 3, OWNERS * PAIRS,
                   ENDINGS[ending], after > before ? after - before : 0);
            check(after < before + SLACK_BYTES, "their memory comes back");
        }
    }
    tls_context_release(server);
    tls_context_release(client);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
