/* How a row becomes a schema. Every value may also be a text that refers to a parameter, so a type is always a pair such as
 * ["number", "string"]: limits then hold for numbers, the pattern for texts, keys for maps, and no alternatives are needed, among which editors
 * would have to guess. Only choices are listed, so that they can be completed, beside the pattern of a reference. */
#include "scenario/schema_json.h"

#include "scenario/range.h"
#include "scenario/text_builder.h"
#include "scenario/units.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that is nothing but a reference may become a list or a map; one that holds a reference, any scalar. */
#define WHOLE_REFERENCE "^\\$\\{[^}]*\\}$"
#define REFERENCE       "\\$\\{"

typedef struct writer {
    cJSON *root;
    bool   failed; /* no memory */
} writer;

static void put(writer *w, cJSON *object, const char *name, cJSON *value)
{
    if (value == NULL || object == NULL || name == NULL || !cJSON_AddItemToObject(object, name, value)) {
        cJSON_Delete(value);
        w->failed = true;
    }
}

static void put_text(writer *w, cJSON *object, const char *name, const char *text) { put(w, object, name, cJSON_CreateString(text)); }

/* Hands over the text of a builder. */
static void put_built(writer *w, cJSON *object, const char *name, orr_text_builder *built)
{
    char *text = orr_build_take(built);
    put(w, object, name, text == NULL ? NULL : cJSON_CreateString(text));
    free(text);
}

static void put_types(writer *w, cJSON *object, const char *const *types, int count) { put(w, object, "type", cJSON_CreateStringArray(types, count)); }

/* ---- maps and lists ----------------------------------------------------------------------------------------------- */

static void become_map(writer *w, cJSON *schema, bool open)
{
    put_types(w, schema, (const char *const[]){"object", "string"}, 2);
    put_text(w, schema, "pattern", WHOLE_REFERENCE);
    put_text(w, schema, "errorMessage", "expected a map of keys, or ${parameter}");
    put(w, schema, "properties", cJSON_CreateObject());
    put(w, schema, "additionalProperties", cJSON_CreateBool(open));
}

static void become_list(writer *w, cJSON *schema)
{
    put_types(w, schema, (const char *const[]){"array", "string"}, 2);
    put_text(w, schema, "pattern", WHOLE_REFERENCE);
    put_text(w, schema, "errorMessage", "expected a list, or ${parameter}");
}

/* The schema of one step below `parent`; made if it is not there yet, and then *made is set. */
static cJSON *step(writer *w, cJSON *parent, const char *name, bool *made)
{
    bool   item = strcmp(name, "[]") == 0, other = strcmp(name, "*") == 0;
    cJSON *in = item || other ? parent : cJSON_GetObjectItemCaseSensitive(parent, "properties");
    cJSON *found = cJSON_GetObjectItemCaseSensitive(in, item ? "items" : other ? "additionalProperties" : name);
    *made = !cJSON_IsObject(found);
    if (!*made)
        return found;
    if (other)
        cJSON_DeleteItemFromObjectCaseSensitive(parent, "additionalProperties");
    cJSON *child = cJSON_CreateObject();
    put(w, in, item ? "items" : other ? "additionalProperties" : name, child);
    return w->failed ? NULL : child;
}

/* ---- scalars ------------------------------------------------------------------------------------------------------ */

/* A decimal number as the loader reads it, without a sign if it may not be negative, with a digit that is not zero if it must be positive. */
static void build_decimal(orr_text_builder *out, const orr_range *range)
{
    bool negative = !range->limited || range->low < 0, positive = !negative && !orr_range_holds(range, 0);
    orr_build_text(out, negative ? "[+-]?" : "\\+?");
    orr_build_text(out, positive ? "([0-9]*[1-9][0-9]*(\\.[0-9]*)?|[0-9]*\\.[0-9]*[1-9][0-9]*)" : "([0-9]+(\\.[0-9]*)?|\\.[0-9]+)");
    orr_build_text(out, "([eE][+-]?[0-9]+)?");
}

static void build_units(orr_text_builder *out, orr_type type)
{
    const char *name, *between = "";
    orr_build_text(out, "(");
    for (size_t i = 0; (name = orr_units_name(type, i)) != NULL; i++) {
        if (type == ORR_TYPE_INTEGER && *name == '\0') /* without a suffix it is no text, unless in quotes, which the loader refuses */
            continue;
        orr_build_text(out, between);
        orr_build_text(out, name);
        between = "|";
    }
    orr_build_text(out, ")");
}

static void build_quantity(orr_text_builder *out, const orr_key *row)
{
    orr_range range = orr_range_of(row);
    build_decimal(out, &range);
    orr_build_text(out, "\\s*");
    if (row->type == ORR_TYPE_RATE)
        orr_build_text(out, "[kM]?\\s*(/|per )\\s*");
    build_units(out, row->type);
    if (row->type == ORR_TYPE_TOKENS)
        orr_build_text(out, "\\s*(tokens?)?");
    if (orr_type_is_quantity(row->type) && orr_range_holds(&range, 0)) /* zero needs no unit */
        orr_build_text(out, "|[+-]?(0+(\\.0*)?|\\.0+)");
    if (row->type == ORR_TYPE_TIME && orr_range_holds(&range, INFINITY))
        orr_build_text(out, "|never");
}

static void build_pattern(orr_text_builder *out, const orr_key *row)
{
    orr_build_text(out, "^\\s*(");
    if (row->type == ORR_TYPE_BOOLEAN)
        orr_build_text(out, "[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]");
    else if (row->type == ORR_TYPE_DATETIME)
        orr_build_text(out, "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?\\s*(Z|[+-][0-9]{2}:?[0-5][0-9])?)?");
    else
        build_quantity(out, row);
    orr_build_text(out, ")\\s*$|" REFERENCE);
}

static bool needs_unit(orr_type type)
{
    for (size_t i = 0; orr_units_name(type, i) != NULL; i++)
        if (*orr_units_name(type, i) == '\0')
            return false;
    return true;
}

/* Limits of bare numbers: those of the range, or zero alone where a unit must follow any other. */
static void put_limits(writer *w, cJSON *schema, const orr_key *row)
{
    orr_range range = orr_range_of(row);
    if (needs_unit(row->type))
        range = (orr_range){.low = 0, .high = 0, .limited = true};
    if (range.limited && isfinite(range.low))
        put(w, schema, range.low_open ? "exclusiveMinimum" : "minimum", cJSON_CreateNumber(range.low));
    if (range.limited && isfinite(range.high))
        put(w, schema, range.high_open ? "exclusiveMaximum" : "maximum", cJSON_CreateNumber(range.high));
}

/* "expected …, or ${parameter}" */
static void put_expected(writer *w, cJSON *schema, const orr_key *row)
{
    char             expected[160];
    double           number;
    int64_t          integer;
    orr_text_builder text = {0};
    orr_units_read(row->type, "", &number, &integer, expected, sizeof expected);
    orr_build_text(&text, "expected ");
    orr_build_text(&text, expected);
    if (row->choices != NULL) {
        orr_build_text(&text, " in ");
        orr_build_text(&text, row->choices);
    }
    orr_build_text(&text, ", or ${parameter}");
    put_built(w, schema, "errorMessage", &text);
}

static void become_choice(writer *w, cJSON *schema, const orr_key *row)
{
    cJSON *either = cJSON_CreateArray(), *listed = cJSON_CreateObject(), *reference = cJSON_CreateObject(), *words = cJSON_CreateArray();
    for (const char *p = row->choices; words != NULL; p++) {
        orr_text_builder word = {0};
        size_t           length = strcspn(p, "|");
        orr_build_bytes(&word, p, length);
        char  *text = orr_build_take(&word);
        cJSON *item = text == NULL ? NULL : cJSON_CreateString(text);
        free(text);
        if (item == NULL || !cJSON_AddItemToArray(words, item))
            w->failed = true;
        p += length;
        if (*p == '\0')
            break;
    }
    put(w, listed, "enum", words);
    put_text(w, reference, "type", "string");
    put_text(w, reference, "pattern", REFERENCE);
    if (either == NULL || !cJSON_AddItemToArray(either, listed) || !cJSON_AddItemToArray(either, reference))
        w->failed = true;
    if (strstr(row->choices, "on|off") != NULL) { /* to editors set to YAML 1.1 these are booleans */
        cJSON *boolean = cJSON_CreateObject();
        put_text(w, boolean, "type", "boolean");
        if (!cJSON_AddItemToArray(either, boolean))
            w->failed = true;
    }
    put(w, schema, "anyOf", either);
}

static void become_scalar(writer *w, cJSON *schema, const orr_key *row)
{
    if (row->type == ORR_TYPE_TEXT || row->type == ORR_TYPE_FILE) { /* a number or `true` is a text where a text is asked for */
        put_types(w, schema, (const char *const[]){"string", "number", "boolean"}, 3);
        if (row->type == ORR_TYPE_FILE)
            put(w, schema, "minLength", cJSON_CreateNumber(1));
        return;
    }
    orr_text_builder pattern = {0};
    bool             number = orr_type_is_number(row->type);
    if (number && needs_unit(row->type)) { /* no bare number but zero, if that */
        orr_range range = orr_range_of(row);
        number = orr_range_holds(&range, 0);
    }
    if (!number && row->type != ORR_TYPE_BOOLEAN) {
        put_text(w, schema, "type", "string");
    } else {
        const char *bare = row->type == ORR_TYPE_BOOLEAN ? "boolean" : row->type == ORR_TYPE_INTEGER ? "integer" : "number";
        put_types(w, schema, (const char *const[]){bare, "string"}, 2);
    }
    if (number)
        put_limits(w, schema, row);
    if (row->type == ORR_TYPE_NUMBER) /* in quotes it would be a text, so there is no text to describe but a reference */
        orr_build_text(&pattern, REFERENCE);
    else
        build_pattern(&pattern, row);
    put_built(w, schema, "pattern", &pattern);
    put_expected(w, schema, row);
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

/* What an editor shows: meaning, unit, range, default. */
static void put_description(writer *w, cJSON *schema, const orr_key *row)
{
    orr_text_builder text = {0};
    bool             united = row->unit != NULL && *row->unit != '\0' && !orr_type_is_quantity(row->type);
    orr_build_text(&text, row->meaning);
    if (united) {
        orr_build_text(&text, "; in ");
        orr_build_text(&text, row->unit);
    }
    if (row->choices != NULL && row->type != ORR_TYPE_CHOICE) {
        orr_build_text(&text, "; range ");
        orr_build_text(&text, row->choices);
    }
    if (row->fallback == NULL) {
        orr_build_text(&text, "; required");
    } else if (*row->fallback != '\0' && row->type < ORR_TYPE_MAP) {
        orr_build_text(&text, "; default ");
        orr_build_text(&text, row->fallback);
    }
    put_built(w, schema, "description", &text);
}

/* The default as a document would have it: a number or a boolean where one is meant. */
static void put_default(writer *w, cJSON *schema, const orr_key *row)
{
    char    expected[160];
    double  number;
    int64_t integer;
    bool    text = row->type == ORR_TYPE_TEXT || row->type == ORR_TYPE_FILE || row->type == ORR_TYPE_CHOICE || row->type == ORR_TYPE_DATETIME;
    if (row->fallback == NULL || *row->fallback == '\0' || row->type >= ORR_TYPE_MAP)
        return;
    if (row->type == ORR_TYPE_BOOLEAN && orr_units_read(ORR_TYPE_BOOLEAN, row->fallback, &number, &integer, expected, sizeof expected))
        put(w, schema, "default", cJSON_CreateBool(integer != 0));
    else if (!text && orr_units_read(ORR_TYPE_NUMBER, row->fallback, &number, &integer, expected, sizeof expected))
        put(w, schema, "default", cJSON_CreateNumber(number));
    else
        put_text(w, schema, "default", row->fallback);
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

static void require(writer *w, cJSON *parent, const char *name)
{
    cJSON *required = cJSON_GetObjectItemCaseSensitive(parent, "required");
    if (required == NULL)
        put(w, parent, "required", required = cJSON_CreateArray());
    cJSON *item = w->failed ? NULL : cJSON_CreateString(name);
    if (item == NULL || !cJSON_AddItemToArray(required, item))
        w->failed = true;
}

/* A key without default that an import may bring: asked for where nothing is imported, in a second description beside the root's. */
static void require_unless_imported(writer *w, const char *path)
{
    cJSON *at = cJSON_GetObjectItemCaseSensitive(w->root, "else");
    if (at == NULL) {
        static const char *const imports[] = {"imports"};
        cJSON                   *condition = cJSON_CreateObject();
        put(w, w->root, "if", condition);
        put(w, condition, "required", cJSON_CreateStringArray(imports, 1));
        put(w, w->root, "else", at = cJSON_CreateObject());
    }
    for (const char *dot; !w->failed && (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        orr_text_builder name = {0};
        orr_build_bytes(&name, path, (size_t)(dot - path));
        char  *key = orr_build_take(&name);
        cJSON *properties = cJSON_GetObjectItemCaseSensitive(at, "properties");
        if (properties == NULL)
            put(w, at, "properties", properties = cJSON_CreateObject());
        at = cJSON_GetObjectItemCaseSensitive(properties, key);
        if (at == NULL)
            put(w, properties, key, at = cJSON_CreateObject());
        free(key);
    }
    if (!w->failed)
        require(w, at, path);
}

static void describe(writer *w, cJSON *schema, const orr_key *row)
{
    put_description(w, schema, row);
    switch (row->type) {
    case ORR_TYPE_ANY: return;
    case ORR_TYPE_MAP: become_map(w, schema, false); return;
    case ORR_TYPE_OPEN_MAP: become_map(w, schema, true); return;
    case ORR_TYPE_LIST: become_list(w, schema); return;
    case ORR_TYPE_CHOICE: become_choice(w, schema, row); break;
    default: become_scalar(w, schema, row);
    }
    put_default(w, schema, row);
}

static void add_row(writer *w, const orr_key *row)
{
    cJSON *schema = w->root;
    for (const char *p = row->path; *p != '\0' && !w->failed;) {
        size_t           length = strncmp(p, "[]", 2) == 0 ? 2 : strcspn(p, ".[");
        bool             made;
        orr_text_builder word = {0};
        orr_build_bytes(&word, p, length);
        char  *name = orr_build_take(&word);
        cJSON *parent = schema;
        schema = name == NULL ? NULL : step(w, parent, name, &made);
        p += length;
        p += *p == '.';
        if (schema == NULL) {
            w->failed = true;
        } else if (*p != '\0') {
            if (made) /* no row of its own: a map is implied */
                become_map(w, schema, false);
        } else {
            describe(w, schema, row);
            bool key = strcmp(name, "[]") != 0 && strcmp(name, "*") != 0;
            if (key && row->fallback == NULL && strstr(row->path, "[]") != NULL)
                require(w, parent, name);
            else if (key && row->fallback == NULL && strchr(row->path, '*') == NULL)
                require_unless_imported(w, row->path);
        }
        free(name);
    }
}

char *orr_schema_json(const orr_key *table, size_t count, const char *title)
{
    writer w = {.root = cJSON_CreateObject()};
    put_text(&w, w.root, "$schema", "http://json-schema.org/draft-07/schema#");
    put_text(&w, w.root, "title", title);
    put_text(&w, w.root, "type", "object");
    put(&w, w.root, "properties", cJSON_CreateObject());
    put(&w, w.root, "additionalProperties", cJSON_CreateBool(false));
    for (size_t i = 0; i < count && !w.failed; i++)
        add_row(&w, &table[i]);
    char *text = w.failed ? NULL : cJSON_Print(w.root);
    cJSON_Delete(w.root);
    return text;
}
