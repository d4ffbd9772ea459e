/** Run: a scenario from beginning to end, into a file. */
#ifndef ORRERY_TRACE_RUN_H
#define ORRERY_TRACE_RUN_H

#include "trace/recorder.h"

typedef struct orr_run_options {
    const char *output;     /**< path of the file; NULL: nothing is written (for tests and benches) */
    uint32_t    partitions; /**< 0 or 1: one */
    bool        threads;    /**< a thread for each partition */
    bool        automatic;  /**< with threads: at most so many partitions, fewer where more would not pay */
    uint64_t    shuffle;    /**< see orr_engine_config */
    bool        progress;   /**< simulated time, speed and time to go on stderr */
    const volatile sig_atomic_t *stop; /**< may be NULL */
    const char *checkpoint;        /**< path of the checkpoint, written when stopped too; NULL: none. Needs an output. */
    int64_t     checkpoint_every_ns; /**< simulated, rounded up to whole bins; 0: only when stopped */
    const char *from;              /**< checkpoint to go on from; NULL: from the beginning */
    bool        branch;            /**< go on under the world's policy, whatever the checkpoint's was */
} orr_run_options;

typedef struct orr_run_result {
    orr_audit      audit;
    orr_host_facts facts;
    uint64_t       offered, served;
    int64_t        end_ns;
} orr_run_result;

/** Runs `world`. ORR_OK, ORR_AUDIT_FAILED, ORR_INTERRUPTED (the file is complete up to then), or why it could not. */
orr_status orr_run(const orr_world *world, const orr_run_options *options, orr_run_result *result, orr_problems *problems);

/**
 * The same on a grid that exists and has reached the bin that starts at `now_ns`; the recorder may be NULL. Ends at the scenario's duration or
 * when the grid is idle.
 */
orr_status orr_run_grid(orr_grid *grid, orr_recorder *recorder, int64_t now_ns, const orr_run_options *options, orr_run_result *result, orr_problems *problems);

#endif
