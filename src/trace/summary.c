#include "trace/summary.h"

#include "base/histogram.h"
#include "base/time.h"
#include "trace/columns.h"
#include "trace/schema.h"
#include "trace/summary_cost.h"
#include "trace/summary_outage.h"
#include "trace/summary_power.h"
#include "trace/summary_saturation.h"
#include "trace/summary_servers.h"
#include "trace/summary_times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS = 8, METRICS = 3, KINDS = 3, DECISIONS = 4, GROUPS = 5 };
static const char *const request_names[REQUESTS] = {"offered", "served", "refused", "abandoned", "failed", "in_flight", "retries", "late"};
static const char *const decision_names[DECISIONS] = {"decisions", "attempts", "deferred", "bad_decisions"};
static const char *const token_names[KINDS] = {"cached_input", "input", "output"};

/* What is summed for all, for a class, a model or a site. */
typedef struct group {
    int64_t       requests[REQUESTS], decisions[DECISIONS], slo_met, tokens[KINDS], yuan, nano;
    orr_histogram histogram[METRICS];
    double        sum_s[METRICS];
    int64_t       measured[METRICS], largest[METRICS];
} group;

/* Everything while it is being added up. */
typedef struct summing {
    hid_t     file;
    orr_shelf shelf;
    group    *all, *classes, *models, *vendors, *sites;
    size_t    class_count, service_count, site_count;
    char     *class_names, *service_names, *site_names, *service_models, *service_vendors;
    size_t   *model_of, *vendor_of; /* service -> the first service with the same model, or vendor */
} summing;

static const char *name_at(const char *names, size_t i) { return names + i * ORR_TEXT_BYTES; }

/* For each service the first with the same text; a service without one stands for itself under `otherwise`. */
static size_t *group_by(char *texts, size_t count, const char *otherwise, bool by_name)
{
    size_t *first = calloc(count + 1, sizeof *first);
    for (size_t i = 0; first != NULL && i < count; i++) {
        char *text = texts + i * ORR_TEXT_BYTES;
        if (*text == 0)
            snprintf(text, ORR_TEXT_BYTES, "%s", by_name ? name_at(otherwise, i) : otherwise);
        while (strcmp(name_at(texts, first[i]), text) != 0)
            first[i]++;
    }
    return first;
}

static bool name_groups(summing *s)
{
    size_t n, vendors;
    s->class_names = orr_read_texts(s->file, "/scenario/classes", "name", &s->class_count);
    s->service_names = orr_read_texts(s->file, "/scenario/services", "name", &s->service_count);
    s->service_models = orr_read_texts(s->file, "/scenario/services", "model", &n);
    s->service_vendors = orr_read_texts(s->file, "/scenario/services", "vendor", &vendors);
    s->site_names = orr_read_texts(s->file, "/scenario/sites", "id", &s->site_count);
    if (!s->class_names || !s->service_names || !s->service_models || !s->service_vendors || !s->site_names || n != s->service_count || vendors != n)
        return false;
    s->model_of = group_by(s->service_models, n, s->service_names, true);
    s->vendor_of = group_by(s->service_vendors, n, "none", false);
    s->all = calloc(1, sizeof *s->all);
    s->classes = calloc(s->class_count + 1, sizeof *s->classes);
    s->models = calloc(s->service_count + 1, sizeof *s->models);
    s->vendors = calloc(s->service_count + 1, sizeof *s->vendors);
    s->sites = calloc(s->site_count + 1, sizeof *s->sites);
    return s->model_of && s->vendor_of && s->all && s->classes && s->models && s->vendors && s->sites;
}

/* The groups to which a row of (class, site, service) belongs. */
static bool groups_of(const summing *s, const orr_column_values *c, size_t row, group *to[GROUPS])
{
    size_t class = (size_t)c->value[0][row], site = (size_t)c->value[1][row], service = (size_t)c->value[2][row];
    if (class >= s->class_count || site >= s->site_count || service >= s->service_count)
        return false;
    to[0] = s->all;
    to[1] = &s->classes[class];
    to[2] = &s->models[s->model_of[service]];
    to[3] = &s->vendors[s->vendor_of[service]];
    to[4] = &s->sites[site];
    return true;
}

static bool add_counts(summing *s)
{
    static const char *const count_names[] = {"class", "site", "service", "offered", "served", "refused", "abandoned", "failed", "in_flight", "retries", "late", "slo_met",
                                              "decisions", "attempts", "deferred", "bad_decisions"};
    static const char *const cost_names[] = {"class", "site", "service", "cached_input", "input", "output", "cost_yuan", "cost_nano"};
    orr_column_values counts, costs;
    group *to[GROUPS];
    bool ok = orr_column_values_read(&counts, s->file, "/tokens/counts", count_names, 3 + REQUESTS + 1 + DECISIONS);
    ok &= orr_column_values_read(&costs, s->file, "/tokens", cost_names, 8);
    for (size_t r = 0; ok && r < counts.rows; r++) {
        if (!(ok = groups_of(s, &counts, r, to)))
            break;
        for (int g = 0; g < GROUPS; g++) {
            for (int i = 0; i < REQUESTS; i++)
                to[g]->requests[i] += counts.value[3 + i][r];
            to[g]->slo_met += counts.value[3 + REQUESTS][r];
            for (int i = 0; i < DECISIONS; i++)
                to[g]->decisions[i] += counts.value[4 + REQUESTS + i][r];
        }
    }
    for (size_t r = 0; ok && r < costs.rows; r++) {
        if (!(ok = groups_of(s, &costs, r, to)))
            break;
        for (int g = 0; g < GROUPS; g++) {
            for (int i = 0; i < KINDS; i++)
                to[g]->tokens[i] += costs.value[3 + i][r];
            to[g]->yuan += costs.value[6][r];
            to[g]->nano += costs.value[7][r];
        }
    }
    orr_column_values_free(&counts);
    orr_column_values_free(&costs);
    return ok;
}

static bool add_latency(summing *s)
{
    static const char *const names[] = {"class", "service", "metric", "bucket", "count"};
    static const char *const site_names[] = {"site", "metric", "bucket", "count"};
    static const char *const sum_names[] = {"class", "site", "service", "metric", "count", "sum_s", "sum_ns", "largest"};
    orr_column_values all, sites, sums;
    bool ok = orr_column_values_read(&all, s->file, "/latency", names, 5);
    ok &= orr_column_values_read(&sites, s->file, "/latency/sites", site_names, 4);
    ok &= orr_column_values_read(&sums, s->file, "/latency/sums", sum_names, 8);
    for (size_t r = 0; ok && r < all.rows; r++) {
        size_t class = (size_t)all.value[0][r], service = (size_t)all.value[1][r], metric = (size_t)all.value[2][r];
        if (class >= s->class_count || service >= s->service_count || metric >= METRICS)
            return false;
        group *to[GROUPS - 1] = {s->all, &s->classes[class], &s->models[s->model_of[service]], &s->vendors[s->vendor_of[service]]};
        for (int g = 0; g < GROUPS - 1; g++)
            ok &= orr_histogram_add(&to[g]->histogram[metric], &s->shelf, all.value[3][r], (uint32_t)all.value[4][r]);
    }
    for (size_t r = 0; ok && r < sites.rows; r++) {
        size_t site = (size_t)sites.value[0][r], metric = (size_t)sites.value[1][r];
        if (site >= s->site_count || metric >= METRICS)
            return false;
        ok &= orr_histogram_add(&s->sites[site].histogram[metric], &s->shelf, sites.value[2][r], (uint32_t)sites.value[3][r]);
    }
    for (size_t r = 0; ok && r < sums.rows; r++) {
        group *to[GROUPS];
        size_t metric = (size_t)sums.value[3][r];
        if (metric >= METRICS || !(ok = groups_of(s, &sums, r, to)))
            break;
        for (int g = 0; g < GROUPS; g++) {
            to[g]->measured[metric] += sums.value[4][r];
            to[g]->sum_s[metric] += (double)sums.value[5][r] + 1e-9 * (double)sums.value[6][r];
            if (sums.value[7][r] > to[g]->largest[metric])
                to[g]->largest[metric] = sums.value[7][r];
        }
    }
    orr_column_values_free(&all);
    orr_column_values_free(&sites);
    orr_column_values_free(&sums);
    return ok;
}

/* requests, latency, tokens and cost of a group. */
static void describe(cJSON *to, summing *s, group *g)
{
    cJSON *requests = cJSON_AddObjectToObject(to, "requests"), *latency = cJSON_AddObjectToObject(to, "latency");
    for (int i = 0; i < REQUESTS; i++)
        orr_summary_put(requests, request_names[i], (double)g->requests[i]);
    for (int m = 0; m < METRICS; m++)
        orr_summary_times(cJSON_AddObjectToObject(latency, orr_metric_names[m]), &g->histogram[m], &s->shelf, g->measured[m], g->sum_s[m], g->largest[m]);
    cJSON *tokens = cJSON_AddObjectToObject(to, "tokens"), *cost = cJSON_AddObjectToObject(to, "cost");
    double total = 0, yuan = (double)g->yuan + (double)g->nano * 1e-9;
    for (int i = 0; i < KINDS; i++) {
        orr_summary_put(tokens, token_names[i], (double)g->tokens[i]);
        total += (double)g->tokens[i];
    }
    double input = (double)g->tokens[0] + (double)g->tokens[1];
    orr_summary_put(tokens, "cached_share", input > 0 ? (double)g->tokens[0] / input : NAN);
    orr_summary_put(cost, "total_yuan", yuan);
    orr_summary_put(cost, "per_million_tokens_yuan", total > 0 ? yuan / total * 1e6 : NAN);
    int64_t ended = g->requests[0] - g->requests[5]; /* refused, abandoned and failed ones count as missed */
    orr_summary_put(to, "slo_attainment", ended > 0 ? (double)g->slo_met / (double)ended : NAN);
}

static void describe_many(cJSON *to, const char *name, summing *s, group *groups, const char *names, size_t count)
{
    cJSON *object = cJSON_AddObjectToObject(to, name);
    for (size_t i = 0; i < count; i++)
        if (groups[i].requests[0] > 0)
            describe(cJSON_AddObjectToObject(object, name_at(names, i)), s, &groups[i]);
}

/* Times between two tokens of one answer, over all pools (inter-token latency). */
static bool describe_gaps(cJSON *to, summing *s)
{
    static const char *const names[] = {"bucket", "count"};
    static const char *const sum_names[] = {"gaps", "gap_sum_s", "gap_sum_ns", "gap_largest"};
    orr_column_values gaps, sums;
    orr_histogram all = {0};
    int64_t count = 0, largest = 0;
    double sum_s = 0;
    bool ok = orr_column_values_read(&gaps, s->file, "/latency/gaps", names, 2);
    ok &= orr_column_values_read(&sums, s->file, "/serving", sum_names, 4);
    for (size_t r = 0; ok && r < gaps.rows; r++)
        ok = orr_histogram_add(&all, &s->shelf, gaps.value[0][r], (uint32_t)gaps.value[1][r]);
    for (size_t r = 0; ok && r < sums.rows; r++) {
        count += sums.value[0][r];
        sum_s += (double)sums.value[1][r] + 1e-9 * (double)sums.value[2][r];
        largest = sums.value[3][r] > largest ? sums.value[3][r] : largest;
    }
    if (ok)
        orr_summary_times(cJSON_AddObjectToObject(cJSON_GetObjectItem(to, "latency"), "itl"), &all, &s->shelf, count, sum_s, largest);
    orr_column_values_free(&gaps);
    orr_column_values_free(&sums);
    return ok;
}

/* Accelerators on whose speed nobody has published a measurement with models such as they serve here: whatever is said of them is assumed. */
static bool describe_unmeasured(cJSON *to, hid_t file)
{
    size_t pools, unused;
    char *accelerator = orr_read_texts(file, "/scenario/pools", "accelerator", &pools), *confidence = orr_read_texts(file, "/scenario/pools", "calibration_confidence", &unused);
    bool ok = accelerator && confidence;
    cJSON *list = cJSON_AddArrayToObject(to, "unmeasured"), *item;
    for (size_t p = 0; ok && p < pools; p++) {
        bool told = strcmp(name_at(confidence, p), "assumed") != 0;
        cJSON_ArrayForEach(item, list)
            told |= strcmp(item->valuestring, name_at(accelerator, p)) == 0;
        if (!told)
            cJSON_AddItemToArray(list, cJSON_CreateString(name_at(accelerator, p)));
    }
    free(accelerator);
    free(confidence);
    return ok;
}

static void describe_links(cJSON *to, hid_t file, double seconds)
{
    size_t n, links, unused;
    int64_t *link = orr_read_integers(file, "/links", "link", &n), *ab = orr_read_integers(file, "/links", "bytes_ab", &unused), *ba = orr_read_integers(file, "/links", "bytes_ba", &unused);
    double *capacity = orr_read_doubles(file, "/scenario/links", "capacity", &links), load = 0;
    double *each = calloc(links + 1, sizeof *each), most = 0;
    size_t used = 0;
    for (size_t i = 0; link && ab && ba && capacity && each && i < n; i++)
        if ((size_t)link[i] < links)
            each[link[i]] += 8.0 * (double)(ab[i] + ba[i]) / (2 * capacity[link[i]]);
    for (size_t l = 0; each && l < links; l++) { /* over the links that carried anything: an unused one changes nothing */
        load += each[l];
        used += each[l] > 0;
        most = each[l] > most ? each[l] : most;
    }
    orr_summary_put(cJSON_GetObjectItem(to, "utilisation"), "links", used > 0 && seconds > 0 ? load / seconds / (double)used : NAN);
    orr_summary_put(cJSON_GetObjectItem(to, "utilisation"), "busiest_link", used > 0 && seconds > 0 ? most / seconds : NAN);
    free(each);
    free(link);
    free(ab);
    free(ba);
    free(capacity);
}

static void describe_audit(cJSON *to, hid_t file)
{
    size_t checks;
    int64_t *failed = orr_read_integers(file, "/audit", "failed", &checks), sum = 0;
    for (size_t i = 0; failed && i < checks; i++)
        sum += failed[i];
    cJSON *audit = cJSON_AddObjectToObject(to, "audit");
    orr_summary_put(audit, "checks", (double)checks);
    orr_summary_put(audit, "failed", failed ? (double)sum : NAN);
    free(failed);
}

static void describe_speed(cJSON *to, hid_t file, double offered)
{
    cJSON *speed = cJSON_AddObjectToObject(to, "speed");
    hid_t host = H5Lexists(file, "/host", H5P_DEFAULT) > 0 ? H5Gopen2(file, "/host", H5P_DEFAULT) : -1;
    if (host < 0)
        return;
    double wall = orr_read_attribute_double(host, "wall_s", NAN);
    orr_summary_put(speed, "wall_s", wall);
    orr_summary_put(speed, "requests_per_s", offered / wall);
    orr_summary_put(speed, "events_per_s", (double)orr_read_attribute_integer(host, "events", 0) / wall);
    orr_summary_put(speed, "output_s", orr_read_attribute_double(host, "output_s", NAN));
    orr_summary_put(speed, "lanes", (double)orr_read_attribute_integer(host, "lanes", 1));
    orr_summary_put(speed, "window_requests", orr_read_attribute_double(host, "window_requests", NAN));
    orr_summary_put(speed, "peak_rss_bytes", (double)orr_read_attribute_integer(host, "peak_rss_bytes", 0));
    H5Gclose(host);
}

hid_t orr_result_open(const char *path, orr_problems *problems)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be opened as an HDF5 file");
        return -1;
    }
    if (orr_read_attribute_integer(file, "format_version", -1) != ORR_FORMAT_VERSION) {
        orr_problem(problems, (orr_where){path, 0, 0}, "is not a run of this program (format_version %d expected)", ORR_FORMAT_VERSION);
        H5Fclose(file);
        return -1;
    }
    return file;
}

cJSON *orr_summary(hid_t file, const char *path, orr_problems *problems)
{
    summing s = {.file = file};
    orr_shelf_init(&s.shelf);
    cJSON *to = cJSON_CreateObject();
    int64_t until = orr_read_attribute_integer(file, "simulated_until", 0);
    double seconds = (double)until / ORR_SECOND;
    bool ok = to != NULL && name_groups(&s) && add_counts(&s) && add_latency(&s);
    if (ok) {
        char *policy = orr_read_attribute_text(file, "policy"), *status = orr_read_attribute_text(file, "status");
        cJSON_AddStringToObject(to, "policy", policy ? policy : "");
        cJSON_AddStringToObject(to, "status", status ? status : "");
        orr_summary_put(to, "seed", (double)orr_read_attribute_integer(file, "seed", 0));
        orr_summary_put(to, "simulated_s", seconds);
        free(policy);
        free(status);
        describe(to, &s, s.all);
        ok = describe_gaps(to, &s) && orr_summary_servers(to, file, 0, until) && describe_unmeasured(to, file) && orr_summary_power(to, file, 0) && orr_summary_cost(to, file, 0) && orr_summary_outage(to, file, until) && orr_summary_saturation(to, file, path, problems);
        describe_links(to, file, seconds);
        orr_summary_put(to, "goodput_per_s", seconds > 0 ? (double)s.all->slo_met / seconds : NAN);
        cJSON *decisions = cJSON_AddObjectToObject(to, "decisions");
        for (int i = 0; i < DECISIONS; i++)
            orr_summary_put(decisions, decision_names[i], (double)s.all->decisions[i]);
        describe_audit(to, file);
        describe_speed(to, file, (double)s.all->requests[0]);
        describe_many(to, "by_class", &s, s.classes, s.class_names, s.class_count);
        describe_many(to, "by_model", &s, s.models, s.service_models, s.service_count);
        describe_many(to, "by_vendor", &s, s.vendors, s.service_vendors, s.service_count);
        describe_many(to, "by_site", &s, s.sites, s.site_names, s.site_count);
    }
    void *const owned[] = {s.all, s.classes, s.models, s.vendors, s.sites, s.class_names, s.service_names, s.site_names, s.service_models, s.service_vendors, s.model_of, s.vendor_of};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    orr_array_clear(&s.shelf.chunks);
    if (!ok) {
        orr_problem(problems, (orr_where){path, 0, 0}, "lacks tables (was the run killed before its end?)");
        cJSON_Delete(to);
        return NULL;
    }
    return to;
}

double orr_summary_number(const cJSON *summary, const char *path)
{
    char step[64];
    const cJSON *at = summary;
    while (at != NULL && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof step)
            return NAN;
        memcpy(step, path, n);
        step[n] = 0;
        at = cJSON_GetObjectItemCaseSensitive(at, step);
        path += n + (path[n] == '.');
    }
    return cJSON_IsNumber(at) ? at->valuedouble : NAN;
}
