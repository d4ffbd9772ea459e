/**
 * Document: a scenario or study as a tree that remembers where each value stood.
 *
 * YAML comes in through libyaml; imports are merged, `${name}` is replaced from `params:`, and overrides
 * (`--set key.path=value`) are applied, in that order of increasing strength. Every node knows its file, line and
 * column, so that any later check can point at it. Duplicate keys, alias cycles, excessive depth and merge keys (`<<`)
 * are handled here; what the keys *mean* is the schema's business (schema.h).
 */
#ifndef ORRERY_SCENARIO_DOCUMENT_H
#define ORRERY_SCENARIO_DOCUMENT_H

#include "base/problems.h"

typedef enum orr_node_kind { ORR_NODE_SCALAR, ORR_NODE_LIST, ORR_NODE_MAP } orr_node_kind;

/** One value of the tree. Owned by its document; valid until that is destroyed. */
typedef struct orr_node {
    orr_node_kind    kind;
    orr_where        where;
    const char      *text;     /**< scalars: the text after `${}` substitution; never NULL */
    bool             quoted;   /**< scalars: written in quotes, so never a number or a boolean by itself */
    bool             defaulted; /**< filled in by the schema, not written by the user */
    double           number;   /**< set by the schema for numeric types, in the key's canonical unit */
    int64_t          integer;  /**< set by the schema for integers, counts, times (ns), booleans (0/1), choices (index) */
    size_t           count;    /**< lists and maps: how many children */
    const char     **key;      /**< maps: `count` keys, in file order */
    orr_where       *key_where; /**< maps: where each key stood */
    struct orr_node **child;   /**< lists and maps */
    const char      *parameters; /**< scalars: "${a}" or "${a}, ${b}", the parameters it came from; NULL if none */
    bool             broken;   /**< a problem about it has been noted; nothing more need be said of it */
    struct orr_node_index *index; /**< private: finds a key of a big map at once */
} orr_node;

typedef struct orr_document orr_document;

/** No value stands deeper than this below the root: a bound for every recursion over a tree. */
enum { ORR_DOCUMENT_DEPTH = 64 };

/**
 * Reads `path` with its imports and applies `override_count` overrides, each `key.path=value` (list items by index:
 * `clients.0.population=10`; value is parsed as YAML). `imports:` (a file or a list of files, relative to the importing
 * file) are merged first: maps key by key, anything else replaced. `params:` maps a name to a value or to
 * `{default, unit, text}`; `${name}` in any scalar is replaced by the parameter's value (a scalar that is exactly
 * `${name}`, in quotes or not, takes the type of the value; `$${` stands for a plain `${`). In the tree every parameter is
 * `name: {default, unit, text, value}` with the value in force; a file that gives `value` itself is taken at its word.
 * `unit` and `text` only describe. The tree no longer holds `imports`.
 * Problems: unreadable or missing file, YAML errors, duplicate keys, import cycles, unknown parameters (with the nearest
 * one), malformed overrides or overrides of `params.*` that are not declared.
 * Returns NULL if the document could not be read at all or memory ran out; otherwise a document, perhaps with problems noted.
 */
orr_document *orr_document_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems);

/** The same from memory; `name` stands for the file in positions, imports are relative to the current directory. */
orr_document *orr_document_parse(const char *name, const char *text, size_t length, const char *const *overrides,
                                 size_t override_count, orr_problems *problems);

/**
 * Reads `path` with its imports, and stops before parameters and overrides: what orr_document_vary starts from. Its tree is not meant
 * to be read. Problems and NULL as for orr_document_load.
 */
orr_document *orr_document_read(const char *path, orr_problems *problems);

/**
 * What orr_document_load of the file of `base` with these overrides would give, several times as fast: the files are not read again.
 * `base` must outlive the document.
 */
orr_document *orr_document_vary(const orr_document *base, const char *const *overrides, size_t override_count, orr_problems *problems);

void orr_document_destroy(orr_document *document);

/** The root, always a map. */
orr_node *orr_document_root(orr_document *document);

/** Adds a scalar / an empty list or map under `parent` (a map), owned by the document; replaces a key that is there. NULL when out of memory. */
orr_node *orr_document_add(orr_document *document, orr_node *parent, const char *key, orr_node_kind kind, const char *text);

/**
 * The whole tree as YAML text, keys in order: what a run embeds and `orrery show` prints. Reading it back gives the same tree.
 * Malloced; the caller frees it. NULL when out of memory.
 */
char *orr_document_text(const orr_document *document);

/** A value as YAML on one line, as it can stand behind `--set key=`. Malloced; NULL when out of memory. */
char *orr_node_text(const orr_node *node);

/** The child called `key`, or NULL. */
const orr_node *orr_node_get(const orr_node *map, const char *key);

/** Where the key itself stood (for problems about a key), or the map's place if it has no such key. */
orr_where orr_node_key_where(const orr_node *map, const char *key);

/** The nearest of `count` words to `word` by edit distance, NULL if none is near enough to be meant (at most a third wrong, at least 2). */
const char *orr_nearest(const char *word, const char *const *words, size_t count);

#endif
