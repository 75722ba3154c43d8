/* libnats_endings.c - how subscriptions, connections and servers end, seen by the C client. */
#include "libnats.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static natsSubscription *subscribe(natsConnection *nc, const char *subject)
{
    natsSubscription *sub = NULL;

    must(natsConnection_SubscribeSync(&sub, nc, subject));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    return sub;
}

static void publish(natsConnection *nc, const char *subject, int count)
{
    char text[16];

    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%d", i);
        must(natsConnection_PublishString(nc, subject, text));
    }
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
}

/* The server answers a request at once when it knows of no subscription. */
static void no_interest(natsConnection *nc, const char *subject)
{
    natsMsg *answer = NULL;

    expect(NATS_NO_RESPONDERS, natsConnection_RequestString(&answer, nc, subject, "", PATIENCE_MS));
}

/* ---- subscriptions -------------------------------------------------------------------------- */

void unsubscribe(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *leaves = subscribe(to, "news"), *stays = subscribe(to, "news");

    publish(from, "news", 1);
    next_is(leaves, "0");
    next_is(stays, "0");
    must(natsSubscription_Unsubscribe(leaves));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    publish(from, "news", 1);
    next_is(stays, "0");
    nothing_more(to, stays);
    must(natsSubscription_Unsubscribe(stays));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    no_interest(from, "news");
    natsSubscription_Destroy(leaves);
    natsSubscription_Destroy(stays);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

void auto_unsubscribe(void)
{
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *sub = subscribe(to, "five");
    natsMsg *msg = NULL;

    must(natsSubscription_AutoUnsubscribe(sub, 5));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    publish(from, "five", 10);
    for (int i = 0; i < 5; i++)
        natsMsg_Destroy(next(sub));
    expect(NATS_MAX_DELIVERED_MSGS, natsSubscription_NextMsg(&msg, sub, PATIENCE_MS));
    no_interest(from, "five");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

static void ring_for_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc, (void)sub;
    bell_ring(closure, NATS_OK);
    natsMsg_Destroy(msg);
}

void drain_subscription(void)
{
    static struct bell came = BELL;
    struct broker *broker = broker_start("%s", "");
    natsConnection *from = client(broker), *to = client(broker);
    natsSubscription *sub = NULL;

    must(natsConnection_Subscribe(&sub, to, "drain", ring_for_message, &came));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    publish(from, "drain", 1000);
    must(natsSubscription_Drain(sub));
    must(natsSubscription_WaitForDrainCompletion(sub, PATIENCE_MS));
    require(bell_count(&came) == 1000, "only %u messages came", bell_count(&came));
    no_interest(from, "drain");
    require(natsConnection_Status(to) == NATS_CONN_STATUS_CONNECTED, "the connection has ended");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

void drain_connection(void)
{
    static struct bell came = BELL, closed = BELL;
    struct broker *broker = broker_start("%s", "");
    natsOptions *options = options_for(broker);
    natsSubscription *sub = NULL;

    must(natsOptions_SetClosedCB(options, ring_on_connection, &closed));
    natsConnection *from = client(broker), *to = client_with(options);
    natsSubscription *last = subscribe(from, "last.words");
    must(natsConnection_Subscribe(&sub, to, "drain", ring_for_message, &came));
    must(natsConnection_FlushTimeout(to, PATIENCE_MS));
    publish(from, "drain", 1000);
    must(natsConnection_PublishString(to, "last.words", "good bye"));
    must(natsConnection_Drain(to));
    bell_await(&closed, 1);
    require(bell_count(&came) == 1000, "only %u messages came", bell_count(&came));
    next_is(last, "good bye");
    no_interest(from, "drain");
    natsSubscription_Destroy(sub);
    natsSubscription_Destroy(last);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    broker_stop(broker);
}

/* A client that cannot keep up drops messages by itself; the server and its neighbour notice nothing. */
void slow_reader(void)
{
    enum { COUNT = 1000, LIMIT = 10 };
    static struct bell slow = BELL;
    struct broker *broker = broker_start("%s", "");
    natsOptions *options = options_for(broker);
    int64_t dropped = 0;

    must(natsOptions_SetErrorHandler(options, ring_on_error, &slow));
    natsConnection *from = client(broker), *late = client_with(options), *swift = client(broker);
    natsSubscription *few = subscribe(late, "flood"), *all = subscribe(swift, "flood");
    must(natsSubscription_SetPendingLimits(few, LIMIT, -1));
    publish(from, "flood", COUNT);
    must(natsConnection_FlushTimeout(late, PATIENCE_MS));
    bell_await(&slow, 1);
    require(slow.status == NATS_SLOW_CONSUMER, "the error is %s", natsStatus_GetText(slow.status));
    must(natsSubscription_GetDropped(few, &dropped));
    require(dropped == COUNT - LIMIT, "%lld messages were dropped", (long long)dropped);
    for (int i = 0; i < COUNT; i++)
        natsMsg_Destroy(next(all));
    nothing_more(swift, all);
    natsSubscription_Destroy(few);
    natsSubscription_Destroy(all);
    natsConnection_Destroy(from);
    natsConnection_Destroy(late);
    natsConnection_Destroy(swift);
    broker_stop(broker);
}

/* ---- servers -------------------------------------------------------------------------------- */

/* The client comes back by itself, subscribes again, and sends what it kept in the meantime. */
void reconnect(void)
{
    static struct bell lost = BELL, found = BELL;
    uint16_t port = broker_reserve_port();
    struct broker *broker = broker_start_at(port, "%s", "");
    natsOptions *options = options_for(broker);

    must(natsOptions_SetReconnectWait(options, 10));
    must(natsOptions_SetReconnectJitter(options, 0, 0));
    must(natsOptions_SetMaxReconnect(options, PATIENCE_MS));
    must(natsOptions_SetDisconnectedCB(options, ring_on_connection, &lost));
    must(natsOptions_SetReconnectedCB(options, ring_on_connection, &found));
    natsConnection *nc = client_with(options);
    natsSubscription *sub = subscribe(nc, "still.there");
    for (unsigned turn = 1; turn <= 3; turn++) {
        broker_stop(broker);
        bell_await(&lost, turn);
        must(natsConnection_PublishString(nc, "still.there", "kept"));
        broker = broker_start_at(port, "%s", "");
        bell_await(&found, turn);
        next_is(sub, "kept");
        must(natsConnection_PublishString(nc, "still.there", "new"));
        next_is(sub, "new");
        nothing_more(nc, sub);
    }
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    broker_stop(broker);
}

void lame_duck(void)
{
    static struct bell told = BELL, closed = BELL;
    struct broker *broker = broker_start("%s", "");
    natsOptions *options = options_for(broker), *late;

    must(natsOptions_SetAllowReconnect(options, false));
    must(natsOptions_SetLameDuckModeCB(options, ring_on_connection, &told));
    must(natsOptions_SetClosedCB(options, ring_on_connection, &closed));
    natsConnection *nc = client_with(options);
    natsSubscription *sub = subscribe(nc, "last");
    broker_signal(broker, SIGUSR2);
    bell_await(&told, 1);
    late = options_for(broker);
    refused_with(NATS_NO_SERVER, late);
    must(natsConnection_PublishString(nc, "last", "served to the end"));
    next_is(sub, "served to the end");
    require(bell_count(&closed) == 0, "the connection was closed at once");
    broker_end(broker, SIGINT);
    bell_await(&closed, 1);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}
