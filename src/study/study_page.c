#include "study/study_page.h"

#include "statistics/order_statistic.h"
#include "study/goals.h"
#include "trace/comparison.h"
#include "trace/metric.h"
#include "trace/report_data.h"
#include "trace/report_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- parts --- */

static cJSON *triple(const orr_estimate *e)
{
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, orr_json_number(e->mean));
    cJSON_AddItemToArray(list, orr_json_number(e->low));
    cJSON_AddItemToArray(list, orr_json_number(e->high));
    return list;
}

static void add_metric(cJSON *list, const char *name)
{
    orr_metric_words words;
    cJSON *item = cJSON_CreateObject();
    orr_metric_describe(name, &words);
    cJSON_AddStringToObject(item, "key", name);
    cJSON_AddStringToObject(item, "title", words.title);
    cJSON_AddStringToObject(item, "unit", words.unit);
    if (words.better != NULL)
        cJSON_AddStringToObject(item, "better", words.better);
    else
        cJSON_AddNullToObject(item, "better");
    cJSON_AddItemToArray(list, item);
}

static void add_axes(cJSON *to, const orr_study *s)
{
    cJSON *list = cJSON_AddArrayToObject(to, "axes");
    for (size_t a = 0; a < s->axis_count; a++) {
        const orr_axis *x = &s->axes[a];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", x->name);
        cJSON_AddStringToObject(item, "key", x->key);
        cJSON_AddStringToObject(item, "title", x->title);
        cJSON_AddStringToObject(item, "unit", x->unit);
        cJSON_AddStringToObject(item, "law", x->logarithmic ? "log" : "linear");
        cJSON *texts = cJSON_AddArrayToObject(item, "values"), *numbers = cJSON_CreateArray();
        bool all = true;
        for (size_t i = 0; i < x->count; i++) {
            cJSON_AddItemToArray(texts, cJSON_CreateString(x->values[i].text));
            cJSON_AddItemToArray(numbers, cJSON_CreateNumber(x->values[i].number));
            all = all && !isnan(x->values[i].number);
        }
        if (!all) {
            cJSON_Delete(numbers);
            numbers = cJSON_CreateNull();
        }
        cJSON_AddItemToObject(item, "numbers", numbers);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_index(cJSON *to, const char *name, const orr_study *s, const size_t index[ORR_MOST_AXES])
{
    cJSON *list = cJSON_AddArrayToObject(to, name);
    for (size_t a = 0; a < s->axis_count; a++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)index[a]));
}

/* [mean, low, high, pairs, p, significant, correlation] */
static cJSON *difference_of(const orr_estimate *e, bool significant, double correlation)
{
    cJSON *d = triple(e);
    cJSON_AddItemToArray(d, cJSON_CreateNumber((double)e->count));
    cJSON_AddItemToArray(d, orr_json_number(e->p));
    cJSON_AddItemToArray(d, cJSON_CreateBool(significant));
    cJSON_AddItemToArray(d, orr_json_number(correlation));
    return d;
}

/* The same to the references, by their labels. */
static void add_against(cJSON *cell, const orr_results *r, size_t variant)
{
    const orr_study *s = r->campaign->study;
    size_t estimates = orr_study_cells(s) * s->policy_count * r->shown_count;
    cJSON *against = r->reference_count == 0 ? NULL : cJSON_AddObjectToObject(cell, "against");
    for (size_t k = 0; k < r->reference_count; k++) {
        if (variant % s->policy_count == r->reference[k])
            continue;
        cJSON *to = cJSON_AddObjectToObject(against, s->policies[r->reference[k]].label);
        for (size_t m = 0; m < r->shown_count; m++) {
            const orr_result_difference *d = &r->against[k * estimates + variant * r->shown_count + m];
            cJSON_AddItemToObject(to, r->names[r->shown[m]], difference_of(&d->difference, d->significant, d->correlation));
        }
    }
}

static void add_cells(cJSON *to, const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    cJSON *list = cJSON_AddArrayToObject(to, "cells");
    for (size_t v = 0; v < orr_study_cells(s) * s->policy_count; v++) {
        size_t index[ORR_MOST_AXES];
        orr_result_runs n = orr_results_runs(r, v);
        cJSON *cell = cJSON_CreateObject();
        orr_study_cell(s, v / s->policy_count, index);
        add_index(cell, "at", s, index);
        cJSON_AddNumberToObject(cell, "policy", (double)(v % s->policy_count));
        cJSON_AddNumberToObject(cell, "runs", (double)n.done);
        cJSON_AddNumberToObject(cell, "unstable", (double)n.growing);
        cJSON_AddNumberToObject(cell, "unjudged", (double)n.unjudged);
        cJSON_AddBoolToObject(cell, "settled", r->warm_up_ns[v / s->policy_count] >= 0);
        cJSON *metrics = cJSON_AddObjectToObject(cell, "metrics"), *differences = v % s->policy_count == s->baseline ? NULL : cJSON_AddObjectToObject(cell, "differences");
        for (size_t m = 0; m < r->shown_count; m++) {
            const orr_result_estimate *e = &r->estimate[v * r->shown_count + m];
            const char *name = r->names[r->shown[m]];
            cJSON_AddItemToObject(metrics, name, triple(&e->own));
            if (differences == NULL)
                continue;
            cJSON_AddItemToObject(differences, name, difference_of(&e->difference, e->significant, e->correlation));
        }
        add_against(cell, r, v);
        cJSON_AddItemToArray(list, cell);
    }
}

static void add_anchors(cJSON *to, const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    cJSON *list = cJSON_AddArrayToObject(to, "anchors");
    for (size_t i = 0; i < s->anchor_count; i++) {
        const orr_study_anchor *a = &s->anchors[i];
        orr_anchor_result m = orr_results_anchor(r, i);
        char *cell = orr_study_cell_text(s, orr_study_cell_of(s, a->index)), where[512];
        cJSON *item = cJSON_CreateObject();
        snprintf(where, sizeof where, "%s%s%s", s->policies[a->policy].label, cell != NULL && *cell ? ", " : "", cell != NULL ? cell : "");
        free(cell);
        cJSON_AddStringToObject(item, "text", a->text);
        cJSON_AddStringToObject(item, "source", a->source);
        cJSON_AddStringToObject(item, "metric", a->metric);
        cJSON_AddStringToObject(item, "where", where);
        orr_json_add(item, "least", a->least);
        orr_json_add(item, "most", a->most);
        orr_json_add(item, "measured", m.measured.mean);
        orr_json_add(item, "low", m.measured.low);
        orr_json_add(item, "high", m.measured.high);
        cJSON_AddStringToObject(item, "verdict", orr_anchor_verdict_names[m.verdict]);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_sensitivity(cJSON *to, const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    size_t name = s->sensitivity_metric == NULL ? SIZE_MAX : orr_results_name(r, s->sensitivity_metric);
    double *value = name == SIZE_MAX ? NULL : calloc(s->seed_count + 1, sizeof *value);
    if (value == NULL) {
        cJSON_AddNullToObject(to, "sensitivity");
        return;
    }
    orr_metric_words words;
    cJSON *tornado = cJSON_AddObjectToObject(to, "sensitivity");
    orr_metric_describe(s->sensitivity_metric, &words);
    cJSON_AddStringToObject(tornado, "metric", s->sensitivity_metric);
    cJSON_AddStringToObject(tornado, "title", words.title);
    cJSON_AddStringToObject(tornado, "unit", words.unit);
    cJSON_AddStringToObject(tornado, "policy", s->policies[s->sensitivity_policy].label);
    size_t base = orr_study_cell_of(s, s->focus) * s->policy_count + s->sensitivity_policy;
    orr_estimate e = orr_estimate_mean(value, orr_results_values(r, base, name, value, NULL), s->level);
    cJSON_AddItemToObject(tornado, "base", triple(&e));
    cJSON *rows = cJSON_AddArrayToObject(tornado, "rows");
    for (size_t i = 0; i < s->parameter_count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "key", s->parameters[i].key);
        cJSON_AddStringToObject(row, "text", s->parameters[i].text);
        cJSON_AddStringToObject(row, "low_value", s->parameters[i].end[0]);
        cJSON_AddStringToObject(row, "high_value", s->parameters[i].end[1]);
        for (size_t k = 0; k < 2; k++) {
            const orr_result_end *end = &r->end[2 * i + k];
            size_t growing = orr_results_runs(r, orr_study_cells(s) * s->policy_count + 2 * i + k).growing;
            cJSON_AddItemToObject(row, k == 0 ? "at_low" : "at_high", growing > 0 ? cJSON_CreateNull() : triple(&end->own));
            cJSON_AddItemToObject(row, k == 0 ? "low_difference" : "high_difference", difference_of(&end->difference, end->significant, NAN));
            cJSON_AddNumberToObject(row, k == 0 ? "low_unstable" : "high_unstable", (double)growing);
        }
        cJSON_AddItemToArray(rows, row);
    }
    free(value);
}

/* --- sentences --- */

static void add_goals(cJSON *to, const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    orr_goals g;
    orr_selection selection;
    char text[512];
    bool judged = orr_goals_judge(r, &g);
    if (judged && s->precision.metric != NULL) {
        orr_metric_words words;
        orr_metric_describe(s->precision.metric, &words);
        cJSON *precision = cJSON_AddObjectToObject(to, "precision");
        cJSON_AddStringToObject(precision, "metric", s->precision.metric);
        cJSON_AddNumberToObject(precision, "relative", s->precision.relative);
        cJSON_AddBoolToObject(precision, "reached", g.precise);
        if (g.judged == 0)
            snprintf(text, sizeof text, "The interval of %s was to be within ±%.3g %% of its mean, but there is none to judge: queues grow in every cell, or no run has the number.", words.title, 100 * s->precision.relative);
        else
            snprintf(text, sizeof text, "Seeds were added until the interval of %s was within ±%.3g %% of its mean for every policy in every cell whose queues do not grow: %s with %zu seeds (the widest of %zu is ±%.3g %%).", words.title,
                     100 * s->precision.relative, g.precise ? "reached" : "not reached", s->seed_count, g.judged, 100 * g.worst_relative);
        cJSON_AddStringToObject(precision, "text", text);
    } else {
        cJSON_AddNullToObject(to, "precision");
    }
    if (s->select.metric != NULL && orr_goals_select(r, orr_study_cell_of(s, s->focus), &selection)) {
        orr_metric_words words;
        orr_metric_describe(s->select.metric, &words);
        cJSON *item = cJSON_AddObjectToObject(to, "selection");
        cJSON_AddStringToObject(item, "metric", s->select.metric);
        cJSON_AddNumberToObject(item, "probability", s->select.probability);
        cJSON_AddNumberToObject(item, "indifference", s->select.indifference);
        cJSON_AddStringToObject(item, "best", s->policies[selection.best].label);
        cJSON_AddBoolToObject(item, "decided", selection.decided);
        if (selection.decided)
            snprintf(text, sizeof text, "With a probability of at least %.3g %%, %s has the best %s in the focus cell, or one within %.3g %s of the best (Kim and Nelson's procedure, decided after %zu seeds).", 100 * s->select.probability,
                     s->policies[selection.best].label, words.title, s->select.indifference, words.unit, selection.used);
        else
            snprintf(text, sizeof text, "After %zu seeds it is not decided which policy has the best %s in the focus cell: %zu are still in the race, %s leads; about %zu more seeds would decide.", s->seed_count, words.title, selection.left,
                     s->policies[selection.best].label, selection.expected);
        cJSON_AddStringToObject(item, "text", text);
    } else {
        cJSON_AddNullToObject(to, "selection");
    }
}

/* What was deleted as warm-up, and where nothing could be. */
static void describe_warm_up(FILE *out, const orr_results *r, double longest_s)
{
    size_t cells = orr_study_cells(r->campaign->study), unsettled = 0, coarse = 0;
    for (size_t c = 0; c < cells; c++) {
        unsettled += r->warm_up_ns[c] == ORR_UNSETTLED;
        coarse += r->warm_up_ns[c] == ORR_TOO_COARSE;
    }
    if (unsettled + coarse < cells)
        fprintf(out, "the warm-up is deleted from latencies, rates and use (MSER-5; in each cell the longest of all policies, at most %.4g s)", longest_s);
    else
        fprintf(out, "no warm-up could be deleted");
    if (unsettled > 0)
        fprintf(out, "; %zu of %zu cell%s had not settled", unsettled, cells, cells == 1 ? "" : "s");
    if (coarse > 0)
        fprintf(out, "; in %zu of %zu cell%s the latency bins (output.latency_bin) are too long to leave anything", coarse, cells, cells == 1 ? "" : "s");
    if (unsettled + coarse > 0)
        fprintf(out, ": means there are biased by the empty start");
}

static void add_method(cJSON *to, const orr_results *r)
{
    static const char *const names[] = {"auto", "replications", "terminating", "batch_means"};
    const orr_study *s = r->campaign->study;
    int64_t longest = 0;
    char *text = NULL;
    size_t size;
    for (size_t c = 0; c < orr_study_cells(s); c++)
        longest = r->warm_up_ns[c] > longest ? r->warm_up_ns[c] : longest;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return;
    if (r->method == ORR_METHOD_BATCH_MEANS)
        fprintf(out, "One long run for each policy, with intervals at %.4g %% from the means of batches; ", 100 * s->level);
    else
        fprintf(out, "Means over %zu seed%s with Student's intervals at %.4g %%; ", s->seed_count, s->seed_count == 1 ? "" : "s", 100 * s->level);
    if (r->campaign->plan.warmed_up)
        fprintf(out, "the scenario itself leaves the first requests of every run out of latencies (output.warmup)");
    else if (r->method == ORR_METHOD_TERMINATING)
        fprintf(out, "every run counts from its beginning to its end (a day or an outage has no steady state)");
    else
        describe_warm_up(out, r, (double)longest * 1e-9);
    fprintf(out, ". Differences are taken seed by seed, since all policies meet the same requests on a seed");
    if (r->claims > 0)
        fprintf(out, ", and called significant if they stand among all that were tested in the study, which are %zu (Holm's correction)", r->claims);
    fprintf(out, ". Where queues grow to the end, means depend on the duration, and nothing is claimed of them.");
    if (fclose(out) == 0) {
        cJSON_AddStringToObject(to, "method", names[r->method]);
        cJSON_AddStringToObject(to, "method_text", text);
        orr_json_add(to, "warm_up_s", (double)longest * 1e-9);
    }
    free(text);
}

static void add_speed(cJSON *to, const orr_results *r)
{
    double wall = 0;
    cJSON *speed = cJSON_AddObjectToObject(to, "speed");
    for (size_t i = 0; i < r->campaign->plan.run_count; i++)
        wall += r->wall_s[i];
    orr_json_add(speed, "runs_s", wall);
    orr_json_add(speed, "runs_per_hour", wall > 0 ? 3600 * (double)r->done / wall : NAN);
}

cJSON *orr_study_json(const orr_results *r)
{
    const orr_study *s = r->campaign->study;
    cJSON *to = cJSON_CreateObject();
    if (to == NULL)
        return NULL;
    cJSON_AddStringToObject(to, "name", s->name);
    cJSON_AddStringToObject(to, "question", s->question);
    cJSON_AddStringToObject(to, "surprise", s->surprise);
    cJSON_AddStringToObject(to, "scenario_file", s->scenario);
    cJSON_AddStringToObject(to, "text", s->text);
    add_method(to, r);
    cJSON_AddNumberToObject(to, "level", s->level);
    cJSON_AddStringToObject(to, "baseline", s->policies[s->baseline].label);
    cJSON *runs = cJSON_AddObjectToObject(to, "runs");
    cJSON_AddNumberToObject(runs, "planned", (double)r->campaign->plan.run_count);
    cJSON_AddNumberToObject(runs, "done", (double)r->done);
    cJSON_AddNumberToObject(runs, "failed", (double)r->failed);
    cJSON_AddNumberToObject(runs, "missing", (double)r->missing);
    add_axes(to, s);
    add_index(to, "focus", s, s->focus);
    cJSON *references = cJSON_AddArrayToObject(to, "references");
    for (size_t k = 0; k < r->reference_count; k++)
        cJSON_AddItemToArray(references, cJSON_CreateString(s->policies[r->reference[k]].label));
    for (size_t p = 0; p < s->policy_count; p++)
        if (strcmp(s->policies[p].name, "oracle") == 0)
            cJSON_AddStringToObject(to, "oracle", s->policies[p].label);
    cJSON *policies = cJSON_AddArrayToObject(to, "policies"), *metrics = cJSON_AddArrayToObject(to, "metrics");
    for (size_t p = 0; p < s->policy_count; p++)
        cJSON_AddItemToArray(policies, cJSON_CreateString(s->policies[p].label));
    for (size_t m = 0; m < r->shown_count; m++)
        add_metric(metrics, r->names[r->shown[m]]);
    add_cells(to, r);
    add_goals(to, r);
    add_anchors(to, r);
    add_sensitivity(to, r);
    add_speed(to, r);
    return to;
}

/* --- the focus cell --- */

static const char *method_text(const cJSON *study)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(study, "method_text");
    return cJSON_IsString(text) ? text->valuestring : "";
}

/* One policy and metric of the focus cell, as all of the study has it. `a` and `b` have room for all seeds. */
static orr_compared compared(const orr_results *r, size_t variant, size_t m, double *a, double *b)
{
    const orr_study *s = r->campaign->study;
    const orr_result_estimate *e = &r->estimate[variant * r->shown_count + m];
    size_t policy = variant % s->policy_count, base = variant - policy + s->baseline, name = r->shown[m];
    orr_result_runs n = orr_results_runs(r, variant);
    orr_compared c = {.own = e->own, .difference = e->difference, .correlation = e->correlation, .significant = e->significant, .growing = n.growing, .unjudged = n.unjudged};
    c.reduction = orr_estimate_variance_reduction(a, b, orr_results_pairs(r, variant, base, name, a, b));
    if (orr_is_percentile(r->names[name]))
        c.median = orr_order_quantile(a, orr_results_values(r, variant, name, a, NULL), 0.5, s->level);
    if (n.growing + orr_results_runs(r, base).growing > 0)
        c.difference.p = NAN;
    return c;
}

/* The comparison of the page (trace/comparison.h), by the study's own metrics, values and claims. NULL when out of memory. */
static cJSON *focus_comparison(const orr_results *r, const char *method)
{
    const orr_study *s = r->campaign->study;
    size_t count = s->policy_count * r->shown_count, first = orr_study_cell_of(s, s->focus) * s->policy_count;
    orr_compared *cells = calloc(count + 1, sizeof *cells);
    orr_metric_words *words = calloc(r->shown_count + 1, sizeof *words);
    orr_metric_kind *metrics = calloc(r->shown_count + 1, sizeof *metrics);
    const char **labels = calloc(s->policy_count + 1, sizeof *labels);
    double *a = calloc(s->seed_count + 1, sizeof *a), *b = calloc(s->seed_count + 1, sizeof *b);
    bool ok = cells && words && metrics && labels && a && b;
    for (size_t m = 0; ok && m < r->shown_count; m++) {
        orr_metric_describe(r->names[r->shown[m]], &words[m]);
        metrics[m] = (orr_metric_kind){r->names[r->shown[m]], words[m].title, words[m].unit, words[m].better};
    }
    for (size_t p = 0; ok && p < s->policy_count; p++)
        labels[p] = s->policies[p].label;
    for (size_t i = 0; ok && i < count; i++)
        cells[i] = compared(r, first + i / r->shown_count, i % r->shown_count, a, b);
    cJSON *to = ok ? orr_comparison_json(labels, s->policy_count, s->baseline, metrics, r->shown_count, cells, s->level, method) : NULL;
    free(cells);
    free(words);
    free(metrics);
    free(labels);
    free(a);
    free(b);
    return to;
}

cJSON *orr_study_page(const orr_results *r, orr_problems *problems)
{
    const orr_study *s = r->campaign->study;
    size_t first = orr_study_cell_of(s, s->focus) * s->policy_count * s->seed_count, count = s->policy_count * s->seed_count, done = 0;
    char **paths = calloc(count + 1, sizeof *paths);
    bool ok = paths != NULL;
    for (size_t p = 0; ok && p < s->policy_count; p++) /* the baseline first: it is the first run that names it */
        for (size_t i = 0; ok && i < s->seed_count; i++) {
            size_t run = first + (p == 0 ? s->baseline : p <= s->baseline ? p - 1 : p) * s->seed_count + i;
            if (r->state[run] == ORR_RUN_DONE)
                ok = (paths[done++] = orr_run_path(r->campaign->folder, r->campaign->plan.runs[run].address, ".h5")) != NULL;
        }
    cJSON *data = NULL, *study = ok ? orr_study_json(r) : NULL;
    const orr_report_options options = {.compare = true, .level = s->level};
    if (study == NULL)
        problems->out_of_memory = true;
    else if (done == 0)
        orr_problem(problems, (orr_where){r->campaign->folder, 0, 0}, "no run of the focus cell is done yet");
    else
        data = orr_report_data((const char *const *)paths, done, &options, problems);
    cJSON *comparison = data == NULL ? NULL : focus_comparison(r, method_text(study));
    if (data != NULL && comparison == NULL) {
        problems->out_of_memory = true;
        cJSON_Delete(data);
        data = NULL;
    }
    if (data != NULL) {
        cJSON_DeleteItemFromObject(data, "comparison");
        cJSON_AddItemToObject(data, "comparison", comparison);
        cJSON_ReplaceItemInObject(data, "kind", cJSON_CreateString("study"));
        cJSON_ReplaceItemInObject(data, "question", cJSON_CreateString(s->question));
        cJSON_AddItemToObject(data, "study", study);
    } else {
        cJSON_Delete(study);
    }
    for (size_t i = 0; paths != NULL && i < done; i++)
        free(paths[i]);
    free(paths);
    return data;
}
