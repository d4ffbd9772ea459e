/*
 * The promises of random.h, one test each. Statistical tests have fixed seeds; each bound is the 99.99 % quantile of its statistic, so
 * that all of them together leave the 99 % to truth.
 */
#include "base/random.h"

#include "support/tap.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 100000, CELLS = 256 };

/* Random123's own known answers for philox4x32-10 (its file kat_vectors): zeros, ones, digits of pi. */
START_TEST(the_bits_are_those_of_philox4x32_10)
{
    orr_bits zeros = orr_random_bits(0, (orr_stream)0, 0, 0, 0);
    ck_assert_uint_eq(zeros.low, UINT64_C(0xe169c58d6627e8d5));
    ck_assert_uint_eq(zeros.high, UINT64_C(0x9b00dbd8bc57ac4c));
    orr_bits ones = orr_random_bits(UINT64_MAX, (orr_stream)0xff, UINT64_MAX, UINT32_MAX, 0xffffff);
    ck_assert_uint_eq(ones.low, UINT64_C(0x41c83b0e408f276d));
    ck_assert_uint_eq(ones.high, UINT64_C(0x6d5451fda20bc7c6));
    orr_bits pi = orr_random_bits(UINT64_C(0x299f31d0a4093822), (orr_stream)0x24, UINT64_C(0x0370734413198a2e), 0x85a308d3, 0x3f6a88);
    ck_assert_uint_eq(pi.low, UINT64_C(0x94fdccebd16cfe09));
    ck_assert_uint_eq(pi.high, UINT64_C(0x24126ea15001e420));
}
END_TEST

/* Address number k of a set in which each part varies alone. */
static orr_bits at(uint32_t k)
{
    uint32_t v = k / 5;
    uint64_t wide = v < 60 ? UINT64_C(1) << v : 2 * v + 1; /* every bit of a part counts */
    switch (k % 5) {
    case 0: return orr_random_bits(wide, ORR_STREAM_TEST, 0, 0, 0);
    case 1: return orr_random_bits(0, (orr_stream)(100 + v % 100), v / 100 + 1000, 0, 0);
    case 2: return orr_random_bits(0, ORR_STREAM_TEST, wide, 0, 0);
    case 3: return orr_random_bits(0, ORR_STREAM_TEST, 0, v < 32 ? 1u << v : 2 * v + 1, 0);
    default: return orr_random_bits(0, ORR_STREAM_TEST, 0, 0, v < 24 ? 1u << v : 2 * v + 1);
    }
}

static int by_value(const void *a, const void *b) { return memcmp(a, b, sizeof(orr_bits)); }

START_TEST(the_same_address_gives_the_same_bits_and_another_address_others)
{
    enum { N = 20000 };
    static orr_bits seen[N];
    for (uint32_t k = 0; k < N; k++)
        seen[k] = at(k);
    for (uint32_t k = N; k-- > 0;) { /* in another order */
        orr_bits again = at(k);
        ck_assert(again.low == seen[k].low && again.high == seen[k].high);
    }
    qsort(seen, N, sizeof seen[0], by_value);
    for (uint32_t k = 1; k < N; k++)
        ck_assert(by_value(&seen[k - 1], &seen[k]) != 0);
}
END_TEST

static void check_chi_square(const uint32_t *cell, uint32_t cells, uint32_t draws, const char *what)
{
    double expected = (double)draws / cells, sum = 0;
    for (uint32_t i = 0; i < cells; i++)
        sum += (cell[i] - expected) * (cell[i] - expected) / expected;
    ck_assert_msg(sum < gsl_cdf_chisq_Pinv(0.9999, cells - 1) && sum > gsl_cdf_chisq_Pinv(0.0001, cells - 1), "%s: chi-square %.1f with %u cells", what, sum, cells);
}

START_TEST(bits_are_uniform_along_every_part_of_the_address)
{
    static const char *const along[] = {"counter", "entity", "block", "seed"};
    for (int part = 0; part < 4; part++) {
        uint32_t low[CELLS] = {0}, high[CELLS] = {0}, pairs[CELLS] = {0}, before = 0;
        for (uint32_t k = 0; k < DRAWS; k++) {
            orr_bits b = orr_random_bits(part == 3 ? k : 1, ORR_STREAM_TEST, part == 1 ? k : 2, part == 0 ? k : 3, part == 2 ? k : 4);
            low[b.low & 255]++;
            high[b.high >> 56]++;
            pairs[(before << 4 | (b.low >> 60)) & 255]++; /* neighbours are independent */
            before = (uint32_t)(b.low >> 60);
        }
        check_chi_square(low, CELLS, DRAWS, along[part]);
        check_chi_square(high, CELLS, DRAWS, along[part]);
        check_chi_square(pairs, CELLS, DRAWS, along[part]);
    }
}
END_TEST

START_TEST(a_unit_draw_is_uniform_and_never_zero_or_one)
{
    ck_assert(orr_random_unit(0) > 0 && orr_random_unit(0) < 1e-15);
    ck_assert(orr_random_unit(UINT64_MAX) < 1 && orr_random_unit(UINT64_MAX) > 1 - 1e-15);
    ck_assert_double_eq(orr_random_unit(UINT64_C(1) << 63), 0.5 + 0x1p-53);
    uint32_t cell[CELLS] = {0};
    for (uint32_t k = 0; k < DRAWS; k++)
        cell[(int)(orr_random_unit(orr_random_bits(9, ORR_STREAM_TEST, 0, k, 0).low) * CELLS)]++;
    check_chi_square(cell, CELLS, DRAWS, "unit");
}
END_TEST

START_TEST(a_bounded_draw_is_uniform_below_its_bound)
{
    ck_assert_uint_eq(orr_random_below(0, 7), 0);
    ck_assert_uint_eq(orr_random_below(UINT64_MAX, 7), 6);
    ck_assert_uint_eq(orr_random_below(UINT64_MAX, 1), 0);
    ck_assert_uint_eq(orr_random_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    static const uint32_t bounds[] = {2, 3, 7, 100};
    for (int i = 0; i < 4; i++) {
        uint32_t cell[100] = {0};
        for (uint32_t k = 0; k < DRAWS; k++)
            cell[orr_random_below(orr_random_bits(10, ORR_STREAM_TEST, 0, k, 0).high, bounds[i])]++;
        check_chi_square(cell, bounds[i], DRAWS, "below");
    }
}
END_TEST

START_TEST(a_gsl_stream_reproduces_and_streams_do_not_disturb_each_other)
{
    orr_random x, y, z;
    gsl_rng rx, ry, rz;
    double expected[1000];
    orr_random_at(&x, 5, ORR_STREAM_LENGTHS, 77, 3);
    orr_random_gsl(&rx, &x);
    for (int i = 0; i < 1000; i++)
        expected[i] = i % 2 ? gsl_ran_gaussian(&rx, 1) : (double)gsl_ran_poisson(&rx, 20);
    orr_random_at(&y, 5, ORR_STREAM_LENGTHS, 77, 3);
    orr_random_at(&z, 5, ORR_STREAM_LENGTHS, 77, 4);
    orr_random_gsl(&ry, &y);
    orr_random_gsl(&rz, &z);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        double other = gsl_ran_gaussian(&rz, 1);
        double value = i % 2 ? gsl_ran_gaussian(&ry, 1) : (double)gsl_ran_poisson(&ry, 20);
        ck_assert_double_eq(value, expected[i]);
        same += other >= value && other <= value;
        if (i == 500) { /* a copy goes its own way */
            orr_random copy = y;
            gsl_rng rc;
            orr_random_gsl(&rc, &copy);
            gsl_rng_uniform(&rc);
        }
    }
    ck_assert_int_eq(same, 0);
}
END_TEST

START_TEST(a_gsl_stream_reads_the_blocks_of_its_address_in_order)
{
    orr_random x;
    gsl_rng r;
    orr_random_at(&x, 5, ORR_STREAM_LENGTHS, 77, 3);
    orr_random_gsl(&r, &x);
    for (uint32_t block = 0; block < 50; block++) {
        orr_bits b = orr_random_bits(5, ORR_STREAM_LENGTHS, 77, 3, block);
        const uint64_t words[] = {b.low & UINT32_MAX, b.low >> 32, b.high & UINT32_MAX, b.high >> 32};
        for (int i = 0; i < 4; i++)
            ck_assert_uint_eq(gsl_rng_get(&r), words[i]);
    }
    ck_assert_uint_eq(gsl_rng_max(&r), UINT32_MAX);
    ck_assert_uint_eq(gsl_rng_min(&r), 0);
    ck_assert_str_eq(gsl_rng_name(&r), "philox4x32-10");
    gsl_rng *owned = gsl_rng_alloc(orr_random_type); /* also as GSL's own */
    gsl_rng_set(owned, 12);
    unsigned long first = gsl_rng_get(owned);
    gsl_rng_get(owned);
    gsl_rng_set(owned, 12);
    ck_assert_uint_eq(gsl_rng_get(owned), first);
    gsl_rng_free(owned);
}
END_TEST

/* Moments of what is drawn through GSL: within 3.9 standard errors (99.99 %), which is below 1 % of the value. */
START_TEST(distributions_of_gsl_have_their_moments)
{
    orr_random x;
    gsl_rng r;
    double exponential = 0, gaussian = 0, square = 0, gamma = 0, uniform = 0;
    orr_random_at(&x, 6, ORR_STREAM_TEST, 1, 1);
    orr_random_gsl(&r, &x);
    for (int i = 0; i < DRAWS; i++) {
        double g = gsl_ran_gaussian(&r, 1), u = gsl_rng_uniform(&r);
        ck_assert(u >= 0 && u < 1);
        uniform += u;
        gaussian += g;
        square += g * g;
        exponential += gsl_ran_exponential(&r, 3);
        gamma += gsl_ran_gamma(&r, 0.5, 2);
    }
    double root = 3.9 / sqrt(DRAWS);
    ck_assert_double_eq_tol(uniform / DRAWS, 0.5, root * sqrt(1.0 / 12));
    ck_assert_double_eq_tol(gaussian / DRAWS, 0, root);
    ck_assert_double_eq_tol(square / DRAWS, 1, root * sqrt(2));
    ck_assert_double_eq_tol(exponential / DRAWS, 3, root * 3);
    ck_assert_double_eq_tol(gamma / DRAWS, 1, root * sqrt(2));
}
END_TEST

START_TEST(entities_are_stable_and_distinct)
{
    ck_assert_uint_eq(orr_entity(""), UINT64_C(0xef46db3751d8e999)); /* xxHash's published value of nothing */
    ck_assert_uint_eq(orr_entity("abc"), UINT64_C(0x44bc2cf5ad770999));
    ck_assert_uint_ne(orr_entity("site-1"), orr_entity("site-2"));
    ck_assert_uint_ne(orr_entity_part(1, 2), orr_entity_part(2, 1));
    ck_assert_uint_eq(orr_entity_part(1, 2), orr_entity_part(1, 2));
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, the_bits_are_those_of_philox4x32_10);
    tcase_add_test(promises, the_same_address_gives_the_same_bits_and_another_address_others);
    tcase_add_test(promises, bits_are_uniform_along_every_part_of_the_address);
    tcase_add_test(promises, a_unit_draw_is_uniform_and_never_zero_or_one);
    tcase_add_test(promises, a_bounded_draw_is_uniform_below_its_bound);
    tcase_add_test(promises, a_gsl_stream_reproduces_and_streams_do_not_disturb_each_other);
    tcase_add_test(promises, a_gsl_stream_reads_the_blocks_of_its_address_in_order);
    tcase_add_test(promises, distributions_of_gsl_have_their_moments);
    tcase_add_test(promises, entities_are_stable_and_distinct);
    return run_as_tap("random", promises);
}
