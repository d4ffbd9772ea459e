/** Range: which numbers a key admits. The check and the JSON Schema read it from the same row, so they cannot differ. */
#ifndef ORRERY_SCENARIO_RANGE_H
#define ORRERY_SCENARIO_RANGE_H

#include "scenario/schema.h"

/** From `low` to `high` in the key's canonical unit; an open end is not in it. Not `limited`: any number, the ends say nothing. */
typedef struct orr_range {
    double low, high;
    bool   low_open, high_open, limited;
} orr_range;

/** True for quantities with a unit (time to money), which may not be negative unless their range says so. */
bool orr_type_is_quantity(orr_type type);

/** True for what is read as a number: integers, numbers, fractions and quantities. */
bool orr_type_is_number(orr_type type);

/** The range of a row whose type is a number. A range in the table that is not of the form "[low,high]" is our mistake (assert). */
orr_range orr_range_of(const orr_key *row);

bool orr_range_holds(const orr_range *range, double value);

#endif
