/* SPDX-License-Identifier: MIT */
/* Chooses the attack by `attack=NAME` on the command line and sums up what became of it. */
#include "attack.h"

bool attack_on_xen;

static const struct attack *const lists[] = {
    handle_attacks, table_attacks, frame_attacks, call_attacks,   grant_attacks, event_attacks,
    entry_attacks,  state_attacks, form_attacks,  device_attacks, trace_attacks,
};
static const char *current;
static unsigned good, bad;

static void verdict(const char *what, bool ok, const char *how, long value)
{
    if (ok) {
        good++;
        return;
    }
    bad++;
    pv_printf("ATTACK %s: SUCCEEDED %s (%s %ld)\n", current, what, how, value);
}

void refused(const char *what, long rc)
{
    verdict(what, rc < 0, "returned", rc);
}

void stopped(const char *what, int vector)
{
    verdict(what, vector >= 0, "no exception", vector);
}

void holds(const char *what, bool ok)
{
    verdict(what, ok, "seen", ok);
}

uint64_t *table_page(void)
{
    uint64_t *page = pv_page_alloc();

    if (!page)
        pv_shutdown(SHUTDOWN_crash);
    return page;
}

void table_ready(uint64_t *table)
{
    if (pv_set_readonly(table, true))
        pv_printf("ATTACK %s: own page cannot be made read-only\n", current);
}

bool can_be_written(uint64_t mfn)
{
    if (!pv_make_l1(AREA_VA) || pv_update_va_mapping(AREA_VA, pv_pte(mfn, PTE_KERNEL), UVMF_INVLPG))
        return false;
    return !pv_update_va_mapping(AREA_VA, 0, UVMF_INVLPG);
}

uint64_t attack_random(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static const struct attack *find(const char *name)
{
    for (unsigned l = 0; l < ARRAY_SIZE(lists); l++)
        for (const struct attack *a = lists[l]; a->name; a++)
            if (!strcmp(a->name, name))
                return a;
    return NULL;
}

static void list_all(void)
{
    static const char *const outcome[] = {"survives", "crashes", "either"};

    for (unsigned l = 0; l < ARRAY_SIZE(lists); l++)
        for (const struct attack *a = lists[l]; a->name; a++)
            pv_printf("ATTACK-LIST %s %s %s\n", a->name, outcome[a->outcome], a->what);
}

void pv_main(void)
{
    char name[16], on[8];
    const struct attack *a;

    attack_on_xen = pv_option("on=", on, sizeof(on)) && !strcmp(on, "xen");
    if (!pv_option("attack=", name, sizeof(name)) || !strcmp(name, "list")) {
        list_all();
        return;
    }
    a = find(name);
    if (!a) {
        pv_printf("ATTACK %s: no such attack\n", name);
        return;
    }
    current = a->name;
    pv_printf("ATTACK %s: %s\n", a->name, a->what);
    if (a->outcome != ATTACK_SURVIVES)
        pv_printf("ATTACK %s: expects crash\n", a->name);
    a->run();
    if (a->outcome == ATTACK_CRASHES)
        pv_printf("ATTACK %s: SUCCEEDED still running\n", a->name);
    pv_printf("ATTACK %s: %u refused, %u succeeded\n", a->name, good, bad);
}
