/**
 * Policies: who chooses the site.
 *
 * A policy is a table of functions. It sees a *view*: what one observer has been told of the grid, each column with
 * the time that it describes, and never the truth (but for an oracle, which says that it is one: `sees_truth`). It answers with a decision, which the host checks (does the row exist, serve
 * what was asked, and may the data go there) and carries out; a bad decision is counted and replaced, it never
 * breaks a run. Built-in policies and `.so` files use this same door.
 *
 * A shared object exports one function, `const orr_policy *orr_policy_entry(void)`. Compile it with this header alone.
 *
 * Stability: the ABI only grows. Every struct begins with its own size; a field lies inside it only if its offset does. A NULL
 * function means the default.
 *
 * One policy instance serves one observer (an ingress). Its state is one block of plain bytes that the host owns, so that a
 * checkpoint can carry it: no pointers in it, and nothing outside it that changes.
 */
#ifndef ORRERY_POLICY_H
#define ORRERY_POLICY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ORR_POLICY_ABI = 1 };

/** What is known for the whole run. Rows are pools: replicas of one service at one site. All arrays are borrowed and live as long as the run. */
typedef struct orr_policy_world {
    size_t          size;
    uint32_t        rows, services, classes;
    uint32_t        observer;        /**< stable number of this observer among all */
    const char     *observer_name;   /**< its site */
    const char *const *row_name;     /**< per row */
    const uint32_t *row_site;        /**< per row: number of its site */
    const uint32_t *row_service;     /**< per row */
    const uint32_t *row_slots;       /**< per row: requests that it serves at a time when all is well */
    const int64_t  *row_delay_ns;    /**< per row: one-way network delay from the observer */
    const double   *row_token_ns;    /**< per row: time per output token with an empty cache and one request; a station: mean service time */
    const double   *row_prefill_ns;  /**< per row: time per prompt token in a full iteration; a station: 0 */
    const char *const *class_name;   /**< per class */
    const double   *options;         /**< what init and route are given: one value per entry of the policy's table */
} orr_policy_world;

/** What the observer knows now. Columns have one entry per row; `as_of_ns` dates the reported ones. */
typedef struct orr_policy_view {
    size_t          size;
    int64_t         now_ns;
    uint32_t        rows;
    const int64_t  *as_of_ns;     /**< time that the reported columns of a row describe; -1: no report yet, they are zero */
    const uint32_t *running;      /**< reported: requests in service */
    const uint32_t *waiting;      /**< reported: requests in queue */
    const uint32_t *kv_used_ppm;  /**< reported: share of the cache in use, parts per million */
    const int64_t  *token_ns;     /**< reported: time per output token now; 0 when idle */
    const int64_t  *wait_ns;      /**< reported: expected wait of a newcomer */
    const uint32_t *own;          /**< sent by this observer and not yet in the report; all zero when the scenario turns it off */
    const int64_t  *price[3];     /**< nano-yuan per million tokens now: cached input, input, output */
} orr_policy_view;

/** What the observer knows of one row: the same as the columns of the view. Returned by value, so fixed as it is. */
typedef struct orr_policy_row {
    int64_t  as_of_ns, token_ns, wait_ns;
    uint32_t running, waiting, kv_used_ppm, own;
} orr_policy_row;

/** One request at the moment of decision. */
typedef struct orr_policy_request {
    size_t          size;
    uint64_t        id;             /**< the same under every policy */
    uint32_t        client_class, service;
    uint32_t        attempt;        /**< 0 for the first */
    uint32_t        input_tokens;   /**< prompt, the shared prefix included */
    uint32_t        prefix_tokens;
    double          expected_output_tokens; /**< mean of the class's law */
    int64_t         slo_first_token_ns, slo_total_ns; /**< INT64_MAX: none */
    const uint32_t *candidates;     /**< rows that serve it and to which its data may go, ascending: the same for all requests of a class */
    uint32_t        candidate_count; /**< at least 1 */
    const uint64_t *candidate_slots; /**< running sum: slots of candidates 0..i */
    uint64_t        session;        /**< the same for all turns of a session (or of a user in a closed loop), and under every policy */
    uint32_t        turn;           /**< 0 for the first */
    uint32_t        history_tokens; /**< of the prompt, after the shared prefix: what earlier turns of the session left */
    const uint64_t *blocks;         /**< names of the leading parts of the prompt, in order: equal names, equal tokens up to the end of that part. NULL if the policy does
                                         not want them; borrowed until it returns */
    uint32_t        block_count;    /**< 0 for a prompt of which nothing is known that others could share */
    uint32_t        block_tokens;   /**< of each part but the first */
    uint32_t        head_tokens;    /**< of the first part: the shared prefix as a part of its own, if there is one; else as the others */
} orr_policy_request;

typedef enum orr_action {
    ORR_ROUTE = 0, /**< send it to `row` */
    ORR_DEFER = 1, /**< ask again after `defer_ns` */
    ORR_REJECT = 2, /**< refuse it */
    /* 3 HEDGE, 4 DOWNGRADE, 5 BUY are reserved; a host that does not know an action treats it as a bad decision */
} orr_action;

typedef struct orr_decision {
    size_t     size;
    orr_action action;
    uint32_t   row;
    int64_t    defer_ns;
} orr_decision;

/** What a policy may ask of the host. */
typedef struct orr_policy_host {
    size_t size;
    void  *context;
    /** 64 random bits that belong to this request, attempt and number `k`: the same on every run, whatever was drawn elsewhere. */
    uint64_t (*draw)(void *context, const orr_policy_request *request, uint32_t k);
    /** One row of the view as it is now; only while a decision is asked for. */
    orr_policy_row (*look)(void *context, uint32_t row);
} orr_policy_host;

/** An option that a scenario may set under `policy.options`. */
typedef struct orr_policy_option {
    const char *name;
    double      fallback, low, high; /**< inclusive bounds */
    const char *meaning;
    int         whole; /**< not 0: whole numbers only */
} orr_policy_option;

typedef struct orr_policy orr_policy;
struct orr_policy {
    size_t                   size;
    uint32_t                 abi; /**< ORR_POLICY_ABI */
    const char              *name;
    const char              *summary;
    const orr_policy_option *options;
    uint32_t                 option_count;

    /** Bytes of state for one observer; the host gives them zeroed. NULL: none. */
    size_t (*state_size)(const orr_policy_world *world);
    /** Prepares the state; `options` holds one value per entry of the table. Returns 0, or anything else to refuse. NULL: nothing to do. */
    int (*init)(void *state, const orr_policy_host *host, const orr_policy_world *world, const double *options);
    /** Chooses for one request. `decision` comes as ROUTE to the first candidate. Required. */
    void (*route)(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision);
    /** Not 0: reads what is reported through `host->look` alone. The reported columns of the view may then be NULL, and a decision costs nothing for
     *  rows that it does not look at: the way for policies that compare few of many. */
    uint64_t looks;
    /** Not 0: reads the names of the parts of prompts (orr_policy_request.blocks), which the host makes for such policies only. */
    uint64_t wants_blocks;
    /** Not 0: an oracle. `host->look` shows the true state of a row at this instant, requests that are under way to it (from any observer) among those that wait. No real
     *  policy can know that: it is a bound for others, all results flag it, and the run has one partition. Needs `looks`. */
    uint64_t sees_truth;
};

/** What a shared object exports. */
typedef const orr_policy *(*orr_policy_entry_function)(void);
#define ORR_POLICY_ENTRY "orr_policy_entry"

#ifdef __cplusplus
}
#endif

#endif
