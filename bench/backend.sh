#!/bin/bash
# SPDX-License-Identifier: MIT
# Throughput of a stock Linux guest's disks and network card under instruction counting: on our back end, and on Linux's
# xen-blkback and xen-netback, one after the other in the same dom0. One virtual nanosecond is one instruction.
set -u
cd "$(dirname "$0")/.." || exit 2

usage() {
    cat <<'END'
usage: bench/backend.sh [OPTION...]
Prints the megabytes that a guest moves in a virtual second on Linux's back ends and on ours, and writes them to
build/bench/io.csv.
  --image FILE  the hypervisor (build/paravane); Xen's works too
  --only ROWS   rows whose names begin with one of these words
  --only-ours   run our back end alone, and compare it with what an earlier run has measured
  --json        print JSON instead of the table
  --list        print the names of the rows, and exit
Exit: 0 when every row meets its target, 1 when one does not, 2 when a run failed.
END
}

target=0.80
out=build/bench
# name : what the table calls it : what iobench is to do. xvda is a block device in dom0's memory; xvdb is a file on ext4
# on another, which xen-blkback is given through a loop device.
rows="seq-read:block device, 1 MiB reads in sequence:disk /dev/xvda read 1048576 1 67108864
seq-write:block device, 1 MiB writes in sequence:disk /dev/xvda write 1048576 1 67108864
random-read-1:block device, random 4 KiB reads:disk /dev/xvda read 4096 1 16777216 random
random-write-1:block device, random 4 KiB writes:disk /dev/xvda write 4096 1 16777216 random
random-read-16:block device, random 4 KiB reads, 16 at once:disk /dev/xvda read 4096 16 33554432 random
random-write-16:block device, random 4 KiB writes, 16 at once:disk /dev/xvda write 4096 16 33554432 random
image-seq-read:image file, 1 MiB reads in sequence:disk /dev/xvdb read 1048576 1 67108864
image-seq-write:image file, 1 MiB writes in sequence:disk /dev/xvdb write 1048576 1 67108864
image-random-read-1:image file, random 4 KiB reads:disk /dev/xvdb read 4096 1 16777216 random
image-random-write-1:image file, random 4 KiB writes:disk /dev/xvdb write 4096 1 16777216 random
tcp-to-guest:TCP to the guest:tcp 10.0.3.1 5001 read 100663296
tcp-from-guest:TCP from the guest:tcp 10.0.3.1 5001 write 100663296"

only='' kinds='ours kernel' json=0 image=build/paravane
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --list) cut -d: -f1 <<<"$rows"; exit 0 ;;
    --only-ours) kinds=ours ;;
    --json) json=1 ;;
    --only) only=${2:-}; shift ;;
    --image) image=${2:-}; shift ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
if [ -n "$only" ]; then
    rows=$(grep -E "^(${only// /|})" <<<"$rows") || { echo "backend.sh: no row is called $only" >&2; exit 2; }
fi
for file in "$image" build/iobench build/guests.cpio build/dom0.cpio; do
    [ -f "$file" ] || { echo "backend.sh: $file is missing, run make bench-io" >&2; exit 2; }
done
mkdir -p $out
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# --- What the guest runs: its figures go to the console ---

mkdir -p "$work/overlay/bin"
cp build/iobench "$work/overlay/bin/"
cut -d: -f1,3 <<<"$rows" >"$work/overlay/rows"
cat >"$work/overlay/init" <<'END'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a xen-blkfront xen-netfront
until [ -b /dev/xvda ] && [ -b /dev/xvdb ] && [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
ifconfig eth0 10.0.3.2 netmask 255.255.255.0 up
until ping -c 1 -W 1 10.0.3.1 >/dev/null 2>&1; do sleep 0.1; done
while IFS=: read -r name what; do
    echo "ROW $name $(iobench $what </dev/null 2>&1)"
done </rows
poweroff -f
END
chmod 755 "$work/overlay/init"
(cd "$work/overlay" && find . | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/dom0.cpio "$work/overlay.cpio" >"$work/guest.cpio"
cp -L build/vmlinuz "$work/vmlinuz"

# --- What dom0 runs ---

cat >"$work/run" <<'END'
# run KIND...: prints the guest's lines, the kind in front
back=/local/domain/0/backend
modprobe -a loop ext4 bridge
modprobe brd rd_nr=2 rd_size=73728
mkfs.ext4 -qF /dev/ram1 && mount -t ext4 /dev/ram1 /mnt || exit
dd if=/dev/zero of=/mnt/image bs=1M count=56 2>/dev/null
dd if=/dev/zero of=/dev/ram0 bs=1M count=72 2>/dev/null
brctl addbr br0
ifconfig br0 10.0.3.1 netmask 255.255.255.0 up
./iobench serve 5001 >/dev/null 2>&1 &
trap "kill $!" EXIT

id=0
# What drivers leave to hotplug scripts.
plug() {
    until xenstore-exists $back/vif/$id/0/state; do sleep 0.1; done
    losetup /dev/loop0 /mnt/image
    xenstore-write $back/vbd/$id/51712/physical-device 1:0 $back/vbd/$id/51728/physical-device 7:0
    until ifconfig vif$id.0 up 2>/dev/null; do sleep 0.1; done
    brctl addif br0 vif$id.0
    xenstore-write $back/vif/$id/0/hotplug-status connected
}

for kind; do
    id=$((id + 1)) # the domain that will be made
    if [ $kind = kernel ]; then
        killall backend
        while pidof backend >/dev/null; do sleep 0.1; done
        modprobe -a xen-blkback xen-netback || exit
        xenstore-write $back/vif/$id/0/script none # xen-netback wants the node there
        plug &
    fi
    echo $kind
    pvctl run vmlinuz --ramdisk guest.cpio --memory 256 --cmdline "console=hvc0 quiet" --disk /dev/ram0 --disk /mnt/image \
        --net br0 </dev/null 2>&1 | tr -d '\r' | sed "s/^/$kind /"
    [ $kind = kernel ] || backend --json
done
tail -n 20 /run/backend.log
END

# shellcheck disable=SC2086 # a list of words
tools/dom0-run --icount --image "$image" --initramfs build/guests.cpio --log $out/io-console.log \
    --memory 1536 --dom0-memory 1024 --timeout "${BENCH_TIMEOUT:-2400}" --add "$work/run" --add build/iobench \
    --add "$work/guest.cpio" --add "$work/vmlinuz" "sh run $kinds" >$out/io.out 2>&1
status=$?
for kind in $kinds; do
    sed -n "s/^$kind ROW //p" $out/io.out >"$out/io-$kind.txt"
done
if [ $status != 0 ]; then
    echo "backend.sh: the run failed; the end of $out/io.out:" >&2
    tail -n 15 $out/io.out >&2
    exit 2
fi
[ -f $out/io-kernel.txt ] || { echo "backend.sh: no earlier run on the in-kernel back ends to compare with" >&2; exit 2; }

cut -d: -f1,2 <<<"$rows" | awk -F: -v target=$target -v json=$json -v out=$out '
function load(kind,   line, f, file) {
    file = out "/io-" kind ".txt"
    while ((getline line < file) > 0)
        if (split(line, f, " ") == 3 && f[2] ~ /^[0-9]+$/ && f[3] > 0)
            speed[kind, f[1]] = f[2] * 1000 / f[3] # bytes and nanoseconds: megabytes a second
    close(file)
}
BEGIN {
    csv = out "/io.csv"
    load("kernel")
    load("ours")
    print "row,in-kernel MB/s,ours MB/s,ratio,target" >csv
    if (json) {
        print "["
    } else {
        print "Megabytes a virtual second that a stock Linux guest moves (QEMU -icount: one instruction is a nanosecond). Caches,"
        print "TLB misses and ring crossings are not modelled, and QEMU counts each byte of a rep movsb, which kernels copy with."
        printf "\n%-50s %9s %9s %6s %6s\n", "row", "in-kernel", "ours", "ratio", "target"
    }
}
{
    k = speed["kernel", $1]; o = speed["ours", $1]
    if (k == "" || o == "") {
        lost++
        if (json)
            printf "%s  {\"row\": \"%s\", \"error\": \"no figure\"}", (NR > 1 ? ",\n" : ""), $1
        else
            printf "%-50s no figure\n", $2
        next
    }
    under = o / k < target
    bad += under
    printf "%s,%.1f,%.1f,%.3f,%.2f\n", $1, k, o, o / k, target >csv
    if (json)
        printf "%s  {\"row\": \"%s\", \"in_kernel\": %.1f, \"ours\": %.1f, \"ratio\": %.3f, \"target\": %.2f}",
            (NR > 1 ? ",\n" : ""), $1, k, o, o / k, target
    else
        printf "%-50s %9.1f %9.1f %6.3f %6.2f%s\n", $2, k, o, o / k, target, under ? "  UNDER" : ""
}
END {
    if (json)
        print "\n]"
    else
        printf "\n%d of %d rows meet the target\n", NR - bad - lost, NR
    exit lost ? 2 : bad > 0
}'
