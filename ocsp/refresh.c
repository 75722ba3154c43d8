/* refresh.c - see refresh.h: links, when they are due, their questions, reports of revocations. */
#include "refresh.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "agenda.h"
#include "link.h"
#include "policy.h"
#include "recall.h"
#include "request.h"
#include "service.h"

#define AHEAD_LIFETIME_NS (60 * NS_PER_S)   /* shorter lives are not worth it */
#define WINDOW_MAX_NS     (3600 * NS_PER_S) /* before the end of an answer's life */
#define PAUSE_NS          NS_PER_S          /* at least, between two questions about a link */
#define PAUSE_MAX_NS      (60 * NS_PER_S)   /* while no answer comes */
#define LEFT_MAX_NS       (INT64_MAX / 4)   /* 73 years: sums stay in range */
#define TIMER_MAX_MS      30000             /* the wall clock may be set meanwhile */
#define BURST_MS          50 /* so long revocations are collected before they are told */

struct link {
    struct ocsp_digest key[2]; /* certificate, issuer's key: the map's key */
    struct refresh *refresh;
    X509 *cert, *issuer;              /* references of our own */
    struct ocsp_peer_options options; /* those of the last who watched or used it */
    struct ocsp_answer answer;        /* the last one; only if has_answer */
    bool has_answer;
    bool is_used;      /* since the answer came */
    unsigned watchers; /* with neither, the link goes */
    unsigned failures; /* since the answer came */
    bool is_blind;     /* it has run out, and the log has told */
    struct agenda_item item;
    struct ocsp_waiter waiter; /* in a fetch while asking */
    struct list report;        /* in refresh->reports */
};

/** A use seen by another thread, on its way here. */
struct note {
    struct list link;
    struct ocsp_digest key[2];
    struct ocsp_link pair; /* references */
    struct ocsp_peer_options options;
    struct ocsp_answer answer;
};

struct refresh {
    struct ocsp *ocsp;
    struct map links; /* key -> struct link, owned */
    struct agenda agenda;
    struct ocsp_refresh_stats stats;
    int64_t scheduled_ns;   /* wall clock when something was scheduled last */
    struct list reports;    /* links found revoked; told from the timer only */
    uint64_t report_due_ms; /* loop time at which they are told */
    uv_timer_t timer;
    uv_async_t wake;
    unsigned open_parts; /* timer, wake */
    void (*on_closed)(void *ctx);
    void *ctx;

    pthread_mutex_t mutex; /* guards `notes`; nothing is called while it is held */
    struct list notes;
};

static void arm(struct refresh *refresh);
static void on_result(struct ocsp_waiter *waiter, struct ocsp_result *result);

/* ---- links ---------------------------------------------------------------------------------------- */

static struct span key_span(const struct ocsp_digest key[2])
{
    return span_make(key, 2 * sizeof *key);
}

static struct link *find(const struct refresh *refresh, const struct ocsp_digest key[2])
{
    return map_get(&refresh->links, key_span(key));
}

/* Those that are asked at the same address first share the places of that responder. */
static void enter_agenda(struct link *link)
{
    struct buf origin = { 0 };
    ocsp_first_origin(link->cert, &origin);
    agenda_enter(&link->refresh->agenda, &link->item, buf_span(&origin));
    buf_free(&origin);
}

static struct link *find_or_add(struct refresh *refresh, const struct ocsp_digest key[2],
                                const struct ocsp_link *pair)
{
    struct link *link = find(refresh, key);
    if (link)
        return link;
    link = mem_zero(sizeof *link);
    memcpy(link->key, key, sizeof link->key);
    link->refresh = refresh;
    link->cert = pair->cert;
    link->issuer = pair->issuer;
    X509_up_ref(link->cert);
    X509_up_ref(link->issuer);
    link->waiter.on_result = on_result;
    list_init(&link->waiter.link);
    list_init(&link->report);
    enter_agenda(link);
    map_put(&refresh->links, key_span(link->key), link);
    return link;
}

static void set_used(struct link *link, bool is_used)
{
    if (link->is_used != is_used)
        link->refresh->stats.used += is_used ? 1 : UINT64_MAX;
    link->is_used = is_used;
}

/* The link is in the map no more. */
static void link_free(struct link *link)
{
    ocsp_fetch_leave(&link->waiter);
    list_remove(&link->report);
    X509_free(link->cert);
    X509_free(link->issuer);
    free(link);
}

static void drop(struct link *link)
{
    struct refresh *refresh = link->refresh;
    set_used(link, false);
    agenda_leave(&refresh->agenda, &link->item);
    map_remove(&refresh->links, key_span(link->key));
    link_free(link);
    arm(refresh); /* another one may have its turn */
}

/* ---- when ------------------------------------------------------------------------------------------- */

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t left_ns(const struct link *link, int64_t now_ns)
{
    return link->has_answer ? ocsp_left_ns(&link->answer, &link->options, now_ns) : 0;
}

/* 1, 2, 4 ... 60 s */
static int64_t pause_ns(unsigned failures)
{
    return shorter(PAUSE_NS << (failures < 6 ? failures : 6), PAUSE_MAX_NS);
}

static int64_t due_ns(const struct link *link)
{
    int64_t now_ns = clock_wall_ns(), left = shorter(left_ns(link, now_ns), LEFT_MAX_NS);
    int64_t wait = longer(left / 2, pause_ns(link->failures));
    if (!link->has_answer || link->failures > 0)
        return now_ns + wait;
    int64_t window = shorter(ocsp_lifetime_ns(&link->answer, &link->options) / 5, WINDOW_MAX_NS);
    return now_ns + longer(wait, left > window ? left - window : 0);
}

static void schedule(struct link *link)
{
    link->refresh->scheduled_ns = clock_wall_ns();
    agenda_put(&link->refresh->agenda, &link->item, due_ns(link));
    arm(link->refresh);
}

/* Somebody came who may have stricter options. Never puts off what is due. */
static void hurry(struct link *link)
{
    const struct agenda_item *item = &link->item;
    if (!item->is_asking && (!heap_has(&item->due) || due_ns(link) < item->due.key))
        schedule(link);
}

/* The link is not asking, and nothing may be the same as before. */
static void settle(struct link *link)
{
    if (left_ns(link, clock_wall_ns()) <= 0)
        set_used(link, false); /* nothing to be ahead of */
    if (link->watchers > 0 || link->is_used)
        schedule(link);
    else
        drop(link);
}

/* ---- answers ----------------------------------------------------------------------------------------- */

static bool is_revoked(const struct link *link)
{
    int64_t now_ns = clock_wall_ns();
    return link->has_answer && link->answer.status == OCSP_STATUS_REVOKED &&
           ocsp_currency(&link->answer, &link->options, now_ns) == OCSP_CURRENT &&
           ocsp_signer_is_valid(&link->answer, link->options.skew_ns, now_ns);
}

static void report_if_revoked(struct link *link)
{
    if (link->watchers == 0 || !is_revoked(link) || !list_is_empty(&link->report))
        return;
    struct refresh *refresh = link->refresh;
    if (list_is_empty(&refresh->reports))
        refresh->report_due_ms = uv_now(refresh->ocsp->settings.loop) + BURST_MS;
    list_append(&refresh->reports, &link->report);
    arm(refresh);
}

void refresh_on_stored(void *ctx, const struct ocsp_ask *ask, const struct ocsp_answer *answer)
{
    struct ocsp_digest key[2] = { ask->key, ask->issuer_key };
    struct link *link = find(ctx, key);
    if (!link)
        return;
    link->answer = *answer;
    link->has_answer = true;
    link->failures = 0;
    link->is_blind = false;
    set_used(link, false);
    report_if_revoked(link);
    if (!link->item.is_asking)
        settle(link);
}

/* ---- questions ---------------------------------------------------------------------------------------- */

static struct ocsp_ask make_silent_ask(const struct link *link)
{
    return (struct ocsp_ask){ .cert = link->cert,
                              .issuer = link->issuer,
                              .key = link->key[0],
                              .issuer_key = link->key[1],
                              .options = link->options };
}

static struct ocsp_ask make_ask(const struct link *link, struct buf *subject)
{
    const struct ocsp_settings *settings = &link->refresh->ocsp->settings;
    struct ocsp_ask question = make_silent_ask(link);
    if (settings->print_name)
        settings->print_name(X509_get_subject_name(link->cert), subject);
    question.subject = buf_str(subject);
    return question;
}

/* The cache knows something that we were not told: it is another one after a reload, for example. */
static void recall(struct link *link)
{
    struct ocsp_answer answer;
    struct ocsp_ask question = make_silent_ask(link);
    if (!ocsp_recall(link->refresh->ocsp->cache, &question, &answer))
        return;
    link->answer = answer;
    link->has_answer = true;
    report_if_revoked(link);
}

static void ask(struct link *link)
{
    struct buf subject = { 0 };
    struct ocsp_ask question = make_ask(link, &subject);
    agenda_begin(&link->refresh->agenda, &link->item);
    log_dbg("Refreshing OCSP response for [%s]", question.subject);
    ocsp_fetch(link->refresh->ocsp->fetcher, &question, &link->waiter);
    buf_free(&subject);
}

/* An operator wants to know once that a revocation would go unnoticed from now on. */
static void log_failure(struct link *link, const char *subject, const char *why)
{
    bool is_blind = link->watchers > 0 && left_ns(link, clock_wall_ns()) <= 0;
    if (is_blind && !link->is_blind)
        log_wrn("Cannot refresh OCSP response for [%s] of a connected peer: %s", subject, why);
    else
        log_dbg("Cannot refresh OCSP response for [%s]: %s", subject, why);
    link->is_blind = is_blind;
}

static void on_result(struct ocsp_waiter *waiter, struct ocsp_result *result)
{
    struct link *link = list_entry(waiter, struct link, waiter);
    struct refresh *refresh = link->refresh;
    struct buf subject = { 0 };
    struct ocsp_ask question = make_ask(link, &subject);
    const char *why;
    enum ocsp_finding finding = ocsp_result_judge(result, &question, refresh->ocsp->fetcher, &why);
    bool is_renewed =
        finding == OCSP_LINK_GOOD || finding == OCSP_LINK_REVOKED || finding == OCSP_LINK_UNKNOWN;
    if (is_renewed) {
        refresh->stats.renewed++;
    } else {
        refresh->stats.failed++;
        link->failures++;
        recall(link);
        log_failure(link, question.subject, why[0] ? why : ocsp_reason(finding));
    }
    agenda_end(&refresh->agenda, &link->item);
    settle(link);
    arm(refresh);
    buf_free(&subject);
    ocsp_result_release(result);
}

/* ---- uses, seen by other threads ------------------------------------------------------------------------ */

void refresh_note_use(struct refresh *refresh, const struct ocsp_ask *ask,
                      const struct ocsp_answer *answer)
{
    if (ocsp_lifetime_ns(answer, &ask->options) < AHEAD_LIFETIME_NS)
        return;
    struct note *note = mem_zero(sizeof *note);
    *note = (struct note){
        .key = {ask->key,   ask->issuer_key},
        .pair = { ask->cert, ask->issuer    },
        .options = ask->options,
        .answer = *answer
    };
    X509_up_ref(ask->cert);
    X509_up_ref(ask->issuer);
    pthread_mutex_lock(&refresh->mutex);
    list_append(&refresh->notes, &note->link);
    pthread_mutex_unlock(&refresh->mutex);
    uv_async_send(&refresh->wake);
}

static struct note *next_note(struct refresh *refresh)
{
    struct note *note = NULL;
    pthread_mutex_lock(&refresh->mutex);
    if (!list_is_empty(&refresh->notes)) {
        note = list_entry(refresh->notes.next, struct note, link);
        list_remove(&note->link);
    }
    pthread_mutex_unlock(&refresh->mutex);
    return note;
}

static void note_free(struct note *note)
{
    X509_free(note->pair.cert);
    X509_free(note->pair.issuer);
    free(note);
}

static void take_note(struct refresh *refresh, const struct note *note)
{
    if (refresh->stats.used >= OCSP_REFRESH_USED_MAX)
        return; /* its next user waits, as without us */
    struct link *link = find_or_add(refresh, note->key, &note->pair);
    if (!link->has_answer) {
        link->answer = note->answer;
        link->options = note->options;
        link->has_answer = true;
    }
    set_used(link, true);
    hurry(link);
}

static void take_notes(struct refresh *refresh)
{
    for (struct note *note; (note = next_note(refresh)); note_free(note))
        take_note(refresh, note);
}

/* ---- watching -------------------------------------------------------------------------------------------- */

static struct link *find_or_decode(struct refresh *refresh, const struct ocsp_kept_link *kept)
{
    struct link *link = find(refresh, kept->key);
    if (link)
        return link;
    struct ocsp_link pair = { ocsp_kept_link_decode(kept), kept->issuer };
    link = find_or_add(refresh, kept->key, &pair);
    X509_free(pair.cert);
    return link;
}

static void watch(struct refresh *refresh, const struct ocsp_kept_link *kept,
                  const struct ocsp_peer_options *options)
{
    struct link *link = find_or_decode(refresh, kept);
    link->options = *options;
    refresh->stats.watched += link->watchers++ == 0;
    if (!link->has_answer)
        recall(link);
    report_if_revoked(link); /* it may have come while the handshake was under way */
    hurry(link);
}

static void unwatch(struct refresh *refresh, const struct ocsp_kept_link *kept)
{
    struct link *link = find(refresh, kept->key);
    assert(link && link->watchers > 0);
    if (--link->watchers > 0)
        return;
    refresh->stats.watched--;
    if (!link->is_used)
        drop(link);
}

void ocsp_watch(struct ocsp *ocsp, const struct ocsp_links *links,
                const struct ocsp_peer_options *options)
{
    for (size_t i = 0; i < links->count; i++)
        watch(ocsp->refresh, &links->items[i], options);
}

void ocsp_unwatch(struct ocsp *ocsp, const struct ocsp_links *links)
{
    for (size_t i = 0; i < links->count; i++)
        unwatch(ocsp->refresh, &links->items[i]);
}

struct ocsp_refresh_stats ocsp_refresh_stats(const struct ocsp *ocsp)
{
    return ocsp->refresh->stats;
}

int64_t ocsp_next_refresh_ns(const struct ocsp *ocsp, const struct ocsp_entry *entry)
{
    struct ocsp_digest key[2];
    memcpy(key[0].bytes, entry->fingerprint, sizeof key[0].bytes);
    memcpy(key[1].bytes, entry->issuer_key, sizeof key[1].bytes);
    const struct link *link = find(ocsp->refresh, key);
    if (link && link->item.is_asking)
        return clock_wall_ns();
    return link && heap_has(&link->item.due) ? link->item.due.key : 0;
}

/* ---- turns ------------------------------------------------------------------------------------------------ */

/* Who hears of it looks through all connections: once for a burst. The callback may watch and unwatch, but not end
 * the service. */
static void report_all(struct refresh *refresh)
{
    const struct ocsp_settings *settings = &refresh->ocsp->settings;
    if (list_is_empty(&refresh->reports) || uv_now(settings->loop) < refresh->report_due_ms)
        return;
    STACK_OF(X509) *certs = sk_X509_new_null();
    list_each(link, &refresh->reports)
    {
        struct link *revoked = list_entry(link, struct link, report);
        list_remove(link);
        refresh->stats.revoked++;
        if (!X509_add_cert(certs, revoked->cert, X509_ADD_FLAG_UP_REF))
            abort(); /* no memory for a pointer */
    }
    struct ocsp_revoked *all = ocsp_revoked_new(certs);
    if (settings->on_revoked)
        settings->on_revoked(settings->ctx, all);
    ocsp_revoked_release(all);
}

static struct link *first_due(const struct refresh *refresh)
{
    struct agenda_item *item = agenda_first(&refresh->agenda);
    return item ? list_entry(item, struct link, item) : NULL;
}

/* The wall clock was set back: by the old one everything would come too late. */
static void follow_clock(struct refresh *refresh)
{
    int64_t now_ns = clock_wall_ns();
    bool was_set_back = now_ns < refresh->scheduled_ns;
    struct link *link;
    refresh->scheduled_ns = now_ns;
    for (size_t at = 0; was_set_back && (link = map_next(&refresh->links, &at));)
        hurry(link);
}

void refresh_turn(struct refresh *refresh)
{
    struct link *link;
    follow_clock(refresh);
    take_notes(refresh);
    report_all(refresh);
    for (int i = 0; i < OCSP_REFRESH_TURN && (link = first_due(refresh)); i++) {
        if (link->item.due.key > clock_wall_ns())
            break;
        ask(link);
    }
    arm(refresh);
}

static void on_timer(uv_timer_t *timer)
{
    refresh_turn(timer->data);
}

static void on_wake(uv_async_t *wake)
{
    refresh_turn(wake->data);
}

/* Rounded up: a timer that fires early would only be set again. */
static uint64_t delay_ms(const struct link *link)
{
    int64_t ms = (link->item.due.key - clock_wall_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 0 ? 0 : ms > TIMER_MAX_MS ? TIMER_MAX_MS : (uint64_t)ms;
}

static void arm(struct refresh *refresh)
{
    const struct link *link = first_due(refresh);
    uint64_t now_ms = uv_now(refresh->ocsp->settings.loop),
             wait_ms = link ? delay_ms(link) : UINT64_MAX;
    if (!list_is_empty(&refresh->reports)) {
        uint64_t due_ms = refresh->report_due_ms, report_ms = due_ms > now_ms ? due_ms - now_ms : 0;
        wait_ms = report_ms < wait_ms ? report_ms : wait_ms;
    }
    if (wait_ms == UINT64_MAX)
        uv_timer_stop(&refresh->timer);
    else
        uv_timer_start(&refresh->timer, on_timer, wait_ms, 0);
}

/* ---- life -------------------------------------------------------------------------------------------------- */

struct refresh *refresh_new(struct ocsp *ocsp)
{
    struct refresh *refresh = mem_zero(sizeof *refresh);
    refresh->ocsp = ocsp;
    refresh->agenda = (struct agenda){ .each_max = OCSP_REFRESH_EACH, .all_max = OCSP_REFRESH_MAX };
    list_init(&refresh->reports);
    list_init(&refresh->notes);
    pthread_mutex_init(&refresh->mutex, NULL);
    uv_timer_init(ocsp->settings.loop, &refresh->timer);
    uv_async_init(ocsp->settings.loop, &refresh->wake, on_wake);
    uv_unref((uv_handle_t *)&refresh->timer); /* no loop goes on only for us */
    uv_unref((uv_handle_t *)&refresh->wake);
    refresh->timer.data = refresh->wake.data = refresh;
    refresh->open_parts = 2;
    return refresh;
}

static void on_part_closed(uv_handle_t *handle)
{
    struct refresh *refresh = handle->data;
    if (--refresh->open_parts > 0)
        return;
    void (*on_closed)(void *ctx) = refresh->on_closed;
    void *ctx = refresh->ctx;
    pthread_mutex_destroy(&refresh->mutex);
    free(refresh);
    on_closed(ctx);
}

void refresh_free(struct refresh *refresh, void (*on_closed)(void *ctx), void *ctx)
{
    refresh->on_closed = on_closed;
    refresh->ctx = ctx;
    struct link *link;
    for (size_t at = 0; (link = map_next(&refresh->links, &at));)
        link_free(link);
    map_free(&refresh->links);
    agenda_free(&refresh->agenda);
    for (struct note *note; (note = next_note(refresh));)
        note_free(note);
    uv_close((uv_handle_t *)&refresh->timer, on_part_closed);
    uv_close((uv_handle_t *)&refresh->wake, on_part_closed);
}
