/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_platform_op(arg): the machine, for the hardware domain: clock, firmware, sleep, CPUs.
 * Operations that the hypervisor only refuses have a number here and no structure. */
#ifndef PVABI_PLATFORM_H
#define PVABI_PLATFORM_H

#include <pvabi/base.h>

#define XENPF_INTERFACE_VERSION 0x03000001

#define XENPF_settime32            17
#define XENPF_add_memtype          31
#define XENPF_del_memtype          32
#define XENPF_read_memtype         33
#define XENPF_microcode_update     35
#define XENPF_platform_quirk       39
#define XENPF_get_cpu_version      48
#define XENPF_efi_runtime_call     49
#define XENPF_firmware_info        50
#define XENPF_enter_acpi_sleep     51
#define XENPF_change_freq          52
#define XENPF_getidletime          53
#define XENPF_set_processor_pminfo 54
#define XENPF_get_cpuinfo          55
#define XENPF_cpu_online           56
#define XENPF_cpu_offline          57
#define XENPF_cpu_hotadd           58
#define XENPF_mem_hotadd           59
#define XENPF_core_parking         60
#define XENPF_resource_op          61
#define XENPF_settime64            62
#define XENPF_get_symbol           63

/* Wall clock at system_time (ns). */
struct xenpf_settime32 {
    uint32_t secs;
    uint32_t nsecs;
    uint64_t system_time;
};
PVABI_SIZE(struct xenpf_settime32, 16);

struct xenpf_settime64 {
    uint64_t secs;
    uint32_t nsecs;
    uint32_t mbz;
    uint64_t system_time;
};
PVABI_SIZE(struct xenpf_settime64, 24);

struct xenpf_add_memtype {
    xen_pfn_t mfn;
    uint64_t nr_mfns;
    uint32_t type;
    uint32_t handle, reg; /* out */
};
PVABI_SIZE(struct xenpf_add_memtype, 32);

struct xenpf_del_memtype {
    uint32_t handle;
    uint32_t reg;
};
PVABI_SIZE(struct xenpf_del_memtype, 8);

/* A variable-range MTRR. */
struct xenpf_read_memtype {
    uint32_t reg;
    /* out */
    xen_pfn_t mfn;
    uint64_t nr_mfns;
    uint32_t type;
};
PVABI_SIZE(struct xenpf_read_memtype, 32);
PVABI_AT(struct xenpf_read_memtype, type, 24);

#define XEN_FW_DISK_INFO            1
#define XEN_FW_DISK_MBR_SIGNATURE   2
#define XEN_FW_VBEDDC_INFO          3
#define XEN_FW_EFI_INFO             4
#define XEN_FW_KBD_SHIFT_FLAGS      5
#define XEN_FW_EFI_VERSION          0
#define XEN_FW_EFI_CONFIG_TABLE     1
#define XEN_FW_EFI_VENDOR           2
#define XEN_FW_EFI_MEM_INFO         3
#define XEN_FW_EFI_RT_VERSION       4
#define XEN_FW_EFI_PCI_ROM          5
#define XEN_FW_EFI_APPLE_PROPERTIES 6

struct xenpf_firmware_info {
    uint32_t type;  /* XEN_FW_*: selects the member of u */
    uint32_t index; /* number of the disk, or XEN_FW_EFI_* */
    union {
        struct {
            uint8_t device;
            uint8_t version;
            uint16_t interface_support;
            uint16_t legacy_max_cylinder;
            uint8_t legacy_max_head;
            uint8_t legacy_sectors_per_track;
            xen_guest_ptr_t edd_params; /* in: first uint16_t of the buffer is its size */
        } disk_info;
        struct {
            uint8_t device;
            uint32_t mbr_signature;
        } disk_mbr_signature;
        struct {
            uint8_t capabilities;
            uint8_t edid_transfer_time;
            xen_guest_ptr_t edid; /* 128 bytes, filled in */
        } vbeddc_info;
        union xenpf_efi_info {
            uint32_t version;
            struct {
                uint64_t addr;
                uint32_t nent;
            } cfg;
            struct {
                uint32_t revision;
                uint32_t bufsz;       /* in: bytes */
                xen_guest_ptr_t name; /* UTF-16 */
            } vendor;
            struct {
                uint64_t addr; /* in; out: the range around it */
                uint64_t size;
                uint64_t attr;
                uint32_t type;
            } mem;
            struct {
                uint16_t segment;
                uint8_t bus;
                uint8_t devfn;
                uint16_t vendor;
                uint16_t devid;
                uint64_t address; /* out */
                xen_ulong_t size; /* out */
            } pci_rom;
            struct {
                uint64_t address;
                xen_ulong_t size;
            } apple_properties;
        } efi_info;
        uint8_t kbd_shift_flags;
    } u;
};
PVABI_SIZE(struct xenpf_firmware_info, 40);
PVABI_AT(struct xenpf_firmware_info, u, 8);
PVABI_AT(struct xenpf_firmware_info, u.disk_info.edd_params, 16);

#define XENPF_ACPI_SLEEP_EXTENDED 1 /* hardware-reduced: val_a and val_b are sleep types */

struct xenpf_enter_acpi_sleep {
    uint16_t val_a;       /* for PM1a control */
    uint16_t val_b;       /* for PM1b control */
    uint32_t sleep_state; /* n of Sn */
    uint32_t flags;
};
PVABI_SIZE(struct xenpf_enter_acpi_sleep, 12);

struct xenpf_getidletime {
    xen_guest_ptr_t cpumap_bitmap; /* in: wanted; out: present */
    uint32_t cpumap_nr_cpus;
    xen_guest_ptr_t idletime; /* of uint64_t ns, indexed by CPU */
    uint64_t now;             /* out: system time */
};
PVABI_SIZE(struct xenpf_getidletime, 32);
PVABI_AT(struct xenpf_getidletime, now, 24);

/* Kinds of table that XENPF_set_processor_pminfo uploads. */
#define XEN_PROCESSOR_PM_CX 1
#define XEN_PROCESSOR_PM_PX 2
#define XEN_PROCESSOR_PM_TX 4
#define XEN_PM_CX           0
#define XEN_PM_PX           1
#define XEN_PM_TX           2
#define XEN_PM_PDC          3

#define XEN_PCPU_FLAGS_ONLINE  1
#define XEN_PCPU_FLAGS_INVALID 2 /* there is no such CPU */

struct xenpf_pcpuinfo {
    uint32_t xen_cpuid;
    /* out */
    uint32_t max_present; /* highest number of a CPU */
    uint32_t flags;       /* XEN_PCPU_FLAGS_* */
    uint32_t apic_id;
    uint32_t acpi_id;
};
PVABI_SIZE(struct xenpf_pcpuinfo, 20);

struct xenpf_pcpu_version {
    uint32_t xen_cpuid;
    /* out */
    uint32_t max_present;
    char vendor_id[12];
    uint32_t family;
    uint32_t model;
    uint32_t stepping;
};
PVABI_SIZE(struct xenpf_pcpu_version, 32);

struct xenpf_cpu_ol {
    uint32_t cpuid;
};
PVABI_SIZE(struct xenpf_cpu_ol, 4);

struct xenpf_symdata {
    uint32_t namelen; /* in: room; out: length */
    uint32_t symnum;  /* in: which; out: the next, the same at the end */
    /* out */
    xen_guest_ptr_t name;
    uint64_t address;
    char type;
};
PVABI_SIZE(struct xenpf_symdata, 32);

struct xen_platform_op {
    uint32_t cmd;
    uint32_t interface_version;
    union {
        struct xenpf_settime32 settime32;
        struct xenpf_settime64 settime64;
        struct xenpf_add_memtype add_memtype;
        struct xenpf_del_memtype del_memtype;
        struct xenpf_read_memtype read_memtype;
        struct xenpf_firmware_info firmware_info;
        struct xenpf_enter_acpi_sleep enter_acpi_sleep;
        struct xenpf_getidletime getidletime;
        struct xenpf_pcpuinfo pcpu_info;
        struct xenpf_pcpu_version pcpu_version;
        struct xenpf_cpu_ol cpu_ol;
        struct xenpf_symdata symdata;
        uint8_t pad[128];
    } u;
};
PVABI_SIZE(struct xen_platform_op, 136);
PVABI_AT(struct xen_platform_op, u, 8);

#endif
