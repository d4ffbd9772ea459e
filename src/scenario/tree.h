/**
 * Tree: the memory of a document, and how its nodes are made, found and copied. Internal to src/scenario.
 *
 * Nodes, arrays and texts live in one arena per document and die together, so no path can leak or free twice. What a
 * user's file may make it hold is bounded in number (`nodes_left`) and in depth (ORR_DOCUMENT_DEPTH); the program's own
 * additions, such as defaults, are not.
 *
 * Invariants: no node has two parents (so an override below one use of an alias leaves the others alone); no key stands
 * twice in a map; a map of more than 16 keys has an index.
 */
#ifndef ORRERY_SCENARIO_TREE_H
#define ORRERY_SCENARIO_TREE_H

#include "scenario/document.h"

enum { ORR_TREE_NODES = 2000000 }; /**< what all files and overrides of a document may hold, aliases expanded */

struct orr_document {
    struct orr_tree_chunk *chunk; /**< newest first */
    orr_node   *root;
    size_t      nodes_left;
    size_t      comparisons_left; /**< between words, looking for the nearest: bounds the cost of very many mistakes */
    size_t      expansion_left;   /**< bytes that `${}` may still write */
    const char *too_much;         /**< which bound was broken, in words; NULL if none */
    bool        no_memory;        /**< an allocation failed; what came of it is NULL */
    bool        incomplete;       /**< an import could not be read: what is missing now is not a mistake of the user's */
};

orr_document *orr_tree_create(void);

/** Zeroed bytes, aligned for any of our types; NULL (and no_memory) if there are none. */
void *orr_tree_alloc(orr_document *document, size_t size);

/** A copy of `length` bytes, terminated. */
char *orr_tree_text(orr_document *document, const char *text, size_t length);

/** A new node without parent, text "" if a scalar. */
orr_node *orr_tree_node(orr_document *document, orr_node_kind kind, orr_where where);

/** Takes `count` from what the user may still use; false (and too_much) if that is less. */
bool orr_tree_charge(orr_document *document, size_t count);

bool orr_tree_append(orr_document *document, orr_node *list, orr_node *child);

/** Adds a key that is not in the map yet. `key` must live in the document. */
bool orr_tree_put(orr_document *document, orr_node *map, const char *key, orr_where key_where, orr_node *child);

/** Position of `key` in a map, or -1. */
ptrdiff_t orr_tree_find(const orr_node *map, const char *key);

/** Takes the key at `position` out of the map. */
bool orr_tree_remove(orr_document *document, orr_node *map, size_t position);

/**
 * A deep copy that is going to stand `depth` below the root. With `where`, all of it stands there and came from
 * `parameters`. NULL if memory ran out (no_memory) or a bound was broken (too_much).
 */
orr_node *orr_tree_copy(orr_document *document, const orr_node *from, unsigned depth, const orr_where *where, const char *parameters);

/** orr_nearest, as long as there are comparisons left. */
const char *orr_tree_nearest(orr_document *document, const char *word, const char *const *words, size_t count);

/** True for a scalar that was left empty, or written `~` or `null`. */
bool orr_tree_is_nothing(const orr_node *node);

#endif
