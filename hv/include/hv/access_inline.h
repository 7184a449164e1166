/* SPDX-License-Identifier: MIT */
/* Loads and stores that may fault, in line; included by access.h. An entry of .extable says: if the
 * instruction at the first address faults, go on at the second (both relative to their own place;
 * x86/trap.c looks them up). */
#ifndef HV_ACCESS_INLINE_H
#define HV_ACCESS_INLINE_H

#include <hv/types.h>

#define EXTABLE(from, to)                                                                          \
    ".pushsection .extable,\"a\"\n.long " from " - .\n.long " to " - .\n.popsection\n"

/* goto alone does not make one with outputs volatile. */
#define DEFINE_GUEST_ACCESS(bits, mov)                                                             \
    static always_inline bool guest_load##bits(uint##bits##_t *dst, uint64_t src)                  \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
                                                                                                   \
        __asm__ volatile goto("1: " mov " %1, %0\n" EXTABLE("1b", "%l2")                           \
                              : "=r"(v)                                                            \
                              : "m"(*(const volatile uint##bits##_t *)src)                         \
                              :                                                                    \
                              : fault);                                                            \
        *dst = v;                                                                                  \
        return true;                                                                               \
    fault:                                                                                         \
        return false;                                                                              \
    }                                                                                              \
    static always_inline bool guest_store##bits(uint64_t dst, uint##bits##_t v)                    \
    {                                                                                              \
        __asm__ volatile goto("1: " mov " %0, %1\n" EXTABLE("1b", "%l2")                           \
                              :                                                                    \
                              : "re"(v), "m"(*(volatile uint##bits##_t *)dst)                      \
                              : "memory"                                                           \
                              : fault);                                                            \
        return true;                                                                               \
    fault:                                                                                         \
        return false;                                                                              \
    }
DEFINE_GUEST_ACCESS(32, "movl")
DEFINE_GUEST_ACCESS(64, "movq")
#undef DEFINE_GUEST_ACCESS

static always_inline bool copy_words_raw(void *dst, const void *src, uint64_t words)
{
    __asm__ volatile goto("1: rep movsq\n" EXTABLE("1b", "%l[fault]")
                          : "+D"(dst), "+S"(src), "+c"(words)
                          :
                          : "memory"
                          : fault);
    return true;
fault:
    return false;
}
static always_inline bool guest_load_words(void *dst, uint64_t src, uint64_t words)
{
    return copy_words_raw(dst, (const void *)src, words);
}
static always_inline bool guest_store_words(uint64_t dst, const void *src, uint64_t words)
{
    return copy_words_raw((void *)dst, src, words);
}

#endif
