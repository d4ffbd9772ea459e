#include "brain/host.h"

#include "base/random.h"
#include "base/time.h"
#include "policies/policies.h"
#include "scenario/schema.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is behind the door that a policy is given. */
typedef struct behind {
    const orr_world *world;
    const orr_look  *look; /* NULL while it starts */
} behind;

static uint64_t draw(void *context, const orr_policy_request *request, uint32_t k)
{
    const orr_world *world = ((const behind *)context)->world;
    return orr_random_bits(world->seed, ORR_STREAM_POLICY, request->id, request->attempt << 16 | (k & 0xffff), k >> 16).low;
}

static orr_policy_row look_at(void *context, uint32_t row)
{
    const behind *b = context;
    if (b->look == NULL || row >= b->world->pool_count)
        return (orr_policy_row){.as_of_ns = -1};
    return b->look->row(b->look->context, row);
}

static orr_where policy_where(const orr_world *w)
{
    const orr_node *root = orr_document_root(w->document), *policy = orr_node_get(root, "policy");
    return orr_where_of(policy, "name");
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') != NULL || (n > 3 && strcmp(name + n - 3, ".so") == 0);
}

/* A policy from a shared object. The object stays loaded until the host is destroyed. */
static orr_status load(orr_host *h, const char *path, orr_problems *problems)
{
    orr_where where = policy_where(h->world);
    h->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (h->library == NULL) {
        orr_problem(problems, where, "cannot load the policy `%s`: %s", path, dlerror());
        return ORR_BAD_INPUT;
    }
    orr_policy_entry_function entry;
    void *symbol = dlsym(h->library, ORR_POLICY_ENTRY);
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function pointers */
    h->policy = symbol == NULL ? NULL : entry();
    if (h->policy == NULL) {
        orr_problem(problems, where, "`%s` exports no policy (no function `%s`)", path, ORR_POLICY_ENTRY);
        return ORR_BAD_INPUT;
    }
    if (h->policy->abi != ORR_POLICY_ABI || h->policy->size < offsetof(orr_policy, route) + sizeof h->policy->route || h->policy->route == NULL) {
        orr_problem(problems, where, "`%s` was built for version %u of the policy interface, this program has version %d", path, h->policy->abi, ORR_POLICY_ABI);
        return ORR_BAD_INPUT;
    }
    return ORR_OK;
}

static orr_status find(orr_host *h, const char *name, orr_problems *problems)
{
    if (is_path(name))
        return load(h, name, problems);
    size_t count;
    const orr_policy *const *all = orr_policies(&count);
    const char **names = malloc(count * sizeof *names);
    if (names == NULL)
        return ORR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        names[i] = all[i]->name;
        if (strcmp(all[i]->name, name) == 0)
            h->policy = all[i];
    }
    if (h->policy == NULL) {
        const char *near = orr_nearest(name, names, count);
        orr_problem(problems, policy_where(h->world), "unknown policy `%s`%s%s%s (see `orrery policies`; a file needs a path or the ending .so)", name,
                    near ? ", did you mean `" : "", near ? near : "", near ? "`?" : "");
    }
    free(names);
    return h->policy == NULL ? ORR_BAD_INPUT : ORR_OK;
}

/* One `option: number` of the chosen policy. */
static orr_status read_option(orr_host *h, const orr_node *given, size_t at, const char *const *names, orr_problems *problems)
{
    const orr_policy *p = h->policy;
    const orr_node *value = given->child[at];
    uint32_t i = 0;
    while (i < p->option_count && strcmp(names[i], given->key[at]) != 0)
        i++;
    if (i == p->option_count) {
        const char *near = orr_nearest(given->key[at], names, p->option_count);
        orr_problem(problems, given->key_where[at], "the policy `%s` has no option `%s`%s%s%s", p->name, given->key[at], near ? ", did you mean `" : "", near ? near : "",
                    near ? "`?" : "");
        return ORR_BAD_INPUT;
    }
    char *end = NULL;
    double number = value->kind == ORR_NODE_SCALAR ? strtod(value->text, &end) : 0;
    if (end == NULL || end == value->text || *end != 0 || !(number >= p->options[i].low && number <= p->options[i].high) ||
        (p->options[i].whole && number != nearbyint(number))) {
        orr_problem(problems, value->where, "option `%s` of `%s`: expected a %snumber from %g to %g%s%s", names[i], p->name, p->options[i].whole ? "whole " : "", p->options[i].low, p->options[i].high,
                    value->kind == ORR_NODE_SCALAR ? ", found " : "", value->kind == ORR_NODE_SCALAR ? value->text : "");
        return ORR_BAD_INPUT;
    }
    h->options[i] = number;
    return ORR_OK;
}

/* `policy.options` holds options of the chosen policy, and maps with those of policies by name: of these only the chosen one's count. */
static orr_status read_options(orr_host *h, orr_problems *problems)
{
    const orr_policy *p = h->policy;
    const orr_node *given = h->world->policy_options;
    h->options = calloc(p->option_count + 1, sizeof *h->options);
    const char **names = calloc(p->option_count + 1, sizeof *names);
    orr_status status = h->options == NULL || names == NULL ? ORR_NO_MEMORY : ORR_OK;
    for (uint32_t i = 0; status == ORR_OK && i < p->option_count; i++) {
        names[i] = p->options[i].name;
        h->options[i] = p->options[i].fallback;
    }
    for (int named = 1; named >= 0 && status != ORR_NO_MEMORY; named--) /* what is said of no policy in particular is stronger */
        for (size_t k = 0; given != NULL && k < given->count; k++) {
            const orr_node *group = given->child[k];
            if ((group->kind == ORR_NODE_MAP) != named)
                continue;
            if (!named && read_option(h, given, k, names, problems) != ORR_OK)
                status = ORR_BAD_INPUT;
            for (size_t i = 0; named && strcmp(given->key[k], p->name) == 0 && i < group->count; i++)
                if (read_option(h, group, i, names, problems) != ORR_OK)
                    status = ORR_BAD_INPUT;
        }
    free(names);
    return status;
}

static bool build_candidates(orr_host *h)
{
    const orr_world *w = h->world;
    h->candidate_start = calloc((size_t)w->class_count * w->ingress_count + 1, sizeof *h->candidate_start);
    size_t total = 0, k = 0;
    for (int pass = 0; pass < 2 && h->candidate_start != NULL; pass++) {
        if (pass == 1) {
            h->candidates = malloc((total + 1) * sizeof *h->candidates);
            h->candidate_slots = malloc((total + 1) * sizeof *h->candidate_slots);
            if (h->candidates == NULL || h->candidate_slots == NULL)
                return false;
        }
        total = k = 0;
        for (uint32_t c = 0; c < w->class_count; c++)
            for (uint32_t i = 0; i < w->ingress_count; i++) {
                const orr_service *s = &w->services[w->classes[c].service];
                uint64_t slots = 0;
                for (uint32_t r = 0; r < s->row_count; r++) {
                    uint32_t row = w->service_rows[s->rows + r];
                    if (!orr_world_allows(w, c, w->ingress_sites[i], w->pools[row].site))
                        continue;
                    slots += w->pools[row].slots;
                    if (pass == 1) {
                        h->candidates[total] = row;
                        h->candidate_slots[total] = slots;
                    }
                    total++;
                }
                h->candidate_start[++k] = (uint32_t)total;
            }
    }
    return h->candidate_start != NULL;
}

static bool build_tables(orr_host *h, const orr_routes *routes, const orr_roofline *rooflines)
{
    const orr_world *w = h->world;
    size_t rows = w->pool_count + 1;
    h->observers = calloc(w->ingress_count + 1, sizeof *h->observers);
    h->row_name = calloc(rows, sizeof *h->row_name);
    h->class_name = calloc(w->class_count + 1, sizeof *h->class_name);
    h->row_site = calloc(rows, sizeof *h->row_site);
    h->row_service = calloc(rows, sizeof *h->row_service);
    h->row_slots = calloc(rows, sizeof *h->row_slots);
    h->row_token = calloc(rows, sizeof *h->row_token);
    h->row_prefill = calloc(rows, sizeof *h->row_prefill);
    h->zeros = calloc(rows, sizeof *h->zeros);
    h->row_delay = calloc(rows * (w->ingress_count + 1), sizeof *h->row_delay);
    if (!h->observers || !h->row_name || !h->class_name || !h->row_site || !h->row_service || !h->row_slots || !h->row_token || !h->row_prefill || !h->zeros || !h->row_delay)
        return false;
    for (uint32_t r = 0; r < w->pool_count; r++) {
        const orr_pool *p = &w->pools[r];
        const orr_service *s = &w->services[p->service];
        h->row_name[r] = p->id;
        h->row_site[r] = p->site;
        h->row_service[r] = p->service;
        h->row_slots[r] = p->slots;
        h->row_token[r] = s->mean_ns;
        if (s->kind == ORR_SERVICE_LLM) {
            const orr_roofline *roof = &rooflines[r];
            h->row_token[r] = (double)roof->decode[1] / (1 << ORR_QUANTUM_BITS);
            h->row_prefill[r] = (double)orr_roofline_iteration(roof, &(orr_load){.prompts = 1, .prompt_tokens = p->token_budget}) / (1 << ORR_QUANTUM_BITS) / p->token_budget;
        }
        for (uint32_t i = 0; i < w->ingress_count; i++)
            h->row_delay[(size_t)i * w->pool_count + r] = routes->delay_ns[orr_route_pair(routes, i, w->sites[p->site].compute)];
    }
    for (uint32_t c = 0; c < w->class_count; c++)
        h->class_name[c] = w->classes[c].name;
    for (uint32_t i = 0; i < w->ingress_count; i++)
        h->observers[i] = (orr_policy_world){
            .size = sizeof(orr_policy_world), .rows = w->pool_count, .services = w->service_count, .classes = w->class_count, .observer = i,
            .observer_name = w->sites[w->ingress_sites[i]].id, .row_name = h->row_name, .row_site = h->row_site, .row_service = h->row_service,
            .row_slots = h->row_slots, .row_delay_ns = h->row_delay + (size_t)i * w->pool_count, .row_token_ns = h->row_token,
            .row_prefill_ns = h->row_prefill, .class_name = h->class_name, .options = h->options};
    return true;
}

orr_status orr_host_create(orr_host *h, const orr_world *world, const orr_routes *routes, const orr_roofline *rooflines, orr_problems *problems)
{
    *h = (orr_host){.world = world};
    orr_status status = find(h, world->policy, problems);
    if (status == ORR_OK)
        status = read_options(h, problems);
    if (status == ORR_OK && (!build_candidates(h) || !build_tables(h, routes, rooflines)))
        status = ORR_NO_MEMORY;
    if (status != ORR_OK)
        orr_host_destroy(h);
    return status;
}

void orr_host_destroy(orr_host *h)
{
    void *const owned[] = {h->options, h->candidates, h->candidate_slots, h->candidate_start, h->observers, h->row_name, h->class_name, h->row_site, h->row_service,
                           h->row_slots, h->row_delay, h->row_token, h->row_prefill, h->zeros};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    if (h->library != NULL)
        dlclose(h->library);
    *h = (orr_host){0};
}

static orr_policy_host door(behind *b) { return (orr_policy_host){.size = sizeof(orr_policy_host), .context = b, .draw = draw, .look = look_at}; }

bool orr_host_looks(const orr_host *h) { return h->policy->size >= offsetof(orr_policy, looks) + sizeof h->policy->looks && h->policy->looks; }

bool orr_host_sees_truth(const orr_host *h)
{
    return orr_host_looks(h) && h->policy->size >= offsetof(orr_policy, sees_truth) + sizeof h->policy->sees_truth && h->policy->sees_truth;
}

bool orr_host_wants_blocks(const orr_host *h)
{
    return h->policy->size >= offsetof(orr_policy, wants_blocks) + sizeof h->policy->wants_blocks && h->policy->wants_blocks;
}

size_t orr_host_state_size(const orr_host *h, uint32_t ingress) { return h->policy->state_size == NULL ? 0 : h->policy->state_size(&h->observers[ingress]); }

orr_status orr_host_start(const orr_host *h, uint32_t ingress, void *state)
{
    behind b = {h->world, NULL};
    orr_policy_host host = door(&b);
    if (h->policy->init == NULL || h->policy->init(state, &host, &h->observers[ingress], h->options) == 0)
        return ORR_OK;
    return ORR_POLICY_FAILED;
}

static bool is_candidate(const orr_policy_request *request, uint32_t row)
{
    uint32_t low = 0, high = request->candidate_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (request->candidates[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < request->candidate_count && request->candidates[low] == row;
}

static uint32_t nearest(const orr_policy_world *w, const orr_policy_request *request)
{
    uint32_t best = request->candidates[0];
    for (uint32_t i = 1; i < request->candidate_count; i++)
        if (w->row_delay_ns[request->candidates[i]] < w->row_delay_ns[best])
            best = request->candidates[i];
    return best;
}

orr_decision orr_host_decide(const orr_host *h, uint32_t ingress, void *state, const orr_policy_view *view, const orr_policy_request *request, const orr_look *look, bool *bad)
{
    behind b = {h->world, look};
    orr_policy_host host = door(&b);
    orr_decision d = {.size = sizeof d, .action = ORR_ROUTE, .row = request->candidates[0]};
    h->policy->route(state, &host, &h->observers[ingress], view, request, h->options, &d);
    *bad = !(d.action == ORR_REJECT || (d.action == ORR_DEFER && d.defer_ns > 0 && d.defer_ns <= ORR_LONGEST_RUN) ||
             (d.action == ORR_ROUTE && is_candidate(request, d.row)));
    if (*bad)
        d = (orr_decision){.size = sizeof d, .action = ORR_ROUTE, .row = nearest(&h->observers[ingress], request)};
    return d;
}
