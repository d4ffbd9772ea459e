/** Text builder: a string that grows. A failed allocation is remembered, so that a caller asks once, at the end. */
#ifndef ORRERY_SCENARIO_TEXT_BUILDER_H
#define ORRERY_SCENARIO_TEXT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>

/** All zeros is an empty one. */
typedef struct orr_text_builder {
    char  *text; /**< owned; terminated if not NULL */
    size_t length, capacity;
    bool   out_of_memory; /**< nothing is added any more */
} orr_text_builder;

void orr_build_bytes(orr_text_builder *builder, const char *bytes, size_t length);
void orr_build_text(orr_text_builder *builder, const char *text);
void orr_build_spaces(orr_text_builder *builder, size_t count);

/** Hands the text over (malloced, terminated), or NULL when out of memory. The builder is empty afterwards. */
char *orr_build_take(orr_text_builder *builder);

#endif
