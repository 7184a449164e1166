/* SPDX-License-Identifier: MIT */
/* Included before everything: all symbols lie in the one image, so addresses of others' are computed, not looked up. */
#pragma GCC visibility push(hidden)
