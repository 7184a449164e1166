/* SPDX-License-Identifier: MIT */
/* Copies of any size; see access.h. */
#include <hv/access.h>

bool copy_raw(void *dst, const void *src, uint64_t len);
bool clear_raw(void *dst, uint64_t len);

int copy_from_guest(void *dst, uint64_t src, uint64_t len)
{
    return guest_range_ok(src, len) && copy_raw(dst, (const void *)src, len) ? 0 : -XEN_EFAULT;
}

int copy_to_guest(uint64_t dst, const void *src, uint64_t len)
{
    return guest_range_ok(dst, len) && copy_raw((void *)dst, src, len) ? 0 : -XEN_EFAULT;
}

int clear_guest(uint64_t dst, uint64_t len)
{
    return guest_range_ok(dst, len) && clear_raw((void *)dst, len) ? 0 : -XEN_EFAULT;
}
