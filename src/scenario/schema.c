/* How a tree is checked. The table becomes a tree of rules, shaped like the documents it describes; then document and
 * rules are walked together. A map's keys are taken in the order of the file, so problems come in that order; afterwards
 * the keys that are missing are filled in. A value that is `broken` has had its problem and is passed over.
 *
 *     clients          LIST            rule "clients"
 *     clients[].rate   RATE              rule "[]"        no row of its own: a map is implied
 *     models.*.price   MONEY               rule "rate"
 *
 * A default is written as in YAML. It is read and checked once, then copied wherever the key is missing: a list of
 * 100,000 sites costs no parsing. */
#include "scenario/schema.h"

#include "scenario/range.h"
#include "scenario/tree.h"
#include "scenario/units.h"
#include "scenario/utf8.h"
#include "scenario/yaml_reader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef struct rule {
    const char    *name; /* the last step of the path: a key, "[]" or "*" */
    const orr_key *row;  /* NULL: no row of its own, a map is implied */
    struct rule   *parent, *next;
    struct rule   *first, *last;    /* children that are keys */
    struct rule   *items, *others;  /* children "[]" and "*" */
    const char   **names;           /* of the children that are keys, for suggestions; made when first needed */
    size_t         name_count;
    const char   **choice;          /* of a choice */
    size_t         choice_count;
    orr_node      *fallback;        /* the default, checked if it is a scalar; made when first needed */
    orr_range      range;           /* of a number */
} rule;

typedef struct checker {
    orr_document *document;
    orr_problems *problems;
    rule          root;
    size_t        noted;  /* problems of this check */
    bool          failed; /* no memory, or a default in the table that is not YAML */
} checker;

/* ---- the table as rules ------------------------------------------------------------------------------------------- */

static rule *key_called(const rule *parent, const char *name, size_t length)
{
    rule *child = parent->first;
    while (child != NULL && (strncmp(child->name, name, length) != 0 || child->name[length] != '\0'))
        child = child->next;
    return child;
}

static rule *child_called(const rule *parent, const char *name, size_t length)
{
    if (length == 2 && memcmp(name, "[]", 2) == 0)
        return parent->items;
    return length == 1 && *name == '*' ? parent->others : key_called(parent, name, length);
}

static rule *add_child(checker *c, rule *parent, const char *name, size_t length)
{
    rule *child = orr_tree_alloc(c->document, sizeof *child);
    if (child == NULL || (child->name = orr_tree_text(c->document, name, length)) == NULL)
        return NULL;
    child->parent = parent;
    if (strcmp(child->name, "[]") == 0) {
        parent->items = child;
    } else if (strcmp(child->name, "*") == 0) {
        parent->others = child;
    } else {
        parent->name_count++;
        *(parent->last == NULL ? &parent->first : &parent->last->next) = child;
        parent->last = child;
    }
    return child;
}

static bool split_choices(checker *c, rule *r)
{
    size_t count = 1;
    for (const char *p = r->row->choices; *p != '\0'; p++)
        count += *p == '|';
    r->choice = orr_tree_alloc(c->document, count * sizeof r->choice[0]);
    for (const char *p = r->row->choices; r->choice != NULL; p++) {
        size_t length = strcspn(p, "|");
        if ((r->choice[r->choice_count++] = orr_tree_text(c->document, p, length)) == NULL)
            return false;
        p += length;
        if (*p == '\0')
            return true;
    }
    return false;
}

static bool add_row(checker *c, const orr_key *row)
{
    rule *r = &c->root;
    for (const char *p = row->path; *p != '\0';) {
        size_t length = strncmp(p, "[]", 2) == 0 ? 2 : strcspn(p, ".[");
        rule  *child = child_called(r, p, length);
        if (child == NULL && (child = add_child(c, r, p, length)) == NULL)
            return false;
        r = child;
        p += length;
        p += *p == '.';
    }
    assert(r->row == NULL && "a path stands twice in the table");
    r->row = row;
    if (orr_type_is_number(row->type))
        r->range = orr_range_of(row);
    return row->type != ORR_TYPE_CHOICE || split_choices(c, r);
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static orr_type type_of(const rule *r) { return r->row != NULL ? r->row->type : ORR_TYPE_MAP; }

/* The rule's name as the table writes it, "" for the root. */
static const char *path_of(const rule *r)
{
    while (r->row == NULL && r->parent != NULL) /* an implied map goes by the name of what it stands in */
        r = r->parent;
    return r->row != NULL ? r->row->path : "";
}

static const char **names_of(checker *c, rule *r)
{
    if (r->names == NULL && r->name_count > 0) {
        r->names = orr_tree_alloc(c->document, r->name_count * sizeof r->names[0]);
        size_t i = 0;
        if (r->names == NULL)
            c->failed = true;
        else
            for (const rule *child = r->first; child != NULL; child = child->next)
                r->names[i++] = child->name;
    }
    return r->names;
}

/* Appends to a message that may be cut off, separated by ", ". */
static void list_word(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    if (used + strlen(word) + 8 < size) {
        if (used > 0)
            strcat(text, ", ");
        strcat(text, word);
    } else if (used + 6 < size && (used < 3 || strcmp(text + used - 3, "…") != 0)) {
        strcat(text, " …");
    }
}

static const char *found_words(const orr_node *node, char words[96])
{
    char shown[64];
    if (node->kind != ORR_NODE_SCALAR)
        return node->kind == ORR_NODE_LIST ? "a list" : "a map";
    if (orr_tree_is_nothing(node))
        return "nothing";
    strcpy(words, "\"");
    strcat(words, orr_utf8_excerpt(node->text, shown));
    strcat(words, node->quoted ? "\" in quotes" : "\"");
    return words;
}

/* "path: expected …, found …": the one sentence of every wrong value. `more` follows, "" if nothing does. */
static void note_wrong(checker *c, const rule *r, orr_node *node, const char *expected, const char *more)
{
    char        words[96];
    const char *path = path_of(r);
    orr_problem(c->problems, node->where, "%s%sexpected %s, found %s%s%s%s%s", path, *path != '\0' ? ": " : "", expected,
                found_words(node, words), node->parameters != NULL ? " from " : "", node->parameters != NULL ? node->parameters : "",
                *more != '\0' ? "; " : "", more);
    node->broken = true;
    c->noted++;
}

/* Where a key of that very name exists: one level up or down. NULL if it does not. */
static const rule *home_of(const rule *parent, const char *key)
{
    size_t      length = strlen(key);
    const rule *up = parent->parent;
    if (up != NULL && (parent == up->items || parent == up->others))
        up = up->parent;
    if (up != NULL && key_called(up, key, length) != NULL)
        return up;
    for (const rule *child = parent->first; child != NULL; child = child->next) {
        const rule *down = child->items != NULL ? child->items : child->others != NULL ? child->others : child;
        if (key_called(down, key, length) != NULL)
            return down;
    }
    return NULL;
}

static void note_unknown_key(checker *c, rule *parent, orr_where where, const char *key)
{
    char        shown[64], in[128] = "", valid[400] = "";
    const char *path = path_of(parent);
    const rule *home = home_of(parent, key);
    if (*path != '\0')
        snprintf(in, sizeof in, " in %s", path);
    c->noted++;
    if (home != NULL) {
        const char *home_path = path_of(home);
        orr_problem(c->problems, where, "unknown key \"%s\"%s; did you mean \"%s\" %s%s?", orr_utf8_excerpt(key, shown), in, key,
                    *home_path != '\0' ? "in " : "at the top level", home_path);
        return;
    }
    const char *near = parent->name_count > 0 ? orr_tree_nearest(c->document, key, names_of(c, parent), parent->name_count) : NULL;
    if (near != NULL) {
        orr_problem(c->problems, where, "unknown key \"%s\"%s; did you mean \"%s\"?", orr_utf8_excerpt(key, shown), in, near);
        return;
    }
    for (const rule *child = parent->first; child != NULL; child = child->next)
        list_word(valid, sizeof valid, child->name);
    orr_problem(c->problems, where, "unknown key \"%s\"%s; %s%s", orr_utf8_excerpt(key, shown), in,
                *valid != '\0' ? "its keys are " : "it takes no keys", valid);
}

/* ---- scalars ------------------------------------------------------------------------------------------------------ */

static void check_range(checker *c, const rule *r, orr_node *node)
{
    if (orr_range_holds(&r->range, node->number))
        return;
    char        expected[200];
    const char *unit = r->row->unit != NULL ? r->row->unit : "";
    if (r->row->choices == NULL)
        snprintf(expected, sizeof expected, "a value that is not negative");
    else
        snprintf(expected, sizeof expected, "a value in %s%s%s", r->row->choices, *unit != '\0' ? " " : "", unit);
    note_wrong(c, r, node, expected, "");
}

static void check_choice(checker *c, const rule *r, orr_node *node)
{
    char expected[400] = "", more[160] = "";
    for (size_t i = 0; i < r->choice_count; i++) {
        if (strcmp(node->text, r->choice[i]) == 0) {
            node->integer = (int64_t)i;
            node->number = (double)i;
            return;
        }
        list_word(expected, sizeof expected - 8, r->choice[i]);
    }
    memmove(expected + 7, expected, strlen(expected) + 1);
    memcpy(expected, "one of ", 7);
    const char *near = orr_tree_nearest(c->document, node->text, r->choice, r->choice_count);
    if (near != NULL)
        snprintf(more, sizeof more, "did you mean \"%s\"?", near);
    note_wrong(c, r, node, expected, more);
}

static void check_quantity(checker *c, const rule *r, orr_node *node)
{
    char     expected[160];
    orr_type type = r->row->type;
    bool     bare = type == ORR_TYPE_BOOLEAN || type == ORR_TYPE_INTEGER || type == ORR_TYPE_NUMBER;
    bool     read = orr_units_read(type, node->text, &node->number, &node->integer, expected, sizeof expected);
    if (!read)
        note_wrong(c, r, node, expected, "");
    else if (node->quoted && bare) /* the number is fine: only the quotes make it a text */
        note_wrong(c, r, node, type == ORR_TYPE_BOOLEAN ? "true or false without quotes" : "a number without quotes", "");
    else
        check_range(c, r, node);
}

/* The file in which a path was written: that of the parameter's value if the whole path came from one. */
static const char *written_in(const checker *c, const orr_node *node)
{
    const orr_node *params = orr_node_get(orr_document_root(c->document), "params");
    size_t          length = node->parameters == NULL ? 0 : strlen(node->parameters);
    for (size_t i = 0; params != NULL && length > 3 && i < params->count; i++) {
        const orr_node *value = orr_node_get(params->child[i], "value");
        if (value != NULL && strlen(params->key[i]) == length - 3 && strncmp(node->parameters + 2, params->key[i], length - 3) == 0)
            return value->where.file;
    }
    return node->where.file;
}

/* The path to open. Marked by `integer`, so that a second check leaves it alone. */
static void resolve_path(checker *c, orr_node *node)
{
    const char *file = written_in(c, node), *slash = file == NULL || strncmp(file, "--set ", 6) == 0 ? NULL : strrchr(file, '/');
    if (slash != NULL && node->text[0] != '/' && node->integer == 0) {
        size_t directory = (size_t)(slash - file) + 1;
        char  *path = orr_tree_alloc(c->document, directory + strlen(node->text) + 1);
        if (path == NULL) {
            c->failed = true;
            return;
        }
        memcpy(path, file, directory);
        strcpy(path + directory, node->text);
        node->text = path;
    }
    node->integer = 1;
}

static void check_scalar(checker *c, const rule *r, orr_node *node)
{
    orr_type type = r->row->type;
    if (type == ORR_TYPE_CHOICE && node->kind == ORR_NODE_SCALAR) {
        check_choice(c, r, node);
    } else if (type == ORR_TYPE_TEXT || type == ORR_TYPE_FILE) {
        bool empty = node->kind == ORR_NODE_SCALAR && (orr_tree_is_nothing(node) || (type == ORR_TYPE_FILE && node->text[0] == '\0'));
        if (node->kind != ORR_NODE_SCALAR || empty)
            note_wrong(c, r, node, type == ORR_TYPE_FILE ? "the name of a file" : "a text", "");
        else if (type == ORR_TYPE_FILE)
            resolve_path(c, node);
    } else if (node->kind != ORR_NODE_SCALAR) {
        char    expected[160];
        double  number;
        int64_t integer;
        if (type == ORR_TYPE_CHOICE)
            strcpy(expected, "a choice");
        else
            orr_units_read(type, "", &number, &integer, expected, sizeof expected);
        note_wrong(c, r, node, expected, "");
    } else {
        check_quantity(c, r, node);
    }
}

/* ---- defaults ----------------------------------------------------------------------------------------------------- */

static void check_node(checker *c, rule *r, orr_node *node);

static bool is_scalar(orr_type type) { return type < ORR_TYPE_MAP; }

static void mark_defaulted(orr_node *node)
{
    node->defaulted = true;
    for (size_t i = 0; i < node->count; i++)
        mark_defaulted(node->child[i]);
}

/* The rule's default as a value to copy; NULL without memory or if the table is wrong. */
static const orr_node *fallback_of(checker *c, rule *r)
{
    if (r->fallback != NULL)
        return r->fallback;
    const char *text = r->row->fallback;
    char       *name = orr_tree_alloc(c->document, sizeof "default of " + strlen(r->row->path));
    if (name == NULL)
        return NULL;
    strcat(strcpy(name, "default of "), r->row->path);
    orr_node *value = orr_yaml_read(c->document, ORR_YAML_FRAGMENT, (orr_where){.file = name}, text, strlen(text), 0, c->problems);
    if (value == NULL)
        return NULL;
    mark_defaulted(value);
    if (is_scalar(r->row->type))
        check_node(c, r, value);
    return r->fallback = value;
}

/* Fills in a key that the map does not have, or notes that it should have. */
static void fill(checker *c, rule *r, orr_node *map)
{
    if (r->row == NULL || (r->row->fallback != NULL && r->row->fallback[0] == '\0'))
        return;
    if (r->row->fallback == NULL) {
        const char *path = path_of(r->parent);
        if (!c->document->incomplete) {
            orr_problem(c->problems, map->where, "missing key \"%s\"%s%s: %s", r->name, *path != '\0' ? " in " : "", path, r->row->meaning);
            c->noted++;
        }
        return;
    }
    const orr_node *fallback = fallback_of(c, r);
    orr_node       *value = fallback == NULL ? NULL : orr_tree_copy(c->document, fallback, 0, &map->where, NULL);
    if (value == NULL || !orr_tree_put(c->document, map, r->name, map->where, value))
        c->failed = true;
    else if (!is_scalar(r->row->type))
        check_node(c, r, value);
}

/* ---- the walk ----------------------------------------------------------------------------------------------------- */

static void check_map(checker *c, rule *r, orr_node *map)
{
    size_t given = map->count;
    rule  *guess = r->first; /* keys mostly stand in the table's order: the next key is likely the next rule */
    for (size_t i = 0; i < given && !c->failed; i++) {
        rule *child = guess != NULL && strcmp(guess->name, map->key[i]) == 0 ? guess : NULL;
        for (child = child != NULL ? child : r->first; child != NULL && strcmp(child->name, map->key[i]) != 0;)
            child = child->next;
        if (child == NULL && r->others != NULL)
            child = r->others;
        if (child == NULL && type_of(r) != ORR_TYPE_OPEN_MAP)
            note_unknown_key(c, r, map->key_where[i], map->key[i]);
        else if (child != NULL)
            check_node(c, child, map->child[i]);
        guess = child != NULL ? child->next : guess;
    }
    for (rule *child = r->first; child != NULL && !c->failed; child = child->next)
        if (orr_tree_find(map, child->name) < 0)
            fill(c, child, map);
}

static void check_node(checker *c, rule *r, orr_node *node)
{
    orr_type type = type_of(r);
    if (node->broken || type == ORR_TYPE_ANY)
        return;
    if (type == ORR_TYPE_MAP || type == ORR_TYPE_OPEN_MAP) {
        if (node->kind == ORR_NODE_MAP)
            check_map(c, r, node);
        else
            note_wrong(c, r, node, "a map of keys", "");
    } else if (type == ORR_TYPE_LIST) {
        if (node->kind != ORR_NODE_LIST)
            note_wrong(c, r, node, "a list", "");
        else if (r->items != NULL)
            for (size_t i = 0; i < node->count && !c->failed; i++)
                check_node(c, r->items, node->child[i]);
    } else {
        check_scalar(c, r, node);
    }
}

bool orr_schema_check(const orr_key *table, size_t count, orr_document *document, orr_node *root, orr_problems *problems)
{
    checker c = {.document = document, .problems = problems, .root.name = ""};
    for (size_t i = 0; i < count && !c.failed; i++)
        c.failed = !add_row(&c, &table[i]);
    if (!c.failed)
        check_node(&c, &c.root, root);
    if (document->no_memory)
        problems->out_of_memory = true;
    return !c.failed && !document->no_memory && c.noted == 0 && !problems->out_of_memory;
}

/* ---- reading a checked tree --------------------------------------------------------------------------------------- */

static const orr_node *present(const orr_node *map, const char *key)
{
    const orr_node *node = orr_node_get(map, key);
    assert(node != NULL && "a key without default that was not given, or is not in the table");
    return node;
}

double      orr_number(const orr_node *map, const char *key) { return present(map, key)->number; }
int64_t     orr_integer(const orr_node *map, const char *key) { return present(map, key)->integer; }
const char *orr_text(const orr_node *map, const char *key) { return present(map, key)->text; }
bool        orr_has(const orr_node *map, const char *key) { return orr_node_get(map, key) != NULL; }

orr_where orr_where_of(const orr_node *map, const char *key)
{
    const orr_node *node = orr_node_get(map, key);
    return node == NULL ? map->where : node->where;
}
