/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_nmi_op(cmd, arg), and arch_shared_info.nmi_reason. */
#ifndef PVABI_NMI_H
#define PVABI_NMI_H

#include <pvabi/base.h>

#define XEN_NMIREASON_io_error (1ul << 0)
#define XEN_NMIREASON_pci_serr (1ul << 1)
#define XEN_NMIREASON_unknown  (1ul << 2)

#define XENNMI_register_callback   0
#define XENNMI_unregister_callback 1

struct xennmi_callback {
    uint64_t handler_address;
    uint64_t pad;
};
PVABI_SIZE(struct xennmi_callback, 16);

#endif
