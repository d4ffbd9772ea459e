/* orrery compare: policies against a baseline, as a table and as a page; of a study, the cell in its focus. */
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/pages.h"
#include "cli/study_input.h"
#include "trace/page.h"
#include "trace/report_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct compare_arguments {
    const char **runs; /* borrowed from argv */
    size_t       count;
    const char  *output, *baseline;
    double       level;
    bool         json;
} compare_arguments;

enum { KEY_BASELINE = 1000, KEY_LEVEL, KEY_JSON };

static const struct argp_option options[] = {
    {"output", 'o', "OUT.html", 0, "the page (default: compare.html, of a study study.html in its folder; `-`: none)", 0},
    {"baseline", KEY_BASELINE, "NAME", 0, "policy that the others are compared with (default: that of the first run, or the study's)", 0},
    {"level", KEY_LEVEL, "LEVEL", 0, "of the intervals and tests (default: 0.95, or the study's)", 0},
    {"json", KEY_JSON, NULL, 0, "the comparison as JSON instead of the table", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    compare_arguments *a = state->input;
    char *end;
    switch (key) {
    case 'o': a->output = text; return 0;
    case KEY_BASELINE: a->baseline = text; return 0;
    case KEY_LEVEL:
        a->level = strtod(text, &end);
        if (*text == 0 || *end != 0 || !(a->level >= 0.5 && a->level <= 0.9999))
            argp_error(state, "--level: expected a number from 0.5 to 0.9999, found `%s`", text);
        return 0;
    case KEY_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG: a->runs[a->count++] = text; return 0;
    case ARGP_KEY_END:
        if (a->count == 0)
            argp_error(state, "which RUN.h5..., or which STUDY?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* --- the table --- */

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* How a metric's numbers are printed: in a unit that gives short ones. */
typedef struct printed_unit {
    const char *name;
    double      factor;
} printed_unit;

static printed_unit unit_for(const char *unit, double largest)
{
    if (strcmp(unit, "ratio") == 0)
        return (printed_unit){"%", 100};
    if (strcmp(unit, "s") == 0 && largest < 1)
        return (printed_unit){"ms", 1000};
    return (printed_unit){unit, 1};
}

/* Digits after the point so that `step` shows two of its own; at most five in all before the point counts. */
static int digits_for(double value, double step)
{
    double size = step > 0 ? step : fabs(value) > 0 ? fabs(value) / 1000 : 1;
    int digits = 1 - (int)floor(log10(size));
    return digits < 0 ? 0 : digits > 6 ? 6 : digits;
}

/* A word or two; of what was not tested the reason, in `reason`. */
static const char *verdict(const cJSON *row, const char *better, char reason[64])
{
    static const char untested[] = "not tested: ";
    double difference = number_of(row, "difference");
    const char *text = text_of(row, "text");
    if (strncmp(text, untested, sizeof untested - 1) == 0) {
        text += sizeof untested - 1;
        snprintf(reason, 64, "%.*s", (int)strcspn(text, ";"), text);
        return reason;
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "significant")))
        return number_of(row, "difference_low") == 0 && number_of(row, "difference_high") == 0 ? "no difference" : "not significant";
    if (*better == 0)
        return difference > 0 ? "higher" : "lower";
    return (difference > 0) == (strcmp(better, "higher") == 0) ? "better" : "worse";
}

static void print_row(const cJSON *row, bool baseline, const char *better, printed_unit unit)
{
    char mean[64] = "-", half[32] = "", difference[32] = "", interval[64] = "", reason[64];
    double value = number_of(row, "mean") * unit.factor, around = (number_of(row, "high") - number_of(row, "low")) / 2 * unit.factor;
    double change = number_of(row, "difference") * unit.factor, low = number_of(row, "difference_low") * unit.factor, high = number_of(row, "difference_high") * unit.factor;
    int digits = digits_for(value, around);
    if (!isnan(value))
        snprintf(mean, sizeof mean, "%.*f", digits, value);
    if (!isnan(around))
        snprintf(half, sizeof half, "± %.*f", around > 0 ? digits : 0, around);
    if (!baseline) {
        digits = digits_for(change, (high - low) / 2);
        if (!isnan(change))
            snprintf(difference, sizeof difference, "%+.*f", digits, change);
        if (!isnan(low))
            snprintf(interval, sizeof interval, "%+.*f to %+.*f", digits, low, digits, high);
    }
    printf("  %-22s %10s %-*s", text_of(row, "policy"), mean, 11 + (*half != 0), half); /* "±" is two bytes and one column */
    if (baseline)
        printf(" %34s %s%s\n", "", "baseline", number_of(row, "growing") > 0 ? "; queues grow" : "");
    else
        printf(" %11s  %-21s %s\n", difference, interval, verdict(row, better, reason));
}

static void print_metric(const cJSON *comparison, const cJSON *metric)
{
    const char *key = text_of(metric, "key"), *better = text_of(metric, "better");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(comparison, "rows"), *row;
    double largest = 0;
    cJSON_ArrayForEach(row, rows)
        if (strcmp(text_of(row, "metric"), key) == 0)
            largest = fmax(largest, fabs(number_of(row, "mean")));
    printed_unit unit = unit_for(text_of(metric, "unit"), largest);
    bool dimensionless = *unit.name == 0 || strcmp(unit.name, "requests") == 0; /* the title says what is counted */
    printf("%s%s%s%s%s%s\n", text_of(metric, "title"), dimensionless ? "" : ", ", dimensionless ? "" : unit.name, *better ? " (" : "", better, *better ? " is better)" : "");
    cJSON_ArrayForEach(row, rows)
        if (strcmp(text_of(row, "metric"), key) == 0)
            print_row(row, strcmp(text_of(row, "policy"), text_of(comparison, "baseline")) == 0, better, unit);
}

/* Which cell of a study the table is of. */
static void print_place(const cJSON *study)
{
    const cJSON *axis, *index = cJSON_GetObjectItemCaseSensitive(study, "focus"), *at = index == NULL ? NULL : index->child;
    size_t cells = 1;
    cJSON_ArrayForEach(axis, cJSON_GetObjectItemCaseSensitive(study, "axes")) {
        const cJSON *values = cJSON_GetObjectItemCaseSensitive(axis, "values"), *value = cJSON_GetArrayItem(values, at->valueint);
        printf("%s%s %s", cells++ == 1 ? "At " : ", ", text_of(axis, "name"), cJSON_IsString(value) ? value->valuestring : "");
        at = at->next;
    }
    if (cells > 1)
        printf(" (the cell in focus; the page shows all)\n");
}

/* Runs too coarse to tell whether their queues grow, over all policies. */
static double unjudged_runs(const cJSON *comparison)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(comparison, "rows"), *first = cJSON_GetArrayItem(rows, 0);
    double runs = 0;
    cJSON_ArrayForEach(row, rows)
        if (strcmp(text_of(row, "metric"), text_of(first, "metric")) == 0)
            runs += number_of(row, "unjudged");
    return runs;
}

static void print_table(const cJSON *comparison)
{
    const cJSON *metric;
    double percent = 100 * number_of(comparison, "level");
    printf("Means with %.4g %% intervals; differences to %s, seed by seed, with theirs\n\n", percent, text_of(comparison, "baseline"));
    cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(comparison, "metrics"))
        print_metric(comparison, metric);
    putchar('\n');
    if (unjudged_runs(comparison) > 0)
        orr_print_wrapped("Whether queues grow is not known: the runs have too few bins (output.bin) to tell. If they do, these are means of the duration.", 0, 100);
    orr_print_wrapped(text_of(comparison, "method"), 0, 100);
}

static orr_status print_json(const cJSON *comparison)
{
    char *text = cJSON_Print(comparison);
    if (text == NULL)
        return ORR_NO_MEMORY;
    puts(text);
    cJSON_free(text);
    return ORR_OK;
}

int orr_cli_compare(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "RUN.h5...|STUDY", "Compares policies over runs of one scenario, seed by seed: a table, and a page. Of a study (its file or its folder) the table is that of the cell in focus, and the page shows all.", NULL, NULL, NULL};
    compare_arguments a = {.level = NAN, .runs = calloc((size_t)argc + 1, sizeof *a.runs)};
    orr_problems problems = {0};
    if (a.runs == NULL)
        return ORR_EXIT_FAILED;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    const orr_report_options report = {.compare = true, .baseline = a.baseline, .level = isnan(a.level) ? 0.95 : a.level};
    char *page = NULL;
    bool study = a.count == 1 && orr_cli_is_study(a.runs[0]);
    cJSON *data = study ? orr_cli_study_data(a.runs[0], a.baseline, a.level, &page, &problems) : orr_report_data(a.runs, a.count, &report, &problems);
    const char *output = a.output != NULL ? a.output : study && page != NULL ? page : "compare.html";
    orr_status status = data == NULL ? ORR_BAD_INPUT : ORR_OK;
    if (data != NULL) {
        const cJSON *comparison = cJSON_GetObjectItemCaseSensitive(data, "comparison");
        orr_cli_warn_of_partial_runs(data);
        if (!a.json) {
            print_place(cJSON_GetObjectItemCaseSensitive(data, "study"));
            print_table(comparison);
        } else {
            status = print_json(comparison);
        }
    }
    if (status == ORR_OK && strcmp(output, "-") != 0) {
        status = orr_page_write(output, data, &problems);
        if (status == ORR_OK)
            fprintf(a.json ? stderr : stdout, "%s%s\n", a.json ? "" : "\n", output); /* --json keeps stdout for the JSON alone */
    }
    int exit_status = status == ORR_OK ? ORR_EXIT_DONE : orr_cli_failure(status, &problems);
    cJSON_Delete(data);
    free(page);
    free(a.runs);
    return exit_status;
}
