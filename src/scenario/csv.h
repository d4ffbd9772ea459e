/**
 * CSV: catalogues and recorded traces, plain or gzip, with the place of every cell.
 *
 * RFC 4180 with `#` comment lines and a header row. Catalogues must carry origin columns (source, as_of, confidence);
 * orr_csv_require_origin refuses every row that lacks one.
 */
#ifndef ORRERY_SCENARIO_CSV_H
#define ORRERY_SCENARIO_CSV_H

#include "base/problems.h"

typedef struct orr_csv orr_csv;

/** Reads the whole file. NULL (with problems) if it cannot be read, is empty, not text, a row has the wrong number of cells, or a quote never closes. */
orr_csv *orr_csv_load(const char *path, orr_problems *problems);
void     orr_csv_destroy(orr_csv *csv);

const char *orr_csv_path(const orr_csv *csv);
size_t      orr_csv_rows(const orr_csv *csv);
size_t      orr_csv_columns(const orr_csv *csv);
const char *orr_csv_column_name(const orr_csv *csv, size_t column);

/** Index of the column called `name`, or -1. */
int orr_csv_column(const orr_csv *csv, const char *name);

/** As orr_csv_column, but notes a problem (with the nearest column) when there is none. */
int orr_csv_need(const orr_csv *csv, const char *name, orr_problems *problems);

/** The cell's text, trimmed, never NULL; "" for an empty cell. `column` -1 gives "". */
const char *orr_csv_cell(const orr_csv *csv, size_t row, int column);
orr_where   orr_csv_where(const orr_csv *csv, size_t row, int column);

/** A finite number in [low, high]; an empty cell gives `fallback` unless that is NaN, then it is a problem. Returns NaN after a problem. */
double orr_csv_number(const orr_csv *csv, size_t row, int column, double low, double high, double fallback, orr_problems *problems);

/**
 * Refuses rows without an origin: `source`, `as_of` and `confidence` must be filled, `confidence` must be one of published,
 * measured, derived, assumed, and an assumed row must have a `range`. Returns true if all rows have one.
 */
bool orr_csv_require_origin(const orr_csv *csv, orr_problems *problems);

#endif
