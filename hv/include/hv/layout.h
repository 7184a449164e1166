/* SPDX-License-Identifier: MIT */
/* The hypervisor's address map: L4 slots 256-271, which the guest ABI reserves in every address space.
 *
 *  slot  address             what                                        rights
 *  256   0xffff800000000000  machine-to-physical table (M2P)             hv RW alias in 257, guest RO (ABI)
 *  257   0xffff808000000000  the same M2P frames, hypervisor's alias     RW NX
 *  259   0xffff818000000000  frame table, 32 bytes a frame               RW NX
 *  261   0xffff82d040000000  image: text RX, rodata R, data RW NX        (1 GiB)
 *        0xffff82d080000000  windows of CPUs and vCPUs (below)           (1 GiB)
 *        0xffff82d0c0000000  device registers: LAPIC, I/O APIC, HPET     UC RW NX
 *  262-  0xffff830000000000  direct map of RAM, 5 TiB                    RW NX, the image's frames RO
 *
 * A window is 256 KiB, aligned to its size, so that any stack pointer within it finds the window's base:
 *
 *  vCPU window                               CPU window
 *   pages  0-15  GDT as loaded (16 frames)    page 0      SYSCALL stub (RX)
 *   pages 16-31  LDT as loaded                page 1-2    struct percpu (RW)
 *   page  32     guard                        page 4-5    NMI stack   \
 *   pages 33-36  stack; the last bytes are    page 7-8    #DF stack    | each with an unmapped
 *                struct guest_regs             page 10-11  #MC stack    | page below and above
 *   page  37     guard                        page 13-14  #DB stack   /
 *   page  38     current pointer (RW)         page 38     current pointer (RW)
 */
#ifndef HV_LAYOUT_H
#define HV_LAYOUT_H

#define HV_SLOT_FIRST 256
#define HV_SLOT_LAST  271

#define HV_VIRT_START 0xffff800000000000
#define HV_VIRT_END   0xffff880000000000

#define M2P_RO_VA      0xffff800000000000
#define M2P_RW_VA      0xffff808000000000
#define FRAME_TABLE_VA 0xffff818000000000
#define IMAGE_VA       0xffff82d040000000 /* virtual address of physical 0 as far as the image is concerned */
#define IMAGE_PHYS     0x200000
#define WINDOWS_VA     0xffff82d080000000
#define DEVICES_VA     0xffff82d0c0000000
#define DIRECT_MAP_VA  0xffff830000000000
#define DIRECT_MAP_SIZE 0x50000000000

#define WINDOW_SHIFT 18
#define WINDOW_SIZE  (1 << WINDOW_SHIFT)
#define WINDOW_COUNT 4096

/* Byte offsets in a CPU window. */
#define CPUWIN_STUB   0x0000
#define CPUWIN_PERCPU 0x1000
#define CPUWIN_NMI_TOP 0x6000
#define CPUWIN_DF_TOP  0x9000
#define CPUWIN_MC_TOP  0xc000
#define CPUWIN_DB_TOP  0xf000
#define WIN_CURRENT    (38 * 4096) /* both kinds: holds the struct vcpu pointer */

/* Byte offsets in a vCPU window. */
#define VWIN_GDT        0x00000
#define VWIN_LDT        0x10000
#define VWIN_STACK      (33 * 4096)
#define VWIN_STACK_TOP  (37 * 4096)

/* Selectors of the reserved part of every GDT (page 14 of the GDT window; indices fixed by the guest ABI). */
#define GDT_RESERVED_PAGE  14
#define GDT_RESERVED_FIRST (GDT_RESERVED_PAGE * 512)
#define SEL_RESERVED       (GDT_RESERVED_FIRST << 3) /* 0xe000 */
#define HV_CS   0xe008
#define HV_DS   0xe010
#define SEL_GUEST_CS32 0xe023
#define SEL_GUEST_SS   0xe02b
#define SEL_GUEST_CS64 0xe033
#define SEL_TSS 0xe040
#define SEL_LDT 0xe050

#endif
