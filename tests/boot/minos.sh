#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots minos on the bare machine: processes, a file system that e2fsck judges, files over HTTP both ways.
#   tests/boot/minos.sh [IMAGE]
set -u
cd "$(dirname "$0")/../.." || exit 2

PATH=$PATH:/sbin:/usr/sbin
image=${1:-build/minos.bin}
busybox=$PWD/build/busybox # as dom0's; its httpd is the other side here
port=${MINOS_PORT:-18080}
log=build/tests/logs/minos.log
work=$(mktemp -d) || exit 2
trap 'kill "$qemu" 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "${log%/*}"
for f in "$image" "$busybox"; do
    [ -f "$f" ] || { echo "minos: $f is missing, run make minos dom0-files" >&2; exit 2; }
done

passed=0 failed=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "PASS $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name"
        failed=$((failed + 1))
    fi
}

# The disk: a tree that mke2fs makes, and room.
mkdir -p "$work/tree/dir"
head -c 3000000 /dev/urandom >"$work/tree/big"
cp build/minos/bin/echo "$work/tree/program"
truncate -s 24M "$work/disk"
mke2fs -q -t ext2 -b "${MINOS_BLOCK:-1024}" -d "$work/tree" "$work/disk" || exit 2

# The console: a pipe to type into, a log to read.
mkfifo "$work/in"
timeout "${MINOS_TIMEOUT:-90}" qemu-system-x86_64 -accel tcg -m 64 -display none -nodefaults -no-reboot -serial stdio \
    -kernel "$image" -device isa-debug-exit,iobase=0xf4,iosize=1 \
    -drive "file=$work/disk,format=raw,if=none,id=d" -device virtio-blk-pci,drive=d \
    -netdev "user,id=n,hostfwd=tcp:127.0.0.1:$port-:80,hostfwd=udp:127.0.0.1:$port-:7" \
    -device virtio-net-pci,netdev=n <"$work/in" >"$log" 2>&1 &
qemu=$!
exec 3>"$work/in"

seen() { # TEXT: waits until the console has shown it
    for _ in $(seq 300); do
        tr -d '\r' <"$log" | grep -aqE -- "$1" && return
        kill -0 "$qemu" 2>/dev/null || break
        sleep 0.1
    done
    tr -d '\r' <"$log" | grep -aqE -- "$1"
}
said() { # NAME COMMAND TEXT: types a command, expects a line that matches
    echo "$2" >&3
    check "$1" seen "$3"
}

request() { # PATH
    timeout 30 bash -c "exec 4<>/dev/tcp/127.0.0.1/$port; printf 'GET %s HTTP/1.0\r\n\r\n' $1 >&4; cat <&4"
}
fetch() { # PATH FILE
    request "$1" >"$2.all" && head -n 1 "$2.all" | grep -q '^HTTP/1.0 200 ' && LC_ALL=C sed '1,/^\r$/d' "$2.all" >"$2"
}

check 'boots to its shell' seen '^minos\$ '
said 'fork copies on write and loses no page' 'forktest 8' '^forktest: 8 rounds, 0 errors$'
said 'a wild read ends the program only' 'crash read' '^crash\[[0-9]+\]: exception 14 .*address 8$'
said 'kernel memory is out of reach' 'crash kernel' '^crash\[[0-9]+\]: exception 14 .*address ffffffff80100000$'
said 'privileged instructions are refused' 'crash privileged' '^crash\[[0-9]+\]: exception 13'
said 'a loop does not stop the others' 'forktest 60 & sleep 1; echo "still here"' '^still here$'
said 'exec from the disk' '/disk/program ran from disk' '^ran from disk$'
said 'pipes and redirection' "echo one two >/disk/dir/a; cat </disk/dir/a | cat | cksum" '^[0-9]+ 8 $'
said 'reads what mke2fs wrote' 'cksum /disk/big' "^$(cksum <"$work/tree/big") /disk/big\$"
said 'writes through indirect blocks' 'fill 9000 >/disk/new; cksum /disk/new' '^[0-9]+ 9216000 /disk/new$'
said 'makes, renames, removes' \
    'mkdir /disk/d1; mv /disk/d1 /disk/dir/d2; cp /disk/new /disk/dir/d2/copy; mv /disk/new /disk/moved; rm /disk/big /disk/dir/d2; echo $?' '^1$'
said 'a full disk is an error' 'fill 20000 >/disk/full; rm /disk/full; echo after full' '^after full$'
said 'serves HTTP' 'httpd /disk 80 3 &' 'httpd: serving /disk at port 80$'
check 'a file over HTTP' fetch /moved "$work/got"
check '404 for what is not there' grep -q '^HTTP/1.0 404 ' <(request /nothing)
check 'again' fetch /dir/d2/copy "$work/got2"
check 'both the same' cmp "$work/got" "$work/got2"
said 'is pinged through' 'ping 10.0.2.2 1' '^10.0.2.2: 1: [0-9]+\.[0-9]+ ms$'
said 'echoes UDP' 'udpecho 7 1 & sleep 0; echo ready to echo' '^ready to echo$'
check 'a datagram there and back' test "$(exec 4<>/dev/udp/127.0.0.1/$port; echo datagram >&4; timeout 5 head -n 1 <&4)" = datagram
(cd "$work/tree" && exec timeout 60 "$busybox" httpd -f -p 127.0.0.1:$((port + 1)) -h .) 2>/dev/null &
httpd=$!
said 'fetches over HTTP' "fetch 10.0.2.2 $((port + 1)) /big >/disk/fetched; cksum /disk/fetched" \
    "^$(cksum <"$work/tree/big") /disk/fetched\$"
kill "$httpd" 2>/dev/null
echo 'halt 5' >&3
wait "$qemu"
check 'ends with the status it was told' test $? = 11
check 'e2fsck finds nothing' e2fsck -fn "$work/disk"
debugfs -R 'cat /moved' "$work/disk" 2>/dev/null >"$work/moved"
check 'the disk holds what was served' cmp "$work/got" "$work/moved"

echo "minos: $passed passed, $failed failed"
[ "$failed" = 0 ]
