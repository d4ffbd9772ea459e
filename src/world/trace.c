/* Recorded request traces: in the columns of the public Azure LLM inference trace (Patel et al., ISCA 2024), here, or in the JSON lines of Mooncake's
 * (trace_json.c); plain or gzip. The columns are TIMESTAMP (calendar time, or seconds), ContextTokens, GeneratedTokens and, if the prompts' prefixes are
 * known, HashIds: one whole number for each block of 512 tokens of the prompt, separated by spaces. */
#include "base/random.h"
#include "base/time.h"
#include "world/builder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days since 1970-01-01 of a civil date (Hinnant's algorithm). */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned year = (unsigned)(y - era * 400), day = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(year * 365 + year / 4 - year / 100 + day) - 719468;
}

/* Nanoseconds from text: "2023-11-16 18:15:46.6805900" or seconds as a number. Exact for either. */
static bool read_time(const char *text, int64_t *ns)
{
    int year, used = 0;
    unsigned month, day, hour, minute, second;
    int64_t whole;
    const char *rest;
    if (sscanf(text, "%4d-%2u-%2u%*1[ T]%2u:%2u:%2u%n", &year, &month, &day, &hour, &minute, &second, &used) == 6 && used > 0) {
        static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (month < 1 || month > 12 || day < 1 || day > days[month - 1] + (leap && month == 2) || hour > 23 || minute > 59 || second > 60)
            return false;
        whole = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
        rest = text + used;
    } else {
        char *end;
        if (text[0] < '0' || text[0] > '9')
            return false;
        whole = strtoll(text, &end, 10);
        rest = end;
    }
    if (whole > INT64_MAX / ORR_SECOND - 1)
        return false;
    int64_t fraction = 0, unit = ORR_SECOND;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++)
            fraction += unit > 1 ? (*rest - '0') * (unit /= 10) : 0;
    *ns = whole * ORR_SECOND + fraction;
    return *rest == 0 || strcmp(rest, "Z") == 0;
}

static bool read_tokens(const char *text, uint32_t *tokens)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *tokens = (uint32_t)value;
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && value <= ORR_TRACE_LONGEST;
}

orr_trace_row *orr_trace_append(orr_builder *b, orr_trace_time *time, int64_t at_ns, const char *key, orr_where where)
{
    if (time->begun && at_ns < time->last_ns) {
        orr_problem(b->problems, where, "%s: this row is earlier than the one before it", key);
        return NULL;
    }
    time->first_ns = time->begun ? time->first_ns : at_ns;
    time->last_ns = at_ns;
    time->begun = true;
    orr_trace_row *row = orr_append(b, &b->traces);
    *row = (orr_trace_row){.at_ns = at_ns - time->first_ns, .first_block = b->trace_blocks.count};
    return row;
}

void orr_trace_add_block(orr_builder *b, orr_trace_row *row, uint64_t hash)
{
    *(uint64_t *)orr_append(b, &b->trace_blocks) = hash;
    row->block_count++;
}

void orr_trace_check_blocks(orr_builder *b, const orr_trace_row *row, const char *key, orr_where where)
{
    uint32_t blocks = (row->input + ORR_TRACE_BLOCK - 1) / ORR_TRACE_BLOCK;
    if (row->block_count > blocks)
        orr_problem(b->problems, where, "%s: %u blocks of %d tokens are more than the %u of a prompt of %u tokens", key, row->block_count, ORR_TRACE_BLOCK, blocks, row->input);
}

/* Space-separated hashes of one cell. */
static void read_blocks(orr_builder *b, orr_trace_row *row, const char *text, orr_where where)
{
    while (*text != 0) {
        char *end;
        errno = 0;
        uint64_t hash = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || errno != 0 || (*end != 0 && *end != ' ')) {
            orr_problem(b->problems, where, "HashIds: expected whole numbers from 0 to 2^64-1 separated by spaces, found `%s`", text);
            return;
        }
        orr_trace_add_block(b, row, hash);
        for (text = end; *text == ' '; text++)
            ;
    }
    orr_trace_check_blocks(b, row, "HashIds", where);
}

static void read_row(orr_builder *b, const orr_csv *csv, size_t r, const int column[4], orr_trace_time *time)
{
    int64_t ns;
    const char *at = orr_csv_cell(csv, r, column[0]), *input = orr_csv_cell(csv, r, column[1]), *output = orr_csv_cell(csv, r, column[2]);
    orr_where where = orr_csv_where(csv, r, column[0]);
    orr_trace_row lost = {0}, *row = NULL; /* what is wrong in a row is told even if its time is wrong too */
    if (!read_time(at, &ns))
        orr_problem(b->problems, where, "TIMESTAMP: expected a time such as 2023-11-16 18:15:46.68 or seconds, found `%s`", at);
    else
        row = orr_trace_append(b, time, ns, "TIMESTAMP", where);
    row = row == NULL ? &lost : row;
    if (!read_tokens(input, &row->input))
        orr_problem(b->problems, orr_csv_where(csv, r, column[1]), "ContextTokens: expected a whole number from 0 to %d, found `%s`", ORR_TRACE_LONGEST, input);
    if (!read_tokens(output, &row->output) || row->output == 0)
        orr_problem(b->problems, orr_csv_where(csv, r, column[2]), "GeneratedTokens: expected a whole number from 1 to %d, found `%s`", ORR_TRACE_LONGEST, output);
    if (column[3] >= 0)
        read_blocks(b, row, orr_csv_cell(csv, r, column[3]), orr_csv_where(csv, r, column[3]));
}

static void read_table(orr_builder *b, const char *path)
{
    orr_csv *csv = orr_csv_load(path, b->problems);
    if (csv == NULL)
        return;
    int column[] = {orr_csv_need(csv, "TIMESTAMP", b->problems), orr_csv_need(csv, "ContextTokens", b->problems), orr_csv_need(csv, "GeneratedTokens", b->problems),
                    orr_csv_column(csv, "HashIds")};
    orr_trace_time time = {0};
    for (size_t r = 0; r < orr_csv_rows(csv) && column[0] >= 0 && column[1] >= 0 && column[2] >= 0; r++)
        read_row(b, csv, r, column, &time);
    orr_csv_destroy(csv);
}

typedef struct replayed {
    orr_trace_row row;
    uint32_t      place; /* in the file: breaks ties */
} replayed;

static int replay_order(const void *a, const void *b)
{
    const replayed *x = a, *y = b;
    if (x->row.at_ns != y->row.at_ns)
        return x->row.at_ns < y->row.at_ns ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Rows in the order of their times; equals as in the file. */
static void sort_rows(orr_builder *b, uint32_t first, uint32_t rows)
{
    replayed *sorted = malloc(rows * sizeof *sorted);
    if (sorted == NULL) {
        b->out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < rows; i++)
        sorted[i] = (replayed){*(orr_trace_row *)orr_array_at(&b->traces, first + i), i};
    qsort(sorted, rows, sizeof *sorted, replay_order);
    for (uint32_t i = 0; i < rows; i++)
        *(orr_trace_row *)orr_array_at(&b->traces, first + i) = sorted[i].row;
    free(sorted);
}

/* Recorded times become those of the replay. */
static void set_times(orr_builder *b, uint32_t first, uint32_t rows, const orr_replay *replay)
{
    const double latest = (double)ORR_NEVER / 4;
    for (uint32_t i = 0; i < rows && (replay->jitter_ns > 0 || replay->speed != 1); i++) {
        orr_trace_row *row = orr_array_at(&b->traces, first + i);
        uint64_t later = orr_random_below(orr_random_bits(b->world->seed, ORR_STREAM_REPLAY, replay->entity, i, 0).low, (uint64_t)replay->jitter_ns);
        double at = ((double)row->at_ns + (double)later) / replay->speed;
        row->at_ns = replay->speed == 1 && at < latest ? row->at_ns + (int64_t)later : (int64_t)fmin(at, latest);
    }
    if (replay->jitter_ns > 0) {
        b->world->seeded = true;
        sort_rows(b, first, rows);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

uint32_t orr_build_trace(orr_builder *b, const char *path, const orr_replay *replay)
{
    uint32_t first = b->traces.count;
    size_t problems = b->problems->count;
    if (ends_with(path, ".jsonl") || ends_with(path, ".jsonl.gz"))
        orr_build_trace_json(b, path);
    else
        read_table(b, path);
    uint32_t rows = b->traces.count - first;
    if (rows == 0 && b->problems->count == problems)
        orr_problem(b->problems, (orr_where){path, 0, 0}, "the trace holds no request");
    if (rows > 0)
        set_times(b, first, rows, replay);
    return rows;
}
