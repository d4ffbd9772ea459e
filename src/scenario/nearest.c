/* The nearest word: what somebody who wrote "populatoin" meant.
 *
 * Optimal string alignment distance (insertions, deletions, replacements and swaps of neighbours; Damerau 1964), with
 * letters compared without case and `-` equal to `_`. Words are short: two of more than 64 letters are not compared. */
#include "scenario/document.h"

#include <string.h>

enum { LONGEST = 64 };

static int folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return c == '-' || c == ' ' ? '_' : c;
}

static int least(int a, int b) { return a < b ? a : b; }

static int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int before[LONGEST + 1], last[LONGEST + 1], row[LONGEST + 1]; /* the table's rows i - 2, i - 1 and i */
    for (size_t j = 0; j <= b_length; j++)
        last[j] = (int)j;
    memcpy(before, last, sizeof before);
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int x = folded(a[i - 1]), y = folded(b[j - 1]);
            row[j] = least(last[j - 1] + (x != y), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        memcpy(before, last, (b_length + 1) * sizeof last[0]);
        memcpy(last, row, (b_length + 1) * sizeof row[0]);
    }
    return last[b_length];
}

const char *orr_nearest(const char *word, const char *const *words, size_t count)
{
    size_t length = strnlen(word, LONGEST + 1);
    if (length > LONGEST)
        return NULL;
    int         nearest = (length / 3 > 2 ? (int)(length / 3) : 2) + 1;
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strnlen(words[i], LONGEST + 1);
        size_t longer = other > length ? other : length, shorter = other > length ? length : other;
        if (longer > LONGEST || longer - shorter >= (size_t)nearest)
            continue;
        int d = distance(word, length, words[i], other);
        if (d < nearest && d < (int)longer) { /* not if every letter would have to change */
            nearest = d;
            found = words[i];
        }
    }
    return found;
}
