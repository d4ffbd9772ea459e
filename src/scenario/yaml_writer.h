/** YAML writer: orr_document_text (document.h), and what the other files need to know of it. Internal to src/scenario. */
#ifndef ORRERY_SCENARIO_YAML_WRITER_H
#define ORRERY_SCENARIO_YAML_WRITER_H

#include <stdbool.h>

/** True if a value can be written without quotes. A node whose text cannot is `quoted`, so that reading it back finds it the same. */
bool orr_yaml_is_plain(const char *text);

#endif
