/* SPDX-License-Identifier: MIT */
/* Memory: frames with reference counts, small objects, address spaces. */
#ifndef MINOS_MEM_H
#define MINOS_MEM_H

#include "machine.h"

/* --- Frames --- */

void frames_init(paddr_t free, paddr_t end);
/* A zeroed frame with one reference, 0 when memory is used up. */
paddr_t frame_alloc(void);
void frame_get(paddr_t f);
void frame_put(paddr_t f);
unsigned frame_references(paddr_t f);
/* A word of the machine's for each frame in use; 0 in a new one. */
uint32_t *frame_note(paddr_t f);
extern uint64_t frames_total, frames_free;

/* --- Objects of up to a page, zeroed --- */

void *kmalloc(size_t size);
void kfree(void *p, size_t size);

/* --- Address spaces --- */

#define USER_END   0x80000000ul /* programs live in the lowest 2 GiB */
#define STACK_SIZE 0x100000ul

struct region {
    uintptr_t start, end;
    bool write, exec;
};

#define REGIONS 10

struct space {
    paddr_t root;
    unsigned count;
    struct region regions[REGIONS]; /* the first is the stack, the second the heap */
};

struct space *space_new(void);
/* Shares every page with the new space; whoever writes first gets a copy. */
struct space *space_fork(struct space *from);
void space_free(struct space *s);
int space_add(struct space *s, uintptr_t start, uintptr_t end, bool write, bool exec);
/* What a page fault asks for: 0 when the access may be tried again. */
int space_fault(struct space *s, uintptr_t va, bool write);
/* Where the kernel sees a user page, brought in and unshared as if the program had touched it. */
void *space_page(struct space *s, uintptr_t va, bool write);

extern uint64_t space_faults, space_copies;

/* --- The current program's memory --- */

int copy_from_user(void *dst, uintptr_t src, size_t size);
int copy_to_user(uintptr_t dst, const void *src, size_t size);
/* A string with its NUL in at most `size` bytes; its length, or an error. */
int copy_string(char *dst, uintptr_t src, size_t size);

#endif
