#include "study/plan.h"

#include "base/time.h"
#include "clients/arrivals.h"
#include "grid/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void orr_plan_clear(orr_plan_of_study *p)
{
    for (size_t i = 0; i < p->variant_count; i++)
        free(p->variants[i].overrides);
    free(p->variants);
    free(p->runs);
    *p = (orr_plan_of_study){0};
}

/* The overrides of a cell under a policy, and one more of a parameter if it is not NULL. The policy's come last but for it. */
static bool fill_overrides(orr_variant *v, const orr_study *s, const char *parameter)
{
    size_t index[ORR_MOST_AXES], most = s->fixed_count + s->policies[v->policy].count + 1;
    for (size_t a = 0; a < s->axis_count; a++)
        most += s->axes[a].key_count;
    v->overrides = calloc(most, sizeof *v->overrides);
    if (v->overrides == NULL)
        return false;
    for (size_t i = 0; i < s->fixed_count; i++)
        v->overrides[v->count++] = s->fixed[i];
    orr_study_cell(s, v->cell, index);
    for (size_t a = 0; a < s->axis_count; a++)
        for (size_t k = 0; k < s->axes[a].key_count; k++)
            v->overrides[v->count++] = s->axes[a].values[index[a]].overrides[k];
    for (size_t i = 0; i < s->policies[v->policy].count; i++)
        v->overrides[v->count++] = s->policies[v->policy].overrides[i];
    if (parameter != NULL)
        v->overrides[v->count++] = parameter;
    return true;
}

static bool add_variants(orr_plan_of_study *p)
{
    const orr_study *s = p->study;
    size_t cells = orr_study_cells(s), count = cells * s->policy_count + 2 * s->parameter_count;
    p->variants = calloc(count + 1, sizeof *p->variants);
    if (p->variants == NULL)
        return false;
    for (size_t c = 0; c < cells; c++)
        for (size_t k = 0; k < s->policy_count; k++) {
            orr_variant *v = &p->variants[p->variant_count++];
            *v = (orr_variant){.cell = (uint32_t)c, .policy = (uint32_t)k, .parameter = -1};
            if (!fill_overrides(v, s, NULL))
                return false;
        }
    for (size_t i = 0; i < s->parameter_count; i++)
        for (int e = 0; e < 2; e++) {
            orr_variant *v = &p->variants[p->variant_count++];
            *v = (orr_variant){.cell = (uint32_t)orr_study_cell_of(s, s->focus), .policy = (uint32_t)s->sensitivity_policy, .parameter = (int32_t)i, .end = e};
            if (!fill_overrides(v, s, s->parameters[i].overrides[e]))
                return false;
        }
    return true;
}

static double expected_requests(const orr_world *w)
{
    double requests = 0;
    for (uint32_t i = 0; i < w->cohort_count; i++)
        requests += orr_arrivals_expected(w, &w->cohorts[i], w->duration_ns);
    return requests;
}

static bool by_the_clock(const orr_world *w)
{
    bool clock = w->plan_count > 0 || w->failure_count > 0 || orr_world_next_tariff(w, 0) != ORR_NEVER || orr_world_next_grid_hour(w, 0) != ORR_NEVER;
    for (uint32_t i = 0; i < w->cohort_count; i++) {
        const orr_class *class = &w->classes[w->cohorts[i].class_];
        clock = clock || w->cohorts[i].trace_count > 0;
        for (int hour = 1; hour < 24; hour++)
            clock = clock || fabs(class->profile[hour] - class->profile[0]) > 1e-9;
    }
    return clock;
}

static bool warmed_up(const orr_world *w)
{
    bool any = false;
    for (uint32_t i = 0; i < w->cohort_count; i++)
        any = any || w->cohorts[i].unmeasured > 0;
    return any;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Where the study has the override that a problem is about, if it is about one. */
static bool place_of(const orr_study *s, const orr_variant *v, const char *problem, orr_where *where)
{
    size_t index[ORR_MOST_AXES];
    if (!begins(problem, "--set "))
        return false;
    problem += strlen("--set ");
    for (size_t i = 0; i < s->fixed_count; i++)
        if (begins(problem, s->fixed[i])) {
            *where = s->fixed_where[i];
            return true;
        }
    for (size_t i = 0; i < s->policies[v->policy].count; i++)
        if (begins(problem, s->policies[v->policy].overrides[i])) {
            *where = s->policies[v->policy].where;
            return true;
        }
    orr_study_cell(s, v->cell, index);
    for (size_t a = 0; a < s->axis_count; a++)
        for (size_t k = 0; k < s->axes[a].key_count; k++)
            if (begins(problem, s->axes[a].values[index[a]].overrides[k])) {
                *where = s->axes[a].values[index[a]].where;
                return true;
            }
    return false;
}

/* Says it at its place in the study, without the place that it named itself. */
static void pass_on(const orr_study *s, const orr_variant *v, const char *problem, orr_where where, orr_problems *problems)
{
    static const char middle[] = ": error: ";
    const char *message = place_of(s, v, problem, &where) ? strstr(problem, middle) : NULL;
    orr_problem(problems, where, "%s", message != NULL ? message + strlen(middle) : problem);
}

/* Loads the world of a variant and drops it; what is wrong is said at `where`. With `grid` also what is found only when routes and policy are set up. */
static bool try_variant(orr_plan_of_study *p, orr_variant *v, bool grid, orr_where where, orr_problems *problems)
{
    orr_problems own = {0};
    orr_world *w = orr_world_load(p->study->scenario, v->overrides, v->count, &own);
    const orr_grid_options options = {0};
    orr_grid g;
    if (w != NULL && grid && orr_grid_create(&g, w, &options, &own) == ORR_OK)
        orr_grid_destroy(&g);
    for (size_t i = 0; i < own.count; i++)
        pass_on(p->study, v, own.text[i], where, problems);
    problems->out_of_memory |= own.out_of_memory;
    orr_problems_clear(&own);
    bool ok = w != NULL;
    if (ok)
        v->requests = expected_requests(w);
    for (uint32_t i = 0; ok && i < w->cohort_count; i++)
        if (w->cohorts[i].settling > p->short_by && orr_world_is_short(w, &w->cohorts[i], p->short_of, sizeof p->short_of))
            p->short_by = w->cohorts[i].settling;
    if (ok && v == p->variants) {
        p->by_the_clock = by_the_clock(w);
        p->warmed_up = warmed_up(w);
    }
    orr_world_destroy(w);
    return ok;
}

static bool try_all(orr_plan_of_study *p, orr_problems *problems)
{
    const orr_study *s = p->study;
    size_t index[ORR_MOST_AXES] = {0};
    bool ok = try_variant(p, &p->variants[0], true, (orr_where){0}, problems);
    for (size_t a = 0; ok && a < s->axis_count; a++) {
        size_t step = s->axes[a].count > 64 ? s->axes[a].count / 64 : 1; /* of a long range a part will do: its values are of one form */
        for (size_t i = 1; i < s->axes[a].count; i += step) {
            memset(index, 0, sizeof index);
            index[a] = i;
            try_variant(p, &p->variants[orr_study_cell_of(s, index) * s->policy_count], i + step >= s->axes[a].count, s->axes[a].values[i].where, problems);
        }
    }
    for (size_t k = 1; ok && k < s->policy_count; k++)
        try_variant(p, &p->variants[k], true, s->policies[k].where, problems);
    for (size_t i = 0; ok && i < 2 * s->parameter_count; i++)
        try_variant(p, &p->variants[p->variant_count - 2 * s->parameter_count + i], true, s->parameters[i / 2].where, problems);
    return !orr_problems_any(problems);
}

/* What was not tried: as if the axes acted one by one. */
static void spread_requests(orr_plan_of_study *p)
{
    const orr_study *s = p->study;
    double base = p->variants[0].requests;
    for (size_t c = 0; c < orr_study_cells(s); c++) {
        size_t index[ORR_MOST_AXES];
        double ratio = 1;
        orr_study_cell(s, c, index);
        for (size_t a = 0; a < s->axis_count; a++) {
            size_t alone[ORR_MOST_AXES] = {0}, near = index[a];
            for (alone[a] = near; near > 0 && !(p->variants[orr_study_cell_of(s, alone) * s->policy_count].requests > 0);)
                alone[a] = --near; /* of a long range only some were tried */
            ratio *= base > 0 && near > 0 ? p->variants[orr_study_cell_of(s, alone) * s->policy_count].requests / base : 1;
        }
        for (size_t k = 0; k < s->policy_count; k++)
            p->variants[c * s->policy_count + k].requests = ratio * base;
    }
}

static bool digest_all(orr_plan_of_study *p, orr_problems *problems)
{
    orr_file_digests files = {0};
    orr_document *base = orr_document_read(p->study->scenario, problems);
    bool ok = base != NULL;
    for (size_t i = 0; ok && i < p->variant_count; i++) {
        orr_variant *v = &p->variants[i];
        orr_document *document = orr_document_vary(base, v->overrides, v->count, problems);
        ok = document != NULL && orr_digest_of(&v->digest, document, &files) && !orr_problems_any(problems);
        orr_document_destroy(document);
    }
    orr_document_destroy(base);
    orr_file_digests_clear(&files);
    return ok;
}

bool orr_plan_extend(orr_plan_of_study *p)
{
    const orr_study *s = p->study;
    orr_planned_run *runs = calloc(p->variant_count * s->seed_count + 1, sizeof *runs);
    if (runs == NULL)
        return false;
    free(p->runs);
    p->runs = runs;
    p->run_count = 0;
    for (size_t v = 0; v < p->variant_count; v++)
        for (size_t i = 0; i < s->seed_count; i++) {
            orr_planned_run *r = &p->runs[p->run_count++];
            *r = (orr_planned_run){.variant = (uint32_t)v, .seed = s->seeds[i]};
            orr_address_of(&p->variants[v].digest, r->seed, r->address);
        }
    return true;
}

bool orr_plan_study(orr_plan_of_study *p, const orr_study *study, orr_problems *problems)
{
    *p = (orr_plan_of_study){.study = study};
    bool ok = add_variants(p);
    if (ok && try_all(p, problems) && digest_all(p, problems) && (ok = orr_plan_extend(p))) {
        spread_requests(p);
        return true;
    }
    problems->out_of_memory |= !ok || !orr_problems_any(problems);
    orr_plan_clear(p);
    return false;
}
