/* SPDX-License-Identifier: MIT */
/* libxenstore, with the failures that matter told apart. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenstore.h>

#include "log.h"
#include "store.h"
#include "store_link.h"

static struct xs_handle *store;
static xs_transaction_t transaction = XBT_NULL;
static bool transaction_failed, broken;
static int link_fd = -1;

/* Errors of the connection, not of the store. */
static void failed(void)
{
    if (errno == EIO || errno == EPIPE || errno == ECONNRESET || errno == EBADF)
        broken = true;
}

bool store_open(void)
{
    store_close();
    link_fd = store_link();
    if (link_fd >= 0)
        store = xs_open(0);
    broken = false;
    return store;
}

void store_close(void)
{
    if (store)
        xs_close(store);
    store = NULL;
    if (link_fd >= 0)
        close(link_fd);
    link_fd = -1;
    transaction = XBT_NULL;
}

bool store_broken(void)
{
    return broken || !store;
}

int store_link_fd(void)
{
    return link_fd;
}

void store_ended(void)
{
    broken = true;
}

int store_fd(void)
{
    return xs_fileno(store);
}

bool store_watch(const char *path, const char *token)
{
    if (store && xs_watch(store, path, token))
        return true;
    failed();
    return false;
}

void store_unwatch(const char *path, const char *token)
{
    if (store && !xs_unwatch(store, path, token))
        failed();
}

char *store_event(char token[STORE_PATH])
{
    char **event = store ? xs_check_watch(store) : NULL;
    char *path;

    if (!event) {
        if (errno != EAGAIN)
            failed();
        return NULL;
    }
    path = strdup(event[XS_WATCH_PATH]);
    snprintf(token, STORE_PATH, "%s", event[XS_WATCH_TOKEN]);
    free(event);
    return path;
}

static char *read_value(const char *dir, const char *key)
{
    char path[2 * STORE_PATH], *value;

    if (!store)
        return NULL;
    snprintf(path, sizeof(path), "%s/%s", dir, key);
    value = xs_read(store, transaction, path, NULL);
    if (!value)
        failed();
    return value;
}

uint64_t store_number(const char *dir, const char *key, uint64_t otherwise)
{
    char *value = read_value(dir, key), *end;
    unsigned long long n;

    if (!value)
        return otherwise;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (errno || end == value || *end || *value == '-')
        n = otherwise;
    free(value);
    return n;
}

bool store_text(const char *dir, const char *key, char *text, unsigned size)
{
    char *value = read_value(dir, key);

    if (!value)
        return false;
    snprintf(text, size, "%s", value);
    free(value);
    return true;
}

char **store_list(const char *dir, unsigned *n)
{
    char **names = store ? xs_directory(store, XBT_NULL, dir, n) : NULL;

    if (!names) {
        failed();
        *n = 0;
    }
    return names;
}

bool store_exists(const char *dir, const char *key)
{
    char *value = read_value(dir, key);

    free(value);
    return value;
}

void store_begin(void)
{
    transaction = store ? xs_transaction_start(store) : XBT_NULL;
    transaction_failed = transaction == XBT_NULL;
    if (transaction_failed)
        failed();
}

bool store_commit(void)
{
    xs_transaction_t t = transaction;

    transaction = XBT_NULL;
    if (t == XBT_NULL)
        return true; /* no store: nothing that trying again would cure */
    if (xs_transaction_end(store, t, transaction_failed))
        return true;
    if (errno == EAGAIN)
        return false;
    failed();
    return true;
}

void store_put(const char *dir, const char *key, const char *format, ...)
{
    char path[2 * STORE_PATH], value[STORE_PATH];
    va_list args;

    if (!store)
        return;
    snprintf(path, sizeof(path), "%s/%s", dir, key);
    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    if (xs_write(store, transaction, path, value, (unsigned)strlen(value)))
        return;
    log_say(LOG_WARNING, "%s cannot be written: %s", path, strerror(errno));
    transaction_failed = true;
    failed();
}

void store_set_state(const char *dir, int state)
{
    do {
        store_begin();
        if (store_exists(dir, "state"))
            store_put(dir, "state", "%d", state);
    } while (!store_commit());
}
