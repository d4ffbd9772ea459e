#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

int orr_cli_problems(orr_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "%s\n", problems->text[i]);
    if (problems->out_of_memory)
        fprintf(stderr, "error: out of memory\n");
    if (problems->count > 1)
        fprintf(stderr, "%zu errors\n", problems->count);
    orr_problems_clear(problems);
    return ORR_EXIT_BAD_INPUT;
}

bool orr_cli_override(orr_scenario_arguments *a, const char *text)
{
    if (a->count == sizeof a->overrides / sizeof *a->overrides) {
        fprintf(stderr, "error: at most %zu overrides\n", a->count);
        return false;
    }
    a->overrides[a->count++] = text;
    return true;
}

static const struct argp_option options[] = {{"set", 's', "KEY=VALUE", 0, "replace a value of the scenario, such as params.scale=4 or policy.options.d=3 (may be repeated)", 1}, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    orr_scenario_arguments *a = state->input;
    switch (key) {
    case 's':
        if (!orr_cli_override(a, text))
            return EINVAL;
        return 0;
    case ARGP_KEY_ARG:
        if (a->scenario != NULL)
            argp_error(state, "one scenario at a time; `%s` is too much", text);
        a->scenario = text;
        return 0;
    case ARGP_KEY_END:
        if (a->scenario == NULL)
            argp_error(state, "which SCENARIO?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp orr_scenario_argp = {options, parse, "SCENARIO", NULL, NULL, NULL, NULL};

void orr_cli_warn_of_short_runs(const orr_world *w, FILE *out)
{
    char text[256];
    for (uint32_t i = 0; i < w->cohort_count; i++)
        if (orr_world_is_short(w, &w->cohorts[i], text, sizeof text))
            fprintf(out, "warning: %s\n", text);
}

static bool is_assumed(const orr_world *w, const orr_pool *p)
{
    return p->accelerator != ORR_NONE && p->calibration != ORR_NONE && strcmp(w->calibrations[p->calibration].confidence, "assumed") == 0;
}

void orr_cli_name_unmeasured(const orr_world *w, FILE *out)
{
    bool any = false;
    for (uint32_t i = 0; i < w->pool_count; i++) {
        bool told = !is_assumed(w, &w->pools[i]);
        for (uint32_t k = 0; k < i && !told; k++)
            told = w->pools[k].accelerator == w->pools[i].accelerator && is_assumed(w, &w->pools[k]);
        if (!told) {
            fprintf(out, "%s%s", any ? ", " : "note: nothing was measured of such models on ", w->accelerators[w->pools[i].accelerator].title);
            any = true;
        }
    }
    if (any)
        fprintf(out, ": their speed is assumed, within wide ranges\n");
}

orr_world *orr_cli_world(const orr_scenario_arguments *a)
{
    orr_problems problems = {0};
    orr_world *world = orr_world_load(a->scenario, a->overrides, a->count, &problems);
    if (world == NULL)
        orr_cli_problems(&problems);
    return world;
}
