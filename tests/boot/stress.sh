#!/bin/bash
# SPDX-License-Identifier: MIT
# dom0 under stress-ng, on a debug build that audits itself: passes when stress-ng does, when the hypervisor had nothing to
# say after the boot, and when it has as many free frames afterwards as it had before.
#   tests/boot/stress.sh [IMAGE]       DURATION: seconds (600)
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/debug/paravane}
duration=${DURATION:-600}
log=build/tests/logs/stress-console.log
mkdir -p "${log%/*}"

out=$(tools/dom0-run --image "$image" --append audit --initramfs build/stress.cpio --add build/dom0/physinfo \
    --log "$log" --timeout $((duration * 3 + 600)) "
./physinfo | sed 's/^/before: /'
stress-ng --fork 1 --vm 1 --vm-bytes 16M --mmap 1 --mmap-bytes 8M --mprotect 1 --switch 1 --signal 1 \
    --timer 1 --timer-freq 1000 --pipe 1 --timeout $duration --verify --metrics-brief --temp-path /run
status=\$?
./physinfo | sed 's/^/after: /'
exit \$status")
status=$?
echo "$out"

passed=0 failed=0
expect() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then
        echo "PASS $what"
        passed=$((passed + 1))
    else
        echo "FAIL $what"
        failed=$((failed + 1))
    fi
}
free() { sed -n "s/^$1: free //p" <<<"$out"; }

messages=$(tr -d '\r' <"$log" | sed '1,/^dom0 is up/d' | grep -a '^(PV) ' | grep -v '^(PV) audit: .* passes, nothing wrong')
audits=$(sed -n 's/^(PV) audit: \([0-9]*\) passes, nothing wrong.*/\1/p' "$log")
expect "stress-ng ends well after $duration s" [ $status = 0 ]
expect "the hypervisor had nothing to say" [ -z "$messages" ]
[ -z "$messages" ] || head -n 10 <<<"$messages"
expect "the auditor looked ${audits:-0} times and found nothing wrong" [ "${audits:-0}" -ge $((duration / 4)) ]
expect "free frames before ($(free before)) and after ($(free after)) are equal" \
    test "$(free before)" = "$(free after)" -a -n "$(free before)"
echo "stress: $passed passed, $failed failed"
[ $failed = 0 ]
