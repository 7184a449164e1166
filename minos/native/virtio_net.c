/* SPDX-License-Identifier: MIT */
/* The network card of the bare machine: virtio, one queue each way, a buffer for each descriptor.
 */
#include "virtio.h"
#include "../kernel/lib.h"
#include "../kernel/net.h"

#define DEVICE      0x1000
#define FEATURE_MAC (1 << 5)
#define HEADER      10
#define BUFFERS     64

static struct pci_device device;
static struct virtio_queue receive, transmit;
static uint8_t queue_memory[2][VIRTIO_QUEUE_BYTES] __attribute__((aligned(PAGE_SIZE)));
static uint8_t receive_buffers[BUFFERS][2048] __attribute__((aligned(2048)));
static uint8_t transmit_buffers[BUFFERS][2048] __attribute__((aligned(2048)));
static bool transmit_busy[BUFFERS];

static void offer(unsigned i)
{
    receive.descriptors[i] = (struct virtio_descriptor){
        virt_to_phys(receive_buffers[i]), sizeof(receive_buffers[i]), VIRTIO_WRITE, 0};
    virtio_submit(&receive, i);
}

static void reap(void)
{
    uint16_t i;
    uint32_t written;

    while (virtio_next_used(&transmit, &i, &written))
        transmit_busy[i] = false;
}

static bool net_send(const void *frame, size_t size)
{
    unsigned i = 0;

    reap();
    while (i < BUFFERS && transmit_busy[i])
        i++;
    if (i == BUFFERS)
        return false;
    transmit_busy[i] = true;
    memset(transmit_buffers[i], 0, HEADER);
    memcpy(transmit_buffers[i] + HEADER, frame, size);
    transmit.descriptors[i] =
        (struct virtio_descriptor){virt_to_phys(transmit_buffers[i]), HEADER + size, 0, 0};
    virtio_submit(&transmit, i);
    return true;
}

static void net_interrupt(void)
{
    uint16_t i;
    uint32_t written;

    virtio_interrupted(&device);
    while (virtio_next_used(&receive, &i, &written)) {
        if (written > HEADER)
            net_input(receive_buffers[i] + HEADER, written - HEADER, false);
        offer(i);
    }
}

static struct net_device net = {.name = "virtio", .send = net_send};

void virtio_net_init(void)
{
    if (!pci_find(VIRTIO_VENDOR, DEVICE, &device))
        return;
    virtio_start(&device, FEATURE_MAC);
    if (!virtio_queue_init(&receive, &device, 0, queue_memory[0]) ||
        !virtio_queue_init(&transmit, &device, 1, queue_memory[1]))
        return;
    transmit.available[0] = 1; /* no interrupt for what was sent */
    virtio_ready(&device);
    for (unsigned i = 0; i < MAC_SIZE; i++)
        net.mac[i] = virtio_config(&device, i);
    for (unsigned i = 0; i < BUFFERS; i++)
        offer(i);
    irq_request(device.line, net_interrupt);
    net_register(&net);
}
