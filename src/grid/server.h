/** What the files of the serving side share: server.c (requests), handover.c (prefill here, decode there), replicas.c (in service or not). Internal to grid. */
#ifndef ORRERY_GRID_SERVER_H
#define ORRERY_GRID_SERVER_H

#include "base/winners.h"
#include "grid/telemetry.h"

/** Added to the count of a replica that takes no requests: the least loaded is then one that does, if any does. */
enum { ORR_AWAY = 1 << 30 };

static inline orr_llm_site orr_llm_site_of(const orr_grid *g, orr_site *s)
{
    return (orr_llm_site){&s->jobs, &s->llm_heaps, &s->outbox, &s->spans, {&s->prefix_nodes, &s->prefix_by_key, &s->prefix_shortcuts, &s->free_prefix}, g->world->trace_blocks, &s->gaps};
}

static inline orr_station_site orr_station_site_of(orr_site *s) { return (orr_station_site){&s->jobs, &s->station_heaps, &s->outbox}; }

static inline bool orr_pool_is_llm(const orr_grid *g, uint32_t pool) { return g->world->services[g->world->pools[pool].service].kind == ORR_SERVICE_LLM; }

static inline orr_pool_state *orr_pool_state_of(const orr_grid *g, orr_site *s, uint32_t pool) { return orr_array_at(&s->pools, g->place[pool]); }

/** Place of an instance in the arrays that hold one entry per llm and then per station. */
static inline uint32_t orr_place_of(const orr_site *s, bool llm, uint32_t instance) { return llm ? instance : s->llms.count + instance; }

/** First of a pool's instances, as a place. */
static inline uint32_t orr_first_place(const orr_grid *g, orr_site *s, uint32_t pool) { return orr_place_of(s, orr_pool_is_llm(g, pool), orr_pool_state_of(g, s, pool)->first); }

/** A request more or less at an instance, or ORR_AWAY: the pool's replicas play for the least again. */
void orr_count_at(const orr_grid *grid, orr_site *site, uint32_t pool, uint32_t instance, int change);

/** The replica with the least requests; the first of equals. ORR_NONE if none takes requests. */
uint32_t orr_least_loaded(const orr_grid *grid, orr_site *site, uint32_t pool);

/** Keeps one timer, for when the instance is due. */
void orr_arm(orr_lane *lane, orr_site *site, bool llm, uint32_t instance);

/** Tells the world what has happened at an instance, in order. With `lost` those who were cancelled hear of it after `detection_ns`: their work is gone. */
void orr_settle(orr_grid *grid, orr_lane *lane, orr_site *site, bool lost, int64_t detection_ns);

/** Completes boundaries of an llm that lie before `now_ns`: those of which nobody has to hear are left until something happens, or somebody looks. */
void orr_server_catch_up(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t instance, int64_t now_ns);

/** A job is over, answered or cancelled: it is counted and its slot is free. */
void orr_end_job(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t job, bool cancelled);

/** The client of a job hears that its work is lost. */
void orr_tell_lost(orr_grid *grid, orr_lane *lane, orr_site *site, const orr_job *job, int64_t detection_ns);

/** Rates output tokens of a job, up to `generated` in all. */
void orr_rate_output(orr_grid *grid, orr_site *site, orr_job *job, uint32_t generated);

/** A request was in service for so long: moves the mean that reports are made of. */
void orr_note_service(orr_pool_counts *counts, int64_t took_ns);

void orr_count_present(orr_pool_counts *counts, int64_t now_ns, int change);

/** The KV of a prompt that is done sets out to where it will be decoded (handover.c). */
void orr_hand_over(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t job);

/** Which replicas are in service at the beginning, what is planned for them and when they fail (replicas.c). False when out of memory. */
bool orr_replicas_start(orr_grid *grid, orr_lane *lane, orr_site *site);

/** An instance has one request less: if it was draining and this was the last, it leaves. */
void orr_replica_relieved(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t pool, uint32_t instance);

static inline void orr_check_memory(orr_lane *lane, bool ok)
{
    if (!ok)
        orr_fail(lane, ORR_NO_MEMORY);
}

#endif
