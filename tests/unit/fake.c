/* SPDX-License-Identifier: MIT */
/* The fake machine: frames, domains, vCPUs and CPUs, and what the hypervisor says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct frame *frame_table;
uint64_t frame_max;
struct percpu *percpu_of[MAX_CPUS];
unsigned cpu_count = FAKE_CPUS;
struct vcpu *host_current;
uint64_t *hv_root, hv_root_maddr;

struct domain *fake_dom[FAKE_DOMAINS];
unsigned fake_ram;

static struct frame frames[FAKE_FRAMES];
static _Alignas(4096) uint8_t memory[FAKE_RAM][4096];
static _Alignas(4096) uint64_t root_template[512];
static struct percpu cpus[FAKE_CPUS];
static struct domain domains[FAKE_DOMAINS];
static struct vcpu vcpus[FAKE_DOMAINS][MAX_VCPUS], idle[FAKE_CPUS];
static _Alignas(16) uint8_t stacks[FAKE_DOMAINS][FAKE_VCPUS * 2][1024];
static mfn_t given[FAKE_DOMAINS][FAKE_RAM];
static unsigned given_count[FAKE_DOMAINS];

void *host_frame_va(uint64_t n)
{
    if (n >= fake_ram)
        fake_fail("the hypervisor looks into frame %#lx, which is no RAM", n);
    return memory[n];
}

uint64_t host_va_frame(const void *va)
{
    uint64_t n = (uint64_t)((const uint8_t *)va - memory[0]) / 4096;

    if (n >= fake_ram)
        fake_fail("%p is not in the direct map", va);
    return n;
}

static void make_vcpu(struct domain *d, unsigned id)
{
    struct vcpu *v = &vcpus[d->id][id];

    memset(v, 0, sizeof(*v));
    v->domain = d;
    v->id = id;
    v->pcpu = &cpus[(d->id + id) % FAKE_CPUS];
    v->kernel_mode = 1;
    v->online = true;
    v->state = VCPU_RUNNING;
    v->stack_top = (uint64_t)stacks[d->id][id] + sizeof(stacks[d->id][id]);
    v->info = &d->shared->vcpu_info[id];
    v->info_mfn = INVALID_MFN;
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++)
        v->gdt_frame[i] = v->ldt_frame[i] = INVALID_MFN.n;
    d->vcpu[id] = v;
}

static void make_domain(unsigned id, const struct fake_config *c)
{
    struct domain *d = &domains[id];
    unsigned pages = c && c->pages ? c->pages : 16;

    memset(d, 0, sizeof(*d));
    fake_dom[id] = d;
    d->id = (domid_t)id;
    d->is_hardware = id == 0;
    lock_init(&d->life, RANK_DOMAIN);
    lock_init(&d->pt_lock, RANK_PT);
    lock_init(&d->pages_lock, RANK_PAGES);
    d->max_pages = pages + 8;
    d->max_vcpus = c && c->vcpus ? c->vcpus : FAKE_VCPUS;
    d->shared = domain_alloc_shared_page(d, &d->shared_mfn);
    if (!d->shared)
        fake_fail("no shared page");
    for (unsigned i = 0; i < d->max_vcpus; i++)
        make_vcpu(d, i);
    given_count[id] = 0;
    for (unsigned i = 0; i < pages; i++) {
        if (domain_alloc_frames(d, 0, HEAP_ANY_BITS, &given[id][i]))
            fake_fail("the fake machine has too little memory");
        given_count[id]++;
        m2p_set(given[id][i], i);
    }
    d->next = domain_list;
    domain_list = d;
    if (evtchn_domain_init(d) || grant_domain_init(d))
        fake_fail("domain %u cannot be made", id);
}

static void make_cpus(void)
{
    memset(cpus, 0, sizeof(cpus));
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        memset(&idle[i], 0, sizeof(idle[i]));
        idle[i].is_idle = true;
        idle[i].pcpu = &cpus[i];
        cpus[i].id = i;
        cpus[i].online = true;
        cpus[i].running = cpus[i].idle = &idle[i];
        lock_init(&cpus[i].sched_lock, RANK_SCHED);
        lock_init(&cpus[i].timer_lock, RANK_TIMER);
        percpu_of[i] = &cpus[i];
    }
}

void fake_reset(const struct fake_config *c)
{
    fake_ram = c && c->ram ? c->ram : 128;
    frame_table = frames;
    frame_max = fake_ram + FAKE_IO;
    memset(frames, 0, sizeof(frames));
    memset(memory, 0xc5, fake_ram * 4096ul);
    frames[0].word = FW_REF_ONE; /* the hypervisor's */
    for (unsigned i = 0; i < FAKE_IO; i++) {
        frames[fake_ram + i].owner = &dom_io;
        frames[fake_ram + i].word = FW_REF_ONE;
    }
    hv_root = root_template;
    hv_root_maddr = 0;
    for (unsigned i = 0; i < 512; i++)
        hv_root[i] = i >= HV_SLOT_FIRST && i <= HV_SLOT_LAST ? 0xa0000067 + i * 0x1000ull : 0;
    make_cpus();
    fake_lock_reset();
    fake_tlb_reset();
    fake_heap_reset();
    domain_list = domains_dead = NULL;
    memset(fake_freed, 0, sizeof(fake_freed));
    memset(fake_pirq_bound, 0, sizeof(fake_pirq_bound));
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        make_domain(i, c);
    hardware_domain = fake_dom[0];
    fake_generation++;
    fake_run(fake_dom[0]->vcpu[0]);
}

void fake_run(struct vcpu *v)
{
    struct percpu *c = v->pcpu;

    if (c->running != v) {
        c->running = v;
        vcpu_load_root(v);
    }
    host_current = v;
}

mfn_t fake_page(const struct domain *d, unsigned n)
{
    if (n >= given_count[d->id])
        fake_fail("the test wants page %u of %u", n, given_count[d->id]);
    return given[d->id][n];
}

void fake_set_page(const struct domain *d, unsigned n, mfn_t m)
{
    given[d->id][n] = m;
}

int fake_page_index(const struct domain *d, mfn_t m)
{
    for (unsigned i = 0; i < given_count[d->id]; i++) {
        if (mfn_eq(given[d->id][i], m))
            return (int)i;
    }
    return -1;
}

void fake_boot(struct domain *d)
{
    const uint64_t table = PTE_P | PTE_RW | PTE_U | PTE_A;

    for (unsigned i = 0; i < 4; i++)
        memset(fake_words(fake_page(d, i)), 0, PAGE_SIZE);
    for (unsigned i = 0; i < given_count[d->id]; i++)
        fake_words(fake_page(d, PAGE_L1))[i] =
            fake_pte(fake_page(d, i), PTE_P | PTE_U | PTE_A | (i < PAGE_DATA ? 0 : PTE_RW | PTE_D));
    for (unsigned i = PAGE_L1; i < PAGE_L4; i++)
        fake_words(fake_page(d, i + 1))[0] = fake_pte(fake_page(d, i), table);
    fake_generation++;
    for_each_vcpu(d, v) {
        if (pt_get_root(d, fake_page(d, PAGE_L4)))
            fake_fail("first root of domain %u refused: %s", d->id, fake_sentence);
        v->kernel_cr3 = fake_page(d, PAGE_L4).n << PAGE_SHIFT;
        vcpu_load_root(v);
    }
    fake_tlb_note();
}
