/** How every test program ends: its promises run by Check, reported as TAP on standard output. */
#ifndef ORRERY_TESTS_SUPPORT_TAP_H
#define ORRERY_TESTS_SUPPORT_TAP_H

#include <check.h>

/** Runs `promises` as the suite `name`; the exit status of the program. */
static inline int run_as_tap(const char *name, TCase *promises)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, promises);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
