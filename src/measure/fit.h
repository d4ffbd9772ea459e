/**
 * Fit: coefficients of the roofline from measured points.
 *
 * Least squares over the logarithms of simulated over measured times (GSL, Levenberg-Marquardt; derivatives by differences), each point being
 * simulated as the closed loop that it was. Large errors count less than by their squares (pseudo-Huber), and every coefficient is held near its
 * start by a weak prior, so that those which the points do not determine stay where they were.
 */
#ifndef ORRERY_MEASURE_FIT_H
#define ORRERY_MEASURE_FIT_H

#include "measure/points.h"
#include "world/world.h"

enum { ORR_FIT_COEFFICIENTS = 14 };

/** A coefficient as the catalogue writes it. */
typedef struct orr_fit_coefficient {
    const char *column;  /**< of calibrations.csv */
    size_t      offset;  /**< of a double in orr_coefficients */
    double      unit;    /**< the catalogue's unit in SI units */
    bool        share;   /**< a share of a peak, from 0.02 to 1; else a time or factor, from 0 on */
    double      typical; /**< what it is varied by when it starts at 0, catalogue units */
} orr_fit_coefficient;

extern const orr_fit_coefficient orr_fit_coefficients[ORR_FIT_COEFFICIENTS];

static inline double *orr_fit_value(orr_coefficients *c, int i) { return (double *)((char *)c + orr_fit_coefficients[i].offset); }

/** Relative errors of simulated against measured times. All NAN when there are none. */
typedef struct orr_errors {
    uint32_t count;
    double   mean, median, p90; /**< of the absolute ones */
    double   bias;              /**< mean of the signed ones */
} orr_errors;

/** Which time or rate of which points an error is about. */
typedef enum orr_error_kind { ORR_ERROR_TPOT, ORR_ERROR_TTFT_LOW, ORR_ERROR_TTFT_HIGH, ORR_ERROR_RATE } orr_error_kind; /**< TTFT with up to 16 users; with 32 to 128; tokens per second */

/** Errors over the points for which `in` is set (NULL: all) and that are not skipped. */
orr_errors orr_errors_of(const orr_points *points, const bool *in, orr_error_kind kind);

typedef struct orr_fit_result {
    orr_coefficients coefficients;
    double           error[ORR_FIT_COEFFICIENTS]; /**< standard errors, catalogue units; NAN if the points say nothing */
    uint32_t         iterations;
} orr_fit_result;

/**
 * Fits to the points for which `in` is set (NULL: all), from `start` on; `worlds` are theirs, NULL where skipped. The points then hold what the last
 * coefficients gave. ORR_BAD_INPUT with problems when there are fewer points than three.
 */
orr_status orr_fit(orr_fit_result *result, orr_points *points, orr_world **worlds, const bool *in, const orr_coefficients *start, orr_problems *problems);

/** Simulates every point that is not skipped, with `coefficients` (NULL: those of the catalogue). */
orr_status orr_fit_simulate(orr_points *points, orr_world **worlds, const bool *in, const orr_coefficients *coefficients, orr_problems *problems);

#endif
