/* SPDX-License-Identifier: MIT */
/* What the boot loader tells by the multiboot 1 protocol: command line, modules, memory map. */
#include <string.h>

#include <hv/layout.h>
#include <hv/print.h>
#include "boot.h"

#define MULTIBOOT_LOADED 0x2badb002

#define HAS_COMMAND_LINE 0x001u
#define HAS_MODULES      0x008u
#define HAS_MEMORY_MAP   0x040u
#define HAS_LOADER_NAME  0x200u

struct mb_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules, syms[4];
    uint32_t mmap_length, mmap, drives_length, drives, config_table, loader_name;
};

struct mb_module {
    uint32_t start, end, string, reserved;
};

struct mb_mmap {
    uint32_t size; /* of the entry, not counting itself */
    uint64_t addr, len;
    uint32_t type;
} __packed;

struct boot_info boot_info;

static char module_args[ARRAY_SIZE(boot_info.module)][1024];

/* The early page tables map the first 4 GiB. */
static const void *low_va(uint32_t maddr)
{
    return (const void *)(DIRECT_MAP_VA + maddr);
}

/* Copies a string without the file name that old loaders put before the arguments, or the word that
 * GRUB 2's menu scripts put there because GRUB 2 does not. */
static void copy_arguments(char *dst, size_t size, uint32_t maddr, bool named)
{
    const char *s = low_va(maddr);
    size_t len;

    s += *s == ' ';
    if (named || !strncmp(s, "placeholder", 11)) {
        while (*s && *s != ' ')
            s++;
        s += *s == ' ';
    }
    len = strnlen(s, size);
    if (len == size)
        panic("an argument line of more than %zu bytes was passed by the boot loader", size - 1);
    memcpy(dst, s, len + 1);
}

/* GRUB 2 passes arguments alone; others begin with the file name. */
static bool names_files(const struct mb_info *mb)
{
    const char *name = low_va(mb->loader_name);

    return !(mb->flags & HAS_LOADER_NAME) || strncmp(name, "GRUB ", 5) || name[5] == '0';
}

static void read_modules(const struct mb_info *mb)
{
    const struct mb_module *m = low_va(mb->modules);

    for (unsigned i = 0; i < mb->module_count; i++) {
        if (i == ARRAY_SIZE(boot_info.module)) {
            printk(LOG_WARN,
                   "%u boot modules were passed; only a kernel and an initial RAM disk are used",
                   mb->module_count);
            break;
        }
        boot_info.module[i].start = m[i].start;
        boot_info.module[i].size = m[i].end - m[i].start;
        boot_info.module[i].args = module_args[i];
        if (m[i].string)
            copy_arguments(module_args[i], sizeof(module_args[i]), m[i].string, names_files(mb));
        boot_info.module_count = i + 1;
    }
}

static void read_memory_map(const struct mb_info *mb)
{
    static struct e820_entry map[E820_MAX];
    const char *p = low_va(mb->mmap), *end = p + mb->mmap_length;
    unsigned count = 0;

    while (p < end && count < E820_MAX) {
        const struct mb_mmap *m = (const struct mb_mmap *)p;

        if (m->len && m->addr + m->len > m->addr)
            map[count++] = (struct e820_entry){m->addr, m->len, m->type};
        p += m->size + sizeof(m->size);
    }
    e820_set(map, count);
}

void multiboot_read(uint32_t magic, uint32_t info_maddr)
{
    const struct mb_info *mb = low_va(info_maddr);

    if (magic != MULTIBOOT_LOADED)
        panic("the boot loader is not a multiboot one: EAX is %x at the start", magic);
    if (!(mb->flags & HAS_MEMORY_MAP))
        panic("the boot loader passed no memory map");
    if (mb->flags & HAS_COMMAND_LINE)
        copy_arguments(boot_info.command_line, sizeof(boot_info.command_line), mb->command_line,
                       names_files(mb));
    if (mb->flags & HAS_MODULES)
        read_modules(mb);
    read_memory_map(mb);
}
