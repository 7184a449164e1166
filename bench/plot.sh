#!/bin/bash
# SPDX-License-Identifier: MIT
# Plots of results.csv, each as SVG and PNG: bench/plot.sh DIRECTORY
set -u
cd "$(dirname "$0")/.." || exit 2
if [ $# != 1 ] || [ ! -f "$1/results.csv" ]; then
    echo "usage: bench/plot.sh DIRECTORY (with results.csv in it)" >&2
    exit 2
fi
command -v gnuplot >/dev/null || { echo "plot: there is no gnuplot (tools/deps bench installs it)" >&2; exit 1; }
out=$1
csv=$out/results.csv
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

systems=paravane
grep -q '^xen,guest,' "$csv" && systems="xen paravane"

# series SYSTEM OPERATION: lines "batch instructions"
series() {
    awk -F, -v s="$1" -v o="$2" '$1 == s && $2 == "guest" && $3 == o && $6 == "instructions" { print $4, $8 }' "$csv"
}
one() { # SYSTEM PLACE OPERATION [BATCH]
    awk -F, -v s="$1" -v p="$2" -v o="$3" -v b="${4:-0}" \
        '$1 == s && $2 == p && $3 == o && $4 == b && $6 == "instructions" { print $8 }' "$csv"
}
label() { case $1 in xen) echo Xen ;; bare) echo bare ;; *) echo Paravane ;; esac; }
colour() { case $1 in xen) echo '#c44e52' ;; bare) echo '#8c8c8c' ;; *) echo '#2f6db3' ;; esac; }

# draw NAME HEIGHT <<commands: the same twice
draw() {
    local commands
    commands=$(cat)
    {
        echo "set terminal svg noenhanced size 960,$2 font 'sans-serif,15' background rgb 'white'"
        echo "set output '$out/$1.svg'"
        echo "$commands"
        echo "set terminal pngcairo noenhanced size 960,$2 font 'Sans,12' background rgb 'white'"
        echo "set output '$out/$1.png'"
        echo replot
    } | gnuplot
}

style='set border 3
set tics nomirror out
set grid ytics lc rgb "#dddddd"
set key outside below center horizontal spacing 1.3 Left reverse samplen 2'

# curves NAME TITLE WHAT OPERATION:LABEL...: instructions against the batch, a point type for each operation
curves() {
    local name=$1 title=$2 what=$3 plots='' system entry file point
    shift 3
    for system in $systems; do
        point=5
        for entry; do
            file=$work/$name-$system-${entry%%:*}
            series "$system" "${entry%%:*}" >"$file"
            [ -s "$file" ] || continue
            plots+="${plots:+, }'$file' with linespoints pt $point ps 1.1 lw 2 lc rgb '$(colour "$system")'"
            plots+=" title '$(label "$system"): ${entry#*:}'"
            point=$((point + 2))
        done
    done
    [ -n "$plots" ] || return 0
    draw "$name" 600 <<END
$style
set title "$title"
set xlabel "batch: $what (logarithmic)"
set bmargin 9
set key maxrows 3 maxcols 2
set ylabel "guest instructions for each"
set logscale x 2
set xrange [0.9:*]
set yrange [0:*]
plot $plots
END
}

# bars NAME TITLE YLABEL FILE COLUMNS: groups of bars; the first column is the group's name. For each further column:
# its system and its title
bars() {
    local name=$1 title=$2 ylabel=$3 file=$4 plots='' column=2
    shift 4
    for entry; do
        plots+="${plots:+, }'$file' using $column:xtic(1) lc rgb '$(colour "${entry%%:*}")' title '${entry#*:}'"
        column=$((column + 1))
    done
    draw "$name" 640 <<END
$style
set title "$title"
set ylabel "$ylabel"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set yrange [0:*]
set xtics font ',11'
set bmargin 5
plot $plots
END
}

columns() { # what bars wants to know of the systems
    for s in $systems; do echo "$s:$(label "$s")"; done
}

patterns() { # NAME PATTERN BATCH TITLE YLABEL FORM:LABEL...
    local name=$1 pattern=$2 batch=$3 title=$4 ylabel=$5 entry system
    shift 5
    for entry; do
        printf '"%s"' "${entry#*:}"
        for system in $systems; do
            printf ' %s' "$(one "$system" guest "${pattern}_${entry%%:*}" "$batch")"
        done
        echo
    done >"$work/$name"
    mapfile -t cols < <(columns)
    bars "$name" "$title" "$ylabel" "$work/$name" "${cols[@]}"
}

# How many times the bare machine's cost a program pays.
user() { # PLACE
    local op bare system v
    for op in getppid read mmap mprotect fork exec signal pipe; do
        bare=$(one bare dom0 $op)
        [ -n "$bare" ] || return 0
        printf '"%s"' $op
        for system in $systems; do
            v=$(one "$system" "$1" $op)
            printf ' %s' "$(awk -v v="$v" -v b="$bare" 'BEGIN { print v / b }')"
        done
        echo
    done >"$work/user-$1"
    mapfile -t cols < <(columns)
    bars "user-$1" "A program in a stock Linux $1: its cost as a multiple of the bare machine's" \
        "instructions, bare machine = 1" "$work/user-$1" "${cols[@]}"
}

forms=(each:'a call per update' lazy:'lazy batch' multicall:'multicalls' writable:'writable tables')
status=0
curves updates "Changing a page-table entry: cost by the size of the batch" "entries, or calls, in one hypercall" \
    mmu_update:mmu_update multicall_va:'multicall of update_va_mapping' multicall_mmu:'multicall of mmu_update' || status=1
curves grants "Grants: cost by the size of the batch" "grants in one hypercall" \
    grant_map:map grant_unmap:unmap grant_copy:'copy, 64 bytes' || status=1
curves events "Event notifications: cost by how many share one upcall" "notifications for one upcall" \
    event_coalesced:'event to self' || status=1
patterns fork fork 512 "fork of 512 pages, to the child's end and the parent's copy-on-write faults" \
    "guest instructions per page" "${forms[@]}" filled:'fill, then pin' || status=1
patterns mmap mmap 512 "512 pages mapped, touched, unmapped" "guest instructions per page" "${forms[@]}" || status=1
patterns switch switch 0 "Context switch: four entries, both roots, stack, segment base, FPU" \
    "guest instructions per switch" "${forms[@]}" || status=1
user dom0 || status=1
user domU || status=1
exit $status
