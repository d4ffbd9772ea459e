/* Electricity by the hour: how its price and its carbon go over the local day, relative to their means.
 *
 * A time-of-use tariff states its factors relative to the flat period, a grid's carbon to whatever its source took; both are scaled
 * to a mean of 1 over the 24 hours, so that a site's annual figure stays its mean. No weekdays, no seasons. */
#include "base/time.h"
#include "world/builder.h"

#include <math.h>

enum { HOUR_S = 3600, HOURS = 24 };

/* Scales 24 factors to a mean of 1; false if they are all zero. */
static bool scale(double *factor)
{
    double sum = 0;
    for (int h = 0; h < HOURS; h++)
        sum += factor[h];
    for (int h = 0; h < HOURS && sum > 0; h++)
        factor[h] *= HOURS / sum;
    return sum > 0;
}

static void check_whole_days(orr_builder *b, const orr_csv *csv, const uint32_t *seen)
{
    for (uint32_t i = 0; i < b->grid_hours.count; i++) {
        orr_grid_hours *g = orr_array_at(&b->grid_hours, i);
        bool price = scale(g->price), carbon = scale(g->carbon);
        if (seen[i] != (1u << HOURS) - 1 || !price || !carbon)
            orr_problem(b->problems, (orr_where){orr_csv_path(csv), 0, 0}, "grid `%s` must give both factors for each hour from 0 to 23, not all zero", g->name);
    }
}

void orr_build_grid_hours(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "grid_hours");
    if (csv == NULL)
        return;
    orr_array seen; /* hours given, a bit each */
    orr_array_init(&seen, sizeof(uint32_t));
    int grid = orr_csv_need(csv, "grid", b->problems), hour = orr_csv_need(csv, "hour", b->problems);
    int price = orr_csv_need(csv, "price_factor", b->problems), carbon = orr_csv_need(csv, "carbon_factor", b->problems);
    for (size_t r = 0; r < orr_csv_rows(csv) && !orr_problems_any(b->problems); r++) {
        const char *name = orr_keep(b, orr_csv_cell(csv, r, grid));
        double h = orr_csv_number(csv, r, hour, 0, HOURS - 1, NAN, b->problems);
        double p = orr_csv_number(csv, r, price, 0, 100, NAN, b->problems), c = orr_csv_number(csv, r, carbon, 0, 100, NAN, b->problems);
        if (isnan(h) || isnan(p) || isnan(c))
            break;
        uint32_t at = orr_look_up(&b->grid_hours, name), k = (uint32_t)h;
        if (at == ORR_NONE) {
            at = b->grid_hours.count;
            ((orr_grid_hours *)orr_append(b, &b->grid_hours))->name = name;
            orr_append(b, &seen);
            orr_note_origin(b, csv, r, "grid_hours", name);
        }
        if (b->out_of_memory)
            break;
        uint32_t *bits = orr_array_at(&seen, at);
        orr_grid_hours *g = orr_array_at(&b->grid_hours, at);
        if (*bits >> k & 1)
            orr_problem(b->problems, orr_csv_where(csv, r, hour), "grid `%s` has hour %u twice", name, k);
        *bits |= 1u << k;
        g->price[k] = p;
        g->carbon[k] = c;
    }
    if (!b->out_of_memory && !orr_problems_any(b->problems))
        check_whole_days(b, csv, seen.items);
    orr_array_clear(&seen);
    orr_csv_destroy(csv);
}

/* Seconds of the site's local hour that have passed at `at_ns`, and that hour. */
static int64_t local(const orr_world *w, const orr_site_info *s, int64_t at_ns, int *hour)
{
    int64_t second = (w->start_s + at_ns / ORR_SECOND + s->utc_offset_s) % (HOURS * HOUR_S);
    second += second < 0 ? HOURS * HOUR_S : 0;
    *hour = (int)(second / HOUR_S);
    return second % HOUR_S;
}

double orr_world_electricity(const orr_world *w, uint32_t site, int64_t at_ns)
{
    const orr_site_info *s = &w->sites[site];
    int hour;
    local(w, s, at_ns, &hour);
    return s->electricity_yuan_per_kwh * (s->grid_hours == ORR_NONE ? 1 : w->grid_hours[s->grid_hours].price[hour]);
}

double orr_world_carbon(const orr_world *w, uint32_t site, int64_t at_ns)
{
    const orr_site_info *s = &w->sites[site];
    int hour;
    local(w, s, at_ns, &hour);
    return s->carbon_g_per_kwh * (s->grid_hours == ORR_NONE ? 1 : w->grid_hours[s->grid_hours].carbon[hour]);
}

int64_t orr_world_next_grid_hour(const orr_world *w, int64_t at_ns)
{
    int64_t next = ORR_NEVER;
    for (uint32_t i = 0; i < w->compute_count; i++) {
        const orr_site_info *s = &w->sites[w->compute_sites[i]];
        if (s->grid_hours == ORR_NONE)
            continue;
        int hour;
        int64_t here = at_ns - at_ns % ORR_SECOND + (HOUR_S - local(w, s, at_ns, &hour)) * ORR_SECOND;
        next = here < next ? here : next;
    }
    return next;
}
