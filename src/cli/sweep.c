/* orrery sweep: the runs of a study, on this machine or on a cluster. */
#include "base/wall.h"
#include "cli/cli.h"
#include "cli/pages.h"
#include "cli/stopping.h"
#include "cli/sweep_slurm.h"
#include "cli/words.h"
#include "study/campaign.h"
#include "study/collect.h"
#include "study/goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct sweep_arguments {
    orr_scenario_arguments study;
    const char            *folder;
    uint32_t               jobs;
    bool                   dry, fresh, quiet;
    orr_cluster_arguments  cluster;
} sweep_arguments;

enum { KEY_DRY = 1000, KEY_FRESH };
enum { PLAIN_LINE_S = 30 };
static const double FORECAST_S = 0.7;

static const struct argp_option options[] = {
    {"output", 'o', "FOLDER", 0, "folder of the results (default: out/NAME of the study)", 0},
    {"jobs", 'j', "N", 0, "runs at a time (default: the cores)", 0},
    {"dry-run", KEY_DRY, NULL, 0, "plan, estimate, and stop", 0},
    {"fresh", KEY_FRESH, NULL, 0, "do all runs again, also those that are done", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    sweep_arguments *a = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->study;
        state->child_inputs[1] = &a->cluster;
        return 0;
    case 'o': a->folder = text; return 0;
    case 'j':
        a->jobs = (uint32_t)strtoul(text, &end, 10);
        if (*text < '1' || *text > '9' || *end != 0 || a->jobs > 1024)
            argp_error(state, "--jobs: expected a whole number from 1 to 1024, found `%s`", text);
        return 0;
    case 'q': a->quiet = true; return 0;
    case KEY_DRY: a->dry = true; return 0;
    case KEY_FRESH: a->fresh = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* --- progress --- */

typedef struct progress {
    orr_campaign     *campaign;
    const orr_orders *orders;
    orr_problems     *problems;
    orr_status        status; /* of the book */
    size_t            done, failed;
    double            began, shown, expected_done, expected_all;
    bool              terminal, quiet;
} progress;

static void on_end(void *context, const orr_run_end *end)
{
    progress *p = context;
    p->done += end->exit == 0;
    p->failed += end->exit != 0;
    p->expected_done += p->orders->orders[end->index].expected_s;
    orr_status status = orr_campaign_ended(p->campaign, p->orders, end, p->problems);
    p->status = p->status == ORR_OK ? status : p->status;
}

static void on_tick(void *context, uint32_t running)
{
    progress *p = context;
    double t = orr_wall_s(), passed = t - p->began, share;
    char left[32] = "";
    size_t ended = p->done + p->failed;
    if (p->quiet || (!p->terminal && t - p->shown < PLAIN_LINE_S))
        return;
    p->shown = t;
    share = p->expected_all > 0 ? p->expected_done / p->expected_all : (double)ended / (double)p->orders->count;
    fprintf(stderr, "%s%zu of %zu runs done, %u running%s", p->terminal ? "\r" : "", p->done, p->orders->count, running, p->failed > 0 ? "" : "");
    if (p->failed > 0)
        fprintf(stderr, ", %zu failed", p->failed);
    if (share > 0 && ended < p->orders->count)
        fprintf(stderr, ", %s to go", orr_cli_duration(passed * (1 - share) / share, left));
    fprintf(stderr, p->terminal ? "\033[K" : "\n");
    fflush(stderr);
}

/* --- the steps --- */

static void show_plan(const orr_campaign *c, const orr_orders *orders)
{
    const orr_study *s = c->study;
    printf("%s: %s\n", s->name, s->question);
    for (size_t a = 0; a < s->axis_count; a++)
        printf("  %-16s %zu values, %s to %s%s%s\n", s->axes[a].name, s->axes[a].count, s->axes[a].values[0].text, s->axes[a].values[s->axes[a].count - 1].text,
               strcmp(s->axes[a].title, s->axes[a].name) == 0 ? "" : ": ", strcmp(s->axes[a].title, s->axes[a].name) == 0 ? "" : s->axes[a].title);
    printf("  %-16s %zu", "policies", s->policy_count);
    for (size_t p = 0; p < s->policy_count; p++)
        printf("%s%s", p == 0 ? ": " : ", ", s->policies[p].label);
    printf("\n  %-16s %zu\n", "seeds", s->seed_count);
    if (s->parameter_count > 0)
        printf("  %-16s %zu, low and high\n", "sensitivity", s->parameter_count);
    if (*c->plan.short_of)
        printf("warning: in some cells %s\n", c->plan.short_of);
    if (c->put_aside > 0)
        printf("%zu files could not be read and were put aside as %s/runs/*.damaged; their runs are done again\n", c->put_aside, c->folder);
    printf("%zu runs, planned in %.2f s: %zu done, %zu to do\n", c->plan.run_count, c->plan_s, c->plan.run_count - orders->count, orders->count);
}

static double expected_time(const orr_orders *orders)
{
    double s = 0;
    for (size_t i = 0; i < orders->count; i++)
        s += orders->orders[i].expected_s;
    return s;
}

/* Says what it will take; false if the disk will not hold it. */
static bool show_forecast(const orr_campaign *c, const orr_forecast *f, const orr_orders *orders, const sweep_arguments *a)
{
    char time_text[32], disk[32], memory[32], free_text[32];
    struct statvfs fs;
    double bytes = orr_campaign_bytes(c, f, orders);
    orr_cli_bytes(bytes, disk);
    orr_cli_bytes((double)f->memory, memory);
    if (a->cluster.used)
        printf("about %s of work, %s of disk, %s of memory for each\n", orr_cli_duration(expected_time(orders), time_text), disk, memory);
    else
        printf("about %s on %u at a time, %s of disk, %s of memory for each\n", orr_cli_duration(expected_time(orders) / a->jobs, time_text), a->jobs, disk, memory);
    fflush(stdout);
    if (statvfs(c->folder, &fs) != 0 || bytes < (double)fs.f_bavail * (double)fs.f_frsize)
        return true;
    fprintf(stderr, "%s: error: the disk has %s left, the runs need about %s\n", c->folder, orr_cli_bytes((double)fs.f_bavail * (double)fs.f_frsize, free_text), disk);
    return false;
}

static void show_failure(void *context, const char *address, const char *what, const char *message)
{
    size_t *shown = context;
    if ((*shown)++ < 5)
        fprintf(stderr, "  %s (%s): %s\n", what, address, message);
}

static int run_orders(orr_campaign *c, const sweep_arguments *a, const orr_orders *orders, const orr_forecast *f, orr_problems *problems)
{
    progress p = {.campaign = c, .orders = orders, .problems = problems, .began = orr_wall_s(), .expected_all = expected_time(orders), .terminal = isatty(STDERR_FILENO), .quiet = a->quiet};
    orr_execution_facts facts;
    const orr_execution execution = {.folder = c->folder, .jobs = a->jobs, .memory = f->memory, .stop = orr_cli_stopping(), .ended = on_end, .tick = on_tick, .context = &p};
    p.shown = p.began;
    orr_status status = orr_execute(orders, &execution, &facts);
    char text[32];
    if (p.terminal && !a->quiet)
        fprintf(stderr, "\r\033[K");
    printf("%zu runs in %s, %.1f %% of %u processes busy\n", facts.done + facts.failed, orr_cli_duration(facts.wall_s, text), 100 * facts.busy_s / (facts.wall_s > 0 ? facts.wall_s * a->jobs : 1), a->jobs);
    if (status == ORR_INTERRUPTED)
        fprintf(stderr, "interrupted; what is done stays, the same command goes on\n");
    return status == ORR_OK && p.status == ORR_OK ? ORR_EXIT_DONE : status != ORR_OK && status != ORR_INTERRUPTED ? orr_cli_failure(status, problems) : ORR_EXIT_FAILED;
}

/* Better said before the runs than after them, though a trial of a moment may not know all. */
static void warn_of_names(const orr_campaign *c, const cJSON *trial)
{
    orr_problems unknown = {0};
    if (trial != NULL)
        orr_results_check_names(c, trial, &unknown);
    for (size_t i = 0; i < unknown.count; i++) {
        const char *message = strstr(unknown.text[i], "error: ");
        fprintf(stderr, "warning: after a moment of the first run %s\n", message == NULL ? unknown.text[i] : message + strlen("error: "));
    }
    orr_problems_clear(&unknown);
}

/* All orders that are open now. */
static int one_round(orr_campaign *c, const sweep_arguments *a, orr_problems *problems)
{
    orr_orders orders = {0};
    orr_forecast forecast = {0};
    cJSON *trial;
    orr_status status = orr_campaign_catch_up(c, problems);
    status = status != ORR_OK ? status : orr_campaign_orders(c, NULL, &orders);
    if (status != ORR_OK)
        return orr_cli_failure(status, problems);
    show_plan(c, &orders);
    fflush(stdout);
    int exit_status = ORR_EXIT_DONE;
    if (orders.count > 0 && orr_forecast_try(&forecast, c->folder, &orders, FORECAST_S, &trial)) {
        warn_of_names(c, trial);
        cJSON_Delete(trial);
        orr_orders_clear(&orders);
        status = orr_campaign_orders(c, &forecast, &orders);
        exit_status = status != ORR_OK ? orr_cli_failure(status, problems) : show_forecast(c, &forecast, &orders, a) ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
    }
    if (exit_status == ORR_EXIT_DONE && !a->dry && orders.count > 0)
        exit_status = a->cluster.used ? orr_cli_sweep_on_cluster(c, &a->study, &a->cluster, &forecast, a->quiet, problems) : run_orders(c, a, &orders, &forecast, problems);
    if (exit_status == ORR_EXIT_DONE && !a->dry && orders.count == 0) { /* a cluster may have done the rest while the forecast was made */
        status = orr_campaign_catch_up(c, problems);
        exit_status = status == ORR_OK ? ORR_EXIT_DONE : orr_cli_failure(status, problems);
    }
    orr_orders_clear(&orders);
    return exit_status;
}

static int show_failures(orr_campaign *c)
{
    size_t shown = 0;
    orr_manifest_totals totals;
    if (!orr_manifest_totals_of(c->manifest, &totals) || totals.state[ORR_RUN_FAILED] == 0)
        return ORR_EXIT_DONE;
    fprintf(stderr, "%zu runs failed:\n", totals.state[ORR_RUN_FAILED]);
    orr_manifest_failures(c->manifest, show_failure, &shown);
    return ORR_EXIT_FAILED;
}

static void show_anchors(const orr_results *r)
{
    static const char *const words[] = {[ORR_ANCHOR_FAILS] = "FAILS", [ORR_ANCHOR_HOLDS] = "holds", [ORR_ANCHOR_OPEN] = "is open (its interval is too wide to tell)"};
    const orr_study *s = r->campaign->study;
    for (size_t i = 0; i < s->anchor_count; i++) {
        const orr_study_anchor *a = &s->anchors[i];
        orr_anchor_result m = orr_results_anchor(r, i);
        char bounds[64] = "";
        if (!isnan(a->least) && !isnan(a->most))
            snprintf(bounds, sizeof bounds, "%.6g to %.6g", a->least, a->most);
        else
            snprintf(bounds, sizeof bounds, "%s %.6g", isnan(a->least) ? "at most" : "at least", isnan(a->least) ? a->most : a->least);
        printf("anchor %s: %s %.6g", words[m.verdict], a->metric, m.measured.mean);
        if (!isnan(m.measured.low))
            printf(" (%.6g to %.6g)", m.measured.low, m.measured.high);
        printf(", expected %s%s%s\n", bounds, *a->text ? ": " : "", a->text);
    }
}

/* Cells of which means must be taken with care. */
static void show_doubts(const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    size_t growing = 0, unjudged = 0, unsettled = 0, coarse = 0, variants = orr_study_cells(s) * s->policy_count;
    for (size_t v = 0; v < variants; v++) {
        orr_result_runs n = orr_results_runs(r, v);
        growing += n.growing > 0;
        unjudged += n.growing == 0 && n.unjudged > 0;
        unsettled += r->warm_up_ns[v / s->policy_count] == ORR_UNSETTLED;
        coarse += r->warm_up_ns[v / s->policy_count] == ORR_TOO_COARSE;
    }
    if (growing > 0)
        printf("queues grow in %zu of %zu cells (by policy): their means depend on the duration and are not compared\n", growing, variants);
    if (unjudged > 0)
        printf("whether queues grow is not known in %zu of %zu cells (by policy): their bins are too few (output.bin)\n", unjudged, variants);
    if (unsettled > 0)
        printf("%zu of %zu cells (by policy) had not settled: nothing was deleted as warm-up, and their means are biased by the empty start (a longer duration helps)\n", unsettled, variants);
    if (coarse > 0)
        printf("%zu of %zu cells (by policy) have latency bins too long to delete a warm-up: their means are biased by the empty start (a shorter output.latency_bin helps, or method: terminating)\n", coarse, variants);
}

static void show_precision(const orr_study *s, const orr_goals *goals)
{
    if (goals->judged == 0)
        printf("%s: no interval to judge: queues grow in every cell, or no run has the number\n", s->precision.metric);
    else
        printf("%s: the widest of %zu intervals is within %.3g %% of its mean, asked were %.3g %%\n", s->precision.metric, goals->judged, 100 * goals->worst_relative, 100 * s->precision.relative);
}

/* The numbers of what is done: the file, the anchors; and how many seeds the goals ask for. */
static orr_status take_stock(orr_campaign *c, size_t *seeds, bool last, orr_problems *problems)
{
    orr_results results;
    orr_goals goals;
    orr_status status = orr_results_read(&results, c, problems);
    if (status != ORR_OK)
        return status;
    status = orr_goals_judge(&results, &goals) ? ORR_OK : ORR_NO_MEMORY;
    *seeds = goals.seeds;
    if (status == ORR_OK && (last || goals.seeds <= c->study->seed_count)) {
        status = orr_collect(&results, problems);
        show_doubts(&results);
        show_anchors(&results);
        if (c->study->precision.metric != NULL)
            show_precision(c->study, &goals);
        if (c->study->select.metric != NULL)
            printf("the best policy by %s is %s\n", c->study->select.metric, goals.selections == 0 ? "judged nowhere: queues grow in every cell, or runs lack the number" : goals.selected ? "decided in every cell whose queues do not grow" : "not decided everywhere");
        if (results.failed + results.missing > 0)
            printf("%zu of %zu runs are missing or failed\n", results.failed + results.missing, c->plan.run_count);
        printf("%s/study.h5; `orrery report %s` draws it\n", c->folder, c->folder);
    }
    orr_results_clear(&results);
    return status;
}

static int sweep(orr_campaign *c, const sweep_arguments *a, orr_problems *problems)
{
    orr_status status = !a->fresh ? ORR_OK : orr_cli_cancel_on_cluster(c->folder, problems) ? orr_campaign_forget(c, problems) : ORR_IO;
    int exit_status = status == ORR_OK ? ORR_EXIT_DONE : orr_cli_failure(status, problems);
    for (size_t seeds = SIZE_MAX; exit_status == ORR_EXIT_DONE && seeds > c->study->seed_count;) {
        exit_status = one_round(c, a, problems);
        if (a->dry || c->study == NULL) /* the cluster goes on without us */
            return exit_status;
        bool goes_on = exit_status == ORR_EXIT_DONE && show_failures(c) == ORR_EXIT_DONE;
        if (!goes_on && exit_status == ORR_EXIT_DONE)
            exit_status = ORR_EXIT_FAILED;
        orr_manifest_totals totals;
        if (!orr_manifest_totals_of(c->manifest, &totals) || totals.state[ORR_RUN_DONE] == 0)
            break;
        status = take_stock(c, &seeds, !goes_on, problems);
        if (status == ORR_OK && goes_on && seeds > c->study->seed_count) {
            printf("%zu seeds are not enough; going on to %zu\n", c->study->seed_count, seeds);
            status = orr_campaign_extend(c, seeds, problems);
            seeds = SIZE_MAX;
        } else {
            seeds = 0;
        }
        exit_status = status == ORR_OK ? exit_status : orr_cli_failure(status, problems);
    }
    return exit_status;
}

/* What the tasks of a cluster have left, entered into the book and checked against the plan. */
static int merge(orr_campaign *c, orr_problems *problems)
{
    orr_manifest_totals totals;
    size_t seeds;
    orr_status status = orr_campaign_catch_up(c, problems);
    if (status != ORR_OK)
        return orr_cli_failure(status, problems);
    int exit_status = show_failures(c);
    if (!orr_manifest_totals_of(c->manifest, &totals) || totals.planned != c->plan.run_count) {
        fprintf(stderr, "%s: error: the manifest has %zu of the %zu planned runs\n", c->folder, totals.planned, c->plan.run_count);
        return ORR_EXIT_FAILED;
    }
    printf("%zu of %zu runs done, %zu failed, %zu missing\n", totals.state[ORR_RUN_DONE], totals.planned, totals.state[ORR_RUN_FAILED], totals.state[ORR_RUN_MISSING]);
    status = totals.state[ORR_RUN_DONE] > 0 ? take_stock(c, &seeds, true, problems) : ORR_OK;
    return status != ORR_OK ? orr_cli_failure(status, problems) : totals.state[ORR_RUN_MISSING] > 0 ? ORR_EXIT_FAILED : exit_status;
}

int orr_cli_sweep(int argc, char **argv)
{
    static const struct argp_child children[] = {{&orr_scenario_argp, 0, NULL, 0}, {&orr_cluster_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, "STUDY", "Does the runs of a study that are not done yet. It can be stopped at any time; the same command goes on.", children, NULL, NULL};
    if (argc > 1 && strcmp(argv[1], "--task") == 0)
        return orr_cli_sweep_task(argc, argv);
    sweep_arguments a = {.jobs = orr_cores(), .cluster = ORR_CLUSTER_DEFAULTS};
    orr_problems problems = {0};
    orr_campaign campaign;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    orr_cli_catch_signals();
    if (!orr_cli_open_for_sweep(&campaign, &a.study, a.folder, &a.cluster, &problems))
        return orr_cli_problems(&problems);
    int exit_status = a.cluster.merge ? merge(&campaign, &problems) : sweep(&campaign, &a, &problems);
    if (orr_problems_any(&problems))
        orr_cli_problems(&problems);
    orr_campaign_close(&campaign);
    return exit_status;
}
