#!/bin/bash
# SPDX-License-Identifier: MIT
# Guests by our own tools, on our own store and back end: a stock kernel uses a disk, minos comes and goes, statuses arrive,
# and nothing is left behind.
#   tests/boot/pvctl.sh [IMAGE]
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
log=build/tests/logs/pvctl-console.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${log%/*}" "$work/overlay"

# The guest's initramfs is dom0's with another first process.
cat >"$work/overlay/init" <<'END'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a xen-blkfront ext4
for _ in $(seq 100); do
    [ -b /dev/xvda ] && break
    sleep 0.1
done
mkfs.ext4 -Fq /dev/xvda && mount /dev/xvda /mnt || echo "guest: no file system"
dd if=/dev/urandom of=/mnt/file bs=64k count=128 2>/dev/null
echo "guest: sum $(md5sum </mnt/file)"
umount /mnt
poweroff -f
END
chmod 755 "$work/overlay/init"
(cd "$work/overlay" && echo init | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/dom0.cpio "$work/overlay.cpio" >"$work/guest.cpio"
cp -L build/vmlinuz "$work/vmlinuz"

# shellcheck disable=SC2016 # dom0 is to expand it
out=$(tools/dom0-run --image "$image" --initramfs build/guests.cpio --log "$log" --timeout "${PVCTL_TIMEOUT:-400}" \
    --add build/dom0/physinfo --add build/minos-pv --add "$work/guest.cpio" --add "$work/vmlinuz" \
    --add build/examples/disk '
free() { ./physinfo | sed -n "s/^free //p"; }
nodes() { xenstore-ls -f | grep -cE "/(domain|vbd|vif)/[1-9]"; }
say() { [ "$1" = "$2" ] && echo "PASS $3" || echo "FAIL $3: $1, expected $2"; }
pvctl run disk --memory 32 </dev/null >disk.out 2>disk.err
say $? 1 "the status of a guest that found no disk arrives"
dd if=/dev/zero of=disk.img bs=1M count=32 2>/dev/null
pvctl run vmlinuz --ramdisk guest.cpio --memory 192 --cmdline "console=hvc0 quiet" --disk disk.img </dev/null >linux.out
say $? 0 "a stock kernel runs as guest to its end"
sum=$(sed -n "s/^guest: sum \([0-9a-f]*\).*/\1/p" linux.out)
say ${#sum} 32 "it wrote a file"
e2fsck -fn disk.img >fsck.out 2>&1
say $? 0 "its file system is clean"
modprobe -a loop ext4
mount -o loop,ro disk.img /mnt
say "$(md5sum </mnt/file)" "$sum  -" "what it wrote is on the disk"
umount /mnt
free_first=$(free)
pvctl run vmlinuz --ramdisk guest.cpio --memory 192 --cmdline "console=hvc0 quiet" --disk disk.img </dev/null >linux.out
say $? 0 "another one runs to its end"
# Tables of handles and ports of dom0 grow with what was open at once, and stay.
free_before=$(free)
[ $((free_first - free_before)) -lt 16 ] && echo "PASS its memory came back" ||
    echo "FAIL its memory came back: $free_before, $free_first before"
for _ in 1 2 3; do pvctl run disk --memory 32 --disk disk.img </dev/null >/dev/null 2>&1; done
id=$(pvctl create minos-pv --memory 64 --name m)
say "$(pvctl list | awk "\$2 == \"m\" { print \$1 }")" "$id" "a created guest is listed"
pvctl pause m
say "$(pvctl list | awk "\$2 == \"m\" { print \$NF }")" paused "it pauses"
pvctl unpause m
pvctl destroy m
for _ in $(seq 50); do [ "$(pvctl list | wc -l)" = 2 ] && break; sleep 0.1; done
say "$(pvctl list | wc -l)" 2 "it is destroyed"
pvctl run /etc/mke2fs.conf </dev/null >/dev/null 2>&1
say $? 125 "what is no kernel is refused"
sync
say "$(free)" "$free_before" "free frames are as many as before"
say "$(nodes)" 0 "no node of a guest is left in the store"
tail -n 50 linux.out disk.out disk.err fsck.out /run/backend.log
xenstore-ls
' 2>&1)
echo "$out" >"$log.out"
echo "$out" | grep -E '^(PASS|FAIL)'
passed=$(grep -c '^PASS' <<<"$out") failed=$(grep -c '^FAIL' <<<"$out")
[ $((passed + failed)) = 13 ] || { failed=$((failed + 1)); echo "FAIL it did not come to its end: $log.out"; tail -n 20 "$log.out"; }
echo "pvctl: $passed passed, $failed failed"
[ "$failed" = 0 ]
