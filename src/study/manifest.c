#include "study/manifest.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INSERT, END, FORGET, GET, NOTE, SET_NOTE, WINDOW, SET_WINDOW, STATEMENTS };
enum { BUSY_MS = 30000, LAYOUT = 2 };

static const char *const texts[STATEMENTS] = {
    [INSERT] = "INSERT INTO runs (address, what, seed, planned) VALUES (?1, ?2, ?3, 1) ON CONFLICT (address) DO UPDATE SET planned = 1, what = ?2",
    [END] = "UPDATE runs SET state = ?2, exit = ?3, wall_s = ?4, cpu_s = ?5, peak_memory = ?6, bytes = ?7, requests = ?8, message = ?9, summary = ?10, ended = ?11, in_system = ?12, bin_ns = ?13 WHERE address = ?1",
    [FORGET] = "UPDATE runs SET state = 0, exit = NULL, message = NULL, summary = NULL WHERE address = ?1",
    [GET] = "SELECT state, exit, wall_s, cpu_s, peak_memory, bytes, requests, message, summary, in_system, bin_ns FROM runs WHERE address = ?1",
    [NOTE] = "SELECT value FROM notes WHERE name = ?1",
    [WINDOW] = "SELECT summary FROM windows WHERE address = ?1 AND from_ns = ?2",
    [SET_WINDOW] = "INSERT OR REPLACE INTO windows (address, from_ns, summary) VALUES (?1, ?2, ?3)",
    [SET_NOTE] = "INSERT OR REPLACE INTO notes (name, value) VALUES (?1, ?2)",
};

/* A book of another layout is made anew: what it held is in runs/. */
static const char forget_layout[] = "DROP TABLE IF EXISTS runs; DROP TABLE IF EXISTS windows; DROP TABLE IF EXISTS notes;";
static const char layout[] =
    "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT);"
    "CREATE TABLE IF NOT EXISTS runs (address TEXT PRIMARY KEY, what TEXT NOT NULL, seed TEXT NOT NULL, planned INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, exit INTEGER,"
    " wall_s REAL, cpu_s REAL, peak_memory REAL, bytes REAL, requests REAL, message TEXT, summary TEXT, ended REAL, in_system TEXT, bin_ns REAL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS windows (address TEXT NOT NULL, from_ns INTEGER NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (address, from_ns)) WITHOUT ROWID;"
    "PRAGMA user_version = 2;";

struct orr_manifest {
    sqlite3      *db;
    sqlite3_stmt *statement[STATEMENTS];
    char         *path;
};

static orr_status failed(const orr_manifest *m, orr_problems *problems)
{
    orr_problem(problems, (orr_where){m->path, 0, 0}, "the manifest: %s", sqlite3_errmsg(m->db));
    return ORR_IO;
}

void orr_manifest_close(orr_manifest *m)
{
    if (m == NULL)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(m->statement[i]);
    sqlite3_close(m->db);
    free(m->path);
    free(m);
}

static int layout_of(const orr_manifest *m)
{
    sqlite3_stmt *s = NULL;
    int version = sqlite3_prepare_v2(m->db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
    sqlite3_finalize(s);
    return version;
}

/* The code of SQLite for how it went. */
static int open_file(orr_manifest *m, bool write)
{
    int code = sqlite3_open_v2(m->path, &m->db, write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_busy_timeout(m->db, BUSY_MS);
    sqlite3_stmt *check = NULL;
    if (write && (code = sqlite3_prepare_v2(m->db, "PRAGMA quick_check(1)", -1, &check, NULL)) == SQLITE_OK) {
        bool sound = sqlite3_step(check) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
        code = sqlite3_finalize(check);
        code = code == SQLITE_OK && !sound ? SQLITE_CORRUPT : code;
    }
    if (code == SQLITE_OK && write && layout_of(m) != LAYOUT)
        code = sqlite3_exec(m->db, forget_layout, NULL, NULL, NULL);
    return code != SQLITE_OK || !write ? code : sqlite3_exec(m->db, layout, NULL, NULL, NULL);
}

/* Puts a damaged book aside, with the journal that belongs to it: a new one is made from the plan and the files. */
static bool put_aside(orr_manifest *m)
{
    char *aside, *journal;
    sqlite3_close(m->db);
    m->db = NULL;
    if (asprintf(&aside, "%s.damaged", m->path) < 0)
        return false;
    bool ok = rename(m->path, aside) == 0;
    free(aside);
    if (asprintf(&journal, "%s-journal", m->path) < 0)
        return false;
    unlink(journal);
    free(journal);
    return ok;
}

orr_manifest *orr_manifest_open(const char *folder, bool write, orr_problems *problems)
{
    orr_manifest *m = calloc(1, sizeof *m);
    if (m == NULL || asprintf(&m->path, "%s/manifest.sqlite", folder) < 0) {
        free(m);
        problems->out_of_memory = true;
        return NULL;
    }
    int code = open_file(m, write);
    if (write && (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) && put_aside(m))
        code = open_file(m, write);
    if (code == SQLITE_OK && layout_of(m) != LAYOUT) {
        orr_problem(problems, (orr_where){m->path, 0, 0}, "is of another version of the program; `orrery sweep` brings it up to date");
        orr_manifest_close(m);
        return NULL;
    }
    bool ok = code == SQLITE_OK;
    for (int i = 0; ok && i < STATEMENTS; i++)
        ok = sqlite3_prepare_v2(m->db, texts[i], -1, &m->statement[i], NULL) == SQLITE_OK;
    if (ok)
        return m;
    failed(m, problems);
    orr_manifest_close(m);
    return NULL;
}

void orr_manifest_begin(orr_manifest *m) { sqlite3_exec(m->db, "BEGIN", NULL, NULL, NULL); }
void orr_manifest_commit(orr_manifest *m) { sqlite3_exec(m->db, "COMMIT", NULL, NULL, NULL); }

static bool stepped(sqlite3_stmt *s)
{
    int result = sqlite3_step(s);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return result == SQLITE_DONE || result == SQLITE_ROW;
}

static void bind_text(sqlite3_stmt *s, int place, const char *text) { sqlite3_bind_text(s, place, text, -1, SQLITE_TRANSIENT); }

/* What a variant is, in words. */
static char *words_for(const orr_study *s, const orr_variant *v)
{
    char *cell = orr_study_cell_text(s, v->cell), *words = NULL;
    if (cell == NULL)
        return NULL;
    const char *policy = s->policies[v->policy].label;
    int made = v->parameter < 0 ? asprintf(&words, "%s%s%s", policy, *cell ? ", " : "", cell)
                                : asprintf(&words, "%s%s%s, %s %s", policy, *cell ? ", " : "", cell, s->parameters[v->parameter].key, s->parameters[v->parameter].end[v->end]);
    free(cell);
    return made < 0 ? NULL : words;
}

orr_status orr_manifest_plan(orr_manifest *m, const orr_plan_of_study *plan, const char *scenario, orr_problems *problems)
{
    char *words = NULL;
    uint32_t last = ORR_NONE;
    bool ok = sqlite3_exec(m->db, "BEGIN; UPDATE runs SET planned = 0", NULL, NULL, NULL) == SQLITE_OK;
    for (size_t i = 0; ok && i < plan->run_count; i++) {
        const orr_planned_run *r = &plan->runs[i];
        char seed[24];
        if (r->variant != last) {
            free(words);
            words = words_for(plan->study, &plan->variants[r->variant]);
            last = r->variant;
        }
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->seed);
        bind_text(m->statement[INSERT], 1, r->address);
        bind_text(m->statement[INSERT], 2, words != NULL ? words : "");
        bind_text(m->statement[INSERT], 3, seed);
        ok = stepped(m->statement[INSERT]);
    }
    free(words);
    char *whole = realpath(plan->study->path, NULL); /* it is opened from other folders too */
    ok = ok && orr_manifest_set_note(m, "study", whole != NULL ? whole : plan->study->path, problems) == ORR_OK && orr_manifest_set_note(m, "scenario", scenario, problems) == ORR_OK;
    ok = ok && sqlite3_exec(m->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    free(whole);
    return ok ? ORR_OK : failed(m, problems);
}

static double number_in(const cJSON *record, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

orr_status orr_manifest_end(orr_manifest *m, const char *address, int exit, const cJSON *record, orr_problems *problems)
{
    static const char *const numbers[] = {"wall_s", "cpu_s", "peak_memory", "bytes", "requests"};
    sqlite3_stmt *s = m->statement[END];
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(record, "messages"), *first = cJSON_GetArrayItem(messages, 0);
    char *summary = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(record, "summary")), signal[48];
    snprintf(signal, sizeof signal, "killed by signal %d", exit - 128);
    bind_text(s, 1, address);
    sqlite3_bind_int(s, 2, exit == 0 ? ORR_RUN_DONE : ORR_RUN_FAILED);
    sqlite3_bind_int(s, 3, exit);
    for (int i = 0; i < 5; i++)
        sqlite3_bind_double(s, 4 + i, number_in(record, numbers[i]));
    if (exit != 0)
        bind_text(s, 9, cJSON_IsString(first) ? first->valuestring : exit > 128 ? signal : "no reason was given");
    if (summary != NULL)
        bind_text(s, 10, summary);
    sqlite3_bind_double(s, 11, (double)time(NULL));
    char *in_system = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(record, "in_system"));
    if (in_system != NULL)
        bind_text(s, 12, in_system);
    sqlite3_bind_double(s, 13, number_in(record, "bin_ns"));
    bool ok = stepped(s);
    cJSON_free(in_system);
    cJSON_free(summary);
    return ok ? ORR_OK : failed(m, problems);
}

orr_status orr_manifest_forget(orr_manifest *m, const char *address, orr_problems *problems)
{
    bind_text(m->statement[FORGET], 1, address);
    return stepped(m->statement[FORGET]) ? ORR_OK : failed(m, problems);
}

bool orr_manifest_get(orr_manifest *m, const char *address, orr_manifest_row *row)
{
    sqlite3_stmt *s = m->statement[GET];
    *row = (orr_manifest_row){0};
    sqlite3_reset(s);
    bind_text(s, 1, address);
    if (sqlite3_step(s) != SQLITE_ROW)
        return false;
    row->state = (orr_run_state)sqlite3_column_int(s, 0);
    row->exit = sqlite3_column_int(s, 1);
    row->wall_s = sqlite3_column_double(s, 2);
    row->cpu_s = sqlite3_column_double(s, 3);
    row->peak_memory = sqlite3_column_double(s, 4);
    row->bytes = sqlite3_column_double(s, 5);
    row->requests = sqlite3_column_double(s, 6);
    row->message = (const char *)sqlite3_column_text(s, 7);
    row->summary = (const char *)sqlite3_column_text(s, 8);
    row->in_system = (const char *)sqlite3_column_text(s, 9);
    row->bin_ns = sqlite3_column_double(s, 10);
    return true;
}

bool orr_manifest_totals_of(orr_manifest *m, orr_manifest_totals *t)
{
    sqlite3_stmt *s = NULL;
    *t = (orr_manifest_totals){0};
    if (sqlite3_prepare_v2(m->db, "SELECT state, count(*), sum(wall_s), sum(bytes), max(ended) FROM runs WHERE planned = 1 GROUP BY state", -1, &s, NULL) != SQLITE_OK)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        int state = sqlite3_column_int(s, 0);
        size_t count = (size_t)sqlite3_column_int64(s, 1);
        t->planned += count;
        if (state < 0 || state > ORR_RUN_FAILED)
            continue;
        t->state[state] = count;
        if (state == ORR_RUN_DONE) {
            t->wall_s = sqlite3_column_double(s, 2);
            t->bytes = sqlite3_column_double(s, 3);
            t->last_end_s = sqlite3_column_double(s, 4);
        }
    }
    sqlite3_finalize(s);
    return true;
}

char *orr_manifest_window(orr_manifest *m, const char *address, int64_t from_ns)
{
    sqlite3_stmt *s = m->statement[WINDOW];
    sqlite3_reset(s);
    bind_text(s, 1, address);
    sqlite3_bind_int64(s, 2, from_ns);
    char *summary = sqlite3_step(s) == SQLITE_ROW ? strdup((const char *)sqlite3_column_text(s, 0)) : NULL;
    sqlite3_reset(s);
    return summary;
}

orr_status orr_manifest_set_window(orr_manifest *m, const char *address, int64_t from_ns, const char *summary, orr_problems *problems)
{
    sqlite3_stmt *s = m->statement[SET_WINDOW];
    bind_text(s, 1, address);
    sqlite3_bind_int64(s, 2, from_ns);
    bind_text(s, 3, summary);
    return stepped(s) ? ORR_OK : failed(m, problems);
}

char *orr_manifest_note(orr_manifest *m, const char *name)
{
    sqlite3_stmt *s = m->statement[NOTE];
    sqlite3_reset(s);
    bind_text(s, 1, name);
    char *value = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0) != NULL ? strdup((const char *)sqlite3_column_text(s, 0)) : NULL;
    sqlite3_reset(s);
    return value;
}

orr_status orr_manifest_set_note(orr_manifest *m, const char *name, const char *value, orr_problems *problems)
{
    bind_text(m->statement[SET_NOTE], 1, name);
    bind_text(m->statement[SET_NOTE], 2, value);
    return stepped(m->statement[SET_NOTE]) ? ORR_OK : failed(m, problems);
}

void orr_manifest_failures(orr_manifest *m, void (*each)(void *, const char *, const char *, const char *), void *context)
{
    sqlite3_stmt *s = NULL;
    char *query;
    if (asprintf(&query, "SELECT address, what || ', seed ' || seed, message FROM runs WHERE planned = 1 AND state = %d ORDER BY what, seed", ORR_RUN_FAILED) < 0)
        return;
    if (sqlite3_prepare_v2(m->db, query, -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW)
            each(context, (const char *)sqlite3_column_text(s, 0), (const char *)sqlite3_column_text(s, 1), sqlite3_column_text(s, 2) != NULL ? (const char *)sqlite3_column_text(s, 2) : "");
    sqlite3_finalize(s);
    free(query);
}
