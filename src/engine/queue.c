#include "engine/queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Chosen by measurement (bench_queue). A bucket of at most SORTED events goes to the bottom as it is. A bucket is divided by its events'
 * number over DIVIDED, so that some few lie in each; what has no end fills up further and is divided by FILLING times their number. */
enum { BLOCK_EVENTS = 10, BUCKETS = 1024, SORTED = 20, DIVIDED = 6, DIVIDED_LEAST = 16, FILLING = 4, FILLING_LEAST = 64, CHUNK_FIRST = 16, CHUNK_MOST = 8192 };

typedef unsigned __int128 order;

static const order ORDER_MOST = ~(order)0;

/* 256 bytes: four cache lines. */
struct orr_event_block {
    orr_event_block *next;
    orr_event        event[BLOCK_EVENTS];
    uint64_t         padding;
};

_Static_assert(sizeof(orr_event_block) == 256, "blocks fill cache lines");

/* Events in no order: a list of blocks, of which all but the newest are full. */
typedef struct bucket {
    orr_event_block *newest;
    uint32_t         count, fill; /* events; of them in the newest block */
} bucket;

/* Bucket i begins at start + (i << shift) and ends where the next one begins, the last one at `end`. Those before `current` are empty
 * and stay so: their events would be in the bottom, or in a finer rung. */
struct orr_rung {
    order    start, end;
    uint32_t shift, buckets, current;
    bucket   bucket[BUCKETS];
};

typedef struct chunk {
    struct chunk *older;
    size_t        padding[7];
    orr_event_block block[];
} chunk;

void orr_queue_init(orr_queue *queue)
{
    *queue = (orr_queue){.bottom_end = ORDER_MOST, .chunk_blocks = CHUNK_FIRST};
}

void orr_queue_destroy(orr_queue *queue)
{
    for (uint32_t i = 0; i < ORR_QUEUE_RUNGS; i++)
        free(queue->rung[i]);
    for (chunk *c = queue->chunks, *older; c != NULL; c = older) {
        older = c->older;
        free(c);
    }
    orr_queue_init(queue);
}

/* Chunks double up to 2 MB, which then are huge pages. */
static bool add_chunk(orr_queue *q)
{
    size_t blocks = q->chunk_blocks, bytes = blocks * sizeof(orr_event_block);
    bool huge = blocks == CHUNK_MOST;
    chunk *c = aligned_alloc(huge ? bytes : 64, bytes);
    if (c == NULL)
        return false;
    if (huge)
        madvise(c, bytes, MADV_HUGEPAGE); /* advice: nothing depends on it */
    c->older = q->chunks;
    q->chunks = c;
    size_t head = (sizeof(chunk) + sizeof(orr_event_block) - 1) / sizeof(orr_event_block);
    for (size_t i = blocks - head; i-- > 0;) {
        c->block[i].next = q->unused;
        q->unused = &c->block[i];
    }
    if (!huge)
        q->chunk_blocks *= 2;
    return true;
}

/* Gives a bucket one more block. False when out of memory. */
static __attribute__((noinline)) bool add_block(orr_queue *q, bucket *b)
{
    if (q->unused == NULL && !add_chunk(q)) {
        q->out_of_memory = true;
        return false;
    }
    orr_event_block *block = q->unused;
    q->unused = block->next;
    block->next = b->newest;
    b->newest = block;
    b->fill = 0;
    return true;
}

static inline bool append(orr_queue *q, bucket *b, const orr_event *event)
{
    if (b->fill == BLOCK_EVENTS && !add_block(q, b))
        return false;
    b->newest->event[b->fill++] = *event;
    b->count++;
    return true;
}

static inline bool append_to_rung(orr_queue *q, orr_rung *r, const orr_event *event)
{
    order i = (orr_event_order(event) - r->start) >> r->shift;
    return append(q, &r->bucket[i < r->buckets ? (uint32_t)i : r->buckets - 1], event);
}

/* Empties a bucket and returns what it was, to be read block by block. */
static bucket take(bucket *b)
{
    bucket taken = *b;
    *b = (bucket){.fill = BLOCK_EVENTS};
    return taken;
}

static void prefetch(const orr_event_block *block)
{
    if (block != NULL)
        for (int line = 0; line < 4; line++)
            __builtin_prefetch((const char *)block + 64 * line);
}

/* Gives the block that has been read back, and goes on to the next one. */
static void drop_block(orr_queue *q, bucket *taken)
{
    orr_event_block *block = taken->newest;
    taken->newest = block->next;
    taken->fill = BLOCK_EVENTS;
    block->next = q->unused;
    q->unused = block;
}

static void find_span(bucket b, order *first, order *last)
{
    *first = ORDER_MOST;
    *last = 0;
    for (; b.newest != NULL; b.newest = b.newest->next, b.fill = BLOCK_EVENTS) {
        prefetch(b.newest->next);
        for (uint32_t i = 0; i < b.fill; i++) {
            order o = orr_event_order(&b.newest->event[i]);
            *first = o < *first ? o : *first;
            *last = o > *last ? o : *last;
        }
    }
}

static uint32_t bit_length(order o)
{
    uint64_t high = (uint64_t)(o >> 64), low = (uint64_t)o;
    return high != 0 ? 128 - (uint32_t)__builtin_clzll(high) : low != 0 ? 64 - (uint32_t)__builtin_clzll(low) : 0;
}

/* A finest rung from `start` to `end`, empty, made for `count` events up to `last`; what comes before `start` is the bottom's. NULL when out
 * of memory. A rung that has nothing left but the bucket that this one divides gives way. */
static orr_rung *add_rung(orr_queue *q, order start, order last, order end, uint32_t count)
{
    orr_rung *above = q->rungs > 0 ? q->rung[q->rungs - 1] : NULL;
    if (above != NULL && above->current == above->buckets - 1 && above->bucket[above->current].count == 0)
        q->rungs--;
    assert(q->rungs < ORR_QUEUE_RUNGS);
    orr_rung *r = q->rung[q->rungs];
    if (r == NULL && (r = q->rung[q->rungs] = malloc(sizeof *r)) == NULL) {
        q->out_of_memory = true;
        return NULL;
    }
    uint64_t goal = end == ORDER_MOST ? FILLING * (uint64_t)count : count / DIVIDED;
    uint32_t wanted = end == ORDER_MOST ? FILLING_LEAST : DIVIDED_LEAST;
    while (wanted < goal && wanted < BUCKETS)
        wanted *= 2;
    uint32_t bits = bit_length(last - start), most = bit_length(wanted - 1);
    r->shift = bits > most ? bits - most : 0;
    r->start = start;
    r->end = end;
    r->buckets = (uint32_t)((last - start) >> r->shift) + 1;
    r->current = 0;
    for (uint32_t i = 0; i < r->buckets; i++)
        r->bucket[i] = (bucket){.fill = BLOCK_EVENTS};
    q->rungs++;
    q->bottom_end = start;
    return r;
}

/* A rung in place of the bucket that `from` was taken from. */
static bool split(orr_queue *q, bucket from, order end)
{
    order first, last;
    find_span(from, &first, &last);
    orr_rung *r = add_rung(q, first, last, end, from.count);
    if (r == NULL)
        return false;
    for (; from.newest != NULL; drop_block(q, &from)) {
        prefetch(from.newest->next);
        for (uint32_t i = 0; i < from.fill; i++)
            if (!append_to_rung(q, r, &from.newest->event[i]))
                return false;
    }
    return true;
}

/* At most SORTED events to the empty bottom, sorted by counting for each how many come before it: no branch depends on them. */
static void sort_to_bottom(orr_queue *q, bucket from)
{
    uint32_t n = 0, rank[SORTED] = {0};
    order o[SORTED];
    orr_event event[SORTED];
    for (; from.newest != NULL; drop_block(q, &from))
        for (uint32_t i = 0; i < from.fill; i++, n++) {
            event[n] = from.newest->event[i];
            o[n] = orr_event_order(&event[n]);
            for (uint32_t k = 0; k < n; k++) {
                uint32_t later = o[k] < o[n];
                rank[n] += later;
                rank[k] += 1 - later;
            }
        }
    for (uint32_t i = 0; i < n; i++)
        q->bottom[n - 1 - rank[i]] = event[i];
    q->bottom_count = n;
}

/* All events that are to be kept, newly divided by one rung. */
bool orr_queue_filter(orr_queue *q, bool (*keep)(void *context, const orr_event *event), void *context)
{
    bucket all = {.fill = BLOCK_EVENTS};
    for (uint32_t i = 0; i < q->bottom_count; i++)
        if (keep(context, &q->bottom[i]) && !append(q, &all, &q->bottom[i]))
            return false;
    for (uint32_t i = 0; i < q->rungs; i++)
        for (uint32_t k = q->rung[i]->current; k < q->rung[i]->buckets; k++)
            for (bucket from = take(&q->rung[i]->bucket[k]); from.newest != NULL; drop_block(q, &from))
                for (uint32_t e = 0; e < from.fill; e++)
                    if (keep(context, &from.newest->event[e]) && !append(q, &all, &from.newest->event[e]))
                        return false;
    q->bottom_count = q->rungs = 0;
    q->bottom_end = ORDER_MOST;
    q->count = all.count;
    return all.count == 0 || split(q, all, ORDER_MOST);
}

static bool keep_all(void *context, const orr_event *event)
{
    (void)context, (void)event;
    return true;
}

/* For rungs that nest too deep, which takes events pushed, again and again, before all that were looked at. */
static bool flatten(orr_queue *q) { return orr_queue_filter(q, keep_all, NULL); }

bool orr_queue_refill(orr_queue *q)
{
    assert(q->bottom_count == 0 && q->count > 0);
    while (q->bottom_count == 0) {
        assert(q->rungs > 0);
        orr_rung *r = q->rung[q->rungs - 1];
        while (r->current < r->buckets && r->bucket[r->current].count == 0)
            r->current++;
        if (r->current == r->buckets) {
            q->rungs--;
            continue;
        }
        bool last = r->current + 1 == r->buckets;
        order end = last ? r->end : r->start + ((order)(r->current + 1) << r->shift);
        bucket from = take(&r->bucket[r->current]);
        if (from.count <= SORTED) {
            sort_to_bottom(q, from);
            q->bottom_end = end;
        } else if (q->rungs == ORR_QUEUE_RUNGS && !last) {
            r->bucket[r->current] = from;
            if (!flatten(q))
                return false;
        } else if (!split(q, from, end)) {
            return false;
        }
    }
    return true;
}

/* A rung in place of the bottom, which is full. */
static bool spill(orr_queue *q)
{
    if (q->rungs == ORR_QUEUE_RUNGS)
        return flatten(q);
    order start = (order)(uint64_t)q->now << 64;
    orr_rung *r = add_rung(q, start, orr_event_order(&q->bottom[0]), q->bottom_end, q->bottom_count);
    for (uint32_t i = 0; i < q->bottom_count; i++)
        if (r == NULL || !append_to_rung(q, r, &q->bottom[i]))
            return false;
    q->bottom_count = 0;
    return true;
}

bool orr_queue_push(orr_queue *q, int64_t time, uint64_t key, uint32_t target, uint32_t handle)
{
    assert(time >= q->now);
    orr_event event = {time, key, target, handle};
    order o = orr_event_order(&event);
    q->count++;
    if (o >= q->bottom_end) {
        uint32_t i = q->rungs - 1;
        while (o >= q->rung[i]->end)
            i--;
        return append_to_rung(q, q->rung[i], &event);
    }
    uint32_t hole = q->bottom_count++;
    for (; hole > 0 && orr_event_order(&q->bottom[hole - 1]) < o; hole--)
        q->bottom[hole] = q->bottom[hole - 1];
    q->bottom[hole] = event;
    return q->bottom_count <= ORR_QUEUE_BOTTOM || spill(q);
}

void orr_queue_each(const orr_queue *q, void (*visit)(void *context, const orr_event *event), void *context)
{
    for (uint32_t i = 0; i < q->bottom_count; i++)
        visit(context, &q->bottom[i]);
    for (uint32_t i = 0; i < q->rungs; i++)
        for (uint32_t k = q->rung[i]->current; k < q->rung[i]->buckets; k++)
            for (bucket b = q->rung[i]->bucket[k]; b.newest != NULL; b.newest = b.newest->next, b.fill = BLOCK_EVENTS)
                for (uint32_t e = 0; e < b.fill; e++)
                    visit(context, &b.newest->event[e]);
}
