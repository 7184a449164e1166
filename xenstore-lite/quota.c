/* SPDX-License-Identifier: MIT */
/* Accounts and limits. */
#include "quota.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include "mem.h"
#include "store.h"

#define CREDIT_MAX    10u
#define CREDIT_PERIOD 20u /* ms until one conflict is forgiven */

const char *const quota_names[QUOTA_COUNT] = {
    [QUOTA_NODES] = "nodes",
    [QUOTA_NODE_SIZE] = "node-size",
    [QUOTA_WATCHES] = "watches",
    [QUOTA_TRANSACTIONS] = "transactions",
    [QUOTA_TRANSACTION_NODES] = "transaction-nodes",
    [QUOTA_PERMISSIONS] = "node-permissions",
    [QUOTA_OUTSTANDING] = "outstanding",
    [QUOTA_MEMORY] = "memory",
    [QUOTA_PATH] = "path-max",
};

static const uint32_t defaults[QUOTA_COUNT] = {
    [QUOTA_NODES] = 1000,
    [QUOTA_NODE_SIZE] = 2048,
    [QUOTA_WATCHES] = 128,
    [QUOTA_TRANSACTIONS] = 10,
    [QUOTA_TRANSACTION_NODES] = 1024,
    [QUOTA_PERMISSIONS] = 5,
    [QUOTA_OUTSTANDING] = 20,
    [QUOTA_MEMORY] = 2560 << 10,
    [QUOTA_PATH] = XENSTORE_REL_PATH_MAX,
};

void quota_init(struct store *s)
{
    memcpy(s->quota, defaults, sizeof(defaults));
    s->soft_quota[QUOTA_MEMORY] = 2048 << 10;
}

int quota_by_name(const char *name)
{
    for (int i = 0; i < QUOTA_COUNT; i++)
        if (!strcmp(name, quota_names[i]))
            return i;
    return -1;
}

struct account *account_get(struct store *s, unsigned domid)
{
    struct account *a = s->account[domid];

    if (a)
        return a;
    a = mem_zalloc(sizeof(*a));
    a->domid = domid;
    a->credit = CREDIT_MAX;
    LIST_INIT(&a->places);
    s->account[domid] = a;
    return a;
}

int account_check(struct store *s, struct account *a, int32_t nodes, int64_t bytes)
{
    if (!a->domid)
        return 0;
    if (nodes > 0 && a->nodes + (uint32_t)nodes > s->quota[QUOTA_NODES])
        return ENOSPC;
    if (bytes > 0 && a->memory + bytes > s->quota[QUOTA_MEMORY])
        return ENOSPC;
    return 0;
}

void account_charge(struct store *s, struct account *a, int64_t bytes)
{
    a->memory += bytes;
    if (!a->domid || !s->soft_quota[QUOTA_MEMORY])
        return;
    if (a->memory <= s->soft_quota[QUOTA_MEMORY]) {
        a->warned = false;
    } else if (!a->warned) {
        a->warned = true;
        syslog(LOG_WARNING, "domain %u uses %lld bytes, more than its soft quota of %u", a->domid,
               (long long)a->memory, s->soft_quota[QUOTA_MEMORY]);
    }
}

void account_node_added(struct store *s, struct node *n)
{
    struct account *a = account_get(s, node_owner(n));

    a->nodes++;
    LIST_INSERT_HEAD(&a->places, n->place, of_owner);
    account_charge(s, a, (int64_t)node_bytes(n));
}

void account_node_gone(struct store *s, struct node *n)
{
    struct account *a = account_get(s, node_owner(n));

    a->nodes--;
    LIST_REMOVE(n->place, of_owner);
    account_charge(s, a, -(int64_t)node_bytes(n));
}

void account_node_resized(struct store *s, struct node *n, size_t before)
{
    account_charge(s, account_get(s, node_owner(n)), (int64_t)node_bytes(n) - (int64_t)before);
}

static void refill(struct store *s, struct account *a)
{
    uint64_t earned = (s->now - a->credit_time) / CREDIT_PERIOD;

    if (a->credit + earned >= CREDIT_MAX) {
        a->credit = CREDIT_MAX;
        a->credit_time = s->now;
    } else {
        a->credit += (uint32_t)earned;
        a->credit_time += earned * CREDIT_PERIOD;
    }
}

void account_blame(struct store *s, struct account *a)
{
    refill(s, a);
    if (a->domid && a->credit)
        a->credit--;
}

bool account_paused(struct store *s, struct account *a)
{
    if (a->credit)
        return false;
    refill(s, a);
    return !a->credit;
}
