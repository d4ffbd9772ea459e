/* orrery summary */
#include "cli/cli.h"
#include "trace/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct summary_arguments {
    const char *path;
    bool        json;
} summary_arguments;

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "as JSON, all groups included", 0}, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    summary_arguments *a = state->input;
    switch (key) {
    case 'j': a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->path != NULL)
            argp_error(state, "one file at a time");
        a->path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->path == NULL)
            argp_error(state, "which RUN.h5?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Rows of the plain table: what to call it, where it is, unit, factor. */
static const struct {
    const char *title, *path, *unit;
    double      factor;
    int         digits;
} rows[] = {
    {"requests offered", "requests.offered", "", 1, 0},
    {"  served", "requests.served", "", 1, 0},
    {"  refused", "requests.refused", "", 1, 0},
    {"  abandoned", "requests.abandoned", "", 1, 0},
    {"  failed", "requests.failed", "", 1, 0},
    {"  in flight at the end", "requests.in_flight", "", 1, 0},
    {"retries", "requests.retries", "", 1, 0},
    {"within their SLO", "slo_attainment", "%", 100, 2},
    {"goodput", "goodput_per_s", "/s", 1, 2},
    {"time to first token, mean", "latency.ttft.mean", "s", 1, 3},
    {"  p50", "latency.ttft.p50", "s", 1, 3},
    {"  p99", "latency.ttft.p99", "s", 1, 3},
    {"time per output token, mean", "latency.tpot.mean", "ms", 1000, 2},
    {"between two tokens, mean", "latency.itl.mean", "ms", 1000, 2},
    {"  p50", "latency.itl.p50", "ms", 1000, 2},
    {"  p90", "latency.itl.p90", "ms", 1000, 2},
    {"  p99", "latency.itl.p99", "ms", 1000, 2},
    {"end to end, mean", "latency.e2e.mean", "s", 1, 3},
    {"  p50", "latency.e2e.p50", "s", 1, 3},
    {"  p99", "latency.e2e.p99", "s", 1, 3},
    {"tokens: input", "tokens.input", "M", 1e-6, 3},
    {"  cached input", "tokens.cached_input", "M", 1e-6, 3},
    {"  output", "tokens.output", "M", 1e-6, 3},
    {"  cached share of input", "tokens.cached_share", "%", 100, 2},
    {"clients pay", "cost.total_yuan", "yuan", 1, 2},
    {"  per million tokens", "cost.per_million_tokens_yuan", "yuan", 1, 4},
    {"cost of serving, rent and electricity", "provider.total_yuan", "yuan", 1, 2},
    {"  per million tokens", "provider.per_million_tokens.total_yuan", "yuan", 1, 4},
    {"places on accelerators taken", "utilisation.accelerators", "%", 100, 2},
    {"  in the busiest hour", "busy_hour.utilisation", "%", 100, 2},
    {"mean decode batch", "batch.mean", "", 1, 2},
    {"  in the busiest hour", "busy_hour.batch_mean", "", 1, 2},
    {"links in use", "utilisation.links", "%", 100, 6},
    {"energy", "energy.kwh", "kWh", 1, 1},
    {"  per million tokens", "energy.per_million_tokens_kwh", "kWh", 1, 4},
    {"  over that of the servers (PUE)", "energy.pue", "", 1, 3},
    {"carbon", "carbon.kg", "kg", 1, 1},
    {"  per million tokens", "carbon.per_million_tokens_g", "g", 1, 2},
    {"electricity", "electricity.yuan", "yuan", 1, 2},
    {"  per million tokens", "electricity.per_million_tokens_yuan", "yuan", 1, 4},
    {"audit: checks", "audit.checks", "", 1, 0},
    {"  failed", "audit.failed", "", 1, 0},
    {"wall time", "speed.wall_s", "s", 1, 2},
    {"requests per second of wall time", "speed.requests_per_s", "/s", 1, 0},
    {"peak memory", "speed.peak_rss_bytes", "MB", 1e-6, 1},
};

static void print_unmeasured(const cJSON *summary)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(summary, "unmeasured");
    cJSON_ArrayForEach(item, list)
        printf("%s%s", item == list->child ? "note: nothing was measured of such models on " : ", ", item->valuestring);
    if (cJSON_GetArraySize(list) > 0)
        printf(": their speed is assumed, within wide ranges\n");
}

static void print_table(const cJSON *summary)
{
    printf("policy %s, seed %.0f, %s\n", cJSON_GetObjectItem(summary, "policy")->valuestring, orr_summary_number(summary, "seed"),
           cJSON_GetObjectItem(summary, "status")->valuestring);
    const cJSON *saturation = cJSON_GetObjectItem(summary, "saturation");
    printf("%s: %s\n", cJSON_GetObjectItem(saturation, "verdict")->valuestring, cJSON_GetObjectItem(saturation, "text")->valuestring);
    print_unmeasured(summary);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = orr_summary_number(summary, rows[i].path) * rows[i].factor;
        if (isnan(value))
            printf("%-34s %14s\n", rows[i].title, "-");
        else
            printf("%-34s %14.*f %s\n", rows[i].title, rows[i].digits, value, rows[i].unit);
    }
}

int orr_cli_summary(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "RUN.h5", "Prints the numbers of a run.", NULL, NULL, NULL};
    summary_arguments a = {0};
    orr_problems problems = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    hid_t file = orr_result_open(a.path, &problems);
    cJSON *summary = file < 0 ? NULL : orr_summary(file, a.path, &problems);
    if (file >= 0)
        H5Fclose(file);
    if (summary == NULL)
        return orr_cli_problems(&problems);
    if (orr_summary_number(summary, "audit.checks") == 0)
        fprintf(stderr, "%s: warning: the run was killed before its end; its totals were never written, only time series, rows and histograms up to then\n", a.path);
    if (a.json) {
        char *text = cJSON_Print(summary);
        if (text != NULL)
            puts(text);
        free(text);
    } else {
        print_table(summary);
    }
    cJSON_Delete(summary);
    return ORR_EXIT_DONE;
}
