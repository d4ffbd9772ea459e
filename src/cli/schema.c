/* orrery schema: what an editor needs to complete and check a file while it is written, made from the table that the loader reads. */
#include "cli/cli.h"
#include "scenario/keys.h"
#include "scenario/schema_json.h"
#include "study/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of files; the first is meant when none is named. */
static const struct kind {
    const char    *name, *title;
    const orr_key *keys;
    const size_t  *count;
} kinds[] = {
    {"scenario", "A scenario of Orrery", orr_scenario_keys, &orr_scenario_key_count},
    {"study", "A study of Orrery", orr_study_keys, &orr_study_key_count},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct schema_arguments {
    const struct kind *kind;
    const char        *output;
} schema_arguments;

static const struct argp_option options[] = {{"output", 'o', "FILE", 0, "write there instead of printing", 0}, {0}};

static const struct kind *find_kind(const char *name, struct argp_state *state)
{
    const char *names[KINDS];
    for (int i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(name, names[i]) == 0)
            return &kinds[i];
    }
    const char *near = orr_nearest(name, names, KINDS);
    argp_error(state, "there is no schema of `%s`%s%s%s", name, near ? ", did you mean `" : "", near ? near : "", near ? "`?" : "");
    return NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    schema_arguments *a = state->input;
    switch (key) {
    case 'o': a->output = text; return 0;
    case ARGP_KEY_ARG:
        if (a->kind != NULL)
            argp_error(state, "one schema at a time");
        a->kind = find_kind(text, state);
        return 0;
    case ARGP_KEY_END:
        if (a->kind == NULL)
            a->kind = &kinds[0];
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int write_text(const char *path, const char *text)
{
    FILE *out = path == NULL ? stdout : fopen(path, "w");
    bool  ok = out != NULL && fputs(text, out) >= 0 && fputc('\n', out) != EOF && fflush(out) == 0;
    int   error = errno;
    if (out != NULL && out != stdout && fclose(out) != 0)
        ok = false;
    if (!ok)
        fprintf(stderr, "error: %s: %s\n", path == NULL ? "standard output" : path, strerror(error));
    return ok ? ORR_EXIT_DONE : ORR_EXIT_BAD_INPUT;
}

int orr_cli_schema(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[scenario|study]",
                                     "Prints the JSON Schema (draft 7) of a kind of file. Editors that speak to yaml-language-server complete and check a file that begins with\n"
                                     "`# yaml-language-server: $schema=PATH`.", NULL, NULL, NULL};
    schema_arguments a = {0};
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    char *text = orr_schema_json(a.kind->keys, *a.kind->count, a.kind->title);
    if (text == NULL) {
        fprintf(stderr, "error: out of memory\n");
        return ORR_EXIT_FAILED;
    }
    int status = write_text(a.output, text);
    free(text);
    return status;
}
