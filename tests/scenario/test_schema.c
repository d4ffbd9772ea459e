/* The promises of schema.h, one test each. */
#include "scenario/schema.h"
#include "support/failing_malloc.h"
#include "support/temporary.h"

#include "support/tap.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define T(name) ORR_TYPE_##name

static const orr_key table[] = {
    {"name", T(TEXT), "", NULL, NULL, "what it is called"},
    {"seed", T(INTEGER), "", "1", "[0,inf)", "seed of all random draws"},
    {"params", T(OPEN_MAP), "", "", NULL, "parameters"},
    {"horizon", T(TIME), "s", "1 h", "(0,inf]", "how long it runs"},
    {"start", T(DATETIME), "", "2026-05-13", NULL, "calendar time of the start"},
    {"trace", T(FILE), "", "", NULL, "recorded requests"},
    {"network", T(MAP), "", "{}", NULL, "the network"},
    {"network.delay", T(TIME), "s", "5 ms", "[0,1 s]", "delay of a hop"},
    {"network.loss", T(FRACTION), "", "0", NULL, "share that is lost"},
    {"network.bandwidth", T(BITRATE), "bit/s", "", "(0,inf)", "capacity"},
    {"cache", T(MAP), "", "", NULL, "an optional part"},
    {"cache.size", T(BYTES), "B", "2 KiB", NULL, "its size"},
    {"clients", T(LIST), "", "[]", NULL, "who asks"},
    {"clients[].rate", T(RATE), "/s", NULL, "(0,inf)", "requests per second"},
    {"clients[].policy", T(CHOICE), "", "fifo", "fifo|shortest|fair", "order of service"},
    {"clients[].active", T(BOOLEAN), "", "true", NULL, "whether it asks"},
    {"clients[].weight", T(NUMBER), "", "1", "[0,10)", "share"},
    {"clients[].sizes", T(LIST), "", "[1k, 2k]", NULL, "tokens of its requests"},
    {"clients[].sizes[]", T(TOKENS), "tokens", "", NULL, "tokens of one"},
    {"models", T(OPEN_MAP), "", "{}", NULL, "models by name"},
    {"models.*.price", T(MONEY), "yuan", "0.5", NULL, "price of a call"},
    {"labels", T(OPEN_MAP), "", "", NULL, "anything"},
    {"distance", T(DISTANCE), "km", "", NULL, "how far"},
};
enum { ROWS = sizeof table / sizeof table[0] };

static orr_problems  problems;
static orr_document *document;

static void clear(void)
{
    orr_document_destroy(document);
    document = NULL;
    orr_problems_clear(&problems);
}

static bool check_with(const char *text, const char *const *overrides, size_t count)
{
    clear();
    document = orr_document_parse("s.yaml", text, strlen(text), overrides, count, &problems);
    ck_assert_ptr_nonnull(document);
    return orr_schema_check(table, ROWS, document, orr_document_root(document), &problems);
}

static bool check_text(const char *text) { return check_with(text, NULL, 0); }

static void has_problems(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < problems.count; i++)
        ck_assert_str_eq(problems.text[i], lines[i]);
    ck_assert_uint_eq(problems.count, count);
}
#define HAS_PROBLEMS(...) has_problems((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static const orr_node *root(void) { return orr_document_root(document); }

static const orr_node *client(size_t i) { return orr_node_get(root(), "clients")->child[i]; }

START_TEST(values_are_parsed_into_the_canonical_unit)
{
    ck_assert(check_text("name: x\nseed: 10k\nhorizon: never\nstart: 1970-01-02T00:00:00Z\nnetwork: {delay: 20 ms, loss: 5 %, bandwidth: 400 Gbit/s}\n"
                         "clients: [{rate: \"120 /min\", policy: fair, active: off, weight: 2.5, sizes: [1.5M tokens]}]\n"
                         "models: {qwen: {price: 2 yuan}}\nlabels: {a: [b]}\ndistance: 30 m\n"));
    ck_assert_int_eq(orr_integer(root(), "seed"), 10000);
    ck_assert(isinf(orr_number(root(), "horizon")) && orr_integer(root(), "horizon") == INT64_MAX);
    ck_assert_int_eq(orr_integer(root(), "start"), 86400);
    const orr_node *network = orr_node_get(root(), "network");
    ck_assert_int_eq(orr_integer(network, "delay"), 20000000);
    ck_assert(orr_number(network, "delay") == 0.02 && orr_number(network, "loss") == 0.05 && orr_number(network, "bandwidth") == 4e11);
    ck_assert(orr_number(client(0), "rate") == 2 && orr_number(client(0), "weight") == 2.5);
    ck_assert_int_eq(orr_integer(client(0), "policy"), 2);
    ck_assert_int_eq(orr_integer(client(0), "active"), 0);
    ck_assert_int_eq(orr_node_get(client(0), "sizes")->child[0]->integer, 1500000);
    ck_assert_int_eq(orr_integer(orr_node_get(orr_node_get(root(), "models"), "qwen"), "price"), 2000000000);
    ck_assert(orr_number(root(), "distance") == 0.03);
    ck_assert_str_eq(orr_text(root(), "name"), "x");
    ck_assert(orr_has(root(), "labels") && !orr_has(root(), "cache"));
    orr_where where = orr_where_of(network, "loss");
    ck_assert(where.line == 5 && where.column == 31);
}
END_TEST

START_TEST(defaults_are_filled_in_everywhere)
{
    ck_assert(check_text("name: x\nclients:\n  - rate: 1 /s\n  - rate: 2 /s\n    policy: fair\nmodels: {a: {}, b: {price: 1}}\n"));
    ck_assert_int_eq(orr_integer(root(), "seed"), 1);
    ck_assert(orr_number(root(), "horizon") == 3600);
    const orr_node *network = orr_node_get(root(), "network");
    ck_assert(network->defaulted && orr_integer(network, "delay") == 5000000 && orr_node_get(network, "loss")->defaulted);
    ck_assert(!orr_has(network, "bandwidth") && !orr_has(root(), "cache") && !orr_has(root(), "trace"));
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(orr_integer(client(i), "policy"), i == 0 ? 0 : 2);
        ck_assert_int_eq(orr_integer(client(i), "active"), 1);
        ck_assert_uint_eq(orr_node_get(client(i), "sizes")->count, 2);
        ck_assert_int_eq(orr_node_get(client(i), "sizes")->child[1]->integer, 2000);
        ck_assert(!orr_node_get(client(i), "rate")->defaulted);
    }
    ck_assert(orr_node_get(client(0), "policy")->defaulted && !orr_node_get(client(1), "policy")->defaulted);
    ck_assert_int_eq(orr_integer(orr_node_get(orr_node_get(root(), "models"), "a"), "price"), 500000000);
    ck_assert(check_text("name: x\ncache: {}\n"));
    ck_assert_int_eq(orr_integer(orr_node_get(root(), "cache"), "size"), 2048);
}
END_TEST

START_TEST(all_mistakes_are_told_in_one_pass_at_their_places)
{
    ck_assert(!check_text("sed: 5\n"
                          "horizon: 20\n"
                          "network:\n"
                          "  delay: 20 MS\n"
                          "  loss: 1.5\n"
                          "  lost: 1\n"
                          "  bandwidth: [1]\n"
                          "clients:\n"
                          "  - rate: 5 ms\n"
                          "    policy: far\n"
                          "    weight: 10\n"
                          "    active: maybe\n"
                          "  - {rate: .inf, sizes: 3}\n"
                          "  - 5\n"
                          "cache:\n"));
    HAS_PROBLEMS("s.yaml:1:1: error: unknown key \"sed\"; did you mean \"seed\"?",
                 "s.yaml:2:10: error: horizon: expected a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never, found \"20\"",
                 "s.yaml:4:10: error: network.delay: expected a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never, found \"20 MS\"",
                 "s.yaml:5:9: error: network.loss: expected a fraction from 0 to 1 such as 0.05 or \"5 %\", found \"1.5\"",
                 "s.yaml:6:3: error: unknown key \"lost\" in network; did you mean \"loss\"?",
                 "s.yaml:7:14: error: network.bandwidth: expected a bit rate such as \"400 Gbit/s\" (bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s, MB/s, GB/s), "
                 "found a list",
                 "s.yaml:9:11: error: clients[].rate: expected a rate such as \"5 /s\" or \"20 per day\" (/ms, /s, /min, /h, /day), found \"5 ms\"",
                 "s.yaml:10:13: error: clients[].policy: expected one of fifo, shortest, fair, found \"far\"; did you mean \"fair\"?",
                 "s.yaml:11:13: error: clients[].weight: expected a value in [0,10), found \"10\"",
                 "s.yaml:12:13: error: clients[].active: expected true or false, found \"maybe\"",
                 "s.yaml:13:12: error: clients[].rate: expected a rate such as \"5 /s\" or \"20 per day\" (/ms, /s, /min, /h, /day), found \".inf\"",
                 "s.yaml:13:25: error: clients[].sizes: expected a list, found \"3\"",
                 "s.yaml:14:5: error: clients: expected a map of keys, found \"5\"",
                 "s.yaml:15:7: error: cache: expected a map of keys, found nothing",
                 "s.yaml:1:1: error: missing key \"name\": what it is called");
}
END_TEST

START_TEST(an_unknown_key_is_found_where_it_belongs_one_level_up_or_down)
{
    ck_assert(!check_text("name: x\nrate: 5\ndelay: 5\nclients: [{rate: 1 /s, seed: 5}]\nmodels: {a: {horizon: 1}}\n"));
    HAS_PROBLEMS("s.yaml:2:1: error: unknown key \"rate\"; did you mean \"rate\" in clients?", "s.yaml:3:1: error: unknown key \"delay\"; did you mean \"delay\" in network?",
                 "s.yaml:4:24: error: unknown key \"seed\" in clients; did you mean \"seed\" at the top level?",
                 "s.yaml:5:14: error: unknown key \"horizon\" in models; did you mean \"horizon\" at the top level?");
    ck_assert(!check_text("name: x\nnetwork: {zzzzz: 1}\n"));
    HAS_PROBLEMS("s.yaml:2:11: error: unknown key \"zzzzz\" in network; its keys are delay, loss, bandwidth");
}
END_TEST

START_TEST(ranges_are_enforced_at_open_and_closed_ends)
{
    ck_assert(check_text("name: x\nseed: 0\nnetwork: {delay: 1 s}\nclients: [{rate: \"0.1 /s\", weight: 0}, {rate: \"1 /s\", weight: 9.99}]\n"));
    ck_assert(!check_text("name: x\nseed: -1\nhorizon: 0\nnetwork: {delay: 1001 ms}\nclients: [{rate: 0}]\n"));
    HAS_PROBLEMS("s.yaml:2:7: error: seed: expected a value in [0,inf), found \"-1\"", "s.yaml:3:10: error: horizon: expected a value in (0,inf] s, found \"0\"",
                 "s.yaml:4:18: error: network.delay: expected a value in [0,1 s] s, found \"1001 ms\"",
                 "s.yaml:5:18: error: clients[].rate: expected a value in (0,inf) /s, found \"0\"");
    ck_assert(!check_text("name: x\ncache: {size: -1 B}\n"));
    HAS_PROBLEMS("s.yaml:2:15: error: cache.size: expected a value that is not negative, found \"-1 B\"");
}
END_TEST

START_TEST(quotes_make_a_text_of_a_number)
{
    ck_assert(check_text("name: \"5\"\nhorizon: \"20 ms\"\n"));
    ck_assert(!check_text("name: 5\nseed: \"5\"\nclients: [{rate: 1 /s, active: 'true'}]\n"));
    HAS_PROBLEMS("s.yaml:2:7: error: seed: expected a number without quotes, found \"5\" in quotes",
                 "s.yaml:3:32: error: clients[].active: expected true or false without quotes, found \"true\" in quotes");
}
END_TEST

START_TEST(a_value_from_an_override_is_told_as_the_override)
{
    const char *overrides[] = {"clients.0.rate=-1", "sead=3"};
    ck_assert(!check_with("name: x\nclients: [{rate: 1 /s}]\n", overrides, 2));
    HAS_PROBLEMS("--set clients.0.rate=-1: error: clients[].rate: expected a rate such as \"5 /s\" or \"20 per day\" (/ms, /s, /min, /h, /day), found \"-1\"",
                 "--set sead=3: error: unknown key \"sead\"; did you mean \"seed\"?");
}
END_TEST

START_TEST(a_value_from_a_parameter_is_told_where_it_is_used_with_its_name)
{
    ck_assert(!check_text("name: x\nparams: {n: 5 ms, m: 3}\nseed: ${n}\nhorizon: ${m}${m} x\n"));
    HAS_PROBLEMS("s.yaml:3:7: error: seed: expected a whole number such as 400 or 10k (k, M, G), found \"5 ms\" from ${n}",
                 "s.yaml:4:10: error: horizon: expected a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never, found \"33 x\" from ${m}, ${m}");
}
END_TEST

START_TEST(nothing_is_said_twice_about_a_broken_value)
{
    ck_assert(check_text("name: x\nseed: ${nn}\nhorizon: *h\n"));
    HAS_PROBLEMS("s.yaml:3:10: error: unknown anchor \"h\"", "s.yaml:2:7: error: unknown parameter \"nn\": nothing is declared under params");
}
END_TEST

START_TEST(a_key_missing_with_an_unreadable_import_is_not_told)
{
    ck_assert(check_text("imports: none.yaml\nseed: ${x}\n"));
    HAS_PROBLEMS("s.yaml:1:10: error: cannot read \"none.yaml\": No such file or directory");
}
END_TEST

START_TEST(a_file_is_taken_from_the_directory_of_the_file_that_names_it)
{
    temporary_enter();
    ck_assert_int_eq(mkdir("d", 0700), 0);
    temporary_write_text("d/s.yaml", "name: x\ntrace: data/t.csv\n");
    static const char *const expected[] = {"d/data/t.csv", "e/other.csv"};
    const char *const        overrides[] = {"trace=e/other.csv"};
    for (size_t i = 0; i < 2; i++) {
        clear();
        document = orr_document_load("d/s.yaml", overrides, i, &problems);
        for (int twice = 0; twice < 2; twice++)
            ck_assert(orr_schema_check(table, ROWS, document, orr_document_root(document), &problems));
        ck_assert_str_eq(orr_text(root(), "trace"), expected[i]);
    }
    ck_assert(check_text("name: x\ntrace: /abs/t.csv\n"));
    ck_assert_str_eq(orr_text(root(), "trace"), "/abs/t.csv");
    temporary_leave();
}
END_TEST

START_TEST(a_resolved_tree_read_back_is_equal_and_correct)
{
    ck_assert(check_text("name: \"a: b\"\nparams: {n: 7}\nseed: ${n}\nclients: [{rate: 5 per day}]\n"));
    char *once = orr_document_text(document);
    ck_assert(check_text(once));
    char *twice = orr_document_text(document);
    ck_assert_str_eq(once, twice);
    ck_assert_int_eq(orr_integer(root(), "seed"), 7);
    free(once);
    free(twice);
}
END_TEST

START_TEST(a_wrong_default_in_the_table_is_told)
{
    static const orr_key wrong[] = {{"a", T(TIME), "s", "5", NULL, "wrong"}, {"b", T(LIST), "", "[1", NULL, "wrong"}};
    document = orr_document_parse("s.yaml", "{}", 2, NULL, 0, &problems);
    ck_assert(!orr_schema_check(wrong, 2, document, orr_document_root(document), &problems));
    ck_assert_uint_eq(problems.count, 2);
    ck_assert_str_eq(problems.text[0], "default of a: error: a: expected a time such as \"20 ms\" (ns, us, ms, s, min, h, d) or never, found \"5\"");
    ck_assert(strncmp(problems.text[1], "default of b: error: not valid YAML", 35) == 0);
}
END_TEST

START_TEST(the_reference_page_has_a_section_for_every_top_level_key)
{
    char *page = orr_schema_reference(table, ROWS, "Keys");
    ck_assert(strncmp(page, "# Keys\n\n## `name`\n\n| key | type | unit | default | range or choices | meaning |\n|---|---|---|---|---|---|\n"
                            "| `name` | text |  | required |  | what it is called |\n", 60) == 0);
    ck_assert_ptr_nonnull(strstr(page, "\n## `clients`\n"));
    ck_assert_ptr_nonnull(strstr(page, "| `clients[].policy` | choice |  | `fifo` | `fifo`, `shortest`, `fair` | order of service |\n"));
    ck_assert_ptr_nonnull(strstr(page, "| `network.bandwidth` | bit rate | bit/s | optional | `(0,inf)` | capacity |\n"));
    size_t rows = 0, sections = 0;
    for (const char *p = page; (p = strstr(p, "\n| `")) != NULL; p++)
        rows++;
    for (const char *p = page; (p = strstr(p, "\n## ")) != NULL; p++)
        sections++;
    ck_assert_uint_eq(rows, ROWS);
    ck_assert_uint_eq(sections, 12);
    free(page);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    static char text[30000];
    char       *p = text + sprintf(text, "name: x\nsed: 1\nhorizn: 2\ntrace: t.csv\nclients:\n");
    for (int i = 0; i < 40; i++)
        p += sprintf(p, "  - {rate: %d /s, weight: %d, polcy: fair}\n", i, i);
    for (long nth = 1;; nth++) {
        clear();
        document = orr_document_parse("d/s.yaml", text, strlen(text), NULL, 0, &problems);
        failing_malloc_arm(nth);
        bool  clean = orr_schema_check(table, ROWS, document, orr_document_root(document), &problems);
        char *page = orr_schema_reference(table, ROWS, "Keys"), *again = orr_document_text(document);
        bool  fired = failing_malloc_fired();
        ck_assert(!clean);
        ck_assert(fired == (page == NULL || again == NULL || problems.out_of_memory));
        free(page);
        free(again);
        if (!fired)
            break;
        ck_assert_int_lt(nth, 1000);
    }
    ck_assert_uint_eq(problems.count, 2 + 40 + 1 + 30); /* keys, keys of clients, a rate of 0, weights beyond 9 */
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, NULL, clear);
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, values_are_parsed_into_the_canonical_unit);
    tcase_add_test(promises, defaults_are_filled_in_everywhere);
    tcase_add_test(promises, all_mistakes_are_told_in_one_pass_at_their_places);
    tcase_add_test(promises, an_unknown_key_is_found_where_it_belongs_one_level_up_or_down);
    tcase_add_test(promises, ranges_are_enforced_at_open_and_closed_ends);
    tcase_add_test(promises, quotes_make_a_text_of_a_number);
    tcase_add_test(promises, a_value_from_an_override_is_told_as_the_override);
    tcase_add_test(promises, a_value_from_a_parameter_is_told_where_it_is_used_with_its_name);
    tcase_add_test(promises, nothing_is_said_twice_about_a_broken_value);
    tcase_add_test(promises, a_key_missing_with_an_unreadable_import_is_not_told);
    tcase_add_test(promises, a_file_is_taken_from_the_directory_of_the_file_that_names_it);
    tcase_add_test(promises, a_resolved_tree_read_back_is_equal_and_correct);
    tcase_add_test(promises, a_wrong_default_in_the_table_is_told);
    tcase_add_test(promises, the_reference_page_has_a_section_for_every_top_level_key);
    tcase_add_test(promises, every_failing_allocation_is_survived);
    return run_as_tap("schema", promises);
}
