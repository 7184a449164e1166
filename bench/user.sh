#!/bin/bash
# SPDX-License-Identifier: MIT
# What user space pays in a stock kernel: on the bare machine, as dom0 on Xen, and as dom0 on Paravane; under instruction
# counting, one after the other.
#   bench/user.sh [--only-ours] [PARAVANE_IMAGE [XEN_IMAGE]]
# Without a Xen image (argument, or $XEN_IMAGE), Debian's is downloaded. --only-ours compares with earlier runs.
# Exit: 0 when every row meets its target, 1 when one does not, 2 when a run failed.
set -u
cd "$(dirname "$0")/.." || exit 2

only_ours=
if [ "${1:-}" = --only-ours ]; then
    only_ours=1
    shift
fi
ours=${1:-build/paravane}
xen=${2:-${XEN_IMAGE:-build/xen/xen.bin}}
out=build/bench
mkdir -p $out

# name in the program's output : what the table calls it : the most of the way from bare to Xen that it may take
rows="getppid:getppid:0.70
read:read 1 byte of /dev/zero:
mmap:mmap 4 MiB, touch every page, munmap:
mprotect:mprotect 4 MiB read-only and back:0.70
fork:fork, exit, wait:0.70
exec:fork, exec a static program, wait:0.70
signal:signal to self:
pipe:one byte there and back over two pipes:
boot:boot to /init, virtual ms:1.00"

# measure NAME IMAGE: lines "USER row figure" into build/bench/user-NAME.txt
measure() {
    local file=$out/user-$1.txt log=$out/user-$1-console.log
    echo "bench: user space, $1" >&2
    tools/dom0-run --icount --image "$2" --memory 1024 --dom0-memory 700 --append spec-ctrl=no \
        --kernel-args mitigations=off --add build/dom0/userbench --log "$log" --timeout 600 ./userbench >"$file" ||
        exit 2
    sed -n 's/.*, init after \([0-9]*\)\.\([0-9]*\) s.*/USER boot \1\20/p' "$log" >>"$file"
}

if [ -z "$only_ours" ]; then
    measure bare none
    [ -f "$xen" ] || bench/fetch-xen "$xen" || exit 2
    measure xen "$xen"
fi
measure paravane "$ours"
for name in bare xen paravane; do
    [ -f $out/user-$name.txt ] || { echo "bench: no earlier run, $name" >&2; exit 2; }
done

echo "$rows" | awk -F: -v out=$out '
function load(name,   line, f, file) {
    file = out "/user-" name ".txt"
    while ((getline line < file) > 0)
        if (split(line, f, " ") == 3 && f[1] == "USER")
            figure[name, f[2]] = f[3]
}
BEGIN {
    load("bare"); load("xen"); load("paravane")
    print "Instructions per operation of a user program (QEMU -icount), mitigations off everywhere. Caches, TLB misses and"
    print "ring crossings are not modelled. Way: how much of the way from bare to Xen, (Paravane-bare)/(Xen-bare)."
    printf "\n%-40s %10s %10s %10s %6s %6s\n", "operation", "bare", "Xen", "Paravane", "way", "target"
}
{
    b = figure["bare", $1]; x = figure["xen", $1]; p = figure["paravane", $1]
    if (b == "" || x == "" || p == "" || x <= b) {
        printf "%-40s %10s %10s %10s   no figure\n", $2, b, x, p
        bad++
        next
    }
    way = (p - b) / (x - b)
    over = $3 != "" && way > $3
    bad += over
    printf "%-40s %10d %10d %10d %6.2f %6s%s\n", $2, b, x, p, way, $3, over ? "  OVER" : ""
}
END {
    printf "\n%s\n", bad ? bad " rows miss their target" : "every row meets its target"
    exit bad > 0
}'
