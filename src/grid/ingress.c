/* The ingress side: from a client's wish to its end. Invariant: every offered intention is either in a live request slot or has
 * been counted as ended, once. */
#include "base/random.h"
#include "base/time.h"
#include "clients/turns.h"
#include "grid/telemetry.h"

#include <math.h>

enum { MOST_DEFERRALS = 1000 };

/* A user whose requests are refused at once asks again after this at the earliest: time must pass. */
static const int64_t SHORTEST_CYCLE = ORR_MILLISECOND;

static const orr_cohort *cohort_of(const orr_grid *g, const orr_request *r) { return &g->world->cohorts[r->cohort]; }

static orr_cohort_state *state_of(const orr_grid *g, orr_site *site, const orr_request *r)
{
    return orr_array_at(&site->cohorts, r->cohort - g->world->site_cohort_start[site->id]);
}

static void schedule_arrival(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t index)
{
    orr_cohort_state *k = orr_array_at(&site->cohorts, index);
    const orr_cohort *cohort = &g->world->cohorts[g->world->site_cohort_start[site->id] + index];
    int64_t at = orr_arrivals_next(&k->arrivals, g->world, cohort);
    k->pending = at < g->world->duration_ns;
    if (k->pending)
        orr_timer(lane, site->id, ORR_TIMER_ARRIVAL, index, at);
}

void orr_ingress_start(orr_grid *g, orr_lane *lane, orr_site *site)
{
    orr_ingress_tariff(g, site, 0);
    for (uint32_t i = 0; i < site->cohorts.count; i++)
        schedule_arrival(g, lane, site, i);
}

void orr_ingress_tariff(orr_grid *g, orr_site *site, int64_t now_ns)
{
    const orr_world *w = g->world;
    int64_t *price = site->price.items;
    for (uint32_t p = 0; p < w->pool_count; p++) {
        uint32_t tariff = orr_world_tariff(w, w->services[w->pools[p].service].model, now_ns);
        for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
            price[(size_t)kind * w->pool_count + p] = tariff == ORR_NONE ? 0 : orr_world_price(w, p, tariff, kind);
    }
}

static uint64_t request_bytes(const orr_class *class, uint32_t input) { return class->request_bytes + (uint64_t)class->bytes_per_input_token * input; }

static int64_t wire_ns(uint64_t bytes, double bit_s) { return isinf(bit_s) ? 0 : (int64_t)((double)bytes * 8e9 / bit_s); }

/* The way of one token to the client: half a round trip, and its packet on the downlink. Answers are streamed, so the last token takes no longer. */
static int64_t down_ns(const orr_class *class, int64_t round_trip)
{
    return round_trip - round_trip / 2 + wire_ns((uint64_t)class->response_bytes + class->bytes_per_output_token, class->downlink_bit_s);
}

/* The client waits no longer for the first token. */
static void heard(orr_lane *lane, const orr_site *site, orr_request *r)
{
    orr_timer_cancel(lane, site->id, r->give_up);
    r->give_up = 0;
}

/* A closed loop is over when its users have asked so often. */
static bool enough(const orr_grid *g, const orr_cohort *cohort, const orr_cohort_state *k)
{
    return g->world->classes[cohort->class_].follow == ORR_FOLLOW_LOOP && k->counts.offered >= cohort->requests;
}

/* The client has the end of its answer, or of its hopes: if it will ask again, it thinks. */
static void follow_up(orr_grid *g, orr_lane *lane, orr_site *site, const orr_request *r, orr_end end)
{
    const orr_world *w = g->world;
    const orr_cohort *cohort = cohort_of(g, r);
    const orr_class *class = &w->classes[cohort->class_];
    orr_cohort_state *k = state_of(g, site, r);
    if (enough(g, cohort, k) || (class->follow == ORR_FOLLOW_SESSION && (end != ORR_SERVED || r->turn + 1 >= orr_session_turns(w, cohort, r->number))))
        return;
    int64_t now = orr_now(lane), knows = now + r->down_ns;
    if (end == ORR_ABANDONED) /* it left by its own clock */
        knows = r->leaves_ns > now ? r->leaves_ns : now;
    int64_t again = knows + orr_think_time(w, cohort, r->number, r->turn + 1), soonest = r->began_ns + (end == ORR_SERVED ? 1 : SHORTEST_CYCLE);
    again = again > soonest ? again : soonest;
    if (again >= w->duration_ns)
        return;
    uint32_t index = orr_array_take(&site->thinking, &site->free_thinking);
    if (index == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    orr_thinking *t = orr_array_at(&site->thinking, index);
    *t = (orr_thinking){.cohort = r->cohort - w->site_cohort_start[site->id], .next = {.number = r->number, .client = r->client, .turn = r->turn + 1, .since = r->since}};
    t->next.history = class->history ? r->input - class->prefix_tokens + r->output - r->thinking : 0; /* what was thought is not said */
    k->thinking++;
    orr_timer(lane, site->id, ORR_TIMER_TURN, index, again);
}

/* The intention is over. */
static void finish(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot, orr_end end, const orr_done_message *done, int64_t ttft_ns, int64_t tpot_ns, int64_t e2e_ns, bool good)
{
    orr_request *r = orr_array_at(&site->requests, slot);
    orr_cohort_counts *c = &state_of(g, site, r)->counts;
    c->ended[end]++;
    site->flow.ended[end]++;
    if (end != ORR_SERVED) {
        c->reasons[r->reason]++;
        site->flow.reasons[r->reason]++;
    }
    if (r->sampled) {
        orr_request_row *row = orr_array_extend(&site->rows, 1);
        if (row == NULL) {
            orr_fail(lane, ORR_NO_MEMORY);
            return;
        }
        *row = (orr_request_row){.final_ns = orr_now(lane), .began_ns = r->began_ns, .ttft_ns = ttft_ns, .tpot_ns = tpot_ns, .e2e_ns = e2e_ns,
                                 .state_age_ns = r->state_age_ns, .sequence = site->row_sequence++, .ingress = site->id, .cohort = r->cohort, .number = r->number, .turn = r->turn,
                                 .client = r->client, .row = r->row, .class_ = (uint16_t)cohort_of(g, r)->class_, .attempts = (uint16_t)(r->attempt + 1),
                                 .end = (uint8_t)end, .reason = end == ORR_SERVED ? ORR_REASON_NONE : r->reason, .slo_met = good,
                                 .server_wait_ns = -1, .server_first_ns = -1, .server_total_ns = -1};
        row->tokens[ORR_INPUT] = r->input; /* what was asked for, until an answer says how it was metered */
        row->tokens[ORR_OUTPUT] = r->output;
        if (done != NULL) {
            for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
                row->tokens[kind] = done->tokens[kind];
            row->cost = done->cost;
            row->server_wait_ns = done->started_ns - done->arrived_ns;
            row->server_first_ns = done->first_ns - done->arrived_ns;
            row->server_total_ns = done->done_ns - done->arrived_ns;
        }
    }
    heard(lane, site, r);
    if (g->world->classes[cohort_of(g, r)->class_].follow != ORR_FOLLOW_NOTHING)
        follow_up(g, lane, site, r, end);
    site->in_flight--;
    site->last_end_ns = orr_now(lane);
    orr_array_give(&site->requests, &site->free_request, slot);
}

static void end_without_answer(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot, orr_end end, orr_reason reason)
{
    ((orr_request *)orr_array_at(&site->requests, slot))->reason = (uint8_t)reason;
    finish(g, lane, site, slot, end, NULL, -1, -1, -1, false);
}

/* A client asks. Its first turn arrives here now; of a later one, or in a closed loop, now is when the client begins, on the other side of its access network. */
static void begin(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t index, const orr_turn *turn)
{
    const orr_world *w = g->world;
    uint32_t cohort_index = w->site_cohort_start[site->id] + index;
    const orr_cohort *cohort = &w->cohorts[cohort_index];
    const orr_class *class = &w->classes[cohort->class_];
    orr_cohort_state *k = orr_array_at(&site->cohorts, index);
    orr_intention it;
    orr_arrivals_draw(w, cohort, turn, &it);
    uint32_t slot = orr_array_take(&site->requests, &site->free_request);
    if (slot == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    int64_t now = orr_now(lane);
    bool loop = class->follow == ORR_FOLLOW_LOOP;
    orr_request *r = orr_array_at(&site->requests, slot);
    *r = (orr_request){.cohort = cohort_index, .number = it.number, .client = it.client, .row = ORR_NONE, .live = 1, .sampled = it.sampled,
                       .measured = (loop ? k->counts.offered : it.number) >= cohort->unmeasured, .input = it.input, .history = it.history,
                       .output = it.output, .turn = turn->turn, .since = it.since, .access_normal = it.access_normal, .leaves_ns = ORR_NEVER, .state_age_ns = -1};
    int64_t round_trip = orr_access_round_trip(w, cohort, it.number, turn->turn, 0, it.access_normal);
    int64_t up = round_trip / 2 + wire_ns(request_bytes(class, it.input), class->uplink_bit_s);
    int64_t arrives = loop || turn->turn > 0 ? now + up : now;
    r->began_ns = arrives - up;
    r->thinking = it.thinking;
    r->images = it.images;
    r->down_ns = down_ns(class, round_trip);
    if (it.patience_ns != ORR_NEVER)
        r->leaves_ns = r->began_ns + it.patience_ns > arrives ? r->began_ns + it.patience_ns : arrives;
    k->counts.offered++;
    site->flow.offered++;
    site->in_flight++;
    if (arrives > now)
        orr_timer(lane, site->id, ORR_TIMER_ATTEMPT, slot, arrives);
    else
        orr_ingress_attempt(g, lane, site, slot);
}

void orr_ingress_arrival(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t index)
{
    orr_cohort_state *k = orr_array_at(&site->cohorts, index);
    orr_turn first = {.number = (uint32_t)(k->arrivals.number - 1), .client = (uint32_t)k->arrivals.client}; /* the latest that was drawn: the next one is drawn here */
    k->pending = 0;
    if (enough(g, &g->world->cohorts[g->world->site_cohort_start[site->id] + index], k))
        return;
    schedule_arrival(g, lane, site, index);
    begin(g, lane, site, index, &first);
}

void orr_ingress_turn(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t thinking)
{
    orr_thinking t = *(orr_thinking *)orr_array_at(&site->thinking, thinking);
    orr_array_give(&site->thinking, &site->free_thinking, thinking);
    orr_cohort_state *k = orr_array_at(&site->cohorts, t.cohort);
    k->thinking--;
    if (!enough(g, &g->world->cohorts[g->world->site_cohort_start[site->id] + t.cohort], k))
        begin(g, lane, site, t.cohort, &t.next);
}

/* What the policy is shown. The columns are the site's own arrays. */
static orr_policy_view view_of(const orr_grid *g, const orr_site *site, int64_t now_ns)
{
    uint32_t n = g->world->pool_count;
    const int64_t *price = site->price.items;
    return (orr_policy_view){.size = sizeof(orr_policy_view), .now_ns = now_ns, .rows = n, .as_of_ns = site->as_of.items, .running = site->running.items,
                             .waiting = site->waiting.items, .kv_used_ppm = site->kv_used.items, .token_ns = site->token.items, .wait_ns = site->wait.items,
                             .own = g->world->own_decisions ? site->own.items : g->host.zeros, .price = {price, price + n, price + 2 * (size_t)n}};
}

typedef struct looker {
    orr_grid       *grid;
    const orr_site *site;
    int64_t         now_ns;
} looker;

static orr_policy_row look(const void *context, uint32_t row)
{
    const looker *l = context;
    return orr_telemetry_look(l->grid, l->site, row, l->now_ns);
}

/* Where the hashes of a replayed request's prompt are found: 1 + row of the traces; 0: they are not known. */
static uint32_t trace_of(const orr_world *w, const orr_request *r)
{
    const orr_cohort *cohort = &w->cohorts[r->cohort];
    return cohort->trace_count > 0 && w->traces[cohort->trace + r->number].block_count > 0 ? 1 + cohort->trace + r->number : 0;
}

/* For policies that want them: the names of the parts of the prompt, valid until the next decision. */
static bool name_blocks(const orr_grid *g, orr_site *site, const orr_request *r, orr_policy_request *ask)
{
    const orr_world *w = g->world;
    uint32_t trace = trace_of(w, r);
    orr_prompt p = {.class_ = ask->client_class, .prefix = g->world->classes[cohort_of(g, r)->class_].prefix_tokens, .input = r->input};
    if (trace != 0) {
        p.hashes = w->trace_blocks + w->traces[trace - 1].first_block;
        p.hash_count = w->traces[trace - 1].block_count;
    } else {
        p.session = orr_session_history(w, cohort_of(g, r), r->number, r->since);
    }
    uint32_t parts = orr_prompt_parts(&p, r->input);
    if (!orr_array_reserve(&site->block_names, parts + 1))
        return false;
    uint64_t *names = site->block_names.items;
    for (uint32_t k = 0; k < parts; k++)
        names[k] = orr_prompt_name(&p, k);
    ask->blocks = names;
    ask->block_count = parts;
    ask->block_tokens = ORR_PREFIX_TOKENS;
    ask->head_tokens = orr_prompt_head(&p) > 0 ? orr_prompt_head(&p) : ORR_PREFIX_TOKENS;
    return true;
}

static orr_decision decide(orr_grid *g, orr_lane *lane, orr_site *site, orr_request *r, const uint32_t *candidates, uint32_t count)
{
    const orr_cohort *cohort = cohort_of(g, r);
    const orr_class *class = &g->world->classes[cohort->class_];
    orr_cohort_counts *c = &state_of(g, site, r)->counts;
    int64_t now = orr_now(lane);
    looker context = {g, site, now};
    orr_telemetry_refresh(g, site, now);
    orr_policy_view view = view_of(g, site, now);
    uint64_t session = orr_entity_part(cohort->entity, r->number), id = r->turn == 0 ? session : orr_entity_part(orr_turn_entity(cohort, r->turn), r->number);
    orr_policy_request ask = {.size = sizeof ask, .id = id, .client_class = cohort->class_, .service = class->service,
                              .attempt = r->attempt, .input_tokens = r->input, .prefix_tokens = class->prefix_tokens, .expected_output_tokens = class->output.mean + class->thinking.mean,
                              .slo_first_token_ns = class->slo_first_token_ns, .slo_total_ns = class->slo_total_ns, .candidates = candidates, .candidate_count = count,
                              .candidate_slots = g->host.candidate_slots + (candidates - g->host.candidates),
                              .session = session, .turn = r->turn, .history_tokens = r->history};
    if (orr_host_wants_blocks(&g->host) && !name_blocks(g, site, r, &ask))
        orr_fail(lane, ORR_NO_MEMORY);
    bool bad;
    orr_decision d = orr_host_decide(&g->host, g->world->sites[site->id].ingress, site->policy.items, &view, &ask, &(orr_look){look, &context}, &bad);
    if (!bad && d.action == ORR_DEFER && r->deferrals >= MOST_DEFERRALS) { /* a policy may not put a request off for ever */
        d = (orr_decision){.size = sizeof d, .action = ORR_ROUTE, .row = candidates[0]};
        bad = true;
    }
    c->decisions++;
    c->bad_decisions += bad;
    return d;
}

/* When the client gives this attempt up, on the ingress clock: what it waits for must leave here `down` earlier. */
static int64_t give_up_at(const orr_grid *g, const orr_request *r, int64_t now)
{
    const orr_class *class = &g->world->classes[cohort_of(g, r)->class_];
    int64_t at = r->leaves_ns;
    if (class->timeout_ns != ORR_NEVER) {
        int64_t began = r->attempt == 0 ? r->began_ns : now;
        if (began + class->timeout_ns < at)
            at = began + class->timeout_ns;
    }
    if (at == ORR_NEVER)
        return at;
    at -= r->down_ns;
    return at > now ? at : now;
}

static orr_attempt_id id_of(const orr_request *r, uint32_t slot) { return (orr_attempt_id){slot, r->cohort, r->number, r->attempt, (uint16_t)r->turn}; }

static void send_attempt(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot, uint32_t row)
{
    const orr_world *w = g->world;
    orr_request *r = orr_array_at(&site->requests, slot);
    const orr_class *class = &w->classes[cohort_of(g, r)->class_];
    int64_t now = orr_now(lane);
    uint32_t to = w->pools[row].site;
    int64_t as_of = orr_telemetry_look(g, site, row, now).as_of_ns;
    r->row = row;
    r->state_age_ns = as_of < 0 ? -1 : now - as_of;
    int64_t give_up = give_up_at(g, r, now);
    if (r->state_age_ns >= 0 && !orr_histogram_record(&site->state_age, &site->shelf, r->state_age_ns))
        orr_fail(lane, ORR_NO_MEMORY);
    uint64_t bytes = request_bytes(class, r->input);
    orr_request_message m = {.id = id_of(r, slot), .pool = row, .input = r->input, .prefix = class->prefix_tokens, .output = r->output,
                             .bytes = (uint32_t)bytes, .may_cancel = give_up != ORR_NEVER, .turn = r->turn, .history = r->history, .since = r->since, .trace = trace_of(w, r),
                             .images = r->images};
    int64_t arrives = now + w->decision_ns + orr_grid_delay(g, site->id, to) + g->front_end_ns[row];
    orr_send(lane, site->id, to, ORR_MESSAGE_REQUEST, &m, orr_request_length(&m), arrives);
    ((uint64_t(*)[2])site->bytes.items)[w->sites[to].compute][0] += bytes;
    site->bytes_sent += bytes;
    orr_telemetry_sent(g, lane, site, row, arrives);
    state_of(g, site, r)->counts.attempts++;
    state_of(g, site, r)->counts.retries += r->attempt > 0;
    site->flow.attempts++;
    r->give_up = orr_timer_set(lane, site->id, ORR_TIMER_GIVE_UP, slot, give_up);
}

void orr_ingress_attempt(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot)
{
    orr_request *r = orr_array_at(&site->requests, slot);
    uint32_t count;
    const uint32_t *candidates = orr_host_candidates(&g->host, cohort_of(g, r)->class_, g->world->sites[site->id].ingress, &count);
    if (orr_now(lane) > r->leaves_ns) {
        end_without_answer(g, lane, site, slot, ORR_ABANDONED, ORR_REASON_IMPATIENCE);
        return;
    }
    if (count == 0) {
        end_without_answer(g, lane, site, slot, ORR_REFUSED, ORR_REASON_NOT_PERMITTED);
        return;
    }
    orr_decision d = decide(g, lane, site, r, candidates, count);
    if (d.action == ORR_ROUTE) {
        send_attempt(g, lane, site, slot, d.row);
    } else if (d.action == ORR_DEFER) {
        r->deferrals++;
        state_of(g, site, r)->counts.deferred++;
        orr_timer(lane, site->id, ORR_TIMER_ATTEMPT, slot, orr_now(lane) + d.defer_ns);
    } else {
        end_without_answer(g, lane, site, slot, ORR_REFUSED, ORR_REASON_POLICY);
    }
}

/* An attempt came to nothing: try again after a pause, if the class does and the client is still there. */
static void retry_or_end(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot, orr_end end, orr_reason reason)
{
    orr_request *r = orr_array_at(&site->requests, slot);
    const orr_cohort *cohort = cohort_of(g, r);
    if (r->attempt >= g->world->classes[cohort->class_].retry_limit) {
        end_without_answer(g, lane, site, slot, end, reason);
        return;
    }
    heard(lane, site, r);
    r->attempt++;
    r->reason = (uint8_t)reason;
    r->row = ORR_NONE;
    /* The client hears of it after its access network, pauses, and sends again. */
    const orr_class *class = &g->world->classes[cohort->class_];
    int64_t round_trip = orr_access_round_trip(g->world, cohort, r->number, r->turn, r->attempt, r->access_normal);
    int64_t up = round_trip / 2 + wire_ns(request_bytes(class, r->input), class->uplink_bit_s);
    int64_t again = orr_now(lane) + r->down_ns + orr_retry_pause(g->world, cohort, r->number, r->turn, r->attempt) + up;
    r->down_ns = down_ns(class, round_trip);
    if (again > r->leaves_ns)
        again = r->leaves_ns + 1; /* it leaves while it pauses */
    orr_timer(lane, site->id, ORR_TIMER_ATTEMPT, slot, again);
}

void orr_ingress_give_up(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t slot)
{
    orr_request *r = orr_array_at(&site->requests, slot);
    int64_t now = orr_now(lane);
    r->give_up = 0;
    uint32_t to = g->world->pools[r->row].site;
    orr_cancel_message m = {.id = id_of(r, slot)};
    orr_send(lane, site->id, to, ORR_MESSAGE_CANCEL, &m, sizeof m, now + g->world->decision_ns + orr_grid_delay(g, site->id, to));
    if (r->leaves_ns != ORR_NEVER && now >= r->leaves_ns - r->down_ns)
        end_without_answer(g, lane, site, slot, ORR_ABANDONED, ORR_REASON_IMPATIENCE);
    else
        retry_or_end(g, lane, site, slot, ORR_FAILED, ORR_REASON_TIMEOUT);
}

/* The live request that an answer is for, or NULL when its client has gone on. */
static orr_request *match(orr_site *site, const orr_attempt_id *id)
{
    orr_request *r = orr_array_at(&site->requests, id->slot);
    bool same = r->live && r->cohort == id->cohort && r->number == id->number && (uint16_t)r->turn == id->turn && r->attempt == id->attempt && r->row != ORR_NONE;
    return same ? r : NULL;
}

void orr_ingress_first(orr_grid *g, orr_lane *lane, orr_site *site, const orr_first_message *m)
{
    (void)g;
    orr_request *r = match(site, &m->id);
    if (r != NULL)
        heard(lane, site, r);
}

static bool record_latency(orr_site *site, orr_cohort_state *k, int64_t ttft_ns, int64_t tpot_ns, int64_t e2e_ns)
{
    k->counts.measured++;
    bool ok = orr_histogram_record(&k->latency[ORR_METRIC_TTFT], &site->shelf, ttft_ns);
    ok &= orr_histogram_record(&k->latency[ORR_METRIC_E2E], &site->shelf, e2e_ns);
    if (tpot_ns >= 0)
        ok &= orr_histogram_record(&k->latency[ORR_METRIC_TPOT], &site->shelf, tpot_ns);
    return ok;
}

static void served(orr_grid *g, orr_lane *lane, orr_site *site, orr_request *r, uint32_t source, const orr_done_message *m)
{
    orr_cohort_state *k = state_of(g, site, r);
    const orr_class *class = &g->world->classes[cohort_of(g, r)->class_];
    int64_t back = orr_grid_delay(g, site->id, source);
    int64_t ttft = m->first_ns + back + r->down_ns - r->began_ns, e2e = orr_now(lane) + r->down_ns - r->began_ns;
    int64_t tpot = m->tokens[ORR_OUTPUT] > 1 ? (e2e - ttft) / (m->tokens[ORR_OUTPUT] - 1) : -1;
    if (class->hidden && r->thinking > 0 && m->tokens[ORR_OUTPUT] > 1) /* what comes first is not shown: tokens come evenly */
        ttft += (int64_t)((__int128)(e2e - ttft) * r->thinking / (m->tokens[ORR_OUTPUT] - 1));
    bool good = ttft <= class->slo_first_token_ns && e2e <= class->slo_total_ns && (tpot < 0 || tpot <= class->slo_per_token_ns);
    for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
        k->counts.tokens[kind] += m->tokens[kind];
    k->counts.cost += (uint64_t)m->cost;
    k->counts.slo_met += good;
    k->counts.late += !good;
    site->flow.slo_met += good;
    if (r->measured && !record_latency(site, k, ttft, tpot, e2e))
        orr_fail(lane, ORR_NO_MEMORY);
    finish(g, lane, site, m->id.slot, ORR_SERVED, m, ttft, tpot, e2e, good);
}

void orr_ingress_done(orr_grid *g, orr_lane *lane, orr_site *site, uint32_t source, const orr_done_message *m)
{
    ((uint64_t(*)[2])site->bytes.items)[g->world->sites[source].compute][1] += m->bytes;
    site->bytes_received += m->bytes;
    orr_request *r = match(site, &m->id);
    orr_cohort_state *k = orr_array_at(&site->cohorts, m->id.cohort - g->world->site_cohort_start[site->id]);
    if (m->refused != ORR_REASON_NONE) {
        k->counts.refusals++;
        if (r != NULL)
            retry_or_end(g, lane, site, m->id.slot, m->refused >= ORR_REASON_UNAVAILABLE ? ORR_FAILED : ORR_REFUSED, (orr_reason)m->refused);
        return;
    }
    if (r != NULL) {
        served(g, lane, site, r, source, m);
        return;
    }
    k->counts.late_answers++;
    for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
        k->counts.late_tokens[kind] += m->tokens[kind];
    k->counts.late_cost += (uint64_t)m->cost;
}
