/* The promises of document.h, one test each. */
#include "scenario/document.h"
#include "support/failing_malloc.h"
#include "support/temporary.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static orr_problems  problems;
static orr_document *document;

static void clear(void)
{
    orr_document_destroy(document);
    document = NULL;
    orr_problems_clear(&problems);
}

static void leave(void)
{
    clear();
    temporary_leave();
}

static void parse_bytes(const char *bytes, size_t length, const char *const *overrides, size_t count)
{
    clear();
    document = orr_document_parse("s.yaml", bytes, length, overrides, count, &problems);
}

static void parse(const char *text) { parse_bytes(text, strlen(text), NULL, 0); }

#define PARSE_WITH(text, ...) \
    parse_bytes(text, strlen(text), (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void load(const char *path)
{
    clear();
    document = orr_document_load(path, NULL, 0, &problems);
}

static void has_problems(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < problems.count; i++)
        ck_assert_str_eq(problems.text[i], lines[i]);
    ck_assert_uint_eq(problems.count, count);
}
#define HAS_PROBLEMS(...) has_problems((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* The tree, written out, is this text. */
static void is_tree(const char *text)
{
    ck_assert_ptr_nonnull(document);
    char *written = orr_document_text(document);
    ck_assert_str_eq(written, text);
    free(written);
}

static void is_clean_tree(const char *text)
{
    if (orr_problems_any(&problems))
        ck_abort_msg("%s", problems.text[0]);
    is_tree(text);
}

static const orr_node *at(const orr_node *node, const char *key)
{
    const orr_node *child = orr_node_get(node, key);
    ck_assert_msg(child != NULL, "no key %s", key);
    return child;
}

static const orr_node *root(void) { return orr_document_root(document); }

static void stands_at(orr_where where, const char *file, uint32_t line, uint32_t column)
{
    ck_assert_str_eq(where.file, file);
    ck_assert_uint_eq(where.line, line);
    ck_assert_uint_eq(where.column, column);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

START_TEST(every_value_and_key_knows_its_place_and_quotes)
{
    parse("a: 1\nμ: \"x\"\nlist:\n  - {b: c, d: 'e'}\n  - |\n    text\n");
    ck_assert_ptr_nonnull(document);
    ck_assert(!orr_problems_any(&problems));
    stands_at(at(root(), "a")->where, "s.yaml", 1, 4);
    stands_at(at(root(), "μ")->where, "s.yaml", 2, 4);
    const orr_node *list = at(root(), "list");
    ck_assert(list->kind == ORR_NODE_LIST && list->count == 2 && list->child[0]->kind == ORR_NODE_MAP);
    stands_at(at(list->child[0], "d")->where, "s.yaml", 4, 15);
    stands_at(orr_node_key_where(list->child[0], "d"), "s.yaml", 4, 12);
    stands_at(orr_node_key_where(list->child[0], "zzz"), "s.yaml", 4, 5);
    ck_assert(!at(root(), "a")->quoted && at(root(), "μ")->quoted && at(list->child[0], "d")->quoted && list->child[1]->quoted);
    ck_assert_str_eq(list->child[1]->text, "text\n");
    ck_assert_ptr_null(orr_node_get(root(), "b"));
    ck_assert_ptr_null(orr_node_get(list, "b"));
}
END_TEST

START_TEST(what_is_no_scenario_is_refused)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "s.yaml: error: the file is empty, expected a map of keys"},
        {"# only a comment\n", "s.yaml: error: the file is empty, expected a map of keys"},
        {"- a\n", "s.yaml:1:1: error: expected a map of keys, found a list"},
        {"word\n", "s.yaml:1:1: error: expected a map of keys, found a single value"},
        {"---\n", "s.yaml:2:1: error: expected a map of keys, found nothing"},
        {"%\xb7", "s.yaml:1:2: error: this is not text: invalid leading UTF-8 octet"},
        {"\x25\xb7\n", "s.yaml:1:2: error: this is not text: invalid leading UTF-8 octet"},
        {"ok: 1\na: \x01\n", "s.yaml:2:4: error: this is not text: control characters are not allowed"},
        {"a:\n\tb: 1\n", "s.yaml:2:1: error: not valid YAML: found character that cannot start any token while scanning for the next token that begins in "
                         "line 2; a tab cannot indent here, use spaces"},
        {"a: [1, 2\nb: 1\n", "s.yaml:2:2: error: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence that begins in line 1"},
        {"a: {b: ${c}}\n", "s.yaml:1:9: error: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping that begins in line 1; inside [ ] and "
                           "{ } write \"${name}\" in quotes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        parse(cases[i].text);
        ck_assert_ptr_null(document);
        HAS_PROBLEMS(cases[i].problem);
    }
    parse_bytes("a: 1\0b\n", 7, NULL, 0);
    ck_assert_ptr_null(document);
    HAS_PROBLEMS("s.yaml:1:5: error: this is not text: control characters are not allowed");
}
END_TEST

START_TEST(an_unreadable_file_is_told)
{
    load("none.yaml");
    ck_assert_ptr_null(document);
    HAS_PROBLEMS("none.yaml: error: cannot be read: No such file or directory");
    load(".");
    ck_assert_ptr_null(document);
    HAS_PROBLEMS(".: error: cannot be read: Is a directory");
}
END_TEST

START_TEST(mistakes_that_leave_the_structure_clear_are_all_told)
{
    parse("a: 1\nb: {c: 1, c: 2, 'c': 3}\na: 2\n? [x, y]\n: 1\n? {z: 1}\n: 2\n'': 3\nd: *non\ne: &e [*e]\nnum: &nun 1\nf: \"x\\0y\"\ng: !tag 1\n<<: 5\n<<: {a: 7}\n");
    HAS_PROBLEMS("s.yaml:2:11: error: duplicate key \"c\", first in line 2", "s.yaml:2:17: error: duplicate key \"c\", first in line 2",
                 "s.yaml:3:1: error: duplicate key \"a\", first in line 1", "s.yaml:4:3: error: a key must be a text, found a list",
                 "s.yaml:6:3: error: a key must be a text, found a map", "s.yaml:8:1: error: a key must not be empty", "s.yaml:9:4: error: unknown anchor \"non\"",
                 "s.yaml:10:8: error: \"*e\" stands inside the very value that it repeats", "s.yaml:12:4: error: a NUL byte has no place in a text",
                 "s.yaml:13:4: error: tags such as \"!tag\" have no meaning here", "s.yaml:15:1: error: duplicate key \"<<\", first in line 14",
                 "s.yaml:14:5: error: \"<<\" takes a map or a list of maps");
    ck_assert_str_eq(at(root(), "a")->text, "1");
}
END_TEST

START_TEST(a_second_document_in_a_file_is_told)
{
    parse("a: 1\n---\nb: 2\n");
    HAS_PROBLEMS("s.yaml:2:1: error: a second YAML document begins here, expected one per file");
    is_tree("a: 1\n");
}
END_TEST

START_TEST(merge_keys_give_what_the_map_does_not_have_itself)
{
    parse("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, y: 9}\nd: {<<: [*a, *b], w: 0}\n\"<<\": text\n");
    is_clean_tree("a:\n  x: 1\n  y: 2\nb:\n  y: 3\n  z: 4\nc:\n  y: 9\n  x: 1\nd:\n  w: 0\n  x: 1\n  y: 2\n  z: 4\n\"<<\": text\n");
}
END_TEST

static char *nested(size_t depth)
{
    char *text = malloc(2 * depth + 8), *p = text + sprintf(text, "a: ");
    memset(p, '[', depth);
    memset(p + depth, ']', depth);
    strcpy(p + 2 * depth, "\n");
    return text;
}

START_TEST(depth_is_bounded)
{
    char *deep = nested(64), *deeper = nested(65), *deepest = nested(100000);
    parse(deep);
    ck_assert(document != NULL && !orr_problems_any(&problems));
    parse(deeper);
    ck_assert_ptr_null(document);
    HAS_PROBLEMS("s.yaml:1:68: error: the file is nested more than 64 levels deep");
    parse(deepest);
    ck_assert_ptr_null(document);
    HAS_PROBLEMS("s.yaml:1:68: error: the file is nested more than 64 levels deep");
    free(deep);
    free(deeper);
    free(deepest);
    char  text[4000];
    char *p = text + sprintf(text, "a0: &a0 [x]\n");
    for (int i = 1; i < 70; i++)
        p += sprintf(p, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    parse(text);
    ck_assert_ptr_null(document);
    HAS_PROBLEMS("s.yaml:64:12: error: the file is nested more than 64 levels deep");
}
END_TEST

START_TEST(an_alias_bomb_is_told_soon)
{
    char  text[2000];
    char *p = text + sprintf(text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        p += sprintf(p, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            p += sprintf(p, "%s*a%d", k > 0 ? ", " : "", i - 1);
        p += sprintf(p, "]\n");
    }
    parse(text);
    ck_assert_ptr_null(document);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(problems.text[0], "the file holds more than 2000000 values, with aliases and imports expanded"));
}
END_TEST

START_TEST(parameters_that_explode_are_told)
{
    static char text[400000];
    char       *p = text + sprintf(text, "params:\n  p0: xxxxxxxxxx\n");
    for (int i = 1; i < 30; i++)
        p += sprintf(p, "  p%d: ${p%d}${p%d}${p%d}${p%d}\n", i, i - 1, i - 1, i - 1, i - 1);
    parse(text);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(problems.text[0], "with its parameters in place this grows beyond all bounds"));
    p = text + sprintf(text, "params:\n  p0: ");
    memset(p, 'x', 300000);
    strcpy(p + 300000, "\na: ${p0}${p0}${p0}${p0}\n");
    parse(text);
    HAS_PROBLEMS("s.yaml:3:4: error: with its parameters in place this grows beyond all bounds");
    p = text + sprintf(text, "params:\n  p0: [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        p += sprintf(p, "  p%d: [\"${p%d}\", \"${p%d}\", \"${p%d}\", \"${p%d}\"]\n", i, i - 1, i - 1, i - 1, i - 1);
    parse(text);
    ck_assert_uint_ge(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(problems.text[0], "holds more than 2000000 values"));
    p = text + sprintf(text, "params:\n  p9999: 1\n");
    for (int i = 9998; i >= 0; i--)
        p += sprintf(p, "  p%d: ${p%d}\n", i, i + 1);
    parse(text);
    ck_assert(!orr_problems_any(&problems));
    p = text + sprintf(text, "params:\n");
    for (int i = 0; i < 9999; i++)
        p += sprintf(p, "  p%d: ${p%d}\n", i, i + 1);
    sprintf(p, "  p9999: 1\n");
    parse(text);
    ck_assert_str_eq(problems.text[0], "s.yaml:65:8: error: parameter \"p64\" is at the end of a chain of more than 64 parameters");
}
END_TEST

START_TEST(a_hundred_thousand_items_cost_no_quadratic_time)
{
    enum { N = 100000 };
    char *text = malloc(64 * N), *p = text + sprintf(text, "list:\n");
    for (int i = 0; i < N; i++)
        p += sprintf(p, "  - item %d\n", i);
    p += sprintf(p, "map:\n");
    for (int i = 0; i < N; i++)
        p += sprintf(p, "  key%d: %d\n", i, i);
    for (int i = 0; i < 1000; i++) /* mistakes: each a duplicate, and a parameter that is unknown */
        p += sprintf(p, "  key%d: ${p%d}\n", i, i);
    clock_t start = clock();
    parse_bytes(text, (size_t)(p - text), NULL, 0);
    free(text);
    ck_assert_ptr_nonnull(document);
    ck_assert_uint_eq(problems.count, 1000);
    for (int i = 0; i < N; i++) {
        char key[20];
        sprintf(key, "key%d", i);
        ck_assert_int_eq(atoi(at(at(root(), "map"), key)->text), i);
    }
    ck_assert_msg(clock() - start < 60 * CLOCKS_PER_SEC, "a quadratic path takes minutes; this takes a second even with sanitizers");
}
END_TEST

/* ---- imports ------------------------------------------------------------------------------------------------------ */

START_TEST(imports_are_merged_key_by_key_and_the_importing_file_wins)
{
    ck_assert_int_eq(mkdir("d", 0700), 0);
    temporary_write_text("d/low.yaml", "m: {a: 1, b: 1, l: [1, 2]}\nonly: low\n");
    temporary_write_text("d/base.yaml", "imports: low.yaml\nm: {b: 2, c: 2}\n");
    temporary_write_text("other.yaml", "m: {c: 3}\nx: [3]\n");
    temporary_write_text("s.yaml", "m: {d: 4, l: [9]}\nimports: [d/base.yaml, other.yaml]\n");
    load("s.yaml");
    is_clean_tree("m:\n  a: 1\n  b: 2\n  l:\n    - 9\n  c: 3\n  d: 4\nonly: low\nx:\n  - 3\n");
    stands_at(at(at(root(), "m"), "a")->where, "d/low.yaml", 1, 8);
    stands_at(at(at(root(), "m"), "b")->where, "d/base.yaml", 2, 8);
    stands_at(orr_node_key_where(at(root(), "m"), "l"), "s.yaml", 1, 11);
}
END_TEST

START_TEST(an_import_cycle_is_told_with_its_files)
{
    temporary_write_text("s.yaml", "imports: b.yaml\na: 1\n");
    temporary_write_text("b.yaml", "imports:\n  - c.yaml\n");
    temporary_write_text("c.yaml", "imports: ./s.yaml\nc: 1\n");
    load("s.yaml");
    HAS_PROBLEMS("c.yaml:1:10: error: import cycle: s.yaml imports b.yaml imports c.yaml imports s.yaml");
    is_tree("c: 1\na: 1\n");
}
END_TEST

START_TEST(a_file_imported_twice_is_no_cycle_and_read_once)
{
    temporary_write_text("s.yaml", "imports: [b.yaml, c.yaml]\n");
    temporary_write_text("b.yaml", "imports: low.yaml\nb: 1\n");
    temporary_write_text("c.yaml", "imports: low.yaml\nc: 1\n");
    temporary_write_text("low.yaml", "m: {n: {o: 1}}\nx: {y: 1, y: 2}\n");
    load("s.yaml");
    HAS_PROBLEMS("low.yaml:2:11: error: duplicate key \"y\", first in line 2");
    is_tree("m:\n  n:\n    o: 1\nx:\n  y: 1\nb: 1\nc: 1\n");
}
END_TEST

START_TEST(imports_that_cannot_be_read_are_all_told)
{
    temporary_write_text("bad.yaml", "a: [\n");
    temporary_write_text("s.yaml", "imports: [none.yaml, bad.yaml, ., [x], \"\"]\na: ${unknown}\n");
    load("s.yaml");
    HAS_PROBLEMS("s.yaml:1:11: error: cannot read \"none.yaml\": No such file or directory",
                 "bad.yaml:2:1: error: not valid YAML: did not find expected node content while parsing a flow node that begins in line 2",
                 "s.yaml:1:32: error: cannot read \".\": Is a directory", "s.yaml:1:35: error: imports: expected the name of a file",
                 "s.yaml:1:40: error: imports: expected the name of a file");
    for (int i = 0; i < 40; i++) {
        char name[20], text[40];
        sprintf(name, "i%d.yaml", i);
        sprintf(text, "imports: i%d.yaml\n", i + 1);
        temporary_write_text(name, text);
    }
    load("i0.yaml");
    HAS_PROBLEMS("i32.yaml:1:10: error: imports are nested more than 32 files deep");
}
END_TEST

/* ---- parameters --------------------------------------------------------------------------------------------------- */

START_TEST(parameters_replace_their_references)
{
    parse("params:\n  n: 5\n  q: '5'\n  list: [1, \"${n}\"]\na: ${n}\nb: \"${n}\"\nc: ${q}\nd: ${n} ms\ne: ${list}\nf: x$${n}$y$\ng: ${n}${n}\nh: $$${n}\ni: 1${q}\nj: 1${n}\n");
    ck_assert(!orr_problems_any(&problems));
    ck_assert_str_eq(at(root(), "a")->text, "5");
    ck_assert(!at(root(), "a")->quoted && !at(root(), "b")->quoted && at(root(), "c")->quoted);
    ck_assert_str_eq(at(root(), "b")->text, "5");
    ck_assert_str_eq(at(root(), "d")->text, "5 ms");
    ck_assert(at(root(), "e")->kind == ORR_NODE_LIST && at(root(), "e")->count == 2);
    ck_assert_str_eq(at(root(), "e")->child[1]->text, "5");
    ck_assert_str_eq(at(root(), "f")->text, "x${n}$y$");
    ck_assert_str_eq(at(root(), "g")->text, "55");
    ck_assert_str_eq(at(root(), "h")->text, "$${n}");
    ck_assert(at(root(), "i")->quoted && !at(root(), "j")->quoted);
    stands_at(at(root(), "a")->where, "s.yaml", 5, 4);
    stands_at(at(root(), "e")->child[1]->where, "s.yaml", 9, 4);
    ck_assert_str_eq(at(root(), "a")->parameters, "${n}");
    ck_assert_str_eq(at(root(), "g")->parameters, "${n}, ${n}");
    ck_assert_ptr_null(at(root(), "f")->parameters);
}
END_TEST

START_TEST(parameters_stay_visible_with_the_value_in_force)
{
    PARSE_WITH("params:\n  a: 1\n  b: {text: \"twice ${a}\", unit: ms, default: \"${a}0\"}\n  c: {default: 3, value: 4}\n  d: {default: 3, value: 4}\n", "params.a=2",
               "params.d=5");
    is_clean_tree("params:\n  a:\n    default: 1\n    value: 2\n  b:\n    default: \"20\"\n    unit: ms\n    text: \"twice 2\"\n    value: \"20\"\n"
                  "  c:\n    default: 3\n    value: 4\n  d:\n    default: 3\n    value: 5\n");
}
END_TEST

START_TEST(imported_parameters_are_merged_field_by_field)
{
    temporary_write_text("low.yaml", "params: {a: {default: 1, unit: ms, value: 2}, b: {default: 1, value: 2}, c: 1}\nx: ${a} ${b} ${c}\n");
    temporary_write_text("s.yaml", "imports: low.yaml\nparams: {a: 7, b: {default: 1, value: 8}}\n");
    load("s.yaml");
    is_clean_tree("params:\n  a:\n    default: 7\n    unit: ms\n    value: 7\n  b:\n    default: 1\n    value: 8\n  c:\n    default: 1\n    value: 1\nx: 7 8 1\n");
}
END_TEST

START_TEST(mistakes_with_parameters_are_all_told)
{
    parse("params:\n  rate: 5\n  loop: ${pool}\n  pool: ${loop}\n  2x: 1\n  none: {unit: ms}\n  odd: {default: 1, uint: ms}\n  list: [1]\n"
          "a: ${rat}\nb: x ${zzzzzzz}\nc: ${rate\nd: ${list} x\ne: ${}\nf: ${none}\n");
    HAS_PROBLEMS("s.yaml:5:3: error: \"2x\" cannot name a parameter: expected letters, digits, _ and -, a letter first",
                 "s.yaml:6:3: error: parameter \"none\" has no \"default\"; it is written name: value or name: {default, unit, text}",
                 "s.yaml:7:21: error: unknown key \"uint\" in parameter \"odd\"; did you mean \"unit\"?", "s.yaml:4:9: error: parameter \"loop\" refers to itself",
                 "s.yaml:9:4: error: unknown parameter \"rat\"; did you mean \"${rate}\"?",
                 "s.yaml:10:4: error: unknown parameter \"zzzzzzz\"; a plain \"${\" is written \"$${\"",
                 "s.yaml:11:4: error: \"${rate\" lacks its closing brace; a plain \"${\" is written \"$${\"",
                 "s.yaml:12:4: error: parameter \"list\" is a list and cannot stand inside a text",
                 "s.yaml:13:4: error: unknown parameter \"\"; a plain \"${\" is written \"$${\"");
    parse("params: [1]\na: ${x}\n");
    HAS_PROBLEMS("s.yaml:1:9: error: params: expected a map of name: value, found a list", "s.yaml:2:4: error: unknown parameter \"x\": nothing is declared under params");
}
END_TEST

/* ---- overrides ---------------------------------------------------------------------------------------------------- */

START_TEST(overrides_are_the_strongest_and_the_last_wins)
{
    temporary_write_text("low.yaml", "a: 1\nm: {b: 1, c: 1}\n");
    temporary_write_text("s.yaml", "imports: low.yaml\nparams: {p: 2}\nm: {b: \"${p}\", d: \"${p}\"}\nlist: [1, {x: 1}]\nempty:\n");
    const char *overrides[] = {"a=3", "m.b=4", "m.b=${p}5", "params.p=6", "list.1.x=[7, 8]", "empty.new.key=9", "m.c={e: 10}", "list.0="};
    clear();
    document = orr_document_load("s.yaml", overrides, 8, &problems);
    is_clean_tree("a: 3\nm:\n  b: 65\n  c:\n    e: 10\n  d: 6\nparams:\n  p:\n    default: 2\n    value: 6\nlist:\n  -\n  - x:\n      - 7\n      - 8\nempty:\n  new:\n    key: 9\n");
    stands_at(at(root(), "a")->where, "--set a=3", 0, 0);
    stands_at(at(at(at(root(), "m"), "c"), "e")->where, "--set m.c={e: 10}", 0, 0);
    stands_at(orr_node_key_where(at(root(), "empty"), "new"), "--set empty.new.key=9", 0, 0);
}
END_TEST

START_TEST(an_override_below_an_alias_leaves_the_others_alone)
{
    PARSE_WITH("base: &b {x: 1, y: {z: 1}}\na: *b\nc: {<<: *b}\nlist: [*b, *b]\n", "a.x=2", "c.y.z=3", "list.1.y.z=4", "base.x=5");
    is_clean_tree("base:\n  x: 5\n  y:\n    z: 1\na:\n  x: 2\n  y:\n    z: 1\nc:\n  x: 1\n  y:\n    z: 3\nlist:\n  - x: 1\n    y:\n      z: 1\n  - x: 1\n    y:\n      z: 4\n");
}
END_TEST

START_TEST(an_override_below_a_parameter_leaves_the_others_alone)
{
    PARSE_WITH("params: {p: [1, 2]}\na: ${p}\nb: ${p}\n", "a.0=3");
    is_clean_tree("params:\n  p:\n    default:\n      - 1\n      - 2\n    value:\n      - 1\n      - 2\na:\n  - 3\n  - 2\nb:\n  - 1\n  - 2\n");
}
END_TEST

START_TEST(keys_with_dots_can_be_overridden)
{
    PARSE_WITH("models: {qwen2.5-7b: {rate: 1}, qwen2: {rate: 1}}\n", "models.qwen2.5-7b.rate=2", "models.qwen2.rate=3");
    is_clean_tree("models:\n  qwen2.5-7b:\n    rate: 2\n  qwen2:\n    rate: 3\n");
}
END_TEST

START_TEST(malformed_overrides_are_all_told)
{
    PARSE_WITH("clients: [{rate: 1}, {rate: 1}]\nnone: []\nparams: {rate: 1}\n", "novalue", "=1", "a..b=1", ".a=1", "a.=1", "clients.2.rate=1", "clients.x=1",
               "none.0=1", "client.0.rate=1", "clients.0.rate.x=1", "clients.0.rate=[1", "params.rat=1", "params=1", "params.rate.text=x", "imports=x",
               "params.zzzzz=1", "a=${rat}", "\xff=1");
    HAS_PROBLEMS("--set params.rat=1: error: no parameter \"rat\" is declared; did you mean \"params.rate\"?",
                 "--set params=1: error: expected the name of a parameter, params.name=value",
                 "--set params.rate.text=x: error: only the value of a parameter can be set, expected \"params.rate=value\"",
                 "--set params.zzzzz=1: error: no parameter \"zzzzz\" is declared",
                 "--set novalue: error: expected key.path=value, such as clients.0.population=10",
                 "--set =1: error: expected key.path=value, such as clients.0.population=10", "--set a..b=1: error: expected key.path=value, such as clients.0.population=10",
                 "--set .a=1: error: expected key.path=value, such as clients.0.population=10", "--set a.=1: error: expected key.path=value, such as clients.0.population=10",
                 "--set clients.2.rate=1: error: \"clients\" is a list: expected an index from 0 to 1, found \"2\"",
                 "--set clients.x=1: error: \"clients\" is a list: expected an index from 0 to 1, found \"x\"", "--set none.0=1: error: the list \"none\" is empty",
                 "--set client.0.rate=1: error: there is no list \"client\" here; did you mean \"clients\"?",
                 "--set clients.0.rate.x=1: error: \"rate\" is a single value and has no \"x\"",
                 "--set clients.0.rate=[1: error: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence that begins in line 1",
                 "--set imports=x: error: imports cannot be overridden", "--set a=${rat}: error: unknown parameter \"rat\"; did you mean \"${rate}\"?",
                 "--set \xff=1: error: expected key.path=value, such as clients.0.population=10");
}
END_TEST

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Equal in all but places; and numbers, which the schema sets. */
static bool are_equal(const orr_node *a, const orr_node *b)
{
    if (a->kind != b->kind || a->quoted != b->quoted || a->count != b->count || strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if ((a->kind == ORR_NODE_MAP && strcmp(a->key[i], b->key[i]) != 0) || !are_equal(a->child[i], b->child[i]))
            return false;
    return true;
}

static void reads_back(void)
{
    char *once = orr_document_text(document);
    ck_assert_ptr_nonnull(once);
    orr_problems  again = {0};
    orr_document *copy = orr_document_parse("again.yaml", once, strlen(once), NULL, 0, &again);
    ck_assert_msg(copy != NULL && !orr_problems_any(&again), "%s\n%s", again.count > 0 ? again.text[0] : "", once);
    char *twice = orr_document_text(copy);
    ck_assert_str_eq(once, twice);
    ck_assert_msg(are_equal(orr_document_root(document), orr_document_root(copy)), "%s", once);
    free(once);
    free(twice);
    orr_document_destroy(copy);
    orr_problems_clear(&again);
}

START_TEST(the_text_read_back_gives_the_same_tree)
{
    static char text[8000];
    char       *p = text + sprintf(text, "%s",
                                   "params: {n: 5, t: {default: \"$${x}\", unit: \"\", text: \"a: b\"}}\n"
                                   "a: ${t}\nb: [[], {}, [[1], [[2], {x: [y]}]], ~, '', \"\", null]\nempty:\n"
                                   "\"key: #\": 1\n\"\": 0\n? 'multi\n\n  line'\n: |\n  two\n  lines\n\n"
                                   "'-': '-'\n\"- x\": \"- x\"\n\"...\": \"---\"\n\"<<\": '<<'\n'?': '? x'\n'*a': '&b'\n'!t': '%d'\n'@': '`'\n'a: b': 'a #b'\n"
                                   "'~': ~\n'null': 'null'\nminus: -5\ndot: .5\nplus: +1\nunit: 5 %\ntime: 20 µs\nurl: http://x/y#z\n"
                                   "controls: \"\\x01\\x7f\\e\\N \\L \\P \\uFEFF\\uFFFE\\U0010FFFF\\t\\r\\\\\\\"\"\nspaces: '  x  '\nfolded: >\n  a\n  b\nwin: \"c:\\\\d\"\nx: $$$$${n}\n");
    p += sprintf(p, "? ");
    for (int i = 0; i < 1500; i++)
        *p++ = 'k';
    p += sprintf(p, "\n: {v: 1}\nlist:\n- ? \"");
    for (int i = 0; i < 400; i++)
        p += sprintf(p, "\\x01");
    p += sprintf(p, "\"\n  : 1\n  z: 2\n");
    char *without = strstr(text, "\"\": 0\n"); /* an empty key is refused; all others are kept */
    memset(without, ' ', 5);
    parse(text);
    if (orr_problems_any(&problems))
        ck_abort_msg("%s", problems.text[0]);
    ck_assert_str_eq(at(root(), "a")->text, "${x}");
    ck_assert_str_eq(at(root(), "x")->text, "$$$${n}");
    reads_back();
    parse("{}");
    is_clean_tree("{}\n");
    reads_back();
}
END_TEST

START_TEST(values_can_be_added)
{
    parse("a: 1\n");
    orr_node *m = orr_document_add(document, orr_document_root(document), "m", ORR_NODE_MAP, NULL);
    ck_assert_ptr_nonnull(m);
    char key[20] = "x", value[20] = "some: text";
    ck_assert_ptr_nonnull(orr_document_add(document, m, key, ORR_NODE_SCALAR, value));
    strcpy(key, "gone");
    strcpy(value, "gone");
    orr_document_add(document, m, "\xff", ORR_NODE_SCALAR, "\xfe");
    orr_document_add(document, m, "l", ORR_NODE_LIST, NULL);
    orr_document_add(document, orr_document_root(document), "a", ORR_NODE_SCALAR, "2");
    is_clean_tree("a: 2\nm:\n  x: \"some: text\"\n  \"\\xFF\": \"\\xFE\"\n  l: []\n");
}
END_TEST

/* ---- words -------------------------------------------------------------------------------------------------------- */

START_TEST(the_nearest_word_is_the_one_that_was_meant)
{
    static const char *const words[] = {"population", "policy", "rate", "rates", "seed", "time_to_first_token"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"populatoin", "population"}, {"Population", "population"}, {"rat", "rate"}, {"ratess", "rates"}, {"sede", "seed"}, {"zzzz", NULL},
        {"time-to-frist-tokn", "time_to_first_token"}, {"po", NULL}, {"x", NULL}, {"", NULL}, {"plcy", "policy"}, {"plociy", "policy"}, {"RATES", "rates"}, {"popul", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = orr_nearest(cases[i].word, words, 6);
        ck_assert_msg((found == NULL) == (cases[i].nearest == NULL) && (found == NULL || strcmp(found, cases[i].nearest) == 0), "%s: %s", cases[i].word,
                      found != NULL ? found : "none");
    }
    static char long_word[100000];
    memset(long_word, 'x', sizeof long_word - 1);
    ck_assert_ptr_null(orr_nearest(long_word, (const char *const[]){long_word}, 1));
    ck_assert_ptr_null(orr_nearest("x", words, 0));
    ck_assert_ptr_null(orr_nearest("ms", (const char *const[]){"GB"}, 1)); /* two letters of two: anything would be near */
}
END_TEST

/* ---- robustness --------------------------------------------------------------------------------------------------- */

static const char sample[] = "imports: low.yaml\n"
                             "params:\n  rate: 5\n  big: {default: \"${rate}0\", unit: /s, text: \"about ${rate}\"}\n"
                             "base: &b {x: 1, \"y\": two words, z: [1, 2, {q: w}]}\n"
                             "clients:\n  - rate: ${rate} /s\n    n: ${big}\n    o: *b\n  - <<: [*b, {v: 1}]\n    x: 9\n"
                             "lit: |\n  some $${x}\n  text\nfold: >-\n  a\n  b\nempty:\nnothing: ~\n'k: #': \"q: \\t\\u00e9\"\n";
static const char low[] = "params: {rate: 1, other: [1, 2]}\nclients: low\nmany: [1, 2, 3, 4, 5, 6, 7, 8, 9]\nref: ${other}\n";

START_TEST(every_failing_allocation_is_survived)
{
    static char big[20000];
    char       *p = big + sprintf(big, "%s", sample);
    for (int i = 0; i < 200; i++)
        p += sprintf(p, "key%d: {a: %d, b: \"${rate} ${big}\"}\n", i, i);
    sprintf(p, "wrong: ${rat}\nwrong: *nothing\n");
    temporary_write_text("low.yaml", low);
    temporary_write_text("s.yaml", big);
    const char *overrides[] = {"params.rate=7", "clients.0.o.x=-1", "new.a.b=[1, 2]", "params.rat=1", "client.0=1", "clients.7=1"};
    long        nth = 1;
    for (bool fired = true; fired; nth++) {
        clear();
        failing_malloc_arm(nth);
        document = orr_document_load("s.yaml", overrides, 6, &problems);
        char     *text = document != NULL ? orr_document_text(document) : NULL;
        orr_node *added = document != NULL ? orr_document_add(document, orr_document_root(document), "added", ORR_NODE_SCALAR, big) : NULL;
        fired = failing_malloc_fired();
        ck_assert_int_eq(fired, document == NULL || text == NULL || added == NULL || problems.out_of_memory);
        ck_assert(document != NULL || problems.out_of_memory);
        free(text);
        ck_assert_int_lt(nth, 10000);
    }
    ck_assert_int_gt(nth, 15);
    ck_assert_uint_eq(problems.count, 6);
}
END_TEST

START_TEST(no_bytes_crash_it_and_what_is_read_can_be_written)
{
    static const char pieces[] = "${}[]:-,&*!|>'\"%@`#\n\t <<~?x0\\.=";
    temporary_write_text("low.yaml", low);
    srand48(1);
    size_t read = 0;
    for (int round = 0; round < 20000; round++) {
        char   bytes[sizeof sample + 16];
        size_t length = sizeof sample - 1;
        memcpy(bytes, sample, length);
        for (long k = lrand48() % 5; k >= 0; k--) {
            size_t i = (size_t)lrand48() % (length + (length == 0));
            char   c = lrand48() % 3 == 0 ? (char)lrand48() : pieces[(size_t)lrand48() % (sizeof pieces - 1)];
            switch (lrand48() % 4) {
            case 0: bytes[i] = c; break;
            case 1: length > 1 ? memmove(bytes + i, bytes + i + 1, --length - i) : NULL; break;
            case 2: memmove(bytes + i + 1, bytes + i, length++ - i), bytes[i] = c; break;
            default: length = round % 50 == 0 ? i + 1 : length; break;
            }
        }
        char set[24] = "";
        for (size_t i = 0; i < (size_t)(lrand48() % 20); i++)
            set[i] = "clients.0rate=params"[lrand48() % 20];
        const char *overrides[] = {"clients.0.o.x=-1", set};
        parse_bytes(bytes, length, overrides, 1 + (size_t)(lrand48() % 2));
        ck_assert(document != NULL || orr_problems_any(&problems));
        ck_assert(!problems.out_of_memory);
        if (document != NULL && !orr_problems_any(&problems)) {
            reads_back();
            read++;
        }
    }
    ck_assert_uint_gt(read, 1000);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, temporary_enter, leave);
    tcase_set_timeout(promises, 600);
    tcase_add_test(promises, every_value_and_key_knows_its_place_and_quotes);
    tcase_add_test(promises, what_is_no_scenario_is_refused);
    tcase_add_test(promises, an_unreadable_file_is_told);
    tcase_add_test(promises, mistakes_that_leave_the_structure_clear_are_all_told);
    tcase_add_test(promises, a_second_document_in_a_file_is_told);
    tcase_add_test(promises, merge_keys_give_what_the_map_does_not_have_itself);
    tcase_add_test(promises, depth_is_bounded);
    tcase_add_test(promises, an_alias_bomb_is_told_soon);
    tcase_add_test(promises, parameters_that_explode_are_told);
    tcase_add_test(promises, a_hundred_thousand_items_cost_no_quadratic_time);
    tcase_add_test(promises, imports_are_merged_key_by_key_and_the_importing_file_wins);
    tcase_add_test(promises, an_import_cycle_is_told_with_its_files);
    tcase_add_test(promises, a_file_imported_twice_is_no_cycle_and_read_once);
    tcase_add_test(promises, imports_that_cannot_be_read_are_all_told);
    tcase_add_test(promises, parameters_replace_their_references);
    tcase_add_test(promises, parameters_stay_visible_with_the_value_in_force);
    tcase_add_test(promises, imported_parameters_are_merged_field_by_field);
    tcase_add_test(promises, mistakes_with_parameters_are_all_told);
    tcase_add_test(promises, overrides_are_the_strongest_and_the_last_wins);
    tcase_add_test(promises, an_override_below_an_alias_leaves_the_others_alone);
    tcase_add_test(promises, an_override_below_a_parameter_leaves_the_others_alone);
    tcase_add_test(promises, keys_with_dots_can_be_overridden);
    tcase_add_test(promises, malformed_overrides_are_all_told);
    tcase_add_test(promises, the_text_read_back_gives_the_same_tree);
    tcase_add_test(promises, values_can_be_added);
    tcase_add_test(promises, the_nearest_word_is_the_one_that_was_meant);
    tcase_add_test(promises, every_failing_allocation_is_survived);
    tcase_add_test(promises, no_bytes_crash_it_and_what_is_read_can_be_written);
    return run_as_tap("document", promises);
}
