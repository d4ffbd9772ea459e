#include "study/forecast.h"

#include "base/wall.h"
#include "clients/arrivals.h"
#include "trace/run.h"
#include "trace/summary.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child only: its alarm has nowhere else to write. */
static volatile sig_atomic_t time_is_up;

static void on_alarm(int number)
{
    (void)number;
    time_is_up = 1;
}

static double expected(const orr_world *w, int64_t until_ns)
{
    double requests = 0;
    for (uint32_t i = 0; i < w->cohort_count; i++)
        requests += orr_arrivals_expected(w, &w->cohorts[i], until_ns);
    return requests;
}

/* The trial's summary as text, for the parent; malloced, NULL if there is none. */
static char *summary_of(const char *path)
{
    orr_problems problems = {0};
    hid_t file = orr_result_open(path, &problems);
    cJSON *summary = file < 0 ? NULL : orr_summary(file, path, &problems);
    char *text = summary == NULL ? NULL : cJSON_PrintUnformatted(summary);
    if (file >= 0)
        H5Fclose(file);
    cJSON_Delete(summary);
    orr_problems_clear(&problems);
    return text;
}

/* Runs the world into a file that goes again; how big it was, how long that took, of how many requests, and its summary (may be NULL). False if it could not be run. */
static bool try_run(const orr_world *w, const char *path, double *bytes, double *seconds, double *requests, char **summary)
{
    orr_problems problems = {0};
    orr_run_result result;
    struct stat there = {0};
    double began = orr_wall_s();
    const orr_run_options options = {.output = path, .stop = &time_is_up};
    orr_status status = orr_run(w, &options, &result, &problems);
    bool ok = (status == ORR_OK || status == ORR_INTERRUPTED) && stat(path, &there) == 0;
    orr_problems_clear(&problems);
    *seconds = orr_wall_s() - began;
    if (ok && summary != NULL)
        *summary = summary_of(path);
    unlink(path);
    *bytes = (double)there.st_size;
    *requests = fmax(expected(w, status == ORR_OK ? w->duration_ns : result.end_ns), (double)result.offered);
    return ok;
}

/* In the child: a run that is stopped at once shows what every run costs, another one what its requests do. */
static void try_in_child(int out, const char *folder, const orr_orders *o, double seconds)
{
    const orr_order_group *g = &o->groups[o->orders[0].group];
    const struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds, .tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
    struct sigaction action = {.sa_handler = on_alarm};
    orr_problems problems = {0};
    orr_forecast f = {0};
    struct rusage usage;
    char *path = NULL, *summary = NULL;
    double began = orr_wall_s(), bytes, empty_s, wall, requests;
    orr_world *w = orr_world_load(o->scenario, g->overrides, g->count, &problems);
    if (w == NULL || asprintf(&path, "%s/work/forecast-%ld.h5", folder, (long)getpid()) < 0)
        _exit(1);
    time_is_up = 1;
    f.fixed_s = orr_wall_s() - began;
    if (!try_run(w, path, &f.fixed_bytes, &empty_s, &requests, NULL))
        _exit(1);
    f.fixed_s += empty_s;
    time_is_up = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    if (!try_run(w, path, &bytes, &wall, &requests, &summary))
        _exit(1);
    if (requests > 0) {
        f.s_per_request = fmax(0, wall - empty_s) / requests;
        f.bytes_per_request = fmax(0, bytes - f.fixed_bytes) / requests;
    }
    getrusage(RUSAGE_SELF, &usage);
    f.memory = (uint64_t)usage.ru_maxrss * 1024;
    FILE *pipe = fdopen(out, "w");
    bool ok = pipe != NULL && fwrite(&f, sizeof f, 1, pipe) == 1 && (summary == NULL || fputs(summary, pipe) >= 0);
    _exit(ok && fclose(pipe) == 0 ? 0 : 1);
}

bool orr_forecast_try(orr_forecast *f, const char *folder, const orr_orders *orders, double seconds, cJSON **summary)
{
    int ends[2], status;
    char *text = NULL;
    size_t size = 0;
    *f = (orr_forecast){0};
    *summary = NULL;
    if (orders->count == 0 || pipe(ends) != 0)
        return false;
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            try_in_child(ends[1], folder, orders, seconds);
        _exit(1);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    bool ok = pid > 0 && in != NULL && fread(f, sizeof *f, 1, in) == 1;
    if (ok && getdelim(&text, &size, '\0', in) > 0)
        *summary = cJSON_Parse(text);
    free(text);
    if (in != NULL)
        fclose(in);
    else
        close(ends[0]);
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (!ok)
        *f = (orr_forecast){0};
    return ok;
}

double orr_forecast_seconds(const orr_forecast *f, double requests) { return f->fixed_s + f->s_per_request * requests; }
double orr_forecast_bytes(const orr_forecast *f, double requests) { return f->fixed_bytes + f->bytes_per_request * requests; }
