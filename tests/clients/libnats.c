/* libnats.c - runs one behaviour of the server with the C client of the distribution. */
#include "libnats.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WATCHDOG_S = 100 }; /* CTest waits longer: this one takes the server along */

/* CMake makes a test of each row. */
static const struct row {
    const char *name;
    behaviour_fn *run;
} BEHAVIOURS[] = {
    {"connect_and_flush",      connect_and_flush    },
    { "publish_and_subscribe", publish_and_subscribe},
    { "no_echo",               no_echo              },
    { "verbose_and_pedantic",  verbose_and_pedantic },
    { "large_payloads",        large_payloads       },
    { "request_and_reply",     request_and_reply    },
    { "no_responders",         no_responders        },
    { "queue_groups",          queue_groups         },
    { "headers",               headers              },
    { "flush_is_a_barrier",    flush_is_a_barrier   },
    { "fan_out",               fan_out              },
    { "unsubscribe",           unsubscribe          },
    { "auto_unsubscribe",      auto_unsubscribe     },
    { "drain_subscription",    drain_subscription   },
    { "drain_connection",      drain_connection     },
    { "slow_reader",           slow_reader          },
    { "reconnect",             reconnect            },
    { "lame_duck",             lame_duck            },
    { "user_and_password",     user_and_password    },
    { "token",                 token                },
    { "nkey",                  nkey                 },
    { "creds",                 creds                },
    { "creds_expire",          creds_expire         },
    { "accounts",              accounts             },
    { "stream_imports",        stream_imports       },
    { "service_imports",       service_imports      },
    { "mappings",              mappings             },
    { "permissions",           permissions          },
    { "tls",                   tls                  },
    { "mutual_tls",            mutual_tls           },
    { "certificate_mapping",   certificate_mapping  },
    { "tls_reconnect",         tls_reconnect        },
};

/* ---- demands -------------------------------------------------------------------------------- */

void check_fail(const char *file, int line, const char *format, ...)
{
    const char *name = strrchr(file, '/');
    va_list args;

    fprintf(stderr, "%s:%d: ", name ? name + 1 : file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    broker_abandon_all();
    _exit(1); /* the client's threads still run */
}

void expect_status(const char *file, int line, const char *call, natsStatus wanted, natsStatus got)
{
    natsStatus last = NATS_OK;

    if (got == wanted)
        return;
    const char *why = nats_GetLastError(&last);
    check_fail(file, line, "%s gave '%s' instead of '%s' (%s)", call, natsStatus_GetText(got),
               natsStatus_GetText(wanted), last == got && why ? why : "no more is known");
}

uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- connections ---------------------------------------------------------------------------- */

natsOptions *options_for(struct broker *broker)
{
    natsOptions *options = NULL;

    must(natsOptions_Create(&options));
    must(natsOptions_SetURL(options, broker_url(broker, "nats")));
    must(natsOptions_SetTimeout(options, PATIENCE_MS));
    return options;
}

natsConnection *client_with(natsOptions *options)
{
    natsConnection *nc = NULL;

    must(natsConnection_Connect(&nc, options));
    natsOptions_Destroy(options);
    return nc;
}

natsConnection *signing_client_with(natsOptions *options)
{
    enum { TRIES = 5 };
    natsConnection *nc = NULL;
    natsStatus status = NATS_CONNECTION_AUTH_FAILED;

    for (int i = 0; i < TRIES && status == NATS_CONNECTION_AUTH_FAILED; i++)
        status = natsConnection_Connect(&nc, options);
    must(status);
    natsOptions_Destroy(options);
    return nc;
}

natsConnection *client(struct broker *broker)
{
    return client_with(options_for(broker));
}

void refused_with(natsStatus status, natsOptions *options)
{
    natsConnection *nc = NULL;

    expect(status, natsConnection_Connect(&nc, options));
    natsOptions_Destroy(options);
}

natsMsg *next(natsSubscription *sub)
{
    natsMsg *msg = NULL;

    must(natsSubscription_NextMsg(&msg, sub, PATIENCE_MS));
    return msg;
}

void next_is(natsSubscription *sub, const char *text)
{
    natsMsg *msg = next(sub);

    require(strcmp(natsMsg_GetData(msg), text) == 0, "a message says '%s' instead of '%s'",
            natsMsg_GetData(msg), text);
    natsMsg_Destroy(msg);
}

void nothing_more(natsConnection *nc, natsSubscription *sub)
{
    uint64_t queued = 0;

    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    must(natsSubscription_QueuedMsgs(sub, &queued));
    require(queued == 0, "there are %llu more messages", (unsigned long long)queued);
}

/* ---- callbacks ------------------------------------------------------------------------------ */

void bell_ring(struct bell *bell, natsStatus status)
{
    pthread_mutex_lock(&bell->lock);
    bell->count++;
    bell->status = status;
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

unsigned bell_count(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
    unsigned count = bell->count;
    pthread_mutex_unlock(&bell->lock);
    return count;
}

void bell_await(struct bell *bell, unsigned count)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&bell->lock);
    while (bell->count < count && late == 0)
        late = pthread_cond_timedwait(&bell->rung, &bell->lock, &until);
    unsigned reached = bell->count;
    pthread_mutex_unlock(&bell->lock);
    require(reached >= count, "only %u of %u callbacks came", reached, count);
}

void ring_on_connection(natsConnection *nc, void *closure)
{
    (void)nc;
    bell_ring(closure, NATS_OK);
}

void ring_on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
    (void)nc, (void)sub;
    bell_ring(closure, status);
}

/* ---- the program ---------------------------------------------------------------------------- */

int main(int argc, char *argv[])
{
    signal(SIGPIPE, SIG_IGN);
    alarm(WATCHDOG_S);
    for (size_t i = 0; argc == 2 && i < sizeof BEHAVIOURS / sizeof *BEHAVIOURS; i++) {
        if (strcmp(BEHAVIOURS[i].name, argv[1]) != 0)
            continue;
        BEHAVIOURS[i].run();
        must(nats_CloseAndWait(PATIENCE_MS));
        return 0;
    }
    fprintf(stderr, "usage: clients_libnats BEHAVIOUR\n");
    return 2;
}
