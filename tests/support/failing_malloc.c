#include "failing_malloc.h"

#include <stddef.h>

/* The linker turns calls of malloc into calls of __wrap_malloc, and __real_malloc into malloc. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

static unsigned long counted; /* allocations so far */
static long left; /* allocations until the one that fails; 0: none does */
static bool fired;

void failing_malloc_arm(long nth)
{
    left = nth;
    fired = false;
}

bool failing_malloc_fired(void)
{
    left = 0;
    return fired;
}

unsigned long failing_malloc_count(void) { return counted; }

static bool fails(void)
{
    counted++;
    if (left == 0 || --left > 0)
        return false;
    return fired = true;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return fails() ? NULL : __real_realloc(old, size); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __real_aligned_alloc(alignment, size); }
char *__wrap_strdup(const char *text) { return fails() ? NULL : __real_strdup(text); }
