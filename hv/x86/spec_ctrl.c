/* SPDX-License-Identifier: MIT */
/*
 * Against guests that read by speculation what was left in the processor: its buffers are emptied
 * on each way out to a guest (VERW, what MD_CLEAR stands for), its indirect branch predictor
 * between two vCPUs (IBPB). By itself each is done where the processor has it; spec-ctrl=no leaves
 * both out, spec-ctrl=yes executes VERW on any processor.
 *
 * What is off costs nothing: the ways out are rewritten, early, while the image can still be
 * written to.
 */
#include <string.h>

#include <hv/init.h>
#include <hv/print.h>
#include "context.h"
#include "cpuid.h"

#define JMP_REL32 0xe9

bool use_ibpb;

/* Offsets, from where they stand: the way out's last instruction, what is to be there instead
 * (entry.h). */
extern const int32_t __exit_sites_start[][2], __exit_sites_end[][2];

static void guard_exits(void)
{
    for (const int32_t(*site)[2] = __exit_sites_start; site < __exit_sites_end; site++) {
        uint8_t *at = (uint8_t *)&(*site)[0] + (*site)[0];
        int32_t way = (int32_t)((const uint8_t *)&(*site)[1] + (*site)[1] - (at + 5));

        *at = JMP_REL32;
        memcpy(at + 1, &way, sizeof(way));
    }
}

void spec_ctrl_init(void)
{
    uint32_t leaf7 = cpuid_host.features[0].d;
    bool verw = options.spec_ctrl == SPEC_CTRL_YES ||
                (options.spec_ctrl == SPEC_CTRL_AUTO && (leaf7 >> 10 & 1));

    use_ibpb = options.spec_ctrl != SPEC_CTRL_NO && ((leaf7 >> 26 | cpuid_host.ext[8].b >> 12) & 1);
    if (verw)
        guard_exits();
    printk(LOG_INFO, "speculation: %sVERW on ways out, %sIBPB between vCPUs", verw ? "" : "no ",
           use_ibpb ? "" : "no ");
}
