/**
 * Plan: a study spelled out: every run with its address.
 *
 * A variant is a scenario with all its overrides but the seed: a cell under a policy, or one end of a parameter of the tornado. Its runs differ in
 * the seed alone and follow each other, so that they can share one world. Addresses of a variant cost one walk over the scenario's tree;
 * files are read once.
 */
#ifndef ORRERY_STUDY_PLAN_H
#define ORRERY_STUDY_PLAN_H

#include "study/address.h"
#include "study/study.h"

typedef struct orr_variant {
    uint32_t     cell, policy;
    int32_t      parameter; /**< of the tornado, -1: of the grid */
    int32_t      end;       /**< 0 low, 1 high */
    const char **overrides; /**< owned list of borrowed texts */
    size_t       count;
    double       requests;  /**< expected of one run; of cells that were not tried, by the ratios of those along each axis */
    orr_digest   digest;
} orr_variant;

typedef struct orr_planned_run {
    char     address[ORR_ADDRESS_BYTES];
    uint32_t variant;
    uint64_t seed;
} orr_planned_run;

typedef struct orr_plan_of_study {
    const orr_study *study;
    orr_variant     *variants;
    size_t           variant_count;
    orr_planned_run *runs; /**< by variant, then by seed in the study's order */
    size_t           run_count;
    bool             by_the_clock; /**< rates, prices, plans or failures of the first variant go by the clock, or its arrivals are recorded: there is no steady state */
    bool             warmed_up;    /**< the scenario leaves a warm-up out itself (output.warmup) */
    char             short_of[256]; /**< what a variant that was tried, the one that needs most, is too short for; empty: none is */
    double           short_by;      /**< private: how many requests that one needs */
} orr_plan_of_study;

/**
 * Plans all runs. Every value of every axis, every policy and every parameter is tried once on the scenario, all else at its first value, so that mistakes
 * are found before anything runs. False with problems noted. The study must outlive the plan.
 */
bool orr_plan_study(orr_plan_of_study *plan, const orr_study *study, orr_problems *problems);
void orr_plan_clear(orr_plan_of_study *plan);

/** Adds the runs of seeds that the study has been given since. False when out of memory. */
bool orr_plan_extend(orr_plan_of_study *plan);

#endif
