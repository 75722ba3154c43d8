/* INFO tells clients who the server is and what they may do. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(info_names_the_server);

SCENARIO(info_names_the_server, always_has_its_members)
{
    struct server *server = server_start("%s", "");
    struct conn *client = tcp_open(server);
    const char *line = conn_line(client);
    cJSON *info = keep_json(cJSON_Parse(line + 5));

    require(strncmp(line, "INFO {", 6) == 0, "INFO does not come first: %s", line);
    require(strcmp(line + strlen(line) - 2, "} ") == 0, "no blank after the JSON: %s", line);
    require(strlen(json_text(info, "server_id")) == 56, "server_id is no nkey");
    require(json_text(info, "server_id")[0] == 'N', "server_id is not a server's");
    require(strcmp(json_text(info, "server_name"), json_text(info, "server_id")) == 0,
            "without a name the server is named by its id");
    require(json_text(info, "xkey")[0] == 'X', "xkey is not a curve key");
    require(json_number(info, "proto") == 1, "proto is not 1");
    require(json_number(info, "port") == server_port(server), "wrong port");
    require(strcmp(json_text(info, "host"), "127.0.0.1") == 0, "wrong host");
    require(json_number(info, "max_payload") == 1048576, "wrong max_payload");
    require(json_number(info, "client_id") > 0, "no client_id");
    require(strcmp(json_text(info, "client_ip"), "127.0.0.1") == 0, "wrong client_ip");
    require(json_true(info, "headers"), "headers are not offered");
    json_text(info, "version");
    json_text(info, "go");
}

SCENARIO(info_names_the_server, leaves_out_what_is_not_so)
{
    static const char *const ABSENT[] = { "auth_required", "tls_required",  "tls_verify", "nonce",
                                          "tls_available", "connect_urls",  "ldm",        "cluster",
                                          "connect_info",  "remote_account" };
    struct server *server = server_start("%s", "");
    cJSON *info = conn_info(nats_open(server));

    for (size_t i = 0; i < sizeof ABSENT / sizeof *ABSENT; i++)
        require(!json_has(info, ABSENT[i]), "INFO has '%s'", ABSENT[i]);
}

SCENARIO(info_names_the_server, tells_what_is_configured)
{
    struct server *server = server_start("server_name: gate\nmax_payload: 500\n"
                                         "client_advertise: \"example.test:1234\"\n"
                                         "no_header_support: true\nauthorization { token: t }\n");
    cJSON *info = conn_info(nats_open(server));

    require(strcmp(json_text(info, "server_name"), "gate") == 0, "wrong server_name");
    require(strcmp(json_text(info, "host"), "example.test") == 0, "wrong advertised host");
    require(json_number(info, "port") == 1234, "wrong advertised port");
    require(json_number(info, "max_payload") == 500, "wrong max_payload");
    require(!json_true(info, "headers"), "headers are offered");
    require(json_true(info, "auth_required"), "auth_required is missing");
}

SCENARIO(info_names_the_server, tells_what_was_reloaded)
{
    struct server *server = server_start("client_advertise: \"old.test:1\"\n");
    require(strcmp(json_text(conn_info(nats_open(server)), "host"), "old.test") == 0,
            "wrong advertised host");

    server_reload(server, "client_advertise: \"new.test:2\"\nno_header_support: true\n");
    cJSON *info = conn_info(nats_open(server));
    require(strcmp(json_text(info, "host"), "new.test") == 0, "the host is that of before");
    require(json_number(info, "port") == 2, "the port is that of before");
    require(!json_true(info, "headers"), "headers are offered");
}

SCENARIO(info_names_the_server, comes_again_after_the_first_pong)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_open(server);
    unsigned id = conn_id(client);

    conn_login(client, QUIET);
    require(json_true(conn_info(client), "connect_info"), "connect_info is missing");
    require(strcmp(json_text(conn_info(client), "remote_account"), "$G") == 0, "wrong account");
    require(conn_id(client) == id, "the client's id has changed");
    conn_barrier(client); /* and not a third time */
}

SCENARIO(info_names_the_server, comes_once_for_old_clients)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, "{\"verbose\":false,\"protocol\":0}");

    conn_barrier(client);
}

SCENARIO(info_names_the_server, counts_its_clients)
{
    struct server *server = server_start("%s", "");
    struct conn *first = nats_open(server), *second = nats_open(server);

    require(conn_id(second) > conn_id(first), "ids do not grow");
}
