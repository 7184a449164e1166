/* SPDX-License-Identifier: MIT */
/* The console: dom0's is the hypervisor's own, by console_io; others share a page with a daemon. */
#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/mm.h>
#include <pvabi/io/console.h>

/* NULL while the page is not reachable, and in dom0. */
static struct xencons_interface *page(void)
{
    if (!pv_m2p || pv_start_info->flags & SIF_INITDOMAIN || !pv_start_info->console.domU.evtchn)
        return NULL;
    return pv_mfn_to_va(pv_start_info->console.domU.mfn);
}

static void page_write(struct xencons_interface *p, const char *s, size_t len)
{
    unsigned port = pv_start_info->console.domU.evtchn;
    uint32_t prod = p->out_prod;

    while (len) {
        if (prod - pv_load(&p->out_cons) >= sizeof(p->out)) {
            pv_event_send(port);
            pv_sched_op(SCHEDOP_yield, NULL);
            continue;
        }
        p->out[MASK_XENCONS_IDX(prod++, p->out)] = *s++;
        len--;
        pv_barrier(); /* the byte before the index that shows it */
        pv_store(&p->out_prod, prod);
    }
    pv_event_send(port);
}

void pv_write(const char *s, size_t len)
{
    struct xencons_interface *p = page();

    if (p)
        page_write(p, s, len);
    else
        pv_console_io(CONSOLEIO_write, len, (char *)s);
}

static size_t page_read(struct xencons_interface *p, char *buf, size_t size)
{
    uint32_t cons = p->in_cons;
    size_t n = 0;

    for (; n < size && cons != pv_load(&p->in_prod); n++)
        buf[n] = p->in[MASK_XENCONS_IDX(cons++, p->in)];
    if (!n)
        return 0;
    pv_barrier(); /* the bytes are out before the other side may reuse their places */
    pv_store(&p->in_cons, cons);
    pv_event_send(pv_start_info->console.domU.evtchn);
    return n;
}

size_t pv_console_read(char *buf, size_t size)
{
    struct xencons_interface *p = page();
    long n = p ? (long)page_read(p, buf, size) : pv_console_io(CONSOLEIO_read, size, buf);

    return n < 0 ? 0 : n;
}

long pv_console_port(void)
{
    return page() ? (long)pv_start_info->console.domU.evtchn : pv_event_bind_virq(VIRQ_CONSOLE);
}
