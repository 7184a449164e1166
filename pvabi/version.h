/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_xen_version(cmd, arg): who is below, and what it can do. */
#ifndef PVABI_VERSION_H
#define PVABI_VERSION_H

#include <pvabi/base.h>
#include <pvabi/features.h>

#define XENVER_version             0 /* returns major << 16 | minor */
#define XENVER_extraversion        1
#define XENVER_compile_info        2
#define XENVER_capabilities        3
#define XENVER_changeset           4
#define XENVER_platform_parameters 5
#define XENVER_get_features        6
#define XENVER_pagesize            7 /* returns it */
#define XENVER_guest_handle        8 /* xen_domain_handle_t */
#define XENVER_commandline         9
#define XENVER_build_id            10

typedef char xen_extraversion_t[16];
typedef char xen_capabilities_info_t[1024];
typedef char xen_changeset_info_t[64];
typedef char xen_commandline_t[1024];
#define XEN_EXTRAVERSION_LEN      (sizeof(xen_extraversion_t))
#define XEN_CAPABILITIES_INFO_LEN (sizeof(xen_capabilities_info_t))
#define XEN_CHANGESET_INFO_LEN    (sizeof(xen_changeset_info_t))

struct xen_compile_info {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};
PVABI_SIZE(struct xen_compile_info, 144);

struct xen_platform_parameters {
    xen_ulong_t virt_start; /* of the hypervisor's hole */
};
PVABI_SIZE(struct xen_platform_parameters, 8);

struct xen_feature_info {
    uint32_t submap_idx; /* in: which 32 features */
    uint32_t submap;     /* out: bits XENFEAT_* */
};
PVABI_SIZE(struct xen_feature_info, 8);

struct xen_build_id {
    uint32_t len; /* in: room in buf */
    uint8_t buf[];
};
PVABI_SIZE(struct xen_build_id, 4);

#endif
