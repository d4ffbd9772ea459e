#include "study/study.h"

#include "scenario/schema.h"
#include "scenario/units.h"
#include "study/keys.h"
#include "trace/metric.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 100000, MOST_SEEDS = 1000000, MOST_CELLS = 10000000 };

typedef struct reader {
    orr_study    *study;
    orr_problems *problems;
    const orr_node *root;
    orr_document *scenario; /* the base, as it is without the study: what its keys and parameters are called */
} reader;

/* --- texts --- */

static char *copy(reader *r, const char *text)
{
    char *own = strdup(text);
    r->problems->out_of_memory |= own == NULL;
    return own;
}

__attribute__((format(printf, 2, 3))) static char *made(reader *r, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    r->problems->out_of_memory |= text == NULL;
    return text;
}

static void *room(reader *r, size_t count, size_t size)
{
    void *items = calloc(count + 1, size);
    r->problems->out_of_memory |= items == NULL;
    return items;
}

/* Appends to a malloced text; frees it and gives NULL without memory. */
static char *joined(reader *r, char *text, const char *separator, const char *more)
{
    char *longer = made(r, "%s%s%s", text != NULL ? text : "", text != NULL ? separator : "", more);
    free(text);
    return longer;
}

/* --- values --- */

/* A path that says that it is relative is so to the study; others, as behind --set, to the current folder. */
static char *value_text(reader *r, const orr_node *value)
{
    const char *slash = strrchr(r->study->path, '/');
    if (value->kind == ORR_NODE_SCALAR && (strncmp(value->text, "./", 2) == 0 || strncmp(value->text, "../", 3) == 0) && slash != NULL)
        return made(r, "\"%.*s/%s\"", (int)(slash - r->study->path), r->study->path, value->text);
    char *text = orr_node_text(value);
    r->problems->out_of_memory |= text == NULL;
    return text;
}

static char *override_of(reader *r, const char *key, const orr_node *value)
{
    char *text = value_text(r, value), *override = text == NULL ? NULL : made(r, "%s=%s", key, text);
    free(text);
    return override;
}

/* The number behind a value as people write it, and the unit it is in. */
static double number_of(const char *text, const char **unit)
{
    static const struct {
        orr_type    type;
        const char *unit;
    } kinds[] = {{ORR_TYPE_NUMBER, ""}, {ORR_TYPE_INTEGER, ""}, {ORR_TYPE_FRACTION, ""}, {ORR_TYPE_TIME, "s"}, {ORR_TYPE_RATE, "/s"}, {ORR_TYPE_TOKENS, "tokens"}, {ORR_TYPE_DISTANCE, "km"}, {ORR_TYPE_BITRATE, "bit/s"}, {ORR_TYPE_MONEY, "yuan"}, {ORR_TYPE_BYTES, "bytes"}};
    char expected[160];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        double number;
        int64_t integer;
        if (!orr_units_read(kinds[i].type, text, &number, &integer, expected, sizeof expected))
            continue;
        *unit = kinds[i].unit;
        return number;
    }
    return NAN;
}

static void take_number(orr_axis *axis, orr_axis_value *value, const char *text)
{
    const char *unit = "";
    value->number = number_of(text, &unit);
    if (!isnan(value->number))
        axis->unit = unit;
}

/* What the scenario says of a parameter. */
static void take_title(reader *r, orr_axis *axis, const char *key)
{
    const orr_node *params = r->scenario == NULL ? NULL : orr_node_get(orr_document_root(r->scenario), "params");
    const orr_node *parameter = params == NULL || strncmp(key, "params.", 7) != 0 ? NULL : orr_node_get(params, key + 7);
    const orr_node *text = parameter == NULL ? NULL : orr_node_get(parameter, "text");
    free(axis->title);
    axis->title = copy(r, text != NULL ? text->text : axis->name);
}

/* The part behind the last dot that is not an index: `pools.0.replicas` is replicas. */
static const char *short_name(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot == NULL || (dot[1] >= '0' && dot[1] <= '9') ? key : dot + 1;
}

static orr_axis *add_axis(reader *r, orr_where where)
{
    if (r->study->axis_count == ORR_MOST_AXES) {
        orr_problem(r->problems, where, "a study has at most %d axes", ORR_MOST_AXES);
        return NULL;
    }
    orr_axis *axis = &r->study->axes[r->study->axis_count++];
    *axis = (orr_axis){.unit = ""};
    return axis;
}

static bool check_key(reader *r, const char *key, orr_where where)
{
    if (strcmp(key, "seed") == 0 || strncmp(key, "policy", 6) == 0) {
        orr_problem(r->problems, where, "`%s` is not set here: a study has `seeds:` and `policies:` for it", key);
        return false;
    }
    return true;
}

static void add_list_axis(reader *r, const char *key, const orr_node *list, orr_where where)
{
    orr_axis *axis = list->count == 0 ? NULL : add_axis(r, where);
    if (list->count == 0)
        orr_problem(r->problems, list->where, "an axis needs a value at least");
    if (axis == NULL)
        return;
    axis->name = copy(r, short_name(key));
    axis->key = copy(r, key);
    axis->key_count = 1;
    axis->values = room(r, list->count, sizeof *axis->values);
    for (size_t i = 0; axis->values != NULL && i < list->count; i++) {
        orr_axis_value *v = &axis->values[axis->count++];
        const orr_node *item = list->child[i];
        *v = (orr_axis_value){.where = item->where, .overrides = room(r, 1, sizeof *v->overrides)};
        v->text = item->kind == ORR_NODE_SCALAR ? copy(r, item->text) : value_text(r, item);
        if (v->overrides != NULL)
            v->overrides[0] = override_of(r, key, item);
        take_number(axis, v, item->text != NULL ? item->text : "");
        for (size_t k = 0; v->text != NULL && k < i; k++)
            if (axis->values[k].text != NULL && strcmp(axis->values[k].text, v->text) == 0)
                orr_problem(r->problems, item->where, "`%s` stands twice on this axis", v->text);
    }
    take_title(r, axis, key);
}

/* A number with its unit, as `10 s`: splits it. False with a problem. */
static bool read_end(reader *r, const orr_node *range, const char *name, double *number, char unit[32], bool required)
{
    const orr_node *node = orr_node_get(range, name);
    char *end;
    if (node == NULL || node->kind != ORR_NODE_SCALAR) {
        if (required)
            orr_problem(r->problems, node != NULL ? node->where : range->where, "a range is {from, to, count} or {from, to, step}, perhaps with law: log; `%s` is missing", name);
        return false;
    }
    errno = 0;
    *number = strtod(node->text, &end);
    while (*end == ' ')
        end++;
    if (end == node->text || errno != 0 || !isfinite(*number) || strlen(end) >= 32) {
        orr_problem(r->problems, node->where, "%s: expected a number, perhaps with a unit, found `%s`", name, node->text);
        return false;
    }
    strcpy(unit, end);
    return true;
}

static void add_range_axis(reader *r, const char *key, const orr_node *range, orr_where where)
{
    static const char *const names[] = {"from", "to", "count", "step", "law"};
    double from, to, step = 0, count = 0;
    char unit[4][32] = {"", "", "", ""};
    for (size_t i = 0; i < range->count; i++) {
        size_t k = 0;
        while (k < 5 && strcmp(names[k], range->key[i]) != 0)
            k++;
        if (k == 5) {
            const char *near = orr_nearest(range->key[i], names, 5);
            orr_problem(r->problems, range->key_where[i], "unknown key `%s` in a range%s%s%s", range->key[i], near ? "; did you mean `" : "; its keys are from, to, count or step, law", near ? near : "", near ? "`?" : "");
            return;
        }
    }
    bool log = orr_node_get(range, "law") != NULL && strcmp(orr_node_get(range, "law")->text, "log") == 0;
    if (!log && orr_node_get(range, "law") != NULL && strcmp(orr_node_get(range, "law")->text, "linear") != 0) {
        orr_problem(r->problems, orr_node_get(range, "law")->where, "law: expected linear or log");
        return;
    }
    if (!read_end(r, range, "from", &from, unit[0], true) || !read_end(r, range, "to", &to, unit[1], true))
        return;
    bool counted = orr_node_get(range, "count") != NULL;
    if (!(counted ? read_end(r, range, "count", &count, unit[2], true) : read_end(r, range, "step", &step, unit[3], true)))
        return;
    if (strcmp(unit[0], unit[1]) != 0 || (!counted && strcmp(unit[0], unit[3]) != 0)) {
        orr_problem(r->problems, range->where, "the ends of a range must be in the same unit, here `%s` and `%s`", unit[0], strcmp(unit[0], unit[1]) != 0 ? unit[1] : unit[3]);
        return;
    }
    if (!counted)
        count = log ? NAN : floor((to - from) / step * (1 + 1e-12)) + 1;
    if (!(count >= 1 && count <= MOST_VALUES && count <= floor(count)) || (log && !(from > 0 && to > 0))) {
        orr_problem(r->problems, range->where, "%s", log && counted ? "a range by law: log needs ends above 0" : counted ? "count: expected a whole number of at least 1" : log ? "a range by law: log needs count, not step" : "step: expected one that leads from `from` to `to`");
        return;
    }
    orr_axis *axis = add_axis(r, where);
    if (axis == NULL)
        return;
    axis->name = copy(r, short_name(key));
    axis->key = copy(r, key);
    axis->key_count = 1;
    axis->logarithmic = log;
    axis->values = room(r, (size_t)count, sizeof *axis->values);
    for (size_t i = 0; axis->values != NULL && i < (size_t)count; i++) {
        orr_axis_value *v = &axis->values[axis->count++];
        double part = count > 1 ? (double)i / (count - 1) : 0, x = !counted ? from + (double)i * step : log ? from * pow(to / from, part) : from + part * (to - from);
        *v = (orr_axis_value){.where = range->where, .overrides = room(r, 1, sizeof *v->overrides)};
        v->text = made(r, "%.10g%s%s", x, *unit[0] ? " " : "", unit[0]);
        if (v->overrides != NULL && v->text != NULL) {
            v->overrides[0] = made(r, "%s=%s", key, v->text);
            take_number(axis, v, v->text);
        }
    }
    take_title(r, axis, key);
}

static bool is_range(const orr_node *node) { return node->kind == ORR_NODE_MAP && (orr_node_get(node, "from") != NULL || orr_node_get(node, "to") != NULL); }

static void read_set(reader *r)
{
    const orr_node *set = orr_node_get(r->root, "set");
    r->study->fixed = room(r, set == NULL ? 0 : set->count, sizeof *r->study->fixed);
    r->study->fixed_where = room(r, set == NULL ? 0 : set->count, sizeof *r->study->fixed_where);
    for (size_t i = 0; set != NULL && r->study->fixed != NULL && r->study->fixed_where != NULL && i < set->count; i++) {
        const orr_node *value = set->child[i];
        if (!check_key(r, set->key[i], set->key_where[i]))
            continue;
        if (value->kind == ORR_NODE_LIST)
            add_list_axis(r, set->key[i], value, set->key_where[i]);
        else if (is_range(value))
            add_range_axis(r, set->key[i], value, set->key_where[i]);
        else {
            r->study->fixed_where[r->study->fixed_count] = value->where;
            r->study->fixed[r->study->fixed_count++] = override_of(r, set->key[i], value);
        }
    }
}

static void add_linked_axis(reader *r, const orr_node *item)
{
    size_t count = item->count == 0 ? 0 : item->child[0]->count;
    for (size_t k = 0; k < item->count; k++)
        if (item->child[k]->kind != ORR_NODE_LIST || item->child[k]->count != count || count == 0) {
            orr_problem(r->problems, item->key_where[k], "linked keys need lists of the same length, `%s` has %zu values and `%s` %zu", item->key[0], count, item->key[k],
                        item->child[k]->kind == ORR_NODE_LIST ? item->child[k]->count : 0);
            return;
        } else if (!check_key(r, item->key[k], item->key_where[k])) {
            return;
        }
    orr_axis *axis = count == 0 ? NULL : add_axis(r, item->where);
    if (axis == NULL) {
        if (count == 0)
            orr_problem(r->problems, item->where, "linked: expected keys with lists");
        return;
    }
    axis->key_count = item->count;
    axis->values = room(r, count, sizeof *axis->values);
    for (size_t k = 0; k < item->count; k++) {
        axis->name = joined(r, axis->name, "+", short_name(item->key[k]));
        axis->key = joined(r, axis->key, "+", item->key[k]);
    }
    for (size_t i = 0; axis->values != NULL && i < count; i++) {
        orr_axis_value *v = &axis->values[axis->count++];
        *v = (orr_axis_value){.where = item->child[0]->child[i]->where, .number = NAN, .overrides = room(r, item->count, sizeof *v->overrides)};
        for (size_t k = 0; v->overrides != NULL && k < item->count; k++) {
            const orr_node *value = item->child[k]->child[i];
            char *text = value->kind == ORR_NODE_SCALAR ? copy(r, value->text) : value_text(r, value);
            v->text = text == NULL ? v->text : joined(r, v->text, ", ", text);
            v->overrides[k] = override_of(r, item->key[k], value);
            free(text);
        }
        if (item->child[0]->child[i]->kind == ORR_NODE_SCALAR)
            take_number(axis, v, item->child[0]->child[i]->text);
    }
    axis->title = axis->name == NULL ? NULL : copy(r, axis->name);
}

/* --- policies and seeds --- */

static void add_policy(reader *r, const orr_node *item)
{
    static const char *const keys[] = {"name", "label", "options"};
    orr_study_policy *p = &r->study->policies[r->study->policy_count];
    const orr_node *name = item->kind == ORR_NODE_MAP ? orr_node_get(item, "name") : item;
    for (size_t i = 0; item->kind == ORR_NODE_MAP && i < item->count; i++)
        if (strcmp(item->key[i], "name") != 0 && strcmp(item->key[i], "label") != 0 && strcmp(item->key[i], "options") != 0) {
            const char *near = orr_nearest(item->key[i], keys, 3);
            orr_problem(r->problems, item->key_where[i], "unknown key `%s` of a policy%s%s%s", item->key[i], near ? "; did you mean `" : "; its keys are name, label, options", near ? near : "", near ? "`?" : "");
            return;
        }
    if (name == NULL || name->kind != ORR_NODE_SCALAR || *name->text == 0) {
        orr_problem(r->problems, item->where, "expected the name of a policy or {name, label, options}");
        return;
    }
    const orr_node *label = item->kind == ORR_NODE_MAP ? orr_node_get(item, "label") : NULL, *options = item->kind == ORR_NODE_MAP ? orr_node_get(item, "options") : NULL;
    const char *slash = strrchr(name->text, '/');
    *p = (orr_study_policy){.where = item->where, .overrides = room(r, 3, sizeof *p->overrides)};
    p->name = copy(r, name->text);
    p->label = copy(r, label != NULL ? label->text : slash != NULL ? slash + 1 : name->text);
    if (p->label == NULL || p->name == NULL || p->overrides == NULL)
        return;
    for (size_t k = 0; k < r->study->policy_count; k++)
        if (strcmp(r->study->policies[k].label, p->label) == 0)
            orr_problem(r->problems, item->where, "two policies are called `%s`; give one a label: {name: %s, label: …}", p->label, name->text);
    p->overrides[p->count++] = override_of(r, "policy.name", name);
    if (strcmp(p->label, name->text) != 0) /* else a run by hand would be another one */
        p->overrides[p->count++] = label != NULL ? override_of(r, "policy.label", label) : made(r, "policy.label=%s", p->label);
    if (options != NULL)
        p->overrides[p->count++] = override_of(r, "policy.options", options);
    r->study->policy_count++;
}

static void read_policies(reader *r)
{
    const orr_node *list = orr_node_get(r->root, "policies");
    size_t count = list == NULL ? 0 : list->count;
    r->study->policies = room(r, count + 1, sizeof *r->study->policies);
    for (size_t i = 0; r->study->policies != NULL && i < count; i++)
        add_policy(r, list->child[i]);
    if (count > 0 || r->study->policies == NULL || r->scenario == NULL)
        return;
    /* The scenario's own. */
    const orr_node *policy = orr_node_get(orr_document_root(r->scenario), "policy"), *name = policy == NULL ? NULL : orr_node_get(policy, "name"), *label = policy == NULL ? NULL : orr_node_get(policy, "label");
    r->study->policies[0] = (orr_study_policy){.where = r->root->where, .label = copy(r, label != NULL ? label->text : name != NULL ? name->text : "power_of_d"), .name = copy(r, name != NULL ? name->text : "power_of_d")};
    r->study->policy_count = 1;
}

static bool whole(reader *r, const orr_node *node, const char *what, int64_t least, int64_t most, int64_t *value)
{
    char expected[160];
    double number;
    if (node != NULL && node->kind == ORR_NODE_SCALAR && orr_units_read(ORR_TYPE_INTEGER, node->text, &number, value, expected, sizeof expected) && *value >= least && *value <= most)
        return true;
    orr_problem(r->problems, node == NULL ? r->root->where : node->where, "%s: expected a whole number from %lld to %lld", what, (long long)least, (long long)most);
    return false;
}

static bool add_seed(reader *r, uint64_t seed, orr_where where)
{
    for (size_t i = 0; i < r->study->seed_count; i++)
        if (r->study->seeds[i] == seed) {
            orr_problem(r->problems, where, "seed %llu stands twice", (unsigned long long)seed);
            return false;
        }
    r->study->seeds[r->study->seed_count++] = seed;
    return true;
}

static void read_seeds(reader *r)
{
    const orr_node *node = orr_node_get(r->root, "seeds");
    int64_t from = 1, count = 1;
    if (node->kind == ORR_NODE_LIST) {
        r->study->seeds = room(r, node->count, sizeof *r->study->seeds);
        int64_t seed;
        for (size_t i = 0; r->study->seeds != NULL && i < node->count; i++)
            if (!whole(r, node->child[i], "a seed", 0, INT64_MAX, &seed) || !add_seed(r, (uint64_t)seed, node->child[i]->where))
                return;
        if (node->count == 0)
            orr_problem(r->problems, node->where, "seeds: expected one at least");
        return;
    }
    if (node->kind == ORR_NODE_MAP) {
        if (!whole(r, orr_node_get(node, "from"), "seeds.from", 0, INT64_MAX / 2, &from) || !whole(r, orr_node_get(node, "count"), "seeds.count", 1, MOST_SEEDS, &count))
            return;
    } else if (!whole(r, node, "seeds", 1, MOST_SEEDS, &count)) {
        return;
    }
    r->study->seeds = room(r, (size_t)count, sizeof *r->study->seeds);
    for (int64_t i = 0; r->study->seeds != NULL && i < count; i++)
        r->study->seeds[r->study->seed_count++] = (uint64_t)(from + i);
}

bool orr_study_extend_seeds(orr_study *s, size_t count)
{
    uint64_t *larger = realloc(s->seeds, (count + 1) * sizeof *larger), next = 0;
    if (larger == NULL)
        return false;
    s->seeds = larger;
    for (size_t i = 0; i < s->seed_count; i++)
        next = s->seeds[i] >= next ? s->seeds[i] + 1 : next;
    while (s->seed_count < count)
        s->seeds[s->seed_count++] = next++;
    return true;
}

/* --- names that refer to axes and policies --- */

size_t orr_study_policy_called(const orr_study *s, const char *label, orr_where where, orr_problems *problems)
{
    const char **labels = calloc(s->policy_count + 1, sizeof *labels);
    size_t found = 0;
    problems->out_of_memory |= labels == NULL;
    for (size_t i = 0; labels != NULL && i < s->policy_count; i++)
        labels[i] = s->policies[i].label;
    while (found < s->policy_count && strcmp(s->policies[found].label, label) != 0)
        found++;
    if (found == s->policy_count && labels != NULL) {
        const char *near = orr_nearest(label, labels, s->policy_count);
        orr_problem(problems, where, "no policy of the study is called `%s`%s%s%s", label, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    }
    free(labels);
    return found;
}

static size_t policy_called(reader *r, const char *label, orr_where where)
{
    size_t found = orr_study_policy_called(r->study, label, where, r->problems);
    return found < r->study->policy_count ? found : 0;
}

/* True if `name` is the axis, in full or in short, or one of its linked keys. */
static bool names_axis(const orr_axis *axis, const char *name)
{
    size_t n = strlen(name);
    bool own = strcmp(axis->key, name) == 0 || strcmp(axis->name, name) == 0;
    for (size_t k = 0; !own && k < axis->key_count && axis->count > 0; k++)
        own = strncmp(axis->values[0].overrides[k], name, n) == 0 && axis->values[0].overrides[k][n] == '=';
    return own;
}

/* True if the value of the axis has, under `name`, what the study writes there. */
static bool has_value(reader *r, const orr_axis *axis, const orr_axis_value *v, const char *name, const orr_node *written)
{
    const char *unit = "";
    if (axis->key_count == 1 || strcmp(axis->key, name) == 0 || strcmp(axis->name, name) == 0) {
        char *text = written->kind == ORR_NODE_SCALAR ? copy(r, written->text) : value_text(r, written);
        double number = text == NULL ? NAN : number_of(text, &unit);
        bool same = text != NULL && (strcmp(v->text, text) == 0 || (axis->key_count == 1 && fabs(v->number - number) <= 1e-9 * fabs(number)));
        free(text);
        return same;
    }
    char *override = override_of(r, name, written);
    bool same = false;
    for (size_t k = 0; override != NULL && k < axis->key_count; k++)
        same = same || strcmp(v->overrides[k], override) == 0;
    free(override);
    return same;
}

/* The axis that a key of a place means; axis_count after a problem. */
static size_t axis_called(reader *r, const orr_node *map, size_t i, bool policy)
{
    const orr_study *s = r->study;
    const char *names[2 * ORR_MOST_AXES + 1];
    size_t count = 0, a = 0;
    while (a < s->axis_count && !names_axis(&s->axes[a], map->key[i])) {
        names[count++] = s->axes[a].key;
        names[count++] = s->axes[a++].name;
    }
    if (a < s->axis_count)
        return a;
    if (policy)
        names[count++] = "policy";
    const char *near = orr_nearest(map->key[i], names, count);
    orr_problem(r->problems, map->key_where[i], "`%s` is no axis of the study%s%s%s", map->key[i], near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    return s->axis_count;
}

/* Fills `index` from a map of axes (or some of their linked keys) to values; axes that it does not name keep theirs. `policy` may be NULL. */
static void read_place(reader *r, const orr_node *map, size_t index[ORR_MOST_AXES], size_t *policy)
{
    const orr_study *s = r->study;
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (policy != NULL && strcmp(map->key[i], "policy") == 0) {
            *policy = policy_called(r, map->child[i]->text != NULL ? map->child[i]->text : "", map->child[i]->where);
            continue;
        }
        size_t a = axis_called(r, map, i, policy != NULL), v = 0;
        if (a == s->axis_count)
            continue;
        for (; v < s->axes[a].count; v++) { /* the first value that has all that the map says of the axis */
            bool all = true;
            for (size_t k = 0; all && k < map->count; k++)
                all = (policy != NULL && strcmp(map->key[k], "policy") == 0) || !names_axis(&s->axes[a], map->key[k]) || has_value(r, &s->axes[a], &s->axes[a].values[v], map->key[k], map->child[k]);
            if (all)
                break;
        }
        if (v < s->axes[a].count) {
            index[a] = v;
        } else {
            char *text = value_text(r, map->child[i]);
            orr_problem(r->problems, map->child[i]->where, "`%s` is not on the axis %s%s", text != NULL ? text : "", s->axes[a].key, s->axes[a].key_count > 1 ? " (with the other keys that are given)" : "");
            free(text);
        }
    }
}

/* --- what is to be said --- */

static void read_goals(reader *r, const orr_node *statistics)
{
    const orr_node *precision = orr_node_get(statistics, "precision"), *select = orr_node_get(statistics, "select");
    r->study->method = (orr_study_method)orr_integer(statistics, "method");
    if (precision != NULL) {
        r->study->precision = (orr_study_goal){.metric = orr_text(precision, "metric"), .relative = orr_number(precision, "relative"), .most = (size_t)orr_integer(precision, "most")};
        if (!(r->study->precision.relative > 0))
            orr_problem(r->problems, orr_where_of(precision, "relative"), "relative: expected more than 0");
    }
    if (select != NULL) {
        r->study->select = (orr_study_goal){.metric = orr_text(select, "metric"), .probability = orr_number(select, "probability"), .indifference = orr_number(select, "indifference"), .most = (size_t)orr_integer(select, "most")};
        if (!(r->study->select.probability > 0.5 && r->study->select.probability < 1))
            orr_problem(r->problems, orr_where_of(select, "probability"), "probability: expected one between 0.5 and 1");
        orr_metric_words words;
        orr_metric_describe(r->study->select.metric, &words);
        if (words.better == NULL)
            orr_problem(r->problems, orr_where_of(select, "metric"), "metric: neither lower nor higher is better for `%s`, so no policy can be the best by it", r->study->select.metric);
    }
    if (r->study->method == ORR_METHOD_BATCH_MEANS && r->study->seed_count > 1)
        orr_problem(r->problems, orr_where_of(statistics, "method"), "method: batch_means is for one long run of each policy, here are %zu seeds; with several, replications or terminating", r->study->seed_count);
}

static void read_sensitivity(reader *r)
{
    const orr_node *map = orr_node_get(r->root, "sensitivity");
    if (map == NULL)
        return;
    const orr_node *list = orr_node_get(map, "parameters");
    r->study->sensitivity_metric = orr_text(map, "metric");
    r->study->sensitivity_policy = orr_has(map, "policy") ? policy_called(r, orr_text(map, "policy"), orr_where_of(map, "policy")) : r->study->baseline;
    r->study->parameters = room(r, list->count, sizeof *r->study->parameters);
    for (size_t i = 0; r->study->parameters != NULL && i < list->count; i++) {
        orr_study_parameter *p = &r->study->parameters[r->study->parameter_count++];
        const orr_node *item = list->child[i];
        *p = (orr_study_parameter){.where = item->where, .key = copy(r, orr_text(item, "key")), .text = copy(r, orr_has(item, "text") ? orr_text(item, "text") : "")};
        for (int e = 0; e < 2 && p->key != NULL && check_key(r, p->key, item->where); e++) {
            const orr_node *end = orr_node_get(item, e == 0 ? "low" : "high");
            p->end[e] = end->kind == ORR_NODE_SCALAR ? copy(r, end->text) : value_text(r, end);
            p->overrides[e] = override_of(r, p->key, end);
        }
    }
}

static void read_anchors(reader *r)
{
    const orr_node *list = orr_node_get(r->root, "anchors");
    size_t count = list == NULL ? 0 : list->count;
    r->study->anchors = room(r, count, sizeof *r->study->anchors);
    for (size_t i = 0; r->study->anchors != NULL && i < count; i++) {
        const orr_node *item = list->child[i];
        orr_study_anchor *a = &r->study->anchors[r->study->anchor_count++];
        *a = (orr_study_anchor){.metric = orr_text(item, "metric"), .text = orr_has(item, "text") ? orr_text(item, "text") : "", .source = orr_has(item, "source") ? orr_text(item, "source") : "",
                                .least = orr_has(item, "least") ? orr_number(item, "least") : NAN, .most = orr_has(item, "most") ? orr_number(item, "most") : NAN, .policy = r->study->baseline};
        memcpy(a->index, r->study->focus, sizeof a->index);
        if (isnan(a->least) && isnan(a->most))
            orr_problem(r->problems, item->where, "an anchor needs least or most");
        if (a->least > a->most)
            orr_problem(r->problems, orr_where_of(item, "least"), "least: expected no more than most (%g)", a->most);
        read_place(r, orr_node_get(item, "where"), a->index, &a->policy);
    }
}

static void read_metrics(reader *r)
{
    const orr_node *list = orr_node_get(r->root, "metrics");
    size_t count = list == NULL ? 0 : list->count;
    r->study->metrics = room(r, count, sizeof *r->study->metrics);
    for (size_t i = 0; r->study->metrics != NULL && i < count; i++)
        r->study->metrics[r->study->metric_count++] = list->child[i]->text;
}

/* --- the whole --- */

static void read_all(reader *r)
{
    orr_study *s = r->study;
    const orr_node *compare = orr_node_get(r->root, "compare"), *linked = orr_node_get(r->root, "linked");
    s->name = copy(r, orr_text(r->root, "name"));
    s->question = copy(r, orr_has(r->root, "question") ? orr_text(r->root, "question") : orr_text(r->root, "name"));
    s->surprise = copy(r, orr_has(r->root, "surprise") ? orr_text(r->root, "surprise") : "");
    if (s->name != NULL && s->name[strspn(s->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] != 0)
        orr_problem(r->problems, orr_where_of(r->root, "name"), "name: expected letters, digits, _ and - (it names a folder), found `%s`", s->name);
    read_set(r);
    for (size_t i = 0; linked != NULL && i < linked->count; i++)
        add_linked_axis(r, linked->child[i]);
    read_policies(r);
    read_seeds(r);
    read_metrics(r);
    s->level = orr_number(compare, "level");
    if (!(s->level >= 0.5 && s->level < 1))
        orr_problem(r->problems, orr_where_of(compare, "level"), "level: expected one from 0.5 to below 1");
    if (r->problems->out_of_memory)
        return;
    s->baseline = orr_has(compare, "baseline") ? policy_called(r, orr_text(compare, "baseline"), orr_where_of(compare, "baseline")) : 0;
    read_goals(r, orr_node_get(r->root, "statistics"));
    read_place(r, orr_node_get(r->root, "focus"), s->focus, NULL);
    read_sensitivity(r);
    read_anchors(r);
    double cells = 1;
    for (size_t a = 0; a < s->axis_count; a++)
        cells *= (double)s->axes[a].count;
    if (cells * (double)s->policy_count * (double)s->seed_count > MOST_CELLS)
        orr_problem(r->problems, r->root->where, "the study has %.3g runs; at most %d", cells * (double)s->policy_count * (double)s->seed_count, MOST_CELLS);
}

orr_study *orr_study_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems)
{
    orr_study *s = calloc(1, sizeof *s);
    if (s == NULL) {
        problems->out_of_memory = true;
        return NULL;
    }
    reader r = {.study = s, .problems = problems};
    s->path = copy(&r, path);
    s->document = orr_document_load(path, overrides, override_count, problems);
    if (s->path == NULL || s->document == NULL || orr_problems_any(problems) || !orr_schema_check(orr_study_keys, orr_study_key_count, s->document, orr_document_root(s->document), problems)) {
        orr_study_destroy(s);
        return NULL;
    }
    r.root = orr_document_root(s->document);
    s->scenario = copy(&r, orr_text(r.root, "scenario"));
    s->text = orr_document_text(s->document);
    r.scenario = s->scenario == NULL ? NULL : orr_document_load(s->scenario, NULL, 0, problems);
    if (r.scenario != NULL)
        read_all(&r);
    orr_document_destroy(r.scenario);
    if (orr_problems_any(problems)) {
        orr_study_destroy(s);
        return NULL;
    }
    return s;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++)
        free(texts[i]);
    free(texts);
}

void orr_study_destroy(orr_study *s)
{
    if (s == NULL)
        return;
    for (size_t a = 0; a < s->axis_count; a++) {
        for (size_t v = 0; v < s->axes[a].count; v++) {
            free(s->axes[a].values[v].text);
            free_texts(s->axes[a].values[v].overrides, s->axes[a].key_count);
        }
        free(s->axes[a].values);
        free(s->axes[a].name);
        free(s->axes[a].key);
        free(s->axes[a].title);
    }
    for (size_t p = 0; p < s->policy_count; p++) {
        free(s->policies[p].label);
        free(s->policies[p].name);
        free_texts(s->policies[p].overrides, s->policies[p].count);
    }
    for (size_t i = 0; i < s->parameter_count; i++) {
        orr_study_parameter *p = &s->parameters[i];
        char *const owned[] = {p->key, p->text, p->end[0], p->end[1], p->overrides[0], p->overrides[1]};
        for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
            free(owned[k]);
    }
    free_texts(s->fixed, s->fixed_count);
    void *const owned[] = {s->path, s->name, s->question, s->surprise, s->scenario, s->fixed_where, s->policies, s->seeds, s->metrics, s->parameters, s->anchors, s->text};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    orr_document_destroy(s->document);
    free(s);
}

size_t orr_study_cells(const orr_study *s)
{
    size_t cells = 1;
    for (size_t a = 0; a < s->axis_count; a++)
        cells *= s->axes[a].count;
    return cells;
}

void orr_study_cell(const orr_study *s, size_t cell, size_t index[ORR_MOST_AXES])
{
    for (size_t a = s->axis_count; a-- > 0;) {
        index[a] = cell % s->axes[a].count;
        cell /= s->axes[a].count;
    }
}

size_t orr_study_cell_of(const orr_study *s, const size_t index[ORR_MOST_AXES])
{
    size_t cell = 0;
    for (size_t a = 0; a < s->axis_count; a++)
        cell = cell * s->axes[a].count + index[a];
    return cell;
}

char *orr_study_cell_text(const orr_study *s, size_t cell)
{
    size_t index[ORR_MOST_AXES], size;
    char *text = NULL;
    orr_study_cell(s, cell, index);
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t a = 0; a < s->axis_count; a++)
        fprintf(out, "%s%s %s", a > 0 ? ", " : "", s->axes[a].name, s->axes[a].values[index[a]].text);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
