/* SPDX-License-Identifier: MIT */
/* What is in a trace: who makes single calls one after the other that a batch could carry. */
#ifndef PVCTL_RUNS_H
#define PVCTL_RUNS_H

#include "symbols.h"
#include "trace_file.h"

#define CALLERS_MAX 8

/* A way to a call: its frames. */
struct path {
    struct path *next;
    uint64_t rip;
    struct returns returns;
    struct frame frame[FRAMES_MAX];
    unsigned frames, site_frame; /* site_frame: the first that is not the library's */
};

struct paths;
/* symbols may be NULL. library: patterns of names of functions or files, ended by NULL. */
struct paths *paths_new(struct symbols *symbols, const char *const *library);
const struct path *path_of(struct paths *d, const struct paravane_trace_record *r);

/* Calls of one kind from one line. */
struct site {
    struct operation op;
    struct frame frame;
    uint64_t calls, runs, longest; /* that were parts of runs */
    uint64_t saved_calls, saved_ticks;
    struct {
        const struct path *path;
        uint64_t calls;
    } caller[CALLERS_MAX];
    unsigned callers;
    uint64_t last_run;
};

struct cost {
    struct operation op;
    uint64_t single; /* ticks of one with one entry, the median */
    uint64_t fixed;  /* of these, not for the entry. 0: unknown, for lack of longer ones */
    bool known;
};

struct findings {
    uint64_t calls, subcalls, ticks; /* ticks: in handlers, and in ways in and out */
    uint64_t crossing, recording;    /* ticks of one way in and out, and of recording one call */
    struct cost *cost;
    unsigned costs;
    struct site *site; /* by falling saving */
    unsigned sites;
};

/* Fills in f->cost (costs.c). */
void costs_find(struct findings *f, const void *records, size_t bytes);
uint64_t cost_fixed(const struct findings *f, struct operation op);

struct findings *runs_find(const struct trace_header *header, const void *records, size_t bytes,
                           struct paths *paths);

#endif
