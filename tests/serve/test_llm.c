/*
 * The promises of llm.h. The main one: whatever the workload, the server that jumps and the naive one that steps (naive_llm.h) agree
 * on every token to the last digit of 2^-10 ns.
 *
 * The jumping server is driven by a small loop that knows arrivals, cancellations and the due time. Where several of these
 * fall on one nanosecond the loop takes them in each of the orders below; the results must be the same.
 */
#include "base/random.h"
#include "base/time.h"
#include "naive_llm.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_REQUESTS = 64, MOST_BATCH = 64, CLASSES = 3, GROUPS = 10, WORKLOADS_PER_GROUP = 32, PROBES = 20, ORDERS = 6 };

/* Orders of what happens at one nanosecond. */
enum { DUE_FIRST, DUE_LAST, DUE_AT_RANDOM, CANCELS_FIRST = 3 /* added */ };

typedef struct workload {
    orr_llm_kind  kind;
    int64_t       decode[MOST_BATCH + 1];
    uint32_t      count, scale; /* scale: about an iteration, ns */
    naive_request request[MOST_REQUESTS];
    int64_t      *tokens; /* of all requests */
} workload;

static uint64_t seed, counter;

static uint32_t below(uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(seed, ORR_STREAM_TEST, 1, (uint32_t)counter++, 0).low, n); }
static uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
static bool     one_in(uint32_t n) { return below(n) == 0; }

#define ONE_OF(...) ((const uint32_t[]){__VA_ARGS__})[below(sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))]

/* A roofline by hand. Aligned ones have whole nanoseconds only, so that arrivals can fall exactly on boundaries. */
static void draw_roofline(workload *w)
{
    orr_roofline *r = &w->kind.roofline;
    uint32_t scale = w->scale = ONE_OF(2, 5, 1000, 20000);
    bool aligned = !one_in(3);
    double odd = aligned ? 0 : 1e-3 * between(1, 999);
    *r = (orr_roofline){.base_ns = scale + odd, .sequence_ns = below(scale / 4 + 1) + odd, .kv_ns = below(3) + odd / 7, .attention_ns = 2 * below(2) + odd / 100,
                        .reduce_token_ns = below(2) + odd / 3, .most = MOST_BATCH, .decode = w->decode};
    if (!aligned) {
        if (one_in(2)) /* so little per token that rounding shows: who rounds anew where nothing has changed is found out */
            r->kv_ns = 1e-4 * between(1, 30);
        r->compute_ns = 0.01 * between(1, 100);
        r->dense_ns = 0.1 * between(1, 2 * scale);
    }
    for (uint32_t n = 0; n <= MOST_BATCH; n++) /* the formula of roofline.h for n tokens of n sequences; no rule of the server hangs on it */
        w->decode[n] = (int64_t)(1024 * (r->base_ns + r->sequence_ns * n + r->dense_ns + (r->compute_ns + r->reduce_token_ns) * n));
}

static void draw_requests(workload *w)
{
    uint32_t longest_prompt = ONE_OF(1, 6, 60, 900), longest_answer = ONE_OF(1, 4, 40, 200), gap = ONE_OF(0, 3, 60, 2000, 200000), burst = ONE_OF(1, 1, 4, 16);
    int64_t at = below(1000), largest = 0, total = 0;
    w->count = between(1, MOST_REQUESTS);
    for (uint32_t i = 0; i < w->count; i++) {
        naive_request *r = &w->request[i];
        if (i % burst == 0)
            at += between(0, 2 * gap);
        *r = (naive_request){.arrives_ns = at, .cancels_ns = ORR_NEVER, .input = between(1, longest_prompt), .output = one_in(8) ? 1 : between(1, longest_answer), .class_ = below(CLASSES)};
        r->prefix = one_in(2) ? 0 : below(r->input + 2); /* also as long as the prompt, and longer */
        int64_t reserve = (int64_t)r->input + r->output;
        largest = reserve > largest ? reserve : largest;
        total += r->output;
    }
    w->kind.max_batch = ONE_OF(1, 2, 3, 8, 24, MOST_BATCH);
    w->kind.token_budget = ONE_OF(1, 3, 8, 40, 300, 100000);
    w->kind.classes = CLASSES;
    w->kind.kv_tokens = one_in(3) ? 1000000000 : largest + below((uint32_t)largest * 4);
    w->tokens = malloc((size_t)total * sizeof *w->tokens);
    total = 0;
    for (uint32_t i = 0; i < w->count; total += w->request[i++].output)
        w->request[i].token = w->tokens + total;
}

/* A moment at or right beside a boundary of a first run, or anywhere within it. */
static int64_t draw_moment(const naive_totals *first_run)
{
    const int64_t *boundary = first_run->boundary.items;
    if (first_run->boundary.count == 0)
        return below(1000);
    int64_t q = boundary[below(first_run->boundary.count)], ns = (q + 1023) / 1024;
    return one_in(4) ? ns + between(0, 2) - 1 : one_in(4) ? (int64_t)below((uint32_t)(ns < 1000000000 ? ns + 1 : 1000000000)) : ns;
}

static int by_arrival(const void *a, const void *b)
{
    const naive_request *x = a, *y = b;
    return x->arrives_ns < y->arrives_ns ? -1 : x->arrives_ns > y->arrives_ns ? 1 : x->token < y->token ? -1 : x->token > y->token;
}

static void forget_results(workload *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        naive_request *r = &w->request[i], kept = *r;
        *r = (naive_request){.arrives_ns = kept.arrives_ns, .cancels_ns = kept.cancels_ns, .input = kept.input, .prefix = kept.prefix, .output = kept.output, .class_ = kept.class_, .token = kept.token};
    }
}

/* Moves some arrivals, and puts some cancellations, onto boundaries of a first run. */
static void sharpen(workload *w, bool cancel)
{
    naive_totals first;
    naive_llm_run(&w->kind, w->request, w->count, &first);
    for (uint32_t i = 0; i < w->count; i++) {
        naive_request *r = &w->request[i];
        if (one_in(3))
            r->arrives_ns = draw_moment(&first);
        if (r->arrives_ns < 0)
            r->arrives_ns = 0;
    }
    orr_array_clear(&first.boundary);
    forget_results(w);
    qsort(w->request, w->count, sizeof w->request[0], by_arrival);
    if (cancel) { /* on boundaries of the workload as it is now; up to the first cancellation that takes effect they are exact */
        uint32_t hurry = ONE_OF(1, 4, 20);
        naive_llm_run(&w->kind, w->request, w->count, &first);
        for (uint32_t i = 0; i < w->count; i++) {
            naive_request *r = &w->request[i];
            int64_t at = one_in(3) ? r->arrives_ns + 1 + below(w->scale * hurry) : one_in(8) ? r->end_ns : one_in(6) ? r->first_ns : draw_moment(&first);
            if (one_in(2) && at > r->arrives_ns)
                r->cancels_ns = at;
        }
        orr_array_clear(&first.boundary);
        forget_results(w);
    }
}

static void draw_workload(workload *w, uint64_t number)
{
    seed = number;
    counter = 0;
    memset(w, 0, sizeof *w);
    draw_roofline(w);
    draw_requests(w);
    bool cancel = one_in(2);
    for (uint32_t rounds = below(3); rounds > 0; rounds--)
        sharpen(w, cancel && rounds == 1);
}

/* The jumping server in its little world. */
typedef struct bench {
    workload    *w;
    orr_llm      llm;
    orr_array    jobs, heaps, resident, events;
    orr_llm_site site;
    naive_place  end[MOST_REQUESTS];
    int64_t      first_ns[MOST_REQUESTS], end_ns[MOST_REQUESTS];
    uint32_t     generated[MOST_REQUESTS];
    uint64_t     dues;
    uint32_t     probes;
} bench;

static void bench_open(bench *b, workload *w)
{
    *b = (bench){.w = w};
    orr_array_init(&b->jobs, sizeof(orr_job));
    orr_array_init(&b->heaps, sizeof(orr_llm_entry));
    orr_array_init(&b->resident, 1);
    orr_array_init(&b->events, sizeof(orr_job_event));
    ck_assert(orr_array_extend(&b->jobs, w->count) && orr_array_extend(&b->heaps, w->kind.max_batch + 5) && orr_array_extend(&b->resident, CLASSES + 2));
    b->site = (orr_llm_site){&b->jobs, &b->heaps, &b->resident, &b->events};
    b->llm.heap = 5; /* not the only one at its site */
    b->llm.resident = 2;
    orr_llm_start(&b->llm);
}

static void bench_close(bench *b)
{
    orr_array_clear(&b->jobs);
    orr_array_clear(&b->heaps);
    orr_array_clear(&b->resident);
    orr_array_clear(&b->events);
}

/* ck_assert notes every place it passes, which in the innermost loops costs more than all else. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("workload %lu: %s", (unsigned long)seed, what);
}

/* Takes what the server tells, as its owner does: a job that has ended is forgotten at once. */
static void settle(bench *b)
{
    for (uint32_t i = 0; i < b->events.count; i++) {
        orr_job_event e = ((orr_job_event *)b->events.items)[i];
        orr_job *j = orr_job_at(&b->jobs, e.job);
        must(b->end[e.job] == NAIVE_NOT_YET, "a job ends twice");
        if (e.outcome == ORR_ADMITTED)
            continue;
        if (e.outcome == ORR_FIRST_TOKEN) {
            must(b->first_ns[e.job] == 0, "two first tokens");
            b->first_ns[e.job] = e.at_ns;
            continue;
        }
        b->end[e.job] = e.outcome == ORR_JOB_DONE ? NAIVE_DONE : NAIVE_CANCELLED;
        b->end_ns[e.job] = e.at_ns;
        b->generated[e.job] = e.outcome == ORR_JOB_DONE ? j->output : j->first_ns == 0 ? 0 : orr_llm_generated(&b->llm, j, e.at_ns);
        *j = (orr_job){0};
    }
    b->events.count = 0;
}

static void arrive(bench *b, uint32_t i, int64_t now)
{
    const naive_request *r = &b->w->request[i];
    *orr_job_at(&b->jobs, i) = (orr_job){.input = r->input, .prefix = r->prefix, .output = r->output, .class_ = (uint16_t)r->class_, .arrived_ns = now};
    must(orr_llm_arrive(&b->llm, &b->w->kind, &b->site, i, now), "out of memory");
}

/* What is visible between the events: integrals and tokens so far. */
static void probe(bench *b, int64_t now)
{
    must(orr_llm_catch_up(&b->llm, &b->w->kind, &b->site, now), "out of memory");
    orr_llm_account(&b->llm, now);
    settle(b);
    for (uint32_t i = 0; i < b->w->count; i++) {
        const orr_job *j = orr_job_at(&b->jobs, i);
        const naive_request *r = &b->w->request[i];
        if (j->state != ORR_JOB_DECODING)
            continue;
        uint32_t before = 0; /* tokens before now; those of now only if that boundary has been completed */
        while (before < r->produced && r->token[before] < now * 1024 + (b->llm.start == now * 1024))
            before++;
        if (orr_llm_generated(&b->llm, j, now) != before)
            ck_abort_msg("workload %lu, request %u: %u tokens before %ld, not %u", (unsigned long)seed, i,
                      orr_llm_generated(&b->llm, j, now), (long)now, before);
    }
}

typedef struct happening {
    int64_t  at_ns;
    uint32_t rank, request; /* rank: order within a nanosecond */
    enum { ARRIVAL, CANCEL, PROBE } what;
} happening;

static int by_time_and_rank(const void *a, const void *b)
{
    const happening *x = a, *y = b;
    return x->at_ns != y->at_ns ? (x->at_ns < y->at_ns ? -1 : 1) : x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : 0;
}

static void run_jumping(bench *b, int order)
{
    happening all[2 * MOST_REQUESTS + PROBES];
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->w->count; i++) {
        const naive_request *r = &b->w->request[i];
        all[n++] = (happening){r->arrives_ns, 1000 + i, i, ARRIVAL};
        if (r->cancels_ns != ORR_NEVER)
            all[n++] = (happening){r->cancels_ns, (order >= CANCELS_FIRST ? 0 : 2000) + below(1000), i, CANCEL};
    }
    for (uint32_t k = 0; k < b->probes; k++, n++) {
        const naive_request *r = &b->w->request[below(b->w->count)];
        all[n] = (happening){r->place == NAIVE_DONE ? (r->token[below(r->produced)] + 1023) / 1024 + below(2) : r->arrives_ns, below(4000), 0, PROBE};
    }
    qsort(all, n, sizeof all[0], by_time_and_rank);
    for (uint32_t i = 0;;) {
        int64_t next = i < n ? all[i].at_ns : ORR_NEVER, due = b->llm.due_ns;
        bool due_first = order % CANCELS_FIRST == DUE_FIRST || (order % CANCELS_FIRST == DUE_AT_RANDOM && one_in(2));
        if (next == ORR_NEVER && due == ORR_NEVER)
            break;
        if (due < next || (due == next && due_first)) {
            b->dues++;
            must(orr_llm_due(&b->llm, &b->w->kind, &b->site), "out of memory");
        } else if (all[i].what == ARRIVAL) {
            arrive(b, all[i].request, next);
            i++;
        } else if (all[i].what == CANCEL) {
            must(orr_llm_cancel(&b->llm, &b->w->kind, &b->site, all[i].request, next), "out of memory");
            i++;
        } else {
            probe(b, next);
            i++;
        }
        settle(b);
        must(b->llm.kv_used >= 0 && b->llm.kv_used <= b->w->kind.kv_tokens, "more cache than there is");
        must(b->llm.decoding + b->llm.prompts.count <= b->w->kind.max_batch, "more in the batch than there are places");
    }
}

static void compare(const bench *b, const naive_totals *naive, int order)
{
    const orr_llm *l = &b->llm;
    for (uint32_t i = 0; i < b->w->count; i++) {
        const naive_request *r = &b->w->request[i];
        if (b->end[i] != r->place || b->end_ns[i] != r->end_ns || b->first_ns[i] != r->first_ns || b->generated[i] != r->produced)
            ck_abort_msg("workload %lu, order %d, request %u: first %ld end %ld (%d) tokens %u, not first %ld end %ld (%d) tokens %u", (unsigned long)seed, order, i, (long)b->first_ns[i],
                      (long)b->end_ns[i], b->end[i], b->generated[i], (long)r->first_ns, (long)r->end_ns, r->place, r->produced);
    }
    ck_assert_uint_eq(l->produced, naive->produced);
    ck_assert_uint_eq(l->prefilled, naive->prefilled);
    ck_assert_uint_eq(l->iteration, naive->iterations);
    ck_assert_uint_eq(l->prompt_iterations, naive->prompt_iterations);
    ck_assert_int_eq(l->decode_time, naive->decode_time);
    ck_assert_int_eq(l->prompt_time, naive->prompt_time);
    ck_assert_int_eq(l->batch_time, naive->batch_time);
    ck_assert_int_eq(l->slot_time, naive->slot_time);
    ck_assert_int_eq(l->kv_used, 0);
    ck_assert_int_eq(l->context, 0);
    ck_assert_uint_eq(l->leaving, 0);
    ck_assert_uint_eq(l->decoding + l->prompts.count + l->waiting.count, 0);
}

START_TEST(jumping_and_stepping_agree_to_the_last_digit_in_every_order_of_ties)
{
    static workload w;
    for (uint64_t k = 0; k < WORKLOADS_PER_GROUP; k++) {
        draw_workload(&w, 1 + k + (uint64_t)_i * WORKLOADS_PER_GROUP);
        naive_totals naive;
        naive_llm_run(&w.kind, w.request, w.count, &naive);
        for (int order = 0; order < ORDERS; order++) {
            bench b;
            bench_open(&b, &w);
            b.probes = PROBES;
            run_jumping(&b, order);
            compare(&b, &naive, order);
            bench_close(&b);
        }
        orr_array_clear(&naive.boundary);
        free(w.tokens);
    }
}
END_TEST

/* The workloads are worth something: what they are meant to contain does occur. */
START_TEST(the_workloads_meet_every_rule)
{
    static workload w;
    uint32_t ties = 0, cancelled_in_batch = 0, cancelled_waiting = 0, chunked = 0, cached = 0, single = 0, waited_for_cache = 0, ends_when_cancelled = 0;
    for (uint64_t k = 1; k <= 100; k++) {
        draw_workload(&w, k);
        naive_totals naive;
        naive_llm_run(&w.kind, w.request, w.count, &naive);
        for (uint32_t i = 0; i < w.count; i++) {
            const naive_request *r = &w.request[i];
            const int64_t at = r->arrives_ns * 1024, *boundary = naive.boundary.items;
            for (uint32_t m = 0; m < naive.boundary.count; m++)
                ties += boundary[m] == at;
            cancelled_in_batch += r->place == NAIVE_CANCELLED && r->prompt_done > r->cached;
            cancelled_waiting += r->place == NAIVE_CANCELLED && r->prompt_done == 0;
            ends_when_cancelled += r->place == NAIVE_DONE && r->end_ns == r->cancels_ns;
            chunked += r->input > w.kind.token_budget;
            cached += r->cached > 0;
            single += r->output == 1;
            waited_for_cache += w.count <= w.kind.max_batch && r->first_ns > r->arrives_ns && w.kind.kv_tokens < 1000000000;
        }
        orr_array_clear(&naive.boundary);
        free(w.tokens);
    }
    ck_assert_msg(ties > 50 && cancelled_in_batch > 20 && cancelled_waiting > 20 && ends_when_cancelled > 5 && chunked > 100 && cached > 100 && single > 100 && waited_for_cache > 100,
                  "%u %u %u %u %u %u %u %u", ties, cancelled_in_batch, cancelled_waiting, ends_when_cancelled, chunked, cached, single, waited_for_cache);
}
END_TEST

static void long_decode(workload *w)
{
    memset(w, 0, sizeof *w);
    seed = 77;
    counter = 0;
    draw_roofline(w);
    w->kind.max_batch = 16;
    w->kind.token_budget = 8192;
    w->kind.classes = CLASSES;
    w->kind.kv_tokens = 1 << 30;
    w->count = 32;
    w->tokens = malloc(32 * 2000 * sizeof *w->tokens);
    for (uint32_t i = 0; i < w->count; i++)
        w->request[i] = (naive_request){.arrives_ns = (int64_t)i * 1000, .cancels_ns = ORR_NEVER, .input = 100, .output = 1000 + 31 * i, .token = w->tokens + 2000 * i};
}

START_TEST(a_decode_heavy_load_costs_a_handful_of_calls_per_request)
{
    static workload w;
    bench b;
    long_decode(&w);
    bench_open(&b, &w);
    run_jumping(&b, DUE_FIRST);
    ck_assert_uint_gt(b.llm.iteration, 2000);
    ck_assert_uint_lt(b.dues, 4 * w.count); /* one to join, one for the prompt, one to leave */
    bench_close(&b);
    free(w.tokens);
}
END_TEST

START_TEST(the_time_per_token_is_that_of_the_plan)
{
    static workload w;
    bench b;
    long_decode(&w);
    w.kind.roofline.kv_ns = 0;
    w.count = 1;
    bench_open(&b, &w);
    ck_assert_int_eq(orr_llm_token_ns(&b.llm), 0);
    arrive(&b, 0, 0);
    ck_assert(orr_llm_due(&b.llm, &w.kind, &b.site));
    ck_assert_int_eq(orr_llm_token_ns(&b.llm), w.decode[1] / 1024);
    ck_assert(orr_llm_due(&b.llm, &w.kind, &b.site));
    ck_assert_int_eq(orr_llm_token_ns(&b.llm), 0);
    bench_close(&b);
    free(w.tokens);
}
END_TEST

/* Two small cases with ties that were once taken differently, each by hand: iterations of 10 ns, whatever the batch. */
static void flat(workload *w, uint32_t count, uint32_t max_batch)
{
    memset(w, 0, sizeof *w);
    seed = 1;
    counter = 0;
    w->kind = (orr_llm_kind){.roofline = {.base_ns = 10, .most = MOST_BATCH, .decode = w->decode}, .max_batch = max_batch, .token_budget = 1000, .classes = CLASSES, .kv_tokens = 1000};
    for (uint32_t n = 0; n <= MOST_BATCH; n++)
        w->decode[n] = 10240;
    w->count = count;
    for (uint32_t i = 0; i < count; i++)
        w->request[i] = (naive_request){.input = 1, .output = 5, .cancels_ns = ORR_NEVER};
}

START_TEST(a_place_given_up_on_a_boundary_is_free_on_that_boundary)
{
    static workload w;
    bench b;
    flat(&w, 2, 2);
    bench_open(&b, &w);
    arrive(&b, 0, 0);
    ck_assert(orr_llm_due(&b.llm, &w.kind, &b.site)); /* 10 ns: first token */
    ck_assert(orr_llm_cancel(&b.llm, &w.kind, &b.site, 0, 10));
    arrive(&b, 1, 10);
    if (b.llm.due_ns == 10)
        ck_assert(orr_llm_due(&b.llm, &w.kind, &b.site));
    settle(&b);
    ck_assert_int_eq(b.end[0], NAIVE_CANCELLED);
    ck_assert_int_eq(b.end_ns[0], 10);
    ck_assert_int_eq(b.llm.due_ns, 20);
    ck_assert_uint_eq(b.llm.prompts.count, 1);
    ck_assert_uint_eq(b.llm.decoding, 0);
    bench_close(&b);
}
END_TEST

START_TEST(who_is_done_when_cancelled_is_done)
{
    static workload w;
    for (int32_t late = 0; late < 2; late++) { /* boundaries on the nanosecond, and a little before it */
        bench b;
        flat(&w, 1, 1);
        for (uint32_t n = 0; n <= MOST_BATCH; n++)
            w.decode[n] -= late;
        bench_open(&b, &w);
        arrive(&b, 0, 0);
        ck_assert(orr_llm_due(&b.llm, &w.kind, &b.site));
        ck_assert_int_eq(b.llm.due_ns, 50);
        ck_assert(orr_llm_cancel(&b.llm, &w.kind, &b.site, 0, 50));
        settle(&b);
        ck_assert_int_eq(b.end[0], NAIVE_DONE);
        ck_assert_uint_eq(b.llm.leaving, 0);
        ck_assert_int_eq(b.llm.due_ns, ORR_NEVER);
        bench_close(&b);
    }
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
    return run_as_tap("llm", promises);
}
