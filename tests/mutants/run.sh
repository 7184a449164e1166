#!/bin/bash
# SPDX-License-Identifier: MIT
# Puts one deliberate fault after the other into a copy of the sources, builds the unit tests of memory, grants and events
# without sanitizers, and wants at least one of them to fail.
#   tests/mutants/run.sh [-k] [NAME...]      -k: keep the copy; NAME: only these mutants
# list.txt has a line for each: NAME | FILE | sed expression. The expression must change the file, in one place.
# Ends with "N caught, M survived"; status 1 if any survived or no longer applies.
set -u
cd "$(dirname "$0")/../.." || exit 2
keep=
[ "${1:-}" = -k ] && { keep=1; shift; }
root=$PWD copy=$(mktemp -d)
[ $keep ] && echo "copy: $copy" || trap 'rm -rf "$copy"' EXIT

cp -r --parents hv pvabi tests/unit tests/model tests/mutants Makefile guest-lib tools "$copy"
mkdir -p "$copy/build"
cp build/.deps-*.mk "$copy/build" 2>/dev/null
cd "$copy" || exit 2

# mutants.mk's list of programs, so that this file need not know them
build() {
    make -s CC="${CC:-gcc}" UNIT_SANITIZE="-O1 -g0 -Wno-error" mutant-tests >build.log 2>&1
}
# Runs the programs, the quick ones first; stops at the first that fails.
survives() {
    local t
    for t in $(cat build/mutant-tests); do
        OPS=${OPS:-60000} timeout 120 bash -c '"$0" >test.log 2>&1' "$t" 2>/dev/null || { echo "${t##*/}" >killer; return 1; }
    done
}

if ! build || ! survives; then
    echo "the tests fail without any fault:"
    tail -n 30 build.log test.log 2>/dev/null
    exit 2
fi

caught=0 survived=0 broken=0
while IFS='|' read -r name file expr; do
    name=${name// /} file=${file// /}
    [[ -z $name || $name == \#* ]] && continue
    [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] && continue
    cp "$file" saved.c
    sed -i -E "$(sed 's/^ *//' <<<"$expr")" "$file"
    places=$(diff saved.c "$file" | grep -c '^[0-9]')
    if [ "$places" != 1 ]; then
        verdict="DOES NOT APPLY ($places places)"
        broken=$((broken + 1))
    elif ! build; then
        verdict="DOES NOT BUILD: $(grep -m1 error: build.log)"
        broken=$((broken + 1))
    elif survives; then
        verdict=SURVIVED
        survived=$((survived + 1))
    else
        verdict="caught by $(cat killer): $(grep -m1 -E 'VIOLATION|PANIC|:[EF]:' test.log | cut -c1-110)"
        caught=$((caught + 1))
    fi
    printf '%-28s %s\n' "$name" "$verdict"
    cp -p saved.c "$file"
    touch "$file"
done <"$root/tests/mutants/list.txt"

echo "$caught caught, $survived survived$([ $broken = 0 ] || echo ", $broken do not apply")"
[ $survived = 0 ] && [ $broken = 0 ]
