/*
 * The promises of engine.h, mostly on one model: PHOLD (Fujimoto, 1990) made mean. Forty processes answer whatever reaches them with
 * timers (also for the same nanosecond), messages to themselves and messages to others that often take exactly the lookahead, so
 * that equal times abound. Each process keeps a hash over all that it has seen, in order: two runs agree when all hashes do.
 */
#include "base/random.h"
#include "base/time.h"
#include "engine/engine.h"

#include "support/tap.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PROCESSES = 40, LOOKAHEAD = 100, UNTIL = 12000, SEED = 5 };

/** What a process is. Plain data. */
typedef struct process {
    uint64_t log, events;
    uint32_t draws, sent, received, padding;
    uint64_t sent_bytes, received_bytes;
    orr_timer_id cancellable[2]; /* set last, and perhaps over */
    uint64_t cancelled, too_late;
} process;

typedef struct phold {
    process  at[PROCESSES];
    uint32_t processes, longest; /* longest payload */
    bool     unsound;            /* a message was not as it must be */
} phold;

static uint32_t draw(phold *m, uint32_t p, uint32_t below)
{
    return (uint32_t)orr_random_below(orr_random_bits(SEED, ORR_STREAM_TEST, p, m->at[p].draws++, 0).low, below);
}

static void fold(process *p, const void *bytes, size_t length) { p->log = XXH64(bytes, length, p->log); }

static void send_something(phold *m, orr_lane *lane, uint32_t p)
{
    static char payload[ORR_MESSAGE_LONGEST];
    static const uint32_t lengths[] = {0, 1, 7, 8, 9, 39, 40, 41, 100, 1000};
    uint32_t to = draw(m, p, m->processes), length = lengths[draw(m, p, 10)];
    if (draw(m, p, 200) == 0)
        length = m->longest - draw(m, p, 2);
    if (length > m->longest)
        length = m->longest;
    memset(payload, (int)draw(m, p, 256), length);
    int64_t delay = to == p ? draw(m, p, 3) : (int64_t)LOOKAHEAD * (1 + draw(m, p, 3)) + (draw(m, p, 2) ? 0 : draw(m, p, 50));
    m->at[p].sent++;
    m->at[p].sent_bytes += length;
    orr_send(lane, p, to, draw(m, p, ORR_KINDS), length == 0 ? NULL : payload, length, orr_now(lane) + delay);
}

/* Cancels one of two timers, which may be over already, and sets it anew. Both answers are part of what the process has seen. */
static void reset_timer(phold *m, orr_lane *lane, uint32_t p)
{
    uint32_t which = draw(m, p, 2);
    bool cancelled = orr_timer_cancel(lane, p, m->at[p].cancellable[which]);
    m->unsound |= orr_timer_cancel(lane, p, m->at[p].cancellable[which]); /* not twice */
    *(cancelled ? &m->at[p].cancelled : &m->at[p].too_late) += 1;
    m->at[p].cancellable[which] = orr_timer_set(lane, p, which, 5000 + which, orr_now(lane) + (int64_t)LOOKAHEAD / 4 * draw(m, p, 9));
    const uint64_t seen[] = {cancelled, m->at[p].cancellable[which]};
    fold(&m->at[p], seen, sizeof seen);
}

static void react(phold *m, orr_lane *lane, uint32_t p)
{
    m->at[p].events++;
    uint32_t luck = draw(m, p, 100);
    for (uint32_t offspring = luck < 6 ? 0 : luck < 90 ? 1 : 2; offspring > 0; offspring--) {
        if (draw(m, p, 4) == 0)
            reset_timer(m, lane, p);
        else if (draw(m, p, 3) == 0)
            orr_timer(lane, p, draw(m, p, ORR_KINDS), draw(m, p, 1000), orr_now(lane) + (int64_t)LOOKAHEAD / 2 * draw(m, p, 5));
        else
            send_something(m, lane, p);
    }
}

static void on_timer(void *context, orr_lane *lane, uint32_t p, uint32_t kind, uint32_t handle)
{
    phold *m = context;
    const int64_t seen[] = {orr_now(lane), p, kind, handle};
    fold(&m->at[p], seen, sizeof seen);
    m->unsound |= handle >= 5000 && handle != 5000 + kind;
    react(m, lane, p);
}

static void on_message(void *context, orr_lane *lane, const orr_message *message, const void *payload)
{
    phold *m = context;
    uint32_t p = message->destination;
    ck_assert(p < m->processes && message->source < m->processes);
    const int64_t seen[] = {orr_now(lane), message->sent, message->source, message->kind, message->length};
    m->unsound |= (uintptr_t)payload % 8 != 0 || message->sent > orr_now(lane) || (message->source != p && orr_now(lane) - message->sent < LOOKAHEAD);
    m->at[p].received++;
    m->at[p].received_bytes += message->length;
    react(m, lane, p); /* sends before it has read its message: that must stay where it is */
    fold(&m->at[p], seen, sizeof seen);
    fold(&m->at[p], payload, message->length);
}

typedef struct rig {
    phold       model;
    orr_engine *engine;
} rig;

static void rig_open(rig *r, uint32_t processes, uint32_t lanes, uint64_t shuffle, uint32_t longest)
{
    uint32_t origin[PROCESSES], lane_of[PROCESSES];
    *r = (rig){.model = {.processes = processes, .longest = longest}};
    for (uint32_t p = 0; p < processes; p++) {
        origin[p] = 1000000 + 17 * ((p * 7 + 3) % PROCESSES);
        lane_of[p] = (p * p + 3 * p) / 2 % lanes; /* uneven */
    }
    orr_engine_config config = {.processes = processes, .origin = origin, .lanes = lanes, .lane_of = lanes == 1 ? NULL : lane_of, .lookahead = LOOKAHEAD, .shuffle = shuffle};
    orr_model model = {&r->model, on_timer, on_message};
    r->engine = orr_engine_create(&config, &model);
    ck_assert_ptr_nonnull(r->engine);
}

static void rig_seed(rig *r)
{
    for (uint32_t p = 0; p < r->model.processes; p++)
        for (uint32_t k = 0; k < 3; k++)
            orr_timer(orr_engine_lane_of(r->engine, p), p, k, k, k * 10);
}

static void rig_close(rig *r) { orr_engine_destroy(r->engine); }

static void check_same(const rig *r, const rig *straight, const char *what, uint32_t lanes, uint64_t shuffle)
{
    ck_assert(!r->model.unsound);
    ck_assert_uint_eq(orr_engine_events(r->engine), orr_engine_events(straight->engine));
    ck_assert_int_eq(orr_engine_next(r->engine), orr_engine_next(straight->engine));
    for (uint32_t p = 0; p < r->model.processes; p++)
        ck_assert_msg(memcmp(&r->model.at[p], &straight->model.at[p], sizeof(process)) == 0, "%s, %u lanes, shuffle %lu: process %u has seen something else", what, lanes, (unsigned long)shuffle, p);
}

static void run_straight(rig *r)
{
    rig_open(r, PROCESSES, 1, 0, ORR_MESSAGE_LONGEST);
    rig_seed(r);
    ck_assert_int_eq(orr_engine_run(r->engine, UNTIL, NULL), ORR_OK);
    ck_assert_uint_gt(orr_engine_events(r->engine), 5000);
    uint64_t cancelled = 0, too_late = 0;
    for (uint32_t p = 0; p < PROCESSES; p++) {
        cancelled += r->model.at[p].cancelled;
        too_late += r->model.at[p].too_late;
    }
    ck_assert_uint_gt(cancelled, 100);
    ck_assert_uint_gt(too_late, 100);
}

static const uint32_t lane_counts[] = {2, 3, 5, 7};
static const uint64_t shuffles[] = {0, 1, 2, 3};

START_TEST(every_process_sees_the_same_on_any_number_of_lanes_in_any_order)
{
    static rig straight, r;
    run_straight(&straight);
    for (int l = 0; l < 4; l++)
        for (int s = 0; s < 4; s++) {
            rig_open(&r, PROCESSES, lane_counts[l], shuffles[s], ORR_MESSAGE_LONGEST);
            rig_seed(&r);
            ck_assert_int_eq(orr_engine_run(r.engine, UNTIL, NULL), ORR_OK);
            check_same(&r, &straight, "run", lane_counts[l], shuffles[s]);
            rig_close(&r);
        }
    rig_close(&straight);
}
END_TEST

START_TEST(running_in_slices_changes_nothing_and_runs_only_what_is_earlier)
{
    static rig straight, r;
    run_straight(&straight);
    for (uint32_t lanes = 1; lanes <= 3; lanes += 2) {
        rig_open(&r, PROCESSES, lanes, 0, ORR_MESSAGE_LONGEST);
        rig_seed(&r);
        for (int64_t until = 0; until <= UNTIL; until += 50) {
            ck_assert_int_eq(orr_engine_run(r.engine, until, NULL), ORR_OK);
            ck_assert_int_ge(orr_engine_next(r.engine), until);
        }
        check_same(&r, &straight, "slices", lanes, 0);
        rig_close(&r);
    }
    rig_close(&straight);
}
END_TEST

static void archive_rig(rig *r, orr_archive *archive)
{
    orr_engine_archive(r->engine, archive);
    orr_archive_bytes(archive, r->model.at, sizeof r->model.at);
}

START_TEST(a_run_continued_from_an_archive_on_other_lanes_ends_as_the_straight_one)
{
    static rig straight, first, second;
    run_straight(&straight);
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t from = 1 + k % 4, to = 1 + (k * 3 + 1) % 7;
        int64_t at = (int64_t)orr_random_below(orr_random_bits(SEED, ORR_STREAM_TEST, 1000, k, 0).low, UNTIL);
        orr_archive saved, loaded;
        rig_open(&first, PROCESSES, from, k, ORR_MESSAGE_LONGEST);
        rig_seed(&first);
        ck_assert_int_eq(orr_engine_run(first.engine, at, NULL), ORR_OK);
        orr_archive_save(&saved);
        archive_rig(&first, &saved);
        ck_assert_int_eq(saved.status, ORR_OK);
        rig_close(&first);
        rig_open(&second, PROCESSES, to, k / 2, ORR_MESSAGE_LONGEST);
        orr_archive_load(&loaded, saved.bytes.items, saved.bytes.count);
        archive_rig(&second, &loaded);
        ck_assert_int_eq(loaded.status, ORR_OK);
        ck_assert_uint_eq(loaded.read, saved.bytes.count);
        ck_assert_int_eq(orr_engine_run(second.engine, UNTIL, NULL), ORR_OK);
        check_same(&second, &straight, "continued", to, k / 2);
        rig_close(&second);
        orr_archive_destroy(&saved);
    }
    rig_close(&straight);
}
END_TEST

START_TEST(what_is_saved_does_not_depend_on_the_lanes)
{
    static rig r;
    orr_archive saved[3];
    for (uint32_t k = 0; k < 3; k++) {
        rig_open(&r, PROCESSES, 1 + 3 * k, k, ORR_MESSAGE_LONGEST);
        rig_seed(&r);
        ck_assert_int_eq(orr_engine_run(r.engine, 3333, NULL), ORR_OK);
        orr_archive_save(&saved[k]);
        archive_rig(&r, &saved[k]);
        rig_close(&r);
        ck_assert_uint_eq(saved[k].bytes.count, saved[0].bytes.count);
        ck_assert_int_eq(memcmp(saved[k].bytes.items, saved[0].bytes.items, saved[0].bytes.count), 0);
    }
    for (uint32_t k = 0; k < 3; k++)
        orr_archive_destroy(&saved[k]);
}
END_TEST

/* A small run, saved in the middle. */
static orr_archive small_archive(void)
{
    static rig r;
    orr_archive saved;
    rig_open(&r, 6, 2, 0, 48);
    rig_seed(&r);
    ck_assert_int_eq(orr_engine_run(r.engine, 450, NULL), ORR_OK);
    orr_archive_save(&saved);
    orr_engine_archive(r.engine, &saved);
    rig_close(&r);
    ck_assert_uint_gt(saved.bytes.count, 300);
    return saved;
}

static orr_status load_small(rig *r, uint32_t lanes, const void *bytes, size_t size)
{
    orr_archive archive;
    rig_open(r, 6, lanes, 0, 48);
    orr_archive_load(&archive, bytes, size);
    orr_engine_archive(r->engine, &archive);
    return archive.status;
}

START_TEST(a_truncated_archive_is_refused)
{
    static rig r;
    orr_archive saved = small_archive();
    for (uint32_t size = 0; size < saved.bytes.count; size++) {
        char *exact = malloc(size + 1); /* so that a checker sees a byte too far */
        memcpy(exact, saved.bytes.items, size);
        ck_assert_msg(load_small(&r, 1 + size % 3, exact, size) == ORR_BAD_INPUT, "%u of %u bytes were accepted", size, saved.bytes.count);
        rig_close(&r);
        free(exact);
    }
    ck_assert_int_eq(load_small(&r, 2, saved.bytes.items, saved.bytes.count), ORR_OK);
    rig_close(&r);
    orr_archive_destroy(&saved);
}
END_TEST

START_TEST(a_damaged_archive_is_refused_or_runs_but_breaks_nothing)
{
    static rig r;
    uint32_t refused = 0;
    orr_archive saved = small_archive();
    for (uint32_t bit = 0; bit < 8 * saved.bytes.count; bit += bit % 8 == 0 ? 4 : bit % 8 == 4 ? 3 : 1) { /* the first, the fifth and the last of every byte */
        unsigned char *bytes = saved.bytes.items;
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        orr_status status = load_small(&r, 1 + bit % 3, bytes, saved.bytes.count);
        ck_assert(status == ORR_OK || status == ORR_BAD_INPUT);
        refused += status == ORR_BAD_INPUT;
        if (status == ORR_OK) {
            orr_archive again;
            orr_archive_save(&again);
            orr_engine_archive(r.engine, &again);
            orr_archive_destroy(&again);
            orr_engine_run(r.engine, 700, NULL);
        }
        rig_close(&r);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_uint_gt(refused, 0);
    orr_archive_destroy(&saved);
}
END_TEST

static void count_message(void *context, const orr_message *message, const void *payload)
{
    uint64_t *counted = context;
    const unsigned char *p = payload;
    for (uint32_t i = 1; i < message->length; i++)
        ck_assert(p[i] == p[0]);
    counted[0]++;
    counted[1] += message->length;
}

START_TEST(messages_under_way_are_those_sent_and_not_received)
{
    static rig r;
    for (uint32_t lanes = 1; lanes < 8; lanes += 3)
        for (int64_t until = 1; until < UNTIL; until = until * 3 + 77) {
            uint64_t counted[2] = {0, 0}, expected[2] = {0, 0};
            rig_open(&r, PROCESSES, lanes, 1, ORR_MESSAGE_LONGEST);
            rig_seed(&r);
            ck_assert_int_eq(orr_engine_run(r.engine, until, NULL), ORR_OK);
            orr_engine_each_message(r.engine, count_message, counted);
            for (uint32_t p = 0; p < PROCESSES; p++) {
                expected[0] += (uint64_t)r.model.at[p].sent - r.model.at[p].received;
                expected[1] += r.model.at[p].sent_bytes - r.model.at[p].received_bytes;
            }
            ck_assert_uint_eq(counted[0], expected[0]);
            ck_assert_uint_eq(counted[1], expected[1]);
            rig_close(&r);
        }
}
END_TEST

/* A model that writes down what it sees, and does as it is told. */
typedef struct diary {
    uint32_t source[64], kind[64], count;
    uint32_t fail_at; /* event at which to fail, 0: never */
    uint64_t events, stop_at;
    uint32_t pace;    /* ns to the next timer of a ticking process; 0: does not tick */
    volatile sig_atomic_t stop;
} diary;

static void diary_note(diary *d, orr_lane *lane, uint32_t source, uint32_t kind)
{
    if (d->count < 64) {
        d->source[d->count] = source;
        d->kind[d->count] = kind;
        d->count++;
    }
    d->events++;
    if (d->events == d->fail_at) {
        orr_fail(lane, ORR_AUDIT_FAILED);
        orr_fail(lane, ORR_NO_MEMORY);
    }
    if (d->events == d->stop_at)
        d->stop = 1;
}

static void diary_timer(void *context, orr_lane *lane, uint32_t p, uint32_t kind, uint32_t handle)
{
    diary *d = context;
    (void)handle;
    diary_note(d, lane, p, kind);
    if (d->pace > 0)
        orr_timer(lane, p, kind, 0, orr_now(lane) + d->pace);
}

static void diary_message(void *context, orr_lane *lane, const orr_message *message, const void *payload)
{
    (void)payload;
    diary_note(context, lane, message->source, message->kind);
}

static orr_engine *diary_engine(diary *d, uint32_t processes, uint32_t lanes, const uint32_t *origin)
{
    uint32_t lane_of[64];
    for (uint32_t p = 0; p < processes; p++)
        lane_of[p] = p % lanes;
    orr_engine_config config = {.processes = processes, .origin = origin, .lanes = lanes, .lane_of = lane_of, .lookahead = LOOKAHEAD};
    orr_model model = {d, diary_timer, diary_message};
    orr_engine *e = orr_engine_create(&config, &model);
    ck_assert_ptr_nonnull(e);
    return e;
}

START_TEST(equal_times_are_ordered_by_origin_and_then_by_sequence)
{
    static const uint32_t origin[] = {30, 10, 40, 20, 25}; /* so messages to 4 come from 1, 3, itself, 0, 2 */
    static const uint32_t expected_source[] = {1, 1, 3, 3, 4, 4, 0, 0, 2, 2}, inserted[] = {4, 2, 0, 3, 1};
    for (uint32_t lanes = 1; lanes <= 4; lanes++)
        for (uint32_t turn = 0; turn < 5; turn++) { /* inserted in five orders */
            diary d = {0};
            orr_engine *e = diary_engine(&d, 5, lanes, origin);
            for (uint32_t k = 0; k < 5; k++) {
                uint32_t p = inserted[(k + turn) % 5];
                orr_lane *lane = orr_engine_lane_of(e, p);
                for (uint32_t kind = 7; kind > 5; kind--) { /* the first one sent has the greater kind */
                    if (p == 4 && kind == 7)
                        orr_timer(lane, 4, kind, 0, 500);
                    else
                        orr_send(lane, p, 4, kind, "x", 1, 500);
                }
            }
            orr_send(orr_engine_lane_of(e, 2), 2, 4, 63, "x", 1, 499); /* earlier goes first whatever its key */
            ck_assert_int_eq(orr_engine_run(e, 1000, NULL), ORR_OK);
            ck_assert_uint_eq(d.count, 11);
            ck_assert_uint_eq(d.kind[0], 63);
            for (uint32_t i = 0; i < 10; i++) {
                ck_assert_uint_eq(d.source[i + 1], expected_source[i]);
                ck_assert_uint_eq(d.kind[i + 1], 7 - i % 2);
            }
            orr_engine_destroy(e);
        }
}
END_TEST

START_TEST(the_first_failure_of_a_handler_ends_the_run)
{
    for (uint32_t lanes = 1; lanes <= 3; lanes += 2) {
        diary d = {.fail_at = 5};
        orr_engine *e = diary_engine(&d, 3, lanes, NULL);
        for (int64_t at = 0; at < 3000; at += 300) /* in windows of their own */
            for (uint32_t p = 0; p < 3; p++)
                orr_timer(orr_engine_lane_of(e, p), p, 0, 0, at);
        ck_assert_int_eq(orr_engine_run(e, 10000, NULL), ORR_AUDIT_FAILED);
        ck_assert_uint_ge(d.events, 5);
        ck_assert_uint_le(d.events, lanes == 1 ? 5 : 6); /* the window is finished by the other lanes */
        ck_assert_int_eq(orr_engine_run(e, 10000, NULL), ORR_AUDIT_FAILED);
        ck_assert_uint_le(d.events, 6);
        orr_engine_destroy(e);
    }
}
END_TEST

START_TEST(the_stop_flag_interrupts_soon_however_short_the_windows)
{
    for (uint32_t lanes = 1; lanes <= 8; lanes += 7)
        for (int slices = 0; slices < 2; slices++) {
            diary d = {.pace = 60, .stop_at = 1000};
            orr_engine *e = diary_engine(&d, 16, lanes, NULL);
            orr_status status = ORR_OK;
            for (uint32_t p = 0; p < 16; p++)
                orr_timer(orr_engine_lane_of(e, p), p, 1, 0, p);
            for (int64_t until = slices ? 500 : 1000000; until <= 1000000 && status == ORR_OK; until += 500)
                status = orr_engine_run(e, until, &d.stop);
            ck_assert_msg(status == ORR_INTERRUPTED, "%u lanes, %d: %lu events were run", lanes, slices, (unsigned long)d.events);
            ck_assert_uint_lt(d.events, 100000);
            orr_engine_destroy(e);
        }
}
END_TEST

START_TEST(what_never_happens_is_not_pending)
{
    diary d = {0};
    orr_engine *e = diary_engine(&d, 2, 2, NULL);
    orr_archive before, after;
    orr_archive_save(&before);
    orr_engine_archive(e, &before);
    orr_timer(orr_engine_lane_of(e, 0), 0, 0, 0, ORR_NEVER);
    orr_archive_save(&after);
    orr_engine_archive(e, &after);
    ck_assert_uint_eq(before.bytes.count, after.bytes.count);
    ck_assert_mem_eq(before.bytes.items, after.bytes.items, after.bytes.count);
    orr_archive_destroy(&before);
    orr_archive_destroy(&after);
    ck_assert_int_eq(orr_engine_next(e), ORR_NEVER);
    ck_assert_int_eq(orr_engine_run(e, ORR_NEVER, NULL), ORR_OK);
    orr_timer(orr_engine_lane_of(e, 1), 1, 0, 0, 12);
    orr_timer(orr_engine_lane_of(e, 0), 0, 0, 0, 13);
    ck_assert_int_eq(orr_engine_next(e), 12);
    ck_assert_int_eq(orr_engine_run(e, 12, NULL), ORR_OK);
    ck_assert_uint_eq(orr_engine_events(e), 0);
    ck_assert_int_eq(orr_engine_run(e, 13, NULL), ORR_OK);
    ck_assert_uint_eq(orr_engine_events(e), 1);
    ck_assert_int_eq(orr_engine_next(e), 13);
    orr_engine_destroy(e);
}
END_TEST

START_TEST(a_cancelled_timer_does_not_happen_and_its_name_is_never_that_of_another)
{
    diary d = {0};
    orr_engine *e = diary_engine(&d, 2, 1, NULL);
    orr_lane *lane = orr_engine_lane_of(e, 0);
    orr_timer_id first = orr_timer_set(lane, 0, 1, 0, 10), second = orr_timer_set(lane, 0, 2, 0, 20);
    ck_assert(first != 0 && second != 0 && first != second);
    ck_assert_uint_eq(orr_timer_set(lane, 0, 3, 0, ORR_NEVER), 0);
    ck_assert(!orr_timer_cancel(lane, 0, 0));
    ck_assert(!orr_timer_cancel(lane, 1, first)); /* another process's */
    ck_assert(orr_timer_cancel(lane, 0, first));
    ck_assert(!orr_timer_cancel(lane, 0, first));
    orr_timer_id third = orr_timer_set(lane, 0, 4, 0, 10); /* in the same place, at the same time */
    ck_assert(third != first);
    ck_assert(!orr_timer_cancel(lane, 0, first));
    ck_assert_int_eq(orr_engine_run(e, 15, NULL), ORR_OK);
    ck_assert_uint_eq(d.count, 1);
    ck_assert_uint_eq(d.kind[0], 4);
    ck_assert(!orr_timer_cancel(lane, 0, third)); /* it has happened */
    ck_assert_int_eq(orr_engine_run(e, 100, NULL), ORR_OK);
    ck_assert_uint_eq(d.count, 2);
    ck_assert_uint_eq(d.kind[1], 2);
    ck_assert_uint_eq(orr_engine_events(e), 2); /* what was cancelled is no event */
    orr_engine_destroy(e);
}
END_TEST

START_TEST(a_million_cancelled_timers_take_no_room)
{
    diary d = {0};
    orr_engine *e = diary_engine(&d, 1, 1, NULL);
    orr_lane *lane = orr_engine_lane_of(e, 0);
    struct mallinfo2 before = mallinfo2();
    for (uint32_t k = 0; k < 100; k++)
        orr_timer_set(lane, 0, 1, k, 2000000 + k);
    for (uint32_t k = 0; k < 1000000; k++)
        ck_assert(orr_timer_cancel(lane, 0, orr_timer_set(lane, 0, 2, 0, 1000000 + k)));
    struct mallinfo2 after = mallinfo2();
    ck_assert_uint_lt(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd + 1000000);
    ck_assert_int_eq(orr_engine_run(e, ORR_NEVER, NULL), ORR_OK);
    ck_assert_uint_eq(d.events, 100);
    orr_engine_destroy(e);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, every_process_sees_the_same_on_any_number_of_lanes_in_any_order);
    tcase_add_test(promises, running_in_slices_changes_nothing_and_runs_only_what_is_earlier);
    tcase_add_test(promises, a_run_continued_from_an_archive_on_other_lanes_ends_as_the_straight_one);
    tcase_add_test(promises, what_is_saved_does_not_depend_on_the_lanes);
    tcase_add_test(promises, a_truncated_archive_is_refused);
    tcase_add_test(promises, a_damaged_archive_is_refused_or_runs_but_breaks_nothing);
    tcase_add_test(promises, messages_under_way_are_those_sent_and_not_received);
    tcase_add_test(promises, equal_times_are_ordered_by_origin_and_then_by_sequence);
    tcase_add_test(promises, the_first_failure_of_a_handler_ends_the_run);
    tcase_add_test(promises, the_stop_flag_interrupts_soon_however_short_the_windows);
    tcase_add_test(promises, what_never_happens_is_not_pending);
    tcase_add_test(promises, a_cancelled_timer_does_not_happen_and_its_name_is_never_that_of_another);
    tcase_add_test(promises, a_million_cancelled_timers_take_no_room);
    return run_as_tap("engine", promises);
}
