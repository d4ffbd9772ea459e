#include "scenario/utf8.h"

#include <string.h>

size_t orr_utf8_decode(const char *s, size_t available, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* smaller ones have a shorter form, the only valid one */
    unsigned char first = (unsigned char)s[0];
    size_t        length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > available)
        return 0;
    *code = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)s[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < least[length] || *code > 0x10ffff || surrogate ? 0 : length;
}

bool orr_utf8_is_text(const char *text)
{
    uint32_t code;
    for (size_t left = strlen(text), length; left > 0; left -= length, text += length)
        if ((length = orr_utf8_decode(text, left, &code)) == 0)
            return false;
    return true;
}

const char *orr_utf8_excerpt(const char *text, char buffer[64])
{
    enum { SHOWN = 56 };
    if (strnlen(text, SHOWN + 1) <= SHOWN)
        return text;
    size_t length = SHOWN;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    memcpy(buffer, text, length);
    memcpy(buffer + length, "…", sizeof "…");
    return buffer;
}
