/*
 * Replicas: which of them are in service.
 *
 * A replica is up, being loaded, draining (it finishes what it has and takes nothing new), down (something it stands on has failed) or off (its accelerators
 * are free). Plans change how many a pool is to have; failures take down what stands on an accelerator, a node or a site, with everything in
 * flight; after its repair a replica is loaded anew, its cache empty.
 */
#include "base/random.h"
#include "base/time.h"
#include "grid/server.h"

#include <gsl/gsl_randist.h>
#include <math.h>

static orr_replica *replica_at(const orr_site *s, uint32_t place) { return (orr_replica *)s->replicas.items + place; }

static uint32_t pool_at(const orr_site *s, uint32_t place)
{
    bool llm = place < s->llms.count;
    return llm ? ((orr_llm *)s->llms.items)[place].pool : ((orr_station *)s->stations.items)[place - s->llms.count].pool;
}

static uint32_t instance_at(const orr_site *s, uint32_t place) { return place < s->llms.count ? place : place - s->llms.count; }

static bool takes_requests(uint32_t state) { return state == ORR_REPLICA_UP; }

static void count_in_service(orr_pool_counts *c, int64_t now, int up, int held)
{
    c->up_time += (unsigned __int128)((__int128)c->up * (now - c->up_since_ns));
    c->held_time += (unsigned __int128)((__int128)c->held * (now - c->up_since_ns));
    c->up_since_ns = now;
    c->up += (uint32_t)up;
    c->held += (uint32_t)held;
}

void orr_replicas_account(orr_site *s, int64_t now)
{
    for (uint32_t i = 0; i < s->pools.count; i++)
        count_in_service(&((orr_pool_state *)orr_array_at(&s->pools, i))->counts, now, 0, 0);
}

/* `until`: when it will change by itself, ORR_NEVER if it will not. */
static void set_state(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place, orr_replica_state state, int64_t until)
{
    orr_replica *r = replica_at(s, place);
    uint32_t pool = pool_at(s, place);
    bool was = takes_requests(r->state), is = takes_requests(state);
    orr_timer_cancel(lane, s->id, r->timer);
    r->timer = orr_timer_set(lane, s->id, ORR_TIMER_REPLICA, place, until);
    if (was != is)
        orr_count_at(g, s, pool, instance_at(s, place), is ? -ORR_AWAY : ORR_AWAY);
    count_in_service(&orr_pool_state_of(g, s, pool)->counts, orr_now(lane), (int)is - (int)was, (int)(state != ORR_REPLICA_OFF) - (int)(r->state != ORR_REPLICA_OFF));
    r->state = state;
    orr_telemetry_changed(g, lane, s, pool);
}

static void load(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place)
{
    orr_pool_state_of(g, s, pool_at(s, place))->counts.loads++;
    set_state(g, lane, s, place, ORR_REPLICA_LOADING, orr_now(lane) + g->world->pools[pool_at(s, place)].cold_start_ns);
}

/* Loads the first replica of a pool that is off; whatever it stands on must be whole. */
static void load_one(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t pool)
{
    uint32_t first = orr_first_place(g, s, pool);
    for (uint32_t place = first; place < first + g->world->pools[pool].replicas; place++)
        if (replica_at(s, place)->state == ORR_REPLICA_OFF && replica_at(s, place)->to == ORR_NONE) {
            if (replica_at(s, place)->broken > 0)
                set_state(g, lane, s, place, ORR_REPLICA_DOWN, ORR_NEVER);
            else
                load(g, lane, s, place);
            return;
        }
}

/* Its accelerators, if they are whole, go to the pool that is to have them. */
static void pass_on(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place)
{
    uint32_t to = replica_at(s, place)->to;
    replica_at(s, place)->to = ORR_NONE;
    if (to != ORR_NONE)
        load_one(g, lane, s, to);
}

static void switch_off(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place)
{
    set_state(g, lane, s, place, ORR_REPLICA_OFF, ORR_NEVER);
    if (place < s->llms.count) { /* its cache is gone */
        orr_llm_site at = orr_llm_site_of(g, s);
        orr_prefix_shrink(&((orr_llm *)s->llms.items + place)->cache, &at.store, 0);
    }
    if (replica_at(s, place)->broken == 0)
        pass_on(g, lane, s, place);
}

/* Everything in flight there is lost. */
static void drop_requests(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place, int64_t detection)
{
    uint32_t pool = pool_at(s, place), instance = instance_at(s, place);
    bool llm = place < s->llms.count;
    int64_t now = orr_now(lane);
    orr_llm_site llms = orr_llm_site_of(g, s);
    if (llm) { /* what is done now is done, and may have been handed over */
        orr_check_memory(lane, orr_llm_run((orr_llm *)s->llms.items + instance, &g->kinds[pool], &llms, now));
        orr_settle(g, lane, s, false, 0);
    }
    for (uint32_t i = 0; i < s->jobs.count && llm; i++) {
        const orr_job *j = orr_job_at(&s->jobs, i);
        if (j->state == ORR_JOB_HELD && j->pool == pool && j->instance == instance)
            orr_timer_cancel(lane, s->id, j->finish);
    }
    orr_station_site stations = orr_station_site_of(s);
    if (llm)
        orr_check_memory(lane, orr_llm_stop((orr_llm *)s->llms.items + instance, &g->kinds[pool], &llms, now));
    else
        orr_check_memory(lane, orr_station_stop((orr_station *)s->stations.items + instance, &stations, now));
    orr_settle(g, lane, s, true, detection);
    orr_arm(lane, s, llm, instance);
}

void orr_replica_relieved(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t pool, uint32_t instance)
{
    uint32_t place = orr_place_of(s, orr_pool_is_llm(g, pool), instance);
    if (replica_at(s, place)->state == ORR_REPLICA_DRAINING && ((uint32_t *)s->present.items)[place] == ORR_AWAY)
        switch_off(g, lane, s, place);
}

/* The timer of a replica: it has been loaded. */
void orr_server_replica(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place) { set_state(g, lane, s, place, ORR_REPLICA_UP, ORR_NEVER); }

static void withdraw(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place, const orr_plan *plan)
{
    orr_replica *r = replica_at(s, place);
    bool busy = r->state == ORR_REPLICA_UP && ((uint32_t *)s->present.items)[place] > 0;
    r->to = plan->to;
    if (busy && !plan->evict) {
        set_state(g, lane, s, place, ORR_REPLICA_DRAINING, ORR_NEVER);
        return;
    }
    if (busy) {
        set_state(g, lane, s, place, ORR_REPLICA_DOWN, ORR_NEVER); /* nothing comes back to it */
        drop_requests(g, lane, s, place, 0);
    }
    switch_off(g, lane, s, place);
}

static bool wanted(uint32_t state) { return state != ORR_REPLICA_OFF && state != ORR_REPLICA_DRAINING; }

void orr_server_plan(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t index)
{
    const orr_plan *plan = &g->world->plans[index];
    uint32_t first = orr_first_place(g, s, plan->pool), count = g->world->pools[plan->pool].replicas, have = 0;
    for (uint32_t k = 0; k < count; k++)
        have += wanted(replica_at(s, first + k)->state);
    for (uint32_t k = 0; k < count && have < plan->replicas; k++) /* who is still finishing stays */
        if (replica_at(s, first + k)->state == ORR_REPLICA_DRAINING) {
            replica_at(s, first + k)->to = ORR_NONE;
            set_state(g, lane, s, first + k, ORR_REPLICA_UP, ORR_NEVER);
            have++;
        }
    for (; have < plan->replicas; have++)
        load_one(g, lane, s, plan->pool);
    for (uint32_t k = count; k > 0 && have > plan->replicas; k--) /* the last ones leave */
        if (wanted(replica_at(s, first + k - 1)->state)) {
            withdraw(g, lane, s, first + k - 1, plan);
            have--;
        }
}

/* Failures. A unit is what fails at a time: a run of places. */
static void draw_at(const orr_grid *g, const orr_unit *u, uint32_t what, gsl_rng *rng, orr_random *stream)
{
    orr_random_at(stream, g->world->seed, ORR_STREAM_FAILURE, u->entity, 2 * u->failures + what);
    orr_random_gsl(rng, stream);
}

/* Time until the next failure of a unit from now on; ORR_NEVER if there is none. */
static int64_t next_failure(const orr_grid *g, const orr_unit *u, int64_t now)
{
    const orr_failure *f = &g->world->failures[u->failure];
    orr_random stream;
    gsl_rng rng;
    if (f->at_ns != ORR_NEVER)
        return u->failures == 0 ? f->at_ns : ORR_NEVER;
    draw_at(g, u, 0, &rng, &stream);
    return now + 1 + (int64_t)fmin(gsl_ran_exponential(&rng, f->mtbf_ns / u->parts), (double)ORR_LONGEST_RUN);
}

static int64_t repair_time(const orr_grid *g, const orr_unit *u)
{
    const orr_failure *f = &g->world->failures[u->failure];
    orr_random stream;
    gsl_rng rng;
    if (f->cv == 0)
        return 1 + llround(f->mttr_ns);
    draw_at(g, u, 1, &rng, &stream);
    double variance = log1p(f->cv * f->cv); /* of the logarithm */
    return 1 + (int64_t)fmin(gsl_ran_lognormal(&rng, log(f->mttr_ns) - variance / 2, sqrt(variance)), (double)ORR_LONGEST_RUN);
}

static void break_unit(orr_grid *g, orr_lane *lane, orr_site *s, const orr_unit *u)
{
    int64_t detection = g->world->failures[u->failure].detection_ns;
    for (uint32_t place = u->first; place < u->first + u->count; place++)
        replica_at(s, place)->broken++;
    for (uint32_t place = u->first; place < u->first + u->count; place++) { /* first all, so that nothing is handed over to what fails at the same time */
        orr_replica *r = replica_at(s, place);
        if (r->state == ORR_REPLICA_OFF || r->state == ORR_REPLICA_DOWN)
            continue;
        bool leaving = r->state == ORR_REPLICA_DRAINING;
        orr_pool_state_of(g, s, pool_at(s, place))->counts.failures++;
        set_state(g, lane, s, place, ORR_REPLICA_DOWN, ORR_NEVER);
        drop_requests(g, lane, s, place, detection);
        if (leaving)
            switch_off(g, lane, s, place);
    }
}

static void mend_unit(orr_grid *g, orr_lane *lane, orr_site *s, const orr_unit *u)
{
    for (uint32_t place = u->first; place < u->first + u->count; place++)
        if (--replica_at(s, place)->broken == 0) {
            if (replica_at(s, place)->state == ORR_REPLICA_DOWN)
                load(g, lane, s, place);
            else if (replica_at(s, place)->state == ORR_REPLICA_OFF)
                pass_on(g, lane, s, place);
        }
}

/* The timer of a unit: it fails, or is repaired. */
void orr_server_unit(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t index)
{
    orr_unit *u = orr_array_at(&s->units, index);
    int64_t now = orr_now(lane), next;
    u->broken = !u->broken;
    if (u->broken) {
        break_unit(g, lane, s, u);
        next = now + repair_time(g, u);
    } else {
        mend_unit(g, lane, s, u);
        u->failures++;
        next = next_failure(g, u, now);
    }
    orr_timer(lane, s->id, ORR_TIMER_UNIT, index, next);
}

static bool add_unit(orr_grid *g, orr_lane *lane, orr_site *s, orr_unit unit)
{
    orr_unit *u = orr_array_extend(&s->units, 1);
    if (u == NULL)
        return false;
    *u = unit;
    orr_timer(lane, s->id, ORR_TIMER_UNIT, s->units.count - 1, next_failure(g, u, 0));
    return true;
}

/* The accelerators or nodes under a pool. */
static bool add_pool_units(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t failure, uint32_t pool)
{
    const orr_failure *f = &g->world->failures[failure];
    const orr_pool *p = &g->world->pools[pool];
    bool node = f->scope == ORR_FAILS_NODE, ok = true;
    uint32_t together = node && f->node > p->group ? f->node / p->group : 1; /* replicas on one node */
    double parts = node ? ceil((double)p->group / f->node) : p->group;       /* nodes or accelerators under one replica */
    for (uint32_t k = 0; k < p->replicas && p->accelerator != ORR_NONE; k += together) {
        uint32_t count = p->replicas - k < together ? p->replicas - k : together;
        ok &= add_unit(g, lane, s, (orr_unit){.failure = failure, .first = orr_first_place(g, s, pool) + k, .count = count, .parts = parts,
                                              .entity = orr_entity_part(orr_entity_part(f->entity, p->entity), k)});
    }
    return ok;
}

static bool concerns(const orr_world *w, const orr_failure *f, uint32_t site)
{
    for (uint32_t i = 0; i < f->site_count; i++)
        if (w->failure_sites[f->sites + i] == site)
            return true;
    return false;
}

bool orr_replicas_start(orr_grid *g, orr_lane *lane, orr_site *s)
{
    const orr_world *w = g->world;
    uint32_t places = s->llms.count + s->stations.count;
    bool ok = orr_array_extend(&s->replicas, places) != NULL;
    for (uint32_t place = 0; ok && place < places; place++) {
        uint32_t pool = pool_at(s, place);
        orr_pool_counts *c = &orr_pool_state_of(g, s, pool)->counts;
        bool up = place - orr_first_place(g, s, pool) < w->pools[pool].at_start;
        *replica_at(s, place) = (orr_replica){.state = up ? ORR_REPLICA_UP : ORR_REPLICA_OFF, .to = ORR_NONE};
        ((uint32_t *)s->present.items)[place] = up ? 0 : ORR_AWAY;
        c->up += up;
        c->held += up;
    }
    for (uint32_t i = 0; i < w->plan_count && ok; i++)
        if (w->pools[w->plans[i].pool].site == s->id)
            orr_timer(lane, s->id, ORR_TIMER_PLAN, i, w->plans[i].at_ns);
    for (uint32_t i = 0; i < w->failure_count && ok; i++) {
        const orr_failure *f = &w->failures[i];
        if (!concerns(w, f, s->id))
            continue;
        if (f->scope == ORR_FAILS_SITE)
            ok = add_unit(g, lane, s, (orr_unit){.failure = i, .count = places, .parts = 1, .entity = f->together ? f->entity : orr_entity_part(f->entity, w->sites[s->id].entity)});
        for (uint32_t p = w->site_pool_start[s->id]; p < w->site_pool_start[s->id + 1] && f->scope != ORR_FAILS_SITE; p++)
            ok &= add_pool_units(g, lane, s, i, w->site_pools[p]);
    }
    return ok;
}
