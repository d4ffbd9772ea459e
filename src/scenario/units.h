/** Units: quantities as people write them ("20 ms", "400 Gbit/s", "1.5M tokens"), read into the one unit the models use. */
#ifndef ORRERY_SCENARIO_UNITS_H
#define ORRERY_SCENARIO_UNITS_H

#include "scenario/schema.h"

/**
 * Reads `text` as a quantity of `type` (a numeric type of schema.h) into `number` and `integer` (whichever the type defines;
 * the other follows by rounding). On failure returns false and writes into `expected` (size >= 160) what was expected,
 * for instance "a time such as \"20 ms\" (ns, us, ms, s, min, h, d)".
 */
bool orr_units_read(orr_type type, const char *text, double *number, int64_t *integer, char *expected, size_t size);

/**
 * The `i`-th spelling of a unit that may follow a number of `type` ("" where none need follow); NULL after the last. For a rate the unit of
 * time that stands after "/" or "per".
 */
const char *orr_units_name(orr_type type, size_t i);

/** Nanoseconds as people read them: "1.25 s", "13 ms", "2 h". Writes at most `size` bytes with the terminator. */
void orr_units_time(int64_t ns, char *text, size_t size);

#endif
