/* SPDX-License-Identifier: MIT */
/* Memory that does not fail in the middle of a request. A reserve is given back to malloc when that
 * fails, and until it is whole again requests that would let the store grow are refused (ENOMEM),
 * so no code below has a half way out. */
#ifndef XSL_MEM_H
#define XSL_MEM_H

#include <stdbool.h>
#include <stddef.h>

void mem_init(void);
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *p, size_t size);
bool mem_low(void); /* tries to fill the reserve first */

#endif
