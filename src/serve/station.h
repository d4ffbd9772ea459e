/**
 * A station: c servers, first come first served or processor sharing, any service law.
 *
 * The work that a request brings is drawn at its own address, so it is the same wherever it goes. First come first served keeps
 * c jobs in service and a queue. Processor sharing gives each of n jobs the rate min(1, c/n); in *virtual time*, which
 * advances at that rate, a job with work w that arrives at v is done at v + w, so one heap and one due time suffice
 * (Kleinrock, Queueing Systems II, 1976). Virtual time is kept in 2^-20 ns, and a job gives its share to the others when it is
 * done to 2^-20 ns, though it is told on the next whole one: no work is lost to rounding.
 */
#ifndef ORRERY_SERVE_STATION_H
#define ORRERY_SERVE_STATION_H

#include "serve/jobs.h"

enum { ORR_VIRTUAL_BITS = 20 };

/** The state of one station instance. Plain data. */
typedef struct orr_station {
    uint32_t      servers;
    uint32_t      discipline;   /**< orr_discipline */
    uint32_t      busy;         /**< jobs in service (all present ones under processor sharing) */
    uint32_t      heap, heap_capacity; /**< its run in the site's heap array */
    uint32_t      pool;         /**< the owner's: what it belongs to */
    orr_job_queue waiting;
    int64_t       due_ns;       /**< when the owner must call; ORR_NEVER when idle */
    unsigned __int128 virtual_time; /**< 2^-20 ns of work done for each job present; reset when empty */
    unsigned __int128 advanced; /**< 2^-20 ns: time to which virtual_time belongs */
    uint64_t      order;        /**< jobs started, to break ties */
    int64_t       accounted_ns; /**< the integral holds up to here */
    int64_t       busy_time;    /**< busy servers, integrated: ns since the last reset */
} orr_station;

/** A job in service: done at `at` (first come first served: ns; processor sharing: virtual time). */
typedef struct orr_station_entry {
    unsigned __int128 at;
    uint64_t          order;
    uint32_t          job, padding;
} orr_station_entry;

typedef struct orr_station_site {
    orr_array *jobs, *heaps, *events;
} orr_station_site;

void orr_station_start(orr_station *station, uint32_t servers, orr_discipline discipline);

/** A job arrives, its work_ns set. False when out of memory. */
bool orr_station_arrive(orr_station *station, const orr_station_site *site, uint32_t job, int64_t now_ns);

/** The owner calls at due_ns. */
bool orr_station_due(orr_station *station, const orr_station_site *site, int64_t now_ns);

/** The client of a job has left: it goes at once, wherever it is. */
bool orr_station_cancel(orr_station *station, const orr_station_site *site, uint32_t job, int64_t now_ns);

/** The instance is lost or taken out of service: every job is told as cancelled, those in service first. */
bool orr_station_stop(orr_station *station, const orr_station_site *site, int64_t now_ns);

/** Brings the integral up to `now_ns`. */
void orr_station_account(orr_station *station, int64_t now_ns);

static inline uint32_t orr_station_present(const orr_station *station) { return station->busy + station->waiting.count; }

#endif
