#!/bin/bash
# SPDX-License-Identifier: MIT
# Guests of dom0, made by xl, on Debian's back ends: minos with a disk and a network card, and the examples. It runs on
# Debian's Xen and, with -p, on Paravane; the images are the same.
#   tests/boot/guests.sh [-p [IMAGE]]
set -u
cd "$(dirname "$0")/../.." || exit 2
PATH=$PATH:/sbin:/usr/sbin

image=build/xen/xen.bin name=xen
if [ "${1:-}" = -p ]; then
    image=${2:-build/paravane} name=paravane
fi
logs=build/tests/logs
log=$logs/guests-$name.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "$logs"

[ -f build/minos-pv ] || { echo "guests: build/minos-pv is missing, run make minos guests" >&2; exit 2; }

skip() {
    echo "guests: skipped, $*"
    echo "guests: 1 passed, 0 failed"
    exit 0
}

[ "$name" = paravane ] || [ -f "$image" ] || bench/fetch-xen "$image" || skip "Debian's Xen cannot be had"
tools/xl-files "$work/root" "$(command -v cksum)" || skip "Debian's xen-utils cannot be had" # busybox has no cksum

# --- What dom0 runs ---

mkdir -p "$work/root/root" "$work/tree"
head -c 1500000 /dev/urandom >"$work/tree/big"
truncate -s 16M "$work/root/root/ext2"
mke2fs -q -t ext2 -d "$work/tree" "$work/root/root/ext2" || exit 2
cp build/minos-pv build/examples/* "$work/root/root/"

cat >"$work/root/etc/xen/scripts/block" <<'END'
#!/bin/sh
export PATH=/bin
[ "$1" = add ] || exit 0
device=$(xenstore-read "$XENBUS_PATH/params")
xenstore-write "$XENBUS_PATH/physical-device" "$(stat -c '%t:%T' "$device")" \
    "$XENBUS_PATH/physical-device-path" "$device" "$XENBUS_PATH/hotplug-status" connected
END
cat >"$work/root/etc/xen/scripts/vif-test" <<'END'
#!/bin/sh
export PATH=/bin
[ "$1" = online ] || exit 0
ifconfig "$vif" 10.0.0.1 up
xenstore-write "$XENBUS_PATH/hotplug-status" connected
END
chmod +x "$work"/root/etc/xen/scripts/*

for guest in minos-pv hello timer disk net; do
    {
        echo "name='$guest'"
        echo "type='pv'"
        echo 'memory=32'
        echo "kernel='/root/$guest'"
        echo "extra='ip=10.0.0.2/24 gw=10.0.0.1'"
        case $guest in minos-pv) echo "on_poweroff='preserve'" ;; *) echo "on_poweroff='destroy'" ;; esac
        echo "on_crash='destroy'"
        case $guest in minos-pv | disk) echo "disk=['phy:/dev/loop0,xvda,w']" ;; esac
        case $guest in minos-pv | net) echo "vif=['mac=00:16:3e:00:00:01,script=vif-test']" ;; esac
    } >"$work/root/root/$guest.cfg"
done

cat >"$work/root/root/run" <<'END'
export PATH=/bin LD_LIBRARY_PATH=/lib
check() { # WHAT SHELL-CONDITION
    if eval "$2" >/tmp/why 2>&1; then echo "PASS $1"; else echo "FAIL $1"; tail -n 5 /tmp/why; fi
}
console=/var/log/xen/console
shown() { # GUEST PATTERN: waits until its console has shown it
    for _ in $(seq 600); do
        tr -d '\r' <$console/guest-$1.log 2>/dev/null | grep -qE "$2" && return
        sleep 0.2
    done
    tail -n 5 $console/guest-$1.log
    false
}
gone() { # GUEST
    for _ in $(seq 600); do
        xl list $1 >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    false
}
mkdir -p /var/run/xen /var/run/xenstored /run/xenstored /run/xen $console /var/lib/xen /var/lib/xenstored /var/log/xen /var/lock
[ -e /var/run/xenstored ] || ln -s /run /var/run
modprobe -a xen-blkback xen-netback loop
losetup /dev/loop0 /root/ext2
xenstored --pid-file=/run/xenstored.pid
for _ in $(seq 100); do xenstore-ls >/dev/null 2>&1 && break; sleep 0.1; done
xen-init-dom0
xenconsoled --log=all --log-dir=$console --pid-file=/run/xenconsoled.pid

check 'minos is created' 'xl create /root/minos-pv.cfg'
[ -e $console/guest-minos-pv.log ] || exit
check 'minos comes to its shell' 'shown minos-pv "^minos\\$ "'
id=$(xl domid minos-pv)
exec 3<>"$(xenstore-read /local/domain/$id/console/tty)"
said() { # WHAT COMMAND PATTERN
    echo "$2" >&3
    check "$1" "shown minos-pv '$3'"
}
said 'its processes' 'forktest 4' '^forktest: 4 rounds, 0 errors$'
said 'reads its disk' 'cksum /disk/big' "^$BIG /disk/big$"
said 'writes its disk' 'fill 3000 >/disk/new; cksum /disk/new; sync' '^[0-9]+ 3072000 /disk/new$'
said 'pings' 'ping 10.0.0.1 1' '^10.0.0.1: 1: [0-9]+\.[0-9]+ ms$'
said 'serves' 'httpd /disk 80 &' 'httpd: serving /disk at port 80$'
check 'a file comes over HTTP' 'wget -q -O /tmp/got http://10.0.0.2/new'
check 'as it is on the disk' "shown minos-pv \"^\$(cksum </tmp/got) /disk/new\$\""
httpd -p 5001 -h /tmp
said 'fetches over HTTP' 'fetch 10.0.0.1 5001 /got >/disk/fetched; cksum /disk/fetched' "^$(cksum </tmp/got) /disk/fetched$"
echo 'halt 7' >&3
for _ in $(seq 600); do
    xl list minos-pv | grep -q -- '--ps-\|---s-' && break
    sleep 0.1
done
check 'leaves its exit status' '[ "$(xenstore-read /local/domain/$id/data/exit-status)" = 7 ]'
check 'ends' 'xl destroy minos-pv; gone minos-pv'
check 'its disk is sound' 'e2fsck -fn /dev/loop0'
check 'and holds what was written' 'mkdir -p /mnt; mount -t ext2 /dev/loop0 /mnt; cmp /mnt/new /tmp/got; e=$?; umount /mnt; [ $e = 0 ]'
exec 3>&-

example() { # NAME PATTERN
    check "$1 runs" "xl create /root/$1.cfg && shown $1 '$2'"
    check "$1 ends" "gone $1"
}
example hello '^hello from domain [0-9]+'
example timer '^timer: 10 ticks'
example disk '^disk: [0-9]+ sectors.* 0 errors$'
example net '^net: answered'
true
END
sed -i "1i BIG='$(cksum <"$work/tree/big")'" "$work/root/root/run"
(cd "$work/root" && tar cf "$work/xl.tar" .)

# Example net answers pings until it has answered some: dom0 sends them.
tools/dom0-run --image "$image" --log "$log" --timeout "${GUESTS_TIMEOUT:-900}" --memory 1024 --dom0-memory 512 \
    --add "$work/xl.tar" 'cd / && tar xf /root/xl.tar && (while :; do ping -c 1 -W 1 10.0.0.2; done >/dev/null 2>&1 &) && sh /root/run' \
    2>"$work/err" | tee "$work/verdicts"
status=${PIPESTATUS[0]}
cat "$work/err"
passed=$(grep -c '^PASS ' "$work/verdicts")
failed=$(grep -c '^FAIL ' "$work/verdicts")
[ "$status" = 0 ] || failed=$((failed + 1))
echo "guests on $name: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
