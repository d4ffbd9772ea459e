/*
 * The promises of the built-in policies, asked through the door of orrery/policy.h, against views made by hand or at random.
 * Statistical tests have fixed seeds; their bound is the 99.99 % quantile of chi-square.
 */
#include "base/random.h"
#include "policies/policies.h"

#include "support/tap.h"
#include <gsl/gsl_cdf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 12, DRAWS = 20000, BLOCKS = 8, PART = 512 };

/** All that a policy is given, in arrays that tests may write to. */
typedef struct scene {
    uint64_t candidate_slots[ROWS], blocks[BLOCKS];
    uint32_t candidates[ROWS], count, slots[ROWS], running[ROWS], waiting[ROWS], own[ROWS], kv[ROWS], site[ROWS], service[ROWS];
    int64_t  delay[ROWS], as_of[ROWS], token[ROWS], wait[ROWS], price[3][ROWS];
    double   token_alone[ROWS], prefill[ROWS], options[4];
    orr_policy_world   world;
    orr_policy_view    view;
    orr_policy_request request;
} scene;

static uint64_t state[3 << 20], saved_state[3 << 20]; /* of whatever policy is asked */
static scene    s;
static uint32_t counter;

static uint32_t below(uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(3, ORR_STREAM_TEST, 9, counter++, 0).low, n); }

static uint64_t draw(void *context, const orr_policy_request *request, uint32_t k)
{
    (void)context;
    return orr_random_bits(11, ORR_STREAM_POLICY, request->id, request->attempt << 16 | (k & 0xffff), k >> 16).low;
}

static orr_policy_row look(void *context, uint32_t row)
{
    (void)context;
    return (orr_policy_row){s.as_of[row], s.token[row], s.wait[row], s.running[row], s.waiting[row], s.kv[row], s.own[row]};
}

static const orr_policy_host host = {.size = sizeof host, .draw = draw, .look = look};

/* Equal empty pools, one slot each, all of them candidates. */
static void plain(uint32_t rows)
{
    memset(&s, 0, sizeof s);
    s.count = rows;
    for (uint32_t i = 0; i < rows; i++) {
        s.candidates[i] = i;
        s.slots[i] = 1;
        s.token_alone[i] = 1e6;
    }
    s.world = (orr_policy_world){.size = sizeof s.world, .rows = rows, .services = 1, .classes = 1, .observer_name = "here", .row_site = s.site, .row_service = s.service, .row_slots = s.slots,
                                 .row_delay_ns = s.delay, .row_token_ns = s.token_alone, .row_prefill_ns = s.prefill, .options = s.options};
    s.view = (orr_policy_view){.size = sizeof s.view, .rows = rows, .as_of_ns = s.as_of, .running = s.running, .waiting = s.waiting, .kv_used_ppm = s.kv, .token_ns = s.token, .wait_ns = s.wait,
                               .own = s.own, .price = {s.price[0], s.price[1], s.price[2]}};
    s.request = (orr_policy_request){.size = sizeof s.request, .input_tokens = 100, .expected_output_tokens = 10, .slo_first_token_ns = INT64_MAX, .slo_total_ns = INT64_MAX,
                                     .candidates = s.candidates, .candidate_count = rows, .candidate_slots = s.candidate_slots, .blocks = s.blocks, .block_tokens = PART, .head_tokens = PART};
}

static size_t state_size(const orr_policy *p) { return p->state_size == NULL ? 0 : p->state_size(&s.world); }

/* With the options as they are. */
static void start_anew(const orr_policy *p)
{
    ck_assert_uint_le(state_size(p), sizeof state);
    memset(state, 0, state_size(p));
    if (p->init != NULL)
        ck_assert_int_eq(p->init(state, &host, &s.world, s.options), 0);
}

static void start(const orr_policy *p)
{
    for (uint32_t i = 0; i < p->option_count; i++)
        s.options[i] = p->options[i].fallback;
    start_anew(p);
}

static orr_decision decide(const orr_policy *p, uint64_t id)
{
    s.request.id = id;
    for (uint32_t i = 0; i < s.request.candidate_count; i++)
        s.candidate_slots[i] = s.slots[s.candidates[i]] + (i > 0 ? s.candidate_slots[i - 1] : 0);
    orr_decision d = {.size = sizeof d, .action = ORR_ROUTE, .row = s.candidates[0]};
    p->route(state, &host, &s.world, &s.view, &s.request, s.options, &d);
    return d;
}

static uint32_t choose(const orr_policy *p, uint64_t id) { return decide(p, id).row; }

/* A world of any kind, with a random choice of candidates. */
static void any_scene(void)
{
    plain(1 + below(ROWS));
    uint32_t rows = s.world.rows, fill = 1 + below(4);
    s.count = 0;
    for (uint32_t i = 0; i < rows; i++) {
        s.slots[i] = 1 + below(1u << below(6));
        s.running[i] = below(fill * s.slots[i] + 1);
        s.waiting[i] = below(4) ? 0 : below(10);
        s.own[i] = below(3);
        s.kv[i] = below(1000001);
        s.delay[i] = below(5) * 1000000;
        s.token[i] = below(2) ? 0 : below(100000000);
        s.wait[i] = below(2) ? 0 : below(1000000000);
        s.as_of[i] = (int64_t)below(100) - 1;
        s.prefill[i] = below(100000);
        s.token_alone[i] = 1 + below(50000000);
        for (int k = 0; k < 3; k++)
            s.price[k][i] = below(2000000000);
        if (below(2))
            s.candidates[s.count++] = i;
    }
    if (s.count == 0)
        s.candidates[s.count++] = below(rows);
    s.request.candidate_count = s.count;
    s.request.slo_first_token_ns = below(2) ? INT64_MAX : below(2000000000);
    s.request.slo_total_ns = below(2) ? INT64_MAX : below(2000000000);
    s.request.attempt = below(4);
    s.request.block_count = below(BLOCKS + 1);
    for (uint32_t i = 0; i < s.request.block_count; i++)
        s.blocks[i] = below(20);
    s.request.head_tokens = 1 + below(PART);
    s.request.input_tokens = 100 + PART * s.request.block_count;
}

static bool is_candidate(uint32_t row)
{
    for (uint32_t i = 0; i < s.count; i++)
        if (s.candidates[i] == row)
            return true;
    return false;
}

static void check_chi_square(const uint32_t *count, const double *expected, uint32_t cells, const char *what)
{
    double sum = 0;
    for (uint32_t i = 0; i < cells; i++)
        sum += (count[i] - expected[i]) * (count[i] - expected[i]) / expected[i];
    ck_assert_msg(sum < gsl_cdf_chisq_Pinv(0.9999, cells - 1), "%s: chi-square %.1f with %u cells", what, sum, cells);
}

START_TEST(every_policy_routes_to_a_candidate_whatever_it_sees)
{
    size_t count;
    const orr_policy *const *all = orr_policies(&count);
    ck_assert_uint_ge(count, 7);
    for (size_t p = 0; p < count; p++) {
        ck_assert_uint_eq(all[p]->abi, ORR_POLICY_ABI);
        ck_assert_uint_eq(all[p]->size, sizeof(orr_policy));
        ck_assert(all[p]->name != NULL && all[p]->summary != NULL && all[p]->route != NULL);
        for (uint32_t k = 0; k < 600; k++) {
            any_scene();
            start(all[p]);
            for (uint32_t o = 0; o < all[p]->option_count && k % 2; o++) { /* within its bounds, ends included */
                const orr_policy_option *option = &all[p]->options[o];
                s.options[o] = k % 3 == 0 ? option->low : k % 3 == 1 ? option->high : option->low + (option->high - option->low) * below(1000) / 1000.0;
            }
            start_anew(all[p]);
            for (uint64_t id = 0; id < 3; id++) {
                orr_decision d = decide(all[p], 10 * k + id);
                ck_assert_msg(d.action == ORR_ROUTE && is_candidate(d.row), "%s: row %u, action %d", all[p]->name, d.row, (int)d.action);
            }
        }
    }
}
END_TEST

START_TEST(names_are_distinct_and_options_are_sound)
{
    size_t count;
    const orr_policy *const *all = orr_policies(&count);
    for (size_t p = 0; p < count; p++) {
        for (size_t q = 0; q < p; q++)
            ck_assert_str_ne(all[p]->name, all[q]->name);
        for (uint32_t o = 0; o < all[p]->option_count; o++) {
            const orr_policy_option *option = &all[p]->options[o];
            ck_assert(option->low <= option->fallback && option->fallback <= option->high && option->meaning != NULL);
        }
    }
}
END_TEST

/* Load per slot with one more request, as a fraction to be compared exactly. */
static int compare(uint32_t a, uint32_t b)
{
    uint64_t x = (uint64_t)(s.running[a] + s.waiting[a] + s.own[a] + 1) * s.slots[b], y = (uint64_t)(s.running[b] + s.waiting[b] + s.own[b] + 1) * s.slots[a];
    return x < y ? -1 : x > y;
}

static bool is_least(uint32_t row)
{
    for (uint32_t i = 0; i < s.count; i++)
        if (compare(s.candidates[i], row) < 0)
            return false;
    return is_candidate(row);
}

/* Whatever scene: the choice is one of the least loaded, and over many requests each of them is met. */
static void check_chooses_all_of_the_least(const orr_policy *p, double option)
{
    for (uint32_t k = 0; k < 60; k++) {
        bool met[ROWS] = {false};
        any_scene();
        start(p);
        s.options[0] = option;
        for (uint64_t id = 0; id < 250; id++) {
            uint32_t row = choose(p, id * 1000 + k);
            if (!is_least(row))
                ck_abort_msg("%s: row %u is not one of the least", p->name, row);
            met[row] = true;
        }
        for (uint32_t i = 0; i < s.count; i++)
            ck_assert(met[s.candidates[i]] == is_least(s.candidates[i]));
    }
}

START_TEST(join_shortest_queue_takes_the_least_per_slot) { check_chooses_all_of_the_least(&orr_policy_join_shortest_queue, 0); }
END_TEST

START_TEST(power_of_all_is_join_shortest_queue) { check_chooses_all_of_the_least(&orr_policy_power_of_d, 64); }
END_TEST

START_TEST(ties_are_broken_uniformly)
{
    const orr_policy *policies[] = {&orr_policy_join_shortest_queue, &orr_policy_power_of_d, &orr_policy_power_of_d, &orr_policy_power_of_d, &orr_policy_prefix_aware};
    const double d[] = {0, 1, 2, 10, 2};
    for (int p = 0; p < 5; p++) {
        uint32_t count[10] = {0};
        double expected[10];
        plain(10);
        start(policies[p]);
        s.options[0] = d[p];
        for (uint32_t k = 0; k < 3; k++) /* three of ten are out of it, unless one alone is drawn */
            s.running[4 * k] = d[p] > 1 || p == 0 ? 7 : 0;
        for (uint64_t id = 0; id < DRAWS; id++)
            count[choose(policies[p], id)]++;
        double total = 0, busy = 0;
        for (int i = 0; i < 10; i += 4)
            busy += count[i];
        for (int i = 0; i < 10; i++)
            total += count[i];
        for (int i = 0; i < 10; i++) {
            double share = p == 1 ? total / 10 : i % 4 == 0 ? busy / 3 : (total - busy) / 7;
            expected[i] = share > 0 ? share : 1e-9;
        }
        check_chi_square(count, expected, 10, policies[p]->name);
        ck_assert(p == 2 || p == 1 || busy <= 0); /* with two draws both may be busy ones: three of ten, twice */
        if (p == 2)
            ck_assert_double_eq_tol(busy / total, 3.0 / 45, 3.9 * 0.00176); /* 3.9 standard errors */
    }
}
END_TEST

START_TEST(ties_between_pools_of_different_size_are_broken_uniformly)
{
    const orr_policy *policies[] = {&orr_policy_join_shortest_queue, &orr_policy_power_of_d};
    /* Three at six per slot with one more, three at one per slot; the worse ones, drawn early, before and after the others. */
    static const uint32_t slots[2][6] = {{50, 10, 20, 8, 1, 3}, {8, 1, 3, 40, 50, 60}}, running[2][6] = {{299, 59, 119, 7, 0, 2}, {7, 0, 2, 239, 299, 359}};
    for (int k = 0; k < 4; k++) {
        int p = k % 2, better = k < 2 ? 3 : 0, worse = 3 - better;
        uint32_t count[6] = {0};
        const double expected[] = {DRAWS / 3.0, DRAWS / 3.0, DRAWS / 3.0};
        plain(6);
        memcpy(s.slots, slots[k / 2], sizeof slots[0]);
        memcpy(s.running, running[k / 2], sizeof running[0]);
        start(policies[p]);
        s.options[0] = 6;
        for (uint64_t id = 0; id < DRAWS; id++)
            count[choose(policies[p], id)]++;
        ck_assert_uint_eq(count[worse] + count[worse + 1] + count[worse + 2], 0);
        check_chi_square(count + better, expected, 3, policies[p]->name);
    }
}
END_TEST

static double choose_out_of(uint32_t n, uint32_t k)
{
    double ways = 1;
    for (uint32_t i = 0; i < k; i++)
        ways = ways * (n - i) / (i + 1);
    return n < k ? 0 : ways;
}

START_TEST(power_of_d_takes_the_best_of_d_different_ones)
{
    enum { N = 10 };
    for (uint32_t d = 1; d <= 5; d++) {
        uint32_t count[N] = {0};
        double expected[N];
        plain(N);
        start(&orr_policy_power_of_d);
        s.options[0] = d;
        for (uint32_t i = 0; i < N; i++)
            s.running[i] = 3 * i % N; /* all different: pool i has rank 3i mod 10 */
        for (uint64_t id = 0; id < DRAWS; id++)
            count[3 * choose(&orr_policy_power_of_d, id) % N]++;
        for (uint32_t rank = 0; rank < N; rank++) { /* all others of the d are among the worse ones */
            expected[rank] = DRAWS * choose_out_of(N - 1 - rank, d - 1) / choose_out_of(N, d);
            ck_assert(expected[rank] > 0 || count[rank] == 0);
        }
        check_chi_square(count, expected, N + 1 - d, "rank of the chosen");
    }
}
END_TEST

START_TEST(a_fraction_of_a_choice_is_cut_off)
{
    plain(4);
    start(&orr_policy_power_of_d);
    for (uint64_t id = 0; id < 500; id++) {
        s.options[0] = 2;
        uint32_t two = choose(&orr_policy_power_of_d, id);
        s.options[0] = 2.9;
        ck_assert_uint_eq(choose(&orr_policy_power_of_d, id), two);
    }
}
END_TEST

START_TEST(weighted_round_robin_is_exact_over_every_cycle_and_even_within)
{
    static const uint32_t slots[] = {1, 3, 5, 7, 16};
    plain(6);
    for (uint32_t i = 0; i < 5; i++)
        s.slots[i] = slots[i];
    s.slots[5] = 1000; /* no candidate */
    s.request.candidate_count = s.count = 5;
    start(&orr_policy_weighted_round_robin);
    uint32_t count[6] = {0};
    for (uint32_t k = 1; k <= 32 * 50; k++) {
        count[choose(&orr_policy_weighted_round_robin, k)]++;
        for (uint32_t i = 0; i < 5; i++) {
            if (k % 32 == 0)
                ck_assert_uint_eq(count[i], k / 32 * slots[i]);
            ck_assert_double_le(count[i], k * slots[i] / 32.0 + 1); /* never a whole turn ahead */
            ck_assert_double_ge(count[i], k * slots[i] / 32.0 - 2);
        }
    }
    ck_assert_uint_eq(count[5], 0);
}
END_TEST

START_TEST(nearest_passes_over_full_pools_and_returns_to_the_nearest_when_all_are_full)
{
    const orr_policy *p = &orr_policy_nearest;
    plain(4);
    start(p);
    static const int64_t delays[] = {30, 10, 40, 20};
    for (int i = 0; i < 4; i++) {
        s.delay[i] = delays[i];
        s.slots[i] = 10;
    }
    ck_assert_uint_eq(choose(p, 1), 1);
    s.running[1] = 9;
    ck_assert_uint_eq(choose(p, 1), 1);
    s.own[1] = 1; /* its own requests count */
    ck_assert_uint_eq(choose(p, 1), 3);
    s.waiting[3] = 10;
    ck_assert_uint_eq(choose(p, 1), 0);
    s.running[0] = 11;
    ck_assert_uint_eq(choose(p, 1), 2);
    s.running[2] = 100;
    ck_assert_uint_eq(choose(p, 1), 1);
    s.options[0] = 1.1; /* 11 requests per 10 slots */
    ck_assert_uint_eq(choose(p, 1), 1);
    s.running[1] = 50;
    ck_assert_uint_eq(choose(p, 1), 3);
    s.options[0] = 0.5;
    s.running[1] = s.own[1] = s.waiting[3] = 0;
    s.running[3] = 4;
    ck_assert_uint_eq(choose(p, 1), 1);
    s.running[1] = 5;
    ck_assert_uint_eq(choose(p, 1), 3);
}
END_TEST

/* Three pools: cheap and slow, dear and fast, and one between. Ten answer tokens. */
static void priced(void)
{
    static const double token[] = {50e6, 10e6, 20e6};
    static const int64_t price[] = {1, 10, 4};
    plain(3);
    for (int i = 0; i < 3; i++) {
        s.token_alone[i] = token[i];
        s.prefill[i] = 1e5; /* 10 ms for the prompt */
        s.slots[i] = 10;
        s.delay[i] = 5000000;
        s.price[1][i] = s.price[2][i] = price[i] * 1000000000;
    }
    start(&orr_policy_cost_first);
}

START_TEST(cost_first_takes_the_cheapest_that_meets_the_slo)
{
    const orr_policy *p = &orr_policy_cost_first;
    priced(); /* totals: 2 x 5 ms + 10 ms + 10 tokens: 520, 120 and 220 ms; first tokens at 70, 30, 40 ms */
    ck_assert_uint_eq(choose(p, 1), 0);
    s.options[0] = 1;
    s.request.slo_total_ns = 520000000;
    ck_assert_uint_eq(choose(p, 1), 0);
    s.request.slo_total_ns = 519999999;
    ck_assert_uint_eq(choose(p, 1), 2);
    s.options[0] = 0.4; /* the margin: 208 ms */
    ck_assert_uint_eq(choose(p, 1), 1);
    s.options[0] = 1;
    s.request.slo_total_ns = INT64_MAX;
    s.request.slo_first_token_ns = 70000000;
    ck_assert_uint_eq(choose(p, 1), 0);
    s.request.slo_first_token_ns = 69999999;
    ck_assert_uint_eq(choose(p, 1), 2);
    s.waiting[2] = 10; /* full: whoever waits has no time */
    ck_assert_uint_eq(choose(p, 1), 1);
    s.request.slo_first_token_ns = 1; /* nobody can: the fastest */
    ck_assert_uint_eq(choose(p, 1), 1);
    s.token[1] = 900000000; /* reported: it has become slow */
    s.waiting[2] = 0;
    ck_assert_uint_eq(choose(p, 1), 2);
    s.request.slo_first_token_ns = INT64_MAX;
    s.price[2][0] = INT64_C(1000000000000); /* output, ten tokens */
    ck_assert_uint_eq(choose(p, 1), 2);
    s.price[1][2] = INT64_C(1000000000000); /* input, a hundred */
    ck_assert_uint_eq(choose(p, 1), 1);
    for (int i = 0; i < 3; i++) /* equally cheap: the fastest */
        s.price[1][i] = s.price[2][i] = 7;
    s.token[1] = 0;
    ck_assert_uint_eq(choose(p, 1), 1);
}
END_TEST

START_TEST(the_price_is_that_of_the_prompt_and_of_the_expected_answer)
{
    static const int64_t price[][2][2] = {{{2, 22}, {4, 1}}, {{6, 2}, {4, 20}}}; /* per million, of input and output: 420 against 410, and 620 against 600 */
    for (int k = 0; k < 2; k++) {
        plain(2);
        start(&orr_policy_cost_first);
        for (int row = 0; row < 2; row++) {
            s.price[1][row] = price[k][row][0];
            s.price[2][row] = price[k][row][1];
        }
        ck_assert_uint_eq(choose(&orr_policy_cost_first, 1), 1);
    }
}
END_TEST

START_TEST(least_expected_latency_weighs_the_way_against_the_wait)
{
    const orr_policy *p = &orr_policy_least_expected_latency;
    priced();
    start(p);
    ck_assert_uint_eq(choose(p, 1), 1);
    s.delay[1] = 56000000; /* 222 ms against 220 */
    ck_assert_uint_eq(choose(p, 1), 2);
    s.delay[1] = 54000000;
    ck_assert_uint_eq(choose(p, 1), 1);
    s.wait[1] = 5000000; /* a reported wait */
    ck_assert_uint_eq(choose(p, 1), 2);
    s.wait[1] = 0;
    s.own[1] = 10; /* its own requests have filled the place since: one service time of 100 ms over ten slots */
    ck_assert_uint_eq(choose(p, 1), 2);
    s.own[1] = 9;
    ck_assert_uint_eq(choose(p, 1), 1);
    s.request.expected_output_tokens = 1; /* short answers: 68 to 70 against 30 and 40 ms less way */
    ck_assert_uint_eq(choose(p, 1), 2);
}
END_TEST

START_TEST(random_sees_nothing_and_draws_in_proportion_to_slots)
{
    const orr_policy *p = &orr_policy_random;
    static const uint32_t slots[] = {1, 2, 30, 7, 100, 20};
    uint32_t count[6] = {0};
    double expected[6];
    plain(7);
    for (uint32_t i = 0; i < 6; i++) {
        s.slots[i] = slots[i];
        expected[i] = DRAWS * slots[i] / 160.0;
    }
    s.slots[6] = 500; /* no candidate */
    s.request.candidate_count = s.count = 6;
    start(p);
    for (uint64_t id = 0; id < DRAWS; id++) {
        uint32_t row = choose(p, id);
        count[row]++;
        if (id % 16 == 0) {
            for (uint32_t i = 0; i < 7; i++) {
                s.running[i] = below(1000);
                s.wait[i] = below(1000000);
                s.own[i] = below(10);
                s.as_of[i] = below(100);
                s.price[2][i] = below(100);
                s.delay[i] = below(100);
            }
            ck_assert_uint_eq(choose(p, id), row);
        }
    }
    check_chi_square(count, expected, 6, "slots");
    s.request.attempt = 1; /* a retry draws anew */
    uint32_t same = 0;
    for (uint64_t id = 0; id < 1000; id++) {
        s.request.attempt = 0;
        uint32_t first = choose(p, id);
        s.request.attempt = 1;
        same += choose(p, id) == first;
    }
    ck_assert_uint_lt(same, 600); /* 100 of 160 squared and so on: 44 % */
}
END_TEST

/* The request's prompt: so many parts with these names, and 100 tokens more. */
static void ask_with(const uint64_t *names, uint32_t count)
{
    memcpy(s.blocks, names, count * sizeof *names);
    s.request.block_count = count;
    s.request.input_tokens = count * PART + 100;
}

START_TEST(prefix_aware_weighs_the_load_against_the_prompt_that_the_cache_spares)
{
    const orr_policy *p = &orr_policy_prefix_aware;
    plain(3);
    for (uint32_t i = 0; i < 3; i++)
        s.prefill[i] = 10000;
    start(p);
    s.options[0] = 8; /* 8 ms for each request ahead */
    ask_with((uint64_t[]){1, 2, 3}, 3);
    s.running[0] = s.running[2] = 1;
    ck_assert_uint_eq(choose(p, 1), 1);
    for (uint32_t id = 2; id < 100; id++) { /* what is there draws the like, also in part */
        s.running[1] = 1, s.waiting[1] = id % 2, s.own[1] = 0;
        ask_with((uint64_t[]){1, 2, 3, 100 + id}, id % 3 + 2);
        ck_assert_uint_eq(choose(p, id), 1);
    }
    ask_with((uint64_t[]){1, 2, 3}, 3); /* 1536 tokens spare 15.36 ms: worth one request ahead, not two */
    s.running[0] = s.running[2] = 9;
    s.running[1] = 9, s.waiting[1] = 0, s.own[1] = 1;
    ck_assert_uint_eq(choose(p, 200), 1);
    s.own[1] = 2;
    ck_assert_uint_ne(choose(p, 201), 1);
    s.running[1] = s.own[1] = 0;
    s.request.head_tokens = 1; /* a first part of one token: 1025 tokens spare 10.25 ms */
    ask_with((uint64_t[]){51, 52, 53}, 3);
    ck_assert_uint_eq(choose(p, 202), 1);
    s.running[1] = 10;
    s.token_alone[0] = s.token_alone[1] = s.token_alone[2] = 1.281e6; /* one request ahead: 10.248 ms */
    ck_assert_uint_eq(choose(p, 203), 1);
    s.token_alone[0] = s.token_alone[1] = s.token_alone[2] = 1.282e6;
    ck_assert_uint_ne(choose(p, 204), 1);
}
END_TEST

/* How many of the leading parts row 0 is expected to hold: with a token's time of 1 ns throughout, the load that makes row 1 the better one tells.
 * The state is as before afterwards. */
static uint32_t remembered(const orr_policy *p, const uint64_t *names, uint32_t count)
{
    uint32_t found = 0;
    memcpy(saved_state, state, state_size(p));
    ask_with(names, count);
    s.request.candidate_count = 2;
    for (uint32_t k = 1; k <= count; k++) {
        s.running[0] = PART * k - 1;
        found = choose(p, k) == 0 ? k : found;
        memcpy(state, saved_state, state_size(p));
    }
    s.running[0] = 0;
    s.request.candidate_count = 1;
    return found;
}

START_TEST(prefix_aware_remembers_the_latest_parts_as_many_as_it_is_told)
{
    const orr_policy *p = &orr_policy_prefix_aware;
    for (uint32_t k = 0; k < 300; k++) {
        uint64_t order[BLOCKS * 2]; /* what a list of limited length would hold, the latest last */
        uint32_t memory = 1 + k % BLOCKS, held = 0;
        plain(2);
        start(p);
        s.options[0] = 1, s.options[1] = memory;
        start_anew(p);
        for (uint32_t i = 0; i < 2; i++)
            s.prefill[i] = s.token_alone[i] = 1;
        s.request.candidate_count = 1;
        for (uint32_t n = 0; n < 40; n++) {
            uint64_t names[BLOCKS];
            uint32_t count = below(BLOCKS + 1), expected = 0;
            for (uint32_t i = 0; i < count; i++)
                names[i] = 100 * i + below(2); /* other parts, other names */
            for (bool there = true; there && expected < count; expected += there) {
                there = false;
                for (uint32_t i = 0; i < held; i++)
                    there |= order[i] == names[expected];
            }
            ck_assert_uint_eq(remembered(p, names, count), expected);
            ask_with(names, count);
            ck_assert_uint_eq(choose(p, n), 0);
            for (uint32_t i = count; i-- > 0;) {
                uint32_t at = 0;
                while (at < held && order[at] != names[i])
                    at++;
                held -= at < held;
                memmove(order + at, order + at + 1, (BLOCKS * 2 - at - 1) * sizeof *order);
                order[held++] = names[i];
                if (held > memory)
                    memmove(order, order + 1, --held * sizeof *order);
            }
        }
    }
}
END_TEST

START_TEST(the_choice_depends_on_the_request_alone_and_not_on_who_was_asked_before)
{
    const orr_policy *policies[] = {&orr_policy_random, &orr_policy_power_of_d, &orr_policy_join_shortest_queue, &orr_policy_nearest, &orr_policy_cost_first, &orr_policy_least_expected_latency};
    for (int p = 0; p < 6; p++) {
        uint32_t row[200];
        any_scene();
        start(policies[p]);
        for (uint32_t id = 0; id < 200; id++)
            row[id] = choose(policies[p], id);
        for (uint32_t id = 200; id-- > 0;)
            ck_assert_uint_eq(choose(policies[p], id), row[id]);
    }
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, every_policy_routes_to_a_candidate_whatever_it_sees);
    tcase_add_test(promises, names_are_distinct_and_options_are_sound);
    tcase_add_test(promises, join_shortest_queue_takes_the_least_per_slot);
    tcase_add_test(promises, power_of_all_is_join_shortest_queue);
    tcase_add_test(promises, ties_are_broken_uniformly);
    tcase_add_test(promises, ties_between_pools_of_different_size_are_broken_uniformly);
    tcase_add_test(promises, power_of_d_takes_the_best_of_d_different_ones);
    tcase_add_test(promises, a_fraction_of_a_choice_is_cut_off);
    tcase_add_test(promises, weighted_round_robin_is_exact_over_every_cycle_and_even_within);
    tcase_add_test(promises, nearest_passes_over_full_pools_and_returns_to_the_nearest_when_all_are_full);
    tcase_add_test(promises, cost_first_takes_the_cheapest_that_meets_the_slo);
    tcase_add_test(promises, the_price_is_that_of_the_prompt_and_of_the_expected_answer);
    tcase_add_test(promises, least_expected_latency_weighs_the_way_against_the_wait);
    tcase_add_test(promises, random_sees_nothing_and_draws_in_proportion_to_slots);
    tcase_add_test(promises, prefix_aware_weighs_the_load_against_the_prompt_that_the_cache_spares);
    tcase_add_test(promises, prefix_aware_remembers_the_latest_parts_as_many_as_it_is_told);
    tcase_add_test(promises, the_choice_depends_on_the_request_alone_and_not_on_who_was_asked_before);
    return run_as_tap("policies", promises);
}
