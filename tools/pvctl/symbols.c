/* SPDX-License-Identifier: MIT */
/* Symbols, lines and unwinding by elfutils' libdw.
 *
 * Where the file has call frame information (.debug_frame, .eh_frame) it says where return
 * addresses are. Elsewhere, as in a hypercall page or a kernel without debug information, each word
 * of the stack that is the address behind a call instruction counts as one. */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "symbols.h"

struct symbols {
    Dwfl *dwfl;
    Dwfl_Module *module;
    bool begun;                /* the first frame was seen */
    const struct stack *stack; /* that is being looked at */
    struct frame *frame;
    struct returns *returns;
    unsigned frames;
};

/* ---- Names. ---- */

static const char *inlined_name(Dwarf_Die *die)
{
    Dwarf_Attribute attr;

    return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));
}

static void add(struct symbols *s, struct frame f)
{
    if (s->frames < FRAMES_MAX)
        s->frame[s->frames++] = f;
}

/* Functions whose code was put into that of pc's function, from the innermost outwards. *line:
 * where each of them was called becomes the line of the next. */
static void add_inlined(struct symbols *s, uint64_t pc, struct frame *f)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(s->module, pc, &bias), *scopes = NULL;
    int count = unit ? dwarf_getscopes(unit, pc - bias, &scopes) : 0;
    Dwarf_Files *files = NULL;
    size_t nfiles;

    if (count > 0)
        dwarf_getsrcfiles(unit, &files, &nfiles);
    for (int i = 0; i < count; i++) {
        Dwarf_Attribute attr;
        Dwarf_Word file = 0, line = 0;

        if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
            break;
        if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
            continue;
        add(s, (struct frame){.function = inlined_name(&scopes[i]),
                              .file = f->file,
                              .line = f->line,
                              .pc = f->pc});
        dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &attr), &file);
        dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &attr), &line);
        f->file = files ? dwarf_filesrc(files, file, NULL, NULL) : NULL;
        f->line = (int)line;
    }
    free(scopes);
}

/* A return address belongs to the call before it. */
static void add_frames(struct symbols *s, uint64_t pc, bool is_return)
{
    struct frame f = {.pc = pc};
    uint64_t at = is_return ? pc - 1 : pc;
    Dwfl_Line *line;
    GElf_Sym sym;

    if (s->module) {
        f.function = dwfl_module_addrinfo(s->module, at, &f.offset, &sym, NULL, NULL, NULL);
        f.offset += is_return;
        line = dwfl_module_getsrc(s->module, at);
        if (line)
            f.file = dwfl_lineinfo(line, NULL, &f.line, NULL, NULL, NULL);
        add_inlined(s, at, &f);
    }
    add(s, f);
}

/* ---- Unwinding. ---- */

static bool word_at(const struct stack *k, uint64_t address, uint64_t *word)
{
    uint64_t i = (address - k->sp) / 8;

    if (address < k->sp || address % 8 || i >= k->words)
        return false;
    *word = k->word[i];
    return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *arg)
{
    const struct symbols *s = arg;

    (void)dwfl;
    return word_at(s->stack, address, word);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
    (void)dwfl;
    if (*thread_arg)
        return 0;
    *thread_arg = arg;
    return 1;
}

enum { DWARF_RBP = 6, DWARF_RSP = 7 };

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct symbols *s = arg;
    const Dwarf_Word bp_sp[] = {s->stack->bp, s->stack->sp};

    dwfl_thread_state_register_pc(thread, s->stack->pc);
    return dwfl_thread_state_registers(thread, DWARF_RBP, 2, bp_sp);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = memory_read,
    .set_initial_registers = set_registers,
};

static void note_return(struct symbols *s, unsigned index, uint64_t pc)
{
    struct returns *r = s->returns;

    if (r->count == FRAMES_MAX)
        return;
    r->at[r->count] = index;
    r->pc[r->count++] = pc;
}

/* The return address lies below where the caller's stack pointer is after the return. */
static int on_frame(Dwfl_Frame *state, void *arg)
{
    struct symbols *s = arg;
    Dwarf_Addr pc;
    Dwarf_Word sp;
    bool activation;

    if (!dwfl_frame_pc(state, &pc, &activation))
        return DWARF_CB_ABORT;
    if (!s->begun) {
        s->begun = true;
        return DWARF_CB_OK;
    }
    if (dwfl_frame_reg(state, DWARF_RSP, &sp) || sp < s->stack->sp + 8 ||
        dwfl_addrmodule(s->dwfl, pc) != s->module)
        return DWARF_CB_ABORT;
    note_return(s, (unsigned)((sp - 8 - s->stack->sp) / 8), pc);
    add_frames(s, pc, true);
    return s->frames < FRAMES_MAX ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* Is there a call instruction before it? In files without code (symbols alone): any function will
 * do. */
static bool behind_call(const struct symbols *s, uint64_t pc)
{
    GElf_Sym sym;
    GElf_Off offset;
    GElf_Word section;
    GElf_Addr bias;
    Elf *elf;
    Elf_Scn *scn;
    Elf_Data *data;
    GElf_Shdr header;
    const uint8_t *code;

    if (!dwfl_module_addrinfo(s->module, pc - 1, &offset, &sym, &section, &elf, &bias) ||
        GELF_ST_TYPE(sym.st_info) != STT_FUNC)
        return false;
    scn = elf_getscn(elf, section);
    if (!scn || !gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
        return true;
    data = elf_rawdata(scn, NULL);
    offset = pc - bias - header.sh_addr;
    if (!data || offset < 7 || offset > data->d_size)
        return false;
    code = (const uint8_t *)data->d_buf + offset;
    return code[-5] == 0xe8 || (code[-2] == 0xff && (code[-1] & 0x38) == 0x10) ||
           (code[-3] == 0xff && (code[-2] & 0x38) == 0x10) ||
           (code[-6] == 0xff && code[-5] == 0x15) ||
           (code[-7] == 0xff && (code[-6] & 0x38) == 0x10);
}

/* By looks, from word `from`: up to so many. The index behind the last. */
static unsigned scan(struct symbols *s, unsigned from, unsigned most)
{
    for (unsigned i = from; i < s->stack->words; i++) {
        if (!behind_call(s, s->stack->word[i]))
            continue;
        note_return(s, i, s->stack->word[i]);
        add_frames(s, s->stack->word[i], true);
        from = i + 1;
        if (!--most || s->frames == FRAMES_MAX)
            break;
    }
    return from;
}

static bool has_frame_information(const struct symbols *s, uint64_t pc)
{
    Dwarf_Addr bias;
    Dwarf_CFI *cfi = dwfl_module_dwarf_cfi(s->module, &bias);
    Dwarf_Frame *frame;
    bool found = cfi && !dwarf_cfi_addrframe(cfi, pc - bias, &frame);

    if (found)
        free(frame);
    if (!found && (cfi = dwfl_module_eh_cfi(s->module, &bias)) != NULL &&
        !dwarf_cfi_addrframe(cfi, pc - bias, &frame)) {
        free(frame);
        found = true;
    }
    return found;
}

unsigned symbols_unwind(struct symbols *s, const struct stack *stack,
                        struct frame frame[FRAMES_MAX], struct returns *returns)
{
    static struct symbols none;
    struct stack from = *stack;
    unsigned skip = 0;

    if (!s)
        s = &none;
    s->stack = &from;
    s->frame = frame;
    s->returns = returns;
    s->frames = returns->count = 0;
    add_frames(s, stack->pc, false);
    if (!s->module)
        return s->frames;
    if (!has_frame_information(s, stack->pc)) { /* a hypercall page, or all of the file */
        skip = scan(s, 0, 1);
        if (!returns->count)
            return s->frames;
        from.pc = returns->pc[0];
        from.sp += skip * 8u;
        from.word += skip;
        from.words -= skip;
    }
    if (has_frame_information(s, from.pc - 1)) {
        unsigned first = returns->count;

        s->begun = false;
        dwfl_getthread_frames(s->dwfl, 1, on_frame, s);
        for (unsigned i = first; i < returns->count; i++)
            returns->at[i] += skip;
    } else {
        s->stack = stack;
        scan(s, skip, FRAMES_MAX);
    }
    return s->frames;
}

/* ---- The file. ---- */

static int no_debug_file(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base,
                         const char *file_name, const char *debuglink_file, GElf_Word debuglink_crc,
                         char **debuginfo_file_name)
{
    (void)mod, (void)userdata, (void)modname, (void)base, (void)file_name;
    (void)debuglink_file, (void)debuglink_crc, (void)debuginfo_file_name;
    return -1;
}

struct symbols *symbols_open(const char *file)
{
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = no_debug_file,
                                             .section_address = dwfl_offline_section_address};
    struct symbols *s = calloc(1, sizeof(*s));

    if (!s)
        die("no memory");
    s->dwfl = dwfl_begin(&callbacks);
    s->module = s->dwfl ? dwfl_report_offline(s->dwfl, "kernel", file, -1) : NULL;
    if (!s->module)
        die("%s: %s (a kernel's ELF file with symbols is wanted)", file, dwfl_errmsg(-1));
    dwfl_report_end(s->dwfl, NULL, NULL);
    if (dwfl_module_getsymtab(s->module) < 2)
        die("%s has no symbols", file);
    dwfl_attach_state(s->dwfl, NULL, 1, &thread_callbacks, s);
    return s;
}
