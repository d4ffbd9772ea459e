/** Columns: aligned text tables on stdout. Widths are counted in characters, so names outside ASCII stay in line. */
#ifndef ORRERY_CLI_COLUMNS_H
#define ORRERY_CLI_COLUMNS_H

#include "base/array.h"

/** A table under construction: texts row by row, the first row being the heading. */
typedef struct orr_columns {
    orr_array texts; /**< of char *, owned */
    uint32_t  count; /**< columns */
    bool      failed; /**< out of memory */
} orr_columns;

void orr_columns_init(orr_columns *columns, uint32_t count);

/** Adds one cell, printf style. */
void orr_columns_add(orr_columns *columns, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Prints the table and frees it. Cells of column i stand to the left if `left` has an 'l' at i, to the right otherwise; a short `left` goes on with its
 * last letter. `note`, if not NULL, is called after each row but the heading, with the number of the row, to print more. False when memory ran out (nothing is printed).
 */
bool orr_columns_print(orr_columns *columns, const char *left, void (*note)(void *context, uint32_t row), void *context);

/** Prints words broken into lines of at most `width` characters, each after `indent` spaces. */
void orr_print_wrapped(const char *text, unsigned indent, unsigned width);

#endif
