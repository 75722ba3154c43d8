/* connections.c - opening connections one after the other, and holding many idle ones. */
#include "load.h"

#include <stdio.h>
#include <string.h>

void run_idle(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct peer *peers = reserve(options->connections * sizeof *peers);
    struct peer first;

    peer_open(&first, options, context); /* what only the first connection costs is not counted */
    measure_begin(options, result);
    for (uint32_t i = 0; i < options->connections; i++) {
        char line[64];

        peer_open(&peers[i], options, context);
        int size = snprintf(line, sizeof line, "SUB idle.%u 1\r\n", i);

        peer_send(&peers[i], line, (size_t)size);
    }
    for (uint32_t i = 0; i < options->connections; i++)
        peer_barrier(&peers[i]);
    measure_end(options, result);
    result->published = options->connections;
}

void run_connect(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct peer peer;

    measure_begin(options, result);
    for (uint32_t i = 0; i < options->connections; i++) {
        peer_open(&peer, options, context);
        peer_close(&peer);
    }
    measure_end(options, result);
    result->published = options->connections;
}
