/**
 * Collection: one result file for a study: what was varied, a row per run, a column per metric, estimates, and links to the runs.
 *
 * Tables are laid out as those of a run (trace/table.h). Runs are external links, so the file is small and opens each run as `/run/ADDRESS`; it must lie beside runs/.
 */
#ifndef ORRERY_STUDY_COLLECT_H
#define ORRERY_STUDY_COLLECT_H

#include "study/results.h"
#include "trace/table.h"

/** The tables of the file, for the reference page; those of /metrics depend on the study. */
extern const orr_table_kind orr_study_tables[];
extern const size_t orr_study_table_count;

/** Writes FOLDER/study.h5, under another name until it is whole. */
orr_status orr_collect(const orr_results *results, orr_problems *problems);

/** The reference page of the file, Markdown. Malloced; NULL when out of memory. */
char *orr_collect_reference(void);

#endif
