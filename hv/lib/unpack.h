/* SPDX-License-Identifier: MIT */
/* Unpacking of compressed kernels with the distribution's static decoder libraries.
 *
 * The libraries are ordinary user-land code, so the processor must look like a process to them.
 * Before unpack() or unpack_work_size() runs:
 *
 * - CR4.OSFXSR is set, CR0.EM and CR0.TS are clear: they use SSE2. They leave rubbish in the
 *   vector registers, so no guest's state may be live in them.
 *
 * - The FS base is the address of unpack_tls: their stack protector reads its canary at %fs:0x28.
 *
 * - The stack pointer is 16-byte aligned at calls and 8 KiB of stack are free (2 were measured).
 *
 * - Nothing pushes onto the current stack behind their back, as they use the red zone: interrupts
 *   are off, and NMI and machine check have stacks of their own.
 *
 * Their constructors need not run. */
#ifndef HV_LIB_UNPACK_H
#define HV_LIB_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for one sentence telling why an image or its payload was rejected. */
#define IMAGE_ERR_SIZE       256
#define IMAGE_FAIL(err, ...) (snprintf((err), IMAGE_ERR_SIZE, __VA_ARGS__), false)

enum pack_kind { PACK_NONE, PACK_GZIP, PACK_XZ, PACK_ZSTD, PACK_LZ4 };

/* A compressed (or, PACK_NONE, plain) file inside a larger one. */
struct packed {
    enum pack_kind kind;
    const uint8_t *data;
    size_t len; /* of the compressed data alone, without the size word that Linux appends */
    size_t unpacked_size; /* promised; a lie is found out by unpack() */
};

extern const char *const pack_names[];

/* What the FS base points at meanwhile; stays zero. */
extern uint8_t unpack_tls[256];

/* Bytes of scratch memory that unpack() will need, which for xz follows from the dictionary size in
 * the payload. 0 if the payload is damaged at its very start; unpack() says in which way. */
size_t unpack_work_size(const struct packed *p);

/* Fills dst with exactly p->unpacked_size bytes. `work` (16-byte aligned) and `dst` need not be
 * cleared. False: err holds a sentence and the contents of dst are unspecified. */
bool unpack(const struct packed *p, void *dst, size_t dst_size, void *work, size_t work_size,
            char err[IMAGE_ERR_SIZE]);

#endif
