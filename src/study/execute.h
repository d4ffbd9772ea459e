/**
 * Execution of orders on this machine: one process per run, as many at a time as there are cores and as memory holds.
 *
 * The world of a group is loaded once, by this process, and its runs are forks of it: what is immutable is shared in memory and read once. A child
 * dies with its parent. This process opens no HDF5 file while children may be forked.
 */
#ifndef ORRERY_STUDY_EXECUTE_H
#define ORRERY_STUDY_EXECUTE_H

#include "study/one_run.h"

/** How a run ended. `record` may be NULL (killed before it could say anything) and is the callee's to delete. */
typedef struct orr_run_end {
    size_t   index; /**< of the order */
    int      exit;  /**< exit status of the process, or 128 + signal */
    double   wall_s, cpu_s;
    uint64_t peak_memory; /**< bytes */
    cJSON   *record;
} orr_run_end;

typedef struct orr_execution {
    const char *folder;
    uint32_t    jobs;          /**< processes at a time, at least 1 */
    uint64_t    memory;        /**< bytes that a run is expected to need; learnt from the runs that end */
    const volatile sig_atomic_t *stop;
    void (*ended)(void *context, const orr_run_end *end); /**< may be NULL */
    void (*tick)(void *context, uint32_t running);        /**< a few times a second; may be NULL */
    void *context;
} orr_execution;

/** How busy the cores were. */
typedef struct orr_execution_facts {
    double wall_s, busy_s; /**< busy: processes, integrated over the wall time */
    size_t done, failed;
} orr_execution_facts;

/** Cores that this process may use. */
uint32_t orr_cores(void);

/**
 * Does all orders whose run is not done yet, in order. A run that was killed from outside (perhaps for want of memory) is tried once more, alone, at the end.
 * ORR_OK also if some failed; ORR_INTERRUPTED if stopped, after its children have ended; ORR_NO_MEMORY.
 */
orr_status orr_execute(const orr_orders *orders, const orr_execution *execution, orr_execution_facts *facts);

#endif
