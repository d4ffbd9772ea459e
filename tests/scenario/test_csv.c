/* The promises of csv.h, one test each. */
#include "scenario/csv.h"
#include "support/failing_malloc.h"
#include "support/temporary.h"

#include "support/tap.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static orr_problems problems;

static void leave(void)
{
    orr_problems_clear(&problems);
    temporary_leave();
}

static orr_csv *load_text(const char *text)
{
    temporary_write_text("t.csv", text);
    return orr_csv_load("t.csv", &problems);
}

static void has_problems(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < problems.count; i++)
        ck_assert_str_eq(problems.text[i], lines[i]);
    ck_assert_uint_eq(problems.count, count);
}
#define HAS_PROBLEMS(...) has_problems((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void is_at(orr_where where, uint32_t line, uint32_t column)
{
    ck_assert_str_eq(where.file, "t.csv");
    ck_assert_uint_eq(where.line, line);
    ck_assert_uint_eq(where.column, column);
}

static const char table[] = "\xef\xbb\xbf# a comment\n"
                            "name , rate,\"unit, long\"\r\n"
                            "\n"
                            "a,  1.5 ,s\n"
                            "\"b \"\"quoted\"\"\nover two lines\", 2 ,\"  x, y \"\n"
                            "  # another\n"
                            "Zürich,,";

START_TEST(cells_are_read_trimmed_with_quotes_and_comments)
{
    orr_csv *csv = load_text(table);
    ck_assert_ptr_nonnull(csv);
    ck_assert_str_eq(orr_csv_path(csv), "t.csv");
    ck_assert_uint_eq(orr_csv_rows(csv), 3);
    ck_assert_uint_eq(orr_csv_columns(csv), 3);
    ck_assert_str_eq(orr_csv_column_name(csv, 0), "name");
    ck_assert_str_eq(orr_csv_column_name(csv, 2), "unit, long");
    ck_assert_int_eq(orr_csv_column(csv, "rate"), 1);
    ck_assert_int_eq(orr_csv_column(csv, "rat"), -1);
    ck_assert_str_eq(orr_csv_cell(csv, 0, 0), "a");
    ck_assert_str_eq(orr_csv_cell(csv, 0, 1), "1.5");
    ck_assert_str_eq(orr_csv_cell(csv, 0, 2), "s");
    ck_assert_str_eq(orr_csv_cell(csv, 1, 0), "b \"quoted\"\nover two lines");
    ck_assert_str_eq(orr_csv_cell(csv, 1, 1), "2");
    ck_assert_str_eq(orr_csv_cell(csv, 1, 2), "x, y");
    ck_assert_str_eq(orr_csv_cell(csv, 2, 0), "Zürich");
    ck_assert_str_eq(orr_csv_cell(csv, 2, 1), "");
    ck_assert_str_eq(orr_csv_cell(csv, 2, 2), "");
    ck_assert_str_eq(orr_csv_cell(csv, 2, -1), "");
    orr_csv_destroy(csv);
    ck_assert(!orr_problems_any(&problems));
}
END_TEST

START_TEST(every_cell_knows_its_place)
{
    orr_csv *csv = load_text(table);
    is_at(orr_csv_where(csv, 0, 0), 4, 1);
    is_at(orr_csv_where(csv, 0, 1), 4, 5);
    is_at(orr_csv_where(csv, 0, 2), 4, 10);
    is_at(orr_csv_where(csv, 1, 0), 5, 1);
    is_at(orr_csv_where(csv, 1, -1), 5, 1);
    ck_assert_uint_eq(orr_csv_where(csv, 1, 1).line, 6);
    is_at(orr_csv_where(csv, 2, 0), 8, 1);
    orr_csv_destroy(csv);
    csv = load_text("a,b,c\n1,\"x\",\n");
    is_at(orr_csv_where(csv, 0, 1), 2, 3);
    is_at(orr_csv_where(csv, 0, 2), 2, 7);
    orr_csv_destroy(csv);
    csv = load_text("a,b\n\"\"\"\"\"x\n\",1\n"); /* the cell's own newline moves when quotes are undone, and is counted once */
    ck_assert_str_eq(orr_csv_cell(csv, 0, 0), "\"\"x\n");
    ck_assert_uint_eq(orr_csv_where(csv, 0, 1).line, 3);
    orr_csv_destroy(csv);
}
END_TEST

START_TEST(all_malformed_rows_are_told_at_their_places)
{
    ck_assert_ptr_null(load_text("a,b\n1\n1,2\n1,2,3\n\"x\"y,2\n3,\"4\n5,6\n"));
    HAS_PROBLEMS("t.csv:2:1: error: expected 2 cells as in the header, found 1", "t.csv:4:1: error: expected 2 cells as in the header, found 3",
                 "t.csv:5:4: error: expected a comma after the closing quote; a quote inside quotes is doubled",
                 "t.csv:6:3: error: this quote is never closed");
}
END_TEST

START_TEST(a_bad_header_is_told)
{
    ck_assert_ptr_null(load_text("rate,,rate\n1,2,3\n"));
    HAS_PROBLEMS("t.csv:1:6: error: column 2 has no name", "t.csv:1:7: error: a second column is called \"rate\"");
    orr_problems_clear(&problems);
    ck_assert_ptr_null(load_text("\"rate\n"));
    HAS_PROBLEMS("t.csv:1:1: error: this quote is never closed");
}
END_TEST

START_TEST(what_is_no_table_is_refused)
{
    ck_assert_ptr_null(orr_csv_load("none.csv", &problems));
    ck_assert_ptr_null(orr_csv_load(".", &problems));
    ck_assert_ptr_null(load_text(""));
    ck_assert_ptr_null(load_text("# only a comment\n\n"));
    temporary_write("t.csv", "a,b\n1,\0002\n", 9);
    ck_assert_ptr_null(orr_csv_load("t.csv", &problems));
    ck_assert_ptr_null(load_text("a,b\n12345678,\xff\n"));
    HAS_PROBLEMS("none.csv: error: cannot be read: No such file or directory", ".: error: cannot be read: Is a directory",
                 "t.csv: error: the file is empty, expected a header row", "t.csv:2:3: error: this is not text: expected UTF-8, found byte 0x00",
                 "t.csv:2:10: error: this is not text: expected UTF-8, found byte 0xff");
}
END_TEST

static void write_gzip(const char *name, const char *text, size_t length)
{
    gzFile file = gzopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, text, (unsigned)length), (int)length);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

START_TEST(gzip_equals_plain)
{
    enum { ROWS = 20000 };
    char  *text = malloc(64 * ROWS), *p = text + sprintf(text, "time,tokens,note\n");
    for (int i = 0; i < ROWS; i++)
        p += sprintf(p, "%d.%03d,%d,\"n %d\"\n", i, i % 1000, i * 7 % 4096, i);
    size_t length = (size_t)(p - text);
    temporary_write("t.csv", text, length);
    write_gzip("t.csv.gz", text, length);
    free(text);
    orr_csv *plain = orr_csv_load("t.csv", &problems), *zipped = orr_csv_load("t.csv.gz", &problems);
    ck_assert(plain != NULL && zipped != NULL);
    ck_assert_uint_eq(orr_csv_rows(plain), ROWS);
    ck_assert_uint_eq(orr_csv_rows(zipped), ROWS);
    for (size_t i = 0; i < ROWS; i++)
        for (int k = 0; k < 3; k++) {
            ck_assert_str_eq(orr_csv_cell(plain, i, k), orr_csv_cell(zipped, i, k));
            ck_assert_uint_eq(orr_csv_where(plain, i, k).column, orr_csv_where(zipped, i, k).column);
            ck_assert_uint_eq(orr_csv_where(plain, i, k).line, i + 2);
        }
    orr_csv_destroy(plain);
    orr_csv_destroy(zipped);
}
END_TEST

START_TEST(a_gzip_file_that_was_cut_off_is_refused)
{
    write_gzip("t.csv", "a,b\n1,2\n3,4\n", 12);
    ck_assert_int_eq(truncate("t.csv", 20), 0);
    ck_assert_ptr_null(orr_csv_load("t.csv", &problems));
    HAS_PROBLEMS("t.csv: error: cannot be read: unexpected end of file");
}
END_TEST

START_TEST(a_missing_column_is_told_with_the_nearest)
{
    orr_csv *csv = load_text("# c\nname,population\nx,1\n");
    ck_assert_int_eq(orr_csv_need(csv, "name", &problems), 0);
    ck_assert_int_eq(orr_csv_need(csv, "populatoin", &problems), -1);
    ck_assert_int_eq(orr_csv_need(csv, "zzz", &problems), -1);
    orr_csv_destroy(csv);
    HAS_PROBLEMS("t.csv:2:1: error: expected a column \"populatoin\"; is \"population\" meant to be it?",
                 "t.csv:2:1: error: expected a column \"zzz\", found none of that name");
}
END_TEST

START_TEST(numbers_are_strict_and_within_their_range)
{
    orr_csv *csv = load_text("a,b,c,d\n1.5,0x10,,11\n");
    ck_assert(orr_csv_number(csv, 0, 0, 0, 10, NAN, &problems) == 1.5);
    ck_assert(orr_csv_number(csv, 0, 2, 0, 10, 7, &problems) == 7);
    ck_assert(orr_csv_number(csv, 0, -1, 0, 10, 8, &problems) == 8);
    ck_assert(!orr_problems_any(&problems));
    ck_assert(isnan(orr_csv_number(csv, 0, 1, 0, 100, NAN, &problems)));
    ck_assert(isnan(orr_csv_number(csv, 0, 2, 0, 10, NAN, &problems)));
    ck_assert(isnan(orr_csv_number(csv, 0, 3, 0, 10, NAN, &problems)));
    orr_csv_destroy(csv);
    HAS_PROBLEMS("t.csv:2:5: error: b: expected a number without a unit, found \"0x10\"", "t.csv:2:10: error: c: expected a number, found nothing",
                 "t.csv:2:11: error: d: expected a number in [0,10], found 11");
}
END_TEST

START_TEST(rows_without_an_origin_are_refused)
{
    orr_csv *csv = load_text("x,source,as_of,confidence,range\n1,paper,2026,published,\n1,guess,2026,assumed,0.5-2\n");
    ck_assert(orr_csv_require_origin(csv, &problems));
    ck_assert(!orr_problems_any(&problems));
    orr_csv_destroy(csv);
    csv = load_text("x,source,as_of,confidence,range\n1,,2026,published,\n1,p,,measured,\n1,p,2026,,\n1,p,2026,asumed,\n1,p,2026,assumed,\n1,p,2026,derived,\n");
    ck_assert(!orr_csv_require_origin(csv, &problems));
    orr_csv_destroy(csv);
    HAS_PROBLEMS("t.csv:2:3: error: this row has no source: where does it come from?", "t.csv:3:5: error: this row has no as_of: where does it come from?",
                 "t.csv:4:10: error: this row has no confidence: where does it come from?",
                 "t.csv:5:10: error: confidence: expected published, measured, derived or assumed, found \"asumed\"; did you mean \"assumed\"?",
                 "t.csv:6:18: error: an assumed value needs its range in the column \"range\"");
    orr_problems_clear(&problems);
    csv = load_text("x,source\n1,p\n");
    ck_assert(!orr_csv_require_origin(csv, &problems));
    ck_assert_uint_eq(problems.count, 2);
    orr_csv_destroy(csv);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    temporary_write_text("t.csv", table);
    for (long nth = 1;; nth++) {
        failing_malloc_arm(nth);
        orr_csv *csv = orr_csv_load("t.csv", &problems);
        if (csv != NULL)
            orr_csv_need(csv, "rat", &problems);
        bool fired = failing_malloc_fired();
        ck_assert_int_eq(problems.out_of_memory, fired);
        orr_csv_destroy(csv);
        orr_problems_clear(&problems);
        if (!fired)
            break;
        ck_assert_int_lt(nth, 1000);
    }
}
END_TEST

START_TEST(no_bytes_crash_it)
{
    static const char pieces[] = "a,b\n\"#\r \t1\xc3\xa4\xff,,\"\"\n";
    srand48(7);
    for (int round = 0; round < 20000; round++) {
        char   bytes[64];
        size_t length = (size_t)lrand48() % sizeof bytes;
        for (size_t i = 0; i < length; i++)
            bytes[i] = pieces[(size_t)lrand48() % (sizeof pieces - (round % 8 != 0))];
        temporary_write("t.csv", bytes, length);
        orr_csv *csv = orr_csv_load("t.csv", &problems);
        ck_assert((csv == NULL) == orr_problems_any(&problems));
        for (size_t r = 0; csv != NULL && r < orr_csv_rows(csv); r++)
            for (int k = 0; k < (int)orr_csv_columns(csv); k++) {
                ck_assert_uint_lt(strlen(orr_csv_cell(csv, r, k)), 64);
                ck_assert_uint_ge(orr_csv_where(csv, r, k).column, 1);
            }
        orr_csv_destroy(csv);
        orr_problems_clear(&problems);
    }
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, temporary_enter, leave);
    tcase_set_timeout(promises, 300);
    tcase_add_test(promises, cells_are_read_trimmed_with_quotes_and_comments);
    tcase_add_test(promises, every_cell_knows_its_place);
    tcase_add_test(promises, all_malformed_rows_are_told_at_their_places);
    tcase_add_test(promises, a_bad_header_is_told);
    tcase_add_test(promises, what_is_no_table_is_refused);
    tcase_add_test(promises, gzip_equals_plain);
    tcase_add_test(promises, a_gzip_file_that_was_cut_off_is_refused);
    tcase_add_test(promises, a_missing_column_is_told_with_the_nearest);
    tcase_add_test(promises, numbers_are_strict_and_within_their_range);
    tcase_add_test(promises, rows_without_an_origin_are_refused);
    tcase_add_test(promises, every_failing_allocation_is_survived);
    tcase_add_test(promises, no_bytes_crash_it);
    return run_as_tap("csv", promises);
}
