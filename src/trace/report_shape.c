#include "trace/report_shape.h"

#include "base/time.h"
#include "trace/report_json.h"
#include "trace/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define TEXT(texts, i) orr_shape_text(texts, i, ORR_TEXT_BYTES)

/* Reads a column of `table` and sees that all its columns are equally long; the first one sets the length. */
typedef struct reader {
    hid_t       file;
    const char *table;
    size_t      rows;
    bool        begun, failed;
} reader;

static void *seen(reader *r, void *column, size_t rows)
{
    r->failed |= column == NULL || (r->begun && rows != r->rows);
    r->rows = rows;
    r->begun = true;
    return column;
}

static char *texts(reader *r, const char *column)
{
    size_t rows;
    char *values = orr_read_texts(r->file, r->table, column, &rows);
    return seen(r, values, rows);
}

static double *doubles(reader *r, const char *column)
{
    size_t rows;
    double *values = orr_read_doubles(r->file, r->table, column, &rows);
    return seen(r, values, rows);
}

static int64_t *integers(reader *r, const char *column)
{
    size_t rows;
    int64_t *values = orr_read_integers(r->file, r->table, column, &rows);
    return seen(r, values, rows);
}

static bool read_sites(orr_shape *s, hid_t file)
{
    reader r = {.file = file, .table = "/scenario/sites"};
    s->site_id = texts(&r, "id");
    s->site_name = texts(&r, "name");
    s->site_kind = texts(&r, "kind");
    s->site_region = texts(&r, "region");
    s->site_country = texts(&r, "country");
    s->latitude = doubles(&r, "latitude");
    s->longitude = doubles(&r, "longitude");
    s->accelerators = doubles(&r, "accelerators");
    s->site_used = integers(&r, "used");
    s->site_count = r.rows;
    return !r.failed;
}

static size_t site_called(const orr_shape *s, const char *id)
{
    size_t i = 0;
    while (i < s->site_count && strcmp(TEXT(s->site_id, i), id) != 0)
        i++;
    return i;
}

static bool read_links(orr_shape *s, hid_t file)
{
    reader r = {.file = file, .table = "/scenario/links"};
    s->link_a_id = texts(&r, "a");
    s->link_b_id = texts(&r, "b");
    s->km = doubles(&r, "length");
    s->capacity_bit_s = doubles(&r, "capacity");
    s->link_count = r.rows;
    s->link_a = calloc(r.rows + 1, sizeof *s->link_a);
    s->link_b = calloc(r.rows + 1, sizeof *s->link_b);
    if (r.failed || s->link_a == NULL || s->link_b == NULL)
        return false;
    for (size_t l = 0; l < s->link_count; l++) {
        s->link_a[l] = site_called(s, TEXT(s->link_a_id, l));
        s->link_b[l] = site_called(s, TEXT(s->link_b_id, l));
        if (s->link_a[l] == s->site_count || s->link_b[l] == s->site_count)
            return false;
    }
    return true;
}

static bool read_classes(orr_shape *s, hid_t file)
{
    reader r = {.file = file, .table = "/scenario/classes"};
    s->class_name = texts(&r, "name");
    s->class_title = texts(&r, "title");
    s->slo_ttft_s = doubles(&r, "slo_ttft");
    s->slo_tpot_s = doubles(&r, "slo_tpot");
    s->slo_e2e_s = doubles(&r, "slo_e2e");
    s->class_count = r.rows;
    return !r.failed;
}

/* As in the summary, stations beside accelerators do not count into the figure of the accelerators. */
static bool read_pools(orr_shape *s, hid_t file)
{
    reader r = {.file = file, .table = "/scenario/pools"};
    s->pool_site = integers(&r, "site");
    s->pool_slots = doubles(&r, "slots");
    s->pool_weight = doubles(&r, "slots");
    double *group = doubles(&r, "group"), *replicas = doubles(&r, "replicas"), *cache = doubles(&r, "kv_tokens");
    s->pool_count = r.rows;
    bool *accelerated = calloc(s->site_count + 1, sizeof *accelerated), ok = !r.failed && accelerated != NULL;
    for (size_t p = 0; ok && p < s->pool_count; p++) {
        ok = s->pool_site[p] >= 0 && (size_t)s->pool_site[p] < s->site_count;
        if (ok && cache[p] > 0)
            accelerated[s->pool_site[p]] = true;
    }
    for (size_t p = 0; ok && p < s->pool_count; p++)
        if (accelerated[s->pool_site[p]])
            s->pool_weight[p] = cache[p] > 0 ? group[p] * replicas[p] : 0;
    free(group);
    free(replicas);
    free(cache);
    free(accelerated);
    return ok;
}

orr_status orr_shape_read(orr_shape *s, hid_t file, const char *path, int64_t until_ns, orr_problems *problems)
{
    *s = (orr_shape){.group = 1};
    s->start_s = orr_read_attribute_integer(file, "start", 0);
    s->bin_ns = orr_read_attribute_integer(file, "bin_width", 0);
    if (!read_sites(s, file) || !read_links(s, file) || !read_classes(s, file) || !read_pools(s, file) || s->bin_ns <= 0) {
        orr_problem(problems, (orr_where){path, 0, 0}, "lacks tables under /scenario; is it a whole run?");
        return ORR_BAD_INPUT;
    }
    if (until_ns > 0) {
        size_t bins = (size_t)((until_ns - 1) / s->bin_ns) + 1;
        s->group = (bins - 1) / ORR_PAGE_BINS + 1;
        s->bins = (bins - 1) / s->group + 1;
    }
    return ORR_OK;
}

void orr_shape_destroy(orr_shape *s)
{
    void *const owned[] = {s->site_id, s->site_name, s->site_kind, s->site_region, s->site_country, s->latitude, s->longitude, s->accelerators, s->site_used, s->link_a_id, s->link_b_id,
                           s->link_a, s->link_b, s->km, s->capacity_bit_s, s->pool_site, s->pool_slots, s->pool_weight, s->class_name, s->class_title, s->slo_ttft_s, s->slo_tpot_s, s->slo_e2e_s};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *s = (orr_shape){0};
}

uint64_t orr_shape_fingerprint(hid_t file)
{
    static const orr_table_id tables[] = {ORR_TABLE_SITES_INFO, ORR_TABLE_LINKS_INFO, ORR_TABLE_POOLS_INFO, ORR_TABLE_CLASSES_INFO, ORR_TABLE_SERVICES_INFO};
    uint64_t hash = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        const orr_table_kind *kind = &orr_trace_tables[tables[t]];
        for (uint32_t c = 0; c < kind->column_count; c++) {
            bool text = kind->columns[c].cell == ORR_CELL_TEXT;
            size_t rows;
            void *values = text ? (void *)orr_read_texts(file, kind->path, kind->columns[c].name, &rows) : (void *)orr_read_doubles(file, kind->path, kind->columns[c].name, &rows);
            hash = XXH64(values == NULL ? "" : values, values == NULL ? 0 : rows * (text ? ORR_TEXT_BYTES : sizeof(double)), hash);
            free(values);
        }
    }
    return hash;
}

static cJSON *item_of(cJSON *list)
{
    cJSON *item = cJSON_CreateObject();
    if (cJSON_AddItemToArray(list, item))
        return item;
    cJSON_Delete(item);
    return NULL;
}

static void describe_classes(cJSON *to, const orr_shape *s)
{
    cJSON *list = cJSON_AddArrayToObject(to, "classes");
    for (size_t i = 0; i < s->class_count; i++) {
        cJSON *item = item_of(list);
        cJSON_AddStringToObject(item, "name", TEXT(s->class_name, i));
        cJSON_AddStringToObject(item, "title", TEXT(s->class_title, i));
        orr_json_add(item, "slo_ttft_s", s->slo_ttft_s[i]);
        orr_json_add(item, "slo_tpot_s", s->slo_tpot_s[i]);
        orr_json_add(item, "slo_e2e_s", s->slo_e2e_s[i]);
    }
}

static void describe_site(cJSON *list, const orr_shape *s, size_t i)
{
    cJSON *item = item_of(list);
    cJSON_AddStringToObject(item, "id", TEXT(s->site_id, i));
    cJSON_AddStringToObject(item, "name", TEXT(s->site_name, i));
    cJSON_AddStringToObject(item, "kind", TEXT(s->site_kind, i));
    cJSON_AddStringToObject(item, "region", TEXT(s->site_region, i));
    cJSON_AddStringToObject(item, "country", TEXT(s->site_country, i));
    orr_json_add_exact(item, "lat", s->latitude[i]);
    orr_json_add_exact(item, "lon", s->longitude[i]);
    orr_json_add_exact(item, "accelerators", s->accelerators[i]);
}

/* The scenario's clock is China's, whatever the reader's. */
static void describe_bins(cJSON *to, const orr_shape *s)
{
    enum { UTC_OFFSET_S = 8 * 3600 };
    time_t local = (time_t)(s->start_s + UTC_OFFSET_S);
    struct tm parts;
    char text[64] = "";
    if (s->bins == 0 || gmtime_r(&local, &parts) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+08:00", &parts) == 0)
        return;
    cJSON *bins = cJSON_AddObjectToObject(to, "bins");
    orr_json_add_exact(bins, "width_s", (double)s->bin_ns * (double)s->group / ORR_SECOND);
    cJSON_AddStringToObject(bins, "start", text);
    orr_json_add_exact(bins, "count", (double)s->bins);
}

bool orr_shape_describe(cJSON *to, const orr_shape *s, const double *carried, bool *link_shown)
{
    describe_classes(to, s);
    cJSON *sites = cJSON_AddArrayToObject(to, "sites"), *links = cJSON_AddArrayToObject(to, "links");
    bool *shown = calloc(s->site_count + 1, sizeof *shown);
    for (size_t i = 0; shown != NULL && i < s->site_count; i++)
        shown[i] = s->site_used[i] != 0;
    for (size_t l = 0; l < s->link_count; l++) {
        size_t a = s->link_a[l], b = s->link_b[l];
        link_shown[l] = shown != NULL && (carried[l] > 0 || (s->site_used[a] && s->site_used[b]));
        if (!link_shown[l])
            continue;
        shown[a] = shown[b] = true;
        cJSON *item = item_of(links);
        cJSON_AddStringToObject(item, "a", TEXT(s->site_id, a));
        cJSON_AddStringToObject(item, "b", TEXT(s->site_id, b));
        orr_json_add(item, "km", s->km[l]);
        orr_json_add(item, "capacity_gbps", s->capacity_bit_s[l] / 1e9);
    }
    for (size_t i = 0; shown != NULL && i < s->site_count; i++)
        if (shown[i])
            describe_site(sites, s, i);
    bool ok = shown != NULL;
    free(shown);
    describe_bins(to, s);
    return ok;
}
