/* The whole file is one buffer, and cells are texts inside it, terminated in place: the byte after a cell is its
 * separator, or a quote. A cell costs four bytes, its offset; a row costs eight, where it begins and in which line.
 * That makes a trace of 20 MB cost some 40 MB, and places cost nothing until somebody asks.
 *
 *     buffer   name\0 rate\0 "a, b"\0 ...          cell[row * columns + column] = offset of the first letter
 *
 * Doubled quotes are undone by moving the rest of the cell left; the gap behind it is filled with NULs. */
#include "scenario/csv.h"

#include "scenario/document.h"
#include "scenario/text_file.h"
#include "scenario/units.h"
#include "scenario/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    uint32_t start, line;
} row;

struct orr_csv {
    char     *path;
    char     *text; /* `length` bytes and a NUL */
    size_t    length;
    uint32_t *cell; /* (rows + 1) * columns offsets; the first row is the header */
    size_t    cells, cell_capacity;
    row      *rows;
    size_t    row_count, row_capacity;
    size_t    columns;
};

/* ---- text ----------------------------------------------------------------------------------------------------------- */

/* The first byte that is not UTF-8 text, or `length`. Most of a file is ASCII: eight bytes at a time. */
static size_t first_strange_byte(const char *text, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    for (size_t i = 0, step; i < length; i += step) {
        uint64_t eight = 0;
        uint32_t code;
        step = 8;
        if (i + 8 <= length)
            memcpy(&eight, text + i, 8);
        if (((eight | (eight - ones)) & tops) == 0) /* no byte is above 0x7f, none is zero */
            continue;
        step = orr_utf8_decode(text + i, length - i, &code);
        if (step == 0 || code == 0)
            return i;
    }
    return length;
}

/* ---- cells -------------------------------------------------------------------------------------------------------- */

typedef struct scanner {
    orr_csv      *csv;
    orr_problems *problems;
    char         *p, *end, *line_start;
    uint32_t      line;
    bool          failed, unclosed, no_memory;
} scanner;

static orr_where here(const scanner *s, const char *at)
{
    return (orr_where){s->csv->path, s->line, (uint32_t)(at - s->line_start) + 1};
}

static void *grown(scanner *s, void *array, size_t *capacity, size_t size)
{
    size_t more = *capacity == 0 ? 1024 : 2 * *capacity;
    void  *bigger = realloc(array, more * size);
    if (bigger == NULL) {
        s->no_memory = true;
        return array;
    }
    *capacity = more;
    return bigger;
}

static void keep_cell(scanner *s, const char *start)
{
    orr_csv *csv = s->csv;
    if (csv->cells == csv->cell_capacity)
        csv->cell = grown(s, csv->cell, &csv->cell_capacity, sizeof *csv->cell);
    if (!s->no_memory)
        csv->cell[csv->cells++] = (uint32_t)(start - csv->text);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static void cut_off(char *start, char *end)
{
    while (end > start && is_blank(end[-1]))
        *--end = '\0';
}

/* A cell in quotes; `s->p` at the opening one, afterwards behind what follows the closing one. */
static void scan_quoted(scanner *s)
{
    char *open = s->p, *from = open + 1, *to = open + 1;
    orr_where where = here(s, open);
    for (; from < s->end; from++) {
        if (*from == '"') {
            if (from + 1 == s->end || from[1] != '"')
                break;
            from++;
        }
        if (*from == '\n') {
            s->line++;
            s->line_start = from + 1;
        }
        *to++ = *from;
    }
    if (from == s->end) {
        orr_problem(s->problems, where, "this quote is never closed");
        s->failed = s->unclosed = true;
        s->p = s->end;
        return;
    }
    memset(to, '\0', (size_t)(from - to) + 1);
    cut_off(open + 1, to);
    for (s->p = from + 1; s->p < s->end && is_blank(*s->p);)
        s->p++;
    if (s->p < s->end && *s->p != ',' && *s->p != '\n') {
        orr_problem(s->problems, here(s, s->p), "expected a comma after the closing quote; a quote inside quotes is doubled");
        s->failed = true;
        while (s->p < s->end && *s->p != ',' && *s->p != '\n')
            s->p++;
    }
    for (open++; open < to && is_blank(*open);)
        open++;
    keep_cell(s, open);
}

static void scan_cell(scanner *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
    if (s->p < s->end && *s->p == '"') {
        scan_quoted(s);
        return;
    }
    char *start = s->p;
    while (s->p < s->end && *s->p != ',' && *s->p != '\n')
        s->p++;
    keep_cell(s, start);
    cut_off(start, s->p);
}

/* One line of cells, longer than a line of text if quotes say so. Separators become terminators. */
static void scan_row(scanner *s)
{
    orr_csv *csv = s->csv;
    size_t   first = csv->cells;
    row      this = {(uint32_t)(s->p - csv->text), s->line};
    for (bool more = true; more && !s->no_memory;) {
        scan_cell(s);
        more = s->p < s->end && *s->p == ',';
        if (more)
            *s->p++ = '\0';
    }
    size_t count = csv->cells - first;
    if (csv->row_count == csv->row_capacity)
        csv->rows = grown(s, csv->rows, &csv->row_capacity, sizeof *csv->rows);
    if (s->no_memory)
        return;
    if (csv->row_count == 0)
        csv->columns = count;
    if (count != csv->columns && !s->unclosed) {
        orr_problem(s->problems, (orr_where){csv->path, this.line, 1}, "expected %zu cells as in the header, found %zu", csv->columns, count);
        s->failed = true;
    }
    if (count == csv->columns)
        csv->rows[csv->row_count++] = this;
    else
        csv->cells = first;
}

static void scan_lines(scanner *s)
{
    while (s->p < s->end && !s->no_memory) {
        char *p = s->p;
        while (p < s->end && is_blank(*p))
            p++;
        if (p < s->end && *p == '#') {
            char *newline = memchr(p, '\n', (size_t)(s->end - p));
            s->p = newline == NULL ? s->end : newline;
        } else if (p < s->end && *p != '\n') {
            scan_row(s);
        } else {
            s->p = p;
        }
        if (s->p < s->end) { /* at the newline, if it was not cut off with what stood before it */
            *s->p++ = '\0';
            s->line++;
            s->line_start = s->p;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    int order = strcmp(*x, *y);
    return order != 0 ? order : (*x > *y) - (*x < *y); /* both point into one buffer: equal names in file order */
}

static orr_where header_where(const orr_csv *csv, const char *name)
{
    return (orr_where){csv->path, csv->rows[0].line, (uint32_t)(name - csv->text) - csv->rows[0].start + 1};
}

static void check_header(scanner *s)
{
    orr_csv     *csv = s->csv;
    const char **name = malloc(csv->columns * sizeof *name);
    char         shown[64];
    if (name == NULL) {
        s->no_memory = true;
        return;
    }
    for (size_t i = 0; i < csv->columns; i++) {
        name[i] = csv->text + csv->cell[i];
        if (*name[i] == '\0') {
            orr_problem(s->problems, header_where(csv, name[i]), "column %zu has no name", i + 1);
            s->failed = true;
        }
    }
    qsort(name, csv->columns, sizeof *name, by_name);
    for (size_t i = 1; i < csv->columns; i++)
        if (*name[i] != '\0' && strcmp(name[i - 1], name[i]) == 0) {
            orr_problem(s->problems, header_where(csv, name[i]), "a second column is called \"%s\"", orr_utf8_excerpt(name[i], shown));
            s->failed = true;
        }
    free(name);
}

static bool scan(orr_csv *csv, orr_problems *problems)
{
    scanner s = {.csv = csv, .problems = problems, .p = csv->text, .end = csv->text + csv->length, .line = 1};
    if (csv->length >= 3 && memcmp(csv->text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        s.p += 3;
    s.line_start = s.p;
    size_t strange = first_strange_byte(csv->text, csv->length);
    if (strange < csv->length) {
        for (const char *p = s.p; p < csv->text + strange; p++)
            if (*p == '\n') {
                s.line++;
                s.line_start = (char *)p + 1;
            }
        orr_problem(problems, here(&s, csv->text + strange), "this is not text: expected UTF-8, found byte 0x%02x", (unsigned char)csv->text[strange]);
        return false;
    }
    scan_lines(&s);
    if (!s.no_memory && !s.failed && csv->row_count == 0) {
        orr_problem(problems, (orr_where){.file = csv->path}, "the file is empty, expected a header row");
        return false;
    }
    if (!s.no_memory && csv->row_count > 0 && csv->columns > 0)
        check_header(&s);
    if (s.no_memory)
        problems->out_of_memory = true;
    return !s.no_memory && !s.failed;
}

/* ---- the interface ------------------------------------------------------------------------------------------------ */

orr_csv *orr_csv_load(const char *path, orr_problems *problems)
{
    orr_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL || (csv->path = strdup(path)) == NULL) {
        problems->out_of_memory = true;
        orr_csv_destroy(csv);
        return NULL;
    }
    csv->text = orr_text_file(path, &csv->length, problems);
    if (csv->text != NULL && scan(csv, problems))
        return csv;
    orr_csv_destroy(csv);
    return NULL;
}

void orr_csv_destroy(orr_csv *csv)
{
    if (csv == NULL)
        return;
    free(csv->path);
    free(csv->text);
    free(csv->cell);
    free(csv->rows);
    free(csv);
}

const char *orr_csv_path(const orr_csv *csv) { return csv->path; }
size_t      orr_csv_rows(const orr_csv *csv) { return csv->row_count - 1; }
size_t      orr_csv_columns(const orr_csv *csv) { return csv->columns; }

const char *orr_csv_column_name(const orr_csv *csv, size_t column)
{
    assert(column < csv->columns);
    return csv->text + csv->cell[column];
}

int orr_csv_column(const orr_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->columns; i++)
        if (strcmp(csv->text + csv->cell[i], name) == 0)
            return (int)i;
    return -1;
}

int orr_csv_need(const orr_csv *csv, const char *name, orr_problems *problems)
{
    int column = orr_csv_column(csv, name);
    if (column >= 0)
        return column;
    orr_where    where = {csv->path, csv->rows[0].line, 1};
    const char **names = malloc(csv->columns * sizeof *names);
    if (names == NULL) {
        problems->out_of_memory = true;
        return -1;
    }
    for (size_t i = 0; i < csv->columns; i++)
        names[i] = csv->text + csv->cell[i];
    const char *near = orr_nearest(name, names, csv->columns);
    free(names);
    if (near != NULL)
        orr_problem(problems, where, "expected a column \"%s\"; is \"%s\" meant to be it?", name, near);
    else
        orr_problem(problems, where, "expected a column \"%s\", found none of that name", name);
    return -1;
}

const char *orr_csv_cell(const orr_csv *csv, size_t row_index, int column)
{
    assert(row_index + 1 < csv->row_count && column < (int)csv->columns);
    return column < 0 ? "" : csv->text + csv->cell[(row_index + 1) * csv->columns + (size_t)column];
}

/* The row knows where it began; lines that its quoted cells run over are counted on the way to the cell. */
orr_where orr_csv_where(const orr_csv *csv, size_t row_index, int column)
{
    const row *r = &csv->rows[row_index + 1];
    orr_where  where = {csv->path, r->line, 1};
    if (column < 0)
        return where;
    const char *line_start = csv->text + r->start, *cell = orr_csv_cell(csv, row_index, column);
    for (const char *p = line_start; p < cell; p++)
        if (*p == '\n') {
            where.line++;
            line_start = p + 1;
        }
    if (cell > line_start && cell[-1] == '"')
        cell--;
    where.column = (uint32_t)(cell - line_start) + 1;
    return where;
}

double orr_csv_number(const orr_csv *csv, size_t row_index, int column, double low, double high, double fallback, orr_problems *problems)
{
    const char *text = orr_csv_cell(csv, row_index, column), *name = column < 0 ? "?" : orr_csv_column_name(csv, (size_t)column);
    double      value;
    int64_t     whole;
    char        expected[160], shown[64];
    if (*text == '\0') {
        if (isnan(fallback))
            orr_problem(problems, orr_csv_where(csv, row_index, column), "%s: expected a number, found nothing", name);
        return fallback;
    }
    if (!orr_units_read(ORR_TYPE_NUMBER, text, &value, &whole, expected, sizeof expected)) {
        orr_problem(problems, orr_csv_where(csv, row_index, column), "%s: expected %s, found \"%s\"", name, expected, orr_utf8_excerpt(text, shown));
        return NAN;
    }
    if (value >= low && value <= high)
        return value;
    orr_problem(problems, orr_csv_where(csv, row_index, column), "%s: expected a number in [%g,%g], found %s", name, low, high, orr_utf8_excerpt(text, shown));
    return NAN;
}

/* ---- origin ------------------------------------------------------------------------------------------------------- */

static bool has_origin(const orr_csv *csv, size_t i, const int column[4], orr_problems *problems)
{
    static const char *const needed[] = {"source", "as_of", "confidence"};
    static const char *const degrees[] = {"published", "measured", "derived", "assumed"};
    bool ok = true;
    for (int k = 0; k < 3; k++)
        if (*orr_csv_cell(csv, i, column[k]) == '\0') {
            orr_problem(problems, orr_csv_where(csv, i, column[k]), "this row has no %s: where does it come from?", needed[k]);
            ok = false;
        }
    const char *confidence = orr_csv_cell(csv, i, column[2]);
    bool        known = *confidence == '\0';
    for (int k = 0; k < 4; k++)
        known = known || strcmp(confidence, degrees[k]) == 0;
    if (!known) {
        char        shown[64];
        const char *near = orr_nearest(confidence, degrees, 4);
        orr_problem(problems, orr_csv_where(csv, i, column[2]), "confidence: expected published, measured, derived or assumed, found \"%s\"%s%s%s",
                    orr_utf8_excerpt(confidence, shown), near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
        ok = false;
    }
    if (strcmp(confidence, "assumed") == 0 && *orr_csv_cell(csv, i, column[3]) == '\0') {
        orr_problem(problems, orr_csv_where(csv, i, column[3]), "an assumed value needs its range in the column \"range\"");
        ok = false;
    }
    return ok;
}

bool orr_csv_require_origin(const orr_csv *csv, orr_problems *problems)
{
    int  column[4] = {orr_csv_need(csv, "source", problems), orr_csv_need(csv, "as_of", problems), orr_csv_need(csv, "confidence", problems),
                      orr_csv_column(csv, "range")};
    bool ok = column[0] >= 0 && column[1] >= 0 && column[2] >= 0;
    if (!ok)
        return false;
    for (size_t i = 0; i < orr_csv_rows(csv); i++)
        ok = has_origin(csv, i, column, problems) && ok;
    return ok;
}
