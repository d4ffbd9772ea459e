/* Putting a world together: read, check, place, index. */
#include "base/random.h"
#include "base/time.h"
#include "scenario/keys.h"
#include "world/builder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *orr_keep(orr_builder *b, const char *text)
{
    char *copy = strdup(text == NULL ? "" : text);
    char **slot = copy == NULL ? NULL : orr_array_extend(&b->world->strings, 1);
    if (slot == NULL) {
        free(copy);
        b->out_of_memory = true;
        return "";
    }
    *slot = copy;
    return copy;
}

bool orr_can_read(orr_builder *b, const char *path, orr_where where)
{
    if (access(path, R_OK) == 0)
        return true;
    orr_problem(b->problems, where, "cannot read `%s`: %s", path, strerror(errno));
    return false;
}

void *orr_append(orr_builder *b, orr_array *array)
{
    void *item = orr_array_extend(array, 1);
    if (item != NULL)
        return item;
    b->out_of_memory = true;
    static _Thread_local char scratch[1024]; /* written, never read: the load fails at its end */
    assert(array->item_size <= sizeof scratch);
    memset(scratch, 0, sizeof scratch);
    return scratch;
}

void orr_note_origin(orr_builder *b, const orr_csv *csv, size_t row, const char *catalogue, const char *name)
{
    orr_origin *o = orr_append(b, &b->origins);
    *o = (orr_origin){.catalogue = catalogue, .row = orr_keep(b, name)};
    o->source = orr_keep(b, orr_csv_cell(csv, row, orr_csv_column(csv, "source")));
    o->as_of = orr_keep(b, orr_csv_cell(csv, row, orr_csv_column(csv, "as_of")));
    o->confidence = orr_keep(b, orr_csv_cell(csv, row, orr_csv_column(csv, "confidence")));
    o->range = orr_keep(b, orr_csv_cell(csv, row, orr_csv_column(csv, "range")));
}

static const char *name_of(const orr_array *array, uint32_t i)
{
    const char *name;
    memcpy(&name, orr_array_at(array, i), sizeof name);
    return name;
}

uint32_t orr_look_up(const orr_array *array, const char *name)
{
    for (uint32_t i = 0; i < array->count; i++)
        if (name_of(array, i) != NULL && strcmp(name_of(array, i), name) == 0)
            return i;
    return ORR_NONE;
}

const char *orr_near(orr_builder *b, const orr_array *array, const char *name)
{
    const char **names = malloc((array->count + 1) * sizeof *names), *near = NULL;
    if (names == NULL) {
        b->out_of_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < array->count; i++)
        names[i] = name_of(array, i);
    near = orr_nearest(name, names, array->count);
    free(names);
    return near;
}

uint32_t orr_find(orr_builder *b, const orr_array *array, const char *name, const char *what, orr_where where)
{
    uint32_t found = orr_look_up(array, name);
    if (found != ORR_NONE)
        return found;
    const char *near = orr_near(b, array, name);
    if (array->count == 0)
        orr_problem(b->problems, where, "unknown %s `%s`: the scenario has none (is its catalogue missing?)", what, name);
    else
        orr_problem(b->problems, where, "unknown %s `%s`%s%s%s", what, name, near ? ", did you mean `" : "", near ? near : "", near ? "`?" : "");
    return ORR_NONE;
}

/* Used sites first, in order of definition; returns the new index of each old one. NULL when out of memory. */
static uint32_t *order_sites(orr_builder *b)
{
    orr_world *w = b->world;
    uint32_t n = b->sites.count;
    uint32_t *new_of = malloc((n + 1) * sizeof *new_of);
    char *role = calloc(n + 1, 1);
    orr_site_info *sorted = malloc((n + 1) * sizeof *sorted);
    if (new_of == NULL || role == NULL || sorted == NULL) {
        free(new_of);
        free(role);
        free(sorted);
        b->out_of_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < b->pools.count; i++)
        role[((orr_pool *)orr_array_at(&b->pools, i))->site] = 1;
    for (uint32_t i = 0; i < b->cohorts.count; i++)
        role[((orr_cohort *)orr_array_at(&b->cohorts, i))->site] = 1;
    uint32_t next = 0;
    for (int pass = 1; pass >= 0; pass--) {
        for (uint32_t i = 0; i < n; i++)
            if (role[i] == pass)
                new_of[i] = next++;
        if (pass == 1)
            w->used_count = next;
    }
    for (uint32_t i = 0; i < n; i++)
        sorted[new_of[i]] = *(orr_site_info *)orr_array_at(&b->sites, i);
    if (n > 0)
        memcpy(b->sites.items, sorted, n * sizeof *sorted);
    free(sorted);
    free(role);
    return new_of;
}

static int cohort_order(const void *a, const void *b)
{
    const orr_cohort *x = a, *y = b;
    return x->site != y->site ? (x->site < y->site ? -1 : 1) : (x->class_ < y->class_ ? -1 : 1);
}

/* Moves the grown arrays into the world. Nothing is copied. */
static void hand_over(orr_builder *b)
{
    orr_world *w = b->world;
    w->sites = b->sites.items, w->site_count = b->sites.count;
    w->grid_hours = b->grid_hours.items, w->grid_hours_count = b->grid_hours.count;
    w->links = b->links.items, w->link_count = b->links.count;
    w->accelerators = b->accelerators.items, w->accelerator_count = b->accelerators.count;
    w->plans = b->plans.items, w->plan_count = b->plans.count;
    w->failures = b->failures.items, w->failure_count = b->failures.count;
    w->failure_sites = b->failure_sites.items;
    w->engines = b->engines.items, w->engine_count = b->engines.count;
    w->calibrations = b->calibrations.items, w->calibration_count = b->calibrations.count;
    w->models = b->models.items, w->model_count = b->models.count;
    w->tariffs = b->tariffs.items, w->tariff_count = b->tariffs.count;
    w->services = b->services.items, w->service_count = b->services.count;
    w->pools = b->pools.items, w->pool_count = b->pools.count;
    w->classes = b->classes.items, w->class_count = b->classes.count;
    w->cohorts = b->cohorts.items, w->cohort_count = b->cohorts.count;
    w->traces = b->traces.items, w->trace_count = b->traces.count;
    w->trace_blocks = b->trace_blocks.items, w->trace_block_count = b->trace_blocks.count;
    w->origins = b->origins.items, w->origin_count = b->origins.count;
}

static void rank_sites(orr_world *w)
{
    for (uint32_t i = 0; i < w->used_count; i++)
        for (uint32_t j = 0; j < w->used_count; j++)
            w->sites[i].origin += strcmp(w->sites[j].id, w->sites[i].id) < 0;
}

/* Index tables over the finished arrays. */
static bool index_tables(orr_world *w)
{
    w->site_pool_start = calloc(w->used_count + 1, sizeof(uint32_t));
    w->site_pools = calloc(w->pool_count + 1, sizeof(uint32_t));
    w->site_cohort_start = calloc(w->used_count + 1, sizeof(uint32_t));
    w->service_rows = calloc(w->pool_count + 1, sizeof(uint32_t));
    w->ingress_sites = calloc(w->used_count + 1, sizeof(uint32_t));
    w->compute_sites = calloc(w->used_count + 1, sizeof(uint32_t));
    w->areas = calloc(w->used_count + 1, sizeof(char *));
    if (!w->site_pool_start || !w->site_pools || !w->site_cohort_start || !w->service_rows || !w->ingress_sites || !w->compute_sites || !w->areas)
        return false;
    uint32_t pools = 0, cohorts = 0, rows = 0;
    for (uint32_t s = 0; s < w->used_count; s++) {
        orr_site_info *site = &w->sites[s];
        w->site_pool_start[s] = pools;
        w->site_cohort_start[s] = cohorts;
        for (uint32_t p = 0; p < w->pool_count; p++)
            if (w->pools[p].site == s)
                w->site_pools[pools++] = p;
        while (cohorts < w->cohort_count && w->cohorts[cohorts].site == s)
            cohorts++;
        if (cohorts > w->site_cohort_start[s]) {
            site->ingress = w->ingress_count;
            w->ingress_sites[w->ingress_count++] = s;
        }
        if (pools > w->site_pool_start[s]) {
            site->compute = w->compute_count;
            w->compute_sites[w->compute_count++] = s;
        }
        for (site->area = 0; site->area < w->area_count && strcmp(w->areas[site->area], site->macro_region) != 0; site->area++)
            ;
        if (site->area == w->area_count)
            w->areas[w->area_count++] = site->macro_region;
    }
    w->site_pool_start[w->used_count] = pools;
    w->site_cohort_start[w->used_count] = cohorts;
    for (uint32_t s = 0; s < w->service_count; s++) {
        w->services[s].rows = rows;
        for (uint32_t p = 0; p < w->pool_count; p++)
            if (w->pools[p].service == s && !w->pools[p].decodes_only)
                w->service_rows[rows++] = p;
        w->services[s].row_count = rows - w->services[s].rows;
    }
    return true;
}

/* What only shows when everything is in place. */
static void check_whole(orr_builder *b)
{
    orr_world *w = b->world;
    for (uint32_t i = 0; i < w->service_count; i++)
        if (w->services[i].row_count == 0)
            orr_problem(b->problems, w->services[i].where, "no site has capacity for the service `%s`: it has no pool", w->services[i].name);
    for (uint32_t i = 0; i < w->class_count; i++) {
        const orr_class *c = &w->classes[i];
        const orr_service *s = &w->services[c->service];
        if (s->kind != ORR_SERVICE_LLM)
            continue;
        const orr_model_info *model = &w->models[s->model];
        uint64_t longest = (uint64_t)c->prefix_tokens + c->input.most + (uint64_t)c->images.most * model->image_tokens + c->thinking.most + c->output.most;
        if (longest > model->longest_context)
            orr_problem(b->problems, c->where, "class `%s` may ask for %llu tokens (prefix, input, images, thinking and output at most) but %s has a context of %u", c->name, (unsigned long long)longest, model->name,
                        model->longest_context);
        int64_t cache = 0;
        for (uint32_t r = 0; r < s->row_count; r++) {
            const orr_pool *p = &w->pools[w->service_rows[s->rows + r]];
            cache = p->kv_tokens > cache ? p->kv_tokens : cache;
        }
        if (s->row_count > 0 && (int64_t)longest > cache)
            orr_problem(b->problems, c->where, "class `%s` may ask for %llu tokens (prefix, input.most and output.most) but no replica of `%s` holds more than %lld", c->name,
                        (unsigned long long)longest, s->name, (long long)cache);
    }
    if (w->duration_ns != ORR_NEVER && w->duration_ns > ORR_LONGEST_RUN)
        orr_problem(b->problems, orr_where_of(b->root, "duration"), "duration: at most 100 d");
    for (uint32_t i = 0; i < w->cohort_count && w->duration_ns == ORR_NEVER; i++)
        if (w->cohorts[i].requests == UINT64_MAX) {
            orr_problem(b->problems, orr_where_of(b->root, "duration"), "duration: `never` needs `requests` (or `replay`) for every population; class `%s` has none",
                        w->classes[w->cohorts[i].class_].name);
            break;
        }
    for (uint32_t i = 0; i < w->cohort_count && w->duration_ns == ORR_NEVER; i++) { /* server time would overflow */
        const orr_cohort *k = &w->cohorts[i];
        const orr_class *c = &w->classes[k->class_];
        double longest = k->trace_count > 0 ? (double)w->traces[k->trace + k->trace_count - 1].at_ns : (double)k->requests / k->rate_per_ns + (c->turns - 1) * (double)c->think_mean_ns;
        if (c->follow == ORR_FOLLOW_LOOP)
            longest = (double)c->ramp_ns + (double)k->requests / (double)k->clients * (double)c->think_mean_ns;
        if (w->services[w->classes[k->class_].service].kind == ORR_SERVICE_LLM && longest > (double)ORR_LONGEST_RUN)
            orr_problem(b->problems, w->classes[k->class_].where, "the requests of class `%s` would take %.0f days to arrive; a run with llm services takes at most 100", w->classes[k->class_].name,
                        longest / (double)ORR_DAY);
    }
    if (w->latency_bin_ns % w->bin_ns != 0)
        orr_problem(b->problems, orr_where_of(orr_node_get(b->root, "output"), "latency_bin"), "latency_bin: must be a multiple of bin");
}

static void settings(orr_builder *b)
{
    orr_world *w = b->world;
    const orr_node *root = b->root, *network = orr_node_get(root, "network"), *brain = orr_node_get(root, "brain");
    const orr_node *telemetry = orr_node_get(brain, "telemetry"), *output = orr_node_get(root, "output"), *policy = orr_node_get(root, "policy");
    w->title = orr_text(root, "name");
    w->description = orr_has(root, "description") ? orr_text(root, "description") : "";
    w->seed = (uint64_t)orr_integer(root, "seed");
    w->start_s = orr_integer(root, "start");
    w->duration_ns = orr_integer(root, "duration");
    w->scale = orr_number(root, "scale");
    w->demand = orr_number(root, "demand");
    w->fibre_ns_per_km = 1000 * orr_number(network, "fibre_delay");
    w->hop_ns = orr_integer(network, "hop_delay");
    w->end_ns = orr_integer(network, "end_delay");
    w->telemetry_period_ns = orr_integer(telemetry, "period");
    w->telemetry_delay_ns = orr_integer(telemetry, "delay");
    w->telemetry_loss = orr_number(telemetry, "loss");
    w->own_decisions = orr_integer(brain, "own_decisions") != 0;
    w->decision_ns = orr_integer(brain, "decision_time");
    w->policy = orr_text(policy, "name");
    w->policy_label = orr_has(policy, "label") ? orr_text(policy, "label") : NULL;
    w->policy_options = orr_node_get(policy, "options");
    w->token_budget = (uint32_t)orr_integer(orr_node_get(root, "serving"), "token_budget");
    w->sample = orr_number(output, "sample");
    w->bin_ns = orr_integer(output, "bin");
    w->latency_bin_ns = orr_integer(output, "latency_bin");
}

static void start(orr_builder *b, orr_world *world, orr_problems *problems)
{
    *b = (orr_builder){.world = world, .problems = problems, .root = orr_document_root(world->document)};
    orr_array_init(&b->sites, sizeof(orr_site_info));
    orr_array_init(&b->links, sizeof(orr_link));
    orr_array_init(&b->accelerators, sizeof(orr_accelerator));
    orr_array_init(&b->plans, sizeof(orr_plan));
    orr_array_init(&b->failures, sizeof(orr_failure));
    orr_array_init(&b->failure_sites, sizeof(uint32_t));
    orr_array_init(&b->engines, sizeof(orr_inference_engine));
    orr_array_init(&b->calibrations, sizeof(orr_calibration));
    orr_array_init(&b->models, sizeof(orr_model_info));
    orr_array_init(&b->tariffs, sizeof(orr_tariff));
    orr_array_init(&b->services, sizeof(orr_service));
    orr_array_init(&b->pools, sizeof(orr_pool));
    orr_array_init(&b->classes, sizeof(orr_class));
    orr_array_init(&b->cohorts, sizeof(orr_cohort));
    orr_array_init(&b->traces, sizeof(orr_trace_row));
    orr_array_init(&b->trace_blocks, sizeof(uint64_t));
    orr_array_init(&b->origins, sizeof(orr_origin));
    orr_array_init(&b->grid_hours, sizeof(orr_grid_hours));
    orr_array_init(&b->software, sizeof(orr_software));
    orr_array_init(&b->devices, sizeof(orr_device));
    orr_array_init(&b->accesses, sizeof(orr_access));
    orr_array_init(&b->rules, sizeof(orr_rule));
    orr_array_init(&b->profiles, sizeof(orr_profile));
}

/* The replica whose iterations are written. */
static void choose_traced(orr_builder *b)
{
    const orr_node *output = orr_node_get(b->root, "output");
    b->world->traced_pool = ORR_NONE;
    if (!orr_has(output, "iterations") || *orr_text(output, "iterations") == 0)
        return;
    char id[320];
    unsigned replica = 0;
    orr_where where = orr_where_of(output, "iterations");
    snprintf(id, sizeof id, "%s", orr_text(output, "iterations"));
    char *number = strrchr(id, '#');
    if (number != NULL && sscanf(number + 1, "%u", &replica) == 1)
        *number = 0;
    uint32_t pool = strcmp(id, "first") == 0 ? 0 : orr_find(b, &b->pools, id, "pool", where);
    while (strcmp(id, "first") == 0 && pool + 1 < b->pools.count && ((orr_pool *)orr_array_at(&b->pools, pool))->calibration == ORR_NONE)
        pool++;
    if (pool >= b->pools.count)
        return;
    const orr_pool *p = orr_array_at(&b->pools, pool);
    if (p->calibration == ORR_NONE || replica >= p->replicas)
        orr_problem(b->problems, where, "pool `%s` %s", id, p->calibration == ORR_NONE ? "does not serve an llm" : "has fewer replicas");
    b->world->traced_pool = pool;
    b->world->traced_replica = replica;
}

static void build(orr_builder *b)
{
    orr_world *w = b->world;
    settings(b);
    orr_build_catalogues(b);
    orr_build_engines(b);
    orr_build_grid_hours(b);
    orr_build_places(b);
    orr_build_services(b);
    orr_build_changes(b);
    orr_build_populations(b);
    choose_traced(b);
    uint32_t *new_of = order_sites(b);
    if (new_of != NULL) {
        for (uint32_t i = 0; i < b->links.count; i++) {
            orr_link *l = orr_array_at(&b->links, i);
            l->a = new_of[l->a], l->b = new_of[l->b];
        }
        for (uint32_t i = 0; i < b->pools.count; i++) {
            orr_pool *p = orr_array_at(&b->pools, i);
            p->site = new_of[p->site];
        }
        for (uint32_t i = 0; i < b->cohorts.count; i++) {
            orr_cohort *c = orr_array_at(&b->cohorts, i);
            c->site = new_of[c->site];
        }
        for (uint32_t i = 0; i < b->failure_sites.count; i++) {
            uint32_t *site = orr_array_at(&b->failure_sites, i);
            *site = new_of[*site];
        }
        free(new_of);
    }
    if (b->cohorts.count > 0)
        qsort(b->cohorts.items, b->cohorts.count, sizeof(orr_cohort), cohort_order);
    hand_over(b);
    if (orr_problems_any(b->problems) || b->out_of_memory)
        return;
    rank_sites(w);
    if (!index_tables(w))
        b->out_of_memory = true;
    else
        orr_build_residency(b);
    check_whole(b);
}

/* Marks in `used` the catalogue rows that the run really reads, so that reports do not list what was never used. */
static bool origin_used(const orr_world *w, const orr_origin *o)
{
    if (strcmp(o->catalogue, "sites") == 0) {
        uint32_t s = orr_world_site(w, o->row);
        return s != ORR_NONE && s < w->used_count;
    }
    if (strcmp(o->catalogue, "grid_hours") == 0) {
        for (uint32_t i = 0; i < w->compute_count; i++) {
            uint32_t hours = w->sites[w->compute_sites[i]].grid_hours;
            if (hours != ORR_NONE && strcmp(w->grid_hours[hours].name, o->row) == 0)
                return true;
        }
        return false;
    }
    if (strcmp(o->catalogue, "accelerators") == 0) {
        for (uint32_t i = 0; i < w->pool_count; i++)
            if (w->pools[i].accelerator != ORR_NONE && strcmp(w->accelerators[w->pools[i].accelerator].name, o->row) == 0)
                return true;
        return false;
    }
    if (strcmp(o->catalogue, "software") == 0) /* rules, not numbers */
        return false;
    if (strcmp(o->catalogue, "engines") == 0) {
        for (uint32_t i = 0; i < w->pool_count; i++)
            if (w->pools[i].engine != ORR_NONE && strcmp(w->engines[w->pools[i].engine].name, o->row) == 0)
                return true;
        return false;
    }
    if (strcmp(o->catalogue, "calibrations") == 0) {
        for (uint32_t i = 0; i < w->pool_count; i++)
            if (w->pools[i].calibration != ORR_NONE && strcmp(w->calibrations[w->pools[i].calibration].name, o->row) == 0)
                return true;
        return false;
    }
    if (strcmp(o->catalogue, "models") == 0 || strcmp(o->catalogue, "prices") == 0) {
        for (uint32_t i = 0; i < w->service_count; i++)
            if (w->services[i].model != ORR_NONE && strcmp(w->models[w->services[i].model].name, o->row) == 0)
                return true;
        return false;
    }
    if (strcmp(o->catalogue, "devices") == 0) {
        for (uint32_t i = 0; i < w->class_count; i++)
            if (strcmp(w->classes[i].device, o->row) == 0)
                return true;
        return false;
    }
    return true;
}

static void drop_unused_origins(orr_world *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->origin_count; i++)
        if (origin_used(w, &w->origins[i]))
            w->origins[kept++] = w->origins[i];
    w->origin_count = kept;
}

orr_world *orr_world_load(const char *path, const char *const *overrides, size_t override_count, orr_problems *problems)
{
    orr_world *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    orr_array_init(&w->strings, sizeof(char *));
    w->document = orr_document_load(path, overrides, override_count, problems);
    if (w->document == NULL || orr_problems_any(problems) ||
        !orr_schema_check(orr_scenario_keys, orr_scenario_key_count, w->document, orr_document_root(w->document), problems)) {
        orr_world_destroy(w);
        return NULL;
    }
    orr_builder b;
    start(&b, w, problems);
    w->scenario_path = orr_keep(&b, path);
    build(&b);
    w->text = orr_document_text(w->document);
    if (w->text != NULL)
        w->scenario_hash = orr_entity(w->text);
    orr_array_clear(&b.devices);
    orr_array_clear(&b.accesses);
    orr_array_clear(&b.rules);
    orr_array_clear(&b.profiles);
    orr_array_clear(&b.software);
    if (b.out_of_memory || w->text == NULL)
        orr_problem(problems, (orr_where){path, 0, 0}, "out of memory");
    if (orr_problems_any(problems)) {
        orr_world_destroy(w);
        return NULL;
    }
    drop_unused_origins(w);
    return w;
}

bool orr_world_is_short(const orr_world *w, const orr_cohort *k, char *text, size_t size)
{
    if (!(k->settling > 0))
        return false;
    snprintf(text, size, "class `%s`: %.0f requests are too few for the queues to settle from empty; means will be biased (at least %.2g would do)", w->classes[k->class_].name, (double)k->requests, 2 * k->settling);
    return true;
}

orr_status orr_world_reseed(orr_world *w, uint64_t seed)
{
    if (w->seeded)
        return ORR_BAD_INPUT;
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    orr_node *node = orr_document_add(w->document, orr_document_root(w->document), "seed", ORR_NODE_SCALAR, digits);
    char *text = node == NULL ? NULL : orr_document_text(w->document);
    if (text == NULL)
        return ORR_NO_MEMORY;
    free(w->text);
    w->text = text;
    w->scenario_hash = orr_entity(text);
    w->seed = seed;
    return ORR_OK;
}

void orr_world_destroy(orr_world *w)
{
    if (w == NULL)
        return;
    void *const owned[] = {w->sites, w->grid_hours, w->links, w->accelerators, w->plans, w->failures, w->failure_sites, w->engines, w->calibrations, w->models, w->tariffs, w->services, w->service_rows, w->pools,
                           w->site_pools, w->site_pool_start, w->classes, w->cohorts, w->site_cohort_start, w->traces, w->trace_blocks, w->origins,
                           w->residency, w->ingress_sites, w->compute_sites, w->areas, w->text};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    for (uint32_t i = 0; i < w->strings.count; i++)
        free(*(char **)orr_array_at(&w->strings, i));
    orr_array_clear(&w->strings);
    orr_document_destroy(w->document);
    free(w);
}

uint32_t orr_world_site(const orr_world *w, const char *id)
{
    for (uint32_t i = 0; i < w->site_count; i++)
        if (strcmp(w->sites[i].id, id) == 0)
            return i;
    return ORR_NONE;
}
