/**
 * Engine: processes that exchange messages, on one time line.
 *
 * A *process* (a site, to the model; the engine does not know) has its own state and clock. It sets *timers* for itself and sends
 * *messages* to others; a message to another process takes at least the lookahead. Processes are spread over *lanes*, each with
 * its own pending events; lanes advance window by window, a window being no longer than the lookahead, so that
 * nothing sent inside a window can arrive inside it. A run on one lane is the same program with one window.
 *
 * Invariant: events of one process happen in the order (time, origin, origin's sequence number). All three are the
 * process's own doing, so no result depends on how processes are spread over lanes or in which order lanes run.
 *
 * Conservative windows: Nicol, "The cost of conservative synchronization in parallel discrete event simulations",
 * J. ACM 40(2), 1993.
 */
#ifndef ORRERY_ENGINE_ENGINE_H
#define ORRERY_ENGINE_ENGINE_H

#include "base/archive.h"
#include "base/problems.h"

#include <signal.h>

typedef struct orr_engine orr_engine;
/** What a handler is given: the place where it runs and its way to schedule. Valid during the call only. */
typedef struct orr_lane orr_lane;

enum {
    ORR_KINDS = 64,              /**< timer kinds and message kinds are each below this */
    ORR_MESSAGE_LONGEST = 65536, /**< bytes of payload */
};

/** The head of a message; its payload of plain data follows in memory, 8-byte aligned. The same bytes between lanes and in a checkpoint. */
typedef struct orr_message {
    int64_t  sent; /**< ns */
    uint32_t source, destination;
    uint16_t kind, version;
    uint32_t length; /**< bytes of payload */
} orr_message;

/** What happens: the model's two entrances. */
typedef struct orr_model {
    void *context;
    void (*timer)(void *context, orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle);
    /** `message` and its payload are borrowed until the call returns. */
    void (*message)(void *context, orr_lane *lane, const orr_message *message, const void *payload);
    /** May be NULL. An event of `process` will come soon: a model whose state is larger than the cache may prefetch it, and do nothing else. */
    void (*soon)(void *context, uint32_t process);
} orr_model;

typedef struct orr_engine_config {
    uint32_t        processes; /**< at least 1, below 2^24 */
    const uint32_t *origin;    /**< per process: its unique rank in event order, derived from its name; NULL: its index */
    uint32_t        lanes;     /**< 1 or more */
    const uint32_t *lane_of;   /**< per process; NULL: all on lane 0 */
    int64_t         lookahead; /**< ns > 0: no message between processes of different lanes takes less; unused with one lane */
    bool            threads;   /**< each lane on a thread of its own; handlers must then touch nothing that another lane's processes change */
    uint64_t        shuffle;   /**< not 0 (and no threads): run the lanes of each window in an order shuffled by this seed (a self-check: results must not change) */
} orr_engine_config;

/** NULL when out of memory. The arrays in `config` are copied. */
orr_engine *orr_engine_create(const orr_engine_config *config, const orr_model *model);
void        orr_engine_destroy(orr_engine *engine);

/**
 * Runs every event earlier than `until` (ns). ORR_OK, or the first failure that a handler reported (orr_fail), or
 * ORR_NO_MEMORY, or ORR_INTERRUPTED soon after `*stop` (may be NULL) became non-zero.
 */
orr_status orr_engine_run(orr_engine *engine, int64_t until, const volatile sig_atomic_t *stop);

/** Time of the first pending event, ORR_NEVER if none; it may be a timer that was cancelled. */
int64_t orr_engine_next(orr_engine *engine);

/** How many events have been run; timers and messages alike. */
uint64_t orr_engine_events(const orr_engine *engine);

/** A lane to schedule the first events from, before the first run. */
orr_lane *orr_engine_lane_of(orr_engine *engine, uint32_t process);

/** Calls back for every message that has been sent and not yet received, in no particular order; for audits. */
void orr_engine_each_message(const orr_engine *engine, void (*visit)(void *context, const orr_message *message, const void *payload), void *context);

/**
 * Saves or loads pending events and clocks. What is saved does not depend on the number of lanes, and may be loaded
 * into an engine with another number. Loading takes a newly created engine.
 */
void orr_engine_archive(orr_engine *engine, orr_archive *archive);

int64_t orr_now(const orr_lane *lane);

/** Sets a timer of `kind` for `process` (one of this lane) at `at` >= now; ORR_NEVER: none. */
void orr_timer(orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle, int64_t at);

/** Names a timer that can be cancelled: a place, and which of those that have used the place it is. 0 is no timer. Plain data, valid in a checkpoint. */
typedef uint64_t orr_timer_id;

/** A timer as above that can be cancelled, at the price of 8 bytes and a look at them when it is due. 0 when `at` is ORR_NEVER or out of memory (orr_fail). */
orr_timer_id orr_timer_set(orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle, int64_t at);

/** The timer will not happen. False if there is none of this name any more: it has happened or was cancelled, and `id` may have been 0. */
bool orr_timer_cancel(orr_lane *lane, uint32_t process, orr_timer_id id);

/**
 * Sends `length` bytes from `source` (on this lane) to `destination`, to arrive at `arrives`: at least the lookahead from now,
 * unless source and destination are the same process.
 */
void orr_send(orr_lane *lane, uint32_t source, uint32_t destination, uint32_t kind, const void *payload, uint32_t length,
              int64_t arrives);

/** Reports a failure: the run ends with it after this event. The first one counts. */
void orr_fail(orr_lane *lane, orr_status status);

#endif
