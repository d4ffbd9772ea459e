#include "trace/checkpoint.h"

#include "base/version.h"
#include "trace/resolved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static const char MAGIC[8] = "ORRCHK02";

/* What stands before the archive. */
typedef struct head {
    char     magic[8];
    uint64_t size, hash; /* of the archive that follows */
} head;

/* A text of any length, in or out of the archive; malloced when loading. */
static char *archive_text(orr_archive *a, const char *text)
{
    uint32_t length = text == NULL ? 0 : (uint32_t)strlen(text);
    orr_archive_bytes(a, &length, sizeof length);
    if (a->mode == ORR_ARCHIVE_SAVE) {
        orr_archive_bytes(a, (void *)(uintptr_t)text, length);
        return NULL;
    }
    if (a->status != ORR_OK || length > a->bytes.count - a->read) {
        a->status = a->status != ORR_OK ? a->status : ORR_BAD_INPUT;
        return NULL;
    }
    char *copy = calloc(length + 1u, 1);
    if (copy == NULL)
        a->status = ORR_NO_MEMORY;
    else
        orr_archive_bytes(a, copy, length);
    return copy;
}

static orr_status write_whole(const char *path, const orr_archive *a, orr_problems *problems)
{
    head h = {.size = a->bytes.count, .hash = XXH64(a->bytes.items, a->bytes.count, 0)};
    char *fresh;
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    if (asprintf(&fresh, "%s.new", path) < 0)
        return ORR_NO_MEMORY;
    FILE *f = fopen(fresh, "wb");
    bool ok = f != NULL && fwrite(&h, sizeof h, 1, f) == 1 && fwrite(a->bytes.items, 1, a->bytes.count, f) == a->bytes.count && fflush(f) == 0 && fsync(fileno(f)) == 0;
    ok = (f == NULL || fclose(f) == 0) && ok;
    ok = ok && rename(fresh, path) == 0;
    if (!ok) {
        orr_problem(problems, (orr_where){path, 0, 0}, "the checkpoint cannot be written: %s", strerror(errno));
        unlink(fresh);
    }
    free(fresh);
    return ok ? ORR_OK : ORR_IO;
}

orr_status orr_checkpoint_save(const char *path, orr_grid *grid, orr_recorder *recorder, int64_t now_ns, orr_problems *problems)
{
    orr_archive a;
    orr_archive_save(&a);
    archive_text(&a, ORR_VERSION);
    archive_text(&a, grid->world->text);
    archive_text(&a, grid->host.policy->name);
    orr_archive_bytes(&a, &now_ns, sizeof now_ns);
    orr_grid_archive(grid, &a);
    orr_recorder_archive(recorder, &a);
    orr_status status = a.status != ORR_OK ? a.status : write_whole(path, &a, problems);
    orr_archive_destroy(&a);
    return status;
}

/* The archive in the file, malloced; NULL with a problem. */
static char *read_whole(const char *path, size_t *size, orr_problems *problems)
{
    head h;
    char *bytes = NULL;
    const char *wrong = NULL;
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    if (fread(&h, sizeof h, 1, f) != 1 || memcmp(h.magic, MAGIC, sizeof MAGIC) != 0)
        wrong = "is not a checkpoint of this program";
    else if (h.size >= ORR_NONE || (bytes = malloc(h.size + 1)) == NULL)
        wrong = "is damaged, or larger than memory";
    else if (fread(bytes, 1, h.size, f) != h.size || fgetc(f) != EOF)
        wrong = "is damaged: it has been cut short or added to";
    else if (XXH64(bytes, h.size, 0) != h.hash)
        wrong = "is damaged: its contents do not match their hash";
    fclose(f);
    if (wrong != NULL) {
        orr_problem(problems, (orr_where){path, 0, 0}, "%s", wrong);
        free(bytes);
        return NULL;
    }
    *size = h.size;
    return bytes;
}

/* Is it ours? Notes what is not. */
static bool belongs(const char *path, const orr_grid *g, const char *version, const char *text, const char *policy, bool branch, orr_problems *problems)
{
    orr_where where = {path, 0, 0};
    orr_parting parting;
    char seed_line[48];
    snprintf(seed_line, sizeof seed_line, "\nseed: %llu\n", (unsigned long long)g->world->seed);
    if (strcmp(version, ORR_VERSION) != 0)
        orr_problem(problems, where, "is a checkpoint of version %s, this is version %s", version, ORR_VERSION);
    else if (!orr_resolved_same(text, g->world->text, &parting))
        orr_problem(problems, where, "is a checkpoint of another scenario: `%.*s` there is `%.*s` here", (int)parting.a_length, parting.a, (int)parting.b_length, parting.b);
    else if (strstr(text, seed_line) == NULL)
        orr_problem(problems, where, "is a checkpoint of another seed than %llu", (unsigned long long)g->world->seed);
    else if (!branch && strcmp(policy, g->host.policy->name) != 0)
        orr_problem(problems, where, "is a checkpoint under the policy `%s`; to go on with `%s`, use --branch", policy, g->host.policy->name);
    else
        return true;
    return false;
}

orr_status orr_checkpoint_load(const char *path, orr_grid *grid, const char *output, bool branch, orr_recorder **recorder, int64_t *now_ns, orr_problems *problems)
{
    size_t size;
    char *bytes = read_whole(path, &size, problems);
    *recorder = NULL;
    if (bytes == NULL)
        return ORR_BAD_INPUT;
    orr_archive a;
    orr_archive_load(&a, bytes, size);
    char *version = archive_text(&a, NULL), *text = archive_text(&a, NULL), *policy = archive_text(&a, NULL);
    orr_archive_bytes(&a, now_ns, sizeof *now_ns);
    orr_status status = a.status;
    if (status == ORR_OK && !belongs(path, grid, version, text, policy, branch, problems))
        status = ORR_BAD_INPUT;
    if (status == ORR_OK) {
        orr_grid_archive(grid, &a);
        status = a.status;
    }
    if (status == ORR_OK && branch)
        status = orr_grid_new_policies(grid, problems);
    if (status == ORR_OK)
        status = orr_recorder_resume(recorder, output, grid, &a, problems);
    if (status == ORR_BAD_INPUT && !orr_problems_any(problems))
        orr_problem(problems, (orr_where){path, 0, 0}, "is damaged");
    free(version);
    free(text);
    free(policy);
    free(bytes);
    return status;
}
