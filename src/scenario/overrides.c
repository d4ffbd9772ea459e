/* A path is followed from the root, key by key. Keys may hold dots themselves (`models.qwen2.5-7b.rate`): of the keys
 * that begin the rest of the path, the longest that the map has is taken. What is missing is made on the way, and stands
 * where the override stands, so that the schema's "unknown key" points at the override. */
#include "scenario/overrides.h"

#include "scenario/parameters.h"
#include "scenario/utf8.h"
#include "scenario/yaml_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_PATH = 4096 };

typedef struct override {
    orr_document *document;
    orr_problems *problems;
    orr_where     where; /* "--set path=value", line 0 */
    char         *path;  /* in the document; segments are cut off it in place */
    orr_node     *value;
} override;

static orr_where name_of(orr_document *document, const char *text)
{
    enum { SHOWN = 160 };
    size_t length = strlen(text), shown = length;
    if (length > SHOWN)
        for (shown = SHOWN; shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80;)
            shown--;
    char *name = orr_tree_alloc(document, sizeof "--set " + shown + sizeof "…");
    if (name != NULL) {
        memcpy(name, "--set ", 6);
        memcpy(name + 6, text, shown);
        if (shown < length)
            memcpy(name + 6 + shown, "…", sizeof "…");
    }
    return (orr_where){.file = name};
}

/* True if the path, or what is left of it, begins with an index. */
static bool is_index(const char *path)
{
    size_t digits = strspn(path, "0123456789");
    return digits > 0 && (path[digits] == '\0' || path[digits] == '.');
}

/* Cuts the key that the path continues with off the path; what follows it, "" at the end, becomes the path. */
static const char *cut_key(override *o, const orr_node *map)
{
    char *start = o->path, *end = strchr(start, '.');
    if (map != NULL)
        for (char *dot = strchr(start, '.');; dot = strchr(dot + 1, '.')) {
            if (dot != NULL)
                *dot = '\0';
            bool known = orr_tree_find(map, start) >= 0;
            if (dot == NULL) {
                end = known ? NULL : end;
                break;
            }
            *dot = '.';
            end = known ? dot : end;
        }
    if (end == NULL) {
        o->path = start + strlen(start);
    } else {
        *end = '\0';
        o->path = end + 1;
    }
    return start;
}

/* The place of a child pointer in a list, NULL after a problem. */
static orr_node **item_of(override *o, const orr_node *list, const char *index, const char *key)
{
    char shown[64], shown_index[64];
    errno = 0;
    unsigned long i = is_index(index) ? strtoul(index, NULL, 10) : 0;
    if (is_index(index) && errno == 0 && i < list->count)
        return &list->child[i];
    if (list->count == 0)
        orr_problem(o->problems, o->where, "the list \"%s\" is empty", orr_utf8_excerpt(key, shown));
    else
        orr_problem(o->problems, o->where, "\"%s\" is a list: expected an index from 0 to %zu, found \"%s\"", orr_utf8_excerpt(key, shown),
                    list->count - 1, orr_utf8_excerpt(index, shown_index));
    return NULL;
}

/* The place of a child pointer in a map, made if need be; NULL after a problem or without memory. */
static orr_node **entry_of(override *o, orr_node *map, const char *key)
{
    ptrdiff_t i = orr_tree_find(map, key);
    if (i >= 0)
        return &map->child[i];
    char shown[64];
    if (is_index(o->path)) {
        const char *near = orr_tree_nearest(o->document, key, map->key, map->count);
        if (!o->document->incomplete)
            orr_problem(o->problems, o->where, "there is no list \"%s\" here%s%s%s", orr_utf8_excerpt(key, shown),
                        near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
        return NULL;
    }
    orr_node *child = orr_tree_node(o->document, ORR_NODE_MAP, o->where);
    if (child == NULL || !orr_tree_put(o->document, map, key, o->where, child))
        return NULL;
    return &map->child[map->count - 1];
}

/* Follows the path and puts the value at its end. */
static bool follow(override *o)
{
    orr_document *document = o->document;
    orr_node     *node = document->root;
    const char   *last = "";
    for (unsigned depth = 1;; depth++) {
        char        shown[64];
        const char *key = cut_key(o, node->kind == ORR_NODE_MAP ? node : NULL);
        if (depth == 1 && strcmp(key, "imports") == 0) {
            orr_problem(o->problems, o->where, "imports cannot be overridden");
            return true;
        }
        orr_node **place = node->kind == ORR_NODE_LIST ? item_of(o, node, key, last) : entry_of(o, node, key);
        if (place == NULL)
            return !document->no_memory;
        if (o->path[0] == '\0') {
            if (!orr_parameters_substitute(document, o->value, depth, o->problems))
                return false;
            *place = o->value;
            return true;
        }
        if ((*place)->kind == ORR_NODE_SCALAR) {
            if (!orr_tree_is_nothing(*place)) {
                orr_problem(o->problems, o->where, "\"%s\" is a single value and has no \"%s\"", orr_utf8_excerpt(key, shown), o->path);
                return true;
            }
            *place = orr_tree_node(document, ORR_NODE_MAP, o->where);
            if (*place == NULL)
                return false;
        }
        node = *place;
        last = key;
    }
}

static bool set_parameter(override *o)
{
    char *name = o->path + sizeof "params." - 1, *field = strchr(name, '.'), shown[64];
    if (field != NULL && strcmp(field, ".value") == 0)
        *field = '\0';
    else if (field != NULL) {
        orr_problem(o->problems, o->where, "only the value of a parameter can be set, expected \"params.%.*s=value\"",
                    (int)(field - name < 56 ? field - name : 56), orr_utf8_excerpt(name, shown));
        return true;
    }
    return orr_parameters_override(o->document, name, o->where, o->value, o->problems);
}

static bool is_path(const char *path)
{
    size_t length = strlen(path), segments = 1;
    for (const char *c = path; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (*c == '.' && (c[1] == '.' || c[1] == '\0' || c == path)))
            return false;
        segments += *c == '.';
    }
    return length > 0 && length <= LONGEST_PATH && segments < ORR_DOCUMENT_DEPTH;
}

/* How deep a value will stand is not known before its path has been followed; keys with dots make it less. A parameter's
 * value stands at params.name.value. */
static unsigned depth_of(const char *path)
{
    unsigned depth = 1;
    for (; *path != '\0'; path++)
        depth += *path == '.';
    return depth;
}

static bool apply(orr_document *document, const char *text, bool parameters, orr_problems *problems)
{
    const char *equals = strchr(text, '=');
    size_t      length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    bool        parameter = length == 6 ? strncmp(text, "params", 6) == 0 : strncmp(text, "params.", 7) == 0;
    if (parameter != parameters)
        return true;
    override o = {.document = document, .problems = problems, .where = name_of(document, text)};
    o.path = orr_tree_text(document, text, length);
    if (o.where.file == NULL || o.path == NULL)
        return false;
    if (equals == NULL || !is_path(o.path) || !orr_utf8_is_text(text)) {
        orr_problem(problems, o.where, "expected key.path=value, such as clients.0.population=10");
        return true;
    }
    if (length == 6 && parameter) {
        orr_problem(problems, o.where, "expected the name of a parameter, params.name=value");
        return true;
    }
    o.value = orr_yaml_read(document, ORR_YAML_FRAGMENT, o.where, equals + 1, strlen(equals + 1), parameter ? 3 : depth_of(o.path), problems);
    if (o.value == NULL)
        return !document->no_memory;
    return parameter ? set_parameter(&o) : follow(&o);
}

bool orr_overrides_apply(orr_document *document, const char *const *overrides, size_t count, bool parameters, orr_problems *problems)
{
    for (size_t i = 0; i < count; i++)
        if (!apply(document, overrides[i], parameters, problems))
            return false;
    return true;
}
