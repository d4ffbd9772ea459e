#include "study/goals.h"

#include "statistics/sequential.h"
#include "trace/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

bool orr_goals_select(const orr_results *r, size_t cell, orr_selection *selection)
{
    const orr_study *s = r->campaign->study;
    size_t name = s->select.metric == NULL ? SIZE_MAX : orr_results_name(r, s->select.metric), k = s->policy_count;
    double *value = name == SIZE_MAX ? NULL : calloc(k * s->seed_count + 1, sizeof *value);
    size_t *out = calloc(k + 1, sizeof *out), seeds = s->seed_count;
    bool ok = value != NULL && out != NULL;
    orr_metric_words words;
    for (size_t p = 0; ok && p < k; p++) {
        size_t have = orr_results_values(r, cell * k + p, name, value + p * s->seed_count, NULL);
        ok = have == seeds && orr_results_runs(r, cell * k + p).growing == 0;
    }
    if (ok) {
        orr_metric_describe(s->select.metric, &words);
        const orr_selection_rule rule = {.probability = s->select.probability, .indifference = s->select.indifference, .lower = strcmp(words.better, "lower") == 0, .first_stage = ORR_GOAL_LEAST_SEEDS};
        ok = orr_select(value, k, seeds, s->seed_count, &rule, out, selection);
    }
    free(value);
    free(out);
    return ok;
}

static bool judge_precision(const orr_results *r, orr_goals *g)
{
    const orr_study *s = r->campaign->study;
    const orr_precision rule = {.relative = s->precision.relative, .level = s->level, .least = ORR_GOAL_LEAST_SEEDS, .most = s->precision.most};
    size_t name = orr_results_name(r, s->precision.metric);
    double *value = calloc(s->seed_count + 1, sizeof *value);
    for (size_t v = 0; value != NULL && v < orr_study_cells(s) * s->policy_count; v++) {
        size_t count = orr_results_values(r, v, name, value, NULL);
        if (orr_results_runs(r, v).growing > 0 || count == 0) /* no number of seeds makes a growing queue precise */
            continue;
        g->judged++;
        orr_sequential q = orr_sequential_next(value, count, &rule);
        double relative = q.half_width / fabs(q.estimate.mean);
        if (relative > g->worst_relative || isnan(relative)) {
            g->worst_relative = relative;
            g->worst_variant = v;
        }
        g->precise &= q.reached;
        g->seeds = larger(g->seeds, smaller(s->seed_count + q.more, s->precision.most));
    }
    g->precise &= g->judged > 0;
    bool ok = value != NULL;
    free(value);
    return ok;
}

bool orr_goals_judge(const orr_results *r, orr_goals *g)
{
    const orr_study *s = r->campaign->study;
    *g = (orr_goals){.precise = true, .selected = true, .seeds = s->seed_count};
    bool ok = s->precision.metric == NULL || judge_precision(r, g);
    for (size_t c = 0; ok && s->select.metric != NULL && c < orr_study_cells(s); c++) {
        orr_selection selection;
        if (!orr_goals_select(r, c, &selection))
            continue;
        g->selections++;
        g->selected &= selection.decided;
        if (!selection.decided)
            g->seeds = larger(g->seeds, smaller(s->seed_count + larger(1, smaller(selection.expected, s->seed_count)), s->select.most));
    }
    g->selected &= s->select.metric == NULL || g->selections > 0;
    return ok;
}
