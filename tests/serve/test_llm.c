/*
 * The promises of llm.h. The main one: whatever the workload, the servers that jump and the naive ones that step (naive_llm.h) agree
 * on every token to the last digit of 2^-10 ns, and on every iteration.
 *
 * A workload has one server, or two of which the first hands over to the second. The jumping ones are driven by a small loop that knows
 * arrivals, cancellations, what is on its way between them, stops and the due times. Where several of these fall on one nanosecond the loop takes
 * them in each of the orders below; the results must be the same.
 */
#include "base/random.h"
#include "base/time.h"
#include "naive_llm.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_REQUESTS = 64, MOST_BATCH = 64, CLASSES = 3, SESSIONS = 5, CHAINS = 6, CHAIN = 7, GROUPS = 10, WORKLOADS_PER_GROUP = 200, PROBES = 20 };

/* Orders of what happens at one nanosecond: where the due times come, and whether arrivals come first or last. Among cancellations, and between
 * these and what is handed over, order means something: the workload has it. */
enum { DUE_FIRST, DUE_LAST, DUE_AT_RANDOM, ARRIVALS_LAST = 3 /* added */, ORDERS = 6 };

typedef struct workload {
    naive_scene   scene;
    int64_t       decode[NAIVE_SERVERS][MOST_BATCH + 1];
    naive_request request[MOST_REQUESTS + 1];
    uint64_t      hashes[CHAINS * CHAIN];
    uint32_t      scale; /* about an iteration, ns */
    bool          everything; /* chunked prompts, preemption, prefix hits, hand-over and speculation are meant to meet */
    int64_t      *tokens; /* of all requests */
} workload;

static uint64_t seed, counter;

static uint32_t below(uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(seed, ORR_STREAM_TEST, 1, (uint32_t)counter++, 0).low, n); }
static uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
static bool     one_in(uint32_t n) { return below(n) == 0; }

#define ONE_OF(...) ((const uint32_t[]){__VA_ARGS__})[below(sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))]

/* A roofline by hand. Aligned ones have whole nanoseconds only (where nothing speculates), so that arrivals can fall exactly on boundaries. */
static void draw_roofline(workload *w, uint32_t k, uint32_t longest)
{
    orr_roofline *r = &w->scene.kind[k].roofline;
    bool aligned = !one_in(3);
    double odd = aligned ? 0 : 1e-3 * between(1, 999);
    *r = (orr_roofline){.base_ns = w->scale + odd, .sequence_ns = below(w->scale / 4 + 1) + odd, .kv_ns = below(3) + odd / 7, .attention_ns = 2 * below(2) + odd / 100,
                        .reduce_token_ns = below(2) + odd / 3, .most = MOST_BATCH, .decode = w->decode[k]};
    if (!aligned) {
        if (one_in(2)) /* so little per token that rounding shows: who rounds anew where nothing has changed is found out */
            r->kv_ns = 1e-4 * between(1, 30);
        r->compute_ns = 0.01 * between(1, 100);
        r->dense_ns = 0.1 * between(1, 2 * w->scale);
    }
    if (one_in(2)) {
        r->limit = between(1, longest);
        r->near_ns = below(3) + odd / 5;
        r->near_attention_ns = 2 * below(2) + odd / 11;
    }
    for (uint32_t n = 0; n <= MOST_BATCH; n++) /* the formula of roofline.h for n tokens of n sequences; no rule of the server hangs on it */
        w->decode[k][n] = (int64_t)(1024 * (r->base_ns + r->sequence_ns * n + r->dense_ns + (r->compute_ns + r->reduce_token_ns) * n));
}

static void draw_kind(workload *w, uint32_t k, uint32_t largest, uint32_t longest)
{
    orr_llm_kind *kind = &w->scene.kind[k];
    draw_roofline(w, k, longest);
    kind->max_batch = ONE_OF(1, 2, 3, 8, 24, MOST_BATCH);
    kind->token_budget = ONE_OF(1, 3, 8, 40, 300, 2000, 100000);
    kind->classes = CLASSES;
    kind->batching = below(3);
    kind->block = ONE_OF(1, 2, 4, 16, 64, 512);
    kind->keeps_prefixes = !one_in(4);
    kind->hands_over = k + 1 < w->scene.servers;
    kind->blocks = one_in(3) ? 10000000 : (largest + below(largest * (one_in(2) ? 1 : 4)) + kind->block - 1) / kind->block;
    if (w->everything) {
        kind->max_batch = ONE_OF(8, 24, MOST_BATCH);
        kind->token_budget = ONE_OF(3, 8, 40);
        kind->batching = one_in(2) ? ORR_BATCH_MIXED : ORR_BATCH_PROMPTS_FIRST;
        kind->block = ONE_OF(1, 4, 16);
        kind->keeps_prefixes = true;
        kind->blocks = (largest + below(largest) + kind->block - 1) / kind->block;
    }
    kind->reserve = one_in(2) ? 0 : below((uint32_t)kind->blocks / 4 + 1);
}

/* Chains of block hashes that share their heads. */
static void draw_hashes(workload *w)
{
    for (uint32_t c = 0; c < CHAINS; c++) {
        uint32_t other = below(c + 1), shared = below(CHAIN + 1);
        for (uint32_t k = 0; k < CHAIN; k++)
            w->hashes[c * CHAIN + k] = k < shared && other < c ? w->hashes[other * CHAIN + k] : 1 + c * CHAIN + k;
    }
}

static void draw_requests(workload *w)
{
    uint32_t longest_prompt = ONE_OF(1, 6, 60, 900, 3000), longest_answer = ONE_OF(1, 4, 40, 200, 700), gap = ONE_OF(0, 3, 60, 2000, 200000), burst = ONE_OF(1, 1, 4, 16);
    uint32_t prefix[CLASSES], largest = 2 /* of the last one, that comes when all is over */, total = 2, speculates = below(3), whose = below(4);
    int64_t at = 1 + below(1000);
    w->scale = ONE_OF(2, 5, 1000, 20000);
    w->everything = one_in(5);
    if (w->everything) {
        longest_prompt = ONE_OF(60, 900);
        longest_answer = ONE_OF(40, 200);
        gap = ONE_OF(0, 3, 60);
        speculates = 1 + below(2);
    }
    w->scene = (naive_scene){.servers = w->everything || one_in(3) ? 2 : 1, .count = w->everything ? MOST_REQUESTS : between(1, MOST_REQUESTS), .request = w->request, .block_hashes = w->hashes, .stops_ns = {ORR_NEVER, ORR_NEVER}};
    for (uint32_t c = 0; c < CLASSES; c++)
        prefix[c] = !w->everything && one_in(2) ? 0 : below(longest_prompt + 2);
    for (uint32_t i = 0; i < w->scene.count; i++) {
        naive_wish *r = &w->request[i].wish;
        if (i % burst == 0)
            at += between(0, 2 * gap);
        *r = (naive_wish){.arrives_ns = at, .cancels_ns = ORR_NEVER, .carry_ns = 1 + below(w->scale * ONE_OF(1, 1, 50)), .cancel_rank = below(4),
                          .input = between(1, longest_prompt), .output = one_in(8) ? 1 : between(1, longest_answer), .class_ = below(CLASSES)};
        r->steps = speculates == 0 || r->output == 1 || one_in(3) ? 0 : speculates == 1 ? between(1, r->output - 1) : (r->output + 1) / 2;
        if (whose == 3 || (whose == 2 && one_in(2))) { /* of a session, which is of one class */
            r->session = 1 + below(SESSIONS);
            r->class_ = (uint32_t)r->session % CLASSES;
        }
        r->prefix = prefix[r->class_];
        if (r->prefix > 0 && one_in(4)) /* a prompt that is all prefix */
            r->input = r->prefix;
        if (r->session == 0 && whose > 0) { /* recorded; the last hash may stand for part of a block */
            r->blocks = 1 + CHAIN * below(CHAINS);
            r->block_count = (r->input + ORR_PREFIX_TOKENS - 1) / ORR_PREFIX_TOKENS;
        }
        largest = r->input + r->output > largest ? r->input + r->output : largest;
        total += r->output;
    }
    for (uint32_t k = 0; k < w->scene.servers; k++)
        draw_kind(w, k, largest, longest_prompt + longest_answer);
    w->tokens = malloc((size_t)total * sizeof *w->tokens);
    total = 2;
    for (uint32_t i = 0; i < w->scene.count; total += w->request[i++].wish.output)
        w->request[i].wish.token = w->tokens + total;
}

static void clear(const workload *w, naive_totals *totals)
{
    for (uint32_t k = 0; k < w->scene.servers; k++) {
        orr_array_clear(&totals[k].iteration);
        orr_array_clear(&totals[k].use);
    }
}

/* A moment at or right beside a boundary of a first run, or anywhere within it. */
static int64_t draw_moment(const workload *w, const naive_totals *first_run)
{
    const orr_array *all = &first_run[below(w->scene.servers)].iteration;
    if (all->count == 0)
        return 1 + below(1000);
    const naive_iteration *i = orr_array_at(all, below(all->count));
    int64_t ns = (i->start + i->duration + 1023) / 1024;
    return one_in(4) ? ns + between(0, 2) - 1 : one_in(4) ? 1 + (int64_t)below((uint32_t)(ns < 1000000000 ? ns + 1 : 1000000000)) : ns;
}

static int by_arrival(const void *a, const void *b)
{
    const naive_wish *x = &((const naive_request *)a)->wish, *y = &((const naive_request *)b)->wish;
    return x->arrives_ns < y->arrives_ns ? -1 : x->arrives_ns > y->arrives_ns ? 1 : x->token < y->token ? -1 : x->token > y->token;
}

static void forget_results(workload *w)
{
    for (uint32_t i = 0; i < w->scene.count; i++)
        w->request[i] = (naive_request){.wish = w->request[i].wish};
}

/* Moves some arrivals, and what is carried, onto boundaries of a first run. */
static void sharpen(workload *w)
{
    naive_totals first[NAIVE_SERVERS];
    naive_llm_run(&w->scene, first);
    for (uint32_t i = 0; i < w->scene.count; i++) {
        naive_wish *r = &w->request[i].wish;
        int64_t from = w->request[i].first_ns, to = draw_moment(w, first);
        if (one_in(3))
            r->arrives_ns = draw_moment(w, first);
        else if (w->scene.servers > 1 && one_in(2) && from > 0 && to > from)
            r->carry_ns = to - from;
    }
    clear(w, first);
    forget_results(w);
    qsort(w->request, w->scene.count, sizeof w->request[0], by_arrival);
}

/* Puts some cancellations, and perhaps stops, onto boundaries; up to the first that takes effect they are exact. */
static void cut_short(workload *w, bool cancel, bool stop)
{
    uint32_t hurry = ONE_OF(1, 4, 20);
    naive_totals first[NAIVE_SERVERS];
    naive_llm_run(&w->scene, first);
    int64_t bar = first[w->scene.servers - 1].bar_ns, together = bar > 0 && one_in(2) ? bar : draw_moment(w, first) - below(2);
    bool many_together = one_in(2);
    for (uint32_t i = 0; i < w->scene.count && cancel; i++) {
        naive_request *r = &w->request[i];
        if (many_together && r->wish.arrives_ns < together && !one_in(6)) {
            r->wish.cancels_ns = together;
            continue;
        }
        int64_t at = one_in(3) ? r->wish.arrives_ns + 1 + below(w->scale * hurry) : one_in(8) ? r->end_ns : one_in(6) ? r->first_ns : one_in(8) ? r->carried_ns - below(2) : draw_moment(w, first);
        if (one_in(2) && at > r->wish.arrives_ns)
            r->wish.cancels_ns = at;
    }
    if (stop)
        for (uint32_t k = 0; k < w->scene.servers; k++)
            w->scene.stops_ns[k] = one_in(2) ? ORR_NEVER : draw_moment(w, first);
    clear(w, first);
    forget_results(w);
}

static void draw_workload(workload *w, uint64_t number)
{
    seed = number;
    counter = 0;
    memset(w, 0, sizeof *w);
    draw_hashes(w);
    draw_requests(w);
    for (uint32_t rounds = below(3); rounds > 0; rounds--)
        sharpen(w);
    bool cancel = one_in(2), stop = one_in(5);
    if (cancel || stop)
        cut_short(w, cancel, stop);
    w->request[w->scene.count++].wish = (naive_wish){.arrives_ns = 1000 * ORR_SECOND, .cancels_ns = ORR_NEVER, .carry_ns = 1, .input = 1, .output = 2, .token = w->tokens};
}

/* The jumping servers in their little world. */
typedef struct happening {
    int64_t  at_ns;
    uint32_t rank, which; /* rank: order within a nanosecond; which request or server */
    enum { ARRIVAL, CARRIED, CANCEL, STOP, PROBE } what;
} happening;

typedef struct bench {
    workload    *w;
    naive_totals *naive;
    orr_llm      llm[NAIVE_SERVERS];
    orr_array    jobs, heaps, events, spans, nodes, shortcuts;
    orr_map      by_key;
    uint32_t     free_nodes;
    orr_llm_site site;
    happening    happening[3 * MOST_REQUESTS + PROBES + 10];
    uint32_t     happenings;
    uint32_t     server[MOST_REQUESTS + 1]; /* where a request is */
    naive_place  end[MOST_REQUESTS + 1];
    int64_t      started_ns[MOST_REQUESTS + 1], first_ns[MOST_REQUESTS + 1], end_ns[MOST_REQUESTS + 1];
    uint32_t     generated[MOST_REQUESTS + 1], cached[MOST_REQUESTS + 1];
    uint64_t     dues;
    uint32_t     probes, uses_checked;
} bench;

/* A request has one job at each server. */
static uint32_t job_of(uint32_t request, uint32_t server) { return 2 + request * NAIVE_SERVERS + server; }
static uint32_t request_of(uint32_t job) { return (job - 2) / NAIVE_SERVERS; }

static void bench_open(bench *b, workload *w)
{
    memset(b, 0, sizeof *b);
    b->w = w;
    orr_array_init(&b->jobs, sizeof(orr_job));
    orr_array_init(&b->heaps, sizeof(orr_llm_entry));
    orr_array_init(&b->events, sizeof(orr_job_event));
    orr_array_init(&b->spans, sizeof(orr_llm_span));
    orr_array_init(&b->nodes, sizeof(orr_prefix_node));
    orr_array_init(&b->shortcuts, sizeof(uint32_t));
    orr_map_init(&b->by_key);
    ck_assert(orr_array_extend(&b->jobs, job_of(w->scene.count, 0)) && orr_array_extend(&b->heaps, 5 + NAIVE_SERVERS * MOST_BATCH) && orr_array_extend(&b->shortcuts, 2 + NAIVE_SERVERS * CLASSES));
    b->site = (orr_llm_site){&b->jobs, &b->heaps, &b->events, &b->spans, {&b->nodes, &b->by_key, &b->shortcuts, &b->free_nodes}, w->hashes};
    for (uint32_t k = 0; k < NAIVE_SERVERS; k++) {
        b->llm[k].heap = 5 + k * MOST_BATCH; /* not the only one at its site */
        b->llm[k].shortcuts = 2 + k * CLASSES;
        b->llm[k].number = k;
        b->llm[k].pool = 7;
        orr_llm_start(&b->llm[k], 100 + k);
    }
}

static void bench_close(bench *b)
{
    orr_array_clear(&b->jobs);
    orr_array_clear(&b->heaps);
    orr_array_clear(&b->events);
    orr_array_clear(&b->spans);
    orr_array_clear(&b->nodes);
    orr_array_clear(&b->shortcuts);
    orr_array_clear(&b->by_key.places);
}

/* ck_assert notes every place it passes, which in the innermost loops costs more than all else. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("workload %lu: %s", (unsigned long)seed, what);
}

static void happens(bench *b, int64_t at_ns, uint32_t rank, uint32_t which, int what)
{
    b->happening[b->happenings++] = (happening){at_ns, rank, which, what};
}

/* Takes what the servers tell, as their owner does: a job that has ended is forgotten at once. */
static void settle(bench *b)
{
    for (uint32_t i = 0; i < b->events.count; i++) {
        orr_job_event e = ((orr_job_event *)b->events.items)[i];
        orr_job *j = orr_job_at(&b->jobs, e.job);
        uint32_t r = request_of(e.job);
        must(b->end[r] == NAIVE_NOT_YET, "a job ends twice");
        must(b->server[r] == j->instance, "a job tells that has been handed over");
        switch (e.outcome) {
        case ORR_ADMITTED:
            must(e.tokens > 0, "told of nothing cached");
            b->cached[r] += e.tokens;
            break;
        case ORR_FIRST_TOKEN:
            must(b->first_ns[r] == 0, "two first tokens");
            b->first_ns[r] = e.at_ns;
            break;
        case ORR_PREFILLED:
            happens(b, e.at_ns + b->w->request[r].wish.carry_ns, 2000 + r, r, CARRIED);
            break;
        default:
            must(j->state == ORR_JOB_ENDED && j->pinned == 0, "an end that is none");
            b->end[r] = e.outcome == ORR_JOB_DONE ? NAIVE_DONE : NAIVE_CANCELLED;
            b->end_ns[r] = e.at_ns;
            b->generated[r] = j->before;
            must(j->before == orr_llm_generated(&b->llm[j->instance], j, e.at_ns), "its tokens are not what they were");
            must(j->cached == (j->received || j->instance > 0 ? 0 : b->cached[r]), "cached tokens that were not told");
            b->started_ns[r] = j->instance > 0 ? b->started_ns[r] : j->started_ns;
            *j = (orr_job){0};
        }
    }
    b->events.count = 0;
}

/* After whatever was done to a server. */
static void check(bench *b, uint32_t k, int64_t now)
{
    const orr_llm *l = &b->llm[k];
    const orr_llm_kind *kind = &b->w->scene.kind[k];
    settle(b);
    int64_t used = orr_llm_kv_used(l, kind, now);
    must(used >= 0 && used <= kind->blocks * kind->block, "more KV than there is");
    must(l->decoding + l->prompts.count <= kind->max_batch, "more in the batch than there are places");
    must(l->cache.pinned >= 0 && l->cache.pinned <= l->cache.blocks && l->prompt_blocks >= 0 && l->shared >= 0, "blocks do not add up");
}

static void arrive(bench *b, uint32_t i, int64_t now)
{
    const naive_wish *r = &b->w->request[i].wish;
    *orr_job_at(&b->jobs, job_of(i, 0)) = (orr_job){.pool = 7, .input = r->input, .prefix = r->prefix, .output = r->output, .steps = r->steps, .class_ = (uint16_t)r->class_,
                                                   .session = r->session, .blocks = r->blocks, .block_count = r->block_count, .arrived_ns = now};
    must(orr_llm_arrive(&b->llm[0], &b->w->scene.kind[0], &b->site, job_of(i, 0), now), "out of memory");
    check(b, 0, now);
}

/* The KV of a request has arrived at the second server. If its client has left, it ends here. */
static void carried(bench *b, uint32_t i, int64_t now)
{
    orr_job *j = orr_job_at(&b->jobs, job_of(i, 0)), sent = *j;
    if (sent.state != ORR_JOB_HELD)
        return; /* the first server was stopped meanwhile */
    must(orr_llm_generated(&b->llm[0], j, now) == 1, "a prompt that was handed over has one token");
    must(orr_llm_release(&b->llm[0], &b->w->scene.kind[0], &b->site, job_of(i, 0), now), "out of memory");
    must(j->state == ORR_JOB_ENDED && j->before == 1, "a released job stays, or forgets its token");
    *j = (orr_job){0};
    b->started_ns[i] = sent.started_ns;
    if (sent.cancelled) {
        b->end[i] = NAIVE_CANCELLED;
        b->end_ns[i] = now;
        b->generated[i] = 1;
    } else {
        const naive_wish *r = &b->w->request[i].wish;
        b->server[i] = 1;
        *orr_job_at(&b->jobs, job_of(i, 1)) = (orr_job){.instance = 1, .pool = 7, .input = r->input, .prefix = r->prefix, .output = r->output, .steps = r->steps, .class_ = sent.class_, .received = 1,
                                                       .session = r->session, .blocks = r->blocks, .block_count = r->block_count, .arrived_ns = now, .first_ns = sent.first_ns};
        must(orr_llm_arrive(&b->llm[1], &b->w->scene.kind[1], &b->site, job_of(i, 1), now), "out of memory");
        check(b, 1, now);
    }
    check(b, 0, now);
}

/* What is visible between the events: integrals, tokens and KV so far. */
static void probe(bench *b, uint32_t k, int64_t now)
{
    orr_llm *l = &b->llm[k];
    must(orr_llm_catch_up(l, &b->w->scene.kind[k], &b->site, now), "out of memory");
    orr_llm_account(l, now);
    check(b, k, now);
    for (uint32_t i = 0; i < b->w->scene.count; i++) {
        const orr_job *j = orr_job_at(&b->jobs, job_of(i, k));
        const naive_request *r = &b->w->request[i];
        if (j->state == ORR_JOB_FREE)
            continue;
        uint32_t before = 0; /* tokens before now; those of now only if that boundary has been completed */
        while (before < r->produced && r->wish.token[before] < now * 1024 + (l->start == now * 1024))
            before++;
        if (orr_llm_generated(l, j, now) != before)
            ck_abort_msg("workload %lu, request %u: %u tokens before %ld, not %u", (unsigned long)seed, i, orr_llm_generated(l, j, now), (long)now, before);
    }
    const orr_array *use = &b->naive[k].use;
    int64_t tokens = 0;
    for (uint32_t i = 0; i < use->count; i++) {
        const naive_use *u = orr_array_at(use, i);
        if (u->at == now * 1024)
            return; /* it depends on the order */
        if (u->at > now * 1024)
            break;
        tokens = u->tokens;
    }
    must(orr_llm_kv_used(l, &b->w->scene.kind[k], now) == tokens, "KV in use");
    b->uses_checked++;
}

static happening *next_happening(bench *b)
{
    happening *next = NULL;
    for (happening *h = b->happening; h < b->happening + b->happenings; h++)
        if (next == NULL || h->at_ns < next->at_ns || (h->at_ns == next->at_ns && h->rank < next->rank))
            next = h;
    return next;
}

static void draw_happenings(bench *b, int order)
{
    for (uint32_t i = 0; i < b->w->scene.count; i++) {
        const naive_wish *r = &b->w->request[i].wish;
        happens(b, r->arrives_ns, (order >= ARRIVALS_LAST ? 5000 : 1000) + i, i, ARRIVAL);
        if (r->cancels_ns != ORR_NEVER)
            happens(b, r->cancels_ns, 3000 + r->cancel_rank * (MOST_REQUESTS + 1) + i, i, CANCEL);
    }
    for (uint32_t k = 0; k < b->w->scene.servers; k++)
        if (b->w->scene.stops_ns[k] != ORR_NEVER)
            happens(b, b->w->scene.stops_ns[k], 6000 + k, k, STOP);
    for (uint32_t k = 0; k < b->probes; k++) {
        const naive_request *r = &b->w->request[below(b->w->scene.count)];
        int64_t at = r->produced > 0 ? (r->wish.token[below(r->produced)] + 1023) / 1024 + below(2) : r->wish.arrives_ns;
        happens(b, at + (one_in(3) ? below(b->w->scale) : 0), below(7000), below(b->w->scene.servers), PROBE);
    }
}

static void let_happen(bench *b, happening h)
{
    const workload *w = b->w;
    switch (h.what) {
    case ARRIVAL:
        arrive(b, h.which, h.at_ns);
        break;
    case CARRIED:
        carried(b, h.which, h.at_ns);
        break;
    case CANCEL:
        if (b->end[h.which] != NAIVE_NOT_YET)
            break;
        must(orr_llm_cancel(&b->llm[b->server[h.which]], &w->scene.kind[b->server[h.which]], &b->site, job_of(h.which, b->server[h.which]), h.at_ns), "out of memory");
        check(b, b->server[h.which], h.at_ns);
        break;
    case STOP:
        must(orr_llm_stop(&b->llm[h.which], &w->scene.kind[h.which], &b->site, h.at_ns), "out of memory");
        must(b->llm[h.which].cache.blocks == 0 && orr_llm_kv_used(&b->llm[h.which], &w->scene.kind[h.which], h.at_ns) == 0, "a stopped server has KV");
        check(b, h.which, h.at_ns);
        break;
    default:
        probe(b, h.which, h.at_ns);
    }
}

static void run_jumping(bench *b, int order)
{
    draw_happenings(b, order);
    for (;;) {
        happening *h = next_happening(b);
        int64_t next = h != NULL ? h->at_ns : ORR_NEVER, due = b->llm[0].due_ns;
        uint32_t k = b->llm[1].due_ns < due || (b->llm[1].due_ns == due && one_in(2));
        due = b->llm[k].due_ns;
        bool due_first = order % ARRIVALS_LAST == DUE_FIRST || (order % ARRIVALS_LAST == DUE_AT_RANDOM && one_in(2));
        if (next == ORR_NEVER && due == ORR_NEVER)
            break;
        if (due < next || (due == next && due_first)) {
            b->dues++;
            must(orr_llm_run(&b->llm[k], &b->w->scene.kind[k], &b->site, due), "out of memory");
            check(b, k, due);
        } else {
            happening now = *h;
            *h = b->happening[--b->happenings];
            let_happen(b, now);
        }
    }
}

/* Every iteration, out of the spans. */
static void compare_spans(const bench *b, uint32_t k, const naive_totals *naive)
{
    const naive_iteration *i = naive->iteration.items, *end = i + naive->iteration.count;
    int64_t time = 0;
    for (uint32_t n = 0; n < b->spans.count; n++) {
        const orr_llm_span *s = orr_array_at(&b->spans, n);
        if (s->instance != k)
            continue;
        must(i < end && s->iterations > 0 && s->context == i->context, "contexts of a span");
        int64_t start = s->start;
        for (int64_t m = 0; m < s->iterations; m++, i++) {
            int64_t duration = s->first + m * s->slope;
            must(i < end, "more iterations than there are");
            if (start != i->start || duration != i->duration || s->decoding != i->decoding || s->stalled != i->stalled || s->prompts != i->prompts || s->prompt_tokens != i->prompt_tokens)
                ck_abort_msg("workload %lu: span from %ld: iteration %ld takes %ld with %u, %u, %u, %u, not %ld with %u, %u, %u, %u", (unsigned long)seed, (long)s->start, (long)m, (long)duration,
                             s->decoding, s->stalled, s->prompts, s->prompt_tokens, (long)i->duration, i->decoding, i->stalled, i->prompts, i->prompt_tokens);
            start += duration;
            time += duration;
        }
    }
    must(i == end, "fewer iterations than there are");
    ck_assert_int_eq(time + naive->void_time, naive->decode_time + naive->prompt_time);
}

static void compare_totals(const bench *b, uint32_t k, const naive_totals *naive)
{
    const orr_llm *l = &b->llm[k];
    const struct {
        const char *what;
        int64_t     got, expected;
    } totals[] = {
        {"iterations", (int64_t)l->iteration, (int64_t)naive->iterations},
        {"prompt iterations", (int64_t)l->prompt_iterations, (int64_t)naive->prompt_iterations},
        {"steps", (int64_t)l->step, (int64_t)naive->steps},
        {"admissions", (int64_t)l->admissions, (int64_t)naive->admissions},
        {"preemptions", (int64_t)l->preemptions, (int64_t)naive->preemptions},
        {"produced", (int64_t)l->produced, (int64_t)naive->produced},
        {"surplus", (int64_t)l->surplus, (int64_t)naive->surplus},
        {"prefilled", (int64_t)l->prefilled, (int64_t)naive->prefilled},
        {"recomputed", (int64_t)l->recomputed, (int64_t)naive->recomputed},
        {"decode time", l->decode_time, naive->decode_time},
        {"prompt time", l->prompt_time, naive->prompt_time},
        {"batch time", l->batch_time, naive->batch_time},
        {"slot time", l->slot_time, naive->slot_time},
        {"blocks of the prefix cache", l->cache.blocks, naive->cache_blocks},
        {"pinned", l->cache.pinned, 0},
        {"context", l->context, 0},
        {"rate", l->rate, 0},
        {"near", l->near, 0},
        {"near rate", l->near_rate, 0},
        {"shared", l->shared, 0},
        {"blocks of prompts", l->prompt_blocks, 0},
        {"leaving", l->leaving, 0},
        {"sequences", l->decoding + l->prompts.count + l->waiting.count, 0},
    };
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        if (totals[i].got != totals[i].expected)
            ck_abort_msg("workload %lu, server %u: %s %ld, not %ld", (unsigned long)seed, k, totals[i].what, (long)totals[i].got, (long)totals[i].expected);
    must(l->cache.blocks <= b->w->scene.kind[k].blocks, "more nodes than blocks");
}

static void compare(const bench *b, const naive_totals *naive, int order)
{
    uint64_t tokens = 0, made = 0;
    for (uint32_t i = 0; i < b->w->scene.count; i++) {
        const naive_request *r = &b->w->request[i];
        if (b->end[i] != r->place || b->end_ns[i] != r->end_ns || b->first_ns[i] != r->first_ns || b->started_ns[i] != r->started_ns || b->generated[i] != r->produced || b->cached[i] != r->cached)
            ck_abort_msg("workload %lu, order %d, request %u: start %ld first %ld end %ld (%d) tokens %u cached %u, not start %ld first %ld end %ld (%d) tokens %u cached %u", (unsigned long)seed, order, i,
                         (long)b->started_ns[i], (long)b->first_ns[i], (long)b->end_ns[i], b->end[i], b->generated[i], b->cached[i],
                         (long)r->started_ns, (long)r->first_ns, (long)r->end_ns, r->place, r->produced, r->cached);
        must(r->place >= NAIVE_DONE, "a request has not ended");
        tokens += r->produced;
    }
    for (uint32_t k = 0; k < b->w->scene.servers; k++) {
        compare_totals(b, k, &naive[k]);
        compare_spans(b, k, &naive[k]);
        made += b->llm[k].produced - b->llm[k].surplus;
    }
    ck_assert_uint_eq(made, tokens << ORR_TOKEN_BITS); /* of both servers together: the first makes one of each answer that it hands over */
}

START_TEST(jumping_and_stepping_agree_to_the_last_digit_in_every_order_of_ties)
{
    static workload w;
    static bench b;
    uint32_t uses_checked = 0;
    for (uint64_t k = 0; k < WORKLOADS_PER_GROUP; k++) {
        draw_workload(&w, 1 + k + (uint64_t)_i * WORKLOADS_PER_GROUP);
        naive_totals naive[NAIVE_SERVERS];
        naive_llm_run(&w.scene, naive);
        for (int order = 0; order < ORDERS; order++) {
            bench_open(&b, &w);
            b.naive = naive;
            b.probes = PROBES;
            run_jumping(&b, order);
            compare(&b, naive, order);
            uses_checked += b.uses_checked;
            bench_close(&b);
        }
        clear(&w, naive);
        free(w.tokens);
    }
    ck_assert_uint_gt(uses_checked, WORKLOADS_PER_GROUP * ORDERS);
}
END_TEST

/* The workloads are worth something: what they are meant to contain does occur. */
START_TEST(the_workloads_meet_every_rule)
{
    enum { TIES, PAIRS, CANCELLED_WAITING, CANCELLED_IN_PROMPT, CANCELLED_DECODING, CANCELLED_ON_ITS_WAY, ENDS_WHEN_CANCELLED, CHUNKED, WHOLE_BEYOND_BUDGET, STALLED, SINGLE, CACHED_OF_CLASS,
           CACHED_OF_SESSION, CACHED_OF_TRACE, EVICTED, PREEMPTED_DECODING, PREEMPTED_PROMPT, PREEMPTED_RECEIVED, RECOMPUTED, BARS_LIFTED, CROSSED, SPECULATING, LOST_FRACTION, STOPPED, HELD_AND_STOPPED, ALL_AT_ONCE, RULES };
    static const uint32_t least[RULES] = {200, 50, 200, 50, 50, 10, 20, 500, 500, 500, 500, 100, 50, 100, 500, 200, 50, 100, 20, 1, 200, 500, 50, 5, 5, 20};
    static workload w;
    uint32_t met[RULES] = {0};
    for (uint64_t k = 1; k <= 300; k++) {
        draw_workload(&w, k);
        naive_totals naive[NAIVE_SERVERS];
        naive_llm_run(&w.scene, naive);
        met[PAIRS] += w.scene.servers == 2;
        for (uint32_t n = 0; n < w.scene.servers; n++) {
            const naive_iteration *it = naive[n].iteration.items;
            for (uint32_t m = 0; m < naive[n].iteration.count; m++) {
                for (uint32_t i = 0; i < w.scene.count; i++)
                    met[TIES] += w.request[i].wish.arrives_ns * 1024 == it[m].start + it[m].duration || w.request[i].wish.cancels_ns == (it[m].start + it[m].duration) / 1024;
                met[STALLED] += it[m].stalled > 0;
                met[WHOLE_BEYOND_BUDGET] += it[m].prompt_tokens + it[m].decoding > w.scene.kind[n].token_budget && w.scene.kind[n].batching == ORR_BATCH_WHOLE_PROMPTS;
            }
            met[EVICTED] += (uint32_t)naive[n].evicted;
            met[PREEMPTED_DECODING] += (uint32_t)(naive[n].preemptions - naive[n].prompts_preempted);
            met[PREEMPTED_PROMPT] += (uint32_t)naive[n].prompts_preempted;
            met[PREEMPTED_RECEIVED] += n > 0 ? (uint32_t)naive[n].preemptions : 0;
            met[RECOMPUTED] += naive[n].recomputed > 0;
            met[BARS_LIFTED] += (uint32_t)naive[n].bars_lifted;
            met[CROSSED] += (uint32_t)naive[n].crossings;
            met[LOST_FRACTION] += naive[n].surplus > 0;
            met[STOPPED] += naive[n].void_time > 0;
        }
        bool chunked = false, hit = false, speculated = false, preempted = false;
        for (uint32_t n = 0; n < w.scene.servers; n++)
            preempted |= naive[n].preemptions > 0;
        for (uint32_t i = 0; i < w.scene.count; i++) {
            const naive_request *r = &w.request[i];
            chunked |= r->wish.input > w.scene.kind[0].token_budget && w.scene.kind[0].batching != ORR_BATCH_WHOLE_PROMPTS;
            hit |= r->cached > 0;
            speculated |= r->wish.steps > 0 && r->wish.steps < r->wish.output - 1 && r->produced > 1;
            bool cancelled = r->place == NAIVE_CANCELLED && r->cancel_heard;
            met[CANCELLED_WAITING] += cancelled && r->entered == 0;
            met[CANCELLED_IN_PROMPT] += cancelled && r->entered > 0 && r->first_ns == 0;
            met[CANCELLED_DECODING] += cancelled && r->produced > 1;
            met[CANCELLED_ON_ITS_WAY] += cancelled && r->carried_ns == r->end_ns && r->server == 0;
            met[ENDS_WHEN_CANCELLED] += r->place == NAIVE_DONE && r->end_ns == r->wish.cancels_ns;
            met[CHUNKED] += r->wish.input > w.scene.kind[0].token_budget && w.scene.kind[0].batching != ORR_BATCH_WHOLE_PROMPTS;
            met[SINGLE] += r->wish.output == 1;
            met[CACHED_OF_CLASS] += r->cached > 0 && r->cached <= r->wish.prefix;
            met[CACHED_OF_SESSION] += r->cached > r->wish.prefix && r->wish.session != 0;
            met[CACHED_OF_TRACE] += r->cached > 0 && r->wish.blocks != 0;
            met[SPECULATING] += r->wish.steps > 0 && r->wish.steps < r->wish.output - 1 && r->produced > 1;
            met[HELD_AND_STOPPED] += r->place == NAIVE_CANCELLED && !cancelled && r->carried_ns > r->end_ns;
        }
        met[ALL_AT_ONCE] += chunked && hit && speculated && preempted && w.scene.servers == 2;
        clear(&w, naive);
        free(w.tokens);
    }
    for (int rule = 0; rule < RULES; rule++)
        ck_assert_msg(met[rule] >= least[rule], "rule %d is met %u times only", rule, met[rule]);
}
END_TEST

/* A request of its own making. */
static void asks(workload *w, uint32_t i, uint32_t input, uint32_t output) { w->request[i].wish = (naive_wish){.input = input, .output = output, .cancels_ns = ORR_NEVER, .carry_ns = 1}; }

static void long_decode(workload *w)
{
    memset(w, 0, sizeof *w);
    seed = 77;
    counter = 0;
    w->scale = 1000;
    w->scene = (naive_scene){.servers = 1, .count = 32, .request = w->request, .stops_ns = {ORR_NEVER, ORR_NEVER}};
    draw_roofline(w, 0, 1);
    w->scene.kind[0].roofline.limit = 500;
    w->scene.kind[0].max_batch = 16;
    w->scene.kind[0].token_budget = 8192;
    w->scene.kind[0].block = 16;
    w->scene.kind[0].blocks = 1 << 20;
    for (uint32_t i = 0; i < w->scene.count; i++) {
        asks(w, i, 100, 1000 + 31 * i);
        w->request[i].wish.arrives_ns = (int64_t)i * 1000;
    }
}

START_TEST(a_decode_heavy_load_costs_a_handful_of_calls_per_request)
{
    static workload w;
    static bench b;
    long_decode(&w);
    bench_open(&b, &w);
    run_jumping(&b, DUE_FIRST);
    ck_assert_uint_gt(b.llm[0].iteration, 2000);
    ck_assert_uint_lt(b.dues, 5 * w.scene.count); /* one to join, one for the prompt, one at the limit, one to leave */
    bench_close(&b);
}
END_TEST

START_TEST(the_time_per_token_is_that_of_the_plan)
{
    static workload w;
    static bench b;
    long_decode(&w);
    w.scene.kind[0].roofline.kv_ns = w.scene.kind[0].roofline.near_ns = 0;
    w.scene.count = 1;
    bench_open(&b, &w);
    ck_assert_int_eq(orr_llm_token_ns(&b.llm[0]), 0);
    arrive(&b, 0, 0);
    ck_assert(orr_llm_run(&b.llm[0], w.scene.kind, &b.site, b.llm[0].due_ns));
    ck_assert_int_eq(orr_llm_token_ns(&b.llm[0]), w.decode[0][1] / 1024);
    ck_assert(orr_llm_run(&b.llm[0], w.scene.kind, &b.site, b.llm[0].due_ns)); /* the limit */
    ck_assert(orr_llm_run(&b.llm[0], w.scene.kind, &b.site, b.llm[0].due_ns));
    ck_assert_int_eq(orr_llm_token_ns(&b.llm[0]), 0);
    bench_close(&b);
}
END_TEST

/* Small cases, each by hand: iterations of 10 ns, whatever the batch; blocks of one token. */
static void flat(workload *w, uint32_t count, uint32_t max_batch, int64_t blocks)
{
    memset(w, 0, sizeof *w);
    seed = 1;
    counter = 0;
    w->scene = (naive_scene){.servers = 1, .count = count, .request = w->request, .block_hashes = w->hashes, .stops_ns = {ORR_NEVER, ORR_NEVER}};
    w->scene.kind[0] = (orr_llm_kind){.roofline = {.base_ns = 10, .most = MOST_BATCH, .decode = w->decode[0]}, .max_batch = max_batch, .token_budget = 1000, .classes = CLASSES, .block = 1, .blocks = blocks};
    for (uint32_t n = 0; n <= MOST_BATCH; n++)
        w->decode[0][n] = 10240;
    for (uint32_t i = 0; i < count; i++)
        asks(w, i, 1, 5);
}

static void due(bench *b)
{
    int64_t now = b->llm[0].due_ns;
    ck_assert(orr_llm_run(&b->llm[0], b->w->scene.kind, &b->site, now));
    check(b, 0, now);
}

static void cancel_first(bench *b, int64_t now)
{
    ck_assert(orr_llm_cancel(&b->llm[0], b->w->scene.kind, &b->site, job_of(0, 0), now));
    check(b, 0, now);
}

START_TEST(a_place_given_up_on_a_boundary_is_free_on_that_boundary)
{
    static workload w;
    static bench b;
    flat(&w, 2, 2, 1000);
    bench_open(&b, &w);
    arrive(&b, 0, 0);
    due(&b); /* 10 ns: first token */
    cancel_first(&b, 10);
    arrive(&b, 1, 10);
    ck_assert_int_eq(b.end[0], NAIVE_CANCELLED);
    ck_assert_int_eq(b.end_ns[0], 10);
    ck_assert_int_eq(b.llm[0].due_ns, 20);
    ck_assert_uint_eq(b.llm[0].prompts.count, 1);
    ck_assert_uint_eq(b.llm[0].decoding, 0);
    bench_close(&b);
}
END_TEST

START_TEST(who_is_done_when_cancelled_is_done)
{
    static workload w;
    static bench b;
    for (int32_t late = 0; late < 2; late++) { /* boundaries on the nanosecond, and a little before it */
        flat(&w, 1, 1, 1000);
        for (uint32_t n = 0; n <= MOST_BATCH; n++)
            w.decode[0][n] -= late;
        bench_open(&b, &w);
        arrive(&b, 0, 0);
        due(&b);
        ck_assert_int_eq(b.llm[0].due_ns, 50);
        cancel_first(&b, 50);
        ck_assert_int_eq(b.end[0], NAIVE_DONE);
        ck_assert_uint_eq(b.llm[0].leaving, 0);
        ck_assert_int_eq(b.llm[0].due_ns, ORR_NEVER);
        bench_close(&b);
    }
}
END_TEST

/* Contexts of two that entered together are 2 at 10 ns, 4 at 30 ns: more than 6 blocks. */
START_TEST(who_entered_last_is_preempted_keeps_its_tokens_and_makes_the_rest)
{
    static workload w;
    static bench b;
    flat(&w, 2, 2, 6);
    bench_open(&b, &w);
    arrive(&b, 0, 0);
    arrive(&b, 1, 0);
    due(&b);
    ck_assert_int_eq(b.llm[0].due_ns, 30); /* the memory is full */
    due(&b);
    const orr_job *j = orr_job_at(&b.jobs, job_of(1, 0));
    ck_assert_uint_eq(b.llm[0].preemptions, 1);
    ck_assert(j->state == ORR_JOB_WAITING && j->before == 3 && j->prompt == 4 && b.llm[0].barred);
    ck_assert_uint_eq(orr_llm_generated(&b.llm[0], j, 30), 3);
    due(&b); /* 50 ns: the other is done; a prompt of 4 tokens and one more */
    ck_assert(b.end[0] == NAIVE_DONE && b.end_ns[0] == 50 && j->state == ORR_JOB_PROMPT);
    due(&b); /* 60 ns: the fourth */
    ck_assert_uint_eq(orr_llm_generated(&b.llm[0], j, 61), 4);
    due(&b);
    ck_assert(b.end[1] == NAIVE_DONE && b.end_ns[1] == 70);
    ck_assert_uint_eq(b.llm[0].prefilled, 2);
    ck_assert_uint_eq(b.llm[0].recomputed, 4);
    bench_close(&b);
}
END_TEST

START_TEST(a_preempted_one_does_not_wait_for_a_boundary_that_never_comes)
{
    static workload w;
    static bench b;
    flat(&w, 2, 2, 6);
    bench_open(&b, &w);
    arrive(&b, 0, 0);
    arrive(&b, 1, 0);
    due(&b);
    due(&b);             /* 30 ns: the second is preempted */
    cancel_first(&b, 30); /* and the first leaves: nothing runs */
    ck_assert_uint_eq(b.llm[0].prompts.count, 1);
    ck_assert_int_eq(b.llm[0].due_ns, 40);
    bench_close(&b);
}
END_TEST

/* The rate is rounded up, here by 0.99998 * 2^-16 tokens per step, so that before its last step a sequence has made all its tokens. At that moment memory is short. */
START_TEST(the_last_token_comes_with_the_last_step)
{
    static workload w;
    static bench b;
    flat(&w, 2, 2, 262148);
    w.scene.kind[0].token_budget = 200000;
    for (uint32_t i = 0; i < 2; i++) {
        asks(&w, i, 1, 131073);
        w.request[i].wish.steps = 131070;
    }
    bench_open(&b, &w);
    arrive(&b, 0, 0);
    arrive(&b, 1, 0);
    due(&b);
    due(&b);
    const orr_job *j = orr_job_at(&b.jobs, job_of(1, 0));
    ck_assert(j->state == ORR_JOB_WAITING && orr_llm_made(&b.llm[0], j) == UINT64_C(131072) << ORR_TOKEN_BITS && b.llm[0].step == 131070);
    due(&b);
    due(&b);
    ck_assert(b.end[0] == NAIVE_DONE && b.end[1] == NAIVE_DONE && b.end_ns[1] == b.end_ns[0] + 10);
    ck_assert(b.generated[0] == 131073 && b.generated[1] == 131073);
    ck_assert_uint_eq(b.llm[0].produced - b.llm[0].surplus, 2 * UINT64_C(131073) << ORR_TOKEN_BITS);
    bench_close(&b);
}
END_TEST

/* Three blocks of 512 tokens. The first session leaves one in the cache; the second's answer, made in one step, then leaves three. */
START_TEST(a_node_gives_way_when_time_has_passed_and_not_at_the_moment)
{
    static workload w;
    static bench b;
    for (int64_t later = 0; later < 2; later++) {
        flat(&w, 3, 1, 3);
        w.scene.kind[0].block = 512;
        w.scene.kind[0].keeps_prefixes = true;
        asks(&w, 0, 512, 1);
        asks(&w, 1, 512, 1024);
        asks(&w, 2, 513, 1);
        w.request[1].wish.steps = 1;
        w.request[1].wish.session = 1;
        w.request[0].wish.session = w.request[2].wish.session = 2;
        bench_open(&b, &w);
        arrive(&b, 0, 0);
        due(&b);
        arrive(&b, 1, 10);
        due(&b);
        due(&b); /* 30 ns: nothing runs */
        ck_assert(b.end[1] == NAIVE_DONE && b.end_ns[1] == 30 && b.llm[0].cache.blocks == 4);
        arrive(&b, 2, 30 + later);
        ck_assert_uint_eq(b.cached[2], later ? 0 : 512);
        due(&b);
        ck_assert_int_le(b.llm[0].cache.blocks, 3);
        bench_close(&b);
    }
}
END_TEST

/* Two that entered against the order of their indices, each with a node of its own. When one node has to go it is that of the lesser index. */
START_TEST(those_who_leave_together_leave_in_order_of_index)
{
    static workload w;
    static bench b;
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        flat(&w, 4, 2, 1000);
        w.scene.kind[0].block = 512;
        w.scene.kind[0].keeps_prefixes = true;
        w.scene.kind[0].token_budget = 2000;
        for (uint32_t i = 0; i < 4; i++) {
            asks(&w, i, 513, cancelled && i == 1 ? 4 : 5); /* it would be done first */
            w.request[i].wish.session = 1 + i % 2;
        }
        bench_open(&b, &w);
        arrive(&b, 1, 0);
        arrive(&b, 0, 0);
        due(&b);
        if (cancelled)
            for (uint32_t i = 0; i < 2; i++)
                ck_assert(orr_llm_cancel(&b.llm[0], w.scene.kind, &b.site, job_of(i, 0), 15 + i));
        due(&b);
        ck_assert(b.end[0] == (cancelled ? NAIVE_CANCELLED : NAIVE_DONE) && b.end_ns[0] == (cancelled ? 20 : 50) && b.end[1] == b.end[0] && b.end_ns[1] == b.end_ns[0]);
        orr_prefix_shrink(&b.llm[0].cache, &b.site.store, 1);
        arrive(&b, 2, 60);
        arrive(&b, 3, 60);
        due(&b);
        ck_assert(b.cached[2] == 0 && b.cached[3] == 512);
        bench_close(&b);
    }
}
END_TEST

START_TEST(a_stop_tells_all_in_order_of_index_and_leaves_a_server_that_works)
{
    static workload w;
    static bench b;
    flat(&w, 6, 3, 1000);
    bench_open(&b, &w);
    static const uint32_t order[] = {4, 1, 3, 0, 2};
    for (uint32_t i = 0; i < 5; i++)
        arrive(&b, order[i], 0);
    ck_assert(orr_llm_stop(&b.llm[0], w.scene.kind, &b.site, 25)); /* two iterations, and half a one */
    ck_assert_uint_eq(b.events.count, 3 + 5);
    for (uint32_t i = 0; i < 5; i++) {
        const orr_job_event *e = orr_array_at(&b.events, 3 + i);
        ck_assert(e->job == job_of(i, 0) && e->outcome == ORR_JOB_CANCELLED && e->at_ns == 25);
        ck_assert_uint_eq(orr_job_at(&b.jobs, e->job)->before, i == 0 || i == 2 ? 0 : 2);
    }
    ck_assert_int_eq(b.llm[0].decode_time, 15 * 1024);
    ck_assert_int_eq(b.llm[0].due_ns, ORR_NEVER);
    check(&b, 0, 25);
    arrive(&b, 5, 30);
    due(&b);
    due(&b);
    ck_assert(b.end[5] == NAIVE_DONE && b.end_ns[5] == 80);
    bench_close(&b);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_loop_test(promises, jumping_and_stepping_agree_to_the_last_digit_in_every_order_of_ties, 0, GROUPS);
    tcase_add_test(promises, the_workloads_meet_every_rule);
    tcase_add_test(promises, a_decode_heavy_load_costs_a_handful_of_calls_per_request);
    tcase_add_test(promises, the_time_per_token_is_that_of_the_plan);
    tcase_add_test(promises, a_place_given_up_on_a_boundary_is_free_on_that_boundary);
    tcase_add_test(promises, who_is_done_when_cancelled_is_done);
    tcase_add_test(promises, who_entered_last_is_preempted_keeps_its_tokens_and_makes_the_rest);
    tcase_add_test(promises, a_preempted_one_does_not_wait_for_a_boundary_that_never_comes);
    tcase_add_test(promises, the_last_token_comes_with_the_last_step);
    tcase_add_test(promises, a_node_gives_way_when_time_has_passed_and_not_at_the_moment);
    tcase_add_test(promises, those_who_leave_together_leave_in_order_of_index);
    tcase_add_test(promises, a_stop_tells_all_in_order_of_index_and_leaves_a_server_that_works);
    return run_as_tap("llm", promises);
}
