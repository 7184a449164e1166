/* SPDX-License-Identifier: MIT */
/* Grants without a thought about which reference it is. */
#include <pvguest/grant.h>
#include <pvguest/mm.h>

#define FRAMES  8
#define ENTRIES (FRAMES * PAGE_SIZE / sizeof(struct grant_entry_v1))

static uint16_t free_refs[ENTRIES];
static unsigned free_count;

static long init(void)
{
    long error = pv_grants ? 0 : pv_grant_init(FRAMES, PV_GRANT_VA);
    unsigned count = pv_grant_count < ENTRIES ? pv_grant_count : ENTRIES;

    for (unsigned ref = count; !error && --ref >= PV_GRANT_FIRST;)
        free_refs[free_count++] = ref;
    return error;
}

long pv_grant_page(unsigned dom, const void *page, bool readonly)
{
    static bool started;
    long error;

    if (!started) {
        error = init();
        if (error)
            return error;
        started = true;
    }
    if (!free_count)
        return -XEN_ENOSPC;
    pv_grant_give(free_refs[--free_count], dom, pv_va_to_mfn(page), readonly);
    return free_refs[free_count];
}

bool pv_grant_revoke(unsigned ref)
{
    if (!pv_grant_end(ref))
        return false;
    free_refs[free_count++] = ref;
    return true;
}
