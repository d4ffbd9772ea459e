/* The promises of units.h, one test each. */
#include "scenario/units.h"

#include "support/tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double  number;
static int64_t integer;
static char    expected[160];

static bool read_as(orr_type type, const char *text)
{
    number = NAN;
    integer = -77;
    expected[0] = '\0';
    return orr_units_read(type, text, &number, &integer, expected, sizeof expected);
}

typedef struct reading {
    orr_type    type;
    const char *text;
    double      number;
    int64_t     integer;
} reading;

START_TEST(quantities_are_read_into_the_canonical_unit)
{
    static const reading cases[] = {
        {ORR_TYPE_INTEGER, "400", 400, 400}, {ORR_TYPE_INTEGER, "-3", -3, -3}, {ORR_TYPE_INTEGER, "1e6", 1e6, 1000000},
        {ORR_TYPE_INTEGER, "10k", 1e4, 10000}, {ORR_TYPE_INTEGER, "1.5M", 1.5e6, 1500000}, {ORR_TYPE_INTEGER, "2 G", 2e9, 2000000000},
        {ORR_TYPE_INTEGER, "9007199254740993", 9007199254740992.0, 9007199254740993},
        {ORR_TYPE_NUMBER, "0.1", 0.1, 0}, {ORR_TYPE_NUMBER, "-.5e1", -5, -5}, {ORR_TYPE_NUMBER, "+2", 2, 2},
        {ORR_TYPE_FRACTION, "0.05", 0.05, 0}, {ORR_TYPE_FRACTION, "5 %", 0.05, 0}, {ORR_TYPE_FRACTION, "100%", 1, 1},
        {ORR_TYPE_TIME, "20 ms", 0.02, 20000000}, {ORR_TYPE_TIME, "20ms", 0.02, 20000000}, {ORR_TYPE_TIME, "1.5 h", 5400, 5400000000000},
        {ORR_TYPE_TIME, "3 us", 3e-6, 3000}, {ORR_TYPE_TIME, "3 µs", 3e-6, 3000}, {ORR_TYPE_TIME, "3 μs", 3e-6, 3000},
        {ORR_TYPE_TIME, "7 ns", 7e-9, 7}, {ORR_TYPE_TIME, "1 s", 1, 1000000000}, {ORR_TYPE_TIME, "2 sec", 2, 2000000000},
        {ORR_TYPE_TIME, "1 second", 1, 1000000000}, {ORR_TYPE_TIME, "2 seconds", 2, 2000000000}, {ORR_TYPE_TIME, "2 min", 120, 120000000000},
        {ORR_TYPE_TIME, "1 hour", 3600, 3600000000000}, {ORR_TYPE_TIME, "2 hours", 7200, 7200000000000}, {ORR_TYPE_TIME, "1 d", 86400, 86400000000000},
        {ORR_TYPE_TIME, "2 days", 172800, 172800000000000}, {ORR_TYPE_TIME, "0", 0, 0}, {ORR_TYPE_TIME, "never", INFINITY, INT64_MAX},
        {ORR_TYPE_TIME, "0.1 s", 0.1, 100000000}, {ORR_TYPE_TIME, "-1 ms", -0.001, -1000000},
        {ORR_TYPE_TOKENS, "400", 400, 400}, {ORR_TYPE_TOKENS, "1.5M tokens", 1.5e6, 1500000}, {ORR_TYPE_TOKENS, "128k", 128e3, 128000},
        {ORR_TYPE_TOKENS, "1 token", 1, 1}, {ORR_TYPE_TOKENS, "2 K tokens", 2000, 2000},
        {ORR_TYPE_BYTES, "2 KB", 2000, 2000}, {ORR_TYPE_BYTES, "2 KiB", 2048, 2048}, {ORR_TYPE_BYTES, "1.5 MB", 1.5e6, 1500000},
        {ORR_TYPE_BYTES, "1 GiB", 1073741824, 1073741824}, {ORR_TYPE_BYTES, "8 B", 8, 8}, {ORR_TYPE_BYTES, "80 GB", 80e9, 80000000000},
        {ORR_TYPE_BITRATE, "400 Gbit/s", 400e9, 400000000000}, {ORR_TYPE_BITRATE, "400 Gbps", 400e9, 400000000000},
        {ORR_TYPE_BITRATE, "10 Mbit/s", 1e7, 10000000}, {ORR_TYPE_BITRATE, "1 GB/s", 8e9, 8000000000},
        {ORR_TYPE_DISTANCE, "12 km", 12, 12}, {ORR_TYPE_DISTANCE, "30 m", 0.03, 0},
        {ORR_TYPE_RATE, "5 /s", 5, 5}, {ORR_TYPE_RATE, "5/s", 5, 5}, {ORR_TYPE_RATE, "86400 /day", 1, 1}, {ORR_TYPE_RATE, "86400 per day", 1, 1},
        {ORR_TYPE_RATE, "7200 per hour", 2, 2}, {ORR_TYPE_RATE, "120 /min", 2, 2}, {ORR_TYPE_RATE, "3600 /h", 1, 1}, {ORR_TYPE_RATE, "0", 0, 0},
        {ORR_TYPE_MONEY, "2.5 yuan", 2.5, 2500000000}, {ORR_TYPE_MONEY, "0.1 CNY", 0.1, 100000000}, {ORR_TYPE_MONEY, "3", 3, 3000000000},
        {ORR_TYPE_BOOLEAN, "true", 1, 1}, {ORR_TYPE_BOOLEAN, "No", 0, 0}, {ORR_TYPE_BOOLEAN, "on", 1, 1}, {ORR_TYPE_BOOLEAN, "off", 0, 0},
        {ORR_TYPE_BOOLEAN, "yes", 1, 1}, {ORR_TYPE_BOOLEAN, "false", 0, 0},
        {ORR_TYPE_DATETIME, "1970-01-01T00:00:00Z", 0, 0}, {ORR_TYPE_DATETIME, "1970-01-01", -28800, -28800},
        {ORR_TYPE_DATETIME, "2026-05-13", 1778601600, 1778601600}, {ORR_TYPE_DATETIME, "2026-05-13T08:00:00+08:00", 1778630400, 1778630400},
        {ORR_TYPE_DATETIME, "2026-05-13 08:00", 1778630400, 1778630400}, {ORR_TYPE_DATETIME, "2024-02-29T00:00:00Z", 1709164800, 1709164800},
        {ORR_TYPE_DATETIME, "2026-05-12T19:00:00-05:00", 1778630400, 1778630400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const reading *c = &cases[i];
        ck_assert_msg(read_as(c->type, c->text), "%s is refused: %s", c->text, expected);
        ck_assert_msg(number == c->number || fabs(number - c->number) <= 1e-15 * fabs(c->number), "%s gives %.17g", c->text, number);
        ck_assert_msg(integer == c->integer, "%s gives %ld", c->text, (long)integer);
    }
}
END_TEST

START_TEST(what_is_no_quantity_is_refused_with_what_was_expected)
{
    static const reading cases[] = {
        {ORR_TYPE_TIME, "20", 0, 0}, {ORR_TYPE_TIME, "20 MS", 0, 0}, {ORR_TYPE_TIME, "20 Ms", 0, 0}, {ORR_TYPE_TIME, "ms", 0, 0},
        {ORR_TYPE_TIME, "", 0, 0}, {ORR_TYPE_TIME, "1 ms x", 0, 0}, {ORR_TYPE_TIME, "1e12 d", 0, 0}, {ORR_TYPE_TIME, "inf s", 0, 0},
        {ORR_TYPE_TIME, "nan", 0, 0}, {ORR_TYPE_TIME, "0x10 s", 0, 0}, {ORR_TYPE_TIME, "1,5 s", 0, 0}, {ORR_TYPE_TIME, "1 m", 0, 0},
        {ORR_TYPE_NUMBER, "0x10", 0, 0}, {ORR_TYPE_NUMBER, "inf", 0, 0}, {ORR_TYPE_NUMBER, "NaN", 0, 0}, {ORR_TYPE_NUMBER, "1e999", 0, 0},
        {ORR_TYPE_NUMBER, "5 ms", 0, 0}, {ORR_TYPE_NUMBER, "1_000", 0, 0}, {ORR_TYPE_NUMBER, "--1", 0, 0}, {ORR_TYPE_NUMBER, ".", 0, 0},
        {ORR_TYPE_NUMBER, "1e", 0, 0}, {ORR_TYPE_NUMBER, "5 %", 0, 0},
        {ORR_TYPE_INTEGER, "1.5", 0, 0}, {ORR_TYPE_INTEGER, "9223372036854775808", 0, 0}, {ORR_TYPE_INTEGER, "1e19", 0, 0}, {ORR_TYPE_INTEGER, "3x", 0, 0},
        {ORR_TYPE_FRACTION, "1.5", 0, 0}, {ORR_TYPE_FRACTION, "-1 %", 0, 0}, {ORR_TYPE_FRACTION, "101 %", 0, 0},
        {ORR_TYPE_TOKENS, "5 ms", 0, 0}, {ORR_TYPE_BYTES, "5", 0, 0}, {ORR_TYPE_BYTES, "5 kb", 0, 0}, {ORR_TYPE_BITRATE, "5 Gbit", 0, 0},
        {ORR_TYPE_DISTANCE, "5", 0, 0}, {ORR_TYPE_RATE, "5", 0, 0}, {ORR_TYPE_RATE, "5 s", 0, 0}, {ORR_TYPE_RATE, "5 /parsec", 0, 0},
        {ORR_TYPE_RATE, "5 per", 0, 0}, {ORR_TYPE_MONEY, "5 dollars", 0, 0}, {ORR_TYPE_BOOLEAN, "maybe", 0, 0}, {ORR_TYPE_BOOLEAN, "1", 0, 0},
        {ORR_TYPE_DATETIME, "2026-02-29", 0, 0}, {ORR_TYPE_DATETIME, "2026-13-01", 0, 0}, {ORR_TYPE_DATETIME, "2026-05-13T25:00", 0, 0},
        {ORR_TYPE_DATETIME, "13.5.2026", 0, 0}, {ORR_TYPE_DATETIME, "2026-05-13T08:00:00+", 0, 0}, {ORR_TYPE_DATETIME, "2026-05-13x", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(!read_as(cases[i].type, cases[i].text), "\"%s\" is taken for %g", cases[i].text, number);
        ck_assert(strlen(expected) > 5 && strlen(expected) < 159);
    }
    read_as(ORR_TYPE_TIME, "20 MS");
    ck_assert_str_eq(expected, "a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never");
}
END_TEST

START_TEST(times_are_shown_as_people_read_them)
{
    static const struct {
        int64_t     ns;
        const char *text;
    } cases[] = {
        {0, "0 s"}, {1, "1 ns"}, {1500, "1.5 us"}, {13000000, "13 ms"}, {1250000000, "1.25 s"}, {7200000000000, "2 h"}, {90000000000, "1.5 min"},
        {INT64_MAX, "never"}, {-13000000, "-13 ms"}, {999999, "1 ms"}, {59999900000, "1 min"}, {86400000000000 * 3, "3 d"},
        {86400000000000 * 12345, "12345 d"}, {INT64_MIN, "-106752 d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        orr_units_time(cases[i].ns, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
    char small[4] = "xxx";
    orr_units_time(1250000000, small, sizeof small);
    ck_assert_str_eq(small, "1.2");
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, quantities_are_read_into_the_canonical_unit);
    tcase_add_test(promises, what_is_no_quantity_is_refused_with_what_was_expected);
    tcase_add_test(promises, times_are_shown_as_people_read_them);
    return run_as_tap("units", promises);
}
