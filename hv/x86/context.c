/* SPDX-License-Identifier: MIT */
/* vCPUs: their making, their first registers, and the switch from one to another. */
#include <string.h>

#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "context.h"
#include "cpuid.h"
#include "desc.h"

#define GUEST_CR4 (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)

#define STACK_PAGES ((VWIN_STACK_TOP - VWIN_STACK) / PAGE_SIZE)

void vcpu_arch_destroy(struct vcpu *v)
{
    uint64_t va = WINDOWS_VA + (uint64_t)v->window * WINDOW_SIZE;

    fpu_destroy(v);
    desc_destroy(v);
    window_unmap_pages(va + VWIN_STACK, STACK_PAGES);
    window_unmap_pages(va + WIN_CURRENT, 1);
    window_free(v->window);
}

void vcpu_arch_release(struct vcpu *v)
{
    mfn_t kernel = mfn(v->kernel_cr3 >> PAGE_SHIFT), user = mfn(v->user_cr3 >> PAGE_SHIFT);

    desc_release(v);
    v->kernel_cr3 = v->user_cr3 = 0;
    if (kernel.n)
        pt_put_root(v->domain, kernel);
    if (user.n)
        pt_put_root(v->domain, user);
}

static int make_parts(struct vcpu *v, uint64_t va)
{
    if (window_map_pages(va + VWIN_STACK, STACK_PAGES) || window_map_pages(va + WIN_CURRENT, 1))
        return -XEN_ENOMEM;
    if (v->is_idle)
        return 0;
    vcpu_choose_entry(v);
    return desc_create(v) || fpu_create(v) ? -XEN_ENOMEM : 0;
}

int vcpu_arch_create(struct vcpu *v)
{
    uint64_t va = window_alloc(&v->window);

    if (!va)
        return -XEN_ENOMEM;
    if (make_parts(v, va)) {
        vcpu_arch_destroy(v);
        return -XEN_ENOMEM;
    }
    *(struct vcpu **)(va + WIN_CURRENT) = v;
    v->stack_top = va + VWIN_STACK_TOP;
    v->kernel_mode = 1;
    v->cr4_shadow = GUEST_CR4 | (cpuid_xcr0_allowed(&cpuid_host) ? CR4_OSXSAVE : 0);
    /* What the stack holds when it is switched to first: six registers, and where to go. */
    v->saved_rsp = v->stack_top - sizeof(struct guest_regs) - 7 * 8;
    *(uint64_t *)(v->saved_rsp + 6 * 8) = (uint64_t)vcpu_first_run;
    return 0;
}

/* ---- The switch. ---- */

/* Whose state is still loaded would keep the CPU's old target when it runs again. */
void vcpu_choose_entry(struct vcpu *v)
{
    v->syscall_target = READ_ONCE(v->domain->trace) ? syscall_traced : syscall_entry;
    if (v == current)
        v->pcpu->syscall_target = v->syscall_target;
    else if (v->pcpu->seg_owner == v)
        v->pcpu->seg_owner = NULL;
}

void vcpu_load_root(struct vcpu *v)
{
    if (v == current)
        write_cr3(v->kernel_mode ? v->kernel_cr3 : v->user_cr3);
}

/* What the processor holds may still be next's: then only the idle vCPU ran in between. */
static void load_guest(struct percpu *c, struct vcpu *next)
{
    write_cr3(next->kernel_mode ? next->kernel_cr3 : next->user_cr3);
    if (c->seg_owner == next && next->pcpu == c)
        return;
    if (use_ibpb) /* what one guest taught the branch predictor must not lead another, nor us on its behalf */
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    desc_load(next);
    segments_load(next);
    fpu_restore(next);
    if (next->cr0_ts)
        write_cr0(read_cr0() | CR0_TS);
    debugreg_load(next);
    wrmsr_safe(MSR_TSC_AUX, next->tsc_aux);
    c->syscall_target = next->syscall_target;
    c->seg_owner = next;
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
    struct percpu *c = prev->pcpu;

    if (!prev->is_idle) {
        segments_save(prev);
        fpu_save(prev);
        if (prev->cr0_ts)
            write_cr0(read_cr0() | CR0_TS);
    }
    if (next->is_idle) {
        write_cr3(c->idle_cr3);
    } else {
        load_guest(c, next);
        fpu_resume(c, next);
    }
    next->pcpu = c;
    c->running = next;
    c->stack_top = next->stack_top;
    c->tss->rsp[0] = next->stack_top;
    *(struct vcpu **)(c->window_va + WIN_CURRENT) = next;
    switch_stack(prev, next);
}

/* ---- First contexts. ---- */

void vcpu_start_context(struct vcpu *v, uint64_t rip, uint64_t rsp, uint64_t start_info_va, mfn_t root)
{
    struct guest_regs *r = vcpu_regs(v);

    memset(r, 0, sizeof(*r));
    r->rip = rip;
    r->rsp = rsp;
    r->rsi = start_info_va;
    r->cs = SEL_GUEST_CS64;
    r->ss = SEL_GUEST_SS;
    r->rflags = X86_EFLAGS_IF | 2;
    v->kernel_cr3 = root.n << PAGE_SHIFT;
    v->kernel_mode = 1;
}

static void import_regs(struct guest_regs *r, const struct cpu_user_regs *u)
{
    *r = (struct guest_regs){
        .gpr = {u->rax, u->rcx, u->rdx, u->rbx, 0, u->rbp, u->rsi, u->rdi, u->r8, u->r9, u->r10, u->r11, u->r12, u->r13,
                u->r14, u->r15},
        .rip = u->rip,
        .cs = u->cs | 3,
        .rflags = (u->rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | 2,
        .rsp = u->rsp,
        .ss = u->ss | 3,
    };
}

static int check_context(const struct vcpu_guest_context *c)
{
    static const char *const what[] = {"RIP", "event callback", "failsafe callback", "syscall callback", "FS base",
                                       "kernel GS base", "user GS base"};
    const uint64_t address[] = {c->user_regs.rip, c->event_callback_eip, c->failsafe_callback_eip,
                                c->syscall_callback_eip, c->fs_base, c->gs_base_kernel, c->gs_base_user};

    for (unsigned i = 0; i < ARRAY_SIZE(address); i++)
        if (!canonical(address[i]))
            return refuse(-XEN_EINVAL, "vCPU context: %s %#lx is not canonical", what[i], address[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        if (!canonical(c->trap_ctxt[i].address))
            return refuse(-XEN_EINVAL, "vCPU context: trap handler %u at %#lx is not canonical", i,
                          c->trap_ctxt[i].address);
    if (c->gdt_ents > GDT_RESERVED_FIRST)
        return refuse(-XEN_EINVAL, "vCPU context: a GDT of %lu entries, at most %u", c->gdt_ents, GDT_RESERVED_FIRST);
    if (c->ldt_ents > 8192 || (c->ldt_base & (PAGE_SIZE - 1)))
        return refuse(-XEN_EINVAL, "vCPU context: an LDT of %lu entries at %#lx", c->ldt_ents, c->ldt_base);
    return 0;
}

static int load_roots(struct vcpu *v, const struct vcpu_guest_context *c)
{
    mfn_t kernel = mfn(c->ctrlreg[3] >> PAGE_SHIFT), user = mfn(c->ctrlreg[1] >> PAGE_SHIFT);
    int rc = pt_get_root(v->domain, kernel);

    if (rc)
        return rc;
    if (c->ctrlreg[1] && (rc = pt_get_root(v->domain, user))) {
        pt_put_root(v->domain, kernel);
        return rc;
    }
    v->kernel_cr3 = kernel.n << PAGE_SHIFT;
    v->user_cr3 = c->ctrlreg[1] ? user.n << PAGE_SHIFT : 0;
    return 0;
}

static void load_plain_state(struct vcpu *v, const struct vcpu_guest_context *c)
{
    for (unsigned i = 0; i < ARRAY_SIZE(v->trap); i++)
        v->trap[i] = c->trap_ctxt[i];
    for (unsigned i = 0; i < 8; i++)
        if (i != 4 && i != 5)
            debugreg_set(v, i, c->debugreg[i]);
    v->ldt_base = c->ldt_base;
    v->ldt_entries = (unsigned)c->ldt_ents;
    v->kernel_ss = c->kernel_ss;
    v->kernel_sp = c->kernel_sp;
    v->event_entry = c->event_callback_eip;
    v->failsafe_entry = c->failsafe_callback_eip;
    v->failsafe_masks = !!(c->flags & VGCF_failsafe_disables_events);
    v->syscall_entry = c->syscall_callback_eip;
    v->syscall_masks = !!(c->flags & VGCF_syscall_disables_events);
    v->fs_base = c->fs_base;
    v->gs_base_kernel = c->gs_base_kernel;
    v->gs_base_user = c->gs_base_user;
    v->ds = c->user_regs.ds;
    v->es = c->user_regs.es;
    v->fs = c->user_regs.fs;
    v->gs = c->user_regs.gs;
    if (c->ctrlreg[4])
        v->cr4_shadow = c->ctrlreg[4];
    if (c->flags & VGCF_i387_valid)
        fpu_import(v, &c->fpu_ctxt);
}

int vcpu_load_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    bool kernel = (c->flags & VGCF_in_kernel) || !(c->user_regs.cs & 3);
    int rc = check_context(c);

    if (!kernel && !c->ctrlreg[1])
        rc = refuse(-XEN_EINVAL, "vCPU context: user mode, and no user root in ctrlreg[1]");
    if (!rc)
        rc = load_roots(v, c);
    if (rc)
        return rc;
    rc = gdt_set(v, c->gdt_frames, (unsigned)c->gdt_ents);
    if (rc) {
        pt_put_root(v->domain, mfn(v->kernel_cr3 >> PAGE_SHIFT));
        if (v->user_cr3)
            pt_put_root(v->domain, mfn(v->user_cr3 >> PAGE_SHIFT));
        v->kernel_cr3 = v->user_cr3 = 0;
        return rc;
    }
    load_plain_state(v, c);
    v->kernel_mode = kernel;
    v->iopl = (c->user_regs.rflags & X86_EFLAGS_IOPL) / (X86_EFLAGS_IOPL / 3);
    import_regs(vcpu_regs(v), &c->user_regs);
    return 0;
}

static void export_regs(const struct vcpu *v, struct cpu_user_regs *u)
{
    const struct guest_regs *r = vcpu_regs(v);

    *u = (struct cpu_user_regs){.rax = r->rax,
                                .rbx = r->rbx,
                                .rcx = r->rcx,
                                .rdx = r->rdx,
                                .rsi = r->rsi,
                                .rdi = r->rdi,
                                .rbp = r->rbp,
                                .rsp = r->rsp,
                                .r8 = r->r8,
                                .r9 = r->r9,
                                .r10 = r->r10,
                                .r11 = r->r11,
                                .r12 = r->r12,
                                .r13 = r->r13,
                                .r14 = r->r14,
                                .r15 = r->r15,
                                .rip = r->rip,
                                .rflags = r->rflags | (uint64_t)v->iopl << 12,
                                .cs = (uint16_t)r->cs,
                                .ss = (uint16_t)r->ss,
                                .ds = v->ds,
                                .es = v->es,
                                .fs = v->fs,
                                .gs = v->gs,
                                .saved_upcall_mask = READ_ONCE(v->info->evtchn_upcall_mask)};
    if (u->saved_upcall_mask)
        u->rflags &= ~(uint64_t)X86_EFLAGS_IF;
    if (v->kernel_mode)
        u->cs &= (uint16_t)~3u;
}

void vcpu_save_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    c->flags = VGCF_i387_valid | (v->kernel_mode ? VGCF_in_kernel : 0) |
               (v->failsafe_masks ? VGCF_failsafe_disables_events : 0) |
               (v->syscall_masks ? VGCF_syscall_disables_events : 0) | (v->online ? VGCF_online : 0);
    export_regs(v, &c->user_regs);
    fpu_export(v, &c->fpu_ctxt);
    for (unsigned i = 0; i < ARRAY_SIZE(v->trap); i++)
        c->trap_ctxt[i] = v->trap[i];
    for (unsigned i = 0; i < 8; i++)
        c->debugreg[i] = i == 4 || i == 5 ? 0 : debugreg_get(v, i);
    c->ldt_base = v->ldt_base;
    c->ldt_ents = v->ldt_entries;
    c->gdt_ents = v->gdt_entries;
    for (unsigned i = 0; i * DESCS_PER_PAGE < v->gdt_entries; i++)
        c->gdt_frames[i] = v->gdt_frame[i];
    c->kernel_ss = v->kernel_ss;
    c->kernel_sp = v->kernel_sp;
    c->ctrlreg[0] = CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE | (v->cr0_ts ? CR0_TS : 0);
    c->ctrlreg[1] = v->user_cr3;
    c->ctrlreg[3] = v->kernel_cr3;
    c->ctrlreg[4] = v->cr4_shadow;
    c->event_callback_eip = v->event_entry;
    c->failsafe_callback_eip = v->failsafe_entry;
    c->syscall_callback_eip = v->syscall_entry;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = v->fs_base;
    c->gs_base_kernel = v->gs_base_kernel;
    c->gs_base_user = v->gs_base_user;
}
