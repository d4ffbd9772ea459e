#include "engine/engine.h"

#include "base/random.h"
#include "base/time.h"
#include "engine/queue.h"
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_BITS = 40, KIND_BITS = 8, MESSAGE = 0x80, STOP_CHECK_EVENTS = 4096 };

/* One lane. Messages for other lanes wait in outboxes until the window ends; each is an orr_event (handle unused), an
 * orr_message and the payload, padded to 8 bytes. */
struct orr_lane {
    orr_engine *engine;
    int64_t     now;
    uint64_t    events;
    orr_status  status;
    orr_queue   queue;
    orr_store   store;
    orr_array   outbox; /* of char; for all other lanes together: windows are short */
};

struct orr_engine {
    orr_model         model;
    orr_engine_config config;
    uint32_t         *origin, *lane_of;
    uint64_t         *sequence; /* per process: how many events it has originated; part of its state */
    uint32_t         *order;    /* in which lanes run within a window */
    uint64_t          windows;
    bool              running;  /* inside orr_engine_run: only then do messages for other lanes wait in outboxes */
    orr_lane         *lanes;
};

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
    e->sequence = calloc(config->processes, sizeof *e->sequence);
    e->order = calloc(config->lanes, sizeof *e->order);
    e->lanes = calloc(config->lanes, sizeof *e->lanes);
    if (e->origin == NULL || e->lane_of == NULL || e->sequence == NULL || e->order == NULL || e->lanes == NULL) {
        orr_engine_destroy(e);
        return NULL;
    }
    for (uint32_t p = 0; p < config->processes; p++) {
        e->origin[p] = config->origin != NULL ? config->origin[p] : p;
        e->lane_of[p] = config->lane_of != NULL ? config->lane_of[p] : 0;
        assert(e->lane_of[p] < config->lanes && e->origin[p] < 1u << 24);
    }
    e->config.origin = e->origin;
    e->config.lane_of = e->lane_of;
    for (uint32_t i = 0; i < config->lanes; i++) {
        orr_lane *lane = &e->lanes[i];
        lane->engine = e;
        e->order[i] = i;
        orr_queue_init(&lane->queue);
        orr_store_init(&lane->store);
        orr_array_init(&lane->outbox, 1);
    }
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
        orr_array_clear(&lane->outbox);
    }
    free(engine->lanes);
    free(engine->order);
    free(engine->sequence);
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

int64_t orr_engine_next(const orr_engine *engine)
{
    int64_t next = ORR_NEVER;
    for (uint32_t i = 0; i < engine->config.lanes; i++) {
        const orr_event *first = orr_queue_first(&engine->lanes[i].queue);
        if (first != NULL && first->time < next)
            next = first->time;
    }
    return next;
}

static uint64_t next_key(orr_engine *e, uint32_t process)
{
    return (uint64_t)e->origin[process] << SEQUENCE_BITS | e->sequence[process]++;
}

void orr_timer(orr_lane *lane, uint32_t process, uint32_t kind, uint32_t handle, int64_t at)
{
    orr_engine *e = lane->engine;
    assert(at >= lane->now && kind < ORR_KINDS && &e->lanes[e->lane_of[process]] == lane);
    if (at == ORR_NEVER)
        return;
    orr_event event = {at, next_key(e, process), process << KIND_BITS | kind, handle};
    if (!orr_queue_push(&lane->queue, event))
        orr_fail(lane, ORR_NO_MEMORY);
}

static void copy(void *to, const void *from, size_t bytes) /* an empty payload may be NULL */
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

/* Puts a message into `lane`'s store and queue. */
static void deliver(orr_lane *lane, orr_event event, const orr_message *head, const void *payload)
{
    event.handle = orr_store_take(&lane->store, sizeof *head + head->length);
    if (event.handle == ORR_NONE) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    char *place = orr_store_at(&lane->store, event.handle);
    memcpy(place, head, sizeof *head);
    copy(place + sizeof *head, payload, head->length);
    if (!orr_queue_push(&lane->queue, event))
        orr_fail(lane, ORR_NO_MEMORY);
}

static size_t padded(size_t bytes) { return (bytes + 7) & ~(size_t)7; }

void orr_send(orr_lane *lane, uint32_t source, uint32_t destination, uint32_t kind, const void *payload, uint32_t length,
              int64_t arrives)
{
    orr_engine *e = lane->engine;
    assert(kind < ORR_KINDS && length <= ORR_MESSAGE_LONGEST && destination < e->config.processes);
    assert(&e->lanes[e->lane_of[source]] == lane && arrives >= lane->now);
    orr_message head = {.sent = lane->now, .source = source, .destination = destination, .kind = (uint16_t)kind, .length = length};
    orr_event event = {arrives, next_key(e, source), destination << KIND_BITS | MESSAGE | kind, 0};
    orr_lane *to = &e->lanes[e->lane_of[destination]];
    if (to == lane || !e->running) {
        deliver(to, event, &head, payload);
        return;
    }
    assert(arrives - lane->now >= e->config.lookahead);
    char *out = orr_array_extend(&lane->outbox, sizeof event + sizeof head + padded(length));
    if (out == NULL) {
        orr_fail(lane, ORR_NO_MEMORY);
        return;
    }
    memcpy(out, &event, sizeof event);
    memcpy(out + sizeof event, &head, sizeof head);
    copy(out + sizeof event + sizeof head, payload, length);
}

static void run_lane(orr_lane *lane, int64_t until, const volatile sig_atomic_t *stop)
{
    const orr_model *model = &lane->engine->model;
    const orr_event *first;
    while ((first = orr_queue_first(&lane->queue)) != NULL && first->time < until && lane->status == ORR_OK) {
        orr_event event = orr_queue_pop(&lane->queue);
        assert(event.time >= lane->now);
        lane->now = event.time;
        uint32_t process = event.target >> KIND_BITS, kind = event.target & (MESSAGE - 1);
        if (event.target & MESSAGE) {
            const orr_message *message = orr_store_at(&lane->store, event.handle);
            model->message(model->context, lane, message, message + 1);
            orr_store_give(&lane->store, event.handle, sizeof *message + message->length);
        } else {
            model->timer(model->context, lane, process, kind, event.handle);
        }
        if (++lane->events % STOP_CHECK_EVENTS == 0 && stop != NULL && *stop) /* counted across windows, which may be short */
            orr_fail(lane, ORR_INTERRUPTED);
    }
}

/* Hands what the lanes sent in this window to its destinations. */
static void exchange(orr_engine *e)
{
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        orr_array *outbox = &e->lanes[i].outbox;
        const char *bytes = outbox->items;
        for (size_t at = 0; at < outbox->count;) {
            orr_event event;
            orr_message head;
            memcpy(&event, bytes + at, sizeof event);
            memcpy(&head, bytes + at + sizeof event, sizeof head);
            deliver(&e->lanes[e->lane_of[head.destination]], event, &head, bytes + at + sizeof event + sizeof head);
            at += sizeof event + sizeof head + padded(head.length);
        }
        outbox->count = 0;
    }
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

/* Window by window, none longer than the lookahead. */
static void run_windows(orr_engine *e, int64_t until, const volatile sig_atomic_t *stop)
{
    int64_t next;
    while ((next = orr_engine_next(e)) < until && first_failure(e) == ORR_OK) {
        int64_t end = until - next > e->config.lookahead ? next + e->config.lookahead : until;
        if (e->config.shuffle != 0)
            shuffle_order(e);
        for (uint32_t i = 0; i < e->config.lanes; i++)
            run_lane(&e->lanes[e->order[i]], end, stop);
        exchange(e);
        e->windows++;
    }
}

orr_status orr_engine_run(orr_engine *e, int64_t until, const volatile sig_atomic_t *stop)
{
    e->running = true;
    if (e->config.lanes == 1)
        run_lane(&e->lanes[0], until, stop);
    else
        run_windows(e, until, stop);
    e->running = false;
    return first_failure(e);
}

void orr_engine_each_message(const orr_engine *e, void (*visit)(void *context, const orr_message *message, const void *payload), void *context)
{
    for (uint32_t i = 0; i < e->config.lanes; i++) {
        const orr_lane *lane = &e->lanes[i];
        for (uint32_t k = 0; k < lane->queue.heap.count; k++) {
            const orr_event *event = orr_array_at(&lane->queue.heap, k);
            if (event->target & MESSAGE) {
                const orr_message *message = orr_store_at(&lane->store, event->handle);
                visit(context, message, message + 1);
            }
        }
    }
}

static int by_order(const void *a, const void *b)
{
    return orr_event_before(*(const orr_event *const *)a, *(const orr_event *const *)b) ? -1 : 1;
}

/* Pending events in their total order: the same bytes for any number of lanes. */
static void save_events(orr_engine *e, orr_archive *archive)
{
    uint32_t count = 0, n = 0;
    for (uint32_t i = 0; i < e->config.lanes; i++)
        count += e->lanes[i].queue.heap.count;
    const orr_event **event = malloc((count + 1) * sizeof(orr_event *));
    if (event == NULL) {
        archive->status = ORR_NO_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < e->config.lanes; i++)
        for (uint32_t k = 0; k < e->lanes[i].queue.heap.count; k++)
            event[n++] = (orr_event *)e->lanes[i].queue.heap.items + k;
    qsort(event, count, sizeof *event, by_order);
    orr_archive_bytes(archive, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        orr_event saved = *event[i];
        if (saved.target & MESSAGE) {
            orr_lane *lane = &e->lanes[e->lane_of[saved.target >> KIND_BITS]];
            orr_message *message = orr_store_at(&lane->store, saved.handle);
            saved.handle = message->length;
            orr_archive_bytes(archive, &saved, sizeof saved);
            orr_archive_bytes(archive, message, sizeof *message + message->length);
        } else {
            orr_archive_bytes(archive, &saved, sizeof saved);
        }
    }
    free(event);
}

/* Is this what orr_engine_archive writes? What a damaged file may hold must not reach the model. */
static bool sound_event(const orr_engine *e, const orr_event *event)
{
    return event->time >= 0 && event->target >> KIND_BITS < e->config.processes && (!(event->target & MESSAGE) || event->handle <= ORR_MESSAGE_LONGEST);
}

static bool sound_message(const orr_engine *e, const orr_event *event, const orr_message *m)
{
    return m->length == event->handle && m->destination == event->target >> KIND_BITS && m->source < e->config.processes &&
           m->kind == (event->target & (MESSAGE - 1)) && m->sent >= 0 && m->sent <= event->time;
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
        orr_lane *lane = &e->lanes[e->lane_of[event.target >> KIND_BITS]];
        if (event.target & MESSAGE) {
            orr_archive_bytes(archive, buffer, sizeof(orr_message) + event.handle);
            if (archive->status == ORR_OK && !sound_message(e, &event, (orr_message *)buffer))
                archive->status = ORR_BAD_INPUT;
            if (archive->status == ORR_OK)
                deliver(lane, event, (orr_message *)buffer, buffer + sizeof(orr_message));
        } else if (!orr_queue_push(&lane->queue, event)) {
            orr_fail(lane, ORR_NO_MEMORY);
        }
        if (lane->status != ORR_OK)
            archive->status = lane->status;
    }
    free(buffer);
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
    orr_archive_bytes(archive, e->sequence, e->config.processes * sizeof *e->sequence);
    if (archive->mode == ORR_ARCHIVE_SAVE) {
        save_events(e, archive);
    } else {
        load_events(e, archive);
        for (uint32_t i = 0; i < e->config.lanes; i++)
            e->lanes[i].now = 0; /* a lane's clock is that of its last event; the first pending one sets it again */
        e->lanes[0].events = events;
    }
}
