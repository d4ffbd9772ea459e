/* Promises about a whole grid: its state can be carried into another process, its audit notices, and it survives want of memory. */
#include "grid/audit.h"
#include "support/failing_malloc.h"
#include "trace/run.h"
#include "trace/summary.h"
#include "base/random.h"
#include "base/time.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program, *scenario;

/* Also used in the other process, where Check is not running. */
static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "test_grid: %s\n", what);
        exit(98);
    }
}

static orr_world *load(void)
{
    orr_problems problems = {0};
    orr_world *world = orr_world_load(scenario, NULL, 0, &problems);
    must(world != NULL, problems.count > 0 ? problems.text[0] : "out of memory");
    return world;
}

static void create(orr_grid *grid, const orr_world *world, uint32_t lanes, bool to_resume)
{
    orr_problems problems = {0};
    orr_grid_options options = {.lanes = lanes, .shuffle = lanes > 1 ? 77 : 0, .resume = to_resume};
    must(orr_grid_create(grid, world, &options, &problems) == ORR_OK, "the grid is built");
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    must(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "a file is written");
}

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    must(f != NULL && fseek(f, 0, SEEK_END) == 0, "a file is opened");
    *size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*size + 1);
    must(bytes != NULL && fread(bytes, 1, *size, f) == *size, "a file is read");
    fclose(f);
    return bytes;
}

/* Runs to the end and leaves the whole final state, as bytes, in `path`. */
static void finish_into(orr_grid *grid, const char *path)
{
    orr_archive archive;
    orr_audit audit;
    must(orr_engine_run(grid->engine, grid->world->duration_ns, NULL) == ORR_OK, "the grid runs");
    for (uint32_t s = 0; s < grid->world->used_count; s++)
        if (orr_site_has_pools(grid, &grid->sites[s]))
            orr_server_account(grid, &grid->sites[s], grid->world->duration_ns);
    orr_audit_run(&audit, grid, grid->world->duration_ns);
    must(audit.failed == 0, "the audit holds");
    orr_archive_save(&archive);
    orr_grid_archive(grid, &archive);
    must(archive.status == ORR_OK, "the state is saved or loaded");
    write_file(path, archive.bytes.items, archive.bytes.count);
    orr_archive_destroy(&archive);
}

/* The other process: a state from a file, run to its end. */
static int resume(const char *state, const char *result, uint32_t lanes)
{
    size_t size;
    char *bytes = read_file(state, &size);
    orr_world *world = load();
    orr_grid grid;
    orr_archive archive;
    create(&grid, world, lanes, true);
    orr_archive_load(&archive, bytes, size);
    orr_grid_archive(&grid, &archive);
    must(archive.status == ORR_OK, "the state is saved or loaded");
    finish_into(&grid, result);
    orr_grid_destroy(&grid);
    orr_world_destroy(world);
    free(bytes);
    return 0;
}

START_TEST(a_state_saved_at_a_random_moment_ends_alike_in_a_fresh_process_with_any_partitions)
{
    char folder[] = "grid-XXXXXX", straight[64], state[64], resumed[64], command[1024];
    ck_assert(mkdtemp(folder) != NULL);
    snprintf(straight, sizeof straight, "%s/straight", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(resumed, sizeof resumed, "%s/resumed", folder);
    orr_world *world = load();
    orr_grid grid;
    create(&grid, world, 1, false);
    finish_into(&grid, straight);
    orr_grid_destroy(&grid);
    size_t size, other_size;
    char *bytes = read_file(straight, &size);
    for (uint32_t k = 0; k < 6; k++) {
        orr_archive archive;
        int64_t at = (int64_t)orr_random_below(orr_random_bits(9, ORR_STREAM_TEST, k, 0, 0).low, (uint64_t)world->duration_ns);
        create(&grid, world, 1 + k % 3, false);
        ck_assert_int_eq(orr_engine_run(grid.engine, at, NULL), ORR_OK);
        orr_archive_save(&archive);
        orr_grid_archive(&grid, &archive);
        write_file(state, archive.bytes.items, archive.bytes.count);
        orr_archive_destroy(&archive);
        orr_grid_destroy(&grid);
        snprintf(command, sizeof command, "'%s' '%s' resume '%s' '%s' %u", program, scenario, state, resumed, 1 + (k + 1) % 3);
        ck_assert_int_eq(system(command), 0);
        char *other = read_file(resumed, &other_size);
        ck_assert_uint_eq(size, other_size);
        ck_assert_mem_eq(bytes, other, size);
        free(other);
    }
    free(bytes);
    orr_world_destroy(world);
    unlink(straight);
    unlink(state);
    unlink(resumed);
    rmdir(folder);
}
END_TEST

START_TEST(a_truncated_state_is_refused)
{
    orr_world *world = load();
    orr_grid grid;
    orr_archive saved, loaded;
    create(&grid, world, 1, false);
    ck_assert_int_eq(orr_engine_run(grid.engine, ORR_MINUTE, NULL), ORR_OK);
    orr_archive_save(&saved);
    orr_grid_archive(&grid, &saved);
    orr_grid_destroy(&grid);
    for (uint32_t cut = 0; cut < saved.bytes.count; cut += 1 + saved.bytes.count / 60) {
        create(&grid, world, 1, true);
        orr_archive_load(&loaded, saved.bytes.items, cut);
        orr_grid_archive(&grid, &loaded);
        ck_assert_int_eq(loaded.status, ORR_BAD_INPUT);
        orr_grid_destroy(&grid);
    }
    orr_archive_destroy(&saved);
    orr_world_destroy(world);
}
END_TEST

/* Each way to break one counter by one. */
static void break_counter(orr_grid *g, int which)
{
    orr_site *ingress = &g->sites[g->world->ingress_sites[0]], *server = NULL;
    for (uint32_t s = 0; s < g->world->used_count && server == NULL; s++)
        if (g->sites[s].llms.count > 0)
            server = &g->sites[s];
    orr_cohort_counts *c = &((orr_cohort_state *)orr_array_at(&ingress->cohorts, 0))->counts;
    orr_pool_counts *p = &((orr_pool_state *)orr_array_at(&server->pools, 0))->counts;
    orr_llm *l = orr_array_at(&server->llms, 0);
    switch (which) {
    case 0: c->ended[ORR_SERVED]++; break;
    case 1: c->offered++; break;
    case 2: c->attempts--; break;
    case 3: p->tokens[ORR_OUTPUT]++; break;
    case 4: c->tokens[ORR_INPUT]--; break;
    case 5: c->cost++; break;
    case 6: p->cost--; break;
    case 7: l->produced++; break;
    case 8: l->prefilled--; break;
    case 9: p->present_time++; break;
    case 10: l->prompt_blocks++; break;
    case 11: ingress->bytes_sent++; break;
    case 12: server->bytes_given--; break;
    case 13: server->violations++; break;
    case 14: ingress->in_flight++; break;
    case 15: p->arrived++; break;
    default: ck_abort();
    }
}

START_TEST(a_broken_counter_fails_the_audit_and_the_run)
{
    char folder[] = "audit-XXXXXX", output[64];
    orr_world *world = load();
    orr_grid grid;
    orr_run_result result;
    orr_run_options options = {0};
    orr_problems problems = {0};
    ck_assert(mkdtemp(folder) != NULL);
    snprintf(output, sizeof output, "%s/broken.h5", folder);
    for (int which = 0; which < 16; which++) {
        orr_recorder *recorder;
        create(&grid, world, 1, false);
        ck_assert_int_eq(orr_recorder_open(&recorder, output, &grid, &problems), ORR_OK);
        ck_assert_int_eq(orr_run_grid(&grid, recorder, 0, &options, &result, &problems), ORR_OK);
        break_counter(&grid, which);
        orr_audit_run(&result.audit, &grid, result.end_ns);
        ck_assert_msg(result.audit.failed > 0, "breaking counter %d went unnoticed", which);
        ck_assert_int_eq(orr_recorder_close(recorder, &grid, ORR_OK, result.end_ns, &result.audit, &result.facts, &problems), ORR_AUDIT_FAILED);
        hid_t file = orr_result_open(output, &problems);
        cJSON *summary = orr_summary(file, output, &problems);
        ck_assert_str_eq(cJSON_GetObjectItem(summary, "status")->valuestring, "partial");
        ck_assert(orr_summary_number(summary, "audit.failed") > 0);
        cJSON_Delete(summary);
        H5Fclose(file);
        orr_grid_destroy(&grid);
    }
    unlink(output);
    rmdir(folder);
    orr_world_destroy(world);
}
END_TEST

START_TEST(want_of_memory_at_any_moment_is_an_error_and_leaks_nothing)
{
    long step = 1, reached = 0;
    bool complete = false;
    for (long n = 1; !complete; n += step) {
        orr_problems problems = {0};
        orr_run_options options = {0};
        orr_run_result result;
        failing_malloc_arm(n);
        orr_world *world = orr_world_load(scenario, NULL, 0, &problems);
        orr_status status = world == NULL ? ORR_NO_MEMORY : orr_run(world, &options, &result, &problems);
        bool fired = failing_malloc_fired();
        failing_malloc_arm(0);
        complete = !fired;
        if (fired) {
            ck_assert_int_ne(status, ORR_AUDIT_FAILED);
            reached = n;
        } else {
            ck_assert_int_eq(status, ORR_OK);
        }
        orr_world_destroy(world);
        orr_problems_clear(&problems);
        step = n < 300 ? 7 : n / 25;
    }
    ck_assert_int_gt(reached, 1000);
}
END_TEST

START_TEST(in_steady_state_nothing_is_allocated_per_event_or_request)
{
    static const char *const longer[] = {"duration=6 h"};
    orr_problems problems = {0};
    orr_world *world = orr_world_load(scenario, longer, 1, &problems);
    ck_assert_ptr_nonnull(world);
    for (uint32_t lanes = 1; lanes <= 3; lanes += 2) {
        orr_grid grid;
        create(&grid, world, lanes, false);
        ck_assert_int_eq(orr_engine_run(grid.engine, 3 * ORR_HOUR, NULL), ORR_OK);
        unsigned long before = failing_malloc_count();
        uint64_t events = orr_engine_events(grid.engine);
        ck_assert_int_eq(orr_engine_run(grid.engine, 6 * ORR_HOUR, NULL), ORR_OK);
        unsigned long allocations = failing_malloc_count() - before;
        events = orr_engine_events(grid.engine) - events;
        ck_assert_uint_gt(events, 1000000);
        ck_assert_msg(allocations <= 16, "%lu allocations in %lu events", allocations, (unsigned long)events); /* a new peak, a latency never seen before */
        orr_grid_destroy(&grid);
    }
    orr_world_destroy(world);
}
END_TEST

int main(int argc, char **argv)
{
    program = argv[0];
    scenario = argv[1];
    if (argc == 6 && strcmp(argv[2], "resume") == 0)
        return resume(argv[3], argv[4], (uint32_t)atoi(argv[5]));
    if (argc != 2)
        return 99;
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_test(promises, a_state_saved_at_a_random_moment_ends_alike_in_a_fresh_process_with_any_partitions);
    tcase_add_test(promises, a_truncated_state_is_refused);
    tcase_add_test(promises, a_broken_counter_fails_the_audit_and_the_run);
    tcase_add_test(promises, want_of_memory_at_any_moment_is_an_error_and_leaks_nothing);
    tcase_add_test(promises, in_steady_state_nothing_is_allocated_per_event_or_request);
    return run_as_tap("grid", promises);
}
