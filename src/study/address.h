/**
 * Address: what a run is called by: 128 bits over everything that its results depend on.
 *
 * That is the resolved scenario (its tree with parameters and overrides in force, policy and seed among them), the contents of the files that it
 * names (catalogues, traces, shared objects), and the version of the program and of its files. Where the files lie does not matter. Equal
 * addresses: equal bytes, so a run that has one need not be done again.
 */
#ifndef ORRERY_STUDY_ADDRESS_H
#define ORRERY_STUDY_ADDRESS_H

#include "base/array.h"
#include "base/map.h"
#include "scenario/document.h"

enum { ORR_ADDRESS_BYTES = 33 }; /**< 32 hex digits and a terminator */

typedef struct orr_digest {
    uint64_t low, high;
} orr_digest;

/** Contents of files, each read once. All zeros is an empty one. */
typedef struct orr_file_digests {
    struct orr_file_digest *files;
    size_t count, capacity;
} orr_file_digests;

void orr_file_digests_clear(orr_file_digests *digests);

/**
 * Digest of everything but the seed. The tree is that of a document with its overrides, before a schema has filled it in. Files that cannot be read count as
 * absent here; the run will say so. False when out of memory.
 */
bool orr_digest_of(orr_digest *digest, orr_document *document, orr_file_digests *files);

/** The address of a run with that digest and seed. */
void orr_address_of(const orr_digest *digest, uint64_t seed, char address[ORR_ADDRESS_BYTES]);

#endif
