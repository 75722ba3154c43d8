/* trace.c - see trace.h. */
#include "trace.h"

#include "base/text.h"

#include "options.h"
#include "router.h"

static const char *const VERBS[] = {
    [PROTO_CONNECT] = "CONNECT", [PROTO_PING] = "PING", [PROTO_PONG] = "PONG",
    [PROTO_PUB] = "PUB",         [PROTO_SUB] = "SUB",   [PROTO_UNSUB] = "UNSUB",
    [PROTO_INFO] = "INFO",       [PROTO_OK] = "OK",     [PROTO_ERR] = "-ERR",
};

static const char *const SECRETS[] = { "pass", "auth_token", "sig", "proxy_sig", "nkey", "jwt" };

/* Is `key` (between its quotes) one whose value must not be shown? One that is not written plainly may be. */
static bool is_secret(struct span key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < ' ' || key.ptr[i] == '\\')
            return true;
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
        if (span_is_nocase(key, SECRETS[i]))
            return true;
    return false;
}

/* The end of a string that begins behind its opening quote at `at`: the index of the closing quote. */
static size_t string_end(struct span json, size_t at)
{
    while (at < json.len && json.ptr[at] != '"')
        at += json.ptr[at] == '\\' ? 2 : 1;
    return at < json.len ? at : json.len;
}

/* Whatever our JSON reader takes for a blank: every control byte. */
static size_t skip_blanks(struct span json, size_t at)
{
    while (at < json.len && json.ptr[at] <= ' ')
        at++;
    return at;
}

/* Where the value begins if the string that ended before `at` is a member's name; else the end. */
static size_t value_behind(struct span json, size_t at)
{
    size_t colon = skip_blanks(json, at);
    return colon < json.len && json.ptr[colon] == ':' ? skip_blanks(json, colon + 1) : json.len;
}

/* The end of the value at `at`, whatever its type: behind a string, an object or an array, or where the next
 * member or the end of ours begins. */
static size_t value_end(struct span json, size_t at)
{
    size_t depth = 0;
    for (; at < json.len; at++) {
        uint8_t c = json.ptr[at];
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        if (depth == 0 && (c == ',' || closes))
            return at;
        if (c == '"')
            at = string_end(json, at + 1);
        depth += opens;
        depth -= closes;
        if (depth == 0 && (c == '"' || closes))
            return at < json.len ? at + 1 : json.len;
    }
    return json.len;
}

void trace_redact(struct span json, struct buf *out)
{
    for (size_t at = 0; at < json.len;) {
        if (json.ptr[at] != '"') {
            buf_append_char(out, (char)json.ptr[at++]);
            continue;
        }
        size_t quote = string_end(json, at + 1);
        size_t end = quote < json.len ? quote + 1 : json.len;
        struct span text = span_make(json.ptr + at + 1, quote - at - 1);
        buf_append(out, json.ptr + at, end - at);
        at = end;
        size_t value = value_behind(json, at);
        if (value < json.len && is_secret(text)) {
            buf_append_str(out, ":\"[REDACTED]\"");
            at = value_end(json, value);
        }
    }
}

static void trace_payload(const struct conn *conn, const char *arrow, const struct message *message)
{
    const struct options *options = conn->worker->options;
    struct span shown = message->data;
    if (options->trace_headers)
        shown.len = message->header_size;
    if (shown.len == 0)
        return;
    size_t limit = (size_t)options->max_traced_msg_len;
    bool is_cut = limit > 0 && shown.len > limit;
    if (is_cut)
        shown.len = limit;
    struct buf text = { 0 };
    text_quote(&text, shown);
    if (is_cut) { /* the dots stand inside the quotes */
        text.len--;
        buf_append_str(&text, "...\"");
    }
    conn_log(conn, LOG_TRC, "%s MSG_PAYLOAD: [%s]", arrow, buf_str(&text));
    buf_free(&text);
}

/* Only the members that belong to the verb are set. */
static struct span args_of(const struct proto_op *op)
{
    switch (op->verb) {
    case PROTO_PUB:
    case PROTO_SUB:
    case PROTO_UNSUB: return op->line;
    case PROTO_CONNECT:
    case PROTO_INFO:
    case PROTO_ERR: return op->args;
    case PROTO_PING:
    case PROTO_PONG:
    case PROTO_OK: break;
    }
    return (struct span){ 0 };
}

void trace_in_now(const struct conn *conn, const struct proto_op *op)
{
    if (op->verb == PROTO_CONNECT) {
        struct buf text = { 0 };
        trace_redact(op->args, &text);
        conn_log(conn, LOG_TRC, "<<- [CONNECT %s]", buf_str(&text));
        buf_free(&text);
        return;
    }
    const char *verb = op->verb == PROTO_PUB && op->has_header ? "HPUB" : VERBS[op->verb];
    struct span args = args_of(op);
    conn_log(conn, LOG_TRC, args.len ? "<<- [%s %.*s]" : "<<- [%s]", verb, SPAN_ARG(args));
    if (op->verb == PROTO_PUB) {
        struct message message = { .data = op->data, .header_size = op->header_size };
        trace_payload(conn, "<<-", &message);
    }
}

void trace_out_now(const struct conn *conn, const char *verb, struct span args)
{
    conn_log(conn, LOG_TRC, args.len ? "->> [%s %.*s]" : "->> [%s]", verb, SPAN_ARG(args));
}

void trace_deliver_now(const struct sub *sub, const struct run *run, unsigned first, unsigned count)
{
    struct span sid = sub_sid(sub);
    for (unsigned i = first; i < first + count; i++) {
        const struct message *message = &run->messages[i];
        struct buf line = { 0 };
        buf_printf(&line, "%.*s %.*s ", SPAN_ARG(run->subject), SPAN_ARG(sid));
        if (message->reply.len)
            buf_printf(&line, "%.*s ", SPAN_ARG(message->reply));
        buf_printf(&line, "%zu", message->data.len);
        trace_out_now(sub->conn, message->header_size ? "HMSG" : "MSG", buf_span(&line));
        trace_payload(sub->conn, "->>", message);
        buf_free(&line);
    }
}
