/* SPDX-License-Identifier: MIT */
/* The first instructions: from the boot loader's 32-bit protected mode to start_hv() in long mode at
 * the image's own address. The page tables made here, of the first 4 GiB, serve until memory_init(). */
#include <hv/layout.h>

#define PHYS(sym) ((sym) - IMAGE_VA)

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 0x00010003 /* modules page-aligned, memory map, load addresses in the header */

    .section .boot.header, "a"
    .balign 4
header:
    .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)
    .long header, loaded_start, PHYS(loaded_end), PHYS(image_end), start32

    .section .boot, "ax"
    .code32
    .globl start32
start32:
    cli
    cld
    mov %eax, %ebp
    mov %ebx, %esi

    /* A loader need not clear .bss, and after a reset it is not clear. */
    mov $PHYS(image_bss), %edi
    mov $PHYS(image_end), %ecx
    sub %edi, %ecx
    shr $2, %ecx
    xor %eax, %eax
    rep stosl

    mov $PHYS(boot_stack_top), %esp
    push %esi
    mov $no_long_mode, %esi
    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb complain
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc complain
    mov $no_nx, %esi
    bt $20, %edx
    jnc complain
    pop %esi

    /* 2048 entries of 2 MiB; these four tables serve address 0 and the direct map, the first of them
     * IMAGE_VA too. */
    mov $PHYS(boot_l2), %edi
    mov $0x83, %eax
    xor %ecx, %ecx
1:  mov %eax, (%edi,%ecx,8)
    add $0x200000, %eax
    inc %ecx
    cmp $2048, %ecx
    jne 1b

    mov $PHYS(boot_l3), %edi
    lea 0x3 + PHYS(boot_l2), %eax
    mov %eax, PHYS(boot_l3_image) + ((IMAGE_VA >> 30) & 511) * 8
    xor %ecx, %ecx
1:  mov %eax, (%edi,%ecx,8)
    add $0x1000, %eax
    inc %ecx
    cmp $4, %ecx
    jne 1b

    mov $PHYS(boot_l4), %edi
    movl $0x3 + PHYS(boot_l3), (%edi)
    movl $0x3 + PHYS(boot_l3), ((DIRECT_MAP_VA >> 39) & 511) * 8(%edi)
    movl $0x3 + PHYS(boot_l3_image), ((IMAGE_VA >> 39) & 511) * 8(%edi)

    mov $0x20, %eax /* PAE */
    mov %eax, %cr4
    mov %edi, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax /* EFER.LME, NXE */
    wrmsr
    mov $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $start64

/* ESI: a sentence for the serial port. */
complain:
    mov $0x3fd, %edx
1:  in %dx, %al
    test $0x20, %al
    jz 1b
    lodsb
    test %al, %al
    jz 2f
    mov $0x3f8, %edx
    out %al, %dx
    jmp complain
2:  hlt
    jmp 2b

no_long_mode:
    .asciz "(PV) panic: this processor has no 64-bit mode\n"
no_nx:
    .asciz "(PV) panic: this processor has no NX bit, or the firmware hides it\n"

    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt

    .code64
start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $boot_stack_top, %rsp
    mov %ebp, %edi
    mov %esi, %esi
    xor %ebp, %ebp
    movabs $start_hv, %rax
    call *%rax

    .section .bss.page_aligned, "aw", @nobits
    .balign 4096
boot_l4:
    .skip 4096
boot_l3:
    .skip 4096
boot_l3_image:
    .skip 4096
boot_l2:
    .skip 4 * 4096
    .globl boot_stack, boot_stack_top
boot_stack:
    .skip 16384
boot_stack_top:
