/** Messages between sites and timers within them: kinds and payloads. Append only; payloads are plain data without pointers. */
#ifndef ORRERY_GRID_MESSAGES_H
#define ORRERY_GRID_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum orr_message_kind {
    ORR_MESSAGE_REQUEST = 1, /**< ingress to site: orr_request_message */
    ORR_MESSAGE_CANCEL,      /**< ingress to site: orr_cancel_message */
    ORR_MESSAGE_FIRST,       /**< site to ingress: orr_first_message */
    ORR_MESSAGE_DONE,        /**< site to ingress: orr_done_message; also when refused */
    ORR_MESSAGE_REPORT,      /**< site to observer: an int64 (as of), then orr_report_row... */
} orr_message_kind;

typedef enum orr_timer_kind {
    ORR_TIMER_ARRIVAL = 1, /**< handle: cohort at the site */
    ORR_TIMER_ATTEMPT,     /**< handle: request; a pause or a deferral is over */
    ORR_TIMER_GIVE_UP,     /**< handle: request */
    ORR_TIMER_LLM,         /**< handle: llm instance; its plan is due */
    ORR_TIMER_STATION,     /**< handle: station instance */
    ORR_TIMER_REPORT,      /**< telemetry period */
    ORR_TIMER_TARIFF,      /**< some tariff changes */
    ORR_TIMER_REPLICA,     /**< handle: place of an instance; it has been loaded */
    ORR_TIMER_PLAN,        /**< handle: plan of the world */
    ORR_TIMER_UNIT,        /**< handle: unit; it fails or is repaired */
    ORR_TIMER_HANDED_OVER, /**< handle: job; its KV has reached where it will be decoded */
    ORR_TIMER_TURN,        /**< handle: thinking client, who asks again */
} orr_timer_kind;

/** Names one attempt of one request: slot at the ingress, checked by cohort, number, turn and attempt. */
typedef struct orr_attempt_id {
    uint32_t slot, cohort, number;
    uint16_t attempt;
    uint16_t turn; /**< its lower 16 bits: nothing is on its way for as long as 65,536 turns take */
} orr_attempt_id;

/** Sent without its end where that is all zero (orr_request_length): then it fills one cache line together with the head of a message. */
typedef struct orr_request_message {
    orr_attempt_id id;
    uint32_t       pool, input, prefix, output;
    uint32_t       bytes;
    uint8_t        may_cancel, padding[3];
    uint32_t       turn;    /**< of the session (cohort, number); 0 for the first and for requests without sessions */
    uint32_t       history; /**< tokens of the prompt that earlier turns of the session left, after the prefix; 0 for first turns */
    uint32_t       images;  /**< in the prompt, after its history */
    uint32_t       since;   /**< the turn at which these began */
    uint32_t       trace;   /**< 1 + row of the world's traces, if the hashes of the prompt's blocks are known; 0: none */
} orr_request_message;

/** Bytes of the message that need to be sent; the receiver takes what is missing for zero (orr_request_read). */
static inline uint32_t orr_request_length(const orr_request_message *message)
{
    bool short_one = message->turn == 0 && message->history == 0 && message->images == 0 && message->trace == 0;
    return short_one ? offsetof(orr_request_message, turn) : sizeof *message;
}

static inline orr_request_message orr_request_read(const void *payload, uint32_t length)
{
    orr_request_message message = {0};
    if (length == sizeof message)
        memcpy(&message, payload, sizeof message);
    else
        memcpy(&message, payload, offsetof(orr_request_message, turn));
    return message;
}

typedef struct orr_cancel_message {
    orr_attempt_id id;
} orr_cancel_message;

typedef struct orr_first_message {
    orr_attempt_id id;
} orr_first_message;

typedef struct orr_done_message {
    orr_attempt_id id;
    uint32_t       pool;
    uint8_t        refused, padding[3]; /**< orr_reason, ORR_REASON_NONE when served */
    uint32_t       tokens[3];
    uint32_t       bytes;
    int64_t        arrived_ns, started_ns, first_ns, done_ns; /**< at the server */
    int64_t        cost;                                      /**< nano-yuan */
} orr_done_message;

#endif
