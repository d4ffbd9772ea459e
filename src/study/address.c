#include "study/address.h"

#include "base/version.h"
#include "trace/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct orr_file_digest {
    char      *path;
    orr_digest digest;
} orr_file_digest;

void orr_file_digests_clear(orr_file_digests *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->files[i].path);
    free(d->files);
    *d = (orr_file_digests){0};
}

static void add(XXH3_state_t *state, const char *text) { XXH3_128bits_update(state, text, strlen(text) + 1); }

static orr_digest taken(XXH3_state_t *state)
{
    XXH128_hash_t h = XXH3_128bits_digest(state);
    return (orr_digest){h.low64, h.high64};
}

static bool digest_file(const char *path, orr_digest *digest)
{
    enum { BLOCK = 1 << 16 };
    XXH3_state_t *state = XXH3_createState();
    char *block = malloc(BLOCK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    *digest = (orr_digest){0};
    if (state != NULL && block != NULL && fd >= 0) {
        XXH3_128bits_reset(state);
        while ((got = read(fd, block, BLOCK)) > 0)
            XXH3_128bits_update(state, block, (size_t)got);
        *digest = taken(state);
    }
    bool ok = state != NULL && block != NULL;
    if (fd >= 0)
        close(fd);
    free(block);
    XXH3_freeState(state);
    return ok;
}

static bool file_digest(orr_file_digests *d, const char *path, orr_digest *digest)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->files[i].path, path) == 0) {
            *digest = d->files[i].digest;
            return true;
        }
    if (d->count == d->capacity) {
        orr_file_digest *larger = realloc(d->files, (2 * d->capacity + 16) * sizeof *larger);
        if (larger == NULL)
            return false;
        d->files = larger;
        d->capacity = 2 * d->capacity + 16;
    }
    orr_file_digest *f = &d->files[d->count];
    f->path = strdup(path);
    if (f->path == NULL || !digest_file(path, &f->digest)) {
        free(f->path);
        return false;
    }
    d->count++;
    *digest = f->digest;
    return true;
}

/* A file that a value names, from where it is written, as the schema resolves it. */
static bool add_file(XXH3_state_t *state, orr_file_digests *files, const orr_node *value)
{
    const char *file = value->where.file, *slash = file == NULL || strncmp(file, "--set ", 6) == 0 ? NULL : strrchr(file, '/');
    char *path;
    orr_digest digest;
    if (value->kind != ORR_NODE_SCALAR || *value->text == 0)
        return true;
    if (asprintf(&path, "%.*s%s", value->text[0] == '/' || slash == NULL ? 0 : (int)(slash - file) + 1, file != NULL ? file : "", value->text) < 0)
        return false;
    bool ok = file_digest(files, path, &digest);
    free(path);
    XXH3_128bits_update(state, &digest, sizeof digest);
    return ok;
}

static void add_node(XXH3_state_t *state, const orr_node *node, bool root)
{
    static const char *const kinds[] = {"s", "l", "m"};
    add(state, node->kind == ORR_NODE_SCALAR && node->quoted ? "q" : kinds[node->kind]);
    if (node->kind == ORR_NODE_SCALAR) {
        add(state, node->text);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (root && strcmp(node->key[i], "seed") == 0)
            continue;
        if (node->kind == ORR_NODE_MAP)
            add(state, node->key[i]);
        add_node(state, node->child[i], false);
    }
    add(state, "e");
}

bool orr_digest_of(orr_digest *digest, orr_document *document, orr_file_digests *files)
{
    const orr_node *root = orr_document_root(document), *catalogues = orr_node_get(root, "catalogues"), *clients = orr_node_get(root, "clients");
    const orr_node *policy = orr_node_get(root, "policy"), *name = policy == NULL ? NULL : orr_node_get(policy, "name");
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return false;
    XXH3_128bits_reset(state);
    add(state, ORR_VERSION);
    XXH3_128bits_update(state, &(int){ORR_FORMAT_VERSION}, sizeof(int));
    add_node(state, root, true);
    bool ok = true;
    for (size_t i = 0; ok && catalogues != NULL && i < catalogues->count; i++)
        ok = add_file(state, files, catalogues->child[i]);
    for (size_t i = 0; ok && clients != NULL && clients->kind == ORR_NODE_LIST && i < clients->count; i++) {
        const orr_node *replay = orr_node_get(clients->child[i], "replay");
        ok = replay == NULL || add_file(state, files, replay);
    }
    orr_digest object = {0};
    if (ok && name != NULL && name->kind == ORR_NODE_SCALAR && strchr(name->text, '/') != NULL) /* a shared object */
        ok = file_digest(files, name->text, &object);
    XXH3_128bits_update(state, &object, sizeof object);
    *digest = taken(state);
    XXH3_freeState(state);
    return ok;
}

void orr_address_of(const orr_digest *digest, uint64_t seed, char address[ORR_ADDRESS_BYTES])
{
    const uint64_t all[] = {digest->low, digest->high, seed};
    XXH128_hash_t h = XXH3_128bits(all, sizeof all);
    snprintf(address, ORR_ADDRESS_BYTES, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}
