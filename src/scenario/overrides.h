/** Overrides: `key.path=value`, from `--set`. Internal to src/scenario; the rules are in document.h. */
#ifndef ORRERY_SCENARIO_OVERRIDES_H
#define ORRERY_SCENARIO_OVERRIDES_H

#include "scenario/tree.h"

/**
 * Applies, in their order, either those overrides that set a parameter (before parameters are resolved) or all others
 * (after). Mistakes are noted; false only when memory ran out.
 */
bool orr_overrides_apply(orr_document *document, const char *const *overrides, size_t count, bool parameters, orr_problems *problems);

#endif
