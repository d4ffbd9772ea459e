/**
 * Metrics by name: what a dotted name of the summary is called, in which unit, and which way is better.
 */
#ifndef ORRERY_TRACE_METRIC_H
#define ORRERY_TRACE_METRIC_H

#include <stddef.h>

enum { ORR_METRIC_TITLE = 160 };

typedef struct orr_metric_words {
    char        title[ORR_METRIC_TITLE];
    const char *unit;   /**< "s", "ratio", "yuan", "requests", … or "" */
    const char *better; /**< "lower", "higher", or NULL where neither is */
} orr_metric_words;

/** Words for `name`; names of groups (`by_class.phone.latency.ttft.p99`) are described by what follows the group. Any name gets some. */
void orr_metric_describe(const char *name, orr_metric_words *words);

#endif
