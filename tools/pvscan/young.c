/* SPDX-License-Identifier: MIT */
/* Instructions that the disassembler is too old for. It takes them for none, and would go on in the
 * middle of them. */
#include <string.h>
#include "pvscan.h"

static const struct {
    const char *name;
    uint8_t size, bytes[4];
    enum young_kind kind;
} young[] = {
    {"rdpkru", 3, {0x0f, 0x01, 0xee}, YOUNG_PKRU},
    {"wrpkru", 3, {0x0f, 0x01, 0xef}, YOUNG_PKRU},
    {"serialize", 3, {0x0f, 0x01, 0xe8}, YOUNG_HARMLESS},
    {"monitorx", 3, {0x0f, 0x01, 0xfa}, YOUNG_HARMLESS},
    {"mwaitx", 3, {0x0f, 0x01, 0xfb}, YOUNG_HARMLESS},
    {"pconfig", 3, {0x0f, 0x01, 0xc5}, YOUNG_SYSTEM},
    {"enclv", 3, {0x0f, 0x01, 0xc0}, YOUNG_SYSTEM},
    {"wrmsrns", 3, {0x0f, 0x01, 0xc6}, YOUNG_SYSTEM},
    {"rdmsrlist", 4, {0xf2, 0x0f, 0x01, 0xc6}, YOUNG_SYSTEM},
    {"wrmsrlist", 4, {0xf3, 0x0f, 0x01, 0xc6}, YOUNG_SYSTEM},
    {"erets", 4, {0xf2, 0x0f, 0x01, 0xca}, YOUNG_SYSTEM},
    {"eretu", 4, {0xf3, 0x0f, 0x01, 0xca}, YOUNG_SYSTEM},
    {"setssbsy", 4, {0xf3, 0x0f, 0x01, 0xe8}, YOUNG_SYSTEM},
    {"psmash", 4, {0xf3, 0x0f, 0x01, 0xff}, YOUNG_SYSTEM},
    {"pvalidate", 4, {0xf2, 0x0f, 0x01, 0xff}, YOUNG_SYSTEM},
    {"rmpadjust", 4, {0xf3, 0x0f, 0x01, 0xfe}, YOUNG_SYSTEM},
    {"rmpupdate", 4, {0xf2, 0x0f, 0x01, 0xfe}, YOUNG_SYSTEM},
};

/* Bytes of ModRM, SIB and displacement at the start of p. */
static size_t operand_size(const uint8_t *p, size_t left)
{
    unsigned mod = p[0] >> 6, rm = p[0] & 7;
    size_t size = 1;

    if (mod == 3)
        return 1;
    if (rm == 4) {
        size++;
        rm = left > 1 ? p[1] & 7 : 0;
    }
    return size + (mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0);
}

/* VEX and EVEX encode vector instructions (and tiles): none of them is privileged, so the length is
 * enough. */
static size_t vector_size(const uint8_t *p, size_t left)
{
    size_t prefix = p[0] == 0x62 ? 4 : p[0] == 0xc4 ? 3 : p[0] == 0xc5 ? 2 : 0;
    unsigned map, opcode;

    if (!prefix || left < prefix + 2)
        return 0;
    map = p[0] == 0x62 ? p[1] & 7 : p[0] == 0xc4 ? p[1] & 0x1f : 1;
    opcode = p[prefix];
    if (map < 1 || map > 6)
        return 0;
    return prefix + 1 + operand_size(p + prefix + 1, left - prefix - 1) +
           (map == 3 || (map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
                                      (opcode >= 0xc4 && opcode <= 0xc6))));
}

static void name(cs_insn *in, const char *text, size_t size)
{
    in->id = X86_INS_INVALID;
    in->size = (uint16_t)size;
    snprintf(in->mnemonic, sizeof(in->mnemonic), "%s", text);
    in->op_str[0] = 0;
}

enum young_kind young_instruction(const uint8_t *bytes, size_t left, cs_insn *in)
{
    size_t size;

    for (size_t i = 0; i < sizeof(young) / sizeof(young[0]); i++) {
        if (young[i].size <= left && !memcmp(bytes, young[i].bytes, young[i].size)) {
            name(in, young[i].name, young[i].size);
            return young[i].kind;
        }
    }
    size = vector_size(bytes, left);
    if (!size || size > left)
        return YOUNG_NONE;
    name(in, "(vector)", size);
    return YOUNG_HARMLESS;
}
