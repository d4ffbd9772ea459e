/* orrery policies | accelerators | models | sites: what there is to choose from, and how well it is known. */
#include "base/share.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/policy_text.h"
#include "scenario/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A catalogue: its columns in the table, and what they are called there. */
typedef struct catalogue_kind {
    const char *name, *file, *left; /* left: which columns are texts (columns.h) */
    struct {
        const char *column, *title;
    } columns[10];
} catalogue_kind;

static const catalogue_kind kinds[] = {
    {"accelerators", "data/accelerators.csv", "lllr",
     {{"name", "name"}, {"title", "title"}, {"vendor", "vendor"}, {"memory_gb", "GB"}, {"bandwidth_gb_s", "GB/s"}, {"bf16_tflops", "BF16 TFLOP/s"}, {"int8_tops", "INT8 TOP/s"},
      {"tdp_w", "W"}, {"confidence", "confidence"}}},
    {"models", "data/models.csv", "lllr",
     {{"name", "name"}, {"title", "title"}, {"vendor", "vendor"}, {"total_params_b", "10^9 param."}, {"active_params_b", "active"}, {"layers", "layers"}, {"kv_elems_per_token", "KV per token"},
      {"max_context", "context"}, {"confidence", "confidence"}}},
    {"sites", "data/sites.csv", "lllllr",
     {{"id", "id"}, {"name", "name"}, {"kind", "kind"}, {"country", "country"}, {"region", "region"}, {"population", "population"}, {"pue", "PUE"}, {"grid_gco2_per_kwh", "gCO2/kWh"},
      {"electricity_yuan_per_kwh", "yuan/kWh"}, {"confidence", "confidence"}}},
};
enum { KINDS = sizeof kinds / sizeof *kinds, MOST_COLUMNS = 10 };

static error_t parse(int key, char *text, struct argp_state *state)
{
    const char **file = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*file != NULL)
        argp_error(state, "one catalogue at a time");
    *file = text;
    return 0;
}

static void print_source(void *context, uint32_t row)
{
    const orr_csv *csv = context;
    char source[4096];
    snprintf(source, sizeof source, "%s, %s", orr_csv_cell(csv, row, orr_csv_column(csv, "as_of")), orr_csv_cell(csv, row, orr_csv_column(csv, "source")));
    orr_print_wrapped(source, 4, 120);
}

static int print_catalogue(const catalogue_kind *kind, const char *path)
{
    orr_problems problems = {0};
    orr_csv *csv = orr_csv_load(path, &problems);
    int column[MOST_COLUMNS], count = 0;
    for (; csv != NULL && count < MOST_COLUMNS && kind->columns[count].column != NULL; count++)
        column[count] = orr_csv_need(csv, kind->columns[count].column, &problems);
    if (csv != NULL)
        orr_csv_require_origin(csv, &problems);
    bool ok = csv != NULL && !orr_problems_any(&problems);
    if (ok) {
        orr_columns c;
        orr_columns_init(&c, (uint32_t)count);
        for (int i = 0; i < count; i++)
            orr_columns_add(&c, "%s", kind->columns[i].title);
        for (size_t r = 0; r < orr_csv_rows(csv); r++)
            for (int i = 0; i < count; i++)
                orr_columns_add(&c, "%s", orr_csv_cell(csv, r, column[i]));
        printf("%s: %zu rows; beneath each its date and source\n\n", path, orr_csv_rows(csv));
        ok = orr_columns_print(&c, kind->left, print_source, csv);
    }
    orr_csv_destroy(csv);
    if (orr_problems_any(&problems))
        return orr_cli_problems(&problems);
    return ok ? ORR_EXIT_DONE : ORR_EXIT_FAILED;
}

int orr_cli_catalogue(int argc, char **argv)
{
    static const struct argp for_files = {NULL, parse, "[CATALOGUE.csv]", "Prints the rows of a catalogue with their confidence and source.", NULL, NULL, NULL};
    static const struct argp for_policies = {NULL, NULL, "", "Prints the built-in policies and their options.", NULL, NULL, NULL};
    const char *file = NULL;
    argp_err_exit_status = ORR_EXIT_BAD_INPUT;
    if (strcmp(argv[0], "policies") == 0) {
        argp_parse(&for_policies, argc, argv, 0, NULL, NULL);
        orr_print_policies();
        return ORR_EXIT_DONE;
    }
    const catalogue_kind *kind = kinds;
    while (strcmp(kind->name, argv[0]) != 0)
        kind++; /* main.c sends only names of the table here */
    argp_parse(&for_files, argc, argv, 0, NULL, &file);
    char *found = file == NULL ? orr_share_path(kind->file) : NULL;
    int exit_status = ORR_EXIT_FAILED;
    if (file == NULL && found == NULL)
        fprintf(stderr, "error: out of memory\n");
    else
        exit_status = print_catalogue(kind, file == NULL ? found : file);
    free(found);
    return exit_status;
}
