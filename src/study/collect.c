#include "study/collect.h"

#include "base/version.h"
#include "trace/metric.h"
#include "trace/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AXES, VALUES, RUNS, CELLS, ESTIMATES, ANCHORS, SENSITIVITY, TABLES };

#define U8   ORR_CELL_U8
#define U32  ORR_CELL_U32
#define U64  ORR_CELL_U64
#define F64  ORR_CELL_F64
#define TEXT ORR_CELL_TEXT

static const orr_column axes[] = {{"name", TEXT, "", "short name"}, {"key", TEXT, "", "key of the scenario; of linked keys all, joined by +"}, {"title", TEXT, "", "what the scenario says of it"},
                                  {"unit", TEXT, "", "of the numbers of its values"}, {"law", TEXT, "", "linear or log"}, {"count", U32, "1", "values on it"}};
static const orr_column values[] = {{"axis", U32, "1", "row of /axes"}, {"index", U32, "1", "of the value on its axis"}, {"text", TEXT, "", "as the study writes it"}, {"number", F64, "1", "in the unit of the axis; NaN if it is no number"}};
static const orr_column runs[] = {{"address", TEXT, "", "digest of scenario, files, policy, seed and version"}, {"policy", TEXT, "", "label"}, {"seed", U64, "1", "seed"}, {"cell", U32, "1", "combination of values of the axes, the last axis fastest"},
                                  {"status", TEXT, "", "done, failed or missing"}, {"kind", TEXT, "", "grid, or sensitivity: one parameter at one end of its range"}, {"wall", F64, "s", "time that it took"}, {"peak_memory", F64, "bytes", "of its process"},
                                  {"file", TEXT, "", "relative to this file"}, {"queues", TEXT, "", "stable, growing (its means depend on the duration), overloaded (for a time) or unknown (too few bins to tell)"}};
static const orr_column cells[] = {{"cell", U32, "1", "number of the cell"}, {"axis", U32, "1", "row of /axes"}, {"index", U32, "1", "of the value on that axis"}};
static const orr_column estimates[] = {{"cell", U32, "1", "number of the cell"}, {"policy", TEXT, "", "label"}, {"metric", TEXT, "", "name"}, {"count", U32, "1", "seeds"}, {"mean", F64, "1", "over seeds"}, {"low", F64, "1", "end of its interval"}, {"high", F64, "1", "other end"},
                                       {"pairs", U32, "1", "seeds that this policy and the baseline have"}, {"difference", F64, "1", "mean of policy - baseline over pairs"}, {"difference_low", F64, "1", "end of its interval"}, {"difference_high", F64, "1", "other end"},
                                       {"p", F64, "1", "two-sided, of no difference"}, {"significant", U8, "1", "1 if it stands among all claims of the study (Holm)"}, {"correlation", F64, "1", "that common seeds achieved"}};
static const orr_column anchors[] = {{"text", TEXT, "", "what it is"}, {"source", TEXT, "", "where the number comes from"}, {"metric", TEXT, "", "name"}, {"policy", TEXT, "", "label"}, {"cell", U32, "1", "number of the cell"}, {"least", F64, "1", "bound, NaN if open"}, {"most", F64, "1", "bound, NaN if open"},
                                     {"mean", F64, "1", "measured"}, {"low", F64, "1", "end of its interval"}, {"high", F64, "1", "other end"}, {"verdict", TEXT, "", "holds, fails (the interval leaves out the bounds) or open (it is too wide to tell)"}};
static const orr_column sensitivity[] = {{"key", TEXT, "", "parameter"}, {"text", TEXT, "", "what it is"}, {"end", TEXT, "", "low or high"}, {"value", TEXT, "", "of the parameter"}, {"mean", F64, "1", "of the metric"}, {"low", F64, "1", "end of its interval"}, {"high", F64, "1", "other end"},
                                         {"difference", F64, "1", "to the focus cell, mean over the seeds of both"}, {"difference_low", F64, "1", "end of its interval"}, {"difference_high", F64, "1", "other end"},
                                         {"significant", U8, "1", "1 if it stands among all ends (Holm)"}, {"unstable", U32, "1", "runs whose queues grew to the end: their means depend on the duration"}};

#define TABLE(path, columns, meaning) {path, meaning, columns, sizeof columns / sizeof *columns}

const orr_table_kind orr_study_tables[TABLES] = {
    [AXES] = TABLE("/axes", axes, "what was varied"),
    [VALUES] = TABLE("/axes/values", values, "values of the axes"),
    [RUNS] = TABLE("/runs", runs, "every run"),
    [CELLS] = TABLE("/cells", cells, "which value each cell has on each axis"),
    [ESTIMATES] = TABLE("/estimates", estimates, "what the report shows: by cell, policy and metric"),
    [ANCHORS] = TABLE("/anchors", anchors, "numbers that must come out"),
    [SENSITIVITY] = TABLE("/sensitivity", sensitivity, "one parameter at a time"),
};
const size_t orr_study_table_count = TABLES;

static const char *const method_names[] = {"auto", "replications", "terminating", "batch_means"};

/* --- tables --- */

typedef struct writer {
    const orr_results *results;
    const orr_study   *study;
    hid_t              file;
    orr_table          table[TABLES];
    bool               ok;
} writer;

#define ROW(id, ...) (w->ok = w->ok && orr_table_row(&w->table[id], __VA_ARGS__))
#define N(x) ((long long)(x))

static void write_axes(writer *w)
{
    const orr_study *s = w->study;
    for (size_t a = 0; a < s->axis_count; a++) {
        ROW(AXES, s->axes[a].name, s->axes[a].key, s->axes[a].title, s->axes[a].unit, s->axes[a].logarithmic ? "log" : "linear", N(s->axes[a].count));
        for (size_t i = 0; i < s->axes[a].count; i++)
            ROW(VALUES, N(a), N(i), s->axes[a].values[i].text, s->axes[a].values[i].number);
    }
    for (size_t c = 0; c < orr_study_cells(s); c++) {
        size_t index[ORR_MOST_AXES];
        orr_study_cell(s, c, index);
        for (size_t a = 0; a < s->axis_count; a++)
            ROW(CELLS, N(c), N(a), N(index[a]));
    }
}

static void write_runs(writer *w)
{
    static const char *const states[] = {"missing", "done", "failed"};
    const orr_plan_of_study *p = &w->results->campaign->plan;
    for (size_t i = 0; i < p->run_count; i++) {
        const orr_variant *v = &p->variants[p->runs[i].variant];
        char path[ORR_ADDRESS_BYTES + 16];
        snprintf(path, sizeof path, "runs/%s.h5", p->runs[i].address);
        ROW(RUNS, p->runs[i].address, w->study->policies[v->policy].label, N(p->runs[i].seed), N(v->cell), states[w->results->state[i]], v->parameter < 0 ? "grid" : "sensitivity", w->results->wall_s[i],
            w->results->peak_memory[i], path, w->results->state[i] == ORR_RUN_DONE ? orr_verdict_names[w->results->verdict[i]] : "");
    }
}

static void write_estimates(writer *w)
{
    const orr_results *r = w->results;
    size_t grid = orr_study_cells(w->study) * w->study->policy_count;
    for (size_t i = 0; i < grid * r->shown_count; i++) {
        const orr_result_estimate *e = &r->estimate[i];
        const orr_variant *v = &r->campaign->plan.variants[i / r->shown_count];
        ROW(ESTIMATES, N(v->cell), w->study->policies[v->policy].label, r->names[r->shown[i % r->shown_count]], N(e->own.count), e->own.mean, e->own.low, e->own.high, N(e->difference.count), e->difference.mean, e->difference.low,
            e->difference.high, e->difference.p, N(e->significant), e->correlation);
    }
    for (size_t i = 0; i < w->study->anchor_count; i++) {
        const orr_study_anchor *a = &w->study->anchors[i];
        orr_anchor_result m = orr_results_anchor(r, i);
        ROW(ANCHORS, a->text, a->source, a->metric, w->study->policies[a->policy].label, N(orr_study_cell_of(w->study, a->index)), a->least, a->most, m.measured.mean, m.measured.low, m.measured.high, orr_anchor_verdict_names[m.verdict]);
    }
    for (size_t i = 0; i < 2 * w->study->parameter_count; i++) {
        const orr_study_parameter *p = &w->study->parameters[i / 2];
        const orr_result_end *e = &r->end[i];
        ROW(SENSITIVITY, p->key, p->text, i % 2 == 0 ? "low" : "high", p->end[i % 2], e->own.mean, e->own.low, e->own.high, e->difference.mean, e->difference.low, e->difference.high, N(e->significant), N(orr_results_runs(r, grid + i).growing));
    }
}

/* One column each, as many as there are. */
static void write_metrics(writer *w)
{
    const orr_results *r = w->results;
    for (size_t n = 0; w->ok && n < r->name_count; n++) {
        orr_metric_words words;
        char name[512];
        orr_table table;
        orr_metric_describe(r->names[n], &words);
        snprintf(name, sizeof name, "%s", r->names[n]);
        for (char *c = name; *c != 0; c++)
            *c = *c == '/' ? '_' : *c; /* no name in HDF5 holds one */
        const orr_column column = {name, F64, *words.unit ? words.unit : "1", words.title};
        const orr_table_kind kind = {"/metrics", "numbers of the runs, rows as in /runs", &column, 1};
        w->ok = orr_table_create(&table, w->file, &kind) == ORR_OK;
        for (size_t i = 0; w->ok && i < r->campaign->plan.run_count; i++)
            w->ok = orr_table_row(&table, r->value[i * r->name_count + n]);
        w->ok = orr_table_close(&table) == ORR_OK && w->ok;
    }
}

static void write_links(writer *w)
{
    const orr_plan_of_study *p = &w->results->campaign->plan;
    hid_t group = H5Gcreate2(w->file, "/run", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    w->ok &= group >= 0 && orr_write_attribute_text(group, "long_name", "the runs that are done, each as it is in its own file") == ORR_OK;
    for (size_t i = 0; w->ok && i < p->run_count; i++) {
        char path[ORR_ADDRESS_BYTES + 16];
        if (w->results->state[i] != ORR_RUN_DONE || H5Lexists(group, p->runs[i].address, H5P_DEFAULT) > 0)
            continue;
        snprintf(path, sizeof path, "runs/%s.h5", p->runs[i].address);
        w->ok = H5Lcreate_external(path, "/", group, p->runs[i].address, H5P_DEFAULT, H5P_DEFAULT) >= 0;
    }
    H5Gclose(group);
}

static void write_head(writer *w)
{
    const orr_study *s = w->study;
    const orr_results *r = w->results;
    int64_t warm_up = 0;
    for (size_t c = 0; c < orr_study_cells(s); c++)
        warm_up = r->warm_up_ns[c] > warm_up ? r->warm_up_ns[c] : warm_up;
    const struct {
        const char *name, *text;
    } texts[] = {{"kind", "study"}, {"orrery_version", ORR_VERSION}, {"status", r->failed + r->missing == 0 ? "complete" : "partial"}, {"name", s->name}, {"question", s->question}, {"surprise", s->surprise},
                 {"baseline", s->policies[s->baseline].label}, {"method", method_names[r->method]}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        w->ok = w->ok && orr_write_attribute_text(w->file, texts[i].name, texts[i].text) == ORR_OK;
    w->ok = w->ok && orr_write_attribute_integer(w->file, "format_version", ORR_FORMAT_VERSION) == ORR_OK && orr_write_attribute_integer(w->file, "warm_up", warm_up) == ORR_OK &&
            orr_write_attribute_double(w->file, "level", s->level) == ORR_OK;
    hid_t group = H5Gcreate2(w->file, "/study", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    w->ok = w->ok && group >= 0 && orr_write_text(w->file, "/study/text", s->text) == ORR_OK;
    H5Gclose(group);
}

static bool write_all(writer *w)
{
    w->ok = true;
    write_head(w);
    for (int t = 0; t < TABLES; t++)
        w->ok = w->ok && orr_table_create(&w->table[t], w->file, &orr_study_tables[t]) == ORR_OK;
    if (w->ok) {
        write_axes(w);
        write_runs(w);
        write_estimates(w);
        write_metrics(w);
        write_links(w);
    }
    for (int t = 0; t < TABLES; t++)
        w->ok = orr_table_close(&w->table[t]) == ORR_OK && w->ok;
    return w->ok;
}

orr_status orr_collect(const orr_results *results, orr_problems *problems)
{
    writer w = {.results = results, .study = results->campaign->study};
    char *path, *made;
    if (asprintf(&path, "%s/study.h5", results->campaign->folder) < 0)
        return ORR_NO_MEMORY;
    if (asprintf(&made, "%s/work/study-%ld.h5", results->campaign->folder, (long)getpid()) < 0) {
        free(path);
        return ORR_NO_MEMORY;
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    w.file = H5Fcreate(made, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = w.file >= 0 && write_all(&w);
    ok = w.file >= 0 && H5Fclose(w.file) >= 0 && ok;
    ok = ok && rename(made, path) == 0;
    if (!ok) {
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be written: %s", strerror(errno));
        unlink(made);
    }
    free(path);
    free(made);
    return ok ? ORR_OK : ORR_IO;
}

char *orr_collect_reference(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fprintf(out, "# The file of a study\n\n`study.h5` in the folder of a study, beside `runs/`. One group per table, one dataset per column, each with the attributes `units` and `long_name`.\n"
                 "Attributes of `/`: `kind` (`study`), `format_version`, `orrery_version`, `status` (`complete`, or `partial` while runs are missing or failed), `name`, `question`,\n"
                 "`surprise`, `baseline`, `level`, `method`, `warm_up` (ns). `/study/text` is the resolved study. `/metrics` has one column per number of `orrery summary --json`\n"
                 "(`latency.ttft.p99`), rows as in `/runs`. `/run/ADDRESS` is each run, as it is in its own file ([the file of a run](file.md)).\n");
    orr_tables_reference(out, orr_study_tables, TABLES);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
