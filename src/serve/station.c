#include "serve/station.h"

#include "base/time.h"

void orr_station_start(orr_station *s, uint32_t servers, orr_discipline discipline)
{
    *s = (orr_station){.servers = servers, .discipline = discipline, .due_ns = ORR_NEVER};
}

static bool tell(const orr_station_site *site, uint32_t job, orr_outcome outcome, int64_t at_ns)
{
    orr_job_event *e = orr_array_append(site->events);
    if (e == NULL)
        return false;
    *e = (orr_job_event){.job = job, .outcome = outcome, .at_ns = at_ns};
    return true;
}

static bool before(const orr_station_entry *a, const orr_station_entry *b) { return a->at < b->at || (a->at == b->at && a->order < b->order); }

static orr_station_entry *heap_of(const orr_station *s, const orr_station_site *site) { return (orr_station_entry *)site->heaps->items + s->heap; }

static void sift_up(orr_station_entry *h, uint32_t hole, orr_station_entry e)
{
    while (hole > 0 && before(&e, &h[(hole - 1) / 2])) {
        h[hole] = h[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    h[hole] = e;
}

/* Makes room for one more; a station that outgrows its run moves to the end of the array with twice the room. */
static bool heap_room(orr_station *s, const orr_station_site *site)
{
    if (s->busy < s->heap_capacity)
        return true;
    uint32_t capacity = s->heap_capacity < 4 ? 8 : 2 * s->heap_capacity, start = site->heaps->count;
    if (orr_array_extend(site->heaps, capacity) == NULL)
        return false;
    orr_station_entry *all = site->heaps->items;
    for (uint32_t i = 0; i < s->busy; i++)
        all[start + i] = all[s->heap + i];
    s->heap = start;
    s->heap_capacity = capacity;
    return true;
}

static void heap_remove(orr_station *s, const orr_station_site *site, uint32_t hole)
{
    orr_station_entry *h = heap_of(s, site), last = h[--s->busy];
    if (hole == s->busy)
        return;
    for (uint32_t child; (child = 2 * hole + 1) < s->busy; hole = child) {
        if (child + 1 < s->busy && before(&h[child + 1], &h[child]))
            child++;
        if (!before(&h[child], &last))
            break;
        h[hole] = h[child];
    }
    sift_up(h, hole, last);
}

static uint32_t serving(const orr_station *s) { return s->busy < s->servers ? s->busy : s->servers; }

/* Processor sharing: each of n jobs has received min(1, c/n) of the time. */
static void advance(orr_station *s, unsigned __int128 to)
{
    if (s->busy > 0)
        s->virtual_time += (to - s->advanced) * serving(s) / s->busy;
    s->advanced = to;
}

/* When the first of the sharing jobs will be done if nothing changes, 2^-20 ns. */
static unsigned __int128 first_departure(const orr_station *s, const orr_station_entry *first)
{
    unsigned __int128 left = first->at > s->virtual_time ? first->at - s->virtual_time : 0;
    return s->advanced + (left * s->busy + serving(s) - 1) / serving(s);
}

/* Brings the sharing jobs to `now_ns`: each that is done by then leaves at its own moment and is told at `now_ns`. */
static bool share(orr_station *s, const orr_station_site *site, int64_t now_ns)
{
    bool ok = true;
    unsigned __int128 now = (unsigned __int128)now_ns << ORR_VIRTUAL_BITS;
    while (s->busy > 0) {
        orr_station_entry first = *heap_of(s, site);
        unsigned __int128 at = first_departure(s, &first);
        if (at > now)
            break;
        s->virtual_time = first.at > s->virtual_time ? first.at : s->virtual_time;
        s->advanced = at;
        heap_remove(s, site, 0);
        orr_job_at(site->jobs, first.job)->first_ns = now_ns;
        ok &= tell(site, first.job, ORR_JOB_DONE, now_ns);
    }
    advance(s, now);
    return ok;
}

static void set_due(orr_station *s, const orr_station_site *site)
{
    if (s->busy == 0) {
        s->due_ns = ORR_NEVER;
        s->virtual_time = 0;
        return;
    }
    const orr_station_entry *first = heap_of(s, site);
    if (s->discipline == ORR_FIFO) {
        s->due_ns = (int64_t)first->at;
        return;
    }
    s->due_ns = (int64_t)((first_departure(s, first) + (1 << ORR_VIRTUAL_BITS) - 1) >> ORR_VIRTUAL_BITS);
}

static bool begin(orr_station *s, const orr_station_site *site, uint32_t job, int64_t now_ns)
{
    if (!heap_room(s, site))
        return false;
    orr_job *j = orr_job_at(site->jobs, job);
    j->state = ORR_JOB_SERVED_AT_STATION;
    j->started_ns = now_ns;
    unsigned __int128 at = s->discipline == ORR_FIFO ? (unsigned __int128)(now_ns + j->work_ns)
                                                     : s->virtual_time + ((unsigned __int128)j->work_ns << ORR_VIRTUAL_BITS);
    sift_up(heap_of(s, site), s->busy, (orr_station_entry){.at = at, .order = s->order++, .job = job});
    s->busy++;
    return true;
}

void orr_station_account(orr_station *s, int64_t now_ns)
{
    s->busy_time += (now_ns - s->accounted_ns) * serving(s);
    s->accounted_ns = now_ns;
}

bool orr_station_arrive(orr_station *s, const orr_station_site *site, uint32_t job, int64_t now_ns)
{
    orr_station_account(s, now_ns);
    if (s->discipline == ORR_FIFO && s->busy == s->servers) {
        orr_job_at(site->jobs, job)->state = ORR_JOB_WAITING;
        orr_job_enqueue(site->jobs, &s->waiting, job);
        return true;
    }
    bool ok = s->discipline == ORR_FIFO || share(s, site, now_ns);
    ok &= begin(s, site, job, now_ns);
    set_due(s, site);
    return ok;
}

/* First come first served: who is done makes way for the next. */
static bool serve(orr_station *s, const orr_station_site *site, int64_t now_ns)
{
    bool ok = true;
    while (s->busy > 0 && (int64_t)heap_of(s, site)->at <= now_ns) {
        uint32_t job = heap_of(s, site)->job;
        heap_remove(s, site, 0);
        orr_job_at(site->jobs, job)->first_ns = now_ns;
        ok &= tell(site, job, ORR_JOB_DONE, now_ns);
        if (s->waiting.count > 0)
            ok &= begin(s, site, orr_job_dequeue(site->jobs, &s->waiting), now_ns);
    }
    return ok;
}

bool orr_station_due(orr_station *s, const orr_station_site *site, int64_t now_ns)
{
    orr_station_account(s, now_ns);
    bool ok = s->discipline == ORR_FIFO ? serve(s, site, now_ns) : share(s, site, now_ns);
    set_due(s, site);
    return ok;
}

bool orr_station_cancel(orr_station *s, const orr_station_site *site, uint32_t job, int64_t now_ns)
{
    bool ok = true;
    orr_job *j = orr_job_at(site->jobs, job);
    orr_station_account(s, now_ns);
    if (j->state == ORR_JOB_WAITING) {
        orr_job_remove(site->jobs, &s->waiting, job);
        return tell(site, job, ORR_JOB_CANCELLED, now_ns);
    }
    if (s->discipline == ORR_PROCESSOR_SHARING)
        ok &= share(s, site, now_ns);
    const orr_station_entry *h = heap_of(s, site);
    uint32_t at = 0;
    while (at < s->busy && h[at].job != job)
        at++;
    if (at < s->busy) { /* else it was done just now */
        heap_remove(s, site, at);
        ok &= tell(site, job, ORR_JOB_CANCELLED, now_ns);
        if (s->waiting.count > 0)
            ok &= begin(s, site, orr_job_dequeue(site->jobs, &s->waiting), now_ns);
    }
    set_due(s, site);
    return ok;
}

bool orr_station_stop(orr_station *s, const orr_station_site *site, int64_t now_ns)
{
    bool ok = orr_station_due(s, site, now_ns); /* who is done now is done */
    for (; s->busy > 0; s->busy--)
        ok &= tell(site, heap_of(s, site)[s->busy - 1].job, ORR_JOB_CANCELLED, now_ns);
    while (s->waiting.count > 0)
        ok &= tell(site, orr_job_dequeue(site->jobs, &s->waiting), ORR_JOB_CANCELLED, now_ns);
    set_due(s, site);
    return ok;
}
