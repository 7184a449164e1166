/* SPDX-License-Identifier: MIT */
/* User mode: a second root without the kernel, one page of code, one of stack. */
#include <pvguest/console.h>
#include <pvguest/mm.h>
#include <pvguest/start.h>
#include <pvguest/user.h>

#define TRAP_STACK_SIZE 8192

static uint8_t trap_stack[TRAP_STACK_SIZE] pv_aligned(16);
static uint8_t *code_page;

uint64_t pv_user_trap_stack(void)
{
    return (uint64_t)trap_stack + TRAP_STACK_SIZE;
}

long pv_user_init(void)
{
    uint64_t *root = pv_page_alloc();
    uint64_t flags = PTE_KERNEL;
    long rc;

    code_page = pv_page_alloc();
    if (!root || !code_page || !pv_make_l1(PV_USER_CODE))
        return -XEN_ENOMEM;
    rc = pv_update_va_mapping(PV_USER_CODE, pv_pte(pv_va_to_mfn(code_page), flags), UVMF_INVLPG);
    if (!rc)
        rc = pv_update_va_mapping(PV_USER_STACK - PAGE_SIZE,
                                  pv_pte(pv_va_to_mfn(pv_page_alloc()), flags), UVMF_INVLPG);
    if (rc)
        return rc;
    memcpy(root, pv_table(0, 4), PAGE_SIZE / 2);
    rc = pv_set_readonly(root, true);
    if (!rc)
        rc = pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(root));
    if (!rc)
        rc = pv_ext_mfn(MMUEXT_NEW_USER_BASEPTR, pv_va_to_mfn(root));
    if (!rc)
        rc = pv_stack_switch(PV_SS, pv_user_trap_stack());
    return rc;
}

void pv_user_run(const void *code, size_t size, const struct pv_regs *regs, struct pv_fault *f)
{
    struct pv_regs r = regs ? *regs : (struct pv_regs){.rax = 0};
    volatile uint8_t *mask = &pv_vcpu_info->evtchn_upcall_mask;
    uint8_t before = *mask;

    memcpy(code_page, code, size);
    r.rip = PV_USER_CODE;
    r.rsp = PV_USER_STACK;
    if (!r.cs)
        r.cs = PV_CS64;
    if (!r.ss)
        r.ss = PV_SS;
    if (!r.rflags)
        r.rflags = 0x202;
    PV_TRY(f) pv_resume(&r);
    *mask = before; /* IF of user mode was its own */
}
