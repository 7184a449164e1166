/* SPDX-License-Identifier: MIT */
/* Start of the machine: what boot/ found out, and each part's init function in the order of boot/start.c. */
#ifndef HV_INIT_H
#define HV_INIT_H

#include <hv/types.h>

#define PARAVANE_VERSION "0.1"

struct boot_module {
    uint64_t start, size; /* machine addresses; kept out of the heap until boot_modules_release() */
    const char *args;     /* the word(s) after the file name */
};
#define E820_RAM      1
#define E820_RESERVED 2
struct e820_entry { /* layout as in XENMEM_machine_memory_map */
    uint64_t addr, size;
    uint32_t type;
} __packed;
#define E820_MAX 128

struct boot_info {
    char command_line[1024];
    unsigned module_count;
    struct boot_module module[2]; /* kernel, initrd */
    unsigned e820_count;
    struct e820_entry e820[E820_MAX]; /* sorted, no overlaps */
};
extern struct boot_info boot_info;

/* Options of the command line (boot/options.c); sizes in bytes, ~0 not given. */
enum spec_ctrl { SPEC_CTRL_AUTO, SPEC_CTRL_NO, SPEC_CTRL_YES };
struct options {
    uint64_t dom0_mem, dom0_mem_max;
    unsigned dom0_max_vcpus;
    unsigned com1_baud;
    enum spec_ctrl spec_ctrl; /* whether the processor is to forget between guests what it should not tell */
    bool noreboot;      /* after a panic or dom0's reboot: stop instead */
    bool audit;         /* debug builds: audit periodically */
    int loglvl, guest_loglvl; /* most verbose enum log_level that is printed */
};
extern struct options options;
void options_parse(const char *line);

void uart_init(void);          /* dev/uart.c; polled output, early; again after options_parse for the speed */
void uart_write(const char *s, size_t len);
void uart_irq_init(void);      /* input by interrupt: console_io read, VIRQ_CONSOLE */
void spec_ctrl_init(void);     /* x86/spec_ctrl.c; while the image can be written to */
void memory_init(void);        /* mm/map.c: hypervisor page tables, direct map, frame table, M2P; then the heap */
/* x86/cpu.c: makes CPU `id`'s window and percpu_of[id]; descriptor tables, SYSCALL, control registers, PAT. */
void cpu_init(unsigned id);
void acpi_init(void);          /* dev/acpi.c */
void apic_init(void);          /* dev/apic.c: local APIC of this CPU */
void ioapic_init(void);        /* dev/ioapic.c */
void time_init(void);          /* dev/time.c: TSC against PIT/HPET/PM timer */
void irq_init(void);           /* dev/irq.c */
/* x86/entry.S: leaves the boot stack. After sched_init_cpu(), with the idle vCPU's stack: only from then on is `current`
 * valid, so whatever uses it (refuse, preempt_point, page types, the dom0 builder) runs in fn. */
noreturn void run_on_stack(uint64_t stack_top, void (*fn)(void));
void domain_init(void);        /* dom/domain.c: dom_io and the like */
void dom0_build(void);         /* dom/build.c: panics with a sentence if there is no usable dom0 kernel */
void boot_modules_release(void); /* mm/map.c: modules' frames to the heap */

/* End of the machine. */
noreturn void machine_reboot(void);  /* dev/power.c */
noreturn void machine_poweroff(void);
noreturn void machine_halt(void);    /* a panic's end: QEMU exits (isa-debug-exit, else reset), real machines reboot or stop */

/* Device registers (mm/map.c): uncached mapping in the DEVICES_VA area; never undone. The same again for the same frames. */
volatile void *map_device(uint64_t maddr, uint64_t size);

/* Hypervisor mappings (mm/map.c) outside of the direct map. */
enum map_rights { MAP_RW, MAP_RO, MAP_RX };
void map_page(uint64_t va, mfn_t m, enum map_rights rights); /* one 4 KiB page; flushes it if it replaces another */
mfn_t unmap_page(uint64_t va); /* what was there; INVALID_MFN: nothing */
/* The hypervisor's own root: slots 256-271 filled in; template of every guest L4. */
extern uint64_t *hv_root;
extern uint64_t hv_root_maddr;

#endif
