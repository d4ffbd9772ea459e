/**
 * Slots: by which timers that can be cancelled are known, per process.
 *
 * A timer's name is a slot and its generation, which is the end of the sequence number of its event. The event counts while slot and
 * event agree; a slot is free again as soon as its timer has happened or was cancelled, whenever its event leaves the queue. So
 * which slot is next depends on the process alone, and names stay valid in a checkpoint that is loaded on other lanes.
 */
#ifndef ORRERY_ENGINE_SLOTS_H
#define ORRERY_ENGINE_SLOTS_H

#include "base/archive.h"

/** 8 bytes. */
typedef struct orr_slot {
    uint32_t generation; /**< 0 in a free slot */
    uint32_t handle;     /**< the model's; in a free slot the next free one plus one */
} orr_slot;

typedef struct orr_slots {
    orr_array slots; /**< of orr_slot */
    uint32_t  free;  /**< first free one plus one */
} orr_slots;

/** A slot for a timer, or ORR_NONE when out of memory. `generation` is not 0. */
uint32_t orr_slots_take(orr_slots *slots, uint32_t generation, uint32_t handle);

/** The timer of a slot is over. */
void orr_slots_give(orr_slots *slots, uint32_t slot);

/** Saves, loads or frees. ORR_BAD_INPUT for what orr_slots_take and _give cannot have left. */
void orr_slots_archive(orr_slots *slots, orr_archive *archive);

/** Is this the timer that the slot knows? False for any slot that does not exist. */
static inline bool orr_slots_holds(const orr_slots *slots, uint32_t slot, uint32_t generation)
{
    return slot < slots->slots.count && generation != 0 && ((const orr_slot *)slots->slots.items)[slot].generation == generation;
}

static inline uint32_t orr_slots_handle(const orr_slots *slots, uint32_t slot) { return ((const orr_slot *)orr_array_at(&slots->slots, slot))->handle; }

#endif
