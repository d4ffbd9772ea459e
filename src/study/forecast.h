/**
 * Forecast: what a study will take, before it starts.
 *
 * One run is begun in a process of its own and stopped after a moment: its speed, memory and output by expected request are those of all runs, each
 * with the requests that its clients are expected to send. Where the book already has runs, their times count instead.
 */
#ifndef ORRERY_STUDY_FORECAST_H
#define ORRERY_STUDY_FORECAST_H

#include "study/orders.h"
#include "study/plan.h"

#include <cjson/cJSON.h>

typedef struct orr_forecast {
    double   s_per_request, bytes_per_request; /**< of wall time and of disk; 0 if not known */
    double   fixed_s, fixed_bytes;             /**< of a run whatever its size */
    uint64_t memory;                           /**< bytes of a run */
} orr_forecast;

/**
 * Tries the first of the orders for about `seconds`. False if it could not be tried; then the forecast is zero. `summary` gets the trial's
 * (trace/summary.h), so that the names of metrics can be looked up before the runs; the caller deletes it; NULL where there is none.
 */
bool orr_forecast_try(orr_forecast *forecast, const char *folder, const orr_orders *orders, double seconds, cJSON **summary);

/** Wall time and disk of a run with so many expected requests. */
double orr_forecast_seconds(const orr_forecast *forecast, double requests);
double orr_forecast_bytes(const orr_forecast *forecast, double requests);

#endif
