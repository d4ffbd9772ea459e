/**
 * Shape: what all runs behind one page share: sites, links, pools, classes, and the time axis.
 *
 * Read from the first run. The fingerprint over these tables tells whether another run stood on the same
 * catalogues: the scenario's text only names their files, which may have changed in between.
 */
#ifndef ORRERY_TRACE_REPORT_SHAPE_H
#define ORRERY_TRACE_REPORT_SHAPE_H

#include "base/problems.h"

#include <cjson/cJSON.h>
#include <hdf5.h>

enum { ORR_PAGE_BINS = 192 }; /**< most intervals of a time series on the page */

/** All arrays are owned. Texts are of ORR_TEXT_BYTES bytes each (table.h). */
typedef struct orr_shape {
    size_t   site_count, link_count, pool_count, class_count;
    char    *site_id, *site_name, *site_kind, *site_region, *site_country;
    double  *latitude, *longitude, *accelerators;
    int64_t *site_used;
    char    *link_a_id, *link_b_id;
    size_t  *link_a, *link_b;      /**< sites */
    double  *km, *capacity_bit_s;
    int64_t *pool_site;
    double  *pool_slots, *pool_weight; /**< weight: in the site's utilisation; accelerators where the site has any, else places */
    char    *class_name, *class_title;
    double  *slo_ttft_s, *slo_tpot_s, *slo_e2e_s;
    int64_t  start_s, bin_ns;      /**< start in seconds since 1970 UTC */
    size_t   group;                /**< bins of the file that make one of the page */
    size_t   bins;                 /**< of the page */
} orr_shape;

static inline const char *orr_shape_text(const char *texts, size_t index, size_t bytes) { return texts + index * bytes; }

/** Reads the shape from an open run; `until_ns` is the end of the longest run. On failure a problem is noted and the shape is safe to destroy. */
orr_status orr_shape_read(orr_shape *shape, hid_t file, const char *path, int64_t until_ns, orr_problems *problems);
void       orr_shape_destroy(orr_shape *shape);

/** A hash of everything in the tables of sites, links, pools, classes and services. */
uint64_t orr_shape_fingerprint(hid_t file);

/**
 * Adds `classes`, `sites`, `links` and `bins` to the page's data. `carried` has the bytes of each link: links that carried some are shown, and those
 * between two sites in use, with the sites at their ends. `link_shown` (link_count entries) is filled in. False when out of memory.
 */
bool orr_shape_describe(cJSON *to, const orr_shape *shape, const double *carried, bool *link_shown);

#endif
