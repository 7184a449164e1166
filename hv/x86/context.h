/* SPDX-License-Identifier: MIT */
/* Parts of a vCPU's processor state; what hv/x86's files share about switching between vCPUs. */
#ifndef HV_X86_CONTEXT_H
#define HV_X86_CONTEXT_H

#include <hv/cpu.h>

/* Descriptor tables (x86/desc.c). */
int desc_create(struct vcpu *v);
void desc_release(struct vcpu *v); /* the guest's pages */
void desc_destroy(struct vcpu *v); /* what desc_create() made, as far as it came */
void desc_load(const struct vcpu *v);
int gdt_set(struct vcpu *v, const uint64_t *frames, unsigned entries);

/* Extended state (x86/fpu.c). */
void fpu_host_init(struct percpu *c); /* on each CPU */
int fpu_create(struct vcpu *v);
void fpu_destroy(struct vcpu *v);
void fpu_export(const struct vcpu *v, void *fxsave_area);
void fpu_save(struct vcpu *v);
void fpu_restore(struct vcpu *v); /* all but XCR0 */
void fpu_resume(struct percpu *c, const struct vcpu *v); /* XCR0 for the guest's own use */
bool fpu_set_xcr0(struct vcpu *v, uint64_t xcr0); /* XSETBV; false: #GP */
void fpu_import(struct vcpu *v, const void *fxsave_area);

/* Debug registers (x86/debugreg.c). */
void debugreg_load(const struct vcpu *v);
int debugreg_set(struct vcpu *v, unsigned reg, uint64_t value); /* also of a vCPU that does not run */
uint64_t debugreg_get(const struct vcpu *v, unsigned reg);

/* Segment bases (x86/segment.c). */
void segments_save(struct vcpu *v);
void selectors_save(struct vcpu *v);
void segments_load(struct vcpu *v);
bool segments_reload(struct vcpu *v); /* for WORK_SEGMENTS; false: one is bad, v->ds etc. tell which ones were asked for */

/* x86/access.S */
bool load_ds(unsigned sel);
bool load_es(unsigned sel);
bool load_fs(unsigned sel);
bool load_gs(unsigned sel);
bool load_user_gs(unsigned sel);
bool xrstor_safe(const void *area, uint64_t mask);
bool fxrstor_safe(const void *area);

/* entry.S */
void switch_stack(struct vcpu *prev, struct vcpu *next);
extern const char syscall_entry[], syscall_traced[];

extern bool use_ibpb; /* x86/spec_ctrl.c: MSR_PRED_CMD is there, and to be used */

/* Windows (x86/window.c): CPUs have the first MAX_CPUS, vCPUs the others. */
uint64_t window_alloc(unsigned *index); /* 0: none left */
int window_map_pages(uint64_t va, unsigned count);
void window_unmap_pages(uint64_t va, unsigned count); /* frees them; there may be fewer */
void window_free(unsigned index);

#endif
