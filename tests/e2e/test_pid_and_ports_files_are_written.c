/* The process id and the ports in use are found in files, for supervisors and scripts. */
#include "harness.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

BEHAVIOUR(pid_and_ports_files_are_written);

SCENARIO(pid_and_ports_files_are_written, the_pid)
{
    struct server *server = server_start("pid_file: \"server.pid\"\n");
    const char *path = server_path(server, "server.pid");
    struct stat info;

    cr_assert_str_eq(file_content(path), text("%d", server_pid(server))); /* no line end */
    cr_assert_eq(stat(path, &info), 0);
    require((info.st_mode & 07137) == 0, "the pid file has mode %o", info.st_mode & 07777);
    server_stop(server);
    require(file_content(path), "the pid file is removed at the end");
}

SCENARIO(pid_and_ports_files_are_written, the_pid_by_flag)
{
    const char *const arguments[] = { "-P", "flag.pid", NULL };
    struct server *server = server_launch(&(struct launch){ .config = "", .arguments = arguments });

    server_await_ready(server);
    cr_assert_str_eq(file_content(server_path(server, "flag.pid")), text("%d", server_pid(server)));
}

SCENARIO(pid_and_ports_files_are_written, an_unwritable_pid_file_is_fatal)
{
    struct server *server = NULL;
    int status = server_run(&server, &(struct launch){ .config = "pid_file: \"no/such/pid\"\n" });

    cr_assert_eq(status, 1);
    require(log_contains(server, "[FTL] Could not write pidfile:", 0), "not said");
}

SCENARIO(pid_and_ports_files_are_written, the_ports)
{
    struct server *server = server_start("ports_file_dir: \".\"\n");
    const char *name = text("%s_%d.ports", server_name(), server_pid(server));
    cJSON *ports = keep_json(cJSON_Parse(server_await_file(server, name, "}")));
    cJSON *nats = cJSON_GetObjectItemCaseSensitive(ports, "nats");
    cJSON *monitoring = cJSON_GetObjectItemCaseSensitive(ports, "monitoring");

    require(cJSON_GetArraySize(nats) == 1 && cJSON_GetArraySize(monitoring) == 1,
            "not one client and one monitoring URL");
    cr_assert_str_eq(cJSON_GetArrayItem(nats, 0)->valuestring,
                     text("nats://127.0.0.1:%d", server_port(server)));
    cr_assert_str_eq(cJSON_GetArrayItem(monitoring, 0)->valuestring,
                     text("http://127.0.0.1:%d", server_monitor_port(server)));
    server_stop(server);
    require(!file_content(server_path(server, name)), "the ports file is left behind");
}
