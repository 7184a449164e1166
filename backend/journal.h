/* SPDX-License-Identifier: MIT */
/* Memory that outlives the process: files on a file system that lives in memory. Each belongs to
 * one use of one ring, told apart by the ring's grants and event channel. */
#ifndef BACKEND_JOURNAL_H
#define BACKEND_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_REFS 32

struct journal_key {
    uint32_t domid, port;
    uint32_t refs[JOURNAL_REFS];
};

/* The memory behind the key, zeroed if there was none with this key; known tells. NULL if that
 * fails. */
void *journal_open(const char *name, const struct journal_key *key, bool resume, size_t bytes,
                   bool *known);
void journal_close(void *memory, size_t bytes);
void journal_remove(const char *name);

#endif
