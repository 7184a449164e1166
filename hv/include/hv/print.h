/* SPDX-License-Identifier: MIT */
/* Telling: the log, guests' sentences, panics. printk formats: %s %c %d %i %u %x %X %p with l, ll, z, #, width, 0, -, precision for %s. */
#ifndef HV_PRINT_H
#define HV_PRINT_H

#include <stdarg.h>
#include <hv/types.h>

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

int snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) PRINTF(3, 0);

/* The text of a function's own format and arguments. */
#define FORMAT_TEXT(text, fmt)                                                                     \
    do {                                                                                           \
        va_list ap_;                                                                               \
        va_start(ap_, fmt);                                                                        \
        vsnprintf(text, sizeof(text), fmt, ap_);                                                   \
        va_end(ap_);                                                                               \
    } while (0)

/* Hypervisor's own messages, filtered by loglvl=. A line is prefixed "(PV) ". */
void printk(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
/* The last of them are kept for dom0. An index is a place in the log; reads from there (from the start, if that is lost),
 * moves it on, and returns how many bytes there were. What is cleared is not where a new reader starts. */
size_t log_read(uint32_t *index, char *buf, size_t size);
uint32_t log_start(void);
void log_clear(uint32_t index);
void log_announce(void); /* VIRQ_CON_RING, if there is news */
/* About a guest's doings, filtered by guest_loglvl= and rate-limited; prefixed "(PV) d0v0 ". */
void guest_log(const struct domain *d, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

/* Refuse a call of the current vCPU: logs one sentence (call name, guest RIP and symbol are added) and returns err
 * (0: the answer is no error number).
 * Say: argument, address, frame, its type and owner, and what would be right. Rate-limited for each domain. */
int refuse(int err, const char *fmt, ...) PRINTF(2, 3) cold;
/* The domain cannot go on: logs the sentence, marks it crashed. The caller returns to the exit path, which never re-enters the guest. */
void domain_crash(struct domain *d, const char *fmt, ...) PRINTF(2, 3) cold;
/* A bug of ours: registers, back trace with symbols, end of the machine (QEMU exits). Never reached by guest input. */
noreturn void panic(const char *fmt, ...) PRINTF(1, 2) cold;
/* The same for an exception in the hypervisor: r is where it happened; cr2 0: no page fault. (lib/panic.c) */
noreturn void panic_trap(const struct guest_regs *r, uint64_t cr2) cold;
void print_gprs(const struct guest_regs *r); /* as a panic shows them */
noreturn void bug_at(const char *file, int line, const char *what) cold;
/* For facts that the auditor proves; never guards guest data. */
#define BUG_ON(c) do { if (unlikely(c)) bug_at(__FILE__, __LINE__, #c); } while (0)

#endif
