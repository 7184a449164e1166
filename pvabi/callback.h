/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_callback_op(cmd, arg): the kernel's entry points beside the trap table. */
#ifndef PVABI_CALLBACK_H
#define PVABI_CALLBACK_H

#include <pvabi/base.h>

#define CALLBACKTYPE_event               0
#define CALLBACKTYPE_failsafe            1 /* a segment register or the return itself faulted */
#define CALLBACKTYPE_syscall             2 /* SYSCALL by 64-bit user code */
#define CALLBACKTYPE_sysenter_deprecated 3
#define CALLBACKTYPE_nmi                 4
#define CALLBACKTYPE_sysenter            5
#define CALLBACKTYPE_syscall32           7 /* SYSCALL by 32-bit user code */

#define CALLBACKF_mask_events (1u << 0) /* entry sets evtchn_upcall_mask */

#define CALLBACKOP_register   0
#define CALLBACKOP_unregister 1

struct callback_register {
    uint16_t type;
    uint16_t flags;
    xen_callback_t address;
};
PVABI_SIZE(struct callback_register, 16);
PVABI_AT(struct callback_register, address, 8);

struct callback_unregister {
    uint16_t type;
    uint16_t _unused;
};
PVABI_SIZE(struct callback_unregister, 4);

#endif
