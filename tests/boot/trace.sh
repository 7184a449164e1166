#!/bin/bash
# SPDX-License-Identifier: MIT
# Traces and counts of hypercalls, and the advisor, on minos with its lazy batch turned off and on. Instructions are counted, so
# that costs can be compared.
#   tests/boot/trace.sh [IMAGE]
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
log=build/tests/logs/trace-console.log
mkdir -p "${log%/*}"

passed=0 failed=0
say() { # WHAT GOT EXPECTED
    if [ "$2" = "$3" ]; then
        echo "PASS $1"
        passed=$((passed + 1))
    else
        echo "FAIL $1: $2, expected $3"
        failed=$((failed + 1))
    fi
}

# Where minos makes single calls when its batch is off: function, file, operation.
expected='set_mapping minos/pv/mmu.c mmu_update
mmu_set minos/pv/mmu.c mmu_update
mmu_flush_page minos/pv/mmu.c mmuext_op MMUEXT_INVLPG_LOCAL
ext minos/pv/mmu.c mmuext_op MMUEXT_TLB_FLUSH_LOCAL
ext minos/pv/mmu.c mmuext_op MMUEXT_PIN_L4_TABLE
ext minos/pv/mmu.c mmuext_op MMUEXT_UNPIN_TABLE
ext minos/pv/mmu.c mmuext_op MMUEXT_NEW_USER_BASEPTR'
# And who calls these.
callers='mmu_set < fork_table
mmu_flush_page < space_fault
set_mapping < set_live
ext < mmu_root_retire
ext < space_fork'

# shellcheck disable=SC2016 # dom0 is to expand it
out=$(tools/dom0-run --image "$image" --icount --initramfs build/guests.cpio --log "$log" --timeout "${TRACE_TIMEOUT:-900}" \
    --add build/dom0/physinfo --add build/minos-pv --add build/tests/tracee --add build/examples/disk '
say() { [ "$2" = "$3" ] && echo "PASS $1" || echo "FAIL $1: $2, expected $3"; }
free() { ./physinfo | sed -n "s/^free //p"; }
cpu() { sed -n "s/.*\"cpu_ns\":\([0-9]*\).*/\1/p" "$1"; }
gone() { until [ "$(pvctl list | wc -l)" = 2 ]; do :; done; }
mkfifo said typed
# tracer OPTION...: in the background, and it has begun when this returns
tracer() {
    pvctl trace "$@" 2>said &
    tracer=$!
    exec 8<said
    read -r begun <&8
}

pvctl run tracee --memory 16 </dev/null >tracee.out 2>&1
say "the operation is refused to other domains" $? 0
pvctl log | grep -q "d[1-9]*v0 paravane_op refused (EPERM)"
say "with a sentence" $? 0

# Nothing of a trace is left, whoever ends it.
first=$(pvctl create minos-pv --memory 16 --name m)
pvctl trace m --buffer 1024 --seconds 1 2>/dev/null
before=$(free)
pvctl trace m --buffer 1024 --seconds 1 2>/dev/null
say "frames are as many after a trace" "$(free)" "$before"
tracer m --buffer 1024
[ "$(free)" -lt "$before" ]
say "a trace takes frames" $? 0
kill -9 $tracer
wait $tracer
pvctl trace m 2>second.err
say "one at a time" $? 125
grep -q "trace --stop" second.err
say "and it says how to end the other" $? 0
pvctl trace m --stop
say "which ends it" "$?, $(free)" "0, $before"
tracer m --buffer 1024
pvctl destroy m
wait $tracer
say "a trace ends with its domain" $? 0
gone
before=$(free)
pvctl create minos-pv --memory 16 --name m >/dev/null
tracer m --buffer 1024
pvctl destroy m
wait $tracer
gone
say "and leaves no frame behind" "$(free)" "$before"
pvctl advise $first >default.out
say "a trace is found by the number of its domain" "$? $(grep -c "^m (domain $first)" default.out)" "0 1"

# work NAME BATCH TRACED: the same commands in minos; what it used goes to NAME.json, the trace to NAME.trace
work() {
    exec 9<>typed
    pvctl run minos-pv --memory 32 --name w --cmdline "batch=$2" --json <&9 >$1.out 2>said &
    guest=$!
    exec 7<said
    while read -r line <&7; do
        case $line in *runs*) break ;; esac
    done
    [ $3 = 0 ] || tracer w --output $1.trace
    echo "forktest 1; repeat 40 echo; exit 7" >&9
    cat <&7 >$1.json
    wait $guest
    say "minos with batch=$2, traced: $3" $? 7
    exec 9>&-
    [ $3 = 0 ] || wait $tracer
    echo "CPU $1 $(cpu $1.json)"
}
# What fork makes of calls: the most that one of them did (that of a process with pages of its own to share), all, forks.
fork_calls() {
    pvctl advise $1 --symbols minos-pv --calls | awk "
        /v[0-9]+   / { next } # within the multicall that comes behind
        /fork_table|space_fork/ { n++; all++ }
        /space_fork/ && !/fork_table/ { forks++; if (n > most) most = n; n = 0 } # the flush, at its end
        END { print most + 0, all + 0, forks + 0 }"
}
work off off 0
work off-traced off 1
work on on 0
work on-traced on 1
for t in off on; do
    pvctl advise $t-traced.trace --symbols minos-pv | sed "s/^/TEXT $t /"
    echo "FORK $t $(fork_calls $t-traced.trace)"
done
echo "JSON advise $(pvctl advise on-traced.trace --symbols minos-pv --json)"
pvctl advise off-traced.trace >plain.out
say "a trace can be read without symbols" "$? $(grep -c "^ *1\. 0x" plain.out)" "0 1"
pvctl advise minos-pv >/dev/null 2>&1
say "what is no trace is refused" $? 125
pvctl advise off-traced.trace --symbols off-traced.trace >/dev/null 2>&1
say "what is no kernel, too" $? 125
echo "JSON run $(tail -n 1 on.json)"
dd if=/dev/zero of=disk.img bs=1M count=4 2>/dev/null
pvctl run disk --memory 32 --disk disk.img --json </dev/null >/dev/null 2>disk.json
echo "JSON disk $(tail -n 1 disk.json)"
echo "JSON stats $(pvctl stats 0 --json)"
cat tracee.out off.json
' 2>&1)
echo "$out" >"$log.out"
echo "$out" | grep -E '^(PASS|FAIL)'
passed=$(grep -c '^PASS' <<<"$out") failed=$(grep -c '^FAIL' <<<"$out")
say "dom0 came to its end" "$(grep -c '^JSON stats' <<<"$out")" 1

# --- The advice ---

advice=$(sed -n 's/^TEXT off //p' <<<"$out")
# Sites as "FUNCTION FILE OPERATION", and those who call them as "FUNCTION < CALLER".
sites=$(awk '
    / ticks$/ { sub(/^ */, ""); sub(/:.*/, ""); print function_name, file, $0 }
    /^ *[0-9]+\. / { function_name = $2; sub(/[+,].*/, "", function_name); file = $3; sub(/:[0-9]*$/, "", file) }
    /^ *[0-9]+ from / { for (i = 3; i <= NF; i += 2) print function_name " < " $i }' <<<"$advice")
while read -r site; do
    say "advised: $site" "$(grep -cxF "$site" <<<"$sites")" 1
done <<<"$expected"
while read -r pair; do
    say "called: $pair" "$(grep -qxF "$pair" <<<"$sites" && echo yes)" yes
done <<<"$callers"
say "with the batch on there is nothing of that kind" "$(grep -c '^TEXT on .*minos/pv/mmu.c' <<<"$out")" 0
say "the words name the batch" "$(grep -q 'Put pv_lazy_begin() before the first' <<<"$advice" && echo yes)" yes

# --- What following it brings ---

figure() { # PATTERN: the number behind it, 0 if there is none
    local n
    n=$(sed -n "s/^$1 \([0-9][0-9]*\)$/\1/p" <<<"$out")
    echo "${n:-0}"
}
read -r off all_off forks_off <<<"$(sed -n 's/^FORK off //p' <<<"$out")"
read -r on all_on forks_on <<<"$(sed -n 's/^FORK on //p' <<<"$out")"
echo "fork: $off calls without the batch, $on with it; of $forks_off and $forks_on forks all together $all_off and $all_on"
say "fork makes a tenth of the calls" "$([ "${on:-0}" -gt 0 ] && [ "$off" -ge $((10 * on)) ] && echo yes)" yes
for batch in off on; do
    plain=$(figure "CPU $batch") traced=$(figure "CPU $batch-traced")
    echo "cost of tracing, batch=$batch: $plain instructions without, $traced with"
    say "less than 5 %" "$([ "$plain" -gt 0 ] && [ $((100 * traced)) -lt $((105 * plain)) ] && echo yes)" yes
done
saved=$(sed -n 's/.* and about \([0-9]*\) ticks .* can be spared:$/\1/p' <<<"$advice")
real=$(($(figure 'CPU off') - $(figure 'CPU on')))
echo "the advisor says that $saved instructions could be spared; it was $real"
say "within a factor of two" "$([ "${saved:-0}" -gt $((real / 2)) ] && [ "$saved" -lt $((real * 2)) ] && echo yes)" yes

# --- The counts ---

json() { # NAME EXPRESSION: of $j; what it gives
    perl -MJSON::PP -ne 'BEGIN { $n = shift; $e = shift } next unless s/^JSON $n //; my $j = decode_json($_); print eval $e' \
        "$1" "$2" <<<"$out"
}
# shellcheck disable=SC2016
{
    say "run tells status and name" "$(json run '"$j->{status} $j->{name}"')" "7 w"
    say "hypercalls by name" "$(json run '$j->{hypercalls}{multicall} > 40 && $j->{hypercalls}{iret} > 40 ? "yes" : "no"')" yes
    say "events and grants" "$(json run '$j->{events}{ports} > 0 && $j->{grants}{used_by_others} > 0 ? "yes" : "no"')" yes
    say "bytes of disks" "$(json disk 'my $d = $j->{disks}[0]; "$d->{errors} " .
        ($d->{bytes_written} >= 65536 && $d->{bytes_read} >= 65536 ? "yes" : "no")')" "0 yes"
    say "domain 0 has counts as well" "$(json stats '$j->{hypercalls}{paravane_op} > 0 ? "yes" : "no"')" yes
    say "the advisor's JSON" "$(json advise '$j->{calls} > 100 && !$j->{lost} ? "yes" : "no"')" yes
}
[ "$failed" = 0 ] || tail -n 30 "$log.out" | cut -c 1-200
echo "trace: $passed passed, $failed failed"
[ "$failed" = 0 ]
