/* SPDX-License-Identifier: MIT */
/* Messages on standard error, by level. */
#ifndef BACKEND_LOG_H
#define BACKEND_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* False if there is no such level. */
bool log_set_level(const char *name);

__attribute__((format(printf, 2, 3))) void log_say(enum log_level level, const char *format, ...);

#endif
