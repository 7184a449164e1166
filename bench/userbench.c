/* SPDX-License-Identifier: MIT */
/* What user space pays the kernel and what is below it: time-stamp ticks for each operation, which
 * QEMU's -icount makes executed instructions. A static program, run by bench/run.sh. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AREA   (4 << 20)
#define PAGE   4096
#define ROUNDS 10

static const char *self;
static char *area;
static int zero;
static int there[2], back[2];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static inline uint64_t ticks(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static void do_getppid(void)
{
    syscall(SYS_getppid);
}

static void do_read(void)
{
    char c;

    if (read(zero, &c, 1) != 1)
        fail("read");
}

static char *map_and_touch(void)
{
    char *p = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        fail("mmap");
    /* Huge pages are no matter of a paravirtual kernel's; without this, the bare one would use
     * them. */
    madvise(p, AREA, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < AREA; i += PAGE)
        p[i] = 1;
    return p;
}

static void do_mmap(void)
{
    munmap(map_and_touch(), AREA);
}

static void do_mprotect(void)
{
    if (mprotect(area, AREA, PROT_READ) || mprotect(area, AREA, PROT_READ | PROT_WRITE))
        fail("mprotect");
}

static void fork_and_wait(int exec)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        fail("fork");
    if (!child) {
        if (exec)
            execl(self, self, "exit", NULL);
        _exit(exec);
    }
    if (waitpid(child, &status, 0) != child || status)
        fail("child");
}

static void do_fork(void)
{
    fork_and_wait(0);
}

static void do_exec(void)
{
    fork_and_wait(1);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void do_signal(void)
{
    kill(getpid(), SIGUSR1);
}

static void do_pipe(void)
{
    char c = 0;

    if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
        fail("pipe");
}

/* The other end of do_pipe: sends every byte back until there are no more. */
static pid_t start_echo(void)
{
    pid_t child;

    if (pipe(there) || pipe(back))
        fail("pipe");
    child = fork();
    if (!child) {
        char c;

        close(there[1]);
        while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
            ;
        _exit(0);
    }
    return child;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Prints a line like the bench guest's: name, no batch, operations, least, median, percentiles. */
static void measure(const char *name, void (*op)(void), unsigned times)
{
    uint64_t samples[ROUNDS], start;
    unsigned each = times / ROUNDS;

    for (unsigned i = 0; i < each + 2; i++)
        op(); /* warms caches and lists up */
    for (unsigned r = 0; r < ROUNDS; r++) {
        start = ticks();
        for (unsigned i = 0; i < each; i++)
            op();
        samples[r] = (ticks() - start) / each;
    }
    qsort(samples, ROUNDS, sizeof(*samples), compare);
    printf("USER %s 0 %u %lu %lu %lu %lu\n", name, each, samples[0], samples[ROUNDS / 2],
           samples[ROUNDS / 10], samples[ROUNDS - 1 - ROUNDS / 10]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pid_t echo;

    if (argc > 1 && !strcmp(argv[1], "exit"))
        _exit(0);
    self = argv[0];
    zero = open("/dev/zero", O_RDONLY);
    signal(SIGUSR1, on_signal);
    measure("getppid", do_getppid, 10000);
    measure("read", do_read, 10000);
    measure("mmap", do_mmap, 20);
    area = map_and_touch();
    measure("mprotect", do_mprotect, 20);
    /* Still there when it comes to fork: a process of some size. */
    measure("fork", do_fork, 50);
    measure("exec", do_exec, 50);
    measure("signal", do_signal, 5000);
    echo = start_echo();
    measure("pipe", do_pipe, 5000);
    close(there[1]);
    return waitpid(echo, NULL, 0) != echo;
}
