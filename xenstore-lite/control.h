/* SPDX-License-Identifier: MIT */
/* Control commands that concern the process and not the store. */
#ifndef XSL_CONTROL_H
#define XSL_CONTROL_H

/* Asks for the daemon to go on in a new program image; NULL: it cannot. */
extern void (*control_restart)(void);

#endif
