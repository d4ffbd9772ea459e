/* Populations: classes of clients, and the cohorts into which they fall (one class at one site). */
#include "base/random.h"
#include "base/time.h"
#include "world/builder.h"

#include <math.h>
#include <string.h>

/* A key that says something about another one. */
static void needs(orr_builder *b, const orr_node *n, const char *key, const char *other)
{
    if (orr_has(n, key) && !orr_has(n, other))
        orr_problem(b->problems, orr_where_of(n, key), "`%s` is for clients with `%s`", key, other);
}

static bool given(const orr_node *n, const char *key) { return orr_has(n, key) && !orr_node_get(n, key)->defaulted; }

/* Two ways to say the same. */
static void excludes(orr_builder *b, const orr_node *n, const char *key, const char *other)
{
    if (orr_has(n, key) && given(n, other))
        orr_problem(b->problems, orr_where_of(n, other), "`%s` has no meaning for clients with `%s`", other, key);
}

/* All whole numbers from low to high. */
static void uniform_lengths(orr_builder *b, const orr_node *parent, const char *key, orr_lengths *l)
{
    const orr_node *n = orr_node_get(parent, key);
    if (!orr_has(n, "low") || !orr_has(n, "high") || given(n, "mean") || given(n, "least") || given(n, "most")) {
        orr_problem(b->problems, orr_where_of(n, "law"), "%s: a uniform law needs `low` and `high`, and neither `mean` nor `least` nor `most`", key);
        return;
    }
    l->least = (uint32_t)orr_integer(n, "low");
    l->most = (uint32_t)orr_integer(n, "high");
    l->mean = 0.5 * ((double)l->least + (double)l->most);
    if (l->least > l->most)
        orr_problem(b->problems, orr_where_of(n, "low"), "%s.low is above %s.high", key, key);
}

static orr_lengths lengths(orr_builder *b, const orr_node *parent, const char *key)
{
    const orr_node *n = orr_node_get(parent, key);
    orr_lengths l = {.law = (orr_length_law)orr_integer(n, "law"), .mean = orr_number(n, "mean"), .sigma = orr_number(n, "sigma")};
    l.least = (uint32_t)orr_integer(n, "least");
    l.most = (uint32_t)orr_integer(n, "most");
    if (l.least > l.most)
        orr_problem(b->problems, orr_where_of(n, "least"), "%s.least is above %s.most", key, key);
    if (l.law == ORR_LENGTH_LOGNORMAL && l.mean <= 0)
        orr_problem(b->problems, orr_where_of(n, "mean"), "a lognormal law needs a mean above 0");
    l.mu = log(fmax(l.mean, 1e-9)) - l.sigma * l.sigma / 2;
    if (l.law == ORR_LENGTH_UNIFORM)
        uniform_lengths(b, parent, key, &l);
    else if (orr_has(n, "low") || orr_has(n, "high"))
        orr_problem(b->problems, orr_where_of(n, orr_has(n, "low") ? "low" : "high"), "%s: `low` and `high` are for the law `uniform`", key);
    if (l.law == ORR_LENGTH_CONSTANT) /* the bounds are for laws that vary */
        l.least = l.most = (uint32_t)nearbyint(l.mean);
    return l;
}

static void device_and_access(orr_builder *b, const orr_node *n, orr_class *c)
{
    const char *access = "none";
    c->device = "";
    if (orr_has(n, "device") && *orr_text(n, "device")) {
        c->device = orr_text(n, "device");
        uint32_t i = orr_find(b, &b->devices, c->device, "device", orr_where_of(n, "device"));
        if (i != ORR_NONE) {
            const orr_device *d = orr_array_at(&b->devices, i);
            access = d->access;
            c->request_bytes = d->request_bytes;
            c->response_bytes = d->response_bytes;
            c->bytes_per_input_token = d->bytes_per_input_token;
            c->bytes_per_output_token = d->bytes_per_output_token;
        }
    }
    if (orr_has(n, "access") && *orr_text(n, "access"))
        access = orr_text(n, "access");
    uint32_t i = orr_find(b, &b->accesses, access, "access technology", orr_has(n, "access") ? orr_where_of(n, "access") : n->where);
    if (i == ORR_NONE)
        return;
    const orr_access *a = orr_array_at(&b->accesses, i);
    c->uplink_bit_s = a->uplink_bit_s;
    c->downlink_bit_s = a->downlink_bit_s;
    c->access_mu = a->mu;
    c->access_sigma = a->sigma;
}

static void profile(orr_builder *b, const orr_node *n, orr_class *c)
{
    for (int h = 0; h < 24; h++)
        c->profile[h] = 1;
    if (!orr_has(n, "profile") || *orr_text(n, "profile") == 0)
        return;
    uint32_t i = orr_find(b, &b->profiles, orr_text(n, "profile"), "profile", orr_where_of(n, "profile"));
    if (i != ORR_NONE)
        memcpy(c->profile, ((orr_profile *)orr_array_at(&b->profiles, i))->weight, sizeof c->profile);
}

/* Servers over all pools of a service, for `load`. */
static double servers_of(const orr_builder *b, uint32_t service)
{
    double servers = 0;
    for (uint32_t i = 0; i < b->pools.count; i++) {
        const orr_pool *p = orr_array_at(&b->pools, i);
        if (p->service == service)
            servers += (double)p->replicas * p->servers;
    }
    return servers;
}

static bool replays(const orr_node *n) { return orr_has(n, "replay") && *orr_text(n, "replay"); }

static void think(const orr_node *n, orr_class *c)
{
    c->think_mean_ns = orr_integer(n, "mean");
    c->think_law = (orr_think_law)orr_integer(n, "law");
}

/* What follows a request. */
static void follow(orr_builder *b, const orr_node *n, orr_class *c)
{
    const orr_node *session = orr_node_get(n, "session");
    uint32_t model = c->service == ORR_NONE ? ORR_NONE : ((orr_service *)orr_array_at(&b->services, c->service))->model;
    c->turns = 1;
    c->context = model == ORR_NONE ? ORR_TRACE_LONGEST : ((orr_model_info *)orr_array_at(&b->models, model))->longest_context;
    needs(b, n, "ramp", "users");
    needs(b, n, "think", "users");
    excludes(b, n, "users", "population");
    excludes(b, n, "users", "profile");
    excludes(b, n, "users", "session");
    if (session != NULL && replays(n))
        orr_problem(b->problems, orr_where_of(n, "session"), "`session` has no meaning for clients with `replay`");
    if (orr_has(n, "users")) {
        c->follow = ORR_FOLLOW_LOOP;
        c->population = fmax(1, nearbyint((double)orr_integer(n, "users") * b->world->scale * b->world->demand));
        c->ramp_ns = orr_has(n, "ramp") ? orr_integer(n, "ramp") : 0;
        if (orr_has(n, "think"))
            think(orr_node_get(n, "think"), c);
    } else if (session != NULL) {
        c->follow = ORR_FOLLOW_SESSION;
        c->turns = orr_number(session, "turns");
        c->history = orr_integer(session, "history") != 0;
        think(orr_node_get(session, "think"), c);
    }
}

/* How often a user of a closed loop may ask: only what the parts of a run weigh depends on it. */
static double guess_of_loop(const orr_builder *b, const orr_class *c)
{
    const orr_service *s = orr_array_at(&b->services, c->service);
    double answer_s = s->kind == ORR_SERVICE_STATION ? s->mean_ns / (double)ORR_SECOND : 0.02 * c->output.mean;
    return 1 / ((double)c->think_mean_ns / (double)ORR_SECOND + answer_s);
}

static void rate(orr_builder *b, const orr_node *n, orr_class *c)
{
    bool has_rate = orr_has(n, "rate"), has_load = orr_has(n, "load"), loop = c->follow == ORR_FOLLOW_LOOP;
    if (has_rate + has_load + replays(n) + loop != 1)
        orr_problem(b->problems, n->where, "clients of class `%s` need exactly one of `rate`, `load`, `replay` and `users`", c->name);
    if (loop && c->service != ORR_NONE)
        c->rate_per_s = guess_of_loop(b, c);
    if (has_rate)
        c->rate_per_s = orr_number(n, "rate");
    if (!has_load || c->service == ORR_NONE)
        return;
    const orr_service *s = orr_array_at(&b->services, c->service);
    if (s->kind != ORR_SERVICE_STATION)
        orr_problem(b->problems, orr_where_of(n, "load"), "`load` needs a station; `%s` is an llm service, give `rate`", s->name);
    else
        c->rate_per_s = orr_number(n, "load") * servers_of(b, c->service) / (s->mean_ns / (double)ORR_SECOND) / c->population / c->turns;
}

/* Queues that begin empty take some relaxation times of M/M/1, 1/(1-sqrt(load))^2 mean service times each, to fill up (Cohen, The Single Server
 * Queue, 1982), and some postings of the bulletin board. With `load` and a warm-up given, at least three of either are left out, up to half of all. */
static void settle(orr_builder *b, const orr_node *n, const orr_class *c, orr_cohort *k)
{
    if (!orr_has(n, "load") || c->service == ORR_NONE || orr_number(n, "load") >= 1)
        return;
    const orr_service *s = orr_array_at(&b->services, c->service);
    double period = b->world->telemetry_period_ns == ORR_NEVER ? 0 : (double)b->world->telemetry_period_ns;
    double relaxation = s->mean_ns / pow(1 - sqrt(orr_number(n, "load")), 2), wanted = 3 * fmax(relaxation, period) * k->rate_per_ns;
    k->settling = wanted > 0.5 * (double)k->requests ? wanted : 0;
    k->unmeasured = (uint64_t)fmax((double)k->unmeasured, fmin(wanted, 0.5 * (double)k->requests));
}

/* `placed`: clients of the class in the cohorts before this one. Users come whole, and as many as there are. */
static void add_cohort(orr_builder *b, const orr_node *n, uint32_t class_, uint32_t site, double clients, double *placed)
{
    orr_class *c = orr_array_at(&b->classes, class_);
    double before = nearbyint(*placed);
    *placed += clients;
    if (c->follow == ORR_FOLLOW_LOOP)
        clients = nearbyint(*placed) - before;
    if (clients <= 0)
        return;
    const orr_site_info *s = orr_array_at(&b->sites, site);
    for (uint32_t i = 0; i < b->cohorts.count; i++) {
        orr_cohort *other = orr_array_at(&b->cohorts, i);
        if (other->class_ == class_ && other->site == site) {
            orr_problem(b->problems, n->where, "class `%s` is placed at site `%s` twice", c->name, s->id);
            return;
        }
    }
    orr_cohort *k = orr_append(b, &b->cohorts);
    *k = (orr_cohort){.class_ = class_, .site = site, .clients = (uint64_t)fmax(1, nearbyint(clients)), .requests = UINT64_MAX};
    k->rate_per_ns = c->rate_per_s * clients / (double)ORR_SECOND;
    k->entity = orr_entity_part(orr_entity(c->name), s->entity);
    if (orr_has(n, "requests"))
        k->requests = (uint64_t)orr_integer(n, "requests");
    k->unmeasured = k->requests == UINT64_MAX ? 0 : (uint64_t)((double)k->requests * orr_number(orr_node_get(b->root, "output"), "warmup"));
    if (k->unmeasured > 0)
        settle(b, n, c, k);
}

static void spread_over_country(orr_builder *b, const orr_node *n, uint32_t class_, const char *country, orr_where where, double clients, double *placed)
{
    double people = 0;
    for (uint32_t i = 0; i < b->sites.count; i++) {
        const orr_site_info *s = orr_array_at(&b->sites, i);
        people += country == NULL || strcmp(s->country, country) == 0 ? s->population : 0;
    }
    if (people <= 0)
        orr_problem(b->problems, where, "no site%s%s has a population to spread the clients over", country ? " of " : "", country ? country : "");
    for (uint32_t i = 0; i < b->sites.count && people > 0; i++) {
        const orr_site_info *s = orr_array_at(&b->sites, i);
        if (s->population > 0 && (country == NULL || strcmp(s->country, country) == 0))
            add_cohort(b, n, class_, i, clients * s->population / people, placed);
    }
}

/* What policies expect of a replayed class, and how long its requests may become, is read off the trace. */
static void measure_trace(const orr_builder *b, const orr_cohort *k, orr_class *c)
{
    double input = 0, output = 0;
    c->input.most = c->output.most = 0;
    for (uint32_t i = 0; i < k->trace_count; i++) {
        const orr_trace_row *row = orr_array_at(&b->traces, k->trace + i);
        input += row->input;
        output += row->output;
        c->input.most = row->input > c->input.most ? row->input : c->input.most;
        c->output.most = row->output > c->output.most ? row->output : c->output.most;
    }
    c->input.mean = k->trace_count > 0 ? input / k->trace_count : 0;
    c->output.mean = k->trace_count > 0 ? output / k->trace_count : 1;
}

static void place(orr_builder *b, const orr_node *n, uint32_t class_)
{
    const orr_class *c = orr_array_at(&b->classes, class_);
    double population = c->population, placed = 0;
    const orr_node *where = orr_node_get(n, "where");
    uint32_t first = b->cohorts.count;
    if (where == NULL || where->count == 0)
        spread_over_country(b, n, class_, NULL, n->where, population, &placed);
    double shares = 0;
    for (size_t i = 0; where != NULL && i < where->count; i++) {
        const orr_node *w = where->child[i];
        bool site = orr_has(w, "site") && *orr_text(w, "site"), country = orr_has(w, "country") && *orr_text(w, "country");
        double share = orr_number(w, "share");
        shares += share;
        if (site == country) {
            orr_problem(b->problems, w->where, "`where` needs either a `site` or a `country`");
        } else if (site) {
            uint32_t s = orr_find(b, &b->sites, orr_text(w, "site"), "site", orr_where_of(w, "site"));
            if (s != ORR_NONE)
                add_cohort(b, n, class_, s, population * share, &placed);
        } else {
            spread_over_country(b, n, class_, orr_text(w, "country"), orr_where_of(w, "country"), population * share, &placed);
        }
    }
    if (where != NULL && where->count > 0 && fabs(shares - 1) > 1e-6)
        orr_problem(b->problems, orr_where_of(n, "where"), "the shares of `where` add up to %g instead of 1", shares);
    if (!replays(n)) {
        needs(b, n, "replay_speed", "replay");
        needs(b, n, "replay_jitter", "replay");
        return;
    }
    if (b->cohorts.count != first + 1) {
        orr_problem(b->problems, n->where, "a replayed trace needs exactly one site in `where`");
        return;
    }
    orr_cohort *k = orr_array_at(&b->cohorts, first);
    if (!orr_can_read(b, orr_text(n, "replay"), orr_where_of(n, "replay")))
        return;
    k->trace = b->traces.count;
    orr_replay replay = {.speed = orr_has(n, "replay_speed") ? orr_number(n, "replay_speed") : 1, .jitter_ns = orr_has(n, "replay_jitter") ? orr_integer(n, "replay_jitter") : 0, .entity = k->entity};
    k->trace_count = orr_build_trace(b, orr_text(n, "replay"), &replay);
    if (k->requests > k->trace_count)
        k->requests = k->trace_count;
    measure_trace(b, k, orr_array_at(&b->classes, class_));
    if (b->world->scale != 1 || b->world->demand != 1)
        orr_problem(b->problems, orr_where_of(n, "replay"), "a replayed trace cannot be scaled: `%s` must be 1", b->world->scale != 1 ? "scale" : "demand");
}

static bool sees(const orr_builder *b, uint32_t service)
{
    uint32_t model = ((orr_service *)orr_array_at(&b->services, service))->model;
    return model != ORR_NONE && ((orr_model_info *)orr_array_at(&b->models, model))->image_tokens > 0;
}

void orr_build_populations(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "clients");
    if (list == NULL || list->count == 0)
        orr_problem(b->problems, b->root->where, "the scenario has no `clients`");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "class") || !orr_has(n, "service"))
            continue;
        const char *name = orr_text(n, "class");
        if (orr_look_up(&b->classes, name) != ORR_NONE)
            orr_problem(b->problems, orr_where_of(n, "class"), "duplicate class `%s`", name);
        orr_class *c = orr_append(b, &b->classes);
        if (b->out_of_memory)
            return;
        *c = (orr_class){.name = name, .data_class = orr_text(n, "data_class"), .where = n->where};
        c->title = orr_has(n, "title") && *orr_text(n, "title") ? orr_text(n, "title") : name;
        c->service = orr_find(b, &b->services, orr_text(n, "service"), "service", orr_where_of(n, "service"));
        c->population = orr_number(n, "population") * b->world->scale * b->world->demand;
        c->input = lengths(b, n, "input");
        c->output = lengths(b, n, "output");
        c->thinking = lengths(b, n, "thinking");
        c->hidden = orr_integer(orr_node_get(n, "thinking"), "hidden") != 0;
        c->images = lengths(b, n, "images");
        if (c->images.most > 0 && c->service != ORR_NONE && !sees(b, c->service))
            orr_problem(b->problems, orr_where_of(n, "images"), "the model of service `%s` does not look at images: it has no `image_tokens` in the catalogue",
                        ((orr_service *)orr_array_at(&b->services, c->service))->name);
        c->prefix_tokens = (uint32_t)orr_integer(n, "prefix");
        const orr_node *slo = orr_node_get(n, "slo"), *retry = orr_node_get(n, "retry");
        c->slo_first_token_ns = orr_integer(slo, "ttft");
        c->slo_per_token_ns = orr_integer(slo, "tpot");
        c->slo_total_ns = orr_integer(slo, "e2e");
        c->timeout_ns = orr_integer(n, "timeout");
        c->patience_mean_ns = orr_integer(n, "patience") == ORR_NEVER ? INFINITY : (double)orr_integer(n, "patience");
        c->retry_limit = (uint32_t)orr_integer(retry, "limit");
        c->backoff_ns = orr_integer(retry, "backoff");
        c->backoff_most_ns = orr_integer(retry, "most");
        c->backoff_multiplier = orr_number(retry, "multiplier");
        c->backoff_jitter = orr_number(retry, "jitter");
        device_and_access(b, n, c);
        profile(b, n, c);
        follow(b, n, c);
        rate(b, n, c);
        place(b, n, b->classes.count - 1);
    }
}
