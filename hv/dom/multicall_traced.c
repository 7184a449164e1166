/* SPDX-License-Identifier: MIT */
/* do_multicall() of a traced domain, which records each call (trace.c): the same text once more, so
 * that the compiler makes of the other one what it made before. */
#define do_multicall       multicall_traced
#define hypercall_dispatch trace_subcall
#include "multicall.c"
