#include "trace/columns.h"

#include <stdlib.h>

bool orr_column_values_read(orr_column_values *c, hid_t file, const char *table, const char *const *names, int count)
{
    *c = (orr_column_values){0};
    for (int i = 0; i < count; i++) {
        size_t rows;
        c->value[i] = orr_read_integers(file, table, names[i], &rows);
        if (c->value[i] == NULL || (i > 0 && rows != c->rows))
            return false;
        c->rows = rows;
    }
    return true;
}

void orr_column_values_free(orr_column_values *c)
{
    for (int i = 0; i < ORR_MOST_COLUMNS; i++)
        free(c->value[i]);
}
