/* SPDX-License-Identifier: MIT */
/* The control socket. A report is written in one go into the socket's buffer; who does not read it
 * gets what fits, and nothing waits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "device.h"
#include "log.h"
#include "loop.h"

static int listener = -1;
static struct event *incoming;

static int unix_socket(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void answer(evutil_socket_t fd, short what, void *unused)
{
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    size_t bytes = 0;
    char *text = NULL;
    FILE *report;

    (void)what;
    (void)unused;
    if (client < 0)
        return;
    report = open_memstream(&text, &bytes);
    if (report) {
        devices_report(report);
        fclose(report);
        if (send(client, text, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
            log_say(LOG_WARNING, "a report was not taken whole");
        free(text);
    }
    close(client);
}

bool control_listen(const char *path)
{
    struct sockaddr_un address;

    listener = unix_socket(path, &address);
    unlink(path);
    umask(077);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
        listen(listener, 8)) {
        log_say(LOG_ERROR, "%s cannot be made: %s", path, strerror(errno));
        return false;
    }
    incoming = event_new(loop_base, listener, EV_READ | EV_PERSIST, answer, NULL);
    return incoming && !event_add(incoming, NULL);
}

void control_close(const char *path)
{
    if (incoming)
        event_free(incoming);
    if (listener >= 0) {
        close(listener);
        unlink(path);
    }
}

bool control_ask(const char *path)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    char text[4096];
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        log_say(LOG_ERROR, "no daemon answers at %s: %s", path, strerror(errno));
        return false;
    }
    while ((n = read(fd, text, sizeof(text))) > 0)
        fwrite(text, 1, (size_t)n, stdout);
    close(fd);
    return n == 0;
}
