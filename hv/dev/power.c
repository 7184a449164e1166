/* SPDX-License-Identifier: MIT */
/* The ends of the machine. Each tries what works best first, and what must work at the end. */
#include <hv/dev.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <hv/x86.h>

#include "acpi.h"

#define PM1_SLEEP_TYPE   0x1c00u
#define PM1_TYPE(t)      ((uint16_t)(((t)&7) << 10))
#define PM1_SLEEP_ENABLE 0x2000u

#define RESET_CONTROL      0xcf9 /* of the chipset */
#define RESET_HARD         0x02
#define RESET_GO           0x0e /* a power cycle where there is one, else a hard reset */
#define KEYBOARD_COMMAND   0x64
#define KEYBOARD_PULSE_CPU 0xfe
#define DEBUG_EXIT         0xf4 /* QEMU's isa-debug-exit: ends it with status 2 n + 1 */
enum { EXIT_POWEROFF = 0, EXIT_HALT = 1 };

#define PATIENCE_TICKS                                                                             \
    (1ull << 30) /* of the TSC: about a second. Machines take some time to go off */

static bool sleep_types_known;
static uint16_t sleep_type[2]; /* of S5, for PM1a and PM1b */

void power_sleep_values(uint16_t pm1a_control, uint16_t pm1b_control)
{
    sleep_type[0] = pm1a_control & PM1_SLEEP_TYPE;
    sleep_type[1] = pm1b_control & PM1_SLEEP_TYPE;
    sleep_types_known = true;
}

static void wait(void)
{
    uint64_t start = rdtsc();

    while (rdtsc() - start < PATIENCE_TICKS)
        cpu_pause();
}

static noreturn void stop(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static void enter_sleep(uint16_t port, uint16_t type)
{
    uint16_t control;

    if (!port)
        return;
    control = (in16(port) & (uint16_t) ~(PM1_SLEEP_TYPE | PM1_SLEEP_ENABLE)) | type;
    out16(port, control);
    out16(port, control | PM1_SLEEP_ENABLE);
}

noreturn void machine_poweroff(void)
{
    uint8_t type[2];

    irq_disable();
#ifdef PARAVANE_DEBUG
    printk(LOG_INFO, "audit: %lu passes, nothing wrong", audit_passes());
#endif
    if (!sleep_types_known && acpi_find_s5(type))
        power_sleep_values(PM1_TYPE(type[0]), PM1_TYPE(type[1]));
    if (sleep_types_known) {
        enter_sleep(acpi.pm1a_control, sleep_type[0]);
        enter_sleep(acpi.pm1b_control, sleep_type[1]);
        wait();
    }
    printk(LOG_WARN, "the machine cannot be powered off by ACPI: it may be switched off now");
    out8(DEBUG_EXIT, EXIT_POWEROFF);
    stop();
}

static void acpi_reset(void)
{
    volatile uint8_t *reg;

    if (acpi.reset.space == ACPI_SPACE_IO) {
        out8((uint16_t)acpi.reset.maddr, acpi.reset_value);
    } else {
        reg = (volatile uint8_t *)map_device(acpi.reset.maddr, 1);
        if (reg)
            *reg = acpi.reset_value;
    }
}

static void triple_fault(void)
{
    static const char no_idt[10];

    __asm__ volatile("lidt %0\n\tint3" ::"m"(no_idt));
}

static noreturn void reset(void)
{
    if (acpi.reset.maddr)
        acpi_reset();
    out8(RESET_CONTROL, RESET_HARD);
    out8(RESET_CONTROL, RESET_GO);
    out8(KEYBOARD_COMMAND, KEYBOARD_PULSE_CPU);
    wait();
    triple_fault();
    stop();
}

noreturn void machine_reboot(void)
{
    irq_disable();
    reset();
}

noreturn void machine_halt(void)
{
    irq_disable();
    out8(DEBUG_EXIT, EXIT_HALT);
    if (options.noreboot)
        stop();
    reset();
}
