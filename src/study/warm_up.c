#include "study/warm_up.h"

#include "statistics/mser.h"
#include "trace/summary.h"
#include "trace/summary_window.h"

#include <math.h>
#include <stdlib.h>

/* The series of the runs of a cell, as the book has them. */
typedef struct cell_series {
    orr_replication *replications;
    size_t           count;
    double           bin_ns;
} cell_series;

static void clear(cell_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        free((double *)s->replications[i].value);
    free(s->replications);
}

static bool add_series(cell_series *s, size_t policy, const char *json)
{
    cJSON *list = cJSON_Parse(json);
    size_t count = (size_t)cJSON_GetArraySize(list), i = 0;
    double *value = list == NULL ? NULL : calloc(count + 1, sizeof *value);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
        if (value != NULL)
            value[i++] = item->valuedouble;
    cJSON_Delete(list);
    if (value != NULL)
        s->replications[s->count++] = (orr_replication){policy, value, count};
    return value != NULL;
}

/* Those of `count` runs from `first` on, the runs of a policy after each other. */
static bool read_series(const orr_results *r, size_t first, size_t runs, cell_series *s)
{
    const orr_campaign *c = r->campaign;
    *s = (cell_series){.replications = calloc(runs + 1, sizeof *s->replications)};
    bool ok = s->replications != NULL;
    for (size_t i = 0; ok && i < runs; i++) {
        orr_manifest_row row;
        if (r->state[first + i] != ORR_RUN_DONE || !orr_manifest_get(c->manifest, c->plan.runs[first + i].address, &row) || row.in_system == NULL)
            continue;
        s->bin_ns = row.bin_ns;
        ok = add_series(s, i / c->study->seed_count, row.in_system);
    }
    return ok;
}

/* The summary from the warm-up on, from the book or from the file; an open book of one who only reads cannot keep it. */
static cJSON *window_of(const orr_campaign *c, const char *address, int64_t from_ns, bool *empty, orr_problems *problems)
{
    char *text = orr_manifest_window(c->manifest, address, from_ns), *path;
    cJSON *summary = text == NULL ? NULL : cJSON_Parse(text);
    free(text);
    if (summary != NULL || (path = orr_run_path(c->folder, address, ".h5")) == NULL)
        return summary;
    hid_t file = orr_result_open(path, problems);
    summary = file < 0 ? NULL : orr_summary_window(file, path, from_ns, empty, problems);
    if (file >= 0)
        H5Fclose(file);
    free(path);
    text = summary == NULL || c->lock < 0 ? NULL : cJSON_PrintUnformatted(summary);
    if (text != NULL && orr_manifest_set_window(c->manifest, address, from_ns, text, problems) != ORR_OK) {
        cJSON_Delete(summary);
        summary = NULL;
    }
    cJSON_free(text);
    return summary;
}

static void take_window(orr_results *r, size_t run, const cJSON *summary)
{
    for (size_t n = 0; n < r->name_count; n++) {
        double value = orr_summary_number(summary, r->names[n]);
        if (!isnan(value))
            r->value[run * r->name_count + n] = value;
    }
}

/* Replaces the values of so many runs by those from `*from_ns` on: of all of them, or of none, if one has no latency bin left by then. */
static orr_status delete_from(orr_results *r, size_t first, size_t runs, int64_t *from_ns, orr_problems *problems)
{
    const orr_campaign *c = r->campaign;
    cJSON **summary = *from_ns > 0 ? calloc(runs + 1, sizeof(cJSON *)) : NULL;
    orr_status status = *from_ns > 0 && summary == NULL ? ORR_NO_MEMORY : ORR_OK;
    bool empty = false;
    for (size_t i = 0; status == ORR_OK && summary != NULL && !empty && i < runs; i++)
        if (r->state[first + i] == ORR_RUN_DONE && (summary[i] = window_of(c, c->plan.runs[first + i].address, *from_ns, &empty, problems)) == NULL && !empty)
            status = orr_problems_any(problems) ? ORR_IO : ORR_NO_MEMORY;
    for (size_t i = 0; summary != NULL && i < runs; i++) {
        if (status == ORR_OK && !empty && summary[i] != NULL)
            take_window(r, first + i, summary[i]);
        cJSON_Delete(summary[i]);
    }
    free(summary);
    if (empty)
        *from_ns = ORR_TOO_COARSE;
    return status;
}

/* The shared truncation of so many runs, ns; ORR_UNSETTLED if there is none. False when out of memory. */
static bool truncation_of(const orr_results *r, size_t first, size_t runs, size_t policies, int64_t *from_ns)
{
    cell_series series;
    orr_truncation truncation = {0};
    bool ok = read_series(r, first, runs, &series) && orr_mser_shared(series.replications, series.count, policies, &truncation);
    clear(&series);
    *from_ns = truncation.settled ? (int64_t)((double)truncation.first * series.bin_ns) : ORR_UNSETTLED;
    return ok;
}

/* An end of a parameter is cut as the focus cell is, so that one without effect has none; or later, where its own runs take longer to settle. */
static orr_status delete_from_ends(orr_results *r, orr_problems *problems)
{
    const orr_study *s = r->campaign->study;
    int64_t focus = r->warm_up_ns[orr_study_cell_of(s, s->focus)];
    size_t seeds = s->seed_count, grid = orr_study_cells(s) * s->policy_count;
    orr_status status = ORR_OK;
    for (size_t i = 0; status == ORR_OK && focus >= 0 && i < 2 * s->parameter_count; i++) {
        int64_t from;
        if (!truncation_of(r, (grid + i) * seeds, seeds, 1, &from))
            return ORR_NO_MEMORY;
        from = from > focus ? from : focus;
        status = delete_from(r, (grid + i) * seeds, seeds, &from, problems);
    }
    return status;
}

orr_status orr_warm_up_delete(orr_results *r, orr_problems *problems)
{
    const orr_study *s = r->campaign->study;
    orr_status status = ORR_OK;
    size_t runs = s->policy_count * s->seed_count;
    if (r->campaign->lock >= 0)
        orr_manifest_begin(r->campaign->manifest);
    for (size_t cell = 0; status == ORR_OK && cell < orr_study_cells(s); cell++)
        status = truncation_of(r, cell * runs, runs, s->policy_count, &r->warm_up_ns[cell]) ? delete_from(r, cell * runs, runs, &r->warm_up_ns[cell], problems) : ORR_NO_MEMORY;
    status = status == ORR_OK ? delete_from_ends(r, problems) : status;
    if (r->campaign->lock >= 0)
        orr_manifest_commit(r->campaign->manifest);
    return status;
}
