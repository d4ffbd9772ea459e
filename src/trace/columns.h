/** Columns of a table, read at once as integers: what the summaries and series of a run are added up from. */
#ifndef ORRERY_TRACE_COLUMNS_H
#define ORRERY_TRACE_COLUMNS_H

#include "trace/table.h"

/** `value[i]` holds `rows` values of the i-th name that was asked for. */
typedef struct orr_columns {
    int64_t *value[ORR_MOST_COLUMNS];
    size_t   rows;
} orr_columns;

/** False if one is missing, if they differ in length, or if memory ran out; orr_columns_free is due in any case. */
bool orr_columns_read(orr_columns *columns, hid_t file, const char *table, const char *const *names, int count);
void orr_columns_free(orr_columns *columns);

#endif
