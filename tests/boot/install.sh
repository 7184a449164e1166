#!/bin/bash
# SPDX-License-Identifier: MIT
# guest-lib as others get it: installed into an empty folder, a guest outside of this tree is built by pkg-config's flags alone,
# and runs.
#   tests/boot/install.sh [IMAGE]
set -u
cd "$(dirname "$0")/../.." || exit 2

image=${1:-build/paravane}
log=build/tests/logs/install.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "${log%/*}"

passed=0 failed=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >>"$log" 2>&1; then
        echo "PASS $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name"
        failed=$((failed + 1))
    fi
}
flags() { PKG_CONFIG_PATH=$work/root/lib/pkgconfig pkg-config "$1" pvguest; }
build() {
    cp guest-lib/examples/hello.c "$work/" && cd "$work" || return
    # shellcheck disable=SC2046 # words
    gcc -O2 -Wall -Werror $(flags --cflags) -o hello hello.c $(flags --libs)
}
boot() {
    timeout 120 qemu-system-x86_64 -accel tcg -machine q35 -cpu max,-smap,-smep,-la57 -m 256 -display none -nodefaults \
        -serial stdio -no-reboot -kernel "$image" -append "com1=115200 console=com1 dom0_mem=64M" \
        -initrd "$work/hello outside" </dev/null | tee "$work/console" | grep -q '^hello from domain 0'
}

: >"$log"
check "make install puts it into a folder" make -s install "PREFIX=$work/root"
check "a guest is built with that alone" eval '(build)'
check "it runs" boot
cat "$work/console" >>"$log" 2>/dev/null
echo "install: $passed passed, $failed failed"
[ "$failed" = 0 ]
