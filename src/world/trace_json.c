/* Recorded request traces in the format of Mooncake (Qin et al., FAST 2025): a JSON object per line,
 *
 *     {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2354]}
 *
 * with the time in ms and a hash for each block of 512 tokens of the prompt, in order. JSON's numbers are doubles: ids up to 2^53 are exact, and larger
 * ones are refused. */
#include "base/time.h"
#include "scenario/text_file.h"
#include "world/builder.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_ID = 0x1p53, LONGEST_MS = 9.2e12; /* the latter: int64 nanoseconds */

/* A number of the row in [low, high]; `low` with a problem if it is not. */
static double number(orr_builder *b, const cJSON *object, const char *key, double low, double high, bool whole, orr_where where)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (cJSON_IsNumber(item) && item->valuedouble >= low && item->valuedouble <= high && (!whole || item->valuedouble == floor(item->valuedouble)))
        return item->valuedouble;
    char *found = item == NULL ? NULL : cJSON_PrintUnformatted(item);
    orr_problem(b->problems, where, "%s: expected a %snumber from %.0f to %.16g, found %s%s%s", key, whole ? "whole " : "", low, high, found ? "`" : "", found ? found : "nothing", found ? "`" : "");
    cJSON_free(found);
    return low;
}

static void read_blocks(orr_builder *b, const cJSON *object, orr_trace_row *row, orr_where where)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(object, "hash_ids"), *id;
    if (ids != NULL && !cJSON_IsArray(ids))
        orr_problem(b->problems, where, "hash_ids: expected a list of whole numbers");
    cJSON_ArrayForEach(id, ids)
    {
        if (!cJSON_IsNumber(id) || id->valuedouble < 0 || id->valuedouble > LARGEST_ID || id->valuedouble != floor(id->valuedouble)) {
            orr_problem(b->problems, where, "hash_ids: expected whole numbers from 0 to 2^53");
            return;
        }
        orr_trace_add_block(b, row, (uint64_t)id->valuedouble);
    }
    orr_trace_check_blocks(b, row, "hash_ids", where);
}

static void read_line(orr_builder *b, const char *line, orr_trace_time *time, orr_where where)
{
    const char *end = NULL;
    cJSON *object = cJSON_ParseWithOpts(line, &end, true);
    if (!cJSON_IsObject(object)) {
        where.column = object != NULL || end == NULL ? 1 : (uint32_t)(end - line) + 1;
        orr_problem(b->problems, where, "expected a JSON object with timestamp, input_length, output_length and hash_ids");
    } else {
        int64_t at = (int64_t)llround(number(b, object, "timestamp", 0, LONGEST_MS, false, where) * (double)ORR_MILLISECOND);
        uint32_t input = (uint32_t)number(b, object, "input_length", 0, ORR_TRACE_LONGEST, true, where);
        uint32_t output = (uint32_t)number(b, object, "output_length", 1, ORR_TRACE_LONGEST, true, where);
        orr_trace_row *row = orr_trace_append(b, time, at, "timestamp", where);
        if (row != NULL) {
            row->input = input;
            row->output = output;
            read_blocks(b, object, row, where);
        }
    }
    cJSON_Delete(object);
}

void orr_build_trace_json(orr_builder *b, const char *path)
{
    size_t length;
    char *text = orr_text_file(path, &length, b->problems);
    orr_trace_time time = {0};
    uint32_t number_of_line = 0;
    for (char *line = text, *next; line != NULL && line < text + length; line = next) {
        char *end = memchr(line, '\n', (size_t)(text + length - line));
        next = end == NULL ? text + length : end + 1;
        end = end == NULL ? text + length : end;
        *end = '\0';
        number_of_line++;
        if (line[strspn(line, " \t\r")] != '\0' || strlen(line) < (size_t)(end - line)) /* a line of blanks is no row */
            read_line(b, line, &time, (orr_where){path, number_of_line, 1});
    }
    free(text);
}
