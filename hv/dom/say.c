/* SPDX-License-Identifier: MIT */
/* What the log says about guests: refusals, crashes, and everything else that a guest can cause. A
 * guest may cause it without end, so every domain has a bucket of lines: some at once, then a few a
 * second. */
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/print.h>
#include <pvabi/sched.h>

#define BUCKET_LINES   64
#define LINES_A_SECOND 10
#define NS_A_LINE      (1000000000ull / LINES_A_SECOND)
#define TEXT_SIZE      320

static struct spinlock log_lock = SPINLOCK_INIT(RANK_CONSOLE);

/* Takes a line out of the domain's bucket. True: it may be printed; *suppressed were not since the
 * last that was. */
static bool take_line(struct domain *d, uint32_t *suppressed)
{
    uint64_t now = now_ns(), refill;
    bool ok;

    lock(&log_lock);
    refill = (now - d->log_filled_at) / NS_A_LINE;
    if (refill || !d->log_filled_at) {
        d->log_lines_left = !d->log_filled_at
                                ? BUCKET_LINES
                                : (uint32_t)MIN(d->log_lines_left + refill, BUCKET_LINES);
        d->log_filled_at = d->log_filled_at ? d->log_filled_at + refill * NS_A_LINE : now;
    }
    ok = d->log_lines_left > 0;
    d->log_lines_left -= ok;
    *suppressed = ok ? d->log_suppressed : 0;
    d->log_suppressed = ok ? 0 : d->log_suppressed + 1;
    unlock(&log_lock);
    return ok;
}

static bool may_say(const struct domain *domain, enum log_level level)
{
    struct domain *d = (struct domain *)domain; /* its log fields change whoever looks on */
    uint32_t suppressed;

    if ((int)level > options.guest_loglvl || !take_line(d, &suppressed))
        return false;
    if (suppressed)
        printk(LOG_ERR, "d%u: %u lines about this domain were left out", d->id, suppressed);
    return true;
}

void guest_log(const struct domain *d, enum log_level level, const char *fmt, ...)
{
    char text[TEXT_SIZE];

    if (!may_say(d, level))
        return;
    FORMAT_TEXT(text, fmt);
    if (current->domain == d)
        printk(LOG_ERR, "d%uv%u %s", d->id, current->id, text);
    else
        printk(LOG_ERR, "d%u %s", d->id, text);
}

/* For a sentence; "": none, as of grant operations, which have statuses of their own. */
static const char *errno_name(int err)
{
#define NAME(name, value) [value] = " (" #name ")",
    static const char *const names[] = {XEN_ERRNO_LIST(NAME)};
#undef NAME
    unsigned n = (unsigned)-err;

    return n < ARRAY_SIZE(names) && names[n] ? names[n] : "";
}

/* What the vCPU was doing when it was refused something. */
static const char *activity(const struct vcpu *v)
{
    const struct guest_regs *r = vcpu_regs(v);

    return r->vector == ENTRY_SYSCALL ? hypercall_name((unsigned)r->rax) : "trapped instruction";
}

int refuse(int err, const char *fmt, ...)
{
    struct vcpu *v = current;
    struct domain *d = v->domain;
    char text[TEXT_SIZE];

    d->refused++;
    if (!may_say(d, LOG_WARN))
        return err;
    FORMAT_TEXT(text, fmt);
    if (v->is_idle) /* the dom0 builder asks for things like a guest */
        printk(LOG_ERR, "refused%s: %s", errno_name(err), text);
    else
        printk(LOG_ERR, "d%uv%u %s refused%s: %s; RIP 0x%lx", d->id, v->id, activity(v),
               errno_name(err), text, vcpu_regs(v)->rip);
    return err;
}

static void print_registers(const struct vcpu *v)
{
    const struct guest_regs *r = vcpu_regs(v);

    printk(LOG_ERR, "d%uv%u in %s mode, rip %lx:%016lx rsp %lx:%016lx rflags %08lx", v->domain->id,
           v->id, v->kernel_mode ? "kernel" : "user", r->cs, r->rip, r->ss, r->rsp, r->rflags);
    print_gprs(r);
    printk(LOG_ERR, "cr3 %lx/%lx", v->kernel_cr3, v->user_cr3);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    const struct vcpu *v = current->domain == d ? current : d->vcpu[0];
    char text[TEXT_SIZE];

    if (__atomic_exchange_n(&d->crashed, true, __ATOMIC_SEQ_CST))
        return;
    FORMAT_TEXT(text, fmt);
    printk(LOG_ERR, "d%u crashed: %s", d->id, text);
    if (v)
        print_registers(v);
    d->shutdown_code = SHUTDOWN_crash;
    domain_shutdown(d, SHUTDOWN_crash);
}
