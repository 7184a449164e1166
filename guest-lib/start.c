/* SPDX-License-Identifier: MIT */
/* From the domain builder's state to pv_main, and out again. */
#include <pvguest/console.h>
#include <pvguest/hypercall.h>
#include <pvguest/mm.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

void pv_start(struct start_info *info);

struct pv_boot_regs pv_boot_regs;
struct start_info *pv_start_info;
struct shared_info *pv_shared_info;
struct vcpu_info *pv_vcpu_info;

static uint8_t shared_info_page[PAGE_SIZE] pv_aligned(4096);

/* The page behind this address becomes the shared page; its own frame stays ours, unmapped. */
static void map_shared_info(void)
{
    uint64_t va = (uint64_t)shared_info_page;

    if (pv_update_va_mapping(va, pv_start_info->shared_info | PTE_KERNEL, UVMF_INVLPG)) {
        pv_printf("pvguest: shared_info cannot be mapped\n");
        pv_shutdown(SHUTDOWN_crash);
    }
    pv_shared_info = (struct shared_info *)va;
    pv_vcpu_info = &pv_shared_info->vcpu_info[0];
}

bool pv_option(const char *name, char *buf, size_t size)
{
    const char *s = (const char *)pv_start_info->cmd_line;
    size_t len = strlen(name);

    while (*s) {
        while (*s == ' ')
            s++;
        if (!memcmp(s, name, len)) {
            size_t i = 0;

            for (s += len; *s && *s != ' ' && i + 1 < size; s++)
                buf[i++] = *s;
            buf[i] = 0;
            return true;
        }
        while (*s && *s != ' ')
            s++;
    }
    return false;
}

void pv_shutdown(unsigned reason)
{
    struct sched_shutdown op = {.reason = reason};

    for (;;)
        pv_sched_op(SCHEDOP_shutdown, &op);
}

void pv_start(struct start_info *info)
{
    char end[8];

    pv_start_info = info;
    pv_mm_init();
    map_shared_info();
    pv_trap_init();
    pv_main();
    if (pv_option("end=", end, sizeof(end)) && !strcmp(end, "reboot"))
        pv_shutdown(SHUTDOWN_reboot);
    pv_shutdown(SHUTDOWN_poweroff);
}
