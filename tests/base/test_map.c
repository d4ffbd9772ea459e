/* The promises of map.h, one test each; against a plain table of all keys. */
#include "base/map.h"

#include "base/random.h"
#include "support/failing_malloc.h"

#include "support/tap.h"
#include <stdlib.h>

enum { KEYS = 3000 };

static orr_map map;

static void open_map(void) { orr_map_init(&map); }
static void close_map(void) { orr_array_clear(&map.places); }

static uint32_t below(uint32_t counter, uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(1, ORR_STREAM_TEST, 6, counter, 0).low, n); }

/* Keys of three kinds: small, all over 64 bits, and many with one home place (their products with the multiplier agree in the upper half). */
static uint64_t key(uint32_t i)
{
    const uint64_t inverse = UINT64_C(0xf1de83e19937733d); /* of 0x9e3779b97f4a7c15 modulo 2^64 */
    return i % 3 == 0 ? i : i % 3 == 1 ? orr_random_bits(1, ORR_STREAM_TEST, 7, i, 0).low : inverse * i;
}

START_TEST(it_answers_as_a_plain_table_would)
{
    static uint32_t table[KEYS];
    uint32_t present = 0;
    ck_assert_uint_eq(UINT64_C(0xf1de83e19937733d) * UINT64_C(0x9e3779b97f4a7c15), 1);
    for (uint32_t i = 0; i < KEYS; i++)
        table[i] = ORR_NONE;
    for (uint32_t step = 0; step < 60000; step++) {
        uint32_t i = below(3 * step, step < 30000 ? 60 : KEYS), value = below(3 * step + 1, 1000);
        if (below(3 * step + 2, 100) < (step / 6000 % 2 ? 35u : 60u)) { /* waxing and waning */
            ck_assert(orr_map_put(&map, key(i), value));
            present += table[i] == ORR_NONE;
            table[i] = value;
        } else {
            orr_map_remove(&map, key(i));
            present -= table[i] != ORR_NONE;
            table[i] = ORR_NONE;
        }
        uint32_t other = below(3 * step + 1, KEYS);
        if (orr_map_get(&map, key(i)) != table[i] || orr_map_get(&map, key(other)) != table[other] || map.count != present)
            ck_abort_msg("step %u: key %u or %u", step, i, other);
        if (step % 5000 == 0)
            for (uint32_t k = 0; k < KEYS; k++)
                ck_assert_uint_eq(orr_map_get(&map, key(k)), table[k]);
    }
    ck_assert_uint_gt(present, 500);
}
END_TEST

START_TEST(it_is_at_most_half_full_and_removal_leaves_no_marks)
{
    for (uint32_t round = 0; round < 200; round++) {
        for (uint32_t i = 0; i < 100; i++)
            ck_assert(orr_map_put(&map, key(i) + round * UINT64_C(1000003), i));
        for (uint32_t i = 0; i < 100; i++)
            orr_map_remove(&map, key(i) + round * UINT64_C(1000003));
    }
    ck_assert_uint_eq(map.count, 0);
    ck_assert_uint_eq(map.places.count, 256); /* twenty thousand keys came and went */
    for (uint32_t i = 0; i < map.places.count; i++)
        ck_assert_uint_eq(((orr_map_place *)orr_array_at(&map.places, i))->used, 0);
}
END_TEST

START_TEST(an_empty_map_has_nothing_and_owns_nothing)
{
    ck_assert_uint_eq(orr_map_get(&map, 0), ORR_NONE);
    orr_map_remove(&map, 0);
    ck_assert_ptr_null(map.places.items);
}
END_TEST

START_TEST(without_memory_a_put_fails_and_the_rest_stays)
{
    for (uint32_t i = 0; i < 8; i++)
        ck_assert(orr_map_put(&map, i, i));
    failing_malloc_arm(1);
    bool put = orr_map_put(&map, 8, 8);
    ck_assert(failing_malloc_fired() && !put);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_uint_eq(orr_map_get(&map, i), i);
    ck_assert_uint_eq(orr_map_get(&map, 8), ORR_NONE);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_checked_fixture(promises, open_map, close_map);
    tcase_add_test(promises, it_answers_as_a_plain_table_would);
    tcase_add_test(promises, it_is_at_most_half_full_and_removal_leaves_no_marks);
    tcase_add_test(promises, an_empty_map_has_nothing_and_owns_nothing);
    tcase_add_test(promises, without_memory_a_put_fails_and_the_rest_stays);
    return run_as_tap("map", promises);
}
