/* The promises of archive.h, one test each, on a state of every shape: plain fields, arrays, an empty array, nested items. */
#include "base/archive.h"

#include "support/failing_malloc.h"

#include "support/tap.h"
#include <stdlib.h>
#include <string.h>

typedef struct state {
    uint64_t  clock;
    char      name[5];
    orr_array numbers; /* of uint32_t */
    orr_array empty;   /* of double */
    orr_array bytes;   /* of char */
} state;

static void init(state *s)
{
    memset(s, 0, sizeof *s);
    orr_array_init(&s->numbers, sizeof(uint32_t));
    orr_array_init(&s->empty, sizeof(double));
    orr_array_init(&s->bytes, 1);
}

static void describe(state *s, orr_archive *archive)
{
    orr_archive_bytes(archive, &s->clock, sizeof s->clock);
    orr_archive_bytes(archive, s->name, sizeof s->name);
    orr_archive_bytes(archive, s->name, 0);
    orr_archive_array(archive, &s->numbers);
    orr_archive_array(archive, &s->empty);
    orr_archive_array(archive, &s->bytes);
}

static void fill(state *s)
{
    init(s);
    s->clock = UINT64_C(0x0123456789abcdef);
    memcpy(s->name, "abcde", 5);
    uint32_t *n = orr_array_extend(&s->numbers, 50);
    for (uint32_t i = 0; i < 50; i++)
        n[i] = i * i;
    memcpy(orr_array_extend(&s->bytes, 3), "xyz", 3);
}

static void free_state(state *s)
{
    orr_archive archive;
    orr_archive_free(&archive);
    describe(s, &archive);
    orr_archive_destroy(&archive);
    ck_assert_int_eq(archive.status, ORR_OK);
    ck_assert(s->numbers.items == NULL && s->bytes.items == NULL);
}

static orr_archive save(state *s)
{
    orr_archive archive;
    orr_archive_save(&archive);
    describe(s, &archive);
    ck_assert_int_eq(archive.status, ORR_OK);
    return archive;
}

START_TEST(what_is_loaded_is_what_was_saved)
{
    state a, b;
    fill(&a);
    orr_archive saved = save(&a), loaded;
    ck_assert_uint_eq(saved.bytes.count, 8 + 5 + 4 + 200 + 4 + 4 + 3);
    init(&b);
    orr_array_extend(&b.bytes, 77); /* what was there before goes */
    orr_archive_load(&loaded, saved.bytes.items, saved.bytes.count);
    describe(&b, &loaded);
    orr_archive_destroy(&loaded); /* its bytes are borrowed */
    ck_assert_int_eq(loaded.status, ORR_OK);
    ck_assert_uint_eq(loaded.read, saved.bytes.count);
    ck_assert_uint_eq(b.clock, a.clock);
    ck_assert_mem_eq(b.name, "abcde", 5);
    ck_assert_uint_eq(b.numbers.count, 50);
    ck_assert_mem_eq(b.numbers.items, a.numbers.items, 200);
    ck_assert_uint_eq(b.empty.count, 0);
    ck_assert_uint_eq(b.bytes.count, 3);
    orr_archive again = save(&b); /* equal states give equal archives */
    ck_assert_uint_eq(again.bytes.count, saved.bytes.count);
    ck_assert_mem_eq(again.bytes.items, saved.bytes.items, saved.bytes.count);
    orr_archive_destroy(&again);
    orr_archive_destroy(&saved);
    free_state(&a);
    free_state(&b);
}
END_TEST

START_TEST(every_truncation_is_refused_and_leaves_what_can_be_freed)
{
    state a, b;
    fill(&a);
    orr_archive saved = save(&a), loaded;
    for (uint32_t size = 0; size < saved.bytes.count; size++) {
        char *exact = malloc(size + 1);
        memcpy(exact, saved.bytes.items, size);
        init(&b);
        orr_archive_load(&loaded, exact, size);
        describe(&b, &loaded);
        ck_assert_int_eq(loaded.status, ORR_BAD_INPUT);
        ck_assert_uint_le(loaded.read, size);
        free_state(&b);
        free(exact);
    }
    orr_archive_destroy(&saved);
    free_state(&a);
}
END_TEST

START_TEST(a_count_larger_than_the_archive_asks_for_no_memory)
{
    const uint32_t counts[] = {2, UINT32_MAX, UINT32_MAX / 4, 1u << 30};
    for (int i = 0; i < 4; i++) {
        orr_archive loaded;
        orr_array numbers;
        orr_array_init(&numbers, sizeof(uint32_t));
        uint32_t bytes[] = {counts[i], 5};
        orr_archive_load(&loaded, bytes, sizeof bytes);
        failing_malloc_arm(1);
        orr_archive_array(&loaded, &numbers);
        ck_assert(!failing_malloc_fired());
        ck_assert_int_eq(loaded.status, ORR_BAD_INPUT);
        ck_assert_uint_eq(numbers.count, 0);
    }
    orr_archive huge;
    orr_archive_load(&huge, "", (size_t)UINT32_MAX + 5);
    ck_assert_int_eq(huge.status, ORR_BAD_INPUT);
}
END_TEST

START_TEST(the_first_error_stays_and_nothing_is_read_after_it)
{
    orr_archive loaded;
    uint32_t number = 7;
    orr_archive_load(&loaded, "abc", 3);
    orr_archive_bytes(&loaded, &number, 4);
    ck_assert_int_eq(loaded.status, ORR_BAD_INPUT);
    orr_archive_bytes(&loaded, &number, 1);
    ck_assert_uint_eq(number, 7);
    ck_assert_uint_eq(loaded.read, 0);
}
END_TEST

START_TEST(want_of_memory_is_a_status)
{
    state a, b;
    orr_archive saved, loaded;
    fill(&a);
    orr_archive whole = save(&a);
    int failures = 0;
    for (long nth = 1;; nth++) {
        failing_malloc_arm(nth);
        orr_archive_save(&saved);
        describe(&a, &saved);
        bool fired = failing_malloc_fired();
        ck_assert_int_eq(saved.status, fired ? ORR_NO_MEMORY : ORR_OK);
        orr_archive_destroy(&saved);
        failures += fired;
        if (!fired)
            break;
    }
    for (long nth = 1;; nth++) {
        init(&b);
        failing_malloc_arm(nth);
        orr_archive_load(&loaded, whole.bytes.items, whole.bytes.count);
        describe(&b, &loaded);
        bool fired = failing_malloc_fired();
        ck_assert_int_eq(loaded.status, fired ? ORR_NO_MEMORY : ORR_OK);
        free_state(&b);
        failures += fired;
        if (!fired)
            break;
    }
    ck_assert_int_ge(failures, 4);
    orr_archive_destroy(&whole);
    free_state(&a);
}
END_TEST

int main(void)
{
    TCase *promises = tcase_create("promises");
    tcase_set_timeout(promises, 60);
    tcase_add_test(promises, what_is_loaded_is_what_was_saved);
    tcase_add_test(promises, every_truncation_is_refused_and_leaves_what_can_be_freed);
    tcase_add_test(promises, a_count_larger_than_the_archive_asks_for_no_memory);
    tcase_add_test(promises, the_first_error_stays_and_nothing_is_read_after_it);
    tcase_add_test(promises, want_of_memory_is_a_status);
    return run_as_tap("archive", promises);
}
