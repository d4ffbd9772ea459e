#include "trace/report_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double rounded(double value, int digits)
{
    char text[32];
    snprintf(text, sizeof text, "%.*g", digits, value);
    return strtod(text, NULL);
}

cJSON *orr_json_number_of(double value, int digits) { return isfinite(value) ? cJSON_CreateNumber(rounded(value, digits)) : cJSON_CreateNull(); }

cJSON *orr_json_number(double value) { return orr_json_number_of(value, 5); }

void orr_json_round(cJSON *item, int digits)
{
    cJSON *child;
    if (cJSON_IsNumber(item) && item->valuedouble != floor(item->valuedouble))
        cJSON_SetNumberValue(item, rounded(item->valuedouble, digits));
    cJSON_ArrayForEach(child, item) orr_json_round(child, digits);
}

/* What cannot be added is deleted: cJSON owns an item only once it has taken it. */
static void add(cJSON *object, const char *name, cJSON *item)
{
    if (!cJSON_AddItemToObject(object, name, item))
        cJSON_Delete(item);
}

void orr_json_add(cJSON *object, const char *name, double value) { add(object, name, orr_json_number(value)); }

void orr_json_add_exact(cJSON *object, const char *name, double value) { add(object, name, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull()); }

void orr_json_add_list(cJSON *object, const char *name, const double *value, size_t count)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; list != NULL && i < count; i++) {
        cJSON *item = orr_json_number(value[i]);
        if (!cJSON_AddItemToArray(list, item))
            cJSON_Delete(item);
    }
}
