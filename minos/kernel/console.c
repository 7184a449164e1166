/* SPDX-License-Identifier: MIT */
/* The console: lines are edited here, readers get them whole. */
#include <minos/abi.h>
#include "lib.h"
#include "proc.h"

#define LINE_SIZE 256
#define CTRL(c)   ((c)&31)

static char line[LINE_SIZE], ready[4 * LINE_SIZE];
static size_t line_used, ready_start, ready_used;

static void echo(const char *s)
{
    machine_console_write(s, strlen(s));
}

static void finish_line(void)
{
    for (size_t i = 0; i < line_used && ready_used < sizeof(ready); i++)
        ready[(ready_start + ready_used++) % sizeof(ready)] = line[i];
    line_used = 0;
    wake(ready);
}

static void interrupt(void)
{
    echo("^C\n");
    line_used = 0;
    if (foreground)
        process_kill(foreground);
    else
        finish_line();
}

void console_input(char c)
{
    if (c == '\r')
        c = '\n';
    if (c == CTRL('C')) {
        interrupt();
    } else if (c == '\b' || c == 0x7f) {
        if (line_used) {
            line_used--;
            echo("\b \b");
        }
    } else if ((c >= ' ' || c == '\n' || c == '\t') && line_used < LINE_SIZE - (c != '\n')) {
        line[line_used++] = c;
        machine_console_write(&c, 1);
        if (c == '\n')
            finish_line();
    }
}

static long console_read(struct file *f, uintptr_t buffer, size_t size)
{
    size_t n = 0;

    (void)f;
    while (!ready_used) {
        int error = wait_for(ready, FOREVER);

        if (error)
            return error;
    }
    while (n < size && ready_used) {
        char c = ready[ready_start];

        if (copy_to_user(buffer + n, &c, 1))
            return -EFAULT;
        ready_start = (ready_start + 1) % sizeof(ready);
        ready_used--;
        n++;
        if (c == '\n')
            break;
    }
    return n;
}

static long console_write(struct file *f, uintptr_t buffer, size_t size)
{
    char part[128];

    (void)f;
    for (size_t done = 0; done < size;) {
        size_t n = MIN(size - done, sizeof(part));

        if (copy_from_user(part, buffer + done, n))
            return -EFAULT;
        machine_console_write(part, n);
        done += n;
    }
    return size;
}

const struct file_ops console_file_ops = {.read = console_read, .write = console_write};
