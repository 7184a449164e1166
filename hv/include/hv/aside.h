/* SPDX-License-Identifier: MIT */
/* Calls off the common path. Such a call keeps all registers but RAX (x86/aside.S), so that the
 * common path around it has none to save: for the compiler it is one odd instruction. Arguments are
 * integers and pointers, the result is an int (void functions': nothing). */
#ifndef HV_ASIDE_H
#define HV_ASIDE_H

#include <hv/types.h>

#ifdef PARAVANE_HOST
#define aside0(fn)                fn()
#define aside1(fn, a)             fn(a)
#define aside2(fn, a, b)          fn(a, b)
#define aside3(fn, a, b, c)       fn(a, b, c)
#define aside5(fn, a, b, c, d, e) fn(a, b, c, d, e)
#else
/* The call that is never made has the types checked. */
#define ASIDE(fn, call, ...)                                                                       \
    ({                                                                                             \
        int rax_;                                                                                  \
        if (0)                                                                                     \
            (void)(call);                                                                          \
        __asm__ volatile("lea %c1(%%rip), %%rax\n\tcall aside"                                     \
                         : "=&a"(rax_)                                                             \
                         : "i"(fn)__VA_ARGS__                                                      \
                         : "memory", "cc");                                                        \
        rax_;                                                                                      \
    })
#define aside0(fn)          ASIDE(fn, fn(), /**/)
#define aside1(fn, a)       ASIDE(fn, fn(a), , "D"(a))
#define aside2(fn, a, b)    ASIDE(fn, fn(a, b), , "D"(a), "S"(b))
#define aside3(fn, a, b, c) ASIDE(fn, fn(a, b, c), , "D"(a), "S"(b), "d"(c))
#define aside5(fn, a, b, c, d, e)                                                                  \
    ({                                                                                             \
        register uint64_t r8_ __asm__("r8") = (uint64_t)(e);                                       \
        ASIDE(fn, fn(a, b, c, d, e), , "D"(a), "S"(b), "d"(c), "c"(d), "r"(r8_));                  \
    })
#endif

#endif
