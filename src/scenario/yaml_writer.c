/* The tree as YAML: block style, two spaces per level, one value per line, keys in order.
 *
 * Invariant: reading the text gives the same tree, and writing that gives the same text. So a text is written plain
 * if it was plain (and still can be), and in double quotes with escapes otherwise; `${`,
 * which can only be a literal in a resolved tree, becomes `$${`. */
#include "scenario/yaml_writer.h"

#include "scenario/text_builder.h"
#include "scenario/tree.h"
#include "scenario/utf8.h"

#include <stdio.h>
#include <string.h>

/* libyaml takes `key: value` on one line only if the key ends within 1024 characters; beyond, `? key`. */
enum { LONGEST_SIMPLE_KEY = 1000 };

/* Characters that YAML lets stand as they are, less the line breaks among them. */
static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff && c != 0x2028 && c != 0x2029)
           || (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) || (c >= 0x10000 && c <= 0x10ffff);
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* True if nothing inside or at the end of the text keeps it from standing without quotes. */
static bool goes_on_plain(const char *text)
{
    const char *end = text + strlen(text);
    for (size_t length; text < end; text += length) {
        uint32_t code = 0;
        length = orr_utf8_decode(text, (size_t)(end - text), &code);
        if (length == 0 || (!is_printable(code) && code != '\t'))
            return false;
        bool before_blank = text + 1 == end || text[1] == ' ' || text[1] == '\t';
        if (*text == ':' && before_blank)
            return false;
        if ((*text == ' ' || *text == '\t') && (text + 1 == end || text[1] == '#'))
            return false;
    }
    return true;
}

/* A value that was written plain goes back plain, so all that YAML allows is allowed. It never stands at the start of a line. */
bool orr_yaml_is_plain(const char *text)
{
    if (text[0] == '\0')
        return true;
    if (strchr(" \t,[]{}#&*!|>'\"%@`", text[0]) != NULL)
        return false;
    if (strchr("-?:", text[0]) != NULL && (text[1] == '\0' || text[1] == ' ' || text[1] == '\t'))
        return false;
    return goes_on_plain(text);
}

/* Keys have no quotes to keep, so only plain words go without. */
static bool is_plain_key(const char *text)
{
    bool begins = is_alphanumeric(text[0]) || text[0] == '_' || (unsigned char)text[0] >= 0x80;
    return begins && goes_on_plain(text);
}

static void build_plain(orr_text_builder *out, const char *text)
{
    for (const char *s; (s = strstr(text, "${")) != NULL; text = s + 2) {
        orr_build_bytes(out, text, (size_t)(s - text));
        orr_build_text(out, "$${");
    }
    orr_build_text(out, text);
}

/* `value` tells a value, where `${` must be kept from meaning a parameter, from a key, where it means nothing. */
static void build_quoted(orr_text_builder *out, const char *text, bool value)
{
    orr_build_text(out, "\"");
    const char *s = text, *end = text + strlen(text);
    while (s < end) {
        uint32_t code = 0;
        size_t   length = orr_utf8_decode(s, (size_t)(end - s), &code);
        char     escape[16] = "";
        if (*s == '"' || *s == '\\')
            snprintf(escape, sizeof escape, "\\%c", *s);
        else if (*s == '\n')
            strcpy(escape, "\\n");
        else if (*s == '\t')
            strcpy(escape, "\\t");
        else if (length == 0 || (code < 0x100 && !is_printable(code))) /* a byte that is no text is kept as a character */
            snprintf(escape, sizeof escape, "\\x%02X", length == 0 ? (unsigned char)*s : code);
        else if (!is_printable(code))
            snprintf(escape, sizeof escape, "\\u%04X", code);
        else if (value && s[0] == '$' && s[1] == '{')
            strcpy(escape, "$$");
        if (length == 0)
            length = 1;
        if (escape[0] != '\0')
            orr_build_text(out, escape);
        else
            orr_build_bytes(out, s, length);
        s += length;
    }
    orr_build_text(out, "\"");
}

static void build_scalar(orr_text_builder *out, const orr_node *node)
{
    if (!node->quoted && orr_yaml_is_plain(node->text)) /* it is, unless the program added it */
        build_plain(out, node->text);
    else
        build_quoted(out, node->text, true);
}

static void build_key(orr_text_builder *out, const char *key, size_t indent)
{
    size_t start = out->length;
    bool   simple = strlen(key) <= LONGEST_SIMPLE_KEY;
    if (!simple)
        orr_build_text(out, "? ");
    if (is_plain_key(key))
        orr_build_text(out, key);
    else
        build_quoted(out, key, false);
    if (simple && out->length - start > LONGEST_SIMPLE_KEY && !out->out_of_memory) { /* the escapes made it long */
        out->length = start;
        orr_build_text(out, "? ");
        build_quoted(out, key, false);
        simple = false;
    }
    if (!simple) {
        orr_build_text(out, "\n");
        orr_build_spaces(out, indent);
    }
    orr_build_text(out, ":");
}

/* Writes a collection whose first line has been indented already, and ends with a newline. */
static void build_collection(orr_text_builder *out, const orr_node *node, size_t indent)
{
    for (size_t i = 0; i < node->count; i++) {
        const orr_node *child = node->child[i];
        bool            list = node->kind == ORR_NODE_LIST;
        if (i > 0)
            orr_build_spaces(out, indent);
        if (list)
            orr_build_text(out, "-");
        else
            build_key(out, node->key[i], indent);
        if (child->kind == ORR_NODE_SCALAR) {
            if (child->text[0] != '\0' || child->quoted)
                orr_build_text(out, " ");
            build_scalar(out, child);
            orr_build_text(out, "\n");
        } else if (child->count == 0) {
            orr_build_text(out, child->kind == ORR_NODE_LIST ? " []\n" : " {}\n");
        } else {
            if (list) {
                orr_build_text(out, " ");
            } else {
                orr_build_text(out, "\n");
                orr_build_spaces(out, indent + 2);
            }
            build_collection(out, child, indent + 2);
        }
    }
}

static void build_flow(orr_text_builder *out, const orr_node *node)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._%/+-";
    if (node->kind == ORR_NODE_SCALAR) {
        if (orr_tree_is_nothing(node) || (!node->quoted && node->text[strspn(node->text, plain)] == '\0' && orr_yaml_is_plain(node->text)))
            orr_build_text(out, node->text);
        else
            build_quoted(out, node->text, true);
        return;
    }
    bool list = node->kind == ORR_NODE_LIST;
    orr_build_text(out, list ? "[" : "{");
    for (size_t i = 0; i < node->count; i++) {
        orr_build_text(out, i > 0 ? ", " : "");
        if (!list) {
            build_quoted(out, node->key[i], false);
            orr_build_text(out, ": ");
        }
        build_flow(out, node->child[i]);
    }
    orr_build_text(out, list ? "]" : "}");
}

char *orr_node_text(const orr_node *node)
{
    orr_text_builder out = {0};
    build_flow(&out, node);
    if (out.text == NULL && !out.out_of_memory)
        orr_build_bytes(&out, "", 0);
    return orr_build_take(&out);
}

char *orr_document_text(const orr_document *document)
{
    orr_text_builder out = {0};
    if (document->root->count == 0)
        orr_build_text(&out, "{}\n");
    else
        build_collection(&out, document->root, 0);
    return orr_build_take(&out);
}
