/**
 * Results: the numbers of all runs of a study side by side, and what may be said of them.
 *
 * A value belongs to a run and a metric, NaN where the run has none. Estimates belong to a variant of the grid and a metric: mean over seeds with
 * Student's interval, and the difference to the baseline in the same cell, seed by seed (statistics/estimate.h). "Significant" holds for
 * all claims of the study together (Holm). Beside the baseline, policies that every study can be measured by are references if it has them: the oracle (the distance to it
 * is the regret), random and nearest.
 *
 * Where queues grow nothing is claimed. Where bins are too few to tell, claims are made and whoever shows them says so.
 */
#ifndef ORRERY_STUDY_RESULTS_H
#define ORRERY_STUDY_RESULTS_H

#include "statistics/estimate.h"
#include "statistics/saturation.h"
#include "study/campaign.h"

typedef struct orr_result_estimate {
    orr_estimate own, difference; /**< difference: NaN for the baseline */
    double       correlation;
    bool         significant;
} orr_result_estimate;

enum { ORR_MOST_REFERENCES = 3 };

/** Instead of a warm-up: the runs had not settled; their latency bins are too long to leave anything. */
enum { ORR_UNSETTLED = -1, ORR_TOO_COARSE = -2 };

/** A paired difference to a reference. */
typedef struct orr_result_difference {
    orr_estimate difference; /**< NaN for the reference itself */
    double       correlation;
    bool         significant;
} orr_result_difference;

/** One end of the range of a parameter: the metric of the sensitivity, and how far it is from the focus cell on the same seeds. */
typedef struct orr_result_end {
    orr_estimate own, difference;
    bool         significant; /**< among all ends (Holm) */
} orr_result_end;

/** The runs of a variant that are done, those of them whose queues grow, and those too coarse to tell. */
typedef struct orr_result_runs {
    size_t done, growing, unjudged;
} orr_result_runs;

typedef struct orr_results {
    const orr_campaign *campaign;
    char              **names;      /**< metrics: all plain numbers of the summaries, and what the study asks for */
    size_t              name_count, name_capacity;
    double             *value;      /**< [run * name_count + name] */
    orr_run_state      *state;      /**< by run */
    double             *wall_s, *peak_memory;
    orr_verdict        *verdict;    /**< by run: whether its queues grew (statistics/saturation.h) */
    size_t             *shown;      /**< names that the study shows, in its order */
    size_t              shown_count;
    orr_result_estimate *estimate;  /**< [variant * shown_count + shown], of the variants of the grid */
    size_t              reference[ORR_MOST_REFERENCES], reference_count; /**< policies, the baseline not among them */
    orr_result_difference *against; /**< [reference * estimates + variant * shown_count + shown] */
    orr_result_end     *end;        /**< [2 * parameter + end] */
    orr_study_method    method;     /**< never auto */
    int64_t            *warm_up_ns; /**< by cell: deleted from the beginning of its runs; ORR_UNSETTLED, ORR_TOO_COARSE: nothing could be */
    size_t              done, failed, missing;
    size_t              claims; /**< differences that were tested together, each once */
} orr_results;

/** Reads everything from the book, and from the runs where a warm-up is deleted. ORR_BAD_INPUT with problems: an unknown metric, no run that is done. */
orr_status orr_results_read(orr_results *results, const orr_campaign *campaign, orr_problems *problems);
void       orr_results_clear(orr_results *results);

/** Notes the metrics of the study that the summary of one of its runs does not have; that of a run stopped early may lack some that a whole one has. */
void orr_results_check_names(const orr_campaign *campaign, const cJSON *summary, orr_problems *problems);

/** Index of a metric, SIZE_MAX if it has none of that name. */
size_t orr_results_name(const orr_results *results, const char *name);

/** Values of a metric over the seeds of a variant that have one, in the order of seeds; `seed` (may be NULL) gets the seeds. `value` has room for all seeds. */
size_t orr_results_values(const orr_results *results, size_t variant, size_t name, double *value, uint64_t *seed);

/** The same, of two variants on the seeds that both have. */
size_t orr_results_pairs(const orr_results *results, size_t variant, size_t other, size_t name, double *a, double *b);

/** How the runs of a variant ended. */
orr_result_runs orr_results_runs(const orr_results *results, size_t variant);

/**
 * Whether a number that must come out has. It fails if its interval leaves out [least, most]. Otherwise it holds if the interval lies within, or is no wider
 * than the larger of most - least and a fifth of the bounds' size; a wider one would reach into almost any bounds, and the anchor is open.
 */
typedef enum orr_anchor_verdict { ORR_ANCHOR_FAILS, ORR_ANCHOR_HOLDS, ORR_ANCHOR_OPEN } orr_anchor_verdict;

/** "fails", "holds", "open". */
extern const char *const orr_anchor_verdict_names[3];

typedef struct orr_anchor_result {
    orr_estimate       measured;
    orr_anchor_verdict verdict;
} orr_anchor_result;
orr_anchor_result orr_results_anchor(const orr_results *results, size_t anchor);

#endif
