/* The promises of turns.h and arrivals.h about what is drawn: first turns as ever, sessions and pauses of their mean, histories by hand, uniform lengths,
 * users who begin one after another. Usage: test_turns FOLDER, that of the catalogues. */
#include "clients/turns.h"
#include "base/time.h"
#include "clients/arrivals.h"
#include "support/temporary.h"

#include "support/tap.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *data;
static orr_problems problems;
static orr_world *world;

static void leave(void)
{
    orr_world_destroy(world);
    world = NULL;
    orr_problems_clear(&problems);
    temporary_leave();
}

/* A world with one class, described by `people`, and its first cohort. */
static const orr_cohort *load(const char *people)
{
    char text[2048];
    snprintf(text, sizeof text,
             "duration: 1 h\ncatalogues: {models: %s/models.csv, prices: %s/prices.csv, access: %s/access.csv}\nsites: [{id: a}, {id: b}, {id: c}]\nlinks: [{a: a, b: b, delay: 5 ms}, {a: b, b: c, delay: 5 ms}]\n"
             "services: [{name: job, kind: station, mean: 10 ms, model: qwen3-8b}, {name: bare, kind: station, mean: 10 ms}]\n"
             "pools: [{site: b, service: job, servers: 4}, {site: b, service: bare}]\nclients:\n  - {class: people, %s}\n",
             data, data, data, people);
    temporary_write_text("t.yaml", text);
    orr_world_destroy(world);
    world = orr_world_load("t.yaml", NULL, 0, &problems);
    ck_assert_msg(world != NULL, "%s", problems.count > 0 ? problems.text[0] : "out of memory");
    return &world->cohorts[0];
}

#define AT_A "where: [{site: a}]"
#define OPEN "service: job, population: 1000, rate: 1 /s, " AT_A

static orr_intention draw(const orr_cohort *k, uint32_t number, uint32_t turn, uint32_t history)
{
    orr_intention it;
    orr_arrivals_draw(world, k, &(orr_turn){.number = number, .client = number % 7, .turn = turn, .history = history}, &it);
    return it;
}

static bool same(const orr_intention *a, const orr_intention *b)
{
    return a->number == b->number && a->client == b->client && a->input == b->input && a->prefix == b->prefix && a->history == b->history && a->output == b->output &&
           a->access_normal == b->access_normal && a->patience_ns == b->patience_ns && a->sampled == b->sampled;
}

START_TEST(first_turns_are_drawn_as_requests_without_sessions)
{
#define VARIED ", patience: 3 s, access: wifi, input: {law: lognormal, mean: 300}, output: {law: lognormal, mean: 200}, prefix: 7"
    enum { REQUESTS = 50 };
    orr_intention plain[REQUESTS];
    int64_t at[REQUESTS], access[REQUESTS], pause[REQUESTS];
    uint64_t client[REQUESTS];
    for (int with = 0; with < 2; with++) {
        const orr_cohort *k = load(with ? OPEN VARIED ", session: {turns: 3, think: {mean: 5 s}}" : OPEN VARIED);
        orr_arrivals arrivals = {0};
        for (uint32_t i = 0; i < REQUESTS; i++) {
            orr_intention it = draw(k, i, 0, 0);
            int64_t now = orr_arrivals_next(&arrivals, world, k), way = orr_access_round_trip(world, k, i, 0, 1, it.access_normal), wait = orr_retry_pause(world, k, i, 0, 1);
            ck_assert(!with || (same(&it, &plain[i]) && now == at[i] && arrivals.client == client[i] && way == access[i] && wait == pause[i]));
            plain[i] = it, at[i] = now, client[i] = arrivals.client, access[i] = way, pause[i] = wait;
        }
    }
    uint32_t repeated = 0;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        orr_intention it = draw(&world->cohorts[0], i, 1, 0), other = draw(&world->cohorts[0], i, 2, 0);
        ck_assert(it.client == plain[i].client && it.access_normal == plain[i].access_normal); /* the same client … */
        repeated += it.input == plain[i].input || other.input == it.input || it.patience_ns == plain[i].patience_ns;
        repeated += orr_access_round_trip(world, &world->cohorts[0], i, 1, 1, it.access_normal) == access[i] || orr_retry_pause(world, &world->cohorts[0], i, 1, 1) == pause[i];
    }
    ck_assert_uint_le(repeated, 4); /* … who says something else */
}
END_TEST

START_TEST(sessions_have_a_geometric_number_of_turns)
{
    enum { SESSIONS = 40000 };
    static const char *const means[] = {"1", "1.5", "4", "100"};
    for (int m = 0; m < 4; m++) {
        char text[256];
        snprintf(text, sizeof text, OPEN ", session: {turns: %s}", means[m]);
        const orr_cohort *k = load(text);
        double mean = world->classes[0].turns, sum = 0, ones = 0;
        for (uint32_t i = 0; i < SESSIONS; i++) {
            uint32_t turns = orr_session_turns(world, k, i);
            ck_assert_uint_ge(turns, 1);
            sum += turns;
            ones += turns == 1;
        }
        double error = sqrt(mean * (mean - 1) / SESSIONS), share = 1 / mean; /* standard error of a geometric mean */
        ck_assert_double_eq_tol(sum / SESSIONS, mean, 4 * error + 1e-12);
        ck_assert_double_eq_tol(ones / SESSIONS, share, 4 * sqrt(share * (1 - share) / SESSIONS) + 1e-12);
    }
}
END_TEST

START_TEST(pauses_have_their_law_and_mean)
{
    const orr_cohort *k = load("service: job, users: 5, think: {mean: 40 ms}, " AT_A);
    ck_assert_int_eq(orr_think_time(world, k, 3, 1), 40 * ORR_MILLISECOND);
    ck_assert_int_eq(orr_think_time(world, load("service: job, users: 5, " AT_A), 3, 1), 0);
    for (int session = 0; session < 2; session++) {
        k = load(session ? OPEN ", session: {turns: 2, think: {mean: 2 s, law: exponential}}" : "service: job, users: 5, think: {mean: 2 s, law: exponential}, " AT_A);
        double sum = 0, longer = 0;
        for (uint32_t i = 0; i < 200; i++)
            for (uint32_t turn = 1; turn <= 200; turn++) {
                double s = (double)orr_think_time(world, k, i, turn) / (double)ORR_SECOND;
                sum += s / 40000;
                longer += (s > 2) / 40000.0;
            }
        ck_assert_double_eq_tol(sum, 2, 4 * 2 / 200.0);
        ck_assert_double_eq_tol(longer, exp(-1), 4 * 0.4822 / 200);
    }
}
END_TEST

START_TEST(a_prompt_is_prefix_and_history_and_something_new_until_the_context_is_full)
{
    const orr_cohort *k = load(OPEN ", prefix: 100, input: {mean: 10k}, output: {mean: 3k}, session: {turns: 9}");
    ck_assert_uint_eq(world->classes[0].context, 40960);
    /* 13,000 more each turn: 10,100 + 3,000, 23,100 + 3,000, 36,100 + 3,000, and 49,100 would be too long */
    static const uint32_t input[] = {10100, 23100, 36100, 10100}, history[] = {0, 13000, 26000, 0};
    for (uint32_t turn = 0, said = 0; turn < 4; turn++) {
        orr_intention it = draw(k, 0, turn, said);
        ck_assert_uint_eq(it.input, input[turn]);
        ck_assert_uint_eq(it.history, history[turn]);
        ck_assert_uint_eq(it.prefix, 100);
        said = it.input - it.prefix + it.output;
    }
    ck_assert_uint_eq(draw(k, 0, 1, 40960 - 13100).history, 40960 - 13100); /* fits to the last token */
    ck_assert_uint_eq(draw(k, 0, 1, 40960 - 13099).history, 0);
    load("service: bare, rate: 1 /s, session: {turns: 2}, " AT_A);
    ck_assert_uint_eq(world->classes[0].context, 10000000);
}
END_TEST

START_TEST(a_history_that_is_dropped_keeps_its_name_and_the_new_one_has_another)
{
    const orr_cohort *k = load(OPEN ", input: {mean: 10k}, output: {mean: 3k}, session: {turns: 9}");
    static const uint32_t since[] = {0, 0, 0, 3, 3, 3, 6, 6}; /* three times 13,000 are in the context of 40,960 tokens */
    orr_turn turn = {.number = 5};
    for (; turn.turn < 8; turn.turn++) {
        orr_intention it;
        orr_arrivals_draw(world, k, &turn, &it);
        ck_assert_uint_eq(it.since, since[turn.turn]);
        ck_assert_uint_eq(it.history, 13000 * (turn.turn - it.since));
        turn.since = it.since;
        turn.history = it.input + it.output;
    }
    uint64_t name = orr_session_history(world, k, 5, 0);
    ck_assert(name != 0 && name == orr_entity_part(k->entity, 5)); /* as the session itself */
    ck_assert(orr_session_history(world, k, 5, 3) != name && orr_session_history(world, k, 5, 6) != orr_session_history(world, k, 5, 3));
    ck_assert(orr_session_history(world, k, 6, 0) != name);
    k = load(OPEN ", session: {turns: 9, history: false}");
    ck_assert_uint_eq(orr_session_history(world, k, 5, 0), 0);
    k = load(OPEN);
    ck_assert_uint_eq(orr_session_history(world, k, 5, 0), 0);
}
END_TEST

START_TEST(uniform_lengths_are_equally_likely_from_low_to_high)
{
    const orr_cohort *k = load(OPEN ", input: {law: uniform, low: 800, high: 809}, output: {law: uniform, low: 7, high: 7}");
    uint32_t count[10] = {0};
    for (uint32_t i = 0; i < 40000; i++) {
        orr_intention it = draw(k, i, 0, 0);
        ck_assert(it.input >= 800 && it.input <= 809 && it.output == 7);
        count[it.input - 800]++;
    }
    for (int i = 0; i < 10; i++)
        ck_assert_double_eq_tol(count[i], 4000, 4 * 60); /* four standard deviations of a binomial count */
    ck_assert_double_eq_tol(world->classes[0].input.mean, 804.5, 1e-9);
    ck_assert_uint_eq(world->classes[0].input.most, 809);
}
END_TEST

START_TEST(users_begin_evenly_in_the_ramp_and_each_is_a_client)
{
    const orr_cohort *k = load("service: job, users: 4, ramp: 10 s, " AT_A);
    orr_arrivals arrivals = {0};
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(orr_arrivals_next(&arrivals, world, k), (int64_t)i * 2500 * ORR_MILLISECOND);
        ck_assert_uint_eq(arrivals.client, i);
    }
    ck_assert_int_eq(orr_arrivals_next(&arrivals, world, k), ORR_NEVER);
    k = load("service: job, users: 4, " AT_A);
    arrivals = (orr_arrivals){0};
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(orr_arrivals_next(&arrivals, world, k), 0);
}
END_TEST

START_TEST(users_are_shared_out_whole_and_none_is_lost)
{
    load("service: job, users: 10, where: [{site: a, share: 0.25}, {site: b, share: 0.5}, {site: c, share: 0.25}]");
    ck_assert_uint_eq(world->cohort_count, 3);
    ck_assert_uint_eq(world->cohorts[0].clients + world->cohorts[1].clients + world->cohorts[2].clients, 10);
    ck_assert_uint_eq(world->cohorts[1].clients, 6); /* 2.5 and 7.5 become 2 and 8 */
    load("service: job, users: 1, where: [{site: a, share: 0.3}, {site: b, share: 0.3}, {site: c, share: 0.4}]");
    ck_assert_uint_eq(world->cohort_count, 1);
    ck_assert_uint_eq(world->cohorts[0].clients, 1);
    static const char *const tripled[] = {"scale=3"};
    orr_world_destroy(world);
    world = orr_world_load("t.yaml", tripled, 1, &problems);
    uint64_t users = 0;
    for (uint32_t i = 0; i < world->cohort_count; i++)
        users += world->cohorts[i].clients;
    ck_assert_uint_eq(users, 3);
}
END_TEST

START_TEST(load_counts_all_turns)
{
    double rate = load("service: job, population: 10, load: 0.5, " AT_A)->rate_per_ns;
    ck_assert_double_eq_tol(load("service: job, population: 10, load: 0.5, session: {turns: 4}, " AT_A)->rate_per_ns, rate / 4, rate * 1e-12);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2)
        return 99;
    data = argv[1];
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, temporary_enter, leave);
    tcase_set_timeout(promises, 60);
    tcase_add_test(promises, first_turns_are_drawn_as_requests_without_sessions);
    tcase_add_test(promises, sessions_have_a_geometric_number_of_turns);
    tcase_add_test(promises, pauses_have_their_law_and_mean);
    tcase_add_test(promises, a_prompt_is_prefix_and_history_and_something_new_until_the_context_is_full);
    tcase_add_test(promises, a_history_that_is_dropped_keeps_its_name_and_the_new_one_has_another);
    tcase_add_test(promises, uniform_lengths_are_equally_likely_from_low_to_high);
    tcase_add_test(promises, users_begin_evenly_in_the_ramp_and_each_is_a_client);
    tcase_add_test(promises, users_are_shared_out_whole_and_none_is_lost);
    tcase_add_test(promises, load_counts_all_turns);
    return run_as_tap("turns", promises);
}
