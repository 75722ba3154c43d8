/* libnats_accounts.c - accounts that share services and streams, mapped subjects and permissions, seen by the C client. */
#include "libnats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static natsConnection *login(struct broker *broker, const char *user)
{
    natsOptions *options = options_for(broker);

    must(natsOptions_SetUserInfo(options, user, "pw"));
    return client_with(options);
}

/* Known to the server when it returns. */
static natsSubscription *listen(natsConnection *nc, const char *subject)
{
    natsSubscription *sub = NULL;

    must(natsConnection_SubscribeSync(&sub, nc, subject));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    return sub;
}

static void say(natsConnection *nc, const char *subject, const char *text)
{
    must(natsConnection_PublishString(nc, subject, text));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
}

/* The next message has this subject and this text. */
static void next_from(natsSubscription *sub, const char *subject, const char *text)
{
    natsMsg *msg = next(sub);

    require(strcmp(natsMsg_GetSubject(msg), subject) == 0, "'%s' came instead of '%s'",
            natsMsg_GetSubject(msg), subject);
    require(strcmp(natsMsg_GetData(msg), text) == 0, "'%s' was said instead of '%s'",
            natsMsg_GetData(msg), text);
    natsMsg_Destroy(msg);
}

/* ---- accounts ------------------------------------------------------------------------------- */

static const char SHOP[] =
    "accounts {\n"
    "  SHOP { users: [ { user: shop, password: pw } ]\n"
    "    exports: [ { stream: \"prices.>\" }, { stream: \"offers.*.>\", account_token_position: 2 "
    "}\n"
    "      { service: \"stock.*\" }, { service: history, response_type: stream }\n"
    "      { service: album, response_type: chunked }\n"
    "      { stream: \"inner.>\", accounts: [DESK] } ] }\n"
    "  DESK { users: [ { user: desk, password: pw } ]\n"
    "    imports: [ { stream: { account: SHOP, subject: \"prices.>\" }, prefix: shop }\n"
    "      { stream: { account: SHOP, subject: \"inner.*.*\" }, to: \"swapped.$2.$1\" }\n"
    "      { stream: { account: SHOP, subject: \"offers.DESK.>\" } }\n"
    "      { service: { account: SHOP, subject: \"stock.apples\" }, to: \"how.many\" }\n"
    "      { service: { account: SHOP, subject: history } }\n"
    "      { service: { account: SHOP, subject: album } } ] }\n"
    "  ALONE { users: [ { user: alone, password: pw } ] }\n"
    "}\n";

void accounts(void)
{
    struct broker *broker = broker_start("%s", SHOP);
    natsConnection *shop = login(broker, "shop"), *alone = login(broker, "alone");
    natsSubscription *of_shop = listen(shop, ">"), *of_alone = listen(alone, ">");

    say(shop, "prices.apple", "1");
    next_from(of_shop, "prices.apple", "1");
    nothing_more(alone, of_alone);
    say(alone, "prices.apple", "2");
    next_from(of_alone, "prices.apple", "2");
    nothing_more(shop, of_shop);
    natsSubscription_Destroy(of_shop);
    natsSubscription_Destroy(of_alone);
    natsConnection_Destroy(shop);
    natsConnection_Destroy(alone);
    broker_stop(broker);
}

void stream_imports(void)
{
    struct broker *broker = broker_start("%s", SHOP);
    natsConnection *shop = login(broker, "shop"), *desk = login(broker, "desk");
    natsSubscription *all = listen(desk, ">");

    say(shop, "prices.apple", "1");
    say(shop, "inner.left.right", "2");
    say(shop, "offers.DESK.pear", "3");
    say(shop, "offers.ALONE.pear", "not for this desk");
    say(shop, "private", "nobody exports it");
    next_from(all, "shop.prices.apple", "1");
    next_from(all, "swapped.right.left", "2");
    next_from(all, "offers.DESK.pear", "3");
    nothing_more(desk, all);
    natsSubscription_Destroy(all);
    natsConnection_Destroy(shop);
    natsConnection_Destroy(desk);
    broker_stop(broker);
}

static void answer_stock(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    char text[64];

    (void)sub, (void)closure;
    snprintf(text, sizeof text, "%s: %s", natsMsg_GetSubject(msg), natsMsg_GetData(msg));
    must(natsConnection_PublishString(nc, natsMsg_GetReply(msg), text));
    natsMsg_Destroy(msg);
}

/* Answers in several messages, of which an empty one is the last. */
static void answer_in_pages(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    static const char *const PAGES[] = { "first", "second", "", "too late" };

    (void)sub, (void)closure;
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++)
        must(natsConnection_PublishString(nc, natsMsg_GetReply(msg), PAGES[i]));
    natsMsg_Destroy(msg);
}

void service_imports(void)
{
    struct broker *broker = broker_start("%s", SHOP);
    natsConnection *shop = login(broker, "shop"), *desk = login(broker, "desk");
    natsSubscription *stock = NULL, *history = NULL, *album = NULL, *pages = listen(desk, "pages");
    natsMsg *answer = NULL;

    expect(NATS_NO_RESPONDERS,
           natsConnection_RequestString(&answer, desk, "how.many", "?", PATIENCE_MS));
    must(natsConnection_Subscribe(&stock, shop, "stock.*", answer_stock, NULL));
    must(natsConnection_Subscribe(&history, shop, "history", answer_in_pages, NULL));
    must(natsConnection_Subscribe(&album, shop, "album", answer_in_pages, NULL));
    must(natsConnection_FlushTimeout(shop, PATIENCE_MS));
    must(natsConnection_RequestString(&answer, desk, "how.many", "are left?", PATIENCE_MS));
    require(strcmp(natsMsg_GetData(answer), "stock.apples: are left?") == 0, "the answer is '%s'",
            natsMsg_GetData(answer));
    natsMsg_Destroy(answer);
    expect(NATS_NO_RESPONDERS,
           natsConnection_RequestString(&answer, desk, "stock.apples", "?", PATIENCE_MS));

    static const char *const IN_PAGES[] = { "history", "album" };
    for (size_t i = 0; i < sizeof IN_PAGES / sizeof *IN_PAGES; i++) {
        must(natsConnection_PublishRequestString(desk, IN_PAGES[i], "pages", "?"));
        next_is(pages, "first");
        next_is(pages, "second");
        next_is(pages, "");
        must(natsConnection_FlushTimeout(shop, PATIENCE_MS));
        nothing_more(desk, pages);
    }
    natsSubscription_Destroy(stock);
    natsSubscription_Destroy(history);
    natsSubscription_Destroy(album);
    natsSubscription_Destroy(pages);
    natsConnection_Destroy(shop);
    natsConnection_Destroy(desk);
    broker_stop(broker);
}

/* ---- mappings ------------------------------------------------------------------------------- */

static uint64_t queued(natsSubscription *sub)
{
    uint64_t count = 0;

    must(natsSubscription_QueuedMsgs(sub, &count));
    return count;
}

void mappings(void)
{
    enum { MESSAGES = 2000, PARTITIONS = 3 };
    struct broker *broker =
        broker_start("mappings = {\n"
                     "  plain: target\n"
                     "  \"swap.*.*\": \"swapped.{{wildcard(2)}}.{{wildcard(1)}}\"\n"
                     "  \"shard.*\": \"shard.{{partition(%d,1)}}.{{wildcard(1)}}\"\n"
                     "  canary: [ { destination: canary.v1, weight: 80%% }\n"
                     "            { destination: canary.v2, weight: 20%% } ]\n"
                     "}\n",
                     PARTITIONS);
    natsConnection *nc = client(broker);
    natsSubscription *all = listen(nc, "target"), *swapped = listen(nc, "swapped.>");
    natsSubscription *v1 = listen(nc, "canary.v1"), *v2 = listen(nc, "canary.v2");
    natsSubscription *shards[PARTITIONS];
    char subject[64];
    uint64_t sum = 0;

    say(nc, "plain", "mapped");
    next_from(all, "target", "mapped");
    say(nc, "swap.a.b", "x");
    next_from(swapped, "swapped.b.a", "x");

    for (int i = 0; i < MESSAGES; i++)
        must(natsConnection_PublishString(nc, "canary", "x"));
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    uint64_t share = queued(v2);
    require(queued(v1) + share == MESSAGES, "%d went somewhere else",
            MESSAGES - (int)(queued(v1) + share));
    require(share > MESSAGES / 10 && share < MESSAGES * 3 / 10, "20 %% of %d are not %d", MESSAGES,
            (int)share);

    for (int i = 0; i < PARTITIONS; i++) {
        snprintf(subject, sizeof subject, "shard.%d.*", i);
        shards[i] = listen(nc, subject);
    }
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(subject, sizeof subject, "shard.k%d", i);
        must(natsConnection_PublishString(nc, subject, "x"));
    }
    must(natsConnection_FlushTimeout(nc, PATIENCE_MS));
    for (int i = 0; i < PARTITIONS; i++) {
        require(queued(shards[i]) > MESSAGES / PARTITIONS / 2, "shard %d got %d", i,
                (int)queued(shards[i]));
        sum += queued(shards[i]);
        natsSubscription_Destroy(shards[i]);
    }
    require(sum == MESSAGES, "%d of %d reached a shard", (int)sum, MESSAGES);
    natsSubscription_Destroy(all);
    natsSubscription_Destroy(swapped);
    natsSubscription_Destroy(v1);
    natsSubscription_Destroy(v2);
    natsConnection_Destroy(nc);
    broker_stop(broker);
}

/* ---- permissions ---------------------------------------------------------------------------- */

/* What the error handler heard: how often, and the text of the last one. */
struct complaint {
    struct bell bell;
    char text[256];
};

static void note(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
    struct complaint *complaint = closure;
    const char *text = NULL;

    (void)sub;
    natsConnection_GetLastError(nc, &text);
    pthread_mutex_lock(&complaint->bell.lock);
    snprintf(complaint->text, sizeof complaint->text, "%s", text ? text : "");
    pthread_mutex_unlock(&complaint->bell.lock);
    bell_ring(&complaint->bell, status);
}

/* The next complaint, number `count`, is a refusal with this text. */
static void hear(struct complaint *complaint, unsigned count, const char *text)
{
    bell_await(&complaint->bell, count);
    require(complaint->bell.status == NATS_NOT_PERMITTED, "the status is '%s'",
            natsStatus_GetText(complaint->bell.status));
    require(strstr(complaint->text, text), "the server said: %s", complaint->text);
}

/* The client publishes and subscribes where it may not; the server says exactly what, and keeps the connection. */
void permissions(void)
{
    static struct complaint heard = { .bell = BELL };
    struct broker *broker = broker_start(
        "authorization { users: [ { user: root, password: pw }, { user: limited, password: pw,\n"
        "  permissions: { publish: { deny: [\"secret.>\", \"answers.>\"] }\n"
        "    subscribe: { allow: [\"open.>\", \"jobs team\"], deny: \"open.not\" }\n"
        "    allow_responses: { max: 1 } } } ] }\n");
    natsOptions *options = options_for(broker);
    natsSubscription *subs[3] = { NULL };

    must(natsOptions_SetUserInfo(options, "limited", "pw"));
    must(natsOptions_SetErrorHandler(options, note, &heard));
    natsConnection *nc = client_with(options), *root = login(broker, "root");

    say(nc, "secret.a", "x");
    hear(&heard, 1, "Permissions Violation for Publish to \"secret.a\"");
    must(natsConnection_SubscribeSync(&subs[0], nc, "closed"));
    hear(&heard, 2, "Permissions Violation for Subscription to \"closed\"");
    must(natsConnection_SubscribeSync(&subs[1], nc, "open.not"));
    hear(&heard, 3, "Permissions Violation for Subscription to \"open.not\"");
    must(natsConnection_QueueSubscribeSync(&subs[2], nc, "jobs", "others"));
    hear(&heard, 4, "Permissions Violation for Subscription to \"jobs\" using queue \"others\"");

    natsSubscription *requests = listen(nc, "open.>"), *answers = listen(root, "answers.>");
    must(natsConnection_PublishRequestString(root, "open.ask", "answers.1", "?"));
    natsMsg_Destroy(next(requests));
    say(nc, "answers.1", "once");
    next_is(answers, "once");
    say(nc, "answers.1", "twice");
    hear(&heard, 5, "Permissions Violation for Publish to \"answers.1\"");
    nothing_more(root, answers);
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        natsSubscription_Destroy(subs[i]);
    natsSubscription_Destroy(requests);
    natsSubscription_Destroy(answers);
    natsConnection_Destroy(nc);
    natsConnection_Destroy(root);
    broker_stop(broker);
}
