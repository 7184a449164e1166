/* SPDX-License-Identifier: MIT */
/* The line of scheduled work, a ring with a head. */
#include <stddef.h>

#include "work.h"

static struct work line = {NULL, &line, &line};

void work_schedule(struct work *work)
{
    if (work->next)
        return;
    work->next = &line;
    work->prev = line.prev;
    line.prev->next = work;
    line.prev = work;
}

void work_cancel(struct work *work)
{
    if (!work->next)
        return;
    work->next->prev = work->prev;
    work->prev->next = work->next;
    work->next = work->prev = NULL;
}

bool work_waits(void)
{
    return line.next != &line;
}

void work_pass(void)
{
    struct work end = {NULL, NULL, NULL};

    work_schedule(&end);
    while (line.next != &end) {
        struct work *work = line.next;

        work_cancel(work);
        if (work->run(work))
            work_schedule(work);
    }
    work_cancel(&end);
}
