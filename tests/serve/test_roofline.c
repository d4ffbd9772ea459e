/*
 * The promises of roofline.h, on two pools whose coefficients are round by construction. The durations were computed from the
 * formula at the head of roofline.h with 40 digits (mpmath), in ns.
 */
#include "serve/roofline.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>

enum { DENSE, MIXTURE, FOUR_BIT, ALONE, POOLS, MOST = 64 };

static const int64_t TOKEN = INT64_C(1) << ORR_TOKEN_BITS;

static orr_accelerator accelerator = {
    .bandwidth_byte_s = 1e12, .bf16_flops = 100e12, .int8_ops = 200e12, .fp8_flops = 250e12, .link_byte_s = 1e11,
    .dense = {.compute_efficiency = 0.5, .bandwidth_efficiency = 0.8, .kv_efficiency = 0.5, .attention_efficiency = 0.25, .link_efficiency = 0.5,
              .base_s = 1e-3, .layer_s = 1e-6, .sequence_s = 2e-6, .all_reduce_s = 5e-6},
    .moe = {.compute_efficiency = 0.4, .bandwidth_efficiency = 0.5, .kv_efficiency = 0.8, .attention_efficiency = 0.5, .link_efficiency = 0.25,
            .base_s = 0.5e-3, .layer_s = 2e-6, .sequence_s = 1e-6, .all_reduce_s = 10e-6},
};
static orr_model_info models[] = {
    {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .head_dim = 100, .kv_elements_per_token = 1000, .attention = ORR_ATTENTION_SHARDED},
    {.parameters = 10e9, .active_parameters = 4e9, .expert_parameters = 8e9, .layers = 20, .hidden = 2000, .heads = 20, .head_dim = 100, .experts = 8, .top_k = 2,
     .kv_elements_per_token = 500, .attention = ORR_ATTENTION_MLA},
};
static orr_service services[] = {{.model = 0}, {.model = 1}};
static orr_pool pools[POOLS] = {
    [DENSE] = {.service = 0, .group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [MIXTURE] = {.service = 1, .group = 4, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 1},
    [FOUR_BIT] = {.service = 0, .group = 2, .max_batch = 1, .weight_bytes = 0.5, .kv_bytes = 2},
    [ALONE] = {.service = 0, .group = 1, .max_batch = 1, .weight_bytes = 2, .kv_bytes = 2},
};
static const orr_world world = {.accelerators = &accelerator, .accelerator_count = 1, .models = models, .model_count = 2, .services = services, .service_count = 2, .pools = pools, .pool_count = POOLS};
static orr_roofline r[POOLS];

static void build(void)
{
    for (int i = 0; i < POOLS; i++)
        ck_assert(orr_roofline_build(&r[i], &world, &pools[i]));
}

static void destroy(void)
{
    for (int i = 0; i < POOLS; i++)
        orr_roofline_destroy(&r[i]);
}

START_TEST(constants_are_those_of_the_catalogue)
{
    const struct {
        double got, ns;
    } constants[] = {
        {r[DENSE].base_ns, 1010000}, {r[DENSE].sequence_ns, 2000}, {r[DENSE].compute_ns, 160000}, {r[DENSE].dense_ns, 1e7}, {r[DENSE].expert_ns, 0}, {r[DENSE].kv_ns, 2},
        {r[DENSE].attention_ns, 0.8}, {r[DENSE].reduce_ns, 1e5}, {r[DENSE].reduce_token_ns, 800},
        {r[MIXTURE].base_ns, 540000}, {r[MIXTURE].sequence_ns, 1000}, {r[MIXTURE].compute_ns, 20000}, {r[MIXTURE].dense_ns, 1e6}, {r[MIXTURE].expert_ns, 4e6},
        {r[MIXTURE].kv_ns, 0.625 /* one whole copy per accelerator */}, {r[MIXTURE].attention_ns, 0.8}, {r[MIXTURE].reduce_ns, 4e5}, {r[MIXTURE].reduce_token_ns, 9600},
        {r[FOUR_BIT].compute_ns, 160000 /* no faster than 16 bits */}, {r[FOUR_BIT].dense_ns, 2.5e6},
        {r[ALONE].compute_ns, 320000}, {r[ALONE].kv_ns, 4}, {r[ALONE].reduce_ns, 0}, {r[ALONE].reduce_token_ns, 0},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        ck_assert_msg(fabs(constants[i].got - constants[i].ns) <= 1e-12 * constants[i].ns, "constant %zu: %.17g, not %.17g", i, constants[i].got, constants[i].ns);
}
END_TEST

START_TEST(iterations_take_what_was_computed_by_hand)
{
    static const struct {
        int      pool;
        uint32_t decoding;
        int64_t  context;
        uint32_t prompts, prompt;
        double   pairs, quanta;
    } cases[] = {
        {DENSE, 1, 0, 0, 0, 0, 11401881540.07514},
        {DENSE, 4, 5000, 0, 0, 0, 11553770448.83842},
        {DENSE, 64, 1000000, 0, 0, 0, 20370692626.90607},
        {DENSE, 3, 100, 2, 500, 12345.5, 87132962485.21446},
        {DENSE, 0, 0, 1, 2048, 2048 * 1024, 341888073802.73353},
        {MIXTURE, 1, 0, 0, 0, 0, 3023732347.75049},
        {MIXTURE, 4, 5000, 0, 0, 0, 4845747317.08108},
        {MIXTURE, 64, 1000000, 0, 0, 0, 7949253676.43012},
        {MIXTURE, 3, 100, 2, 500, 12345.5, 18860305934.7738},
        {MIXTURE, 0, 0, 1, 2048, 2048 * 1024, 66322507574.03491},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = orr_roofline_iteration(&r[cases[i].pool], &(orr_load){.decoding = cases[i].decoding, .prompts = cases[i].prompts, .prompt_tokens = cases[i].prompt,
                                                                           .context = cases[i].context * TOKEN, .pairs = cases[i].pairs});
        ck_assert_msg(fabs((double)got - cases[i].quanta) <= 1, "case %zu: %ld, not %.3f", i, (long)got, cases[i].quanta); /* doubles have 16 digits, these have 11 */
    }
}
END_TEST

/* A decode iteration with contexts in 2^-16 tokens. */
static int64_t decode(const orr_roofline *f, uint32_t n, int64_t context, int64_t near) { return orr_roofline_iteration(f, &(orr_load){.decoding = n, .context = context, .near = near}); }

START_TEST(time_is_linear_in_the_sum_of_contexts_and_the_slope_is_its_step)
{
    for (int pool = DENSE; pool <= MIXTURE; pool++)
        for (uint32_t n = 1; n <= MOST; n++) {
            int64_t slope = orr_roofline_slope(&r[pool], n * TOKEN, 0), empty = decode(&r[pool], n, 0, 0);
            ck_assert_int_eq(slope, n * (pool == DENSE ? 2048 : 640));
            for (int64_t j = 0; j < 100000; j = 3 * j + 1)
                ck_assert_int_eq(decode(&r[pool], n, j * n * TOKEN, 0), empty + j * slope);
            orr_load mixed = {.decoding = n, .prompts = 1, .prompt_tokens = 9, .pairs = 5}, longer = mixed;
            longer.context = 77 * TOKEN;
            ck_assert_int_eq(orr_roofline_iteration(&r[pool], &longer) - orr_roofline_iteration(&r[pool], &mixed), 77 * (pool == DENSE ? 2048 : 640));
        }
}
END_TEST

START_TEST(layers_with_a_limit_have_terms_of_their_own)
{
    orr_roofline f = r[DENSE]; /* 2 ns per context token, 0.8 per pair */
    f.limit = 120;
    f.near_ns = 3;
    f.near_attention_ns = 0.5;
    int64_t empty = decode(&f, 2, 0, 0);
    ck_assert_int_eq(decode(&f, 2, 1000 * TOKEN, 240 * TOKEN) - empty, 1024 * (2 * 1000 + 3 * 240));
    ck_assert_int_eq(decode(&f, 2, TOKEN / 2, TOKEN / 2) - empty, 1024 + 1536); /* half a token */
    ck_assert_int_eq(orr_roofline_slope(&f, 3 * TOKEN / 2, TOKEN / 2), 3072 + 1536);
    ck_assert_int_eq(orr_roofline_slope(&f, TOKEN, 0), 2048);
    orr_load far = {.prompts = 1, .prompt_tokens = 50, .pairs = 6250}, near = far;
    near.near_pairs = 5800;
    ck_assert_int_le(llabs(orr_roofline_iteration(&f, &near) - orr_roofline_iteration(&f, &far) - 1024 * 2900), 1);
}
END_TEST

START_TEST(a_prompt_token_attends_to_those_before_it_and_half_to_itself_up_to_the_limit)
{
    static const struct {
        uint32_t limit;
        double   near_pairs;
    } cases[] = {{0, 0}, {50, 50 * 50}, {100, 50 * 100}, {120, 20 * 110 + 30 * 120}, {150, 6250}, {1000, 6250}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        orr_roofline f = {.limit = cases[i].limit};
        orr_load load = {0};
        orr_roofline_add_prompt(&f, &load, 100, 50); /* positions 100 to 149 */
        ck_assert_double_eq(load.pairs, 50 * 125);
        ck_assert_double_eq(load.near_pairs, cases[i].near_pairs);
        ck_assert(load.prompts == 1 && load.prompt_tokens == 50);
        orr_roofline_add_prompt(&f, &load, 77, 0); /* one that has to wait is not there */
        ck_assert(load.prompts == 1 && load.prompt_tokens == 50 && load.pairs == 50 * 125);
        orr_load chunks = {0};
        orr_roofline_add_prompt(&f, &chunks, 100, 13);
        orr_roofline_add_prompt(&f, &chunks, 113, 37);
        ck_assert(chunks.prompts == 2 && chunks.pairs == load.pairs && chunks.near_pairs == load.near_pairs);
    }
}
END_TEST

START_TEST(the_table_of_decode_iterations_is_the_formula)
{
    for (int pool = DENSE; pool <= MIXTURE; pool++) {
        const orr_roofline *f = &r[pool];
        for (uint32_t n = 0; n <= MOST; n++) {
            long double touched = pool == DENSE ? 0 : 1 - powl(0.75L, n), c = (long double)f->compute_ns * n, w = f->dense_ns + f->expert_ns * touched;
            long double ns = f->base_ns + f->sequence_ns * n + powl(powl(c, 1.4L) + powl(w, 1.4L), 1 / 1.4L) + f->reduce_ns + f->reduce_token_ns * n;
            ck_assert_msg(fabsl((long double)f->decode[n] - 1024 * ns) <= 1, "pool %d, %u sequences: %ld, not %.3Lf", pool, n, (long)f->decode[n], 1024 * ns);
            ck_assert_int_eq(decode(f, n, 0, 0), f->decode[n]);
        }
    }
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_checked_fixture(promises, build, destroy);
    tcase_add_test(promises, constants_are_those_of_the_catalogue);
    tcase_add_test(promises, iterations_take_what_was_computed_by_hand);
    tcase_add_test(promises, time_is_linear_in_the_sum_of_contexts_and_the_slope_is_its_step);
    tcase_add_test(promises, layers_with_a_limit_have_terms_of_their_own);
    tcase_add_test(promises, a_prompt_token_attends_to_those_before_it_and_half_to_itself_up_to_the_limit);
    tcase_add_test(promises, the_table_of_decode_iterations_is_the_formula);
    return run_as_tap("roofline", promises);
}
