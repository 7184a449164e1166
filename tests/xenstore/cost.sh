#!/bin/bash
# SPDX-License-Identifier: MIT
# Instructions that a store executes (in user space) for each test of Debian's test-xenstore: C xenstored's, ours, and
# their ratio. Needs valgrind, and xen-utils-4.17 unpacked below $1 (dpkg -x), or installed.
#   tests/xenstore/cost.sh [ROOT]
set -u
here=$(dirname "$(readlink -f "$0")")
ours=$(readlink -f "$here/../../build/xenstore-lite/xenstore-lite")
bin=${1:-}/usr/lib/xen-4.17/bin
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

few=200 many=1200
tests=("read 1" "read 2000" "write 1" "write 2000" "dir" "rm node" "rm dir" "ta empty" "ta empty x" "ta rmw" "ta rmw x"
    "ta err")

gcc -O1 -fPIC -shared -o "$work/no_xen.so" "$here/no_xen.c" || exit 2

instructions() { # TEST ITERATIONS PRELOAD COMMAND...: of the daemon, from start to end
    local test=$1 n=$2 preload=$3 daemon i
    shift 3
    export XENSTORED_RUNDIR=$work/run
    rm -rf "$work/run" "$work/out"
    mkdir -p "$work/run"
    LD_PRELOAD=$preload valgrind --tool=callgrind --callgrind-out-file="$work/out" "$@" >/dev/null 2>"$work/err" &
    daemon=$!
    for ((i = 0; i < 100; i++)); do
        [ -S "$work/run/socket" ] && xenstore-list / >/dev/null 2>&1 && break
        sleep 0.1
    done
    "$bin/test-xenstore" -t "$test" -i "$n" >"$work/test" 2>&1 || { cat "$work/test" >&2; exit 1; }
    kill -TERM "$daemon"
    wait "$daemon" 2>/dev/null
    awk '/^summary:|^totals:/ { n = $2 } END { print n }' "$work/out"
}

each() { # TEST PRELOAD COMMAND...: of one iteration
    local a b
    a=$(instructions "$1" $few "${@:2}") || exit 1
    b=$(instructions "$1" $many "${@:2}") || exit 1
    echo $(((b - a) / (many - few)))
}

printf '%-12s %12s %14s %6s\n' test xenstored xenstore-lite ratio
worst=0
for t in "${tests[@]}"; do
    theirs=$(each "$t" "$work/no_xen.so" "$bin/xenstored" -N -F "$work/pid") || exit 1
    mine=$(each "$t" "" "$ours" -D -N --no-holder -F "$work/pid") || exit 1
    awk -v t="$t" -v a="$theirs" -v b="$mine" 'BEGIN { printf "%-12s %12d %14d %6.2f\n", t, a, b, b / a }'
    worst=$(awk -v w="$worst" -v a="$theirs" -v b="$mine" 'BEGIN { r = b / a; print (r > w) ? r : w }')
done
echo "worst ratio: $worst (target: at most 0.5)"
awk -v w="$worst" 'BEGIN { exit w > 0.5 }'
