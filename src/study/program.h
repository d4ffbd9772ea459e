/**
 * Program: another program run to its end, with an argument vector (no shell, so nothing needs quoting) and a deadline.
 *
 * A program that asks a server which has gone may wait for minutes; after the deadline it is killed, and that is an error like any other.
 */
#ifndef ORRERY_STUDY_PROGRAM_H
#define ORRERY_STUDY_PROGRAM_H

#include "base/problems.h"

/** What a program wrote and how it ended. */
typedef struct orr_program_result {
    char *out, *err; /**< owned, terminated */
    int   exit;      /**< exit status, or 128 + signal */
} orr_program_result;

/**
 * Runs `arguments[0]`, found along PATH; the list ends with NULL. ORR_OK if it ended by itself within `seconds`, whatever its exit status; ORR_IO with a problem that
 * says what went wrong (not found, too slow); ORR_NO_MEMORY. The result is to be cleared in any case.
 */
orr_status orr_program_run(const char *const *arguments, double seconds, orr_program_result *result, orr_problems *problems);

void orr_program_clear(orr_program_result *result);

#endif
