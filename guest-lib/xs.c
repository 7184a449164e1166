/* SPDX-License-Identifier: MIT */
/* The store's messages, over the two byte rings of its page. */
#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/mm.h>
#include <pvguest/time.h>
#include <pvguest/xs.h>
#include <pvabi/io/xs_wire.h>

#define MAX_PARTS 4

static struct xenstore_domain_interface *page;
static unsigned port;
static uint32_t last_request;
static struct pv_watch *watches;
static char answer[XENSTORE_PAYLOAD_MAX + 1]; /* of the message read last, NUL behind it */

/* A piece of a request. */
struct part {
    const void *data;
    size_t size;
};

/* --- The rings --- */

/* Sleeps until the store's event comes: at once if it came since pv_event_clear. */
static void sleep_until(uint64_t deadline)
{
    evtchn_port_t ports[] = {port};
    struct sched_poll poll = {.nr_ports = 1, .timeout = deadline};

    PV_SET_PTR(poll.ports, ports);
    pv_sched_op(SCHEDOP_poll, &poll);
}

static void send_bytes(const char *s, size_t size)
{
    uint32_t prod = page->req_prod;

    while (size) {
        pv_event_clear(port);
        if (prod - pv_load(&page->req_cons) >= XENSTORE_RING_SIZE) {
            pv_event_send(port);
            sleep_until(0);
            continue;
        }
        page->req[prod++ % XENSTORE_RING_SIZE] = *s++;
        size--;
        pv_barrier(); /* the byte before the index that shows it */
        pv_store(&page->req_prod, prod);
    }
}

static bool bytes_wait(void)
{
    return page->rsp_cons != pv_load(&page->rsp_prod);
}

static void receive_bytes(char *s, size_t size)
{
    uint32_t cons = page->rsp_cons;

    while (size) {
        pv_event_clear(port);
        if (cons == pv_load(&page->rsp_prod)) {
            sleep_until(0);
            continue;
        }
        pv_barrier(); /* the index before the bytes it shows */
        *s++ = page->rsp[cons++ % XENSTORE_RING_SIZE];
        size--;
        pv_barrier();
        pv_store(&page->rsp_cons, cons);
        if (!size || cons == pv_load(&page->rsp_prod))
            pv_event_send(port); /* the store may be waiting for room */
    }
}

/* --- Messages --- */

/* A watch's token is its address. */
static void mark_fired(void)
{
    const char *token = answer + strlen(answer) + 1;
    uint64_t wanted = 0;

    for (; *token; token++)
        wanted = wanted << 4 | (*token <= '9' ? *token - '0' : *token - 'a' + 10);
    for (struct pv_watch *w = watches; w; w = w->next)
        if ((uint64_t)w == wanted)
            w->fired = true;
}

/* The next message into `answer`. False: it was an event, and has been noted. */
static bool receive(struct xsd_sockmsg *head)
{
    receive_bytes((char *)head, sizeof(*head));
    if (head->len > XENSTORE_PAYLOAD_MAX) {
        pv_printf("pvguest: the store sent %u bytes in one message\n", head->len);
        pv_shutdown(SHUTDOWN_crash);
    }
    receive_bytes(answer, head->len);
    answer[head->len] = 0;
    if (head->type != XS_WATCH_EVENT)
        return true;
    mark_fired();
    return false;
}

static long error_number(void)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
        {"ENOENT", XEN_ENOENT}, {"EACCES", XEN_EACCES}, {"EAGAIN", XEN_EAGAIN},
        {"EEXIST", XEN_EEXIST}, {"ENOSPC", XEN_ENOSPC}, {"ENOMEM", XEN_ENOMEM},
        {"EBUSY", XEN_EBUSY},   {"EPERM", XEN_EPERM},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(errors); i++)
        if (!strcmp(answer, errors[i].name))
            return -errors[i].number;
    return -XEN_EINVAL;
}

/* Sends a request, waits for its answer; the answer's length. */
static long request(unsigned type, uint32_t tx, const struct part *parts, unsigned count)
{
    struct xsd_sockmsg head = {.type = type, .req_id = ++last_request, .tx_id = tx};
    bool were_off;

    if (!page)
        return -XEN_ENODEV;
    for (unsigned i = 0; i < count; i++)
        head.len += parts[i].size;
    if (head.len > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    were_off = pv_events_off();
    send_bytes((const char *)&head, sizeof(head));
    for (unsigned i = 0; i < count; i++)
        send_bytes(parts[i].data, parts[i].size);
    pv_event_send(port);
    while (!receive(&head) || head.req_id != last_request)
        ;
    if (!were_off)
        pv_events_on();
    return head.type == XS_ERROR ? error_number() : (long)head.len;
}

/* --- Requests --- */

/* "dir/key" as the first part, NUL included if the operation wants it. */
static size_t join(char path[PV_XS_PATH], const char *dir, const char *key)
{
    size_t d = strlen(dir), k = key ? strlen(key) : 0;

    if (d + k + 2 > PV_XS_PATH)
        d = k = 0; /* an empty path is refused */
    memcpy(path, dir, d);
    if (k) {
        path[d++] = '/';
        memcpy(path + d, key, k);
    }
    path[d + k] = 0;
    return d + k + 1;
}

static long simple(unsigned type, uint32_t tx, const char *dir, const char *key)
{
    char path[PV_XS_PATH];
    struct part p = {path, join(path, dir, key)};

    return request(type, tx, &p, 1);
}

static long copy_answer(long length, char *buf, size_t size)
{
    if (length < 0)
        return length;
    if ((size_t)length >= size)
        return -XEN_E2BIG;
    memcpy(buf, answer, length + 1);
    return length;
}

long pv_xs_read(uint32_t tx, const char *dir, const char *key, char *buf, size_t size)
{
    return copy_answer(simple(XS_READ, tx, dir, key), buf, size);
}

long pv_xs_list(uint32_t tx, const char *dir, char *buf, size_t size)
{
    return copy_answer(simple(XS_DIRECTORY, tx, dir, NULL), buf, size);
}

uint64_t pv_xs_read_number(const char *dir, const char *key, uint64_t otherwise)
{
    char text[24];
    const char *s = text;
    uint64_t v = 0;

    if (pv_xs_read(0, dir, key, text, sizeof(text)) <= 0)
        return otherwise;
    for (; *s >= '0' && *s <= '9'; s++)
        v = v * 10 + *s - '0';
    return s == text || *s ? otherwise : v;
}

long pv_xs_write(uint32_t tx, const char *dir, const char *key, const char *value)
{
    char path[PV_XS_PATH];
    struct part p[2] = {{path, join(path, dir, key)}, {value, strlen(value)}};
    long n = request(XS_WRITE, tx, p, 2);

    return n < 0 ? n : 0;
}

/* In `base` 10 or 16; the first digit within `text`. */
static const char *digits(char text[24], uint64_t v, unsigned base)
{
    char *s = text + 23;

    *s = 0;
    do
        *--s = "0123456789abcdef"[v % base];
    while (v /= base);
    return s;
}

long pv_xs_write_number(uint32_t tx, const char *dir, const char *key, uint64_t value)
{
    char text[24];

    return pv_xs_write(tx, dir, key, digits(text, value, 10));
}

long pv_xs_remove(uint32_t tx, const char *dir, const char *key)
{
    long n = simple(XS_RM, tx, dir, key);

    return n < 0 ? n : 0;
}

long pv_xs_begin(uint32_t *tx)
{
    struct part p = {"", 1};
    long n = request(XS_TRANSACTION_START, 0, &p, 1);

    *tx = 0;
    for (const char *s = answer; n >= 0 && *s; s++)
        *tx = *tx * 10 + *s - '0';
    return n < 0 ? n : 0;
}

long pv_xs_end(uint32_t tx, bool commit)
{
    struct part p = {commit ? "T" : "F", 2};
    long n = request(XS_TRANSACTION_END, tx, &p, 1);

    return n < 0 ? n : 0;
}

/* --- Watches --- */

static long watch_request(unsigned type, const struct pv_watch *w)
{
    char text[24];
    const char *token = digits(text, (uint64_t)w, 16);
    struct part p[2] = {{w->path, strlen(w->path) + 1}, {token, strlen(token) + 1}};
    long n = request(type, 0, p, 2);

    return n < 0 ? n : 0;
}

long pv_xs_watch(struct pv_watch *w)
{
    long error;

    w->fired = false;
    w->next = watches;
    watches = w; /* before the answer: the first event may precede it */
    error = watch_request(XS_WATCH, w);
    if (error)
        watches = w->next;
    return error;
}

long pv_xs_unwatch(struct pv_watch *w)
{
    struct pv_watch **at = &watches;

    while (*at && *at != w)
        at = &(*at)->next;
    if (!*at)
        return -XEN_ENOENT;
    *at = w->next;
    return watch_request(XS_UNWATCH, w);
}

/* Takes in what the store has sent, calls those whose watches fired. */
static bool dispatch(void)
{
    struct xsd_sockmsg head;
    struct pv_watch *w;
    bool any = false;

    while (bytes_wait())
        receive(&head);
    do {
        for (w = watches; w && !w->fired; w = w->next)
            ;
        if (w) {
            any = true;
            w->fired = false;
            w->changed(w); /* may change the list */
        }
    } while (w);
    return any;
}

bool pv_xs_wait(uint64_t deadline)
{
    bool were_off = pv_events_off(), any;

    for (;;) {
        pv_event_clear(port);
        any = dispatch();
        if (any || pv_time() >= deadline)
            break;
        sleep_until(deadline);
    }
    if (!were_off)
        pv_events_on();
    return any;
}

static void on_event(unsigned p)
{
    (void)p;
    dispatch();
}

long pv_xs_init(void)
{
    if (page)
        return 0;
    if (!pv_start_info->store_evtchn || !pv_start_info->store_mfn)
        return -XEN_ENODEV;
    page = pv_mfn_to_va(pv_start_info->store_mfn);
    port = pv_start_info->store_evtchn;
    pv_event_set(port, on_event);
    pv_event_unmask(port);
    return 0;
}
