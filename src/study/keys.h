/** Keys: every key that a study may hold, in one table (scenario/schema.h says how it is read). */
#ifndef ORRERY_STUDY_KEYS_H
#define ORRERY_STUDY_KEYS_H

#include "scenario/schema.h"

extern const orr_key orr_study_keys[];
extern const size_t  orr_study_key_count;

#endif
