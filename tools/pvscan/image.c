/* SPDX-License-Identifier: MIT */
/* Opening what was given: libdwfl finds the ELF file in it (compressed, in a bzImage, in an
 * archive), lays out relocatable ones, and finds separate debug information. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pvscan.h"

struct each {
    const char *path, *symbol_file;
    void (*fn)(struct image *, void *);
    void *arg;
};

static void add_section(struct image *im, const char *name, uint64_t addr, Elf_Data *data)
{
    if (!data || !data->d_buf || !data->d_size)
        return;
    im->sections = grow(im->sections, im->section_count, sizeof(*im->sections));
    im->sections[im->section_count++] = (struct section){
        .name = name, .addr = addr + im->bias, .size = data->d_size, .bytes = data->d_buf};
}

static void find_sections(struct image *im)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;
    GElf_Phdr phdr;
    size_t names, segments = 0;

    while (!elf_getshdrstrndx(im->elf, &names) && (scn = elf_nextscn(im->elf, scn)))
        if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_PROGBITS &&
            (shdr.sh_flags & SHF_EXECINSTR))
            add_section(im, elf_strptr(im->elf, names, shdr.sh_name), shdr.sh_addr,
                        elf_rawdata(scn, NULL));
    if (im->section_count)
        return;
    elf_getphdrnum(im->elf, &segments);
    for (size_t i = 0; i < segments; i++)
        if (gelf_getphdr(im->elf, (int)i, &phdr) && phdr.p_type == PT_LOAD && (phdr.p_flags & PF_X))
            add_section(
                im, "segment", phdr.p_vaddr,
                elf_getdata_rawchunk(im->elf, (int64_t)phdr.p_offset, phdr.p_filesz, ELF_T_BYTE));
}

static int open_module(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr start,
                       void *arg)
{
    struct image *im = calloc(1, sizeof(*im));
    struct each *each = arg;
    GElf_Ehdr header;

    (void)user;
    (void)start;
    if (!im)
        die("out of memory");
    im->name = *name ? name : each->path;
    im->module = module;
    im->elf = dwfl_module_getelf(module, &im->bias);
    if (!im->elf || !gelf_getehdr(im->elf, &header))
        die("%s: %s", im->name, dwfl_errmsg(-1));
    if (header.e_machine != EM_X86_64)
        die("%s: not for x86-64%s", im->name,
            header.e_machine == EM_386
                ? "; there are no 32-bit guests. If objcopy made it, give the file it was made from"
                : "");
    im->relocatable = header.e_type == ET_REL;
    find_sections(im);
    if (!im->section_count)
        die("%s: there is no code in it", im->name);
    symbols_read(im, each->symbol_file);
    each->fn(im, each->arg);
    return DWARF_CB_OK;
}

void image_each(const char *path, const char *symbol_file, void (*fn)(struct image *, void *),
                void *arg)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    struct each each = {path, symbol_file, fn, arg};
    Dwfl *dwfl = dwfl_begin(&callbacks);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        die("%s: %s", path, strerror(errno));
    if (!dwfl)
        die("%s", dwfl_errmsg(-1));
    if (!dwfl_report_offline(dwfl, "", path, fd))
        die("%s: no ELF file, and none inside (%s); of a kernel that is a raw binary, give the ELF "
            "file it was made from",
            path, dwfl_errmsg(-1));
    dwfl_report_end(dwfl, NULL, NULL);
    if (dwfl_getmodules(dwfl, open_module, &each, 0) < 0)
        die("%s: %s", path, dwfl_errmsg(-1));
}

const struct section *image_section(const struct image *im, uint64_t addr)
{
    for (unsigned i = 0; i < im->section_count; i++)
        if (addr - im->sections[i].addr < im->sections[i].size)
            return &im->sections[i];
    return NULL;
}

uint64_t image_physical(const struct image *im, uint64_t physical)
{
    size_t segments = 0;
    GElf_Phdr phdr;

    elf_getphdrnum(im->elf, &segments);
    for (size_t i = 0; i < segments; i++)
        if (gelf_getphdr(im->elf, (int)i, &phdr) && phdr.p_type == PT_LOAD &&
            physical - phdr.p_paddr < phdr.p_memsz)
            return physical - phdr.p_paddr + phdr.p_vaddr + im->bias;
    return 0;
}

uint64_t image_entry(const struct image *im)
{
    GElf_Ehdr header;

    if (!gelf_getehdr(im->elf, &header))
        return 0;
    return image_section(im, header.e_entry + im->bias) ? header.e_entry + im->bias
                                                        : image_physical(im, header.e_entry);
}
