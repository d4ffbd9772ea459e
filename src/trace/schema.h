/** The tables of a run's file, as they are written and documented. `orrery reference` prints them. */
#ifndef ORRERY_TRACE_SCHEMA_H
#define ORRERY_TRACE_SCHEMA_H

#include "trace/table.h"

#include <stdio.h>

enum { ORR_FORMAT_VERSION = 2 };

typedef enum orr_table_id {
    ORR_TABLE_SITES_INFO, ORR_TABLE_LINKS_INFO, ORR_TABLE_POOLS_INFO, ORR_TABLE_CLASSES_INFO, ORR_TABLE_SERVICES_INFO, ORR_TABLE_ORIGINS,
    ORR_TABLE_REQUESTS, ORR_TABLE_LATENCY, ORR_TABLE_LATENCY_SITES, ORR_TABLE_LATENCY_SUMS, ORR_TABLE_GAPS, ORR_TABLE_SERVING, ORR_TABLE_ITERATIONS, ORR_TABLE_SITES, ORR_TABLE_FLOW, ORR_TABLE_LINKS,
    ORR_TABLE_COUNTS, ORR_TABLE_TOKENS, ORR_TABLE_TOKENS_POOLS, ORR_TABLE_REASONS, ORR_TABLE_STATE_AGE, ORR_TABLE_AUDIT, ORR_TABLES
} orr_table_id;

extern const orr_table_kind orr_trace_tables[ORR_TABLES];

/** Names of coded columns, in the order of the codes. */
extern const char *const orr_metric_names[3];
extern const char *const orr_end_names[4];
extern const char *const orr_reason_names[9];

/** A section of Markdown for each table. */
void orr_tables_reference(FILE *out, const orr_table_kind *kinds, size_t count);

/** The reference page of the file format, Markdown. Malloced; NULL when out of memory. */
char *orr_trace_reference(void);

#endif
