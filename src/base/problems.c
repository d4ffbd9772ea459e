#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A line is put together on the stack, so that the only memory asked for is the memory that is kept. */
enum { LINE = 4000 };

/* Where a cut-off line should end: not inside a character, so its last one goes unless it is a single byte. */
static size_t character_boundary(const char *text, size_t length)
{
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    return length > 0 && (unsigned char)text[length - 1] >= 0xc0 ? length - 1 : length;
}

/* What a control character looks like on the user's terminal; `out` has room for 5 bytes. */
static size_t show_control(char *out, unsigned char c)
{
    if (c == '\n' || c == '\t' || c == '\r') {
        out[0] = '\\';
        out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        return 2;
    }
    return (size_t)snprintf(out, 5, "\\x%02x", c);
}

static bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

static char *printable_copy(const char *line, size_t length)
{
    size_t controls = 0;
    for (size_t i = 0; i < length; i++)
        controls += is_control((unsigned char)line[i]);
    char *copy = malloc(length + 4 * controls + 1);
    if (copy == NULL)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_control((unsigned char)line[i]))
            used += show_control(copy + used, (unsigned char)line[i]);
        else
            copy[used++] = line[i];
    }
    copy[used] = '\0';
    return copy;
}

/* Open addressing; the slot of an equal line, or the free one where it would go. */
static uint32_t *slot_of(const orr_problems *problems, const char *line)
{
    size_t i = XXH3_64bits(line, strlen(line)) & (problems->slots - 1);
    while (problems->slot[i] != 0 && strcmp(problems->text[problems->slot[i] - 1], line) != 0)
        i = (i + 1) & (problems->slots - 1);
    return &problems->slot[i];
}

/* Room for one more line; afterwards at least half the slots are free. */
static bool make_room(orr_problems *problems)
{
    if (problems->count < problems->capacity)
        return true;
    size_t    capacity = problems->capacity == 0 ? 16 : 2 * problems->capacity;
    uint32_t *slot = calloc(2 * capacity, sizeof *slot);
    char    **text = realloc(problems->text, capacity * sizeof *text);
    if (text != NULL)
        problems->text = text;
    if (slot == NULL || text == NULL) {
        free(slot);
        return false;
    }
    free(problems->slot);
    problems->slot = slot;
    problems->slots = 2 * capacity;
    problems->capacity = capacity;
    for (size_t i = 0; i < problems->count; i++)
        *slot_of(problems, problems->text[i]) = (uint32_t)i + 1;
    return true;
}

void orr_problem(orr_problems *problems, orr_where where, const char *format, ...)
{
    char   line[LINE + 8];
    size_t used = 0;
    if (where.file != NULL) {
        int written = where.line == 0 ? snprintf(line, LINE, "%s: ", where.file)
                                      : snprintf(line, LINE, "%s:%u:%u: ", where.file, where.line, where.column);
        used = written < 0 ? 0 : (size_t)written;
    }
    if (used < LINE)
        used += (size_t)snprintf(line + used, LINE - used, "error: ");
    if (used < LINE) {
        va_list arguments;
        va_start(arguments, format);
        int written = vsnprintf(line + used, LINE - used, format, arguments);
        va_end(arguments);
        used += written < 0 ? 0 : (size_t)written;
    }
    if (used >= LINE) {
        used = character_boundary(line, LINE - 1);
        memcpy(line + used, "…", sizeof "…");
        used += sizeof "…" - 1;
    }
    char *copy = printable_copy(line, used);
    if (copy == NULL || !make_room(problems)) {
        free(copy);
        problems->out_of_memory = true;
        return;
    }
    uint32_t *slot = slot_of(problems, copy);
    if (*slot != 0) {
        free(copy);
        return;
    }
    problems->text[problems->count++] = copy;
    *slot = (uint32_t)problems->count;
}

bool orr_problems_any(const orr_problems *problems) { return problems->count > 0 || problems->out_of_memory; }

void orr_problems_clear(orr_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->text[i]);
    free(problems->text);
    free(problems->slot);
    *problems = (orr_problems){0};
}
