#include "trace/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const orr_metric_names[3] = {"ttft", "tpot", "e2e"};
const char *const orr_end_names[4] = {"served", "refused", "abandoned", "failed"};
const char *const orr_reason_names[9] = {"none", "queue_full", "policy", "not_permitted", "too_long", "timeout", "impatience", "unavailable", "lost"};

#define U8 ORR_CELL_U8
#define U16 ORR_CELL_U16
#define U32 ORR_CELL_U32
#define U64 ORR_CELL_U64
#define I32 ORR_CELL_I32
#define I64 ORR_CELL_I64
#define F64 ORR_CELL_F64
#define TEXT ORR_CELL_TEXT

static const orr_column sites_info[] = {
    {"id", TEXT, "", "short name"}, {"name", TEXT, "", "full name"}, {"kind", TEXT, "", "hub, province, metro, edge, overseas, landing or transit"},
    {"region", TEXT, "", "province or state"}, {"macro_region", TEXT, "", "region of the latency histograms"}, {"country", TEXT, "", "ISO 3166 code"},
    {"latitude", F64, "degree", "north is positive"}, {"longitude", F64, "degree", "east is positive"}, {"utc_offset", I32, "s", "local time"},
    {"pue", F64, "1", "power usage effectiveness when all accelerators work"}, {"grid_carbon", F64, "g/kWh", "carbon of the grid, mean over the day"},
    {"electricity", F64, "yuan/kWh", "price of electricity, mean over the day"},
    {"clients", U64, "1", "clients at this ingress"}, {"accelerators", U64, "1", "accelerators in its pools"}, {"used", U8, "1", "1 if it has clients or pools"},
    {"pue_fixed_share", F64, "1", "share of the facility's own power at full load that it draws at any load"}, {"grid_hours", TEXT, "", "grid of the hourly price and carbon, empty if flat"}};
static const orr_column links_info[] = {
    {"a", TEXT, "", "one end (site id)"}, {"b", TEXT, "", "other end"}, {"length", F64, "km", "fibre"}, {"delay", I64, "ns", "propagation, one way"},
    {"capacity", F64, "bit/s", "per direction"}, {"transport_price", F64, "yuan/GB", "that the provider pays for what it carries, NaN if none is known"}};
static const orr_column pools_info[] = {
    {"id", TEXT, "", "name"}, {"site", U32, "1", "row of /scenario/sites"}, {"service", U32, "1", "row of /scenario/services"}, {"accelerator", TEXT, "", "kind of accelerator"},
    {"confidence", TEXT, "", "confidence of the accelerator's figures"}, {"owner", TEXT, "", "self_built, partner or joint_venture"}, {"group", U32, "1", "accelerators per replica"},
    {"replicas", U32, "1", "instances at the start"}, {"slots", U32, "1", "requests served at a time"}, {"kv_tokens", I64, "tokens", "cache of a replica"},
    {"price_factor", F64, "1", "relative to the price list"}, {"calibration", TEXT, "", "row of the catalogue of calibrations: accelerator/engine/model, empty if none"},
    {"calibration_confidence", TEXT, "", "`assumed`: nothing was measured of such models on this accelerator"}, {"rent", F64, "yuan/h", "of one accelerator, 0 if the catalogue names none"}};
static const orr_column classes_info[] = {
    {"name", TEXT, "", "short name"}, {"title", TEXT, "", "full name"}, {"service", U32, "1", "row of /scenario/services"}, {"clients", U64, "1", "population"},
    {"data_class", TEXT, "", "data class of the residency rules"}, {"slo_ttft", F64, "s", "bound, inf if none"}, {"slo_tpot", F64, "s", "bound, inf if none"},
    {"slo_e2e", F64, "s", "bound, inf if none"}};
static const orr_column services_info[] = {
    {"name", TEXT, "", "short name"}, {"title", TEXT, "", "full name"}, {"kind", TEXT, "", "llm or station"}, {"model", TEXT, "", "model, empty if none"}, {"vendor", TEXT, "", "vendor of the model"}};
static const orr_column origins[] = {
    {"catalogue", TEXT, "", "catalogue"}, {"row", TEXT, "", "row used by this run"}, {"source", TEXT, "", "where the figures come from"}, {"as_of", TEXT, "", "their date"},
    {"confidence", TEXT, "", "published, measured, derived or assumed"}, {"range", TEXT, "", "range of what is assumed"}};
static const orr_column requests[] = {
    {"class", U16, "1", "row of /scenario/classes"}, {"ingress", U32, "1", "row of /scenario/sites"}, {"number", U32, "1", "number of the arrival in its class and ingress (of a session, of a user in a closed loop); the same under every policy"},
    {"turn", U32, "1", "of the session or user, 0 for the first"},
    {"client", U32, "1", "client within its class and ingress"}, {"began", I64, "ns", "on the client's clock"}, {"ended", I64, "ns", "at the ingress"},
    {"end", U8, "1", "0 served, 1 refused, 2 abandoned, 3 failed"}, {"reason", U8, "1", "why not served: row of /decisions/reasons"}, {"attempts", U16, "1", "attempts made"},
    {"pool", U32, "1", "row of /scenario/pools of the last attempt, 2^32-1 if none"}, {"cached_input", U32, "tokens", "prompt tokens from the cache"},
    {"input", U32, "tokens", "prompt tokens computed"}, {"output", U32, "tokens", "answer tokens"}, {"ttft", I64, "ns", "time to first token at the client, -1 if none"},
    {"tpot", I64, "ns", "time per output token, -1 for one token"}, {"e2e", I64, "ns", "end to end at the client, -1 if not served"}, {"server_wait", I64, "ns", "queueing at the server"},
    {"server_ttft", I64, "ns", "arrival at the server to first token"}, {"server_e2e", I64, "ns", "arrival at the server to last token"},
    {"state_age", I64, "ns", "age of what the policy knew of the pool, -1 before the first report"}, {"cost", I64, "nano-yuan", "rated"}, {"slo_met", U8, "1", "1 if all bounds were met"}};
static const orr_column latency[] = {
    {"class", U16, "1", "row of /scenario/classes"}, {"region", U16, "1", "number of the macro region: /scenario attribute regions"}, {"service", U16, "1", "row of /scenario/services"},
    {"metric", U8, "1", "0 ttft, 1 tpot, 2 e2e"}, {"bin", U32, "1", "number of the time bin: attribute bin_width of the group"}, {"bucket", I64, "ns", "lower bound of the bucket; it is 1/128 of it wide"},
    {"count", U32, "1", "requests"}};
static const orr_column latency_sites[] = {
    {"site", U32, "1", "ingress: row of /scenario/sites"}, {"metric", U8, "1", "0 ttft, 1 tpot, 2 e2e"}, {"bucket", I64, "ns", "lower bound of the bucket"}, {"count", U64, "1", "requests"}};
static const orr_column latency_sums[] = {
    {"class", U16, "1", "row of /scenario/classes"}, {"site", U32, "1", "ingress: row of /scenario/sites"}, {"service", U16, "1", "row of /scenario/services"}, {"metric", U8, "1", "0 ttft, 1 tpot, 2 e2e"},
    {"count", U64, "1", "requests measured"}, {"sum_s", I64, "s", "exact sum, whole seconds"}, {"sum_ns", I32, "ns", "and the rest"}, {"largest", I64, "ns", "exact"}};
static const orr_column sites[] = {
    {"time", I64, "ns", "start of the bin"}, {"pool", U32, "1", "row of /scenario/pools"}, {"width", I64, "ns", "length of the bin"}, {"slot_time", F64, "s", "busy places, integrated"},
    {"batch_time", F64, "s", "decoding requests, integrated"}, {"busy_time", F64, "s", "replicas with work, integrated"}, {"prefill_time", F64, "s", "replicas with prompts in the batch, integrated"},
    {"utilisation", F64, "1", "busy places over places of the replicas that have accelerators"}, {"batch", F64, "1", "mean decoding requests of a replica with work"}, {"waiting", U32, "1", "requests in queue at the end of the bin"},
    {"kv_used", F64, "1", "share of the cache reserved at the end of the bin"}, {"arrived", U64, "1", "requests"}, {"done", U64, "1", "requests"}, {"refused", U64, "1", "requests"},
    {"tokens", U64, "tokens", "metered, all kinds"}, {"energy", F64, "kWh", "from the grid, with its part of the facility's"}, {"carbon", F64, "kg", "of the site's grid at that hour"},
    {"it_energy", F64, "kWh", "at the servers"}, {"electricity_yuan", F64, "yuan", "price of the energy at that hour"},
    {"in_service", U32, "1", "replicas at the end of the bin"}, {"held_time", F64, "s", "replicas with accelerators, integrated"}};
static const orr_column gaps[] = {
    {"pool", U32, "1", "row of /scenario/pools"}, {"bin", U32, "1", "latency bin"}, {"bucket", I64, "ns", "lower bound of the bucket"}, {"count", U64, "1", "gaps between two tokens of one answer, at the server"}};
static const orr_column serving[] = {
    {"pool", U32, "1", "row of /scenario/pools"}, {"iterations", U64, "1", "of all its replicas"}, {"prompt_iterations", U64, "1", "of these, with prompts"}, {"plans", U64, "1", "runs of iterations that were computed at once, one event each at most"}, {"admissions", U64, "1", "into a batch"},
    {"preemptions", U64, "1", "sequences that gave up their cache"}, {"prefilled", U64, "tokens", "of prompts, computed for the first time"}, {"recomputed", U64, "tokens", "computed again after preemptions"},
    {"handed_over", U64, "1", "requests prefilled for another pool"}, {"failures", U64, "1", "of replicas"}, {"loads", U64, "1", "cold starts of replicas"},
    {"lost", U64, "1", "requests whose replica failed or was evicted"}, {"up_time", F64, "s", "replicas in service, integrated"}, {"held_time", F64, "s", "replicas with accelerators, integrated"}, {"gaps", U64, "1", "between two tokens"}, {"gap_sum_s", I64, "s", "exact sum, whole seconds"}, {"gap_sum_ns", I32, "ns", "and the rest"},
    {"gap_largest", I64, "ns", "exact"}};
static const orr_column iterations[] = {
    {"start", F64, "s", "of the iteration"}, {"duration", F64, "s", "of the iteration"}, {"decoding", U32, "1", "sequences that made a step"}, {"prompts", U32, "1", "prompts in the batch"},
    {"prompt_tokens", U32, "tokens", "of prompts, computed in it"}, {"context", F64, "tokens", "sum over the decoding sequences"}, {"stalled", U32, "1", "sequences that stood still"},
    {"waiting", U32, "1", "requests in the queue"}};
static const orr_column flow[] = {
    {"time", I64, "ns", "start of the bin"}, {"site", U32, "1", "ingress: row of /scenario/sites"}, {"offered", U64, "1", "intentions"}, {"attempts", U64, "1", "sent to a pool, retries included"},
    {"served", U64, "1", "requests"}, {"refused", U64, "1", "requests"}, {"abandoned", U64, "1", "requests"}, {"failed", U64, "1", "requests"}, {"slo_met", U64, "1", "requests (goodput)"}};
static const orr_column links[] = {
    {"time", I64, "ns", "start of the bin"}, {"link", U32, "1", "row of /scenario/links"}, {"bytes_ab", U64, "bytes", "from a to b"}, {"bytes_ba", U64, "bytes", "from b to a"}};
static const orr_column counts[] = {
    {"class", U16, "1", "row of /scenario/classes"}, {"site", U32, "1", "ingress: row of /scenario/sites"}, {"service", U16, "1", "row of /scenario/services"}, {"offered", U64, "1", "intentions"},
    {"served", U64, "1", "requests"}, {"refused", U64, "1", "requests"}, {"abandoned", U64, "1", "requests"}, {"failed", U64, "1", "requests"}, {"in_flight", U64, "1", "at the end of the run"},
    {"retries", U64, "1", "further attempts sent to a pool"}, {"attempts", U64, "1", "sent to a pool"}, {"deferred", U64, "1", "put off by the policy"}, {"late", U64, "1", "served, but not within the SLO"},
    {"slo_met", U64, "1", "served within the SLO"}, {"decisions", U64, "1", "asked of the policy"}, {"bad_decisions", U64, "1", "replaced by the host"}};
static const orr_column tokens[] = {
    {"class", U16, "1", "row of /scenario/classes"}, {"site", U32, "1", "ingress: row of /scenario/sites"}, {"service", U16, "1", "row of /scenario/services"},
    {"cached_input", U64, "tokens", "delivered"}, {"input", U64, "tokens", "delivered"}, {"output", U64, "tokens", "delivered"}, {"cost_yuan", I64, "yuan", "of what was delivered, whole yuan"},
    {"cost_nano", I32, "nano-yuan", "and the rest"}};
static const orr_column tokens_pools[] = {
    {"pool", U32, "1", "row of /scenario/pools"}, {"cached_input", U64, "tokens", "metered"}, {"input", U64, "tokens", "metered"}, {"output", U64, "tokens", "metered"},
    {"cancelled_output", U64, "tokens", "of these, for clients who had left"}, {"cost_yuan", I64, "yuan", "rated, whole yuan"}, {"cost_nano", I32, "nano-yuan", "and the rest"},
    {"done", U64, "1", "requests answered"}, {"cancelled", U64, "1", "requests given up"}, {"refused", U64, "1", "requests refused"}, {"energy", F64, "kWh", "from the grid, with its part of the facility's"},
    {"carbon", F64, "kg", "of the site's grid at each hour"}, {"electricity_yuan", F64, "yuan", "price of that energy at each hour"}, {"it_energy", F64, "kWh", "at the servers"}};
static const orr_column reasons[] = {{"reason", TEXT, "", "why a request was not served"}, {"count", U64, "1", "requests"}};
static const orr_column state_age[] = {{"bucket", I64, "ns", "lower bound of the bucket"}, {"count", U64, "1", "decisions whose chosen pool was known with this age"}};
static const orr_column audit[] = {
    {"name", TEXT, "", "law"}, {"left", TEXT, "", "one side"}, {"right", TEXT, "", "other side"}, {"difference", TEXT, "", "left - right"}, {"failed", U8, "1", "1 if it does not hold"}};

#define TABLE(path, columns, meaning) {path, meaning, columns, sizeof columns / sizeof *columns}

const orr_table_kind orr_trace_tables[ORR_TABLES] = {
    [ORR_TABLE_SITES_INFO] = TABLE("/scenario/sites", sites_info, "sites of the scenario"),
    [ORR_TABLE_LINKS_INFO] = TABLE("/scenario/links", links_info, "links of the scenario"),
    [ORR_TABLE_POOLS_INFO] = TABLE("/scenario/pools", pools_info, "pools of the scenario"),
    [ORR_TABLE_CLASSES_INFO] = TABLE("/scenario/classes", classes_info, "classes of clients"),
    [ORR_TABLE_SERVICES_INFO] = TABLE("/scenario/services", services_info, "services"),
    [ORR_TABLE_ORIGINS] = TABLE("/scenario/origins", origins, "every catalogue row that the run used, with its origin"),
    [ORR_TABLE_REQUESTS] = TABLE("/requests", requests, "requests of sampled clients, ordered by (end, ingress, sequence) within each bin"),
    [ORR_TABLE_LATENCY] = TABLE("/latency", latency, "latency histograms over all requests"),
    [ORR_TABLE_LATENCY_SITES] = TABLE("/latency/sites", latency_sites, "latency histograms by ingress over the whole run"),
    [ORR_TABLE_LATENCY_SUMS] = TABLE("/latency/sums", latency_sums, "exact counts and sums, for means"),
    [ORR_TABLE_GAPS] = TABLE("/latency/gaps", gaps, "histograms of the time between two tokens of one answer (inter-token latency), by pool"),
    [ORR_TABLE_SERVING] = TABLE("/serving", serving, "what the replicas of llm pools did over the whole run"),
    [ORR_TABLE_ITERATIONS] = TABLE("/serving/trace", iterations, "every iteration of the replica that `output.iterations` names"),
    [ORR_TABLE_SITES] = TABLE("/sites", sites, "time series of pools"),
    [ORR_TABLE_FLOW] = TABLE("/sites/flow", flow, "time series of requests at their ingress"),
    [ORR_TABLE_LINKS] = TABLE("/links", links, "time series of links; bins without traffic are left out"),
    [ORR_TABLE_COUNTS] = TABLE("/tokens/counts", counts, "requests by class and ingress; every offered one ends once"),
    [ORR_TABLE_TOKENS] = TABLE("/tokens", tokens, "tokens and cost by class and ingress"),
    [ORR_TABLE_TOKENS_POOLS] = TABLE("/tokens/pools", tokens_pools, "tokens, cost and energy by pool"),
    [ORR_TABLE_REASONS] = TABLE("/decisions/reasons", reasons, "why requests were not served"),
    [ORR_TABLE_STATE_AGE] = TABLE("/decisions/state_age", state_age, "age of the state behind each decision"),
    [ORR_TABLE_AUDIT] = TABLE("/audit", audit, "conservation checks"),
};

void orr_tables_reference(FILE *out, const orr_table_kind *kinds, size_t count)
{
    static const char *const type[] = {"u8", "u16", "u32", "u64", "i32", "i64", "f64", "text"};
    for (size_t t = 0; t < count; t++) {
        const orr_table_kind *k = &kinds[t];
        fprintf(out, "\n## `%s`\n\n%s.\n\n| column | type | units | meaning |\n|---|---|---|---|\n", k->path, k->meaning);
        for (uint32_t c = 0; c < k->column_count; c++)
            fprintf(out, "| `%s` | %s | %s | %s |\n", k->columns[c].name, type[k->columns[c].cell], k->columns[c].units, k->columns[c].meaning);
    }
}

char *orr_trace_reference(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fprintf(out, "# The file of a run\n\nOne group per table, one dataset per column, each with the attributes `units` and `long_name`.\n"
                 "Attributes of `/`: `format_version`, `orrery_version`, `status` (`complete` or `partial`), `seed`, `policy`, `oracle` (1 if the policy saw the truth), `simulated_until` (ns),\n"
                 "`start` (s since 1970 UTC), `scenario_hash`. `/scenario/text` is the resolved scenario. What depends on the machine is under `/host` only:\n"
                 "`wall_s`, `cpu_s`, `output_s` (writing), `events`, `peak_rss_bytes`, `lanes` (partitions of the run) and `window_requests` (expected per lane\n"
                 "between two meetings of the lanes; unbounded with one lane).\n");
    orr_tables_reference(out, orr_trace_tables, ORR_TABLES);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
