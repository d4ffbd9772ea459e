#include "trace/page.h"

#include "base/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the template and what goes into it --- */

static void put_html(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(*text, out);
        }
}

/* `<` stands only inside strings in JSON, where the escape means the same. */
static void put_json(FILE *out, const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "<");
        fwrite(text, 1, n, out);
        if (text[n] == 0)
            return;
        fputs("\\u003c", out);
        text += n + 1;
    }
}

static void put_code(FILE *out, const char *text)
{
    static const char end[] = "</script";
    const char *at = text;
    for (; (at = strchr(at, '<')) != NULL; at++) {
        if (strncasecmp(at, end, sizeof end - 1) != 0)
            continue;
        fwrite(text, 1, (size_t)(at - text), out);
        fputs("<\\/", out);
        text = at += 2;
    }
    fputs(text, out);
}

static void put_text(FILE *out, const char *text) { fputs(text, out); }

bool orr_page_assemble(FILE *out, const char *page_template, const orr_page_parts *parts)
{
    const struct {
        const char *mark, *text;
        void (*put)(FILE *out, const char *text);
    } marks[] = {
        {"<!--TITLE-->", parts->title, put_html}, {"/*STYLE*/", parts->style, put_text}, {"/*ECHARTS*/", parts->echarts, put_code},
        {"/*LAND*/", parts->land, put_json},      {"/*DATA*/", parts->data, put_json},   {"/*SCRIPT*/", parts->script, put_code},
    };
    const char *at = page_template;
    while (*at) {
        size_t n = strcspn(at, "</"), i = 0;
        fwrite(at, 1, n, out);
        at += n;
        while (i < sizeof marks / sizeof *marks && strncmp(at, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < sizeof marks / sizeof *marks) {
            marks[i].put(out, marks[i].text);
            at += strlen(marks[i].mark);
        } else if (*at) {
            fputc(*at++, out);
        }
    }
    return !ferror(out);
}

/* --- its parts --- */

enum { TEMPLATE, STYLE, ECHARTS, LAND, SCRIPT, SCRIPTS = 23, FILES = SCRIPT + SCRIPTS };
static const char *const file_names[FILES] = {
    "report/template.html",
    "report/style.css",
    "report/node_modules/echarts/dist/echarts.min.js",
    "report/node_modules/world-atlas/land-110m.json",
    /* one function of the page, in this order: what is used while a part is read must stand before it */
    "report/page/data.js",
    "report/page/words.js",
    "report/page/statistics.js",
    "report/page/elements.js",
    "report/page/charts.js",
    "report/page/geography.js",
    "report/page/verdict.js",
    "report/page/policies.js",
    "report/page/study.js",
    "report/page/study_verdict.js",
    "report/page/study_sweeps.js",
    "report/page/study_choices.js",
    "report/page/study_bounds.js",
    "report/page/latency.js",
    "report/page/load.js",
    "report/page/map.js",
    "report/page/bars.js",
    "report/page/outcomes.js",
    "report/page/cost.js",
    "report/page/energy.js",
    "report/page/decisions.js",
    "report/page/made.js",
    "report/page/page.js",
};

static char *read_all(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    char *text = NULL;
    size_t size = 0, room = 0;
    do {
        char *larger = realloc(text, room = 2 * room + 65536);
        if (larger == NULL) {
            fclose(in);
            free(text);
            errno = ENOMEM;
            return NULL;
        }
        text = larger;
        size += fread(text + size, 1, room - size - 1, in);
    } while (size == room - 1);
    text[size] = 0;
    if (ferror(in) || strlen(text) != size) { /* none of the parts holds a zero byte */
        free(text);
        text = NULL;
        errno = EIO;
    }
    fclose(in);
    return text;
}

static void lacks_libraries(const char *path, orr_problems *problems)
{
    const char *folder_end = strstr(path, "/node_modules/");
    orr_problem(problems, (orr_where){0}, "the page's libraries are not installed: run `npm ci --ignore-scripts` in %.*s (./dev does it)", (int)(folder_end - path), path);
}

static orr_status read_parts(char *text[FILES], orr_problems *problems)
{
    for (int i = 0; i < FILES; i++) {
        char *path = orr_share_path(file_names[i]);
        if (path == NULL)
            return ORR_NO_MEMORY;
        text[i] = read_all(path);
        int why = errno;
        if (text[i] == NULL && (i == ECHARTS || i == LAND) && why == ENOENT)
            lacks_libraries(path, problems);
        else if (text[i] == NULL && why != ENOMEM)
            orr_problem(problems, (orr_where){path, 0, 0}, "a part of the page cannot be read: %s", strerror(why));
        free(path);
        if (text[i] == NULL)
            return why == ENOMEM ? ORR_NO_MEMORY : ORR_BAD_INPUT;
    }
    return ORR_OK;
}

static char *join(char *const *text, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(text[i]);
    char *joined = malloc(size), *at = joined;
    for (size_t i = 0; joined != NULL && i < count; i++)
        at = stpcpy(at, text[i]);
    return joined;
}

/* --- the file --- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Under a name of its own until it is whole; a device or a pipe is written as it is. */
static orr_status write_file(const char *path, const char *page_template, const orr_page_parts *parts, orr_problems *problems)
{
    struct stat there;
    char *made = NULL;
    bool direct = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    if (!direct && asprintf(&made, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return ORR_NO_MEMORY;
    const char *name = direct ? path : made;
    FILE *out = fopen(name, "wb");
    bool ok = out != NULL && orr_page_assemble(out, page_template, parts);
    if (out != NULL)
        ok &= fclose(out) == 0;
    ok = ok && (direct || rename(name, path) == 0);
    if (!ok) {
        int why = errno;
        if (out != NULL && !direct)
            unlink(name);
        orr_problem(problems, (orr_where){path, 0, 0}, "cannot be written: %s", strerror(why));
    }
    free(made);
    return ok ? ORR_OK : ORR_IO;
}

orr_status orr_page_write(const char *path, const cJSON *data, orr_problems *problems)
{
    if (ends_with(path, ".h5")) {
        orr_problem(problems, (orr_where){path, 0, 0}, "is the name of a run; a page ends in .html");
        return ORR_BAD_INPUT;
    }
    char *text[FILES] = {0}, *json = NULL, *script = NULL;
    const cJSON *title = cJSON_GetObjectItemCaseSensitive(data, "title");
    orr_status status = read_parts(text, problems);
    if (status == ORR_OK) {
        json = cJSON_PrintUnformatted(data);
        script = join(text + SCRIPT, SCRIPTS);
        const orr_page_parts parts = {cJSON_IsString(title) ? title->valuestring : "Orrery", text[STYLE], text[ECHARTS], text[LAND], json, script};
        status = json == NULL || script == NULL ? ORR_NO_MEMORY : write_file(path, text[TEMPLATE], &parts, problems);
    }
    problems->out_of_memory |= status == ORR_NO_MEMORY;
    cJSON_free(json);
    free(script);
    for (int i = 0; i < FILES; i++)
        free(text[i]);
    return status;
}
