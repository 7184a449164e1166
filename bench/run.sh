#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the bench guest on Xen and on Paravane under instruction counting and compares row by row.
#   bench/run.sh [--only-ours] [PARAVANE_IMAGE [XEN_IMAGE]]
# Without a Xen image (argument, or $XEN_IMAGE), Debian's is downloaded. --only-ours compares with an earlier run.
# Exit: 0 when every row meets its target, 1 when one does not, 2 when a run failed.
set -u
cd "$(dirname "$0")/.." || exit 2

only_ours=0
if [ "${1:-}" = --only-ours ]; then
    only_ours=1
    shift
fi
ours=${1:-build/paravane}
xen=${2:-${XEN_IMAGE:-build/xen/xen.bin}}
guest=build/bench/pvbench
out=build/bench
target=0.50 # of Xen's figure, every row

# name in the guest's output : what the table calls it
rows="null:xen_version, the null call
mmu_update_1:mmu_update, batch of 1
mmu_update_8:mmu_update, batch of 8
mmu_update_32:mmu_update, batch of 32
mmu_update_512:mmu_update, batch of 512
update_va_mapping:update_va_mapping + local INVLPG
multicall_32_va:multicall of 32 update_va_mapping
trapped_pte_write:PTE write, trapped and emulated
pin_l1_512:MMUEXT_PIN_L1_TABLE, 512 entries
unpin_l1_512:MMUEXT_UNPIN_TABLE of the same
new_baseptr:MMUEXT_NEW_BASEPTR
invlpg_local:MMUEXT_INVLPG_LOCAL
page_fault:page fault, and iret hypercall
event_masked:event to self, masked
event_upcall:event to self, upcall and return
yield:sched_op yield, nothing else to run
set_segment_base:set_segment_base
stack_switch:stack_switch
grant_map_1:grant map, 1 a call
grant_map_32:grant map, 32 a call
grant_unmap_1:grant unmap, 1 a call
grant_unmap_32:grant unmap, 32 a call
grant_copy_1:grant copy of 64 bytes, 1 a call
grant_copy_32:grant copy of 64 bytes, 32 a call"

# measure IMAGE LOG: boots, stops when the guest is done (or after the time limit)
measure() {
    timeout "${BENCH_TIMEOUT:-120}" qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off \
        -smp 1 -machine q35 -cpu max,-smap,-smep,-la57 -m 1024 -display none -nodefaults \
        -serial stdio -no-reboot -kernel "$1" \
        -append "com1=115200 console=com1 dom0_mem=256M spec-ctrl=no" \
        -initrd "$guest end=reboot" </dev/null >"$2" 2>&1
    if ! grep -q '^BENCH-END' "$2"; then
        echo "bench: the guest did not finish on $1; the end of $2:" >&2
        tail -n 15 "$2" >&2
        exit 2
    fi
}

[ -f "$guest" ] || { echo "bench: $guest is missing, run make" >&2; exit 2; }
[ -f "$ours" ] || { echo "bench: $ours is missing, run make" >&2; exit 2; }
if [ $only_ours = 0 ]; then
    [ -f "$xen" ] || bench/fetch-xen "$xen" || exit 2
    measure "$xen" $out/xen.log
fi
[ -f $out/xen.log ] || { echo "bench: no earlier run on Xen to compare with" >&2; exit 2; }
measure "$ours" $out/paravane.log

echo "$rows" | awk -F: -v target=$target -v xen=$out/xen.log -v ours=$out/paravane.log '
function load(file, into,   line, f) {
    while ((getline line < file) > 0) {
        gsub(/\r/, "", line)
        if (split(line, f, " ") == 3 && f[1] == "BENCH")
            into[f[2]] = f[3]
    }
    close(file)
}
BEGIN {
    load(xen, x); load(ours, p)
    print "Guest instructions per operation (QEMU -icount). Caches, TLB misses and the cost of ring"
    print "crossings are not modelled: this compares work done, not time on a processor."
    printf "\n%-36s %9s %9s %7s %7s\n", "operation", "Xen", "Paravane", "ratio", "target"
}
{
    if (!($1 in x) || !($1 in p)) {
        printf "%-36s %9s %9s   no figure\n", $2, x[$1], p[$1]
        bad++
        next
    }
    r = p[$1] / x[$1]
    over = r > target
    bad += over
    printf "%-36s %9d %9d %7.3f %7.2f%s\n", $2, x[$1], p[$1], r, target, over ? "  OVER" : ""
}
END {
    printf "\n%d of %d rows meet the target\n", NR - bad, NR
    exit bad > 0
}'
