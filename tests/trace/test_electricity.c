/*
 * The promises of electricity.h and of the hours of the grid (world.h): what is constant within the hours is integrated exactly, a site's
 * energy is divided among its pools without rest, and the audit notices when something was lost.
 *
 * Two sites of PUE 1.5, of which 0.4 is fixed. The first is 8 h ahead of UTC, with two pools of 1 kW and 3 kW and electricity that costs and
 * emits twice the mean in the hours 0 to 11; the second is flat, with one pool of 2 kW. Idle servers draw a quarter, decoding half.
 */
#include "trace/electricity.h"

#include "base/time.h"
#include "support/tap.h"
#include <math.h>

enum { HOURLY, FLAT, SITES, POOLS = 3 };

static orr_accelerator accelerator = {.tdp_w = 600, .host_w = 400, .idle_fraction = 0.25, .decode_fraction = 0.5, .prefill_fraction = 1};
static orr_grid_hours grid = {.name = "grid"};
static orr_site_info sites[SITES] = {
    [HOURLY] = {.pue = 1.5, .pue_fixed_share = 0.4, .carbon_g_per_kwh = 400, .electricity_yuan_per_kwh = 0.5, .utc_offset_s = 8 * 3600, .grid_hours = 0},
    [FLAT] = {.pue = 1.5, .pue_fixed_share = 0.4, .carbon_g_per_kwh = 100, .electricity_yuan_per_kwh = 1, .grid_hours = ORR_NONE},
};
static orr_pool pools[POOLS] = {{.site = HOURLY, .group = 1, .at_start = 1}, {.site = HOURLY, .group = 3, .at_start = 1}, {.site = FLAT, .group = 1, .at_start = 2}};
static uint32_t site_pools[] = {0, 1, 2}, site_pool_start[] = {0, 2, 3}, compute_sites[] = {HOURLY, FLAT};
static orr_world world = {.accelerators = &accelerator, .accelerator_count = 1, .sites = sites, .site_count = SITES, .used_count = SITES, .grid_hours = &grid, .grid_hours_count = 1,
                          .pools = pools, .pool_count = POOLS, .site_pools = site_pools, .site_pool_start = site_pool_start, .compute_sites = compute_sites, .compute_count = SITES,
                          .start_s = 3 * 3600 + 900 /* 11:15 at the first site */};
static orr_electricity e;

static void build(void)
{
    for (int h = 0; h < 24; h++)
        grid.price[h] = grid.carbon[h] = h < 12 ? 2 : 0;
    ck_assert(orr_electricity_init(&e, &world));
}

static void destroy(void) { orr_electricity_clear(&e); }

static void near(double got, double truth) { ck_assert_msg(fabs(got - truth) <= 1e-12 * fabs(truth), "%.17g, not %.17g", got, truth); }

/* Both sites from..to, with every replica of pool 0 decoding and the others idle; at the ends of hours too. */
static void meter(int64_t from, int64_t to)
{
    while (from < to) {
        int64_t next = orr_world_next_grid_hour(&world, from), end = next < to ? next : to;
        double width = (double)(end - from);
        orr_work work[POOLS] = {{.held_ns = width, .decode_ns = width}, {.held_ns = width}, {.held_ns = 2 * width}};
        for (uint32_t s = 0; s < SITES; s++)
            orr_electricity_meter(&e, s, from, end, work);
        from = end;
    }
}

START_TEST(hours_are_those_of_the_place)
{
    near(orr_world_electricity(&world, HOURLY, 0), 1);
    near(orr_world_carbon(&world, HOURLY, 45 * ORR_MINUTE - 1), 800);
    ck_assert(orr_world_electricity(&world, HOURLY, 45 * ORR_MINUTE) == 0);
    ck_assert(orr_world_carbon(&world, HOURLY, 12 * ORR_HOUR + 45 * ORR_MINUTE - 1) == 0);
    near(orr_world_carbon(&world, HOURLY, 12 * ORR_HOUR + 45 * ORR_MINUTE), 800);
    near(orr_world_electricity(&world, FLAT, 7 * ORR_HOUR), 1);
    ck_assert_int_eq(orr_world_next_grid_hour(&world, 0), 45 * ORR_MINUTE);
    ck_assert_int_eq(orr_world_next_grid_hour(&world, 45 * ORR_MINUTE - 1), 45 * ORR_MINUTE);
    ck_assert_int_eq(orr_world_next_grid_hour(&world, 45 * ORR_MINUTE), 105 * ORR_MINUTE);
    sites[HOURLY].utc_offset_s = -12 * 3600 + 1800; /* before 1970 on its own clock */
    near(orr_world_electricity(&world, HOURLY, 0), 0.0);
    ck_assert_int_eq(orr_world_next_grid_hour(&world, 0), 15 * ORR_MINUTE);
    sites[HOURLY].utc_offset_s = 8 * 3600;
    sites[HOURLY].grid_hours = ORR_NONE;
    ck_assert(orr_world_next_grid_hour(&world, 0) == ORR_NEVER);
    sites[HOURLY].grid_hours = 0;
}
END_TEST

START_TEST(a_bin_that_spans_hours_is_exact)
{
    meter(0, 100 * ORR_MINUTE); /* dear for 45 minutes, then free */
    /* pool 0: 0.5 kW, pool 1: 0.75 kW; the facility: 0.5 x (0.4 x 4 kW + 0.6 x 1.25 kW) = 1.175 kW, so 2.425 kW in all */
    const double hours = 100 / 60.0;
    orr_draw a = orr_electricity_take(&e, 0), b = orr_electricity_take(&e, 1), c = orr_electricity_take(&e, 2);
    near(a.it_kwh, 0.5 * hours);
    near(a.kwh, 2.425 * hours * 0.4);
    near(b.kwh, 2.425 * hours * 0.6);
    near(a.yuan + b.yuan, 2.425 * 0.75 * 1);
    near(a.carbon_kg + b.carbon_kg, 2.425 * 0.75 * 0.8);
    near(c.kwh, (0.5 + 0.5 * (0.4 * 2 + 0.6 * 0.5)) * hours);
    near(c.yuan, c.kwh);
    near(c.carbon_kg, c.kwh / 10);
    ck_assert(orr_electricity_take(&e, 0).kwh == 0);
}
END_TEST

START_TEST(a_day_costs_its_mean_and_pieces_do_not_matter)
{
    meter(0, ORR_DAY);
    orr_draw whole = orr_electricity_take(&e, 1);
    near(whole.yuan, whole.kwh * 0.5);
    near(whole.carbon_kg, whole.kwh * 0.4);
    for (int64_t at = 0; at < ORR_DAY; at += 7 * ORR_MINUTE)
        meter(at, at + 7 * ORR_MINUTE < ORR_DAY ? at + 7 * ORR_MINUTE : ORR_DAY);
    orr_draw pieces = orr_electricity_take(&e, 1);
    near(pieces.kwh, whole.kwh);
    near(pieces.yuan, whole.yuan);
}
END_TEST

static uint32_t failures(void)
{
    orr_audit audit = {0};
    orr_electricity_audit(&e, ORR_DAY, &audit);
    return audit.failed;
}

START_TEST(the_audit_notices_what_is_lost)
{
    meter(0, ORR_DAY);
    ck_assert_uint_eq(failures(), 3); /* nothing taken yet: energy, price and carbon of the pools */
    for (uint32_t p = 0; p < POOLS; p++)
        orr_electricity_take(&e, p);
    ck_assert_uint_eq(failures(), 0);
    orr_draw kept = e.run[0];
    e.run[0].kwh *= 1 + 1e-7;
    ck_assert_uint_eq(failures(), 1);
    e.run[0] = kept;
    e.run[0].yuan = 0;
    ck_assert_uint_eq(failures(), 1);
    e.run[0] = kept;
    e.site[FLAT].kwh *= 0.999; /* its servers were idle all day */
    ck_assert_uint_eq(failures(), 1);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, build, destroy);
    tcase_add_test(promises, hours_are_those_of_the_place);
    tcase_add_test(promises, a_bin_that_spans_hours_is_exact);
    tcase_add_test(promises, a_day_costs_its_mean_and_pieces_do_not_matter);
    tcase_add_test(promises, the_audit_notices_what_is_lost);
    return run_as_tap("electricity", promises);
}
