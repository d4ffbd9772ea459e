/* The promises of array.h, one test each. */
#include "base/array.h"

#include "support/failing_malloc.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

typedef struct item {
    uint32_t a, b, c;
} item;

static orr_array array;

static void open_array(void) { orr_array_init(&array, sizeof(item)); }
static void close_array(void) { orr_array_clear(&array); }

START_TEST(items_keep_their_values_and_places_while_it_grows)
{
    for (uint32_t i = 0; i < 10000; i++) {
        item *x = orr_array_extend(&array, 1);
        ck_assert_ptr_nonnull(x);
        ck_assert_ptr_eq(x, orr_array_at(&array, i));
        ck_assert(x->a == 0 && x->b == 0 && x->c == 0);
        *x = (item){i, i + 1, i + 2};
        ck_assert_uint_eq(array.count, i + 1);
        ck_assert_uint_ge(array.capacity, array.count);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        const item *x = orr_array_at(&array, i);
        ck_assert(x->a == i && x->b == i + 1 && x->c == i + 2);
    }
}
END_TEST

START_TEST(what_is_added_is_zeroed_also_where_something_was_before)
{
    memset(orr_array_extend(&array, 100), 0xff, 100 * sizeof(item));
    array.count = 10; /* dropping the tail is allowed: items beyond count are undefined */
    const char *added = orr_array_extend(&array, 90);
    for (size_t i = 0; i < 90 * sizeof(item); i++)
        ck_assert_int_eq(added[i], 0);
}
END_TEST

START_TEST(growing_copies_each_item_only_a_few_times)
{
    uint32_t moves = 0;
    for (uint32_t i = 0, capacity = 0; i < 1000000; i++) {
        if (orr_array_extend(&array, 1) == NULL)
            ck_abort_msg("out of memory");
        moves += array.capacity != capacity;
        capacity = array.capacity;
    }
    ck_assert_uint_lt(moves, 40);
}
END_TEST

START_TEST(a_cleared_array_is_empty_and_usable)
{
    orr_array_extend(&array, 5);
    orr_array_clear(&array);
    ck_assert(array.count == 0 && array.capacity == 0 && array.items == NULL && array.item_size == sizeof(item));
    ck_assert_ptr_nonnull(orr_array_extend(&array, 5));
}
END_TEST

START_TEST(without_memory_it_says_so_and_is_unchanged)
{
    item *x = orr_array_extend(&array, 8);
    x[7] = (item){1, 2, 3};
    orr_array before = array;
    failing_malloc_arm(1);
    void *none = orr_array_extend(&array, 1);
    ck_assert(failing_malloc_fired());
    ck_assert_ptr_null(none);
    ck_assert_mem_eq(&array, &before, sizeof array);
    ck_assert(!orr_array_reserve(&array, ORR_NONE)); /* indices are 32 bits, and ORR_NONE is not one of them */
    ck_assert(!orr_array_reserve(&array, SIZE_MAX));
    orr_array bytes;
    orr_array_init(&bytes, 1); /* so small that the memory may be there */
    ck_assert(!orr_array_reserve(&bytes, ORR_NONE));
    ck_assert_ptr_null(orr_array_extend(&array, ORR_NONE));
    ck_assert_mem_eq(&array, &before, sizeof array);
    ck_assert_uint_eq(((item *)orr_array_at(&array, 7))->c, 3);
}
END_TEST

START_TEST(places_given_back_are_taken_again_last_first_and_zeroed)
{
    uint32_t head = 0;
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(orr_array_take(&array, &head), i);
        *(item *)orr_array_at(&array, i) = (item){9, 9, 9};
    }
    orr_array_give(&array, &head, 4);
    orr_array_give(&array, &head, 0);
    orr_array_give(&array, &head, 2);
    static const uint32_t expected[] = {2, 0, 4, 6};
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(orr_array_take(&array, &head), expected[i]);
        const item *x = orr_array_at(&array, expected[i]);
        ck_assert(x->a == 0 && x->b == 0 && x->c == 0);
    }
    ck_assert_uint_eq(head, 0);
    ck_assert_uint_eq(((item *)orr_array_at(&array, 5))->a, 9);
    while (array.count < array.capacity)
        ck_assert_uint_ne(orr_array_take(&array, &head), ORR_NONE);
    failing_malloc_arm(1); /* Check may be linked statically, and allocates: nothing of it between here and the call */
    uint32_t none = orr_array_take(&array, &head);
    ck_assert(failing_malloc_fired());
    ck_assert_uint_eq(none, ORR_NONE);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_checked_fixture(promises, open_array, close_array);
    tcase_add_test(promises, items_keep_their_values_and_places_while_it_grows);
    tcase_add_test(promises, what_is_added_is_zeroed_also_where_something_was_before);
    tcase_add_test(promises, growing_copies_each_item_only_a_few_times);
    tcase_add_test(promises, a_cleared_array_is_empty_and_usable);
    tcase_add_test(promises, without_memory_it_says_so_and_is_unchanged);
    tcase_add_test(promises, places_given_back_are_taken_again_last_first_and_zeroed);
    return run_as_tap("array", promises);
}
