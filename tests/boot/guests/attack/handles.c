/* SPDX-License-Identifier: MIT */
/* R1-R5: memory the hypervisor reads twice, bad pointers, bad indices, overflow, leaking replies. */
#include "attack.h"

/* R1: one CPU cannot race, but a call can change its own arguments through aliases. */
static void rereads(void)
{
    static union {
        struct mmu_update req[4];
        struct multicall_entry call[4];
        unsigned done;
    } u pv_aligned(64);
    uint64_t *l1 = pv_make_l1(AREA_VA), *page = pv_page_alloc();
    struct multicall_entry *c = u.call;

    /* The count of done requests is written over the requests. */
    for (unsigned i = 0; i < 4; i++) {
        u.req[i].ptr = pv_maddr(&l1[i]);
        u.req[i].val = pv_pte(pv_va_to_mfn(page), PTE_KERNEL);
    }
    pv_mmu_update(u.req, 4, &u.done, DOMID_SELF);
    holds("done count over the requests", !(l1[1] & PTE_P) || (l1[1] & PTE_FRAME) >> 12 ==
                                                                  pv_va_to_mfn(page));
    /* A call of the list rewrites the next one: it may run as rewritten, validated as such. */
    memset(u.call, 0, sizeof(u.call));
    c[0].op = __HYPERVISOR_console_io;
    c[0].args[0] = CONSOLEIO_write;
    c[0].args[1] = -1ul;
    c[1].op = __HYPERVISOR_memory_op;
    c[1].args[0] = XENMEM_machphys_mapping;
    c[1].args[1] = (uint64_t)&c[2];
    pv_multicall(c, 4);
    holds("list that rewrites itself", true);
    /* The mapping of the requests disappears while they are worked through. */
    memset(page, 0, PAGE_SIZE);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(struct mmu_update); i++) {
        ((struct mmu_update *)page)[i].ptr = pv_maddr(&l1[16]);
        ((struct mmu_update *)page)[i].val = 0;
    }
    holds("map the requests", !pv_update_va_mapping(AREA_VA + 16 * PAGE_SIZE,
                                                    pv_pte(pv_va_to_mfn(page), PTE_KERNEL),
                                                    UVMF_INVLPG));
    pv_mmu_update((struct mmu_update *)(AREA_VA + 16 * PAGE_SIZE), 256, NULL, DOMID_SELF);
    holds("requests unmapped by the first of them", l1[16] == 0);
}

/* R2: every call that takes a pointer, in argument `arg`, with the rest of its arguments good. */
static const struct pointer_call {
    const char *name;
    unsigned nr, arg;
    uint64_t args[4];
} pointer_calls[] = {
    {"set_trap_table", __HYPERVISOR_set_trap_table, 0, {0}},
    {"mmu_update", __HYPERVISOR_mmu_update, 0, {0, 1, 0, DOMID_SELF}},
    {"mmuext_op", __HYPERVISOR_mmuext_op, 0, {0, 1, 0, DOMID_SELF}},
    {"set_gdt", __HYPERVISOR_set_gdt, 0, {0, 512}},
    {"multicall", __HYPERVISOR_multicall, 0, {0, 1}},
    {"memory_op machphys_mapping", __HYPERVISOR_memory_op, 1, {XENMEM_machphys_mapping}},
    {"memory_op exchange", __HYPERVISOR_memory_op, 1, {XENMEM_exchange}},
    {"xen_version extraversion", __HYPERVISOR_xen_version, 1, {XENVER_extraversion}},
    {"xen_version features", __HYPERVISOR_xen_version, 1, {XENVER_get_features}},
    {"console_io write", __HYPERVISOR_console_io, 2, {CONSOLEIO_write, 16}},
    {"grant map", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_map_grant_ref, 0, 1}},
    {"grant unmap", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_unmap_grant_ref, 0, 1}},
    {"grant copy", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_copy, 0, 1}},
    {"grant setup", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_setup_table, 0, 1}},
    {"grant query", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_query_size, 0, 1}},
    {"runstate", __HYPERVISOR_vcpu_op, 2, {VCPUOP_get_runstate_info, 0}},
    {"register vcpu_info", __HYPERVISOR_vcpu_op, 2, {VCPUOP_register_vcpu_info, 0}},
    {"singleshot", __HYPERVISOR_vcpu_op, 2, {VCPUOP_set_singleshot_timer, 0}},
    {"sched poll", __HYPERVISOR_sched_op, 1, {SCHEDOP_poll}},
    {"event send", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_send}},
    {"event alloc_unbound", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_alloc_unbound}},
    {"event bind_ipi", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_bind_ipi}},
    {"callback register", __HYPERVISOR_callback_op, 1, {CALLBACKOP_register}},
    {"physdev set_iopl", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_set_iopl}},
    {"physdev map_pirq", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_map_pirq}},
};

static long pointer_call(const struct pointer_call *c, uint64_t va)
{
    uint64_t a[4] = {c->args[0], c->args[1], c->args[2], c->args[3]};

    a[c->arg] = va;
    return pv_hypercall4(c->nr, a[0], a[1], a[2], a[3]);
}

static void pointers(void)
{
    static const uint64_t bad[] = {HV_INSIDE_VA, HV_TEXT_VA,       HV_M2P_VA + 8 * PAGE_SIZE,
                                   NONCANON_VA,  NONCANON_VA - 4,  0xffff7ffffffffff8ul,
                                   AREA_VA * 2,  0xfffffffffffffffcul};
    struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};
    struct sched_poll poll = {.nr_ports = 1};

    for (unsigned c = 0; c < ARRAY_SIZE(pointer_calls); c++)
        for (unsigned b = 0; b < ARRAY_SIZE(bad); b++)
            refused(pointer_calls[c].name, pointer_call(&pointer_calls[c], bad[b]));
    /* Pointers inside good structures; a base that is good and a length that is not. */
    for (unsigned b = 0; b < ARRAY_SIZE(bad); b++) {
        struct mmu_update u = {.ptr = 0};

        /* These two answer with how many extents they did. */
        holds("populate", pv_memory_op(XENMEM_populate_physmap, (void *)bad[b]) <= 0);
        holds("decrease", pv_memory_op(XENMEM_decrease_reservation, (void *)bad[b]) <= 0);
        PV_SET_PTR(res.extent_start, bad[b]);
        holds("populate through a bad list", pv_memory_op(XENMEM_populate_physmap, &res) <= 0);
        PV_SET_PTR(poll.ports, bad[b]);
        refused("poll of a bad list", pv_sched_op(SCHEDOP_poll, &poll));
        refused("count of done requests to a bad place",
                pv_mmu_update(&u, 1, (unsigned *)bad[b], DOMID_SELF));
    }
    refused("mmu_update across the hole",
            pv_mmu_update((void *)(NONCANON_VA - 16), 0x10000000, NULL, DOMID_SELF));
    refused("grant ops whose count wraps",
            pv_grant_table_op(GNTTABOP_map_grant_ref, (void *)0xffffffffffff0000, 0x80000000));
    refused("multicall whose count wraps",
            pv_multicall((void *)0xfffffffffffff000, 0x7fffffff));
}

/* R3: integers that index something. */
static void indices(void)
{
    static const unsigned big[] = {4096, 131072, 0x7fffffff, 0x80000000, 0xffffffff};
    struct callback_register cb = {.type = 200, .address = PV_VIRT_BASE};
    uint64_t *l1 = pv_make_l1(AREA_VA);
    struct mmu_update u = {.ptr = pv_maddr(l1)};
    uint64_t frame = pv_va_to_mfn(pv_page_alloc());

    for (unsigned i = 0; i < ARRAY_SIZE(big); i++) {
        struct evtchn_send send = {.port = big[i]};
        struct evtchn_close close = {.port = big[i]};
        struct evtchn_bind_virq virq = {.virq = big[i]};
        struct evtchn_bind_ipi ipi = {.vcpu = big[i]};
        struct evtchn_bind_vcpu bind = {.port = big[i], .vcpu = 0};
        struct evtchn_unmask unmask = {.port = big[i]};
        struct evtchn_status status = {.dom = DOMID_SELF, .port = big[i]};
        struct xen_memory_reservation res = {
            .nr_extents = 1, .extent_order = big[i], .domid = DOMID_SELF};

        refused("send port", pv_event_channel_op(EVTCHNOP_send, &send));
        refused("close port", pv_event_channel_op(EVTCHNOP_close, &close));
        refused("bind virq", pv_event_channel_op(EVTCHNOP_bind_virq, &virq));
        refused("bind ipi's vcpu", pv_event_channel_op(EVTCHNOP_bind_ipi, &ipi));
        refused("bind vcpu's port", pv_event_channel_op(EVTCHNOP_bind_vcpu, &bind));
        refused("unmask port", pv_event_channel_op(EVTCHNOP_unmask, &unmask));
        refused("status port", pv_event_channel_op(EVTCHNOP_status, &status));
        refused("vcpu id", pv_vcpu_op(VCPUOP_is_up, big[i], NULL));
        refused("debug register", pv_set_debugreg(big[i], 0));
        refused("segment base", pv_set_segment_base(big[i], 0));
        PV_SET_PTR(res.extent_start, &frame);
        holds("extent order", pv_memory_op(XENMEM_populate_physmap, &res) <= 0);
        refused("GDT entries", pv_set_gdt(&frame, big[i] > 8192 ? big[i] : 8192));
        refused("console command", pv_console_io(big[i], 0, NULL));
        refused("grant command", pv_grant_table_op(big[i], &frame, 1));
        refused("hypercall number", pv_hypercall1(big[i], 0));
    }
    refused("callback type", pv_callback_op(CALLBACKOP_register, &cb));
    for (unsigned cmd = 4; cmd < 8; cmd++) {
        u.ptr = pv_maddr(l1) | cmd;
        refused("misaligned entry", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
    }
    refused("misaligned descriptor", pv_update_descriptor(pv_maddr(l1) + 3, 0));
}

/* R4: arithmetic at its ends. */
static void overflows(void)
{
    static const uint64_t big[] = {1ul << 31, 1ul << 32, 1ul << 40, 1ul << 51, 1ul << 52,
                                   1ul << 61, 1ul << 63, ~0ul >> 12, ~0ul};
    uint64_t *l1 = pv_make_l1(AREA_VA);

    for (unsigned i = 0; i < ARRAY_SIZE(big); i++) {
        struct mmu_update u = {.ptr = big[i] << 3, .val = 0};
        struct mmu_update m = {.ptr = big[i] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 0};
        struct vcpu_register_vcpu_info info = {.mfn = big[i]};
        uint64_t frame = big[i];

        refused("table address", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
        if (big[i] << PAGE_SHIFT >> PAGE_SHIFT == big[i])
            refused("M2P index", pv_mmu_update(&m, 1, NULL, DOMID_SELF));
        refused("pin", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, big[i]));
        refused("unpin", pv_ext_mfn(MMUEXT_UNPIN_TABLE, big[i]));
        refused("root", pv_ext_mfn(MMUEXT_NEW_BASEPTR, big[i]));
        refused("clear page", pv_ext_mfn(MMUEXT_CLEAR_PAGE, big[i]));
        refused("vcpu_info frame", pv_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
        refused("GDT frame", pv_set_gdt(&frame, 512));
        refused("descriptor", pv_update_descriptor(big[i] << 3, 0));
    }
    for (unsigned off = 4096 - 63; off <= 4096 + 8; off += 7) {
        struct vcpu_register_vcpu_info info = {.mfn = pv_va_to_mfn(pv_page_alloc()),
                                               .offset = off};

        refused("vcpu_info past its page", pv_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
    }
    if (l1)
        refused("entry with a frame past all memory",
                pv_set_entry(l1, PTE_FRAME | PTE_KERNEL));
}

/* R5: replies with hypervisor memory in them. */
static bool leaks(const void *reply, size_t size)
{
    const uint8_t *p = reply;

    for (size_t i = 0; i + 8 <= size; i++) {
        uint64_t v;

        memcpy(&v, p + i, 8);
        if (v >= 0xffff820000000000ul && v < 0xffff880000000000ul)
            return true;
    }
    return false;
}

static void replies(void)
{
    static uint8_t buf[PAGE_SIZE] pv_aligned(64);

    for (unsigned cmd = 0; cmd < 12; cmd++) {
        memset(buf, 0, sizeof(buf));
        if (cmd == XENVER_get_features)
            ((uint32_t *)buf)[0] = 0;
        pv_xen_version(cmd, buf);
        holds("xen_version reply", !leaks(buf, sizeof(buf)));
    }
    for (unsigned cmd = 0; cmd < 32; cmd++) {
        if (cmd == XENMEM_machphys_mapping || cmd == XENMEM_decrease_reservation)
            continue;
        memset(buf, 0, sizeof(buf));
        ((struct xen_memory_reservation *)buf)->domid = DOMID_SELF;
        pv_memory_op(cmd, buf);
        holds("memory_op reply", !leaks(buf, sizeof(buf)));
    }
    for (unsigned cmd = 0; cmd < 16; cmd++) {
        if (cmd == EVTCHNOP_close || cmd == EVTCHNOP_reset)
            continue;
        memset(buf, 0, sizeof(buf));
        ((struct evtchn_status *)buf)->dom = DOMID_SELF;
        pv_event_channel_op(cmd, buf);
        holds("event_channel_op reply", !leaks(buf, 64));
    }
    memset(buf, 0, sizeof(buf));
    pv_vcpu_op(VCPUOP_get_runstate_info, 0, buf);
    holds("runstate reply", !leaks(buf, 64));
    for (unsigned cmd = 0; cmd < 12; cmd++) {
        memset(buf, 0, sizeof(buf));
        ((struct gnttab_query_size *)buf)->dom = DOMID_SELF;
        pv_grant_table_op(cmd, buf, 1);
        holds("grant_table_op reply", !leaks(buf, 64));
    }
}

const struct attack handle_attacks[] = {
    {"r1", "arguments that change while a call reads them", rereads, ATTACK_SURVIVES},
    {"r2", "pointers into the hypervisor, wrapping arrays", pointers, ATTACK_SURVIVES},
    {"r3", "indices, orders and ports out of range", indices, ATTACK_SURVIVES},
    {"r4", "overflowing frame numbers and offsets", overflows, ATTACK_SURVIVES},
    {"r5", "replies that leak hypervisor memory", replies, ATTACK_SURVIVES},
    {.name = NULL},
};
