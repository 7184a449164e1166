/* SPDX-License-Identifier: MIT */
/* What the hypervisor tells: kept for the tests, shown when wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

char fake_sentence[512];
unsigned fake_refusals, fake_crashes;
bool fake_verbose;
void (*fake_on_fatal)(void);

noreturn static void die(const char *what, const char *fmt, va_list ap)
{
    char text[1024];

    vsnprintf(text, sizeof(text), fmt, ap);
    fprintf(stderr, "\n%s: %s\n", what, text);
    if (fake_on_fatal)
        fake_on_fatal();
    fflush(stderr);
    abort();
}

noreturn void fake_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    die("VIOLATION", fmt, ap);
}

noreturn void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    die("PANIC", fmt, ap);
}

noreturn void bug_at(const char *file, int line, const char *what)
{
    panic("%s:%d: %s", file, line, what);
}

/* Formats always, so that sanitizers see arguments that do not fit their sentence. */
static void keep(const char *fmt, va_list ap)
{
    vsnprintf(fake_sentence, sizeof(fake_sentence), fmt, ap);
    if (fake_verbose)
        fprintf(stderr, "(PV) %s\n", fake_sentence);
}

void printk(enum log_level level, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (fake_verbose)
        fprintf(stderr, "(PV) %s", line);
}

void guest_log(const struct domain *d, enum log_level level, const char *fmt, ...)
{
    va_list ap;

    (void)d;
    (void)level;
    va_start(ap, fmt);
    keep(fmt, ap);
    va_end(ap);
}

int refuse(int err, const char *fmt, ...)
{
    va_list ap;

    if (err > 0)
        fake_fail("refused with %d", err);
    fake_refusals++;
    va_start(ap, fmt);
    keep(fmt, ap);
    va_end(ap);
    return err;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    va_list ap;

    d->crashed = true;
    fake_crashes++;
    va_start(ap, fmt);
    keep(fmt, ap);
    va_end(ap);
}
