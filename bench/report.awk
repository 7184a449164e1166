# SPDX-License-Identifier: MIT
# The tables, from bench/rows and results.csv: awk -f bench/report.awk [-v peer=xen] [-v only=guest|user] bench/rows results.csv
# Exit: 0 when every row meets its target, 1 when one does not, 2 when a figure is missing.

function figure(sys, place, op, batch, unit) {
    return value[sys, place, op, batch, unit]
}

# Left aligned text, then the columns that this run has.
function line(title, xen, ours, guarded, ratio, target, remark) {
    printf "%-42s", title
    if (peer != "")
        printf " %9s", xen
    printf " %9s %9s", ours, guarded
    if (peer != "")
        printf " %6s %6s", ratio, target
    print remark
}

function fixed(v, digits) {
    return v == "" ? "" : sprintf("%." digits "f", v)
}

function row(place, op, batch, title, target,   x, p, m, r, remark) {
    sub(/%d/, batch, title)
    x = figure("xen", place, op, batch, "instructions")
    p = figure("paravane", place, op, batch, "instructions")
    m = figure("guarded", place, op, batch, "instructions")
    if (p == "" || (peer != "" && x == "")) {
        line(title, x, p, m, "", "", "  NO FIGURE")
        missing++
        return
    }
    if (peer != "") {
        r = p / x
        if (target != "") {
            judged++
            if (r > target + 0) {
                remark = "  OVER"
                over++
            }
        }
    }
    line(title, x, p, m, fixed(r, 3), fixed(target, 2), remark)
}

function user_row(place, op, title, target,   b, x, p, way, remark) {
    b = figure("bare", "dom0", op, 0, "instructions")
    x = figure("xen", place, op, 0, "instructions")
    p = figure("paravane", place, op, 0, "instructions")
    if (b == "" || p == "" || (peer != "" && x == "")) {
        user_line(title, b, x, p, "", "", "  NO FIGURE")
        missing++
        return
    }
    if (peer != "" && x > b) {
        way = (p - b) / (x - b)
        if (target != "") {
            judged++
            if (way > target + 0) {
                remark = "  OVER"
                over++
            }
        }
    }
    user_line(title, b, x, p, fixed(way, 2), fixed(target, 2), remark)
}

function user_line(title, bare, xen, ours, way, target, remark) {
    printf "%-42s %9s", title, bare
    if (peer != "")
        printf " %9s", xen
    printf " %9s", ours
    if (peer != "")
        printf " %6s %6s", way, target
    print remark
}

function head(what) {
    printf "\n%s\n\n", what
}

function user_table(place, what,   i) {
    head(what)
    user_line("operation", "bare", "Xen", "Paravane", "way", "target", "")
    for (i = 1; i <= users; i++)
        user_row(place, user_op[i], user_title[i], user_target[i])
}

function cycles_table(   i, n, f, key) {
    for (i = 1; i <= cycle_rows; i++) {
        if (i == 1) {
            head("Processor cycles per operation, median and where the middle 80 % lie")
            printf "%-26s %6s  %-10s %12s %12s %12s\n", "operation", "batch", "system", "median", "10 %", "90 %"
        }
        n = split(cycle_row[i], f, ",")
        printf "%-26s %6s  %-10s %12d %12d %12d\n", f[3], f[4] ? f[4] : "", f[1], f[8], f[9], f[10]
    }
}

BEGIN {
    FS = "|"
}

FILENAME == ARGV[1] {
    if ($0 ~ /^#/ || NF < 5 || (only == "guest" && $1 != "guest") || (only == "user" && $1 == "guest"))
        next
    if ($1 == "user") {
        user_op[++users] = $2
        user_title[users] = $4
        user_target[users] = $5
        next
    }
    n = split($3 == "" ? "0" : $3, batches, " ")
    for (i = 1; i <= n; i++) {
        place[++rows] = $1
        op[rows] = $2
        batch[rows] = batches[i]
        title[rows] = $4
        target[rows] = $5
        if (split($5, only_for, ":") == 2)
            target[rows] = only_for[1] == batches[i] ? only_for[2] : ""
    }
    next
}

FNR > 1 {
    split($0, f, ",")
    if (f[6] == "cycles")
        cycle_row[++cycle_rows] = $0
    value[f[1], f[2], f[3], f[4], f[6]] = f[8]
}

END {
    print "Guest instructions per operation, QEMU -icount: one is one tick of the time stamp counter. Exact, and the"
    print "same in every run; caches, TLB misses and ring crossings are not modelled: work done, not time taken."
    if (peer != "")
        print "Xen runs with spec-ctrl=no, on a CPU model (TCG's max) that asks for no mitigation."
    print "Mitigated: Paravane with spec-ctrl=yes, all that it implements (docs/batching.md says what that is)."
    if (rows)
        head("The bench guest, as dom0; a wake-up: two bench guests beside a stock dom0")
    if (rows)
        line("operation", "Xen", "Paravane", "mitigated", "ratio", "target", "")
    for (i = 1; i <= rows; i++)
        row(place[i], op[i], batch[i], title[i], target[i])
    if (users) {
        user_table("dom0", "A program in a stock Linux dom0, mitigations=off in all kernels; way: from bare to Xen")
        user_table("domU", "The same in a stock Linux domU")
    }
    cycles_table()
    print ""
    if (peer != "")
        printf "%d of %d targets are met\n", judged - over, judged
    if (missing)
        printf "%d rows have no figure\n", missing
    exit missing ? 2 : over ? 1 : 0
}
