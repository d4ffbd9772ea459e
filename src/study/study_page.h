/**
 * Study page: what the report draws of a study: the data of a comparison of its focus cell (trace/report_data.h), and under `study` the whole.
 */
#ifndef ORRERY_STUDY_STUDY_PAGE_H
#define ORRERY_STUDY_STUDY_PAGE_H

#include "study/results.h"

/** The object `study` of the page. NULL when out of memory. */
cJSON *orr_study_json(const orr_results *results);

/** The data of the whole page. NULL with problems. */
cJSON *orr_study_page(const orr_results *results, orr_problems *problems);

#endif
