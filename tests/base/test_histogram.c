/* The promises of histogram.h, one test each. */
#include "base/histogram.h"

#include "base/random.h"
#include "support/failing_malloc.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static orr_histogram a, b, whole;
static orr_shelf     shelf, other_shelf;

static void open_shelves(void)
{
    orr_shelf_init(&shelf);
    orr_shelf_init(&other_shelf);
    a = b = whole = (orr_histogram){0};
}

static void close_shelves(void)
{
    orr_array_clear(&shelf.chunks);
    orr_array_clear(&other_shelf.chunks);
}

static uint64_t draw(uint32_t counter, uint64_t below) { return orr_random_below(orr_random_bits(1, ORR_STREAM_TEST, 8, counter, 0).low, below); }

/* All buckets are there if each holds a value. */
static void fill_every_power(void)
{
    for (int bit = 0; bit < 63; bit++)
        for (int64_t k = 0; k < 256; k++)
            ck_assert(orr_histogram_record(&a, &shelf, (INT64_C(1) << bit) + (bit >= 8 ? k << (bit - 8) : k & ((INT64_C(1) << bit) - 1))));
}

START_TEST(buckets_cover_every_value_without_overlap_and_are_narrow)
{
    uint32_t at = 0, count, buckets = 0;
    int64_t lower, expected = 1;
    fill_every_power();
    while (orr_histogram_next(&a, &shelf, &at, &lower, &count)) {
        int64_t upper = orr_histogram_upper(lower);
        ck_assert_int_eq(lower, expected);
        ck_assert_int_gt(upper, lower);
        ck_assert_msg(upper - lower == 1 || (double)(upper - lower) <= (double)lower / 128 * (1 + 1e-15), "[%ld, %ld) is too wide", (long)lower, (long)upper);
        expected = upper;
        buckets++;
    }
    ck_assert_int_eq(expected, INT64_MAX); /* the last one ends there */
    ck_assert_uint_eq(buckets, 127 + 56 * 128);
    ck_assert(!orr_histogram_next(&a, &shelf, &at, &lower, &count));
}
END_TEST

START_TEST(quantiles_are_within_four_tenths_of_a_percent)
{
    enum { N = 10007 };
    static int64_t value[N];
    for (int k = 0; k < N; k++) { /* 1 ns to 10^12 ns, already in order */
        value[k] = (int64_t)pow(10, 12.0 * k / N);
        ck_assert(orr_histogram_record(&a, &shelf, value[k]));
    }
    for (int p = 1; p <= 99; p++) {
        int64_t truth = value[(int)ceil(p / 100.0 * N) - 1], got = orr_histogram_quantile(&a, &shelf, p / 100.0);
        ck_assert_msg(fabs((double)(got - truth)) <= 0.004 * (double)truth + 0.5, "p%d: %ld for %ld", p, (long)got, (long)truth);
    }
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 1), value[N - 1]);
}
END_TEST

START_TEST(small_values_are_exact)
{
    for (int64_t v = 0; v < 128; v++)
        ck_assert(orr_histogram_record(&a, &shelf, v));
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 0), 0);
    for (int p = 1; p <= 128; p++)
        ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, p / 128.0), p - 1);
    ck_assert_double_eq(orr_histogram_mean(&a), 63.5);
}
END_TEST

static void check_equal(const orr_histogram *x, const orr_shelf *xs, const orr_histogram *y, const orr_shelf *ys)
{
    uint32_t i = 0, j = 0, m = 0, n = 0;
    int64_t u = 0, v = 0;
    ck_assert(x->count == y->count && x->sum == y->sum && x->largest == y->largest);
    for (bool more = true; more;) {
        more = orr_histogram_next(x, xs, &i, &u, &m);
        ck_assert(orr_histogram_next(y, ys, &j, &v, &n) == more);
        ck_assert(!more || (u == v && m == n));
    }
}

START_TEST(merging_parts_equals_recording_the_whole_in_any_order)
{
    for (uint32_t k = 0; k < 20000; k++) {
        int64_t v = (int64_t)(draw(k, INT64_MAX) >> draw(100000 + k, 63));
        ck_assert(orr_histogram_record(k % 3 ? &a : &b, k % 3 ? &shelf : &other_shelf, v));
    }
    for (uint32_t k = 20000; k-- > 0;) /* on the shelf of another, and backwards */
        ck_assert(orr_histogram_record(&whole, &other_shelf, (int64_t)(draw(k, INT64_MAX) >> draw(100000 + k, 63))));
    ck_assert(orr_histogram_merge(&a, &shelf, &b, &other_shelf));
    check_equal(&a, &shelf, &whole, &other_shelf);
    orr_histogram empty = {0};
    ck_assert(orr_histogram_merge(&a, &shelf, &empty, &other_shelf));
    ck_assert(orr_histogram_merge(&empty, &shelf, &a, &shelf));
    check_equal(&empty, &shelf, &whole, &other_shelf);
}
END_TEST

START_TEST(what_was_written_bucket_by_bucket_has_the_same_quantiles)
{
    uint32_t at = 0, count;
    int64_t lower;
    for (uint32_t k = 0; k < 5000; k++)
        ck_assert(orr_histogram_record(&a, &shelf, (int64_t)(draw(k, 1u << 30) >> draw(100000 + k, 30))));
    while (orr_histogram_next(&a, &shelf, &at, &lower, &count))
        ck_assert(orr_histogram_add(&b, &other_shelf, lower, count));
    ck_assert_uint_eq(b.count, a.count);
    for (int p = 0; p < 100; p++)
        ck_assert_int_eq(orr_histogram_quantile(&b, &other_shelf, p / 100.0), orr_histogram_quantile(&a, &shelf, p / 100.0));
    int64_t largest = orr_histogram_quantile(&b, &other_shelf, 1); /* all that is known of it: its bucket */
    ck_assert_int_ge(largest, a.largest);
    ck_assert_int_lt(largest, orr_histogram_upper(a.largest));
}
END_TEST

START_TEST(the_extremes_are_kept)
{
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 0.5), -1);
    ck_assert(isnan(orr_histogram_mean(&a)));
    for (int i = 0; i < 3; i++)
        ck_assert(orr_histogram_record(&a, &shelf, INT64_MAX));
    ck_assert(orr_histogram_record(&a, &shelf, 0));
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 1), INT64_MAX);
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 0), 0);
    ck_assert_double_eq_tol(orr_histogram_mean(&a), 0.75 * (double)INT64_MAX, 1);
    ck_assert(a.sum == (unsigned __int128)INT64_MAX * 3);
}
END_TEST

START_TEST(a_reset_one_is_empty_and_keeps_its_chunks)
{
    fill_every_power();
    ck_assert(orr_histogram_record(&b, &shelf, 5)); /* a neighbour on the shelf */
    uint32_t chunks = shelf.chunks.count;
    orr_histogram_reset(&a, &shelf);
    ck_assert(a.count == 0 && a.sum == 0 && isnan(orr_histogram_mean(&a)));
    ck_assert_int_eq(orr_histogram_quantile(&a, &shelf, 0.5), -1);
    uint32_t at = 0, count;
    int64_t lower;
    ck_assert(!orr_histogram_next(&a, &shelf, &at, &lower, &count));
    fill_every_power();
    ck_assert_uint_eq(shelf.chunks.count, chunks);
    ck_assert_int_eq(orr_histogram_quantile(&b, &shelf, 0.5), 5);
}
END_TEST

START_TEST(memory_is_taken_only_for_powers_in_use)
{
    for (int64_t v = 1000; v < 4000; v++)
        ck_assert(orr_histogram_record(&a, &shelf, v));
    ck_assert_uint_le(shelf.chunks.count, 3);
    ck_assert_uint_eq(shelf.chunks.item_size, 512);
}
END_TEST

START_TEST(without_memory_nothing_is_recorded)
{
    ck_assert(orr_histogram_record(&a, &shelf, 1));
    orr_histogram before = a;
    while (shelf.chunks.count < shelf.chunks.capacity)
        orr_array_extend(&shelf.chunks, 1);
    failing_malloc_arm(1);
    bool recorded = orr_histogram_record(&a, &shelf, 1000000);
    ck_assert(failing_malloc_fired() && !recorded);
    ck_assert_mem_eq(&a, &before, sizeof a);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_checked_fixture(promises, open_shelves, close_shelves);
    tcase_add_test(promises, buckets_cover_every_value_without_overlap_and_are_narrow);
    tcase_add_test(promises, quantiles_are_within_four_tenths_of_a_percent);
    tcase_add_test(promises, small_values_are_exact);
    tcase_add_test(promises, merging_parts_equals_recording_the_whole_in_any_order);
    tcase_add_test(promises, what_was_written_bucket_by_bucket_has_the_same_quantiles);
    tcase_add_test(promises, the_extremes_are_kept);
    tcase_add_test(promises, a_reset_one_is_empty_and_keeps_its_chunks);
    tcase_add_test(promises, memory_is_taken_only_for_powers_in_use);
    tcase_add_test(promises, without_memory_nothing_is_recorded);
    return run_as_tap("histogram", promises);
}
