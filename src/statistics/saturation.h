/**
 * Saturation: does the queue of a run grow without end?
 *
 * Where more is offered than can be served, requests pile up for as long as the run lasts, and every mean is one of the duration. The
 * verdict rests on the backlog, the requests in the system at the end of each bin. Bins are gathered into up to twenty batches, and the first quarter is left out as warm-up.
 *
 * *Growing* if all of this holds over the rest: the drift of the backlog, its mean increment from batch to batch, is positive (Student's t, one-sided,
 * 1 %); the increase is at least 0.5 % of what ended meanwhile; and the time that the backlog stands for (backlog over requests ended per second: Little's
 * law) is by half longer in the last third than in the first. Increments of a queue at the edge of stability are independent, those of a stable one correlate
 * negatively, so that the false alarm rate of the first condition is below 1 % however slowly the queue relaxes; a trend test on its length would not
 * have that. The other two keep a load that rises by day, and is served, from being called saturation.
 *
 * *Overloaded* (for a time) if not growing, but in some batch the backlog stood for four times the typical time or more (the first quartile over batches), was at
 * least 0.5 % of all that was offered, and had risen to its peak by more than five times the square root of what came and went meanwhile: Poisson counts do not do that by chance. If it
 * has not come down to half of that by the end, it is growing.
 *
 * An overload of a share e shows once about 25 / e^2 requests were offered: 1 % needs 250,000. Fewer are a queue that nobody can tell from a stable one.
 */
#ifndef ORRERY_STATISTICS_SATURATION_H
#define ORRERY_STATISTICS_SATURATION_H

#include <stdbool.h>
#include <stddef.h>

enum { ORR_SATURATION_LEAST = 8 };

typedef enum orr_verdict {
    ORR_VERDICT_UNKNOWN, /**< fewer than ORR_SATURATION_LEAST bins */
    ORR_VERDICT_STABLE,
    ORR_VERDICT_GROWING,
    ORR_VERDICT_OVERLOADED,
} orr_verdict;

/** "unknown", "stable", "growing", "overloaded". */
extern const char *const orr_verdict_names[4];

typedef struct orr_saturation {
    orr_verdict verdict;
    size_t      bins;     /**< that were judged: bins at the end in which nothing was offered any more, and the one before them, are left out */
    double      drift;    /**< requests per bin, after the warm-up */
    double      p;        /**< one-sided p-value of "the drift is not positive" */
    double      backlog;  /**< requests in the system at the end of the last bin judged */
    double      typical;  /**< first quartile over batches of the time that the backlog stands for, in bins; infinite if mostly nothing ended */
    double      worst;    /**< the largest of them */
    size_t      worst_first, worst_end; /**< its bins: [first, end) */
} orr_saturation;

/**
 * Judges `count` bins of equal length: requests in the system at the end of each, offered and ended (served or not) in it. All NaN but the verdict
 * where it is unknown. Allocates nothing.
 */
orr_saturation orr_saturation_judge(const double *in_system, const double *offered, const double *ended, size_t count);

#endif
