/* How a document comes to be. Each file is read once, whoever imports it, and joined with its own imports; the joined tree
 * shares values with the trees it came from and copies only the maps that both sides have. That is safe because a value
 * keeps its path while it moves up through imports, so no value gets two parents in the final tree.
 *
 *     files, imports -> overrides of params -> ${name} settled and replaced -> other overrides */
#include "scenario/document.h"

#include "scenario/overrides.h"
#include "scenario/parameters.h"
#include "scenario/text_builder.h"
#include "scenario/tree.h"
#include "scenario/yaml_reader.h"
#include "scenario/yaml_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_FILE = 256 << 20, IMPORTS_DEEP = 32, FIRST_READ = 16384 };

/* A file that has been met, recognised by device and inode whatever it was called. In the document's arena. */
typedef struct source {
    struct source *earlier;
    const char    *path;
    dev_t          device;
    ino_t          inode;
    bool           open; /* it is being read: who imports it now closes a cycle */
    orr_node      *tree; /* joined with its imports; NULL if it could not be read */
} source;

typedef struct loader {
    orr_document *document;
    orr_problems *problems;
    source       *sources; /* newest first: among the open ones, the importing before the importer */
} loader;

/* ---- bytes -------------------------------------------------------------------------------------------------------- */

/* Reads all of `fd`; 0, or an errno, ENOMEM also for a failed allocation and EFBIG for a file that never ends. */
static int read_all(int fd, char **bytes, size_t *length)
{
    size_t capacity = FIRST_READ;
    *length = 0;
    *bytes = malloc(capacity);
    while (*bytes != NULL) {
        ssize_t got = read(fd, *bytes + *length, capacity - *length);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return errno;
        *length += got > 0 ? (size_t)got : 0;
        if (*length > LARGEST_FILE)
            return EFBIG;
        if (*length == capacity) {
            char *bigger = realloc(*bytes, 2 * capacity);
            if (bigger == NULL)
                break;
            *bytes = bigger;
            capacity *= 2;
        }
    }
    return ENOMEM;
}

static void note_unreadable(loader *l, const char *path, orr_where asked, int error)
{
    char reason[128];
    if (error == ENOMEM) {
        l->document->no_memory = true;
        return;
    }
    const char *why = strerror_r(error, reason, sizeof reason);
    if (asked.file == NULL)
        orr_problem(l->problems, (orr_where){.file = path}, "cannot be read: %s", why);
    else
        orr_problem(l->problems, asked, "cannot read \"%s\": %s", path, why);
}

/* ---- imports ------------------------------------------------------------------------------------------------------ */

static orr_node *join(orr_document *document, orr_node *base, orr_node *over, unsigned depth);

static orr_node *join_child(orr_document *document, const char *key, orr_node *base, orr_node *over, unsigned depth)
{
    if (base->kind != ORR_NODE_MAP || over->kind != ORR_NODE_MAP)
        return over;
    if (depth == 1 && strcmp(key, "params") == 0)
        return orr_parameters_merge(document, base, over);
    return join(document, base, over, depth);
}

/* The maps merged key by key: the keys of the base first, in its order. NULL without memory or beyond the bound. */
static orr_node *join(orr_document *document, orr_node *base, orr_node *over, unsigned depth)
{
    orr_node *both = orr_tree_node(document, ORR_NODE_MAP, over->where);
    if (both == NULL || !orr_tree_charge(document, base->count + over->count))
        return NULL;
    for (size_t i = 0; i < base->count; i++) {
        const char *key = base->key[i];
        ptrdiff_t   k = orr_tree_find(over, key);
        orr_node   *child = k < 0 ? base->child[i] : join_child(document, key, base->child[i], over->child[k], depth + 1);
        if (child == NULL || !orr_tree_put(document, both, key, k < 0 ? base->key_where[i] : over->key_where[k], child))
            return NULL;
    }
    for (size_t i = 0; i < over->count; i++)
        if (orr_tree_find(base, over->key[i]) < 0 && !orr_tree_put(document, both, over->key[i], over->key_where[i], over->child[i]))
            return NULL;
    return both;
}

static const char *path_from(orr_document *document, const char *importer, const char *path)
{
    const char *slash = path[0] == '/' ? NULL : strrchr(importer, '/');
    size_t      directory = slash == NULL ? 0 : (size_t)(slash - importer) + 1;
    char       *joined = orr_tree_alloc(document, directory + strlen(path) + 1);
    if (joined != NULL) {
        memcpy(joined, importer, directory);
        strcpy(joined + directory, path);
    }
    return joined;
}

/* Names the files of a cycle in the order in which they import each other. */
static void note_cycle(loader *l, const source *again, orr_where asked)
{
    orr_text_builder chain = {0};
    const source    *open[IMPORTS_DEEP + 1];
    size_t           count = 0;
    for (const source *s = l->sources; count <= IMPORTS_DEEP; s = s->earlier) {
        if (s->open)
            open[count++] = s;
        if (s == again)
            break;
    }
    while (count-- > 0) {
        orr_build_text(&chain, open[count]->path);
        orr_build_text(&chain, " imports ");
    }
    orr_build_text(&chain, again->path);
    if (chain.out_of_memory)
        l->document->no_memory = true;
    else
        orr_problem(l->problems, asked, "import cycle: %s", chain.text);
    free(chain.text);
}

static orr_node *load(loader *l, const char *path, orr_where asked, unsigned depth);

/* The tree that importing `item` adds to `base`, or `base` again after a problem. */
static orr_node *import(loader *l, const char *importer, const orr_node *item, orr_node *base, unsigned depth)
{
    if (item->kind != ORR_NODE_SCALAR || item->text[0] == '\0') {
        orr_problem(l->problems, item->where, "imports: expected the name of a file");
        return base;
    }
    const char *path = path_from(l->document, importer, item->text);
    if (path == NULL)
        return NULL;
    orr_node *tree = load(l, path, item->where, depth + 1);
    if (tree == NULL) {
        l->document->incomplete = true;
        return l->document->no_memory ? NULL : base;
    }
    if (base == NULL)
        return tree;
    orr_node *both = join(l->document, base, tree, 0);
    if (both != NULL || l->document->no_memory)
        return both;
    orr_problem(l->problems, item->where, "with this import the scenario %s", l->document->too_much);
    l->document->too_much = NULL;
    return base;
}

/* Takes `imports` out of a file's tree and puts what they name beneath it. NULL only without memory. */
static orr_node *with_imports(loader *l, const char *path, orr_node *own, unsigned depth)
{
    if (!orr_parameters_normalise(l->document, own, l->problems))
        return NULL;
    ptrdiff_t at = orr_tree_find(own, "imports");
    if (at < 0)
        return own;
    orr_node *imports = own->child[at], *base = NULL;
    if (!orr_tree_remove(l->document, own, (size_t)at))
        return NULL;
    if (imports->kind == ORR_NODE_LIST) {
        for (size_t i = 0; i < imports->count && !l->document->no_memory; i++)
            base = import(l, path, imports->child[i], base, depth);
    } else if (!orr_tree_is_nothing(imports)) {
        base = import(l, path, imports, base, depth);
    }
    if (l->document->no_memory)
        return NULL;
    orr_node *both = base == NULL ? own : join(l->document, base, own, 0);
    if (both != NULL || l->document->no_memory)
        return both;
    orr_problem(l->problems, own->where, "with its imports this %s", l->document->too_much);
    l->document->too_much = NULL;
    return own;
}

static orr_node *parse(loader *l, const char *path, const char *text, size_t length, unsigned depth)
{
    orr_node *own = orr_yaml_read(l->document, ORR_YAML_FILE, (orr_where){.file = path}, text, length, 0, l->problems);
    return own == NULL ? NULL : with_imports(l, path, own, depth);
}

static orr_node *read_and_parse(loader *l, int fd, const char *path, orr_where asked, unsigned depth)
{
    char     *bytes = NULL;
    size_t    length = 0;
    orr_node *tree = NULL;
    int       error = read_all(fd, &bytes, &length);
    if (error != 0)
        note_unreadable(l, path, asked, error);
    else
        tree = parse(l, path, bytes, length, depth);
    free(bytes);
    return tree;
}

static orr_node *load_open(loader *l, int fd, const char *path, orr_where asked, unsigned depth)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        note_unreadable(l, path, asked, errno);
        return NULL;
    }
    for (source *s = l->sources; s != NULL; s = s->earlier)
        if (s->device == status.st_dev && s->inode == status.st_ino) {
            if (s->open)
                note_cycle(l, s, asked);
            return s->open ? NULL : s->tree;
        }
    source *new = orr_tree_alloc(l->document, sizeof *new);
    if (new == NULL)
        return NULL;
    *new = (source){.earlier = l->sources, .path = path, .device = status.st_dev, .inode = status.st_ino, .open = true};
    l->sources = new;
    new->tree = read_and_parse(l, fd, path, asked, depth);
    new->open = false;
    return new->tree;
}

/* The joined tree of a file; NULL after a problem. `asked` is where it was imported, nowhere for the first file. */
static orr_node *load(loader *l, const char *path, orr_where asked, unsigned depth)
{
    if (depth > IMPORTS_DEEP) {
        orr_problem(l->problems, asked, "imports are nested more than %d files deep", IMPORTS_DEEP);
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        note_unreadable(l, path, asked, errno);
        return NULL;
    }
    orr_node *tree = load_open(l, fd, path, asked, depth);
    close(fd);
    return tree;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

/* Takes over the document; gives it back finished, or NULL and destroys it. */
static orr_document *finish(loader *l, orr_node *root, const char *const *overrides, size_t count)
{
    orr_document *document = l->document;
    document->root = root;
    bool ok = root != NULL && orr_overrides_apply(document, overrides, count, true, l->problems)
              && orr_parameters_resolve(document, l->problems) && orr_overrides_apply(document, overrides, count, false, l->problems);
    if (document->no_memory)
        l->problems->out_of_memory = true;
    if (!ok || document->no_memory) {
        orr_document_destroy(document);
        return NULL;
    }
    document->nodes_left = SIZE_MAX; /* what comes now is the program's own */
    return document;
}

static orr_document *begin(loader *l, const char *name, const char **kept_name)
{
    *kept_name = NULL;
    l->document = orr_tree_create();
    if (l->document != NULL)
        *kept_name = orr_tree_text(l->document, name, strlen(name));
    if (*kept_name != NULL)
        return l->document;
    l->problems->out_of_memory = true;
    orr_document_destroy(l->document);
    return NULL;
}

orr_document *orr_document_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems)
{
    loader      l = {.problems = problems};
    const char *name;
    if (begin(&l, path, &name) == NULL)
        return NULL;
    return finish(&l, load(&l, name, (orr_where){0}, 0), overrides, override_count);
}

orr_document *orr_document_read(const char *path, orr_problems *problems)
{
    loader      l = {.problems = problems};
    const char *name;
    if (begin(&l, path, &name) == NULL)
        return NULL;
    l.document->root = load(&l, name, (orr_where){0}, 0);
    problems->out_of_memory |= l.document->no_memory;
    if (l.document->root != NULL && !l.document->no_memory)
        return l.document;
    orr_document_destroy(l.document);
    return NULL;
}

orr_document *orr_document_vary(const orr_document *base, const char *const *overrides, size_t override_count, orr_problems *problems)
{
    loader l = {.document = orr_tree_create(), .problems = problems};
    if (l.document == NULL) {
        problems->out_of_memory = true;
        return NULL;
    }
    l.document->incomplete = base->incomplete;
    return finish(&l, orr_tree_copy(l.document, base->root, 0, NULL, NULL), overrides, override_count);
}

orr_document *orr_document_parse(const char *name, const char *text, size_t length, const char *const *overrides,
                                 size_t override_count, orr_problems *problems)
{
    loader      l = {.problems = problems};
    const char *kept;
    if (begin(&l, name, &kept) == NULL)
        return NULL;
    orr_node *own = orr_yaml_read(l.document, ORR_YAML_FILE, (orr_where){.file = kept}, text, length, 0, problems);
    return finish(&l, own == NULL ? NULL : with_imports(&l, "", own, 0), overrides, override_count);
}

orr_node *orr_document_root(orr_document *document) { return document->root; }

orr_node *orr_document_add(orr_document *document, orr_node *parent, const char *key, orr_node_kind kind, const char *text)
{
    assert(parent->kind == ORR_NODE_MAP);
    orr_node *node = orr_tree_node(document, kind, parent->where);
    if (node == NULL)
        return NULL;
    if (kind == ORR_NODE_SCALAR && text != NULL && text[0] != '\0') {
        node->text = orr_tree_text(document, text, strlen(text));
        if (node->text == NULL)
            return NULL;
        node->quoted = !orr_yaml_is_plain(text);
    }
    ptrdiff_t known = orr_tree_find(parent, key);
    if (known >= 0) {
        parent->child[known] = node;
        return node;
    }
    const char *name = orr_tree_text(document, key, strlen(key));
    return name != NULL && orr_tree_put(document, parent, name, parent->where, node) ? node : NULL;
}

const orr_node *orr_node_get(const orr_node *map, const char *key)
{
    if (map->kind != ORR_NODE_MAP)
        return NULL;
    ptrdiff_t position = orr_tree_find(map, key);
    return position < 0 ? NULL : map->child[position];
}

orr_where orr_node_key_where(const orr_node *map, const char *key)
{
    ptrdiff_t position = map->kind == ORR_NODE_MAP ? orr_tree_find(map, key) : -1;
    return position < 0 ? map->where : map->key_where[position];
}
