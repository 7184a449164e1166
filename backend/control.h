/* SPDX-License-Identifier: MIT */
/* The control socket: whoever connects gets the counters as JSON. */
#ifndef BACKEND_CONTROL_H
#define BACKEND_CONTROL_H

#include <stdbool.h>

bool control_listen(const char *path);
void control_close(const char *path);
/* The other end: prints what a running daemon says. */
bool control_ask(const char *path);

#endif
