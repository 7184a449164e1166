/* SPDX-License-Identifier: MIT */
/* System calls: one function and one row of the table each. */
#include "lib.h"
#include "net.h"
#include "proc.h"

#define PATH_SIZE 256

/* The arguments in order, and the registers, for calls that change them. */
struct call {
    uint64_t arg[5];
    struct regs *regs;
};

static int get_path(char path[PATH_SIZE], uint64_t pointer)
{
    int n = copy_string(path, pointer, PATH_SIZE);

    return n < 0 ? n : n == 0 ? -ENOENT : 0;
}

/* --- Processes --- */

static long sys_exit(const struct call *c)
{
    process_exit(c->arg[0] & 255);
}

static long sys_fork(const struct call *c)
{
    return process_fork(c->regs);
}

static long sys_exec(const struct call *c)
{
    char path[PATH_SIZE];
    int error = get_path(path, c->arg[0]);

    return error ? error : process_exec(c->regs, path, c->arg[1]);
}

static long sys_wait(const struct call *c)
{
    int status = 0, pid = process_wait(&status);

    if (pid > 0 && c->arg[0] && copy_to_user(c->arg[0], &status, sizeof(status)))
        return -EFAULT;
    return pid;
}

static long sys_getpid(const struct call *c)
{
    (void)c;
    return current->pid;
}

static long sys_kill(const struct call *c)
{
    return process_kill(c->arg[0]);
}

static long sys_sbrk(const struct call *c)
{
    struct region *heap = &current->space->regions[1];
    uintptr_t old = heap->end, new = old + c->arg[0];

    if ((int64_t)c->arg[0] < 0 || new < old || new > USER_END - STACK_SIZE)
        return -ENOMEM;
    heap->end = new;
    return old;
}

static long sys_sleep(const struct call *c)
{
    int error = wait_for(current->fpu, machine_time() + c->arg[0] * NSEC_PER_MSEC);

    return error == -EAGAIN ? 0 : error;
}

static long sys_processes(const struct call *c)
{
    struct minos_process *list = kmalloc(PROCESSES * sizeof(*list));
    unsigned n = list ? process_list(list, MIN(c->arg[1], PROCESSES)) : 0;
    int error = list ? copy_to_user(c->arg[0], list, n * sizeof(*list)) : -ENOMEM;

    kfree(list, PROCESSES * sizeof(*list));
    return error ? error : (long)n;
}

static long sys_foreground(const struct call *c)
{
    foreground = c->arg[0];
    return 0;
}

/* --- Files --- */

static long sys_open(const struct call *c)
{
    char path[PATH_SIZE];
    int error = get_path(path, c->arg[0]);

    return error ? error : file_open(path, c->arg[1]);
}

static long sys_close(const struct call *c)
{
    struct file *f = file_of(c->arg[0]);

    if (!f)
        return -EBADF;
    current->files[c->arg[0]] = NULL;
    file_put(f);
    return 0;
}

static long sys_read(const struct call *c)
{
    struct file *f = file_of(c->arg[0]);

    return f && f->ops->read && f->flags & O_READ ? f->ops->read(f, c->arg[1], c->arg[2]) : -EBADF;
}

static long sys_write(const struct call *c)
{
    struct file *f = file_of(c->arg[0]);

    return f && f->ops->write && f->flags & O_WRITE ? f->ops->write(f, c->arg[1], c->arg[2])
                                                    : -EBADF;
}

static long sys_seek(const struct call *c)
{
    struct file *f = file_of(c->arg[0]);

    if (!f || f->ops != &node_file_ops)
        return -EBADF;
    f->offset = c->arg[1];
    return 0;
}

static long sys_dup2(const struct call *c)
{
    struct file *f = file_of(c->arg[0]), *old;

    if (!f || c->arg[1] >= OPEN_FILES)
        return -EBADF;
    old = current->files[c->arg[1]];
    f->references++;
    current->files[c->arg[1]] = f;
    if (old)
        file_put(old);
    return c->arg[1];
}

static long sys_pipe(const struct call *c)
{
    int fds[2], error = pipe_open(fds);

    return error ? error : copy_to_user(c->arg[0], fds, sizeof(fds));
}

static long sys_stat(const struct call *c)
{
    char path[PATH_SIZE];
    struct node *n;
    struct minos_stat st;
    int error = get_path(path, c->arg[0]);

    if (!error)
        error = node_lookup(path, &n);
    if (error)
        return error;
    st = n->stat;
    node_put(n);
    return copy_to_user(c->arg[1], &st, sizeof(st));
}

static long sys_readdir(const struct call *c)
{
    struct file *f = file_of(c->arg[0]);
    struct minos_dirent entry = {.inode = 0};
    int n;

    if (!f || f->ops != &node_file_ops)
        return -EBADF;
    n = node_list(f->object, &f->offset, &entry);
    return n > 0 && copy_to_user(c->arg[1], &entry, sizeof(entry)) ? -EFAULT : n;
}

static long sys_mkdir(const struct call *c)
{
    char path[PATH_SIZE];
    struct node *n;
    int error = get_path(path, c->arg[0]);

    if (!error)
        error = node_create(path, S_DIRECTORY | 0755, &n);
    if (!error)
        node_put(n);
    return error;
}

static long sys_unlink(const struct call *c)
{
    char path[PATH_SIZE];
    int error = get_path(path, c->arg[0]);

    return error ? error : node_remove(path);
}

static long sys_rename(const struct call *c)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    int error = get_path(from, c->arg[0]);

    if (!error)
        error = get_path(to, c->arg[1]);
    return error ? error : node_rename(from, to);
}

static long sys_chdir(const struct call *c)
{
    char path[PATH_SIZE];
    struct node *n, *old = current->directory;
    int error = get_path(path, c->arg[0]);

    if (!error)
        error = node_lookup(path, &n);
    if (error)
        return error;
    if (!(n->stat.mode & S_DIRECTORY)) {
        node_put(n);
        return -ENOTDIR;
    }
    current->directory = n;
    node_put(old);
    return 0;
}

static long sys_sync(const struct call *c)
{
    (void)c;
    return fs_sync();
}

/* --- The machine --- */

static long sys_time(const struct call *c)
{
    struct minos_time t = {machine_time(), machine_wall_time()};

    return copy_to_user(c->arg[0], &t, sizeof(t));
}

static long sys_sysinfo(const struct call *c)
{
    struct minos_sysinfo s = {.pages = frames_total,
                              .free_pages = frames_free,
                              .forks = process_forks,
                              .faults = space_faults,
                              .copies = space_copies};

    fs_usage(&s.disk_blocks, &s.disk_free, &s.disk_block_size);
    return copy_to_user(c->arg[0], &s, sizeof(s));
}

static long sys_halt(const struct call *c)
{
    int error = fs_unmount();

    kprintf("minos: %s\n", error ? "the disk could not be unmounted" : "halted");
    machine_halt(error ? 254 : c->arg[0] & 255);
}

/* --- Network --- */

static long sys_listen(const struct call *c)
{
    return tcp_listen(c->arg[0]);
}

static long sys_accept(const struct call *c)
{
    return tcp_accept(file_of(c->arg[0]));
}

static long sys_connect(const struct call *c)
{
    return tcp_connect(c->arg[0], c->arg[1]);
}

static long sys_ping(const struct call *c)
{
    return icmp_ping(c->arg[0], c->arg[1], c->arg[2]);
}

static long sys_udp_open(const struct call *c)
{
    return udp_open(c->arg[0]);
}

static long sys_udp_send(const struct call *c)
{
    struct minos_endpoint to;

    if (copy_from_user(&to, c->arg[1], sizeof(to)))
        return -EFAULT;
    return udp_send(file_of(c->arg[0]), &to, c->arg[2], c->arg[3]);
}

static long sys_udp_receive(const struct call *c)
{
    struct minos_endpoint from = {0};
    long n = udp_receive(file_of(c->arg[0]), &from, c->arg[2], c->arg[3]);

    return n >= 0 && copy_to_user(c->arg[1], &from, sizeof(from)) ? -EFAULT : n;
}

static long (*const calls[SYS_COUNT])(const struct call *) = {
    [SYS_exit] = sys_exit,           [SYS_fork] = sys_fork,
    [SYS_exec] = sys_exec,           [SYS_wait] = sys_wait,
    [SYS_getpid] = sys_getpid,       [SYS_kill] = sys_kill,
    [SYS_sbrk] = sys_sbrk,           [SYS_sleep] = sys_sleep,
    [SYS_open] = sys_open,           [SYS_close] = sys_close,
    [SYS_read] = sys_read,           [SYS_write] = sys_write,
    [SYS_seek] = sys_seek,           [SYS_dup2] = sys_dup2,
    [SYS_pipe] = sys_pipe,           [SYS_stat] = sys_stat,
    [SYS_readdir] = sys_readdir,     [SYS_mkdir] = sys_mkdir,
    [SYS_unlink] = sys_unlink,       [SYS_rename] = sys_rename,
    [SYS_chdir] = sys_chdir,         [SYS_sync] = sys_sync,
    [SYS_time] = sys_time,           [SYS_sysinfo] = sys_sysinfo,
    [SYS_processes] = sys_processes, [SYS_foreground] = sys_foreground,
    [SYS_halt] = sys_halt,           [SYS_listen] = sys_listen,
    [SYS_accept] = sys_accept,       [SYS_connect] = sys_connect,
    [SYS_ping] = sys_ping,           [SYS_udp_open] = sys_udp_open,
    [SYS_udp_send] = sys_udp_send,   [SYS_udp_receive] = sys_udp_receive,
};

void trap_syscall(struct regs *r)
{
    struct call c = {{r->rdi, r->rsi, r->rdx, r->r10, r->r8}, r};
    uint64_t number = r->rax;

    r->rax = number < SYS_COUNT ? calls[number](&c) : -ENOSYS;
    trap_return(r);
}
