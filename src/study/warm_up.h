/**
 * Warm-up: what is deleted from the beginning of the runs of a steady state.
 *
 * In each cell MSER-5 judges the requests in the system, averaged over the seeds of a policy; the longest warm-up of all policies is deleted from all runs of the cell
 * (statistics/mser.h). What a run's file keeps by time is then summed up from there on (trace/summary_window.h); its other numbers stay those of the whole run.
 * Where the runs of a cell have not settled, or have no latency bin left after the warm-up, nothing is deleted and the cell says so.
 */
#ifndef ORRERY_STUDY_WARM_UP_H
#define ORRERY_STUDY_WARM_UP_H

#include "study/results.h"

/** Finds the warm-up of every cell and replaces the values that depend on it. ORR_NO_MEMORY, or ORR_IO with problems. */
orr_status orr_warm_up_delete(orr_results *results, orr_problems *problems);

#endif
