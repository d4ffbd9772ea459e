#include "study/slurm.h"

#include "study/program.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long a command of Slurm may take: it gives up on a silent controller by itself after some ten seconds, but not always. */
static const double DEADLINE_S = 60;

static const char task_script[] = "#!/bin/sh\n"
                                  "# One task of the array: PROGRAM FOLDER SUBMISSION.\n"
                                  "exec \"$1\" sweep --task \"$2/slurm/$3/$SLURM_ARRAY_TASK_ID.json\" -o \"$2\"\n";
static const char merge_script[] = "#!/bin/sh\n"
                                   "# After the array: enters what its tasks have left into the manifest.\n"
                                   "exec \"$@\"\n";

/* --- asking --- */

/* The last line that a command has printed about what is wrong: the first ones repeat it in other words. */
static const char *last_line(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        text[--n] = 0;
    char *line = strrchr(text, '\n');
    return line != NULL ? line + 1 : text;
}

/* Runs a command of Slurm; one that fails is a problem in its own words. */
static orr_status ask(const char *const *arguments, orr_program_result *result, orr_problems *problems)
{
    orr_status status = orr_program_run(arguments, DEADLINE_S, result, problems);
    if (status == ORR_OK && result->exit != 0) {
        const char *line = last_line(result->err);
        orr_problem(problems, (orr_where){0}, "Slurm: %s: %s", arguments[0], *line != 0 ? line : "failed without a reason");
        status = ORR_IO;
    }
    return status;
}

bool orr_slurm_most_tasks(size_t *most, orr_problems *problems)
{
    static const char *const arguments[] = {"scontrol", "show", "config", NULL};
    static const char key[] = "\nMaxArraySize";
    orr_program_result result;
    bool ok = ask(arguments, &result, problems) == ORR_OK;
    const char *at = ok ? strstr(result.out, key) : NULL;
    at = at == NULL ? NULL : strchr(at, '=');
    unsigned long size = at == NULL ? 0 : strtoul(at + 1, NULL, 10); /* indices go from 0 to one less */
    if (ok && size < 2)
        orr_problem(problems, (orr_where){0}, "Slurm: this cluster takes no job arrays (MaxArraySize %lu)", size);
    *most = size < 2 ? 0 : size - 1 < ORR_SLURM_MOST_TASKS ? size - 1 : ORR_SLURM_MOST_TASKS;
    orr_program_clear(&result);
    return *most > 0;
}

/* --- packing --- */

size_t orr_slurm_pack(const orr_orders *orders, double pack_s, size_t most, size_t **first)
{
    double all = 0, sum = 0, left;
    size_t count = 0;
    *first = calloc(orders->count + 1, sizeof **first);
    if (*first == NULL || orders->count == 0)
        return 0;
    for (size_t i = 0; i < orders->count; i++)
        all += orders->orders[i].expected_s > 0 ? orders->orders[i].expected_s : pack_s;
    pack_s = pack_s > all / (double)most ? pack_s : all / (double)most;
    left = all;
    for (size_t i = 0; i < orders->count; i++) {
        double s = orders->orders[i].expected_s > 0 ? orders->orders[i].expected_s : pack_s;
        if (i == 0 || (sum >= pack_s && left >= pack_s && count < most)) {
            (*first)[count++] = i;
            sum = 0;
        }
        sum += s;
        left -= s;
    }
    (*first)[count] = orders->count;
    return count;
}

/* --- what is written down --- */

static orr_status cannot_write(const char *path, orr_problems *problems)
{
    orr_problem(problems, (orr_where){path, 0, 0}, "cannot be written: %s", strerror(errno));
    return ORR_IO;
}

/* Whole or not at all. */
static orr_status write_text(const char *path, const char *text, orr_problems *problems)
{
    char *made;
    if (asprintf(&made, "%s.%ld", path, (long)getpid()) < 0)
        return ORR_NO_MEMORY;
    FILE *out = fopen(made, "wb");
    bool ok = out != NULL && fputs(text, out) >= 0;
    if (out != NULL)
        ok &= fclose(out) == 0;
    ok = ok && rename(made, path) == 0;
    free(made);
    return ok ? ORR_OK : cannot_write(path, problems);
}

static orr_status write_json(const char *path, const cJSON *json, orr_problems *problems)
{
    char *text = json == NULL ? NULL : cJSON_Print(json);
    orr_status status = text == NULL ? ORR_NO_MEMORY : write_text(path, text, problems);
    cJSON_free(text);
    return status;
}

static orr_status save_current(const char *folder, const orr_slurm_submission *s, orr_problems *problems)
{
    cJSON *json = cJSON_CreateObject();
    char *path = NULL;
    bool ok = cJSON_AddStringToObject(json, "submission", s->name) != NULL && cJSON_AddStringToObject(json, "array", s->array) != NULL &&
              cJSON_AddStringToObject(json, "merge", s->merge) != NULL && cJSON_AddNumberToObject(json, "tasks", (double)s->tasks) != NULL &&
              cJSON_AddNumberToObject(json, "runs", (double)s->runs) != NULL && asprintf(&path, "%s/slurm/current", folder) >= 0;
    orr_status status = ok ? write_json(path, json, problems) : ORR_NO_MEMORY;
    free(path);
    cJSON_Delete(json);
    return status;
}

static void read_word(const cJSON *json, const char *name, char *word, size_t size)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    snprintf(word, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

static size_t read_count(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? (size_t)item->valuedouble : 0;
}

bool orr_slurm_current(const char *folder, orr_slurm_submission *s)
{
    char *path = NULL, *text = NULL;
    size_t size = 0;
    *s = (orr_slurm_submission){0};
    FILE *in = asprintf(&path, "%s/slurm/current", folder) < 0 ? NULL : fopen(path, "rb");
    cJSON *json = in != NULL && getdelim(&text, &size, '\0', in) > 0 ? cJSON_Parse(text) : NULL;
    if (in != NULL)
        fclose(in);
    read_word(json, "submission", s->name, sizeof s->name);
    read_word(json, "array", s->array, sizeof s->array);
    read_word(json, "merge", s->merge, sizeof s->merge);
    s->tasks = read_count(json, "tasks");
    s->runs = read_count(json, "runs");
    cJSON_Delete(json);
    free(text);
    free(path);
    return *s->name != 0 && s->tasks > 0;
}

/* --- submitting --- */

static orr_status make_folder(const char *path, orr_problems *problems) { return mkdir(path, 0777) == 0 || errno == EEXIST ? ORR_OK : cannot_write(path, problems); }

static orr_status write_task(const orr_orders *orders, size_t from, size_t to, const char *in, size_t task, orr_problems *problems)
{
    char *path;
    if (asprintf(&path, "%s/%zu.json", in, task) < 0)
        return ORR_NO_MEMORY;
    cJSON *json = orr_orders_to_json(orders, from, to);
    orr_status status = write_json(path, json, problems);
    cJSON_Delete(json);
    free(path);
    return status;
}

/* The folder of a submission with its tasks and scripts; `current` names it only when it is whole. */
static orr_status prepare(const orr_orders *orders, const char *folder, const orr_slurm_options *options, orr_slurm_submission *s, orr_problems *problems)
{
    size_t most, *first = NULL;
    char *slurm = NULL, *in = NULL, *task = NULL, *merge = NULL, stamp[32];
    time_t t = time(NULL);
    struct tm local;
    if (!orr_slurm_most_tasks(&most, problems))
        return ORR_IO;
    *s = (orr_slurm_submission){.runs = orders->count, .tasks = orr_slurm_pack(orders, options->pack_s, most, &first)};
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", localtime_r(&t, &local));
    snprintf(s->name, sizeof s->name, "%s-%ld", stamp, (long)getpid());
    bool ok = s->tasks > 0 && asprintf(&slurm, "%s/slurm", folder) >= 0 && asprintf(&in, "%s/%s", slurm, s->name) >= 0 && asprintf(&task, "%s/task.sh", in) >= 0 && asprintf(&merge, "%s/merge.sh", in) >= 0;
    orr_status status = ok ? make_folder(slurm, problems) : ORR_NO_MEMORY;
    status = status != ORR_OK ? status : make_folder(in, problems);
    for (size_t i = 0; status == ORR_OK && i < s->tasks; i++)
        status = write_task(orders, first[i], first[i + 1], in, i + 1, problems);
    status = status != ORR_OK ? status : write_text(task, task_script, problems);
    status = status != ORR_OK ? status : write_text(merge, merge_script, problems);
    status = status != ORR_OK ? status : save_current(folder, s, problems);
    free(first);
    free(slurm);
    free(in);
    free(task);
    free(merge);
    return status;
}

/* An argument vector that is put together; it owns its texts. */
typedef struct vector {
    char **item;
    size_t count, capacity;
    bool   failed;
} vector;

static void __attribute__((format(printf, 2, 3))) add(vector *v, const char *format, ...)
{
    va_list list;
    if (v->count + 1 >= v->capacity) { /* room for the NULL at the end */
        char **larger = realloc(v->item, (2 * v->capacity + 16) * sizeof *larger);
        v->failed |= larger == NULL;
        if (larger == NULL)
            return;
        v->item = larger;
        v->capacity = 2 * v->capacity + 16;
    }
    va_start(list, format);
    if (vasprintf(&v->item[v->count], format, list) < 0)
        v->failed = true;
    else
        v->count++;
    va_end(list);
    v->item[v->count] = NULL;
}

static void vector_clear(vector *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->item[i]);
    free(v->item);
}

static void add_common(vector *v, const char *folder, const orr_slurm_submission *s, const orr_slurm_options *options, const char *name, const char *output)
{
    char *here = getcwd(NULL, 0);
    add(v, "sbatch");
    add(v, "--parsable");
    add(v, "--requeue");
    add(v, "--open-mode=append");
    add(v, "--job-name=orrery-%s%s", s->name, name);
    add(v, "--output=%s/slurm/%s/%s", folder, s->name, output);
    if (here != NULL)
        add(v, "--chdir=%s", here);
    for (size_t i = 0; i < options->sbatch_count; i++)
        add(v, "%s", options->sbatch[i]);
    free(here);
}

/* Submits, and takes the job's number: "12" or "12;cluster". */
static orr_status submit(vector *v, char number[24], orr_problems *problems)
{
    orr_program_result result = {0};
    orr_status status = v->failed ? ORR_NO_MEMORY : ask((const char *const *)v->item, &result, problems);
    size_t n = status == ORR_OK ? strspn(result.out, "0123456789") : 0;
    if (status == ORR_OK && (n == 0 || n > 20)) {
        orr_problem(problems, (orr_where){0}, "Slurm: sbatch: expected the number of a job, found `%s`", last_line(result.out));
        status = ORR_IO;
    }
    if (status == ORR_OK)
        snprintf(number, 24, "%.*s", (int)n, result.out);
    orr_program_clear(&result);
    return status;
}

static orr_status submit_array(const char *folder, const char *program, const orr_slurm_options *options, orr_slurm_submission *s, orr_problems *problems)
{
    vector v = {0};
    add_common(&v, folder, s, options, "", "%a.out");
    add(&v, "--array=1-%zu", s->tasks);
    add(&v, "%s/slurm/%s/task.sh", folder, s->name);
    add(&v, "%s", program);
    add(&v, "%s", folder);
    add(&v, "%s", s->name);
    orr_status status = submit(&v, s->array, problems);
    vector_clear(&v);
    return status != ORR_OK ? status : save_current(folder, s, problems);
}

static orr_status submit_merge(const char *folder, const char *const *merge, const orr_slurm_options *options, orr_slurm_submission *s, orr_problems *problems)
{
    vector v = {0};
    add_common(&v, folder, s, options, "-merge", "merge.out");
    add(&v, "--dependency=afterany:%s", s->array); /* afterok would never start after one failed task */
    add(&v, "%s/slurm/%s/merge.sh", folder, s->name);
    for (size_t i = 0; merge[i] != NULL; i++)
        add(&v, "%s", merge[i]);
    orr_status status = submit(&v, s->merge, problems);
    vector_clear(&v);
    return status != ORR_OK ? status : save_current(folder, s, problems);
}

/* --- the queue --- */

/* Calls back for each task in the queue: its job's number, whether it is the merge's, its state and what it waits for. */
static bool each_queued(const orr_slurm_submission *s, void (*each)(void *context, const char *number, bool merge, const char *state, const char *reason), void *context, orr_problems *problems)
{
    vector v = {0};
    orr_program_result result = {0};
    char *rest = NULL, number[24], name[96], state[8], merge_name[96];
    int n;
    add(&v, "squeue");
    add(&v, "--noheader");
    add(&v, "--array");
    add(&v, "--name=orrery-%s,orrery-%s-merge", s->name, s->name);
    add(&v, "--format=%%F %%j %%t %%r");
    snprintf(merge_name, sizeof merge_name, "orrery-%s-merge", s->name);
    bool ok = !v.failed && ask((const char *const *)v.item, &result, problems) == ORR_OK;
    for (char *line = ok ? strtok_r(result.out, "\n", &rest) : NULL; line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (sscanf(line, "%23s %95s %7s %n", number, name, state, &n) == 3)
            each(context, number, strcmp(name, merge_name) == 0, state, line + n);
    vector_clear(&v);
    orr_program_clear(&result);
    return ok;
}

static void count_task(void *context, const char *number, bool merge, const char *state, const char *reason)
{
    orr_slurm_queue *q = context;
    (void)number;
    if (merge)
        q->merge = true;
    else if (strcmp(state, "PD") != 0)
        q->running++;
    else if (strcasestr(reason, "held") != NULL)
        q->held++;
    else
        q->waiting++;
}

bool orr_slurm_ask(const orr_slurm_submission *s, orr_slurm_queue *queue, orr_problems *problems)
{
    *queue = (orr_slurm_queue){0};
    return each_queued(s, count_task, queue, problems);
}

static void take_number(void *context, const char *number, bool merge, const char *state, const char *reason)
{
    orr_slurm_submission *s = context;
    (void)state;
    (void)reason;
    snprintf(merge ? s->merge : s->array, sizeof s->array, "%s", number);
}

orr_status orr_slurm_complete(const char *folder, const char *program, const char *const *merge, const orr_slurm_options *options, orr_slurm_submission *s, orr_problems *problems)
{
    if (!each_queued(s, take_number, s, problems))
        return ORR_IO;
    orr_status status = *s->array != 0 ? ORR_OK : submit_array(folder, program, options, s, problems);
    return status != ORR_OK || *s->merge != 0 ? status : submit_merge(folder, merge, options, s, problems);
}

orr_status orr_slurm_submit(const orr_orders *orders, const char *folder, const char *program, const char *const *merge, const orr_slurm_options *options, orr_slurm_submission *s, orr_problems *problems)
{
    orr_status status = prepare(orders, folder, options, s, problems);
    return status != ORR_OK ? status : orr_slurm_complete(folder, program, merge, options, s, problems);
}

bool orr_slurm_cancel(const orr_slurm_submission *s, bool all, orr_problems *problems)
{
    vector v = {0};
    orr_program_result result = {0};
    add(&v, "scancel");
    if (!all)
        add(&v, "--state=PENDING");
    add(&v, "--quiet");
    if (*s->array != 0)
        add(&v, "%s", s->array);
    if (all && *s->merge != 0)
        add(&v, "%s", s->merge);
    bool ok = *s->array == 0 || (!v.failed && ask((const char *const *)v.item, &result, problems) == ORR_OK);
    vector_clear(&v);
    orr_program_clear(&result);
    return ok;
}
