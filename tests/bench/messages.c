/* messages.c - what is published, byte for byte, and who is to get it.
 *
 * The subject of a message is always the same one, or drawn from those of many subscriptions: number and
 * publisher of the message decide, so whoever gets it can tell whether it was meant for him.
 * All messages of a run are equally long, and so are all sids: a subscriber may count bytes. */
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_SID = 1000001, SID_DIGITS = 7, GROUP_COUNT = 1000, SUBSCRIPTION_ROOM = 64 };

/* ---- payloads ----------------------------------------------------------------------------- */

void payload_write(char *to, size_t size, uint64_t number, uint32_t publisher)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(number * 31 + publisher + i);
    for (size_t i = 0; i < STAMP_SIZE && i < size; i++)
        to[i] = (char)(i < 8 ? number >> (8 * i) : publisher >> (8 * (i - 8)));
}

void payload_read(const struct message *message, uint64_t *number, uint32_t *publisher)
{
    static char *wanted;
    static size_t room;

    if (message->size < STAMP_SIZE)
        die("a message has fewer bytes than were sent");
    *number = 0;
    *publisher = 0;
    for (size_t i = 0; i < STAMP_SIZE; i++) {
        unsigned char byte = (unsigned char)message->payload[i];

        if (i < 8)
            *number |= (uint64_t)byte << (8 * i);
        else
            *publisher |= (uint32_t)byte << (8 * (i - 8));
    }
    if (room < message->size) {
        room = message->size;
        wanted = reserve(room);
    }
    payload_write(wanted, message->size, *number, *publisher);
    if (memcmp(wanted, message->payload, message->size) != 0)
        die("message %llu of publisher %u came with other bytes", (unsigned long long)*number,
            *publisher);
}

/* ---- subjects ----------------------------------------------------------------------------- */

static char *put(char *to, const char *text)
{
    size_t size = strlen(text);

    memcpy(to, text, size);
    return to + size;
}

static char *put_digits(char *to, uint32_t value, int count)
{
    for (int i = count; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + count;
}

/* Which of the many subscriptions takes it: a hash, so that they are met in no order. */
static uint32_t subscription_of(const struct options *options, uint64_t number, uint32_t publisher)
{
    uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15U + publisher;

    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93U;
    return (uint32_t)((mixed ^ mixed >> 32) % options->subscriptions);
}

/* load.GROUP.SUBSCRIPTION.: what the subject and the subscription have in common */
static char *put_stem(char *to, uint32_t subscription)
{
    to = put_digits(put(to, "load."), subscription % GROUP_COUNT, 3);
    return put(put_digits(put(to, "."), subscription, SID_DIGITS), ".");
}

static char *put_subject(char *to, const struct options *options, uint64_t number,
                         uint32_t publisher)
{
    if (options->subscriptions == 0)
        return put(to, options->subject);
    return put(put_stem(to, subscription_of(options, number, publisher)), "data");
}

size_t publish_write(char *to, const struct options *options, uint64_t number, uint32_t publisher)
{
    char *at = put_subject(put(to, "PUB "), options, number, publisher);

    at += snprintf(at, 32, " %zu\r\n", options->size);
    payload_write(at, options->size, number, publisher);
    at = put(at + options->size, "\r\n");
    return (size_t)(at - to);
}

/* ---- subscriptions ------------------------------------------------------------------------ */

size_t sid_write(char *to, const struct options *options, uint32_t subscriber)
{
    return (size_t)(options->same_sids ? put(to, "1") - to
                                       : put_digits(to, FIRST_SID + subscriber, SID_DIGITS) - to);
}

static char *put_subscription(char *to, const char *pattern, const struct options *options,
                              uint32_t sid)
{
    to = put(put(put(to, pattern), " "), options->queue ? options->queue : "");
    to = put(to, options->queue ? " " : "");
    return put(to + sid_write(to, options, sid), "\r\n");
}

/* Half of them literal, a quarter each with one wildcard and the other. */
static char *put_one_of_many(char *to, const struct options *options, uint32_t subscription)
{
    static const char *const LAST[] = { "data", "*", "data", ">" };

    to = put_stem(put(to, "SUB "), subscription);
    return put_subscription(to, LAST[subscription % 4], options, subscription);
}

size_t subscriptions_write(char *to, const struct options *options, uint32_t subscriber)
{
    char *at = to;

    if (options->subscriptions == 0)
        at = put_subscription(put(at, "SUB "),
                              options->pattern ? options->pattern : options->subject, options,
                              subscriber);
    for (uint32_t i = subscriber; i < options->subscriptions; i += options->subscribers)
        at = put_one_of_many(at, options, i);
    return (size_t)(at - to);
}

size_t subscriptions_room(const struct options *options)
{
    return (options->subscriptions / options->subscribers + 1) * SUBSCRIPTION_ROOM + MOST_HEAD;
}

size_t delivered_size(const struct options *options)
{
    char line[MOST_HEAD];
    char *at = put(put_subject(put(line, "MSG "), options, 0, 0), " ");

    at += sid_write(at, options, 0);
    at += snprintf(at, 32, " %zu\r\n", options->size);
    return (size_t)(at - line) + options->size + 2;
}

void message_check(const struct options *options, const struct message *message, uint64_t number,
                   uint32_t publisher, uint32_t subscriber)
{
    char subject[MOST_HEAD], sid[16];
    size_t subject_size = (size_t)(put_subject(subject, options, number, publisher) - subject);
    uint32_t subscription =
        options->subscriptions > 0 ? subscription_of(options, number, publisher) : subscriber;
    size_t sid_size = sid_write(sid, options, subscription);

    if (options->subscriptions > 0 && subscription % options->subscribers != subscriber)
        die("a message came to somebody who had not subscribed to it");
    if (message->size != options->size || message->reply || message->subject_size != subject_size ||
        memcmp(message->subject, subject, subject_size) != 0 || message->sid_size != sid_size ||
        memcmp(message->sid, sid, sid_size) != 0)
        die("a message has another subject, sid, reply or size than it should have");
}
