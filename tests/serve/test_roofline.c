/*
 * The promises of roofline.h, on pools whose coefficients are round by construction. The durations were computed from the
 * formula at the head of roofline.h with 40 digits (mpmath), in 2^-10 ns; those of real hardware by the program with which its coefficients were fitted.
 */
#include "serve/roofline.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>

enum { DENSE, MIXTURE, EIGHT, FOUR, FOUR_ON_EIGHT, WIDENED, ALONE, PARALLEL, FEW_HEADS, TWO_COPIES, EAGER, DRAFTS, SEEN, IMAGES, WINDOW, POOLS, MOST = 64 };
enum { FOUR_BITS, EIGHT_BITS, H100, B200 };             /* accelerators: what their multipliers can do at best */
enum { ROUND, ROUND_MOE, SLOW_LAUNCH, FITTED };         /* calibrations */
enum { PLAIN, EXPERTS, SEES, DRAWS, LOOKS_NEAR, THREE_HEADS, LLAMA, QWEN }; /* models, and services */

static const int64_t TOKEN = INT64_C(1) << ORR_TOKEN_BITS;

static orr_accelerator accelerators[] = {
    [FOUR_BITS] = {.bandwidth_byte_s = 1e12, .bf16_flops = 100e12, .int8_ops = 200e12, .fp8_flops = 250e12, .fp4_flops = 500e12, .link_byte_s = 1e11},
    [EIGHT_BITS] = {.bandwidth_byte_s = 1e12, .bf16_flops = 100e12, .int8_ops = 200e12, .fp8_flops = 200e12, .link_byte_s = 1e11},
    [H100] = {.bandwidth_byte_s = 3350e9, .bf16_flops = 989e12, .int8_ops = 1978e12, .fp8_flops = 1978e12, .link_byte_s = 450e9},
    [B200] = {.bandwidth_byte_s = 7700e9, .bf16_flops = 2250e12, .int8_ops = 4500e12, .fp8_flops = 4500e12, .fp4_flops = 9000e12, .link_byte_s = 900e9},
};
static orr_calibration calibrations[] = {
    [ROUND].coefficients = {.compute_efficiency = 0.5, .bandwidth_efficiency = 0.8, .kv_efficiency = 0.5, .attention_efficiency = 0.25, .link_efficiency = 0.5, .wide_share = 0.25,
                            .base_s = 1e-3, .layer_s = 1e-6, .sequence_s = 2e-6, .all_reduce_s = 5e-6, .ring_s = 20e-6},
    [ROUND_MOE].coefficients = {.compute_efficiency = 0.4, .bandwidth_efficiency = 0.5, .kv_efficiency = 0.8, .attention_efficiency = 0.5, .link_efficiency = 0.25, .wide_share = 0.5,
                                .base_s = 0.5e-3, .layer_s = 2e-6, .sequence_s = 1e-6, .all_reduce_s = 10e-6, .ring_s = 30e-6},
    [SLOW_LAUNCH].coefficients = {.compute_efficiency = 0.5, .bandwidth_efficiency = 0.8, .kv_efficiency = 0.5, .attention_efficiency = 0.25, .link_efficiency = 0.5, .wide_share = 0.25,
                                  .base_s = 1e-3, .layer_s = 1e-6, .sequence_s = 2e-6, .all_reduce_s = 5e-6, .ring_s = 20e-6, .launch_s = 2e-3, .prompt_launch_s = 3e-3},
    [FITTED].coefficients = {.compute_efficiency = 0.95, .bandwidth_efficiency = 0.9079, .kv_efficiency = 0.95, .attention_efficiency = 0.95, .link_efficiency = 0.5499, .wide_share = 0.6368,
                             .base_s = 50e-6, .layer_s = 63.39e-6, .prompt_launch_s = 629.9e-6, .all_reduce_s = 1.017e-6, .ring_s = 15.68e-6}, /* "*", "*", "dense" */
};
static orr_model_info models[] = {
    [PLAIN] = {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .kv_heads = 8, .head_dim = 100, .read_elements_per_token = 1000, .full_layers = 10},
    [EXPERTS] = {.parameters = 10e9, .active_parameters = 4e9, .expert_parameters = 8e9, .layers = 20, .hidden = 2000, .heads = 20, .kv_heads = 20, .head_dim = 100, .experts = 8, .top_k = 2,
                 .read_elements_per_token = 500, .full_layers = 20, .attention = ORR_ATTENTION_MLA},
    [SEES] = {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .kv_heads = 8, .head_dim = 100, .read_elements_per_token = 1000, .full_layers = 10,
              .vision_parameters = 4e8, .image_patches = 4},
    [DRAWS] = {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .kv_heads = 8, .head_dim = 100, .read_elements_per_token = 1000, .full_layers = 10, .step_tokens = 1000},
    [LOOKS_NEAR] = {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .kv_heads = 8, .head_dim = 100, .read_elements_per_token = 400,
                    .near_elements_per_token = 600, .near_limit = 120, .full_layers = 4, .near_layers = 6},
    [THREE_HEADS] = {.parameters = 8e9, .active_parameters = 8e9, .layers = 10, .hidden = 1000, .heads = 10, .kv_heads = 3, .head_dim = 100, .read_elements_per_token = 1000, .full_layers = 10},
    [LLAMA] = {.parameters = 70.55e9, .active_parameters = 69.5e9, .layers = 80, .hidden = 8192, .heads = 64, .kv_heads = 8, .head_dim = 128, .read_elements_per_token = 163840, .full_layers = 80},
    [QWEN] = {.parameters = 32.76e9, .active_parameters = 31.98e9, .layers = 64, .hidden = 5120, .heads = 64, .kv_heads = 8, .head_dim = 128, .read_elements_per_token = 131072, .full_layers = 64},
};
static orr_service services[] = {{.model = PLAIN}, {.model = EXPERTS}, {.model = SEES}, {.model = DRAWS}, {.model = LOOKS_NEAR}, {.model = THREE_HEADS}, {.model = LLAMA}, {.model = QWEN}};
static orr_pool pools[POOLS] = {
    [DENSE] = {.group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [MIXTURE] = {.service = EXPERTS, .calibration = ROUND_MOE, .group = 4, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 1, .narrow = ORR_NARROW_FP8},
    [EIGHT] = {.group = 2, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 1, .narrow = ORR_NARROW_FP8},
    [FOUR] = {.group = 2, .max_batch = MOST, .weight_bytes = 0.5625, .kv_bytes = 1, .narrow = ORR_NARROW_FP4},
    [FOUR_ON_EIGHT] = {.accelerator = EIGHT_BITS, .group = 2, .max_batch = MOST, .weight_bytes = 0.5625, .kv_bytes = 1, .narrow = ORR_NARROW_FP4},
    [WIDENED] = {.group = 2, .max_batch = MOST, .weight_bytes = 0.5, .kv_bytes = 2},
    [ALONE] = {.group = 1, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [PARALLEL] = {.group = 8, .data_parallel = 4, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 2, .narrow = ORR_NARROW_FP8},
    [FEW_HEADS] = {.service = THREE_HEADS, .group = 8, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 2, .narrow = ORR_NARROW_FP8},
    [TWO_COPIES] = {.service = EXPERTS, .calibration = ROUND_MOE, .group = 4, .data_parallel = 2, .max_batch = MOST, .weight_bytes = 1, .kv_bytes = 1, .narrow = ORR_NARROW_FP8},
    [EAGER] = {.calibration = SLOW_LAUNCH, .group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [DRAFTS] = {.group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2, .drafts = 3, .draft_cost = 0.05},
    [SEEN] = {.service = SEES, .group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [IMAGES] = {.service = DRAWS, .group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
    [WINDOW] = {.service = LOOKS_NEAR, .group = 2, .max_batch = MOST, .weight_bytes = 2, .kv_bytes = 2},
};
static const orr_world world = {.accelerators = accelerators, .accelerator_count = 4, .calibrations = calibrations, .calibration_count = 4, .models = models, .model_count = 8, .services = services, .service_count = 8, .pools = pools, .pool_count = POOLS};
static orr_roofline r[POOLS];

static void build(void)
{
    for (int i = 0; i < POOLS; i++) {
        pools[i].data_parallel += pools[i].data_parallel == 0;
        ck_assert(orr_roofline_build(&r[i], &world, &pools[i]));
    }
}

static void destroy(void)
{
    for (int i = 0; i < POOLS; i++)
        orr_roofline_destroy(&r[i]);
}

START_TEST(constants_are_those_of_the_catalogues)
{
    const struct {
        double got, ns;
    } constants[] = {
        {r[DENSE].base_ns, 1010000}, {r[DENSE].sequence_ns, 2000}, {r[DENSE].compute_ns, 180000 /* a quarter more than half of peak alone */}, {r[DENSE].dense_ns, 1e7}, {r[DENSE].expert_ns, 0},
        {r[DENSE].kv_ns, 2}, {r[DENSE].attention_ns, 0.8}, {r[DENSE].near_attention_ns, 0}, {r[DENSE].reduce_ns, 1e5}, {r[DENSE].reduce_token_ns, 800}, {r[DENSE].ring_ns, 5e5}, {r[DENSE].ring_token_ns, 800},
        {r[DENSE].launch_ns, 0}, {r[DENSE].prompt_launch_ns, 0}, {r[DENSE].vision_ns, 0}, {r[DENSE].step_ns, 0}, {1 + r[DENSE].further_tokens, 1}, {1 + r[DENSE].draft_share, 1},
        {r[MIXTURE].base_ns, 540000}, {r[MIXTURE].sequence_ns, 1000}, {r[MIXTURE].compute_ns, 30000 /* 20 at 8 bits, 10 at 16 */}, {r[MIXTURE].dense_ns, 1e6}, {r[MIXTURE].expert_ns, 4e6},
        {r[MIXTURE].kv_ns, 0.625 /* one whole copy per accelerator */}, {r[MIXTURE].attention_ns, 0.8}, {r[MIXTURE].reduce_ns, 4e5}, {r[MIXTURE].reduce_token_ns, 19200}, {r[MIXTURE].ring_ns, 1.6e6},
        {r[MIXTURE].ring_token_ns, 9600 /* beyond 125 tokens a ring is faster */},
        {r[EIGHT].compute_ns, 84000 /* 64 at 8 bits, 20 at 16 */}, {r[EIGHT].dense_ns, 5e6}, {r[FOUR].compute_ns, 52000}, {r[FOUR].dense_ns, 2.8125e6}, {r[FOUR_ON_EIGHT].compute_ns, 100000},
        {r[WIDENED].compute_ns, 180000 /* no faster than 16 bits */}, {r[WIDENED].dense_ns, 2.5e6},
        {r[ALONE].compute_ns, 360000}, {r[ALONE].kv_ns, 4}, {r[ALONE].reduce_ns, 0}, {r[ALONE].reduce_token_ns, 0}, {r[ALONE].ring_ns, 0}, {r[ALONE].ring_token_ns, 0},
        {r[PARALLEL].dense_ns, 5e6 /* four copies, each on two */}, {r[PARALLEL].kv_ns, 0.5}, {r[FEW_HEADS].kv_ns, 4.0 / 3 /* three heads, three shards */}, {r[TWO_COPIES].kv_ns, 0.3125},
        {r[TWO_COPIES].dense_ns, 2e6}, {r[TWO_COPIES].expert_ns, 4e6}, {r[EAGER].launch_ns, 2e7}, {r[EAGER].prompt_launch_ns, 3e7}, {1 + r[DRAFTS].further_tokens, 4}, {1 + r[DRAFTS].draft_share, 1.15},
        {r[SEEN].vision_ns, 64000 /* on one accelerator */}, {1 + r[IMAGES].further_tokens, 1000}, {r[IMAGES].step_ns, 8e5}, {r[WINDOW].kv_ns, 0.8}, {r[WINDOW].near_ns, 1.2}, {r[WINDOW].attention_ns, 0.32},
        {r[WINDOW].near_attention_ns, 0.48},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        ck_assert_msg(fabs(constants[i].got - constants[i].ns) <= 1e-12 * constants[i].ns, "constant %zu: %.17g, not %.17g", i, constants[i].got, constants[i].ns);
    ck_assert(r[WINDOW].limit == 120 && r[DENSE].limit == 0);
}
END_TEST

START_TEST(iterations_take_what_was_computed_by_hand)
{
    static const struct {
        int      pool;
        orr_load load;
        double   quanta;
    } cases[] = {
        {DENSE, {.decoding = 1}, 11405890542.118652},
        {DENSE, {.decoding = 4, .context = 5000 * TOKEN}, 11581534618.6773988},
        {DENSE, {.decoding = 64, .context = 1000000 * TOKEN}, 21463485158.3247449},
        {DENSE, {.decoding = 3, .context = 100 * TOKEN, .prompts = 2, .prompt_tokens = 500, .pairs = 12345.5}, 97292741778.7339344},
        {DENSE, {.prompts = 1, .prompt_tokens = 2048, .pairs = 2097152}, 383748127980.032372},
        {MIXTURE, {.decoding = 1}, 3035333228.30555637},
        {MIXTURE, {.decoding = 4, .context = 5000 * TOKEN}, 4894662577.59356087},
        {MIXTURE, {.decoding = 64, .context = 1000000 * TOKEN}, 8971716864.75333312},
        {MIXTURE, {.decoding = 3, .context = 100 * TOKEN, .prompts = 2, .prompt_tokens = 500, .pairs = 12345.5}, 24888809798.381118},
        {MIXTURE, {.prompts = 1, .prompt_tokens = 2048, .pairs = 2097152}, 88292702530.0531581},
        {EIGHT, {.decoding = 64, .context = 1000 * TOKEN}, 10039536878.3126544},
        {FOUR, {.decoding = 64, .context = 1000 * TOKEN}, 6486601253.03087475},
        {FOUR_ON_EIGHT, {.decoding = 64, .context = 1000 * TOKEN}, 9296146733.5234519},
        {WIDENED, {.decoding = 64, .context = 1000 * TOKEN}, 14095206149.0100028},
        {ALONE, {.decoding = 64, .context = 1000 * TOKEN}, 37360096716.6494897},
        {PARALLEL, {.decoding = 64, .context = 100000 * TOKEN}, 7060192679.90341945},
        {PARALLEL, {.prompts = 1, .prompt_tokens = 300, .pairs = 45000}, 10911068240.6753057},
        {FEW_HEADS, {.decoding = 64, .context = 100000 * TOKEN}, 3950839952.91149693},
        {TWO_COPIES, {.decoding = 64, .context = 100000 * TOKEN}, 8385174142.53104039},
        {EAGER, {.decoding = 1, .context = 5000 * TOKEN}, 20490240000.0},
        {EAGER, {.decoding = 64, .context = 5000 * TOKEN}, 20490240000.0},
        {EAGER, {.decoding = 1, .context = 5000 * TOKEN, .prompts = 1, .prompt_tokens = 1}, 30730240000.0},
        {EAGER, {.decoding = 1, .context = 5000 * TOKEN, .prompts = 1, .prompt_tokens = 800, .pairs = 320000}, 152216550921.518766},
        {DRAFTS, {.decoding = 5, .context = 700 * TOKEN}, 15064933444.9618179},
        {DRAFTS, {.decoding = 5, .context = 700 * TOKEN, .prompts = 1, .prompt_tokens = 64, .pairs = 2048}, 25872075404.5918019},
        {DRAFTS, {.prompts = 1, .prompt_tokens = 64, .pairs = 2048}, 19288138879.9247449},
        {SEEN, {.decoding = 2, .context = 90 * TOKEN, .prompts = 1, .prompt_tokens = 400, .pairs = 80000, .image_tokens = 256}, 95696952847.5748164},
        {IMAGES, {.decoding = 3, .context = 40 * TOKEN}, 560500521674.058139},
        {IMAGES, {.decoding = 3, .context = 40 * TOKEN, .prompts = 1, .prompt_tokens = 20, .pairs = 200}, 564201589974.024659},
        {WINDOW, {.decoding = 2, .context = 1000 * TOKEN, .near = 240 * TOKEN}, 11453056032.9582374},
        {WINDOW, {.decoding = 2, .context = 1000 * TOKEN, .near = 240 * TOKEN, .prompts = 1, .prompt_tokens = 50, .pairs = 6250, .near_pairs = 5800}, 17457803074.7983479},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = orr_roofline_iteration(&r[cases[i].pool], &cases[i].load);
        ck_assert_msg(fabs((double)got - cases[i].quanta) <= 1, "case %zu: %ld, not %.3f", i, (long)got, cases[i].quanta); /* doubles have 16 digits, these have 12 */
    }
}
END_TEST

/* Ampere, say: 8-bit integers are multiplied as such, floats of 8 and 4 bits only stored so. */
START_TEST(narrow_floats_that_a_card_cannot_multiply_are_widened)
{
    static const orr_narrow narrow[] = {ORR_NARROW_NOT, ORR_NARROW_INT8, ORR_NARROW_FP8, ORR_NARROW_FP4};
    double compute_ns[4];
    orr_accelerator kept = accelerators[EIGHT_BITS];
    accelerators[EIGHT_BITS].fp8_flops = 0;
    for (int i = 0; i < 4; i++) {
        orr_pool pool = pools[EIGHT];
        orr_roofline f;
        pool.accelerator = EIGHT_BITS;
        pool.narrow = narrow[i];
        ck_assert(orr_roofline_build(&f, &world, &pool));
        compute_ns[i] = f.compute_ns;
        orr_roofline_destroy(&f);
    }
    accelerators[EIGHT_BITS] = kept;
    ck_assert(compute_ns[2] == compute_ns[0] && compute_ns[3] == compute_ns[0]);
    ck_assert_double_lt(compute_ns[1], 0.8 * compute_ns[0]);
}
END_TEST

/* Real hardware: what an implementation of its own gives, with which the coefficients were fitted; the catalogue has them to four digits. (It has no floor with attention under it: there is one such time here, 80 layers x 0.6299 ms.) */
START_TEST(another_implementation_gives_the_same_times)
{
    enum { LOADS = 5, CONFIGURATIONS = 4 };
    static const orr_load loads[LOADS] = {
        {.decoding = 1, .context = 1000 * TOKEN}, {.decoding = 16, .context = 22000 * TOKEN}, {.decoding = 64, .context = 96000 * TOKEN},
        {.prompts = 1, .prompt_tokens = 1024, .pairs = 524288}, {.decoding = 16, .context = 22000 * TOKEN, .prompts = 8, .prompt_tokens = 8176, .pairs = 8 * 1022 * 511},
    };
    static const orr_pool configurations[CONFIGURATIONS] = {
        {.accelerator = H100, .service = LLAMA, .group = 4, .weight_bytes = 1, .kv_bytes = 2, .narrow = ORR_NARROW_FP8}, {.accelerator = B200, .service = LLAMA, .group = 2, .weight_bytes = 0.5625, .kv_bytes = 1, .narrow = ORR_NARROW_FP4},
        {.accelerator = H100, .service = QWEN, .group = 4, .weight_bytes = 2, .kv_bytes = 2}, {.accelerator = H100, .service = QWEN, .group = 2, .weight_bytes = 1, .kv_bytes = 1, .narrow = ORR_NARROW_FP8},
    };
    static const double ms[CONFIGURATIONS][LOADS] = {{11.1443, 12.3513, 16.8901, 68.1325, 476.9841}, {8.1416, 8.6030, 10.5256, 50.3920 /* launching its kernels */, 279.5657},
                                                     {9.6614, 10.4437, 13.3909, 44.6060, 298.7445}, {9.6521, 10.3380, 13.1331, 50.4865, 361.5429}};
    for (int c = 0; c < CONFIGURATIONS; c++) {
        orr_pool pool = configurations[c];
        orr_roofline f;
        pool.calibration = FITTED;
        pool.max_batch = MOST;
        pool.data_parallel = 1;
        ck_assert(orr_roofline_build(&f, &world, &pool));
        for (int i = 0; i < LOADS; i++) {
            double got = (double)orr_roofline_iteration(&f, &loads[i]) / 1024e6;
            ck_assert_msg(fabs(got / ms[c][i] - 1) < 2e-4, "configuration %d, load %d: %.4f ms, not %.4f", c, i, got, ms[c][i]);
        }
        orr_roofline_destroy(&f);
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
            long double shot = f->reduce_ns + f->reduce_token_ns * n, ring = f->ring_ns + f->ring_token_ns * n;
            long double ns = f->base_ns + f->sequence_ns * n + powl(powl(c, 1.4L) + powl(w, 1.4L), 1 / 1.4L) + (shot < ring ? shot : ring);
            ck_assert_msg(fabsl((long double)f->decode[n] - 1024 * ns) <= 1, "pool %d, %u sequences: %ld, not %.3Lf", pool, n, (long)f->decode[n], 1024 * ns);
            ck_assert_int_eq(decode(f, n, 0, 0), f->decode[n]);
        }
    }
}
END_TEST

START_TEST(a_step_is_an_iteration_in_which_all_have_the_same_context)
{
    ck_assert_int_eq(orr_roofline_step(&r[WINDOW], 3, 100), decode(&r[WINDOW], 3, 300 * TOKEN, 300 * TOKEN));
    ck_assert_int_eq(orr_roofline_step(&r[WINDOW], 3, 500), decode(&r[WINDOW], 3, 1500 * TOKEN, 360 * TOKEN)); /* limit 120 */
    ck_assert_int_eq(orr_roofline_step(&r[DENSE], 3, 500), decode(&r[DENSE], 3, 1500 * TOKEN, 0));
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_checked_fixture(promises, build, destroy);
    tcase_add_test(promises, constants_are_those_of_the_catalogues);
    tcase_add_test(promises, iterations_take_what_was_computed_by_hand);
    tcase_add_test(promises, narrow_floats_that_a_card_cannot_multiply_are_widened);
    tcase_add_test(promises, another_implementation_gives_the_same_times);
    tcase_add_test(promises, time_is_linear_in_the_sum_of_contexts_and_the_slope_is_its_step);
    tcase_add_test(promises, layers_with_a_limit_have_terms_of_their_own);
    tcase_add_test(promises, a_prompt_token_attends_to_those_before_it_and_half_to_itself_up_to_the_limit);
    tcase_add_test(promises, the_table_of_decode_iterations_is_the_formula);
    tcase_add_test(promises, a_step_is_an_iteration_in_which_all_have_the_same_context);
    return run_as_tap("roofline", promises);
}
