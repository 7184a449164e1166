/* SPDX-License-Identifier: MIT */
/* Pages that hypervisor and guest share: shared_info, and start_info at boot. */
#ifndef PVABI_SHARED_H
#define PVABI_SHARED_H

#include <pvabi/arch.h>

/* Time of one virtual CPU. An odd version, or one that changed, makes the reader try again. With
 * ticks = tsc - tsc_timestamp, shifted left by tsc_shift (right if that is negative), the time is
 * system_time + ticks * tsc_to_system_mul / 2^32. */
struct vcpu_time_info {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time; /* ns since boot at tsc_timestamp */
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags; /* XEN_PVCLOCK_* */
    uint8_t pad1[2];
};
PVABI_SIZE(struct vcpu_time_info, 32);
PVABI_AT(struct vcpu_time_info, tsc_timestamp, 8);
PVABI_AT(struct vcpu_time_info, tsc_to_system_mul, 24);
PVABI_AT(struct vcpu_time_info, flags, 29);

#define XEN_PVCLOCK_TSC_STABLE_BIT                                                                 \
    (1 << 0) /* same parameters on all CPUs: readings compare across them */
#define XEN_PVCLOCK_GUEST_STOPPED (1 << 1) /* time jumped while the guest did not run */

struct vcpu_info {
    uint8_t evtchn_upcall_pending;  /* some event waits */
    uint8_t evtchn_upcall_mask;     /* nonzero: no upcall, the virtual interrupt flag inverted */
    xen_ulong_t evtchn_pending_sel; /* words of evtchn_pending to look at */
    struct arch_vcpu_info arch;
    struct vcpu_time_info time;
};
PVABI_SIZE(struct vcpu_info, 64);
PVABI_AT(struct vcpu_info, evtchn_upcall_mask, 1);
PVABI_AT(struct vcpu_info, evtchn_pending_sel, 8);
PVABI_AT(struct vcpu_info, arch, 16);
PVABI_AT(struct vcpu_info, time, 32);

struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    xen_ulong_t evtchn_pending[64];
    xen_ulong_t evtchn_mask[64];
    /* Wall clock at system time 0; the version works as in vcpu_time_info. */
    uint32_t wc_version;
    uint32_t wc_sec;
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};
PVABI_SIZE(struct shared_info, 3136);
PVABI_AT(struct shared_info, evtchn_pending, 2048);
PVABI_AT(struct shared_info, evtchn_mask, 2560);
PVABI_AT(struct shared_info, wc_version, 3072);
PVABI_AT(struct shared_info, arch, 3088);

#define MAX_GUEST_CMDLINE 1024

/* Given in RSI to the first virtual CPU. */
struct start_info {
    char magic[32]; /* "xen-MAJOR.MINOR-x86_64" */
    uint64_t nr_pages;
    uint64_t shared_info; /* machine address */
    uint32_t flags;       /* SIF_* */
    xen_pfn_t store_mfn;  /* store ring's frame */
    uint32_t store_evtchn;
    union {
        struct {
            xen_pfn_t mfn;
            uint32_t evtchn;
        } domU;
        struct {
            uint32_t info_off; /* of dom0_vga_console_info, from the start of this structure */
            uint32_t info_size;
        } dom0;
    } console;
    /* From here on: at first boot only, not after resume. */
    uint64_t pt_base; /* virtual address of the root table */
    uint64_t nr_pt_frames;
    uint64_t mfn_list;  /* virtual address of the initial P2M */
    uint64_t mod_start; /* virtual address of the module, or its PFN with SIF_MOD_START_PFN */
    uint64_t mod_len;   /* bytes */
    int8_t cmd_line[MAX_GUEST_CMDLINE];
    uint64_t first_p2m_pfn; /* with XEN_ELFNOTE_INIT_P2M: frames of P2M and its tables */
    uint64_t nr_p2m_frames;
};
PVABI_SIZE(struct start_info, 1168);
PVABI_AT(struct start_info, nr_pages, 32);
PVABI_AT(struct start_info, flags, 48);
PVABI_AT(struct start_info, store_evtchn, 64);
PVABI_AT(struct start_info, console, 72);
PVABI_AT(struct start_info, console.domU.evtchn, 80);
PVABI_AT(struct start_info, pt_base, 88);
PVABI_AT(struct start_info, cmd_line, 128);
PVABI_AT(struct start_info, first_p2m_pfn, 1152);

#define SIF_PRIVILEGED      (1 << 0) /* may make control calls */
#define SIF_INITDOMAIN      (1 << 1) /* the first domain, with the hardware */
#define SIF_MULTIBOOT_MOD   (1 << 2) /* mod_start is a list of xen_multiboot_mod_list */
#define SIF_MOD_START_PFN   (1 << 3)
#define SIF_VIRT_P2M_4TOOLS (1 << 4) /* tools understand p2m_vaddr: no frame lists needed */
#define SIF_PM_MASK         0xff00   /* who manages power */

/* One module; addresses count from mod_start of start_info. mod_start 0 ends the list. */
struct xen_multiboot_mod_list {
    uint32_t mod_start;
    uint32_t mod_end; /* its last byte */
    uint32_t cmdline;
    uint32_t pad;
};
PVABI_SIZE(struct xen_multiboot_mod_list, 16);

#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB    0x23
#define XEN_VGATYPE_EFI_LFB     0x70

/* The screen as the boot loader left it. */
struct dom0_vga_console_info {
    uint8_t video_type; /* XEN_VGATYPE_* */
    union {
        struct {
            uint16_t font_height; /* pixels */
            uint16_t cursor_x, cursor_y;
            uint16_t rows, columns;
        } text_mode_3;
        struct {
            uint16_t width, height;
            uint16_t bytes_per_line;
            uint16_t bits_per_pixel;
            uint32_t lfb_base; /* low half of the physical address */
            uint32_t lfb_size; /* units of 64 KiB */
            uint8_t red_pos, red_size;
            uint8_t green_pos, green_size;
            uint8_t blue_pos, blue_size;
            uint8_t rsvd_pos, rsvd_size;
            uint32_t gbl_caps;   /* VBE capabilities */
            uint16_t mode_attrs; /* VBE mode attributes */
            uint16_t pad;
            uint32_t ext_lfb_base; /* high half of the physical address */
        } vesa_lfb;
    } u;
};
PVABI_SIZE(struct dom0_vga_console_info, 40);
PVABI_AT(struct dom0_vga_console_info, u, 4);
PVABI_AT(struct dom0_vga_console_info, u.vesa_lfb.ext_lfb_base, 36);

#endif
