/**
 * Page: one HTML file that shows the data, with everything that it needs inside.
 *
 * The template has six marks: <!--TITLE-->, and in comments of CSS and JavaScript STYLE, ECHARTS, LAND, DATA, SCRIPT. They are replaced
 * in one pass over the template, so nothing inside an inserted text is ever taken for a mark. Texts that enter a script
 * element cannot end it: in JSON every `<` becomes \u003c, in code `</script` becomes `<\/script`.
 */
#ifndef ORRERY_TRACE_PAGE_H
#define ORRERY_TRACE_PAGE_H

#include "base/problems.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/** The texts that go into the template. `title` is escaped here; all are borrowed and terminated. */
typedef struct orr_page_parts {
    const char *title, *style, *echarts, *land, *data, *script;
} orr_page_parts;

/** Writes the template with its marks replaced. Marks that it lacks are not missed. False if writing fails. */
bool orr_page_assemble(FILE *out, const char *page_template, const orr_page_parts *parts);

/**
 * Writes the page of `data` (report_data.h) to `path`, under another name until it is whole. The parts come from the program's share
 * (base/share.h), folder `report`. ORR_BAD_INPUT (a part is missing, or `path` is named like a run), ORR_IO or ORR_NO_MEMORY, with problems.
 */
orr_status orr_page_write(const char *path, const cJSON *data, orr_problems *problems);

#endif
