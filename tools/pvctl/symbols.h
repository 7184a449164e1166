/* SPDX-License-Identifier: MIT */
/* Where in a guest's kernel a call came from: functions, lines and callers, by the kernel's ELF
 * file.
 */
#ifndef PVCTL_SYMBOLS_H
#define PVCTL_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#define FRAMES_MAX 24

struct symbols;

/* A function that was under way; one whose code was put into another's counts as a function. */
struct frame {
    const char *function; /* NULL: no name is known */
    const char *file;     /* NULL: no line is known */
    int line;
    uint64_t pc, offset; /* offset: from the function's begin; 0 of one put into another */
};

/* A stretch of the caller's stack, from `sp`. */
struct stack {
    uint64_t pc, sp, bp;
    const uint64_t *word;
    unsigned words;
};

/* Where on the stack return addresses were found: as long as the same are there, the frames are the
 * same. */
struct returns {
    unsigned count, at[FRAMES_MAX]; /* index of the word */
    uint64_t pc[FRAMES_MAX];
};

/* Dies if it cannot be read. NULL: no file; frames have addresses only. */
struct symbols *symbols_open(const char *file);

/* From the innermost outwards, as far as the stretch reaches. The number of frames. */
unsigned symbols_unwind(struct symbols *s, const struct stack *stack,
                        struct frame frame[FRAMES_MAX], struct returns *returns);

#endif
