/* SPDX-License-Identifier: MIT */
/* Holding sockets for a process that may die. What it serves is in the journal. */
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "io.h"
#include "mem.h"

#define DEATHS 20 /* as many within */
#define PERIOD 10 /* so many seconds: there is no point in going on */

struct kept {
    uint32_t conn;
    int fd;
    bool claimed;
};

static struct kept *kept;
static unsigned keeps, room;
static int link_fd = -1; /* both sides call their end so */
static pid_t server;
static bool counted;
static uint64_t count_in, count_out;

bool holder_counts(uint64_t *in, uint64_t *out)
{
    *in = count_in;
    *out = count_out;
    return counted;
}

int holder_link(void)
{
    return link_fd;
}

void holder_use_link(int fd)
{
    link_fd = fd;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int holder_socket(uint32_t conn)
{
    for (unsigned i = 0; i < keeps; i++)
        if (kept[i].conn == conn) {
            kept[i].claimed = true;
            return kept[i].fd;
        }
    return -1;
}

/* fd -1: let it go. */
static void tell(uint32_t conn, int fd)
{
    char control[CMSG_SPACE(sizeof(fd))] = {0};
    struct iovec data = {&conn, sizeof(conn)};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1};
    struct cmsghdr *c;

    if (link_fd < 0)
        return;
    if (fd >= 0) {
        m.msg_control = control;
        m.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    while (sendmsg(link_fd, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

void holder_keep(uint32_t conn, int fd)
{
    tell(conn, fd);
}

void holder_forget(uint32_t conn)
{
    tell(conn, -1);
}

void holder_drop_rest(void)
{
    for (unsigned i = 0; i < keeps; i++)
        if (!kept[i].claimed) {
            close(kept[i].fd);
            holder_forget(kept[i].conn);
        }
    keeps = 0;
}

void holder_note(uint32_t conn, int fd)
{
    if (fd >= 0) {
        if (keeps == room) {
            room = room ? room * 2 : 32;
            kept = mem_realloc(kept, room * sizeof(*kept));
        }
        kept[keeps++] = (struct kept){conn, fd, false};
        return;
    }
    for (unsigned i = 0; i < keeps; i++)
        if (kept[i].conn == conn) {
            close(kept[i].fd);
            kept[i] = kept[--keeps];
            return;
        }
}

/* All that the server has said so far. */
static void listen_to_server(void)
{
    char control[CMSG_SPACE(sizeof(int))];
    uint32_t conn;
    struct iovec data = {&conn, sizeof(conn)};
    struct cmsghdr *c;
    int fd;

    for (;;) {
        struct msghdr m = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};

        if (recvmsg(link_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(conn))
            return;
        c = CMSG_FIRSTHDR(&m);
        fd = -1;
        if (c && c->cmsg_type == SCM_RIGHTS)
            memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        holder_note(conn, fd);
    }
}

/* Returns true in the new process. */
static bool start_server(const sigset_t *usual)
{
    int pair[2];

    if (link_fd >= 0)
        close(link_fd);
    link_fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return false;
    server = fork();
    if (!server) {
        sigprocmask(SIG_SETMASK, usual, NULL);
        close(pair[0]);
        link_fd = pair[1];
        return true;
    }
    close(pair[1]);
    link_fd = pair[0];
    return false;
}

/* The server is dead: ends with it if it meant to, or dies too often. */
static void judge(int status)
{
    static time_t death[DEATHS];
    static unsigned next;
    time_t now = time(NULL);

    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    syslog(LOG_ERR, "the server was killed by signal %d; another one goes on", WTERMSIG(status));
    if (death[next] && now - death[next] < PERIOD) {
        syslog(LOG_CRIT, "it was killed %u times in %u seconds: giving up", DEATHS, PERIOD);
        exit(1);
    }
    death[next] = now;
    next = (next + 1) % DEATHS;
}

bool holder_run(void)
{
    struct signalfd_siginfo info;
    sigset_t wanted, usual;
    siginfo_t dead;
    int signals, status;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, &usual);
    signals = signalfd(-1, &wanted, SFD_CLOEXEC);
    if (signals < 0)
        return false;
    if (start_server(&usual))
        goto serve;
    prctl(PR_SET_NAME, "xenstore-hold");
    while (server > 0) {
        struct pollfd fds[2] = {{signals, POLLIN, 0}, {link_fd, POLLIN, 0}};

        if (poll(fds, 2, -1) < 0)
            continue;
        listen_to_server();
        if (!(fds[0].revents & POLLIN) || read(signals, &info, sizeof(info)) != sizeof(info))
            continue;
        if (info.ssi_signo != SIGCHLD) {
            kill(server, (int)info.ssi_signo);
        } else if (!waitid(P_PID, (id_t)server, &dead, WEXITED | WNOHANG | WNOWAIT) &&
                   dead.si_pid == server) {
            listen_to_server();
            counted = io_counted(server, &count_in, &count_out);
            waitpid(server, &status, 0);
            judge(status);
            if (start_server(&usual))
                goto serve;
        }
    }
    exit(1);
serve:
    close(signals);
    return true;
}
