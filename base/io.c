/* io.c - see io.h. */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define READ_SIZE ((size_t)64 << 10)

bool io_read_all(int fd, size_t max_size, struct buf *out)
{
    size_t begin = out->len;
    for (;;) {
        ssize_t got = read(fd, buf_reserve(out, READ_SIZE), READ_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->len += (size_t)got;
        if (out->len - begin > max_size) {
            errno = EFBIG;
            return false;
        }
    }
}

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
