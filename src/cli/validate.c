/* orrery validate: measured points, simulated as they were measured. */
#include "cli/cli.h"
#include "cli/measured.h"
#include "measure/closed_loop.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct validate_arguments {
    orr_measured measured;
    const char  *output, *calibration;
    long         scenario;
} validate_arguments;

enum { KEY_SCENARIO = 1000, KEY_CALIBRATION };

static const struct argp_option options[] = {
    {"output", 'o', "OUT.csv", 0, "write every point with its measured and simulated times", 0},
    {"calibration", KEY_CALIBRATION, "ROW", 0, "use one row of the catalogue of calibrations, as ACCELERATOR/ENGINE/MODEL (\"*/*/dense\"), for all points of its kind", 0},
    {"scenario", KEY_SCENARIO, "ROW", 0, "print the scenario of one row (the first is 1) and stop", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    validate_arguments *a = state->input;
    char *end;
    switch (key) {
    case 'o': a->output = text; return 0;
    case KEY_CALIBRATION: a->calibration = text; return 0;
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->measured; return 0;
    case KEY_SCENARIO:
        a->scenario = strtol(text, &end, 10);
        if (*end != 0 || a->scenario < 1)
            argp_error(state, "--scenario: expected the number of a row from 1 on, found `%s`", text);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&orr_measured_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc = "Simulates measured points as the closed loops that they were, and says how far off the simulated times are.\v"
           "Columns: model, accelerator, engine, precision, kv_precision, group, data_parallel, concurrency, input, output (tokens), ttft_ms, tpot_ms, output_tokens_s (of the "
           "replica), or for a part of the work alone prefill_tokens_s or decode_tokens_s, and how it was measured: spread (lengths are uniform from this share of input and output on; 1: constant), rounds (requests per user; 1: a burst, whose queue counts), token_budget, max_batch, stream "
           "(tokens sent at a time), drafts and acceptance (speculation). arrivals: inf, or a column batch_size instead of concurrency, is a burst. Tables of aiconfigurator, InferenceMAX, Splitwise and vLLM's own benchmark are read as they are.",
};

static bool write_points(const orr_points *points, const char *path, orr_problems *problems)
{
    static const char *const phases[] = {"both", "prefill", "decode"};
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be written: %s", strerror(errno));
        return false;
    }
    fprintf(out, "accelerator,engine,model,precision,kv_precision,group,data_parallel,concurrency,input,output,spread,rounds,token_budget,max_batch,stream,drafts,acceptance,"
                 "ttft_ms,simulated_ttft_ms,tpot_ms,simulated_tpot_ms,phase,tokens_s,simulated_tokens_s,left_out\n");
    for (uint32_t i = 0; i < points->count; i++) {
        const orr_point *p = &points->items[i];
        const double times[] = {p->ttft_s, p->got_ttft_s, p->tpot_s, p->got_tpot_s}, rates[] = {p->rate, p->got_rate};
        fprintf(out, "%s,%s,%s,%s,%s,%u,%u,%u,%u,%u,%g,%u,%u,%u,%u", p->accelerator, p->engine, p->model, p->precision, p->kv_precision, p->group, p->data_parallel,
                p->concurrency, p->input, p->output, p->spread, p->rounds, p->token_budget, p->max_batch, p->stream);
        fprintf(out, ",%u,%g", p->drafts, p->acceptance);
        for (int k = 0; k < 4; k++)
            if (isnan(times[k]))
                fprintf(out, ",");
            else
                fprintf(out, ",%.6g", 1e3 * times[k]);
        fprintf(out, ",%s", phases[p->phase]);
        for (int k = 0; k < 2; k++)
            if (isnan(rates[k]))
                fprintf(out, ",");
            else
                fprintf(out, ",%.6g", rates[k]);
        fprintf(out, ",%s\n", p->skipped != NULL ? p->skipped : "");
    }
    if (fclose(out) == 0)
        return true;
    orr_problem(problems, (orr_where){path, 0, 0}, "cannot be written: %s", strerror(errno));
    return false;
}

static int print_scenario(const validate_arguments *a, orr_problems *problems)
{
    orr_points points;
    int exit = ORR_EXIT_BAD_INPUT;
    if (!orr_points_load(&points, a->measured.path, a->measured.data, a->measured.accelerator, a->measured.engine, &a->measured.limits, problems)) {
        exit = orr_cli_problems(problems);
    } else if ((uint64_t)a->scenario > points.count) {
        fprintf(stderr, "error: the table has %u rows\n", points.count);
    } else {
        char *text = orr_closed_loop_text(&points.items[a->scenario - 1], a->measured.data);
        printf("%s", text != NULL ? text : "");
        free(text);
        exit = text != NULL ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
    }
    orr_points_destroy(&points);
    return exit;
}

/* One row for all points; those of another kind of model are left out. */
static bool use_one(orr_measured *m, const char *row, orr_problems *problems)
{
    bool found = false;
    for (uint32_t i = 0; i < m->points.count; i++) {
        orr_world *w = m->worlds[i];
        for (uint32_t k = 0; w != NULL && k < w->calibration_count; k++) {
            if (strcmp(w->calibrations[k].name, row) != 0)
                continue;
            found = true;
            orr_model_kind kind = w->models[w->services[0].model].experts > 0 ? ORR_MIXTURE : ORR_DENSE;
            if (w->calibrations[k].kind != ORR_ANY_MODEL && w->calibrations[k].kind != kind)
                m->points.items[i].skipped = "another kind of model";
            w->pools[0].calibration = k;
        }
    }
    if (!found)
        orr_problem(problems, (orr_where){m->data, 0, 0}, "no row `%s` in the catalogue of calibrations", row);
    return found;
}

static int validate(validate_arguments *a)
{
    orr_problems problems = {0};
    orr_measured *m = &a->measured;
    if (a->scenario > 0)
        return print_scenario(a, &problems);
    bool ok = orr_measured_load(m, &problems) && (a->calibration == NULL || use_one(m, a->calibration, &problems)) && orr_fit_simulate(&m->points, m->worlds, NULL, NULL, &problems) == ORR_OK;
    if (ok) {
        orr_measured_print_skipped(m);
        ok = orr_measured_any(m, &problems) && orr_measured_print_errors(m) && (a->output == NULL || write_points(&m->points, a->output, &problems));
    }
    orr_measured_destroy(m);
    if (orr_problems_any(&problems))
        return orr_cli_problems(&problems);
    return ok ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
}

int orr_cli_validate(int argc, char **argv)
{
    validate_arguments a = {.measured.limits = {.least_output = 128, .most_ttft_s = 20}};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    char *data = orr_measured_data(a.measured.data);
    if (data == NULL)
        return ORR_EXIT_BAD_INPUT;
    a.measured.data = data;
    int exit = validate(&a);
    free(data);
    return exit;
}
