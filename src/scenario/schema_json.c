#include "scenario/schema_json.h"

#include "scenario/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rows {
    const orr_key *table;
    size_t         count;
} rows;

/* The name of a row as a child of `parent` (the path of a map, "" for the root), NULL if it is none or stands deeper. */
static const char *child_name(const char *path, const char *parent)
{
    size_t n = strlen(parent);
    if (strncmp(path, parent, n) != 0 || (n > 0 && path[n] != '.'))
        return NULL;
    const char *name = path + n + (n > 0);
    return *name != 0 && strpbrk(name, ".[*") == NULL ? name : NULL;
}

static const orr_key *row_of(const rows *r, const char *path, const char *suffix)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < r->count; i++)
        if (strncmp(r->table[i].path, path, n) == 0 && strcmp(r->table[i].path + n, suffix) == 0)
            return &r->table[i];
    return NULL;
}

static cJSON *describe(const rows *r, const orr_key *row);

/* A map whose keys are those below `path`. Keys that imports may bring are not required at the root. */
static cJSON *map_at(const rows *r, const char *path, bool demanding)
{
    cJSON *map = cJSON_CreateObject(), *properties, *required = cJSON_CreateArray();
    cJSON_AddStringToObject(map, "type", "object");
    properties = cJSON_AddObjectToObject(map, "properties");
    for (size_t i = 0; i < r->count; i++) {
        const char *name = child_name(r->table[i].path, path);
        if (name == NULL)
            continue;
        cJSON_AddItemToObject(properties, name, describe(r, &r->table[i]));
        if (r->table[i].fallback == NULL)
            cJSON_AddItemToArray(required, cJSON_CreateString(name));
    }
    cJSON_AddBoolToObject(map, "additionalProperties", false);
    if (demanding && cJSON_GetArraySize(required) > 0)
        cJSON_AddItemToObject(map, "required", required);
    else
        cJSON_Delete(required);
    return map;
}

static void add_pattern(cJSON *any, const char *pattern)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "type", "string");
    cJSON_AddStringToObject(item, "pattern", pattern);
    cJSON_AddItemToArray(any, item);
}

/* The bounds of a range for a plain number; `(` and `)` are open ends. */
static void add_range(cJSON *number, const orr_key *row)
{
    const char *comma = row->choices == NULL ? NULL : strchr(row->choices, ',');
    for (int end = 0; comma != NULL && end < 2; end++) {
        const char *text = end == 0 ? row->choices + 1 : comma + 1;
        char *rest;
        double bound = strtod(text, &rest);
        bool open = end == 0 ? row->choices[0] == '(' : row->choices[strlen(row->choices) - 1] == ')';
        if (rest == text || !isfinite(bound) || (*rest != ',' && *rest != ')' && *rest != ']')) /* inf, or with a unit */
            continue;
        cJSON_AddNumberToObject(number, end == 0 ? open ? "exclusiveMinimum" : "minimum" : open ? "exclusiveMaximum" : "maximum", bound);
    }
}

/* Quantities that may be written as bare numbers. */
static bool takes_numbers(orr_type type)
{
    return type == ORR_TYPE_INTEGER || type == ORR_TYPE_NUMBER || type == ORR_TYPE_FRACTION || type == ORR_TYPE_TOKENS || type == ORR_TYPE_MONEY;
}

static cJSON *scalar(const orr_key *row)
{
    cJSON *to = cJSON_CreateObject(), *any = cJSON_AddArrayToObject(to, "anyOf"), *item;
    add_pattern(any, "\\$\\{");
    if (row->type == ORR_TYPE_CHOICE) {
        cJSON *list = cJSON_CreateArray();
        for (const char *p = row->choices; *p != 0; p += *p == '|') {
            size_t length = strcspn(p, "|");
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)length, p);
            cJSON_AddItemToArray(list, cJSON_CreateString(word));
            p += length;
        }
        cJSON_AddItemToArray(any, item = cJSON_CreateObject());
        cJSON_AddItemToObject(item, "enum", list);
        if (strstr(row->choices, "off") != NULL) { /* YAML 1.1 takes on and off for booleans */
            cJSON_AddItemToArray(any, item = cJSON_CreateObject());
            cJSON_AddStringToObject(item, "type", "boolean");
        }
        return to;
    }
    char *pattern = orr_units_pattern(row->type);
    if (pattern != NULL)
        add_pattern(any, pattern);
    free(pattern);
    if (row->type == ORR_TYPE_BOOLEAN) {
        cJSON_AddItemToArray(any, item = cJSON_CreateObject());
        cJSON_AddStringToObject(item, "type", "boolean");
    } else if (row->type != ORR_TYPE_DATETIME) {
        cJSON_AddItemToArray(any, item = cJSON_CreateObject());
        cJSON_AddStringToObject(item, "type", "number");
        if (row->type == ORR_TYPE_FRACTION && row->choices == NULL) {
            cJSON_AddNumberToObject(item, "minimum", 0);
            cJSON_AddNumberToObject(item, "maximum", 1);
        } else if (takes_numbers(row->type)) {
            add_range(item, row);
        } else {
            cJSON_AddNumberToObject(item, "const", 0); /* only zero goes without a unit */
        }
    }
    return to;
}

static cJSON *text_schema(void)
{
    static const char *const types[] = {"string", "number", "boolean"};
    cJSON *to = cJSON_CreateObject();
    cJSON_AddItemToObject(to, "type", cJSON_CreateStringArray(types, 3));
    return to;
}

static cJSON *list_at(const rows *r, const orr_key *row)
{
    cJSON *list = cJSON_CreateObject();
    const orr_key *item = row_of(r, row->path, "[]");
    char path[256];
    snprintf(path, sizeof path, "%s[]", row->path);
    cJSON_AddStringToObject(list, "type", "array");
    cJSON_AddItemToObject(list, "items", item != NULL ? describe(r, item) : map_at(r, path, true));
    return list;
}

static cJSON *open_map(const rows *r, const orr_key *row)
{
    cJSON *map = cJSON_CreateObject();
    const orr_key *value = row_of(r, row->path, ".*");
    cJSON_AddStringToObject(map, "type", "object");
    if (value != NULL)
        cJSON_AddItemToObject(map, "additionalProperties", describe(r, value));
    return map;
}

static cJSON *describe(const rows *r, const orr_key *row)
{
    cJSON *to;
    char text[1024];
    switch (row->type) {
    case ORR_TYPE_MAP: to = map_at(r, row->path, true); break;
    case ORR_TYPE_LIST: to = list_at(r, row); break;
    case ORR_TYPE_OPEN_MAP: to = open_map(r, row); break;
    case ORR_TYPE_ANY: to = cJSON_CreateObject(); break;
    case ORR_TYPE_TEXT:
    case ORR_TYPE_FILE: to = text_schema(); break;
    default: to = scalar(row);
    }
    snprintf(text, sizeof text, "%s%s%s%s%s%s", row->meaning, *row->unit ? " (unit: " : "", row->unit, *row->unit ? ")" : "", row->fallback != NULL && *row->fallback && *row->fallback != '{' ? "; default: " : "",
             row->fallback != NULL && *row->fallback != '{' ? row->fallback : "");
    cJSON_AddStringToObject(to, "description", text);
    return to;
}

cJSON *orr_schema_json(const orr_key *table, size_t count, const char *title)
{
    const rows r = {table, count};
    cJSON *to = map_at(&r, "", false);
    cJSON_AddStringToObject(to, "$schema", "http://json-schema.org/draft-07/schema#");
    cJSON_AddStringToObject(to, "title", title);
    return to;
}
