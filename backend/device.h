/* SPDX-License-Identifier: MIT */
/* Virtual devices: how their two ends find each other through the store. A class (vbd, vif) says
 * what a device is; this part knows when. */
#ifndef BACKEND_DEVICE_H
#define BACKEND_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "store.h"
#include "work.h"

struct device;

enum device_result { DEVICE_OK, DEVICE_LATER, DEVICE_FAILED };

struct device_class {
    const char *name; /* of the directory below "backend" */
    struct device *(*create)(void);
    void (*destroy)(struct device *dev); /* frees it; what the device had outside is removed */
    /* Finds what is behind the device, and writes what is offered to the front end. LATER: tried
     * again a little later. */
    enum device_result (*offer)(struct device *dev);
    /* Takes what the front end has written into use. resume: a predecessor did so before. */
    enum device_result (*connect)(struct device *dev, bool resume);
    void (*describe)(struct device *dev); /* writes what connected front ends want to know */
    void (*stop)(struct device *dev);     /* takes no more requests: dev->stopping is set */
    bool (*idle)(struct device *dev);     /* nothing is under way any more */
    void (*release)(struct device *dev);  /* ends all use of the front end's memory and events */
    void (*report)(struct device *dev, FILE *to); /* members of a JSON object, each after a comma */
    int front_ready; /* the first state of the front end in which it can be connected */
};

extern const struct device_class vbd_class, vif_class;

struct device {
    const struct device_class *class;
    struct device *next;
    struct work work;
    unsigned domid, id;
    char back[STORE_PATH], front[STORE_PATH]; /* own directory; key of the other's state */
    bool known;                               /* its paths were read */
    bool offered;                             /* offer() succeeded */
    bool connected;                           /* rings are in use */
    bool stopping;                            /* waits to be idle */
    bool gone;                                /* the store has it no more */
    bool failed;                              /* broken by its front end, until that closes */
    int after_stop;                           /* state to go to then */
    unsigned attempts;                        /* to resume */
    long checked, wait; /* milliseconds: when last looked at, pause until the next time */
    bool later;         /* to be looked at again */
};

struct device_options {
    bool buffered;
    unsigned queues;
    const char *run_dir;
};
extern struct device_options device_options;

/* Watches the store, finds all devices there are. Again after the store was lost. */
bool devices_attach(void);
void devices_event(const char *path, const char *token);
/* Looks at those put off; true if some remain. */
bool devices_again(void);
/* The front end's directory, from its state key which dev->front names. */
void device_front_dir(const struct device *dev, char dir[STORE_PATH]);
void device_check_soon(struct device *dev); /* as soon as it is idle, say */
void device_fail(struct device *dev, const char *why);
void devices_stop_all(void);
bool devices_idle(void);
void devices_leave(void); /* frees all, and leaves guests to a successor */
void devices_report(FILE *to);

#endif
