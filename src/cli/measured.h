/** What `validate` and `calibrate` have in common: measured points with their worlds, and tables of errors. */
#ifndef ORRERY_CLI_MEASURED_H
#define ORRERY_CLI_MEASURED_H

#include "measure/fit.h"

#include <argp.h>

typedef struct orr_measured {
    orr_points   points;
    orr_world  **worlds; /**< owned; NULL where the point is skipped */
    const char  *path, *data, *accelerator, *engine; /**< file; folder of the catalogues; stand-ins for missing columns */
    orr_points_limits limits;
} orr_measured;

/** The argp child that reads the table and the options that both commands have into an orr_measured (its input). */
extern const struct argp orr_measured_argp;

/** The folder of the catalogues: `data`, or those that come with the program if it is NULL. An absolute path, malloced; NULL when there is none. */
char *orr_measured_data(const char *data);

/** Reads the file and builds the worlds. False with problems noted. */
bool orr_measured_load(orr_measured *measured, orr_problems *problems);
void orr_measured_destroy(orr_measured *measured);

/** Says how many points count, why the others do not, and which names were taken for which. */
void orr_measured_print_skipped(const orr_measured *measured);

/** False, with a problem, if no point counts. */
bool orr_measured_any(const orr_measured *measured, orr_problems *problems);

/** One row per accelerator, engine and model, and one for all: how far simulated times are off. False when out of memory. */
bool orr_measured_print_errors(const orr_measured *measured);

#endif
