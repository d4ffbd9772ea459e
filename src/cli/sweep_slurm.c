#include "cli/sweep_slurm.h"

#include "base/wall.h"
#include "cli/pages.h"
#include "cli/stopping.h"
#include "cli/words.h"
#include "scenario/units.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEY_ON = 2000, KEY_NO_WAIT, KEY_MERGE, KEY_PARTITION, KEY_TIME, KEY_PACK, KEY_SBATCH };
enum { MOST_ROUNDS = 3, PLAIN_LINE_S = 30 };
static const double MERGE_PATIENCE_S = 600, PATIENCE_S = 60; /* for the folder */
static const double LOOK_S = 1, ASK_S = 2, ASK_LEAST_OFTEN_S = 15; /* at the files, and the cluster: a controller serves many */
static const double GRACE_S = 30; /* for the merge job, once all files are there */

/* --- options --- */

static const struct argp_option options[] = {
    {"on", KEY_ON, "local|slurm", 0, "where the runs are done (default: local)", 2},
    {"no-wait", KEY_NO_WAIT, NULL, 0, "slurm: submit and leave; a merge job collects the results", 2},
    {"partition", KEY_PARTITION, "NAME", 0, "slurm: where tasks are queued", 2},
    {"time", KEY_TIME, "LIMIT", 0, "slurm: longest time of a task, as sbatch takes it", 2},
    {"pack", KEY_PACK, "TIME", 0, "slurm: least expected work of a task (default: 30 s)", 2},
    {"sbatch", KEY_SBATCH, "OPTION", 0, "slurm: a further option of sbatch, such as --sbatch=--mem=4G (may be repeated)", 2},
    {"merge", KEY_MERGE, NULL, OPTION_HIDDEN, "enter what tasks have left", 2},
    {0},
};

static void add_sbatch(struct argp_state *state, orr_cluster_arguments *a, const char *text)
{
    if (*text != '-')
        argp_error(state, "--sbatch: expected an option such as --mem=4G, found `%s`", text);
    else if (a->slurm.sbatch_count == ORR_SLURM_MOST_OPTIONS)
        argp_error(state, "--sbatch: at most %d options", ORR_SLURM_MOST_OPTIONS);
    else
        a->slurm.sbatch[a->slurm.sbatch_count++] = text;
}

static void add_owned(struct argp_state *state, orr_cluster_arguments *a, int place, const char *name, const char *text)
{
    if (snprintf(a->owned[place], sizeof a->owned[place], "--%s=%s", name, text) >= (int)sizeof a->owned[place])
        argp_error(state, "--%s: `%s` is too long", name, text);
    add_sbatch(state, a, a->owned[place]);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    orr_cluster_arguments *a = state->input;
    char expected[160];
    int64_t ns;
    switch (key) {
    case KEY_ON:
        a->used = strcmp(text, "slurm") == 0;
        if (!a->used && strcmp(text, "local") != 0)
            argp_error(state, "--on: expected `local` or `slurm`, found `%s`", text);
        return 0;
    case KEY_NO_WAIT: a->no_wait = true; return 0;
    case KEY_MERGE: a->merge = true; return 0;
    case KEY_PARTITION: add_owned(state, a, 0, "partition", text); return 0;
    case KEY_TIME: add_owned(state, a, 1, "time", text); return 0;
    case KEY_SBATCH: add_sbatch(state, a, text); return 0;
    case KEY_PACK:
        if (!orr_units_read(ORR_TYPE_TIME, text, &a->slurm.pack_s, &ns, expected, sizeof expected))
            argp_error(state, "--pack: expected %s, found `%s`", expected, text);
        return 0;
    case ARGP_KEY_END:
        if (!a->used && (a->no_wait || a->slurm.sbatch_count > 0))
            argp_error(state, "--no-wait, --partition, --time and --sbatch go with --on slurm");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp orr_cluster_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

bool orr_cli_open_for_sweep(orr_campaign *c, const orr_scenario_arguments *study, const char *folder, const orr_cluster_arguments *a, orr_problems *problems)
{
    if (!a->merge && !a->used)
        return orr_campaign_open(c, study->scenario, study->overrides, study->count, folder, true, problems);
    return orr_campaign_open_patiently(c, study->scenario, study->overrides, study->count, folder, a->merge ? MERGE_PATIENCE_S : PATIENCE_S, orr_cli_stopping(), problems);
}

/* --- a task --- */

typedef struct task {
    const char       *file, *folder;
    const orr_orders *orders;
} task;

static error_t parse_task(int key, char *text, struct argp_state *state)
{
    task *t = state->input;
    switch (key) {
    case 't': t->file = text; return 0;
    case 'o': t->folder = text; return 0;
    case ARGP_KEY_END:
        if (t->file == NULL || t->folder == NULL)
            argp_error(state, "--task FILE goes with -o FOLDER");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool read_orders(orr_orders *orders, const char *path, orr_problems *problems)
{
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "rb");
    cJSON *json = in != NULL && getdelim(&text, &size, '\0', in) > 0 ? cJSON_Parse(text) : NULL;
    bool ok = json != NULL && orr_orders_from_json(orders, json);
    if (in == NULL)
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be read: %s", strerror(errno));
    else if (!ok)
        orr_problem(problems, (orr_where){path, 0, 0}, "expected the orders of a task, as `orrery sweep --on slurm` writes them");
    if (in != NULL)
        fclose(in);
    cJSON_Delete(json);
    free(text);
    return ok;
}

/* A run that was killed twice has left no word; the merge job is to know. */
static void on_end(void *context, const orr_run_end *end)
{
    const task *t = context;
    if (end->record != NULL || end->exit <= 128)
        return;
    cJSON *record = cJSON_CreateObject();
    if (cJSON_AddNumberToObject(record, "exit", end->exit) != NULL && cJSON_AddNumberToObject(record, "wall_s", end->wall_s) != NULL &&
        cJSON_AddNumberToObject(record, "cpu_s", end->cpu_s) != NULL && cJSON_AddNumberToObject(record, "peak_memory", (double)end->peak_memory) != NULL)
        orr_record_write(t->folder, t->orders->orders[end->index].address, record);
    cJSON_Delete(record);
}

/* Runs at a time: the cores that the task was given, not those of the machine. */
static uint32_t cores_of_task(void)
{
    const char *text = getenv("SLURM_CPUS_PER_TASK");
    unsigned long cores = text == NULL ? 1 : strtoul(text, NULL, 10);
    return cores < 1 ? 1 : cores > 1024 ? 1024 : (uint32_t)cores;
}

int orr_cli_sweep_task(int argc, char **argv)
{
    static const struct argp_option task_options[] = {{"task", 't', "FILE", 0, "the orders", 0}, {"output", 'o', "FOLDER", 0, "folder of the study", 0}, {0}};
    static const struct argp argp = {task_options, parse_task, NULL, "Does the orders of one task of a cluster that are not done yet.", NULL, NULL, NULL};
    task t = {0};
    orr_orders orders = {0};
    orr_problems problems = {0};
    orr_execution_facts facts = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &t);
    orr_cli_catch_signals();
    if (!read_orders(&orders, t.file, &problems) || !orr_study_folder_make(t.folder, &problems)) {
        orr_orders_clear(&orders);
        return orr_cli_problems(&problems);
    }
    t.orders = &orders;
    const orr_execution execution = {.folder = t.folder, .jobs = cores_of_task(), .stop = orr_cli_stopping(), .ended = on_end, .context = &t};
    orr_status status = orr_execute(&orders, &execution, &facts);
    printf("%zu runs done, %zu failed, in %.1f s\n", facts.done, facts.failed, facts.wall_s);
    orr_orders_clear(&orders);
    if (status != ORR_OK && status != ORR_INTERRUPTED)
        return orr_cli_failure(status, &problems);
    return status == ORR_OK && facts.failed == 0 ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
}

/* --- submitting --- */

/* Everything by its full path: tasks may start elsewhere. */
typedef struct places {
    char       *program, *folder, *study;
    const char *merge[300]; /* argument vector of the merge job; two per override */
} places;

static void places_clear(places *p)
{
    free(p->program);
    free(p->folder);
    free(p->study);
}

static bool find_places(places *p, const orr_campaign *c, const orr_scenario_arguments *study, orr_problems *problems)
{
    *p = (places){.program = realpath("/proc/self/exe", NULL), .folder = realpath(c->folder, NULL), .study = realpath(study->scenario, NULL)};
    if (p->program == NULL || p->folder == NULL || p->study == NULL) {
        orr_problem(problems, (orr_where){c->folder, 0, 0}, "has no full path: %s", strerror(errno));
        places_clear(p);
        return false;
    }
    size_t n = 0;
    for (const char *const *word = (const char *const[]){p->program, "sweep", p->study, "-o", p->folder, "--merge", NULL}; *word != NULL; word++)
        p->merge[n++] = *word;
    for (size_t i = 0; i < study->count && n + 1 < sizeof p->merge / sizeof *p->merge; i++) {
        p->merge[n++] = "--set";
        p->merge[n++] = study->overrides[i];
    }
    return true;
}

/* Orders that nobody has done; those that have failed too, to be tried once more, if `again`. */
static orr_status missing(orr_campaign *c, const orr_forecast *forecast, bool again, orr_orders *orders, orr_problems *problems)
{
    orr_status status = orr_campaign_orders(c, forecast, orders);
    size_t kept = 0;
    char *scenario = status == ORR_OK ? realpath(orders->scenario, NULL) : NULL;
    for (size_t i = 0; status == ORR_OK && i < orders->count; i++) {
        orr_manifest_row row;
        bool failed = orr_manifest_get(c->manifest, orders->orders[i].address, &row) && row.state == ORR_RUN_FAILED;
        if (failed && again)
            status = orr_manifest_forget(c->manifest, orders->orders[i].address, problems);
        if (!failed || again)
            orders->orders[kept++] = orders->orders[i];
    }
    if (scenario != NULL) {
        free(orders->scenario);
        orders->scenario = scenario;
    }
    orders->count = kept;
    return status;
}

/* Takes up the submission that is under way, if there is one. */
static orr_status take_up(const places *p, const orr_cluster_arguments *a, orr_slurm_submission *s, bool *under_way, orr_problems *problems)
{
    orr_slurm_queue q;
    *under_way = false;
    if (!orr_slurm_current(p->folder, s))
        return ORR_OK;
    if (!orr_slurm_ask(s, &q, problems))
        return ORR_IO;
    *under_way = q.waiting + q.running + q.held > 0 || q.merge || *s->array == 0; /* without a number: its submitter was killed before it knew */
    return *under_way && (*s->array == 0 || (*s->merge == 0 && !q.merge && q.waiting + q.running > 0)) ? orr_slurm_complete(p->folder, p->program, p->merge, &a->slurm, s, problems) : ORR_OK;
}

bool orr_cli_cancel_on_cluster(const char *folder, orr_problems *problems)
{
    orr_slurm_submission s;
    orr_slurm_queue q;
    if (!orr_slurm_current(folder, &s))
        return true;
    if (!orr_slurm_ask(&s, &q, problems))
        return false;
    return (q.waiting + q.running + q.held == 0 && !q.merge) || orr_slurm_cancel(&s, true, problems);
}

/* --- waiting --- */

typedef struct wait {
    const char                 *folder;
    const orr_slurm_submission *submission;
    orr_orders                 *orders;
    size_t                      done;
    double                      began, shown, asked, complete; /* complete: when the last file had come, 0 before */
    size_t                      gone;                          /* answers in a row that nothing is queued */
    bool                        terminal, quiet, mute, tidied; /* mute: the cluster has not answered, and that was said */
    orr_slurm_queue             queue;
} wait;

static int by_address(const void *a, const void *b) { return strcmp(((const orr_order *)a)->address, ((const orr_order *)b)->address); }

/* Files of our orders that are there: one look at the folder, whatever the number of orders. The orders are sorted by address. */
static size_t count_done(const wait *w, double *expected_s)
{
    char *path;
    size_t done = 0;
    *expected_s = 0;
    DIR *runs = asprintf(&path, "%s/runs", w->folder) < 0 ? NULL : opendir(path);
    for (struct dirent *e; runs != NULL && (e = readdir(runs)) != NULL;) {
        orr_order key = {0};
        size_t n = strlen(e->d_name);
        if (n != ORR_ADDRESS_BYTES - 1 + 3 || strcmp(e->d_name + n - 3, ".h5") != 0)
            continue;
        memcpy(key.address, e->d_name, ORR_ADDRESS_BYTES - 1);
        const orr_order *found = bsearch(&key, w->orders->orders, w->orders->count, sizeof key, by_address);
        if (found != NULL) {
            done++;
            *expected_s += found->expected_s;
        }
    }
    if (runs != NULL)
        closedir(runs);
    free(path);
    return done;
}

static void show(wait *w, double share)
{
    char left[ORR_WORD];
    double t = orr_wall_s();
    if (w->quiet || (!w->terminal && t - w->shown < PLAIN_LINE_S))
        return;
    w->shown = t;
    fprintf(stderr, "%s%zu of %zu runs done; tasks: %zu running, %zu waiting", w->terminal ? "\r" : "", w->done, w->orders->count, w->queue.running, w->queue.waiting);
    if (w->queue.held > 0)
        fprintf(stderr, ", %zu held", w->queue.held);
    if (share > 0 && share < 1)
        fprintf(stderr, "; %s to go", orr_cli_duration((t - w->began) * (1 - share) / share, left));
    fprintf(stderr, w->terminal ? "\033[K" : "\n");
    fflush(stderr);
}

/* Asks the cluster; a cluster that does not answer may do so later, and files may come meanwhile. */
static void ask(wait *w)
{
    orr_problems problems = {0};
    w->asked = orr_wall_s();
    if (orr_slurm_ask(w->submission, &w->queue, &problems)) {
        bool any = w->queue.waiting + w->queue.running > 0 || w->queue.merge;
        w->gone = any ? 0 : w->gone + 1;
        w->mute = false;
    } else if (!w->mute) {
        fprintf(stderr, "%s%s; still waiting\n", w->terminal ? "\n" : "", problems.count > 0 ? problems.text[0] : "the cluster does not answer");
        w->mute = true;
    }
    orr_problems_clear(&problems);
}

/* Once all files are there: what still waits (a task that was put back into the queue after its node was lost, and whose ghost went on) is not needed; the merge job is given a while. True if that has passed. */
static bool end_of_all_files(wait *w)
{
    orr_problems problems = {0};
    double t = orr_wall_s();
    w->complete = w->complete > 0 ? w->complete : t;
    if (!w->tidied)
        w->tidied = orr_slurm_cancel(w->submission, false, &problems);
    bool over = t - w->complete > GRACE_S;
    if (over)
        orr_slurm_cancel(w->submission, true, &problems);
    orr_problems_clear(&problems);
    return over;
}

/* Waits until the submission is over: nothing of it is queued, or all files are there. False if stopped. */
static bool wait_for(wait *w)
{
    const struct timespec pause = {.tv_sec = (time_t)LOOK_S};
    double expected = 0, all = 0;
    qsort(w->orders->orders, w->orders->count, sizeof *w->orders->orders, by_address);
    for (size_t i = 0; i < w->orders->count; i++)
        all += w->orders->orders[i].expected_s;
    w->began = w->shown = orr_wall_s();
    w->terminal = isatty(STDERR_FILENO);
    for (bool over = false; !over && !*orr_cli_stopping();) {
        w->done = count_done(w, &expected);
        double every = ASK_S + (orr_wall_s() - w->began) / 20;
        if (orr_wall_s() - w->asked > (every < ASK_LEAST_OFTEN_S ? every : ASK_LEAST_OFTEN_S))
            ask(w);
        show(w, all > 0 ? expected / all : 0);
        over = w->gone >= 2 || (w->done == w->orders->count && end_of_all_files(w)); /* twice: a task is for a moment between two states */
        if (!over)
            nanosleep(&pause, NULL);
    }
    if (w->terminal && !w->quiet)
        fprintf(stderr, "\r\033[K");
    if (w->queue.held > 0 && w->gone >= 2) { /* nobody will start them; the next round does their runs */
        orr_problems problems = {0};
        orr_slurm_cancel(w->submission, true, &problems);
        orr_problems_clear(&problems);
    }
    return !*orr_cli_stopping();
}

static int left_alone(orr_campaign *c, const orr_slurm_submission *s, bool stopped)
{
    FILE *out = stopped ? stderr : stdout;
    fprintf(out, "%s; `orrery status %s` tells how far it is, the same command%s waits for it (job %s)\n", stopped ? "no longer waiting; the cluster goes on" : "submitted", c->folder, stopped ? "" : " without --no-wait", s->array);
    orr_campaign_close(c);
    return stopped ? ORR_EXIT_FAILED : ORR_EXIT_DONE;
}

/* Lets go of the folder, waits, and takes it again. */
static orr_status wait_and_return(orr_campaign *c, const orr_scenario_arguments *study, const char *folder, wait *w, bool *stopped, orr_problems *problems)
{
    char *given = strdup(c->folder);
    if (given == NULL)
        return ORR_NO_MEMORY;
    orr_campaign_close(c);
    *stopped = !wait_for(w);
    orr_status status = ORR_OK;
    if (*stopped)
        c->folder = strdup(folder);
    else if (!orr_campaign_open_patiently(c, study->scenario, study->overrides, study->count, given, MERGE_PATIENCE_S, orr_cli_stopping(), problems))
        status = ORR_BAD_INPUT;
    else
        status = orr_campaign_catch_up(c, problems);
    free(given);
    return status;
}

int orr_cli_sweep_on_cluster(orr_campaign *c, const orr_scenario_arguments *study, const orr_cluster_arguments *a, const orr_forecast *forecast, bool quiet, orr_problems *problems)
{
    places p;
    orr_slurm_submission s;
    orr_orders orders = {0};
    bool under_way = false, stopped = false, again = true;
    size_t left = 0;
    if (!find_places(&p, c, study, problems))
        return orr_cli_failure(ORR_IO, problems);
    orr_status status = ORR_OK;
    for (int round = 0; status == ORR_OK && !stopped;) {
        status = take_up(&p, a, &s, &under_way, problems);
        again = again && !under_way;
        status = status != ORR_OK ? status : missing(c, forecast, again, &orders, problems);
        left = orders.count;
        if (status == ORR_OK && left == 0) /* tasks may have ended since the book was brought up to date */
            status = orr_campaign_catch_up(c, problems);
        if (status != ORR_OK || left == 0 || (!under_way && round == MOST_ROUNDS))
            break;
        if (!under_way) {
            status = orr_slurm_submit(&orders, p.folder, p.program, p.merge, &a->slurm, &s, problems);
            if (status == ORR_OK)
                printf("%zu runs in %zu tasks: job %s, then %s merges\n", s.runs, s.tasks, s.array, s.merge);
            round++;
            again = false;
        } else {
            printf("%zu runs in %zu tasks are under way: job %s\n", s.runs, s.tasks, s.array);
        }
        fflush(stdout);
        if (status != ORR_OK)
            break;
        if (a->no_wait) {
            orr_orders_clear(&orders);
            places_clear(&p);
            return left_alone(c, &s, false);
        }
        wait w = {.folder = p.folder, .submission = &s, .orders = &orders, .quiet = quiet};
        status = wait_and_return(c, study, p.folder, &w, &stopped, problems);
        orr_orders_clear(&orders);
    }
    orr_orders_clear(&orders);
    places_clear(&p);
    if (stopped)
        return left_alone(c, &s, true);
    if (status != ORR_OK)
        return orr_cli_failure(status, problems);
    if (left > 0)
        fprintf(stderr, "%zu runs are missing after %d rounds; %s/slurm/%s/ has what the tasks printed\n", left, MOST_ROUNDS, c->folder, s.name);
    return left > 0 ? ORR_EXIT_FAILED : ORR_EXIT_DONE;
}
