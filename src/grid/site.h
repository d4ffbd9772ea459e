/**
 * Site: the state of one process of the grid, plain data that refers to itself by index.
 *
 * A site has up to two sides. The *ingress* side has clients: their requests in flight, what its observer has been told of the grid (the
 * view), and its policy. The *serving* side has pools: instances, jobs, accounts. They meet only through messages, also
 * when they are the same site.
 */
#ifndef ORRERY_GRID_SITE_H
#define ORRERY_GRID_SITE_H

#include "base/archive.h"
#include "base/histogram.h"
#include "base/map.h"
#include "clients/arrivals.h"
#include "engine/engine.h"
#include "serve/llm.h"
#include "serve/station.h"

/** How an intention ends. */
typedef enum orr_end { ORR_SERVED, ORR_REFUSED, ORR_ABANDONED, ORR_FAILED, ORR_ENDS } orr_end;

/** Why an attempt came to nothing. */
typedef enum orr_reason {
    ORR_REASON_NONE,
    ORR_REASON_QUEUE_FULL,     /**< the pool's queue was at its limit */
    ORR_REASON_POLICY,         /**< the policy refused */
    ORR_REASON_NOT_PERMITTED,  /**< no pool to which the data may go */
    ORR_REASON_TOO_LONG,       /**< the pool's cache cannot hold it */
    ORR_REASON_TIMEOUT,        /**< no first token in time */
    ORR_REASON_IMPATIENCE,     /**< the client left */
    ORR_REASON_UNAVAILABLE,    /**< no replica of the pool in service */
    ORR_REASON_LOST,           /**< what served it failed */
    ORR_REASONS
} orr_reason;

enum { ORR_METRIC_TTFT, ORR_METRIC_TPOT, ORR_METRIC_E2E, ORR_METRICS };

/** A request in flight, at its ingress. At most 128 bytes, two cache lines. */
typedef struct orr_request {
    uint32_t turn; /**< of the session; while the place is free, the next free one */
    uint32_t cohort, number, client;
    uint32_t row;      /**< pool of the current attempt, ORR_NONE while pausing */
    uint16_t attempt, deferrals;
    uint8_t  live, sampled, measured;
    uint8_t  reason; /**< of the latest failure */
    uint32_t thinking, images;       /**< tokens at the beginning of the answer that are thought, not said; images in the prompt */
    uint32_t input, history, output; /**< tokens; the input is the class's prefix, then the history, and something new */
    uint32_t since;                  /**< the turn at which its present history began */
    double   access_normal;
    int64_t  began_ns;     /**< on the client's clock, before its access network */
    int64_t  leaves_ns;    /**< when its patience ends (ingress clock); ORR_NEVER */
    orr_timer_id give_up;  /**< until the first token is heard of; 0: none */
    int64_t  down_ns;      /**< access delay of the answer */
    int64_t  state_age_ns; /**< of the decision; -1 without a report */
} orr_request;
static_assert(sizeof(orr_request) <= 128, "a request in flight takes two cache lines");

/** A client between two turns. */
typedef struct orr_thinking {
    uint32_t next_free;
    uint32_t cohort; /**< at the site */
    orr_turn next;
} orr_thinking;

/** The timer that is set for an instance. */
typedef struct orr_armed {
    int64_t      due_ns; /**< ORR_NEVER: none */
    orr_timer_id timer;
} orr_armed;

typedef enum orr_replica_state { ORR_REPLICA_UP, ORR_REPLICA_LOADING, ORR_REPLICA_DRAINING, ORR_REPLICA_DOWN, ORR_REPLICA_OFF } orr_replica_state;

/** Whether a replica is in service (replicas.c). */
typedef struct orr_replica {
    uint32_t     state;  /**< orr_replica_state */
    uint32_t     broken; /**< how much of what it stands on has failed */
    uint32_t     to;     /**< pool that gets its accelerators when it is off; ORR_NONE */
    uint32_t     padding;
    orr_timer_id timer;
} orr_replica;

/** What fails at a time: a run of replicas, by their places. */
typedef struct orr_unit {
    uint64_t entity;
    double   parts;    /**< how many of what fails are under it */
    uint32_t failure;  /**< of the world */
    uint32_t first, count;
    uint32_t failures; /**< so far */
    uint32_t broken, padding;
} orr_unit;

/** Exact counts of one cohort. Every offered intention ends once. */
typedef struct orr_cohort_counts {
    uint64_t offered, ended[ORR_ENDS], retries, deferred, attempts, late, slo_met, measured;
    uint64_t reasons[ORR_REASONS];
    uint64_t tokens[3]; /**< delivered, by kind */
    unsigned __int128 cost; /**< of delivered answers, nano-yuan */
    uint64_t decisions, bad_decisions;
    uint64_t refusals;                     /**< attempts that a site refused, as heard here */
    uint64_t late_answers, late_tokens[3]; /**< answers that came when the client had gone */
    unsigned __int128 late_cost;
} orr_cohort_counts;

/** State of one cohort at its ingress. */
typedef struct orr_cohort_state {
    orr_arrivals      arrivals;
    uint64_t          pending; /**< 1 while another arrival is to come */
    uint64_t          thinking; /**< clients who are going to ask again */
    orr_cohort_counts counts;
    orr_histogram     latency[ORR_METRICS]; /**< since the last flush */
} orr_cohort_state;

/** Counts of one ingress for the time series, since the last flush. */
typedef struct orr_flow {
    uint64_t offered, ended[ORR_ENDS], slo_met, attempts, reasons[ORR_REASONS];
} orr_flow;

/** One finished request to be written. */
typedef struct orr_request_row {
    int64_t  final_ns, began_ns, ttft_ns, tpot_ns, e2e_ns, server_wait_ns, server_first_ns, server_total_ns, state_age_ns;
    int64_t  cost;
    uint64_t sequence; /**< order in which its ingress finished its sampled requests */
    uint32_t ingress, cohort, number, turn, client, row;
    uint32_t tokens[3];
    uint16_t class_, attempts;
    uint8_t  end, reason, slo_met, padding[5];
} orr_request_row;

/** Exact counts of one pool. */
typedef struct orr_pool_counts {
    uint64_t arrived, done, cancelled, refused, handed_over;
    uint64_t lost;               /**< of the cancelled: for clients who were still there */
    uint64_t failures, loads;    /**< of replicas */
    unsigned __int128 held_taken; /**< of held_time, what electricity has been reckoned for */
    unsigned __int128 up_time, held_time; /**< replicas in service, and with accelerators, integrated: ns */
    int64_t  up_since_ns;
    uint32_t up, held;
    uint64_t tokens[3];          /**< metered */
    uint64_t cancelled_tokens[3]; /**< of these, for clients who had left */
    uint64_t cancelled_prompt;    /**< prompt tokens computed for clients who left before the first token; not rated */
    unsigned __int128 cost, cancelled_cost; /**< rated, nano-yuan */
    /* Little's law, exactly: the integral of the number present is the sum of the times spent. */
    unsigned __int128 present_time, sojourn_time; /**< ns */
    int64_t  present_since_ns;
    uint32_t present;
    int64_t  service_mean_ns; /**< moving average of time in service, for the reports */
    uint64_t gaps;               /**< between two tokens of one answer, up to the last flush */
    unsigned __int128 gap_time;  /**< their sum, ns */
    int64_t  gap_largest;
    /* since the last flush */
    uint64_t bin_arrived, bin_done, bin_refused, bin_tokens;
} orr_pool_counts;

typedef struct orr_pool_state {
    orr_pool_counts counts;
    int64_t  price[ORR_TOKEN_KINDS]; /**< in force, nano-yuan per million tokens */
    orr_histogram gaps; /**< between two tokens of one answer, at the server, since the last flush */
    uint32_t first;  /**< first instance: index into llms or stations */
    uint32_t account; /**< first of its carries: classes x kinds */
} orr_pool_state;

/** Which report of a serving site an observer's columns hold, -1 if none; until when there can be no newer one. */
typedef struct orr_shown {
    int64_t report, until_ns;
} orr_shown;

/** A request that reports known until then cannot have counted. */
typedef struct orr_unheard {
    int64_t  until_ns;
    uint32_t row, padding;
} orr_unheard;

/** A row of a report, on a board or in a message. */
typedef struct orr_report_row {
    uint32_t pool, running, waiting, kv_used_ppm, received;
    uint32_t padding;
    int64_t  token_ns, wait_ns;
} orr_report_row;

/** The state. Every array is owned. */
typedef struct orr_site {
    uint32_t id, padding;

    /* ingress side */
    orr_array cohorts;  /**< orr_cohort_state, of world cohorts from site_cohort_start on */
    orr_array requests; /**< orr_request */
    uint32_t  free_request, in_flight;
    orr_array thinking; /**< orr_thinking */
    uint32_t  free_thinking, padding3;
    orr_array as_of, running, waiting, kv_used, token, wait; /**< columns of the view, if it has any (telemetry.h): one entry per world pool */
    orr_array shown;    /**< orr_shown per compute site, with columns */
    orr_array own, sent; /**< uint32_t per world pool: sent and not yet known to have been counted there; sent ever (reports by message) */
    orr_array unheard;  /**< orr_unheard: a heap, the earliest first */
    orr_array price;    /**< int64_t[3][pools]: now */
    orr_array policy;   /**< bytes of the policy's state */
    orr_array block_names; /**< room for the names of a prompt's parts while its place is decided on; always empty */
    orr_flow  flow;
    orr_array bytes;    /**< uint64_t[2] per compute site: sent and received since the last flush */
    uint64_t  bytes_sent, bytes_received; /**< ever */
    orr_array rows;     /**< orr_request_row to be written */
    uint64_t  row_sequence;
    orr_histogram state_age; /**< of all decisions */
    int64_t   last_end_ns;

    /* serving side */
    orr_array pools;    /**< orr_pool_state, of world site_pools from site_pool_start on */
    orr_array llms, stations, llm_heaps, station_heaps; /**< instances and what they refer to */
    orr_array prefix_nodes, prefix_shortcuts; /**< orr_prefix_node; uint32_t per llm and class (serve/prefix.h) */
    orr_map   prefix_by_key;
    orr_array armed;    /**< orr_armed per llm and then per station */
    orr_array egress;   /**< int64_t per llm: when its network port has sent all KV that was handed over, ns */
    orr_array replicas; /**< orr_replica, laid out the same */
    orr_array units;    /**< orr_unit */
    orr_array present;  /**< uint32_t per llm and then per station: jobs there, and ORR_AWAY if it takes no more (server.h) */
    orr_array winners;  /**< uint32_t, laid out the same: per pool a tournament for the replica with the least (winners.h) */
    orr_array jobs;     /**< orr_job */
    uint32_t  free_job, free_prefix; /**< heads of free lists */
    orr_map   by_request; /**< ingress and request slot -> job, for requests that may be given up */
    orr_array board;    /**< orr_report_row [board_slots][pool at site]: the latest reports (telemetry.h) */
    uint64_t  board_slots; /**< a power of two, no state; 0: reports go by message */
    orr_array under_way; /**< uint32_t [pool at site] requests sent here and not yet arrived (oracles) */
    orr_array received; /**< uint32_t [pool at site][ingress] requests received (reports by message) */
    orr_array carry;    /**< uint32_t accounts of the meter */
    orr_array rated;    /**< uint64_t [pool at site][tariff][kind] tokens rated: from which the audit reckons the money anew */
    orr_array tariff;   /**< uint32_t per service: row of the tariff in force */
    orr_array traced;   /**< orr_llm_span of the replica whose iterations are written, since the last flush */
    orr_array outbox, spans, gaps; /**< orr_job_event, orr_llm_span and orr_llm_gap, empty between events */
    uint64_t  reports;  /**< ticks of telemetry so far */
    uint64_t  bytes_taken, bytes_given; /**< of requests received and answers sent, ever */
    uint64_t  violations; /**< requests that should not have come here: their data may not */

    orr_shelf shelf;    /**< counters of all histograms above */
} orr_site;

/** Saves, loads or frees a site (per the archive's mode). Loading takes a site made by orr_site_init. */
void orr_site_archive(orr_site *site, orr_archive *archive);

/** An empty site. Owns nothing yet. */
void orr_site_init(orr_site *site, uint32_t id);

#endif
