/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_console_io: the serial line for guests; and vm_assist, whose switches are as small. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/dev.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/print.h>
#include <pvabi/xen.h>

#define PIECE 128

/* The hardware domain owns the line as far as we do not talk ourselves. */
static long write_raw(uint64_t count, uint64_t buf)
{
    char piece[PIECE];

    while (count) {
        uint64_t n = MIN(count, sizeof(piece));

        if (copy_from_guest(piece, buf, n))
            return -XEN_EFAULT;
        uart_write(piece, n);
        buf += n;
        count -= n;
        preempt_point();
    }
    return 0;
}

/* Others' lines go to the log, marked and limited like all that they can cause. A line is what one
 * call writes, cut at newlines and at the piece's size. */
static long write_lines(uint64_t count, uint64_t buf)
{
    char piece[PIECE];

    if (options.guest_loglvl < LOG_INFO)
        return -XEN_EPERM;
    while (count) {
        uint64_t n = MIN(count, sizeof(piece)), len = 0;

        if (copy_from_guest(piece, buf, n))
            return -XEN_EFAULT;
        while (len < n && piece[len] != '\n')
            len++;
        for (uint64_t i = 0; i < len; i++)
            piece[i] = piece[i] < ' ' || piece[i] > '~' ? ' ' : piece[i];
        if (len)
            guest_log(current->domain, LOG_INFO, "%.*s", (int)len, piece);
        len += len < n;
        buf += len;
        count -= len;
        preempt_point();
    }
    return 0;
}

static long console_read(uint64_t count, uint64_t buf)
{
    char piece[PIECE];
    size_t n = uart_read(piece, MIN(count, sizeof(piece)));

    return copy_to_guest(buf, piece, n) ? -XEN_EFAULT : (long)n;
}

long do_console_io(uint64_t cmd, uint64_t count, uint64_t buf)
{
    bool hardware = current->domain->is_hardware;

    count = (uint32_t)count; /* an int in the interface */
    switch (cmd) {
    case CONSOLEIO_write:
        return hardware ? write_raw(count, buf) : write_lines(count, buf);
    case CONSOLEIO_read:
        return hardware ? console_read(count, buf) : -XEN_EPERM;
    default:
        return -XEN_ENOSYS;
    }
}

/* Some switches ask for what a 64-bit guest has anyway, or cannot have; switching them is no
 * offence. */
#define ASSISTS                                                                                    \
    (1ull << VMASST_TYPE_4gb_segments | 1ull << VMASST_TYPE_4gb_segments_notify |                  \
     1ull << VMASST_TYPE_writable_pagetables | 1ull << VMASST_TYPE_pae_extended_cr3 |              \
     1ull << VMASST_TYPE_runstate_update_flag)

long do_vm_assist(uint64_t cmd, uint64_t type)
{
    struct domain *d = current->domain;

    if (type >= 64 || !(ASSISTS >> type & 1))
        return -XEN_EINVAL;
    if (cmd == VMASST_CMD_enable)
        __atomic_fetch_or(&d->vm_assist, 1u << type, __ATOMIC_RELAXED);
    else if (cmd == VMASST_CMD_disable)
        __atomic_fetch_and(&d->vm_assist, ~(1u << type), __ATOMIC_RELAXED);
    else
        return -XEN_ENOSYS;
    return 0;
}
