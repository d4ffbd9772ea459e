/* orrery schema: what a scenario or a study may hold, for editors. */
#include "cli/cli.h"
#include "scenario/keys.h"
#include "scenario/schema_json.h"
#include "study/keys.h"

#include <stdio.h>
#include <string.h>

typedef struct schema_arguments {
    bool study, chosen;
} schema_arguments;

static error_t parse(int key, char *text, struct argp_state *state)
{
    schema_arguments *a = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (a->chosen)
        argp_error(state, "one schema at a time");
    if (strcmp(text, "scenario") != 0 && strcmp(text, "study") != 0)
        argp_error(state, "there is no schema of `%s`; it is scenario or study", text);
    a->study = strcmp(text, "study") == 0;
    a->chosen = true;
    return 0;
}

int orr_cli_schema(int argc, char **argv)
{
    static const struct argp argp = {NULL, parse, "[scenario|study]", "Prints a JSON Schema of scenarios (or of studies), made from the loader's own table: editors complete and check files with it.", NULL, NULL, NULL};
    schema_arguments a = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    cJSON *schema = a.study ? orr_schema_json(orr_study_keys, orr_study_key_count, "A study of Orrery") : orr_schema_json(orr_scenario_keys, orr_scenario_key_count, "A scenario of Orrery");
    char *text = cJSON_Print(schema);
    cJSON_Delete(schema);
    if (text == NULL) {
        fprintf(stderr, "error: out of memory\n");
        return ORR_EXIT_FAILED;
    }
    puts(text);
    cJSON_free(text);
    return ORR_EXIT_DONE;
}
