/* SPDX-License-Identifier: MIT */
/* crash read|write|exec|kernel|privileged: does what a program must not; the kernel ends it. */
#include "../lib.h"

static const char constant = 1;

int main(int argc, char **argv)
{
    char how = argc > 1 ? argv[1][0] : 'r';

    if (how == 'r')
        __asm__ volatile("movb 8, %%al" ::: "rax");
    else if (how == 'w')
        *(volatile char *)&constant = 2;
    else if (how == 'e')
        ((void (*)(void))argv)();
    else if (how == 'k')
        __asm__ volatile("movb $1, 0xffffffff80100000" ::: "memory");
    else if (how == 'p')
        __asm__ volatile("hlt");
    return 0;
}
