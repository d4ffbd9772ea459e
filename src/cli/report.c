/* orrery report: one page about one run, or about a study. */
#include "cli/cli.h"
#include "cli/pages.h"
#include "cli/study_input.h"
#include "trace/page.h"
#include "trace/report_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct report_arguments {
    const char *run, *output;
} report_arguments;

static const struct argp_option options[] = {{"output", 'o', "OUT.html", 0, "the page (default: the run's name with .html; of a study, study.html in its folder)", 0}, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    report_arguments *a = state->input;
    switch (key) {
    case 'o': a->output = text; return 0;
    case ARGP_KEY_ARG:
        if (a->run != NULL)
            argp_error(state, "one run at a time; `orrery compare` takes many");
        a->run = text;
        return 0;
    case ARGP_KEY_END:
        if (a->run == NULL)
            argp_error(state, "which RUN.h5 or STUDY?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* some/run.h5 -> some/run.html */
static char *default_output(const char *run)
{
    size_t n = strlen(run), stem = n > 3 && strcmp(run + n - 3, ".h5") == 0 ? n - 3 : n;
    char *path;
    return asprintf(&path, "%.*s.html", (int)stem, run) < 0 ? NULL : path;
}

int orr_cli_report(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "RUN.h5|STUDY", "Writes one self-contained page about a run, or about a study (its file or its folder).", NULL, NULL, NULL};
    report_arguments a = {0};
    orr_problems problems = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    const orr_report_options report = {.level = 0.95};
    bool study = orr_cli_is_study(a.run);
    char *made = study ? NULL : default_output(a.run);
    cJSON *data = study ? orr_cli_study_data(a.run, NULL, NAN, &made, &problems) : orr_report_data(&a.run, 1, &report, &problems);
    const char *output = a.output == NULL ? made : a.output;
    orr_status status = ORR_BAD_INPUT;
    if (data != NULL) {
        orr_cli_warn_of_partial_runs(data);
        status = orr_page_write(output, data, &problems);
    }
    problems.out_of_memory |= output == NULL && !orr_problems_any(&problems);
    int exit_status = status == ORR_OK ? ORR_EXIT_DONE : orr_cli_failure(status, &problems);
    if (status == ORR_OK)
        printf("%s\n", output);
    cJSON_Delete(data);
    free(made);
    return exit_status;
}
