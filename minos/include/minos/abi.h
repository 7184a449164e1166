/* SPDX-License-Identifier: MIT */
/* What minos programs and its kernel share: system calls, their structures, errors. */
#ifndef MINOS_ABI_H
#define MINOS_ABI_H

#include <stdint.h>

/* SYSCALL: number in RAX, arguments in RDI, RSI, RDX, R10, R8; RAX returns the result or -E*. */
enum minos_call {
    SYS_exit, /* status */
    SYS_fork, /* 0 in the child, its number in the parent */
    SYS_exec, /* path, argv */
    SYS_wait, /* int *status; the child's number */
    SYS_getpid,
    SYS_kill,    /* pid */
    SYS_sbrk,    /* bytes; the former end of the heap */
    SYS_sleep,   /* milliseconds */
    SYS_open,    /* path, O_*; a file descriptor */
    SYS_close,   /* fd */
    SYS_read,    /* fd, buffer, size */
    SYS_write,   /* fd, buffer, size */
    SYS_seek,    /* fd, offset from the start */
    SYS_dup2,    /* fd, new fd */
    SYS_pipe,    /* int fds[2] */
    SYS_stat,    /* path, struct minos_stat * */
    SYS_readdir, /* fd, struct minos_dirent *; 1, or 0 at the end */
    SYS_mkdir,   /* path */
    SYS_unlink,  /* path: a file or an empty directory */
    SYS_rename,  /* old, new */
    SYS_chdir,   /* path */
    SYS_sync,
    SYS_time,        /* struct minos_time * */
    SYS_sysinfo,     /* struct minos_sysinfo * */
    SYS_processes,   /* struct minos_process *, capacity; how many */
    SYS_foreground,  /* pid that Ctrl-C ends, 0: none */
    SYS_halt,        /* status */
    SYS_listen,      /* TCP port; fd */
    SYS_accept,      /* fd; fd of the connection */
    SYS_connect,     /* address, port; fd */
    SYS_ping,        /* address, sequence number, timeout in ms; microseconds */
    SYS_udp_open,    /* port; fd */
    SYS_udp_send,    /* fd, struct minos_endpoint *, data, size */
    SYS_udp_receive, /* fd, struct minos_endpoint *, buffer, size */
    SYS_COUNT
};

#define ENOENT       2
#define ESRCH        3
#define EINTR        4
#define EIO          5
#define E2BIG        7
#define ENOEXEC      8
#define EBADF        9
#define ECHILD       10
#define EAGAIN       11
#define ENOMEM       12
#define EFAULT       14
#define EEXIST       17
#define EXDEV        18
#define ENODEV       19
#define ENOTDIR      20
#define EISDIR       21
#define EINVAL       22
#define EMFILE       24
#define EFBIG        27
#define ENOSPC       28
#define EROFS        30
#define EPIPE        32
#define ENAMETOOLONG 36
#define ENOSYS       38
#define ENOTEMPTY    39
#define EADDRINUSE   98
#define ECONNRESET   104
#define ETIMEDOUT    110

#define O_READ   1
#define O_WRITE  2
#define O_CREATE 4
#define O_TRUNC  8
#define O_APPEND 16

#define S_DIRECTORY 0x4000
#define S_FILE      0x8000

struct minos_stat {
    uint32_t mode; /* S_* and permissions */
    uint32_t inode;
    uint64_t size;
    uint32_t links;
    uint32_t modified; /* seconds since 1970 */
};

struct minos_dirent {
    uint32_t inode;
    char name[256];
};

struct minos_time {
    uint64_t uptime_ns;
    uint64_t wall_seconds;
};

struct minos_sysinfo {
    uint64_t pages, free_pages;
    uint64_t disk_blocks, disk_free, disk_block_size;
    uint64_t forks, faults, copies; /* since boot; copies: pages written while shared */
};

struct minos_process {
    int pid, parent;
    char state;
    char name[23];
    uint64_t ticks;
};

struct minos_endpoint {
    uint32_t address; /* a.b.c.d is a << 24 | ... */
    uint16_t port;
};

#endif
