/* libnats_messages.c - messages on their way through the server, seen by the C client. */
#include "libnats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void publish(natsConnection *nc, const char *subject, const char *text)
{
    must(natsConnection_PublishString(nc, subject, text));
}

static natsSubscription *subscribe(natsConnection *nc, const char *subject)
{
    natsSubscription *sub = NULL;

    must(natsConnection_SubscribeSync(&sub, nc, subject));
    must(natsSubscription_SetPendingLimits(sub, -1, -1));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    return sub;
}

/* ---- the connection ------------------------------------------------------------------------- */

void connect_and_flush(void)
{
    struct broker *broker = broker_start("server_name: gate\nmax_payload: 2048\n");
    natsConnection *nc = client(broker), *other = client(broker);
    uint64_t id = 0, other_id = 0;
    int64_t rtt_ns = 0;
    char server_id[64], payload[2049] = { 0 };
    char *address = NULL;

    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    must(natsConnection_GetRTT(nc, &rtt_ns));
    require(rtt_ns > 0, "a round trip takes %lld ns", (long long)rtt_ns);
    must(natsConnection_GetClientID(nc, &id));
    must(natsConnection_GetClientID(other, &other_id));
    require(id > 0 && other_id > 0 && id != other_id, "both clients have the id %llu",
            (unsigned long long)id);
    must(natsConnection_GetClientIP(nc, &address));
    require(strcmp(address, "127.0.0.1") == 0, "the client's address is '%s'", address);
    free(address);
    must(natsConnection_GetConnectedServerId(nc, server_id, sizeof server_id));
    require(strlen(server_id) == 56 && server_id[0] == 'N', "the server's id is '%s'", server_id);
    must(natsConnection_HasHeaderSupport(nc));
    require(natsConnection_GetMaxPayload(nc) == 2048, "max_payload is not in force");
    must(natsConnection_Publish(nc, "fits", payload, 2048));
    expect(NATS_MAX_PAYLOAD, natsConnection_Publish(nc, "fits not", payload, 2049));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    natsConnection_Destroy(nc);
    natsConnection_Destroy(other);
    broker_stop(broker);
}

/* Answers come only when all that was sent before has been read: so with every +OK, too. */
void verbose_and_pedantic(void)
{
    struct broker *broker = broker_start("%s", "");
    natsOptions *options = options_for(broker);

    must(natsOptions_SetVerbose(options, true));
    must(natsOptions_SetPedantic(options, true));
    natsConnection *nc = client_with(options);
    natsSubscription *sub = subscribe(nc, "a.*");
    publish(nc, "a.b", "one");
    publish(nc, "a.c", "two");
    next_is(sub, "one");
    next_is(sub, "two");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    broker_stop(broker);
}

/* ---- publish and subscribe ------------------------------------------------------------------ */

static void check_every_byte(natsConnection *nc)
{
    unsigned char bytes[256];
    natsSubscription *sub = subscribe(nc, "bytes");

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    must(natsConnection_Publish(nc, "bytes", bytes, sizeof bytes));
    natsMsg *msg = next(sub);
    require(natsMsg_GetDataLength(msg) == sizeof bytes &&
                memcmp(natsMsg_GetData(msg), bytes, sizeof bytes) == 0,
            "the payload has changed");
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
}

static void check_order(natsConnection *from, natsConnection *to)
{
    enum { COUNT = 20000 };
    char text[16];
    natsSubscription *sub = subscribe(to, "in.>");

    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        publish(from, i % 2 ? "in.odd" : "in.even.number", text);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        next_is(sub, text);
    }
    natsSubscription_Destroy(sub);
}

void publish_and_subscribe(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *exact = subscribe(to, "orders.new");
    natsSubscription *one = subscribe(to, "orders.*");
    natsSubscription *all = subscribe(to, ">");

    publish(from, "orders.new", "1");
    publish(from, "orders.old", "2");
    publish(from, "orders.old.x", "3");
    publish(from, "orders", "");
    must(natsConnection_FlushTimeout(from, PATIENCE_MS));
    next_is(exact, "1");
    next_is(one, "1");
    next_is(one, "2");
    next_is(all, "1");
    next_is(all, "2");
    next_is(all, "3");
    next_is(all, "");
    nothing_more(to, exact);
    nothing_more(to, one);
    nothing_more(to, all);
    natsSubscription_Destroy(exact);
    natsSubscription_Destroy(one);
    natsSubscription_Destroy(all);
    check_every_byte(from);
    check_order(from, to);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

void no_echo(void)
{
    struct broker *broker = broker_start("%s", "");
    natsOptions *options = options_for(broker);

    must(natsOptions_SetNoEcho(options, true));
    natsConnection *silent = client_with(options), *other = client(broker);
    natsSubscription *own = subscribe(silent, "talk"), *heard = subscribe(other, "talk");
    publish(silent, "talk", "mine");
    next_is(heard, "mine");
    publish(other, "talk", "yours");
    next_is(own, "yours");
    nothing_more(silent, own);
    natsSubscription_Destroy(own);
    natsSubscription_Destroy(heard);
    natsConnection_Destroy(silent);
    natsConnection_Destroy(other);
    broker_stop(broker);
}

void large_payloads(void)
{
    enum { SIZE = 1 << 20, COUNT = 30 };
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *sub = subscribe(to, "large");
    char *payload = malloc(SIZE);

    require(payload, "out of memory");
    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (char)(i * 31 + i / 251);
    for (int i = 0; i < COUNT; i++)
        must(natsConnection_Publish(from, "large", payload, SIZE - i));
    for (int i = 0; i < COUNT; i++) {
        natsMsg *msg = next(sub);
        int size = natsMsg_GetDataLength(msg);

        require(size == SIZE - i, "message %d has %d bytes", i, size);
        require(memcmp(natsMsg_GetData(msg), payload, (size_t)size) == 0, "message %d differs", i);
        natsMsg_Destroy(msg);
    }
    free(payload);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

/* What one client sent before its flush returned has reached another whose flush began later. Programs
 * count on that, whichever threads of the server serve the two. */
void flush_is_a_barrier(void)
{
    enum { PAIRS = 4, ROUNDS = 300 };
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to[PAIRS];
    natsSubscription *sub[PAIRS];

    for (size_t i = 0; i < PAIRS; i++) {
        to[i] = client(broker);
        sub[i] = subscribe(to[i], "barrier");
    }
    for (int round = 0; round < ROUNDS; round++) {
        publish(from, "barrier", "x");
        must(natsConnection_FlushTimeout(from, PATIENCE_MS));
        for (size_t i = 0; i < PAIRS; i++) {
            uint64_t queued = 0;

            must(natsConnection_FlushTimeout(to[i], PATIENCE_MS));
            must(natsSubscription_QueuedMsgs(sub[i], &queued));
            require(queued == 1, "round %d: client %zu has %d messages", round, i, (int)queued);
            next_is(sub[i], "x");
        }
    }
    for (size_t i = 0; i < PAIRS; i++) {
        natsSubscription_Destroy(sub[i]);
        natsConnection_Destroy(to[i]);
    }
    natsConnection_Destroy(from);
    broker_stop(broker);
}

void fan_out(void)
{
    enum { CLIENTS = 40, COUNT = 200 };
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to[CLIENTS];
    natsSubscription *sub[CLIENTS];
    char text[16];

    for (size_t i = 0; i < CLIENTS; i++) {
        to[i] = client(broker);
        sub[i] = subscribe(to[i], "news");
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        publish(from, "news", text);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int k = 0; k < COUNT; k++) {
            snprintf(text, sizeof text, "%d", k);
            next_is(sub[i], text);
        }
        nothing_more(to[i], sub[i]);
        natsSubscription_Destroy(sub[i]);
        natsConnection_Destroy(to[i]);
    }
    natsConnection_Destroy(from);
    broker_stop(broker);
}

/* ---- request and reply ---------------------------------------------------------------------- */

static void echo(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub, (void)closure;
    natsConnection_Publish(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg),
                           natsMsg_GetDataLength(msg));
    natsMsg_Destroy(msg);
}

static void ask(natsConnection *nc, int count)
{
    char text[16];

    for (int i = 0; i < count; i++) {
        natsMsg *answer = NULL;

        snprintf(text, sizeof text, "%d", i);
        must(natsConnection_RequestString(&answer, nc, "echo", text, PATIENCE_MS));
        require(strcmp(natsMsg_GetData(answer), text) == 0, "asked '%s', answered '%s'", text,
                natsMsg_GetData(answer));
        natsMsg_Destroy(answer);
    }
}

/* One inbox for all answers, and, as older clients do it, one for each. */
void request_and_reply(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *service = client(broker), *modern = client(broker);
    natsOptions *options = options_for(broker);
    natsSubscription *sub = NULL;

    must(natsOptions_UseOldRequestStyle(options, true));
    natsConnection *old = client_with(options);
    must(natsConnection_Subscribe(&sub, service, "echo", echo, NULL));
    must(natsConnection_FlushTimeout(service, PATIENCE_MS));
    ask(modern, 500);
    ask(old, 200);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(service);
    natsConnection_Destroy(modern);
    natsConnection_Destroy(old);
    broker_stop(broker);
}

void no_responders(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *nc = client(broker);
    natsOptions *options = options_for(broker);
    natsMsg *answer = NULL;

    expect(NATS_NO_RESPONDERS,
           natsConnection_RequestString(&answer, nc, "nobody", "?", PATIENCE_MS));
    must(natsOptions_DisableNoResponders(options, true));
    natsConnection *waits = client_with(options);
    expect(NATS_TIMEOUT, natsConnection_RequestString(&answer, waits, "nobody", "?", 50));

    natsSubscription *mute = subscribe(nc, "mute"); /* interest, but no answer */
    expect(NATS_TIMEOUT, natsConnection_RequestString(&answer, nc, "mute", "?", 50));
    next_is(mute, "?");
    natsSubscription_Destroy(mute);
    natsConnection_Destroy(nc);
    natsConnection_Destroy(waits);
    broker_stop(broker);
}

/* ---- queue groups --------------------------------------------------------------------------- */

struct share {
    struct bell own, *all;
};

static void take_share(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    struct share *share = closure;

    (void)nc, (void)sub;
    bell_ring(&share->own, NATS_OK);
    bell_ring(share->all, NATS_OK);
    natsMsg_Destroy(msg);
}

enum { MEMBERS = 4, WORK = 4000 };

static natsSubscription *join(natsConnection *nc, const char *subject, const char *group,
                              struct share *share)
{
    natsSubscription *sub = NULL;

    if (group)
        must(natsConnection_QueueSubscribe(&sub, nc, subject, group, take_share, share));
    else
        must(natsConnection_Subscribe(&sub, nc, subject, take_share, share));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    return sub;
}

/* Each message goes to one member of each group and to every subscriber outside of the groups. */
void queue_groups(void)
{
    static struct bell team = BELL, others = BELL;
    static struct share shares[MEMBERS] = {
        {BELL,  &team},
        { BELL, &team},
        { BELL, &team},
        { BELL, &team}
    };
    static struct share audit = { BELL, &others }, plain = { BELL, &others };
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *member[MEMBERS];
    natsSubscription *sub[MEMBERS + 2];

    for (size_t i = 0; i < MEMBERS; i++) {
        member[i] = client(broker);
        sub[i] = join(member[i], "work.*", "team", &shares[i]);
    }
    sub[MEMBERS] = join(member[0], "work.>", "audit", &audit);
    sub[MEMBERS + 1] = join(member[1], "work.a", NULL, &plain);
    for (int i = 0; i < WORK; i++)
        publish(from, "work.a", "");
    bell_await(&team, WORK);
    bell_await(&others, 2 * WORK);
    for (size_t i = 0; i < MEMBERS; i++) /* were there too many, they would be on their way */
        must(natsConnection_FlushTimeout(member[i], PATIENCE_MS));
    require(bell_count(&audit.own) == WORK, "the group of one got %u", bell_count(&audit.own));
    require(bell_count(&plain.own) == WORK, "the subscriber got %u", bell_count(&plain.own));
    require(bell_count(&team) == WORK, "the team got %u", bell_count(&team));
    for (size_t i = 0; i < MEMBERS; i++)
        require(bell_count(&shares[i].own) > WORK / MEMBERS / 2, "member %zu got only %u", i,
                bell_count(&shares[i].own));
    for (size_t i = 0; i < MEMBERS + 2; i++)
        natsSubscription_Destroy(sub[i]);
    for (size_t i = 0; i < MEMBERS; i++)
        natsConnection_Destroy(member[i]);
    natsConnection_Destroy(from);
    broker_stop(broker);
}

/* ---- headers -------------------------------------------------------------------------------- */

static void answer_with_header(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
                               void *closure)
{
    natsMsg *answer = NULL;
    const char *question = "";

    (void)sub, (void)closure;
    natsMsgHeader_Get(msg, "Question", &question);
    natsMsg_Create(&answer, natsMsg_GetReply(msg), NULL, NULL, 0); /* nothing but headers */
    natsMsgHeader_Set(answer, "Answer", question);
    natsConnection_PublishMsg(nc, answer);
    natsMsg_Destroy(answer);
    natsMsg_Destroy(msg);
}

static void header_is(natsMsg *msg, const char *key, const char *wanted)
{
    const char *value = NULL;

    must(natsMsgHeader_Get(msg, key, &value));
    require(strcmp(value, wanted) == 0, "the header %s says '%s'", key, value);
}

void headers(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *sub = subscribe(to, "with.headers"), *service = NULL;
    natsMsg *msg = NULL, *answer = NULL;
    const char **values = NULL;
    int count = 0;

    must(natsMsg_Create(&msg, "with.headers", NULL, "body", 4));
    must(natsMsgHeader_Set(msg, "Kind", "a value: with a colon"));
    must(natsMsgHeader_Add(msg, "Many", "first"));
    must(natsMsgHeader_Add(msg, "Many", "second"));
    must(natsConnection_PublishMsg(from, msg));
    natsMsg_Destroy(msg);
    msg = next(sub);
    require(strcmp(natsMsg_GetData(msg), "body") == 0, "the body is '%s'", natsMsg_GetData(msg));
    header_is(msg, "Kind", "a value: with a colon");
    must(natsMsgHeader_Values(msg, "Many", &values, &count));
    require(count == 2 && strcmp(values[0], "first") == 0 && strcmp(values[1], "second") == 0,
            "the values of Many have changed");
    free((void *)values);
    natsMsg_Destroy(msg);

    must(natsConnection_Subscribe(&service, to, "question", answer_with_header, NULL));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    must(natsMsg_Create(&msg, "question", NULL, NULL, 0));
    must(natsMsgHeader_Set(msg, "Question", "42"));
    must(natsConnection_RequestMsg(&answer, from, msg, PATIENCE_MS));
    header_is(answer, "Answer", "42");
    require(natsMsg_GetDataLength(answer) == 0, "the answer has a body");
    natsMsg_Destroy(answer);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    natsSubscription_Destroy(service);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}
