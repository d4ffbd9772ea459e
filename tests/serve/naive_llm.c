/* The oracle. Slow and plain on purpose: every rule is one loop over all requests. */
#include "naive_llm.h"

#include "base/time.h"

#include <stdlib.h>

enum { MOST_CLASSES = 16 };

typedef struct server {
    const orr_llm_kind *kind;
    naive_request      *request;
    uint32_t            count;
    uint32_t            from, to; /* all before `from` have ended, all from `to` on are yet to come: there is nothing to see there */
    naive_totals       *totals;
    bool                resident[MOST_CLASSES];
    bool                changed; /* somebody joined or left at this boundary */
    int64_t             now;     /* the boundary, 2^-10 ns */
} server;

static int64_t in_quanta(int64_t ns) { return ns == ORR_NEVER ? ORR_NEVER : ns * 1024; }

static int64_t in_ns(int64_t quanta) { return quanta / 1024 + (quanta % 1024 != 0); }

static uint32_t how_many(const server *s, naive_place place)
{
    uint32_t n = 0;
    for (uint32_t i = s->from; i < s->to; i++)
        n += s->request[i].place == place;
    return n;
}

static int64_t cache_in_use(const server *s)
{
    int64_t tokens = 0;
    for (uint32_t i = s->from; i < s->to; i++)
        if (s->request[i].place == NAIVE_PROMPT || s->request[i].place == NAIVE_DECODING)
            tokens += (int64_t)s->request[i].input + s->request[i].output;
    return tokens;
}

static void end(server *s, naive_request *r, naive_place how, int64_t at_ns)
{
    r->place = how;
    r->end_ns = at_ns;
    s->changed = true;
}

static void token(server *s, naive_request *r)
{
    r->token[r->produced++] = s->now;
    s->totals->produced++;
}

/* What the iteration that ends here has done. */
static void end_of_iteration(server *s)
{
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->request[i];
        bool was_cancelled = in_quanta(r->cancels_ns) < s->now;
        if (r->place == NAIVE_DECODING) {
            token(s, r);
            if (was_cancelled)
                end(s, r, NAIVE_CANCELLED, in_ns(s->now));
            else if (r->produced == r->output)
                end(s, r, NAIVE_DONE, in_ns(s->now));
        } else if (r->place == NAIVE_PROMPT) {
            r->prompt_done += r->chunk;
            s->totals->prefilled += r->chunk;
            if (was_cancelled) {
                end(s, r, NAIVE_CANCELLED, in_ns(s->now));
            } else if (r->prompt_done == r->input) {
                token(s, r);
                s->resident[r->class_] = true;
                r->first_ns = in_ns(s->now);
                r->place = NAIVE_DECODING;
                if (r->output == 1)
                    end(s, r, NAIVE_DONE, r->first_ns);
            }
        }
    }
}

/* Arrivals and cancellations up to this boundary. */
static void hear(server *s)
{
    while (s->to < s->count && in_quanta(s->request[s->to].arrives_ns) <= s->now)
        s->to++;
    while (s->from < s->to && s->request[s->from].place >= NAIVE_DONE)
        s->from++;
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->request[i];
        if (r->place == NAIVE_NOT_YET)
            r->place = NAIVE_WAITING;
        if (in_quanta(r->cancels_ns) > s->now)
            continue;
        if (r->place == NAIVE_WAITING) {
            r->place = NAIVE_CANCELLED; /* changes nothing in the batch */
            r->end_ns = r->cancels_ns;
        } else if (r->place == NAIVE_PROMPT || r->place == NAIVE_DECODING) {
            end(s, r, NAIVE_CANCELLED, in_ns(s->now));
        }
    }
}

static void admit(server *s)
{
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->request[i];
        if (r->place != NAIVE_WAITING)
            continue;
        if (how_many(s, NAIVE_PROMPT) + how_many(s, NAIVE_DECODING) == s->kind->max_batch)
            return;
        if (cache_in_use(s) + r->input + r->output > s->kind->kv_tokens)
            return;
        r->place = NAIVE_PROMPT;
        r->cached = s->resident[r->class_] ? r->prefix : 0;
        if (r->cached > r->input - 1)
            r->cached = r->input - 1;
        r->prompt_done = r->cached;
        s->changed = true;
    }
}

/* Deals out the budget and computes the first duration of a new composition. */
static int64_t compose(server *s)
{
    uint32_t decoding = how_many(s, NAIVE_DECODING), prompts = 0, tokens = 0;
    uint32_t budget = s->kind->token_budget > decoding ? s->kind->token_budget - decoding : 1;
    int64_t context = 0;
    double pairs = 0;
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->request[i];
        r->chunk = 0;
        if (r->place == NAIVE_DECODING)
            context += r->input + r->produced;
        if (r->place != NAIVE_PROMPT)
            continue;
        while (r->chunk < r->input - r->prompt_done && tokens < budget) {
            pairs += (double)r->prompt_done + r->chunk + 0.5; /* each token attends to those before it, and half to itself */
            r->chunk++;
            tokens++;
        }
        prompts += r->chunk > 0;
    }
    return orr_roofline_iteration(&s->kind->roofline, decoding, context, prompts, tokens, pairs);
}

static void count_time(server *s, int64_t duration)
{
    uint32_t decoding = how_many(s, NAIVE_DECODING), prompts = how_many(s, NAIVE_PROMPT);
    naive_totals *t = s->totals;
    t->iterations++;
    t->prompt_iterations += prompts > 0;
    *(prompts > 0 ? &t->prompt_time : &t->decode_time) += duration;
    t->batch_time += duration * decoding;
    t->slot_time += duration * (decoding + prompts);
}

static int64_t next_arrival(const server *s) { return s->to < s->count ? s->request[s->to].arrives_ns : ORR_NEVER; }

void naive_llm_run(const orr_llm_kind *kind, naive_request *requests, uint32_t count, naive_totals *totals)
{
    server s = {.kind = kind, .request = requests, .count = count, .totals = totals};
    int64_t duration = 0, slope = 0;
    bool running = false;
    *totals = (naive_totals){0};
    orr_array_init(&totals->boundary, sizeof(int64_t));
    for (;;) {
        s.changed = false;
        if (running) {
            s.changed = how_many(&s, NAIVE_PROMPT) > 0;
            s.now += duration;
            int64_t *boundary = orr_array_extend(&totals->boundary, 1);
            if (boundary == NULL)
                abort();
            *boundary = s.now;
            end_of_iteration(&s);
        } else {
            s.now = in_quanta(next_arrival(&s));
            if (s.now == ORR_NEVER)
                return;
        }
        hear(&s);
        admit(&s);
        running = how_many(&s, NAIVE_PROMPT) + how_many(&s, NAIVE_DECODING) > 0;
        if (!running)
            continue;
        if (s.changed) {
            duration = compose(&s);
            slope = how_many(&s, NAIVE_PROMPT) > 0 ? 0 : orr_roofline_slope(&kind->roofline, how_many(&s, NAIVE_DECODING));
        } else {
            duration += slope;
        }
        count_time(&s, duration);
    }
}
