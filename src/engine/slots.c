#include "engine/slots.h"

uint32_t orr_slots_take(orr_slots *s, uint32_t generation, uint32_t handle)
{
    uint32_t slot = s->free - 1;
    if (s->free == 0) {
        if (orr_array_extend(&s->slots, 1) == NULL)
            return ORR_NONE;
        slot = s->slots.count - 1;
    } else {
        s->free = orr_slots_handle(s, slot);
    }
    *(orr_slot *)orr_array_at(&s->slots, slot) = (orr_slot){generation, handle};
    return slot;
}

void orr_slots_give(orr_slots *s, uint32_t slot)
{
    *(orr_slot *)orr_array_at(&s->slots, slot) = (orr_slot){0, s->free};
    s->free = slot + 1;
}

void orr_slots_archive(orr_slots *s, orr_archive *archive)
{
    orr_archive_array(archive, &s->slots);
    orr_archive_bytes(archive, &s->free, sizeof s->free);
    bool sound = archive->status != ORR_OK || s->free <= s->slots.count;
    for (uint32_t i = 0; i < s->slots.count && archive->status == ORR_OK; i++) {
        const orr_slot *slot = orr_array_at(&s->slots, i);
        sound &= slot->generation != 0 || slot->handle <= s->slots.count;
    }
    if (!sound)
        archive->status = ORR_BAD_INPUT;
}
