/* The promises of meter.h, one test each. */
#include "tokens/meter.h"

#include "base/random.h"

#include "support/tap.h"
#include <stdlib.h>

static uint64_t draw(uint32_t counter, uint64_t below) { return orr_random_below(orr_random_bits(1, ORR_STREAM_TEST, 5, counter, 0).low, below); }

/* Prices of all magnitudes up to a million yuan, also odd ones. */
static int64_t a_price(uint32_t counter) { return (int64_t)(draw(counter, INT64_C(1000000000000000)) >> draw(counter + 1, 50)); }

START_TEST(postings_add_up_to_the_floor_of_the_exact_product_however_it_is_split)
{
    for (uint32_t account = 0; account < 500; account++) {
        uint32_t at = account * 1000, carry = 0;
        int64_t price = a_price(at);
        uint64_t tokens = 0;
        unsigned __int128 sum = 0;
        for (uint32_t postings = 1 + (uint32_t)draw(at + 2, 200); postings > 0; postings--) {
            uint64_t part = draw(at + 3 + postings, 5000) >> draw(at + 300 + postings, 13);
            int64_t amount = orr_meter_rate(&carry, part, price);
            tokens += part;
            sum += (uint64_t)amount;
            unsigned __int128 exact = (unsigned __int128)tokens * (uint64_t)price; /* at every moment, not only in the end */
            if (amount < 0 || sum != exact / ORR_MILLION || carry != (uint32_t)(exact % ORR_MILLION))
                ck_abort_msg("account %u after %lu tokens at %ld", account, (unsigned long)tokens, (long)price);
        }
    }
}
END_TEST

START_TEST(one_token_at_a_time_costs_as_much_as_all_at_once)
{
    const int64_t price = 140000001; /* 0.14 yuan and a nano-yuan per million: 140.000001 nano-yuan per token */
    uint32_t carry = 0, all_carry = 0;
    int64_t sum = 0;
    for (int i = 0; i < 1000000; i++)
        sum += orr_meter_rate(&carry, 1, price);
    ck_assert_int_eq(sum, 140000001);
    ck_assert_int_eq(orr_meter_rate(&all_carry, 1000000, price), 140000001);
    ck_assert_uint_eq(carry, all_carry);
}
END_TEST

/* DeepSeek-V3/R1 inference system overview, 2025-03-01: 24 hours from 2025-02-27 12:00 UTC; 608e9 input tokens of which 342e9 hit the
 * cache, 168e9 output tokens; at R1 prices 0.14, 0.55 and 2.19 dollars per million: 562,027 with unrounded counts. */
START_TEST(the_published_day_costs_562100_exactly)
{
    static const uint64_t tokens[] = {UINT64_C(342000000000), UINT64_C(266000000000), UINT64_C(168000000000)};
    static const int64_t price[] = {140000000, 550000000, 2190000000};
    for (uint64_t pieces = 1; pieces <= 1000; pieces += 333) { /* in one posting or in many uneven ones */
        int64_t bill = 0;
        for (int kind = 0; kind < 3; kind++) {
            uint32_t carry = 0;
            uint64_t left = tokens[kind];
            for (uint64_t i = 1; i < pieces; i++) {
                uint64_t part = draw((uint32_t)i, tokens[kind] / pieces);
                bill += orr_meter_rate(&carry, part, price[kind]);
                left -= part;
            }
            bill += orr_meter_rate(&carry, left, price[kind]);
            ck_assert_uint_eq(carry, 0);
        }
        ck_assert_int_eq(bill, INT64_C(562100) * 1000000000);
    }
}
END_TEST

START_TEST(products_beyond_64_bits_are_exact)
{
    uint32_t carry = 999999;
    ck_assert_int_eq(orr_meter_rate(&carry, UINT64_C(1) << 40, INT64_C(8388607) * 1000000 + 1), (INT64_C(1) << 40) * 8388607 + 1099512);
    ck_assert_uint_eq(carry, 627775);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_test(promises, postings_add_up_to_the_floor_of_the_exact_product_however_it_is_split);
    tcase_add_test(promises, one_token_at_a_time_costs_as_much_as_all_at_once);
    tcase_add_test(promises, the_published_day_costs_562100_exactly);
    tcase_add_test(promises, products_beyond_64_bits_are_exact);
    return run_as_tap("meter", promises);
}
