#include "engine/engine.h"

#include "base/random.h"
#include "base/time.h"
#include "engine/barrier.h"
#include "engine/queue.h"
#include "engine/slots.h"
#include "engine/store.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* An event's target: process, and below it MESSAGE, or SLOT for a timer that can be cancelled, and the kind. */
enum { SEQUENCE_BITS = 40, KIND_BITS = 8, MESSAGE = 0x80, SLOT = 0x40, KIND = 0x3f };
enum { HUGE_PAGE = 2 << 20 };
enum { STOP_CHECK_EVENTS = 4096, PURGE_LEAST = 1024, LINE_KEYS = 64 / sizeof(uint64_t) };
enum { GATE_SHUT, GATE_OPEN, GATE_CLOSED };

/* One lane, on cache lines of its own. Messages for other lanes wait in outboxes, one per destination, until the window ends; each is an
 * orr_event (handle unused), an orr_message and the payload, padded to 8 bytes. Within a window a lane writes only what is its own;
 * between windows it reads the outboxes that are for it. */
struct orr_lane {
    _Alignas(64) orr_engine *engine;
    int64_t     now;
    uint64_t    events;
    uint64_t    cancelled; /* so many events in the queue do not count */
    int64_t     next;      /* between windows, for all to read: time of its first event, */
    orr_status  published; /* and whether it has failed */
    orr_status  status;
    orr_queue   queue;
    orr_store   store;
    orr_array  *outbox; /* of char, per destination lane */
    pthread_t   thread;
    int64_t     until;
    const volatile sig_atomic_t *stop;
};

struct orr_engine {
    orr_model         model;
    orr_engine_config config;
    uint32_t         *origin, *lane_of;
    uint64_t         *next_key; /* what the next event that a process originates is called: part of its state, the processes of a lane together */
    uint32_t         *key_of;   /* per process: its place there; NULL with one lane, where it is its index */
    orr_slots       **timers;   /* per process, NULL until it sets a timer that can be cancelled */
    orr_barrier       barrier;
    atomic_uint       gate;
    uint32_t         *order;    /* in which lanes run within a window */
    uint64_t          windows;
    bool              running;  /* inside orr_engine_run: only then do messages for other lanes wait in outboxes */
    orr_lane         *lanes;
};

/* Lanes, and each process on its lane. False when out of memory. */
static bool build_lanes(orr_engine *e, const orr_engine_config *config)
{
    for (uint32_t p = 0; p < config->processes; p++) {
        e->origin[p] = config->origin != NULL ? config->origin[p] : p;
        e->lane_of[p] = config->lane_of != NULL ? config->lane_of[p] : 0;
        assert(e->lane_of[p] < config->lanes && e->origin[p] < 1u << 24);
    }
    uint32_t places = 0;
    for (uint32_t i = 0; i < config->lanes; i++) {
        orr_lane *lane = &e->lanes[i];
        lane->engine = e;
        e->order[i] = i;
        orr_queue_init(&lane->queue);
        orr_store_init(&lane->store);
        lane->outbox = calloc(config->lanes, sizeof *lane->outbox);
        if (lane->outbox == NULL)
            return false;
        for (uint32_t k = 0; k < config->lanes; k++)
            orr_array_init(&lane->outbox[k], 1);
        places = (places + LINE_KEYS - 1) / LINE_KEYS * LINE_KEYS; /* lanes share no cache line */
        for (uint32_t p = 0; p < config->processes; p++)
            if (e->lane_of[p] == i) {
                if (e->key_of != NULL)
                    e->key_of[p] = places;
                e->next_key[places++] = (uint64_t)e->origin[p] << SEQUENCE_BITS;
            }
    }
    return true;
}

/* On cache lines of its own, or huge pages if it fills some. */
static void *aligned_zeros(size_t count, size_t size)
{
    size_t align = count * size >= HUGE_PAGE ? HUGE_PAGE : 64, bytes = (count * size + align - 1) / align * align;
    void *memory = aligned_alloc(align, bytes);
    if (memory != NULL && align == HUGE_PAGE)
        madvise(memory, bytes, MADV_HUGEPAGE); /* advice: nothing depends on it */
    return memory == NULL ? NULL : memset(memory, 0, bytes);
}

orr_engine *orr_engine_create(const orr_engine_config *config, const orr_model *model)
{
    assert(config->processes > 0 && config->processes < 1u << 24 && config->lanes > 0);
    assert(config->lanes == 1 || config->lookahead > 0);
    orr_engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->model = *model;
    e->config = *config;
    e->origin = calloc(config->processes, sizeof *e->origin);
    e->lane_of = calloc(config->processes, sizeof *e->lane_of);
    e->next_key = aligned_zeros(config->processes + (size_t)config->lanes * LINE_KEYS, sizeof *e->next_key);
    e->key_of = config->lanes > 1 ? calloc(config->processes, sizeof *e->key_of) : NULL;
    e->timers = calloc(config->processes, sizeof *e->timers);
    e->order = calloc(config->lanes, sizeof *e->order);
    e->lanes = aligned_zeros(config->lanes, sizeof *e->lanes);
    bool all = e->origin != NULL && e->lane_of != NULL && e->next_key != NULL && (e->key_of != NULL || config->lanes == 1) && e->timers != NULL && e->order != NULL && e->lanes != NULL;
    if (!all || !build_lanes(e, config)) {
        orr_engine_destroy(e);
        return NULL;
    }
    e->config.origin = e->origin;
    e->config.lane_of = e->lane_of;
    return e;
}

void orr_engine_destroy(orr_engine *engine)
{
    if (engine == NULL)
        return;
    for (uint32_t i = 0; engine->lanes != NULL && i < engine->config.lanes; i++) {
        orr_lane *lane = &engine->lanes[i];
        if (lane->engine == NULL)
            continue;
        orr_queue_destroy(&lane->queue);
        orr_store_destroy(&lane->store);
        for (uint32_t k = 0; lane->outbox != NULL && k < engine->config.lanes; k++)
            orr_array_clear(&lane->outbox[k]);
        free(lane->outbox);
    }
    for (uint32_t p = 0; engine->timers != NULL && p < engine->config.processes; p++)
        if (engine->timers[p] != NULL) {
            orr_array_clear(&engine->timers[p]->slots);
            free(engine->timers[p]);
        }
    free(engine->lanes);
    free(engine->order);
    free(engine->timers);
    free(engine->key_of);
    free(engine->next_key);
    free(engine->lane_of);
    free(engine->origin);
    free(engine);
}

int64_t orr_now(const orr_lane *lane) { return lane->now; }

void orr_fail(orr_lane *lane, orr_status status)
{
    if (lane->status == ORR_OK)
        lane->status = status;
}

orr_lane *orr_engine_lane_of(orr_engine *engine, uint32_t process)
{
    assert(process < engine->config.processes);
    return &engine->lanes[engine->lane_of[process]];
}

uint64_t orr_engine_events(const orr_engine *engine)
{
    uint64_t events = 0;
    for (uint32_t i = 0; i < engine->config.lanes; i++)
        events += engine->lanes[i].events;
    return events;
}

int64_t orr_engine_next(orr_engine *engine)
{
    int64_t next = ORR_NEVER;
    for (uint32_t i = 0; i < engine->config.lanes; i++) {
        const orr_event *first = orr_queue_first(&engine->lanes[i].queue);
        if (first != NULL && first->time < next)
            next = first->time;
    }
    return next;
}

static uint64_t *key_of(const orr_engine *e, uint32_t process) { return &e->next_key[e->key_of == NULL ? process : e->key_of[process]]; }

static void push(orr_lane *lane, int64_t time, uint64_t key, uint32_t target, uint32_t handle)
{
    if (!orr_queue_push(&lane->queue, time, key, target, handle))
        orr_fail(lane, ORR_NO_MEMORY);
}

void orr_timer(orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle, int64_t at)
{
    orr_engine *e = lane->engine;
    assert(at >= lane->now && kind < ORR_KINDS && &e->lanes[e->lane_of[process]] == lane);
    if (at != ORR_NEVER)
        push(lane, at, (*key_of(e, process))++, process << KIND_BITS | kind, handle);
}

static orr_slots *slots_of(orr_engine *e, uint32_t process)
{
    orr_slots *t = e->timers[process];
    if (t == NULL && (t = e->timers[process] = calloc(1, sizeof *t)) != NULL)
        orr_array_init(&t->slots, sizeof(orr_slot));
    return t;
}

/* Never 0. For a name to be taken for that of a later timer, both must have used one slot, a multiple of 2^32 - 1 events of their process apart. */
static uint32_t generation_of(uint64_t key)
{
    uint64_t sequence = key & ((UINT64_C(1) << SEQUENCE_BITS) - 1);
    return (uint32_t)(sequence % UINT32_MAX) + 1;
}

orr_timer_id orr_timer_set(orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle, int64_t at)
{
    orr_engine *e = lane->engine;
    assert(at >= lane->now && kind < ORR_KINDS && &e->lanes[e->lane_of[process]] == lane);
    if (at == ORR_NEVER)
        return 0;
    orr_slots *t = slots_of(e, process);
    uint64_t key = *key_of(e, process);
    uint32_t slot = t == NULL ? ORR_NONE : orr_slots_take(t, generation_of(key), handle);
    if (slot == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return 0;
    }
    ++*key_of(e, process);
    push(lane, at, key, process << KIND_BITS | SLOT | kind, slot);
    return (uint64_t)slot << 32 | generation_of(key);
}

/* Does this event still count? */
static bool counts(const orr_engine *e, const orr_event *event)
{
    return (event->target & (MESSAGE | SLOT)) != SLOT || orr_slots_holds(e->timers[event->target >> KIND_BITS], event->handle, generation_of(event->key));
}

static bool keeps(void *context, const orr_event *event) { return counts(context, event); }

bool orr_timer_cancel(orr_lane *lane, uint32_t process, orr_timer_id id)
{
    orr_engine *e = lane->engine;
    orr_slots *t = e->timers[process];
    uint32_t slot = (uint32_t)(id >> 32);
    assert(&e->lanes[e->lane_of[process]] == lane);
    if (t == NULL || !orr_slots_holds(t, slot, (uint32_t)id))
        return false;
    orr_slots_give(t, slot);
    lane->cancelled++;
    if (lane->cancelled > PURGE_LEAST && lane->cancelled > lane->queue.count / 2) {
        if (!orr_queue_filter(&lane->queue, keeps, e))
            orr_fail(lane, ORR_NO_MEMORY);
        lane->cancelled = 0;
    }
    return true;
}

static void copy(void *to, const void *from, size_t bytes) /* an empty payload may be NULL */
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

/* A place in `lane`'s store for a message that will happen as this event; NULL when out of memory (orr_fail). */
static orr_message *add_message(orr_lane *lane, int64_t time, uint64_t key, uint32_t target, uint32_t length)
{
    uint32_t place = orr_store_take(&lane->store, sizeof(orr_message) + length);
    if (place == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return NULL;
    }
    push(lane, time, key, target, place);
    return orr_store_at(&lane->store, place);
}

/* A message that comes as bytes: its head and then its payload. */
static void deliver(orr_lane *lane, const orr_event *event, const void *bytes)
{
    orr_message head;
    memcpy(&head, bytes, sizeof head);
    orr_message *message = add_message(lane, event->time, event->key, event->target, head.length);
    if (message != NULL)
        memcpy(message, bytes, sizeof head + head.length);
}

static size_t padded(size_t bytes) { return (bytes + 7) & ~(size_t)7; }

void orr_send(orr_lane *lane, uint32_t source, uint32_t destination, uint32_t kind, const void *payload, uint32_t length,
              int64_t arrives)
{
    orr_engine *e = lane->engine;
    assert(kind < ORR_KINDS && length <= ORR_MESSAGE_LONGEST && destination < e->config.processes);
    assert(&e->lanes[e->lane_of[source]] == lane && arrives >= lane->now);
    orr_message head = {.sent = lane->now, .source = source, .destination = destination, .kind = (uint16_t)kind, .length = length};
    uint64_t key = (*key_of(e, source))++;
    uint32_t target = destination << KIND_BITS | MESSAGE | kind;
    orr_lane *to = e->config.lanes == 1 ? lane : &e->lanes[e->lane_of[destination]];
    if (to == lane || !e->running) {
        orr_message *message = add_message(to, arrives, key, target, length);
        if (message != NULL) {
            *message = head;
            copy(message + 1, payload, length);
        }
        return;
    }
    orr_event event = {arrives, key, target, 0};
    assert(arrives - lane->now >= e->config.lookahead);
    char *out = orr_array_extend(&lane->outbox[e->lane_of[destination]], sizeof event + sizeof head + padded(length));
    if (out == NULL) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    memcpy(out, &event, sizeof event);
    memcpy(out + sizeof event, &head, sizeof head);
    copy(out + sizeof event + sizeof head, payload, length);
}

/* The first event; NULL if none is left. Whenever the queue has sorted some more, what they will need is called into the cache: all at once,
 * so that the misses of some ten events overlap. */
static const orr_event *first_event(orr_lane *lane)
{
    if (lane->queue.bottom_count > 0 || lane->queue.count == 0)
        return orr_queue_first(&lane->queue);
    const orr_engine *e = lane->engine;
    const orr_event *first = orr_queue_first(&lane->queue), *event;
    for (uint32_t i = 0; (event = orr_queue_soon(&lane->queue, i)) != NULL; i++) {
        __builtin_prefetch(key_of(e, event->target >> KIND_BITS), 1);
        if (event->target & MESSAGE)
            __builtin_prefetch(orr_store_at(&lane->store, event->handle));
        if (e->model.soon != NULL)
            e->model.soon(e->model.context, event->target >> KIND_BITS);
    }
    return first;
}

static void run_lane(orr_lane *lane, int64_t until, const volatile sig_atomic_t *stop)
{
    const orr_model *model = &lane->engine->model;
    const orr_event *first;
    while ((first = first_event(lane)) != NULL && first->time < until && lane->status == ORR_OK) {
        orr_event event = orr_queue_pop(&lane->queue);
        uint32_t process = event.target >> KIND_BITS, kind = event.target & KIND;
        assert(event.time >= lane->now);
        if (event.target & MESSAGE) {
            lane->now = event.time;
            const orr_message *message = orr_store_at(&lane->store, event.handle);
            model->message(model->context, lane, message, message + 1);
            orr_store_give(&lane->store, event.handle, sizeof *message + message->length);
        } else {
            uint32_t handle = event.handle;
            if (event.target & SLOT) {
                if (!counts(lane->engine, &event)) {
                    lane->cancelled--;
                    continue;
                }
                orr_slots *t = lane->engine->timers[process];
                handle = orr_slots_handle(t, event.handle);
                orr_slots_give(t, event.handle);
            }
            lane->now = event.time;
            model->timer(model->context, lane, process, kind, handle);
        }
        if (++lane->events % STOP_CHECK_EVENTS == 0 && stop != NULL && *stop) /* counted across windows, which may be short */
            orr_fail(lane, ORR_INTERRUPTED);
    }
    if (lane->queue.out_of_memory)
        orr_fail(lane, ORR_NO_MEMORY);
}

/* Takes what the other lanes sent to this one in the window. In which order does not matter: the queue has its own. */
static void take_messages(orr_lane *lane)
{
    orr_engine *e = lane->engine;
    uint32_t self = (uint32_t)(lane - e->lanes);
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        const orr_array *outbox = &e->lanes[i].outbox[self];
        const char *bytes = outbox->items;
        for (size_t at = 0; at < outbox->count;) {
            orr_event event;
            orr_message head;
            memcpy(&event, bytes + at, sizeof event);
            memcpy(&head, bytes + at + sizeof event, sizeof head);
            deliver(lane, &event, bytes + at + sizeof event);
            at += sizeof event + sizeof head + padded(head.length);
        }
    }
    const orr_event *first = orr_queue_first(&lane->queue);
    lane->next = first == NULL ? ORR_NEVER : first->time;
    if (lane == e->lanes && lane->stop != NULL && *lane->stop) /* one lane decides for all, so that all stop at the same window */
        orr_fail(lane, ORR_INTERRUPTED);
    lane->published = lane->status;
}

static void empty_outboxes(orr_lane *lane)
{
    for (uint32_t k = 0; k < lane->engine->config.lanes; k++)
        lane->outbox[k].count = 0;
}

static orr_status first_failure(const orr_engine *e)
{
    for (uint32_t i = 0; i < e->config.lanes; i++)
        if (e->lanes[i].status != ORR_OK)
            return e->lanes[i].status;
    return ORR_OK;
}

/* Fisher-Yates on the order of lanes, addressed by the window's number. */
static void shuffle_order(orr_engine *e)
{
    for (uint32_t i = e->config.lanes - 1; i > 0; i--) {
        orr_bits bits = orr_random_bits(e->config.shuffle, ORR_STREAM_TEST, e->windows, i, 0);
        uint32_t j = (uint32_t)orr_random_below(bits.low, i + 1), kept = e->order[i];
        e->order[i] = e->order[j];
        e->order[j] = kept;
    }
}

/* The end of the next window, the same for every lane that asks; INT64_MIN when a lane has failed or nothing is left before `until`. */
static int64_t window_end(const orr_engine *e, int64_t until)
{
    int64_t next = ORR_NEVER;
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        if (e->lanes[i].published != ORR_OK)
            return INT64_MIN;
        next = e->lanes[i].next < next ? e->lanes[i].next : next;
    }
    if (next >= until)
        return INT64_MIN;
    return until - next > e->config.lookahead ? next + e->config.lookahead : until;
}

/* One lane's life during a run: windows until nothing is left. Between two barriers lanes only run, or only exchange. */
static void *run_windows(void *argument)
{
    orr_lane *lane = argument;
    orr_engine *e = lane->engine;
    unsigned gate;
    while ((gate = atomic_load_explicit(&e->gate, memory_order_acquire)) == GATE_SHUT)
        sched_yield();
    for (; gate == GATE_OPEN;) {
        take_messages(lane);
        orr_barrier_wait(&e->barrier);
        int64_t end = window_end(e, lane->until);
        if (end == INT64_MIN)
            break;
        empty_outboxes(lane);
        run_lane(lane, end, NULL);
        orr_barrier_wait(&e->barrier);
    }
    empty_outboxes(lane);
    return NULL;
}

/* The gate holds the threads back until all have been started: one that cannot be would leave the others waiting at the barrier. */
static orr_status run_threads(orr_engine *e)
{
    uint32_t started = 1;
    orr_barrier_init(&e->barrier, e->config.lanes);
    atomic_init(&e->gate, GATE_SHUT);
    while (started < e->config.lanes && pthread_create(&e->lanes[started].thread, NULL, run_windows, &e->lanes[started]) == 0)
        started++;
    bool all = started == e->config.lanes;
    atomic_store_explicit(&e->gate, all ? GATE_OPEN : GATE_CLOSED, memory_order_release);
    run_windows(&e->lanes[0]);
    for (uint32_t i = 1; i < started; i++)
        pthread_join(e->lanes[i].thread, NULL);
    return all ? first_failure(e) : ORR_NO_MEMORY;
}

/* The same on one thread, the lanes of a window in any order. */
static void run_in_turn(orr_engine *e, int64_t until)
{
    for (;;) {
        for (uint32_t i = 0; i < e->config.lanes; i++)
            take_messages(&e->lanes[i]);
        for (uint32_t i = 0; i < e->config.lanes; i++)
            empty_outboxes(&e->lanes[i]);
        int64_t end = window_end(e, until);
        if (end == INT64_MIN)
            return;
        if (e->config.shuffle != 0)
            shuffle_order(e);
        for (uint32_t i = 0; i < e->config.lanes; i++)
            run_lane(&e->lanes[e->order[i]], end, NULL);
        e->windows++;
    }
}

orr_status orr_engine_run(orr_engine *e, int64_t until, const volatile sig_atomic_t *stop)
{
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        e->lanes[i].until = until;
        e->lanes[i].stop = stop;
    }
    e->running = true;
    orr_status status = ORR_OK;
    if (e->config.lanes == 1)
        run_lane(&e->lanes[0], until, stop);
    else if (e->config.threads)
        status = run_threads(e);
    else
        run_in_turn(e, until);
    e->running = false;
    return status != ORR_OK ? status : first_failure(e);
}

typedef struct message_visit {
    const orr_lane *lane;
    void (*visit)(void *context, const orr_message *message, const void *payload);
    void *context;
} message_visit;

static void visit_message(void *context, const orr_event *event)
{
    const message_visit *v = context;
    if (event->target & MESSAGE) {
        const orr_message *message = orr_store_at(&v->lane->store, event->handle);
        v->visit(v->context, message, message + 1);
    }
}

void orr_engine_each_message(const orr_engine *e, void (*visit)(void *context, const orr_message *message, const void *payload), void *context)
{
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        message_visit v = {&e->lanes[i], visit, context};
        orr_queue_each(&e->lanes[i].queue, visit_message, &v);
    }
}

static int by_order(const void *a, const void *b) { return orr_event_before(a, b) ? -1 : 1; }

typedef struct event_list {
    const orr_engine *engine;
    orr_event        *event;
    uint32_t          count;
} event_list;

static void list_event(void *context, const orr_event *event)
{
    event_list *l = context;
    if (counts(l->engine, event))
        l->event[l->count++] = *event;
}

/* Pending events in their total order, without those that are cancelled: the same bytes for any number of lanes. */
static void save_events(orr_engine *e, orr_archive *archive)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < e->config.lanes; i++)
        most += e->lanes[i].queue.count;
    event_list list = {e, malloc((most + 1) * sizeof *list.event), 0};
    if (list.event == NULL) {
        archive->status = ORR_NO_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < e->config.lanes; i++)
        orr_queue_each(&e->lanes[i].queue, list_event, &list);
    qsort(list.event, list.count, sizeof *list.event, by_order);
    orr_archive_bytes(archive, &list.count, sizeof list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        orr_event saved = list.event[i];
        if (saved.target & MESSAGE) {
            orr_lane *lane = orr_engine_lane_of(e, saved.target >> KIND_BITS);
            orr_message *message = orr_store_at(&lane->store, saved.handle);
            saved.handle = message->length;
            orr_archive_bytes(archive, &saved, sizeof saved);
            orr_archive_bytes(archive, message, sizeof *message + message->length);
        } else {
            orr_archive_bytes(archive, &saved, sizeof saved);
        }
    }
    free(list.event);
}

/* Is this what orr_engine_archive writes? What a damaged file may hold must not reach the model. */
static bool sound_event(const orr_engine *e, const orr_event *event)
{
    uint32_t process = event->target >> KIND_BITS;
    if (event->time < 0 || process >= e->config.processes)
        return false;
    if (event->target & MESSAGE)
        return event->handle <= ORR_MESSAGE_LONGEST;
    if (event->target & SLOT)
        return e->timers[process] != NULL && counts(e, event);
    return true;
}

static bool sound_message(const orr_engine *e, const orr_event *event, const orr_message *m)
{
    return m->length == event->handle && m->destination == event->target >> KIND_BITS && m->source < e->config.processes &&
           m->kind == (event->target & KIND) && m->sent >= 0 && m->sent <= event->time;
}

static void load_events(orr_engine *e, orr_archive *archive)
{
    uint32_t count = 0;
    orr_archive_bytes(archive, &count, sizeof count);
    char *buffer = malloc(sizeof(orr_message) + ORR_MESSAGE_LONGEST);
    if (buffer == NULL)
        archive->status = ORR_NO_MEMORY;
    for (uint32_t i = 0; i < count && archive->status == ORR_OK; i++) {
        orr_event event;
        orr_archive_bytes(archive, &event, sizeof event);
        if (archive->status != ORR_OK)
            break;
        if (!sound_event(e, &event)) {
            archive->status = ORR_BAD_INPUT;
            break;
        }
        orr_lane *lane = orr_engine_lane_of(e, event.target >> KIND_BITS);
        if (event.target & MESSAGE) {
            orr_archive_bytes(archive, buffer, sizeof(orr_message) + event.handle);
            if (archive->status == ORR_OK && !sound_message(e, &event, (orr_message *)buffer))
                archive->status = ORR_BAD_INPUT;
            if (archive->status == ORR_OK)
                deliver(lane, &event, buffer);
        } else {
            push(lane, event.time, event.key, event.target, event.handle);
        }
        if (lane->status != ORR_OK)
            archive->status = lane->status;
    }
    free(buffer);
}

static void archive_slots(orr_engine *e, uint32_t process, orr_archive *archive)
{
    uint32_t used = e->timers[process] != NULL;
    orr_archive_bytes(archive, &used, sizeof used);
    if (!used || archive->status != ORR_OK)
        return;
    orr_slots *t = slots_of(e, process);
    if (t != NULL)
        orr_slots_archive(t, archive);
    else
        archive->status = ORR_NO_MEMORY;
}

void orr_engine_archive(orr_engine *e, orr_archive *archive)
{
    if (archive->mode == ORR_ARCHIVE_FREE)
        return;
    int64_t now = 0;
    uint64_t events = orr_engine_events(e);
    for (uint32_t i = 0; i < e->config.lanes; i++)
        now = e->lanes[i].now > now ? e->lanes[i].now : now;
    orr_archive_bytes(archive, &now, sizeof now);
    orr_archive_bytes(archive, &events, sizeof events);
    for (uint32_t p = 0; p < e->config.processes; p++) {
        orr_archive_bytes(archive, key_of(e, p), sizeof *e->next_key);
        archive_slots(e, p, archive);
    }
    if (archive->mode == ORR_ARCHIVE_SAVE) {
        save_events(e, archive);
    } else {
        load_events(e, archive);
        for (uint32_t i = 0; i < e->config.lanes; i++)
            e->lanes[i].now = 0; /* a lane's clock is that of its last event; the first pending one sets it again */
        e->lanes[0].events = events;
    }
}
