#include "study/one_run.h"

#include "base/wall.h"
#include "trace/run.h"
#include "trace/run_series.h"
#include "trace/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_DONE, EXIT_FAILED, EXIT_BAD_INPUT, EXIT_MACHINE };

static bool make_folder(const char *path, orr_problems *problems)
{
    /* With its parents, as `mkdir -p` would. */
    char *part = strdup(path);
    bool ok = part != NULL;
    for (char *slash = part; ok && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = 0;
        ok = mkdir(part, 0777) == 0 || errno == EEXIST;
        *slash = '/';
    }
    ok = ok && (mkdir(path, 0777) == 0 || errno == EEXIST);
    if (!ok)
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be made: %s", strerror(errno));
    free(part);
    return ok;
}

bool orr_study_folder_make(const char *folder, orr_problems *problems)
{
    static const char *const inner[] = {"runs", "work"};
    bool ok = make_folder(folder, problems);
    for (int i = 0; ok && i < 2; i++) {
        char *path;
        ok = asprintf(&path, "%s/%s", folder, inner[i]) >= 0 && make_folder(path, problems);
        free(path);
    }
    return ok;
}

char *orr_run_path(const char *folder, const char *address, const char *suffix)
{
    char *path;
    return asprintf(&path, "%s/runs/%s%s", folder, address, suffix) < 0 ? NULL : path;
}

int64_t orr_run_bytes(const char *folder, const char *address)
{
    struct stat there;
    char *path = orr_run_path(folder, address, ".h5");
    int64_t bytes = path != NULL && access(path, R_OK) == 0 && stat(path, &there) == 0 ? (int64_t)there.st_size : -1;
    free(path);
    return bytes;
}

bool orr_run_is_done(const char *folder, const char *address) { return orr_run_bytes(folder, address) >= 0; }

/* A name in FOLDER/work that nobody else on any machine uses. */
static char *work_path(const char *folder, const char *address, const char *suffix)
{
    char host[65] = "", *path;
    gethostname(host, sizeof host - 1);
    return asprintf(&path, "%s/work/%s-%ld-%s%s", folder, host, (long)getpid(), address, suffix) < 0 ? NULL : path;
}

bool orr_record_write(const char *folder, const char *address, const cJSON *record)
{
    char *text = cJSON_PrintUnformatted(record), *made = work_path(folder, address, ".json"), *path = orr_run_path(folder, address, ".json");
    FILE *out = text == NULL || made == NULL || path == NULL ? NULL : fopen(made, "wb");
    bool ok = out != NULL && fputs(text, out) >= 0;
    if (out != NULL)
        ok &= fclose(out) == 0;
    ok = ok && rename(made, path) == 0;
    cJSON_free(text);
    free(made);
    free(path);
    return ok;
}

cJSON *orr_record_read(const char *folder, const char *address)
{
    char *path = orr_run_path(folder, address, ".json"), *text = NULL;
    FILE *in = path == NULL ? NULL : fopen(path, "rb");
    cJSON *record = NULL;
    size_t size = 0;
    if (in != NULL && getdelim(&text, &size, '\0', in) > 0)
        record = cJSON_Parse(text);
    if (in != NULL)
        fclose(in);
    free(text);
    free(path);
    return record;
}

static void add_problems(cJSON *record, orr_problems *problems)
{
    cJSON *list = cJSON_AddArrayToObject(record, "messages");
    for (size_t i = 0; i < problems->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(problems->text[i]));
    if (problems->out_of_memory)
        cJSON_AddItemToArray(list, cJSON_CreateString("out of memory"));
}

static void add_facts(cJSON *record, const orr_run_result *result, const char *made)
{
    struct stat there;
    cJSON_AddNumberToObject(record, "cpu_s", result->facts.cpu_s);
    cJSON_AddNumberToObject(record, "peak_memory", (double)result->facts.peak_rss_bytes);
    cJSON_AddNumberToObject(record, "requests", (double)result->offered);
    if (stat(made, &there) == 0)
        cJSON_AddNumberToObject(record, "bytes", (double)there.st_size);
}

/* The world of the order: the group's with another seed, or one of its own. */
static orr_world *world_of(const orr_orders *orders, const orr_order *order, orr_world *shared, orr_problems *problems)
{
    if (shared != NULL && orr_world_reseed(shared, order->seed) == ORR_OK)
        return shared;
    const orr_order_group *g = &orders->groups[order->group];
    const char **overrides = calloc(g->count + 1, sizeof *overrides);
    char seed[40];
    snprintf(seed, sizeof seed, "seed=%llu", (unsigned long long)order->seed);
    if (overrides == NULL)
        return NULL;
    memcpy(overrides, g->overrides, g->count * sizeof *overrides);
    overrides[g->count] = seed;
    orr_world *w = orr_world_load(orders->scenario, overrides, g->count + 1, problems);
    free(overrides);
    return w;
}

static int exit_of(orr_status status)
{
    switch (status) {
    case ORR_OK: return EXIT_DONE;
    case ORR_AUDIT_FAILED:
    case ORR_INTERRUPTED: return EXIT_FAILED;
    case ORR_NO_MEMORY:
    case ORR_IO: return EXIT_MACHINE;
    default: return EXIT_BAD_INPUT;
    }
}

bool orr_record_add_results(cJSON *record, const char *path, orr_problems *problems)
{
    orr_run_series series = {0};
    hid_t file = orr_result_open(path, problems);
    cJSON *summary = file < 0 ? NULL : orr_summary(file, path, problems);
    bool ok = summary != NULL && cJSON_AddItemToObject(record, "summary", summary) && orr_run_series_read(&series, file, path, problems);
    if (file >= 0)
        H5Fclose(file);
    if (ok) {
        size_t bins = orr_run_series_whole_bins(&series);
        cJSON_AddNumberToObject(record, "bin_ns", (double)series.bin_ns);
        cJSON_AddItemToObject(record, "in_system", bins > 0 ? cJSON_CreateDoubleArray(series.in_system, (int)bins) : cJSON_CreateArray());
    }
    orr_run_series_clear(&series);
    return ok;
}

int orr_one_run(const char *folder, const orr_orders *orders, size_t index, orr_world *shared, const volatile sig_atomic_t *stop)
{
    const orr_order *order = &orders->orders[index];
    double began = orr_wall_s();
    orr_problems problems = {0};
    orr_run_result result = {0};
    char *made = work_path(folder, order->address, ".h5"), *path = orr_run_path(folder, order->address, ".h5");
    cJSON *record = cJSON_CreateObject();
    orr_status status = ORR_NO_MEMORY;
    orr_world *w = made == NULL || path == NULL || record == NULL ? NULL : world_of(orders, order, shared, &problems);
    if (w != NULL) {
        const orr_run_options options = {.output = made, .stop = stop};
        status = orr_run(w, &options, &result, &problems);
        add_facts(record, &result, made);
    } else if (orr_problems_any(&problems)) {
        status = ORR_BAD_INPUT;
    }
    if (status == ORR_OK && !orr_record_add_results(record, made, &problems))
        status = ORR_IO;
    if (status == ORR_AUDIT_FAILED)
        orr_problem(&problems, (orr_where){0}, "%u of %u checks of the audit failed", result.audit.failed, result.audit.count);
    int code = exit_of(status);
    cJSON_AddNumberToObject(record, "wall_s", orr_wall_s() - began);
    cJSON_AddNumberToObject(record, "exit", code);
    add_problems(record, &problems);
    if (status != ORR_INTERRUPTED && !orr_record_write(folder, order->address, record))
        code = EXIT_MACHINE;
    if (code == EXIT_DONE && rename(made, path) != 0)
        code = EXIT_MACHINE;
    if (code != EXIT_DONE && made != NULL)
        unlink(made);
    if (w != shared)
        orr_world_destroy(w);
    orr_problems_clear(&problems);
    cJSON_Delete(record);
    free(made);
    free(path);
    return code;
}
