# SPDX-License-Identifier: MIT
# The addresses of what pvscan is to list, out of another disassembler's listing (objdump -d -w --no-show-raw-insn).
function is_listed(name, rest) {
    if (name ~ listed)
        return 1
    if (name ~ /^mov[wlq]?$/)
        return rest ~ /%(cr|db|dr)[0-9]/ || rest ~ /,%[sdefg]s *$/ || rest ~ /^ %[cs]s,/
    return name ~ /^pop[wlq]?$/ && rest ~ /^ %[sdefg]s *$/
}
BEGIN {
    listed = "^(cli|sti|hlt|in|out|ins[bwl]|outs[bwl]|rdmsr|wrmsr|clts|lmsw|smsw[wlq]?|invlpg|invpcid|wbinvd|wbnoinvd|invd|" \
        "xsetbv|xsaves(64)?|xrstors(64)?|pushf[wq]?|popf[wq]?|iret[wlq]?|sysret[lq]?|sysexit[lq]?|ljmp[lqw]?|lcall[lqw]?|" \
        "lret[lqw]?|l[sdefg]s|swapgs|(rd|wr)[fg]sbase|[ls][gi]dt[lq]?|[ls]ldt|ltr|str|lar|lsl|verr|verw|cpuid|rdpmc|" \
        "monitor|mwait|clac|stac|(rd|wr)pkru)$"
    prefix = "^(rep[nz]*|lock|data16|addr32|[cdefgs]s|notrack|bnd|rex(\\.[WRXB]+)?)$"
}
$1 ~ /^[0-9a-f]+:$/ {
    for (at = 2; at < NF && $at ~ prefix; at++)
        ;
    rest = ""
    for (i = at + 1; i <= NF && $i !~ /^[#<]/; i++)
        rest = rest " " $i
    if (is_listed($at, rest))
        print substr($1, 1, length($1) - 1)
}
