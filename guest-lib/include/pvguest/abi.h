/* SPDX-License-Identifier: MIT */
/* The guest ABI, all of it: a guest's file should not have to know which header has what. */
#ifndef PVGUEST_ABI_H
#define PVGUEST_ABI_H

#include <pvabi/xen.h>
#include <pvabi/callback.h>
#include <pvabi/errno.h>
#include <pvabi/event_channel.h>
#include <pvabi/features.h>
#include <pvabi/grant_table.h>
#include <pvabi/memory.h>
#include <pvabi/physdev.h>
#include <pvabi/sched.h>
#include <pvabi/vcpu.h>
#include <pvabi/version.h>

/* Stores an address in a structure's pointer field. */
#define PV_SET_PTR(field, address) set_xen_guest_handle(field, (void *)(address))

#endif
