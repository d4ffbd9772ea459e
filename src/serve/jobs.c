#include "serve/jobs.h"

void orr_job_remove(const orr_array *jobs, orr_job_queue *queue, uint32_t index)
{
    const orr_job *j = orr_job_at(jobs, index);
    if (j->previous == 0)
        queue->head = j->next;
    else
        orr_job_at(jobs, j->previous - 1)->next = j->next;
    if (j->next == 0)
        queue->tail = j->previous;
    else
        orr_job_at(jobs, j->next - 1)->previous = j->previous;
    queue->count--;
}

void orr_job_push_front(const orr_array *jobs, orr_job_queue *queue, uint32_t index)
{
    orr_job *j = orr_job_at(jobs, index);
    j->previous = 0;
    j->next = queue->head;
    if (queue->head != 0)
        orr_job_at(jobs, queue->head - 1)->previous = index + 1;
    else
        queue->tail = index + 1;
    queue->head = index + 1;
    queue->count++;
}
