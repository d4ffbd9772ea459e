/* orrery run */
#include "cli/cli.h"
#include "cli/stopping.h"
#include "scenario/units.h"
#include "trace/run.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct run_arguments {
    orr_scenario_arguments scenario;
    const char            *output;
    char                  *made[3]; /* overrides put together here */
    uint32_t               partitions, threads;
    uint64_t               shuffle;
    int64_t                every_ns; /* between checkpoints; 0: none asked for */
    const char            *branch;
    bool                   quiet, resume, automatic; /* as many threads as pay, at most `threads` */
} run_arguments;

enum { MOST_THREADS = 256 };
enum { KEY_SEED = 1000, KEY_PARTITIONS, KEY_SHUFFLE, KEY_THREADS, KEY_EVERY, KEY_RESUME, KEY_BRANCH, KEY_TRACE };

static const struct argp_option options[] = {
    {"output", 'o', "OUT.h5", 0, "file of the results (default: the scenario's name with .h5, in the current folder)", 0},
    {"seed", KEY_SEED, "N", 0, "seed of all random draws", 0},
    {"policy", 'p', "NAME|FILE.so", 0, "who chooses the pool", 0},
    {"quiet", 'q', NULL, 0, "no progress, no closing line", 0},
    {"trace", KEY_TRACE, "iterations[=POOL#REPLICA]", 0, "write every iteration of one llm replica (of the first pool, if none is named) to /serving/trace", 0},
    {"threads", KEY_THREADS, "N|auto", 0, "threads; the results are the same for any number. auto: as many of the cores as pay", 0},
    {"checkpoint-every", KEY_EVERY, "TIME", 0, "write OUT.checkpoint after every such stretch of simulated time (\"1h\"), and when interrupted", 0},
    {"resume", KEY_RESUME, NULL, 0, "go on from OUT.checkpoint; from the beginning if there is none", 0},
    {"branch", KEY_BRANCH, "CHECKPOINT", 0, "start from a checkpoint of this scenario, under the policy given here", 0},
    {"partitions", KEY_PARTITIONS, "K", 0, "run the sites in K partitions, window by window (a self-check: results are the same)", 0},
    {"shuffle", KEY_SHUFFLE, "SEED", 0, "with --partitions: in shuffled order", 0},
    {0},
};

/* Those that this process may use. */
static uint64_t cores(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : (uint64_t)count;
}

static bool read_count(const char *text, uint64_t least, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *value >= least;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    run_arguments *a = state->input;
    uint64_t number;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->scenario; return 0;
    case 'o': a->output = text; return 0;
    case 'q': a->quiet = true; return 0;
    case KEY_SEED:
        if (!read_count(text, 0, &number) || asprintf(&a->made[0], "seed=%s", text) < 0)
            argp_error(state, "--seed: expected a whole number, found `%s`", text);
        return 0;
    case 'p':
        if (asprintf(&a->made[1], "policy.name=%s", text) < 0)
            return ENOMEM;
        return 0;
    case KEY_TRACE:
        if (strncmp(text, "iterations", 10) != 0 || (text[10] != 0 && text[10] != '='))
            argp_error(state, "--trace: expected `iterations` or `iterations=POOL#REPLICA`, found `%s`", text);
        if (asprintf(&a->made[2], "output.iterations=%s", text[10] == '=' ? text + 11 : "first") < 0)
            return ENOMEM;
        return 0;
    case KEY_THREADS:
        a->automatic = strcmp(text, "auto") == 0;
        if (a->automatic)
            number = cores();
        else if (!read_count(text, 1, &number) || number > MOST_THREADS)
            argp_error(state, "--threads: expected a whole number from 1 to %d or `auto`, found `%s`", MOST_THREADS, text);
        a->threads = (uint32_t)number;
        return 0;
    case KEY_EVERY: {
        double unused;
        char expected[160];
        if (!orr_units_read(ORR_TYPE_TIME, text, &unused, &a->every_ns, expected, sizeof expected) || a->every_ns <= 0)
            argp_error(state, "--checkpoint-every: expected a time such as \"1h\", found `%s`", text);
        return 0;
    }
    case KEY_RESUME: a->resume = true; return 0;
    case KEY_BRANCH: a->branch = text; return 0;
    case KEY_PARTITIONS:
        if (!read_count(text, 1, &number) || number > 4096)
            argp_error(state, "--partitions: expected a whole number from 1 to 4096, found `%s`", text);
        a->partitions = (uint32_t)number;
        return 0;
    case KEY_SHUFFLE:
        if (!read_count(text, 1, &a->shuffle))
            argp_error(state, "--shuffle: expected a whole number above 0, found `%s`", text);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* scenarios/national_day.yaml -> national_day.h5 */
static char *default_output(const char *scenario)
{
    const char *name = strrchr(scenario, '/');
    char *path;
    name = name == NULL ? scenario : name + 1;
    const char *dot = strrchr(name, '.');
    return asprintf(&path, "%.*s.h5", dot == NULL ? (int)strlen(name) : (int)(dot - name), name) < 0 ? NULL : path;
}

static int simulate(const run_arguments *a, const orr_world *world, const char *output, const char *checkpoint)
{
    orr_problems problems = {0};
    orr_run_result result;
    bool there = access(checkpoint, F_OK) == 0;
    if (a->resume && !there)
        fprintf(stderr, "%s: no checkpoint yet; starting from the beginning\n", checkpoint);
    orr_run_options o = {.output = output, .partitions = a->threads > 1 ? a->threads : a->partitions, .threads = a->threads > 1, .automatic = a->automatic, .shuffle = a->shuffle, .progress = !a->quiet && isatty(STDERR_FILENO), .stop = orr_cli_stopping(),
                         .checkpoint = a->every_ns > 0 || a->resume ? checkpoint : NULL, .checkpoint_every_ns = a->every_ns, .from = a->branch != NULL ? a->branch : a->resume && there ? checkpoint : NULL,
                         .branch = a->branch != NULL};
    orr_cli_warn_of_short_runs(world, stderr);
    orr_cli_catch_signals();
    orr_status status = orr_run(world, &o, &result, &problems);
    if (status == ORR_OK && o.checkpoint != NULL)
        unlink(checkpoint); /* the run is over: there is nothing to go on with */
    if (orr_problems_any(&problems))
        orr_cli_problems(&problems);
    switch (status) {
    case ORR_OK:
        if (!a->quiet) {
            orr_cli_name_unmeasured(world, stdout);
            printf("%s: %llu requests in %.2f s (%.0f/s, %u thread%s), %u checks of the audit hold\n", output, (unsigned long long)result.offered, result.facts.wall_s,
                   (double)result.offered / result.facts.wall_s, a->threads > 1 ? result.facts.lanes : 1, a->threads > 1 && result.facts.lanes > 1 ? "s" : "", result.audit.count);
        }
        return ORR_EXIT_DONE;
    case ORR_AUDIT_FAILED:
        fprintf(stderr, "error: %u of %u checks of the audit failed; %s has status partial\n", result.audit.failed, result.audit.count, output);
        for (uint32_t i = 0; i < result.audit.count; i++) {
            char left[48], right[48];
            orr_audit_digits(result.audit.check[i].left, left);
            orr_audit_digits(result.audit.check[i].right, right);
            if (result.audit.check[i].left != result.audit.check[i].right)
                fprintf(stderr, "  %s: %s != %s\n", result.audit.check[i].name, left, right);
        }
        return ORR_EXIT_FAILED;
    case ORR_INTERRUPTED: fprintf(stderr, "interrupted; %s holds what was simulated until then\n", output); return ORR_EXIT_FAILED;
    case ORR_NO_MEMORY: fprintf(stderr, "error: out of memory\n"); return ORR_EXIT_FAILED;
    default: return ORR_EXIT_BAD_INPUT;
    }
}

int orr_cli_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&orr_scenario_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, NULL, "Simulates a scenario and writes its trace.", children, NULL, NULL};
    run_arguments a = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    for (int i = 0; i < 3; i++)
        if (a.made[i] != NULL && !orr_cli_override(&a.scenario, a.made[i]))
            return ORR_EXIT_BAD_INPUT;
    int exit_status = ORR_EXIT_BAD_INPUT;
    char *made = a.output == NULL ? default_output(a.scenario.scenario) : NULL;
    const char *output = a.output == NULL ? made : a.output;
    char *checkpoint = NULL;
    orr_world *world = output == NULL || asprintf(&checkpoint, "%s.checkpoint", output) < 0 ? NULL : orr_cli_world(&a.scenario);
    if (world != NULL && a.branch != NULL && a.resume)
        fprintf(stderr, "error: --branch starts a run, --resume goes on with one: not both\n");
    else if (world != NULL)
        exit_status = simulate(&a, world, output, checkpoint);
    free(checkpoint);
    orr_world_destroy(world);
    free(made);
    free(a.made[0]);
    free(a.made[1]);
    free(a.made[2]);
    return exit_status;
}
