/**
 * Audit: everything is conserved, and the run says so.
 *
 * Each check counts the same thing in two independent ways and compares them as integers: what clients counted against what sites
 * counted against what is still on the way. Runs at the end of every run; one difference and the run has failed.
 */
#ifndef ORRERY_GRID_AUDIT_H
#define ORRERY_GRID_AUDIT_H

#include "grid/grid.h"

enum { ORR_AUDIT_CHECKS = 24 };

typedef struct orr_check {
    const char *name;
    __int128    left, right;
} orr_check;

typedef struct orr_audit {
    orr_check check[ORR_AUDIT_CHECKS];
    uint32_t  count, failed;
} orr_audit;

/** Audits the grid as it stands at `now_ns` (integrals brought up to it). */
void orr_audit_run(orr_audit *audit, const orr_grid *grid, int64_t now_ns);

/** Adds one more check; for what other modules count. */
void orr_audit_add(orr_audit *audit, const char *name, __int128 left, __int128 right);

/** Decimal digits of a 128-bit integer; `text` has at least 48 bytes. */
void orr_audit_digits(__int128 value, char *text);

#endif
