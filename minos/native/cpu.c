/* SPDX-License-Identifier: MIT */
/* The processor: descriptor tables, the way into the kernel, idling, and page tables as they are.
 */
#include "native.h"
#include "../kernel/lib.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA   0x23
#define USER_CODE   0x2b
#define TSS         0x30

#define TRAP_STUB    32 /* bytes of an entry in entry.S */
#define TRAP_IRQ     32
#define TRAP_SYSCALL 256

#define MSR_STAR  0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084

#define FLAG_IF 0x200

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct tss {
    uint32_t reserved;
    uint64_t stack[3];
    uint64_t unused[8];
    uint32_t reserved2[2];
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct pseudo_descriptor {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern const uint8_t trap_stubs[];
void syscall_entry(void);
void native_trap(struct regs *r);
extern pte_t boot_l4[512];

uint64_t native_kernel_stack; /* for SYSCALL, which the TSS does not serve */

static struct gate idt[48];
static struct tss tss = {.io_map = sizeof(struct tss)};
static uint64_t gdt[8] = {
    [KERNEL_CODE / 8] = 0x00af9b000000ffff,
    [KERNEL_DATA / 8] = 0x00cf93000000ffff,
    [USER_DATA / 8] = 0x00cff3000000ffff,
    [USER_CODE / 8] = 0x00affb000000ffff,
};

static void write_msr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static void load_descriptors(void)
{
    struct pseudo_descriptor g = {sizeof(gdt) - 1, (uintptr_t)gdt};
    struct pseudo_descriptor i = {sizeof(idt) - 1, (uintptr_t)idt};
    uintptr_t t = (uintptr_t)&tss;

    gdt[TSS / 8] = (sizeof(tss) - 1) | (t & 0xffffff) << 16 | 0x89ul << 40 | (t >> 24 & 0xff) << 56;
    gdt[TSS / 8 + 1] = t >> 32;
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(g), "m"(i), "r"(TSS));
}

void cpu_init(void)
{
    for (unsigned v = 0; v < ARRAY_SIZE(idt); v++) {
        uintptr_t stub = (uintptr_t)trap_stubs + v * TRAP_STUB;

        idt[v] = (struct gate){.offset_low = stub,
                               .selector = KERNEL_CODE,
                               .type = 0x8e | (v == 3 || v == 4 ? 0x60 : 0),
                               .offset_middle = stub >> 16,
                               .offset_high = stub >> 32};
    }
    load_descriptors();
    write_msr(MSR_STAR, (uint64_t)KERNEL_CODE << 32 | (uint64_t)(USER_DATA - 8) << 48);
    write_msr(MSR_LSTAR, (uintptr_t)syscall_entry);
    write_msr(MSR_FMASK, 0x47700); /* TF, IF, DF, IOPL, NT, AC */
}

void native_trap(struct regs *r)
{
    uintptr_t address;

    if (r->vector == TRAP_SYSCALL) {
        trap_syscall(r);
    } else if (r->vector >= TRAP_IRQ) {
        irq_dispatch(r->vector - TRAP_IRQ);
        trap_return(r);
    } else {
        __asm__ volatile("mov %%cr2, %0" : "=r"(address));
        trap_exception(r, address);
    }
}

void machine_idle(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void machine_kernel_stack(void *top)
{
    tss.stack[0] = native_kernel_stack = (uintptr_t)top;
}

void machine_user_regs(struct regs *r, uintptr_t entry, uintptr_t stack)
{
    *r = (struct regs){
        .rip = entry, .cs = USER_CODE, .rflags = FLAG_IF | 2, .rsp = stack, .ss = USER_DATA};
}

/* --- Page tables --- */

#define FRAME_MASK 0x000ffffffffff000ul

pte_t mmu_entry(paddr_t frame, uint64_t flags)
{
    return frame | flags;
}

paddr_t mmu_frame(pte_t entry)
{
    return entry & FRAME_MASK;
}

bool mmu_root_init(pte_t *root)
{
    root[511] = boot_l4[511];
    return true;
}

void mmu_set(pte_t *slot, pte_t value, unsigned level)
{
    (void)level;
    *slot = value;
}

void mmu_batch_begin(void)
{
}

void mmu_batch_end(void)
{
}

void mmu_flush_page(uintptr_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

void mmu_flush_user(void)
{
    uint64_t root;

    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root)::"memory");
}

void mmu_load(paddr_t root)
{
    if (!root)
        root = virt_to_phys(boot_l4);
    __asm__ volatile("mov %0, %%cr3" ::"r"(root) : "memory");
}

void mmu_root_retire(paddr_t root)
{
    (void)root;
}
