/* SPDX-License-Identifier: MIT */
/* What may stand in a descriptor page: the check that makes a frame a SEG page. Pure logic. */
#include <hv/mm.h>
#include "desc.h"

int seg_validate(void *page)
{
    uint64_t *desc = page;

    for (int i = 0; i < DESCS_PER_PAGE; i++)
        if (desc[i] && !desc_fix(&desc[i]))
            return i;
    return -1;
}
