/*
 * The serving model alone: llm replicas under Poisson arrivals, without a grid around them. Llama-3.1-70B in 8 bits on four H100 (the catalogue's
 * coefficients), prompts and answers lognormal; loaded to about three quarters of what it can do. Prints requests, iterations and calls per second of wall time.
 */
#include "base/random.h"
#include "base/share.h"
#include "base/time.h"
#include "measure/closed_loop.h"
#include "serve/llm.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_INSTANCES = 1000, BATCH = 64 };

typedef struct stand {
    orr_llm_kind  kind;
    orr_llm      *llm;
    uint32_t      instances, free_job, free_node;
    orr_array     jobs, heaps, events, spans, nodes, shortcuts;
    orr_map       by_key;
    orr_llm_site  site;
    orr_random    stream;
    gsl_rng       rng;
    uint64_t      calls, done;
} stand;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void open_stand(stand *s, const orr_roofline *roofline, uint32_t instances, int64_t kv_tokens)
{
    *s = (stand){.instances = instances, .kind = {.roofline = *roofline, .max_batch = BATCH, .token_budget = 8192, .classes = 1, .block = 16, .keeps_prefixes = true, .blocks = kv_tokens / 16,
                                                  .reserve = kv_tokens / 1600}};
    orr_array_init(&s->jobs, sizeof(orr_job));
    orr_array_init(&s->heaps, sizeof(orr_llm_entry));
    orr_array_init(&s->events, sizeof(orr_job_event));
    orr_array_init(&s->spans, sizeof(orr_llm_span));
    orr_array_init(&s->nodes, sizeof(orr_prefix_node));
    orr_array_init(&s->shortcuts, sizeof(uint32_t));
    orr_map_init(&s->by_key);
    s->site = (orr_llm_site){&s->jobs, &s->heaps, &s->events, &s->spans, {&s->nodes, &s->by_key, &s->shortcuts, &s->free_node}, NULL};
    s->llm = calloc(instances, sizeof *s->llm);
    if (s->llm == NULL || !orr_array_extend(&s->heaps, (size_t)instances * BATCH) || !orr_array_extend(&s->shortcuts, instances))
        abort();
    for (uint32_t i = 0; i < instances; i++) {
        orr_llm_start(&s->llm[i], i + 1);
        s->llm[i].number = i;
        s->llm[i].heap = i * BATCH;
        s->llm[i].shortcuts = i;
    }
    orr_random_at(&s->stream, 1, ORR_STREAM_TEST, 1, instances);
    orr_random_gsl(&s->rng, &s->stream);
}

static void close_stand(stand *s)
{
    orr_array *const arrays[] = {&s->jobs, &s->heaps, &s->events, &s->spans, &s->nodes, &s->shortcuts, &s->by_key.places};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        orr_array_clear(arrays[i]);
    free(s->llm);
}

static void settle(stand *s)
{
    for (uint32_t i = 0; i < s->events.count; i++) {
        orr_job_event *e = (orr_job_event *)s->events.items + i;
        if (e->outcome != ORR_JOB_DONE)
            continue;
        s->done++;
        orr_array_give(&s->jobs, &s->free_job, e->job);
    }
    s->events.count = s->spans.count = 0;
}

static uint32_t tokens(stand *s, double mean, double sigma)
{
    double n = exp(log(mean) - sigma * sigma / 2 + sigma * gsl_ran_gaussian_ziggurat(&s->rng, 1));
    return (uint32_t)fmin(fmax(n, 1), 16000);
}

/* Each instance by itself, `requests` in all: its next arrival or its due time, whichever comes first. */
static void drive(stand *s, uint64_t requests, double rate_per_s, double input, double output)
{
    for (uint32_t i = 0; i < s->instances; i++) {
        orr_llm *l = &s->llm[i];
        int64_t next = 0;
        for (uint64_t left = requests / s->instances; left > 0 || l->due_ns != ORR_NEVER;) {
            if (left > 0 && next <= l->due_ns) {
                uint32_t index = orr_array_take(&s->jobs, &s->free_job);
                if (index == ORR_NONE)
                    abort();
                orr_job *j = orr_job_at(&s->jobs, index);
                *j = (orr_job){.instance = i, .input = tokens(s, input, 1), .output = tokens(s, output, 0.7), .prefix = 0};
                j->steps = j->output - 1;
                if (!orr_llm_arrive(l, &s->kind, &s->site, index, next))
                    abort();
                next += 1 + (int64_t)gsl_ran_exponential(&s->rng, ORR_SECOND / rate_per_s);
                left--;
            } else {
                s->calls++;
                if (!orr_llm_run(l, &s->kind, &s->site, l->due_ns))
                    abort();
            }
            settle(s);
        }
    }
}

static void measure(const orr_roofline *roofline, int64_t kv_tokens, const char *name, uint32_t instances, uint64_t requests, double rate, double input, double output)
{
    stand s;
    open_stand(&s, roofline, instances, kv_tokens);
    double began = seconds();
    drive(&s, requests, rate, input, output);
    double took = seconds() - began;
    uint64_t iterations = 0;
    double batch = 0, busy = 0;
    for (uint32_t i = 0; i < instances; i++) {
        iterations += s.llm[i].iteration;
        batch += (double)s.llm[i].batch_time;
        busy += (double)(s.llm[i].decode_time + s.llm[i].prompt_time);
    }
    printf("serving, %s: %.2f M requests/s, %.0f M iterations/s, %.1f iterations for each call, mean batch %.1f\n", name, 1e-6 * (double)s.done / took, 1e-6 * (double)iterations / took,
           (double)iterations / (double)s.calls, busy > 0 ? batch / busy : 0);
    close_stand(&s);
}

int main(void)
{
    orr_problems problems = {0};
    orr_point point = {.accelerator = "h100", .engine = "vllm", .model = "llama-3.1-70b", .precision = "fp8", .kv_precision = "bf16", .group = 4, .data_parallel = 1, .concurrency = 1, .input = 1000,
                       .output = 200, .spread = 1, .rounds = 1, .max_batch = BATCH, .stream = 1};
    char *data = orr_share_path("data");
    orr_world *w = data == NULL ? NULL : orr_closed_loop_world(&point, data, &problems);
    orr_roofline roofline;
    if (w == NULL || !orr_roofline_build(&roofline, w, &w->pools[0])) {
        fprintf(stderr, "error: the catalogues cannot be read\n");
        return 1;
    }
    int64_t kv = w->pools[0].kv_tokens;
    measure(&roofline, kv, "one replica, short answers (50 tokens)", 1, 400000, 20, 400, 50);
    measure(&roofline, kv, "one replica, chat (1,000 in, 200 out)", 1, 400000, 6, 1000, 200);
    measure(&roofline, kv, "one replica, long answers (2,000 tokens)", 1, 100000, 1, 500, 2000);
    measure(&roofline, kv, "1,000 replicas, chat", MOST_INSTANCES, 400000, 6, 1000, 200);
    orr_roofline_destroy(&roofline);
    orr_world_destroy(w);
    free(data);
    return 0;
}
