/* loadgen.c - loads a NATS server on loopback and prints one line of JSON about it.
 *
 *   loadgen pub     -p 4222 --pid 123 -t 1 -s 16               nobody listens
 *   loadgen pubsub  -p 4222 --pid 123 -P 1 -S 10 -s 128        publishers and subscribers
 *   loadgen pubsub  -p 4222 --pid 123 -S 10 -N 100000          of many subjects
 *   loadgen reqrep  -p 4222 --pid 123 -P 4 -n 100000           requests, one under way each
 *   loadgen pace    -p 4222 --pid 123 -r 10000 -t 2            messages at a fixed rate
 *   loadgen idle    -p 4222 --pid 123 -c 10000                 memory of idle connections
 *   loadgen conn    -p 4222 --pid 123 -c 10000                 connect, PONG, close
 *   loadgen crowd   -p 4222 --pid 123 -c 1000 --tls ...        a certificate each, of a dead CA
 *
 * Compare CPU per message rather than messages per second, and runs of one sitting only. */
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const uint64_t MORE_THAN_CAN_BE = 1ULL << 36;

struct mode {
    const char *name;
    void (*run)(const struct options *, SSL_CTX *, struct result *);
};

static const struct mode MODES[] = {
    {"pub",     run_pubsub },
    { "pubsub", run_pubsub },
    { "reqrep", run_reqrep },
    { "pace",   run_pace   },
    { "idle",   run_idle   },
    { "conn",   run_connect},
    { "crowd",  run_crowd  },
};

static const char USAGE[] =
    "usage: loadgen pub|pubsub|reqrep|pace|idle|conn|crowd [options]\n"
    "  -p, --port N          port on 127.0.0.1 (4222)\n"
    "      --pid N           the server's process, for CPU and memory\n"
    "  -n, --messages N      per publisher or requester (1000000)\n"
    "  -t, --seconds N       as many as can be done in this time instead\n"
    "  -s, --size N          bytes of payload (16)\n"
    "  -P, --publishers N    or requesters (1)\n"
    "  -S, --subscribers N   (1; 0 for pub)\n"
    "  -q, --queue NAME      subscribers form a queue group\n"
    "  -N, --subscriptions N of all subscribers, half with wildcards, met in no order\n"
    "  -u, --churn N         so many other subscriptions come and go at a time\n"
    "  -i, --in-flight N     requests under way per requester,\n"
    "                        connections that conn opens at a time (1)\n"
    "  -r, --rate N          messages per second of pace (10000)\n"
    "  -c, --connections N   of idle, conn and crowd (1000)\n"
    "  -b, --bystanders N    idle connections besides (0)\n"
    "  -w, --window N        bytes under way per subscriber (8388608)\n"
    "      --subject NAME    (load.test)\n"
    "      --pattern NAME    what is subscribed to (the subject)\n"
    "      --same-sids       all subscribers use one sid\n"
    "      --bare            idle connections have no subscription\n"
    "      --check           compare every delivered byte, and the order\n"
    "      --publisher NAME, --subscriber NAME\n"
    "                        users; their password is 'load'\n"
    "      --tls [--ca FILE] [--cert FILE --key FILE]\n"
    "      --responder URL   in a crowd's certificates, which\n"
    "                        --cert and --key are to issue\n";

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

static uint64_t nanoseconds(const char *seconds)
{
    char *end = NULL;
    double value = strtod(seconds, &end);

    if (*seconds == '\0' || *end != '\0' || !(value > 0 && value < 86400))
        die("'%s' is no number of seconds", seconds);
    return (uint64_t)(value * 1e9);
}

enum {
    OPT_PID = 256,
    OPT_SUBJECT,
    OPT_PATTERN,
    OPT_SAME_SIDS,
    OPT_BARE,
    OPT_CHECK,
    OPT_PUBLISHER,
    OPT_SUBSCRIBER,
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
    case 't': options->limit_ns = nanoseconds(value); break;
    case 's': options->size = number(value); break;
    case 'P': options->publishers = (uint32_t)number(value); break;
    case 'S': options->subscribers = (uint32_t)number(value); break;
    case 'q': options->queue = value; break;
    case 'N': options->subscriptions = (uint32_t)number(value); break;
    case 'u': options->churn = (uint32_t)number(value); break;
    case 'i': options->in_flight = (uint32_t)number(value); break;
    case 'r': options->rate = number(value); break;
    case 'c': options->connections = (uint32_t)number(value); break;
    case 'b': options->bystanders = (uint32_t)number(value); break;
    case 'w': options->window_size = number(value); break;
    case OPT_PID: options->server_pid = (pid_t)number(value); break;
    case OPT_SUBJECT: options->subject = value; break;
    case OPT_PATTERN: options->pattern = value; break;
    case OPT_SAME_SIDS: options->same_sids = true; break;
    case OPT_BARE: options->bare = true; break;
    case OPT_CHECK: options->check = true; break;
    case OPT_PUBLISHER: options->publisher_user = value; break;
    case OPT_SUBSCRIBER: options->subscriber_user = value; break;
    case OPT_TLS: options->tls = true; break;
    case OPT_CA: options->ca_file = value; break;
    case OPT_CERT: options->cert_file = value; break;
    case OPT_KEY: options->key_file = value; break;
    case OPT_RESPONDER: options->responder = value; break;
    default: fputs(USAGE, stderr); exit(2);
    }
}

static const struct option LONG_OPTIONS[] = {
    {"port",             required_argument, NULL, 'p' },
    { "pid",              required_argument, NULL, OPT_PID },
    { "messages",                 required_argument, NULL, 'n' },
    { "seconds",required_argument, NULL, 't' },
    { "size",           required_argument, NULL, 's' },
    { "publishers",        required_argument, NULL, 'P' },
    { "subscribers",              required_argument, NULL, 'S' },
    { "queue",                 required_argument, NULL, 'q' },
    { "subscriptions",              required_argument, NULL, 'N' },
    { "churn",               required_argument, NULL, 'u' },
    { "in-flight",            required_argument, NULL, 'i' },
    { "rate",              required_argument, NULL, 'r' },
    { "connections",                 required_argument, NULL, 'c' },
    { "bystanders",required_argument, NULL, 'b' },
    { "window",               required_argument, NULL, 'w' },
    { "subject",     required_argument, NULL, OPT_SUBJECT },
    { "pattern",              required_argument, NULL, OPT_PATTERN },
    { "same-sids",                 no_argument, NULL, OPT_SAME_SIDS },
    { "bare",no_argument, NULL, OPT_BARE },
    { "check",               no_argument, NULL, OPT_CHECK },
    { "publisher",   required_argument, NULL, OPT_PUBLISHER },
    { "subscriber",              required_argument, NULL, OPT_SUBSCRIBER },
    { "tls",                 no_argument, NULL, OPT_TLS },
    { "ca",required_argument, NULL, OPT_CA },
    { "cert",               required_argument, NULL, OPT_CERT },
    { "key",       required_argument, NULL, OPT_KEY },
    { "responder",              required_argument, NULL, OPT_RESPONDER },
    { 0                },
};

static void refuse_nonsense(const struct options *options)
{
    if (options->publishers == 0 || options->in_flight == 0 || options->messages == 0 ||
        options->rate == 0)
        die("there must be a publisher, a message, a request and a rate");
    if (options->size > 64U << 20 || strlen(options->subject) > 100)
        die("at most 64 MiB of payload and 100 bytes of subject");
    if (options->subscriptions > 8999999 || (options->subscriptions > 0 && options->same_sids))
        die("at most 8999999 subscriptions, with a sid each");
    if (options->check && options->size < STAMP_SIZE)
        die("--check needs payloads of at least %d bytes", STAMP_SIZE);
    if ((options->cert_file == NULL) != (options->key_file == NULL))
        die("--cert and --key go together");
}

static void read_options(int argc, char **argv, struct options *options)
{
    for (int which; (which = getopt_long(argc, argv, "p:n:t:s:P:S:q:N:u:i:r:c:b:w:", LONG_OPTIONS,
                                         NULL)) != -1;)
        set_option(options, which, optarg);
    if (options->limit_ns > 0)
        options->messages = MORE_THAN_CAN_BE;
    refuse_nonsense(options);
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

static double less(uint64_t more, uint64_t amount)
{
    return (double)more - (double)amount;
}

static void print(const char *mode, const struct options *options, const struct result *result)
{
    const struct usage *before = &result->before, *after = &result->after;
    const struct usage *setup = &result->before_setup, *ready = &result->after_setup;
    double seconds = less(after->at_ns, before->at_ns) / 1e9;
    double cpu_us = less(after->cpu_ns, before->cpu_ns) / 1e3;

    printf("{\"mode\":\"%s\",\"size\":%zu,\"publishers\":%u,\"subscribers\":%u,\"messages\":%llu,"
           "\"deliveries\":%llu,\"churned\":%llu,\"seconds\":%.3f,\"messages_per_s\":%.0f,",
           mode, options->size, options->publishers, options->subscribers,
           (unsigned long long)result->published, (unsigned long long)result->delivered,
           (unsigned long long)result->churned, seconds, (double)result->published / seconds);
    printf("\"cpu_s\":%.6f,\"cpu_us_per_message\":%.5f,\"cpu_us_per_delivery\":%.5f,"
           "\"busiest_thread_us_per_message\":%.5f,",
           cpu_us / 1e6, per(cpu_us, result->published), per(cpu_us, result->delivered),
           per((double)busiest_thread_us(before, after), result->published));
    printf("\"cpu_us_per_subscription\":%.4f,\"rss_per_subscription\":%.1f,\"rss_end\":%llu,"
           "\"rss_grown_per_message\":%.1f,",
           per(less(ready->cpu_ns, setup->cpu_ns) / 1e3, options->subscriptions),
           per(less(ready->rss, setup->rss), options->subscriptions),
           (unsigned long long)after->rss, per(less(after->rss, before->rss), result->published));
    printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n", result->p50_us,
           result->p99_us, result->p999_us, result->max_us);
}

int main(int argc, char **argv)
{
    struct options options = { .port = 4222,
                               .publishers = 1,
                               .subscribers = 1,
                               .in_flight = 1,
                               .rate = 10000,
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
