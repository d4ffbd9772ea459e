#include "study/campaign.h"

#include "base/wall.h"
#include "trace/summary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* --- the folder --- */

enum { LOCK_PAUSE_US = 20000 };
static const double A_LOOK_S = 0.1; /* who only looks (orr_campaign_in_use) holds the lock for less */

static bool take_lock(orr_campaign *c, double patience_s, const volatile sig_atomic_t *stop, orr_problems *problems)
{
    char *path, holder[32] = "";
    if (asprintf(&path, "%s/lock", c->folder) < 0)
        return false;
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = c->lock >= 0 && flock(c->lock, LOCK_EX | LOCK_NB) == 0;
    for (double began = orr_wall_s(); !ok && c->lock >= 0 && errno == EWOULDBLOCK && orr_wall_s() - began < patience_s && (stop == NULL || !*stop);) {
        usleep(LOCK_PAUSE_US);
        ok = flock(c->lock, LOCK_EX | LOCK_NB) == 0;
    }
    if (!ok) {
        ssize_t got = c->lock < 0 ? 0 : read(c->lock, holder, sizeof holder - 1);
        holder[got > 0 ? got : 0] = 0;
        orr_problem(problems, (orr_where){c->folder, 0, 0}, c->lock >= 0 && errno == EWOULDBLOCK ? "is in use by another sweep (process %s)" : "cannot be locked: %s", c->lock >= 0 && errno == EWOULDBLOCK ? holder : strerror(errno));
    } else if (ftruncate(c->lock, 0) == 0) {
        dprintf(c->lock, "%ld", (long)getpid());
    }
    free(path);
    return ok;
}

bool orr_campaign_in_use(const char *folder, long *process)
{
    char *path, holder[32] = "";
    int lock = asprintf(&path, "%s/lock", folder) < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    bool used = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ssize_t got = used ? read(lock, holder, sizeof holder - 1) : 0;
    *process = got > 0 ? strtol(holder, NULL, 10) : 0;
    if (lock >= 0)
        close(lock);
    free(path);
    return used;
}

bool orr_campaign_process_lives(long process)
{
    char path[64], state = 'Z';
    if (process <= 0 || (kill((pid_t)process, 0) != 0 && errno != EPERM))
        return false;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *in = fopen(path, "r");
    bool read = in != NULL && fscanf(in, "%*d (%*[^)]) %c", &state) == 1;
    if (in != NULL)
        fclose(in);
    return !read || (state != 'Z' && state != 'X'); /* dead, but nobody has asked how it ended: the first process of some containers never does */
}

/* Takes away what processes of this machine that are no more have left in work/. */
static void tidy(const orr_campaign *c)
{
    char *path, host[65] = "";
    gethostname(host, sizeof host - 1);
    DIR *folder = asprintf(&path, "%s/work", c->folder) < 0 ? NULL : opendir(path);
    size_t n = strlen(host);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        char *end, *file;
        long pid = strncmp(e->d_name, host, n) == 0 && e->d_name[n] == '-' ? strtol(e->d_name + n + 1, &end, 10) : 0;
        if (strncmp(e->d_name, "forecast-", 9) == 0)
            pid = strtol(e->d_name + 9, &end, 10);
        if (pid <= 0 || orr_campaign_process_lives(pid) || asprintf(&file, "%s/%s", path, e->d_name) < 0)
            continue;
        unlink(file);
        free(file);
    }
    if (folder != NULL)
        closedir(folder);
    free(path);
}

/* --- opening --- */

/* How the study was started: without them its plan would be another one. */
static orr_status note_overrides(orr_campaign *c, const char *const *overrides, size_t count, orr_problems *problems)
{
    cJSON *list = cJSON_CreateStringArray(overrides, (int)count);
    char *text = cJSON_PrintUnformatted(list);
    orr_status status = text == NULL ? ORR_NO_MEMORY : orr_manifest_set_note(c->manifest, "overrides", text, problems);
    cJSON_free(text);
    cJSON_Delete(list);
    return status;
}

/* Seeds that a goal has asked for are part of the study as long as it has the goal. */
static bool take_up_extension(orr_campaign *c)
{
    const orr_study *s = c->study;
    size_t most = s->precision.metric != NULL ? s->precision.most : 0;
    if (s->select.metric != NULL && s->select.most > most)
        most = s->select.most;
    char *note = orr_manifest_note(c->manifest, "seeds");
    size_t seeds = note == NULL ? 0 : strtoull(note, NULL, 10);
    free(note);
    seeds = seeds < most ? seeds : most;
    return seeds <= s->seed_count || (orr_study_extend_seeds(c->study, seeds) && orr_plan_extend(&c->plan));
}

static bool open_it(orr_campaign *c, const char *path, const char *const *overrides, size_t count, const char *folder, bool write, double patience_s, const volatile sig_atomic_t *stop, orr_problems *problems)
{
    double began = orr_wall_s();
    *c = (orr_campaign){.lock = -1};
    c->study = orr_study_load(path, overrides, count, problems);
    bool ok = c->study != NULL && (folder != NULL ? (c->folder = strdup(folder)) != NULL : asprintf(&c->folder, "out/%s", c->study->name) >= 0);
    ok = ok && orr_plan_study(&c->plan, c->study, problems);
    if (ok && write)
        ok = orr_study_folder_make(c->folder, problems) && take_lock(c, patience_s, stop, problems);
    ok = ok && (c->manifest = orr_manifest_open(c->folder, write, problems)) != NULL && take_up_extension(c);
    if (ok && write) {
        tidy(c);
        ok = orr_manifest_plan(c->manifest, &c->plan, c->study->scenario, problems) == ORR_OK && note_overrides(c, overrides, count, problems) == ORR_OK;
    }
    c->plan_s = orr_wall_s() - began;
    if (!ok)
        orr_campaign_close(c);
    return ok;
}

bool orr_campaign_open(orr_campaign *c, const char *path, const char *const *overrides, size_t count, const char *folder, bool write, orr_problems *problems)
{
    return open_it(c, path, overrides, count, folder, write, A_LOOK_S, NULL, problems);
}

bool orr_campaign_open_patiently(orr_campaign *c, const char *path, const char *const *overrides, size_t count, const char *folder, double patience_s, const volatile sig_atomic_t *stop, orr_problems *problems)
{
    return open_it(c, path, overrides, count, folder, true, patience_s, stop, problems);
}

bool orr_campaign_reopen(orr_campaign *c, const char *folder, orr_problems *problems)
{
    orr_manifest *manifest = orr_manifest_open(folder, false, problems);
    if (manifest == NULL)
        return false;
    char *study = orr_manifest_note(manifest, "study"), *text = orr_manifest_note(manifest, "overrides");
    orr_manifest_close(manifest);
    cJSON *list = text == NULL ? NULL : cJSON_Parse(text);
    size_t count = (size_t)cJSON_GetArraySize(list), i = 0;
    const char **overrides = calloc(count + 1, sizeof *overrides);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
        if (overrides != NULL && cJSON_IsString(item))
            overrides[i++] = item->valuestring;
    if (study == NULL)
        orr_problem(problems, (orr_where){folder, 0, 0}, "is not the folder of a study: its manifest names none");
    problems->out_of_memory |= overrides == NULL;
    bool ok = study != NULL && overrides != NULL && orr_campaign_open(c, study, overrides, i, folder, false, problems);
    free(overrides);
    cJSON_Delete(list);
    free(study);
    free(text);
    return ok;
}

void orr_campaign_close(orr_campaign *c)
{
    orr_manifest_close(c->manifest);
    orr_plan_clear(&c->plan);
    orr_study_destroy(c->study);
    if (c->lock >= 0)
        close(c->lock);
    free(c->folder);
    *c = (orr_campaign){.lock = -1};
}

orr_status orr_campaign_extend(orr_campaign *c, size_t count, orr_problems *problems)
{
    if (!orr_study_extend_seeds(c->study, count) || !orr_plan_extend(&c->plan))
        return ORR_NO_MEMORY;
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", count);
    orr_status status = orr_manifest_set_note(c->manifest, "seeds", digits, problems);
    return status != ORR_OK ? status : orr_manifest_plan(c->manifest, &c->plan, c->study->scenario, problems);
}

/* --- in step with the files --- */

/* The record of a run whose file is there: as its process left it, or made again from the file. */
static cJSON *record_of(const orr_campaign *c, const char *address, orr_problems *problems)
{
    cJSON *record = orr_record_read(c->folder, address);
    if (record != NULL)
        return record;
    char *path = orr_run_path(c->folder, address, ".h5");
    record = path == NULL ? NULL : cJSON_CreateObject();
    if (record != NULL && !orr_record_add_results(record, path, problems)) {
        cJSON_Delete(record);
        record = NULL;
    }
    free(path);
    const cJSON *summary = cJSON_GetObjectItemCaseSensitive(record, "summary");
    if (record != NULL) {
        cJSON_AddNumberToObject(record, "wall_s", orr_summary_number(summary, "speed.wall_s"));
        cJSON_AddNumberToObject(record, "peak_memory", orr_summary_number(summary, "speed.peak_rss_bytes"));
        cJSON_AddNumberToObject(record, "requests", orr_summary_number(summary, "requests.offered"));
        cJSON_AddNumberToObject(record, "bytes", (double)orr_run_bytes(c->folder, address));
    }
    return record;
}

static void drop_record(const orr_campaign *c, const char *address)
{
    char *path = orr_run_path(c->folder, address, ".json");
    if (path != NULL)
        unlink(path);
    free(path);
}

static orr_status enter(orr_campaign *c, const char *address, int exit, const cJSON *record, orr_problems *problems)
{
    orr_status status = orr_manifest_end(c->manifest, address, exit, record, problems);
    if (status == ORR_OK)
        drop_record(c, address);
    return status;
}

orr_status orr_campaign_ended(orr_campaign *c, const orr_orders *orders, const orr_run_end *end, orr_problems *problems)
{
    return enter(c, orders->orders[end->index].address, end->exit, end->record, problems);
}

/* A file that is there and not as it was entered: a run that is done, unless it cannot be read (a disk that was full, a copy cut short). */
static orr_status enter_found(orr_campaign *c, const char *address, orr_problems *problems)
{
    orr_problems unread = {0};
    cJSON *record = record_of(c, address, &unread);
    orr_status status = record != NULL ? enter(c, address, 0, record, problems) : unread.out_of_memory ? ORR_NO_MEMORY : ORR_OK;
    if (record == NULL && status == ORR_OK) {
        char *path = orr_run_path(c->folder, address, ".h5"), *aside = orr_run_path(c->folder, address, ".h5.damaged");
        status = path == NULL || aside == NULL ? ORR_NO_MEMORY : rename(path, aside) == 0 ? ORR_OK : ORR_IO;
        if (status == ORR_IO)
            orr_problem(problems, (orr_where){path, 0, 0}, "cannot be put aside: %s", strerror(errno));
        drop_record(c, address);
        status = status == ORR_OK ? orr_manifest_forget(c->manifest, address, problems) : status;
        c->put_aside += status == ORR_OK;
        free(path);
        free(aside);
    }
    orr_problems_clear(&unread);
    cJSON_Delete(record);
    return status;
}

orr_status orr_campaign_catch_up(orr_campaign *c, orr_problems *problems)
{
    orr_status status = ORR_OK;
    orr_manifest_begin(c->manifest);
    for (size_t i = 0; status == ORR_OK && i < c->plan.run_count; i++) {
        const char *address = c->plan.runs[i].address;
        orr_manifest_row row;
        bool known = orr_manifest_get(c->manifest, address, &row);
        int64_t bytes = orr_run_bytes(c->folder, address);
        orr_run_state state = known ? row.state : ORR_RUN_MISSING;
        bool done = bytes >= 0;
        if (done && (state != ORR_RUN_DONE || row.bytes != (double)bytes)) {
            status = enter_found(c, address, problems);
        } else if (!done && state == ORR_RUN_DONE) {
            status = orr_manifest_forget(c->manifest, address, problems);
        } else if (!done) { /* a task of a cluster may have left word of its failure */
            cJSON *record = orr_record_read(c->folder, address), *exit = record == NULL ? NULL : cJSON_GetObjectItem(record, "exit");
            if (cJSON_IsNumber(exit) && exit->valueint != 0)
                status = enter(c, address, exit->valueint, record, problems);
            cJSON_Delete(record);
        }
    }
    orr_manifest_commit(c->manifest);
    return status;
}

orr_status orr_campaign_forget(orr_campaign *c, orr_problems *problems)
{
    orr_status status = ORR_OK;
    orr_manifest_begin(c->manifest);
    for (size_t i = 0; status == ORR_OK && i < c->plan.run_count; i++) {
        char *path = orr_run_path(c->folder, c->plan.runs[i].address, ".h5");
        if (path != NULL)
            unlink(path);
        free(path);
        drop_record(c, c->plan.runs[i].address);
        status = orr_manifest_forget(c->manifest, c->plan.runs[i].address, problems);
    }
    orr_manifest_commit(c->manifest);
    return status;
}

/* --- what is to be done --- */

orr_status orr_campaign_orders(const orr_campaign *c, const orr_forecast *forecast, orr_orders *o)
{
    uint32_t group = ORR_NONE, last = ORR_NONE;
    *o = (orr_orders){.scenario = strdup(c->study->scenario)};
    bool ok = o->scenario != NULL;
    for (size_t i = 0; ok && i < c->plan.run_count; i++) {
        const orr_planned_run *r = &c->plan.runs[i];
        const orr_variant *v = &c->plan.variants[r->variant];
        if (orr_run_is_done(c->folder, r->address))
            continue;
        if (r->variant != last) {
            group = orr_orders_add_group(o, v->overrides, v->count);
            last = r->variant;
        }
        orr_order order = {.group = group, .seed = r->seed, .expected_s = forecast != NULL ? orr_forecast_seconds(forecast, v->requests) : 0};
        memcpy(order.address, r->address, sizeof order.address);
        ok = group != ORR_NONE && orr_orders_add(o, &order);
    }
    if (ok)
        return ORR_OK;
    orr_orders_clear(o);
    return ORR_NO_MEMORY;
}

double orr_campaign_bytes(const orr_campaign *c, const orr_forecast *forecast, const orr_orders *orders)
{
    double bytes = 0;
    size_t k = 0;
    for (size_t i = 0; i < c->plan.run_count && k < orders->count; i++)
        if (strcmp(c->plan.runs[i].address, orders->orders[k].address) == 0) {
            bytes += orr_forecast_bytes(forecast, c->plan.variants[c->plan.runs[i].variant].requests);
            k++;
        }
    return bytes;
}
