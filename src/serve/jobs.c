#include "serve/jobs.h"

void orr_job_remove(const orr_array *jobs, orr_job_queue *queue, uint32_t index)
{
    uint32_t before = 0;
    for (uint32_t at = queue->head; at != index + 1; at = orr_job_at(jobs, at - 1)->next) {
        assert(at != 0);
        before = at;
    }
    uint32_t after = orr_job_at(jobs, index)->next;
    if (before == 0)
        queue->head = after;
    else
        orr_job_at(jobs, before - 1)->next = after;
    if (queue->tail == index + 1)
        queue->tail = before;
    queue->count--;
}
