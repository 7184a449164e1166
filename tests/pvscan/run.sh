#!/bin/bash
# SPDX-License-Identifier: MIT
# pvscan: every instruction it is to know; minos's own sites, by a list and by objdump; a stock kernel within its time; and
# the kinds of files that it reads.
#   tests/pvscan/run.sh [--update]   (writes minos.sites anew, to be looked at)
set -u
cd "$(dirname "$0")/../.." || exit 2

pvscan=build/pvscan
here=tests/pvscan
minos=build/minos/minos.elf
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # WHAT FILE-EXPECTED FILE-GOT
    if diff "$2" "$3" >"$work/diff"; then
        passed=$((passed + 1))
        echo "PASS $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        head -n 20 "$work/diff"
    fi
}

same() { # WHAT EXPECTED GOT
    echo "$2" >"$work/wanted"
    echo "$3" >"$work/is"
    check "$1" "$work/wanted" "$work/is"
}

field() { # NAME...: of each site in JSON, a line with the fields
    perl -MJSON::PP -e '
        local $/;
        for my $site (@{decode_json(<STDIN>)->{sites}}) {
            print join(" ", map { $site->{$_} // "-" } @ARGV), "\n";
        }' "$@"
}

# --- Every instruction ---

gcc -c -g -o "$work/every.o" $here/every.S || exit 2
grep -nE '/\* (silent|traps|emulated) \*/' $here/every.S | sed -E 's,^([0-9]+):.*/\* ([a-z]+) \*/,\1 \2,' >"$work/expected"
$pvscan --json "$work/every.o" >"$work/every.json"
same "status 1 when something is found" 1 $?
field line class <"$work/every.json" >"$work/got"
check "each of $(wc -l <"$work/expected") instructions by line and class, and no other" "$work/expected" "$work/got"
$pvscan --list | sed -n 's/^\(silent\|traps\|emulated\)  *\([^:]*\):.*/\2/p' | sort >"$work/rules"
field rule <"$work/every.json" | sort -u >"$work/got"
check "each rule has its example" "$work/rules" "$work/got"
$pvscan --list | grep -oE '\bpv_[a-z0-9_]+' | sort -u | while read -r name; do
    grep -rqE "\b$name\b *[(;]" guest-lib/include || echo "$name"
done >"$work/got"
check "what it says to use is in guest-lib's headers" /dev/null "$work/got"
same "--class" "$(grep -c ' silent$' "$work/expected")" "$($pvscan --class silent --json "$work/every.o" | field class | grep -c '^silent$')"

# --- minos ---

$pvscan --json $minos >"$work/minos.json"
field symbol instruction <"$work/minos.json" | awk '{ print $1, $2 }' | sort | uniq -c | awk '{ print $2, $3, $1 }' >"$work/sites"
[ "${1:-}" = --update ] && cp "$work/sites" $here/minos.sites
check "minos: the sites of the list" $here/minos.sites "$work/sites"
# The start code is for 32-bit mode: objdump has to be told.
entry=$(nm $minos | awk '$3 == "boot" { print "0x" $1 }')
long=$(nm $minos | awk '$3 == "boot64" { print "0x" $1 }')
{
    objdump -d -w --no-show-raw-insn -M i386 --start-address="$entry" --stop-address="$long" $minos
    objdump -d -w --no-show-raw-insn --stop-address="$entry" $minos | sed '/<image_start>:/,/^$/d'
    objdump -d -w --no-show-raw-insn --start-address="$long" $minos
} | awk -f $here/reference.awk | sort >"$work/expected"
field address <"$work/minos.json" | sed 's/^0x//' | sort >"$work/got"
check "minos: the addresses that objdump's listing gives" "$work/expected" "$work/got"
field file <"$work/minos.json" | grep -cv '^minos/' >"$work/got"
same "minos: each site has its source line" 0 "$(cat "$work/got")"

# --- Kinds of files ---

$pvscan --json $minos | field address class >"$work/expected"
strip -o "$work/stripped" $minos
$pvscan --json "$work/stripped" | field address class >"$work/got"
check "without symbols: the same sites" "$work/expected" "$work/got"
nm $minos >"$work/System.map"
field symbol <"$work/minos.json" >"$work/expected"
$pvscan --json --symbols "$work/System.map" "$work/stripped" | field symbol >"$work/got"
check "names out of a list of symbols" "$work/expected" "$work/got"
gzip -c $minos >"$work/minos.gz"
$pvscan --json "$work/minos.gz" | field symbol >"$work/got"
check "compressed" "$work/expected" "$work/got"
printf '.globl f\nf: rdtsc\nret\n' | gcc -c -x assembler -o "$work/clean.o" -
$pvscan "$work/clean.o" >/dev/null
same "status 0 when nothing is found" 0 $?
$pvscan build/minos.bin >/dev/null 2>"$work/got"
same "a raw binary is refused" "2 1" "$? $(grep -c 'give the ELF file' "$work/got")"
$pvscan "$work/none" >/dev/null 2>&1
same "a missing file is refused" 2 $?
$pvscan --class none $minos >/dev/null 2>&1
same "an unknown class is refused" 2 $?

# --- A stock kernel ---

TIMEFORMAT='%R %U %S'
{ time $pvscan --json build/vmlinuz >"$work/kernel.json"; } 2>"$work/time"
read -r real user system <"$work/time"
sites=$(field address <"$work/kernel.json" | wc -l)
echo "a stock kernel: $sites sites, $(sed -n 's/^{"instructions": \([0-9]*\).*/\1/p' "$work/kernel.json") instructions;" \
    "$real s, of them $user s of computing"
same "a stock kernel has its thousands" 1 $((sites > 2000))
# Other tests run beside this one: only its own computing can be held against it.
same "in less than 10 s" 1 "$(awk -v u="$user" -v s="$system" 'BEGIN { print (u + s < 10) }')"
field instruction <"$work/kernel.json" | awk '{ print $1 }' | sort -u >"$work/got"
same "among them what Linux is known to have" "cli clac iretq lgdtq swapgs sysretq wrmsr" \
    "$(for i in cli clac iretq lgdtq swapgs sysretq wrmsr; do grep -x "$i" "$work/got"; done | xargs)"
# The names come out of its tables for /proc/kallsyms.
field symbol instruction <"$work/kernel.json" | awk '{ print $1, $2 }' >"$work/got"
same "named as the kernel names itself" "native_save_fl pushfq,startup_64 wrmsr,start_kernel cli" \
    "$(for i in 'native_save_fl pushfq' 'startup_64 wrmsr' 'start_kernel cli'; do grep -xm 1 "$i" "$work/got"; done | paste -sd ,)"
same "and none is left without" 0 "$(field symbol <"$work/kernel.json" | grep -cx -e -)"

echo "pvscan: $passed passed, $failed failed"
[ $failed = 0 ]
