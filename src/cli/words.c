#include "cli/words.h"

#include <stdio.h>

const char *orr_cli_duration(double s, char text[ORR_WORD])
{
    if (s < 120)
        snprintf(text, ORR_WORD, "%.0f s", s);
    else if (s < 7200)
        snprintf(text, ORR_WORD, "%.0f min", s / 60);
    else
        snprintf(text, ORR_WORD, "%.1f h", s / 3600);
    return text;
}

const char *orr_cli_bytes(double b, char text[ORR_WORD])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int u = 0;
    while (b >= 1000 && u < 5) {
        b /= 1000;
        u++;
    }
    snprintf(text, ORR_WORD, "%.3g %s", b, units[u]);
    return text;
}
