/** Temporary: a directory of a test's own, with the files it writes there, gone when it ends. */
#ifndef ORRERY_TESTS_SUPPORT_TEMPORARY_H
#define ORRERY_TESTS_SUPPORT_TEMPORARY_H

#include <stddef.h>

/** Makes the directory and goes there. For use as a Check fixture. */
void temporary_enter(void);

/** Leaves it and removes it with all that is in it. */
void temporary_leave(void);

/** Writes a file there. */
void temporary_write(const char *name, const void *bytes, size_t length);
void temporary_write_text(const char *name, const char *text);

#endif
