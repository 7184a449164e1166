# SPDX-License-Identifier: MIT
# Unit tests of kernel images, one program for each test_*.c. PARAVANE_VMLINUZ, if set, names a real kernel for
# test_unpack. Include paths: hv/include and the root; besides check, the decoder libraries are linked.

IMAGE_TESTS     := test_image test_image_any test_unpack
IMAGE_TEST_SRCS := hv/dom/image.c hv/dom/image_note.c hv/lib/unpack.c
IMAGE_TEST_LIBS := -llzma -lz -lzstd -llz4
