#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures Paravane, and Xen beside it: the bench guest, user space in stock Linux domains, wake-ups. `make bench` calls it.
set -u
cd "$(dirname "$0")/.." || exit 2

usage() {
    cat <<'END'
usage: bench/run.sh [OPTION...]
Prints the tables; leaves results.csv, results.json and plots (SVG, PNG) in build/bench.
  --peer xen           measure Debian's Xen too, and judge by it
  --image FILE         the hypervisor (build/paravane)
  --xen FILE           Xen's image (build/xen/xen.bin, which is downloaded unless it is there)
  --only guest|user    the bench guest alone, or the stock Linux domains alone
  --keep               do not measure anew what build/bench/raw has of an earlier run: Xen and the bare machine
  --serial SYSTEM=LOG  cycles of a real machine: what the bench guest printed there; SYSTEM is paravane or xen
Exit: 0 when every target is met (or there is nothing to judge by), 1 when one is not, 2 when a run failed.
END
}

say() { echo "bench: $*" >&2; }
die() {
    say "$@"
    exit 2
}

peer='' ours=build/paravane xen=build/xen/xen.bin only='' keep='' serial=()
out=build/bench raw=build/bench/raw
guest=build/bench/pvbench

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) usage; exit 0 ;;
        --keep) keep=1; shift; continue ;;
        --peer | --image | --xen | --only | --serial) [ $# -ge 2 ] || die "$1 wants a value (see --help)" ;;
        *) die "no option $1 (see --help)" ;;
        esac
        case $1=$2 in
        --peer=xen) peer=xen ;;
        --peer=*) die "the only peer is xen" ;;
        --image=*) ours=$2 ;;
        --xen=*) xen=$2 ;;
        --only=guest | --only=user) only=$2 ;;
        --only=*) die "--only takes guest or user" ;;
        --serial=paravane=* | --serial=xen=*) serial+=("$2") ;;
        --serial=*) die "--serial takes paravane=LOG or xen=LOG" ;;
        esac
        shift 2
    done
}

# --- The bench guest ---

# boot IMAGE LOG ACCELERATOR OPTIONS GUEST-ARGUMENTS SECONDS: true when the guest came to its end
boot() {
    local machine=(-machine q35 -smp 1 -m 1024 -display none -nodefaults -serial stdio -no-reboot)
    case $3 in
    icount) machine+=(-accel tcg -icount "shift=0,sleep=off" -cpu "max,-smap,-smep,-la57") ;;
    kvm) machine+=(-accel kvm -cpu host) ;;
    esac
    timeout --foreground "$6" qemu-system-x86_64 "${machine[@]}" -kernel "$1" \
        -append "com1=115200 console=com1 dom0_mem=256M $4" -initrd "$guest end=reboot $5" </dev/null >"$2" 2>&1
    grep -q '^BENCH-END' "$2"
}

# guest NAME IMAGE OPTIONS
measure_guest() {
    local log=$raw/$1-guest.log
    [ -n "$keep" ] && [ "$1" = xen ] && [ -f "$log" ] && return
    say "the bench guest, $1"
    boot "$2" "$log.part" icount "$3" "" "${BENCH_TIMEOUT:-600}" || {
        tail -n 15 "$log.part" >&2
        die "the guest did not finish on $2; the log is $log.part"
    }
    mv "$log.part" "$log"
}

# Is there a processor behind /dev/kvm? A KVM that interprets ring 0 fails or takes 100 times as long.
processor() {
    local log=$raw/probe.log null
    [ -w /dev/kvm ] || { say "no cycles: there is no /dev/kvm to use"; return 1; }
    boot "$ours" "$log" kvm "" "rounds=2" 60 2>/dev/null || { # bash would tell of a QEMU that aborts
        say "no cycles: the bench guest does not come to its end under KVM here ($log)"
        return 1
    }
    null=$(tr -d '\r' <"$log" | awk '$1 == "BENCH" && $2 == "null" { print $6 }')
    [ "${null:-999999}" -lt 20000 ] || { say "no cycles: KVM here takes $null for a null call"; return 1; }
}

measure_cycles() { # NAME IMAGE
    local log=$raw/$1-cycles.log
    say "the bench guest on the processor, $1"
    boot "$2" "$log.part" kvm spec-ctrl=no "rounds=51" 600 || {
        say "no cycles for $1: the log is $log.part"
        return
    }
    mv "$log.part" "$log"
}

# --- Stock Linux domains ---

# What dom0 gets beside its own initramfs: xl's files, the kernel and first file system of a domU, the bench guest.
stage_guests() {
    local root=$work/domu
    mkdir -p "$work/xl" "$root/bin"
    tools/xl-files "$work/xl" || die "no domU can be made"
    (cd "$work/xl" && tar cf "$work/xl.tar" .)
    cp build/busybox "$root/bin/"
    cp build/dom0/userbench "$root/"
    cp bench/domu-init "$root/init"
    ln -s busybox "$root/bin/sh"
    chmod 755 "$root/init"
    (cd "$root" && find . | sort | bin/busybox cpio -o -H newc -R 0:0 2>/dev/null) >"$work/domu.cpio"
    cp -L build/vmlinuz "$work/vmlinuz"
    guest_files=(--add "$work/xl.tar" --add "$work/domu.cpio" --add "$work/vmlinuz" --add "$guest")
}

# measure_user NAME IMAGE
measure_user() {
    local log=$raw/$1-console.log result=$raw/$1-user.txt files=("${guest_files[@]}")
    [ -n "$keep" ] && [ "$1" != paravane ] && [ -f "$result" ] && return
    [ "$1" = bare ] && files=()
    say "stock Linux domains, $1"
    tools/dom0-run --icount --image "$2" --memory 1280 --dom0-memory 700 --append spec-ctrl=no \
        --kernel-args mitigations=off --add build/dom0/userbench --add bench/dom0-measure "${files[@]}" \
        --log "$log" --timeout "${BENCH_TIMEOUT:-1200}" 'sh dom0-measure' >"$result.part" ||
        die "the log is $log"
    tr -d '\r' <"$log" | sed -n 's/.*, init after \([0-9]*\)\.\([0-9]*\) s.*/\1\20/p' |
        awk 'NR == 1 { print "dom0 USER boot 0 1", $1, $1, $1, $1 }' >>"$result.part"
    mv "$result.part" "$result"
}

# --- Results ---

# lines SYSTEM PLACE UNIT: turns lines of the bench guest on standard input into CSV
lines() {
    tr -d '\r' | awk -v OFS=, -v sys="$1" -v place="$2" -v unit="$3" \
        '/^(BENCH|USER) [a-z]/ && NF == 8 { print sys, place, $2, $3, $4, unit, $5, $6, $7, $8 }'
}

write_csv() {
    local system place log entry
    echo "system,place,operation,batch,operations,unit,least,median,p10,p90"
    for system in xen paravane guarded; do
        [ -f "$raw/$system-guest.log" ] && lines $system guest instructions <"$raw/$system-guest.log"
        [ -f "$raw/$system-cycles.log" ] && lines $system guest cycles <"$raw/$system-cycles.log"
    done
    for system in bare xen paravane; do
        log=$raw/$system-user.txt
        [ -f "$log" ] || continue
        for place in dom0 domU pair; do
            sed -n "s/^$place //p" "$log" | lines $system $place instructions
        done
    done
    for entry in "${serial[@]}"; do
        lines "${entry%%=*}" guest cycles <"${entry#*=}"
    done
}

write_json() {
    awk -F, '
        NR == 1 { n = split($0, name, ","); print "["; next }
        {
            line = ""
            for (i = 1; i <= n; i++)
                line = line (i > 1 ? ", " : "") "\"" name[i] "\": " ($i ~ /^[0-9]+$/ ? $i : "\"" $i "\"")
            printf "%s  {%s}", (NR > 2 ? ",\n" : ""), line
        }
        END { print "\n]" }' "$out/results.csv"
}

parse "$@"
for f in "$guest" "$ours" build/dom0/userbench; do
    [ -f "$f" ] || die "$f is missing: make bench builds it"
done
for f in "${serial[@]}"; do
    [ -f "${f#*=}" ] || die "there is no ${f#*=}"
done
mkdir -p "$raw"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ -n "$keep" ] || rm -f "$raw"/*
rm -f "$raw"/*-cycles.log

if [ -n "$peer" ] && [ ! -f "$xen" ]; then
    bench/fetch-xen "$xen" || die "no Xen to compare with: package xen-hypervisor-4.17-amd64 of Debian 12 could not be" \
        "downloaded. apt-get update may help; or unpack it elsewhere, gunzip its boot/xen-4.17-amd64.gz, and say" \
        "--xen FILE (make bench PEER=xen XEN_IMAGE=FILE)"
fi
if [ "$only" != user ]; then
    [ -n "$peer" ] && measure_guest xen "$xen" spec-ctrl=no
    measure_guest paravane "$ours" spec-ctrl=no
    measure_guest guarded "$ours" spec-ctrl=yes
    if processor; then
        [ -n "$peer" ] && measure_cycles xen "$xen"
        measure_cycles paravane "$ours"
    fi
fi
if [ "$only" != guest ]; then
    stage_guests
    measure_user bare none
    [ -n "$peer" ] && measure_user xen "$xen"
    measure_user paravane "$ours"
fi
write_csv >"$out/results.csv"
write_json >"$out/results.json"
bench/plot.sh "$out" || say "the plots could not be made"
awk -v peer="$peer" -v only="$only" -f bench/report.awk bench/rows "$out/results.csv"
status=$?
say "$out has results.csv, results.json and the plots"
exit $status
