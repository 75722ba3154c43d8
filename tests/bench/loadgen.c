/* loadgen.c - loads a NATS server on loopback and prints one line of JSON about it.
 *
 *   loadgen pub     -p 4222 --pid 123 -n 20000000 -s 16        nobody listens
 *   loadgen pubsub  -p 4222 --pid 123 -P 1 -S 10 -s 128        publishers and subscribers
 *   loadgen reqrep  -p 4222 --pid 123 -P 4 -n 100000           requests, one under way each
 *   loadgen idle    -p 4222 --pid 123 -c 10000                 memory of idle connections
 *   loadgen conn    -p 4222 --pid 123 -c 10000                 connect, PONG, close
 *   loadgen crowd   -p 4222 --pid 123 -c 1000 --tls ...        a certificate each, of a dead CA
 *
 * The server's CPU time comes in ticks of 10 ms: choose -n so that it works for a second at least,
 * and compare CPU per message rather than messages per second. */
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct mode {
    const char *name;
    void (*run)(const struct options *, SSL_CTX *, struct result *);
};

static const struct mode MODES[] = {
    {"pub",     run_pubsub },
    { "pubsub", run_pubsub },
    { "reqrep", run_reqrep },
    { "idle",   run_idle   },
    { "conn",   run_connect},
    { "crowd",  run_crowd  },
};

static const char USAGE[] = "usage: loadgen pub|pubsub|reqrep|idle|conn|crowd [options]\n"
                            "  -p, --port N          port on 127.0.0.1 (4222)\n"
                            "      --pid N           the server's process, for CPU and memory\n"
                            "  -n, --messages N      per publisher or requester (1000000)\n"
                            "  -s, --size N          bytes of payload (16)\n"
                            "  -P, --publishers N    or requesters (1)\n"
                            "  -S, --subscribers N   (1; 0 for pub)\n"
                            "  -q, --queue NAME      subscribers form a queue group\n"
                            "  -i, --in-flight N     requests under way per requester (1)\n"
                            "  -c, --connections N   of idle, conn and crowd (1000)\n"
                            "  -w, --window N        bytes under way per subscriber (8388608)\n"
                            "      --subject NAME    (load.test)\n"
                            "      --same-sids       all subscribers use one sid\n"
                            "      --check           compare every delivered byte, and the order\n"
                            "      --tls [--ca FILE] [--cert FILE --key FILE]\n"
                            "      --responder URL       in a crowd's certificates, which\n"
                            "                            --cert and --key are to issue\n";

_Noreturn void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *reserve(size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);

    if (!memory)
        die("out of memory");
    return memory;
}

static uint64_t number(const char *digits)
{
    char *end = NULL;
    unsigned long long value = strtoull(digits, &end, 10);

    if (*digits == '\0' || *end != '\0')
        die("'%s' is not a number", digits);
    return value;
}

enum {
    OPT_PID = 256,
    OPT_SUBJECT,
    OPT_SAME_SIDS,
    OPT_CHECK,
    OPT_TLS,
    OPT_CA,
    OPT_CERT,
    OPT_KEY,
    OPT_RESPONDER
};

static void set_option(struct options *options, int which, const char *value)
{
    switch (which) {
    case 'p': options->port = (uint16_t)number(value); break;
    case 'n': options->messages = number(value); break;
    case 's': options->size = number(value); break;
    case 'P': options->publishers = (uint32_t)number(value); break;
    case 'S': options->subscribers = (uint32_t)number(value); break;
    case 'q': options->queue = value; break;
    case 'i': options->in_flight = (uint32_t)number(value); break;
    case 'c': options->connections = (uint32_t)number(value); break;
    case 'w': options->window_size = number(value); break;
    case OPT_PID: options->server_pid = (pid_t)number(value); break;
    case OPT_SUBJECT: options->subject = value; break;
    case OPT_SAME_SIDS: options->same_sids = true; break;
    case OPT_CHECK: options->check = true; break;
    case OPT_TLS: options->tls = true; break;
    case OPT_CA: options->ca_file = value; break;
    case OPT_CERT: options->cert_file = value; break;
    case OPT_KEY: options->key_file = value; break;
    case OPT_RESPONDER: options->responder = value; break;
    default: fputs(USAGE, stderr); exit(2);
    }
}

static void read_options(int argc, char **argv, struct options *options)
{
    static const struct option LONG[] = {
        {"port",             required_argument, NULL, 'p' },
        { "pid",              required_argument, NULL, OPT_PID },
        { "messages",                 required_argument, NULL, 'n' },
        { "size",required_argument, NULL, 's' },
        { "publishers",           required_argument, NULL, 'P' },
        { "subscribers",        required_argument, NULL, 'S' },
        { "queue",              required_argument, NULL, 'q' },
        { "in-flight",                 required_argument, NULL, 'i' },
        { "connections",              required_argument, NULL, 'c' },
        { "window",               required_argument, NULL, 'w' },
        { "subject",      required_argument, NULL, OPT_SUBJECT },
        { "same-sids",              no_argument, NULL, OPT_SAME_SIDS },
        { "check",                 no_argument, NULL, OPT_CHECK },
        { "tls",no_argument, NULL, OPT_TLS },
        { "ca",               required_argument, NULL, OPT_CA },
        { "cert",           required_argument, NULL, OPT_CERT },
        { "key",              required_argument, NULL, OPT_KEY },
        { "responder",                 required_argument, NULL, OPT_RESPONDER },
        { 0},
    };

    for (int which; (which = getopt_long(argc, argv, "p:n:s:P:S:q:i:c:w:", LONG, NULL)) != -1;)
        set_option(options, which, optarg);
    if (options->publishers == 0 || options->in_flight == 0 || options->messages == 0)
        die("there must be a publisher, a message and a request");
    if (options->size > 64U << 20 || strlen(options->subject) > 100)
        die("at most 64 MiB of payload and 100 bytes of subject");
    if ((options->cert_file == NULL) != (options->key_file == NULL))
        die("--cert and --key go together");
}

static void allow_many_files(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static double per(double amount, uint64_t count)
{
    return count > 0 ? amount / (double)count : 0;
}

static void print(const char *mode, const struct options *options, const struct result *result)
{
    double seconds = (double)result->elapsed_ns / 1e9;
    double grown = (double)result->rss_end - (double)result->rss_start;

    printf("{\"mode\":\"%s\",\"size\":%zu,\"publishers\":%u,\"subscribers\":%u,\"messages\":%llu,"
           "\"deliveries\":%llu,\"seconds\":%.3f,\"messages_per_s\":%.0f,\"cpu_s\":%.2f,"
           "\"cpu_us_per_message\":%.4f,\"cpu_us_per_delivery\":%.4f,\"rss_start\":%llu,"
           "\"rss_end\":%llu,\"rss_grown_per_message\":%.1f,\"p50_us\":%u,\"p99_us\":%u}\n",
           mode, options->size, options->publishers, options->subscribers,
           (unsigned long long)result->published, (unsigned long long)result->delivered, seconds,
           (double)result->published / seconds, (double)result->cpu_us / 1e6,
           per((double)result->cpu_us, result->published),
           per((double)result->cpu_us, result->delivered), (unsigned long long)result->rss_start,
           (unsigned long long)result->rss_end, per(grown, result->published), result->p50_us,
           result->p99_us);
}

int main(int argc, char **argv)
{
    struct options options = { .port = 4222,
                               .publishers = 1,
                               .subscribers = 1,
                               .in_flight = 1,
                               .messages = 1000000,
                               .connections = 1000,
                               .size = 16,
                               .window_size = 8U << 20,
                               .subject = "load.test" };
    struct result result = { 0 };
    const char *wanted = argc > 1 ? argv[1] : "";

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        if (strcmp(MODES[i].name, wanted) != 0)
            continue;
        read_options(argc - 1, argv + 1, &options);
        if (strcmp(wanted, "pub") == 0)
            options.subscribers = 0;
        allow_many_files();
        MODES[i].run(&options, peer_context(&options), &result);
        print(wanted, &options, &result);
        fflush(stdout);
        _exit(0); /* a run holds all it has to the end: nothing to put away, nothing leaked */
    }
    fputs(USAGE, stderr);
    return 2;
}
