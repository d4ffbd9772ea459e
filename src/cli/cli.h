/** Command line: one file per sub-command, one table of them. */
#ifndef ORRERY_CLI_CLI_H
#define ORRERY_CLI_CLI_H

#include "base/array.h"
#include "world/world.h"

#include <argp.h>
#include <stdio.h>

/** Exit status of every sub-command. */
enum { ORR_EXIT_DONE = 0, ORR_EXIT_FAILED = 1, ORR_EXIT_BAD_INPUT = 2 };

/** A sub-command: `run` gets the arguments from its own name on. */
typedef struct orr_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} orr_command;

int orr_cli_run(int argc, char **argv);
int orr_cli_check(int argc, char **argv);
int orr_cli_show(int argc, char **argv);
int orr_cli_summary(int argc, char **argv);
int orr_cli_report(int argc, char **argv);
int orr_cli_compare(int argc, char **argv);
int orr_cli_catalogue(int argc, char **argv);
int orr_cli_reference(int argc, char **argv);
int orr_cli_sweep(int argc, char **argv);
int orr_cli_status(int argc, char **argv);
int orr_cli_schema(int argc, char **argv);
int orr_cli_validate(int argc, char **argv);
int orr_cli_calibrate(int argc, char **argv);

/** Prints the problems on stderr and clears them. Returns ORR_EXIT_BAD_INPUT. */
int orr_cli_problems(orr_problems *problems);

/** What `run`, `check` and `show` have in common: a scenario with overrides. */
typedef struct orr_scenario_arguments {
    const char *scenario;
    const char *overrides[256];
    size_t      count;
} orr_scenario_arguments;

/** Adds an override; false (with a message) when there are too many. */
bool orr_cli_override(orr_scenario_arguments *arguments, const char *text);

/** The argp child that reads `--set` and the scenario into an orr_scenario_arguments (its input). */
extern const struct argp orr_scenario_argp;

/** Warns of populations whose `requests` are too few for their queues to settle: their means would be biased. */
void orr_cli_warn_of_short_runs(const orr_world *world, FILE *out);

/** Names the accelerators whose calibration is assumed: nobody has published how fast they are with models such as these. */
void orr_cli_name_unmeasured(const orr_world *world, FILE *out);

/** Loads the world, or prints the problems and returns NULL. */
orr_world *orr_cli_world(const orr_scenario_arguments *arguments);

#endif
