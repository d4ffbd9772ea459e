/** UTF-8: the little that the readers and writers of text need of it. Internal to src/scenario. */
#ifndef ORRERY_SCENARIO_UTF8_H
#define ORRERY_SCENARIO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the character at `s`, of which `available` bytes (> 0) may be read; 0 if it is none. Its number in `code`. */
size_t orr_utf8_decode(const char *s, size_t available, uint32_t *code);

bool orr_utf8_is_text(const char *text);

/** `text`, or its beginning and "…" if it is long; in `buffer` then. For messages. */
const char *orr_utf8_excerpt(const char *text, char buffer[64]);

#endif
