#include "study/execute.h"

#include "base/wall.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 250, MOST_JOBS = 1024 };

typedef struct child {
    pid_t  pid; /* 0: free */
    size_t index;
    double began;
} child;

typedef struct pool {
    const orr_orders    *orders;
    const orr_execution *execution;
    orr_execution_facts *facts;
    child               *children;
    uint32_t             running;
    uint64_t             memory; /* that a run needs, as far as known */
    uint8_t             *killed; /* by order: how often */
    orr_world           *world;  /* of `world_group`; NULL: none, or it cannot be shared */
    uint32_t             world_group;
    double               at;     /* when busy_s was last brought up to date */
} pool;

uint32_t orr_cores(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > MOST_JOBS ? MOST_JOBS : (uint32_t)count;
}

static void account(pool *p)
{
    double t = orr_wall_s();
    p->facts->busy_s += (t - p->at) * (p->running < p->execution->jobs ? p->running : p->execution->jobs);
    p->at = t;
}

/* --- memory --- */

static uint64_t read_number(const char *path, const char *before)
{
    FILE *in = fopen(path, "r");
    char line[256];
    unsigned long long value = UINT64_MAX;
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, before, strlen(before)) == 0 && sscanf(line + strlen(before), "%llu", &value) == 1)
            break;
    if (in != NULL)
        fclose(in);
    return value;
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Bytes that this machine, or the group of processes that this one is limited to, has left. */
static uint64_t memory_left(void)
{
    uint64_t kib = read_number("/proc/meminfo", "MemAvailable:"), left = kib == UINT64_MAX ? UINT64_MAX : kib * 1024;
    uint64_t most = read_number("/sys/fs/cgroup/memory.max", ""), used = read_number("/sys/fs/cgroup/memory.current", "");
    return most == UINT64_MAX || used == UINT64_MAX ? left : smaller(left, most > used ? most - used : 0);
}

static uint64_t resident(pid_t pid)
{
    char path[64];
    unsigned long long whole, pages = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *in = fopen(path, "r");
    if (in == NULL || fscanf(in, "%llu %llu", &whole, &pages) != 2)
        pages = 0;
    if (in != NULL)
        fclose(in);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Room for one more, beside what the running ones will still take; a tenth is kept free. */
static bool memory_allows(const pool *p)
{
    uint64_t left = memory_left(), wanted = p->memory;
    if (p->running == 0)
        return true;
    for (uint32_t i = 0; i < p->execution->jobs; i++) {
        uint64_t has = p->children[i].pid != 0 ? resident(p->children[i].pid) : p->memory;
        wanted += has < p->memory ? p->memory - has : 0;
    }
    return wanted < left - left / 10;
}

/* --- children --- */

/* Loads the world when several runs of a group are to come, so that they can share it. */
static void share_world(pool *p, size_t index)
{
    const orr_order *order = &p->orders->orders[index];
    if (order->group == p->world_group)
        return;
    bool several = index + 1 < p->orders->count && p->orders->orders[index + 1].group == order->group;
    const orr_order_group *g = &p->orders->groups[order->group];
    orr_problems problems = {0};
    orr_world_destroy(p->world);
    p->world_group = order->group;
    p->world = several ? orr_world_load(p->orders->scenario, g->overrides, g->count, &problems) : NULL; /* NULL: the child will find out why */
    orr_problems_clear(&problems);
}

static bool begin(pool *p, size_t index)
{
    share_world(p, index);
    account(p);
    uint32_t free = 0;
    while (p->children[free].pid != 0)
        free++;
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGINT, SIG_IGN); /* the parent is told, and tells */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        _exit(orr_one_run(p->execution->folder, p->orders, index, p->world, p->execution->stop));
    }
    p->children[free] = (child){pid, index, orr_wall_s()};
    p->running++;
    return true;
}

static void take_end(pool *p, pid_t pid, int status, const struct rusage *usage)
{
    uint32_t i = 0;
    while (i < p->execution->jobs && p->children[i].pid != pid)
        i++;
    if (i == p->execution->jobs)
        return;
    account(p);
    child c = p->children[i];
    p->children[i].pid = 0;
    p->running--;
    orr_run_end end = {.index = c.index, .exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), .wall_s = orr_wall_s() - c.began,
                       .cpu_s = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) + 1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec),
                       .peak_memory = (uint64_t)usage->ru_maxrss * 1024};
    p->memory = end.peak_memory > p->memory ? end.peak_memory : p->memory;
    if (end.exit > 128 && !*p->execution->stop && p->killed[c.index]++ == 0)
        return; /* once more, later and alone */
    if (*p->execution->stop && end.exit != 0)
        return;
    end.record = orr_record_read(p->execution->folder, p->orders->orders[c.index].address);
    p->facts->done += end.exit == 0;
    p->facts->failed += end.exit != 0;
    if (p->execution->ended != NULL)
        p->execution->ended(p->execution->context, &end);
    cJSON_Delete(end.record);
}

/* Waits until a child has ended or a tick has passed, and takes all that have ended. */
static void wait_for_some(pool *p, const sigset_t *chld)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    struct rusage usage;
    int status;
    pid_t pid;
    bool any = false;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        take_end(p, pid, status, &usage);
        any = true;
    }
    if (!any && p->running > 0)
        sigtimedwait(chld, NULL, &tick);
    if (p->execution->tick != NULL)
        p->execution->tick(p->execution->context, p->running);
}

/* The first order from `from` on that is not done; skipping costs one look at the folder each. */
static size_t next_order(const pool *p, size_t from)
{
    while (from < p->orders->count && orr_run_is_done(p->execution->folder, p->orders->orders[from].address))
        from++;
    return from;
}

static void pass_stop_on(const pool *p)
{
    for (uint32_t i = 0; i < p->execution->jobs; i++)
        if (p->children[i].pid != 0)
            kill(p->children[i].pid, SIGTERM);
}

static bool run_all(pool *p, const sigset_t *chld)
{
    size_t next = next_order(p, 0);
    bool told = false, ok = true;
    while ((ok && next < p->orders->count && !*p->execution->stop) || p->running > 0) {
        while (ok && !*p->execution->stop && next < p->orders->count && p->running < p->execution->jobs && memory_allows(p)) {
            ok = begin(p, next) || (p->running > 0 && errno == EAGAIN);
            next = next_order(p, next + 1);
        }
        if (*p->execution->stop && !told) {
            pass_stop_on(p);
            told = true;
        }
        wait_for_some(p, chld);
    }
    for (size_t i = 0; ok && i < p->orders->count && !*p->execution->stop; i++) { /* those that were killed, one at a time */
        if (p->killed[i] != 1 || orr_run_is_done(p->execution->folder, p->orders->orders[i].address))
            continue;
        ok = begin(p, i);
        while (p->running > 0)
            wait_for_some(p, chld);
    }
    return ok;
}

orr_status orr_execute(const orr_orders *orders, const orr_execution *execution, orr_execution_facts *facts)
{
    pool p = {.orders = orders, .execution = execution, .facts = facts, .memory = execution->memory, .world_group = ORR_NONE, .at = orr_wall_s()};
    sigset_t chld, before;
    double began = p.at;
    *facts = (orr_execution_facts){0};
    p.children = calloc(execution->jobs, sizeof *p.children);
    p.killed = calloc(orders->count + 1, 1);
    bool ok = p.children != NULL && p.killed != NULL;
    if (ok) {
        sigemptyset(&chld);
        sigaddset(&chld, SIGCHLD);
        sigprocmask(SIG_BLOCK, &chld, &before);
        ok = run_all(&p, &chld);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    orr_world_destroy(p.world);
    free(p.children);
    free(p.killed);
    facts->wall_s = orr_wall_s() - began;
    return !ok ? ORR_NO_MEMORY : *execution->stop ? ORR_INTERRUPTED : ORR_OK;
}
