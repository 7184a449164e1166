/* SPDX-License-Identifier: MIT */
/* Runs a command and prints what it took: time-stamp ticks from start to end, and nanoseconds that
 * another process was running meanwhile. Under QEMU's -icount both are executed instructions. A
 * static program, for dom0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static uint64_t ran(const char *pid)
{
    unsigned long long ns;
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
    f = fopen(path, "r");
    if (!f || fscanf(f, "%llu", &ns) != 1) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return ns;
}

int main(int argc, char **argv)
{
    uint64_t began, ran_before;
    int status;
    pid_t child;

    if (argc < 3) {
        fputs("usage: stopwatch PID COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    ran_before = ran(argv[1]);
    began = __rdtsc();
    child = fork();
    if (!child) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("stopwatch");
        return 1;
    }
    fprintf(stderr, "TOOK %llu %llu\n", (unsigned long long)(__rdtsc() - began),
            (unsigned long long)(ran(argv[1]) - ran_before));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
