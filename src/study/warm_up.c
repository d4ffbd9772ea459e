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

static bool read_cell(const orr_results *r, size_t cell, cell_series *s)
{
    const orr_campaign *c = r->campaign;
    size_t runs = c->study->policy_count * c->study->seed_count, first = cell * runs;
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
static cJSON *window_of(const orr_campaign *c, const char *address, int64_t from_ns, orr_problems *problems)
{
    char *text = orr_manifest_window(c->manifest, address, from_ns), *path;
    cJSON *summary = text == NULL ? NULL : cJSON_Parse(text);
    free(text);
    if (summary != NULL || (path = orr_run_path(c->folder, address, ".h5")) == NULL)
        return summary;
    hid_t file = orr_result_open(path, problems);
    summary = file < 0 ? NULL : orr_summary_window(file, path, from_ns, problems);
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

static orr_status replace_values(orr_results *r, size_t cell, int64_t from_ns, orr_problems *problems)
{
    const orr_campaign *c = r->campaign;
    size_t runs = c->study->policy_count * c->study->seed_count, first = cell * runs;
    for (size_t i = first; i < first + runs; i++) {
        if (r->state[i] != ORR_RUN_DONE)
            continue;
        cJSON *summary = window_of(c, c->plan.runs[i].address, from_ns, problems);
        if (summary == NULL)
            return orr_problems_any(problems) ? ORR_IO : ORR_NO_MEMORY;
        for (size_t n = 0; n < r->name_count; n++) {
            double value = orr_summary_number(summary, r->names[n]);
            if (!isnan(value))
                r->value[i * r->name_count + n] = value;
        }
        cJSON_Delete(summary);
    }
    return ORR_OK;
}

orr_status orr_warm_up_delete(orr_results *r, orr_problems *problems)
{
    orr_status status = ORR_OK;
    if (r->campaign->lock >= 0)
        orr_manifest_begin(r->campaign->manifest);
    for (size_t cell = 0; status == ORR_OK && cell < orr_study_cells(r->campaign->study); cell++) {
        cell_series series;
        orr_truncation truncation = {0};
        bool ok = read_cell(r, cell, &series) && orr_mser_shared(series.replications, series.count, r->campaign->study->policy_count, &truncation);
        clear(&series);
        r->warm_up_ns[cell] = truncation.settled ? (int64_t)((double)truncation.first * series.bin_ns) : -1;
        status = !ok ? ORR_NO_MEMORY : r->warm_up_ns[cell] > 0 ? replace_values(r, cell, r->warm_up_ns[cell], problems) : ORR_OK;
    }
    if (r->campaign->lock >= 0)
        orr_manifest_commit(r->campaign->manifest);
    return status;
}
