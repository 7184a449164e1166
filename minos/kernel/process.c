/* SPDX-License-Identifier: MIT */
/* Birth and death of processes. */
#include <minos/abi.h>
#include "lib.h"
#include "proc.h"
#include "table.h"

struct process processes[PROCESSES];
struct process *current;
int foreground;

static uint8_t kernel_stacks[PROCESSES][KERNEL_STACK] __attribute__((aligned(16)));
static int last_pid;
uint64_t process_forks;

static void first_run(void)
{
    struct regs *r = (struct regs *)(current->kernel_stack + KERNEL_STACK) - 1;

    trap_return(r);
    machine_resume(r);
}

/* A process that will begin in first_run, and so in the registers at the top of its stack. */
static struct process *process_new(void)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *p = &processes[i];
        uint64_t *sp;

        if (p->state != UNUSED)
            continue;
        memset(p, 0, sizeof(*p));
        p->kernel_stack = kernel_stacks[i];
        *(uint64_t *)p->kernel_stack = STACK_CANARY;
        p->pid = ++last_pid;
        sp = (uint64_t *)((struct regs *)(p->kernel_stack + KERNEL_STACK) - 1);
        sp = (uint64_t *)((uintptr_t)sp & -16ul) - 1; /* as after a call of first_run */
        *--sp = (uintptr_t)first_run;
        p->stack_pointer = (uintptr_t)(sp - 6);
        memset(sp - 6, 0, 6 * sizeof(*sp));
        *(uint16_t *)p->fpu = 0x37f; /* x87 and SSE: all exceptions masked */
        *(uint32_t *)(p->fpu + 24) = 0x1f80;
        return p;
    }
    return NULL;
}

static struct regs *process_regs(struct process *p)
{
    return (struct regs *)(p->kernel_stack + KERNEL_STACK) - 1;
}

/* Still on the boot stack, which no trap will ever use again. */
void process_start_first(const char *path)
{
    struct process *p = process_new();
    int error;

    current = p;
    p->directory = fs_root();
    p->state = RUNNABLE;
    for (int i = 0; i < 3; i++)
        file_install(file_new(&console_file_ops, NULL, O_READ | O_WRITE));
    error = process_exec(process_regs(p), path, 0);
    if (error)
        panic("%s: error %d", path, -error);
    machine_kernel_stack(p->kernel_stack + KERNEL_STACK);
    machine_resume(process_regs(p));
}

int process_fork(const struct regs *r)
{
    struct process *p = process_new();

    if (!p)
        return -EAGAIN;
    p->space = space_fork(current->space);
    if (!p->space)
        return -ENOMEM;
    p->parent = current->pid;
    string_copy(p->name, current->name, sizeof(p->name));
    memcpy(p->files, current->files, sizeof(p->files));
    for (int i = 0; i < OPEN_FILES; i++)
        if (p->files[i])
            p->files[i]->references++;
    p->directory = node_get(current->directory);
    __asm__ volatile("fxsave64 %0" : "=m"(p->fpu));
    *process_regs(p) = *r;
    process_regs(p)->rax = 0;
    p->state = RUNNABLE;
    process_forks++;
    return p->pid;
}

static struct process *process_of(int pid)
{
    for (struct process *p = processes; p < processes + PROCESSES; p++)
        if (p->state != UNUSED && p->pid == pid)
            return p;
    return NULL;
}

void process_exit(int status)
{
    struct process *parent;
    struct space *s = current->space;

    if (current->pid == 1)
        panic("the first process ended with status %d", status);
    for (int i = 0; i < OPEN_FILES; i++)
        if (current->files[i])
            file_put(current->files[i]);
    node_put(current->directory);
    mmu_load(0);
    current->space = NULL;
    space_free(s);
    for (struct process *p = processes; p < processes + PROCESSES; p++)
        if (p->parent == current->pid)
            p->parent = 1;
    if (foreground == current->pid)
        foreground = 0;
    parent = process_of(current->parent);
    current->status = status;
    current->state = ZOMBIE;
    wake(parent);
    schedule();
    panic("a zombie ran");
}

int process_wait(int *status)
{
    for (;;) {
        bool any = false;
        int error;

        for (struct process *p = processes; p < processes + PROCESSES; p++) {
            if (p->state == UNUSED || p->parent != current->pid)
                continue;
            any = true;
            if (p->state == ZOMBIE) {
                *status = p->status;
                p->state = UNUSED;
                return p->pid;
            }
        }
        if (!any)
            return -ECHILD;
        error = wait_for(current, FOREVER);
        if (error)
            return error;
    }
}

int process_kill(int pid)
{
    struct process *p = process_of(pid);

    if (!p || p->state == ZOMBIE || pid == 1)
        return -ESRCH;
    p->killed = true;
    /* A wait for a device is repeated by whoever waits; every other wait ends. */
    if (p->state == SLEEPING)
        p->state = RUNNABLE;
    return 0;
}

unsigned process_list(struct minos_process *out, unsigned capacity)
{
    unsigned n = 0;

    for (struct process *p = processes; p < processes + PROCESSES && n < capacity; p++) {
        if (p->state == UNUSED)
            continue;
        out[n] = (struct minos_process){.pid = p->pid, .parent = p->parent, .ticks = p->ticks};
        out[n].state = " RSZ"[p->state];
        string_copy(out[n++].name, p->name, sizeof(out->name));
    }
    return n;
}
