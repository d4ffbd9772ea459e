/**
 * Grid: the modules wired into sites. Here alone message kinds meet handlers.
 *
 * A request's way: `clients` says when and what, `brain` asks the policy, `net` gives the delay, the engine carries the
 * message, `serve` answers it, `tokens` rates it; ingress.c and server.c are the two ends.
 */
#ifndef ORRERY_GRID_GRID_H
#define ORRERY_GRID_GRID_H

#include "brain/host.h"
#include "engine/engine.h"
#include "grid/messages.h"
#include "grid/site.h"

/** What an observer has found out about the reports of a site, kept because it asks at every decision (telemetry.c). No state: it can be found out again. */
typedef struct orr_heard {
    int64_t  report, until_ns; /**< the newest that it has heard, -1: none; when there may be a newer one */
    int64_t  asked;            /**< the one that was to count its own latest decision, plus one */
    uint32_t lost, padding;    /**< from that one on, so many are lost in a row */
} orr_heard;

typedef struct orr_grid {
    const orr_world *world; /**< borrowed */
    orr_routes       routes;
    orr_roofline    *rooflines; /**< per pool; empty for stations */
    orr_llm_kind    *kinds;     /**< per pool */
    int64_t         *front_end_ns; /**< per pool: from a request's arrival at the site to its entry into the engine */
    orr_host         host;
    orr_site        *sites; /**< used sites */
    orr_engine      *engine;
    uint32_t        *place;    /**< per pool: its number among the pools of its site */
    orr_heard       *heard;    /**< [ingress][compute]; written by the lane of the observer alone */
    uint8_t         *observes; /**< [ingress][compute]: does the ingress have a candidate there? */
    uint32_t         lanes;    /**< of the engine */
    double           window_requests; /**< expected per lane and window (partition.h) */
} orr_grid;

typedef struct orr_grid_options {
    uint32_t lanes;   /**< 0 or 1: one; more: sites are dealt out by load, and run window by window */
    bool     threads; /**< a thread for each lane */
    bool     automatic; /**< with threads: `lanes` is the most; fewer are taken where more would not pay */
    uint64_t shuffle; /**< not 0: shuffle the order of lanes in each window (self-check) */
    bool     resume;  /**< nothing begins: a saved state will be loaded with orr_grid_archive */
} orr_grid_options;

/** Builds everything at time 0, first events included (unless it is to resume). ORR_BAD_INPUT with problems; ORR_NO_MEMORY. `world` is borrowed. */
orr_status orr_grid_create(orr_grid *grid, const orr_world *world, const orr_grid_options *options, orr_problems *problems);
void       orr_grid_destroy(orr_grid *grid);

/** Saves the state of all sites and the pending events, or loads it into a grid made from the same world to resume (any number of lanes). */
void orr_grid_archive(orr_grid *grid, orr_archive *archive);

/** Gives every observer a fresh policy state: what follows is decided by the grid's policy, whatever a loaded state was made under. */
orr_status orr_grid_new_policies(orr_grid *grid, orr_problems *problems);

/** True when no client will ask again and nothing is in flight. */
bool orr_grid_idle(const orr_grid *grid);

/* The two ends; called by grid.c. */
void orr_ingress_start(orr_grid *grid, orr_lane *lane, orr_site *site);
void orr_ingress_arrival(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t cohort);
void orr_ingress_turn(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t thinking);
void orr_ingress_attempt(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t slot);
void orr_ingress_give_up(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t slot);
void orr_ingress_first(orr_grid *grid, orr_lane *lane, orr_site *site, const orr_first_message *message);
void orr_ingress_done(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t source, const orr_done_message *message);
void orr_ingress_tariff(orr_grid *grid, orr_site *site, int64_t now_ns);

void orr_server_start(orr_grid *grid, orr_lane *lane, orr_site *site);
void orr_server_request(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t source, const orr_request_message *message);
void orr_server_cancel(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t source, const orr_cancel_message *message);
void orr_server_llm(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t instance);
void orr_server_station(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t instance);
void orr_server_replica(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t place);
void orr_server_plan(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t plan);
void orr_server_unit(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t unit);
void orr_server_handed_over(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t job);
void orr_server_tariff(orr_grid *grid, orr_lane *lane, orr_site *site);

/** Brings the times that replicas are in service up to `now_ns`. */
void orr_replicas_account(orr_site *site, int64_t now_ns);

/** Brings all integrals of a serving site up to `now_ns`, which no pending event of it precedes. */
void orr_server_account(orr_grid *grid, orr_site *site, int64_t now_ns);

static inline bool orr_site_has_clients(const orr_grid *grid, const orr_site *site) { return grid->world->sites[site->id].ingress != ORR_NONE; }
static inline bool orr_site_has_pools(const orr_grid *grid, const orr_site *site) { return grid->world->sites[site->id].compute != ORR_NONE; }

/** One-way network delay between a site with clients and a site with pools. */
static inline int64_t orr_grid_delay(const orr_grid *grid, uint32_t ingress_site, uint32_t serving_site)
{
    const orr_world *w = grid->world;
    return grid->routes.delay_ns[orr_route_pair(&grid->routes, w->sites[ingress_site].ingress, w->sites[serving_site].compute)];
}

#endif
