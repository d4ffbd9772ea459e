#include "measure/points.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a column may be called, our own name first; then those of aiconfigurator, InferenceMAX, Splitwise, vLLM's own benchmark and vendors' tables. */
enum { ACCELERATOR, ENGINE, VERSION, MODEL, PRECISION, KV_PRECISION, GROUP, DATA_PARALLEL, EXPERT_PARALLEL, CONCURRENCY, INPUT, OUTPUT, SPREAD, ROUNDS, TOKEN_BUDGET, MAX_BATCH, STREAM, DRAFTS, ACCEPTANCE, ARRIVALS, TTFT, TPOT, OUTPUT_RATE, OUTPUT_RATE_EACH, PREFILL_RATE, DECODE_RATE, FIELDS };
enum { MOST_NAMES = 6, MOST_USERS = 65536, MOST_BUDGET = 1000000, BATCH_OF_A_BURST = 256 /* max_num_seqs of vLLM */ };
static const char *const names[FIELDS][MOST_NAMES] = {
    [ACCELERATOR] = {"accelerator", "system", "hw", "hardware", "gpu"},
    [ENGINE] = {"engine", "backend", "framework"},
    [VERSION] = {"version", "backend_version"},
    [MODEL] = {"model", "model_path", "model_name", "model_id"},
    [PRECISION] = {"precision", "gemm_quant_mode"},
    [KV_PRECISION] = {"kv_precision"},
    [GROUP] = {"group", "tp_size", "tp", "count", "tensor_parallel", "num_gpus"},
    [DATA_PARALLEL] = {"data_parallel", "attention_dp_size"},
    [EXPERT_PARALLEL] = {"moe_ep_size"},
    [CONCURRENCY] = {"concurrency", "conc", "max_concurrency", "batch_size"},
    [INPUT] = {"input", "isl", "mean_in", "prompt_size", "input_len"},
    [OUTPUT] = {"output", "osl", "mean_out", "token_size", "output_len"},
    [SPREAD] = {"spread"},
    [ROUNDS] = {"rounds"},
    [TOKEN_BUDGET] = {"token_budget"},
    [MAX_BATCH] = {"max_batch"},
    [STREAM] = {"stream"},
    [DRAFTS] = {"drafts"},
    [ACCEPTANCE] = {"acceptance"},
    [ARRIVALS] = {"arrivals", "offered_rate_rps", "request_rate"}, /* "inf": all requests at once */
    [TTFT] = {"ttft_ms", "silicon_ttft_ms", "ttft_mean_ms", "mean_ttft_ms", "prompt_time"},
    [TPOT] = {"tpot_ms", "silicon_tpot_ms", "tpot_mean_ms", "mean_tpot_ms", "token_time"},
    [OUTPUT_RATE] = {"output_tokens_s", "out_tok_s", "output_throughput"}, /* of the replica */
    [OUTPUT_RATE_EACH] = {"out_tok_s_per_gpu"},
    [PREFILL_RATE] = {"prefill_tokens_s"},
    [DECODE_RATE] = {"decode_tokens_s"},
};

typedef struct table {
    const orr_csv *csv;
    int            column[FIELDS];
    orr_problems  *problems;
    orr_points    *points;
} table;

static const char *keep(orr_points *points, const char *text)
{
    char **grown = realloc(points->texts, (points->text_count + 1) * sizeof *grown), *copy = strdup(text);
    if (grown != NULL)
        points->texts = grown;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return "";
    }
    return points->texts[points->text_count++] = copy;
}

static const char *cell(const table *t, size_t row, int field) { return orr_csv_cell(t->csv, row, t->column[field]); }

static double number(const table *t, size_t row, int field, double low, double high, double fallback)
{
    bool optional = !isnan(fallback) || field >= TTFT;
    if (t->column[field] < 0 || (optional && *cell(t, row, field) == 0))
        return fallback;
    double value = orr_csv_number(t->csv, row, t->column[field], low, high, fallback, t->problems);
    return isnan(value) ? fallback : value;
}

/* A whole number that every row needs; 1 with a problem where there is none. */
static uint32_t needed(const table *t, size_t row, int field, double high)
{
    double value = number(t, row, field, 1, high, NAN);
    return isnan(value) ? 1 : (uint32_t)value;
}

/* A measured time in s, NAN where the table has none. */
static double seconds(const table *t, size_t row, int field) { return *cell(t, row, field) ? 1e-3 * number(t, row, field, 1e-3, 1e9, NAN) : NAN; }

/* How much of `text` a name takes, letters of either case and `-`, `_` and blanks being the same; 0 if it does not begin with it. */
static size_t prefix(const char *text, const char *name)
{
    size_t n = 0;
    for (; name[n] != 0; n++) {
        char a = (char)tolower((unsigned char)text[n]), b = (char)tolower((unsigned char)name[n]);
        bool gap = (a == '-' || a == '_' || a == ' ') && (b == '-' || b == '_' || b == ' ');
        if (a != b && !gap)
            return 0;
    }
    return isalnum((unsigned char)text[n]) ? 0 : n;
}

/* The catalogue's name for what a table calls `text`: the row whose name, title or one of whose aliases is the longest beginning of it, and how much that takes. NULL: none. */
static const char *find(const orr_csv *catalogue, const char *text, size_t *taken)
{
    const char *found = NULL, *start = text, *slash = strrchr(text, '/');
    size_t longest = 0;
    int name = orr_csv_column(catalogue, "name"), title = orr_csv_column(catalogue, "title"), aliases = orr_csv_column(catalogue, "aliases");
    text = slash == NULL ? text : slash + 1;
    for (size_t r = 0; r < orr_csv_rows(catalogue); r++) {
        char list[512];
        size_t here = prefix(text, orr_csv_cell(catalogue, r, name)), other = prefix(text, orr_csv_cell(catalogue, r, title));
        here = other > here ? other : here;
        snprintf(list, sizeof list, "%s", orr_csv_cell(catalogue, r, aliases));
        char *rest = list;
        for (const char *alias; (alias = strsep(&rest, ";")) != NULL;) {
            other = *alias ? prefix(text, alias) : 0;
            here = other > here ? other : here;
        }
        if (here > longest) {
            longest = here;
            found = orr_csv_cell(catalogue, r, name);
        }
    }
    *taken = slash == NULL ? longest : longest + (size_t)(text - start);
    return found;
}

static bool contains(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t n = 0;
        while (part[n] && tolower((unsigned char)text[n]) == part[n])
            n++;
        if (part[n] == 0)
            return true;
    }
    return false;
}

/* Does what follows an accelerator's name make it another card, with less memory, bandwidth or arithmetic? (NVL72 is only the rack it is in.) */
static bool other_card(const char *rest)
{
    static const char *const forms[] = {"pcie", "nvl", "40g", "40 g", "mig", "-3e", "sxm4-40"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (contains(rest, forms[i]) && !contains(rest, "nvl72"))
            return true;
    return false;
}

/* Does what follows a model's name make it another one, with other weights? */
static bool other_model(const char *rest)
{
    static const char *const forms[] = {"embed", "rerank", "distill", "mini", "draft", "eagle"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (contains(rest, forms[i]))
            return true;
    return false;
}

/* The precision that a word of the field stands for; NULL: none. Weights decide, where a word says both (w4a16). */
static const char *precision_of(const char *text)
{
    static const char *const words[][2] = {{"w4a", "int4"}, {"w8a8", "int8"}, {"fp4", "fp4"}, {"fp8", "fp8"}, {"e4m3", "fp8"}, {"e5m2", "fp8"}, {"int8", "int8"}, {"int4", "int4"}, {"awq", "int4"}, {"gptq", "int4"}, {"q4_", "int4"},
                                           {"q8_0", "int8"}, {"bf16", "bf16"}, {"fp16", "bf16"}, {"float16", "bf16"}, {"half", "bf16"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (contains(text, words[i][0]))
            return words[i][1];
    return NULL;
}

bool orr_same_name(const char *a, const char *b) { return *b != 0 && prefix(a, b) == strlen(a); }

static void skip(orr_point *p, const char *why, const char *cell)
{
    p->skipped = why;
    p->reason = cell;
}

/* Of the weights: as the cell says; an empty one, as the model's name does (…-AWQ); else 16 bits. */
static void set_precision(const table *t, size_t row, orr_point *p)
{
    const char *given = cell(t, row, PRECISION), *named = precision_of(p->given_model);
    p->precision = *given ? precision_of(given) : named != NULL ? named : "bf16";
    if (p->precision == NULL) {
        p->precision = "bf16";
        skip(p, "the precision is none of bf16, fp8, fp4, int8, int4", keep(t->points, given));
    }
}

/*
 * How public benchmarks were taken, where the table does not say; inferred from how the times depend on the number of users. aiconfigurator's own runs
 * (known by the versions of their engines) had lengths that do not vary and a token budget of one prompt and one token per user; the others are
 * InferenceMAX's: lengths from 0.8 of the nominal ones on. All users begin at once and ask ten times; the start counts.
 */
static bool by_aiconfigurator(const char *engine, const char *version, const orr_point *p)
{
    static const char *const own[][2] = {{"trtllm", "1.0.0rc3"}, {"sglang", "0.5.1.post1"}, {"vllm", "0.12.0"}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(engine, own[i][0]) == 0 && strcmp(version, own[i][1]) == 0)
            return true;
    return (p->input != 1024 && p->input != 8192) || (p->output != 1024 && p->output != 8192);
}

static void set_protocol(const table *t, size_t row, orr_point *p)
{
    const char *version = cell(t, row, VERSION), *kv = cell(t, row, KV_PRECISION);
    bool versions = t->column[VERSION] >= 0, own = versions && by_aiconfigurator(p->engine, version, p), trt = strcmp(p->engine, "trtllm") == 0, eight_bits = strcmp(p->precision, "bf16") != 0;
    bool blackwell = p->accelerator[0] == 'b' || p->accelerator[0] == 'g';
    /* TensorRT-LLM of that version held one user back with 16-bit weights, and sends 20 tokens at a time in InferenceMAX's 1024/1024 runs on up to 4 cards. */
    uint32_t places = own && trt && !eight_bits && p->concurrency > 1 ? p->concurrency - 1 : p->concurrency;
    bool twenty = versions && !own && trt && p->input == 1024 && p->output == 1024 && p->group < 8;
    bool inferencemax = (versions && !own) || t->column[OUTPUT_RATE_EACH] >= 0;
    p->spread = number(t, row, SPREAD, 0.01, 1, inferencemax ? 0.8 : 1);
    bool batch = p->batch = strcmp(orr_csv_column_name(t->csv, (size_t)t->column[CONCURRENCY]), "batch_size") == 0, at_once = batch || contains(cell(t, row, ARRIVALS), "inf"); /* a batch by itself, in one piece; a burst */
    p->rounds = (uint32_t)number(t, row, ROUNDS, 1, 1e6, at_once ? 1 : 10);
    p->token_budget = (uint32_t)number(t, row, TOKEN_BUDGET, 0, 1e6, batch ? fmin(MOST_BUDGET, (double)p->input * p->concurrency) : own && strcmp(p->engine, "sglang") != 0 ? p->input + p->concurrency : 0);
    p->max_batch = (uint32_t)number(t, row, MAX_BATCH, 1, MOST_USERS, at_once && !batch && places > BATCH_OF_A_BURST ? BATCH_OF_A_BURST : places);
    p->stream = (uint32_t)number(t, row, STREAM, 1, 1e4, twenty ? 20 : 1);
    p->drafts = (uint32_t)number(t, row, DRAFTS, 0, 16, 0);
    p->acceptance = number(t, row, ACCEPTANCE, 0, 1, 0.7);
    p->kv_precision = *kv ? precision_of(kv) : blackwell || (eight_bits && trt) ? "fp8" : "bf16";
    if (p->kv_precision == NULL) {
        p->kv_precision = "bf16";
        skip(p, "the precision of the cache is none of bf16, fp8, fp4, int8, int4", keep(t->points, kv));
    }
    /* Some of its rows give the product of both ways of sharding the experts, more cards than the node has. */
    double experts = number(t, row, EXPERT_PARALLEL, 0, 4096, 1);
    if (p->group > 8 && experts > 1)
        p->group = (uint32_t)(p->group / experts);
}

static void set_rate(const table *t, size_t row, orr_point *p)
{
    double prefill = number(t, row, PREFILL_RATE, 1e-3, 1e12, NAN), decode = number(t, row, DECODE_RATE, 1e-3, 1e12, NAN);
    p->phase = !isnan(prefill) ? ORR_PHASE_PREFILL : !isnan(decode) ? ORR_PHASE_DECODE : ORR_PHASE_BOTH;
    p->rate = p->phase == ORR_PHASE_PREFILL ? prefill : p->phase == ORR_PHASE_DECODE ? decode : number(t, row, OUTPUT_RATE, 1e-3, 1e12, p->group * number(t, row, OUTPUT_RATE_EACH, 1e-3, 1e12, NAN));
    if (p->phase == ORR_PHASE_PREFILL)
        p->output = 1;
}

static bool read_row(const table *t, size_t row, const orr_csv *accelerators, const orr_csv *models, const orr_csv *engines, const char *accelerator, const char *engine, const orr_points_limits *limits)
{
    orr_points *points = t->points;
    orr_point *grown = realloc(points->items, (points->count + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    points->items = grown;
    orr_point *p = &grown[points->count++];
    const char *given = cell(t, row, ACCELERATOR), *server = cell(t, row, ENGINE), *model = cell(t, row, MODEL), *name;
    size_t taken;
    if (accelerator != NULL && strcmp(accelerator, "*") != 0 && (*given == 0 || find(accelerators, given, &taken) == NULL))
        given = accelerator;
    if (engine != NULL && (*server == 0 || find(engines, server, &taken) == NULL))
        server = engine;
    *p = (orr_point){.accelerator = "", .model = "", .engine = "", .where = orr_csv_where(t->csv, row, 0), .got_ttft_s = NAN, .got_tpot_s = NAN, .got_rate = NAN};
    p->where.file = keep(points, p->where.file);
    p->given_accelerator = keep(points, given);
    p->given_model = keep(points, model);
    if (*server != 0 && (name = find(engines, server, &taken)) != NULL)
        p->engine = keep(points, name);
    else if (*server != 0)
        skip(p, "the engine is not in the catalogue", keep(points, server));
    if ((name = find(accelerators, given, &taken)) == NULL)
        skip(p, "the accelerator is not in the catalogue", p->given_accelerator);
    else if (other_card(given + taken))
        skip(p, "only another card of that name is in the catalogue", p->given_accelerator);
    else
        p->accelerator = keep(points, name);
    if ((name = find(models, model, &taken)) == NULL)
        skip(p, "the model is not in the catalogue", p->given_model);
    else if (other_model(model + taken))
        skip(p, "only another model of that name is in the catalogue", p->given_model);
    else
        p->model = keep(points, name);
    set_precision(t, row, p);
    p->group = (uint32_t)number(t, row, GROUP, 1, 4096, 1);
    p->data_parallel = (uint32_t)number(t, row, DATA_PARALLEL, 1, 4096, 1);
    p->concurrency = needed(t, row, CONCURRENCY, MOST_USERS);
    p->input = needed(t, row, INPUT, 1e6);
    p->output = needed(t, row, OUTPUT, 1e6);
    p->ttft_s = seconds(t, row, TTFT);
    p->tpot_s = seconds(t, row, TPOT);
    set_protocol(t, row, p);
    set_rate(t, row, p);
    bool burst = p->rounds == 1;
    if (p->skipped == NULL && p->output < limits->least_output && p->phase != ORR_PHASE_PREFILL && !burst)
        p->skipped = "too few output tokens";
    bool queued = p->ttft_s > limits->most_ttft_s / 4 && p->ttft_s > 3 * p->tpot_s * p->output;
    if (p->skipped == NULL && !burst && (p->ttft_s > limits->most_ttft_s || queued))
        p->skipped = "the time to first token is that of a queue";
    if (p->skipped == NULL && isnan(p->ttft_s) && isnan(p->tpot_s) && isnan(p->rate))
        p->skipped = "nothing measured";
    return true;
}

bool orr_points_load(orr_points *points, const char *path, const char *data, const char *accelerator, const char *engine, const orr_points_limits *limits, orr_problems *problems)
{
    char file[4096];
    *points = (orr_points){0};
    snprintf(file, sizeof file, "%s/accelerators.csv", data);
    orr_csv *accelerators = orr_csv_load(file, problems);
    snprintf(file, sizeof file, "%s/models.csv", data);
    orr_csv *models = orr_csv_load(file, problems);
    snprintf(file, sizeof file, "%s/engines.csv", data);
    orr_csv *engines = orr_csv_load(file, problems), *csv = orr_csv_load(path, problems);
    table t = {.csv = csv, .problems = problems, .points = points};
    bool ok = accelerators != NULL && models != NULL && engines != NULL && csv != NULL;
    for (int f = 0; f < FIELDS && ok; f++) {
        t.column[f] = -1;
        for (int n = MOST_NAMES - 1; n >= 0; n--)
            if (names[f][n] != NULL && orr_csv_column(csv, names[f][n]) >= 0)
                t.column[f] = orr_csv_column(csv, names[f][n]);
    }
    static const int needed[] = {MODEL, CONCURRENCY, INPUT, OUTPUT};
    for (size_t i = 0; i < sizeof needed / sizeof *needed && ok; i++)
        if (t.column[needed[i]] < 0)
            orr_csv_need(csv, names[needed[i]][0], problems);
    if (ok && t.column[ACCELERATOR] < 0 && accelerator == NULL)
        orr_csv_need(csv, names[ACCELERATOR][0], problems);
    if (ok && t.column[TTFT] < 0 && t.column[TPOT] < 0 && t.column[OUTPUT_RATE] < 0 && t.column[PREFILL_RATE] < 0 && t.column[DECODE_RATE] < 0)
        orr_csv_need(csv, names[TPOT][0], problems);
    ok = ok && !orr_problems_any(problems);
    for (size_t r = 0; ok && r < orr_csv_rows(csv); r++)
        if (!read_row(&t, r, accelerators, models, engines, accelerator, engine, limits)) {
            orr_problem(problems, (orr_where){path, 0, 0}, "out of memory");
            ok = false;
        }
    orr_csv_destroy(accelerators);
    orr_csv_destroy(models);
    orr_csv_destroy(engines);
    orr_csv_destroy(csv);
    return ok && !orr_problems_any(problems);
}

void orr_points_destroy(orr_points *points)
{
    for (uint32_t i = 0; i < points->text_count; i++)
        free(points->texts[i]);
    free(points->texts);
    free(points->items);
    *points = (orr_points){0};
}
