/* transport.c - libcurl on libuv: one uv_poll per socket, one uv_timer for all timeouts.
 *
 *   uv_poll, uv_timer --> curl_multi_socket_action --> (curl's callbacks: only bookkeeping)
 *                     --> drain: finished exchanges --> on_end
 *
 * Handles are added and removed in drain() or from outside, never inside a curl callback. */
#include "transport.h"

#include <openssl/x509.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "curl.h"
#include "response.h"

#define REDIRECTS_MAX   3L
#define HEAD_MAX        (64 * 1024) /* curl keeps every line of a head, and sets no limit itself */
#define CONNECTIONS_MAX 32L         /* kept open for later requests */

struct transport {
    uv_loop_t *loop;
    struct curl curl;
    CURLM *multi;
    uv_timer_t timer;
    struct list exchanges;
    struct list lost; /* exchanges that curl did not take; `loss` ends them */
    uv_timer_t loss;
    struct list watches;
    struct curl_slist *get_headers, *post_headers;
    char *http_proxy, *https_proxy, *no_proxy;
    size_t open_handles; /* uv handles whose close callback has not run */
    bool closing;
    void (*on_closed)(void *ctx);
    void *ctx;
};

/** A socket of curl's that the loop watches. */
struct watch {
    struct list link;
    uv_poll_t poll;
    curl_socket_t socket;
    struct transport *transport;
};

struct exchange {
    struct list link;
    struct transport *transport;
    CURL *easy;
    struct exchange_request request; /* url and body belong to curl */
    struct buf body;
    size_t head_size;    /* bytes of heads so far, those of redirects included */
    const char *refused; /* why we ourselves broke it off */
    bool is_settled;     /* ... because the status says it all */
    char error[CURL_ERROR_SIZE];
};

/* ---- the loop's side ------------------------------------------------------------------------ */

static void drain(struct transport *transport);

static void handle_closed(struct transport *transport)
{
    if (--transport->open_handles > 0)
        return;
    void (*on_closed)(void *ctx) = transport->on_closed;
    void *ctx = transport->ctx;
    free(transport->http_proxy);
    free(transport->https_proxy);
    free(transport->no_proxy);
    free(transport);
    if (on_closed)
        on_closed(ctx);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct transport *transport = watch->transport;
    free(watch);
    handle_closed(transport);
}

static void watch_close(struct watch *watch)
{
    list_remove(&watch->link);
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void act(struct transport *transport, curl_socket_t socket, int events)
{
    const struct curl *curl = &transport->curl;
    int running;
    curl->multi_socket_action(transport->multi, socket, events, &running);
    drain(transport);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    what |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    what |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->transport, watch->socket, what);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- curl's side ----------------------------------------------------------------------------- */

static struct watch *watch_new(struct transport *transport, curl_socket_t socket)
{
    const struct curl *curl = &transport->curl;
    struct watch *watch = mem_zero(sizeof *watch);
    watch->socket = socket;
    watch->transport = transport;
    if (uv_poll_init_socket(transport->loop, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    transport->open_handles++;
    list_append(&transport->watches, &watch->link);
    curl->multi_assign(transport->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *ctx, void *socket_ctx)
{
    struct transport *transport = ctx;
    struct watch *watch = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        transport->curl.multi_assign(transport->multi, socket, NULL);
        if (watch)
            watch_close(watch);
        return 0;
    }
    if (!watch && !(watch = watch_new(transport, socket)))
        return 0; /* nobody watches: the exchange ends by its timeout */
    int events = what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

static int on_timeout_changed(CURLM *multi, long timeout_ms, void *ctx)
{
    struct transport *transport = ctx;
    (void)multi;
    if (transport->closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&transport->timer);
    else
        uv_timer_start(&transport->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct exchange *exchange = ctx;
    size_t len = size * count, max = exchange->request.body_max;
    long status = 0;
    exchange->transport->curl.easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) { /* an error page, of any length */
        exchange->is_settled = true;
        return 0;
    }
    if (len > (max ? max : OCSP_RESPONSE_MAX) - exchange->body.len) {
        exchange->refused = max ? "response is too large" : "response exceeds 65536 bytes";
        return 0;
    }
    buf_append(&exchange->body, data, len);
    return len;
}

bool transport_is_downgrade(const char *from, struct span location)
{
    static const char PLAIN[] = "http:";
    while (location.len > 0 && *location.ptr <= ' ') /* curl skips as much */
        location = span_make(location.ptr + 1, location.len - 1);
    return strncasecmp(from, "https:", 6) == 0 && location.len >= sizeof PLAIN - 1 &&
           strncasecmp((const char *)location.ptr, PLAIN, sizeof PLAIN - 1) == 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    static const char NAME[] = "location:";
    struct exchange *exchange = ctx;
    size_t len = size * count, skip = sizeof NAME - 1;
    const char *from = NULL;
    exchange->head_size += len;
    if (exchange->head_size > HEAD_MAX) {
        exchange->refused = "response head exceeds 65536 bytes";
        return 0;
    }
    if (len <= skip || strncasecmp(data, NAME, skip) != 0)
        return len;
    exchange->transport->curl.easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &from);
    if (!from || !transport_is_downgrade(from, span_make(data + skip, len - skip)))
        return len;
    exchange->refused = "redirect from https to http refused";
    return 0;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static void exchange_free(struct exchange *exchange)
{
    const struct curl *curl = &exchange->transport->curl;
    list_remove(&exchange->link);
    curl->multi_remove_handle(exchange->transport->multi, exchange->easy);
    curl->easy_cleanup(exchange->easy);
    buf_free(&exchange->body);
    free(exchange);
}

static void finish(struct exchange *exchange, CURLcode code)
{
    const struct curl *curl = &exchange->transport->curl;
    struct exchange_result result = { 0 };
    long status = 0;
    curl->easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->refused)
        result.error = exchange->refused;
    else if (code != CURLE_OK && !exchange->is_settled)
        result.error = exchange->error[0] ? exchange->error : curl->easy_strerror(code);
    result.has_timed_out = !exchange->refused && code == CURLE_OPERATION_TIMEDOUT;
    result.status = (int)status;
    result.body = buf_span(&exchange->body);
    exchange->request.on_end(exchange->request.ctx, &result);
    exchange_free(exchange);
}

static void drain(struct transport *transport)
{
    const struct curl *curl = &transport->curl;
    CURLMsg *message;
    int left;
    while ((message = curl->multi_info_read(transport->multi, &left))) {
        struct exchange *exchange = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* gone once the handle is removed */
        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        finish(exchange, code);
    }
}

static void on_loss(uv_timer_t *timer)
{
    struct transport *transport = timer->data;
    while (!list_is_empty(&transport->lost))
        finish(list_entry(transport->lost.next, struct exchange, link), CURLE_OUT_OF_MEMORY);
}

/* Whom https responders must be certified by: the authorities of this host, as for ca_file when it is
 * not set. The same variables that OpenSSL and Go obey name others. */
static void set_trust(const struct curl *curl, CURL *easy)
{
    const char *file = getenv(X509_get_default_cert_file_env());
    const char *folder = getenv(X509_get_default_cert_dir_env());
    if (file && *file)
        curl->easy_setopt(easy, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl->easy_setopt(easy, CURLOPT_CAPATH, folder);
}

static void set_tls(const struct curl *curl, CURL *easy, const struct exchange_tls *tls)
{
    if (!tls)
        return;
    if (tls->ca_file) {
        curl->easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
        curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (tls->cert_file) {
        curl->easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
        curl->easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file);
    }
    if (tls->trusts_anybody) {
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

/* Go's servers take the proxy from the environment, but never for the own host. */
static void set_proxy(const struct transport *transport, CURL *easy, const char *url)
{
    const struct curl *curl = &transport->curl;
    bool is_https = strncasecmp(url, "https:", 6) == 0;
    const char *proxy = is_https ? transport->https_proxy : transport->http_proxy;
    curl->easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
    curl->easy_setopt(easy, CURLOPT_NOPROXY, transport->no_proxy);
}

static void set_limits(const struct curl *curl, CURL *easy, int64_t timeout_ms)
{
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for the resolver's thread */
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl->easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl->easy_setopt(easy, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void set_request(const struct transport *transport, CURL *easy,
                        const struct exchange_request *request)
{
    const struct curl *curl = &transport->curl;
    curl->easy_setopt(easy, CURLOPT_URL, request->url);
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "vouch/" VOUCH_VERSION);
    curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (!request->is_trusted) {
        curl->easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        curl->easy_setopt(easy, CURLOPT_HTTPHEADER,
                          request->is_post ? transport->post_headers : transport->get_headers);
    }
    if (!request->is_post)
        return;
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl->easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.ptr);
}

void transport_start(struct transport *transport, const struct exchange_request *request)
{
    const struct curl *curl = &transport->curl;
    struct exchange *exchange = mem_zero(sizeof *exchange);
    CURL *easy = curl->easy_init();
    if (!easy)
        abort(); /* out of memory for a size of our own */
    exchange->transport = transport;
    exchange->request = *request;
    exchange->easy = easy;
    set_limits(curl, easy, request->timeout_ms);
    set_trust(curl, easy);
    set_tls(curl, easy, request->tls);
    set_proxy(transport, easy, request->url);
    set_request(transport, easy, request);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    if (curl->multi_add_handle(transport->multi, easy) == CURLM_OK) {
        list_append(&transport->exchanges, &exchange->link);
        return;
    }
    list_append(&transport->lost, &exchange->link);
    uv_timer_start(&transport->loss, on_loss, 0, 0);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* NAME or name, in this order; NULL when neither is set to something. */
static char *environment(const char *upper, const char *lower)
{
    const char *value = getenv(upper);
    if (!value || !*value)
        value = getenv(lower);
    return value && *value ? mem_strdup(value) : NULL;
}

/* Is one of the items, separated by commas, the star that means every host? */
static bool has_star(const char *items)
{
    for (const char *at = items; (at = strchr(at, '*')) != NULL; at++) {
        bool begins = at == items || at[-1] == ',' || at[-1] == ' ';
        if (begins && (at[1] == '\0' || at[1] == ',' || at[1] == ' '))
            return true;
    }
    return false;
}

static void read_proxies(struct transport *transport)
{
    static const char OWN_HOST[] = "localhost,127.0.0.0/8,::1";
    transport->http_proxy = environment("HTTP_PROXY", "http_proxy");
    transport->https_proxy = environment("HTTPS_PROXY", "https_proxy");
    char *exceptions = environment("NO_PROXY", "no_proxy");
    if (exceptions && has_star(exceptions)) {
        free(exceptions);
        transport->no_proxy = mem_strdup("*"); /* curl knows the star only when it is alone */
        return;
    }
    transport->no_proxy =
        exceptions ? mem_printf("%s,%s", exceptions, OWN_HOST) : mem_strdup(OWN_HOST);
    free(exceptions);
}

static void set_up_multi(struct transport *transport)
{
    const struct curl *curl = &transport->curl;
    transport->multi = curl->multi_init();
    if (!transport->multi)
        abort(); /* out of memory for a size of our own */
    curl->multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl->multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl->multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timeout_changed);
    curl->multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    curl->multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
}

bool transport_is_available(const char *what, struct error *err)
{
    struct curl curl;
    if (!curl_load(&curl, err))
        return error_prefix(err, "%s needs libcurl", what);
    curl_unload(&curl);
    return true;
}

struct transport *transport_new(uv_loop_t *loop)
{
    static const char ACCEPT[] = "Accept: application/ocsp-response";
    struct transport *transport = mem_zero(sizeof *transport);
    const struct curl *curl = &transport->curl;
    struct error err;
    if (!curl_load(&transport->curl, &err)) { /* transport_is_available() was not asked */
        log_line(LOG_FTL, "%s", err.text);
        abort();
    }
    transport->loop = loop;
    list_init(&transport->exchanges);
    list_init(&transport->lost);
    list_init(&transport->watches);
    uv_timer_init(loop, &transport->timer);
    uv_timer_init(loop, &transport->loss);
    transport->timer.data = transport->loss.data = transport;
    transport->open_handles = 2;
    read_proxies(transport);
    set_up_multi(transport);
    transport->get_headers = curl->slist_append(NULL, ACCEPT);
    transport->post_headers = curl->slist_append(NULL, ACCEPT);
    transport->post_headers =
        curl->slist_append(transport->post_headers, "Content-Type: application/ocsp-request");
    return transport;
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void transport_free(struct transport *transport, void (*on_closed)(void *ctx), void *ctx)
{
    const struct curl *curl = &transport->curl;
    transport->closing = true;
    transport->on_closed = on_closed;
    transport->ctx = ctx;
    list_each(link, &transport->exchanges) exchange_free(list_entry(link, struct exchange, link));
    list_each(link, &transport->lost) exchange_free(list_entry(link, struct exchange, link));
    curl->multi_cleanup(transport->multi);
    list_each(link, &transport->watches) /* what curl forgot to say, if anything */
        watch_close(list_entry(link, struct watch, link));
    curl->slist_free_all(transport->get_headers);
    curl->slist_free_all(transport->post_headers);
    uv_close((uv_handle_t *)&transport->timer, on_timer_closed);
    uv_close((uv_handle_t *)&transport->loss, on_timer_closed);
    curl_unload(&transport->curl);
}
