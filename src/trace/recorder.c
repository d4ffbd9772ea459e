#include "trace/recorder.h"

#include "base/time.h"
#include "base/version.h"
#include "trace/electricity.h"
#include "trace/pack.h"
#include "trace/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NANO = 1000000000 };

/* Integrals of one pool over the bin. */
typedef struct pool_bin {
    double   slot_ns, batch_ns, decode_ns, prompt_ns, held_ns; /* held: replicas that have accelerators */
    uint64_t waiting, kv; /* at its end */
} pool_bin;

/* Latency over one class, region and metric within the current latency bin; and over one site for the whole run. */
struct orr_recorder {
    const orr_world *world;
    char            *path, *partial, *fresh; /* where it ends, while it grows, until it can be opened */
    hid_t            file;
    orr_table        table[ORR_TABLES];
    orr_shelf        shelf;
    orr_histogram   *regions;   /* [class][area][metric]: the current latency bin */
    orr_histogram   *by_site;   /* [ingress][metric]: all of the run */
    uint64_t        *sum_count; /* [cohort][metric] */
    unsigned __int128 *sum;
    int64_t         *largest;
    pool_bin        *pools;           /* current bin, up to metered_ns */
    orr_work        *work;            /* by pool, of one piece of it */
    orr_electricity  electricity;
    uint64_t        *link_bytes;      /* [link][2]: current bin */
    orr_array        rows;            /* of orr_request_row: current bin */
    uint64_t         reasons[ORR_REASONS];
    int64_t          bin_start, latency_start, metered_ns;
    uint64_t         seen_tokens, seen_offered; /* what the series has held, for the audit */
    bool             ok;
};

static orr_table *table(orr_recorder *r, orr_table_id id) { return &r->table[id]; }

#define ROW(id, ...) (r->ok &= orr_table_row(table(r, id), __VA_ARGS__))
#define INT(value) ((long long)(value))

static double seconds_or_inf(int64_t ns) { return ns == ORR_NEVER ? INFINITY : (double)ns / ORR_SECOND; }

static void write_info(orr_recorder *r)
{
    static const char *const kinds[] = {"hub", "province", "metro", "edge", "overseas", "landing", "transit"};
    const orr_world *w = r->world;
    for (uint32_t s = 0; s < w->site_count; s++) {
        const orr_site_info *i = &w->sites[s];
        uint64_t clients = 0, accelerators = 0;
        for (uint32_t c = 0; c < w->cohort_count; c++)
            clients += w->cohorts[c].site == s ? w->cohorts[c].clients : 0;
        for (uint32_t p = 0; p < w->pool_count; p++)
            if (w->pools[p].site == s && w->pools[p].accelerator != ORR_NONE)
                accelerators += (uint64_t)w->pools[p].group * w->pools[p].at_start;
        ROW(ORR_TABLE_SITES_INFO, i->id, i->name, kinds[i->kind], i->region, i->macro_region, i->country, i->latitude, i->longitude, INT(i->utc_offset_s), i->pue,
            i->carbon_g_per_kwh, i->electricity_yuan_per_kwh, INT(clients), INT(accelerators), INT(s < w->used_count), i->pue_fixed_share,
            i->grid_hours == ORR_NONE ? "" : w->grid_hours[i->grid_hours].name);
    }
    for (uint32_t l = 0; l < w->link_count; l++) {
        const orr_link *k = &w->links[l];
        ROW(ORR_TABLE_LINKS_INFO, w->sites[k->a].id, w->sites[k->b].id, k->km, INT(k->delay_ns), k->capacity_bit_s, k->transport_price);
    }
    for (uint32_t p = 0; p < w->pool_count; p++) {
        const orr_pool *k = &w->pools[p];
        const orr_accelerator *a = k->accelerator == ORR_NONE ? NULL : &w->accelerators[k->accelerator];
        const orr_calibration *speed = k->calibration == ORR_NONE ? NULL : &w->calibrations[k->calibration];
        ROW(ORR_TABLE_POOLS_INFO, k->id, INT(k->site), INT(k->service), a ? a->title : "", a ? a->confidence : "", k->owner, INT(k->group), INT(k->at_start), INT(k->slots),
            INT(k->kv_tokens), k->price_factor, speed ? speed->name : "", speed ? speed->confidence : "", a ? a->rent_yuan_per_hour : 0.0);
    }
    for (uint32_t c = 0; c < w->class_count; c++) {
        const orr_class *k = &w->classes[c];
        ROW(ORR_TABLE_CLASSES_INFO, k->name, k->title, INT(k->service), INT(llround(k->population)), k->data_class, seconds_or_inf(k->slo_first_token_ns),
            seconds_or_inf(k->slo_per_token_ns), seconds_or_inf(k->slo_total_ns));
    }
    for (uint32_t s = 0; s < w->service_count; s++) {
        const orr_service *k = &w->services[s];
        const orr_model_info *m = k->model == ORR_NONE ? NULL : &w->models[k->model];
        ROW(ORR_TABLE_SERVICES_INFO, k->name, k->title, k->kind == ORR_SERVICE_LLM ? "llm" : "station", m ? m->name : "", m ? m->vendor : "");
    }
    for (uint32_t o = 0; o < w->origin_count; o++) {
        const orr_origin *k = &w->origins[o];
        ROW(ORR_TABLE_ORIGINS, k->catalogue, k->row, k->source, k->as_of, k->confidence, k->range);
    }
}

/* What results call the policy. */
static const char *label_of(const orr_grid *grid) { return grid->world->policy_label != NULL ? grid->world->policy_label : grid->host.policy->name; }

static orr_status write_head(orr_recorder *r, const orr_grid *grid)
{
    const orr_world *w = r->world;
    char hash[32], regions[4096] = "";
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)w->scenario_hash);
    for (uint32_t a = 0; a < w->area_count; a++) {
        size_t used = strlen(regions);
        snprintf(regions + used, sizeof regions - used, "%s%s", a > 0 ? "|" : "", w->areas[a]);
    }
    orr_status status = orr_write_attribute_integer(r->file, "format_version", ORR_FORMAT_VERSION);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "orrery_version", ORR_VERSION);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "status", "partial");
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "seed", (int64_t)w->seed);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "policy", label_of(grid));
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "oracle", orr_host_sees_truth(&grid->host));
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "simulated_until", 0);
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "start", w->start_s);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "title", w->title);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "description", w->description);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "scenario_file", w->scenario_path);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "scenario_hash", hash);
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "bin_width", w->bin_ns);
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "latency_bin_width", w->latency_bin_ns);
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "regions", regions);
    status = status != ORR_OK ? status : orr_write_text(r->file, "/scenario/text", w->text);
    return status;
}

/* A branch has another policy than the run that it left, and so another resolved text and hash. */
static orr_status rewrite_head(orr_recorder *r, const orr_grid *grid)
{
    char hash[32];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r->world->scenario_hash);
    char *policy = orr_read_attribute_text(r->file, "policy");
    bool same = policy != NULL && strcmp(policy, label_of(grid)) == 0;
    free(policy);
    if (same)
        return ORR_OK;
    H5Adelete(r->file, "policy");
    H5Adelete(r->file, "scenario_hash");
    H5Ldelete(r->file, "/scenario/text", H5P_DEFAULT);
    orr_status status = orr_write_attribute_text(r->file, "policy", label_of(grid));
    status = status != ORR_OK ? status : orr_write_attribute_integer(r->file, "oracle", orr_host_sees_truth(&grid->host));
    status = status != ORR_OK ? status : orr_write_attribute_text(r->file, "scenario_hash", hash);
    return status != ORR_OK ? status : orr_write_text(r->file, "/scenario/text", r->world->text);
}

static bool allocate(orr_recorder *r)
{
    const orr_world *w = r->world;
    r->regions = calloc((size_t)w->class_count * w->area_count * ORR_METRICS + 1, sizeof *r->regions);
    r->by_site = calloc((size_t)w->ingress_count * ORR_METRICS + 1, sizeof *r->by_site);
    r->sum_count = calloc((size_t)w->cohort_count * ORR_METRICS + 1, sizeof *r->sum_count);
    r->sum = calloc((size_t)w->cohort_count * ORR_METRICS + 1, sizeof *r->sum);
    r->largest = calloc((size_t)w->cohort_count * ORR_METRICS + 1, sizeof *r->largest);
    r->pools = calloc(w->pool_count + 1, sizeof *r->pools);
    r->work = calloc(w->pool_count + 1, sizeof *r->work);
    bool metered = orr_electricity_init(&r->electricity, w);
    r->link_bytes = calloc(2 * (size_t)w->link_count + 1, sizeof *r->link_bytes);
    return r->regions && r->by_site && r->sum_count && r->sum && r->largest && r->pools && r->work && metered && r->link_bytes;
}

static void destroy(orr_recorder *r)
{
    if (r == NULL)
        return;
    for (int t = 0; t < ORR_TABLES; t++)
        orr_table_close(&r->table[t]);
    if (r->file > 0)
        H5Fclose(r->file);
    void *const owned[] = {r->regions, r->by_site, r->sum_count, r->sum, r->largest, r->pools, r->work, r->link_bytes, r->path, r->partial, r->fresh};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    orr_electricity_clear(&r->electricity);
    orr_array_clear(&r->rows);
    orr_array_clear(&r->shelf.chunks);
    free(r);
}

void orr_recorder_discard(orr_recorder *r)
{
    if (r == NULL)
        return;
    char *partial = r->partial;
    r->partial = NULL;
    destroy(r);
    if (partial != NULL)
        unlink(partial);
    free(partial);
}

/* OUT.h5 -> OUT.partial.h5, say */
static char *other_name(const char *path, const char *ending)
{
    size_t n = strlen(path), stem = n > 3 && strcmp(path + n - 3, ".h5") == 0 ? n - 3 : n;
    char *name = malloc(n + 16);
    if (name != NULL)
        snprintf(name, n + 16, "%.*s%s", (int)stem, path, ending);
    return name;
}

/* Metadata stays in memory until a flush: between two flushes the file on disk is whole, so a run killed then leaves one that opens. */
static void keep_metadata(hid_t access)
{
    H5AC_cache_config_t config = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (H5Pget_mdc_config(access, &config) < 0)
        return;
    config.evictions_enabled = 0;
    config.incr_mode = H5C_incr__off;
    config.flash_incr_mode = H5C_flash_incr__off;
    config.decr_mode = H5C_decr__off;
    H5Pset_mdc_config(access, &config);
}

static orr_status flush(orr_recorder *r)
{
    orr_status status = r->ok ? ORR_OK : ORR_NO_MEMORY;
    for (int t = 0; t < ORR_TABLES && status == ORR_OK; t++)
        status = orr_table_flush(&r->table[t]);
    if (status == ORR_OK && H5Fflush(r->file, H5F_SCOPE_LOCAL) < 0)
        status = ORR_IO;
    return status;
}

/* The name under which the file will end must not be a folder or a device. */
static bool can_become_file(const char *path, orr_problems *problems)
{
    struct stat there;
    size_t n = strlen(path);
    bool taken = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    if (n == 0 || path[n - 1] == '/' || taken)
        orr_problem(problems, (orr_where){n == 0 ? "-o" : path, 0, 0}, "is not the name of a file that could be written");
    return n > 0 && path[n - 1] != '/' && !taken;
}

/* A recorder without a file. NULL when out of memory. */
static orr_recorder *prepare(const char *path, const orr_grid *grid)
{
    orr_recorder *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->world = grid->world;
    r->ok = true;
    orr_shelf_init(&r->shelf);
    orr_array_init(&r->rows, sizeof(orr_request_row));
    r->path = strdup(path);
    r->partial = other_name(path, ".partial.h5");
    r->fresh = other_name(path, ".new.h5");
    if (r->path == NULL || r->partial == NULL || r->fresh == NULL || !allocate(r)) {
        destroy(r);
        return NULL;
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* errors are ours to tell */
    return r;
}

/* Opens r->fresh for writing: made anew, or as it stands. */
static void open_file(orr_recorder *r, bool anew)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110); /* a killed run leaves a file that opens */
    H5Pset_obj_track_times(create, 0);
    H5Pset_file_space_strategy(create, H5F_FSPACE_STRATEGY_AGGR, 0, 1); /* a chunk that grew moves; where it was, metadata on disk still looks for it */
    keep_metadata(access);
    r->file = anew ? H5Fcreate(r->fresh, H5F_ACC_TRUNC, create, access) : H5Fopen(r->fresh, H5F_ACC_RDWR, access);
    H5Pclose(create);
    H5Pclose(access);
}

static orr_status fail_open(orr_recorder *r, orr_status status, const char *words, orr_problems *problems)
{
    orr_problem(problems, (orr_where){r->path, 0, 0}, "%s", words);
    unlink(r->fresh);
    orr_recorder_discard(r);
    return status;
}

orr_status orr_recorder_open(orr_recorder **recorder, const char *path, const orr_grid *grid, orr_problems *problems)
{
    *recorder = NULL;
    if (!can_become_file(path, problems))
        return ORR_IO;
    orr_recorder *r = prepare(path, grid);
    if (r == NULL)
        return ORR_NO_MEMORY;
    open_file(r, true);
    if (r->file < 0)
        return fail_open(r, ORR_IO, "cannot be written (does the folder exist, and may you write there?)", problems);
    orr_status status = write_head(r, grid);
    for (int t = 0; t < ORR_TABLES && status == ORR_OK; t++)
        status = orr_table_create(&r->table[t], r->file, &orr_trace_tables[t]);
    if (status == ORR_OK) {
        write_info(r);
        for (int t = 0; t < ORR_TABLES && status == ORR_OK; t++)
            status = orr_table_flush(&r->table[t]);
    }
    /* Only now that it can be opened does the file get its name: a run killed before leaves none that cannot. */
    if (status == ORR_OK && (H5Fflush(r->file, H5F_SCOPE_GLOBAL) < 0 || rename(r->fresh, r->partial) != 0))
        status = ORR_IO;
    if (status != ORR_OK)
        return fail_open(r, status, "cannot be written", problems);
    *recorder = r;
    return ORR_OK;
}

/* What the recorder holds in memory, in or out of an archive. */
static void archive_memory(orr_recorder *r, orr_archive *a)
{
    const orr_world *w = r->world;
    size_t sums = (size_t)w->cohort_count * ORR_METRICS;
    orr_archive_bytes(a, r->regions, (size_t)w->class_count * w->area_count * ORR_METRICS * sizeof *r->regions);
    orr_archive_bytes(a, r->by_site, (size_t)w->ingress_count * ORR_METRICS * sizeof *r->by_site);
    orr_archive_bytes(a, r->sum_count, sums * sizeof *r->sum_count);
    orr_archive_bytes(a, r->sum, sums * sizeof *r->sum);
    orr_archive_bytes(a, r->largest, sums * sizeof *r->largest);
    orr_archive_bytes(a, r->pools, w->pool_count * sizeof *r->pools);
    orr_electricity_archive(&r->electricity, a);
    orr_archive_bytes(a, r->link_bytes, 2 * (size_t)w->link_count * sizeof *r->link_bytes);
    orr_archive_bytes(a, r->reasons, sizeof r->reasons);
    orr_archive_bytes(a, &r->bin_start, sizeof r->bin_start);
    orr_archive_bytes(a, &r->latency_start, sizeof r->latency_start);
    orr_archive_bytes(a, &r->metered_ns, sizeof r->metered_ns);
    orr_archive_bytes(a, &r->seen_tokens, sizeof r->seen_tokens);
    orr_archive_bytes(a, &r->seen_offered, sizeof r->seen_offered);
    for (int t = 0; t < ORR_TABLES; t++)
        orr_archive_bytes(a, &r->table[t].written, sizeof r->table[t].written);
    orr_archive_array(a, &r->shelf.chunks);
}

void orr_recorder_archive(orr_recorder *r, orr_archive *a)
{
    if (flush(r) != ORR_OK) {
        a->status = ORR_IO;
        return;
    }
    archive_memory(r, a);
    FILE *f = fopen(r->partial, "rb");
    orr_array bytes;
    orr_array_init(&bytes, 1);
    long size = f != NULL && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size < 0 || fseek(f, 0, SEEK_SET) != 0)
        a->status = ORR_IO;
    else if (orr_array_extend(&bytes, (size_t)size) == NULL)
        a->status = ORR_NO_MEMORY;
    else if (fread(bytes.items, 1, (size_t)size, f) != (size_t)size)
        a->status = ORR_IO;
    else
        orr_archive_array(a, &bytes);
    orr_array_clear(&bytes);
    if (f != NULL)
        fclose(f);
}

orr_status orr_recorder_resume(orr_recorder **recorder, const char *path, const orr_grid *grid, orr_archive *a, orr_problems *problems)
{
    orr_recorder *r = prepare(path, grid);
    *recorder = NULL;
    if (r == NULL)
        return ORR_NO_MEMORY;
    uint64_t written[ORR_TABLES];
    orr_array bytes;
    orr_array_init(&bytes, 1);
    archive_memory(r, a);
    for (int t = 0; t < ORR_TABLES; t++)
        written[t] = r->table[t].written;
    orr_archive_array(a, &bytes);
    FILE *f = a->status == ORR_OK ? fopen(r->fresh, "wb") : NULL;
    bool ok = f != NULL && fwrite(bytes.items, 1, bytes.count, f) == bytes.count;
    ok = (f == NULL || fclose(f) == 0) && ok;
    orr_array_clear(&bytes);
    if (a->status != ORR_OK)
        return fail_open(r, a->status, "the checkpoint is damaged", problems);
    if (ok)
        open_file(r, false);
    if (!ok || r->file < 0)
        return fail_open(r, ORR_IO, "cannot be written (does the folder exist, and may you write there?)", problems);
    orr_status status = ORR_OK;
    for (int t = 0; t < ORR_TABLES && status == ORR_OK; t++)
        status = orr_table_open(&r->table[t], r->file, &orr_trace_tables[t], written[t]);
    if (status == ORR_OK)
        status = rewrite_head(r, grid);
    if (status == ORR_OK && (H5Fflush(r->file, H5F_SCOPE_GLOBAL) < 0 || rename(r->fresh, r->partial) != 0))
        status = ORR_IO;
    if (status != ORR_OK)
        return fail_open(r, status, "the results in the checkpoint cannot be continued", problems);
    *recorder = r;
    return ORR_OK;
}

/* Takes latencies of one cohort into the region's and the site's histograms, and leaves the cohort's empty. */
static void take_latency(orr_recorder *r, orr_site *s, uint32_t index)
{
    const orr_world *w = r->world;
    uint32_t cohort = w->site_cohort_start[s->id] + index;
    orr_cohort_state *k = orr_array_at(&s->cohorts, index);
    for (int m = 0; m < ORR_METRICS; m++) {
        orr_histogram *h = &k->latency[m];
        if (h->count == 0)
            continue;
        size_t region = ((size_t)w->cohorts[cohort].class_ * w->area_count + w->sites[s->id].area) * ORR_METRICS + (size_t)m;
        size_t site = (size_t)w->sites[s->id].ingress * ORR_METRICS + (size_t)m, sum = (size_t)cohort * ORR_METRICS + (size_t)m;
        r->ok &= orr_histogram_merge(&r->regions[region], &r->shelf, h, &s->shelf);
        r->ok &= orr_histogram_merge(&r->by_site[site], &r->shelf, h, &s->shelf);
        r->sum_count[sum] += h->count;
        r->sum[sum] += h->sum;
        if (h->largest > r->largest[sum])
            r->largest[sum] = h->largest;
        orr_histogram_reset(h, &s->shelf);
    }
}

static void write_latency_bin(orr_recorder *r)
{
    const orr_world *w = r->world;
    uint32_t bin = (uint32_t)(r->latency_start / w->latency_bin_ns);
    for (uint32_t c = 0; c < w->class_count; c++)
        for (uint32_t a = 0; a < w->area_count; a++)
            for (int m = 0; m < ORR_METRICS; m++) {
                orr_histogram *h = &r->regions[((size_t)c * w->area_count + a) * ORR_METRICS + (size_t)m];
                uint32_t at = 0, count;
                int64_t lower;
                while (orr_histogram_next(h, &r->shelf, &at, &lower, &count))
                    ROW(ORR_TABLE_LATENCY, INT(c), INT(a), INT(w->classes[c].service), INT(m), INT(bin), INT(lower), INT(count));
                orr_histogram_reset(h, &r->shelf);
            }
}

/* Times between tokens, by pool: leaves its histograms empty, their sums in the counts. */
static void write_gaps(orr_recorder *r, orr_site *s)
{
    const orr_world *w = r->world;
    uint32_t bin = (uint32_t)(r->latency_start / w->latency_bin_ns);
    for (uint32_t i = 0; i < s->pools.count; i++) {
        orr_pool_state *state = orr_array_at(&s->pools, i);
        orr_histogram *h = &state->gaps;
        uint32_t at = 0, count;
        int64_t lower;
        if (h->count == 0)
            continue;
        while (orr_histogram_next(h, &s->shelf, &at, &lower, &count))
            ROW(ORR_TABLE_GAPS, INT(w->site_pools[w->site_pool_start[s->id] + i]), INT(bin), INT(lower), INT(count));
        state->counts.gaps += h->count;
        state->counts.gap_time += h->sum;
        if (h->largest > state->counts.gap_largest)
            state->counts.gap_largest = h->largest;
        orr_histogram_reset(h, &s->shelf);
    }
}

/* Every iteration of the replica that is traced. */
static void write_iterations(orr_recorder *r, orr_site *s)
{
    const double quantum = 1 << ORR_QUANTUM_BITS, token = 1 << ORR_TOKEN_BITS;
    for (uint32_t i = 0; i < s->traced.count; i++) {
        const orr_llm_span *span = orr_array_at(&s->traced, i);
        for (int64_t k = 0; k < span->iterations; k++) {
            int64_t start = span->start + k * span->first + span->slope * (k * (k - 1) / 2), duration = span->first + k * span->slope;
            ROW(ORR_TABLE_ITERATIONS, (double)start / quantum / ORR_SECOND, (double)duration / quantum / ORR_SECOND, INT(span->decoding), INT(span->prompts), INT(span->prompt_tokens),
                ((double)span->context + (double)k * (double)span->rate) / token, INT(span->stalled), INT(span->waiting));
        }
    }
    s->traced.count = 0;
}

static void take_flow(orr_recorder *r, orr_site *s)
{
    orr_flow *f = &s->flow;
    ROW(ORR_TABLE_FLOW, INT(r->bin_start), INT(s->id), INT(f->offered), INT(f->attempts), INT(f->ended[ORR_SERVED]), INT(f->ended[ORR_REFUSED]), INT(f->ended[ORR_ABANDONED]),
        INT(f->ended[ORR_FAILED]), INT(f->slo_met));
    r->seen_offered += f->offered;
    for (int i = 0; i < ORR_REASONS; i++)
        r->reasons[i] += f->reasons[i];
    *f = (orr_flow){0};
}

/* What crossed each link: the bytes of every pair along its path. */
static void take_bytes(orr_recorder *r, const orr_grid *g, orr_site *s)
{
    const orr_world *w = r->world;
    uint64_t(*bytes)[2] = s->bytes.items;
    for (uint32_t c = 0; c < w->compute_count; c++) {
        if (bytes[c][0] + bytes[c][1] == 0)
            continue;
        size_t pair = orr_route_pair(&g->routes, w->sites[s->id].ingress, c);
        uint32_t at = s->id;
        for (uint32_t k = 0; k < g->routes.hops[pair]; k++) {
            uint32_t link = g->routes.path[g->routes.path_start[pair] + k];
            bool forward = w->links[link].a == at; /* away from the client along a -> b */
            r->link_bytes[2 * (size_t)link + !forward] += bytes[c][0];
            r->link_bytes[2 * (size_t)link + forward] += bytes[c][1];
            at = forward ? w->links[link].b : w->links[link].a;
        }
        bytes[c][0] = bytes[c][1] = 0;
    }
}

/* Integrals of one pool since they were last taken, from its instances, which start again from zero. */
static pool_bin take_instances(const orr_grid *g, orr_site *s, const orr_pool *p, orr_pool_state *state, int64_t end_ns)
{
    pool_bin b = {0};
    const double quantum = 1 << ORR_QUANTUM_BITS;
    bool llm = g->world->services[p->service].kind == ORR_SERVICE_LLM;
    for (uint32_t i = 0; i < p->replicas; i++) {
        if (llm) {
            orr_llm *l = orr_array_at(&s->llms, state->first + i);
            b.slot_ns += (double)l->slot_time / quantum;
            b.batch_ns += (double)l->batch_time / quantum;
            b.decode_ns += (double)l->decode_time / quantum;
            b.prompt_ns += (double)l->prompt_time / quantum;
            b.waiting += l->waiting.count;
            b.kv += (uint64_t)orr_llm_kv_used(l, &g->kinds[l->pool], end_ns);
            l->slot_time = l->batch_time = l->decode_time = l->prompt_time = 0;
        } else {
            orr_station *st = orr_array_at(&s->stations, state->first + i);
            b.slot_ns += (double)st->busy_time;
            b.decode_ns += (double)st->busy_time / p->servers; /* it draws by the share of its servers that work */
            b.waiting += st->waiting.count;
            st->busy_time = 0;
        }
    }
    b.held_ns = (double)(state->counts.held_time - state->counts.held_taken);
    state->counts.held_taken = state->counts.held_time;
    return b;
}

/* A piece of the bin, in which no price changes. */
static void take_piece(orr_recorder *r, const orr_grid *g, orr_site *s, int64_t end_ns)
{
    const orr_world *w = r->world;
    for (uint32_t i = 0; i < s->pools.count; i++) {
        uint32_t pool = w->site_pools[w->site_pool_start[s->id] + i];
        pool_bin piece = take_instances(g, s, &w->pools[pool], orr_array_at(&s->pools, i), end_ns), *bin = &r->pools[pool];
        bin->slot_ns += piece.slot_ns;
        bin->batch_ns += piece.batch_ns;
        bin->decode_ns += piece.decode_ns;
        bin->prompt_ns += piece.prompt_ns;
        bin->held_ns += piece.held_ns;
        bin->waiting = piece.waiting;
        bin->kv = piece.kv;
        r->work[pool] = (orr_work){piece.decode_ns, piece.prompt_ns, piece.held_ns};
    }
    orr_electricity_meter(&r->electricity, s->id, r->metered_ns, end_ns, r->work);
}

void orr_recorder_meter(orr_recorder *r, orr_grid *g, int64_t at_ns)
{
    for (uint32_t i = 0; i < r->world->compute_count && at_ns > r->metered_ns; i++) {
        orr_site *s = &g->sites[r->world->compute_sites[i]];
        orr_server_account(g, s, at_ns);
        take_piece(r, g, s, at_ns);
    }
    r->metered_ns = at_ns > r->metered_ns ? at_ns : r->metered_ns;
}

int64_t orr_recorder_metered(const orr_recorder *r) { return r->metered_ns; }

static void write_pools(orr_recorder *r, orr_site *s, int64_t end_ns)
{
    const orr_world *w = r->world;
    double width = (double)(end_ns - r->bin_start);
    for (uint32_t i = 0; i < s->pools.count && width > 0; i++) {
        uint32_t pool = w->site_pools[w->site_pool_start[s->id] + i];
        const orr_pool *p = &w->pools[pool];
        orr_pool_counts *c = &((orr_pool_state *)orr_array_at(&s->pools, i))->counts;
        pool_bin b = r->pools[pool];
        orr_draw drawn = orr_electricity_take(&r->electricity, pool);
        bool llm = w->services[p->service].kind == ORR_SERVICE_LLM;
        double busy = llm ? b.decode_ns + b.prompt_ns : 0;
        r->pools[pool] = (pool_bin){0};
        r->seen_tokens += c->bin_tokens;
        ROW(ORR_TABLE_SITES, INT(r->bin_start), INT(pool), INT(end_ns - r->bin_start), b.slot_ns / ORR_SECOND, b.batch_ns / ORR_SECOND, busy / ORR_SECOND,
            b.prompt_ns / ORR_SECOND, b.held_ns > 0 ? b.slot_ns / (b.held_ns * (llm ? p->max_batch : p->servers)) : 0.0, busy > 0 ? b.batch_ns / busy : 0.0, INT(b.waiting),
            p->kv_tokens > 0 && c->held > 0 ? (double)b.kv / ((double)p->kv_tokens * c->held) : 0.0, INT(c->bin_arrived), INT(c->bin_done), INT(c->bin_refused), INT(c->bin_tokens), drawn.kwh,
            drawn.carbon_kg, drawn.it_kwh, drawn.yuan, INT(c->up), b.held_ns / ORR_SECOND);
        c->bin_arrived = c->bin_done = c->bin_refused = c->bin_tokens = 0;
    }
}

static int row_order(const void *a, const void *b)
{
    const orr_request_row *x = a, *y = b;
    if (x->final_ns != y->final_ns)
        return x->final_ns < y->final_ns ? -1 : 1;
    if (x->ingress != y->ingress)
        return x->ingress < y->ingress ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void take_rows(orr_recorder *r, orr_site *s)
{
    if (s->rows.count == 0)
        return;
    void *to = orr_array_extend(&r->rows, s->rows.count);
    if (to == NULL) {
        r->ok = false;
        return;
    }
    memcpy(to, s->rows.items, (size_t)s->rows.count * s->rows.item_size);
    s->rows.count = 0;
}

static void write_rows(orr_recorder *r)
{
    if (r->rows.count > 1)
        qsort(r->rows.items, r->rows.count, sizeof(orr_request_row), row_order);
    for (uint32_t i = 0; i < r->rows.count; i++) {
        const orr_request_row *q = orr_array_at(&r->rows, i);
        ROW(ORR_TABLE_REQUESTS, INT(q->class_), INT(q->ingress), INT(q->number), INT(q->turn), INT(q->client), INT(q->began_ns), INT(q->final_ns), INT(q->end), INT(q->reason), INT(q->attempts),
            INT(q->row), INT(q->tokens[ORR_CACHED_INPUT]), INT(q->tokens[ORR_INPUT]), INT(q->tokens[ORR_OUTPUT]), INT(q->ttft_ns), INT(q->tpot_ns), INT(q->e2e_ns), INT(q->server_wait_ns),
            INT(q->server_first_ns), INT(q->server_total_ns), INT(q->state_age_ns), INT(q->cost), INT(q->slo_met));
    }
    r->rows.count = 0;
}

orr_status orr_recorder_bin(orr_recorder *r, orr_grid *g, int64_t end_ns)
{
    const orr_world *w = r->world;
    bool latency_ends = end_ns % w->latency_bin_ns == 0;
    orr_recorder_meter(r, g, end_ns);
    for (uint32_t i = 0; i < w->used_count; i++) {
        orr_site *s = &g->sites[i];
        if (orr_site_has_pools(g, s)) {
            write_pools(r, s, end_ns);
            write_iterations(r, s);
            if (latency_ends)
                write_gaps(r, s);
        }
        if (!orr_site_has_clients(g, s))
            continue;
        take_flow(r, s);
        take_bytes(r, g, s);
        take_rows(r, s);
        for (uint32_t c = 0; c < s->cohorts.count; c++)
            take_latency(r, s, c);
    }
    for (uint32_t l = 0; l < w->link_count; l++) {
        uint64_t *bytes = r->link_bytes + 2 * (size_t)l;
        if (bytes[0] + bytes[1] > 0)
            ROW(ORR_TABLE_LINKS, INT(r->bin_start), INT(l), INT(bytes[0]), INT(bytes[1]));
        bytes[0] = bytes[1] = 0;
    }
    write_rows(r);
    r->bin_start = end_ns;
    if (!latency_ends)
        return r->ok ? ORR_OK : ORR_NO_MEMORY;
    write_latency_bin(r);
    r->latency_start = end_ns;
    orr_write_attribute_integer(r->file, "simulated_until", end_ns);
    return flush(r);
}

/* What the replicas of an llm pool did in all. */
static void write_serving(orr_recorder *r, const orr_site *s, uint32_t place)
{
    const orr_world *w = r->world;
    uint32_t pool = w->site_pools[w->site_pool_start[s->id] + place];
    const orr_pool_state *state = orr_array_at(&s->pools, place);
    const orr_pool_counts *c = &state->counts;
    uint64_t iterations = 0, prompt_iterations = 0, plans = 0, admissions = 0, preemptions = 0, prefilled = 0, recomputed = 0;
    if (w->services[w->pools[pool].service].kind != ORR_SERVICE_LLM)
        return;
    for (uint32_t k = 0; k < w->pools[pool].replicas; k++) {
        const orr_llm *l = orr_array_at(&s->llms, state->first + k);
        iterations += l->iteration;
        prompt_iterations += l->prompt_iterations;
        plans += l->plans;
        admissions += l->admissions;
        preemptions += l->preemptions;
        prefilled += l->prefilled;
        recomputed += l->recomputed;
    }
    ROW(ORR_TABLE_SERVING, INT(pool), INT(iterations), INT(prompt_iterations), INT(plans), INT(admissions), INT(preemptions), INT(prefilled), INT(recomputed), INT(c->handed_over), INT(c->failures), INT(c->loads), INT(c->lost),
        (double)c->up_time / ORR_SECOND, (double)c->held_time / ORR_SECOND, INT(c->gaps),
        INT(c->gap_time / NANO), INT(c->gap_time % NANO), INT(c->gap_largest));
}

static void write_totals(orr_recorder *r, const orr_grid *g)
{
    const orr_world *w = r->world;
    orr_histogram age = {0};
    for (uint32_t k = 0; k < w->cohort_count; k++) {
        const orr_cohort *cohort = &w->cohorts[k];
        uint32_t class = cohort->class_, service = w->classes[class].service;
        const orr_site *s = &g->sites[cohort->site];
        const orr_cohort_counts *c = &((orr_cohort_state *)orr_array_at(&s->cohorts, k - w->site_cohort_start[cohort->site]))->counts;
        uint64_t ended = c->ended[0] + c->ended[1] + c->ended[2] + c->ended[3];
        ROW(ORR_TABLE_COUNTS, INT(class), INT(cohort->site), INT(service), INT(c->offered), INT(c->ended[ORR_SERVED]), INT(c->ended[ORR_REFUSED]), INT(c->ended[ORR_ABANDONED]),
            INT(c->ended[ORR_FAILED]), INT(c->offered - ended), INT(c->retries), INT(c->attempts), INT(c->deferred), INT(c->late), INT(c->slo_met), INT(c->decisions), INT(c->bad_decisions));
        ROW(ORR_TABLE_TOKENS, INT(class), INT(cohort->site), INT(service), INT(c->tokens[0]), INT(c->tokens[1]), INT(c->tokens[2]), INT(c->cost / NANO), INT(c->cost % NANO));
        for (int m = 0; m < ORR_METRICS; m++) {
            size_t i = (size_t)k * ORR_METRICS + (size_t)m;
            ROW(ORR_TABLE_LATENCY_SUMS, INT(class), INT(cohort->site), INT(service), INT(m), INT(r->sum_count[i]), INT(r->sum[i] / NANO), INT(r->sum[i] % NANO), INT(r->largest[i]));
        }
    }
    for (uint32_t i = 0; i < w->ingress_count; i++) {
        const orr_site *s = &g->sites[w->ingress_sites[i]];
        r->ok &= orr_histogram_merge(&age, &r->shelf, &s->state_age, &s->shelf);
        for (int m = 0; m < ORR_METRICS; m++) {
            uint32_t at = 0, count;
            int64_t lower;
            while (orr_histogram_next(&r->by_site[(size_t)i * ORR_METRICS + (size_t)m], &r->shelf, &at, &lower, &count))
                ROW(ORR_TABLE_LATENCY_SITES, INT(s->id), INT(m), INT(lower), INT(count));
        }
    }
    uint32_t at = 0, count;
    int64_t lower;
    while (orr_histogram_next(&age, &r->shelf, &at, &lower, &count))
        ROW(ORR_TABLE_STATE_AGE, INT(lower), INT(count));
    for (uint32_t s = 0; s < w->used_count; s++)
        for (uint32_t i = 0; i < g->sites[s].pools.count; i++) {
            uint32_t pool = w->site_pools[w->site_pool_start[s] + i];
            const orr_pool_counts *c = &((orr_pool_state *)orr_array_at(&g->sites[s].pools, i))->counts;
            const orr_draw *drawn = &r->electricity.run[pool];
            ROW(ORR_TABLE_TOKENS_POOLS, INT(pool), INT(c->tokens[0]), INT(c->tokens[1]), INT(c->tokens[2]), INT(c->cancelled_tokens[2]), INT(c->cost / NANO), INT(c->cost % NANO),
                INT(c->done), INT(c->cancelled), INT(c->refused), drawn->kwh, drawn->carbon_kg, drawn->yuan, drawn->it_kwh);
        }
    for (uint32_t s = 0; s < w->used_count; s++)
        for (uint32_t i = 0; i < g->sites[s].pools.count; i++)
            write_serving(r, &g->sites[s], i);
    for (int i = 1; i < ORR_REASONS; i++)
        ROW(ORR_TABLE_REASONS, orr_reason_names[i], INT(r->reasons[i]));
}

static void audit_output(orr_recorder *r, const orr_grid *g, orr_audit *a)
{
    const orr_world *w = r->world;
    __int128 offered = 0, tokens = 0, measured = 0, recorded = 0;
    for (uint32_t s = 0; s < w->used_count; s++) {
        for (uint32_t c = 0; c < g->sites[s].cohorts.count; c++) {
            const orr_cohort_counts *k = &((orr_cohort_state *)orr_array_at(&g->sites[s].cohorts, c))->counts;
            offered += k->offered;
            measured += k->measured;
        }
        for (uint32_t p = 0; p < g->sites[s].pools.count; p++)
            for (int kind = 0; kind < 3; kind++)
                tokens += ((orr_pool_state *)orr_array_at(&g->sites[s].pools, p))->counts.tokens[kind];
    }
    for (uint32_t k = 0; k < w->cohort_count; k++)
        recorded += r->sum_count[(size_t)k * ORR_METRICS + ORR_METRIC_E2E];
    orr_audit_add(a, "output: requests in the time series = offered", r->seen_offered, offered);
    orr_audit_add(a, "output: tokens in the time series = metered", r->seen_tokens, tokens);
    orr_audit_add(a, "output: latencies recorded = requests measured", recorded, measured);
}

static void write_audit(orr_recorder *r, const orr_audit *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        char left[48], right[48], difference[48];
        orr_audit_digits(a->check[i].left, left);
        orr_audit_digits(a->check[i].right, right);
        orr_audit_digits(a->check[i].left - a->check[i].right, difference);
        ROW(ORR_TABLE_AUDIT, a->check[i].name, left, right, difference, INT(a->check[i].left != a->check[i].right));
    }
}

static orr_status write_host(orr_recorder *r, const orr_host_facts *facts)
{
    hid_t plist = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(plist, 0);
    hid_t group = H5Gcreate2(r->file, "/host", H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    if (group < 0)
        return ORR_IO;
    orr_write_attribute_double(group, "wall_s", facts->wall_s);
    orr_write_attribute_double(group, "cpu_s", facts->cpu_s);
    orr_write_attribute_double(group, "output_s", facts->output_s);
    orr_write_attribute_integer(group, "events", (int64_t)facts->events);
    orr_write_attribute_integer(group, "peak_rss_bytes", (int64_t)facts->peak_rss_bytes);
    orr_write_attribute_integer(group, "lanes", facts->lanes);
    orr_write_attribute_double(group, "window_requests", facts->window_requests);
    return H5Gclose(group) < 0 ? ORR_IO : ORR_OK;
}

orr_status orr_recorder_close(orr_recorder *r, orr_grid *g, orr_status end, int64_t end_ns, orr_audit *a, const orr_host_facts *facts, orr_problems *problems)
{
    write_latency_bin(r);
    for (uint32_t s = 0; s < r->world->used_count; s++)
        write_gaps(r, &g->sites[s]);
    write_totals(r, g);
    audit_output(r, g, a);
    orr_electricity_audit(&r->electricity, end_ns, a);
    write_audit(r, a);
    orr_status status = flush(r);
    if (status == ORR_OK)
        status = write_host(r, facts);
    bool complete = end == ORR_OK && a->failed == 0;
    orr_write_attribute_text(r->file, "status", complete ? "complete" : "partial");
    orr_write_attribute_integer(r->file, "simulated_until", end_ns);
    for (int t = 0; t < ORR_TABLES; t++)
        if (orr_table_close(&r->table[t]) != ORR_OK)
            status = ORR_IO;
    if (H5Fclose(r->file) < 0)
        status = ORR_IO;
    r->file = 0;
    if (status == ORR_OK)
        status = orr_file_pack(r->partial, r->fresh);
    if (status == ORR_OK && rename(r->fresh, r->path) != 0)
        status = ORR_IO;
    unlink(status == ORR_OK ? r->partial : r->fresh);
    if (status == ORR_IO)
        orr_problem(problems, (orr_where){r->path, 0, 0}, "could not be written to the end (is the disk full?); what there is of it is in %s", r->partial);
    destroy(r);
    if (status != ORR_OK)
        return status;
    return end != ORR_OK ? end : a->failed > 0 ? ORR_AUDIT_FAILED : ORR_OK;
}
