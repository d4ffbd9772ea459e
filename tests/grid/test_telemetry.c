/* The promises of telemetry.h, checked from where they matter: inside a policy (policies/spy_policy.c), decision by decision. */
#include "base/time.h"
#include "grid/telemetry.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *scenario;
static const char *policies[2]; /* with columns, and looking at rows */

static orr_world *load(const char *const *more, size_t count, const char *policy)
{
    char name[512];
    const char *overrides[8];
    snprintf(name, sizeof name, "policy.name=%s", policy);
    memcpy(overrides, more, count * sizeof *more);
    overrides[count] = name;
    orr_problems problems = {0};
    orr_world *world = orr_world_load(scenario, overrides, count + 1, &problems);
    ck_assert_msg(world != NULL, "%s", problems.count > 0 ? problems.text[0] : "out of memory");
    return world;
}

static void create(orr_grid *grid, const orr_world *world, bool resume)
{
    orr_problems problems = {0};
    orr_grid_options options = {.lanes = 2, .resume = resume};
    ck_assert_msg(orr_grid_create(grid, world, &options, &problems) == ORR_OK, "%s", problems.count > 0 ? problems.text[0] : "out of memory");
}

static void check_decisions(const orr_grid *g, uint64_t least)
{
    uint64_t decisions = 0, bad = 0;
    for (uint32_t s = 0; s < g->world->used_count; s++)
        for (uint32_t c = 0; c < g->sites[s].cohorts.count; c++) {
            const orr_cohort_state *k = orr_array_at(&g->sites[s].cohorts, c);
            decisions += k->counts.decisions;
            bad += k->counts.bad_decisions;
        }
    ck_assert_uint_ge(decisions, least);
    ck_assert_msg(bad == 0, "%lu of %lu decisions were shown something else than what had been sent", (unsigned long)bad, (unsigned long)decisions);
}

/* Requests arrive on a grid of 10 ms, in the very nanoseconds of reports; which comes first depends on the names of the sites. */
static const char *const periods[] = {"100ms", "10ms", "30ms", "1s", "never", "0"}, *const losses[] = {"0", "0.3", "0.95", "1"}, *const delays[] = {"0", "5ms", "250ms"};
static const char *const clients_at[] = {"early", "late", "pools"};

START_TEST(every_request_sent_is_in_the_report_or_among_the_own_decisions)
{
    char period[64], loss[64], delay[64], where[64];
    snprintf(period, sizeof period, "brain.telemetry.period=%s", periods[_i / 12 % 6]);
    snprintf(loss, sizeof loss, "brain.telemetry.loss=%s", losses[_i / 3 % 4]);
    snprintf(delay, sizeof delay, "brain.telemetry.delay=%s", delays[_i % 3]);
    for (int at = 0; at < 3; at++)
        for (int p = 0; p < 2; p++) {
            snprintf(where, sizeof where, "params.clients=%s", clients_at[at]);
            const char *overrides[] = {period, loss, delay, where};
            orr_world *world = load(overrides, 4, policies[p]);
            orr_grid grid;
            create(&grid, world, false);
            ck_assert_int_eq(orr_engine_run(grid.engine, world->duration_ns, NULL), ORR_OK);
            check_decisions(&grid, 200);
            orr_grid_destroy(&grid);
            orr_world_destroy(world);
        }
}
END_TEST

START_TEST(a_board_goes_round_in_a_run_that_was_saved_and_loaded)
{
    static const char *const overrides[] = {"brain.telemetry.period=10ms", "params.clients=early"};
    for (int p = 0; p < 2; p++) {
        orr_world *world = load(overrides, 2, policies[p]);
        orr_grid grid;
        orr_archive saved, loaded;
        create(&grid, world, false);
        ck_assert_int_eq(orr_engine_run(grid.engine, world->duration_ns / 2, NULL), ORR_OK);
        orr_archive_save(&saved);
        orr_grid_archive(&grid, &saved);
        orr_grid_destroy(&grid);
        create(&grid, world, true);
        orr_archive_load(&loaded, saved.bytes.items, saved.bytes.count);
        orr_grid_archive(&grid, &loaded);
        ck_assert_int_eq(loaded.status, ORR_OK);
        ck_assert_int_eq(orr_engine_run(grid.engine, world->duration_ns, NULL), ORR_OK);
        check_decisions(&grid, 200);
        for (uint32_t s = 0; s < world->used_count; s++) /* or this test tests nothing */
            ck_assert(world->sites[s].compute == ORR_NONE || grid.sites[s].reports > 20 * grid.sites[s].board_slots);
        orr_grid_destroy(&grid);
        orr_archive_destroy(&saved);
        orr_world_destroy(world);
    }
}
END_TEST

START_TEST(a_board_is_no_larger_than_the_run_is_long)
{
    static const char *const overrides[] = {"brain.telemetry.period=1ms", "brain.telemetry.delay=300d", "params.clients=early"};
    orr_world *world = load(overrides, 3, policies[0]);
    orr_grid grid;
    create(&grid, world, false);
    for (uint32_t s = 0; s < world->used_count; s++)
        ck_assert(world->sites[s].compute == ORR_NONE || grid.sites[s].board_slots <= 2 * (uint64_t)(world->duration_ns / ORR_MILLISECOND + 2));
    orr_grid_destroy(&grid);
    orr_world_destroy(world);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 4)
        return 99;
    scenario = argv[1];
    policies[0] = argv[2];
    policies[1] = argv[3];
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_loop_test(promises, every_request_sent_is_in_the_report_or_among_the_own_decisions, 0, 72);
    tcase_add_test(promises, a_board_goes_round_in_a_run_that_was_saved_and_loaded);
    tcase_add_test(promises, a_board_is_no_larger_than_the_run_is_long);
    return run_as_tap("telemetry", promises);
}
