/*
 * The promises of prefix.h: by hand, against a plain list, and on a recorded trace (Mooncake's conversations, if they are there) whose hit
 * ratios were computed by another program.
 */
#include "serve/prefix.h"

#include "base/random.h"
#include "support/failing_malloc.h"

#include "support/tap.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { CACHES = 2, SHORTCUTS = 3, KEYS = 40 };

/* A store with the caches of two instances, each with places for shortcuts. */
static orr_array        nodes, shortcuts;
static orr_map          by_key;
static uint32_t         free_nodes;
static orr_prefix_store store;
static orr_prefix_cache cache[CACHES];

static const char *trace_path;

static void open_store(void)
{
    orr_array_init(&nodes, sizeof(orr_prefix_node));
    orr_array_init(&shortcuts, sizeof(uint32_t));
    orr_map_init(&by_key);
    free_nodes = 0;
    store = (orr_prefix_store){&nodes, &by_key, &shortcuts, &free_nodes};
    ck_assert_ptr_nonnull(orr_array_extend(&shortcuts, CACHES * SHORTCUTS));
    for (uint32_t c = 0; c < CACHES; c++)
        cache[c] = (orr_prefix_cache){.identity = 10 + c};
}

static void close_store(void)
{
    orr_array_clear(&nodes);
    orr_array_clear(&shortcuts);
    orr_array_clear(&by_key.places);
}

static uint32_t find(uint64_t key) { return orr_prefix_find(&cache[0], &store, key, 0); }
static uint32_t add(uint64_t key) { return orr_prefix_add(&cache[0], &store, key, 0, 1); }
static void     pin(uint64_t key) { orr_prefix_pin(&cache[0], &store, find(key)); }
static void     unpin(uint64_t key) { orr_prefix_unpin(&cache[0], &store, find(key)); }

START_TEST(the_one_not_used_for_longest_gives_way_first)
{
    for (uint64_t key = 1; key <= 4; key++)
        ck_assert_uint_ne(add(key), ORR_NONE);
    ck_assert_int_eq(cache[0].blocks, 4);
    ck_assert_int_eq(cache[0].pinned, 4);
    unpin(2), unpin(1), unpin(4); /* 3 stays pinned */
    ck_assert_int_eq(cache[0].pinned, 1);
    pin(2), unpin(2); /* used once more: now after 4 */
    orr_prefix_shrink(&cache[0], &store, 3);
    ck_assert(find(1) == ORR_NONE && find(2) != ORR_NONE && find(3) != ORR_NONE && find(4) != ORR_NONE);
    orr_prefix_shrink(&cache[0], &store, 2);
    ck_assert(find(4) == ORR_NONE && find(2) != ORR_NONE && find(3) != ORR_NONE);
    orr_prefix_shrink(&cache[0], &store, 0);
    ck_assert(find(2) == ORR_NONE && find(3) != ORR_NONE); /* pinned ones stay, whatever is wanted */
    ck_assert_int_eq(cache[0].blocks, 1);
    pin(3), unpin(3);
    orr_prefix_shrink(&cache[0], &store, 0);
    ck_assert_uint_ne(find(3), ORR_NONE); /* it had two pins */
    unpin(3);
    orr_prefix_shrink(&cache[0], &store, 0);
    ck_assert(find(3) == ORR_NONE && cache[0].blocks == 0 && cache[0].pinned == 0 && by_key.count == 0);
}
END_TEST

START_TEST(a_shortcut_is_found_without_its_key_and_forgotten_with_its_node)
{
    uint32_t node = orr_prefix_add(&cache[0], &store, 0, 2, 5);
    ck_assert_uint_eq(orr_prefix_find(&cache[0], &store, 0, 2), node);
    ck_assert_uint_eq(orr_prefix_find(&cache[0], &store, 0, 1), ORR_NONE);
    ck_assert_uint_eq(by_key.count, 0);
    orr_prefix_unpin(&cache[0], &store, node);
    orr_prefix_shrink(&cache[0], &store, 4);
    ck_assert_uint_eq(orr_prefix_find(&cache[0], &store, 0, 2), ORR_NONE);
    ck_assert_int_eq(cache[0].blocks, 0);
}
END_TEST

START_TEST(instances_do_not_find_each_others_nodes)
{
    uint32_t one = orr_prefix_add(&cache[0], &store, 77, 0, 1);
    ck_assert_uint_eq(orr_prefix_find(&cache[1], &store, 77, 0), ORR_NONE);
    uint32_t other = orr_prefix_add(&cache[1], &store, 77, 0, 1);
    ck_assert_uint_ne(one, other);
    orr_prefix_unpin(&cache[0], &store, one);
    orr_prefix_unpin(&cache[1], &store, other);
    orr_prefix_shrink(&cache[0], &store, 0);
    ck_assert_uint_eq(orr_prefix_find(&cache[1], &store, 77, 0), other);
}
END_TEST

/* A node of the plain list. Keys below SHORTCUTS have shortcuts. */
typedef struct plain {
    bool     present;
    uint32_t pins, blocks, released; /* released: when its last pin went */
} plain;

START_TEST(it_behaves_as_a_plain_list)
{
    static plain list[CACHES][KEYS];
    static uint32_t here[CACHES][KEYS];
    uint32_t evictions = 0, hits = 0;
    for (uint32_t step = 0; step < 200000; step++) {
        orr_bits bits = orr_random_bits(1, ORR_STREAM_TEST, 9, step, 0);
        uint32_t c = bits.low % CACHES, key = (uint32_t)(bits.low >> 8) % KEYS, shortcut = key < SHORTCUTS ? c * SHORTCUTS + key + 1 : 0;
        plain *p = &list[c][key];
        uint32_t node = orr_prefix_find(&cache[c], &store, key, shortcut);
        if ((node != ORR_NONE) != p->present || (p->present && node != here[c][key]))
            ck_abort_msg("step %u: key %u of cache %u", step, key, c);
        switch (bits.high % 5) {
        case 0:
        case 1: /* use: pin what is there, add what is not */
            if (p->present) {
                orr_prefix_pin(&cache[c], &store, node);
                p->pins++;
                hits++;
            } else {
                *p = (plain){.present = true, .pins = 1, .blocks = 1 + (uint32_t)(bits.high >> 8) % 4};
                here[c][key] = orr_prefix_add(&cache[c], &store, key, shortcut, p->blocks);
            }
            break;
        case 2:
        case 3:
            if (p->pins > 0) {
                orr_prefix_unpin(&cache[c], &store, node);
                p->pins--;
                p->released = step;
            }
            break;
        default: {
            int64_t blocks = 0, room = (int64_t)(bits.high >> 8) % (2 * KEYS);
            for (uint32_t i = 0; i < KEYS; i++)
                blocks += list[c][i].present ? list[c][i].blocks : 0;
            while (blocks > room) {
                plain *first = NULL;
                for (uint32_t i = 0; i < KEYS; i++)
                    if (list[c][i].present && list[c][i].pins == 0 && (first == NULL || list[c][i].released < first->released))
                        first = &list[c][i];
                if (first == NULL)
                    break;
                first->present = false;
                blocks -= first->blocks;
                evictions++;
            }
            orr_prefix_shrink(&cache[c], &store, room);
        }
        }
        int64_t blocks = 0, pinned = 0;
        for (uint32_t i = 0; i < KEYS; i++) {
            blocks += list[c][i].present ? list[c][i].blocks : 0;
            pinned += list[c][i].pins > 0 ? list[c][i].blocks : 0;
        }
        if (blocks != cache[c].blocks || pinned != cache[c].pinned)
            ck_abort_msg("step %u: cache %u has %ld blocks, %ld pinned, not %ld, %ld", step, c, (long)cache[c].blocks, (long)cache[c].pinned, (long)blocks, (long)pinned);
    }
    ck_assert_msg(evictions > 2000 && hits > 20000, "%u %u", evictions, hits);
    ck_assert_uint_le(nodes.count, CACHES * KEYS); /* places of dropped nodes are used again */
}
END_TEST

START_TEST(without_memory_nothing_is_added)
{
    for (uint64_t key = 0; key < 8; key++) /* as many as fit into the first places of map and array */
        ck_assert_uint_ne(add(key), ORR_NONE);
    for (long nth = 1; nth <= 2; nth++) {
        failing_malloc_arm(nth);
        uint32_t node = add(8);
        ck_assert(failing_malloc_fired() && node == ORR_NONE);
        ck_assert_int_eq(cache[0].blocks, 8);
        ck_assert_int_eq(cache[0].pinned, 8);
        ck_assert_uint_eq(find(8), ORR_NONE);
    }
    ck_assert_uint_ne(add(8), ORR_NONE);
}
END_TEST

/* One request of the trace. */
typedef struct recorded {
    uint32_t input, first, count; /* hashes: from `first`, so many */
} recorded;

static orr_array requests, hashes;

static bool read_trace(void)
{
    gzFile file = gzopen(trace_path, "rb");
    if (file == NULL)
        return false;
    static char line[1 << 16];
    orr_array_init(&requests, sizeof(recorded));
    orr_array_init(&hashes, sizeof(uint64_t));
    while (gzgets(file, line, sizeof line) != NULL) {
        cJSON *json = cJSON_Parse(line), *ids = cJSON_GetObjectItem(json, "hash_ids"), *id;
        recorded *r = orr_array_extend(&requests, 1);
        ck_assert(json != NULL && ids != NULL && r != NULL);
        *r = (recorded){(uint32_t)cJSON_GetObjectItem(json, "input_length")->valuedouble, hashes.count, (uint32_t)cJSON_GetArraySize(ids)};
        cJSON_ArrayForEach(id, ids)
        {
            uint64_t *hash = orr_array_extend(&hashes, 1);
            ck_assert_ptr_nonnull(hash);
            *hash = (uint64_t)id->valuedouble;
        }
        cJSON_Delete(json);
    }
    gzclose(file);
    return true;
}

/*
 * A request looks its blocks up and then uses them all. Blocks are let go from the tail, as the server does, or one by one from the head: that is the plain LRU list
 * of the literature, with which the share is 0.045, 0.215 and 0.362.
 */
static double hit_ratio(int64_t capacity, bool from_the_tail)
{
    double found = 0, all = 0;
    for (uint32_t i = 0; i < requests.count; i++) {
        const recorded *r = orr_array_at(&requests, i);
        const uint64_t *hash = (const uint64_t *)hashes.items + r->first;
        uint32_t hits = 0;
        while (hits < r->count && find(hash[hits]) != ORR_NONE)
            hits++;
        found += r->input < ORR_PREFIX_TOKENS * hits ? r->input : ORR_PREFIX_TOKENS * hits;
        all += r->input;
        for (uint32_t n = 0; n < r->count; n++) {
            if (find(hash[n]) != ORR_NONE)
                pin(hash[n]);
            else
                add(hash[n]);
            if (!from_the_tail) {
                unpin(hash[n]);
                orr_prefix_shrink(&cache[0], &store, capacity);
            }
        }
        for (uint32_t n = r->count; n > 0 && from_the_tail; n--)
            unpin(hash[n - 1]);
        orr_prefix_shrink(&cache[0], &store, capacity);
    }
    return found / all;
}

START_TEST(the_recorded_conversations_hit_as_often_as_they_should)
{
    static const struct {
        int64_t capacity;
        bool    from_the_tail;
        double  ratio; /* by an ordered dictionary of Python */
    } cases[] = {
        {1000, false, 0.04535598870125834}, {10000, false, 0.2153060148152867}, {50000, false, 0.36153041556199533},
        {1000, true, 0.04541256570040284}, {10000, true, 0.21574802262110312}, {50000, true, 0.36153041556199533},
    };
    if (trace_path == NULL || !read_trace()) {
        printf("# the recorded conversations are not there: skipped\n");
        return;
    }
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        close_store();
        open_store();
        ck_assert_double_eq_tol(hit_ratio(cases[k].capacity, cases[k].from_the_tail), cases[k].ratio, 1e-12);
    }
    orr_array_clear(&requests);
    orr_array_clear(&hashes);
}
END_TEST

int main(int argc, char **argv)
{
    trace_path = argc > 1 ? argv[1] : NULL;
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 120);
    tcase_add_checked_fixture(promises, open_store, close_store);
    tcase_add_test(promises, the_one_not_used_for_longest_gives_way_first);
    tcase_add_test(promises, a_shortcut_is_found_without_its_key_and_forgotten_with_its_node);
    tcase_add_test(promises, instances_do_not_find_each_others_nodes);
    tcase_add_test(promises, it_behaves_as_a_plain_list);
    tcase_add_test(promises, without_memory_nothing_is_added);
    tcase_add_test(promises, the_recorded_conversations_hit_as_often_as_they_should);
    return run_as_tap("prefix", promises);
}
