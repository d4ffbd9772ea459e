#include "study/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void orr_orders_clear(orr_orders *o)
{
    for (size_t g = 0; g < o->group_count; g++) {
        for (size_t i = 0; i < o->groups[g].count; i++)
            free((char *)o->groups[g].overrides[i]);
        free(o->groups[g].overrides);
    }
    free(o->groups);
    free(o->orders);
    free(o->scenario);
    *o = (orr_orders){0};
}

/* Doubles at powers of two. */
static bool grown(void **items, size_t count, size_t size)
{
    if (count & (count - 1))
        return true;
    void *larger = realloc(*items, (count == 0 ? 1 : 2 * count) * size);
    if (larger != NULL)
        *items = larger;
    return larger != NULL;
}

uint32_t orr_orders_add_group(orr_orders *o, const char *const *overrides, size_t count)
{
    if (!grown((void **)&o->groups, o->group_count, sizeof *o->groups))
        return ORR_NONE;
    orr_order_group *g = &o->groups[o->group_count];
    *g = (orr_order_group){.overrides = calloc(count + 1, sizeof *g->overrides)};
    if (g->overrides == NULL)
        return ORR_NONE;
    o->group_count++;
    for (; g->count < count; g->count++)
        if ((g->overrides[g->count] = strdup(overrides[g->count])) == NULL)
            return ORR_NONE;
    return (uint32_t)(o->group_count - 1);
}

bool orr_orders_add(orr_orders *o, const orr_order *order)
{
    if (!grown((void **)&o->orders, o->count, sizeof *o->orders))
        return false;
    o->orders[o->count++] = *order;
    return true;
}

cJSON *orr_orders_to_json(const orr_orders *o, size_t from, size_t to)
{
    cJSON *json = cJSON_CreateObject(), *groups = cJSON_AddArrayToObject(json, "groups"), *group = NULL;
    bool ok = cJSON_AddStringToObject(json, "scenario", o->scenario) != NULL;
    uint32_t last = ORR_NONE;
    for (size_t i = from; ok && i < to; i++) {
        const orr_order *order = &o->orders[i];
        if (order->group != last) {
            group = cJSON_CreateObject();
            ok = cJSON_AddItemToArray(groups, group);
            cJSON_AddItemToObject(group, "overrides", cJSON_CreateStringArray(o->groups[order->group].overrides, (int)o->groups[order->group].count));
            cJSON_AddArrayToObject(group, "runs");
            last = order->group;
        }
        char seed[24];
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)order->seed); /* exact, where a JSON number is not */
        cJSON *run = cJSON_CreateObject();
        cJSON_AddStringToObject(run, "address", order->address);
        cJSON_AddStringToObject(run, "seed", seed);
        cJSON_AddNumberToObject(run, "expected_s", order->expected_s);
        ok = ok && cJSON_AddItemToArray(cJSON_GetObjectItem(group, "runs"), run);
    }
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static bool add_group(orr_orders *o, const cJSON *item)
{
    const cJSON *overrides = cJSON_GetObjectItem(item, "overrides"), *runs = cJSON_GetObjectItem(item, "runs"), *at;
    size_t count = 0;
    const char **texts = calloc((size_t)cJSON_GetArraySize(overrides) + 1, sizeof *texts);
    cJSON_ArrayForEach(at, overrides)
        if (texts != NULL && cJSON_IsString(at))
            texts[count++] = at->valuestring;
    uint32_t group = texts == NULL ? ORR_NONE : orr_orders_add_group(o, texts, count);
    bool ok = group != ORR_NONE;
    free(texts);
    cJSON_ArrayForEach(at, runs) {
        const cJSON *address = cJSON_GetObjectItem(at, "address"), *seed = cJSON_GetObjectItem(at, "seed"), *expected = cJSON_GetObjectItem(at, "expected_s");
        orr_order order = {.group = group, .expected_s = cJSON_IsNumber(expected) ? expected->valuedouble : 0};
        ok = ok && cJSON_IsString(address) && strlen(address->valuestring) == ORR_ADDRESS_BYTES - 1 && cJSON_IsString(seed);
        if (!ok)
            return false;
        memcpy(order.address, address->valuestring, ORR_ADDRESS_BYTES);
        order.seed = strtoull(seed->valuestring, NULL, 10);
        ok = orr_orders_add(o, &order);
    }
    return ok;
}

bool orr_orders_from_json(orr_orders *o, const cJSON *json)
{
    const cJSON *scenario = cJSON_GetObjectItem(json, "scenario"), *item;
    bool ok = cJSON_IsString(scenario) && (o->scenario = strdup(scenario->valuestring)) != NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "groups"))
        ok = ok && add_group(o, item);
    return ok;
}
