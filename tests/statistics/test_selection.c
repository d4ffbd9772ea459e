/* The promises of selection.h, worked out by hand. How often the best is selected is in test_coverage.c. */
#include "statistics/selection.h"

#include "support/tap.h"
#include <math.h>

enum { SEEDS = 40 };

/*
 * Two policies, n0 = 3, probability 0.9: eta = ((2 * 0.1 / 1)^(-2/2) - 1) / 2 = (5 - 1) / 2 = 2 and h^2 = 2 * 2 * 2 = 8. Differences alternate 1 -1 1 …: the first three
 * have mean 1/3 and variance (4/9 + 16/9 + 4/9) / 2 = 4/3, so h^2 S^2 = 32/3. With indifference 1 the horizon is 10.667: at n = 10 the allowance is (10.667 - 10) / 20 = 0.0333 and
 * the sums are equal; at n = 11 there is none, and the means differ by 1/11: decided. At n = 9: allowance 1.667/18 = 0.0926 < 1/9 = 0.111: decided already then. At n = 7: 3.667/14 = 0.262 > 1/7.
 */
START_TEST(two_policies_by_hand)
{
    double value[2][SEEDS];
    size_t out[2];
    orr_selection s;
    const orr_selection_rule rule = {.probability = 0.9, .indifference = 1, .first_stage = 3};
    for (int i = 0; i < SEEDS; i++) {
        value[0][i] = 100 * sin(i); /* shared by both: it cancels */
        value[1][i] = value[0][i] + (i % 2 == 0 ? 1 : -1);
    }
    ck_assert(orr_select(value[0], 2, SEEDS, SEEDS, &rule, out, &s));
    ck_assert(s.decided);
    ck_assert_uint_eq(s.best, 1);
    ck_assert_uint_eq(s.used, 9);
    ck_assert(out[0] == 9 && out[1] == 0);
    /* With seven seeds undecided: certainly after 11, so at most 4 more; as means are (gap 1/7), at 32/3 * 1/(2/7 + 1) = 8.296, so 9: two more. */
    ck_assert(orr_select(value[0], 2, 7, SEEDS, &rule, out, &s));
    ck_assert(!s.decided && s.left == 2 && s.best == 1);
    ck_assert_uint_eq(s.at_most, 4);
    ck_assert_uint_eq(s.expected, 2);
}
END_TEST

START_TEST(lower_is_better_where_said)
{
    double value[2][SEEDS];
    size_t out[2];
    orr_selection s;
    for (int i = 0; i < SEEDS; i++) {
        value[0][i] = 5 + 0.1 * (i % 3);
        value[1][i] = 9 + 0.1 * (i % 2);
    }
    ck_assert(orr_select(value[0], 2, SEEDS, SEEDS, &(orr_selection_rule){.probability = 0.95, .indifference = 1, .lower = true, .first_stage = 10}, out, &s));
    ck_assert(s.decided && s.best == 0 && s.used == 10);
    ck_assert(orr_select(value[0], 2, SEEDS, SEEDS, &(orr_selection_rule){.probability = 0.95, .indifference = 1, .lower = false, .first_stage = 10}, out, &s));
    ck_assert(s.decided && s.best == 1 && s.used == 10);
}
END_TEST

/* Equal policies are within any zone: the first stays, once the horizon (0 without variance) is passed. */
START_TEST(equal_policies_end)
{
    double value[3][SEEDS] = {{0}};
    size_t out[3];
    orr_selection s;
    ck_assert(orr_select(value[0], 3, SEEDS, SEEDS, &(orr_selection_rule){.probability = 0.95, .indifference = 1, .first_stage = 5}, out, &s));
    ck_assert(s.decided && s.best == 0 && s.used == 5);
    ck_assert(out[0] == 0 && out[1] == 5 && out[2] == 5);
}
END_TEST

START_TEST(nothing_before_the_first_stage)
{
    double value[2][SEEDS];
    size_t out[2];
    orr_selection s;
    for (int i = 0; i < SEEDS; i++) {
        value[0][i] = 0;
        value[1][i] = 1000 + i % 2;
    }
    const orr_selection_rule rule = {.probability = 0.95, .indifference = 1, .first_stage = 10};
    ck_assert(orr_select(value[0], 2, 7, SEEDS, &rule, out, &s));
    ck_assert(!s.decided && s.left == 2 && s.best == 1 && s.expected == 3 && s.at_most == 3 && out[0] == 0);
    ck_assert(orr_select(value[0], 2, 10, SEEDS, &rule, out, &s));
    ck_assert(s.decided && s.used == 10);
    ck_assert(orr_select(value[0], 1, 0, SEEDS, &rule, out, &s));
    ck_assert(s.decided && s.best == 0);
}
END_TEST

/* More seeds than were needed change nothing. */
START_TEST(the_answer_is_that_of_the_moment)
{
    double value[3][SEEDS];
    size_t out[3], again[3];
    orr_selection s, t;
    for (int i = 0; i < SEEDS; i++)
        for (int p = 0; p < 3; p++)
            value[p][i] = p + sin(7.0 * i + p);
    const orr_selection_rule rule = {.probability = 0.95, .indifference = 0.5, .first_stage = 6};
    ck_assert(orr_select(value[0], 3, SEEDS, SEEDS, &rule, out, &s));
    ck_assert(s.decided && s.used < SEEDS);
    ck_assert(orr_select(value[0], 3, s.used, SEEDS, &rule, again, &t));
    ck_assert(t.decided && t.best == s.best && t.used == s.used && again[0] == out[0] && again[1] == out[1] && again[2] == out[2]);
    ck_assert(orr_select(value[0], 3, s.used - 1, SEEDS, &rule, again, &t));
    ck_assert(!t.decided);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, two_policies_by_hand);
    tcase_add_test(promises, lower_is_better_where_said);
    tcase_add_test(promises, equal_policies_end);
    tcase_add_test(promises, nothing_before_the_first_stage);
    tcase_add_test(promises, the_answer_is_that_of_the_moment);
    return run_as_tap("selection", promises);
}
