/* SPDX-License-Identifier: MIT */
/* Copies between the kernel and the current program, by the kernel's own mapping of each page. */
#include <minos/abi.h>
#include "lib.h"
#include "proc.h"

static int copy(uintptr_t user, char *kernel, size_t size, bool to_user)
{
    while (size) {
        size_t part = MIN(size, PAGE_SIZE - user % PAGE_SIZE);
        char *page = user < USER_END ? space_page(current->space, user, to_user) : NULL;

        if (!page)
            return -EFAULT;
        page += user % PAGE_SIZE;
        memcpy(to_user ? page : kernel, to_user ? kernel : page, part);
        user += part;
        kernel += part;
        size -= part;
    }
    return 0;
}

int copy_from_user(void *dst, uintptr_t src, size_t size)
{
    return copy(src, dst, size, false);
}

int copy_to_user(uintptr_t dst, const void *src, size_t size)
{
    return copy(dst, (char *)src, size, true);
}

int copy_string(char *dst, uintptr_t src, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (copy_from_user(&dst[i], src + i, 1))
            return -EFAULT;
        if (!dst[i])
            return i;
    }
    return -ENAMETOOLONG;
}
