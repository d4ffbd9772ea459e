/* The promises of the study room, one test each: how a study is read, what its runs are called, and what its book remembers. */
#include "study/campaign.h"

#include "base/random.h"
#include "support/tap.h"
#include "support/temporary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char scenario[] = "name: Small\n"
                               "params:\n"
                               "  load: {default: 0.5, unit: \"1\", text: offered load}\n"
                               "  age: 1\n"
                               "duration: 100 s\n"
                               "catalogues: {prices: prices.csv}\n"
                               "sites: [{id: a}]\n"
                               "services: [{name: job, kind: station, mean: 1 s}]\n"
                               "pools: [{site: a, service: job, replicas: 3}]\n"
                               "clients: [{class: c, service: job, load: \"${load}\", where: [{site: a}]}]\n"
                               "brain: {telemetry: {period: \"${age} s\"}}\n"
                               "policy: {name: random}\n"
                               "output: {bin: 10 s, latency_bin: 10 s}\n";
static const char prices[] = "model,days,from,to,cached_input_yuan_per_m,input_yuan_per_m,output_yuan_per_m,source,as_of,confidence,range\n";

static orr_problems problems;

static void enter(void)
{
    temporary_enter();
    temporary_write_text("small.yaml", scenario);
    temporary_write_text("prices.csv", prices);
    problems = (orr_problems){0};
}

static void leave(void)
{
    orr_problems_clear(&problems);
    temporary_leave();
}

static orr_study *load(const char *rest)
{
    char text[4096];
    snprintf(text, sizeof text, "name: s\nscenario: small.yaml\n%s", rest);
    temporary_write_text("study.yaml", text);
    return orr_study_load("study.yaml", NULL, 0, &problems);
}

static orr_study *good(const char *rest)
{
    orr_study *s = load(rest);
    ck_assert_msg(s != NULL, "%s", problems.count > 0 ? problems.text[0] : "nothing was said");
    return s;
}

static void refused(const char *rest, const char *where, const char *words)
{
    orr_study *s = load(rest);
    orr_plan_of_study plan;
    if (s != NULL)
        ck_assert(!orr_plan_study(&plan, s, &problems));
    ck_assert_uint_gt(problems.count, 0);
    bool found = false;
    for (size_t i = 0; i < problems.count; i++)
        found = found || (strncmp(problems.text[i], where, strlen(where)) == 0 && strstr(problems.text[i], words) != NULL);
    ck_assert_msg(found, "expected `%s … %s`, found `%s`", where, words, problems.text[0]);
    orr_problems_clear(&problems);
    orr_study_destroy(s);
}

START_TEST(lists_ranges_and_linked_keys_are_axes)
{
    orr_study *s = good("set:\n  duration: 1 min\n  params.load: [0.5, 0.7]\n  params.age: {from: 1, to: 100, count: 3, law: log}\n"
                        "linked: [{pools.0.replicas: [2, 3], output.bin: [5 s, 10 s]}]\npolicies: [random, {name: power_of_d, label: d3, options: {d: 3}}]\nseeds: {from: 5, count: 2}\n");
    ck_assert_uint_eq(s->axis_count, 3);
    ck_assert_uint_eq(s->fixed_count, 1);
    ck_assert_str_eq(s->fixed[0], "duration=1 min");
    ck_assert_str_eq(s->axes[0].title, "offered load");
    ck_assert_str_eq(s->axes[1].values[1].text, "10");
    ck_assert_double_eq_tol(s->axes[1].values[2].number, 100, 1e-9);
    ck_assert_str_eq(s->axes[2].name, "replicas+bin");
    ck_assert_str_eq(s->axes[2].values[1].overrides[1], "output.bin=10 s");
    ck_assert_uint_eq(orr_study_cells(s), 12);
    ck_assert_str_eq(s->policies[1].label, "d3");
    ck_assert_uint_eq(s->seeds[1], 6);
    char *words = orr_study_cell_text(s, 11);
    ck_assert_str_eq(words, "load 0.7, age 100, replicas+bin 3, 10 s");
    free(words);
    orr_study_destroy(s);
}
END_TEST

START_TEST(a_place_may_name_linked_keys)
{
    orr_study *s = good("linked: [{params.load: [0.5, 0.5, 0.7], params.age: [1, 2, 2]}]\nfocus: {params.load: 0.5, params.age: 2}\nanchors: [{metric: m, where: {params.load: 0.7}, most: 1}]\n");
    ck_assert_uint_eq(s->focus[0], 1);
    ck_assert_uint_eq(s->anchors[0].index[0], 2);
    orr_study_destroy(s);
    refused("linked: [{params.load: [0.5, 0.7], params.age: [1, 2]}]\nfocus: {params.load: 0.5, params.age: 2}\n", "study.yaml:4:22", "not on the axis");
}
END_TEST

START_TEST(units_are_kept_and_numbers_are_in_base_units)
{
    orr_study *s = good("set:\n  duration: {from: 1 min, to: 3 min, step: 1 min}\n");
    ck_assert_uint_eq(s->axes[0].count, 3);
    ck_assert_str_eq(s->axes[0].values[2].overrides[0], "duration=3 min");
    ck_assert_str_eq(s->axes[0].unit, "s");
    ck_assert_double_eq_tol(s->axes[0].values[2].number, 180, 1e-9);
    orr_study_destroy(s);
}
END_TEST

START_TEST(every_mistake_is_shown_at_its_place)
{
    refused("polices: [random]\n", "study.yaml:3:1", "policies");
    refused("set: {params.load: [0.5, 0.5]}\n", "study.yaml:3:26", "twice");
    refused("set: {params.load: []}\n", "study.yaml:3:20", "at least");
    refused("set: {params.load: {from: 0.5, too: 0.9, count: 2}}\n", "study.yaml:3:32", "did you mean `to`");
    refused("set: {params.load: {from: 0.5, to: 0.9}}\n", "study.yaml:3:20", "count");
    refused("set: {params.load: {from: 1 s, to: 2 min, count: 3}}\n", "study.yaml:3:20", "same unit");
    refused("set: {params.lod: [0.5, 0.6]}\n", "study.yaml:3:20", "load");
    refused("set: {params.load: [0.5, many]}\n", "study.yaml:3:26", "load");
    refused("set: {duration: 10 mins}\n", "study.yaml:3:17", "expected a time");
    refused("set: {policy.name: [random, nearest]}\n", "study.yaml:3:7", "policies");
    refused("linked: [{params.load: [0.5, 0.6], params.age: [1]}]\n", "study.yaml:3:36", "same length");
    refused("policies: [random, {name: random}]\n", "study.yaml:3:20", "label");
    refused("policies: [randon]\n", "study.yaml:3:12", "random");
    refused("policies: [random]\ncompare: {baseline: randm}\n", "study.yaml:4:21", "did you mean `random`");
    refused("set: {params.load: [0.5, 0.6]}\nfocus: {params.lod: 0.5}\n", "study.yaml:4:9", "params.load");
    refused("set: {params.load: [0.5, 0.6]}\nfocus: {load: 0.7}\n", "study.yaml:4:15", "not on the axis");
    refused("seeds: [1, 2, 1]\n", "study.yaml:3:15", "twice");
    refused("seeds: 0\n", "study.yaml:3:8", "whole number");
    refused("anchors: [{metric: latency.e2e.mean}]\n", "study.yaml:3:11", "least or most");
    refused("anchors: [{metric: latency.e2e.mean, least: 5, most: 2}]\n", "study.yaml:3:45", "no more than most");
    refused("statistics: {precision: {metric: latency.e2e.mean, relative: 0.1, most: 4}}\n", "study.yaml:3:73", "10");
    refused("statistics: {select: {metric: utilisation.accelerators, indifference: 0.1}}\n", "study.yaml:3:31", "neither lower nor higher");
    refused("seeds: 3\nstatistics: {method: batch_means}\n", "study.yaml:4:22", "3 seeds");
}
END_TEST

static void plan_of(orr_plan_of_study *plan, const orr_study *s) { ck_assert_msg(orr_plan_study(plan, s, &problems), "%s", problems.count > 0 ? problems.text[0] : ""); }

/* All addresses of a study, each ending with a newline; malloced. */
static char *addresses(const char *rest)
{
    orr_study *s = good(rest);
    orr_plan_of_study plan;
    plan_of(&plan, s);
    char *text = calloc(plan.run_count + 1, ORR_ADDRESS_BYTES + 1);
    for (size_t i = 0; i < plan.run_count; i++)
        sprintf(text + strlen(text), "%s\n", plan.runs[i].address);
    orr_plan_clear(&plan);
    orr_study_destroy(s);
    return text;
}

static size_t lines_in_common(const char *a, const char *b)
{
    size_t common = 0;
    for (const char *line = a; *line != 0; line += ORR_ADDRESS_BYTES) {
        char one[ORR_ADDRESS_BYTES + 1] = "";
        memcpy(one, line, ORR_ADDRESS_BYTES);
        common += strstr(b, one) != NULL;
    }
    return common;
}

START_TEST(a_changed_axis_makes_new_only_what_is_new)
{
    char *before = addresses("set: {params.load: [0.5, 0.6]}\npolicies: [random, nearest]\nseeds: 3\n");
    char *after = addresses("set: {params.load: [0.4, 0.5, 0.6]}\npolicies: [nearest, random]\nseeds: 4\n");
    char *fixed = addresses("set: {params.load: 0.5}\npolicies: [random]\nseeds: 3\n"); /* no axis any more: the same scenario */
    ck_assert_uint_eq(strlen(before), 12 * ORR_ADDRESS_BYTES);
    ck_assert_uint_eq(lines_in_common(before, after), 12);
    ck_assert_uint_eq(lines_in_common(fixed, before), 3);
    for (const char *line = before; *line != 0; line += ORR_ADDRESS_BYTES) { /* and no two runs share one */
        char one[ORR_ADDRESS_BYTES + 1] = "";
        memcpy(one, line, ORR_ADDRESS_BYTES);
        ck_assert(strstr(line + 1, one) == NULL);
    }
    free(before);
    free(after);
    free(fixed);
}
END_TEST

START_TEST(what_a_result_depends_on_changes_the_address_and_nothing_else_does)
{
    const char *study = "policies: [random]\nseeds: 1\n";
    char *first = addresses(study), text[2048];
    snprintf(text, sizeof text, "# a comment\n%s", scenario);
    temporary_write_text("small.yaml", text);
    char *commented = addresses(study);
    ck_assert_str_eq(first, commented);
    snprintf(text, sizeof text, "%snetwork: {hop_delay: 1 ms}\n", scenario);
    temporary_write_text("small.yaml", text);
    char *changed = addresses(study);
    ck_assert_str_ne(first, changed);
    temporary_write_text("small.yaml", scenario);
    snprintf(text, sizeof text, "# another edition\n%s", prices);
    temporary_write_text("prices.csv", text);
    char *catalogue = addresses(study);
    ck_assert_str_ne(first, catalogue);
    char *options = addresses("policies: [{name: power_of_d, label: random}]\n"), *other = addresses("policies: [{name: power_of_d, label: random, options: {d: 3}}]\n");
    ck_assert_str_ne(options, other);
    char *const owned[] = {first, commented, changed, catalogue, options, other};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}
END_TEST

START_TEST(a_varied_document_is_the_one_that_is_loaded)
{
    static const char *const sets[][2] = {{"params.load=0.9", "duration=3 s"}, {"pools.0.replicas=7", "params.age=2"}, {"policy={name: nearest, options: {spill: 2}}", "output.sample=1"}};
    orr_document *base = orr_document_read("small.yaml", &problems);
    ck_assert_ptr_nonnull(base);
    for (int i = 0; i < 3; i++) {
        orr_document *varied = orr_document_vary(base, sets[i], 2, &problems), *loaded = orr_document_load("small.yaml", sets[i], 2, &problems);
        char *a = orr_document_text(varied), *b = orr_document_text(loaded);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        orr_document_destroy(varied);
        orr_document_destroy(loaded);
    }
    const char *wrong = "params.lod=1";
    orr_document *varied = orr_document_vary(base, &wrong, 1, &problems);
    ck_assert_uint_eq(problems.count, 1);
    orr_document_destroy(varied);
    orr_document_destroy(base);
}
END_TEST

START_TEST(a_value_can_stand_behind_set)
{
    static const char *const values[] = {"10 s", "\"10\"", "[1, two, {a: b}]", "\"a: b # c\"", "{d: 3}", "\"\"", "\"x\\ny\"", "~"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[128];
        snprintf(text, sizeof text, "v: %s\n", values[i]);
        orr_document *one = orr_document_parse("one", text, strlen(text), NULL, 0, &problems);
        char *flow = orr_node_text(orr_node_get(orr_document_root(one), "v")), *override;
        ck_assert_int_ge(asprintf(&override, "v=%s", flow), 0);
        orr_document *other = orr_document_parse("other", "v: 1\n", 5, (const char *const *)&override, 1, &problems);
        char *a = orr_document_text(one), *b = orr_document_text(other);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        free(flow);
        free(override);
        orr_document_destroy(one);
        orr_document_destroy(other);
    }
    ck_assert(!orr_problems_any(&problems));
}
END_TEST

START_TEST(orders_survive_the_way_to_another_process)
{
    static const char *const overrides[] = {"params.load=0.5", "policy.label=\"a \\\"b\\\"\""};
    orr_orders orders = {.scenario = strdup("small.yaml")}, back = {0};
    for (uint32_t g = 0; g < 2; g++) {
        ck_assert_uint_eq(orr_orders_add_group(&orders, overrides, 1 + g), g);
        for (int i = 0; i < 3; i++) {
            orr_order order = {.group = g, .seed = UINT64_MAX - (uint64_t)i, .expected_s = 1.5};
            snprintf(order.address, sizeof order.address, "%032x", 10 * g + (uint32_t)i);
            ck_assert(orr_orders_add(&orders, &order));
        }
    }
    cJSON *json = orr_orders_to_json(&orders, 1, 5);
    ck_assert(orr_orders_from_json(&back, json));
    ck_assert_uint_eq(back.count, 4);
    ck_assert_uint_eq(back.group_count, 2);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(back.orders[i].address, orders.orders[i + 1].address);
        ck_assert(back.orders[i].seed == orders.orders[i + 1].seed);
        ck_assert_str_eq(back.groups[back.orders[i].group].overrides[back.orders[i].group], overrides[back.orders[i].group]);
    }
    cJSON_Delete(json);
    orr_orders_clear(&orders);
    orr_orders_clear(&back);
}
END_TEST

START_TEST(the_book_keeps_what_is_no_longer_planned)
{
    orr_study *two = good("set: {params.load: [0.5, 0.6]}\npolicies: [random]\n");
    orr_plan_of_study plan;
    plan_of(&plan, two);
    orr_manifest *book = orr_manifest_open(".", true, &problems);
    ck_assert_ptr_nonnull(book);
    ck_assert_int_eq(orr_manifest_plan(book, &plan, "small.yaml", &problems), ORR_OK);
    cJSON *record = cJSON_Parse("{\"wall_s\": 2.5, \"bytes\": 100, \"summary\": {\"seed\": 1}, \"messages\": []}");
    ck_assert_int_eq(orr_manifest_end(book, plan.runs[1].address, 0, record, &problems), ORR_OK);
    ck_assert_int_eq(orr_manifest_end(book, plan.runs[0].address, 137, NULL, &problems), ORR_OK);
    orr_study *one = good("set: {params.load: [0.5]}\npolicies: [random]\n");
    orr_plan_of_study smaller;
    plan_of(&smaller, one);
    orr_manifest_totals totals;
    orr_manifest_row row;
    ck_assert_int_eq(orr_manifest_plan(book, &smaller, "small.yaml", &problems), ORR_OK);
    ck_assert(orr_manifest_totals_of(book, &totals));
    ck_assert_uint_eq(totals.planned, 1);
    ck_assert_uint_eq(totals.state[ORR_RUN_FAILED], 1);
    ck_assert_int_eq(orr_manifest_plan(book, &plan, "small.yaml", &problems), ORR_OK);
    ck_assert(orr_manifest_get(book, plan.runs[1].address, &row));
    ck_assert_int_eq(row.state, ORR_RUN_DONE);
    ck_assert_double_eq_tol(row.wall_s, 2.5, 1e-12);
    ck_assert_str_eq(row.summary, "{\"seed\":1}");
    ck_assert(orr_manifest_get(book, plan.runs[0].address, &row));
    ck_assert_ptr_nonnull(strstr(row.message, "signal 9"));
    cJSON_Delete(record);
    orr_manifest_close(book);
    orr_plan_clear(&plan);
    orr_plan_clear(&smaller);
    orr_study_destroy(one);
    orr_study_destroy(two);
}
END_TEST

START_TEST(a_world_given_another_seed_is_the_one_loaded_with_it)
{
    const char *overrides[] = {"seed=9"};
    orr_world *other = orr_world_load("small.yaml", overrides, 1, &problems), *world = orr_world_load("small.yaml", NULL, 0, &problems);
    ck_assert_msg(world != NULL && other != NULL, "%s", problems.count > 0 ? problems.text[0] : "");
    ck_assert_int_eq(orr_world_reseed(world, 9), ORR_OK);
    ck_assert_str_eq(world->text, other->text);
    ck_assert_uint_eq(world->scenario_hash, other->scenario_hash);
    ck_assert_uint_eq(world->seed, 9);
    orr_world_destroy(world);
    orr_world_destroy(other);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("study");
    tcase_add_checked_fixture(promises, enter, leave);
    tcase_add_test(promises, lists_ranges_and_linked_keys_are_axes);
    tcase_add_test(promises, a_place_may_name_linked_keys);
    tcase_add_test(promises, units_are_kept_and_numbers_are_in_base_units);
    tcase_add_test(promises, every_mistake_is_shown_at_its_place);
    tcase_add_test(promises, a_changed_axis_makes_new_only_what_is_new);
    tcase_add_test(promises, what_a_result_depends_on_changes_the_address_and_nothing_else_does);
    tcase_add_test(promises, a_varied_document_is_the_one_that_is_loaded);
    tcase_add_test(promises, a_value_can_stand_behind_set);
    tcase_add_test(promises, orders_survive_the_way_to_another_process);
    tcase_add_test(promises, the_book_keeps_what_is_no_longer_planned);
    tcase_add_test(promises, a_world_given_another_seed_is_the_one_loaded_with_it);
    return run_as_tap("study", promises);
}
