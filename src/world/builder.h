/** Builder: what the parts of the loader share while a world is being put together. Internal to src/world. */
#ifndef ORRERY_WORLD_BUILDER_H
#define ORRERY_WORLD_BUILDER_H

#include "scenario/csv.h"
#include "scenario/schema.h"
#include "world/world.h"

/** A device of the catalogue. */
typedef struct orr_device {
    const char *name, *access;
    uint32_t    request_bytes, response_bytes, bytes_per_input_token, bytes_per_output_token;
} orr_device;

typedef struct orr_access {
    const char *name;
    double      uplink_bit_s, downlink_bit_s, mu, sigma;
} orr_access;

typedef struct orr_rule {
    const char *origin, *data_class, *destination, *verdict, *mechanism;
} orr_rule;

typedef struct orr_profile {
    const char *name;
    double      weight[24];
    uint32_t    seen; /**< hours given, a bit each */
} orr_profile;

/** A rule of the software matrix: does this run there? Cells hold `*` or words between bars; the first rule that fits counts. */
typedef struct orr_software {
    const char *vendor, *accelerator, *engine, *precision, *attention, *reason;
    bool        runs;
} orr_software;

/** Arrays of world tables while they grow; moved into the world at the end. All texts are kept by the world. */
typedef struct orr_builder {
    orr_world      *world;
    orr_problems   *problems;
    const orr_node *root;
    orr_array sites, links, accelerators, engines, calibrations, models, tariffs, services, pools, classes, cohorts, traces, trace_blocks, origins, plans, failures, failure_sites;
    orr_array grid_hours, devices, accesses, rules, profiles, software;
    bool      out_of_memory;
} orr_builder;

/** A copy of `text` that lives as long as the world; "" when out of memory (noted in the builder). */
const char *orr_keep(orr_builder *builder, const char *text);

/** Notes at `where` that `path` cannot be read, if so; true if it can. */
bool orr_can_read(orr_builder *builder, const char *path, orr_where where);

/** Appends a zeroed item; on lack of memory notes it and returns a scratch item that is never read. */
void *orr_append(orr_builder *builder, orr_array *array);

/** A cell's text, kept. */
const char *orr_word(orr_builder *builder, const orr_csv *csv, size_t row, const char *column);

/** The name in `column`, with a problem if `array` already has it. */
const char *orr_unique_name(orr_builder *builder, const orr_csv *csv, size_t row, const char *column, const orr_array *array);

/** Which of `words` a cell holds; `fallback` if it is empty or, with a problem, none of them. */
int orr_word_index(orr_builder *builder, const orr_csv *csv, size_t row, const char *column, const char *const *words, int count, int fallback);

/** Why a model cannot run on an accelerator under an engine ("" for none in particular) with weights of a precision; NULL if it can. */
const char *orr_why_not(const orr_builder *builder, const orr_accelerator *accelerator, const char *engine, const char *precision, const orr_model_info *model);

/** The calibration that says most about a model on an accelerator under an engine (ORR_NONE: none in particular); ORR_NONE if there is none. */
uint32_t orr_pick_calibration(const orr_builder *builder, uint32_t accelerator, uint32_t engine, uint32_t model);

/** Notes that a catalogue row is used. */
void orr_note_origin(orr_builder *builder, const orr_csv *csv, size_t row, const char *catalogue, const char *name);

/** The name in `array` that is nearest to `name`; NULL if none is near enough to be meant. */
const char *orr_near(orr_builder *b, const orr_array *array, const char *name);

/** Index of the item whose first member is the name `name`, or ORR_NONE with a problem at `where` that names the nearest. */
uint32_t orr_find(orr_builder *builder, const orr_array *array, const char *name, const char *what, orr_where where);
/** The same without a problem. */
uint32_t orr_look_up(const orr_array *array, const char *name);

/* The steps, in order. Each notes what is wrong and goes on. */
void orr_build_catalogues(orr_builder *builder);  /* accelerators, models, prices, access, devices, profiles, residency */
void orr_build_engines(orr_builder *builder);     /* engines and calibrations */
void orr_build_grid_hours(orr_builder *builder);  /* electricity by local hour */
void orr_build_places(orr_builder *builder);      /* sites and links */
void orr_build_services(orr_builder *builder);    /* services and pools */
void orr_build_changes(orr_builder *builder);     /* plans and failures */
void orr_build_populations(orr_builder *builder); /* classes, cohorts, traces */
void orr_build_residency(orr_builder *builder);   /* after the world's tables are in place */

/** How a recorded trace is replayed. */
typedef struct orr_replay {
    double   speed;     /**< times as fast as recorded */
    int64_t  jitter_ns; /**< of recorded time: each row is moved later by a uniform draw below this */
    uint64_t entity;    /**< whose draws these are */
} orr_replay;

/** Reads a recorded trace into builder->traces (and trace_blocks), in the order in which its rows are replayed; returns the number of rows. */
uint32_t orr_build_trace(orr_builder *builder, const char *path, const orr_replay *replay);

/** The clock of a trace while its rows are read; all zeros is the start. */
typedef struct orr_trace_time {
    int64_t first_ns, last_ns;
    bool    begun;
} orr_trace_time;

/** Appends a row at `at_ns` (of the file's own clock), which `time` follows. NULL, with a problem about `key` at `where`, if it is earlier than the one before it. */
orr_trace_row *orr_trace_append(orr_builder *builder, orr_trace_time *time, int64_t at_ns, const char *key, orr_where where);

/** Adds the next block hash to the latest row. */
void orr_trace_add_block(orr_builder *builder, orr_trace_row *row, uint64_t hash);

/** Notes a problem if the row has more blocks than its prompt. */
void orr_trace_check_blocks(orr_builder *builder, const orr_trace_row *row, const char *key, orr_where where);

/** Reads the format of Mooncake (trace_json.c) into builder->traces. */
void orr_build_trace_json(orr_builder *builder, const char *path);

enum { ORR_TRACE_LONGEST = 10000000 }; /**< tokens of a prompt or an answer */

/** Opens a catalogue named in the scenario and checks its origins; NULL if it is not named or cannot be used. */
orr_csv *orr_open_catalogue(orr_builder *builder, const char *key);

#endif
