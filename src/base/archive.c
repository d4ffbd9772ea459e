#include "base/archive.h"

#include <string.h>

void orr_archive_save(orr_archive *archive)
{
    *archive = (orr_archive){.mode = ORR_ARCHIVE_SAVE};
    orr_array_init(&archive->bytes, 1);
}

void orr_archive_load(orr_archive *archive, const void *bytes, size_t size)
{
    *archive = (orr_archive){.mode = ORR_ARCHIVE_LOAD};
    if (size >= ORR_NONE) {
        archive->status = ORR_BAD_INPUT;
        size = 0;
    }
    archive->bytes = (orr_array){(void *)(uintptr_t)bytes, (uint32_t)size, (uint32_t)size, 1};
}

void orr_archive_free(orr_archive *archive) { *archive = (orr_archive){.mode = ORR_ARCHIVE_FREE}; }

void orr_archive_destroy(orr_archive *archive)
{
    if (archive->mode == ORR_ARCHIVE_SAVE)
        orr_array_clear(&archive->bytes);
}

void orr_archive_bytes(orr_archive *archive, void *bytes, size_t size)
{
    if (size == 0 || archive->status != ORR_OK || archive->mode == ORR_ARCHIVE_FREE)
        return;
    if (archive->mode == ORR_ARCHIVE_SAVE) {
        void *to = orr_array_extend(&archive->bytes, size);
        if (to == NULL)
            archive->status = ORR_NO_MEMORY;
        else
            memcpy(to, bytes, size);
    } else if (archive->bytes.count - archive->read < size) {
        archive->status = ORR_BAD_INPUT;
    } else {
        memcpy(bytes, (char *)archive->bytes.items + archive->read, size);
        archive->read += size;
    }
}

void orr_archive_array(orr_archive *archive, orr_array *array)
{
    if (archive->mode == ORR_ARCHIVE_FREE) {
        orr_array_clear(array);
        return;
    }
    uint32_t count = array->count;
    orr_archive_bytes(archive, &count, sizeof count);
    if (archive->status != ORR_OK)
        return;
    if (archive->mode == ORR_ARCHIVE_LOAD) {
        array->count = 0;
        if ((size_t)count * array->item_size > archive->bytes.count - archive->read)
            archive->status = ORR_BAD_INPUT;
        else if (count > 0 && orr_array_extend(array, count) == NULL)
            archive->status = ORR_NO_MEMORY;
    }
    orr_archive_bytes(archive, array->items, (size_t)array->count * array->item_size);
}
