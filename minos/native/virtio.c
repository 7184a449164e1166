/* SPDX-License-Identifier: MIT */
/* What virtio devices have in common: starting them, and their queues. */
#include "virtio.h"

#define FEATURES_OFFERED 0
#define FEATURES_TAKEN   4
#define QUEUE_ADDRESS    8
#define QUEUE_SIZE       12
#define QUEUE_SELECT     14
#define QUEUE_NOTIFY     16
#define STATUS           18
#define INTERRUPTS       19
#define CONFIG           20

#define STATUS_SEEN   1
#define STATUS_DRIVER 2
#define STATUS_READY  4

uint32_t virtio_start(struct pci_device *d, uint32_t wanted)
{
    uint32_t features = in32(d->port + FEATURES_OFFERED) & wanted;

    out8(d->port + STATUS, 0);
    out8(d->port + STATUS, STATUS_SEEN | STATUS_DRIVER);
    out32(d->port + FEATURES_TAKEN, features);
    return features;
}

bool virtio_queue_init(struct virtio_queue *q, struct pci_device *d, unsigned index, void *memory)
{
    uint8_t *m = memory;

    out16(d->port + QUEUE_SELECT, index);
    *q = (struct virtio_queue){.device = d, .index = index, .size = in16(d->port + QUEUE_SIZE)};
    if (!q->size || q->size > VIRTIO_QUEUE_MAX)
        return false;
    q->descriptors = memory;
    q->available = (uint16_t *)(m + q->size * sizeof(struct virtio_descriptor));
    q->used =
        (uint16_t *)(m + ROUND_UP(q->size * (sizeof(struct virtio_descriptor) + 2) + 6, PAGE_SIZE));
    out32(d->port + QUEUE_ADDRESS, virt_to_phys(memory) >> PAGE_SHIFT);
    return true;
}

void virtio_ready(struct pci_device *d)
{
    out8(d->port + STATUS, STATUS_SEEN | STATUS_DRIVER | STATUS_READY);
}

uint8_t virtio_config(struct pci_device *d, unsigned offset)
{
    return in8(d->port + CONFIG + offset);
}

void virtio_submit(struct virtio_queue *q, uint16_t head)
{
    q->available[2 + q->available[1] % q->size] = head;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the entry before the index that shows it */
    q->available[1]++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    out16(q->device->port + QUEUE_NOTIFY, q->index);
}

bool virtio_next_used(struct virtio_queue *q, uint16_t *head, uint32_t *written)
{
    const volatile uint32_t *element;

    if (q->seen == q->used[1])
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    element = (const volatile uint32_t *)(q->used + 2) + q->seen++ % q->size * 2;
    *head = element[0];
    *written = element[1];
    return true;
}

bool virtio_interrupted(struct pci_device *d)
{
    return in8(d->port + INTERRUPTS) & 1;
}
