/* Messages larger than what is read at once, in clear and over TLS, pipelined and cut at every awkward
 * place: every subscriber gets every byte, the publisher itself included. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

BEHAVIOUR(large_messages_arrive_whole);

enum { KIB = 1024, MIB = 1024 * 1024, MAX_SIZES = 64 };

static const struct kind {
    bool tls, headers;
    int workers;
} KINDS[] = {
    {.tls = false,  .headers = false, .workers = 1},
    { .tls = false, .headers = true,  .workers = 2},
    { .tls = true,  .headers = false, .workers = 1},
    { .tls = true,  .headers = true,  .workers = 2},
};

enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

/* ---- bytes -------------------------------------------------------------------------------- */

struct bytes {
    char *data;
    size_t size, room;
};

static void add(struct bytes *bytes, const void *more, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = 2 * (bytes->size + size);
        bytes->data = realloc(bytes->data, bytes->room);
    }
    memcpy(bytes->data + bytes->size, more, size);
    bytes->size += size;
}

/* Every size has contents of its own, with line ends and zeros in it. */
static const char *payload_of(size_t size)
{
    static char *payload;
    uint32_t state = (uint32_t)size * 2654435761u + 1;

    payload = realloc(payload, size + 1);
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        payload[i] = (char)(state >> 24);
    }
    return payload;
}

/* A publication, and what subscribers with and without headers get of it. */
struct stream {
    struct bytes sent, seen, bare;
};

static void add_message(struct stream *stream, size_t size, bool headers)
{
    const char *payload = payload_of(size), *line;
    const char *header = headers ? "NATS/1.0\r\n\r\n" : "";
    size_t extra = strlen(header);

    line = headers ? text("HPUB big %zu %zu\r\n", extra, size + extra)
                   : text("PUB big reply.to %zu\r\n", size);
    add(&stream->sent, line, strlen(line));
    line = headers ? text("HMSG big 1 %zu %zu\r\n", extra, size + extra)
                   : text("MSG big 1 reply.to %zu\r\n", size);
    add(&stream->seen, line, strlen(line));
    line = text("MSG big 1 %s%zu\r\n", headers ? "" : "reply.to ", size);
    add(&stream->bare, line, strlen(line));
    add(&stream->sent, header, extra);
    add(&stream->seen, header, extra);
    struct bytes *all[] = { &stream->sent, &stream->seen, &stream->bare };
    for (size_t i = 0; i < 3; i++) {
        add(all[i], payload, size);
        add(all[i], "\r\n", 2);
    }
}

static void free_stream(struct stream *stream)
{
    free(stream->sent.data);
    free(stream->seen.data);
    free(stream->bare.data);
}

/* ---- who takes part ------------------------------------------------------------------------- */

enum { PUBLISHER, FRIEND, SIMPLE, BYSTANDER, CLIENTS };

struct scene {
    struct server *server;
    struct conn *clients[CLIENTS]; /* the first three subscribe, the third without headers */
};

static struct scene begin(const struct kind *kind)
{
    const char *workers =
        text("max_workers: %d\nworker_fill_percent: 0\nmax_payload: 2000000\n", kind->workers);
    struct scene scene = {
        .server =
            server_start("%s%s", kind->tls ? text("tls { %s }\n", tls_identity("server")) : "",
                         is_reference() ? "max_payload: 2000000\n" : workers),
    };

    for (int i = 0; i < CLIENTS; i++) {
        const char *options = i == SIMPLE ? "{\"verbose\":false,\"protocol\":1}" : QUIET;
        scene.clients[i] = kind->tls
                               ? nats_login_tls(scene.server, &(struct tls_wishes){ 0 }, options)
                               : nats_login(scene.server, options);
        if (i != BYSTANDER)
            conn_send(scene.clients[i], "SUB big 1\r\n");
        conn_barrier(scene.clients[i]);
    }
    return scene;
}

static void expect_all(struct scene *scene, const struct stream *stream)
{
    conn_expect_bytes(scene->clients[PUBLISHER], stream->seen.data, stream->seen.size);
    conn_expect_bytes(scene->clients[FRIEND], stream->seen.data, stream->seen.size);
    conn_expect_bytes(scene->clients[SIMPLE], stream->bare.data, stream->bare.size);
    for (int i = 0; i < CLIENTS; i++)
        conn_barrier(scene->clients[i]);
}

/* ---- pipelined -------------------------------------------------------------------------------- */

static size_t sizes_around_limits(size_t sizes[MAX_SIZES])
{
    static const size_t LIMITS[] = { 4 * KIB,   16 * KIB,  64 * KIB, 128 * KIB,
                                     256 * KIB, 512 * KIB, MIB };
    static const int DISTANCES[] = { -64, -21, -2, -1, 0, 1, 2, 33 };
    size_t count = 0;

    sizes[count++] = 0;
    sizes[count++] = 1;
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        for (size_t k = 0; k < sizeof DISTANCES / sizeof *DISTANCES; k++)
            sizes[count++] = LIMITS[i] + (size_t)DISTANCES[k];
    return count;
}

EACH_ROW(large_messages_arrive_whole, one_behind_the_other, KIND_COUNT)
{
    size_t sizes[MAX_SIZES], count = sizes_around_limits(sizes);
    struct scene scene = begin(&KINDS[*row]);
    struct stream stream = { 0 };

    for (size_t i = 0; i < count; i++) {
        add_message(&stream, sizes[i], KINDS[*row].headers);
        add_message(&stream, i % 3, KINDS[*row].headers); /* small ones in between */
    }
    conn_write(scene.clients[PUBLISHER], stream.sent.data, stream.sent.size);
    expect_all(&scene, &stream);
    free_stream(&stream);
}

/* ---- cut ---------------------------------------------------------------------------------------- */

/* The server has read the first piece when it has answered somebody else; then the second comes. */
static void write_in_two(struct scene *scene, const struct bytes *bytes, size_t cut)
{
    conn_write(scene->clients[PUBLISHER], bytes->data, cut);
    conn_barrier(scene->clients[BYSTANDER]);
    conn_write(scene->clients[PUBLISHER], bytes->data + cut, bytes->size - cut);
}

EACH_ROW(large_messages_arrive_whole, cut_near_every_seam, KIND_COUNT)
{
    enum { AROUND = 4 };
    static const size_t SIZES[] = { 70000, 0, 5000, 300000, 3 };
    struct scene scene = begin(&KINDS[*row]);
    struct stream stream = { 0 };
    size_t seams[2 * sizeof SIZES / sizeof *SIZES + 1], count = 0;

    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        seams[count++] = stream.sent.size + 6;
        add_message(&stream, SIZES[i], KINDS[*row].headers);
        seams[count++] = stream.sent.size;
    }
    seams[count++] = 64 * KIB; /* in the middle of the first one */
    for (size_t i = 0; i < count; i++)
        for (size_t cut = seams[i] > AROUND ? seams[i] - AROUND : 0; cut < seams[i] + AROUND;
             cut++) {
            if (cut > stream.sent.size)
                break;
            write_in_two(&scene, &stream.sent, cut);
            expect_all(&scene, &stream);
        }
    free_stream(&stream);
}

EACH_ROW(large_messages_arrive_whole, in_pieces_of_any_size, KIND_COUNT)
{
    static const size_t PIECES[] = { 1, 7, 100, 4095, 16384, 65535, 65536, 65537, 100000, 262144 };
    static const size_t SIZES[] = { 65536, 200000, 0, 1, MIB, 4096 };
    struct scene scene = begin(&KINDS[*row]);
    struct stream stream = { 0 };
    size_t at = 0;

    for (int round = 0; round < 4; round++)
        for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
            add_message(&stream, SIZES[i] + (size_t)round, KINDS[*row].headers);
    for (size_t i = 0; at < stream.sent.size; i++) {
        size_t left = stream.sent.size - at, piece = PIECES[i % (sizeof PIECES / sizeof *PIECES)];
        piece = piece < left ? piece : left;
        conn_write(scene.clients[PUBLISHER], stream.sent.data + at, piece);
        at += piece;
        conn_barrier(scene.clients[BYSTANDER]);
    }
    expect_all(&scene, &stream);
    free_stream(&stream);
}
