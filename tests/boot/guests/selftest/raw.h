/* SPDX-License-Identifier: MIT */
/* What raw.S records of a bounce: the frame, and the state in which the handler began. */
#ifndef RAW_H
#define RAW_H

#include <pvguest/types.h>

extern uint8_t raw_entry[];
extern uint64_t raw_rsp, raw_flags, raw_cs, raw_ss, raw_mask, raw_frame[11];
extern uint64_t raw_continue; /* address of the stub to go on with */
extern const uint64_t pv_trap_stubs[];

/* Routes a vector through raw_entry; pv_trap_init() undoes it. */
void raw_install(unsigned vector, unsigned gate_flags);

#endif
