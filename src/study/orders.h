/**
 * Orders: runs to be done, apart from the study that wants them. What one process hands to another (a task of a cluster reads them from a file).
 *
 * Orders of a group differ in the seed alone and follow each other.
 */
#ifndef ORRERY_STUDY_ORDERS_H
#define ORRERY_STUDY_ORDERS_H

#include "study/address.h"

#include <cjson/cJSON.h>

typedef struct orr_order_group {
    const char **overrides; /**< list and texts are owned */
    size_t       count;
} orr_order_group;

typedef struct orr_order {
    char     address[ORR_ADDRESS_BYTES];
    uint32_t group;
    uint64_t seed;
    double   expected_s; /**< of wall time, for packing and for what is left; 0 if not known */
} orr_order;

typedef struct orr_orders {
    char            *scenario;
    orr_order_group *groups;
    size_t           group_count;
    orr_order       *orders;
    size_t           count;
} orr_orders;

void orr_orders_clear(orr_orders *orders);

/** Adds a group with copies of the overrides. Its index, or ORR_NONE when out of memory. */
uint32_t orr_orders_add_group(orr_orders *orders, const char *const *overrides, size_t count);
bool     orr_orders_add(orr_orders *orders, const orr_order *order);

/** The orders [from, to) as JSON, with their groups; NULL when out of memory. And back: false with a problem if it is none. */
cJSON *orr_orders_to_json(const orr_orders *orders, size_t from, size_t to);
bool   orr_orders_from_json(orr_orders *orders, const cJSON *json);

#endif
