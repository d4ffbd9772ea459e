/**
 * Checkpoint: a run at one moment, in one file, so that it can go on later as if nothing had happened.
 *
 * It holds the resolved scenario, the state of all sites, the pending events, and the results written so far (a copy of the run's HDF5 file), and
 * a hash over all of it. It is written beside its name and renamed, so what stands under the name is always whole. A checkpoint belongs to a
 * scenario, a seed and a version; the policy is not part of that, so that a *branch* can give the same past another policy.
 */
#ifndef ORRERY_TRACE_CHECKPOINT_H
#define ORRERY_TRACE_CHECKPOINT_H

#include "trace/recorder.h"

/** Writes the checkpoint of a run that has reached `now_ns` (the start of the bin in which it is). ORR_IO with a problem on failure. */
orr_status orr_checkpoint_save(const char *path, orr_grid *grid, orr_recorder *recorder, int64_t now_ns, orr_problems *problems);

/**
 * Loads a checkpoint into `grid` (made to resume from the same world) and opens its results at `output`. ORR_BAD_INPUT with a problem if it is not
 * a checkpoint, is damaged, or belongs to another version, scenario or seed. With `branch`, the policies start afresh from here on; else the
 * policy must be the same.
 */
orr_status orr_checkpoint_load(const char *path, orr_grid *grid, const char *output, bool branch, orr_recorder **recorder, int64_t *now_ns, orr_problems *problems);

#endif
