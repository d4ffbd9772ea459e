/**
 * Recorder: what a run leaves behind.
 *
 * Called between events at the end of every bin of simulated time: it brings integrals up to date, takes what has accumulated at the
 * sites, and appends it to the file's tables. Only then are rows of different sites put in order, so nothing depends on how
 * the run was split. The file is `OUT.partial.h5` until orr_recorder_close renames it.
 */
#ifndef ORRERY_TRACE_RECORDER_H
#define ORRERY_TRACE_RECORDER_H

#include "grid/audit.h"

typedef struct orr_recorder orr_recorder;

/** What only the machine knows; goes to /host. */
typedef struct orr_host_facts {
    double   wall_s, cpu_s, output_s;
    uint64_t events, peak_rss_bytes;
    uint32_t lanes;
    double   window_requests; /**< expected per lane in one window; infinite with one lane */
} orr_host_facts;

/** Creates the file for the results of `grid` at `path` (ending .h5). ORR_IO with a problem if it cannot be written. */
orr_status orr_recorder_open(orr_recorder **recorder, const char *path, const orr_grid *grid, orr_problems *problems);

/** Takes what the sites drew up to `at_ns`, inside a bin; due wherever orr_world_next_grid_hour says. Nothing if that is already taken. */
void orr_recorder_meter(orr_recorder *recorder, orr_grid *grid, int64_t at_ns);

/** Up to when that has been done: nothing may end before. */
int64_t orr_recorder_metered(const orr_recorder *recorder);

/** Takes the bin that ends at `end_ns` from the sites. */
orr_status orr_recorder_bin(orr_recorder *recorder, orr_grid *grid, int64_t end_ns);

/**
 * Writes totals and the audit (to which it adds its own checks), sets the status, closes and renames. `end` tells how the run ended. The recorder is
 * destroyed, also on failure. ORR_AUDIT_FAILED if the audit fails.
 */
orr_status orr_recorder_close(orr_recorder *recorder, orr_grid *grid, orr_status end, int64_t end_ns, orr_audit *audit, const orr_host_facts *facts, orr_problems *problems);

/**
 * Saves the recorder, its file included, between two events (also inside a bin).
 */
void orr_recorder_archive(orr_recorder *recorder, orr_archive *archive);

/** Makes a recorder from what orr_recorder_archive saved, its file at `path`. ORR_IO with a problem, ORR_BAD_INPUT when the archive is damaged. */
orr_status orr_recorder_resume(orr_recorder **recorder, const char *path, const orr_grid *grid, orr_archive *archive, orr_problems *problems);

/** Drops the recorder and its partial file, for runs that never began. */
void orr_recorder_discard(orr_recorder *recorder);

#endif
