/* Behind a proxy the address in its header is the client's; a client without header is direct. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(proxy_header_sets_the_address);

struct header {
    const char *bytes;
    size_t size;
    const char *address; /* NULL: the socket's own; "" : the connection is closed */
    int port;
};

#define HEADER(literal) literal, sizeof(literal) - 1
#define V2              "\r\n\r\n\0\r\nQUIT\n"

static const struct header HEADERS[] = {
    {HEADER("PROXY TCP4 10.1.2.3 10.0.0.1 1111 4222\r\n"),                                "10.1.2.3",    1111},
    { HEADER("PROXY TCP6 2001:db8::7 2001:db8::1 2222 4222\r\n"),                         "2001:db8::7", 2222},
    { HEADER("PROXY UNKNOWN\r\n"),                                                        NULL,          0   },
    { HEADER("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"),                                    NULL,          0   },
    { HEADER(V2 "\x21\x11\0\x0c\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e"),            "10.1.2.3",    1111},
    { HEADER(V2 "\x21\x11\0\x10\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e\x04\0\x01x"),
     "10.1.2.3",                                                                                         1111},
    { HEADER(V2 "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0"
                "\0\0\0\0\0\0\0\x01\x04\x57\x10\x7e"),
     "2001:db8::7",                                                                                      1111},
    { HEADER(V2 "\x20\0\0\0"),                                                            NULL,          0   },
    { HEADER(""),                                                                         NULL,          0   },
    { HEADER("PROXY TCP4 nonsense\r\n"),                                                  "",            0   },
    { HEADER("PROXY TCP4 10.1.2.3 10.0.0.1 99999 4222\r\n"),                              "",            0   },
    { HEADER("PROXY TCP4 10.1.2.300 10.0.0.1 1111 4222\r\n"),                             "",            0   },
    { HEADER("PROXY UDP4 10.1.2.3 10.0.0.1 1111 4222\r\n"),                               "",            0   },
    { HEADER(V2 "\x31\x11\0\x0c\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e"),            "",            0   },
    { HEADER(V2 "\x22\x11\0\x0c\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e"),            "",            0   },
    { HEADER(V2 "\x21\x12\0\x0c\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e"),            "",            0   },
    { HEADER(V2 "\x21\x11\0\x04\x0a\x01\x02\x03"),                                        "",            0   },
};

static void introduce(struct server *server, const struct header *header,
                      void (*write)(struct conn *, const void *, size_t))
{
    struct conn *client = nats_open(server);

    write(client, header->bytes, header->size);
    if (header->address && header->address[0] == '\0') {
        conn_expect_closed(client);
        cr_assert_str_eq(close_reason(server, conn_id(client)), "Protocol Violation");
        return;
    }
    conn_login(client, QUIET);
    cJSON *entry = connz_entry(server, "", conn_id(client));
    require(entry, "the connection is not listed");
    cr_assert_str_eq(json_text(entry, "ip"), header->address ? header->address : "127.0.0.1");
    cr_assert_eq((int)json_number(entry, "port"),
                 header->address ? header->port : conn_local_port(client));
    if (header->address)
        cr_assert_str_eq(json_text(conn_info(client), "client_ip"), header->address);
    conn_barrier(client);
}

EACH_ROW(proxy_header_sets_the_address, header, sizeof HEADERS / sizeof *HEADERS)
{
    struct server *server = server_start("proxy_protocol: true\n");

    introduce(server, &HEADERS[*row], conn_write);
    introduce(server, &HEADERS[*row], conn_write_split);
}

SCENARIO(proxy_header_sets_the_address, an_endless_line_is_refused)
{
    struct server *server = server_start("proxy_protocol: true\n");
    struct conn *client = nats_open(server);

    conn_send(client, "PROXY TCP4 %s", repeated('1', 200));
    conn_expect_closed(client);
}

SCENARIO(proxy_header_sets_the_address, it_is_not_understood_when_not_expected)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_open(server);

    conn_send(client, "PROXY TCP4 10.1.2.3 10.0.0.1 1111 4222\r\n");
    conn_expect(client, "-ERR 'Unknown Protocol Operation'\r\n");
    conn_expect_closed(client);
}
