/** YAML reader: text into a tree, through libyaml. Internal to src/scenario; what it refuses and bounds is in document.h. */
#ifndef ORRERY_SCENARIO_YAML_READER_H
#define ORRERY_SCENARIO_YAML_READER_H

#include "scenario/tree.h"

typedef enum orr_yaml_what {
    ORR_YAML_FILE,     /**< the root must be a map; nodes stand at their line and column */
    ORR_YAML_FRAGMENT, /**< the value of an override or a default: any value, also nothing; all of it stands at `place` */
} orr_yaml_what;

/**
 * Reads `length` bytes. `place.file` must live as long as the document. `depth` is where the root is going to stand.
 * Returns the root; NULL after a syntax error, a broken bound (problems are noted) or without memory (document->no_memory).
 */
orr_node *orr_yaml_read(orr_document *document, orr_yaml_what what, orr_where place, const char *text, size_t length,
                        unsigned depth, orr_problems *problems);

#endif
