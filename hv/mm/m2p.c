/* SPDX-License-Identifier: MIT */
/* The machine-to-physical table: for each frame of RAM the number under which its owner knows it.
 * Guests read it. */
#include <hv/frame.h>

#define m2p ((uint64_t *)M2P_RW_VA)

void m2p_set(mfn_t m, uint64_t pfn)
{
    WRITE_ONCE(m2p[m.n], pfn);
}
