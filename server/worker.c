/* worker.c - the event loop of a thread and its inbox. */
#include "worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "conn.h"
#include "options.h"
#include "router.h"
#include "server.h"

#include <stdlib.h>

#define BUSY_PERIOD_MS 1000

/* ---- inbox ----------------------------------------------------------------------------------------- */

static void clear_queue(struct post_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void append_post(struct worker *worker, struct post_queue *queue, struct post *post)
{
    post->next = NULL;
    pthread_mutex_lock(&worker->inbox_lock);
    bool was_empty = !queue->first;
    *queue->last = post;
    queue->last = &post->next;
    pthread_mutex_unlock(&worker->inbox_lock);
    if (was_empty)
        uv_async_send(&worker->inbox_wake);
}

static struct post *take_posts(struct worker *worker, struct post_queue *queue)
{
    pthread_mutex_lock(&worker->inbox_lock);
    struct post *first = queue->first;
    clear_queue(queue);
    pthread_mutex_unlock(&worker->inbox_lock);
    return first;
}

static void run_posts(struct worker *worker, struct post *post)
{
    while (post) {
        struct post *next = post->next;
        post->run(worker, post);
        post = next;
    }
}

void worker_post(struct worker *worker, struct post *post)
{
    append_post(worker, &worker->inbox, post);
}

void worker_post_batch(struct worker *worker, struct post *post, size_t size)
{
    atomic_fetch_add_explicit(&worker->inbox_bytes, size, memory_order_relaxed);
    append_post(worker, &worker->inbox_batches, post);
}

void worker_receive_batches(struct worker *worker)
{
    /* counted before the batch was posted; the lock does the rest */
    if (atomic_load_explicit(&worker->inbox_bytes, memory_order_relaxed) > 0)
        run_posts(worker, take_posts(worker, &worker->inbox_batches));
}

void worker_run_posts(struct worker *worker)
{
    /* in this order: what was published before a post comes before it, even if it says "stop" */
    struct post *posts = take_posts(worker, &worker->inbox);
    worker_receive_batches(worker);
    run_posts(worker, posts);
}

static void on_wake(uv_async_t *async)
{
    worker_run_posts(async->data);
}

/* ---- what takes long to free ------------------------------------------------------------------------- */

struct release {
    uv_work_t work;
    void (*release)(void *what);
    void *what;
};

static void on_release(uv_work_t *work)
{
    const struct release *release = work->data;
    release->release(release->what);
}

static void on_released(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

void worker_release_later(struct worker *worker, void (*release)(void *what), void *what)
{
    if (atomic_load_explicit(&worker->server->is_shutting_down, memory_order_relaxed)) {
        release(what); /* the loop may have ended */
        return;
    }
    struct release *job = mem_zero(sizeof *job);
    *job = (struct release){ .work.data = job, .release = release, .what = what };
    uv_queue_work(&worker->loop, &job->work, on_release, on_released);
}

/* ---- the end of a turn ------------------------------------------------------------------------------- */

static void flush_dirty(struct worker *worker)
{
    while (!list_is_empty(&worker->dirty))
        conn_flush(list_entry(worker->dirty.next, struct conn, dirty_link));
}

static void bury_closing(struct worker *worker)
{
    while (!list_is_empty(&worker->closing)) {
        struct conn *conn = list_entry(worker->closing.next, struct conn, closing_link);
        list_remove(&conn->closing_link);
        router_requester_left(worker->router, conn);
        conn_bury(conn);
    }
}

static void free_dead_subs(struct worker *worker)
{
    while (worker->dead_subs) {
        struct sub *sub = worker->dead_subs;
        worker->dead_subs = sub->next;
        if (sub->is_shadow)
            free(sub_shadow(sub));
        sub_free(sub);
    }
}

void worker_end_turn(struct worker *worker)
{
    worker->turns++;
    router_end_run(worker->router);
    router_hand_over(worker->router); /* before anybody is told that it was */
    do { /* burying may close more: a shutdown that finds a full socket, for example */
        flush_dirty(worker);
        bury_closing(worker);
    } while (!list_is_empty(&worker->dirty) || !list_is_empty(&worker->closing));
    free_dead_subs(worker);
}

static void on_turn(uv_prepare_t *turn)
{
    worker_end_turn(turn->data);
}

/* ---- how busy ------------------------------------------------------------------------------------------ */

static void on_second(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    /* not libuv's idle time: to measure it costs a second epoll_wait() in every turn */
    int64_t now = clock_mono_ns(), cpu = clock_thread_cpu_ns();
    if (now > worker->before_ns)
        atomic_store_explicit(
            &worker->busy_permille,
            (uint32_t)((cpu - worker->cpu_before_ns) * 1000 / (now - worker->before_ns)),
            memory_order_relaxed);
    worker->before_ns = now;
    worker->cpu_before_ns = cpu;
    router_tick(worker->router);
    block_pool_trim(&worker->pool);
}

unsigned worker_busy(const struct worker *worker)
{
    return atomic_load_explicit(&worker->busy_permille, memory_order_relaxed);
}

/* ---- life --------------------------------------------------------------------------------------------- */

struct worker *worker_new(struct server *server, unsigned index, bool is_control)
{
    struct worker *worker = mem_zero(sizeof *worker);
    worker->server = server;
    worker->index = index;
    worker->is_control = is_control;
    worker->options = options_retain(server->options);
    worker->ocsp_cache = ocsp_cache_retain(server->ocsp_cache);
    clear_queue(&worker->inbox);
    clear_queue(&worker->inbox_batches);
    pthread_mutex_init(&worker->inbox_lock, NULL);
    list_init(&worker->conns);
    list_init(&worker->dirty);
    list_init(&worker->closing);
    list_init(&worker->borrowing);

    uv_loop_init(&worker->loop);
    uv_async_init(&worker->loop, &worker->inbox_wake, on_wake);
    uv_prepare_init(&worker->loop, &worker->turn);
    worker->before_ns = clock_mono_ns();
    uv_timer_init(&worker->loop, &worker->busy_timer);
    worker->inbox_wake.data = worker->turn.data = worker->busy_timer.data = worker;
    uv_prepare_start(&worker->turn, on_turn);
    uv_timer_start(&worker->busy_timer, on_second, BUSY_PERIOD_MS, BUSY_PERIOD_MS);
    worker->router = router_new(worker);
    worker->thread = uv_thread_self();
    return worker;
}

static void run_thread(void *arg)
{
    struct worker *worker = arg;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

void worker_start(struct worker *worker)
{
    if (uv_thread_create(&worker->thread, run_thread, worker) != 0) {
        log_line(LOG_FTL, "cannot start worker thread %u", worker->index);
        abort();
    }
}

static void on_stop_turn(uv_prepare_t *turn)
{
    struct worker *worker = turn->data;
    worker_end_turn(worker);
    if (list_is_empty(&worker->conns) && !worker->is_drained) {
        worker->is_drained = true;
        server_on_drained(worker->server);
    }
}

static void stop(struct worker *worker, struct post *post)
{
    free(post);
    worker->is_stopping = true;
    list_each(link, &worker->conns) conn_close(list_entry(link, struct conn, link), CLOSE_SHUTDOWN);
    uv_prepare_stop(&worker->turn);
    uv_prepare_start(&worker->turn, on_stop_turn);
}

/* The loop ends by itself when its last handle is closed. */
static void quit(struct worker *worker, struct post *post)
{
    free(post);
    uv_close((uv_handle_t *)&worker->inbox_wake, NULL);
    uv_close((uv_handle_t *)&worker->turn, NULL);
    uv_close((uv_handle_t *)&worker->busy_timer, NULL);
}

static void post_simple(struct worker *worker, void (*run)(struct worker *, struct post *))
{
    struct post *post = mem_zero(sizeof *post);
    post->run = run;
    worker_post(worker, post);
}

void worker_stop(struct worker *worker)
{
    post_simple(worker, stop);
}

void worker_quit(struct worker *worker)
{
    post_simple(worker, quit);
}

void worker_join(struct worker *worker)
{
    if (worker->is_control)
        uv_run(&worker->loop, UV_RUN_DEFAULT);
    else
        uv_thread_join(&worker->thread);
    worker_run_posts(worker); /* what came too late still owns memory */
    router_free(worker->router);
    free_dead_subs(worker);
    block_pool_free(&worker->pool);
    for (size_t i = 0; i < sizeof worker->areas / sizeof *worker->areas; i++)
        free(worker->areas[i]);
    free(worker->record);
    buf_free(&worker->wire);
    buf_free(&worker->server_info);
    map_free(&worker->conns_by_id);
    options_release(worker->options);
    ocsp_cache_release(worker->ocsp_cache);
    pthread_mutex_destroy(&worker->inbox_lock);
    uv_loop_close(&worker->loop);
    free(worker);
}

uint8_t *worker_area(struct worker *worker, unsigned layer)
{
    if (!worker->areas[layer])
        worker->areas[layer] = mem_alloc(READ_HEADROOM + READ_AREA);
    return worker->areas[layer];
}

struct conn *worker_find_conn(struct worker *worker, uint64_t cid)
{
    return map_get(&worker->conns_by_id, span_make(&cid, sizeof cid));
}
