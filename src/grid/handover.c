/* Disaggregation: prompts are prefilled at one pool and decoded at another of the site; their KV crosses the site's network. */
#include "grid/server.h"

#include <math.h>

/* One after the other on the port of its replica. */
void orr_hand_over(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t index)
{
    orr_job *j = orr_job_at(&s->jobs, index);
    const orr_pool *p = &g->world->pools[j->pool];
    int64_t *egress = (int64_t *)s->egress.items + j->instance, now = orr_now(lane);
    if (*egress < now)
        *egress = now;
    *egress += (int64_t)ceil((double)j->prompt * p->kv_bytes_per_token * 8e9 / p->hand_over_bit_s);
    j->finish = orr_timer_set(lane, s->id, ORR_TIMER_HANDED_OVER, index, *egress);
}

/* The KV is no longer held where it was computed, and waits at the decoding replica with the least to do. */
void orr_server_handed_over(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t index)
{
    orr_job *j = orr_job_at(&s->jobs, index);
    orr_llm_site at = orr_llm_site_of(g, s);
    uint32_t from = j->pool, was = j->instance, to = g->world->pools[from].hands_to, instance = orr_least_loaded(g, s, to);
    orr_pool_state *state = orr_pool_state_of(g, s, from), *next = orr_pool_state_of(g, s, to);
    int64_t now = orr_now(lane);
    orr_check_memory(lane, orr_llm_release((orr_llm *)s->llms.items + was, &g->kinds[from], &at, index, now));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, true, was);
    j = orr_job_at(&s->jobs, index);
    if (j->cancelled || instance == ORR_NONE) {
        if (!j->cancelled)
            orr_tell_lost(g, lane, s, j, 0);
        orr_rate_output(g, s, j, 1);
        orr_end_job(g, lane, s, index, true);
        orr_telemetry_changed(g, lane, s, from);
        return;
    }
    orr_count_present(&state->counts, now, -1);
    orr_count_at(g, s, from, was, -1);
    state->counts.handed_over++;
    orr_note_service(&state->counts, now - j->started_ns);
    orr_replica_relieved(g, lane, s, from, was);
    j->pool = to;
    j->instance = instance;
    j->received = 1; /* which says that it has made its first token */
    j->before = 0;
    orr_count_present(&next->counts, now, 1);
    orr_count_at(g, s, to, instance, 1);
    next->counts.bin_arrived++;
    orr_check_memory(lane, orr_llm_arrive((orr_llm *)s->llms.items + instance, &g->kinds[to], &at, index, now));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, true, instance);
    orr_telemetry_changed(g, lane, s, to);
    orr_telemetry_changed(g, lane, s, from);
}
