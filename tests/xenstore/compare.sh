#!/bin/bash
# SPDX-License-Identifier: MIT
# xenstore-lite and C xenstored in dom0 on Paravane, one boot each: Debian's test-xenstore against both, and the instructions
# of each operation (QEMU -icount), round trip and the store's share, side by side.
#   tests/xenstore/compare.sh [IMAGE]
# Exit: 0 when all of test-xenstore's tests pass, 1 when one does not, 2 when a boot failed. OURS=1 takes C xenstored's figures
# from the run before.
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
logs=build/tests/logs
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "$logs"

. tests/xenstore/fetch-tools.sh
bin=$xen_utils
if [ -z "$bin" ]; then
    echo "xenstore compare: skipped, Debian's xen-utils-4.17 cannot be had (build/pkg/xen-utils-deb/log says why)"
    echo "xenstore compare: 1 passed, 0 failed"
    exit 0
fi

# Dom0's init starts what is called xenstore-lite. In the second boot that is a script in a later archive, which wins.
mkdir -p "$work/bin"
cat >"$work/bin/xenstore-lite" <<'END'
#!/bin/sh
exec /bin/xenstored --pid-file /run/xenstored.pid
END
chmod 755 "$work/bin/xenstore-lite"
cp "$bin/xenstored" "$work/bin/"
(cd "$work" && find bin | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/guests.cpio "$work/overlay.cpio" >"$work/xenstored.cpio"

# What dom0 runs. test-xenstore tells the time, hence instructions, of the operation alone. The stopwatch takes an iteration
# with what it prepares and removes; of two counts of iterations, so that start and end of the program do not matter.
cat >"$work/measure" <<'END'
for _ in $(seq 100); do
    xenstore-list / >/dev/null 2>&1 && break
    sleep 0.1
done
stores=$(pidof xenstored || pidof xenstore-lite)
for pid in $stores; do # of two the server is the one whose parent is the other
    parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
    case " $stores " in *" $parent "*) break ;; esac
done
./test-xenstore -i 20 >/dev/null && echo "PASS all tests, 20 times" || echo "FAIL a test of test-xenstore"
turns() { # COUNT COMMAND...
    count=$1
    shift
    ./stopwatch "$pid" "$@" "$count" 2>&1 >out | sed 's/^TOOK//'
}
cost() { # NAME COMMAND...
    name=$1
    shift
    few=$(turns 50 "$@")
    many=$(turns 550 "$@")
    echo "COST $few $many $(sed -n 's/.*avg: \([0-9]*\) ns.*/\1/p' out) $name" | sed 's/  */ /g'
}
./test-xenstore -l | sed 's/ *:.*//' >tests
while read -r name; do
    cost "$name" ./test-xenstore -t "$name" -i
done <tests
cost watch ./watches
END

store() { # NAME INITRAMFS: its lines into build/tests/logs/store-NAME.txt
    echo "xenstore compare: booting dom0 with $1" >&2
    tools/dom0-run --icount --image "$image" --memory 1024 --dom0-memory 700 --initramfs "$2" \
        --add "$bin/test-xenstore" --add build/xenstore-test/stopwatch --add build/xenstore-test/watches \
        --add "$work/measure" --log "$logs/store-$1.log" --timeout "${COMPARE_TIMEOUT:-3000}" 'sh ./measure' \
        >"$logs/store-$1.txt" || { cat "$logs/store-$1.txt"; exit 2; }
}

[ -n "${OURS:-}" ] || store xenstored "$work/xenstored.cpio"
store xenstore-lite build/guests.cpio

awk '
/^PASS/ { print FILENAME ": " $0; passed++ }
/^FAIL/ { print FILENAME ": " $0; failed++ }
/^COST/ { # few: total, own; many: total, own; the operation alone; name
    alone = NF > 6 && $6 ~ /^[0-9]+$/
    name = $(6 + alone)
    for (i = 7 + alone; i <= NF; i++)
        name = name " " $i
    if (!(name in seen)) { seen[name]; order[++n] = name }
    which = FILENAME == ARGV[1] ? 1 : 2
    if (alone)
        figure[which, name, 1] = $6
    figure[which, name, 2] = ($4 - $2) / 500
    figure[which, name, 3] = ($5 - $3) / 500
}
function three(name, kind,   a, b) {
    a = figure[1, name, kind]; b = figure[2, name, kind]
    if (a == "" || b == "") {
        printf " %10s %10s %6s", "", "", ""
        return
    }
    printf " %10d %10d %6.2f", a, b, b / a
    sum[kind] += log(b / a); terms[kind]++
}
END {
    print "\nInstructions in dom0, C xenstored and xenstore-lite: of the operation alone, there and back; of an iteration with"
    print "what it prepares and removes; the share of the store, its system calls included, in that."
    printf "%-12s %28s %28s %28s\n", "test", "operation", "iteration", "of it the store"
    for (i = 1; i <= n; i++) {
        printf "%-12s", order[i]
        for (kind = 1; kind <= 3; kind++)
            three(order[i], kind)
        print ""
    }
    printf "%-12s", "mean ratio"
    for (kind = 1; kind <= 3; kind++)
        printf " %10s %10s %6.2f", "", "", terms[kind] ? exp(sum[kind] / terms[kind]) : 0
    printf "\ntarget: at most 0.50\n"
    if (n != 13) { failed++; print "FAIL " n " operations of 13 have a figure" } else passed++
    printf "xenstore compare: %d passed, %d failed\n", passed, failed
    exit failed > 0
}' "$logs/store-xenstored.txt" "$logs/store-xenstore-lite.txt"
