#include "grid/audit.h"

#include <string.h>

/* What is on the way between sites. */
typedef struct transit {
    const orr_grid *grid;
    __int128        requests, answers, request_bytes, answer_bytes, tokens[3], cost;
} transit;

static void on_the_way(void *context, const orr_message *message, const void *payload)
{
    transit *t = context;
    if (message->kind == ORR_MESSAGE_REQUEST) {
        t->requests++;
        t->request_bytes += ((const orr_request_message *)payload)->bytes;
    } else if (message->kind == ORR_MESSAGE_DONE) {
        const orr_done_message *m = payload;
        t->answers++;
        t->answer_bytes += m->bytes;
        for (int kind = 0; kind < 3; kind++)
            t->tokens[kind] += m->tokens[kind];
        t->cost += m->cost;
    }
}

/* Sums over all clients. */
typedef struct clients {
    __int128 offered, ended, live, attempts, answers, bytes_sent, bytes_received, tokens[3], cost, in_flight;
} clients;

static void sum_clients(clients *sum, const orr_site *s)
{
    sum->bytes_sent += s->bytes_sent;
    sum->bytes_received += s->bytes_received;
    sum->in_flight += s->in_flight;
    for (uint32_t i = 0; i < s->requests.count; i++)
        sum->live += ((orr_request *)orr_array_at(&s->requests, i))->live;
    for (uint32_t i = 0; i < s->cohorts.count; i++) {
        const orr_cohort_counts *c = &((orr_cohort_state *)orr_array_at(&s->cohorts, i))->counts;
        sum->offered += c->offered;
        for (int e = 0; e < ORR_ENDS; e++)
            sum->ended += c->ended[e];
        sum->attempts += c->attempts;
        sum->answers += c->ended[ORR_SERVED] + c->late_answers + c->refusals;
        for (int kind = 0; kind < 3; kind++)
            sum->tokens[kind] += c->tokens[kind] + c->late_tokens[kind];
        sum->cost += (__int128)(c->cost + c->late_cost);
    }
}

/* Sums over all pools, and over the jobs in them. */
typedef struct servers {
    __int128 arrived, refused, lost, done, cancelled, jobs, bytes_taken, bytes_given, tokens[3], cancelled_tokens[3], job_tokens[3], cost, cancelled_cost, job_cost;
    __int128 rated_millionths, priced_millionths, produced, metered_output, unrated, prefilled, metered_input, cancelled_prompt, unfinished_prompt, present_time, sojourn_time, held, job_held, violations;
} servers;

static void sum_jobs(servers *sum, const orr_grid *g, const orr_site *s, int64_t now)
{
    for (uint32_t i = 0; i < s->jobs.count; i++) {
        const orr_job *j = orr_array_at(&s->jobs, i);
        if (j->state == ORR_JOB_FREE)
            continue;
        sum->jobs++;
        sum->sojourn_time += now - j->arrived_ns;
        sum->job_cost += j->cost;
        bool llm = g->world->services[g->world->pools[j->pool].service].kind == ORR_SERVICE_LLM;
        if (!llm)
            continue;
        const orr_llm *l = orr_array_at(&s->llms, j->instance);
        bool prompt_done = j->first_ns != 0;
        sum->unfinished_prompt += prompt_done ? 0 : j->computed - j->cached;
        sum->job_tokens[ORR_CACHED_INPUT] += j->cached;
        sum->job_tokens[ORR_INPUT] += prompt_done ? j->input - j->cached : 0;
        sum->job_tokens[ORR_OUTPUT] += j->rated;
        sum->unrated += (__int128)orr_llm_made(l, j) - ((__int128)j->rated << ORR_TOKEN_BITS);
        sum->job_held += orr_llm_held(l, &g->kinds[j->pool], j);
    }
}

/* Money two ways, in millionths of a nano-yuan: what the accounts posted and carry, and tokens x price. */
static void sum_money(servers *sum, const orr_grid *g, const orr_site *s, uint32_t local)
{
    const orr_world *w = g->world;
    uint32_t pool = w->site_pools[w->site_pool_start[s->id] + local];
    const orr_pool_state *state = orr_array_at(&s->pools, local);
    sum->rated_millionths += (__int128)state->counts.cost * 1000000;
    for (uint32_t i = 0; i < w->class_count * ORR_TOKEN_KINDS; i++)
        sum->rated_millionths += *(uint32_t *)orr_array_at(&s->carry, state->account + i);
    for (uint32_t t = 0; t < w->tariff_count; t++)
        for (uint32_t kind = 0; kind < ORR_TOKEN_KINDS; kind++) {
            uint64_t tokens = *(uint64_t *)orr_array_at(&s->rated, (local * w->tariff_count + t) * ORR_TOKEN_KINDS + kind);
            sum->priced_millionths += (__int128)tokens * orr_world_price(w, pool, t, (int)kind);
        }
}

static void sum_servers(servers *sum, const orr_grid *g, const orr_site *s, int64_t now)
{
    const orr_world *w = g->world;
    sum->bytes_taken += s->bytes_taken;
    sum->bytes_given += s->bytes_given;
    sum->violations += s->violations;
    for (uint32_t i = 0; i < s->llms.count; i++) {
        const orr_llm *l = orr_array_at(&s->llms, i);
        sum->produced += (__int128)l->produced - l->surplus;
        sum->prefilled += l->prefilled;
        sum->held += l->context + ((__int128)l->prompt_blocks * g->kinds[l->pool].block - l->shared) * (1 << ORR_TOKEN_BITS);
    }
    for (uint32_t i = 0; i < s->pools.count; i++) {
        const orr_pool_counts *c = &((orr_pool_state *)orr_array_at(&s->pools, i))->counts;
        uint32_t pool = w->site_pools[w->site_pool_start[s->id] + i];
        sum_money(sum, g, s, i);
        sum->arrived += c->arrived;
        sum->refused += c->refused;
        sum->lost += c->lost;
        sum->done += c->done;
        sum->cancelled += c->cancelled;
        for (int kind = 0; kind < 3; kind++) {
            sum->tokens[kind] += c->tokens[kind];
            sum->cancelled_tokens[kind] += c->cancelled_tokens[kind];
        }
        sum->cost += (__int128)c->cost;
        sum->cancelled_cost += (__int128)c->cancelled_cost;
        sum->present_time += (__int128)c->present_time;
        sum->sojourn_time += (__int128)c->sojourn_time;
        if (w->services[w->pools[pool].service].kind == ORR_SERVICE_LLM) {
            sum->metered_output += c->tokens[ORR_OUTPUT];
            sum->metered_input += c->tokens[ORR_INPUT];
            sum->cancelled_prompt += c->cancelled_prompt;
        }
    }
    sum_jobs(sum, g, s, now);
}

void orr_audit_add(orr_audit *a, const char *name, __int128 left, __int128 right)
{
    assert(a->count < ORR_AUDIT_CHECKS);
    a->check[a->count++] = (orr_check){name, left, right};
    a->failed += left != right;
}

void orr_audit_run(orr_audit *a, const orr_grid *g, int64_t now_ns)
{
    static const char *const token_law[3] = {"cached input tokens: metered = delivered + cancelled + at sites + on the way",
                                             "input tokens: metered = delivered + cancelled + at sites + on the way",
                                             "output tokens: metered = delivered + cancelled + at sites + on the way"};
    *a = (orr_audit){0};
    transit t = {.grid = g};
    clients c = {0};
    servers s = {0};
    orr_engine_each_message(g->engine, on_the_way, &t);
    for (uint32_t i = 0; i < g->world->used_count; i++) {
        if (orr_site_has_clients(g, &g->sites[i]))
            sum_clients(&c, &g->sites[i]);
        if (orr_site_has_pools(g, &g->sites[i]))
            sum_servers(&s, g, &g->sites[i], now_ns);
    }
    orr_audit_add(a, "requests: offered = served + refused + abandoned + failed + in flight", c.offered, c.ended + c.live);
    orr_audit_add(a, "requests in flight: counter = live records", c.in_flight, c.live);
    orr_audit_add(a, "attempts: sent = taken + refused + on the way", c.attempts, s.arrived + s.refused + t.requests);
    orr_audit_add(a, "answers: given = heard + on the way", s.done + s.refused + s.lost, c.answers + t.answers);
    orr_audit_add(a, "jobs: arrived = done + cancelled + at sites", s.arrived, s.done + s.cancelled + s.jobs);
    for (int kind = 0; kind < 3; kind++)
        orr_audit_add(a, token_law[kind], s.tokens[kind], c.tokens[kind] + s.cancelled_tokens[kind] + s.job_tokens[kind] + t.tokens[kind]);
    orr_audit_add(a, "output tokens: produced by iterations = metered + not yet rated (2^-16 tokens)", s.produced, (s.metered_output << ORR_TOKEN_BITS) + s.unrated);
    orr_audit_add(a, "prompt tokens: computed = metered + cancelled + unfinished", s.prefilled, s.metered_input + s.cancelled_prompt + s.unfinished_prompt);
    orr_audit_add(a, "money: rated = delivered + cancelled + at sites + on the way (nano-yuan)", s.cost, c.cost + s.cancelled_cost + s.job_cost + t.cost);
    orr_audit_add(a, "money: posted and carried = tokens x price (millionths of a nano-yuan)", s.rated_millionths, s.priced_millionths);
    orr_audit_add(a, "Little's law: integral of requests present = sum of times spent (ns)", s.present_time, s.sojourn_time);
    orr_audit_add(a, "cache: counted by replicas = held by their requests (2^-16 tokens)", s.held, s.job_held);
    orr_audit_add(a, "bytes: sent by clients = received by sites + on the way", c.bytes_sent, s.bytes_taken + t.request_bytes);
    orr_audit_add(a, "bytes: sent by sites = received by clients + on the way", s.bytes_given, c.bytes_received + t.answer_bytes);
    orr_audit_add(a, "residency: requests where their data may not go", s.violations, 0);
}

void orr_audit_digits(__int128 value, char *text)
{
    char digits[48];
    int n = 0;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    do
        digits[n++] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[n++] = '-';
    for (int i = 0; i < n; i++)
        text[i] = digits[n - 1 - i];
    text[n] = 0;
}
