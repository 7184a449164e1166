/* SPDX-License-Identifier: MIT */
/* Things to do between two waits for events: event callbacks only schedule them, one pass runs each
 * once, and what has more to do goes to the end of the line. So no ring keeps others waiting. */
#ifndef BACKEND_WORK_H
#define BACKEND_WORK_H

#include <stdbool.h>

struct work {
    bool (*run)(struct work *work); /* true: again, after all others */
    struct work *next, *prev;       /* NULL: not scheduled */
};

void work_schedule(struct work *work);
void work_cancel(struct work *work);
void work_pass(void);
bool work_waits(void);

#endif
