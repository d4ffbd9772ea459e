#include "trace/summary_saturation.h"

#include "base/time.h"
#include "statistics/saturation.h"
#include "trace/summary_times.h"

#include <math.h>
#include <stdio.h>

/* A span in the largest fitting unit, two digits. */
static const char *span(double seconds, char *text, size_t size)
{
    static const struct {
        double      seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {0, "us"}};
    size_t u = 0;
    while (seconds < units[u].seconds)
        u++;
    snprintf(text, size, "%.2g %s", seconds / (units[u].seconds > 0 ? units[u].seconds : 1e-6), units[u].unit);
    return text;
}

static void describe(cJSON *to, const orr_saturation *s, double bin_s)
{
    char text[256] = "", a[32], b[32], c[32];
    switch (s->verdict) {
    case ORR_VERDICT_UNKNOWN: snprintf(text, sizeof text, "too few bins (output.bin) to tell whether queues grow"); break;
    case ORR_VERDICT_STABLE: snprintf(text, sizeof text, "queues do not grow"); break;
    case ORR_VERDICT_GROWING: snprintf(text, sizeof text, "queues grow: %.0f requests are left at the end; means of a growing queue depend on the duration", s->backlog); break;
    case ORR_VERDICT_OVERLOADED:
        snprintf(text, sizeof text, "overloaded for a time: from %s to %s the backlog stood for %s; means depend on how much of the run that is",
                 span((double)s->worst_first * bin_s, a, sizeof a), span((double)s->worst_end * bin_s, b, sizeof b), isfinite(s->worst) ? span(s->worst * bin_s, c, sizeof c) : "ever");
        break;
    }
    cJSON_AddStringToObject(to, "verdict", orr_verdict_names[s->verdict]);
    orr_summary_put(to, "drift_per_s", s->drift / bin_s);
    orr_summary_put(to, "p", s->p);
    orr_summary_put(to, "backlog", s->backlog);
    orr_summary_put(to, "typical_s", s->typical * bin_s);
    orr_summary_put(to, "worst_s", s->worst * bin_s);
    bool known = s->verdict != ORR_VERDICT_UNKNOWN;
    orr_summary_put(to, "worst_from_s", known ? (double)s->worst_first * bin_s : NAN);
    orr_summary_put(to, "worst_until_s", known ? (double)s->worst_end * bin_s : NAN);
    cJSON_AddStringToObject(to, "text", text);
}

bool orr_summary_saturation(cJSON *summary, hid_t file, const char *path, orr_problems *problems)
{
    orr_run_series series;
    bool ok = orr_run_series_read(&series, file, path, problems);
    if (ok) {
        orr_saturation s = orr_saturation_judge(series.in_system, series.flow[ORR_FLOW_OFFERED], series.ended, orr_run_series_whole_bins(&series));
        describe(cJSON_AddObjectToObject(summary, "saturation"), &s, (double)series.bin_ns / ORR_SECOND);
    }
    orr_run_series_clear(&series);
    return ok;
}
