/* SPDX-License-Identifier: MIT */
/* libFuzzer's way into the model's operations: each input is one machine's life of at most 256 of
 * them. */
#include "../model/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.data = data, .left = size};

    run_begin();
    for (unsigned i = 0; i < 256 && in.left; i++)
        run_step(&in);
    return 0;
}
