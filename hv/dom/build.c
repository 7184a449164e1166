/* SPDX-License-Identifier: MIT */
/* Builds dom0 from the boot modules and starts it; build.h draws its memory. */
#include <string.h>

#include <hv/cpu.h>
#include <hv/dev.h>
#include <hv/mm.h>
#include <hv/print.h>

#include "build.h"

#define MAP_ALIGN 1024ull /* pages: 4 MiB */
#define MAP_SLACK 128ull  /* 512 KiB that the kernel may use before it makes tables of its own */

static bool initrd_is_mapped(const struct builder *b)
{
    return b->initrd && !b->image.mod_start_pfn;
}

static bool p2m_is_mapped_apart(const struct builder *b)
{
    return b->image.init_p2m != IMAGE_ABSENT;
}

/* The tables map themselves, so their number is found by trying. */
static void place_tables(struct builder *b)
{
    uint64_t base = b->image.virt_base, needed = 4;

    do {
        b->tables = needed;
        b->stack_pfn = b->tables_pfn + b->tables;
        b->map_pages = ROUND_UP(b->stack_pfn + 1 + MAP_SLACK, MAP_ALIGN);
        needed = 1 + tables_needed(base, base + (b->map_pages << PAGE_SHIFT));
    } while (needed != b->tables);
}

static void lay_out(struct builder *b)
{
    uint64_t pfn = pages_of(b->image.virt_end - b->image.virt_base);
    uint64_t initrd_pages = b->initrd ? pages_of(b->initrd->size) : 0;

    b->p2m_pages = pages_of(b->nr_pages * sizeof(uint64_t));
    if (initrd_is_mapped(b)) {
        b->initrd_pfn = pfn;
        pfn += initrd_pages;
    }
    if (!p2m_is_mapped_apart(b)) {
        b->p2m_pfn = pfn;
        pfn += b->p2m_pages;
    }
    b->start_info_pfn = pfn;
    b->tables_pfn = pfn + 1;
    place_tables(b);

    pfn = b->map_pages;
    if (b->initrd && !initrd_is_mapped(b)) {
        b->initrd_pfn = pfn;
        pfn += initrd_pages;
    }
    if (p2m_is_mapped_apart(b)) {
        b->p2m_pfn = pfn;
        /* If tables of the bootstrap map serve here too, some of these stay unused. */
        b->p2m_tables =
            tables_needed(b->image.init_p2m, b->image.init_p2m + (b->p2m_pages << PAGE_SHIFT));
        pfn += b->p2m_pages + b->p2m_tables;
    }
    if (pfn > b->nr_pages)
        panic("dom0 has %lu MiB of memory, too little for its kernel and initial RAM disk, which "
              "take %lu",
              b->nr_pages >> 8, pfn >> 8);
    if ((build_va(b, b->map_pages) - 1) >> 30 != b->image.virt_base >> 30)
        panic("dom0's bootstrap map of %lu MiB at 0x%lx does not fit in one L2 table: the initial "
              "RAM disk is too large",
              b->map_pages >> 8, b->image.virt_base);
}

static void fill_start_info(const struct builder *b)
{
    struct start_info *s = mfn_va(build_mfn(b, b->start_info_pfn));

    memset(s, 0, PAGE_SIZE);
    snprintf(s->magic, sizeof(s->magic), "xen-3.0-x86_64");
    s->nr_pages = b->nr_pages;
    s->shared_info = b->d->shared_mfn.n << PAGE_SHIFT;
    s->flags = SIF_PRIVILEGED | SIF_INITDOMAIN | SIF_VIRT_P2M_4TOOLS;
    s->pt_base = build_va(b, b->tables_pfn);
    s->nr_pt_frames = b->tables;
    s->mfn_list = p2m_is_mapped_apart(b) ? b->image.init_p2m : build_va(b, b->p2m_pfn);
    if (p2m_is_mapped_apart(b)) {
        s->first_p2m_pfn = b->p2m_pfn;
        s->nr_p2m_frames = b->p2m_pages + b->p2m_tables;
    }
    if (b->initrd) {
        s->mod_start = initrd_is_mapped(b) ? build_va(b, b->initrd_pfn) : b->initrd_pfn;
        s->mod_len = b->initrd->size;
        s->flags |= initrd_is_mapped(b) ? 0 : SIF_MOD_START_PFN;
    }
    snprintf((char *)s->cmd_line, sizeof(s->cmd_line), "%s", b->kernel->args);
}

/* Everything but page tables and p2m. The unpacked kernel is lost where they overlap, so it goes
 * first. */
static void fill(struct builder *b)
{
    const char *module;

    build_load(b);
    if (b->initrd) {
        module = (const char *)mfn_va(mfn(0)) + b->initrd->start;
        BUG_ON(!build_copy(b, b->initrd_pfn << PAGE_SHIFT, module, b->initrd->size));
    }
    fill_start_info(b);
}

static void start(struct builder *b)
{
    struct vcpu *v = b->d->vcpu[0];

    if (pt_pin(b->d, b->root, FT_L4) || pt_get_root(b->d, b->root))
        panic("dom0's first page tables are refused, see above");
    vcpu_start_context(v, b->image.entry, build_va(b, b->stack_pfn + 1),
                       build_va(b, b->start_info_pfn), b->root);
    v->initialised = true;
    vcpu_up(v);
}

void dom0_build(void)
{
    static struct builder builder;
    struct builder *b = &builder;
    unsigned vcpus = options.dom0_max_vcpus ? options.dom0_max_vcpus : cpu_count;

    if (!boot_info.module_count)
        panic("no dom0 kernel: it must be the first boot module");
    b->kernel = &boot_info.module[0];
    b->initrd = boot_info.module_count > 1 ? &boot_info.module[1] : NULL;
    b->d = domain_create(0, MIN(vcpus, (unsigned)MAX_VCPUS), true);
    if (!b->d)
        panic("no memory for dom0's administration");
    devices_forbid_mmio(b->d);
    for (unsigned i = 0; i < b->d->max_vcpus; i++) {
        if (!vcpu_create(b->d, i))
            panic("no memory for dom0's vCPU %u", i);
    }
    build_memory(b);
    build_unpack(b);
    lay_out(b);
    fill(b);
    build_p2m(b);
    build_tables(b);
    printk(LOG_INFO,
           "dom0: %lu MiB in %u pieces, %u vCPUs, initial RAM disk %lu KiB, command line \"%s\"",
           b->nr_pages >> 8, b->run_count, b->d->max_vcpus, b->initrd ? b->initrd->size >> 10 : 0,
           b->kernel->args);
    start(b);
}
