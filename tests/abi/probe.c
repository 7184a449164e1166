/* SPDX-License-Identifier: MIT */
/* Prints everything that names.inc lists, as pvabi has it or, with PROBE_XEN, as Xen has it. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef PROBE_XEN
#define __XEN_TOOLS__ /* the newest interface, and the calls that only tools make */
#include <xen/xen.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/console.h>
#include <xen/io/netif.h>
#include <xen/io/ring.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#else
#include "headers.inc"
#endif

#define IS_SIGNED(x)                                                                               \
    _Generic((x), signed char : 1, short : 1, int : 1, long : 1, long long : 1, default : 0)
#define MEMBER(type, field) (((type *)NULL)->field)

#define CONSTANT(name)     printf("%s = %#llx\n", #name, (unsigned long long)(name));
#define TYPE(type)         printf("%s: size %zu\n", #type, sizeof(type));
#define PLACE(type, field) printf("%s.%s: at %zu\n", #type, #field, offsetof(type, field));
#define FIELD(type, field)                                                                         \
    printf("%s.%s: at %zu, size %zu%s\n", #type, #field, offsetof(type, field),                    \
           sizeof(MEMBER(type, field)), IS_SIGNED(MEMBER(type, field)) ? ", signed" : "");

int main(void)
{
#include "names.inc"
    return 0;
}
