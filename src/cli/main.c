/* orrery: finds the sub-command. Exit status: 0 done, 1 failed its audit or interrupted, 2 bad input or usage. */
#include "base/version.h"
#include "cli/cli.h"
#include "scenario/document.h"

#include <stdio.h>
#include <string.h>

static const orr_command commands[] = {
    {"run", "SCENARIO [-o OUT.h5]: simulate, write a trace", orr_cli_run},
    {"check", "SCENARIO: every error at file:line:column", orr_cli_check},
    {"show", "SCENARIO: resolved scenario; site, pool, link and round-trip tables", orr_cli_show},
    {"summary", "RUN.h5 [--json]: the numbers, under stable names", orr_cli_summary},
    {"report", "RUN.h5|STUDY [-o OUT.html]: one self-contained page", orr_cli_report},
    {"compare", "RUN.h5...|STUDY [-o OUT.html]: policies against each other, seed by seed", orr_cli_compare},
    {"sweep", "STUDY: many runs, on all cores or on a cluster; goes on where it stopped", orr_cli_sweep},
    {"status", "STUDY|FOLDER [--json]: how far a study is", orr_cli_status},
    {"validate", "POINTS.csv: measured points, simulated as they were measured", orr_cli_validate},
    {"calibrate", "POINTS.csv --accelerator NAME: coefficients from your own measurements", orr_cli_calibrate},
    {"policies", "built-in policies and their options", orr_cli_catalogue},
    {"accelerators", "[CATALOGUE.csv]: accelerators, with origins", orr_cli_catalogue},
    {"models", "[CATALOGUE.csv]: models, with origins", orr_cli_catalogue},
    {"sites", "[CATALOGUE.csv]: sites, with origins", orr_cli_catalogue},
    {"schema", "[scenario|study]: JSON Schema, so that editors complete and check files", orr_cli_schema},
    {"reference", "scenario|study|file|study_file|policies: reference page of keys, of file formats or of the policies", orr_cli_reference},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out)
{
    fprintf(out, "Usage: orrery COMMAND ...\nA clockwork model of a compute grid: what would a different scheduling brain, price, link, site or fleet have done?\n\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n`orrery COMMAND --help` tells more.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return ORR_EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return ORR_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("orrery %s\n", ORR_VERSION);
        return ORR_EXIT_DONE;
    }
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    const char *near = orr_nearest(argv[1], names, COMMANDS);
    fprintf(stderr, "error: unknown command `%s`%s%s%s\n\n", argv[1], near ? ", did you mean `" : "", near ? near : "", near ? "`?" : "");
    usage(stderr);
    return ORR_EXIT_BAD_INPUT;
}
