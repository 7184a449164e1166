/* SPDX-License-Identifier: MIT */
/* Finds the entries in use of a table; whoever asks again before memory changes gets the same list.
 */
#include "fake.h"

uint64_t fake_generation = 1;

static struct fake_scan scans[FAKE_RAM];

__attribute__((no_sanitize("address", "undefined"))) static void scan(struct fake_scan *s,
                                                                      const uint64_t *e)
{
    s->n = 0;
    for (unsigned i = 0; i < 512; i += 8) {
        if (!(e[i] | e[i + 1] | e[i + 2] | e[i + 3] | e[i + 4] | e[i + 5] | e[i + 6] | e[i + 7]))
            continue;
        for (unsigned k = i; k < i + 8; k++) {
            if (e[k])
                s->slot[s->n++] = (uint16_t)k;
        }
    }
}

const struct fake_scan *fake_scan(mfn_t table)
{
    struct fake_scan *s = &scans[table.n];

    if (s->generation != fake_generation) {
        scan(s, fake_words(table));
        s->generation = fake_generation;
    }
    return s;
}
