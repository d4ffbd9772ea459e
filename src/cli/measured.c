#include "cli/measured.h"

#include "base/share.h"
#include "cli/columns.h"
#include "measure/closed_loop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ACCELERATOR = 2000, KEY_ENGINE, KEY_DATA };

static error_t parse(int key, char *text, struct argp_state *state)
{
    orr_measured *m = state->input;
    switch (key) {
    case KEY_ACCELERATOR: m->accelerator = text; return 0;
    case KEY_ENGINE: m->engine = text; return 0;
    case KEY_DATA: m->data = text; return 0;
    case ARGP_KEY_ARG:
        if (m->path != NULL)
            argp_error(state, "one table at a time");
        m->path = text;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "expected a table of measured points (CSV)"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"accelerator", KEY_ACCELERATOR, "NAME", 0, "of the catalogue, where the table has none or one that the catalogue does not know; `calibrate` fits the points of this one", 0},
    {"engine", KEY_ENGINE, "NAME", 0, "of the catalogue, where the table has none or one that the catalogue does not know; `calibrate` fits the points of this one", 0},
    {"data", KEY_DATA, "FOLDER", 0, "folder of the catalogues (default: those that come with the program)", 0},
    {0},
};

const struct argp orr_measured_argp = {.options = options, .parser = parse, .args_doc = "POINTS.csv"};

char *orr_measured_data(const char *data)
{
    char *shared = data == NULL ? orr_share_path("data") : NULL, *path = realpath(data != NULL ? data : shared != NULL ? shared : "", NULL);
    if (path == NULL)
        fprintf(stderr, "%s: error: no such folder of catalogues\n", data != NULL ? data : shared != NULL ? shared : "data");
    free(shared);
    return path;
}

bool orr_measured_load(orr_measured *m, orr_problems *problems)
{
    if (!orr_points_load(&m->points, m->path, m->data, m->accelerator, m->engine, &m->limits, problems))
        return false;
    m->worlds = calloc(m->points.count + 1, sizeof *m->worlds);
    for (uint32_t i = 0; m->worlds != NULL && i < m->points.count; i++)
        if (m->points.items[i].skipped == NULL && !orr_problems_any(problems))
            m->worlds[i] = orr_closed_loop_world(&m->points.items[i], m->data, problems);
    return m->worlds != NULL && !orr_problems_any(problems);
}

void orr_measured_destroy(orr_measured *m)
{
    for (uint32_t i = 0; m->worlds != NULL && i < m->points.count; i++)
        orr_world_destroy(m->worlds[i]);
    free(m->worlds);
    orr_points_destroy(&m->points);
}

/* Names that the catalogue writes in another way, each once: a reader should see what was taken for what. */
static void print_readings(const orr_points *points)
{
    for (int field = 0; field < 2; field++)
        for (uint32_t i = 0; i < points->count; i++) {
            const orr_point *p = &points->items[i];
            const char *given = field == 0 ? p->given_accelerator : p->given_model, *read = field == 0 ? p->accelerator : p->model;
            bool told = *read == 0 || orr_same_name(given, read);
            for (uint32_t k = 0; k < i && !told; k++)
                told = strcmp(given, field == 0 ? points->items[k].given_accelerator : points->items[k].given_model) == 0;
            if (!told)
                printf("  `%s` is read as %s\n", given, read);
        }
}

void orr_measured_print_skipped(const orr_measured *m)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->points.count; i++)
        kept += m->points.items[i].skipped == NULL;
    printf("%u of %u points count\n", kept, m->points.count);
    for (uint32_t i = 0; i < m->points.count; i++) {
        const char *why = m->points.items[i].skipped;
        uint32_t times = 0;
        bool told = why == NULL;
        for (uint32_t k = 0; k < m->points.count && !told; k++) {
            const char *other = m->points.items[k].skipped;
            bool same = other != NULL && strcmp(other, why) == 0;
            told = same && k < i;
            times += same;
        }
        if (told)
            continue;
        printf("  %u left out: %s", times, why);
        if (m->points.items[i].reason != NULL)
            printf(" (line %u: `%s`)", (unsigned)m->points.items[i].where.line, m->points.items[i].reason);
        putchar('\n');
    }
    print_readings(&m->points);
}

bool orr_measured_any(const orr_measured *m, orr_problems *problems)
{
    for (uint32_t i = 0; i < m->points.count; i++)
        if (m->points.items[i].skipped == NULL)
            return true;
    orr_problem(problems, (orr_where){m->path, 0, 0}, "no point is left to compare");
    return false;
}

static bool same_kind(const orr_point *a, const orr_point *b) { return strcmp(a->accelerator, b->accelerator) == 0 && strcmp(a->engine, b->engine) == 0 && strcmp(a->model, b->model) == 0; }

static uint32_t count_of(const orr_points *points, const bool *in)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < points->count; i++)
        count += (in == NULL || in[i]) && points->items[i].skipped == NULL;
    return count;
}

static void add_errors(orr_columns *c, const orr_points *points, const bool *in)
{
    const orr_errors tpot = orr_errors_of(points, in, ORR_ERROR_TPOT), low = orr_errors_of(points, in, ORR_ERROR_TTFT_LOW), high = orr_errors_of(points, in, ORR_ERROR_TTFT_HIGH),
                     rate = orr_errors_of(points, in, ORR_ERROR_RATE);
    const double shown[] = {tpot.mean, tpot.median, tpot.p90, tpot.bias, low.mean, high.mean, rate.mean, rate.p90, rate.bias};
    orr_columns_add(c, "%u", count_of(points, in));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (isnan(shown[i]))
            orr_columns_add(c, "-");
        else
            orr_columns_add(c, i == 3 || i == 8 ? "%+.1f" : "%.1f", 100 * shown[i]);
}

bool orr_measured_print_errors(const orr_measured *m)
{
    static const char *const titles[] = {"accelerator", "engine", "model", "points", "TPOT mean %", "median %", "p90 %", "bias %", "TTFT 1-16 %", "TTFT 17-128 %", "tokens/s mean %", "p90 %", "bias %"};
    orr_columns c;
    bool *in = calloc(m->points.count + 1, sizeof *in), *told = calloc(m->points.count + 1, sizeof *told);
    orr_columns_init(&c, sizeof titles / sizeof *titles);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        orr_columns_add(&c, "%s", titles[i]);
    for (uint32_t i = 0; in != NULL && told != NULL && i < m->points.count; i++) {
        const orr_point *p = &m->points.items[i];
        if (told[i] || p->skipped != NULL)
            continue;
        for (uint32_t k = 0; k < m->points.count; k++) {
            in[k] = same_kind(p, &m->points.items[k]);
            told[k] |= in[k];
        }
        orr_columns_add(&c, "%s", p->accelerator);
        orr_columns_add(&c, "%s", *p->engine ? p->engine : "-");
        orr_columns_add(&c, "%s", p->model);
        add_errors(&c, &m->points, in);
    }
    orr_columns_add(&c, "all");
    orr_columns_add(&c, " ");
    orr_columns_add(&c, " ");
    add_errors(&c, &m->points, NULL);
    bool ok = in != NULL && told != NULL;
    free(in);
    free(told);
    return orr_columns_print(&c, "lllr", NULL, NULL) && ok;
}
