#include "trace/summary_cost.h"

#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is summed for all or for a model. */
typedef struct bill {
    double compute, idle, energy, transport, hours, priced_hours, tokens; /* transport: NaN where it has no price */
} bill;

/* The columns that are read, each malloced: a row per pool and bin, and a row per pool. */
typedef struct tables {
    int64_t *time, *pool, *tokens, *group, *at_start, *slots, *service;
    double  *taken, *held, *electricity, *rent;
    char    *services, *models;
    size_t   rows, pool_count, service_count;
} tables;

/* What a pool did over the window: places taken and replicas held, integrated in s. */
typedef struct use {
    double taken_s, held_s, electricity, tokens;
} use;

/* What the links that have a price carried, from `from_ns` on; NaN if none has one. */
static double transport_of(hid_t file, int64_t from_ns)
{
    enum { GB = 1000000000 };
    size_t rows, links, n;
    double yuan = NAN, *price = orr_read_doubles(file, "/scenario/links", "transport_price", &links);
    int64_t *time = orr_read_integers(file, "/links", "time", &rows), *link = orr_read_integers(file, "/links", "link", &n);
    int64_t *ab = orr_read_integers(file, "/links", "bytes_ab", &n), *ba = orr_read_integers(file, "/links", "bytes_ba", &n);
    bool ok = price && time && link && ab && ba;
    for (size_t l = 0; ok && l < links; l++)
        yuan = isnan(price[l]) ? yuan : 0;
    for (size_t r = 0; ok && !isnan(yuan) && r < rows; r++)
        if (time[r] >= from_ns && link[r] >= 0 && (size_t)link[r] < links && !isnan(price[link[r]]))
            yuan += price[link[r]] * (double)(ab[r] + ba[r]) / GB;
    free(price);
    free(time);
    free(link);
    free(ab);
    free(ba);
    return yuan;
}

static bool read_tables(tables *t, hid_t file)
{
    size_t n;
    t->time = orr_read_integers(file, "/sites", "time", &t->rows);
    t->pool = orr_read_integers(file, "/sites", "pool", &n);
    t->tokens = orr_read_integers(file, "/sites", "tokens", &n);
    t->taken = orr_read_doubles(file, "/sites", "slot_time", &n);
    t->held = orr_read_doubles(file, "/sites", "held_time", &n);
    t->electricity = orr_read_doubles(file, "/sites", "electricity_yuan", &n);
    t->group = orr_read_integers(file, "/scenario/pools", "group", &t->pool_count);
    t->at_start = orr_read_integers(file, "/scenario/pools", "replicas", &n);
    t->slots = orr_read_integers(file, "/scenario/pools", "slots", &n);
    t->service = orr_read_integers(file, "/scenario/pools", "service", &n);
    t->rent = orr_read_doubles(file, "/scenario/pools", "rent", &n);
    t->services = orr_read_texts(file, "/scenario/services", "name", &t->service_count);
    t->models = orr_read_texts(file, "/scenario/services", "model", &n);
    return t->time && t->pool && t->tokens && t->taken && t->held && t->electricity && t->group && t->at_start && t->slots && t->service && t->rent && t->services && t->models;
}

static void free_tables(tables *t)
{
    void *const owned[] = {t->time, t->pool, t->tokens, t->taken, t->held, t->electricity, t->group, t->at_start, t->slots, t->service, t->rent, t->services, t->models};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void add(bill *to, const bill *more)
{
    to->compute += more->compute;
    to->idle += more->idle;
    to->energy += more->energy;
    to->hours += more->hours;
    to->priced_hours += more->priced_hours;
    to->tokens += more->tokens;
}

static bill pool_bill(const tables *t, size_t pool, const use *u)
{
    enum { HOUR_S = 3600 };
    double hours = (double)t->group[pool] * u->held_s / HOUR_S, rent = t->rent[pool] * hours;
    double places = t->at_start[pool] > 0 ? (double)t->slots[pool] / (double)t->at_start[pool] : 0; /* of one replica */
    double share = u->held_s > 0 && places > 0 ? fmin(1, u->taken_s / (places * u->held_s)) : 0;
    bool priced = t->rent[pool] > 0;
    return (bill){.compute = rent * share, .idle = rent * (1 - share), .energy = u->electricity, .transport = NAN, .hours = hours, .priced_hours = priced ? hours : 0, .tokens = u->tokens};
}

static void add_parts(cJSON *to, const bill *b, double divisor)
{
    bool priced = b->priced_hours > 0;
    orr_summary_put(to, "compute_yuan", priced ? b->compute / divisor : NAN);
    orr_summary_put(to, "idle_yuan", priced ? b->idle / divisor : NAN);
    orr_summary_put(to, "energy_yuan", b->energy / divisor);
    orr_summary_put(to, "transport_yuan", b->transport / divisor);
    orr_summary_put(to, "total_yuan", priced ? (b->compute + b->idle + b->energy + (isnan(b->transport) ? 0 : b->transport)) / divisor : NAN);
}

static void describe(cJSON *to, const bill *b)
{
    cJSON *provider = cJSON_AddObjectToObject(to, "provider");
    add_parts(provider, b, 1);
    orr_summary_put(provider, "accelerator_hours", b->hours);
    orr_summary_put(provider, "priced_share", b->hours > 0 ? b->priced_hours / b->hours : NAN);
    add_parts(cJSON_AddObjectToObject(provider, "per_million_tokens"), b, b->tokens > 0 ? b->tokens / 1e6 : NAN);
}

/* As in summary_power: a service without a model stands under its own name. */
static const char *model_name(const tables *t, size_t service)
{
    const char *model = t->models + service * ORR_TEXT_BYTES;
    return *model != 0 ? model : t->services + service * ORR_TEXT_BYTES;
}

static void describe_models(cJSON *summary, const tables *t, const bill *services)
{
    cJSON *part, *by_model = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(summary, "serving"), "by_model");
    cJSON_ArrayForEach(part, by_model)
    {
        bill sum = {.transport = NAN}; /* links do not know whose bytes they carry */
        for (size_t s = 0; s < t->service_count; s++)
            if (strcmp(model_name(t, s), part->string) == 0)
                add(&sum, &services[s]);
        describe(part, &sum);
    }
}

/* By pool, over the bins from `from_ns` on. */
static bool add_uses(use *uses, const tables *t, int64_t from_ns)
{
    for (size_t r = 0; r < t->rows; r++) {
        if (t->pool[r] < 0 || (size_t)t->pool[r] >= t->pool_count)
            return false;
        if (t->time[r] < from_ns)
            continue;
        use *u = &uses[t->pool[r]];
        u->taken_s += t->taken[r];
        u->held_s += t->held[r];
        u->electricity += t->electricity[r];
        u->tokens += (double)t->tokens[r];
    }
    return true;
}

bool orr_summary_cost(cJSON *summary, hid_t file, int64_t from_ns)
{
    tables t = {0};
    bill all = {0};
    if (!read_tables(&t, file)) { /* written before there were rents */
        free_tables(&t);
        return true;
    }
    use *uses = calloc(t.pool_count + 1, sizeof *uses);
    bill *services = calloc(t.service_count + 1, sizeof *services);
    bool ok = uses != NULL && services != NULL && add_uses(uses, &t, from_ns);
    for (size_t p = 0; ok && p < t.pool_count; p++) {
        ok = t.service[p] >= 0 && (size_t)t.service[p] < t.service_count;
        if (!ok)
            break;
        bill own = pool_bill(&t, p, &uses[p]);
        add(&all, &own);
        add(&services[t.service[p]], &own);
    }
    if (ok) {
        all.transport = transport_of(file, from_ns);
        describe(summary, &all);
        describe_models(summary, &t, services);
    }
    free_tables(&t);
    free(uses);
    free(services);
    return ok;
}
