#include "cli/stopping.h"

#include <stddef.h>

/* The only file-scope state: a signal handler has nowhere else to write. */
static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
    (void)number;
    stop_requested = 1;
}

void orr_cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

const volatile sig_atomic_t *orr_cli_stopping(void) { return &stop_requested; }
