#include "serve/llm.h"

#include "base/time.h"

#include <math.h>

static int64_t quanta(int64_t ns) { return ns * (INT64_C(1) << ORR_QUANTUM_BITS); }
static int64_t ns_after(int64_t q) { return (q + (1 << ORR_QUANTUM_BITS) - 1) >> ORR_QUANTUM_BITS; }

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

void orr_llm_start(orr_llm *l)
{
    l->due = l->due_ns = ORR_NEVER;
}

static bool tell(const orr_llm_site *site, uint32_t job, orr_outcome outcome, int64_t at_ns)
{
    orr_job_event *e = orr_array_extend(site->events, 1);
    if (e == NULL)
        return false;
    *e = (orr_job_event){job, outcome, at_ns};
    return true;
}

/* The heap of decoding sequences, least `finish` first. */
static void heap_push(orr_llm *l, const orr_llm_site *site, uint64_t finish, uint32_t job)
{
    orr_llm_entry *h = (orr_llm_entry *)site->heaps->items + l->heap;
    uint32_t hole = l->decoding++;
    while (hole > 0 && h[(hole - 1) / 2].finish > finish) {
        h[hole] = h[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    h[hole] = (orr_llm_entry){.finish = finish, .job = job};
}

static void heap_remove(orr_llm *l, const orr_llm_site *site, uint32_t hole)
{
    orr_llm_entry *h = (orr_llm_entry *)site->heaps->items + l->heap, last = h[--l->decoding];
    if (hole == l->decoding)
        return;
    while (hole > 0 && h[(hole - 1) / 2].finish > last.finish) {
        h[hole] = h[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    for (uint32_t child; (child = 2 * hole + 1) < l->decoding; hole = child) {
        if (child + 1 < l->decoding && h[child + 1].finish < h[child].finish)
            child++;
        if (h[child].finish >= last.finish)
            break;
        h[hole] = h[child];
    }
    h[hole] = last;
}

static int64_t reserved(const orr_job *j) { return (int64_t)j->input + j->output; }

/* Context of a decoding job when `iteration` iterations are complete. */
static int64_t context_of(const orr_job *j, uint64_t iteration) { return (int64_t)j->input + j->output - (int64_t)(j->finish - iteration); }

static bool fits(const orr_llm *l, const orr_llm_kind *kind, const orr_job *j)
{
    return l->decoding + l->prompts.count < kind->max_batch && l->kv_used + reserved(j) <= kind->kv_tokens;
}

/* Lets waiting jobs in, in order, as long as the first fits. Admission happens at `start`. */
static bool admit(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool ok = true;
    while (l->waiting.count > 0) {
        orr_job *j = orr_job_at(site->jobs, l->waiting.head - 1);
        if (!fits(l, kind, j))
            break;
        uint32_t index = orr_job_dequeue(site->jobs, &l->waiting);
        l->kv_used += reserved(j);
        j->state = ORR_JOB_PROMPT;
        j->started_ns = ns_after(l->start);
        j->cached = ((uint8_t *)site->resident->items)[l->resident + j->class_] ? j->prefix : 0;
        if (j->cached >= j->input) /* the last prompt token is always computed: it gives the first answer token */
            j->cached = j->input - 1;
        j->prompt_done = j->cached;
        orr_job_enqueue(site->jobs, &l->prompts, index);
        if (j->cached > 0)
            ok &= tell(site, index, ORR_ADMITTED, j->started_ns);
    }
    return ok;
}

/* Plans from `start` with the composition as it is. */
static void plan(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    uint32_t prompts = 0, tokens = 0;
    double pairs = 0;
    if (l->decoding + l->prompts.count == 0) {
        l->due = l->due_ns = ORR_NEVER;
        l->iterations = 0;
        return;
    }
    uint32_t budget = kind->token_budget > l->decoding + 1 ? kind->token_budget - l->decoding : 1;
    for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next) {
        orr_job *j = orr_job_at(site->jobs, at - 1);
        uint32_t left = j->input - j->prompt_done;
        j->chunk = left < budget - tokens ? left : budget - tokens;
        if (j->chunk == 0)
            continue;
        pairs += (double)j->chunk * ((double)j->prompt_done + 0.5 * j->chunk);
        tokens += j->chunk;
        prompts++;
    }
    if (prompts > 0) {
        l->iterations = 1;
        l->slope = 0;
    } else {
        l->iterations = ((orr_llm_entry *)site->heaps->items)[l->heap].finish - l->iteration;
        l->slope = orr_roofline_slope(&kind->roofline, l->decoding);
    }
    l->first = orr_roofline_iteration(&kind->roofline, l->decoding, l->context, prompts, tokens, pairs);
    l->due = boundary(l, l->iterations);
    l->due_ns = ns_after(l->due);
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

/* A sequence is out of the batch; its cache is free. */
static bool leave(orr_llm *l, const orr_llm_site *site, uint32_t index, orr_outcome outcome)
{
    l->kv_used -= reserved(orr_job_at(site->jobs, index));
    return tell(site, index, outcome, ns_after(l->start));
}

/* Prompts whose last chunk was in the plan produce their first token. */
static bool complete_prompts(orr_llm *l, const orr_llm_site *site)
{
    bool ok = true;
    orr_job_queue left = {0};
    while (l->prompts.count > 0) {
        uint32_t index = orr_job_dequeue(site->jobs, &l->prompts);
        orr_job *j = orr_job_at(site->jobs, index);
        j->prompt_done += j->chunk;
        l->prefilled += j->chunk;
        j->chunk = 0;
        if (j->cancelled) {
            l->leaving--;
            ok &= leave(l, site, index, ORR_JOB_CANCELLED);
        } else if (j->prompt_done < j->input) {
            orr_job_enqueue(site->jobs, &left, index);
        } else {
            l->produced++;
            ((uint8_t *)site->resident->items)[l->resident + j->class_] = 1;
            j->first_ns = ns_after(l->start);
            ok &= tell(site, index, ORR_FIRST_TOKEN, j->first_ns);
            j->finish = l->iteration + j->output - 1;
            if (j->output == 1) {
                ok &= leave(l, site, index, ORR_JOB_DONE);
            } else {
                j->state = ORR_JOB_DECODING;
                l->context += (int64_t)j->input + 1;
                heap_push(l, site, j->finish, index);
            }
        }
    }
    l->prompts = left;
    return ok;
}

static bool drop_cancelled(orr_llm *l, const orr_llm_site *site)
{
    bool ok = true;
    for (uint32_t i = 0; i < l->decoding && l->leaving > 0;) {
        uint32_t index = ((orr_llm_entry *)site->heaps->items)[l->heap + i].job;
        const orr_job *j = orr_job_at(site->jobs, index);
        if (!j->cancelled) {
            i++;
            continue;
        }
        l->context -= context_of(j, l->iteration);
        heap_remove(l, site, i);
        l->leaving--;
        ok &= leave(l, site, index, ORR_JOB_CANCELLED);
        i = 0;
    }
    return ok;
}

bool orr_llm_due(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site)
{
    bool ok = true;
    assert(l->due != ORR_NEVER);
    account_to(l, l->due);
    l->start = l->due;
    l->iteration += l->iterations;
    l->produced += l->iterations * l->decoding;
    l->context += (int64_t)l->iterations * l->decoding;
    while (l->decoding > 0) {
        orr_llm_entry top = ((orr_llm_entry *)site->heaps->items)[l->heap];
        if (top.finish > l->iteration)
            break;
        orr_job *j = orr_job_at(site->jobs, top.job);
        l->context -= context_of(j, l->iteration);
        heap_remove(l, site, 0);
        if (j->cancelled)
            l->leaving--;
        ok &= leave(l, site, top.job, j->cancelled ? ORR_JOB_CANCELLED : ORR_JOB_DONE);
    }
    if (l->prompts.count > 0) {
        l->prompt_iterations += l->iterations;
        ok &= complete_prompts(l, site);
    }
    ok &= drop_cancelled(l, site);
    ok &= admit(l, kind, site);
    plan(l, kind, site);
    return ok;
}

bool orr_llm_catch_up(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool ok = true;
    while (l->due < quanta(now_ns))
        ok &= orr_llm_due(l, kind, site);
    return ok;
}

/* Ends the plan at the first boundary from `now` on; at once if that is its start. */
static bool cut(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    bool ok = true;
    uint64_t m = boundary_from(l, quanta(now_ns));
    if (m == 0) { /* nothing of the plan has happened yet: join it */
        ok = admit(l, kind, site);
        plan(l, kind, site);
    } else if (m < l->iterations) {
        l->iterations = m;
        l->due = boundary(l, m);
        l->due_ns = ns_after(l->due);
    }
    return ok;
}

bool orr_llm_arrive(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = orr_llm_catch_up(l, kind, site, now_ns);
    orr_job *j = orr_job_at(site->jobs, job);
    j->state = ORR_JOB_WAITING;
    orr_job_enqueue(site->jobs, &l->waiting, job);
    if (l->due == ORR_NEVER) {
        account_to(l, quanta(now_ns));
        l->start = quanta(now_ns);
        ok &= admit(l, kind, site);
        plan(l, kind, site);
    } else if (l->waiting.count == 1 && fits(l, kind, j)) {
        ok &= cut(l, kind, site, now_ns);
    }
    return ok;
}

/* Did the job end since the event list had `before` entries? Its owner has not heard of it yet. */
static bool has_ended(const orr_llm_site *site, uint32_t before, uint32_t job)
{
    const orr_job_event *e = site->events->items;
    for (uint32_t i = before; i < site->events->count; i++)
        if (e[i].job == job && e[i].outcome >= ORR_JOB_DONE)
            return true;
    return false;
}

/* The first in the queue is gone: the next one may fit where it did not; if not, a plan that was cut for it runs on to its own end. */
static bool queue_head_left(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, int64_t now_ns)
{
    if (l->due == ORR_NEVER)
        return true;
    if (l->waiting.count > 0 && fits(l, kind, orr_job_at(site->jobs, l->waiting.head - 1))) {
        return cut(l, kind, site, now_ns);
    } else if (l->prompts.count == 0 && l->leaving == 0) {
        l->iterations = ((orr_llm_entry *)site->heaps->items)[l->heap].finish - l->iteration;
        l->due = boundary(l, l->iterations);
        l->due_ns = ns_after(l->due);
    }
    return true;
}

bool orr_llm_cancel(orr_llm *l, const orr_llm_kind *kind, const orr_llm_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = true;
    uint32_t before = site->events->count;
    while (l->due <= quanta(now_ns)) /* a boundary at this very moment comes first: who is done is done */
        ok &= orr_llm_due(l, kind, site);
    orr_job *j = orr_job_at(site->jobs, job);
    if (j->cancelled || j->state == ORR_JOB_FREE || has_ended(site, before, job))
        return ok;
    if (j->state == ORR_JOB_WAITING) {
        bool first = l->waiting.head == job + 1;
        orr_job_remove(site->jobs, &l->waiting, job);
        ok &= tell(site, job, ORR_JOB_CANCELLED, now_ns);
        if (first)
            ok &= queue_head_left(l, kind, site, now_ns);
        return ok;
    }
    j->cancelled = 1;
    l->leaving++;
    if (l->start == quanta(now_ns)) { /* nothing of the plan has happened yet: it ends here, empty */
        l->iterations = 0;
        l->due = l->start;
        for (uint32_t at = l->prompts.head; at != 0; at = orr_job_at(site->jobs, at - 1)->next)
            orr_job_at(site->jobs, at - 1)->chunk = 0;
        return orr_llm_due(l, kind, site) && ok;
    }
    ok &= cut(l, kind, site, now_ns);
    return ok;
}

uint32_t orr_llm_generated(const orr_llm *l, const orr_job *j, int64_t now_ns)
{
    if (j->state != ORR_JOB_DECODING)
        return 0;
    uint64_t m = boundary_from(l, quanta(now_ns)); /* boundaries strictly before now: 1 .. m-1 */
    uint64_t done = l->iteration + (m > 0 ? m - 1 : 0);
    return (uint32_t)(j->output - (j->finish - done));
}

int64_t orr_llm_token_ns(const orr_llm *l)
{
    return l->due == ORR_NEVER || l->iterations == 0 ? 0 : (l->due - l->start) / ((int64_t)l->iterations << ORR_QUANTUM_BITS);
}
