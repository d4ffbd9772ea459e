/* The promises of queue.h, one test each. */
#include "engine/queue.h"

#include "base/random.h"

#include "support/tap.h"
#include <stdlib.h>

enum { EVENTS = 20000 };

static orr_queue queue;

static void open_queue(void) { orr_queue_init(&queue); }
static void close_queue(void) { orr_queue_destroy(&queue); }

static uint32_t below(uint32_t counter, uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(1, ORR_STREAM_TEST, 2, counter, 0).low, n); }

static int by_order(const void *a, const void *b)
{
    const orr_event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Few distinct times, so that keys decide; keys are unique and, among them, large. */
static orr_event event(uint32_t i)
{
    return (orr_event){.time = (int64_t)below(4 * i, 50) - 10, .key = (uint64_t)below(4 * i + 1, 1u << 24) << 40 | i, .target = i, .handle = ~i};
}

START_TEST(what_is_pushed_in_any_order_is_popped_in_the_total_order)
{
    static orr_event all[EVENTS];
    for (uint32_t i = 0; i < EVENTS; i++) {
        all[i] = event(i);
        ck_assert(orr_queue_push(&queue, all[i]));
    }
    qsort(all, EVENTS, sizeof all[0], by_order);
    for (uint32_t i = 0; i < EVENTS; i++) {
        ck_assert_mem_eq(orr_queue_first(&queue), &all[i], sizeof all[i]);
        orr_event popped = orr_queue_pop(&queue);
        ck_assert_mem_eq(&popped, &all[i], sizeof popped);
    }
    ck_assert_ptr_null(orr_queue_first(&queue));
}
END_TEST

START_TEST(a_pop_gives_the_first_of_those_present_however_pushes_and_pops_mix)
{
    static orr_event present[EVENTS];
    uint32_t count = 0, pushed = 0, popped = 0;
    for (uint32_t step = 0; popped < 6000; step++) {
        bool grow = below(1000000 + step, 100) < (step / 500 % 2 ? 40 : 60); /* waves */
        if (count == 0 || (grow && pushed < EVENTS)) {
            present[count] = event(pushed++);
            ck_assert(orr_queue_push(&queue, present[count++]));
            continue;
        }
        uint32_t least = 0;
        for (uint32_t i = 1; i < count; i++)
            if (by_order(&present[i], &present[least]) < 0)
                least = i;
        orr_event first = orr_queue_pop(&queue);
        ck_assert_mem_eq(&first, &present[least], sizeof first);
        present[least] = present[--count];
        popped++;
    }
    ck_assert_uint_gt(pushed, 6000);
}
END_TEST

START_TEST(before_is_a_strict_total_order_over_extreme_times_and_keys)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    static const uint64_t keys[] = {0, 1, UINT64_C(1) << 40, UINT64_MAX};
    for (uint32_t i = 0; i < 20; i++)
        for (uint32_t j = 0; j < 20; j++) {
            orr_event a = {.time = times[i / 4], .key = keys[i % 4]}, b = {.time = times[j / 4], .key = keys[j % 4]};
            ck_assert(orr_event_before(&a, &b) == (i < j));
        }
}
END_TEST

START_TEST(an_event_takes_24_bytes) { ck_assert_uint_eq(sizeof(orr_event), 24); }
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_checked_fixture(promises, open_queue, close_queue);
    tcase_add_test(promises, what_is_pushed_in_any_order_is_popped_in_the_total_order);
    tcase_add_test(promises, a_pop_gives_the_first_of_those_present_however_pushes_and_pops_mix);
    tcase_add_test(promises, before_is_a_strict_total_order_over_extreme_times_and_keys);
    tcase_add_test(promises, an_event_takes_24_bytes);
    return run_as_tap("queue", promises);
}
