/**
 * Campaign: a study under way: its plan, its folder, its book, brought together and kept in step.
 *
 * Whoever opens it for writing holds the folder's lock until it is closed (or dies), so there is one writer. Opening it and catching up after any
 * kind of death is the same thing as starting: what lies in runs/ is done, all else is to be done.
 */
#ifndef ORRERY_STUDY_CAMPAIGN_H
#define ORRERY_STUDY_CAMPAIGN_H

#include "study/execute.h"
#include "study/forecast.h"
#include "study/manifest.h"
#include "study/plan.h"

typedef struct orr_campaign {
    orr_study        *study;
    orr_plan_of_study plan;
    orr_manifest     *manifest;
    char             *folder;
    int               lock; /**< file descriptor, -1: opened for reading */
    double            plan_s; /**< wall time that planning took */
    size_t            put_aside; /**< runs whose file could not be read and is now ADDRESS.h5.damaged; they are to be done again */
} orr_campaign;

/**
 * Opens the campaign of the study at `path`. `folder` NULL: out/NAME. With `write` the folder is made, locked, tidied and the plan entered into the book; without, a campaign
 * that was never started is refused. False with problems noted.
 */
bool orr_campaign_open(orr_campaign *campaign, const char *path, const char *const *overrides, size_t override_count, const char *folder, bool write, orr_problems *problems);

/** Opens the campaign in `folder` for reading, as it was started: its study with its overrides. False with problems noted. */
bool orr_campaign_reopen(orr_campaign *campaign, const char *folder, orr_problems *problems);

/** Opens it for writing; while another has it, waits for it up to so many seconds, or until stopped. */
bool orr_campaign_open_patiently(orr_campaign *campaign, const char *path, const char *const *overrides, size_t override_count, const char *folder, double patience_s, const volatile sig_atomic_t *stop, orr_problems *problems);

/** True if somebody has the folder open for writing; `process` is its number on its machine, 0 if not known. */
bool orr_campaign_in_use(const char *folder, long *process);

/** True if a process of this machine still runs. */
bool orr_campaign_process_lives(long process);

void orr_campaign_close(orr_campaign *campaign);

/** Brings the book up to what lies in runs/: records of runs that ended without being entered, runs whose file has gone or cannot be read. */
orr_status orr_campaign_catch_up(orr_campaign *campaign, orr_problems *problems);

/** Makes the study's seeds `count` and plans again. */
orr_status orr_campaign_extend(orr_campaign *campaign, size_t count, orr_problems *problems);

/** The runs that are not done yet. With a forecast each order has its expected time. */
orr_status orr_campaign_orders(const orr_campaign *campaign, const orr_forecast *forecast, orr_orders *orders);

/** What a forecast, or else the runs done so far, say of the time and disk of all orders. */
double orr_campaign_bytes(const orr_campaign *campaign, const orr_forecast *forecast, const orr_orders *orders);

/** Enters the end of a run. */
orr_status orr_campaign_ended(orr_campaign *campaign, const orr_orders *orders, const orr_run_end *end, orr_problems *problems);

/** Forgets and deletes all results of the plan (`--fresh`). */
orr_status orr_campaign_forget(orr_campaign *campaign, orr_problems *problems);

#endif
