#!/bin/bash
# SPDX-License-Identifier: MIT
# dom0's daemons are killed while guests use them: the back end, the store's server, both of the store's processes. Guests go
# on, and what was acknowledged to them is on the disk. A guest that is destroyed in the midst of it leaves nothing.
#   tests/boot/faults.sh [IMAGE]
# FAULTS_KILLS (3): how often each is killed.
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
kills=${FAULTS_KILLS:-3}
log=build/tests/logs/faults-console.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${log%/*}" "$work/overlay" "$work/tree"

# The guest tells of each piece when fsync has returned: what it has told of must be there.
cat >"$work/overlay/init" <<'EOF'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a xen-blkfront xen-netfront ext4
until [ -b /dev/xvda ] && [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
ifconfig eth0 10.9.9.2 netmask 255.255.255.0 up
mkfs.ext4 -Fq /dev/xvda && mount /dev/xvda /mnt || echo "guest: no file system"
dd if=/dev/urandom of=/mnt/big bs=64k count=16 2>/dev/null
httpd -p 80 -h /mnt
echo "guest: sum $(md5sum </mnt/big)"
n=0
while :; do
    n=$((n + 1))
    sum=$(dd if=/dev/urandom bs=64k count=4 2>/dev/null | tee /tmp/piece | md5sum)
    dd if=/tmp/piece of=/mnt/piece$((n % 200)) bs=64k conv=fsync 2>/dev/null || echo "guest: a write failed"
    echo "guest: piece $((n % 200)) $n ${sum%% *}"
done
EOF
chmod 755 "$work/overlay/init"
mkdir "$work/overlay/tmp"
(cd "$work/overlay" && printf 'init\ntmp\n' | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/dom0.cpio "$work/overlay.cpio" >"$work/guest.cpio"
cp -L build/vmlinuz "$work/vmlinuz"
head -c 524288 /dev/urandom >"$work/tree/big"
truncate -s 8M "$work/minos.img"
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext2 -b 1024 -d "$work/tree" "$work/minos.img" || exit 2

cat >"$work/faults" <<'EOF'
# faults KILLS: in dom0
kills=$1
say() { if eval "$2"; then echo "PASS $1"; else echo "FAIL $1: $2"; fi; }
free() { ./physinfo | sed -n "s/^free //p"; }
nodes() { xenstore-ls -f | wc -l; }
open_files() { ls /proc/$(pidof backend)/fd | wc -l; }
shown() { # FILE PATTERN: waits
    for _ in $(seq 1200); do
        tr -d '\r' <$1 | grep -q "$2" && return
        sleep 0.2
    done
    tail -n 5 $1
    false
}
pieces() { tr -d '\r' <linux.out | grep -c '^guest: piece .* [0-9a-f]\{32\}$'; }
goes_on() { # until three more pieces are written than now
    until=$(($(pieces) + 3))
    for _ in $(seq 600); do
        [ $(pieces) -ge $until ] && return
        sleep 0.2
    done
    tail -n 5 linux.out /run/backend.log
    false
}
fetched() { [ "$(timeout 60 wget -q -O - http://$1/big | md5sum)" = "$2" ]; }
backend_starts() { backend >>/run/backend.log 2>&1 3>&- & }
brctl addbr br0
ifconfig br0 10.9.9.1 netmask 255.255.255.0 up
dd if=/dev/zero of=linux.img bs=1M count=96 2>/dev/null
mkfifo in
minos_starts() {
    pvctl run minos-pv --name minos --memory 32 --disk minos.img --net br0 --cmdline "ip=10.9.9.3/24 gw=10.9.9.1" <in >minos.out 2>&1 &
    minos=$!
    exec 3>in
    for line in "httpd &" "repeat 0 cp /disk/big /disk/copy &"; do echo "$line" >&3; done
    shown minos.out "httpd: serving"
}
linux_starts() {
    pvctl run vmlinuz --ramdisk guest.cpio --name linux --memory 160 --disk linux.img --net br0 \
        --cmdline "console=hvc0 quiet" </dev/null >linux.out 2>linux.err &
    linux=$!
    shown linux.out "guest: piece 3 "
}
# Once for dom0's own tables to grow; then the two guests that this is about.
linux_starts
pvctl destroy linux
wait $linux
sleep 1
frames=$(free) entries=$(nodes) files=$(open_files)
say "a stock kernel writes its disk" linux_starts
say "minos serves a file" minos_starts
linux_sum=$(tr -d '\r' <linux.out | sed -n 's/^guest: sum //p') minos_sum=$(md5sum <big)
say "both are fetched from" 'fetched 10.9.9.2 "$linux_sum" && fetched 10.9.9.3 "$minos_sum"'

for i in $(seq $kills); do
    wget -q -O /dev/null http://10.9.9.2/big &
    kill -9 $(pidof backend)
    backend_starts
    say "back end killed, $i: the stock kernel goes on writing" goes_on
    say "back end killed, $i: both networks go on" 'fetched 10.9.9.2 "$linux_sum" && fetched 10.9.9.3 "$minos_sum"'
done
for i in $(seq $kills); do
    # The server is the holder's child.
    for p in $(pidof xenstore-lite); do grep -q "^PPid:.1$" /proc/$p/status || server=$p; done
    kill -9 $server
    say "store's server killed, $i: the stock kernel goes on writing" goes_on
    say "store's server killed, $i: the store answers" '[ "$(xenstore-read /local/domain/$(pvctl list | awk "\$2 == \"minos\" { print \$1 }")/name)" = minos ]'
done
for i in $(seq $kills); do
    kill -9 $(pidof xenstore-lite)
    xenstore-lite
    say "whole store killed, $i: the stock kernel goes on writing" goes_on
    say "whole store killed, $i: a new guest finds store and disk" "pvctl run disk --memory 32 --disk small.img </dev/null >disk.out 2>&1"
done
kill -9 $(pidof backend) $(pidof xenstore-lite)
xenstore-lite
backend_starts
say "all killed at once: the stock kernel goes on writing" goes_on
say "all killed at once: both networks go on" 'fetched 10.9.9.2 "$linux_sum" && fetched 10.9.9.3 "$minos_sum"'

# Without warning, in the midst of it.
pvctl destroy linux
wait $linux
say "the destroyed guest's run says so" "[ $? = 126 ]"
say "no write had failed" '! grep -q "write failed" linux.out'
echo exit >&3
wait $minos
say "minos ends by itself" "[ $? = 0 ]"
e2fsck -fn minos.img >fsck.out 2>&1
say "its file system is clean" "[ $? = 0 ]"
modprobe -a loop ext4
e2fsck -p linux.img >fsck.out 2>&1
say "the destroyed one's file system is whole after its journal" "[ $? -le 1 ]"
mount -o loop,ro linux.img /mnt
tr -d '\r' <linux.out | sed -n 's/^guest: piece \([0-9]*\) \([0-9]*\) \([0-9a-f]\{32\}\)$/\1 \2 \3/p' >told
# The last one told of may be overwritten, in part, by the piece that was under way.
awk '{ last[$1] = $3; n = $2 } END { for (p in last) if (p != (n + 1) % 200) print p, last[p] }' n=0 told >expect
lost=0
while read -r p sum; do
    [ "$(md5sum </mnt/piece$p)" = "$sum  -" ] || { lost=$((lost + 1)); echo "piece $p lost"; }
done <expect
umount /mnt
say "all $(wc -l <expect) pieces that fsync had returned for are there" "[ $lost = 0 ] && [ $(wc -l <expect) -ge $((kills * 3)) ]"
for _ in $(seq 100); do [ "$(pvctl list | wc -l)" = 2 ] && break; sleep 0.1; done
sleep 1
echo "free frames $(free), $frames before; nodes $(nodes), $entries; files of the back end $(open_files), $files"
say "free frames are as before" "[ $(free) -ge $((frames - 16)) ]"
say "so are the store's nodes" "[ $(nodes) = $entries ]"
say "and the back end's open files" "[ $(open_files) = $files ]"
say "no network device is left" "! ls /sys/class/net | grep -q vif"
tail -n 20 linux.err minos.out disk.out fsck.out /run/backend.log
EOF
truncate -s 4M "$work/small.img"

out=$(tools/dom0-run --image "$image" --initramfs build/guests.cpio --log "$log" --memory 2048 --dom0-memory 1280 \
    --timeout $((900 + kills * 200)) --add build/dom0/physinfo --add build/minos-pv --add "$work/guest.cpio" \
    --add build/examples/disk --add "$work/small.img" --add "$work/vmlinuz" --add "$work/minos.img" --add "$work/tree/big" \
    --add "$work/faults" "sh faults $kills" 2>&1)
echo "$out" >"$log.out"
echo "$out" | grep -E '^(PASS|FAIL|free frames)'
passed=$(grep -c '^PASS' <<<"$out") failed=$(grep -c '^FAIL' <<<"$out")
[ $((passed + failed)) = $((15 + kills * 6)) ] || { failed=$((failed + 1)); echo "FAIL it did not come to its end: $log.out"; tail -n 20 "$log.out"; }
echo "faults: $passed passed, $failed failed"
[ "$failed" = 0 ]
