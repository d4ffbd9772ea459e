/**
 * One run of a study: simulated in a process of its own, into a file named by its address.
 *
 * Invariant: FOLDER/runs/ADDRESS.h5 is there if and only if the run is done; it appears whole, after FOLDER/runs/ADDRESS.json, its record (exit status,
 * time, memory, summary, and bin by bin the requests in the system). Both are made under other names in FOLDER/work and renamed, so a process can be killed at any moment, and two that do
 * the same run at once (a requeued task and its ghost) only do it twice.
 */
#ifndef ORRERY_STUDY_ONE_RUN_H
#define ORRERY_STUDY_ONE_RUN_H

#include "study/orders.h"
#include "world/world.h"

#include <signal.h>

/** Makes FOLDER with runs/ and work/ in it. False with a problem. */
bool orr_study_folder_make(const char *folder, orr_problems *problems);

/** FOLDER/runs/ADDRESS + suffix (".h5", ".json"); malloced. */
char *orr_run_path(const char *folder, const char *address, const char *suffix);

/** True if the run is done. */
bool orr_run_is_done(const char *folder, const char *address);

/** Size of the run's file, bytes; -1: it is not done. */
int64_t orr_run_bytes(const char *folder, const char *address);

/**
 * Simulates. `world`, if not NULL, is that of the group under any seed; it is given the order's. Returns the exit status of the process that calls it: 0 done, 1 its
 * audit failed or it was stopped, 2 bad input, 3 the machine failed (disk, memory). What went wrong is in the record, except when stopped.
 */
int orr_one_run(const char *folder, const orr_orders *orders, size_t index, orr_world *world, const volatile sig_atomic_t *stop);

/** Adds what is read from the run's file: `summary`, and `in_system` with `bin_ns`. False with problems. */
bool orr_record_add_results(cJSON *record, const char *path, orr_problems *problems);

/** Reads a record; NULL if there is none that is whole. */
cJSON *orr_record_read(const char *folder, const char *address);

/** Makes a record of a run whose process ended without one. */
bool orr_record_write(const char *folder, const char *address, const cJSON *record);

#endif
