/* SPDX-License-Identifier: MIT */
/* How the tree of a transaction becomes the store's. */
#ifndef XSL_COMMIT_H
#define XSL_COMMIT_H

#include "transaction.h"

int commit_txn(struct txn *t); /* 0, EAGAIN, ENOSPC */

#endif
