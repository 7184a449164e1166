/* SPDX-License-Identifier: MIT */
/* The disk of the bare machine: a virtio block device. */
#include "virtio.h"
#include "../kernel/block.h"

#define DEVICE            0x1001
#define FEATURE_READ_ONLY (1 << 5)
#define FEATURE_FLUSH     (1 << 9)
#define SLOTS             32 /* requests at once, three descriptors each */

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

static struct pci_device device;
static struct virtio_queue queue;
static uint8_t queue_memory[VIRTIO_QUEUE_BYTES] __attribute__((aligned(PAGE_SIZE)));

static struct slot {
    struct header header;
    uint8_t status;
    struct block_request *request; /* NULL: free */
} slots[SLOTS];

static void set_descriptor(unsigned i, const void *memory, uint32_t size, uint16_t flags)
{
    queue.descriptors[i] =
        (struct virtio_descriptor){virt_to_phys(memory), size, flags, (uint16_t)(i + 1)};
}

static bool block_submit(struct block_request *r)
{
    static const uint32_t types[] = {[BLOCK_READ] = 0, [BLOCK_WRITE] = 1, [BLOCK_FLUSH] = 4};
    bool reads = r->operation == BLOCK_READ;
    unsigned i = 0, first;

    while (i < SLOTS && slots[i].request)
        i++;
    if (i == SLOTS)
        return false;
    slots[i] = (struct slot){{types[r->operation], 0, r->sector}, 255, r};
    first = i * 3;
    set_descriptor(first, &slots[i].header, sizeof(struct header), VIRTIO_NEXT);
    if (r->operation == BLOCK_FLUSH)
        queue.descriptors[first].next = first + 2;
    else
        set_descriptor(first + 1, phys_to_virt(r->memory), r->sectors * SECTOR_SIZE,
                       VIRTIO_NEXT | (reads ? VIRTIO_WRITE : 0));
    set_descriptor(first + 2, &slots[i].status, 1, VIRTIO_WRITE);
    virtio_submit(&queue, first);
    return true;
}

static void block_interrupt(void)
{
    uint16_t head;
    uint32_t written;

    virtio_interrupted(&device);
    while (virtio_next_used(&queue, &head, &written)) {
        struct slot *s = &slots[head / 3];
        struct block_request *r = s->request;

        s->request = NULL;
        block_done(r, s->status);
    }
}

static struct block_device block = {.name = "virtio", .submit = block_submit};

void virtio_block_init(void)
{
    uint32_t features;

    if (!pci_find(VIRTIO_VENDOR, DEVICE, &device))
        return;
    features = virtio_start(&device, FEATURE_READ_ONLY | FEATURE_FLUSH);
    if (!virtio_queue_init(&queue, &device, 0, queue_memory) || queue.size < 3 * SLOTS)
        return;
    virtio_ready(&device);
    for (unsigned i = 0; i < 8; i++)
        block.sectors |= (uint64_t)virtio_config(&device, i) << 8 * i;
    block.read_only = features & FEATURE_READ_ONLY;
    block.can_flush = features & FEATURE_FLUSH;
    irq_request(device.line, block_interrupt);
    block_register(&block);
}
