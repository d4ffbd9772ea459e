/**
 * JSON Schema: the table of schema.h for editors, which then complete keys and choices, show what they mean and mark mistakes while one types.
 *
 * What the loader takes, the schema takes; most of what the loader refuses, it refuses. It sees one file and no others, so a text with `${` in it
 * may stand for any scalar, a lone `${name}` for any value, and what an import may bring is not asked for: keys without default are required in items of
 * lists (which imports replace as a whole), and elsewhere in files that import none.
 */
#ifndef ORRERY_SCENARIO_SCHEMA_JSON_H
#define ORRERY_SCENARIO_SCHEMA_JSON_H

#include "scenario/schema.h"

/**
 * The JSON Schema (draft 7, understood by yaml-language-server) of documents that `table` describes. Quantities are texts of a pattern made from
 * the units that the loader reads (units.h); `errorMessage`, which editors show, says what was expected. Malloced, the caller frees it; NULL when out
 * of memory.
 */
char *orr_schema_json(const orr_key *table, size_t count, const char *title);

#endif
