/**
 * Measured points: how fast a replica was under a closed loop, as benchmarks publish it.
 *
 * A table (CSV, plain or gzip) with one row per benchmark: an accelerator, an engine, a model, how they were laid out, how many users asked at a
 * time and for how many tokens, and the mean time to first token and per output token, or the tokens per second, that came out. Columns go by the
 * names of points.c, which knows those of aiconfigurator's and InferenceMAX's tables too. Some figures are those of a part of the work alone: a row
 * with a rate of prompt tokens is one of prefill (answers of one token), one with a rate of decoding is a replica whose prompts are processed elsewhere.
 */
#ifndef ORRERY_MEASURE_POINTS_H
#define ORRERY_MEASURE_POINTS_H

#include "scenario/csv.h"

#include <stdbool.h>

/** What a replica does. */
typedef enum orr_phase { ORR_PHASE_BOTH, ORR_PHASE_PREFILL, ORR_PHASE_DECODE } orr_phase;

/** One measured point. Texts are owned by the table. */
typedef struct orr_point {
    const char *accelerator, *engine, *model; /**< names of the catalogues; engine "" if none is given */
    const char *precision, *kv_precision;     /**< as in `pools[]` of a scenario */
    uint32_t    group, data_parallel;         /**< accelerators of the replica; attention replicas among them */
    uint32_t    concurrency, input, output;   /**< users; tokens at most */
    double      spread;                       /**< lengths are uniform between this share of input and output, and them */
    uint32_t    rounds;                       /**< requests = rounds x concurrency, all users starting at once */
    uint32_t    token_budget, max_batch;      /**< 0: the engine's; concurrency */
    uint32_t    stream;                       /**< tokens that the engine sends at a time: the client sees the first with the last of them */
    uint32_t    drafts;                       /**< tokens proposed per step by speculation; 0: none */
    double      acceptance;                   /**< chance that one is kept, if those before it were */
    bool        batch;                        /**< one batch by itself, its prompts in one piece: it has to fit into the cache, and nothing queues */
    orr_phase   phase;
    double      ttft_s, tpot_s;               /**< measured means; NAN: not given */
    double      rate;                         /**< measured tokens per second of the replica: of prompts in a row of prefill, of answers otherwise; NAN: not given */
    double      got_ttft_s, got_tpot_s, got_rate; /**< simulated */
    const char *skipped;                      /**< why it is left out; NULL: it counts */
    const char *given_accelerator, *given_model; /**< as the table writes them */
    const char *reason;                       /**< the cell that `skipped` is about; NULL: none is */
    orr_where   where;
} orr_point;

typedef struct orr_points {
    orr_point *items;
    uint32_t   count;
    char     **texts; /**< owned */
    uint32_t   text_count;
} orr_points;

/** What makes a point worth comparing: measurements outside say more about queues than about servers. They do not bind a burst (one round), where the queue is what was measured. */
typedef struct orr_points_limits {
    uint32_t least_output; /**< tokens */
    double   most_ttft_s;
} orr_points_limits;

/**
 * Reads a table. `accelerator` and `engine` (NULL: none) stand in for columns that are missing, cells that are empty and names that the catalogues of `data`, a
 * folder, do not know; rows whose accelerator, model, engine or precision is still not known are skipped with that reason. False with problems noted.
 */
bool orr_points_load(orr_points *points, const char *path, const char *data, const char *accelerator, const char *engine, const orr_points_limits *limits, orr_problems *problems);
void orr_points_destroy(orr_points *points);

/** True if two names are the same but for case, and `-`, `_` or blanks. */
bool orr_same_name(const char *a, const char *b);

#endif
