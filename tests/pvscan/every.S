/* SPDX-License-Identifier: MIT */
/* Every instruction that pvscan is to find, with the class it is to give, and some that it is not to. The assembler knows
 * no line for bytes: theirs is the one before. */
    .text
    .globl every
    .type every, @function
every:
    cli                         /* silent */
    sti                         /* silent */
    hlt                         /* traps */
    in $0x60, %al               /* traps */
    in %dx, %eax                /* traps */
    out %al, $0x80              /* traps */
    out %ax, %dx                /* traps */
    rep insb                    /* traps */
    insw                        /* traps */
    rep insl                    /* traps */
    outsb                       /* traps */
    rep outsw                   /* traps */
    outsl                       /* traps */
    rdmsr                       /* emulated */
    mov $0xc0000100, %ecx
    wrmsr                       /* emulated */
    mov $0xc0000101, %ecx
    xor %eax, %eax
    rdmsr                       /* emulated */
    movl $0xc0000102, %ecx
    wrmsr                       /* emulated */
    mov $0xc0000082, %ecx
    lea every(%rip), %rax
    wrmsr                       /* silent */
    mov $0x174, %ecx
    wrmsr                       /* silent */
    mov $0xc0000080, %ecx
    rdmsr                       /* emulated */
    or $1, %eax
    wrmsr                       /* traps */
    mov $0x1b, %ecx
    rdmsr                       /* emulated */
    mov $0x277, %ecx
    rdmsr                       /* emulated */
    mov $0x8b, %ecx
    rdmsr                       /* emulated */
    mov $0x179, %ecx
    rdmsr                       /* emulated */
    mov $0x1a0, %ecx
    rdmsr                       /* emulated */
    mov $0xc0000103, %ecx
    wrmsr                       /* emulated */
    mov $0x1d9, %ecx
    rdmsr                       /* traps */
    mov $0x1d9, %ecx
    wrmsr                       /* traps */
    mov $0x1d9, %ecx
    mov %edi, %ecx
    wrmsr                       /* emulated */
    mov %cr0, %rax              /* emulated */
    mov %rax, %cr0              /* emulated */
    mov %cr2, %r9               /* emulated */
    mov %r9, %cr2               /* emulated */
    mov %cr3, %rax              /* emulated */
    mov %rax, %cr3              /* traps */
    mov %cr4, %rax              /* emulated */
    mov %rax, %cr4              /* silent */
    mov %cr8, %r10              /* traps */
    mov %r10, %cr8              /* traps */
    mov %db7, %rax              /* emulated */
    mov %rax, %db0              /* emulated */
    clts                        /* emulated */
    lmsw %ax                    /* traps */
    smsw %ax                    /* silent */
    smsw (%rdi)                 /* silent */
    invlpg (%rdi)               /* emulated */
    invpcid (%rdi), %rax        /* traps */
    wbinvd                      /* silent */
    wbnoinvd                    /* silent */
    invd                        /* traps */
    xsetbv                      /* emulated */
    xsaves (%rdi)               /* traps */
    xsaves64 (%rdi)             /* traps */
    xrstors (%rdi)              /* traps */
    xrstors64 (%rdi)            /* traps */
    pushfq                      /* silent */
    pushfw                      /* silent */
    popfq                       /* silent */
    popfw                       /* silent */
    iretq                       /* silent */
    iretl                       /* silent */
    sysretq                     /* traps */
    sysretl                     /* traps */
    sysexitl                    /* traps */
    ljmp *(%rdi)                /* traps */
    lcall *(%rdi)               /* traps */
    lretl                       /* traps */
    lretq                       /* traps */
    lretq $8                    /* traps */
    mov %eax, %ss               /* traps */
    lss (%rdi), %eax            /* traps */
    mov %eax, %ds               /* traps */
    mov (%rdi), %es             /* traps */
    mov %r8d, %fs               /* traps */
    mov %eax, %gs               /* traps */
    pop %fs                     /* traps */
    pop %gs                     /* traps */
    lfs (%rdi), %eax            /* traps */
    lgs (%rdi), %eax            /* traps */
    mov %cs, %eax               /* silent */
    mov %ss, (%rdi)             /* silent */
    swapgs                      /* traps */
    rdfsbase %rax               /* traps */
    rdgsbase %r9                /* traps */
    wrfsbase %rax               /* traps */
    wrgsbase %eax               /* traps */
    lgdt (%rdi)                 /* traps */
    lidt 8(%rsp)                /* traps */
    lldt %ax                    /* traps */
    lldt (%rdi)                 /* traps */
    ltr %ax                     /* traps */
    sgdt (%rdi)                 /* silent */
    sidt (%rdi)                 /* silent */
    sldt %eax                   /* silent */
    str %rax                    /* silent */
    lar %ax, %eax               /* silent */
    lsl %ax, %eax               /* silent */
    verr %ax                    /* silent */
    verw (%rdi)                 /* silent */
    cpuid                       /* silent */
    rdpmc                       /* traps */
    monitor                     /* traps */
    mwait                       /* traps */
    clac                        /* traps */
    stac                        /* traps */
    rdpkru                      /* traps */
    wrpkru                      /* traps */
    vmcall                      /* traps */
    vmlaunch                    /* traps */
    vmresume                    /* traps */
    vmxoff                      /* traps */
    vmxon (%rdi)                /* traps */
    vmclear (%rdi)              /* traps */
    vmptrld (%rdi)              /* traps */
    vmptrst (%rdi)              /* traps */
    vmread %rax, %rdx           /* traps */
    vmwrite %rax, %rdx          /* traps */
    vmfunc                      /* traps */
    invept (%rdi), %rax         /* traps */
    invvpid (%rdi), %rax        /* traps */
    vmrun                       /* traps */
    vmmcall                     /* traps */
    vmload                      /* traps */
    vmsave                      /* traps */
    stgi                        /* traps */
    clgi                        /* traps */
    skinit                      /* traps */
    invlpga                     /* traps */
    rsm                         /* traps */
    getsec                      /* traps */
    encls                       /* traps */
    enclv                       /* traps */
    pconfig                     /* traps */
    psmash                      /* traps */
    pvalidate                   /* traps */
    rmpadjust                   /* traps */
    rmpupdate                   /* traps */
    setssbsy                    /* traps */
    nop                         /* traps */
    .byte 0x0f, 0x01, 0xc6
    nop                         /* traps */
    .byte 0xf2, 0x0f, 0x01, 0xc6
    nop                         /* traps */
    .byte 0xf3, 0x0f, 0x01, 0xc6
    nop                         /* traps */
    .byte 0xf2, 0x0f, 0x01, 0xca
    nop                         /* traps */
    .byte 0xf3, 0x0f, 0x01, 0xca
    .size every, . - every

/* The same in ring 3, and constants that look like something else. */
    .type harmless, @function
harmless:
    endbr64
    rdtsc
    rdtscp
    syscall
    int3
    int $0x80
    ud2
    pause
    lfence
    fxsave (%rdi)
    xsave (%rdi)
    xgetbv
    rdrand %eax
    serialize
    monitorx
    mwaitx
    mov %ds, %eax
    mov %fs, %eax
    push %fs
    mov $0xfbfa, %eax
    movabs $0xfbfaf4cf9d9c0f30, %rax
    vprold $15, %ymm3, %ymm3
    vpmovsxbw -0xf14(%rdi,%rax), %zmm17
    ldtilecfg (%rdi)
    ljmp_free: jmp *(%rdi)
    retq
    .size harmless, . - harmless

/* Data within code. */
    .type table, @object
table:
    .byte 0xfa, 0xfb, 0xf4, 0x0f, 0x30, 0xcf
    .size table, . - table

/* A function that begins in the middle of what data before it would decode as. */
    .byte 0x48, 0xb8
    .type after_data, @function
after_data:
    cli                         /* silent */
    ret
    .size after_data, . - after_data

    .section .altinstr_replacement, "ax"
    clac                        /* traps */

    .section .note.GNU-stack, "", @progbits
