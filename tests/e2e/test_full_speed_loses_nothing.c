/* The load generator at full speed: every byte of every message arrives, in order. */
#include "harness.h"

BEHAVIOUR(full_speed_loses_nothing);

struct load {
    const char *arguments[14];
};

static const struct load LOADS[] = {
    { { "-n", "300000", "-s", "16" } },
    { { "-n", "20000", "-s", "16", "-P", "5", "-S", "10" } },
    { { "-n", "100000", "-s", "100", "-P", "3", "-S", "4", "--queue", "workers" } },
    { { "-n", "20000", "-s", "4000", "-S", "3", "--same-sids" } },
    { { "-n", "60", "-s", "1000000", "-P", "2", "-S", "2" } },
    { { "-n", "3000", "-s", "1000", "-S", "100", "--same-sids" } },
    { { "-n", "2000", "-s", "70000", "-S", "2", "--window", "200000" } },
};

static void run(struct server *server, const struct load *load, const char *const more[2])
{
    const char *arguments[24] = { "pubsub", "--check", "-p", text("%d", server_port(server)) };
    size_t count = 4;
    struct server *generator = NULL;

    for (size_t i = 0; load->arguments[i]; i++)
        arguments[count++] = load->arguments[i];
    for (size_t i = 0; i < 2 && more[i]; i++)
        arguments[count++] = more[i];
    int status =
        server_run(&generator, &(struct launch){ .binary = LOADGEN_PATH, .arguments = arguments });

    require(status == 0, "the generator says: %s", server_errors(generator));
}

EACH_ROW(full_speed_loses_nothing, in_clear, sizeof LOADS / sizeof *LOADS)
{
    static const char *const MORE[2] = { NULL };

    run(server_start("%s", ""), &LOADS[*row], MORE);
}

EACH_ROW(full_speed_loses_nothing, in_tls, sizeof LOADS / sizeof *LOADS)
{
    static const char *const MORE[2] = { "--tls" };

    run(server_start("tls { %s }\n", tls_identity("server")), &LOADS[*row], MORE);
}
