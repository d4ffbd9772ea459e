/**
 * Archive: one description of a state serves to save it, to load it and to free it.
 *
 * A module writes one function that names each of its fields in order (`orr_archive_bytes`, `orr_archive_array`); the
 * archive's mode decides what happens to them. What is saved is the bytes of plain data in the order named, so equal
 * states give equal archives.
 */
#ifndef ORRERY_BASE_ARCHIVE_H
#define ORRERY_BASE_ARCHIVE_H

#include "base/array.h"
#include "base/problems.h"

typedef enum orr_archive_mode { ORR_ARCHIVE_SAVE, ORR_ARCHIVE_LOAD, ORR_ARCHIVE_FREE } orr_archive_mode;

typedef struct orr_archive {
    orr_archive_mode mode;
    orr_array        bytes; /**< SAVE: what has been written; LOAD: borrowed input; FREE: unused */
    size_t           read;  /**< LOAD: position */
    orr_status       status; /**< sticky: the first thing that went wrong */
} orr_archive;

void orr_archive_save(orr_archive *archive);
/** Loads from `size` bytes at `bytes`, borrowed. */
void orr_archive_load(orr_archive *archive, const void *bytes, size_t size);
void orr_archive_free(orr_archive *archive);
/** Frees what a SAVE archive holds. */
void orr_archive_destroy(orr_archive *archive);

void orr_archive_bytes(orr_archive *archive, void *bytes, size_t size);
void orr_archive_array(orr_archive *archive, orr_array *array);

#endif
