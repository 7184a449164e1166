/* SPDX-License-Identifier: MIT */
/* Kernel images: what a bzImage or an ELF file with Xen notes says about itself, and where its
 * parts belong.
 *
 * A domain builder calls image_probe(), unpacks the payload with unpack() (lib/unpack.h) unless its
 * kind is PACK_NONE, then image_parse() on the ELF file and image_load() into memory of the domain.
 * Nothing in a file is believed before it is checked; each rejection leaves one sentence naming
 * what is wrong, where, and what would be right. */
#ifndef HV_DOM_IMAGE_H
#define HV_DOM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/unpack.h"

#define IMAGE_MAX_SEGMENTS 32
#define IMAGE_TEXT_SIZE    32
#define IMAGE_ABSENT       (~0ull) /* of an address: the image does not ask for it */

struct image_segment {
    const uint8_t *data; /* in the ELF file, filesz bytes; zeros follow up to memsz */
    uint64_t virt, filesz, memsz;
};

struct kernel_image {
    /* The virtual address of pseudo-physical 0; what lies at VA is pfn (VA - virt_base) >> 12. */
    uint64_t virt_base;
    uint64_t paddr_offset;
    uint64_t virt_start, virt_end; /* of all segments, bss included; not rounded to pages */
    uint64_t entry;
    uint64_t hypercall_page; /* page-aligned and within the segments, or IMAGE_ABSENT */
    uint64_t init_p2m;       /* page-aligned, guest's, outside the segments; or IMAGE_ABSENT */
    uint64_t pvh_entry;      /* or IMAGE_ABSENT; not used */
    uint64_t
        mod_start_pfn; /* not 0: start_info.mod_start shall be a pfn, and the initrd unmapped */
    uint64_t features_supported; /* bit n: XENFEAT number n; all if the image does not say */
    uint32_t features_required;
    bool can_be_dom0; /* the image does not say that it cannot */
    char guest_os[IMAGE_TEXT_SIZE], guest_version[IMAGE_TEXT_SIZE];
    char xen_version[IMAGE_TEXT_SIZE], loader[IMAGE_TEXT_SIZE];
    unsigned segment_count;
    struct image_segment segment[IMAGE_MAX_SEGMENTS]; /* no two overlap */
};

/* Finds the ELF file, packed or not, in a bzImage, a plain ELF file or a gzip file. */
bool image_probe(const void *blob, size_t len, struct packed *payload, char err[IMAGE_ERR_SIZE]);

/* `elf` needs no alignment and must outlive `img`, whose segments point into it. */
bool image_parse(const void *elf, size_t len, struct kernel_image *img, char err[IMAGE_ERR_SIZE]);

/* Puts len bytes at the guest address virt: those at src, or zeros if src is NULL. */
typedef bool image_put_fn(void *opaque, uint64_t virt, const void *src, uint64_t len);

/* Hands every segment to put(), which is where bounds of the domain's memory are known. False as
 * soon as it is. */
bool image_load(const struct kernel_image *img, image_put_fn *put, void *opaque);

#endif
