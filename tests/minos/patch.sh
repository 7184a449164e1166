#!/bin/bash
# SPDX-License-Identifier: MIT
# Counts the lines, outside comments and blank ones, that make a PV guest of minos: the files that only build/minos-pv was
# made of, guest-lib's apart; what the kernel has for their sake; and their lines in the makefile. 600 at most.
#   tests/minos/patch.sh
set -u
cd "$(dirname "$0")/../.." || exit 2

most=600
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
for f in build/minos-pv build/minos/minos.elf; do
    [ -f "$f" ] || { echo "patch: $f is missing, run make minos" >&2; exit 2; }
done

passed=0 failed=0
check() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then
        echo "PASS $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name"
        failed=$((failed + 1))
    fi
}

# The image's own debugging information names its sources, the compiler's dependency files name their headers.
sources() { # IMAGE
    local unit
    for unit in $(readelf --debug-dump=info --dwarf-depth=1 "$1" 2>/dev/null | sed -nE 's/.*DW_AT_name .*: ((minos|guest-lib)\/)/\1/p'); do
        echo "$unit"
        [ ! -f "build/$unit.d" ] || tr -d '\\:' <"build/$unit.d" | tr ' ' '\n' | grep -E '^[a-z].*\.h$'
    done | xargs realpath --relative-to=. | sort -u
}
plain() { gcc -fpreprocessed -dD -E -P -x c "$1" | grep .; } # FILE: without comments and blank lines

sources build/minos-pv | grep -v '^guest-lib/\|^pvabi/' >"$work/pv"
sources build/minos/minos.elf >"$work/native"
comm -23 "$work/pv" "$work/native" >"$work/port"
comm -12 "$work/pv" "$work/native" >"$work/shared"
check "both images tell what they were made of: $(wc -l <"$work/shared") files in common" \
    grep -qx minos/kernel/main.c "$work/shared"
check "the port is all in minos/pv" [ "$(grep -c '^minos/pv/' "$work/port")" = "$(wc -l <"$work/port")" ]
check "no file of minos/pv is left out" [ "$(find minos/pv -name '*.[chS]' | sort)" = "$(cat "$work/port")" ]

total=0
count() { # LINES WHAT
    printf '%6d %s\n' "$1" "$2"
    total=$((total + $1))
}
while read -r file; do
    count "$(plain "$file" | wc -l)" "$file"
done <"$work/port"

# The kernel calls these on the bare machine, too, where nothing comes of it: calls, declarations, and whole definitions.
seam='mmu_batch_begin|mmu_batch_end|mmu_root_retire|frame_note'
while read -r file; do
    plain "$file" | awk -v names="$seam" '
        $0 ~ "(" names ")\\(" { print; inside = /^[a-z]/ && !/;$/; next }
        inside { print; inside = !/^}/ }'
done <"$work/shared" >"$work/seam"
count "$(wc -l <"$work/seam")" "in minos/kernel, for the port's sake"

# No file in common may be one thing here and another there: guards against including twice are all the conditions it has.
while read -r file; do
    plain "$file" | grep -E '^ *# *(if|elif|else)' | grep -vE '^#ifndef [A-Z0-9_]+_H$' | sed "s,^,$file: ,"
done <"$work/shared" >"$work/conditions"
cat "$work/conditions"
check "files in common are the same in both" [ ! -s "$work/conditions" ]

count "$(grep -v '^#' minos/minos.mk | grep -ciE 'minos[-_]pv|/pv/|pvguest')" minos/minos.mk
echo "the port of minos: $total lines"
check "at most $most lines" [ "$total" -le $most ]
check "and not none: the parts are found" [ "$total" -gt 100 ]
echo "patch: $passed passed, $failed failed"
[ "$failed" = 0 ]
