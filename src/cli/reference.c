/* orrery reference: pages made from the tables that the program itself reads, in Markdown. */
#include "cli/cli.h"
#include "cli/policy_text.h"
#include "scenario/keys.h"
#include "study/collect.h"
#include "study/keys.h"
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

/* The pages, in the order of the help. */
static char *scenario_page(void) { return orr_schema_reference(orr_scenario_keys, orr_scenario_key_count, "Scenario keys"); }
static char *study_page(void) { return orr_schema_reference(orr_study_keys, orr_study_key_count, "Study keys"); }

static const struct {
    const char *name;
    char *(*text)(void); /* NULL: printed by itself */
} pages[] = {{"scenario", scenario_page}, {"study", study_page}, {"file", orr_trace_reference}, {"study_file", orr_collect_reference}, {"policies", NULL}};
enum { PAGES = sizeof pages / sizeof *pages };
static const char page_names[] = "scenario|study|file|study_file|policies";

static error_t parse(int key, char *text, struct argp_state *state)
{
    int *page = state->input, found = 0;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*page < PAGES)
            argp_error(state, "one page at a time");
        while (found < PAGES && strcmp(text, pages[found].name) != 0)
            found++;
        if (found == PAGES)
            argp_error(state, "there is no page `%s`; it is %s", text, page_names);
        *page = found;
        return 0;
    case ARGP_KEY_END:
        if (*page == PAGES)
            argp_error(state, "which page: %s?", page_names);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int orr_cli_reference(int argc, char **argv)
{
    static const struct argp argp = {NULL, parse, page_names, "Prints a reference page (Markdown): the keys of a scenario or of a study, the file of a run or of a study, the policies.", NULL, NULL, NULL};
    int page = PAGES;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &page);
    if (pages[page].text != NULL)
        return print_page(pages[page].text());
    orr_print_policies_markdown();
    return ORR_EXIT_DONE;
}
