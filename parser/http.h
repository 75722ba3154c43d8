/* http.h - the head of an HTTP/1.x request: request line, path, query, header fields. Pure; no body.
 * Serves the monitoring endpoints and the WebSocket upgrade. Source: RFC 9112. */
#ifndef PARSER_HTTP_H
#define PARSER_HTTP_H

#include "base/buf.h"

#define HTTP_MAX_FIELDS 64

struct http_field {
    struct span name, value; /* value without surrounding blanks */
};

struct http_request {
    struct span method; /* as sent */
    struct span path; /* before '?', not decoded, without scheme and authority; "*" for OPTIONS * */
    struct span query; /* behind '?', not decoded */
    int minor;         /* HTTP/1.minor */
    bool keep_alive;   /* after version and Connection field */
    size_t body_size;  /* Content-Length; 0 when absent */
    bool chunked;      /* has a Transfer-Encoding */
    struct http_field fields[HTTP_MAX_FIELDS];
    size_t field_count;
    size_t consumed; /* bytes of input, blank line included */
};

enum http_status {
    HTTP_DONE,
    HTTP_MORE,
    HTTP_BAD, /* not HTTP/1.x, a control byte, a folded or nameless field, contradicting lengths,
                     two hosts, or none in HTTP/1.1 */
    HTTP_TOO_LONG /* more than max_size bytes or HTTP_MAX_FIELDS fields */
};

/** Reads one request head from everything received so far. Spans point into the input. Lines may
 *  end in LF alone, as the reference server allows. */
enum http_status http_read_request(struct span input, size_t max_size, struct http_request *out);

/** The first field of that name (case-insensitive); the empty span with ptr NULL when absent. */
struct span http_field(const struct http_request *request, const char *name);
/** Does a comma-separated field value hold this token (case-insensitive)? */
bool http_has_token(struct span value, const char *token);
/** Percent-decodes and turns + into a blank; false on a bad escape. Appends. */
bool http_decode(struct span text, struct buf *out);
/** Takes the next name=value pair off the query, both still encoded; false at the end. */
bool http_next_param(struct span *query, struct span *name, struct span *value);

#endif
