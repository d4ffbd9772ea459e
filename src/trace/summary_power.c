#include "trace/summary_power.h"

#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is summed for all, a site or a model. */
typedef struct draw {
    double it_kwh, kwh, kg, yuan, tokens;
} draw;

/* The columns that are read, each malloced. */
typedef struct tables {
    int64_t *time, *pool, *tokens, *pool_site, *pool_service;
    double  *it, *energy, *carbon, *yuan;
    char    *sites, *regions, *kinds, *services, *models;
    size_t   rows, pool_count, site_count, service_count;
} tables;

static bool read_tables(tables *t, hid_t file)
{
    size_t n;
    t->time = orr_read_integers(file, "/sites", "time", &n);
    t->pool = orr_read_integers(file, "/sites", "pool", &t->rows);
    t->tokens = orr_read_integers(file, "/sites", "tokens", &n);
    t->it = orr_read_doubles(file, "/sites", "it_energy", &n);
    t->energy = orr_read_doubles(file, "/sites", "energy", &n);
    t->carbon = orr_read_doubles(file, "/sites", "carbon", &n);
    t->yuan = orr_read_doubles(file, "/sites", "electricity_yuan", &n);
    t->pool_site = orr_read_integers(file, "/scenario/pools", "site", &t->pool_count);
    t->pool_service = orr_read_integers(file, "/scenario/pools", "service", &n);
    t->sites = orr_read_texts(file, "/scenario/sites", "id", &t->site_count);
    t->regions = orr_read_texts(file, "/scenario/sites", "macro_region", &n);
    t->kinds = orr_read_texts(file, "/scenario/sites", "kind", &n);
    t->services = orr_read_texts(file, "/scenario/services", "name", &t->service_count);
    t->models = orr_read_texts(file, "/scenario/services", "model", &n);
    return t->time && t->pool && t->tokens && t->it && t->energy && t->carbon && t->yuan && t->pool_site && t->pool_service && t->sites && t->regions && t->kinds && t->services && t->models;
}

static void free_tables(tables *t)
{
    void *const owned[] = {t->time, t->pool, t->tokens, t->it, t->energy, t->carbon, t->yuan, t->pool_site, t->pool_service, t->sites, t->regions, t->kinds, t->services, t->models};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* A service without a model stands under its own name. */
static const char *model_name(const tables *t, size_t service)
{
    const char *model = t->models + service * ORR_TEXT_BYTES;
    return *model != 0 ? model : t->services + service * ORR_TEXT_BYTES;
}

static size_t first_with_model(const tables *t, size_t service)
{
    size_t first = 0;
    while (strcmp(model_name(t, first), model_name(t, service)) != 0)
        first++;
    return first;
}

static void add(draw *to, const tables *t, size_t row)
{
    to->it_kwh += t->it[row];
    to->kwh += t->energy[row];
    to->kg += t->carbon[row];
    to->yuan += t->yuan[row];
    to->tokens += (double)t->tokens[row];
}

static void describe(cJSON *to, const draw *d)
{
    double millions = d->tokens > 0 ? d->tokens / 1e6 : NAN;
    cJSON *energy = cJSON_AddObjectToObject(to, "energy"), *carbon = cJSON_AddObjectToObject(to, "carbon"), *electricity = cJSON_AddObjectToObject(to, "electricity");
    orr_summary_put(energy, "kwh", d->kwh);
    orr_summary_put(energy, "it_kwh", d->it_kwh);
    orr_summary_put(energy, "pue", d->it_kwh > 0 ? d->kwh / d->it_kwh : NAN);
    orr_summary_put(energy, "per_million_tokens_kwh", d->kwh / millions);
    orr_summary_put(carbon, "kg", d->kg);
    orr_summary_put(carbon, "per_million_tokens_g", 1000 * d->kg / millions);
    orr_summary_put(electricity, "yuan", d->yuan);
    orr_summary_put(electricity, "per_million_tokens_yuan", d->yuan / millions);
}

static cJSON *describe_part(cJSON *to, const char *name, const draw *d)
{
    if (d->kwh <= 0 && d->tokens <= 0)
        return NULL;
    cJSON *part = cJSON_AddObjectToObject(to, name);
    orr_summary_put(part, "tokens", d->tokens);
    describe(part, d);
    return part;
}

/* The shares of a model's tokens by what its sites have in common: one label per site. Zero where pools stood idle. `at`: tokens per site, -1 without pools. */
static void describe_shares(cJSON *to, const char *name, const char *labels, const tables *t, const double *at, double tokens)
{
    cJSON *share = cJSON_AddObjectToObject(to, name);
    for (size_t first = 0; first < t->site_count; first++) {
        const char *label = labels + first * ORR_TEXT_BYTES;
        double sum = 0;
        bool   any = false, seen = false;
        for (size_t s = 0; s < t->site_count; s++) {
            if (strcmp(labels + s * ORR_TEXT_BYTES, label) != 0)
                continue;
            seen |= s < first;
            any |= at[s] >= 0;
            sum += at[s] > 0 ? at[s] : 0;
        }
        if (any && !seen)
            orr_summary_put(share, label, tokens > 0 ? sum / tokens : NAN);
    }
}

bool orr_summary_power(cJSON *summary, hid_t file, int64_t from_ns)
{
    tables t = {0};
    draw    all = {0}, *sites = NULL, *models = NULL;
    double *at = NULL; /* tokens of one model by site */
    bool ok = read_tables(&t, file);
    sites = calloc(t.site_count + 1, sizeof *sites);
    models = calloc(t.service_count + 1, sizeof *models);
    at = calloc(t.site_count + 1, sizeof *at);
    ok = ok && sites != NULL && models != NULL && at != NULL;
    for (size_t r = 0; ok && r < t.rows; r++) {
        size_t pool = (size_t)t.pool[r];
        if (!(ok = pool < t.pool_count && (size_t)t.pool_site[pool] < t.site_count && (size_t)t.pool_service[pool] < t.service_count))
            break;
        if (t.time[r] < from_ns)
            continue;
        add(&all, &t, r);
        add(&sites[t.pool_site[pool]], &t, r);
        add(&models[first_with_model(&t, (size_t)t.pool_service[pool])], &t, r);
    }
    if (ok) {
        describe(summary, &all);
        cJSON *serving = cJSON_AddObjectToObject(summary, "serving"), *by_site = cJSON_AddObjectToObject(serving, "by_site"), *by_model = cJSON_AddObjectToObject(serving, "by_model");
        for (size_t s = 0; s < t.site_count; s++)
            describe_part(by_site, t.sites + s * ORR_TEXT_BYTES, &sites[s]);
        for (size_t m = 0; m < t.service_count; m++) {
            cJSON *part = describe_part(by_model, model_name(&t, m), &models[m]);
            for (size_t s = 0; s < t.site_count; s++)
                at[s] = -1;
            for (size_t p = 0; p < t.pool_count; p++)
                if (first_with_model(&t, (size_t)t.pool_service[p]) == m)
                    at[t.pool_site[p]] = 0;
            for (size_t r = 0; r < t.rows; r++)
                if (first_with_model(&t, (size_t)t.pool_service[t.pool[r]]) == m)
                    at[t.pool_site[t.pool[r]]] += (double)t.tokens[r];
            if (part != NULL) {
                describe_shares(part, "share_by_region", t.regions, &t, at, models[m].tokens);
                describe_shares(part, "share_by_kind", t.kinds, &t, at, models[m].tokens);
            }
        }
    }
    free_tables(&t);
    free(sites);
    free(models);
    free(at);
    return ok;
}
