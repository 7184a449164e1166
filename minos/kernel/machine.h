/* SPDX-License-Identifier: MIT */
/*
 * What the kernel asks of the machine below it. native/ answers with drivers for a bare PC, pv/
 * with guest-lib and a hypervisor; nothing else in the kernel knows which of them it runs on.
 *
 * Interrupts are off whenever kernel code runs, but for machine_idle: handlers therefore interrupt
 * user mode or idling only, and the kernel needs no locks against them.
 */
#ifndef MINOS_MACHINE_H
#define MINOS_MACHINE_H

#include "types.h"

/* Registers at a trap, as the entry code lays them on the kernel stack. */
struct regs {
    uint64_t vector;
    uint64_t r15, r14, r13, r12, rbp, rbx, r10, r9, r8, rdi, rsi, rdx;
    uint64_t rax, r11, rcx;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* --- The machine calls the kernel --- */

/* Does not return. All of [free, end) is unused memory, mapped at KERNEL_BASE like all below it. */
void kernel_main(paddr_t free, paddr_t end, const char *command_line);
/* An exception; `address` is what a page fault was about. */
void trap_exception(struct regs *r, uintptr_t address);
void trap_syscall(struct regs *r);
/* Last in every interrupt: may switch to another process if user mode was interrupted. */
void trap_return(struct regs *r);
/* TICKS_PER_SECOND times a second. */
void clock_tick(void);
void console_input(char c);

#define TICKS_PER_SECOND 100

/* --- The kernel calls the machine: processor and clock --- */

/* Lets interrupts in, waits for one, and keeps them out again. */
void machine_idle(void);
/* Traps from user mode will use this stack. */
void machine_kernel_stack(void *top);
/* Registers of a program about to start. */
void machine_user_regs(struct regs *r, uintptr_t entry, uintptr_t stack);
/* Continues user mode. */
void machine_resume(const struct regs *r) __attribute__((noreturn));
uint64_t machine_time(void);      /* ns since boot */
uint64_t machine_wall_time(void); /* seconds since 1970 */
void machine_console_write(const char *s, size_t len);
/* Finds disks and network cards and registers them (block.h, net.h). */
void machine_devices(void);
/* Ends it all; status 0 is success. */
void machine_halt(int status) __attribute__((noreturn));

/* --- Address translation: tables are x86-64's, four levels of 512 entries --- */

#define PTE_P    0x001ul
#define PTE_RW   0x002ul
#define PTE_USER 0x004ul
#define PTE_NX   (1ul << 63)
#define PTE_LINK (PTE_P | PTE_RW | PTE_USER | 0x60) /* accessed, dirty */

/* An entry for a frame, and the frame of an entry. Nobody else may know what is inside. */
pte_t mmu_entry(paddr_t frame, uint64_t flags);
paddr_t mmu_frame(pte_t entry);
/* Puts the kernel's half into a new root, which is still all zero. False: out of memory. */
bool mmu_root_init(pte_t *root);
/* The only way to write an entry; level 1 to 4 is that of the table that `slot` lies in. Takes
 * effect at once, except at level 1 in a batch. */
void mmu_set(pte_t *slot, pte_t value, unsigned level);
/* Between the two, entries of level 1 may change late, and must not be read back. */
void mmu_batch_begin(void);
void mmu_batch_end(void);
/* Forgets translations of the current root: of one page, of all user pages. */
void mmu_flush_page(uintptr_t va);
void mmu_flush_user(void);
/* Switches to a root; 0 is that of the kernel alone. */
void mmu_load(paddr_t root);
/* The root, which is not the current one, will not be used again: its tables become plain memory,
 * to be read once more and freed. */
void mmu_root_retire(paddr_t root);

#endif
