#include "trace/metric.h"

#include "trace/comparison.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* By how a name begins or ends, the first that fits; the metrics of comparisons come before. */
static const struct {
    const char *part, *unit, *better;
    bool        end;
} rules[] = {
    {"latency.", "s", "lower", false},
    {"requests.served", "requests", "higher", false},
    {"requests.offered", "requests", NULL, false},
    {"requests.retries", "requests", "lower", false},
    {"requests.", "requests", "lower", false},
    {"tokens.cached_share", "ratio", "higher", false},
    {"tokens", "tokens", NULL, false},
    {"goodput", "requests/s", "higher", false},
    {"outage.minutes", "min", "lower", false},
    {"outage.longest", "min", "lower", false},
    {"outage.peak_attempts", "", "lower", false},
    {"_minutes", "min", "lower", true},
    {"_yuan", "yuan", "lower", true},
    {".yuan", "yuan", "lower", true},
    {"_kwh", "kWh", "lower", true},
    {".kwh", "kWh", "lower", true},
    {".kg", "kg", "lower", true},
    {"_g", "g", "lower", true},
    {"utilisation", "ratio", NULL, false},
    {"attainment", "ratio", "higher", true},
    {"share", "ratio", NULL, true},
    {"per_s", "1/s", NULL, true},
    {"_s", "s", "lower", true},
};

static bool fits(const char *name, const char *part, bool end)
{
    size_t n = strlen(name), m = strlen(part);
    return n >= m && strncmp(end ? name + n - m : name, part, m) == 0;
}

static bool described(const char *name, orr_metric_words *w)
{
    for (size_t i = 0; i < ORR_COMPARED_METRICS; i++) {
        const orr_metric_kind *k = &orr_compared_metrics[i];
        if (strcmp(k->key, name) != 0)
            continue;
        snprintf(w->title, sizeof w->title, "%s", k->title);
        w->unit = k->unit;
        w->better = k->better;
        return true;
    }
    return false;
}

/* latency.ttft.p50 -> TTFT p50; cost.total_yuan -> Cost total yuan */
static void make_title(const char *name, char title[ORR_METRIC_TITLE])
{
    static const char *const short_words[] = {"ttft", "tpot", "itl", "e2e", "slo", "pue"};
    size_t out = 0;
    bool begins = true;
    if (strncmp(name, "latency.", 8) == 0)
        name += 8;
    for (const char *at = name; *at != 0 && out + 2 < ORR_METRIC_TITLE;) {
        size_t length = strcspn(at, "._");
        bool upper = false;
        for (size_t i = 0; i < sizeof short_words / sizeof *short_words; i++)
            upper = upper || (strlen(short_words[i]) == length && strncmp(at, short_words[i], length) == 0);
        for (size_t i = 0; i < length && out + 2 < ORR_METRIC_TITLE; i++, begins = false)
            title[out++] = (char)((upper || begins) && at[i] >= 'a' && at[i] <= 'z' ? at[i] - 'a' + 'A' : at[i]);
        at += length;
        if (*at != 0) {
            title[out++] = ' ';
            at++;
        }
    }
    title[out] = 0;
}

void orr_metric_describe(const char *name, orr_metric_words *w)
{
    *w = (orr_metric_words){.unit = ""};
    if (strncmp(name, "by_", 3) == 0 || strncmp(name, "serving.by_", 11) == 0) { /* by_class.NAME.rest; names of groups have no dots, or the rest begins with a word we know */
        static const char *const heads[] = {"requests.", "latency.", "tokens", "cost.", "energy.", "carbon.", "electricity.", "slo", "goodput", "outage", "utilisation"};
        const char *group = strchr(name + (name[0] == 's' ? 8 : 0), '.');
        for (const char *dot = group == NULL ? NULL : strchr(group + 1, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
            for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
                if (fits(dot + 1, heads[i], false)) {
                    orr_metric_words inner;
                    orr_metric_describe(dot + 1, &inner);
                    w->unit = inner.unit;
                    w->better = inner.better;
                    snprintf(w->title, sizeof w->title, "%.*s: %.100s", (int)(dot - group - 1) < 48 ? (int)(dot - group - 1) : 48, group + 1, inner.title);
                    return;
                }
    }
    if (described(name, w))
        return;
    make_title(name, w->title);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (fits(name, rules[i].part, rules[i].end)) {
            w->unit = rules[i].unit;
            w->better = rules[i].better;
            return;
        }
}
