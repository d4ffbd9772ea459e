/* orrery status: how far a study is, from what lies in its folder. It only looks: whoever does the runs is not disturbed. */
#include "cli/cli.h"
#include "cli/pages.h"
#include "cli/study_input.h"
#include "cli/words.h"
#include "study/slurm.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct status_arguments {
    const char *study, *folder;
    bool        json;
} status_arguments;

enum { KEY_JSON = 1000, SHOWN_FAILURES = 5 };
static const double ALIVE_S = 300; /* a run on another machine has written within that time, or is taken for dead */

static const struct argp_option options[] = {
    {"output", 'o', "FOLDER", 0, "folder of the results (default: out/NAME of the study)", 0},
    {"json", KEY_JSON, NULL, 0, "as JSON", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    status_arguments *a = state->input;
    switch (key) {
    case 'o': a->folder = text; return 0;
    case KEY_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->study != NULL)
            argp_error(state, "one study at a time; `%s` is too much", text);
        a->study = text;
        return 0;
    case ARGP_KEY_END:
        if (a->study == NULL)
            argp_error(state, "which STUDY or FOLDER?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

typedef struct facts {
    size_t done, failed, missing, running; /* running ones are among the missing */
    double used_s, left_s, bytes;          /* left_s: work, NaN if nothing is known */
    double began_s, eta_s;                 /* began_s: when whoever is at work began, since 1970, 0: nobody is; eta_s: NaN if nothing is known */
    bool   in_use;
    long   process;
    orr_slurm_submission submission;
    bool   asked;                          /* the cluster has answered */
    orr_slurm_queue queue;
    cJSON *failures;
} facts;

/* --- looking --- */

/* The files of a folder, one after the other. */
static void each_file(const char *folder, const char *inner, void (*each)(void *context, const char *name, const struct stat *there), void *context)
{
    char *path, *file;
    DIR *d = asprintf(&path, "%s/%s", folder, inner) < 0 ? NULL : opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct stat there;
        if (asprintf(&file, "%s/%s", path, e->d_name) < 0)
            continue;
        if (stat(file, &there) == 0 && S_ISREG(there.st_mode))
            each(context, e->d_name, &there);
        free(file);
    }
    if (d != NULL)
        closedir(d);
    free(path);
}

static void add_size(void *context, const char *name, const struct stat *there)
{
    (void)name;
    *(double *)context += (double)there->st_blocks * 512; /* st_blocks counts these, whatever the file system's own blocks */
}

/* A file of work/ that a run is being written to: HOST-PROCESS-ADDRESS.h5. */
static void count_running(void *context, const char *name, const struct stat *there)
{
    facts *f = context;
    char host[65] = "";
    size_t n = strlen(name), h;
    gethostname(host, sizeof host - 1);
    h = strlen(host);
    if (n < ORR_ADDRESS_BYTES + 3 || strcmp(name + n - 3, ".h5") != 0 || strncmp(name, "forecast-", 9) == 0)
        return;
    bool here = strncmp(name, host, h) == 0 && name[h] == '-';
    long process = here ? strtol(name + h + 1, NULL, 10) : 0;
    f->running += here ? orr_campaign_process_lives(process) : difftime(time(NULL), there->st_mtime) < ALIVE_S;
}

static double number_in(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void add_failure(void *context, const char *address, const char *what, const char *message)
{
    facts *f = context;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "address", address);
    cJSON_AddStringToObject(item, "run", what);
    cJSON_AddStringToObject(item, "message", message);
    cJSON_AddItemToArray(f->failures, item);
}

/* A failure that a task has left word of, and that nobody has entered yet. */
static void add_new_failure(facts *f, const orr_campaign *c, const orr_planned_run *r, const cJSON *record)
{
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(record, "messages"), 0);
    const orr_variant *v = &c->plan.variants[r->variant];
    char *cell = orr_study_cell_text(c->study, v->cell), *what;
    if (cell != NULL && asprintf(&what, "%s%s%s, seed %llu", c->study->policies[v->policy].label, *cell ? ", " : "", cell, (unsigned long long)r->seed) >= 0) {
        add_failure(f, r->address, what, cJSON_IsString(first) ? first->valuestring : "killed");
        free(what);
    }
    free(cell);
}

/* Seconds since 1970, with their fraction. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* When a file was last changed; 0 if it is not there. */
static double changed_file(const char *folder, const char *name)
{
    struct stat there;
    char *path;
    double when = 0;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return 0;
    if (stat(path, &there) == 0)
        when = (double)there.st_mtim.tv_sec + 1e-9 * (double)there.st_mtim.tv_nsec;
    free(path);
    return when;
}

static double changed(const char *folder, const char *address)
{
    char name[ORR_ADDRESS_BYTES + 16];
    snprintf(name, sizeof name, "runs/%s.h5", address);
    return changed_file(folder, name);
}

/* Every planned run: the files say what is done, the book and the records of tasks how long it took. */
static void look_at_runs(facts *f, const orr_campaign *c)
{
    double requests_done = 0, requests_left = 0, since = 0;
    size_t timed = 0;
    for (size_t i = 0; i < c->plan.run_count; i++) {
        const orr_planned_run *r = &c->plan.runs[i];
        double requests = c->plan.variants[r->variant].requests, wall_s = 0;
        bool done = orr_run_is_done(c->folder, r->address);
        orr_manifest_row row;
        orr_run_state state = orr_manifest_get(c->manifest, r->address, &row) ? row.state : ORR_RUN_MISSING;
        if (done && state == ORR_RUN_DONE) {
            wall_s = row.wall_s;
        } else {
            cJSON *record = orr_record_read(c->folder, r->address);
            if (done)
                wall_s = number_in(record, "wall_s");
            else if (number_in(record, "exit") != 0 && state != ORR_RUN_FAILED) {
                add_new_failure(f, c, r, record);
                state = ORR_RUN_FAILED;
            }
            cJSON_Delete(record);
        }
        if (done && f->began_s > 0 && changed(c->folder, r->address) >= f->began_s)
            since += requests > 0 ? requests : 1;
        f->done += done;
        f->failed += !done && state == ORR_RUN_FAILED;
        f->missing += !done && state != ORR_RUN_FAILED;
        f->used_s += wall_s;
        timed += wall_s > 0;
        requests_done += wall_s <= 0 ? 0 : requests > 0 ? requests : 1;
        requests_left += done || state == ORR_RUN_FAILED ? 0 : requests > 0 ? requests : 1;
    }
    f->left_s = f->missing == 0 ? 0 : timed == 0 ? (double)NAN : f->used_s * requests_left / requests_done;
    f->eta_s = f->missing == 0 ? 0 : since > 0 ? (now() - f->began_s) * requests_left / since : (double)NAN; /* at the pace since it began */
}

static void look(facts *f, const orr_campaign *c)
{
    orr_problems quiet = {0};
    *f = (facts){.failures = cJSON_CreateArray()};
    f->in_use = orr_campaign_in_use(c->folder, &f->process);
    orr_manifest_totals entered;
    bool all = orr_manifest_totals_of(c->manifest, &entered) && entered.state[ORR_RUN_DONE] == c->plan.run_count; /* then the cluster has nothing to tell */
    f->asked = orr_slurm_current(c->folder, &f->submission) && !all && orr_slurm_ask(&f->submission, &f->queue, &quiet);
    bool queued = f->queue.running + f->queue.waiting > 0;
    f->began_s = queued ? changed_file(c->folder, "slurm/current") : f->in_use ? changed_file(c->folder, "lock") : 0; /* each is written at the beginning */
    orr_manifest_failures(c->manifest, add_failure, f);
    look_at_runs(f, c);
    each_file(c->folder, "work", count_running, f);
    each_file(c->folder, "runs", add_size, &f->bytes);
    each_file(c->folder, "work", add_size, &f->bytes);
    each_file(c->folder, ".", add_size, &f->bytes);
    orr_problems_clear(&quiet);
}

/* --- telling --- */

static void add_number(cJSON *json, const char *name, double value)
{
    cJSON_AddItemToObject(json, name, isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(value));
}

static int tell_json(const facts *f, const orr_campaign *c)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", c->study->name);
    cJSON_AddStringToObject(json, "folder", c->folder);
    cJSON_AddNumberToObject(json, "planned", (double)c->plan.run_count);
    cJSON_AddNumberToObject(json, "done", (double)f->done);
    cJSON_AddNumberToObject(json, "failed", (double)f->failed);
    cJSON_AddNumberToObject(json, "missing", (double)f->missing);
    cJSON_AddNumberToObject(json, "running", (double)f->running);
    cJSON_AddNumberToObject(json, "time_used_s", f->used_s);
    add_number(json, "time_left_s", f->left_s);
    add_number(json, "eta_s", f->eta_s);
    cJSON_AddNumberToObject(json, "disk_bytes", f->bytes);
    add_number(json, "process", f->in_use ? (double)f->process : (double)NAN);
    cJSON *slurm = *f->submission.name != 0 ? cJSON_AddObjectToObject(json, "slurm") : NULL;
    if (slurm != NULL) {
        cJSON_AddStringToObject(slurm, "job", f->submission.array);
        cJSON_AddBoolToObject(slurm, "answers", f->asked);
        cJSON_AddNumberToObject(slurm, "tasks_running", (double)f->queue.running);
        cJSON_AddNumberToObject(slurm, "tasks_waiting", (double)f->queue.waiting);
        cJSON_AddNumberToObject(slurm, "tasks_held", (double)f->queue.held);
    }
    cJSON_AddItemReferenceToObject(json, "failures", f->failures);
    char *text = cJSON_Print(json);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return text != NULL ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
}

static void tell_who(const facts *f)
{
    if (f->in_use)
        printf("under way on this folder: process %ld\n", f->process);
    if (*f->submission.name != 0 && !f->asked && f->missing > 0)
        printf("submitted as job %s; the cluster does not answer\n", f->submission.array);
    else if (f->queue.running + f->queue.waiting + f->queue.held > 0)
        printf("job %s of the cluster: %zu tasks running, %zu waiting, %zu held\n", f->submission.array, f->queue.running, f->queue.waiting, f->queue.held);
    else if (!f->in_use && f->missing > 0)
        printf("nobody is at work on it; `orrery sweep` goes on\n");
}

static int tell(const facts *f, const orr_campaign *c)
{
    char a[ORR_WORD], b[ORR_WORD];
    printf("%s: %s\n%zu runs planned: %zu done, %zu failed, %zu missing (%zu of them running)\n", c->study->name, c->study->question, c->plan.run_count, f->done, f->failed, f->missing, f->running);
    printf("time used by runs %s", orr_cli_duration(f->used_s, a));
    if (f->missing > 0 && !isnan(f->left_s))
        printf(", left about %s", orr_cli_duration(f->left_s, b));
    if (f->missing > 0 && !isnan(f->eta_s))
        printf(", done in about %s", orr_cli_duration(f->eta_s, b));
    printf("; %s of disk\n", orr_cli_bytes(f->bytes, a));
    tell_who(f);
    const cJSON *failure;
    int shown = 0;
    cJSON_ArrayForEach(failure, f->failures)
        if (shown++ < SHOWN_FAILURES)
            printf("  failed: %s: %s\n", cJSON_GetObjectItem(failure, "run")->valuestring, cJSON_GetObjectItem(failure, "message")->valuestring);
    if (shown > SHOWN_FAILURES)
        printf("  and %d more (--json has all)\n", shown - SHOWN_FAILURES);
    return ORR_EXIT_DONE;
}

int orr_cli_status(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "STUDY|FOLDER", "How far a study is: runs done, failed, missing and running, time, disk.", NULL, NULL, NULL};
    status_arguments a = {0};
    orr_problems problems = {0};
    orr_campaign campaign;
    facts f;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!orr_cli_open_study(a.folder != NULL ? a.folder : a.study, &campaign, &problems))
        return orr_cli_problems(&problems);
    look(&f, &campaign);
    int exit_status = f.failures == NULL ? orr_cli_failure(ORR_NO_MEMORY, &problems) : a.json ? tell_json(&f, &campaign) : tell(&f, &campaign);
    cJSON_Delete(f.failures);
    orr_campaign_close(&campaign);
    return exit_status;
}
