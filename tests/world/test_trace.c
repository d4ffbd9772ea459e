/* Recorded traces: both formats say the same, hashes of blocks reach the world and the request, times become those of the replay, and what is wrong is told
 * at its place. Usage: test_trace SAMPLE.jsonl, some rows of Mooncake's conversation trace. */
#include "base/time.h"
#include "grid/grid.h"
#include "support/failing_malloc.h"
#include "support/temporary.h"

#include "support/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char *sample_path;
static char sample[1 << 16];
static orr_problems problems;
static orr_world *world;

static void enter(void)
{
    FILE *f = fopen(sample_path, "rb");
    ck_assert_ptr_nonnull(f);
    sample[fread(sample, 1, sizeof sample - 1, f)] = 0;
    fclose(f);
    temporary_enter();
}

static void leave(void)
{
    orr_world_destroy(world);
    world = NULL;
    orr_problems_clear(&problems);
    temporary_leave();
}

/* A world in which clients at one site replay `file`; `more` goes into their class. */
static orr_world *replay(const char *file, const char *more, const char *const *overrides, size_t count)
{
    char text[2048];
    snprintf(text, sizeof text,
             "duration: never\nsites: [{id: here}, {id: there}]\nlinks: [{a: here, b: there, delay: 5 ms}]\nservices: [{name: job, kind: station, mean: 10 ms}]\n"
             "pools: [{site: there, service: job, servers: 4}]\nclients:\n  - {class: people, service: job, replay: %s, where: [{site: here}]%s}\n",
             file, more);
    temporary_write_text("t.yaml", text);
    orr_world_destroy(world);
    return world = orr_world_load("t.yaml", overrides, count, &problems);
}

static orr_world *replay_text(const char *file, const char *text, const char *more)
{
    temporary_write_text(file, text);
    orr_world *w = replay(file, more, NULL, 0);
    ck_assert_msg(w != NULL, "%s", problems.count > 0 ? problems.text[0] : "out of memory");
    return w;
}

typedef struct rows {
    uint32_t count, blocks;
    int64_t  at_ms[64];
    uint32_t input[64], output[64], block_count[64];
    uint64_t block[256];
} rows;

static rows rows_of(const orr_world *w)
{
    rows r = {.count = (uint32_t)w->trace_count, .blocks = (uint32_t)w->trace_block_count};
    ck_assert(r.count <= 64 && r.blocks <= 256);
    for (uint32_t i = 0; i < r.count; i++) {
        r.at_ms[i] = w->traces[i].at_ns / ORR_MILLISECOND;
        r.input[i] = w->traces[i].input, r.output[i] = w->traces[i].output, r.block_count[i] = w->traces[i].block_count;
    }
    if (r.blocks > 0)
        memcpy(r.block, w->trace_blocks, r.blocks * sizeof r.block[0]);
    return r;
}

START_TEST(rows_of_mooncake_are_read_with_their_blocks)
{
    const orr_world *w = replay_text("s.jsonl", sample, "");
    ck_assert_uint_eq(w->trace_count, 16);
    ck_assert_int_eq(w->traces[0].at_ns, 0);
    ck_assert_uint_eq(w->traces[0].input, 2290);
    ck_assert_uint_eq(w->traces[0].output, 316);
    ck_assert_uint_eq(w->traces[0].block_count, 5);
    static const uint64_t first[] = {0, 42, 43, 44, 45};
    ck_assert_mem_eq(w->trace_blocks + w->traces[0].first_block, first, sizeof first);
    uint32_t blocks = 0;
    for (uint32_t i = 0; i < w->trace_count; i++) {
        ck_assert_uint_eq(w->traces[i].first_block, blocks);
        ck_assert_uint_eq(w->traces[i].block_count, (w->traces[i].input + 511) / 512);
        blocks += w->traces[i].block_count;
    }
    ck_assert_uint_eq(blocks, w->trace_block_count);
    ck_assert_int_eq(w->traces[15].at_ns % (3000 * ORR_MILLISECOND), 0); /* they come in batches */
    ck_assert_int_gt(w->traces[15].at_ns, 0);
}
END_TEST

START_TEST(a_compressed_file_and_a_table_with_hashes_say_the_same)
{
    rows plain = rows_of(replay_text("s.jsonl", sample, ""));
    gzFile gz = gzopen("s.jsonl.gz", "wb");
    ck_assert_int_eq(gzputs(gz, sample), (int)strlen(sample));
    gzclose(gz);
    ck_assert_ptr_nonnull(replay("s.jsonl.gz", "", NULL, 0));
    rows other = rows_of(world);
    ck_assert_mem_eq(&plain, &other, sizeof plain);
    FILE *f = fopen("s.csv", "w");
    fprintf(f, "HashIds,TIMESTAMP,ContextTokens,GeneratedTokens\n");
    for (uint32_t i = 0, b = 0; i < plain.count; i++) {
        for (uint32_t k = 0; k < plain.block_count[i]; k++)
            fprintf(f, "%s%llu", k > 0 ? " " : "", (unsigned long long)plain.block[b++]);
        fprintf(f, ",%.3f,%u,%u\n", (double)plain.at_ms[i] / 1000, plain.input[i], plain.output[i]);
    }
    fclose(f);
    ck_assert_ptr_nonnull(replay("s.csv", "", NULL, 0));
    other = rows_of(world);
    ck_assert_mem_eq(&plain, &other, sizeof plain);
}
END_TEST

START_TEST(a_table_holds_hashes_of_64_bits_and_rows_without)
{
    const orr_world *w = replay_text("h.csv", "TIMESTAMP,ContextTokens,GeneratedTokens,HashIds\n1,600,5,18446744073709551615  7\n2,600,5,\n", "");
    ck_assert_uint_eq(w->trace_blocks[0], UINT64_MAX);
    ck_assert_uint_eq(w->trace_blocks[1], 7);
    ck_assert_uint_eq(w->traces[0].block_count, 2);
    ck_assert_uint_eq(w->traces[1].block_count, 0);
    ck_assert_int_eq(w->traces[1].at_ns, ORR_SECOND);
}
END_TEST

START_TEST(jitter_moves_each_row_later_by_less_than_itself_and_leaves_them_in_order)
{
    enum { ROWS = 400 };
    const int64_t jitter = 3 * ORR_SECOND;
    char text[ROWS * 120], *end = text;
    for (int i = 0; i < ROWS; i++) /* the output tells the row; batches of 20 every 3 s */
        end += sprintf(end, "{\"timestamp\": %d, \"input_length\": 10, \"output_length\": %d, \"hash_ids\": [%d]}\n", i / 20 * 3000, i + 1, i);
    const orr_world *w = replay_text("j.jsonl", text, ", replay_jitter: 3 s");
    static int64_t at[ROWS];
    double sum = 0;
    bool swapped = false;
    for (uint32_t i = 0; i < ROWS; i++) {
        const orr_trace_row *row = &w->traces[i];
        int64_t recorded = (int64_t)(row->output - 1) / 20 * 3 * ORR_SECOND;
        ck_assert_int_ge(row->at_ns, recorded);
        ck_assert_int_lt(row->at_ns, recorded + jitter);
        ck_assert(i == 0 || row->at_ns >= w->traces[i - 1].at_ns);
        ck_assert_uint_eq(w->trace_blocks[row->first_block], row->output - 1);
        swapped |= i > 0 && row->output < w->traces[i - 1].output;
        sum += (double)(row->at_ns - recorded) / (double)jitter;
        at[row->output - 1] = row->at_ns;
    }
    ck_assert(swapped);
    ck_assert_double_eq_tol(sum / ROWS, 0.5, 4 * 0.2887 / 20); /* four standard errors of a uniform mean */
    static const char *const another_seed[] = {"seed=2"};
    ck_assert_ptr_nonnull(replay("j.jsonl", ", replay_jitter: 3 s", NULL, 0));
    for (uint32_t i = 0; i < ROWS; i++)
        ck_assert_int_eq(world->traces[i].at_ns, at[world->traces[i].output - 1]);
    ck_assert_ptr_nonnull(replay("j.jsonl", ", replay_jitter: 3 s", another_seed, 1));
    uint32_t same = 0;
    for (uint32_t i = 0; i < ROWS; i++)
        same += world->traces[i].at_ns == at[world->traces[i].output - 1];
    ck_assert_uint_eq(same, 0);
    ck_assert_ptr_nonnull(replay("j.jsonl", ", replay_jitter: 1 ns", NULL, 0)); /* below 1 ns is 0: all tie, and stay as they were */
    for (uint32_t i = 0; i < ROWS; i++)
        ck_assert_uint_eq(world->traces[i].output, i + 1);
}
END_TEST

START_TEST(speed_divides_times_and_jitter)
{
    rows slow = rows_of(replay_text("s.jsonl", sample, ", replay_jitter: 3 s"));
    ck_assert_ptr_nonnull(replay("s.jsonl", ", replay_jitter: 3 s, replay_speed: 2", NULL, 0));
    rows fast = rows_of(world);
    for (uint32_t i = 0; i < slow.count; i++) {
        ck_assert_int_eq(fast.at_ms[i], slow.at_ms[i] / 2);
        ck_assert_uint_eq(fast.output[i], slow.output[i]);
    }
    ck_assert_int_gt(fast.at_ms[15], 1000);
}
END_TEST

static void on_the_way(void *context, const orr_message *message, const void *payload)
{
    uint32_t *seen = context;
    if (message->kind != ORR_MESSAGE_REQUEST)
        return;
    orr_request_message m = orr_request_read(payload, message->length);
    const orr_trace_row *row = &world->traces[m.id.number];
    ck_assert_uint_eq(m.trace, row->block_count > 0 ? 1 + m.id.number : 0);
    ck_assert_uint_eq(m.input, row->input);
    seen[row->block_count > 0]++;
}

START_TEST(a_request_names_the_row_whose_blocks_are_known)
{
    orr_grid grid;
    orr_grid_options options = {0};
    uint32_t seen[2] = {0};
    replay_text("m.csv", "TIMESTAMP,ContextTokens,GeneratedTokens,HashIds\n1,600,5,4 7\n1,600,5,\n1,600,5,8\n", "");
    ck_assert_int_eq(orr_grid_create(&grid, world, &options, &problems), ORR_OK);
    ck_assert_int_eq(orr_engine_run(grid.engine, ORR_MILLISECOND, NULL), ORR_OK);
    orr_engine_each_message(grid.engine, on_the_way, seen);
    ck_assert_uint_eq(seen[0], 1);
    ck_assert_uint_eq(seen[1], 2);
    orr_grid_destroy(&grid);
}
END_TEST

static void refused(const char *file, const char *text, const char *place, const char *words)
{
    temporary_write_text(file, text);
    ck_assert_ptr_null(replay(file, "", NULL, 0));
    bool told = false;
    for (size_t i = 0; i < problems.count; i++)
        told |= strncmp(problems.text[i], place, strlen(place)) == 0 && strstr(problems.text[i], words) != NULL;
    ck_assert_msg(told, "%s %s: %s", place, words, problems.count > 0 ? problems.text[0] : "no problem");
    orr_problems_clear(&problems);
}

START_TEST(what_is_wrong_in_a_row_is_told_at_its_line)
{
#define GOOD "{\"timestamp\": 5, \"input_length\": 600, \"output_length\": 2, \"hash_ids\": [1, 2]}\n\n"
    refused("b.jsonl", GOOD "{\"timestamp\": 5,\n", "b.jsonl:3:", "JSON object");
    refused("b.jsonl", GOOD "[1]\n", "b.jsonl:3:", "JSON object");
    refused("b.jsonl", GOOD "{} x\n", "b.jsonl:3:4:", "JSON object");
    refused("b.jsonl", GOOD "{\"timestamp\": 4, \"input_length\": 6, \"output_length\": 2}\n", "b.jsonl:3:", "earlier");
    refused("b.jsonl", GOOD "{\"timestamp\": \"6\", \"input_length\": 6, \"output_length\": 2}\n", "b.jsonl:3:", "timestamp");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"output_length\": 2}\n", "b.jsonl:3:", "input_length");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 1.5, \"output_length\": 2}\n", "b.jsonl:3:", "found `1.5`");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 6, \"output_length\": 0}\n", "b.jsonl:3:", "output_length");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 6, \"output_length\": 1e300}\n", "b.jsonl:3:", "output_length");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 6, \"output_length\": 2, \"hash_ids\": [1, 2]}\n", "b.jsonl:3:", "2 blocks");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 6, \"output_length\": 2, \"hash_ids\": [-1]}\n", "b.jsonl:3:", "hash_ids");
    refused("b.jsonl", GOOD "{\"timestamp\": 6, \"input_length\": 6, \"output_length\": 2, \"hash_ids\": 7}\n", "b.jsonl:3:", "hash_ids");
    refused("b.jsonl", "\n", "b.jsonl: ", "no request");
#define HEAD "TIMESTAMP,ContextTokens,GeneratedTokens,HashIds\n1,600,5,4 7\n"
    refused("b.csv", HEAD "2,600,5,4 x\n", "b.csv:3:9:", "HashIds");
    refused("b.csv", HEAD "2,600,5,4 -7\n", "b.csv:3:9:", "HashIds");
    refused("b.csv", HEAD "2,600,5,99999999999999999999\n", "b.csv:3:9:", "HashIds");
    refused("b.csv", HEAD "2,600,5,1 2 3\n", "b.csv:3:9:", "3 blocks");
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    replay_text("s.jsonl", sample, ", replay_jitter: 3 s");
    bool complete = false;
    for (long n = 1; !complete; n += n < 200 ? 1 : 7) {
        orr_world_destroy(world);
        failing_malloc_arm(n);
        world = orr_world_load("t.yaml", NULL, 0, &problems);
        complete = !failing_malloc_fired();
        failing_malloc_arm(0);
        ck_assert(world != NULL || !complete);
        ck_assert(world == NULL || (world->trace_count == 16 && world->trace_block_count == 63)); /* all or nothing */
        orr_problems_clear(&problems);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2)
        return 99;
    sample_path = argv[1];
    TCase *promises = tcase_create("promises");
    tcase_add_checked_fixture(promises, enter, leave);
    tcase_set_timeout(promises, 60);
    tcase_add_test(promises, rows_of_mooncake_are_read_with_their_blocks);
    tcase_add_test(promises, a_compressed_file_and_a_table_with_hashes_say_the_same);
    tcase_add_test(promises, a_table_holds_hashes_of_64_bits_and_rows_without);
    tcase_add_test(promises, jitter_moves_each_row_later_by_less_than_itself_and_leaves_them_in_order);
    tcase_add_test(promises, speed_divides_times_and_jitter);
    tcase_add_test(promises, a_request_names_the_row_whose_blocks_are_known);
    tcase_add_test(promises, what_is_wrong_in_a_row_is_told_at_its_line);
    tcase_add_test(promises, every_failing_allocation_is_survived);
    return run_as_tap("trace", promises);
}
