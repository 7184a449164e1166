#!/bin/bash
# SPDX-License-Identifier: MIT
# `make run` as its users see it: the demo of a guest stage by stage, the shell that is left, Ctrl-C, and a demo that fails.
#   tests/boot/run.sh       IMAGE: the hypervisor
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${IMAGE:-build/paravane}
logs=build/tests/logs
seconds=${RUN_SECONDS:-300}   # for the demo on a busy machine; it is to take half of that, and alone takes less than 30
patience=${RUN_PATIENCE:-600} # seconds for each thing that is to be seen
work=$(mktemp -d) || exit 2
trap 'exec 3>&-; kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$logs"

passed=0 failed=0
check() { # WHAT COMMAND...
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
is() { [ "$1" = "$2" ]; }
shows() { tr -d '\r' <"$out" | grep -aqE -- "$1"; }
await() { # PATTERN
    local end=$((SECONDS + patience))
    until shows "$1"; do
        if [ $SECONDS -gt $end ] || ! kill -0 $! 2>/dev/null; then
            shows "$1"
            return
        fi
        sleep 0.3
    done
}
run="env -u MAKEFLAGS -u MAKEOVERRIDES -u MAKELEVEL make -s run"

# --- Without a terminal: lines are typed into the shell, the status tells of the demo ---

stages='Paravane runs dom0
a disk of 16 MiB, ext2
xenbr0: a network
minos runs as domain 1
minos has mounted it: ext2 at /disk
its shell runs programs, and reads a file
it has written files: .*, SHA-256 [0-9a-f]{64}$
dom0 has fetched .*: 2097152 bytes
the checksums are equal
minos has shut down, status 0
e2fsck finds its file system clean
the disk holds the file, with the same checksum'
line='^\[ *[0-9]+\.[0-9] s\] '

out=$logs/run-piped.out
# shellcheck disable=SC2016 # dom0 expands it
echo 'echo the answer is $((6 * 7))' |
    $run RUN_OPTIONS="--image $image --log $logs/run-piped-console.log --timeout $patience" >"$out" 2>&1
status=$?
check 'make run ends by itself, with status 0' is $status 0
while IFS= read -r stage; do
    check "it shows: $stage" shows "$line.*$stage"
done <<<"$stages"
took=$(tr -d '\r' <"$out" | sed -n 's/^\[ *\([0-9]*\)\.[0-9] s\] the disk holds.*/\1/p')
check "all of it in $seconds s after dom0's start (${took:-?} s)" [ "${took:-9999}" -le "$seconds" ]
check 'then a shell reads what is typed' shows '^the answer is 42'
[ $status = 0 ] || tail -n 20 "$out"

# --- On a terminal: Ctrl-C leads to the shell, the demo can be had again, and says so when it fails ---

out=$logs/run-terminal.out
: >"$out"
mkfifo "$work/keys"
setsid script -qefc "$run RUN_OPTIONS='--image $image --log $logs/run-terminal-console.log'" /dev/null \
    <"$work/keys" >"$out" 2>&1 &
exec 3>"$work/keys"
check 'on a terminal, too, a guest is shown' await "$line.*minos runs as domain 1"
printf '\003' >&3
check 'Ctrl-C ends that' await "$line.*interrupted"
check 'and leads to the shell' await '^exit or poweroff ends'
printf 'pvctl list | grep -c minos\n' >&3
check 'no guest is left' await '^0$'
printf 'demo; echo "first $?"\n' >&3
check 'the demo can be had again' await '^first 0$'
hint=$(tr -d '\r' <"$out" | grep -a '^pvctl run minos-pv' | tail -n 1)
printf '%s; echo "hint $?"\n' "$hint" >&3
check 'what is hinted at runs: minos on the terminal' await '^minos: ext2 at /disk'
printf 'cat /disk/from-dom0; halt 4\n' >&3
check 'with its disk, until it ends' await '^hint 4$'
printf 'truncate -s 5000 minos-pv; demo; echo "second $?"\n' >&3
check 'a demo that fails ends with another status' await '^second 1$'
check 'and says what failed' shows "${line}FAILED: minos is started by pvctl"
check 'and why' shows '^pvctl: .*minos-pv: .*not a kernel'
printf 'exit\n' >&3
wait $!
check 'make run ends with the shell' is $? 0

echo "run: $passed passed, $failed failed"
[ $failed = 0 ]
