/**
 * Turns: what follows a request.
 *
 * After most requests nothing does. In a *session* a served turn is followed by another, after the client has thought, as many as the session was
 * drawn to have; with history the prompt of a turn begins with all that was said before it. In a *closed loop* each user asks, waits for the end
 * of the answer, thinks and asks again, whatever became of the answer, until all users together have asked as often as they were to, or the run ends.
 *
 * A session is named by (cohort, number) and a turn by (cohort, number, turn); a user of a closed loop is a session without an end of its own. Everything
 * about a turn is drawn at that address, so that it is the same under every policy; only when it begins depends on the answer before it.
 */
#ifndef ORRERY_CLIENTS_TURNS_H
#define ORRERY_CLIENTS_TURNS_H

#include "base/random.h"
#include "world/world.h"

/** Whose draws those of this turn are (the counter being the session's number): turn 0 draws as a request without a session. */
static inline uint64_t orr_turn_entity(const orr_cohort *cohort, uint32_t turn) { return turn == 0 ? cohort->entity : orr_entity_part(cohort->entity, turn); }

/** Names what is said in the session from turn `since` on, at which its present history began; 0 if its class keeps no history. */
static inline uint64_t orr_session_history(const orr_world *world, const orr_cohort *cohort, uint32_t number, uint32_t since)
{
    return world->classes[cohort->class_].history ? orr_entity_part(orr_turn_entity(cohort, since), number) : 0;
}

/** How many turns the session has if all are served, at least 1: geometric. */
uint32_t orr_session_turns(const orr_world *world, const orr_cohort *cohort, uint32_t number);

/** How long the client thinks before `turn` (1 for the second), ns. */
int64_t orr_think_time(const orr_world *world, const orr_cohort *cohort, uint32_t number, uint32_t turn);

#endif
