/* The promises of page.h (what enters a page cannot break out of its place) and of resolved.h (which runs belong together). */
#include "trace/page.h"
#include "trace/resolved.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

static char *assembled(const char *page_template, const orr_page_parts *parts)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert(orr_page_assemble(out, page_template, parts));
    fclose(out);
    return text;
}

static void becomes(const char *page_template, const orr_page_parts *parts, const char *expected)
{
    char *text = assembled(page_template, parts);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(inserted_marks_are_left_alone)
{
    const orr_page_parts parts = {.title = "/*DATA*/", .style = "/*SCRIPT*/", .echarts = "/*STYLE*/", .land = "/*LAND*/", .data = "/*DATA*/", .script = "/*DATA*/"};
    becomes("a<!--TITLE-->b/*STYLE*/c/*ECHARTS*/d/*LAND*/e/*DATA*/f/*SCRIPT*/g", &parts, "a/*DATA*/b/*SCRIPT*/c/*STYLE*/d/*LAND*/e/*DATA*/f/*DATA*/g");
}
END_TEST

START_TEST(data_cannot_end_its_script)
{
    const orr_page_parts parts = {.title = "", .style = "", .echarts = "", .land = "", .data = "[\"</script><!--\", \"a<b\"]", .script = ""};
    becomes("<script>/*DATA*/</script>", &parts, "<script>[\"\\u003c/script>\\u003c!--\", \"a\\u003cb\"]</script>");
}
END_TEST

START_TEST(code_cannot_end_its_script)
{
    const orr_page_parts parts = {.title = "", .style = "", .echarts = "if (a < b) x = '</script>' + '</SCRIPT' + '</scrip'", .land = "", .data = "", .script = ""};
    becomes("/*ECHARTS*/", &parts, "if (a < b) x = '<\\/script>' + '<\\/SCRIPT' + '</scrip'");
}
END_TEST

START_TEST(titles_are_text)
{
    const orr_page_parts parts = {.title = "a & <b> \"c\"", .style = "", .echarts = "", .land = "", .data = "", .script = ""};
    becomes("<title><!--TITLE--></title>", &parts, "<title>a &amp; &lt;b&gt; &quot;c&quot;</title>");
}
END_TEST

START_TEST(a_page_is_not_written_over_a_run)
{
    orr_problems problems = {0};
    cJSON *data = cJSON_CreateObject();
    ck_assert_int_eq(orr_page_write("/nowhere/run.h5", data, &problems), ORR_BAD_INPUT);
    ck_assert_uint_eq(problems.count, 1);
    orr_problems_clear(&problems);
    cJSON_Delete(data);
}
END_TEST

START_TEST(seed_and_policy_may_differ)
{
    const char *a = "name: x\nseed: 1\nscale: 1\npolicy:\n  name: random\noutput:\n  bin: 1 h\n";
    ck_assert(orr_resolved_same(a, a, NULL));
    ck_assert(orr_resolved_same(a, "name: x\nseed: 2\nscale: 1\npolicy:\n  name: power_of_d\n  options:\n    d: 3\noutput:\n  bin: 1 h\n", NULL));
    ck_assert(orr_resolved_same(a, "name: x\nscale: 1\noutput:\n  bin: 1 h\npolicy:\n  name: nearest\nseed: 3\n", NULL));
    ck_assert(orr_resolved_same("", "seed: 3\n", NULL));
}
END_TEST

START_TEST(nothing_else_may)
{
    const char *a = "name: x\nseed: 1\nbrain:\n  seed: 4\npolicy:\n  name: random\n";
    orr_parting at;
    ck_assert(!orr_resolved_same(a, "name: x\nseed: 1\nbrain:\n  seed: 5\npolicy:\n  name: random\n", &at)); /* only the top-level part is left out */
    ck_assert_uint_eq(at.a_length, strlen("  seed: 4"));
    ck_assert_int_eq(strncmp(at.b, "  seed: 5", at.b_length), 0);
    ck_assert(!orr_resolved_same(a, "name: x\nseed: 1\nbrain:\n  seed: 4\npolicy:\n  name: random\nscale: 2\n", &at)); /* also what follows a part that is left out */
    ck_assert_uint_eq(at.a_length, 0);
    ck_assert_int_eq(strncmp(at.b, "scale: 2", at.b_length), 0);
    ck_assert(!orr_resolved_same("seeds: 1\n", "seeds: 2\n", NULL));
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, inserted_marks_are_left_alone);
    tcase_add_test(promises, data_cannot_end_its_script);
    tcase_add_test(promises, code_cannot_end_its_script);
    tcase_add_test(promises, titles_are_text);
    tcase_add_test(promises, a_page_is_not_written_over_a_run);
    tcase_add_test(promises, seed_and_policy_may_differ);
    tcase_add_test(promises, nothing_else_may);
    return run_as_tap("page", promises);
}
