/* Queueing theory and the stale-state table, through the scenario files that users have.
 *
 * Each cell is run on 20 fixed seeds; the mean of the seeds' mean sojourns must agree with the truth within its confidence interval, and the
 * interval must be narrower than 1 % of the truth to either side, so that an error of 2 % cannot pass. The level is Bonferroni's over all
 * cells of this file: a correct program fails the whole family once in a hundred versions of the seeds. Usage: test_oracles PART SCENARIOS,
 * where PART is `quick`, `full` (the rest) or the name of one cell.
 *
 * Truths: M/M/c by Erlang C; N users who think and c servers by the machine-repair model M/M/c//N, sojourn = N / throughput - think time (Kleinrock,
 * Queueing Systems I, 1975, 3.8); M/D/1 by Pollaczek-Khinchine; M/G/1 processor sharing 1/(1-rho) whatever the law (Sakata, Noguchi and Oizumi,
 * 1971); fresh power of d and the bulletin board of age T from two independent simulations, with their own 99 % half-widths. */
#include "base/array.h"
#include "trace/run.h"
#include "trace/summary.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEEDS = 20, SETTINGS = 5 };

typedef struct cell {
    const char *name;
    enum { STATION, DISPATCH, CLOSED } kind;
    bool        quick;
    double      truth, truth_half_width;
    const char *requests;
    const char *set[SETTINGS];
} cell;

#define SERVERS(c) "params.servers=" #c
#define LOAD(r) "params.load=" #r
#define AGE(t) "params.state_age=" #t
#define JSQ "policy.name=join_shortest_queue"
#define RANDOM "policy.name=random"
#define DET "params.service=deterministic"
#define HEAVY "params.service=lognormal", "params.service_cv=3"
#define PS "params.discipline=ps"

static const cell cells[] = {
    {"M/M/1 load 0.8", STATION, true, 5, 0, "2M", {SERVERS(1), LOAD(0.8)}},
    {"M/M/1 load 0.9", STATION, false, 10, 0, "8M", {SERVERS(1), LOAD(0.9)}},
    {"M/M/10 load 0.8", STATION, true, 1.2045901, 0, "500k", {SERVERS(10), LOAD(0.8)}},
    {"M/M/10 load 0.9", STATION, false, 1.6687320, 0, "3M", {SERVERS(10), LOAD(0.9)}},
    {"M/M/100 load 0.8", STATION, false, 1.0009818, 0, "200k", {SERVERS(100), LOAD(0.8)}},
    {"M/M/100 load 0.9", STATION, true, 1.0216940, 0, "500k", {SERVERS(100), LOAD(0.9)}},
    {"M/D/1 load 0.8", STATION, true, 3, 0, "1M", {SERVERS(1), LOAD(0.8), DET}},
    {"M/D/1 load 0.9", STATION, false, 5.5, 0, "4M", {SERVERS(1), LOAD(0.9), DET}},
    {"M/M/1 sharing load 0.8", STATION, true, 5, 0, "2500k", {SERVERS(1), LOAD(0.8), PS}},
    {"M/M/1 sharing load 0.9", STATION, false, 10, 0, "10M", {SERVERS(1), LOAD(0.9), PS}},
    {"heavy tails, sharing, load 0.8", STATION, true, 5, 0, "9M", {SERVERS(1), LOAD(0.8), PS, HEAVY}},
    {"heavy tails, sharing, load 0.9", STATION, false, 10, 0, "40M", {SERVERS(1), LOAD(0.9), PS, HEAVY}},
    {"closed, 1 server, 5 users", CLOSED, true, 2.2427184, 0, "150k", {SERVERS(1), "params.users=5", "params.think=4 s"}},
    {"closed, 3 servers, 10 users", CLOSED, true, 1.6319735, 0, "150k", {SERVERS(3), "params.users=10", "params.think=2 s"}},
    {"closed, 10 servers, 40 users", CLOSED, true, 1.3047506, 0, "200k", {SERVERS(10), "params.users=40", "params.think=3 s"}},
    {"fresh, d = 2, n = 100", DISPATCH, true, 2.646, 0.009, "1M", {AGE(0)}},
    {"fresh, d = 3, n = 100", DISPATCH, true, 2.066, 0.005, "800k", {AGE(0), "params.d=3"}},
    {"fresh, d = 2, n = 1000", DISPATCH, false, 2.619, 0.009, "6M", {AGE(0), "params.stations=1000"}},
    {"age 0, shortest of all", DISPATCH, true, 1.0665, 0.0013, "400k", {AGE(0), JSQ}},
    {"age 0.02, d = 2", DISPATCH, false, 2.653, 0.008, "1M", {AGE(0.02)}},
    {"age 0.02, shortest of all", DISPATCH, false, 1.176, 0.002, "500k", {AGE(0.02), JSQ}},
    {"age 0.5, d = 2", DISPATCH, false, 2.810, 0.008, "1M", {AGE(0.5)}},
    {"age 0.5, shortest of all", DISPATCH, true, 2.814, 0.010, "1200k", {AGE(0.5), JSQ}},
    {"age 1, d = 2", DISPATCH, false, 2.968, 0.008, "1M", {AGE(1)}},
    {"age 1, shortest of all", DISPATCH, false, 4.013, 0.019, "2500k", {AGE(1), JSQ}},
    {"age 2, d = 2", DISPATCH, true, 3.253, 0.009, "800k", {AGE(2)}},
    {"age 2, shortest of all", DISPATCH, false, 6.114, 0.055, "3500k", {AGE(2), JSQ}},
    {"age 5, d = 2", DISPATCH, false, 4.009, 0.010, "1M", {AGE(5)}},
    {"age 5, shortest of all", DISPATCH, false, 12.05, 0.08, "4M", {AGE(5), JSQ}},
    {"age 10, d = 2", DISPATCH, false, 5.111, 0.009, "1M", {AGE(10)}},
    {"age 10, shortest of all", DISPATCH, false, 23.38, 0.23, "6M", {AGE(10), JSQ}},
    {"random, n = 1000, load 0.95", DISPATCH, false, 20, 0, "40M", {AGE(5), RANDOM, LOAD(0.95), "params.stations=1000"}},
    {"random at age 0", DISPATCH, false, 10, 0, "9M", {AGE(0), RANDOM}},
    {"random at age 10", DISPATCH, false, 10, 0, "9M", {AGE(10), RANDOM}},
};
enum { CELLS = sizeof cells / sizeof *cells };

/* latency.e2e.mean of one run; NaN (with the problems on stderr) if it fails. */
static double mean_sojourn(const cell *c, int seed, const char *scenarios, const char *folder)
{
    char path[512], output[512], requests[64], seed_text[32];
    const char *overrides[SETTINGS + 2];
    size_t n = 0;
    static const char *const files[] = {"station", "dispatch", "closed"};
    snprintf(path, sizeof path, "%s/oracles/%s.yaml", scenarios, files[c->kind]);
    snprintf(output, sizeof output, "%s/oracle.h5", folder);
    snprintf(requests, sizeof requests, "params.requests=%s", c->requests);
    snprintf(seed_text, sizeof seed_text, "seed=%d", 1000 + seed);
    for (; n < SETTINGS && c->set[n] != NULL; n++)
        overrides[n] = c->set[n];
    overrides[n++] = requests;
    overrides[n++] = seed_text;
    orr_problems problems = {0};
    orr_run_result result;
    orr_run_options options = {.output = output};
    double mean = NAN;
    orr_world *world = orr_world_load(path, overrides, n, &problems);
    if (world != NULL && orr_run(world, &options, &result, &problems) == ORR_OK) {
        hid_t file = orr_result_open(output, &problems);
        cJSON *summary = file < 0 ? NULL : orr_summary(file, output, &problems);
        mean = orr_summary_number(summary, "latency.e2e.mean");
        cJSON_Delete(summary);
        H5Fclose(file);
    }
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.text[i]);
    orr_problems_clear(&problems);
    orr_world_destroy(world);
    unlink(output);
    return mean;
}

static bool holds(const cell *c, const char *scenarios, const char *folder)
{
    double sum = 0, squares = 0;
    for (int s = 0; s < SEEDS; s++) {
        double mean = mean_sojourn(c, s, scenarios, folder);
        sum += mean;
        squares += mean * mean;
    }
    double mean = sum / SEEDS, deviation = sqrt(fmax(0, squares - sum * mean) / (SEEDS - 1));
    double half_width = gsl_cdf_tdist_Pinv(1 - 0.01 / CELLS / 2, SEEDS - 1) * deviation / sqrt(SEEDS);
    bool narrow = half_width <= 0.01 * c->truth, inside = fabs(mean - c->truth) <= half_width + c->truth_half_width;
    printf("# %-32s %9.4f +- %.4f, truth %9.4f +- %.4f%s%s\n", c->name, mean, half_width, c->truth, c->truth_half_width, narrow ? "" : "  INTERVAL TOO WIDE",
           inside ? "" : "  OUTSIDE");
    return narrow && inside;
}

int main(int argc, char **argv)
{
    char folder[] = "oracles-XXXXXX";
    if (argc != 3 || mkdtemp(folder) == NULL)
        return 99;
    int failed = 0, run = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < CELLS; i++) {
        bool wanted = strcmp(argv[1], cells[i].name) == 0 || (strcmp(argv[1], "quick") == 0 && cells[i].quick) || (strcmp(argv[1], "full") == 0 && !cells[i].quick) ||
                      (strcmp(argv[1], "quick-stations") == 0 && cells[i].quick && cells[i].kind != DISPATCH) ||
                      (strcmp(argv[1], "quick-dispatch") == 0 && cells[i].quick && cells[i].kind == DISPATCH) ||
                      (strcmp(argv[1], "full-stations") == 0 && !cells[i].quick && cells[i].kind != DISPATCH) ||
                      (strcmp(argv[1], "full-dispatch") == 0 && !cells[i].quick && cells[i].kind == DISPATCH);
        if (!wanted)
            continue;
        bool ok = holds(&cells[i], argv[2], folder);
        failed += !ok;
        printf("%s %d - %s\n", ok ? "ok" : "not ok", ++run, cells[i].name);
    }
    printf("1..%d\n", run);
    rmdir(folder);
    return failed > 0 || run == 0;
}
