#include "trace/summary_servers.h"

#include "base/time.h"
#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>

bool orr_summary_servers(cJSON *to, hid_t file, int64_t from_ns, int64_t until_ns)
{
    size_t n, pools, unused;
    double *slot = orr_read_doubles(file, "/sites", "slot_time", &n), *batch = orr_read_doubles(file, "/sites", "batch_time", &unused);
    double *busy = orr_read_doubles(file, "/sites", "busy_time", &unused), *width = orr_read_doubles(file, "/sites", "width", &unused);
    double *taken = orr_read_doubles(file, "/sites", "utilisation", &unused);
    int64_t *pool = orr_read_integers(file, "/sites", "pool", &unused), *time = orr_read_integers(file, "/sites", "time", &unused);
    int64_t *slots = orr_read_integers(file, "/scenario/pools", "slots", &pools), *group_size = orr_read_integers(file, "/scenario/pools", "group", &unused);
    int64_t *replicas = orr_read_integers(file, "/scenario/pools", "replicas", &unused), *cache = orr_read_integers(file, "/scenario/pools", "kv_tokens", &unused);
    size_t hours = (size_t)(until_ns / ORR_HOUR) + 1;
    double *hour_slot = calloc(hours, sizeof *hour_slot), *hour_most = calloc(hours, sizeof *hour_most), *hour_batch = calloc(hours, sizeof *hour_batch),
           *hour_busy = calloc(hours, sizeof *hour_busy);
    bool ok = slot && batch && busy && width && taken && pool && time && slots && group_size && replicas && cache && hour_slot && hour_most && hour_batch && hour_busy;
    double used = 0, most = 0, batches = 0, works = 0;
    bool accelerated = false;
    for (size_t p = 0; ok && p < pools; p++)
        accelerated |= cache[p] > 0;
    for (size_t i = 0; ok && i < n; i++) {
        size_t p = (size_t)pool[i], hour = (size_t)(time[i] / ORR_HOUR);
        if (time[i] < from_ns || p >= pools || hour >= hours || slots[p] <= 0)
            continue;
        if (accelerated && cache[p] == 0) /* stations beside accelerators do not count into the accelerators' figure */
            continue;
        double weight = accelerated ? (double)(group_size[p] * replicas[p]) : (double)slots[p];
        double share = weight * slot[i] / (double)slots[p], whole = taken[i] > 0 ? share / taken[i] : weight * width[i] / ORR_SECOND; /* replicas come and go */
        used += share, most += whole, batches += batch[i], works += busy[i];
        hour_slot[hour] += share, hour_most[hour] += whole, hour_batch[hour] += batch[i], hour_busy[hour] += busy[i];
    }
    size_t peak = 0;
    for (size_t h = 1; ok && h < hours; h++)
        if (hour_most[h] > 0 && (hour_most[peak] <= 0 || hour_slot[h] * hour_most[peak] > hour_slot[peak] * hour_most[h]))
            peak = h;
    if (ok) {
        orr_summary_put(cJSON_AddObjectToObject(to, "batch"), "mean", works > 0 ? batches / works : NAN);
        cJSON *utilisation = cJSON_AddObjectToObject(to, "utilisation");
        orr_summary_put(utilisation, "accelerators", most > 0 ? used / most : NAN);
        cJSON *hour = cJSON_AddObjectToObject(to, "busy_hour");
        orr_summary_put(hour, "hour", (double)peak);
        orr_summary_put(hour, "utilisation", hour_most[peak] > 0 ? hour_slot[peak] / hour_most[peak] : NAN);
        orr_summary_put(hour, "batch_mean", hour_busy[peak] > 0 ? hour_batch[peak] / hour_busy[peak] : NAN);
    }
    void *const owned[] = {slot, batch, busy, width, taken, pool, time, slots, group_size, replicas, cache, hour_slot, hour_most, hour_batch, hour_busy};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return ok;
}
