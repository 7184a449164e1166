/* SPDX-License-Identifier: MIT */
/* GDT, LDT, single descriptors, debug registers. */
#include "selftest.h"
#include <pvguest/user.h>

/* Flat 32-bit data at a base; DPL 0 as kernels write it, which must be raised. */
static uint64_t data_descriptor(uint32_t base, unsigned dpl)
{
    return 0x00cf92000000fffful | (uint64_t)(base & 0xffffff) << 16 |
           (uint64_t)(base >> 24) << 56 | (uint64_t)dpl << 45;
}

#define CODE64 0x00af9b000000fffful

static uint64_t *gdt;

static int load_fs(unsigned selector)
{
    struct pv_fault f;

    PV_TRY(&f) __asm__ volatile("mov %0, %%fs" ::"r"(selector));
    return f.vector;
}

static uint64_t fs_word(void)
{
    uint64_t v;

    __asm__ volatile("mov %%fs:0, %0" : "=r"(v));
    return v;
}

static void check_gdt(void)
{
    uint64_t frame, low;

    gdt = pv_page_alloc();
    frame = pv_va_to_mfn(gdt);
    /* A page below 4 GiB of virtual space for a base that a descriptor can hold. */
    low = 0x10000000;
    CHECK("low page", pv_make_l1(low) != NULL);
    pv_update_va_mapping(low, pv_pte(pv_va_to_mfn(pv_page_alloc()), PTE_KERNEL), UVMF_INVLPG);
    *(volatile uint64_t *)low = 0xfedc;
    gdt[2] = data_descriptor(low, 0);
    gdt[3] = data_descriptor(low, 3);
    gdt[5] = data_descriptor(0, 3);
    gdt[6] = CODE64 | 3ul << 45;
    CHECK_REFUSED("GDT page that is writable", pv_set_gdt(&frame, 512));
    CHECK_OK("read-only", pv_set_readonly(gdt, true));
    CHECK_OK("set_gdt", pv_set_gdt(&frame, 16));
    CHECK_EQ("selector of DPL 3", load_fs(3 << 3 | 3), -1);
    CHECK_EQ("its base", fs_word(), 0xfedc);
    CHECK_EQ("selector of DPL 0, raised to 3", load_fs(2 << 3 | 3), -1);
    CHECK_EQ("descriptor shows DPL 3", gdt[2] >> 45 & 3, 3);
    CHECK_EQ("selector of an empty slot", load_fs(9 << 3 | 3), 13);
    CHECK_EQ("selector beyond the entries", load_fs(40 << 3 | 3), 13);
    CHECK_REFUSED("GDT page made writable", pv_set_readonly(gdt, false));
    CHECK_EQ("GDT page written", pv_try_write((uint64_t)&gdt[2], 0), 14);
    CHECK_EQ("selectors of the ABI still there", load_fs(PV_SS), -1);
    CHECK_REFUSED("more entries than room", pv_set_gdt(&frame, 7169));
    load_fs(0);
}

static void check_update_descriptor(void)
{
    uint64_t tss = 0x0000890000000067ul, gate = 0x00008e0000330000ul;

    CHECK_OK("update_descriptor",
             pv_update_descriptor(pv_maddr(&gdt[8]), data_descriptor(0x10000000, 3)));
    CHECK_EQ("usable at once", load_fs(8 << 3 | 3), -1);
    CHECK_EQ("its base", fs_word(), 0xfedc);
    load_fs(0);
    CHECK_REFUSED("TSS", pv_update_descriptor(pv_maddr(&gdt[9]), tss));
    CHECK_REFUSED("interrupt gate", pv_update_descriptor(pv_maddr(&gdt[9]), gate));
    CHECK_EQ("neither was stored", gdt[9], 0);
    CHECK_OK("not present", pv_update_descriptor(pv_maddr(&gdt[8]), 0));
    CHECK_EQ("gone", load_fs(8 << 3 | 3), 13);
}

static void check_ldt(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg2.nr_ents = 512};
    uint64_t *ldt = pv_page_alloc();

    ldt[1] = data_descriptor(0x10000000, 3);
    ldt[2] = 0x0000890000000067ul;
    pv_set_readonly(ldt, true);
    op.arg1.linear_addr = (uint64_t)ldt;
    CHECK_OK("LDT with a bad descriptor is found out when used",
             pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    CHECK("selector into it", load_fs(1 << 3 | 7) >= 0);
    op.arg2.nr_ents = 0;
    CHECK_OK("LDT removed", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    pv_set_readonly(ldt, false);
    ldt[2] = 0;
    pv_set_readonly(ldt, true);
    op.arg2.nr_ents = 512;
    CHECK_OK("LDT", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    CHECK_EQ("selector into it", load_fs(1 << 3 | 7), -1);
    CHECK_EQ("its base", fs_word(), 0xfedc);
    CHECK_REFUSED("LDT page in use made writable", pv_set_readonly(ldt, false));
    load_fs(0);
    op.arg2.nr_ents = 0;
    CHECK_OK("LDT removed", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    CHECK_EQ("selector into nothing", load_fs(1 << 3 | 7), 13);
    CHECK_OK("its page writable again", pv_set_readonly(ldt, false));
    op.arg1.linear_addr = 1;
    op.arg2.nr_ents = 8;
    CHECK_EQ("misaligned LDT", pv_mmuext_op(&op, 1, NULL, DOMID_SELF), -XEN_EINVAL);
}

/* Of two LDT pages the second is not mapped. */
static void check_ldt_hole(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg2.nr_ents = 1024};
    const uint64_t base = PV_USER_CODE + 16 * PAGE_SIZE;
    uint64_t *ldt = pv_page_alloc();
    struct pv_fault f;

    pv_set_readonly(ldt, true);
    CHECK("tables", pv_make_l1(base) != NULL);
    pv_update_va_mapping(base, pv_pte(pv_va_to_mfn(ldt), PTE_KERNEL_RO), UVMF_INVLPG);
    op.arg1.linear_addr = base;
    CHECK_OK("LDT of two pages", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    PV_TRY(&f) __asm__ volatile("mov %0, %%fs" ::"r"(600 << 3 | 7));
    CHECK_EQ("selector into the page that is not there", f.vector, 14);
    CHECK_EQ("cr2 lies in the LDT as the guest knows it", f.cr2, base + 600 * 8);
    op.arg2.nr_ents = 8;
    CHECK_OK("LDT of eight entries", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    PV_TRY(&f) __asm__ volatile("mov %0, %%fs" ::"r"(600 << 3 | 7));
    CHECK_EQ("selector beyond the entries", f.vector, 13);
    CHECK_EQ("its error code", f.regs.error, 600 << 3 | 4);
    op.arg2.nr_ents = 0;
    pv_mmuext_op(&op, 1, NULL, DOMID_SELF);
    pv_update_va_mapping(base, 0, UVMF_INVLPG);
    pv_set_readonly(ldt, false);
}

static volatile unsigned debug_hits;
static void on_debug(struct pv_regs *r)
{
    (void)r;
    debug_hits++;
}

static void check_debug_registers(void)
{
    static uint64_t watched;

    CHECK_OK("set DR0", pv_set_debugreg(0, (uint64_t)&watched));
    CHECK_EQ("get DR0", pv_get_debugreg(0), &watched);
    CHECK_OK("clear DR6", pv_set_debugreg(6, 0));
    CHECK_OK("set DR7: break on a write of eight bytes", pv_set_debugreg(7, 0xd0001));
    pv_trap_set(1, on_debug);
    pv_store(&watched, 1);
    pv_trap_set(1, NULL);
    CHECK_EQ("one #DB", debug_hits, 1);
    CHECK_EQ("DR6 says which", pv_get_debugreg(6) & 15, 1);
    CHECK_OK("DR7 off", pv_set_debugreg(7, 0));
    CHECK_OK("DR0 off", pv_set_debugreg(0, 0));
    CHECK_REFUSED("breakpoint in the hypervisor", pv_set_debugreg(0, 0xffff82d040200000ul));
    CHECK_REFUSED("DR9", pv_set_debugreg(9, 0));
}

void test_descriptors(void)
{
    check_gdt();
    check_update_descriptor();
    check_ldt();
    check_ldt_hole();
    check_debug_registers();
}
