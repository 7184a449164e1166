/* SPDX-License-Identifier: MIT */
/* The trace operation, by a hardware domain that traces itself with all sorts of stacks. */
#include "attack.h"
#include <pvabi/paravane.h>
#include <pvabi/sysctl.h>

#define RING_KIB PARAVANE_TRACE_KIB_MIN

static uint64_t room[RING_KIB * 1024 / 8];

static long call(struct paravane_op *op, unsigned cmd)
{
    op->version = PARAVANE_INTERFACE_VERSION;
    op->cmd = cmd;
    op->domain = DOMID_SELF;
    return pv_hypercall1(__HYPERVISOR_paravane_op, (uint64_t)op);
}

static long start(unsigned kib)
{
    struct paravane_op op = {.u.trace_start.kib = kib};

    return call(&op, PARAVANE_trace_start);
}

static long stop(void)
{
    struct paravane_op op = {.version = 0};

    return call(&op, PARAVANE_trace_stop);
}

/* The number of bytes, or the error. */
static long read(uint64_t buffer, unsigned size, uint64_t *lost)
{
    struct paravane_op op = {.u.trace_read = {.buffer = buffer, .size = size}};
    long rc = call(&op, PARAVANE_trace_read);

    *lost = op.u.trace_read.lost;
    return rc ? rc : op.u.trace_read.size;
}

static uint64_t free_frames(void)
{
    struct xen_sysctl op = {.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
                            .cmd = XEN_SYSCTL_availheap};

    return pv_hypercall1(__HYPERVISOR_sysctl, (uint64_t)&op) ? 0 : op.u.availheap.avail_bytes;
}

static void nonsense(void)
{
    static const unsigned commands[] = {0, PARAVANE_usage + 1, 64, ~0u};
    static const uint64_t pointers[] = {HV_INSIDE_VA,    HV_TEXT_VA, HV_M2P_VA, NONCANON_VA,
                                        NONCANON_VA - 8, ~7ul,       0};
    struct paravane_op op = {.version = 1, .cmd = PARAVANE_usage, .domain = DOMID_SELF};
    uint64_t lost;

    refused("another version", pv_hypercall1(__HYPERVISOR_paravane_op, (uint64_t)&op));
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        refused("unknown operation", call(&op, commands[i]));
    for (unsigned i = 0; i < ARRAY_SIZE(pointers); i++)
        refused("argument", pv_hypercall1(__HYPERVISOR_paravane_op, pointers[i]));
    op = (struct paravane_op){
        .version = PARAVANE_INTERFACE_VERSION, .cmd = PARAVANE_usage, .domain = 1u << 16};
    refused("domain 0 with high bits", pv_hypercall1(__HYPERVISOR_paravane_op, (uint64_t)&op));
    refused("no memory", start(0));
    refused("too little", start(RING_KIB - 1));
    refused("too much", start(PARAVANE_TRACE_KIB_MAX + 1));
    refused("all bits", start(~0u));
    refused("reading what is not traced", read((uint64_t)room, sizeof(room), &lost));
}

static void bad_buffers(void)
{
    static const uint64_t pointers[] = {HV_INSIDE_VA, HV_TEXT_VA, HV_M2P_VA, NONCANON_VA, 0};
    uint64_t lost;

    refused("a second trace", start(RING_KIB));
    refused("half a word", read((uint64_t)room, 12, &lost));
    for (unsigned i = 0; i < ARRAY_SIZE(pointers); i++)
        refused("buffer", read(pointers[i], sizeof(room), &lost));
    holds("more than there is is not given",
          read((uint64_t)room, ~7u, &lost) <= (long)sizeof(room));
}

static void call_with_stack(uint64_t sp)
{
    long nr = __HYPERVISOR_xen_version;

    __asm__ volatile("mov %%rsp, %%r12\n\tmov %1, %%rsp\n\tsyscall\n\tmov %%r12, %%rsp"
                     : "+a"(nr)
                     : "r"(sp), "D"(0ul), "S"(0ul)
                     : "rcx", "r11", "r12", "memory");
}

/* Nothing that is not the guest's own memory may come back as its stack. */
static void bad_stacks(void)
{
    static const uint64_t stacks[] = {
        HV_INSIDE_VA, HV_TEXT_VA, HV_M2P_VA, NONCANON_VA, NONCANON_VA - 8, HV_INSIDE_VA + 3,
        ~0ul,         8,          0};
    unsigned found = 0, words = 0;
    uint64_t lost;
    long n;

    read((uint64_t)room, sizeof(room), &lost);
    for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++)
        call_with_stack(stacks[i]);
    n = read((uint64_t)room, sizeof(room), &lost);
    for (long at = 0; at < n / 8;) {
        const struct paravane_trace_record *r = (const void *)&room[at];

        if (!r->size)
            break;
        for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++) {
            if (r->kind != PARAVANE_TRACE_call || r->rsp != stacks[i])
                continue;
            found++;
            words += r->stack;
        }
        at += r->size;
    }
    holds("calls on bad stacks are recorded", found == ARRAY_SIZE(stacks));
    holds("and nothing of these", !words);
}

static void lists(void)
{
    static struct multicall_entry c[3];
    uint64_t lost;

    c[0].op = __HYPERVISOR_multicall;
    c[1].op = __HYPERVISOR_iret;
    c[2].op = 1ul << 32 | __HYPERVISOR_xen_version;
    pv_multicall(c, 3);
    refused("a list in a list", (long)c[0].result);
    refused("iret in a list", (long)c[1].result);
    refused("a number with high bits", (long)c[2].result);
    refused("a list in the hypervisor", pv_multicall((void *)HV_INSIDE_VA, 2));
    refused("no hypercall", pv_hypercall1(64, 0));
    refused("no hypercall, of 64 bits", pv_hypercall1(~0u, 0));
    for (unsigned i = 0; i < 2000; i++)
        pv_xen_version(XENVER_version, NULL);
    read((uint64_t)room, sizeof(room), &lost);
    holds("records beyond the ring are lost", lost > 1000);
}

static void traces(void)
{
    uint64_t before = free_frames(), lost;

    if (attack_on_xen) {
        refused("a call that Xen does not have", start(RING_KIB));
        return;
    }
    nonsense();
    for (unsigned round = 0; round < 3; round++) {
        holds("it starts", !start(RING_KIB));
        bad_buffers();
        bad_stacks();
        lists();
        holds("it stops", !stop());
        holds("once more is nothing", !stop());
        refused("reading after the end", read((uint64_t)room, sizeof(room), &lost));
    }
    holds("its frames came back", before && free_frames() == before);
}

const struct attack trace_attacks[] = {
    {"trace", "traces of odd stacks, lists and buffers", traces, ATTACK_SURVIVES},
    {.name = NULL},
};
