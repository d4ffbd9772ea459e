/**
 * Resolved: are two runs of the same scenario?
 *
 * Seed and policy are part of the resolved text, so its hash differs between runs that are meant to be compared. What must agree is
 * the rest: the text without its top-level parts `seed:` and `policy:`.
 */
#ifndef ORRERY_TRACE_RESOLVED_H
#define ORRERY_TRACE_RESOLVED_H

#include <stdbool.h>
#include <stddef.h>

/** Where two texts part: a line of each, borrowed, without its newline; length 0 where a text has ended. */
typedef struct orr_parting {
    const char *a, *b;
    size_t      a_length, b_length;
} orr_parting;

/**
 * True if the resolved texts `a` and `b` (YAML as orr_document_text writes it: a value on one line, deeper lines indented) agree but for seed and
 * policy. Else `parting` (may be NULL) gets the first lines that differ.
 */
bool orr_resolved_same(const char *a, const char *b, orr_parting *parting);

#endif
