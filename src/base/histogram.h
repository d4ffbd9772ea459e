/**
 * Log histogram: how long things took, for every request, in a few kilobytes.
 *
 * Counts non-negative int64 values (nanoseconds, by custom) in buckets whose width is at most 1/128 of their lower
 * bound, so any quantile is known to better than 0.4 %, from 1 ns to 292 years. Everything in it is an integer: recording and
 * merging commute, and no result depends on order or threads. The bucketing is that of HdrHistogram (Tene, 2012):
 * every power of two is split into 128.
 *
 * Latencies of one kind span a few powers of two, so the 128 counters of a power come in chunks, taken from a
 * shelf (one array for many histograms) when the first value falls there: 0.5 KiB each instead of 28 KiB for all.
 */
#ifndef ORRERY_BASE_HISTOGRAM_H
#define ORRERY_BASE_HISTOGRAM_H

#include "base/array.h"

enum {
    ORR_HISTOGRAM_SPLIT_BITS = 7,
    ORR_HISTOGRAM_SPLIT = 1 << ORR_HISTOGRAM_SPLIT_BITS,
    ORR_HISTOGRAM_POWERS = 64 - ORR_HISTOGRAM_SPLIT_BITS, /**< the first holds 0..127 singly */
};

/** Chunks of counters. Initialise with orr_shelf_init; free with orr_array_clear(&shelf->chunks). */
typedef struct orr_shelf {
    orr_array chunks; /**< of uint32_t[ORR_HISTOGRAM_SPLIT] */
} orr_shelf;

/** All zeros is an empty histogram. Plain data; the counters are on the shelf. */
typedef struct orr_histogram {
    uint64_t          count;                       /**< invariant: sum of all counters */
    int64_t           largest;                     /**< exact; meaningful while count > 0 */
    unsigned __int128 sum;                         /**< exact, so that the mean carries no rounding */
    uint32_t          chunk[ORR_HISTOGRAM_POWERS]; /**< shelf index plus one; 0: no value in this power yet */
} orr_histogram;

void orr_shelf_init(orr_shelf *shelf);

/** Records `value_ns` (>= 0). False when out of memory; nothing is recorded then. */
bool orr_histogram_record(orr_histogram *histogram, orr_shelf *shelf, int64_t value_ns);

/**
 * Records `times` times each of `count` values: first, first + step, … (step >= 0, in 2^-bits ns). The sum is rounded down once. A counter that is full stays full.
 * False when out of memory.
 */
bool orr_histogram_record_run(orr_histogram *histogram, orr_shelf *shelf, int64_t first, int64_t step, int64_t count, uint32_t times, uint32_t bits);

/** Adds `source` to `histogram`; each has its own shelf. False when out of memory. */
bool orr_histogram_merge(orr_histogram *histogram, orr_shelf *shelf, const orr_histogram *source, const orr_shelf *source_shelf);

/** Adds `times` to the counter of the bucket whose lower bound is `lower_ns`; for reading files. Does not touch sum. False when out of memory. */
bool orr_histogram_add(orr_histogram *histogram, orr_shelf *shelf, int64_t lower_ns, uint32_t times);

/** Sets all counters to zero and keeps their chunks. */
void orr_histogram_reset(orr_histogram *histogram, orr_shelf *shelf);

/**
 * The value at or below which a fraction `q` in [0, 1] of the records lies (nearest rank): the middle of its bucket, or
 * the exact largest for the last rank; -1 when empty.
 */
int64_t orr_histogram_quantile(const orr_histogram *histogram, const orr_shelf *shelf, double q);

/** The exact mean in ns; NaN when empty. */
double orr_histogram_mean(const orr_histogram *histogram);

/** Steps through non-empty buckets: start with *at = 0; returns false at the end. */
bool orr_histogram_next(const orr_histogram *histogram, const orr_shelf *shelf, uint32_t *at, int64_t *lower_ns, uint32_t *count);

/** Upper bound (exclusive) of the bucket that begins at `lower_ns`. */
int64_t orr_histogram_upper(int64_t lower_ns);

#endif
