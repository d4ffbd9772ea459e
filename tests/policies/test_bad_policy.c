/*
 * A bad policy can make a run worse, never wrong: brain/host.h. Whole runs of a small grid with a shared object that answers nonsense
 * (bad_policy.c): each ends with its audit intact, every request meets its one end, and every bad answer is counted.
 *
 * Arguments: the scenario (tests/grid/small.yaml), the shared object.
 */
#include "grid/grid.h"
#include "trace/run.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>

enum { FAR_OUTSIDE, JUST_OUTSIDE, NO_CANDIDATE, DEFER_FOR_EVER, EVERYTHING = 10, REFUSE_TO_START }; /* as in bad_policy.c */

static const char *scenario, *library;

static orr_status create(orr_grid *grid, orr_world **world, int mode, orr_problems *problems)
{
    char name[4096], option[64];
    snprintf(name, sizeof name, "policy.name=%s", library);
    snprintf(option, sizeof option, "policy.options.mode=%d", mode);
    const char *overrides[] = {name, option};
    *world = orr_world_load(scenario, overrides, 2, problems);
    ck_assert_msg(*world != NULL, "%s", problems->count > 0 ? problems->text[0] : "no memory");
    return orr_grid_create(grid, *world, &(orr_grid_options){0}, problems);
}

typedef struct totals {
    uint64_t offered, ended, decisions, bad, deferred, served;
} totals;

static totals count(const orr_grid *grid)
{
    totals t = {0};
    for (uint32_t s = 0; s < grid->world->used_count; s++)
        for (uint32_t c = 0; c < grid->sites[s].cohorts.count; c++) {
            const orr_cohort_counts *counts = &((orr_cohort_state *)orr_array_at(&grid->sites[s].cohorts, c))->counts;
            t.offered += counts->offered;
            t.decisions += counts->decisions;
            t.bad += counts->bad_decisions;
            t.deferred += counts->deferred;
            t.served += counts->ended[ORR_SERVED];
            for (int e = 0; e < ORR_ENDS; e++)
                t.ended += counts->ended[e];
        }
    return t;
}

START_TEST(nonsense_is_counted_replaced_and_survived)
{
    orr_grid grid;
    orr_world *world;
    orr_problems problems = {0};
    orr_run_result result;
    ck_assert_int_eq(create(&grid, &world, _i, &problems), ORR_OK);
    ck_assert_int_eq(orr_run_grid(&grid, NULL, 0, &(orr_run_options){0}, &result, &problems), ORR_OK);
    ck_assert_uint_eq(result.audit.failed, 0);
    totals t = count(&grid);
    ck_assert_uint_gt(t.offered, 100);
    ck_assert_uint_le(t.ended, t.offered);
    ck_assert_uint_gt(t.served, t.offered / 4);
    if (_i == DEFER_FOR_EVER) {
        ck_assert_uint_gt(t.deferred, 1000 * (t.offered / 2));
        ck_assert_uint_gt(t.bad, t.offered / 2); /* the last straw of each */
    } else if (_i == EVERYTHING) {
        ck_assert_uint_gt(t.bad, t.decisions / 2);
    } else {
        ck_assert_uint_eq(t.bad, t.decisions); /* never an acceptable answer, also where every row is a candidate */
        ck_assert_uint_eq(t.deferred, 0);
    }
    orr_grid_destroy(&grid);
    orr_world_destroy(world);
    orr_problems_clear(&problems);
}
END_TEST

START_TEST(a_bad_row_is_replaced_by_the_nearest_candidate)
{
    orr_grid grid;
    orr_world *world;
    orr_problems problems = {0};
    ck_assert_int_eq(create(&grid, &world, NO_CANDIDATE, &problems), ORR_OK);
    uint32_t asked = 0;
    for (uint32_t class = 0; class < world->class_count; class++)
        for (uint32_t i = 0; i < world->ingress_count; i++) {
            uint32_t candidates;
            const uint32_t *row = orr_host_candidates(&grid.host, class, i, &candidates);
            if (candidates == 0)
                continue;
            uint64_t state = 0;
            bool bad = false;
            orr_policy_view view = {.size = sizeof view};
            orr_policy_request request = {.size = sizeof request, .client_class = class, .candidates = row, .candidate_count = candidates};
            orr_decision d = orr_host_decide(&grid.host, i, &state, &view, &request, NULL, &bad);
            ck_assert(bad && d.action == ORR_ROUTE);
            const int64_t *delay = grid.host.observers[i].row_delay_ns;
            bool found = false;
            for (uint32_t k = 0; k < candidates; k++) {
                ck_assert_int_le(delay[d.row], delay[row[k]]);
                found |= row[k] == d.row;
            }
            ck_assert(found);
            asked++;
        }
    ck_assert_uint_gt(asked, 2);
    orr_grid_destroy(&grid);
    orr_world_destroy(world);
    orr_problems_clear(&problems);
}
END_TEST

START_TEST(one_that_refuses_to_start_or_an_option_out_of_bounds_is_an_error)
{
    for (int mode = REFUSE_TO_START; mode <= REFUSE_TO_START + 1; mode++) {
        orr_grid grid;
        orr_world *world;
        orr_problems problems = {0};
        orr_status status = create(&grid, &world, mode, &problems);
        ck_assert_int_ne(status, ORR_OK);
        if (mode > REFUSE_TO_START)
            ck_assert_uint_eq(problems.count, 1);
        orr_world_destroy(world);
        orr_problems_clear(&problems);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 3)
        return 99;
    scenario = argv[1];
    library = argv[2];
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 900);
    tcase_add_loop_test(promises, nonsense_is_counted_replaced_and_survived, FAR_OUTSIDE, EVERYTHING + 1);
    tcase_add_test(promises, a_bad_row_is_replaced_by_the_nearest_candidate);
    tcase_add_test(promises, one_that_refuses_to_start_or_an_option_out_of_bounds_is_an_error);
    return run_as_tap("bad policy", promises);
}
