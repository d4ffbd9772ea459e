/**
 * Policy host: between what an observer knows and what it does.
 *
 * It finds the policy (built in, or a shared object), checks its options, asks it, and checks what it answers: a row that
 * does not exist, does not serve the request, or lies where its data may not go is counted and replaced by the nearest candidate. A
 * bad policy can make a run worse, never wrong.
 */
#ifndef ORRERY_BRAIN_HOST_H
#define ORRERY_BRAIN_HOST_H

#include "base/problems.h"
#include "net/routes.h"
#include "orrery/policy.h"
#include "serve/roofline.h"

/** Candidate rows by class and ingress, and the tables that policies see. Immutable during a run. */
typedef struct orr_host {
    const orr_policy *policy;
    void             *library;     /**< of a shared object, NULL for a built-in */
    double           *options;
    const orr_world  *world;
    uint64_t         *candidate_slots; /**< running sums of slots, laid out like the candidates */
    uint32_t         *candidates, *candidate_start; /**< those of (class, ingress) are [start[k], start[k+1]) with k = class * ingress_count + ingress */
    orr_policy_world *observers;   /**< per ingress */
    /* what the observers' tables point to */
    const char **row_name, **class_name;
    uint32_t    *row_site, *row_service, *row_slots;
    int64_t     *row_delay;        /**< [ingress][row] */
    double      *row_token, *row_prefill;
    uint32_t    *zeros;            /**< the own-decisions column when it is off */
} orr_host;

/**
 * Finds the policy called `name` (a built-in's name, or a path with a slash or ending in .so), checks the scenario's options and
 * builds the tables. Problems: unknown policy (the nearest), a file that cannot be loaded or has another ABI, unknown or
 * out-of-range options.
 */
orr_status orr_host_create(orr_host *host, const orr_world *world, const orr_routes *routes, const orr_roofline *rooflines, orr_problems *problems);
void       orr_host_destroy(orr_host *host);

/** Bytes of state that one observer's policy needs. */
size_t orr_host_state_size(const orr_host *host, uint32_t ingress);

/** Prepares one observer's zeroed state. ORR_POLICY_FAILED if the policy refuses. */
orr_status orr_host_start(const orr_host *host, uint32_t ingress, void *state);

/** The candidates of a class at an ingress. */
static inline const uint32_t *orr_host_candidates(const orr_host *host, uint32_t class_, uint32_t ingress, uint32_t *count)
{
    const uint32_t *start = host->candidate_start + (size_t)class_ * host->world->ingress_count + ingress;
    *count = start[1] - start[0];
    return host->candidates + start[0];
}

/** True if the policy reads what is reported through `look` alone: then the view needs no such columns. */
bool orr_host_looks(const orr_host *host);

/** Is the policy an oracle, whose looks show the truth? */
bool orr_host_sees_truth(const orr_host *host);

/** True if the policy is to be given the names of the parts of prompts. */
bool orr_host_wants_blocks(const orr_host *host);

/** How a policy looks at one row of the view. */
typedef struct orr_look {
    orr_policy_row (*row)(const void *context, uint32_t row);
    const void *context;
} orr_look;

/** Asks the policy; `look` may be NULL where none looks. Returns a valid decision; `*bad` tells whether it had to be replaced. */
orr_decision orr_host_decide(const orr_host *host, uint32_t ingress, void *state, const orr_policy_view *view, const orr_policy_request *request, const orr_look *look,
                             bool *bad);

#endif
