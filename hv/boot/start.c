/* SPDX-License-Identifier: MIT */
/* The order in which the machine comes up. */
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/print.h>
#include "../x86/msr_policy.h"
#include "boot.h"

/* On the boot CPU's idle vCPU. */
noreturn static void start_devices(void)
{
    acpi_init();
    irq_init();
    apic_init();
    ioapic_init();
    time_init();
    uart_irq_init();
    dom0_build();
    boot_modules_release();
#ifdef PARAVANE_DEBUG
    if (options.audit)
        audit_start();
#endif
    idle_loop();
}

void start_hv(uint32_t magic, uint32_t info_maddr)
{
    uart_init();
    multiboot_read(magic, info_maddr);
    options_parse(boot_info.command_line);
    uart_init();
    cpuid_host_init();
    spec_ctrl_init();
    memory_init();
    printk(LOG_INFO, "Paravane " PARAVANE_VERSION ", %lu frames of memory, %lu of them free",
           heap_total_frames(), heap_free_frames());
    msr_host_init();
    cpu_init(0);
    domain_init();
    sched_init_cpu(percpu_of[0]);
    run_on_stack(percpu_of[0]->idle->stack_top, start_devices);
}
