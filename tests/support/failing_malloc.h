/**
 * Failing malloc: makes one allocation of the program under test fail, to see that it is survived, and counts all of them.
 *
 * Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup. Calls from shared libraries are not touched.
 */
#ifndef ORRERY_TESTS_SUPPORT_FAILING_MALLOC_H
#define ORRERY_TESTS_SUPPORT_FAILING_MALLOC_H

#include <stdbool.h>

/** The `nth` allocation from now (1 is the next) returns NULL; 0 lets all succeed. */
void failing_malloc_arm(long nth);

/** True if the armed failure has happened. Disarms, so that what follows is safe. */
bool failing_malloc_fired(void);

/** How many allocations there have been, changes of size included. */
unsigned long failing_malloc_count(void);

#endif
