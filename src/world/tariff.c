/* Tariffs: which price is in force when. Vendors' hours are local time in China (UTC+8). */
#include "base/time.h"
#include "world/world.h"

#include <math.h>

enum { VENDOR_OFFSET_S = 8 * 3600, MINUTES = 1440 };

/* Minute of the vendor's week (Monday 00:00 is 0) at `at_ns`. 1970-01-01 was a Thursday. */
static int64_t vendor_minute(const orr_world *w, int64_t at_ns)
{
    int64_t second = w->start_s + at_ns / ORR_SECOND + VENDOR_OFFSET_S;
    int64_t minute = second / 60 + 3 * MINUTES;
    return ((minute % (7 * MINUTES)) + 7 * MINUTES) % (7 * MINUTES);
}

uint32_t orr_world_tariff(const orr_world *w, uint32_t model, int64_t at_ns)
{
    if (model == ORR_NONE)
        return ORR_NONE;
    const orr_model_info *m = &w->models[model];
    int64_t week = vendor_minute(w, at_ns);
    uint32_t day = (uint32_t)(week / MINUTES), minute = (uint32_t)(week % MINUTES);
    for (uint32_t i = m->tariff; i < m->tariff + m->tariff_count; i++) {
        const orr_tariff *t = &w->tariffs[i];
        if ((t->days >> day & 1) && minute >= t->from_minute && minute < t->to_minute)
            return i;
    }
    return ORR_NONE;
}

int64_t orr_world_price(const orr_world *w, uint32_t pool, uint32_t tariff, int kind)
{
    return llround((double)w->tariffs[tariff].price[kind] * w->pools[pool].price_factor);
}

int64_t orr_world_next_tariff(const orr_world *w, int64_t at_ns)
{
    /* Tariffs change on whole minutes of the vendor's clock: look at each one for a week. */
    int64_t second = w->start_s + at_ns / ORR_SECOND + VENDOR_OFFSET_S;
    int64_t next = at_ns - at_ns % ORR_SECOND + (60 - ((second % 60) + 60) % 60) * ORR_SECOND;
    for (int k = 0; k < 7 * MINUTES; k++, next += ORR_MINUTE)
        for (uint32_t i = 0; i < w->service_count; i++) {
            uint32_t m = w->services[i].model;
            if (m != ORR_NONE && orr_world_tariff(w, m, next) != orr_world_tariff(w, m, next - 1))
                return next;
        }
    return ORR_NEVER;
}
