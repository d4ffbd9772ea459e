/**
 * Random: every draw has an address, (seed, stream, entity, counter), and the same address gives the same bits.
 *
 * There is no generator whose state could be shared: a draw is Philox4x32-10 (Salmon et al., SC 2011; Random123)
 * applied to its address. Two runs that ask at the same address agree, whatever else they do, in any order and on any number of
 * threads. For distributions that take an unknown number of bits an address opens a stream of its own, readable
 * through GSL (`orr_random_gsl`), so that every gsl_ran_* works on it.
 */
#ifndef ORRERY_BASE_RANDOM_H
#define ORRERY_BASE_RANDOM_H

#include <gsl/gsl_rng.h>
#include <stddef.h>
#include <stdint.h>

/** What a draw is for. Append only: the numbers are part of every result. */
typedef enum orr_stream {
    ORR_STREAM_ARRIVAL = 1, /**< gaps between arrivals and which client it is */
    ORR_STREAM_LENGTHS,     /**< tokens of a request */
    ORR_STREAM_SERVICE,     /**< work that a request brings to a station */
    ORR_STREAM_ACCESS,      /**< radio access delay of an attempt */
    ORR_STREAM_CLIENT,      /**< attributes of a client, by its id */
    ORR_STREAM_PATIENCE,
    ORR_STREAM_BACKOFF,
    ORR_STREAM_POLICY,    /**< what a policy draws for a request */
    ORR_STREAM_TELEMETRY, /**< loss of a report */
    ORR_STREAM_TEST,
    ORR_STREAM_FAILURE, /**< of accelerators, nodes and sites, and their repair */
    ORR_STREAM_SPECULATION, /**< how many iterations an answer takes */
    ORR_STREAM_SESSION, /**< turns of a session, and what its client thinks between them */
    ORR_STREAM_REPLAY,  /**< how much later than recorded a request is replayed */
} orr_stream;

/** 128 random bits. */
typedef struct orr_bits {
    uint64_t low, high;
} orr_bits;

/** The bits at an address; `block` < 2^24 continues it. */
orr_bits orr_random_bits(uint64_t seed, orr_stream stream, uint64_t entity, uint32_t counter, uint32_t block);

/** A double in (0, 1) from 64 bits: never 0, never 1. */
double orr_random_unit(uint64_t bits);

/** A uniform integer below `n` (> 0) from 64 bits by multiplication; bias below n / 2^64. */
uint64_t orr_random_below(uint64_t bits, uint64_t n);

/** A stream opened at an address. Plain data; copy it freely. */
typedef struct orr_random {
    uint64_t seed, entity;
    uint32_t stream, counter, block, used;
    uint32_t word[4];
} orr_random;

void orr_random_at(orr_random *random, uint64_t seed, orr_stream stream, uint64_t entity, uint32_t counter);

/** The GSL generator type over orr_random. */
extern const gsl_rng_type *const orr_random_type;

/** Makes `rng` read from `random`, both borrowed and to be kept by the caller: no allocation, nothing to free. */
void orr_random_gsl(gsl_rng *rng, orr_random *random);

/** A stable 64-bit entity from a name (xxHash64), and one from an entity and a part of it. */
uint64_t orr_entity(const char *name);
uint64_t orr_entity_part(uint64_t entity, uint64_t part);

#endif
