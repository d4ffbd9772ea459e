/**
 * Sweep on a cluster: what `orrery sweep` does where the runs are done by the tasks of a job array (study/slurm.h).
 *
 * The waiting command holds the study's folder only while it submits and while it takes stock. In between it only looks, so it can be stopped and started again, and
 * the merge job finds the folder free.
 */
#ifndef ORRERY_CLI_SWEEP_SLURM_H
#define ORRERY_CLI_SWEEP_SLURM_H

#include "cli/cli.h"
#include "study/campaign.h"
#include "study/slurm.h"

/** The options about a cluster. */
typedef struct orr_cluster_arguments {
    bool              used;    /**< `--on slurm` */
    bool              no_wait; /**< submit and leave */
    bool              merge;   /**< this is the merge job */
    orr_slurm_options slurm;
    char              owned[2][128]; /**< of `--partition` and `--time`, as options of sbatch */
} orr_cluster_arguments;
#define ORR_CLUSTER_DEFAULTS ((orr_cluster_arguments){.slurm = {.pack_s = 30}})

/** The argp child that reads them into an orr_cluster_arguments (its input). */
extern const struct argp orr_cluster_argp;

/** Opens the campaign for writing; where a merge job may have it for a moment, or where this is one, with patience. */
bool orr_cli_open_for_sweep(orr_campaign *campaign, const orr_scenario_arguments *study, const char *folder, const orr_cluster_arguments *arguments, orr_problems *problems);

/**
 * Submits what is missing and waits for it, for at most three rounds. Leaves the campaign open and caught up, or, when it has not waited to the end (`--no-wait`, stopped), closed.
 * The exit status is that of the sweep so far: failed if runs are still missing.
 */
int orr_cli_sweep_on_cluster(orr_campaign *campaign, const orr_scenario_arguments *study, const orr_cluster_arguments *arguments, const orr_forecast *forecast, bool quiet, orr_problems *problems);

/** Takes what is queued of a study out of the queue. False with problems; true also if nothing is. */
bool orr_cli_cancel_on_cluster(const char *folder, orr_problems *problems);

/** `orrery sweep --task FILE -o FOLDER`: one task of an array. */
int orr_cli_sweep_task(int argc, char **argv);

#endif
