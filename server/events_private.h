/* events_private.h - what the files of events share. Control thread. */
#ifndef SERVER_EVENTS_PRIVATE_H
#define SERVER_EVENTS_PRIVATE_H

#include <uv.h>

#include "base/buf.h"
#include "base/nuid.h"

#include "events.h"
#include "server.h"
#include "worker.h"

struct event_limit;

struct events {
    struct server *server;
    struct buf host; /* of the last stamp */
    uint64_t seq;    /* of the last message that had a server object */
    struct event_limit *ocsp_limit;
    struct advisory_stats advisories;
    uv_timer_t statsz_timer, conns_timer;
    uint64_t statsz_pause_ms; /* until the next broadcast */
    unsigned open_handles;
};

/** Does anybody listen to this subject of the system account? On the worker's thread; false without such an
 *  account. */
bool events_have_listener(struct worker *worker, const char *subject);
/** The same for the control thread. */
bool events_are_wanted(struct events *events, const char *subject);
/** Publishes in the system account. */
void events_publish(struct events *events, const char *subject, struct span body);

/** Starts the timers (events_stats.c). */
void events_start_timers(struct events *events);

#endif
