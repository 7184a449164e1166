#!/bin/sh
# SPDX-License-Identifier: MIT
# pvabi against Xen's own public headers (Debian: libxen-dev): every constant, size and offset that
# pvabi defines; every header alone, in C, C++ and assembly; and that these checks notice a mistake.
# Environment: CC, CXX, XEN_INCLUDE (the directory above xen/), BUILD.
set -u
cd "$(dirname "$0")/../.." || exit 1

CC=${CC:-cc}
CXX=${CXX:-c++}
XEN_INCLUDE=${XEN_INCLUDE:-/usr/include}
BUILD=${BUILD:-build}/tests/abi

# What pvabi has and Xen does not.
OURS_ALONE="TYPE(xen_guest_ptr_t)" # and all of paravane.h
# Headers that assembly includes.
IN_ASSEMBLY="base arch xen elfnote features"

passed=0
failed=0

fail() {
    echo "FAIL: $1"
    failed=$((failed + 1))
}

# check WHAT COMMAND...
check() {
    what=$1
    shift
    if "$@" >"$BUILD/log" 2>&1; then
        passed=$((passed + 1))
    else
        fail "$what"
        cat "$BUILD/log"
    fi
}

# alone HEADER COMPILER...: it compiles with nothing before it, and twice in one unit.
alone() {
    header=$1
    shift
    printf '#include <pvabi/%s>\n#include <pvabi/%s>\n' "$header" "$header" |
        "$@" -ffreestanding -I. -o /dev/null -
}

# Every structure's size is asserted. (A header without structures is fine.)
sizes_asserted() {
    sed -n 's/^\(\(struct\|union\) [a-z0-9_]*\) {$/\1/p' "pvabi/$1" | {
        all=0
        while read -r type; do
            grep -q "^PVABI_SIZE($type, [0-9]*);" "pvabi/$1" || {
                echo "$type has no PVABI_SIZE"
                all=1
            }
        done
        return $all
    }
}

# compare DIRECTORY: two programs print all that the pvabi in that directory defines, one as pvabi
# has it, one as Xen has it. Returns 0 same, 1 different, 2 if something cannot be compiled.
compare() {
    for h in "$1"/pvabi/*.h "$1"/pvabi/io/*.h; do
        echo "#include <pvabi/${h#"$1"/pvabi/}>"
    done >"$BUILD/headers.inc"
    "$CC" -E -P -ffreestanding -I"$1" -x c "$BUILD/headers.inc" >"$BUILD/headers.i" &&
        perl tests/abi/names.pl "$BUILD/headers.i" "$1"/pvabi/*.h \
            "$1"/pvabi/io/*.h >"$BUILD/names.all" || return 2
    grep -vxF "$OURS_ALONE" "$BUILD/names.all" | grep -vi paravane_ >"$BUILD/names.inc"
    "$CC" -std=gnu11 -I"$BUILD" -I"$1" -o "$BUILD/ours" tests/abi/probe.c &&
        "$CC" -std=gnu11 -I"$BUILD" -isystem "$XEN_INCLUDE" -DPROBE_XEN -o "$BUILD/xen" \
            tests/abi/probe.c || return 2
    "$BUILD/ours" >"$BUILD/ours.txt" && "$BUILD/xen" >"$BUILD/xen.txt" || return 2
    cmp -s "$BUILD/ours.txt" "$BUILD/xen.txt"
}

# mutant RESULT HEADER SED-SCRIPT: with that change of the header, compare returns RESULT.
mutant() {
    rm -rf "$BUILD/mutant"
    mkdir -p "$BUILD/mutant"
    cp -r pvabi "$BUILD/mutant/"
    sed "$3" "pvabi/$2" >"$BUILD/mutant/pvabi/$2"
    compare "$BUILD/mutant"
    [ $? = "$1" ]
}

if [ ! -f "$XEN_INCLUDE/xen/xen.h" ]; then
    echo "no $XEN_INCLUDE/xen/xen.h: install libxen-dev or set XEN_INCLUDE"
    exit 1
fi
mkdir -p "$BUILD"

strict="-Wall -Wextra -Wshadow -Werror -fsyntax-only"
echo 'extern int unit;' >"$BUILD/unit.h" # ISO C wants a declaration in every unit
for path in pvabi/*.h pvabi/io/*.h; do
    h=${path#pvabi/}
    # shellcheck disable=SC2086
    check "$h alone, in C" alone "$h" "$CC" -std=c11 -Wpedantic $strict \
        -include "$BUILD/unit.h" -x c
    # shellcheck disable=SC2086
    check "$h alone, in C++" alone "$h" "$CXX" -std=c++17 $strict -x c++
    check "$h asserts sizes" sizes_asserted "$h"
done
for h in $IN_ASSEMBLY; do
    check "$h.h alone, in assembly" alone "$h.h" "$CC" -c -x assembler-with-cpp
done

compare .
case $? in
0) passed=$((passed + $(wc -l <"$BUILD/ours.txt"))) ;;
1)
    diff "$BUILD/ours.txt" "$BUILD/xen.txt" | grep '^[<>]'
    fail "pvabi (<) and Xen (>) differ"
    ;;
*) fail "the comparison does not compile: a name that Xen lacks?" ;;
esac

if [ $failed = 0 ]; then
    check "another hypercall number is noticed" \
        mutant 1 xen.h 's/\(__HYPERVISOR_mmuext_op  *\)26/\127/'
    check "another flag is noticed" \
        mutant 1 grant_table.h 's/\(GTF_reading  *\)(1 << 3)/\1(1 << 5)/'
    check "exchanged fields are noticed" \
        mutant 1 event_channel.h '/^struct evtchn_bind_virq/,/^}/{s/virq;/x;/;s/vcpu;/virq;/;s/ x;/ vcpu;/}'
    check "a field's lost sign is noticed" \
        mutant 1 physdev.h '/^struct physdev_map_pirq/,/^}/s/int32_t pirq/uint32_t pirq/'
    check "a shorter field is noticed" \
        mutant 1 event_channel.h 's/uint8_t _pad\[7\]/uint8_t _pad[6]/'
    check "a structure that grew is noticed" \
        mutant 2 grant_table.h '/^struct gnttab_copy {/,/^}/s/int16_t status/int64_t status/'
    check "another place in a ring's request is noticed" \
        mutant 1 io/netif.h '/^struct netif_tx_request/,/^}/{s/uint16_t id;/uint16_t x;/;s/size;/id;/;s/ x;/ size;/}'
    check "a name that Xen lacks is noticed" \
        mutant 2 sched.h 's/SCHEDOP_pin_override/SCHEDOP_pin_vcpu/'
    check "a syntax error is noticed" mutant 2 vcpu.h 's/uint64_t period_ns;/uint64_t period_ns/'
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
