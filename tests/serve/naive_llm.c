/* The oracle. Slow and plain on purpose: every rule is one loop over all requests. */
#include "naive_llm.h"

#include "base/time.h"

#include <stdlib.h>

enum { MOST_NODES = 2048, TOKEN = 65536 };

/* A node that is in the cache, or once was. */
typedef struct node {
    enum { OF_CLASS, OF_SESSION, OF_TRACE } what;
    uint64_t name;
    uint32_t part, tokens, pins;
    bool     present;
    uint64_t released; /* when its last pin went: order */
} node;

typedef struct server {
    const orr_llm_kind *kind;
    const naive_scene  *scene;
    naive_totals       *totals;
    uint32_t            number;
    uint32_t            from, to;       /* all before `from` have ended, all from `to` on are yet to come: there is nothing to see there */
    int64_t             now;            /* 2^-10 ns */
    int64_t             began, ends;    /* the iteration that runs; it ends NEVER when nothing runs */
    int64_t             duration, slope;
    bool                changed;        /* the composition, at this moment */
    bool                stalled;        /* decoding stands still in the iteration that runs */
    bool                barred;
    int64_t             front, back;    /* queue numbers in use are from front + 1 to back */
    uint64_t            releases;
    uint32_t            nodes;
    node                node[MOST_NODES];
} server;

static int64_t in_quanta(int64_t ns) { return ns == ORR_NEVER ? ORR_NEVER : ns * 1024; }

static int64_t in_ns(int64_t quanta) { return quanta / 1024 + (quanta % 1024 != 0); }

static bool is(const server *s, const naive_request *r, naive_place place) { return r->server == s->number && r->place == place; }

static bool runs(const server *s, const naive_request *r) { return is(s, r, NAIVE_PROMPT) || is(s, r, NAIVE_DECODING); }

static uint32_t how_many(const server *s, naive_place place)
{
    uint32_t n = 0;
    for (uint32_t i = s->from; i < s->to; i++)
        n += is(s, &s->scene->request[i], place);
    return n;
}

static bool anything_runs(const server *s) { return how_many(s, NAIVE_PROMPT) + how_many(s, NAIVE_DECODING) > 0; }

/* The prompt that entered next after `entered`; NULL if there is none. */
static naive_request *next_prompt(const server *s, uint64_t entered)
{
    naive_request *next = NULL;
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (is(s, r, NAIVE_PROMPT) && r->entered > entered && (next == NULL || r->entered < next->entered))
            next = r;
    }
    return next;
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

/* Context of a sequence in the batch, 2^-16 tokens. */
static int64_t context(const naive_request *r)
{
    return ((int64_t)r->prompt + 1) * TOKEN + (r->place == NAIVE_DECODING ? (int64_t)r->steps_made * r->rate : 0);
}

/* Its answer so far, 2^-16 tokens. */
static uint64_t made(const naive_request *r)
{
    uint64_t tokens = (uint64_t)r->before * TOKEN;
    if (r->place == NAIVE_DECODING)
        tokens += TOKEN + (uint64_t)r->steps_made * r->rate;
    if (r->place == NAIVE_HELD || (r->place == NAIVE_WAITING && r->received))
        tokens += TOKEN;
    return tokens;
}

static uint32_t whole_tokens(const naive_request *r)
{
    uint64_t tokens = made(r) / TOKEN;
    bool the_last_is_to_come = r->place == NAIVE_DECODING && r->steps_made < r->steps;
    return tokens >= r->wish.output ? r->wish.output - the_last_is_to_come : (uint32_t)tokens;
}

static void see_tokens(const server *s, naive_request *r)
{
    for (uint32_t n = whole_tokens(r); r->produced < n; r->produced++)
        r->wish.token[r->produced] = s->now;
}

static void cut_off_fraction(const server *s, const naive_request *r)
{
    if (r->place == NAIVE_DECODING)
        s->totals->surplus += made(r) - (uint64_t)whole_tokens(r) * TOKEN;
}

/* --- prefix nodes ------------------------------------------------------------------------------------------------ */

/* The k-th node of the chain of its first `tokens` tokens; false if there are not so many. */
static bool chain(const server *s, const naive_request *r, uint32_t k, uint32_t tokens, node *n)
{
    const naive_wish *w = &r->wish;
    uint32_t shared = w->blocks != 0 ? 0 : w->prefix - w->prefix % s->kind->block, part = k - (shared > 0);
    if (!s->kind->keeps_prefixes || tokens < shared)
        return false;
    if (k == 0 && shared > 0) {
        *n = (node){OF_CLASS, .name = w->class_, .tokens = shared};
        return true;
    }
    if (shared + (part + 1) * ORR_PREFIX_TOKENS > tokens)
        return false;
    if (w->blocks != 0) { /* the trace tells of the input only, and its last block may be a part of one */
        *n = (node){OF_TRACE, .name = part < w->block_count ? s->scene->block_hashes[w->blocks - 1 + part] : 0, .tokens = ORR_PREFIX_TOKENS};
        return part < w->block_count && (part + 1) * ORR_PREFIX_TOKENS <= w->input;
    }
    *n = (node){OF_SESSION, .name = w->session, .part = part, .tokens = ORR_PREFIX_TOKENS};
    return w->session != 0;
}

/* The place of a node in the table, which is made if need be. */
static node *place_of(server *s, const node *n)
{
    for (uint32_t i = 0; i < s->nodes; i++)
        if (s->node[i].what == n->what && s->node[i].name == n->name && s->node[i].part == n->part)
            return &s->node[i];
    if (s->nodes == MOST_NODES)
        abort();
    s->node[s->nodes] = *n;
    return &s->node[s->nodes++];
}

static node *chain_node(server *s, const naive_request *r, uint32_t k, uint32_t tokens)
{
    node n;
    return chain(s, r, k, tokens, &n) ? place_of(s, &n) : NULL;
}

static int64_t blocks_of(const server *s, const node *n) { return n->tokens / s->kind->block; }

static void pin(server *s, naive_request *r, uint32_t nodes, uint32_t tokens)
{
    for (node *n; r->pinned < nodes && (n = chain_node(s, r, r->pinned, tokens)) != NULL; r->pinned++) {
        n->present = true;
        n->pins++;
    }
}

static void unpin(server *s, naive_request *r)
{
    while (r->pinned > 0) {
        node *n = chain_node(s, r, --r->pinned, UINT32_MAX);
        if (--n->pins == 0)
            n->released = ++s->releases;
    }
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static int64_t own_blocks(server *s, const naive_request *r)
{
    int64_t beyond = context(r), block = (int64_t)s->kind->block * TOKEN;
    for (uint32_t k = 0; k < r->pinned; k++)
        beyond -= (int64_t)chain_node(s, r, k, UINT32_MAX)->tokens * TOKEN;
    return beyond / block + (beyond % block != 0);
}

static int64_t blocks_of_sequences(server *s)
{
    int64_t blocks = 0;
    for (uint32_t i = s->from; i < s->to; i++) {
        const naive_request *r = &s->scene->request[i];
        if (runs(s, r) || is(s, r, NAIVE_HELD))
            blocks += own_blocks(s, r);
    }
    return blocks;
}

static int64_t blocks_of_nodes(const server *s, bool also_unpinned)
{
    int64_t blocks = 0;
    for (uint32_t i = 0; i < s->nodes; i++)
        if (s->node[i].pins > 0 || (also_unpinned && s->node[i].present))
            blocks += blocks_of(s, &s->node[i]);
    return blocks;
}

static void let_nodes_give_way(server *s)
{
    if (blocks_of_nodes(s, true) == 0)
        return;
    for (int64_t room = s->kind->blocks - blocks_of_sequences(s); blocks_of_nodes(s, true) > room;) {
        node *first = NULL;
        for (uint32_t i = 0; i < s->nodes; i++)
            if (s->node[i].present && s->node[i].pins == 0 && (first == NULL || s->node[i].released < first->released))
                first = &s->node[i];
        if (first == NULL)
            return;
        first->present = false;
        s->totals->evicted += blocks_of(s, first);
    }
}

/* In tokens: whole contexts of those that decode, whole blocks of all else. */
static void note_use(server *s)
{
    int64_t contexts = 0, shared = 0, blocks = blocks_of_nodes(s, false);
    for (uint32_t i = s->from; i < s->to; i++) {
        const naive_request *r = &s->scene->request[i];
        if (is(s, r, NAIVE_DECODING)) {
            contexts += context(r);
            for (uint32_t k = 0; k < r->pinned; k++)
                shared += chain_node(s, r, k, UINT32_MAX)->tokens;
        } else if (is(s, r, NAIVE_PROMPT) || is(s, r, NAIVE_HELD)) {
            blocks += own_blocks(s, r);
        }
    }
    naive_use *use = orr_array_extend(&s->totals->use, 1);
    if (use == NULL)
        abort();
    *use = (naive_use){s->now, contexts / TOKEN - shared + blocks * s->kind->block};
}

/* --- what happens to requests ------------------------------------------------------------------------------------ */

static void end(server *s, naive_request *r, naive_place how)
{
    cut_off_fraction(s, r);
    if (how == NAIVE_DONE && r->wish.session != 0 && !r->received)
        pin(s, r, UINT32_MAX, r->wish.input + r->wish.output);
    unpin(s, r);
    s->changed = true;
    r->place = how;
    r->end_ns = in_ns(s->now);
}

static void decode(server *s, naive_request *r)
{
    uint32_t tokens = r->wish.output - r->before - 1;
    if (r->steps == 0)
        r->steps = tokens;
    r->place = NAIVE_DECODING;
    r->steps_made = 0;
    r->rate = (uint32_t)(((uint64_t)tokens * TOKEN + r->steps - 1) / r->steps);
    r->far = s->kind->roofline.limit > 0 && r->prompt + 1 >= s->kind->roofline.limit;
    s->changed = true;
}

static void wait(server *s, naive_request *r, int64_t queue_number)
{
    r->server = s->number;
    r->place = NAIVE_WAITING;
    r->queue_number = queue_number;
}

static void preempt(server *s, naive_request *r)
{
    s->totals->preemptions++;
    s->totals->prompts_preempted += r->place == NAIVE_PROMPT;
    if (s->now % 1024 == 0)
        s->totals->bar_ns = s->now / 1024;
    if (r->place == NAIVE_DECODING) {
        uint32_t left = r->steps - r->steps_made;
        cut_off_fraction(s, r);
        r->before = whole_tokens(r);
        r->prompt = r->known = r->wish.input + r->before;
        r->steps = left > 1 ? left - 1 : 1;
        if (r->steps > r->wish.output - r->before - 1)
            r->steps = r->wish.output - r->before - 1;
    }
    unpin(s, r);
    r->received = false;
    r->prompt_done = 0;
    wait(s, r, s->front--);
    s->changed = s->barred = true;
}

static void preempt_while_short(server *s)
{
    while (blocks_of_sequences(s) + blocks_of_nodes(s, false) > s->kind->blocks) {
        naive_request *last = NULL;
        for (uint32_t i = s->from; i < s->to; i++) {
            naive_request *r = &s->scene->request[i];
            if (runs(s, r) && (last == NULL || r->entered > last->entered))
                last = r;
        }
        preempt(s, last);
    }
}

static bool fits(server *s, const naive_request *r, uint32_t *hits, uint32_t *hit_tokens)
{
    int64_t need = anything_runs(s) ? s->kind->reserve : 0;
    *hits = *hit_tokens = 0;
    for (node *n; !r->received && (n = chain_node(s, r, *hits, r->prompt)) != NULL && n->present; ++*hits) {
        *hit_tokens += n->tokens;
        need += n->pins == 0 ? blocks_of(s, n) : 0;
    }
    uint32_t own = r->prompt + 1 - *hit_tokens;
    need += own / s->kind->block + (own % s->kind->block != 0);
    return blocks_of_sequences(s) + blocks_of_nodes(s, false) + need <= s->kind->blocks;
}

static void admit(server *s)
{
    for (;;) {
        naive_request *head = NULL;
        uint32_t hits, tokens;
        for (uint32_t i = s->from; i < s->to; i++) {
            naive_request *r = &s->scene->request[i];
            if (is(s, r, NAIVE_WAITING) && (head == NULL || r->queue_number < head->queue_number))
                head = r;
        }
        if (s->barred && !anything_runs(s)) {
            s->barred = false;
            s->totals->bars_lifted++;
        }
        if (head == NULL || s->barred || how_many(s, NAIVE_PROMPT) + how_many(s, NAIVE_DECODING) == s->kind->max_batch || !fits(s, head, &hits, &tokens))
            return;
        head->entered = ++s->totals->admissions;
        s->changed = true;
        if (head->received) {
            decode(s, head);
            continue;
        }
        head->place = NAIVE_PROMPT;
        if (head->started_ns == 0)
            head->started_ns = in_ns(s->now);
        pin(s, head, hits, UINT32_MAX);
        head->prompt_done = tokens < head->prompt ? tokens : head->prompt - 1; /* the last one is always computed */
        if (head->first_ns == 0 && head->prompt_done > head->known) {
            head->cached += head->prompt_done - head->known;
            head->known = head->prompt_done;
        }
    }
}

/* --- iterations -------------------------------------------------------------------------------------------------- */

static void count_time(const server *s, int64_t duration)
{
    uint32_t decoding = how_many(s, NAIVE_DECODING), prompts = how_many(s, NAIVE_PROMPT);
    naive_totals *t = s->totals;
    *(prompts > 0 ? &t->prompt_time : &t->decode_time) += duration;
    t->batch_time += duration * decoding;
    t->slot_time += duration * (decoding + prompts);
}

static void count_iteration(const server *s)
{
    uint32_t decoding = how_many(s, NAIVE_DECODING), prompts = how_many(s, NAIVE_PROMPT);
    naive_iteration *i = orr_array_extend(&s->totals->iteration, 1);
    if (i == NULL)
        abort();
    *i = (naive_iteration){.start = s->began, .duration = s->now - s->began, .decoding = s->stalled ? 0 : decoding, .stalled = s->stalled ? decoding : 0, .prompts = prompts};
    for (uint32_t k = s->from; k < s->to; k++) {
        const naive_request *r = &s->scene->request[k];
        i->context += is(s, r, NAIVE_DECODING) ? context(r) : 0;
        i->prompt_tokens += is(s, r, NAIVE_PROMPT) ? r->chunk : 0;
    }
    s->totals->iterations++;
    s->totals->prompt_iterations += prompts > 0;
    s->totals->steps += !s->stalled;
    count_time(s, s->now - s->began);
}

static void finish_prompt(server *s, naive_request *r)
{
    pin(s, r, UINT32_MAX, r->prompt);
    s->totals->produced += TOKEN;
    if (r->first_ns == 0)
        r->first_ns = in_ns(s->now);
    if (r->before + 1 == r->wish.output) {
        r->before++;
        see_tokens(s, r);
        end(s, r, NAIVE_DONE);
        return;
    }
    if (s->kind->hands_over) {
        r->place = NAIVE_HELD;
        r->carried_ns = r->first_ns + r->wish.carry_ns;
    } else {
        decode(s, r);
    }
    see_tokens(s, r);
}

static void boundary(server *s)
{
    count_iteration(s);
    s->changed = how_many(s, NAIVE_PROMPT) > 0;
    s->barred = false;
    for (uint32_t i = s->from; i < s->to && !s->stalled; i++) {
        naive_request *r = &s->scene->request[i];
        if (!is(s, r, NAIVE_DECODING))
            continue;
        r->steps_made++;
        s->totals->produced += r->rate;
        see_tokens(s, r);
    }
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (is(s, r, NAIVE_DECODING) && r->steps_made == r->steps)
            end(s, r, r->cancelled ? NAIVE_CANCELLED : NAIVE_DONE);
    }
    uint64_t entered = 0;
    for (naive_request *r; (r = next_prompt(s, entered)) != NULL; entered = r->entered) {
        for (; r->chunk > 0; r->chunk--, r->prompt_done++) {
            *(r->prompt_done < r->known ? &s->totals->recomputed : &s->totals->prefilled) += 1;
            r->known += r->prompt_done == r->known;
        }
        if (r->cancelled)
            end(s, r, NAIVE_CANCELLED);
        else if (r->prompt_done == r->prompt)
            finish_prompt(s, r);
    }
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (is(s, r, NAIVE_DECODING) && !r->far && s->kind->roofline.limit > 0 && context(r) >= (int64_t)s->kind->roofline.limit * TOKEN) {
            r->far = s->changed = true;
            s->totals->crossings++;
        }
    }
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (is(s, r, NAIVE_DECODING) && r->cancelled)
            end(s, r, NAIVE_CANCELLED);
    }
    preempt_while_short(s);
    s->began = s->now;
    admit(s);
}

/* Deals out the budget, and computes the first duration and the slope of a new composition. */
static void compose(server *s)
{
    orr_load load = {0};
    int64_t rate = 0, near_rate = 0, limit = (int64_t)s->kind->roofline.limit * TOKEN;
    s->stalled = s->kind->batching == ORR_BATCH_PROMPTS_FIRST && how_many(s, NAIVE_PROMPT) > 0 && how_many(s, NAIVE_DECODING) > 0;
    for (uint32_t i = s->from; i < s->to; i++) {
        const naive_request *r = &s->scene->request[i];
        if (!is(s, r, NAIVE_DECODING) || s->stalled)
            continue;
        load.decoding++;
        load.context += context(r);
        load.near += context(r) < limit ? context(r) : limit;
        rate += r->rate;
        near_rate += limit == 0 || r->far ? 0 : r->rate;
    }
    uint32_t budget = s->kind->token_budget > load.decoding ? s->kind->token_budget - load.decoding : 1;
    uint64_t entered = 0;
    for (naive_request *r; (r = next_prompt(s, entered)) != NULL; entered = r->entered) {
        uint32_t left = r->prompt - r->prompt_done;
        if (s->kind->batching == ORR_BATCH_WHOLE_PROMPTS && load.prompt_tokens + left > budget) {
            if (load.prompt_tokens > 0)
                break;
            budget = left; /* it goes alone */
        }
        for (; r->chunk < left && load.prompt_tokens < budget; r->chunk++, load.prompt_tokens++) {
            double position = r->prompt_done + r->chunk; /* each token attends to those before it, and half to itself */
            load.pairs += position + 0.5;
            load.near_pairs += limit == 0 ? 0 : position < s->kind->roofline.limit ? position + 0.5 : s->kind->roofline.limit;
        }
        load.prompts += r->chunk > 0;
    }
    s->slope = load.prompts > 0 ? 0 : orr_roofline_slope(&s->kind->roofline, rate, near_rate);
    s->duration = orr_roofline_iteration(&s->kind->roofline, &load);
}

static bool in_iteration(const server *s) { return s->ends != ORR_NEVER && s->began != s->now; }

/* Time is about to move on. */
static void move_on(server *s)
{
    note_use(s);
    if (in_iteration(s))
        return;
    if (!anything_runs(s)) {
        s->ends = ORR_NEVER;
        return;
    }
    if (s->changed || s->ends == ORR_NEVER)
        compose(s);
    else
        s->duration += s->slope;
    s->began = s->now;
    s->ends = s->now + s->duration;
}

/* --- the world --------------------------------------------------------------------------------------------------- */

static void try_queue(server *s)
{
    if (!in_iteration(s))
        admit(s);
}

static void cancel(server *s, naive_request *r)
{
    if (r->place >= NAIVE_DONE)
        return;
    if (r->place == NAIVE_WAITING) { /* changes nothing in the batch */
        r->place = NAIVE_CANCELLED;
        r->end_ns = r->wish.cancels_ns;
    } else if (runs(s, r) && !in_iteration(s)) {
        end(s, r, NAIVE_CANCELLED);
    } else {
        r->cancelled = true;
    }
    try_queue(s);
}

static void stop(server *s)
{
    if (s->ends != ORR_NEVER) {
        s->totals->void_time += s->now - s->began;
        count_time(s, s->now - s->began);
    }
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (r->server == s->number && r->place > NAIVE_NOT_YET && r->place < NAIVE_DONE)
            end(s, r, NAIVE_CANCELLED);
    }
    for (uint32_t i = 0; i < s->nodes; i++)
        s->node[i].present = false;
    s->barred = false;
    s->ends = ORR_NEVER;
}

/* The KV of a request has arrived at the second server. */
static void carry(server servers[NAIVE_SERVERS], naive_request *r)
{
    unpin(&servers[0], r);
    if (r->cancelled) {
        r->place = NAIVE_CANCELLED;
        r->end_ns = r->carried_ns;
    } else {
        r->received = true;
        r->prompt_done = r->wish.input;
        wait(&servers[1], r, ++servers[1].back);
        try_queue(&servers[1]);
    }
    try_queue(&servers[0]);
}

static naive_request *next_cancelled(const server *s)
{
    naive_request *next = NULL;
    for (uint32_t i = s->from; i < s->to; i++) {
        naive_request *r = &s->scene->request[i];
        if (in_quanta(r->wish.cancels_ns) == s->now && !r->cancel_heard && (next == NULL || r->wish.cancel_rank < next->wish.cancel_rank))
            next = r;
    }
    return next;
}

static int64_t next_moment(const naive_scene *scene, const server *servers)
{
    int64_t next = ORR_NEVER;
    for (uint32_t k = 0; k < scene->servers; k++) {
        if (servers[k].ends < next)
            next = servers[k].ends;
        if (servers[k].now < in_quanta(scene->stops_ns[k]) && in_quanta(scene->stops_ns[k]) < next)
            next = in_quanta(scene->stops_ns[k]);
    }
    if (servers->to < scene->count && in_quanta(scene->request[servers->to].wish.arrives_ns) < next)
        next = in_quanta(scene->request[servers->to].wish.arrives_ns);
    for (uint32_t i = servers->from; i < servers->to; i++) {
        const naive_request *r = &scene->request[i];
        if (!r->cancel_heard && in_quanta(r->wish.cancels_ns) < next)
            next = in_quanta(r->wish.cancels_ns);
        if (r->place == NAIVE_HELD && in_quanta(r->carried_ns) < next)
            next = in_quanta(r->carried_ns);
    }
    return next;
}

static void live_through(const naive_scene *scene, server *servers, int64_t now)
{
    for (uint32_t k = 0; k < scene->servers; k++) {
        server *s = &servers[k];
        s->now = now;
        s->changed = false;
        let_nodes_give_way(s);
        if (s->ends == now)
            boundary(s);
    }
    while (servers->to < scene->count && in_quanta(scene->request[servers->to].wish.arrives_ns) == now) {
        naive_request *r = &scene->request[servers->to];
        r->prompt = r->wish.input;
        r->steps = r->wish.steps;
        wait(servers, r, ++servers->back);
        for (uint32_t k = 0; k < scene->servers; k++)
            servers[k].to++;
        try_queue(servers);
    }
    for (uint32_t i = servers->from; i < servers->to; i++)
        if (scene->request[i].place == NAIVE_HELD && in_quanta(scene->request[i].carried_ns) == now)
            carry(servers, &scene->request[i]);
    for (naive_request *r; (r = next_cancelled(servers)) != NULL;) {
        r->cancel_heard = true;
        cancel(&servers[r->server], r);
    }
    for (uint32_t k = 0; k < scene->servers; k++) {
        if (in_quanta(scene->stops_ns[k]) == now)
            stop(&servers[k]);
        move_on(&servers[k]);
    }
    while (servers->from < servers->to && scene->request[servers->from].place >= NAIVE_DONE)
        for (uint32_t k = 0; k < NAIVE_SERVERS; k++)
            servers[k].from++;
}

void naive_llm_run(const naive_scene *scene, naive_totals totals[NAIVE_SERVERS])
{
    server *servers = calloc(NAIVE_SERVERS, sizeof *servers);
    if (servers == NULL)
        abort();
    for (uint32_t k = 0; k < scene->servers; k++) {
        totals[k] = (naive_totals){0};
        orr_array_init(&totals[k].iteration, sizeof(naive_iteration));
        orr_array_init(&totals[k].use, sizeof(naive_use));
        servers[k].kind = &scene->kind[k];
        servers[k].scene = scene;
        servers[k].totals = &totals[k];
        servers[k].number = k;
        servers[k].ends = ORR_NEVER;
        servers[k].now = -1;
    }
    for (int64_t now; (now = next_moment(scene, servers)) != ORR_NEVER;)
        live_through(scene, servers, now);
    for (uint32_t k = 0; k < scene->servers; k++)
        totals[k].cache_blocks = blocks_of_nodes(&servers[k], true);
    free(servers);
}
