/* files.c - pid file and ports file. */
#include "files.h"

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

#include <uv.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In the order of the file, which is the order of enum files_listener_kind. */
static const struct {
    const char *key, *scheme, *tls_scheme;
} KINDS[] = {
    {"nats",        "nats", "tls"  },
    { "monitoring", "http", "https"},
};

static bool fail(struct error *err, const char *verb, const char *path)
{
    return error_set(err, "%s %s: %s", verb, path, uv_strerror(uv_translate_sys_error(errno)));
}

static bool write_file(const char *path, int flags, mode_t mode, struct span content,
                       struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    if (fd < 0)
        return fail(err, "open", path);
    bool ok = io_write_all(fd, content);
    if (!ok)
        fail(err, "write", path);
    if (close(fd) != 0 && ok)
        ok = fail(err, "close", path);
    return ok;
}

bool files_write_pid(const char *path, struct error *err)
{
    char text[16];

    /* In place, not by renaming: the folder may belong to somebody else, or the file be a link. */
    snprintf(text, sizeof text, "%d", (int)getpid());
    return write_file(path, O_TRUNC, 0640, span_of(text), err) ||
           error_prefix(err, "Could not write pidfile");
}

static bool is_any_ipv4(const char *host)
{
    return !host || !*host || strcmp(host, "0.0.0.0") == 0;
}

static bool is_any(const char *host)
{
    return is_any_ipv4(host) || strcmp(host, "::") == 0;
}

static void print_url(struct json *json, const struct files_listener *listener, const char *address)
{
    const char *scheme =
        listener->tls ? KINDS[listener->kind].tls_scheme : KINDS[listener->kind].scheme;
    bool is_ipv6 = strchr(address, ':') != NULL;
    char *url = mem_printf("%s://%s%s%s:%d", scheme, is_ipv6 ? "[" : "", address,
                           is_ipv6 ? "]" : "", listener->port);

    json_string(json, NULL, url);
    free(url);
}

/* An IPv4 or IPv6 address as text, without a zone; false for other families. */
static bool address_text(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    const void *bytes = NULL;

    if (address && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return bytes && inet_ntop(address->sa_family, bytes, out, INET6_ADDRSTRLEN);
}

/* A URL for every address of this machine that the listener can be reached at. */
static void print_local_urls(struct json *json, const struct files_listener *listener)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        bool is_ipv6 = one->ifa_addr && one->ifa_addr->sa_family == AF_INET6;
        if (is_ipv6 && is_any_ipv4(listener->host))
            continue;
        if (address_text(one->ifa_addr, text))
            print_url(json, listener, text);
    }
    freeifaddrs(all);
}

/* The first address of a host's name, as the listener takes it; the name itself when there is none. */
static void print_host_url(struct json *json, const struct files_listener *listener)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    char text[INET6_ADDRSTRLEN];

    bool known = getaddrinfo(listener->host, NULL, &hints, &found) == 0 &&
                 address_text(found->ai_addr, text);
    print_url(json, listener, known ? text : listener->host);
    if (found)
        freeaddrinfo(found);
}

static void print_kind(struct json *json, enum files_listener_kind kind,
                       const struct files_listener *listeners, size_t count)
{
    bool is_open = false;

    for (size_t i = 0; i < count; i++) {
        if (listeners[i].kind != kind)
            continue;
        if (!is_open)
            json_array(json, KINDS[kind].key);
        is_open = true;
        if (is_any(listeners[i].host))
            print_local_urls(json, &listeners[i]);
        else
            print_host_url(json, &listeners[i]);
    }
    if (is_open)
        json_array_end(json);
}

static char *ports_path(const char *dir, const char *program)
{
    return mem_printf("%s/%s_%d.ports", dir, program, (int)getpid());
}

static bool replace_file(const char *path, struct span content, struct error *err)
{
    char *temporary = mem_printf("%s.tmp", path);

    unlink(
        temporary); /* left by a crashed process of our pid; with O_EXCL nobody can plant a link */
    bool ok = write_file(temporary, O_EXCL, 0644, content, err);
    if (ok && rename(temporary, path) != 0)
        ok = fail(err, "rename", temporary);
    if (!ok)
        unlink(temporary);
    free(temporary);
    return ok;
}

bool files_write_ports(const char *dir, const char *program, const struct files_listener *listeners,
                       size_t count, struct error *err)
{
    struct buf text = { 0 };
    struct json json = json_begin(&text, 0);
    char *path = ports_path(dir, program);

    json_object(&json, NULL);
    for (size_t kind = 0; kind < sizeof KINDS / sizeof *KINDS; kind++)
        print_kind(&json, (enum files_listener_kind)kind, listeners, count);
    json_object_end(&json);
    bool ok = replace_file(path, buf_span(&text), err) ||
              error_prefix(err, "Error writing ports file (%s)", path);
    free(path);
    buf_free(&text);
    return ok;
}

void files_remove_ports(const char *dir, const char *program)
{
    char *path = ports_path(dir, program);

    if (unlink(path) != 0)
        log_err("Error cleaning up ports file %s: remove %s: %s", path, path,
                uv_strerror(uv_translate_sys_error(errno)));
    free(path);
}
