/* SPDX-License-Identifier: MIT */
/* Multiboot's 32-bit entry: 1 GiB mapped at 0 and at KERNEL_BASE, then 64-bit code at the latter. */
#define BASE   0xffffffff80000000
#define PHYS(x) (x - BASE)

#define MAGIC 0x1badb002
#define FLAGS 0x00010003 /* aligned modules, memory information, addresses below */

    .section .multiboot, "a"
    .balign 8
header:
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)
    .long PHYS(header), PHYS(image_start), PHYS(image_loaded), PHYS(image_end), PHYS(boot)

    .text
    .code32
    .globl boot
boot:
    cli
    mov $PHYS(boot_stack_top), %esp
    mov %ebx, PHYS(boot_information)
    /* L4 entries 0 and 511 share one chain: L3 entries 0 and 510, one L2 of 2 MiB pages. */
    mov $PHYS(boot_l3) + 3, %eax
    mov %eax, PHYS(boot_l4)
    mov %eax, PHYS(boot_l4) + 511 * 8
    mov $PHYS(boot_l2) + 3, %eax
    mov %eax, PHYS(boot_l3)
    mov %eax, PHYS(boot_l3) + 510 * 8
    mov $PHYS(boot_l2), %edi
    mov $0x83, %eax /* present, writable, large */
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b

    mov %cr4, %eax
    or $0x620, %eax /* PAE, and SSE with its exceptions */
    mov %eax, %cr4
    mov $PHYS(boot_l4), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax /* SYSCALL, long mode, no-execute */
    wrmsr
    mov %cr0, %eax
    and $~4, %eax
    or $0x80010002, %eax /* paging, write protection for the kernel too, FPU present */
    mov %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $8, $PHYS(boot64)

    .code64
boot64:
    movabs $boot_high, %rax
    jmp *%rax
boot_high:
    mov $16, %eax
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    lea boot_stack_top(%rip), %rsp
    movq $0, boot_l4(%rip) /* the low half is for programs */
    mov %cr3, %rax
    mov %rax, %cr3
    mov boot_information(%rip), %edi
    xor %ebp, %ebp
    call native_start
    ud2

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long PHYS(boot_gdt)

    .bss
    .balign 4096
    .globl boot_l4
boot_l4:
    .skip 4096
boot_l3:
    .skip 4096
boot_l2:
    .skip 4096
    .skip 16384
boot_stack_top:
boot_information:
    .skip 8

    .section .note.GNU-stack, "", @progbits
