#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clock.h"
#include "log_syslog.h"
#include "scratch.h"

static char folder[64], path[100], url[160];

static void make_folder(void)
{
    scratch_make(folder);
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(url, sizeof url, "unix://%s", path);
}

static void remove_folder(void)
{
    scratch_remove(folder);
}

TestSuite(log_syslog, .init = make_folder, .fini = remove_folder);

static int listen_on_path(int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, type, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (type == SOCK_STREAM)
        cr_assert_eq(listen(fd, 4), 0);
    return fd;
}

/* A port of 127.0.0.1 that the kernel chose; its URL goes to `url`. */
static int listen_on_port(int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (type == SOCK_STREAM)
        cr_assert_eq(listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    snprintf(url, sizeof url, "%s://127.0.0.1:%d", type == SOCK_STREAM ? "tcp" : "udp",
             ntohs(address.sin_port));
    return fd;
}

static void expect_datagram(int fd, const char *expected)
{
    char text[256] = "";
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    cr_assert_geq(len, 0);
    cr_expect_str_eq(text, expected);
}

static void send_two(struct log_syslog *syslog)
{
    struct error err = { 0 };
    cr_assert(log_syslog_open(syslog, url, &err), "%s", err.text);
    cr_expect(log_syslog_send(syslog, span_of("one\n")));
    cr_expect(log_syslog_send(syslog, span_of("two\n")));
}

Test(log_syslog, sends_each_line_as_a_datagram)
{
    for (int i = 0; i < 2; i++) {
        int server = i ? listen_on_port(SOCK_DGRAM) : listen_on_path(SOCK_DGRAM);
        struct log_syslog syslog;
        send_two(&syslog);
        expect_datagram(server, "one\n");
        expect_datagram(server, "two\n");
        log_syslog_close(&syslog);
        close(server);
    }
}

Test(log_syslog, sends_lines_over_a_stream)
{
    for (int i = 0; i < 2; i++) {
        int server = i ? listen_on_port(SOCK_STREAM) : listen_on_path(SOCK_STREAM);
        struct log_syslog syslog;
        struct buf all = { 0 };
        send_two(&syslog);
        log_syslog_close(&syslog);
        int client = accept(server, NULL, NULL);
        read_to_end(client, &all);
        cr_expect_str_eq(buf_str(&all), "one\ntwo\n");
        buf_free(&all);
        close(client);
        close(server);
    }
}

Test(log_syslog, connects_again_but_not_for_every_line)
{
    clock_test_set(100 * NS_PER_S, 0);
    int server = listen_on_path(SOCK_DGRAM);
    struct log_syslog syslog;
    cr_assert(log_syslog_open(&syslog, url, NULL));
    close(server);
    cr_assert_eq(unlink(path), 0);
    cr_expect_not(log_syslog_send(&syslog, span_of("lost\n")));
    server = listen_on_path(SOCK_DGRAM);
    cr_expect_not(log_syslog_send(&syslog, span_of("too early\n")));
    clock_test_set(101 * NS_PER_S, 0);
    cr_expect(log_syslog_send(&syslog, span_of("back\n")));
    expect_datagram(server, "back\n");
    log_syslog_close(&syslog);
    close(server);
}

Test(log_syslog, a_daemon_that_restarted_in_time_loses_nothing)
{
    clock_test_set(100 * NS_PER_S, 0);
    int server = listen_on_path(SOCK_DGRAM);
    struct log_syslog syslog;
    cr_assert(log_syslog_open(&syslog, url, NULL));
    close(server);
    cr_assert_eq(unlink(path), 0);
    server = listen_on_path(SOCK_DGRAM);
    cr_expect(log_syslog_send(&syslog, span_of("kept\n")));
    expect_datagram(server, "kept\n");
    log_syslog_close(&syslog);
    close(server);
}

Test(log_syslog, cuts_what_no_datagram_holds)
{
    int server = listen_on_port(SOCK_DGRAM);
    struct log_syslog syslog;
    char *line = malloc(100000), *received = malloc(100000);
    memset(line, 'x', 100000);
    cr_assert(log_syslog_open(&syslog, url, NULL));
    cr_expect(log_syslog_send(&syslog, span_make(line, 100000)));
    cr_expect_eq(recv(server, received, 100000, 0), 60000);
    free(line);
    free(received);
    log_syslog_close(&syslog);
    close(server);
}

Test(log_syslog, explains_a_bad_address)
{
    static const struct {
        const char *url, *error;
    } rows[] = {
        {"xx://foo",         "error invalid network type: \"xx\""                          },
        { "foo",             "error invalid network type: \"\""                            },
        { "udp://127.0.0.1", "error connecting to syslog: \"dial udp: address 127.0.0.1: missing "
                             "port in address\""               },
        { "tcp://[::1]",
         "error connecting to syslog: \"dial tcp: address [::1]: missing port in address\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct log_syslog syslog;
        struct error err = { 0 };
        cr_expect_not(log_syslog_open(&syslog, rows[i].url, &err));
        cr_expect_str_eq(err.text, rows[i].error);
    }
}

Test(log_syslog, explains_who_does_not_answer)
{
    char expected[300];
    struct log_syslog syslog;
    struct error err = { 0 };
    cr_expect_not(log_syslog_open(&syslog, url, &err));
    snprintf(expected, sizeof expected, "error connecting to syslog: \"dial unix %s: connect: %s\"",
             path, strerror(ENOENT));
    cr_expect_str_eq(err.text, expected);

    close(listen_on_port(SOCK_STREAM)); /* nobody listens there any more */
    cr_expect_not(log_syslog_open(&syslog, url, &err));
    snprintf(expected, sizeof expected, "error connecting to syslog: \"dial tcp %s: connect: %s\"",
             url + strlen("tcp://"), strerror(ECONNREFUSED));
    cr_expect_str_eq(err.text, expected);
}

Test(log_syslog, reads_an_ipv6_address)
{
    struct log_syslog syslog;
    cr_assert(log_syslog_open(&syslog, "udp://[::1]:514", NULL) || errno == EADDRNOTAVAIL ||
              errno == EAFNOSUPPORT);
    cr_expect_str_eq(syslog.host, "::1");
    cr_expect_str_eq(syslog.port, "514");
    log_syslog_close(&syslog);
}
