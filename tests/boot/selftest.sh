#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots the self-test guest in dom0's place; its verdicts are the guest's own. Time is counted in instructions, so that a busy
# host does not make its deadlines late.
#   tests/boot/selftest.sh [-x] [IMAGE [GROUP]]      -x: IMAGE is Xen, which is to show the tests sane
# HV_OPTIONS: more options for the hypervisor.
set -u
cd "$(dirname "$0")/../.." || exit 2

xen=
if [ "${1:-}" = -x ]; then
    xen=on=xen
    shift
fi
image=${1:-build/paravane}
only=${2:+only=$2}
guest=build/tests/selftest
log=build/tests/logs/selftest${xen:+-xen}${HV_OPTIONS:+-$HV_OPTIONS}.log
mkdir -p "${log%/*}"

[ -f "$guest" ] || { echo "selftest: $guest is missing, run make" >&2; exit 2; }
timeout "${SELFTEST_TIMEOUT:-120}" qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off \
    -smp 1 -machine q35 -cpu "max,-smap,-smep,-la57" -m 512 -display none -nodefaults \
    -serial stdio -no-reboot -kernel "$image" \
    -append "com1=115200 console=com1 dom0_mem=128M dom0_max_vcpus=2 loglvl=all guest_loglvl=all ${HV_OPTIONS:-}" \
    -initrd "$guest end=reboot $xen $only" </dev/null 2>&1 | tr -d '\r' >"$log"
status=${PIPESTATUS[0]}

grep -E '^(PASS|FAIL) ' "$log"
read -r passed failed <<<"$(sed -n 's/^SELFTEST: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log")"
if [ -z "${failed:-}" ]; then
    # It died in the middle: what it had done counts, its death is a failure.
    passed=$(grep -c '^PASS ' "$log")
    failed=$(($(grep -c '^FAIL ' "$log") + 1))
    echo "FAIL the guest did not finish; the end of $log:"
    tail -n 15 "$log"
elif [ "$status" != 0 ]; then
    failed=$((failed + 1))
    echo "FAIL the machine did not end by itself (status $status)"
fi
echo "selftest: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
