/** Columns of a table, read at once as integers: what the summaries and series of a run are added up from. */
#ifndef ORRERY_TRACE_COLUMNS_H
#define ORRERY_TRACE_COLUMNS_H

#include "trace/table.h"

/** `value[i]` holds `rows` values of the i-th name that was asked for. */
typedef struct orr_column_values {
    int64_t *value[ORR_MOST_COLUMNS];
    size_t   rows;
} orr_column_values;

/** False if one is missing, if they differ in length, or if memory ran out; orr_column_values_free is due in any case. */
bool orr_column_values_read(orr_column_values *columns, hid_t file, const char *table, const char *const *names, int count);
void orr_column_values_free(orr_column_values *columns);

#endif
