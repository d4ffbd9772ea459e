#include "statistics/selection.h"

#include <math.h>
#include <stdlib.h>

/* `sign` makes larger better. `variance` is of differences, [policy][policy]; `sum` over the seeds so far. */
typedef struct race {
    const double *value;
    size_t        policies, stride, seeds;
    double        sign, indifference, h2;
    double       *variance, *sum;
    size_t       *out_after;
} race;

static double at(const race *r, size_t policy, size_t seed) { return r->sign * r->value[policy * r->stride + seed]; }

static double variance_of_difference(const race *r, size_t a, size_t b, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += (at(r, a, i) - at(r, b, i)) / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = at(r, a, i) - at(r, b, i) - mean;
        squares += d * d;
    }
    return squares / (double)(n - 1);
}

/* Seeds at which the two are told apart whatever happens. */
static double horizon(const race *r, size_t a, size_t b) { return r->h2 * r->variance[a * r->policies + b] / (r->indifference * r->indifference); }

/* How far the mean of one may lag behind the other's after `n` seeds (W of the paper, c = 1). */
static double allowance(const race *r, size_t a, size_t b, size_t n)
{
    return fmax(0, r->indifference / (2 * (double)n) * (horizon(r, a, b) - (double)n));
}

static bool in(const race *r, size_t policy) { return r->out_after[policy] == 0; }

static size_t leader(const race *r)
{
    size_t best = 0;
    while (!in(r, best))
        best++;
    for (size_t p = best + 1; p < r->policies; p++)
        if (in(r, p) && r->sum[p] > r->sum[best])
            best = p;
    return best;
}

/* All are judged by who was in before, as in the paper. The leader is never out. Beyond all horizons only ties are left, and the first of them stays. */
static size_t screen(race *r, size_t n)
{
    size_t left = 0, best = leader(r);
    double seeds = (double)n;
    for (size_t p = 0; p < r->policies; p++) {
        bool out = p != best && seeds > horizon(r, p, best);
        for (size_t q = 0; q < r->policies && !out; q++)
            out = q != p && (in(r, q) || r->out_after[q] == n) && r->sum[p] / seeds < r->sum[q] / seeds - allowance(r, p, q, n);
        if (in(r, p) && out)
            r->out_after[p] = n;
        left += in(r, p);
    }
    return left;
}

static void forecast(const race *r, size_t n, size_t best, orr_selection *s)
{
    double last = 0, expected = 0;
    for (size_t p = 0; p < r->policies; p++) {
        if (p == best || !in(r, p))
            continue;
        /* The gap stays: it is passed where indifference / (2 m) * (horizon - m) = gap. */
        double gap = (r->sum[best] - r->sum[p]) / (double)n, far = horizon(r, p, best);
        expected = fmax(expected, far * r->indifference / (2 * gap + r->indifference));
        for (size_t q = 0; q < r->policies; q++)
            if (q != p && in(r, q))
                last = fmax(last, horizon(r, p, q));
    }
    s->at_most = (size_t)fmax(1, floor(last) + 1 - (double)n);
    s->expected = (size_t)fmin((double)s->at_most, fmax(1, ceil(expected) - (double)n));
}

static void run(race *r, size_t first, orr_selection *s)
{
    size_t k = r->policies, n = 0;
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            r->variance[a * k + b] = r->seeds < first ? 0 : variance_of_difference(r, a, b, first);
    for (s->left = k; n < r->seeds && s->left > 1;) {
        for (size_t p = 0; p < k; p++)
            r->sum[p] += at(r, p, n);
        n++;
        s->left = n < first ? k : screen(r, n);
    }
    s->used = n;
    s->best = leader(r);
    s->decided = s->left == 1;
    if (s->decided)
        return;
    if (r->seeds < first)
        s->expected = s->at_most = first - r->seeds;
    else
        forecast(r, n, s->best, s);
}

bool orr_select(const double *value, size_t policies, size_t seeds, size_t stride, const orr_selection_rule *rule, size_t *out_after, orr_selection *selection)
{
    size_t first = rule->first_stage < 2 ? 2 : rule->first_stage;
    double freedom = (double)first - 1, alpha = 1 - rule->probability;
    double eta = policies < 2 ? 0 : 0.5 * (pow(2 * alpha / ((double)policies - 1), -2 / freedom) - 1);
    race r = {.value = value, .policies = policies, .stride = stride, .seeds = seeds, .sign = rule->lower ? -1 : 1, .indifference = rule->indifference,
              .h2 = 2 * eta * freedom, .out_after = out_after};
    *selection = (orr_selection){0};
    r.variance = calloc(policies * policies + 1, sizeof *r.variance);
    r.sum = calloc(policies + 1, sizeof *r.sum);
    bool ok = r.variance != NULL && r.sum != NULL;
    for (size_t p = 0; p < policies; p++)
        out_after[p] = 0;
    if (ok)
        run(&r, first, selection);
    free(r.variance);
    free(r.sum);
    return ok;
}
