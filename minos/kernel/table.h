/* SPDX-License-Identifier: MIT */
/* The process table, for the files that walk it. */
#ifndef MINOS_TABLE_H
#define MINOS_TABLE_H

#include "proc.h"

#define STACK_CANARY 0x6d696e6f73737461ul /* at the low end of each kernel stack */

extern struct process processes[PROCESSES];

#endif
