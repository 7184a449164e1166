/* SPDX-License-Identifier: MIT */
/* The event loop that devices hang their descriptors into. */
#ifndef BACKEND_LOOP_H
#define BACKEND_LOOP_H

#include <event2/event.h>

extern struct event_base *loop_base;

#endif
