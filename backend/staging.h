/* SPDX-License-Identifier: MIT */
/* Memory for the local ends of grant copies. It is granted to this domain itself: the kernel then
 * need not look up and pin each of its pages for each copy, which costs more than the copy. */
#ifndef BACKEND_STAGING_H
#define BACKEND_STAGING_H

#include <stdbool.h>
#include <stdint.h>

#define STAGING_DOMID 0 /* the daemon's own domain */

/* Pages side by side, granted if the kernel can do that; NULL if memory is short. */
void *staging_new(unsigned pages);
void staging_free(void *memory, unsigned pages);

/* Tells the grant of the page that address is in; false if it has none. */
bool staging_ref(const void *address, uint32_t *ref);

#endif
