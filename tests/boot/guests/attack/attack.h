/* SPDX-License-Identifier: MIT */
/*
 * Hostile kernels. Each attack is named after the row of the security invariants it belongs to and
 * reports every single attempt: refused with an error, stopped by an exception, or harmless because
 * of what can be seen afterwards. An attack that must end in the domain's own crash says so first.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <pvguest/console.h>
#include <pvguest/hypercall.h>
#include <pvguest/mm.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

/* Where attacks map things; tables there are the attack's own. */
#define AREA_VA 0x0000100000000000ul

/* Addresses that no hypercall may read or write through. */
#define HV_M2P_VA    0xffff800000000000ul
#define HV_INSIDE_VA 0xffff830000000000ul
#define HV_TEXT_VA   0xffff82d040200000ul
#define NONCANON_VA  0x0000800000000000ul

enum outcome {
    ATTACK_SURVIVES, /* ends by powering off */
    ATTACK_CRASHES,  /* the hypervisor must end the domain, and only it */
    ATTACK_EITHER,
};

struct attack {
    const char *name;
    const char *what;
    void (*run)(void);
    enum outcome outcome;
};

/* Tables of the files, each ended by a NULL name. */
extern const struct attack handle_attacks[], table_attacks[], frame_attacks[], call_attacks[],
    grant_attacks[], event_attacks[], entry_attacks[], state_attacks[], form_attacks[],
    device_attacks[], trace_attacks[];

/* The guest is told `on=xen` where the reference hypervisor is known to permit what ours must not.
 */
extern bool attack_on_xen;

/* Verdicts, one line each for those that went wrong. */
void refused(const char *what, long rc);
void stopped(const char *what, int vector);
void holds(const char *what, bool ok);

/* A fresh page, filled by the caller, then made read-only so that it can become a table. */
uint64_t *table_page(void);
void table_ready(uint64_t *table);
/* mfn can be mapped writable at AREA_VA: nothing holds it as a table any more. */
bool can_be_written(uint64_t mfn);

/* xorshift, so that a failing run can be repeated. */
uint64_t attack_random(void);

#endif
