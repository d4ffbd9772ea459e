/** Pages: what `report` and `compare` have in common. */
#ifndef ORRERY_CLI_PAGES_H
#define ORRERY_CLI_PAGES_H

#include "base/problems.h"

#include <cjson/cJSON.h>

/** Says on stderr which runs of the page's data did not come to their end. */
void orr_cli_warn_of_partial_runs(const cJSON *data);

/** Prints the problems and returns the exit status: bad input, or a failure of the machine (disk, memory). */
int orr_cli_failure(orr_status status, orr_problems *problems);

#endif
