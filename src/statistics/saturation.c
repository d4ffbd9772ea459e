#include "statistics/saturation.h"

#include "statistics/estimate.h"

#include <gsl/gsl_sort_double.h>
#include <math.h>

enum { MOST_BATCHES = 20 };
static const double FALSE_ALARMS = 0.01, LEAST_SHARE = 0.005, SLOWER = 1.5, PEAK = 4, ORDINARY = 0.25, CHANCE = 5, RECOVERED = 0.5;

const char *const orr_verdict_names[4] = {"unknown", "stable", "growing", "overloaded"};

/* The run in batches: `end` is the backlog at a batch's end, `time` that for which its mean backlog stands, in bins. */
typedef struct batches {
    size_t count, first[MOST_BATCHES + 1];
    double end[MOST_BATCHES], level[MOST_BATCHES], offered[MOST_BATCHES], ended[MOST_BATCHES], time[MOST_BATCHES];
} batches;

static double time_of(double level, double ended, double bins) { return ended > 0 ? level * bins / ended : level > 0 ? INFINITY : 0; }

static void gather(batches *b, const double *in_system, const double *offered, const double *ended, size_t count)
{
    *b = (batches){.count = count < MOST_BATCHES ? count : MOST_BATCHES};
    for (size_t j = 0; j < b->count; j++) {
        b->first[j + 1] = (j + 1) * count / b->count;
        double bins = (double)(b->first[j + 1] - b->first[j]);
        for (size_t i = b->first[j]; i < b->first[j + 1]; i++) {
            b->level[j] += in_system[i] / bins;
            b->offered[j] += offered[i];
            b->ended[j] += ended[i];
        }
        b->end[j] = in_system[b->first[j + 1] - 1];
        b->time[j] = time_of(b->level[j], b->ended[j], bins);
    }
}

/* The time over several batches: their mean backlog over their rate. */
static double time_over(const batches *b, size_t from, size_t to)
{
    double area = 0, ended = 0, bins = 0;
    for (size_t j = from; j < to; j++) {
        double width = (double)(b->first[j + 1] - b->first[j]);
        area += b->level[j] * width;
        ended += b->ended[j];
        bins += width;
    }
    return time_of(area / bins, ended, bins);
}

static bool grows(const batches *b, orr_saturation *s)
{
    size_t from = b->count / 4, n = b->count - from, third = n / 3;
    double step[MOST_BATCHES], bins = (double)(b->first[b->count] - b->first[from]), ended = 0;
    for (size_t j = from; j < b->count; j++) {
        step[j - from] = b->end[j] - b->end[j - 1];
        ended += b->ended[j];
    }
    orr_estimate e = orr_estimate_mean(step, n, 0.95);
    double rise = e.mean * (double)n;
    s->drift = rise / bins;
    s->p = e.mean > 0 ? e.p / 2 : 1 - e.p / 2;
    return e.mean > 0 && s->p < FALSE_ALARMS && rise >= LEAST_SHARE * ended && time_over(b, b->count - third, b->count) >= SLOWER * time_over(b, from, from + third);
}

/* The batch with the longest time, if that is long; `count` if none is. */
static size_t find_peak(const batches *b, orr_saturation *s)
{
    double sorted[MOST_BATCHES], all = 0;
    size_t worst = 0;
    for (size_t j = 0; j < b->count; j++) {
        sorted[j] = b->time[j];
        all += b->offered[j];
        worst = b->time[j] > b->time[worst] ? j : worst;
    }
    gsl_sort(sorted, 1, b->count);
    s->typical = sorted[(size_t)(ORDINARY * (double)b->count)];
    s->worst = b->time[worst];
    s->worst_first = b->first[worst];
    s->worst_end = b->first[worst + 1];
    return isfinite(s->typical) && s->worst >= PEAK * s->typical && b->level[worst] >= LEAST_SHARE * all ? worst : b->count;
}

/* Did the backlog rise to the peak's by more than chance? From where it was last as small as is typical; arrivals and departures are Poisson at most. */
static bool rose(const batches *b, size_t peak, double typical, const double *in_system, const double *offered, const double *ended)
{
    size_t top = b->first[peak];
    double flow = 0;
    for (size_t i = top; i < b->first[peak + 1]; i++)
        top = in_system[i] > in_system[top] ? i : top;
    size_t from = top + 1;
    double ordinary = typical * b->ended[peak] / (double)(b->first[peak + 1] - b->first[peak]);
    while (from > 0 && in_system[from - 1] > ordinary) {
        from--;
        flow += offered[from] + ended[from];
    }
    return in_system[top] - (from > 0 ? in_system[from - 1] : 0) > CHANCE * sqrt(flow);
}

orr_saturation orr_saturation_judge(const double *in_system, const double *offered, const double *ended, size_t count)
{
    size_t bins = count;
    batches b;
    while (bins > 0 && !(offered[bins - 1] > 0))
        bins--;
    bins -= bins > 0 && bins < count; /* arrivals may have ceased in the midst of it */
    orr_saturation s = {.verdict = ORR_VERDICT_UNKNOWN, .bins = bins, .drift = NAN, .p = NAN, .backlog = NAN, .typical = NAN, .worst = NAN};
    if (bins < ORR_SATURATION_LEAST)
        return s;
    gather(&b, in_system, offered, ended, bins);
    s.backlog = in_system[bins - 1];
    bool growing = grows(&b, &s);
    size_t peak = find_peak(&b, &s);
    if (peak < b.count && !rose(&b, peak, s.typical, in_system, offered, ended))
        peak = b.count;
    bool came_down = peak < b.count && b.level[b.count - 1] <= RECOVERED * b.level[peak];
    if (came_down)
        s.verdict = ORR_VERDICT_OVERLOADED;
    else
        s.verdict = growing || peak < b.count ? ORR_VERDICT_GROWING : ORR_VERDICT_STABLE;
    return s;
}
