#include "grid/grid.h"

#include "base/time.h"
#include "grid/partition.h"
#include "grid/telemetry.h"

#include <math.h>
#include <stdlib.h>

static void on_timer(void *context, orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle)
{
    orr_grid *g = context;
    orr_site *site = &g->sites[process];
    switch ((orr_timer_kind)kind) {
    case ORR_TIMER_ARRIVAL: orr_ingress_arrival(g, lane, site, handle); break;
    case ORR_TIMER_TURN: orr_ingress_turn(g, lane, site, handle); break;
    case ORR_TIMER_ATTEMPT: orr_ingress_attempt(g, lane, site, handle); break;
    case ORR_TIMER_GIVE_UP: orr_ingress_give_up(g, lane, site, handle); break;
    case ORR_TIMER_LLM: orr_server_llm(g, lane, site, handle); break;
    case ORR_TIMER_STATION: orr_server_station(g, lane, site, handle); break;
    case ORR_TIMER_REPLICA: orr_server_replica(g, lane, site, handle); break;
    case ORR_TIMER_PLAN: orr_server_plan(g, lane, site, handle); break;
    case ORR_TIMER_UNIT: orr_server_unit(g, lane, site, handle); break;
    case ORR_TIMER_HANDED_OVER: orr_server_handed_over(g, lane, site, handle); break;
    case ORR_TIMER_REPORT: orr_telemetry_report(g, lane, site); break;
    case ORR_TIMER_TARIFF: {
        if (orr_site_has_pools(g, site))
            orr_server_tariff(g, lane, site);
        if (orr_site_has_clients(g, site))
            orr_ingress_tariff(g, site, orr_now(lane));
        orr_timer(lane, process, ORR_TIMER_TARIFF, 0, orr_world_next_tariff(g->world, orr_now(lane)));
        break;
    }
    }
}

static void on_message(void *context, orr_lane *lane, const orr_message *message, const void *payload)
{
    orr_grid *g = context;
    orr_site *site = &g->sites[message->destination];
    switch ((orr_message_kind)message->kind) {
    case ORR_MESSAGE_REQUEST: {
        orr_request_message request = orr_request_read(payload, message->length);
        orr_server_request(g, lane, site, message->source, &request);
        break;
    }
    case ORR_MESSAGE_CANCEL: orr_server_cancel(g, lane, site, message->source, payload); break;
    case ORR_MESSAGE_FIRST: orr_ingress_first(g, lane, site, payload); break;
    case ORR_MESSAGE_DONE: orr_ingress_done(g, lane, site, message->source, payload); break;
    case ORR_MESSAGE_REPORT: orr_telemetry_receive(site, payload, message->length); break;
    }
}

static bool build_kinds(orr_grid *g)
{
    const orr_world *w = g->world;
    g->rooflines = calloc(w->pool_count + 1, sizeof *g->rooflines);
    g->kinds = calloc(w->pool_count + 1, sizeof *g->kinds);
    g->front_end_ns = calloc(w->pool_count + 1, sizeof *g->front_end_ns);
    if (g->rooflines == NULL || g->kinds == NULL || g->front_end_ns == NULL)
        return false;
    for (uint32_t p = 0; p < w->pool_count; p++) {
        const orr_pool *pool = &w->pools[p];
        if (w->services[pool->service].kind != ORR_SERVICE_LLM)
            continue;
        if (!orr_roofline_build(&g->rooflines[p], w, pool))
            return false;
        g->front_end_ns[p] = llround(w->calibrations[pool->calibration].coefficients.front_end_s * ORR_SECOND);
        int64_t blocks = pool->kv_tokens / pool->kv_block;
        g->kinds[p] = (orr_llm_kind){.roofline = g->rooflines[p], .max_batch = pool->max_batch, .token_budget = pool->token_budget, .classes = w->class_count, .batching = pool->batching,
                                     .block = pool->kv_block, .keeps_prefixes = pool->keeps_prefixes, .hands_over = pool->hands_to != ORR_NONE, .blocks = blocks,
                                     .reserve = (int64_t)(pool->kv_reserve * (double)blocks)};
    }
    return true;
}

static bool build_observes(orr_grid *g)
{
    const orr_world *w = g->world;
    g->observes = calloc((size_t)w->ingress_count * w->compute_count + 1, 1);
    g->heard = calloc((size_t)w->ingress_count * w->compute_count + 1, sizeof *g->heard);
    if (g->observes == NULL || g->heard == NULL)
        return false;
    for (uint32_t c = 0; c < w->cohort_count; c++) {
        uint32_t ingress = w->sites[w->cohorts[c].site].ingress, count;
        const uint32_t *rows = orr_host_candidates(&g->host, w->cohorts[c].class_, ingress, &count);
        for (uint32_t i = 0; i < count; i++)
            g->observes[(size_t)ingress * w->compute_count + w->sites[w->pools[rows[i]].site].compute] = 1;
    }
    return true;
}

static bool build_sites(orr_grid *g)
{
    const orr_world *w = g->world;
    g->sites = calloc(w->used_count + 1, sizeof *g->sites);
    g->place = calloc(w->pool_count + 1, sizeof *g->place);
    if (g->sites == NULL || g->place == NULL)
        return false;
    for (uint32_t s = 0; s < w->used_count; s++)
        for (uint32_t i = w->site_pool_start[s]; i < w->site_pool_start[s + 1]; i++)
            g->place[w->site_pools[i]] = i - w->site_pool_start[s];
    for (uint32_t s = 0; s < w->used_count; s++)
        orr_site_init(&g->sites[s], s);
    for (uint32_t s = 0; s < w->used_count; s++) {
        orr_site *site = &g->sites[s];
        const orr_site_info *info = &w->sites[s];
        orr_map_init(&site->by_request);
        orr_map_init(&site->prefix_by_key);
        if (info->compute != ORR_NONE)
            orr_telemetry_size_board(g, site);
        if (info->ingress != ORR_NONE) {
            if (!orr_telemetry_open_view(g, site) || !orr_array_extend(&site->price, 3 * (size_t)w->pool_count + 1) || !orr_array_extend(&site->bytes, w->compute_count) ||
                !orr_array_extend(&site->cohorts, w->site_cohort_start[s + 1] - w->site_cohort_start[s]) ||
                !orr_array_extend(&site->policy, orr_host_state_size(&g->host, info->ingress) + 1))
                return false;
        }
    }
    return true;
}

static orr_status build_engine(orr_grid *g, const orr_grid_options *options)
{
    const orr_world *w = g->world;
    uint32_t lanes = options->lanes > 1 && !orr_host_sees_truth(&g->host) ? options->lanes : 1; /* the truth of all sites at one instant: one clock */
    orr_partition partition;
    bool cut = options->automatic ? orr_partition_worthwhile(&partition, w, &g->routes, lanes) : orr_partition_cut(&partition, w, &g->routes, lanes);
    uint32_t *origin = calloc(w->used_count + 1, sizeof *origin);
    orr_status status = cut && origin != NULL ? ORR_OK : ORR_NO_MEMORY;
    for (uint32_t s = 0; s < w->used_count && status == ORR_OK; s++)
        origin[s] = w->sites[s].origin;
    if (status == ORR_OK) {
        g->lanes = partition.lanes;
        g->window_requests = partition.window_requests;
        orr_engine_config config = {.processes = w->used_count, .origin = origin, .lanes = partition.lanes, .lane_of = partition.lane_of, .lookahead = partition.lookahead_ns,
                                    .threads = options->threads && partition.lanes > 1, .shuffle = options->shuffle};
        orr_model model = {.context = g, .timer = on_timer, .message = on_message};
        g->engine = orr_engine_create(&config, &model);
        status = g->engine == NULL ? ORR_NO_MEMORY : ORR_OK;
    }
    free(origin);
    free(partition.lane_of);
    return status;
}

static void start_sites(orr_grid *g)
{
    int64_t tariff = orr_world_next_tariff(g->world, 0);
    for (uint32_t s = 0; s < g->world->used_count; s++) {
        orr_lane *lane = orr_engine_lane_of(g->engine, s);
        if (orr_site_has_pools(g, &g->sites[s]))
            orr_server_start(g, lane, &g->sites[s]);
        if (orr_site_has_clients(g, &g->sites[s]))
            orr_ingress_start(g, lane, &g->sites[s]);
        orr_timer(lane, s, ORR_TIMER_TARIFF, 0, tariff);
    }
}

static orr_status start_policies(orr_grid *g, orr_problems *problems)
{
    for (uint32_t i = 0; i < g->world->ingress_count; i++)
        if (orr_host_start(&g->host, i, g->sites[g->world->ingress_sites[i]].policy.items) != ORR_OK) {
            orr_problem(problems, (orr_where){g->world->scenario_path, 0, 0}, "the policy `%s` refuses to start", g->host.policy->name);
            return ORR_BAD_INPUT;
        }
    return ORR_OK;
}

orr_status orr_grid_create(orr_grid *g, const orr_world *world, const orr_grid_options *options, orr_problems *problems)
{
    *g = (orr_grid){.world = world};
    orr_status status = orr_routes_build(&g->routes, world, problems);
    if (status == ORR_OK && !build_kinds(g))
        status = ORR_NO_MEMORY;
    if (status == ORR_OK)
        status = orr_host_create(&g->host, world, &g->routes, g->rooflines, problems);
    if (status == ORR_OK && (!build_observes(g) || !build_sites(g)))
        status = ORR_NO_MEMORY;
    if (status == ORR_OK)
        status = build_engine(g, options);
    if (status == ORR_OK && !options->resume)
        status = start_policies(g, problems);
    if (status == ORR_OK && !options->resume) {
        start_sites(g);
        status = orr_engine_run(g->engine, 0, NULL); /* runs nothing; reports what failed while starting */
    }
    if (status != ORR_OK)
        orr_grid_destroy(g);
    return status;
}

orr_status orr_grid_new_policies(orr_grid *g, orr_problems *problems)
{
    for (uint32_t i = 0; i < g->world->ingress_count; i++) {
        orr_array *state = &g->sites[g->world->ingress_sites[i]].policy;
        orr_array_clear(state);
        if (orr_array_extend(state, orr_host_state_size(&g->host, i) + 1) == NULL || !orr_telemetry_open_view(g, &g->sites[g->world->ingress_sites[i]]))
            return ORR_NO_MEMORY;
    }
    return start_policies(g, problems);
}

void orr_grid_destroy(orr_grid *g)
{
    orr_archive archive;
    orr_archive_free(&archive);
    for (uint32_t s = 0; g->sites != NULL && s < g->world->used_count; s++)
        orr_site_archive(&g->sites[s], &archive);
    for (uint32_t p = 0; g->rooflines != NULL && p < g->world->pool_count; p++)
        orr_roofline_destroy(&g->rooflines[p]);
    if (g->host.world != NULL)
        orr_host_destroy(&g->host);
    orr_engine_destroy(g->engine);
    orr_routes_destroy(&g->routes);
    free(g->sites);
    free(g->observes);
    free(g->heard);
    free(g->place);
    free(g->rooflines);
    free(g->kinds);
    free(g->front_end_ns);
    *g = (orr_grid){0};
}

void orr_grid_archive(orr_grid *g, orr_archive *archive)
{
    for (uint32_t s = 0; s < g->world->used_count; s++)
        orr_site_archive(&g->sites[s], archive);
    orr_engine_archive(g->engine, archive);
    for (uint32_t s = 0; archive->mode == ORR_ARCHIVE_LOAD && archive->status == ORR_OK && s < g->world->used_count; s++)
        if (!orr_telemetry_sound(&g->sites[s]))
            archive->status = ORR_BAD_INPUT;
}

/* Users of a closed loop who have asked as often as they were to may still be about to notice. */
static bool will_ask(const orr_grid *g, const orr_site *site, uint32_t index)
{
    const orr_cohort_state *k = orr_array_at(&site->cohorts, index);
    const orr_cohort *cohort = &g->world->cohorts[g->world->site_cohort_start[site->id] + index];
    bool loop = g->world->classes[cohort->class_].follow == ORR_FOLLOW_LOOP;
    return (k->pending || k->thinking > 0) && !(loop && k->counts.offered >= cohort->requests);
}

bool orr_grid_idle(const orr_grid *g)
{
    for (uint32_t s = 0; s < g->world->used_count; s++) {
        const orr_site *site = &g->sites[s];
        if (site->in_flight > 0)
            return false;
        for (uint32_t c = 0; c < site->cohorts.count; c++)
            if (will_ask(g, site, c))
                return false;
    }
    return true;
}
