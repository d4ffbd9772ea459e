/**
 * Arrivals: when the clients of a cohort ask, and what for.
 *
 * A cohort is a law, not a list. Its clients are independent, so their superposition is a Poisson process whose rate follows the
 * local hour; the k-th arrival and everything about it are functions of (seed, cohort, k), and the attributes of a
 * client of (seed, cohort, client). Nothing is stored per client, and nothing depends on what any policy did. An arrival may be the
 * first turn of a session, or a user of a closed loop who begins (turns.h).
 *
 * Inversion of the integrated rate over piecewise constant hours: Cinlar, Introduction to Stochastic Processes, 1975.
 */
#ifndef ORRERY_CLIENTS_ARRIVALS_H
#define ORRERY_CLIENTS_ARRIVALS_H

#include "world/world.h"

/** State of one cohort. All zeros is the start. */
typedef struct orr_arrivals {
    int64_t  at_ns;  /**< of the latest arrival */
    uint64_t number; /**< how many have been drawn */
    uint64_t client; /**< who the latest is; in a closed loop user k is client k */
} orr_arrivals;

/** An intention: what one client wants, once. */
typedef struct orr_intention {
    uint32_t number, client;
    uint32_t input, prefix, history, output; /**< tokens; prefix and then history are part of input */
    uint32_t thinking, images;      /**< tokens at the beginning of output that are no answer; images, whose tokens are part of input */
    uint32_t since;                 /**< the turn at which that history began */
    double   access_normal;         /**< the client's own part of its access delay, a standard normal variate */
    int64_t  patience_ns;           /**< ORR_NEVER: waits for ever */
    bool     sampled;               /**< its rows are written */
} orr_intention;

/** Tells one turn from all others. */
typedef struct orr_turn {
    uint32_t number;  /**< of the arrival that began it all */
    uint32_t client;  /**< who it was */
    uint32_t turn;    /**< 0 for the first */
    uint32_t history; /**< tokens said before it, the prefix not included */
    uint32_t since;   /**< the turn at which these began to be said */
} orr_turn;

/** Time of the next arrival of the cohort, drawn with its client as number `arrivals->number`; ORR_NEVER when there are no more. */
int64_t orr_arrivals_next(orr_arrivals *arrivals, const orr_world *world, const orr_cohort *cohort);

/**
 * How many requests the cohort is expected to offer before `until_ns` (ORR_NEVER: in all): the integral of its rate, at most its number of requests, times
 * the turns of a session. In a closed loop it is a guess.
 */
double orr_arrivals_expected(const orr_world *world, const orr_cohort *cohort, int64_t until_ns);

/** Everything about this turn. Its history is left out where prompt and answer would not fit the context with it; then a new one begins with it. */
void orr_arrivals_draw(const orr_world *world, const orr_cohort *cohort, const orr_turn *turn, orr_intention *intention);

/** Round trip of the access network for one attempt, ns; 0 without one. */
int64_t orr_access_round_trip(const orr_world *world, const orr_cohort *cohort, uint32_t number, uint32_t turn, uint32_t attempt, double client_normal);

/** Pause before retry `attempt` (1 for the first), ns: exponential back-off with jitter. */
int64_t orr_retry_pause(const orr_world *world, const orr_cohort *cohort, uint32_t number, uint32_t turn, uint32_t attempt);

#endif
