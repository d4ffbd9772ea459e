/** JSON Schema of a table of keys, so that editors complete, explain and check what the loader will take. */
#ifndef ORRERY_SCENARIO_SCHEMA_JSON_H
#define ORRERY_SCENARIO_SCHEMA_JSON_H

#include "scenario/schema.h"

#include <cjson/cJSON.h>

/**
 * The table as a JSON Schema (draft 7). It refuses unknown keys, wrong units, unknown choices and numbers out of range where it can tell; it takes any scalar that holds a
 * parameter, `${name}`. What depends on other files is the loader's alone. The caller deletes it; NULL when out of memory.
 */
cJSON *orr_schema_json(const orr_key *table, size_t count, const char *title);

#endif
