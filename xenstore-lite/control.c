/* SPDX-License-Identifier: MIT */
/* What xenstore-control asks for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "control.h"
#include "log.h"
#include "request.h"
#include "store.h"

struct arguments {
    char *argv[6];
    unsigned n;
};

void (*control_restart)(void);

static int control_check(struct request *rq, const struct arguments *a)
{
    char text[300];

    (void)a;
    if (store_audit(rq->store, text, sizeof(text)))
        return 0;
    syslog(LOG_ERR, "%s", text);
    return request_reply_text(rq, text, true);
}

static int control_log(struct request *rq, const struct arguments *a)
{
    (void)rq;
    if (a->n != 1 || (strcmp(a->argv[0], "on") && strcmp(a->argv[0], "off")))
        return EINVAL;
    log_requests = !strcmp(a->argv[0], "on");
    return 0;
}

static int control_logfile(struct request *rq, const struct arguments *a)
{
    (void)rq;
    return a->n == 1 && log_open(a->argv[0]) ? 0 : EINVAL;
}

static int control_print(struct request *rq, const struct arguments *a)
{
    (void)rq;
    if (a->n != 1)
        return EINVAL;
    syslog(LOG_INFO, "%s", a->argv[0]);
    return 0;
}

static int control_memreport(struct request *rq, const struct arguments *a)
{
    char text[XENSTORE_PAYLOAD_MAX];
    const struct account *account;
    size_t len = 0;

    (void)a;
    len += (size_t)snprintf(text, sizeof(text), "%-6s %8s %10s %8s %12s %11s\n", "domain", "nodes",
                            "bytes", "watches", "transactions", "outstanding");
    for (unsigned i = 0; i < DOMID_LIMIT && len < sizeof(text) - 80; i++) {
        account = rq->store->account[i];
        if (account && account->memory)
            len +=
                (size_t)snprintf(text + len, sizeof(text) - len, "%-6u %8u %10lld %8u %12u %11u\n",
                                 i, account->nodes, (long long)account->memory, account->watches,
                                 account->transactions, account->outstanding);
    }
    return request_reply_text(rq, text, true);
}

static int show_quotas(struct request *rq, const uint32_t *quota)
{
    char text[512];
    size_t len = 0;

    for (int i = 0; i < QUOTA_COUNT; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s: %u\n", quota_names[i], quota[i]);
    return request_reply_text(rq, text, true);
}

/* quota: all limits; quota DOMID: what it uses; quota set NAME VALUE. */
static int control_quota(struct request *rq, const struct arguments *a)
{
    const struct account *account;
    long long value;
    char text[300];
    unsigned domid;
    int which;

    if (!a->n)
        return show_quotas(rq, rq->store->quota);
    if (a->n == 3 && !strcmp(a->argv[0], "set")) {
        which = quota_by_name(a->argv[1]);
        if (which < 0 || !wire_number(a->argv[2], 0, UINT32_MAX, &value))
            return EINVAL;
        rq->store->quota[which] = (uint32_t)value;
        return 0;
    }
    if (a->n != 1 || !wire_domid(a->argv[0], &domid))
        return EINVAL;
    account = rq->store->account[domid];
    if (!account)
        return ENOENT;
    snprintf(
        text, sizeof(text),
        "Domain %u:\nnodes: %u\nwatches: %u\ntransactions: %u\noutstanding: %u\nmemory: %lld\n",
        domid, account->nodes, account->watches, account->transactions, account->outstanding,
        (long long)account->memory);
    return request_reply_text(rq, text, true);
}

static int control_quota_soft(struct request *rq, const struct arguments *a)
{
    long long value;
    int which;

    if (!a->n)
        return show_quotas(rq, rq->store->soft_quota);
    if (a->n != 3 || strcmp(a->argv[0], "set") || (which = quota_by_name(a->argv[1])) < 0 ||
        !wire_number(a->argv[2], 0, UINT32_MAX, &value))
        return EINVAL;
    rq->store->soft_quota[which] = (uint32_t)value;
    return 0;
}

/* live-update -s: go on in the program file as it is now. Connections and transactions may be open.
 */
static int control_live_update(struct request *rq, const struct arguments *a)
{
    (void)rq;
    if (!control_restart)
        return ENOSYS;
    if (a->n && !strcmp(a->argv[0], "-s"))
        control_restart();
    else if (!a->n ||
             (strcmp(a->argv[0], "-f") && strcmp(a->argv[0], "-a") && strcmp(a->argv[0], "-c")))
        return EINVAL;
    return 0;
}

static int control_help(struct request *rq, const struct arguments *a);

static const struct {
    const char *name;
    int (*run)(struct request *rq, const struct arguments *a);
    const char *help;
} commands[] = {
    {"check", control_check, ""},
    {"help", control_help, ""},
    {"live-update", control_live_update, "-s"},
    {"log", control_log, "on|off"},
    {"logfile", control_logfile, "<file>"},
    {"memreport", control_memreport, ""},
    {"print", control_print, "<string>"},
    {"quota", control_quota, "[set <name> <value> | <domid>]"},
    {"quota-soft", control_quota_soft, "[set <name> <value>]"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int control_help(struct request *rq, const struct arguments *a)
{
    char text[512];
    size_t len = 0;

    (void)a;
    for (size_t i = 0; i < COMMANDS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\t%s\n", commands[i].name,
                                commands[i].help);
    return request_reply_text(rq, text, true);
}

int request_control(struct request *rq)
{
    char *argv[7];
    struct arguments a;
    size_t rest;
    unsigned n = wire_split(rq->data, rq->len, argv, 7, &rest);

    if (!n || n > 6)
        return EINVAL;
    a.n = n - 1;
    memcpy(a.argv, argv + 1, a.n * sizeof(*argv));
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[0], commands[i].name))
            return commands[i].run(rq, &a);
    return EINVAL;
}
