/**
 * Manifest: the book of a study, one SQLite file: which runs it has, how each ended, and its numbers.
 *
 * One process writes it: the one that coordinates on this machine, or the merge job of a cluster; others only read. It can always be made
 * again from the plan and from what lies in runs/: the files are the truth, the book is the index. So a killed writer loses nothing.
 * Runs that the study no longer plans (an axis lost a value) stay in it with planned = 0, and come back when they are wanted again.
 */
#ifndef ORRERY_STUDY_MANIFEST_H
#define ORRERY_STUDY_MANIFEST_H

#include "study/plan.h"

#include <cjson/cJSON.h>

typedef struct orr_manifest orr_manifest;

typedef enum orr_run_state { ORR_RUN_MISSING, ORR_RUN_DONE, ORR_RUN_FAILED } orr_run_state;

/** What the book says of a run. */
typedef struct orr_manifest_row {
    orr_run_state state;
    int           exit;
    double        wall_s, cpu_s, peak_memory, bytes, requests;
    const char   *message; /**< of a failure; valid during the call */
    const char   *summary; /**< JSON, or NULL; valid during the call */
    const char   *in_system; /**< JSON list: requests in the system at the end of each bin; NULL if not known; valid during the call */
    double        bin_ns;
} orr_manifest_row;

/** Opens FOLDER/manifest.sqlite, making it if `write`; then one that is damaged is renamed to manifest.sqlite.damaged and made anew. NULL with a problem. */
orr_manifest *orr_manifest_open(const char *folder, bool write, orr_problems *problems);
void          orr_manifest_close(orr_manifest *manifest);

/** Enters all runs of the plan, and what the study is called. Those known keep what is known of them. */
orr_status orr_manifest_plan(orr_manifest *manifest, const orr_plan_of_study *plan, const char *scenario, orr_problems *problems);

/** Enters how a run ended. `record` as one_run.h writes it; with NULL only `exit` and the measures are known. */
orr_status orr_manifest_end(orr_manifest *manifest, const char *address, int exit, const cJSON *record, orr_problems *problems);

/** Forgets how a run ended, so that it is missing again. */
orr_status orr_manifest_forget(orr_manifest *manifest, const char *address, orr_problems *problems);

/** The summary of a run from a moment on (trace/summary_window.h), if the book has it; malloced JSON. */
char      *orr_manifest_window(orr_manifest *manifest, const char *address, int64_t from_ns);
orr_status orr_manifest_set_window(orr_manifest *manifest, const char *address, int64_t from_ns, const char *summary, orr_problems *problems);

/** Several entries as one, for speed. */
void orr_manifest_begin(orr_manifest *manifest);
void orr_manifest_commit(orr_manifest *manifest);

/** Reads one run. False if the book does not have it. */
bool orr_manifest_get(orr_manifest *manifest, const char *address, orr_manifest_row *row);

/** Counts of the planned runs by state, and sums of what the done ones took. */
typedef struct orr_manifest_totals {
    size_t planned, state[3];
    double wall_s, bytes, last_end_s; /**< last_end_s: seconds since 1970 */
} orr_manifest_totals;
bool orr_manifest_totals_of(orr_manifest *manifest, orr_manifest_totals *totals);

/** A value by name, such as how it was started; malloced, NULL if there is none. */
char      *orr_manifest_note(orr_manifest *manifest, const char *name);
orr_status orr_manifest_set_note(orr_manifest *manifest, const char *name, const char *value, orr_problems *problems);

/** Calls back for every planned run that failed, with its address and message. */
void orr_manifest_failures(orr_manifest *manifest, void (*each)(void *context, const char *address, const char *what, const char *message), void *context);

#endif
