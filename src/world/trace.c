/* Recorded request traces in the columns of the public Azure LLM inference trace (Patel et al., ISCA 2024):
 * TIMESTAMP (calendar time, or seconds), ContextTokens, GeneratedTokens; plain or gzip. */
#include "base/time.h"
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TOKENS = 10000000 };

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
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && value <= LONGEST_TOKENS;
}

uint32_t orr_build_trace(orr_builder *b, const char *path)
{
    orr_csv *csv = orr_csv_load(path, b->problems);
    if (csv == NULL)
        return 0;
    int at = orr_csv_need(csv, "TIMESTAMP", b->problems), in = orr_csv_need(csv, "ContextTokens", b->problems);
    int out = orr_csv_need(csv, "GeneratedTokens", b->problems);
    uint32_t rows = 0;
    int64_t first = 0, last = INT64_MIN;
    for (size_t r = 0; r < orr_csv_rows(csv) && at >= 0 && in >= 0 && out >= 0; r++) {
        int64_t ns = 0;
        uint32_t input = 0, output = 0;
        if (!read_time(orr_csv_cell(csv, r, at), &ns))
            orr_problem(b->problems, orr_csv_where(csv, r, at), "TIMESTAMP: expected a time such as 2023-11-16 18:15:46.68 or seconds, found `%s`", orr_csv_cell(csv, r, at));
        else if (r > 0 && ns < last)
            orr_problem(b->problems, orr_csv_where(csv, r, at), "TIMESTAMP: this row is earlier than the one before it");
        if (!read_tokens(orr_csv_cell(csv, r, in), &input))
            orr_problem(b->problems, orr_csv_where(csv, r, in), "ContextTokens: expected a whole number from 0 to %d, found `%s`", LONGEST_TOKENS, orr_csv_cell(csv, r, in));
        if (!read_tokens(orr_csv_cell(csv, r, out), &output) || output == 0)
            orr_problem(b->problems, orr_csv_where(csv, r, out), "GeneratedTokens: expected a whole number from 1 to %d, found `%s`", LONGEST_TOKENS, orr_csv_cell(csv, r, out));
        if (r == 0)
            first = ns;
        last = ns;
        *(orr_trace_row *)orr_append(b, &b->traces) = (orr_trace_row){ns - first, input, output};
        rows++;
    }
    if (rows == 0)
        orr_problem(b->problems, (orr_where){orr_csv_path(csv), 0, 0}, "the trace holds no request");
    orr_csv_destroy(csv);
    return rows;
}
