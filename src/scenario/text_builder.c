#include "scenario/text_builder.h"

#include <stdlib.h>
#include <string.h>

void orr_build_bytes(orr_text_builder *builder, const char *bytes, size_t length)
{
    if (builder->out_of_memory)
        return;
    if (builder->capacity - builder->length <= length) {
        size_t capacity = 2 * builder->capacity + length + 64;
        char  *text = realloc(builder->text, capacity);
        if (text == NULL) {
            builder->out_of_memory = true;
            return;
        }
        builder->text = text;
        builder->capacity = capacity;
    }
    memcpy(builder->text + builder->length, bytes, length);
    builder->length += length;
    builder->text[builder->length] = '\0';
}

void orr_build_text(orr_text_builder *builder, const char *text) { orr_build_bytes(builder, text, strlen(text)); }

void orr_build_spaces(orr_text_builder *builder, size_t count)
{
    while (count-- > 0)
        orr_build_bytes(builder, " ", 1);
}

char *orr_build_take(orr_text_builder *builder)
{
    orr_build_bytes(builder, "", 0); /* so that an empty text is a text */
    char *text = builder->text;
    if (builder->out_of_memory) {
        free(text);
        text = NULL;
    }
    *builder = (orr_text_builder){0};
    return text;
}
