/* SPDX-License-Identifier: MIT */
/* Inside of image parsing: what image.c and image_note.c share. */
#ifndef HV_DOM_IMAGE_NOTE_H
#define HV_DOM_IMAGE_NOTE_H

#include <elf.h>

#include <pvabi/elfnote.h>
#include "image.h"

struct image_parser {
    const uint8_t *file;
    size_t len;
    Elf64_Ehdr header;
    struct kernel_image *img;
    char *err;
    bool notes_found;
};

static inline bool file_range_ok(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/* Takes what the image's notes say into p->img, whose fields hold what absence means. Looks at note
 * segments, then at note sections; false if there are none. The file header has been checked. */
bool image_read_notes(struct image_parser *p);

/* True if everything the kernel insists on is provided; names what is not. */
bool image_check_features(struct image_parser *p);

#endif
