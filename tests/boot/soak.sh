#!/bin/bash
# SPDX-License-Identifier: MIT
# Eight guests at once, minos and Linux, on one processor: each computes, writes its disk, and serves a file that dom0 fetches
# and compares, again and again. Their parts of the processor are to be as their weights say, within 5 %; a short watch sees
# turns rather than parts, and is content with 20 %. Then guests come and go, and nothing may be left of them.
#   tests/boot/soak.sh [IMAGE]
# SOAK_SECONDS (40): how long the eight are watched; SOAK_ROUNDS (20): how many come and go.
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
seconds=${SOAK_SECONDS:-40} rounds=${SOAK_ROUNDS:-20}
log=build/tests/logs/soak-console.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${log%/*}" "$work/overlay" "$work/tree"

# The Linux guests: dom0's initramfs with another first process, which ends when a line is typed.
cat >"$work/overlay/init" <<'EOF'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /run
read -r arguments </proc/cmdline
address=${arguments##*addr=}
modprobe -a xen-blkfront xen-netfront ext4
until [ -b /dev/xvda ] && [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
ifconfig eth0 "${address%% *}" netmask 255.255.255.0 up
mkfs.ext4 -Fq /dev/xvda && mount /dev/xvda /mnt || echo "guest: no file system"
dd if=/dev/urandom of=/mnt/big bs=64k count=1 2>/dev/null
httpd -p 80 -h /mnt
echo "guest: sum $(md5sum </mnt/big)"
while :; do :; done &
spinner=$!
(
    n=0
    while [ ! -e /run/stop ]; do
        dd if=/mnt/big of=/mnt/copy bs=64k conv=fsync 2>/dev/null && cmp /mnt/big /mnt/copy || echo "guest: wrong copy"
        n=$((n + 1))
    done
    echo "guest: $n copies"
) &
writer=$!
echo "guest: ready"
read -r _ </dev/console
kill $spinner
touch /run/stop
wait $writer
killall httpd
umount /mnt
poweroff -f
EOF
chmod 755 "$work/overlay/init"
(cd "$work/overlay" && echo init | "$OLDPWD/build/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$work/overlay.cpio"
cat build/dom0.cpio "$work/overlay.cpio" >"$work/guest.cpio"
cp -L build/vmlinuz "$work/vmlinuz"
head -c 65536 /dev/urandom >"$work/tree/big"
truncate -s 8M "$work/minos.img"
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext2 -b 1024 -d "$work/tree" "$work/minos.img" || exit 2

cat >"$work/soak" <<'EOF'
# soak SECONDS ROUNDS: in dom0
seconds=$1 rounds=$2
say() { if eval "$2"; then echo "PASS $1"; else echo "FAIL $1: $2"; fi; }
free() { ./physinfo | sed -n "s/^free //p"; }
nodes() { xenstore-ls -f | wc -l; }
resident() { for p in $(pidof xenstore-lite backend); do cat /proc/$p/status; done | awk '/^VmRSS/ { n += $2 } END { print n }'; }
shown() { # FILE PATTERN: waits
    for _ in $(seq 1200); do
        tr -d '\r' <$1 | grep -q "$2" && return
        sleep 0.2
    done
    tail -n 5 $1
    false
}
guests="1 2 3 4 5 6 7 8" minos="1 3 5 7" linux="2 4 6 8"
weights="32 64 128 64 32 64 128 64" # dom0 has 256
brctl addbr br0
ifconfig br0 10.9.9.1 netmask 255.255.255.0 up

i=0
for weight in $weights; do
    i=$((i + 1))
    mkfifo in$i
    if [ $((i % 2)) = 1 ]; then
        cp minos.img disk$i
        pvctl run minos-pv --name g$i --memory 32 --weight $weight --disk disk$i --net br0 \
            --cmdline "ip=10.9.9.$((i + 10))/24 gw=10.9.9.1" <in$i >out$i 2>err$i &
    else
        dd if=/dev/zero of=disk$i bs=1M count=24 2>/dev/null
        pvctl run vmlinuz --ramdisk guest.cpio --name g$i --memory 160 --weight $weight --disk disk$i --net br0 \
            --cmdline "console=hvc0 quiet addr=10.9.9.$((i + 10))" <in$i >out$i 2>err$i &
    fi
    eval "run$i=$!"
    eval "exec $((i + 10))>in$i"
done
for i in $linux; do
    say "g$i, Linux, serves" "shown out$i 'guest: ready'"
    tr -d '\r' <out$i | sed -n 's/^guest: sum //p' >sum$i
done
for i in $minos; do
    for line in "spin &" "repeat 0 cp /disk/big /disk/copy &" "httpd &"; do echo "$line" >&$((i + 10)); done
    say "g$i, minos, serves" "shown out$i 'httpd: serving'"
    md5sum <big >sum$i
done

# dom0 fetches from each, as often as it goes. On a machine that is busy itself a guest may be late for its turn, and a
# connection be given up: that is counted. What comes must be right.
fetch() {
    n=0 missed=0 wrong=0
    while [ ! -e stop ]; do
        if ! timeout 120 wget -q -O got$1 http://10.9.9.$(($1 + 10))/big; then
            missed=$((missed + 1))
        elif [ "$(md5sum <got$1)" = "$(cat sum$1)" ]; then
            n=$((n + 1))
        else
            wrong=$((wrong + 1))
        fi
    done
    echo "$n $missed $wrong" >fetched$1
}
used() { pvctl list | awk '$2 ~ /^g[1-8]$/ { print $2, $5 }' | sort; }
fetchers=
for i in $guests; do
    fetch $i &
    fetchers="$fetchers $!"
done
used >before
sleep $seconds
used >after
touch stop
wait $fetchers
awk -v weights="$weights" -v most=$([ $seconds -ge 200 ] && echo 0.05 || echo 0.2) '
    BEGIN { n = split(weights, w); for (i in w) all += w[i] }
    { used[$1] = $2 - used[$1] }
    END {
        for (i = 1; i <= n; i++)
            sum += used["g" i]
        for (i = 1; i <= n; i++) {
            off = used["g" i] / sum / (w[i] / all) - 1
            printf "%s g%d had its share: weight %d, %.2f s of %.2f s, %+.1f %% off\n",
                off * off <= most * most ? "PASS" : "FAIL", i, w[i], used["g" i], sum, off * 100
        }
    }' before after
for i in $guests; do
    read -r n missed wrong <fetched$i
    say "g$i served $n files, missed $missed" "[ $n -gt $missed ] && [ $wrong = 0 ]"
    if [ $((i % 2)) = 1 ]; then echo exit >&$((i + 10)); else echo stop >&$((i + 10)); fi
done
for i in $guests; do
    eval "wait \$run$i"
    say "g$i ends by itself" "[ $? = 0 ]"
    e2fsck -fn disk$i >fsck$i 2>&1
    say "g$i: its file system is clean" "[ $? = 0 ]"
done
for i in $linux; do
    copies=$(tr -d '\r' <out$i | sed -n 's/^guest: \([0-9]*\) copies/\1/p')
    say "g$i made $copies copies" "[ $copies -gt 0 ] && ! grep -q wrong out$i"
done
tail -n 20 err? out? fsck?
rm -f disk[2-8]

# Coming and going: both kinds, with a disk and a network card; some are destroyed before these are connected.
round() {
    if [ $(($1 % 10)) = 0 ]; then
        id=$(pvctl create vmlinuz --ramdisk guest.cpio --memory 160 --disk disk1 --net br0 --cmdline "quiet addr=10.9.9.9")
    else
        id=$(pvctl create minos-pv --memory 16 --disk disk1 --net br0 --cmdline "ip=10.9.9.9/24")
    fi
    if [ $(($1 % 4)) != 0 ]; then
        for _ in $(seq 200); do
            [ "$(xenstore-read /local/domain/$id/device/vbd/51712/state 2>/dev/null)" = 4 ] && break
            sleep 0.1
        done
    fi
    pvctl destroy $id
}
settled() {
    for _ in $(seq 100); do [ "$(pvctl list | wc -l)" = 2 ] && break; sleep 0.1; done
    echo 3 >/proc/sys/vm/drop_caches
}
for r in $(seq 20); do round $r; done # until the tables of dom0 are as large as they get
settled
frames=$(free) entries=$(nodes) memory=$(resident)
for r in $(seq $rounds); do round $r; done
settled
echo "after $rounds rounds: $(free) free frames, $frames before; $(nodes) nodes, $entries; daemons $(resident) KiB, $memory"
say "guests came and went: free frames as before" "[ $frames -le $(free) ]"
say "as many nodes in the store" "[ $entries = $(nodes) ]"
say "the daemons are as large" "[ $memory -gt 0 ] && [ $(resident) -le $((memory + 256)) ]"
say "no network device is left" "! ls /sys/class/net | grep -q vif"
tail -n 20 /run/backend.log
EOF

out=$(tools/dom0-run --image "$image" --initramfs build/guests.cpio --log "$log" --memory 4096 --dom0-memory 1536 \
    --timeout $((900 + seconds * 2 + rounds * 20)) --add build/dom0/physinfo --add build/minos-pv --add "$work/guest.cpio" \
    --add "$work/vmlinuz" --add "$work/minos.img" --add "$work/tree/big" --add "$work/soak" "sh soak $seconds $rounds" 2>&1)
echo "$out" >"$log.out"
echo "$out" | grep -E '^(PASS|FAIL|after)'
passed=$(grep -c '^PASS' <<<"$out") failed=$(grep -c '^FAIL' <<<"$out")
[ $((passed + failed)) = 48 ] || { failed=$((failed + 1)); echo "FAIL it did not come to its end: $log.out"; tail -n 20 "$log.out"; }
echo "soak: $passed passed, $failed failed"
[ "$failed" = 0 ]
