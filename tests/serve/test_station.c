/*
 * The promises of station.h. First come first served is held against the recursion of Kiefer and Wolfowitz (Trans. AMS 78, 1955; with
 * one server, Lindley's): a job starts when it has arrived and the first of c servers is free. Processor sharing is held
 * against a fluid simulation in long double.
 *
 * Two stations share the arrays of one site, so that they grow and move among each other.
 */
#include "base/random.h"
#include "base/time.h"
#include "serve/station.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>

enum { JOBS = 150, STATIONS = 2, LOADS = 60 };

typedef struct load {
    int64_t  arrives, work, cancels; /* ns; cancels ORR_NEVER: is not cancelled */
    int64_t  start, end;             /* as the server did it; start -1: was never in service */
    uint32_t station;
} load;

static orr_array   jobs, heaps, events;
static orr_station station[STATIONS];
static load        all[JOBS];
static uint64_t    seed, counter;

static uint32_t below(uint32_t n) { return (uint32_t)orr_random_below(orr_random_bits(seed, ORR_STREAM_TEST, 4, (uint32_t)counter++, 0).low, n); }
static bool     one_in(uint32_t n) { return below(n) == 0; }

static int by_arrival(const void *a, const void *b)
{
    const load *x = a, *y = b;
    return x->arrives < y->arrives ? -1 : x->arrives > y->arrives;
}

/* Short works on a coarse clock give many ties; long ones leave none. */
static void draw_loads(uint64_t number, uint32_t servers, bool cancel)
{
    seed = number;
    counter = 0;
    uint32_t longest = one_in(2) ? 8 : 1000000, gap = (uint32_t)(longest * (0.6 + 0.1 * below(8)) / servers / STATIONS) + 1;
    int64_t at = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        at += below(gap);
        all[i] = (load){.arrives = at, .work = one_in(20) ? 0 : one_in(10) ? 10 * below(longest) : below(longest), .cancels = ORR_NEVER, .start = -1, .end = -1, .station = below(STATIONS)};
        if (cancel && one_in(3))
            all[i].cancels = at + below(3 * longest);
    }
    qsort(all, JOBS, sizeof all[0], by_arrival);
}

static void settle(int64_t now)
{
    for (uint32_t i = 0; i < events.count; i++) {
        orr_job_event e = ((orr_job_event *)events.items)[i];
        ck_assert_int_eq(e.at_ns, now);
        ck_assert_int_eq(all[e.job].end, -1);
        ck_assert(e.outcome == ORR_JOB_DONE || now == all[e.job].cancels);
        if (e.outcome == ORR_JOB_DONE)
            ck_assert_int_eq(orr_job_at(&jobs, e.job)->first_ns, now);
        all[e.job].end = now;
    }
    events.count = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        const orr_job *j = orr_job_at(&jobs, i);
        if (j->state == ORR_JOB_SERVED_AT_STATION && all[i].start < 0)
            all[i].start = j->started_ns;
    }
}

/* What busy_time must be at `now`, from when jobs were in service (first come first served) or present (processor sharing). */
static int64_t busy_until(uint32_t which, uint32_t servers, int64_t now)
{
    int64_t moment[2 * JOBS + 1], sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < JOBS; i++)
        if (all[i].station == which && all[i].start >= 0) {
            moment[n++] = all[i].start;
            moment[n++] = all[i].end >= 0 ? all[i].end : now;
        }
    for (uint32_t i = 0; i < n; i += 2) { /* of n(t) servers' time, what exceeds the servers is taken off below */
        ck_assert_int_le(moment[i], moment[i + 1]);
        sum += (moment[i + 1] < now ? moment[i + 1] : now) - (moment[i] < now ? moment[i] : now);
    }
    for (uint32_t i = 0; i < n; i++) { /* the stretch from moment i to the next moment after it */
        int64_t next = now;
        uint32_t present = 0;
        bool seen = false;
        for (uint32_t k = 0; k < n; k++) {
            next = moment[k] > moment[i] && moment[k] < next ? moment[k] : next;
            seen |= k < i && moment[k] == moment[i];
        }
        for (uint32_t k = 0; k < n; k += 2)
            present += moment[k] <= moment[i] && moment[k + 1] > moment[i];
        if (!seen && present > servers && moment[i] < now)
            sum -= (next - moment[i]) * (int64_t)(present - servers);
    }
    return sum;
}

/* Runs `all`; at one nanosecond the station is due before or after what else happens. */
static void run(uint32_t servers, orr_discipline discipline, bool due_first)
{
    orr_station_site site = {&jobs, &heaps, &events};
    bool arrived[JOBS] = {false}, cancelled[JOBS] = {false};
    ck_assert(orr_array_extend(&jobs, JOBS));
    for (uint32_t s = 0; s < STATIONS; s++)
        orr_station_start(&station[s], servers, discipline);
    for (;;) {
        int64_t next = ORR_NEVER, due = ORR_NEVER;
        uint32_t who = 0, which = 0;
        bool cancel = false;
        for (uint32_t s = 0; s < STATIONS; s++)
            if (station[s].due_ns < due)
                due = station[which = s].due_ns;
        for (uint32_t i = 0; i < JOBS; i++) {
            if (!arrived[i] && all[i].arrives < next)
                next = all[who = i].arrives, cancel = false;
            if (arrived[i] && !cancelled[i] && all[i].end < 0 && all[i].cancels < next)
                next = all[who = i].cancels, cancel = true;
        }
        if (next == ORR_NEVER && due == ORR_NEVER)
            break;
        if (due < next || (due == next && due_first)) {
            ck_assert(orr_station_due(&station[which], &site, due));
            settle(due);
            continue;
        }
        orr_station *s = &station[all[who].station];
        if (cancel) {
            cancelled[who] = true;
            ck_assert(orr_station_cancel(s, &site, who, next));
        } else {
            arrived[who] = true;
            *orr_job_at(&jobs, who) = (orr_job){.work_ns = all[who].work, .arrived_ns = next};
            ck_assert(orr_station_arrive(s, &site, who, next));
        }
        settle(next);
        uint32_t present = 0;
        for (uint32_t i = 0; i < JOBS; i++)
            present += arrived[i] && all[i].end < 0 && all[i].station == all[who].station;
        ck_assert_uint_eq(orr_station_present(s), present);
        if (one_in(10)) {
            orr_station_account(s, next);
            ck_assert_int_eq(s->busy_time, busy_until(all[who].station, servers, next));
        }
    }
    for (uint32_t s = 0; s < STATIONS; s++) {
        ck_assert_uint_eq(orr_station_present(&station[s]), 0);
        ck_assert_int_eq(station[s].busy_time, busy_until(s, servers, ORR_NEVER - 1));
    }
}

static void open_site(void)
{
    orr_array_init(&jobs, sizeof(orr_job));
    orr_array_init(&heaps, sizeof(orr_station_entry));
    orr_array_init(&events, sizeof(orr_job_event));
}

static void close_site(void)
{
    orr_array_clear(&jobs);
    orr_array_clear(&heaps);
    orr_array_clear(&events);
}

static void check_fifo(uint32_t servers)
{
    for (uint32_t s = 0; s < STATIONS; s++) {
        int64_t free[16] = {0};
        for (uint32_t i = 0; i < JOBS; i++) {
            if (all[i].station != s)
                continue;
            uint32_t first = 0;
            for (uint32_t k = 1; k < servers; k++)
                first = free[k] < free[first] ? k : first;
            int64_t start = all[i].arrives > free[first] ? all[i].arrives : free[first], end = start + all[i].work;
            if (all[i].cancels <= start) {
                ck_assert_int_eq(all[i].end, end < all[i].cancels ? end : all[i].cancels);
                continue;
            }
            ck_assert_int_eq(all[i].start, start);
            ck_assert_int_eq(all[i].end, end < all[i].cancels ? end : all[i].cancels);
            free[first] = all[i].end;
        }
    }
}

static const uint32_t server_counts[] = {1, 3, 10};

START_TEST(first_come_first_served_follows_the_recursion_exactly)
{
    for (uint64_t number = 1; number <= LOADS; number++) {
        uint32_t servers = server_counts[number % 3];
        draw_loads(number, servers, number % 4 == 0);
        open_site();
        run(servers, ORR_FIFO, number % 2 == 0);
        check_fifo(servers);
        close_site();
    }
}
END_TEST

/* Each of n jobs has the rate min(1, c/n). Cancelled ones are out at their moment. */
static void fluid(uint32_t which, uint32_t servers, long double *end)
{
    long double left[JOBS], now = 0;
    bool here[JOBS] = {false}, over[JOBS] = {false};
    for (;;) {
        long double rate, next = INFINITY;
        uint32_t n = 0, who = JOBS;
        for (uint32_t i = 0; i < JOBS; i++)
            n += here[i];
        rate = n <= servers ? 1 : (long double)servers / n;
        for (uint32_t i = 0; i < JOBS; i++) {
            if (all[i].station != which || over[i])
                continue;
            long double at = here[i] ? fminl(now + left[i] / rate, all[i].cancels == ORR_NEVER ? INFINITY : (long double)all[i].cancels) : (long double)all[i].arrives;
            if (at < next)
                next = at, who = i;
        }
        if (who == JOBS)
            return;
        for (uint32_t i = 0; i < JOBS; i++)
            if (here[i])
                left[i] = fmaxl(0, left[i] - (next - now) * rate);
        now = next;
        if (here[who]) {
            here[who] = false;
            over[who] = true;
            end[who] = now;
        } else {
            here[who] = true;
            left[who] = (long double)all[who].work;
        }
    }
}

START_TEST(processor_sharing_is_within_two_nanoseconds_of_the_fluid)
{
    static long double end[JOBS];
    for (uint64_t number = 1; number <= LOADS; number++) {
        uint32_t servers = server_counts[number % 3];
        draw_loads(number, servers, number % 4 == 0);
        open_site();
        run(servers, ORR_PROCESSOR_SHARING, number % 2 == 0);
        for (uint32_t s = 0; s < STATIONS; s++)
            fluid(s, servers, end);
        for (uint32_t i = 0; i < JOBS; i++) {
            ck_assert_int_eq(all[i].start, all[i].arrives);
            ck_assert_msg(fabsl((long double)all[i].end - end[i]) <= 2, "load %lu, job %u: %ld, not %.3Lf", (unsigned long)number, i, (long)all[i].end, end[i]);
        }
        close_site();
    }
}
END_TEST

START_TEST(equal_jobs_that_share_end_together)
{
    orr_station_site site = {&jobs, &heaps, &events};
    open_site();
    ck_assert(orr_array_extend(&jobs, 30));
    orr_station_start(&station[0], 10, ORR_PROCESSOR_SHARING);
    ck_assert_int_eq(station[0].due_ns, ORR_NEVER);
    for (uint32_t i = 0; i < 30; i++) {
        orr_job_at(&jobs, i)->work_ns = 1000;
        ck_assert(orr_station_arrive(&station[0], &site, i, 7));
        ck_assert_int_eq(station[0].due_ns, 7 + (i < 10 ? 1000 : (1000 * (i + 1) + 9) / 10));
    }
    ck_assert(orr_station_due(&station[0], &site, 3007));
    ck_assert_uint_eq(events.count, 30);
    for (uint32_t i = 0; i < 30; i++) /* and are told in the order in which they began */
        ck_assert_uint_eq(((orr_job_event *)events.items)[i].job, i);
    ck_assert_int_eq(station[0].busy_time, 30000);
    ck_assert_int_eq(station[0].due_ns, ORR_NEVER);
    close_site();
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, first_come_first_served_follows_the_recursion_exactly);
    tcase_add_test(promises, processor_sharing_is_within_two_nanoseconds_of_the_fluid);
    tcase_add_test(promises, equal_jobs_that_share_end_together);
    return run_as_tap("station", promises);
}
