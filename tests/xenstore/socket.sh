#!/bin/bash
# SPDX-License-Identifier: MIT
# The daemon as a process, with Debian's clients (xenstore-utils): their commands, and going on after SIGKILL and
# SIGUSR1 without a client's noticing. With XEN_UTILS=DIR, where xen-utils-4.17 was unpacked (dpkg -x), or with that
# package installed, its test-xenstore runs too, on its own and while the server is killed all the time.
set -u
here=$(dirname "$(readlink -f "$0")")
daemon=$(readlink -f "$here/../../build/xenstore-lite/xenstore-lite")
test_xenstore=${XEN_UTILS:-}/usr/lib/xen-4.17/bin/test-xenstore
work=$(mktemp -d) || exit 2
passed=0 failed=0
export XENSTORED_RUNDIR=$work

holder=
# shellcheck disable=SC2317 # it is a trap
clean_up() {
    [ -z "$holder" ] || kill "$holder" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

check() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s: FAIL: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"
    fi
}

start() {
    "$daemon" --no-domain-init --no-fork --pid-file "$work/pid" &
    holder=$!
    for ((i = 0; i < 100; i++)); do
        xenstore-list / >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "the daemon does not answer" >&2
    exit 2
}

server() { pgrep -P "$holder"; }

start
xenstore-write /a/b one /a/c two
check write,read one "$(xenstore-read /a/b)"
check list $'b\nc' "$(xenstore-list /a)"
xenstore-chmod /a/b n0 r5
check ls $'b = "one"   (n0,r5)\nc = "two"   (n0)' "$(xenstore-ls -p /a | sed 's/ *\. [ .]*/   /')"
check exists 0 "$(xenstore-exists /a/b; echo $?)"
xenstore-rm /a/b
check rm 1 "$(xenstore-exists /a/b 2>/dev/null; echo $?)"
for i in $(seq 600); do echo "/many/$i$i$i$i$i" x; done | xargs xenstore-write
check 'a long directory' 600 "$(xenstore-list /many | wc -l)"

xenstore-watch -n 6 /w >"$work/watched" 2>&1 &
watcher=$!
sleep 0.3
xenstore-write /w/1 x
kill -KILL "$(server)"
xenstore-write /w/2 x
kill -USR1 "$holder"
xenstore-write /w/3 x
kill -USR1 "$holder"
kill -KILL "$(server)"
xenstore-write /w/4 x
xenstore-write /w/5 x
wait $watcher
check 'watch over restarts' "$(printf '/w\n'; printf '/w/%s\n' 1 2 3 4 5)" "$(cat "$work/watched")"
check 'nodes over restarts' two "$(xenstore-read /a/c)"

# Both processes are gone: the next start finds everything but the clients.
kill -KILL "$holder" "$(server)"
wait "$holder" 2>/dev/null
start
check 'nodes over a start' two "$(xenstore-read /a/c)"

if [ -x "$test_xenstore" ]; then
    "$test_xenstore" -i 200 >"$work/test" 2>&1
    check "test-xenstore" 0 $?
    "$test_xenstore" -i 3000 >"$work/test" 2>&1 &
    tester=$!
    for _ in 1 2 3 4 5; do
        sleep 0.1
        kill -KILL "$(server)"
        sleep 0.1
        kill -USR1 "$holder"
    done
    wait $tester
    check "test-xenstore while the server is killed" 0 $?
else
    echo "test-xenstore is skipped: xen-utils-4.17 is neither installed nor named by XEN_UTILS"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
