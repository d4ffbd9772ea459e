#include "trace/resolved.h"

#include <string.h>

typedef struct line {
    const char *text;
    size_t      length;
} line;

static bool begins_part(const char *text) { return *text != ' ' && *text != '-' && *text != '\n' && *text != 0; }

static bool is_left_out(const char *text) { return strncmp(text, "seed:", 5) == 0 || strncmp(text, "policy:", 7) == 0; }

/* The next line that counts; an empty one at the end. */
static line next(const char **at)
{
    while (is_left_out(*at))
        do {
            *at += strcspn(*at, "\n");
            *at += **at == '\n';
        } while (**at != 0 && !begins_part(*at));
    line l = {*at, strcspn(*at, "\n")};
    *at += l.length + (l.text[l.length] == '\n');
    return l;
}

bool orr_resolved_same(const char *a, const char *b, orr_parting *parting)
{
    line x, y;
    do {
        x = next(&a);
        y = next(&b);
        if (x.length != y.length || memcmp(x.text, y.text, x.length) != 0) {
            if (parting != NULL)
                *parting = (orr_parting){x.text, y.text, x.length, y.length};
            return false;
        }
    } while (*x.text != 0 || *y.text != 0);
    return true;
}
