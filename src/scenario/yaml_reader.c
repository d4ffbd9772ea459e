/* How it is read. libyaml's event interface hands over one token of structure at a time; the tree is built on the way
 * down, so that depth and number of values are bounded before anything is stored. libyaml's own document loader would
 * keep aliases shared and check nothing; this one copies the anchored value at each alias.
 *
 * A mistake that leaves the structure clear (a duplicate key, an unknown anchor) is noted and reading goes on. After a
 * syntax error nothing is certain: `failed` is set and every level returns. */
#include "scenario/yaml_reader.h"

#include "scenario/utf8.h"
#include "scenario/yaml_writer.h"

#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    orr_document *document;
    orr_problems *problems;
    orr_yaml_what what;
    orr_where     place;
    const char   *text; /* of the whole input, for a hint at what stands where libyaml stumbled */
    size_t        length;
    orr_node     *anchors;                       /* a map of anchor -> value */
    orr_node     *open[ORR_DOCUMENT_DEPTH + 1]; /* the collections that are being read: an alias to one is a cycle */
    size_t        opened;
    bool          failed;
} reader;

static orr_node *read_node(reader *r, yaml_event_t *event, unsigned depth);

static orr_where where_of(const reader *r, yaml_mark_t mark)
{
    if (r->what == ORR_YAML_FRAGMENT)
        return r->place;
    return (orr_where){r->place.file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* The input from a mark on. Marks count characters, so the bytes are found by walking. */
static const char *text_at(const reader *r, yaml_mark_t mark)
{
    const char *p = r->text, *end = r->text + r->length;
    for (size_t line = 0; line < mark.line && p < end; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline == NULL ? end : newline + 1;
    }
    for (size_t column = 0; column < mark.column && p < end; column++)
        do
            p++;
        while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
    return p;
}

/* What people usually did when libyaml complains here. */
static const char *hint_at(const reader *r, yaml_mark_t mark)
{
    const char *p = text_at(r, mark);
    if (p < r->text + r->length && *p == '\t')
        return "; a tab cannot indent here, use spaces";
    if (p < r->text + r->length && p > r->text && *p == '{' && p[-1] == '$')
        return "; inside [ ] and { } write \"${name}\" in quotes";
    return "";
}

static void note_syntax(reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        r->document->no_memory = true;
    } else if (p->error == YAML_READER_ERROR) { /* it has no mark, only an offset in bytes */
        yaml_mark_t mark = {0};
        for (size_t i = 0; i < p->problem_offset && i < r->length; i++) {
            mark.column = r->text[i] == '\n' ? 0 : mark.column + (((unsigned char)r->text[i] & 0xc0) != 0x80);
            mark.line += r->text[i] == '\n';
        }
        orr_problem(r->problems, where_of(r, mark), "this is not text: %s", p->problem);
    } else if (p->context != NULL) {
        orr_problem(r->problems, where_of(r, p->problem_mark), "not valid YAML: %s %s that begins in line %zu%s", p->problem,
                    p->context, p->context_mark.line + 1, hint_at(r, p->problem_mark));
    } else {
        orr_problem(r->problems, where_of(r, p->problem_mark), "not valid YAML: %s%s", p->problem, hint_at(r, p->problem_mark));
    }
    r->failed = true;
}

static bool next_event(reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    note_syntax(r);
    return false;
}

/* Ends the reading of this input, with a word about the bound that was broken, if one was. */
static orr_node *give_up(reader *r, orr_where where)
{
    if (r->document->too_much != NULL) {
        orr_problem(r->problems, where, "the %s %s", r->what == ORR_YAML_FILE ? "file" : "value", r->document->too_much);
        r->document->too_much = NULL;
    }
    r->failed = true;
    return NULL;
}

static orr_node *new_node(reader *r, orr_node_kind kind, yaml_mark_t mark, unsigned depth)
{
    if (depth > ORR_DOCUMENT_DEPTH)
        r->document->too_much = "is nested more than 64 levels deep";
    else if (orr_tree_charge(r->document, 1)) {
        orr_node *node = orr_tree_node(r->document, kind, where_of(r, mark));
        if (node != NULL)
            return node;
    }
    return give_up(r, where_of(r, mark));
}

static orr_node *broken(orr_node *node)
{
    if (node != NULL)
        node->broken = true;
    return node;
}

static void check_tag(reader *r, const yaml_char_t *tag, orr_where where)
{
    static const char core[] = "tag:yaml.org,2002:";
    if (tag == NULL || strcmp((const char *)tag, "!") == 0 || strncmp((const char *)tag, core, sizeof core - 1) == 0)
        return;
    char shown[64];
    orr_problem(r->problems, where, "tags such as \"%s\" have no meaning here", orr_utf8_excerpt((const char *)tag, shown));
}

/* Remembers a node by its anchor. A later anchor of the same name replaces the earlier, as YAML has it. */
static bool keep_anchor(reader *r, const yaml_char_t *anchor, orr_node *node)
{
    if (anchor == NULL)
        return true;
    ptrdiff_t known = orr_tree_find(r->anchors, (const char *)anchor);
    if (known >= 0) {
        r->anchors->child[known] = node;
        return true;
    }
    const char *name = orr_tree_text(r->document, (const char *)anchor, strlen((const char *)anchor));
    if (name != NULL && orr_tree_put(r->document, r->anchors, name, node->where, node))
        return true;
    r->failed = true;
    return false;
}

static orr_node *read_alias(reader *r, const yaml_event_t *event, unsigned depth)
{
    const char *name = (const char *)event->data.alias.anchor;
    orr_where   where = where_of(r, event->start_mark);
    char        shown[64];
    ptrdiff_t   found = orr_tree_find(r->anchors, name);
    if (found < 0) {
        const char *near = orr_tree_nearest(r->document, name, r->anchors->key, r->anchors->count);
        orr_problem(r->problems, where, "unknown anchor \"%s\"%s%s%s", orr_utf8_excerpt(name, shown),
                    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
        return broken(new_node(r, ORR_NODE_SCALAR, event->start_mark, depth));
    }
    const orr_node *target = r->anchors->child[found];
    for (size_t i = 0; i < r->opened; i++)
        if (r->open[i] == target) {
            orr_problem(r->problems, where, "\"*%s\" stands inside the very value that it repeats", orr_utf8_excerpt(name, shown));
            return broken(new_node(r, ORR_NODE_SCALAR, event->start_mark, depth));
        }
    orr_node *copy = orr_tree_copy(r->document, target, depth, NULL, NULL);
    return copy != NULL ? copy : give_up(r, where);
}

static orr_node *read_scalar(reader *r, const yaml_event_t *event, unsigned depth)
{
    orr_node *node = new_node(r, ORR_NODE_SCALAR, event->start_mark, depth);
    if (node == NULL)
        return NULL;
    const char *value = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
    check_tag(r, event->data.scalar.tag, node->where);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (tag != NULL && strcmp(tag, YAML_STR_TAG) == 0)
                   || !orr_yaml_is_plain(value);
    if (memchr(value, '\0', event->data.scalar.length) != NULL) {
        orr_problem(r->problems, node->where, "a NUL byte has no place in a text");
        node->broken = true;
    }
    node->text = orr_tree_text(r->document, value, event->data.scalar.length);
    if (node->text == NULL)
        return give_up(r, node->where);
    return keep_anchor(r, event->data.scalar.anchor, node) ? node : NULL;
}

static orr_node *read_list(reader *r, const yaml_event_t *start, unsigned depth)
{
    orr_node *list = new_node(r, ORR_NODE_LIST, start->start_mark, depth);
    if (list == NULL || !keep_anchor(r, start->data.sequence_start.anchor, list))
        return NULL;
    check_tag(r, start->data.sequence_start.tag, list->where);
    r->open[r->opened++] = list;
    for (yaml_event_t event; next_event(r, &event);) {
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            r->opened--;
            return list;
        }
        orr_node *item = read_node(r, &event, depth + 1);
        if (item == NULL)
            return NULL;
        if (!orr_tree_append(r->document, list, item))
            return give_up(r, list->where);
    }
    return NULL;
}

/* `<<: *base` or `<<: [*a, *b]`: own keys win, then those of the earlier map. The maps are copies, so children just move. */
static bool merge(reader *r, orr_node *map, const orr_node *from)
{
    if (from->broken)
        return true;
    bool ok = from->kind != ORR_NODE_SCALAR;
    for (size_t i = 0; ok && from->kind == ORR_NODE_LIST && i < from->count; i++)
        ok = from->child[i]->kind == ORR_NODE_MAP || from->child[i]->broken;
    if (!ok) {
        orr_problem(r->problems, from->where, "\"<<\" takes a map or a list of maps");
        return true;
    }
    for (size_t i = 0; i < from->count; i++) {
        if (from->kind == ORR_NODE_LIST) {
            if (!merge(r, map, from->child[i]))
                return false;
        } else if (orr_tree_find(map, from->key[i]) < 0
                   && !orr_tree_put(r->document, map, from->key[i], from->key_where[i], from->child[i])) {
            return false;
        }
    }
    return true;
}

/* Stores one pair, or says why it cannot be kept. `merged` receives the value of `<<`. */
static bool keep_pair(reader *r, orr_node *map, const orr_node *key, orr_node *value, orr_node **merged)
{
    char shown[64];
    if (key->kind != ORR_NODE_SCALAR) {
        orr_problem(r->problems, key->where, "a key must be a text, found a %s", key->kind == ORR_NODE_LIST ? "list" : "map");
        return true;
    }
    if (key->broken)
        return true;
    if (key->text[0] == '\0') {
        orr_problem(r->problems, key->where, "a key must not be empty");
        return true;
    }
    bool is_merge = !key->quoted && strcmp(key->text, "<<") == 0;
    if (is_merge && *merged == NULL) {
        *merged = value;
        return true;
    }
    ptrdiff_t first = orr_tree_find(map, key->text);
    if (first < 0 && !is_merge)
        return orr_tree_put(r->document, map, key->text, key->where, value);
    uint32_t line = is_merge ? (*merged)->where.line : map->key_where[first].line;
    if (line > 0)
        orr_problem(r->problems, key->where, "duplicate key \"%s\", first in line %u", orr_utf8_excerpt(key->text, shown), line);
    else
        orr_problem(r->problems, key->where, "duplicate key \"%s\"", orr_utf8_excerpt(key->text, shown));
    return true;
}

static orr_node *read_map(reader *r, const yaml_event_t *start, unsigned depth)
{
    orr_node *map = new_node(r, ORR_NODE_MAP, start->start_mark, depth), *merged = NULL;
    if (map == NULL || !keep_anchor(r, start->data.mapping_start.anchor, map))
        return NULL;
    check_tag(r, start->data.mapping_start.tag, map->where);
    r->open[r->opened++] = map;
    for (yaml_event_t event; next_event(r, &event);) {
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            r->opened--;
            return merged == NULL || merge(r, map, merged) ? map : give_up(r, map->where);
        }
        orr_node *key = read_node(r, &event, depth + 1);
        if (key == NULL || !next_event(r, &event))
            return NULL;
        orr_node *value = read_node(r, &event, depth + 1);
        if (value == NULL)
            return NULL;
        if (!keep_pair(r, map, key, value, &merged))
            return give_up(r, map->where);
    }
    return NULL;
}

/* Reads the value that begins with `event`, and disposes of the event. */
static orr_node *read_node(reader *r, yaml_event_t *event, unsigned depth)
{
    orr_node *node = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        node = read_alias(r, event, depth);
    else if (event->type == YAML_SCALAR_EVENT)
        node = read_scalar(r, event, depth);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node = read_list(r, event, depth);
    else if (event->type == YAML_MAPPING_START_EVENT)
        node = read_map(r, event, depth);
    yaml_event_delete(event);
    return node;
}

static orr_node *root_of_nothing(reader *r, yaml_mark_t mark, unsigned depth)
{
    if (r->what == ORR_YAML_FRAGMENT)
        return new_node(r, ORR_NODE_SCALAR, mark, depth);
    orr_problem(r->problems, r->place, "the file is empty, expected a map of keys");
    return NULL;
}

static orr_node *read_stream(reader *r, unsigned depth)
{
    yaml_event_t event;
    if (!next_event(r, &event)) /* the start of the stream */
        return NULL;
    yaml_event_delete(&event);
    if (!next_event(r, &event))
        return NULL;
    bool        none = event.type == YAML_STREAM_END_EVENT;
    yaml_mark_t mark = event.start_mark;
    yaml_event_delete(&event);
    if (none)
        return root_of_nothing(r, mark, depth);
    if (!next_event(r, &event))
        return NULL;
    orr_node *root = read_node(r, &event, depth);
    if (root == NULL || !next_event(r, &event)) /* the end of the document */
        return NULL;
    yaml_event_delete(&event);
    if (!next_event(r, &event))
        return NULL;
    if (event.type != YAML_STREAM_END_EVENT)
        orr_problem(r->problems, where_of(r, event.start_mark), "a second YAML document begins here, expected one per file");
    yaml_event_delete(&event);
    return root;
}

orr_node *orr_yaml_read(orr_document *document, orr_yaml_what what, orr_where place, const char *text, size_t length,
                        unsigned depth, orr_problems *problems)
{
    reader r = {.document = document, .problems = problems, .what = what, .place = place, .text = text, .length = length};
    r.anchors = orr_tree_node(document, ORR_NODE_MAP, place);
    if (r.anchors == NULL)
        return NULL;
    if (!yaml_parser_initialize(&r.parser)) {
        document->no_memory = true;
        return NULL;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    orr_node *root = read_stream(&r, depth);
    yaml_parser_delete(&r.parser);
    if (r.failed || root == NULL)
        return NULL;
    if (what == ORR_YAML_FILE && root->kind != ORR_NODE_MAP) {
        orr_problem(problems, root->where, "expected a map of keys, found %s",
                    root->kind == ORR_NODE_LIST ? "a list" : orr_tree_is_nothing(root) ? "nothing" : "a single value");
        return NULL;
    }
    return root;
}
