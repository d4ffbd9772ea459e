/* Services and pools: what can be asked for, and who can answer. */
#include "base/random.h"
#include "base/time.h"
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An engine of no name behaves as vLLM does by default: nine tenths of the memory for weights and cache (`gpu_memory_utilization`; the rest is activations and
 * runtime), blocks of 16 tokens, a hundredth of them kept free at admissions (`watermark`), prefixes kept. */
static const orr_inference_engine NAMELESS = {.kv_block = 16, .kv_reserve = 0.01, .memory_share = 0.9, .keeps_prefixes = true};

static const char *const owner_words[] = {"self_built", "partner", "joint_venture"};
static const char *const precision_words[] = {"bf16", "fp8", "int8", "int4", "fp4"};
static const char *const kv_precision_words[] = {"same", "bf16", "fp8", "int8", "int4"};
enum { PRECISIONS = 5, KV_PRECISIONS = 5 };
static const double weight_bytes[PRECISIONS] = {2, 1, 1, 0.5, 0.5625 /* a scale byte for 16 weights (NVFP4) */};
static const double same_kv_bytes[PRECISIONS] = {2, 1, 1, 1, 1};
static const double kv_bytes[KV_PRECISIONS] = {0, 2, 1, 1, 0.53125 /* a scale and an offset of 16 bits for the 128 values of a token's head (LMDeploy) */};

static void services(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "services");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "name") || !orr_has(n, "kind"))
            continue;
        const char *name = orr_text(n, "name");
        if (orr_look_up(&b->services, name) != ORR_NONE)
            orr_problem(b->problems, orr_where_of(n, "name"), "duplicate service `%s`", name);
        orr_service *s = orr_append(b, &b->services);
        *s = (orr_service){.name = name, .kind = (orr_service_kind)orr_integer(n, "kind"), .model = ORR_NONE, .where = n->where};
        s->title = orr_has(n, "title") && *orr_text(n, "title") ? orr_text(n, "title") : name;
        s->law = (orr_law)orr_integer(n, "law");
        s->mean_ns = (double)orr_integer(n, "mean");
        s->cv = orr_number(n, "cv");
        s->discipline = (orr_discipline)orr_integer(n, "discipline");
        if (orr_has(n, "model") && *orr_text(n, "model"))
            s->model = orr_find(b, &b->models, orr_text(n, "model"), "model", orr_where_of(n, "model"));
        else if (s->kind == ORR_SERVICE_LLM)
            orr_problem(b->problems, n->where, "the llm service `%s` needs a `model`", name);
        if (s->model != ORR_NONE) {
            const orr_model_info *m = orr_array_at(&b->models, s->model);
            if (m->tariff_count == 0)
                orr_problem(b->problems, orr_where_of(n, "model"), "the model `%s` has no price in the catalogue of prices", m->name);
        }
    }
}

/* What a pool's row says, from a catalogue or from the scenario. */
typedef struct pool_text {
    const char *id, *site, *service, *accelerator, *engine, *owner;
    double      group, replicas, servers, max_batch, queue_limit, price_factor, token_budget;
    int         precision, kv_precision;
    bool        each_visible;
    const orr_node *node; /* in the scenario, and which of `pools` it is; NULL for a row of a catalogue */
    uint32_t        row;
    orr_where   where, site_at, service_at, accelerator_at, engine_at;
} pool_text;

/* Fits the model into a replica's memory and sets its cache. */
static void fit(orr_builder *b, orr_pool *p, const orr_service *s, double memory_share)
{
    const orr_accelerator *a = orr_array_at(&b->accelerators, p->accelerator);
    const orr_model_info *m = orr_array_at(&b->models, s->model);
    double memory = memory_share * a->memory_bytes * p->group;
    double weights = (m->expert_parameters + (m->parameters - m->expert_parameters) * p->data_parallel) * p->weight_bytes; /* every copy of attention has its own */
    p->kv_bytes_per_token = m->kv_elements_per_token * p->kv_bytes;
    double tokens = floor((memory - weights) / (p->kv_bytes_per_token * (m->attention == ORR_ATTENTION_MLA ? p->group / p->data_parallel : 1)));
    p->kv_tokens = tokens > 0 ? (int64_t)tokens : 0;
    if (p->kv_tokens < 1024)
        orr_problem(b->problems, p->where, "pool `%s` has no capacity: the weights of %s take %.1f GB of the %.1f GB usable on %u x %s", p->id, m->name, weights / 1e9,
                    memory / 1e9, p->group, a->name);
}

/* How a pool of an llm service works. */
static void set_engine(orr_builder *b, orr_pool *p, const orr_service *s, const pool_text *t)
{
    p->engine = *t->engine ? orr_find(b, &b->engines, t->engine, "engine", t->engine_at) : ORR_NONE;
    const orr_inference_engine *e = p->engine == ORR_NONE ? &NAMELESS : orr_array_at(&b->engines, p->engine);
    p->batching = e->batching;
    p->token_budget = t->token_budget > 0 ? (uint32_t)t->token_budget : p->engine == ORR_NONE ? b->world->token_budget : e->token_budget;
    p->kv_block = e->kv_block;
    p->kv_reserve = e->kv_reserve;
    p->keeps_prefixes = e->keeps_prefixes;
    static const orr_narrow narrow[PRECISIONS] = {ORR_NARROW_NOT, ORR_NARROW_FP8, ORR_NARROW_INT8, ORR_NARROW_NOT /* widened */, ORR_NARROW_FP4};
    p->narrow = narrow[t->precision];
    p->weight_bytes = weight_bytes[t->precision];
    p->kv_bytes = t->kv_precision == 0 ? same_kv_bytes[t->precision] : kv_bytes[t->kv_precision];
    if (t->node != NULL) {
        const orr_node *speculation = orr_node_get(t->node, "speculation"), *hand_over = orr_node_get(t->node, "hand_over");
        p->drafts = (uint32_t)orr_integer(speculation, "drafts");
        p->acceptance = orr_number(speculation, "acceptance");
        p->draft_cost = orr_number(speculation, "draft_cost");
        p->data_parallel = (uint32_t)orr_integer(t->node, "data_parallel");
        if (p->group % p->data_parallel != 0)
            orr_problem(b->problems, orr_where_of(t->node, "data_parallel"), "data_parallel: expected a divisor of the group of %u, found %u", p->group, p->data_parallel);
        p->hand_over_bit_s = orr_number(hand_over, "bandwidth") * p->group;
        if (orr_integer(t->node, "prefix_cache") > 0)
            p->keeps_prefixes = orr_integer(t->node, "prefix_cache") == 1;
    }
    const orr_node *load = t->node == NULL ? NULL : orr_node_get(t->node, "load");
    double bit_s = load == NULL ? 40e9 : orr_number(load, "bandwidth"), weights = ((orr_model_info *)orr_array_at(&b->models, s->model))->parameters * p->weight_bytes;
    p->cold_start_ns = (load == NULL ? 60 * ORR_SECOND : orr_integer(load, "start")) + llround(weights * 8 / (bit_s * p->group) * ORR_SECOND);
    const char *why = orr_why_not(b, orr_array_at(&b->accelerators, p->accelerator), t->engine, precision_words[t->precision], orr_array_at(&b->models, s->model));
    if (why != NULL)
        orr_problem(b->problems, t->where, "%s does not run on %s (%s%s%s): %s", ((orr_model_info *)orr_array_at(&b->models, s->model))->name,
                    ((orr_accelerator *)orr_array_at(&b->accelerators, p->accelerator))->name, precision_words[t->precision], *t->engine ? " under " : "", t->engine, why);
    p->calibration = orr_pick_calibration(b, p->accelerator, p->engine, s->model);
    if (p->calibration == ORR_NONE)
        orr_problem(b->problems, t->where, "no row of `catalogues.calibrations` holds for %s on %s", ((orr_model_info *)orr_array_at(&b->models, s->model))->name,
                    ((orr_accelerator *)orr_array_at(&b->accelerators, p->accelerator))->name);
    fit(b, p, s, e->memory_share);
    if (t->node != NULL && orr_integer(t->node, "cache") > 0)
        p->kv_tokens = orr_integer(t->node, "cache");
}

static void add_pool(orr_builder *b, const pool_text *t)
{
    uint32_t site = orr_find(b, &b->sites, t->site, "site", t->site_at);
    uint32_t service = orr_find(b, &b->services, t->service, "service", t->service_at);
    uint32_t accelerator = *t->accelerator ? orr_find(b, &b->accelerators, t->accelerator, "accelerator", t->accelerator_at) : ORR_NONE;
    if (site == ORR_NONE || service == ORR_NONE || (*t->accelerator && accelerator == ORR_NONE))
        return;
    const orr_service *s = orr_array_at(&b->services, service);
    if (s->kind == ORR_SERVICE_LLM && accelerator == ORR_NONE) {
        orr_problem(b->problems, t->where, "a pool of the llm service `%s` needs an `accelerator`", s->name);
        return;
    }
    if (t->replicas < 1 || t->servers < 1 || t->group < 1 || t->max_batch < 1) {
        orr_problem(b->problems, t->where, "the pool at `%s` has no capacity: replicas, group, servers and max_batch must be at least 1", t->site);
        return;
    }
    double replicas = fmax(1, nearbyint(t->replicas * b->world->scale));
    if (replicas * fmax(t->max_batch, t->servers) > 1e9 || (t->each_visible && replicas > 1e6)) {
        orr_problem(b->problems, t->where, "the pool at `%s` would have %.3g replicas with %.3g places each; at most a milliard places (a million replicas that are seen one by one)", t->site, replicas,
                    fmax(t->max_batch, t->servers));
        return;
    }
    uint32_t rows = t->each_visible ? (uint32_t)replicas : 1;
    for (uint32_t k = 0; k < rows; k++) {
        char id[320];
        if (*t->id)
            snprintf(id, sizeof id, rows > 1 ? "%s/%u" : "%s", t->id, k);
        else
            snprintf(id, sizeof id, rows > 1 ? "%s/%s%s%s/%u" : "%s/%s%s%s", t->site, t->service, *t->accelerator ? "/" : "", t->accelerator, k);
        if (rows == 1 && orr_look_up(&b->pools, id) != ORR_NONE) {
            orr_problem(b->problems, t->where, "duplicate pool `%s`", id);
            return;
        }
        orr_pool *p = orr_append(b, &b->pools);
        *p = (orr_pool){.id = orr_keep(b, id), .owner = orr_keep(b, t->owner), .site = site, .service = service, .accelerator = accelerator, .where = t->where};
        p->group = (uint32_t)t->group;
        p->replicas = t->each_visible ? 1 : (uint32_t)replicas;
        p->servers = (uint32_t)t->servers;
        p->max_batch = (uint32_t)t->max_batch;
        p->queue_limit = (uint32_t)fmin(t->queue_limit, 4e9);
        p->engine = p->calibration = p->hands_to = ORR_NONE;
        p->data_parallel = 1;
        p->row_of_list = t->node == NULL ? ORR_NONE : t->row;
        p->price_factor = t->price_factor;
        p->at_start = p->replicas;
        p->slots = p->replicas * (s->kind == ORR_SERVICE_LLM ? p->max_batch : p->servers);
        p->entity = orr_entity(p->id);
        if (s->kind == ORR_SERVICE_LLM && s->model != ORR_NONE)
            set_engine(b, p, s, t);
    }
}

static void catalogue_pools(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "fleet");
    if (csv == NULL)
        return;
    for (size_t r = 0; r < orr_csv_rows(csv); r++) {
        int site = orr_csv_need(csv, "site", b->problems), service = orr_csv_need(csv, "service", b->problems);
        orr_where where = orr_csv_where(csv, r, site);
        where.file = orr_keep(b, where.file);
        int owner = orr_word_index(b, csv, r, "owner", owner_words, 3, 0);
        pool_text t = {
            .id = orr_csv_cell(csv, r, orr_csv_column(csv, "pool")),
            .site = orr_csv_cell(csv, r, site),
            .service = orr_csv_cell(csv, r, service),
            .accelerator = orr_csv_cell(csv, r, orr_csv_column(csv, "accelerator")),
            .owner = owner_words[owner],
            .group = orr_csv_number(csv, r, orr_csv_column(csv, "group"), 0, 4096, 1, b->problems),
            .replicas = orr_csv_number(csv, r, orr_csv_need(csv, "replicas", b->problems), 0, 1e7, NAN, b->problems),
            .servers = orr_csv_number(csv, r, orr_csv_column(csv, "servers"), 0, 1e7, 1, b->problems),
            .max_batch = orr_csv_number(csv, r, orr_csv_column(csv, "max_batch"), 0, 65536, 32, b->problems),
            .queue_limit = orr_csv_number(csv, r, orr_csv_column(csv, "queue_limit"), 0, 4e9, 1e9, b->problems),
            .price_factor = orr_csv_number(csv, r, orr_csv_column(csv, "price_factor"), 0.001, 100, 1, b->problems),
            .token_budget = orr_csv_number(csv, r, orr_csv_column(csv, "token_budget"), 0, 1e6, 0, b->problems),
            .precision = orr_word_index(b, csv, r, "precision", precision_words, PRECISIONS, 0),
            .kv_precision = orr_word_index(b, csv, r, "kv_precision", kv_precision_words, KV_PRECISIONS, 0),
            .engine = orr_csv_cell(csv, r, orr_csv_column(csv, "engine")),
            .engine_at = orr_csv_where(csv, r, orr_csv_column(csv, "engine")),
            .where = where,
            .site_at = where,
            .service_at = orr_csv_where(csv, r, service),
            .accelerator_at = orr_csv_where(csv, r, orr_csv_column(csv, "accelerator")),
        };
        uint32_t before = b->pools.count;
        add_pool(b, &t);
        if (b->pools.count > before)
            orr_note_origin(b, csv, r, "fleet", ((orr_pool *)orr_array_at(&b->pools, before))->id);
    }
    orr_csv_destroy(csv);
}

static void inline_pools(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "pools");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "site") || !orr_has(n, "service"))
            continue;
        pool_text t = {
            .id = orr_has(n, "id") ? orr_text(n, "id") : "",
            .site = orr_text(n, "site"),
            .service = orr_text(n, "service"),
            .accelerator = orr_has(n, "accelerator") ? orr_text(n, "accelerator") : "",
            .owner = owner_words[orr_integer(n, "owner")],
            .group = (double)orr_integer(n, "group"),
            .replicas = (double)orr_integer(n, "replicas"),
            .servers = (double)orr_integer(n, "servers"),
            .max_batch = (double)orr_integer(n, "max_batch"),
            .queue_limit = (double)orr_integer(n, "queue_limit"),
            .price_factor = orr_number(n, "price_factor"),
            .token_budget = (double)orr_integer(n, "token_budget"),
            .precision = (int)orr_integer(n, "precision"),
            .kv_precision = (int)orr_integer(n, "kv_precision"),
            .engine = orr_has(n, "engine") ? orr_text(n, "engine") : "",
            .engine_at = orr_has(n, "engine") ? orr_where_of(n, "engine") : n->where,
            .node = n,
            .row = (uint32_t)i,
            .each_visible = orr_integer(n, "expose") == 1,
            .where = n->where,
            .site_at = orr_where_of(n, "site"),
            .service_at = orr_where_of(n, "service"),
            .accelerator_at = orr_has(n, "accelerator") ? orr_where_of(n, "accelerator") : n->where,
        };
        add_pool(b, &t);
    }
}

/* Who decodes what is prefilled where. */
static void link_hand_overs(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "pools");
    for (uint32_t i = 0; i < b->pools.count; i++) {
        orr_pool *p = orr_array_at(&b->pools, i);
        const orr_node *n = p->row_of_list == ORR_NONE ? NULL : orr_node_get(list->child[p->row_of_list], "hand_over");
        if (n == NULL || !orr_has(n, "to") || *orr_text(n, "to") == 0)
            continue;
        orr_where where = orr_where_of(n, "to");
        uint32_t to = orr_find(b, &b->pools, orr_text(n, "to"), "pool", where);
        if (to == ORR_NONE)
            continue;
        orr_pool *other = orr_array_at(&b->pools, to);
        if (to == i || other->site != p->site || other->service != p->service || p->accelerator == ORR_NONE)
            orr_problem(b->problems, where, "pool `%s` can hand over to another llm pool of the same service at the same site only", p->id);
        p->hands_to = to;
        other->decodes_only = true;
    }
    for (uint32_t i = 0; i < b->pools.count; i++) {
        const orr_pool *p = orr_array_at(&b->pools, i);
        if (p->decodes_only && p->hands_to != ORR_NONE)
            orr_problem(b->problems, p->where, "pool `%s` decodes for another one and cannot hand over itself", p->id);
    }
}

void orr_build_services(orr_builder *b)
{
    services(b);
    catalogue_pools(b);
    inline_pools(b);
    link_hand_overs(b);
}
