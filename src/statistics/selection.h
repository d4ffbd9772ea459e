/**
 * Selection: the best of several policies, with a stated probability of being right.
 *
 * The fully sequential procedure of Kim and Nelson (KN; ACM TOMACS 11, 2001). After n0 seeds the variances of all differences between two policies are
 * estimated; from then on, seed by seed, a policy is out as soon as its mean lags behind another's by more than what chance allows at
 * this number of seeds. If the best is better than the second by the indifference zone or more, it is selected with at least the stated
 * probability; if not, one within the zone is. It rests on normal values, independent from seed to seed; across policies they may depend, so it is valid under
 * common random numbers, and profits from them: only variances of differences count.
 *
 * A study that has more seeds than were needed goes through them in their order, so the answer does not depend on how many were run at once.
 */
#ifndef ORRERY_STATISTICS_SELECTION_H
#define ORRERY_STATISTICS_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

typedef struct orr_selection_rule {
    double probability;  /**< of selecting a best one, in (0.5, 1) */
    double indifference; /**< > 0, in the metric's unit: less of a difference does not matter */
    bool   lower;        /**< the lower mean is the better */
    size_t first_stage;  /**< n0: seeds from which variances are estimated; below 2 is 2, ten or more are usual */
} orr_selection_rule;

typedef struct orr_selection {
    bool   decided;
    size_t best;     /**< the selected policy; while undecided the one with the best mean of those that are left */
    size_t used;     /**< seeds after which it was decided, or all */
    size_t left;     /**< policies not yet out */
    size_t expected; /**< more seeds until the decision if means stay as they are; 0 when decided */
    size_t at_most;  /**< more seeds after which there is a decision for certain; 0 when decided. Before the first stage ends both are what it lacks */
} orr_selection;

/**
 * `value[policy * stride + i]` is finite and belongs to the i-th common seed, i < `seeds` <= `stride`. `out_after[policy]` becomes the number of seeds
 * after which the policy was out, 0 if it is not. At least one policy. Cost: policies^2 * seeds. False when out of memory.
 */
bool orr_select(const double *value, size_t policies, size_t seeds, size_t stride, const orr_selection_rule *rule, size_t *out_after, orr_selection *selection);

#endif
