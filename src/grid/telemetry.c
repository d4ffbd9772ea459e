#include "grid/server.h"

#include "base/random.h"
#include "base/time.h"

#include <stdlib.h>

/* LOOK_BACK: of reports that get lost, an observer looks for one that was not among so many; MOST_LOST: an own decision is remembered until so
 * many have been; OUT_OF_SERVICE: requests per place that a pool reports of which no replica takes any. */
enum { REPORT_ROWS = 1000, LOOK_BACK = 1024, MOST_LOST = 4096, OUT_OF_SERVICE = 1000000 };

static bool by_message(const orr_grid *g) { return g->world->telemetry_period_ns == 0; }

/* Reports by message need a place to come to; from boards a policy may read single rows. */
static bool keeps_columns(const orr_grid *g) { return by_message(g) || !orr_host_looks(&g->host); }

static bool observes(const orr_grid *g, const orr_site *observer, uint32_t compute)
{
    return g->observes[(size_t)g->world->sites[observer->id].ingress * g->world->compute_count + compute];
}

static int64_t delay_of(const orr_grid *g, const orr_site *observer, uint32_t serving) { return g->world->telemetry_delay_ns + orr_grid_delay(g, observer->id, serving); }

/* a * b + c, or ORR_NEVER if that is beyond all time. */
static int64_t saturated(int64_t a, int64_t b, int64_t c)
{
    int64_t product, sum;
    return __builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum) ? ORR_NEVER : sum;
}

/* Until when a report cannot have reached the observer: it is known to whoever decides later. */
static int64_t unknown_until(const orr_grid *g, const orr_site *observer, uint32_t serving, int64_t report)
{
    return saturated(report, g->world->telemetry_period_ns, delay_of(g, observer, serving));
}

static bool is_lost(const orr_grid *g, const orr_site *observer, uint32_t serving, int64_t report, uint32_t part)
{
    const orr_world *w = g->world;
    if (w->telemetry_loss <= 0)
        return false;
    uint64_t pair = orr_entity_part(w->sites[serving].entity, w->sites[observer->id].entity);
    return orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_TELEMETRY, pair, (uint32_t)report, part).low) < w->telemetry_loss;
}

/* The newest report of a site that has reached the observer before `now`; -1: none. Reports bear the number of their period. */
static int64_t newest_sent(const orr_grid *g, const orr_site *observer, uint32_t serving, int64_t now)
{
    int64_t since = now - 1 - delay_of(g, observer, serving);
    return since < 0 ? -1 : since / g->world->telemetry_period_ns;
}

/* The same of those that were not lost, `known` being one that was not, or -1. */
static int64_t newest_heard(const orr_grid *g, const orr_site *observer, uint32_t serving, int64_t now, int64_t known)
{
    int64_t report = newest_sent(g, observer, serving, now), least = report - LOOK_BACK > known ? report - LOOK_BACK : known;
    while (report > least && is_lost(g, observer, serving, report, 0))
        report--;
    return report > least ? report : known;
}

static orr_heard *heard_of(const orr_grid *g, const orr_site *observer, uint32_t serving)
{
    const orr_world *w = g->world;
    return &g->heard[(size_t)w->sites[observer->id].ingress * w->compute_count + w->sites[serving].compute];
}

/* The same of the newest that is known now: what was found out last stays true until the next report can have come. */
static int64_t newest_known(const orr_grid *g, const orr_site *observer, uint32_t serving, int64_t now)
{
    orr_heard *known = heard_of(g, observer, serving);
    if (now < known->until_ns)
        return known->report;
    int64_t sent = newest_sent(g, observer, serving, now), next = unknown_until(g, observer, serving, sent + 1);
    bool arrived = known->asked == sent + 1 && known->lost == 0; /* own decisions have asked already */
    known->report = arrived ? sent : newest_heard(g, observer, serving, now, -1);
    known->until_ns = next < ORR_NEVER ? next + 1 : next;
    return known->report;
}

static const orr_report_row *on_board(const orr_grid *g, uint32_t serving, int64_t report)
{
    const orr_site *s = &g->sites[serving];
    return (const orr_report_row *)s->board.items + (size_t)((uint64_t)report & (s->board_slots - 1)) * s->pools.count;
}

bool orr_telemetry_open_view(orr_grid *g, orr_site *o)
{
    const orr_world *w = g->world;
    orr_array *const columns[] = {&o->as_of, &o->running, &o->waiting, &o->kv_used, &o->token, &o->wait, &o->shown};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    if (by_message(g) && o->as_of.count > 0)
        return true;
    for (size_t i = 0; i < COLUMNS; i++) {
        orr_array_clear(columns[i]);
        if (keeps_columns(g) && !orr_array_extend(columns[i], i + 1 < COLUMNS ? w->pool_count : w->compute_count))
            return false;
    }
    for (uint32_t i = 0; i < o->as_of.count; i++)
        ((int64_t *)o->as_of.items)[i] = -1;
    for (uint32_t i = 0; i < o->shown.count; i++)
        ((orr_shown *)o->shown.items)[i] = (orr_shown){.report = -1, .until_ns = observes(g, o, i) ? 0 : ORR_NEVER};
    return (o->own.count > 0 || orr_array_extend(&o->own, w->pool_count)) && (!by_message(g) || orr_array_extend(&o->sent, w->pool_count));
}

/* How many reports a board must hold: those under way to the farthest observer, twice because another lane may be one window ahead, and
 * no more than there are. */
static uint64_t slots_needed(const orr_grid *g, const orr_site *s)
{
    const orr_world *w = g->world;
    int64_t longest = 0;
    for (uint32_t o = 0; o < w->ingress_count; o++) {
        int64_t delay = orr_grid_delay(g, w->ingress_sites[o], s->id);
        longest = delay > longest ? delay : longest;
    }
    uint64_t needed = (uint64_t)(saturated(2, longest, w->telemetry_delay_ns) / w->telemetry_period_ns) + 4, slots = 4;
    needed += w->telemetry_loss > 0 ? LOOK_BACK : 0;
    uint64_t ever = (uint64_t)(w->duration_ns / w->telemetry_period_ns) + 2;
    while (slots < needed && slots < ever)
        slots *= 2;
    return slots;
}

void orr_telemetry_size_board(const orr_grid *g, orr_site *s) { s->board_slots = by_message(g) ? 0 : slots_needed(g, s); }

bool orr_telemetry_sound(const orr_site *s) { return s->board.count == s->board_slots * s->pools.count; }

bool orr_telemetry_open_board(const orr_grid *g, orr_site *s)
{
    if (orr_host_sees_truth(&g->host) && !orr_array_extend(&s->under_way, s->pools.count))
        return false;
    if (by_message(g))
        return orr_array_extend(&s->received, (size_t)s->pools.count * (g->world->ingress_count + 1)) != NULL;
    return orr_array_extend(&s->board, s->board_slots * s->pools.count) != NULL;
}

static void fill_row(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t place, orr_report_row *row)
{
    const orr_world *w = g->world;
    uint32_t pool = w->site_pools[w->site_pool_start[s->id] + place];
    const orr_pool *p = &w->pools[pool];
    const orr_pool_state *state = orr_array_at(&s->pools, place);
    bool llm = w->services[p->service].kind == ORR_SERVICE_LLM;
    uint64_t running = 0, waiting = 0, kv = 0, busy = 0, places = llm ? p->max_batch : p->servers;
    bool taken = false; /* whether any replica takes requests */
    int64_t token = 0, now = orr_now(lane);
    const uint32_t *present = (uint32_t *)s->present.items + orr_place_of(s, llm, state->first);
    for (uint32_t k = 0; k < p->replicas; k++) {
        if (present[k] >= ORR_AWAY) { /* takes nothing now: as good as full, and as many waiting; those without accelerators are not counted */
            bool there = ((orr_replica *)s->replicas.items)[orr_place_of(s, llm, state->first) + k].state != ORR_REPLICA_OFF;
            running += there ? places : 0;
            waiting += there ? places : 0;
            continue;
        }
        taken = true;
        if (llm) {
            const orr_llm *l = (orr_llm *)s->llms.items + state->first + k;
            orr_server_catch_up(g, lane, s, state->first + k, now);
            running += l->decoding + l->prompts.count;
            waiting += l->waiting.count;
            kv += (uint64_t)orr_llm_kv_used(l, &g->kinds[pool], now);
            int64_t t = orr_llm_token_ns(l);
            token += t;
            busy += t > 0;
        } else {
            const orr_station *st = (orr_station *)s->stations.items + state->first + k;
            running += st->discipline == ORR_FIFO || st->busy < st->servers ? st->busy : st->servers;
            waiting += st->discipline == ORR_FIFO ? st->waiting.count : (st->busy > st->servers ? st->busy - st->servers : 0);
        }
    }
    *row = (orr_report_row){.pool = pool, .running = (uint32_t)running, .waiting = (uint32_t)waiting, .token_ns = busy > 0 ? token / (int64_t)busy : 0};
    uint64_t there = state->counts.held > 0 ? state->counts.held : 1, slots = there * places;
    if (p->kv_tokens > 0)
        row->kv_used_ppm = (uint32_t)(kv * 1000000 / ((uint64_t)p->kv_tokens * there));
    if (running + waiting >= slots)
        row->wait_ns = (int64_t)((running + waiting - slots + 1) * (uint64_t)state->counts.service_mean_ns / slots);
    if (!taken) { /* worse than any queue elsewhere: what is reported as full would be chosen as soon as all others are fuller */
        uint64_t most = OUT_OF_SERVICE * (uint64_t)p->replicas * places;
        row->waiting = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
        row->wait_ns = saturated(OUT_OF_SERVICE, state->counts.service_mean_ns, 0);
    }
}

/* Tells every observer of rows `first` and following, by message. */
static void send_rows(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t first, uint32_t count)
{
    const orr_world *w = g->world;
    struct {
        int64_t        as_of;
        orr_report_row row[REPORT_ROWS];
    } report; /* filled as far as it is sent */
    report.as_of = orr_now(lane);
    static_assert(sizeof report <= ORR_MESSAGE_LONGEST, "a report must fit into a message");
    for (uint32_t i = 0; i < count; i++)
        fill_row(g, lane, s, first + i, &report.row[i]);
    for (uint32_t o = 0; o < w->ingress_count; o++) {
        const orr_site *observer = &g->sites[w->ingress_sites[o]];
        if (!observes(g, observer, w->sites[s->id].compute) || is_lost(g, observer, s->id, (int64_t)s->reports, first))
            continue;
        for (uint32_t i = 0; i < count; i++)
            report.row[i].received = ((uint32_t *)s->received.items)[(first + i) * (w->ingress_count + 1) + o];
        orr_send(lane, s->id, observer->id, ORR_MESSAGE_REPORT, &report, (uint32_t)(sizeof report.as_of + count * sizeof report.row[0]), orr_now(lane) + delay_of(g, observer, s->id));
    }
}

void orr_telemetry_start(orr_grid *g, orr_lane *lane, orr_site *s)
{
    if (!by_message(g))
        orr_timer(lane, s->id, ORR_TIMER_REPORT, 0, 0);
}

void orr_telemetry_report(orr_grid *g, orr_lane *lane, orr_site *s)
{
    orr_report_row *row = (orr_report_row *)on_board(g, s->id, (int64_t)s->reports);
    for (uint32_t i = 0; i < s->pools.count; i++)
        fill_row(g, lane, s, i, &row[i]);
    s->reports++;
    if (g->world->telemetry_period_ns != ORR_NEVER)
        orr_timer(lane, s->id, ORR_TIMER_REPORT, 0, (int64_t)s->reports * g->world->telemetry_period_ns);
}

/* Requests under way to a pool, NULL where nobody asks. (After a branch from another policy those sent before it are not known.) */
static uint32_t *under_way_to(orr_grid *g, uint32_t pool)
{
    orr_array *counts = &g->sites[g->world->pools[pool].site].under_way;
    return orr_host_sees_truth(&g->host) && counts->count > 0 ? (uint32_t *)counts->items + g->place[pool] : NULL;
}

void orr_telemetry_arrived(orr_grid *g, orr_site *s, uint32_t pool, uint32_t source)
{
    uint32_t *under_way = under_way_to(g, pool);
    if (under_way != NULL)
        *under_way -= *under_way > 0;
    if (by_message(g))
        ((uint32_t *)s->received.items)[g->place[pool] * (g->world->ingress_count + 1) + g->world->sites[source].ingress]++;
}

void orr_telemetry_changed(orr_grid *g, orr_lane *lane, orr_site *s, uint32_t pool)
{
    if (!by_message(g))
        return;
    send_rows(g, lane, s, g->place[pool], 1);
    s->reports++;
}

static void show(orr_site *o, const orr_report_row *row, int64_t as_of)
{
    uint32_t p = row->pool;
    ((int64_t *)o->as_of.items)[p] = as_of;
    ((uint32_t *)o->running.items)[p] = row->running;
    ((uint32_t *)o->waiting.items)[p] = row->waiting;
    ((uint32_t *)o->kv_used.items)[p] = row->kv_used_ppm;
    ((int64_t *)o->token.items)[p] = row->token_ns;
    ((int64_t *)o->wait.items)[p] = row->wait_ns;
}

void orr_telemetry_receive(orr_site *o, const void *payload, uint32_t length)
{
    const int64_t *as_of = payload;
    const orr_report_row *row = (const orr_report_row *)(as_of + 1);
    uint32_t count = (length - (uint32_t)sizeof *as_of) / (uint32_t)sizeof *row;
    for (uint32_t i = 0; i < count; i++) {
        if (((int64_t *)o->as_of.items)[row[i].pool] > *as_of) /* an older report that was overtaken */
            continue;
        show(o, &row[i], *as_of);
        ((uint32_t *)o->own.items)[row[i].pool] = ((uint32_t *)o->sent.items)[row[i].pool] - row[i].received;
    }
}

/* The earliest of the own decisions that are remembered lies on top: a binary heap by time. */
static bool remember(orr_site *o, orr_unheard entry)
{
    if (orr_array_extend(&o->unheard, 1) == NULL)
        return false;
    orr_unheard *h = o->unheard.items;
    uint32_t hole = o->unheard.count - 1;
    for (; hole > 0 && h[(hole - 1) / 2].until_ns > entry.until_ns; hole = (hole - 1) / 2)
        h[hole] = h[(hole - 1) / 2];
    h[hole] = entry;
    return true;
}

static void forget_first(orr_site *o)
{
    orr_unheard *h = o->unheard.items, last = h[--o->unheard.count];
    uint32_t hole = 0, count = o->unheard.count;
    for (uint32_t child; (child = 2 * hole + 1) < count; hole = child) {
        child += child + 1 < count && h[child + 1].until_ns < h[child].until_ns;
        if (h[child].until_ns >= last.until_ns)
            break;
        h[hole] = h[child];
    }
    h[hole] = last;
}

/* Copies the newest report of a site into the columns, if there is one that they do not hold. */
static void refresh_site(orr_grid *g, orr_site *o, uint32_t compute, int64_t now)
{
    orr_shown *shown = orr_array_at(&o->shown, compute);
    uint32_t serving = g->world->compute_sites[compute];
    int64_t report = newest_heard(g, o, serving, now, shown->report);
    if (report > shown->report) {
        const orr_report_row *row = on_board(g, serving, report);
        for (uint32_t i = 0; i < g->sites[serving].pools.count; i++)
            show(o, &row[i], report * g->world->telemetry_period_ns);
        shown->report = report;
    }
    shown->until_ns = unknown_until(g, o, serving, newest_sent(g, o, serving, now) + 1);
}

void orr_telemetry_refresh(orr_grid *g, orr_site *o, int64_t now)
{
    while (o->unheard.count > 0 && ((orr_unheard *)o->unheard.items)[0].until_ns < now) {
        ((uint32_t *)o->own.items)[((orr_unheard *)o->unheard.items)[0].row]--;
        forget_first(o);
    }
    if (by_message(g))
        return;
    for (uint32_t c = 0; c < o->shown.count; c++)
        if (((orr_shown *)o->shown.items)[c].until_ns < now)
            refresh_site(g, o, c, now);
}

/* What only an oracle can know: the state of the pool itself, now. */
static orr_policy_row truth(orr_grid *g, uint32_t row, int64_t now)
{
    uint32_t serving = g->world->pools[row].site;
    const uint32_t *under_way = under_way_to(g, row);
    orr_report_row r;
    fill_row(g, orr_engine_lane_of(g->engine, serving), &g->sites[serving], g->place[row], &r);
    return (orr_policy_row){.as_of_ns = now, .running = r.running, .waiting = r.waiting + (under_way != NULL ? *under_way : 0), .kv_used_ppm = r.kv_used_ppm, .token_ns = r.token_ns, .wait_ns = r.wait_ns};
}

orr_policy_row orr_telemetry_look(orr_grid *g, const orr_site *o, uint32_t row, int64_t now)
{
    if (orr_host_sees_truth(&g->host))
        return truth(g, row, now);
    orr_policy_row seen = {.as_of_ns = -1, .own = g->world->own_decisions ? ((uint32_t *)o->own.items)[row] : 0};
    if (o->as_of.count > 0) {
        seen.as_of_ns = ((int64_t *)o->as_of.items)[row];
        seen.running = ((uint32_t *)o->running.items)[row];
        seen.waiting = ((uint32_t *)o->waiting.items)[row];
        seen.kv_used_ppm = ((uint32_t *)o->kv_used.items)[row];
        seen.token_ns = ((int64_t *)o->token.items)[row];
        seen.wait_ns = ((int64_t *)o->wait.items)[row];
        return seen;
    }
    uint32_t serving = g->world->pools[row].site;
    if (!observes(g, o, g->world->sites[serving].compute))
        return seen;
    int64_t report = newest_known(g, o, serving, now);
    if (report >= 0) {
        const orr_report_row *r = on_board(g, serving, report) + g->place[row];
        seen.as_of_ns = report * g->world->telemetry_period_ns;
        seen.running = r->running;
        seen.waiting = r->waiting;
        seen.kv_used_ppm = r->kv_used_ppm;
        seen.token_ns = r->token_ns;
        seen.wait_ns = r->wait_ns;
    }
    return seen;
}

/* The first report that counts a request which is sent now. One of the very nanosecond in which the request arrives does if the event of
 * its arrival is the earlier one: events of a moment are in the order of their origins, those of one site in that in which they were set. */
static int64_t first_counting(const orr_grid *g, const orr_site *o, uint32_t serving, int64_t now, int64_t arrives)
{
    int64_t period = g->world->telemetry_period_ns, report = arrives / period;
    if (arrives % period != 0)
        return report + 1;
    uint32_t from = g->world->sites[o->id].origin, to = g->world->sites[serving].origin;
    bool earlier = o->id == serving ? report > 0 && now < (report - 1) * period : from < to;
    return earlier ? report : report + 1;
}

/* How many reports are lost in a row, from this one on. Most requests of one period ask the same. */
static uint32_t lost_from(const orr_grid *g, const orr_site *o, uint32_t serving, int64_t report)
{
    orr_heard *h = heard_of(g, o, serving);
    if (h->asked == report + 1)
        return h->lost;
    uint32_t lost = 0;
    while (lost < MOST_LOST && is_lost(g, o, serving, report + lost, 0))
        lost++;
    h->asked = report + 1;
    h->lost = lost;
    return lost;
}

void orr_telemetry_sent(orr_grid *g, orr_lane *lane, orr_site *o, uint32_t row, int64_t arrives)
{
    const orr_world *w = g->world;
    uint32_t *under_way = under_way_to(g, row);
    if (under_way != NULL)
        ++*under_way;
    if (!w->own_decisions)
        return;
    ((uint32_t *)o->own.items)[row]++;
    if (by_message(g)) {
        ((uint32_t *)o->sent.items)[row]++;
        return;
    }
    uint32_t serving = w->pools[row].site;
    int64_t report = first_counting(g, o, serving, orr_now(lane), arrives);
    orr_unheard entry = {.until_ns = unknown_until(g, o, serving, report + lost_from(g, o, serving, report)), .row = row};
    if (entry.until_ns != ORR_NEVER && !remember(o, entry))
        orr_fail(lane, ORR_NO_MEMORY);
}
