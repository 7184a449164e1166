/* SPDX-License-Identifier: MIT */
/* Reads the firmware's ACPI tables: processors, I/O APICs, ISA interrupts, power and reset
 * registers, timers, PCI windows. The tables are data of unknown quality: every length is checked
 * before what it covers is read. */
#include <string.h>

#include <hv/dev.h>
#include <hv/init.h>
#include <hv/print.h>

#include "acpi.h"

struct acpi acpi;

#define BIOS_DATA_EBDA 0x40e /* segment of the extended BIOS data area */
#define EBDA_SEARCH    1024
#define BIOS_START     0xe0000
#define BIOS_END       0x100000
#define FIRMWARE_MAX   (1u << 20) /* no table is larger */
#define TABLES_MAX     256

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length; /* from here on: revision 2 */
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __packed;
#define RSDP_V1_SIZE 20

struct table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[26];
} __packed;
_Static_assert(sizeof(struct table) == 36, "header of every table");

struct gas { /* generic address */
    uint8_t space, width, offset, access;
    uint64_t address;
} __packed;

struct fadt {
    struct table header;
    uint32_t facs, dsdt;
    uint8_t reserved, profile;
    uint16_t sci;
    uint8_t unused1[16];
    uint32_t pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint8_t unused2[32];
    uint32_t flags;
    struct gas reset;
    uint8_t reset_value, unused3[11];
    uint64_t x_dsdt;
    struct gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer;
} __packed;
_Static_assert(offsetof(struct fadt, pm1a_control) == 64 && offsetof(struct fadt, flags) == 112 &&
                   offsetof(struct fadt, x_dsdt) == 140 && offsetof(struct fadt, x_pm_timer) == 208,
               "as in the ACPI specification");
#define FADT_V1_SIZE     116
#define FADT_TIMER_32BIT (1u << 8)
#define FADT_RESET       (1u << 10)

/* Types of entries; each begins with its type and length. */
enum { MADT_LAPIC, MADT_IOAPIC, MADT_OVERRIDE, MADT_NMI = 4, MADT_LAPIC_MADDR, MADT_X2APIC = 9 };
#define MADT_ENTRIES     44
#define MADT_CPU_ENABLED 1u
#define MPS_POLARITY     0x3
#define MPS_LOW          0x3
#define MPS_TRIGGER      0xc
#define MPS_LEVEL        0xc

static const void *firmware(uint64_t maddr, uint64_t size)
{
    if (size > FIRMWARE_MAX || maddr + size < maddr)
        return NULL;
    return (const void *)map_device(maddr, size);
}

static bool sum_is_zero(const void *p, size_t size)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    while (size--)
        sum = (uint8_t)(sum + *b++);
    return !sum;
}

/* A whole table with a good checksum, or NULL. */
static const struct table *table_at(uint64_t maddr)
{
    const struct table *t = firmware(maddr, sizeof(*t));
    uint32_t length = t ? t->length : 0;

    if (length < sizeof(*t))
        return NULL;
    t = firmware(maddr, length);
    if (!t || !sum_is_zero(t, length)) {
        printk(LOG_WARN, "ACPI table at %#lx is ignored: length %u or checksum is wrong", maddr,
               length);
        return NULL;
    }
    return t;
}

static const struct rsdp *rsdp_search(uint64_t from, uint64_t to)
{
    const char *p = firmware(from, to - from);

    for (uint64_t at = 0; p && at + sizeof(struct rsdp) <= to - from; at += 16) {
        if (!memcmp(p + at, "RSD PTR ", 8) && sum_is_zero(p + at, RSDP_V1_SIZE))
            return (const struct rsdp *)(p + at);
    }
    return NULL;
}

static const struct rsdp *rsdp_find(void)
{
    const struct rsdp *r = rsdp_search(BIOS_START, BIOS_END);
    const uint16_t *segment = firmware(BIOS_DATA_EBDA, sizeof(*segment));
    uint64_t ebda = segment ? (uint64_t)*segment << 4 : 0;

    return r || !ebda ? r : rsdp_search(ebda, ebda + EBDA_SEARCH);
}

static void add_cpu(uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
    if ((flags & MADT_CPU_ENABLED) && acpi.cpus < ACPI_MAX_CPUS)
        acpi.cpu[acpi.cpus++] = (struct acpi_cpu){apic_id, acpi_id};
}

static void madt_parse_entry(const uint8_t *e)
{
    static const uint8_t sizes[] = {
        [MADT_LAPIC] = 8, [MADT_IOAPIC] = 12,      [MADT_OVERRIDE] = 10,
        [MADT_NMI] = 6,   [MADT_LAPIC_MADDR] = 12, [MADT_X2APIC] = 16,
    };

    if (e[0] >= ARRAY_SIZE(sizes) || e[1] < sizes[e[0]])
        return;
    switch (e[0]) {
    case MADT_LAPIC: /* ACPI id, APIC id, flags */
        add_cpu(e[3], e[2], (uint32_t)get_le(e + 4, 4));
        break;
    case MADT_IOAPIC: /* id, reserved, address, first line */
        if (acpi.ioapics < ACPI_MAX_IOAPICS)
            acpi.ioapic[acpi.ioapics++] = (struct acpi_ioapic){get_le(e + 4, 4), (uint32_t)get_le(e + 8, 4), e[2]};
        break;
    case MADT_OVERRIDE: /* bus, interrupt, line, flags */
        if (e[3] < ISA_IRQS)
            acpi.isa[e[3]] = (struct acpi_isa_irq){
                .gsi = (uint32_t)get_le(e + 4, 4),
                .level = (e[8] & MPS_TRIGGER) == MPS_LEVEL,
                .low = (e[8] & MPS_POLARITY) == MPS_LOW,
            };
        break;
    case MADT_NMI: /* ACPI id, flags (2 bytes), pin */
        acpi.nmi_pins |= (uint8_t)(1u << (e[5] & 1));
        break;
    case MADT_LAPIC_MADDR: /* reserved (2 bytes), address (8) */
        acpi.lapic_maddr = get_le(e + 4, 8);
        break;
    case MADT_X2APIC: /* reserved (2 bytes), APIC id, flags, ACPI id */
        add_cpu((uint32_t)get_le(e + 4, 4), (uint32_t)get_le(e + 12, 4), (uint32_t)get_le(e + 8, 4));
        break;
    }
}

static void madt_parse(const struct table *t)
{
    const uint8_t *e = (const uint8_t *)t + MADT_ENTRIES, *end = (const uint8_t *)t + t->length;

    if (e > end)
        return;
    acpi.lapic_maddr = *(const uint32_t *)(t + 1);
    for (; end - e >= 2 && e[1] >= 2 && e[1] <= end - e; e += e[1])
        madt_parse_entry(e);
}

/* A port given by an old field of 32 bits or, if that is 0, by a generic address. */
static uint16_t fadt_port(const struct fadt *f, uint32_t port, const struct gas *x)
{
    if (!port && f->header.length >= (size_t)((const char *)(x + 1) - (const char *)f) &&
        x->space == ACPI_SPACE_IO)
        port = (uint32_t)x->address;
    return (uint16_t)port;
}

static void fadt_parse(const struct table *t)
{
    const struct fadt *f = (const struct fadt *)t;

    if (t->length < FADT_V1_SIZE)
        return;
    acpi.sci = f->sci;
    acpi.pm1a_control = fadt_port(f, f->pm1a_control, &f->x_pm1a_control);
    acpi.pm1b_control = fadt_port(f, f->pm1b_control, &f->x_pm1b_control);
    acpi.pm_timer = fadt_port(f, f->pm_timer, &f->x_pm_timer);
    acpi.pm_timer_32bit = f->flags & FADT_TIMER_32BIT;
    acpi.dsdt = f->dsdt;
    if (t->length >= offsetof(struct fadt, x_dsdt) && (f->flags & FADT_RESET) &&
        (f->reset.space == ACPI_SPACE_IO || f->reset.space == ACPI_SPACE_MEMORY)) {
        acpi.reset = (struct acpi_register){f->reset.space, f->reset.address};
        acpi.reset_value = f->reset_value;
    }
    if (t->length >= offsetof(struct fadt, x_pm1a_event) && f->x_dsdt)
        acpi.dsdt = f->x_dsdt;
}

static void hpet_parse(const struct table *t)
{
    const struct gas *base = (const struct gas *)((const char *)(t + 1) + 4);

    if (t->length >= sizeof(*t) + 4 + sizeof(*base) && base->space == ACPI_SPACE_MEMORY)
        acpi.hpet = base->address;
}

static void mcfg_parse(const struct table *t)
{
    struct entry {
        uint64_t base;
        uint16_t segment;
        uint8_t first, last;
        uint32_t reserved;
    } __packed;
    const struct entry *e = (const struct entry *)((const char *)(t + 1) + 8);
    const char *end = (const char *)t + t->length;

    for (; (const char *)(e + 1) <= end && acpi.mcfgs < ACPI_MAX_MCFGS; e++)
        acpi.mcfg[acpi.mcfgs++] = (struct acpi_mcfg){e->base, e->segment, e->first, e->last};
}

static void parse_table(uint64_t maddr)
{
    static const struct {
        char signature[5];
        void (*parse)(const struct table *t);
    } known[] = {
        {"APIC", madt_parse}, {"FACP", fadt_parse}, {"HPET", hpet_parse}, {"MCFG", mcfg_parse}};
    const struct table *t = firmware(maddr, sizeof(*t));

    for (unsigned i = 0; t && i < ARRAY_SIZE(known); i++) {
        if (!memcmp(t->signature, known[i].signature, 4)) {
            t = table_at(maddr);
            if (t)
                known[i].parse(t);
            return;
        }
    }
}

/* The XSDT lists tables by 64-bit addresses, the RSDT by 32-bit ones. */
static void parse_root(const struct rsdp *r)
{
    bool wide =
        r->revision >= 2 && r->xsdt && r->length >= sizeof(*r) && sum_is_zero(r, sizeof(*r));
    const struct table *root = table_at(wide ? r->xsdt : r->rsdt);
    unsigned size = wide ? 8 : 4, n;

    if (!root)
        return;
    n = (root->length - (unsigned)sizeof(*root)) / size;
    for (unsigned i = 0; i < MIN(n, (unsigned)TABLES_MAX); i++) {
        uint64_t maddr = 0;

        memcpy(&maddr, (const char *)(root + 1) + i * size, size);
        parse_table(maddr);
    }
}

void acpi_init(void)
{
    const struct rsdp *r = rsdp_find();

    acpi = (struct acpi){.lapic_maddr = 0xfee00000, .sci = 9};
    for (unsigned i = 0; i < ISA_IRQS; i++)
        acpi.isa[i].gsi = i;
    if (r)
        parse_root(r);
    if (!acpi.cpus)
        printk(LOG_WARN, "the firmware has no ACPI tables that tell of processors and I/O APICs");
    printk(LOG_INFO, "ACPI: %u processors, %u I/O APICs, PM timer at port %#x, HPET at %#lx",
           acpi.cpus, acpi.ioapics, acpi.pm_timer, acpi.hpet);
}

uint32_t firmware_acpi_id(uint32_t apic_id)
{
    for (unsigned i = 0; i < acpi.cpus; i++) {
        if (acpi.cpu[i].apic_id == apic_id)
            return acpi.cpu[i].acpi_id;
    }
    return ~0u;
}

bool acpi_find_s5(uint8_t type[2])
{
    const struct table *t = acpi.dsdt ? firmware(acpi.dsdt, sizeof(*t)) : NULL;
    uint32_t length = t && !memcmp(t->signature, "DSDT", 4) ? t->length : 0;
    const uint8_t *aml = length > sizeof(*t) ? firmware(acpi.dsdt + sizeof(*t), length - sizeof(*t)) : NULL;

    return aml && aml_find_s5(aml, length - sizeof(*t), type);
}
