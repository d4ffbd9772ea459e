/** Numbers for the page: rounded to five digits, which no chart and no reader tells from more, and null for what is not there. */
#ifndef ORRERY_TRACE_REPORT_JSON_H
#define ORRERY_TRACE_REPORT_JSON_H

#include <cjson/cJSON.h>
#include <stddef.h>

/** The number with five significant digits; null if it is not finite. NULL when out of memory. */
cJSON *orr_json_number(double value);

/** The same with `digits` significant digits. */
cJSON *orr_json_number_of(double value, int digits);

/** Rounds every number in `item`, at any depth, that is not whole. */
void orr_json_round(cJSON *item, int digits);

/** Adds it to `object`. */
void orr_json_add(cJSON *object, const char *name, double value);

/** Adds it without rounding (counts, seeds). */
void orr_json_add_exact(cJSON *object, const char *name, double value);

/** Adds a list of `count` rounded numbers. */
void orr_json_add_list(cJSON *object, const char *name, const double *value, size_t count);

#endif
