/**
 * Study: a question asked of many runs. A base scenario, axes along which it varies, policies, seeds, and what is to be said of the results.
 *
 * Invariant: a study refers to its scenario by overrides alone (`key=value`, as behind `--set`), so every run of it can be repeated by hand with
 * `orrery run`. An axis has one value per index; a value is one override for each of its keys (several where keys are linked).
 */
#ifndef ORRERY_STUDY_STUDY_H
#define ORRERY_STUDY_STUDY_H

#include "base/problems.h"
#include "scenario/document.h"

/** One value of an axis. */
typedef struct orr_axis_value {
    char     *text;      /**< as the study writes it; of linked keys the values joined by ", " */
    char    **overrides; /**< one per key of the axis */
    double    number;    /**< in the unit of the axis; NaN if it is not a number */
    orr_where where;
} orr_axis_value;

typedef struct orr_axis {
    char           *name;  /**< short: the last part of its key, of linked keys joined by "+" */
    char           *key;   /**< in full, of linked keys joined by "+" */
    char           *title; /**< what the scenario says of the parameter, else the name */
    const char     *unit;  /**< of the numbers: s, tokens, … or "" */
    bool            logarithmic;
    size_t          key_count, count;
    orr_axis_value *values;
} orr_axis;

typedef struct orr_study_policy {
    char  *label, *name; /**< what results call it, and what the program does */
    char **overrides;
    size_t count;
    orr_where where;
} orr_study_policy;

typedef enum orr_study_method { ORR_METHOD_AUTO, ORR_METHOD_REPLICATIONS, ORR_METHOD_TERMINATING, ORR_METHOD_BATCH_MEANS } orr_study_method;

/** More seeds until something is known; metric NULL: nothing asked. */
typedef struct orr_study_goal {
    const char *metric;
    double      relative, probability, indifference; /**< those that apply */
    size_t      most;
} orr_study_goal;

/** One parameter of the tornado. */
typedef struct orr_study_parameter {
    char     *key, *text, *end[2]; /**< low and high: values in words */
    char     *overrides[2];
    orr_where where;
} orr_study_parameter;

enum { ORR_MOST_AXES = 12 };

/** A number that must come out; `index` per axis and the policy say in which cell. */
typedef struct orr_study_anchor {
    const char *metric, *text, *source;
    double      least, most; /**< NaN where open */
    size_t      policy, index[ORR_MOST_AXES];
} orr_study_anchor;

typedef struct orr_study {
    char             *path, *name, *question, *surprise, *scenario;
    char            **fixed; /**< overrides of all runs */
    orr_where        *fixed_where;
    size_t            fixed_count;
    orr_axis          axes[ORR_MOST_AXES];
    size_t            axis_count;
    orr_study_policy *policies;
    size_t            policy_count, baseline;
    uint64_t         *seeds;
    size_t            seed_count;
    const char      **metrics;
    size_t            metric_count;
    double            level;
    orr_study_method  method;
    orr_study_goal    precision, select;
    const char       *sensitivity_metric;
    size_t            sensitivity_policy;
    orr_study_parameter *parameters;
    size_t            parameter_count;
    size_t            focus[ORR_MOST_AXES];
    orr_study_anchor *anchors;
    size_t            anchor_count;
    char             *text; /**< the resolved study */
    orr_document     *document;
} orr_study;

/** Reads a study. Overrides are of the study's own keys (`params.seeds=5`). NULL with problems noted; every mistake of the file in one pass. */
orr_study *orr_study_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems);
void       orr_study_destroy(orr_study *study);

/** Cells: all combinations of the values of the axes, the last axis fastest. At least 1. */
size_t orr_study_cells(const orr_study *study);

/** The index on each axis of a cell. */
void orr_study_cell(const orr_study *study, size_t cell, size_t index[ORR_MOST_AXES]);
size_t orr_study_cell_of(const orr_study *study, const size_t index[ORR_MOST_AXES]);

/** The policy of a label; policy_count, with a problem, if none has it. */
size_t orr_study_policy_called(const orr_study *study, const char *label, orr_where where, orr_problems *problems);

/** A cell in words: "state_age 10 s, load 0.8"; malloced. */
char *orr_study_cell_text(const orr_study *study, size_t cell);

/** Adds seeds after the last until there are `count`. False when out of memory. */
bool orr_study_extend_seeds(orr_study *study, size_t count);

#endif
