/**
 * Meter: tokens into money, in integers, with nothing lost to rounding.
 *
 * An *account* (here: one class at one pool, for one kind of token) rates tokens x price per million; what is below a
 * nano-yuan is carried to its next posting. So the sum of all postings is the exact product, to less than one nano-yuan per account.
 */
#ifndef ORRERY_TOKENS_METER_H
#define ORRERY_TOKENS_METER_H

#include <stdint.h>

enum { ORR_MILLION = 1000000 };

/** Rates `tokens` at `price` (nano-yuan per million) on an account with `carry` (millionths of a nano-yuan, below a million). Returns nano-yuan. */
static inline int64_t orr_meter_rate(uint32_t *carry, uint64_t tokens, int64_t price)
{
    uint64_t small;
    if (!__builtin_mul_overflow(tokens, (uint64_t)price, &small) && !__builtin_add_overflow(small, *carry, &small)) { /* nearly always; 128 bits take several times as long to divide */
        *carry = (uint32_t)(small % ORR_MILLION);
        return (int64_t)(small / ORR_MILLION);
    }
    unsigned __int128 amount = (unsigned __int128)tokens * (uint64_t)price + *carry;
    *carry = (uint32_t)(amount % ORR_MILLION);
    return (int64_t)(amount / ORR_MILLION);
}

#endif
