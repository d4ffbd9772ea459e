#include "scenario/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Chunks double in size, so a small document asks once or twice and a big one some twenty times. */
enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, INDEX_ABOVE = 16 };

typedef struct orr_tree_chunk {
    struct orr_tree_chunk *older;
    size_t used, size;
    unsigned char bytes[];
} chunk;

/* Open addressing over the keys of one map: position + 1, 0 for a free slot; at least half of them are free. */
typedef struct orr_node_index {
    size_t mask;
    uint32_t slot[];
} node_index;

orr_document *orr_tree_create(void)
{
    orr_document *document = calloc(1, sizeof *document);
    if (document != NULL) {
        document->nodes_left = ORR_TREE_NODES;
        document->comparisons_left = 2000000;
        document->expansion_left = 64u << 20;
    }
    return document;
}

void orr_document_destroy(orr_document *document)
{
    if (document == NULL)
        return;
    for (chunk *c = document->chunk, *older; c != NULL; c = older) {
        older = c->older;
        free(c);
    }
    free(document);
}

void *orr_tree_alloc(orr_document *document, size_t size)
{
    chunk *c = document->chunk;
    size = (size + 7) & ~(size_t)7;
    if (c == NULL || c->size - c->used < size) {
        size_t room = c == NULL ? FIRST_CHUNK : c->size < LARGEST_CHUNK ? 2 * c->size : LARGEST_CHUNK;
        if (room < size)
            room = size;
        c = malloc(sizeof *c + room);
        if (c == NULL) {
            document->no_memory = true;
            return NULL;
        }
        *c = (chunk){.older = document->chunk, .size = room};
        document->chunk = c;
    }
    void *bytes = c->bytes + c->used;
    c->used += size;
    return memset(bytes, 0, size);
}

char *orr_tree_text(orr_document *document, const char *text, size_t length)
{
    char *copy = orr_tree_alloc(document, length + 1);
    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

orr_node *orr_tree_node(orr_document *document, orr_node_kind kind, orr_where where)
{
    orr_node *node = orr_tree_alloc(document, sizeof *node);
    if (node != NULL)
        *node = (orr_node){.kind = kind, .where = where, .text = ""};
    return node;
}

bool orr_tree_charge(orr_document *document, size_t count)
{
    if (count > document->nodes_left) {
        document->too_much = "holds more than 2000000 values, with aliases and imports expanded";
        return false;
    }
    document->nodes_left -= count;
    return true;
}

/* Arrays hold 4, 8, 16 … children, so the count alone tells when they are full. Removing a child leaves more room than that. */
static bool is_full(size_t count) { return count == 0 || (count >= 4 && (count & (count - 1)) == 0); }

static void *grown(orr_document *document, const void *array, size_t count, size_t size)
{
    void *bigger = orr_tree_alloc(document, (count == 0 ? 4 : 2 * count) * size);
    if (bigger != NULL && count > 0)
        memcpy(bigger, array, count * size);
    return bigger;
}

bool orr_tree_append(orr_document *document, orr_node *list, orr_node *child)
{
    if (is_full(list->count)) {
        orr_node **bigger = grown(document, list->child, list->count, sizeof(orr_node *));
        if (bigger == NULL)
            return false;
        list->child = bigger;
    }
    list->child[list->count++] = child;
    return true;
}

static void index_insert(node_index *index, const char *key, size_t position)
{
    size_t i = XXH3_64bits(key, strlen(key)) & index->mask;
    while (index->slot[i] != 0)
        i = (i + 1) & index->mask;
    index->slot[i] = (uint32_t)position + 1;
}

static bool index_rebuild(orr_document *document, orr_node *map)
{
    size_t slots = 64;
    while (slots < 4 * map->count)
        slots *= 2;
    node_index *index = orr_tree_alloc(document, sizeof *index + slots * sizeof index->slot[0]);
    if (index == NULL)
        return false;
    index->mask = slots - 1;
    for (size_t i = 0; i < map->count; i++)
        index_insert(index, map->key[i], i);
    map->index = index;
    return true;
}

bool orr_tree_put(orr_document *document, orr_node *map, const char *key, orr_where key_where, orr_node *child)
{
    assert(map->kind == ORR_NODE_MAP && orr_tree_find(map, key) < 0);
    if (is_full(map->count)) {
        const char **keys = grown(document, map->key, map->count, sizeof(char *));
        orr_where   *wheres = grown(document, map->key_where, map->count, sizeof(orr_where));
        orr_node   **children = grown(document, map->child, map->count, sizeof(orr_node *));
        if (keys == NULL || wheres == NULL || children == NULL)
            return false;
        map->key = keys;
        map->key_where = wheres;
        map->child = children;
    }
    map->key[map->count] = key;
    map->key_where[map->count] = key_where;
    map->child[map->count++] = child;
    if (map->count <= INDEX_ABOVE)
        return true;
    if (map->index == NULL || 2 * map->count > map->index->mask + 1)
        return index_rebuild(document, map);
    index_insert(map->index, key, map->count - 1);
    return true;
}

ptrdiff_t orr_tree_find(const orr_node *map, const char *key)
{
    if (map->index == NULL) {
        for (size_t i = 0; i < map->count; i++)
            if (strcmp(map->key[i], key) == 0)
                return (ptrdiff_t)i;
        return -1;
    }
    const node_index *index = map->index;
    for (size_t i = XXH3_64bits(key, strlen(key)) & index->mask; index->slot[i] != 0; i = (i + 1) & index->mask)
        if (strcmp(map->key[index->slot[i] - 1], key) == 0)
            return (ptrdiff_t)index->slot[i] - 1;
    return -1;
}

bool orr_tree_remove(orr_document *document, orr_node *map, size_t position)
{
    size_t after = map->count - position - 1;
    memmove(map->key + position, map->key + position + 1, after * sizeof map->key[0]);
    memmove(map->key_where + position, map->key_where + position + 1, after * sizeof map->key_where[0]);
    memmove(map->child + position, map->child + position + 1, after * sizeof map->child[0]);
    map->count--;
    return map->index == NULL || index_rebuild(document, map);
}

orr_node *orr_tree_copy(orr_document *document, const orr_node *from, unsigned depth, const orr_where *where, const char *parameters)
{
    if (depth > ORR_DOCUMENT_DEPTH) {
        document->too_much = "is nested more than 64 levels deep";
        return NULL;
    }
    if (!orr_tree_charge(document, 1))
        return NULL;
    orr_node *node = orr_tree_alloc(document, sizeof *node);
    if (node == NULL)
        return NULL;
    *node = *from;
    node->count = 0;
    node->key = NULL;
    node->key_where = NULL;
    node->child = NULL;
    node->index = NULL;
    if (where != NULL) {
        node->where = *where;
        node->parameters = parameters;
    }
    for (size_t i = 0; i < from->count; i++) {
        orr_node *child = orr_tree_copy(document, from->child[i], depth + 1, where, parameters);
        if (child == NULL)
            return NULL;
        bool kept = from->kind == ORR_NODE_LIST
                        ? orr_tree_append(document, node, child)
                        : orr_tree_put(document, node, from->key[i], where != NULL ? *where : from->key_where[i], child);
        if (!kept)
            return NULL;
    }
    return node;
}

const char *orr_tree_nearest(orr_document *document, const char *word, const char *const *words, size_t count)
{
    if (count > document->comparisons_left)
        return NULL;
    document->comparisons_left -= count;
    return orr_nearest(word, words, count);
}

bool orr_tree_is_nothing(const orr_node *node)
{
    return node->kind == ORR_NODE_SCALAR && !node->quoted
           && (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}
