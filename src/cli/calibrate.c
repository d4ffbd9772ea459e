/* orrery calibrate: coefficients of the roofline from one's own measurements. */
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/measured.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct calibrate_arguments {
    orr_measured measured;
    const char  *output, *model;
    uint32_t     folds;
} calibrate_arguments;

enum { KEY_MODEL = 1000, KEY_FOLDS };

static const struct argp_option options[] = {
    {"model", KEY_MODEL, "NAME", 0, "fit the points of this model only", 0},
    {"folds", KEY_FOLDS, "K", 0, "of the cross-validation (default 5; 0: none)", 0},
    {"output", 'o', "OUT.csv", 0, "put the row into this catalogue of calibrations, in the place of one for the same accelerator, engine and model; with a head if the file is new", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    calibrate_arguments *a = state->input;
    char *end;
    switch (key) {
    case 'o': a->output = text; return 0;
    case KEY_MODEL: a->model = text; return 0;
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->measured; return 0;
    case KEY_FOLDS: {
        unsigned long folds = strtoul(text, &end, 10);
        if (*end != 0 || folds == 1 || folds > 100)
            argp_error(state, "--folds: expected 0, or a number from 2 to 100, found `%s`", text);
        a->folds = (uint32_t)folds;
        return 0;
    }
    case ARGP_KEY_END:
        if (a->measured.accelerator == NULL)
            argp_error(state, "--accelerator is needed: what is being calibrated?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&orr_measured_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc = "Fits the coefficients of the serving model to measured points (columns as for `orrery validate`), says how far off it is on points that it has not seen, and writes a row "
           "for the catalogue of calibrations. `--accelerator '*'` fits one row to the points of all accelerators.",
};

/* Is the name of the catalogue, or the one that the table writes, meant? */
static bool named(const char *own, const char *given, const char *meant) { return orr_same_name(own, meant) || orr_same_name(given, meant); }

/* Which points are meant. */
static void choose(const calibrate_arguments *a)
{
    orr_points *points = (orr_points *)&a->measured.points;
    for (uint32_t i = 0; i < points->count; i++) {
        orr_point *p = &points->items[i];
        bool other = strcmp(a->measured.accelerator, "*") != 0 && !named(p->accelerator, p->given_accelerator, a->measured.accelerator);
        if (p->skipped == NULL && (other || (a->measured.engine != NULL && !orr_same_name(p->engine, a->measured.engine)) || (a->model != NULL && !named(p->model, p->given_model, a->model))))
            p->skipped = "another accelerator, engine or model";
    }
}

/* What the row is for: the narrowest that all its points share; of `--accelerator '*'` every engine and every model of a kind. */
typedef struct row_key {
    const char *accelerator, *engine, *model;
    int         rank; /* orr_calibration_rank */
} row_key;

static row_key key_of(const calibrate_arguments *a)
{
    row_key k = {"*", NULL, NULL, 0};
    bool dense = false, mixture = false, wide = strcmp(a->measured.accelerator, "*") == 0;
    for (uint32_t i = 0; i < a->measured.points.count; i++) {
        const orr_point *p = &a->measured.points.items[i];
        const orr_world *w = a->measured.worlds[i];
        if (w == NULL || p->skipped != NULL)
            continue;
        *(w->models[w->services[0].model].experts > 0 ? &mixture : &dense) = true;
        k.accelerator = wide ? "*" : p->accelerator;
        k.engine = *p->engine != 0 && (k.engine == NULL || strcmp(k.engine, p->engine) == 0) ? p->engine : "*";
        k.model = k.model == NULL || strcmp(k.model, p->model) == 0 ? p->model : "*";
    }
    if (k.engine == NULL || (wide && a->measured.engine == NULL))
        k.engine = "*";
    bool one = k.model != NULL && strcmp(k.model, "*") != 0 && !(wide && a->model == NULL);
    if (!one)
        k.model = dense && mixture ? "*" : dense ? "dense" : "moe";
    const orr_calibration row = {.accelerator = wide ? ORR_ANY : 0, .engine = strcmp(k.engine, "*") == 0 ? ORR_ANY : 0, .model = one ? 0 : ORR_ANY, .kind = one || dense == mixture ? ORR_ANY_MODEL : dense ? ORR_DENSE : ORR_MIXTURE};
    k.rank = orr_calibration_rank(&row);
    return k;
}

/* Rows of the catalogue that would count instead of the new one: narrower ones, and one of the same name. */
static void print_rivals(const calibrate_arguments *a, const row_key *key)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s/%s", key->accelerator, key->engine, key->model);
    for (uint32_t i = 0; i < a->measured.points.count; i++) {
        const orr_world *w = a->measured.worlds[i];
        if (w == NULL || a->measured.points.items[i].skipped != NULL)
            continue;
        const orr_calibration *now = &w->calibrations[w->pools[0].calibration];
        bool told = orr_calibration_rank(now) <= key->rank && strcmp(now->name, name) != 0;
        for (uint32_t k = 0; k < i && !told; k++)
            told = a->measured.worlds[k] != NULL && a->measured.points.items[k].skipped == NULL && strcmp(a->measured.worlds[k]->calibrations[a->measured.worlds[k]->pools[0].calibration].name, now->name) == 0;
        if (!told)
            printf("note: the catalogue's row %s %s; %s\n", now->name, strcmp(now->name, name) == 0 ? "is of the same name" : "is narrower and counts for some of these points",
                   strcmp(now->name, name) == 0 ? "with -o on that file it is replaced" : "take it out, or fit with --engine and --model");
    }
}

static void print_errors(const char *name, const orr_points *points)
{
    static const struct {
        orr_error_kind kind;
        const char    *name;
    } kinds[] = {{ORR_ERROR_TPOT, "TPOT"}, {ORR_ERROR_TTFT_LOW, "TTFT, 1-16 users"}, {ORR_ERROR_TTFT_HIGH, "TTFT, 17-128 users"}, {ORR_ERROR_RATE, "tokens per second"}};
    printf("%s:\n", name);
    for (int i = 0; i < 4; i++) {
        orr_errors e = orr_errors_of(points, NULL, kinds[i].kind);
        if (e.count > 0)
            printf("  %-18s %5.1f %% mean, %5.1f %% median, %5.1f %% 90th percentile, %+.1f %% bias, %u points\n", kinds[i].name, 100 * e.mean, 100 * e.median, 100 * e.p90, 100 * e.bias, e.count);
    }
}

static uint32_t used_points(const orr_measured *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->points.count; i++)
        count += m->points.items[i].skipped == NULL;
    return count;
}

/* Every fold is left out once and predicted from the others; the points then hold these predictions. */
static orr_status cross_validate(const calibrate_arguments *a, const orr_coefficients *start, orr_problems *problems)
{
    orr_points points = a->measured.points;
    bool *in = calloc(points.count + 1, sizeof *in);
    orr_status status = in == NULL ? ORR_NO_MEMORY : ORR_OK;
    double (*got)[3] = calloc(points.count + 1, sizeof *got);
    for (uint32_t fold = 0; fold < a->folds && status == ORR_OK && got != NULL; fold++) {
        orr_fit_result r;
        uint32_t number = 0;
        for (uint32_t i = 0; i < points.count; i++)
            in[i] = points.items[i].skipped != NULL || number++ % a->folds != fold;
        status = orr_fit(&r, &points, a->measured.worlds, in, start, problems);
        for (uint32_t i = 0; i < points.count; i++)
            in[i] = !in[i];
        if (status == ORR_OK)
            status = orr_fit_simulate(&points, a->measured.worlds, in, &r.coefficients, problems);
        for (uint32_t i = 0; i < points.count; i++)
            if (in[i]) {
                got[i][0] = points.items[i].got_ttft_s;
                got[i][1] = points.items[i].got_tpot_s;
                got[i][2] = points.items[i].got_rate;
            }
    }
    for (uint32_t i = 0; got != NULL && i < points.count; i++) {
        points.items[i].got_ttft_s = got[i][0];
        points.items[i].got_tpot_s = got[i][1];
        points.items[i].got_rate = got[i][2];
    }
    free(in);
    free(got);
    return status;
}

/* The row: coefficients, how they came about, and their ranges of two standard errors. */
static void print_row(FILE *out, const calibrate_arguments *a, const row_key *key, const orr_fit_result *r, const orr_errors *e, const orr_errors *unseen)
{
    const char *file = strrchr(a->measured.path, '/');
    bool first = true;
    time_t now = time(NULL);
    char date[16];
    strftime(date, sizeof date, "%Y-%m", gmtime(&now));
    orr_coefficients c = r->coefficients;
    fprintf(out, "%s,%s,%s", key->accelerator, key->engine, key->model);
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++)
        fprintf(out, ",%.4g", *orr_fit_value(&c, i) / orr_fit_coefficients[i].unit);
    fprintf(out, ",\"orrery calibrate: fit to %u points of %s", used_points(&a->measured), file != NULL ? file + 1 : a->measured.path);
    if (e->count > 0)
        fprintf(out, "; mean error of TPOT %.1f %%", 100 * e->mean);
    if (unseen->count > 0)
        fprintf(out, ", on unseen points %.1f %% (cross-validation)", 100 * unseen->mean);
    fprintf(out, "\",%s,measured,", date);
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++) {
        double value = *orr_fit_value(&c, i) / orr_fit_coefficients[i].unit, spread = 2 * r->error[i], high = value + spread;
        if (isnan(spread) || spread < 1e-3 * value)
            continue;
        fprintf(out, "%s%s=%.4g..%.4g", first ? "" : ";", orr_fit_coefficients[i].column, fmax(0, value - spread), orr_fit_coefficients[i].share ? fmin(1, high) : high);
        first = false;
    }
    fprintf(out, "\n");
}

static void print_head(FILE *out)
{
    fprintf(out, "accelerator,engine,model");
    for (int i = 0; i < ORR_FIT_COEFFICIENTS; i++)
        fprintf(out, ",%s", orr_fit_coefficients[i].column);
    fprintf(out, ",source,as_of,confidence,range\n");
}

/* Does a line of a catalogue begin with the key's three cells? */
static bool is_of(const char *line, const row_key *key)
{
    char start[512];
    int n = snprintf(start, sizeof start, "%s,%s,%s,", key->accelerator, key->engine, key->model);
    return strncmp(line, start, (size_t)n) == 0;
}

/* Into the catalogue `a->output`: in the place of the row of that name, or at the end; a new file gets a head. Never half written. */
static bool put_row(const calibrate_arguments *a, const row_key *key, const orr_fit_result *r, const orr_errors *e, const orr_errors *unseen, orr_problems *problems)
{
    char *made, *line = NULL;
    size_t size = 0;
    if (asprintf(&made, "%s.new", a->output) < 0)
        return false;
    FILE *old = fopen(a->output, "r"), *out = fopen(made, "w");
    bool placed = false, empty = true, ok = out != NULL;
    for (ssize_t n; ok && old != NULL && (n = getline(&line, &size, old)) > 0; empty = false) {
        bool same = is_of(line, key);
        if (same && !placed)
            print_row(out, a, key, r, e, unseen);
        if (!same)
            fprintf(out, "%s%s", line, line[n - 1] == '\n' ? "" : "\n");
        placed |= same;
    }
    if (ok && empty)
        print_head(out);
    if (ok && !placed)
        print_row(out, a, key, r, e, unseen);
    ok = (out == NULL || fclose(out) == 0) && ok && rename(made, a->output) == 0;
    if (!ok)
        orr_problem(problems, (orr_where){a->output, 0, 0}, "cannot be written: %s", strerror(errno));
    if (old != NULL)
        fclose(old);
    free(line);
    free(made);
    return ok;
}

/* What the catalogue says now, to start from. */
static const orr_coefficients *start_of(const orr_measured *m)
{
    for (uint32_t i = 0; i < m->points.count; i++)
        if (m->worlds[i] != NULL && m->points.items[i].skipped == NULL)
            return &m->worlds[i]->calibrations[m->worlds[i]->pools[0].calibration].coefficients;
    return NULL;
}

static orr_status calibrate(calibrate_arguments *a, orr_problems *problems)
{
    orr_measured *m = &a->measured;
    if (!orr_measured_load(m, problems))
        return ORR_BAD_INPUT;
    choose(a);
    orr_measured_print_skipped(m);
    const orr_coefficients *catalogue = start_of(m);
    if (catalogue == NULL) {
        orr_problem(problems, (orr_where){m->path, 0, 0}, "no point is left to fit");
        return ORR_BAD_INPUT;
    }
    const orr_coefficients start = *catalogue;
    orr_fit_result r;
    orr_errors unseen = {0};
    orr_status status = orr_fit_simulate(&m->points, m->worlds, NULL, &start, problems);
    if (status != ORR_OK)
        return status;
    print_errors("With the catalogue's coefficients", &m->points);
    uint32_t used = used_points(m), largest = a->folds > 0 ? (used + a->folds - 1) / a->folds : 0;
    if (a->folds > 0 && used < 3 + largest) {
        printf("No cross-validation: %u folds of %u points leave fewer than 3 to fit.\n", a->folds, used);
    } else if (a->folds > 0) {
        status = cross_validate(a, &start, problems);
        if (status != ORR_OK)
            return status;
        unseen = orr_errors_of(&m->points, NULL, ORR_ERROR_TPOT);
        print_errors("Predicted, each point from a fit to others (cross-validation)", &m->points);
    }
    status = orr_fit(&r, &m->points, m->worlds, NULL, &start, problems);
    if (status != ORR_OK)
        return status;
    orr_errors e = orr_errors_of(&m->points, NULL, ORR_ERROR_TPOT);
    print_errors("Fitted", &m->points);
    if (!orr_measured_print_errors(m))
        return ORR_NO_MEMORY;
    printf("\n");
    const row_key key = key_of(a);
    print_rivals(a, &key);
    print_head(stdout);
    print_row(stdout, a, &key, &r, &e, &unseen);
    return a->output == NULL || put_row(a, &key, &r, &e, &unseen, problems) ? ORR_OK : ORR_IO;
}

int orr_cli_calibrate(int argc, char **argv)
{
    calibrate_arguments a = {.measured.limits = {.least_output = 128, .most_ttft_s = 20}, .folds = 5};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    char *data = orr_measured_data(a.measured.data);
    if (data == NULL)
        return ORR_EXIT_BAD_INPUT;
    a.measured.data = data;
    orr_problems problems = {0};
    orr_status status = calibrate(&a, &problems);
    orr_measured_destroy(&a.measured);
    free(data);
    if (orr_problems_any(&problems))
        return orr_cli_problems(&problems);
    return status == ORR_OK ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
}
