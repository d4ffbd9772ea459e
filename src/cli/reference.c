/* orrery reference: pages made from the tables that the program itself reads, in Markdown. */
#include "cli/cli.h"
#include "cli/policy_text.h"
#include "scenario/keys.h"
#include "trace/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_page(char *text)
{
    if (text == NULL) {
        fprintf(stderr, "error: out of memory\n");
        return ORR_EXIT_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return ORR_EXIT_DONE;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    const char **page = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*page != NULL)
            argp_error(state, "one page at a time");
        if (strcmp(text, "scenario") != 0 && strcmp(text, "file") != 0 && strcmp(text, "policies") != 0)
            argp_error(state, "there is no page `%s`; it is scenario, file or policies", text);
        *page = text;
        return 0;
    case ARGP_KEY_END:
        if (*page == NULL)
            argp_error(state, "which page: scenario, file or policies?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int orr_cli_reference(int argc, char **argv)
{
    static const struct argp argp = {NULL, parse, "scenario|file|policies", "Prints a reference page (Markdown): the keys of a scenario, the file of a run, the policies.", NULL, NULL, NULL};
    const char *page = NULL;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &page);
    if (strcmp(page, "scenario") == 0)
        return print_page(orr_schema_reference(orr_scenario_keys, orr_scenario_key_count, "Scenario keys"));
    if (strcmp(page, "file") == 0)
        return print_page(orr_trace_reference());
    orr_print_policies_markdown();
    return ORR_EXIT_DONE;
}
