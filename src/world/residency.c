/* Residency: for each class and each pair of sites, may the class's data go there? The first rule that matches decides. */
#include "world/builder.h"

#include <stdlib.h>
#include <string.h>

static bool place_matches(const char *pattern, const char *country)
{
    if (strcmp(pattern, "*") == 0)
        return true;
    return pattern[0] == '!' ? strcmp(pattern + 1, country) != 0 : strcmp(pattern, country) == 0;
}

/* Is one of the mechanisms in "a|b|c" in place? All are when the scenario does not list any. */
static bool in_place(const orr_builder *b, const char *mechanisms)
{
    const orr_node *residency = orr_node_get(b->root, "residency");
    const orr_node *list = residency == NULL ? NULL : orr_node_get(residency, "mechanisms");
    if (list == NULL)
        return true;
    for (const char *m = mechanisms; *m;) {
        size_t length = strcspn(m, "|");
        for (size_t i = 0; i < list->count; i++)
            if (list->child[i]->kind == ORR_NODE_SCALAR && strlen(list->child[i]->text) == length && strncmp(list->child[i]->text, m, length) == 0)
                return true;
        m += length + (m[length] == '|');
    }
    return false;
}

static bool allowed(const orr_builder *b, const char *data_class, const char *from, const char *to)
{
    if (strcmp(from, to) == 0)
        return true;
    for (uint32_t i = 0; i < b->rules.count; i++) {
        const orr_rule *r = orr_array_at(&b->rules, i);
        if (strcmp(r->data_class, data_class) != 0 || !place_matches(r->origin, from) || !place_matches(r->destination, to))
            continue;
        return strcmp(r->verdict, "allow") == 0 || (strcmp(r->verdict, "allow_if") == 0 && in_place(b, r->mechanism));
    }
    return true;
}

/* A mechanism that no rule asks for is a slip of the pen. */
static void check_mechanisms(orr_builder *b)
{
    const orr_node *residency = orr_node_get(b->root, "residency"), *list = residency == NULL ? NULL : orr_node_get(residency, "mechanisms");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        bool known = false;
        for (uint32_t r = 0; r < b->rules.count && !known; r++)
            known = strstr(((orr_rule *)orr_array_at(&b->rules, r))->mechanism, list->child[i]->text) != NULL;
        if (!known)
            orr_problem(b->problems, list->child[i]->where, "no residency rule knows the mechanism `%s`", list->child[i]->text);
    }
}

void orr_build_residency(orr_builder *b)
{
    orr_world *w = b->world;
    check_mechanisms(b);
    size_t cells = (size_t)w->class_count * w->used_count * w->used_count;
    w->residency = malloc(cells + 1);
    if (w->residency == NULL) {
        b->out_of_memory = true;
        return;
    }
    for (uint32_t c = 0; c < w->class_count; c++) {
        bool known = strcmp(w->classes[c].data_class, "anonymous") == 0 || b->rules.count == 0;
        for (uint32_t i = 0; i < b->rules.count && !known; i++)
            known = strcmp(((orr_rule *)orr_array_at(&b->rules, i))->data_class, w->classes[c].data_class) == 0;
        if (!known)
            orr_problem(b->problems, w->classes[c].where, "class `%s`: the residency rules do not know the data class `%s`", w->classes[c].name, w->classes[c].data_class);
        for (uint32_t from = 0; from < w->used_count; from++)
            for (uint32_t to = 0; to < w->used_count; to++)
                w->residency[((size_t)c * w->used_count + from) * w->used_count + to] =
                    allowed(b, w->classes[c].data_class, w->sites[from].country, w->sites[to].country);
    }
}
