/**
 * Goals: what a study wants to know well enough, and how many seeds that takes: an interval as narrow as asked (statistics/sequential.h), the best policy with a
 * stated probability (statistics/selection.h).
 *
 * Seeds are added for the whole study, so that every cell and policy has the same ones and all differences stay paired.
 */
#ifndef ORRERY_STUDY_GOALS_H
#define ORRERY_STUDY_GOALS_H

#include "statistics/selection.h"
#include "study/results.h"

/** Seeds with which no variance is known well enough to stop by (the least that `most` of a goal may be: study/keys.c). */
enum { ORR_GOAL_LEAST_SEEDS = 10 };

typedef struct orr_goals {
    bool   precise;        /**< every variant that was judged has its interval (or nothing was asked) */
    double worst_relative; /**< the widest half-width over its mean */
    size_t worst_variant;
    size_t judged;         /**< variants whose interval was judged: those that have values and whose queues do not grow */
    bool   selected;       /**< in every cell that was judged (or nothing was asked) */
    size_t selections;     /**< cells in which a selection was judged */
    size_t seeds;          /**< that the study should have next; what it has if all is reached or the most have run */
} orr_goals;

/** Judges. False when out of memory. */
bool orr_goals_judge(const orr_results *results, orr_goals *goals);

/** The selection in one cell. False if nothing was asked, runs are missing or queues grow there, or memory ran out. */
bool orr_goals_select(const orr_results *results, size_t cell, orr_selection *selection);

#endif
