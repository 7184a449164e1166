/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_paravane_op: what a domain asks of the hypervisor, counted and traced, for the
 * hardware domain's tools.
 *
 * A traced domain's vCPUs enter by another target of the SYSCALL stub (x86/entry.S), which calls
 * trace_hypercall() in the handler's place. So others do not execute one instruction for it.
 * Records go to a ring of bytes; a record that finds no room is counted and lost. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/paravane.h>
#include <pvabi/xen.h>

#include "event.h"
#include "grant.h"
#include "trace.h"

#define READ_MOST (64u << 10) /* copied under the lock at a time */

struct trace {
    unsigned order;              /* of its pages, this structure included */
    uint32_t size;               /* of the ring: a multiple of 8 */
    uint64_t head, tail;         /* bytes ever written and read */
    uint64_t lost, written, own; /* as readers are told */
    uint64_t ring[];
};

/* Every d->trace, and what is in them. */
static struct spinlock trace_lock = SPINLOCK_INIT(RANK_CONSOLE);

/* ---- Recording. ---- */

/* Words of the caller's stack; near its end those of its page. */
static always_inline uint16_t copy_stack(uint64_t *to, uint64_t rsp)
{
    uint16_t rest = (uint16_t)((PAGE_SIZE - rsp % PAGE_SIZE) / 8);

    if (!guest_range_ok(rsp, PARAVANE_TRACE_STACK * 8))
        return 0;
    if (likely(guest_load_words(to, rsp, PARAVANE_TRACE_STACK)))
        return PARAVANE_TRACE_STACK;
    return rest < PARAVANE_TRACE_STACK && guest_load_words(to, rsp, rest) ? rest : 0;
}

/* Room for the largest record, in one piece; NULL: there is none. Lock held. */
static always_inline struct paravane_trace_record *room(struct trace *t)
{
    const uint32_t most = sizeof(struct paravane_trace_record) + PARAVANE_TRACE_STACK * 8;
    uint32_t at = (uint32_t)(t->head % t->size), left = t->size - at, pad = left < most ? left : 0;
    struct paravane_trace_record *r = (void *)((char *)t->ring + at);

    if (t->head - t->tail + pad + most > t->size) {
        t->lost++;
        return NULL;
    }
    if (!pad)
        return r;
    *(uint64_t *)r = 0; /* no more than a word may be left */
    r->size = (uint16_t)(pad / 8);
    r->kind = PARAVANE_TRACE_pad;
    t->head += pad;
    return (void *)t->ring;
}

/* Adds the record, with what the vCPU's registers and stack say. The call may have ended the trace.
 */
static always_inline void add(const struct paravane_trace_record *call, uint64_t began)
{
    struct vcpu *v = current;
    const struct guest_regs *regs = vcpu_regs(v);
    struct paravane_trace_record *r;
    bool tell = false;
    struct trace *t;
    uint64_t fill;

    lock(&trace_lock);
    t = v->domain->trace;
    fill = t ? t->head - t->tail : 0;
    if (t && (r = room(t)) != NULL) {
        *r = *call;
        r->vcpu = (uint16_t)v->id;
        r->irets = v->hcall_count[__HYPERVISOR_iret];
        r->rip = regs->rip;
        r->rsp = regs->rsp;
        r->rbp = regs->rbp;
        if (r->kind == PARAVANE_TRACE_call)
            r->stack = copy_stack((uint64_t *)(r + 1), regs->rsp);
        r->size = (uint16_t)(sizeof(*r) / 8 + r->stack);
        t->head += r->size * 8u;
        t->written++;
        tell = fill <= t->size / 4 && t->head - t->tail > t->size / 4;
        if (r->stack && t->written % 64 == 1)
            t->own = MIN(t->own, rdtsc() - began - r->cost);
    }
    unlock(&trace_lock);
    if (tell)
        send_global_virq(VIRQ_TBUF);
}

static always_inline uint32_t first_word(uint64_t nr, const uint64_t arg[3])
{
    uint64_t at = nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_mmuext_op ? arg[0]
                  : nr == __HYPERVISOR_event_channel_op                         ? arg[1]
                                                                                : 0;
    uint32_t word = 0;

    if (at && guest_range_ok(at, sizeof(word)) && !guest_load32(&word, at))
        word = 0;
    return word;
}

/* When that began. */
static always_inline uint64_t begin(struct paravane_trace_record *r, uint8_t kind, uint64_t nr,
                                    uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t now = rdtsc();

    *r = (struct paravane_trace_record){.kind = kind, .number = (uint8_t)nr, .arg = {a, b, c}};
    r->first = first_word(nr, r->arg);
    r->tsc = rdtsc();
    return now;
}

static always_inline long end(struct paravane_trace_record *r, uint64_t began, long result)
{
    r->cost = (uint32_t)MIN(rdtsc() - r->tsc, ~0u);
    r->result = (int32_t)result;
    add(r, began);
    return result;
}

long trace_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t nr)
{
    struct paravane_trace_record r;
    uint64_t began = begin(&r, PARAVANE_TRACE_call, nr, a, b, c);

    return end(&r, began,
               nr == __HYPERVISOR_multicall ? multicall_traced(a, b)
                                            : hypercall_table[nr](a, b, c, d, e));
}

long trace_subcall(uint64_t nr, const uint64_t args[6])
{
    struct paravane_trace_record r;
    uint64_t began = begin(&r, PARAVANE_TRACE_subcall, nr, args[0], args[1], args[2]);

    return end(&r, began, hypercall_dispatch(nr, args));
}

/* ---- Control. ---- */

static int trace_start(struct domain *d, struct paravane_op *op)
{
    uint32_t kib = op->u.trace_start.kib;
    unsigned order = 0;
    struct trace *t, *before;

    if (kib < PARAVANE_TRACE_KIB_MIN || kib > PARAVANE_TRACE_KIB_MAX)
        return refuse(-XEN_EINVAL, "a trace of %u KiB: %d to %d", kib, PARAVANE_TRACE_KIB_MIN,
                      PARAVANE_TRACE_KIB_MAX);
    if (d->dying)
        return refuse(-XEN_ESRCH, "a trace of domain %u, which is dying", d->id);
    while (PAGE_SIZE << order < (uint64_t)kib << 10)
        order++;
    t = page_alloc(order);
    if (!t)
        return refuse(-XEN_ENOMEM, "no memory for a trace of %u KiB", kib);
    t->order = order;
    t->own = ~0ull;
    t->size = (uint32_t)((PAGE_SIZE << order) - sizeof(*t));
    lock(&trace_lock);
    before = d->trace;
    if (!before)
        d->trace = t;
    unlock(&trace_lock);
    if (before) {
        page_free(t, order);
        return refuse(-XEN_EBUSY, "domain %u is being traced already", d->id);
    }
    for_each_vcpu(d, v)
        vcpu_choose_entry(v);
    return 0;
}

void trace_stop(struct domain *d)
{
    struct trace *t;

    lock(&trace_lock);
    t = d->trace;
    d->trace = NULL;
    unlock(&trace_lock);
    if (!t)
        return;
    for_each_vcpu(d, v)
        vcpu_choose_entry(v);
    page_free(t, t->order);
}

static int stop(struct domain *d, struct paravane_op *op)
{
    trace_stop(d);
    return 0;
}

/* Lock held. Zero or a negative error. */
static int copy_out(struct trace *t, struct paravane_trace_read *r)
{
    uint32_t most = (uint32_t)MIN(MIN(t->head - t->tail, r->size), READ_MOST), done = 0;

    while (done < most) {
        uint32_t at = (uint32_t)(t->tail % t->size), n = MIN(most - done, t->size - at);

        if (copy_to_guest(r->buffer + done, (char *)t->ring + at, n))
            return -XEN_EFAULT;
        t->tail += n;
        done += n;
    }
    r->size = done;
    r->lost = t->lost;
    r->written = t->written;
    r->own = t->own;
    return 0;
}

static int trace_read(struct domain *d, struct paravane_op *op)
{
    struct paravane_trace_read *r = &op->u.trace_read;
    int rc = -XEN_ENOENT;

    if (r->size % 8)
        return refuse(-XEN_EINVAL, "%u bytes of a trace: it is read in words", r->size);
    lock(&trace_lock);
    if (d->trace)
        rc = copy_out(d->trace, r);
    unlock(&trace_lock);
    return rc;
}

static uint32_t grants_mapped(const struct grant_table *t)
{
    uint32_t n = 0;

    for (unsigned p = 0; p < t->track_pages; p++) {
        for (unsigned i = 0; i < TRACKS_PER_PAGE; i++)
            n += READ_ONCE(t->track[p][i].flags) != 0;
        preempt_point();
    }
    return n;
}

static int usage(struct domain *d, struct paravane_op *op)
{
    struct paravane_usage *u = &op->u.usage;

    *u = (struct paravane_usage){.refused = d->refused,
                                 .ports = d->evtchn->open,
                                 .grants_used = (uint32_t)d->grants->pins,
                                 .grants_mapped = grants_mapped(d->grants),
                                 .tracing = READ_ONCE(d->trace) != NULL};
    for_each_vcpu(d, v) {
        for (unsigned i = 0; i < ARRAY_SIZE(u->hypercall); i++)
            u->hypercall[i] += v->hcall_count[i];
    }
    return 0;
}

long do_paravane_op(uint64_t arg)
{
    static int (*const ops[])(struct domain *d, struct paravane_op *op) = {
        [PARAVANE_trace_start] = trace_start,
        [PARAVANE_trace_stop] = stop,
        [PARAVANE_trace_read] = trace_read,
        [PARAVANE_usage] = usage,
    };
    struct paravane_op op;
    struct domain *d;
    int rc;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.version != PARAVANE_INTERFACE_VERSION)
        return refuse(-XEN_EACCES, "interface 0x%x; 0x%x is spoken here", op.version,
                      PARAVANE_INTERFACE_VERSION);
    if (op.cmd >= ARRAY_SIZE(ops) || !ops[op.cmd])
        return refuse(-XEN_ENOSYS, "operation %u, which does not exist", op.cmd);
    d = op.domain <= DOMID_MASK ? domain_by_id((domid_t)op.domain) : NULL;
    if (!d)
        return refuse(-XEN_ESRCH, "operation %u on domain %u: there is none of that number", op.cmd,
                      op.domain);
    rc = ops[op.cmd](d, &op);
    return rc ? rc : put_guest(arg, &op);
}
