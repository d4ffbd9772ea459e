#include "measure/closed_loop.h"

#include "base/histogram.h"
#include "base/time.h"
#include "trace/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t at_least_one(double tokens) { return tokens < 1 ? 1 : (uint32_t)lround(tokens); }

static void print_lengths(FILE *out, const char *name, uint32_t most, double spread)
{
    if (spread < 1)
        fprintf(out, "    %s: {law: uniform, low: %u, high: %u}\n", name, at_least_one(most * spread), most);
    else
        fprintf(out, "    %s: {law: constant, mean: %u}\n", name, most);
}

static void print_pool(FILE *out, const orr_point *p, const char *id, uint32_t replicas, uint32_t max_batch, const char *more)
{
    fprintf(out, "  - {id: %s, site: bench, service: model, accelerator: %s, engine: \"%s\", group: %u, data_parallel: %u, replicas: %u, max_batch: %u, precision: %s,\n     kv_precision: %s, token_budget: %u, prefix_cache: off",
            id, p->accelerator, p->engine, p->group, p->data_parallel, replicas, max_batch, p->precision, p->kv_precision, p->token_budget);
    if (p->drafts > 0)
        fprintf(out, ", speculation: {drafts: %u, acceptance: %g}", p->drafts, p->acceptance);
    fprintf(out, "%s}\n", more);
}

char *orr_closed_loop_text(const orr_point *p, const char *data)
{
    static const char *const catalogues[] = {"accelerators", "engines", "calibrations", "software", "models", "prices"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fprintf(out, "name: %s on %u x %s, %u users\nduration: never\ncatalogues:\n", p->model, p->group, p->accelerator, p->concurrency);
    for (size_t i = 0; i < sizeof catalogues / sizeof *catalogues; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s.csv", data, catalogues[i]);
        if (access(file, R_OK) == 0 || strcmp(catalogues[i], "software") != 0) /* without that one everything runs everywhere */
            fprintf(out, "  %s: %s\n", catalogues[i], file);
    }
    fprintf(out, "network: {hop_delay: 0, end_delay: 0}\nsites:\n  - {id: bench, kind: hub}\nservices:\n  - {name: model, kind: llm, model: %s}\npools:\n", p->model);
    print_pool(out, p, "replica", 1, p->max_batch, "");
    if (p->phase == ORR_PHASE_DECODE) /* an instance for every prompt, and no time to carry the cache over: what remains is decoding */
        print_pool(out, p, "prompts", p->concurrency, 1, ", hand_over: {to: replica, bandwidth: 1000000 Tbit/s}");
    fprintf(out, "clients:\n  - class: users\n    service: model\n    users: %u\n    requests: %llu\n    where: [{site: bench}]\n", p->concurrency, (unsigned long long)p->rounds * p->concurrency);
    print_lengths(out, "input", p->input, p->spread);
    print_lengths(out, "output", p->output, p->spread);
    fprintf(out, "brain: {telemetry: {period: never}}\npolicy: {name: nearest}\noutput: {sample: 0, bin: 10 d, latency_bin: 10 d}\n");
    return fclose(out) == 0 ? text : NULL;
}

static bool write_all(int file, const char *text)
{
    size_t length = strlen(text);
    return write(file, text, length) == (ssize_t)length;
}

orr_world *orr_closed_loop_world(orr_point *p, const char *data, orr_problems *problems)
{
    char path[] = "/tmp/orrery-point-XXXXXX";
    char *text = orr_closed_loop_text(p, data);
    int file = text == NULL ? -1 : mkstemp(path);
    orr_problems own = {0};
    orr_world *w = NULL;
    if (file < 0 || !write_all(file, text)) {
        orr_problem(problems, p->where, "the scenario of this point cannot be written to /tmp");
    } else {
        w = orr_world_load(path, NULL, 0, &own);
        /* A model or a prompt that does not fit is no mistake of the table; anything else is. */
        const char *message = own.count > 0 ? strstr(own.text[0], "error: ") : NULL;
        if (w == NULL && own.count == 1 && strstr(own.text[0], "has no capacity") != NULL)
            p->skipped = "the weights do not fit";
        else if (w == NULL && own.count == 1 && strstr(own.text[0], "does not run") != NULL)
            p->skipped = "the software matrix says no";
        else if (w == NULL && own.count > 0 && strstr(own.text[0], "has a context of") != NULL)
            p->skipped = "longer than the model's context";
        else if (w == NULL && own.count > 0)
            orr_problem(problems, p->where, "%s", message != NULL ? message + strlen("error: ") : own.text[0]); /* its file is made up */
    }
    bool burst = p->rounds == 1 && !p->batch && p->phase == ORR_PHASE_BOTH; /* its queue was measured too */
    if (w != NULL && !burst && p->phase != ORR_PHASE_PREFILL && fmin(p->concurrency, p->max_batch) * (p->input + 0.5 * p->output) * (1 + p->spread) / 2 > (double)w->pools[0].kv_tokens) {
        p->skipped = "the load does not fit into the cache";
        orr_world_destroy(w);
        w = NULL;
    }
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    orr_problems_clear(&own);
    free(text);
    return w;
}

orr_status orr_closed_loop_run(orr_point *p, const orr_world *world, orr_problems *problems)
{
    orr_grid grid;
    orr_run_result result;
    orr_status status = orr_grid_create(&grid, world, &(orr_grid_options){0}, problems);
    if (status != ORR_OK)
        return status;
    status = orr_run_grid(&grid, NULL, 0, &(orr_run_options){0}, &result, problems);
    const orr_cohort_state *k = orr_array_at(&grid.sites[world->cohorts[0].site].cohorts, 0);
    double ttft = orr_histogram_mean(&k->latency[ORR_METRIC_TTFT]) / ORR_SECOND, tpot = orr_histogram_mean(&k->latency[ORR_METRIC_TPOT]) / ORR_SECOND;
    double output = p->output * (1 + p->spread) / 2;
    /* Of an engine that sends several tokens at a time the client sees the first when it has the last of them. */
    p->got_ttft_s = p->stream > 1 ? ttft + (p->stream - 1) * tpot : ttft;
    p->got_tpot_s = output > p->stream ? tpot * (output - p->stream) / (output - 1) : tpot;
    uint64_t requests = (uint64_t)p->rounds * p->concurrency;
    double tokens = p->phase == ORR_PHASE_PREFILL ? (double)requests * p->input * (1 + p->spread) / 2 : (double)k->counts.tokens[ORR_OUTPUT];
    /* Where prompts are processed elsewhere, the rate is that of a full batch. */
    p->got_rate = p->phase == ORR_PHASE_DECODE ? p->concurrency / p->got_tpot_s : tokens * ORR_SECOND / (double)grid.sites[world->cohorts[0].site].last_end_ns;
    orr_grid_destroy(&grid);
    return status;
}
