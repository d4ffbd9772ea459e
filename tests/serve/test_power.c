/* The promises of power.h, on a pool of round numbers: two replicas of four cards, each 300 W with 100 W of the server around it. */
#include "serve/power.h"

#include "support/tap.h"
#include <math.h>

static const double HOUR_NS = 3.6e12;
static orr_accelerator accelerator = {.tdp_w = 300, .host_w = 100, .idle_fraction = 0.25, .decode_fraction = 0.5, .prefill_fraction = 1};
static const orr_world world = {.accelerators = &accelerator, .accelerator_count = 1};
static const orr_pool pool = {.accelerator = 0, .group = 4, .replicas = 3, .at_start = 2}, without = {.accelerator = ORR_NONE, .group = 1, .replicas = 9, .at_start = 9};

static void near(double got, double truth) { ck_assert_msg(fabs(got - truth) <= 1e-12 * fabs(truth), "%.17g, not %.17g", got, truth); }

START_TEST(servers_draw_what_their_states_say)
{
    near(orr_power_rated_w(&world, &pool), 3200);                                               /* of the three that there may be, two at the start */
    near(orr_power_it_kwh(&world, &pool, 2 * HOUR_NS, 0, 0), 0.8);                                /* both idle */
    near(orr_power_it_kwh(&world, &pool, 2 * HOUR_NS, 2 * HOUR_NS, 0), 1.6);                      /* both decode */
    near(orr_power_it_kwh(&world, &pool, 2 * HOUR_NS, 0, 2 * HOUR_NS), 3.2);                      /* both in prefill: the rated power */
    near(orr_power_it_kwh(&world, &pool, 2 * HOUR_NS, 0.5 * HOUR_NS, 0.25 * HOUR_NS), 0.4 + 0.4 + 0.5); /* decode, prefill, and 1.25 of 2 idle */
    near(orr_power_it_kwh(&world, &pool, HOUR_NS, HOUR_NS, 0), 0.8);                              /* one of them off for the hour */
    ck_assert(orr_power_it_kwh(&world, &pool, 0, 0, 0) == 0);
    ck_assert(orr_power_it_kwh(&world, &without, HOUR_NS, HOUR_NS, 0) == 0 && orr_power_rated_w(&world, &without) == 0);
}
END_TEST

START_TEST(pue_is_the_site_s_at_full_load_and_rises_as_it_falls)
{
    const orr_site_info site = {.pue = 1.5, .pue_fixed_share = 0.4};
    near(orr_power_site_kwh(&site, 3200, 3.2, HOUR_NS), 1.5 * 3.2);
    double last = 1.5;
    for (int percent = 90; percent > 0; percent -= 10) {
        double load = percent / 100.0, pue = orr_power_site_kwh(&site, 3200, 3.2 * load, HOUR_NS) / (3.2 * load);
        near(pue, 1 + 0.5 * (0.6 + 0.4 / load));
        ck_assert(pue > last);
        last = pue;
    }
    near(orr_power_site_kwh(&site, 3200, 0, HOUR_NS), 0.5 * 0.4 * 3.2); /* without any load the fixed part stays */
    const orr_site_info proportional = {.pue = 1.5};
    near(orr_power_site_kwh(&proportional, 3200, 0.32, HOUR_NS), 1.5 * 0.32);
    ck_assert(orr_power_site_kwh(&site, 0, 0, HOUR_NS) == 0);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, servers_draw_what_their_states_say);
    tcase_add_test(promises, pue_is_the_site_s_at_full_load_and_rises_as_it_falls);
    return run_as_tap("power", promises);
}
