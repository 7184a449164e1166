#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots the stock kernel as dom0 and lets it find out whether all that it needs works. Verdicts come from dom0: lines
# "PASS what" and "FAIL what" of the scripts below, which run there.
#   tests/boot/dom0.sh [--list] [CASE...]       IMAGE: the hypervisor; FULL=1: disks of the size that users have
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${IMAGE:-build/paravane}
logs=build/tests/logs
size=${FULL:+256}
size=${size:-64} # MiB written to each disk
cases="command memory_512 memory_2048 memory_8192 dom0_mem machine_pc disks e1000e intx reboot"

# What every script in dom0 may use.
# shellcheck disable=SC2016 # dom0 expands it
prelude='
check() { # WHAT SHELL-CONDITION
    if eval "$2" >/tmp/why 2>&1; then echo "PASS $1"; else echo "FAIL $1"; cat /tmp/why; fi
}
wait_for() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e "$1" ] && return; sleep 0.5; done; }
megabytes() { awk "/^MemTotal/ { print int(\$2 / 1024) }" /proc/meminfo; }
# A driver whose name matches has had interrupts of a kind (as /proc/interrupts says).
interrupts() { awk -v kind="$1" -v name="$2" "\$4 == kind && \$NF ~ name && \$2 > 0 { n++ } END { exit !n }" /proc/interrupts; }
fetch() {
    check "a file comes over the network as it was sent" "[ \"\$(wget -q -O - http://10.0.2.2:$port/data | md5sum)\" = \"$sum  -\" ]"
}
# Formats a disk, copies the first virtio disk there, and looks whether it is still there after a new mount.
keep() { # DISK
    wait_for /dev/$1
    check "$1: mkfs.ext4" "mkfs.ext4 -q -F /dev/$1 && mount -t ext4 /dev/$1 /mnt"
    check "$1: written" "dd if=/dev/vda of=/mnt/data bs=1M && umount /mnt"
    check "$1: read back as written" "mount -t ext4 /dev/$1 /mnt && [ \"\$(md5sum </mnt/data)\" = \"$sum  -\" ]"
    check "$1: a sound file system" "umount /mnt && e2fsck -fn /dev/$1"
}
'

# boot OPTION...: runs the script on standard input in dom0; its verdicts, and ours about the run, are printed.
boot() {
    local status script
    script=$(printf 'sum=%s\nport=%s\n%s\n' "${sum:-}" "${port:-}" "$prelude" && cat)
    tools/dom0-run --image "$image" --log "$log" --timeout 600 "$@" "$script" 2>"$work/err"
    status=$?
    expect "dom0 ran its script to the end" [ $status = 0 ]
    expect "the machine powered off" quiet_end
    [ ! -s "$work/err" ] || cat "$work/err"
}

expect() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then echo "PASS $what"; else echo "FAIL $what"; fi
}

quiet_end() { grep -aq 'reboot: Power down' "$log" && ! grep -q 'does not end' "$work/err"; }

make_run() { env -u MAKEFLAGS -u MAKEOVERRIDES -u MAKELEVEL make -s run RUN_OPTIONS="--image $image --log $log" "$@"; }

case_command() {
    local out
    # shellcheck disable=SC2016 # dom0 expands it
    out=$(make_run CMD='cat /sys/hypervisor/type; echo "to $HOME" >&2; exit 7' 2>"$work/err")
    expect "make run CMD exits as the command" [ $? = 7 ]
    expect "and prints what it printed" [ "$out" = $'xen\nto /root' ]
    [ "$out" = $'xen\nto /root' ] || { echo "$out"; cat "$work/err"; }
}

boots_with() { # MIB-AT-LEAST MIB-AT-MOST OPTION...
    local least=$1 most=$2
    shift 2
    boot "$@" <<END
check "the hypervisor shows as xen" '[ "\$(cat /sys/hypervisor/type)" = xen ]'
check "memory is from $least to $most MiB" 'megabytes && [ \$(megabytes) -ge $least ] && [ \$(megabytes) -le $most ]'
check "a quarter of it can be used" 'dd if=/dev/zero of=/run/x bs=1M count=\$((\$(megabytes) / 4 > 512 ? 512 : \$(megabytes) / 4)) && rm /run/x'
END
}

case_memory_512() { boots_with 250 512 --memory 512 --dom0-memory 0; }
case_memory_2048() { boots_with 1700 2048 --memory 2048 --dom0-memory 0; }
case_memory_8192() { boots_with 7300 8192 --memory 8192 --dom0-memory 0; }
case_dom0_mem() { boots_with 120 256 --memory 2048 --dom0-memory 256; }
case_machine_pc() { boots_with 700 1024 --machine pc; }

# A source of data on a disk of its own, a web server that has the same, an empty disk or two.
provide() { # MIB
    sum='' port=''
    head -c "$1M" /dev/urandom >"$work/data"
    sum=$(md5sum <"$work/data")
    sum=${sum%% *}
    truncate -s $(($1 * 2 + 32))M "$work/disk1" "$work/disk2"
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        build/busybox httpd -f -p 127.0.0.1:$port -h "$work" >/dev/null 2>&1 &
        server=$!
        sleep 0.5
        kill -0 $server 2>/dev/null && return
    done
    echo "FAIL no web server on the host"
}

case_disks() {
    provide "$size"
    boot --disk "$work/data" --disk "$work/disk1" --ahci "$work/disk2" --net <<'END'
keep vdb
keep sda
fetch
check "virtio-blk uses MSI-X" 'interrupts -msi-x virtio'
check "virtio-net uses MSI-X" 'interrupts -msi-x virtio.-input'
check "AHCI uses MSI" 'interrupts -msi ahci'
END
}

case_e1000e() {
    provide 16
    boot --net=e1000e <<'END'
fetch
check "e1000e uses MSI-X" 'interrupts -msi-x eth0'
END
}

case_intx() {
    provide 16
    boot --kernel-args pci=nomsi --disk "$work/data" --disk "$work/disk1" --ahci "$work/disk2" --net=e1000e <<'END'
keep vdb
keep sda
fetch
check "there is no MSI" '! grep -- -msi /proc/interrupts'
check "virtio-blk uses the I/O APIC" 'interrupts -ioapic-level virtio'
check "AHCI uses the I/O APIC" 'interrupts -ioapic-level ahci'
check "e1000e uses the I/O APIC" 'interrupts -ioapic-level eth0'
END
}

case_reboot() {
    tools/dom0-run --image "$image" --log "$log" --timeout 300 'reboot -f' 2>"$work/err"
    expect "the machine was reset" grep -q 'ended before the command' "$work/err"
    expect "as dom0 wished" grep -aq 'reboot: Restarting system' "$log"
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$work"
}

run_case() { # CASE: prints its verdicts
    server=''
    log=$logs/dom0-$1-console.log
    work=$(mktemp -d build/tests/dom0-XXXXXX) || exit 2
    trap clean_up EXIT
    "case_$1"
}

[ "${1:-}" = --list ] && { echo "$cases"; exit; }
[ $# -gt 0 ] || eval "set -- $cases"
mkdir -p "$logs"
passed=0 failed=0
for name; do
    verdicts=$(run_case "$name")
    echo "$name: ${verdicts//$'\n'/$'\n'$name: }"
    passed=$((passed + $(grep -c '^PASS' <<<"$verdicts")))
    failed=$((failed + $(grep -c '^FAIL' <<<"$verdicts")))
done
echo "dom0: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
