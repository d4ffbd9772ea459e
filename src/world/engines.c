/* Inference engines, and calibrations: how fast an accelerator turned out to be with an engine and a model. */
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const batching_words[] = {"mixed", "whole_prompts", "prompts_first"};

static double number(orr_builder *b, const orr_csv *csv, size_t row, const char *column, double low, double high)
{
    int c = orr_csv_need(csv, column, b->problems);
    double value = c < 0 ? low : orr_csv_number(csv, row, c, low, high, NAN, b->problems);
    return isnan(value) ? low : value;
}

static void engines(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "engines");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        const char *name = orr_unique_name(b, csv, r, "name", &b->engines);
        orr_inference_engine *e = orr_append(b, &b->engines);
        *e = (orr_inference_engine){.name = name, .title = orr_word(b, csv, r, "title")};
        e->batching = (uint32_t)orr_word_index(b, csv, r, "batching", batching_words, 3, 0);
        e->token_budget = (uint32_t)number(b, csv, r, "token_budget", 16, 1e6);
        e->kv_block = (uint32_t)number(b, csv, r, "kv_block", 1, 512);
        if (512 % e->kv_block != 0)
            orr_problem(b->problems, orr_csv_where(csv, r, orr_csv_column(csv, "kv_block")), "kv_block: expected a power of two up to 512, found %u", e->kv_block);
        e->kv_reserve = number(b, csv, r, "kv_reserve", 0, 0.5);
        e->memory_share = number(b, csv, r, "memory_share", 0.1, 1);
        e->keeps_prefixes = number(b, csv, r, "prefix_cache", 0, 1) != 0;
        orr_note_origin(b, csv, r, "engines", name);
    }
    orr_csv_destroy(csv);
}

/* What a row is for: an item, ORR_ANY for `*`, ORR_NONE for what this scenario's catalogue does not have: the row does not apply then. Engines are few
 * and their names unlike each other, so that one which nearly hits is a slip. */
static uint32_t which(orr_builder *b, const orr_csv *csv, size_t row, const char *column, const orr_array *array)
{
    int         c = orr_csv_need(csv, column, b->problems);
    const char *text = orr_csv_cell(csv, row, c);
    if (strcmp(text, "*") == 0)
        return ORR_ANY;
    return array == &b->engines && orr_near(b, array, text) != NULL ? orr_find(b, array, text, column, orr_csv_where(csv, row, c)) : orr_look_up(array, text);
}

static orr_coefficients coefficients(orr_builder *b, const orr_csv *csv, size_t row)
{
    return (orr_coefficients){
        .compute_efficiency = number(b, csv, row, "ec", 0.005, 1),
        .bandwidth_efficiency = number(b, csv, row, "eb", 0.005, 1),
        .kv_efficiency = number(b, csv, row, "ekv", 0.005, 1),
        .attention_efficiency = number(b, csv, row, "eat", 0.005, 1),
        .link_efficiency = number(b, csv, row, "ecm", 0.005, 1),
        .wide_share = number(b, csv, row, "kb", 0, 10),
        .base_s = 1e-6 * number(b, csv, row, "t0_us", 0, 1e6),
        .layer_s = 1e-6 * number(b, csv, row, "tl_us", 0, 1e5),
        .launch_s = 1e-6 * number(b, csv, row, "th_us", 0, 1e5),
        .prompt_launch_s = 1e-6 * number(b, csv, row, "thp_us", 0, 1e5),
        .sequence_s = 1e-6 * number(b, csv, row, "tb_us", 0, 1e5),
        .all_reduce_s = 1e-6 * number(b, csv, row, "ar_us", 0, 1e5),
        .ring_s = 1e-6 * number(b, csv, row, "ar2_us", 0, 1e5),
        .front_end_s = 1e-3 * number(b, csv, row, "fe_ms", 0, 1e5),
    };
}

static void calibrations(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "calibrations");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        orr_calibration *k = orr_append(b, &b->calibrations);
        int model = orr_csv_need(csv, "model", b->problems);
        const char *text = orr_csv_cell(csv, r, model);
        *k = (orr_calibration){.accelerator = which(b, csv, r, "accelerator", &b->accelerators), .engine = which(b, csv, r, "engine", &b->engines), .model = ORR_ANY,
                               .coefficients = coefficients(b, csv, r), .confidence = orr_word(b, csv, r, "confidence")};
        if (model >= 0 && strcmp(text, "dense") == 0)
            k->kind = ORR_DENSE;
        else if (model >= 0 && strcmp(text, "moe") == 0)
            k->kind = ORR_MIXTURE;
        else
            k->model = which(b, csv, r, "model", &b->models);
        char name[256];
        snprintf(name, sizeof name, "%s/%s/%s", orr_csv_cell(csv, r, orr_csv_column(csv, "accelerator")), orr_csv_cell(csv, r, orr_csv_column(csv, "engine")), text);
        for (size_t earlier = 0; earlier + 1 < b->calibrations.count && earlier < r; earlier++)
            if (strcmp(((orr_calibration *)orr_array_at(&b->calibrations, earlier))->name, name) == 0)
                orr_problem(b->problems, orr_csv_where(csv, r, 0), "the row %s stands twice, first in line %u", name, (unsigned)orr_csv_where(csv, earlier, 0).line);
        k->name = orr_keep(b, name);
        orr_note_origin(b, csv, r, "calibrations", name);
    }
    orr_csv_destroy(csv);
}

int orr_calibration_rank(const orr_calibration *k) { return 1 + 8 * (k->accelerator != ORR_ANY) + 4 * (k->model != ORR_ANY) + 2 * (k->kind != ORR_ANY_MODEL) + (k->engine != ORR_ANY); }

/* How well a row fits, the higher the better; 0: not at all. */
static int fit_of(const orr_calibration *k, uint32_t accelerator, uint32_t engine, uint32_t model, orr_model_kind kind)
{
    if ((k->accelerator != ORR_ANY && k->accelerator != accelerator) || (k->engine != ORR_ANY && k->engine != engine) || (k->model != ORR_ANY && k->model != model) ||
        (k->kind != ORR_ANY_MODEL && k->kind != kind))
        return 0;
    return orr_calibration_rank(k);
}

uint32_t orr_pick_calibration(const orr_builder *b, uint32_t accelerator, uint32_t engine, uint32_t model)
{
    const orr_model_info *m = orr_array_at(&b->models, model);
    uint32_t best = ORR_NONE;
    int      fit = 0;
    for (uint32_t i = 0; i < b->calibrations.count; i++) {
        int here = fit_of(orr_array_at(&b->calibrations, i), accelerator, engine, model, m->experts > 0 ? ORR_MIXTURE : ORR_DENSE);
        if (here > fit) {
            fit = here;
            best = i;
        }
    }
    return best;
}

/* Does a cell say `*`, or one of the words in "a|b|c"? */
static bool says(const char *cell, const char *word)
{
    size_t length = strlen(word);
    if (strcmp(cell, "*") == 0)
        return true;
    for (const char *c = cell; *c;) {
        size_t here = strcspn(c, "|");
        if (here == length && strncmp(c, word, length) == 0)
            return true;
        c += here + (c[here] == '|');
    }
    return false;
}

static void software(orr_builder *b)
{
    static const char *const columns[] = {"vendor", "accelerator", "engine", "precision", "attention", "runs", "reason"};
    orr_csv *csv = orr_open_catalogue(b, "software");
    for (size_t i = 0; csv != NULL && i < sizeof columns / sizeof *columns; i++)
        orr_csv_need(csv, columns[i], b->problems);
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        static const char *const runs[] = {"yes", "no"};
        orr_software *s = orr_append(b, &b->software);
        *s = (orr_software){.vendor = orr_word(b, csv, r, "vendor"), .accelerator = orr_word(b, csv, r, "accelerator"), .engine = orr_word(b, csv, r, "engine"),
                            .precision = orr_word(b, csv, r, "precision"), .attention = orr_word(b, csv, r, "attention"), .reason = orr_word(b, csv, r, "reason")};
        s->runs = orr_word_index(b, csv, r, "runs", runs, 2, 0) == 0;
        orr_note_origin(b, csv, r, "software", s->reason);
    }
    orr_csv_destroy(csv);
}

const char *orr_why_not(const orr_builder *b, const orr_accelerator *a, const char *engine, const char *precision, const orr_model_info *m)
{
    for (uint32_t i = 0; i < b->software.count; i++) {
        const orr_software *s = orr_array_at(&b->software, i);
        if (says(s->vendor, a->vendor) && says(s->accelerator, a->name) && says(s->engine, engine) && says(s->precision, precision) && says(s->attention, m->attention_kind))
            return s->runs ? NULL : s->reason;
    }
    return NULL;
}

void orr_build_engines(orr_builder *b)
{
    engines(b);
    calibrations(b);
    software(b);
}
