/* SPDX-License-Identifier: MIT */
/* dom0's kernel: unpacking, parsing, loading. The unpacked file and the unpacker's work memory lie
 * at the end of dom0's first run, which the loaded kernel at its beginning does not reach; so they
 * take no memory that is not dom0's, and nothing has to be cleared afterwards. */
#include <hv/print.h>
#include <hv/x86.h>

#include "build.h"

static char err[IMAGE_ERR_SIZE];

static noreturn void bad_kernel(void)
{
    panic("dom0's kernel cannot be used: %s", err);
}

static noreturn void no_room(const struct builder *b)
{
    panic("dom0's memory, %lu MiB in one piece, is too small to unpack its kernel in: give it more "
          "by dom0_mem=",
          b->run[0].pages >> 8);
}

/* Takes pages off the end of the first run. */
static void *take_scratch(struct builder *b, uint64_t bytes)
{
    if (pages_of(bytes) > b->scratch_pfn)
        no_room(b);
    b->scratch_pfn -= pages_of(bytes);
    return mfn_va(mfn(b->run[0].mfn + b->scratch_pfn));
}

/* The decoders are ordinary programs: unpack.h says what of. */
static void *unpack_payload(struct builder *b, const struct packed *p)
{
    void *file = take_scratch(b, p->unpacked_size), *work;
    uint64_t work_size;
    bool ok;

    write_cr0(read_cr0() & ~CR0_TS);
    wrmsr(MSR_FS_BASE, (uint64_t)unpack_tls);
    work_size = unpack_work_size(p);
    work = take_scratch(b, work_size);
    ok = unpack(p, file, p->unpacked_size, work, work_size, err);
    wrmsr(MSR_FS_BASE, 0);
    if (!ok)
        bad_kernel();
    b->scratch_pfn += pages_of(work_size);
    return file;
}

void build_unpack(struct builder *b)
{
    const void *blob = (const char *)mfn_va(mfn(0)) + b->kernel->start, *file;
    struct packed payload;

    b->scratch_pfn = b->run[0].pages;
    if (!image_probe(blob, b->kernel->size, &payload, err))
        bad_kernel();
    file = payload.kind == PACK_NONE ? payload.data : unpack_payload(b, &payload);
    if (!image_parse(file, payload.unpacked_size, &b->image, err))
        bad_kernel();
    if (!b->image.can_be_dom0)
        panic("dom0's kernel cannot be used: it says that it cannot be the first domain (feature "
              "dom0)");
    printk(LOG_INFO, "dom0: %s %s kernel, %s, %zu KiB, at 0x%lx to 0x%lx, entry 0x%lx",
           b->image.guest_os, b->image.guest_version, pack_names[payload.kind], payload.len >> 10,
           b->image.virt_start, b->image.virt_end, b->image.entry);
}

static bool put(void *opaque, uint64_t virt, const void *src, uint64_t len)
{
    const struct builder *b = opaque;

    return build_copy(b, virt - b->image.virt_base, src, len);
}

/* A slot for each hypercall: its number to EAX, SYSCALL. Like the stubs in kernels, they keep RCX
 * and R11 on the stack, where the iret call's frame has them too; that one does not return. */
void build_hypercall_page(uint8_t *page)
{
    static const uint8_t call[] = {0x51, 0x41, 0x53, 0xb8, 0,    0,    0,
                                   0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    static const uint8_t iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05};

    for (unsigned nr = 0; nr < PAGE_SIZE / 32; nr++) {
        uint8_t *slot = page + nr * 32;
        const uint8_t *code = nr == 23 ? iret : call;
        unsigned len = nr == 23 ? sizeof(iret) : sizeof(call);

        for (unsigned i = 0; i < 32; i++)
            slot[i] = i < len ? code[i] : 0xcc;
        if (nr != 23)
            slot[4] = (uint8_t)nr;
    }
}

void build_load(struct builder *b)
{
    if (b->scratch_pfn < b->run[0].pages &&
        pages_of(b->image.virt_end - b->image.virt_base) > b->scratch_pfn)
        no_room(b);
    if (!image_load(&b->image, put, b))
        panic("dom0's kernel, which ends at 0x%lx, does not fit in its %lu pages",
              b->image.virt_end, b->nr_pages);
    if (b->image.hypercall_page != IMAGE_ABSENT)
        build_hypercall_page(
            mfn_va(build_mfn(b, (b->image.hypercall_page - b->image.virt_base) >> PAGE_SHIFT)));
}
