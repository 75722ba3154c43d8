/* test_files.c - pid file and ports file, in a folder of the test's own. */
#include "files.h"

#include "base/mem.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/vouch-files-XXXXXX";

static void make_dir(void)
{
    umask(022);
    cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
    char *command = mem_printf("rm -r '%s'", dir);

    cr_assert_eq(system(command), 0);
    free(command);
}

TestSuite(files, .init = make_dir, .fini = remove_dir);

static char *in_dir(const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = mem_zero(65536);

    cr_assert(file, "%s", path);
    cr_assert_lt(fread(text, 1, 65536, file), 65536);
    fclose(file);
    return text;
}

static char *ports_path(void)
{
    return mem_printf("%s/vouchd_%d.ports", dir, (int)getpid());
}

static char *write_ports(const struct files_listener *listeners, size_t count)
{
    struct error err = { 0 };

    cr_assert(files_write_ports(dir, "vouchd", listeners, count, &err), "%s", err.text);
    char *path = ports_path(), *text = read_all(path);
    free(path);
    return text;
}

static size_t count_files(void)
{
    DIR *open_dir = opendir(dir);
    const struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(open_dir)))
        count += entry->d_name[0] != '.';
    closedir(open_dir);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat info;

    cr_assert_eq(stat(path, &info), 0);
    return info.st_mode & 07777;
}

Test(files, the_pid_has_no_line_end)
{
    char *path = in_dir("pid"), *want = mem_printf("%d", (int)getpid());
    struct error err;

    cr_assert(files_write_pid(path, &err));
    char *text = read_all(path);
    cr_expect_str_eq(text, want);
    cr_expect_eq(mode_of(path), 0640);
    free(text);
    free(want);
    free(path);
}

Test(files, a_longer_old_pid_file_is_overwritten_in_place)
{
    char *path = in_dir("pid"), *want = mem_printf("%d", (int)getpid());
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    struct stat before, after;

    cr_assert_eq(write(fd, "123456789012345\n", 16), 16);
    fstat(fd, &before);
    close(fd);
    cr_assert(files_write_pid(path, NULL));
    char *text = read_all(path);
    cr_expect_str_eq(text, want);
    cr_assert_eq(stat(path, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino);
    free(text);
    free(want);
    free(path);
}

Test(files, an_unwritable_pid_file_is_reported)
{
    char *path = in_dir("no/pid");
    char *want = mem_printf("Could not write pidfile: open %s: no such file or directory", path);
    struct error err = { 0 };

    cr_assert_not(files_write_pid(path, &err));
    cr_expect_str_eq(err.text, want);
    cr_expect_not(files_write_pid(dir, &err)); /* a folder */
    cr_expect_not(files_write_pid("/dev/full", &err));
    cr_expect_str_eq(err.text, "Could not write pidfile: write /dev/full: no space left on device");
    free(path);
    free(want);
}

Test(files, ports_are_one_line_of_json)
{
    static const struct files_listener listeners[] = {
        {FILES_NATS,        "127.0.0.1", 4222, false},
        { FILES_MONITORING, "127.0.0.1", 8222, false},
    };
    char *text = write_ports(listeners, 2);

    cr_expect_str_eq(text, "{\"nats\":[\"nats://127.0.0.1:4222\"],"
                           "\"monitoring\":[\"http://127.0.0.1:8222\"]}");
    free(text);
}

struct ports_case {
    struct files_listener listener;
    const char *text;
};

static const struct ports_case PORTS_CASES[] = {
    {{ FILES_NATS, "127.0.0.1", 1, true },         "{\"nats\":[\"tls://127.0.0.1:1\"]}"         },
    { { FILES_NATS, "::1", 65535, false },         "{\"nats\":[\"nats://[::1]:65535\"]}"        },
    { { FILES_MONITORING, "127.0.0.2", 80, true }, "{\"monitoring\":[\"https://127.0.0.2:80\"]}"},
    { { FILES_NATS, "no such host", 5, false },    "{\"nats\":[\"nats://no such host:5\"]}"     },
};

Test(files, each_listener_has_its_url)
{
    for (size_t i = 0; i < sizeof PORTS_CASES / sizeof *PORTS_CASES; i++) {
        char *text = write_ports(&PORTS_CASES[i].listener, 1);
        cr_expect_str_eq(text, PORTS_CASES[i].text);
        free(text);
    }
    char *none = write_ports(NULL, 0);
    cr_expect_str_eq(none, "{}");
    free(none);
}

Test(files, listeners_of_one_kind_share_a_list)
{
    static const struct files_listener listeners[] = {
        {FILES_MONITORING, "127.0.0.1", 3, false},
        { FILES_NATS,      "127.0.0.1", 1, false},
        { FILES_NATS,      "::1",       2, false},
    };
    char *text = write_ports(listeners, 3);

    cr_expect_str_eq(text, "{\"nats\":[\"nats://127.0.0.1:1\",\"nats://[::1]:2\"],"
                           "\"monitoring\":[\"http://127.0.0.1:3\"]}");
    free(text);
}

Test(files, a_name_becomes_an_address)
{
    const struct files_listener listener = { FILES_NATS, "localhost", 7, false };
    char *text = write_ports(&listener, 1);

    cr_expect(strcmp(text, "{\"nats\":[\"nats://127.0.0.1:7\"]}") == 0 ||
                  strcmp(text, "{\"nats\":[\"nats://[::1]:7\"]}") == 0,
              "%s", text);
    free(text);
}

/* How many addresses of these families this machine has. */
static size_t count_addresses(bool ipv4, bool ipv6)
{
    struct ifaddrs *all;
    size_t count = 0;

    cr_assert_eq(getifaddrs(&all), 0);
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
        count += (ipv4 && family == AF_INET) || (ipv6 && family == AF_INET6);
    }
    freeifaddrs(all);
    return count;
}

static void expect_all_addresses(const char *host, bool ipv6)
{
    const struct files_listener listener = { FILES_NATS, host, 9, false };
    char *text = write_ports(&listener, 1);
    cJSON *json = cJSON_Parse(text);
    const cJSON *urls = cJSON_GetObjectItemCaseSensitive(json, "nats"), *url;
    bool has_loopback = false;

    cr_expect_eq((size_t)cJSON_GetArraySize(urls), count_addresses(true, ipv6), "%s", text);
    cJSON_ArrayForEach(url, urls)
    {
        has_loopback |= strcmp(url->valuestring, "nats://127.0.0.1:9") == 0;
        cr_expect_eq(strncmp(url->valuestring, "nats://", 7), 0);
        cr_expect(ipv6 || !strchr(url->valuestring, '['), "%s", url->valuestring);
    }
    cr_expect(has_loopback, "%s", text);
    cJSON_Delete(json);
    free(text);
}

Test(files, a_wildcard_stands_for_all_addresses)
{
    expect_all_addresses("0.0.0.0", false);
    expect_all_addresses("", false);
    expect_all_addresses(NULL, false);
    expect_all_addresses("::", true);
}

Test(files, the_ports_file_appears_whole_and_alone)
{
    const struct files_listener listener = { FILES_NATS, "127.0.0.1", 1, false };
    char *path = ports_path(), *temporary = mem_printf("%s.tmp", path), *target = in_dir("target");

    /* somebody prepared a link where the temporary file goes */
    cr_assert_eq(symlink(target, temporary), 0);
    free(write_ports(&listener, 1));
    cr_expect_neq(access(target, F_OK), 0);
    cr_expect_eq(count_files(), 1);
    cr_expect_eq(mode_of(path), 0644);
    free(write_ports(&listener, 1)); /* again, over the old one */
    cr_expect_eq(count_files(), 1);
    files_remove_ports(dir, "vouchd");
    cr_expect_eq(count_files(), 0);
    free(path);
    free(temporary);
    free(target);
}

Test(files, an_unwritable_ports_folder_is_reported)
{
    const struct files_listener listener = { FILES_NATS, "127.0.0.1", 1, false };
    char *no_dir = in_dir("no");
    struct error err = { 0 };
    char *want =
        mem_printf("Error writing ports file (%s/vouchd_%d.ports): open", no_dir, (int)getpid());

    cr_assert_not(files_write_ports(no_dir, "vouchd", &listener, 1, &err));
    cr_expect_eq(strncmp(err.text, want, strlen(want)), 0, "%s", err.text);
    cr_expect(strstr(err.text, ": no such file or directory"), "%s", err.text);
    free(no_dir);
    free(want);
}
