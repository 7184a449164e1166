/* SPDX-License-Identifier: MIT */
/* Copies between guest and hypervisor memory, and other instructions, that survive a fault. */
#include <hv/layout.h>

#define ENTRY(name) .globl name; .type name, @function; .balign 16; name:
#define EXTABLE(from, to) .pushsection .extable, "a"; .long from - .; .long to - .; .popsection

    .section .text, "ax"

failed:
    xor %eax, %eax
    ret

/* bool copy_raw(void *dst, const void *src, uint64_t len): false: a fault on the way */
ENTRY(copy_raw)
    mov %rdx, %rcx
    shr $3, %rcx
1:  rep movsq
    mov %edx, %ecx
    and $7, %ecx
    jnz 2f
    mov $1, %eax
    ret
2:  rep movsb
    mov $1, %eax
    ret
    EXTABLE(1b, failed)
    EXTABLE(2b, failed)

/* bool clear_raw(void *dst, uint64_t len) */
ENTRY(clear_raw)
    mov %rsi, %rcx
    xor %eax, %eax
1:  rep stosb
    mov $1, %eax
    ret
    EXTABLE(1b, failed)

/* bool wrmsr_safe(uint32_t msr, uint64_t v) */
ENTRY(wrmsr_safe)
    mov %edi, %ecx
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  wrmsr
    mov $1, %eax
    ret
    EXTABLE(1b, failed)

/* bool xrstor_safe(const void *area, uint64_t mask); bool fxrstor_safe(const void *area) */
ENTRY(xrstor_safe)
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  xrstor64 (%rdi)
    mov $1, %eax
    ret
    EXTABLE(1b, failed)
ENTRY(fxrstor_safe)
1:  fxrstor64 (%rdi)
    mov $1, %eax
    ret
    EXTABLE(1b, failed)

/* bool load_ds(unsigned sel) and the like: false: the selector is bad, and NUL was loaded instead */
.macro segment_loader name, reg
ENTRY(\name)
1:  mov %edi, %\reg
    mov $1, %eax
    ret
9:  xor %eax, %eax
    mov %eax, %\reg
    ret
    EXTABLE(1b, 9b)
.endm
segment_loader load_ds, ds
segment_loader load_es, es
segment_loader load_fs, fs
segment_loader load_gs, gs

/* bool load_user_gs(unsigned sel): the GS that is behind swapgs */
ENTRY(load_user_gs)
    swapgs
1:  mov %edi, %gs
    mov $1, %eax
    swapgs
    ret
9:  xor %eax, %eax
    mov %eax, %gs
    swapgs
    ret
    EXTABLE(1b, 9b)

    .section .note.GNU-stack, "", @progbits
