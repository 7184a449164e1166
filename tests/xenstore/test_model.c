/* SPDX-License-Identifier: MIT */
/* Random requests of three domains, compared with the model. Now and then the store's process
 * "dies", and another one reads the journal. OPS=n SEED=n */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../xenstore-lite/journal.h"
#include "../../xenstore-lite/restore.h"
#include "model.h"

static char path_text[PATHS][24];
static uint64_t seed, random_state;
static long op_number;
static char journal_file[] = "/tmp/xs-model-XXXXXX";

static unsigned dice(unsigned n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((random_state >> 33) % n);
}

#define agree(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "SEED=%llu, operation %ld: ", (unsigned long long)seed, op_number);    \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- Requests --- */

static struct model_txn *some_txn(struct model_client *c)
{
    struct model_txn *t = &c->txn[dice(TXNS)];

    return t->id && dice(2) ? t : NULL;
}

static void answered(struct model_client *c, unsigned type, const struct model_txn *t,
                     const void *data, size_t len, const char *answer, size_t answer_len)
{
    struct message m;

    ask(&c->link, type, t ? t->id : 0, data, len, &m);
    agree(m.len == answer_len && !memcmp(m.data, answer, answer_len),
          "type %u on '%s' by %u%s: '%s' instead of '%s'", type, (const char *)data,
          c->link.conn->domid, t ? " in a transaction" : "", m.data, answer);
}

static void answered_text(struct model_client *c, unsigned type, const struct model_txn *t,
                          const void *data, size_t len, const char *answer)
{
    answered(c, type, t, data, len, answer, strlen(answer) + 1);
}

static void note_read(struct model_txn *t, unsigned domid, unsigned p, bool value, bool perms,
                      bool children)
{
    const struct entry *then = &t->base[p], *e = &t->now[p];
    struct touched *u = &t->touched[p];
    bool own = e->exists && (!then->exists || then->born != e->born);

    if (!e->exists) {
        u->read_exists = true;
        return;
    }
    value &= !own && e->value_set == then->value_set;
    children &= !own && e->children_set == then->children_set;
    perms |= domid != 0;
    perms &= !own && e->perms_set == then->perms_set;
    u->read_value |= value;
    u->read_perms |= perms;
    u->read_children |= children;
    u->read_exists |= value || perms || children;
}

static void do_read(struct model_client *c, unsigned domid, unsigned p)
{
    struct model_txn *t = some_txn(c);
    struct entry *tree = t ? t->now : table;
    const char *error = model_judge(tree, domid, p, PERM_READ);
    size_t len = strlen(path_text[p]) + 1, n = 0;
    char names[16];

    if (dice(2)) {
        if (t)
            note_read(t, domid, p, true, false, false);
        answered(c, XS_READ, t, path_text[p], len, error ? error : tree[p].value,
                 error ? strlen(error) + 1 : strlen(tree[p].value));
        return;
    }
    if (t)
        note_read(t, domid, p, false, false, true);
    for (unsigned i = 3 * p + 1; i <= 3 * p + 3 && i < PATHS; i++)
        if (tree[i].exists) {
            names[n++] = path_text[i][strlen(path_text[i]) - 1];
            names[n++] = 0;
        }
    answered(c, XS_DIRECTORY, t, path_text[p], len, error ? error : names,
             error ? strlen(error) + 1 : n);
}

static void do_write(struct model_client *c, unsigned domid, unsigned p)
{
    struct model_txn *t = some_txn(c);
    struct entry *tree = t ? t->now : table;
    static struct entry before[PATHS];
    int top = model_nearest(tree, p);
    bool mkdir = dice(4) == 0,
         good = top >= 0 ? model_allowed(domid, &tree[top], PERM_WRITE) : !domid;
    char text[48];
    size_t len;

    memcpy(before, tree, sizeof(before));
    len = strlen(path_text[p]) + 1;
    memcpy(text, path_text[p], len);
    if (!mkdir)
        len += (size_t)snprintf(text + len, VALUE, "%u", dice(100000));
    if (good && !(mkdir && top == (int)p)) {
        if (top != (int)p)
            model_create(tree, domid, p);
        if (!mkdir) {
            strcpy(tree[p].value, text + strlen(text) + 1);
            tree[p].value_set = ++now;
        }
        if (t) {
            t->touched[p].created |= top != (int)p;
            t->touched[p].wrote |= !mkdir;
        } else {
            model_want(before, table, p, false);
        }
    }
    text[len] = 0;
    answered_text(c, mkdir ? XS_MKDIR : XS_WRITE, t, text, len, good ? "OK" : "EACCES");
}

static void do_remove(struct model_client *c, unsigned domid, unsigned p)
{
    struct model_txn *t = some_txn(c);
    struct entry *tree = t ? t->now : table;
    const char *error = model_judge(tree, domid, p, PERM_WRITE);
    static struct entry before[PATHS];

    if (!error) {
        memcpy(before, tree, sizeof(before));
        model_remove(tree, p);
        if (t)
            t->touched[p].removed = true;
        else
            model_want_removal(before, table, p);
    } else if (!strcmp(error, "ENOENT") && (model_parent(p) < 0 || tree[model_parent(p)].exists)) {
        error = NULL;
    }
    answered_text(c, XS_RM, t, path_text[p], strlen(path_text[p]) + 1, error ? error : "OK");
}

static void do_perms(struct model_client *c, unsigned domid, unsigned p)
{
    struct model_txn *t = some_txn(c);
    struct entry *tree = t ? t->now : table;
    static const char letter[] = "nrwb";
    const char *error = model_judge(tree, domid, p, PERM_WRITE);
    static struct entry before[PATHS];
    struct perm perm[3];
    unsigned n = 1 + dice(3);
    char text[64];
    size_t len = strlen(path_text[p]) + 1;

    memcpy(text, path_text[p], len);
    for (unsigned i = 0; i < n; i++) {
        perm[i] = (struct perm){(uint16_t)dice(CLIENTS), (uint16_t)dice(4)};
        len += (size_t)sprintf(text + len, "%c%u", letter[perm[i].access], perm[i].domid) + 1;
    }
    if (!error && domid && tree[p].perm[0].domid != domid)
        error = "EACCES";
    if (!error && domid && perm[0].domid != domid)
        error = "EPERM";
    if (!error) {
        memcpy(before, tree, sizeof(before));
        memcpy(tree[p].perm, perm, sizeof(perm));
        tree[p].perms = n;
        tree[p].perms_set = ++now;
        if (t)
            t->touched[p].set_perms = true;
        else
            model_want(before, table, p, false);
    }
    answered_text(c, XS_SET_PERMS, t, text, len, error ? error : "OK");
}

static void do_txn(struct model_client *c, unsigned domid)
{
    struct model_txn *t = &c->txn[dice(TXNS)];
    const char *answer = "OK";
    bool commit = dice(4);
    struct message m;

    if (!t->id) {
        memset(t, 0, sizeof(*t));
        t->id = begin(&c->link);
        memcpy(t->base, table, sizeof(table));
        memcpy(t->now, table, sizeof(table));
        return;
    }
    if (commit && t->resumed && model_conflict(t)) {
        ask(&c->link, XS_TRANSACTION_END, t->id, "T", 2, &m);
        if (m.type != XS_ERROR)
            model_commit(t, domid);
    } else {
        if (commit)
            answer = model_commit(t, domid);
        answered_text(c, XS_TRANSACTION_END, t, commit ? "T" : "F", 2, answer);
    }
    t->id = 0;
}

static void do_watch(struct model_client *c, unsigned p)
{
    unsigned w = dice(WATCHES);
    char text[48];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s%c%u",
                                  path_text[c->watch[w].used ? c->watch[w].path : p], 0, w) +
                 1;

    if (c->watch[w].used) {
        c->watch[w].used = false;
        answered_text(c, XS_UNWATCH, NULL, text, len, "OK");
        return;
    }
    c->watch[w].used = true;
    c->watch[w].path = p;
    wanted[c - client][w][p]++;
    answered_text(c, XS_WATCH, NULL, text, len, "OK");
}

/* --- Comparing --- */

static void compare_events(void)
{
    struct message m;
    unsigned w, p;

    conn_settle_all(&store);
    for (unsigned c = 0; c < CLIENTS; c++)
        while (client_event(&client[c].link, &m)) {
            w = (unsigned)atoi(m.data + strlen(m.data) + 1);
            for (p = 0; p < PATHS && strcmp(path_text[p], m.data); p++)
                ;
            agree(w < WATCHES && p < PATHS && wanted[c][w][p],
                  "client %u is told of %s by watch %u, which is none of its business", c, m.data,
                  w);
            wanted[c][w][p]--;
        }
    for (unsigned c = 0; c < CLIENTS; c++)
        for (w = 0; w < WATCHES; w++)
            for (p = 0; p < PATHS; p++)
                agree(!wanted[c][w][p], "client %u is not told of %s by watch %u", c, path_text[p],
                      w);
}

static void compare_trees(void)
{
    struct message m;

    for (unsigned p = 0; p < PATHS; p++) {
        ask(&client[0].link, XS_READ, 0, path_text[p], strlen(path_text[p]) + 1, &m);
        agree(table[p].exists == (m.type == XS_READ), "%s: %s", path_text[p], m.data);
        agree(!table[p].exists || !strcmp(m.data, table[p].value), "%s is '%s', not '%s'",
              path_text[p], m.data, table[p].value);
    }
    audit();
}

/* --- Another process goes on --- */

static uint32_t ids[CLIENTS];

static struct conn *adopt(struct store *s, uint32_t id)
{
    (void)s;
    for (unsigned c = 0; c < CLIENTS; c++)
        if (ids[c] == id) {
            client_reopen(&client[c].link, c);
            return client[c].link.conn;
        }
    return NULL;
}

static void die_and_go_on(void)
{
    struct journal *j;
    const char *records;
    struct txn *t;
    size_t len;

    for (unsigned c = 0; c < CLIENTS; c++)
        ids[c] = client[c].link.conn->id;
    journal_close(&store);
    store_free(&store);
    store_init(&store);
    j = journal_open(journal_file, "this boot");
    agree(j, "no journal");
    records = journal_records(j, &len);
    agree(restore_store(&store, adopt, records, len), "the journal is bad");
    journal_start(&store, j);
    for (unsigned c = 0; c < CLIENTS; c++)
        for (unsigned i = 0; i < TXNS; i++) {
            struct model_txn *m = &client[c].txn[i];

            t = m->id ? txn_find(client[c].link.conn, m->id) : NULL;
            agree(!m->id || t, "transaction %u of client %u is lost", m->id, c);
            m->doomed |= m->id && t->doomed;
            m->resumed = true;
        }
}

static void one_operation(void)
{
    unsigned domid = dice(CLIENTS), p = dice(4) ? dice(PATHS) : dice(4);
    struct model_client *c = &client[domid];

    switch (dice(16)) {
    case 0 ... 3:
        do_read(c, domid, p);
        break;
    case 4 ... 8:
        do_write(c, domid, p);
        break;
    case 9:
        do_remove(c, domid, dice(3) ? p : PATHS - 1 - dice(27));
        break;
    case 10 ... 11:
        do_perms(c, domid, p);
        break;
    case 12 ... 13:
        do_txn(c, domid);
        break;
    case 14:
        do_watch(c, p);
        break;
    default:
        if (!dice(20))
            die_and_go_on();
    }
}

int main(void)
{
    const char *ops = getenv("OPS"), *first = getenv("SEED");
    long n = ops ? atol(ops) : 60000;
    struct journal *j;

    seed = first ? strtoull(first, NULL, 10) : 1;
    random_state = seed * 0x9e3779b97f4a7c15ull;
    for (unsigned p = 0; p < PATHS; p++)
        sprintf(path_text[p], "%s/%c", p ? path_text[model_parent(p)] : "",
                p ? "abc"[(p - 1) % 3] : 't');
    close(mkstemp(journal_file));
    harness_start();
    for (unsigned q = 0; q < QUOTA_COUNT; q++)
        store.quota[q] = 1 << 30;
    for (unsigned c = 0; c < CLIENTS; c++)
        client_open(&client[c].link, c);
    j = journal_open(journal_file, "this boot");
    journal_start(&store, j);
    for (op_number = 0; op_number < n; op_number++) {
        one_operation();
        compare_events();
        if (op_number % 64 == 0)
            compare_trees();
    }
    compare_trees();
    journal_close(&store);
    for (unsigned c = 0; c < CLIENTS; c++)
        client_close(&client[c].link);
    harness_stop();
    unlink(journal_file);
    printf("%ld operations, seed %llu\n1 passed, 0 failed\n", n, (unsigned long long)seed);
    return 0;
}
