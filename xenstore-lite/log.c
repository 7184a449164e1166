/* SPDX-License-Identifier: MIT */
/* Writing of the log: one write a line, guests' bytes escaped. */
#include "log.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "conn.h"
#include "io.h"
#include "request.h"

#define LINE 512

bool log_requests;
static int log_fd = STDERR_FILENO;
static unsigned lost;

bool log_open(const char *file)
{
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600)
                  : STDERR_FILENO;

    if (fd < 0)
        return false;
    if (log_fd != STDERR_FILENO)
        close(log_fd);
    log_fd = fd;
    return true;
}

void log_text(const char *format, ...)
{
    char line[LINE];
    struct timespec now;
    va_list ap;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    n = snprintf(line, sizeof(line), "%lld.%06ld ", (long long)now.tv_sec, now.tv_nsec / 1000);
    if (lost)
        n += snprintf(line + n, sizeof(line) - (size_t)n, "(%u lines lost) ", lost);
    va_start(ap, format);
    n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, ap);
    va_end(ap);
    if (n > LINE - 1)
        n = LINE - 1;
    line[n++] = '\n';
    if (write(log_fd, line, (size_t)n) == n) {
        io_out += (uint64_t)n;
        lost = 0;
    } else {
        lost++;
    }
}

void log_request(const struct conn *c, const char *op, const struct request *rq)
{
    char text[200];
    size_t n = 0;

    for (size_t i = 0; i < rq->len && n < sizeof(text) - 2; i++)
        text[n++] = isprint((unsigned char)rq->data[i]) ? rq->data[i] : rq->data[i] ? '?' : ' ';
    text[n] = 0;
    log_text("%u domain %u %s tx %u: %s", c->id, c->domid, op, rq->tx_id, text);
}
