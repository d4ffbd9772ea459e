/* The promises of problems.h, one test each. */
#include "base/problems.h"
#include "support/failing_malloc.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static orr_problems problems;

static void clear(void) { orr_problems_clear(&problems); }

START_TEST(a_problem_is_one_line_with_its_place)
{
    orr_problem(&problems, (orr_where){"a.yaml", 3, 9}, "expected %s, found %d", "a time", 5);
    orr_problem(&problems, (orr_where){"--set a.b=-1", 0, 0}, "no");
    orr_problem(&problems, (orr_where){0}, "nowhere");
    ck_assert_uint_eq(problems.count, 3);
    ck_assert_str_eq(problems.text[0], "a.yaml:3:9: error: expected a time, found 5");
    ck_assert_str_eq(problems.text[1], "--set a.b=-1: error: no");
    ck_assert_str_eq(problems.text[2], "error: nowhere");
}
END_TEST

START_TEST(an_empty_list_has_nothing_and_a_cleared_one_is_empty)
{
    ck_assert(!orr_problems_any(&problems));
    orr_problem(&problems, (orr_where){0}, "x");
    ck_assert(orr_problems_any(&problems));
    orr_problems_clear(&problems);
    ck_assert(!orr_problems_any(&problems));
    ck_assert_ptr_null(problems.text);
}
END_TEST

START_TEST(equal_lines_are_noted_once_also_among_very_many)
{
    enum { N = 100000 };
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++)
            orr_problem(&problems, (orr_where){"f", 1, 1}, "number %d", i);
    ck_assert_uint_eq(problems.count, N);
    ck_assert_str_eq(problems.text[N - 1], "f:1:1: error: number 99999");
}
END_TEST

START_TEST(control_characters_are_shown_and_long_lines_end_between_characters)
{
    orr_problem(&problems, (orr_where){"f\n", 1, 1}, "a\nb\tc\x1b[31m");
    ck_assert_str_eq(problems.text[0], "f\\n:1:1: error: a\\nb\\tc\\x1b[31m");
    static char longest[20001];
    for (int i = 0; i < 10000; i++)
        memcpy(longest + 2 * i, "é", 2);
    for (int shift = 0; shift < 2; shift++) {
        orr_problem(&problems, (orr_where){0}, "%s%s", shift ? "x" : "", longest);
        const char *line = problems.text[1 + shift];
        size_t      length = strlen(line);
        ck_assert(length > 3900 && length < 4010);
        ck_assert_str_eq(line + length - 3, "…");
        ck_assert_str_eq(line + length - 5, "é…");
    }
}
END_TEST

START_TEST(a_problem_lost_for_want_of_memory_is_remembered)
{
    for (long nth = 1;; nth++) {
        failing_malloc_arm(nth);
        for (int i = 0; i < 40; i++)
            orr_problem(&problems, (orr_where){"f", 1, 1}, "number %d", i);
        bool fired = failing_malloc_fired();
        ck_assert_int_eq(problems.out_of_memory, fired);
        ck_assert_uint_eq(problems.count, fired ? 39 : 40);
        ck_assert(orr_problems_any(&problems));
        orr_problems_clear(&problems);
        if (!fired)
            break;
        ck_assert_int_lt(nth, 1000);
    }
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, NULL, clear);
    tcase_add_test(promises, a_problem_is_one_line_with_its_place);
    tcase_add_test(promises, an_empty_list_has_nothing_and_a_cleared_one_is_empty);
    tcase_add_test(promises, equal_lines_are_noted_once_also_among_very_many);
    tcase_add_test(promises, control_characters_are_shown_and_long_lines_end_between_characters);
    tcase_add_test(promises, a_problem_lost_for_want_of_memory_is_remembered);
    return run_as_tap("problems", promises);
}
