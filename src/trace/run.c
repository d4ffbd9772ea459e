#include "trace/run.h"

#include "base/time.h"
#include "scenario/units.h"
#include "trace/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static const int64_t LONGEST_TIME = 200 * 365 * ORR_DAY; /* int64 nanoseconds end after 292 years */

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t offered_of(const orr_grid *g, uint64_t *served)
{
    uint64_t offered = 0;
    *served = 0;
    for (uint32_t s = 0; s < g->world->used_count; s++)
        for (uint32_t c = 0; c < g->sites[s].cohorts.count; c++) {
            const orr_cohort_counts *k = &((orr_cohort_state *)orr_array_at(&g->sites[s].cohorts, c))->counts;
            offered += k->offered;
            *served += k->ended[ORR_SERVED];
        }
    return offered;
}

static void show_progress(const orr_grid *g, int64_t now_ns, double wall_s, bool last)
{
    char at[32], of[32];
    uint64_t served, offered = offered_of(g, &served);
    orr_units_time(now_ns - now_ns % ORR_SECOND, at, sizeof at);
    orr_units_time(g->world->duration_ns, of, sizeof of);
    double share = g->world->duration_ns == ORR_NEVER ? 0 : (double)now_ns / (double)g->world->duration_ns;
    fprintf(stderr, "\r%s of %s  %.0f requests  %.0f/s", at, g->world->duration_ns == ORR_NEVER ? "all" : of, (double)offered, (double)offered / (wall_s > 0 ? wall_s : 1));
    if (share > 0 && !last)
        fprintf(stderr, "  %.0f s to go", wall_s * (1 - share) / share);
    fprintf(stderr, "\033[K%s", last ? "\n" : "");
    fflush(stderr);
}

/* When the last request of all ended. */
static int64_t last_end(const orr_grid *g)
{
    int64_t last = 0;
    for (uint32_t s = 0; s < g->world->used_count; s++)
        if (g->sites[s].last_end_ns > last)
            last = g->sites[s].last_end_ns;
    return last;
}

static int64_t latest(int64_t a, int64_t b) { return a > b ? a : b; }

/* Up to when the sites' electricity has been taken, perhaps inside a bin: the run cannot end before. */
static int64_t metered(const orr_recorder *recorder) { return recorder == NULL ? 0 : orr_recorder_metered(recorder); }

/* Runs to `end`, and reads the meters wherever price or carbon of electricity change on the way. Returns early when all is done and the run has no duration. */
static orr_status run_to(orr_grid *g, orr_recorder *recorder, int64_t now, int64_t end, const orr_run_options *options)
{
    const orr_world *w = g->world;
    for (int64_t hour = orr_world_next_grid_hour(w, now); recorder != NULL && hour < end; hour = orr_world_next_grid_hour(w, hour)) {
        orr_status status = orr_engine_run(g->engine, hour, options->stop);
        if (status != ORR_OK || (w->duration_ns == ORR_NEVER && orr_grid_idle(g)))
            return status;
        orr_recorder_meter(recorder, g, hour);
    }
    return orr_engine_run(g->engine, end, options->stop);
}

orr_status orr_run_grid(orr_grid *g, orr_recorder *recorder, int64_t now, const orr_run_options *options, orr_run_result *result, orr_problems *problems)
{
    const orr_world *w = g->world;
    orr_status status = ORR_OK;
    double began = seconds(CLOCK_MONOTONIC), shown = began;
    int64_t checkpoint_at = options->checkpoint_every_ns > 0 ? (now / options->checkpoint_every_ns + 1) * options->checkpoint_every_ns : ORR_NEVER;
    *result = (orr_run_result){0};
    while (status == ORR_OK && now < w->duration_ns && !(w->duration_ns == ORR_NEVER && orr_grid_idle(g))) {
        int64_t end = now + w->bin_ns < w->duration_ns ? now + w->bin_ns : w->duration_ns;
        status = run_to(g, recorder, now, end, options);
        if (status != ORR_OK && status != ORR_INTERRUPTED)
            break;
        if (w->duration_ns == ORR_NEVER && orr_grid_idle(g)) /* the run ends with its last request, not with the bin */
            end = latest(last_end(g) + 1, latest(now, metered(recorder)));
        if (end > LONGEST_TIME) {
            orr_problem(problems, (orr_where){w->scenario_path, 0, 0}, "the run passes 200 years of simulated time without coming to its end; does the load exceed the capacity?");
            status = ORR_BAD_INPUT;
            break;
        }
        double before = seconds(CLOCK_MONOTONIC);
        if (recorder != NULL && status == ORR_OK) {
            status = orr_recorder_bin(recorder, g, end);
            result->facts.output_s += seconds(CLOCK_MONOTONIC) - before;
        }
        now = status == ORR_INTERRUPTED ? now : end;
        if (status == ORR_OK && now >= checkpoint_at && now < w->duration_ns && options->checkpoint != NULL) {
            status = orr_checkpoint_save(options->checkpoint, g, recorder, now, problems);
            checkpoint_at += options->checkpoint_every_ns;
        }
        if (options->progress && before - shown > 0.25) {
            shown = before;
            show_progress(g, now, before - began, false);
        }
    }
    if (status == ORR_INTERRUPTED && options->checkpoint != NULL && orr_checkpoint_save(options->checkpoint, g, recorder, now, problems) != ORR_OK)
        status = ORR_IO;
    if (status == ORR_INTERRUPTED && recorder != NULL) {
        int64_t reached = latest(now, metered(recorder));
        for (uint32_t s = 0; s < w->used_count; s++) {
            int64_t at = orr_now(orr_engine_lane_of(g->engine, s));
            reached = latest(at, reached);
        }
        now = reached;
        if (orr_recorder_bin(recorder, g, now) != ORR_OK)
            status = ORR_IO;
    }
    for (uint32_t s = 0; s < w->used_count; s++)
        if (orr_site_has_pools(g, &g->sites[s]))
            orr_server_account(g, &g->sites[s], now);
    if (options->progress)
        show_progress(g, now, seconds(CLOCK_MONOTONIC) - began, true);
    orr_audit_run(&result->audit, g, now);
    result->end_ns = now;
    result->offered = offered_of(g, &result->served);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    result->facts.wall_s = seconds(CLOCK_MONOTONIC) - began;
    result->facts.cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    result->facts.events = orr_engine_events(g->engine);
    result->facts.peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    result->facts.lanes = g->lanes;
    result->facts.window_requests = g->window_requests;
    return status != ORR_OK ? status : result->audit.failed > 0 ? ORR_AUDIT_FAILED : ORR_OK;
}

orr_status orr_run(const orr_world *world, const orr_run_options *options, orr_run_result *result, orr_problems *problems)
{
    orr_grid grid;
    orr_recorder *recorder = NULL;
    int64_t now = 0;
    orr_grid_options grid_options = {.lanes = options->partitions, .threads = options->threads, .automatic = options->automatic, .shuffle = options->shuffle, .resume = options->from != NULL};
    *result = (orr_run_result){0};
    orr_status status = orr_grid_create(&grid, world, &grid_options, problems);
    if (status != ORR_OK)
        return status;
    if (options->from != NULL)
        status = orr_checkpoint_load(options->from, &grid, options->output, options->branch, &recorder, &now, problems);
    else if (options->output != NULL)
        status = orr_recorder_open(&recorder, options->output, &grid, problems);
    if (status == ORR_OK) {
        status = orr_run_grid(&grid, recorder, now, options, result, problems);
        if (recorder != NULL && (status == ORR_OK || status == ORR_INTERRUPTED || status == ORR_AUDIT_FAILED))
            status = orr_recorder_close(recorder, &grid, status, result->end_ns, &result->audit, &result->facts, problems);
        else
            orr_recorder_discard(recorder);
    }
    orr_grid_destroy(&grid);
    return status;
}
