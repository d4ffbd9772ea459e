/* Catalogues: facts about things (accelerators, models, prices, access, devices, profiles, rules), each row with its origin. */
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NO_DEFAULT = NAN;

/* Reads cells of one row by column name. The column's absence is noted once by orr_csv_need. */
static double cell(orr_builder *b, const orr_csv *csv, size_t row, const char *column, double low, double high, double fallback)
{
    int c = isnan(fallback) ? orr_csv_need(csv, column, b->problems) : orr_csv_column(csv, column);
    if (c < 0)
        return isnan(fallback) ? low : fallback;
    double value = orr_csv_number(csv, row, c, low, high, fallback, b->problems);
    return isnan(value) ? low : value;
}

const char *orr_word(orr_builder *b, const orr_csv *csv, size_t row, const char *column)
{
    return orr_keep(b, orr_csv_cell(csv, row, orr_csv_column(csv, column)));
}

orr_csv *orr_open_catalogue(orr_builder *b, const char *key)
{
    const orr_node *catalogues = orr_node_get(b->root, "catalogues");
    if (catalogues == NULL || !orr_has(catalogues, key))
        return NULL;
    if (!orr_can_read(b, orr_text(catalogues, key), orr_where_of(catalogues, key)))
        return NULL;
    orr_csv *csv = orr_csv_load(orr_text(catalogues, key), b->problems);
    if (csv != NULL)
        orr_csv_require_origin(csv, b->problems);
    return csv;
}

const char *orr_unique_name(orr_builder *b, const orr_csv *csv, size_t row, const char *column, const orr_array *array)
{
    int c = orr_csv_need(csv, column, b->problems);
    const char *name = orr_word(b, csv, row, column);
    if (c >= 0 && *name == 0)
        orr_problem(b->problems, orr_csv_where(csv, row, c), "`%s` is empty", column);
    else if (orr_look_up(array, name) != ORR_NONE)
        orr_problem(b->problems, orr_csv_where(csv, row, c), "duplicate %s `%s`", column, name);
    return name;
}

int orr_word_index(orr_builder *b, const orr_csv *csv, size_t row, const char *column, const char *const *words, int count, int fallback)
{
    int c = orr_csv_column(csv, column);
    const char *text = orr_csv_cell(csv, row, c);
    if (*text == 0)
        return fallback;
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    const char *near = orr_nearest(text, words, (size_t)count);
    orr_problem(b->problems, orr_csv_where(csv, row, c), "%s: unknown `%s`%s%s", column, text, near ? ", did you mean " : "", near ? near : "");
    return fallback;
}

static void accelerators(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "accelerators");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        const char *name = orr_unique_name(b, csv, r, "name", &b->accelerators);
        orr_accelerator *a = orr_append(b, &b->accelerators);
        a->name = name;
        a->title = orr_word(b, csv, r, "title");
        a->vendor = orr_word(b, csv, r, "vendor");
        a->confidence = orr_word(b, csv, r, "confidence");
        a->memory_bytes = 1e9 * cell(b, csv, r, "memory_gb", 0.001, 1e9, NO_DEFAULT);
        a->bandwidth_byte_s = 1e9 * cell(b, csv, r, "bandwidth_gb_s", 0.001, 1e9, NO_DEFAULT);
        a->bf16_flops = 1e12 * cell(b, csv, r, "bf16_tflops", 0.001, 1e9, NO_DEFAULT);
        a->int8_ops = 1e12 * cell(b, csv, r, "int8_tops", 0, 1e9, 0);
        a->fp8_flops = 1e12 * cell(b, csv, r, "fp8_tflops", 0, 1e9, 0);
        a->fp4_flops = 1e12 * cell(b, csv, r, "fp4_tflops", 0, 1e9, 0);
        a->link_byte_s = 1e9 * cell(b, csv, r, "link_gb_s", 0.001, 1e6, NO_DEFAULT);
        a->tdp_w = cell(b, csv, r, "tdp_w", 0.1, 1e7, NO_DEFAULT);
        a->host_w = cell(b, csv, r, "host_w", 0, 1e7, NO_DEFAULT);
        a->idle_fraction = cell(b, csv, r, "idle_power_fraction", 0, 1, NO_DEFAULT);
        a->prefill_fraction = cell(b, csv, r, "prefill_power_fraction", 0, 1, NO_DEFAULT);
        a->decode_fraction = cell(b, csv, r, "decode_power_fraction", 0, 1, NO_DEFAULT);
        a->rent_yuan_per_hour = cell(b, csv, r, "rent_yuan_per_hour", 0, 1e9, 0);
        if (a->idle_fraction > fmin(a->prefill_fraction, a->decode_fraction))
            orr_problem(b->problems, orr_csv_where(csv, r, orr_csv_column(csv, "idle_power_fraction")), "idle_power_fraction: `%s` would draw more when idle than at work", name);
        orr_note_origin(b, csv, r, "accelerators", name);
    }
    orr_csv_destroy(csv);
}

static void models(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "models");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        const char *name = orr_unique_name(b, csv, r, "name", &b->models);
        orr_model_info *m = orr_append(b, &b->models);
        m->name = name;
        m->title = orr_word(b, csv, r, "title");
        m->vendor = orr_word(b, csv, r, "vendor");
        m->confidence = orr_word(b, csv, r, "confidence");
        m->parameters = 1e9 * cell(b, csv, r, "total_params_b", 0.0001, 1e6, NO_DEFAULT);
        m->active_parameters = 1e9 * cell(b, csv, r, "active_params_b", 0.0001, 1e6, NO_DEFAULT);
        m->expert_parameters = 1e9 * cell(b, csv, r, "expert_params_b", 0, 1e6, 0);
        m->layers = (uint32_t)cell(b, csv, r, "layers", 1, 10000, NO_DEFAULT);
        m->hidden = (uint32_t)cell(b, csv, r, "hidden", 1, 1e6, NO_DEFAULT);
        m->heads = (uint32_t)cell(b, csv, r, "heads", 1, 1e5, NO_DEFAULT);
        m->kv_heads = (uint32_t)cell(b, csv, r, "kv_heads", 1, 1e5, NO_DEFAULT);
        m->head_dim = (uint32_t)cell(b, csv, r, "head_dim", 1, 1e5, NO_DEFAULT);
        m->experts = (uint32_t)cell(b, csv, r, "experts", 0, 1e5, 0);
        m->top_k = (uint32_t)cell(b, csv, r, "topk", 0, 1e5, 0);
        m->kv_elements_per_token = cell(b, csv, r, "kv_elems_per_token", 1, 1e9, NO_DEFAULT);
        m->near_limit = (uint32_t)cell(b, csv, r, "near_limit", 0, 1e6, 0);
        m->near_elements_per_token = cell(b, csv, r, "near_elems_per_token", 0, 1e9, 0);
        m->read_elements_per_token = cell(b, csv, r, "read_elems_per_token", 0, 1e9, m->kv_elements_per_token);
        m->full_layers = cell(b, csv, r, "full_layers", 0, 1e4, m->layers);
        m->near_layers = cell(b, csv, r, "near_layers", 0, 1e4, 0);
        m->vision_parameters = 1e9 * cell(b, csv, r, "vision_params_b", 0, 1e3, 0);
        m->image_tokens = (uint32_t)cell(b, csv, r, "image_tokens", 0, 1e6, 0);
        m->image_patches = cell(b, csv, r, "image_patches", 0, 1e3, 0);
        m->step_tokens = (uint32_t)cell(b, csv, r, "step_tokens", 0, 1e6, 0);
        m->longest_context = (uint32_t)cell(b, csv, r, "max_context", 1, 1e9, NO_DEFAULT);
        m->attention_kind = orr_word(b, csv, r, "attention");
        m->attention = strcmp(m->attention_kind, "mla") == 0 ? ORR_ATTENTION_MLA : ORR_ATTENTION_SHARDED;
        orr_note_origin(b, csv, r, "models", name);
    }
    orr_csv_destroy(csv);
}

static uint32_t days_of(orr_builder *b, const orr_csv *csv, size_t row)
{
    static const char *const word_of[] = {"all", "mon-fri", "sat-sun"};
    static const uint32_t bits[] = {0x7f, 0x1f, 0x60};
    int c = orr_csv_need(csv, "days", b->problems);
    const char *text = orr_csv_cell(csv, row, c);
    for (int i = 0; i < 3; i++)
        if (strcmp(text, word_of[i]) == 0)
            return bits[i];
    orr_problem(b->problems, orr_csv_where(csv, row, c), "days: expected all, mon-fri or sat-sun, found `%s`", text);
    return 0;
}

static uint32_t minute_of(orr_builder *b, const orr_csv *csv, size_t row, const char *column)
{
    int c = orr_csv_need(csv, column, b->problems);
    const char *text = orr_csv_cell(csv, row, c);
    unsigned hour, minute;
    char rest;
    if (sscanf(text, "%2u:%2u%c", &hour, &minute, &rest) == 2 && minute < 60 && hour * 60 + minute <= 1440)
        return hour * 60 + minute;
    orr_problem(b->problems, orr_csv_where(csv, row, c), "%s: expected a time of day such as 09:30, found `%s`", column, text);
    return 0;
}

/* Every minute of the week must have exactly one price. */
static void check_tiling(orr_builder *b, const orr_model_info *m, const orr_csv *csv, size_t first_row)
{
    const orr_tariff *t = b->tariffs.items;
    for (uint32_t day = 0; day < 7; day++)
        for (uint32_t minute = 0; minute < 1440; minute++) {
            int prices = 0;
            for (uint32_t i = m->tariff; i < m->tariff + m->tariff_count; i++)
                prices += (t[i].days >> day & 1) && minute >= t[i].from_minute && minute < t[i].to_minute;
            if (prices != 1) {
                orr_problem(b->problems, orr_csv_where(csv, first_row, 0), "the tariff of `%s` has %d prices at %02u:%02u on day %u of the week; every minute needs exactly one",
                            m->name, prices, minute / 60, minute % 60, day + 1);
                return;
            }
        }
}

static void prices(orr_builder *b)
{
    static const char *const column[ORR_TOKEN_KINDS] = {"cached_input_yuan_per_million", "input_yuan_per_million", "output_yuan_per_million"};
    orr_csv *csv = orr_open_catalogue(b, "prices");
    if (csv == NULL)
        return;
    int name_column = orr_csv_need(csv, "model", b->problems);
    /* Rows of one model may stand apart: collect them model by model. */
    for (uint32_t k = 0; k < b->models.count && name_column >= 0; k++) {
        orr_model_info *m = orr_array_at(&b->models, k);
        size_t first_row = 0;
        m->tariff = b->tariffs.count;
        for (size_t r = 0; r < orr_csv_rows(csv); r++) {
            if (strcmp(orr_csv_cell(csv, r, name_column), m->name) != 0)
                continue;
            if (m->tariff_count == 0)
                first_row = r;
            orr_tariff *t = orr_append(b, &b->tariffs);
            t->days = days_of(b, csv, r);
            t->from_minute = minute_of(b, csv, r, "from");
            t->to_minute = minute_of(b, csv, r, "to");
            for (int kind = 0; kind < ORR_TOKEN_KINDS; kind++)
                t->price[kind] = llround(1e9 * cell(b, csv, r, column[kind], 0, 1e6, NO_DEFAULT));
            m->tariff_count++;
            orr_note_origin(b, csv, r, "prices", m->name);
        }
        if (m->tariff_count > 0)
            check_tiling(b, m, csv, first_row);
    }
    for (size_t r = 0; r < orr_csv_rows(csv) && name_column >= 0; r++)
        orr_find(b, &b->models, orr_csv_cell(csv, r, name_column), "model", orr_csv_where(csv, r, name_column));
    orr_csv_destroy(csv);
}

static void accesses(orr_builder *b)
{
    static const double NORMAL_99 = 2.3263478740408408; /* 99 % point of the normal law */
    orr_access *none = orr_append(b, &b->accesses);
    *none = (orr_access){.name = "none", .uplink_bit_s = INFINITY, .downlink_bit_s = INFINITY, .sigma = -1};
    orr_csv *csv = orr_open_catalogue(b, "access");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        if (strcmp(orr_csv_cell(csv, r, orr_csv_column(csv, "tech")), "none") == 0)
            continue;
        const char *name = orr_unique_name(b, csv, r, "tech", &b->accesses);
        orr_access *a = orr_append(b, &b->accesses);
        a->name = name;
        a->uplink_bit_s = 1e6 * cell(b, csv, r, "uplink_mbps", 1e-6, 1e9, NO_DEFAULT);
        a->downlink_bit_s = 1e6 * cell(b, csv, r, "downlink_mbps", 1e-6, 1e9, NO_DEFAULT);
        double median = 1e6 * cell(b, csv, r, "rtt_median_ms", 0.0001, 1e6, NO_DEFAULT);
        double p99 = 1e6 * cell(b, csv, r, "rtt_p99_ms", 0.0001, 1e6, NO_DEFAULT);
        if (p99 < median)
            orr_problem(b->problems, orr_csv_where(csv, r, orr_csv_column(csv, "rtt_p99_ms")), "rtt_p99_ms is below the median");
        a->mu = log(median);
        a->sigma = p99 > median ? log(p99 / median) / NORMAL_99 : 0;
        orr_note_origin(b, csv, r, "access", name);
    }
    orr_csv_destroy(csv);
}

static void devices(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "devices");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        const char *name = orr_unique_name(b, csv, r, "device", &b->devices);
        orr_device *d = orr_append(b, &b->devices);
        d->name = name;
        d->access = orr_word(b, csv, r, "access");
        d->request_bytes = (uint32_t)cell(b, csv, r, "request_bytes_fixed", 0, 1e9, NO_DEFAULT);
        d->response_bytes = (uint32_t)cell(b, csv, r, "response_bytes_fixed", 0, 1e9, NO_DEFAULT);
        d->bytes_per_input_token = (uint32_t)cell(b, csv, r, "bytes_per_input_token", 0, 200, NO_DEFAULT);
        d->bytes_per_output_token = (uint32_t)cell(b, csv, r, "bytes_per_output_token", 0, 1000, NO_DEFAULT);
        orr_note_origin(b, csv, r, "devices", name);
    }
    orr_csv_destroy(csv);
}

static void profiles(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "profiles");
    if (csv == NULL)
        return;
    for (size_t r = 0; r < orr_csv_rows(csv); r++) {
        const char *name = orr_word(b, csv, r, "profile");
        uint32_t at = orr_look_up(&b->profiles, name);
        orr_profile *p = at == ORR_NONE ? orr_append(b, &b->profiles) : orr_array_at(&b->profiles, at);
        p->name = name;
        uint32_t hour = (uint32_t)cell(b, csv, r, "hour", 0, 23, NO_DEFAULT);
        if (p->seen >> hour & 1)
            orr_problem(b->problems, orr_csv_where(csv, r, orr_csv_column(csv, "hour")), "profile `%s` has hour %u twice", name, hour);
        p->seen |= 1u << hour;
        p->weight[hour] = cell(b, csv, r, "weight", 0, 1e6, NO_DEFAULT);
        if (hour == 0)
            orr_note_origin(b, csv, r, "profiles", name);
    }
    for (uint32_t i = 0; i < b->profiles.count; i++) {
        orr_profile *p = orr_array_at(&b->profiles, i);
        double sum = 0;
        for (int h = 0; h < 24; h++)
            sum += p->weight[h];
        if (p->seen != 0xffffff || sum <= 0)
            orr_problem(b->problems, (orr_where){orr_csv_path(csv), 0, 0}, "profile `%s` must give a weight for each hour from 0 to 23, not all zero", p->name);
        for (int h = 0; h < 24; h++)
            p->weight[h] *= sum > 0 ? 24 / sum : 0;
    }
    orr_csv_destroy(csv);
}

static void rules(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "residency");
    for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++) {
        orr_rule *rule = orr_append(b, &b->rules);
        rule->origin = orr_word(b, csv, r, "origin");
        rule->data_class = orr_word(b, csv, r, "data_class");
        rule->destination = orr_word(b, csv, r, "destination");
        rule->verdict = orr_word(b, csv, r, "verdict");
        rule->mechanism = orr_word(b, csv, r, "mechanism");
        if (strcmp(rule->verdict, "allow") != 0 && strcmp(rule->verdict, "allow_if") != 0 && strcmp(rule->verdict, "deny") != 0)
            orr_problem(b->problems, orr_csv_where(csv, r, orr_csv_column(csv, "verdict")), "verdict: expected allow, allow_if or deny, found `%s`", rule->verdict);
        orr_note_origin(b, csv, r, "residency", rule->data_class);
    }
    orr_csv_destroy(csv);
}

void orr_build_catalogues(orr_builder *b)
{
    accelerators(b);
    models(b);
    prices(b);
    accesses(b);
    devices(b);
    profiles(b);
    rules(b);
}
