/* SPDX-License-Identifier: MIT */
/* Requests that concern domains: introducing, releasing, features and quotas. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "domain.h"
#include "journal.h"
#include "request.h"

/* The one argument, a domain. */
static int domid_of(struct request *rq, unsigned *domid)
{
    return wire_is_one_string(rq->data, rq->len) && wire_domid(rq->data, domid) ? 0 : EINVAL;
}

int request_introduce(struct request *rq)
{
    long long gfn, port;
    unsigned domid;
    char *argv[3];
    size_t rest;

    /* Frames come as signed numbers. */
    if (wire_split(rq->data, rq->len, argv, 3, &rest) != 3 || !wire_domid(argv[0], &domid) ||
        !domid || !wire_number(argv[1], INT64_MIN, INT64_MAX, &gfn) ||
        !wire_number(argv[2], 0, UINT32_MAX, &port))
        return EINVAL;
    return domain_introduce(rq->store, domid, (uint64_t)gfn, (uint32_t)port);
}

/* A domain other than 0 that was introduced. */
static int introduced(struct request *rq, struct domain **d)
{
    unsigned domid;
    int error = domid_of(rq, &domid);

    if (error || !domid)
        return EINVAL;
    *d = domain_find(rq->store, domid);
    return *d ? 0 : ENOENT;
}

int request_release(struct request *rq)
{
    struct domain *d;
    int error = introduced(rq, &d);

    if (!error)
        domain_release(d);
    return error;
}

int request_resume(struct request *rq)
{
    struct domain *d;
    int error = introduced(rq, &d);

    if (!error)
        d->shutdown_told = false;
    return error;
}

int request_set_target(struct request *rq)
{
    unsigned domid, target;
    struct domain *d;
    char *argv[2];
    size_t rest;

    if (wire_split(rq->data, rq->len, argv, 2, &rest) != 2 || rest ||
        !wire_domid(argv[0], &domid) || !wire_domid(argv[1], &target) || !domid)
        return EINVAL;
    d = domain_find(rq->store, domid);
    if (!d || !domain_find(rq->store, target))
        return ENOENT;
    d->conn->target = (uint16_t)target;
    journal_conn(d->conn);
    return 0;
}

int request_get_domain_path(struct request *rq)
{
    char text[40];
    unsigned domid;
    int error = domid_of(rq, &domid);

    if (error)
        return error;
    snprintf(text, sizeof(text), "/local/domain/%u", domid);
    return request_reply_text(rq, text, true);
}

int request_is_introduced(struct request *rq)
{
    unsigned domid;
    int error = domid_of(rq, &domid);

    if (error)
        return error;
    return request_reply_text(rq, !domid || domain_find(rq->store, domid) ? "T" : "F", true);
}

int request_get_feature(struct request *rq)
{
    unsigned features = XENSTORE_SERVER_FEATURE_ERROR | XS_FEATURE_WATCH_DEPTH, domid;
    char text[16];

    if (rq->len > 1 && domid_of(rq, &domid))
        return EINVAL;
    if (rq->len > 1 && !domain_find(rq->store, domid))
        return ENOENT;
    snprintf(text, sizeof(text), "%u", features);
    return request_reply_text(rq, text, true);
}

/* All domains are offered the same features, which they need not use. */
int request_set_feature(struct request *rq)
{
    unsigned domid, features = XENSTORE_SERVER_FEATURE_ERROR | XS_FEATURE_WATCH_DEPTH;
    char *argv[2];
    long long value;
    size_t rest;

    if (wire_split(rq->data, rq->len, argv, 2, &rest) != 2 || rest ||
        !wire_domid(argv[0], &domid) || !wire_number(argv[1], 0, UINT32_MAX, &value))
        return EINVAL;
    if (domain_find(rq->store, domid))
        return EBUSY;
    return value == features ? 0 : EINVAL;
}

int request_get_quota(struct request *rq)
{
    char *argv[2], text[256] = "";
    size_t rest, len = 0;
    unsigned domid, n = wire_split(rq->data, rq->len, argv, 2, &rest);
    int which;

    if (rest || (n == 2 && !wire_domid(argv[0], &domid)))
        return EINVAL;
    if (!n || (n == 1 && !*argv[0])) {
        for (int i = 0; i < QUOTA_COUNT; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
                                    quota_names[i]);
        return request_reply_text(rq, text, true);
    }
    which = quota_by_name(argv[n - 1]);
    if (which < 0)
        return EINVAL;
    snprintf(text, sizeof(text), "%u", rq->store->quota[which]);
    return request_reply_text(rq, text, true);
}

/* Quotas are the same for all domains. */
int request_set_quota(struct request *rq)
{
    char *argv[2];
    long long value;
    size_t rest;
    int which;

    if (wire_split(rq->data, rq->len, argv, 2, &rest) != 2 || rest ||
        (which = quota_by_name(argv[0])) < 0 || !wire_number(argv[1], 0, UINT32_MAX, &value))
        return EINVAL;
    rq->store->quota[which] = (uint32_t)value;
    journal_quotas(rq->store);
    return 0;
}
