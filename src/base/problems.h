/**
 * Problems: everything that is wrong with what the user gave us, each at its place.
 *
 * A loader does not stop at the first mistake: it notes it and goes on, so that one pass shows them all. A problem is
 * one line, `file:line:column: error: message`, ready to be printed. Functions that can fail for other reasons (memory,
 * the disk) return an orr_status; where the message needs words it is a problem too.
 */
#ifndef ORRERY_BASE_PROBLEMS_H
#define ORRERY_BASE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a call ended. Everything but ORR_OK leaves its outputs unusable but safe to destroy. */
typedef enum orr_status {
    ORR_OK = 0,
    ORR_BAD_INPUT,    /**< the user's scenario, catalogue, trace or command line; details are in the problems */
    ORR_NO_MEMORY,
    ORR_IO,           /**< a file could not be read or written; details are in the problems */
    ORR_AUDIT_FAILED, /**< the run ended, but a conservation law does not hold */
    ORR_INTERRUPTED,
    ORR_POLICY_FAILED, /**< a policy could not be loaded or refused its options */
} orr_status;

/** A place in a file. `file` is borrowed and outlives the place; line and column count from 1, 0 means "the file as a whole". */
typedef struct orr_where {
    const char *file;
    uint32_t line, column;
} orr_where;

/** A growing list of problems. All zeros is an empty one. */
typedef struct orr_problems {
    char    **text; /**< owned; each is one line without a newline */
    size_t    count, capacity;
    bool      out_of_memory; /**< a problem could not be stored; the list is incomplete, and not empty of meaning */
    uint32_t *slot;        /**< private: hash table of the lines (index + 1), so that equal lines are found at once */
    size_t    slots;
} orr_problems;

/**
 * Notes one problem. A NULL `where.file` leaves the position out. Equal lines are noted once. Control characters are
 * shown as `\n` or `\x1b`, and a line ends with "…" after 4,000 bytes, whatever the user's file holds.
 */
void orr_problem(orr_problems *problems, orr_where where, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** True if anything has been noted (or lost for want of memory). */
bool orr_problems_any(const orr_problems *problems);

/** Frees the lines and leaves an empty list. */
void orr_problems_clear(orr_problems *problems);

#endif
