/* SPDX-License-Identifier: MIT */
/* A11: what each port says about others, they say about it. */
#include "../../hv/dom/event.h"
#include "fake.h"

static void bound(const struct domain *d, unsigned n, const struct port *p)
{
    const struct port *q;

    switch (p->state) {
    case EVTCHNSTAT_interdomain:
        q = port_at(p->peer->evtchn, p->number);
        if (!q || q->state != EVTCHNSTAT_interdomain || q->peer != d || q->number != n)
            fake_fail("A11: port %u of domain %u is connected to port %u of domain %u, but not "
                      "that to it",
                      n, d->id, p->number, p->peer->id);
        break;
    case EVTCHNSTAT_pirq:
        if (d->evtchn->pirq_port[p->number] != n || !fake_pirq_bound[p->number])
            fake_fail("A11: port %u has pirq %u, which does not have it", n, p->number);
        break;
    case EVTCHNSTAT_virq:
        for_each_vcpu(d, v) {
            if (v->virq_port[p->number] == n)
                return;
        }
        fake_fail("A11: port %u has VIRQ %u, and no vCPU knows", n, p->number);
    case EVTCHNSTAT_unbound:
    case EVTCHNSTAT_ipi:
        break;
    default:
        fake_fail("A11: port %u of domain %u has state %u", n, d->id, p->state);
    }
}

static void domain(const struct domain *d)
{
    const struct evtchn_table *t = d->evtchn;
    unsigned open = 0;

    for (unsigned n = 0; n < EVTCHN_2L_NR_CHANNELS; n++) {
        const struct port *p = port_at(t, n);

        if (!p) {
            n += PORTS_PER_BUCKET - 1;
            continue;
        }
        if (p->state == EVTCHNSTAT_closed) {
            if (n && n < t->first_free)
                fake_fail("A11: port %u is free, but the first free one is %u", n, t->first_free);
            continue;
        }
        if (!n || p->vcpu >= d->max_vcpus)
            fake_fail("A11: port %u of domain %u has vCPU %u", n, d->id, p->vcpu);
        open++;
        bound(d, n, p);
    }
    if (open != t->open)
        fake_fail("A11: domain %u has %u open ports, not %u", d->id, open, t->open);
    for_each_vcpu(d, v) {
        for (unsigned i = 0; i < NR_VIRQS; i++) {
            const struct port *p = port_at(t, v->virq_port[i]);

            if (v->virq_port[i] && (!p || p->state != EVTCHNSTAT_virq || p->number != i))
                fake_fail("A11: VIRQ %u of d%uv%u has port %u, which does not have it", i, d->id,
                          v->id, v->virq_port[i]);
        }
    }
}

void fake_event_check(void)
{
    for_each_domain(d)
        domain(d);
}
