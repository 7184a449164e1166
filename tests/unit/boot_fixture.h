/* SPDX-License-Identifier: MIT */
/* What the parts of boot/ need around them in a test. */
#ifndef TESTS_BOOT_FIXTURE_H
#define TESTS_BOOT_FIXTURE_H

#include <check.h>

#include <hv/init.h>
#include <hv/print.h>

extern char said[512]; /* the last line of the log */
extern unsigned said_count;

int run_tests(const char *name, TCase *c);

#endif
