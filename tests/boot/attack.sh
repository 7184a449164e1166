#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots every attack guest in dom0's place and judges what became of it.
#   tests/boot/attack.sh [-x] [IMAGE [NAME...]]      -x: IMAGE is Xen, which is to show the tests sane
# An attack passes when the hypervisor lived on (no panic, the machine ended by itself), the guest
# saw every attempt refused or was crashed as announced, and the log says why in a sentence.
set -u
cd "$(dirname "$0")/../.." || exit 2

xen=
if [ "${1:-}" = -x ]; then
    xen=on=xen
    shift
fi
image=${1:-build/paravane}
[ $# -gt 0 ] && shift
guest=build/tests/attack
logs=build/tests/logs${xen:+-xen}
mkdir -p "$logs"

boot() { # NAME LOG
    timeout "${ATTACK_TIMEOUT:-60}" qemu-system-x86_64 -accel tcg \
        -smp 1 -machine q35 -cpu max,-smap,-smep,-la57 -m 512 -display none -nodefaults \
        -serial stdio -no-reboot -kernel "$image" \
        -append "com1=115200 console=com1 dom0_mem=128M loglvl=all guest_loglvl=all" \
        -initrd "$guest end=reboot attack=$1 $xen" </dev/null 2>&1 | tr -d '\r' >"$2"
    return "${PIPESTATUS[0]}"
}

sentences() { # LOG: what the hypervisor said once the attack had begun
    sed -n '/ATTACK /,$p' "$1" | grep -E '^\((PV|XEN)\) ' |
        grep -vE 'reboot|Reset|shutdown|halt' | head -n 1
}

judge() { # NAME OUTCOME LOG STATUS: prints the reason for a failure
    local crashed=0
    grep -qiE "panic|BUG at|FATAL" "$3" && { echo "the hypervisor died"; return 1; }
    [ "$4" = 124 ] && { echo "the machine did not end"; return 1; }
    grep -q "^ATTACK $1: SUCCEEDED" "$3" && { grep -m1 "SUCCEEDED" "$3"; return 1; }
    grep -qiE 'dom(ain)? ?0.*crash|d0.*crash' "$3" && crashed=1
    case $2 in
    survives)
        grep -q "^ATTACK $1: [1-9][0-9]* refused, 0 succeeded" "$3" ||
            { echo "the guest did not finish"; return 1; }
        ;;
    crashes)
        [ $crashed = 1 ] || { echo "the domain was not crashed"; return 1; }
        ;;
    either)
        [ $crashed = 1 ] || grep -q "^ATTACK $1: [0-9]* refused, 0 succeeded" "$3" ||
            { echo "neither finished nor crashed"; return 1; }
        ;;
    esac
    # What cannot be refused leaves no sentence: silence is allowed to attacks that crash nothing
    # on Xen, whose log is not what is being tested.
    if [ -z "$xen" ] && [ -z "$(sentences "$3")" ] && ! silent "$1"; then
        echo "no sentence in the log"
        return 1
    fi
}

# Harmless by construction (nothing is refused), or ended by exceptions that are the guest's own.
silent() {
    case $1 in r1 | r5 | r13 | r22 | r23k | r25) return 0 ;; *) return 1 ;; esac
}

[ -f "$guest" ] || { echo "attack: $guest is missing, run make" >&2; exit 2; }
boot list "$logs/list.log"
list=$(sed -n 's/^ATTACK-LIST //p' "$logs/list.log")
[ -n "$list" ] || { echo "attack: the guest does not run on $image" >&2; exit 2; }

passed=0 failed=0
while read -r name outcome what; do
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    boot "$name" "$logs/$name.log"
    if reason=$(judge "$name" "$outcome" "$logs/$name.log" $?); then
        passed=$((passed + 1))
        echo "PASS $name: $what"
    else
        failed=$((failed + 1))
        echo "FAIL $name: $what: $reason"
    fi
done <<<"$list"
echo "attacks: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
