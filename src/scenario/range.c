#include "scenario/range.h"

#include "scenario/units.h"

#include <assert.h>
#include <math.h>
#include <string.h>

bool orr_type_is_quantity(orr_type type) { return type >= ORR_TYPE_TIME && type <= ORR_TYPE_MONEY; }

bool orr_type_is_number(orr_type type)
{
    return type == ORR_TYPE_INTEGER || type == ORR_TYPE_NUMBER || type == ORR_TYPE_FRACTION || orr_type_is_quantity(type);
}

/* One end: a number in the canonical unit, or with its own. */
static bool read_bound(orr_type type, const char *text, double *bound)
{
    char    expected[160];
    int64_t whole;
    bool    minus = *text == '-';
    if (strcmp(text + minus, "inf") == 0) {
        *bound = minus ? -INFINITY : INFINITY;
        return true;
    }
    return orr_units_read(ORR_TYPE_NUMBER, text, bound, &whole, expected, sizeof expected)
           || orr_units_read(type, text, bound, &whole, expected, sizeof expected);
}

orr_range orr_range_of(const orr_key *row)
{
    const char *text = row->choices;
    bool        share = row->type == ORR_TYPE_FRACTION;
    orr_range   range = {.low = 0, .high = share ? 1 : INFINITY, .limited = text != NULL || share || orr_type_is_quantity(row->type)};
    if (text == NULL)
        return range;
    char        low[40] = "", high[40] = "";
    size_t      length = strlen(text);
    const char *comma = strchr(text, ',');
    bool        formed = comma != NULL && comma - text <= 39 && length - (size_t)(comma - text) <= 39;
    if (formed) {
        memcpy(low, text + 1, (size_t)(comma - text) - 1);
        memcpy(high, comma + 1, length - (size_t)(comma - text) - 2);
        formed = read_bound(row->type, low, &range.low) && read_bound(row->type, high, &range.high);
    }
    assert(formed && "a range in the table is not of the form [low,high]");
    range.limited = formed;
    range.low_open = text[0] == '(';
    range.high_open = text[length - 1] == ')';
    return range;
}

bool orr_range_holds(const orr_range *range, double value)
{
    return !range->limited
           || ((range->low_open ? value > range->low : value >= range->low) && (range->high_open ? value < range->high : value <= range->high));
}
