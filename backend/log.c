/* SPDX-License-Identifier: MIT */
/* Messages on standard error. What front ends can cause is limited in rate; nothing ever waits for
 * the reader: a message that does not fit into the pipe is lost. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define PER_SECOND 50

static const char *const names[] = {"error", "warning", "info", "debug"};
static enum log_level wanted = LOG_INFO;

bool log_set_level(const char *name)
{
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!strcmp(name, names[i])) {
            wanted = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* Messages that this second leaves no room for are counted only. */
static bool too_many(unsigned *lost)
{
    static time_t second;
    static unsigned said, dropped;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    *lost = 0;
    if (now.tv_sec != second) {
        *lost = dropped;
        second = now.tv_sec;
        said = dropped = 0;
    }
    if (said < PER_SECOND) {
        said++;
        return false;
    }
    dropped++;
    return true;
}

void log_say(enum log_level level, const char *format, ...)
{
    char line[512];
    unsigned lost = 0;
    va_list args;
    int n, m;

    if (level > wanted || (wanted < LOG_DEBUG && too_many(&lost)))
        return;
    n = snprintf(line, sizeof(line), "backend: %s: ", names[level]);
    va_start(args, format);
    m = vsnprintf(line + n, sizeof(line) - 64 - (size_t)n, format, args);
    va_end(args);
    n += m < (int)sizeof(line) - 64 - n ? m : (int)sizeof(line) - 65 - n;
    for (char *c = line; c < line + n; c++) {
        if (*c < ' ') /* a name from the store must not move the reader's cursor */
            *c = '?';
    }
    if (lost)
        n += snprintf(line + n, 60, " (and %u messages more)", lost);
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}
