#include "serve/llm.h"

#include "base/random.h"
#include "base/time.h"

#include <math.h>

static const int64_t TOKEN = INT64_C(1) << ORR_TOKEN_BITS;

static int64_t quanta(int64_t ns) { return ns * (INT64_C(1) << ORR_QUANTUM_BITS); }
static int64_t ns_after(int64_t q) { return (q + (1 << ORR_QUANTUM_BITS) - 1) >> ORR_QUANTUM_BITS; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceiling(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Moment at which `m` iterations of the plan are complete. */
static int64_t boundary(const orr_llm *l, uint64_t m)
{
    int64_t n = (int64_t)m;
    return l->start + n * l->first + l->slope * (n * (n - 1) / 2);
}

/* The least m with boundary(m) >= `at`; the root of a quadratic, put right in integers. */
static uint64_t boundary_from(const orr_llm *l, int64_t at)
{
    if (at <= l->start)
        return 0;
    double a = (double)l->slope / 2, b = (double)l->first - a, c = (double)(at - l->start);
    double root = a > 0 ? (sqrt(b * b + 4 * a * c) - b) / (2 * a) : c / b;
    uint64_t m = root < 1 ? 1 : (uint64_t)root;
    while (m > 1 && boundary(l, m - 1) >= at)
        m--;
    while (boundary(l, m) < at)
        m++;
    return m;
}

void orr_llm_start(orr_llm *l, uint64_t identity)
{
    l->due = l->due_ns = ORR_NEVER;
    l->crossing = UINT64_MAX;
    l->cache.identity = identity;
}

static bool tell(const orr_llm_site *site, uint32_t job, orr_outcome outcome, uint32_t tokens, int64_t at_ns)
{
    orr_job_event *e = orr_array_append(site->events);
    if (e == NULL)
        return false;
    *e = (orr_job_event){.job = job, .tokens = tokens, .outcome = outcome, .at_ns = at_ns};
    return true;
}

static orr_llm_entry *heap_of(const orr_llm *l, const orr_llm_site *site) { return (orr_llm_entry *)site->heaps->items + l->heap; }

/* The heap of decoding sequences: the one that is done first, and of those that are done together the one with the least index. */
static bool leaves_before(orr_llm_entry a, orr_llm_entry b) { return a.finish != b.finish ? a.finish < b.finish : a.job < b.job; }

static void heap_push(orr_llm *l, const orr_llm_site *site, orr_llm_entry entry)
{
    orr_llm_entry *h = heap_of(l, site);
    uint32_t hole = l->decoding++;
    while (hole > 0 && leaves_before(entry, h[(hole - 1) / 2])) {
        h[hole] = h[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    h[hole] = entry;
}

static void heap_remove(orr_llm *l, const orr_llm_site *site, uint32_t hole)
{
    orr_llm_entry *h = heap_of(l, site), last = h[--l->decoding];
    if (hole == l->decoding)
        return;
    while (hole > 0 && leaves_before(last, h[(hole - 1) / 2])) {
        h[hole] = h[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    for (uint32_t child; (child = 2 * hole + 1) < l->decoding; hole = child) {
        if (child + 1 < l->decoding && leaves_before(h[child + 1], h[child]))
            child++;
        if (!leaves_before(h[child], last))
            break;
        h[hole] = h[child];
    }
    h[hole] = last;
}

/* Contexts. A sequence decodes since step finish - steps, with its prompt and one token in the cache. */
static int64_t context_of(const orr_job *j, uint64_t step) { return ((int64_t)j->prompt + 1) * TOKEN + (int64_t)(step + j->steps - j->finish) * j->rate; }

static int64_t limit_of(const orr_llm_kind *kind) { return (int64_t)kind->roofline.limit * TOKEN; }

/* First step at which its context has reached the limit. */
static uint64_t crossing_of(const orr_llm_kind *kind, const orr_job *j)
{
    return j->finish - j->steps + (uint64_t)ceiling(limit_of(kind) - ((int64_t)j->prompt + 1) * TOKEN, j->rate);
}

uint64_t orr_llm_made(const orr_llm *l, const orr_job *j)
{
    uint64_t before = (uint64_t)j->before << ORR_TOKEN_BITS;
    if (j->state == ORR_JOB_DECODING)
        return before + (uint64_t)TOKEN + (l->step + j->steps - j->finish) * j->rate;
    return j->state == ORR_JOB_HELD || (j->state == ORR_JOB_WAITING && j->received) ? before + (uint64_t)TOKEN : before;
}

/* Whole tokens of those made. Rates are rounded up, but the last token comes with the last step. */
static uint32_t whole(const orr_llm *l, const orr_job *j, uint64_t made)
{
    uint64_t tokens = made >> ORR_TOKEN_BITS;
    uint32_t largest = j->output - (j->state == ORR_JOB_DECODING && l->step < j->finish);
    return tokens < largest ? (uint32_t)tokens : largest;
}

/* KV blocks: powers of two, so that nothing is divided. */
static int block_bits(const orr_llm_kind *kind) { return __builtin_ctz(kind->block); }

static int64_t blocks_of(const orr_llm_kind *kind, int64_t tokens) { return (tokens + kind->block - 1) >> block_bits(kind); }

/* A sequence owns those of its context that are not in nodes of the prefix cache. */
static int64_t own_blocks(const orr_llm_kind *kind, const orr_job *j, int64_t context) { return blocks_of(kind, ((context + TOKEN - 1) >> ORR_TOKEN_BITS) - j->shared); }

/* Of a prompt, with the first token. */
static int64_t prompt_blocks(const orr_llm_kind *kind, const orr_job *j) { return own_blocks(kind, j, ((int64_t)j->prompt + 1) * TOKEN); }

/* What the decoding sequences own after `m` further steps; exactly (seldom asked, and kept out of those who ask), and never less than that. */
static __attribute__((noinline)) int64_t decode_blocks(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint64_t m)
{
    int64_t blocks = 0;
    for (uint32_t i = 0; i < l->decoding; i++) {
        const orr_job *j = orr_job_at(site->jobs, heap_of(l, site)[i].job);
        blocks += own_blocks(kind, j, context_of(j, l->step + m));
    }
    return blocks;
}

static int64_t decode_blocks_at_most(const orr_llm *l, const orr_llm_kind *kind, uint64_t m)
{
    return ((l->context + (int64_t)m * l->rate - l->shared * TOKEN) >> (ORR_TOKEN_BITS + block_bits(kind))) + l->decoding;
}

/* Are there at least `wanted` blocks beside those of the decoding sequences after m steps, prompts and pinned nodes? */
static inline bool leaves_free(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint64_t m, int64_t wanted)
{
    int64_t room = kind->blocks - l->prompt_blocks - l->cache.pinned - wanted;
    return decode_blocks_at_most(l, kind, m) <= room || decode_blocks(l, kind, site, m) <= room;
}

/*
 * Nodes without pins give way to what is in use, the decoding sequences being as after m steps. This is done when the time in which it is in use has passed,
 * so that it does not depend on the order of what happens at one moment.
 */
static inline void make_nodes_give_way(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint64_t m)
{
    int64_t room = kind->blocks - l->prompt_blocks;
    if (l->cache.blocks == l->cache.pinned || decode_blocks_at_most(l, kind, m) + l->cache.blocks <= room)
        return;
    orr_prefix_shrink(&l->cache, &site->store, room - decode_blocks(l, kind, site, m));
}

/* The chain of nodes of a prompt. What its class shares counts in whole blocks. */
static orr_prompt prompt_of(const orr_llm_kind *kind, const orr_llm_site *site, const orr_job *j)
{
    return (orr_prompt){.class_ = j->class_, .prefix = j->prefix & ~(kind->block - 1), .input = j->input, .hash_count = j->block_count,
                        .hashes = j->blocks != 0 ? site->block_hashes + j->blocks - 1 : NULL, .session = j->session};
}

/* How many nodes lie wholly within the first `tokens` tokens. */
static uint32_t chain_length(const orr_llm_kind *kind, const orr_llm_site *site, const orr_job *j, uint32_t tokens)
{
    if (!kind->keeps_prefixes)
        return 0;
    orr_prompt p = prompt_of(kind, site, j);
    return orr_prompt_parts(&p, tokens);
}

/* How much of its prompt has a name: after a preemption it holds tokens of the answer, which may be thoughts that no later turn repeats. */
static uint32_t nameable(const orr_job *j) { return j->forgets && j->prompt > j->input ? j->input : j->prompt; }

typedef struct link {
    uint64_t key;
    uint32_t shortcut, tokens;
} link;

static link chain_link(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, const orr_job *j, uint32_t k)
{
    orr_prompt p = prompt_of(kind, site, j);
    uint32_t head = orr_prompt_head(&p);
    if (k == 0 && head > 0)
        return (link){0, l->shortcuts + j->class_ + 1, head};
    return (link){orr_prompt_name(&p, k), 0, ORR_PREFIX_TOKENS};
}

/* What the cache holds of a prompt. */
typedef struct found {
    uint32_t nodes, tokens;
    int64_t  unpinned; /* blocks that would be pinned first */
} found;

static found look_up(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, const orr_job *j)
{
    found f = {0};
    for (uint32_t n = chain_length(kind, site, j, nameable(j)); f.nodes < n; f.nodes++) {
        link k = chain_link(l, kind, site, j, f.nodes);
        uint32_t node = orr_prefix_find(&l->cache, &site->store, k.key, k.shortcut);
        if (node == ORR_NONE)
            break;
        f.tokens += k.tokens;
        f.unpinned += orr_prefix_at(&site->store, node)->pins == 0 ? orr_prefix_at(&site->store, node)->blocks : 0;
    }
    return f;
}

/* Pins the first `nodes` nodes of its chain, adding those that are missing. */
static bool pin_to(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, orr_job *j, uint32_t nodes)
{
    for (; j->pinned < nodes; j->pinned++) {
        link k = chain_link(l, kind, site, j, j->pinned);
        uint32_t node = orr_prefix_find(&l->cache, &site->store, k.key, k.shortcut);
        if (node != ORR_NONE)
            orr_prefix_pin(&l->cache, &site->store, node);
        else if (orr_prefix_add(&l->cache, &site->store, k.key, k.shortcut, k.tokens >> block_bits(kind)) == ORR_NONE)
            return false;
        j->shared += k.tokens;
    }
    return true;
}

static void unpin_all(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, orr_job *j)
{
    while (j->pinned > 0) {
        link k = chain_link(l, kind, site, j, --j->pinned);
        orr_prefix_unpin(&l->cache, &site->store, orr_prefix_find(&l->cache, &site->store, k.key, k.shortcut));
    }
    j->shared = 0;
}

/* May a job of which that is found enter, when the plan has made `m` steps? */
static bool fits_after(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint64_t m, const orr_job *j, const found *f)
{
    uint32_t running = l->decoding + l->prompts.count;
    int64_t wanted = blocks_of(kind, (int64_t)j->prompt + 1 - f->tokens) + f->unpinned + (running > 0 ? kind->reserve : 0);
    return running < kind->max_batch && leaves_free(l, kind, site, m, wanted);
}

/* May the first in the queue enter now? */
static bool fits(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, found *f)
{
    if (l->decoding + l->prompts.count >= kind->max_batch)
        return false;
    const orr_job *j = orr_job_at(site->jobs, l->waiting.head - 1);
    *f = j->received ? (found){0} : look_up(l, kind, site, j);
    return fits_after(l, kind, site, 0, j, f);
}

/* When a sequence that decodes made its latest token. */
static int64_t latest_token(const orr_llm *l, const orr_job *j) { return j->finish - j->steps == l->step ? j->latest : l->start - l->stood_still; }

/* A sequence makes a token at `at`, the one before it having been made at `latest`. */
static bool tell_gap(const orr_llm *l, const orr_llm_site *site, int64_t latest, int64_t at)
{
    if (site->gaps == NULL)
        return true;
    orr_llm_gap *last = site->gaps->count > 0 ? orr_array_at(site->gaps, site->gaps->count - 1) : NULL;
    if (last == NULL || last->time != at - latest || last->instance != l->number) {
        last = orr_array_append(site->gaps);
        if (last == NULL)
            return false;
        *last = (orr_llm_gap){.time = at - latest, .instance = l->number};
    }
    last->count++;
    return true;
}

/* It decodes from this boundary on. */
static void join(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t index)
{
    orr_job *j = orr_job_at(site->jobs, index);
    uint32_t tokens = j->output - j->before - 1;
    if (j->steps == 0)
        j->steps = tokens;
    j->state = ORR_JOB_DECODING;
    j->rate = j->steps == tokens ? (uint32_t)TOKEN : (uint32_t)ceiling((int64_t)tokens * TOKEN, j->steps);
    j->finish = l->step + j->steps;
    l->waited |= j->latest < l->start;
    int64_t context = context_of(j, l->step), limit = limit_of(kind);
    l->context += context;
    l->rate += j->rate;
    l->shared += j->shared;
    if (limit > 0) {
        j->near = context < limit;
        l->near += least(context, limit);
        l->near_rate += j->near ? j->rate : 0;
        if (j->near && crossing_of(kind, j) < l->crossing)
            l->crossing = crossing_of(kind, j);
    }
    heap_push(l, site, (orr_llm_entry){.finish = j->finish, .job = index});
}

/* Prompt tokens that need not be computed. The last one always is: it gives a token of the answer. */
static uint32_t to_begin_with(const orr_job *j, const found *f) { return f->tokens < j->prompt ? f->tokens : j->prompt - 1; }

/* Lets waiting jobs in, in order, as long as the first fits. Admission happens at `start`. */
static bool admit(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, bool *changed)
{
    bool ok = true;
    found f;
    if (l->decoding + l->prompts.count == 0)
        l->barred = false; /* there is no boundary to wait for */
    while (l->waiting.count > 0 && !l->barred && fits(l, kind, site, &f)) {
        uint32_t index = orr_job_dequeue(site->jobs, &l->waiting);
        orr_job *j = orr_job_at(site->jobs, index);
        *changed = true;
        j->admitted = ++l->admissions;
        if (j->received) {
            j->latest = quanta(j->first_ns);
            join(l, kind, site, index);
            continue;
        }
        j->state = ORR_JOB_PROMPT;
        if (j->started_ns == 0)
            j->started_ns = ns_after(l->start);
        ok &= pin_to(l, kind, site, j, f.nodes);
        j->prompt_done = to_begin_with(j, &f);
        l->prompt_blocks += prompt_blocks(kind, j);
        orr_job_enqueue(site->jobs, &l->prompts, index);
        if (j->first_ns == 0 && j->prompt_done > j->computed) {
            uint32_t tokens = j->prompt_done - j->computed;
            j->cached += tokens;
            j->computed = j->prompt_done;
            ok &= tell(site, index, ORR_ADMITTED, tokens, ns_after(l->start));
        }
    }
    return ok;
}

static uint32_t overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
    uint32_t from = a > b ? a : b, to = a + a_count < b + b_count ? a + a_count : b + b_count;
    return to > from ? to - from : 0;
}

static uint32_t budget_of(const orr_llm_kind *kind, uint32_t decoding) { return kind->token_budget > decoding + 1 ? kind->token_budget - decoding : 1; }

/* Adds as much of a prompt, of which `done` is in the cache, as the iteration may hold. */
static uint32_t add_chunk(const orr_llm_kind *kind, orr_load *load, const orr_job *j, uint32_t done, uint32_t budget)
{
    uint32_t left = j->prompt - done, room = budget > load->prompt_tokens ? budget - load->prompt_tokens : 0;
    if (kind->batching == ORR_BATCH_WHOLE_PROMPTS && left > room)
        room = load->prompt_tokens == 0 ? left : 0;
    uint32_t chunk = left < room ? left : room;
    orr_roofline_add_prompt(&kind->roofline, load, done, chunk);
    if (j->image > 0)
        load->image_tokens += overlap(done, chunk, j->image_at, j->image);
    return chunk;
}

/* Deals out the token budget to prompts, in order of entrance. */
static orr_load deal(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool alone = kind->batching == ORR_BATCH_PROMPTS_FIRST && l->prompts.count > 0;
    orr_load load = {.decoding = alone ? 0 : l->decoding, .context = alone ? 0 : l->context, .near = alone ? 0 : l->near};
    uint32_t budget = budget_of(kind, load.decoding);
    for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next) {
        orr_job *j = orr_job_at(site->jobs, at - 1);
        j->chunk = add_chunk(kind, &load, j, j->prompt_done, budget);
        if (j->chunk < j->prompt - j->prompt_done)
            budget = 0; /* nobody overtakes */
    }
    return load;
}

/* How long the decoding sequences go on as they are, if nobody comes. Who is barred now may enter after one iteration. */
static uint64_t natural_end(const orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    found f;
    if (l->barred && l->waiting.count > 0 && fits(l, kind, site, &f))
        return 1;
    uint64_t m = heap_of(l, site)->finish - l->step;
    if (l->crossing - l->step < m)
        m = l->crossing - l->step;
    if (leaves_free(l, kind, site, m - 1, 0))
        return m;
    uint64_t good = 1, bad = m; /* the first step has room */
    while (good + 1 < bad) {
        uint64_t middle = good + (bad - good) / 2;
        *(leaves_free(l, kind, site, middle - 1, 0) ? &good : &bad) = middle;
    }
    return good;
}

static void set_due(orr_llm *l, uint64_t iterations)
{
    l->iterations = iterations;
    l->due = boundary(l, iterations);
    l->due_ns = ns_after(l->due);
    l->foreseen = 0;
}

/*
 * The plan was cut at a boundary where only the first in the queue enters: nobody hears of it before the iteration after it has run, so that is when the
 * owner needs to call. How long that one takes is kept; if others join it, it takes longer, and a call too early does no harm.
 */
static void foresee(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, const found *f)
{
    const orr_job *j = orr_job_at(site->jobs, l->waiting.head - 1);
    uint64_t m = l->iterations;
    if (l->prompts.count > 0 || l->leaving > 0 || j->received || !fits_after(l, kind, site, m, j, f))
        return;
    bool alone = kind->batching == ORR_BATCH_PROMPTS_FIRST;
    orr_load load = {.decoding = alone ? 0 : l->decoding, .context = alone ? 0 : l->context + (int64_t)m * l->rate, .near = alone ? 0 : l->near + (int64_t)m * l->near_rate};
    l->foreseen_done = to_begin_with(j, f);
    l->foreseen_chunk = add_chunk(kind, &load, j, l->foreseen_done, budget_of(kind, load.decoding));
    l->foreseen = orr_roofline_iteration(&kind->roofline, &load);
    l->foreseen_job = l->waiting.head;
    l->due_ns = ns_after(l->due + l->foreseen);
}

/* Plans from `start` with the composition as it is. If it has not changed, durations go on as they were. */
static void plan(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, bool changed)
{
    l->stalled = false;
    if (l->decoding + l->prompts.count == 0) {
        l->due = l->due_ns = ORR_NEVER;
        l->iterations = 0;
        return;
    }
    if (changed) {
        orr_load load = deal(l, kind, site);
        l->stalled = load.prompts > 0 && load.decoding < l->decoding;
        l->slope = load.prompts > 0 ? 0 : orr_roofline_slope(&kind->roofline, l->rate, l->near_rate);
        const orr_job *head = l->prompts.count == 1 ? orr_job_at(site->jobs, l->prompts.head - 1) : NULL; /* what it was to find in the cache may have given way */
        bool foreseen = l->foreseen > 0 && head != NULL && l->prompts.head == l->foreseen_job && head->prompt_done == l->foreseen_done && head->chunk == l->foreseen_chunk;
        l->first = foreseen ? l->foreseen : orr_roofline_iteration(&kind->roofline, &load);
    }
    set_due(l, l->prompts.count > 0 ? 1 : natural_end(l, kind, site));
}

static void account_to(orr_llm *l, int64_t q)
{
    int64_t d = q - l->accounted;
    if (d <= 0)
        return;
    l->accounted = q;
    if (l->decoding + l->prompts.count == 0)
        return;
    *(l->prompts.count > 0 ? &l->prompt_time : &l->decode_time) += d;
    l->batch_time += d * l->decoding;
    l->slot_time += d * (l->decoding + l->prompts.count);
}

void orr_llm_account(orr_llm *l, int64_t now_ns) { account_to(l, quanta(now_ns)); }

/* A decoding sequence, out of the heap already, decodes no more. `before` is then what it has produced. */
static void part(orr_llm *l, const orr_llm_kind *kind, orr_job *j)
{
    int64_t context = context_of(j, l->step);
    uint64_t made = orr_llm_made(l, j);
    l->context -= context;
    l->rate -= j->rate;
    l->shared -= j->shared;
    if (kind->roofline.limit > 0) {
        l->near -= j->near ? context : limit_of(kind);
        l->near_rate -= j->near ? j->rate : 0;
        j->near = 0;
    }
    if (l->decoding == 0)
        l->crossing = UINT64_MAX;
    j->before = whole(l, j, made);
    l->surplus += made - ((uint64_t)j->before << ORR_TOKEN_BITS);
}

/* A sequence is out of the batch, its end is told. What a session has said stays in the cache. */
static bool leave(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t index, orr_outcome outcome)
{
    orr_job *j = orr_job_at(site->jobs, index);
    bool ok = true;
    if (outcome == ORR_JOB_DONE && j->session != 0 && !j->received && !j->forgets)
        ok = pin_to(l, kind, site, j, chain_length(kind, site, j, j->input + j->output));
    unpin_all(l, kind, site, j);
    j->state = ORR_JOB_ENDED;
    return tell(site, index, outcome, 0, ns_after(l->start)) && ok;
}

/* A prompt has all its tokens in the cache: the last one gave a token of the answer. */
static bool complete_prompt(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t index)
{
    orr_job *j = orr_job_at(site->jobs, index);
    bool ok = true;
    l->prompt_blocks -= prompt_blocks(kind, j);
    ok &= pin_to(l, kind, site, j, chain_length(kind, site, j, nameable(j)));
    l->produced += (uint64_t)TOKEN;
    if (j->first_ns == 0) {
        j->first_ns = ns_after(l->start);
        ok &= tell(site, index, ORR_FIRST_TOKEN, 0, j->first_ns);
    } else {
        ok &= tell_gap(l, site, j->latest, l->start);
    }
    j->latest = l->start;
    if (j->before + 1 == j->output) {
        j->before = j->output;
        return leave(l, kind, site, index, ORR_JOB_DONE) && ok;
    }
    if (!kind->hands_over) {
        join(l, kind, site, index);
        return ok;
    }
    j->state = ORR_JOB_HELD;
    l->prompt_blocks += prompt_blocks(kind, j);
    return tell(site, index, ORR_PREFILLED, 0, ns_after(l->start)) && ok;
}

/* What the iteration that has run did for the prompts. */
static bool advance_prompts(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool ok = true;
    orr_job_queue left = {0};
    while (l->prompts.count > 0) {
        uint32_t index = orr_job_dequeue(site->jobs, &l->prompts);
        orr_job *j = orr_job_at(site->jobs, index);
        uint32_t done = j->prompt_done + j->chunk, again = j->computed > j->prompt_done ? (uint32_t)least(j->computed, done) - j->prompt_done : 0;
        l->recomputed += again;
        l->prefilled += j->chunk - again;
        j->computed = done > j->computed ? done : j->computed;
        j->prompt_done = done;
        j->chunk = 0;
        if (j->cancelled) {
            l->leaving--;
            l->prompt_blocks -= prompt_blocks(kind, j);
            ok &= leave(l, kind, site, index, ORR_JOB_CANCELLED);
        } else if (done < j->prompt) {
            orr_job_enqueue(site->jobs, &left, index);
        } else {
            ok &= complete_prompt(l, kind, site, index);
        }
    }
    l->prompts = left;
    return ok;
}

/* Contexts that have reached the limit stop growing there. */
static bool cross(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool changed = false;
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < l->decoding; i++) {
        orr_job *j = orr_job_at(site->jobs, heap_of(l, site)[i].job);
        if (!j->near)
            continue;
        uint64_t at = crossing_of(kind, j);
        if (at <= l->step) {
            l->near += limit_of(kind) - context_of(j, l->step);
            l->near_rate -= j->rate;
            j->near = 0;
            changed = true;
        } else if (at < next) {
            next = at;
        }
    }
    l->crossing = next;
    return changed;
}

/* The cancelled ones among the decoding leave, in order of index. */
static bool drop_cancelled(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool ok = true;
    for (; l->leaving > 0; l->leaving--) {
        uint32_t index = ORR_NONE, place = 0;
        for (uint32_t i = 0; i < l->decoding; i++)
            if (heap_of(l, site)[i].job < index && orr_job_at(site->jobs, heap_of(l, site)[i].job)->cancelled) {
                index = heap_of(l, site)[i].job;
                place = i;
            }
        heap_remove(l, site, place);
        part(l, kind, orr_job_at(site->jobs, index));
        ok &= leave(l, kind, site, index, ORR_JOB_CANCELLED);
    }
    return ok;
}

/* The one that entered last gives its KV up and waits at the head of the queue. */
static void preempt_last(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    uint32_t last = ORR_NONE, place = ORR_NONE;
    uint64_t admitted = 0;
    for (uint32_t i = 0; i < l->decoding; i++) {
        const orr_job *j = orr_job_at(site->jobs, heap_of(l, site)[i].job);
        if (j->admitted > admitted) {
            admitted = j->admitted;
            last = heap_of(l, site)[i].job;
            place = i;
        }
    }
    for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next)
        if (orr_job_at(site->jobs, at - 1)->admitted > admitted) {
            admitted = orr_job_at(site->jobs, at - 1)->admitted;
            last = at - 1;
            place = ORR_NONE;
        }
    orr_job *j = orr_job_at(site->jobs, last);
    if (place == ORR_NONE) {
        orr_job_remove(site->jobs, &l->prompts, last);
        l->prompt_blocks -= prompt_blocks(kind, j);
    } else {
        uint64_t left = j->finish - l->step;
        j->latest = latest_token(l, j);
        heap_remove(l, site, place);
        part(l, kind, j);
        j->prompt = j->input + j->before;
        j->computed = j->prompt;
        j->steps = (uint32_t)least((int64_t)most(1, (int64_t)left - 1), (int64_t)j->output - j->before - 1);
    }
    unpin_all(l, kind, site, j);
    j->prompt_done = 0;
    j->received = 0;
    j->state = ORR_JOB_WAITING;
    orr_job_push_front(site->jobs, &l->waiting, last);
    l->preemptions++;
}

/* The plan has run to its end: what it did to contexts, and to the list of spans. */
static bool complete_plan(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    account_to(l, l->due);
    if (l->iterations > 0) {
        l->plans++;
        orr_llm_span *span = orr_array_append(site->spans);
        if (span == NULL)
            return false;
        uint32_t prompt_tokens = 0;
        for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next)
            prompt_tokens += orr_job_at(site->jobs, at - 1)->chunk;
        *span = (orr_llm_span){.start = l->start, .first = l->first, .slope = l->slope, .iterations = (int64_t)l->iterations, .context = l->context, .rate = l->stalled ? 0 : l->rate, .instance = l->number,
                               .decoding = l->stalled ? 0 : l->decoding, .stalled = l->stalled ? l->decoding : 0, .prompts = l->prompts.count, .prompt_tokens = prompt_tokens, .waiting = l->waiting.count,
                               .told_apart = !l->stalled && l->waited && l->decoding > 0};
        make_nodes_give_way(l, kind, site, l->iterations - 1);
        if (l->stalled) {
            l->stood_still += l->first;
            l->waited = true;
        } else {
            for (uint32_t i = 0; l->waited && i < l->decoding; i++)
                if (!tell_gap(l, site, latest_token(l, orr_job_at(site->jobs, heap_of(l, site)[i].job)), l->start + l->first))
                    return false;
            l->waited = false;
            l->stood_still = 0;
            l->step += l->iterations;
            l->produced += l->iterations * (uint64_t)l->rate;
            l->context += (int64_t)l->iterations * l->rate;
            l->near += (int64_t)l->iterations * l->near_rate;
        }
    }
    l->first += (int64_t)l->iterations * l->slope;
    l->start = l->due;
    l->iteration += l->iterations;
    return true;
}

static bool next_boundary(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    assert(l->due != ORR_NEVER);
    bool ok = complete_plan(l, kind, site), changed = l->prompts.count > 0;
    uint64_t ended = l->iterations;
    while (l->decoding > 0 && heap_of(l, site)->finish <= l->step) {
        uint32_t index = heap_of(l, site)->job;
        orr_job *j = orr_job_at(site->jobs, index);
        heap_remove(l, site, 0);
        part(l, kind, j);
        if (j->cancelled)
            l->leaving--;
        ok &= leave(l, kind, site, index, j->cancelled ? ORR_JOB_CANCELLED : ORR_JOB_DONE);
        changed = true;
    }
    if (l->prompts.count > 0) {
        l->prompt_iterations += ended;
        ok &= advance_prompts(l, kind, site);
    }
    if (l->crossing <= l->step)
        changed |= cross(l, kind, site);
    changed |= l->leaving > 0;
    ok &= drop_cancelled(l, kind, site);
    if (ended > 0)
        l->barred = false;
    while (!leaves_free(l, kind, site, 0, 0)) {
        preempt_last(l, kind, site);
        l->barred = changed = true;
    }
    ok &= admit(l, kind, site, &changed);
    plan(l, kind, site, changed);
    return ok;
}

bool orr_llm_run(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool ok = true;
    while (l->due <= quanta(now_ns))
        ok &= next_boundary(l, kind, site);
    return ok;
}

bool orr_llm_catch_up(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool ok = true;
    while (l->due < quanta(now_ns))
        ok &= next_boundary(l, kind, site);
    return ok;
}

/* The first in the queue, of which `f` is found, may enter (NULL: somebody leaves): the plan ends at the first boundary from `now` on; at once if that is its start. */
static bool cut(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns, const found *f)
{
    bool ok = true, changed = false;
    uint64_t m = boundary_from(l, quanta(now_ns));
    if (m == 0 && !l->barred) { /* nothing of the plan has happened yet: join it */
        ok = admit(l, kind, site, &changed);
        plan(l, kind, site, true);
    } else if (m < l->iterations) {
        set_due(l, m > 0 ? m : 1);
        if (f != NULL)
            foresee(l, kind, site, f);
    }
    return ok;
}

/* Nothing runs: whoever waits may begin now. */
static bool wake(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool changed = false;
    if (l->start < quanta(now_ns))
        make_nodes_give_way(l, kind, site, 0);
    account_to(l, quanta(now_ns));
    l->start = quanta(now_ns);
    bool ok = admit(l, kind, site, &changed);
    plan(l, kind, site, true);
    return ok;
}

bool orr_llm_arrive(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = orr_llm_catch_up(l, kind, site, now_ns);
    orr_job *j = orr_job_at(site->jobs, job);
    found f;
    j->state = ORR_JOB_WAITING;
    j->prompt = j->input;
    j->prompt_done = j->received ? j->input : 0;
    orr_job_enqueue(site->jobs, &l->waiting, job);
    if (l->due == ORR_NEVER)
        return wake(l, kind, site, now_ns) && ok;
    if (l->waiting.count == 1 && fits(l, kind, site, &f))
        ok &= cut(l, kind, site, now_ns, &f);
    return ok;
}

/* The first in the queue may fit where it, or the one before it, did not; if not, a plan that was cut runs on to its own end. */
static bool try_head(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    found f;
    if (l->due == ORR_NEVER)
        return l->waiting.count == 0 || wake(l, kind, site, now_ns);
    if (l->waiting.count > 0 && fits(l, kind, site, &f))
        return cut(l, kind, site, now_ns, &f);
    if (l->prompts.count == 0 && l->leaving == 0)
        set_due(l, natural_end(l, kind, site));
    return true;
}

bool orr_llm_cancel(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = orr_llm_run(l, kind, site, now_ns); /* a boundary at this very moment comes first: who is done is done */
    orr_job *j = orr_job_at(site->jobs, job);
    if (j->cancelled || j->state == ORR_JOB_FREE || j->state == ORR_JOB_ENDED)
        return ok;
    if (j->state == ORR_JOB_WAITING) {
        bool first = l->waiting.head == job + 1;
        orr_job_remove(site->jobs, &l->waiting, job);
        j->before = whole(l, j, orr_llm_made(l, j));
        j->state = ORR_JOB_ENDED;
        ok &= tell(site, job, ORR_JOB_CANCELLED, 0, now_ns);
        return first ? try_head(l, kind, site, now_ns) && ok : ok;
    }
    j->cancelled = 1;
    if (j->state == ORR_JOB_HELD) /* its owner ends it when it has arrived */
        return ok;
    l->leaving++;
    if (l->start == quanta(now_ns)) { /* nothing of the plan has happened yet: it ends here, empty */
        set_due(l, 0);
        for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next)
            orr_job_at(site->jobs, at - 1)->chunk = 0;
        return next_boundary(l, kind, site) && ok;
    }
    set_due(l, l->iterations); /* its end is to be heard of at the boundary */
    return cut(l, kind, site, now_ns, NULL) && ok;
}

bool orr_llm_release(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = orr_llm_run(l, kind, site, now_ns);
    orr_job *j = orr_job_at(site->jobs, job);
    assert(j->state == ORR_JOB_HELD);
    if (l->start < quanta(now_ns))
        make_nodes_give_way(l, kind, site, 0);
    l->prompt_blocks -= prompt_blocks(kind, j);
    unpin_all(l, kind, site, j);
    j->before = whole(l, j, orr_llm_made(l, j));
    j->state = ORR_JOB_ENDED;
    return try_head(l, kind, site, now_ns) && ok;
}

/* Iterations of the plan whose end has come by `now`; those that end at that very moment only if `inclusive`. */
static uint64_t completed(const orr_llm *l, int64_t now_ns, bool inclusive)
{
    uint64_t m = l->due == ORR_NEVER ? 0 : boundary_from(l, quanta(now_ns) + inclusive);
    return m > 0 ? (m - 1 < l->iterations ? m - 1 : l->iterations) : 0;
}

bool orr_llm_stop(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool ok = orr_llm_run(l, kind, site, now_ns);
    if (l->due != ORR_NEVER) {
        set_due(l, completed(l, now_ns, true));
        ok &= complete_plan(l, kind, site);
    }
    account_to(l, quanta(now_ns));
    l->start = quanta(now_ns);
    for (uint32_t i = 0; i < site->jobs->count; i++) {
        orr_job *j = orr_job_at(site->jobs, i);
        if (j->pool != l->pool || j->instance != l->number || j->state == ORR_JOB_FREE || j->state == ORR_JOB_ENDED)
            continue;
        l->decoding -= j->state == ORR_JOB_DECODING; /* the heap is dropped as a whole */
        if (j->state == ORR_JOB_DECODING)
            part(l, kind, j);
        else
            j->before = whole(l, j, orr_llm_made(l, j));
        ok &= leave(l, kind, site, i, ORR_JOB_CANCELLED);
    }
    l->prompt_blocks = 0;
    l->leaving = 0;
    l->waiting = l->prompts = (orr_job_queue){0};
    orr_prefix_shrink(&l->cache, &site->store, 0);
    plan(l, kind, site, true);
    return ok;
}

uint32_t orr_llm_generated(const orr_llm *l, const orr_job *j, int64_t now_ns)
{
    uint64_t made = orr_llm_made(l, j);
    if (j->state == ORR_JOB_DECODING && !l->stalled)
        made += completed(l, now_ns, false) * j->rate;
    return whole(l, j, made);
}

int64_t orr_llm_held(const orr_llm *l, const orr_llm_kind *kind, const orr_job *j)
{
    if (j->state == ORR_JOB_DECODING)
        return context_of(j, l->step) - (int64_t)j->shared * TOKEN;
    return j->state == ORR_JOB_PROMPT || j->state == ORR_JOB_HELD ? prompt_blocks(kind, j) * kind->block * TOKEN : 0;
}

int64_t orr_llm_kv_used(const orr_llm *l, const orr_llm_kind *kind, int64_t now_ns)
{
    int64_t grown = l->stalled ? 0 : (int64_t)completed(l, now_ns, false) * l->rate;
    return ((l->context + grown) >> ORR_TOKEN_BITS) - l->shared + (l->prompt_blocks + l->cache.pinned) * kind->block;
}

int64_t orr_llm_token_ns(const orr_llm *l)
{
    return l->due == ORR_NEVER || l->iterations == 0 ? 0 : (l->due - l->start) / ((int64_t)l->iterations << ORR_QUANTUM_BITS);
}
