/* SPDX-License-Identifier: MIT */
/* Processes, and waiting for things. */
#ifndef MINOS_PROC_H
#define MINOS_PROC_H

#include <minos/abi.h>
#include "fs.h"
#include "mem.h"

#define PROCESSES    64
#define KERNEL_STACK 16384
#define OPEN_FILES   16
#define FOREVER      (~0ul)

enum process_state { UNUSED, RUNNABLE, SLEEPING, ZOMBIE };

struct process {
    uint8_t fpu[512] __attribute__((aligned(16)));
    enum process_state state;
    int pid, parent;
    int status; /* of a zombie */
    bool killed;
    bool woken;
    char name[24];
    uint64_t stack_pointer; /* while another runs */
    uint8_t *kernel_stack;
    struct space *space;
    const void *waits_for;
    uint64_t deadline;
    uint64_t ticks;
    struct file *files[OPEN_FILES];
    struct node *directory;
};

extern struct process *current;
extern int foreground; /* pid that Ctrl-C ends */

/* Starts the first program. */
void process_start_first(const char *path);
int process_fork(const struct regs *r);
int process_exec(struct regs *r, const char *path, uintptr_t argv);
void process_exit(int status) __attribute__((noreturn));
int process_wait(int *status);
int process_kill(int pid);
extern uint64_t process_forks; /* since boot */
unsigned process_list(struct minos_process *out, unsigned capacity);

/* Gives the processor to another runnable process, if there is one. */
void schedule(void);
void schedule_tick(void);
extern bool schedule_wanted;

/* Sleeps until somebody calls wake(event): 0. -EAGAIN at the deadline, -EINTR when killed. */
int wait_for(const void *event, uint64_t deadline);
/* The same, not to be interrupted: for what a device will surely do. */
void wait_for_device(const void *event);
void wake(const void *event);

/* A lock to sleep on. */
struct mutex {
    const struct process *holder;
};
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* --- Open files --- */

struct file {
    const struct file_ops *ops;
    unsigned references;
    unsigned flags; /* O_* */
    uint64_t offset;
    void *object; /* node, pipe, connection */
};

struct file_ops {
    /* Both take user memory of the current process; the bytes moved, or an error. */
    long (*read)(struct file *f, uintptr_t buffer, size_t size);
    long (*write)(struct file *f, uintptr_t buffer, size_t size);
    void (*close)(struct file *f);
};

struct file *file_new(const struct file_ops *ops, void *object, unsigned flags);
void file_put(struct file *f);
struct file *file_of(int fd);
/* Takes the reference over. */
int file_install(struct file *f);
int file_open(const char *path, unsigned flags);
int pipe_open(int fds[2]);
extern const struct file_ops node_file_ops, console_file_ops;

/* --- A buffer of bytes between two parties --- */

#define RING_PAGES 4
#define RING_SIZE  (RING_PAGES * PAGE_SIZE)

struct ring {
    uint8_t *pages[RING_PAGES];
    size_t start, used;
};

bool ring_init(struct ring *r);
void ring_free(struct ring *r);
size_t ring_write(struct ring *r, const void *data, size_t size);
/* Copies `size` bytes at `offset` from the oldest, and drops the oldest. */
void ring_peek(const struct ring *r, size_t offset, void *data, size_t size);
void ring_drop(struct ring *r, size_t size);
/* Between a ring and the current program. */
long ring_write_user(struct ring *r, uintptr_t from, size_t size);
long ring_read_user(struct ring *r, uintptr_t to, size_t size);

#endif
