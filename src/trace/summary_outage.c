#include "trace/summary_outage.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 8 };
static const char *const column_names[COLUMNS] = {"time", "offered", "attempts", "served", "refused", "abandoned", "failed", "slo_met"};

/* One bin of time, all ingresses together. */
typedef struct flow {
    int64_t time, offered, attempts, ended, met;
} flow;

static int by_time(const void *x, const void *y)
{
    int64_t a = ((const flow *)x)->time, b = ((const flow *)y)->time;
    return a < b ? -1 : a > b;
}

/* The rows of the table, brought together by time. Returns how many bins there are; 0 also when there is nothing to read. */
static size_t read_bins(flow **to, hid_t file, bool *ok)
{
    int64_t *value[COLUMNS] = {0};
    size_t   rows = 0, bins = 0;
    *ok = true;
    for (int c = 0; c < COLUMNS; c++) {
        size_t n;
        value[c] = orr_read_integers(file, "/sites/flow", column_names[c], &n);
        *ok &= value[c] != NULL && (c == 0 || n == rows);
        rows = n;
    }
    flow *all = *ok ? calloc(rows + 1, sizeof *all) : NULL;
    *ok &= all != NULL;
    for (size_t r = 0; *ok && r < rows; r++)
        all[r] = (flow){value[0][r], value[1][r], value[2][r], value[3][r] + value[4][r] + value[5][r] + value[6][r], value[7][r]};
    for (int c = 0; c < COLUMNS; c++)
        free(value[c]);
    if (*ok)
        qsort(all, rows, sizeof *all, by_time);
    for (size_t r = 0; *ok && r < rows; r++) {
        if (bins > 0 && all[bins - 1].time == all[r].time) {
            flow *bin = &all[bins - 1];
            bin->offered += all[r].offered, bin->attempts += all[r].attempts, bin->ended += all[r].ended, bin->met += all[r].met;
        } else {
            all[bins++] = all[r];
        }
    }
    *to = all;
    return bins;
}

static void number(cJSON *object, const char *name, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, name, value);
    else
        cJSON_AddNullToObject(object, name);
}

bool orr_summary_outage(cJSON *summary, hid_t file, int64_t until_ns)
{
    bool   ok;
    flow  *bins = NULL;
    size_t count = read_bins(&bins, file, &ok);
    double lost = 0, below = 0, longest = 0, stretch = 0, worst = NAN, storm = NAN;
    for (size_t i = 0; ok && i < count; i++) {
        double minutes = (double)((i + 1 < count ? bins[i + 1].time : until_ns) - bins[i].time) / ORR_MINUTE;
        if (bins[i].offered > 0)
            storm = fmax(storm, (double)bins[i].attempts / (double)bins[i].offered); /* fmax leaves NAN out */
        if (bins[i].ended <= 0)
            continue;
        double attained = (double)bins[i].met / (double)bins[i].ended;
        lost += minutes * (1 - attained);
        worst = fmin(worst, attained);
        stretch = attained < 0.9 ? stretch + minutes : 0;
        below += attained < 0.9 ? minutes : 0;
        longest = fmax(longest, stretch);
    }
    if (ok) {
        cJSON *outage = cJSON_AddObjectToObject(summary, "outage");
        number(outage, "minutes_lost", count > 0 ? lost : NAN);
        number(outage, "worst_attainment", worst);
        number(outage, "minutes_below_90", count > 0 ? below : NAN);
        number(outage, "longest_below_90", count > 0 ? longest : NAN);
        number(outage, "peak_attempts", storm);
    }
    free(bins);
    return ok;
}
