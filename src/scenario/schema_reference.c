/* The reference page: the table of schema.h as Markdown, so that what is documented is what is checked. */
#include "scenario/schema.h"
#include "scenario/text_builder.h"

#include <string.h>

static const char *type_name(orr_type type)
{
    switch (type) {
    case ORR_TYPE_TEXT: return "text";
    case ORR_TYPE_FILE: return "file";
    case ORR_TYPE_BOOLEAN: return "boolean";
    case ORR_TYPE_INTEGER: return "integer";
    case ORR_TYPE_NUMBER: return "number";
    case ORR_TYPE_FRACTION: return "fraction";
    case ORR_TYPE_TIME: return "time";
    case ORR_TYPE_TOKENS: return "tokens";
    case ORR_TYPE_BYTES: return "bytes";
    case ORR_TYPE_BITRATE: return "bit rate";
    case ORR_TYPE_DISTANCE: return "distance";
    case ORR_TYPE_RATE: return "rate";
    case ORR_TYPE_MONEY: return "money";
    case ORR_TYPE_DATETIME: return "date";
    case ORR_TYPE_CHOICE: return "choice";
    case ORR_TYPE_MAP: return "map";
    case ORR_TYPE_LIST: return "list";
    case ORR_TYPE_OPEN_MAP: return "map of names";
    case ORR_TYPE_ANY: return "any";
    }
    return "";
}

/* A cell of a Markdown table: a `|` would end it. */
static void build_cell(orr_text_builder *out, const char *text)
{
    for (const char *bar; (bar = strchr(text, '|')) != NULL; text = bar + 1) {
        orr_build_bytes(out, text, (size_t)(bar - text));
        orr_build_text(out, "\\|");
    }
    orr_build_text(out, text);
}

static void build_code(orr_text_builder *out, const char *text)
{
    orr_build_text(out, "`");
    build_cell(out, text);
    orr_build_text(out, "`");
}

static void build_choices(orr_text_builder *out, const orr_key *row)
{
    if (row->choices == NULL)
        return;
    if (row->type != ORR_TYPE_CHOICE) {
        build_code(out, row->choices);
        return;
    }
    for (const char *p = row->choices;; p++) {
        size_t length = strcspn(p, "|");
        orr_build_text(out, "`");
        orr_build_bytes(out, p, length);
        orr_build_text(out, "`");
        p += length;
        if (*p == '\0')
            return;
        orr_build_text(out, ", ");
    }
}

static void build_row(orr_text_builder *out, const orr_key *row)
{
    orr_build_text(out, "| ");
    build_code(out, row->path);
    orr_build_text(out, " | ");
    orr_build_text(out, type_name(row->type));
    orr_build_text(out, " | ");
    build_cell(out, row->unit != NULL ? row->unit : "");
    orr_build_text(out, " | ");
    if (row->fallback == NULL)
        orr_build_text(out, "required");
    else if (row->fallback[0] == '\0')
        orr_build_text(out, "optional");
    else
        build_code(out, row->fallback);
    orr_build_text(out, " | ");
    build_choices(out, row);
    orr_build_text(out, " | ");
    build_cell(out, row->meaning);
    orr_build_text(out, " |\n");
}

char *orr_schema_reference(const orr_key *table, size_t count, const char *title)
{
    orr_text_builder out = {0};
    const char      *section = "";
    size_t           section_length = 0;
    orr_build_text(&out, "# ");
    orr_build_text(&out, title);
    orr_build_text(&out, "\n");
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(table[i].path, ".[");
        if (length != section_length || memcmp(section, table[i].path, length) != 0) {
            section = table[i].path;
            section_length = length;
            orr_build_text(&out, "\n## `");
            orr_build_bytes(&out, section, length);
            orr_build_text(&out, "`\n\n| key | type | unit | default | range or choices | meaning |\n|---|---|---|---|---|---|\n");
        }
        build_row(&out, &table[i]);
    }
    return orr_build_take(&out);
}
