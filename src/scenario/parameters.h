/** Parameters: `params:` and the `${name}` that refer to it. Internal to src/scenario; the rules are in document.h. */
#ifndef ORRERY_SCENARIO_PARAMETERS_H
#define ORRERY_SCENARIO_PARAMETERS_H

#include "scenario/tree.h"

/**
 * Brings the `params` of one file, if it has any, into the form `name: {default, unit, text, value}` (each key only if given).
 * All calls here return false only when memory ran out; mistakes are noted.
 */
bool orr_parameters_normalise(orr_document *document, orr_node *root, orr_problems *problems);

/** What an importing file (`over`) makes of the parameters it imports: field by field, a new default sets an old value aside. NULL: no memory. */
orr_node *orr_parameters_merge(orr_document *document, const orr_node *base, const orr_node *over);

/** Gives the declared parameter `name` a value in force. `where` is the override's. */
bool orr_parameters_override(orr_document *document, const char *name, orr_where where, orr_node *value, orr_problems *problems);

/** Settles the value of every parameter, and replaces every `${name}` in the document. */
bool orr_parameters_resolve(orr_document *document, orr_problems *problems);

/** Replaces every `${name}` under a node `depth` below the root; to be called after orr_parameters_resolve, for values that come later. */
bool orr_parameters_substitute(orr_document *document, orr_node *node, unsigned depth, orr_problems *problems);

#endif
