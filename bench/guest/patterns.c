/* SPDX-License-Identifier: MIT */
/*
 * What kernels do all day, each in every form of bench_forms: fork of a process with N pages up to
 * the parent's last copy-on-write fault, memory mapped, touched and unmapped, context switches.
 */
#include "bench.h"
#include "forms.h"
#include <pvguest/start.h>
#include <pvguest/trap.h>

#define WINDOW         4 /* entries that belong to a task at a fixed address */
#define SWITCHES       64
#define READ_ONLY(pte) ((pte) & ~PTE_RW)

static const unsigned sizes[] = {8, 64, 512};
static const struct bench_form *form;
static uint64_t *child_root, *child_l1;

/* Every fault of these patterns wants the page's entry of the first set, writable. */
static void on_fault(struct pv_regs *regs)
{
    uint64_t va = pv_vcpu_info->arch.cr2;
    unsigned i = (va - AREA_VA) / PAGE_SIZE;

    (void)regs;
    form->set_now(&area_l1[i], va & ~(PAGE_SIZE - 1), area_ptes[0][i]);
}

static void touch(unsigned pages)
{
    for (unsigned i = 0; i < pages; i++)
        *(volatile uint64_t *)(AREA_VA + i * PAGE_SIZE) = i;
}

static void flush(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    bench_check("flush", CALL4(mmuext_op, &op, 1, NULL, DOMID_SELF));
}

/* Every entry of the area as `side` has it, or empty. */
static void area_fill(int side)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        bench_check("fill", pv_set_entry(&area_l1[i], side < 0 ? 0 : area_ptes[side][i]));
    flush();
}

/* PATTERN_FORM, the row's name. */
static void join(char name[32], const char *pattern, const char *form_name)
{
    size_t length = strlen(pattern);

    memcpy(name, pattern, length);
    name[length] = '_';
    memcpy(name + length + 1, form_name, strlen(form_name) + 1);
}

static void expect(bool ok, const char *what)
{
    bench_check(what, ok ? 0 : -XEN_EINVAL);
}

static bool all_entries(const uint64_t *l1, bool present)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (present ? (l1[i] & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW) : l1[i] != 0)
            return false;
    return true;
}

/* --- fork: the child's tables, copy on write on both sides, the child's end, the parent's faults
 * --- */

/* The child's root: the kernel's upper half, and the area's tables of its own, the L1 empty. */
static void make_child(void)
{
    uint64_t *l3 = pv_page_alloc(), *l2 = pv_page_alloc();

    child_root = pv_page_alloc();
    child_l1 = pv_page_alloc();
    expect(l3 && l2 && child_root && child_l1, "child: pages");
    memcpy(child_root + 256, pv_table(0, 4) + 256, PAGE_SIZE / 2);
    child_root[pv_index(AREA_VA, 4)] = pv_pte(pv_va_to_mfn(l3), PTE_TABLE);
    l3[pv_index(AREA_VA, 3)] = pv_pte(pv_va_to_mfn(l2), PTE_TABLE);
    l2[pv_index(AREA_VA, 2)] = pv_pte(pv_va_to_mfn(child_l1), PTE_TABLE);
    bench_check("child: root", pv_set_readonly(child_root, true));
    bench_check("child: L3", pv_set_readonly(l3, true));
    bench_check("child: L2", pv_set_readonly(l2, true));
}

static void child_pin(void)
{
    bench_check("child: L1", pv_set_readonly(child_l1, true));
    bench_check("child: pin", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(child_root)));
}

static void child_unpin(void)
{
    bench_check("child: unpin", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(child_root)));
    bench_check("child: L1", pv_set_readonly(child_l1, false));
}

static void parent_read_only(unsigned i)
{
    form->set(&area_l1[i], AREA_VA + i * PAGE_SIZE, READ_ONLY(area_ptes[0][i]));
}

/* The child's tables are in use before they are filled. */
static void fork_live(unsigned pages)
{
    child_pin();
    form->begin();
    for (unsigned i = 0; i < pages; i++) {
        form->set(&child_l1[i], 0, READ_ONLY(area_ptes[0][i]));
        parent_read_only(i);
    }
    form->end();
    flush();
    form->begin();
    for (unsigned i = 0; i < pages; i++)
        form->set(&child_l1[i], 0, 0);
    form->end();
    child_unpin();
    touch(pages);
}

/* They are filled while they are plain memory, and are checked as one when they are pinned. */
static void fork_filled(unsigned pages)
{
    for (unsigned i = 0; i < pages; i++)
        child_l1[i] = READ_ONLY(area_ptes[0][i]);
    child_pin();
    form->begin();
    for (unsigned i = 0; i < pages; i++)
        parent_read_only(i);
    form->end();
    flush();
    child_unpin();
    memset(child_l1, 0, pages * sizeof(*child_l1));
    touch(pages);
}

static void map_touch_unmap(unsigned pages)
{
    touch(pages);
    form->begin();
    for (unsigned i = 0; i < pages; i++)
        form->set(&area_l1[i], AREA_VA + i * PAGE_SIZE, 0);
    form->end();
    flush();
}

static void bench_pages(const char *pattern, const char *form_name, void (*run)(unsigned pages),
                        bool full)
{
    char name[32];

    join(name, pattern, form_name);
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        BENCH_BATCH(name, sizes[s], sizes[s], sizes[s], run(sizes[s]));
        expect(all_entries(area_l1, full) && all_entries(child_l1, false), name);
    }
}

/* --- Context switches: two tasks with roots, stacks, and a window at a fixed address --- */

static void make_task(struct bench_task *t, uint64_t *root)
{
    uint64_t mfn = pv_va_to_mfn(root);

    t->roots[0] = (struct mmuext_op){.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfn};
    t->roots[1] = (struct mmuext_op){.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn};
    t->stack = (uint64_t)pv_page_alloc() + PAGE_SIZE;
    t->segment_base = (uint64_t)t;
}

static void switch_to(const struct bench_task *t, const uint64_t *window)
{
    form->begin();
    for (unsigned i = 0; i < WINDOW; i++)
        form->set(&area_l1[i], AREA_VA + i * PAGE_SIZE, window[i]);
    form->switch_to(t);
    form->end();
}

static void bench_switches(void)
{
    static struct bench_task tasks[2];
    uint64_t *root = pv_page_alloc();
    char name[32];

    expect(root, "task: root");
    memcpy(root, pv_table(0, 4), PAGE_SIZE);
    bench_check("task: root", pv_set_readonly(root, true));
    bench_check("task: pin", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(root)));
    make_task(&tasks[0], pv_table(0, 4));
    make_task(&tasks[1], root);
    for (unsigned f = 0; f < BENCH_FORMS; f++) {
        form = &bench_forms[f];
        join(name, "switch", form->name);
        BENCH(name, SWITCHES, switch_to(&tasks[~i & 1], area_ptes[~i & 1]));
        expect((area_l1[WINDOW - 1] & PTE_FRAME) == (area_ptes[0][WINDOW - 1] & PTE_FRAME), name);
    }
    pv_fpu_taskswitch(false);
}

void bench_patterns(void)
{
    make_child();
    pv_trap_set(14, on_fault);
    area_fill(0);
    for (unsigned f = 0; f < BENCH_FORMS; f++) {
        form = &bench_forms[f];
        bench_pages("fork", form->name, fork_live, true);
    }
    form = bench_form_lazy;
    bench_pages("fork", "filled", fork_filled, true);
    area_fill(-1);
    for (unsigned f = 0; f < BENCH_FORMS; f++) {
        form = &bench_forms[f];
        bench_pages("mmap", form->name, map_touch_unmap, false);
    }
    pv_trap_set(14, NULL);
    area_fill(0);
    bench_switches();
}
