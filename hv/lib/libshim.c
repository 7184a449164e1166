/* SPDX-License-Identifier: MIT */
/* What the decoder libraries expect of a C library beyond the memory functions of string.c. */
#include <hv/print.h>

uint8_t unpack_tls[256] __aligned(64);

/* The libraries allocate through the arena that unpack() gives them. Their code for nobody having
 * given an allocator is linked but not reached; it takes a failed allocation for what it is. */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
noreturn void __stack_chk_fail(void);
uint64_t ZSTD_trace_decompress_begin(const void *ctx);
void ZSTD_trace_decompress_end(uint64_t trace, const void *details);

void *malloc(size_t size)
{
    return NULL;
}

void *calloc(size_t n, size_t size)
{
    return NULL;
}

void free(void *p)
{
}

void __stack_chk_fail(void)
{
    panic("a decoder library overran a buffer on its stack while the kernel was unpacked");
}

/* libzstd's hooks for tracing are weak and undefined: address 0, which the linker cannot reach from
 * the hypervisor's. */
uint64_t ZSTD_trace_decompress_begin(const void *ctx)
{
    return 0; /* do not trace */
}

void ZSTD_trace_decompress_end(uint64_t trace, const void *details)
{
}
