/* SPDX-License-Identifier: MIT */
/* A processor made ready: its window, descriptor tables, SYSCALL, control registers. */
#include <string.h>

#include <hv/init.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "context.h"
#include "desc.h"
#include "msr_policy.h"
#include "trap.h"

struct percpu *percpu_of[MAX_CPUS];
unsigned cpu_count;

extern const char syscall_stub[], syscall32_stub[], syscall_stub_end[], trap_stubs[];
#define STUB_SIZE 16

struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, zero;
};
static struct gate idt[256];

enum ist { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_DB };

static enum ist vector_ist(unsigned vector)
{
    switch (vector) {
    case VEC_NMI:
        return IST_NMI;
    case VEC_DF:
        return IST_DF;
    case VEC_MC:
        return IST_MC;
    case VEC_DB:
        return IST_DB;
    default:
        return IST_NONE;
    }
}

static void idt_fill(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t entry = (uint64_t)trap_stubs + i * STUB_SIZE;
        bool open = i == VEC_BP || i == VEC_OF || i == VEC_INT80;

        idt[i] = (struct gate){
            .offset0 = (uint16_t)entry,
            .offset1 = (uint16_t)(entry >> 16),
            .offset2 = (uint32_t)(entry >> 32),
            .selector = HV_CS,
            .ist = (uint8_t)vector_ist(i),
            .type = open ? 0xee : 0x8e, /* interrupt gates all */
        };
    }
}

static void load_tables(struct percpu *c)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __packed gdtr, idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t *gdt = page_alloc(0);
    uint64_t tss = (uint64_t)c->tss;

    BUG_ON(!gdt);
    gdt[(HV_CS - SEL_RESERVED) / 8] = DESC_CODE64_R0;
    gdt[(HV_DS - SEL_RESERVED) / 8] = DESC_DATA_R0;
    gdt[(SEL_TSS - SEL_RESERVED) / 8] = desc_system_low(tss, sizeof(struct tss) - 1, 9);
    gdt[(SEL_TSS - SEL_RESERVED) / 8 + 1] = tss >> 32;
    /* Only the reserved page is ever looked at before the first vCPU brings its own table. */
    gdtr.limit = 0xffff;
    gdtr.base = (uint64_t)gdt - SEL_RESERVED;
    __asm__ volatile("lgdt %0; lidt %1" ::"m"(gdtr), "m"(idtr));
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(HV_CS) : "rax", "memory");
    __asm__ volatile("mov %0, %%ss" ::"r"(HV_DS));
    load_ds(0);
    load_es(0);
    load_fs(0);
    load_gs(0);
    __asm__ volatile("lldt %w0" ::"r"(0));
    __asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static struct percpu *make_window(unsigned id)
{
    uint64_t va = WINDOWS_VA + (uint64_t)id * WINDOW_SIZE;
    static const uint32_t stack_tops[] = {CPUWIN_NMI_TOP, CPUWIN_DF_TOP, CPUWIN_MC_TOP, CPUWIN_DB_TOP};
    struct percpu *c = (struct percpu *)(va + CPUWIN_PERCPU);
    void *stub = page_alloc(0);

    _Static_assert(sizeof(struct percpu) + sizeof(struct tss) <= 2 * PAGE_SIZE, "fits its two pages");
    BUG_ON(!stub || window_map_pages(va + CPUWIN_PERCPU, 2) || window_map_pages(va + WIN_CURRENT, 1));
    memcpy(stub, syscall_stub, (size_t)(syscall_stub_end - syscall_stub));
    map_page(va + CPUWIN_STUB, va_mfn(stub), MAP_RX);
    c->id = id;
    c->window_va = va;
    c->idle_cr3 = hv_root_maddr;
    c->tss = (struct tss *)ROUND_UP((uint64_t)(c + 1), 16);
    c->tss->iomap = sizeof(struct tss);
    for (unsigned i = 0; i < ARRAY_SIZE(stack_tops); i++) {
        BUG_ON(window_map_pages(va + stack_tops[i] - 2 * PAGE_SIZE, 2));
        c->tss->ist[i] = va + stack_tops[i];
    }
    lock_init(&c->sched_lock, RANK_SCHED);
    lock_init(&c->timer_lock, RANK_TIMER);
    return c;
}

static void control_registers(void)
{
    write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
    write_cr4(CR4_PAE | CR4_PGE | CR4_MCE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT);
    if (cpuid_host.features[0].b & 1u << 7) /* nothing of a guest's is ever to be executed in ring 0 */
        write_cr4(read_cr4() | CR4_SMEP);
    wrmsr(MSR_PAT, GUEST_PAT);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 0x801); /* SCE, NXE */
}

static void syscall_registers(const struct percpu *c)
{
    wrmsr(MSR_STAR, (uint64_t)SEL_GUEST_CS32 << 48 | (uint64_t)HV_CS << 32);
    wrmsr(MSR_LSTAR, c->window_va + CPUWIN_STUB);
    wrmsr(MSR_CSTAR, c->window_va + CPUWIN_STUB + (uint64_t)(syscall32_stub - syscall_stub));
    wrmsr(MSR_FMASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_AC |
                         X86_EFLAGS_RF);
    wrmsr_safe(0x174, 0); /* SYSENTER_CS: the instruction faults */
}

void cpu_init(unsigned id)
{
    struct percpu *c = make_window(id);

    if (!id)
        idt_fill();
    control_registers();
    load_tables(c);
    syscall_registers(c);
    fpu_host_init(c);
    percpu_of[id] = c;
    c->online = true;
    if (id >= cpu_count)
        cpu_count = id + 1;
}
