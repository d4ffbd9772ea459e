/* The promises of store.h, one test each. */
#include "engine/store.h"

#include "base/random.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

enum { PLACES = 400, LARGEST = 1 << 17 };

typedef struct taken {
    uint32_t place, size;
    char    *at;
    unsigned char mark;
} taken;

static orr_store store;

static void open_store(void) { orr_store_init(&store); }
static void close_store(void) { orr_store_destroy(&store); }

static uint32_t below(uint32_t counter, uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(1, ORR_STREAM_TEST, 3, counter, 0).low, n); }

static void check_mark(const taken *t)
{
    ck_assert_ptr_eq(orr_store_at(&store, t->place), t->at);
    static char expected[LARGEST];
    memset(expected, t->mark, t->size);
    ck_assert_mem_eq(t->at, expected, t->size);
}

static taken take(uint32_t size, unsigned char mark)
{
    taken t = {.place = orr_store_take(&store, size), .size = size, .mark = mark};
    ck_assert_uint_ne(t.place, ORR_NONE);
    t.at = orr_store_at(&store, t.place);
    ck_assert_uint_eq((uintptr_t)t.at % 8, 0);
    memset(t.at, mark, size);
    return t;
}

START_TEST(places_do_not_overlap_and_never_move)
{
    static taken all[PLACES];
    uint32_t c = 0;
    for (uint32_t i = 0; i < PLACES; i++)
        all[i].place = ORR_NONE;
    for (uint32_t step = 0; step < 3000; step++) {
        taken *t = &all[below(c++, PLACES)];
        if (t->place != ORR_NONE) {
            check_mark(t);
            orr_store_give(&store, t->place, t->size);
            t->place = ORR_NONE;
        } else {
            uint32_t most = below(c++, 50) == 0 ? LARGEST : 600, size = 1 + below(c++, most);
            *t = take(size, (unsigned char)step);
        }
    }
    for (uint32_t i = 0; i < PLACES; i++)
        if (all[i].place != ORR_NONE)
            check_mark(&all[i]);
}
END_TEST

START_TEST(sizes_around_every_power_of_two_fit)
{
    for (uint32_t power = 6; power <= 17; power++)
        for (uint32_t size = (1u << power) - 1; size <= (1u << power) + 1 && size <= LARGEST; size++) {
            taken a = take(size, 1), b = take(size, 2);
            check_mark(&a);
            check_mark(&b);
        }
}
END_TEST

START_TEST(what_is_given_back_is_used_again)
{
    taken kept[PLACES];
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < PLACES; i++)
            kept[i] = take(100 + i, (unsigned char)i);
        for (uint32_t i = 0; i < PLACES; i++)
            orr_store_give(&store, kept[i].place, kept[i].size);
    }
    ck_assert_uint_eq(store.blocks.count, 1); /* 400 places of 128 to 512 bytes: one block of 256 KiB holds them, fifty rounds long */
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_checked_fixture(promises, open_store, close_store);
    tcase_add_test(promises, places_do_not_overlap_and_never_move);
    tcase_add_test(promises, sizes_around_every_power_of_two_fit);
    tcase_add_test(promises, what_is_given_back_is_used_again);
    return run_as_tap("store", promises);
}
