#include "cli/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void orr_columns_init(orr_columns *c, uint32_t count)
{
    *c = (orr_columns){.count = count};
    orr_array_init(&c->texts, sizeof(char *));
}

void orr_columns_add(orr_columns *c, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    char **place = text == NULL ? NULL : orr_array_extend(&c->texts, 1);
    if (place == NULL) {
        c->failed = true;
        free(text);
    } else {
        *place = text;
    }
}

/* Characters of UTF-8: bytes that do not continue another. */
static unsigned width_of(const char *text, size_t bytes)
{
    unsigned width = 0;
    for (size_t i = 0; i < bytes && text[i]; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static const char *text_at(const orr_columns *c, uint32_t row, uint32_t column) { return *(char **)orr_array_at(&c->texts, row * c->count + column); }

static void print_row(const orr_columns *c, const unsigned *width, const char *left, uint32_t row)
{
    size_t letters = strlen(left);
    for (uint32_t i = 0; i < c->count; i++) {
        const char *text = text_at(c, row, i);
        unsigned    fill = width[i] - width_of(text, SIZE_MAX);
        bool        to_left = letters > 0 && left[i < letters ? i : letters - 1] == 'l', last = i + 1 == c->count;
        printf("%s%*s%s%*s", i > 0 ? "  " : "", to_left ? 0 : (int)fill, "", text, to_left && !last ? (int)fill : 0, "");
    }
    putchar('\n');
}

bool orr_columns_print(orr_columns *c, const char *left, void (*note)(void *context, uint32_t row), void *context)
{
    uint32_t  rows = c->count > 0 ? c->texts.count / c->count : 0;
    unsigned *width = calloc(c->count + 1, sizeof *width);
    bool      ok = !c->failed && width != NULL;
    for (uint32_t r = 0; ok && r < rows; r++)
        for (uint32_t i = 0; i < c->count; i++) {
            unsigned w = width_of(text_at(c, r, i), SIZE_MAX);
            width[i] = w > width[i] ? w : width[i];
        }
    for (uint32_t r = 0; ok && r < rows; r++) {
        print_row(c, width, left, r);
        if (r > 0 && note != NULL)
            note(context, r - 1);
    }
    for (uint32_t i = 0; i < c->texts.count; i++)
        free(*(char **)orr_array_at(&c->texts, i));
    orr_array_clear(&c->texts);
    free(width);
    if (!ok)
        fprintf(stderr, "error: out of memory\n");
    return ok;
}

void orr_print_wrapped(const char *text, unsigned indent, unsigned width)
{
    unsigned column = 0;
    while (*text) {
        size_t   bytes = strcspn(text, " ");
        unsigned word = width_of(text, bytes);
        if (column > 0 && indent + column + 1 + word > width) {
            column = 0;
            putchar('\n');
        }
        printf("%*s%.*s", column > 0 ? 1 : (int)indent, "", (int)bytes, text);
        column += word + (column > 0);
        text += bytes + (text[bytes] == ' ');
    }
    putchar('\n');
}
