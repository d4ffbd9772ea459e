/** Keys: every key a scenario may hold, in one table (schema.h says how it is read). */
#ifndef ORRERY_SCENARIO_KEYS_H
#define ORRERY_SCENARIO_KEYS_H

#include "scenario/schema.h"

extern const orr_key orr_scenario_keys[];
extern const size_t  orr_scenario_key_count;

#endif
