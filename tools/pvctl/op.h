/* SPDX-License-Identifier: MIT */
/* Our own control operation. */
#ifndef PVCTL_OP_H
#define PVCTL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pvabi/paravane.h>

/* The operation's argument, in memory that the hypervisor can always reach: zero but for these two.
 * There is one. */
struct paravane_op *op_prepare(uint32_t cmd, uint32_t domain);
/* Makes the call: 0, or -1 and errno. ENOSYS: this is not our hypervisor. */
int op_call(void);
/* Memory of that kind for the data of trace_read. */
void *op_buffer(size_t bytes);

const char *hypercall_name(unsigned number); /* "hypercall 57" of what has no name */

#endif
