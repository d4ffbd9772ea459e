#include "trace/report_series.h"

#include "base/time.h"
#include "trace/report_json.h"
#include "trace/schema.h"
#include "trace/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const flow_names[ORR_SERIES_FLOWS] = {"offered", "served", "refused", "abandoned", "failed", "met"};

/* A table's columns as doubles: exact for every count below 2^53, and the page shows five digits. */
enum { MOST_COLUMNS = 8 };
typedef struct columns {
    double *value[MOST_COLUMNS];
    size_t  rows;
} columns;

static bool read_columns(columns *c, hid_t file, const char *table, const char *const *names, size_t count)
{
    *c = (columns){0};
    for (size_t i = 0; i < count; i++) {
        size_t rows;
        c->value[i] = orr_read_doubles(file, table, names[i], &rows);
        if (c->value[i] == NULL || (i > 0 && rows != c->rows))
            return false;
        c->rows = rows;
    }
    return true;
}

static void free_columns(columns *c)
{
    for (int i = 0; i < MOST_COLUMNS; i++)
        free(c->value[i]);
}

/* An index of a table: negative numbers and NaN become too large for any. */
static size_t index_of(double value) { return value >= 0 && value < 1e9 ? (size_t)value : SIZE_MAX; }

static size_t bin_of(const orr_shape *s, double time_ns) { return index_of(floor(time_ns / (double)s->bin_ns / (double)s->group)); }

orr_status orr_series_init(orr_series *s, const orr_shape *shape)
{
    size_t bins = shape->bins, cells = shape->site_count * bins;
    *s = (orr_series){.shape = shape};
    orr_shelf_init(&s->shelf);
    orr_array_init(&s->models, sizeof(orr_series_cost));
    orr_array_init(&s->classes, sizeof(orr_series_cost));
    s->latency = calloc(shape->class_count * ORR_SERIES_METRICS + 1, sizeof *s->latency);
    s->busy = calloc(cells + 1, sizeof *s->busy);
    s->whole = calloc(cells + 1, sizeof *s->whole);
    s->batch = calloc(cells + 1, sizeof *s->batch);
    s->work = calloc(cells + 1, sizeof *s->work);
    s->flow = calloc(ORR_SERIES_FLOWS * bins + 1, sizeof *s->flow);
    s->width_s = calloc(bins + 1, sizeof *s->width_s);
    s->link_bytes = calloc(shape->link_count + 1, sizeof *s->link_bytes);
    s->link_group = bins > 0 ? (bins - 1) / ORR_SERIES_LINK_BINS + 1 : 1;
    s->link_bins = bins > 0 ? (bins - 1) / s->link_group + 1 : 0;
    s->link_flow = calloc(shape->link_count * s->link_bins + 1, sizeof *s->link_flow);
    return s->latency && s->busy && s->whole && s->batch && s->work && s->flow && s->width_s && s->link_bytes && s->link_flow ? ORR_OK : ORR_NO_MEMORY;
}

static void free_costs(orr_array *costs)
{
    for (uint32_t i = 0; i < costs->count; i++)
        free(((orr_series_cost *)orr_array_at(costs, i))->name);
    orr_array_clear(costs);
}

void orr_series_destroy(orr_series *s)
{
    void *const owned[] = {s->latency, s->busy, s->whole, s->batch, s->work, s->flow, s->width_s, s->link_bytes, s->link_flow};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free_costs(&s->models);
    free_costs(&s->classes);
    orr_array_clear(&s->shelf.chunks);
    *s = (orr_series){0};
}

static bool add_latency(orr_series *s, hid_t file)
{
    static const char *const names[] = {"class", "metric", "bucket", "count"};
    columns c;
    bool ok = read_columns(&c, file, "/latency", names, 4);
    for (size_t r = 0; ok && r < c.rows; r++) {
        size_t class = index_of(c.value[0][r]), metric = index_of(c.value[1][r]);
        if (class < s->shape->class_count && metric < ORR_SERIES_METRICS)
            ok = orr_histogram_add(&s->latency[class * ORR_SERIES_METRICS + metric], &s->shelf, (int64_t)c.value[2][r], (uint32_t)c.value[3][r]);
    }
    free_columns(&c);
    return ok;
}

static bool add_servers(orr_series *s, hid_t file)
{
    static const char *const names[] = {"time", "pool", "width", "slot_time", "batch_time", "busy_time"};
    columns c;
    bool ok = read_columns(&c, file, "/sites", names, 6);
    for (size_t r = 0; ok && r < c.rows; r++) {
        size_t bin = bin_of(s->shape, c.value[0][r]), pool = index_of(c.value[1][r]);
        if (bin >= s->shape->bins || pool >= s->shape->pool_count || s->shape->pool_slots[pool] <= 0)
            continue;
        size_t at = (size_t)s->shape->pool_site[pool] * s->shape->bins + bin;
        double weight = s->shape->pool_weight[pool];
        s->busy[at] += weight * c.value[3][r] / s->shape->pool_slots[pool];
        s->whole[at] += weight * c.value[2][r] / ORR_SECOND;
        s->batch[at] += c.value[4][r];
        s->work[at] += c.value[5][r];
    }
    free_columns(&c);
    return ok;
}

static bool add_flow(orr_series *s, hid_t file, int64_t until_ns)
{
    static const char *const names[] = {"time", "offered", "served", "refused", "abandoned", "failed", "slo_met"};
    size_t bins = s->shape->bins;
    columns c;
    bool ok = read_columns(&c, file, "/sites/flow", names, 1 + ORR_SERIES_FLOWS);
    for (size_t r = 0; ok && r < c.rows; r++) {
        size_t bin = bin_of(s->shape, c.value[0][r]);
        for (size_t k = 0; bin < bins && k < ORR_SERIES_FLOWS; k++)
            s->flow[k * bins + bin] += c.value[1 + k][r];
    }
    double wide = (double)s->shape->bin_ns * (double)s->shape->group;
    for (size_t bin = 0; bin < bins; bin++)
        s->width_s[bin] += fmax(0, fmin((double)until_ns - (double)bin * wide, wide)) / ORR_SECOND;
    free_columns(&c);
    return ok;
}

static bool add_links(orr_series *s, hid_t file)
{
    static const char *const names[] = {"link", "bytes_ab", "bytes_ba", "time"};
    columns c;
    bool ok = read_columns(&c, file, "/links", names, 4);
    for (size_t r = 0; ok && r < c.rows; r++) {
        size_t link = index_of(c.value[0][r]), bin = bin_of(s->shape, c.value[3][r]);
        if (link >= s->shape->link_count)
            continue;
        s->link_bytes[link] += c.value[1][r] + c.value[2][r];
        if (bin < s->shape->bins)
            s->link_flow[link * s->link_bins + bin / s->link_group] += c.value[1][r] + c.value[2][r];
    }
    free_columns(&c);
    return ok;
}

static bool add_decisions(orr_series *s, hid_t file)
{
    static const char *const age_names[] = {"bucket", "count"};
    columns ages;
    size_t rows, named;
    char *reason = orr_read_texts(file, "/decisions/reasons", "reason", &named);
    double *count = orr_read_doubles(file, "/decisions/reasons", "count", &rows);
    bool ok = reason != NULL && count != NULL && rows == named;
    for (size_t r = 0; ok && r < rows; r++)
        for (size_t k = 0; k < ORR_SERIES_REASONS; k++)
            if (strcmp(reason + r * ORR_TEXT_BYTES, orr_reason_names[k]) == 0)
                s->reasons[k] += count[r];
    ok &= read_columns(&ages, file, "/decisions/state_age", age_names, 2);
    for (size_t r = 0; ok && r < ages.rows; r++)
        for (double left = ages.value[1][r]; ok && left > 0; left -= UINT32_MAX) /* a histogram takes 32 bits at a time */
            ok = orr_histogram_add(&s->age, &s->shelf, (int64_t)ages.value[0][r], (uint32_t)fmin(left, UINT32_MAX));
    free(reason);
    free(count);
    free_columns(&ages);
    return ok;
}

static orr_series_cost *cost_called(orr_array *costs, const char *name)
{
    for (uint32_t i = 0; i < costs->count; i++)
        if (strcmp(((orr_series_cost *)orr_array_at(costs, i))->name, name) == 0)
            return orr_array_at(costs, i);
    char *copy = strdup(name);
    orr_series_cost *cost = copy == NULL ? NULL : orr_array_extend(costs, 1);
    if (cost == NULL)
        free(copy);
    else
        cost->name = copy;
    return cost;
}

static bool add_costs(orr_array *costs, const cJSON *groups)
{
    static const char *const kinds[] = {"tokens.cached_input", "tokens.input", "tokens.output"};
    const cJSON *group;
    cJSON_ArrayForEach(group, groups)
    {
        orr_series_cost *cost = cost_called(costs, group->string);
        if (cost == NULL)
            return false;
        cost->yuan += orr_summary_number(group, "cost.total_yuan");
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            cost->tokens += orr_summary_number(group, kinds[k]);
    }
    return true;
}

orr_status orr_series_add(orr_series *s, hid_t file, const char *path, const cJSON *summary, orr_problems *problems)
{
    int64_t until = orr_read_attribute_integer(file, "simulated_until", 0);
    if (!add_latency(s, file) || !add_servers(s, file) || !add_flow(s, file, until) || !add_links(s, file) || !add_decisions(s, file)) {
        orr_problem(problems, (orr_where){path, 0, 0}, "has tables that are not whole, or memory ran out");
        return ORR_BAD_INPUT;
    }
    s->runs++;
    s->seconds += (double)until / ORR_SECOND;
    s->energy_kwh += orr_summary_number(summary, "energy.kwh");
    s->carbon_kg += orr_summary_number(summary, "carbon.kg");
    return add_costs(&s->models, cJSON_GetObjectItemCaseSensitive(summary, "by_model")) && add_costs(&s->classes, cJSON_GetObjectItemCaseSensitive(summary, "by_class")) ? ORR_OK : ORR_NO_MEMORY;
}

/* A point of the curve is worth keeping if the curve or its tail, on a log scale, has moved enough since the last one. */
static bool has_moved(double from, double to)
{
    static const double STEP = 1.0 / 140, TAIL_STEP = 1.12;
    return to - from >= STEP || (1 - from) >= TAIL_STEP * (1 - to) || (from > 0 && from < 0.02 && to >= TAIL_STEP * from);
}

typedef struct curve {
    cJSON *edges, *shares;
    double kept; /* share at the last point that was kept */
} curve;

static void keep(curve *c, int64_t edge_ns, double share)
{
    cJSON_AddItemToArray(c->edges, orr_json_number((double)edge_ns / ORR_SECOND));
    cJSON_AddItemToArray(c->shares, cJSON_CreateNumber(share));
    c->kept = share;
}

/* Upper edges in s and the share at or below them. The curve begins at the lower edge of the first bucket, where nothing has been answered yet. */
static void describe_curve(cJSON *class, const char *name, const orr_histogram *h, const orr_shelf *shelf)
{
    if (h->count == 0)
        return;
    cJSON *object = cJSON_AddObjectToObject(class, name);
    curve c = {cJSON_AddArrayToObject(object, "s"), cJSON_AddArrayToObject(object, "cdf"), 0};
    uint32_t at = 0, count;
    int64_t lower, edge = -1;
    uint64_t below = 0;
    double share = 0;
    bool pending = false; /* the last point was left out so far */
    while (orr_histogram_next(h, shelf, &at, &lower, &count)) {
        double next = (double)(below + count) / (double)h->count;
        if (lower > edge && has_moved(c.kept, next)) { /* over a gap the curve is flat; without these two points the line would cut the corner */
            if (pending)
                keep(&c, edge, share);
            keep(&c, lower, share);
        }
        below += count;
        share = round(1e6 * next) / 1e6;
        edge = orr_histogram_upper(lower);
        pending = !has_moved(c.kept, next) && below < h->count;
        if (!pending)
            keep(&c, edge, share);
    }
}

static void describe_latency(cJSON *policy, const orr_series *s)
{
    cJSON *latency = cJSON_AddObjectToObject(policy, "latency");
    for (size_t c = 0; c < s->shape->class_count; c++) {
        cJSON *class = cJSON_AddObjectToObject(latency, orr_shape_text(s->shape->class_name, c, ORR_TEXT_BYTES));
        for (size_t m = 0; m < ORR_SERIES_METRICS; m++)
            describe_curve(class, orr_metric_names[m], &s->latency[c * ORR_SERIES_METRICS + m], &s->shelf);
    }
}

/* Ratios by site and bin; sites without anything in the denominator are left out. */
static bool describe_sites(cJSON *policy, const char *name, const orr_series *s, const double *above, const double *below)
{
    size_t bins = s->shape->bins;
    cJSON *sites = cJSON_AddObjectToObject(policy, name);
    double *ratio = calloc(bins + 1, sizeof *ratio);
    for (size_t i = 0; ratio != NULL && i < s->shape->site_count; i++) {
        bool any = false;
        for (size_t b = 0; b < bins; b++) {
            double under = below[i * bins + b];
            any |= under > 0;
            ratio[b] = under > 0 ? above[i * bins + b] / under : NAN;
        }
        if (any)
            orr_json_add_list(sites, orr_shape_text(s->shape->site_id, i, ORR_TEXT_BYTES), ratio, bins);
    }
    bool ok = ratio != NULL;
    free(ratio);
    return ok;
}

static bool describe_flow(cJSON *policy, const orr_series *s)
{
    size_t bins = s->shape->bins;
    cJSON *flow = cJSON_AddObjectToObject(policy, "flow");
    double *rate = calloc(bins + 1, sizeof *rate);
    for (size_t k = 0; rate != NULL && k < ORR_SERIES_FLOWS; k++) {
        for (size_t b = 0; b < bins; b++)
            rate[b] = s->width_s[b] > 0 ? s->flow[k * bins + b] / s->width_s[b] : NAN;
        orr_json_add_list(flow, flow_names[k], rate, bins);
    }
    bool ok = rate != NULL;
    free(rate);
    return ok;
}

static void describe_links(cJSON *policy, const orr_series *s, const bool *shown)
{
    cJSON *load = cJSON_AddArrayToObject(policy, "link_load"), *bytes = cJSON_AddArrayToObject(policy, "link_bytes");
    for (size_t l = 0; l < s->shape->link_count; l++) {
        if (!shown[l])
            continue;
        /* both directions over what both could carry, as in the summary */
        cJSON_AddItemToArray(load, orr_json_number(8 * s->link_bytes[l] / (2 * s->shape->capacity_bit_s[l] * s->seconds)));
        cJSON_AddItemToArray(bytes, orr_json_number(s->link_bytes[l] / (double)s->runs));
    }
}

/* Load of the links by coarse bins: {group: bins of the page in one, load: a list per link that is shown}. */
static bool describe_link_flow(cJSON *policy, const orr_series *s, const bool *shown)
{
    cJSON *flow = cJSON_AddObjectToObject(policy, "link_flow"), *load = cJSON_CreateArray();
    double *share = calloc(s->link_bins + 1, sizeof *share), *width_s = calloc(s->link_bins + 1, sizeof *width_s);
    bool ok = share != NULL && width_s != NULL;
    for (size_t b = 0; ok && b < s->shape->bins; b++)
        width_s[b / s->link_group] += s->width_s[b];
    orr_json_add_exact(flow, "group", (double)s->link_group);
    for (size_t l = 0; ok && l < s->shape->link_count; l++) {
        if (!shown[l])
            continue;
        for (size_t b = 0; b < s->link_bins; b++)
            share[b] = width_s[b] > 0 ? 8 * s->link_flow[l * s->link_bins + b] / (2 * s->shape->capacity_bit_s[l] * width_s[b]) : NAN;
        cJSON *list = cJSON_CreateArray();
        for (size_t b = 0; b < s->link_bins; b++)
            cJSON_AddItemToArray(list, orr_json_number_of(share[b], 2));
        cJSON_AddItemToArray(load, list);
    }
    cJSON_AddItemToObject(flow, "load", load);
    free(share);
    free(width_s);
    return ok;
}

static void describe_costs(cJSON *policy, const char *name, const orr_array *costs, size_t runs)
{
    cJSON *object = cJSON_AddObjectToObject(policy, name);
    for (uint32_t i = 0; i < costs->count; i++) {
        const orr_series_cost *cost = orr_array_at(costs, i);
        cJSON *item = cJSON_AddObjectToObject(object, cost->name);
        orr_json_add(item, "yuan", cost->yuan / (double)runs);
        orr_json_add(item, "tokens", cost->tokens / (double)runs);
        orr_json_add(item, "yuan_per_million", cost->tokens > 0 ? cost->yuan / cost->tokens * 1e6 : NAN);
    }
}

static void describe_age(cJSON *policy, const orr_series *s)
{
    if (s->age.count == 0)
        return;
    uint32_t at = 0, count;
    int64_t lower;
    double sum = 0;
    while (orr_histogram_next(&s->age, &s->shelf, &at, &lower, &count))
        sum += count * ((double)lower + (double)(orr_histogram_upper(lower) - 1)) / 2;
    cJSON *age = cJSON_AddObjectToObject(policy, "decision_age_s");
    orr_json_add(age, "mean", sum / (double)s->age.count / ORR_SECOND);
    orr_json_add(age, "p50", (double)orr_histogram_quantile(&s->age, &s->shelf, 0.5) / ORR_SECOND);
    orr_json_add(age, "p99", (double)orr_histogram_quantile(&s->age, &s->shelf, 0.99) / ORR_SECOND);
}

bool orr_series_describe(cJSON *policy, const orr_series *s, const bool *link_shown)
{
    describe_latency(policy, s);
    bool ok = describe_sites(policy, "utilisation", s, s->busy, s->whole) && describe_sites(policy, "batch", s, s->batch, s->work) && describe_flow(policy, s);
    describe_links(policy, s, link_shown);
    ok = describe_link_flow(policy, s, link_shown) && ok;
    cJSON *reasons = cJSON_AddObjectToObject(policy, "reasons");
    for (size_t k = 1; k < ORR_SERIES_REASONS; k++) /* 0 is "none": nothing to give a reason for */
        orr_json_add_exact(reasons, orr_reason_names[k], s->reasons[k]);
    describe_costs(policy, "cost_by_model", &s->models, s->runs);
    describe_costs(policy, "cost_by_class", &s->classes, s->runs);
    orr_json_add(policy, "energy_kwh", s->energy_kwh / (double)s->runs);
    orr_json_add(policy, "carbon_kg", s->carbon_kg / (double)s->runs);
    describe_age(policy, s);
    return ok;
}
