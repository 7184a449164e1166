#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz_mm: seeds.py DIRECTORY. Inputs are choices, one byte each, so any bytes are some sequence of operations;
long ones of different density reach deep states sooner than the fuzzer's own first tries."""
import os
import random
import sys

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rnd = random.Random(1)
for n in range(64):
    length = rnd.choice((64, 512, 2048, 4096))
    top = rnd.choice((8, 40, 128, 256))
    with open(os.path.join(out, f"seed-{n:02}"), "wb") as f:
        f.write(bytes(rnd.randrange(top) for _ in range(length)))
