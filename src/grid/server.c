/* The serving side: from a request's arrival at its pool to its last token. Invariants: a job is in exactly one place (a queue, a
 * batch, in service) until it ends; what ends is answered once; every token that is produced is metered to a job. */
#include "base/random.h"
#include "base/time.h"
#include "clients/turns.h"
#include "grid/server.h"
#include "tokens/meter.h"

#include <gsl/gsl_randist.h>
#include <math.h>

enum { SERVICE_MEAN_SHIFT = 4 };

void orr_count_at(const orr_grid *g, orr_site *s, uint32_t pool, uint32_t instance, int change)
{
    const orr_pool_state *state = orr_pool_state_of(g, s, pool);
    uint32_t first = orr_place_of(s, orr_pool_is_llm(g, pool), state->first), replica = instance - state->first, *present = (uint32_t *)s->present.items + first;
    present[replica] += (uint32_t)change;
    orr_winners_update((uint32_t *)s->winners.items + first, present, g->world->pools[pool].replicas, replica);
}

uint32_t orr_least_loaded(const orr_grid *g, orr_site *s, uint32_t pool)
{
    const orr_pool_state *state = orr_pool_state_of(g, s, pool);
    uint32_t first = orr_place_of(s, orr_pool_is_llm(g, pool), state->first), replica = orr_winners_least((uint32_t *)s->winners.items + first, g->world->pools[pool].replicas);
    return ((uint32_t *)s->present.items)[first + replica] >= ORR_AWAY ? ORR_NONE : state->first + replica;
}

static orr_armed *armed_of(orr_site *s, bool llm, uint32_t instance) { return (orr_armed *)s->armed.items + orr_place_of(s, llm, instance); }

void orr_arm(orr_lane *lane, orr_site *s, bool llm, uint32_t instance)
{
    int64_t due = llm ? ((orr_llm *)s->llms.items)[instance].due_ns : ((orr_station *)s->stations.items)[instance].due_ns;
    orr_armed *armed = armed_of(s, llm, instance);
    if (due == armed->due_ns)
        return;
    orr_timer_cancel(lane, s->id, armed->timer);
    *armed = (orr_armed){due, orr_timer_set(lane, s->id, llm ? ORR_TIMER_LLM : ORR_TIMER_STATION, instance, due)};
}

/* Pools may be large: instances and their arrays are laid out once. */
static bool build_pools(orr_grid *g, orr_lane *lane, orr_site *s)
{
    const orr_world *w = g->world;
    uint32_t first = w->site_pool_start[s->id], end = w->site_pool_start[s->id + 1];
    for (uint32_t i = first; i < end; i++) {
        const orr_pool *p = &w->pools[w->site_pools[i]];
        bool llm = orr_pool_is_llm(g, w->site_pools[i]);
        orr_pool_state *state = orr_array_extend(&s->pools, 1);
        if (state == NULL)
            return false;
        state->account = s->carry.count;
        state->first = llm ? s->llms.count : s->stations.count;
        state->counts.service_mean_ns = (int64_t)w->services[p->service].mean_ns;
        if (!orr_array_extend(&s->carry, (size_t)w->class_count * ORR_TOKEN_KINDS) || (w->tariff_count > 0 && !orr_array_extend(&s->rated, (size_t)w->tariff_count * ORR_TOKEN_KINDS)))
            return false;
        for (uint32_t k = 0; k < p->replicas; k++) {
            if (!llm) {
                orr_station *station = orr_array_extend(&s->stations, 1);
                if (station == NULL)
                    return false;
                orr_station_start(station, p->servers, w->services[p->service].discipline);
                station->pool = w->site_pools[i];
                continue;
            }
            orr_llm *instance = orr_array_extend(&s->llms, 1);
            if (instance == NULL)
                return false;
            orr_llm_start(instance, s->llms.count);
            instance->pool = w->site_pools[i];
            instance->number = s->llms.count - 1;
            instance->heap = s->llm_heaps.count;
            instance->shortcuts = s->prefix_shortcuts.count;
            if (!orr_array_extend(&s->llm_heaps, p->max_batch) || !orr_array_extend(&s->prefix_shortcuts, w->class_count))
                return false;
        }
    }
    uint32_t instances = s->llms.count + s->stations.count;
    if ((s->llms.count > 0 && !orr_array_extend(&s->egress, s->llms.count)) || !orr_array_extend(&s->armed, instances) || !orr_array_extend(&s->present, instances) || !orr_array_extend(&s->winners, instances) || !orr_array_extend(&s->tariff, w->service_count))
        return false;
    for (uint32_t i = 0; i < instances; i++)
        ((orr_armed *)s->armed.items)[i].due_ns = ORR_NEVER;
    if (!orr_replicas_start(g, lane, s))
        return false;
    for (uint32_t i = first; i < end; i++) {
        uint32_t pool = w->site_pools[i], at = orr_place_of(s, orr_pool_is_llm(g, pool), ((orr_pool_state *)orr_array_at(&s->pools, i - first))->first);
        orr_winners_start((uint32_t *)s->winners.items + at, (uint32_t *)s->present.items + at, w->pools[pool].replicas);
    }
    return true;
}

static void read_tariffs(orr_grid *g, orr_site *s, int64_t now)
{
    const orr_world *w = g->world;
    for (uint32_t i = 0; i < w->service_count; i++)
        ((uint32_t *)s->tariff.items)[i] = orr_world_tariff(w, w->services[i].model, now);
    for (uint32_t i = 0; i < s->pools.count; i++) {
        uint32_t pool = w->site_pools[w->site_pool_start[s->id] + i], tariff = ((uint32_t *)s->tariff.items)[w->pools[pool].service];
        for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
            ((orr_pool_state *)orr_array_at(&s->pools, i))->price[kind] = tariff == ORR_NONE ? 0 : orr_world_price(w, pool, tariff, kind);
    }
}

void orr_server_start(orr_grid *g, orr_lane *lane, orr_site *s)
{
    if (!build_pools(g, lane, s) || !orr_telemetry_open_board(g, s)) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    read_tariffs(g, s, 0);
    orr_telemetry_start(g, lane, s);
}

/* Rates tokens of a job at the price now in force. */
static void rate(orr_grid *g, orr_site *s, orr_job *j, int kind, uint64_t tokens)
{
    const orr_world *w = g->world;
    const orr_pool *p = &w->pools[j->pool];
    orr_pool_state *state = orr_pool_state_of(g, s, j->pool);
    uint32_t tariff = ((uint32_t *)s->tariff.items)[p->service];
    state->counts.tokens[kind] += tokens;
    state->counts.bin_tokens += tokens;
    if (tariff == ORR_NONE)
        return;
    ((uint64_t *)s->rated.items)[((size_t)g->place[j->pool] * w->tariff_count + tariff) * ORR_TOKEN_KINDS + (uint32_t)kind] += tokens;
    uint32_t *carry = (uint32_t *)s->carry.items + state->account + j->class_ * ORR_TOKEN_KINDS + kind;
    int64_t amount = orr_meter_rate(carry, tokens, state->price[kind]);
    j->cost += amount;
    state->counts.cost += (uint64_t)amount;
}

void orr_rate_output(orr_grid *g, orr_site *s, orr_job *j, uint32_t generated)
{
    if (generated <= j->rated)
        return;
    rate(g, s, j, ORR_OUTPUT, generated - j->rated);
    j->rated = generated;
}

void orr_note_service(orr_pool_counts *c, int64_t took_ns) { c->service_mean_ns += (took_ns - c->service_mean_ns) / (1 << SERVICE_MEAN_SHIFT); }

void orr_count_present(orr_pool_counts *c, int64_t now, int change)
{
    c->present_time += (unsigned __int128)((__int128)c->present * (now - c->present_since_ns)); /* a run without duration may end before its last events */
    c->present_since_ns = now;
    c->present += (uint32_t)change;
}

static orr_attempt_id id_of(const orr_job *j) { return (orr_attempt_id){j->client, j->cohort, j->number, j->attempt, j->turn}; }

static void reply(orr_grid *g, orr_lane *lane, orr_site *s, const orr_job *j)
{
    const orr_class *class = &g->world->classes[j->class_];
    int64_t now = orr_now(lane);
    orr_done_message m = {.id = id_of(j), .pool = j->entry,
                          .tokens = {j->cached, j->input - j->cached, j->output}, .arrived_ns = j->arrived_ns, .started_ns = j->started_ns,
                          .first_ns = j->first_ns, .done_ns = now, .cost = j->cost,
                          .bytes = class->response_bytes + class->bytes_per_output_token * j->output};
    s->bytes_given += m.bytes;
    orr_send(lane, s->id, j->ingress, ORR_MESSAGE_DONE, &m, sizeof m, now + orr_grid_delay(g, j->ingress, s->id));
}

static uint64_t request_key(uint32_t ingress, uint32_t slot) { return (uint64_t)ingress << 32 | slot; }

void orr_end_job(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t index, bool cancelled)
{
    orr_job *j = orr_job_at(&s->jobs, index);
    orr_pool_state *state = orr_pool_state_of(g, s, j->pool);
    orr_pool_counts *c = &state->counts;
    int64_t now = orr_now(lane);
    uint32_t pool = j->pool, instance = j->instance;
    orr_count_present(c, now, -1);
    c->sojourn_time += (uint64_t)(now - j->arrived_ns);
    orr_count_at(g, s, j->pool, j->instance, -1);
    if (orr_map_get(&s->by_request, request_key(j->ingress, j->client)) == index)
        orr_map_remove(&s->by_request, request_key(j->ingress, j->client));
    if (cancelled) {
        bool prompt_done = j->first_ns != 0;
        c->cancelled++;
        c->cancelled_tokens[ORR_CACHED_INPUT] += j->cached;
        c->cancelled_tokens[ORR_INPUT] += prompt_done ? j->input - j->cached : 0;
        c->cancelled_tokens[ORR_OUTPUT] += j->rated;
        c->cancelled_cost += (uint64_t)j->cost;
        c->cancelled_prompt += prompt_done ? 0 : j->computed - j->cached;
    } else {
        c->done++;
        c->bin_done++;
        orr_note_service(c, now - j->started_ns);
    }
    orr_array_give(&s->jobs, &s->free_job, index);
    orr_replica_relieved(g, lane, s, pool, instance);
}

void orr_tell_lost(orr_grid *g, orr_lane *lane, orr_site *s, const orr_job *j, int64_t detection)
{
    int64_t now = orr_now(lane);
    orr_done_message no = {.id = id_of(j), .pool = j->entry, .refused = ORR_REASON_LOST, .arrived_ns = j->arrived_ns, .started_ns = now, .first_ns = now, .done_ns = now,
                           .bytes = g->world->classes[j->class_].response_bytes};
    s->bytes_given += no.bytes;
    orr_pool_state_of(g, s, j->pool)->counts.lost++;
    orr_send(lane, s->id, j->ingress, ORR_MESSAGE_DONE, &no, sizeof no, now + detection + orr_grid_delay(g, j->ingress, s->id));
}

/* The prompt is in the cache: what was computed of it is rated, and a client who would not wait for ever hears the first token. */
static void prompt_is_done(orr_grid *g, orr_lane *lane, orr_site *s, orr_job *j)
{
    rate(g, s, j, ORR_INPUT, j->input - j->cached);
    orr_first_message m = {.id = id_of(j)};
    if (j->may_cancel && j->output > 1)
        orr_send(lane, s->id, j->ingress, ORR_MESSAGE_FIRST, &m, sizeof m, orr_now(lane) + orr_grid_delay(g, j->ingress, s->id));
}

/* Times between tokens. Every decoding sequence waits as long as the iteration takes, unless told otherwise. */
static void note_gaps(orr_grid *g, orr_lane *lane, orr_site *s)
{
    bool ok = true;
    for (uint32_t i = 0; i < s->gaps.count; i++) {
        const orr_llm_gap *gap = (orr_llm_gap *)s->gaps.items + i;
        orr_histogram *gaps = &orr_pool_state_of(g, s, ((orr_llm *)s->llms.items)[gap->instance].pool)->gaps;
        ok &= orr_histogram_record_run(gaps, &s->shelf, gap->time, 0, 1, gap->count, ORR_QUANTUM_BITS);
    }
    for (uint32_t i = 0; i < s->spans.count; i++) {
        const orr_llm_span *span = (orr_llm_span *)s->spans.items + i;
        uint32_t pool = ((orr_llm *)s->llms.items)[span->instance].pool;
        orr_pool_state *state = orr_pool_state_of(g, s, pool);
        int64_t told = span->told_apart;
        if (g->world->traced_pool == pool && g->world->traced_replica == span->instance - state->first) {
            orr_llm_span *copy = orr_array_extend(&s->traced, 1);
            ok &= copy != NULL;
            if (copy != NULL)
                *copy = *span;
        }
        if (span->decoding > 0)
            ok &= orr_histogram_record_run(&state->gaps, &s->shelf, span->first + told * span->slope, span->slope, span->iterations - told, span->decoding, ORR_QUANTUM_BITS);
    }
    if (!ok)
        orr_fail(lane, ORR_NO_MEMORY);
    s->spans.count = s->gaps.count = 0;
}

void orr_settle(orr_grid *g, orr_lane *lane, orr_site *s, bool lost, int64_t detection)
{
    note_gaps(g, lane, s);
    for (uint32_t i = 0; i < s->outbox.count; i++) {
        orr_job_event e = ((orr_job_event *)s->outbox.items)[i];
        orr_job *j = orr_job_at(&s->jobs, e.job);
        uint32_t pool = j->pool;
        if (e.outcome == ORR_ADMITTED) {
            rate(g, s, j, ORR_CACHED_INPUT, e.tokens);
            continue;
        }
        if (e.outcome == ORR_FIRST_TOKEN) {
            prompt_is_done(g, lane, s, j);
            continue;
        }
        if (e.outcome == ORR_PREFILLED) {
            orr_hand_over(g, lane, s, e.job);
            continue;
        }
        if (e.outcome == ORR_JOB_DONE) {
            if (!orr_pool_is_llm(g, pool))
                prompt_is_done(g, lane, s, j);
            orr_rate_output(g, s, j, j->output);
            reply(g, lane, s, j);
        } else if (j->first_ns != 0) {
            orr_rate_output(g, s, j, orr_llm_generated((orr_llm *)s->llms.items + j->instance, j, e.at_ns));
        }
        if (lost && e.outcome == ORR_JOB_CANCELLED && !j->cancelled)
            orr_tell_lost(g, lane, s, j, detection);
        orr_end_job(g, lane, s, e.job, e.outcome == ORR_JOB_CANCELLED);
    }
    s->outbox.count = 0;
}

void orr_server_llm(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t instance)
{
    orr_llm *l = (orr_llm *)s->llms.items + instance;
    *armed_of(s, true, instance) = (orr_armed){ORR_NEVER, 0};
    orr_llm_site at = orr_llm_site_of(g, s);
    orr_check_memory(lane, orr_llm_run(l, &g->kinds[l->pool], &at, orr_now(lane)));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, true, instance);
    orr_telemetry_changed(g, lane, s, l->pool);
}

void orr_server_station(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t instance)
{
    orr_station *station = (orr_station *)s->stations.items + instance;
    *armed_of(s, false, instance) = (orr_armed){ORR_NEVER, 0};
    orr_station_site at = orr_station_site_of(s);
    orr_check_memory(lane, orr_station_due(station, &at, orr_now(lane)));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, false, instance);
    orr_telemetry_changed(g, lane, s, station->pool);
}

/*
 * Speculative decoding: each iteration proposes `drafts` tokens and keeps them up to the first that is refused, and one more. With the chance
 * `acceptance` for each, how many iterations `tokens` tokens take is drawn at the request's address: one by one while they are few, else by the
 * central limit theorem of renewals, the mean with what the last one makes too many (Cox, Renewal Theory, 1962, 3.3 and 4.2). Leviathan et al., "Fast inference via speculative decoding", ICML 2023.
 */
static uint32_t draw_steps(const orr_grid *g, const orr_pool *p, const orr_request_message *m, uint32_t tokens)
{
    enum { FEW = 64 };
    if (p->drafts == 0 || tokens == 0)
        return tokens;
    orr_random stream;
    gsl_rng rng;
    orr_random_at(&stream, g->world->seed, ORR_STREAM_SPECULATION, orr_turn_entity(&g->world->cohorts[m->id.cohort], m->turn), m->id.number);
    orr_random_gsl(&rng, &stream);
    double mean = 0, square = 0, reach = 1; /* of the tokens per iteration: 1 + how many drafts are kept */
    for (uint32_t k = 0; k <= p->drafts; k++, reach *= p->acceptance) {
        double chance = k < p->drafts ? reach * (1 - p->acceptance) : reach;
        mean += chance * (k + 1);
        square += chance * (k + 1) * (k + 1);
    }
    if (tokens > FEW) {
        double steps = tokens / mean + (square - mean) / (2 * mean * mean) + gsl_ran_gaussian(&rng, sqrt(tokens * (square - mean * mean) / (mean * mean * mean)));
        return (uint32_t)fmin(fmax(steps + 0.5, ceil((double)tokens / (p->drafts + 1))), tokens);
    }
    uint32_t steps = 0;
    for (uint32_t made = 0; made < tokens; steps++) {
        made++;
        for (uint32_t k = 0; k < p->drafts && gsl_rng_uniform(&rng) < p->acceptance; k++)
            made++;
    }
    return steps;
}

/* Could the cache of a replica ever hold it? */
static bool can_hold(const orr_grid *g, uint32_t pool, const orr_request_message *m)
{
    uint32_t to = g->world->pools[pool].hands_to;
    int64_t all = (int64_t)m->input + m->output;
    if (to == ORR_NONE)
        return orr_llm_can_hold(&g->kinds[pool], all);
    return orr_llm_can_hold(&g->kinds[pool], (int64_t)m->input + 1) && orr_llm_can_hold(&g->kinds[to], all);
}

/* Work of a request at a station, drawn at the request's address: the same wherever it is sent. */
static int64_t draw_work(const orr_grid *g, uint32_t pool, const orr_request_message *m)
{
    const orr_service *service = &g->world->services[g->world->pools[pool].service];
    if (service->law == ORR_LAW_DETERMINISTIC)
        return llround(service->mean_ns);
    orr_random stream;
    gsl_rng rng;
    orr_random_at(&stream, g->world->seed, ORR_STREAM_SERVICE, orr_turn_entity(&g->world->cohorts[m->id.cohort], m->turn), m->id.number);
    orr_random_gsl(&rng, &stream);
    double work;
    if (service->law == ORR_LAW_EXPONENTIAL) {
        work = gsl_ran_exponential(&rng, service->mean_ns);
    } else {
        double variance = log1p(service->cv * service->cv); /* of the logarithm */
        work = gsl_ran_lognormal(&rng, log(service->mean_ns) - variance / 2, sqrt(variance));
    }
    return (int64_t)fmin(work, (double)ORR_LONGEST_RUN);
}

static void refuse(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t source, const orr_request_message *m, orr_reason reason)
{
    const orr_class *class = &g->world->classes[g->world->cohorts[m->id.cohort].class_];
    int64_t now = orr_now(lane);
    orr_done_message no = {.id = m->id, .pool = m->pool, .refused = (uint8_t)reason, .arrived_ns = now, .started_ns = now, .first_ns = now, .done_ns = now, .bytes = class->response_bytes};
    s->bytes_given += no.bytes;
    orr_send(lane, s->id, source, ORR_MESSAGE_DONE, &no, sizeof no, now + orr_grid_delay(g, source, s->id));
}

/* What the prompt begins with: a recorded trace names its blocks; the turns of a session share the name of their history. */
static void set_history(const orr_grid *g, orr_job *j, const orr_request_message *m)
{
    const orr_world *w = g->world;
    if (m->images > 0) {
        j->image_at = m->prefix + m->history;
        j->image = m->images * w->models[w->services[w->pools[j->pool].service].model].image_tokens;
    }
    if (m->trace != 0) {
        const orr_trace_row *row = &w->traces[m->trace - 1];
        j->blocks = (uint32_t)row->first_block + 1;
        j->block_count = row->block_count;
    } else {
        j->session = orr_session_history(w, &w->cohorts[j->cohort], j->number, m->since);
        j->forgets = w->classes[j->class_].thinking.most > 0;
    }
}

void orr_server_request(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t source, const orr_request_message *m)
{
    const orr_world *w = g->world;
    const orr_pool *p = &w->pools[m->pool];
    orr_pool_state *state = orr_pool_state_of(g, s, m->pool);
    bool llm = orr_pool_is_llm(g, m->pool);
    int64_t now = orr_now(lane);
    orr_telemetry_arrived(g, s, m->pool, source);
    uint32_t instance = orr_least_loaded(g, s, m->pool), present = instance == ORR_NONE ? 0 : ((uint32_t *)s->present.items)[orr_place_of(s, llm, instance)];
    state->counts.bin_arrived++;
    s->bytes_taken += m->bytes;
    s->violations += !orr_world_allows(w, w->cohorts[m->id.cohort].class_, source, s->id);
    bool full = present >= (llm ? p->max_batch : p->servers) + (uint64_t)p->queue_limit;
    orr_reason no = instance == ORR_NONE ? ORR_REASON_UNAVAILABLE : full ? ORR_REASON_QUEUE_FULL : llm && !can_hold(g, m->pool, m) ? ORR_REASON_TOO_LONG : ORR_REASON_NONE;
    uint32_t index = no != ORR_REASON_NONE ? ORR_NONE : orr_array_take(&s->jobs, &s->free_job);
    if (no != ORR_REASON_NONE) {
        state->counts.refused++;
        state->counts.bin_refused++;
        refuse(g, lane, s, source, m, no);
        orr_telemetry_changed(g, lane, s, m->pool);
        return;
    }
    if (index == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    orr_job *j = orr_job_at(&s->jobs, index);
    *j = (orr_job){.attempt = m->id.attempt, .instance = instance, .pool = m->pool, .entry = m->pool, .input = m->input, .prefix = m->prefix, .output = m->output, .arrived_ns = now,
                   .cohort = m->id.cohort, .number = m->id.number, .turn = m->id.turn, .client = m->id.slot, .ingress = source,
                   .class_ = (uint16_t)w->cohorts[m->id.cohort].class_, .may_cancel = m->may_cancel};
    if (m->may_cancel && !orr_map_put(&s->by_request, request_key(source, m->id.slot), index))
        orr_fail(lane, ORR_NO_MEMORY);
    orr_count_present(&state->counts, now, 1);
    state->counts.arrived++;
    orr_count_at(g, s, m->pool, instance, 1);
    if (llm) {
        orr_llm_site at = orr_llm_site_of(g, s);
        set_history(g, j, m);
        j->steps = draw_steps(g, p->hands_to == ORR_NONE ? p : &w->pools[p->hands_to], m, m->output - 1);
        orr_check_memory(lane, orr_llm_arrive((orr_llm *)s->llms.items + instance, &g->kinds[m->pool], &at, index, now));
    } else {
        j->work_ns = draw_work(g, m->pool, m);
        orr_station_site at = orr_station_site_of(s);
        orr_check_memory(lane, orr_station_arrive((orr_station *)s->stations.items + instance, &at, index, now));
    }
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, llm, instance);
    orr_telemetry_changed(g, lane, s, m->pool);
}

void orr_server_cancel(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t source, const orr_cancel_message *m)
{
    uint32_t index = orr_map_get(&s->by_request, request_key(source, m->id.slot));
    if (index == ORR_NONE)
        return;
    const orr_job *j = orr_job_at(&s->jobs, index);
    if (j->cohort != m->id.cohort || j->number != m->id.number || j->turn != m->id.turn || j->attempt != m->id.attempt)
        return;
    uint32_t instance = j->instance, pool = j->pool;
    bool llm = orr_pool_is_llm(g, pool);
    orr_llm_site llms = orr_llm_site_of(g, s);
    orr_station_site stations = orr_station_site_of(s);
    if (llm)
        orr_check_memory(lane, orr_llm_cancel((orr_llm *)s->llms.items + instance, &g->kinds[pool], &llms, index, orr_now(lane)));
    else
        orr_check_memory(lane, orr_station_cancel((orr_station *)s->stations.items + instance, &stations, index, orr_now(lane)));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, llm, instance);
    orr_telemetry_changed(g, lane, s, pool);
}

void orr_server_catch_up(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t instance, int64_t now)
{
    orr_llm *l = (orr_llm *)s->llms.items + instance;
    if (!orr_llm_is_behind(l, now))
        return;
    orr_llm_site at = orr_llm_site_of(g, s);
    orr_check_memory(lane, orr_llm_catch_up(l, &g->kinds[l->pool], &at, now));
    orr_settle(g, lane, s, false, 0);
    orr_arm(lane, s, true, instance);
}

void orr_server_tariff(orr_grid *g, orr_lane *lane, orr_site *s)
{
    int64_t now = orr_now(lane);
    for (uint32_t i = 0; i < s->llms.count; i++)
        orr_server_catch_up(g, lane, s, i, now);
    for (uint32_t i = 0; i < s->jobs.count; i++) { /* what has been produced so far is rated at the old price */
        orr_job *j = orr_job_at(&s->jobs, i);
        if (j->state != ORR_JOB_FREE && j->first_ns != 0 && orr_pool_is_llm(g, j->pool))
            orr_rate_output(g, s, j, orr_llm_generated((orr_llm *)s->llms.items + j->instance, j, now));
    }
    read_tariffs(g, s, now);
}

void orr_server_account(orr_grid *g, orr_site *s, int64_t now)
{
    orr_lane *lane = orr_engine_lane_of(g->engine, s->id);
    for (uint32_t i = 0; i < s->llms.count; i++) {
        orr_server_catch_up(g, lane, s, i, now);
        orr_llm_account((orr_llm *)s->llms.items + i, now);
    }
    for (uint32_t i = 0; i < s->stations.count; i++)
        orr_station_account((orr_station *)s->stations.items + i, now);
    orr_replicas_account(s, now);
    for (uint32_t i = 0; i < s->pools.count; i++)
        orr_count_present(&((orr_pool_state *)orr_array_at(&s->pools, i))->counts, now, 0);
}
