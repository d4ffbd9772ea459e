/* A quantity is a number and one of the spellings in the tables below. Scales are fractions of whole numbers, so that
 * "5 %" is 5 / 100, rounded once, and not 5 * 0.01, rounded twice. */
#include "scenario/units.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct unit {
    const char *name;
    double      up, down; /* the canonical unit is value * up / down */
} unit;

static const unit time_units[] = {
    {"ns", 1, 1e9},      {"us", 1, 1e6},      {"\u00b5s", 1, 1e6}, {"\u03bcs", 1, 1e6}, {"ms", 1, 1e3},
    {"s", 1, 1},         {"sec", 1, 1},       {"second", 1, 1},    {"seconds", 1, 1},   {"min", 60, 1},
    {"minute", 60, 1},   {"minutes", 60, 1},  {"h", 3600, 1},      {"hour", 3600, 1},   {"hours", 3600, 1},
    {"d", 86400, 1},     {"day", 86400, 1},   {"days", 86400, 1},  {"week", 604800, 1}, {"weeks", 604800, 1},
    {NULL, 0, 0},
};
static const unit count_units[] = {
    {"", 1, 1}, {"k", 1e3, 1}, {"K", 1e3, 1}, {"M", 1e6, 1}, {"G", 1e9, 1}, {"T", 1e12, 1}, {NULL, 0, 0},
};
static const unit integer_units[] = {{"", 1, 1}, {"k", 1e3, 1}, {"M", 1e6, 1}, {"G", 1e9, 1}, {NULL, 0, 0}};
static const unit number_units[] = {{"", 1, 1}, {NULL, 0, 0}};
static const unit fraction_units[] = {{"", 1, 1}, {"%", 1, 100}, {"percent", 1, 100}, {NULL, 0, 0}};
static const unit byte_units[] = {
    {"B", 1, 1},           {"byte", 1, 1},           {"bytes", 1, 1},          {"kB", 1e3, 1},
    {"KB", 1e3, 1},        {"MB", 1e6, 1},           {"GB", 1e9, 1},           {"TB", 1e12, 1},
    {"PB", 1e15, 1},       {"KiB", 1024, 1},         {"kiB", 1024, 1},         {"MiB", 1048576, 1},
    {"GiB", 1073741824, 1}, {"TiB", 1099511627776, 1}, {"PiB", 1125899906842624, 1}, {NULL, 0, 0},
};
static const unit bitrate_units[] = {
    {"bit/s", 1, 1},    {"bps", 1, 1},    {"kbit/s", 1e3, 1}, {"Kbit/s", 1e3, 1}, {"kbps", 1e3, 1},  {"Kbps", 1e3, 1},
    {"Mbit/s", 1e6, 1}, {"Mbps", 1e6, 1}, {"Gbit/s", 1e9, 1}, {"Gbps", 1e9, 1},   {"Tbit/s", 1e12, 1}, {"Tbps", 1e12, 1},
    {"Mb/s", 1e6, 1},   {"Gb/s", 1e9, 1}, {"Tb/s", 1e12, 1},  {"B/s", 8, 1},      {"kB/s", 8e3, 1},  {"KB/s", 8e3, 1},
    {"MB/s", 8e6, 1},   {"GB/s", 8e9, 1}, {"TB/s", 8e12, 1},  {NULL, 0, 0},
};
static const unit distance_units[] = {
    {"km", 1, 1}, {"kilometer", 1, 1}, {"kilometers", 1, 1}, {"m", 1, 1e3},  {"meter", 1, 1e3},
    {"meters", 1, 1e3}, {"cm", 1, 1e5}, {"mm", 1, 1e6}, {NULL, 0, 0},
};
static const unit money_units[] = {{"", 1, 1}, {"yuan", 1, 1}, {"CNY", 1, 1}, {"RMB", 1, 1}, {"\u5143", 1, 1}, {NULL, 0, 0}};

/* What each type expects; orr_units_read promises that 160 bytes hold it. */
static const char *expected_of(orr_type type)
{
    switch (type) {
    case ORR_TYPE_BOOLEAN: return "true or false";
    case ORR_TYPE_INTEGER: return "a whole number such as 400 or 10k (k, M, G)";
    case ORR_TYPE_NUMBER: return "a number without a unit";
    case ORR_TYPE_FRACTION: return "a fraction from 0 to 1 such as 0.05 or \"5 %\"";
    case ORR_TYPE_TIME: return "a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never";
    case ORR_TYPE_TOKENS: return "a number of tokens such as 400 or \"1.5M tokens\" (k, M, G, T)";
    case ORR_TYPE_BYTES: return "a size such as \"2 KB\" (B, KB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB)";
    case ORR_TYPE_BITRATE: return "a bit rate such as \"400 Gbit/s\" (bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s, MB/s, GB/s)";
    case ORR_TYPE_DISTANCE: return "a distance such as \"12 km\" (mm, cm, m, km)";
    case ORR_TYPE_RATE: return "a rate such as \"5 /s\" or \"20 per day\" (/ms, /s, /min, /h, /day)";
    case ORR_TYPE_MONEY: return "an amount such as \"2.5 yuan\" (yuan, CNY)";
    case ORR_TYPE_DATETIME: return "a date such as 2026-05-13 or 2026-05-13T08:00:00+08:00";
    default: return "a text";
    }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads a decimal number; what follows it, or NULL if there is none or it is not finite. strtod alone would also take
 * hexadecimal, "inf" and "nan", and a comma in some locales; so the form is checked first and the "C" locale asked for. */
static const char *read_decimal(const char *text, double *value)
{
    const char *p = text + (*text == '+' || *text == '-');
    size_t      whole = strspn(p, "0123456789"), part = 0;
    p += whole;
    if (*p == '.') {
        part = strspn(p + 1, "0123456789");
        p += 1 + part;
    }
    if (whole + part == 0)
        return NULL;
    if ((*p == 'e' || *p == 'E') && (is_digit(p[1]) || ((p[1] == '+' || p[1] == '-') && is_digit(p[2]))))
        p += 2 + strspn(p + 2, "0123456789");
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL); /* glibc keeps this one; nothing is allocated */
    if (c == NULL)
        return NULL;
    char *end;
    *value = strtod_l(text, &end, c);
    freelocale(c);
    return end == p && isfinite(*value) ? p : NULL;
}

static const char *skip_spaces(const char *p) { return p + strspn(p, " \t"); }

/* True if `text` is `name`, but for spaces at its end. */
static bool is_word(const char *text, const char *name)
{
    size_t length = strlen(name);
    return strncmp(text, name, length) == 0 && *skip_spaces(text + length) == '\0';
}

static const unit *find_unit(const unit *units, const char *text)
{
    for (; units->name != NULL; units++)
        if (is_word(text, units->name))
            return units;
    return NULL;
}

/* A number and a unit, in the canonical unit. A unit may be left out if the table has "", or if the number is zero. */
static bool read_scaled(const unit *units, const char *text, double *value)
{
    const char *rest = read_decimal(text, value);
    if (rest == NULL)
        return false;
    rest = skip_spaces(rest);
    if (*rest == '\0' && *value == 0)
        return true;
    const unit *found = find_unit(units, rest);
    if (found != NULL)
        *value = *value * found->up / found->down;
    return found != NULL && isfinite(*value);
}

static bool to_integer(double value, int64_t *integer)
{
    double rounded = round(value);
    bool   fits = rounded >= -0x1p63 && rounded < 0x1p63;
    *integer = fits ? (int64_t)rounded : value < 0 ? INT64_MIN : INT64_MAX;
    return fits;
}

static bool read_time(const char *text, double *seconds, int64_t *ns)
{
    if (is_word(text, "never")) {
        *seconds = INFINITY;
        *ns = INT64_MAX;
        return true;
    }
    const char *rest = read_decimal(text, seconds);
    if (rest == NULL)
        return false;
    rest = skip_spaces(rest);
    *ns = 0;
    if (*rest == '\0')
        return *seconds == 0;
    const unit *found = find_unit(time_units, rest);
    if (found == NULL || !to_integer(*seconds * (found->up * 1e9 / found->down), ns) || *ns == INT64_MAX)
        return false;
    *seconds = *seconds * found->up / found->down;
    return true;
}

/* "20 /day", "20 per day", "1.5k /s": a count, then what it is counted in. */
static bool read_rate(const char *text, double *per_second)
{
    const char *rest = read_decimal(text, per_second);
    if (rest == NULL)
        return false;
    rest = skip_spaces(rest);
    if (*rest == '\0')
        return *per_second == 0;
    if (*rest == 'k' || *rest == 'M') {
        *per_second *= *rest == 'k' ? 1e3 : 1e6;
        rest = skip_spaces(rest + 1);
    }
    if (*rest == '/')
        rest = skip_spaces(rest + 1);
    else if (strncmp(rest, "per ", 4) == 0)
        rest = skip_spaces(rest + 4);
    else
        return false;
    const unit *found = find_unit(time_units, rest);
    if (found != NULL)
        *per_second = *per_second * found->down / found->up;
    return found != NULL && isfinite(*per_second);
}

/* "1.5M tokens": the word is a courtesy. */
static bool read_tokens(const char *text, double *value)
{
    const char *rest = read_decimal(text, value);
    if (rest == NULL)
        return false;
    rest = skip_spaces(rest);
    for (const unit *u = count_units; u->name != NULL; u++) {
        size_t length = strlen(u->name);
        if (strncmp(rest, u->name, length) != 0)
            continue;
        const char *word = skip_spaces(rest + length);
        if (*word == '\0' || is_word(word, "tokens") || is_word(word, "token")) {
            *value *= u->up;
            return isfinite(*value);
        }
    }
    return false;
}

/* Exact up to 2^63 when written without suffix, point or exponent; otherwise by way of a double, which must be whole. */
static bool read_integer(const char *text, double *value, int64_t *integer)
{
    if (!read_scaled(integer_units, text, value))
        return false;
    const char *p = text + (*text == '+' || *text == '-');
    size_t      digits = strspn(p, "0123456789");
    if (digits > 0 && *skip_spaces(p + digits) == '\0') {
        char *end;
        long long exact = strtoll(text, &end, 10);
        *integer = exact;
        return (exact != INT64_MAX && exact != INT64_MIN) || fabs(*value) < 0x1p63;
    }
    return *value == floor(*value) && to_integer(*value, integer);
}

static bool read_boolean(const char *text, int64_t *integer)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (int i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *integer = i % 2;
            return true;
        }
    return false;
}

/* ---- dates -------------------------------------------------------------------------------------------------------- */

static bool read_digits(const char **p, int count, int low, int high, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (!is_digit(**p))
            return false;
        *value = *value * 10 + (**p - '0');
    }
    return *value >= low && *value <= high;
}

static bool read_mark(const char **p, char mark)
{
    bool there = **p == mark;
    *p += there;
    return there;
}

/* Days from 1970-01-01 in the Gregorian calendar, counting years from March (Hinnant, chrono-compatible date algorithms). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* "Z", "+08:00", "+0800" or nothing, which is China's. Seconds east of UTC. */
static bool read_zone(const char **p, int *east)
{
    int hours = 8, minutes = 0, sign = 1;
    if (read_mark(p, 'Z')) {
        hours = 0;
    } else if (**p == '+' || **p == '-') {
        sign = **p == '-' ? -1 : 1;
        (*p)++;
        if (!read_digits(p, 2, 0, 14, &hours))
            return false;
        read_mark(p, ':');
        if (!read_digits(p, 2, 0, 59, &minutes))
            return false;
    }
    *east = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_datetime(const char *p, int64_t *seconds)
{
    int year, month, day, hour = 0, minute = 0, second = 0, east = 8 * 3600;
    if (!read_digits(&p, 4, 1, 9999, &year) || !read_mark(&p, '-') || !read_digits(&p, 2, 1, 12, &month) || !read_mark(&p, '-')
        || !read_digits(&p, 2, 1, days_in(year, month), &day))
        return false;
    if (read_mark(&p, 'T') || (p[0] == ' ' && is_digit(p[1]) && read_mark(&p, ' '))) {
        if (!read_digits(&p, 2, 0, 23, &hour) || !read_mark(&p, ':') || !read_digits(&p, 2, 0, 59, &minute))
            return false;
        if (read_mark(&p, ':') && !read_digits(&p, 2, 0, 59, &second))
            return false;
        p = skip_spaces(p);
        if (!read_zone(&p, &east))
            return false;
    }
    *seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - east;
    return *skip_spaces(p) == '\0';
}

/* ---- all types ---------------------------------------------------------------------------------------------------- */

static const unit *units_of(orr_type type)
{
    switch (type) {
    case ORR_TYPE_TIME:
    case ORR_TYPE_RATE: return time_units;
    case ORR_TYPE_INTEGER: return integer_units;
    case ORR_TYPE_TOKENS: return count_units;
    case ORR_TYPE_FRACTION: return fraction_units;
    case ORR_TYPE_BYTES: return byte_units;
    case ORR_TYPE_BITRATE: return bitrate_units;
    case ORR_TYPE_DISTANCE: return distance_units;
    case ORR_TYPE_MONEY: return money_units;
    default: return number_units;
    }
}

const char *orr_units_name(orr_type type, size_t i)
{
    const unit *units = units_of(type);
    while (i > 0 && units->name != NULL) {
        units++;
        i--;
    }
    return units->name;
}

static bool read_any(orr_type type, const char *text, double *value, int64_t *whole)
{
    switch (type) {
    case ORR_TYPE_TIME: return read_time(text, value, whole);
    case ORR_TYPE_INTEGER: return read_integer(text, value, whole);
    case ORR_TYPE_RATE:
        if (!read_rate(text, value))
            return false;
        break;
    case ORR_TYPE_TOKENS: return read_tokens(text, value) && to_integer(*value, whole);
    case ORR_TYPE_BOOLEAN:
        if (!read_boolean(text, whole))
            return false;
        *value = (double)*whole;
        return true;
    case ORR_TYPE_DATETIME:
        if (!read_datetime(text, whole))
            return false;
        *value = (double)*whole;
        return true;
    case ORR_TYPE_MONEY: return read_scaled(money_units, text, value) && to_integer(*value * 1e9, whole);
    case ORR_TYPE_BYTES: return read_scaled(byte_units, text, value) && to_integer(*value, whole);
    default:
        if (!read_scaled(units_of(type), text, value) || (type == ORR_TYPE_FRACTION && (*value < 0 || *value > 1)))
            return false;
    }
    to_integer(*value, whole); /* it follows, as far as it can */
    return true;
}

bool orr_units_read(orr_type type, const char *text, double *number, int64_t *integer, char *expected, size_t size)
{
    double  value = NAN;
    int64_t whole = 0;
    if (!read_any(type, skip_spaces(text), &value, &whole)) {
        snprintf(expected, size, "%s", expected_of(type));
        return false;
    }
    *number = value;
    *integer = whole;
    return true;
}

/* How people read a time: the largest of these units that it fills. */
static const struct readable {
    const char *name;
    double      ns, next; /* in nanoseconds; how many of it make one of the next */
} readable[] = {
    {"ns", 1, 1e3}, {"us", 1e3, 1e3}, {"ms", 1e6, 1e3}, {"s", 1e9, 60}, {"min", 6e10, 60}, {"h", 3.6e12, 24}, {"d", 8.64e13, DBL_MAX},
};

void orr_units_time(int64_t ns, char *text, size_t size)
{
    if (ns == INT64_MAX || ns == 0) {
        snprintf(text, size, "%s", ns == 0 ? "0 s" : "never");
        return;
    }
    char number[40];
    int  i = -1;
    do { /* four digits are shown; if they round up to the next unit, it is the next unit's turn */
        double value = (double)ns / readable[++i].ns;
        snprintf(number, sizeof number, fabs(value) < 1000 ? "%.4g" : "%.0f", value);
    } while (fabs(strtod(number, NULL)) >= readable[i].next);
    snprintf(text, size, "%s %s", number, readable[i].name);
}
