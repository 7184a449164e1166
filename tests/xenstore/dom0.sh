#!/bin/bash
# SPDX-License-Identifier: MIT
# xenstore-lite in dom0 on Paravane, with Debian's programs: each xenstore-* command, and test-xenstore.
#   tests/xenstore/dom0.sh [IMAGE]
set -u
cd "$(dirname "$0")/../.." || exit 2

. tests/xenstore/fetch-tools.sh
if [ -z "$xen_utils" ]; then
    echo "xenstore in dom0: skipped, Debian's xen-utils-4.17 cannot be had (build/pkg/xen-utils-deb/log says why)"
    echo "xenstore in dom0: 1 passed, 0 failed"
    exit 0
fi
log=build/tests/logs/xenstore-dom0.log
mkdir -p "${log%/*}"

# shellcheck disable=SC2016 # dom0 is to expand it
tools/dom0-run --image "${1:-build/paravane}" --memory 1024 --initramfs build/guests.cpio --log "$log" \
    --add "$xen_utils/test-xenstore" --add "$xen_utils/xenstore-control" --timeout "${XENSTORE_TIMEOUT:-400}" '
say() { [ "$1" = "$2" ] && echo "PASS $3" || echo "FAIL $3: $1, expected $2"; }
lines() { wc -l | tr -d " "; }
for _ in $(seq 100); do xenstore-list / >/dev/null 2>&1 && break; sleep 0.1; done
xenstore-write /t/a one /t/b "two words" /t/c/d ""
say "$? $(xenstore-read /t/a /t/b | tr "\n" ,)" "0 one,two words," "xenstore-write and xenstore-read, several at once"
say "$(xenstore-read -p /t/a)" "/t/a: one" "xenstore-read -p"
xenstore-read /t/none 2>/dev/null
say $? 1 "xenstore-read of what is not there"
say "$(xenstore-list /t | tr "\n" ,)" a,b,c, "xenstore-list"
say "$(xenstore-list -p /t | head -n 1)" /t/a "xenstore-list -p"
say "$(xenstore-ls /t | head -n 1)" "a = \"one\"" "xenstore-ls"
say "$(xenstore-ls -f /t | tail -n 1)" "/t/c/d = \"\"" "xenstore-ls -f"
xenstore-exists /t/c && ! xenstore-exists /t/none
say $? 0 "xenstore-exists"
xenstore-chmod /t/a n0 r3
say "$(xenstore-ls -fp /t | sed -n "s/^.t.a = .*(\(.*\))/\1/p")" n0,r3 "xenstore-chmod"
xenstore-chmod -r /t/c n0 b4
say "$(xenstore-ls -fp /t/c | sed -n "s/.*(\(.*\))/\1/p")" n0,b4 "xenstore-chmod -r"
xenstore-rm /t/a
say "$(xenstore-exists /t/a; echo $?)" 1 "xenstore-rm"
xenstore-rm -t /t/c/d
say "$(xenstore-exists /t/c; echo $?)" 1 "xenstore-rm -t takes empty parents, too"
xenstore-watch -n 3 /w >watched 2>&1 &
for _ in $(seq 100); do [ -s watched ] && break; sleep 0.1; done
xenstore-write /w/x 1 /w/y 2
wait $!
say "$(tr "\n" , <watched)" /w,/w/x,/w/y, "xenstore-watch"
say "$(xenstore-read -s /t/b)" "two words" "xenstore-read -s, by the socket"
for n in $(seq 300); do echo /many/a-long-name-for-an-entry-$n x; done | xargs xenstore-write
say "$(xenstore-list /many | lines)" 300 "a directory of more than one message"
./xenstore-control check >/dev/null
say $? 0 "xenstore-control check"
./xenstore-control log on && ./xenstore-control log off
say $? 0 "xenstore-control log"
say "$(./xenstore-control memreport | grep -c "^0 ")" 1 "xenstore-control memreport"
./xenstore-control quota set nodes 1234
say "$(./xenstore-control quota | grep -c "nodes: 1234")" 1 "xenstore-control quota"
xenstore-watch -n 2 /l >watched 2>&1 &
watcher=$!
for _ in $(seq 100); do [ -s watched ] && break; sleep 0.1; done
./xenstore-control live-update -s /bin/xenstore-lite
say $? 0 "xenstore-control live-update"
xenstore-write /l/x 1
wait $watcher
say "$(tr "\n" , <watched) $(xenstore-read /t/b)" "/l,/l/x, two words" "and neither nodes nor watches are lost"
./xenstore-control check >/dev/null
say $? 0 "xenstore-control check finds nothing"
./test-xenstore -i 20 >out 2>&1
status=$?
say $status 0 "test-xenstore, each test 20 times"
say "$(grep -c avg: out)" 12 "which are 12 tests"
[ $status = 0 ] || cat out
./test-xenstore -r 3 >out 2>&1
say $? 0 "test-xenstore, tests at random for 3 s"
' >"$log.out" 2>&1
grep -aE '^(PASS|FAIL)' "$log.out"
passed=$(grep -ac '^PASS' "$log.out") failed=$(grep -ac '^FAIL' "$log.out")
if [ $((passed + failed)) != 25 ]; then
    failed=$((failed + 1))
    echo "FAIL it did not come to its end: $log.out"
    tail -n 20 "$log.out"
fi
echo "xenstore in dom0: $passed passed, $failed failed"
[ "$failed" = 0 ]
