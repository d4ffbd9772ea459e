#include "measure/fit.h"

#include "measure/closed_loop.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define AT(field) offsetof(orr_coefficients, field)
const orr_fit_coefficient orr_fit_coefficients[ORR_FIT_COEFFICIENTS] = {
    {"ec", AT(compute_efficiency), 1, true, 0},   {"eb", AT(bandwidth_efficiency), 1, true, 0}, {"ekv", AT(kv_efficiency), 1, true, 0},
    {"eat", AT(attention_efficiency), 1, true, 0}, {"ecm", AT(link_efficiency), 1, true, 0},    {"kb", AT(wide_share), 1, false, 0.2},
    {"t0_us", AT(base_s), 1e-6, false, 100},      {"tl_us", AT(layer_s), 1e-6, false, 10},      {"th_us", AT(launch_s), 1e-6, false, 10},
    {"thp_us", AT(prompt_launch_s), 1e-6, false, 50}, {"tb_us", AT(sequence_s), 1e-6, false, 5},    {"ar_us", AT(all_reduce_s), 1e-6, false, 3},  {"ar2_us", AT(ring_s), 1e-6, false, 5},
    {"fe_ms", AT(front_end_s), 1e-3, false, 5},
};
#undef AT

static const double LEAST_SHARE = 0.02, PRIOR = 0.05, SOFT = 0.15, TTFT_WEIGHT = 0.5, RATE_WEIGHT = 0.3;
enum { MOST_ITERATIONS = 40, LOW_USERS = 16, HIGH_USERS = 128 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

orr_errors orr_errors_of(const orr_points *points, const bool *in, orr_error_kind kind)
{
    orr_errors e = {.mean = NAN, .median = NAN, .p90 = NAN, .bias = NAN};
    double *error = malloc((points->count + 1) * sizeof *error), bias = 0;
    for (uint32_t i = 0; error != NULL && i < points->count; i++) {
        const orr_point *p = &points->items[i];
        double measured = kind == ORR_ERROR_TPOT ? p->tpot_s : kind == ORR_ERROR_RATE ? p->rate : p->ttft_s, got = kind == ORR_ERROR_TPOT ? p->got_tpot_s : kind == ORR_ERROR_RATE ? p->got_rate : p->got_ttft_s;
        bool counts = kind == ORR_ERROR_TPOT || kind == ORR_ERROR_RATE || (kind == ORR_ERROR_TTFT_LOW ? p->concurrency <= LOW_USERS : p->concurrency > LOW_USERS && p->concurrency <= HIGH_USERS);
        if ((in != NULL && !in[i]) || p->skipped != NULL || !counts || isnan(measured) || isnan(got))
            continue;
        bias += got / measured - 1;
        error[e.count++] = fabs(got / measured - 1);
    }
    if (e.count > 0) {
        qsort(error, e.count, sizeof *error, by_size);
        e.mean = gsl_stats_mean(error, 1, e.count);
        e.median = gsl_stats_median_from_sorted_data(error, 1, e.count);
        e.p90 = gsl_stats_quantile_from_sorted_data(error, 1, e.count, 0.9);
        e.bias = bias / e.count;
    }
    free(error);
    return e;
}

orr_status orr_fit_simulate(orr_points *points, orr_world **worlds, const bool *in, const orr_coefficients *coefficients, orr_problems *problems)
{
    orr_status status = ORR_OK;
    for (uint32_t i = 0; i < points->count && status == ORR_OK; i++) {
        if (points->items[i].skipped != NULL || worlds[i] == NULL || (in != NULL && !in[i]))
            continue;
        if (coefficients != NULL)
            worlds[i]->calibrations[worlds[i]->pools[0].calibration].coefficients = *coefficients;
        status = orr_closed_loop_run(&points->items[i], worlds[i], problems);
    }
    return status;
}

/* What the solver varies: logits of shares, and logarithms of times, shifted so that 0 is within reach. */
static double to_free(int i, double value)
{
    const orr_fit_coefficient *c = &orr_fit_coefficients[i];
    double v = value / c->unit;
    if (!c->share)
        return log(v / c->typical + 0.1);
    double s = fmin(fmax((v - LEAST_SHARE) / (1 - LEAST_SHARE), 1e-3), 1 - 1e-3);
    return log(s / (1 - s));
}

static double from_free(int i, double x)
{
    const orr_fit_coefficient *c = &orr_fit_coefficients[i];
    if (!c->share)
        return fmax(0, (exp(fmin(x, 20)) - 0.1) * c->typical) * c->unit;
    return (LEAST_SHARE + (1 - LEAST_SHARE) / (1 + exp(-x))) * c->unit;
}

typedef struct task {
    orr_points   *points;
    orr_world   **worlds;
    const bool   *in;
    double        start[ORR_FIT_COEFFICIENTS];
    size_t        residuals;
    orr_status    status;
    orr_problems *problems;
} task;

static orr_coefficients coefficients_of(const gsl_vector *x)
{
    orr_coefficients c = {0};
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++)
        *orr_fit_value(&c, i) = from_free(i, gsl_vector_get(x, (size_t)i));
    return c;
}

static double soft(double r) { return copysign(SOFT * sqrt(2 * (sqrt(1 + r * r / (SOFT * SOFT)) - 1)), r); }

static bool counts(const task *t, uint32_t i) { return t->points->items[i].skipped == NULL && t->worlds[i] != NULL && (t->in == NULL || t->in[i]); }

static bool ttft_counts(const orr_point *p) { return !isnan(p->ttft_s) && p->concurrency <= LOW_USERS; }

/* A rate says little that the time per token does not, where both are given. */
static double rate_weight(const orr_point *p) { return isnan(p->tpot_s) ? 1 : RATE_WEIGHT; }

static int residuals(const gsl_vector *x, void *context, gsl_vector *f)
{
    task *t = context;
    orr_coefficients c = coefficients_of(x);
    size_t n = 0;
    if (t->status == ORR_OK)
        t->status = orr_fit_simulate(t->points, t->worlds, t->in, &c, t->problems);
    for (uint32_t i = 0; i < t->points->count; i++) {
        const orr_point *p = &t->points->items[i];
        if (!counts(t, i))
            continue;
        if (!isnan(p->tpot_s))
            gsl_vector_set(f, n++, soft(log(p->got_tpot_s / p->tpot_s)));
        if (!isnan(p->rate))
            gsl_vector_set(f, n++, rate_weight(p) * soft(log(p->got_rate / p->rate)));
        if (ttft_counts(p))
            gsl_vector_set(f, n++, TTFT_WEIGHT * soft(log(p->got_ttft_s / p->ttft_s)));
    }
    for (size_t i = 0; i < ORR_FIT_COEFFICIENTS; i++)
        gsl_vector_set(f, n++, PRIOR * (gsl_vector_get(x, i) - t->start[i]));
    return t->status == ORR_OK ? GSL_SUCCESS : GSL_FAILURE;
}

/* Standard errors in catalogue units, by the delta method. */
static void errors_of(orr_fit_result *r, gsl_multifit_nlinear_workspace *w, size_t n)
{
    gsl_matrix *covariance = gsl_matrix_alloc(ORR_FIT_COEFFICIENTS, ORR_FIT_COEFFICIENTS);
    double square;
    gsl_blas_ddot(gsl_multifit_nlinear_residual(w), gsl_multifit_nlinear_residual(w), &square);
    gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(w), 0, covariance);
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++) {
        double sd = sqrt(gsl_matrix_get(covariance, (size_t)i, (size_t)i) * square / (double)(n - ORR_FIT_COEFFICIENTS)), x = gsl_vector_get(gsl_multifit_nlinear_position(w), (size_t)i);
        r->error[i] = fabs(from_free(i, x + 0.5 * sd) - from_free(i, x - 0.5 * sd)) / orr_fit_coefficients[i].unit;
    }
    gsl_matrix_free(covariance);
}

orr_status orr_fit(orr_fit_result *result, orr_points *points, orr_world **worlds, const bool *in, const orr_coefficients *start, orr_problems *problems)
{
    task t = {.points = points, .worlds = worlds, .in = in, .problems = problems};
    orr_coefficients first = *start;
    size_t n = ORR_FIT_COEFFICIENTS;
    uint32_t used = 0;
    for (uint32_t i = 0; i < points->count; i++)
        if (counts(&t, i)) {
            used++;
            n += (size_t)!isnan(points->items[i].tpot_s) + !isnan(points->items[i].rate) + ttft_counts(&points->items[i]);
        }
    if (used < 3) {
        orr_problem(problems, (orr_where){NULL, 0, 0}, "only %u points are left: at least 3 are needed to fit anything", used);
        return ORR_BAD_INPUT;
    }
    gsl_vector *x = gsl_vector_alloc(ORR_FIT_COEFFICIENTS);
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++)
        gsl_vector_set(x, (size_t)i, t.start[i] = to_free(i, *orr_fit_value(&first, i)));
    gsl_multifit_nlinear_parameters options = gsl_multifit_nlinear_default_parameters();
    options.h_df = 1e-3; /* simulated times are piecewise smooth only */
    gsl_multifit_nlinear_workspace *w = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &options, n, ORR_FIT_COEFFICIENTS);
    gsl_multifit_nlinear_fdf problem = {.f = residuals, .n = n, .p = ORR_FIT_COEFFICIENTS, .params = &t};
    int info;
    gsl_multifit_nlinear_init(x, &problem, w);
    gsl_multifit_nlinear_driver(MOST_ITERATIONS, 1e-4, 1e-6, 1e-4, NULL, NULL, &info, w);
    *result = (orr_fit_result){.coefficients = coefficients_of(gsl_multifit_nlinear_position(w)), .iterations = (uint32_t)gsl_multifit_nlinear_niter(w)};
    errors_of(result, w, n);
    if (t.status == ORR_OK)
        t.status = orr_fit_simulate(points, worlds, in, &result->coefficients, problems);
    gsl_multifit_nlinear_free(w);
    gsl_vector_free(x);
    return t.status;
}
