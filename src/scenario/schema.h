/**
 * Schema: the one table that says what every key of a scenario means.
 *
 * Loader, error messages, `orrery show`, and the generated reference page all read this table; nothing else knows a
 * key's type, unit, default or meaning. Checking a document against the table reports every mistake in one pass, parses
 * each scalar once (into orr_node.number / .integer, in canonical units), and fills in defaults, so that the tree
 * afterwards is the resolved scenario.
 */
#ifndef ORRERY_SCENARIO_SCHEMA_H
#define ORRERY_SCENARIO_SCHEMA_H

#include "scenario/document.h"

typedef enum orr_type {
    ORR_TYPE_TEXT,
    ORR_TYPE_FILE,     /**< a path, relative to the file in which it stands (from `--set`: to the current directory); the check makes of it the path to open */
    ORR_TYPE_BOOLEAN,  /**< true|false|yes|no|on|off -> integer 0/1 */
    ORR_TYPE_INTEGER,  /**< int64; suffixes k, M, G allowed, and plain numbers without a fraction such as 1e6 */
    ORR_TYPE_NUMBER,   /**< finite double without a unit */
    ORR_TYPE_FRACTION, /**< number in [0, 1]; "5 %" is 0.05 */
    ORR_TYPE_TIME,     /**< "20 ms", "1.5 h", "never": ns as int64 (INT64_MAX for never) and seconds as double; a bare number is an error except 0 */
    ORR_TYPE_TOKENS,   /**< "1.5M tokens", "400" -> integer and number */
    ORR_TYPE_BYTES,    /**< "2 KB" = 2000, "2 KiB" = 2048 */
    ORR_TYPE_BITRATE,  /**< "400 Gbit/s" -> bit/s */
    ORR_TYPE_DISTANCE, /**< "12 km", "30 m" -> km */
    ORR_TYPE_RATE,     /**< "20 /day", "5 /s", "3 per hour" -> per second */
    ORR_TYPE_MONEY,    /**< "2.5 yuan", "0.1 CNY" -> nano-yuan integer, yuan double; a bare number is yuan */
    ORR_TYPE_DATETIME, /**< "2026-05-13", "2026-05-13T08:00:00+08:00" -> integer seconds since 1970 UTC; no zone means UTC+8 */
    ORR_TYPE_CHOICE,   /**< one of `choices` ("fifo|ps") -> its index */
    ORR_TYPE_MAP,      /**< a map whose keys follow in the table as path.key */
    ORR_TYPE_LIST,     /**< a list; items follow in the table as path[] (maps) or path[] itself has a scalar type */
    ORR_TYPE_OPEN_MAP, /**< a map of free names; if the table holds path.*, each value is checked against that, else taken as it is */
    ORR_TYPE_ANY,      /**< taken as it is */
} orr_type;

/** One row of the table. Paths: `a.b`, list items `a[]`, free names `a.*`. A parent stands before its children. */
typedef struct orr_key {
    const char *path;
    orr_type    type;
    const char *unit;     /**< canonical unit as shown in the reference, "" if none */
    const char *fallback; /**< default as it would be written in YAML; NULL: required; "": optional, absent if not given */
    /** CHOICE: "a|b|c"; numeric types: range in the canonical unit such as "[0,1]", "(0,inf)", "[0,1 h]"; else NULL. Quantities
     *  with a unit (time to money) without a range may not be negative. "never" is infinite: "(0,inf]" admits it, "(0,inf)" does not. */
    const char *choices;
    const char *meaning;  /**< one line */
} orr_key;

/**
 * Checks the tree under `root` against `table`, parses scalars, fills defaults (also inside every list item and every map
 * that is present; an absent optional map with fallback "" stays absent, a map with fallback "{}" is created).
 * Problems: unknown key (with the nearest valid one, and "did you mean … in …" if it exists one level up or down), wrong type
 * (what was expected, what was found), wrong or missing unit (which units are allowed), NaN or infinite or out of range, missing
 * required key, unknown choice (nearest). Returns true if nothing was noted.
 */
bool orr_schema_check(const orr_key *table, size_t count, orr_document *document, orr_node *root, orr_problems *problems);

/** The reference page for the table in Markdown: one section per top-level key, columns key, type, unit, default, range or choices, meaning. Malloced. */
char *orr_schema_reference(const orr_key *table, size_t count, const char *title);

/* Reading a checked tree. The key must be in the table and, where it has no default, present: a mistake here is ours (assert). */
double      orr_number(const orr_node *map, const char *key);
int64_t     orr_integer(const orr_node *map, const char *key);
const char *orr_text(const orr_node *map, const char *key);
bool        orr_has(const orr_node *map, const char *key);
orr_where   orr_where_of(const orr_node *map, const char *key);

#endif
