#include "scenario/parameters.h"

#include "scenario/text_builder.h"
#include "scenario/utf8.h"
#include "scenario/yaml_writer.h"

#include <stdlib.h>
#include <string.h>

static const char *const fields[] = {"default", "unit", "text", "value"};
enum { FIELDS = 4, FIELD_DEFAULT = 0, FIELD_VALUE = 3 };

/* The value in force stands at params . name . value. */
enum { VALUE_DEPTH = 3, LONGEST_TEXT = 1 << 20, LONGEST_CHAIN = 64 };

static bool is_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && (c == name || !((*c >= '0' && *c <= '9') || *c == '-')))
            return false;
    }
    return name[0] != '\0';
}

/* ---- declarations ------------------------------------------------------------------------------------------------- */

static bool copy_field(orr_document *document, orr_node *to, const orr_node *from, const char *field)
{
    ptrdiff_t i = orr_tree_find(from, field);
    return i < 0 || orr_tree_put(document, to, field, from->key_where[i], from->child[i]);
}

static void check_declaration(orr_document *document, const char *name, const orr_node *written, orr_where where, orr_problems *problems)
{
    char shown[64], shown_field[64];
    for (size_t i = 0; i < written->count; i++) {
        const char *field = written->key[i];
        bool        known = false;
        for (size_t k = 0; k < FIELDS; k++)
            known = known || strcmp(field, fields[k]) == 0;
        if (known)
            continue;
        const char *near = orr_tree_nearest(document, field, fields, FIELDS);
        orr_problem(problems, written->key_where[i], "unknown key \"%s\" in parameter \"%s\"; %s%s%s", orr_utf8_excerpt(field, shown_field),
                    orr_utf8_excerpt(name, shown), near != NULL ? "did you mean \"" : "its keys are default, unit, text, value",
                    near != NULL ? near : "", near != NULL ? "\"?" : "");
    }
    if (orr_tree_find(written, "default") < 0)
        orr_problem(problems, where, "parameter \"%s\" has no \"default\"; it is written name: value or name: {default, unit, text}",
                    orr_utf8_excerpt(name, shown));
}

static orr_node *normal_form(orr_document *document, const char *name, orr_where where, orr_node *written, orr_problems *problems)
{
    orr_node *normal = orr_tree_node(document, ORR_NODE_MAP, written->where);
    if (normal == NULL)
        return NULL;
    if (written->kind != ORR_NODE_MAP)
        return orr_tree_put(document, normal, fields[FIELD_DEFAULT], where, written) ? normal : NULL;
    check_declaration(document, name, written, where, problems);
    for (size_t k = 0; k < FIELDS; k++)
        if (!copy_field(document, normal, written, fields[k]))
            return NULL;
    normal->broken = orr_tree_find(normal, "default") < 0;
    return normal;
}

bool orr_parameters_normalise(orr_document *document, orr_node *root, orr_problems *problems)
{
    ptrdiff_t at = orr_tree_find(root, "params");
    if (at < 0)
        return true;
    orr_node *written = root->child[at], *normal = orr_tree_node(document, ORR_NODE_MAP, written->where);
    if (normal == NULL)
        return false;
    root->child[at] = normal;
    if (written->kind != ORR_NODE_MAP && !orr_tree_is_nothing(written))
        orr_problem(problems, written->where, "params: expected a map of name: value, found a %s",
                    written->kind == ORR_NODE_LIST ? "list" : "single value");
    if (written->kind != ORR_NODE_MAP)
        return true;
    for (size_t i = 0; i < written->count; i++) {
        char shown[64];
        if (!is_name(written->key[i])) {
            orr_problem(problems, written->key_where[i], "\"%s\" cannot name a parameter: expected letters, digits, _ and -, a letter first",
                        orr_utf8_excerpt(written->key[i], shown));
            continue;
        }
        orr_node *parameter = normal_form(document, written->key[i], written->key_where[i], written->child[i], problems);
        if (parameter == NULL || !orr_tree_put(document, normal, written->key[i], written->key_where[i], parameter))
            return false;
    }
    return true;
}

static orr_node *merge_one(orr_document *document, const orr_node *base, const orr_node *over)
{
    orr_node *both = orr_tree_node(document, ORR_NODE_MAP, over->where);
    bool      renewed = orr_tree_find(over, "default") >= 0;
    for (size_t k = 0; both != NULL && k < FIELDS; k++) {
        bool from_over = orr_tree_find(over, fields[k]) >= 0 || (k == FIELD_VALUE && renewed);
        if (!copy_field(document, both, from_over ? over : base, fields[k]))
            return NULL;
    }
    return both;
}

orr_node *orr_parameters_merge(orr_document *document, const orr_node *base, const orr_node *over)
{
    orr_node *both = orr_tree_node(document, ORR_NODE_MAP, over->where);
    for (size_t i = 0; both != NULL && i < base->count; i++) {
        ptrdiff_t k = orr_tree_find(over, base->key[i]);
        orr_node *one = k < 0 ? base->child[i] : merge_one(document, base->child[i], over->child[k]);
        if (one == NULL || !orr_tree_put(document, both, base->key[i], k < 0 ? base->key_where[i] : over->key_where[k], one))
            return NULL;
    }
    for (size_t i = 0; both != NULL && i < over->count; i++)
        if (orr_tree_find(both, over->key[i]) < 0 && !orr_tree_put(document, both, over->key[i], over->key_where[i], over->child[i]))
            return NULL;
    return both;
}

bool orr_parameters_override(orr_document *document, const char *name, orr_where where, orr_node *value, orr_problems *problems)
{
    const orr_node *params = orr_node_get(document->root, "params");
    ptrdiff_t       at = params == NULL ? -1 : orr_tree_find(params, name);
    char            shown[64];
    if (at < 0) {
        const char *near = params == NULL ? NULL : orr_tree_nearest(document, name, params->key, params->count);
        if (document->incomplete)
            return true;
        orr_problem(problems, where, "no parameter \"%s\" is declared%s%s%s", orr_utf8_excerpt(name, shown),
                    near != NULL ? "; did you mean \"params." : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
        return true;
    }
    orr_node *parameter = params->child[at];
    ptrdiff_t old = orr_tree_find(parameter, "value");
    if (old < 0)
        return orr_tree_put(document, parameter, fields[FIELD_VALUE], where, value);
    parameter->child[old] = value;
    parameter->key_where[old] = where;
    return true;
}

/* ---- references --------------------------------------------------------------------------------------------------- */

/* A parameter is settled when something refers to it, or at the latest in turn; one that is met while it is being
 * settled refers to itself. Its value holds no `${` to be replaced afterwards, so values are copied, never scanned again. */
typedef enum state { UNSETTLED, SETTLING, SETTLED } state;

typedef struct resolver {
    orr_document   *document;
    orr_problems   *problems;
    const orr_node *params; /* NULL if there are none */
    uint8_t        *state;  /* one per parameter; NULL when all are settled */
    unsigned        chain;  /* parameters that are being settled, one because of the other */
} resolver;

static bool substitute(resolver *r, orr_node *node, unsigned depth);

static void note_too_much(resolver *r, orr_node *node)
{
    node->broken = true;
    if (!r->document->no_memory)
        orr_problem(r->problems, node->where, "with its parameters in place this %s",
                    r->document->too_much != NULL ? r->document->too_much : "grows beyond all bounds");
    r->document->too_much = NULL;
}

static bool settle(resolver *r, size_t i)
{
    r->state[i] = SETTLING;
    r->chain++;
    orr_node *parameter = r->params->child[i];
    for (size_t k = 0; k < parameter->count; k++)
        if ((strcmp(parameter->key[k], "default") == 0 || strcmp(parameter->key[k], "value") == 0)
            && !substitute(r, parameter->child[k], VALUE_DEPTH))
            return false;
    const orr_node *fallback = orr_node_get(parameter, "default");
    if (fallback != NULL && orr_tree_find(parameter, "value") < 0) {
        orr_node *value = orr_tree_copy(r->document, fallback, VALUE_DEPTH, NULL, NULL);
        if (value == NULL)
            note_too_much(r, parameter);
        else if (!orr_tree_put(r->document, parameter, fields[FIELD_VALUE], orr_node_key_where(parameter, "default"), value))
            return false;
        if (r->document->no_memory)
            return false;
    }
    r->chain--;
    r->state[i] = SETTLED;
    return true;
}

static void note_unknown(resolver *r, const orr_node *node, const char *name)
{
    char        shown[64];
    const char *near = r->params == NULL ? NULL : orr_tree_nearest(r->document, name, r->params->key, r->params->count);
    if (r->document->incomplete)
        return;
    if (r->params == NULL || r->params->count == 0)
        orr_problem(r->problems, node->where, "unknown parameter \"%s\": nothing is declared under params", orr_utf8_excerpt(name, shown));
    else if (near != NULL)
        orr_problem(r->problems, node->where, "unknown parameter \"%s\"; did you mean \"${%s}\"?", orr_utf8_excerpt(name, shown), near);
    else
        orr_problem(r->problems, node->where, "unknown parameter \"%s\"; a plain \"${\" is written \"$${\"", orr_utf8_excerpt(name, shown));
}

/* The value in force of a parameter that `node` refers to; NULL after a problem, which leaves the node broken, or without memory. */
static const orr_node *value_of(resolver *r, orr_node *node, const char *name)
{
    ptrdiff_t i = r->params == NULL ? -1 : orr_tree_find(r->params, name);
    char      shown[64];
    node->broken = true;
    if (i < 0) {
        note_unknown(r, node, name);
        return NULL;
    }
    if (r->state != NULL && r->state[i] == SETTLING) {
        orr_problem(r->problems, node->where, "parameter \"%s\" refers to itself", orr_utf8_excerpt(name, shown));
        return NULL;
    }
    if (r->state != NULL && r->state[i] == UNSETTLED) {
        if (r->chain >= LONGEST_CHAIN) {
            orr_problem(r->problems, node->where, "parameter \"%s\" is at the end of a chain of more than %d parameters",
                        orr_utf8_excerpt(name, shown), LONGEST_CHAIN);
            return NULL;
        }
        if (!settle(r, (size_t)i))
            return NULL;
    }
    const orr_node *value = orr_node_get(r->params->child[i], "value");
    if (value != NULL && !value->broken)
        node->broken = false;
    return node->broken ? NULL : value;
}

/* `${name}` and nothing else: the node becomes a copy of the value, but stands where it stood. */
static bool become_value(resolver *r, orr_node *node, const char *name, unsigned depth)
{
    const orr_node *value = value_of(r, node, name);
    if (value == NULL)
        return !r->document->no_memory;
    orr_node *copy = orr_tree_copy(r->document, value, depth, &node->where, node->text);
    if (copy == NULL)
        note_too_much(r, node);
    else
        *node = *copy;
    return !r->document->no_memory;
}

/* Adds the value of the reference that begins at `text` to `out`, and its name to `names`. Returns what follows, NULL after a problem. */
static const char *build_reference(resolver *r, orr_node *node, const char *text, orr_text_builder *out, orr_text_builder *names)
{
    const char *end = strchr(text, '}');
    char        shown[64];
    if (end == NULL) {
        orr_problem(r->problems, node->where, "\"%s\" lacks its closing brace; a plain \"${\" is written \"$${\"", orr_utf8_excerpt(text, shown));
        node->broken = true;
        return NULL;
    }
    const char *name = orr_tree_text(r->document, text + 2, (size_t)(end - text) - 2);
    if (name == NULL)
        return NULL;
    const orr_node *value = value_of(r, node, name);
    if (value == NULL)
        return NULL;
    if (value->kind != ORR_NODE_SCALAR) {
        orr_problem(r->problems, node->where, "parameter \"%s\" is a %s and cannot stand inside a text", orr_utf8_excerpt(name, shown),
                    value->kind == ORR_NODE_LIST ? "list" : "map");
        node->broken = true;
        return NULL;
    }
    size_t length = strlen(value->text);
    if (length > r->document->expansion_left || out->length + length > LONGEST_TEXT) {
        note_too_much(r, node);
        return NULL;
    }
    r->document->expansion_left -= length;
    node->quoted = node->quoted || value->quoted; /* what holds a text is a text */
    orr_build_bytes(out, value->text, length);
    if (names->length < 100) { /* enough for a message */
        orr_build_text(names, names->length > 0 ? ", " : "");
        orr_build_bytes(names, text, (size_t)(end - text) + 1);
    }
    return end + 1;
}

static bool build_text(resolver *r, orr_node *node, orr_text_builder *out, orr_text_builder *names)
{
    const char *text = node->text;
    while (text != NULL && *text != '\0') {
        if (strncmp(text, "$${", 3) == 0) {
            orr_build_text(out, "${");
            text += 3;
        } else if (strncmp(text, "${", 2) == 0) {
            text = build_reference(r, node, text, out, names);
        } else {
            size_t plain = 1 + strcspn(text + 1, "$");
            orr_build_bytes(out, text, plain);
            text += plain;
        }
    }
    if (out->out_of_memory || names->out_of_memory)
        r->document->no_memory = true;
    if (text == NULL || r->document->no_memory)
        return !r->document->no_memory;
    const char *whole = orr_tree_text(r->document, out->length > 0 ? out->text : "", out->length);
    if (names->length > 0)
        node->parameters = orr_tree_text(r->document, names->text, names->length);
    if (whole != NULL) {
        node->text = whole;
        node->quoted = node->quoted || !orr_yaml_is_plain(whole);
    }
    return !r->document->no_memory;
}

static bool substitute_scalar(resolver *r, orr_node *node, unsigned depth)
{
    if (node->broken || strstr(node->text, "${") == NULL)
        return true;
    const char *brace = strchr(node->text, '}');
    if (strncmp(node->text, "${", 2) == 0 && brace != NULL && brace[1] == '\0') {
        const char *name = orr_tree_text(r->document, node->text + 2, (size_t)(brace - node->text) - 2);
        return name != NULL && become_value(r, node, name, depth);
    }
    orr_text_builder out = {0}, names = {0};
    bool             ok = build_text(r, node, &out, &names);
    free(out.text);
    free(names.text);
    return ok;
}

static bool substitute(resolver *r, orr_node *node, unsigned depth)
{
    if (node->kind == ORR_NODE_SCALAR)
        return substitute_scalar(r, node, depth);
    for (size_t i = 0; i < node->count; i++)
        if (!substitute(r, node->child[i], depth + 1))
            return false;
    return true;
}

static bool settle_all(resolver *r)
{
    r->state = orr_tree_alloc(r->document, r->params->count);
    if (r->state == NULL)
        return false;
    for (size_t i = 0; i < r->params->count; i++)
        if (r->state[i] == UNSETTLED && !settle(r, i))
            return false;
    r->state = NULL;
    for (size_t i = 0; i < r->params->count; i++) /* now that all have values, what describes them may use them */
        for (size_t k = 0; k < r->params->child[i]->count; k++) {
            const char *field = r->params->child[i]->key[k];
            if ((strcmp(field, "unit") == 0 || strcmp(field, "text") == 0) && !substitute(r, r->params->child[i]->child[k], VALUE_DEPTH))
                return false;
        }
    return true;
}

bool orr_parameters_resolve(orr_document *document, orr_problems *problems)
{
    resolver r = {.document = document, .problems = problems, .params = orr_node_get(document->root, "params")};
    if (r.params != NULL && !settle_all(&r))
        return false;
    const orr_node *root = document->root;
    for (size_t i = 0; i < root->count; i++)
        if (strcmp(root->key[i], "params") != 0 && !substitute(&r, root->child[i], 1))
            return false;
    return true;
}

bool orr_parameters_substitute(orr_document *document, orr_node *node, unsigned depth, orr_problems *problems)
{
    resolver r = {.document = document, .problems = problems, .params = orr_node_get(document->root, "params")};
    return substitute(&r, node, depth);
}
