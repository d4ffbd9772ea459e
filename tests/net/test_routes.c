/* The promises of routes.h on the default world: no faster than light, and as fast as measured. */
#include "net/routes.h"

#include "scenario/csv.h"

#include "support/tap.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *scenario;
static const char *checks;
static orr_world  *world;
static orr_routes  routes;

static void load(void)
{
    orr_problems problems = {0};
    world = orr_world_load(scenario, NULL, 0, &problems);
    ck_assert_msg(world != NULL, "%s", problems.count > 0 ? problems.text[0] : "out of memory");
    ck_assert_int_eq(orr_routes_build(&routes, world, &problems), ORR_OK);
}

static void unload(void)
{
    orr_routes_destroy(&routes);
    orr_world_destroy(world);
}

START_TEST(every_round_trip_is_at_least_that_of_light_in_fibre)
{
    const double km_per_ms = 204;
    for (uint32_t i = 0; i < world->ingress_count; i++)
        for (uint32_t c = 0; c < world->compute_count; c++) {
            const orr_site_info *a = &world->sites[world->ingress_sites[i]], *b = &world->sites[world->compute_sites[c]];
            double floor_ms = 2 * orr_great_circle_km(a->latitude, a->longitude, b->latitude, b->longitude) / km_per_ms;
            double round_trip_ms = 2e-6 * (double)routes.delay_ns[orr_route_pair(&routes, i, c)];
            ck_assert_msg(round_trip_ms >= floor_ms, "%s-%s: %.3f ms, light needs %.3f ms", a->id, b->id, round_trip_ms, floor_ms);
        }
}
END_TEST

START_TEST(paths_are_whole_and_add_up_to_their_delay)
{
    for (uint32_t i = 0; i < world->ingress_count; i++)
        for (uint32_t c = 0; c < world->compute_count; c++) {
            size_t pair = orr_route_pair(&routes, i, c);
            uint32_t at = world->ingress_sites[i], hops = 0;
            int64_t delay = 2 * world->end_ns;
            for (uint32_t k = 0; k < routes.hops[pair]; k++) {
                const orr_link *l = &world->links[routes.path[routes.path_start[pair] + k]];
                ck_assert(l->a == at || l->b == at);
                at = l->a == at ? l->b : l->a;
                delay += l->delay_ns + world->hop_ns;
                hops++;
            }
            ck_assert_uint_eq(at, world->compute_sites[c]);
            ck_assert_int_eq(delay, routes.delay_ns[pair]);
            ck_assert_uint_eq(hops, routes.hops[pair]);
        }
}
END_TEST

START_TEST(no_route_can_be_shortened_by_any_third_site)
{
    /* The triangle inequality of least-delay paths, through every site that has both clients and pools. */
    for (uint32_t i = 0; i < world->ingress_count; i++)
        for (uint32_t c = 0; c < world->compute_count; c++) {
            uint32_t ingress = world->sites[world->compute_sites[c]].ingress;
            for (uint32_t d = 0; ingress != ORR_NONE && d < world->compute_count; d++)
                ck_assert_int_le(routes.delay_ns[orr_route_pair(&routes, i, d)],
                                 routes.delay_ns[orr_route_pair(&routes, i, c)] + routes.delay_ns[orr_route_pair(&routes, ingress, d)]);
        }
}
END_TEST

/* Round trips between cloud regions, over the way that was observed. The model has one fibre per pair and no detours inside cities, so single
 * pairs may be 20 % off; on average it must be unbiased within 5 %. */
START_TEST(measured_round_trips_are_met)
{
    orr_problems problems = {0};
    orr_csv *csv = orr_csv_load(checks, &problems);
    ck_assert_msg(csv != NULL, "%s", problems.count > 0 ? problems.text[0] : "");
    int a = orr_csv_column(csv, "a"), b = orr_csv_column(csv, "b"), rtt = orr_csv_column(csv, "rtt_ms"), via = orr_csv_column(csv, "via"), confidence = orr_csv_column(csv, "confidence");
    double ratios = 0;
    int rows = 0;
    for (size_t r = 0; r < orr_csv_rows(csv); r++) {
        uint32_t stops[8];
        size_t count = 0;
        char between[128];
        if (strcmp(orr_csv_cell(csv, r, confidence), "measured") != 0)
            continue;
        stops[count++] = orr_world_site(world, orr_csv_cell(csv, r, a));
        snprintf(between, sizeof between, "%s", orr_csv_cell(csv, r, via));
        for (char *save, *stop = strtok_r(between, "|", &save); stop != NULL && count < 7; stop = strtok_r(NULL, "|", &save))
            stops[count++] = orr_world_site(world, stop);
        stops[count++] = orr_world_site(world, orr_csv_cell(csv, r, b));
        int64_t delay;
        double km, measured = atof(orr_csv_cell(csv, r, rtt));
        uint32_t hops;
        ck_assert_int_eq(orr_routes_via(world, stops, count, &delay, &km, &hops), ORR_OK);
        double ratio = 2e-6 * (double)delay / measured;
        printf("# %s-%s via %s: %.1f ms, measured %.1f, ratio %.3f\n", orr_csv_cell(csv, r, a), orr_csv_cell(csv, r, b), orr_csv_cell(csv, r, via), 2e-6 * (double)delay, measured, ratio);
        ck_assert_msg(ratio > 0.8 && ratio < 1.2, "%s-%s: %.1f ms for %.1f measured", orr_csv_cell(csv, r, a), orr_csv_cell(csv, r, b), 2e-6 * (double)delay, measured);
        ratios += ratio;
        rows++;
    }
    ck_assert_int_ge(rows, 10);
    ck_assert_msg(fabs(ratios / rows - 1) < 0.05, "mean ratio %.3f", ratios / rows);
    orr_csv_destroy(csv);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 3)
        return 99;
    scenario = argv[1];
    checks = argv[2];
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, load, unload);
    tcase_add_test(promises, every_round_trip_is_at_least_that_of_light_in_fibre);
    tcase_add_test(promises, paths_are_whole_and_add_up_to_their_delay);
    tcase_add_test(promises, no_route_can_be_shortened_by_any_third_site);
    tcase_add_test(promises, measured_round_trips_are_met);
    return run_as_tap("routes", promises);
}
