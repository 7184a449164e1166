/* SPDX-License-Identifier: MIT */
/* Virtio over PCI in its first form: registers behind ports, queues in three parts. */
#ifndef MINOS_VIRTIO_H
#define MINOS_VIRTIO_H

#include "native.h"

#define VIRTIO_VENDOR    0x1af4
#define VIRTIO_QUEUE_MAX 256

struct virtio_descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};
#define VIRTIO_NEXT  1
#define VIRTIO_WRITE 2 /* by the device */

struct virtio_queue {
    struct pci_device *device;
    unsigned index, size;
    struct virtio_descriptor *descriptors;
    volatile uint16_t *available; /* flags, index, ring */
    volatile uint16_t *used;      /* flags, index, ring of two 32-bit words each */
    uint16_t seen;
};

/* What the device offers of `wanted`, now agreed upon. */
uint32_t virtio_start(struct pci_device *d, uint32_t wanted);
/* `memory` is zero, page-aligned, and VIRTIO_QUEUE_BYTES large. */
#define VIRTIO_QUEUE_BYTES (3 * PAGE_SIZE)
bool virtio_queue_init(struct virtio_queue *q, struct pci_device *d, unsigned index, void *memory);
void virtio_ready(struct pci_device *d);
/* Registers of the device's own, from `offset` on. */
uint8_t virtio_config(struct pci_device *d, unsigned offset);
/* Hands the chain that begins with descriptor `head` to the device. */
void virtio_submit(struct virtio_queue *q, uint16_t head);
/* The head of a chain that the device is done with, and the bytes it wrote; false if there is none.
 */
bool virtio_next_used(struct virtio_queue *q, uint16_t *head, uint32_t *written);
/* Reading it lets go of the interrupt line. */
bool virtio_interrupted(struct pci_device *d);

#endif
