/* SPDX-License-Identifier: MIT */
/* From the boot loader's information to the kernel, and the machine's end. */
#include "native.h"
#include "../kernel/lib.h"

#define HAS_MEMORY       1
#define HAS_COMMAND_LINE 4
#define DEBUG_EXIT       0xf4  /* QEMU's isa-debug-exit: its status becomes 2 * value + 1 */
#define ACPI_POWER       0x604 /* PM1a control of QEMU's PC machines */

struct multiboot {
    uint32_t flags, memory_low, memory_high; /* KiB, the latter from 1 MiB on */
    uint32_t boot_device, command_line;
};

extern uint8_t image_end[];
void native_start(uint32_t information);

void native_start(uint32_t information)
{
    const struct multiboot *m = phys_to_virt(information);
    static char line[256];
    paddr_t end = 0x100000 + ((paddr_t)m->memory_high << 10);

    if (m->flags & HAS_COMMAND_LINE)
        string_copy(line, phys_to_virt(m->command_line), sizeof(line));
    irq_init();
    uart_init();
    cpu_init();
    clock_init();
    if (!(m->flags & HAS_MEMORY))
        panic("the boot loader does not say how much memory there is");
    kernel_main(ROUND_UP(virt_to_phys(image_end), PAGE_SIZE), MIN(end, MEMORY_MAX), line);
}

void machine_devices(void)
{
    virtio_block_init();
    virtio_net_init();
}

void machine_halt(int status)
{
    out8(DEBUG_EXIT, status);
    out16(ACPI_POWER, 0x2000);
    for (;;)
        __asm__ volatile("cli; hlt");
}
