/**
 * Packing: a finished file without the holes that growing chunks have left.
 *
 * While a run is under way, a chunk that has grown is written to a new place, and its old one is kept as it was: metadata on disk looks for it until the next flush, and a run
 * may be killed before. So the file grows by what was moved; packing copies what is in it, chunks as they are (compressed), into a new one.
 */
#ifndef ORRERY_TRACE_PACK_H
#define ORRERY_TRACE_PACK_H

#include "base/problems.h"

/** Copies all objects and attributes of the closed file `from` into a new file `to`. ORR_IO if either cannot be read or written. */
orr_status orr_file_pack(const char *from, const char *to);

#endif
