/**
 * Winners: which of n counters is the least, kept while they change.
 *
 * A tournament in an array: place 1 holds the winner of all, places 2i and 2i+1 play for place i, and the counters
 * themselves are places n to 2n-1. A change replays the games above it, and stops at the first whose winner it does not touch.
 * So asking costs nothing and changing at most log2(n) games. Of equals the one with the lower index wins, whatever n is.
 */
#ifndef ORRERY_BASE_WINNERS_H
#define ORRERY_BASE_WINNERS_H

#include <stdint.h>

static inline uint32_t orr_winners_player(const uint32_t *tree, uint32_t n, uint32_t place) { return place >= n ? place - n : tree[place]; }

static inline uint32_t orr_winners_game(const uint32_t *tree, const uint32_t *counter, uint32_t n, uint32_t place)
{
    uint32_t a = orr_winners_player(tree, n, 2 * place), b = orr_winners_player(tree, n, 2 * place + 1);
    return counter[b] < counter[a] || (counter[b] == counter[a] && b < a) ? b : a;
}

/** Plays all games: `tree` has `n` entries, as `counter` has. */
static inline void orr_winners_start(uint32_t *tree, const uint32_t *counter, uint32_t n)
{
    for (uint32_t place = n - 1; place > 0; place--)
        tree[place] = orr_winners_game(tree, counter, n, place);
}

/** `counter[changed]` has changed. */
static inline void orr_winners_update(uint32_t *tree, const uint32_t *counter, uint32_t n, uint32_t changed)
{
    for (uint32_t place = (n + changed) / 2; place > 0; place /= 2) {
        uint32_t before = tree[place];
        tree[place] = orr_winners_game(tree, counter, n, place);
        if (before != changed && tree[place] == before)
            break;
    }
}

/** The least one of n > 0. */
static inline uint32_t orr_winners_least(const uint32_t *tree, uint32_t n) { return n == 1 ? 0 : tree[1]; }

#endif
