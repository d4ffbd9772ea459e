/** Text file: a whole file in memory, plain or gzip (told apart by its content), in one buffer that ends with a NUL. */
#ifndef ORRERY_SCENARIO_TEXT_FILE_H
#define ORRERY_SCENARIO_TEXT_FILE_H

#include "base/problems.h"

/** The bytes of the file at `path`, and in `length` how many there are before the final NUL; malloced. NULL with a problem if it cannot be read or holds more than 1 GiB. */
char *orr_text_file(const char *path, size_t *length, orr_problems *problems);

#endif
