/* The promises of queue.h, one test each. */
#include "engine/queue.h"

#include "base/random.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>

enum { EVENTS = 20000 };

static orr_queue queue;

static void open_queue(void) { orr_queue_init(&queue); }
static void close_queue(void) { orr_queue_destroy(&queue); }

static bool push(orr_event e) { return orr_queue_push(&queue, e.time, e.key, e.target, e.handle); }

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
    return (orr_event){.time = (int64_t)below(4 * i, 50), .key = (uint64_t)below(4 * i + 1, 1u << 24) << 40 | i, .target = i, .handle = ~i};
}

START_TEST(what_is_pushed_in_any_order_is_popped_in_the_total_order)
{
    static orr_event all[EVENTS];
    for (uint32_t i = 0; i < EVENTS; i++) {
        all[i] = event(i);
        ck_assert(push(all[i]));
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

/* Laws of the time from now to an event: what bucketed queues are easily broken by. */
enum { UNIFORM, NOW, ALIKE, BIMODAL, HEAVY, POWERS, LAWS };

static int64_t increment(int law, uint32_t i)
{
    orr_bits bits = orr_random_bits(3, ORR_STREAM_TEST, (uint64_t)law, i, 0);
    uint64_t small = orr_random_below(bits.low, 1000);
    switch (law) {
    case UNIFORM: return (int64_t)small;
    case NOW: return 0;
    case ALIKE: return 500;
    case BIMODAL: return (int64_t)(bits.high % 10 == 0 ? small * 1000000007 : small);
    case HEAVY: return (int64_t)fmin(1 / pow(orr_random_unit(bits.low), 3), 1e15);
    default: return INT64_C(1) << bits.low % 56;
    }
}

/* A pop gives the first of those present, however pushes and pops mix: against a list in order. */
START_TEST(a_queue_agrees_with_a_sorted_list)
{
    static orr_event present[EVENTS + 1];
    uint32_t count = 0, pushed = 0, most = 0;
    int64_t now = 0;
    for (uint32_t step = 0; pushed < EVENTS || count > 0; step++) {
        bool grow = pushed < EVENTS && below(1000000 + step, 100) < (step / 3000 % 2 ? 35 : 65); /* waves */
        if (count == 0 || grow) {
            orr_event e = {.time = now + increment(_i, pushed), .key = (uint64_t)below(2000000 + pushed, 1u << 24) << 40 | pushed, .target = pushed};
            uint32_t at = count++;
            for (; at > 0 && by_order(&present[at - 1], &e) < 0; at--)
                present[at] = present[at - 1];
            present[at] = e;
            pushed++;
            ck_assert(push(e));
        } else {
            ck_assert_mem_eq(orr_queue_first(&queue), &present[count - 1], sizeof(orr_event));
            orr_event first = orr_queue_pop(&queue);
            ck_assert_mem_eq(&first, &present[--count], sizeof first);
            now = first.time;
        }
        ck_assert_uint_eq(queue.count, count);
        most = count > most ? count : most;
    }
    ck_assert_uint_gt(most, 500);
    ck_assert_ptr_null(orr_queue_first(&queue));
}
END_TEST

/* The worst for rungs: everything pushed comes before all that has been looked at, each time in half of the time that is left. */
START_TEST(rungs_that_would_nest_for_ever_are_flattened)
{
    uint64_t key = 0;
    uint32_t deepest = 0;
    for (uint32_t round = 0; round < 60; round++) {
        int64_t at = INT64_C(1) << (61 - round);
        for (uint32_t k = 0; k < 200; k++, key++)
            ck_assert(orr_queue_push(&queue, at + k % 7, key, 0, 0));
        ck_assert_int_eq(orr_queue_first(&queue)->time, at);
        deepest = queue.rungs > deepest ? queue.rungs : deepest;
    }
    ck_assert_uint_eq(deepest, ORR_QUEUE_RUNGS); /* or this test tests nothing */
    ck_assert_uint_eq(queue.count, 12000);
    orr_event last = {.time = -1};
    for (uint32_t k = 0; k < 12000; k++) {
        ck_assert_ptr_nonnull(orr_queue_first(&queue));
        orr_event e = orr_queue_pop(&queue);
        ck_assert(by_order(&last, &e) < 0);
        last = e;
    }
}
END_TEST

static bool is_odd(void *context, const orr_event *event)
{
    (void)context;
    return event->target % 2 == 1;
}

static void add_target(void *context, const orr_event *event) { *(uint64_t *)context += event->target; }

static bool is_below(void *context, const orr_event *event) { return event->target < *(uint32_t *)context; }

START_TEST(what_comes_before_the_few_that_a_filter_left_is_not_lost)
{
    for (uint32_t left = 0; left < 80; left++) {
        for (uint32_t i = 0; i < 200; i++)
            ck_assert(orr_queue_push(&queue, 1000000 + i, i, i, 0));
        ck_assert(orr_queue_filter(&queue, is_below, &left));
        for (uint32_t i = 0; i < 300; i++)
            ck_assert(orr_queue_push(&queue, 1000 - i, 200 + i, 0, 0));
        for (uint32_t i = 0; i < 300 + left; i++) {
            ck_assert_ptr_nonnull(orr_queue_first(&queue));
            ck_assert_int_eq(orr_queue_pop(&queue).time, i < 300 ? 701 + i : 1000000 + i - 300);
        }
        ck_assert_ptr_null(orr_queue_first(&queue));
        close_queue();
        open_queue();
    }
}
END_TEST

START_TEST(a_filter_leaves_what_it_keeps_and_each_visits_all)
{
    for (uint32_t size = 1; size <= EVENTS; size *= 7) {
        uint64_t sum = 0, expected = 0;
        for (uint32_t i = 0; i < size; i++)
            ck_assert(push(event(i)));
        orr_queue_first(&queue);
        orr_queue_each(&queue, add_target, &sum);
        ck_assert_uint_eq(sum, (uint64_t)size * (size - 1) / 2);
        ck_assert(orr_queue_filter(&queue, is_odd, NULL));
        ck_assert_uint_eq(queue.count, size / 2);
        for (sum = 0; orr_queue_first(&queue) != NULL;) {
            orr_event e = orr_queue_pop(&queue);
            ck_assert(e.target % 2 == 1);
            sum += e.target;
        }
        for (uint32_t i = 1; i < size; i += 2)
            expected += i;
        ck_assert_uint_eq(sum, expected);
        close_queue();
        open_queue();
    }
}
END_TEST

START_TEST(before_is_a_strict_total_order_over_extreme_times_and_keys)
{
    static const int64_t times[] = {0, 1, INT64_C(1) << 32, INT64_MAX - 1, INT64_MAX};
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
    tcase_add_loop_test(promises, a_queue_agrees_with_a_sorted_list, 0, LAWS);
    tcase_add_test(promises, rungs_that_would_nest_for_ever_are_flattened);
    tcase_add_test(promises, a_filter_leaves_what_it_keeps_and_each_visits_all);
    tcase_add_test(promises, what_comes_before_the_few_that_a_filter_left_is_not_lost);
    tcase_add_test(promises, before_is_a_strict_total_order_over_extreme_times_and_keys);
    tcase_add_test(promises, an_event_takes_24_bytes);
    return run_as_tap("queue", promises);
}
