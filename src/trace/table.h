/**
 * Tables in an HDF5 file: one group per table, one 1-D chunked dataset per column.
 *
 * Rows are collected in memory and written chunk by chunk (shuffle, deflate 1): h5py, pandas, xarray, HDFView and
 * h5dump read them as they are. The file is bounded to HDF5 1.8 format, so that a run killed between two flushes leaves a file that opens.
 * No object carries a time stamp: the same rows give the same bytes of data.
 */
#ifndef ORRERY_TRACE_TABLE_H
#define ORRERY_TRACE_TABLE_H

#include "base/array.h"
#include "base/problems.h"

#include <hdf5.h>

typedef enum orr_cell { ORR_CELL_U8, ORR_CELL_U16, ORR_CELL_U32, ORR_CELL_U64, ORR_CELL_I32, ORR_CELL_I64, ORR_CELL_F64, ORR_CELL_TEXT } orr_cell;

enum { ORR_TEXT_BYTES = 1024, ORR_MOST_COLUMNS = 40 };

/** A column, as it is documented and as it is written. */
typedef struct orr_column {
    const char *name;
    orr_cell    cell;
    const char *units, *meaning;
} orr_column;

/** A table of the schema. `path` is its group. */
typedef struct orr_table_kind {
    const char       *path, *meaning;
    const orr_column *columns;
    uint32_t          column_count;
} orr_table_kind;

/** An open table for appending. */
typedef struct orr_table {
    const orr_table_kind *kind;
    hid_t                 dataset[ORR_MOST_COLUMNS];
    orr_array             buffer[ORR_MOST_COLUMNS];
    uint64_t              written; /**< rows in the file */
} orr_table;

/** Creates the group (with parents) and its datasets in `file`. ORR_IO on failure. */
orr_status orr_table_create(orr_table *table, hid_t file, const orr_table_kind *kind);

/** Opens the table as orr_table_create left it, with `rows` rows in it. ORR_BAD_INPUT if the file holds another number. */
orr_status orr_table_open(orr_table *table, hid_t file, const orr_table_kind *kind, uint64_t rows);

/**
 * Appends one row: one argument per column in order, integers as int64_t or uint64_t cast to long long, F64 as double, TEXT
 * as const char * (cut to ORR_TEXT_BYTES - 1). False when out of memory.
 */
bool orr_table_row(orr_table *table, ...);

/** Writes what is buffered. */
orr_status orr_table_flush(orr_table *table);

/** Flushes and closes. Safe on a zeroed table. */
orr_status orr_table_close(orr_table *table);

/** Reads a whole column as doubles, or as int64. Returns malloced values, or NULL (count 0) when it is missing or memory ran out. */
double  *orr_read_doubles(hid_t file, const char *table, const char *column, size_t *count);
int64_t *orr_read_integers(hid_t file, const char *table, const char *column, size_t *count);
/** Texts of a column, each of ORR_TEXT_BYTES bytes with a terminator. */
char *orr_read_texts(hid_t file, const char *table, const char *column, size_t *count);

/** String attribute or scalar string dataset helpers; reading returns malloced text or NULL. */
orr_status orr_write_attribute_text(hid_t object, const char *name, const char *text);
orr_status orr_write_attribute_integer(hid_t object, const char *name, int64_t value);
orr_status orr_write_attribute_double(hid_t object, const char *name, double value);
char      *orr_read_attribute_text(hid_t object, const char *name);
int64_t    orr_read_attribute_integer(hid_t object, const char *name, int64_t fallback);
double     orr_read_attribute_double(hid_t object, const char *name, double fallback);
orr_status orr_write_text(hid_t file, const char *path, const char *text);
char      *orr_read_text(hid_t file, const char *path);

#endif
