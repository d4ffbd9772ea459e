/**
 * Slurm: orders as one job array of a cluster, and a job that merges what it has left.
 *
 * FOLDER/slurm/SUBMISSION/ holds the orders of each task (N.json), two scripts and what the jobs print; FOLDER/slurm/current names the submission and is written before
 * anything is submitted, so a killed submitter is followed by one that finds its jobs by their names (they hold SUBMISSION) and submits only what is not there.
 * What the cluster says of its jobs is used for waiting alone: runs/ says what is done. Works without slurmdbd: only sbatch, squeue, scancel and scontrol are asked.
 *
 * A task holds enough runs to take `pack_s`, because a cluster starts about one task per second and slot.
 */
#ifndef ORRERY_STUDY_SLURM_H
#define ORRERY_STUDY_SLURM_H

#include "study/orders.h"

enum { ORR_SLURM_MOST_TASKS = 1000, ORR_SLURM_MOST_OPTIONS = 64 };

typedef struct orr_slurm_options {
    double      pack_s;                          /**< least expected work of a task, seconds */
    const char *sbatch[ORR_SLURM_MOST_OPTIONS];  /**< further options of sbatch for the array and the merge, such as `--partition=debug` */
    size_t      sbatch_count;
} orr_slurm_options;

/** A submission: what FOLDER/slurm/current holds. All zeros: none. */
typedef struct orr_slurm_submission {
    char   name[64];               /**< empty: none */
    char   array[24], merge[24];   /**< job numbers; empty: not submitted yet */
    size_t tasks, runs;
} orr_slurm_submission;

/** What is in the queue of a submission. */
typedef struct orr_slurm_queue {
    size_t waiting, running, held; /**< tasks of the array; held ones wait for somebody to release them */
    bool   merge;                  /**< its merge job waits or runs */
} orr_slurm_queue;

/**
 * Cuts orders into tasks of at least `pack_s` of expected work, at most `most`: `first` (malloced) gets the index of each task's first order, and the number of orders at the end.
 * Orders of unknown time take one pack each. Returns the number of tasks, 0 when out of memory or without orders.
 */
size_t orr_slurm_pack(const orr_orders *orders, double pack_s, size_t most, size_t **first);

/** The most tasks that the cluster takes in an array, and at most ORR_SLURM_MOST_TASKS. False with problems: no Slurm here, no answer, no arrays. */
bool orr_slurm_most_tasks(size_t *most, orr_problems *problems);

/** Reads FOLDER/slurm/current. False if there is none. */
bool orr_slurm_current(const char *folder, orr_slurm_submission *submission);

/**
 * Writes tasks of the orders and submits them: an array whose tasks run `PROGRAM sweep --task N.json -o FOLDER`, and after it, however it ends, `merge` (an argument vector). Both start in
 * the present working folder. The folder must be absolute. ORR_OK, ORR_NO_MEMORY, ORR_IO with problems.
 */
orr_status orr_slurm_submit(const orr_orders *orders, const char *folder, const char *program, const char *const *merge, const orr_slurm_options *options, orr_slurm_submission *submission, orr_problems *problems);

/** Submits what of a submission has not been submitted. What of it is in the queue already, under its name, is found there. */
orr_status orr_slurm_complete(const char *folder, const char *program, const char *const *merge, const orr_slurm_options *options, orr_slurm_submission *submission, orr_problems *problems);

/** Asks for the state of a submission. False with problems if the cluster does not answer. */
bool orr_slurm_ask(const orr_slurm_submission *submission, orr_slurm_queue *queue, orr_problems *problems);

/** Takes tasks that have not begun (or, with `all`, all its jobs) out of the queue. False with problems. */
bool orr_slurm_cancel(const orr_slurm_submission *submission, bool all, orr_problems *problems);

#endif
