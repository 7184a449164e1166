#!/bin/bash
# SPDX-License-Identifier: MIT
# The stock kernel as guest, by its own drivers on our back ends: TCP both ways, a disk that it may only read, and file
# systems whose owner is destroyed while it writes. What it was told is durable has to be there.
#   tests/boot/linux.sh [IMAGE]
# LINUX_MIB (256; with FULL=1 1024): how much is durable in a file before the guest is destroyed; an eighth on a device.
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
mib=${LINUX_MIB:-${FULL:+1024}}
mib=${mib:-256}
log=build/tests/logs/linux-console.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${log%/*}" "$work/overlay"

# The guest's initramfs is dom0's with another first process. What it does is told by its command line: do=net,write ...
cat >"$work/overlay/init" <<'END_INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a xen-blkfront xen-netfront ext4
wait_for() { until [ -e "$1" ]; do sleep 0.1; done; }
sum() { md5sum | cut -c 1-32; }

read_only() {
    wait_for /dev/xvdb
    echo "guest: read-only $(blockdev --getro /dev/xvdb)"
    dd if=/dev/zero of=/dev/xvdb bs=4k count=1 conv=fsync 2>/dev/null && echo "guest: wrote"
    mount -t ext4 -o ro /dev/xvdb /mnt && echo "guest: kept $(sum </mnt/kept)" && umount /mnt
}
# By -e, since nc itself moves a KiB at a time.
net() {
    wait_for /sys/class/net/eth0
    ifconfig eth0 10.9.9.2 netmask 255.255.255.0 up
    dd if=/dev/urandom of=/blob bs=1M count=64 2>/dev/null
    echo "guest: sends $(sum </blob)"
    echo "guest: listens"
    nc -l -p 5001 -e cat /blob
    rm /blob
    nc -l -p 5002 -e sh -c 'md5sum >/got'
    echo "guest: received $(cut -c 1-32 /got)"
}
# Pieces of 4 MiB, first those that are waited for, then more; that one is durable is told as soon as fsync says so.
write() {
    wait_for /dev/xvda
    mkfs.ext4 -Fq /dev/xvda && mount /dev/xvda /mnt || echo "guest: no file system"
    echo "guest: has a file system"
    for file in a b; do
        n=0
        while [ $n -lt $((pieces + 16)) ]; do
            dd if=/dev/urandom of=/piece bs=256k count=16 2>/dev/null
            dd if=/piece of=/mnt/$file bs=256k seek=$((n * 16)) conv=notrunc,fsync 2>/dev/null || echo "guest: not written"
            echo "guest: durable $file $n $(sum </piece)"
            n=$((n + 1))
        done
    done
    echo "guest: was not destroyed"
}

for word in $(cat /proc/cmdline); do
    case $word in
    pieces=*) pieces=${word#*=} ;;
    do=*) todo=${word#*=} ;;
    esac
done
for step in $(echo "$todo" | tr , ' '); do $step; done
poweroff -f
END_INIT
chmod 755 "$work/overlay/init"
(cd "$work/overlay" && echo init | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/dom0.cpio "$work/overlay.cpio" >"$work/guest.cpio"
cp -L build/vmlinuz "$work/vmlinuz"

# dom0 has a file system on one disk, for images, and gives the other to a guest as it is.
truncate -s $((mib * 2 + 512))M "$work/files"
truncate -s $((mib / 4 + 256))M "$work/device"

cat >"$work/check" <<'END_CHECK'
# check MIB: in dom0
mib=$1
say() { if eval "$2"; then echo "PASS $1"; else echo "FAIL $1: $2"; fi; }
free() { ./physinfo | sed -n "s/^free //p"; }
sum() { md5sum | cut -c 1-32; }
since() { read -r now _ </proc/uptime; echo "-- $1 at $now s"; }
told() { tr -d '\r' <$1.out | sed -n "s/^guest: $2 //p"; }
shown() { # GUEST TEXT: reads its console until that comes, or the end
    while read -r line <&8; do
        echo "$line" >>$1.out
        case $line in *"$2"*) return ;; esac
    done
    false
}
start() { # NAME MEMORY OPTIONS... -- ARGUMENTS OF THE KERNEL
    name=$1 memory=$2
    shift 2
    options=
    while [ "$1" != -- ]; do options="$options $1"; shift; done
    shift
    mkfifo $name.console
    pvctl run vmlinuz --name $name --ramdisk guest.cpio --memory $memory $options \
        --cmdline "console=hvc0 quiet $*" </dev/null >$name.console 2>$name.err &
    keeper=$!
    exec 8<$name.console
}
# Destroyed when so much is durable, at no particular moment; it was writing until then.
destroy_writing() { # GUEST PIECES
    shown $1 "guest: has a file system"
    since "writing"
    say "$1 writes: $(($2 * 4)) MiB are durable" "shown $1 'guest: durable a $(($2 - 1)) '"
    usleep $((0x$(head -c 2 /dev/urandom | hexdump -ve '1/1 "%02x"') * 8))
    id=$(pvctl list | awk -v name=$1 '$2 == name { print $1 }')
    pvctl destroy $1
    say "$1 is destroyed" "[ $? = 0 ]"
    shown $1 "guest: was not destroyed"
    wait $keeper
    say "$1: its keeper tells" "[ $? = 126 ] && grep -q 'domain $id was destroyed' $1.err"
    say "$1 was in the midst of it" "! grep -q 'was not destroyed' $1.out"
}
check_disk() { # GUEST DEVICE PIECES
    e2fsck -y -E journal_only $2 >$1.journal 2>&1
    say "$1: the journal is replayed" "[ $? -lt 2 ]"
    e2fsck -fn $2 >$1.fsck 2>&1
    say "$1: its file system is clean" "[ $? = 0 ]"
    mount -t ext4 -o ro $2 /mnt
    told $1 durable >$1.durable
    bad=0 all=0
    while read -r file n sum; do
        all=$((all + 1))
        [ "$(dd if=/mnt/$file bs=4M skip=$n count=1 2>/dev/null | sum)" = $sum ] || bad=$((bad + 1))
    done <$1.durable
    umount /mnt
    say "$1: each of $all durable pieces is as it was written" "[ $bad = 0 ] && [ $all -ge $3 ]"
    say "$1 was never told otherwise" "! grep -q 'not written' $1.out"
}
nothing_left() { # GUEST ID
    for _ in $(seq 100); do [ "$(pvctl list | wc -l)" = 2 ] && break; sleep 0.1; done
    say "$1: no domain is left" "[ $(pvctl list | wc -l) = 2 ]"
    say "$1: no process" "! pidof pvctl"
    say "$1: no network device" "! ls /sys/class/net | grep -q vif"
    say "$1: no node in the store" "! xenstore-ls -f | grep -E '/(domain|vbd|vif)/$2(/| )'"
    say "$1: the back end has let its disk go" "ls -l /proc/$(pidof backend)/fd >fds && ! grep -E '/disks/|/dev/vd' fds"
}

modprobe -a loop ext4
mkdir /disks
mkfs.ext4 -Fq /dev/vda && mount -t ext4 /dev/vda /disks
truncate -s $((mib * 2 + 256))M /disks/file
truncate -s 16M /disks/ro
mkfs.ext4 -Fq /disks/ro
mount -o loop /disks/ro /mnt
dd if=/dev/urandom of=/mnt/kept bs=1M count=4 2>/dev/null
kept=$(sum </mnt/kept)
umount /mnt
ro=$(sum </disks/ro)
brctl addbr br0
ifconfig br0 10.9.9.1 netmask 255.255.255.0 up
frames_first=$(free)

# --- The network, a disk that is not to be written, one in a file ---
since "the first guest"
start file 320 --disk /disks/file --disk /disks/ro,ro --net br0 -- do=read_only,net,write pieces=$((mib / 4))
say "a guest listens" "shown file 'guest: listens'"
kill -0 $keeper || { tail -n 20 file.out file.err; exit 1; }
say "its kernel takes the disk for read-only" "[ '$(told file read-only)' = 1 ] && ! grep -q 'guest: wrote' file.out"
say "and reads what is on it" "[ '$(told file kept)' = $kept ]"
since "64 MiB from the guest"
nc 10.9.9.2 5001 -e sh -c 'md5sum >got'
say "64 MiB by TCP from the guest" "[ '$(told file sends)' = $(cut -c 1-32 got) ]"
dd if=/dev/urandom of=blob bs=1M count=64 2>/dev/null
since "64 MiB to the guest"
until nc 10.9.9.2 5002 -e cat blob 2>/dev/null || ! kill -0 $keeper; do sleep 0.1; done
say "64 MiB by TCP to the guest" "shown file 'guest: received $(sum <blob)'"
rm blob
since "making a file system"
destroy_writing file $((mib / 4))
since "checking"
nothing_left file $id
say "the read-only image is as it was" "[ $(sum </disks/ro) = $ro ]"
losetup /dev/loop0 /disks/file
check_disk file /dev/loop0 $((mib / 4))
losetup -d /dev/loop0
frames=$(free) nodes=$(xenstore-ls -f | wc -l)
say "nearly all frames came back" "[ $((frames_first - frames)) -lt 64 ]" # dom0's tables of handles have grown

# --- A block device as it is ---
since "the second guest"
start device 192 --disk /dev/vdb --net br0 -- do=write pieces=$((mib / 32))
destroy_writing device $((mib / 32))
nothing_left device $id
read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ flushes _ </sys/block/vdb/stat
say "each fsync has reached the device: $flushes flushes" "[ $flushes -ge $((mib / 32)) ]"
check_disk device /dev/vdb $((mib / 32))
for _ in $(seq 50); do [ "$(free)" = "$frames" ] && break; sleep 0.1; done
say "free frames are as before" "[ $(free) = $frames ]"
say "nodes are as before" "[ $(xenstore-ls -f | wc -l) = $nodes ]"
since "the end"
tail -n 5 *.err *.fsck *.journal /run/backend.log
END_CHECK

out=$(tools/dom0-run --image "$image" --initramfs build/guests.cpio --log "$log" --timeout $((900 + mib * 5)) \
    --disk "$work/files" --disk "$work/device" --add build/dom0/physinfo --add "$work/guest.cpio" --add "$work/vmlinuz" \
    --add "$work/check" "sh check $mib" 2>&1)
echo "$out" >"$log.out"
echo "$out" | grep -E '^(PASS|FAIL|--)'
passed=$(grep -c '^PASS' <<<"$out") failed=$(grep -c '^FAIL' <<<"$out")
grep -q '^-- the end' <<<"$out" || {
    failed=$((failed + 1))
    echo "FAIL it did not come to its end: $log.out"
    tail -n 20 "$log.out"
}
echo "linux: $passed passed, $failed failed"
[ "$failed" = 0 ]
