/* The promises of winners.h: against a scan, for every number of counters. */
#include "base/winners.h"

#include "base/random.h"
#include "support/tap.h"

enum { MOST = 70, CHANGES = 4000 };

START_TEST(the_least_counter_is_known_after_every_change)
{
    for (uint32_t n = 1; n <= MOST; n++) {
        uint32_t counter[MOST] = {0}, tree[MOST] = {0};
        orr_winners_start(tree, counter, n);
        for (uint32_t k = 0; k < CHANGES; k++) {
            orr_bits bits = orr_random_bits(1, ORR_STREAM_TEST, n, k, 0);
            uint32_t least = 0, i = (uint32_t)orr_random_below(bits.low, n);
            for (uint32_t c = 1; c < n; c++) /* the first of equals */
                least = counter[c] < counter[least] ? c : least;
            ck_assert_uint_eq(orr_winners_least(tree, n), least);
            if (k % 2 == 0)
                i = least; /* as replicas are chosen */
            else if (counter[i] > 0)
                counter[i]--;
            counter[i] += k % 2 == 0 ? 1 + (uint32_t)(bits.high % 3) : 0;
            orr_winners_update(tree, counter, n, i);
        }
    }
}
END_TEST

START_TEST(counters_that_did_not_begin_at_zero_are_played_at_the_start)
{
    for (uint32_t n = 1; n <= MOST; n++) {
        uint32_t counter[MOST], tree[MOST] = {0}, least = 0;
        for (uint32_t c = 0; c < n; c++) {
            counter[c] = (uint32_t)orr_random_below(orr_random_bits(2, ORR_STREAM_TEST, n, c, 0).low, 10);
            least = counter[c] < counter[least] ? c : least;
        }
        orr_winners_start(tree, counter, n);
        ck_assert_uint_eq(orr_winners_least(tree, n), least);
    }
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, the_least_counter_is_known_after_every_change);
    tcase_add_test(promises, counters_that_did_not_begin_at_zero_are_played_at_the_start);
    return run_as_tap("winners", promises);
}
