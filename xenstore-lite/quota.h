/* SPDX-License-Identifier: MIT */
/* Accounts: what each domain uses, and how much it may. Every byte the store keeps for somebody is
 * in an account. Domain 0 and whoever speaks through the socket have an account without limits. */
#ifndef XSL_QUOTA_H
#define XSL_QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include "node.h"

struct store;
struct conn;

enum quota {
    QUOTA_NODES,
    QUOTA_NODE_SIZE, /* value and permissions */
    QUOTA_WATCHES,
    QUOTA_TRANSACTIONS,
    QUOTA_TRANSACTION_NODES,
    QUOTA_PERMISSIONS,
    QUOTA_OUTSTANDING, /* requests whose events others have not taken yet */
    QUOTA_MEMORY,
    QUOTA_PATH,
    QUOTA_COUNT
};

extern const char *const quota_names[QUOTA_COUNT];

struct account {
    unsigned domid;
    uint32_t nodes, watches, transactions, outstanding;
    int64_t memory;
    LIST_HEAD(, place) places; /* of its nodes */
    uint64_t died;             /* generation at which the last domain of this number died */
    int32_t delta_nodes;       /* while a commit is being judged */
    int64_t delta_memory;
    bool warned;
    bool lost; /* while a journal is read: the domain is gone */
    /* Conflicts it may still cause in others' transactions, and when that number was last right. */
    uint32_t credit;
    uint64_t credit_time;
};

void quota_init(struct store *s);
struct account *account_get(struct store *s, unsigned domid);

/* 0, or ENOSPC if the account would exceed what it may have. */
int account_check(struct store *s, struct account *a, int32_t nodes, int64_t bytes);

/* Charges bytes that are no node's. */
void account_charge(struct store *s, struct account *a, int64_t bytes);

/* A node of the store's tree comes, goes, or changes size or owner. */
void account_node_added(struct store *s, struct node *n);
void account_node_gone(struct store *s, struct node *n);
void account_node_resized(struct store *s, struct node *n, size_t before);

/* A transaction failed because of what the domain wrote. It is not served while it has no credit
 * left. */
void account_blame(struct store *s, struct account *a);
bool account_paused(struct store *s, struct account *a);

int quota_by_name(const char *name); /* -1: none of that name */

#endif
