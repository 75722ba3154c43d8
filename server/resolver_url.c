/* resolver_url.c - a resolver that is an address: GET URL/ACCOUNT. */
#include "resolver_private.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "ocsp/transport.h"

#include "jwt.h"
#include "server.h"

enum { FETCH_MS = 1900 };

static void get(struct resolver *resolver, const char *account,
                void (*on_end)(void *ctx, const struct exchange_result *result), void *ctx)
{
    const struct tls_options *tls = resolver->server->options->operator_.resolver_tls;
    struct exchange_tls own = { 0 };
    if (tls)
        own = (struct exchange_tls){ .ca_file = tls->ca_file,
                                     .cert_file = tls->cert_file,
                                     .key_file = tls->key_file,
                                     .trusts_anybody = tls->insecure };
    char *url = mem_printf("%s%s", resolver->url, account);
    transport_start(resolver->transport, &(struct exchange_request){ .url = url,
                                                                     .tls = &own,
                                                                     .timeout_ms = FETCH_MS,
                                                                     .is_trusted = true,
                                                                     .body_max = JWT_SIZE_MAX,
                                                                     .on_end = on_end,
                                                                     .ctx = ctx });
    free(url);
}

static void on_fetched(void *ctx, const struct exchange_result *result)
{
    struct error err = { "no token" };
    struct span token = { 0 };
    if (result->error)
        error_set(&err, "%s", result->error);
    else if (result->status != 200)
        error_set(&err, "HTTP status %d", result->status);
    else
        token = result->body;
    resolver_fetched(ctx, token, err.text);
}

void resolver_url_fetch(struct lookup *lookup)
{
    get(lookup->resolver, lookup->account, on_fetched, lookup);
}

/* Says early what logins would say late. */
static void on_tried(void *ctx, const struct exchange_result *result)
{
    const struct resolver *resolver = ctx;
    if (result->error)
        log_err("could not fetch <\"%s\">: %s",
                resolver->server->options->operator_.resolver_url_shown, result->error);
}

bool resolver_url_start(struct resolver *resolver, const struct options *options, struct error *err)
{
    if (!transport_is_available("a resolver with an address", err))
        return false;
    resolver->url = mem_strdup(options->operator_.resolver_url);
    resolver->transport = transport_new(&resolver->server->control->loop);
    get(resolver, "", on_tried, resolver);
    return true;
}

void resolver_url_stop(struct resolver *resolver)
{
    transport_free(resolver->transport, NULL, NULL);
    resolver->transport = NULL;
}
