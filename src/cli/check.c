/* orrery check: everything that `run` would refuse, without running. */
#include "cli/cli.h"
#include "grid/grid.h"

#include <stdio.h>

/* A pool with fewer places than this queues unlike the large one that it stands for; not an error, but worth knowing. */
static const double SMALL_POOL = 16;

static void warn_of_thin_pools(const orr_world *w)
{
    for (uint32_t p = 0; p < w->pool_count; p++)
        if (w->services[w->pools[p].service].kind == ORR_SERVICE_LLM && w->pools[p].slots < SMALL_POOL)
            printf("warning: pool `%s` serves only %u requests at a time; a pool that small does not queue or batch like a real one\n", w->pools[p].id, w->pools[p].slots);
}

/* Rounding of replicas to whole ones can change what `scale` means. */
static void warn_of_rounded_pools(const orr_world *w)
{
    if (w->scale < 1)
        printf("warning: with scale below 1 every pool still has at least one replica, so the fleet shrinks less than the population\n");
}

int orr_cli_check(int argc, char **argv)
{
    orr_scenario_arguments a = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&orr_scenario_argp, argc, argv, 0, NULL, &a);
    orr_world *world = orr_cli_world(&a);
    if (world == NULL)
        return ORR_EXIT_BAD_INPUT;
    orr_problems problems = {0};
    orr_grid grid;
    orr_grid_options options = {0};
    orr_status status = orr_grid_create(&grid, world, &options, &problems);
    if (status == ORR_OK) {
        double requests = 0, clients = 0;
        for (uint32_t c = 0; c < world->cohort_count; c++) {
            clients += (double)world->cohorts[c].clients;
            requests += world->cohorts[c].trace_count > 0 ? (double)world->cohorts[c].trace_count : 86400e9 * world->cohorts[c].rate_per_ns * world->classes[world->cohorts[c].class_].turns;
        }
        warn_of_thin_pools(world);
        warn_of_rounded_pools(world);
        orr_cli_warn_of_short_runs(world, stdout);
        orr_cli_name_unmeasured(world, stdout);
        printf("%s: ok: %u sites in use, %u links, %u pools, %u classes, %.0f clients, about %.3g requests a day\n", a.scenario, world->used_count, world->link_count,
               world->pool_count, world->class_count, clients, requests);
        orr_grid_destroy(&grid);
    } else if (status == ORR_NO_MEMORY) {
        fprintf(stderr, "error: out of memory\n");
    } else {
        orr_cli_problems(&problems);
    }
    orr_world_destroy(world);
    return status == ORR_OK ? ORR_EXIT_DONE : ORR_EXIT_BAD_INPUT;
}
