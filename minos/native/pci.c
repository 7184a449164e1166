/* SPDX-License-Identifier: MIT */
/* PCI configuration by ports, as far as drivers of port-mapped devices need it. */
#include "native.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc

static uint32_t config_read(uint16_t address, unsigned reg)
{
    out32(CONFIG_ADDRESS, 0x80000000u | address << 8 | reg);
    return in32(CONFIG_DATA);
}

static void config_write(uint16_t address, unsigned reg, uint32_t v)
{
    out32(CONFIG_ADDRESS, 0x80000000u | address << 8 | reg);
    out32(CONFIG_DATA, v);
}

bool pci_find(uint16_t vendor, uint16_t device, struct pci_device *out)
{
    for (unsigned a = 0; a < 256; a++) { /* functions of bus 0 */
        if (config_read(a, 0) != ((uint32_t)device << 16 | vendor))
            continue;
        config_write(a, 4, config_read(a, 4) | 5); /* I/O, bus master */
        *out = (struct pci_device){
            .address = a, .port = config_read(a, 0x10) & ~3u, .line = config_read(a, 0x3c) & 15};
        return true;
    }
    return false;
}
