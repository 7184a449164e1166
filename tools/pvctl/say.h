/* SPDX-License-Identifier: MIT */
/* What pvctl says on standard error. */
#ifndef PVCTL_SAY_H
#define PVCTL_SAY_H

/* Says why and ends; frees nothing, since the process ends. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* A line of progress on standard error, if wanted. */
void progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define EXIT_USAGE  2
#define EXIT_BROKEN 125 /* pvctl itself failed; the guest has no say in it */

#endif
