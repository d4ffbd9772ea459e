/*
 * The engine alone, through its public interface: what a model could reach at most. M/M/1 (a source and a server, two timers per customer),
 * once with every draw addressed and once with a sequential stream; and PHOLD (Fujimoto, 1990): every event of a process causes one more,
 * a quarter of them elsewhere, after a lookahead of 0.1 and an exponential time of mean 0.9.
 */
#include "base/random.h"
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static const double SECOND = 1e9; /* simulated, ns */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t next_random(uint64_t *state) /* xorshift64* (Vigna, 2016) */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

static int64_t exponential(uint64_t bits, double mean_ns) { return (int64_t)(-mean_ns * log(orr_random_unit(bits))); }

/* M/M/1. Customers that wait are a ring of the times at which they came, and of the work that they bring. */

enum { RING = 1 << 16, ARRIVAL = 0, DEPARTURE = 1 };

typedef struct customer {
    int64_t came, work;
} customer;

typedef struct mm1 {
    bool     addressed;
    uint64_t stream, arrived, customers, head, tail;
    double   sojourn_ns;
    customer ring[RING];
} mm1;

/* The gap before a customer and the work that it brings. */
static orr_bits draw(mm1 *m)
{
    if (m->addressed)
        return orr_random_bits(1, ORR_STREAM_ARRIVAL, m->arrived >> 32, (uint32_t)m->arrived, 0);
    orr_bits bits = {next_random(&m->stream), next_random(&m->stream)};
    return bits;
}

static void mm1_timer(void *context, orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle)
{
    mm1 *m = context;
    int64_t at = orr_now(lane);
    (void)handle;
    if (kind == ARRIVAL) {
        orr_bits bits = draw(m);
        m->ring[m->tail++ % RING] = (customer){at, exponential(bits.high, 0.8 * SECOND)};
        if (m->tail - m->head == 1)
            orr_timer(lane, process, DEPARTURE, 0, at + m->ring[m->head % RING].work);
        if (++m->arrived < m->customers)
            orr_timer(lane, process, ARRIVAL, 0, at + exponential(bits.low, SECOND));
    } else {
        m->sojourn_ns += (double)(at - m->ring[m->head++ % RING].came);
        if (m->tail != m->head)
            orr_timer(lane, process, DEPARTURE, 0, at + m->ring[m->head % RING].work);
    }
    if (m->tail - m->head >= RING)
        orr_fail(lane, ORR_NO_MEMORY);
}

static double run_mm1(bool addressed, uint64_t customers)
{
    static mm1 m;
    memset(&m, 0, sizeof m);
    m.addressed = addressed;
    m.stream = 88172645463325252u;
    m.customers = customers;
    orr_engine_config config = {.processes = 1, .lanes = 1};
    orr_model model = {.context = &m, .timer = mm1_timer};
    orr_engine *e = orr_engine_create(&config, &model);
    if (e == NULL)
        exit(EXIT_FAILURE);
    orr_timer(orr_engine_lane_of(e, 0), 0, ARRIVAL, 0, 0);
    double began = now();
    orr_status status = orr_engine_run(e, INT64_MAX, NULL);
    double took = now() - began, sojourn = m.sojourn_ns / SECOND / (double)customers;
    orr_engine_destroy(e);
    if (status != ORR_OK || fabs(sojourn - 4) > 0.1) { /* 0.8 / (1 - 0.8) */
        fprintf(stderr, "M/M/1: a mean sojourn of %g s instead of 4\n", sojourn);
        exit(EXIT_FAILURE);
    }
    return (double)customers / took;
}

/* PHOLD. A process is a stream of its own and a count. */

enum { HUGE_PAGE = 2 << 20 };

typedef struct phold_process {
    uint64_t stream, events;
} phold_process;

typedef struct phold {
    phold_process *at;
    uint32_t       processes;
} phold;

static void phold_event(phold *m, orr_lane *lane, uint32_t p)
{
    phold_process *self = &m->at[p];
    uint64_t bits = next_random(&self->stream);
    int64_t at = orr_now(lane) + (int64_t)(0.1 * SECOND) + exponential(next_random(&self->stream), 0.9 * SECOND);
    self->events++;
    if (bits >> 62 == 0)
        orr_send(lane, p, (uint32_t)orr_random_below(bits << 2, m->processes), 0, NULL, 0, at);
    else
        orr_timer(lane, p, 0, 0, at);
}

static void phold_timer(void *context, orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle)
{
    (void)kind, (void)handle;
    phold_event(context, lane, process);
}

static void phold_message(void *context, orr_lane *lane, const orr_message *message, const void *payload)
{
    (void)payload;
    phold_event(context, lane, message->destination);
}

static void phold_soon(void *context, uint32_t process)
{
    const phold *m = context;
    __builtin_prefetch(&m->at[process], 1);
}

static double run_phold(uint32_t processes, uint32_t threads, double seconds)
{
    size_t bytes = (processes * sizeof(phold_process) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    phold m = {aligned_alloc(HUGE_PAGE, bytes), processes};
    uint32_t *lane_of = calloc(processes, sizeof *lane_of);
    if (m.at == NULL || lane_of == NULL)
        exit(EXIT_FAILURE);
    madvise(m.at, bytes, MADV_HUGEPAGE);
    memset(m.at, 0, bytes);
    for (uint32_t p = 0; p < processes; p++) {
        m.at[p].stream = orr_random_bits(1, ORR_STREAM_TEST, p, 0, 0).low | 1;
        lane_of[p] = (uint32_t)((uint64_t)p * threads / processes);
    }
    orr_engine_config config = {.processes = processes, .lanes = threads, .lane_of = lane_of, .lookahead = (int64_t)(0.1 * SECOND), .threads = threads > 1};
    orr_model model = {&m, phold_timer, phold_message, phold_soon};
    orr_engine *e = orr_engine_create(&config, &model);
    if (e == NULL)
        exit(EXIT_FAILURE);
    for (uint32_t p = 0; p < processes; p++)
        orr_timer(orr_engine_lane_of(e, p), p, 0, 0, exponential(next_random(&m.at[p].stream), SECOND));
    double settle = 2; /* simulated seconds until the queue has its shape */
    orr_status status = orr_engine_run(e, (int64_t)(settle * SECOND), NULL);
    uint64_t before = orr_engine_events(e);
    double began = now();
    if (status == ORR_OK)
        status = orr_engine_run(e, (int64_t)((settle + seconds) * SECOND), NULL);
    double took = now() - began, events = (double)(orr_engine_events(e) - before);
    orr_engine_destroy(e);
    free(lane_of);
    free(m.at);
    if (status != ORR_OK || fabs(events / (processes * seconds) - 1) > 0.05) { /* each process has one event a second */
        fprintf(stderr, "PHOLD: %g events instead of %g\n", events, processes * seconds);
        exit(EXIT_FAILURE);
    }
    return events / took;
}

static double best_mm1(bool addressed)
{
    double best = 0;
    for (int i = 0; i < 3; i++)
        best = fmax(best, run_mm1(addressed, 10000000));
    return best;
}

static double best_phold(uint32_t processes, uint32_t threads)
{
    double best = 0;
    for (int i = 0; i < 3; i++)
        best = fmax(best, run_phold(processes, threads, 20e6 / processes));
    return best;
}

int main(void)
{
    printf("M/M/1 on the engine alone: %.1f million customers/s with every draw addressed, %.1f with a sequential stream\n", best_mm1(true) / 1e6, best_mm1(false) / 1e6);
    static const uint32_t sizes[] = {8192, 1048576};
    for (int i = 0; i < 2; i++)
        printf("PHOLD, %u processes: %.1f million events/s, %.1f on two threads\n", sizes[i], best_phold(sizes[i], 1) / 1e6, best_phold(sizes[i], 2) / 1e6);
    return EXIT_SUCCESS;
}
