/**
 * World: what does not change during a run, as plain tables that refer to each other by index.
 *
 * Built once from a checked scenario and its catalogues (build.c), then only read. Sites that matter to the run (they have
 * clients or capacity) come first, in the order in which they were defined; so an unused site, wherever it is added,
 * changes no index and no result.
 */
#ifndef ORRERY_WORLD_WORLD_H
#define ORRERY_WORLD_WORLD_H

#include "base/array.h"
#include "base/problems.h"
#include "scenario/document.h"

typedef enum orr_site_kind { ORR_SITE_HUB, ORR_SITE_PROVINCE, ORR_SITE_METRO, ORR_SITE_EDGE, ORR_SITE_OVERSEAS, ORR_SITE_LANDING, ORR_SITE_TRANSIT } orr_site_kind;

typedef struct orr_site_info {
    const char   *id, *name, *country, *region, *macro_region;
    orr_site_kind kind;
    double        latitude, longitude, population;
    int32_t       utc_offset_s;
    double        pue;             /**< facility power over IT power when all accelerators work */
    double        pue_fixed_share; /**< share of the facility's own power at that load that it draws at any load */
    double        carbon_g_per_kwh, electricity_yuan_per_kwh; /**< means over the day */
    uint32_t      grid_hours;      /**< how they go over the day, ORR_NONE: flat */
    uint64_t      entity;
    uint32_t      origin;  /**< rank of the id among all used ids: event order */
    uint32_t      ingress; /**< index among sites with clients, ORR_NONE if it has none */
    uint32_t      compute; /**< index among sites with pools, ORR_NONE if it has none */
    uint32_t      area;    /**< index into areas (distinct macro regions) */
    orr_where     where;
} orr_site_info;

/** Electricity by local hour, relative to its mean over the day; the mean of each is 1. */
typedef struct orr_grid_hours {
    const char *name;
    double      price[24], carbon[24];
} orr_grid_hours;

typedef struct orr_link {
    uint32_t  a, b; /**< sites */
    double    km;
    int64_t   delay_ns; /**< propagation one way: km x fibre delay, or as stated */
    double    capacity_bit_s;
    double    transport_price; /**< yuan per GB (1e9 bytes) carried, NaN: none is known */
    bool      submarine;
    orr_where where;
} orr_link;

/** Coefficients of the roofline (serve/roofline.h), fitted on measurements. */
typedef struct orr_coefficients {
    double compute_efficiency, bandwidth_efficiency, kv_efficiency, attention_efficiency, link_efficiency;
    double wide_share;                /**< of the arithmetic, at the 16-bit rate, that narrow weights do not spare */
    double base_s, layer_s, sequence_s, all_reduce_s, ring_s;
    double launch_s, prompt_launch_s; /**< host time per layer below which no iteration gets: without prompts, with prompts */
    double front_end_s;               /**< between the arrival of a request and its entry into the engine's queue */
} orr_coefficients;

/** One accelerator kind. */
typedef struct orr_accelerator {
    const char *name, *title, *vendor, *confidence;
    double memory_bytes, bandwidth_byte_s, bf16_flops, int8_ops, fp8_flops, fp4_flops, link_byte_s;
    double tdp_w, host_w; /**< the accelerator alone, and its part of the rest of the server, at full load */
    double idle_fraction, prefill_fraction, decode_fraction; /**< of that power */
    double rent_yuan_per_hour;                               /**< of one, 0 if the catalogue names none */
} orr_accelerator;

/** An inference engine: how it forms batches and keeps its cache. */
typedef struct orr_inference_engine {
    const char *name, *title;
    uint32_t    batching;     /**< orr_batching of serve/llm.h */
    uint32_t    token_budget; /**< tokens that an iteration may hold */
    uint32_t    kv_block;     /**< tokens */
    double      kv_reserve;   /**< share of the cache kept free at admissions */
    double      memory_share; /**< of the accelerators' memory, for weights and cache */
    bool        keeps_prefixes;
} orr_inference_engine;

#define ORR_ANY (ORR_NONE - 1) /**< in a calibration: whatever it is */
typedef enum orr_model_kind { ORR_ANY_MODEL, ORR_DENSE, ORR_MIXTURE } orr_model_kind;

/** Coefficients, and what they hold for: the row that says most about a pool counts. */
typedef struct orr_calibration {
    const char      *name, *confidence;
    uint32_t         accelerator, engine, model; /**< ORR_ANY: all; ORR_NONE: not in the catalogue */
    orr_model_kind   kind;
    orr_coefficients coefficients;
} orr_calibration;

typedef enum orr_attention { ORR_ATTENTION_SHARDED, ORR_ATTENTION_MLA } orr_attention;

typedef struct orr_model_info {
    const char   *name, *title, *vendor, *confidence;
    double        parameters, active_parameters, expert_parameters;
    uint32_t      layers, hidden, heads, kv_heads, head_dim, experts, top_k;
    double        kv_elements_per_token;                          /**< kept in the cache */
    double        read_elements_per_token, near_elements_per_token; /**< read per step: of the whole context; of the near_limit tokens that sparse layers look at */
    double        full_layers, near_layers;                       /**< layers that attend to everything, to near_limit tokens */
    uint32_t      near_limit;                                     /**< window, or top k of sparse attention, in tokens; 0: none */
    double        vision_parameters;                              /**< of the encoder of images, which works on image_patches patches per image token; 0: none */
    uint32_t      image_tokens;                                   /**< prompt tokens of an image */
    double        image_patches;
    uint32_t      step_tokens;                                    /**< a model of images: latent tokens that one step of one image computes; 0: a language model */
    uint32_t      longest_context;
    const char   *attention_kind; /**< as the catalogue calls it */
    orr_attention attention; /**< MLA: the cache is not sharded over the group */
    uint32_t      tariff, tariff_count; /**< rows of tariffs */
} orr_model_info;

enum { ORR_CACHED_INPUT, ORR_INPUT, ORR_OUTPUT, ORR_TOKEN_KINDS };

/** Prices in force on some days of the week between two local minutes (UTC+8), in nano-yuan per million tokens. */
typedef struct orr_tariff {
    uint32_t days; /**< bit 0 Monday .. bit 6 Sunday */
    uint32_t from_minute, to_minute;
    int64_t  price[ORR_TOKEN_KINDS];
} orr_tariff;

typedef enum orr_service_kind { ORR_SERVICE_LLM, ORR_SERVICE_STATION } orr_service_kind;
typedef enum orr_law { ORR_LAW_EXPONENTIAL, ORR_LAW_DETERMINISTIC, ORR_LAW_LOGNORMAL } orr_law;
typedef enum orr_discipline { ORR_FIFO, ORR_PROCESSOR_SHARING } orr_discipline;

/** What a client asks for (CS-ID). */
typedef struct orr_service {
    const char      *name, *title;
    orr_service_kind kind;
    uint32_t         model; /**< ORR_NONE for a station without a price */
    orr_law          law;
    double           mean_ns, cv;
    orr_discipline   discipline;
    uint32_t         rows, row_count; /**< candidates: a run of service_rows */
    orr_where        where;
} orr_service;

/** Precision of weights by the rate at which they are multiplied. */
typedef enum orr_narrow { ORR_NARROW_NOT, ORR_NARROW_INT8, ORR_NARROW_FP8, ORR_NARROW_FP4 } orr_narrow;

/** Replicas of one service on one kind of accelerator at one site: what a policy chooses. Row of every view. */
typedef struct orr_pool {
    const char *id, *owner;
    uint32_t    site, service, accelerator; /**< accelerator ORR_NONE for a station without one */
    uint32_t    engine, calibration;        /**< engine ORR_NONE: none in particular; calibration ORR_NONE for a station */
    uint32_t    data_parallel;           /**< copies of the attention layers in the group */
    uint32_t    group, replicas, servers, max_batch, queue_limit;
    double      weight_bytes, kv_bytes;  /**< bytes per parameter and per cache element */
    orr_narrow  narrow;
    double      kv_bytes_per_token;      /**< of the cache, over all layers, once */
    int64_t     kv_tokens;               /**< cache capacity of a replica in tokens */
    uint32_t    token_budget, batching;  /**< tokens per iteration; which sequences share one (serve/llm.h) */
    uint32_t    kv_block;                /**< tokens per block of the cache */
    double      kv_reserve;              /**< share of the cache that is kept free when a request enters beside others */
    bool        keeps_prefixes;
    uint32_t    drafts;                  /**< speculative decoding: tokens proposed per step, 0 without */
    double      acceptance;              /**< chance that a proposed token is kept, if those before it were */
    double      draft_cost;              /**< time of proposing one token, relative to a step without drafts */
    uint32_t    hands_to;                /**< pool at the same site that decodes what is prefilled here; ORR_NONE */
    bool        decodes_only;            /**< another pool hands over to it: no policy sees it */
    double      hand_over_bit_s;         /**< network port of a replica */
    double      price_factor;
    uint32_t    row_of_list;             /**< in the scenario's `pools`; ORR_NONE: of a catalogue */
    uint32_t    at_start;                /**< replicas in service at time 0; `replicas` is how many there may ever be */
    int64_t     cold_start_ns;           /**< from the decision to load a replica to its first request: weights over storage or network, and the engine's start */
    uint32_t    slots;                   /**< replicas at the start x max_batch, or servers: how many requests are served at a time */
    uint64_t    entity;
    orr_where   where;
} orr_pool;

typedef enum orr_length_law { ORR_LENGTH_CONSTANT, ORR_LENGTH_LOGNORMAL, ORR_LENGTH_UNIFORM } orr_length_law;

typedef struct orr_lengths {
    orr_length_law law;
    double         mu, sigma, mean; /**< of the logarithm; mean is that of the law before the bounds */
    uint32_t       least, most;
} orr_lengths;

/** What follows a request of a class: nothing; the next turn of its session; its user's next request, always. */
typedef enum orr_follow { ORR_FOLLOW_NOTHING, ORR_FOLLOW_SESSION, ORR_FOLLOW_LOOP } orr_follow;
typedef enum orr_think_law { ORR_THINK_CONSTANT, ORR_THINK_EXPONENTIAL } orr_think_law;

typedef struct orr_class {
    const char *name, *title, *data_class, *device;
    uint32_t    service;
    double      population, rate_per_s; /**< clients (in a closed loop, users), and requests (with sessions, starts of them) per client and second on average */
    orr_follow    follow;
    orr_think_law think_law;
    int64_t     think_mean_ns; /**< between the end of an answer and the next turn */
    double      turns;         /**< of a session, on average; 1 without sessions */
    bool        history;       /**< a turn's prompt begins with what was said before it */
    uint32_t    context;       /**< tokens of prompt and answer beyond which a session's history is dropped */
    int64_t     ramp_ns;       /**< closed loop: the users begin one after another, evenly in this time */
    double      profile[24];            /**< relative rate by local hour, mean 1 */
    orr_lengths input, output;
    orr_lengths thinking;      /**< tokens produced before the answer; most = 0: none */
    bool        hidden;        /**< the client does not see them */
    orr_lengths images;        /**< in a prompt; most = 0: none */
    uint32_t    prefix_tokens; /**< shared system prompt at the head of every request of the class */
    uint32_t    request_bytes, response_bytes, bytes_per_input_token, bytes_per_output_token;
    double      uplink_bit_s, downlink_bit_s;
    double      access_mu, access_sigma; /**< lognormal access round trip in ns; sigma < 0: none */
    int64_t     slo_first_token_ns, slo_per_token_ns, slo_total_ns; /**< ORR_NEVER: none */
    int64_t     timeout_ns;
    double      patience_mean_ns; /**< INFINITY: never leaves */
    uint32_t    retry_limit;
    int64_t     backoff_ns, backoff_most_ns;
    double      backoff_multiplier, backoff_jitter;
    orr_where   where;
} orr_class;

/** Tokens of the prompt that one block hash of a trace stands for (Mooncake's block; the last of a prompt may be shorter). */
enum { ORR_TRACE_BLOCK = 512 };

typedef struct orr_trace_row {
    int64_t  at_ns; /**< since the first row of the file, as replayed */
    uint32_t input, output;
    uint32_t first_block, block_count; /**< hashes of the prompt's blocks, in order: a run of trace_blocks; none if they are not known */
} orr_trace_row;

/** The clients of one class at one ingress. */
typedef struct orr_cohort {
    uint32_t class_, site;
    uint64_t clients;
    uint64_t requests;     /**< at most so many (with sessions, so many sessions); UINT64_MAX: no limit */
    uint64_t unmeasured;   /**< the first so many are left out of latency statistics (with sessions, with all their turns) */
    double   settling;     /**< 0, or how many would have to be for queues to settle, when that is more than half of `requests` */
    double   rate_per_ns;  /**< of the whole cohort, on average; of session starts; in a closed loop a guess */
    uint32_t trace, trace_count; /**< rows of traces; count 0: drawn from the law */
    uint64_t entity;
} orr_cohort;

/** At `at_ns` a pool is to have so many replicas in service. */
typedef struct orr_plan {
    int64_t  at_ns;
    uint32_t pool, replicas;
    uint32_t to;    /**< pool that gets the accelerators of those that leave; ORR_NONE: nobody */
    bool     evict; /**< those that leave drop what they are doing, instead of finishing it */
} orr_plan;

/** What fails together. */
typedef enum orr_failure_scope { ORR_FAILS_ACCELERATOR, ORR_FAILS_NODE, ORR_FAILS_SITE } orr_failure_scope;

/** A kind of failure. Each accelerator, node or site concerned fails by itself, or all at the same time. */
typedef struct orr_failure {
    const char       *name;
    orr_failure_scope scope;
    uint32_t          sites, site_count; /**< a run of failure_sites */
    uint32_t          node;              /**< accelerators of a node */
    bool              together;          /**< all sites at once: one cause */
    int64_t           at_ns;             /**< of the first one, and then no other; ORR_NEVER: by the law */
    double            mtbf_ns, mttr_ns, cv; /**< exponential time between failures of one unit; lognormal repair */
    int64_t           detection_ns;      /**< until clients hear that what they wait for is lost */
    uint64_t          entity;
} orr_failure;

/** One catalogue row that this run uses. */
typedef struct orr_origin {
    const char *catalogue, *row, *source, *as_of, *confidence, *range;
} orr_origin;

typedef struct orr_world {
    orr_document *document; /**< owned */
    const char   *scenario_path, *title, *description;
    char         *text; /**< the resolved scenario, owned */
    uint64_t      scenario_hash; /**< of text */
    uint64_t      seed;
    int64_t       start_s;      /**< seconds since 1970 UTC at time 0 */
    int64_t       duration_ns;  /**< ORR_NEVER: until the last request is done */
    double        scale, demand; /* of clients and capacity; of clients alone */
    orr_site_info *sites;
    uint32_t       site_count, used_count, ingress_count, compute_count;
    uint32_t      *ingress_sites, *compute_sites;
    const char   **areas;
    uint32_t       area_count;
    orr_grid_hours *grid_hours;
    uint32_t        grid_hours_count;
    orr_link      *links;
    uint32_t       link_count;
    orr_accelerator *accelerators;
    uint32_t         accelerator_count;
    orr_inference_engine *engines;
    uint32_t              engine_count;
    orr_calibration *calibrations;
    uint32_t         calibration_count;
    orr_model_info *models;
    uint32_t        model_count;
    orr_tariff *tariffs;
    uint32_t    tariff_count;
    orr_service *services;
    uint32_t     service_count;
    uint32_t    *service_rows; /**< pools, service by service */
    orr_pool *pools;
    uint32_t  pool_count;
    uint32_t *site_pools, *site_pool_start; /**< pools of used site s: site_pools[start[s] .. start[s+1]) */
    orr_plan    *plans;
    uint32_t     plan_count;
    orr_failure *failures;
    uint32_t     failure_count;
    uint32_t    *failure_sites;
    orr_class *classes;
    uint32_t   class_count;
    orr_cohort *cohorts;
    uint32_t    cohort_count;
    uint32_t   *site_cohort_start; /**< cohorts are sorted by site: those of used site s are [start[s], start[s+1]) */
    orr_trace_row *traces;
    uint64_t       trace_count;
    uint64_t      *trace_blocks; /**< equal hashes: equal tokens, also of everything before them in the prompt */
    uint64_t       trace_block_count;
    orr_origin *origins;
    uint32_t    origin_count;
    /* residency[(class * used_count + ingress site) * used_count + serving site]: may the class's data go there? */
    uint8_t *residency;
    /* network */
    double  fibre_ns_per_km;
    int64_t hop_ns, end_ns;
    /* brain */
    int64_t telemetry_period_ns; /**< 0: a report at every change */
    int64_t telemetry_delay_ns;
    double  telemetry_loss;
    bool    own_decisions;
    int64_t decision_ns;
    const char     *policy;
    const char     *policy_label;   /**< what results call it; NULL: as it calls itself */
    const orr_node *policy_options; /**< a map, or NULL */
    /* serving */
    uint32_t token_budget;
    /* output */
    uint32_t traced_pool, traced_replica; /**< whose iterations are written; pool ORR_NONE: nobody's */
    double  sample;
    int64_t bin_ns, latency_bin_ns;
    bool      seeded;  /**< tables depend on the seed */
    orr_array strings; /**< of char *, owned: texts taken from catalogues */
} orr_world;

/**
 * Reads a scenario and everything it names. NULL with problems noted if anything is wrong with it.
 * `overrides` as in orr_document_load; `seed` replaces the scenario's if not NULL, `policy` likewise.
 */
orr_world *orr_world_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems);
void       orr_world_destroy(orr_world *world);

/**
 * Gives the world another seed, as if it had been loaded with it: replications share what is immutable. ORR_BAD_INPUT (the world is as it was) if
 * the seed has entered its tables (replay_jitter) and it must be loaded anew.
 */
orr_status orr_world_reseed(orr_world *world, uint64_t seed);

/** Says, if so, that a cohort sends too few requests for its queues to settle from empty; `text` has the words. False if it does not. */
bool orr_world_is_short(const orr_world *world, const orr_cohort *cohort, char *text, size_t size);

/** How narrow a row of calibrations is; of those that fit a pool the narrowest counts. The accelerator counts most, then the model, then the engine. At least 1. */
int orr_calibration_rank(const orr_calibration *row);

/** The tariff row in force for `model` at `at_ns` (index into tariffs), ORR_NONE if it has none. */
uint32_t orr_world_tariff(const orr_world *world, uint32_t model, int64_t at_ns);

/** What a pool charges under a tariff row, nano-yuan per million tokens of `kind`. */
int64_t orr_world_price(const orr_world *world, uint32_t pool, uint32_t tariff, int kind);

/** The first moment after `at_ns` at which any model's tariff may change; ORR_NEVER if none changes. */
int64_t orr_world_next_tariff(const orr_world *world, int64_t at_ns);

/** What a kWh costs (yuan) and emits (g CO2) at a site at `at_ns`. */
double orr_world_electricity(const orr_world *world, uint32_t site, int64_t at_ns);
double orr_world_carbon(const orr_world *world, uint32_t site, int64_t at_ns);

/** The first moment after `at_ns` at which electricity may change its price or carbon at a site with pools; ORR_NEVER if it is flat at all. */
int64_t orr_world_next_grid_hour(const orr_world *world, int64_t at_ns);

/** Index of the used or unused site called `id`, ORR_NONE if there is none. */
uint32_t orr_world_site(const orr_world *world, const char *id);

/** Great-circle distance in km (haversine, mean radius 6371.0088 km). */
double orr_great_circle_km(double lat_a, double lon_a, double lat_b, double lon_b);

static inline bool orr_world_allows(const orr_world *world, uint32_t class_, uint32_t from, uint32_t to)
{
    return world->residency[((size_t)class_ * world->used_count + from) * world->used_count + to];
}

#endif
