/* log_syslog.h - carries lines to a syslog daemon, here or elsewhere. One owner at a time. */
#ifndef BASE_LOG_SYSLOG_H
#define BASE_LOG_SYSLOG_H

#include "error.h"
#include "span.h"

enum log_network { LOG_NET_UDP, LOG_NET_TCP, LOG_NET_UNIX, LOG_NET_LOCAL };

struct log_syslog {
    enum log_network network;
    char host[256]; /* or the path of the socket */
    char port[16];
    int fd;              /* -1 while there is no connection */
    bool datagrams;      /* is each line a message of its own? */
    int64_t retry_at_ns; /* not before that time is a connection tried again */
};

/** Connects to udp://h:p, tcp://h:p or unix:///path; NULL is this machine's own daemon. */
bool log_syslog_open(struct log_syslog *syslog, const char *url, struct error *err);
void log_syslog_close(struct log_syslog *syslog);
/** Sends one line, connects again when needed; false when the line is lost. May take seconds when
 *  the daemon does not answer. */
bool log_syslog_send(struct log_syslog *syslog, struct span line);

#endif
