#include "trace/summary_cost.h"

#include "trace/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is summed for all or for a model. */
typedef struct bill {
    double compute, idle, energy, hours, priced_hours;
} bill;

/* The columns that are read, each malloced. Of /sites the places taken, of the others a row per pool. */
typedef struct tables {
    int64_t *taken_pool, *metered_pool, *group, *at_start, *slots, *service;
    double  *taken, *held, *electricity, *rent;
    char    *services, *models;
    size_t   taken_rows, metered_rows, pool_count, service_count;
} tables;

static bool read_tables(tables *t, hid_t file)
{
    size_t n;
    t->taken_pool = orr_read_integers(file, "/sites", "pool", &t->taken_rows);
    t->taken = orr_read_doubles(file, "/sites", "slot_time", &n);
    t->metered_pool = orr_read_integers(file, "/tokens/pools", "pool", &t->metered_rows);
    t->held = orr_read_doubles(file, "/tokens/pools", "held_time", &n);
    t->electricity = orr_read_doubles(file, "/tokens/pools", "electricity_yuan", &n);
    t->group = orr_read_integers(file, "/scenario/pools", "group", &t->pool_count);
    t->at_start = orr_read_integers(file, "/scenario/pools", "replicas", &n);
    t->slots = orr_read_integers(file, "/scenario/pools", "slots", &n);
    t->service = orr_read_integers(file, "/scenario/pools", "service", &n);
    t->rent = orr_read_doubles(file, "/scenario/pools", "rent", &n);
    t->services = orr_read_texts(file, "/scenario/services", "name", &t->service_count);
    t->models = orr_read_texts(file, "/scenario/services", "model", &n);
    return t->taken_pool && t->taken && t->metered_pool && t->held && t->electricity && t->group && t->at_start && t->slots && t->service && t->rent && t->services && t->models;
}

static void free_tables(tables *t)
{
    void *const owned[] = {t->taken_pool, t->metered_pool, t->group, t->at_start, t->slots, t->service, t->taken, t->held, t->electricity, t->rent, t->services, t->models};
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
}

/* What a pool costs; `taken_s` are its places taken, integrated. */
static bill pool_bill(const tables *t, size_t row, size_t pool, double taken_s)
{
    enum { HOUR_S = 3600 };
    double held_s = t->held[row], hours = (double)t->group[pool] * held_s / HOUR_S, rent = t->rent[pool] * hours;
    double places = t->at_start[pool] > 0 ? (double)t->slots[pool] / (double)t->at_start[pool] : 0; /* of one replica */
    double share = held_s > 0 && places > 0 ? fmin(1, taken_s / (places * held_s)) : 0;
    bool priced = t->rent[pool] > 0;
    return (bill){.compute = rent * share, .idle = rent * (1 - share), .energy = t->electricity[row], .hours = hours, .priced_hours = priced ? hours : 0};
}

static void number(cJSON *object, const char *name, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, name, value);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_parts(cJSON *to, const bill *b, double divisor)
{
    bool priced = b->priced_hours > 0;
    number(to, "compute_yuan", priced ? b->compute / divisor : NAN);
    number(to, "idle_yuan", priced ? b->idle / divisor : NAN);
    number(to, "energy_yuan", b->energy / divisor);
    cJSON_AddNullToObject(to, "transport_yuan");
    number(to, "total_yuan", priced ? (b->compute + b->idle + b->energy) / divisor : NAN);
}

static void describe(cJSON *to, const bill *b, double tokens)
{
    cJSON *provider = cJSON_AddObjectToObject(to, "provider");
    add_parts(provider, b, 1);
    number(provider, "accelerator_hours", b->hours);
    number(provider, "priced_share", b->hours > 0 ? b->priced_hours / b->hours : NAN);
    add_parts(cJSON_AddObjectToObject(provider, "per_million_tokens"), b, tokens > 0 ? tokens / 1e6 : NAN);
}

/* As in summary_power: a service without a model stands under its own name. */
static const char *model_name(const tables *t, size_t service)
{
    const char *model = t->models + service * ORR_TEXT_BYTES;
    return *model != 0 ? model : t->services + service * ORR_TEXT_BYTES;
}

static double delivered(const cJSON *summary)
{
    return orr_summary_number(summary, "tokens.cached_input") + orr_summary_number(summary, "tokens.input") + orr_summary_number(summary, "tokens.output");
}

static void describe_models(cJSON *summary, const tables *t, const bill *services)
{
    cJSON *part, *by_model = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(summary, "serving"), "by_model");
    cJSON_ArrayForEach(part, by_model)
    {
        bill sum = {0};
        for (size_t s = 0; s < t->service_count; s++)
            if (strcmp(model_name(t, s), part->string) == 0)
                add(&sum, &services[s]);
        describe(part, &sum, orr_summary_number(part, "tokens"));
    }
}

bool orr_summary_cost(cJSON *summary, hid_t file)
{
    tables t = {0};
    bill all = {0};
    if (!read_tables(&t, file)) { /* written before there were rents */
        free_tables(&t);
        return true;
    }
    double *taken = calloc(t.pool_count + 1, sizeof *taken);
    bill *services = calloc(t.service_count + 1, sizeof *services);
    bool ok = taken != NULL && services != NULL;
    for (size_t r = 0; ok && r < t.taken_rows; r++) {
        ok = (size_t)t.taken_pool[r] < t.pool_count;
        if (ok)
            taken[t.taken_pool[r]] += t.taken[r];
    }
    for (size_t r = 0; ok && r < t.metered_rows; r++) {
        size_t pool = (size_t)t.metered_pool[r];
        ok = pool < t.pool_count && (size_t)t.service[pool] < t.service_count;
        if (!ok)
            break;
        bill own = pool_bill(&t, r, pool, taken[pool]);
        add(&all, &own);
        add(&services[t.service[pool]], &own);
    }
    if (ok) {
        describe(summary, &all, delivered(summary));
        describe_models(summary, &t, services);
    }
    free_tables(&t);
    free(taken);
    free(services);
    return ok;
}
