/* SPDX-License-Identifier: MIT */
/* The kernel as a guest: start, clock, console, end. */
#include "pv.h"

#define PANIC 255 /* status that the kernel ends with then */
#define TICK  (PV_SECOND / TICKS_PER_SECOND)

static uint64_t next_tick;

static void on_timer(unsigned port)
{
    uint64_t now = pv_time();

    (void)port;
    next_tick += TICK;
    if (next_tick < now)
        next_tick = now + TICK; /* the domain did not run for a while */
    pv_timer_set(next_tick);
    clock_tick();
}

static void on_console(unsigned port)
{
    char c;

    (void)port;
    while (pv_console_read(&c, 1))
        console_input(c);
}

static void interrupts_init(void)
{
    long port = pv_console_port();

    if (port >= 0) {
        pv_event_set(port, on_console);
        pv_event_unmask(port);
    }
    if (pv_timer_init(on_timer) < 0)
        pv_printf("minos: there is no timer, so programs are not preempted\n");
    next_tick = pv_time() + TICK;
    pv_timer_set(next_tick);
}

void pv_main(void)
{
    char batch[8];
    paddr_t end = pv_start_info->nr_pages << PAGE_SHIFT;

    if (pv_option("batch=", batch, sizeof(batch)))
        pv_lazy_enable(strcmp(batch, "off"));
    trap_init();
    paddr_t free = memory_init();
    mmu_init();
    kernel_main(free, MIN(end, MEMORY_MAX), (const char *)pv_start_info->cmd_line);
}

void machine_devices(void)
{
    interrupts_init();
    devices_init();
}

uint64_t machine_time(void)
{
    return pv_time();
}

uint64_t machine_wall_time(void)
{
    return pv_wall_time() / NSEC_PER_SEC;
}

void machine_console_write(const char *s, size_t len)
{
    pv_write(s, len);
}

void machine_halt(int status)
{
    if (status == PANIC)
        pv_shutdown(SHUTDOWN_crash);
    pv_exit(status);
}

/* guest-lib's needs for memory are met as everybody's are. */
void *pv_page_alloc(void)
{
    paddr_t f = frame_alloc();

    return f ? phys_to_virt(f) : NULL;
}
