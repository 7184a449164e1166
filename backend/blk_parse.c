/* SPDX-License-Identifier: MIT */
/* Validation of block requests. All input is a private copy. */
#include "blk_ring.h"

unsigned blk_raw_segments(const struct blkif_request *raw)
{
    switch (raw->operation) {
    case BLKIF_OP_INDIRECT:
        return ((const struct blkif_request_indirect *)raw)->nr_segments;
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE:
    case BLKIF_OP_WRITE_BARRIER:
    case BLKIF_OP_FLUSH_DISKCACHE:
        return raw->nr_segments;
    default:
        return 0;
    }
}

static bool refuse(struct blk_request *q, int16_t status)
{
    q->status = status;
    return false;
}

/* The disk holds sectors first to first + n - 1, and they are whole blocks of it. */
static bool on_disk(const struct blk_limits *limits, uint64_t first, uint64_t n)
{
    return n <= limits->sectors && first <= limits->sectors - n && first % limits->align == 0 &&
           n % limits->align == 0;
}

bool blk_parse_segments(struct blk_request *q, const struct blkif_request_segment *segment,
                        unsigned n)
{
    unsigned align = q->ring->limits->align;

    q->sectors = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned first = segment[i].first_sect, last = segment[i].last_sect;

        if (first > last || last >= PAGE_BYTES / BLK_SECTOR || first % align || (last + 1) % align)
            return refuse(q, BLKIF_RSP_ERROR);
        q->segment[i] = (struct blk_segment){segment[i].gref, (uint8_t)first, (uint8_t)last, NULL};
        q->sectors += last - first + 1;
    }
    if (!on_disk(q->ring->limits, q->sector, q->sectors))
        return refuse(q, BLKIF_RSP_ERROR);
    q->segments = n; /* not before: a refused request has none to give back */
    return true;
}

static bool parse_discard(struct blk_request *q, const struct blkif_request_discard *raw)
{
    const struct blk_limits *limits = q->ring->limits;

    q->kind = BLK_DISCARD;
    q->data = true;
    q->sector = raw->sector_number;
    q->sectors = raw->nr_sectors;
    if (!limits->discard || (raw->flag & BLKIF_DISCARD_SECURE))
        return refuse(q, BLKIF_RSP_EOPNOTSUPP);
    if (limits->read_only || !raw->nr_sectors || raw->nr_sectors > BLK_DISCARD_MAX ||
        !on_disk(limits, q->sector, q->sectors))
        return refuse(q, BLKIF_RSP_ERROR);
    return true;
}

/* The segments themselves come later, when their pages were fetched. */
static bool parse_indirect(struct blk_request *q, const struct blkif_request_indirect *raw)
{
    q->operation = raw->indirect_op;
    q->sector = raw->sector_number;
    q->data = true;
    if (raw->indirect_op != BLKIF_OP_READ && raw->indirect_op != BLKIF_OP_WRITE)
        return refuse(q, BLKIF_RSP_ERROR);
    q->kind = raw->indirect_op == BLKIF_OP_READ ? BLK_READ : BLK_WRITE;
    if (!raw->nr_segments || raw->nr_segments > BLK_SEGMENTS_MAX)
        return refuse(q, BLKIF_RSP_ERROR);
    if (q->kind == BLK_WRITE && q->ring->limits->read_only)
        return refuse(q, BLKIF_RSP_ERROR);
    return true;
}

static bool parse_direct(struct blk_request *q, const struct blkif_request *raw)
{
    bool flush = raw->operation == BLKIF_OP_FLUSH_DISKCACHE;
    bool barrier = raw->operation == BLKIF_OP_WRITE_BARRIER;

    q->kind = raw->operation == BLKIF_OP_READ ? BLK_READ : BLK_WRITE;
    q->flush_before = flush || barrier;
    q->data = raw->nr_segments;
    q->flush_after = barrier && q->data;
    q->sector = raw->sector_number;
    if (!q->data)
        return q->flush_before || refuse(q, BLKIF_RSP_ERROR);
    if (raw->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
        return refuse(q, BLKIF_RSP_ERROR);
    if (q->kind == BLK_WRITE && q->ring->limits->read_only)
        return refuse(q, BLKIF_RSP_ERROR);
    return blk_parse_segments(q, raw->seg, raw->nr_segments);
}

bool blk_parse(struct blk_request *q, const struct blkif_request *raw)
{
    q->operation = raw->operation;
    q->id = raw->id;
    q->status = BLKIF_RSP_OKAY;
    q->flush_before = q->flush_after = q->data = false;
    q->segments = 0;
    q->sectors = 0;
    switch (raw->operation) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE:
    case BLKIF_OP_WRITE_BARRIER:
    case BLKIF_OP_FLUSH_DISKCACHE:
        return parse_direct(q, raw);
    case BLKIF_OP_DISCARD:
        return parse_discard(q, (const struct blkif_request_discard *)raw);
    case BLKIF_OP_INDIRECT:
        return parse_indirect(q, (const struct blkif_request_indirect *)raw);
    default:
        return refuse(q, BLKIF_RSP_EOPNOTSUPP);
    }
}
