/* io.c - see io.h. */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

bool io_write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) { /* stderr may share a terminal that was set so */
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
            continue;
        }
        if (done < 0)
            return false;
        bytes = span_make(bytes.ptr + done, bytes.len - (size_t)done);
    }
    return true;
}
